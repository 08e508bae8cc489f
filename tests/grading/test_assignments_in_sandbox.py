"""All nine assignments: solutions earn everything, what nobody wrote earns nothing, and mistakes what the rule gives
them.

The mistakes are functions of our own, which come into the notebook as bytes of cloudpickle. `test_mistakes.py` has them
all, without a sandbox.
"""

from __future__ import annotations

import base64
import contextlib
import sys
from collections.abc import Iterator

import cloudpickle
import pytest

from tests.grading.one_sandbox import OneSandbox
from tests.grading.submissions import filled, packed, small
from tests.grading.test_mistakes import SEED, Mistakes, examine, forbid_nothing, rounds
from unet_edu.grading import session
from unet_edu.grading.assignment import ASSIGNMENTS
from unet_edu.grading.engine import grade
from unet_edu.lessons import EXERCISES, LESSONS

pytestmark = pytest.mark.needs("bubblewrap")

each_assignment = pytest.mark.parametrize("topic", ASSIGNMENTS)


@pytest.fixture(scope="module")
def by_value() -> Iterator[None]:
    """The sandbox does not have the modules in which the mistakes are."""
    modules = [module for name, module in sys.modules.items() if name.startswith("unet_edu.lessons.")]
    for module in modules:
        cloudpickle.register_pickle_by_value(module)
    yield
    for module in modules:
        cloudpickle.unregister_pickle_by_value(module)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[OneSandbox]:
    """For all notebooks but the solutions: PyTorch is loaded in it once."""
    with contextlib.closing(OneSandbox("torch")) as one:
        yield one


@pytest.fixture
def together(sandbox: OneSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "Sandbox", sandbox)


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
@pytest.mark.usefixtures("together")
def test_what_nobody_wrote_earns_nothing(topic: str) -> None:
    result = grade(packed(filled(topic=topic, written=False)), ASSIGNMENTS[topic], SEED)
    assert (result.status, result.earned) == ("graded", 0), result
    assert all(outcome.verdict == "not written" for outcome in result.outcomes)
    assert len(result.outcomes) == len(ASSIGNMENTS[topic].points)


@each_assignment
@pytest.mark.usefixtures("together", "by_value")
def test_a_mistake_earns_what_the_rule_gives_it(topic: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assignment = ASSIGNMENTS[topic]
    forbid_nothing(assignment, monkeypatch)
    mistakes = rounds(assignment)[0]
    examine(assignment, mistakes, grade(with_mistakes(mistakes), assignment, SEED))


def with_mistakes(mistakes: Mistakes) -> bytes:
    cells = ["import base64, pickle"]
    for exercise, mistake in mistakes:
        data = base64.b64encode(cloudpickle.dumps(mistake.wrong))
        cells.append(f"{exercise.name} = pickle.loads(base64.b64decode({data!r}))")
    return small(*cells)
