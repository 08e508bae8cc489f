"""Workers may be killed at any moment: nothing is lost, nobody else is punished, and nothing stays behind."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import types
from collections import Counter
from pathlib import Path

import psutil
import pytest
from distributed import Client

from tests.grading.graders import able, alone, graded, killed_once, named, sleepy, slow, unreadable, wicked
from tests.patience import PATIENCE_S
from unet_edu.grading import engine
from unet_edu.grading.marks import cluster
from unet_edu.grading.marks.cluster import ClusterError, Failure, run, run_on

ROOT = Path(__file__).parents[2]


def calls(log: Path) -> Counter[str]:
    return Counter(line.split()[0] for line in log.read_text().splitlines())


@pytest.fixture(autouse=True)
def nothing_is_left(request):
    before = set(psutil.Process().children(recursive=True))
    yield
    if "dask" in request.fixturenames:  # whose processes are the test's own, and stay
        return
    left = set(psutil.Process().children(recursive=True)) - before
    # Python's own helper of `spawn`, which stays as long as the parent does
    assert not [process for process in left if "resource_tracker" not in " ".join(process.cmdline())]


@pytest.mark.parametrize("workers", [1, 3])
def test_each_notebook_is_graded_once(workers, tmp_path):
    grade = functools.partial(slow, log=str(tmp_path / "log"), seconds=0)
    assert dict(run(grade, iter(named(8)), workers)) == {key: graded(notebook) for key, notebook in named(8)}
    assert calls(tmp_path / "log") == Counter(notebook.decode() for _, notebook in named(8))


def test_nothing_to_grade():
    assert list(run(graded, [], 2)) == []


def test_large_notebooks(tmp_path):
    """More than a pipe holds."""
    notebook = b"n" * (32 << 20)
    ((key, result),) = run(graded, [("ada", notebook)], 1)
    assert key == "ada" and result == graded(notebook)


def test_notebooks_are_asked_for_when_there_is_room():
    asked: list[str] = []

    def tasks():
        for key, notebook in named(6):
            asked.append(key)
            yield key, notebook

    with contextlib.closing(run(graded, tasks(), 2)) as results:
        next(results)
        assert len(asked) == 2


@pytest.mark.parametrize(
    ("notebook", "reason"),
    [
        (b"kills", "the process that graded it was killed (SIGKILL)"),
        (b"exits", "the process that graded it ended (exit code 3)"),
        (b"raises", "RuntimeError: a mistake�[31m of ours"),
    ],
)
def test_a_notebook_that_fells_the_grader_costs_its_own_row(notebook, reason):
    found = dict(run(wicked, [("mallory", notebook), *named(6)], 2))
    assert found.pop("mallory") == Failure(reason)
    assert found == {key: graded(notebook) for key, notebook in named(6)}


def test_an_answer_that_cannot_be_read_costs_its_own_row():
    found = dict(run(unreadable, [*named(6), ("mallory", b"mallory")], 2))
    failure = found.pop("mallory")
    assert isinstance(failure, Failure) and failure.reason.startswith("ValueError: invalid literal for int()")
    assert found == {key: graded(notebook) for key, notebook in named(6)}


def test_a_killed_worker_loses_nothing(tmp_path):
    """Some notebooks' processes are killed. All come in the end, none but these are done again."""
    log, doomed = tmp_path / "log", frozenset(f"notebook-{n}".encode() for n in (0, 3, 6))
    found = dict(run(functools.partial(killed_once, log=str(log), doomed=doomed), named(9), 3))
    assert found == {key: graded(notebook) for key, notebook in named(9)}
    assert calls(log) == Counter({notebook.decode(): 1 + (notebook in doomed) for _, notebook in named(9)})


def test_random_kills_lose_nothing_but_what_was_killed_three_times(tmp_path):
    log, rng, stop, kills, count = tmp_path / "log", random.Random(2015), threading.Event(), [], 40
    log.touch()

    def kill() -> None:
        while not stop.wait(rng.uniform(0, 0.1)) and len(kills) < 6:
            begun = log.read_text().splitlines()
            if begun:
                pid = int(rng.choice(begun[-3:]).split()[1])
                if pid in {child.pid for child in psutil.Process().children()}:  # or it is killed already
                    os.kill(pid, signal.SIGKILL)
                    kills.append(pid)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        found = dict(run(functools.partial(slow, log=str(log), seconds=0.1), named(count), 3))
    finally:
        stop.set()
        killer.join()
    assert len(kills) >= 3
    assert found.keys() == {key for key, _ in named(count)}
    failures = [key for key, answer in found.items() if isinstance(answer, Failure)]
    assert all(found[key] == graded(notebook) for key, notebook in named(count) if key not in failures)
    assert len(failures) <= len(kills) // cluster.TRIES
    assert all(count <= cluster.TRIES for count in calls(log).values())
    assert sum(calls(log).values()) <= count + len(kills)


def test_workers_are_replaced_after_a_while(tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "NOTEBOOKS_A_WORKER", 2)
    list(run(functools.partial(slow, log=str(tmp_path / "log"), seconds=0), named(7), 1))
    pids = [line.split()[1] for line in (tmp_path / "log").read_text().splitlines()]
    assert max(Counter(pids).values()) == 2 and len(set(pids)) == 4


def test_closing_the_iterator_ends_the_workers(tmp_path):
    """`nothing_is_left` looks, in the middle of the others' work."""

    def tasks():
        yield "quick", b"quick"
        yield from named(4)

    grade = functools.partial(sleepy, log=str(tmp_path / "log"))
    with contextlib.closing(run(grade, tasks(), 3)) as results:
        assert next(results)[0] == "quick"


PROGRAM = """
import functools, sys
from tests.grading.graders import named, slow
from unet_edu.grading.marks.cluster import run
if __name__ == "__main__":
    print("ready", flush=True)
    try:
        for key, result in run(functools.partial(slow, log=sys.argv[1], seconds=float(sys.argv[2])), named(4), 2):
            print(key, flush=True)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


def begun(tmp_path: Path, seconds: float) -> tuple[subprocess.Popen[str], list[psutil.Process]]:
    """A grader in a process of its own, as in a terminal, and its workers, which have begun."""
    script, log = tmp_path / "grader.py", tmp_path / "log"
    script.write_text(PROGRAM)
    log.touch()
    grader = subprocess.Popen(
        [sys.executable, script, log, str(seconds)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    end = time.monotonic() + 60
    while len(log.read_text().splitlines()) < 2:
        assert time.monotonic() < end and grader.poll() is None
        time.sleep(0.02)
    return grader, [psutil.Process(int(line.split()[1])) for line in log.read_text().splitlines()]


def test_when_the_grader_is_killed_its_workers_die(tmp_path):
    grader, workers = begun(tmp_path, 60)
    grader.kill()
    grader.wait()
    _, alive = psutil.wait_procs(workers, timeout=PATIENCE_S)
    assert not alive
    grader.stdout.close()


def test_ctrl_c_is_the_parents_to_decide(tmp_path):
    """In a terminal it reaches all processes at once. The workers say nothing of it, and are gone when the parent
    is."""
    grader, workers = begun(tmp_path, 60)
    os.killpg(grader.pid, signal.SIGINT)
    said, _ = grader.communicate(timeout=PATIENCE_S)
    assert said == "ready\ninterrupted\n"
    assert not any(worker.is_running() for worker in workers)


def test_workers_that_are_just_starting_say_nothing_of_ctrl_c(tmp_path):
    script = tmp_path / "grader.py"
    script.write_text(PROGRAM)
    command = [sys.executable, script, tmp_path / "log", "60"]
    for wait in (0.02, 0.1, 0.3):
        grader = subprocess.Popen(
            command,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        assert grader.stdout.readline() == "ready\n"
        time.sleep(wait)
        os.killpg(grader.pid, signal.SIGINT)
        said, _ = grader.communicate(timeout=PATIENCE_S)
        assert said == "interrupted\n", said


# --------------------------------------------------------------------------------------------------------- dask cluster


class Cluster:
    """A scheduler and workers, as processes that somebody else started."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.workers = folder, list[subprocess.Popen[bytes]]()
        port_file = folder / "scheduler.json"
        self.scheduler = self._start("scheduler", "--port", "0", "--no-dashboard", "--scheduler-file", port_file)
        end = time.monotonic() + 60
        while not port_file.exists() or not port_file.read_text().endswith("}"):
            assert time.monotonic() < end
            time.sleep(0.05)
        self.address = json.loads(port_file.read_text())["address"]

    def _start(self, *arguments: object) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "dask", *map(str, arguments)],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def have(self, count: int) -> list[subprocess.Popen[bytes]]:
        """At least so many workers, after all that earlier tests did to them. The first is on two threads."""
        self.workers = [worker for worker in self.workers if worker.poll() is None]
        while len(self.workers) < count:
            threads = "1" if self.workers else "2"
            worker = self._start("worker", self.address, "--nthreads", threads, "--no-dashboard", "--no-nanny")
            self.workers.append(worker)
        with Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(len(self.workers), timeout=PATIENCE_S)
        return self.workers

    def close(self) -> None:
        for process in (self.scheduler, *self.workers):
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory):
    cluster = Cluster(tmp_path_factory.mktemp("dask"))
    yield cluster
    cluster.close()


@pytest.fixture
def dask(scheduler, monkeypatch):
    monkeypatch.setattr(engine, "ENGINE", "test")  # what `graded` says of itself
    monkeypatch.setattr(cluster, "_able", functools.partial(able, "test"))
    return scheduler


def test_no_scheduler_is_said(monkeypatch):
    monkeypatch.setattr(cluster, "SECONDS_TO_CONNECT", 0.5)
    with pytest.raises(ClusterError, match="tcp://127.0.0.1:9: no dask scheduler answers there"):
        next(run_on(graded, named(1), "tcp://127.0.0.1:9"))


@pytest.mark.parametrize("address", ["nonsense", "", "tcp://host", "http://host:8786", "host:8786"])
def test_an_address_that_is_none(address):
    with pytest.raises(ClusterError, match="expected an address as tcp://HOST:8786"):
        next(run_on(graded, named(1), address))


def test_no_worker_is_said(dask, monkeypatch):
    assert not dask.workers, "no other test has started one"
    monkeypatch.setattr(cluster, "SECONDS_TO_CONNECT", 2)
    with pytest.raises(ClusterError, match="has no worker; start some with `dask worker tcp://"):
        next(run_on(graded, named(1), dask.address))


def test_a_cluster_grades(dask, tmp_path):
    dask.have(2)
    log = tmp_path / "log"
    found = dict(run_on(functools.partial(alone, log=str(log)), named(12), dask.address))
    assert found == {key: graded(notebook) for key, notebook in named(12)}
    assert calls(log) == Counter(notebook.decode() for _, notebook in named(12))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("0.0.1+old", r"expected a worker with this version of unet-edu, test, got 0.0.1\+old"),
        ("no sandbox", "this worker cannot grade: SandboxError: bubblewrap is missing"),
    ],
)
def test_a_worker_that_cannot_is_named(dask, monkeypatch, answer, said):
    dask.have(1)
    monkeypatch.setattr(cluster, "_able", functools.partial(able, answer))
    with pytest.raises(ClusterError, match=said):
        next(run_on(graded, named(1), dask.address))


def test_a_worker_without_unet_edu_is_named(dask, monkeypatch):
    dask.have(1)
    monkeypatch.setattr(cluster, "_able", elsewhere())
    with pytest.raises(ClusterError, match="this worker cannot grade"):
        next(run_on(graded, named(1), dask.address))


def elsewhere():
    """A function of a module that only this machine has."""
    module = types.ModuleType("only_here")
    exec("def able(unsafe): return 'test'", vars(module))  # noqa: S102
    module.able.__module__ = "only_here"
    sys.modules["only_here"] = module
    return module.able


def test_results_of_another_version_are_not_taken(dask, monkeypatch):
    dask.have(1)
    monkeypatch.setattr(engine, "ENGINE", "test 2")
    monkeypatch.setattr(cluster, "_able", functools.partial(able, "test 2"))
    ((_, failure),) = run_on(graded, named(1), dask.address)
    assert failure == Failure("a worker of the cluster has another version of unet-edu, test")


def test_a_killed_dask_worker_loses_nothing(dask, tmp_path):
    log = tmp_path / "log"
    log.touch()
    victim = dask.have(2)[0]
    count = 12
    results = run_on(functools.partial(slow, log=str(log), seconds=0.2), named(count), dask.address)
    found = dict([next(results)])
    while str(victim.pid) not in {line.split()[1] for line in log.read_text().splitlines()}:
        found.update([next(results)])
    victim.kill()
    found.update(results)
    assert found == {key: graded(notebook) for key, notebook in named(count)}
    assert len(calls(log)) == count and sum(calls(log).values()) <= count + 2


def test_what_fells_a_dask_worker_costs_its_own_row(dask):
    """A notebook may kill four workers. If it were fewer, one that waited where they died could be given up, too."""
    dask.have(5)
    found = dict(run_on(wicked, [("mallory", b"kills"), ("eve", b"raises"), *named(4)], dask.address))
    for key, said in (("mallory", "KilledWorker"), ("eve", "a mistake�[31m of ours")):
        failure = found.pop(key)
        assert isinstance(failure, Failure) and said in failure.reason
    assert found == {key: graded(notebook) for key, notebook in named(4)}


def test_a_lost_scheduler_is_said(dask, tmp_path):
    """The last of all, because there is one scheduler for them."""
    dask.have(1)
    results = run_on(functools.partial(slow, log=str(tmp_path / "log"), seconds=0.2), named(20), dask.address)
    next(results)
    dask.scheduler.kill()
    with pytest.raises(ClusterError, match="the scheduler was lost; the same command goes on where it stood"):
        list(results)
