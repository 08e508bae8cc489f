"""The command line: train, go on, predict; and every complaint is one sentence."""

from __future__ import annotations

import functools
import json
import os
import re
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.io import imread
from typer.testing import CliRunner

import unet_edu
from tests.command_line import complaint, run
from tests.library import processes
from unet_edu import cli, runs, training
from unet_edu.data import cells
from unet_edu.data.benchmarks import BENCHMARKS
from unet_edu.data.cells import synthetic_cells
from unet_edu.data.pictures import DataWarning, read_labels
from unet_edu.data.sources import labelled
from unet_edu.grading import commands
from unet_edu.predicting import predict_files, result_files
from unet_edu.training import evaluate, load
from unet_edu.training import save as save_weights
from unet_edu.unet import UNet

TINY = ("--widths", "4,8", "--crop", "32", "--batch-size", "2", "--device", "cpu")


def save(path: Path, array: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)
    return path


def write_pairs(folder: Path, count: int = 5) -> Path:
    """Images as a camera of 12 bits gives them, with numbered cells."""
    for n in range(count):
        image, cells = synthetic_cells(n, (48, 56), cells=4)
        save(folder / "images" / f"{n}.tif", (4095 * image).astype(np.uint16))
        save(folder / "labels" / f"{n}.png", cells.astype(np.uint8))
    return folder


@pytest.fixture(autouse=True, scope="module")
def drawn_once():
    """The drawn cells are the same for each run."""

    @functools.cache
    def remembered(*args, **options):
        pictures = synthetic_cells(*args, **options)
        for picture in pictures:
            picture.setflags(write=False)
        return pictures

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cells, "synthetic_cells", remembered)
        yield


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A run of few steps: it finds nothing, but all its files are there."""
    folder = tmp_path_factory.mktemp("runs") / "cells"
    run("train", "cells", "--output", folder, *TINY, "--steps", 6)
    return folder


# ---------------------------------------------------------------------------------------------------------------- train


def test_a_run_leaves_weights_settings_and_curves(trained):
    assert {path.name for path in trained.iterdir()} == {"best.pt", "last.pt", "train.json", "tensorboard"}
    config = json.loads((trained / "train.json").read_text())
    assert config["network"]["widths"] == [4, 8] and config["recipe"]["steps"] == 6 and config["crops"]["size"] == 32
    model = load(trained / "best.pt")
    assert model.config == {**config["network"], "widths": (4, 8)}


def scalars(path: Path) -> dict[tuple[str, int], float]:
    """What TensorBoard reads in a file: each event is its length (8 bytes), a checksum (4), itself, a checksum (4)."""
    from tensorboardX.proto.event_pb2 import Event

    body, found = path.read_bytes(), {}
    while body:
        length = int.from_bytes(body[:8], "little")
        event = Event.FromString(body[12 : 12 + length])
        found |= {(value.tag, event.step): value.simple_value for value in event.summary.value}
        body = body[16 + length :]
    return found


def test_the_curves_are_those_of_the_run(trained):
    (events,) = (trained / "tensorboard").iterdir()
    rows = torch.load(trained / "last.pt", weights_only=True)["rows"]
    expected = {(name, row["step"]): value for row in rows for name, value in row.items() if name != "step"}
    assert {"loss", "lr", "val_loss", "val_iou"} <= {name for name, _ in expected}
    assert events.name.startswith("events.out.tfevents.")  # by which TensorBoard finds it
    assert scalars(events) == pytest.approx(expected, rel=1e-6)  # they are kept with 32 bits


def test_the_settings_are_shown(tmp_path):
    output = run("train", "cells", "-o", tmp_path / "run", *TINY, "--steps", 2)
    shown = json.loads(output[output.index("{") : output.rindex("}\n") + 1])
    assert {"unet_edu": unet_edu.__version__, **shown} == json.loads((tmp_path / "run" / "train.json").read_text())
    assert output.startswith(
        "To train on: 32 images, 128×128 pixels, float32; 12, 12, 12 cells per image (least, median, most), on "
    )
    assert "\nHeld out: 8 images" in output and output.index("Held out") < output.index("{")
    assert re.search(rf"\nWeights: {tmp_path}/run/best.pt. Chosen at step [12]: its val_(seg|loss), ", output)
    assert re.search(r"step 2  loss \d\.\d+  .*val_iou \d", output)


def test_quiet_is_quiet(tmp_path):
    assert run("train", "cells", "-o", tmp_path / "run", *TINY, "--steps", 2, "--quiet") == ""


def test_a_run_is_not_begun_twice(trained):
    before = (trained / "train.json").read_bytes()
    said = complaint("train", "cells", "-o", trained, *TINY, "--steps", 7)
    assert "holds a run already; --resume goes on with it" in said
    assert (trained / "train.json").read_bytes() == before


def test_going_on_asks_for_the_same_settings(trained):
    assert "steps: the run in" in complaint("train", "cells", "-o", trained, *TINY, "--steps", 7, "--resume")
    assert "w0: the run in" in complaint("train", "cells", "-o", trained, *TINY, "--steps", 6, "--w0", 3, "--resume")
    # another machine is fine
    run("train", "cells", "-o", trained, *TINY, "--steps", 6, "--precision", "float32", "--resume")


def test_a_stopped_run_goes_on_to_where_it_would_have_gone(tmp_path, monkeypatch):
    """Ctrl-C during the first validation; then the same weights as without it."""
    command = ["train", "cells", *TINY, "--steps", 20, "--validate-every", 5, "--hold-out", 0.03, "--no-tensorboard"]
    command += ["--precision", "float32", "--quiet"]

    def interrupted(*arguments, **options):
        signal.raise_signal(signal.SIGINT)
        return evaluate(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(training, "evaluate", interrupted)
        said = run(*command, "-o", tmp_path / "a", code=130)
    assert said == "Stopped at step 6. The same command with --resume goes on from there.\n"
    run(*command, "-o", tmp_path / "a", "--resume")
    run(*command, "-o", tmp_path / "b")
    one, other = (load(tmp_path / name / "last.pt").state_dict() for name in "ab")
    assert all(torch.equal(weights, other[name]) for name, weights in one.items())


def test_two_processes_make_one_run(server, tmp_path):
    """As torchrun starts them: one of the two writes and speaks, and they share the batch."""
    # without what each process draws or measures for itself
    alike = ["--steps", "4", "--norm", "none", "--dropout", "0", "--precision", "float32"]
    command = ["train", "cells", *TINY, *alike, "-o"]
    processes.run_in(server, processes.two_processes, tmp_path, [*command, str(tmp_path / "run")])
    said = [(tmp_path / f"said{number}").read_text() for number in range(2)]
    assert "To train on" in said[0] and "Weights:" in said[0] and said[1] == ""
    assert {path.name for path in (tmp_path / "run").iterdir()} == {"best.pt", "last.pt", "train.json", "tensorboard"}
    assert len(list((tmp_path / "run" / "tensorboard").iterdir())) == 1
    run(*command, tmp_path / "alone")
    two, alone = (torch.load(tmp_path / name / "last.pt", weights_only=True)["losses"] for name in ("run", "alone"))
    assert two == pytest.approx(alone, rel=1e-5)  # float32, added up in another order


def test_the_papers_recipe(tmp_path):
    """Padding valid, SGD, one large crop a step; only narrower and smaller than in the paper."""
    network = ["--widths", "2,4,8,16,32", "--padding", "valid", "--norm", "none"]
    recipe = ["--optimizer", "sgd", "--batch-size", 1, "--crop", 204, "--steps", 1, "--hold-out", 0]
    run("train", "cells", "-o", tmp_path / "run", *network, *recipe, "--device", "cpu")
    assert not (tmp_path / "run" / "best.pt").exists()  # nothing to choose the best by
    run("predict", tmp_path / "run", save(tmp_path / "a.png", np.zeros((20, 30), np.uint8)), "-o", tmp_path)
    with Image.open(tmp_path / "a_mask.png") as mask:
        assert mask.size == (30, 20)


def test_images_of_your_own(tmp_path):
    """Also when they lie elsewhere on the machine that goes on."""
    run("train", write_pairs(tmp_path / "mine"), "-o", tmp_path / "run", *TINY, "--steps", 2)
    (tmp_path / "elsewhere").mkdir()
    moved = (tmp_path / "mine").rename(tmp_path / "elsewhere" / "mine")
    run("train", moved, "-o", tmp_path / "run", *TINY, "--steps", 2, "--resume")
    said = complaint("train", "cells", "-o", tmp_path / "run", *TINY, "--steps", 2, "--resume")
    assert re.search("source: the run in .* has '.*mine', got 'cells'", said)
    assert load(tmp_path / "run" / "best.pt").config["num_classes"] == 2


def test_frames_of_your_own_are_held_out_in_one_piece(tmp_path):
    said = run("train", write_pairs(tmp_path / "mine"), "-o", tmp_path / "run", *TINY, "--steps", 1, "--hold-out", 0.4)
    assert "To train on: 3 images" in said and "Held out: 2 images" in said


def test_images_without_cells(tmp_path):
    """Where there is none to learn from, nothing is learned; where none is held out, the loss says which is best."""
    folder = write_pairs(tmp_path / "mine", 3)
    empty = np.zeros((48, 56), np.uint8)
    save(folder / "labels" / "1.png", empty)
    save(folder / "labels" / "2.png", empty)  # and 0.png is needed to learn from
    said = run("train", folder, "-o", tmp_path / "run", *TINY, "--steps", 30, "--lr", 0.1, "--validate-every", 10)
    assert "2.png: no image that is held out has a cell, so there is no val_seg, and val_loss chooses best.pt" in said
    assert "val_iou nan" in said and "no held-out image has a cell, so there is no val_seg)" in said
    rows = torch.load(tmp_path / "run" / "last.pt", weights_only=True)["rows"]
    assert load(tmp_path / "run" / "best.pt").about["step"] == min(rows, key=lambda row: row["val_loss"])["step"]
    assert "Inf" not in said  # TensorBoard's writer would complain of NaN
    for n in range(2):
        save(folder / "labels" / f"{n}.png", empty)
    assert "there is no cell, every pixel is 0" in complaint("train", folder, "-o", tmp_path / "r", *TINY, "--steps", 1)
    assert not (tmp_path / "r").exists()


def test_what_looks_wrong_is_noted_once(tmp_path):
    folder = write_pairs(tmp_path / "mine")
    for path in (folder / "labels").iterdir():
        save(path, np.where(read_labels(path), 0, 1).astype(np.uint8))
    (folder / "images" / "notes.txt").write_text("x")
    for flags in ((), ("--quiet",)):
        said = run("train", folder, "-o", tmp_path / f"run{len(flags)}", *TINY, "--steps", 1, *flags)
        notes = [line for line in said.splitlines() if line.startswith("unet-edu: note: ")]
        assert "images: not read: 1 file of other kinds (such as notes.txt)" in notes[0]
        assert "0.png and 4 more: most of the picture is cell" in notes[1]


def test_what_others_warn_of_is_not_swallowed(capsys):
    def warn() -> None:
        with cli._told():
            warnings.warn("of somebody else", stacklevel=1)
            for name in "abc":
                warnings.warn(DataWarning(f"{name}.png", "is odd"), stacklevel=1)

    with pytest.warns(UserWarning, match="of somebody else"):
        warn()
    assert capsys.readouterr().err == "unet-edu: note: a.png and 2 more: is odd\n"


def test_going_on_asks_for_the_same_images(tmp_path):
    folder = write_pairs(tmp_path / "mine")
    command = ("train", folder, "-o", tmp_path / "run", *TINY, "--steps", 2, "--contrast", "range")
    run(*command)
    scale = load(tmp_path / "run" / "last.pt").about
    assert scale["labels"] == "cells" and 0 <= scale["dark"] < scale["bright"] <= 4095
    run(*command, "--resume")
    dim = np.random.default_rng(0).integers(1000, 3000, (48, 56)).astype(np.uint16)
    save(folder / "images" / "0.tif", dim)
    said = run(*command, "--resume", code=1)
    assert "learned on other images or labels than these; go on with the same, say that they are new" in said
    assert "--new-data: goes with --resume" in complaint(*command, "--new-data")
    before = (tmp_path / "run" / "train.json").read_bytes()
    said = run(*command, "--resume", "--new-data", "--hold-out", 0.4, code=1)
    assert "has made all its steps and learns nothing from other images" in said
    assert (tmp_path / "run" / "train.json").read_bytes() == before
    assert (
        "hold_out: the run in" in (said := run(*command, "--resume", "--hold-out", 0.4, code=1))
        and "say --new-data" in said
    )


def test_pixels_that_nobody_knows_change_nothing(tmp_path):
    """Two sets that differ only in what is ignored: the same losses, the same scores."""
    rows = []
    for name, number in (("a", 200), ("b", 255)):
        folder = write_pairs(tmp_path / name)
        for path in (folder / "labels").iterdir():
            labels = np.minimum(read_labels(path), 1).astype(np.uint8)
            labels[:, 30:] = number
            save(path, labels)
        said = run(
            "train", folder, "-o", tmp_path / f"run_{name}", *TINY, "--steps", 2, "--classes", 2, "--ignore", number
        )
        assert "nobody knows 46 %" in said
        rows.append(torch.load(tmp_path / f"run_{name}" / "last.pt", weights_only=True)["rows"])
    (first, second) = ([{k: v for k, v in row.items() if k != "seconds"} for row in part] for part in rows)
    assert first == second and {"val_iou_0", "val_iou_1"} <= first[0].keys()


def test_classes_in_place_of_cells(tmp_path):
    folder = write_pairs(tmp_path / "mine")
    for path in (folder / "labels").iterdir():
        save(path, (read_labels(path) % 3).astype(np.uint8))
    said = run("train", folder, "-o", tmp_path / "run", *TINY, "--steps", 2, "--classes", 3, "--colour")
    assert re.search(r"IoU of class 0: \d\.\d{3}\nIoU of class 1: .*\nIoU of class 2: ", said)
    assert load(tmp_path / "run" / "best.pt").about["labels"] == "classes"
    assert load(tmp_path / "run" / "last.pt").config["num_classes"] == 3
    run("predict", tmp_path / "run", folder / "images" / "0.tif", "-o", tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"0_classes.png", "0_overlay.png"}
    assert read_labels(tmp_path / "out" / "0_classes.png").max() <= 2
    said = complaint("train", folder, "-o", tmp_path / "other", *TINY, "--steps", 2, "--classes", 2)
    assert "expected numbers from 0 to 1, got 0, 1, 2; number the classes anew" in said


def test_folders_that_are_no_pairs(tmp_path):
    assert "expected a folder, 'cells', or one of PhC-C2DH-U373" in complaint(
        "train", tmp_path / "no", "-o", tmp_path / "r"
    )
    assert "there is no 'images'\n" in complaint("train", tmp_path, "-o", tmp_path / "r")
    save(tmp_path / "photographs" / "0.jpg", np.zeros((48, 56), np.uint8))
    said = complaint("train", tmp_path / "photographs", "-o", tmp_path / "r")
    assert "there is no 'images'; the folder itself holds pictures (such as 0.jpg), which belong" in said
    folder = write_pairs(tmp_path / "mine", 2)
    (folder / "labels" / "0.png").unlink()
    assert "0.tif: has no partner" in complaint("train", folder, "-o", tmp_path / "r")
    save(folder / "labels" / "0.png", np.zeros((48, 50), np.uint8))
    assert "expected the size of its image, (48, 56), got (48, 50)" in complaint("train", folder, "-o", tmp_path / "r")
    (folder / "labels" / "0.png").write_bytes(b"damaged")
    assert "0.png: cannot be read as a picture" in complaint("train", folder, "-o", tmp_path / "r")
    save(folder / "images" / "0.png", np.zeros((48, 56), np.uint8))
    assert "has the same name as 0.png" in complaint("train", folder, "-o", tmp_path / "r")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--widths", "4;8"), "--widths: expected numbers with commas"),
        (("--widths", "4,8,16", "--crop", "30"), "30"),
        (("--device", "gpu"), "--device: expected cpu, cuda, cuda:1 or mps, got 'gpu'"),
        (("--lr", "-1"), "lr: expected a number above 0"),
    ],
)
def test_settings_that_make_no_sense(tmp_path, arguments, said):
    assert said in complaint("train", "cells", "-o", tmp_path / "run", "--steps", 1, "-q", *TINY, *arguments)


@pytest.mark.parametrize("arguments", [("--skip", "always"), ("--steps", "0"), ("--steps", "many")])
def test_options_that_do_not_exist(tmp_path, arguments):
    assert arguments[0] in run("train", "cells", "-o", tmp_path / "run", *arguments, code=2)


def test_without_a_gpu_none_is_promised(tmp_path, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert "PyTorch finds no cuda on this machine" in complaint("train", "cells", "-o", tmp_path, "--device", "cuda")


def test_without_tensorboardx_there_are_no_curves_and_it_is_said(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    said = run("train", "cells", "-o", tmp_path / "run", *TINY, "--steps", 1)
    assert "No curves for TensorBoard: `pip install tensorboardX`" in said
    assert not (tmp_path / "run" / "tensorboard").exists()


@pytest.mark.needs("real frames")
def test_a_benchmark(tmp_path):
    """Its training frames alone, and of these the last for validation: the scored ones are not looked at."""
    frames = os.environ["UNET_EDU_TEST_DATA"]
    said = run("train", "ISBI-2012", "--folder", frames, "-o", tmp_path / "run", *TINY, "--steps", 1)
    assert "To train on: 14 images, 512×512 pixels" in said and "Held out: 4 images" in said
    assert load(tmp_path / "run" / "last.pt").about["labels"] == "classes"
    images, classes = labelled("DIC-C2DH-HeLa", folder=frames)
    assert len(images) == 30 and classes is None
    assert all(image.labels.max() > 1 for image in images)


# -------------------------------------------------------------------------------------------------------------- predict


@pytest.fixture
def image(tmp_path) -> Path:
    return save(tmp_path / "in" / "a.png", (255 * synthetic_cells(7, (40, 52), cells=4)[0]).astype(np.uint8))


def test_three_results_for_an_image(trained, image, tmp_path):
    run("predict", trained, image, "-o", tmp_path / "out")
    names = ("a_labels.tif", "a_mask.png", "a_overlay.png")
    labels, mask, overlay = (imread(tmp_path / "out" / name) for name in names)
    assert labels.shape == mask.shape == (40, 52) and overlay.shape == (40, 52, 3)
    assert labels.dtype == np.uint16 and mask.dtype == overlay.dtype == np.uint8
    np.testing.assert_array_equal(mask, np.where(labels, 255, 0))


def test_options_that_are_for_cells(monkeypatch, trained, image, tmp_path):
    """With a network that is sure: two squares, and a speck that is too small."""
    from unet_edu import tiling

    probability = np.zeros((40, 52), np.float32)
    probability[5:15, 5:15] = probability[20:30, 30:40] = probability[35, 2] = 0.93
    answer = np.stack([1 - probability, probability])
    everything = (slice(None), slice(0, 40), slice(0, 52))
    monkeypatch.setattr(tiling, "predict", lambda *_, out, **__: out.__setitem__(everything, answer))
    run("predict", trained, image, "-o", tmp_path / "out", "--min-size", 5, "--grow", 1)
    labels = read_labels(tmp_path / "out" / "a_labels.tif")
    assert labels[10, 10] == 1 and labels[25, 35] == 2 and np.count_nonzero(labels) == 280
    run("predict", trained, image, "-o", tmp_path / "none", "--threshold", 0.95)
    assert read_labels(tmp_path / "none" / "a_labels.tif").max() == 0


def test_classes_are_not_cells(image, tmp_path):
    torch.manual_seed(0)
    save_weights(UNet(num_classes=12, widths=(4, 8), padding="same"), tmp_path / "weights.pt")
    for option in ("--threshold", "--sure", "--min-size", "--grow"):
        said = complaint("predict", tmp_path / "weights.pt", image, "-o", tmp_path / "out", option, 1)
        assert f"{option.strip('-').replace('-', '_')}: this network finds 12 classes" in said
    assert not (tmp_path / "out").exists()
    run("predict", tmp_path / "weights.pt", image, "-o", tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"a_classes.png", "a_overlay.png"}


def test_bars_are_for_people(trained, image, tmp_path):
    """Who reads a file of what was said, as from a job on a cluster, is not to read bars."""
    assert run("predict", trained, image, "-o", tmp_path / "out") == ""


@pytest.mark.skipif(os.name != "posix", reason="Windows has no pseudo-terminals")
@pytest.mark.parametrize(("count", "shown"), [(1, "1/1 [00:0"), (2, "2/2 [00:0")])
def test_on_a_terminal_there_is_a_bar(monkeypatch, trained, image, tmp_path, count, shown):
    """Of the tiles of one image, and of several images."""
    import termios

    paths = [image, save(image.parent / "b.png", np.eye(20, dtype=np.uint8))][:count]
    for quiet in (False, True):
        ours, theirs = os.openpty()
        termios.tcsetwinsize(theirs, (24, 80))
        with open(theirs, "w") as terminal, monkeypatch.context() as patch:
            patch.setattr(sys, "stderr", terminal)
            cli.predict(trained, paths, tmp_path / "out", force=True, quiet=quiet)
            terminal.write("end")
            terminal.flush()
            said = ""
            while not said.endswith("end"):
                said += os.read(ours, 2**16).decode(errors="replace")
        os.close(ours)
        assert (shown in said and ("tile" if count == 1 else "image") in said) != quiet, said


def test_the_same_image_in_other_files_gives_the_same_cells(trained, image, tmp_path):
    """12 bits in 16, colours that are grey, transparency, floats: the network sees the same numbers."""
    grey = np.array(Image.open(image))
    save(tmp_path / "in" / "b.tif", grey.astype(np.uint16) * 16)
    save(tmp_path / "in" / "c.png", np.stack([grey] * 3, axis=-1))
    save(tmp_path / "in" / "d.png", np.stack([grey] * 3 + [np.full_like(grey, 255)], axis=-1))
    save(tmp_path / "in" / "e.tif", grey.astype(np.float32) * 100 - 7)
    run("predict", trained, tmp_path / "in", "-o", tmp_path / "out", "--precision", "float32", "--device", "cpu")
    first, *others = (np.array(Image.open(tmp_path / "out" / f"{name}_mask.png")) for name in "abcde")
    for other in others:
        assert np.mean(first != other) < 0.002  # a pixel whose probability is 0.5 may fall on either side


def test_nothing_is_overwritten_unless_told(trained, image, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a_overlay.png").write_bytes(b"mine")
    said = complaint("predict", trained, image, "-o", tmp_path / "out")
    assert "a_overlay.png: is there already, 1 such files in all; --force overwrites them" in said
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a_overlay.png"]
    run("predict", trained, image, "-o", tmp_path / "out", "--force")
    with Image.open(tmp_path / "out" / "a_overlay.png") as overlay:
        assert overlay.size == (52, 40)


def test_results_in_the_folder_of_the_images_are_not_taken_for_images(trained, image, tmp_path):
    run("predict", trained, image.parent, "-o", image.parent)
    run("predict", trained, image.parent, "-o", image.parent, "--force")
    assert len(list(image.parent.iterdir())) == 4


def test_an_image_is_never_overwritten_by_a_result(trained, image, tmp_path):
    """Not even with --force, and though its name looks like that of a result."""
    mine = save(image.parent / "a_mask.png", np.zeros((4, 4), np.uint8))
    before = mine.read_bytes()
    said = complaint("predict", trained, image, mine, "-o", image.parent, "--force")
    assert "a_mask.png: is one of the images" in said
    assert mine.read_bytes() == before and len(list(image.parent.iterdir())) == 2


def test_the_same_from_python(trained, image, tmp_path):
    """The settings of a run make the same run once more; `predict_files` does what the command does."""
    settings = json.loads((trained / "train.json").read_text())
    settings["machine"]["precision"] = "auto"  # as at first; who went on with it took another
    prepared = runs.prepare(settings, tmp_path / "run")
    assert prepared.described[0].startswith("To train on: 32 images") and prepared.doubts == []
    assert {name: getattr(prepared.training, name) for name in runs.CROPS_OF_CELLS} == runs.CROPS_OF_CELLS
    assert prepared.train().losses == torch.load(trained / "last.pt", weights_only=True)["losses"]
    model, failed = load(runs.best_weights(tmp_path / "run")), []
    missing = tmp_path / "gone.png"
    results = predict_files(model, [image, missing], tmp_path / "out", on_failure=failed.append)
    assert results == {image: result_files(model, image, tmp_path / "out"), missing: failed[0]} and len(failed) == 1


def test_a_damaged_image_does_not_stop_the_others(trained, image, tmp_path):
    (image.parent / "0.png").write_bytes(b"damaged")
    said = run("predict", trained, image.parent, image.parent / "gone.png", "-o", tmp_path / "out", "--quiet", code=1)
    assert "0.png: cannot be read as a picture" in said and "gone.png: No such file" in said
    assert "2 of 3 images failed" in said
    assert len(list((tmp_path / "out").iterdir())) == 3


def test_images_and_weights_that_are_none(trained, image, tmp_path):
    assert "expected best.pt or last.pt in this folder" in complaint("predict", tmp_path, image, "-o", tmp_path / "out")
    assert "no such file" in complaint("predict", tmp_path / "no.pt", image, "-o", tmp_path / "out").lower()
    assert ": expected images (" in complaint("predict", trained, trained, "-o", tmp_path / "out")
    twin = save(tmp_path / "a.tif", np.zeros((9, 9), np.uint8))
    assert "its results would have the names of those of" in complaint(
        "predict", trained, image, twin, "-o", tmp_path / "out"
    )
    assert "image" in complaint("predict", image, image, "-o", tmp_path / "out")
    assert not (tmp_path / "out").exists()


# ----------------------------------------------------------------------------------------------------------------- data


def test_the_list_says_what_is_here(tmp_path):
    said = run("data", "list", "--folder", tmp_path)
    for name, benchmark in BENCHMARKS.items():
        assert f"{name}: {benchmark.what}" in said and f"not here yet: unet-edu data fetch {name}" in said


def test_a_fetched_benchmark_says_whom_to_cite(tmp_path, monkeypatch):
    save(tmp_path / "DSB-2018" / "a.png", np.zeros((4, 4), np.uint8))  # it is there, so that nothing is downloaded
    said = run("data", "fetch", "DSB-2018", "--folder", tmp_path)
    assert said.startswith(str(tmp_path / "DSB-2018")) and "CC0" in said and "Caicedo" in said


def test_unknown_benchmarks(tmp_path):
    for command in ("fetch", "show"):
        assert "expected one of PhC-C2DH-U373" in complaint("data", command, "MNIST", "--folder", tmp_path)
    assert "unet-edu data fetch DSB-2018" in complaint("data", "show", "DSB-2018", "--folder", tmp_path)


@pytest.mark.needs("real frames")
def test_a_benchmark_is_counted():
    said = run("data", "show", "PhC-C2DH-U373", "--folder", os.environ["UNET_EDU_TEST_DATA"])
    assert "128 frames, the first of 520 × 696 pixels" in said
    assert "sequence 2: 67 frames, 19 with gold, 67 with silver, 67 with markers" in said
    assert "split: 61 to train on" in said and "67 for the score" in said
    assert "128 frames are here" in run("data", "list", "--folder", os.environ["UNET_EDU_TEST_DATA"])


# ------------------------------------------------------------------------------------------------------------- the rest


@pytest.mark.parametrize(
    "command",
    [
        (),
        *(("train",), ("predict",), ("check",), ("grade",), ("release",)),
        *(("data",), ("data", "list"), ("data", "fetch"), ("data", "show")),
    ],
)
def test_each_command_has_help(command):
    said = run(*command, "--help")
    assert "Usage" in said and "--help" in said


def test_every_option_is_explained():
    import inspect
    import typing

    ours = (cli.train, cli.predict, cli.fetch, cli.show, cli.list_benchmarks)
    for command in (*ours, commands.check, commands.grade, commands.release):
        hints = typing.get_type_hints(command, include_extras=True)
        for name in inspect.signature(command).parameters:
            (explained,) = hints[name].__metadata__
            assert explained.help and explained.help.endswith("."), name


@pytest.mark.parametrize(
    "arguments, code, said",
    [
        (["--version"], 0, f"unet-edu {unet_edu.__version__}"),
        (["-h"], 0, "Usage: unet-edu [OPTIONS] COMMAND"),
        (["train", "no", "-o", "run"], 1, "unet-edu: no: expected a folder, 'cells', or one of"),
        (["predict", "no.pt", "0.tif", "-o", "out"], 1, "unet-edu: no.pt: there is no such file"),
        (["predict", ".", "no.tif", "-o", "out"], 1, "unet-edu: .: expected best.pt or last.pt in this folder"),
        (["predict", "some.pt", "no.tif", "-o", "out"], 1, "unet-edu: no.tif: there is no such file"),
    ],
)
def test_what_is_known_at_once_is_said_before_torch_is_imported(tmp_path, arguments, code, said):
    (tmp_path / "some.pt").touch()
    program = "import sys; sys.modules['torch'] = None; import runpy; runpy.run_module('unet_edu', run_name='__main__')"
    where = {**os.environ, "PYTHONPATH": str(Path(unet_edu.__file__).parents[1])}
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, check=False, cwd=tmp_path, env=where, capture_output=True, text=True, timeout=120)
    assert done.returncode == code and said in done.stdout + done.stderr


def test_help_does_not_wait_for_torch():
    program = "import sys; import unet_edu.cli; print('torch' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == "False"


def test_a_gpu_whose_memory_is_full(tmp_path, monkeypatch):
    def fill(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate …")

    monkeypatch.setattr(runs, "prepare", fill)
    assert "take a smaller --batch-size, --crop or --tile" in complaint("train", "cells", "-o", tmp_path)


def test_a_mistake_in_the_program_is_not_hidden(tmp_path, monkeypatch):
    def wrong(*_: object, **__: object) -> None:
        raise KeyError("a mistake")

    monkeypatch.setattr(runs, "prepare", wrong)
    assert isinstance(CliRunner().invoke(cli.app, ["train", "cells", "-o", str(tmp_path)]).exception, KeyError)
