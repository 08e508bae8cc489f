"""Downloads that go on after a broken connection, and archives that cannot write where they should not.

Both leave the folder sound whatever happens: a file or folder has its final name only when it is whole.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import time
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from unet_edu.data.files import DataError

__all__ = ["LIMIT_BYTES", "ResumingDownloader", "appearing", "refuse_strange", "unpack"]

LIMIT_BYTES = 2 * 2**30
"""No benchmark is larger, packed or unpacked. What claims to be is stopped before it fills the disk."""

PAUSES = (1.0, 3.0, 10.0)
"""Seconds to wait before each new try after a broken connection."""

BLOCK = 2**18


class ResumingDownloader(NamedTuple):
    """Downloads for `pooch.retrieve(..., downloader=…)`, and goes on where an earlier download stopped.

    What has come so far is kept in `part`. After a broken connection the server is asked for the rest (HTTP's header
    `Range`), some times at once, and again in the next call. A server that does not know `Range` sends everything
    again. Whether the pieces belong together is decided by pooch, which compares the checksum of the whole.
    """

    part: Path
    progress: bool = True

    def __call__(self, url: str, output_file: Any, pooch: Any) -> None:
        import requests  # comes with pooch, and brings urllib3
        import urllib3

        broken = (requests.ConnectionError, requests.Timeout, urllib3.exceptions.HTTPError, _EndedEarly)
        for pause in (*PAUSES, None):
            try:
                self._rest(url)
                break
            except requests.HTTPError as error:
                raise DataError(f"{url}: the server answered {error}; try again later") from None
            except broken as error:
                if pause is None:
                    raise DataError(self._advice(url, error)) from None
                time.sleep(pause)
            except requests.RequestException as error:
                raise DataError(f"{url}: cannot be asked for ({_reason(error)})") from None
            except DataError:  # far too large: no beginning of what we want
                self.part.unlink(missing_ok=True)
                raise
        os.replace(self.part, output_file)  # and not `write_whole`: what has come must outlive a broken connection

    def _rest(self, url: str) -> None:
        """Ask for what is missing, and append it."""
        import requests
        from tqdm import tqdm

        have = self.part.stat().st_size if self.part.exists() else 0
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        with requests.get(url, headers=headers, stream=True, timeout=(10, 60)) as answer:
            first, total = _extent(answer)
            if have and answer.status_code == 416:
                return  # nothing is behind what we have: it is whole, or of another file, as the checksum will tell
            if have and first not in (0, have):
                self.part.unlink()  # no beginning of what the server goes on with
                return self._rest(url)
            if answer.status_code not in (200, 206):
                raise requests.HTTPError(f"{answer.status_code} {answer.reason}")
            bar = tqdm(
                desc=self.part.stem, initial=first, total=total, unit="B", unit_scale=True, disable=not self.progress
            )
            with open(self.part, "ab" if first else "wb") as file, bar:
                while block := answer.raw.read1(BLOCK):  # what has come by now, so that a break loses nothing
                    if file.tell() + len(block) > LIMIT_BYTES:
                        raise DataError(
                            f"{url}: sends more than {LIMIT_BYTES} bytes, which no benchmark has; "
                            "the address may be wrong"
                        )
                    file.write(block)
                    bar.update(len(block))
                if total is not None and file.tell() < total:
                    raise _EndedEarly(f"{total - file.tell()} bytes are missing")

    def _advice(self, url: str, error: Exception) -> str:
        if not self.part.exists() or not self.part.stat().st_size:
            return f"{url}: cannot be reached ({_reason(error)}); is there a network, and may this machine use it?"
        return (
            f"{url}: the connection broke ({_reason(error)}); {self.part.stat().st_size} bytes are kept in "
            f"{self.part}, and the next try goes on from there"
        )


class _EndedEarly(Exception):
    """The server closed the connection in good order before all had come."""


def _reason(error: Exception) -> str:
    """The innermost cause: what requests wraps around it says nothing to people."""
    while error.args and isinstance(error.args[0], Exception):
        error = error.args[0]
    said = str(getattr(error, "reason", None) or error)
    return re.sub(r"^(.*object at 0x\w+>|HTTPS?Connection\(.*?\)): ", "", said) or type(error).__name__


def _extent(answer: Any) -> tuple[int, int | None]:
    """The place of an answer's first byte in the whole file, −1 if unknown; and the size of the whole, if said."""
    said = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", answer.headers.get("Content-Range", ""))
    if answer.status_code == 206 and said:
        return int(said[1]), None if said[2] == "*" else int(said[2])
    if answer.status_code == 206:
        return -1, None
    length = answer.headers.get("Content-Length", "")
    return 0, int(length) if length.isdigit() and answer.status_code == 200 else None


@contextmanager
def appearing(folder: Path) -> Iterator[Path]:
    """Fill the yielded folder: it becomes `folder` in one step when all went well, and goes away when not.

    Only for one process at a time: leftovers of one that was killed are cleared away.
    """
    temporary = folder.with_name(f".{folder.name}.unpacking")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    try:
        yield temporary
        if folder.exists():
            folder.rmdir()  # an empty one; any other is somebody's, and stays
        os.rename(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def unpack(archive: Path, folder: Path, *, limit: int = LIMIT_BYTES) -> None:
    """Unpack a zip into a folder. All names are looked at before anything is written.

    Parameters
    ----------
    archive : path
    folder : path
        An empty folder.
    limit : int
        The most bytes that may come out.

    Raises
    ------
    DataError
        When the archive is damaged, larger than `limit`, or has a member that is no plain file in the folder: an
        absolute name, "..", a drive letter, a symbolic link, a device, or a name that is there twice (also when only
        capitals differ, which some disks ignore).
    """
    try:
        with zipfile.ZipFile(archive) as pack:
            members = pack.infolist()
            refuse_strange(archive, members)
            declared = sum(member.file_size for member in members)
            if declared > limit:
                raise DataError(
                    f"{archive}: would unpack to {declared} bytes, more than the {limit} that a benchmark may have"
                )
            for member in members:
                _write(pack, member, folder.joinpath(*PurePosixPath(member.filename).parts))
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise DataError(f"{archive}: two of its members want one place ({error}); it should not be used") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise DataError(f"{archive}: is damaged, or no zip that can be read ({error}); fetch it again") from None


def _write(pack: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> None:
    if member.is_dir():
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with pack.open(member) as source, open(path, "xb") as file:
        # zipfile gives no more bytes than were declared, and compares their checksum
        shutil.copyfileobj(source, file, BLOCK)


def refuse_strange(archive: Path, members: list[zipfile.ZipInfo]) -> None:
    """DataError when a member of a zip is no plain file or folder that could be unpacked, or is there twice."""
    seen: set[str] = set()
    for member in members:
        name, kind = member.filename, stat.S_IFMT(member.external_attr >> 16)
        why = None
        if name.startswith("/") or "\\" in member.orig_filename or ":" in name:
            why = "is an absolute path or belongs to another system"
        elif (
            not name.strip("/.")
            or ".." in PurePosixPath(name).parts
            or any(ord(letter) < 32 for letter in member.orig_filename)
        ):
            why = "leads out of the folder or cannot be a name"
        elif kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            why = "is a link or a device, not a file"
        elif (same := unicodedata.normalize("NFC", name).casefold().rstrip("/")) in seen:
            why = "is there twice"
        if why:
            raise DataError(
                f"{archive}: its member {name!r} {why}; nothing was unpacked, and the archive should not be used"
            )
        seen.add(same)
