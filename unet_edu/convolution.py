"""Convolution and its adjoint, in NumPy. Lesson 02.

A convolution lays a small kernel `w` on a patch of the image `x`, multiplies number by number, adds up, and moves on:

    y[n, o, i, j] = bias[o] + Σ w[o, c, u, v] · x[n, c, i·stride + u·dilation − padding, j·stride + v·dilation −
    padding]

The sum runs over the input channels `c` and the kernel's rows and columns `u, v`; outside the image `x` is zero. The
kernel is not flipped: mathematics calls this cross-correlation, deep learning calls it convolution.

For a fixed kernel this is a linear map, y = A x. Beside it stands its adjoint Aᵀ, `conv2d_grad_input`, which sends
numbers back along the same multiplications: ⟨A x, y⟩ = ⟨x, Aᵀ y⟩. Both read one picture of the work, `sliding_windows`:
convolution gathers from the windows, the adjoint adds into them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from unet_edu._arguments import Size, biases, dtype_of, expect_shape, images_and_kernels, numbers, pair, whole
from unet_edu._bands import slices

__all__ = [
    "ReceptiveField",
    "conv2d",
    "conv2d_grad_bias",
    "conv2d_grad_input",
    "conv2d_grad_weight",
    "conv2d_loops",
    "output_size",
    "receptive_field",
    "sliding_windows",
]

# Bytes of unrolled windows that `conv2d` copies at a time: large enough for a fast matrix product, small enough to stay
# in a processor's cache (and to keep a huge image from needing nine times its own memory).
BAND_BYTES = 1 << 19


def conv2d_loops(x: NDArray[Any], w: NDArray[Any]) -> NDArray[Any]:
    """Convolve one plane with one kernel: the definition itself, as lesson 02 teaches it.

    Parameters
    ----------
    x : (H, W) array
        Not bytes: products of uint8 numbers wrap around at 256, as the lesson shows.
    w : (kH, kW) array

    Returns
    -------
    (H − kH + 1, W − kW + 1) array of float64
    """
    H, W = x.shape
    kH, kW = w.shape
    y = np.zeros((H - kH + 1, W - kW + 1))
    for i, j in np.ndindex(y.shape):
        y[i, j] = (x[i : i + kH, j : j + kW] * w).sum()
    return y


def conv2d(
    x: ArrayLike,
    w: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    stride: Size = 1,
    padding: Size = 0,
    dilation: Size = 1,
) -> NDArray[Any]:
    """Convolve images with kernels, as `torch.nn.functional.conv2d` does.

    The windows are unrolled into columns, so that all the multiplying is one matrix product a band of output rows.

    Parameters
    ----------
    x : (N, C_in, H, W) or (H, W) array of real numbers
        A batch of images, or one plane. NaN and infinity go through as they do in any sum.
    w : (C_out, C_in, kH, kW) array, or (kH, kW) with a plane
        One stack of C_in kernels for each output channel.
    bias : (C_out,) array, or one number with a plane, optional
        Added once to each output channel.
    stride, padding, dilation : int or pair of ints (rows, columns)
        The step between windows (≥ 1), the ring of zeros around the image (≥ 0), the distance between taps (≥ 1).

    Returns
    -------
    (N, C_out, H', W') or (H', W') array
        With sizes as `output_size` gives them. Floats keep their precision; integers and booleans become int64 (uint64:
        float64), so that uint8 pixels do not wrap around at 256.

    Raises
    ------
    TypeError
        When an argument does not hold real numbers, or a stride is not an int.
    ValueError
        When ranks or channels do not match, or the kernel does not fit into the padded image.

    References
    ----------
    Dumoulin and Visin (2016), "A guide to convolution arithmetic for deep learning", sections 2 and 5.1. Lesson 02.

    Examples
    --------
    >>> x = [[4, 5, 8, 7], [1, 8, 8, 8], [3, 6, 6, 4], [6, 5, 7, 8]]
    >>> conv2d(x, [[1, 4, 1], [1, 4, 3], [3, 3, 1]])
    array([[122, 148],
           [126, 134]])
    """
    x, w, is_plane = images_and_kernels("x", x, w)
    if x.shape[1] != w.shape[1]:
        raise ValueError(
            f"w: expected kernels for the {x.shape[1]} channels of x, got shape {w.shape}, which is for {w.shape[1]}; "
            "x.shape[1] and w.shape[1] must be equal"
        )
    added = 0 if bias is None else biases(bias, len(w), is_plane)
    dtype = dtype_of(x, w, added)

    kernels = w.reshape(len(w), -1).astype(dtype, copy=False)  # one row an output channel
    windows = sliding_windows(x.astype(dtype, copy=False), w.shape[2:], stride, padding, dilation)
    N, C_in, kH, kW, H_out, W_out = windows.shape
    y = np.empty((N, len(w), H_out, W_out), dtype)
    for rows in slices(H_out, N * C_in * kH * kW * W_out * dtype.itemsize, BAND_BYTES):
        band = windows[..., rows, :]
        columns = band.reshape(N, C_in * kH * kW, band.shape[-2] * W_out)  # copies: one column an output pixel
        y[:, :, rows] = (kernels @ columns).reshape(N, len(w), band.shape[-2], W_out)
    if bias is not None:
        y += np.reshape(added, (-1, 1, 1))
    return y[0, 0] if is_plane else y


def conv2d_grad_input(
    dy: ArrayLike,
    w: ArrayLike,
    size: tuple[int, int],
    *,
    stride: Size = 1,
    padding: Size = 0,
    dilation: Size = 1,
) -> NDArray[Any]:
    """The adjoint of `conv2d`: send each output number back to the inputs it came from.

    This is Aᵀ where convolution is A: the gradient of a loss with respect to `x`, given its gradient `dy` with respect
    to the output; and, as transposed convolution, the layer with which a U-Net makes images larger (lesson 04).

    Parameters
    ----------
    dy : (N, C_out, H', W') or (H', W') array
    w : (C_out, C_in, kH, kW) or (kH, kW) array
    size : (H, W)
        Height and width of `x`. It must be said, because with a stride several input sizes share one output size.
    stride, padding, dilation
        As `conv2d` was given them.

    Returns
    -------
    (N, C_in, H, W) or (H, W) array

    Raises
    ------
    TypeError, ValueError
        As `conv2d`; also when `dy` is not of the shape that `conv2d` gives for this `size`.
    """
    dy, w, is_plane = images_and_kernels("dy", dy, w)
    N, C_in = len(dy), w.shape[1]
    dtype = dtype_of(dy, w)
    pad_h, pad_w = pair("padding", padding, least=0)
    H, W = pair("size", size, least=1)
    dx = np.zeros((N, C_in, H + 2 * pad_h, W + 2 * pad_w), dtype)
    windows = sliding_windows(dx, w.shape[2:], stride, 0, dilation)
    kH, kW, H_out, W_out = windows.shape[2:]
    expect_shape("dy", dy, (N, len(w), H_out, W_out), is_plane)

    dy, w = dy.astype(dtype, copy=False), w.astype(dtype, copy=False)
    for u, v in np.ndindex(kH, kW):  # windows overlap, but the places of one tap never do
        back = w[:, :, u, v].T @ dy.reshape(N, len(w), H_out * W_out)
        windows[:, :, u, v] += back.reshape(N, C_in, H_out, W_out)
    dx = dx[:, :, pad_h : pad_h + H, pad_w : pad_w + W]
    return dx[0, 0] if is_plane else dx


def conv2d_grad_weight(
    dy: ArrayLike,
    x: ArrayLike,
    kernel_size: tuple[int, int],
    *,
    stride: Size = 1,
    padding: Size = 0,
    dilation: Size = 1,
) -> NDArray[Any]:
    """The gradient with respect to the kernel: what each weight met, times what came of it.

    Parameters
    ----------
    dy : (N, C_out, H', W') or (H', W') array
        The gradient of the loss with respect to the output.
    x : (N, C_in, H, W) or (H, W) array
    kernel_size : (kH, kW)
    stride, padding, dilation
        As `conv2d` was given them.

    Returns
    -------
    (C_out, C_in, kH, kW) or (kH, kW) array

    Raises
    ------
    TypeError, ValueError
        As `conv2d`; also when `dy` is not of the shape that `conv2d` gives for this `kernel_size`.
    """
    dy, x, is_plane = images_and_kernels("dy", dy, x, second="x")
    dtype = dtype_of(dy, x)
    kH, kW = pair("kernel_size", kernel_size, least=1)
    dy, x = dy.astype(dtype, copy=False), x.astype(dtype, copy=False)
    windows = sliding_windows(x, (kH, kW), stride, padding, dilation)
    expect_shape("dy", dy, (len(x), dy.shape[1], *windows.shape[-2:]), is_plane)
    dw = np.empty((dy.shape[1], x.shape[1], kH, kW), dtype)
    for u, v in np.ndindex(kH, kW):
        dw[:, :, u, v] = np.tensordot(dy, windows[:, :, u, v], axes=((0, 2, 3), (0, 2, 3)))
    return dw[0, 0] if is_plane else dw


def conv2d_grad_bias(dy: ArrayLike) -> NDArray[Any]:
    """The gradient with respect to the bias: it was added to every pixel, so it collects from every pixel.

    Parameters
    ----------
    dy : (N, C_out, H', W') or (H', W') array

    Returns
    -------
    (C_out,) array, or one number for a plane
    """
    dy = numbers("dy", dy, ranks=(2, 4))
    dy = dy.astype(dtype_of(dy), copy=False)
    return dy.sum() if dy.ndim == 2 else dy.sum(axis=(0, 2, 3))


def output_size(size: int, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """How many windows fit along one side: ⌊(size + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1.

    Where the stride does not divide evenly, the last cells are in no window. They are dropped; it is not an error.

    Raises
    ------
    ValueError
        When not even one window fits.

    References
    ----------
    Dumoulin and Visin (2016), relationships 6 and 15. Lesson 02, exercise `out_size`.

    Examples
    --------
    >>> output_size(572, 3), output_size(6, 3, stride=2, padding=1)
    (570, 3)
    """
    size, kernel = whole("size", size, 1), whole("kernel", kernel, 1)
    stride, padding, dilation = whole("stride", stride, 1), whole("padding", padding, 0), whole("dilation", dilation, 1)
    span = dilation * (kernel - 1) + 1
    if span > size + 2 * padding:
        raise ValueError(
            f"kernel: a kernel of {kernel} with dilation {dilation} spans {span} pixels and does not fit into "
            f"{size + 2 * padding} ({size} and twice the padding of {padding}); take a smaller kernel or dilation, or "
            "more padding"
        )
    return (size + 2 * padding - span) // stride + 1


class ReceptiveField(NamedTuple):
    """What the outputs of a chain of layers see of its input, along one side.

    Output n sees the pixels from `start + n·jump` to `start + n·jump + size − 1`. A negative `start` is in the padding.
    """

    size: int
    jump: int
    start: int


def receptive_field(layers: Iterable[Sequence[int]]) -> ReceptiveField:
    """The receptive field of a chain of convolutions or poolings, first layer first.

    Parameters
    ----------
    layers : sequence of (kernel, stride, padding, dilation)
        Later entries may be left out: stride 1, padding 0 and dilation 1 are meant.

    Returns
    -------
    ReceptiveField
        (size, jump, start) in pixels of the first layer's input.

    Raises
    ------
    TypeError, ValueError
        When a layer is not one to four ints in their ranges.

    References
    ----------
    Araujo, Norris and Sim (2019), "Computing receptive fields of convolutional neural networks", Distill.
    Lesson 02, exercise `receptive_field`.

    Examples
    --------
    >>> receptive_field([(3,), (3,)])  # two 3×3 convolutions see what one 5×5 sees
    ReceptiveField(size=5, jump=1, start=0)
    """
    size, jump, start = 1, 1, 0
    for n, layer in enumerate(layers):
        try:
            kernel, stride, padding, dilation = (*layer, *(1, 0, 1)[len(layer) - 1 :])
        except (TypeError, ValueError):
            raise TypeError(
                f"layers[{n}]: expected (kernel, stride, padding, dilation) or its beginning, got {layer!r}"
            ) from None
        kernel, stride = whole(f"layers[{n}] kernel", kernel, 1), whole(f"layers[{n}] stride", stride, 1)
        padding, dilation = whole(f"layers[{n}] padding", padding, 0), whole(f"layers[{n}] dilation", dilation, 1)
        size += (kernel - 1) * dilation * jump  # each further tap looks `dilation` jumps further
        start -= padding * jump
        jump *= stride
    return ReceptiveField(size, jump, start)


def sliding_windows(x: NDArray[Any], kernel_size: Size, stride: Size, padding: Size, dilation: Size) -> NDArray[Any]:
    """Every window of an image, as a view: no number is copied, but for the padding.

    Parameters
    ----------
    x : (N, C, H, W) array
    kernel_size, stride, padding, dilation : int or pair of ints

    Returns
    -------
    (N, C, kH, kW, H', W') array
        Entry [.., u, v, i, j] is what the kernel's tap (u, v) meets at output (i, j).
    """
    (kH, kW), (s_h, s_w) = pair("kernel_size", kernel_size, least=1), pair("stride", stride, least=1)
    (pad_h, pad_w), (d_h, d_w) = pair("padding", padding, least=0), pair("dilation", dilation, least=1)
    output_size(x.shape[2], kH, s_h, pad_h, d_h)  # raises when the kernel does not fit
    output_size(x.shape[3], kW, s_w, pad_w, d_w)
    if pad_h or pad_w:
        x = np.pad(x, ((0, 0), (0, 0), (pad_h, pad_h), (pad_w, pad_w)))
    span = (d_h * (kH - 1) + 1, d_w * (kW - 1) + 1)
    windows = sliding_window_view(x, span, axis=(2, 3), writeable=x.flags.writeable)
    return windows[:, :, ::s_h, ::s_w, ::d_h, ::d_w].transpose(0, 1, 4, 5, 2, 3)
