"""What lies in a folder of submissions, entry by entry: what each holds, and whose its name says it is.

Names and links are as hostile as the notebooks. Moodle and Canvas write the front of a name; all that follows is the
student's own choice, and so may look like another student's front. No link is followed, and everything is counted.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from unet_edu.grading.assignment import ASSIGNMENTS, Assignment
from unet_edu.grading.marks.alone import failing_alone
from unet_edu.grading.marks.files import SubmissionError, is_notebook, read
from unet_edu.grading.marks.times import in_utc
from unet_edu.grading.text import one_line, plain

__all__ = ["COPY", "LITTER", "Claim", "HandedIn", "claims", "look_at"]

MOST_ENTRIES = 2000  # files and folders that are looked at in one student's folder
MOST_DEPTH = 3  # folders in folders, as archives leave them
MOST_OPENED = 50  # files of one student that are not called notebooks, and may be one
CHECKPOINTS = ".ipynb_checkpoints"  # Jupyter's copies: not what was handed in, but a trace of it
# What programs leave behind, and nobody hands in.
LITTER = re.compile(
    r"\._.*|\.DS_Store|__MACOSX|__pycache__|\.ipynb_checkpoints|\.(?:git|svn|cache|venv|Trash.*)|Thumbs\.db|desktop\.ini",
    re.DOTALL,
)

CALLED_NOTEBOOK = re.compile(r"\.ipynb(?![^\W_])", re.IGNORECASE)  # also "a.ipynb (1)", "a.ipynb.json"
# Moodle: "Ada Lovelace_123_assignsubmission_file_", a folder, or a file of which this is the first part. The number is
# that of "Participant 123" in Moodle's grading worksheet.
MOODLE = re.compile(r"_([0-9]{1,18})_assignsubmission_(?:file|onlinetext)_?")
# Canvas: "lovelaceada_123_456_conv.ipynb", with "_LATE" behind the name when it came late. The first number is the ID
# of Canvas' gradebook.
CANVAS = re.compile(r"([^_]+)_(?:LATE_)?([0-9]{3,18})_[0-9]{1,18}_(?=.)", re.DOTALL)
COPY = re.compile(r"( ?\([0-9]+\)|-Copy[0-9]+)$")  # "ada (1).ipynb", as browsers and Jupyter name a second copy

NAMELESS = "The name does not say whose it is."
STRANGE_NAME = "The name has signs that cannot be shown."
SEVERAL = "holds what Moodle or Canvas packed for several students; give the grader this folder, or move its content up"
SHOWN = 5  # names of files in a sentence


class Claim(NamedTuple):
    """One way to read the name of a file or folder: which platform wrote it, for whom, and the student's own part."""

    platform: str
    number: str
    name: str
    file: str


@dataclass
class HandedIn:
    """What one file or folder is, before it is known which notebook of a student counts.

    Parameters
    ----------
    entry : str
        Its name.
    claims : list of Claim
        What a platform's name may say, that of the front first.
    notebooks : list of (str, Path)
        Each with its name as the student gave it, those nearest to the top first.
    others : list of str
        Names of what is no notebook.
    problem, note : str
        Why it cannot be graded; what else to say of it.
    submitted : datetime or None
    time_text : str
        What the time is, where it could not be understood.
    is_file : bool
        No folder, so that the name has an ending.
    failure : str
        What went wrong in the grader itself.
    """

    entry: str
    claims: list[Claim]
    notebooks: list[tuple[str, Path]] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    problem: str = ""
    note: str = ""
    submitted: datetime | None = None
    time_text: str = ""
    is_file: bool = False
    failure: str = ""

    def alone(self) -> AbstractContextManager[None]:
        """Whatever raises in here is noted as this entry's failure, unless it would meet the next one, too."""
        return failing_alone(functools.partial(setattr, self, "failure"))

    @property
    def own_names(self) -> list[str]:
        """What the name says where no platform wrote it: as it is, without the mark of a copy, with its ending."""
        stem = _stem(self.entry) if self.is_file else self.entry
        return [stem, COPY.sub("", stem), self.entry]

    @property
    def called(self) -> str:
        """How its row is called when no list says better. Two names that look alike once they can be shown stay two."""
        first = self.claims[0] if self.claims else None
        raw = f"{first.name}_{first.number}" if first else self.own_names[0]
        shown = plain(raw) if plain(raw).strip(". �") else plain(self.entry)
        return shown if "�" not in shown else f"{shown}~{_digest(raw)}"


def look_at(entry: os.DirEntry[str], assignment: Assignment, zone: ZoneInfo | None) -> HandedIn | None:
    """What a file or folder is; None when nobody handed it in."""
    name = entry.name
    if LITTER.fullmatch(name):
        return None
    found = HandedIn(name, claims(name))
    with found.alone():
        _open(entry, assignment, zone, found)
    if found.failure:
        return found
    if name.startswith(".") and not (found.notebooks or found.problem):
        return None  # settings of some program
    if not any(map(str.isalnum, found.own_names[0])):
        found.note = f"{NAMELESS} {found.note}".strip()
    elif "�" in found.called:
        found.note = f"{STRANGE_NAME} {found.note}".strip()
    return found


def _open(entry: os.DirEntry[str], assignment: Assignment, zone: ZoneInfo | None, found: HandedIn) -> None:
    try:
        if entry.is_dir(follow_symlinks=False):
            found.claims = [claim for claim in found.claims if claim.platform == "moodle"]  # Canvas packs no folders
            _look_into(Path(entry.path), assignment, zone, found)
        elif entry.is_file(follow_symlinks=False):
            found.is_file = True
            _add(found, found.claims[0].file if found.claims else found.entry, Path(entry.path))
        else:
            found.is_file = True
            found.problem = "is a link, a pipe or a device; nothing behind it is graded"
    except OSError as error:
        found.problem = f"cannot be read ({error.strerror})"


def claims(name: str) -> list[Claim]:
    """The ways to read the name of a file or folder, that of the front first."""
    canvas = CANVAS.match(name)
    claims = [Claim("canvas", canvas[2], canvas[1], name[canvas.end() :])] if canvas else []
    claims += [
        Claim("moodle", match[1], name[: match.start()], name[match.end() :])
        for match in MOODLE.finditer(name)
        if match.start()
    ]
    return claims


def _stem(name: str) -> str:
    match = CALLED_NOTEBOOK.search(name)
    return name[: match.start()] if match else os.path.splitext(name)[0]


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:8]


def _add(found: HandedIn, name: str, path: Path) -> None:
    """Count a file among the notebooks or the others."""
    is_sure = name.lower().endswith(".ipynb")
    may_be = len(found.others) < MOST_OPENED or CALLED_NOTEBOOK.search(name)
    if is_sure or (may_be and is_notebook(path)):
        found.notebooks.append((name, path))
    else:
        found.others.append(name)


# --------------------------------------------------------------------------------------------------- a student's folder


def _look_into(folder: Path, assignment: Assignment, zone: ZoneInfo | None, found: HandedIn) -> None:
    """The notebooks of a student's folder; in nbgrader's `STUDENT/ASSIGNMENT` only these."""
    own = folder / assignment.name
    if any(entry.name == own.name and entry.is_dir(follow_symlinks=False) for entry in _entries(folder)):
        _read_time(own / "timestamp.txt", zone, found)
        _search(own, assignment, found)
    if not found.notebooks and not found.problem:
        found.others.clear()
        _search(folder, assignment, found)
    if not found.claims and len(_students_in(folder, found.notebooks)) > 1:
        found.problem, found.notebooks = SEVERAL, []


def _students_in(folder: Path, notebooks: list[tuple[str, Path]]) -> set[tuple[str, str]]:
    """Of how many students Moodle or Canvas packed notebooks into a folder, by their numbers."""
    paths = [path.relative_to(folder).parts for _, path in notebooks]
    return {claim[:2] for parts in paths for part in parts for claim in claims(part)[:1]}


def _search(folder: Path, assignment: Assignment, found: HandedIn) -> None:
    """Look through a folder and those in it, level by level. What is wrong matters only while there is no notebook."""
    level, looked_at, wrong = [folder], 0, ""
    for _ in range(MOST_DEPTH):
        below: list[Path] = []
        for here in level:
            try:
                entries = _entries(here)
            except OSError as error:
                wrong = f"the folder {plain(here.name)} cannot be read ({error.strerror})"
                continue
            looked_at += len(entries)
            if looked_at > MOST_ENTRIES:
                wrong = f"more than {MOST_ENTRIES} files in the folder; expected one notebook"
                break
            below += _sort_out(entries, assignment, found)
        if not below or looked_at > MOST_ENTRIES:
            break
        level = below
    else:
        wrong = wrong or f"more than {MOST_DEPTH} folders in one another; expected the notebook nearer to the top"
    if not found.notebooks:
        found.problem = wrong
    elif wrong:
        found.note = f"Not all was looked at: {wrong}."


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return sorted(islice(entries, MOST_ENTRIES + 1), key=lambda entry: entry.name)


def _sort_out(entries: list[os.DirEntry[str]], assignment: Assignment, found: HandedIn) -> Iterator[Path]:
    """Adds the files, and gives the folders."""
    for entry in entries:
        if LITTER.fullmatch(entry.name):
            found.others += [entry.name] if entry.name == CHECKPOINTS else []
            continue
        if entry.is_dir(follow_symlinks=False):
            is_of_another = entry.name in ASSIGNMENTS and entry.name != assignment.name
            if not is_of_another:  # nbgrader's, of the same student
                yield Path(entry.path)
        elif entry.name != "timestamp.txt":
            _add(found, entry.name, Path(entry.path))


def _read_time(path: Path, zone: ZoneInfo | None, found: HandedIn) -> None:
    """When nbgrader's exchange got the submission: `2027-01-31 23:59:00.123456 UTC`."""
    if not os.path.lexists(path):
        return
    try:
        data = read(path)[:400]
        text = data.decode(json.detect_encoding(data)).removeprefix("\ufeff")
    except SubmissionError as error:
        found.time_text = str(error)
        return
    except UnicodeDecodeError:
        found.time_text = "no text"
        return
    try:
        found.submitted = in_utc(text, zone)
    except ValueError:
        found.time_text = f"“{one_line(text, 60)}”"
