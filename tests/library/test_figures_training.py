"""The pictures of lesson 07."""

import numpy as np
import pytest

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
