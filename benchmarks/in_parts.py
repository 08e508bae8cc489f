"""A long measurement in parts: each in a process of its own, with a limit of time. A part that fails stops no other.

A part is a function that yields rows. A row has a "what"; one with "failed", "skipped" or "missed" says so in a
sentence. For Linux and macOS: Windows has neither process groups nor SIGKILL.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Row = dict[str, Any]
OPTIONAL = {"scipy", "skimage", "tifffile", "imagecodecs", "pooch"}
"""What a part may do without: then it is left out."""


def sentence(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0][:300]}"


def run(part: str, work: Callable[..., Iterator[Row]], *arguments: Any, limit: float) -> list[Row]:
    """The rows of a part, whatever happens to its process; the last one tells its seconds."""
    began, ended = time.perf_counter(), ""
    processes = multiprocessing.get_context("forkserver")  # each is a copy of one that has loaded torch, and no GPU
    processes.set_forkserver_preload(["torch"])
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "rows"
        process = processes.Process(target=_inside, args=(part, work, arguments, path))
        process.start()
        try:
            process.join(limit)
            if process.is_alive():
                ended = f"it was stopped after {limit:g} s"
            elif process.exitcode:
                ended = f"its process ended with {process.exitcode}"
        finally:
            _stop(process)
        lines = path.read_text().split("\n")[:-1] if path.exists() else []  # behind the last end of a line: half a row
    last = {"part": part, "what": "time", "seconds": round(time.perf_counter() - began, 1), "limit": limit}
    last |= {"failed": ended} if ended else {}
    _say(last)
    return [*map(json.loads, lines), last]


def _stop(process: Any) -> None:
    """With all that it has started. Where it has come to its end, nothing happens."""
    if process.is_alive():
        with contextlib.suppress(ProcessLookupError):  # it had no time to make a group
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.join()


def _inside(part: str, work: Callable[..., Iterator[Row]], arguments: tuple[Any, ...], path: Path) -> None:
    os.setsid()

    def note(row: Row) -> None:
        _say({"part": part, **row})
        file.write(json.dumps({"part": part, **row}) + "\n")
        file.flush()

    with path.open("w") as file:
        try:
            for row in work(*arguments):
                note(row)
        except Exception as error:  # noqa: BLE001  it is a row, and no end of the others
            missing = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
            if missing in OPTIONAL:
                note({"what": "what was left of it", "skipped": f"it needs {missing}, which is not installed here"})
            else:
                traceback.print_exc()
                note({"what": "what was left of it", "failed": sentence(error)})


def _say(row: Row) -> None:
    rest = " · ".join(f"{key} {value}" for key, value in row.items() if key not in ("part", "what"))
    print(f"{row['part']:11} {row['what']}: {rest}", flush=True)


def write(path: Path, head: Row, rows: list[Row]) -> None:
    """A row is a line, so that changes are easy to see."""
    lines = ",\n  ".join(json.dumps(row, ensure_ascii=False) for row in rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f'{{"header": {json.dumps(head, ensure_ascii=False)},\n"records": [\n  {lines}\n]}}\n', encoding="utf-8"
    )


def end(rows: list[Row]) -> None:
    """Leave with an error where something went wrong, and name it."""
    wrong = [f"{row['part']}, {row['what']}" for row in rows if "failed" in row or "missed" in row]
    if wrong:
        sys.exit("not well: " + "; ".join(wrong))
