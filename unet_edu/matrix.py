"""The operators as matrices: y = A x, with images flattened row by row. Lesson 04.

Every operator of this course that is linear is a table of numbers: row r says with which weights output pixel r is made
of the input pixels, column c says where input pixel c goes. The transposed table goes the other way, and is the
operator's adjoint: the gradient. Matrices of different operators can be multiplied with each other.

A table for whole images is huge and nearly empty. Each function returns it as a NumPy array, which is refused above
`LIMIT` bytes, or, with `sparse=True`, as a `scipy.sparse` array in CSR format, which keeps only the entries that the
operator uses. All are built at once by index arithmetic, in time and memory that grow with what is kept.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import ArrayLike, NDArray

from unet_edu._arguments import Size, dtype_of, numbers, pair
from unet_edu.convolution import sliding_windows

__all__ = ["LIMIT", "conv2d_matrix", "conv2d_matrix_loops", "max_pool2d_matrix"]

# Bytes: a matrix that needs more is refused. Any computer can spare so much, and nobody can look at more.
LIMIT = 10**9


def conv2d_matrix_loops(w: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """Lay the kernel on each window of a plane of zeros, and flatten: the definition itself, as lesson 04 teaches it.

    Parameters
    ----------
    w : (kH, kW) array
    size : (H, W)
        Height and width of the image.

    Returns
    -------
    ((H − kH + 1)·(W − kW + 1), H·W) array
    """
    H, W = size
    kH, kW = w.shape
    rows = []
    for i, j in np.ndindex(H - kH + 1, W - kW + 1):
        plane = np.zeros((H, W), w.dtype)
        plane[i : i + kH, j : j + kW] = w
        rows.append(plane.ravel())
    return np.array(rows)


def conv2d_matrix(
    w: ArrayLike,
    size: Size,
    *,
    stride: Size = 1,
    padding: Size = 0,
    dilation: Size = 1,
    sparse: bool = False,
) -> Any:
    """The matrix A of a convolution: `A @ x.ravel()` is `conv2d(x, w, …).ravel()`, `A.T` the transposed convolution.

    Parameters
    ----------
    w : (C_out, C_in, kH, kW) or (kH, kW) array
    size : (H, W)
        Height and width of the input.
    stride, padding, dilation : int or pair of ints (rows, columns)
        As for `conv2d`.
    sparse : bool
        Return a `scipy.sparse.csr_array`, which keeps only the places where a weight stands. (SciPy multiplies float16
        by turning it into float32.)

    Returns
    -------
    (C_out·H'·W', C_in·H·W) array
        Floats keep their precision; integers and booleans become int64.

    Raises
    ------
    TypeError, ValueError
        As `conv2d`; also when the matrix would need more than `LIMIT` bytes. A dense one grows with the square of the
        number of pixels: one channel of 128×128 already needs 2 GB.

    References
    ----------
    Dumoulin and Visin (2016), "A guide to convolution arithmetic for deep learning", section 4.1. Lesson 04, exercise
    `conv_matrix`.

    Examples
    --------
    >>> conv2d_matrix([[1, 2], [3, 4]], (2, 3))
    array([[1, 2, 0, 3, 4, 0],
           [0, 1, 2, 0, 3, 4]])
    """
    w = numbers("w", w, ranks=(2, 4))
    if 0 in w.shape:
        raise ValueError(f"w: expected at least one number along each axis, got shape {w.shape}")
    w = w.astype(dtype_of(w), copy=False)
    w = w[None, None] if w.ndim == 2 else w
    H, W = pair("size", size, least=1)
    C_out, C_in, kH, kW = w.shape

    # Number the pixels from 1 and let the windows of a convolution show which pixel each tap meets: 0 is padding.
    pixels = np.arange(1, H * W + 1).reshape(1, 1, H, W)
    windows = sliding_windows(pixels, (kH, kW), stride, padding, dilation)
    taps, outputs = kH * kW, windows.shape[4] * windows.shape[5]
    shape, axes = (C_out * outputs, C_in * H * W), (C_out, outputs, C_in, taps)
    _afford(shape, math.prod(axes), w.dtype, sparse, "conv2d needs no matrix")

    met = windows.reshape(taps, outputs).T
    used = np.broadcast_to((met > 0)[:, None], axes)
    columns = np.broadcast_to(met[:, None] - 1 + (np.arange(C_in) * (H * W))[:, None], axes)[used]
    values = np.broadcast_to(w.reshape(C_out, 1, C_in, taps), axes)[used]
    return _matrix(values, columns, used.sum(axis=(2, 3)).ravel(), shape, sparse)


def max_pool2d_matrix(indices: ArrayLike, size: Size, *, sparse: bool = False) -> Any:
    """The matrix S of a max pooling that has been done: each row selects the pixel that was the largest of its window.

    `S @ x.ravel()` is the pooled image, and `S.T` sends a gradient back. The data chose S: for another image it is
    another matrix, so max pooling as a whole is not linear.

    Parameters
    ----------
    indices : (H', W') or (N, C, H', W') array of int
        As `pooling.max_pool2d` gives them: flat places in each H×W plane.
    size : (H, W)
        Of the image that was pooled.
    sparse : bool
        Return a `scipy.sparse.csr_array`.

    Returns
    -------
    (H'·W', H·W) or (N·C·H'·W', N·C·H·W) array of int64
        Zeros, and a single one in each row.

    Raises
    ------
    TypeError, ValueError
        When `indices` are not ints with 2 or 4 axes, or point outside of the plane; or the matrix would need more than
        `LIMIT` bytes.

    References
    ----------
    Lessons 04 and 05.

    Examples
    --------
    >>> max_pool2d_matrix([[3, 2]], (2, 3))
    array([[0, 0, 0, 1, 0, 0],
           [0, 0, 1, 0, 0, 0]])
    """
    places, pixels = _places(indices, size)
    shape = (places.size, pixels)
    _afford(shape, places.size, np.dtype(np.int64), sparse, "max_pool2d needs no matrix")
    ones = np.ones_like(places)
    return _matrix(ones, places, ones, shape, sparse)


def _places(indices: ArrayLike, size: Size) -> tuple[NDArray[np.int64], int]:
    """The indices as flat places in the whole batch, and how many pixels it has."""
    array = numbers("indices", indices, ranks=(2, 4))
    H, W = pair("size", size, least=1)
    if array.dtype.kind not in "iu":
        raise TypeError(f"indices: expected ints, as max_pool2d gives them, got type {array.dtype}")
    if array.size and not (0 <= array.min() and array.max() < H * W):
        raise ValueError(
            f"indices: expected places from 0 to {H * W - 1} in a plane of {H}×{W}, got {array.min()} to "
            f"{array.max()}; give the size of the image that was pooled"
        )
    planes = array.astype(np.int64).reshape(-1, array.shape[-2] * array.shape[-1])
    return (planes + np.arange(len(planes))[:, None] * (H * W)).ravel(), len(planes) * H * W


def _matrix(
    values: NDArray[Any], columns: NDArray[Any], counts: NDArray[Any], shape: tuple[int, int], sparse: bool
) -> Any:
    """A matrix from its entries, row by row: `counts` says how many each row has, `columns` where they stand."""
    if sparse:
        begins = np.concatenate(([0], np.cumsum(counts)))  # where each row begins
        return scipy.sparse.csr_array((values, columns, begins), shape)
    A = np.zeros(shape, values.dtype)  # not made from the sparse one, which does not know float16
    A[np.repeat(np.arange(shape[0]), counts), columns] = values
    return A


def _afford(shape: tuple[int, int], entries: int, dtype: np.dtype[Any], sparse: bool, instead: str) -> None:
    """Refuse a matrix that would fill the memory, before any is spent."""
    cells = shape[0] * shape[1]
    full, thin = cells * dtype.itemsize, entries * (dtype.itemsize + np.dtype(np.int64).itemsize)
    limit = f"more than the {_readable(LIMIT)} that unet_edu.matrix.LIMIT allows"
    if sparse and thin > LIMIT:
        raise ValueError(f"size: even the sparse matrix would need {_readable(thin)}, {limit}; {instead}")
    if not sparse and full > LIMIT:
        raise ValueError(
            f"size: a dense matrix of {shape[0]}×{shape[1]} needs {_readable(full)}, {limit}; with sparse=True it "
            f"needs about {_readable(thin)}, because only {entries} of its {cells} entries are used"
        )


def _readable(size: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
