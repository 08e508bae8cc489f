"""Max pooling and average pooling, unpooling, and their adjoints, in NumPy. Lesson 05.

Max pooling keeps the largest number of each window, and remembers where it stood:

    y[n, c, i, j] = max over u, v of x[n, c, i·stride + u·dilation − padding, j·stride + v·dilation − padding]

The place is a flat index into the H×W plane, row · W + column. While the places stay the same, pooling is a linear map:
a selection matrix S that copies one number into each output, y = S x. Its adjoint Sᵀ, `max_pool2d_grad`, puts each
number back at its place and zeros everywhere else; where windows overlap and share a place, it adds. `max_unpool2d`
does the same, but keeps one number of those that share a place. Without overlap the two are equal.

S depends on x, so max pooling is not linear. Average pooling is: the same numbers for every image, and
`avg_pool2d_grad` is its adjoint.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unet_edu._arguments import Size, dtype_of, expect_shape, images, numbers, pair, whole
from unet_edu.convolution import sliding_windows

__all__ = [
    "avg_pool2d",
    "avg_pool2d_grad",
    "max_pool2d",
    "max_pool2d_grad",
    "max_pool2d_grad_loops",
    "max_pool2d_loops",
    "max_unpool2d",
    "max_unpool2d_grad",
    "max_unpool2d_loops",
    "pooled_size",
]


def max_pool2d_loops(x: NDArray[Any], kernel: int, stride: int | None = None) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """The largest number of each window of one plane, and its place: the definition itself, as lesson 05 teaches it.

    Parameters
    ----------
    x : (H, W) array
    kernel, stride : int
        The side of a window and the step between windows, which is the same if it is left out.

    Returns
    -------
    y, indices : two (H', W') arrays
        As those of `max_pool2d`.
    """
    (H, W), stride = x.shape, stride or kernel
    y = np.zeros(((H - kernel) // stride + 1, (W - kernel) // stride + 1), x.dtype)
    indices = np.zeros(y.shape, np.int64)
    for i, j in np.ndindex(y.shape):
        top, left = i * stride, j * stride
        window = x[top : top + kernel, left : left + kernel]
        u, v = np.unravel_index(window.argmax(), window.shape)
        y[i, j], indices[i, j] = window[u, v], (top + u) * W + left + v
    return y, indices


def max_unpool2d_loops(y: NDArray[Any], indices: NDArray[np.int64], size: tuple[int, int]) -> NDArray[Any]:
    """Put each number of one plane at its remembered place: the definition itself, as lesson 05 teaches it.

    Parameters
    ----------
    y : (H', W') array
    indices : int array of the same shape
    size : (H, W)
        Of the image that was pooled.

    Returns
    -------
    (H, W) array
        As that of `max_unpool2d`.
    """
    x = np.zeros(size, y.dtype)
    for i, j in np.ndindex(y.shape):
        x.flat[indices[i, j]] = y[i, j]
    return x


def max_pool2d_grad_loops(dy: NDArray[Any], indices: NDArray[np.int64], size: tuple[int, int]) -> NDArray[Any]:
    """Bring the gradients of one plane back to the maxima: the definition itself, as lesson 05 teaches it.

    Parameters
    ----------
    dy : (H', W') array
    indices : int array of the same shape
    size : (H, W)
        Of the image that was pooled.

    Returns
    -------
    (H, W) array
        As that of `max_pool2d_grad`.
    """
    dx = np.zeros(size, dy.dtype)
    for i, j in np.ndindex(dy.shape):
        dx.flat[indices[i, j]] += dy[i, j]
    return dx


def max_pool2d(
    x: ArrayLike,
    kernel_size: Size,
    stride: Size | None = None,
    *,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """The largest number of each window and its place, as `torch.nn.functional.max_pool2d(…, return_indices=True)`.

    It loops over taps, not over windows as `max_pool2d_loops` does: each step compares one tap of all windows at once.

    Parameters
    ----------
    x : (N, C, H, W) or (H, W) array of real numbers
        NaN wins in every window that holds it.
    kernel_size : int or pair of ints (rows, columns)
    stride : int or pair of ints, optional
        The step between windows (≥ 1); if left out, that of the kernel, so that windows neither overlap nor leave gaps.
    padding, dilation : int or pair of ints
        A ring around the image that never wins (at most half of the window), the distance between the taps (≥ 1).
    ceil_mode : bool
        Also use a last window that reaches beyond the image, if it starts inside of it or its left or upper padding.

    Returns
    -------
    y : (N, C, H', W') or (H', W') array
        Of the type of `x`: a maximum of bytes is a byte.
    indices : int64 array of the same shape
        Each maximum's place in its own H×W plane, row · W + column. Among equal numbers the first in row-major order is
        taken; do not rely on it, because other frameworks and devices may take another.

    Raises
    ------
    TypeError, ValueError
        When `x` does not hold real numbers or is empty, or no window fits, or the padding is too large.

    References
    ----------
    Zeiler and Fergus (2014), "Visualizing and understanding convolutional networks", section 2.1, who call the places
    switches. Lesson 05, exercise `maxpool_idx`.

    Examples
    --------
    >>> y, indices = max_pool2d([[1, 9, 2, 3], [4, 5, 8, 6]], 2)
    >>> y, indices
    (array([[9, 8]]), array([[1, 6]]))
    """
    x, is_plane = images("x", x)
    rows, columns = _axes(x.shape[2:], kernel_size, stride, padding, dilation, ceil_mode)
    least = _least(x.dtype)
    windows = _windows(x, rows, columns, least)

    y = np.full((*x.shape[:2], rows.windows, columns.windows), least, x.dtype)
    # Which tap holds the maximum. We begin with the first one in the image, so that no place ever lies in the padding.
    tap = np.empty(y.shape, np.min_scalar_type(rows.kernel * columns.kernel))
    tap[...] = rows.first_taps()[:, None] * columns.kernel + columns.first_taps()
    for number, (u, v) in enumerate(np.ndindex(rows.kernel, columns.kernel)):
        value = windows[:, :, u, v]
        is_larger = value > y
        if y.dtype.kind == "f":
            is_larger |= np.isnan(value)  # no comparison says so
        np.copyto(y, value, where=is_larger)
        np.copyto(tap, number, where=is_larger)

    W = columns.size
    offsets = (rows.dilation * W * np.arange(rows.kernel))[:, None] + columns.dilation * np.arange(columns.kernel)
    indices = offsets.ravel()[tap]
    indices += (rows.starts() * W)[:, None] + columns.starts()
    return (y[0, 0], indices[0, 0]) if is_plane else (y, indices)


def max_pool2d_grad(dy: ArrayLike, indices: ArrayLike, size: Size) -> NDArray[Any]:
    """The adjoint of max pooling with the places held fixed: add each number to the place that its maximum came from.

    This is Sᵀ where pooling is S: the gradient of a loss with respect to `x`, given its gradient `dy` with respect to
    the maxima. Where several windows chose the same place, it collects from all of them.

    Parameters
    ----------
    dy : (N, C, H', W') or (H', W') array of real numbers
    indices : int array of the same shape
        As `max_pool2d` gave them.
    size : int or pair of ints (H, W)
        Height and width of the image that was pooled. They must be said, because several sizes share one pooled size.

    Returns
    -------
    (N, C, H, W) or (H, W) array
        Floats keep their precision; integers and booleans become int64, because numbers are added.

    Raises
    ------
    TypeError, ValueError
        When shapes differ, or an index is no int or lies outside of the plane.

    References
    ----------
    Lesson 05, exercise `maxpool_backward`.

    Examples
    --------
    >>> max_pool2d_grad([[10, 20]], [[1, 1]], (2, 3))
    array([[ 0, 30,  0],
           [ 0,  0,  0]])
    """
    dy, is_plane = images("dy", dy)
    indices, (H, W) = _places(indices, dy, is_plane, size)
    N, C = dy.shape[:2]
    dx = np.zeros(N * C * H * W, dtype_of(dy))
    np.add.at(dx, _flat(indices, H * W), dy.ravel().astype(dx.dtype, copy=False))
    return dx.reshape((H, W) if is_plane else (N, C, H, W))


def max_unpool2d(y: ArrayLike, indices: ArrayLike, size: Size) -> NDArray[Any]:
    """Put each number at its remembered place, and zeros everywhere else, as `torch.nn.functional.max_unpool2d` does.

    Where several numbers share a place, the last of them in row-major order stays. PyTorch keeps one of them too, but
    does not say which, and on a GPU it may change from run to run. Sᵀ, which is `max_pool2d_grad`, adds them.

    Parameters
    ----------
    y : (N, C, H', W') or (H', W') array of real numbers
    indices : int array of the same shape
        As `max_pool2d` gave them: flat in the H×W plane.
    size : int or pair of ints (H, W)
        Height and width of the output, as large as the image that was pooled: 4×4 and 5×5 both pool to 2×2.

    Returns
    -------
    (N, C, H, W) or (H, W) array
        Of the type of `y`.

    Raises
    ------
    TypeError, ValueError
        When shapes differ, or an index is no int or lies outside of the plane.

    References
    ----------
    Zeiler and Fergus (2014), section 2.1; Badrinarayanan, Kendall and Cipolla (2017), "SegNet", section 3. Lesson 05,
    exercise `maxunpool`.

    Examples
    --------
    >>> max_unpool2d([[1, 2], [3, 4]], [[5, 2], [12, 15]], (4, 4))
    array([[0, 0, 2, 0],
           [0, 1, 0, 0],
           [0, 0, 0, 0],
           [3, 0, 0, 4]])
    """
    y, is_plane = images("y", y)
    indices, (H, W) = _places(indices, y, is_plane, size)
    N, C = y.shape[:2]
    x = np.zeros(N * C * H * W, y.dtype)
    x[_flat(indices, H * W)] = y.ravel()  # of equal indices NumPy leaves the last behind
    return x.reshape((H, W) if is_plane else (N, C, H, W))


def max_unpool2d_grad(dx: ArrayLike, indices: ArrayLike) -> NDArray[Any]:
    """Fetch the number at each remembered place: S itself, the adjoint of Sᵀ.

    The gradient of a loss with respect to the pooled numbers, given its gradient `dx` with respect to the unpooled
    image. Where numbers share a place each gets the same gradient, as in PyTorch; there this is the adjoint of
    `max_pool2d_grad`, which adds, and not of `max_unpool2d`, which drops all but one.

    Parameters
    ----------
    dx : (N, C, H, W) or (H, W) array of real numbers
    indices : (N, C, H', W') or (H', W') array of int

    Returns
    -------
    array of the shape of `indices` and the type of `dx`

    Raises
    ------
    TypeError, ValueError
        When batches or channels differ, or an index is no int or lies outside of the plane.

    Examples
    --------
    >>> max_unpool2d_grad([[9, 8, 7], [6, 5, 4]], [[1, 5]])
    array([[8, 4]])
    """
    dx, is_plane = images("dx", dx)
    N, C, H, W = dx.shape
    indices = numbers("indices", indices, ranks=(2, 4))
    if indices.ndim != (2 if is_plane else 4) or not is_plane and indices.shape[:2] != (N, C):
        expected = "two axes" if is_plane else f"shape ({N}, {C}, …)"
        raise ValueError(f"indices: expected {expected}, as dx has, got shape {indices.shape}")
    places = _in_plane(indices, H, W).reshape(N, C, *indices.shape[-2:])
    return dx.ravel()[_flat(places, H * W)].reshape(indices.shape)


def avg_pool2d(
    x: ArrayLike,
    kernel_size: Size,
    stride: Size | None = None,
    *,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> NDArray[Any]:
    """The mean of each window, as `torch.nn.functional.avg_pool2d` does. A linear map: the same for every image.

    Parameters
    ----------
    x : (N, C, H, W) or (H, W) array of real numbers
    kernel_size, stride, padding, ceil_mode
        As for `max_pool2d`; the padding is zeros here.
    count_include_pad : bool
        Whether the zeros of the padding count as numbers of the window. What `ceil_mode` adds behind them never counts.

    Returns
    -------
    (N, C, H', W') or (H', W') array
        Floats keep their precision; integers and booleans become float64.

    Raises
    ------
    TypeError, ValueError
        As `max_pool2d`.

    References
    ----------
    Lesson 05.

    Examples
    --------
    >>> avg_pool2d([[1, 9, 2, 3], [4, 5, 8, 6]], 2)
    array([[4.75, 4.75]])
    """
    x, is_plane = images("x", x)
    rows, columns = _axes(x.shape[2:], kernel_size, stride, padding, 1, ceil_mode)
    x = x.astype(_mean_dtype(x), copy=False)
    windows = _windows(x, rows, columns, 0)
    y = np.zeros((*x.shape[:2], rows.windows, columns.windows), x.dtype)
    for u, v in np.ndindex(rows.kernel, columns.kernel):
        y += windows[:, :, u, v]
    y /= _counts(rows, columns, count_include_pad).astype(y.dtype)
    return y[0, 0] if is_plane else y


def avg_pool2d_grad(
    dy: ArrayLike,
    kernel_size: Size,
    size: Size,
    *,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> NDArray[Any]:
    """The adjoint of `avg_pool2d`: share each number equally among the cells of its window.

    Parameters
    ----------
    dy : (N, C, H', W') or (H', W') array of real numbers
    kernel_size : int or pair of ints
    size : int or pair of ints (H, W)
        Height and width of the image that was pooled.
    stride, padding, ceil_mode, count_include_pad
        As `avg_pool2d` was given them.

    Returns
    -------
    (N, C, H, W) or (H, W) array
        Floats keep their precision; integers and booleans become float64.

    Raises
    ------
    TypeError, ValueError
        As `avg_pool2d`; also when `dy` is not of the shape that `avg_pool2d` gives for this `size`.
    """
    dy, is_plane = images("dy", dy)
    (H, W), N, C = pair("size", size, least=1), *dy.shape[:2]
    rows, columns = _axes((H, W), kernel_size, stride, padding, 1, ceil_mode)
    expect_shape("dy", dy, (N, C, rows.windows, columns.windows), is_plane)
    dtype = _mean_dtype(dy)
    share = dy.astype(dtype, copy=False) / _counts(rows, columns, count_include_pad).astype(dtype)
    dx = _padded(np.zeros((N, C, H, W), dtype), rows, columns, 0)
    windows = sliding_windows(dx, (rows.kernel, columns.kernel), (rows.stride, columns.stride), 0, 1)
    for u, v in np.ndindex(rows.kernel, columns.kernel):  # windows may overlap, the places of one tap never do
        windows[:, :, u, v] += share
    dx = dx[:, :, rows.padding : rows.padding + H, columns.padding : columns.padding + W]
    return dx[0, 0] if is_plane else dx


def pooled_size(
    size: int, kernel: int, stride: int | None = None, padding: int = 0, dilation: int = 1, ceil_mode: bool = False
) -> int:
    """How many windows a pooling has along one side.

    As `convolution.output_size`, which drops cells that fill no window. With `ceil_mode` one more window takes them in,
    if it starts inside the image or the padding before it.

    Raises
    ------
    TypeError, ValueError
        When a number is out of its range, the padding larger than half of the kernel, or not even one window fits.

    References
    ----------
    Lesson 05.

    Examples
    --------
    >>> pooled_size(4, 2), pooled_size(5, 2), pooled_size(5, 2, ceil_mode=True)
    (2, 2, 3)
    """
    size, kernel = whole("size", size, 1), whole("kernel_size", kernel, 1)
    stride = kernel if stride is None else whole("stride", stride, 1)
    padding, dilation = whole("padding", padding, 0), whole("dilation", dilation, 1)
    if padding > kernel // 2:
        raise ValueError(
            f"padding: expected at most {kernel // 2}, half of the kernel of {kernel}, got {padding}; "
            "with more, a window could lie in the padding alone and hold no number"
        )
    span = dilation * (kernel - 1) + 1
    room = size + 2 * padding - span
    windows = -(-room // stride) + 1 if ceil_mode else room // stride + 1
    if ceil_mode and (windows - 1) * stride >= size + padding:
        windows -= 1
    if windows < 1:
        raise ValueError(
            f"kernel_size: a kernel of {kernel} with dilation {dilation} spans {span} pixels and does not fit into "
            f"{size + 2 * padding} ({size} and twice the padding of {padding}); take a smaller kernel or a larger image"
        )
    return windows


class _Axis(NamedTuple):
    """One side of an image, and the windows along it."""

    size: int
    kernel: int
    stride: int
    padding: int
    dilation: int
    windows: int

    def starts(self) -> NDArray[np.int64]:
        """Where each window begins; in the padding, it is negative."""
        return np.arange(self.windows) * self.stride - self.padding

    def first_taps(self) -> NDArray[np.int64]:
        """The first tap of each window that lies in the image."""
        first = np.maximum(0, -(self.starts() // self.dilation))
        if (self.starts() + first * self.dilation >= self.size).any():
            raise ValueError(
                f"dilation: with {self.dilation} and a padding of {self.padding}, the taps of a window step over all "
                f"{self.size} pixels and meet padding alone; take a smaller dilation or no padding"
            )
        return first

    def reach(self) -> int:
        """Past the last cell of the last window, counted from the start of the padding."""
        return (self.windows - 1) * self.stride + self.dilation * (self.kernel - 1) + 1

    def counts(self, count_include_pad: bool) -> NDArray[np.int64]:
        """How many cells each window averages."""
        low, high = (-self.padding, self.size + self.padding) if count_include_pad else (0, self.size)
        return np.minimum(self.starts() + self.kernel, high) - np.maximum(self.starts(), low)


def _axes(
    size: tuple[int, ...], kernel_size: Size, stride: Size | None, padding: Size, dilation: Size, ceil_mode: bool
) -> tuple[_Axis, _Axis]:
    """Rows and columns."""
    kernel = pair("kernel_size", kernel_size, least=1)
    settings = zip(
        size,
        kernel,
        kernel if stride is None else pair("stride", stride, least=1),
        pair("padding", padding, least=0),
        pair("dilation", dilation, least=1),
        strict=True,
    )
    rows, columns = (_Axis(*side, pooled_size(*side, ceil_mode)) for side in settings)
    return rows, columns


def _windows(x: NDArray[Any], rows: _Axis, columns: _Axis, fill: Any) -> NDArray[Any]:
    """Every window, as `convolution.sliding_windows` gives them; what lies outside of the image is `fill`."""
    kernel, stride, dilation = ((getattr(rows, f), getattr(columns, f)) for f in ("kernel", "stride", "dilation"))
    return sliding_windows(_padded(x, rows, columns, fill), kernel, stride, 0, dilation)


def _padded(x: NDArray[Any], rows: _Axis, columns: _Axis, fill: Any) -> NDArray[Any]:
    """The images with all that the windows reach; as they are, if that is nothing more."""
    ring = [(side.padding, max(0, side.reach() - side.size - side.padding)) for side in (rows, columns)]
    return np.pad(x, [(0, 0), (0, 0), *ring], constant_values=fill) if np.any(ring) else x


def _counts(rows: _Axis, columns: _Axis, count_include_pad: bool) -> NDArray[np.int64]:
    return np.outer(rows.counts(count_include_pad), columns.counts(count_include_pad))


def _least(dtype: np.dtype[Any]) -> Any:
    """What never wins: the least number of a type."""
    return {"f": -np.inf, "b": False}[dtype.kind] if dtype.kind in "fb" else np.iinfo(dtype).min


def _mean_dtype(array: NDArray[Any]) -> np.dtype[Any]:
    """Floats as they are; a mean of integers is seldom one."""
    return array.dtype if array.dtype.kind == "f" else np.dtype(np.float64)


def _places(
    indices: ArrayLike, y: NDArray[Any], is_plane: bool, size: Size
) -> tuple[NDArray[np.int64], tuple[int, int]]:
    """The indices that belong to `y`, and the plane's height and width that they lie in."""
    indices = numbers("indices", indices, ranks=(2, 4))
    shape = y.shape[2:] if is_plane else y.shape
    if indices.shape != shape:
        raise ValueError(f"indices: expected shape {shape}, one index for each number, got {indices.shape}")
    H, W = pair("size", size, least=1)
    return _in_plane(indices, H, W).reshape(y.shape), (H, W)


def _flat(indices: NDArray[np.int64], plane: int) -> NDArray[np.int64]:
    """Indices into planes of so many numbers as indices into all of them, one after the other."""
    N, C = indices.shape[:2]
    return (indices + np.arange(N * C).reshape(N, C, 1, 1) * plane).ravel()


def _in_plane(indices: NDArray[Any], H: int, W: int) -> NDArray[np.int64]:
    """The indices, if they are places of an H×W plane."""
    if indices.dtype.kind not in "iu":
        raise TypeError(f"indices: expected ints, as max_pool2d gives them, got type {indices.dtype}")
    if indices.size and not 0 <= indices.min() <= indices.max() < H * W:
        worst = indices.max() if indices.max() >= H * W else indices.min()
        raise ValueError(
            f"indices: {worst} is no place of a {H}×{W} plane, which has 0 to {H * W - 1}; give the height and width "
            f"of the image that was pooled: if both were odd, pass size=({H + 1}, {W + 1})"
        )
    return indices.astype(np.int64, copy=False)
