"""Who handed in what: the notebooks of a class in a folder, as nbgrader, Moodle, Canvas or a person left them.

What one student left there, and how they called it, never changes whose another file is. What may be of two students is
nobody's until a person has looked.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from unet_edu.grading.assignment import Assignment
from unet_edu.grading.marks.alone import bare, failing_alone
from unet_edu.grading.marks.choice import choose
from unet_edu.grading.marks.files import SubmissionError, read
from unet_edu.grading.marks.handed_in import COPY, SHOWN, HandedIn, look_at
from unet_edu.grading.marks.roster import Owners, Roster, read_roster
from unet_edu.grading.text import plain

__all__ = ["Roster", "Submission", "SubmissionError", "by_student", "find", "read", "read_roster"]

STRANGER = "Nobody on the list of the class is called so."
OTHER_NUMBER = "Nobody on the list of the class has this number."
SHARED = "The list of the class has several students of this name."
TWO_WAYS = "The name can be read in two ways, each of which is another student's. Decide whose it is, and rename it."
NOT_THEIRS = (
    "The number is that of one student on the list of the class, and the name is another's. Decide whose it is, and "
    "rename it."
)


@dataclass(frozen=True)
class Submission:
    """What one student handed in.

    Parameters
    ----------
    student : str
        As the roster has it, otherwise as the folder or file is named; no control characters.
    path : Path or None
        The notebook. None: nothing was handed in, or there is a problem.
    problem : str
        Why there is no notebook to grade though something was handed in: a sentence for the instructor.
    submitted : datetime or None
        In UTC; None when nobody knows.
    doubt : str
        Why a person has to confirm the mark. Until then there is none.
    note : str
        What else the instructor should know.
    is_odd : bool
        Whether somebody has to look though there is a mark: the list of the class does not fit.
    failure : str
        What went wrong in the grader itself: then nothing else is known.
    """

    student: str
    path: Path | None
    problem: str = ""
    submitted: datetime | None = None
    doubt: str = ""
    note: str = ""
    is_odd: bool = False
    failure: str = ""


@dataclass
class _Row:
    """All that belongs to one student."""

    found: list[HandedIn]
    doubt: str = ""
    note: str = ""
    failure: str = ""


def find(
    folder: Path, assignment: Assignment, roster: Roster | None = None, zone: ZoneInfo | None = None
) -> list[Submission]:
    """What each student of a class handed in.

    Parameters
    ----------
    folder : Path
        `NAME.ipynb`, `STUDENT/*.ipynb`, nbgrader's `STUDENT/ASSIGNMENT/*.ipynb` with `timestamp.txt`, or what Moodle or
        Canvas packs when all submissions are downloaded. Of several notebooks of one student the one named as the
        assignment counts.
    assignment : Assignment
    roster : Roster, optional
        Adds the students who handed in nothing, and says how students are called.
    zone : ZoneInfo, optional
        Of times that name no zone, or one of several meanings.

    Returns
    -------
    list of Submission
        One for each student, sorted by name.

    Raises
    ------
    SubmissionError
        When there is no such folder, or nothing of any student in it and no roster.
    """
    try:
        if not folder.is_dir():
            raise SubmissionError(f"{folder}: expected a folder with the students' notebooks")
        with os.scandir(folder) as scan:
            entries = sorted(scan, key=lambda entry: entry.name)
    except OSError as error:
        raise SubmissionError(f"{folder}: the folder cannot be read ({error.strerror})") from None
    rows = by_student(_looked_at(entries, assignment, zone), roster)
    if not rows and not roster:
        raise SubmissionError(f"{folder}: expected notebooks (NAME.ipynb) or a folder for each student, found none")
    listed = roster.students if roster else {}
    absent = [Submission(student, None) for student in listed if student not in rows]
    present = [_settled(student, row, assignment, roster) for student, row in rows.items()]
    return sorted(absent + present, key=lambda submission: submission.student)


# ---------------------------------------------------------------------------------------------------------- whose it is


def _looked_at(entries: list[os.DirEntry[str]], assignment: Assignment, zone: ZoneInfo | None) -> list[HandedIn]:
    all_found = []
    for entry in entries:
        found: HandedIn | None = (unknown := HandedIn(entry.name.removesuffix(".ipynb"), []))
        with unknown.alone():
            found = look_at(entry, assignment, zone)
        if found:
            all_found.append(found)
    return all_found


def by_student(all_found: list[HandedIn], roster: Roster | None) -> dict[str, _Row]:
    """What belongs to each student of all that was found. Nobody's has a row of its own, and a note or doubt."""
    owners = Owners(roster) if roster else None
    rows: dict[str, _Row] = {}
    called: dict[str, str] = {}  # each entry's name in a row of its own
    for found in all_found:
        with found.alone():
            called[found.entry] = found.called
    names = {*called.values()}
    for found in all_found:
        student = doubt = note = ""
        with found.alone():
            student, doubt, note = _whose(found, owners, names)
        student = student or _shown(found.entry.removesuffix(".ipynb"))
        row = rows.setdefault(student, _Row([]))
        row.found.append(found)
        row.doubt, row.note = row.doubt or doubt, row.note or note
        row.failure = row.failure or found.failure
    for student, why in owners.failures.items() if owners else ():
        rows.setdefault(student, _Row([])).failure = why
    return rows


def _shown(name: str) -> str:
    """What a row is called where reading the name failed: that name, or one that nobody else has."""
    return name if bare(name) == name else f"{bare(name)}~"


def _whose(found: HandedIn, owners: Owners | None, called: set[str]) -> tuple[str, str, str]:
    """Whose an entry is: student, doubt, note. Nobody's has a row of its own."""
    student, doubt, note = _owner(found, owners) if owners else _unlisted(found, called)
    if not student:
        student = plain(found.entry) if doubt else found.called
        while owners and student in owners.roster.students:  # it is called like somebody else
            student += "~"
    return student, doubt, note


def _unlisted(found: HandedIn, called: set[str]) -> tuple[str, str, str]:
    """Whose an entry is where there is no list: student, doubt, note. "ada (1)" is Ada's if there is an "ada"."""
    numbers = {(claim.platform, claim.number) for claim in found.claims}
    if len(numbers) > 1:
        return "", TWO_WAYS, ""
    first = COPY.sub("", found.called)
    return (first if found.is_file and not numbers and first in called else found.called), "", ""


def _owner(found: HandedIn, owners: Owners) -> tuple[str, str, str]:
    """Whose an entry is by the list of the class: student, doubt, note."""
    if not found.claims:
        named = next((those for name in found.own_names if (those := owners.named(name))), set[str]())
        return (min(named), "", "") if len(named) == 1 else ("", SHARED if named else "", "" if named else STRANGER)
    # Each student whom the name may mean, and whether their own name stands there, too.
    known: dict[str, bool | None] = {}
    for n, claim in enumerate(found.claims):
        by_number = owners.has_numbers(claim.platform)
        those = owners.numbers.get(claim[:2], set()) if by_number else owners.named(claim.name)
        for student in those:
            known[student] = owners.agrees(student, claim.name, exactly=n > 0) if by_number else True
    sure = [student for student, agrees in known.items() if agrees]
    sure = sure or [student for student, agrees in known.items() if agrees is None]
    if len(sure) == 1:
        return sure[0], "", ""
    if known:
        return "", TWO_WAYS if sure else NOT_THEIRS, ""
    return "", "", OTHER_NUMBER if owners.has_numbers(found.claims[0].platform) else STRANGER


# ---------------------------------------------------------------------------------------------------- what counts of it


def _settled(student: str, row: _Row, assignment: Assignment, roster: Roster | None) -> Submission:
    """What counts of all that a student handed in. The roster's time, the instructor's, goes before a file's."""
    failures = [row.failure] if row.failure else []
    if not failures:
        with failing_alone(failures.append):
            return _submission(student, row, assignment, roster)
    return Submission(student, None, failure=failures[0])


def _submission(student: str, row: _Row, assignment: Assignment, roster: Roster | None) -> Submission:
    notebooks = [each for found in row.found for each in found.notebooks]
    others = [name for found in row.found for name in found.others]
    problem = next((found.problem for found in row.found if found.problem), "")
    doubts, notes, path = [row.doubt], [row.note, *(found.note for found in row.found)], None
    if notebooks:
        doubts += [f"Beside it: {problem}."] if problem else []
        path, problem, doubt, note = choose(notebooks, assignment)
        doubts.append(doubt)
        notes.append(note)
    elif not problem and others:
        problem = f"no notebook (.ipynb) was handed in, but {', '.join(plain(name) for name in others[:SHOWN])}"
    is_twice = roster is not None and len({found.called for found in row.found if found.notebooks}) > 1
    is_odd = is_twice or row.note in (STRANGER, OTHER_NUMBER)
    submitted = roster.submitted.get(student) if roster else None
    if not submitted:
        # The time of the notebook that counts, before that of another one.
        timed = sorted(row.found, key=lambda found: path not in [each for _, each in found.notebooks])
        submitted = next((found.submitted for found in timed if found.submitted), None)
        unread = next((found.time_text for found in row.found if found.time_text), "")
        if unread:
            said = (
                f"The time in timestamp.txt is not understood: {unread}. A column “submitted” in the list of the "
                "class can say it."
            )
            (doubts if assignment.due and assignment.late_percent_per_day else notes).append(said)
    if problem:  # then there is nothing to confirm, but all is said
        notes, doubts = [*doubts, *notes], []
    return Submission(student, path, problem, submitted, _joined(doubts), _joined(notes), is_odd)


def _joined(sentences: list[str]) -> str:
    return " ".join(dict.fromkeys(filter(None, sentences)))
