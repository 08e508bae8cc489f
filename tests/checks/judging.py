"""What the tests of each lesson's exercises share."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import numpy as np

from unet_edu.checks import attempt, check, judge
from unet_edu.checks.exercise import CheckResult, Exercise


def judged(exercise: Exercise, f, seed: int) -> CheckResult:
    """The verdict on `f` with the cases of a seed."""
    cases = exercise.cases(np.random.default_rng(seed))
    return judge(exercise, cases, [attempt(f, case) for case in cases])


def assert_right(exercise: Exercise, answers: list) -> None:
    """Right answers, written in several ways, pass with any cases."""
    assert len(answers) >= 3
    for f in [exercise.reference, *answers]:
        for seed in range(5):
            result = judged(exercise, f, seed)
            assert result.passed and "changes its input" not in result.message, result
    assert check(answers[0], exercise=exercise.name).passed


def rows_shown(topic: str) -> set[tuple[float, ...]]:
    """All rows of numbers, as in [1, 2.5], that an exercise notebook shows outside of the student's cells."""
    path = Path(__file__).parents[2] / "exercises" / topic / f"{topic}.ipynb"
    text = "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells)
    return {tuple(map(float, row.split(","))) for row in re.findall(r"\[ *(-?[\d.]+(?:, *-?[\d.]+)*)\]", text)}


def rows_of(array) -> set[tuple[float, ...]]:
    array = np.asarray(array, dtype=float)
    return set(map(tuple, array.reshape(-1, array.shape[-1]).tolist()))


def assert_shown(topic: str, exercise: Exercise, arguments: bool = True) -> None:
    """The notebook shows the visible cases: what goes in, and what should come out."""
    shown = rows_shown(topic)
    cases = [case for case in exercise.cases(np.random.default_rng(0)) if case.group == "visible"]
    assert cases
    for case in cases:
        assert rows_of(exercise.reference(*case.args)) <= shown, case.name
        for value in case.args if arguments else ():
            if isinstance(value, np.ndarray):
                assert rows_of(value) <= shown, case.name
