"""What the tests of the exercises share."""

from __future__ import annotations

import functools

import numpy as np

from unet_edu import quiz
from unet_edu.checks import SEED, CheckResult, Exercise, attempt, judge
from unet_edu.lessons import EXERCISES

# The reference and the mistakes meet the same cases in many tests, and answer each of them once.
remembered = functools.cache(attempt)

# What students wrote: (the exercise's name, the mistake's name, the function).
WRITTEN: list[tuple] = []


def written(exercise: str, mistake: str):
    """Above a wrong answer, as a student wrote it: the mistake that its check should name."""
    return lambda f: WRITTEN.append((exercise, mistake, f)) or f


# The same of mistakes that have no name: (the exercise's name, what its check says among other things, the function).
TOLD: list[tuple] = []


def told(exercise: str, *words: str):
    """Above a wrong answer that is no known mistake: what its check says of it."""
    return lambda f: TOLD.append((exercise, words, f)) or f


@functools.cache
def cases_of(name: str, seed: int) -> tuple:
    return tuple(EXERCISES[name].cases(np.random.default_rng(seed)))


def seeds(name: str, most: int = 5) -> range:
    """How many draws of an exercise's cases a claim about all of them is tried with.

    A network's answer is thousands of numbers, which hang on all of its weights, and a large kernel's hang on its size
    alone: there two draws say as much as many.
    """
    cases = cases_of(name, 0)
    is_network = any(type(case.probe).__name__ in ("Answers", "OnNetwork") for case in cases)
    is_large = any(remembered(EXERCISES[name].reference, case).value.size > 10**5 for case in cases)
    return range(2 if is_network or is_large else most)


def checked(f, name: str = "") -> CheckResult:
    """What `check` says. The mistakes' answers are remembered, so that no network is built anew for each answer."""
    return judged(EXERCISES[name or f.__name__], f, SEED)


def judged(exercise: Exercise, f, seed: int) -> CheckResult:
    """The verdict on `f` with the cases of a seed."""
    cases = cases_of(exercise.name, seed)
    return judge(exercise, cases, [attempt(f, case) for case in cases], remembered)


def worked(name: str, number: int = 0):
    """A case of the notebook, the right answer, and what the mistakes make of it."""
    exercise, case = EXERCISES[name], cases_of(name, 0)[number]
    assert case.group == "visible"
    wrong = {mistake.name: remembered(mistake.wrong, case).value for mistake in exercise.mistakes}
    return case, case.call(exercise.reference), wrong


def right_option(lesson: str, number: int) -> str:
    """The right answer to a quick question."""
    return next(option.text for option in quiz(lesson).questions[number - 1].options if option.is_right)
