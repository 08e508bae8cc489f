"""From a file with an image to files with cells or classes: what they hold, and what they take."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image

from tests.library import processes
from unet_edu import _bands, predicting, tiling
from unet_edu.data.cells import synthetic_cells
from unet_edu.data.files import DataError
from unet_edu.data.pictures import DataWarning, read_image, read_labels
from unet_edu.data.seen import seen_as
from unet_edu.figures.palette import class_colours
from unet_edu.postprocess import instances_from_probability
from unet_edu.predicting import RESULTS, legend, predict_file, result_files
from unet_edu.unet import UNet


def network(classes: int = 2, in_channels: int = 1, **about: object) -> UNet:
    torch.manual_seed(0)
    model = UNet(in_channels, classes, (4, 8), padding="same", norm="batch").eval()
    model.about = about
    return model


CELLS, CLASSES = network(), network(12)


@pytest.fixture
def image(tmp_path) -> Path:
    path = tmp_path / "in" / "a.png"
    path.parent.mkdir()
    Image.fromarray((255 * synthetic_cells(7, (40, 52), cells=4)[0]).astype(np.uint8)).save(path)
    return path


@pytest.fixture
def small_parts(monkeypatch):
    """Everything that is done in parts is done in many, and all arrays lie on the disk."""
    monkeypatch.setattr(_bands, "PIXELS", 100)
    monkeypatch.setattr(predicting, "IN_MEMORY", 0)


def sure(monkeypatch, answer: np.ndarray) -> None:
    """A network that gives this answer: probabilities (classes, H, W), or class numbers (H, W)."""

    def write(model, image, *, out, **_):
        for top in range(0, out.shape[-2], 17):
            rows = slice(top, min(top + 17, out.shape[-2]))
            places = (*[slice(None)] * (len(out.shape) - 2), rows, slice(0, out.shape[-1]))
            out[places] = answer[places]
        return out

    monkeypatch.setattr(tiling, "predict", write)


def pixels(path: Path) -> np.ndarray:
    return np.array(Image.open(path))


def grey(model: UNet, path: Path) -> np.ndarray:
    """What the network sees, as a picture in colours."""
    return np.repeat(
        (seen_as(model.about, read_image(path), model.config["in_channels"])[:] * 255).astype(np.uint8)[..., None],
        3,
        axis=2,
    )


# ---------------------------------------------------------------------------------------------------------------- cells


def test_a_network_of_cells_leaves_three_files(image, tmp_path):
    probability = tiling.predict(CELLS, seen_as({}, read_image(image), 1), precision="float32")[1]
    levels = dict(zip(("threshold", "sure"), np.quantile(probability, (0.8, 0.9)).tolist(), strict=True))
    options = levels | {"min_size": 3, "grow": 1}
    files = predict_file(CELLS, image, tmp_path / "out", precision="float32", **options)
    assert files == result_files(CELLS, image, tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"a_labels.tif", "a_mask.png", "a_overlay.png"}
    expected = instances_from_probability(probability, **options)
    assert expected.max() > 1, "one cell would prove little"
    labels = pixels(files["labels"])
    assert labels.dtype == np.uint16
    np.testing.assert_array_equal(labels, expected)
    np.testing.assert_array_equal(tifffile.imread(files["labels"]), expected)
    np.testing.assert_array_equal(pixels(files["mask"]), np.where(expected, 255, 0))


@pytest.mark.usefixtures("small_parts")
def test_cells_are_numbered_and_outlined(monkeypatch, image, tmp_path):
    """Two squares, and a speck that is too small; also where bands meet."""
    probability = np.zeros((40, 52), np.float32)
    probability[5:15, 5:15] = probability[20:30, 30:40] = probability[35, 2] = 0.93
    sure(monkeypatch, np.stack([1 - probability, probability]))
    files = predict_file(CELLS, image, tmp_path / "out", min_size=5)
    labels = read_labels(files["labels"])
    assert labels[10, 10] == 1 and labels[25, 35] == 2 and np.count_nonzero(labels) == 200
    overlay = pixels(files["overlay"])
    outlined = (overlay == (255, 140, 0)).all(axis=2)
    assert outlined[5, 5:15].all() and outlined[5:15, 14].all()
    assert not outlined[6:14, 6:14].any() and outlined.sum() == 72
    np.testing.assert_array_equal(overlay[~outlined], grey(CELLS, image)[~outlined])
    files = predict_file(CELLS, image, tmp_path / "none", threshold=0.95)
    assert read_labels(files["labels"]).max() == 0


@pytest.mark.usefixtures("small_parts")
def test_a_pixel_at_the_threshold_is_no_cell(monkeypatch, image, tmp_path):
    probability = np.broadcast_to(np.float32([0.25, 0.5] * 26), (40, 52))
    sure(monkeypatch, np.stack([1 - probability, probability]))
    above, at = (predict_file(CELLS, image, tmp_path / f"{p}", threshold=p, sure=0) for p in (0.499, 0.5))
    assert np.count_nonzero(pixels(above["mask"])) == 40 * 26
    assert not pixels(at["mask"]).any()


def test_more_cells_than_16_bits_can_number(monkeypatch, tmp_path):
    mask = np.zeros((600, 480), np.float32)
    mask[::2, ::2] = 1
    sure(monkeypatch, np.stack([1 - mask, mask]))
    Image.fromarray(np.arange(600 * 480, dtype=np.uint16).reshape(600, 480)).save(tmp_path / "a.tif")
    files = predict_file(CELLS, tmp_path / "a.tif", tmp_path)
    labels = read_labels(files["labels"])
    assert labels.max() == 72_000 and pixels(files["labels"]).dtype == np.int32
    np.testing.assert_array_equal(labels[::2, ::2].ravel(), np.arange(1, 72_001))


# -------------------------------------------------------------------------------------------------------------- classes


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("number", [2, 12, 256])
def test_a_network_of_classes_leaves_a_class_map(monkeypatch, image, tmp_path, number):
    classes = np.random.default_rng(0).integers(0, number, (40, 52)).astype(np.uint8)
    sure(monkeypatch, classes)
    model = network(number, labels="classes")
    files = predict_file(model, image, tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"a_classes.png", "a_overlay.png"}
    picture = Image.open(files["classes"])
    assert picture.mode == "P"
    np.testing.assert_array_equal(np.array(picture), classes)  # no hole is filled, nothing is dropped
    np.testing.assert_array_equal(np.array(picture.convert("RGB")), class_colours(number)[classes])
    np.testing.assert_array_equal(read_labels(files["classes"]), classes)

    overlay, plain = pixels(files["overlay"]), grey(model, image)
    strip = legend(class_colours(number), 52)
    assert overlay.shape == (40 + len(strip), strip.shape[1], 3)
    np.testing.assert_array_equal(overlay[40:], strip)
    assert (overlay[:40, 52:] == 255).all()
    mixed = (plain.astype(int) + class_colours(number)[classes]) // 2
    np.testing.assert_array_equal(overlay[:40, :52], np.where(classes[..., None], mixed, plain))


def test_the_likeliest_class_is_taken(image, tmp_path):
    files = predict_file(CLASSES, image, tmp_path / "out", precision="float32")
    scores = tiling.predict(CLASSES, seen_as({}, read_image(image), CLASSES.config["in_channels"]), precision="float32")
    assert len(np.unique(scores.argmax(axis=0))) > 3
    np.testing.assert_array_equal(pixels(files["classes"]), scores.argmax(axis=0))


def test_what_is_not_said_follows_from_the_number_of_classes():
    assert set(result_files(network(), "a.png", "out")) == set(RESULTS["cells"])
    assert set(result_files(network(3), "a.png", "out")) == set(RESULTS["classes"])
    assert set(result_files(network(labels="cells"), "a.png", "out")) == set(RESULTS["cells"])
    assert set(result_files(network(labels="classes"), "a.png", "out")) == set(RESULTS["classes"])


@pytest.mark.parametrize("number", [1, 2, 3, 12, 100, 256])
@pytest.mark.parametrize("width", [1, 40, 700])
def test_the_legend_has_a_square_for_each_class(number, width):
    colours = class_colours(number)
    strip = legend(colours, width)
    assert strip.shape[1] >= width and (len(strip) > 0) == (number > 1)
    assert width < 700 or strip.shape[1] == width, "a picture that is wide enough stays as wide"
    shown, asked = (np.unique(each.reshape(-1, 3) @ np.array([1 << 16, 1 << 8, 1])) for each in (strip, colours[1:]))
    assert np.isin(asked, shown).all()
    assert len(strip) <= 1000


# ----------------------------------------------------------------------------------------------------------------- both


@pytest.mark.parametrize("model", [CELLS, CLASSES, network(256), network(12, 3)])
@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (30, 1), (3, 5)])
def test_tiny_images(model, shape, tmp_path):
    Image.fromarray(np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)).save(tmp_path / "a.png")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # one pixel is constant
        files = predict_file(model, tmp_path / "a.png", tmp_path, **({"grow": 2} if model.finds_cells else {}))
    for kind, path in files.items():
        assert pixels(path).shape[:2] == shape or kind == "overlay"


@pytest.mark.parametrize("model", [CELLS, CLASSES, network(2, 3), network(5, 3)])
def test_parts_make_no_difference(model, image, tmp_path, request):
    whole = predict_file(model, image, tmp_path / "whole", precision="float32")
    request.getfixturevalue("small_parts")
    parts = predict_file(model, image, tmp_path / "parts", precision="float32")
    for kind in whole:
        np.testing.assert_array_equal(pixels(parts[kind]), pixels(whole[kind]))


def test_colours_stay_colours(monkeypatch, tmp_path):
    colours = np.random.default_rng(0).integers(0, 256, (20, 30, 3)).astype(np.uint8)
    Image.fromarray(colours).save(tmp_path / "a.png")
    sure(monkeypatch, np.zeros((20, 30), np.uint8))
    model = network(3, 3, labels="classes", contrast="range", dark=0.0, bright=255.0, numbers="uint8")
    files = predict_file(model, tmp_path / "a.png", tmp_path / "out")
    np.testing.assert_allclose(pixels(files["overlay"])[:20, :30].astype(int), colours, atol=1)  # divided, multiplied


def test_the_contrast_is_that_of_the_training():
    image = np.linspace(100, 300, 1000, dtype=np.float32).reshape(20, 50)
    ranged = seen_as({"contrast": "range", "dark": 50.0, "bright": 450.0, "numbers": image.dtype.name}, image, 1)
    np.testing.assert_allclose(ranged[:], (image - 50) / 400, atol=1e-6)
    for about in ({}, {"contrast": "stretch"}):
        assert seen_as(about, image, 1).scale == pytest.approx(np.percentile(image, (1, 99)))


# ---------------------------------------------------------------------------------------------- nothing is lost or left


@pytest.mark.parametrize("model", [CELLS, CLASSES])
def test_results_are_overwritten_only_when_told(model, image, tmp_path, monkeypatch):
    files = predict_file(model, image, tmp_path / "out")
    for kept in files.values():
        for path in files.values():
            path.unlink(missing_ok=True)
        kept.write_bytes(b"mine")
        with monkeypatch.context() as patched:
            patched.setattr(tiling, "predict", lambda *_, **__: pytest.fail("it was computed for nothing"))
            with pytest.raises(FileExistsError, match=r"is there already, 1 such files in all; --force overwrites"):
                predict_file(model, image, tmp_path / "out")
        assert list((tmp_path / "out").iterdir()) == [kept] and kept.read_bytes() == b"mine"
        assert predict_file(model, image, tmp_path / "out", force=True) == files
        for path in files.values():
            Image.open(path).close()


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("model", [CELLS, CLASSES])
@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_nothing_is_left_behind(model, image, tmp_path, monkeypatch, error):
    def stop(*_, **__):
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(tiling, "predict", stop)
        with pytest.raises(error):
            predict_file(model, image, tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())
    with monkeypatch.context() as patched:
        patched.setattr(predicting, "_in_colours", stop)  # while the last file is written
        with pytest.raises(error):
            predict_file(model, image, tmp_path / "out")
    overlay = result_files(model, image, tmp_path / "out")["overlay"]
    whole = set(result_files(model, image, tmp_path / "out").values()) - {overlay}
    assert set((tmp_path / "out").iterdir()) == whole


def test_a_full_disk_is_said(image, tmp_path, monkeypatch):
    if not hasattr(predicting.os, "posix_fallocate"):
        pytest.skip("this system cannot reserve room for a file")
    monkeypatch.setattr(predicting, "IN_MEMORY", 0)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(predicting.os, "posix_fallocate", full)
    with pytest.raises(OSError, match="No space left"):
        predict_file(CELLS, image, tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize(
    ("model", "options", "kind", "message"),
    [
        (
            CLASSES,
            {"threshold": 0.5},
            ValueError,
            "threshold: this network finds 12 classes, .* is for cells; leave it",
        ),
        (CLASSES, {"min_size": 0}, ValueError, "min_size: this network finds 12 classes"),
        (network(labels="classes"), {"grow": 1.0}, ValueError, "grow: this network finds 2 classes"),
        (network(257), {}, ValueError, "num_classes: expected at most 256, which a class map holds, got 257"),
        (CELLS, {"threshold": 1.5}, ValueError, "threshold: expected a number from 0 to 1, got 1.5"),
        (CELLS, {"sure": -0.1}, ValueError, "sure: expected a number from 0 to 1, got -0.1"),
        (CELLS, {"min_size": 2.5}, TypeError, "min_size: expected an int, got 2.5"),
        (CELLS, {"grow": -1}, ValueError, "grow: expected a number of pixels of at least 0, got -1"),
        (network(in_channels=2), {}, DataError, "the network takes 2 channels"),
    ],
)
def test_errors_say_what_to_do(model, options, kind, message, image, tmp_path):
    with pytest.raises(kind, match=message):
        predict_file(model, image, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_pillow_says_nothing_of_large_pictures(image, tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 40 * 52 // 2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        predict_file(CELLS, image, tmp_path / "out")
        predict_file(CLASSES, image, tmp_path / "out", force=True)


@pytest.mark.parametrize(("classes", "most"), [(2, 9), (12, 5)])
def test_memory_is_what_the_guide_says(server, tmp_path, classes, most):
    """2 bytes a pixel for the image, 6 for cells, 1 for classes. Bands take the same for both images."""
    processes.run_in(server, processes.memory_of_files, tmp_path, classes, (2000, 4000))
    assert 0 < json.loads((tmp_path / "found.json").read_text()) < most
