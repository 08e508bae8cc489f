"""The list of a class: nbgrader's, Moodle's grading worksheet in any language, Canvas' gradebook, or a typed one."""

from __future__ import annotations

import csv
import functools
import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from unet_edu.grading.marks.alone import failing_alone
from unet_edu.grading.marks.files import SubmissionError, read
from unet_edu.grading.marks.times import in_utc
from unet_edu.grading.text import plain

__all__ = ["Owners", "Roster", "Worksheet", "key", "read_roster"]

# Columns of a roster that say who a student is, the one that serves best as the student's name in our files first.
IDENTIFYING = (
    *("student_id", "username", "sis login id", "id", "student", "email address", "email", "identifier", "sis user id"),
    *("id number", "full name", "name"),
)
CHOSEN = ("student", "full name", "name")  # of these: what people may call themselves, perhaps like another's number
IDENTIFIER = re.compile(r"(\D{3,}?)([1-9][0-9]{0,17})")  # of Moodle: "Participant 17", "Teilnehmer/in17"
GRADE = re.compile(r"[0-9]+[.,][0-9]{2}")  # … its maximum grade


class Worksheet(NamedTuple):
    """The places of the columns in Moodle's grading worksheet, which has them in the same order in every language.

    Parameters
    ----------
    grade, most : int
        The grade, and the largest that there is.
    comments : int or None
        The feedback; None when Moodle asked for none.
    """

    grade: int
    most: int
    comments: int | None


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

    @cached_property
    def worksheet(self) -> Worksheet | None:
        """Where grades are in Moodle's worksheet, if this is one whose columns have no English names."""
        return None if self.is_english else _worksheet(list(self.students.values()))

    @property
    def is_english(self) -> bool:
        """Whether the names of Moodle's columns are English: then they are looked up."""
        return None not in (self.column("identifier"), self.column("maximum grade"))

    @property
    def most(self) -> int | None:
        """The place of Moodle's maximum grade, if there is one."""
        return self.worksheet.most if self.worksheet else self.column("maximum grade")


def read_roster(path: Path, zone: ZoneInfo | None = None) -> Roster:
    """A list of the class: a CSV whose first line names the columns.

    nbgrader's (`id`), Moodle's grading worksheet, Canvas' exported gradebook, or one with the column `student`. An
    optional column `submitted` says when each handed in, as in 2027-01-31T23:59+01:00; without an offset it is the time
    of `zone`, or else UTC.

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
    cells = [tuple(cell.strip() for cell in [*line, *[""] * width][:width]) for line in lines[1:]]
    worth = next((line for line in cells if line[0] == "Points Possible"), ())
    places = _identifying(columns, cells)
    if not places or _worksheet([columns, *cells]):  # the second: the first line is a student's
        raise SubmissionError(
            f"{path}: expected one of the columns {', '.join(IDENTIFYING)}, got {plain(', '.join(columns)[:200])}"
        )
    cells = [line for line in cells if any(line[place] for place in places) and not _is_of_canvas(line)]
    for place in places:
        names = [plain(line[place]) for line in cells]
        if all(line[place] for line in cells) and len(set(names)) == len(names):
            break
    else:
        got = ", ".join(columns[place] for place in places)
        raise SubmissionError(f"{path}: expected a column that names each student, and none twice; got {got}")
    roster = Roster(columns, dict(zip(names, cells, strict=True)), worth=worth)
    when = roster.column("submitted")
    if when is not None:
        roster.submitted.update(
            {name: _when(line[when], path, name, zone) for name, line in roster.students.items() if line[when]}
        )
    return roster


def _identifying(columns: Sequence[str], lines: Sequence[Sequence[str]]) -> list[int]:
    """The places of the columns that say who a student is, the best name first."""
    roster = Roster(tuple(columns), {})
    places = [place for name in IDENTIFYING if (place := roster.column(name)) is not None]
    if not roster.is_english and (sheet := _worksheet(lines)):
        mails = [place for place in range(1, sheet.grade) if all("@" in line[place] for line in lines)]
        places = [*mails, *(place for place in range(sheet.grade) if place not in mails)]
    return places


def _worksheet(lines: Sequence[Sequence[str]]) -> Worksheet | None:
    """Moodle's worksheet is known by its cells: the same word with a number before all else, and the same maximum grade
    in each line.

    Behind that is a word for whether the grade can be changed, and when it was.
    """
    identifiers = [IDENTIFIER.fullmatch(line[0]) if line else None for line in lines]
    words, numbers = {match and match[1] for match in identifiers}, {match and match[2] for match in identifiers}
    if len(words) != 1 or None in words or len(numbers) != len(lines):
        return None
    columns = list(zip(*lines, strict=True))
    same = [n for n in range(2, len(columns) - 2) if len({*columns[n]}) == 1 and GRADE.fullmatch(columns[n][0])]
    grades = [n for n in same if all(cell and not re.search(r"\d", cell) for cell in columns[n + 1])]
    if not grades:
        return None
    most = grades[-1]
    last = len(columns) - 1
    is_open = last > most + 1 and not all(columns[last])  # "Last modified (grade)" has at least a "-" in each line
    return Worksheet(most - 1, most, last if is_open else None)


def _lines(path: Path) -> list[list[str]]:
    """The lines of a CSV, whatever divides its cells: in half of the world Excel writes semicolons."""
    data = read(path.resolve())  # resolved: it is the instructor's own, and may be a link
    try:
        text = data.decode(json.detect_encoding(data)).removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise SubmissionError(f"{path}: is not UTF-8; in Excel, save it as “CSV UTF-8”") from None
    if "\0" in text:
        raise SubmissionError(f"{path}: is no text; in Excel, save it as “CSV UTF-8”")
    first, _, others = text.partition("\n")
    if told := re.fullmatch(r"sep=(.)\r?", first):  # Excel's way to say it
        text, divider = others, told[1]
    else:
        unquoted = re.sub(r'"[^"]*"', "", first)
        divider = max(",;\t", key=unquoted.count)
    try:
        return [line for line in csv.reader(io.StringIO(text, newline=""), delimiter=divider) if any(line)]
    except csv.Error as error:
        raise SubmissionError(f"{path}: is no CSV ({error})") from None


def _is_of_canvas(line: Sequence[str]) -> bool:
    """Whether a line of Canvas' gradebook is none of a student: what columns are worth, or the student for tests."""
    return line[0] in ("Points Possible", "Student, Test")


def _when(text: str, path: Path, student: str, zone: ZoneInfo | None) -> datetime:
    try:
        return in_utc(text, zone)
    except ValueError:
        raise SubmissionError(
            f"{path}: submitted of {student}: expected a time as 2027-01-31T23:59+01:00, got {plain(text)[:60]}"
        ) from None


class Owners:
    """Which student of a roster a name or a platform's number means.

    Parameters
    ----------
    roster : Roster
    """

    def __init__(self, roster: Roster) -> None:
        self.roster = roster
        # What is assigned before what people choose; in each the very letters before those that only look like them.
        self.names: tuple[dict[str, set[str]], ...] = ({}, {}, {}, {})
        self.numbers: dict[tuple[str, str], set[str]] = {}
        self.failures: dict[str, str] = {}  # over whom the grader itself failed, and why
        places = _identifying(roster.columns, list(roster.students.values()))
        chosen = {at for title in CHOSEN if (at := roster.column(title)) is not None}
        if roster.worksheet:  # addresses, Moodle's identifier, and then what people are called
            chosen = {*places[places.index(0) + 1 :]}
        for student in roster.students:
            with failing_alone(functools.partial(self.failures.__setitem__, student)):
                self._add(student, places, chosen)
        for student in self.failures:  # so that what is called exactly so is still theirs
            self.names[1].setdefault(student, set()).add(student)

    def _add(self, student: str, places: Sequence[int], chosen: set[int]) -> None:
        line = self.roster.students[student]
        called = [(line[at], at in chosen) for at in places] + [(_whole_name(self.roster, line), True)]
        for name, is_chosen in called:
            if name:
                self.names[is_chosen].setdefault(plain(name), set()).add(student)
                self.names[2 + is_chosen].setdefault(key(name), set()).add(student)
        for platform, place in self._numbered():
            if number := re.search(r"[0-9]+$", line[place]):
                self.numbers.setdefault((platform, number[0]), set()).add(student)

    def _numbered(self) -> list[tuple[str, int]]:
        """Where the numbers are that Moodle and Canvas put into the names of files. nbgrader's `id` is neither."""
        identifier = 0 if self.roster.worksheet else self.roster.column("identifier")
        canvas = self.roster.column("id") if self.roster.column("section") is not None else None
        return [(platform, at) for platform, at in (("moodle", identifier), ("canvas", canvas)) if at is not None]

    def has_numbers(self, platform: str) -> bool:
        """Whether the roster has a platform's numbers: then these count, and not the names, which students choose."""
        return any(platform == known for known, _ in self._numbered())

    def named(self, name: str) -> set[str]:
        """The students whom a name may mean."""
        as_written, alike = plain(name), key(name)
        for names, written in zip(self.names, (as_written, as_written, alike, alike), strict=True):
            if written in names:
                return names[written]
        return set()

    def agrees(self, student: str, name: str, exactly: bool) -> bool | None:
        """Whether a name is that of a student, or else shares a word with it; None when the roster has no names."""
        line, sheet = self.roster.students[student], self.roster.worksheet
        places = [at for title in CHOSEN if (at := self.roster.column(title)) is not None]
        if sheet:  # the identifier is followed by the name, unless all are anonymous
            places = [1] if sheet.grade > 2 else []
        if not places or not line[places[0]]:
            return None
        whole, identifier = line[places[0]], dict(self._numbered()).get("moodle")
        if exactly:
            return key(whole) == key(name)
        anonymous = whole if identifier is None else line[identifier].rstrip("0123456789")  # as Moodle hides names
        return any(_words(each) & _words(name) or _letters(each) == _letters(name) for each in (whole, anonymous))


def key(name: str) -> str:
    """What a folder's and a roster's way to write one name have in common."""
    return plain(name).casefold()


def _whole_name(roster: Roster, line: Sequence[str]) -> str:
    """First and last name, where they are two columns."""
    for first, last in (("first_name", "last_name"), ("first name", "last name")):
        places = [roster.column(first), roster.column(last)]
        if None not in places:
            return " ".join(line[place] for place in places if place is not None).strip()
    return ""


def _words(name: str) -> set[str]:
    return {*re.findall(r"[^\W_]+", key(name))}


def _letters(name: str) -> list[str]:
    """What Canvas leaves of a name in a file's, where the last name may be first."""
    return sorted(re.findall(r"[a-z0-9]", key(name)))
