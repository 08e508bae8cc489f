"""What a lesson is. All that needs to know it asks here: the checks, the grader, the book, the tests."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from unet_edu.checks.exercise import Exercise
from unet_edu.checks.quiz import Quiz, parse

__all__ = ["Lesson"]

QUIZZES = Path(__file__).parent / "quizzes"


@dataclass(frozen=True)
class Lesson:
    """A lesson that has exercises.

    Parameters
    ----------
    folder : str
        Of its notebooks in exercises/ and solutions/, as in "02_convolution"; the assignment has this name, too.
    set_up : str
        What stands in the first cell of its notebook of exercises, but for the lines that install the library. It runs
        before a student's own cells, so that nobody who lost the first cell loses the marks.
    exercises : tuple of Exercise
        In the notebook's order.
    """

    folder: str
    set_up: str
    exercises: tuple[Exercise, ...]

    @property
    def number(self) -> str:
        """As in "02"."""
        return self.folder[:2]

    @cached_property
    def quiz(self) -> Quiz:
        """The quick questions at its end. ValueError, with the line, when their file cannot be read."""
        path = QUIZZES / f"{self.number}.md"
        return parse(path.read_text(encoding="utf-8"), path.name)
