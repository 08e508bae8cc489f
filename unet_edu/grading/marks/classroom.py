"""A class graded: find the notebooks, grade what is not graded yet, and keep what comes.

There is one writer, here. As each result comes it goes into the journal, then into nbgrader's gradebook. Tables and
feedback are made of both in the end, because a person may have decided something in the gradebook. So a grader that was
killed has lost only what it was just grading, and the next run leaves what an undisturbed one would have left.

Every step with one student's data is done within `_Writer.alone`: when it raises, this student's row says so, and the
class goes on.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO
from zoneinfo import ZoneInfo

import filelock
from tqdm import tqdm

from unet_edu._interrupt import interrupted_later
from unet_edu.data.files import write_whole
from unet_edu.grading import engine, sandbox
from unet_edu.grading.assignment import Assignment
from unet_edu.grading.marks import cluster, report, review, submissions
from unet_edu.grading.marks.alone import failing_alone
from unet_edu.grading.marks.cluster import Failure
from unet_edu.grading.marks.feedback import feedback
from unet_edu.grading.marks.gradebook import LONGEST_NAME, Gradebook, Handout
from unet_edu.grading.marks.journal import Conditions, Grading, Journal, file_name, installed
from unet_edu.grading.marks.report import Row
from unet_edu.grading.marks.submissions import Roster, Submission, SubmissionError
from unet_edu.grading.result import Result, Status
from unet_edu.grading.sandbox import Limits
from unet_edu.grading.text import plain

__all__ = ["grade_class"]

MANY = 3  # students over whom the grader failed in the same way: no accident
LOCK = ".grading.lock"
REVIEWED = "autograded"  # nbgrader's name for the folder from which formgrader shows what people have to decide about

OTHER_POINTS = (
    "{}: there are marks of this name with other exercises or points; they are replaced by those of what you gave "
    "now. To keep both, give one another “name” in its assignment.json, or take another --output."
)
LEFT_BEHIND = (
    "{}: a person decided about the notebook that had this name. It has another one now, under which the decision does "
    "not count: give the list of the class with which it was decided, or decide again."
)
NO_DATE = (
    "{}: the gradebook has a date until which it was to be handed in, and what you gave now has none. "
    "So nothing is taken off for being late. Is it the right assignment.json?"
)
GONE = "The notebook that was graded is no longer there."
NOT_YET = "Not graded yet: the grader was stopped. The same command goes on from there."
FAILED = "The grader itself failed: {}. The same command tries again."
ALL_FAILED = (
    "The grader itself failed for all {} students, and in the same way ({}). So it is nothing that they handed in, "
    "and the tables hold no mark: mend that, and give the same command again"
)
TWIN = (
    "The names of {} differ by capitals only, and the disk of the results does not tell them apart; "
    "rename all but one, or take another --output."
)
TOO_LONG = (
    f"The name has more than the {LONGEST_NAME} letters for which nbgrader has room; rename the file or the folder."
)


def grade_class(
    assignment: Assignment,
    folder: Path,
    output: Path,
    *,
    roster: Roster | None = None,
    zone: ZoneInfo | None = None,
    seed: int | None = None,
    limits: Limits | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    database: str | None = None,
    force: bool = False,
    unsafe: bool = False,
    progress: bool = False,
    say: Callable[[str], None] = tqdm.write,
) -> list[Row]:
    """Grade the notebooks of a class, and write the gradebook, the tables and the feedback.

    Parameters
    ----------
    assignment : Assignment
    folder : Path
        The notebooks, in any of the shapes that `submissions.find` knows.
    output : Path
        Gets `gradebook.db`, for each assignment a folder with the tables, `feedback`, `results` (the journal) and
        `seed`, and in `autograded` what nbgrader's formgrader shows.
    roster : Roster, optional
        Adds the students who handed in nothing.
    zone : ZoneInfo, optional
        Of times that name no zone, or one of several meanings.
    seed : int, optional
        Of the fresh cases. Without it: that of the earlier runs, or else a secret one. It is kept.
    limits : Limits, optional
    workers : int, optional
        How many processes grade on this machine. Without it: one for each core.
    scheduler : str, optional
        Address of a dask cluster that grades instead.
    database : str, optional
        Address of nbgrader's gradebook. Without it: SQLite, in `output`.
    force : bool
        Grade everything again. Where the new result has no mark, the earlier one is then gone.
    unsafe : bool
        Without the sandbox.
    progress : bool
        Whether to show a progress bar, where there is a terminal.
    say : callable
        Gets a sentence when something is odd and grading goes on.

    Returns
    -------
    list of Row
        One for each student, in order of their names.

    Raises
    ------
    SandboxError
        When there is no sandbox and `unsafe` is not given.
    ClusterError
        When the cluster cannot be used, or was lost.
    ValueError
        When folder, output, seed or gradebook cannot be used.
    KeyboardInterrupt
        On Ctrl-C. The tables are written all the same; in them, who is not graded yet needs review.
    """
    if not unsafe and scheduler is None:
        sandbox.require()
    limits = limits or Limits()
    place = output / assignment.name
    found = submissions.find(folder, assignment, roster, zone)
    with _alone_in(output, folder):
        for private in (place, output / REVIEWED):  # marks; and who knows the seed knows the fresh cases
            private.mkdir(mode=0o700, exist_ok=True)
            for part in private.rglob(".*.part"):  # of a file that was just being written when a grader was killed
                part.unlink()
        seed = _seed(place / "seed", seed)
        conditions = Conditions(
            assignment.fingerprint, engine.ENGINE, seed, dataclasses.asdict(limits), unsafe, installed()
        )
        grade = functools.partial(engine.grade, assignment=assignment, seed=seed, limits=limits, unsafe=unsafe)
        journal = Journal(place / "results", say)
        known = [journal.gradings[each.student] for each in found if each.path and each.student in journal.gradings]
        if any(grading.assignment != assignment.fingerprint for grading in known):
            say(OTHER_POINTS.format(place))
        with (
            Gradebook(database or f"sqlite:///{output.resolve()}/gradebook.db") as gradebook,
            tqdm(total=len(found), unit="notebook", disable=None if progress else True) as bar,
        ):
            if not assignment.due and gradebook.has_due(assignment):
                say(NO_DATE.format(assignment.name))
            handed_in = {each.student: each for each in found}
            twins = _twins(handed_in, output)
            writer = _Writer(assignment, conditions, journal, gradebook, force, bar, handed_in, twins)
            try:
                tasks = writer.notebooks(writer.settle_known(with_the_gone=roster is None))
                if scheduler is None:
                    answers = cluster.run(grade, tasks, workers or os.cpu_count() or 1)
                else:
                    answers = cluster.run_on(grade, tasks, scheduler, unsafe=unsafe)
                with contextlib.closing(answers):
                    for student, answer in answers:
                        with interrupted_later(), writer.alone(student):
                            writer.take(student, answer)
            finally:
                rows = _reports(output, writer, roster)
            writer.expect_some_worked()
    return rows


def _reports(output: Path, writer: _Writer, roster: Roster | None) -> list[Row]:
    """Write each student's pages, then the tables. Gives the rows that stand in them.

    Where a student's row or pages fail, the row that says so takes its place; where even that one has no pages, no old
    page may stand; and who has no line has one that says no more than why.
    """
    assignment = writer.assignment
    handout, tables = writer.gradebook.handout(assignment), report.tables(assignment, roster)
    rows, lines = [], dict[str, list[bytes]]((name, []) for name in tables)
    for student in writer.students():
        for row_of, has_pages in ((writer.row, True), (writer.failed_row, True), (writer.failed_row, False)):
            with writer.alone(student):
                row = row_of(student)
                mine = {name: table.line(row) for name, table in tables.items()}
                _write_pages(row, writer, output, handout, has_pages)
                break
        else:
            reason = FAILED.format(writer.failures[student])
            row = Row(assignment, student, writer.empty_result("needs review", reason))
            mine = {"marks.csv": report.bare_line(assignment, student, reason)}
        rows.append(row)
        for name, line in mine.items():
            lines[name].append(line)
    for name, table in tables.items():
        _write(output / assignment.name / name, table.head + b"".join(lines[name]))
    return rows


def _write_pages(row: Row, writer: _Writer, output: Path, handout: Handout, has_pages: bool) -> None:
    for path, content in _pages(row, writer, output, handout):
        if has_pages:
            _write(path, content())
        else:
            path.unlink(missing_ok=True)


def _pages(row: Row, writer: _Writer, output: Path, handout: Handout) -> Iterator[tuple[Path, Callable[[], bytes]]]:
    """A student's page of feedback, and what formgrader shows: where, and how to make it."""
    page = output / row.assignment.name / "feedback" / file_name(row.student, ".html")
    yield page, lambda: feedback(row).encode()
    path = review.place(output / REVIEWED, row, handout.notebook)
    if path and not (row.result.status == "not submitted" and row.earlier is None):
        notebook = writer.handed_in(row.student) if handout.by_hand else b""
        yield path, lambda: review.review(row, handout.by_hand, notebook)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, content, force=True)


@contextlib.contextmanager
def _alone_in(output: Path, folder: Path) -> Iterator[None]:
    """While no other grader writes into the same folder. The lock goes with its process, also when that is killed."""
    if output.resolve().is_relative_to(folder.resolve()):
        raise ValueError(
            f"{output}: expected a folder for the results that does not lie among the submissions; name an --output"
        )
    output.mkdir(mode=0o700, parents=True, exist_ok=True)  # marks are nobody else's business
    try:
        with filelock.FileLock(output / LOCK, timeout=0):
            yield
    except filelock.Timeout:
        raise ValueError(
            f"{output}: another grader is at work on this folder; wait until it is done, or take another --output"
        ) from None


def _twins(students: Iterable[str], output: Path) -> dict[str, list[str]]:
    """Who would share a file with whom, on a disk for which A is a: of macOS and Windows."""
    if not (output / LOCK.upper()).exists():
        return {}
    alike: dict[str, list[str]] = {}
    for student in students:
        alike.setdefault(file_name(student, "").lower(), []).append(student)
    return {student: names for names in alike.values() if len(names) > 1 for student in names}


def _seed(path: Path, wanted: int | None) -> int:
    """The number from which the fresh cases are drawn: the one wanted, the one kept, or a new one."""
    if wanted is None:
        with contextlib.suppress(FileNotFoundError):
            try:
                return int(path.read_text())
            except ValueError:
                raise ValueError(
                    f"{path}: expected one whole number; put the right one back (it stands in marks.csv), or remove "
                    "the file: then the whole class is graded again, on new cases"
                ) from None
        wanted = secrets.randbits(128)

    def fill(file: BinaryIO) -> None:
        os.chmod(file.name, 0o600)
        file.write(f"{wanted}\n".encode())

    write_whole(path, fill, force=True)
    return wanted


@dataclass
class _Writer:
    """Who alone writes: first into the journal, then into the gradebook."""

    assignment: Assignment
    conditions: Conditions
    journal: Journal
    gradebook: Gradebook
    force: bool
    bar: tqdm
    submissions: dict[str, Submission]
    twins: dict[str, list[str]]
    settled: dict[str, Row] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def alone(self, student: str) -> AbstractContextManager[None]:
        """Whatever raises in here costs this student's row and no more, unless it would meet the next one, too."""
        return failing_alone(functools.partial(self._fail, student))

    def _fail(self, student: str, why: str) -> None:
        if student in self.failures:  # what comes after the first is often its consequence
            return
        self.failures[student] = why
        self.bar.update(student in self.submissions and student not in self.settled)

    def expect_some_worked(self) -> None:
        """Raise when nobody has a mark for one and the same reason: rows would hide that the grader is broken."""
        handed_in = [student for student, found in self.submissions.items() if found.path]
        if len(handed_in) >= MANY and all(student in self.failures for student in handed_in):
            kinds = {why.partition(":")[0] for why in self.failures.values()}
            if len(kinds) == 1:
                raise ValueError(ALL_FAILED.format(len(handed_in), next(iter(self.failures.values()))))

    # ---------------------------------------------------------------------------------------------------- while grading

    def settle_known(self, with_the_gone: bool) -> list[str]:
        """Settle all that needs no grading. Gives the students whose notebooks are left."""
        left, seen = list[str](), set[str]()
        for student in self.submissions:
            with self.alone(student):
                if why := self.submissions[student].failure:
                    self._fail(student, why)
                    continue
                self.journal.expect_read(student)
                notebook = self._notebook(student)
                if notebook is None:
                    continue
                digest = hashlib.sha256(notebook).hexdigest()
                seen.add(digest)
                known = self.journal.gradings.get(student)
                if known and not self.force and known.holds(digest, self.submissions[student].doubt, self.conditions):
                    self._settle(self._row(student, known.result, known.earlier))
                else:
                    left.append(student)
        if with_the_gone:
            for student, grading in self.journal.gradings.items():
                # not those who are there under another name
                if student not in self.submissions:
                    with self.alone(student):
                        if grading.mark and grading.result.notebook not in seen:
                            self._settle(self._unmarked(student, "not submitted", GONE))
        self._say_what_is_left_behind(seen)
        return left

    def _say_what_is_left_behind(self, seen: set[str]) -> None:
        """With another list a notebook may have another name, and what a person decided stays with the old one."""
        for student, grading in self.journal.gradings.items():
            if student not in self.submissions and grading.result.notebook in seen:
                with self.alone(student):
                    known = report.certain(grading.result)
                    scores = self._decided(student).items()
                    if any(score is not None and score != known.get(exercise) for exercise, score in scores):
                        self.journal.say(LEFT_BEHIND.format(plain(student)))

    def notebooks(self, students: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """The bytes, one after the other: a class may not fit into memory."""
        for student in students:
            notebook = None
            with self.alone(student):
                notebook = self._notebook(student)
            if notebook is not None:
                yield student, notebook

    def _notebook(self, student: str) -> bytes | None:
        """The bytes; None when there is nothing to grade, which is settled then."""
        submission = self.submissions[student]
        try:
            if len(student) > LONGEST_NAME:
                raise SubmissionError(TOO_LONG)
            if student in self.twins:
                raise SubmissionError(TWIN.format(" and ".join(self.twins[student])))
            if submission.problem:
                raise SubmissionError(submission.problem)
            if submission.path is not None:
                return submissions.read(submission.path)
        except SubmissionError as error:
            self._settle(self._unmarked(student, "unreadable", str(error)))
        else:
            reason = GONE if student in self.journal.gradings else ""
            self._settle(self._unmarked(student, "not submitted", reason))
        return None

    def take(self, student: str, answer: Result | Failure) -> None:
        """What came of grading one notebook."""
        if isinstance(answer, Failure):  # it says nothing about the notebook
            self._fail(student, answer.reason.rstrip("."))
            return
        before = self.journal.gradings.get(student)
        doubt = self.submissions[student].doubt
        result = answer.doubted(doubt) if doubt else answer
        grading = Grading.after(before, student, result, self.conditions, doubt=doubt, force=self.force)
        self.journal.write(grading)
        self._settle(self._row(student, grading.result, grading.earlier))

    def _settle(self, row: Row) -> None:
        self._enter(row)
        self.settled[row.student] = row
        self.bar.update(row.student in self.submissions)  # who was there once and is gone is not in its total

    def _enter(self, row: Row) -> None:
        if len(row.student) <= LONGEST_NAME:
            self.gradebook.write(row.student, self.assignment, row.result, row.submitted)

    # ------------------------------------------------------------------------------------------------------- in the end

    def students(self) -> list[str]:
        """All who have a row, in order of their names."""
        return sorted({*self.submissions, *self.settled, *self.failures})

    def row(self, student: str) -> Row:
        """What stands in the tables, with what a person decided; also for whom a stop left without a result."""
        if student in self.failures:
            return self.failed_row(student)
        if student not in self.settled:
            return self._unmarked(student, "needs review", NOT_YET)
        return replace(self.settled[student], decided=self._decided(student))

    def failed_row(self, student: str) -> Row:
        """The row of a student over whom the grader failed: no mark, and the next run tries again.

        When the failure came after the gradebook had the right score, that score stays there.
        """
        row = self._unmarked(student, "needs review", FAILED.format(self.failures[student]))
        if student in self.settled:
            return row
        with self.alone(student):
            self._enter(row)  # so that no older score stands there as if it were new
            return replace(row, decided=self._decided(student))
        return row

    def _decided(self, student: str) -> dict[str, float | None]:
        return self.gradebook.marks(self.assignment, student).get(student, {})

    def handed_in(self, student: str) -> bytes:
        """The bytes of a student's notebook, if there is one that can be read."""
        submission = self.submissions.get(student)
        with contextlib.suppress(SubmissionError):
            if submission and submission.path:
                return submissions.read(submission.path)
        return b""

    def _unmarked(self, student: str, status: Status, reason: str) -> Row:
        """Where nothing was graded. The journal stays: what it says holds again when the notebook comes back."""
        grading = self.journal.gradings.get(student)
        return self._row(student, self.empty_result(status, reason), grading.mark if grading else None)

    def empty_result(self, status: Status, reason: str) -> Result:
        """No outcome, and no mark."""
        mine, known = self.assignment, self.conditions
        return Result(mine.name, status, reason, (), "", known.engine, known.seed, mine.worth, not known.unsafe)

    def _row(self, student: str, result: Result, earlier: Result | None) -> Row:
        submission = self.submissions.get(student)
        if submission is None:
            return Row(self.assignment, student, result, earlier)
        result = replace(result, reason=f"{submission.note} {result.reason}".strip())
        return Row(self.assignment, student, result, earlier, submitted=submission.submitted, is_odd=submission.is_odd)
