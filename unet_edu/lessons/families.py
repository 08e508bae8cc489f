"""Mistakes that people make in many exercises: a wrong answer is made of the right one."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

__all__ = ["ratio", "without"]

Function = Callable[..., Any]


def without(right: Function, *names: str) -> Function:
    """The right answer to a call without these arguments: they have no effect, or come next."""
    parameters = inspect.signature(right)

    def wrong(*args: Any, **kwargs: Any) -> Any:
        given = parameters.bind(*args, **kwargs).arguments
        return right(**{name: value for name, value in given.items() if name not in names})

    return wrong


def ratio(part: float, whole: float) -> float:
    """As Python divides, and NumPy does not: what has no answer raises."""
    if not whole:
        raise ZeroDivisionError
    return part / whole
