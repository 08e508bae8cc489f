"""What the course asks: one `Lesson` a module, and the exercises of them all. `ours` shows how the library does it."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from unet_edu.lessons.lesson import Lesson
from unet_edu.lessons.ours import ours

__all__ = ["EXERCISES", "LESSONS", "Lesson", "ours"]

# Each module s01_…, s02_… of this folder has one, in this order: a new lesson is in no list.
LESSONS: tuple[Lesson, ...] = tuple(
    import_module(f"{__name__}.{module.name}").LESSON
    for module in sorted(iter_modules(__path__), key=lambda module: module.name)
    if module.name[1:3].isdigit()
)
EXERCISES = {exercise.name: exercise for lesson in LESSONS for exercise in lesson.exercises}
