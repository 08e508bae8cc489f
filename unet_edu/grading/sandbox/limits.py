"""What a notebook may use, and what is said when it used more: `Limits`, `Stopped`, `SandboxError`."""

from __future__ import annotations

from dataclasses import dataclass

from unet_edu.grading.result import Stop

__all__ = ["USUAL", "Limits", "SandboxError", "Stopped", "megabytes"]


@dataclass(frozen=True)
class Limits:
    """What a notebook may use. Seconds are of wall time, but for `cpu`; sizes are in bytes.

    Parameters
    ----------
    start, cell, call, total : float
        Until the sandbox is ready; for one cell; for one call of a function; for the whole notebook.
    cpu : int
        Seconds of processor time, of all processes together.
    memory : int
        Of all processes together.
    processes : int
        Processes and threads.
    files : int
        Open files of one process; sockets of all processes together.
    output : int
        What is printed, in all.
    disk : int
        What lies in /tmp and /dev/shm.
    entries : int
        How many files and folders lie there.
    reply : int
        One reply.
    """

    start: float = 60.0
    cell: float = 60.0
    call: float = 20.0
    total: float = 300.0
    cpu: int = 300
    memory: int = 3 << 30
    processes: int = 64
    files: int = 256
    output: int = 8 << 20
    disk: int = 256 << 20
    entries: int = 20_000
    reply: int = 64 << 20


USUAL = Limits()


class Stopped(Exception):
    """The program inside ended, or was killed, before it replied. After it, the sandbox is dead.

    Attributes
    ----------
    why : Stop
    detail : str
        What it did, as the rest of a sentence that starts with "it": "used more than 3.0 GB of memory".
    """

    def __init__(self, why: Stop, detail: str) -> None:
        super().__init__(f"{why}: {detail}")
        self.why: Stop = why
        self.detail = detail

    def __reduce__(self) -> tuple[type[Stopped], tuple[Stop, str]]:
        return type(self), (self.why, self.detail)


class SandboxError(Exception):
    """There is no sandbox here, or it does not work. The text says what to do."""


def megabytes(size: int) -> str:
    """A number of bytes, in words."""
    return f"{size / 2**20:.0f} MB"
