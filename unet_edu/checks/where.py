"""When a function is wrong: from one call to the next, or in which cases.

All that is said is made of the words of this module. None of the function's numbers is among them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import combinations, pairwise, permutations
from math import comb
from numbers import Integral
from operator import eq
from typing import Any

import numpy as np

from unet_edu.checks.arrays import Array
from unet_edu.checks.exercise import Exercise
from unet_edu.checks.fault import same
from unet_edu.checks.seen import Diagnosis, Question, Seen, called, defaults_of, given_to, kind_of

__all__ = ["in_which_calls", "in_which_cases"]

# How often chance may find a property; where it would more often, nothing is said. A mistake that hangs on the input
# hangs on something simple, so one property is believed sooner than two that go together, of which there are thousands.
CHANCE, CHANCE_OF_TWO = 0.2, 0.02

# --- from one call to the next ----------------------------------------------------------------------------------------


def in_which_calls(seen: Seen) -> Diagnosis | None:
    """Whether the answer hangs on something other than the input, or not even on that."""
    again = [Question(q.case, answer, q.right).yours for q, answer in zip(seen.cases, seen.again, strict=False)]
    pairs = [(q, q.yours, then) for q, then in zip(seen.cases, again, strict=False)]
    other = [q for q, now, then in pairs if now is not None and then is not None and not _are_equal(now, then)]
    if other:
        return Diagnosis(
            "calls",
            "Your function gives other answers when it is asked the same thing again.",
            "Does it draw random numbers, or does something outlive a call: a variable outside, a list as a default?",
            lambda q: q in other or None,
        )
    first, right = seen.cases[0].yours, seen.cases[0].right
    is_the_same = first is not None and all(q.yours is not None and same(q.yours, first) for q in seen.cases)
    if not is_the_same or all(same(q.right, right) for q in seen.cases):
        return None
    return Diagnosis(
        "calls",
        "Your function gives the same answer whatever it is given.",
        "Does it use its own arguments?",
        lambda q: None if q.yours is None or first is None else same(q.yours, first),
    )


def _are_equal(a: Array, b: Array) -> bool:
    """Whether two answers are the same, infinite numbers too."""
    return same(a, b) or np.array_equal(a, b)


# --- in which cases ---------------------------------------------------------------------------------------------------

Facts = dict[str, Any]  # the arguments by their names; what was not given has its default
RIGHT = "return"  # the right answer among them: no argument has this name
LIMITS = (1, 2, 255)
SHAPES = 2  # the rank up to which the arrays' numbers do not matter
NOT = {"is": "is not", "has": "does not have", "divides": "does not divide"}


@dataclass(frozen=True, eq=False)
class Property:
    """Something that is true of some cases."""

    rank: int  # the lower, the simpler
    about: tuple[str, ...]  # names of arguments
    words: str  # the rest of "Right wherever …"
    has: Callable[[Facts], bool]

    def opposite(self) -> Property:
        verb = next(word for word in self.words.split() if word in NOT)
        words = self.words.replace(f" {verb} ", f" {NOT[verb]} ", 1)
        return Property(self.rank, self.about, words, lambda facts: not self.has(facts))

    def too(self, other: Property) -> Property:
        about = tuple(dict.fromkeys((*self.about, *other.about)))
        words = f"{self.words} and {other.words}"
        return Property(self.rank + other.rank, about, words, lambda facts: self.has(facts) and other.has(facts))


Found = tuple[Property, bool]  # and whether it is the right cases that have it

# Of one value: the rank, words, what is true. The simpler of two that say the same of all cases comes first.
Row = tuple[int, str, Callable[[Any], Any]]
TABLES: dict[str, list[Row]] = {
    "nothing": [(0, "is not given", lambda v: True)],
    "number": [
        (0, "is 0", lambda v: v == 0),
        (0, "is 1", lambda v: v == 1),
        *((0, f"is larger than {limit}", lambda v, limit=limit: v > limit) for limit in LIMITS),
        (0, "is even", lambda v: v % 2 == 0),
        (0, "is negative", lambda v: v < 0),
    ],
    "pair": [
        (0, "is a pair", lambda v: True),
        (0, "is a pair of equal numbers", lambda v: v[0] == v[1]),
        (0, "is a pair with a first number of 1", lambda v: v[0] == 1),
        (0, "is a pair with a second number of 1", lambda v: v[1] == 1),
    ],
    "text": [],
    "list": [
        (2, "is empty", lambda v: len(v) == 0),
        (2, "has length 1", lambda v: len(v) == 1),
        (2, "is sorted", lambda v: all(a <= b for a, b in pairwise(v))),
        (2, "has an entry twice", lambda v: any(a == b for a, b in combinations(v, 2))),
        (2, "has pairs with a first number of 1 alone", lambda v: all(kind_of(e) == "pair" and e[0] == 1 for e in v)),
        (2, "has pairs with a second number of 1 alone", lambda v: all(kind_of(e) == "pair" and e[1] == 1 for e in v)),
    ],
    "array": [
        *((2, f"has {count} axes", lambda v, count=count: v.ndim == count) for count in (1, 2, 3, 4)),
        (2, "is square", lambda v: v.ndim > 1 and v.shape[-1] == v.shape[-2]),
        (2, "has one row", lambda v: v.ndim > 1 and v.shape[-2] == 1),
        (2, "has one column", lambda v: v.ndim > 1 and v.shape[-1] == 1),
        (2, "has one channel", lambda v: v.ndim == 4 and v.shape[1] == 1),
        (2, "has one image", lambda v: v.ndim > 2 and v.shape[0] == 1),
        (2, "has an even height", lambda v: v.ndim > 1 and v.shape[-2] % 2 == 0),
        (2, "has an even width", lambda v: v.ndim > 1 and v.shape[-1] % 2 == 0),
        (2, "has an even number of entries", lambda v: v.ndim == 1 and len(v) % 2 == 0),
        (2, "has more rows than columns", lambda v: v.ndim > 1 and v.shape[-2] > v.shape[-1]),
        (2, "has more columns than rows", lambda v: v.ndim > 1 and v.shape[-2] < v.shape[-1]),
        (3, "has a negative number", lambda v: v.min(initial=0) < 0),
        (3, "has a 0", lambda v: not v.all()),
        (3, "has whole numbers alone", lambda v: v.dtype.kind != "f" or (v == np.round(v)).all()),
        (3, "is of an integer type", lambda v: v.dtype.kind in "iu"),
        (3, "has its largest number twice", lambda v: v.size and np.count_nonzero(v == v.max()) > 1),
        (3, "has a number twice", lambda v: np.unique(v).size < v.size),
        (3, "has numbers from 0 to 1 alone", lambda v: v.size and v.min() >= 0 and v.max() <= 1),
        (3, "has numbers above 255", lambda v: v.max(initial=0) > 255),
    ],
    "answer": [
        (4, "is 0", lambda v: not v.ndim and v == 0),
        (4, "is empty", lambda v: v.size == 0),
        (4, "has one number", lambda v: v.ndim and v.size == 1),
        (4, "is square", lambda v: v.ndim > 1 and v.shape[-1] == v.shape[-2]),
        (4, "has a 0", lambda v: v.ndim and not v.all()),
    ],
}
# Of the sizes of two: each is a number, a pair, or what an array's last axes have.
RELATIONS: list[tuple[str, Callable[[Array, Array], Any]]] = [
    ("is equal to", lambda a, b: (a == b).all()),
    ("divides", lambda a, b: (a > 0).all() and (b > 0).all() and not (b % a).any()),
    ("is larger than", lambda a, b: (a > b).all()),
]


def in_which_cases(seen: Seen) -> Diagnosis | None:
    """The simplest property of the inputs that parts the wrong answers from the right ones."""
    questions = [q for q in seen.cases if q.answer.kind != "stopped"]  # with more time it might have been right
    facts = [_facts(seen.exercise, q) for q in questions]
    right = np.array([q.is_right for q in questions], dtype=bool)
    if min(right.sum(), (~right).sum()) < 2:
        return None
    every = _properties(seen.exercise, facts)
    table = np.array([[bool(p.has(f)) for f in facts] for p in every], dtype=bool).reshape(len(every), len(facts))
    varies = [n for n, row in enumerate(table) if row.any() and not row.all()]
    every, table = [every[n] for n in varies], table[varies]
    found = _one(every, table, right)
    found = _both(every, table, right) if found is None else found
    if not found:
        return None
    raised = all(q.answer.kind == "raised" for q in questions if not q.is_right)
    names = " and ".join(dict.fromkeys(called(name) for p, _ in found for name in p.about if name != RIGHT))
    return Diagnosis(
        "cases",
        _parted(found, "stops with an error" if raised else "is wrong"),
        f"What does your function do with {names}?" if names else "What is special about these cases?",
        lambda q: _is_as_found(seen.exercise, q, found),
        is_general=False,
    )


def _parted(found: list[Found], wrong: str) -> str:
    words = [
        f"is right wherever {p.words}, and {wrong} elsewhere"
        if is_right
        else f"{wrong} wherever {p.words}, and is right elsewhere"
        for p, is_right in found
    ]
    others = "".join(f" Or it {other}: our cases do not tell the two apart." for other in words[1:])
    return f"In our cases, your function {words[0]}.{others}"


def _is_as_found(exercise: Exercise, question: Question, found: list[Found]) -> bool | None:
    if question.answer.kind == "stopped":
        return None
    facts = _facts(exercise, question)
    return any((p.has(facts) == is_right) == question.is_right for p, is_right in found)


def _one(every: list[Property], table: Array, right: Array) -> list[Found] | None:
    """The simplest property that fits, or the two if two are as simple: each with whether it is of the right cases.

    None is said where more fit, or where chance may have found it; nothing fits where it is None.
    """
    fewest = min(right.sum(), (~right).sum())
    for rank in sorted({p.rank for p in every}):
        fits: dict[frozenset[str], Found] = {}
        for p, row in zip(every, table, strict=True):
            if p.rank == rank and ((row == right).all() or (row != right).all()):
                fits.setdefault(frozenset(p.about), (p, bool(row[right].all())))
        if fits:
            simpler = table[[p.rank <= rank for p in every]]
            alike = table[[p.rank <= max(rank, SHAPES) for p in every]]
            is_believed = _chance(np.concatenate([simpler, ~simpler]), ~right, alike) <= CHANCE
            return list(fits.values()) if is_believed and len(fits) <= (2 if fewest > 2 else 1) else []
    return None


def _both(every: list[Property], table: Array, right: Array) -> list[Found]:
    """The two simplest properties that together are of the wrong cases alone."""
    if min(right.sum(), (~right).sum()) < 4:
        return []
    of_inputs = [n for n, p in enumerate(every) if RIGHT not in p.about]
    every = [*(every[n] for n in of_inputs), *(every[n].opposite() for n in of_inputs)]
    table = np.concatenate([table[of_inputs], ~table[of_inputs]])
    of_all_wrong = np.flatnonzero(table[:, ~right].all(axis=1))
    elsewhere = table[of_all_wrong][:, right].astype(int)  # where two never meet
    fits = of_all_wrong[np.argwhere(np.triu(elsewhere @ elsewhere.T == 0, 1))]
    if not len(fits):
        return []
    ranks = [every[a].rank + every[b].rank for a, b in fits]
    pairs: dict[frozenset[str], Property] = {}
    for (a, b), rank in zip(fits, ranks, strict=True):
        if rank == min(ranks):
            p = every[a].too(every[b])
            pairs.setdefault(frozenset(p.about), p)
    table = np.unique(table, axis=0)
    first, second = np.nonzero(np.triu(table.astype(int) @ table.T == (~right).sum(), 1))
    if len(pairs) > 1 or _chance(table[first] & table[second], ~right, table) > CHANCE_OF_TWO:
        return []
    return [(p, False) for p in pairs.values()]


def _chance(sets: Array, wrong: Array, alike: Array) -> float:
    """How often as many wrong cases, if they were drawn at random, would be one of these sets.

    Cases of which the same is true, where there are only other numbers in the arrays, count as one.
    """
    one_of_each = np.unique(alike, axis=1, return_index=True)[1]
    sets, wrong = sets[:, one_of_each], wrong[one_of_each]
    as_large = np.unique(sets[sets.sum(axis=1) == wrong.sum()], axis=0)
    return len(as_large) / comb(len(wrong), int(wrong.sum()))


def _facts(exercise: Exercise, question: Question) -> Facts:
    return {**given_to(exercise, question.case), RIGHT: question.right}


def _properties(exercise: Exercise, facts: list[Facts]) -> list[Property]:
    """All that can be said of the cases; of each argument the simplest first."""
    found, defaults = [], defaults_of(exercise)
    names = list(dict.fromkeys(name for each in facts for name in each))
    for name in names:
        values = [each.get(name) for each in facts]
        for kind in dict.fromkeys("answer" if name == RIGHT else kind_of(value) for value in values):
            own = _own(kind, name, values, defaults)
            found += [_of_one(name, kind, *row) for row in (*TABLES[kind], *own)]
    for a, b in permutations([name for name in names if name != RIGHT], 2):
        if any(_size(each.get(a)) is not None and _size(each.get(b)) is not None for each in facts):
            is_array = any(isinstance(each.get(name), np.ndarray) for each in facts for name in (a, b))
            found += [_of_two(a, b, 2 if is_array else 1, facts, *row) for row in RELATIONS]
    return found


def _own(kind: str, name: str, values: list[Any], defaults: Facts) -> list[Row]:
    """What can be said of an argument because of its own values: a default, and a few texts."""
    if kind == "number" and kind_of(defaults.get(name)) == "number":
        return [(0, "has its default value", lambda v: v == defaults[name])]
    texts = {value: None for value in values if kind_of(value) == "text"} if kind == "text" else {}
    return [(0, f"is {text}", partial(eq, text)) for text in texts if len(texts) <= 4]


def _of_one(name: str, kind: str, rank: int, words: str, has: Callable[[Any], Any]) -> Property:
    def of(facts: Facts) -> bool:
        value = facts.get(name)
        return (name == RIGHT or kind_of(value) == kind) and bool(has(value))

    return Property(rank, (name,), f"{'the right answer' if name == RIGHT else called(name)} {words}", of)


def _of_two(a: str, b: str, rank: int, facts: list[Facts], words: str, has: Callable[..., Any]) -> Property:
    def of(facts: Facts) -> bool:
        one, other = _size(facts.get(a)), _size(facts.get(b))
        return one is not None and other is not None and bool(has(one, other))

    sizes = {
        name: "the size of " * any(isinstance(each.get(name), np.ndarray) for each in facts) + called(name)
        for name in (a, b)
    }
    return Property(rank, (a, b), f"{sizes[a]} {words} {sizes[b]}", of)


def _size(value: Any) -> Array | None:
    """Height and width, or one number that stands for both."""
    kind = kind_of(value)
    if kind == "array":
        return np.array(value.shape[-2:]) if value.ndim > 1 else None
    return np.atleast_1d(value) if kind == "pair" or isinstance(value, Integral) and kind == "number" else None
