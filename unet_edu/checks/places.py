"""At which places of its answers a function is wrong, and what the wrong numbers are; or how the size is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import log
from typing import Any

import numpy as np

from unet_edu.checks.arrays import Array
from unet_edu.checks.exercise import Exercise
from unet_edu.checks.fault import different, same
from unet_edu.checks.seen import Diagnosis, Question, Seen, called, inputs_of

__all__ = ["at_which_places"]

CHANCE = 0.001  # how often wrong numbers may lie by chance in what is named: some dozens of places are tried

AXES = {1: ("place",), 2: ("row", "column"), 3: ("plane", "row", "column"), 4: ("image", "channel", "row", "column")}
Region = tuple[str, str, Callable[[Array], Array]]  # words; what to ask; which places of the right answer belong to it

OF_AXES: list[tuple[str, str, Callable[[Array, int], Array]]] = [  # of the numbers 0, 1, … along an axis, and how many
    ("in the first {}", "What comes before the first {}?", lambda i, n: i == 0),
    ("in the last {}", "What comes after the last {}, and where does a loop end?", lambda i, n: i == n - 1),
    (
        "in the first and the last {}",
        "What lies beyond the first and the last {}?",
        lambda i, n: i % max(1, n - 1) == 0,
    ),
    ("in every second {}, the first too", "What is done from one {} to the next?", lambda i, n: i % 2 == 0),
    ("in every second {}, from the second on", "What is done from one {} to the next?", lambda i, n: i % 2 == 1),
]
EDGES = [  # the first three of rows or columns
    ("in the first row or column", "What comes before the first row and column?"),
    ("in the last row or column", "What comes after the last row and column, and where do loops end?"),
    ("at the border", "What is done where a neighbour is missing?"),
]
OF_NUMBERS: list[Region] = [
    ("where the right number is 0", "What is done where nothing should come out?", lambda r: r == 0),
    ("where the right number is not 0", "What is done where something should come out?", lambda r: r != 0),
    ("where the right number is negative", "What becomes of negative numbers?", lambda r: r < 0),
    ("where the right number is above 1", "What happens to numbers above 1?", lambda r: r > 1),
    ("where the right number is above 255", "How large may a number of its type become?", lambda r: r > 255),
    ("where the right number has a fraction", "Is something rounded, or cut off?", lambda r: r != np.round(r)),
    ("where the right number is the largest of all", "What is done to the largest?", lambda r: r == r.max()),
]
# What all wrong ones are; what to ask; whether a number y is, where r is right.
HOW: list[tuple[str, str, Callable[[Array, Array], Any]]] = [
    ("0", "Where should they have been written, or added to?", lambda y, r: y == 0),
    ("1", "Where were they written, and when?", lambda y, r: y == 1),
    ("too large by exactly 1", "What is counted once too often?", lambda y, r: y - r == 1),
    ("too small by exactly 1", "What is left out by the count?", lambda y, r: y - r == -1),
    ("off by exactly 1", "Where does the count begin, and where does it end?", lambda y, r: abs(y - r) == 1),
    ("of the other sign", "What is subtracted from what?", lambda y, r: abs(y + r) <= 1e-4 * abs(r)),
    ("negative, and should not be", "What is subtracted there?", lambda y, r: (y < 0) & (r >= 0)),
    ("above 1, and should not be", "By what would they have to be divided?", lambda y, r: (y > 1) & (r <= 1)),
    ("whole, and should not be", "Where is it rounded?", lambda y, r: (y == np.round(y)) & (r != np.round(r))),
    ("off by less than a hundredth", "What is rounded, or nearly the same?", lambda y, r: abs(y - r) < 0.01 * abs(r)),
    ("too large", "What is added, or counted, that should not be?", lambda y, r: y > r),
    ("too small", "What is left out?", lambda y, r: y < r),
]
# A sentence on a region; whether it is on the wrong numbers; of what share the region tells something; what is true.
FORMS: list[tuple[str, bool, float, Callable[[Array, Array], Any]]] = [
    ("All numbers {} are wrong, and no others.", True, 1, lambda wrong, there: (wrong == there).all()),
    ("All numbers {} are right, and no others.", False, 1, lambda wrong, there: (wrong != there).all()),
    ("All wrong numbers are {}.", True, 0.75, lambda wrong, there: not (wrong & ~there).any()),
    ("All right numbers are {}.", False, 0.75, lambda wrong, there: not (~wrong & ~there).any()),
]
TIMES = {2: "twice", 3: "three times", 1 / 2: "half", 1 / 3: "a third"}
ON_WHAT = "On what does the size of the answer depend?"
BY_HAND = "Take a small case, and work out one of the wrong numbers by hand: where do you and your function part?"
SHARES = ((1 / 8, "a few"), (3 / 8, "about a quarter"), (5 / 8, "about half"), (1 - 1e-9, "most"), (1, "all"))
PARTS = (  # of the largest number
    (0.02, "tiny beside"),
    (0.2, "about a tenth of"),
    (0.4, "about a third of"),
    (0.75, "more than half of"),
    (1.5, "about as large as"),
    (np.inf, "larger than"),
)


@np.errstate(all="ignore")  # a function's infinity is wrong, and nothing to warn of
def at_which_places(seen: Seen) -> Diagnosis | None:
    """What all wrong answers have in common: their sizes, or where their wrong numbers are, and what these are."""
    wrong = seen.wrong
    if not wrong:
        return _no_numbers(seen)
    if described := _described(wrong):
        return described
    of_wrong_size = [q for q in wrong if not q.has_right_shape]
    if of_wrong_size:
        return _wrong_sizes(seen, of_wrong_size)
    found = _wrong_numbers(seen.exercise, wrong)
    if any(q.is_right for q in seen.telling):  # "in our cases, all of your numbers are wrong" would not be true
        start, those = "In our cases, all of your", "In the cases that are wrong, all of your"
        found = replace(found, sees=found.sees.replace(start, those, 1))
    return found


def _described(wrong: Sequence[Question]) -> Diagnosis | None:
    """What differs in all wrong answers, where a probe describes each layer of a network by a few numbers."""
    names: tuple[str, ...] = getattr(wrong[0].case.probe, "describes", ())
    columns = [n for n in range(len(names)) if all(q.has_right_shape and _beside(q).wrong[..., n].any() for q in wrong)]
    if not columns:
        return None
    sees = f"In all cases that are wrong, this is not as it should be: {' and '.join(names[n] for n in columns)}."
    asks = "What does the exercise say of it? In which layers do you set it, and from what do you compute it?"
    return Diagnosis("place", sees, asks, partial(_differ, columns), is_general=False)


def _differ(columns: Sequence[int], question: Question) -> bool | None:
    if not question.has_right_shape or question.is_right:
        return None
    return all(bool(_beside(question).wrong[..., n].any()) for n in columns)


def _yours(question: Question) -> Array:
    assert question.yours is not None
    return question.yours


NO_NUMBERS: dict[str, tuple[str, str]] = {
    "raised": ("your function stops with an error", "What does the error say, and in which line is it?"),
    "stopped": ("your function does not end in time", "What makes its loop end?"),
    "value": ("your function gives nan, which is no number", "Where does it divide 0 by 0, or ∞ by ∞?"),
    "unusable": ("your function returns something that is no array of numbers", "What does it return?"),
}
NOTHING = ("your function returns nothing", "Is there a `return` at the end of every path?")


def _no_numbers(seen: Seen) -> Diagnosis | None:
    """Of wrong answers that have no number to compare: how often, and what the first of them is."""
    kinds = [q.answer.kind for q in seen.cases if not q.is_right]
    if not kinds:
        return None
    kind = kinds[0]
    words, asks = NO_NUMBERS.get(kind, NOTHING)
    share = SHARES[_step(SHARES, kinds.count(kind) / len(seen.cases))][1]

    def holds(question: Question) -> bool | None:
        if question.is_right:
            return None
        return False if question.yours is not None else question.answer.kind == kind or None

    return Diagnosis("place", f"In {share} of our cases {words}.", asks, holds, is_general=False)


# --- of the wrong size ---


def _wrong_sizes(seen: Seen, wrong: Sequence[Question]) -> Diagnosis:
    """What is wrong with the size, in the simplest words that are true of all."""
    inputs = dict.fromkeys(name for q in wrong for name in inputs_of(seen.exercise, q.case))
    ways: list[tuple[Callable[[Question], str], str]] = [
        (_otherwise_arranged, "What does each axis of the answer stand for, and in which order?"),
        (partial(_one_more, seen.exercise), "Which is the first, which is the last, and how many does that make?"),
        *((partial(_as_input, seen.exercise, name), "How does the size change, and where?") for name in inputs),
        (partial(_more_or_less, seen.exercise), ON_WHAT),
        (lambda q: "has the right number of axes" * (_yours(q).ndim == q.right.ndim), ON_WHAT),
        (lambda q: "has another shape", ON_WHAT),
    ]
    found = ((way(wrong[0]), asks, way) for way, asks in ways if len({way(q) for q in wrong}) == 1)
    words, asks, describe = next(each for each in found if each[0])
    mine = "Your answer" if len(wrong) == len(seen.cases) else "Where its size is wrong, your answer"
    but = ", but another size" if words.endswith("number of axes") else ""
    return Diagnosis(
        "place",
        f"{mine} {words}{but}.",
        asks,
        lambda q: None if q.yours is None or q.has_right_shape else describe(q) == words,
    )


def _otherwise_arranged(question: Question) -> str:
    yours, right = _yours(question).shape, question.right.shape
    if not yours or not right:
        return "is a single number" if right else "is an array, and should be a single number"
    if _yours(question).size == question.right.size and len(yours) == 1:
        return "has as many numbers as it should have, but all in one row"
    if len(yours) != len(right):
        many = len(yours) - len(right)
        return f"has {'one axis' if abs(many) == 1 else 'axes'} too {'many' if many > 0 else 'few'}"
    if yours[:-2] == right[:-2] and yours[-2:] == right[:-3:-1]:
        return "has rows and columns the wrong way round"
    for factor, times in TIMES.items():  # in height and width, or in length
        if yours[:-2] == right[:-2] and yours[-2:] == tuple(factor * n for n in right[-2:]):
            return f"is {times} as large as it should be"
    return ""


def _one_more(exercise: Exercise, question: Question) -> str:
    return _by_axes(exercise, question, lambda more: {1: "one {} too many", -1: "one {} too few"}.get(more, ""))


def _more_or_less(exercise: Exercise, question: Question) -> str:
    return _by_axes(exercise, question, lambda more: "too many {}s" if more > 0 else "too few {}s")


def _by_axes(exercise: Exercise, question: Question, words: Callable[[int], str]) -> str:
    yours, right = _yours(question).shape, question.right.shape
    names = _axes(exercise, len(right))
    said = [words(n - m).format(name) for n, m, name in zip(yours, right, names, strict=False) if n != m]
    return f"has {' and '.join(said)}" if len(yours) == len(right) and all(said) else ""


def _as_input(exercise: Exercise, name: str, question: Question) -> str:
    value = inputs_of(exercise, question.case).get(name)
    is_as_large = isinstance(value, np.ndarray) and value.shape == _yours(question).shape
    return f"is as large as {called(name)}" if is_as_large else ""


# --- with wrong numbers ---


@dataclass(frozen=True, eq=False)
class Beside:
    """An answer beside the right one."""

    yours: Array
    right: Array
    wrong: Array  # whether a number is


Said = tuple[str, str, Callable[[Beside], Any]]  # words; what to ask; whether they are true of a wrong answer


def _beside(question: Question) -> Beside:
    yours = _yours(question)
    return Beside(yours, question.right, different(yours, question.right))


def _wrong_numbers(exercise: Exercise, wrong: Sequence[Question]) -> Diagnosis:
    """Where wrong numbers are, or how many; and what all of them are."""
    answers = [_beside(q) for q in wrong]
    ndim = {each.right.ndim for each in answers}
    how = _how(answers)
    if ndim == {0}:  # one number each
        words, asks, is_so = how or ("too large in some cases, and too small in others", BY_HAND, lambda each: True)
        sees = f"In our cases, where your number is wrong, it is {words}."
        return Diagnosis("place", sees, asks, partial(_if_wrong, ndim, [is_so]), is_general=False)
    place = _place(exercise, ndim, answers) or _in_other_order(answers)
    words, asks, is_so = place or _share(answers)
    if how:
        words += f" In our cases, all wrong ones are {how[0]}."
    elif not place:
        words += " Some are too large, and others too small."
    asks = how[1] if how and not place else asks
    holds = partial(_if_wrong, ndim, [is_so, how[2]] if how else [is_so])
    return Diagnosis("place", words, asks, holds, is_general=place is not None and how is None)


def _if_wrong(ndim: set[int], all_so: Sequence[Callable[[Beside], Any]], question: Question) -> bool | None:
    if not question.has_right_shape or question.right.ndim not in ndim:
        return None
    with np.errstate(all="ignore"):
        answer = _beside(question)
        return all(bool(is_so(answer)) for is_so in all_so) if answer.wrong.any() else None


def _place(exercise: Exercise, ndim: set[int], answers: Sequence[Beside]) -> Said | None:
    """The first region in which all wrong numbers are, or all right ones, if they would hardly be there by chance."""
    regions = [*(_of_axes(exercise, *ndim) if len(ndim) == 1 else ()), *OF_NUMBERS]
    for words, is_of_wrong, most, is_so in FORMS:
        counts = [np.count_nonzero(each.wrong == is_of_wrong) for each in answers]
        for region, asks, where in regions if any(counts) else ():
            if all(is_so(each.wrong, where(each.right)) for each in answers):
                shares = [where(each.right).mean() for each in answers]
                chance = sum(count * log(share) for count, share in zip(counts, shares, strict=True) if count)
                if chance < log(CHANCE) and np.mean(shares) <= most:
                    return words.format(region), asks, partial(_is_there, is_so, where)
    return None


def _is_there(is_so: Callable[[Array, Array], Any], where: Callable[[Array], Array], answer: Beside) -> Any:
    return is_so(answer.wrong, where(answer.right))


def _of_axes(exercise: Exercise, ndim: int) -> Iterator[Region]:
    """The regions that an array of so many axes has: parts, first and last rows, every second row, borders."""
    names = _axes(exercise, ndim)
    for n, part in enumerate(exercise.parts):
        yield f"in “{part}”", f"How is “{part}” made from the inputs?", partial(_along, -ndim, partial(_is, n))
    for axis, name in zip(range(-ndim, 0), names, strict=True):
        if name != "part":
            yield from ((w.format(name), asks.format(name), partial(_along, axis, test)) for w, asks, test in OF_AXES)
    if names[-2:] == ("row", "column"):
        yield from ((words, asks, partial(_edges, OF_AXES[n][2])) for n, (words, asks) in enumerate(EDGES))
        yield "on the diagonal", "What have row and column to do with each other?", _diagonal


def _axes(exercise: Exercise, ndim: int) -> tuple[str, ...]:
    """What the axes of the answer are called."""
    if exercise.parts and ndim:
        return ("part", *AXES.get(ndim - 1, ()))
    return AXES.get(ndim, ("axis",) * ndim)


def _along(axis: int, test: Callable[[Array, int], Array], right: Array) -> Array:
    """Which places are such by their number along an axis."""
    n = right.shape[axis]
    return test(np.arange(n).reshape(-1, *(1,) * (-axis - 1)), n)


def _is(number: int, i: Array, n: int) -> Array:
    return i == number


def _edges(test: Callable[[Array, int], Array], right: Array) -> Array:
    return _along(-2, test, right) | _along(-1, test, right)


def _diagonal(right: Array) -> Array:
    return np.eye(*right.shape[-2:], dtype=bool)


def _how(answers: Sequence[Beside]) -> Said | None:
    """What all wrong numbers are."""
    numbers = [_wrong_and_right(each) for each in answers]
    for words, asks, test in HOW:
        if all(test(*each).all() for each in numbers):
            return words, asks, lambda answer, test=test: test(*_wrong_and_right(answer)).all()
    return None


def _wrong_and_right(answer: Beside) -> tuple[Array, Array]:
    """The wrong numbers, and the right ones in their places."""
    return answer.yours[answer.wrong].astype(float), answer.right[answer.wrong].astype(float)


def _in_other_order(answers: Sequence[Beside]) -> Said | None:
    def is_so(answer: Beside) -> bool:
        return same(np.sort(answer.yours, axis=None), np.sort(answer.right, axis=None))

    words = "Your numbers are the right ones, in another order."
    return (words, "In which order do the loops, or the axes, go?", is_so) if all(map(is_so, answers)) else None


def _share(answers: Sequence[Beside]) -> Said:
    """How many numbers are wrong, and by how much, in a few words that are always the same."""
    shares, parts = [_step(SHARES, each.wrong.mean()) for each in answers], {_part(each) for each in answers}
    few, many = min(shares), max(shares)
    words = f"In our cases, {SHARES[few][1]} of your numbers are wrong"
    if few < many:
        words = f"In some of our cases {SHARES[few][1]} of your numbers are wrong, in others {SHARES[many][1]}"
    if len(parts) == 1:
        words += f"; the largest difference is {PARTS[min(parts)][1]} the largest right number"

    def is_so(answer: Beside) -> bool:
        return few <= _step(SHARES, answer.wrong.mean()) <= many and (len(parts) > 1 or _part(answer) in parts)

    return f"{words}.", BY_HAND, is_so


def _part(answer: Beside) -> int:
    """Which part of the largest number the largest difference is."""
    off = np.abs(answer.yours.astype(float) - answer.right).max()
    return _step(PARTS, off / max(1e-9, np.abs(answer.right.astype(float)).max()))


def _step(steps: Sequence[tuple[float, str]], value: float) -> int:
    """The first step that is not below a value."""
    return next((n for n, (most, _) in enumerate(steps) if value <= most), len(steps) - 1)
