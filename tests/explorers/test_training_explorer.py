"""The training scrubber: what it shows is true, for every snapshot and every way of showing it; then once in a
browser."""

import re

import numpy as np
import pytest

from tests.explorers.boards import pictures, shown
from unet_edu import explore
from unet_edu.explore.training import SHOWN, SMOOTH, picture
from unet_edu.figures.palette import PAPER
from unet_edu.figures.segmentation import agreement
from unet_edu.losses import separated
from unet_edu.metrics import confusion_matrix, connected, iou, seg

STEPS = (0, 10, 20, 40)


def scene():
    """Three cells, two of them touching, numbered with a gap, in an image that is not square."""
    instances = np.zeros((24, 40), np.int32)
    instances[4:14, 3:12], instances[4:14, 12:20], instances[15:22, 26:38] = 2, 5, 9
    rng = np.random.default_rng(8)
    image = np.clip(0.2 + 0.5 * (instances > 0) + 0.05 * rng.standard_normal(instances.shape), 0, 1)
    return image.astype(np.float32), instances


def run(seed, touching):
    """Losses that fall, and probabilities that come nearer to the truth."""
    _, instances = scene()
    rng = np.random.default_rng(seed)
    truth = instances > 0 if touching else separated(instances)
    snapshots = {
        step: np.clip(0.5 + (truth - 0.5) * step / 45 + 0.1 * rng.standard_normal(truth.shape), 0, 1) for step in STEPS
    }
    return list(np.exp(-np.arange(40) / 15) + 0.05 * rng.random(40)), snapshots


@pytest.fixture
def runs():
    return {"with the map": run(1, touching=False), "without": run(2, touching=True)}


@pytest.fixture
def explorer(runs):
    return explore.training(runs, *scene())


def test_every_snapshot_is_scored_as_the_library_does(explorer, runs):
    _, instances = scene()
    for place, step in enumerate(STEPS):
        explorer.controls["snapshot"].value = place
        *films, _ = shown(explorer)
        for html, (name, (_, snapshots)) in zip(films, runs.items(), strict=True):
            mask = snapshots[step].astype(np.float32) > 0.5
            found = connected(mask)
            assert f"<b>{name}</b>, step {step}" in html
            assert f"<b>{found.max()} of 3</b>" in html
            assert re.search(rf"<td[^>]*>SEG</td><td [^>]*><b>{seg(found, instances):.3f}</b>", html)
            assert f"<b>{iou(confusion_matrix(mask, instances > 0, 2))[1]:.3f}</b>" in html
            assert re.search(
                rf'<img alt="{name} at step {step}: {found.max()} cells found where there are 3, SEG', html
            )


def test_the_last_snapshot_tells_merged_from_apart(explorer):
    one, two, _ = shown(explorer)
    assert "<b>3 of 3</b>" in one and "<b>2 of 3</b>" in two


@pytest.mark.parametrize("kind", SHOWN.values())
def test_the_pictures_are_what_they_say(explorer, runs, kind):
    image, instances = scene()
    explorer.controls["shown"].value = kind
    html = shown(explorer)[1]
    drawn = pictures(html)[0] / 255
    probability = runs["without"][1][40].astype(np.float32)
    mask = probability > 0.5
    if kind == "errors":
        expected = agreement(image, mask, separated(instances))
        np.testing.assert_allclose(drawn, expected, atol=1 / 255 + 1e-6)
    elif kind == "probability":
        np.testing.assert_allclose(drawn, np.repeat(probability[..., None], 3, axis=-1), atol=1 / 255 + 1e-6)
    else:
        found = connected(mask)
        for cell in range(1, found.max() + 1):
            assert len(np.unique(drawn[found == cell], axis=0)) == 1, "one colour a piece"
        ground = drawn[~mask]
        assert (ground.max(axis=-1) == ground.min(axis=-1)).all(), "the background stays grey"
    key = {"errors": "FP wrongly marked", "cells": "not told apart", "probability": "in doubt"}[kind]
    assert key in shown(explorer)[-1]


def test_the_curves_are_the_losses_and_the_line_is_the_step(explorer, runs):
    for place, step in enumerate(STEPS):
        explorer.controls["snapshot"].value = place
        svg = shown(explorer)[-1]
        lines = re.findall(r'<polyline points="([^"]+)"', svg)
        assert len(lines) == 2
        for line, (losses, _) in zip(lines, runs.values(), strict=True):
            x, y = np.array([tuple(map(float, point.split(","))) for point in line.split()]).T
            means = np.convolve(losses, np.ones(SMOOTH) / SMOOTH, "valid")
            assert len(x) == len(means)
            slope, offset = np.polyfit(means, y, 1)
            # rounded to 0.05; the fit is off by as much
            assert slope < 0 and np.abs(slope * means + offset - y).max() < 0.11
        marker = float(re.search(r'<path d="M([\d.]+) 8V\d+" stroke="#1A1A1A"', svg)[1])
        assert marker == pytest.approx(40 + (640 - 8 - 40) * step / 40, abs=0.06)
        assert f'fill="{PAPER}"' in svg
    dashes = re.findall(r'<polyline[^>]*stroke-dasharray="([^"]*)"', svg)
    assert len(set(dashes)) == 2, "told apart by more than colour"


def test_a_run_that_explodes_does_not_press_the_others_flat():
    image, instances = scene()
    losses, snapshots = run(1, touching=False)
    wild = [1e6] * 40
    views = shown(explore.training({"healthy": (losses, snapshots), "wild": (wild, snapshots)}, image, instances))
    first = re.search(r'<polyline points="([^"]+)"', views[-1])[1].split()
    y = np.array([float(point.split(",")[1]) for point in first])
    assert np.ptp(y) > 50


def test_it_begins_where_asked():
    image, instances = scene()
    assert explore.training({"a": run(1, False)}, image, instances).state.snapshot == 3
    assert explore.training({"a": run(1, False)}, image, instances, step=12).state.snapshot == 1


def test_one_run_of_one_step_is_enough():
    image, instances = scene()
    explorer = explore.training({"a": ([0.7], {0: np.zeros(image.shape), 1: np.ones(image.shape)})}, image, instances)
    for place in (0, 1):
        explorer.controls["snapshot"].value = place
        assert "nan" not in shown(explorer)[-1]
        picture(explorer.state)
    explorer = explore.training({"a": ([], {0: np.zeros(image.shape)})}, image, instances)
    assert "<b>0 of 3</b>" in shown(explorer)[0] and "nan" not in shown(explorer)[-1]
    picture(explorer.state)


def test_a_run_that_was_stopped_shows_the_last_that_it_has():
    image, instances = scene()
    losses, snapshots = run(2, touching=True)
    stopped = losses[:13], {0: snapshots[0], 10: snapshots[10], 13: snapshots[20]}
    explorer = explore.training({"whole": run(1, False), "stopped": stopped}, image, instances)
    assert explorer.state.steps == (0, 10, 13, 20, 40)
    for place, (whole, other) in enumerate(((0, 0), (10, 10), (10, 13), (20, 13), (40, 13))):
        explorer.controls["snapshot"].value = place
        one, two, _ = shown(explorer)
        assert f"whole at step {whole}:" in one and f"stopped at step {other}:" in two
    assert picture(explorer.state).figure.axes[3].get_title() == "stopped, step 13"


def test_the_still_picture_tells_the_same(explorer, runs):
    image, instances = scene()
    still = picture(explorer.state)
    assert "after step 40 what is wrong: with the map and without" in still.alt
    assert "snapshots at steps 0, 10, 20, 40" in still.digest
    original, one, one_table, two, two_table, curves, _ = still.figure.axes
    np.testing.assert_array_equal(original.images[0].get_array(), image)
    panels = zip(((one, one_table), (two, two_table)), runs.items(), strict=True)
    for (axes, table), (name, (_, snapshots)) in panels:
        mask = snapshots[40].astype(np.float32) > 0.5
        np.testing.assert_array_equal(axes.images[0].get_array(), agreement(image, mask, separated(instances)))
        assert axes.get_title() == f"{name}, step 40"
        texts = [text.get_text() for text in table.texts]
        assert texts[1] == f"{connected(mask).max()} of 3" and texts[3] == f"{seg(connected(mask), instances):.3f}"
    assert {line.get_label() for line in curves.lines} >= set(runs)


def test_no_score_of_a_trained_network_is_compared_between_machines(explorer):
    """Scores differ in their last digits; what nbval compares must not hold any."""
    still = picture(explorer.state)
    assert "SEG" not in still.alt + still.digest and "0." not in still.alt


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"runs": {}}, "runs: expected one to 3 of them, got 0"),
        ({"runs": {"a": run(1, False), "b": ([1.0], {})}}, r"runs\['b'\]: expected at least one snapshot, got none"),
        (
            {"runs": {"a": ([1.0], {0: np.zeros((24, 41))})}},
            r"one probability a pixel, \(24, 40\), got shape \(24, 41\)",
        ),
        ({"image": np.zeros((5, 5))}, "image: expected shape"),
    ],
)
def test_errors_say_what_was_expected(change, message):
    image, instances = scene()
    arguments = {"runs": {"a": run(1, False)}, "image": image, "instances": instances} | change
    with pytest.raises(ValueError, match=message):
        explore.training(**arguments)
