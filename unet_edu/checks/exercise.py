"""What an exercise is, and how answers to it are judged.

The work is cut in two, so that a grader can do the first half in a sandbox and the second half in its own process:

    attempt(f, case)                 calls a function once, and turns whatever comes back into a plain array: an `Answer`
    judge(exercise, cases, answers)  compares plain arrays with the reference: a `CheckResult`

`judge` never touches an object that a student made. How a result looks is the business of `unet_edu.checks.report`.
"""

from __future__ import annotations

import copy
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Answer", "Case", "CheckResult", "Exercise", "Misconception", "attempt", "different", "judge", "same"]

# Two answers agree when no number differs by more than this part of the largest one. A float32 sum of a few hundred products
# is off by about 1e-6 of it, and must pass; a misconception is off by more than 1e-2 (the tests measure it), and must not.
TOLERANCE = 1e-4

MOST_CHARACTERS = 400  # of an exception's text


@dataclass(frozen=True, eq=False)
class Case:
    """One call of the student's function. The notebook prints the visible cases; the extra ones are drawn at random."""

    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)
    group: Literal["visible", "extra"] = "extra"


@dataclass(frozen=True)
class Misconception:
    """A mistake that people make, as a wrong implementation, and the hint that it deserves.

    `wrong` may raise where the mistake has no definite answer (a transposed 2×3 kernel fits nowhere).
    """

    name: str
    hint: str
    wrong: Callable[..., Any]


@dataclass(frozen=True)
class Exercise:
    """A function that the student writes, and all that is known about it."""

    name: str
    points: int
    reference: Callable[..., Any]
    cases: Callable[[np.random.Generator], list[Case]]
    misconceptions: tuple[Misconception, ...]
    whole: bool = False  # whether the answer must be of an integer type, not only of integer value


@dataclass(frozen=True, eq=False)
class Answer:
    """What a function gave on one case. Plain data: it can be written to a file in one process and read in another."""

    kind: Literal["value", "nothing", "raised", "unusable"]
    value: NDArray[Any] | None = None  # of kind "value": real numbers
    message: str = ""  # of kind "raised" and "unusable": what happened
    changed_input: bool = False


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

    Every exception of the function becomes an answer, too; only an interrupt (Ctrl-C, the stop button) passes through.
    """
    args, kwargs = copy.deepcopy((case.args, case.kwargs))
    try:
        value = f(*args, **kwargs)
    except NotImplementedError:
        return Answer("nothing")
    except Exception as error:  # noqa: BLE001 - whatever it is, the student shall read it
        return Answer("raised", message=_what_happened(error))
    if value is None or value is Ellipsis:
        return Answer("nothing")
    before, after = (*case.args, *case.kwargs.values()), (*args, *kwargs.values())
    changed = not _equal(before, after)
    array = _plain_array(value)
    if array is None:
        rows = ", or rows of different lengths" if isinstance(value, list | tuple) else ""
        message = f"Your function returned a {type(value).__name__} that holds something else than real numbers{rows}."
        return Answer("unusable", message=message, changed_input=changed)
    return Answer("value", array, changed_input=changed)


def judge(exercise: Exercise, cases: Sequence[Case], answers: Sequence[Answer]) -> CheckResult:
    """Say what is wrong with the answers to the cases, most helpful thing first.

    Parameters
    ----------
    exercise : Exercise
    cases : sequence of Case
    answers : sequence of Answer
        One for each case, in their order.

    Returns
    -------
    CheckResult
        "not yet" when there is no answer at all; "passed" when all are right. Otherwise the hint of the misconception that
        gives the same answers, if one does; and what is wrong in the first case that fails: the function raised, or the
        answer has the wrong shape, then type, then values.
    """
    if not cases or len(cases) != len(answers):
        raise ValueError(
            f"answers: expected one for each of at least one case, got {len(answers)} for {len(cases)} cases"
        )
    if all(answer.kind == "nothing" for answer in answers):
        return CheckResult(
            exercise, "not yet", "Write the function in the cell above, run it, then run this one again."
        )

    expected = [np.asarray(exercise.reference(*case.args, **case.kwargs)) for case in cases]
    faults = [_fault(exercise, answer, right) for answer, right in zip(answers, expected, strict=True)]
    note = " Your function changes its input: work on a copy." if any(a.changed_input for a in answers) else ""
    failed = [n for n, fault in enumerate(faults) if fault]
    if not failed:
        visible = sum(case.group == "visible" for case in cases)
        message = f"Right in all {len(cases)} cases: {visible} from the notebook, {len(cases) - visible} extra ones."
        return CheckResult(exercise, "passed", message + note)

    known = next((m for m in exercise.misconceptions if _explains(m, cases, answers, faults)), None)
    n = failed[0]
    if known:  # show a case in which the mistake can be seen
        n = next(n for n in failed if answers[n].kind == "value")
        stopped = [case.name for case, answer in zip(cases, answers, strict=True) if answer.kind == "raised"]
        note = (f" It stopped with an error in another case, “{stopped[0]}”." if stopped else "") + note
    return CheckResult(
        exercise,
        "failed",
        faults[n] + note,
        hint=known.hint if known else "",
        misconception=known.name if known else "",
        case=cases[n],
        yours=answers[n].value,
        expected=expected[n],
        index=_first_difference(answers[n].value, expected[n]),
    )


def same(a: NDArray[Any], b: NDArray[Any]) -> bool:
    """Whether two arrays of numbers agree in shape and, but for rounding, in value. NaN agrees with nothing."""
    return a.shape == b.shape and not different(a, b).any()


def different(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.bool_]:
    """Where `a` is not `b`, up to rounding on the scale of `b`'s largest number."""
    scale = max(1.0, np.abs(b).max(initial=0.0))
    with np.errstate(invalid="ignore"):  # inf − inf is NaN, and NaN is different: as it should be
        return ~(np.abs(a.astype(float) - b.astype(float)) <= TOLERANCE * scale)


def _first_difference(yours: NDArray[Any] | None, expected: NDArray[Any]) -> tuple[int, ...] | None:
    if yours is None or yours.shape != expected.shape:
        return None
    places = np.argwhere(different(yours, expected))
    return tuple(places[0].tolist()) if len(places) else None


def _fault(exercise: Exercise, answer: Answer, expected: NDArray[Any]) -> str:
    """What is wrong with one answer, in words; nothing when it is right."""
    yours = answer.value
    if answer.kind == "nothing":
        return "Your function returned nothing here: is there a `return` at the end of every path?"
    if yours is None:
        return answer.message
    if yours.shape != expected.shape:
        return f"Your answer is {_size(yours)}; it should be {_size(expected)}."
    if exercise.whole and yours.dtype.kind == "f":
        return f"Your answer is of type {yours.dtype}; it should be whole numbers, of type int."
    if yours.dtype.kind in "biu" and not same(np.round(expected), expected):
        return (
            f"Your answer is of type {yours.dtype}, which cuts off the fractions of the expected numbers. "
            "np.zeros(shape) makes an array that keeps them."
        )
    if same(yours, expected):
        return ""
    index, wrong = _first_difference(yours, expected), different(yours, expected)
    if not expected.ndim:
        return f"Yours is {yours:.6g}, expected is {expected:.6g}."
    largest = np.abs(yours.astype(float) - expected.astype(float)).max()
    return (
        f"The first difference is at {list(index or ())}: yours is {yours[index]:.6g}, expected is {expected[index]:.6g}. "
        f"{wrong.sum()} of {wrong.size} numbers differ, the most by {largest:.6g}."
    )


def _explains(
    misconception: Misconception, cases: Sequence[Case], answers: Sequence[Answer], faults: Sequence[str]
) -> bool:
    """Whether the student's answers are those that the misconception gives.

    Where the student's function raised, nothing can be compared: one who transposes kernels may well fail on a 2×3 kernel.
    Where the misconception itself has no answer, it cannot have led to a right one. At least one wrong answer must be equal.
    """
    seen = False
    for case, answer, fault in zip(cases, answers, faults, strict=True):
        if answer.kind == "raised":
            continue
        if answer.value is None:
            return False
        wrong = attempt(misconception.wrong, case).value
        if wrong is None and not fault:
            return False
        if wrong is not None:
            if not same(answer.value, wrong):
                return False
            seen = seen or bool(fault)
    return seen


def _plain_array(value: Any) -> NDArray[Any] | None:
    """A copy of `value` as an array of real numbers, or None. Accepts numbers, lists, arrays and torch tensors."""
    try:
        for step in ("detach", "cpu"):  # of a torch tensor; there is no need to import torch for it
            if callable(getattr(value, step, None)):
                value = getattr(value, step)()
        array = np.asarray(value).copy()
    except Exception:  # noqa: BLE001 - a student's object may do anything when it is asked for numbers
        return None
    return array if array.dtype.kind in "biuf" else None


def _equal(before: Any, after: Any) -> bool:
    if isinstance(before, list | tuple):
        return type(before) is type(after) and len(before) == len(after) and all(map(_equal, before, after))
    return np.array_equal(before, after)


def _what_happened(error: Exception) -> str:
    """The exception, and where in the student's cell it arose."""
    what = "".join(traceback.format_exception_only(error)).strip()[:MOST_CHARACTERS]
    frames = traceback.extract_tb(error.__traceback__)[1:]  # the first is the call in `attempt`
    if not frames:
        return f"Your function could not be called. {what}"
    last = [frame for frame in frames if frame.filename == frames[0].filename][-1]
    return f"Your function stopped with {what}\nin line {last.lineno}" + (f": {last.line}" if last.line else "")


def _size(array: NDArray[Any]) -> str:
    if array.ndim == 0:
        return "a single number"
    if array.ndim == 1:
        return f"a row of {len(array)} number{'s' * (len(array) != 1)}"
    return f"an array of shape {array.shape}"
