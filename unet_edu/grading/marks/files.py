"""Reads a file that a student handed in: a regular one, within bounds, and nothing behind a link."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

from unet_edu.grading.notebook import MOST_BYTES, NotebookError, content
from unet_edu.grading.text import plain

__all__ = ["SubmissionError", "is_notebook", "read"]

HEAD = 1000  # bytes that show whether a file may be JSON


class SubmissionError(ValueError):
    """A notebook, a folder or a roster that cannot be read: the sentence says which, what is wrong and what to do."""


def read(path: Path, most: int = MOST_BYTES) -> bytes:
    """The bytes of a submitted file.

    Raises
    ------
    SubmissionError
        When it is a link, a pipe or a device, has more bytes than `most`, or cannot be read.
    """
    data = _begin(path, most + 1)
    if len(data) > most:
        usual = "; a notebook of the course has less than 3" if most == MOST_BYTES else ""
        raise SubmissionError(f"{plain(path.name)}: has more than {most / (1 << 20):.3g} MB{usual}")
    return data


def is_notebook(path: Path) -> bool:
    """Whether a file is a notebook by what is in it, whatever its name: browsers save `a.ipynb.json`, `a.ipynb.txt`."""
    try:
        head = _begin(path, HEAD)
        if not head.decode(json.detect_encoding(head), "ignore").lstrip("\ufeff \t\r\n").startswith("{"):
            return False
        return not {"cells", "worksheets"}.isdisjoint(content(read(path)))
    except (SubmissionError, NotebookError):
        return False


def _begin(path: Path, most: int) -> bytes:
    """The first bytes of a file."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    shown = plain(path.name)
    try:
        if path.is_symlink():  # O_NOFOLLOW says so too, where the system has it
            raise SubmissionError(f"{shown}: is a link, not a file; nothing behind a link is graded")
        with open(os.open(path, flags), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise SubmissionError(f"{shown}: is a pipe, a device or a folder, not a file")
            return file.read(most)
    except OSError as error:
        raise SubmissionError(f"{shown}: cannot be read ({error.strerror})") from None
