"""What was computed instead: a change of the inputs, a change of the answer, or two, that give the student's answers.

The changes are rows of `unet_edu.checks.changes`. Each is tried on the smallest wrong case, and what fits there on all
others. So nearly all are left behind after one comparison of small arrays.
"""

from __future__ import annotations

import inspect
import itertools
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np

from unet_edu.checks.answer import _plain_array
from unet_edu.checks.arrays import Array, NoSuchAxisError
from unet_edu.checks.changes import OF_ANSWERS, OF_INPUTS, SCALE, USED, Change, reordered
from unet_edu.checks.exercise import Case, Mistake
from unet_edu.checks.fault import different, same
from unet_edu.checks.quantities import quantities
from unet_edu.checks.seen import Diagnosis, Question, Seen, defaults_of, given_to, inputs_of, kind_of

__all__ = ["computed_instead"]

# How much is tried before the search gives up, in steps of about 20 µs. It is counted and not timed: the same answers
# get the same sentence on any machine.
STEPS = 16_000
CALL, NETWORK = 4, 500  # steps that a call of the reference takes, and one in which a network computes
NUMBERS = 2_000  # of an answer, which are looked at in a step
MOST = 2  # descriptions that are said, where several of one length are true
# How many numbers must differ from the right ones as a description says: of one number, many rows are true by chance.
ENOUGH = {1: 2, 2: 8}
FEW = 3  # cases, by which two descriptions are told apart
# A description may be silent on a wrong case (a kernel of 2×3 on its side fits nowhere), but not on many.
MOST_SILENT = 0.5


WHICH = "Which of the two is meant where?"


@dataclass(frozen=True, eq=False)
class Instead:
    """Something that may have been computed: its answer to a case, in words for the student.

    `words` names what comes out, as in "what comes out with k turned by half a turn". Where something else came before,
    `lead` tells it first.
    """

    words: str
    asks: str
    of: Callable[[Question], Array | None]
    changes: int = 1
    lead: str = ""
    kind: str = ""  # of several guesses of one kind, only the first is said
    reads: Callable[[Case], dict[str, Any]] | None = None

    @property
    def sees(self) -> str:
        answer = f"our answer is {self.words}."
        return f"{self.lead} y{answer}" if self.lead.endswith(",") else f"{self.lead} Y{answer}".strip()

    def holds(self, question: Question) -> bool | None:
        yours = question.yours
        if yours is None or not question.is_own:
            return None
        answer = self.of(question)
        if answer is not None and answer.shape != yours.shape:
            return False
        if answer is None or not np.isfinite(answer).all():
            return False if question.is_right else None
        return same(yours, answer)


def computed_instead(seen: Seen, steps: int = STEPS) -> Diagnosis | None:
    """The simplest description, or the two simplest, that are true of all answers; None when there is none.

    Parameters
    ----------
    seen : Seen
    steps : int
        After which it gives up.
    """
    if not seen.wrong:
        return None
    with np.errstate(all="ignore"), warnings.catch_warnings():
        # Much of what is tried divides by 0 or takes the mean of nothing: then it explains nothing.
        warnings.simplefilter("ignore")
        return _found(Search(seen, steps))


def _found(search: Search) -> Diagnosis | None:
    """What is true in the first tier in which something is."""
    for tier in search.tiers():
        found: dict[str, Instead] = {}
        for guess in tier:
            if search.is_true(guess):
                found.setdefault(guess.kind or guess.words, guess)
            if len(found) == MOST or search.is_over():
                break
        if found or search.is_over():
            return _said(list(found.values()))
    return None


def _said(found: Sequence[Instead]) -> Diagnosis | None:
    if not found:
        return None
    first = found[0]
    # After the lead of the first, "that" would mean something else than the other guess does.
    said = [first, *(guess for guess in found[1:] if guess.lead == first.lead)]
    other = "".join(f" Or, which comes to the same here, it is {guess.words}." for guess in said[1:])
    asks = " ".join(dict.fromkeys(guess.asks for guess in said))
    return Diagnosis("computed", first.sees + other, asks, first.holds, reads=first.reads)


@dataclass(frozen=True, eq=False)
class Other:
    """Other inputs: in what they differ, and how they are made of those of a case."""

    words: str
    asks: str
    of: Callable[[dict[str, Any]], dict[str, Any]]
    names: frozenset[str]


class Search:
    """All that may have been computed from what is given, in order of simplicity."""

    def __init__(self, seen: Seen, steps: int) -> None:
        self.seen, self.left = seen, steps
        self.signature = inspect.signature(seen.exercise.reference)
        self.defaults = defaults_of(seen.exercise)
        # First those in which most arguments matter, and of these the small ones: there most guesses part.
        self.wrong = sorted(seen.wrong, key=lambda question: -self.settings(question.case))
        self.first = self.wrong[0]
        self._known: dict[tuple[Any, ...], Array | None] = {}
        self._given: dict[Case, dict[str, Any]] = {}
        self._fitting: dict[tuple[int, ...], Sequence[Change]] = {}

    def settings(self, case: Case) -> int:
        """How many arguments of a case are not at their defaults."""
        given = inputs_of(self.seen.exercise, case)
        return sum(value is not self.defaults.get(name) for name, value in given.items())

    def is_over(self) -> bool:
        return self.left < 0

    def is_true(self, guess: Instead) -> bool:
        """Whether a guess is true of all answers, and of so many wrong numbers that it is not so by chance."""
        self.left -= 1 + self.first.right.size // NUMBERS
        if guess.holds(self.first) is False:
            return False
        verdicts = []
        for question in self.wrong:
            verdicts.append(guess.holds(question))
            if verdicts[-1] is False:
                return False
        told = sum(_wrong_numbers(q) for q, verdict in zip(self.wrong, verdicts, strict=True) if verdict)
        silent, cases = verdicts.count(None), verdicts.count(True)
        if (
            silent > MOST_SILENT * len(verdicts)
            or cases < min(2, len(verdicts))
            or told < ENOUGH[min(guess.changes, 2)]
        ):
            return False
        return not any(guess.holds(question) is False for question in self.seen.telling if question.is_right)

    def tiers(self) -> Iterator[Iterator[Instead]]:
        """The simplest first; each later one begins where those before have found nothing."""
        f = self.seen.exercise.reference
        right = Instead("the right one", "", lambda question: question.right, changes=0)
        yield itertools.chain(self.not_computed(), self.answers_of([right]))
        others = {self.asked(f, other): other for other in self.others()}
        yield iter(others)
        # What gives the same as another in a few cases, or what is right, leads nowhere that the other does not.
        others = {guess: others[guess] for guess in self.told_apart(others)}
        mistakes = {self.mistake(known): known for known in self.seen.exercise.mistakes}
        known = {guess: mistakes[guess] for guess in self.told_apart(mistakes)}
        yield self.answers_of([*known, *others])
        yield (self.asked(m.wrong, other, lead=guess.lead) for other in others.values() for guess, m in known.items())
        pairs = itertools.combinations(others.values(), 2)
        yield (self.asked(f, *pair) for pair in pairs if not pair[0].names & pair[1].names)
        yield self.answers_of(self.answers_of([right]))

    def told_apart(self, guesses: Iterable[Instead]) -> list[Instead]:
        """Of guesses that give the same in a few cases, one; of those that give what is right, none."""
        few = self.wrong[:FEW]
        right = tuple(question.right.tobytes() for question in few)
        found: dict[tuple[bytes | None, ...], Instead] = {}
        for guess in itertools.takewhile(lambda _: not self.is_over(), guesses):
            answers = [guess.of(question) for question in few]
            if answers[0] is not None:
                found.setdefault(tuple(None if answer is None else answer.tobytes() for answer in answers), guess)
        return [guess for answers, guess in found.items() if answers != right]

    def mistake(self, known: Mistake) -> Instead:
        lead = f"Two things at once. {known.hint} Besides,"
        return Instead("what comes of that", "", partial(self._answer, known.wrong, ()), lead=lead)

    # --- the answer ---------------------------------------------------------------------------------------------------

    def not_computed(self) -> Iterator[Instead]:
        """An input returned as it was."""
        asks = "What should be done with it? Is the result returned, or what it was made of?"
        for name in self.given(self.first.case):
            yield Instead(f"the input {name} as it came", asks, partial(self._input, name))

    def _input(self, name: str, question: Question) -> Array | None:
        return _plain_array(self.given(question.case).get(name))

    def answers_of(self, bases: Iterable[Instead]) -> Iterator[Instead]:
        """The answers of some guesses, changed: first multiplied, because that is seen at once."""
        bases = itertools.takewhile(lambda _: not self.is_over(), bases)
        answered = [(base, answer) for base in bases if (answer := base.of(self.first)) is not None]
        for base, answer in answered:
            yield from self.times(base, answer)
        for base, answer in answered:
            for row in self.fitting(answer):
                yield self._changed(base, row, ...)
            for n, part in enumerate(self.seen.exercise.parts):
                for row in self.fitting(answer[n]) if answer.shape == self.first.right.shape else ():
                    yield self._changed(base, row, n, part)

    def fitting(self, answer: Array) -> Sequence[Change]:
        """The changes after which an answer of this shape has that of the student's, or of one of its parts."""
        yours = self.first.yours
        assert yours is not None
        if answer.shape not in self._fitting:
            is_part = answer.ndim < self.first.right.ndim
            wanted = yours.shape[1:] if is_part else yours.shape
            rows = (*OF_ANSWERS, *reordered(answer.ndim), *(() if is_part else self._parts_exchanged()))
            changed = ((row, _with_part_changed(answer, row, ...)) for row in rows)
            self._fitting[answer.shape] = [row for row, new in changed if new is not None and new.shape == wanted]
        return self._fitting[answer.shape]

    def _parts_exchanged(self) -> Iterator[Change]:
        if len(self.seen.exercise.parts) == 2:
            words = " and ".join(self.seen.exercise.parts)
            yield Change(f"{{it}} with {words} exchanged", "In which order are they returned?", lambda y: y[::-1])

    def _changed(self, base: Instead, row: Change, part: Any, name: str = "") -> Instead:
        it, lead = base.words, base.lead
        if base.changes and not lead:  # a second change: one sentence would be too long for both
            it, lead = "that", f"Two things at once. Take {base.words}."
        words = row.sees.format(it=name or it)
        if name:
            words = f"{it}, but for {name}: there it is {words}"
        asks = f"{base.asks} {row.asks.format(it='your answer')}".strip()
        return Instead(words, asks, partial(_after, base, row, part), base.changes + 1, lead, reads=base.reads)

    def times(self, base: Instead, answer: Array) -> Iterator[Instead]:
        """The answer of a guess multiplied with something that has a name, or with it added."""
        yours = self.first.yours
        if yours is None or answer.shape != yours.shape or not answer.any():
            return
        first = np.flatnonzero(answer)[0]
        one, other = float(yours.flat[first]), float(answer.flat[first])
        ratio, step = one / other, one - other
        for words, of, wanted in (
            ("{it} times {q}", np.multiply, ratio),
            ("{it} divided by {q}", np.divide, 1 / ratio if ratio else np.nan),
            ("{it} with {q} added", np.add, step),
            ("{it} with {q} taken off", np.subtract, -step),
        ):
            for name, value in self._quantities.items():
                if value not in (0, 1) and abs(value - wanted) <= 1e-3 * abs(wanted):
                    row = Change(words.replace("{q}", name), SCALE, lambda y: y)
                    of_it = partial(self._scaled, base, of, name)
                    yield replace(self._changed(base, row, ...), of=of_it, kind=words)

    @cached_property
    def _quantities(self) -> dict[str, float]:
        return quantities(self.given(self.first.case), self.first.right)

    def _scaled(self, base: Instead, of: Callable[..., Any], name: str, question: Question) -> Array | None:
        answer = base.of(question)
        value = quantities(self.given(question.case), question.right).get(name)
        return None if answer is None or value is None else np.asarray(of(answer, value))

    # --- the inputs ---------------------------------------------------------------------------------------------------

    def given(self, case: Case) -> dict[str, Any]:
        """All inputs of a case, which are asked for again and again."""
        if case not in self._given:
            self._given[case] = given_to(self.seen.exercise, case)
        return self._given[case]

    def others(self) -> Iterator[Other]:
        """All that could go in instead."""
        given = self.given(self.first.case)
        for name, value in given.items():
            if name in self.defaults:
                words = f"{name} at its default, as if it were never given"
                yield Other(words, USED.format(it=name), partial(_put, name, self.defaults[name]), frozenset((name,)))
            for row in (*_rows_for(value), *(reordered(value.ndim) if isinstance(value, np.ndarray) else ())):
                sees, asks = row.sees.format(it=name), row.asks.format(it=name)
                yield Other(sees, asks, partial(_change, name, row), frozenset((name,)))
        for one, other in itertools.combinations(given, 2):
            if _are_alike(given[one], given[other]):
                for words, source in (
                    (f"{one} and {other} exchanged", {one: other, other: one}),
                    (f"{other} in place of {one}, too", {one: other}),
                    (f"{one} in place of {other}, too", {other: one}),
                ):
                    yield Other(words, WHICH, partial(_move, source), frozenset((one, other)))

    def asked(self, f: Callable[..., Any], *others: Other, lead: str = "") -> Instead:
        """What comes out of the reference, or of a known mistake, with other inputs."""
        words = "what comes out with " + " and ".join(other.words for other in others)
        asks = " ".join(dict.fromkeys(other.asks for other in others))
        of, reads = partial(self._answer, f, others), partial(self._read, others)
        return Instead(words, asks, of, len(others) + bool(lead), lead, reads=reads)

    def _read(self, others: tuple[Other, ...], case: Case) -> dict[str, Any]:
        """The inputs that are other than those of the case."""
        given = self.given(case)
        changed = _all_changed(given, others)
        return {name: value for name, value in changed.items() if value is not given[name]}

    def _answer(self, f: Callable[..., Any], others: tuple[Other, ...], question: Question) -> Array | None:
        key = (question, f, *others)
        if key not in self._known:
            self.left -= (CALL if question.case.probe is None else NETWORK) + question.right.size // NUMBERS * CALL
            self._known[key] = self._computed(f, others, question.case)
        return self._known[key]

    def _computed(self, f: Callable[..., Any], others: tuple[Other, ...], case: Case) -> Array | None:
        """What the reference or a mistake gives. They leave their inputs as they are, so nothing is copied."""
        try:
            if others:
                given = _all_changed(self.given(case), others)
                case = replace(case, args=tuple(given[name] for name in self.signature.parameters), kwargs={})
            return _plain_array(case.call(f))
        except Exception:  # noqa: BLE001 - whatever it is: this cannot be computed here
            return None


def _wrong_numbers(question: Question) -> int:
    """How many numbers of an answer are wrong; of one that has another shape, all of them."""
    yours = question.yours
    if yours is None:
        return 0
    return int(different(yours, question.right).sum()) if question.has_right_shape else yours.size + 1


def _all_changed(given: dict[str, Any], others: Sequence[Other]) -> dict[str, Any]:
    for other in others:
        given = other.of(given)
    return given


def _put(name: str, value: Any, given: dict[str, Any]) -> dict[str, Any]:
    return {**given, name: value}


def _change(name: str, row: Change, given: dict[str, Any]) -> dict[str, Any]:
    """One input changed; what the row is not made for (a pair, where another case has one number) stays."""
    value = given[name]
    if not isinstance(value, np.ndarray) and row not in _rows_for(value):
        return given
    changed = _kept(row, value)
    if isinstance(value, int) and abs(changed) > 4 * abs(value) + 16:
        raise ValueError("an array of such a size could take more time and memory than there is")
    return {**given, name: changed}


def _move(source: dict[str, str], given: dict[str, Any]) -> dict[str, Any]:
    return {name: given[source.get(name, name)] for name in given}


def _after(base: Instead, row: Change, part: Any, question: Question) -> Array | None:
    """What comes after the answer of `base`, if a change is made to it, too."""
    answer = base.of(question)
    return None if answer is None else _with_part_changed(answer, row, part)


def _with_part_changed(answer: Array, row: Change, part: Any) -> Array | None:
    """An answer of which one part is changed, or with `...` the whole."""
    try:
        if part is ...:
            return np.asarray(_kept(row, answer))
        changed = answer.astype(float)
        changed[part] = _kept(row, answer[part])
        return changed
    except Exception:  # noqa: BLE001 - whatever it is: this change cannot be made here
        return None


def _kept(row: Change, value: Any) -> Any:
    """The value changed; as it was, where it has no such axis."""
    try:
        return row.of(value)
    except NoSuchAxisError:
        return value


def _rows_for(value: Any) -> Sequence[Change]:
    """What can be done to an input."""
    return OF_INPUTS.get(kind_of(value), ())


def _are_alike(one: Any, other: Any) -> bool:
    """Whether one may be taken for the other."""
    if isinstance(one, np.ndarray):
        return isinstance(other, np.ndarray)
    return type(one) is type(other) and isinstance(one, int | float | tuple)
