"""Stands in for `unet_edu.checks.progress` where a notebook is graded. The marks come from elsewhere."""

from __future__ import annotations

from typing import Any

__all__ = ["progress"]


def progress(lesson: str, points: Any = None) -> None:
    """Say one calm line."""
    print("How far it is: the grader says so at the end.")
