"""What an exercise is, and how answers to it are judged.

The work is cut in two, so that a grader can do the first half in a sandbox and the second half in its own process:

    attempt(f, case)                 calls a function once, and turns whatever comes back into a plain array: an `Answer`
    judge(exercise, cases, answers)  compares plain arrays with the reference: a `CheckResult`

`judge` never touches an object that a student made. A network is no array: there the case has a probe, which asks the network something and
gives the numbers that it answered. How a result looks is the business of `unet_edu.checks.report`.
"""

from __future__ import annotations

import contextlib
import copy
import io
import math
import os
import traceback
from collections.abc import Callable, Iterator, MappingView, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from decimal import Decimal
from numbers import Integral, Real
from pathlib import Path
from types import FunctionType
from typing import Any, Literal

import numpy as np
from numpy.ma import MaskedArray  # NumPy loads this when it is first used: after a notebook may have changed NumPy
from numpy.typing import NDArray

__all__ = [
    "Answer",
    "Case",
    "CheckResult",
    "Exercise",
    "Mistake",
    "UnusableAnswerError",
    "attempt",
    "different",
    "judge",
    "place_name",
    "same",
]

# Two answers agree when no number differs by more than this part of the largest one. A float32 sum of a few hundred products
# is off by about 1e-6 of it, and must pass; a misconception is off by more than 1e-2 (the tests measure it), and must not.
TOLERANCE = 1e-4

MOST_CHARACTERS = 400  # of an exception's text
MOST_PRINTED = 80  # of the first line that a function printed
MOST_NUMBERS = 1 << 20  # of an answer; the largest right one, of `bilinear_kernel`, has 640,000
MOST_PARTS = 4  # of an answer of several arrays

# What a student would call the type of an array, by NumPy's letter for it.
TYPES = {"b": "bool", "i": "int", "u": "int", "f": "float"}

# What an exception's text says to someone who knows NumPy, in words for someone who does not yet.
ADVICE = {
    **dict.fromkeys(
        (
            "could not be broadcast together with shapes",
            "could not broadcast input array",
            "non-broadcastable output operand",
        ),
        "The two arrays have different shapes. If one of them is a window: does it hang over the edge of the image? Then a loop "
        "goes one step too far, or rows and columns are mixed up.",
    ),
    "could not be broadcast together with remapped shapes": "np.pad takes one pair for all axes, or a pair for each axis of the array. How many "
    "axes does this one have? (0, 0) leaves an axis as it is.",
    **dict.fromkeys(
        ("is out of bounds for axis", "is out of bounds for dimension"),
        "Does a loop go one step too far, or are rows and columns mixed up? Or does the index count through the whole plane, row by row? Then it is no row "
        "and no column: x.ravel() takes it as it is, and // and % take it apart.",
    ),
    "index out of range": "Does a loop go one step too far, or are rows and columns mixed up?",
    **dict.fromkeys(
        ("division by zero", "modulo by zero"),
        "Can the number below the line be 0 in this case: because nothing was counted, or because // rounded down to 0?",
    ),
    "only integers, slices": "An index must be a whole number. 4 / 2 gives 2.0, a number with a point; 4 // 2 gives 2.",
    "to indexing result of shape": "With an array as the index, x[idx] takes whole rows of a plane x. Of a flat x it takes numbers.",
    "truth value of an array": "`and`, `or`, `not` and `if` want a single True or False. For whole arrays, there are & | ~ and any().",
    "values to unpack": "Left of the =, or of the `in`, stand more names, or fewer, than values come.",
    "setting an array element with a sequence": "There is room for one number, but an array came. Python's sum(a) adds up the "
    "rows of a; a.sum() adds up all its numbers.",
    **dict.fromkeys(
        ("mismatch in its core dimension", "not aligned"),
        "In A @ b, A must have as many columns as b has rows. A.T has rows and columns the other way round.",
    ),
    "Cannot cast ufunc": "An array of whole numbers has no room for a fraction. np.zeros(shape) makes an array of floats.",
    "must be square": "Only a square matrix can have an inverse. Do you need one here? The transpose is something else.",
    "cannot reshape array of size": "reshape only arranges numbers anew: there are as many after it as before.",
    "Sizes of tensors must match except in dimension 1": "torch.cat puts tensors side by side along one axis; along the others they must be equal. "
    "Is the copy cropped to the size of what comes up from below? And is it the copy of this level, the deepest one first?",
    **dict.fromkeys(
        (f"Sizes of tensors must match except in dimension {axis}." for axis in (0, 2, 3)),
        "torch.cat puts tensors side by side along the axis that it is told, and along axis 0, the images of the batch, when it is told none. The channels are axis 1: dim=1.",
    ),
    **dict.fromkeys(
        ("channels, but got", "Invalid channel dimensions"),
        "A convolution got another number of channels than it was made for. How many does the layer before it give?",
    ),
    "Given transposed=1": "The transposed convolution got another number of channels than it was made for.",
    "before Module.__init__() call": "`super().__init__()` comes first, then the layers.",
    "Calculated output size: ": "Nothing is left of the image here. Is it pooled too often?",
    "Kernel size can't be greater than actual input size": "Nothing is left of the image here. Does it lose more pixels than it should on the way?",
    "bias type (double) should be the same": "The check computes in float64. Leave the type of x as it is: no .float().",
    **dict.fromkeys(
        ("on meta tensors", "meta device"),
        "The first cases only count. There a tensor has a shape and no numbers: look at x.shape, not at the numbers in x.",
    ),
    "maximum recursion depth exceeded": "Your function calls itself, and that never comes to an end. In which case does it answer without a further call?",
    **dict.fromkeys(
        ("MemoryError", "Unable to allocate", "not enough memory"),
        "No memory has room for that. Is a size far too large, or are two multiplied that should not be?",
    ),
}

# The same for what only some functions do: said where the function that stopped uses the name.
ADVICE_ON_USE = {
    ("shape", "values to unpack"): "a.shape has a number for each axis of a. How many axes does this array have?",
    **{
        (
            "cat",
            text,
        ): "After torch.cat([copy, x], dim=1), the copy and what comes up have the channels of both. Along another axis than 1, and that is so without dim, channels "
        "are not joined. Is it the copy of this level, the deepest one first?"
        for text in ("channels, but got", "Invalid channel dimensions")
    },
}

CHECKS = str(Path(__file__).parent)
MACHINERY = (CHECKS, f"{os.sep}torch{os.sep}")  # between `attempt` and the student's code

Fault = Literal["no answer", "shape", "type", "values"]

NOT_YET = "Write the function in the cell above, run it, then run this one again. The line `raise NotImplementedError` goes away."
NOTHING_RETURNED = "Your function ran to its end and returned nothing. Does it print the result? `return` it instead."
AT_THE_STUB = "Your function stopped at `raise NotImplementedError` here. Write this part, too."
NOTHING_HERE = "Your function returned nothing here: is there a `return` at the end of every path?"
NOT_TRIED = "This case was not tried: your function was stopped in another one."
SAME_FOR_ALL = "Your function gives the same answer whatever it is given. Does it use its own arguments?"


class UnusableAnswerError(Exception):
    """What a function returned cannot be judged. The text says why, in words for the student."""


@dataclass(frozen=True, eq=False)
class Case:
    """One call of the student's function. The notebook prints the visible cases; the extra ones are drawn at random.

    With a `probe` the function is called by it: `probe(f, *args, **kwargs)`, and what the probe returns is the answer. So a function that
    makes a network can be judged by numbers that its network gives.
    """

    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)
    group: Literal["visible", "extra"] = "extra"
    probe: Callable[..., Any] | None = None

    def call(self, f: Callable[..., Any]) -> Any:
        """What `f`, or the probe, returns for the case's own inputs."""
        return f(*self.args, **self.kwargs) if self.probe is None else self.probe(f, *self.args, **self.kwargs)


@dataclass(frozen=True)
class Mistake:
    """A mistake that people make, as a wrong implementation, and the hint that it deserves.

    `wrong` may raise where the mistake has no definite answer (a transposed 2×3 kernel fits nowhere).
    """

    name: str
    hint: str
    wrong: Callable[..., Any]


@dataclass(frozen=True, eq=False)
class Exercise:
    """A function that the student writes, and all that is known about it."""

    name: str
    points: int
    reference: Callable[..., Any]
    cases: Callable[[np.random.Generator], list[Case]]
    whole: bool | tuple[str, ...] = (
        False  # whether the answer, or which of its parts, must be of an integer type, not only of integer value
    )
    parts: tuple[str, ...] = ()  # names of several arrays of one shape that the function returns, stacked in the answer
    forbidden: tuple[str, ...] = ()  # full names, with * for any rest, that would be the answer: not to be called
    # whether half of the points can be earned: not where the inputs are so few that a table holds half of the fresh ones
    has_half: bool = True
    mistakes: list[Mistake] = field(default_factory=list)  # the first that explains a student's answers gives its hint

    def mistake(self, name: str, hint: str = "", wrong: Callable[..., Any] | None = None) -> Callable[..., Any]:
        """Add a known mistake. Above a function: the body is the wrong answer, and the docstring the hint.

        One of a family, which some other function makes, is added by a call with all three.
        """
        if wrong is None:
            return lambda f: self.mistake(name, " ".join((f.__doc__ or "").split()), f)
        self.mistakes.append(Mistake(name, hint, wrong))
        return wrong


@dataclass(frozen=True, eq=False)
class Answer:
    """What a function gave on one case. Plain data: it can be written to a file in one process and read in another.

    Raises
    ------
    ValueError, TypeError
        When it would not be an answer: `judge` reads them without looking twice.
    """

    # "empty": not written yet; "nothing": no `return`; "stopped": by a limit of the notebook's check, or not tried after that
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


@dataclass(frozen=True, eq=False, repr=False)
class CheckResult:
    """What `check` found. As the last line of a cell it shows itself; `case.args` are the inputs on which it failed."""

    exercise: Exercise
    status: Literal["passed", "failed", "not yet"]
    message: str
    hint: str = ""
    misconception: str = ""
    case: Case | None = None
    yours: NDArray[Any] | None = None
    expected: NDArray[Any] | None = None
    index: tuple[int, ...] | None = None  # the first number that differs
    fault: Fault | None = None  # what is wrong in the case
    right: tuple[bool, ...] = ()  # for each case, whether its answer is right

    @property
    def passed(self) -> bool:
        return self.status == "passed"

    def __repr__(self) -> str:
        from unet_edu.checks.report import text  # not at the top: a grader judges without drawing

        return text(self)

    def _repr_html_(self) -> str:
        from unet_edu.checks.report import html

        return html(self)


def attempt(f: Callable[..., Any], case: Case) -> Answer:
    """Call `f` on copies of the case's inputs, and take its answer as a plain array.

    Every exception of the function becomes an answer, exit() too; only an interrupt (Ctrl-C, the stop button) passes through.
    What the function prints is kept from the page, where a case's numbers would drown the verdict. So are NumPy's warnings of 0 / 0 and
    the like: the verdict shows what came of it.
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


@np.errstate(invalid="ignore", over="ignore")  # a student's NaN and infinity are wrong, and nothing to warn of
def judge(
    exercise: Exercise,
    cases: Sequence[Case],
    answers: Sequence[Answer],
    ask: Callable[[Callable[..., Any], Case], Answer] = attempt,
) -> CheckResult:
    """Say what is wrong with the answers to the cases, most helpful thing first.

    Parameters
    ----------
    exercise : Exercise
    cases : sequence of Case
    answers : sequence of Answer
        One for each case, in their order.
    ask : callable
        How the reference and the misconceptions are called. A grader, which has the same cases for a whole class, remembers their answers.

    Returns
    -------
    CheckResult
        "not yet" when the function is not written; "passed" when all answers are right. Otherwise the hint of the
        misconception that gives the same answers, if one does; and what is wrong in the first case that fails: the function
        raised, or the answer has the wrong shape, then type, then values.
    """
    if not cases or len(cases) != len(answers):
        raise ValueError(
            f"answers: expected one for each of at least one case, got {len(answers)} for {len(cases)} cases"
        )
    none = (False,) * len(cases)
    if all(answer.kind == "empty" for answer in answers):
        return CheckResult(exercise, "not yet", NOT_YET, right=none)
    if all(answer.kind == "nothing" for answer in answers):
        printed = f" (It printed “{answers[0].printed}”.)" if answers[0].printed else ""
        return CheckResult(exercise, "failed", NOTHING_RETURNED + printed, right=none)

    expected = [_right(exercise, case, ask) for case in cases]
    faults = [_fault(exercise, answer, right) for answer, right in zip(answers, expected, strict=True)]
    note = " Your function changes its input: work on a copy." if any(a.changed_input for a in answers) else ""
    failed = [n for n, fault in enumerate(faults) if fault]
    if not failed:
        visible = sum(case.group == "visible" for case in cases)
        message = f"Right in all {len(cases)} cases: {visible} from the notebook, {len(cases) - visible} extra ones."
        return CheckResult(exercise, "passed", message + note, right=(True,) * len(cases))

    known = next((m for m in exercise.mistakes if _explains(m, cases, answers, faults, ask)), None)
    hint = known.hint if known else SAME_FOR_ALL if _all_the_same(answers) else ""
    n = failed[0]
    if known:  # show a case in which the mistake can be seen
        n = next(n for n in failed if (value := answers[n].value) is not None and not np.isnan(value).any())
        raised = [case.name for case, answer in zip(cases, answers, strict=True) if answer.kind == "raised"]
        note = (f" It stopped with an error in another case, “{raised[0]}”." if raised else "") + note
    stopped = next((m for m, answer in enumerate(answers) if answer.kind == "stopped"), n)
    if stopped != n:
        note = f" In another case, “{cases[stopped].name}”: {answers[stopped].message}" + note
    fault, message = faults[n] or (None, "")
    return CheckResult(
        exercise,
        "failed",
        message + note,
        hint=hint,
        misconception=known.name if known else "",
        case=cases[n],
        yours=answers[n].value,
        expected=expected[n],
        index=_first_difference(answers[n].value, expected[n]),
        fault=fault,
        right=tuple(fault is None for fault in faults),
    )


def _right(exercise: Exercise, case: Case, ask: Callable[[Callable[..., Any], Case], Answer]) -> NDArray[Any]:
    answer = ask(exercise.reference, case)
    if answer.value is None:
        raise TypeError(
            f"{exercise.name}: the reference gives no array of numbers in the case {case.name!r}. {answer.message}"
        )
    return answer.value


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


def _first_difference(yours: NDArray[Any] | None, expected: NDArray[Any]) -> tuple[int, ...] | None:
    if yours is None or yours.shape != expected.shape:
        return None
    places = np.argwhere(different(yours, expected))
    return tuple(places[0].tolist()) if len(places) else None


def _fault(exercise: Exercise, answer: Answer, expected: NDArray[Any]) -> tuple[Fault, str] | None:
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
    return None if same(yours, expected) else ("values", _wrong_values(exercise, yours, expected))


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
    if yours.dtype.kind in "biu" and not same(np.round(expected), expected):
        return (
            f"Your answer is of type {TYPES[yours.dtype.kind]}, which cuts off the fractions of the expected numbers. Is there a //, an int(…), or an array "
            "made for whole numbers? np.zeros(shape) makes one that keeps fractions."
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
    return f"The numbers are right, but {what[0].lower()}{what[1:]} is of type float; it should be whole numbers, of type int. {how}"


def _wrong_values(exercise: Exercise, yours: NDArray[Any], expected: NDArray[Any]) -> str:
    index, wrong = _first_difference(yours, expected), different(yours, expected)
    if not expected.ndim:
        undefined = " (nan is what 0 / 0 gives, and ∞ / ∞ where a number grew too large.)" if np.isnan(yours) else ""
        return f"Yours is {yours:.6g}, expected is {expected:.6g}.{undefined}"
    largest = np.abs(yours.astype(float) - expected.astype(float)).max()
    return (
        f"The first difference is at {place_name(exercise, index or ())}: yours is {yours[index]:.6g}, "
        f"expected is {expected[index]:.6g}. "
        f"{wrong.sum()} of {wrong.size} numbers differ, the most by {largest:.6g}."
    )


def _wrong_shape(parts: tuple[str, ...], yours: NDArray[Any], expected: NDArray[Any]) -> str:
    """What is wrong with the shape; of stacked parts, in words for those who returned them one by one."""
    if not parts:
        return f"Your answer is {_size(yours)}; it should be {_size(expected)}."
    names = " and ".join(parts)
    if yours.ndim == expected.ndim and len(yours) == len(expected):
        return f"Your {names} have shape {yours.shape[1:]} each; it should be {expected.shape[1:]}."
    return (
        f"Your answer is {_size(yours)}; it should be {len(parts)} arrays, {names}, of shape {expected.shape[1:]} each: "
        f"`return {', '.join(parts)}`."
    )


def place_name(exercise: Exercise, index: tuple[int, ...]) -> str:
    """A place in the answer, as a reader would write it: [1, 0]; or, in an answer of several arrays, idx[1, 0]."""
    part, rest = (exercise.parts[index[0]], index[1:]) if exercise.parts else ("", index)
    return f"{part}{list(rest)}"


def _explains(
    misconception: Mistake,
    cases: Sequence[Case],
    answers: Sequence[Answer],
    faults: Sequence[tuple[Fault, str] | None],
    ask: Callable[[Callable[..., Any], Case], Answer],
) -> bool:
    """Whether the student's answers are those that the misconception gives.

    Where the student's function raised, nothing can be compared: one who transposes kernels may well fail on a 2×3 kernel. Nor where
    it gave NaN: so NumPy says that it divided 0 by 0, where Python raises. Where the misconception itself has no answer, it cannot have
    led to a right one. At least one wrong answer must be equal.
    """
    seen = False
    wrong_first = sorted(
        zip(cases, answers, faults, strict=True), key=lambda case: not case[2]
    )  # there most mistakes part
    for case, answer, fault in wrong_first:
        if answer.kind in ("raised", "stopped"):
            continue
        wrong_answer = ask(misconception.wrong, case)
        if answer.value is None and answer.message == wrong_answer.message != "":  # a probe says the same of both
            continue
        if answer.value is None:
            return False
        if np.isnan(answer.value).any():
            continue
        wrong = wrong_answer.value
        if wrong is None and not fault:
            return False
        if wrong is not None:
            if not same(answer.value, wrong):
                return False
            seen = seen or bool(fault)
    return seen


def _all_the_same(answers: Sequence[Answer]) -> bool:
    """Whether the answer is the same for all inputs. The cases of every exercise have different right answers."""
    first = answers[0].value
    if first is None or len(answers) == 1:
        return False
    return all(answer.value is not None and same(answer.value, first) for answer in answers)


def _is_empty(f: Callable[..., Any]) -> bool:
    """Whether a function consists of `...`, `pass` or a docstring: Python makes no more code of it than of `lambda: None`."""
    return isinstance(f, FunctionType) and len(f.__code__.co_code) <= len((lambda: None).__code__.co_code)


def _plain_array(value: Any) -> NDArray[Any] | None:
    """A copy of `value` as an array of real numbers, or None. Accepts numbers, lists, arrays, sparse matrices and torch tensors."""
    try:
        array = np.asarray(_unwrapped(value)).copy()
        if array.dtype == object:
            array = _real_numbers(array)
    except (Exception, SystemExit):  # noqa: BLE001 - a student's object may do anything when it is asked for numbers
        return None
    return array if array.dtype.kind in "biuf" else None


def _unwrapped(value: Any) -> Any:
    """What NumPy can read: a torch tensor without its gradient, in the main memory; of a sparse matrix all its numbers."""
    if isinstance(value, list | tuple):
        return [_unwrapped(part) for part in value]
    if isinstance(value, MaskedArray):
        raise TypeError("under its mask it holds numbers that it does not show")
    if math.prod(getattr(value, "shape", ())) > MOST_NUMBERS or (
        isinstance(value, range) and len(value) > MOST_NUMBERS
    ):
        raise ValueError("too many numbers")
    for step in (
        "detach",
        "cpu",
        "to_dense",
        "toarray",
    ):  # the last is SciPy's; there is no need to import either library for it
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
                f"Your function returned a {type(part).__name__}, and that is no array. Put its numbers into a list, `return list(…)`; in place of `yield`, "
                "append them to a list, and return that at the end."
            )
    parts = [_plain_array(part) for part in value] if isinstance(value, tuple) and len(value) == 2 else [None]
    shapes = [part.shape for part in parts if part is not None]
    if len(shapes) == len(parts):
        return f"Your function returned two arrays of different shapes, {shapes[0]} and {shapes[1]}."
    if isinstance(value, list | tuple):
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


def _size(array: NDArray[Any]) -> str:
    if array.ndim == 0:
        return "a single number"
    if array.ndim == 1:
        return f"a row of {len(array)} number{'s' * (len(array) != 1)}"
    return f"an array of shape {array.shape}"
