"""Transposed convolution, three ways, in NumPy. Lesson 04.

A convolution gathers: many input numbers become one output number. A transposed convolution goes back along the same
multiplications: one input number becomes many. Each pixel of `x` stamps the kernel `w`, as strongly as the pixel's own
value, onto a larger image, and where stamps overlap they add up:

    y[n, o, i·stride + u·dilation − padding, j·stride + v·dilation − padding]  collects  x[n, c, i, j] · w[c, o, u, v]

for all c, i, j, u, v; what falls outside of y is lost. If A is the matrix of the convolution from y's size to x's size,
then this is Aᵀ: it has the shape of an inverse, and it is not one. Its adjoint is that convolution, A itself. So its
gradients stand in `convolution`, with image and gradient in exchanged places:

- with respect to `x`: `conv2d(dy, w, …)`
- with respect to `w`: `conv2d_grad_weight(x, dy, kernel_size, …)`
- with respect to `bias`: `conv2d_grad_bias(dy)`
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unet_edu._arguments import Size, biases, dtype_of, images, images_and_kernels, pair, whole
from unet_edu.convolution import conv2d, conv2d_grad_input

__all__ = [
    "conv_transpose2d",
    "conv_transpose2d_by_matrix",
    "conv_transpose2d_by_zeros",
    "conv_transpose2d_loops",
    "insert_zeros",
    "overlap_count",
    "transposed_size",
]


def conv_transpose2d_loops(small: NDArray[Any], w: NDArray[Any], stride: int = 1) -> NDArray[Any]:
    """Stamp one kernel for each pixel of one plane and add up: the definition itself, as lesson 04 teaches it.

    Parameters
    ----------
    small : (H, W) array
        Not bytes: products of uint8 numbers wrap around at 256.
    w : (kH, kW) array
    stride : int
        How far apart neighbouring pixels stamp.

    Returns
    -------
    ((H − 1)·stride + kH, (W − 1)·stride + kW) array of float64
    """
    H, W = small.shape
    kH, kW = w.shape
    large = np.zeros(((H - 1) * stride + kH, (W - 1) * stride + kW))
    for i, j in np.ndindex(H, W):
        large[i * stride : i * stride + kH, j * stride : j * stride + kW] += small[i, j] * w
    return large


def conv_transpose2d(
    x: ArrayLike,
    w: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    dilation: Size = 1,
) -> NDArray[Any]:
    """Transposed convolution, as `torch.nn.functional.conv_transpose2d` does it: all stamps of one tap at a time.

    Parameters
    ----------
    x : (N, C_in, H, W) or (H, W) array of real numbers
        A batch of images, or one plane.
    w : (C_in, C_out, kH, kW) array, or (kH, kW) with a plane
        The input channels come first: the array of the convolution from C_out to C_in channels that is transposed.
    bias : (C_out,) array, or one number with a plane, optional
        Added once to each output channel.
    stride : int or pair of ints (rows, columns), ≥ 1
        The step between stamps. This is what makes the image larger.
    padding : int or pair of ints, ≥ 0
        How many rows and columns to cut off on each side: where the convolution had zeros, whose gradient nobody needs.
    output_padding : int or pair of ints, ≥ 0 and less than the stride
        How many rows and columns to cut off less, at the bottom and on the right. `stride` image sizes shrink to one
        and the same size; this says to which of them to return. (PyTorch also takes numbers from the stride up to the
        dilation. Then the result is no transposed convolution any more, and here it is an error.)
    dilation : int or pair of ints, ≥ 1
        The distance between the kernel's taps.

    Returns
    -------
    (N, C_out, H', W') or (H', W') array
        With sizes as `transposed_size` gives them. Floats keep their precision; integers and booleans become int64
        (uint64: float64).

    Raises
    ------
    TypeError
        When an argument does not hold real numbers, or a stride is not an int.
    ValueError
        When ranks or channels do not match, `output_padding` is too large, or the padding cuts off everything.

    References
    ----------
    Dumoulin and Visin (2016), "A guide to convolution arithmetic for deep learning", section 4. Long, Shelhamer and
    Darrell (2015), "Fully convolutional networks for semantic segmentation", section 3.3. Lesson 04, exercise
    `tconv2d_scatter`.

    Examples
    --------
    >>> conv_transpose2d([[2, 1], [4, 4]], [[1, 4, 1], [1, 4, 3], [3, 3, 1]])
    array([[ 2,  9,  6,  1],
           [ 6, 29, 30,  7],
           [10, 29, 33, 13],
           [12, 24, 16,  4]])
    """
    it = _read(x, w, stride, padding, output_padding, dilation)
    added = 0 if bias is None else biases(bias, it.w.shape[1], it.is_plane)
    x = it.x.astype(dtype_of(it.x, it.w, added), copy=False)
    y = conv2d_grad_input(x, it.w, it.size, **it.geometry)
    if bias is not None:
        y += np.reshape(added, (-1, 1, 1))
    return y[0, 0] if it.is_plane else y


def conv_transpose2d_by_zeros(
    x: ArrayLike,
    w: ArrayLike,
    *,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    dilation: Size = 1,
) -> NDArray[Any]:
    """The same as `conv_transpose2d`, as a convolution: zeros between and around the pixels, and the kernel flipped.

    It multiplies mostly with zeros, about stride² times as much work as the stamps. It is here to be understood: a
    layer that is called transposed is a convolution with stride 1 over an image with holes.

    Parameters and errors are those of `conv_transpose2d`, without bias.

    Returns
    -------
    (N, C_out, H', W') or (H', W') array

    References
    ----------
    Dumoulin and Visin (2016), relationships 8 to 14. Lesson 04.
    """
    it = _read(x, w, stride, padding, output_padding, dilation)
    (pad_h, pad_w), (more_h, more_w) = it.geometry["padding"], pair("output_padding", output_padding, least=0)
    # a window that reaches one pixel of the image with its last tap, on each side
    reach_h, reach_w = (d * (k - 1) for d, k in zip(it.geometry["dilation"], it.w.shape[2:], strict=True))
    stretched = insert_zeros(it.x, it.geometry["stride"])
    around = np.pad(stretched, ((0, 0), (0, 0), (reach_h, reach_h + more_h), (reach_w, reach_w + more_w)))
    flipped = it.w[:, :, ::-1, ::-1].swapaxes(0, 1)
    y = conv2d(around, flipped, dilation=it.geometry["dilation"])
    y = y[:, :, pad_h : pad_h + it.size[0], pad_w : pad_w + it.size[1]]
    return y[0, 0] if it.is_plane else y


def conv_transpose2d_by_matrix(
    x: ArrayLike,
    w: ArrayLike,
    *,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    dilation: Size = 1,
) -> NDArray[Any]:
    """The same as `conv_transpose2d`, as Aᵀ x: flatten, multiply with the transposed convolution matrix, reshape.

    Parameters and errors are those of `conv_transpose2d`, without bias.

    Returns
    -------
    (N, C_out, H', W') or (H', W') array

    References
    ----------
    Dumoulin and Visin (2016), section 4.1. Lesson 04, exercise `tconv_matrix`.
    """
    it = _read(x, w, stride, padding, output_padding, dilation)
    from unet_edu.matrix import conv2d_matrix  # not at the top: that module brings SciPy, and a check needs none of it

    A = conv2d_matrix(it.w, it.size, **it.geometry, sparse=True)
    columns = it.x.reshape(len(it.x), A.shape[0]).T  # one flattened image a column
    y = (A.T @ columns).T.reshape(len(it.x), it.w.shape[1], *it.size)
    y = y.astype(dtype_of(it.x, it.w), copy=False)  # SciPy knows no float16, and makes float64 of float32 and int8
    return y[0, 0] if it.is_plane else y


def insert_zeros(x: ArrayLike, stride: Size) -> NDArray[Any]:
    """Pull the pixels apart: `stride − 1` zeros between neighbours, none outside.

    Parameters
    ----------
    x : (N, C, H, W) or (H, W) array
    stride : int or pair of ints (rows, columns)

    Returns
    -------
    (N, C, (H − 1)·stride + 1, (W − 1)·stride + 1) or ((H − 1)·stride + 1, (W − 1)·stride + 1) array
        Of the type of `x`.

    Raises
    ------
    TypeError, ValueError
        When `x` is not of real numbers with 2 or 4 axes, or the stride is not a positive int or a pair of them.

    Examples
    --------
    >>> insert_zeros([[1, 2], [3, 4]], 2)
    array([[1, 0, 2],
           [0, 0, 0],
           [3, 0, 4]])
    """
    x, is_plane = images("x", x)
    s_h, s_w = pair("stride", stride, least=1)
    N, C, H, W = x.shape
    y = np.zeros((N, C, (H - 1) * s_h + 1, (W - 1) * s_w + 1), x.dtype)
    y[:, :, ::s_h, ::s_w] = x
    return y[0, 0] if is_plane else y


def transposed_size(
    size: int, kernel: int, stride: int = 1, padding: int = 0, output_padding: int = 0, dilation: int = 1
) -> int:
    """How long one side becomes: (size − 1)·stride + dilation·(kernel − 1) + 1 − 2·padding + output_padding.

    The stamps start `stride` apart and the last one is as long as the kernel; padding cuts off both ends. A convolution
    with the same settings brings an image of this size back to `size`.

    Raises
    ------
    TypeError
        When an argument is not an int.
    ValueError
        When `output_padding` is not less than the stride, or the padding cuts off everything.

    References
    ----------
    Dumoulin and Visin (2016), relationships 8 to 14. Lesson 04, exercise `tconv_size`.

    Examples
    --------
    >>> transposed_size(28, 2, stride=2)  # the U-Net's way up
    56
    >>> [transposed_size(6, 5, stride=3, padding=2, output_padding=more) for more in (0, 1, 2)]
    [16, 17, 18]
    """
    size, kernel = whole("size", size, 1), whole("kernel", kernel, 1)
    stride, padding, dilation = whole("stride", stride, 1), whole("padding", padding, 0), whole("dilation", dilation, 1)
    output_padding = whole("output_padding", output_padding, 0)
    if output_padding >= stride:
        raise ValueError(
            f"output_padding: expected less than the stride of {stride}, got {output_padding}; it chooses among the "
            f"{stride} sizes that a convolution with this stride brings to {size}"
        )
    covered = (size - 1) * stride + dilation * (kernel - 1) + 1
    if covered + output_padding <= 2 * padding:
        raise ValueError(
            f"padding: the stamps cover {covered} pixels, and cutting {padding} from each end leaves nothing; "
            "take a smaller padding, or a larger kernel or stride"
        )
    return covered - 2 * padding + output_padding


def overlap_count(
    size: int, kernel: int, stride: int = 1, padding: int = 0, output_padding: int = 0, dilation: int = 1
) -> NDArray[np.int64]:
    """How many stamps fall on each output pixel along one side. Where neighbours differ, checkerboards begin.

    In two directions the counts multiply: `np.outer(rows, columns)`. Inside they are equal if stride divides kernel.

    Returns
    -------
    (transposed_size(…),) array of int64

    Raises
    ------
    TypeError, ValueError
        As `transposed_size`.

    References
    ----------
    Odena, Dumoulin and Olah (2016), "Deconvolution and checkerboard artifacts", Distill. Lesson 04, exercise
    `overlap_counts`.

    Examples
    --------
    >>> overlap_count(4, 3, stride=2), overlap_count(4, 4, stride=2)
    (array([1, 1, 2, 1, 2, 1, 2, 1, 1]), array([1, 1, 2, 2, 2, 2, 2, 2, 1, 1]))
    """
    transposed_size(size, kernel, stride, padding, output_padding, dilation)  # names a bad argument
    line, stamp = np.ones((1, size), np.int64), np.ones((1, kernel), np.int64)
    across = {"padding": (0, padding), "output_padding": (0, output_padding), "dilation": (1, dilation)}
    return conv_transpose2d(line, stamp, stride=(1, stride), **across)[0]


class _Arguments(NamedTuple):
    x: NDArray[Any]  # with four axes
    w: NDArray[Any]  # with four axes
    is_plane: bool
    size: tuple[int, int]  # of the output
    geometry: dict[str, Any]  # stride, padding and dilation, in pairs, of the convolution that is transposed


def _read(x: ArrayLike, w: ArrayLike, stride: Size, padding: Size, output_padding: Size, dilation: Size) -> _Arguments:
    """What all three ways have in common: the arguments, looked through, and the size of the output."""
    x, w, is_plane = images_and_kernels("x", x, w)
    if x.shape[1] != w.shape[0]:
        raise ValueError(
            f"w: expected kernels for the {x.shape[1]} channels of x, got shape {w.shape}, which is for {w.shape[0]}; "
            "x.shape[1] and w.shape[0] must be equal (input channels come first here, other than in conv2d)"
        )
    strides, paddings = pair("stride", stride, least=1), pair("padding", padding, least=0)
    mores, dilations = pair("output_padding", output_padding, least=0), pair("dilation", dilation, least=1)
    height, width = (
        transposed_size(*along)
        for along in zip(x.shape[2:], w.shape[2:], strides, paddings, mores, dilations, strict=True)
    )
    geometry = {"stride": strides, "padding": paddings, "dilation": dilations}
    return _Arguments(x, w, is_plane, (height, width), geometry)
