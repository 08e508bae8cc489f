"""Marks for answers: plain arrays from a notebook are compared with the reference's, outside of the sandbox.

What a student reads names the case and what kind of thing is wrong with the answer. The numbers of the fresh cases stay
here: whoever hands in again meets the same ones. A function has seen their inputs, and may want to tell them; so what
is said of its answers to them are our own words out of a few, with no number that it could choose.
"""

from __future__ import annotations

import functools
import re
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from unet_edu.checks import Case, CheckResult, Exercise, attempt, judge
from unet_edu.checks.answer import ADVICE, ADVICE_ON_USE, Answer
from unet_edu.checks.diagnosis import explained, more_cases
from unet_edu.checks.fault import AT_THE_STUB, NOTHING_HERE, different
from unet_edu.grading.result import Outcome, Stop, Verdict

__all__ = ["RAISED", "compared", "diagnosed", "fresh_cases", "more_asked", "outcome", "stopped"]

NOT_WRITTEN = "The function is not written yet."
HALF = "Right in all cases of the notebook, and in at least half of the fresh ones: that is half of the points. "

MOST_AXES = 4  # of a right answer; how many more there are, the function chose

# What `attempt` writes of an exception: its type.
RAISED = re.compile(r"Your (?:function|network) (?:stopped with|could not be called\.) (?:\w+\.){0,5}(\w{1,60})")

# The exceptions that are named in a fresh case: who could choose among all of Python's would tell more.
USUAL = (
    *("AssertionError", "AttributeError", "IndexError", "KeyError", "MemoryError", "NameError", "RecursionError"),
    *("RuntimeError", "TypeError", "ValueError", "ZeroDivisionError"),
)

# A network's probe seeds PyTorch's random numbers, of which a process has one stream for all threads.
_alone = threading.RLock()


# One assignment has about five exercises with ten cases and twenty misconceptions each; the largest answers have 5 MB,
# those of most exercises a few kB.
@functools.lru_cache(maxsize=4096)
def remembered(f: Callable[..., Any], case: Case) -> Answer:
    """What the reference or a misconception answers in a case. A class has the same cases, so it is computed once."""
    with _alone:
        return attempt(f, case)


@functools.lru_cache(maxsize=64)
def fresh_cases(exercise: Exercise, seed: int) -> tuple[Case, ...]:
    """The visible cases of an exercise and fresh ones: the same for all students, and the same for the same seed."""
    return tuple(exercise.cases(_drawn(exercise, seed)))


@functools.lru_cache(maxsize=64)
def more_asked(exercise: Exercise, seed: int) -> tuple[Case, ...]:
    """What else a function that is wrong is asked, of which no mark depends: the same for all students, too."""
    return tuple(more_cases(exercise, fresh_cases(exercise, seed), _drawn(exercise, seed + 1)))


def _drawn(exercise: Exercise, seed: int) -> np.random.Generator:
    return np.random.default_rng((seed, *exercise.name.encode()))


def compared(exercise: Exercise, cases: Sequence[Case], answers: Sequence[Answer]) -> CheckResult:
    """What is right and wrong in the answers to `cases`, one for each, in their order."""
    return judge(exercise, cases, answers, remembered)


def outcome(result: CheckResult, points: float, code: str = "") -> Outcome:
    """What becomes of an exercise.

    Parameters
    ----------
    result : CheckResult
        Of `compared`, for the answers to `fresh_cases`.
    points : float
        What the exercise is worth.
    code : str
        The function as the student wrote it.
    """
    exercise, cases = result.exercise, result.cases
    earned = result.earned(points)
    verdict: Verdict = "right" if result.passed else "half" if earned else "wrong"
    message = (HALF if verdict == "half" else "") + _discreet(result)
    if result.status == "not yet":
        verdict, message = "not written", NOT_WRITTEN
    return Outcome(
        exercise=exercise.name,
        points=points,
        earned=earned,
        verdict=verdict,
        message=message,
        hint=result.hint,
        misconception=result.misconception,
        visible=_count(cases, result.right, "visible"),
        fresh=_count(cases, result.right, "extra"),
        code=code,
    )


def diagnosed(
    found: Outcome, result: CheckResult, answers: Sequence[Answer], more: Sequence[Case], replies: Sequence[Answer]
) -> Outcome:
    """The outcome with a diagnosis, where the answers have one. Nothing else of it changes.

    Parameters
    ----------
    found : Outcome
    result : CheckResult
        On which it stands.
    answers : sequence of Answer
        One for each of the result's cases.
    more, replies : sequence
        Of `more_asked`, and what the function answered to the first of them.
    """
    try:
        with _alone:  # among what is tried may be a network
            seen = explained(result, answers, more, replies, remembered)
    except Exception:  # noqa: BLE001 - a stranger's numbers may be any; and the mark is there already
        return found
    return replace(found, diagnosis=seen.diagnosis, layer=seen.layer)


def stopped(
    exercise: Exercise,
    points: float,
    cases: Sequence[Case],
    answers: Sequence[Answer],
    why: Stop,
    detail: str,
    code: str = "",
) -> Outcome:
    """What is known of a function that was stopped, in the case behind the last answer.

    Parameters
    ----------
    exercise, points, cases, code
        As for `outcome`.
    answers : sequence of Answer
        Fewer than cases.
    why : Stop
    detail : str
        What it did, as the rest of a sentence that starts with "it".
    """
    done = len(answers)
    known = judge(exercise, cases[:done], answers, remembered).right if done else ()
    right = [*known, *(False for _ in cases[done:])]
    return Outcome(
        exercise=exercise.name,
        points=points,
        earned=None,
        verdict=why,
        message=f"Your function was stopped in the case “{cases[done].name}”: it {detail}.",
        visible=_count(cases, right, "visible"),
        fresh=_count(cases, right, "extra"),
        code=code,
    )


def _count(cases: Sequence[Case], right: Sequence[bool], group: str) -> tuple[int, int]:
    """How many cases of a group are right, and how many there are."""
    verdicts = [good for case, good in zip(cases, right, strict=True) if case.group == group]
    return sum(verdicts), len(verdicts)


def _discreet(result: CheckResult) -> str:
    """The verdict in words, without the numbers of a fresh case. Those of the other cases stand in the notebook."""
    if result.case is None:
        return result.message
    if result.case.group == "visible":
        return f"In the case “{result.case.name}” of the notebook: {result.message}"
    return f"In the fresh case “{result.case.name}”: {_what_is_wrong(result)}"


def _what_is_wrong(result: CheckResult) -> str:
    yours, expected = result.yours, result.expected
    if yours is None or expected is None:
        return _in_our_words(result.message)
    if result.fault in ("type", "input"):
        return result.message  # it speaks of the student's function alone
    if result.fault == "shape":
        count = yours.ndim if yours.ndim <= MOST_AXES else "many"
        axes = f"an array of {count} {'axis' if yours.ndim == 1 else 'axes'}" if yours.ndim else "a single number"
        return f"Your answer is {axes}, and that is not the right shape."
    if not expected.ndim:
        return "Your number is not right."
    part = different(yours, expected).mean()
    return f"{'None' if part == 1 else 'Few' if part > 0.5 else 'Not all'} of your numbers are right."


def _in_our_words(message: str) -> str:
    """What happened in a fresh case, without any text of the function: an exception may hold the case's inputs, also in
    its name and its line."""
    said = [words for text, words in ADVICE.items() if text in message]
    said = (said or [words for words in ADVICE_ON_USE.values() if words in message])[:1]
    for ours in (NOTHING_HERE, AT_THE_STUB, *_sayings()):
        if message.startswith(ours):
            return ours
    raised = RAISED.match(message)
    if raised is None:
        return "Your function gave something that is no array of real numbers."
    what = f"Your function stopped with {raised[1] if raised[1] in USUAL else 'an error'}."
    return "\n".join([what, *said])


def _sayings() -> tuple[str, ...]:
    """What a network's probe says of a network. The module that has them imports PyTorch; who was probed has it."""
    network = sys.modules.get("unet_edu.checks.network")
    return () if network is None else network.SAYINGS
