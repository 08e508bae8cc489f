"""From the bytes of a notebook to its `Result`: the one function that a grader calls, here or on another machine.

It is pure: the same notebook, assignment and seed give the same result, and nothing is left behind. Only limits of time
hang on the machine; also that of the search for a diagnosis, which is no part of a mark.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import unet_edu
from unet_edu.checks import CheckResult
from unet_edu.checks.answer import Answer
from unet_edu.checks.diagnosis import is_to_explain
from unet_edu.checks.exercise import Case, Exercise
from unet_edu.grading import blame, forbidden
from unet_edu.grading.assignment import Assignment
from unet_edu.grading.judge import compared, diagnosed, fresh_cases, more_asked, outcome, stopped
from unet_edu.grading.notebook import Notebook, NotebookError, read
from unet_edu.grading.result import NOT_JUDGED, Outcome, Result, Status
from unet_edu.grading.sandbox.limits import USUAL, Limits, Stopped
from unet_edu.grading.session import Session

__all__ = ["ENGINE", "grade"]

SECONDS_TO_ASK = 3  # more of a function that is wrong, to find out why
MOST_PHRASES = 5  # in a reason
MOST_NAMES = 3  # … of forbidden functions in a phrase
SUSPICIOUS = "The notebook does something that no exercise needs, and that could mislead the grader."
# What collects and shows results, as all of `marks` does; a new file counts until somebody puts it here.
BEHIND_THE_MARK = ("commands.py", "own.py", "release.py")
ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{4,}\b")  # of an object in memory: another one each time
STUB = "NotImplementedError"  # in a function that is not written yet
ENDED = re.compile(r"(ended the process|was ended by the signal).*")  # a number follows


def _version() -> str:
    """The library's version, and a digest of all that a mark can depend on in it."""
    package = Path(__file__).parents[1]
    folders = ("checks", "lessons", "grading")
    files = {*package.glob("*.py"), *(file for folder in folders for file in package.glob(f"{folder}/**/*.py"))}
    files -= {package / "cli.py", *package.glob("grading/marks/*.py")}
    files -= {package / "grading" / name for name in BEHIND_THE_MARK}
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return f"{unet_edu.__version__}+{digest.hexdigest()[:12]}"


ENGINE = _version()
"""Changes when the same notebook could get another mark."""


def grade(
    notebook: bytes, assignment: Assignment, seed: int, limits: Limits = USUAL, *, unsafe: bool = False
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
        points=assignment.worth,
        sandboxed=not unsafe,
    )
    try:
        book = read(notebook)
    except NotebookError as error:
        return replace(unread, reason=str(error))
    with Session(assignment.set_up, book.cells, limits, unsafe=unsafe) as session:
        pairs = zip(assignment.exercises(), assignment.points, strict=True)
        works = [_work(exercise, points, seed, book, assignment.set_up) for exercise, (_, points) in pairs]
        for group in ("visible", "extra"):  # what a function keeps of a fresh case, no visible one can show any more
            for work in works:
                _call(session, work, group)
        found = [_examined(session, work, book) for work in works]
        for work, exercise in zip(works, found, strict=True):  # last: what becomes of it changes nothing of the above
            _ask_more(session, work, exercise.outcome, seed)
    tampering = forbidden.tampering(book.cells, session.ran)
    if tampering:
        found = [_to_review(exercise, SUSPICIOUS) if exercise.outcome.earned else exercise for exercise in found]
    status, reason = _status(assignment, found, session, tampering)
    return replace(
        unread,
        status=status,
        reason=reason,
        outcomes=tuple(_diagnosed(work, exercise.outcome) for work, exercise in zip(works, found, strict=True)),
        notes=tuple(session.notes),
    )


@dataclass
class _Work:
    """An exercise, and what its function has answered so far."""

    exercise: Exercise
    points: float
    cases: Sequence[Case]
    cell: int  # with the last definition; 0 when there is none
    code: str
    used: dict[str, None]  # what it calls and should not, as the notebook says
    seen: dict[str, None] = field(default_factory=dict)  # … as the sandbox says
    seen_late: dict[str, None] = field(default_factory=dict)  # … in fresh cases
    answers: list[Answer] = field(default_factory=list)
    result: CheckResult | None = None
    more: Sequence[Case] = ()  # what it is asked beyond the cases
    replies: Sequence[Answer] = ()
    stop: Stopped | None = None
    is_missing: bool = False

    @property
    def name(self) -> str:
        return self.exercise.name


@dataclass(frozen=True)
class _Found:
    """What was found about an exercise: the outcome, and a few words for the instructor where there is something to
    say."""

    outcome: Outcome
    remark: str = ""


def _work(exercise: Exercise, points: float, seed: int, book: Notebook, set_up: str) -> _Work:
    used = dict.fromkeys(forbidden.uses((set_up, *book.cells), exercise.name, exercise.forbidden))
    return _Work(exercise, points, fresh_cases(exercise, seed), *book.last(exercise.name), used)


def _call(session: Session, work: _Work, group: str) -> None:
    """Call an exercise's function on the cases of a group, until it is stopped or is not there."""
    name, forbids = work.name, work.exercise.forbidden
    seen = work.seen if group == "visible" else work.seen_late
    for case in work.cases[len(work.answers) :]:
        if case.group != group or work.stop or work.is_missing:
            return
        try:
            reply = session.call(name, case, forbids)
            if not reply.found and work.code:
                session.define_again()
                reply = session.call(name, case, forbids)
            if not reply.found and work.answers:
                raise Stopped("crashed", "was not there any more")
        except Stopped as stop:
            # The number with which it ends would be a message, once it has seen a fresh case.
            work.stop = stop if group == "visible" else Stopped(stop.why, ENDED.sub("ended Python", stop.detail))
            return
        work.is_missing = not reply.found
        if reply.found:
            work.answers.append(replace(reply.answer, message=ADDRESS.sub("0x…", reply.answer.message)))
            seen |= dict.fromkeys(reply.forbidden)


def _examined(session: Session, work: _Work, book: Notebook) -> _Found:
    """Judge what a function answered to all cases, or say why it did not."""
    exercise, cases, answers, stop = work.exercise, work.cases, work.answers, work.stop
    if work.is_missing:
        return _missing(session, work, book)
    if stop:
        judged = stopped(exercise, work.points, cases, answers, stop.why, stop.detail, work.code)
        return _Found(judged, f"{work.name} {stop.detail}")
    work.result = compared(exercise, cases, answers)
    judged = outcome(work.result, work.points, work.code)
    why = "" if judged.verdict == "right" else _elsewhere(session, work, book, judged)
    if not judged.earned:  # nobody has to look whether it used what is forbidden
        slip = blame.slip(answers[0]) or blame.replaced(book, work.name, work.cell)
        return _not_judged(judged, why) if why else _Found(judged, f"{work.name} {slip}" if slip else "")
    told = [*work.used, *forbidden.as_listed(work.seen, exercise.forbidden, known=work.used)]
    late = forbidden.as_listed(work.seen_late, exercise.forbidden, known=work.used)
    used = [*dict.fromkeys((*told, *late))]
    if not used:
        return _Found(judged, why)
    # Which names a function uses in fresh cases only, it could have chosen for what they say of them.
    named = _listed(told, MOST_NAMES, ", ") or "something"
    forbids = f"Your function uses {named}, which this exercise asks you to do without."
    return _to_review(_Found(judged, f"{work.name} uses {_listed(used, MOST_NAMES, ', ')}"), forbids)


def _ask_more(session: Session, work: _Work, found: Outcome, seed: int) -> None:
    """Ask a function more, if it is wrong and no known mistake says why."""
    if found.verdict in ("wrong", "half") and work.result is not None and is_to_explain(work.result):
        work.more = more_asked(work.exercise, seed)
        work.replies = session.ask_more(work.name, work.more, SECONDS_TO_ASK)


def _diagnosed(work: _Work, found: Outcome) -> Outcome:
    """With what is seen in the answers, where nobody has to decide first."""
    if found.verdict not in ("wrong", "half") or work.result is None:
        return found
    return diagnosed(found, work.result, work.answers, work.more, work.replies)


def _elsewhere(session: Session, work: _Work, book: Notebook, judged: Outcome) -> str:
    """Why a function that is not right here may be right elsewhere, if all that fails does so for something that is
    missing here."""
    name, cell = work.name, work.cell
    if unread := blame.no_python(session, name, cell):
        return unread
    if judged.verdict == "not written" and cell in session.raised and STUB not in work.code:
        return f"{name} is written in cell {cell}, which stopped with {session.raised[cell]}"
    lacks = [blame.lacks(book, session, answer) for answer in work.answers]
    if sum(map(bool, lacks)) < sum(count - right for right, count in (judged.visible, judged.fresh)):
        return ""
    # Only what was said before the first fresh case is shown.
    what = [what for what, case in zip(lacks, work.cases, strict=True) if what and case.group == "visible"]
    return f"{name} {what[0] if what else 'needs something that is not here'}"


def _missing(session: Session, work: _Work, book: Notebook) -> _Found:
    """Nothing of this name is there after the last cell: because nobody wrote it, or because a cell did not come so
    far."""
    name, cell = work.name, work.cell
    nothing = Outcome(name, work.points, None, "crashed", code=work.code)
    why = blame.no_python(session, name, cell)
    maker = blame.stopped_maker(book, session, name)
    if why or cell in session.raised:
        return _not_judged(
            nothing, why or f"{name} is written in cell {cell}, which stopped with {session.raised[cell]}"
        )
    if session.stops and work.code:
        last = session.stops[-1]
        message = f"The notebook was stopped before `{name}` was there: {last}."
        return _Found(replace(nothing, verdict=last.why, message=message), f"{name} was not reached")
    if maker:  # it imports all of a module, or runs a text
        return _not_judged(nothing, f"{name} is not there: {maker}")
    if work.code:
        return _not_judged(nothing, f"{name} is written in cell {cell}, and is not there when all cells have run")
    message = f"When all cells have run, there is no function `{name}`."
    return _Found(replace(nothing, earned=0.0, verdict="missing", message=message), f"{name} is not in the notebook")


def _not_judged(found: Outcome, why: str) -> _Found:
    """Neither right nor wrong, as far as can be seen here."""
    message = (
        f"Your function could not be judged here, and that is not a 0: {why}. If it works on your computer, tell your "
        "instructor."
    )
    judged = replace(found, earned=None, verdict="crashed", message=message, hint="", misconception="")
    return _Found(judged, why)


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
    remarks = [exercise.remark for exercise in found if exercise.remark]
    cells = list(dict.fromkeys(map(str, session.stops)))
    if all(outcome.verdict == "missing" for outcome in outcomes):
        none = f"none of the functions of {assignment.name} is in the notebook; is it the right one?"
        return "needs review", _sentence([none, *cells])
    if any(outcome.verdict in ("wrong", "missing") for outcome in outcomes):  # it may be why
        cells += [f"cell {cell} stopped with {said.split(':')[0]}" for cell, said in session.raised.items()]
    cells = [cell for cell in cells if not any(cell in remark for remark in remarks)]
    stops = [outcome.verdict for outcome in outcomes if outcome.verdict in NOT_JUDGED]
    if any(outcome.verdict == "needs review" for outcome in outcomes) or (tampering and stops):
        return "needs review", _sentence([*remarks, *tampering, *cells])
    if len(stops) == sum(outcome.verdict != "missing" for outcome in outcomes):
        return stops[0], _sentence([*remarks, *cells])  # type: ignore[return-value]  # one of NOT_JUDGED
    return "partial" if stops else "graded", _sentence([*remarks, *tampering, *cells])  # it may be why all is wrong


def _sentence(phrases: Sequence[str]) -> str:
    return _listed(phrases, MOST_PHRASES, "; ")


def _listed(words: Sequence[str], most: int, between: str) -> str:
    """Words in a row; only the first ones, when there are many."""
    more = [f"and {len(words) - most} more"] if len(words) > most else []
    return between.join([*words[:most], *more])
