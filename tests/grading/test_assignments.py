"""All assignments: solutions earn everything, what nobody wrote earns nothing, and every known mistake what the rule gives it.

Notebook k of an assignment makes the k-th mistake of each of its exercises at once. The mistakes are functions of our own, which come into the notebook
as bytes of cloudpickle. What a mistake must earn is worked out here, case by case.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import cloudpickle
import numpy as np
import pytest

from tests.grading.submissions import filled, packed, small
from unet_edu import lessons
from unet_edu.checks import attempt, judge
from unet_edu.checks.exercise import Exercise, Mistake
from unet_edu.grading.assignment import ASSIGNMENTS, Assignment
from unet_edu.grading.engine import grade
from unet_edu.grading.marks.feedback import feedback
from unet_edu.grading.marks.report import Row
from unet_edu.grading.result import Outcome, Result
from unet_edu.lessons import EXERCISES, LESSONS

pytestmark = pytest.mark.needs("bubblewrap")

SEED = 2015
WORKERS = 2  # the notebooks run in processes of their own; here threads only wait for them
each_assignment = pytest.mark.parametrize("topic", ASSIGNMENTS)


@pytest.fixture(scope="module")
def by_value() -> Iterator[None]:
    """The sandbox does not have the modules in which the mistakes are."""
    cloudpickle.register_pickle_by_value(lessons)
    yield
    cloudpickle.unregister_pickle_by_value(lessons)


def test_all_exercises_are_in_an_assignment() -> None:
    assert [lesson.folder for lesson in LESSONS] == list(ASSIGNMENTS)
    names = [name for assignment in ASSIGNMENTS.values() for name, _ in assignment.points]
    assert sorted(names) == sorted(EXERCISES)


@each_assignment
def test_the_solutions_earn_all_points(topic: str) -> None:
    result = grade(packed(filled(topic=topic)), ASSIGNMENTS[topic], SEED)
    assert (result.status, result.reason) == ("graded", ""), result
    assert result.earned == result.points == sum(points for _, points in ASSIGNMENTS[topic].points)
    assert all(outcome.verdict == "right" for outcome in result.outcomes)


@each_assignment
def test_what_nobody_wrote_earns_nothing(topic: str) -> None:
    result = grade(packed(filled(topic=topic, written=False)), ASSIGNMENTS[topic], SEED)
    assert (result.status, result.earned) == ("graded", 0), result
    assert all(outcome.verdict == "not written" for outcome in result.outcomes)
    assert len(result.outcomes) == len(ASSIGNMENTS[topic].points)


@each_assignment
def test_every_mistake_earns_what_the_rule_gives_it(
    topic: str, by_value: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assignment = ASSIGNMENTS[topic]
    exercises = assignment.exercises()
    for exercise in exercises:  # a mistake is made of the library's functions, which a student must not use
        monkeypatch.setitem(EXERCISES, exercise.name, replace(exercise, forbidden=()))
    rounds = max(len(exercise.mistakes) for exercise in exercises)
    notebooks = [[(e, e.mistakes[n]) for e in exercises if n < len(e.mistakes)] for n in range(rounds)]
    with ThreadPoolExecutor(WORKERS) as pool:
        results = list(pool.map(lambda mistakes: grade(with_mistakes(mistakes), assignment, SEED), notebooks))

    examined = 0
    for mistakes, result in zip(notebooks, results, strict=True):
        page = words(feedback(Row(assignment, "a student", result)))
        outcomes = {outcome.exercise: outcome for outcome in result.outcomes}
        for exercise, mistake in mistakes:
            examine(assignment, exercise, mistake, result, outcomes[exercise.name], page)
            examined += 1
    assert examined == sum(len(exercise.mistakes) for exercise in exercises) > 0


def with_mistakes(mistakes: list[tuple[Exercise, Mistake]]) -> bytes:
    cells = ["import base64, pickle"]
    for exercise, mistake in mistakes:
        data = base64.b64encode(cloudpickle.dumps(mistake.wrong))
        cells.append(f"{exercise.name} = pickle.loads(base64.b64decode({data!r}))")
    return small(*cells)


def examine(
    assignment: Assignment, exercise: Exercise, mistake: Mistake, result: Result, outcome: Outcome, page: str
) -> None:
    what = f"{assignment.name}, {exercise.name}: {mistake.name}\n{outcome}\n{result.reason}\n{result.notes}"
    earned = outcome.would_earn if outcome.verdict == "needs review" else outcome.earned
    assert earned == rule(exercise, mistake, dict(assignment.points)[exercise.name]), what
    assert outcome.misconception == mistake.name, what
    assert outcome.hint == mistake.hint, what
    assert words(html.escape(mistake.hint)) in page, what


def rule(exercise: Exercise, mistake: Mistake, points: float) -> float:
    """All cases right: all points. Those of the notebook and at least half of the fresh ones: half of the points, but for two exercises. Otherwise none."""
    cases = exercise.cases(np.random.default_rng((SEED, *exercise.name.encode())))
    verdict = judge(replace(exercise, mistakes=()), cases, [attempt(mistake.wrong, case) for case in cases])
    right: dict[str, list[bool]] = {"visible": [], "extra": []}
    for case, good in zip(cases, verdict.right, strict=True):
        right[case.group].append(good)
    assert right["visible"] and right["extra"]
    if all(right["visible"]) and all(right["extra"]):
        pytest.fail(f"{exercise.name}: {mistake.name} is right in all cases of the seed {SEED}")
    if exercise.name in ("bilinear_kernel", "split_by_sequence"):
        return 0.0
    if all(right["visible"]) and 2 * sum(right["extra"]) >= len(right["extra"]):
        return points / 2
    return 0.0


def words(page: str) -> str:
    """What a reader reads of a page, with single spaces."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())
