"""The exercises of lesson 03: what is asked, and which mistakes are known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unet_edu import interpolation
from unet_edu.checks.exercise import Case, Exercise
from unet_edu.interpolation import axis_matrix, bed_of_nails, interpolate
from unet_edu.lessons.lesson import Lesson
from unet_edu.lessons.libraries import RESIZING

__all__ = ["LESSON"]

Array = NDArray[Any]


# --- up_nearest -------------------------------------------------------------------------------------------------------


def _up_nearest(x: Array, scale: int) -> Array:
    return interpolate(x, (scale * x.shape[0], scale * x.shape[1]), mode="nearest")


def _nearest_cases(rng: np.random.Generator) -> list[Case]:
    def numbers(*shape: int) -> Array:
        """Whole numbers, all different and none of them 0."""
        n = int(np.prod(shape))
        values = rng.permutation(2 * n) - n
        return np.where(values < 0, values, values + 1)[:n].reshape(shape)

    return [
        Case("an image of 2×2, twice as large", (np.array([[1, 2], [3, 4]]), 2), group="visible"),
        Case("a row of 3, three times as large", (np.array([[5, -1, 8]]), 3), group="visible"),
        Case("an image of 2×3, three times as large", (numbers(2, 3), 3)),
        Case("an image of 4×3 with fractions, twice as large", (numbers(4, 3) / 8, 2)),
        Case("an image of 3×5, four times as large", (numbers(3, 5), 4)),
        Case("an image of 4×4, five times as large", (numbers(4, 4), 5)),
    ]


def _picked(index: Callable[[int, int], Array]) -> Callable[..., Array]:
    """Copies by a wrong rule: `index` takes the size along a side and the scale, and says which pixel each output
    copies."""

    def wrong(x: Array, scale: int) -> Array:
        rows, columns = (np.clip(index(n, scale), 0, n - 1).astype(int) for n in x.shape)
        return x[rows][:, columns]

    return wrong


UP_NEAREST = Exercise(
    name="up_nearest", points=2, reference=_up_nearest, cases=_nearest_cases, linear="x", forbidden=RESIZING
)
UP_NEAREST.mistake(
    "image repeated",
    "Your output shows the whole image several times. Repeat each pixel where it stands, so that it becomes a block; "
    "do not repeat the image.",
    _picked(lambda n, s: np.arange(n * s) % n),
)


@UP_NEAREST.mistake("bed of nails")
def _(x, scale):
    """Each pixel stands in the corner of its block, and the rest of the block is 0: that is a bed of nails. Nearest
    fills the whole block."""
    return bed_of_nails(x, scale)


@UP_NEAREST.mistake("repeated in a row")
def _(x, scale):
    """Your output is one long row: without an axis, np.repeat flattens the image first. Repeat along the rows, then
    along the columns."""
    return np.repeat(x, scale)


@UP_NEAREST.mistake("repeated, then cut into rows")
def _(x, scale):
    """The shape is right and the blocks are torn: the pixels were repeated in one long row, which was then cut anew.
    Repeat along each axis on its own."""
    return np.repeat(x, scale * scale).reshape(scale * x.shape[0], -1)


@UP_NEAREST.mistake("only more columns")
def _(x, scale):
    """Only the columns were repeated. The image grows in both directions."""
    return np.repeat(x, scale, axis=1)


@UP_NEAREST.mistake("only more rows")
def _(x, scale):
    """Only the rows were repeated. The image grows in both directions."""
    return np.repeat(x, scale, axis=0)


@UP_NEAREST.mistake("always twice as large")
def _(x, scale):
    """Your function always makes the image twice as large. Use its argument, scale."""
    return _up_nearest(x, 2)


@UP_NEAREST.mistake("scale taken twice")
def _(x, scale):
    """Your image has become scale² times as large in each direction. scale is for one side: H rows become scale · H."""
    return _up_nearest(x, scale * scale)


@UP_NEAREST.mistake("made smaller")
def _(x, scale):
    """You took every scale-th pixel, so the image became smaller. It should become larger: a block for each pixel."""
    return x[::scale, ::scale]


UP_NEAREST.mistake(
    "rounded",
    "Your blocks have different sizes: i / scale was rounded to the nearest whole number, so part of a block already "
    "copies the next pixel. Which pixel do outputs 0 to scale − 1 copy?",
    _picked(lambda n, s: np.round(np.arange(n * s) / s)),
)
UP_NEAREST.mistake(
    "corners aligned",
    "Your first and last blocks are smaller than those between them. You spread the outputs evenly from the first "
    "pixel to the last; with nearest, every pixel gets a block of the same size.",
    _picked(lambda n, s: np.round(np.linspace(0, n - 1, n * s))),
)


@UP_NEAREST.mistake("averaged")
def _(x, scale):
    """Your output holds numbers that are not in the image: that is bilinear, the next exercise. Nearest only copies."""
    return interpolate(x, (scale * x.shape[0], scale * x.shape[1]))


@UP_NEAREST.mistake("rows and columns swapped")
def _(x: Array, scale: int) -> Array:
    """Your output lies on its side: rows and columns are swapped."""
    return _up_nearest(x, scale).T


# --- up_bilinear ------------------------------------------------------------------------------------------------------


def _up_bilinear(x: Array, scale: int) -> Array:
    return interpolate(x, (scale * x.shape[0], scale * x.shape[1]))


def _bilinear_cases(rng: np.random.Generator) -> list[Case]:
    return [
        Case("a row of 4, twice as large", (np.array([[0, 1, 2, 3]]), 2), group="visible"),
        Case("an image of 2×3, twice as large", (np.array([[0, 8, 4], [16, 0, -4]]), 2), group="visible"),
        Case("an image of 3×4, three times as large", (rng.permutation(np.arange(-20, 40, 5)).reshape(3, 4), 3)),
        Case("an image of 5×3 with fractions, twice as large", (rng.normal(size=(5, 3)) * 9, 2)),
        Case("an image of 2×5, four times as large", (rng.normal(size=(2, 5)) * 9, 4)),
        Case("an image of 4×4, three times as large", (rng.permutation(32)[:16].reshape(4, 4) - 16, 3)),
        Case("a column of 4, five times as large", (rng.permutation(np.arange(-9, 9, 3))[:4, None], 5)),
    ]


def _by_axis(
    rows: Callable[[int, int], Array], columns: Callable[[int, int], Array] | None = None
) -> Callable[..., Array]:
    """Interpolation by wrong weights: `rows` takes the size along a side and the scale, and gives the matrix of that
    side."""

    def wrong(x: Array, scale: int) -> Array:
        return rows(x.shape[0], scale) @ x @ (columns or rows)(x.shape[1], scale).T

    return wrong


def _tent(n: int, scale: int) -> Array:
    return axis_matrix(n, n * scale)


def _copies(n: int, scale: int) -> Array:
    return axis_matrix(n, n * scale, mode="nearest")


def _as_it_is(n: int, scale: int) -> Array:
    return np.eye(n)


def _two_taps(n: int, lower: Array, upper: Array, part: Array) -> Array:
    """For each output two pixels of n, and the part of it that comes from the upper one."""
    B = np.zeros((len(part), n))
    np.add.at(B, (np.arange(len(part)), lower), 1 - part)
    np.add.at(B, (np.arange(len(part)), upper), part)
    return B


def _at(
    source: Callable[[Array, int], Array],
    lower: Callable[[Array, int], Array] = lambda k, n: k.clip(0, n - 1),
    upper: Callable[[Array, int], Array] = lambda k, n: k.clip(0, n - 1),
) -> Callable[[int, int], Array]:
    """Two neighbours mixed at wrong places: `source` takes the outputs' numbers and the scale.

    `lower` and `upper` take the numbers of the neighbours and the size, and say which pixels are taken for them.
    """

    def matrix(n: int, scale: int) -> Array:
        where = source(np.arange(n * scale), scale)
        k = np.floor(where).astype(int)
        return _two_taps(n, lower(k, n), upper(k + 1, n), where - k)

    return matrix


def _centres(i: Array, scale: int) -> Array:
    return (i + 0.5) / scale - 0.5


def _places(n: int, scale: int) -> Array:
    """Where each output lies in the row of pixels; beyond its ends, too."""
    return _centres(np.arange(n * scale), scale)


def _extrapolated(n: int, scale: int) -> Array:
    if n == 1:
        raise ValueError("there is no second pixel to draw a line through")
    where = _places(n, scale)
    k = np.floor(where).astype(int).clip(0, n - 2)
    return _two_taps(n, k, k + 1, where - k)


def _source_below_zero(n: int, scale: int) -> Array:
    """int() cuts −0.25 to 0, and the part after the point is then −0.25. Beyond the last middle both neighbours are the
    last pixel."""
    where = _places(n, scale)
    k = np.trunc(where).astype(int)
    return _two_taps(n, k, (k + 1).clip(0, n - 1), where - k)


def _weights_exchanged(n: int, scale: int, is_kept_inside: bool = True) -> Array:
    """The two neighbours of the source get each other's weight. The source is kept within the image, or only the
    neighbours are."""
    where = _places(n, scale)
    where = where.clip(0, n - 1) if is_kept_inside else where
    k = np.floor(where).astype(int)
    return _two_taps(n, k.clip(0, n - 1), (k + 1).clip(0, n - 1), 1 - (where - k))


def _plain_means(n: int, scale: int) -> Array:
    where = _places(n, scale).clip(0, n - 1)
    return _two_taps(n, np.floor(where).astype(int), np.ceil(where).astype(int), np.full(len(where), 0.5))


UP_BILINEAR = Exercise(
    name="up_bilinear",
    points=4,
    reference=_up_bilinear,
    cases=_bilinear_cases,
    linear="x",
    forbidden=("numpy.interp", *RESIZING),
)
UP_BILINEAR.mistake(
    "corners aligned",
    "Your outputs are spread evenly from the middle of the first pixel to the middle of the last: that is "
    "align_corners=True. Here the two images lie edge on edge: source = (i + 0.5) / scale − 0.5.",
    _by_axis(lambda n, s: axis_matrix(n, n * s, align_corners=True)),
)
UP_BILINEAR.mistake(
    "half pixels forgotten",
    "Your image has slid towards the upper left: the outputs look at i / scale, too far to the lower right. A pixel's "
    "number belongs to its middle, which lies half a pixel from its edge, in the output and in the input.",
    _by_axis(_at(lambda i, s: i / s)),
)
UP_BILINEAR.mistake(
    "half pixel not taken off",
    "Your outputs look at (i + 0.5) / scale. That is measured from the edge of the image; pixel 0 has its middle at "
    "0.5 there. So half an input pixel has to be taken off.",
    _by_axis(_at(lambda i, s: (i + 0.5) / s)),
)
UP_BILINEAR.mistake(
    "half pixel not added",
    "Your outputs look at i / scale − 0.5, so they look too far to the upper left. The middle of output pixel i lies "
    "at i + 0.5 from the edge.",
    _by_axis(_at(lambda i, s: i / s - 0.5)),
)
UP_BILINEAR.mistake(
    "line drawn on beyond the border",
    "At the border your function draws the line on: a source of −0.25 goes beyond the first pixel. Outside of the "
    "middles the pixel at the border is repeated.",
    _by_axis(_extrapolated),
)
UP_BILINEAR.mistake(
    "source below 0",
    "Your output is wrong only in its first rows and columns. There the source lies before the first middle, below 0: "
    "int(−0.25) is 0, and source − k is −0.25. Keep the source between 0 and the last middle before you take it apart.",
    _by_axis(_source_below_zero),
)
UP_BILINEAR.mistake(
    "last pixel mixed into the first",
    "In front of the first pixel you mix in the last one: x[−1] is the last number in Python, and no error. Keep the "
    "source, or the index, from going below 0.",
    _by_axis(_at(_centres, lower=lambda k, n: k % n)),
)
UP_BILINEAR.mistake(
    "zeros outside",
    "Your output becomes darker at the border: there you mix with zeros from outside the image. Outside of the "
    "middles the pixel at the border is repeated.",
    _by_axis(lambda n, s: np.maximum(0, 1 - np.abs(_places(n, s)[:, None] - np.arange(n)))),
)
UP_BILINEAR.mistake(
    "weights exchanged",
    "The two weights have changed places. The nearer pixel counts more: at a quarter of the way, the left one gets "
    "0.75.",
    _by_axis(_weights_exchanged),
)
UP_BILINEAR.mistake(
    "weights exchanged inside",
    "Inside the image the two weights have changed places. Between pixels k and k + 1, the part after the point says "
    "how far the source is from k: the weight of k is 1 less that part.",
    _by_axis(lambda n, s: _weights_exchanged(n, s, is_kept_inside=False)),
)
UP_BILINEAR.mistake(
    "plain mean of the neighbours",
    "You took the plain mean of the neighbours. The nearer one counts more; the weights depend on the distance.",
    _by_axis(_plain_means),
)
UP_BILINEAR.mistake(
    "nearest",
    "Your output only copies pixels: that is nearest. Bilinear mixes the two neighbours, in each direction.",
    _by_axis(_copies),
)
UP_BILINEAR.mistake(
    "only more rows",
    "The rows are right, and there are as many columns as before. Now do the same along the other direction.",
    _by_axis(_tent, _as_it_is),
)
UP_BILINEAR.mistake(
    "only more columns",
    "The columns are right, and there are as many rows as before. Now do the same along the other direction.",
    _by_axis(_as_it_is, _tent),
)


@UP_BILINEAR.mistake("directions averaged")
def _(x: Array, scale: int) -> Array:
    """You took the mean of two results, one for each direction. Do one direction first, and the other one on what came
    out: the weights multiply."""
    return (_by_axis(_tent, _copies)(x, scale) + _by_axis(_copies, _tent)(x, scale)) / 2


@UP_BILINEAR.mistake("always twice as large")
def _(x, scale):
    """Your function always makes the image twice as large. Use its argument, scale, in the size and in the source."""
    return _up_bilinear(x, 2)


@UP_BILINEAR.mistake("rounded")
def _(x, scale):
    """Your output is rounded to whole numbers. A mean of whole numbers may be a fraction."""
    return np.rint(_up_bilinear(x, scale))


@UP_BILINEAR.mistake("rows and columns swapped")
def _(x, scale):
    """Your output lies on its side: rows and columns are swapped. Does a .T stand too many or too few?"""
    return _up_bilinear(x, scale).T


@UP_BILINEAR.mistake("result not stored")
def _(x, scale):
    """Your output has the right size, but it is all zeros: nothing was stored. Write y[i, j] = … in the loop."""
    return np.zeros(_up_bilinear(x, scale).shape)


# --- resize_mask ------------------------------------------------------------------------------------------------------


def _resize_mask(mask: Array, size: tuple[int, int]) -> Array:
    return interpolate(mask, size, mode="nearest")


def _mask_cases(rng: np.random.Generator) -> list[Case]:
    def mask(classes: tuple[int, ...], *shape: int) -> Array:
        labels = rng.choice(classes, shape)
        labels.flat[: len(classes)] = rng.permutation(classes)  # each of them occurs
        return labels

    # All ratios of two sizes are whole numbers by a power of 2. So even the wrong means are exact, whoever computes
    # them, and round alike.
    return [
        Case("a mask of 2×3, made 4×6", (np.array([[0, 2, 2], [5, 0, 2]]), (4, 6)), group="visible"),
        Case(
            "a mask of 3×5, made 2×4",
            (np.array([[0, 4, 4, 1, 1], [4, 0, 3, 3, 1], [2, 2, 0, 3, 0]]), (2, 4)),
            group="visible",
        ),
        Case("classes 0 and 2, from 4×5 to 16×10", (mask((0, 2), 4, 5), (16, 10))),
        Case("five classes, from 5×3 to 8×12", (mask((0, 1, 3, 4, 7), 5, 3), (8, 12))),
        Case("made smaller, from 9×10 to 4×8", (mask((0, 1, 2, 5), 9, 10), (4, 8))),
        Case("0 and 255 in one byte, from 6×5 to 8×20", (mask((0, 255), 6, 5).astype(np.uint8), (8, 20))),
        # A class has a number that one byte cannot hold.
        Case("larger one way and smaller the other, from 4×9 to 16×8", (mask((0, 2, 300), 4, 9), (16, 8))),
        Case("the same size, 5×6", (mask((1, 3, 8), 5, 6), (5, 6))),
    ]


def _from(index: Callable[[int, int], Array]) -> Callable[..., Array]:
    """Copies by a wrong rule: `index` takes the sizes before and after, and says which pixel each output copies."""

    def wrong(mask: Array, size: tuple[int, int]) -> Array:
        rows, columns = (
            np.clip(index(*sizes), 0, sizes[0] - 1).astype(int) for sizes in zip(mask.shape, size, strict=True)
        )
        return mask[rows][:, columns]

    return wrong


RESIZE_MASK = Exercise(
    name="resize_mask",
    points=2,
    reference=_resize_mask,
    cases=_mask_cases,
    whole=True,
    linear="mask",
    forbidden=RESIZING,
)


@RESIZE_MASK.mistake("averaged")
def _(mask, size):
    """You averaged class ids: between class 0 and class 2 there is now 0.5, which is no class. Class ids are names;
    copy them."""
    return interpolate(mask, size)


@RESIZE_MASK.mistake("averaged and rounded")
def _(mask, size):
    """You averaged class ids and rounded. All numbers are whole, and yet between class 0 and class 2 there is now class
    1, which nobody drew. Copy class ids, do not mix them."""
    return np.rint(interpolate(mask, size)).astype(int)


@RESIZE_MASK.mistake("averaged and cut off")
def _(mask, size):
    """You averaged class ids and dropped the fractions: 1.75 became 1, a class that was not there. Class ids must not
    be mixed, only copied."""
    return interpolate(mask, size).astype(int)


@RESIZE_MASK.mistake("one plane for each class")
def _(mask: Array, size: tuple[int, int]) -> Array:
    """Your way is right, too: shares of each class, averaged, and the largest wins. It draws rounder outlines. But this
    exercise asks for nearest: pixel (i, j) copies one pixel."""
    # One plane for each class, averaged, and the largest share wins: the other right way, with other outlines.
    classes = np.unique(mask)
    shares = interpolate((mask == classes[:, None, None])[None].astype(float), size)
    return classes[shares[0].argmax(axis=0)]


@RESIZE_MASK.mistake("only object and background")
def _(mask, size):
    """Your result knows only 0 and 1. A mask may hold many classes; each keeps its number."""
    return (_resize_mask(mask, size) != 0).astype(int)


@RESIZE_MASK.mistake("height and width swapped")
def _(mask, size):
    """Height and width are swapped. Here size is (rows, columns), as NumPy's shape. (Some programs for pictures want
    the width first.)"""
    return _resize_mask(mask, size[::-1])


@RESIZE_MASK.mistake("on its side")
def _(mask, size):
    """Your result lies on its side. Output pixel (i, j) copies the row that belongs to i and the column that belongs to
    j."""
    return _resize_mask(mask, size).T


@RESIZE_MASK.mistake("np.resize")
def _(mask, size):
    """np.resize does not scale a picture: it cuts the numbers of the image into rows of another length, and starts
    again when they are used up. Compute which pixel each output copies."""
    return np.resize(mask, size)


RESIZE_MASK.mistake(
    "repeated like tiles",
    "Your result shows the mask several times, or only a corner of it. It should show the whole mask once, larger or "
    "smaller.",
    _from(lambda n, m: np.arange(m) % n),
)
RESIZE_MASK.mistake(
    "middle of the pixel",
    'You copy the pixel under the middle of the output pixel, i + ½. That is a sound rule, PyTorch\'s "nearest-exact".'
    ' Here the other one is asked, PyTorch\'s "nearest": ⌊i · H / H′⌋.',
    _from(lambda n, m: np.floor((np.arange(m) + 0.5) * n / m)),
)
RESIZE_MASK.mistake(
    "rounded",
    "You rounded i · H / H′ to the nearest whole number. Round down.",
    _from(lambda n, m: np.round(np.arange(m) * n / m)),
)
RESIZE_MASK.mistake(
    "corners aligned",
    "You spread the outputs evenly from the first pixel to the last: i · (H − 1) / (H′ − 1). Here it is i · H / H′, "
    "rounded down.",
    _from(lambda n, m: np.round(np.linspace(0, n - 1, m))),
)


@RESIZE_MASK.mistake("factor cut to a whole number")
def _(mask: Array, size: tuple[int, int]) -> Array:
    """Your factor is a whole number, H′ // H, so 5 rows cannot become 8. Compute for each output row i which row it
    copies: first multiply by H, then divide by H′."""
    rows, columns = (new // old for new, old in zip(size, mask.shape, strict=True))
    return mask.repeat(rows, axis=0).repeat(columns, axis=1)


RESIZE_MASK.mistake(
    "step cut to a whole number",
    "Your step is a whole number, H // H′; when the mask grows, it is 0, and everything copies the first pixel. First "
    "multiply i by H, then divide by H′.",
    _from(lambda n, m: np.arange(m) * (n // m)),
)
RESIZE_MASK.mistake(
    "ratio turned round",
    "Your ratio is upside down: i · H′ / H. A large result of a small mask moves slowly through it, so the factor is "
    "below 1: H / H′.",
    _from(lambda n, m: np.arange(m) * m // n),
)


@RESIZE_MASK.mistake("result not stored")
def _(mask, size):
    """Your mask has the right size, but it is all zeros: the classes were not stored. Write y[i, j] = … in the loop."""
    return np.zeros(size, int)


@RESIZE_MASK.mistake("only the rows")
def _(mask, size):
    """Only the number of rows has changed. Do the same with the columns."""
    return _resize_mask(mask, (size[0], mask.shape[1]))


@RESIZE_MASK.mistake("only the columns")
def _(mask, size):
    """Only the number of columns has changed. Do the same with the rows."""
    return _resize_mask(mask, (mask.shape[0], size[1]))


# --- bilinear_kernel --------------------------------------------------------------------------------------------------


def _bilinear_kernel(scale: int) -> Array:
    return interpolation.bilinear_kernel(scale)


def _kernel_cases(rng: np.random.Generator) -> list[Case]:
    # With small factors alone a table of stamps would hold them all. One of 400 has 640,000 weights, which two loops
    # fill in less than a second.
    scales = 2 * rng.permutation(np.arange(3, 201))[:4]
    return [
        Case("twice as large", (2,), group="visible"),
        Case("four times as large", (4,)),
        *(Case(f"{scale} times as large", (int(scale),)) for scale in scales),
    ]


def _profile(scale: int) -> Array:
    """The weights along one side: [0.25, 0.75, 0.75, 0.25] for a scale of 2."""
    return 1 - np.abs(np.arange(2 * scale) - (scale - 0.5)) / scale


def _outer(profile: Callable[[int], Array]) -> Callable[..., Array]:
    return lambda scale: np.outer(profile(scale), profile(scale))


def _mirrored(rising: Callable[[int], Array]) -> Callable[..., Array]:
    return _outer(lambda s: np.concatenate([rising(s), rising(s)[::-1]]))


BILINEAR_KERNEL = Exercise(
    name="bilinear_kernel",
    points=2,
    reference=_bilinear_kernel,
    cases=_kernel_cases,
    has_half=False,
    forbidden=("unet_edu.interpolation.*_kernel", "scipy.signal.*"),
)


@BILINEAR_KERNEL.mistake("normalised to 1")
def _(scale):
    """Your weights add up to 1, as for a blur. Here each input pixel has scale² outputs to fill, so its weights add up
    to scale²."""
    return _bilinear_kernel(scale) / scale**2


@BILINEAR_KERNEL.mistake("one side normalised to 1")
def _(scale):
    """Your weights are too small by the factor scale. Along one side they add up to scale: that many outputs stand
    where one pixel was."""
    return _bilinear_kernel(scale) / scale


@BILINEAR_KERNEL.mistake("largest weight 1")
def _(scale):
    """You divided by the largest weight. For an even scale no output lies exactly on an input pixel, so no weight is
    1."""
    return _bilinear_kernel(scale) / _bilinear_kernel(scale).max()


BILINEAR_KERNEL.mistake(
    "tip on a pixel",
    "Your tent has its tip on an output pixel, and its first row and column are 0. For an even scale the tip lies "
    "between two outputs, at scale − 0.5.",
    _outer(lambda s: 1 - np.abs(np.arange(2 * s) - s) / s),
)
BILINEAR_KERNEL.mistake(
    "odd size",
    "Your kernel has an odd size, with the weight 1 in the middle: that fits align_corners, or an odd scale. For an "
    "even scale it is (2·scale, 2·scale), and the tip lies between two outputs.",
    _outer(lambda s: 1 - np.abs(np.arange(2 * s - 1) - (s - 1)) / s),
)
BILINEAR_KERNEL.mistake(
    "from 0 to 1",
    "Your weights rise from 0 to 1. The outputs lie at odd multiples of half a step from the tip, so neither 0 nor 1 "
    "is reached: with a scale of 2 it is 0.25 and 0.75.",
    _mirrored(lambda s: np.linspace(0, 1, s)),
)
BILINEAR_KERNEL.mistake(
    "up to 1",
    "Your weights rise to 1. For an even scale the tip lies between two outputs, so each is half a step lower.",
    _mirrored(lambda s: np.arange(1, s + 1) / s),
)
BILINEAR_KERNEL.mistake(
    "tent too wide",
    "Your tent falls too slowly: it reaches 0 only after 2·scale outputs. The weight is 0 at the next input pixel, "
    "which is scale outputs away.",
    _outer(lambda s: 1 - np.abs(np.arange(2 * s) - (s - 0.5)) / (2 * s)),
)


@BILINEAR_KERNEL.mistake("block of ones")
def _(scale):
    """That is the kernel of nearest: a block of ones. Bilinear's is twice as wide and falls off towards its rim."""
    return np.ones((scale, scale))


BILINEAR_KERNEL.mistake(
    "only one row",
    "That is right along one side. For an image the weights of the rows meet those of the columns: each weight is a "
    "product, and the kernel is (2·scale, 2·scale).",
    _profile,
)


@BILINEAR_KERNEL.mistake("sum of rows and columns")
def _(scale):
    """You added the two sides' weights. They multiply: 0.75 · 0.75 = 0.5625."""
    return np.add.outer(_profile(scale), _profile(scale))


BILINEAR_KERNEL.mistake(
    "only the rising half",
    "That is one quarter of the kernel. It also falls again: along each side there are 2·scale weights.",
    _outer(lambda s: _profile(s)[:s]),
)


# --- up_volume --------------------------------------------------------------------------------------------------------


Scales = tuple[int, int, int]
Matrix = Callable[[int, int], Array]  # from the size along a side and its factor


def _up_volume(x: Array, scales: Scales) -> Array:
    for axis, scale in enumerate(scales):
        B = axis_matrix(x.shape[axis], x.shape[axis] * scale)
        x = np.moveaxis(np.tensordot(B, x, axes=(1, axis)), 0, axis)
    return x


def _volume_cases(rng: np.random.Generator) -> list[Case]:
    def case(name: str, shape: Scales, scales: Scales, *, whole: bool = False) -> Case:
        n = int(np.prod(shape))
        x = (rng.permutation(4 * n)[:n] - 2 * n).reshape(shape) if whole else rng.normal(size=shape) * 9
        return Case(name, (x, scales))

    corners = np.array([[[0, 8], [4, 0]], [[8, 0], [-4, 16]]])
    return [
        Case("two slices become four", (np.array([[[0, 8]], [[4, 4]]]), (2, 1, 1)), group="visible"),
        Case("2×2×2, twice as deep and twice as wide", (corners, (2, 1, 2)), group="visible"),
        case("3×2×4 by the factors 2, 3, 1", (3, 2, 4), (2, 3, 1), whole=True),
        case("2×3×4 by the factors 3, 1, 2, with fractions", (2, 3, 4), (3, 1, 2)),
        case("4×3×2 by the factors 1, 2, 4, with fractions", (4, 3, 2), (1, 2, 4)),
        case("2×4×3 by the factors 5, 2, 3", (2, 4, 3), (5, 2, 3), whole=True),
        case("3×4×3 by the factors 4, 1, 1, with fractions", (3, 4, 3), (4, 1, 1)),
        case("a single slice, by the factors 3, 2, 2", (1, 3, 4), (3, 2, 2)),
        case("3×3×3 by the factors 2, 2, 2", (3, 3, 3), (2, 2, 2)),
    ]


def _along(depth: Matrix, rows: Matrix | None = None, columns: Matrix | None = None) -> Callable[..., Array]:
    """A volume that is enlarged by these matrices along its sides."""

    def wrong(x: Array, scales: Scales) -> Array:
        D, R, C = (
            matrix(size, scale)
            for matrix, size, scale in zip((depth, rows or depth, columns or depth), x.shape, scales, strict=True)
        )
        return np.einsum("ad,bi,cj,dij->abc", D, R, C, x)

    return wrong


def _with_scales(change: Callable[[Scales], Scales]) -> Callable[..., Array]:
    """The right answer to other factors."""
    return lambda x, scales: _up_volume(x, change(scales))


UP_VOLUME = Exercise(
    name="up_volume",
    points=2,
    reference=_up_volume,
    cases=_volume_cases,
    linear="x",
    forbidden=("numpy.interp", *RESIZING),
)
UP_VOLUME.mistake(
    "only the slices",
    "Good so far: each slice is enlarged. Next: the depth. Between two slices there come new ones, and each pixel of "
    "them is mixed of the pixels before and behind it.",
    _along(_as_it_is, _tent, _tent),
)
UP_VOLUME.mistake(
    "only the depth",
    "Good so far: there are as many slices as there should be. Next: the rows and the columns of each slice.",
    _along(_tent, _as_it_is, _as_it_is),
)
UP_VOLUME.mistake(
    "without the columns",
    "Good so far: depth and rows are right. Next: the columns, which are axis 2.",
    _along(_tent, _tent, _as_it_is),
)
UP_VOLUME.mistake(
    "without the rows",
    "Good so far: depth and columns are right. Next: the rows, which are axis 1.",
    _along(_tent, _as_it_is, _tent),
)
UP_VOLUME.mistake(
    "slices repeated",
    "Along the depth you copy slices: that is nearest. A new slice lies between two others; mix these, the nearer one "
    "with more weight, as you do with rows.",
    _along(_copies, _tent, _tent),
)
UP_VOLUME.mistake(
    "nearest",
    "Your output only copies: that is nearest. Here two neighbours are mixed, along each of the three sides.",
    _along(_copies),
)
UP_VOLUME.mistake(
    "plain mean of the neighbours",
    "You took the plain mean of the neighbours along a side. The nearer one counts more, in a volume as in an image.",
    _along(_plain_means),
)
UP_VOLUME.mistake(
    "corners aligned",
    "Your outputs are spread evenly from the first middle to the last: that is align_corners=True. Here both volumes "
    "lie edge on edge, along each side: source = (i + 0.5) / scale − 0.5.",
    _along(lambda n, s: axis_matrix(n, n * s, align_corners=True)),
)
UP_VOLUME.mistake(
    "half pixels forgotten",
    "Your volume has slid towards its first corner: the outputs look at i / scale. A number belongs to the middle of "
    "its place, which lies half a place from the edge, in the output and in the input.",
    _along(_at(lambda i, s: i / s)),
)
UP_VOLUME.mistake(
    "half pixels forgotten along the depth",
    "Rows and columns are right, and your slices have slid to the front: along the depth the outputs look at i / "
    "scale. A slice has a middle, too: source = (i + 0.5) / scale − 0.5, as for rows.",
    _along(_at(lambda i, s: i / s), _tent, _tent),
)
UP_VOLUME.mistake(
    "line drawn on beyond the border",
    "At the border your function draws the line on. Outside of the first and the last middle the number at the border "
    "is repeated, along each side.",
    _along(_extrapolated),
)
UP_VOLUME.mistake(
    "source below 0",
    "Your volume is wrong only in its first slices, rows and columns. There the source lies before the first middle, "
    "below 0: int(−0.25) is 0, and source − k is −0.25. Keep the source from going below 0, along each side.",
    _along(_source_below_zero),
)
UP_VOLUME.mistake(
    "zeros outside",
    "Your volume becomes darker at its border: there you mix with zeros from outside. The number at the border is "
    "repeated, along each side.",
    _along(lambda n, s: np.maximum(0, 1 - np.abs(_places(n, s)[:, None] - np.arange(n)))),
)
UP_VOLUME.mistake(
    "last slice mixed into the first",
    "In front of the first slice you mix in the last one: x[−1] is the last one in Python, and no error. Keep the "
    "source from going below 0.",
    _along(_at(_centres, lower=lambda k, n: k % n), _tent, _tent),
)
UP_VOLUME.mistake(
    "last pixel mixed into the first",
    "In front of the first pixel you mix in the last one: x[−1] is the last number in Python, and no error. Keep the "
    "source from going below 0, along each side.",
    _along(_at(_centres, lower=lambda k, n: k % n)),
)
UP_VOLUME.mistake(
    "weights exchanged",
    "The two weights have changed places. The nearer neighbour counts more.",
    _along(_weights_exchanged),
)
UP_VOLUME.mistake(
    "one factor for all sides",
    "You used the first factor for all three sides. Each side has its own: scales is (depth, rows, columns).",
    _with_scales(lambda scales: (scales[0],) * 3),
)
UP_VOLUME.mistake(
    "factors turned round",
    "The factors are in the wrong order. scales has the order of the axes: depth, rows, columns.",
    _with_scales(lambda scales: scales[::-1]),
)
UP_VOLUME.mistake(
    "factors of rows and columns exchanged",
    "The factors of the rows and of the columns have changed places. scales is (depth, rows, columns), as x.shape is.",
    _with_scales(lambda scales: (scales[0], scales[2], scales[1])),
)
UP_VOLUME.mistake(
    "factor of the rows for the columns, too",
    "Each slice has one factor for both sides in your function, that of the rows. The columns have their "
    "own, scales[2].",
    _with_scales(lambda scales: (scales[0], scales[1], scales[1])),
)
UP_VOLUME.mistake(
    "factor of the columns for the rows, too",
    "Each slice has one factor for both sides in your function, that of the columns. The rows have their "
    "own, scales[1].",
    _with_scales(lambda scales: (scales[0], scales[2], scales[2])),
)
UP_VOLUME.mistake(
    "depth last in the factors",
    "You took the last factor for the depth. scales has the order of the axes: the depth comes first.",
    _with_scales(lambda scales: (scales[2], scales[0], scales[1])),
)
UP_VOLUME.mistake(
    "always twice as large",
    "Your function always makes every side twice as large. Use its argument, scales, one number for each side.",
    _with_scales(lambda scales: (2, 2, 2)),
)


@UP_VOLUME.mistake("directions averaged")
def _(x: Array, scales: Scales) -> Array:
    """You took the mean of three results, one for each direction. Do one direction after the other, each on what came
    out of the one before: the weights multiply."""
    ways = [[_tent if axis == each else _copies for each in range(3)] for axis in range(3)]
    return np.mean([_along(*way)(x, scales) for way in ways], axis=0)


@UP_VOLUME.mistake("two corners of eight")
def _(x: Array, scales: Scales) -> Array:
    """You mix two voxels at once: the one at the lower end of all three sides, and the one at the upper end. Between
    them lie six more. Do one side after the other, or give each of the eight the product of its three weights."""
    low, high, part = [], [], np.ones(())
    for size, scale in zip(x.shape, scales, strict=True):
        where = _places(size, scale).clip(0, size - 1)
        k = np.floor(where).astype(int)
        low.append(k)
        high.append((k + 1).clip(0, size - 1))
        part = np.multiply.outer(part, where - k)
    return (1 - part) * x[np.ix_(*low)] + part * x[np.ix_(*high)]


@UP_VOLUME.mistake("depth comes last")
def _(x: Array, scales: Scales) -> Array:
    """Your numbers are right, but the depth has become the last axis. If you moved an axis to enlarge along it, move it
    back afterwards."""
    return np.moveaxis(_up_volume(x, scales), 0, -1)


@UP_VOLUME.mistake("axes turned round")
def _(x: Array, scales: Scales) -> Array:
    """Your numbers are right, but the axes are in the reverse order: .T turns all three of them round. The order is
    depth, rows, columns."""
    return _up_volume(x, scales).T


@UP_VOLUME.mistake("rows and columns swapped")
def _(x: Array, scales: Scales) -> Array:
    """Each of your slices lies on its side: rows and columns have changed places. Does one turn too many, or too few,
    stand somewhere?"""
    return _up_volume(x, scales).swapaxes(1, 2)


@UP_VOLUME.mistake("rounded")
def _(x, scales):
    """Your volume is rounded to whole numbers. A mean of whole numbers may be a fraction."""
    return np.rint(_up_volume(x, scales))


LESSON = Lesson(
    folder="03_interpolation",
    set_up="""\
import numpy as np
from unet_edu import check
from unet_edu.interpolation import interpolate
""",
    exercises=(UP_NEAREST, UP_BILINEAR, RESIZE_MASK, BILINEAR_KERNEL, UP_VOLUME),
)
