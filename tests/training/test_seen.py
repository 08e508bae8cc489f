"""How a run is seen while it goes on: text in a terminal, a picture in a notebook, the same weights for both."""

from __future__ import annotations

import base64
import io
import math
import signal
import warnings

import IPython
import nbformat
import numpy as np
import pytest
import torch
from PIL import Image

from tests.notebooks.execute import ROOT, WIDGET_VIEW, execute
from tests.training.runs import PLAIN, Blobs, network
from unet_edu._running import picture, seen
from unet_edu._running.picture import BOTTOM, HEIGHT, LEFT, RIGHT, TILE, TOP, TRAINING, VALIDATION, WIDTH, Answer
from unet_edu.training import evaluate, fit

SHOWN = PLAIN | {"progress": True}


class Notebook:
    """As the shell of a kernel; keeps what is published."""

    kernel = "there is one"

    def __init__(self):
        self.display_pub, self.published = self, []

    def publish(self, data, metadata, transient, update):
        self.published.append((data, metadata["image/png"]["alt"], transient["display_id"], update))

    @property
    def pictures(self):
        return [opened(base64.b64decode(data["image/png"])) for data, *_ in self.published]


@pytest.fixture
def notebook(monkeypatch):
    """Here is a notebook, in which each step is shown."""
    shell = Notebook()
    monkeypatch.setattr(IPython, "get_ipython", lambda: shell)
    monkeypatch.setattr(seen, "PAUSE", 0)
    monkeypatch.setattr(seen, "SHARE", math.inf)
    return shell


def opened(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def stop_at(step):
    def stop(model, row):
        if row["step"] == step:
            signal.raise_signal(signal.SIGINT)  # heard at the next step

    return stop


# -------------------------------------------------------------------------------------------------------- in a notebook


def test_one_output_is_replaced_by_the_next_and_ends_as_a_still_picture(notebook):
    fit(network(), Blobs(), Blobs(), steps=6, validate_every=2, **SHOWN)
    datas, alts, names, updates = zip(*notebook.published, strict=True)
    assert updates == (False,) + 7 * (True,), "before the first step, after each, and at the end"
    assert len(set(names)) == 1
    assert all(set(data) == {"image/png", "text/plain"} for data in datas)
    assert all(drawn.shape == (HEIGHT, WIDTH, 3) for drawn in notebook.pictures)
    assert alts[0] == "A training, step 0 of 6."
    assert "step 6 of 6 · IoU 0." in alts[-1] and "the validation loss went from" in alts[-1]
    assert alts[-1].endswith("an image with its truth, and what the network says of it.")


def test_the_text_is_compared_between_machines_and_holds_nothing_measured(notebook):
    """nbval compares it, and knows but the first."""
    fit(network(), Blobs(), Blobs(), steps=6, **SHOWN)
    assert {data["text/plain"] for data, *_ in notebook.published} == {
        "A training of 6 steps: its losses, and an image with what the network says of it."
    }


def test_seconds_are_told_while_it_runs_and_not_in_what_is_stored(notebook, monkeypatch):
    said = []
    monkeypatch.setattr(seen, "painted", lambda words, *_: said.append(words) or b"")
    fit(network(), Blobs(), steps=3, **SHOWN)
    assert said == ["step 0 of 3", *(f"step {n} of 3 · about 1 s left" for n in (1, 2, 3)), "step 3 of 3"]


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "1 s"), (59, "59 s"), (119, "119 s"), (121, "2 min"), (7199, "120 min"), (7200, "2 h")]
)
def test_how_long_it_takes_is_said_in_few_digits(seconds, words):
    assert seen._duration(seconds) == words


def test_pictures_take_a_small_share_of_the_time(notebook, monkeypatch):
    """By a clock that goes on by a second whenever it is read."""
    ticks = iter(range(10**6))
    monkeypatch.setattr(seen.time, "perf_counter", lambda: next(ticks))
    monkeypatch.setattr(seen, "SHARE", 0.1)
    fit(network(), Blobs(), steps=60, **SHOWN)
    assert len(notebook.published) - 2 == pytest.approx(60 / 10, abs=2)


def test_the_weights_are_the_same_whoever_looks(notebook):
    runs = []
    for options in (SHOWN, PLAIN):
        for validation in (None, Blobs()):
            torch.manual_seed(7)  # what is drawn is everybody's
            model = network()
            history = fit(model, Blobs(), validation, steps=12, validate_every=3, batch_size=2, **options)
            rows = [{name: value for name, value in row.items() if name != "seconds"} for row in history.rows]
            runs.append((history.losses, rows, torch.rand(1).item(), [w.tolist() for w in model.state_dict().values()]))
    assert notebook.published and runs[:2] == runs[2:]


@pytest.mark.parametrize(
    ("validation", "folder", "kept"),
    [
        (None, False, "the network keeps what it learned so far."),
        (Blobs(), False, "the network keeps what it learned so far. Step 2 was best on the validation images."),
        (None, True, "what it learned so far is kept in {}/last.pt. With resume=True it goes on."),
        (Blobs(), True, "the best so far is kept in {}/best.pt. With resume=True it goes on."),
    ],
)
@pytest.mark.parametrize("way", [SHOWN, PLAIN], ids=["shown", "unseen"])
def test_who_stops_it_reads_what_is_kept(notebook, capsys, tmp_path, validation, folder, kept, way):
    options = {"folder": tmp_path} if folder else {}
    model = network()
    history = fit(model, Blobs(), validation, steps=100, validate_every=2, on_validation=stop_at(2), **options, **way)
    assert capsys.readouterr().out == f"Stopped at step 3 of 100; {kept.format(tmp_path)}\n"
    assert history.interrupted and not model.training
    assert way is PLAIN or "stopped at step 3 of 100" in notebook.published[-1][1]
    assert all((tmp_path / name).exists() == (name in kept) for name in ("best.pt",))


def test_what_goes_wrong_is_told_as_ever_and_the_picture_ends_where_it_was(notebook):
    with pytest.raises(FloatingPointError, match="learning rate that is too high"):
        fit(network(norm=None), Blobs(), steps=50, lr=1e30, **SHOWN)
    assert ", step " in notebook.published[-1][1]
    assert picture.three(99.99951) == "100.000" and picture.three(7.3e16) == "7.3e+16"


def test_a_run_that_goes_on_is_shown_from_its_beginning(notebook, tmp_path):
    settings = {"steps": 8, "validate_every": 2, "folder": tmp_path}
    fit(network(), Blobs(), Blobs(), on_validation=stop_at(4), **settings, **PLAIN)
    fit(network(), Blobs(), Blobs(), resume=True, **settings, **SHOWN)
    assert notebook.published[0][1].startswith("A training, step 5 of 8 · IoU")
    assert len(notebook.published) == 1 + 3 + 1


def test_without_validation_images_the_answer_is_of_the_batch_and_of_what_is_answered_of_it(notebook, monkeypatch):
    answers = []
    monkeypatch.setattr(seen, "painted", lambda *arguments: answers.append(arguments[-1]) or b"")
    fit(network(padding="valid", norm=None), Blobs(side=24), steps=2, **SHOWN)
    image, labels, probabilities = answers[-1][1:]
    assert image.shape[1:] == labels.shape == probabilities.shape[1:] != (24, 24)
    np.testing.assert_allclose(probabilities.sum(axis=0), 1, rtol=1e-5)
    assert any(np.array_equal(image, sample[0][:, 8:16, 8:16]) for sample in Blobs(side=24).samples)


# --------------------------------------------------------------------------------------------------------- the painting

LOSSES = list(np.linspace(0.9, 0.1, 50))
ROWS = [{"step": n, "loss": 0.5, "val_loss": 0.8 - 0.01 * n, "val_iou": 0.5} for n in (10, 20, 30, 40)]
IMAGE = np.linspace(0, 1, TILE * TILE, dtype=np.float32).reshape(1, TILE, TILE)
LABELS = np.zeros((TILE, TILE), np.int64)
LABELS[30:60, 40:90] = 1
ANSWER = Answer(40, IMAGE, LABELS, np.concatenate([1 - IMAGE, IMAGE]))


def rgb(colour):
    return [int(colour[n : n + 2], 16) for n in (1, 3, 5)]


def near(drawn, colour, tolerance=12):
    """Where a colour is, of 256 that stand for all."""
    return np.abs(drawn - rgb(colour)).max(axis=-1) <= tolerance


def test_the_curve_goes_where_the_losses_go():
    drawn = opened(picture.painted("", 100, LOSSES, [], None))
    rows, columns = np.nonzero(near(drawn[TOP : BOTTOM + 4], TRAINING.line))
    assert columns.min() == pytest.approx(LEFT, abs=2)
    assert columns.max() == pytest.approx(LEFT + 0.455 * (RIGHT - LEFT), abs=2), "the middle of steps 41 to 50"
    height = BOTTOM - TOP
    for loss, part in ((0.9, rows.min()), (0.14, rows.max())):  # the mean of the last ten
        assert part == pytest.approx(height * (1 - loss), abs=5)
    assert not near(drawn, VALIDATION.line).any()


def test_a_validation_is_a_dot():
    drawn = near(opened(picture.painted("", 100, LOSSES, ROWS, None)), VALIDATION.line)
    for row in ROWS:
        x, y = LEFT + row["step"] / 100 * (RIGHT - LEFT), BOTTOM - row["val_loss"] * (BOTTOM - TOP)
        assert drawn[round(y) - 1 : round(y) + 2, round(x) - 1 : round(x) + 2].all()
    assert not near(opened(picture.painted("", 100, LOSSES, [{"step": 10, "loss": 1.0}], None)), VALIDATION.line).any()


def test_the_tiles_are_the_image_with_its_truth_and_the_answer():
    drawn = opened(picture.painted("", 100, LOSSES, ROWS, ANSWER))
    tiles = drawn[64 : 64 + TILE]
    image, answer = tiles[:, WIDTH - 2 * TILE - 8 : WIDTH - TILE - 8], tiles[:, WIDTH - TILE :]
    np.testing.assert_allclose(answer[..., 0], 255 * IMAGE[0], atol=16)
    is_orange = np.abs(image - (230, 159, 0)).max(axis=-1) < 20
    assert is_orange[30, 40:90].all() and is_orange[59, 40:90].all() and is_orange[30:60, 40].all()
    assert not is_orange[31:59, 41:89].any() and is_orange.sum() == 2 * (30 + 50) - 4
    np.testing.assert_allclose(image[~is_orange][:, 0], 255 * IMAGE[0][~is_orange], atol=16)


def test_a_loss_that_explodes_does_not_press_the_others_flat():
    wild = [*LOSSES[:25], 1e30, *LOSSES[25:]]
    calm, other = (near(opened(picture.painted("", 100, losses, [], None)), TRAINING.line) for losses in (LOSSES, wild))
    left = slice(LEFT, LEFT + 30)
    assert calm[TOP:BOTTOM, left].any() and np.array_equal(calm[TOP:BOTTOM, left], other[TOP:BOTTOM, left])


ODD = {
    "nothing yet": ([], [], None),
    "one step": ([0.5], [], None),
    "many steps": (LOSSES * 1000, [], None),
    "no loss at all": ([0.0, 0.0], [{"step": 2, "val_loss": 0.0, "val_iou": math.nan}], None),
    "a validation that is no number": (LOSSES, [{"step": 2, "val_loss": math.nan, "val_iou": math.nan}], None),
    "five classes, three channels, not square": (
        LOSSES,
        ROWS,
        Answer(1, np.zeros((3, 300, 20), np.float32), np.ones((300, 20), int), np.ones((5, 300, 20), np.float32)),
    ),
    "an image that is no image": (
        LOSSES,
        [],
        Answer(1, np.full((2, 1, 1), np.nan, np.float32), np.ones((1, 1), int), np.zeros((2, 1, 1), np.float32)),
    ),
}


@pytest.mark.parametrize("case", ODD)
def test_a_picture_is_never_a_reason_to_stop(case):
    losses, rows, answer = ODD[case]
    with warnings.catch_warnings(action="error"):
        drawn = opened(picture.painted("words", max(len(losses), 10), losses, rows, answer))
    assert drawn.shape == (HEIGHT, WIDTH, 3) and (drawn < 128).any()


def test_an_answer_is_handed_out_for_each_image():
    given = []
    evaluate(network().eval(), Blobs(), on_answer=lambda *parts: given.append(parts))
    assert len(given) == 4
    for (image, labels, probabilities), sample in zip(given, Blobs().samples, strict=True):
        np.testing.assert_array_equal(image, sample[0])
        np.testing.assert_array_equal(labels, sample[1])
        assert probabilities.shape == (2, 16, 16)


# -------------------------------------------------------------------------------------------------------- in a terminal


@pytest.mark.parametrize("shell", [None, object()], ids=["Python", "IPython in a terminal"])
def test_in_a_terminal_it_is_text(monkeypatch, capsys, shell):
    monkeypatch.setattr(IPython, "get_ipython", lambda: shell)
    fit(network(), Blobs(), steps=100, validate_every=2, on_validation=stop_at(2), **SHOWN)
    said = capsys.readouterr()
    assert said.out == "" and "3/100" in said.err and "loss=" in said.err


def test_without_progress_nothing_is_said_of_a_run_that_ends(notebook, capsys):
    fit(network(), Blobs(), steps=3, **PLAIN)
    assert capsys.readouterr() == ("", "") and not notebook.published


# ----------------------------------------------------------------------------------------------------- in a real kernel

CELLS = (
    f"""import signal, sys
import torch
sys.path.insert(0, {str(ROOT)!r})
from tests.training.runs import PLAIN, Blobs, network
from unet_edu.training import evaluate, fit
torch.set_num_threads(1)
PLAIN = PLAIN | {{"steps": 40, "validate_every": 5}}
shown = PLAIN | {{"progress": True}}""",
    "models = network(), network()\nhistory = fit(models[0], Blobs(), Blobs(), **shown)",
    """again = fit(models[1], Blobs(), Blobs(), **PLAIN)
print(history.losses == again.losses, all(map(torch.equal, models[0].parameters(), models[1].parameters())))""",
    """def press(model, row):
    if row["step"] == 5:
        signal.raise_signal(signal.SIGINT)

history = fit(network(), Blobs(), on_validation=press, **shown)""",
    "print(len(history.losses), history.interrupted, len(history.rows))",
)


def test_in_a_kernel_a_still_picture_is_what_is_left_and_the_same_each_time(tmp_path):
    path = tmp_path / "training.ipynb"
    cells = [nbformat.v4.new_code_cell(source, id=f"cell-{n}") for n, source in enumerate(CELLS)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    execute(path)
    first = path.read_bytes()
    notebook = nbformat.read(path, as_version=4)
    (shown,), (compared,), (stopped, sentence), (then,) = (cell.outputs for cell in notebook.cells[1:])
    assert WIDGET_VIEW.encode() not in first and "widgets" not in notebook.metadata
    for output, alt in ((shown, "step 40 of 40 · IoU"), (stopped, "stopped at step 6 of 40")):
        assert output.output_type == "display_data" and set(output.data) == {"image/png", "text/plain"}
        assert alt in output.metadata["image/png"]["alt"]
        assert near(opened(base64.b64decode(output.data["image/png"])), TRAINING.line).any()
    assert compared.text == "True True\n"
    assert sentence.text == "Stopped at step 6 of 40; the network keeps what it learned so far.\n"
    assert then.text == "6 True 1\n"
    execute(path)
    assert path.read_bytes() == first
