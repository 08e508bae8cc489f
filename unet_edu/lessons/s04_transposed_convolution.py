"""The exercises of lesson 04: what is asked, and which mistakes are known."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unet_edu.checks.exercise import Case, Exercise
from unet_edu.convolution import conv2d, conv2d_grad_input
from unet_edu.lessons.families import without
from unet_edu.lessons.lesson import Lesson
from unet_edu.lessons.libraries import CONVOLUTIONS
from unet_edu.transposed import conv_transpose2d, insert_zeros

__all__ = ["LESSON"]

Array = NDArray[Any]

IMAGE_SIZE = (4, 4)
KERNEL = np.array([[1, 4, 1], [1, 4, 3], [3, 3, 1]])  # the lesson's
DIFFERENCE = np.array([[-1, 1]])  # each pixel from its right neighbour


# --- conv_matrix ------------------------------------------------------------------------------------------------------


def _conv_matrix(k: Array, h: int, w: int, stride: int = 1) -> Array:
    """Row r is what the adjoint makes of output number r alone: the weights with which it looks at each pixel."""
    shape = (h - k.shape[0]) // stride + 1, (w - k.shape[1]) // stride + 1
    n = shape[0] * shape[1]
    outputs = np.eye(n, dtype=k.dtype).reshape(n, 1, *shape)
    return conv2d_grad_input(outputs, k[None, None], (h, w), stride=stride).reshape(n, h * w)


def _matrix_cases(rng: np.random.Generator) -> list[Case]:
    return [
        Case("the kernel of the lesson, on an image of 4×4", (KERNEL, *IMAGE_SIZE), group="visible"),
        Case("the difference of neighbours, on an image of 2×3", (DIFFERENCE, 2, 3), group="visible"),
        Case("a kernel of 2×3 on an image of 3×5", (rng.integers(1, 10, (2, 3)), 3, 5)),
        Case("a kernel of 3×2 on an image of 5×4, with fractions", (rng.normal(size=(3, 2)) + 3, 5, 4)),
        Case("a kernel of 3×3 on an image of 4×6, negative", (rng.integers(-19, -10, (3, 3)), 4, 6)),
        Case("a kernel of one column", (rng.integers(1, 10, (4, 1)), 5, 3)),
        Case("a kernel as large as the image", (rng.normal(size=(3, 4)), 3, 4)),
    ]


def _with_columns(column: Callable[..., int], row: Callable[..., int] = lambda r, *_: r) -> Callable[..., Array]:
    """The loops of the solution with another rule for where k[u, v] goes, for the window at (i, j).

    `column` takes i, j, u, v and then the sizes h, w, kW and w_out. A rule may leave the matrix: then there is no
    answer.
    """

    def wrong(k: Array, h: int, w: int) -> Array:
        (kH, kW), h_out, w_out = k.shape, h - k.shape[0] + 1, w - k.shape[1] + 1
        A = np.zeros((h_out * w_out, h * w), k.dtype)
        for r, (i, j) in enumerate(np.ndindex(h_out, w_out)):
            for u, v in np.ndindex(kH, kW):
                A[row(r, i, j, h_out), column(i, j, u, v, h, w, kW, w_out)] = k[u, v]
        return A

    return wrong


CONV_MATRIX = Exercise(
    name="conv_matrix",
    points=3,
    reference=lambda k, h, w: _conv_matrix(k, h, w),
    cases=_matrix_cases,
    linear="k",
    forbidden=(
        "unet_edu.*conv*2d*",
        "unet_edu.matrix.*",
        "scipy.linalg.*toeplitz*",
        "scipy.linalg.convolution_matrix",
        *CONVOLUTIONS,
    ),
)
CONV_MATRIX.mistake(
    "rows start one apart",
    "Your rows start one column after the other, also where the window goes back to the left edge. When it moves one "
    "row down, it moves on by a whole row of the image. How many columns is that?",
    _with_columns(lambda i, j, u, v, h, w, kW, w_out: i * w_out + j + u * w + v),
)
CONV_MATRIX.mistake(
    "width of the output throughout",
    "You counted with the output's width, w − kW + 1. The columns of the matrix are the pixels of the image, so one "
    "row further down is w columns further on, for the window and within it.",
    _with_columns(lambda i, j, u, v, h, w, kW, w_out: (i + u) * w_out + j + v),
)
CONV_MATRIX.mistake(
    "kernel without gaps, rows one apart",
    "In each of your rows the kernel's numbers stand side by side, and each row starts one column after the last. "
    "Make a plane of zeros of the image's size, lay the kernel into it at the window's place, and flatten that.",
    _with_columns(lambda i, j, u, v, h, w, kW, w_out: i * w_out + j + u * kW + v),
)
CONV_MATRIX.mistake(
    "windows move only to the right",
    "Your windows move to the right, but never down: the row i of the window has no effect. One row further down is w "
    "columns further on.",
    _with_columns(lambda i, j, u, v, h, w, kW, w_out: j + u * w + v),
)
CONV_MATRIX.mistake(
    "windows move only down",
    "Your windows move down, but never to the right: the column j of the window has no effect.",
    _with_columns(lambda i, j, u, v, h, w, kW, w_out: (i + u) * w + v),
)
CONV_MATRIX.mistake(
    "all rows the same",
    "Good so far: the first row is right. But all your rows are the same. The kernel moves over the image: in row r "
    "it lies on the window that gives output number r.",
    _with_columns(lambda i, j, u, v, h, w, kW, w_out: u * w + v),
)
CONV_MATRIX.mistake(
    "height in place of width",
    "You multiplied the row by the image's height. A row of the image holds w pixels, so one row further down is w "
    "columns further on.",
    _with_columns(lambda i, j, u, v, h, w, kW, w_out: (i + u) * h + j + v),
)
CONV_MATRIX.mistake(
    "image flattened column by column",
    "The columns of your matrix take the image column by column. x.ravel() goes row by row: pixel (i, j) is number "
    "i·w + j.",
    _with_columns(lambda i, j, u, v, h, w, kW, w_out: (j + v) * h + i + u),
)
CONV_MATRIX.mistake(
    "output flattened column by column",
    "Your rows are right, but not in their order: they take the output column by column. Let the loop over the "
    "columns be the inner one.",
    _with_columns(lambda i, j, u, v, h, w, kW, w_out: (i + u) * w + j + v, row=lambda r, i, j, h_out: j * h_out + i),
)
CONV_MATRIX.mistake(
    "both flattened column by column",
    "Your matrix takes the image and the output column by column, as mathematics often does. NumPy's ravel() goes row "
    "by row: pixel (i, j) is number i·w + j.",
    _with_columns(lambda i, j, u, v, h, w, kW, w_out: (j + v) * h + i + u, row=lambda r, i, j, h_out: j * h_out + i),
)
CONV_MATRIX.mistake(
    "all in the first row",
    "All windows went into row 0 of your matrix. Each window has its own row: does your row number grow?",
    _with_columns(lambda i, j, u, v, h, w, kW, w_out: (i + u) * w + j + v, row=lambda r, *_: 0),
)


@CONV_MATRIX.mistake("matrix transposed")
def _(k, h, w):
    """Your matrix lies on its side: this is Aᵀ. The matrix A times the image gives the output, so it has a column for
    each pixel of the image and a row for each number of the output."""
    return _conv_matrix(k, h, w).T


@CONV_MATRIX.mistake("kernel flipped")
def _(k, h, w):
    """Your kernel is turned upside down and left to right. Lay it down as it is: k[0, 0] meets the window's upper left
    pixel."""
    return _conv_matrix(k[::-1, ::-1], h, w)


@CONV_MATRIX.mistake("kernel transposed")
def _(k: Array, h: int, w: int) -> Array:
    """Your kernel's rows and columns are swapped. k[u, v] belongs to the pixel u rows down and v columns to the
    right."""
    if k.shape[0] != k.shape[1]:
        raise ValueError("a transposed kernel of another height than width belongs to another matrix")
    return _conv_matrix(k.T, h, w)


@CONV_MATRIX.mistake("padded")
def _(k: Array, h: int, w: int) -> Array:
    """Your matrix has a row for every pixel, as if the image were padded. Here the kernel stays inside the image: there
    are (h − kH + 1) · (w − kW + 1) windows, and as many rows."""
    if k.shape[0] % 2 == 0 or k.shape[1] % 2 == 0:
        raise ValueError("a kernel of even size cannot be padded to keep the image's size on both sides alike")
    outputs = np.eye(h * w, dtype=k.dtype).reshape(h * w, 1, h, w)
    padding = (k.shape[0] // 2, k.shape[1] // 2)
    return conv2d_grad_input(outputs, k[None, None], (h, w), padding=padding).reshape(h * w, h * w)


@CONV_MATRIX.mistake("windows over the right edge")
def _(k: Array, h: int, w: int) -> Array:
    """Your matrix has a row for every shift of the kernel. Some of them belong to windows that hang over the right edge
    and go on at the left of the next row. Leave these out: w − kW + 1 windows fit side by side."""
    row = np.zeros((h, w), k.dtype)
    row[: k.shape[0], : k.shape[1]] = k
    shifts = h * w - ((k.shape[0] - 1) * w + k.shape[1]) + 1
    return np.array([np.roll(row.ravel(), shift) for shift in range(shifts)])


@CONV_MATRIX.mistake("one window short")
def _(k, h, w):
    """One row and one column of windows are missing. A kernel of 3 fits into 4 pixels at 2 places, 0 and 1: that is 4 −
    3 + 1."""
    # a kernel one larger has one window fewer, and its zeros do nothing
    return _conv_matrix(np.pad(k, ((0, 1), (0, 1))), h, w)


@CONV_MATRIX.mistake("rows not flattened")
def _(k, h, w):
    """Each of your rows is still a plane of h×w numbers. Flatten it: ravel() lays its rows one after the other."""
    return _conv_matrix(k, h, w).reshape(-1, h, w)


@CONV_MATRIX.mistake("only the first row of windows")
def _(k, h, w):
    """Your matrix ends after the first row of windows. Does the `return` stand inside the outer loop? Move it to the
    left, below both loops."""
    return _conv_matrix(k, h, w)[: w - k.shape[1] + 1]


@CONV_MATRIX.mistake("only the last row of windows")
def _(k, h, w):
    """Your matrix holds only the last row of windows. Is the list of rows made anew inside the outer loop? Make it
    once, before the loops."""
    return _conv_matrix(k, h, w)[-(w - k.shape[1] + 1) :]


@CONV_MATRIX.mistake("only the first window")
def _(k, h, w):
    """Your matrix has one row, that of the first window. Does the `return` stand inside the inner loop? Move it to the
    left, below both loops."""
    return _conv_matrix(k, h, w)[:1]


# --- tconv_matrix -----------------------------------------------------------------------------------------------------


def _tconv_matrix(y: Array, A: Array, size: tuple[int, int]) -> Array:
    return (A.T @ y.ravel()).reshape(size)


def _tconv_matrix_cases(rng: np.random.Generator) -> list[Case]:
    lesson, steps = _conv_matrix(KERNEL, *IMAGE_SIZE), _conv_matrix(DIFFERENCE, 2, 3)
    return [
        Case("the lesson's four numbers", (np.array([[2, 1], [4, 4]]), lesson, IMAGE_SIZE), group="visible"),
        Case("the difference of neighbours", (np.array([[1, 2], [3, 4]]), steps, (2, 3)), group="visible"),
        Case(
            "a kernel of 2×3 on an image of 3×5, with fractions",
            (rng.normal(size=(2, 3)), _conv_matrix(rng.normal(size=(2, 3)) + 2, 3, 5), (3, 5)),
        ),
        Case(
            "a kernel of 3×2 on an image of 5×4",
            (rng.integers(-9, 10, (3, 3)), _conv_matrix(rng.integers(1, 10, (3, 2)), 5, 4), (5, 4)),
        ),
        Case(
            "a convolution with a stride of 2",
            (rng.integers(1, 10, (2, 3)), _conv_matrix(rng.normal(size=(3, 3)) + 2, 5, 7, stride=2), (5, 7)),
        ),
        Case(
            "a matrix of whole numbers that belongs to no convolution",
            (rng.normal(size=(2, 3)), rng.integers(-9, 10, (6, 8)), (2, 4)),
        ),
    ]


TCONV_MATRIX = Exercise(name="tconv_matrix", points=1, reference=_tconv_matrix, cases=_tconv_matrix_cases, linear="y")


@TCONV_MATRIX.mistake("inverse in place of transpose")
def _(y, A, size):
    """You used the (pseudo)inverse of A, which looks for an image that A would turn into y. The transpose is something
    else, and simpler: it swaps rows and columns and computes nothing."""
    return (np.linalg.pinv(A) @ y.ravel()).reshape(size)


@TCONV_MATRIX.mistake("reshaped in place of transposed")
def _(y, A, size):
    """A.reshape(…) has the right shape, but it only cuts the same numbers into other rows. The transpose A.T makes rows
    of columns."""
    return (A.reshape(A.shape[::-1]) @ y.ravel()).reshape(size)


@TCONV_MATRIX.mistake("not reshaped")
def _(y, A, size):
    """Good so far: the numbers are right. They still lie in one row; arrange them as an image of the given size."""
    return A.T @ y.ravel()


@TCONV_MATRIX.mistake("a column of numbers")
def _(y, A, size):
    """Good so far: the numbers are right. They still lie in one column; arrange them as an image of the given size."""
    return (A.T @ y.ravel())[:, None]


@TCONV_MATRIX.mistake("a row of numbers")
def _(y, A, size):
    """Good so far: the numbers are right. They still lie in a single row of an array with two axes; arrange them as an
    image of the given size."""
    return y.reshape(1, -1) @ A


@TCONV_MATRIX.mistake("y flattened column by column")
def _(y, A, size):
    """You flattened y column by column. The rows of A follow y row by row, as y.ravel() does."""
    return (A.T @ y.ravel(order="F")).reshape(size)


@TCONV_MATRIX.mistake("image filled column by column")
def _(y, A, size):
    """You filled the image column by column. The columns of A follow the image row by row, as reshape does."""
    return (A.T @ y.ravel()).reshape(size, order="F")


@TCONV_MATRIX.mistake("both column by column")
def _(y, A, size):
    """You flattened y and filled the image column by column. A was made for row by row, NumPy's own order."""
    return (A.T @ y.ravel(order="F")).reshape(size, order="F")


@TCONV_MATRIX.mistake("size turned round")
def _(y, A, size):
    """Your image has its height and width swapped. `size` is (rows, columns), just as reshape wants it."""
    return (A.T @ y.ravel()).reshape(size[::-1])


@TCONV_MATRIX.mistake("image on its side")
def _(y, A, size):
    """Your image lies on its side. Only the matrix is transposed; the image is reshaped and stays as it is."""
    return _tconv_matrix(y, A, size).T


@TCONV_MATRIX.mistake("products not added up")
def _(y, A, size):
    """You multiplied A's numbers with those of y, one by one, and did not add them up. A matrix times a vector does
    both: @."""
    return A.T * y.ravel()


# --- tconv2d_scatter --------------------------------------------------------------------------------------------------


def _tconv(x: Array, k: Array, stride: int = 1, padding: int = 0) -> Array:
    size = [(n - 1) * stride + m - 2 * padding for n, m in zip(x.shape, k.shape, strict=True)]
    return conv2d_grad_input(x, k, (size[0], size[1]), stride=stride, padding=padding)


def _scatter_cases(rng: np.random.Generator) -> list[Case]:
    x = np.array([[2, 1], [4, 4]])

    def case(name: str, x_shape: tuple[int, int], k_shape: tuple[int, int], *, whole: str = "", **kwargs: int) -> Case:
        """`whole` says which holds whole numbers, x or k: the answer has fractions."""
        x = rng.integers(1, 10, x_shape) if whole == "x" else rng.normal(size=x_shape) + 2
        k = rng.integers(-9, 0, k_shape) if whole == "k" else rng.normal(size=k_shape) - 1
        return Case(name, (x, k), kwargs)

    return [
        Case("the lesson's numbers and kernel", (x, KERNEL), group="visible"),
        Case("the same, with a stride of 2", (x, KERNEL), {"stride": 2}, group="visible"),
        Case("the same, with a padding, too", (x, KERNEL), {"stride": 2, "padding": 1}, group="visible"),
        case("an image of 3×4 and a kernel of 2×3, with fractions", (3, 4), (2, 3)),
        case("an image of 4×3 and a kernel of 3×2, with a stride of 2", (4, 3), (3, 2), stride=2),
        case("a stride larger than the kernel: gaps stay zero", (2, 3), (2, 2), whole="x", stride=3),
        case("a U-Net's up-convolution: 2×2 with a stride of 2", (3, 5), (2, 2), whole="k", stride=2),
        case("a kernel of 4×4 with a stride of 2 and a padding of 1", (3, 4), (4, 4), stride=2, padding=1),
        case("a kernel of 5×4 with a stride of 3 and a padding of 2", (2, 4), (5, 4), stride=3, padding=2),
        case("a padding without a stride", (4, 5), (3, 3), padding=1),
    ]


def _cropped(y: Array, padding: int) -> Array:
    return y[padding : y.shape[0] - padding, padding : y.shape[1] - padding]


def _stamped(
    write: Callable[[Array, Array, float], Array],
    at: Callable[[int, int, int], tuple[int, int]] = lambda i, j, s: (i * s, j * s),
    pixels: Callable[[Array], list[tuple[int, int]]] = lambda x: list(np.ndindex(*x.shape)),
) -> Callable[..., Array]:
    """The loops of the solution with another way to write a stamp, another place for it, or only some of the pixels.

    `write` takes what is there, the kernel and the pixel, and says what will be there.
    """

    def wrong(x: Array, k: Array, stride: int = 1, padding: int = 0) -> Array:
        y = np.zeros_like(_tconv(x, k, stride), dtype=float)
        for i, j in pixels(x):
            top, left = at(i, j, stride)
            there = y[top : top + k.shape[0], left : left + k.shape[1]]
            there[...] = write(there, k, x[i, j])
        return _cropped(y, padding)

    return wrong


def _added(there: Array, k: Array, pixel: float) -> Array:
    return there + k * pixel


def _overwritten(there: Array, k: Array, pixel: float) -> Array:
    return k * pixel


def _margin(extra: Callable[[int], int]) -> Callable[..., Array]:
    """Zeros left over below and to the right, `extra(stride)` of them, and then the crop."""

    def wrong(x: Array, k: Array, stride: int = 1, padding: int = 0) -> Array:
        return _cropped(np.pad(_tconv(x, k, stride), (0, extra(stride))), padding)

    return wrong


TCONV2D_SCATTER = Exercise(
    name="tconv2d_scatter",
    points=3,
    reference=_tconv,
    cases=_scatter_cases,
    linear="x",
    forbidden=("unet_edu.*conv*2d*", "unet_edu.transposed.*", "unet_edu.matrix.*", "torch.*.[fF]old", *CONVOLUTIONS),
)
TCONV2D_SCATTER.mistake(
    "overwritten in place of added",
    "Where stamps overlap, your later stamp overwrites the earlier one. Add them up: += in place of =.",
    _stamped(_overwritten),
)


@TCONV2D_SCATTER.mistake("overwritten, without stride and padding")
def _(x, k, stride=1, padding=0):
    """A good start, but where stamps overlap, the later one overwrites the earlier one. Add them up: += in place of =.
    After that, go on with the stride."""
    return _stamped(_overwritten)(x, k)


@TCONV2D_SCATTER.mistake("kernel flipped")
def _(x, k, stride=1, padding=0):
    """Your kernel is turned upside down and left to right. That happens when one spreads the pixels out, pads them and
    convolves: on this way the kernel must be turned first. With stamps, lay it down as it is."""
    return _tconv(x, k[::-1, ::-1], stride, padding)


@TCONV2D_SCATTER.mistake("kernel flipped, without stride and padding")
def _(x, k, stride=1, padding=0):
    """Your kernel is turned upside down and left to right. Lay it down as it is: k[0, 0] goes to the stamp's upper left
    corner. After that, go on with the stride."""
    return _tconv(x, k[::-1, ::-1])


@TCONV2D_SCATTER.mistake("kernel transposed")
def _(x: Array, k: Array, stride: int = 1, padding: int = 0) -> Array:
    """Your kernel's rows and columns are swapped. The word “transposed” speaks of the convolution's matrix; the kernel
    stays as it is."""
    if k.shape[0] != k.shape[1]:
        raise ValueError("a transposed kernel of another height than width does not fit")
    return _tconv(x, k.T, stride, padding)


TCONV2D_SCATTER.mistake(
    "stamps so far",
    "Good so far: the stamps are right. Next: the stride. The stamps of neighbouring pixels lie that far apart, and "
    "the output grows.",
    without(_tconv, "stride", "padding"),
)
TCONV2D_SCATTER.mistake(
    "stamps and stride so far",
    "Good so far: stamps and stride are right. Next: the padding. It takes that many rows and columns away from each "
    "side of the output.",
    without(_tconv, "padding"),
)
TCONV2D_SCATTER.mistake(
    "stamps and padding so far",
    "Good so far: stamps and padding are right. Next: the stride. Pixel (i, j) lays its stamp down at row i · stride "
    "and column j · stride.",
    without(_tconv, "stride"),
)
TCONV2D_SCATTER.mistake(
    "stride only down",
    "Your stamps move by the stride from row to row, but only by one from column to column.",
    _stamped(_added, at=lambda i, j, s: (i * s, j)),
)
TCONV2D_SCATTER.mistake(
    "stride only across",
    "Your stamps move by the stride from column to column, but only by one from row to row.",
    _stamped(_added, at=lambda i, j, s: (i, j * s)),
)
TCONV2D_SCATTER.mistake(
    "stamps one apart in a large output",
    "Your output has the right size, but the stamps lie only one pixel apart. Pixel (i, j) lays its stamp down at row "
    "i · stride and column j · stride.",
    _stamped(_added, at=lambda i, j, s: (i, j)),
)


@TCONV2D_SCATTER.mistake("one zero too many between pixels")
def _(x, k, stride=1, padding=0):
    """Your stamps lie stride + 1 pixels apart. Between two pixels come stride − 1 zeros: with a stride of 1, none."""
    return _tconv(x, k, stride + 1, padding)


@TCONV2D_SCATTER.mistake("stamps side by side")
def _(x: Array, k: Array, stride: int = 1, padding: int = 0) -> Array:
    """Your stamps lie side by side and never overlap. How far apart they are is said by the stride, not by the kernel's
    size."""
    return _cropped(np.kron(x, k), padding)


TCONV2D_SCATTER.mistake(
    "too large by one stride",
    "Your output has rows and columns at its end that no stamp reaches. How many steps of the stride are there from "
    "the first pixel to the last? One fewer than there are pixels.",
    _margin(lambda s: s),
)
TCONV2D_SCATTER.mistake(
    "size without a stride, made longer",
    "Your size is H · stride + kH − 1. For a stride of 1 that is right. In general there are H − 1 steps of the "
    "stride from the first pixel to the last, and then a whole kernel.",
    _margin(lambda s: s - 1),
)


@TCONV2D_SCATTER.mistake("slice to minus zero")
def _(x, k, stride=1, padding=0):
    """Your output is empty where padding is 0: y[0:-0] means y[0:0], which holds nothing. Count the end from the front:
    y[padding : n − padding]."""
    return _tconv(x, k, stride)[padding:-padding, padding:-padding]


@TCONV2D_SCATTER.mistake("zeros put around the output")
def _(x, k, stride=1, padding=0):
    """You put zeros around the output. The padding of a transposed convolution takes rows and columns away: it undoes
    the zeros that a convolution puts around its input."""
    return np.pad(_tconv(x, k, stride), padding)


@TCONV2D_SCATTER.mistake("cropped only above and left")
def _(x, k, stride=1, padding=0):
    """The padding was taken away only above and to the left. Take it away on all four sides."""
    return _tconv(x, k, stride)[padding:, padding:]


@TCONV2D_SCATTER.mistake("cropped only above and below")
def _(x, k, stride=1, padding=0):
    """The padding was taken away only above and below. Take it away on all four sides: rows and columns."""
    return _tconv(x, k, stride)[padding : (len(x) - 1) * stride + len(k) - padding]


@TCONV2D_SCATTER.mistake("convolution")
def _(x, k, stride=1, padding=0):
    """You wrote the convolution, which makes images smaller. Turn it round: each pixel of x is multiplied with the
    whole kernel, and that is laid down in y."""
    return conv2d(x, k, stride=stride, padding=padding)


@TCONV2D_SCATTER.mistake("pixel ignored")
def _(x, k, stride=1, padding=0):
    """Your stamps are all the same: the kernel itself. Multiply it with the pixel, x[i, j] * k."""
    return _tconv(np.ones_like(x), k, stride, padding)


@TCONV2D_SCATTER.mistake("kernel ignored")
def _(x, k, stride=1, padding=0):
    """Your stamps are flat: each pixel was laid down as it is. Multiply it with the kernel, x[i, j] * k."""
    return _tconv(x, np.ones_like(k), stride, padding)


TCONV2D_SCATTER.mistake(
    "only the first row of stamps",
    "Only the pixels of the first row were laid down. Does the `return` stand inside the outer loop? Move it to the "
    "left, below both loops.",
    _stamped(_added, pixels=lambda x: [(0, j) for j in range(x.shape[1])]),
)
TCONV2D_SCATTER.mistake(
    "only the first stamp",
    "Only the first pixel was laid down. Does the `return` stand inside the inner loop? Move it to the left, below "
    "both loops.",
    _stamped(_added, pixels=lambda x: [(0, 0)]),
)


# --- tconv_size -------------------------------------------------------------------------------------------------------


def _tconv_size(i: int, k: int, s: int = 1, p: int = 0, op: int = 0) -> int:
    return (i - 1) * s + k - 2 * p + op


def _size_cases(rng: np.random.Generator) -> list[Case]:
    visible = [
        ("the lesson's numbers and kernel", (2, 3), {}),
        ("a U-Net's up-convolution", (28, 2), {"s": 2}),
        ("a stride of 2", (2, 3), {"s": 2}),
        ("a stride of 2 and a padding", (2, 3), {"s": 2, "p": 1}),
        ("one of the sizes that shrink to 6", (6, 5), {"s": 3, "p": 2}),
        ("another one", (6, 5), {"s": 3, "p": 2, "op": 1}),
    ]
    a, b, c, d = rng.integers(5, 2000, 4).tolist()
    k, s = rng.integers((7, 3), (40, 20)).tolist()
    extra: list[tuple[str, tuple[int, int], dict[str, int]]] = [
        ("a padding that keeps the size", (a, 3), {"p": 1}),
        ("exactly twice as large", (b, 3), {"s": 2, "p": 1, "op": 1}),
        ("exactly twice as large, by another kernel", (c, 4), {"s": 2, "p": 1}),
        ("gaps between the stamps", (d, 2), {"s": 4}),
        ("a single pixel", (1, k), {"s": s, "p": 2, "op": int(rng.integers(1, s))}),
    ]
    for _ in range(4):
        i, k, s, p = rng.integers((5, 5, 3, 1), (2000, 12, 8, 3)).tolist()
        extra.append(("drawn at random", (i, k), {"s": s, "p": p, "op": int(rng.integers(1, s))}))
    return [Case(*case, group="visible") for case in visible] + [Case(*case) for case in extra]


TCONV_SIZE = Exercise(
    name="tconv_size",
    points=1,
    reference=_tconv_size,
    cases=_size_cases,
    whole=True,
    forbidden=("unet_edu.transposed.*", *CONVOLUTIONS),
)
TCONV_SIZE.mistake(
    "output padding ignored",
    "The output padding op has no effect in your function. With a stride of s, s different sizes shrink to the same "
    "size; op says which of them you want back. It is added once, at the end.",
    without(_tconv_size, "op"),
)


@TCONV_SIZE.mistake("output padding added twice")
def _(i, k, s=1, p=0, op=0):
    """You added the output padding on both sides. It is added on one side only: once."""
    return (i - 1) * s + k - 2 * p + 2 * op


@TCONV_SIZE.mistake("padding added")
def _(i, k, s=1, p=0, op=0):
    """You added the padding. In a transposed convolution it is taken away: it undoes the zeros that a convolution
    adds."""
    return (i - 1) * s + k + 2 * p + op


@TCONV_SIZE.mistake("padding counted once")
def _(i, k, s=1, p=0, op=0):
    """Padding is taken away on both ends, so it counts twice."""
    return (i - 1) * s + k - p + op


TCONV_SIZE.mistake(
    "padding ignored",
    "The padding has no effect in your function. It is taken away on both ends.",
    without(_tconv_size, "p"),
)
TCONV_SIZE.mistake(
    "stamps so far",
    "Good so far: without padding you are right. Next: p and op. The first is taken away on both ends, the second "
    "added on one.",
    without(_tconv_size, "p", "op"),
)


@TCONV_SIZE.mistake("a step for every pixel")
def _(i, k, s=1, p=0, op=0):
    """You count a step for each of the i pixels. From the first stamp to the last there are only i − 1 steps."""
    return i * s + k - 2 * p + op


@TCONV_SIZE.mistake("size times stride")
def _(i, k, s=1, p=0, op=0):
    """You multiplied the size by the stride, and that is all. It is right only when the rest cancels. The last stamp
    starts at (i − 1)·s; how far does it reach?"""
    return i * s


@TCONV_SIZE.mistake("last stamp one short")
def _(i, k, s=1, p=0, op=0):
    """Your sizes are 1 too small. The last stamp starts at (i − 1)·s and covers k pixels: its last one is (i − 1)·s + k
    − 1, and counting from 0 makes that one more."""
    return (i - 1) * s + k - 1 - 2 * p + op


@TCONV_SIZE.mistake("one too many")
def _(i, k, s=1, p=0, op=0):
    """Your sizes are 1 too large. A convolution's formula ends with + 1, for the first window. Here the first stamp is
    in the k already."""
    return (i - 1) * s + k - 2 * p + op + 1


@TCONV_SIZE.mistake("size without a stride, made longer")
def _(i, k, s=1, p=0, op=0):
    """i·s + k − 1 is right for a stride of 1 only. In general there are i − 1 steps of s, and then a whole kernel."""
    return i * s + k - 1 - 2 * p + op


@TCONV_SIZE.mistake("product before difference")
def _(i, k, s=1, p=0, op=0):
    """Your function computes i − s. In i - 1 * s the product comes first: put brackets around i - 1."""
    return i - 1 * s + k - 2 * p + op


@TCONV_SIZE.mistake("kernel forgotten")
def _(i, k, s=1, p=0, op=0):
    """The kernel has no effect in your function. The last stamp starts at (i − 1)·s and covers k pixels."""
    return (i - 1) * s + 1 - 2 * p + op


TCONV_SIZE.mistake(
    "stride ignored",
    "The stride has no effect in your function. The stamps of neighbouring pixels lie s apart.",
    without(_tconv_size, "s"),
)


@TCONV_SIZE.mistake("size of a convolution")
def _(i, k, s=1, p=0, op=0):
    """That is the size after a convolution, which makes images smaller. Here you go the other way: given the
    convolution's output size i, what was its input size?"""
    return (i + 2 * p - k) // s + 1


@TCONV_SIZE.mistake("float returned")
def _(i, k, s=1, p=0, op=0):
    """The number is right, but its type is float, and no array can have 3.0 rows. Return an int."""
    return float((i - 1) * s + k - 2 * p + op)


# --- overlap_counts ---------------------------------------------------------------------------------------------------


def _overlap_counts(n: int, k: int, s: int) -> Array:
    counts = np.zeros((n - 1) * s + k, int)
    for j in range(n):
        counts[j * s : j * s + k] += 1
    return counts


def _count_cases(rng: np.random.Generator) -> list[Case]:
    visible = {
        "a kernel of 3 and a stride of 2: a checkerboard": (4, 3, 2),
        "a kernel of 4 and a stride of 2: even inside": (4, 4, 2),
        "a U-Net's up-convolution": (3, 2, 2),
    }
    a, b, c, d = rng.integers(6, 40, 4).tolist()
    k, s, times, gap, one = rng.integers((3, 2, 2, 1, 3), (20, 8, 5, 6, 200)).tolist()
    extra = {
        "a stride of 1": (a, k, 1),
        "a stride larger than the kernel": (b, k, k + gap),
        "a kernel that the stride does not divide": (c, times * s + 1, s),
        "a kernel that the stride divides: even inside": (d, times * s, s),
        "a single pixel": (1, one, s),
    }
    cases = [Case(name, args, group="visible") for name, args in visible.items()]
    cases += [Case(name, args) for name, args in extra.items()]
    for n, k, s in rng.integers((6, 3, 2), (40, 20, 8), (3, 3)).tolist():
        cases.append(Case("drawn at random", (n, k, s)))
    return cases


def _other_stamps(width: int = 0, pixels: int = 0, step: int | None = None) -> Callable[..., Array]:
    """Stamps that are some pixels wider, from some pixels more, or another step apart, in an output of the right
    size."""

    def wrong(n: int, k: int, s: int) -> Array:
        counts = np.zeros((n - 1) * s + k, int)
        for j in range(n + pixels):
            start = j * (step or s)
            counts[start : start + k + width] += 1
        return counts

    return wrong


def _of_length(length: Callable[[int, int, int], int]) -> Callable[..., Array]:
    """The right counts, cut off or continued with zeros."""

    def wrong(n: int, k: int, s: int) -> Array:
        counts = _overlap_counts(n, k, s)
        missing = length(n, k, s) - len(counts)
        return np.pad(counts, (0, missing)) if missing > 0 else counts[: len(counts) + missing]

    return wrong


OVERLAP_COUNTS = Exercise(
    name="overlap_counts",
    points=2,
    reference=_overlap_counts,
    cases=_count_cases,
    forbidden=("unet_edu.*conv*2d*", "unet_edu.transposed.*", "torch.*[cC]onv*", "torch.*.[fF]old", "scipy.signal.*"),
)


@OVERLAP_COUNTS.mistake("border ignored")
def _(n: int, k: int, s: int) -> list[int]:
    """Your counts are right inside, but not at the border. There the row of pixels ends, and no stamp comes from
    outside: the counts are smaller."""
    # The counts of a row of pixels that goes on to both sides for ever.
    return [t // s + (k - 1 - t) // s + 1 for t in range((n - 1) * s + k)]


@OVERLAP_COUNTS.mistake("overwritten in place of added")
def _(n, k, s):
    """You say only whether a stamp reaches a pixel, not how many do. Add 1 for each stamp: += in place of =."""
    return np.minimum(_overlap_counts(n, k, s), 1)


@OVERLAP_COUNTS.mistake("stride ignored")
def _(n, k, s):
    """The stride has no effect in your function. The stamps of neighbouring pixels start s apart."""
    return _overlap_counts(n, k, 1)


OVERLAP_COUNTS.mistake(
    "stamps one apart in a large output",
    "Your output is as long as it should be, but the stamps start one pixel apart. The stamp of pixel j starts at j·s.",
    _other_stamps(step=1),
)


@OVERLAP_COUNTS.mistake("kernel and stride swapped")
def _(n, k, s):
    """Kernel and stride are swapped: your stamps are s wide and start k apart. They are k wide and start s apart."""
    return _overlap_counts(n, s, k)


OVERLAP_COUNTS.mistake(
    "output as long as n times the stride",
    "Your output ends after n·s pixels. The last stamp starts at (n − 1)·s and is k wide: how far does it reach?",
    _of_length(lambda n, k, s: n * s),
)
OVERLAP_COUNTS.mistake(
    "too long by one stride",
    "Your output has pixels at its end that no stamp can reach. From the first stamp to the last there are n − 1 "
    "steps, not n.",
    _of_length(lambda n, k, s: n * s + k),
)
OVERLAP_COUNTS.mistake(
    "one too short",
    "Your output is one pixel too short. The last stamp covers the pixels from (n − 1)·s to (n − 1)·s + k − 1; "
    "counting from 0, that makes one more.",
    _of_length(lambda n, k, s: (n - 1) * s + k - 1),
)
OVERLAP_COUNTS.mistake(
    "last pixel forgotten",
    "The stamp of the last pixel is missing. There are n of them; range(n) already leaves n out.",
    _other_stamps(pixels=-1),
)
OVERLAP_COUNTS.mistake(
    "stamps one too narrow",
    "Your stamps are k − 1 wide. From a to b, the slice [a:b] leaves out b itself.",
    _other_stamps(width=-1),
)
OVERLAP_COUNTS.mistake(
    "stamps one too wide",
    "Your stamps are k + 1 wide. A stamp that starts at a covers a, a + 1, … up to a + k − 1.",
    _other_stamps(width=1),
)


@OVERLAP_COUNTS.mistake("windows of a convolution")
def _(n: int, k: int, s: int) -> Array:
    """You counted the windows of a convolution over n pixels. Here n is the small side: each of the n pixels lays a
    stamp down in the larger output."""
    counts = np.zeros(n, int)
    for start in range(0, n - k + 1, s):
        counts[start : start + k] += 1
    return counts


@OVERLAP_COUNTS.mistake("both sides")
def _(n, k, s):
    """Your answer is a plane. Count along one side only; the plane follows from it by multiplying rows with columns."""
    return np.outer(_overlap_counts(n, k, s), _overlap_counts(n, k, s))


# --- repair_tconv -----------------------------------------------------------------------------------------------------


# What is wrong with the code that is to be repaired, and what to say of it where it is left.
LEFT_IN_TCONV = {
    "zeros behind the last pixel": (
        "Where the stride is not 1, your answer has rows and columns too many: count the zeros that stand behind the "
        "last pixel."
    ),
    "kernel not turned": (
        "The kernel lies there as it is. Follow one pixel: which weight does it meet first, and which one does its "
        "stamp have in the upper left corner?"
    ),
    "height and width of the ring swapped": (
        "Where the kernel is no square, the ring of zeros has a wrong width: which side of the kernel hangs over the "
        "upper edge?"
    ),
    "one kernel for all channels": (
        "All channels of x meet the weights of the first: each has kernels of its own, and x has as many channels as w."
    ),
}


def _repaired_tconv(x: Array, w: Array, stride: int = 1) -> Array:
    return conv_transpose2d(x[None], w, stride=stride)[0]


def _by_zeros(*left: str, turn: tuple[int, int] = (-1, -1), ring: int = 0) -> Callable[..., Array]:
    """The given code, with the mistakes that are left in it; the kernel turned otherwise; a ring that is too wide."""

    def wrong(x: Array, w: Array, stride: int = 1) -> Array:
        (channels, H, W), (kH, kW) = x.shape, w.shape[2:]
        behind = 0 if "zeros behind the last pixel" not in left else stride - 1
        spread = np.zeros((channels, (H - 1) * stride + 1 + behind, (W - 1) * stride + 1 + behind))
        spread[:, ::stride, ::stride] = x
        sides = (kW, kH) if "height and width of the ring swapped" in left else (kH, kW)
        around = [(n - 1 + ring, n - 1 + ring) for n in sides]
        spread = np.pad(spread, ((0, 0), *around))
        if "one kernel for all channels" in left:
            w = np.broadcast_to(w[:1], w.shape)
        if "kernel not turned" not in left:
            w = w[:, :, :: turn[0], :: turn[1]]
        return conv2d(spread[None], w.swapaxes(0, 1))[0]

    return wrong


def _stamped_maps(write: Callable[[Array, Array, float], Array]) -> Callable[..., Array]:
    """Stamps in place of zeros, each map with another way to write them; channel after channel."""

    def wrong(x: Array, w: Array, stride: int = 1) -> Array:
        y = np.zeros(_repaired_tconv(x, w, stride).shape)
        for c, m in np.ndindex(w.shape[:2]):
            for i, j in np.ndindex(*x.shape[1:]):
                there = y[m, i * stride : i * stride + w.shape[2], j * stride : j * stride + w.shape[3]]
                there[...] = write(there, w[c, m], float(x[c, i, j]))
        return y

    return wrong


def _left_over() -> Iterator[tuple[tuple[str, ...], str]]:
    """Each set of mistakes that was not found, and what to say of it."""
    counts = ("One of the four is left.", "Two of the four are left.", "Three of the four are left.")
    for number, count in enumerate(counts, 1):
        for left in itertools.combinations(LEFT_IN_TCONV, number):
            yield left, " ".join([count, *(LEFT_IN_TCONV[name] for name in left)])
    yield (
        tuple(LEFT_IN_TCONV),
        (
            "These are the answers of the code that you were given: all four mistakes are still in it. Begin with the "
            "stride: try an image of one pixel, and see how large the answer is."
        ),
    )


def _repair_cases(rng: np.random.Generator) -> list[Case]:
    four, tried = np.array([[[2, 1], [4, 4]]]), np.array([[[[1, 2, 1], [2, 4, 2], [1, 2, 1]]]])
    two = np.array([[[1, 2]], [[3, 1]]]), np.array([[[[1, 10]], [[0, 2]]], [[[5, 0]], [[1, 1]]]])

    def case(name: str, x_shape: tuple[int, ...], w_shape: tuple[int, ...], stride: int = 1) -> Case:
        x, w = rng.normal(size=x_shape) + 2, rng.normal(size=w_shape) - 1
        return Case(name, (x, w), {"stride": stride})

    return [
        Case(
            "the trial: one channel, stride 1, a kernel that looks the same from all sides",
            (four, tried),
            group="visible",
        ),
        Case(
            "the lesson's numbers and kernel, with a stride of 2",
            (four, KERNEL[None, None]),
            {"stride": 2},
            group="visible",
        ),
        Case("two channels, two maps, and kernels of 1×2", two, group="visible"),
        case("three channels, one map, kernels of 2×3", (3, 3, 4), (3, 1, 2, 3)),
        case("one channel, three maps, kernels of 3×2, with a stride of 2", (1, 4, 3), (1, 3, 3, 2), 2),
        case("as many maps as channels, with a stride of 2", (2, 3, 4), (2, 2, 3, 3), 2),
        case("a U-Net's up-convolution, which halves the channels", (4, 2, 3), (4, 2, 2, 2), 2),
        case("a stride larger than the kernel: gaps stay zero", (2, 2, 3), (2, 3, 2, 2), 3),
        case("a single pixel", (3, 1, 1), (3, 2, 4, 3), 2),
        case("kernels of 4×4 with a stride of 3", (2, 3, 2), (2, 1, 4, 4), 3),
    ]


REPAIR_TCONV = Exercise(
    name="repair_tconv",
    points=2,
    reference=_repaired_tconv,
    cases=_repair_cases,
    linear="x",
    forbidden=("unet_edu.*conv*2d*", "unet_edu.transposed.*", "unet_edu.matrix.*", "torch.*.[fF]old", *CONVOLUTIONS),
)
for _left, _hint in _left_over():
    REPAIR_TCONV.mistake(" and ".join(_left), _hint, _by_zeros(*_left))
REPAIR_TCONV.mistake(
    "kernel turned upside down only",
    "Nearly: the kernel is turned upside down, but not left to right. A turn by 180° does both.",
    _by_zeros(turn=(-1, 1)),
)
REPAIR_TCONV.mistake(
    "kernel turned left to right only",
    "Nearly: the kernel is turned left to right, but not upside down. A turn by 180° does both.",
    _by_zeros(turn=(1, -1)),
)
REPAIR_TCONV.mistake(
    "channels turned, and rows",
    "Nearly: you turned two axes of three. If they are those of w[:, m], the first of them counts the channels, which "
    "stay in their order. A kernel's rows and columns are the last two axes.",
    lambda x, w, stride=1: _by_zeros(turn=(-1, 1))(x, w[::-1], stride),
)
REPAIR_TCONV.mistake(
    "channels turned, too",
    "Nearly: the kernels are turned. But so is the order of the channels, and the first channel of x meets the weights "
    "of the last. Turn only the last two axes.",
    lambda x, w, stride=1: _repaired_tconv(x, w[::-1], stride),
)
REPAIR_TCONV.mistake(
    "each channel meets all weights",
    "The windows of all channels meet the weights of each channel. In a loop over the channels, the window of channel "
    "c alone meets w[c, m].",
    lambda x, w, stride=1: _repaired_tconv(x, np.broadcast_to(w.sum(axis=0), w.shape), stride),
)
REPAIR_TCONV.mistake(
    "ring one too wide",
    "Your answer has a ring of zeros around it that no stamp reaches. The first window holds one pixel alone, in its "
    "last row and column: how many rows of zeros are above it?",
    _by_zeros(ring=1),
)
REPAIR_TCONV.mistake(
    "stamps overwrite each other",
    "Where stamps overlap, or where channels meet in one map, your later stamp overwrites the earlier one. They add "
    "up.",
    _stamped_maps(_overwritten),
)


@REPAIR_TCONV.mistake("stride in the kernel")
def _(x: Array, w: Array, stride: int = 1) -> Array:
    """You put the zeros between the weights of the kernel. They belong between the pixels: the stamps keep their size,
    and lie further apart."""
    kernel = insert_zeros(w, stride)
    return conv_transpose2d(x[None], kernel)[0]


@REPAIR_TCONV.mistake("stride has no effect")
def _(x: Array, w: Array, stride: int = 1) -> Array:
    """The stride has no effect in your function: no zeros stand between the pixels."""
    return _repaired_tconv(x, w)


@REPAIR_TCONV.mistake("channels and maps swapped")
def _(x: Array, w: Array, stride: int = 1) -> Array:
    """You read w as a convolution's array, with the maps first. In a transposed convolution the channels of x come
    first: w[c, m] leads from channel c to map m."""
    if w.shape[0] != w.shape[1]:
        raise ValueError("as many maps as channels are needed")
    return _repaired_tconv(x, w.swapaxes(0, 1), stride)


@REPAIR_TCONV.mistake("only the first channel")
def _(x: Array, w: Array, stride: int = 1) -> Array:
    """Only the first channel of x reaches your answer. Each map is a sum over all channels."""
    return _repaired_tconv(x[:1], w[:1], stride)


@REPAIR_TCONV.mistake("only the last channel")
def _(x: Array, w: Array, stride: int = 1) -> Array:
    """Only the last channel of x is left in your answer. Add the channels up: += in place of =."""
    return _repaired_tconv(x[-1:], w[-1:], stride)


@REPAIR_TCONV.mistake("channels averaged")
def _(x: Array, w: Array, stride: int = 1) -> Array:
    """You took the mean over the channels. They add up."""
    return _repaired_tconv(x, w, stride) / len(x)


# --- even_kernel ------------------------------------------------------------------------------------------------------


def _by_groups(
    share: Callable[[Array, Array], Array] = lambda group, k: group / group.sum(),
    rows: Callable[[int], int] = lambda stride: stride,
    columns: Callable[[int], int] = lambda stride: stride,
) -> Callable[..., Array]:
    """Another share for each group, by the group and the whole kernel; or other groups."""

    def made(k: Array, stride: int) -> Array:
        even = np.zeros(k.shape)
        for a, b in np.ndindex(rows(stride), columns(stride)):
            even[a :: rows(stride), b :: columns(stride)] = share(k[a :: rows(stride), b :: columns(stride)], k)
        return even

    return made


def _even_kernel(k: Array, stride: int) -> Array:
    return _by_groups()(k, stride)


def _even_cases(rng: np.random.Generator) -> list[Case]:
    def case(name: str, shape: tuple[int, int], stride: int, sign: int = 1) -> Case:
        return Case(name, (sign * (rng.random(shape) + 0.1), stride))

    return [
        Case("ones, 3×3, with a stride of 2", (np.ones((3, 3), int), 2), group="visible"),
        Case(
            "a kernel of 3×4, with a stride of 2",
            (np.array([[1, 3, 4, 1], [1, 1, 3, 4], [2, 2, 1, 4]]), 2),
            group="visible",
        ),
        Case("a stride of 1", (np.array([[1, 3], [4, 2]]), 1), group="visible"),
        case("a kernel of 4×4 with a stride of 2", (4, 4), 2),
        case("a kernel of 5×5 with a stride of 3", (5, 5), 3),
        case("a kernel of 4×7 with a stride of 3", (4, 7), 3),
        case("a kernel of 7×5 with a stride of 4", (7, 5), 4),
        case("a kernel of 5×3 with a stride of 2, negative", (5, 3), 2, sign=-1),
        case("a kernel of 2×5 with a stride of 1", (2, 5), 1),
        case("a kernel of 6×6 with a stride of 3", (6, 6), 3),
        Case("whole numbers, 5×6, with a stride of 2", (rng.integers(1, 10, (5, 6)), 2)),
    ]


EVEN_KERNEL = Exercise(
    name="even_kernel",
    points=2,
    reference=_even_kernel,
    cases=_even_cases,
    keeps_inputs=True,
    forbidden=("unet_edu.transposed.*", *CONVOLUTIONS),
)
EVEN_KERNEL.mistake(
    "weights counted, not added",
    "You divided each group by the number of its weights. That is right for a kernel of ones only. What does a pixel "
    "of a flat image become when the weights are not 1?",
    _by_groups(lambda group, k: group / group.size),
)
EVEN_KERNEL.mistake(
    "one sum for the whole kernel",
    "The whole kernel adds up to 1. That keeps a flat image flat at stride 1, where every pixel meets all weights. "
    "With a larger stride a pixel meets one group: each group needs the sum 1.",
    _by_groups(lambda group, k: group / k.sum()),
)
EVEN_KERNEL.mistake(
    "right on average",
    "Your groups have the sum 1 on average, so the image keeps its brightness. But they still differ, and the "
    "checkerboard stays: divide each group by its own sum.",
    lambda k, stride: k * stride**2 / k.sum(),
)
EVEN_KERNEL.mistake(
    "all groups equal, none of them 1",
    "All your groups have the same sum, so no checkerboard is left. But the image changes its brightness: 1 has to "
    "become 1.",
    lambda k, stride: _even_kernel(k, stride) * k.sum() / stride**2,
)
EVEN_KERNEL.mistake(
    "sum of the first group for all",
    "You divided all groups by the sum of the first. Each has a sum of its own.",
    lambda k, stride: k / k[::stride, ::stride].sum(),
)
EVEN_KERNEL.mistake(
    "only the first group",
    "Only your first group is right; the others are as they were. There are stride · stride groups: the rows begin at "
    "0, 1, … up to stride − 1, and so do the columns.",
    lambda k, stride: np.where(
        np.outer(np.arange(len(k)) % stride == 0, np.arange(k.shape[1]) % stride == 0), _even_kernel(k, stride), k
    ),
)
EVEN_KERNEL.mistake(
    "groups along the diagonal",
    "Only the groups whose rows and columns begin at the same number are divided. A group may begin at row 0 and "
    "column 1, too: two loops, one inside the other.",
    lambda k, stride: np.where(
        np.equal.outer(np.arange(len(k)) % stride, np.arange(k.shape[1]) % stride), _even_kernel(k, stride), k
    ),
)
EVEN_KERNEL.mistake(
    "groups along the diagonal, zeros elsewhere",
    "Only the groups whose rows and columns begin at the same number are there; all else is 0. A group may begin at "
    "row 0 and column 1, too: two loops, one inside the other.",
    lambda k, stride: np.where(
        np.equal.outer(np.arange(len(k)) % stride, np.arange(k.shape[1]) % stride), _even_kernel(k, stride), 0
    ),
)
EVEN_KERNEL.mistake(
    "groups begin everywhere",
    "You let a group begin at every row and every column of the kernel. From row `stride` on, its first weights are "
    "missing, and its sum is too small. Groups begin at 0, 1, … up to stride − 1.",
    lambda k, stride: np.array(
        [[k[a, b] / k[a::stride, b::stride].sum() for b in range(k.shape[1])] for a in range(len(k))]
    ),
)
EVEN_KERNEL.mistake(
    "rows, then columns",
    "You divided twice: by sums of every stride-th row, and then by sums of every stride-th column. After the second "
    "the sums of the first are no longer 1. A group is chosen by both at once: k[a::stride, b::stride].",
    lambda k, stride: _by_groups(rows=lambda _: 1)(_by_groups(columns=lambda _: 1)(k, stride), stride),
)
EVEN_KERNEL.mistake(
    "one column per group",
    "Each of your groups holds weights of a single column. A pixel meets every stride-th column, as it meets every "
    "stride-th row.",
    lambda k, stride: k / np.stack([k[a::stride].sum(axis=0) for a in np.arange(len(k)) % stride]),
)
EVEN_KERNEL.mistake(
    "one row per group",
    "Each of your groups holds weights of a single row. A pixel meets every stride-th row, as it meets every stride-th "
    "column.",
    lambda k, stride: k / np.stack([k[:, b::stride].sum(axis=1) for b in np.arange(k.shape[1]) % stride], axis=1),
)
EVEN_KERNEL.mistake(
    "groups of rows",
    "Your groups are rows: each holds every column. A pixel meets every stride-th column, too.",
    _by_groups(columns=lambda stride: 1),
)
EVEN_KERNEL.mistake(
    "groups of columns",
    "Your groups are columns: each holds every row. A pixel meets every stride-th row, too.",
    _by_groups(rows=lambda stride: 1),
)
EVEN_KERNEL.mistake(
    "a stride of 2 throughout",
    "You made four groups, which is right for a stride of 2. How many are there for another one?",
    _by_groups(rows=lambda stride: 2, columns=lambda stride: 2),
)
EVEN_KERNEL.mistake(
    "neighbours as a group",
    "Your groups are blocks of neighbours. Those that a pixel meets lie a stride apart: k[a::stride, b::stride].",
    lambda k, stride: (
        k
        / np.add.reduceat(np.add.reduceat(k, range(0, len(k), stride), axis=0), range(0, k.shape[1], stride), axis=1)
        .repeat(stride, axis=0)
        .repeat(stride, axis=1)[: len(k), : k.shape[1]]
    ),
)
EVEN_KERNEL.mistake(
    "mean of 1",
    "In your groups the weights are 1 on average. On a flat image a pixel is their sum, not their mean.",
    _by_groups(lambda group, k: group / group.mean()),
)
EVEN_KERNEL.mistake(
    "largest weight 1",
    "You divided each group by its largest weight. A pixel of a flat image is the group's sum.",
    _by_groups(lambda group, k: group / group.flat[np.abs(group).argmax()]),
)
EVEN_KERNEL.mistake(
    "missing part added",
    "Your groups have the sum 1, but you added the same number to each weight. Asked is another way: divide, so that "
    "the weights keep their proportions.",
    _by_groups(lambda group, k: group + (1 - group.sum()) / group.size),
)
EVEN_KERNEL.mistake(
    "multiplied",
    "You multiplied by the sums. Divide: a group with a large sum has to become weaker.",
    _by_groups(lambda group, k: group * group.sum()),
)
EVEN_KERNEL.mistake(
    "sums returned",
    "Good so far: these are the sums of the groups. Next: divide each group by its own, and return the kernel.",
    lambda k, stride: np.array([[k[a::stride, b::stride].sum() for b in range(stride)] for a in range(stride)]),
)
EVEN_KERNEL.mistake(
    "nothing done",
    "That is the kernel as it came. Look at the sum of one group, k[0::stride, 0::stride]: it should be 1.",
    lambda k, stride: k,
)


LESSON = Lesson(
    folder="04_transposed_convolution",
    set_up="""\
import numpy as np
from unet_edu import check
from unet_edu.convolution import output_size
""",
    exercises=(CONV_MATRIX, TCONV_MATRIX, TCONV2D_SCATTER, TCONV_SIZE, OVERLAP_COUNTS, REPAIR_TCONV, EVEN_KERNEL),
)
