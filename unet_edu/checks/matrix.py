"""The exercises and the quick questions of lesson 04: what is asked, and which mistakes are known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unet_edu.checks.exercise import Case, Exercise, Misconception
from unet_edu.checks.libraries import CONVOLUTIONS
from unet_edu.checks.quiz import Option, Question, Quiz
from unet_edu.convolution import conv2d, conv2d_grad_input

__all__ = ["CONV_MATRIX", "EXERCISES", "OVERLAP_COUNTS", "QUIZ", "TCONV2D_SCATTER", "TCONV_MATRIX", "TCONV_SIZE"]

Array = NDArray[Any]

IMAGE_SIZE = (4, 4)
KERNEL = np.array([[1, 4, 1], [1, 4, 3], [3, 3, 1]])  # the lesson's
DIFFERENCE = np.array([[-1, 1]])  # each pixel from its right neighbour


# --- conv_matrix -------------------------------------------------------------------------------------------------------


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

    `column` takes i, j, u, v and then the sizes h, w, kW and w_out. A rule may leave the matrix: then there is no answer.
    """

    def wrong(k: Array, h: int, w: int) -> Array:
        (kH, kW), h_out, w_out = k.shape, h - k.shape[0] + 1, w - k.shape[1] + 1
        A = np.zeros((h_out * w_out, h * w), k.dtype)
        for r, (i, j) in enumerate(np.ndindex(h_out, w_out)):
            for u, v in np.ndindex(kH, kW):
                A[row(r, i, j, h_out), column(i, j, u, v, h, w, kW, w_out)] = k[u, v]
        return A

    return wrong


def _kernel_transposed(k: Array, h: int, w: int) -> Array:
    if k.shape[0] != k.shape[1]:
        raise ValueError("a transposed kernel of another height than width belongs to another matrix")
    return _conv_matrix(k.T, h, w)


def _padded_matrix(k: Array, h: int, w: int) -> Array:
    if k.shape[0] % 2 == 0 or k.shape[1] % 2 == 0:
        raise ValueError("a kernel of even size cannot be padded to keep the image's size on both sides alike")
    outputs = np.eye(h * w, dtype=k.dtype).reshape(h * w, 1, h, w)
    padding = (k.shape[0] // 2, k.shape[1] // 2)
    return conv2d_grad_input(outputs, k[None, None], (h, w), padding=padding).reshape(h * w, h * w)


def _row_for_every_shift(k: Array, h: int, w: int) -> Array:
    row = np.zeros((h, w), k.dtype)
    row[: k.shape[0], : k.shape[1]] = k
    shifts = h * w - ((k.shape[0] - 1) * w + k.shape[1]) + 1
    return np.array([np.roll(row.ravel(), shift) for shift in range(shifts)])


CONV_MATRIX = Exercise(
    name="conv_matrix",
    points=3,
    reference=lambda k, h, w: _conv_matrix(k, h, w),
    cases=_matrix_cases,
    forbidden=(
        "unet_edu.*conv*2d*",
        "unet_edu.matrix.*",
        "scipy.linalg.*toeplitz*",
        "scipy.linalg.convolution_matrix",
        *CONVOLUTIONS,
    ),
    misconceptions=(
        Misconception(
            "rows start one apart",
            "Your rows start one column after the other, also where the window goes back to the left edge. When it moves "
            "one row down, it moves on by a whole row of the image. How many columns is that?",
            _with_columns(lambda i, j, u, v, h, w, kW, w_out: i * w_out + j + u * w + v),
        ),
        Misconception(
            "width of the output throughout",
            "You counted with the output's width, w − kW + 1. The columns of the matrix are the pixels of the image, so "
            "one row further down is w columns further on, for the window and within it.",
            _with_columns(lambda i, j, u, v, h, w, kW, w_out: (i + u) * w_out + j + v),
        ),
        Misconception(
            "kernel without gaps, rows one apart",
            "In each of your rows the kernel's numbers stand side by side, and each row starts one column after the last. "
            "Make a plane of zeros of the image's size, lay the kernel into it at the window's place, and flatten that.",
            _with_columns(lambda i, j, u, v, h, w, kW, w_out: i * w_out + j + u * kW + v),
        ),
        Misconception(
            "windows move only to the right",
            "Your windows move to the right, but never down: the row i of the window has no effect. One row further down "
            "is w columns further on.",
            _with_columns(lambda i, j, u, v, h, w, kW, w_out: j + u * w + v),
        ),
        Misconception(
            "windows move only down",
            "Your windows move down, but never to the right: the column j of the window has no effect.",
            _with_columns(lambda i, j, u, v, h, w, kW, w_out: (i + u) * w + v),
        ),
        Misconception(
            "all rows the same",
            "Good so far: the first row is right. But all your rows are the same. The kernel moves over the image: in row "
            "r it lies on the window that gives output number r.",
            _with_columns(lambda i, j, u, v, h, w, kW, w_out: u * w + v),
        ),
        Misconception(
            "height in place of width",
            "You multiplied the row by the image's height. A row of the image holds w pixels, so one row further down is "
            "w columns further on.",
            _with_columns(lambda i, j, u, v, h, w, kW, w_out: (i + u) * h + j + v),
        ),
        Misconception(
            "image flattened column by column",
            "The columns of your matrix take the image column by column. x.ravel() goes row by row: pixel (i, j) is "
            "number i·w + j.",
            _with_columns(lambda i, j, u, v, h, w, kW, w_out: (j + v) * h + i + u),
        ),
        Misconception(
            "output flattened column by column",
            "Your rows are right, but not in their order: they take the output column by column. Let the loop over the "
            "columns be the inner one.",
            _with_columns(
                lambda i, j, u, v, h, w, kW, w_out: (i + u) * w + j + v, row=lambda r, i, j, h_out: j * h_out + i
            ),
        ),
        Misconception(
            "both flattened column by column",
            "Your matrix takes the image and the output column by column, as mathematics often does. NumPy's ravel() goes "
            "row by row: pixel (i, j) is number i·w + j.",
            _with_columns(
                lambda i, j, u, v, h, w, kW, w_out: (j + v) * h + i + u, row=lambda r, i, j, h_out: j * h_out + i
            ),
        ),
        Misconception(
            "all in the first row",
            "All windows went into row 0 of your matrix. Each window has its own row: does your row number grow?",
            _with_columns(lambda i, j, u, v, h, w, kW, w_out: (i + u) * w + j + v, row=lambda r, *_: 0),
        ),
        Misconception(
            "matrix transposed",
            "Your matrix lies on its side: this is Aᵀ. The matrix A times the image gives the output, so it has a column "
            "for each pixel of the image and a row for each number of the output.",
            lambda k, h, w: _conv_matrix(k, h, w).T,
        ),
        Misconception(
            "kernel flipped",
            "Your kernel is turned upside down and left to right. Lay it down as it is: k[0, 0] meets the window's upper "
            "left pixel.",
            lambda k, h, w: _conv_matrix(k[::-1, ::-1], h, w),
        ),
        Misconception(
            "kernel transposed",
            "Your kernel's rows and columns are swapped. k[u, v] belongs to the pixel u rows down and v columns to the "
            "right.",
            _kernel_transposed,
        ),
        Misconception(
            "padded",
            "Your matrix has a row for every pixel, as if the image were padded. Here the kernel stays inside the image: "
            "there are (h − kH + 1) · (w − kW + 1) windows, and as many rows.",
            _padded_matrix,
        ),
        Misconception(
            "windows over the right edge",
            "Your matrix has a row for every shift of the kernel. Some of them belong to windows that hang over the right "
            "edge and go on at the left of the next row. Leave these out: w − kW + 1 windows fit side by side.",
            _row_for_every_shift,
        ),
        Misconception(
            "one window short",
            "One row and one column of windows are missing. A kernel of 3 fits into 4 pixels at 2 places, 0 and 1: that "
            "is 4 − 3 + 1.",
            lambda k, h, w: _conv_matrix(
                np.pad(k, ((0, 1), (0, 1))), h, w
            ),  # a kernel one larger has one window fewer, and its zeros do nothing
        ),
        Misconception(
            "rows not flattened",
            "Each of your rows is still a plane of h×w numbers. Flatten it: ravel() lays its rows one after the other.",
            lambda k, h, w: _conv_matrix(k, h, w).reshape(-1, h, w),
        ),
        Misconception(
            "only the first row of windows",
            "Your matrix ends after the first row of windows. Does the `return` stand inside the outer loop? Move it to the left, below "
            "both loops.",
            lambda k, h, w: _conv_matrix(k, h, w)[: w - k.shape[1] + 1],
        ),
        Misconception(
            "only the last row of windows",
            "Your matrix holds only the last row of windows. Is the list of rows made anew inside the outer loop? Make it once, before "
            "the loops.",
            lambda k, h, w: _conv_matrix(k, h, w)[-(w - k.shape[1] + 1) :],
        ),
        Misconception(
            "only the first window",
            "Your matrix has one row, that of the first window. Does the `return` stand inside the inner loop? Move it to the left, below "
            "both loops.",
            lambda k, h, w: _conv_matrix(k, h, w)[:1],
        ),
        Misconception(
            "weights not stored",
            "Your matrix has the right size, but it is all zeros: the weights were not stored. Write A[r, …] = … in the "
            "loop.",
            lambda k, h, w: np.zeros_like(_conv_matrix(k, h, w)),
        ),
    ),
)


# --- tconv_matrix ------------------------------------------------------------------------------------------------------


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
            (rng.normal(size=(2, 3)), _conv_matrix(rng.normal(size=(3, 3)) + 2, 5, 7, stride=2), (5, 7)),
        ),
        Case("a matrix that belongs to no convolution", (rng.normal(size=(2, 3)), rng.normal(size=(6, 8)), (2, 4))),
    ]


TCONV_MATRIX = Exercise(
    name="tconv_matrix",
    points=1,
    reference=_tconv_matrix,
    cases=_tconv_matrix_cases,
    misconceptions=(
        Misconception(
            "inverse in place of transpose",
            "You used the (pseudo)inverse of A, which looks for an image that A would turn into y. The transpose is "
            "something else, and simpler: it swaps rows and columns and computes nothing.",
            lambda y, A, size: (np.linalg.pinv(A) @ y.ravel()).reshape(size),
        ),
        Misconception(
            "reshaped in place of transposed",
            "A.reshape(…) has the right shape, but it only cuts the same numbers into other rows. The transpose A.T makes "
            "rows of columns.",
            lambda y, A, size: (A.reshape(A.shape[::-1]) @ y.ravel()).reshape(size),
        ),
        Misconception(
            "not reshaped",
            "Good so far: the numbers are right. They still lie in one row; arrange them as an image of the given size.",
            lambda y, A, size: A.T @ y.ravel(),
        ),
        Misconception(
            "a column of numbers",
            "Good so far: the numbers are right. They still lie in one column; arrange them as an image of the given size.",
            lambda y, A, size: (A.T @ y.ravel())[:, None],
        ),
        Misconception(
            "a row of numbers",
            "Good so far: the numbers are right. They still lie in a single row of an array with two axes; arrange them "
            "as an image of the given size.",
            lambda y, A, size: y.reshape(1, -1) @ A,
        ),
        Misconception(
            "y flattened column by column",
            "You flattened y column by column. The rows of A follow y row by row, as y.ravel() does.",
            lambda y, A, size: (A.T @ y.ravel(order="F")).reshape(size),
        ),
        Misconception(
            "image filled column by column",
            "You filled the image column by column. The columns of A follow the image row by row, as reshape does.",
            lambda y, A, size: (A.T @ y.ravel()).reshape(size, order="F"),
        ),
        Misconception(
            "both column by column",
            "You flattened y and filled the image column by column. A was made for row by row, NumPy's own order.",
            lambda y, A, size: (A.T @ y.ravel(order="F")).reshape(size, order="F"),
        ),
        Misconception(
            "size turned round",
            "Your image has its height and width swapped. `size` is (rows, columns), just as reshape wants it.",
            lambda y, A, size: (A.T @ y.ravel()).reshape(size[::-1]),
        ),
        Misconception(
            "image on its side",
            "Your image lies on its side. Only the matrix is transposed; the image is reshaped and stays as it is.",
            lambda y, A, size: _tconv_matrix(y, A, size).T,
        ),
        Misconception(
            "products not added up",
            "You multiplied A's numbers with those of y, one by one, and did not add them up. A matrix times a vector "
            "does both: @.",
            lambda y, A, size: A.T * y.ravel(),
        ),
    ),
)


# --- tconv2d_scatter ---------------------------------------------------------------------------------------------------


def _tconv(x: Array, k: Array, stride: int = 1, padding: int = 0) -> Array:
    size = [(n - 1) * stride + m - 2 * padding for n, m in zip(x.shape, k.shape, strict=True)]
    return conv2d_grad_input(x, k, (size[0], size[1]), stride=stride, padding=padding)


def _scatter_cases(rng: np.random.Generator) -> list[Case]:
    x = np.array([[2, 1], [4, 4]])

    def case(name: str, x_shape: tuple[int, int], k_shape: tuple[int, int], **kwargs: int) -> Case:
        return Case(name, (rng.normal(size=x_shape) + 2, rng.normal(size=k_shape) - 1), kwargs)

    return [
        Case("the lesson's numbers and kernel", (x, KERNEL), group="visible"),
        Case("the same, with a stride of 2", (x, KERNEL), {"stride": 2}, group="visible"),
        Case("the same, with a padding, too", (x, KERNEL), {"stride": 2, "padding": 1}, group="visible"),
        case("an image of 3×4 and a kernel of 2×3, with fractions", (3, 4), (2, 3)),
        case("an image of 4×3 and a kernel of 3×2, with a stride of 2", (4, 3), (3, 2), stride=2),
        case("a stride larger than the kernel: gaps stay zero", (2, 3), (2, 2), stride=3),
        case("a U-Net's up-convolution: 2×2 with a stride of 2", (3, 5), (2, 2), stride=2),
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


def _transposed_kernel(x: Array, k: Array, stride: int = 1, padding: int = 0) -> Array:
    if k.shape[0] != k.shape[1]:
        raise ValueError("a transposed kernel of another height than width does not fit")
    return _tconv(x, k.T, stride, padding)


def _side_by_side(x: Array, k: Array, stride: int = 1, padding: int = 0) -> Array:
    return _cropped(np.kron(x, k), padding)


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
    forbidden=("unet_edu.*conv*2d*", "unet_edu.transposed.*", "unet_edu.matrix.*", "torch.*.[fF]old", *CONVOLUTIONS),
    misconceptions=(
        Misconception(
            "overwritten in place of added",
            "Where stamps overlap, your later stamp overwrites the earlier one. Add them up: += in place of =.",
            _stamped(_overwritten),
        ),
        Misconception(
            "overwritten, without stride and padding",
            "A good start, but where stamps overlap, the later one overwrites the earlier one. Add them up: += in place "
            "of =. After that, go on with the stride.",
            lambda x, k, stride=1, padding=0: _stamped(_overwritten)(x, k),
        ),
        Misconception(
            "kernel flipped",
            "Your kernel is turned upside down and left to right. That happens when one spreads the pixels out, pads them "
            "and convolves: on this way the kernel must be turned first. With stamps, lay it down as it is.",
            lambda x, k, stride=1, padding=0: _tconv(x, k[::-1, ::-1], stride, padding),
        ),
        Misconception(
            "kernel flipped, without stride and padding",
            "Your kernel is turned upside down and left to right. Lay it down as it is: k[0, 0] goes to the stamp's upper "
            "left corner. After that, go on with the stride.",
            lambda x, k, stride=1, padding=0: _tconv(x, k[::-1, ::-1]),
        ),
        Misconception(
            "kernel transposed",
            "Your kernel's rows and columns are swapped. The word “transposed” speaks of the convolution's matrix; the "
            "kernel stays as it is.",
            _transposed_kernel,
        ),
        Misconception(
            "stamps so far",
            "Good so far: the stamps are right. Next: the stride. The stamps of neighbouring pixels lie that far apart, "
            "and the output grows.",
            lambda x, k, stride=1, padding=0: _tconv(x, k),
        ),
        Misconception(
            "stamps and stride so far",
            "Good so far: stamps and stride are right. Next: the padding. It takes that many rows and columns away from "
            "each side of the output.",
            lambda x, k, stride=1, padding=0: _tconv(x, k, stride),
        ),
        Misconception(
            "stamps and padding so far",
            "Good so far: stamps and padding are right. Next: the stride. Pixel (i, j) lays its stamp down at row i · "
            "stride and column j · stride.",
            lambda x, k, stride=1, padding=0: _tconv(x, k, 1, padding),
        ),
        Misconception(
            "stride only down",
            "Your stamps move by the stride from row to row, but only by one from column to column.",
            _stamped(_added, at=lambda i, j, s: (i * s, j)),
        ),
        Misconception(
            "stride only across",
            "Your stamps move by the stride from column to column, but only by one from row to row.",
            _stamped(_added, at=lambda i, j, s: (i, j * s)),
        ),
        Misconception(
            "stamps one apart in a large output",
            "Your output has the right size, but the stamps lie only one pixel apart. Pixel (i, j) lays its stamp down at "
            "row i · stride and column j · stride.",
            _stamped(_added, at=lambda i, j, s: (i, j)),
        ),
        Misconception(
            "one zero too many between pixels",
            "Your stamps lie stride + 1 pixels apart. Between two pixels come stride − 1 zeros: with a stride of 1, none.",
            lambda x, k, stride=1, padding=0: _tconv(x, k, stride + 1, padding),
        ),
        Misconception(
            "stamps side by side",
            "Your stamps lie side by side and never overlap. How far apart they are is said by the stride, not by the "
            "kernel's size.",
            _side_by_side,
        ),
        Misconception(
            "too large by one stride",
            "Your output has rows and columns at its end that no stamp reaches. How many steps of the stride are there "
            "from the first pixel to the last? One fewer than there are pixels.",
            _margin(lambda s: s),
        ),
        Misconception(
            "size without a stride, made longer",
            "Your size is H · stride + kH − 1. For a stride of 1 that is right. In general there are H − 1 steps of the "
            "stride from the first pixel to the last, and then a whole kernel.",
            _margin(lambda s: s - 1),
        ),
        Misconception(
            "slice to minus zero",
            "Your output is empty where padding is 0: y[0:-0] means y[0:0], which holds nothing. Count the end from the "
            "front: y[padding : n − padding].",
            lambda x, k, stride=1, padding=0: _tconv(x, k, stride)[padding:-padding, padding:-padding],
        ),
        Misconception(
            "zeros put around the output",
            "You put zeros around the output. The padding of a transposed convolution takes rows and columns away: it "
            "undoes the zeros that a convolution puts around its input.",
            lambda x, k, stride=1, padding=0: np.pad(_tconv(x, k, stride), padding),
        ),
        Misconception(
            "cropped only above and left",
            "The padding was taken away only above and to the left. Take it away on all four sides.",
            lambda x, k, stride=1, padding=0: _tconv(x, k, stride)[padding:, padding:],
        ),
        Misconception(
            "cropped only above and below",
            "The padding was taken away only above and below. Take it away on all four sides: rows and columns.",
            lambda x, k, stride=1, padding=0: _tconv(x, k, stride)[padding : (len(x) - 1) * stride + len(k) - padding],
        ),
        Misconception(
            "convolution",
            "You wrote the convolution, which makes images smaller. Turn it round: each pixel of x is multiplied with the "
            "whole kernel, and that is laid down in y.",
            lambda x, k, stride=1, padding=0: conv2d(x, k, stride=stride, padding=padding),
        ),
        Misconception(
            "pixel ignored",
            "Your stamps are all the same: the kernel itself. Multiply it with the pixel, x[i, j] * k.",
            lambda x, k, stride=1, padding=0: _tconv(np.ones_like(x), k, stride, padding),
        ),
        Misconception(
            "kernel ignored",
            "Your stamps are flat: each pixel was laid down as it is. Multiply it with the kernel, x[i, j] * k.",
            lambda x, k, stride=1, padding=0: _tconv(x, np.ones_like(k), stride, padding),
        ),
        Misconception(
            "only the first row of stamps",
            "Only the pixels of the first row were laid down. Does the `return` stand inside the outer loop? Move it to "
            "the left, below both loops.",
            _stamped(_added, pixels=lambda x: [(0, j) for j in range(x.shape[1])]),
        ),
        Misconception(
            "only the first stamp",
            "Only the first pixel was laid down. Does the `return` stand inside the inner loop? Move it to the left, "
            "below both loops.",
            _stamped(_added, pixels=lambda x: [(0, 0)]),
        ),
        Misconception(
            "result not stored",
            "Your output has the right size, but it is all zeros: the stamps were not added to it.",
            lambda x, k, stride=1, padding=0: np.zeros_like(_tconv(x, k, stride, padding)),
        ),
    ),
)


# --- tconv_size --------------------------------------------------------------------------------------------------------


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
    misconceptions=(
        Misconception(
            "output padding ignored",
            "The output padding op has no effect in your function. With a stride of s, s different sizes shrink to the "
            "same size; op says which of them you want back. It is added once, at the end.",
            lambda i, k, s=1, p=0, op=0: (i - 1) * s + k - 2 * p,
        ),
        Misconception(
            "output padding added twice",
            "You added the output padding on both sides. It is added on one side only: once.",
            lambda i, k, s=1, p=0, op=0: (i - 1) * s + k - 2 * p + 2 * op,
        ),
        Misconception(
            "padding added",
            "You added the padding. In a transposed convolution it is taken away: it undoes the zeros that a convolution "
            "adds.",
            lambda i, k, s=1, p=0, op=0: (i - 1) * s + k + 2 * p + op,
        ),
        Misconception(
            "padding counted once",
            "Padding is taken away on both ends, so it counts twice.",
            lambda i, k, s=1, p=0, op=0: (i - 1) * s + k - p + op,
        ),
        Misconception(
            "padding ignored",
            "The padding has no effect in your function. It is taken away on both ends.",
            lambda i, k, s=1, p=0, op=0: (i - 1) * s + k + op,
        ),
        Misconception(
            "stamps so far",
            "Good so far: without padding you are right. Next: p and op. The first is taken away on both ends, the second "
            "added on one.",
            lambda i, k, s=1, p=0, op=0: (i - 1) * s + k,
        ),
        Misconception(
            "a step for every pixel",
            "You count a step for each of the i pixels. From the first stamp to the last there are only i − 1 steps.",
            lambda i, k, s=1, p=0, op=0: i * s + k - 2 * p + op,
        ),
        Misconception(
            "size times stride",
            "You multiplied the size by the stride, and that is all. It is right only when the rest cancels. The last "
            "stamp starts at (i − 1)·s; how far does it reach?",
            lambda i, k, s=1, p=0, op=0: i * s,
        ),
        Misconception(
            "last stamp one short",
            "Your sizes are 1 too small. The last stamp starts at (i − 1)·s and covers k pixels: its last one is (i − "
            "1)·s + k − 1, and counting from 0 makes that one more.",
            lambda i, k, s=1, p=0, op=0: (i - 1) * s + k - 1 - 2 * p + op,
        ),
        Misconception(
            "one too many",
            "Your sizes are 1 too large. A convolution's formula ends with + 1, for the first window. Here the first "
            "stamp is in the k already.",
            lambda i, k, s=1, p=0, op=0: (i - 1) * s + k - 2 * p + op + 1,
        ),
        Misconception(
            "size without a stride, made longer",
            "i·s + k − 1 is right for a stride of 1 only. In general there are i − 1 steps of s, and then a whole kernel.",
            lambda i, k, s=1, p=0, op=0: i * s + k - 1 - 2 * p + op,
        ),
        Misconception(
            "product before difference",
            "Your function computes i − s. In i - 1 * s the product comes first: put brackets around i - 1.",
            lambda i, k, s=1, p=0, op=0: i - 1 * s + k - 2 * p + op,
        ),
        Misconception(
            "kernel forgotten",
            "The kernel has no effect in your function. The last stamp starts at (i − 1)·s and covers k pixels.",
            lambda i, k, s=1, p=0, op=0: (i - 1) * s + 1 - 2 * p + op,
        ),
        Misconception(
            "stride ignored",
            "The stride has no effect in your function. The stamps of neighbouring pixels lie s apart.",
            lambda i, k, s=1, p=0, op=0: i + k - 1 - 2 * p + op,
        ),
        Misconception(
            "size of a convolution",
            "That is the size after a convolution, which makes images smaller. Here you go the other way: given the "
            "convolution's output size i, what was its input size?",
            lambda i, k, s=1, p=0, op=0: (i + 2 * p - k) // s + 1,
        ),
        Misconception(
            "float returned",
            "The number is right, but its type is float, and no array can have 3.0 rows. Return an int.",
            lambda i, k, s=1, p=0, op=0: float((i - 1) * s + k - 2 * p + op),
        ),
    ),
)


# --- overlap_counts ----------------------------------------------------------------------------------------------------


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


def _without_border(n: int, k: int, s: int) -> list[int]:
    """The counts of a row of pixels that goes on to both sides for ever."""
    return [t // s + (k - 1 - t) // s + 1 for t in range((n - 1) * s + k)]


def _other_stamps(width: int = 0, pixels: int = 0, step: int | None = None) -> Callable[..., Array]:
    """Stamps that are some pixels wider, from some pixels more, or another step apart, in an output of the right size."""

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


def _windows_of_a_convolution(n: int, k: int, s: int) -> Array:
    counts = np.zeros(n, int)
    for start in range(0, n - k + 1, s):
        counts[start : start + k] += 1
    return counts


OVERLAP_COUNTS = Exercise(
    name="overlap_counts",
    points=2,
    reference=_overlap_counts,
    cases=_count_cases,
    forbidden=("unet_edu.*conv*2d*", "unet_edu.transposed.*", "torch.*[cC]onv*", "torch.*.[fF]old", "scipy.signal.*"),
    misconceptions=(
        Misconception(
            "border ignored",
            "Your counts are right inside, but not at the border. There the row of pixels ends, and no stamp comes from "
            "outside: the counts are smaller.",
            _without_border,
        ),
        Misconception(
            "overwritten in place of added",
            "You say only whether a stamp reaches a pixel, not how many do. Add 1 for each stamp: += in place of =.",
            lambda n, k, s: np.minimum(_overlap_counts(n, k, s), 1),
        ),
        Misconception(
            "stride ignored",
            "The stride has no effect in your function. The stamps of neighbouring pixels start s apart.",
            lambda n, k, s: _overlap_counts(n, k, 1),
        ),
        Misconception(
            "stamps one apart in a large output",
            "Your output is as long as it should be, but the stamps start one pixel apart. The stamp of pixel j starts at j·s.",
            _other_stamps(step=1),
        ),
        Misconception(
            "kernel and stride swapped",
            "Kernel and stride are swapped: your stamps are s wide and start k apart. They are k wide and start s apart.",
            lambda n, k, s: _overlap_counts(n, s, k),
        ),
        Misconception(
            "output as long as n times the stride",
            "Your output ends after n·s pixels. The last stamp starts at (n − 1)·s and is k wide: how far does it reach?",
            _of_length(lambda n, k, s: n * s),
        ),
        Misconception(
            "too long by one stride",
            "Your output has pixels at its end that no stamp can reach. From the first stamp to the last there are n − 1 "
            "steps, not n.",
            _of_length(lambda n, k, s: n * s + k),
        ),
        Misconception(
            "one too short",
            "Your output is one pixel too short. The last stamp covers the pixels from (n − 1)·s to (n − 1)·s + k − 1; "
            "counting from 0, that makes one more.",
            _of_length(lambda n, k, s: (n - 1) * s + k - 1),
        ),
        Misconception(
            "last pixel forgotten",
            "The stamp of the last pixel is missing. There are n of them; range(n) already leaves n out.",
            _other_stamps(pixels=-1),
        ),
        Misconception(
            "stamps one too narrow",
            "Your stamps are k − 1 wide. From a to b, the slice [a:b] leaves out b itself.",
            _other_stamps(width=-1),
        ),
        Misconception(
            "stamps one too wide",
            "Your stamps are k + 1 wide. A stamp that starts at a covers a, a + 1, … up to a + k − 1.",
            _other_stamps(width=1),
        ),
        Misconception(
            "windows of a convolution",
            "You counted the windows of a convolution over n pixels. Here n is the small side: each of the n pixels lays "
            "a stamp down in the larger output.",
            _windows_of_a_convolution,
        ),
        Misconception(
            "both sides",
            "Your answer is a plane. Count along one side only; the plane follows from it by multiplying rows with "
            "columns.",
            lambda n, k, s: np.outer(_overlap_counts(n, k, s), _overlap_counts(n, k, s)),
        ),
    ),
)

EXERCISES = (CONV_MATRIX, TCONV_MATRIX, TCONV2D_SCATTER, TCONV_SIZE, OVERLAP_COUNTS)


# --- the quick questions -----------------------------------------------------------------------------------------------

QUIZ = Quiz(
    lesson="04",
    questions=(
        Question(
            "A 3×3 kernel slides over an image of 5×6, without padding. What is the shape of its convolution matrix?",
            (
                Option(
                    "9×30",
                    "That gives each weight a row. A row belongs to an output number, and holds all nine weights.",
                    "a row for each weight",
                ),
                Option(
                    "30×12",
                    "That is the transpose. The matrix times the image's 30 numbers must give the 12 of the output.",
                    "rows and columns of the matrix are swapped",
                ),
                Option(
                    "30×30",
                    "That has an output number for every pixel, as if there were padding.",
                    "the output is as large as the image",
                ),
                Option("12×30", "A row for each of the 3·4 output numbers, a column for each of the 5·6 pixels."),
            ),
        ),
        Question(
            "You compute a transposed convolution the other way: spread the pixels out with zeros, pad, and convolve. "
            "What do you do with the kernel?",
            (
                Option(
                    "leave it as it is",
                    "Then each stamp comes out turned by 180°: the first window that reaches a pixel has it under its "
                    "lower right weight, not under its upper left one.",
                    "spreading out and convolving needs no flip",
                ),
                Option(
                    "turn it by 180°, upside down and left to right",
                    "Only then does each pixel lay the kernel down as it is.",
                ),
                Option(
                    "transpose it",
                    "“Transposed” speaks of the matrix, which has a row for each output. The kernel's own rows and "
                    "columns stay.",
                    "the kernel is transposed",
                ),
                Option(
                    "take its inverse",
                    "Nothing is inverted: a transposed convolution gives back the shape of an image, not its numbers.",
                    "transposed means inverse",
                ),
            ),
        ),
        Question(
            "`nn.ConvTranspose2d(1, 1, kernel_size=3, stride=2, padding=1, bias=False)` makes 7×7 of 4×4. With "
            "`output_padding=1` it makes 8×8. What stands in the new row?",
            (
                Option(
                    "what the stamps put there",
                    "The stamps reach 9 rows. The padding cut one off at each end; now the lower one stays.",
                ),
                Option(
                    "zeros",
                    "That takes it for padding with zeros. It only says how large the output shall be.",
                    "output_padding appends zeros",
                ),
                Option(
                    "a copy of the row above",
                    "Nothing is copied. The stamps of the last pixels reach that far by themselves.",
                    "output_padding repeats the border",
                ),
            ),
        ),
        Question(
            "All pixels are 1 and all weights are 1. With a stride of 2, which kernel makes an image that is even inside, "
            "without a checkerboard?",
            (
                Option(
                    "3×3",
                    "2 does not divide 3: along a side, one stamp and two stamps take turns.",
                    "a kernel with a middle pixel is safe",
                ),
                Option(
                    "5×5",
                    "2 does not divide 5: two stamps and three take turns. It is weaker than with 3×3, but it is there.",
                    "a large kernel smooths the pattern away",
                ),
                Option("4×4", "2 divides 4: inside, two stamps meet along each side, so four at every pixel."),
                Option(
                    "none: a stride of 2 always leaves a pattern",
                    "The pattern comes from uneven overlap, and overlap is even where the stride divides the kernel's "
                    "size.",
                    "the stride alone makes the pattern",
                ),
            ),
        ),
        Question(
            "From lesson 03. Which stamp makes a row of pixels twice as long, with stride 2, as bilinear interpolation does "
            "away from the border?",
            (
                Option(
                    "0.5, 1, 0.5",
                    "Then every second output is a copy and the others are halfway between. Bilinear lays the images edge on "
                    "edge: its outputs look a quarter of a pixel beside the centres.",
                    "the half-pixel shift is missing",
                ),
                Option(
                    "1, 1",
                    "Two equal weights copy each pixel into a block. That is nearest.",
                    "every interpolation copies",
                ),
                Option(
                    "0.5, 0.5, 0.5, 0.5",
                    "Two stamps meet in each output, so this gives the plain mean of two neighbours. Bilinear takes more of the nearer one.",
                    "bilinear is the mean of two",
                ),
                Option(
                    "0.25, 0.75, 0.75, 0.25",
                    "The weights of lesson 03. In each output two stamps meet, with 0.75 of the nearer pixel and 0.25 of the other.",
                ),
            ),
        ),
    ),
)
