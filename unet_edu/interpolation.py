"""Interpolation and its adjoint, in NumPy. Lesson 03.

Interpolation makes an image larger or smaller by a rule. Each output pixel looks at one place of the input, its source
coordinate, and takes a weighted mean of the pixels around it: nearest takes 1 pixel, bilinear 2×2, bicubic 4×4.

The weights of a row do not depend on those of a column, so along each side interpolation is one matrix, and

    y = B_H x B_Wᵀ        the adjoint:  B_Hᵀ y B_W

The numbers in B follow from the two sizes alone: there is nothing to learn. No such matrix is multiplied here: its rows
have 1, 2 or 4 numbers each, the taps, so `interpolate` gathers along them and `interpolate_grad` adds back along them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unet_edu._arguments import Size, dtype_of, expect_shape, images, pair, whole
from unet_edu._bands import slices

__all__ = [
    "MODES",
    "axis_matrix",
    "bed_of_nails",
    "bed_of_nails_grad",
    "bicubic_kernel",
    "bilinear_kernel",
    "interpolate",
    "interpolate_grad",
    "interpolate_loops",
    "nearest_kernel",
    "nearest_loops",
    "source_coordinates",
]

MODES = ("nearest", "bilinear", "bicubic")

# Bytes of output made at a time: what is read again for the next tap is then still in a processor's cache.
BAND_BYTES = 1 << 20


class _Taps(NamedTuple):
    """What each output along one side takes: `weight[t, i]` of the input pixel `pixels[t, i]`, added up over t."""

    pixels: NDArray[np.intp]
    weight: NDArray[np.float64]


def interpolate_loops(x: NDArray[Any], size: tuple[int, int]) -> NDArray[np.float64]:
    """Bilinear interpolation of one plane: the definition itself, as lesson 03 teaches it.

    Parameters
    ----------
    x : (H, W) array
    size : (H', W')

    Returns
    -------
    (H', W') array of float64
    """
    y, (H, W) = np.zeros(size), x.shape
    for i, j in np.ndindex(size):
        # the place that this output looks at, kept inside the image
        row = np.clip((i + 0.5) * H / size[0] - 0.5, 0, H - 1)
        column = np.clip((j + 0.5) * W / size[1] - 0.5, 0, W - 1)
        for u, v in np.ndindex(x.shape):
            # full weight where a pixel lies at that place, none at a distance of 1
            y[i, j] += max(1 - abs(row - u), 0) * max(1 - abs(column - v), 0) * x[u, v]
    return y


def nearest_loops(x: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """Nearest interpolation of one plane: the definition itself, as lesson 03 teaches it.

    Parameters
    ----------
    x : (H, W) array
    size : (H', W')

    Returns
    -------
    (H', W') array of the type of `x`
    """
    y = np.zeros(size, x.dtype)
    for i, j in np.ndindex(size):
        y[i, j] = x[i * x.shape[0] // size[0], j * x.shape[1] // size[1]]  # // rounds down
    return y


def interpolate(x: ArrayLike, size: Size, *, mode: str = "bilinear", align_corners: bool = False) -> NDArray[Any]:
    """Make images larger or smaller, as `torch.nn.functional.interpolate(x, size, mode=…)` does.

    `interpolate_loops` says what bilinear is. Here rows and columns come in turn, and only the taps are read.

    Parameters
    ----------
    x : (N, C, H, W) or (H, W) array of real numbers
    size : int or pair of ints
        Height and width of the output, ≥ 1, larger or smaller. Nothing is smoothed before an image is made smaller.
    mode : "nearest", "bilinear" or "bicubic"
        Bicubic is cubic convolution with a = −0.75; it can go below the smallest and above the largest pixel.
    align_corners : bool
        Which places of the input the outputs look at: see `source_coordinates`. Nearest knows only False.

    Returns
    -------
    (N, C, H', W') or (H', W') array
        Nearest only copies, so it keeps the type, and the class ids of a mask stay class ids. The others keep the
        precision of floats; from integers and booleans they make float64.

    Raises
    ------
    TypeError
        When `x` does not hold real numbers, or a size is not an int.
    ValueError
        When the rank of `x`, a size or the mode is none of the above.

    References
    ----------
    Keys (1981), "Cubic convolution interpolation for digital image processing", section II. Lesson 03, exercises
    `up_nearest` and `up_bilinear`.

    Examples
    --------
    >>> interpolate([[0, 1, 2, 3]], (1, 8))
    array([[0.  , 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3.  ]])
    >>> interpolate([[0, 1, 2, 3]], (1, 8), mode="nearest")
    array([[0, 0, 1, 1, 2, 2, 3, 3]])
    """
    x, is_plane = images("x", x)
    H_out, W_out = pair("size", size, least=1)
    rows = _taps(x.shape[2], H_out, mode, align_corners)
    columns = _taps(x.shape[3], W_out, mode, align_corners)
    dtype = x.dtype if mode == "nearest" or x.dtype.kind == "f" else np.dtype(np.float64)
    planes = x.reshape(x.shape[0] * x.shape[1], *x.shape[2:])
    y = np.empty((len(planes), H_out, W_out), dtype)
    for band in slices(len(planes), max(x.shape[2], H_out) * W_out * dtype.itemsize, BAND_BYTES):
        y[band] = _gather(_gather(planes[band].astype(dtype, copy=False), columns, axis=2), rows, axis=1)
    return y[0] if is_plane else y.reshape(*x.shape[:2], H_out, W_out)


def interpolate_grad(dy: ArrayLike, size: Size, *, mode: str = "bilinear", align_corners: bool = False) -> NDArray[Any]:
    """The adjoint of `interpolate`: send each output number back to the pixels it came from, with the same weights.

    Parameters
    ----------
    dy : (N, C, H', W') or (H', W') array
        The gradient of a loss with respect to the output.
    size : int or pair of ints (H, W)
        Height and width of the input of `interpolate`.
    mode, align_corners
        As `interpolate` was given them.

    Returns
    -------
    (N, C, H, W) or (H, W) array
        Floats keep their precision. Integers and booleans become int64 with nearest, which only adds, else float64.

    Raises
    ------
    TypeError, ValueError
        As `interpolate`.

    Examples
    --------
    >>> interpolate_grad([[1, 1, 1, 1, 1, 1, 1, 1]], (1, 4))
    array([[2., 2., 2., 2.]])
    """
    dy, is_plane = images("dy", dy)
    H, W = pair("size", size, least=1)
    rows = _taps(H, dy.shape[2], mode, align_corners)
    columns = _taps(W, dy.shape[3], mode, align_corners)
    dtype = dtype_of(dy) if mode == "nearest" or dy.dtype.kind == "f" else np.dtype(np.float64)
    planes = dy.reshape(dy.shape[0] * dy.shape[1], *dy.shape[2:])
    dx = np.empty((len(planes), H, W), dtype)
    for band in slices(len(planes), max(H, dy.shape[2]) * dy.shape[3] * dtype.itemsize, BAND_BYTES):
        dx[band] = _scatter(_scatter(planes[band].astype(dtype, copy=False), rows, H, axis=1), columns, W, axis=2)
    return dx[0] if is_plane else dx.reshape(*dy.shape[:2], H, W)


def bed_of_nails(x: ArrayLike, stride: Size) -> NDArray[Any]:
    """Put each pixel into the top left corner of its own block of zeros.

    Parameters
    ----------
    x : (N, C, H, W) or (H, W) array of real numbers
    stride : int or pair of ints
        Height and width of a block.

    Returns
    -------
    (N, C, H·stride, W·stride) or (H·stride, W·stride) array of the type of `x`

    Raises
    ------
    TypeError, ValueError
        When `x` or `stride` is none of the above.

    References
    ----------
    Lessons 03 and 05: max unpooling is a bed of nails that remembers where each pixel stood.

    Examples
    --------
    >>> bed_of_nails([[1, 2]], 2)
    array([[1, 0, 2, 0],
           [0, 0, 0, 0]])
    """
    x, is_plane = images("x", x)
    s_h, s_w = pair("stride", stride, least=1)
    N, C, H, W = x.shape
    y = np.zeros((N, C, H * s_h, W * s_w), x.dtype)
    y[:, :, ::s_h, ::s_w] = x
    return y[0, 0] if is_plane else y


def bed_of_nails_grad(dy: ArrayLike, stride: Size) -> NDArray[Any]:
    """The adjoint of `bed_of_nails`: take the top left pixel of each block, and nothing of the others.

    Parameters
    ----------
    dy : (N, C, H·stride, W·stride) or (H·stride, W·stride) array
    stride : int or pair of ints

    Returns
    -------
    (N, C, H, W) or (H, W) array of the type of `dy`

    Raises
    ------
    TypeError, ValueError
        As `bed_of_nails`; also when the blocks do not fill `dy`.
    """
    dy, is_plane = images("dy", dy)
    s_h, s_w = pair("stride", stride, least=1)
    dx = dy[:, :, ::s_h, ::s_w].copy()
    expect_shape("dy", dy, (*dx.shape[:2], dx.shape[2] * s_h, dx.shape[3] * s_w), is_plane)
    return dx[0, 0] if is_plane else dx


def source_coordinates(
    size: int, out_size: int, *, mode: str = "bilinear", align_corners: bool = False
) -> NDArray[np.float64]:
    """Where along one side each output looks, in pixels of the input; whole numbers are the centres of pixels.

    - Bilinear and bicubic take a pixel to be a small square and lay the two images edge on edge:
      (i + 0.5)·size/out_size − 0.5.
    - With `align_corners` they lay the centres of first and last pixel on each other: i·(size − 1)/(out_size − 1).
    - Nearest measures from the edge and rounds down: it copies pixel ⌊i·size/out_size⌋. Here it is i·size/out_size.

    The first can lie outside: −0.25 where an image becomes twice as large. `interpolate` then repeats the border.

    Parameters
    ----------
    size, out_size : int
        Pixels of the input and of the output along this side.
    mode, align_corners
        As for `interpolate`.

    Returns
    -------
    (out_size,) array of float64

    Raises
    ------
    TypeError, ValueError
        As `interpolate`.

    Examples
    --------
    >>> source_coordinates(4, 8).tolist()
    [-0.25, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3.25]
    >>> source_coordinates(4, 7, align_corners=True).tolist()
    [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0]
    """
    size, out_size = whole("size", size, 1), whole("out_size", out_size, 1)
    _expect_mode(mode, align_corners)
    i = np.arange(out_size, dtype=np.float64)
    if mode == "nearest":
        return i * size / out_size
    if align_corners:
        return i * ((size - 1) / max(out_size - 1, 1))
    return (i + 0.5) * (size / out_size) - 0.5


def axis_matrix(
    size: int, out_size: int, *, mode: str = "bilinear", align_corners: bool = False
) -> NDArray[np.float64]:
    """Interpolation along one side as a matrix B: `interpolate` is B_H @ x @ B_W.T.

    Row i holds the weights of output i, and they add up to 1. Column j holds what input j gives, and to whom: it is
    what the adjoint reads. For an image flattened row by row, the one matrix of both sides is `np.kron(B_H, B_W)`.

    Parameters
    ----------
    size, out_size : int
        Pixels of the input and of the output along this side.
    mode, align_corners
        As for `interpolate`.

    Returns
    -------
    (out_size, size) array of float64

    Raises
    ------
    TypeError, ValueError
        As `interpolate`.

    References
    ----------
    Lesson 03, section 5.

    Examples
    --------
    >>> axis_matrix(2, 4)
    array([[1.  , 0.  ],
           [0.75, 0.25],
           [0.25, 0.75],
           [0.  , 1.  ]])
    """
    size, out_size = whole("size", size, 1), whole("out_size", out_size, 1)
    B = np.zeros((out_size, size))
    for pixels, weight in zip(*_taps(size, out_size, mode, align_corners), strict=True):
        B[np.arange(out_size), pixels] += weight  # at a border several taps are the same pixel
    return B


def nearest_kernel(scale: Size) -> NDArray[np.float64]:
    """The kernel with which a transposed convolution does what nearest does: a block of ones.

    With `stride=scale` the blocks lie side by side, and the result is equal everywhere.

    Parameters
    ----------
    scale : int or pair of ints
        How many times larger the image becomes, in rows and in columns.

    Returns
    -------
    (scale, scale) array of float64

    Examples
    --------
    >>> nearest_kernel((1, 2))
    array([[1., 1.]])
    """
    return np.ones(pair("scale", scale, least=1))


def bilinear_kernel(scale: Size) -> NDArray[np.float64]:
    """The kernel with which a transposed convolution does what bilinear does: a tent.

    The transposed convolution has `stride=scale` and `padding=(k − scale) / 2`, where k is the side of the kernel.
    Inside it is equal to `interpolate` with `align_corners=False`. At the border it is not, and both are right: where
    interpolation repeats the last pixel, a transposed convolution finds nothing to add, as if a ring of zeros lay
    around the image. So its outermost scale // 2 rows and columns are darker. (With `align_corners=True` the weights
    change from pixel to pixel, so no one kernel can do it.)

    Parameters
    ----------
    scale : int or pair of ints
        How many times larger the image becomes, in rows and in columns.

    Returns
    -------
    (k, k) array of float64
        k = 2·scale, or 2·scale − 1 where scale is odd. All weights are positive.

    References
    ----------
    Long, Shelhamer and Darrell (2015), "Fully convolutional networks for semantic segmentation": section 4.2 starts
    its learned upsampling from this kernel. Lesson 03, exercise `bilinear_kernel`.

    Examples
    --------
    >>> bilinear_kernel((1, 2))
    array([[0.25, 0.75, 0.75, 0.25]])
    """
    s_h, s_w = pair("scale", scale, least=1)
    return _profile(s_h, _tent, 1)[:, None] * _profile(s_w, _tent, 1)


def bicubic_kernel(scale: Size) -> NDArray[np.float64]:
    """The kernel with which a transposed convolution does what bicubic does: a peak in a shallow ditch.

    Stride and padding as for `bilinear_kernel`, and the same is true: equal inside, while the outermost 3·scale // 2
    rows and columns miss the repeated border.

    Parameters
    ----------
    scale : int or pair of ints

    Returns
    -------
    (k, k) array of float64
        k = 4·scale, or 4·scale − 1 where scale is odd. Some weights are negative, unless scale is 1.
    """
    s_h, s_w = pair("scale", scale, least=1)
    return _profile(s_h, _cubic, 2)[:, None] * _profile(s_w, _cubic, 2)


def _tent(distance: NDArray[Any]) -> NDArray[Any]:
    """The weight of a pixel at this distance from the source coordinate: 1 at 0, 0 from 1 on."""
    return np.maximum(1 - np.abs(distance), 0)


def _cubic(distance: NDArray[Any]) -> NDArray[Any]:
    """Keys (1981), equations 4 to 8 with a = −0.75, as in PyTorch and OpenCV: 1 at 0, 0 at 1 and 2, negative between.

    No tap is farther away than 2.
    """
    a, d = -0.75, np.abs(distance)
    near = ((a + 2) * d - (a + 3)) * d * d + 1
    far = ((d - 5) * d + 8) * d * a - 4 * a
    return np.where(d <= 1, near, far)


def _taps(size: int, out_size: int, mode: str, align_corners: bool) -> _Taps:
    """The taps of each output, leftmost first."""
    source = source_coordinates(size, out_size, mode=mode, align_corners=align_corners)
    if mode == "nearest":
        pixels = np.arange(out_size) * size // out_size  # in whole numbers, so that nothing is rounded the wrong way
        return _Taps(pixels[None], np.ones((1, out_size)))
    weigh, reach = (_tent, 1) if mode == "bilinear" else (_cubic, 2)
    pixels = np.floor(source).astype(np.intp) + np.arange(1 - reach, reach + 1)[:, None]
    return _Taps(np.clip(pixels, 0, size - 1), weigh(source - pixels))  # clip: the border is repeated


def _gather(x: NDArray[Any], taps: _Taps, axis: int) -> NDArray[Any]:
    """B x along one axis of (planes, rows, columns)."""
    weights = taps.weight.astype(x.dtype)
    weights = weights[..., None] if axis == 1 else weights  # in the shape that multiplies this axis
    parts = (x.take(pixels, axis) * weight for pixels, weight in zip(taps.pixels, weights, strict=True))
    y = next(parts)
    for part in parts:
        y += part
    return y


def _scatter(dy: NDArray[Any], taps: _Taps, size: int, axis: int) -> NDArray[Any]:
    """Bᵀ dy along one axis of (planes, rows, columns)."""
    dx = np.zeros((*dy.shape[:axis], size, *dy.shape[axis + 1 :]), dy.dtype)
    weights = taps.weight.astype(dy.dtype).ravel()
    order = np.argsort(taps.pixels, axis=None, kind="stable")  # all that goes to one pixel stands together
    pixels = taps.pixels.ravel()[order]
    turn = np.arange(len(order)) - np.searchsorted(pixels, pixels)
    for now in range(turn.max() + 1):  # each turn brings a pixel one number at most, so that `+=` loses none
        here, taken = pixels[turn == now], order[turn == now]
        weight = weights[taken][:, None] if axis == 1 else weights[taken]
        part = dy.take(taken % dy.shape[axis], axis) * weight
        if len(here) == size:  # every pixel once, in order: ten times faster than picking them
            dx += part
        else:
            dx[(slice(None),) * axis + (here,)] += part
    return dx


def _profile(scale: int, weigh: Callable[[NDArray[Any]], NDArray[Any]], reach: int) -> NDArray[np.float64]:
    """One side of a kernel: the weight of a pixel for each output that it feeds, from its left to its right."""
    length = 2 * reach * scale - scale % 2
    return weigh((np.arange(length) - (length - 1) / 2) / scale)


def _expect_mode(mode: str, align_corners: bool) -> None:
    if mode not in MODES:
        raise ValueError(f"mode: expected one of {', '.join(map(repr, MODES))}, got {mode!r}")
    if mode == "nearest" and align_corners:
        raise ValueError('align_corners: mode "nearest" knows only False; leave it out')
