"""A function that does not end is stopped in a notebook, too; the kernel goes on, and the sentence says what
happened."""

import contextlib
import faulthandler
import itertools
import math
import mmap
import os
import signal
import sys
import threading
import time

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from tests.patience import PATIENCE_S
from unet_edu import check
from unet_edu.checks import limits
from unet_edu.lessons import EXERCISES


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(limits, "SECONDS", 0.3)
    monkeypatch.setattr(limits, "PATIENCE", 0.2)
    faulthandler.dump_traceback_later(300, exit=True)  # what is not stopped shows where it is
    before = signal.getsignal(limits.POKE), sys.getswitchinterval(), sys.stdout, threading.active_count()
    yield
    faulthandler.cancel_dump_traceback_later()
    assert before == (signal.getsignal(limits.POKE), sys.getswitchinterval(), sys.stdout, threading.active_count())


def endless(size, tile, align):
    while True:
        pass


def step_of_nothing(size, tile, align):
    origins, step = [0], align // tile
    while origins[-1] + tile < size:
        origins.append(origins[-1] + step)
    return origins


def swallows_all(size, tile, align):
    while True:
        try:
            np.zeros(size).sum()
        except:  # noqa: E722, S110 - as students write it
            pass


def swallows_all_twice(size, tile, align):
    with contextlib.suppress(BaseException):
        while True:
            with contextlib.suppress(BaseException):
                math.prod(range(size))
    return swallows_all(size, tile, align)


def swallows_by_finally(size, tile, align):
    while True:
        try:
            sum(n for n in range(100))
        finally:
            continue  # noqa: B012 - as nobody should


def sleeps(size, tile, align):
    time.sleep(1000)


def feeds_a_library(size, tile, align):
    return sorted(np.full(1, n) for n in itertools.repeat(0))


def cannot_be_asked(size, tile, align):
    class Endless:
        def __array__(self, *args, **kwargs):
            while True:
                pass

    return Endless()


@pytest.mark.parametrize(
    "f",
    [
        endless,
        step_of_nothing,
        swallows_all,
        swallows_all_twice,
        swallows_by_finally,
        sleeps,
        feeds_a_library,
        cannot_be_asked,
    ],
)
def test_what_never_ends_is_stopped(f):
    result = check(f, "tile_origins")
    assert result.status == "failed" and not any(result.right)
    assert result.message.startswith("Your function was stopped after 0.3 seconds: does a loop never end?")
    assert check(lambda size, tile, align: [0], "tile_origins").status == "failed", "the kernel goes on"


def test_a_step_of_0_in_the_last_exercise_is_stopped():
    def predict_tiled(model, image, tile):
        return [*range(0, 9, 1)] if tile % 16 == 0 else step_of_nothing(10, tile, tile // 16 * 16)

    assert "was stopped after 0.3 seconds" in check(predict_tiled).message


def test_what_takes_the_memory_is_stopped(monkeypatch):
    monkeypatch.setattr(limits, "SECONDS", 20)
    kept = []
    monkeypatch.setattr(limits, "_memory", lambda: len(kept) << 20)

    def tile_origins(size, tile, align):
        while True:
            kept.append(size)

    assert "was stopped when it had taken 2 GB of memory" in check(tile_origins).message


def test_the_memory_is_measured():
    """Of pages that are new to the process: what is allocated may have been its own before."""
    before = limits._memory()
    kept = np.frombuffer(mmap.mmap(-1, 100 << 20), np.uint8)
    kept[:] = 1
    assert 50 << 20 < limits._memory() - before < 200 << 20


def test_an_exception_that_cannot_be_told_does_not_hang(monkeypatch):
    class Endless(ValueError):
        def __str__(self):
            return str(max(itertools.takewhile(lambda n: n >= 0, itertools.count())))

    def f(*args):
        raise Endless

    monkeypatch.setattr(limits, "SECONDS_IN_ALL", 1)
    result = check(f, "tile_origins")
    assert result.status == "failed" and not any(result.right)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux refuses it")
@pytest.mark.parametrize("f", [lambda *args: list(itertools.count()), lambda *args: np.zeros((99, 9)).repeat(10**6, 0)])
def test_memory_that_one_call_takes_is_refused(monkeypatch, f):
    monkeypatch.setattr(limits, "MEMORY", 1 << 23)
    monkeypatch.setattr(limits, "SECONDS_IN_ALL", PATIENCE_S)  # its memory ends it, also where a machine stands still
    with limits.Limits() as guard:
        answer = guard.attempt(f, EXERCISES["tile_origins"].cases(np.random.default_rng(0))[0], PATIENCE_S)
    assert answer.kind in ("raised", "stopped") and any(said in answer.message for said in ("MemoryError", "had taken"))
    assert np.empty(1 << 26, np.uint8).size, "the kernel has its memory back"


def test_the_other_cases_are_not_tried_after_a_stop():
    called = []

    def tile_origins(size, tile, align):
        called.append(size)
        return endless(size, tile, align) if len(called) == 2 else [7]

    result = check(tile_origins)
    assert len(called) == 2
    assert (
        result.case.args[0] == called[0]
        and "In another case, “" in result.message
        and "was stopped after" in result.message
    )
    assert sum(result.right) == 0


def test_all_cases_together_have_a_limit(monkeypatch):
    monkeypatch.setattr(limits, "SECONDS", 1000)
    monkeypatch.setattr(limits, "SECONDS_IN_ALL", 0.5)

    def tile_origins(size, tile, align):
        time.sleep(0.2)
        return [0]

    assert "was stopped after 0.5 seconds for all cases together" in check(tile_origins).message


def test_ctrl_c_is_still_ctrl_c(monkeypatch):
    monkeypatch.setattr(limits, "SECONDS", 1000)
    monkeypatch.setattr(limits, "SECONDS_IN_ALL", 1000)
    timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))

    def tile_origins(size, tile, align):
        timer.start()
        return endless(size, tile, align)

    with pytest.raises(KeyboardInterrupt):
        check(tile_origins)
    timer.join()


def test_a_check_in_another_thread_works_without_limits():
    seen = []
    thread = threading.Thread(target=lambda: seen.append(check(lambda size, tile, align: [0], "tile_origins").status))
    thread.start()
    thread.join()
    assert seen == ["failed"]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (lambda: np.zeros((10**7, 10**7)), "No memory has room for that."),
        (lambda: list(range(10**13)), "No memory has room for that."),
        (lambda: range(10**10), "Your function returned 10000000000 numbers, far more than were asked for."),
        (lambda: np.broadcast_to(1.0, (10**6, 10**6)), "returned 1000000000000 numbers"),
        (itertools.count, "Your function returned a count, and that is no array. Put its numbers into a list"),
    ],
)
def test_giants_are_told(value, words):
    assert words in check(lambda *args: value(), "tile_origins").message


def test_a_function_that_calls_itself_for_ever_is_told():
    def trace_sizes(n):
        return [n, *trace_sizes(n - 1)]

    assert "In which case does it answer without a further call?" in check(trace_sizes).message


def test_a_kernel_of_jupyter_goes_on():
    cells = [
        "from unet_edu import check\nfrom unet_edu.checks import limits\nlimits.SECONDS = 0.5",
        "def tile_origins(size, tile, align):\n    while True:\n        pass",
        "check(tile_origins)",
        "print(6 * 7)",
    ]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(book, timeout=PATIENCE_S, kernel_name="python3", coalesce_streams=True).execute()
    assert "was stopped after 0.5 seconds" in book.cells[2].outputs[0]["data"]["text/plain"]
    assert book.cells[3].outputs[0]["text"] == "42\n"
