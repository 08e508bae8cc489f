"""What is said of a function, by its answers to all cases of an exercise: `judge(exercise, cases, answers)` gives a
`CheckResult`.

It compares plain arrays and never touches an object that a student made. How a result looks is the business of
`unet_edu.checks.report`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from unet_edu.checks.answer import Answer, attempt
from unet_edu.checks.exercise import Case, Exercise, Mistake
from unet_edu.checks.fault import Fault, fault_of, first_difference, same
from unet_edu.checks.seen import Ask, Diagnosis

__all__ = ["CheckResult", "judge"]

NOT_YET = (
    "Write the function in the cell above, run it, then run this one again. The line `raise NotImplementedError` goes "
    "away."
)
NOTHING_RETURNED = "Your function ran to its end and returned nothing. Does it print the result? `return` it instead."
CHANGES_ITS_INPUT = " Your function changes its input: work on a copy."

Found = Sequence[tuple[Fault, str] | None]  # what is wrong with each answer, and in words


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
    cases: tuple[Case, ...] = ()
    right: tuple[bool, ...] = ()  # for each case, whether its answer is right
    references: tuple[NDArray[Any], ...] = ()  # for each case, the right answer; none where nothing was answered
    found: Diagnosis | None = None  # why it is wrong, where no known mistake says so

    @property
    def passed(self) -> bool:
        return self.status == "passed"

    @property
    def diagnosis(self) -> str:
        """What we see in the answers, and what to think about; nothing where a known mistake has its hint."""
        return f"{self.found.sees} {self.found.asks}" if self.found else ""

    @property
    def layer(self) -> str:
        """What explains the answers: "named" is a known mistake; the others are those of `Diagnosis`."""
        return "named" if self.misconception else self.found.layer if self.found else ""

    def earned(self, points: float) -> float:
        """What the answers earn of `points`: in a student's notebook, in a terminal and for a mark.

        All cases right: all points. Every case of the notebook right, and at least half of the fresh ones: half of the
        points. Else nothing. Fresh cases whose right answers are alike count as one, and only together: who always
        returns 0 is right wherever the answer is 0, and has understood nothing. An exercise with few possible inputs
        has no half: a table that holds many of them would earn it.
        """
        if self.passed:
            return points
        visible = [good for case, good in zip(self.cases, self.right, strict=True) if case.group == "visible"]
        if not self.exercise.has_half or not any(self.right) or not all(visible):
            return 0.0
        groups = self._groups()
        whole = sum(all(self.right[n] for n in group) for group in groups)
        return points / 2 if 2 * whole >= len(groups) else 0.0

    def _groups(self) -> list[list[int]]:
        """The fresh cases, by their numbers; those whose right answers are alike stand together."""
        groups: list[list[int]] = []
        for n, case in enumerate(self.cases):
            if case.group == "visible":
                continue
            group = next((g for g in groups if alike(self.references[g[0]], self.references[n])), None)
            if group is None:
                groups.append([n])
            else:
                group.append(n)
        return groups

    def __repr__(self) -> str:
        from unet_edu.checks.report import text  # not at the top: a grader judges without drawing

        return text(self)

    def _repr_html_(self) -> str:
        from unet_edu.checks.report import html

        return html(self)


def alike(a: NDArray[Any], b: NDArray[Any]) -> bool:
    """Whether two right answers are the same, or are filled with the same single number."""
    return same(a, b) or (a.size > 0 and b.size > 0 and bool((a == a.flat[0]).all() and (b == a.flat[0]).all()))


@np.errstate(invalid="ignore", over="ignore")  # a student's NaN and infinity are wrong, and nothing to warn of
def judge(exercise: Exercise, cases: Sequence[Case], answers: Sequence[Answer], ask: Ask = attempt) -> CheckResult:
    """Say what is wrong with the answers to the cases, most helpful thing first.

    Parameters
    ----------
    exercise : Exercise
    cases : sequence of Case
    answers : sequence of Answer
        One for each case, in their order.
    ask : callable
        How the reference and the mistakes are called. A grader, which has the same cases for a whole class, remembers
        their answers.

    Returns
    -------
    CheckResult
        "not yet" when the function is not written; "passed" when all answers are right. Otherwise the hint of the
        mistake that gives the same answers, if one does; and what is wrong in the first case that fails: the function
        raised, or the answer has the wrong shape, then type, then values.
    """
    if not cases or len(cases) != len(answers):
        raise ValueError(
            f"answers: expected one for each of at least one case, got {len(answers)} for {len(cases)} cases"
        )
    none = (False,) * len(cases)
    if all(answer.kind == "empty" for answer in answers):
        return CheckResult(exercise, "not yet", NOT_YET, cases=tuple(cases), right=none)
    if all(answer.kind == "nothing" for answer in answers):
        printed = f" (It printed “{answers[0].printed}”.)" if answers[0].printed else ""
        return CheckResult(exercise, "failed", NOTHING_RETURNED + printed, cases=tuple(cases), right=none)

    references = tuple(_right(exercise, case, ask) for case in cases)
    faults = [fault_of(exercise, answer, right) for answer, right in zip(answers, references, strict=True)]
    if any(faults):
        return _failed(exercise, cases, answers, references, faults, ask)
    visible = sum(case.group == "visible" for case in cases)
    message = f"Right in all {len(cases)} cases: {visible} from the notebook, {len(cases) - visible} extra ones."
    return CheckResult(
        exercise,
        "passed",
        message + (CHANGES_ITS_INPUT if any(answer.changed_input for answer in answers) else ""),
        cases=tuple(cases),
        right=(True,) * len(cases),
        references=references,
    )


def _right(exercise: Exercise, case: Case, ask: Ask) -> NDArray[Any]:
    answer = ask(exercise.reference, case)
    if answer.value is None:
        raise TypeError(
            f"{exercise.name}: the reference gives no array of numbers in the case {case.name!r}. {answer.message}"
        )
    return answer.value


def _failed(
    exercise: Exercise,
    cases: Sequence[Case],
    answers: Sequence[Answer],
    references: tuple[NDArray[Any], ...],
    faults: Found,
    ask: Ask,
) -> CheckResult:
    """What is said when not all answers are right: of a case that failed, of a known mistake one in which it can be
    seen."""
    known = next((mistake for mistake in exercise.mistakes if _explains(mistake, cases, answers, faults, ask)), None)
    failed = [n for n, fault in enumerate(faults) if fault]
    if known:
        failed = [n for n in failed if (value := answers[n].value) is not None and not np.isnan(value).any()]
    n = failed[0]
    fault, message = faults[n] or (None, "")
    return CheckResult(
        exercise,
        "failed",
        message + _notes(cases, answers, n, is_known=known is not None),
        hint=known.hint if known else "",
        misconception=known.name if known else "",
        case=cases[n],
        yours=answers[n].value,
        expected=references[n],
        index=first_difference(answers[n].value, references[n]),
        fault=fault,
        cases=tuple(cases),
        right=tuple(fault is None for fault in faults),
        references=references,
    )


def _notes(cases: Sequence[Case], answers: Sequence[Answer], shown: int, *, is_known: bool) -> str:
    """What else there is to say: of another case in which the function was stopped or, beside a known mistake,
    raised."""
    notes = ""
    stopped = next((n for n, answer in enumerate(answers) if answer.kind == "stopped"), shown)
    if stopped != shown:
        notes += f" In another case, “{cases[stopped].name}”: {answers[stopped].message}"
    raised = next((case.name for case, answer in zip(cases, answers, strict=True) if answer.kind == "raised"), None)
    if is_known and raised is not None:
        notes += f" It stopped with an error in another case, “{raised}”."
    return notes + (CHANGES_ITS_INPUT if any(answer.changed_input for answer in answers) else "")


def _explains(mistake: Mistake, cases: Sequence[Case], answers: Sequence[Answer], faults: Found, ask: Ask) -> bool:
    """Whether the student's answers are those that a mistake gives.

    Where the student's function raised, nothing can be compared: one who transposes kernels may well fail on a 2×3
    kernel. Nor where it gave NaN: so NumPy says that it divided 0 by 0, where Python raises. Where the mistake itself
    has no answer, it cannot have led to a right one. At least one wrong answer must be equal.
    """
    seen = False
    # First the cases that are wrong: there most mistakes part.
    for case, answer, fault in sorted(zip(cases, answers, faults, strict=True), key=lambda each: not each[2]):
        if answer.kind in ("raised", "stopped"):
            continue
        wrong_answer = ask(mistake.wrong, case)
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
