"""How a wrong matrix comes from the right one: one table for each kind, a row for each mistake.

Row by row a matrix says what a number of the answer reads, column by column what a number of the input reaches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from unet_edu.checks.arrays import COLUMN, ROW, Array, Shape
from unet_edu.checks.changes import AXES, LOST, RESET, SCALE, SIGN, START, TURN
from unet_edu.checks.fault import different, same
from unet_edu.checks.parts import PARTS, Part
from unet_edu.checks.windows import Windows, windows_of

__all__ = ["VAGUE", "Reach", "Statement", "statements"]

WINDOW = "Which pixels lie in a window, and which of its weights meets each of them?"
STAMP = "Where does each number go, and which of the weights goes there with it?"
APART = "How far apart do they begin?"
BEGIN = "What does your function begin with, and what does it add that does not depend on {x}?"
OVERLAP = "What should happen where several numbers meet in one place, and what does your function do there?"


# --- the matrices -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Reach:
    """The right matrix and the student's: a row for each number of the answer, a column for each of the input."""

    ours: Array
    yours: Array
    zeros: tuple[Array, Array]  # the right answer to zeros, and the student's
    out: Shape
    inside: Shape

    @property
    def is_comparable(self) -> bool:
        """Whether shapes and answers to zeros agree."""
        return same(self.zeros[1], self.zeros[0])

    @cached_property
    def reads(self) -> Windows | None:
        """What each number of the answer reads."""
        return windows_of(self.ours, self.out, self.inside)

    @cached_property
    def lands(self) -> Windows | None:
        """What each number of the input reaches: its stamp."""
        return windows_of(self.ours.T, self.inside, self.out)


# --- what may be said -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Statement:
    """What we see, what to think about, and whether it is true of two matrices; None where these cannot tell."""

    sees: str
    asks: str
    is_true: Callable[[Reach], bool | None]
    example: Callable[[Reach], str] = lambda reach: ""
    of: Callable[[Reach], Array | None] = lambda reach: None  # the student's matrix, where this determines it


def _comes_out(of: Callable[[Reach], Array | None]) -> Callable[[Reach], bool | None]:
    """Whether the student's matrix is exactly what `of` makes of the right one."""

    def is_true(reach: Reach) -> bool | None:
        expected = of(reach)
        if expected is None:
            return None
        if not reach.is_comparable or not same(reach.yours, expected):
            return False
        return None if same(expected, reach.ours) else True

    return is_true


def _exactly(sees: str, asks: str, of: Callable[[Reach], Array | None]) -> Statement:
    """A statement that determines the student's matrix."""
    return Statement(sees, asks, _comes_out(of), of=of)


def _without(part: Part, axis: int) -> Callable[[Reach], Array | None]:
    """The matrix with some of its rows empty, or of its columns."""

    def of(reach: Reach) -> Array | None:
        mask = part(reach.inside if axis else reach.out)
        return None if mask is None else np.where(mask if axis else mask[:, None], 0, reach.ours)

    return of


def _on_windows(of: Callable[[Windows], Array | None], is_stamp: bool) -> Callable[[Reach], Array | None]:
    """The matrix whose windows, or stamps, are changed; None where it has none."""

    def on(reach: Reach) -> Array | None:
        windows = reach.lands if is_stamp else reach.reads
        matrix = None if windows is None else of(windows)
        return matrix.T if is_stamp and matrix is not None else matrix

    return on


def _without_taps(part: Part) -> Callable[[Windows], Array | None]:
    def of(windows: Windows) -> Array | None:
        mask = part(windows.size)
        if mask is None or mask.all():
            return None
        gone = mask[np.ravel_multi_index(tuple(windows.taps.T), windows.size)]
        return windows.matrix(windows.corners + windows.taps, np.where(gone, 0, windows.weights))

    return of


def _at(place: Callable[[Windows], Array], beyond: str = "nothing") -> Callable[[Windows], Array | None]:
    """The same weights at other places."""
    return lambda windows: windows.matrix(place(windows), beyond=beyond)


def _by(down: int, right: int) -> Callable[[Windows], Array]:
    return lambda windows: windows.corners + windows.taps + np.array([0] * (len(windows.image) - 2) + [down, right])


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


ROWS, COLUMNS = np.array([1, 0]), np.array([0, 1])  # of places, the rows alone, the columns alone
MOVED: Sequence[tuple[str, int, int]] = (
    ("one row lower", 1, 0),
    ("one row higher", -1, 0),
    ("one column further right", 0, 1),
    ("one column further left", 0, -1),
    ("one row lower and one column further right", 1, 1),
    ("one row higher and one column further left", -1, -1),
)
BEYOND: Sequence[tuple[str, str]] = (
    ("nothing", ""),
    ("the border", "; beyond the border, the border comes again"),
    ("the other side", "; beyond the border, the other side comes in"),
)
# The taps of a window at other places: in words, by what, and what to think about.
TAPS: Sequence[tuple[str, Callable[[Array, Array], Array], str]] = (
    ("with its weights upside down", lambda t, n: t * COLUMNS + (n - 1 - t) * ROWS, TURN),
    ("with its weights from right to left", lambda t, n: t * ROWS + (n - 1 - t) * COLUMNS, TURN),
    ("with its weights turned by half a turn", lambda t, n: n - 1 - t, TURN),
    ("with rows and columns exchanged", lambda t, n: t[:, ::-1], AXES),
    ("up and to the left of its beginning", lambda t, n: -t, SIGN),
    ("up from its beginning", lambda t, n: t * [-1, 1], SIGN),
    ("to the left of its beginning", lambda t, n: t * [1, -1], SIGN),
    ("with all its rows laid on the first", lambda t, n: t * COLUMNS, "Which index moves down within it?"),
    ("with all its columns laid on the first", lambda t, n: t * ROWS, "Which index moves to the right within it?"),
    ("along a diagonal: its rows go to the right, too", lambda t, n: t[:, [0, 0]], AXES),
    ("along a diagonal: its columns go down, too", lambda t, n: t[:, [1, 1]], AXES),
    ("with a gap of one between its weights", lambda t, n: 2 * t, "How far apart are its weights?"),
)
CORNERS: Sequence[tuple[str, Callable[[Array, Array], Array], str]] = (
    ("all of them in the first row", lambda c, o: c * COLUMNS, "Which index moves them down?"),
    ("all of them in the first column", lambda c, o: c * ROWS, "Which index moves them to the right?"),
    ("one row and one column apart", lambda c, o: o, APART),
    ("one row apart", lambda c, o: o * ROWS + c * COLUMNS, APART),
    ("one column apart", lambda c, o: c * ROWS + o * COLUMNS, APART),
    ("twice as far apart as they should be", lambda c, o: 2 * c, APART),
    ("with rows and columns exchanged", lambda c, o: c[:, ::-1], AXES),
    ("one further apart than they should be", lambda c, o: c + o, APART),
)


def statements(is_stamp: bool) -> Iterator[Statement]:
    """What determines an answer, the simplest first."""
    yield Statement(
        "What the numbers of {x} add to your answer is right. But something else is in it that is not, also where {x} "
        "holds only zeros.",
        BEGIN,
        lambda r: None if r.is_comparable else r.zeros[0].shape == r.zeros[1].shape and same(r.yours, r.ours),
    )
    for words, part, asks in PARTS:
        yield _exactly(f"No number of {{x}} reaches this part of your answer: {words}.", asks, _without(part, 0))
    for words, part, asks in PARTS:
        yield _exactly(f"This part of {{x}} reaches nothing: {words}.", asks, _without(part, 1))
    yield from _of_windows(is_stamp)
    for sees, asks, of in WEIGHTS:
        yield _exactly(sees, asks, of)


def _of_windows(is_stamp: bool) -> Iterator[Statement]:
    one, all_, about = (
        ("Each stamp lies", "The stamps lie", STAMP) if is_stamp else ("Each window lies", "The windows lie", WINDOW)
    )

    def row(sees: str, asks: str, of: Callable[[Windows], Array | None]) -> Statement:
        return _exactly(sees, asks, _on_windows(of, is_stamp))

    what = "Of each stamp, this part is missing" if is_stamp else "Of each window, this part is never read"
    for words, part, asks in PARTS:
        yield row(f"{what}: {words}.", asks, _without_taps(part))
    for beyond, more in BEYOND:
        if more:
            yield row(f"{one} where it should{more}.", about, _at(_by(0, 0), beyond))
        for words, down, right in MOVED:
            yield row(f"{one} {words} than it should{more}.", f"{about} {START}", _at(_by(down, right), beyond))
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


def _mean(matrix: Array) -> Array:
    """In each row the mean of what is not 0."""
    return np.where(matrix != 0, matrix.sum(axis=1, keepdims=True) / _met(matrix), 0)


def _adding_up_to_1(matrix: Array) -> Array:
    sums = matrix.sum(axis=1, keepdims=True)
    return matrix / np.where(np.abs(sums) > 1e-9, sums, 1)


RATIOS = {"twice": 2, "half of": 0.5, "three times": 3, "four times": 4, "a quarter of": 0.25, "−1 times": -1}
MEET = "Where several numbers of {x} meet in one place of your answer,"
EACH = "Each number of your answer has in it"
WEIGHED = "Where are the weights used?"
COUNTS = "What decides how much each of the numbers counts?"
WEIGHTS: Sequence[tuple[str, str, Callable[[Reach], Array | None]]] = (
    *(
        (f"Everything reaches its place with {words} its weight.", SCALE, lambda r, n=ratio: r.ours * n)
        for words, ratio in RATIOS.items()
    ),
    (f"{MEET} only the last one is left.", OVERLAP, lambda r: _kept(r.ours, last=True)),
    (f"{MEET} only the first one is left.", OVERLAP, lambda r: _kept(r.ours, last=False)),
    (f"{MEET} you take their mean.", OVERLAP, lambda r: r.ours / _met(r.ours)),
    (f"{MEET} each counts too often.", OVERLAP, lambda r: r.ours * _met(r.ours)),
    ("All numbers of {x} go where they should, each with the weight 1.", WEIGHED, lambda r: r.ours != 0),
    ("In each number of your answer the weights are all alike: their mean.", COUNTS, lambda r: _mean(r.ours)),
    ("All weights count without their sign.", SIGN, lambda r: np.abs(r.ours)),
    ("No weight that is negative counts.", LOST, lambda r: np.maximum(r.ours, 0)),
    ("Each weight is multiplied with itself.", "Is a weight used twice?", lambda r: r.ours**2),
    ("In each number of your answer the weights add up to 1.", SCALE, lambda r: _adding_up_to_1(r.ours)),
    (f"{EACH} all those before it, row by row.", RESET, lambda r: _summed(r, None)),
    (f"{EACH} those to the left of it.", RESET, lambda r: _summed(r, COLUMN)),
    (f"{EACH} those above it.", RESET, lambda r: _summed(r, ROW)),
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


def _empty(part: Part) -> Callable[[Reach], bool | None]:
    """Whether a part of the input reaches nothing, whatever else is wrong."""

    def is_true(reach: Reach) -> bool | None:
        mask = part(reach.inside)
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
        BEGIN,
        lambda r: None if r.zeros[0].any() else bool(different(r.zeros[1], np.zeros(1)).any()),
    ),
    *(
        Statement(f"This part of {{x}} reaches nothing in your answer: {words}.", asks, _empty(part))
        for words, part, asks in PARTS
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
