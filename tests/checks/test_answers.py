"""Right answers pass, however they are written, and what students really write gets the hint that it deserves: those of
`answers`, a module a lesson."""

from importlib import import_module
from pathlib import Path

import pytest
import torch

from tests.checks.judging import TOLD, WRITTEN, judged, seeds
from unet_edu import check
from unet_edu.lessons import EXERCISES, LESSONS

torch.set_num_threads(1)
MODULES = [
    import_module(f"tests.checks.answers.{path.stem}") for path in sorted(Path(__file__).parent.glob("answers/s*.py"))
]
RIGHT = {name: answers for module in MODULES for name, answers in module.RIGHT.items()}


def test_each_lesson_has_its_answers():
    assert [module.__name__.split(".")[-1][1:] for module in MODULES] == [lesson.folder for lesson in LESSONS]
    assert list(RIGHT) == list(EXERCISES)
    assert all(len(answers) >= 3 for answers in RIGHT.values())


@pytest.mark.parametrize("name", RIGHT)
def test_right_answers_pass_however_they_are_written(name):
    for f in [EXERCISES[name].reference, *RIGHT[name]]:
        for seed in seeds(name):
            result = judged(EXERCISES[name], f, seed)
            assert result.passed and "changes its input" not in result.message, (f, result)
    assert check(RIGHT[name][0], exercise=name).passed


@pytest.mark.parametrize(("name", "mistake", "f"), WRITTEN, ids=[f"{name}-{mistake}" for name, mistake, _ in WRITTEN])
def test_a_mistake_as_students_write_it_is_recognised(name, mistake, f):
    assert check(f, name).misconception == mistake


@pytest.mark.parametrize(("name", "words", "f"), TOLD, ids=[f"{name}-{words[0]}" for name, words, _ in TOLD])
def test_what_is_wrong_is_told_in_words(name, words, f):
    result = check(f, name)
    assert result.status == "failed" and all(each in result.message for each in words)
