"""How a wrong matrix comes from the right one: one table for each kind, a row for each mistake.

Row by row a matrix says what a number of the answer reads, column by column what a number of the input reaches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from unet_edu.checks.arrays import Array
from unet_edu.checks.changes import AXES, LOOP, RESET, SCALE, SIGN, START, TURN
from unet_edu.checks.fault import different, same
from unet_edu.checks.windows import Windows, windows_of

__all__ = ["VAGUE", "Reach", "Statement", "statements"]

Shape = tuple[int, ...]

WINDOW = "Which pixels lie in a window, and which of its weights meets each of them?"
STAMP = "Where does each number go, and which of the weights goes there with it?"
OVERLAP = "What should happen where several numbers meet in one place, and what does your function do there?"


# --- the matrices -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Reach:
    """The right matrix and the student's: a row for each number of the answer, a column for each of the input."""

    ours: Array
    yours: Array
    zeros: tuple[Array, Array]  # the answers to zeros
    out: Shape
    inside: Shape

    @property
    def is_alike(self) -> bool:
        """Whether shapes and answers to zeros agree: then the matrices can be compared."""
        return same(self.zeros[1], self.zeros[0])

    @cached_property
    def reads(self) -> Windows | None:
        """What each number of the answer reads."""
        return windows_of(self.ours, self.out, self.inside)

    @cached_property
    def lands(self) -> Windows | None:
        """What each number of the input reaches: its stamp."""
        return windows_of(self.ours.T, self.inside, self.out)


# --- the parts of an array --------------------------------------------------------------------------------------------


def _part(*where: tuple[int, slice], but: bool = False) -> Callable[[Shape], Array | None]:
    """A mask of some rows, columns, channels …; with `but` of all the others. None where there is no such axis."""

    def mask(shape: Shape) -> Array | None:
        chosen = np.zeros(shape, bool)
        for axis, index in where:
            if len(shape) < -axis:
                return None
            np.moveaxis(chosen, axis, 0)[index] = True
        return (~chosen if but else chosen).ravel()

    return mask


FIRST, LAST, SECOND = slice(1), slice(-1, None), slice(1, None, 2)
PARTS: dict[str, tuple[Callable[[Shape], Array | None], str]] = {
    "all of it": (lambda shape: np.ones(np.prod(shape, dtype=int), bool), "Where is the result stored, and when?"),
    "its last row": (_part((-2, LAST)), START),
    "its last column": (_part((-1, LAST)), START),
    "its first row": (_part((-2, FIRST)), START),
    "its first column": (_part((-1, FIRST)), START),
    "its last row and its last column": (_part((-2, LAST), (-1, LAST)), START),
    "its first row and its first column": (_part((-2, FIRST), (-1, FIRST)), START),
    "its border": (_part((-2, FIRST), (-2, LAST), (-1, FIRST), (-1, LAST)), START),
    "all its rows but the first": (_part((-2, FIRST), but=True), LOOP),
    "all its columns but the first": (_part((-1, FIRST), but=True), LOOP),
    "all its rows but the last": (_part((-2, LAST), but=True), RESET),
    "all its columns but the last": (_part((-1, LAST), but=True), RESET),
    "all its channels but the first": (_part((-3, FIRST), but=True), LOOP),
    "all its channels but the last": (_part((-3, LAST), but=True), RESET),
    "its last channel": (_part((-3, LAST)), START),
    "its first channel": (_part((-3, FIRST)), START),
    "all its images but the first": (_part((-4, FIRST), but=True), LOOP),
    "all its images but the last": (_part((-4, LAST), but=True), RESET),
    "its last image": (_part((-4, LAST)), START),
    "every second row of it": (_part((-2, SECOND)), "By how much does your loop go on, from one step to the next?"),
    "every second column of it": (_part((-1, SECOND)), "By how much does your loop go on, from one step to the next?"),
    "all its numbers but the first": (lambda shape: np.arange(np.prod(shape)) > 0, LOOP),
    "all its numbers but the last": (lambda shape: np.arange(np.prod(shape)) < np.prod(shape) - 1, RESET),
    "its first number": (lambda shape: np.arange(np.prod(shape)) == 0, START),
    "its last number": (lambda shape: np.arange(np.prod(shape)) == np.prod(shape) - 1, START),
}


# --- what may be said -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Statement:
    """What we see, what to think about, and whether it is true of two matrices; None where these cannot tell."""

    sees: str
    asks: str
    is_true: Callable[[Reach], bool | None]
    example: Callable[[Reach], str] = lambda reach: ""


def _comes_out(of: Callable[[Reach], Array | None]) -> Callable[[Reach], bool | None]:
    """Whether the student's matrix is exactly what `of` makes of the right one."""

    def is_true(reach: Reach) -> bool | None:
        expected = of(reach)
        if expected is None:
            return None
        if not reach.is_alike or not same(reach.yours, expected):
            return False
        return None if same(expected, reach.ours) else True

    return is_true


def _without(part: str, axis: int) -> Callable[[Reach], Array | None]:
    """The matrix with some of its rows empty, or of its columns."""

    def of(reach: Reach) -> Array | None:
        mask = PARTS[part][0](reach.inside if axis else reach.out)
        return None if mask is None else np.where(mask if axis else mask[:, None], 0, reach.ours)

    return of


def _on_windows(of: Callable[[Windows], Array | None], is_stamp: bool) -> Callable[[Reach], Array | None]:
    def on(reach: Reach) -> Array | None:
        windows = reach.lands if is_stamp else reach.reads
        matrix = None if windows is None else of(windows)
        return matrix.T if is_stamp and matrix is not None else matrix

    return on


def _without_taps(part: str) -> Callable[[Windows], Array | None]:
    def of(windows: Windows) -> Array | None:
        mask = PARTS[part][0](windows.size)
        if mask is None or mask.all():
            return None
        gone = mask[np.ravel_multi_index(tuple(windows.taps.T), windows.size)]
        return windows.matrix(windows.corners + windows.taps, np.where(gone, 0, windows.weights))

    return of


def _at(place: Callable[[Windows], Array], beyond: str = "nothing") -> Callable[[Windows], Array | None]:
    """The same weights at other places."""
    return lambda windows: windows.matrix(place(windows), beyond=beyond)


def _by(*step: int) -> Callable[[Windows], Array]:
    return lambda windows: windows.corners + windows.taps + np.array([0] * (len(windows.image) - 2) + list(step))


def _taps(change: Callable[[Array, Array], Array]) -> Callable[[Windows], Array]:
    """The taps of a plane at other places: `change` takes them and the size of the window, rows and columns alike."""

    def place(windows: Windows) -> Array:
        taps = windows.taps.copy()
        taps[:, -2:] = change(taps[:, -2:], np.array(windows.size[-2:]))
        return windows.corners + taps

    return place


def _corners(change: Callable[[Array, Array], Array]) -> Callable[[Windows], Array]:
    """The windows at other places: `change` takes where they begin and the places of their owners."""

    def place(windows: Windows) -> Array:
        corners, low = windows.corners.copy(), windows.corners[:, -2:].min(axis=0)
        corners[:, -2:] = low + change(corners[:, -2:] - low, windows.owner_places[:, -2:])
        return corners + windows.taps

    return place


ROW, COLUMN = np.array([1, 0]), np.array([0, 1])
MOVED = {"one row lower": (1, 0), "one row higher": (-1, 0), "one column further right": (0, 1)}
MOVED |= {"one column further left": (0, -1), "one row lower and one column further right": (1, 1)}
MOVED |= {"one row higher and one column further left": (-1, -1)}
BEYOND = {"nothing": "", "the border": "; beyond the border, the border comes again"}
BEYOND |= {"the other side": "; beyond the border, the other side comes in"}
# The taps of a window at other places: in words, by what, and what to think about.
TAPS: Sequence[tuple[str, Callable[[Array, Array], Array], str]] = (
    ("with its weights upside down", lambda t, n: t * COLUMN + (n - 1 - t) * ROW, TURN),
    ("with its weights from right to left", lambda t, n: t * ROW + (n - 1 - t) * COLUMN, TURN),
    ("with its weights turned by half a turn", lambda t, n: n - 1 - t, TURN),
    ("with rows and columns exchanged", lambda t, n: t[:, ::-1], AXES),
    ("up and to the left of its beginning", lambda t, n: -t, SIGN),
    ("up from its beginning", lambda t, n: t * [-1, 1], SIGN),
    ("to the left of its beginning", lambda t, n: t * [1, -1], SIGN),
    ("with all its rows laid on the first", lambda t, n: t * COLUMN, "Which index moves down within it?"),
    ("with all its columns laid on the first", lambda t, n: t * ROW, "Which index moves to the right within it?"),
    ("along a diagonal: its rows go to the right, too", lambda t, n: t[:, [0, 0]], AXES),
    ("along a diagonal: its columns go down, too", lambda t, n: t[:, [1, 1]], AXES),
    ("with a gap of one between its weights", lambda t, n: 2 * t, "How far apart are its weights?"),
)
CORNERS: Sequence[tuple[str, Callable[[Array, Array], Array], str]] = (
    ("all of them in the first row", lambda c, o: c * COLUMN, "Which index moves them down?"),
    ("all of them in the first column", lambda c, o: c * ROW, "Which index moves them to the right?"),
    ("one row and one column apart", lambda c, o: o, "How far apart do they begin?"),
    ("one row apart", lambda c, o: o * ROW + c * COLUMN, "How far apart do they begin?"),
    ("one column apart", lambda c, o: c * ROW + o * COLUMN, "How far apart do they begin?"),
    ("twice as far apart as they should be", lambda c, o: 2 * c, "How far apart do they begin?"),
    ("with rows and columns exchanged", lambda c, o: c[:, ::-1], AXES),
    ("one further apart than they should be", lambda c, o: c + o, "How far apart do they begin?"),
)


def statements(is_stamp: bool) -> Iterator[Statement]:
    """What determines an answer, the simplest first."""
    yield Statement(
        "What the numbers of {x} add to your answer is right. But something else is in it that is not, also where {x} "
        "holds only zeros.",
        "What does your function begin with, and what does it add that does not depend on {x}?",
        lambda r: None if r.is_alike else r.zeros[0].shape == r.zeros[1].shape and same(r.yours, r.ours),
    )
    for part, (_, asks) in PARTS.items():
        yield Statement(
            f"No number of {{x}} reaches this part of your answer: {part}.", asks, _comes_out(_without(part, 0))
        )
    for part, (_, asks) in PARTS.items():
        yield Statement(f"This part of {{x}} reaches nothing: {part}.", asks, _comes_out(_without(part, 1)))
    yield from _of_windows(is_stamp)
    for sees, asks, of in WEIGHTS:
        yield Statement(sees, asks, _comes_out(of))


def _of_windows(is_stamp: bool) -> Iterator[Statement]:
    one, all_, about = (
        ("Each stamp lies", "The stamps lie", STAMP) if is_stamp else ("Each window lies", "The windows lie", WINDOW)
    )

    def row(sees: str, asks: str, of: Callable[[Windows], Array | None]) -> Statement:
        return Statement(sees, asks, _comes_out(_on_windows(of, is_stamp)))

    what = "Of each stamp, this part is missing" if is_stamp else "Of each window, this part is never read"
    for part, (_, asks) in PARTS.items():
        yield row(f"{what}: {part}.", asks, _without_taps(part))
    for beyond, more in BEYOND.items():
        if more:
            yield row(f"{one} where it should{more}.", WINDOW, _at(_by(0, 0), beyond))
        for words, step in MOVED.items():
            yield row(f"{one} {words} than it should{more}.", f"{about} {START}", _at(_by(*step), beyond))
        for words, change, asks in TAPS:
            yield row(f"{one} {words}{more}.", asks, _at(_taps(change), beyond))
        for words, change, asks in CORNERS:
            yield row(f"{all_} {words}{more}.", asks, _at(_corners(change), beyond))


def _kept(matrix: Array, last: bool) -> Array:
    """In each row the last number only, or the first, that is not 0."""
    order = matrix[:, ::-1] if last else matrix
    kept = np.where(np.cumsum(order != 0, axis=1) == 1, order, 0)
    return kept[:, ::-1] if last else kept


def _met(matrix: Array) -> Array:
    """How many numbers of the input meet in each of the answer."""
    return np.maximum((matrix != 0).sum(axis=1, keepdims=True), 1)


def _summed(reach: Reach, axis: int | None) -> Array:
    """Each number of the answer has those before it in it, too: along an axis, or all."""
    shape = (*reach.out, -1)
    ours = reach.ours.reshape(shape) if axis is not None and len(reach.out) >= -axis else reach.ours
    return np.cumsum(ours, axis=0 if axis is None else axis - 1).reshape(reach.ours.shape)


RATIOS = {"twice": 2, "half of": 0.5, "three times": 3, "four times": 4, "a quarter of": 0.25, "−1 times": -1}
WEIGHTS: Sequence[tuple[str, str, Callable[[Reach], Array | None]]] = (
    *(
        (f"Everything reaches its place with {words} its weight.", SCALE, lambda r, n=ratio: r.ours * n)
        for words, ratio in RATIOS.items()
    ),
    (
        "Where several numbers of {x} meet in one place of your answer, only the last one is left.",
        OVERLAP,
        lambda r: _kept(r.ours, last=True),
    ),
    (
        "Where several numbers of {x} meet in one place of your answer, only the first one is left.",
        OVERLAP,
        lambda r: _kept(r.ours, last=False),
    ),
    (
        "Where several numbers of {x} meet in one place of your answer, you take their mean.",
        OVERLAP,
        lambda r: r.ours / _met(r.ours),
    ),
    (
        "Where several numbers of {x} meet in one place of your answer, each counts too often.",
        OVERLAP,
        lambda r: r.ours * _met(r.ours),
    ),
    (
        "All numbers of {x} go where they should, each with the weight 1.",
        "Where are the weights used?",
        lambda r: r.ours != 0,
    ),
    (
        "In each number of your answer the weights are all alike: their mean.",
        "What decides how much each of the numbers counts?",
        lambda r: np.where(r.ours != 0, r.ours.sum(axis=1, keepdims=True) / _met(r.ours), 0),
    ),
    ("All weights count without their sign.", SIGN, lambda r: np.abs(r.ours)),
    ("No weight that is negative counts.", "Where could a negative number get lost?", lambda r: np.maximum(r.ours, 0)),
    ("Each weight is multiplied with itself.", "Is a weight used twice?", lambda r: r.ours**2),
    (
        "In each number of your answer the weights add up to 1.",
        SCALE,
        lambda r: r.ours / np.where(np.abs(r.ours.sum(axis=1)) > 1e-9, r.ours.sum(axis=1), 1)[:, None],
    ),
    ("Each number of your answer has in it all those before it, row by row.", RESET, lambda r: _summed(r, None)),
    ("Each number of your answer has in it those to the left of it.", RESET, lambda r: _summed(r, -1)),
    ("Each number of your answer has in it those above it.", RESET, lambda r: _summed(r, -2)),
)


# --- what is not exactly known ----------------------------------------------------------------------------------------


def _pattern(test: Callable[[Array, Array], bool]) -> Callable[[Reach], bool | None]:
    """A test of which numbers are read at all: ours, then the student's. It is of answers of the right shape only."""

    def is_true(reach: Reach) -> bool | None:
        if reach.zeros[0].shape != reach.zeros[1].shape:
            return False
        return None if same(reach.yours, reach.ours) else test(_read(reach.ours), _read(reach.yours))

    return is_true


def _read(matrix: Array) -> Array:
    return np.abs(matrix) > 1e-6 * max(1.0, np.abs(matrix).max(initial=0))


def _empty(part: str) -> Callable[[Reach], bool | None]:
    """Whether a part of the input reaches nothing, whatever else is wrong."""

    def is_true(reach: Reach) -> bool | None:
        mask = PARTS[part][0](reach.inside)
        if mask is None or not _read(reach.ours[:, mask]).any():
            return None
        return bool(not _read(reach.yours[:, mask]).any() and (mask.all() or _read(reach.yours[:, ~mask]).any()))

    return is_true


def _first(wanted: Callable[[Array, Array], Array], says: str) -> Callable[[Reach], str]:
    """A number of the answer, and one of the input, as an example."""

    def example(reach: Reach) -> str:
        found = np.argwhere(wanted(_read(reach.ours), _read(reach.yours)))
        if not len(found):
            return ""
        row, column = found[0]
        places = [list(map(int, np.unravel_index(n, s))) for n, s in ((row, reach.out), (column, reach.inside))]
        return says.format(places[0], f"{{x}}{places[1]}", "×".join(map(str, reach.inside)))

    return example


NOT_READ = " For example, where {{x}} is {2}, the number at {0} of your answer does not depend on all that it should."
IS_READ = " For example, where {{x}} is {2}, the number at {0} of your answer depends on {1}."
VAGUE: Sequence[Statement] = (
    Statement(
        "Where {x} holds only zeros, your answer does not.",
        "What does your function begin with, and what does it add that does not depend on {x}?",
        lambda r: None if r.zeros[0].any() else bool(different(r.zeros[1], np.zeros(1)).any()),
    ),
    *(
        Statement(f"This part of {{x}} reaches nothing in your answer: {part}.", asks, _empty(part))
        for part, (_, asks) in PARTS.items()
    ),
    Statement(
        "All numbers of {x} go where they should, but with other weights.",
        "How much should each of them count?",
        _pattern(lambda ours, yours: bool((ours == yours).all())),
    ),
    Statement(
        "What your answer takes from {x} is not all that it should.",
        f"{WINDOW} {START}",
        _pattern(lambda ours, yours: not (yours & ~ours).any()),
        _first(lambda ours, yours: ours & ~yours, NOT_READ),
    ),
    Statement(
        "Your answer takes from {x} what it should, and more.",
        WINDOW,
        _pattern(lambda ours, yours: not (ours & ~yours).any()),
        _first(lambda ours, yours: yours & ~ours, IS_READ),
    ),
    Statement(
        "The numbers of your answer depend on other numbers of {x} than they should.",
        WINDOW,
        _pattern(lambda ours, yours: True),
        _first(lambda ours, yours: yours & ~ours, IS_READ),
    ),
)
