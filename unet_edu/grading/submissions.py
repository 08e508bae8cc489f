"""Who handed in what: the notebooks of a class in a folder, as nbgrader, Moodle, Canvas or a person left them.

A folder comes from unpacked archives, so its names and links are as hostile as its notebooks: no link is followed, everything is counted,
and what one student left in a folder never changes whose another file is.
"""

from __future__ import annotations

import csv
import io
import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

from unet_edu.grading.assignment import ASSIGNMENTS, Assignment
from unet_edu.grading.notebook import MOST_BYTES
from unet_edu.grading.text import plain

__all__ = ["Roster", "Submission", "SubmissionError", "find", "read", "read_roster"]

MOST_ENTRIES = 2000  # files and folders that are looked at in one student's folder
MOST_DEPTH = 3  # folders in folders, as archives leave them
NOTEBOOK = ".ipynb"
LEFT_OUT = ("__MACOSX", "__pycache__")  # and whatever is hidden

# Moodle: "Ada Lovelace_123_assignsubmission_file_", a folder, or a file of which this is the first part. The number is that of
# "Participant 123" in Moodle's grading worksheet.
MOODLE = re.compile(r"(?P<name>.+)_(?P<number>\d{1,18})_assignsubmission_(?:file|onlinetext)_?(?P<file>.*)", re.DOTALL)
# Canvas: "lovelaceada_123_456_conv.ipynb", with "_LATE" behind the name when it came late. The first number is the ID of Canvas' gradebook.
CANVAS = re.compile(r"(?P<name>.+?)_(?:LATE_)?(?P<number>\d{1,18})_\d{1,18}_(?P<file>.+)", re.DOTALL)
COPY = re.compile(r"( ?\(\d+\)|-Copy\d+)$")  # "ada (1).ipynb", as browsers and Jupyter name a second copy

# Columns of a roster that say who a student is, the one that serves best as the student's name in our files first.
IDENTIFYING = (
    "student_id",
    "username",
    "sis login id",
    "id",
    "student",
    "email address",
    "email",
    "identifier",
    "sis user id",
    "id number",
    "full name",
    "name",
)


class SubmissionError(ValueError):
    """A notebook, a folder or a roster that cannot be read: the sentence says which, what is wrong and what to do."""


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
        With its time zone; None when nobody knows.
    """

    student: str
    path: Path | None
    problem: str = ""
    submitted: datetime | None = None


@dataclass(frozen=True)
class Roster:
    """A list of the class, as nbgrader, Moodle or Canvas writes it or a person types it.

    Parameters
    ----------
    columns : tuple of str
        The names in the file's first line.
    students : dict
        The cells of each student's line, as many as there are columns.
    submitted : dict
        When each handed in, where the column `submitted` says so.
    worth : tuple of str
        The cells of Canvas' line “Points Possible”; empty without one.
    """

    columns: tuple[str, ...]
    students: dict[str, tuple[str, ...]]
    submitted: dict[str, datetime] = field(default_factory=dict)
    worth: tuple[str, ...] = ()

    def column(self, name: str) -> int | None:
        """The place of a column, whatever its capitals; None when there is none of this name."""
        names = [column.strip().casefold() for column in self.columns]
        return names.index(name.casefold()) if name.casefold() in names else None


@dataclass
class _HandedIn:
    """What was found of one student, before it is known which notebook counts."""

    keys: list[str]  # under which a roster may know the student
    notebooks: list[tuple[str, Path]] = field(default_factory=list)  # each with its name as the student gave it
    others: list[str] = field(default_factory=list)
    submitted: datetime | None = None
    problem: str = ""


def find(folder: Path, assignment: Assignment, roster: Roster | None = None) -> list[Submission]:
    """What each student of a class handed in.

    Parameters
    ----------
    folder : Path
        `NAME.ipynb`, `STUDENT/*.ipynb`, nbgrader's `STUDENT/ASSIGNMENT/*.ipynb` with `timestamp.txt`, or what Moodle or Canvas
        packs when all submissions are downloaded. Of several notebooks of one student the one named as the assignment counts.
    assignment : Assignment
    roster : Roster, optional
        Adds the students who handed in nothing, and says how students are called.

    Returns
    -------
    list of Submission
        One for each student, sorted by name.

    Raises
    ------
    SubmissionError
        When there is no such folder, or nothing of any student in it and no roster.
    """
    if not folder.is_dir():
        raise SubmissionError(f"{folder}: expected a folder with the students' notebooks")
    known = _known(roster) if roster else {}
    handed_in: dict[str, _HandedIn] = {}
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if entry.name.startswith(".") or entry.name in LEFT_OUT:
            continue
        for name, found in _look_at(entry, assignment):
            student = next((known[key] for key in found.keys if key in known), name)
            mine = handed_in.setdefault(student, _HandedIn([]))
            mine.notebooks += found.notebooks
            mine.others += found.others
            mine.submitted = mine.submitted or found.submitted
            mine.problem = mine.problem or found.problem
    if not handed_in and not roster:
        raise SubmissionError(f"{folder}: expected notebooks (NAME{NOTEBOOK}) or a folder for each student, found none")
    times = roster.submitted if roster else {}
    absent = [Submission(student, None) for student in (roster.students if roster else {}) if student not in handed_in]
    present = [_submission(student, found, assignment, times.get(student)) for student, found in handed_in.items()]
    return sorted(absent + present, key=lambda submission: submission.student)


def read(path: Path) -> bytes:
    """The bytes of a submitted file.

    Raises
    ------
    SubmissionError
        When it is a link, a pipe or a device, has more than 32 MB, or cannot be read.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    shown = plain(path.name)
    try:
        if path.is_symlink():  # O_NOFOLLOW says so too, where the system has it
            raise SubmissionError(f"{shown}: is a link, not a file; nothing behind a link is graded")
        with open(os.open(path, flags), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise SubmissionError(f"{shown}: is a pipe, a device or a folder, not a file")
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise SubmissionError(f"{shown}: cannot be read ({error.strerror})") from None
    if len(data) > MOST_BYTES:
        raise SubmissionError(f"{shown}: has more than {MOST_BYTES >> 20} MB; a notebook of the course has less than 3")
    return data


# ------------------------------------------------------------------------------------------------------------- the folder


def _look_at(entry: os.DirEntry[str], assignment: Assignment) -> Iterator[tuple[str, _HandedIn]]:
    """Whose a file or folder is, and what is in it. Nothing for a file that is no notebook and bears no mark of Moodle or Canvas."""
    if not (entry.is_dir(follow_symlinks=False) or entry.is_file(follow_symlinks=False)):
        stem = entry.name.removesuffix(NOTEBOOK)
        yield (
            plain(stem),
            _HandedIn([_key(stem)], problem="is a link, a pipe or a device; nothing behind it is graded"),
        )
        return
    moodle = MOODLE.fullmatch(entry.name)
    if entry.is_dir(follow_symlinks=False):
        found = _in_folder(Path(entry.path), assignment)
        if moodle:
            found.keys = [f"moodle {moodle['number']}", _key(moodle["name"])]
            yield plain(f"{moodle['name']}_{moodle['number']}"), found
        else:
            found.keys = [_key(entry.name)]
            yield plain(entry.name), found
        return
    canvas = CANVAS.fullmatch(entry.name)
    stem, ending = os.path.splitext(entry.name)
    if packed := moodle or canvas:
        keys = [f"moodle {packed['number']}", _key(packed["name"])] if moodle else [f"canvas {packed['number']}"]
        yield (
            plain(f"{packed['name']}_{packed['number']}"),
            _with_file(_HandedIn(keys), packed["file"], Path(entry.path)),
        )
    elif ending.lower() == NOTEBOOK:
        yield plain(stem), _with_file(_HandedIn([_key(stem), _key(COPY.sub("", stem))]), entry.name, Path(entry.path))


def _with_file(found: _HandedIn, name: str, path: Path) -> _HandedIn:
    if name.lower().endswith(NOTEBOOK):
        found.notebooks.append((name, path))
    else:
        found.others.append(name)
    return found


def _in_folder(folder: Path, assignment: Assignment) -> _HandedIn:
    """The notebooks of a student's folder, those nearest to its top; in nbgrader's `STUDENT/ASSIGNMENT` only these."""
    found = _HandedIn([])
    own = folder / assignment.name
    if own.is_dir() and not own.is_symlink():
        folder = own
        found.submitted = _timestamp(own / "timestamp.txt")
    try:
        _search(folder, assignment, found)
    except OSError as error:
        found.problem = f"the folder cannot be read ({error.strerror})"
    return found


def _search(folder: Path, assignment: Assignment, found: _HandedIn) -> None:
    level, looked_at = [folder], 0
    for _ in range(MOST_DEPTH):
        below: list[Path] = []
        for path in (path for here in level for path in sorted(islice(here.iterdir(), MOST_ENTRIES + 1))):
            looked_at += 1
            if looked_at > MOST_ENTRIES:
                found.problem = f"more than {MOST_ENTRIES} files in the folder; expected one notebook"
                return
            if path.name.startswith(".") or path.name in LEFT_OUT:
                continue
            is_of_another = path.name in ASSIGNMENTS and path.name != assignment.name  # nbgrader's, of the same student
            if path.is_dir() and not path.is_symlink():
                below += [] if is_of_another else [path]
            elif path.name != "timestamp.txt":
                _with_file(found, path.name, path)
        if found.notebooks:
            return
        level = below


def _submission(student: str, found: _HandedIn, assignment: Assignment, submitted: datetime | None) -> Submission:
    """What counts of all that a student handed in. The roster's time, which the instructor wrote, goes before a file's."""
    submitted = submitted or found.submitted
    named = [path for name, path in found.notebooks if name == assignment.name + NOTEBOOK]
    paths = named if len(named) == 1 else [path for _, path in found.notebooks]
    problem = found.problem
    if not problem and len(paths) > 1:
        names = ", ".join(plain(name) for name, _ in found.notebooks[:5])
        problem = f"{len(paths)} notebooks ({names}); leave one, or name it {assignment.name}{NOTEBOOK}"
    if not problem and not paths and found.others:
        names = ", ".join(plain(name) for name in found.others[:5])
        problem = f"no notebook ({NOTEBOOK}) was handed in, but {names}"
    return Submission(student, None if problem or not paths else paths[0], problem, submitted)


def _timestamp(path: Path) -> datetime | None:
    """When nbgrader's exchange got the submission: `2027-01-31 23:59:00.123456 UTC`. None when the file is missing or something else."""
    if not os.path.lexists(path):
        return None
    try:
        words = read(path)[:100].decode().split()
        return _time(" ".join(words))
    except ValueError:  # SubmissionError and what is no UTF-8 are ValueErrors too: then the time is not known
        return None


def _time(text: str) -> datetime:
    """A time as nbgrader, ISO 8601 or a person writes it. Without a time zone it is UTC, as in nbgrader."""
    words = text.strip().split(" ")
    zone: timezone | ZoneInfo = UTC
    if len(words) == 3:
        number = re.fullmatch(r"([+-])(\d\d):?(\d\d)", words[2])
        if number:
            minutes = int(number[2]) * 60 + int(number[3])
            zone = timezone(timedelta(minutes=minutes if number[1] == "+" else -minutes))
        elif words[2] != "UTC":
            try:
                zone = ZoneInfo(words[2])
            except (KeyError, OSError):  # no such zone, or a folder of zones
                raise ValueError(f"{words[2]}: no such time zone") from None
        words = words[:2]
    time = datetime.fromisoformat(" ".join(words))
    return time if time.tzinfo else time.replace(tzinfo=zone)


# ------------------------------------------------------------------------------------------------------------- the roster


def read_roster(path: Path) -> Roster:
    """A list of the class: a CSV whose first line names the columns.

    nbgrader's (`id`), Moodle's grading worksheet, Canvas' exported gradebook, or one with the column `student`. An optional column
    `submitted` says when each handed in, as in 2027-01-31T23:59+01:00; without an offset it is UTC.

    Raises
    ------
    SubmissionError
        When it cannot be read, no column says who the students are, or two lines are of the same student.
    """
    lines = _lines(path)
    if not lines:
        raise SubmissionError(f"{path}: expected a first line with the names of columns, and a line for each student")
    columns = tuple(lines[0])
    width = len(columns)
    roster = Roster(columns, {})
    places = [place for name in IDENTIFYING if (place := roster.column(name)) is not None]
    if not places:
        raise SubmissionError(
            f"{path}: expected one of the columns {', '.join(IDENTIFYING)}, got {', '.join(columns)[:200]}"
        )
    cells = [tuple(cell.strip() for cell in [*line, *[""] * width][:width]) for line in lines[1:]]
    worth = next((line for line in cells if line[0] == "Points Possible"), ())
    cells = [line for line in cells if any(line[place] for place in places) and not _is_of_canvas(line)]
    for place in places:
        names = [plain(line[place]) for line in cells]
        if all(line[place] for line in cells) and len(set(names)) == len(names):
            break
    else:
        raise SubmissionError(
            f"{path}: expected a column that names each student, and none twice; got {', '.join(columns[place] for place in places)}"
        )
    when = roster.column("submitted")
    times = (
        {}
        if when is None
        else {name: _when(line[when], path, name) for name, line in zip(names, cells, strict=True) if line[when]}
    )
    return Roster(columns, dict(zip(names, cells, strict=True)), times, worth)


def _lines(path: Path) -> list[list[str]]:
    """The lines of a CSV, whatever divides its cells: in half of the world Excel writes semicolons."""
    try:
        text = read(path.resolve()).decode("utf-8-sig")  # resolved: it is the instructor's own, and may be a link
    except UnicodeDecodeError:
        raise SubmissionError(f"{path}: is not UTF-8; in Excel, save it as “CSV UTF-8”") from None
    first = text.partition("\n")[0]
    divider = max(",;\t", key=first.count)
    try:
        return [line for line in csv.reader(io.StringIO(text, newline=""), delimiter=divider) if any(line)]
    except csv.Error as error:
        raise SubmissionError(f"{path}: is no CSV ({error})") from None


def _is_of_canvas(line: Sequence[str]) -> bool:
    """Whether a line of Canvas' gradebook is none of a student: what the columns are worth, and the student who is there for tests."""
    return line[0] in ("Points Possible", "Student, Test")


def _when(text: str, path: Path, student: str) -> datetime:
    try:
        return _time(text)
    except ValueError:
        raise SubmissionError(
            f"{path}: submitted of {student}: expected a time as 2027-01-31T23:59+01:00, got {plain(text)[:60]}"
        ) from None


def _known(roster: Roster) -> dict[str, str]:
    """The student whom each key means. A key that two students share means nobody, but for the student whose very name it is."""
    owners: dict[str, set[str]] = {}
    for student, line in roster.students.items():
        for name in IDENTIFYING:
            place = roster.column(name)
            if place is None or not line[place]:
                continue
            owners.setdefault(_key(line[place]), set()).add(student)
            number = re.search(r"\d+$", line[place])
            if name == "identifier" and number:
                owners.setdefault(f"moodle {number[0]}", set()).add(student)
            if name == "id" and number and roster.column("section") is not None:  # Canvas has it, nbgrader has not
                owners.setdefault(f"canvas {number[0]}", set()).add(student)
    own = {_key(student): student for student in roster.students}
    return {key: min(students) for key, students in owners.items() if len(students) == 1} | own


# -------------------------------------------------------------------------------------------------------------- the names


def _key(name: str) -> str:
    """What a folder's and a roster's way to write one name have in common."""
    return "name " + plain(name).casefold()
