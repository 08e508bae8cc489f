"""Whom a failure of the grader concerns: one student, whose data it met, or the whole class.

What somebody hands in may have a time, a name or a text that nobody thought of. Then one row fails, and it says so; the
others' marks come all the same.
"""

from __future__ import annotations

import contextlib
import errno
import re
from collections.abc import Callable, Iterator

from unet_edu.grading.text import one_line

__all__ = ["EverybodysError", "bare", "concerns_all", "failing_alone", "told"]

OF_THE_MACHINE = (
    *(errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.ENODEV),  # the disk
    *(errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN),  # the process, the system
)


class EverybodysError(ValueError):
    """Something that every student needs cannot be used, so grading stops. The sentence says what to do."""


@contextlib.contextmanager
def failing_alone(note: Callable[[str], object]) -> Iterator[None]:
    """A step with one student's data. When it raises, `note` gets the reason and all goes on, unless the next student
    would meet the same."""
    try:
        yield
    except Exception as error:
        if concerns_all(error):
            raise
        note(told(error))


def concerns_all(error: Exception) -> bool:
    """Whether an error would meet the next student, too. A file that cannot be written, or a lack of memory, may hang
    on this one's data."""
    return isinstance(error, EverybodysError) or (isinstance(error, OSError) and error.errno in OF_THE_MACHINE)


def told(error: BaseException) -> str:
    """An exception in one line. It is our own, but may quote the notebook: cut, and without control characters."""
    return one_line(f"{type(error).__name__}: {error}", 400)


def bare(text: str) -> str:
    """What is left of a text where nothing else could be made of it: letters that mean nothing to any program."""
    return re.sub(r"[^\w.: @-]", "_", text, flags=re.ASCII).lstrip(" @-") or "_"
