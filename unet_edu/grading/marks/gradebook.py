"""Marks in nbgrader's gradebook: SQLite, or PostgreSQL by its URL. What a person decided there is never changed, and is
read back.

Our marks are nbgrader's automatic scores. A score that a person gives in formgrader is nbgrader's manual score, and
counts before ours. Cells that are none of the assignment's exercises, such as questions marked by hand, are nbgrader's
alone.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeVar

from unet_edu.grading.assignment import Assignment, naive_utc
from unet_edu.grading.marks.alone import EverybodysError
from unet_edu.grading.marks.report import certain
from unet_edu.grading.result import Result
from unet_edu.grading.text import one_line, plain

__all__ = ["Gradebook", "GradebookError", "Handout", "LockedError", "UnusableError"]

LONGEST_NAME = 128  # letters of a student's name: nbgrader's column has no room for more
BETWEEN_TRIES = 0.2  # seconds
WAIT_FOR_POSTGRES = "5s"  # for a lock, at a time; without it PostgreSQL waits for ever
LOCKED = ("locked", "lock timeout", "deadlock", "could not serialize")  # what SQLite and PostgreSQL say

T = TypeVar("T")


class GradebookError(ValueError):
    """What was asked cannot be done: the sentence says why, and what to do."""


class UnusableError(GradebookError, EverybodysError):
    """A gradebook that cannot be used as it is, for any student."""


class LockedError(UnusableError):
    """Another program held the gradebook all the time. Nothing was written; the same call works once it lets go."""


class Handout(NamedTuple):
    """The notebook that has the assignment's cells.

    Parameters
    ----------
    notebook : str
        Its name.
    by_hand : dict
        Names and points of those of its cells that are none of our exercises.
    """

    notebook: str
    by_hand: dict[str, float]


class Gradebook:
    """nbgrader's gradebook, open within a `with` block. One process writes to it at a time: ours.

    Parameters
    ----------
    url : str
        As in nbgrader's `CourseDirectory.db_url`: `sqlite:////folder/gradebook.db`, or
        `postgresql://user:password@host/name`. A file of SQLite, and the tables in either, are made when they are
        missing.
    patience : float
        Seconds for which another program may hold the gradebook before a call gives up.

    Raises
    ------
    UnusableError
        On entering: when nbgrader is missing, or the database cannot be opened.
    """

    def __init__(self, url: str, patience: float = 30.0) -> None:
        self.url = url
        self.patience = patience

    def __enter__(self) -> Self:
        try:
            from nbgrader import api
        except ImportError:
            raise UnusableError("the gradebook needs nbgrader: pip install 'unet-edu[grade]'") from None
        self._api = api
        self._book: Any = None
        with _own_programs_on_path():
            self._book = self._patiently(lambda: api.Gradebook(_checked(self.url)))
        return self

    def __exit__(self, *exception: object) -> None:
        self._book.close()

    def write(self, student: str, assignment: Assignment, result: Result, submitted: datetime | None = None) -> None:
        """Store what became of one student's notebook: all of it, or nothing.

        The assignment, its notebook and its cells are made when they are missing. An exercise without a mark gets no
        score and is flagged for a person, as nbgrader flags questions marked by hand. So is one that a person had
        decided, when what they decided about has changed.

        Raises
        ------
        LockedError
            When another program held the gradebook all the time.
        UnusableError
            When the gradebook has other cells or points than the assignment.
        GradebookError
            When the gradebook cannot store this student's name, or what is said of them.
        """
        if len(student) > LONGEST_NAME or "\0" in student:
            raise GradebookError(
                f"{plain(student[:40])}…: nbgrader has room for {LONGEST_NAME} letters of a student's name, "
                f"this one has {len(student)}"
            )
        self._patiently(lambda: self._write(student, assignment, result, submitted))

    def marks(self, assignment: Assignment, student: str | None = None) -> dict[str, dict[str, float | None]]:
        """What the gradebook says now: for each student who handed in, or for this one, each exercise's score, a
        person's before ours.

        None stands where there is no score: a person has to decide, and has not yet.
        """
        return self._patiently(lambda: self._marks(assignment, student))

    def handout(self, assignment: Assignment) -> Handout:
        """What formgrader has to know of the assignment's notebook, as the gradebook has it."""
        return self._patiently(lambda: self._handout(assignment))

    def has_due(self, assignment: Assignment) -> bool:
        """Whether the gradebook knows a date until which it was to be handed in."""
        return self._patiently(lambda: self._assignment(assignment).duedate is not None)

    # ----------------------------------------------------------------------------------------------------- submissions

    def _write(self, student: str, assignment: Assignment, result: Result, submitted: datetime | None) -> None:
        api, db = self._api, self._book.db
        row = self._assignment(assignment)
        cells = self._cells(row, assignment)
        if db.get(api.Student, student) is None:
            db.add(api.Student(id=student))
        mine = {"assignment_id": row.id, "student_id": student}
        submission = db.query(api.SubmittedAssignment).filter_by(**mine).one_or_none()
        if submission is None:
            if result.status == "not submitted":
                return
            submission = self._new_submission(row, student)
        timestamp = naive_utc(submitted) if submitted else None
        is_another = submission.timestamp != timestamp
        submission.timestamp = timestamp
        scores = certain(result)
        grades = [
            self._write_grade(submission, cells[exercise], scores.get(exercise), is_another)
            for exercise in assignment.names
        ]
        if assignment.late_percent_per_day:
            lost = sum(_score(grade) or 0.0 for grade in grades) * assignment.lost(submitted)
            for notebook in submission.notebooks:
                notebook.late_submission_penalty = lost if notebook.id == grades[0].notebook_id else 0.0

    def _new_submission(self, row: Any, student: str) -> Any:
        """A submission with a place for each score and comment, as nbgrader's: cells marked by hand have theirs."""
        api, db = self._api, self._book.db
        submission = api.SubmittedAssignment(assignment_id=row.id, student_id=student)
        db.add(submission)
        db.flush()
        for notebook in row.notebooks:
            mine = api.SubmittedNotebook(notebook_id=notebook.id, assignment_id=submission.id)
            db.add(mine)
            db.flush()
            for kind, cells in ((api.Grade, notebook.grade_cells), (api.Comment, notebook.solution_cells)):
                db.add_all([kind(cell_id=cell.id, notebook_id=mine.id) for cell in (*cells, *notebook.task_cells)])
        db.flush()
        db.refresh(submission)
        return submission

    def _write_grade(self, submission: Any, cell: Any, score: float | None, is_another: bool) -> Any:
        """Our score of one cell. Who decided by hand is asked again only when there is something new to decide."""
        notebook = next(mine for mine in submission.notebooks if mine.notebook_id == cell.notebook_id)
        grade = next((mine for mine in notebook.grades if mine.cell_id == cell.id), None)
        if grade is None:  # the exercise came into the assignment after this submission
            grade = self._api.Grade(cell_id=cell.id, notebook_id=notebook.id)
            self._book.db.add(grade)
        if grade.manual_score is None:
            grade.needs_manual_grade = score is None
        elif is_another or grade.auto_score != score:
            grade.needs_manual_grade = True
        grade.auto_score = score
        return grade

    def _marks(self, assignment: Assignment, student: str | None) -> dict[str, dict[str, float | None]]:
        api, db = self._api, self._book.db
        exercises = {assignment.cell(exercise): exercise for exercise in assignment.names}
        rows = (
            db.query(api.SubmittedAssignment.student_id, api.GradeCell.name, api.Grade)
            .join(api.SubmittedNotebook, api.SubmittedNotebook.assignment_id == api.SubmittedAssignment.id)
            .join(api.Grade, api.Grade.notebook_id == api.SubmittedNotebook.id)
            .join(api.GradeCell, api.GradeCell.id == api.Grade.cell_id)
            .join(api.Assignment, api.Assignment.id == api.SubmittedAssignment.assignment_id)
            .filter(api.Assignment.name == assignment.name, api.GradeCell.name.in_(exercises))
        )
        if student is not None:
            rows = rows.filter(api.SubmittedAssignment.student_id == student)
        marks: dict[str, dict[str, float | None]] = {}
        for name, cell, grade in rows:
            marks.setdefault(name, dict.fromkeys(exercises.values()))[exercises[cell]] = _score(grade)
        return marks

    # --------------------------------------------------------------------------------------------------- the assignment

    def _assignment(self, assignment: Assignment) -> Any:
        row = self._book.db.query(self._api.Assignment).filter_by(name=assignment.name).one_or_none()
        if row is None:
            row = self._api.Assignment(name=assignment.name, course_id=self._book.course_id)
            self._book.db.add(row)
            self._book.db.flush()
        if assignment.due and row.duedate is None:
            row.duedate = naive_utc(datetime.fromisoformat(assignment.due))
        return row

    def _handout(self, assignment: Assignment) -> Handout:
        ours = self._cells(self._assignment(assignment), assignment)
        notebook = ours[assignment.names[0]].notebook
        others = [cell for cell in [*notebook.grade_cells, *notebook.task_cells] if cell not in ours.values()]
        return Handout(
            notebook.name, {cell.name: cell.max_score for cell in sorted(others, key=lambda cell: cell.name)}
        )

    def _cells(self, row: Any, assignment: Assignment) -> dict[str, Any]:
        """The cell of each exercise. What `nbgrader generate_assignment` made must agree; ours are kept in step."""
        api, db = self._api, self._book.db
        cells = {cell.name: cell for notebook in row.notebooks for cell in notebook.grade_cells}
        is_ours = not any(notebook.source_cells for notebook in row.notebooks)  # nbgrader stores the text of its cells
        for exercise, points in assignment.points:
            name = assignment.cell(exercise)
            if name not in cells and is_ours:
                notebook = next(iter(row.notebooks), None) or api.Notebook(
                    name=assignment.name, assignment=row, kernelspec="{}"
                )
                db.add(notebook)
                db.flush()
                cells[name] = api.GradeCell(name=name, notebook=notebook, max_score=points, cell_type="code")
                db.add(cells[name])
            elif name not in cells:
                raise UnusableError(
                    f"the gradebook's {assignment.name} has no cell {name} for the exercise {exercise}: it was made "
                    "from another notebook; run `nbgrader generate_assignment` for this one, or take another gradebook"
                )
            elif is_ours:
                cells[name].max_score = points
            elif cells[name].max_score != points:
                raise UnusableError(
                    f"{exercise} is worth {cells[name].max_score:g} points in the gradebook and {points:g} in "
                    f"{assignment.name}; make the two agree, in the assignment's file or in nbgrader's notebook"
                )
        db.flush()
        return {exercise: cells[assignment.cell(exercise)] for exercise in assignment.names}

    # -------------------------------------------------------------------------------------------------------- patience

    def _patiently(self, do: Callable[[], T]) -> T:
        """Do something in one transaction. While another program holds the database, try again."""
        from sqlalchemy.exc import SQLAlchemyError

        until = time.monotonic() + self.patience
        while True:
            try:
                return self._at_once(do)
            except (SQLAlchemyError, self._api.InvalidEntry) as error:
                failure = self._failure(error, is_late=time.monotonic() > until)
            if failure is not None:
                raise failure
            time.sleep(BETWEEN_TRIES)

    def _at_once(self, do: Callable[[], T]) -> T:
        """Do something in one transaction. What is not committed at its end is undone, whatever happened."""
        from sqlalchemy import text

        if self._book is None:  # it is just being opened
            return do()
        try:
            if self._book.engine.dialect.name == "postgresql":
                self._book.db.execute(text(f"SET LOCAL lock_timeout = '{WAIT_FOR_POSTGRES}'"))
            value = do()
            self._book.db.commit()
            return value
        finally:
            self._book.db.rollback()

    def _failure(self, error: Exception, *, is_late: bool) -> GradebookError | None:
        """What an error of the database means: None where the next try may succeed."""
        from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, StatementError

        where = _shown(self.url)
        said = one_line(str(getattr(error, "orig", None) or error).partition("\n")[0], 300)
        is_held = (
            isinstance(error, IntegrityError)  # the other program made the same row just now
            or getattr(error, "connection_invalidated", False)  # the next try makes a new connection
            or any(word in said for word in LOCKED)
        )
        is_of_the_data = isinstance(error, (DataError, IntegrityError)) or (
            isinstance(error, StatementError) and not isinstance(error, DBAPIError)
        )
        if is_of_the_data and (is_late or not is_held):
            return GradebookError(f"{where}: the gradebook cannot store this ({said})")
        if not is_held:
            is_old = "no such" in said or "column" in said
            advice = "; is it of an older nbgrader? `nbgrader db upgrade` renews it" if is_old else ""
            return UnusableError(f"{where}: the gradebook cannot be used ({said}){advice}")
        if not is_late:
            return None
        return LockedError(
            f"{where}: another program holds the gradebook ({said}); close formgrader and run the same command again: "
            "nothing is lost, and nothing is graded twice"
        )


def _score(grade: Any) -> float | None:
    """What counts of a grade: a person's score before ours, with extra credit."""
    score = grade.auto_score if grade.manual_score is None else grade.manual_score
    return None if score is None else float(score + (grade.extra_credit or 0.0))


@contextmanager
def _own_programs_on_path() -> Iterator[None]:
    """nbgrader makes a new database with `alembic`, which it looks for on PATH; an environment that is not activated is
    not there."""
    before = os.environ.get("PATH", "")
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), before])
    try:
        yield
    finally:
        os.environ["PATH"] = before


def _checked(url: str) -> str:
    """The URL, if it is one that can be opened."""
    from sqlalchemy import create_engine
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError

    try:
        parts = make_url(url)
        create_engine(parts)
    except (ArgumentError, NoSuchModuleError):
        raise UnusableError(
            f"{plain(url[:200])}: expected a database as sqlite:////folder/gradebook.db or postgresql://user@host/name"
        ) from None
    except ImportError as error:  # the database's own package
        raise UnusableError(
            f"{_shown(url)}: needs the package {error.name}; for PostgreSQL: pip install psycopg2-binary"
        ) from None
    if parts.drivername.startswith("sqlite") and parts.database and not Path(parts.database).parent.is_dir():
        raise UnusableError(f"{parts.database}: there is no folder {Path(parts.database).parent}; make it first")
    return url


def _shown(url: str) -> str:
    """The URL without its password."""
    from sqlalchemy.engine import make_url

    return make_url(url).render_as_string(hide_password=True)
