"""The program for a GPU, tried on a processor with tiny numbers: every part runs, and what goes wrong is said."""

import importlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from tests.patience import PATIENCE_S

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
TINY = ("--tiny", "--device", "cpu")


def gpu(folder, *arguments, path=()):
    """The program as somebody starts it who has installed nothing: what it said, and its rows by their parts."""
    environment = {name: value for name, value in os.environ.items() if name != "UNET_EDU_TEST_DATA"}
    environment["PYTHONPATH"] = os.pathsep.join(map(str, path))
    command = list(map(str, [sys.executable, BENCHMARKS / "gpu.py", "--out", folder / "gpu.json", *arguments]))
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    rows = json.loads((folder / "gpu.json").read_text())["records"] if (folder / "gpu.json").exists() else []
    return done, {part: [row for row in rows if row["part"] == part] for part in {row["part"]: 0 for row in rows}}


@pytest.fixture
def modules(monkeypatch):
    """The modules of the program, in this process."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    return {name: importlib.import_module(name) for name in ("gpu", "same_training", "in_parts")}


@pytest.mark.needs("real frames")
def test_every_part_runs(tmp_path):
    done, parts = gpu(tmp_path, *TINY, "--limit", PATIENCE_S, "--data", os.environ["UNET_EDU_TEST_DATA"])
    assert done.returncode == 0, done.stdout + done.stderr
    assert [*parts] == ["agree", "determinism", "resume", "speed", "memory", "phc", "dic"]
    assert all(rows[-1]["what"] == "time" and "failed" not in rows[-1] for rows in parts.values())
    assert [row["what"][13:] for row in parts["agree"][:-1]] == ["float32", "TF32", "bfloat16"]
    assert parts["agree"][2]["from_the_processor"] > 1e-5, "so the difference is looked at"
    assert [row["same_bits"] for row in parts["determinism"][:-1]] == [True, True]
    assert not any(row["gradients_differ_in"] for row in parts["determinism"][:-1])
    (row,) = parts["resume"][:-1]
    assert row["what"].endswith("step 40") and row["from_undisturbed"] == row["two_undisturbed"] == 0
    where, *measured, first, second, _ = parts["speed"]
    assert where["what"] == "a processor"
    assert len(measured) == 7 and all("teraflops" in row or row["ms"] > 0 for row in measured)
    assert "skipped" in first and "skipped" in second, "compiled on a GPU only"
    assert {row["largest_batch"] for row in parts["memory"][:-1]} == {4}
    assert [round(row["seg"]) in (0, 1) for part in ("phc", "dic") for row in parts[part][:-1]] == [True, True]


def test_what_is_missing_and_what_fails_is_said_and_the_others_run(tmp_path):
    """SciPy is not there, and the frames of one set are no pictures."""
    (tmp_path / "scipy.py").write_text("raise ModuleNotFoundError(\"No module named 'scipy'\", name='scipy')")
    films = ["01/{}/t000", "01/{}/t001", "01/{}/t002", "02/{}/t000"]
    for name in [film.format(kind) for film in films for kind in ("image", "silver", "gold")]:
        path = tmp_path / "phc_u373" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((40, 50), 7, np.uint8)).save(path)
    for name in [f"{kind}/t{n:03}.png" for n in (0, 1, 50) for kind in ("image", "silver")]:
        path = tmp_path / "dic_hela" / "01" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("no picture")
    wanted = [word for part in ("phc", "dic", "agree") for word in ("--part", part)]
    done, parts = gpu(tmp_path, *TINY, *wanted, "--limit", PATIENCE_S, "--data", tmp_path, path=[tmp_path])
    assert done.returncode == 1 and "not well: dic, what was left of it" in done.stderr
    assert parts["phc"][0]["skipped"] == "it needs scipy, which is not installed here"
    assert parts["dic"][0]["failed"].startswith("DataError: ") and "t000.png" in parts["dic"][0]["failed"]
    assert len(parts["agree"]) == 4 and not any("failed" in row for row in parts["agree"])


def test_who_takes_too_long_is_stopped_and_who_has_no_frames_goes_on(tmp_path):
    done, parts = gpu(tmp_path, *TINY, "--part", "determinism", "--limit", "0.01")
    assert done.returncode == 1
    assert parts["determinism"][-1]["failed"] == "it was stopped after 0.01 s"
    done, parts = gpu(tmp_path, *TINY, "--part", "phc", "--part", "dic", "--limit", PATIENCE_S)
    assert done.returncode == 0
    assert "no frames: name their folder" in parts["phc"][0]["skipped"] == parts["dic"][0]["skipped"]


def test_it_does_not_measure_a_processor(tmp_path):
    done, parts = gpu(tmp_path, "--device", "cpu")
    assert done.returncode == 1 and not parts
    assert "this measures a GPU; without one, --tiny --device cpu tries the program itself" in done.stderr


def test_all_parts_end_within_eight_minutes(modules):
    limits = modules["gpu"].LIMITS
    assert sum(limits.values()) + 5 <= 8 * 60
    assert [*modules["gpu"].parts(modules["gpu"].TINY, torch.device("cpu"), None)] == [*limits]


@pytest.mark.parametrize(("room", "found"), [(0, 0), (1, 1), (5, 5), (100, 96), (300, 288), (1000, 1000), (9999, 1000)])
def test_the_largest_batch(modules, room, found):
    def take(n):
        if n > room:
            raise torch.OutOfMemoryError("CUDA out of memory.\nand advice")

    batch, stopped = modules["gpu"].largest(take, 1000)
    assert batch == found
    assert stopped == ("OutOfMemoryError: CUDA out of memory." if room < 1000 else "1000 is the most that was tried")


def test_what_only_a_card_does(modules, monkeypatch):
    """Its memory is counted from the step on, and compiling begins anew for each size."""
    gpu, done, case = modules["gpu"], [], modules["gpu"].TINY.small
    monkeypatch.setattr(torch, "compile", lambda network: done.append("compiled") or network)
    monkeypatch.setattr(torch.compiler, "reset", lambda: done.append("anew"))
    assert len(gpu.step_times(gpu.COMPILED, case, 1, 2, torch.device("cpu"))) == 2
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: done.append("emptied"))
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda: done.append("counted anew"))
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda: 3 * 2**29)
    monkeypatch.setattr(gpu, "step_times", lambda *_: done.append("steps"))
    assert gpu.peak(gpu.OURS, 44, {}, torch.device("cuda"), 1) == 1.5
    assert done == ["anew", "compiled", "emptied", "counted anew", "steps"]


def test_an_aim_is_missed_or_not(modules):
    judged = modules["gpu"].judged
    assert "missed" not in judged({"seg": 0.9, "other": 0}, {"seg": 0.88})
    assert judged({"seg": 0.8}, {"seg": 0.88})["missed"] == "seg of 0.88"


def test_operations_are_those_that_pytorch_counts(modules):
    from torch.utils.flop_counter import FlopCounterMode

    for case in modules["gpu"].TINY.cases.values():
        count, side, arguments = case
        with FlopCounterMode(display=False) as counter:
            modules["gpu"].UNet(**arguments)(torch.zeros(count, 1, side, side)).sum().backward()
        assert modules["gpu"].operations(case) == counter.get_total_flops()


def test_layers_whose_gradients_differ_are_named(modules, monkeypatch):
    same_training = modules["same_training"]
    right, case, ways = same_training._loss, modules["gpu"].TINY.small, iter(range(9))

    def with_a_restless_head(model, *arguments):
        loss, scores = right(model, *arguments)
        return loss + next(ways) * model.head.bias.sum(), scores

    assert same_training.restless(case, torch.device("cpu")) == []
    monkeypatch.setattr(same_training, "_loss", with_a_restless_head)
    assert same_training.restless(case, torch.device("cpu")) == ["head.bias"]


@pytest.mark.parametrize(
    ("code", "step", "losses", "is_right"),
    [
        (-signal.SIGKILL, 40, ([3, 2, 1], [3, 2, 1], [3, 2, 1]), True),
        (-signal.SIGKILL, 40, ([3, 2, 1.01], [3, 2, 1], [3, 2, 1]), False),
        (-signal.SIGKILL, 40, ([3, 2, 1.01], [3, 2, 1], [3, 2, 1.005]), True),  # such as from run to run
        (-signal.SIGKILL, 20, ([3, 2, 1], [3, 2, 1], [3, 2, 1]), False),
        (0, 60, (), False),
    ],
)
def test_a_resumed_training_is_compared(modules, monkeypatch, code, step, losses, is_right):
    class Victim:
        """In place of a process: it leaves a checkpoint, and has ended."""

        exitcode = code

        def __init__(self, target, args, kwargs):
            torch.save({"step": step}, Path(kwargs["folder"]) / "last.pt")

        def start(self):
            pass

        join = start

    same_training, found = modules["same_training"], iter(losses)
    monkeypatch.setattr(same_training.multiprocessing, "get_context", lambda _: SimpleNamespace(Process=Victim))
    monkeypatch.setattr(same_training, "losses", lambda *_, **__: next(found))
    rows = same_training.resume(modules["gpu"].TINY.small, torch.device("cpu"))
    if code == 0:
        with pytest.raises(RuntimeError, match="ended by itself, with 0"):
            next(rows)
    else:
        assert ("failed" not in next(rows)) == is_right
