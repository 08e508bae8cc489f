"""The ablation gallery without a browser: it shows what the records say, for every variant, picture and score."""

import importlib
import json
import re

import numpy as np
import pytest

from tests.explorers.boards import shown, without_pictures
from unet_edu import explore
from unet_edu.data import measured as results
from unet_edu.figures.results import found_cells

gallery = importlib.import_module("unet_edu.explore.ablations")  # in the package the function has this name

SCORES = {
    "full": [0.80, 0.78, 0.79],
    "no skips": [0.50, 0.55, 0.60],
    "add": [0.77, 0.81, 0.79],
    "unpool": [0.82, 0.83, 0.84],
    "something new": [0.7, 0.7, 0.7],
}


@pytest.fixture
def measured(tmp_path, monkeypatch):
    """Five variants with three seeds each, and two pictures; of "unpool" no picture was kept."""
    rng = np.random.default_rng(3)
    truth = np.zeros((2, 24, 32), np.uint8)
    truth[:, 2:10, 2:10], truth[:, 2:10, 12:20], truth[:, 14:22, 5:15] = 1, 2, 3
    missed, merged = truth.copy(), truth.copy()
    missed[truth == 3] = 0
    merged[0, 2:10, 2:20] = 1
    records = [
        {
            "experiment": "ablations",
            "variant": name,
            "seed": seed,
            "scores": {"seg": value, "iou": 1 - value / 2},
            "steps": 300,
        }
        for name, values in SCORES.items()
        for seed, value in enumerate(values)
    ]
    header = {
        "date": "2026-11-21",
        "hardware": "a machine",
        "command": "python benchmarks/ablations.py",
        "torch": "2.9",
    }
    (tmp_path / "ablations.json").write_text(json.dumps({"header": header, "records": records}))
    pictures = {"full": truth, "no skips": missed, "add": merged, "something new": truth}
    images = rng.integers(0, 256, truth.shape, dtype=np.uint8)
    np.savez_compressed(tmp_path / "ablations.npz", images=images, truth=truth, **pictures)
    use(tmp_path, monkeypatch)
    yield pictures | {"truth": truth}
    forget()


def use(folder, monkeypatch):
    monkeypatch.setattr(results, "FOLDER", folder)
    forget()


def forget():
    for cached in (gallery._results, gallery._samples, gallery.runs, gallery._drawn):
        cached.cache_clear()


def test_the_whole_network_stands_first_and_new_names_last(measured):
    assert list(gallery.runs("seg")) == ["full", "no skips", "add", "unpool", "something new"]
    assert gallery.runs("seg")["no skips"] == (0.5, 0.55, 0.6)
    assert gallery.runs("average_precision") == {}


@pytest.mark.parametrize("variant", SCORES)
@pytest.mark.parametrize("score", ["seg", "iou"])
@pytest.mark.parametrize("sample", [0, 1])
def test_everything_shown_is_true(measured, variant, score, sample):
    explorer = explore.ablations()
    explorer.controls["variant"].value, explorer.controls["score"].value = variant, score
    explorer.controls["sample"].value = sample
    assert explorer.state == gallery.State(variant, score, sample)
    words, pictures = shown(explorer)
    values = SCORES[variant] if score == "seg" else [1 - value / 2 for value in SCORES[variant]]
    assert f"{np.mean(values):.3f} ± {np.std(values, ddof=1):.3f}" in words
    assert words.count("<circle") == 3 * len(SCORES) and words.count('font-weight="bold"') == 1
    assert f"<b>{variant}</b>" in words
    kept = [name for name in dict.fromkeys(("full", variant)) if name in measured]
    assert pictures.count("<img") == len(kept)
    for name in kept:
        right = found_cells(measured[name][sample], measured["truth"][sample])
        assert f"<b>{name}</b><br>{right.sum()} of {len(right)} cells found" in pictures
    assert ("no picture was kept" in pictures) == (variant not in measured)
    assert not re.search("nan|None|inf", words + without_pictures(pictures))


@pytest.mark.parametrize(
    ("variant", "words"),
    [
        ("full", "This is the whole network"),
        ("no skips", "All 3 runs are below all 3 runs"),
        ("add", "cannot tell the two apart"),
        ("unpool", "All 3 runs are above all 3 runs"),
    ],
)
def test_the_verdict_says_no_more_than_three_runs_can(measured, variant, words):
    assert words in gallery.compared(gallery.State(variant, "seg", 0)).verdict
    assert words in shown(explore.ablations(variant))[0]


def test_the_dots_stand_where_the_scores_are(measured):
    """Distances between the dots are proportional to the differences of the scores."""
    chart = shown(explore.ablations())[0]
    places = np.array([float(x) for x in re.findall(r'<circle cx="([\d.]+)"', chart)])
    values = np.concatenate(list(SCORES.values()))
    slope, offset = np.polyfit(values, places, 1)
    assert slope > 0 and np.abs(slope * values + offset - places).max() < 0.1  # places have one decimal


def test_the_stored_picture(measured):
    data, metadata = explore.ablations("add", 0)._repr_mimebundle_()
    alt = metadata["image/png"]["alt"]
    assert data["image/png"].startswith(b"\x89PNG")
    assert "“add” found: 1 of 3 cells found, 2 predicted" in alt and "“full” found: 3 of 3" in alt
    assert "seg: full 0.790 ± 0.010; no skips 0.550 ± 0.050" in data["text/plain"]
    assert "shape (24, 32)" in data["text/plain"]
    without = explore.ablations("unpool")._repr_mimebundle_()[0]["text/plain"]
    assert "cells found: shape" not in without and "unpool 0.830 ± 0.010" in without


def test_without_pictures_there_are_words(measured, tmp_path):
    (tmp_path / "ablations.npz").unlink()
    forget()
    explorer = explore.ablations("add")
    assert "sample" not in explorer.controls
    assert "No pictures were kept of these runs." in shown(explorer)[1] and "<img" not in shown(explorer)[1]
    assert explorer._repr_mimebundle_()[0]["image/png"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"variant": "bigger"}, "variant: expected one of full, no skips, add, unpool, something new, got 'bigger'"),
        ({"score": "dice"}, "score: expected one of seg, iou, got 'dice'"),
        ({"sample": 2}, "sample: expected a number from 0 to 1, got 2"),
    ],
)
def test_errors_say_what_there_is(measured, arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        explore.ablations(**arguments)


def test_missing_results_say_how_to_make_them(tmp_path, monkeypatch):
    use(tmp_path, monkeypatch)
    with pytest.raises(
        FileNotFoundError, match=r"no results of this name \(there are: none\); python benchmarks/ablations\.py"
    ):
        explore.ablations()
    forget()


def test_what_comes_with_the_package_can_be_shown():
    """Each measured variant, with three runs at least."""
    forget()
    every = gallery.runs("seg")
    assert "full" in every and len(every) > 3
    for variant, scores in every.items():
        assert len(scores) >= 3, variant
        assert f"{np.mean(scores):.3f}" in shown(explore.ablations(variant))[0]
