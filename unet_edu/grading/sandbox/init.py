"""The sandbox's first process: it starts the program inside, buries what dies, and ends when that program, or the
grader, has ended.

    python -I -B /course/init.py LIFE REQUESTS REPLIES

With a sandbox's first process the kernel ends all others. LIFE is a pipe on which nothing ever comes: its end is the
grader's end. (bubblewrap's own --die-with-parent leaves a process behind when the grader is killed in the moment in
which bubblewrap starts.)

This file runs inside, on its own: it may import nothing of the package.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys

PR_SET_DUMPABLE = 4


def main(life: int, requests: int, replies: int) -> None:
    """Start the program, and say with an empty frame that it is ready for requests."""
    _let_others_look(False)  # or the program could reach into this process through /proc/1, and keep LIFE open
    program = os.fork()
    if not program:
        os.close(life)
        _let_others_look(True)
        sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
        import runner  # type: ignore[import-not-found]  # its imports are paid from the time to start

        os.write(replies, bytes(8))
        runner.main(requests, replies)
        return
    for file in (requests, replies):  # only the program's own, so that the grader sees it close them
        os.close(file)
    signal.signal(signal.SIGCHLD, lambda *_: _bury(program))
    _bury(program)
    os.read(life, 1)
    os.killpg(0, signal.SIGKILL)  # without a sandbox this is what ends; in one, it is the end of this process


def _bury(program: int) -> None:
    """Take note of all children that have ended, so that they are gone; with the program, end."""
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            if ended[0] == program:
                code = os.waitstatus_to_exitcode(ended[1])
                os._exit(code if code >= 0 else 128 - code)  # as a shell says that it was a signal


def _let_others_look(may: bool) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, int(may))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
