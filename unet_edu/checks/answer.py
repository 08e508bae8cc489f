"""What a function answers: `attempt(f, case)` calls it once, and turns whatever comes back into a plain array, an
`Answer`.

This half of a check runs in a sandbox when a class is graded, and knows nothing of right answers. What else may happen
is an answer, too, in words for the student: nothing was written, nothing was returned, an exception was raised, or what
came back is no array. A network is no array: there the case has a probe, which asks the network something and gives the
numbers that it answered.
"""

from __future__ import annotations

import contextlib
import copy
import io
import math
import os
import traceback
from collections.abc import Callable, Iterator, MappingView
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from decimal import Decimal
from numbers import Integral, Real
from pathlib import Path
from types import FunctionType
from typing import Any, Literal

import numpy as np
from numpy.ma import MaskedArray  # NumPy loads this when it is first used: after a notebook may have changed NumPy
from numpy.typing import NDArray

from unet_edu.checks.exercise import Case

__all__ = ["ADVICE", "ADVICE_ON_USE", "MACHINERY", "Answer", "UnusableAnswerError", "attempt"]

MOST_CHARACTERS = 400  # of an exception's text
MOST_PRINTED = 80  # of the first line that a function printed
MOST_NUMBERS = 1 << 20  # of an answer; the largest right one, of `bilinear_kernel`, has 640,000
MOST_PARTS = 4  # of an answer of several arrays

# What an exception's text says to someone who knows NumPy, in words for someone who does not yet.
ADVICE = {
    **dict.fromkeys(
        (
            "could not be broadcast together with shapes",
            "could not broadcast input array",
            "non-broadcastable output operand",
        ),
        "The two arrays have different shapes. If one of them is a window: does it hang over the edge of the image? "
        "Then a loop goes one step too far, or rows and columns are mixed up.",
    ),
    "could not be broadcast together with remapped shapes": (
        "np.pad takes one pair for all axes, or a pair for each axis of the array. How many axes does this one have? "
        "(0, 0) leaves an axis as it is."
    ),
    **dict.fromkeys(
        ("is out of bounds for axis", "is out of bounds for dimension"),
        "Does a loop go one step too far, or are rows and columns mixed up? Or does the index count through the whole "
        "plane, row by row? Then it is no row and no column: x.ravel() takes it as it is, and // and % take it apart.",
    ),
    "index out of range": "Does a loop go one step too far, or are rows and columns mixed up?",
    **dict.fromkeys(
        ("division by zero", "modulo by zero"),
        "Can the number below the line be 0 in this case: because nothing was counted, or because // rounded down to "
        "0?",
    ),
    "only integers, slices": "An index must be a whole number. 4 / 2 gives 2.0, a number with a point; 4 // 2 gives 2.",
    "to indexing result of shape": (
        "With an array as the index, x[idx] takes whole rows of a plane x. Of a flat x it takes numbers."
    ),
    "truth value of an array": (
        "`and`, `or`, `not` and `if` want a single True or False. For whole arrays, there are & | ~ and any()."
    ),
    "values to unpack": "Left of the =, or of the `in`, stand more names, or fewer, than values come.",
    "setting an array element with a sequence": (
        "There is room for one number, but an array came. Python's sum(a) adds up the rows of a; a.sum() adds up all "
        "its numbers."
    ),
    **dict.fromkeys(
        ("mismatch in its core dimension", "not aligned"),
        "In A @ b, A must have as many columns as b has rows. A.T has rows and columns the other way round.",
    ),
    "Cannot cast ufunc": (
        "An array of whole numbers has no room for a fraction. np.zeros(shape) makes an array of floats."
    ),
    "cannot convert float infinity to integer": (
        "Infinity is a float. An array of whole numbers has no room for it; x.astype(float) is the same array in "
        "floats."
    ),
    "must be square": (
        "Only a square matrix can have an inverse. Do you need one here? The transpose is something else."
    ),
    "cannot reshape array of size": "reshape only arranges numbers anew: there are as many after it as before.",
    "Sizes of tensors must match except in dimension 1": (
        "torch.cat puts tensors side by side along one axis; along the others they must be equal. Is the copy cropped "
        "to the size of what comes up from below? And is it the copy of this level, the deepest one first?"
    ),
    **dict.fromkeys(
        (f"Sizes of tensors must match except in dimension {axis}." for axis in (0, 2, 3)),
        "torch.cat puts tensors side by side along the axis that it is told, and along axis 0, the images of the "
        "batch, when it is told none. The channels are axis 1: dim=1.",
    ),
    **dict.fromkeys(
        ("channels, but got", "Invalid channel dimensions"),
        "A convolution got another number of channels than it was made for. How many does the layer before it give?",
    ),
    "Given transposed=1": "The transposed convolution got another number of channels than it was made for.",
    "before Module.__init__() call": "`super().__init__()` comes first, then the layers.",
    "Calculated output size: ": "Nothing is left of the image here. Is it pooled too often?",
    "Kernel size can't be greater than actual input size": (
        "Nothing is left of the image here. Does it lose more pixels than it should on the way?"
    ),
    "bias type (double) should be the same": (
        "The check computes in float64. Leave the type of x as it is: no .float()."
    ),
    **dict.fromkeys(
        ("on meta tensors", "meta device"),
        "The first cases only count. There a tensor has a shape and no numbers: look at x.shape, not at the numbers "
        "in x.",
    ),
    "maximum recursion depth exceeded": (
        "Your function calls itself, and that never comes to an end. In which case does it answer without a further "
        "call?"
    ),
    **dict.fromkeys(
        ("MemoryError", "Unable to allocate", "not enough memory"),
        "No memory has room for that. Is a size far too large, or are two multiplied that should not be?",
    ),
}

# The same for what only some functions do: said where the function that stopped uses the name.
ADVICE_ON_USE = {
    ("shape", "values to unpack"): "a.shape has a number for each axis of a. How many axes does this array have?",
    **dict.fromkeys(
        (("cat", "channels, but got"), ("cat", "Invalid channel dimensions")),
        "After torch.cat([copy, x], dim=1), the copy and what comes up have the channels of both. Along another "
        "axis than 1, and that is so without dim, channels are not joined. Is it the copy of this level, the "
        "deepest one first?",
    ),
}

CHECKS = str(Path(__file__).parent)
MACHINERY = (CHECKS, f"{os.sep}torch{os.sep}")  # between `attempt` and the student's code


class UnusableAnswerError(Exception):
    """What a function returned cannot be judged. The text says why, in words for the student."""


@dataclass(frozen=True, eq=False)
class Answer:
    """What a function gave on one case. Plain data: it can be written to a file in one process and read in another.

    Raises
    ------
    ValueError, TypeError
        When it would not be an answer: `judge` reads them without looking twice.
    """

    # "empty": not written yet; "nothing": no `return`; "stopped": by a limit of the notebook's check, or not tried
    # after that
    kind: Literal["value", "empty", "nothing", "raised", "unusable", "stopped"]
    value: NDArray[Any] | None = None  # of kind "value": real numbers
    message: str = ""  # of kind "raised", "unusable" and "stopped": what happened
    changed_input: bool = False
    printed: str = ""  # of kind "nothing": the first line that the function printed
    types: str = ""  # of kind "value", where a few arrays came and were stacked: NumPy's letter for the type of each

    def __post_init__(self) -> None:
        if self.kind not in ("value", "empty", "nothing", "raised", "unusable", "stopped"):
            raise ValueError(f"kind: got {self.kind!r}")
        if (self.kind == "value") != (self.value is not None):
            raise ValueError(f"value: expected with kind 'value' and with no other, got kind {self.kind!r}")
        if self.value is not None and (type(self.value) is not np.ndarray or self.value.dtype.kind not in "biuf"):
            raise TypeError(f"value: expected a plain array of real numbers, got {type(self.value).__name__}")
        if self.kind in ("raised", "unusable", "stopped") and not self.message:
            raise ValueError(f"message: expected what happened, with kind {self.kind!r}")
        stacked = 0 if self.value is None or not self.value.ndim else len(self.value)
        if self.types and (len(self.types) > MOST_PARTS or len(self.types) != stacked or set(self.types) - set("biuf")):
            raise ValueError(f"types: expected a letter of b, i, u, f for each of at most {MOST_PARTS} parts")


def attempt(f: Callable[..., Any], case: Case) -> Answer:
    """Call `f` on copies of the case's inputs, and take its answer as a plain array.

    Every exception of the function becomes an answer, exit() too; only an interrupt (Ctrl-C, the stop button) passes
    through. What the function prints is kept from the page, where a case's numbers would drown the verdict. So are
    NumPy's warnings of 0 / 0 and the like: the verdict shows what came of it.
    """
    mine = replace(case, args=copy.deepcopy(case.args), kwargs=copy.deepcopy(case.kwargs))
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed), np.errstate(all="ignore"):
            value = mine.call(f)
    except UnusableAnswerError as error:
        return Answer("unusable", message=str(error))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it is, the student shall read it
        if isinstance(error, NotImplementedError) and not error.args:  # the exercise's own line; torch's has words
            return Answer("empty")
        return Answer("raised", message=_what_happened(error))
    if value is None or value is Ellipsis:
        lines = printed.getvalue().strip().splitlines()
        return Answer("empty") if _is_empty(f) else Answer("nothing", printed="".join(lines[:1])[:MOST_PRINTED])
    changed = _have_changed((*case.args, *case.kwargs.values()), (*mine.args, *mine.kwargs.values()))
    array = _plain_array(value)
    if array is None:
        return Answer("unusable", message=_what_is_no_array(value), changed_input=changed)
    return Answer("value", array, changed_input=changed, types=_types(value, array))


def _is_empty(f: Callable[..., Any]) -> bool:
    """Whether a function consists of `...`, `pass` or a docstring: Python makes no more code of it than of `lambda:
    None`."""
    return isinstance(f, FunctionType) and len(f.__code__.co_code) <= len((lambda: None).__code__.co_code)


def _plain_array(value: Any) -> NDArray[Any] | None:
    """A copy of `value` as an array of real numbers, or None. Accepts numbers, lists, arrays, sparse matrices and torch
    tensors."""
    try:
        array = np.asarray(_unwrapped(value)).copy()
        if array.dtype == object:
            array = _real_numbers(array)
    except (Exception, SystemExit):  # noqa: BLE001 - a student's object may do anything when it is asked for numbers
        return None
    return array if array.dtype.kind in "biuf" else None


def _unwrapped(value: Any) -> Any:
    """What NumPy can read: a torch tensor without its gradient, in the main memory; of a sparse matrix all its
    numbers."""
    if isinstance(value, list | tuple):
        return [_unwrapped(part) for part in value]
    if isinstance(value, MaskedArray):
        raise TypeError("under its mask it holds numbers that it does not show")
    if math.prod(getattr(value, "shape", ())) > MOST_NUMBERS or (
        isinstance(value, range) and len(value) > MOST_NUMBERS
    ):
        raise ValueError("too many numbers")
    # The last is SciPy's; there is no need to import either library for it.
    for step in ("detach", "cpu", "to_dense", "toarray"):
        if callable(getattr(value, step, None)):
            value = getattr(value, step)()
    return value


def _real_numbers(array: NDArray[Any]) -> NDArray[Any]:
    """Python's own numbers in NumPy's types: whole ones as int; a Fraction or a Decimal as the nearest float."""
    if not all(issubclass(type(number), Real | Decimal) for number in array.flat):
        raise TypeError("not only real numbers")
    are_whole = all(issubclass(type(number), Integral) for number in array.flat)
    return array.astype(np.int64 if are_whole else float)


def _types(value: Any, array: NDArray[Any]) -> str:
    """The type of each of a few arrays, which the array of them all has lost."""
    if not isinstance(value, list | tuple) or array.ndim < 2 or len(array) > MOST_PARTS:
        return ""
    parts = [_plain_array(part) for part in value]
    return "".join("" if part is None else part.dtype.kind for part in parts)


def _what_is_no_array(value: Any) -> str:
    """Why `value` is no array of numbers."""
    with contextlib.suppress(Exception):  # a student's object may do anything when it is asked for its shape
        count = len(value) if isinstance(value, range) else math.prod(value.shape)
        if count > MOST_NUMBERS:
            return f"Your function returned {count} numbers, far more than were asked for."
    for part in value if isinstance(value, list | tuple) else [value]:
        if issubclass(type(part), Iterator | MappingView | AbstractSet):
            return (
                f"Your function returned a {type(part).__name__}, and that is no array. Put its numbers into a list, "
                "`return list(…)`; in place of `yield`, append them to a list, and return that at the end."
            )
    parts = [_plain_array(part) for part in value] if isinstance(value, tuple) and len(value) == 2 else [None]
    shapes = [part.shape for part in parts if part is not None]
    if len(shapes) == len(parts):
        return f"Your function returned two arrays of different shapes, {shapes[0]} and {shapes[1]}."
    if isinstance(value, list | tuple) and any(part is None for part in value):
        what = " in which something is None. Does a function that you call end without a `return`, in some case?"
    elif isinstance(value, list | tuple):
        what = " that holds something other than real numbers, or rows of different lengths."
    else:
        what = ", which is neither a real number nor an array of them."
    return f"Your function returned a {type(value).__name__}{what}"


def _have_changed(before: Any, after: Any) -> bool:
    if before is after:  # None and small ints; arrays were copied before the call
        return False
    if isinstance(before, list | tuple):
        is_alike = type(before) is type(after) and len(before) == len(after)
        return not is_alike or any(map(_have_changed, before, after))
    after = _plain_array(after)  # a student's own object may not even compare
    return after is None or not np.array_equal(before, after, equal_nan=True)


def _what_happened(error: BaseException) -> str:
    """The exception, where in the student's cell it arose, and what its text often means."""
    what = "".join(traceback.format_exception_only(error)).strip()[:MOST_CHARACTERS]
    what = "".join(letter if letter.isprintable() or letter == "\n" else "�" for letter in what)  # no terminal commands
    raised = traceback.extract_tb(error.__traceback__)
    used = {
        name
        for frame, _ in traceback.walk_tb(error.__traceback__)
        for name in frame.f_code.co_names
        if not any(part in frame.f_code.co_filename for part in MACHINERY)
    }
    advice = [words for text, words in ADVICE.items() if text in what]
    advice += [words for (name, text), words in ADVICE_ON_USE.items() if text in what and name in used]
    frames = [frame for frame in raised if not any(name in frame.filename for name in MACHINERY)]
    if not frames and CHECKS in raised[-1].filename:
        return (
            f"Your function could not be called. {what}\nIs its first line, with `def`, still as the notebook gave it?"
        )
    if not frames:  # a network that is made of PyTorch's layers alone
        return "\n".join([f"Your network stopped with {what}", *advice])
    last = [frame for frame in frames if frame.filename == frames[0].filename][-1]
    where = f"in line {last.lineno}" + (f": {last.line}" if last.line else "")
    return "\n".join([f"Your function stopped with {what}", where, *advice])
