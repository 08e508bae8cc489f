"""From the bytes of a notebook to its `Result`: the one function that a grader calls, here or on another machine.

It is pure: the same notebook, assignment and seed give the same result, and nothing is left behind. Only limits of time hang on the machine.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import unet_edu
from unet_edu.checks.exercise import Answer, Exercise
from unet_edu.grading import forbidden
from unet_edu.grading.assignment import Assignment
from unet_edu.grading.judge import fresh_cases, outcome, stopped
from unet_edu.grading.limits import USUAL, Limits, Stopped
from unet_edu.grading.notebook import Notebook, NotebookError, read
from unet_edu.grading.result import NOT_JUDGED, Outcome, Result, Status
from unet_edu.grading.session import Session

__all__ = ["ENGINE", "grade"]

MOST_PHRASES = 5  # in a reason
MOST_NAMES = 3  # … of forbidden functions in a phrase
SUSPICIOUS = "The notebook does something that no exercise needs, and that could mislead the grader."
BEHIND_THE_MARK = (  # what collects and shows results; a new file counts until somebody puts it here
    "classroom.py",
    "cluster.py",
    "commands.py",
    "feedback.py",
    "gradebook.py",
    "journal.py",
    "own.py",
    "release.py",
    "report.py",
    "review.py",
    "submissions.py",
)
ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{4,}\b")  # of an object in memory: another one each time


def _version() -> str:
    """The library's version, and a digest of all that a mark can depend on in it."""
    package = Path(__file__).parents[1]
    files = {*package.glob("*.py"), *package.glob("checks/**/*.py"), *package.glob("grading/**/*.py")}
    files -= {package / "cli.py", *(package / "grading" / name for name in BEHIND_THE_MARK)}
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return f"{unet_edu.__version__}+{digest.hexdigest()[:12]}"


ENGINE = _version()
"""Changes when the same notebook could get another mark."""


def grade(
    notebook: bytes,
    assignment: Assignment,
    seed: int,
    limits: Limits = USUAL,
    *,
    unsafe: bool = False,
) -> Result:
    """Grade one notebook.

    Parameters
    ----------
    notebook : bytes
        Whatever was handed in.
    assignment : Assignment
    seed : int
        Of the fresh cases, 0 or more. A student who knew it could write down the answers.
    limits : Limits
    unsafe : bool
        Run it without a sandbox, with all that you may do on this machine. The result says so.

    Returns
    -------
    Result

    Raises
    ------
    SandboxError
        When there is no sandbox here, or it does not work. Nothing else that a notebook does raises.
    """
    unread = Result(
        assignment=assignment.name,
        status="unreadable",
        reason="",
        outcomes=(),
        notebook=hashlib.sha256(notebook).hexdigest(),
        engine=ENGINE,
        seed=seed,
        points=sum(points for _, points in assignment.points),
        sandboxed=not unsafe,
    )
    try:
        book = read(notebook)
    except NotebookError as error:
        return replace(unread, reason=str(error))
    with Session(assignment.set_up, book.cells, limits, unsafe=unsafe) as session:
        pairs = zip(assignment.exercises(), assignment.points, strict=True)
        found = [_examined(session, exercise, points, seed, book, assignment.set_up) for exercise, (_, points) in pairs]
    tampering = forbidden.tampering(book.cells, session.ran)
    if tampering:
        found = [_to_review(exercise, SUSPICIOUS) if exercise.outcome.earned else exercise for exercise in found]
    status, reason = _status(assignment, found, session, tampering)
    return replace(
        unread,
        status=status,
        reason=reason,
        outcomes=tuple(exercise.outcome for exercise in found),
        notes=tuple(session.notes),
    )


@dataclass(frozen=True)
class _Found:
    """What was found about an exercise: the outcome, and a few words for the instructor where there is something to say."""

    outcome: Outcome
    remark: str = ""


def _examined(session: Session, exercise: Exercise, points: float, seed: int, book: Notebook, set_up: str) -> _Found:
    """Call an exercise's function on all cases, and judge its answers."""
    name, cases, answers = exercise.name, fresh_cases(exercise, seed), list[Answer]()
    code = book.defined(name)
    used = dict.fromkeys(forbidden.uses((set_up, *book.cells), name, exercise.forbidden))
    seen = dict[str, None]()
    for case in cases:
        try:
            reply = session.call(name, case, exercise.forbidden)
            if not reply.found and code:
                session.define_again()
                reply = session.call(name, case, exercise.forbidden)
        except Stopped as stop:
            judged = stopped(exercise, points, cases, answers, stop.why, stop.detail, code)
            return _Found(judged, f"{name} {stop.detail}")
        if not reply.found:
            return _missing(session, name, points, code)
        answers.append(replace(reply.answer, message=ADDRESS.sub("0x…", reply.answer.message)))
        seen |= dict.fromkeys(reply.forbidden)
    judged = outcome(exercise, points, cases, answers, code)
    used |= dict.fromkeys(forbidden.as_listed(seen, exercise.forbidden, known=used))
    if not (used and judged.earned):  # what is wrong anyway earns nothing, and nobody has to look
        return _Found(judged)
    names = _listed(list(used), MOST_NAMES, ", ")
    forbids = f"Your function uses {names}, which this exercise asks you to do without."
    return _to_review(_Found(judged, f"{name} uses {names}"), forbids)


def _missing(session: Session, name: str, points: float, code: str) -> _Found:
    """Nothing of this name is there after the last cell: because nobody wrote it, or because a cell did not come so far."""
    if session.stops and code:
        last = session.stops[-1]
        message = f"The notebook was stopped before `{name}` was there: {last}."
        return _Found(Outcome(name, points, None, last.why, message, code=code), f"{name} was not reached")
    if code:
        message = f"`{name}` is written in the notebook, but its cell stopped before it was there. The notes say where and why."
        remark = f"{name} is in the notebook, but its cell stopped: {' '.join(session.notes)[:200]}"
        return _Found(Outcome(name, points, None, "crashed", message, code=code), remark.rstrip("."))
    message = f"When all cells have run, there is no function `{name}`."
    return _Found(Outcome(name, points, 0.0, "missing", message))


def _to_review(found: _Found, why: str) -> _Found:
    """The same without points: a person decides whether they were earned."""
    judged = found.outcome
    message = f"{why} Your instructor will look at it. {judged.message}"
    review = replace(judged, verdict="needs review", earned=None, would_earn=judged.earned, message=message)
    return _Found(review, found.remark)


def _status(
    assignment: Assignment, found: Sequence[_Found], session: Session, tampering: Sequence[str]
) -> tuple[Status, str]:
    """What became of the notebook, and why, in one sentence for the instructor."""
    outcomes = [exercise.outcome for exercise in found]
    cells = list(dict.fromkeys(map(str, session.stops)))
    remarks = [exercise.remark for exercise in found if exercise.remark]
    if all(outcome.verdict == "missing" for outcome in outcomes):
        none = f"none of the functions of {assignment.name} is in the notebook; is it the right one?"
        return "needs review", _sentence([none, *cells])
    stops = [outcome.verdict for outcome in outcomes if outcome.verdict in NOT_JUDGED]
    if any(outcome.verdict == "needs review" for outcome in outcomes) or (tampering and stops):
        return "needs review", _sentence([*remarks, *tampering, *cells])
    if len(stops) == len(outcomes):
        return stops[0], _sentence([*remarks, *cells])  # type: ignore[return-value]  # one of NOT_JUDGED
    return "partial" if stops else "graded", _sentence([*remarks, *tampering, *cells])  # it may be why all is wrong


def _sentence(phrases: Sequence[str]) -> str:
    return _listed(phrases, MOST_PHRASES, "; ")


def _listed(words: Sequence[str], most: int, between: str) -> str:
    """Words in a row; only the first ones, when there are many."""
    more = [f"and {len(words) - most} more"] if len(words) > most else []
    return between.join([*words[:most], *more])
