"""What the course asks: one `Lesson` a module, and the exercises of them all."""

from __future__ import annotations

from unet_edu.lessons import (
    s01_segmentation,
    s02_convolution,
    s03_interpolation,
    s04_transposed_convolution,
    s05_pooling,
    s06_unet,
    s07_training,
    s08_tiles,
    s09_results,
)
from unet_edu.lessons.lesson import Lesson

__all__ = ["EXERCISES", "LESSONS", "Lesson"]

LESSONS = (
    s01_segmentation.LESSON,
    s02_convolution.LESSON,
    s03_interpolation.LESSON,
    s04_transposed_convolution.LESSON,
    s05_pooling.LESSON,
    s06_unet.LESSON,
    s07_training.LESSON,
    s08_tiles.LESSON,
    s09_results.LESSON,
)
EXERCISES = {exercise.name: exercise for lesson in LESSONS for exercise in lesson.exercises}
