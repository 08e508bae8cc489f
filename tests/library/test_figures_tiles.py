"""The pictures of lesson 08 draw what they are given, legibly, and the same each time."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle

from tests.library.drawings import expect_legible_on_white_whole_and_not_too_wide, expect_the_same_twice, texts
from unet_edu.figures import tiles
from unet_edu.figures.tiles import KEPT, READ, overlap_tile, painted_difference, squares, wide, windows
from unet_edu.tiling import tiling
from unet_edu.unet import UNet

IMAGE = np.random.default_rng(3).random((100, 140))
ROWS, COLUMNS = tiling(UNet(widths=(2, 2, 2)), IMAGE.shape, 84)
LAST = (len(ROWS.starts) - 1, len(COLUMNS.starts) - 1)

WHOLE = np.random.default_rng(4).random((100, 140))
CUT = np.where(np.arange(140) < 60, WHOLE, 1 - WHOLE)
DRAWINGS = {
    "one tile": lambda: overlap_tile(IMAGE, ROWS, COLUMNS, (0, 0)),
    "two tiles": lambda: overlap_tile(IMAGE, ROWS, COLUMNS, (1, 1), LAST),
    "windows": lambda: windows(100, 16, whole_image=[0], step_of_36=[0, 36, 72]),
    "one row": lambda: windows(64, 8, whole=[0]),
    "cut": lambda: tiles.cut(IMAGE, WHOLE, CUT, 30),
    "answered": lambda: tiles.answered(IMAGE, WHOLE[20:-20, 20:-20]),
    "made up": lambda: tiles.made_up({"zeros": np.stack([[WHOLE, CUT]] * 2), "black": np.stack([[CUT, WHOLE]] * 2)}),
    "beyond": lambda: tiles.beyond([5, 3, 8, 1], 3, ["reflect", "edge", "wrap"]),
    "seams": lambda: tiles.seams({"one\nstep": WHOLE - CUT, "two": WHOLE - WHOLE}),
    "margins": lambda: tiles.margins({0: 0.5, 4: 0.1, 8: 1e-7}),
    "costs": lambda: tiles.costs(UNet(widths=(2, 2, 2)), [44, 60, 100]),
    "slide": lambda: tiles.slide((255 * IMAGE).astype(np.uint8), IMAGE > 0.5, (20, 30, 40, 40)),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_same_data_same_picture(name):
    expect_the_same_twice(lambda: DRAWINGS[name]().figure)


@pytest.mark.parametrize("name", DRAWINGS)
def test_legible_on_white_whole_and_not_too_wide(name):
    expect_legible_on_white_whole_and_not_too_wide(DRAWINGS[name]().figure)


def test_the_surroundings_are_mirrored_and_paler():
    shown = wide(IMAGE, 20, 30)
    mirror = np.pad(IMAGE, (20, 30), mode="reflect")
    inside = (slice(20, 120), slice(20, 160))
    np.testing.assert_array_equal(shown[inside], IMAGE)
    assert (shown >= mirror).all() and shown.max() <= 1
    outside = np.ones(shown.shape, bool)
    outside[inside] = False
    assert (shown[outside] > mirror[outside]).all()
    assert np.corrcoef(shown[outside], mirror[outside])[0, 1] > 0.999


def test_kept_squares_cover_the_image_and_lie_in_what_is_read():
    covered = np.zeros(IMAGE.shape, int)
    for tile in np.ndindex(len(ROWS.starts), len(COLUMNS.starts)):
        read, (top, left, height, width) = squares(ROWS, COLUMNS, tile, IMAGE.shape)
        covered[top : top + height, left : left + width] += 1
        assert read == (top - 20, left - 20, ROWS.side, COLUMNS.side)
        assert top + height + 20 <= read[0] + read[2] and left + width + 20 <= read[1] + read[3]
    assert (covered == 1).all()


def test_a_step_wider_than_the_answer_leaves_a_gap():
    sparse = ROWS._replace(step=80, starts=range(0, 100, 80))
    read, kept = squares(sparse, COLUMNS, (0, 0), IMAGE.shape)
    assert read[2] == ROWS.side and kept[2] == ROWS.side - 40


def test_the_squares_stand_where_they_are():
    figure = overlap_tile(IMAGE, ROWS, COLUMNS, (1, 1)).figure
    boxes = {
        patch.get_edgecolor()[:3]: (patch.get_y() + 0.5, patch.get_x() + 0.5, patch.get_height(), patch.get_width())
        for patch in figure.axes[0].patches
        if isinstance(patch, Rectangle) and patch.get_linewidth() == 2
    }
    read, kept = squares(ROWS, COLUMNS, (1, 1), IMAGE.shape)
    assert boxes[to_rgb(READ)] == read and boxes[to_rgb(KEPT)] == kept
    styles = {patch.get_linestyle() for patch in figure.axes[0].patches if patch.get_linewidth() == 2}
    assert len(styles) == 2, "not by the colour alone"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "read by the network",
        "kept of its answer",
        "mirrored: paler",
    ]


def test_windows_begin_where_tiles_begin():
    figure = windows(100, 16, whole_image=[0], step_of_36=[0, 36, 72]).figure
    axes = figure.axes[0]
    edges = {row: [box.get_x() for box in axes.patches if round(box.get_y() + 0.25) == row] for row in (0, 1)}
    assert edges[0] == list(range(0, 100, 16))
    assert edges[1] == [0, 16, 32, 36, 52, 68, 72, 88]
    for row in (0, 1):  # no gap, no overlap
        boxes = sorted((box.get_x(), box.get_width()) for box in axes.patches if round(box.get_y() + 0.25) == row)
        assert sum(width for _, width in boxes) == 100
    assert [text.get_text() for text in texts(figure) if text.get_text().startswith("from")] == [
        "from 0",
        "from 0",
        "from 36",
        "from 72",
    ]


def test_only_what_differs_is_coloured():
    shown = painted_difference(CUT, WHOLE)
    grey = np.ptp(shown, axis=2) < 1e-9
    assert grey[:, :60].all() and not grey[:, 60:][abs(CUT - WHOLE)[:, 60:] > 0.01].any()
    assert np.ptp(painted_difference(WHOLE + 1e-6, WHOLE), axis=2).max() < 1e-9  # rounding


def test_changes_are_counted_by_their_distance_from_the_border():
    real = np.zeros((100, 100))
    real[5, 20:80] = 1  # 60 of the 4·89 + … pixels at this distance
    made_up = tiles.made_up({"zeros": np.stack([[np.zeros((100, 100)), real]])}).values["zeros"]
    assert made_up[5] == 60 / (100 - 10) / 4 / (1 - 1 / 90) and not np.delete(made_up, 5).any()


def test_the_loop_fills_the_answer_tile_by_tile():
    loop = tiles.tile_by_tile(IMAGE, WHOLE, ROWS, COLUMNS)
    number = len(ROWS.starts) * len(COLUMNS.starts)
    assert len(loop.frames) == number + 2 and f"{number} times" in loop.words
    answers = [figure.axes[1].images[0].get_array() for figure in loop.frames]
    assert (np.asarray(answers[0]) == 0.5).all() and np.abs(np.asarray(answers[-1]) - WHOLE).max() < 0.05
    expect_legible_on_white_whole_and_not_too_wide(loop.frames[2])
    top, left = ROWS.step, COLUMNS.step
    first = np.asarray(answers[1])
    assert np.abs(first[:top, :left] - WHOLE[:top, :left]).max() < 0.05 and (first[top:] == 0.5).all()
