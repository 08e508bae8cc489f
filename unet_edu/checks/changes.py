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

from unet_edu.checks import arrays as do
from unet_edu.checks.arrays import CHANNEL, COLUMN, FIRST, LAST, ROW
from unet_edu.checks.seen import Kind

__all__ = ["OF_ANSWERS", "OF_ARRAYS", "OF_INPUTS", "OF_LISTS", "OF_NUMBERS", "OF_PAIRS", "Change", "reordered"]


@dataclass(frozen=True)
class Change:
    """One row: what we see, what to think about, and what is done."""

    sees: str
    asks: str
    of: Callable[[Any], Any]


# The questions that many rows ask.
AXES = "Which index counts the rows, and which the columns?"
TURN = "Do you begin at the other end somewhere: with a minus in an index, or with ::-1?"
SIGN = "Is a + a −, are two numbers subtracted the wrong way round, or is abs(…) where it should not be, or missing?"
LOST = "Where could a negative number get lost?"
START = "Where do your loops begin, and where do they end? range(n) goes from 0 to n − 1."
LOOP = "Does a `return`, or a line that belongs behind the loop, stand inside it?"
RESET = "What is set to 0 before the loops, and what has to start at 0 anew, within one?"
RING = "Is there a border that nobody asked for?"
STORED = "Where in its loops does your function store what it computes: y[…] = …?"
MEAN = "Is there a sum that should be a mean, or the other way round? Of which numbers, along which axis?"
LARGEST = "Is the largest number wanted, or all of them?"
SMALLEST = "Is the smallest number wanted, or all of them?"
ROUND = "Where do numbers lose their fractions: by //, by int(…), by an array made for whole numbers?"
ALL = "Does your function look at all of it, along each axis?"
USED = "Where does your function use {it}?"
MEANT = "What does {it} count, and what does it not count? Read once more what the exercise says of it."
FROM_1 = MEANT + " Do you count from 1?"
TWICE = MEANT + " Is it taken twice?"
COUNTS = "What does each axis of it count?"
HOW_MANY = "How many axes should it have, and what does each of them count?"
RESHAPE = "reshape keeps the numbers in their order, and exchanges no axes. Does it do here what you mean?"
PAIR = "Which of the two numbers is for the rows, and which for the columns?"
SCALE = "By what do you multiply or divide, and how often: once in all, or once for each step of a loop?"
SQUARE = "Is something multiplied with itself, or a weight used twice?"
ROOT = "Is there a square or a root too many, or one missing?"
OVER = "Which of the two numbers is divided by the other?"
PLACE = "Is the number wanted, or its place?"
SORTED = "Is something sorted?"
REPEATS = "Does each of them count, also when it comes again?"
LISTED = "Is something counted that should be listed?"
MEET = "Can several things meet in one place, and be counted there?"
MARKS = "What does 0 stand for, and what 1?"
MARKED = "Are the numbers themselves used, or only whether they are 0?"


def _each(of: Callable[[Any], Any]) -> Callable[[Sequence[Any]], list[Any]]:
    return lambda items: [of(item) for item in items]


def _seconds(of: Callable[[list[Any]], list[Any]]) -> Callable[[Sequence[Any]], list[Any]]:
    """The second numbers of pairs in other places."""
    return lambda pairs: [(p[0], n) for p, n in zip(pairs, of([p[1] for p in pairs]), strict=True)]


def _whole(n: Any) -> Any:
    """A number that counts: of a share or a rate, nobody takes 1 off."""
    if isinstance(n, float):
        raise TypeError("no number that counts")
    return n


def _alone(what: str, asks: str, of: Callable[[Any], Any]) -> Change:
    return Change(f"{{it}} with only {what}, and 0 in all other places", asks, of)


def _reduced(words: str, how: Callable[..., Any], asks: str) -> Iterator[Change]:
    """One number, row, plane … in place of many: along all axes, and along each."""
    yield Change(f"{words} of all numbers of {{it}}, and nothing else", asks, lambda y: np.asarray(how(do.row(y))))
    for axis, name in ((0, "the first axis"), (1, "the second axis"), (ROW, "the rows"), (COLUMN, "the columns")):
        yield Change(f"{{it}} after {words} over {name}", asks, partial(how, axis=axis))
        yield Change(f"{{it}} after {words} over {name}, in each place", asks, partial(do.in_each_place, how, axis))


# Both for what goes in and for what comes out.
TURNED: Sequence[Change] = (
    Change("{it} turned by half a turn", TURN, lambda a: do.plane(a)[..., ::-1, ::-1]),
    Change("{it} turned upside down", TURN, lambda a: do.plane(a)[..., ::-1, :]),
    Change("{it} mirrored left to right", TURN, lambda a: a[..., ::-1]),
    Change("{it} with rows and columns exchanged", AXES, do.transposed),
    Change("{it} turned by a quarter", f"{AXES} {TURN}", do.quarter(1)),
    Change("{it} turned by a quarter the other way", f"{AXES} {TURN}", do.quarter(-1)),
    Change("{it} mirrored across the other diagonal", AXES, lambda a: do.transposed(a)[..., ::-1, ::-1]),
    Change("{it} with its channels in reverse order", TURN, lambda a: do.planes(a)[..., ::-1, :, :]),
    Change("{it} with its images in reverse order", TURN, lambda a: do.images(a)[::-1]),
    Change("{it} with its first two axes exchanged", COUNTS, lambda a: np.swapaxes(do.planes(a), 0, 1)),
    Change("{it} in another order of its axes, the last first", COUNTS, lambda a: np.moveaxis(do.planes(a), -1, 0)),
    Change("{it} in another order of its axes, the first last", COUNTS, lambda a: np.moveaxis(do.planes(a), 0, -1)),
    Change("{it} negated", SIGN, lambda a: ~a if a.dtype == bool else -a),
    Change("{it} without its signs", SIGN, np.abs),
    Change("{it} rounded to whole numbers", ROUND, np.round),
    Change("{it} rounded down", ROUND, np.floor),
    Change("{it} with its fractions cut off", ROUND, np.trunc),
    Change("{it} with all negative numbers set to 0", LOST, lambda a: np.maximum(a, 0)),
    Change("{it} squared", SQUARE, lambda a: a * a),
    Change("{it} cut at 1", MEET, lambda a: np.minimum(a, 1)),
    Change("{it} with 1 wherever it is not 0", MARKED, do.marked(lambda a: a != 0)),
    Change("{it} moved one row down ↓", START, do.moved(1, 0)),
    Change("{it} moved one row up ↑", START, do.moved(-1, 0)),
    Change("{it} moved one column to the right →", START, do.moved(0, 1)),
    Change("{it} moved one column to the left ←", START, do.moved(0, -1)),
    Change("{it} moved one row down and one column to the right ↘", START, do.moved(1, 1)),
    Change("{it} moved one row up and one column to the left ↖", START, do.moved(-1, -1)),
    Change("{it} with its last row missing (0 there)", START, do.emptied((ROW, LAST))),
    Change("{it} with its last column missing (0 there)", START, do.emptied((COLUMN, LAST))),
    Change("{it} with its first row missing (0 there)", START, do.emptied((ROW, FIRST))),
    Change("{it} with its first column missing (0 there)", START, do.emptied((COLUMN, FIRST))),
    Change("{it} with its last row and column missing (0 there)", START, do.emptied((ROW, LAST), (COLUMN, LAST))),
    Change("{it} with its first row and column missing (0 there)", START, do.emptied((ROW, FIRST), (COLUMN, FIRST))),
    Change("{it} with 0 along its border", START, do.emptied(*do.BORDER)),
    Change("{it} with only its first channel (0 in the others)", LOOP, do.only((CHANNEL, FIRST))),
    Change("{it} with only its last channel (0 in the others)", RESET, do.only((CHANNEL, LAST))),
    Change("{it} with only its first image (0 in the others)", LOOP, lambda a: do.only((0, FIRST))(do.planes(a))),
    Change("{it} with only its last image (0 in the others)", RESET, lambda a: do.only((0, LAST))(do.planes(a))),
    Change("{it} with its first channel in place of each", ALL, do.repeated(CHANNEL, 0)),
    Change("{it} with its last channel in place of each", ALL, do.repeated(CHANNEL, -1)),
    Change("{it} with its first image in place of each", ALL, lambda a: do.repeated(0, 0)(do.planes(a))),
    Change("{it} with its last image in place of each", ALL, lambda a: do.repeated(0, -1)(do.planes(a))),
    Change("{it} with its first row in place of each", ALL, do.repeated(ROW, 0)),
    Change("{it} with its first column in place of each", ALL, do.repeated(COLUMN, 0)),
)

OF_ARRAYS: Sequence[Change] = (
    Change("{it} replaced by ones", USED, np.ones_like),
    Change("{it} replaced by zeros", USED, np.zeros_like),
    *TURNED,
    Change("{it} with 0 and 1 exchanged", MARKS, lambda a: 1 - a if a.dtype != bool else ~a),
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
    Change("{it} in order of size", SORTED, do.in_order),
    Change("{it} added up from the beginning", RESET, do.summed),
    Change("{it} without its last row", START, lambda a: do.plane(a)[..., :-1, :]),
    Change("{it} without its last column", START, lambda a: a[..., :-1]),
    Change("{it} without its first row", START, lambda a: do.plane(a)[..., 1:, :]),
    Change("{it} without its first column", START, lambda a: a[..., 1:]),
    Change("{it} without its last row and column", START, lambda a: do.plane(a)[..., :-1, :-1]),
    Change("{it} without its last channel", START, lambda a: do.planes(a)[..., :-1, :, :]),
    Change("{it} without its first channel", START, lambda a: do.planes(a)[..., 1:, :, :]),
    Change("{it} with a ring of zeros around it", RING, do.padded(1, 1, 1, 1)),
    Change("{it} with 1 where it is 1, and 0 elsewhere", MEANT, do.marked(lambda a: a == 1)),
    Change("{it} with 1 where it is above 0, and 0 elsewhere", MEANT, do.marked(lambda a: a > 0)),
    Change("{it} put through exp", SCALE, np.exp),
    Change("{it} put through softmax over the channels", SCALE, lambda a: do.softmax(do.plane(a))),
    Change("{it} sorted out into 0 and 1 at 0.5", MEANT, do.marked(lambda a: a > 0.5)),
    Change("only the first of {it}", LOOP, lambda a: a[:1]),
    Change("only the last of {it}", RESET, lambda a: a[-1:]),
    Change("{it} without the first", START, lambda a: a[1:]),
    Change("{it} without the last", START, lambda a: a[:-1]),
    Change("{it} without repeats", REPEATS, np.unique),
)

OF_NUMBERS: Sequence[Change] = (
    Change("{it} one too large", MEANT, lambda n: _whole(n) + 1),
    Change("{it} one too small", MEANT, lambda n: _whole(n) - 1),
    Change("{it} doubled", TWICE, lambda n: 2 * n),
    Change("half of {it}", MEANT, lambda n: n // 2 if isinstance(n, int) else n / 2),
    Change("1 in place of {it}", USED, lambda n: type(n)(1)),
    Change("0 in place of {it}", USED, lambda n: type(n)(0)),
    Change("2 in place of {it}", USED, lambda n: type(n)(2)),
    Change("3 in place of {it}", USED, lambda n: type(n)(3)),
    Change("{it} two too large", MEANT, lambda n: _whole(n) + 2),
    Change("{it} two too small", MEANT, lambda n: _whole(n) - 2),
    Change("{it} squared", TWICE, lambda n: n * n),
    Change("the root of {it}", ROOT, lambda n: n**0.5),
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

OF_LISTS: Sequence[Change] = (
    Change("{it} in reverse order", TURN, lambda items: list(items)[::-1]),
    Change("{it} in order of size", SORTED, sorted),
    Change("{it} without the first", START, lambda items: list(items)[1:]),
    Change("{it} without the last", START, lambda items: list(items)[:-1]),
    Change("only the first of {it}", LOOP, lambda items: list(items)[:1]),
    Change("only the last of {it}", RESET, lambda items: list(items)[-1:]),
    Change("each of {it} only once", REPEATS, lambda items: list(dict.fromkeys(items))),
    Change("the two numbers in each of {it} exchanged", PAIR, _each(lambda p: (p[1], p[0]))),
    Change("1 in place of the first number in each of {it}", PAIR, _each(lambda p: (1, *p[1:]))),
    Change("1 in place of the second number in each of {it}", PAIR, _each(lambda p: (p[0], 1, *p[2:]))),
    Change("the first number in each of {it} one too large", MEANT, _each(lambda p: (p[0] + 1, *p[1:]))),
    Change("the first number in each of {it} one too small", MEANT, _each(lambda p: (p[0] - 1, *p[1:]))),
    Change("the second numbers of {it} each moved to the one before", START, _seconds(lambda s: [*s[1:], s[-1]])),
    Change("the second numbers of {it} each moved to the next", START, _seconds(lambda s: [1, *s[:-1]])),
    Change("the first of {it} in place of each", ALL, lambda items: [items[0]] * len(items)),
)

OF_INPUTS: Mapping[Kind, Sequence[Change]] = {
    "array": OF_ARRAYS,
    "number": OF_NUMBERS,
    "pair": OF_PAIRS,
    "list": OF_LISTS,
}

OF_ANSWERS: Sequence[Change] = (
    *TURNED,
    Change("{it} with 1 added", FROM_1, lambda y: y + 1),
    Change("{it} with 1 taken off", FROM_1, lambda y: y - 1),
    Change("{it} with 2 added", MEANT, lambda y: y + 2),
    Change("{it} with 2 taken off", MEANT, lambda y: y - 2),
    Change("{it} taken from 1", MEANT, lambda y: 1 - y.astype(float)),
    Change("{it} upside down: 1 over each number", OVER, lambda y: 1 / y),
    Change("the root of {it}", ROOT, np.sqrt),
    Change("{it} put through exp", SCALE, np.exp),
    Change("the logarithm of {it}", SCALE, np.log),
    Change("{it} put through the sigmoid", SCALE, lambda y: 1 / (1 + np.exp(-y))),
    Change("{it} put through softmax over the channels", SCALE, lambda y: do.softmax(do.planes(y))),
    Change("{it} rounded to one digit behind the point", ROUND, lambda y: np.round(y, 1)),
    Change("{it} rounded to two digits behind the point", ROUND, lambda y: np.round(y, 2)),
    Change("{it} rounded to three digits behind the point", ROUND, lambda y: np.round(y, 3)),
    Change("{it} rounded up", ROUND, np.ceil),
    Change("{it} divided by its sum", SCALE, lambda y: do.row(y) / y.sum()),
    Change("each row of {it} divided by its sum", SCALE, lambda y: y / y.sum(-1, keepdims=True)),
    Change("each column of {it} divided by its sum", SCALE, lambda y: y / do.plane(y).sum(-2, keepdims=True)),
    Change("{it} divided by its largest number", SCALE, lambda y: do.row(y) / y.max()),
    Change("{it} without its mean", MEAN, lambda y: do.row(y) - y.mean()),
    Change("{it} added up from the beginning: each number has all before it in it, too", RESET, do.summed),
    Change("{it} added up along each row", RESET, lambda y: np.cumsum(y, -1)),
    Change("{it} added up along each column", RESET, lambda y: np.cumsum(y, -2)),
    Change("{it} added up from channel to channel", RESET, lambda y: np.cumsum(do.planes(y), -3)),
    Change("{it} added up from channel to channel, from the last to the first", RESET, do.summed_from_the_last_channel),
    Change("{it} added up from image to image", RESET, lambda y: np.cumsum(do.images(y), 0)),
    Change("the steps from each number of {it} to the next", RESET, np.diff),
    _alone("the first number", LOOP, do.only_number(0)),
    _alone("the last number", LOOP, do.only_number(-1)),
    _alone("the first row", LOOP, do.only((ROW, FIRST))),
    _alone("the first column", LOOP, lambda y: do.only((COLUMN, FIRST))(do.plane(y))),
    _alone("the last row", RESET, do.only((ROW, LAST))),
    _alone("the last column", RESET, lambda y: do.only((COLUMN, LAST))(do.plane(y))),
    _alone("the first of all along its first axis", LOOP, do.only((0, FIRST))),
    _alone("the diagonal", AXES, lambda y: np.where(do.diagonal(y), y, 0)),
    Change("{it} with 0 on the diagonal", AXES, lambda y: np.where(do.diagonal(y), 0, y)),
    Change("zeros in place of {it}", STORED, np.zeros_like),
    Change("ones in place of {it}", STORED, np.ones_like),
    Change("{it} with the last number in every place", RESET, lambda y: np.full_like(do.row(y), y.flat[-1])),
    Change("{it} with the first number in every place", LOOP, lambda y: np.full_like(do.row(y), y.flat[0])),
    Change("{it} with the last row in every row", RESET, do.repeated(ROW, -1)),
    Change("{it} with the last column in every column", RESET, do.repeated(COLUMN, -1)),
    Change("only the first number of {it}", LOOP, lambda y: do.row(y).flat[0]),
    Change("only the last number of {it}", RESET, lambda y: do.row(y).flat[-1]),
    Change("only the first of {it}", LOOP, lambda y: y[0]),
    Change("only the last of {it}", RESET, lambda y: y[-1]),
    Change("only the first channel of {it}", LOOP, lambda y: do.planes(y)[..., 0, :, :]),
    Change("{it} without the last row", START, lambda y: do.plane(y)[..., :-1, :]),
    Change("{it} without the last column", START, lambda y: y[..., :-1]),
    Change("{it} without the first row", START, lambda y: do.plane(y)[..., 1:, :]),
    Change("{it} without the first column", START, lambda y: y[..., 1:]),
    Change("{it} without the last row and column", START, lambda y: do.plane(y)[..., :-1, :-1]),
    Change("{it} without the first row and column", START, lambda y: do.plane(y)[..., 1:, 1:]),
    Change("{it} without its border", START, lambda y: do.plane(y)[..., 1:-1, 1:-1]),
    Change("{it} without the first", START, lambda y: y[1:]),
    Change("{it} without the last", START, lambda y: y[:-1]),
    Change("{it} with a 0 before it", START, lambda y: np.concatenate([[0], y])),
    Change("{it} with a 1 before it", START, lambda y: np.concatenate([[1], y])),
    Change("{it} with a 0 behind it", START, lambda y: np.concatenate([y, [0]])),
    Change("{it} with a row of zeros more below", START, do.padded(0, 1, 0, 0)),
    Change("{it} with a column of zeros more on the right", START, do.padded(0, 0, 0, 1)),
    Change("{it} with a row and a column of zeros more, below and on the right", START, do.padded(0, 1, 0, 1)),
    Change("{it} with a ring of zeros around it", RING, do.padded(1, 1, 1, 1)),
    Change("only every second row and column of {it}", START, lambda y: do.plane(y)[..., ::2, ::2]),
    Change("{it} in one long row", HOW_MANY, do.in_one_row),
    Change("{it} in one row, column after column", AXES, lambda y: do.in_one_row(y, "F")),
    Change("{it} with an axis more at the front", HOW_MANY, lambda y: y[None]),
    Change("{it} with an axis more at the end", HOW_MANY, lambda y: y[..., None]),
    Change("{it} filled row by row where it should go column by column", AXES, do.column_by_column),
    Change("{it} in order of size", SORTED, do.in_order),
    Change("{it} in order of size, row by row", SORTED, lambda y: np.sort(do.row(y))),
    Change("the place of the largest number of {it}", PLACE, lambda y: np.argmax(y, -1)),
    Change("{it}, two images after one another exchanged", ALL, lambda y: np.roll(do.images(y), 1, 0)),
    Change("how many numbers {it} has", LISTED, lambda y: np.asarray(do.row(y).size)),
    *_reduced("the sum", np.sum, MEAN),
    *_reduced("the mean", np.mean, MEAN),
    *_reduced("the largest", np.max, LARGEST),
    *_reduced("the smallest", np.min, SMALLEST),
)


def reordered(ndim: int) -> Iterator[Change]:
    """The axes of an array of three or more in each other order."""
    for order in [*permutations(range(ndim))][1:] if ndim > 2 else ():
        words = ", ".join(map(str, order))
        yield Change(f"{{it}} with its axes in the order {words}", COUNTS, partial(np.transpose, axes=order))
        yield Change(f"{{it}}, its numbers read in the order of the axes {words}", RESHAPE, partial(do.read_in, order))
        yield Change(f"{{it}} taken as if its axes stood in the order {words}", RESHAPE, partial(do.taken_as, order))
