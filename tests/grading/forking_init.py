"""In place of `sandbox/init.py`, for notebooks that need not be kept apart: each has a copy of a process that has
loaded what takes its time to load.

    python -I -B /course/init.py LIFE REQUESTS REPLIES

This file runs inside; `one_sandbox.py` has the side of the grader.
"""

import contextlib
import importlib
import os
import shutil
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import own_init  # type: ignore[import-not-found]
import runner  # type: ignore[import-not-found]

FOLDERS = ("/tmp", "/dev/shm")
main = runner.main


def one_after_the_other(requests: int, replies: int) -> None:
    """First come the names of the modules to load. Then each copy answers requests until one of them ends it, and
    nothing of it is left. An empty frame says that it is ready for the next one."""
    size = int.from_bytes(os.read(requests, 8), "big")
    for name in os.read(requests, size).decode().split():
        importlib.import_module(name)
    while True:
        os.write(replies, bytes(8))
        copy = os.fork()
        if not copy:
            main(requests, replies)
        os.waitpid(copy, 0)
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)  # all but the first process, and this one
        for entry in (entry for folder in FOLDERS for entry in os.scandir(folder)):
            shutil.rmtree(entry) if entry.is_dir(follow_symlinks=False) else os.unlink(entry)


if __name__ == "__main__":
    runner.main = one_after_the_other
    own_init.main(*map(int, sys.argv[1:]))
