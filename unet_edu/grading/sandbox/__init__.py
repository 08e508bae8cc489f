"""A sandbox in which a stranger's notebook runs: bubblewrap, a filter of system calls, limits, and a watchdog.

The grader holds the only end of every pipe. It sends a request and waits, with a bound on everything that can come
back:

    grader ── request pipe ──► the program inside ── reply pipe ──► grader
                               its stdout and stderr ─────────────► grader, as `printed`

A request or a reply is a frame: its length as 8 bytes, big-endian, then so many bytes. No file of the sandbox is ever
read.

What the program inside has to do
    It is `inside/runner.py`, seen as /course/runner.py: a module with a function `main(requests, replies)` of two open
    files' numbers. It is imported first; then the sandbox is ready, and `main` is called (by `init.py`). It reads
    requests, and answers each with exactly one frame, after it has flushed stdout and stderr. When the request pipe
    ends, it ends. In /course, which is first on `sys.path`, lie `unet_edu`, whose `checks` hold only what knows no
    reference, and whatever else is in `inside/`. The current folder is /tmp, which is also HOME and the only place,
    with /dev/shm, where it can write. Standard input is /dev/null. Limits are set before it starts.

Without bubblewrap there is `unsafe=True`: the same program as an ordinary process that can read and change whatever you
can.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self

from unet_edu.grading.result import Stop
from unet_edu.grading.sandbox import view
from unet_edu.grading.sandbox.bubblewrap import ENVIRONMENT, MOST_SAID, bubblewrap, limited, require
from unet_edu.grading.sandbox.limits import USUAL, Limits, SandboxError, Stopped, megabytes
from unet_edu.grading.sandbox.watchdog import EVERY, Watchdog, runs_first
from unet_edu.grading.text import one_line

__all__ = ["Limits", "Sandbox", "SandboxError", "Stopped", "require"]

READ_AT_ONCE = 1 << 20  # bytes
LAST_WORDS = 1.0  # seconds that a process has to end after it closed its pipe, so that we can say how it ended
DEATH = 30.0  # seconds; SIGKILL takes some milliseconds, but a machine that swaps may need long to give memory back


class Sandbox:
    """A program that runs strangers' code, and answers. Use it in a `with` block: when that ends, no process is left.

    Parameters
    ----------
    limits : Limits
    unsafe : bool
        Run it as an ordinary process instead. It sees the same course, but also your files and your network. Its own
        process group is killed at the end; a process that left the group lives on. Of the limits, those of wall time,
        output and reply hold; on Linux also those of memory and processor time, for each process by itself.

    Raises
    ------
    SandboxError
        At the start of the `with` block: there is no sandbox here, or the program inside did not get ready. It says
        nothing about any notebook.
    """

    def __init__(self, limits: Limits = USUAL, *, unsafe: bool = False) -> None:
        self.limits = limits
        self._unsafe = unsafe
        self._opened, self._life = contextlib.ExitStack(), contextlib.ExitStack()
        self._watchdog: Watchdog | None = None
        self._process: Any = None  # a Popen, from the start on
        self._first, self._init = 0, -1  # the first process in the sandbox, with which all end: number and pidfd
        self._stopped: Stopped | None = None
        self._unread, self._amount = bytearray(), 0  # what was printed since the last call of `printed`; bytes in all

    def __enter__(self) -> Self:
        try:
            self._start()
            self._exchange(b"", self.limits.start)
            if not self._unsafe:
                self._watch()
        except Stopped as stopped:
            said = one_line(self.printed(), MOST_SAID)
            self._close()
            raise SandboxError(f"The sandbox did not start: it {stopped.detail}. {said}".strip()) from None
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def ask(self, request: bytes, seconds: float) -> bytes:
        """Send a request, and wait for the reply.

        Parameters
        ----------
        request : bytes
        seconds : float
            From now until the whole reply is here.

        Returns
        -------
        bytes
            Whatever the program inside chose to send: at most `limits.reply` bytes.

        Raises
        ------
        Stopped
            When there is no reply. From then on, always.
        SandboxError
            When the sandbox could not be watched any more, which is no fault of the notebook.
        """
        if self._stopped is not None:
            raise self._stopped
        with contextlib.suppress(BlockingIOError):
            if os.read(self._reply, 1):
                self._stop("crashed", "sent a reply before it was asked")
        reply = self._exchange(len(request).to_bytes(8, "big") + request, seconds)
        # What it left behind since the watchdog's last look is its own doing, not that of the next request.
        if self._watchdog is not None and self._watchdog.is_over():
            self._stop("crashed", "broke a limit")  # the watchdog's words take the place of these
        return reply

    def printed(self) -> str:
        """What came on stdout and stderr since the last call: at most `limits.output` bytes in all, not escaped."""
        self._read_output()
        text = self._unread.decode(errors="replace")
        self._unread.clear()
        return text

    def _start(self) -> None:
        """Start the program; keep our ends of its pipes, and close its own."""
        if os.name != "posix":
            raise SandboxError("Grading needs Linux or macOS. On Windows, use WSL 2.")
        with contextlib.ExitStack() as theirs:
            request, self._request = self._pipe(ours=1, theirs=theirs)
            self._reply, reply = self._pipe(ours=0, theirs=theirs)
            self._output, output = self._pipe(ours=0, theirs=theirs)
            life, end_of_life = os.pipe()
            theirs.callback(os.close, life)
            self._life.callback(os.close, end_of_life)
            before: list[str] = []
            files: list[int] = []
            if self._unsafe:
                # A notebook can spoil what is in it.
                temporary = tempfile.TemporaryDirectory(prefix="unet-edu-", ignore_cleanup_errors=True)
                folder = Path(self._opened.enter_context(temporary))
                course = folder / "course"
                view.copy_course(course)
                environment = {**ENVIRONMENT, "HOME": str(folder), "PATH": os.environ.get("PATH", os.defpath)}
            else:
                folder, course = Path("/"), view.COURSE
                # No pipe: when one breaks, bubblewrap dies, and leaves a process behind.
                self._info = os.memfd_create("info")
                self._opened.callback(os.close, self._info)
                before, files = bubblewrap(self.limits, theirs)
                before += ["--info-fd", str(self._info)]
                files += [self._info]
                environment = {}  # bubblewrap sets what the program gets; its own can be read in the sandbox
            program = [sys.executable, "-I", "-B", str(course / "init.py"), *map(str, (life, request, reply))]
            self._process = subprocess.Popen(
                [*before, *limited(self.limits, unsafe=self._unsafe), *program],
                env=environment,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=[life, request, reply, *files],
                start_new_session=True,  # Ctrl-C is for the grader, which then ends the sandbox
            )

    def _pipe(self, *, ours: int, theirs: contextlib.ExitStack) -> tuple[int, int]:
        """A pipe whose end `ours` never blocks, and is open as long as the sandbox."""
        ends = os.pipe()
        self._opened.callback(os.close, ends[ours])
        theirs.callback(os.close, ends[1 - ours])
        os.set_blocking(ends[ours], False)
        return ends

    def _watch(self) -> None:
        """Find the sandbox's first process, and let the watchdog look through its eyes. Only our code has run in it."""
        self._first = json.loads(os.pread(self._info, 4096, 0))["child-pid"]
        self._init = os.pidfd_open(self._first)
        self._opened.callback(os.close, self._init)
        self._watchdog = Watchdog(f"/proc/{self._first}/root", self.limits, self._kill)
        self._watchdog.start()

    def _exchange(self, frame: bytes, seconds: float) -> bytes:
        """Write a frame and read the reply, bit by bit; and keep what is printed meanwhile, so that no pipe is full."""
        deadline = time.monotonic() + seconds
        left, reply = memoryview(frame), bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(self._reply, selectors.EVENT_READ)
            selector.register(self._output, selectors.EVENT_READ)
            if left:
                selector.register(self._request, selectors.EVENT_WRITE)
            while len(reply) < self._size(reply):
                if self._amount > self.limits.output:
                    self._stop("crashed", f"printed more than {megabytes(self.limits.output)}")
                # Both are asked before we read: what it left in the pipe is read first, also where the whole machine
                # stood still for a while.
                late, ended = time.monotonic() > deadline, self._process.poll() is not None
                ready = {key.fd for key, _ in selector.select(0 if late or ended else EVERY)}
                if self._request in ready:
                    left = left[self._write(left) :]
                    if not left:
                        selector.unregister(self._request)
                if self._output in ready and not self._read_output():
                    selector.unregister(self._output)
                if self._reply in ready:
                    ended = not self._read_reply(reply)
                if ended:
                    self._stop(*self._end())
                if late and len(reply) < self._size(reply):
                    self._stop("timed out", f"ran longer than {seconds:g} seconds")
        self._read_output()
        return bytes(memoryview(reply)[8:])

    def _size(self, reply: bytearray) -> int:
        """How long the frame is of which this is the beginning."""
        length = int.from_bytes(reply[:8], "big") if len(reply) >= 8 else 0
        if length > self.limits.reply:
            self._stop("crashed", f"sent an answer of more than {megabytes(self.limits.reply)}")
        return 8 + length

    def _read_reply(self, reply: bytearray) -> bool:
        """Read more of the frame, never beyond its end; False when the pipe was closed."""
        try:
            chunk = os.read(self._reply, min(self._size(reply) - len(reply), READ_AT_ONCE))
        except BlockingIOError:  # the program can open its end for reading, too, and be faster
            return True
        reply += chunk
        return bool(chunk)

    def _write(self, data: memoryview) -> int:
        """Write as much as there is room for."""
        try:
            return os.write(self._request, data)
        except BlockingIOError:  # likewise
            return 0
        except BrokenPipeError:
            self._stop(*self._end())

    def _read_output(self) -> bool:
        """Take what was printed, until there is no more for now, or it is too much; False when the pipe was closed."""
        while self._amount <= self.limits.output:
            try:
                chunk = os.read(self._output, READ_AT_ONCE)
            except BlockingIOError:
                break
            self._unread += chunk
            self._amount += len(chunk)
            if not chunk:
                return False
        return True

    def _end(self) -> tuple[Stop, str]:
        """How the program inside came to its end."""
        try:
            code = self._process.wait(LAST_WORDS)
        except subprocess.TimeoutExpired:
            return "crashed", "closed the pipe to the grader"
        number = -code if code < 0 else code - 128  # as Popen and as bubblewrap say that it was a signal
        if number not in set(signal.Signals):
            return "crashed", f"ended the process, with exit status {code}"
        name = signal.Signals(number).name
        if name == "SIGXCPU":
            return "timed out", f"used more than {self.limits.cpu} seconds of processor time"
        return "crashed", f"was ended by the signal {name}"

    def _stop(self, why: Stop, detail: str) -> NoReturn:
        """Kill everything, and raise Stopped: for the limit that the watchdog saw broken, if it killed first."""
        self._kill()
        if self._watchdog is not None:
            if self._watchdog.error is not None:
                said = f"The sandbox could not be watched: {self._watchdog.error}"
                raise SandboxError(said) from self._watchdog.error
            why, detail = self._watchdog.verdict or (why, detail)
        self._stopped = Stopped(why, detail)
        raise self._stopped

    def _kill(self) -> None:
        """Kill all processes. Those of a sandbox end with its first one: the kernel sees to it, and starts no other."""
        # macOS says the second of a group that has ended.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if self._init >= 0:
                signal.pidfd_send_signal(self._init, signal.SIGKILL)
                runs_first(self._first)  # while its end waits for its turn, a fork bomb has thousands of children
            elif self._unsafe and self._process is not None:
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._life.close()  # a sandbox that has only begun to start ends by this

    def _close(self) -> None:
        """Kill all processes, wait until they are dead, and close the pipes."""
        self._kill()
        try:
            if self._process is not None:
                self._process.wait(DEATH)
            if self._init >= 0 and not _has_ended(self._init, DEATH):
                raise subprocess.TimeoutExpired("sandbox", DEATH)
        except subprocess.TimeoutExpired:
            raise SandboxError(f"A process of the sandbox could not be killed within {DEATH:g} seconds.") from None
        finally:
            if self._watchdog is not None:
                self._watchdog.stop()
            self._life.close()
            self._opened.close()
            self._request = self._reply = self._output = -1  # the numbers may soon be other files'


def _has_ended(pidfd: int, seconds: float) -> bool:
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(seconds * 1000))
