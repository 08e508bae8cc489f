"""Whom a failure of the grader concerns: one student, whose data it met, or the whole class.

What somebody hands in may have a time, a name or a text that nobody thought of. Then one row fails, and it says so; the others' marks come all the same.
"""

from __future__ import annotations

import errno

from unet_edu.grading.text import one_line

__all__ = ["EverybodysError", "concerns_all", "told"]

OF_THE_MACHINE = (
    *(errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.ENODEV),  # the disk
    *(errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN),  # the process, the system
)


class EverybodysError(ValueError):
    """Something that every student needs cannot be used: no row can be right, so grading stops. The sentence says what to do."""


def concerns_all(error: Exception) -> bool:
    """Whether an error would meet the next student, too. A file that cannot be written, or a lack of memory, may hang on this one's data."""
    return isinstance(error, EverybodysError) or (isinstance(error, OSError) and error.errno in OF_THE_MACHINE)


def told(error: BaseException) -> str:
    """An exception in one line. It is the grader's own, but its text may quote the notebook: cut, and without control characters."""
    return one_line(f"{type(error).__name__}: {error}", 400)
