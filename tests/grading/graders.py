"""In place of the grader, for tests of who calls it. Here, where little else is, so that a process that must find them
starts soon."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

from unet_edu.grading.result import Result
from unet_edu.grading.sandbox.limits import SandboxError

BUSY = threading.Lock()


def graded(notebook: bytes) -> Result:
    """What all of these give: the notebook is its own mark's reason."""
    return Result("02_convolution", "graded", notebook.decode(), (), "", "test", 0, 10.0)


def slow(notebook: bytes, *, log: str, seconds: float = 0.05) -> Result:
    """Writes down that it was called, and by whom."""
    with open(log, "a") as file:
        file.write(f"{notebook.decode()} {os.getpid()}\n")
    time.sleep(seconds)
    return graded(notebook)


def sleepy(notebook: bytes, *, log: str) -> Result:
    return slow(notebook, log=log, seconds=0 if notebook == b"quick" else 60)


def killed_once(notebook: bytes, *, log: str, doomed: frozenset[bytes]) -> Result:
    """The process is killed in the middle of a doomed notebook, when that comes for the first time."""
    result = slow(notebook, log=log, seconds=0)
    if notebook in doomed and Path(log).read_text().count(f"{notebook.decode()} ") == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return result


def alone(notebook: bytes, *, log: str) -> Result:
    """Fails when another thread of this process is grading."""
    if not BUSY.acquire(blocking=False):
        raise RuntimeError("two at a time")
    try:
        return slow(notebook, log=log)
    finally:
        BUSY.release()


def wicked(notebook: bytes) -> Result:
    """Some notebooks kill their worker, some find a mistake in the grader."""
    if notebook == b"kills":
        os.kill(os.getpid(), signal.SIGKILL)
    if notebook == b"exits":
        os._exit(3)
    if notebook == b"raises":
        raise RuntimeError("a mistake\x1b[31m of ours")
    return graded(notebook)


class Unreadable:
    """An answer that comes to the parent as no answer."""

    def __reduce__(self) -> tuple[type[int], tuple[str]]:
        return int, ("what no parent can read",)


def unreadable(notebook: bytes) -> Result | Unreadable:
    return Unreadable() if notebook == b"mallory" else graded(notebook)


def able(answer: str, unsafe: bool) -> str:
    """What a worker of a cluster says of itself."""
    if answer == "no sandbox":
        raise SandboxError("bubblewrap is missing: sudo apt install bubblewrap")
    return answer


def named(count: int) -> list[tuple[str, bytes]]:
    """So many students and notebooks."""
    return [(f"student-{n}", f"notebook-{n}".encode()) for n in range(count)]
