"""Which of several notebooks of one student counts."""

from __future__ import annotations

import ast
import hashlib
import os
from pathlib import Path
from typing import NamedTuple

from unet_edu.grading import notebook
from unet_edu.grading.assignment import Assignment
from unet_edu.grading.cells import MOST_SIGNS, parsed, signs_in
from unet_edu.grading.marks.files import SubmissionError, read
from unet_edu.grading.marks.handed_in import COPY, SHOWN
from unet_edu.grading.text import plain

__all__ = ["Choice", "choose"]

MOST_COMPARED = 20  # notebooks of one student


class Choice(NamedTuple):
    """The notebook that counts.

    Parameters
    ----------
    path : Path or None
        None when there is a problem.
    problem, doubt, note : str
        Why none counts; why a person has to confirm the choice; what else lies there.
    """

    path: Path | None
    problem: str = ""
    doubt: str = ""
    note: str = ""


class _Content(NamedTuple):
    is_readable: bool
    solves: bool  # whether it has one of the assignment's functions, or may have: it cannot be read
    defines: tuple[str, ...]  # of one that cannot be read, a digest


def choose(notebooks: list[tuple[str, Path]], assignment: Assignment) -> Choice:
    """The one named as the assignment, before others; but one that has none of its functions only if none has.

    Parameters
    ----------
    notebooks : list of (str, Path)
        At least one, each with its name as the student gave it.
    assignment : Assignment
    """
    if len(notebooks) == 1:
        return Choice(notebooks[0][1])
    names = [plain(name or path.name)[:60] for name, path in notebooks]
    if len(notebooks) > MOST_COMPARED:
        return Choice(None, f"{len(names)} notebooks ({_listed(names)}); leave one")
    contents = [_content(path, assignment) for _, path in notebooks]
    order = [_rank(name, path, content, assignment) for (name, path), content in zip(notebooks, contents, strict=True)]
    best = order.index(min(order))
    if len({*names}) < len(names):  # then the folders tell them apart
        above = os.path.commonpath([path.parent for _, path in notebooks])
        names = [plain(os.path.relpath(path, above)) for _, path in notebooks]
    mine, path, others = contents[best], notebooks[best][1], _listed(names[:best] + names[best + 1 :])
    rivals = [content.defines for content in contents if content.solves or not mine.solves]
    if {*rivals} != {mine.defines}:
        how = "that differ" if mine.solves else "without a function of the assignment"
        return Choice(
            path,
            doubt=f"{len(names)} notebooks {how}: {names[best]} counts so far, not {others}. Decide which of them "
            "counts.",
        )
    same = "with the same functions" if len(rivals) == len(names) else "of which one has the assignment's functions"
    return Choice(path, note=f"{len(names)} notebooks {same}: {names[best]} counts, not {others}.")


def _rank(name: str, path: Path, content: _Content, assignment: Assignment) -> tuple[int, ...]:
    """What counts before what: the smallest counts. What lies nearer to the top is before what lies in a folder."""
    stem = name[:-6] if name.lower().endswith(".ipynb") else name
    return (
        not content.is_readable,
        not content.solves,
        stem != assignment.name,
        len(path.parts),
        bool(COPY.search(stem)),
    )


def _listed(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")


def _content(path: Path, assignment: Assignment) -> _Content:
    """What a notebook defines, whatever it shows, prints and calls. One that cannot be read may be the work."""
    data = b""
    try:
        data = read(path)
        found = notebook.read(data)
    except (SubmissionError, notebook.NotebookError):
        return _Content(False, True, (hashlib.sha256(data).hexdigest(),))
    defines = tuple(part for source in found.cells for part in _definitions(source))
    return _Content(True, any(map(found.defined, assignment.names)), defines)


def _definitions(source: str) -> list[str]:
    """The statements of a cell that may change what a function gives. Of a cell that is no Python, its text."""
    try:
        tree = parsed(source)[0] if signs_in(source) <= MOST_SIGNS else None
        if tree is None:
            return [source]
        return [ast.dump(statement) for statement in tree.body if not isinstance(statement, ast.Expr)]
    except (RecursionError, MemoryError):
        return [source]
