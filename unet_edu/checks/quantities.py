"""Numbers that belong to a call and have a name: by one of them a student may have multiplied."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from unet_edu.checks.arrays import Array
from unet_edu.checks.seen import kind_of

__all__ = ["quantities"]

# Constants by which beginners multiply, or which they add. No other number is ever named: a function could have chosen
# it to tell something.
CONSTANTS = (2, 3, 4, 8, 9, 10, 16, 100, 255)


def quantities(given: Mapping[str, Any], right: Array) -> dict[str, float]:
    """Numbers that belong to a call, and their names: by one of them an answer may have been multiplied."""
    found: dict[str, Any] = {}
    for name, value in given.items():
        found |= {words.format(name): number for words, number in _quantities_of(value).items()}
    if right.ndim:
        found["the number of numbers in the answer"] = right.size
        if right.dtype.kind in "iuf" and right.size:
            found["the sum of the right answer"] = right.sum()
            found["the largest number of the right answer"] = right.max()
    return {name: float(number) for name, number in (found | {str(n): n for n in CONSTANTS}).items()}


def _quantities_of(value: Any) -> dict[str, Any]:
    """Numbers that belong to an argument, whose name stands in {}."""
    kind = kind_of(value)
    if kind == "array" and value.dtype.kind in "biuf" and value.size:
        return _quantities_of_array(value)
    if kind == "number":
        return {"{}": value, "{} squared": float(value) ** 2, "{} − 1": value - 1, "{} + 1": value + 1}
    if kind == "pair":
        return {"the first number of {}": value[0], "the product of {}": value[0] * value[1]}
    return {"the length of {}": len(value)} if kind == "list" else {}


def _quantities_of_array(a: Array) -> dict[str, Any]:
    found = {
        "the number of numbers in {}": a.size,
        "the sum of {}": a.sum(),
        "the mean of {}": a.mean(),
        "the largest number in {}": a.max(),
        "the smallest number in {}": a.min(),
        "the sum of the sizes of {}": np.abs(a).sum(),
        "how many numbers of {} are not 0": np.count_nonzero(a),
    }
    counted = zip(("columns", "rows", "channels", "images"), a.shape[::-1], strict=False)
    found |= {f"the number of {things} of {{}}": n for things, n in counted}
    return found | ({"the number of pixels in a plane of {}": a.shape[-1] * a.shape[-2]} if a.ndim > 2 else {})
