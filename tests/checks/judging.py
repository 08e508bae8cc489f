"""What the tests of each lesson's exercises share."""

from __future__ import annotations

import numpy as np

from unet_edu.checks import CheckResult, Exercise, attempt, check, judge


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
