"""The trained networks of the package: they are whole, do what the lessons say, and a damaged one is refused."""

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from unet_edu.data import networks, pretrained
from unet_edu.data.cells import LOOKS
from unet_edu.data.networks import (
    CELLS_HELD_OUT,
    EARLY,
    HELD_OUT,
    LISTING,
    NETWORKS,
    about,
    file_name,
    held_out,
    predicted,
    scores,
    take_away,
)
from unet_edu.unet import UNet

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def found():
    pictures = held_out()
    return {name: scores(pretrained(name), pictures) for name in NETWORKS}


@pytest.mark.parametrize("name", NETWORKS)
def test_each_is_small_and_what_it_says(name):
    path = networks.FOLDER / f"{name}.pt"
    assert path.stat().st_size < 300_000
    kept = torch.load(path, weights_only=True)
    assert {weight.dtype for weight in kept["weights"].values() if weight.is_floating_point()} == {torch.float16}
    model = pretrained(name)
    assert not model.training and model.config["skip"] == NETWORKS[name] and model.config["widths"] == (16, 32, 64)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    assert sum(parameter.numel() for parameter in model.parameters()) == about(name)["parameters"]


def test_the_noted_scores_are_those_that_come_out(found):
    """Sums in another order may flip a pixel whose scores are equal but for rounding; a cell has hundreds of pixels."""
    for name, looks in found.items():
        assert set(looks) == set(LOOKS)
        for look, row in looks.items():
            for score, value in row.items():
                assert value == pytest.approx(about(name)["held_out"][look][score], abs=0.005), (name, look, score)


def test_they_reach_what_lesson_06_says_of_them(found):
    mean = {name: np.mean([row["seg"] for row in looks.values()]) for name, looks in found.items()}
    assert all(row["seg"] > 0.75 and row["iou"] > 0.9 for looks in found.values() for row in looks.values())
    for look in LOOKS:  # in pixels a little worse without copies, in cells hardly
        for name in ("cells", "cells_add"):
            assert 0.005 < found[name][look]["iou"] - found["cells_none"][look]["iou"] < 0.04
    assert mean["cells_none"] < mean["cells"] < mean["cells_none"] + 0.05


def test_one_sees_the_network_learn():
    pictures, looks = held_out("phase"), []
    for step in (*EARLY["cells"], None):
        model, noted = pretrained("cells", step), about(file_name("cells", step).removesuffix(".pt"))
        assert model.config == pretrained("cells").config and noted.get("step") == step
        assert (networks.FOLDER / file_name("cells", step)).stat().st_size < 300_000
        looks.append(scores(model, pictures)["phase"]["iou"])
        assert looks[-1] == pytest.approx(noted["held_out"]["phase"]["iou"], abs=0.005)
    assert len(looks) == 4 and looks[0] < 0.3 and looks[-1] > 0.9 and sorted(looks) == looks


def test_a_step_that_is_not_kept_is_named():
    with pytest.raises(ValueError, match=r"step: expected one that is kept of cells \(0, 10, 100\), got 7"):
        pretrained("cells", 7)
    with pytest.raises(ValueError, match=r"step: expected one that is kept of cells_none \(none\), got 10"):
        pretrained("cells_none", 10)


def test_the_pictures_are_held_out_and_always_the_same():
    recipe = _recipe()
    assert min(HELD_OUT) >= recipe.FRAMES, "the training pictures have the seeds from 0 on"
    for look in LOOKS:
        examples = held_out(look)[look]
        assert len(examples) == len(HELD_OUT)
        for (image, cells), (again, _) in zip(examples, held_out(look)[look], strict=True):
            np.testing.assert_array_equal(image, again)
            assert 3 <= cells.max() <= CELLS_HELD_OUT


def test_the_recipe_is_the_same_for_all(monkeypatch):
    recipe = _recipe()
    monkeypatch.setattr(recipe, "FRAMES", 2)
    monkeypatch.setattr(recipe, "STEPS", 1)
    monkeypatch.setattr(recipe, "BATCH", 1)
    for name, skip in NETWORKS.items():
        models, _ = recipe.train(name)
        model = models[None]
        assert model.config == pretrained(name).config and model.config["skip"] == skip


def test_the_masks_are_those_of_one_image_at_a_time():
    images = [image for image, _ in held_out("phase")["phase"][:3]]
    model = pretrained("cells")
    together = predicted(model, images)
    assert together.dtype == np.uint8 and set(np.unique(together)) == {0, 1}
    for image, mask in zip(images, together, strict=True):
        assert np.mean(predicted(model, [image])[0] != mask) < 1e-3  # rounding, as above


@pytest.fixture
def copied(tmp_path, monkeypatch):
    folder = Path(shutil.copytree(networks.FOLDER, tmp_path / "weights"))
    monkeypatch.setattr(networks, "FOLDER", folder)
    return folder


@pytest.mark.parametrize("place", [0, 5_000, -1])
def test_a_changed_byte_is_noticed(copied, place):
    path = copied / "cells.pt"
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(
        ValueError, match=r"cells\.pt: expected the file that came with unet-edu, but it was changed or is"
    ):
        pretrained("cells")
    assert pretrained("cells_add")


def test_half_a_file_and_an_empty_one_are_noticed(copied):
    path = copied / "cells.pt"
    content = path.read_bytes()
    for part in (content[: len(content) // 2], b""):
        path.write_bytes(part)
        with pytest.raises(
            ValueError, match="install unet-edu again, or make the file anew with benchmarks/train_lessons.py"
        ):
            pretrained("cells")


def test_a_missing_file_and_an_unknown_name_are_named(copied):
    (copied / "cells.pt").unlink()
    with pytest.raises(FileNotFoundError, match=r"cells\.pt is missing: install unet-edu again"):
        pretrained("cells")
    with pytest.raises(
        ValueError, match="name: expected one of cells, cells_add, cells_multiply, cells_none, got 'cats'"
    ):
        pretrained("cats")


def test_every_file_is_listed_and_every_listed_file_is_there():
    listed = json.loads(LISTING.read_text())
    files = {file_name(name, step) for name in NETWORKS for step in (None, *EARLY[name])}
    assert {f"{name}.pt" for name in listed} == files == {path.name for path in networks.FOLDER.glob("*.pt")}


def test_nothing_keeps_them_out_of_the_package():
    """hatch leaves out what git ignores."""
    patterns = [line.strip() for line in (ROOT / ".gitignore").read_text().splitlines()]
    assert patterns
    for path in (*networks.FOLDER.glob("*.pt"), LISTING):
        parts = {*path.relative_to(ROOT).parts, f"*{path.suffix}"}
        assert not parts & {pattern.strip("/") for pattern in patterns}


def test_photographs_need_no_torch():
    program = "import sys; from unet_edu.data import __all__, photo, PHOTOS; "
    program += "print('torch' in sys.modules, 'pretrained' in __all__)"
    assert subprocess.check_output([sys.executable, "-c", program], text=True).split() == ["False", "True"]


def with_zeros(model, image, levels):
    """The network's steps one by one, with zeros in the place of these copies."""
    x, copies = torch.from_numpy(image)[None, None], []
    with torch.inference_mode():
        for level, (convolve, pool) in enumerate(zip(model.contracting, model.pool, strict=False)):
            x = convolve(x)
            copies.append(x * 0 if level in levels else x)
            x = pool(x)
        x = model.contracting[-1](x)
        for up, convolve in zip(model.up, model.expanding, strict=True):
            copy = copies.pop()
            x = convolve(torch.cat([copy, up(x, copy)], dim=1))
        return model.head(x).argmax(dim=1)[0].numpy()


@pytest.mark.parametrize("levels", [(), (0,), (1,), (0, 1)])
def test_copies_are_taken_away_and_given_back(levels):
    model = pretrained("cells")
    images = [image for look in LOOKS for image, _ in held_out(look)[look][:2]]
    before = predicted(model, images)
    handles = take_away(model, levels)
    after = predicted(model, images)
    for image, mask in zip(images, after, strict=True):
        # sums in another order: a pixel may flip whose two scores are equal but for rounding
        assert np.mean(with_zeros(model, image, levels) != mask) < 1e-3
    assert np.mean(after != before) > 0.01 or not levels
    for handle in handles:
        handle.remove()
    np.testing.assert_array_equal(predicted(model, images), before)


def test_a_copy_that_is_not_there_cannot_be_taken_away():
    with pytest.raises(IndexError):
        take_away(UNet(widths=(2, 4, 8)), (2,))


def _recipe():
    spec = importlib.util.spec_from_file_location("train_lessons", ROOT / "benchmarks/train_lessons.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
