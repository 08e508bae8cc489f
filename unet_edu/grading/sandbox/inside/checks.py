"""Stands in for `unet_edu.checks` where a notebook is graded: `check` and `compare` say one calm line. The answers are
judged elsewhere."""

from __future__ import annotations

from typing import Any

from IPython import get_ipython

__all__ = ["check", "compare"]


def check(f: Any, exercise: str | None = None) -> None:
    """Say that the grader comes to this function later. It goes by the exercise's name, so the function gets that,
    unless another one has it."""
    name = exercise or getattr(f, "__name__", "this")
    if exercise:
        get_ipython().user_ns.setdefault(exercise, f)
    print(f"{name}: checked at the end, when the whole notebook has run.")


def compare(guess: Any, answer: Any) -> None:
    """Say nothing of the guess: it is not graded."""
    print("A guess is not graded.")
