"""What beginners do to a number, an array or an answer: one table for each kind, a row for each change.

A row has what we see, as a part of a sentence, the question that it asks, and what is computed. `{it}` stands for the
name of what is changed. A new row is one entry; nothing else has to know of it. Where an array has no such axis (the
channels of a plane) a row leaves it as it is; what cannot be done (the root of a text) raises, and explains nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "OF_ANSWERS",
    "OF_ARRAYS",
    "OF_LISTS",
    "OF_NUMBERS",
    "OF_PAIRS",
    "Change",
    "NoSuchAxisError",
    "quantities",
    "reordered",
]

Array = NDArray[Any]


@dataclass(frozen=True)
class Change:
    """One row: what we see, what to think about, and what is done."""

    sees: str
    asks: str
    of: Callable[[Any], Any]


class NoSuchAxisError(Exception):
    """An array has no such axis: then the change leaves it as it is."""


# The questions that many rows ask.
AXES = "Which index counts the rows, and which the columns?"
TURN = "Do you begin at the other end somewhere: with a minus in an index, or with ::-1?"
SIGN = "Is a + a −, are two numbers subtracted the wrong way round, or is abs(…) where it should not be, or missing?"
START = "Where do your loops begin, and where do they end? range(n) goes from 0 to n − 1."
LOOP = "Does a `return`, or a line that belongs behind the loop, stand inside it?"
RESET = "What is set to 0 before the loops, and what has to start at 0 anew, within one?"
MEAN = "Is there a sum that should be a mean, or the other way round? Of which numbers, along which axis?"
ROUND = "Where do numbers lose their fractions: by //, by int(…), by an array made for whole numbers?"
ALL = "Does your function look at all of it, along each axis?"
USED = "Where does your function use {it}?"
MEANT = "What does {it} count, and what does it not count? Read once more what the exercise says of it."
COUNTS = "What does each axis of it count?"
RESHAPE = "reshape keeps the numbers in their order, and exchanges no axes. Does it do here what you mean?"
PAIR = "Which of the two numbers is for the rows, and which for the columns?"
SCALE = "By what do you multiply or divide, and how often: once in all, or once for each step of a loop?"


def _moved(rows: int, columns: int) -> Callable[[Array], Array]:
    """Everything moved down and to the right; zeros come in."""

    def of(a: Array) -> Array:
        moved = np.roll(a, (rows, columns), (-2, -1))
        for axis, n in ((-2, rows), (-1, columns)):
            new = np.moveaxis(moved, axis, 0)
            new[: max(n, 0)] = 0
            new[len(new) + min(n, 0) :] = 0
        return moved

    return of


def _along(axis: int, index: Any) -> Callable[[Array], Array]:
    """Part of an array, along one axis."""

    def of(a: Array) -> Array:
        whole: list[Any] = [slice(None)] * a.ndim
        whole[axis] = index
        return a[tuple(whole)]

    return of


def _only(axis: int, index: slice) -> Callable[[Array], Array]:
    """Zeros, but for a part along one axis."""

    def of(a: Array) -> Array:
        filled = np.zeros_like(a)
        np.moveaxis(filled, axis, 0)[index] = np.moveaxis(a, axis, 0)[index]
        return filled

    return of


def _all_but(axis: int, index: slice) -> Callable[[Array], Array]:
    def of(a: Array) -> Array:
        filled = a.copy()
        np.moveaxis(filled, axis, 0)[index] = 0
        return filled

    return of


def _repeated(axis: int, index: int) -> Callable[[Array], Array]:
    """One row, channel, image … in place of each."""
    return lambda a: np.repeat(np.take(a, [index], axis), a.shape[axis], axis)


def _ring(a: Array) -> Array:
    inside = a.copy()
    inside[..., [0, -1], :] = 0
    inside[..., [0, -1]] = 0
    return inside


def _within(width: int) -> Callable[[Array], Array]:
    def of(a: Array) -> Array:
        return np.pad(a, [(0, 0)] * (a.ndim - 2) + [(width, width)] * min(2, a.ndim))

    return of


def _planes(a: Array) -> Array:
    if a.ndim < 3:
        raise NoSuchAxisError("no channels")
    return a


def _images(a: Array) -> Array:
    if a.ndim < 4:
        raise NoSuchAxisError("one image")
    return a


def _plane(a: Array) -> Array:
    if a.ndim < 2:
        raise NoSuchAxisError("no rows and columns")
    return a


def _row(a: Array) -> Array:
    if not a.ndim:
        raise ValueError("a single number")
    return a


def _softmax(axis: int) -> Callable[[Array], Array]:
    def of(a: Array) -> Array:
        e = np.exp(a - a.max(axis, keepdims=True))
        return np.asarray(e / e.sum(axis, keepdims=True))

    return of


# Both for what goes in and for what comes out.
TURNED: Sequence[Change] = (
    Change("{it} turned by half a turn", TURN, lambda a: _plane(a)[..., ::-1, ::-1]),
    Change("{it} turned upside down", TURN, lambda a: _plane(a)[..., ::-1, :]),
    Change("{it} mirrored left to right", TURN, lambda a: a[..., ::-1]),
    Change("{it} with rows and columns exchanged", AXES, lambda a: np.swapaxes(_plane(a), -2, -1)),
    Change("{it} turned by a quarter", AXES + " " + TURN, lambda a: np.rot90(_plane(a), 1, (-2, -1))),
    Change("{it} turned by a quarter the other way", AXES + " " + TURN, lambda a: np.rot90(_plane(a), -1, (-2, -1))),
    Change("{it} mirrored across the other diagonal", AXES, lambda a: np.swapaxes(_plane(a)[..., ::-1, ::-1], -2, -1)),
    Change("{it} with its channels in reverse order", TURN, lambda a: _planes(a)[..., ::-1, :, :]),
    Change("{it} with its images in reverse order", TURN, lambda a: _images(a)[::-1]),
    Change(
        "{it} with its first two axes exchanged",
        "What does each axis of it count?",
        lambda a: np.swapaxes(_planes(a), 0, 1),
    ),
    Change(
        "{it} in another order of its axes, the last first",
        "What does each axis of it count?",
        lambda a: np.moveaxis(_planes(a), -1, 0),
    ),
    Change(
        "{it} in another order of its axes, the first last",
        "What does each axis of it count?",
        lambda a: np.moveaxis(_planes(a), 0, -1),
    ),
    Change("{it} negated", SIGN, lambda a: ~a if a.dtype == bool else -a),
    Change("{it} without its signs", SIGN, np.abs),
    Change("{it} rounded to whole numbers", ROUND, lambda a: np.round(a)),
    Change("{it} rounded down", ROUND, lambda a: np.floor(a)),
    Change("{it} with its fractions cut off", ROUND, lambda a: np.trunc(a)),
    Change(
        "{it} with all negative numbers set to 0", "Where could a negative number get lost?", lambda a: np.maximum(a, 0)
    ),
    Change("{it} squared", "Is something multiplied with itself, or a weight used twice?", lambda a: a * a),
    Change("{it} cut at 1", "Can several things meet in one place, and be counted there?", lambda a: np.minimum(a, 1)),
    Change(
        "{it} with 1 wherever it is not 0",
        "Are the numbers themselves used, or only whether they are 0?",
        lambda a: (a != 0).astype(a.dtype),
    ),
    Change("{it} moved one row down ↓", START, lambda a: _moved(1, 0)(_plane(a))),
    Change("{it} moved one row up ↑", START, lambda a: _moved(-1, 0)(_plane(a))),
    Change("{it} moved one column to the right →", START, lambda a: _moved(0, 1)(_plane(a))),
    Change("{it} moved one column to the left ←", START, lambda a: _moved(0, -1)(_plane(a))),
    Change("{it} moved one row down and one column to the right ↘", START, lambda a: _moved(1, 1)(_plane(a))),
    Change("{it} moved one row up and one column to the left ↖", START, lambda a: _moved(-1, -1)(_plane(a))),
    Change("{it} with its last row missing (0 there)", START, lambda a: _all_but(-2, slice(-1, None))(_plane(a))),
    Change("{it} with its last column missing (0 there)", START, lambda a: _all_but(-1, slice(-1, None))(a)),
    Change("{it} with its first row missing (0 there)", START, lambda a: _all_but(-2, slice(1))(_plane(a))),
    Change("{it} with its first column missing (0 there)", START, lambda a: _all_but(-1, slice(1))(a)),
    Change(
        "{it} with its last row and column missing (0 there)",
        START,
        lambda a: _all_but(-1, slice(-1, None))(_all_but(-2, slice(-1, None))(_plane(a))),
    ),
    Change(
        "{it} with its first row and column missing (0 there)",
        START,
        lambda a: _all_but(-1, slice(1))(_all_but(-2, slice(1))(_plane(a))),
    ),
    Change("{it} with 0 along its border", START, lambda a: _ring(_plane(a))),
    Change("{it} with only its first channel (0 in the others)", LOOP, lambda a: _only(-3, slice(1))(_planes(a))),
    Change(
        "{it} with only its last channel (0 in the others)", RESET, lambda a: _only(-3, slice(-1, None))(_planes(a))
    ),
    Change("{it} with only its first image (0 in the others)", LOOP, lambda a: _only(0, slice(1))(_planes(a))),
    Change("{it} with only its last image (0 in the others)", RESET, lambda a: _only(0, slice(-1, None))(_planes(a))),
    Change("{it} with its first channel in place of each", ALL, lambda a: _repeated(-3, 0)(_planes(a))),
    Change("{it} with its last channel in place of each", ALL, lambda a: _repeated(-3, -1)(_planes(a))),
    Change("{it} with its first image in place of each", ALL, lambda a: _repeated(0, 0)(_planes(a))),
    Change("{it} with its last image in place of each", ALL, lambda a: _repeated(0, -1)(_planes(a))),
    Change("{it} with its first row in place of each", ALL, lambda a: _repeated(-2, 0)(_plane(a))),
    Change("{it} with its first column in place of each", ALL, lambda a: _repeated(-1, 0)(_plane(a))),
)

OF_ARRAYS: Sequence[Change] = (
    Change("{it} replaced by ones", USED, np.ones_like),
    Change("{it} replaced by zeros", USED, np.zeros_like),
    *TURNED,
    Change(
        "{it} with 0 and 1 exchanged", "What does 0 stand for, and what 1?", lambda a: 1 - a if a.dtype != bool else ~a
    ),
    Change("{it} doubled", SCALE, lambda a: a * 2),
    Change("{it} halved", SCALE, lambda a: a / 2),
    Change("{it} made 1 larger", MEANT, lambda a: a + 1),
    Change("{it} made 1 smaller", MEANT, lambda a: a - 1),
    Change("{it} divided by its sum", SCALE, lambda a: a / a.sum()),
    Change("{it} divided by its largest number", SCALE, lambda a: a / a.max()),
    Change("{it} without its mean", MEAN, lambda a: a - a.mean()),
    Change("{it} replaced by its mean", MEAN, lambda a: np.full(a.shape, a.mean())),
    Change("{it} replaced by its first number", ALL, lambda a: np.full_like(a, a.flat[0])),
    Change("{it} replaced by its last number", ALL, lambda a: np.full_like(a, a.flat[-1])),
    Change("{it} in order of size", "Is something sorted?", lambda a: np.sort(a, axis=None).reshape(a.shape)),
    Change("{it} added up from the beginning", RESET, lambda a: np.cumsum(a).reshape(a.shape)),
    Change("{it} without its last row", START, lambda a: _plane(a)[..., :-1, :]),
    Change("{it} without its last column", START, lambda a: a[..., :-1]),
    Change("{it} without its first row", START, lambda a: _plane(a)[..., 1:, :]),
    Change("{it} without its first column", START, lambda a: a[..., 1:]),
    Change("{it} without its last row and column", START, lambda a: _plane(a)[..., :-1, :-1]),
    Change("{it} without its last channel", START, lambda a: _planes(a)[..., :-1, :, :]),
    Change("{it} without its first channel", START, lambda a: _planes(a)[..., 1:, :, :]),
    Change(
        "{it} with a ring of zeros around it",
        "Is there a border that nobody asked for?",
        lambda a: _within(1)(_plane(a)),
    ),
    Change("{it} with 1 where it is 1, and 0 elsewhere", MEANT, lambda a: (a == 1).astype(a.dtype)),
    Change("{it} with 1 where it is above 0, and 0 elsewhere", MEANT, lambda a: (a > 0).astype(a.dtype)),
    Change("{it} put through exp", SCALE, np.exp),
    Change("{it} put through softmax over the channels", SCALE, lambda a: _softmax(1)(_plane(a))),
    Change("{it} sorted out into 0 and 1 at 0.5", MEANT, lambda a: (a > 0.5).astype(a.dtype)),
    Change("only the first of {it}", LOOP, lambda a: a[:1]),
    Change("only the last of {it}", RESET, lambda a: a[-1:]),
    Change("{it} without the first", START, lambda a: a[1:]),
    Change("{it} without the last", START, lambda a: a[:-1]),
    Change("{it} without repeats", "Does each of them count, also when it comes again?", np.unique),
)

OF_NUMBERS: Sequence[Change] = (
    Change("{it} one too large", MEANT, lambda n: n + 1),
    Change("{it} one too small", MEANT, lambda n: n - 1),
    Change("{it} doubled", MEANT + " Is it taken twice?", lambda n: 2 * n),
    Change("half of {it}", MEANT, lambda n: n // 2 if isinstance(n, int) else n / 2),
    Change("1 in place of {it}", USED, lambda n: type(n)(1)),
    Change("0 in place of {it}", USED, lambda n: type(n)(0)),
    Change("2 in place of {it}", USED, lambda n: type(n)(2)),
    Change("3 in place of {it}", USED, lambda n: type(n)(3)),
    Change("{it} two too large", MEANT, lambda n: n + 2),
    Change("{it} two too small", MEANT, lambda n: n - 2),
    Change("{it} squared", MEANT + " Is it taken twice?", lambda n: n * n),
    Change("the root of {it}", "Is there a square or a root too many, or one missing?", lambda n: n**0.5),
    Change("{it} negated", SIGN, lambda n: -n if isinstance(n, float) else n),
    Change("1 − {it} in place of {it}", MEANT, lambda n: 1 - n),
    Change("1 / {it} in place of {it}", "Is something divided that should be multiplied?", lambda n: 1 / n),
    Change("twice {it}, less 1", MEANT, lambda n: 2 * n - 1),
    Change("half of {it}, rounded up", MEANT, lambda n: -(-n // 2)),
)

OF_PAIRS: Sequence[Change] = (
    Change("the two numbers of {it} exchanged", PAIR, lambda p: (p[1], p[0])),
    Change("the first number of {it} for both", PAIR, lambda p: (p[0], p[0])),
    Change("the second number of {it} for both", PAIR, lambda p: (p[1], p[1])),
    Change("1 in place of the first number of {it}", PAIR, lambda p: (1, p[1])),
    Change("1 in place of the second number of {it}", PAIR, lambda p: (p[0], 1)),
    Change("the larger number of {it} for both", PAIR, lambda p: (max(p), max(p))),
    Change("the smaller number of {it} for both", PAIR, lambda p: (min(p), min(p))),
    Change("both numbers of {it} one too large", MEANT, lambda p: (p[0] + 1, p[1] + 1)),
    Change("both numbers of {it} one too small", MEANT, lambda p: (p[0] - 1, p[1] - 1)),
)


def _each(of: Callable[[Any], Any]) -> Callable[[Sequence[Any]], list[Any]]:
    return lambda items: [of(item) for item in items]


OF_LISTS: Sequence[Change] = (
    Change("{it} in reverse order", TURN, lambda items: list(items)[::-1]),
    Change("{it} in order of size", "Is something sorted?", sorted),
    Change("{it} without the first", START, lambda items: list(items)[1:]),
    Change("{it} without the last", START, lambda items: list(items)[:-1]),
    Change("only the first of {it}", LOOP, lambda items: list(items)[:1]),
    Change("only the last of {it}", RESET, lambda items: list(items)[-1:]),
    Change(
        "each of {it} only once",
        "Does each of them count, also when it comes again?",
        lambda items: list(dict.fromkeys(items)),
    ),
    Change("the two numbers in each of {it} exchanged", PAIR, _each(lambda p: (p[1], p[0]))),
    Change("1 in place of the first number in each of {it}", PAIR, _each(lambda p: (1, *p[1:]))),
    Change("1 in place of the second number in each of {it}", PAIR, _each(lambda p: (p[0], 1, *p[2:]))),
    Change("the first number in each of {it} one too large", MEANT, _each(lambda p: (p[0] + 1, *p[1:]))),
    Change("the first number in each of {it} one too small", MEANT, _each(lambda p: (p[0] - 1, *p[1:]))),
    Change(
        "the second numbers of {it} each moved to the one before",
        START,
        lambda s: [(a[0], b[1]) for a, b in zip(s, [*s[1:], s[-1]], strict=True)],
    ),
    Change(
        "the second numbers of {it} each moved to the next",
        START,
        lambda s: [(a[0], b[1]) for a, b in zip(s, [(1, 1), *s[:-1]], strict=True)],
    ),
    Change("the first of {it} in place of each", ALL, lambda items: [items[0]] * len(items)),
)


def _reduced(words: str, how: Callable[..., Any], asks: str) -> Iterator[Change]:
    """One number, row, plane … in place of many: along all axes, and along each."""
    yield Change(f"{words} of all numbers of {{it}}, and nothing else", asks, lambda y: np.asarray(how(_row(y))))
    for axis, name in enumerate(("over the first axis", "over the second axis", "over the rows", "over the columns")):
        axis -= 4 * (axis > 1)
        yield Change(f"{{it}} after {words} {name}", asks, partial(how, axis=axis))
        yield Change(f"{{it}} after {words} {name}, in each place", asks, partial(_in_each_place, how, axis))


def _in_each_place(how: Callable[..., Any], axis: int, y: Array) -> Array:
    return np.broadcast_to(how(_row(y), axis=axis, keepdims=True), y.shape)


FILLED = "with only {}, and 0 in all other places"
OF_ANSWERS: Sequence[Change] = (
    *TURNED,
    Change("{it} with 1 added", MEANT + " Do you count from 1?", lambda y: y + 1),
    Change("{it} with 1 taken off", MEANT + " Do you count from 1?", lambda y: y - 1),
    Change("{it} with 2 added", MEANT, lambda y: y + 2),
    Change("{it} with 2 taken off", MEANT, lambda y: y - 2),
    Change("{it} taken from 1", MEANT, lambda y: 1 - y.astype(float)),
    Change(
        "{it} upside down: 1 over each number", "Which of the two numbers is divided by the other?", lambda y: 1 / y
    ),
    Change("the root of {it}", "Is there a square or a root too many, or one missing?", np.sqrt),
    Change("{it} put through exp", SCALE, np.exp),
    Change("the logarithm of {it}", SCALE, np.log),
    Change("{it} put through the sigmoid", SCALE, lambda y: 1 / (1 + np.exp(-y))),
    Change("{it} put through softmax over the channels", SCALE, lambda y: _softmax(1)(_planes(y))),
    Change("{it} rounded to one digit behind the point", ROUND, lambda y: np.round(y, 1)),
    Change("{it} rounded to two digits behind the point", ROUND, lambda y: np.round(y, 2)),
    Change("{it} rounded to three digits behind the point", ROUND, lambda y: np.round(y, 3)),
    Change("{it} rounded up", ROUND, np.ceil),
    Change("{it} divided by its sum", SCALE, lambda y: _row(y) / y.sum()),
    Change("each row of {it} divided by its sum", SCALE, lambda y: y / y.sum(-1, keepdims=True)),
    Change("each column of {it} divided by its sum", SCALE, lambda y: y / _plane(y).sum(-2, keepdims=True)),
    Change("{it} divided by its largest number", SCALE, lambda y: _row(y) / y.max()),
    Change("{it} without its mean", MEAN, lambda y: _row(y) - y.mean()),
    Change(
        "{it} added up from the beginning: each number has all before it in it, too",
        RESET,
        lambda y: np.cumsum(_row(y)).reshape(y.shape),
    ),
    Change("{it} added up along each row", RESET, lambda y: np.cumsum(y, -1)),
    Change("{it} added up along each column", RESET, lambda y: np.cumsum(y, -2)),
    Change("{it} added up from channel to channel", RESET, lambda y: np.cumsum(_planes(y), -3)),
    Change(
        "{it} added up from channel to channel, from the last to the first",
        RESET,
        lambda y: np.cumsum(_planes(y)[..., ::-1, :, :], -3)[..., ::-1, :, :],
    ),
    Change("{it} added up from image to image", RESET, lambda y: np.cumsum(_images(y), 0)),
    Change("the steps from each number of {it} to the next", RESET, lambda y: np.diff(y)),
    Change(
        "{it} " + FILLED.format("the first number"),
        LOOP,
        lambda y: np.where(np.arange(_row(y).size).reshape(y.shape) == 0, y, 0),
    ),
    Change(
        "{it} " + FILLED.format("the last number"),
        LOOP,
        lambda y: np.where(np.arange(_row(y).size).reshape(y.shape) == y.size - 1, y, 0),
    ),
    Change("{it} " + FILLED.format("the first row"), LOOP, lambda y: _only(-2, slice(1))(_plane(y))),
    Change("{it} " + FILLED.format("the first column"), LOOP, lambda y: _only(-1, slice(1))(_plane(y))),
    Change("{it} " + FILLED.format("the last row"), RESET, lambda y: _only(-2, slice(-1, None))(_plane(y))),
    Change("{it} " + FILLED.format("the last column"), RESET, lambda y: _only(-1, slice(-1, None))(_plane(y))),
    Change("{it} " + FILLED.format("the first of all along its first axis"), LOOP, lambda y: _only(0, slice(1))(y)),
    Change("{it} " + FILLED.format("the diagonal"), AXES, lambda y: np.where(np.eye(*y.shape[-2:]) > 0, y, 0)),
    Change("{it} with 0 on the diagonal", AXES, lambda y: np.where(np.eye(*y.shape[-2:]) > 0, 0, y)),
    Change(
        "zeros in place of {it}",
        "Where in its loops does your function store what it computes: y[…] = …?",
        np.zeros_like,
    ),
    Change("ones in place of {it}", "Where does your function store what it computes?", np.ones_like),
    Change("{it} with the last number in every place", RESET, lambda y: np.full_like(_row(y), y.flat[-1])),
    Change("{it} with the first number in every place", LOOP, lambda y: np.full_like(_row(y), y.flat[0])),
    Change("{it} with the last row in every row", RESET, lambda y: _repeated(-2, -1)(_plane(y))),
    Change("{it} with the last column in every column", RESET, lambda y: _repeated(-1, -1)(_plane(y))),
    Change("only the first number of {it}", LOOP, lambda y: _row(y).flat[0]),
    Change("only the last number of {it}", RESET, lambda y: _row(y).flat[-1]),
    Change("only the first of {it}", LOOP, lambda y: y[0]),
    Change("only the last of {it}", RESET, lambda y: y[-1]),
    Change("only the first channel of {it}", LOOP, lambda y: _planes(y)[..., 0, :, :]),
    Change("{it} without the last row", START, lambda y: _plane(y)[..., :-1, :]),
    Change("{it} without the last column", START, lambda y: y[..., :-1]),
    Change("{it} without the first row", START, lambda y: _plane(y)[..., 1:, :]),
    Change("{it} without the first column", START, lambda y: y[..., 1:]),
    Change("{it} without the last row and column", START, lambda y: _plane(y)[..., :-1, :-1]),
    Change("{it} without the first row and column", START, lambda y: _plane(y)[..., 1:, 1:]),
    Change("{it} without its border", START, lambda y: _plane(y)[..., 1:-1, 1:-1]),
    Change("{it} without the first", START, lambda y: y[1:]),
    Change("{it} without the last", START, lambda y: y[:-1]),
    Change("{it} with a 0 before it", START, lambda y: np.concatenate([[0], y])),
    Change("{it} with a 1 before it", START, lambda y: np.concatenate([[1], y])),
    Change("{it} with a 0 behind it", START, lambda y: np.concatenate([y, [0]])),
    Change(
        "{it} with a row of zeros more below",
        START,
        lambda y: np.pad(_plane(y), [(0, 0)] * (y.ndim - 2) + [(0, 1), (0, 0)]),
    ),
    Change(
        "{it} with a column of zeros more on the right",
        START,
        lambda y: np.pad(_plane(y), [(0, 0)] * (y.ndim - 2) + [(0, 0), (0, 1)]),
    ),
    Change(
        "{it} with a row and a column of zeros more, below and on the right",
        START,
        lambda y: np.pad(_plane(y), [(0, 0)] * (y.ndim - 2) + [(0, 1), (0, 1)]),
    ),
    Change(
        "{it} with a ring of zeros around it",
        "Is there a border that nobody asked for?",
        lambda y: _within(1)(_plane(y)),
    ),
    Change("only every second row and column of {it}", START, lambda y: _plane(y)[..., ::2, ::2]),
    Change(
        "{it} in one long row",
        "How many axes should it have, and what does each of them count?",
        lambda y: y.ravel() if y.ndim > 1 else 1 / 0,
    ),
    Change("{it} in one row, column after column", AXES, lambda y: y.T.ravel() if y.ndim > 1 else 1 / 0),
    Change(
        "{it} with an axis more at the front",
        "How many axes should it have, and what does each of them count?",
        lambda y: y[None],
    ),
    Change(
        "{it} with an axis more at the end",
        "How many axes should it have, and what does each of them count?",
        lambda y: y[..., None],
    ),
    Change(
        "{it} filled row by row where it should go column by column",
        AXES,
        lambda y: np.swapaxes(_plane(y), -2, -1).reshape(y.shape),
    ),
    Change(
        "{it} in order of size",
        "Is something sorted?",
        lambda y: np.sort(_row(y), axis=None).reshape(y.shape),
    ),
    Change("{it} in order of size, row by row", "Is something sorted?", lambda y: np.sort(_row(y))),
    Change(
        "the place of the largest number of {it}", "Is the number wanted, or its place?", lambda y: np.argmax(y, -1)
    ),
    Change("{it}, two images after one another exchanged", ALL, lambda y: np.roll(_images(y), 1, 0)),
    Change(
        "how many numbers {it} has",
        "Is something counted that should be listed?",
        lambda y: np.asarray(_row(y).size),
    ),
    *_reduced("the sum", np.sum, MEAN),
    *_reduced("the mean", np.mean, MEAN),
    *_reduced("the largest", np.max, "Is the largest number wanted, or all of them?"),
    *_reduced("the smallest", np.min, "Is the smallest number wanted, or all of them?"),
)


def reordered(ndim: int) -> Iterator[Change]:
    """The axes of an array of three or more in each other order."""
    for order in permutations(range(ndim)) if ndim > 2 else ():
        if order == tuple(range(ndim)):
            continue
        words = ", ".join(map(str, order))
        yield Change(f"{{it}} with its axes in the order {words}", COUNTS, partial(np.transpose, axes=order))
        yield Change(f"{{it}}, its numbers read in the order of the axes {words}", RESHAPE, partial(_read_in, order))
        yield Change(f"{{it}} taken as if its axes stood in the order {words}", RESHAPE, partial(_taken_as, order))


def _read_in(order: tuple[int, ...], a: Array) -> Array:
    return a.transpose(order).reshape(a.shape)


def _taken_as(order: tuple[int, ...], a: Array) -> Array:
    return a.reshape([a.shape[axis] for axis in order]).transpose(np.argsort(order))


# Constants by which beginners multiply, or which they add. No other number is ever named: a function could have chosen
# it to tell something.
CONSTANTS = (2, 3, 4, 8, 9, 10, 16, 100, 255)


def quantities(given: Mapping[str, Any], right: Array) -> dict[str, float]:
    """Numbers that belong to a call, and their names: by one of them an answer may have been multiplied."""
    found: dict[str, float] = {}
    for name, value in given.items():
        if isinstance(value, np.ndarray) and value.dtype.kind in "biuf" and value.size:
            of = {
                "the number of numbers in {}": value.size,
                "the sum of {}": value.sum(),
                "the mean of {}": value.mean(),
                "the largest number in {}": value.max(),
                "the smallest number in {}": value.min(),
                "the sum of the sizes of {}": np.abs(value).sum(),
                "how many numbers of {} are not 0": np.count_nonzero(value),
            }
            axes = ("columns", "rows", "channels", "images")
            of |= {f"the number of {axis} of {{}}": n for axis, n in zip(axes, value.shape[::-1], strict=False)}
            if value.ndim > 2:
                of["the number of pixels in a plane of {}"] = value.shape[-1] * value.shape[-2]
            found |= {words.format(name): float(n) for words, n in of.items()}
        elif isinstance(value, int | float | np.number) and not isinstance(value, bool):
            found |= {
                name: float(value),
                f"{name} squared": float(value) ** 2,
                f"{name} − 1": float(value) - 1.0,
                f"{name} + 1": float(value) + 1.0,
            }
        elif isinstance(value, tuple) and all(isinstance(n, int) for n in value):
            found |= {f"the first number of {name}": float(value[0]), f"the product of {name}": float(np.prod(value))}
        elif isinstance(value, list):
            found[f"the length of {name}"] = float(len(value))
    if right.ndim:
        found["the number of numbers in the answer"] = float(right.size)
        if right.dtype.kind in "iuf" and right.size:
            found["the sum of the right answer"] = float(right.sum())
            found["the largest number of the right answer"] = float(right.max())
    found |= {str(n): float(n) for n in CONSTANTS}
    return found
