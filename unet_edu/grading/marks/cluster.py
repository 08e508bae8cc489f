"""Many notebooks at once: on processes of this machine, or on a dask cluster.

Workers get a notebook's bytes and give a `Result` back. They know no journal, no gradebook and no other notebook, so
one that is killed has nothing to lose: what it was grading is graded again.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import re
import signal
import threading
import uuid
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait

from unet_edu._interrupt import ignore_interrupts, interrupted_later
from unet_edu.grading.marks.alone import told
from unet_edu.grading.result import Result
from unet_edu.grading.sandbox.bubblewrap import THREADS

__all__ = ["ClusterError", "Failure", "run", "run_on"]

Grade = Callable[[bytes], Result]
Task = tuple[str, bytes]

# Of a notebook whose worker was killed, or whose grading raised: once may be an accident, three times is no accident.
TRIES = 3
NOTEBOOKS_A_WORKER = 50  # then a fresh process takes its place, so that no leak adds up over a class
SECONDS_TO_CONNECT = 20  # to a scheduler, and until it has a worker
ADDRESS = re.compile(r"(tcp|tls|ucx|ws|wss)://[^\s/]+:\d+")


class ClusterError(ValueError):
    """The cluster cannot be used. The sentence says why, and what to do."""


@dataclass(frozen=True)
class Failure:
    """The grader itself failed, not the notebook. `reason` is a sentence without its end: "the process was killed"."""

    reason: str


# -------------------------------------------------------------------------------------------- processes of this machine

# A pool of our own. Python's cannot say which notebook a killed process had, and ends with it. dask's LocalCluster
# takes code from any program that reaches its port, tells Ctrl-C to its workers, and needed more than ten minutes to
# give up a notebook that kills: tried in 2026-12.


def run(grade: Grade, tasks: Iterable[Task], workers: int) -> Generator[tuple[str, Result | Failure], None, None]:
    """Grade on processes of this machine.

    Each process has one notebook at a time, so when one is killed it is known whose grading was lost. That notebook is
    tried again, up to three times in all; no other is touched. When the iterator is closed, no process is left.

    Parameters
    ----------
    grade : callable
        From a notebook's bytes to its result. It travels to the processes as a pickle: a function of a module, or a
        `partial` of one.
    tasks : iterable of (str, bytes)
        Keys and notebooks. No more than `workers` of them are asked for in advance.
    workers : int
        How many processes, at least 1.

    Yields
    ------
    (str, Result or Failure)
        As they come, in any order.
    """
    source, again = (_Task(*task) for task in tasks), deque[_Task]()
    idle: list[_Worker] = []
    busy: list[_Worker] = []
    try:
        while True:
            while len(busy) < workers and (task := again.popleft() if again else next(source, None)):
                idle = [worker for worker in idle if worker.process.is_alive()]
                worker = idle.pop() if idle else _Worker(grade)
                worker.begin(task)
                busy.append(worker)
            if not busy:
                return
            ready = wait([worker.pipe for worker in busy])
            for worker in [worker for worker in busy if worker.pipe in ready]:
                busy.remove(worker)
                task, answer = worker.task, worker.answer()
                if worker.process.is_alive() and worker.begun < NOTEBOOKS_A_WORKER:
                    idle.append(worker)
                else:
                    worker.end()
                if isinstance(answer, Failure) and task.tries < TRIES:
                    again.append(task)
                else:
                    yield task.key, answer
    finally:
        for worker in (*idle, *busy):
            worker.end()


@dataclass
class _Task:
    key: str
    notebook: bytes
    tries: int = 0


class _Worker:
    """One process, from the side of the parent."""

    task: _Task

    def __init__(self, grade: Grade) -> None:
        context = multiprocessing.get_context("spawn")  # a fork would copy our open database and our threads
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_work, args=(grade, theirs), daemon=True)
        self.begun = 0
        with interrupted_later(), _children_uninterrupted():
            self.process.start()
        theirs.close()  # now the pipe ends when the process does

    def begin(self, task: _Task) -> None:
        self.task = task
        self.begun += 1
        task.tries += 1
        with contextlib.suppress(OSError):  # it is dead already: `answer` will say so
            self.pipe.send_bytes(task.notebook)

    def answer(self) -> Result | Failure:
        """Waits for it. A process that died in the middle has closed the pipe."""
        try:
            return self.pipe.recv()
        except (EOFError, OSError):
            self.process.join()
            return Failure(f"the process that graded it {_end_of(self.process.exitcode)}")
        except Exception as error:  # noqa: BLE001  what came is no answer, and nobody knows what follows in the pipe
            self.process.kill()
            self.process.join()
            return Failure(told(error))

    def end(self) -> None:
        self.process.kill()  # its sandbox dies with it
        self.process.join()
        self.pipe.close()


def _end_of(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        return f"was killed ({signal.Signals(-exit_code).name})"
    return f"ended (exit code {exit_code})"


@contextlib.contextmanager
def _children_uninterrupted() -> Iterator[None]:
    """A process started here never sees Ctrl-C, not even before its first line: the parent decides about it."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    # Python's own helper, which every `start` needs, and whose start would undo the next line.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(grade: Grade, pipe: Connection) -> None:
    """The life of a process: a notebook in, a result out, until the pipe ends."""
    ignore_interrupts()
    # The workers keep all cores busy. PyTorch, which reads this, is not loaded yet.
    os.environ |= dict.fromkeys(THREADS, "1")
    threading.Thread(target=_die_with_parent, daemon=True).start()
    while True:
        try:
            notebook = pipe.recv_bytes()
        except EOFError:
            return
        try:
            answer: Result | Failure = grade(notebook)
        except Exception as error:  # noqa: BLE001  a mistake in the grader costs one row, not the class
            answer = Failure(told(error))
        pipe.send(answer)


def _die_with_parent() -> None:
    """When the grader gets a SIGKILL, nothing of it goes on."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


# --------------------------------------------------------------------------------------------------------- dask cluster


def run_on(
    grade: Grade, tasks: Iterable[Task], address: str, *, unsafe: bool = False
) -> Generator[tuple[str, Result | Failure], None, None]:
    """Grade on the workers of a dask cluster, which was started by somebody else.

    When a worker is killed, dask gives its notebooks to another one. Each worker grades one notebook at a time, however
    many threads it has.

    Parameters
    ----------
    grade, tasks
        As for `run`. At most twice as many notebooks are on the way as the cluster had threads at the start.
    address : str
        Of the scheduler: tcp://host:8786.
    unsafe : bool
        Whether workers may do without the sandbox.

    Raises
    ------
    ClusterError
        When the cluster cannot be reached or has no worker, a worker has another version of the grader or no sandbox,
        or the scheduler is lost on the way. What was yielded by then stands.
    """
    if not ADDRESS.fullmatch(address):  # dask would take a minute to say so
        raise ClusterError(f"--scheduler: expected an address as tcp://HOST:8786, got {address!r}")
    try:
        from distributed import Client, as_completed
    except ImportError:
        raise ClusterError("--scheduler needs dask: pip install 'unet-edu[grade]'") from None

    try:
        client = Client(address, timeout=SECONDS_TO_CONNECT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ClusterError(f"{address}: no dask scheduler answers there ({told(error)})") from None
    with client:
        threads = _threads_of_able_workers(client, address, unsafe)
        source, keys = iter(tasks), dict[str, str]()
        results = as_completed(loop=client.loop)

        def feed(count: int) -> None:
            for key, notebook in islice(source, count):
                name = f"unet-edu-{uuid.uuid4().hex}"  # dask's dashboard shows it, and shall show no student
                keys[name] = key
                results.add(client.submit(_alone, grade, notebook, key=name, retries=TRIES - 1))

        feed(2 * threads)
        for future in results:
            if future.cancelled():
                raise ClusterError(f"{address}: the scheduler was lost; the same command goes on where it stood")
            yield keys.pop(future.key), _answer(future)
            feed(1)


def _threads_of_able_workers(client, address: str, unsafe: bool) -> int:  # type: ignore[no-untyped-def]  # of a package that may be missing
    """How many notebooks the cluster can have at once, after a look whether each worker can grade as we would."""
    from unet_edu.grading.engine import ENGINE

    try:
        client.wait_for_workers(1, timeout=SECONDS_TO_CONNECT)
    except TimeoutError:
        raise ClusterError(f"{address}: the scheduler has no worker; start some with `dask worker {address}`") from None
    for worker, answer in client.run(_able, unsafe, on_error="return").items():
        if isinstance(answer, BaseException):
            raise ClusterError(f"{worker}: this worker cannot grade: {told(answer)}")
        if answer != ENGINE:
            raise ClusterError(
                f"{worker}: expected a worker with this version of unet-edu, {ENGINE}, got {answer}; "
                "install the same one on all machines"
            )
    return sum(client.nthreads().values())


def _able(unsafe: bool) -> str:
    """On a worker: which version of the grader it has. Raises when it cannot grade."""
    from unet_edu.grading.engine import ENGINE
    from unet_edu.grading.sandbox import require

    if not unsafe:
        require()
    return ENGINE


_one_at_a_time = threading.Lock()


def _alone(grade: Grade, notebook: bytes) -> Result:
    """On a worker: grade, while no other thread does. PyTorch's random numbers, which we seed, are the process's."""
    with _one_at_a_time:
        return grade(notebook)


def _answer(future) -> Result | Failure:  # type: ignore[no-untyped-def]
    from unet_edu.grading.engine import ENGINE

    try:
        result = future.result()
    except Exception as error:  # noqa: BLE001  a mistake in the grader, or a worker killed again and again: one row, not the class
        return Failure(told(error))
    if result.engine != ENGINE:  # by a worker that joined after we looked
        return Failure(f"a worker of the cluster has another version of unet-edu, {result.engine}")
    return result
