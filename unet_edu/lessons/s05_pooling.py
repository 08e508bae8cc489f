"""The exercises of lesson 05: what is asked, and which mistakes are known.

Among equal numbers no rule says which one is the maximum, so no case has two equal numbers in a window.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unet_edu.checks.exercise import Case, Exercise
from unet_edu.lessons.lesson import Lesson
from unet_edu.lessons.libraries import CONVOLUTIONS, OF_IMAGES
from unet_edu.pooling import avg_pool2d_grad, max_pool2d, max_pool2d_grad, max_unpool2d

__all__ = ["LESSON"]

Array = NDArray[Any]
Size = tuple[int, int]

# The lesson's four numbers, and where they go in an image of 4×4.
FOUR = np.array([[1, 2], [3, 4]])
PLACES = np.array([[5, 2], [12, 15]])

POOLING = (
    "unet_edu.pooling.*",
    "unet_edu.matrix.*",
    "torch.*max_pool*",
    "torch.*MaxPool*",
    "torch.*max_unpool*",
    "torch.*MaxUnpool*",
    "scipy.ndimage.*",
    *OF_IMAGES,
)


# --- maxpool_idx ------------------------------------------------------------------------------------------------------


def _maxpool_idx(x: Array) -> Array:
    return np.stack(max_pool2d(x, 2))


def _image_cases(rng: np.random.Generator) -> list[Case]:
    lesson = np.array([[3, -2, 7, 4], [-1, 9, 0, 5], [2, 1, -3, 6], [8, -4, 5, 10]])
    negative = np.array([[-1, -3, 4, 2], [-2, -5, 3, 1], [7, 0, -6, -8], [2, 9, -7, -9]])
    odd = np.array([[3, 1, 9], [4, 2, 8], [7, 5, 6]])
    return [
        Case("the image of the lesson", (lesson,), group="visible"),
        Case("an image with negative numbers", (negative,), group="visible"),
        Case("an image of odd size", (odd,), group="visible"),
        Case(
            "an image of 4×6, with one number in two windows",
            (_one_number_twice(rng.permutation(24).reshape(4, 6) - 9),),
        ),
        Case("an image of 6×4, with fractions", (rng.normal(size=(6, 4)),)),
        # So low that no search begins lower.
        Case("negative numbers only", (-1000 - rng.permutation(16).reshape(2, 8),)),
        # So large that one byte cannot hold its last indices.
        Case("an image of 17×19, with fractions", (rng.normal(size=(17, 19)),)),
        Case("an image of 7×4", (rng.permutation(28).reshape(7, 4) - 14,)),
        Case("an image of 4×5", (rng.permutation(20).reshape(4, 5) - 10,)),
    ]


def _one_number_twice(x: Array) -> Array:
    """The first and the last window have the same maximum: where it is found first is wrong of one, and where last, of
    the other."""
    last = x[-2:, -2:]
    last[last == last.max()] = x[0, 0] = x.max() + 1
    return x


def _blocks(x: Array) -> Array:
    """The windows, each as a row of its four numbers: (H // 2, W // 2, 4)."""
    h, w = x.shape[0] // 2, x.shape[1] // 2
    return x[: 2 * h, : 2 * w].reshape(h, 2, w, 2).swapaxes(1, 2).reshape(h, w, 4)


def _picking(choice: Callable[[Array], Any]) -> Callable[..., Array]:
    """Another number of each window than its maximum, with its place. `choice` says which of the four."""

    def wrong(x: Array) -> Array:
        four, places = _blocks(x), _blocks(np.arange(x.size).reshape(x.shape))
        which = np.broadcast_to(choice(four), four.shape[:2])[..., None]
        return np.stack([np.take_along_axis(a, which, axis=-1)[..., 0] for a in (four, places)])

    return wrong


def _numbering(rule: Callable[..., Any]) -> Callable[..., Array]:
    """The right maxima with another index. `rule` takes the maximum's row and column, the window's i and j, H and W."""

    def wrong(x: Array) -> Array:
        y, idx = max_pool2d(x, 2)
        row, column = np.divmod(idx, x.shape[1])
        i, j = np.indices(y.shape)
        return np.stack([y, np.broadcast_to(rule(row, column, i, j, *x.shape), y.shape)])

    return wrong


def _only_windows(rows: int | None = None, columns: int | None = None) -> Callable[..., Array]:
    def wrong(x: Array) -> Array:
        answer = _maxpool_idx(x)
        kept = np.zeros_like(answer)
        kept[:, :rows, :columns] = answer[:, :rows, :columns]
        return kept

    return wrong


MAXPOOL_IDX = Exercise(
    name="maxpool_idx",
    points=4,
    reference=_maxpool_idx,
    cases=_image_cases,
    parts=("y", "idx"),
    whole=("idx",),
    forbidden=POOLING,
)


@MAXPOOL_IDX.mistake("maximum started at 0")
def _(x: Array) -> Array:
    """Where all numbers of a window are negative, your maximum is 0, a number that is not there. Begin with the
    window's first number (or with −np.inf), not with 0."""
    y, idx = max_pool2d(x, 2)
    return np.stack([np.maximum(y, 0), np.where(y > 0, idx, 0)])


MAXPOOL_IDX.mistake(
    "index within the window",
    "Your maxima are right. Your idx counts within each window, from 0 to 3. It should be the place in the whole "
    "plane: row · W + column.",
    _numbering(lambda r, c, i, j, H, W: r % 2 * 2 + c % 2),
)
MAXPOOL_IDX.mistake(
    "index of the window's corner plus the index within",
    "Your maxima are right. Your idx adds the place within the window, 0 to 3, to that of its corner. But the "
    "window's second row is W further on, not 2: find the maximum's row and column first.",
    _numbering(lambda r, c, i, j, H, W: 2 * i * W + 2 * j + r % 2 * 2 + c % 2),
)
MAXPOOL_IDX.mistake(
    "index of the window's corner",
    "Your maxima are right. Your idx is the place of each window's upper left pixel, not of its maximum.",
    _numbering(lambda r, c, i, j, H, W: 2 * i * W + 2 * j),
)
MAXPOOL_IDX.mistake(
    "number of the window",
    "Your maxima are right. Your idx numbers the windows. It should say where in x the maximum stands: row · W + "
    "column.",
    _numbering(lambda r, c, i, j, H, W: i * (W // 2) + j),
)
MAXPOOL_IDX.mistake(
    "window starts at (i, j)",
    "Your maxima are right. In your idx the windows start at row i and column j. They start at row 2·i and column 2·j.",
    _numbering(lambda r, c, i, j, H, W: (i + r % 2) * W + j + c % 2),
)
MAXPOOL_IDX.mistake(
    "width of the output",
    "Your maxima are right. Your idx multiplies the row by the width of y. The plane it counts in is x: row · W + "
    "column, with the W of x.",
    _numbering(lambda r, c, i, j, H, W: r * (W // 2) + c),
)
MAXPOOL_IDX.mistake(
    "width without the odd column",
    "Your maxima are right, and so is idx where the width is even. You count in an image without its last column: "
    "that column is in no window, but it is in x, and the next row starts after it.",
    _numbering(lambda r, c, i, j, H, W: r * (W // 2 * 2) + c),
)


@MAXPOOL_IDX.mistake("first place of an equal number")
def _(x: Array) -> Array:
    """Your maxima are right. Your idx names the first place in x where that number stands, but the same number may
    stand in another window, too. Look for it in its own window."""
    y = max_pool2d(x, 2)[0]
    return np.stack([y, [[np.flatnonzero(x == number)[0] for number in row] for row in y]])


MAXPOOL_IDX.mistake(
    "height in place of width",
    "Your maxima are right. Your idx multiplies the row by the height. A row holds W pixels: row · W + column.",
    _numbering(lambda r, c, i, j, H, W: r * H + c),
)
MAXPOOL_IDX.mistake(
    "row and column swapped within the window",
    "Your maxima are right. In your idx, row and column within the window are swapped: its numbers 0 and 1 are its "
    "upper row, 2 and 3 the lower one. So // gives the row and % the column.",
    _numbering(lambda r, c, i, j, H, W: (2 * i + c % 2) * W + 2 * j + r % 2),
)
MAXPOOL_IDX.mistake(
    "row and column swapped",
    "Your maxima are right. In your idx row and column are swapped: it is row · W + column.",
    _numbering(lambda r, c, i, j, H, W: c * W + r),
)
MAXPOOL_IDX.mistake(
    "index one too large",
    "Your maxima are right. Each of your indices is 1 too large: the first pixel is number 0.",
    _numbering(lambda r, c, i, j, H, W: r * W + c + 1),
)
MAXPOOL_IDX.mistake(
    "maxima so far",
    "Good so far: the maxima are right. Next: idx, the place of each maximum in x.",
    _numbering(lambda r, c, i, j, H, W: 0),
)


@MAXPOOL_IDX.mistake("only the maxima")
def _(x):
    """Good so far: the maxima are right. Next: the place of each in x, as a second array; return both: `return y,
    idx`."""
    return max_pool2d(x, 2)[0]


@MAXPOOL_IDX.mistake("y and idx swapped")
def _(x):
    """Your two arrays are right, but in the wrong order: the maxima come first. `return y, idx`."""
    return _maxpool_idx(x)[::-1]


MAXPOOL_IDX.mistake(
    "lower right pixel",
    "You took the lower right pixel of each window. Look for the largest of the four.",
    _picking(lambda four: 3),
)
MAXPOOL_IDX.mistake(
    "upper left pixel",
    "You took the upper left pixel of each window, which is what a plain x[::2, ::2] gives. Look for the largest of "
    "the four.",
    _picking(lambda four: 0),
)
MAXPOOL_IDX.mistake(
    "minimum",
    "You took the smallest number of each window. Is a comparison the wrong way round?",
    _picking(lambda four: four.argmin(axis=-1)),
)


@MAXPOOL_IDX.mistake("windows that overlap")
def _(x: Array) -> Array:
    """Your windows overlap: window (i, j) starts at row i and column j. They lie side by side, so it starts at row 2·i
    and column 2·j."""
    h, w = x.shape[0] // 2, x.shape[1] // 2
    return np.stack(max_pool2d(x, 2, stride=1))[:, :h, :w]


@MAXPOOL_IDX.mistake("partial windows kept")
def _(x):
    """You also took windows that hang over the edge. Where the size is odd, the last row or column is in no window:
    there are H // 2 rows of windows, rounded down."""
    return np.stack(max_pool2d(x, 2, ceil_mode=True))


MAXPOOL_IDX.mistake(
    "only the first row",
    "Only the first row of your arrays is filled. Does the `return` stand inside the outer loop? Move it to the left, "
    "below both loops.",
    _only_windows(rows=1),
)
MAXPOOL_IDX.mistake(
    "only the first window",
    "Only the first window is filled. Does the `return` stand inside the inner loop? Move it to the left, below both "
    "loops.",
    _only_windows(rows=1, columns=1),
)
MAXPOOL_IDX.mistake(
    "result not stored",
    "Your arrays have the right size, but they are all zeros. Write y[i, j] = … and idx[i, j] = … in the loop.",
    _only_windows(rows=0),
)


# --- maxunpool --------------------------------------------------------------------------------------------------------


def _maxunpool(y: Array, idx: Array, size: Size) -> Array:
    return max_unpool2d(y, idx, size)


def _unpool_cases(rng: np.random.Generator) -> list[Case]:
    def case(name: str, x: Array, window: int = 2) -> Case:
        idx = max_pool2d(x, window)[1]
        return Case(name, (rng.permutation(idx.size).reshape(idx.shape) + rng.normal() - idx.size // 2, idx, x.shape))

    x = rng.normal(size=(6, 4))
    return [
        Case("the lesson's four numbers", (FOUR, PLACES, (4, 4)), group="visible"),
        Case("an image of 3×5", (np.array([[6, -8]]), np.array([[1, 7]]), (3, 5)), group="visible"),
        case("an image of 5×5, with fractions", rng.normal(size=(5, 5))),
        # The second has other places in all windows: what is left in it of the first is seen.
        case("an image of 6×4", x),
        case("another image of 6×4", -x),
        case("an image of 5×7", rng.normal(size=(5, 7))),
        case("windows of 3×3 on an image of 6×9", rng.normal(size=(6, 9)), window=3),
    ]


def _at(y: Array, places: tuple[Any, Any], size: Size) -> Array:
    """y added at these rows and columns. Where one of them lies outside there is no answer."""
    x = np.zeros(size)
    np.add.at(x, places, y)
    return x


def _upper_left(y: Array, idx: Array, size: Size) -> Array:
    i, j = np.indices(y.shape)
    return max_unpool2d(y, 2 * i * size[1] + 2 * j, size)


def _copied(y: Array, idx: Array, size: Size) -> Array:
    return np.kron(y, np.ones((2, 2)))


def _twice_as_large(put: Callable[..., Array]) -> Callable[..., Array]:
    """`put` with a size of its own: twice that of y."""
    return lambda y, idx, size: put(y, idx, (2 * y.shape[0], 2 * y.shape[1]))


def _through_a_mask(y: Array, idx: Array, size: Size) -> Array:
    mask = np.zeros(size, bool)
    mask.ravel()[idx] = True
    x = np.zeros(size, y.dtype)
    x[mask] = y.ravel()  # stops where places are shared: there are more numbers than places
    return x


def _only_first(columns: int | None = None) -> Callable[..., Array]:
    """Only numbers of y's first row are put back. They are added; where no place is shared, that is the same."""

    def wrong(y: Array, idx: Array, size: Size) -> Array:
        return max_pool2d_grad(y[:1, :columns], idx[:1, :columns], size)

    return wrong


MAXUNPOOL = Exercise(
    name="maxunpool", points=3, reference=_maxunpool, cases=_unpool_cases, linear="y", forbidden=POOLING
)
MAXUNPOOL.mistake(
    "size ignored",
    "Your image is always twice as high and wide as y. An image of odd size loses a row or a column in pooling, and "
    "only `size` knows of it. (PyTorch, too, says “invalid max index” when it is not told the size.)",
    _twice_as_large(_maxunpool),
)


@MAXUNPOOL.mistake("row and column from twice the width of y")
def _(y, idx, size):
    """You took an index apart with twice the width of y. It counts in rows of the whole image: use its own width,
    size[1]."""
    return _at(y, np.divmod(idx, 2 * y.shape[1]), size)


@MAXUNPOOL.mistake("row and column from the height")
def _(y, idx, size):
    """You took an index apart with the image's height. A row holds W pixels, so the row is idx // W and the column idx
    % W, with W = size[1]."""
    return _at(y, np.divmod(idx, size[0]), size)


@MAXUNPOOL.mistake("row and column swapped")
def _(y, idx, size):
    """Rows and columns of the places are swapped: idx // W is the row, idx % W is the column."""
    return _at(y, (idx % size[1], idx // size[1]), size)


@MAXUNPOOL.mistake("filled column by column")
def _(y, idx, size):
    """Your places count down the columns. They count along the rows: index 1 is the second pixel of the first row."""
    return max_unpool2d(y, idx, size).ravel().reshape(size, order="F")


MAXUNPOOL.mistake(
    "indices ignored",
    "You put each number in the upper left corner of its window: that is the bed of nails. `idx` says where each "
    "number came from.",
    _upper_left,
)
MAXUNPOOL.mistake(
    "indices and size ignored",
    "You put each number in the upper left corner of a window of 2×2, in an image twice as large as y. `idx` says "
    "where each number goes, and `size` how large the image is.",
    _twice_as_large(_upper_left),
)
MAXUNPOOL.mistake(
    "copied all over the window",
    "You copied each number all over a window of 2×2: that is nearest-neighbour interpolation. Put it at the one "
    "place that `idx` names, in an image of the given `size`; the others stay zero.",
    _copied,
)
MAXUNPOOL.mistake(
    "order of the places",
    "Your places are right, but numbers are at the wrong ones. A mask forgets which place belongs to which number: "
    "x[mask] = … fills row by row. Use the indices themselves.",
    _through_a_mask,
)


@MAXUNPOOL.mistake("not reshaped")
def _(y, idx, size):
    """Good so far: each number is in its place. The image still lies in one row; arrange it in the given size."""
    return _maxunpool(y, idx, size).ravel()


@MAXUNPOOL.mistake("size turned round")
def _(y, idx, size):
    """Your image has its height and width swapped. `size` is (rows, columns)."""
    return _maxunpool(y, idx, size).reshape(size[::-1])


MAXUNPOOL.mistake(
    "only the first number",
    "Only the first number was put back. Does the `return` stand inside the inner loop? Move it to the left, below "
    "both loops.",
    _only_first(columns=1),
)
MAXUNPOOL.mistake(
    "only the first row of numbers",
    "Only the first row of numbers was put back. Does the `return` stand inside the outer loop? Move it to the left, "
    "below both loops.",
    _only_first(),
)


@MAXUNPOOL.mistake("result not stored")
def _(y, idx, size):
    """Your image has the right size, but it is all zeros: the numbers were not put in. (x.flatten() is a copy; what is
    written there does not reach x. x.ravel() and x.flat do.)"""
    return np.zeros(size)


# --- maxpool_backward -------------------------------------------------------------------------------------------------


def _maxpool_backward(dy: Array, idx: Array, size: Size) -> Array:
    return max_pool2d_grad(dy, idx, size)


def _gradient_cases(rng: np.random.Generator) -> list[Case]:
    def case(name: str, size: Size, window: int, stride: int, peak: bool = False) -> Case:
        x = rng.normal(size=size)
        if peak:  # the largest number stands where several windows meet
            x[size[0] // 2, size[1] // 2] = 9
        idx = max_pool2d(x, window, stride)[1]
        dy = rng.normal(size=idx.shape) + rng.choice([-2, 2])
        if peak:  # and two of them have the same gradient, which counts twice
            one, other = np.argwhere(idx == x.argmax())[:2]
            dy[tuple(other)] = dy[tuple(one)]
        return Case(name, (dy, idx, size))

    return [
        Case("the lesson's places", (FOUR, PLACES, (4, 4)), group="visible"),
        Case(
            "four windows that share their maximum",
            (np.array([[1, 4], [-2, 3]]), np.full((2, 2), 5), (4, 4)),
            group="visible",
        ),
        Case("an image of 3×5", (np.array([[6, -8]]), np.array([[1, 7]]), (3, 5)), group="visible"),
        case("an image of 5×7", (5, 7), 2, 2),
        case("an image of 6×4", (6, 4), 2, 2),
        case("windows of 3×3 that overlap, on 4×6", (4, 6), 3, 1, peak=True),
        case("windows of 3×3 with a stride of 2, on 7×5", (7, 5), 3, 2, peak=True),
        case("windows of 2×2 that overlap, on 5×4", (5, 4), 2, 1, peak=True),
    ]


def _shares(idx: Array, size: Size) -> Array:
    """How many windows chose each place."""
    return max_pool2d_grad(np.ones(idx.shape, int), idx, size)


MAXPOOL_BACKWARD = Exercise(
    name="maxpool_backward",
    points=3,
    reference=_maxpool_backward,
    cases=_gradient_cases,
    linear="dy",
    forbidden=POOLING,
)


@MAXPOOL_BACKWARD.mistake("overwritten in place of added")
def _(dy, idx, size):
    """Where several windows chose the same pixel, only the last gradient is left. They add up. (dx[idx] += dy on a
    whole array of indices adds only once for each place; a loop adds every time, and so does np.add.at.)"""
    return max_unpool2d(dy, idx, size)


@MAXPOOL_BACKWARD.mistake("gradients averaged")
def _(dy, idx, size):
    """Where several windows chose the same pixel, you took the mean of their gradients. They add up."""
    return _maxpool_backward(dy, idx, size) / np.maximum(_shares(idx, size), 1)


MAXPOOL_BACKWARD.mistake(
    "gradient to the whole window",
    "Every pixel of a window got the gradient. Only the maximum had a say in the output, so only the stored place "
    "gets it; the other pixels could change a little, and nothing would happen.",
    _copied,
)


@MAXPOOL_BACKWARD.mistake("counts in place of gradients")
def _(dy, idx, size):
    """Your image says how many windows chose each pixel. Add up their gradients, the numbers of dy."""
    return _shares(idx, size)


MAXPOOL_BACKWARD.mistake(
    "size taken as twice that of dy",
    "Your image is always twice as high and wide as dy. That holds for windows of 2×2 side by side on an even size, "
    "and not in general: `size` is the image's size.",
    _twice_as_large(_maxpool_backward),
)


@MAXPOOL_BACKWARD.mistake("row and column from the height")
def _(dy, idx, size):
    """You took an index apart with the image's height. It counts along rows of W pixels: idx // W is the row, with W =
    size[1]."""
    return _at(dy, np.divmod(idx, size[0]), size)


@MAXPOOL_BACKWARD.mistake("row and column from twice the width of dy")
def _(dy, idx, size):
    """You took an index apart with twice the width of dy. It counts in rows of the whole image: use its own width,
    size[1]."""
    return _at(dy, np.divmod(idx, 2 * dy.shape[1]), size)


@MAXPOOL_BACKWARD.mistake("row and column swapped")
def _(dy, idx, size):
    """Rows and columns of the places are swapped: idx // W is the row, idx % W the column."""
    return _at(dy, (idx % size[1], idx // size[1]), size)


@MAXPOOL_BACKWARD.mistake("filled column by column")
def _(dy, idx, size):
    """Your places count down the columns. They count along the rows: index 1 is to the right of index 0."""
    return max_pool2d_grad(dy, idx, size).ravel().reshape(size, order="F")


@MAXPOOL_BACKWARD.mistake("not reshaped")
def _(dy, idx, size):
    """Good so far: the gradients are right. They still lie in one row; arrange them in the given size."""
    return _maxpool_backward(dy, idx, size).ravel()


@MAXPOOL_BACKWARD.mistake("size turned round")
def _(dy, idx, size):
    """Your image's height and width are swapped. `size` is (rows, columns), just as reshape wants it."""
    return _maxpool_backward(dy, idx, size).reshape(size[::-1])


MAXPOOL_BACKWARD.mistake(
    "order of the places",
    "Your places are right, but gradients are at the wrong ones. A mask forgets which place belongs to which number. "
    "Use the indices themselves.",
    _through_a_mask,
)
MAXPOOL_BACKWARD.mistake(
    "only the first gradient",
    "Only the first gradient was sent back. Does the `return` stand inside the inner loop? Move it to the left, below "
    "both loops.",
    _only_first(columns=1),
)
MAXPOOL_BACKWARD.mistake(
    "only the first row of gradients",
    "Only the first row of gradients was sent back. Does the `return` stand inside the outer loop? Move it to the "
    "left, below both loops.",
    _only_first(),
)


@MAXPOOL_BACKWARD.mistake("result not stored")
def _(dy, idx, size):
    """Your image has the right size, but it is all zeros: the gradients were not added to it. (dx.flatten() is a copy;
    dx.ravel() and dx.flat are not.)"""
    return np.zeros(size)


# --- repair_maxpool ---------------------------------------------------------------------------------------------------


# What is wrong with the code that is to be repaired, and what to say of it where it is left.
LEFT_IN_MAXPOOL = {
    "zeros in the padding": (
        "Where a window reaches over the border and its pixels are negative, your maximum is 0, a number that is not "
        "in the image. What must stand there, so that it never wins?"
    ),
    "places in the padded image": (
        "With a padding, your idx counts in the padded image. It should count in x: where is the padded image's first "
        "pixel, seen from x, and how long is a row of x?"
    ),
    "place in the window by twos": (
        "Where the window is not 2 wide, your idx is wrong: how many numbers stand in a row of the window?"
    ),
    "windows counted side by side": (
        "Where the stride is not as large as the window, you count the windows as if they lay side by side. How far "
        "apart do they start?"
    ),
}


def _repaired_maxpool(x: Array, window: int, stride: int, padding: int) -> Array:
    return np.stack(max_pool2d(x, window, stride, padding=padding))


def _pooled(*left: str, back: str = "both") -> Callable[..., Array]:
    """The given code, with the mistakes that are left in it; only the place, or
    only the width, brought back to x."""

    def wrong(x: Array, window: int, stride: int, padding: int) -> Array:
        padded = np.pad(x.astype(float), padding, constant_values=0 if "zeros in the padding" in left else -np.inf)
        apart = window if "windows counted side by side" in left else stride
        y = np.zeros([(n - window) // apart + 1 for n in padded.shape])
        idx = np.zeros(y.shape, int)
        by = 2 if "place in the window by twos" in left else window
        is_back = "places in the padded image" not in left
        shift = padding if is_back and back in ("both", "place") else 0
        W = x.shape[1] if is_back and back in ("both", "width") else padded.shape[1]
        for i, j in np.ndindex(y.shape):
            top, left_side = (i * stride, j * stride)
            part = padded[top : top + window, left_side : left_side + window]
            n = part.argmax()  # stops where there is nothing
            y[i, j] = part.max()
            idx[i, j] = (top + n // by - shift) * W + left_side + n % by - shift
        return np.stack([y, idx])

    return wrong


def _left_over() -> Iterator[tuple[tuple[str, ...], str]]:
    """Each set of mistakes that was not found, and what to say of it."""
    counts = ("Three are found, one is left.", "Two are found, two are left.", "One is found, three are left.")
    for number, count in enumerate(counts, 1):
        for left in itertools.combinations(LEFT_IN_MAXPOOL, number):
            yield left, " ".join([count, *(LEFT_IN_MAXPOOL[name] for name in left)])
    yield (
        tuple(LEFT_IN_MAXPOOL),
        (
            "These are the answers of the code that you were given: all four mistakes are still in it. Begin with the "
            "third example, where the shape of the answer is wrong, too."
        ),
    )


def _repair_cases(rng: np.random.Generator) -> list[Case]:
    tried = np.array([[3, 1, 7, 4], [2, 9, 5, 6], [8, 4, 1, 2], [5, 6, 3, 10]])
    negative = np.array([[-5, -2, -7], [-1, -9, -3], [-8, -4, -6]])
    overlapping = np.array([[3, 1, 2, 9], [4, 8, 5, 0], [7, 6, -1, -2]])
    alone = np.array([-20, *rng.permutation(np.arange(-19, -8))]).reshape(3, 4) * 500

    def case(name: str, size: Size, window: int, stride: int, padding: int, below: float = 0) -> Case:
        return Case(name, (rng.normal(size=size) - below, window, stride, padding))

    return [
        Case("the trial: windows of 2×2 side by side", (tried, 2, 2, 0), group="visible"),
        Case("negative numbers only, with a padding of 1", (negative, 2, 2, 1), group="visible"),
        Case("windows of 3×3 that overlap", (overlapping, 3, 1, 0), group="visible"),
        case("windows of 3×3, stride 2, padding 1, on 5×7", (5, 7), 3, 2, 1),
        case("the same on 6×5, negative numbers only", (6, 5), 3, 2, 1, below=9),
        case("windows of 2×2, stride 1, padding 1, on 4×5", (4, 5), 2, 1, 1, below=1),
        case("windows of 3×3 side by side, on 6×9", (6, 9), 3, 3, 0),
        case("windows of 2×2 with gaps between them, on 5×8", (5, 8), 2, 3, 0),
        case("windows of 4×4, stride 2, padding 2, on 7×4", (7, 4), 4, 2, 2, below=2),
        Case("windows of 5×5, stride 1, padding 2, whole numbers", (rng.permutation(24).reshape(4, 6) - 20, 5, 1, 2)),
        Case("far below zero, and the smallest pixel is alone in its window", (alone, 2, 2, 1)),
    ]


REPAIR_MAXPOOL = Exercise(
    name="repair_maxpool",
    points=2,
    reference=_repaired_maxpool,
    cases=_repair_cases,
    parts=("y", "idx"),
    whole=("idx",),
    forbidden=POOLING,
)
for _left, _hint in _left_over():
    REPAIR_MAXPOOL.mistake(" and ".join(_left), _hint, _pooled(*_left))
REPAIR_MAXPOOL.mistake(
    "row and column brought back, width not",
    "Nearly: row and column are those of x. But you multiply the row by the width of the padded image. A row of x is "
    "shorter.",
    _pooled(back="place"),
)
REPAIR_MAXPOOL.mistake(
    "width brought back, row and column not",
    "Nearly: you multiply by the width of x. But row and column are still those of the padded image, where x begins "
    "further down and further to the right.",
    _pooled(back="width"),
)


@REPAIR_MAXPOOL.mistake("padding left out")
def _(x: Array, window: int, stride: int, padding: int) -> Array:
    """Without its padding the code has fewer mistakes, and fewer windows: the windows at the border reach over it."""
    return _repaired_maxpool(x, window, stride, 0)


@REPAIR_MAXPOOL.mistake("edge repeated in the padding")
def _(x: Array, window: int, stride: int, padding: int) -> Array:
    """You repeat the border's pixels in the padding. Your maxima are right, but the copy of a pixel may be found first,
    and it stands outside of the image. Nothing in the padding may win."""
    padded = np.pad(x.astype(float), padding, mode="edge")
    y, places = max_pool2d(padded, window, stride)
    rows, columns = np.divmod(places, padded.shape[1])
    return np.stack([y, (rows - padding) * x.shape[1] + columns - padding])


@REPAIR_MAXPOOL.mistake("smallest pixel in the padding")
def _(x: Array, window: int, stride: int, padding: int) -> Array:
    """Nearly: your padding is as small as the smallest pixel. Where that pixel is alone in its window, the two are
    equal, and the padding is found first. What is smaller than every number?"""
    padded = np.pad(x.astype(float), padding, constant_values=x.min())
    y, places = max_pool2d(padded, window, stride)
    rows, columns = np.divmod(places, padded.shape[1])
    return np.stack([y, (rows - padding) * x.shape[1] + columns - padding])


@REPAIR_MAXPOOL.mistake("only the maxima of the repaired")
def _(x: Array, window: int, stride: int, padding: int) -> Array:
    """The maxima are repaired. Their places have to come out, too: `return y, idx`."""
    return _repaired_maxpool(x, window, stride, padding)[0]


# --- avgpool_backward -------------------------------------------------------------------------------------------------


def _avgpool_backward(dy: Array, window: int, stride: int, size: Size) -> Array:
    return avg_pool2d_grad(dy, window, size, stride=stride)


def _average_cases(rng: np.random.Generator) -> list[Case]:
    def case(name: str, size: Size, window: int, stride: int) -> Case:
        shape = [(n - window) // stride + 1 for n in size]
        return Case(name, (rng.normal(size=shape) + rng.choice([-2, 2]), window, stride, size))

    return [
        Case("windows of 2×2 side by side", (np.array([[4, 8], [12, 16]]), 2, 2, (4, 4)), group="visible"),
        Case("windows of 3×3 that overlap", (np.array([[9, 18], [27, 36]]), 3, 1, (4, 4)), group="visible"),
        Case("an image of 3×5: some pixels are in no window", (np.array([[4, 8]]), 2, 2, (3, 5)), group="visible"),
        case("windows of 2×2 on 6×4", (6, 4), 2, 2),
        case("windows of 3×3 with a stride of 2, on 5×7", (5, 7), 3, 2),
        case("windows of 3×3 with a stride of 2, on 6×8: a row and a column are left over", (6, 8), 3, 2),
        case("windows of 2×2 with a stride of 3: gaps between them", (8, 5), 2, 3),
        case("windows of 4×4 with a stride of 1, on 5×6", (5, 6), 4, 1),
        case("windows of 3×3 side by side, on 7×11", (7, 11), 3, 3),
        case("one window, as large as the image", (3, 3), 3, 1),
    ]


def _spread(
    write: Callable[[Array, float, int, int], Any] = lambda there, g, window, stride: there + g / window**2,
    step: Callable[[int, int], int] = lambda window, stride: stride,
    numbers: Callable[[Array], list[Size]] = lambda dy: list(np.ndindex(*dy.shape)),
) -> Callable[..., Array]:
    """The loops of the solution with another way to write a share, windows another step apart, or only some numbers.

    `write` takes what is there, the gradient, the window and the stride, and says what will be there.
    """

    def wrong(dy: Array, window: int, stride: int, size: Size) -> Array:
        dx = np.zeros(size)
        for i, j in numbers(dy):
            top, left = i * step(window, stride), j * step(window, stride)
            there = dx[top : top + window, left : left + window]
            there[...] = write(there, float(dy[i, j]), window, stride)
        return dx

    return wrong


def _corner(there: Array, gradient: float) -> Array:
    there = there.copy()
    there[:1, :1] += gradient
    return there


AVGPOOL_BACKWARD = Exercise(
    name="avgpool_backward",
    points=2,
    reference=_avgpool_backward,
    cases=_average_cases,
    linear="dy",
    forbidden=(
        "unet_edu.pooling.*",
        "unet_edu.*conv*2d*",
        "unet_edu.transposed.*",
        "unet_edu.matrix.*",
        "torch.*avg_pool*",
        "torch.*AvgPool*",
        "torch.*.[fF]old",
        *CONVOLUTIONS,
    ),
)
AVGPOOL_BACKWARD.mistake(
    "gradient not divided",
    "Each pixel of a window gets the whole gradient. Of the mean, one pixel is only a part: when it grows by 1, how "
    "much does the mean grow?",
    _spread(lambda there, g, window, stride: there + g),
)
AVGPOOL_BACKWARD.mistake(
    "divided by one side",
    "You divided by the window's side. How many numbers are in a window?",
    _spread(lambda there, g, window, stride: there + g / window),
)
AVGPOOL_BACKWARD.mistake(
    "divided by the stride's square",
    "You divided by the square of the stride. That is right where the windows lie side by side. How many numbers are "
    "in a window?",
    _spread(lambda there, g, window, stride: there + g / stride**2),
)
AVGPOOL_BACKWARD.mistake(
    "shares overwritten",
    "Where windows overlap, only the share of the last one is left. A pixel has a say in all of them: add.",
    _spread(lambda there, g, window, stride: np.full_like(there, g / window**2)),
)


@AVGPOOL_BACKWARD.mistake("shares averaged")
def _(dy: Array, window: int, stride: int, size: Size) -> Array:
    """Where windows overlap, you took the mean of their shares. They add up."""
    count = _avgpool_backward(np.full(dy.shape, float(window**2)), window, stride, size)
    return _avgpool_backward(dy, window, stride, size) / np.maximum(count, 1)


AVGPOOL_BACKWARD.mistake(
    "all to the corner",
    "One pixel of each window gets the whole gradient, as if it were the maximum. In a mean all pixels have the same "
    "say.",
    _spread(lambda there, g, window, stride: _corner(there, g)),
)
AVGPOOL_BACKWARD.mistake(
    "a share for the corner alone",
    "Only one pixel of each window gets its share. All of them do.",
    _spread(lambda there, g, window, stride: _corner(there, g / window**2)),
)
AVGPOOL_BACKWARD.mistake(
    "a window apart",
    "Your windows lie side by side, whatever the stride. They start a stride apart, and overlap where it is smaller "
    "than the window.",
    _spread(step=lambda window, stride: window),
)
AVGPOOL_BACKWARD.mistake(
    "a stride wide",
    "Where stride and window differ, your windows are as large as the stride. The stride says how far apart they "
    "start; each has `window` rows and columns.",
    lambda dy, window, stride, size: _spread()(dy, stride, stride, size) * stride**2 / window**2,
)
AVGPOOL_BACKWARD.mistake(
    "one pixel apart",
    "Your windows start one pixel apart, whatever the stride: window (i, j) starts at row i · stride.",
    _spread(step=lambda window, stride: 1),
)
AVGPOOL_BACKWARD.mistake(
    "only the first of the gradients",
    "Only the first gradient was shared out. Does the `return` stand inside the inner loop? Move it to the left, below "
    "both loops.",
    _spread(numbers=lambda dy: [(0, 0)]),
)
AVGPOOL_BACKWARD.mistake(
    "only the first row of the gradients",
    "Only the first row of gradients was shared out. Does the `return` stand inside the outer loop? Move it to the "
    "left, below both loops.",
    _spread(numbers=lambda dy: [(0, j) for j in range(dy.shape[1])]),
)


AVGPOOL_BACKWARD.mistake(
    "rows and columns of the gradient swapped",
    "Rows and columns have changed places: i counts the rows of dy, and the window of dy[i, j] begins at row i · "
    "stride and column j · stride.",
    lambda dy, window, stride, size: _spread()(dy.T, window, stride, size),
)


@AVGPOOL_BACKWARD.mistake("as large as the windows reach")
def _(dy: Array, window: int, stride: int, size: Size) -> Array:
    """Your image ends where the last window ends. An image may have pixels behind it, which are in no window; `size`
    counts them, and their gradient is 0."""
    reached = [(n - 1) * stride + window for n in dy.shape]
    return _avgpool_backward(dy, window, stride, size)[: reached[0], : reached[1]]


@AVGPOOL_BACKWARD.mistake("copied as nearest does")
def _(dy: Array, window: int, stride: int, size: Size) -> Array:
    """You enlarged dy by copying, and divided. That is right where windows lie side by side and fill the image. Where
    they overlap, the shares of several windows meet in one pixel."""
    return np.kron(dy, np.ones((window, window))) / window**2


@AVGPOOL_BACKWARD.mistake("rows and columns of the size swapped")
def _(dy: Array, window: int, stride: int, size: Size) -> Array:
    """Height and width of your image are swapped. `size` is (rows, columns), just as np.zeros wants it."""
    return _avgpool_backward(dy, window, stride, size).T


AVGPOOL_BACKWARD.mistake(
    "made for the size turned round",
    "The windows lie where they should, but height and width of your image are swapped. `size` is (rows, columns), as "
    "np.zeros wants it.",
    lambda dy, window, stride, size: _spread()(dy, window, stride, size[::-1]),
)
AVGPOOL_BACKWARD.mistake(
    "shares not stored",
    "Your image has the right size, but it is all zeros: no share was added to it. Write dx[…] += … in the loop.",
    lambda dy, window, stride, size: np.zeros(size),
)


LESSON = Lesson(
    folder="05_pooling",
    set_up="""\
import numpy as np
from unet_edu import check
from unet_edu.pooling import max_pool2d
""",
    exercises=(MAXPOOL_IDX, MAXUNPOOL, MAXPOOL_BACKWARD, REPAIR_MAXPOOL, AVGPOOL_BACKWARD),
)
