"""What every file of this library has in common: it is written whole or not at all, and what is wrong with one is said in a sentence."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

__all__ = ["DataError", "write_whole"]


class DataError(Exception):
    """Data that cannot be used: the sentence says which file, what is wrong with it, and what to do."""


def write_whole(path: str | os.PathLike[str], write: Callable[[BinaryIO], object], *, force: bool = False) -> None:
    """Let `write` fill a file beside `path`, then put it in place in one step: nobody ever sees half a file.

    Raises
    ------
    FileExistsError
        When `path` is there and `force` is not given.
    """
    path = Path(path)
    if path.exists() and not force:
        raise FileExistsError(f"{path}: is there already; nothing was overwritten")
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with open(part, "xb") as file:
            write(file)
        os.replace(part, path)
    except OSError as error:
        if error.filename is not None:
            raise
        raise OSError(error.errno, f"{error.strerror}; is the disk full?", str(path)) from None
    finally:
        part.unlink(missing_ok=True)
