"""Limits of time and memory for a check in a notebook: a function that never ends is stopped, and the kernel goes on.

A second thread looks at the clock and at the memory. When too much is gone, it pokes the main thread with a signal,
whose handler raises `Stopped` in the middle of the student's function. Like Ctrl-C, this works between two steps of
Python and not within one long call of a library (`sum` of an endless iterator, one giant product of matrices), and in
the main thread alone: that is where Jupyter and Colab run cells, on every system. A check that runs in another thread
has no limits. Memory that one long call takes (a `list` of an endless iterator, a single giant array) is refused by
Linux, with a MemoryError; other systems refuse only what is larger than the machine.

The grader has its own limits, around its sandbox.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import sysconfig
import threading
import time
from _thread import interrupt_main
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, Self

from unet_edu.checks.answer import Answer, _plain_array, _what_happened, attempt
from unet_edu.checks.exercise import Case

__all__ = ["Limits"]

SECONDS = 20  # for a case; an honest function needs less than 1
SECONDS_IN_ALL = 60
MEMORY = 2 << 30  # bytes more than before; the largest case takes 0.1 GB
PATIENCE = 2  # seconds for which a library is left to tidy up, before it, too, is stopped

NOT_TRIED = "This case was not tried: your function was stopped in another one."

# By itself SIGURG does nothing, so a late one does no harm. Windows has no such signal.
POKE = getattr(signal, "SIGBREAK", None) or signal.SIGURG

# Where no student's code is: with the machinery, in the libraries, in Python itself.
LIBRARIES = (
    str(Path(__file__).parents[1]),
    *{sysconfig.get_paths()[name] for name in ("stdlib", "purelib", "platlib")},
    "<frozen ",
)


class Stopped(BaseException):
    """A function used up its time or its memory. No Exception: `except Exception` lets it pass."""


class Limits:
    """Calls a function on cases, as `attempt` does, until it uses up its time or its memory. Use it in a `with`."""

    def __init__(self) -> None:
        self._end = time.monotonic() + SECONDS_IN_ALL
        self._case_ends = self._library_until = 0.0
        self._memory = _memory()
        self._is_over = threading.Event()
        self._was_stopped = False
        self._watcher = threading.Thread(target=self._watch, args=(threading.get_ident(),), daemon=True)
        self._refusing = contextlib.ExitStack()
        self._before: Any = None

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():  # else no handler may be set
            # Later than by the watcher, whose sentence says more.
            self._refusing.enter_context(_refused_beyond(2 * MEMORY))
            self._before = signal.signal(POKE, self._stop)
            self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._refusing.close()
        self._is_over.set()
        if self._watcher.ident is not None:
            self._watcher.join()  # the handler stays until nobody pokes any more
            signal.signal(POKE, self._before or signal.SIG_DFL)

    def attempt(self, f: Callable[..., Any], case: Case, seconds: float = SECONDS) -> Answer:
        """What `attempt` gives, or an answer of kind "stopped"."""
        if self._was_stopped:
            return Answer("stopped", message=NOT_TRIED)
        self._case_ends = min(time.monotonic() + seconds, self._end)
        self._library_until = self._case_ends + PATIENCE
        try:
            return attempt(f, case)
        except Stopped as stopped:
            self._was_stopped = True
            return Answer("stopped", message=str(stopped))
        finally:
            self._case_ends = 0

    def _why(self) -> str:
        """Why the function should be stopped now; nothing as long as it may go on."""
        if not self._case_ends:
            return ""
        if _memory() > self._memory + MEMORY:
            return (
                f"Your function was stopped when it had taken {MEMORY / (1 << 30):g} GB of memory. Does a list grow "
                "in a loop that never ends, or is an array far too large?"
            )
        if time.monotonic() < self._case_ends:
            return ""
        if self._case_ends == self._end:
            return (
                f"Your function was stopped after {SECONDS_IN_ALL} seconds for all cases together. Does it do the "
                "same work many times over?"
            )
        return (
            f"Your function was stopped after {SECONDS} seconds: does a loop never end? A step of 0, for example, "
            "gets nowhere."
        )

    def _watch(self, main: int) -> None:
        while not self._is_over.wait(0.1):
            if not self._why():
                continue
            switch = sys.getswitchinterval()
            sys.setswitchinterval(1e-5)  # a loop with a bare `except` is left only if it is hit between two rounds
            while self._why() and not self._is_over.wait(1e-4):
                if sys.platform == "win32":
                    interrupt_main(POKE)
                else:
                    signal.pthread_kill(main, POKE)  # wakes up who sleeps, too
            sys.setswitchinterval(switch)

    def _stop(self, _: int, frame: FrameType | None) -> None:
        """Raise `Stopped`, if the function is still running: in its own code, or in a library when that takes long."""
        why = self._why()
        if not why or not _is_within_a_case(frame):
            return
        assert frame is not None
        if frame.f_code.co_filename.startswith(LIBRARIES):
            if time.monotonic() < self._library_until:
                return
            self._library_until = time.monotonic() + PATIENCE
        raise Stopped(why)


def _is_within_a_case(frame: FrameType | None) -> bool:
    """Whether a student's code may be running: `attempt` tidies up behind it, and that must not be stopped."""
    while frame is not None:
        if frame.f_code in (Case.call.__code__, _plain_array.__code__, _what_happened.__code__):
            return True
        if frame.f_code is attempt.__code__:
            return False
        frame = frame.f_back
    return False


@contextlib.contextmanager
def _refused_beyond(more: int) -> Iterator[None]:
    """Linux gives this process only so many bytes more than it has."""
    try:
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[5])  # of data, whether used or not
    except (ImportError, OSError):  # no Linux
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = pages * os.sysconf("SC_PAGE_SIZE") + more
    known = [limit for limit in (soft, hard) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_DATA, (min([wanted, *known]), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _memory() -> int:
    """What this process has in memory, in bytes; 0 where nobody knows."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:  # no Linux
        with contextlib.suppress(ImportError):  # every kernel of Jupyter has it
            import psutil

            return int(psutil.Process().memory_info().rss)
        return 0
