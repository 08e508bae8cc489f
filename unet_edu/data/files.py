"""What every file of this library has in common: written whole or not at all, and its faults are said in a sentence."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

__all__ = ["MENDABLE", "DataError", "whole_file", "write_whole"]


class DataError(Exception):
    """Data that cannot be used: the sentence says which file, what is wrong with it, and what to do."""


MENDABLE = (DataError, ValueError, OSError, FloatingPointError, MemoryError)
"""What the user can mend. Anything else is a mistake in this program."""


@contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A new file beside `path`, open to be filled.

    In the end it takes that place in one step: nobody ever sees half a file.
    """
    path = Path(path)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with open(part, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # or a power cut could leave the name, and nothing in the file
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def write_whole(
    path: str | os.PathLike[str], content: bytes | Callable[[BinaryIO], object], *, force: bool = False
) -> None:
    """Write a file whole or not at all.

    Parameters
    ----------
    path : path
    content : bytes, or a function that fills a file
    force : bool
        Whether it takes the place of a file that is there.

    Raises
    ------
    FileExistsError
        When `path` is there and `force` is not given.
    """
    if os.path.exists(path) and not force:
        raise FileExistsError(f"{os.fspath(path)}: is there already; nothing was overwritten")
    try:
        with whole_file(path) as file:
            if isinstance(content, bytes):
                file.write(content)
            else:
                content(file)
    except OSError as error:
        if error.filename is not None:
            raise
        raise OSError(error.errno, f"{error.strerror}; is the disk full?", str(path)) from None
