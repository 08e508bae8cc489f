"""The checks of the exercises: `check(f)` says whether a function is right, and if not, what went wrong.

In the lessons, `turn(yours, wanted)` says whether a few lines give what is wanted, and `compare` puts a guess beside
the answer.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from unet_edu.checks.answer import attempt
from unet_edu.checks.diagnosis import explained, is_to_explain, more_cases
from unet_edu.checks.exercise import Case, Exercise, Mistake
from unet_edu.checks.limits import Limits
from unet_edu.checks.turn import turn
from unet_edu.checks.verdict import CheckResult, judge

__all__ = ["Case", "CheckResult", "Exercise", "Mistake", "attempt", "check", "checked", "compare", "judge", "turn"]

SEED = 2015  # the extra cases of a notebook are the same on every run: a verdict changes only when the function does
SECONDS_TO_ASK = 3  # for what a function is asked beyond its cases: then what it has answered must do


def check(f: Callable[..., Any], exercise: str | None = None) -> CheckResult:
    """Check a function that solves an exercise. One that does not end is stopped: see `unet_edu.checks.limits`.

    Parameters
    ----------
    f : callable
    exercise : str, optional
        The exercise's name; needed only when the function has another one.

    Returns
    -------
    CheckResult
        As the last line of a notebook's cell it shows itself.

    Raises
    ------
    TypeError
        When `f` is not a function.
    ValueError
        When there is no exercise of that name.

    Examples
    --------
    >>> check(lambda i, k, s=1, p=0, d=1: (i + 2 * p - d * (k - 1) - 1) // s + 1, exercise="out_size").passed
    True
    """
    from unet_edu.lessons import EXERCISES  # what the course asks is made of the classes above

    if not callable(f):
        raise TypeError(f"f: expected a function, as in check(conv2d_naive), got {type(f).__name__}")
    name = exercise or getattr(f, "__name__", "")
    if name not in EXERCISES:
        raise ValueError(
            f"exercise: expected one of {', '.join(EXERCISES)}, got {name!r}; "
            'a function of another name is checked with check(f, exercise="…")'
        )
    return checked(f, EXERCISES[name])


def checked(
    f: Callable[..., Any], exercise: Exercise, watch: contextlib.AbstractContextManager[Any] | None = None
) -> CheckResult:
    """What `check` says of a function. Where it is wrong and no known mistake explains it, it is asked more.

    A `watch` sees the cases alone: nothing that is asked beyond them counts.
    """
    cases = exercise.cases(np.random.default_rng(SEED))
    with Limits() as limits:
        with watch or contextlib.nullcontext():
            answers = [limits.attempt(f, case) for case in cases]
        result = judge(exercise, cases, answers)
        if not is_to_explain(result):
            return result
        more = more_cases(exercise, cases, np.random.default_rng(SEED + 1))
        replies, end = [], time.monotonic() + SECONDS_TO_ASK
        for case in more:
            if (seconds := end - time.monotonic()) > 0:
                replies.append(limits.attempt(f, case, seconds))
    return explained(result, answers, more, replies)


def compare(guess: Any, answer: Any) -> None:
    """Put a reader's guess beside the answer, in a lesson. Nothing is graded.

    Parameters
    ----------
    guess : number, list, str or None
        None when the reader has not made one.
    answer : number, list or str
    """
    if guess is None:
        print("No guess yet. The answer:", answer)
    elif _agree(guess, answer):
        print(f"Your guess: {guess}. That is what comes out.")
    else:
        print(f"Your guess: {guess}. What comes out: {answer}. Where do they differ?")


def _agree(guess: Any, answer: Any) -> bool:
    """Whether a guess is the answer. Next to text, everything is text: "122" is 122, and " Up" is "up"."""
    if isinstance(guess, str) or isinstance(answer, str):
        return str(guess).strip().lower() == str(answer).strip().lower()
    return np.array_equal(guess, answer)
