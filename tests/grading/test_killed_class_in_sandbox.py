"""A class is graded by the real command, which is killed again and again: in the end the tables are those of an
undisturbed run.

Twelve notebooks, so that it takes no longer than it must. `UNET_EDU_TEST_CLASS=200 pytest
tests/grading/test_killed_class_in_sandbox.py` takes as many as you like.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from tests.grading.conftest import in_gradebook, left_over
from tests.grading.submissions import ROOT, filled, packed, small, solutions
from unet_edu.grading.assignment import ASSIGNMENTS
from unet_edu.grading.marks import classroom
from unet_edu.grading.sandbox import Limits

pytestmark = pytest.mark.needs("bubblewrap")

COUNT = int(os.environ.get("UNET_EDU_TEST_CLASS", "12"))
KILLS = 3
SEED = 2015
NAME = "02_convolution"
PATIENCE = 600  # seconds, for the whole class on a busy machine
GOOD = solutions()


def class_of(folder: Path, count: int) -> Path:
    """Notebooks of ten kinds in turn, each with a line of its own, so that no two are alike."""
    functions = list(GOOD.values())
    kinds: list[Callable[[str], bytes]] = [
        lambda line: small(line, *functions),
        lambda line: small(line, *functions[:2]),
        lambda line: small(line, *functions[2:], "def out_size(*args, **kwargs):\n    return 1"),
        lambda line: small(line, "1 / 0\n\n" + "\n\n".join(functions)),
        lambda line: packed(filled(first=[line])),
        lambda line: packed(filled(first=[line], written=False)),
        lambda line: small(line, functions[0], "import os\nos._exit(1)", *functions[1:]),
        lambda line: small(line, "from unet_edu.convolution import conv2d as conv2d_naive", *functions[1:]),
        lambda line: small(line, "def mean(x):\n    return sum(x) / len(x)"),
        lambda line: line.encode(),
    ]
    folder.mkdir()
    for n in range(count):
        (folder / f"student-{n:03d}.ipynb").write_bytes(kinds[n % len(kinds)](f"who = {n}"))
    return folder


def start(submissions: Path, output: Path) -> subprocess.Popen[bytes]:
    """The command, as an instructor gives it."""
    command = [sys.executable, "-m", "unet_edu", "grade", NAME, submissions, "--output", output, "--seed", SEED]
    words = [str(word) for word in [*command, "--workers", 2, "--quiet"]]
    with (output.parent / "said").open("ab") as said:
        return subprocess.Popen(words, cwd=ROOT, stdout=said, stderr=said, start_new_session=True)


def finish(submissions: Path, output: Path) -> None:
    code = start(submissions, output).wait(PATIENCE)
    assert code == 3, (output.parent / "said").read_text()[-2000:]  # graded, and some need a person


def grade_here(submissions: Path, output: Path, **options: Any) -> dict[str, object]:
    """The same without the command. Gives all that comes of it."""
    classroom.grade_class(ASSIGNMENTS[NAME], submissions, output, seed=SEED, limits=Limits(), **options)
    return tables(output)


def results(output: Path) -> int:
    return len(list((output / NAME / "results").glob("*.json")))


def tables(output: Path) -> dict[str, object]:
    """All that an instructor gets, but for when it was made."""
    place = output / NAME
    found: dict[str, object] = {path.name: path.read_bytes() for path in place.glob("*.csv")}
    found |= {path.name: path.read_bytes() for path in (place / "feedback").iterdir()}
    found["gradebook"] = in_gradebook(output / "gradebook.db")
    return found


@pytest.fixture(scope="module")
def submissions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return class_of(tmp_path_factory.mktemp("class") / "submissions", COUNT)


@pytest.fixture(scope="module")
def undisturbed(submissions: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    return grade_here(submissions, tmp_path_factory.mktemp("undisturbed") / "grading", workers=2)


def assert_same(found: dict[str, object], expected: dict[str, object]) -> None:
    assert found.keys() == expected.keys()
    for name, content in expected.items():
        assert found[name] == content, name


def test_the_undisturbed_run_is_complete(undisturbed: dict[str, object]) -> None:
    assert len(undisturbed) == COUNT + 4  # a page each; three tables and the gradebook
    table = undisturbed["marks.csv"].decode().splitlines()  # type: ignore[attr-defined]
    assert len(table) == COUNT + 1
    for status in ("graded", "needs review", "unreadable"):
        assert sum(f",{status}," in line for line in table) >= COUNT // 10
    assert len(undisturbed["gradebook"]) == 5 * COUNT  # type: ignore[arg-type]  # a row for each function


def test_killed_again_and_again(
    submissions: Path, undisturbed: dict[str, object], adopts: None, tmp_path: Path
) -> None:
    """Once while it starts, then whenever some more results are there, and a moment later."""
    rng, output, killed = np.random.default_rng(), tmp_path / "grading", 0
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    for n in range(KILLS):
        grader = start(submissions, output)
        there = results(output)
        wanted = rng.integers(1, COUNT // 4) if n else 0
        until = time.monotonic() + PATIENCE
        while grader.poll() is None and results(output) < there + wanted and time.monotonic() < until:
            time.sleep(0.005)
        time.sleep(rng.uniform(0, 0.3 if n else 2))  # the moment is what is drawn here
        if grader.poll() is None:
            grader.send_signal(signal.SIGKILL)
        killed += grader.wait() == -signal.SIGKILL
        assert not left_over("no mark", before), "processes lived on when the grader was killed"
    assert killed == KILLS, "the class was graded before the grader could be killed so often"
    assert results(output) < COUNT, "nothing was left to do"
    finish(submissions, output)
    assert_same(tables(output), undisturbed)

    written = {path: path.stat().st_mtime_ns for path in (output / NAME / "results").iterdir()}
    again = grade_here(submissions, output)
    assert written == {path: path.stat().st_mtime_ns for path in (output / NAME / "results").iterdir()}, "graded again"
    assert_same(again, undisturbed)


@pytest.fixture
def dask_cluster() -> Iterator[object]:
    distributed = pytest.importorskip("distributed")
    options = {"n_workers": 2, "threads_per_worker": 1, "scheduler_kwargs": {"dashboard": False}}
    with distributed.LocalCluster(**options, processes=True) as cluster:
        yield cluster


def test_one_dask_worker_killed(
    submissions: Path, undisturbed: dict[str, object], dask_cluster: object, tmp_path: Path
) -> None:
    output, victim = tmp_path / "grading", next(iter(dask_cluster.workers.values()))  # type: ignore[attr-defined]
    pid, killed = victim.pid, []

    def kill() -> None:
        until = time.monotonic() + PATIENCE
        while results(output) < COUNT // 10 and time.monotonic() < until:
            time.sleep(0.01)
        psutil.Process(pid).kill()  # the worker, not its nanny, which lives in this process
        killed.append(results(output))

    killer = threading.Thread(target=kill)
    killer.start()
    found = grade_here(submissions, output, scheduler=dask_cluster.scheduler_address)  # type: ignore[attr-defined]
    killer.join()
    assert killed and killed[0] < COUNT, "the worker was not killed while there was work to do"
    assert_same(found, undisturbed)
