"""What is graded already: one file a student, so that a grader that was killed goes on where it stood.

A file is written whole or not at all, and says itself whether it is as it was written. One that is not is put aside,
never believed.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import importlib.metadata
import json
import site
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from unet_edu.data.files import write_whole
from unet_edu.grading.marks.alone import concerns_all, told
from unet_edu.grading.result import Result

__all__ = ["Conditions", "Grading", "Journal", "file_name", "installed"]

LONGEST_NAME = 180  # of a file; systems allow 255 bytes, and others' endings follow


@dataclass(frozen=True)
class Conditions:
    """All on which a notebook's result depends, but for the notebook.

    Parameters
    ----------
    assignment : str
        The assignment's fingerprint.
    engine : str
    seed : int
    limits : dict
        Name → number.
    unsafe : bool
    packages : str
        A digest of Python and the packages that a notebook finds here.
    """

    assignment: str
    engine: str
    seed: int
    limits: dict[str, float]
    unsafe: bool
    packages: str


@dataclass(frozen=True)
class Grading:
    """What the journal keeps of one student: the last result of the grader, and the mark that it does not replace."""

    student: str
    result: Result
    earlier: Result | None
    assignment: str
    limits: dict[str, float]
    doubt: str = ""  # why the folder of submissions asks for a person
    packages: str = ""

    def holds(self, notebook: str, doubt: str, conditions: Conditions) -> bool:
        """Whether this notebook, by its SHA-256, would get this same result now.

        Limits and packages count only for a notebook that ran into a limit or missed a package, or may have. A result
        of the sandbox is good enough where none is asked for.
        """
        result = self.result
        at_ease = result.status == "graded" and not result.notes
        return (
            (result.notebook, result.engine, result.seed) == (notebook, conditions.engine, conditions.seed)
            and (self.assignment, self.doubt) == (conditions.assignment, doubt)
            and (result.sandboxed or conditions.unsafe)
            and (at_ease or (self.limits, self.packages) == (conditions.limits, conditions.packages))
        )

    @property
    def mark(self) -> Result | None:
        """The result that has the last good mark, if there ever was one."""
        return self.earlier or (None if self.result.earned is None else self.result)

    @classmethod
    def after(
        cls, before: Grading | None, student: str, result: Result, conditions: Conditions, *, doubt: str, force: bool
    ) -> Grading:
        """What is kept when `result` comes. An earlier mark goes only for a new one, and a mark of the sandbox only for
        one of the sandbox."""
        earlier = before.mark if before and not force else None
        if earlier and result.earned is not None and (result.sandboxed or not earlier.sandboxed):
            earlier = None
        return cls(student, result, earlier, conditions.assignment, conditions.limits, doubt, conditions.packages)


@functools.cache
def installed() -> str:
    """A digest of Python and of the packages that a notebook finds: those of the environment, and no others."""
    found = importlib.metadata.distributions(path=site.getsitepackages())
    names = {f"{package.name} {package.version}" for package in found}
    return hashlib.sha256("\n".join([sys.version, *sorted(names)]).encode()).hexdigest()


class DamagedError(ValueError):
    """A file of the journal that is not as it was written."""


class Journal:
    """The gradings of one assignment.

    Parameters
    ----------
    folder : Path
        Is made if it is not there.
    say : callable
        Is told, in a sentence, of each file that cannot be believed.
    """

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        self.folder = folder
        self.say = say
        folder.mkdir(parents=True, exist_ok=True)
        self.gradings: dict[str, Grading] = {}
        self._unread: dict[str, Exception] = {}
        for path in sorted(folder.glob("*.json")):
            try:
                self._take_up(path)
            except Exception as error:
                if concerns_all(error):
                    raise
                self._unread[path.name] = error
                say(f"{path}: could not be read ({told(error)}); it stays as it is, and whose it is needs review")

    def _take_up(self, path: Path) -> None:
        try:
            grading = _read(path)
        except DamagedError as error:
            self.say(
                f"{path}: cannot be believed ({error}); it is now {_put_aside(path).name}, and what it kept is graded "
                "again"
            )
        else:
            self.gradings[grading.student] = grading

    def expect_read(self, student: str) -> None:
        """Raise what the reading of this student's file raised: then it is not known whether they had a mark."""
        error = self._unread.get(file_name(student, ".json"))
        if error is not None:
            raise error

    def write(self, grading: Grading) -> None:
        """Keep a grading: whole, or not at all."""
        kept = dataclasses.asdict(grading)
        text = json.dumps({"sha256": _digest(kept), "grading": kept}, indent=1)
        path = self.folder / file_name(grading.student, ".json")
        write_whole(path, text.encode(), force=True)
        self.gradings[grading.student] = grading


def file_name(student: str, ending: str) -> str:
    """The name of a student's file, on any system: no slash, no dot before it, not too long."""
    name = quote(student, safe=" ,@+")
    if len(name) > LONGEST_NAME:
        name = f"{name[: LONGEST_NAME - 17]}~{hashlib.sha256(student.encode()).hexdigest()[:16]}"
    return name.replace(".", "%2E", 1) + ending if name.startswith(".") else name + ending


def _read(path: Path) -> Grading:
    if not path.is_file():
        raise DamagedError("it is no file")
    try:
        data: Any = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:  # of json, or of UTF-8
        raise DamagedError(str(error)) from None
    kept = data.get("grading") if isinstance(data, dict) else None
    if not isinstance(kept, dict) or data.get("sha256") != _digest(kept):
        raise DamagedError("it was changed, or is damaged")
    try:
        result, earlier = Result.from_json(kept["result"]), kept["earlier"] and Result.from_json(kept["earlier"])
        grading = Grading(**{**kept, "result": result, "earlier": earlier})
    except (TypeError, KeyError) as error:
        raise DamagedError(f"another version of unet-edu wrote it: {error}") from None
    if path.name != file_name(grading.student, ".json"):
        raise DamagedError(f"it is of another student, {grading.student}")
    return grading


def _digest(kept: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


def _put_aside(path: Path) -> Path:
    """Under a name that the journal does not read, and that no other file has."""
    number = 1
    while (aside := path.with_name(f"{path.name}.unreadable-{number}")).exists():
        number += 1
    return path.rename(aside)
