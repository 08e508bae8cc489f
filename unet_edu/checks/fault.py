"""What is wrong with one answer: it is compared with the right one, first its shape, then its type, then its values."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from unet_edu.checks.answer import Answer
from unet_edu.checks.exercise import Exercise

__all__ = ["Fault", "different", "fault_of", "first_difference", "place_name", "same"]

# Two answers agree when no number differs by more than this part of the largest one. A float32 sum of a few hundred
# products is off by about 1e-6 of it, and must pass; a mistake is off by more than 1e-2 (the tests measure it), and
# must not.
TOLERANCE = 1e-4

# What a student would call the type of an array, by NumPy's letter for it.
TYPES = {"b": "bool", "i": "int", "u": "int", "f": "float"}

Fault = Literal["no answer", "shape", "type", "values", "input"]

AT_THE_STUB = "Your function stopped at `raise NotImplementedError` here. Write this part, too."
INPUTS_STAY = "The numbers are right, but the arrays that were given must stay as they are."
NOTHING_HERE = "Your function returned nothing here: is there a `return` at the end of every path?"


def same(a: NDArray[Any], b: NDArray[Any]) -> bool:
    """Whether two arrays of numbers agree in shape and, but for rounding, in value. NaN agrees with nothing."""
    return a.shape == b.shape and not different(a, b).any()


def different(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.bool_]:
    """Where `a` is not `b`, up to rounding on the scale of `b`'s largest number. Whole numbers are not rounded."""
    if a.dtype.kind in "biu" and b.dtype.kind in "biu":
        return a != b
    scale = max(1.0, np.abs(b).max(initial=0.0))
    with np.errstate(invalid="ignore", over="ignore"):  # inf − inf is NaN, and NaN is different: as it should be
        return ~(np.abs(a.astype(float) - b.astype(float)) <= TOLERANCE * scale)


def first_difference(yours: NDArray[Any] | None, expected: NDArray[Any]) -> tuple[int, ...] | None:
    if yours is None or yours.shape != expected.shape:
        return None
    places = np.argwhere(different(yours, expected))
    return tuple(places[0].tolist()) if len(places) else None


def fault_of(exercise: Exercise, answer: Answer, expected: NDArray[Any]) -> tuple[Fault, str] | None:
    """What is wrong with one answer, and in words; None when it is right."""
    yours = answer.value
    if answer.kind == "empty":
        return "no answer", AT_THE_STUB
    if answer.kind == "nothing":
        return "no answer", NOTHING_HERE
    if yours is None:
        return "no answer", answer.message
    if yours.shape != expected.shape:
        return "shape", _wrong_shape(exercise.parts, yours, expected)
    wrong_type = _wrong_type(exercise, answer, expected)
    if wrong_type:
        return "type", wrong_type
    if not same(yours, expected):
        return "values", _wrong_values(exercise, yours, expected)
    return ("input", INPUTS_STAY) if exercise.keeps_inputs and answer.changed_input else None


def _wrong_type(exercise: Exercise, answer: Answer, expected: NDArray[Any]) -> str:
    """What is wrong with the type of the numbers; of stacked parts, each has its own, unless they came as one array."""
    yours = answer.value
    assert yours is not None
    whole = exercise.whole is True and yours.dtype.kind == "f"
    for n, (name, letter) in enumerate(zip(exercise.parts, answer.types, strict=False)):
        if letter == "f" and isinstance(exercise.whole, tuple) and name in exercise.whole:
            return _should_be_whole(f"Your {name}", yours[n], expected[n])
    if whole:
        return _should_be_whole("Your answer", yours, expected)
    if exercise.mask and yours.dtype.kind != "b":
        return (
            f"Your answer is of type {TYPES[yours.dtype.kind]}; it should be True and False, of type bool. As indices, "
            "0 and 1 are places, and mark nothing. a == 1 makes True and False of an array a of 0 and 1."
        )
    if yours.dtype.kind in "biu" and not same(np.round(expected), expected):
        return (
            f"Your answer is of type {TYPES[yours.dtype.kind]}, which cuts off the fractions of the expected numbers. "
            "Is there a //, an int(…), or an array made for whole numbers? np.zeros(shape) makes one that keeps "
            "fractions."
        )
    return ""


def _should_be_whole(what: str, yours: NDArray[Any], expected: NDArray[Any]) -> str:
    fault = f"{what} is of type float; it should be whole numbers, of type int."
    if not np.isfinite(yours).all():
        return fault
    if (yours != np.round(yours)).any():
        return f"{fault} There are fractions in it: where do they come from?"
    if not same(yours, expected):
        return fault
    how = (
        "a.astype(int) makes it of an array a; np.zeros(shape, dtype=int) begins with it."
        if expected.ndim
        else "int(…) makes it of a whole number."
    )
    return (
        f"The numbers are right, but {what[0].lower()}{what[1:]} is of type float; it should be whole numbers, of "
        f"type int. {how}"
    )


def _wrong_values(exercise: Exercise, yours: NDArray[Any], expected: NDArray[Any]) -> str:
    index, wrong = first_difference(yours, expected), different(yours, expected)
    if not expected.ndim:
        undefined = " (nan is what 0 / 0 gives, and ∞ / ∞ where a number grew too large.)" if np.isnan(yours) else ""
        return f"Yours is {yours:.6g}, expected is {expected:.6g}.{undefined}"
    largest = np.abs(yours.astype(float) - expected.astype(float)).max()
    return (
        f"The first difference is at {place_name(exercise, index or ())}: yours is {yours[index]:.6g}, expected is "
        f"{expected[index]:.6g}. {wrong.sum()} of {wrong.size} numbers differ, the most by {largest:.6g}."
    )


def _wrong_shape(parts: tuple[str, ...], yours: NDArray[Any], expected: NDArray[Any]) -> str:
    """What is wrong with the shape; of stacked parts, in words for those who returned them one by one."""
    if not parts:
        return f"Your answer is {_size(yours)}; it should be {_size(expected)}."
    names = " and ".join(parts)
    if yours.ndim == expected.ndim and len(yours) == len(expected):
        return f"Your {names} have shape {yours.shape[1:]} each; it should be {expected.shape[1:]}."
    return (
        f"Your answer is {_size(yours)}; it should be {len(parts)} arrays, {names}, of shape {expected.shape[1:]} "
        f"each: `return {', '.join(parts)}`."
    )


def place_name(exercise: Exercise, index: tuple[int, ...]) -> str:
    """A place in the answer, as a reader would write it: [1, 0]; or, in an answer of several arrays, idx[1, 0]."""
    part, rest = (exercise.parts[index[0]], index[1:]) if exercise.parts else ("", index)
    return f"{part}{list(rest)}"


def _size(array: NDArray[Any]) -> str:
    if array.ndim == 0:
        return "a single number"
    if array.ndim == 1:
        return f"a row of {len(array)} number{'s' * (len(array) != 1)}"
    return f"an array of shape {array.shape}"
