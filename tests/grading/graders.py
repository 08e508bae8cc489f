"""In place of the grader, for tests of who calls it. Here, where little else is, so that a process that must find them
starts soon."""

from __future__ import annotations

import hashlib
import os
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from unet_edu.grading.result import Outcome, Result
from unet_edu.grading.sandbox.limits import Limits, SandboxError

if TYPE_CHECKING:
    from unet_edu.grading.assignment import Assignment

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


def by_its_words(notebook: bytes, assignment: Assignment, seed: int, limits: Limits, *, unsafe: bool = False) -> Result:
    """Grades by what the "notebook" says: `7` is a mark, `crashed` and so on a status. `!` fells the grader. Writes
    down each call."""
    text = notebook.decode()
    if log := os.environ.get("UNET_EDU_TEST_LOG"):
        with open(log, "a") as file:
            file.write(f"{text}\n")
    word, *options = text.split()
    if word == "!":
        raise RuntimeError("a mistake of ours")
    if "slow" in options:
        time.sleep(0.05)
    if "asleep" in options:
        time.sleep(60)
    left, outcomes = float(word) if word.isdigit() else 0.0, []
    for exercise, points in assignment.points:
        earned = min(points, left)
        left -= earned
        outcomes.append(Outcome(exercise, points, earned, "right" if earned else "wrong", f"said of {exercise}"))
    return Result(
        assignment.name,
        "graded" if word.isdigit() else text.partition(" ")[0].replace("_", " "),  # type: ignore[arg-type]
        "" if word.isdigit() else "because",
        tuple(outcomes) if word.isdigit() else (),
        hashlib.sha256(notebook).hexdigest(),
        os.environ["UNET_EDU_TEST_ENGINE"],
        seed,
        sum(points for _, points in assignment.points),
        not unsafe,
        ("cell 3 stopped",) if "note" in options else (),
    )


def able(answer: str, unsafe: bool) -> str:
    """What a worker of a cluster says of itself."""
    if answer == "no sandbox":
        raise SandboxError("bubblewrap is missing: sudo apt install bubblewrap")
    return answer


def named(count: int) -> list[tuple[str, bytes]]:
    """So many students and notebooks."""
    return [(f"student-{n}", f"notebook-{n}".encode()) for n in range(count)]
