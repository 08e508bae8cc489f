"""What lesson 06's pictures show."""

import numpy as np
import pytest
import torch

from unet_edu.figures import network
from unet_edu.figures.unet import block_names
from unet_edu.losses import separated
from unet_edu.unet import UNet, layer_table

MODEL = UNet(widths=(2, 4, 8))
LAYERS = layer_table(MODEL, 92)
RNG = np.random.default_rng(2015)


def texts(shown):
    return [text.get_text() for axes in shown.figure.axes for text in axes.texts if text.get_text()]


def drawn(shown):
    return [(axes.get_title(), axes.images[0].get_array()) for axes in shown.figure.axes if axes.images]


# ------------------------------------------------------------------------------------------------ as far as it is built


def test_what_is_built_has_its_sizes_and_the_rest_none():
    shown = network.built(MODEL, 92, last="contracting.1.2")
    done = ["input", "contracting.0.0", "contracting.0.2", "pool.0", "contracting.1.0", "contracting.1.2"]
    sides = {"input": 92} | {layer.name: layer.shape[1] for layer in LAYERS}
    assert shown.values["built"] == [(1, 92), *((layer.shape[0], layer.shape[1]) for layer in LAYERS[:5])]
    said = texts(shown)
    assert all(str(sides[name]) in said for name in done) and str(sides["contracting.2.2"]) not in said
    assert "1 of 92, 2 of 88, 4 of 40." in shown.words and "dotted" in shown.words


def test_the_whole_network_has_all_blocks_and_nothing_is_dotted():
    shown = network.built(MODEL, 92)
    assert len(shown.values["built"]) == len(block_names(2)) and "dotted" not in shown.words
    assert "2 arrows go across" in shown.words and all(side for _, side in shown.values["built"])


def test_a_block_that_is_not_there_is_named():
    with pytest.raises(ValueError, match=r"last: expected one of input, contracting.0.0, .*, got 'bottom'"):
        network.built(MODEL, 92, last="bottom")


def test_the_answer_is_framed_in_the_middle():
    shown = network.answered(RNG.random((92, 92)), 4)
    assert [*shown.values["frame"]] == [44, 44, 4]
    assert "44 from each edge" in shown.words


# ------------------------------------------------------------------------------------------------------------ the joins


def test_two_become_one():
    copy, deep = np.array([[1, 2], [0, 3]]), np.array([[4, -1], [5, 2]])
    shown = network.two_become_one(copy, deep)
    assert shown.values["added"].tolist() == [[5, 1], [5, 5]]
    assert shown.values["multiplied"].tolist() == [[4, -2], [0, 6]]
    assert "Added: 5, 1, 5 and 5. Multiplied: 4, −2, 0 and 6." in shown.words
    assert texts(shown).count("5") == 5


# ----------------------------------------------------------------------------------------------- parameters and memory


def test_shares_add_up_and_each_bar_has_its_number():
    shown = network.shares(LAYERS)
    for name, of in (("parameters", "parameters"), ("memory", "activation_bytes")):
        by_level = np.zeros(3)
        for layer in LAYERS:
            by_level[network.level_of(layer.name, 2)] += getattr(layer, of)
        np.testing.assert_allclose(shown.values[name], by_level / by_level.sum())
        assert all(f"{share:.1%}" in texts(shown) for share in shown.values[name])
    lengths = [patch.get_width() for axes in shown.figure.axes for patch in axes.patches]
    np.testing.assert_allclose(lengths, np.stack([shown.values["parameters"], shown.values["memory"]], 1).ravel() * 3)


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_each_layer_has_its_level(depth):
    side = {1: 20, 2: 92, 4: 188}[depth]
    layers = layer_table(UNet(widths=(2,) * (depth + 1)), side)
    assert {network.level_of(layer.name, depth) for layer in layers} == {*range(depth + 1)}
    for layer in layers:  # a level has its own range of sides
        assert side / 2 ** network.level_of(layer.name, depth) >= layer.shape[1]


def test_bars_of_memory_say_their_sums():
    shown = network.memory({"level 0": {"down": 3.0, "up": 4.0}, "level 1": {"down": 1.0, "up": 1.0}}, "maps")
    assert "level 0 7 MB, level 1 2 MB" in shown.words and shown.values["megabytes"] == [[3.0, 4.0], [1.0, 1.0]]


# ------------------------------------------------------------------------------------------------------- what is missed


def test_scores_are_means_of_the_looks_and_stand_where_they_should():
    found = {
        "one": {"a": {"seg": 0.8, "iou": 0.9}, "b": {"seg": 0.6, "iou": 1.0}},
        "two": {"a": {"seg": 0.65, "iou": 0.75}, "b": {"seg": 0.65, "iou": 0.75}},
    }
    shown = network.scored(found)
    np.testing.assert_allclose(shown.values["seg_and_iou"], [[0.7, 0.95], [0.65, 0.75]])
    (axes,) = shown.figure.axes
    marks = {line.get_marker(): [] for line in axes.lines if line.get_marker() != "None"}
    for line in axes.lines:
        if line.get_marker() in marks:
            marks[line.get_marker()].append(line.get_xdata()[0])
    assert len(marks) == 2 and all(circle < square for circle, square in zip(marks["o"], marks["s"], strict=True))
    assert marks["o"][0] > marks["o"][1] and "one: SEG 0.70, IoU 0.95" in shown.words


def test_the_gap_shows_its_part_alone_and_counts_what_is_wrong():
    instances = np.zeros((30, 30), int)
    instances[4:14, 4:26], instances[16:26, 4:26] = 1, 2
    truth = separated(instances)
    right, wrong = truth.copy(), truth.copy()
    wrong[14:16, 10:20] = 1  # the gap is filled
    right[0, 0] = 1  # a fault outside the part
    shown = network.gap(RNG.random((30, 30)), instances, {"good": right, "bad": wrong}, (10, 20), (8, 22))
    titles = [title for title, _ in drawn(shown)]
    assert titles == ["10 × 14 pixels of the picture", "good: 0 wrong", f"bad: {int((wrong != truth).sum())} wrong"]
    assert f"bad: {int((wrong != truth).sum())} pixels wrongly marked and 0 missed" in shown.words
    assert shown.values["mask_1"].shape == (10, 14)
    (legend,) = shown.figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["rightly marked", "wrongly marked", "missed"]
    height = shown.figure.get_size_inches()[1]
    assert all(axes.get_position().y0 * height >= 0.3 for axes in shown.figure.axes)  # the legend has room below


# ----------------------------------------------------------------------------------------------- curves, maps, strength


def test_curves_have_the_logarithms_and_the_words_the_ends():
    shown = network.gradients([2, 4], {"plain": [1e-1, 1e-4], "with skips": [1.0, 0.5]})
    np.testing.assert_allclose(shown.values["log10_0"], [-1, -4])
    assert "At 4 layers: plain: 1.0e−04; with skips: 5.0e−01." in shown.words
    levels = network.levels({"a": [1e-3, 1e-2, 1.0]})
    np.testing.assert_allclose(levels.values["log10_0"], [-3, -2, 0], atol=1e-12)
    assert [*levels.figure.axes[0].get_xticks()] == [0, 1, 2]


def test_strength_is_framed_where_something_is_seen():
    strength = np.zeros((20, 20))
    strength[5:15, 5:15] = RNG.random((10, 10)) + 0.1
    shown = network.strength(strength, 5, 14)
    assert shown.values["strength"].max() == 1 and "A frame of 10 by 10" in shown.words
    frames = [patch for axes in shown.figure.axes for patch in axes.patches]
    for frame in frames:  # around the pixels 5 to 14, and less than a pixel away from them
        assert frame.get_x() == frame.get_y() and 3.5 < frame.get_x() <= 4.5
        assert frame.get_x() + frame.get_width() == pytest.approx(19 - frame.get_x())
    assert len(frames) == 2  # a white rim, and the line


def test_maps_go_from_black_to_white_each_by_itself():
    shown = network.maps({"one": torch.arange(4).reshape(2, 2), "two": -5.0 * np.arange(6).reshape(2, 3)})
    assert [title for title, _ in drawn(shown)] == ["one", "two"]
    limits = [axes.images[0].get_clim() for axes in shown.figure.axes]
    assert limits == [(0, 3), (-25, 0)] and "two: 2 by 3 pixels" in shown.words
