"""The benchmark on real frames: nothing that is trained on is scored, and the program runs to its end."""

import importlib.util
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from unet_edu.losses import separated

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def program(name):
    spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def real_data():
    return program("real_data")


def frames_of(real_data, setting):
    return real_data.benchmarks.load(setting.data, os.environ["UNET_EDU_TEST_DATA"])


@pytest.mark.needs("real frames")
@pytest.mark.parametrize("experiment", ["dic", "phc", "phc-back", "em", "dsb"])
def test_no_frame_is_trained_on_and_scored(real_data, experiment):
    setting = real_data.SETTINGS[experiment]
    training, scored = real_data.split(setting, frames_of(real_data, setting))
    assert len(training) >= 18
    assert len(scored) >= 6
    assert not {frame.name for frame in training} & {frame.name for frame in scored}
    # of a film or a block, not even neighbours lie on both sides, but at the one cut
    if experiment in ("dic", "em"):
        assert max(frame.index for frame in training) < min(frame.index for frame in scored)
    if experiment.startswith("phc"):
        assert {frame.sequence for frame in training}.isdisjoint(frame.sequence for frame in scored)


@pytest.mark.needs("real frames")
@pytest.mark.parametrize("experiment", ["dic", "phc", "em", "dsb"])
def test_settings_are_chosen_inside_the_training_frames(real_data, experiment):
    setting = real_data.SETTINGS[experiment]
    training, scored = real_data.split(setting, frames_of(real_data, setting))
    first, second = real_data.split_training(training)
    names = {frame.name for frame in training}
    assert {f.name for f in first} | {f.name for f in second} == names
    assert len(first) + len(second) == len(names)
    assert names.isdisjoint(frame.name for frame in scored)


@pytest.mark.needs("real frames")
@pytest.mark.parametrize("experiment", ["dic", "phc", "em", "dsb"])
def test_perfect_answers_have_perfect_scores(real_data, experiment):
    setting = real_data.SETTINGS[experiment]
    _, scored = real_data.split(setting, frames_of(real_data, setting))
    scored = scored[:2]
    if setting.membranes:
        table = real_data.membrane_table([frame.gold.astype(np.float32) for frame in scored], scored)
        assert table == {"pixel_error": 0, "rand_error": 0, "warping_error": 0, "membrane_iou": 1}
    else:
        truths = [frame.silver if experiment == "dic" else frame.gold for frame in scored]
        table = real_data.cell_table(setting, truths, scored)
        assert (table["seg"], table["iou"]) == (1, 1)
        assert table["cells"] == table["found"] > 10


@pytest.mark.needs("real frames")
@pytest.mark.parametrize("experiment", ["dic", "phc", "dsb"])
def test_labels_and_probabilities_lie_where_the_image_does(real_data, experiment):
    """A network that knew its labels would reach nearly the whole score: zooming there and back moves nothing."""
    setting = replace(real_data.SETTINGS[experiment], threshold=0.5, grow=1 / real_data.SETTINGS[experiment].zoom)
    training, _ = real_data.split(setting, frames_of(real_data, setting))
    frame = training[0]
    truth = frame.gold if setting.labels == "gold" else frame.silver
    asked = separated(real_data.labels(setting, frame)).astype(np.float32)
    assert asked.shape == real_data.seen(setting, frame.image).shape
    found = real_data.cells(setting, real_data.sized(setting, asked, truth.shape))
    assert real_data.cell_scores(found, truth).mean() > 0.85  # cells of 10 pixels lose a share to every half pixel


def test_the_published_results_are_what_the_program_writes(real_data):
    """Each row names the command that makes it; the file is small and knows nothing of the machine's folders."""
    text = real_data.RESULTS.read_text(encoding="utf-8")
    assert len(text) < 100_000
    assert "/tmp" not in text
    assert "/home" not in text
    records = json.loads(text)["records"]
    assert {record["experiment"] for record in records} <= set(real_data.SETTINGS)
    for record in records:
        variant = record["variant"].split(",")[0].replace(" ", "-")
        asked = f"{record['experiment']} --variant {variant} --seed {record['seed']}"
        if record["variant"] != "otsu":  # the control is written together with the first network
            assert record["command"] == f"python benchmarks/real_data.py {asked} --steps {record['steps']}"
        assert record["scores"]
        if "curve" in record:
            assert record["curve"][-1]["step"] == record["steps"]


def test_every_ablation_has_its_runs_and_its_pictures(real_data):
    ablations = program("ablations")
    records = json.loads(ablations.RESULTS.read_text(encoding="utf-8"))["records"]
    runs = {(record["variant"], record["seed"]) for record in records}
    assert runs == {(variant, seed) for variant in ablations.VARIANTS for seed in (0, 1, 2)}
    assert {record["steps"] for record in records} == {ablations.STEPS}
    pictures = ablations.RESULTS.with_suffix(".npz")
    assert pictures.stat().st_size < 200_000
    with np.load(pictures) as arrays:
        assert set(arrays.files) == {"images", "truth", *ablations.VARIANTS}
        assert {arrays[name].shape for name in arrays.files} == {(ablations.SHOWN, ablations.SIDE, ablations.SIDE)}
        first = ablations.drawn(2000, 1)[0]  # the kept pictures are the first of those that are scored
        assert (arrays["truth"][0] == first.instances).all()


@pytest.mark.needs("real frames")
def test_two_steps_from_end_to_end(real_data, tmp_path, monkeypatch, capsys):
    small = replace(real_data.SETTINGS["phc"], width=2, crop=32, batch_size=1)
    monkeypatch.setitem(real_data.SETTINGS, "phc", small)
    training, scored = real_data.split(small, frames_of(real_data, small))
    assert [(len(part), part[0].name[-4:], part[-1].name[-4:]) for part in (training, scored)] == [
        (61, "t000", "t114"),
        (19, "t010", "t112"),
    ]
    monkeypatch.setattr(real_data, "split", lambda setting, frames: (training[:3], scored[:2]))
    out = tmp_path / "results.json"
    for _ in range(2):  # the second run replaces the rows of the first
        real_data.main(["phc", "--steps", "2", "--out", str(out)])
    results = json.loads(out.read_text())
    assert set(results["header"]) == {"date", "hardware", "command", "torch"}
    variants = [record["variant"] for record in results["records"]]
    assert len(variants) == len(set(variants)) == 4
    first = results["records"][0]
    assert [row["step"] for row in first["curve"]] == [1, 2]
    assert first["split"] == "PhC-C2DH-U373/01/t000 … t003 (3 frames) → PhC-C2DH-U373/02/t010 … t017 (2 frames)"
    assert "otsu" in capsys.readouterr().out
