"""The table of peers: no test frame is opened, the loop ends, the rows are kept. No peer need be installed."""

import json
import math
import os
import sys
from dataclasses import replace
from functools import partial
from types import ModuleType

import numpy as np
import pytest
import torch

from tests.training.test_real_data import program
from unet_edu.data.benchmarks import RealFrame
from unet_edu.data.cells import synthetic_cells
from unet_edu.unet import UNet


@pytest.fixture(scope="module")
def peers():
    for name in ("real_data", "networks"):
        program(name)
    return program("peers")


@pytest.fixture
def task(peers, monkeypatch):
    """Drawn frames that say they were a film, and a network that is quick."""
    frames = []
    for n in range(8):
        image, cells = synthetic_cells(n, (64, 64))
        files = {"image": lambda image=image: image, "silver": lambda cells=cells: cells.astype(np.int32)}
        frames.append(RealFrame("DIC-C2DH-HeLa", 1, 10 * n, f"DIC-C2DH-HeLa/01/t{10 * n:03}", files))
    small = replace(peers.real_data.SETTINGS["dic"], width=2, crop=32, batch_size=2, min_size=0, zoom=1)
    monkeypatch.setitem(peers.real_data.SETTINGS, "dic", small)
    monkeypatch.setattr(peers.benchmarks, "load", lambda name, folder: frames)
    monkeypatch.setattr(peers, "Plain", partial(peers.Plain, widths=(2, 4)))
    return peers.Task(small, frames[:5], minutes=1e-9, seed=0)


def test_only_training_frames_are_used_and_their_last_third_is_scored(peers, task, monkeypatch):
    seen = []
    monkeypatch.setattr(peers, "PEERS", {"a peer": lambda task: seen.append(task) or peers.otsu(task)})
    (row,) = peers.rows("dic", 0, 1.0)
    assert [frame.index for frame in seen[0].training] == [0, 10, 20]
    assert row["split"] == "DIC-C2DH-HeLa/01/t000 … t020 (3 frames) → DIC-C2DH-HeLa/01/t030 … t040 (2 frames)"


@pytest.mark.needs("real frames")
@pytest.mark.parametrize("name", ["dic", "phc", "em", "dsb"])
def test_the_scored_frames_stay_closed(peers, name, monkeypatch):
    _, closed = peers.real_data.split(
        setting := peers.real_data.SETTINGS[name], peers.benchmarks.load(setting.data, os.environ["UNET_EDU_TEST_DATA"])
    )
    opened = []
    monkeypatch.setattr(peers, "PEERS", {"a peer": lambda task: opened.extend(task.training) or peers.otsu(task)})
    monkeypatch.setattr(peers, "score", lambda setting, answers, scored, best: opened.extend(scored) or {})
    assert len(list(peers.rows(name, 0, 1.0))) == 1
    assert len(opened) > 10 and {frame.name for frame in opened}.isdisjoint(frame.name for frame in closed)


def test_a_run_without_the_packages_names_them_and_keeps_its_rows(peers, task, monkeypatch, tmp_path, capsys):
    for package in ("monai", "sklearn", "segmentation_models_pytorch"):
        monkeypatch.setitem(sys.modules, package, None)  # as if it were not installed
    out = tmp_path / "peers.json"
    peers.append({"began": "earlier", "records": [{"set": "em"}]}, out)
    peers.main(["--sets", "dic", "--seeds", "0", "1", "--minutes", "1e-9", "--out", str(out)])
    said = capsys.readouterr()
    for peer in ("MONAI BasicUNet", "MONAI DynUNet", "smp.Unet, resnet34", "random forest"):
        assert f"{peer}: left out" in said.err and peer not in said.out
    assert said.out.count("DIC-C2DH-HeLa/01/t000") == 1
    earlier, run = json.loads(out.read_text(encoding="utf-8"))["runs"]
    assert earlier["records"] == [{"set": "em"}]
    assert len(run["commit"].rstrip("+")) == 40 and run["versions"]["torch"]
    assert [(row["peer"], row["seed"]) for row in run["records"]] == [
        (peer, seed) for seed in (0, 1) for peer in ("ours", "plain PyTorch", "Otsu")
    ]
    assert all(row["scores"]["seg"] >= 0 and row["seconds_a_frame"] >= 0 for row in run["records"])
    assert [row["steps"] for row in run["records"][:3]] == [1, 1, 0]


def test_the_table_has_means_and_spreads(peers):
    row = {"set": "em", "split": "a → b", "parameters": 1234, "steps": 10, "minutes": 1.0, "seconds_a_frame": 0.5}
    records = [row | {"peer": "ours", "scores": {"pixel_error": error}} for error in (0.06, 0.08)]
    *_, title, head, line = peers.table(records + [row | {"peer": "Otsu", "scores": {"pixel_error": 0.3}}]).split("\n")[
        :4
    ]
    assert title == "em: a → b" and "pixel_error" in head
    assert line.split() == ["ours", "0.0700", "(0.0600,", "0.0800)", "1,234", "10", "1.00", "0.500"]


def test_the_learning_rate_falls_with_the_clock_and_the_loop_ends(peers, monkeypatch):
    clock, rates = iter(range(100)), []
    monkeypatch.setattr(peers.time, "perf_counter", lambda: next(clock))
    network = torch.nn.Conv2d(1, 2, 1)
    optimizer = torch.optim.SGD(network.parameters(), 1.0)
    optimizer.register_step_pre_hook(lambda *_: rates.append(optimizer.param_groups[0]["lr"]))
    batches = iter(lambda: (torch.zeros(1, 1, 4, 4), torch.zeros(1, 4, 4, dtype=torch.int64)), None)
    loss = peers.cross_entropy_and_dice
    assert peers.fit_for(4 / 60, network, batches, loss, optimizer, falls=True, longest=1.0) == 3
    assert rates == pytest.approx([(1 + math.cos(math.pi * part)) / 2 for part in (0.25, 0.5, 0.75)])


def test_the_loss_is_nothing_for_a_perfect_answer(peers):
    masks = torch.tensor([[[0, 1], [1, 0]]])
    perfect = 1000.0 * torch.stack([1 - masks, masks], 1)
    assert peers.cross_entropy_and_dice(perfect, masks) == pytest.approx(0, abs=1e-4)
    assert peers.cross_entropy_and_dice(-perfect, masks) > 1


@pytest.mark.parametrize("shape", [(16, 16), (17, 30)])
def test_whole_images_of_any_size_keep_their_size(peers, shape):
    sides = []
    image = torch.rand(1, 1, *shape)
    assert torch.equal(peers.whole(lambda x: sides.extend(x.shape[-2:]) or x, image, 16), image)
    assert not any(side % 16 for side in sides)


def test_the_cells_of_a_peer_are_made_in_two_ways(peers, task):
    answers = [0.6 * peers.separated(frame.silver) for frame in task.training]  # below our threshold of 0.7
    one, two = (peers.score(task.setting, answers, task.training, best=best)["seg"] for best in (False, True))
    assert one == 0 and two > 0.5


def test_the_plain_network_does_the_same_maths_as_ours(peers):
    program("networks")
    speed = program("unet_speed")
    ours = UNet(widths=(2, 4, 8), padding="same", norm="batch", dropout=0.0)
    theirs = speed.of_widths((2, 4, 8))["plain PyTorch"]()
    assert speed.multiplications(theirs) == speed.multiplications(ours) > 0
    theirs, ours = speed.Plain((2, 4), 0), UNet(widths=(2, 4), dropout=0.0)
    image = torch.rand(1, 1, 44, 44)
    assert torch.allclose(theirs.copy_of(ours)(image), ours(image), atol=1e-6)


def test_a_network_without_transforms_gets_our_crops(peers, task, monkeypatch):
    losses = ModuleType("segmentation_models_pytorch.losses")
    losses.DiceLoss = lambda mode: torch.nn.CrossEntropyLoss()
    monkeypatch.setitem(sys.modules, "segmentation_models_pytorch", ModuleType("segmentation_models_pytorch"))
    monkeypatch.setitem(sys.modules, losses.__name__, losses)
    monkeypatch.setattr(peers, "resnet_unet", lambda: peers.Plain())
    trained = peers.smp_unet(task)
    assert trained.steps == 1
    assert trained.predict(task.training[0].image).shape == (64, 64)
