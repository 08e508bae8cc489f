"""Every known mistake of all nine assignments earns what the rule gives it, and has its own hint.

Notebook k of an assignment makes the k-th mistake of each of its exercises at once. What runs in the sandbox runs here
in this process, so that PyTorch is loaded once and not two hundred times; `test_assignments_in_sandbox.py` has one such
notebook of each assignment in the sandbox.
"""

from __future__ import annotations

import html
import importlib
import itertools
import pickle
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from types import ModuleType, SimpleNamespace
from typing import Any, Self

import pytest

from tests.grading.submissions import small
from unet_edu.checks import judge
from unet_edu.checks.exercise import Exercise, Mistake
from unet_edu.checks.verdict import alike
from unet_edu.grading import session
from unet_edu.grading.assignment import ASSIGNMENTS, Assignment
from unet_edu.grading.engine import grade
from unet_edu.grading.judge import fresh_cases, remembered
from unet_edu.grading.marks.feedback import feedback
from unet_edu.grading.marks.report import Row
from unet_edu.grading.result import Outcome, Result
from unet_edu.grading.sandbox.view import INSIDE
from unet_edu.lessons import EXERCISES

SEED = 2015
Mistakes = list[tuple[Exercise, Mistake]]


@pytest.fixture(scope="module")
def runner() -> Iterator[ModuleType]:
    """The program that calls functions in the sandbox."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(INSIDE), *sys.path])
        for name in ("runner", "shell", "watch"):
            patch.delitem(sys.modules, name, raising=False)
        yield importlib.import_module("runner")
        for name in ("runner", "shell", "watch"):
            del sys.modules[name]


class Here:
    """In place of a sandbox: cells do nothing, and functions are called here."""

    def __init__(self, runner: ModuleType, functions: dict[str, Any]) -> None:
        self.runner, self.shell = runner, SimpleNamespace(user_ns=functions)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def ask(self, request: bytes, seconds: float) -> bytes:
        kind, *rest = pickle.loads(request)
        return self.runner.call(self.shell, *rest) if kind == "call" else b'{"ok": true, "error": ""}\n'


def rounds(assignment: Assignment) -> list[Mistakes]:
    """The mistakes of each notebook."""
    exercises = assignment.exercises()
    most = max(len(exercise.mistakes) for exercise in exercises)
    return [[(each, each.mistakes[n]) for each in exercises if n < len(each.mistakes)] for n in range(most)]


def forbid_nothing(assignment: Assignment, patch: pytest.MonkeyPatch) -> None:
    """A mistake is made of the library's functions, which a student must not use."""
    for exercise in assignment.exercises():
        patch.setitem(EXERCISES, exercise.name, replace(exercise, forbidden=()))


@pytest.mark.parametrize("topic", ASSIGNMENTS)
def test_every_mistake_earns_what_the_rule_gives_it(
    topic: str, runner: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    assignment, examined = ASSIGNMENTS[topic], 0
    forbid_nothing(assignment, monkeypatch)
    for mistakes in rounds(assignment):
        functions = {exercise.name: mistake.wrong for exercise, mistake in mistakes}
        monkeypatch.setattr(session, "Sandbox", lambda *_, functions=functions, **__: Here(runner, functions))
        examine(assignment, mistakes, grade(small("x = 1"), assignment, SEED))
        examined += len(mistakes)
    assert examined == sum(len(exercise.mistakes) for exercise in assignment.exercises()) > 0


def examine(assignment: Assignment, mistakes: Mistakes, result: Result) -> None:
    """Each exercise of a notebook has the points of its mistake, and its hint, also on the page for the student."""
    page = words(feedback(Row(assignment, "a student", result)))
    outcomes = {outcome.exercise: outcome for outcome in result.outcomes}
    for exercise, mistake in mistakes:
        outcome: Outcome = outcomes[exercise.name]
        what = f"{assignment.name}, {exercise.name}: {mistake.name}\n{outcome}\n{result.reason}\n{result.notes}"
        earned = outcome.would_earn if outcome.verdict == "needs review" else outcome.earned
        assert earned == rule(exercise, mistake, dict(assignment.points)[exercise.name]), what
        assert (outcome.misconception, outcome.hint) == (mistake.name, mistake.hint), what
        assert words(html.escape(mistake.hint)) in page, what


def rule(exercise: Exercise, mistake: Mistake, points: float) -> float:
    """All cases right: all points. Those of the notebook and at least half of the fresh ones: half of them, but for two
    exercises. Else none. Fresh cases with like answers count as one."""
    cases = fresh_cases(exercise, SEED)
    verdict = judge(replace(exercise, mistakes=()), cases, [remembered(mistake.wrong, case) for case in cases])
    right: dict[str, list[bool]] = {"visible": [], "extra": []}
    for case, good in zip(cases, verdict.right, strict=True):
        right[case.group].append(good)
    assert right["visible"] and right["extra"]
    if all(right["visible"]) and all(right["extra"]):
        pytest.fail(f"{exercise.name}: {mistake.name} is right in all cases of the seed {SEED}")
    if exercise.name in ("bilinear_kernel", "split_by_sequence"):
        return 0.0
    answers = [remembered(exercise.reference, case).value for case in cases if case.group == "extra"]
    like = [[alike(answer, other) for other in answers] for answer in answers]
    groups = {tuple(row): all(itertools.compress(right["extra"], row)) for row in like}
    if all(right["visible"]) and 2 * sum(groups.values()) >= len(groups):
        return points / 2
    return 0.0


def words(page: str) -> str:
    """What a reader reads of a page, with single spaces."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())
