"""What the tests of hostile notebooks share: a machine that listens, and looks for what was left behind."""

from __future__ import annotations

import contextlib
import ctypes
import os
import selectors
import socket
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import filelock
import psutil
import pytest

from tests.grading.submissions import Host
from unet_edu.grading.marks.gradebook import Gradebook

PR_SET_CHILD_SUBREAPER = 36
DEPTH = 3  # of folders in folders that are looked at


class Ears:
    """Sockets of every kind on which this machine listens, and all that they heard."""

    def __init__(self, folder: Path, mark: str) -> None:
        self.heard: list[bytes] = []
        self._selector = selectors.DefaultSelector()
        self._opened = contextlib.ExitStack()
        tcp, udp = (
            self._listen(socket.AF_INET, kind, ("0.0.0.0", 0)) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)
        )
        unix, abstract = str(folder / "socket"), f"{mark}-abstract"
        for address in (unix, f"\0{abstract}"):
            self._listen(socket.AF_UNIX, socket.SOCK_STREAM, address)
        mine = [one.address for all in psutil.net_if_addrs().values() for one in all if one.family == socket.AF_INET]
        ports = tcp.getsockname()[1], udp.getsockname()[1]
        self.host = Host(mark, *ports, addresses=tuple(mine), unix=unix, abstract=abstract)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._hear)
        self._thread.start()

    def _listen(self, family: int, kind: int, address: str | tuple[str, int]) -> socket.socket:
        ear = self._opened.enter_context(socket.socket(family, kind))
        ear.bind(address)
        ear.setblocking(False)
        if kind == socket.SOCK_STREAM:
            ear.listen(64)
        self._selector.register(ear, selectors.EVENT_READ)
        return ear

    def _hear(self) -> None:
        while not self._stopped.is_set():
            for key, _ in self._selector.select(0.1):
                ear: socket.socket = key.fileobj  # type: ignore[assignment]
                if ear.type == socket.SOCK_STREAM:
                    ear.accept()[0].close()
                    self.heard.append(b"a connection")
                else:
                    self.heard.append(ear.recv(1 << 16))

    def close(self) -> None:
        self._stopped.set()
        self._thread.join()
        self._opened.close()


@pytest.fixture(scope="session")
def ears(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ears]:
    with tempfile.TemporaryDirectory() as folder:  # pytest's own have names too long for a socket
        listening = Ears(Path(folder), f"escaped-{os.getpid()}-{time.time_ns()}")
        yield listening
        listening.close()


@pytest.fixture(scope="session")
def host(ears: Ears) -> Host:
    return ears.host


@pytest.fixture(scope="session")
def empty_gradebook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gradebook without anything in it. To make one takes nbgrader seconds, so all processes of a test run share
    it."""
    folder = tmp_path_factory.getbasetemp()
    path = (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "gradebook.db"
    with filelock.FileLock(f"{path}.lock"):
        if not path.exists():
            new = folder / "new.db"
            with Gradebook(f"sqlite:///{new}"):
                pass
            new.rename(path)
    return path


@pytest.fixture(scope="module")
def adopts() -> Iterator[None]:
    """Whose parent dies becomes a child of this process, so that nobody gets lost. Not for longer: other tests count
    their own children."""
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
    yield
    libc.prctl(PR_SET_CHILD_SUBREAPER, 0)


def left_over(mark: str, before: set[int], patience: float = 60.0) -> list[str]:
    """The processes that are descendants of this one, and were not before, or that have the mark in their command
    line."""
    until = time.monotonic() + patience
    while True:
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                command = " ".join(process.cmdline())
                if mark in command:
                    found.append(command)
        for child in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                if child.status() == psutil.STATUS_ZOMBIE:
                    continue
                command = " ".join(child.cmdline())
                if child.pid not in before and "multiprocessing." not in command:  # Python's own helpers stay
                    found.append(command or child.name())
        if not found or time.monotonic() > until:
            return found
        time.sleep(0.2)


def marked_files(mark: str, folders: list[Path]) -> list[Path]:
    """The files and folders whose name holds the mark, down to some depth: a home may hold a million files."""
    found = []
    for top in folders:
        for folder, names, files in os.walk(top):
            found += [Path(folder, name) for name in (*names, *files) if mark in name]
            if len(Path(folder).relative_to(top).parts) >= DEPTH:
                names.clear()
    return found


def snapshot(folders: list[Path]) -> dict[Path, tuple[int, int, int]]:
    """Kind, size and time of all that is in these folders, but for Python's compiled files."""
    state = {}
    for top in folders:
        for path in [top, *top.rglob("*")]:
            if "__pycache__" not in path.parts:
                about = path.lstat()
                state[path] = (about.st_mode, 0 if path.is_dir() else about.st_size, about.st_mtime_ns)
    return state


def in_gradebook(path: Path) -> list[tuple[object, ...]]:
    """All scores that a gradebook holds, without nbgrader's random ids."""
    query = """
        select submitted_assignment.student_id, submitted_assignment.timestamp, base_cell.name, grade.auto_score,
            grade.manual_score, grade.needs_manual_grade, submitted_notebook.late_submission_penalty
        from grade join submitted_notebook on grade.notebook_id = submitted_notebook.id
        join submitted_assignment on submitted_notebook.assignment_id = submitted_assignment.id
        join base_cell on grade.cell_id = base_cell.id"""
    with contextlib.closing(sqlite3.connect(path)) as database:
        return sorted(database.execute(query).fetchall(), key=repr)
