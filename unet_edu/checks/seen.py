"""What is known of a wrong function, and what may be said of it: `Seen` and `Diagnosis`.

A diagnosis is a description of *how* the answers differ from the right ones. It is made by the layers that
`diagnosis` names, and is said only if it holds in every case that can tell.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from numbers import Real
from typing import Any, Literal

import numpy as np

from unet_edu.checks.answer import Answer
from unet_edu.checks.arrays import Array
from unet_edu.checks.exercise import Case, Exercise
from unet_edu.checks.fault import same

__all__ = ["Ask", "Diagnosis", "Layer", "Question", "Seen", "called", "defaults_of", "given_to", "inputs_of", "kind_of"]

Ask = Callable[[Callable[..., Any], Case], Answer]  # how the reference and the mistakes are called
Kind = Literal["nothing", "text", "number", "pair", "list", "array"]
Layer = Literal["computed", "reach", "cases", "place", "calls"]


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """How a function's answers differ from the right ones, in words for the student.

    Attributes
    ----------
    layer : str
        What found it: "computed" instead, what does not "reach" what, in which "cases", at which "place", from one of
        the "calls" to the next.
    sees : str
        What we see: one sentence, or two. It never says what the right answer is.
    asks : str
        What to think about: a question.
    holds : callable
        `holds(question)` says whether it is true in one more case; None where that case cannot tell.
    is_general : bool
        Whether it is said of all inputs, or of our cases alone.
    reads : callable, optional
        `reads(case)` gives the inputs that the function seems to have read otherwise, by their names.
    """

    layer: Layer
    sees: str
    asks: str
    holds: Callable[[Question], bool | None]
    is_general: bool = True
    reads: Callable[[Case], dict[str, Any]] | None = None


@dataclass(frozen=True, eq=False)
class Question:
    """A case, what the function answered to it, and what is right."""

    case: Case
    answer: Answer
    right: Array

    @cached_property
    def yours(self) -> Array | None:
        """The answer, where it can tell something: an exception tells nothing, nor does NaN."""
        value = self.answer.value
        return None if value is None or np.isnan(value).any() else value

    @property
    def is_own(self) -> bool:
        """Whether the answer is what the function returned, and not numbers by which a probe describes a network."""
        return self.case.probe is None or getattr(self.case.probe, "gives_own_answer", False)

    @property
    def has_right_shape(self) -> bool:
        return self.yours is not None and self.yours.shape == self.right.shape

    @cached_property
    def is_right(self) -> bool:
        """Whether shape and values are right. A wrong type alone has words of its own."""
        return self.answer.value is not None and same(self.answer.value, self.right)


@dataclass(frozen=True, eq=False)
class Seen:
    """What a function answered, beside what is right."""

    exercise: Exercise
    cases: tuple[Question, ...]  # the cases of the exercise, and more of their kind
    probed: tuple[Question, ...] = ()  # what probes told: single 1s of what is linear, the inside of a network
    again: tuple[Answer, ...] = ()  # what it answered when the first cases were asked once more

    @cached_property
    def telling(self) -> Sequence[Question]:
        """The cases that can tell something."""
        return [question for question in self.cases if question.yours is not None]

    @cached_property
    def wrong(self) -> Sequence[Question]:
        """Those of them that are wrong, small ones first: they are tried first, and cost least."""
        return sorted((q for q in self.telling if not q.is_right), key=lambda q: _size(q.case))


def kind_of(value: Any) -> Kind:
    """What kind of value an argument is: True and False are words, as None is nothing."""
    if isinstance(value, bool | str):
        return "text"
    if isinstance(value, Real):
        return "number"
    if isinstance(value, np.ndarray):
        return "array"
    if isinstance(value, Sequence):
        is_pair = isinstance(value, tuple) and len(value) == 2 and all(isinstance(n, Real) for n in value)
        return "pair" if is_pair else "list"
    return "nothing"


def inputs_of(exercise: Exercise, case: Case) -> dict[str, Any]:
    """The case's inputs, under the names that the exercise's function has for them; what was not given is not there."""
    return dict(inspect.signature(exercise.reference).bind(*case.args, **case.kwargs).arguments)


def defaults_of(exercise: Exercise) -> dict[str, Any]:
    """What stands for an argument that is not given."""
    parameters = inspect.signature(exercise.reference).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not p.empty}


def given_to(exercise: Exercise, case: Case) -> dict[str, Any]:
    """All inputs of a case: what was not given has its default."""
    return {**defaults_of(exercise), **inputs_of(exercise, case)}


def called(name: str) -> str:
    """An argument, in a sentence: the word itself, or a letter in quotes."""
    return f"the {name}" if name.isalpha() and len(name) > 3 and not name.endswith("s") else f"“{name}”"


def _size(case: Case) -> int:
    return sum(value.size for value in (*case.args, *case.kwargs.values()) if isinstance(value, np.ndarray))
