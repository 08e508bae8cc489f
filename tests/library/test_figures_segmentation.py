"""The pictures of lesson 01 draw what they are given, legibly, and the same each time."""

import itertools

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Polygon, Rectangle
from scipy import ndimage

from tests.library.drawings import expect_legible_on_white_whole_and_not_too_wide, expect_the_same_twice, texts
from unet_edu.explore.picture import figure_png
from unet_edu.figures.palette import CLASSES
from unet_edu.figures.segmentation import (
    KINDS,
    agreement,
    boxes,
    confusion,
    dots,
    enlarged,
    finer,
    kinds,
    label_map,
    verdicts,
    volumes,
    wide,
)

LABELS = np.array([[0, 1, 1, 2], [3, 3, 1, 2], [3, 0, 0, 5]])
NAMES = {0: "background", 1: "person", 2: "purse", 3: "plants, grass", 5: "building, structures"}
IMAGE = np.linspace(0, 1, 40 * 50).reshape(40, 50)
TARGET = np.zeros((40, 50), np.uint8)
TARGET[5:30, 10:35] = 1
PREDICTION = np.roll(TARGET, (6, 9), axis=(0, 1))
UNSURE = np.where(np.indices(TARGET.shape).sum(axis=0) > 70, 255, TARGET)
TABLE = np.array([[100, 2, 30], [4, 5, 0], [0, 0, 0]])
SHAPES = [(3, 64, 96), (16, 32, 48), (64, 8, 12), (6, 64, 96)]

DRAWINGS = {
    "label map": lambda: label_map(LABELS, NAMES, "a title", LABELS == 2),
    "small label map": lambda: label_map(LABELS[:1, :2], NAMES),
    "one verdict": lambda: verdicts(("one", IMAGE, PREDICTION, UNSURE)),
    "verdicts": lambda: verdicts(*[(f"number {n}\nof three", IMAGE, PREDICTION, TARGET) for n in range(3)]),
    "confusion": lambda: confusion(TABLE, ("ground", "coin", "building, structures"), "a title"),
    "boxes": lambda: boxes(IMAGE, {"none": [], "two\nlines": [(3, 4, 10, 20), (0, 0, 40, 50)]}),
    "boxes in colour": lambda: boxes(IMAGE, {"a": [(3, 4, 5, 6)]}, {"a": np.ones((40, 50, 3)) * 0.5}),
    "volumes": lambda: volumes(SHAPES, ["halve", "halve", "double"]),
    "volumes without words": lambda: volumes([(1, 572, 572), (1024, 28, 28), (2, 388, 388)]),
}


def words(figure: Figure) -> list[str]:
    return [text.get_text() for text in texts(figure)]


@pytest.mark.parametrize("name", DRAWINGS)
def test_same_data_same_picture(name):
    expect_the_same_twice(DRAWINGS[name])


@pytest.mark.parametrize("name", DRAWINGS)
def test_legible_on_white_whole_and_not_too_wide(name):
    expect_legible_on_white_whole_and_not_too_wide(DRAWINGS[name]())


@pytest.mark.parametrize("name", DRAWINGS)
def test_words_do_not_lie_on_each_other(name):
    figure = DRAWINGS[name]()
    figure_png(figure)
    found = [text.get_window_extent() for text in texts(figure) if text.axes is None or text.axes.axison is False]
    for a, b in itertools.combinations(found, 2):
        assert a.x1 <= b.x0 or b.x1 <= a.x0 or a.y1 <= b.y0 or b.y1 <= a.y0


def test_each_pixel_is_of_one_kind():
    target = np.array([[0, 1, 0, 1, 255, 255]])
    prediction = np.array([[0, 1, 1, 0, 0, 1]])
    expected = ["TN", "TP", "FP", "FN", "unknown", "unknown"]
    assert [KINDS[kind].name for kind in kinds(prediction, target)[0]] == expected
    assert kinds(prediction == 1, target).tolist() == kinds(prediction, target).tolist()


def large(side):
    """An image of so many pixels a side, with all kinds in areas that are large enough for patterns."""
    scale = side // 50 + 1
    shown = [
        np.kron(array, np.ones((scale, scale), array.dtype))[:side, :side] for array in (IMAGE, PREDICTION, UNSURE)
    ]
    assert np.unique(kinds(*shown[1:])).tolist() == [0, 1, 2, 3, 4]
    return shown


@pytest.mark.parametrize(("side", "times"), [(200, 3), (300, 1)])
def test_colours_and_patterns_lie_where_the_kinds_are(side, times):
    image, prediction, target = large(side)
    painted, kind = agreement(image, prediction, target), enlarged(kinds(prediction, target))
    assert painted.shape == (times * image.shape[0], times * image.shape[1], 3)
    assert 0 <= painted.min() and painted.max() <= 1 and times == finer(image.shape)
    grey = np.repeat(enlarged(image)[..., None], 3, axis=2)
    # what was rightly left out stays a photograph
    np.testing.assert_array_equal(painted[kind == 0], grey[kind == 0].astype(np.float32))
    np.testing.assert_allclose(painted[kind == 4], [to_rgb(KINDS[4].colour)] * np.sum(kind == 4), atol=1e-6)  # float32
    white = (painted == 1).all(axis=-1) & (kind > 0)
    assert not white[(kind == 1) | (kind == 4)].any()
    for number, share in ((2, 1 / 3), (3, 1 / 9)):  # a third is stripes; a ninth is dots
        assert white[kind == number].mean() == pytest.approx(share, abs=0.05)
    # a stripe is as long as its area; all dots are alike
    sizes = np.bincount(ndimage.label(white & (kind == 3))[0].ravel())[1:]
    assert len(sizes) > 20 and len(set(sizes)) == 1


def test_small_areas_have_their_colour_and_no_pattern():
    """A white pixel in a rim, or alone, would be noise: nobody could say what it means."""
    target, prediction = np.zeros((2, 60, 60), bool)
    target[10:40, 10:40] = True
    prediction[8:38, 8:38] = True  # a rim of two pixels is wrongly marked, and one of two is missed
    prediction[50, 50] = prediction[54:56, 20:40] = True
    image = np.full((60, 60), 0.5)
    painted = agreement(image, prediction, target)
    assert not (painted == 1).any(axis=-1).any()
    kind = enlarged(kinds(prediction, target))
    for number in (2, 3):
        assert (kind == number).sum() > 500 and len(np.unique(painted[kind == number], axis=0)) == 1
    prediction[54:57, 20:40] = True  # three pixels are enough
    assert (agreement(image, prediction, target) == 1).all(axis=-1).sum() > 50


def test_a_pattern_fills_only_where_it_can_be_told_from_noise():
    area = np.zeros((12, 14), bool)
    area[2:6, 3:9] = area[4, :] = area[9:11, 2:13] = area[11:, 13:] = True
    expected = np.zeros_like(area)
    expected[2:6, 3:9] = True
    np.testing.assert_array_equal(wide(area), expected)
    assert not wide(np.ones((2, 9), bool)).any() and wide(np.ones((3, 3), bool)).all()


def test_no_dot_stands_alone():
    area = np.zeros((60, 60), bool)
    area[:9, :9] = True  # room for one
    area[24:48, 24:48] = True  # room for four
    found, count = ndimage.label(dots(area, 12))
    assert count == 4 and not found[:9, :9].any()


def test_kinds_differ_in_more_than_colour():
    assert len({kind.hatch for kind in KINDS[1:4]}) == 3


def test_the_legend_names_what_is_there():
    assert words(verdicts(("a", IMAGE, PREDICTION, TARGET)))[1:] == [
        "TP: rightly marked",
        "FP: wrongly marked",
        "FN: missed",
    ]
    assert "unknown: not counted" in words(verdicts(("a", IMAGE, PREDICTION, UNSURE)))


def test_a_label_map_has_its_number_in_each_cell_and_counts_in_the_legend():
    figure = label_map(LABELS, NAMES, "t", LABELS == 2)
    found = words(figure)
    assert found[: 1 + LABELS.size] == ["t", *map(str, LABELS.ravel())]
    assert [word for word in found if word.endswith("px")] == [
        "background: 3 px",
        "person: 3 px",
        "purse: 2 px",
        "plants, grass: 3 px",
        "building, structures: 1 px",
    ]
    cells = [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle)]
    for patch, label in zip(cells, LABELS.ravel(), strict=False):
        assert patch.get_facecolor()[:3] == to_rgb(CLASSES[label])
    frames = [patch.get_xy() for patch in cells if not patch.get_fill()]
    assert frames == [cells[place].get_xy() for place in np.flatnonzero(LABELS == 2)]


def test_signs_stand_for_the_numbers_of_a_label_map():
    found = words(label_map(np.array([[0, 1], [1, 0]]), {1: "wrong", 0: "right"}, signs={1: "FP"}))
    assert found == ["0", "FP", "FP", "0", "FP", "wrong: 2 px", "0", "right: 2 px"]


def test_a_confusion_matrix_stands_as_it_is_counted():
    figure = confusion(TABLE, ("ground", "coin", "none"))
    found = words(figure)
    assert found[:2] == ["predicted", "truth"] and found[2:8] == ["ground", "ground", "coin", "coin", "none", "none"]
    assert found[8:] == [f"{count:,}" for count in TABLE.ravel()]
    cells = [patch for patch in figure.axes[0].patches if patch.get_fill()]
    lightness = np.array([sum(patch.get_facecolor()[:3]) for patch in cells]).reshape(3, 3)
    assert lightness[0, 0] < lightness[0, 2] < lightness[0, 1] and (lightness[2] == 3).all()


def test_boxes_surround_their_pixels():
    figure = boxes(IMAGE, {"a": [(3, 4, 10, 20)], "b": []})
    first, second = figure.axes[:2]
    assert {(*p.get_xy(), p.get_width(), p.get_height()) for p in first.patches} == {(3.5, 2.5, 20, 10)}
    assert not second.patches and [axes.get_title() for axes in (first, second)] == ["a", "b"]


def test_volumes_are_as_high_as_the_image_and_as_thick_as_its_channels():
    figure = volumes(SHAPES, ["halve", "halve", "double"])
    corners = [patch.get_xy()[:4] for patch in figure.axes[0].patches if isinstance(patch, Polygon)]
    fronts = corners[::3]
    heights = [np.ptp(front[:, 1]) for front in fronts]
    np.testing.assert_allclose(np.array(heights) / heights[0], [1, 32 / 64, 8 / 64, 1], rtol=1e-9)
    widths = [np.ptp(front[:, 0]) for front in fronts]
    assert widths[2] / widths[1] == pytest.approx(64 / 16)
    for word in ("3 channels", "64 × 96", "halve →", "double →"):
        assert word in words(figure)
    assert words(volumes([(1, 4, 4), (2, 4, 4)]))[0] == "1 channel"
