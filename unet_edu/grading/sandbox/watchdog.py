"""The watchdog of a sandbox: what limits of single processes do not bound, it measures for all of them together, twenty
times a second.

Linux limits the memory and the processor time of each process. Sixty-four processes then have sixty-four times as much,
and the number of processes is not limited at all for root. Control groups would do this; but an ordinary user, or a
container, often has none.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unet_edu.grading.result import Stop
    from unet_edu.grading.sandbox.limits import Limits

__all__ = ["Watchdog", "runs_first"]

EVERY = 0.05  # seconds
INIT = "1"  # our own first process, `init.py`


class Watchdog(threading.Thread):
    """Looks at a sandbox until `stop` is called, or until a limit is broken: then it calls `kill`.

    Parameters
    ----------
    root : str
        The sandbox's file system, as seen from outside: /proc/PID/root.
    limits : Limits
    kill : callable
        Ends the sandbox: all of its processes at once.

    Attributes
    ----------
    verdict : pair of (Stop, str) or None
        The limit that was broken, and the sentence that names it. It is there before anything is killed.
    error : Exception or None
        Why nothing could be measured any more. Then, too, the sandbox is killed.
    """

    def __init__(self, root: str, limits: Limits, kill: Callable[[], None]) -> None:
        super().__init__(name="watchdog of a sandbox", daemon=True)
        self.verdict: tuple[Stop, str] | None = None
        self.error: Exception | None = None
        self._limits, self._kill, self._over = limits, kill, threading.Event()
        # Opened before a line of the notebook has run, so no name is looked up later.
        self._processes = os.open(f"{root}/proc", os.O_RDONLY | os.O_DIRECTORY)
        self._disks = [os.open(f"{root}{path}", os.O_PATH | os.O_DIRECTORY) for path in ("/tmp", "/dev/shm")]

    def run(self) -> None:
        runs_first(0)  # of all threads this one: a fork bomb that it has to wait for has thousands of turns before it
        while not self._over.wait(EVERY):
            if self.is_over():
                self._kill()
                return

    def is_over(self) -> bool:
        """Look once: whether a limit is broken, or nothing can be measured any more. Any thread may ask."""
        try:
            self.verdict = self.verdict or self._broken()
        except Exception as error:  # noqa: BLE001 - whatever it is, nothing may run unwatched; who waits for the sandbox raises it
            self.error = error
        return self.verdict is not None or self.error is not None

    def stop(self) -> None:
        """End the watch. The sandbox must be dead by now."""
        self._over.set()
        if self.is_alive():
            self.join()
        for descriptor in (self._processes, *self._disks):
            os.close(descriptor)

    def _broken(self) -> tuple[Stop, str] | None:
        limits = self._limits
        too_many: tuple[Stop, str] = ("crashed", f"started more than {limits.processes} processes and threads")
        processes = [name for name in os.listdir(self._processes) if name.isdigit()]
        # The first is our own. To look at each of too many would give a fork bomb time.
        if len(processes) - 1 > limits.processes:
            return too_many
        tasks = memory = others = 0
        for status in self._read(processes, "status"):
            fields = dict(line.split(b":", 1) for line in status.splitlines())
            tasks += int(fields[b"Threads"])
            memory += _kilobytes(fields, b"VmRSS") + _kilobytes(fields, b"VmSwap")
            others += _kilobytes(fields, b"VmPTE") + _kilobytes(fields, b"HugetlbPages")
        if tasks - 1 > limits.processes:
            return too_many
        if memory + others > limits.memory and self._shared_once(processes) + others > limits.memory:
            return "over memory", f"used more than {limits.memory / 2**30:.1f} GB of memory"
        if self._processor_seconds(processes) > limits.cpu:
            return "timed out", f"used more than {limits.cpu:g} seconds of processor time"
        # What waits in a socket to be read is memory of no process: up to 400 kB in each.
        for used in self._read([INIT], "net/sockstat"):
            if int(used.split()[2]) > limits.files:  # "sockets: used 4"
                return "crashed", f"opened more than {limits.files} sockets"
        if sum(disk.f_files - disk.f_ffree for disk in map(os.fstatvfs, self._disks)) > limits.entries:
            return "crashed", f"made more than {limits.entries} files"
        return None

    def _shared_once(self, processes: list[str]) -> int:
        """Bytes of memory, where what several processes share counts once. The kernel walks through all pages for it,
        so not every time."""
        memory = 0
        for rollup in self._read(processes, "smaps_rollup"):
            fields = dict(line.split(b":", 1) for line in rollup.splitlines()[1:])
            memory += sum(_kilobytes(fields, name) for name in (b"Pss", b"SwapPss"))
        return memory

    def _processor_seconds(self, processes: list[str]) -> float:
        """Of all processes, with those that ended and were waited for."""
        ticks = 0
        for stat in self._read(processes, "stat"):
            fields = stat.rpartition(b")")[2].split()  # the name before it is the notebook's to choose
            ticks += sum(int(field) for field in fields[11:15])  # utime, stime, and both of the children
        return ticks / os.sysconf("SC_CLK_TCK")

    def _read(self, processes: list[str], name: str) -> Iterator[bytes]:
        """A file of the kernel's for each process that is still there."""
        for process in processes:
            try:
                descriptor = os.open(f"{process}/{name}", os.O_RDONLY, dir_fd=self._processes)
            except (FileNotFoundError, ProcessLookupError):
                continue
            try:
                yield os.read(descriptor, 65536)
            except ProcessLookupError:
                continue
            finally:
                os.close(descriptor)


def runs_first(process: int) -> None:
    """Let a process (0: this thread) run before all others when it has something to do. Root alone may: for others the
    kernel limits the number of processes."""
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(process, os.SCHED_FIFO, os.sched_param(1))


def _kilobytes(fields: dict[bytes, bytes], name: bytes) -> int:
    """One line of the kernel's, in bytes. A process that has ended has no memory, and no such line."""
    return int(fields.get(name, b"0 kB").split()[0]) * 1024
