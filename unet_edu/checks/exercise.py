"""What an exercise is: the cases on which a function is called, the right answers, and the mistakes that people make.

A case is a call, and knows no answer: a grader sends it into a sandbox, where this module is, and no exercise.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

__all__ = ["Case", "Exercise", "Mistake", "SingleOnes"]


@dataclass(frozen=True, eq=False)
class Case:
    """One call of the student's function. The notebook prints the visible cases; the extra ones are drawn at random.

    With a `probe` the function is called by it: `probe(f, *args, **kwargs)`, and what the probe returns is the answer.
    So a function that makes a network can be judged by numbers that its network gives.
    """

    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)
    # What is asked only to find out why a function is wrong is no part of a mark.
    group: Literal["visible", "extra", "asked"] = "extra"
    probe: Callable[..., Any] | None = None

    def call(self, f: Callable[..., Any]) -> Any:
        """What `f`, or the probe, returns for the case's own inputs."""
        return f(*self.args, **self.kwargs) if self.probe is None else self.probe(f, *self.args, **self.kwargs)


@dataclass(frozen=True)
class SingleOnes:
    """A probe: asks a function what it makes of zeros, and of a single 1 at each place in turn.

    If the function is linear in its argument number `place`, each of these answers is a column of its matrix.
    """

    place: int

    def __call__(self, f: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """The answers, one after the other; the first is that to zeros."""
        # Not at the top: that module imports this one.
        from unet_edu.checks.answer import MOST_NUMBERS, UnusableAnswerError, _plain_array

        answers: list[Any] = []
        for n in range(-1, args[self.place].size):
            mine, settings = list(copy.deepcopy(args)), copy.deepcopy(kwargs)
            mine[self.place] = np.zeros_like(args[self.place])
            if n >= 0:
                mine[self.place].flat[n] = 1
            value = f(*mine, **settings)
            answer = None if value is None else _plain_array(value)
            if answer is None:
                return value  # nothing, or no array of numbers: what that is, `attempt` says
            if answers and answer.shape != answers[0].shape:
                raise UnusableAnswerError(
                    "The shape of your answer depends on the numbers that your function is given, not only on their "
                    f"shape: it was {answers[0].shape}, then {answer.shape}."
                )
            answers.append(answer)
            if len(answers) * answer.size > MOST_NUMBERS:
                raise UnusableAnswerError("Your function returned far more numbers than were asked for.")
        return np.stack(answers)


@dataclass(frozen=True)
class Mistake:
    """A mistake that people make, as a wrong implementation, and the hint that it deserves.

    `wrong` may raise where the mistake has no definite answer (a transposed 2×3 kernel fits nowhere).
    """

    name: str
    hint: str
    wrong: Callable[..., Any]


@dataclass(frozen=True, eq=False)
class Exercise:
    """A function that the student writes, and all that is known about it."""

    name: str
    points: int
    reference: Callable[..., Any]
    cases: Callable[[np.random.Generator], list[Case]]
    # Whether the answer, or which of its parts, must be of an integer type, not only of integer value.
    whole: bool | tuple[str, ...] = False
    # The argument in which the function is linear: its answer to a sum of inputs is the sum of its answers.
    linear: str = ""
    # Whether the answer must be of True and False.
    mask: bool = False
    # Whether the inputs must stay as they are. Elsewhere who changes them is told, and loses nothing.
    keeps_inputs: bool = False
    # Names of several arrays of one shape that the function returns, stacked in the answer.
    parts: tuple[str, ...] = ()
    # Full names, with * for any rest, that would be the answer: not to be called.
    forbidden: tuple[str, ...] = ()
    # Whether half of the points can be earned: not where the inputs are so few that a table holds half of the fresh
    # ones.
    has_half: bool = True
    # The first that explains a student's answers gives its hint.
    mistakes: list[Mistake] = field(default_factory=list)

    def mistake(self, name: str, hint: str = "", wrong: Callable[..., Any] | None = None) -> Callable[..., Any]:
        """Add a known mistake. Above a function: the body is the wrong answer, and the docstring the hint.

        One of a family, which some other function makes, is added by a call with all three.
        """
        if wrong is None:
            return lambda f: self.mistake(name, " ".join((f.__doc__ or "").split()), f)
        self.mistakes.append(Mistake(name, hint, wrong))
        return wrong
