"""The pictures of lesson 07."""

import numpy as np
import pytest

from unet_edu.data.measured import measured
from unet_edu.data.samples import Frame
from unet_edu.figures import training as figures
from unet_edu.figures.palette import CLASSES
from unet_edu.figures.training import coloured_cells, score_bars


def test_each_cell_has_one_colour_and_a_darker_rim():
    instances = np.zeros((12, 15), int)
    instances[1:6, 1:6], instances[1:6, 6:12], instances[8:12, 4:15] = 1, 2, 70
    image = np.full(instances.shape, 0.5)
    picture = coloured_cells(image, instances)
    assert picture.shape == (12, 15, 3) and picture.dtype == np.float32 and 0 <= picture.min() <= picture.max() <= 1
    inside = {number: picture[place] for number, place in {1: (3, 3), 2: (3, 9), 70: (10, 9)}.items()}
    assert len({tuple(colour) for colour in inside.values()}) == 3
    np.testing.assert_allclose(picture[3, 2], inside[1])
    # the rim, also towards a neighbour
    np.testing.assert_allclose(picture[3, [1, 5]], [0.45 * inside[1]] * 2, rtol=1e-6)
    np.testing.assert_allclose(picture[3, 6], 0.45 * inside[2], rtol=1e-6)
    np.testing.assert_allclose(picture[11, 9], inside[70], err_msg="the edge of the image is no rim")
    grey = picture[instances == 0]
    assert (grey == grey[0, 0]).all() and np.isclose(grey[0, 0], 0.35)


def test_merged_neighbours_look_merged():
    apart, merged = np.array([[1, 1, 2, 2]] * 3), np.ones((3, 4), int)
    image = np.zeros((3, 4))
    assert len(np.unique(coloured_cells(image, merged)[1], axis=0)) == 1
    assert len(np.unique(coloured_cells(image, apart)[1], axis=0)) > 1
    assert len(CLASSES) == 8, "the docstring says seven colours"


def test_bars_are_as_long_as_the_scores():
    scores = {"Otsu": {"SEG": 0.4, "IoU": 0.92}, "U-Net": {"SEG": 0.85, "IoU": 0.875}}
    axes = score_bars(scores, level=(0.75, "aim")).axes[0]
    widths = sorted(bar.get_width() for bar in axes.patches)
    assert widths == sorted([0.4, 0.92, 0.85, 0.875])
    texts = {text.get_text() for text in axes.texts}
    assert texts == {"0.400", "0.920", "0.850", "0.875"}
    assert [label.get_text() for label in axes.get_yticklabels()] == ["Otsu", "U-Net"]
    assert {text.get_text() for text in axes.get_legend().get_texts()} == {"SEG", "IoU", "aim"}
    assert len({bar.get_hatch() for bar in axes.patches}) == 2, "told apart by more than colour"
    first, second = (np.mean([bar.get_y() for bar in axes.patches[n::2]]) for n in (0, 1))
    assert first < second and axes.yaxis_inverted(), "in the order in which they were given, from the top"


def test_too_many_kinds_are_refused():
    with pytest.raises(ValueError, match="at most 5 kinds"):
        score_bars({"a": {str(n): 0.5 for n in range(6)}})


def test_each_stored_run_is_a_dot():
    results = measured("recipes")
    shown = figures.runs(results, {"ours": "ours", "no map": "no map"}, one_scale=False)
    assert np.allclose(shown.values["seg"], [results.scores("seg", variant=name) for name in ("ours", "no map")])
    left, right = shown.figure.axes
    dots = [line for line in left.lines if line.get_marker() == "o"]
    assert [len(line.get_xdata()) for line in dots] == [3, 3]
    assert "ours 0.83 to 0.84" in shown.words and left.get_xlim() != right.get_xlim()
    one = figures.runs(results, {"ours": "ours"}, {"seg": "SEG", "seg_dim": "dim"}, one_scale=True)
    assert one.figure.axes[0].get_xlim() == one.figure.axes[1].get_xlim()


def test_learning_is_a_loop_whose_steps_are_those_of_all_runs():
    truth = np.array([[1, 1, 0, 2, 2]] * 3)
    runs = {"a": {0: np.zeros((3, 5)), 10: (truth > 0) * 0.9, 20: (truth > 0) * 0.9}, "stopped": {0: np.ones((3, 5))}}
    loop = figures.learning(runs, truth)
    assert len(loop.frames) == 3 and loop.values["steps"] == [0, 10, 20]
    texts = [text.get_text() for text in loop.frames[1].axes[0].texts]
    assert texts[1:] == ["the truth: 2", "a: 2", "stopped: 1"] and "step 10 of 20" in texts[0]
    assert len(figures.learning({"a": {0: np.zeros((3, 5))}}, truth).frames) == 2, "stopped before it began"


def test_a_colour_for_each_class_and_a_light_ground():
    frame = Frame(np.zeros((3, 2, 2)), np.array([[0, 1], [2, 0]]))
    shown = figures.in_colour(frame, np.zeros((2, 2), int), [[0, 0, 0], [0.9, 0.2, 0.5], [0.2, 0.5, 0.9]])
    drawn = shown.figure.axes[1].images[0].get_array()
    assert np.allclose(drawn[0, 1], [0.9, 0.2, 0.5]) and np.allclose(drawn[0, 0], 0.9)


def test_first_weights_leave_the_random_numbers_alone():
    torch = pytest.importorskip("torch")
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    shown = figures.first_weights(np.eye(36), widths=(4, 8))
    assert torch.equal(torch.random.get_rng_state(), before) and shown.values["sizes"].shape[0] == 3
