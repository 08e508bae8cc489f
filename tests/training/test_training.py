"""The loop against itself: killed, interrupted, in several processes, and on files that lie."""

from __future__ import annotations

import io
import math
import os
import pickle
import re
import signal
import socket
import threading
import time
import warnings
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import Dataset

from tests.training.runs import PLAIN, Blobs, network, one_of_two, run
from unet_edu import training
from unet_edu.data.cells import synthetic_cells
from unet_edu.data.samples import Crops, Frame, Whole
from unet_edu.instances import cell_scores
from unet_edu.losses import weighted_cross_entropy
from unet_edu.postprocess import SURE, instances_from_probability
from unet_edu.tiling import predict
from unet_edu.training import Shuffled, bf16_is_fast, evaluate, fit, load, save
from unet_edu.unet import UNet


def weights(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def assert_same(first, second, **tolerance):
    assert first.keys() == second.keys() and first
    for name, value in first.items():
        torch.testing.assert_close(value, second[name], **({"rtol": 0, "atol": 0} | tolerance), msg=name)


def test_it_learns():
    model = network()
    history = fit(model, Blobs(), Blobs(), steps=100, batch_size=4, optimizer="adamw", lr=0.02, **PLAIN)
    assert history.rows[-1]["val_iou"] > 0.9 > history.rows[0]["val_iou"]
    assert history.losses[0] > 2 * history.losses[-1]
    assert not model.training


def test_a_step_is_the_papers():
    """One step by hand, twice: p ← p − lr·v with v ← 0.99·v + gradient, on the weighted loss of the pixels answered."""
    model, by_hand = network(norm=None, dropout=0.0, padding="valid"), network(norm=None, dropout=0.0, padding="valid")
    samples = Shuffled(Blobs(side=20), seed=7)
    fit(model, Blobs(side=20), steps=2, lr=0.1, seed=7, **PLAIN)
    velocity = [torch.zeros_like(p) for p in by_hand.parameters()]
    for n in range(2):
        image, labels, weight = (torch.as_tensor(part)[None] for part in samples[n])
        logits = by_hand(image)
        inner = (..., slice(8, 12), slice(8, 12))
        loss = weighted_cross_entropy(logits, labels[inner], weight[inner])
        gradients = torch.autograd.grad(loss, by_hand.parameters())
        with torch.no_grad():
            for p, v, g in zip(by_hand.parameters(), velocity, gradients, strict=True):
                p -= 0.1 * v.mul_(0.99).add_(g)
    # the same float32 sums in another order
    assert_same(weights(model), weights(by_hand), rtol=1e-5, atol=1e-6)


def test_the_learning_rate_of_one_cycle_rises_and_falls_and_sgds_stays():
    rows = fit(network(), Blobs(), steps=20, optimizer="adamw", lr=0.01, validate_every=1, **PLAIN).rows
    rates = [row["lr"] for row in rows]
    top = int(np.argmax(rates))
    assert 0 < top < 19 and rates[:top] == sorted(rates[:top]) and rates[top:] == sorted(rates[top:], reverse=True)
    assert max(rates) == pytest.approx(0.01)
    assert {row["lr"] for row in fit(network(), Blobs(), steps=3, validate_every=1, **PLAIN).rows} == {0.001}


def test_history_counts():
    seen = []
    history = fit(
        network(),
        Blobs(),
        Blobs(),
        steps=7,
        validate_every=3,
        on_validation=lambda model, row: seen.append((row["step"], model.training)),
        **PLAIN,
    )
    assert [row["step"] for row in history.rows] == [3, 6, 7]
    assert seen == [(3, False), (6, False), (7, False)]
    assert len(history.losses) == 7
    assert history.rows[1]["loss"] == pytest.approx(np.mean(history.losses[3:6]))
    assert history.rows[0]["seconds"] < history.rows[2]["seconds"]


def test_samples_without_weights_weigh_one():
    ones = Blobs()
    ones.samples = [(image, labels, np.ones_like(image[0])) for image, labels, _ in ones.samples]
    models = network(), network()
    for model, samples in zip(models, (ones, Blobs(weighted=False)), strict=True):
        fit(model, samples, steps=3, **PLAIN)
    assert_same(*map(weights, models))


def test_each_epoch_shows_every_sample_once_in_an_order_of_its_own():
    stream = Shuffled([10, 11, 12, 13, 14], seed=3)
    epochs = [[stream[n] for n in range(5 * e, 5 * e + 5)] for e in range(6)]
    assert all(sorted(epoch) == [10, 11, 12, 13, 14] for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 1
    assert [Shuffled([10, 11, 12, 13, 14], seed=3)[n] for n in range(5, 10)] == epochs[1]


def test_an_endless_dataset_is_asked_for_samples_in_their_order():
    asked = []

    class Endless(Blobs):
        endless = True

        def __getitem__(self, n):
            asked.append(n)
            return super().__getitem__(n % 4)

    fit(network(), Endless(), steps=3, batch_size=2, **PLAIN)
    assert asked == [0, 1, 2, 3, 4, 5]


def test_validation_is_pooled_over_pixels_of_images_of_any_size():
    model = network(dropout=0.0).eval()
    first, second = Blobs(16), Blobs(13)  # 13 is odd: the network alone would refuse it
    second.samples = second.samples[:1]
    both = [*first.samples, *second.samples]
    scores = [
        evaluate(model, Listed(samples), precision="float32") for samples in (first.samples, second.samples, both)
    ]
    pixels = np.array([4 * 16 * 16, 13 * 13])
    expected = np.dot([scores[0]["val_loss"], scores[1]["val_loss"]], pixels) / pixels.sum()
    assert scores[2]["val_loss"] == pytest.approx(expected)
    table, losses = np.zeros((2, 2), int), []
    for image, labels, weight in both:
        p = predict(model, image, precision="float32")
        losses += (weight * -np.log(np.where(labels, p[1], p[0]))).ravel().tolist()
        np.add.at(table, (labels, (p[1] > p[0]).astype(int)), 1)
    assert scores[2]["val_loss"] == pytest.approx(np.mean(losses), rel=1e-5)  # float32
    assert scores[2]["val_iou"] == table[1, 1] / (table.sum() - table[0, 0])


class Listed(Dataset):
    def __init__(self, samples):
        self.samples = samples

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, n):
        return self.samples[n]


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_a_run_that_was_stopped_goes_on_as_if_nothing_had_happened(tmp_path, optimizer):
    whole, parts = network(), network()
    settings = {"steps": 8, "batch_size": 2, "optimizer": optimizer, "validate_every": 2, **PLAIN}
    expected = fit(whole, Blobs(), Blobs(), **settings)

    def stop(model, row):
        if row["step"] == 4:
            signal.raise_signal(signal.SIGINT)  # heard at step 5

    first = fit(parts, Blobs(), Blobs(), folder=tmp_path, on_validation=stop, **settings)
    assert first.interrupted and len(first.losses) == 5
    again = network(seed=99)
    second = fit(again, Blobs(), Blobs(), folder=tmp_path, resume=True, **settings)
    assert second.losses == expected.losses
    assert_same(weights(again), weights(whole))
    assert_same(weights(load(tmp_path / "last.pt")), weights(whole))
    measured = [[{**row, "seconds": 0} for row in history.rows] for history in (second, expected)]
    assert measured[0] == measured[1]
    # and one that is finished stays so
    third = fit(network(), Blobs(), Blobs(), folder=tmp_path, resume=True, **settings)
    assert third.losses == expected.losses


@pytest.mark.parametrize("at", [3, 4, 8])
def test_a_run_that_is_stopped_at_a_validation_has_it_still(tmp_path, at):
    """Step 4 is one that is validated, and 8 is the last: who stops it there has a whole run."""
    settings = {"steps": 8, "validate_every": 4, "folder": tmp_path, **PLAIN}

    class Stopped(Blobs):
        endless, n = True, 0

        def __getitem__(self, n):
            if n == at - 1:
                signal.raise_signal(signal.SIGINT)
            return super().__getitem__(n % 4)

    history = fit(network(), Stopped(), Blobs(), **settings)
    assert (len(history.losses), history.interrupted) == (at, at < 8)
    assert [row["step"] for row in history.rows] == list(range(4, at + 1, 4))
    assert all("val_iou" in row for row in history.rows)
    again = fit(network(), Stopped(), Blobs(), resume=True, **settings)
    assert [row["step"] for row in again.rows] == [4, 8] and len(again.losses) == 8 and not again.interrupted


def test_crops_go_on_where_they_were(tmp_path):
    """A stream of augmented crops, batch normalisation, dropout and workers: all that is drawn."""
    crops = Crops([Frame(*synthetic_cells(seed, (40, 40), cells=3)) for seed in range(3)], 24, seed=4)
    settings = {"steps": 5, "batch_size": 2, "optimizer": "adamw", "validate_every": 2, **PLAIN}
    models = network(), network(), network(seed=9)
    expected = fit(models[0], crops, **settings)

    def stop(model, row):
        signal.raise_signal(signal.SIGINT)

    assert fit(models[1], crops, folder=tmp_path, on_validation=stop, **settings).interrupted
    assert fit(models[2], crops, folder=tmp_path, resume=True, workers=1, **settings).losses == expected.losses
    assert_same(weights(models[2]), weights(models[0]))


def test_a_second_interrupt_breaks():
    def impatient(model, row):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        fit(network(), Blobs(), steps=5, validate_every=1, on_validation=impatient, **PLAIN)
    assert signal.getsignal(signal.SIGINT) is before


def test_it_runs_beside_the_main_thread():
    histories = []
    thread = threading.Thread(target=lambda: histories.append(fit(network(), Blobs(), steps=2, **PLAIN)))
    thread.start()
    thread.join()
    assert len(histories[0].losses) == 2


def test_workers_prepare_the_same_samples():
    models = network(), network()
    for model, workers in zip(models, (0, 2), strict=True):
        fit(model, Blobs(), steps=3, batch_size=2, workers=workers, **PLAIN)
    assert_same(*map(weights, models))


def test_nobody_elses_random_numbers_change():
    model = network()
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    fit(model, Blobs(), steps=2, **PLAIN)
    assert torch.equal(torch.rand(3), expected)


def test_best_is_the_one_with_the_highest_iou(tmp_path):
    model = network()
    history = fit(model, Blobs(), Blobs(), steps=12, validate_every=2, lr=0.01, folder=tmp_path, **PLAIN)
    best = max(row["val_iou"] for row in history.rows)
    assert evaluate(load(tmp_path / "best.pt"), Blobs(), precision="float32")["val_iou"] == best


def test_of_cells_the_best_is_the_one_with_the_highest_seg(tmp_path):
    """Bridges of a pixel between cells: the IoU hardly sees them, SEG does."""
    frames = [synthetic_cells(seed, (48, 48), cells=4) for seed in range(3)]
    crops, whole = Crops(frames[:2], 32), Whole(frames[2:])
    settings = {"steps": 12, "validate_every": 2, "lr": 0.01, "folder": tmp_path, "choose_by": "val_seg", **PLAIN}
    history = fit(network(), crops, whole, **settings)
    best = load(tmp_path / "best.pt")
    assert best.about["val_seg"] == max(row["val_seg"] for row in history.rows) == history.best["val_seg"]
    image, truth = frames[2]
    found = instances_from_probability(predict(best, image, precision="float32")[1], sure=SURE)
    assert best.about["val_seg"] == pytest.approx(cell_scores(found, truth).mean())
    with pytest.raises(ValueError, match="a Whole of cells"):
        fit(network(), Blobs(), Blobs(), steps=1, choose_by="val_seg", **PLAIN)
    with pytest.raises(ValueError, match="choose_by: expected 'val_iou' or 'val_seg', got 'seg'"):
        fit(network(), Blobs(), steps=1, choose_by="seg", **PLAIN)


def test_the_highest_seg_beats_a_higher_iou():
    rows = [
        {"step": n, "val_seg": seg, "val_iou": iou, "val_loss": 1.0} for n, seg, iou in ((1, 0.5, 0.9), (2, 0.6, 0.8))
    ]
    history = training.History(rows=rows)
    assert history.best == rows[1] and history.chosen_by == "val_seg"
    without = [{"step": 0, "val_iou": 0.99, "val_loss": 0.1}]  # it began before SEG was measured
    assert training.History(rows=without + rows).best == rows[1]


def test_numbers_of_numpy_are_kept_as_plain_ones(tmp_path):
    """A checkpoint with NumPy's own could be written, but is refused when it is read."""
    model = network(dropout=np.float64(0.25))

    def add(model, row):
        row["seg"] = np.float32(0.5)

    settings = {"steps": np.int64(2), "lr": np.float64(0.01), "folder": tmp_path, "on_validation": add, **PLAIN}
    fit(model, Blobs(), **settings)
    assert fit(model, Blobs(), resume=True, **settings).rows[-1]["seg"] == 0.5
    assert load(tmp_path / "last.pt").config == model.config


EMPTY = [(image, 0 * labels, weight) for image, labels, weight in Blobs().samples]


@pytest.mark.parametrize("bias", [100.0, -100.0], ids=["it finds nothing", "it finds something everywhere"])
def test_where_there_is_nothing_to_find_there_is_no_iou(bias):
    model = network()
    with torch.no_grad():
        model.head.bias[0] = bias
    with warnings.catch_warnings(action="error"):
        assert math.isnan(evaluate(model.eval(), Listed(EMPTY))["val_iou"])


def test_without_an_iou_the_loss_chooses_the_best(tmp_path):
    history = fit(network(), Blobs(), Listed(EMPTY), steps=12, validate_every=2, lr=0.01, folder=tmp_path, **PLAIN)
    losses = [row["val_loss"] for row in history.rows]
    assert history.chosen_by == "val_loss" and history.best == history.rows[int(np.argmin(losses))]
    assert 0 < int(np.argmin(losses)), "the first of all would be the best by chance"
    best = load(tmp_path / "best.pt")
    assert evaluate(best, Listed(EMPTY), precision="float32")["val_loss"] == min(losses)
    assert best.about["chosen_by"] == "val_loss" and best.about["step"] == history.best["step"]
    assert math.isnan(best.about["val_iou"]) and best.about["val_loss"] == min(losses)


def test_of_equal_ious_the_one_with_the_lower_loss_is_the_best():
    rows = [
        {"step": n, "val_iou": iou, "val_loss": loss} for n, iou, loss in ((1, 0.0, 2.0), (2, 0.0, 1.0), (3, 0.0, 1.5))
    ]
    tied = training.History(rows=rows)
    assert tied.best == rows[1] and tied.chosen_by == "val_loss"
    better = training.History(
        rows=[*rows, {"step": 4, "val_iou": 0.1, "val_loss": 9.0}, {"step": 5, "val_iou": 0.1, "val_loss": 9.5}]
    )
    assert better.best["step"] == 4 and better.chosen_by == "val_iou", (
        "what comes later and is not better changes nothing"
    )
    nothing = training.History(rows=[{"step": 1, "loss": 1.0}])
    assert nothing.best is None and nothing.chosen_by == "val_loss"


def test_pixels_of_weight_0_count_in_no_score_and_no_loss():
    model = network(dropout=0.0).eval()
    lies = [(image, labels.copy(), weight.copy()) for image, labels, weight in Blobs().samples]
    for _, labels, weight in lies:
        weight[:5] = 0
        labels[:5] = 1 - labels[:5]
    truth = [(image, labels, lie[2]) for (image, labels, _), lie in zip(Blobs().samples, lies, strict=True)]
    assert evaluate(model, Listed(lies)) == evaluate(model, Listed(truth))
    counted = [evaluate(model, Listed([sample]))["val_loss"] for sample in truth]
    image, labels, weight = truth[0]
    p = np.take_along_axis(predict(model, image), labels[None], axis=0)[0]
    assert counted[0] == pytest.approx(np.mean((weight * -np.log(p))[5:]), rel=1e-5)  # float32


def test_where_classes_are_told_apart_the_mean_is_over_those_that_are_there():
    """Also over class 0; a class that is nowhere has no IoU, however often it was found."""
    model = UNet(1, 4, (4, 8), padding="same").eval()
    with torch.no_grad():
        model.head.bias[:] = torch.tensor([100.0, 0, 0, 0])
    labels = np.zeros((16, 16), np.int64)
    labels[:4] = 2
    found = evaluate(model, Listed([(np.zeros((1, 16, 16), np.float32), labels)]))
    assert found["val_iou_0"] == 0.75 and found["val_iou_2"] == 0 and found["val_iou"] == 0.375
    assert found.keys() == {"val_loss", "val_iou", "val_iou_0", "val_iou_2"}
    two = network().eval()
    two.about = {"labels": "classes"}
    assert evaluate(two, Blobs()).keys() == {"val_loss", "val_iou", "val_iou_0", "val_iou_1"}


ABOUT = {"labels": "cells", "contrast": "range", "dark": -3.5, "bright": 1e9, "numbers": "uint16", "data": "0123"}


def about(**changes):
    model = network()
    model.about = {**ABOUT, **changes}
    return model


def test_what_a_network_is_for_is_kept_with_it(tmp_path):
    fit(about(), Blobs(), Blobs(), steps=2, folder=tmp_path, **PLAIN)
    assert load(tmp_path / "last.pt").about == ABOUT
    best = load(tmp_path / "best.pt").about
    assert best.items() > ABOUT.items() and best.keys() - ABOUT.keys() == {"step", "chosen_by", "val_iou", "val_loss"}
    save(about(), tmp_path / "saved.pt")
    assert load(tmp_path / "saved.pt").about == ABOUT


@pytest.mark.parametrize(
    "wrong",
    [
        {"contrast": "loud"},
        {"labels": "cats"},
        {"dark": None},
        {"dark": "0"},
        {"bright": -4.0},
        {"bright": math.nan},
        {"numbers": 16},
        {"more": [[1]]},
    ],
    ids=str,
)
def test_a_purpose_that_nobody_knows_is_not_taken_for_another(tmp_path, wrong):
    save(about(**wrong), tmp_path / "it.pt")
    with pytest.raises(ValueError, match="expected the checkpoint of a U-Net"):
        load(tmp_path / "it.pt")


def test_a_best_network_without_its_run_is_not_mixed_with_another_run(tmp_path):
    fit(network(), Blobs(), Blobs(), steps=2, folder=tmp_path, **PLAIN)
    (tmp_path / "last.pt").unlink()
    with pytest.raises(FileExistsError, match="holds a run already"):
        fit(network(), Blobs(), steps=2, folder=tmp_path, **PLAIN)
    fit(network(), Blobs(), steps=2, folder=tmp_path, resume=True, **PLAIN)
    assert not (tmp_path / "best.pt").exists(), "of the new run none is the best, as nothing was held out"


def test_weights_from_before_anything_was_noted_still_load(tmp_path):
    torch.save({"config": network().config, "weights": network().state_dict()}, tmp_path / "old.pt")
    assert load(tmp_path / "old.pt").about == {} and load(tmp_path / "old.pt").finds_cells


def test_a_run_goes_on_with_the_images_it_began_with(tmp_path):
    fit(about(), Blobs(), steps=2, folder=tmp_path, **PLAIN)
    on = {"steps": 2, "folder": tmp_path, "resume": True, **PLAIN}
    fit(about(), Blobs(), **on)
    with pytest.raises(ValueError, match=r"learned on other images or labels than these.*new_data=True, --new-data"):
        fit(about(data="4567"), Blobs(), **on)
    with pytest.raises(ValueError, match="contrast: the run in .* has 'range', got 'stretch'"):
        fit(about(contrast="stretch"), Blobs(), new_data=True, **on)
    with pytest.raises(ValueError, match="has made all its steps and learns nothing from other images"):
        fit(about(data="4567"), Blobs(), new_data=True, **on)


def test_scores_on_other_images_are_forgotten(tmp_path):
    """The best of the old ones would stay the best for ever."""

    def stop(model, row):
        if row["step"] == 4:
            signal.raise_signal(signal.SIGINT)

    settings = {"steps": 8, "validate_every": 2, "folder": tmp_path, **PLAIN}
    assert fit(about(), Blobs(), Blobs(), on_validation=stop, **settings).interrupted
    on = about(data="4567")
    history = fit(on, Blobs(), Listed(Blobs(13).samples[:1]), resume=True, new_data=True, **settings)
    assert [("val_iou" in row) for row in history.rows] == [False, False, True, True]
    best = load(tmp_path / "best.pt")
    assert best.about["step"] in (6, 8) and best.about["data"] == "4567"
    assert best.about["val_loss"] == history.best["val_loss"]


def test_weights_that_are_no_numbers_are_not_kept(tmp_path):
    """The loss is measured before the step, and is fine; what the step leaves is not."""
    for lr, good in ((1e-3, True), (3e38, False)):
        folder = tmp_path / str(good)
        model, samples = network(norm=None), Blobs()
        samples.samples = [(1e4 * image, labels, 1e4 * weight) for image, labels, weight in samples.samples]
        if good:
            fit(model, samples, steps=1, lr=1e-12, folder=folder, **PLAIN)
        else:
            with pytest.raises(FloatingPointError, match="the weights are no longer numbers, at about step 1"):
                fit(model, samples, steps=1, lr=lr, folder=folder, **PLAIN)
        assert (folder / "last.pt").exists() is good


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_a_folder_that_cannot_be_written_is_found_before_the_first_step(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError):
        fit(network(), Listed([]), steps=1, folder=tmp_path / "file", **PLAIN)
    monkeypatch.setattr(os, "access", lambda *_: False)  # told and not tried: the administrator may write anywhere
    with pytest.raises(PermissionError, match="take a folder of yours"):
        fit(network(), Listed([]), steps=1, folder=tmp_path, **PLAIN)


def test_a_loss_that_is_no_number_stops_and_the_last_good_state_is_kept(tmp_path):
    with pytest.raises(
        FloatingPointError, match=r"learning rate that is too high: try a tenth of 1e\+30.*all weights are finite"
    ):
        fit(
            network(norm=None),
            Blobs(),
            steps=50,
            lr=1e30,
            validate_every=1,
            folder=tmp_path,
            **PLAIN,
        )
    assert all(torch.isfinite(value).all() for value in load(tmp_path / "last.pt").state_dict().values())


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"optimizer": "adam"}, ValueError, "optimizer: expected one of sgd, adamw, got 'adam'"),
        ({"steps": 0}, ValueError, "steps: expected an int of at least 1, got 0"),
        ({"batch_size": 0}, ValueError, "batch_size: expected an int of at least 1, got 0"),
        ({"lr": 0}, ValueError, "lr: expected a number above 0, got 0"),
        ({"lr": math.inf}, ValueError, "lr: expected a number above 0, got inf"),
        ({"lr": math.nan}, ValueError, "lr: expected a number above 0, got nan"),
        ({"validate_every": 0}, ValueError, "validate_every: expected an int of at least 1, got 0"),
        ({"precision": "float16"}, ValueError, "precision: expected 'auto', 'float32' or 'bfloat16', got 'float16'"),
        ({"resume": True}, ValueError, "resume: expected the folder of the run as well"),
        ({"seed": -1}, ValueError, "seed: expected an int of at least 0, got -1"),
    ],
    ids=str,
)
def test_arguments_that_make_no_run(arguments, error, message):
    with pytest.raises(error, match=re.escape(message)):
        fit(network(), Blobs(), **({"steps": 1} | PLAIN | arguments))


def test_nothing_to_learn_from():
    with pytest.raises(ValueError, match="train: expected at least one sample, got none"):
        fit(network(), Listed([]), steps=1, **PLAIN)
    with pytest.raises(ValueError, match="validation: expected at least one image with a pixel that counts, got none"):
        fit(network(), Blobs(), Listed([]), steps=1, **PLAIN)


def test_a_folder_with_a_run_is_not_overwritten_and_other_settings_do_not_go_on(tmp_path):
    fit(network(), Blobs(), steps=2, folder=tmp_path, **PLAIN)
    before = (tmp_path / "last.pt").read_bytes()
    with pytest.raises(FileExistsError, match="resume=True goes on with it"):
        fit(network(), Blobs(), steps=2, folder=tmp_path, **PLAIN)
    with pytest.raises(ValueError, match=r"lr: the run in .* has 0.001, got 0.5"):
        fit(network(), Blobs(), steps=2, lr=0.5, folder=tmp_path, resume=True, **PLAIN)
    with pytest.raises(ValueError, match=r"skip: the run in .* has 'concat', got 'add'"):
        fit(network(skip="add"), Blobs(), steps=2, folder=tmp_path, resume=True, **PLAIN)
    assert (tmp_path / "last.pt").read_bytes() == before


def test_16_bits_where_they_are_fast():
    history = fit(network(), Blobs(), steps=2, device="cpu", precision="auto", progress=False)
    exact = fit(network(), Blobs(), steps=2, **PLAIN)
    # 16-bit numbers have three digits, so a loss that is equal to six was not computed with them
    is_short = not math.isclose(history.losses[0], exact.losses[0], rel_tol=1e-6)
    assert is_short is bf16_is_fast(torch.device("cpu"))
    assert history.losses[0] == pytest.approx(exact.losses[0], rel=0.02)


# ---------------------------------------------------------------------------------------------------------------- files


def test_a_saved_network_answers_the_same(tmp_path):
    model = network(skip="add").eval()
    save(model, tmp_path / "new" / "net.pt")
    x = torch.randn(1, 1, 16, 16)
    assert torch.equal(load(tmp_path / "new" / "net.pt")(x), model(x))
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["net.pt"]


def test_half_precision_files_load_as_float32(tmp_path):
    save(network().half(), tmp_path / "net.pt")
    model = load(tmp_path / "net.pt")
    assert {value.dtype for value in model.parameters()} == {torch.float32}
    assert torch.isfinite(model(torch.zeros(1, 1, 16, 16))).all()


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    save(network(0), tmp_path / "net.pt")
    before = (tmp_path / "net.pt").read_bytes()

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="could not be written .*No space left on device.* Is the disk full"):
        save(network(1), tmp_path / "net.pt")
    assert (tmp_path / "net.pt").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["net.pt"]


@pytest.fixture(scope="module")
def whole_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "net.pt"
    save(network(), path)
    return path.read_bytes()


@pytest.mark.parametrize("part", [0, 1, 10, 100, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(tmp_path, whole_file, part):
    path = tmp_path / "net.pt"
    path.write_bytes(whole_file[: part if isinstance(part, int) else int(part * len(whole_file))])
    with pytest.raises(ValueError, match="expected a whole checkpoint"):
        load(path)


def test_no_changed_byte_of_a_weight_goes_unseen(tmp_path, whole_file):
    path = tmp_path / "net.pt"
    path.write_bytes(whole_file)
    with zipfile.ZipFile(path) as archive:
        entries = [entry for entry in archive.infolist() if "/data/" in entry.filename]
    assert len(entries) > 10
    for entry in entries:
        changed = bytearray(whole_file)
        place = whole_file.index(entry.filename.encode(), entry.header_offset) + len(entry.filename)
        place += int.from_bytes(whole_file[entry.header_offset + 28 : entry.header_offset + 30], "little")  # padding
        changed[place + entry.file_size // 2] ^= 0xFF
        path.write_bytes(changed)
        with pytest.raises(ValueError, match="expected a whole checkpoint"):
            load(path)


class Hostile:
    """What a pickle can do to whoever trusts it."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


def test_a_file_cannot_run_a_program(tmp_path):
    path, trace = tmp_path / "net.pt", tmp_path / "trace"
    for content in (Hostile(trace), {"config": Hostile(trace), "weights": {}}, [Hostile(trace)]):
        torch.save(content, path)
        with pytest.raises(ValueError, match="expected a whole checkpoint"):
            load(path)
        path.write_bytes(pickle.dumps(content))  # the format of old: not a zip
        with pytest.raises(ValueError, match="expected a whole checkpoint"):
            load(path)
    assert not trace.exists()
    pickle.loads(path.read_bytes())  # the trap works, when somebody steps into it
    assert trace.exists()


def test_files_that_hold_something_else(tmp_path):
    path = tmp_path / "net.pt"
    config, state = network().config, network().state_dict()
    first = next(iter(state))
    one_for_all = torch.zeros(1000)
    huge = {**state, first: torch.zeros(1).expand(10**6, 10**6)}  # a terabyte, says a file of a kilobyte
    contents = [
        torch.zeros(3),
        {},
        {"config": config},
        {"config": config, "weights": {}},
        {"config": config, "weights": [1, 2]},
        {"config": {**config, "widths": (10**6, 10**6)}, "weights": state},
        {"config": {**config, "padding": "full"}, "weights": state},
        {"config": {**config, "widths": "many"}, "weights": state},
        {"config": {**config, "widths": doubled(40)}, "weights": state},  # a terabyte, when it is printed
        {"config": {**config, "norm": doubled(40)}, "weights": state},
        {"config": {**config, "widths": (1,) * 20_000}, "weights": state},
        {"config": {**config, "widths": (10**30, 8)}, "weights": state},
        {"config": {**config, "in_channels": torch.tensor(1)}, "weights": state},
        {"config": config, "settings": {"lr": doubled(40)}, "weights": state},
        {"config": {**config, "more": 1}, "weights": state},
        {"config": {**config, "skip": "add"}, "weights": state},
        {"config": config, "weights": huge},
        {"config": config, "weights": {**state, first: "no tensor"}},
        {"config": config, "weights": {**state, 1: torch.zeros(1)}},
        {"config": config, "weights": {**state, first: state[first].to("meta")}},
        {"config": config, "weights": {**state, first: state[first].to_sparse()}},
        {"config": config, "weights": {**state, first: state[first].to(torch.complex64)}},
        {"config": config, "weights": {**state, first: math.nan * state[first]}},
        {"config": config, "weights": {name: one_for_all[: w.numel()].view(w.shape) for name, w in state.items()}},
        {"config": config, "weights": {**state, "contracting.0.1.running_mean": torch.zeros(4, dtype=torch.int64)}},
    ]
    for content in contents:
        torch.save(content, path)
        with pytest.raises(ValueError, match=r"expected (a U-Net's weights|the checkpoint of a U-Net)"):
            load(path)
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "missing.pt")


def doubled(times):
    """A short list that is long when it is written out."""
    things = [1]
    for _ in range(times):
        things = [things, things]
    return things


def test_a_program_of_the_unpickler_that_makes_no_sense(tmp_path, whole_file):
    """With right checksums, so that it is read: random changes, and lists in lists.

    Whatever torch raises, it is one clear error.
    """
    rng, names = np.random.default_rng(2015), Counter()
    with zipfile.ZipFile(io.BytesIO(whole_file)) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    (program,) = (name for name in entries if name.endswith("data.pkl"))
    changed = [bytearray(entries[program]) for _ in range(60)]
    for body in changed:
        body[rng.integers(len(body))] = rng.integers(256)
    for body in (*changed, b"\x80\x02" + 10**5 * b"]" + (10**5 - 1) * b"a" + b"."):
        with zipfile.ZipFile(tmp_path / "net.pt", "w") as archive:
            for name, content in {**entries, program: bytes(body)}.items():
                archive.writestr(name, content)
        try:
            names[type(load(tmp_path / "net.pt")).__name__] += 1
        except ValueError as error:
            names[str(error).split()[1]] += 1
    # a change in the name of nothing may do nothing
    assert set(names) <= {"expected", "UNet"} and names["expected"] > 30


def test_a_file_that_unfolds_is_refused(tmp_path):
    path = tmp_path / "bomb.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data/0", bytes(10**7))
    with pytest.raises(ValueError, match="expected a whole checkpoint"):
        load(path)


def test_a_run_without_its_parts_is_nothing_to_go_on_from(tmp_path):
    fit(network(), Blobs(), steps=2, folder=tmp_path, **PLAIN)
    whole = torch.load(tmp_path / "last.pt", weights_only=True)
    for part, junk in (
        ("optimizer", {}),
        ("schedule", 3),
        ("losses", None),
        ("rows", None),
        ("seconds", "long"),
        ("step", None),
    ):
        kept = {**whole, part: junk}
        if junk is None:
            del kept[part]
        torch.save(kept, tmp_path / "last.pt")
        with pytest.raises(ValueError, match=r"last\.pt: expected the state of a run, got something else"):
            fit(network(), Blobs(), steps=2, folder=tmp_path, resume=True, **PLAIN)


def test_a_network_alone_is_nothing_to_go_on_from(tmp_path):
    save(network(), tmp_path / "last.pt")
    with pytest.raises(ValueError, match="nothing to go on from"):
        fit(network(), Blobs(), steps=2, folder=tmp_path, resume=True, **PLAIN)


# ------------------------------------------------------------------------------------------------------------ processes


def test_killed_twenty_times_it_still_arrives(server, tmp_path):
    """SIGKILL while it writes, or after: the last checkpoint loads; the end is that of a run that nobody disturbed."""
    settings = {"steps": 300, "batch_size": 2}
    last = tmp_path / "last.pt"
    for n in range(20):
        child, before = server.Process(target=run, args=(tmp_path, {**settings, "validate_every": 1})), _time_of(last)
        child.start()
        wait_until(lambda before=before: _time_of(last) != before, child)
        if n % 4:
            before = _time_of(last)
            wait_until(lambda before=before: any(tmp_path.glob(".*.part")) or _time_of(last) != before, child)
        child.kill()
        child.join()
        assert child.exitcode == -signal.SIGKILL
        assert isinstance(load(last), UNet)
    assert 20 <= torch.load(last, weights_only=True)["step"] < 300
    for folder in (tmp_path, tmp_path / "alone"):
        child = server.Process(target=run, args=(folder, {**settings, "validate_every": 300}))
        child.start()
        child.join()
        assert child.exitcode == 0
    resumed, undisturbed = (torch.load(path, weights_only=True) for path in (last, tmp_path / "alone" / "last.pt"))
    assert resumed["losses"] == undisturbed["losses"] and len(resumed["losses"]) == 300
    assert_same(resumed["weights"], undisturbed["weights"])
    assert not list(tmp_path.glob(".last.pt.*"))


def wait_until(condition, child):
    while not condition() and child.is_alive():
        time.sleep(0.001)


def _time_of(path):
    return path.stat().st_mtime_ns if path.exists() else 0


SETTINGS_OF_TWO = {"steps": 6, "batch_size": 4, "validate_every": 2, "optimizer": "adamw"}


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def assert_as_one(path):
    """The same batches on two processes, without what is drawn or measured for each process by itself."""
    alone = network(dropout=0.0, norm=None)
    history = fit(alone, Blobs(), Blobs(), **SETTINGS_OF_TWO, **PLAIN)
    two = torch.load(path, weights_only=True)
    assert two["losses"] == pytest.approx(history.losses, rel=1e-5)
    # AdamW divides by the size of the gradient, so rounding of a small one becomes a visible part of a step (0.002)
    assert_same(two["weights"], weights(alone), rtol=0, atol=2e-4)


def outcomes(server, folder, accident=""):
    """What came of two processes: they both end, whatever happens to one of them."""
    port = free_port()
    both = [server.Process(target=one_of_two, args=(rank, port, folder, accident)) for rank in (0, 1)]
    for process in both:
        process.start()
    for process in both:
        process.join(600)
    ended = [process.exitcode for process in both]
    for process in both:
        process.kill()
    assert ended == [0, 0]
    return [(folder / f"outcome{rank}").read_text() for rank in (0, 1)]


def test_two_processes_go_on_where_they_were_stopped(server, tmp_path):
    assert outcomes(server, tmp_path, "Ctrl-C") == 2 * ["3 steps, interrupted: True"]
    first, second = outcomes(server, tmp_path, "its folder is empty")
    assert first == second and "found a checkpoint of step 3 in it, another one of step 0; take a folder" in first
    assert outcomes(server, tmp_path) == 2 * ["6 steps, interrupted: False"]
    assert_as_one(tmp_path / "run" / "last.pt")


def test_two_processes_end_together(server, tmp_path):
    first, second = outcomes(server, tmp_path, "its images are no numbers")
    assert first == second and first.startswith("FloatingPointError: the loss is no longer a number")
    first, second = outcomes(server, tmp_path, "it raises")
    assert first == "OSError: no space left"
    assert re.match("RuntimeError|DistBackendError", second)  # the other one hears that it is gone


def test_a_batch_is_shared_evenly():
    with pytest.raises(
        ValueError, match="batch_size: expected a multiple of the 2 processes that share a batch, got 3"
    ):
        training._batches(Blobs(), {"batch_size": 3, "steps": 1, "seed": 0}, 0, 0, 2, 0)
    for size, count in ((4, 2), (6, 3)):
        parts = []
        for rank in range(count):
            loader = training._batches(Blobs(), {"batch_size": size, "steps": 2, "seed": 0}, 0, rank, count, 0)
            parts.append(list(loader.batch_sampler))
        together = [[n for part in parts for n in part[step]] for step in range(2)]
        assert together == [list(range(size)), list(range(size, 2 * size))]


@pytest.mark.parametrize("options", [{}, {"upsample": "bilinear"}, {"upsample": "unpool"}, {"skip": "add"}])
def test_the_network_is_one_program(options):
    """`torch.compile` leaves nothing of it to Python: each piece more would cost, and hide the next one from it."""
    torch._dynamo.reset()
    model = network(padding="valid", dropout=0.5, **options)
    x = torch.rand(1, 1, 20, 28)
    torch.manual_seed(0)
    expected = model(x)
    torch.manual_seed(0)
    assert torch.equal(torch.compile(model, backend="eager", fullgraph=True)(x), expected)


def test_compile_trains_what_torch_compiles(monkeypatch):
    """Compiling takes half a minute, and is torch's business; here it is seen that what it gives back is trained."""
    asked = []

    def compiled(model):
        asked.append(model)
        return lambda x: 0 * model(x)

    monkeypatch.setattr(torch, "compile", compiled)
    model = network()
    history = fit(model, Blobs(weighted=False), steps=2, compile=True, **PLAIN)
    assert asked == [model]
    assert history.losses == pytest.approx([math.log(2)] * 2)
