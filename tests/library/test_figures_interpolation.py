"""The pictures of lesson 03 show what they say."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from tests.library.drawings import expect_legible_on_white_whole_and_not_too_wide, expect_the_same_twice, texts
from unet_edu.figures import interpolation as pictures
from unet_edu.figures.palette import CLASSES, ROLES
from unet_edu.interpolation import bicubic_kernel, bilinear_kernel, interpolate, source_coordinates

RNG = np.random.default_rng(3)
COARSE = np.zeros((4, 5), int)
COARSE[1:3, 1:4] = 1
MASK = COARSE.repeat(8, axis=0).repeat(8, axis=1)
IMAGE = RNG.random(MASK.shape)
STREET = np.array([[3, 1, 5], [1, 1, 3]])
NAMES = {1: "person", 2: "purse", 3: "plants", 4: "sidewalk", 5: "building"}
ALL = {
    "coarse_answer": (IMAGE, COARSE, MASK),
    "copies_and_nails": ([[1, 2], [3, 4]], 2),
    "places": (4, 8),
    "half_pixels_forgotten": (IMAGE, COARSE, np.s_[4:28, 4:36]),
    "weights_by_distance": (),
    "enlarged_photo": (IMAGE[:12, :16], 3),
    "fixed_matrices": (4, 2),
    "enlarged_names": (STREET, NAMES, 3),
    "enlarged_outlines": (MASK, 1 - MASK, MASK),
    "stamps": ([0, 1, 2, 3],),
    "found_stamp": (bicubic_kernel(2), -bicubic_kernel(2)),
}


def test_all_pictures_are_looked_at():
    assert set(ALL) == set(pictures.__all__)


@pytest.mark.parametrize("name, arguments", ALL.items(), ids=ALL)
def test_legible_and_the_same_each_time(name, arguments):
    draw = getattr(pictures, name)
    expect_the_same_twice(lambda: draw(*arguments).figure)
    expect_legible_on_white_whole_and_not_too_wide(draw(*arguments).figure)


def test_dots_stand_at_the_source_coordinates():
    figure = pictures.places(4, 7).figure
    for axes, corners in zip(figure.axes, (False, True), strict=True):
        dots = [line.get_xdata()[0] for line in axes.lines if len(line.get_xdata()) == 1]
        np.testing.assert_allclose(dots, source_coordinates(4, 7, align_corners=corners))
        assert f"align_corners={corners}" in axes.get_title(loc="left")
        assert len(axes.patches) == 4 + 7


def test_with_edges_on_edges_both_strips_are_equally_long():
    strips = pictures.places(4, 7).figure.axes[0].patches
    ends = [(part[0].get_x(), part[-1].get_x() + part[-1].get_width()) for part in (strips[:4], strips[4:])]
    np.testing.assert_allclose(ends, [(-0.5, 3.5)] * 2)


def test_before_the_question_only_the_named_place_is_written_down():
    shown = pictures.places(4, 8, named=[0], both=False)
    written = {text.get_text() for text in texts(shown.figure)}
    assert len(shown.figure.axes) == 1 and "−0.25" in written and "0.25" not in written
    assert "align_corners" not in shown.words and set(shown.values) == {"edges"}


def test_without_the_halves_the_outline_lies_too_far_up_and_left():
    values = pictures.half_pixels_forgotten(IMAGE, COARSE, np.s_[:, :]).values
    right, slid = (np.argwhere(values[name] > 0.5).mean(axis=0) for name in ("right", "slid"))
    np.testing.assert_allclose(
        slid - right, -3.5
    )  # half an input pixel less half an output pixel, eight times as large


def test_what_is_enlarged_is_what_the_library_makes():
    values = pictures.enlarged_photo(IMAGE, 3).values
    for mode in ("nearest", "bilinear", "bicubic"):
        np.testing.assert_array_equal(values[mode], interpolate(IMAGE, (96, 120), mode=mode))
    assert np.count_nonzero(values["bed_of_nails"]) == IMAGE.size


def test_only_classes_that_stood_nowhere_are_framed():
    shown = pictures.enlarged_names(STREET, NAMES, 3)
    frames = [patch for patch in shown.figure.axes[0].patches if not patch.get_fill()]
    invented = np.isin(shown.values["averaged"], (2, 4)).sum()
    assert len(frames) == invented > 0 and f"{invented} pixels" in shown.words
    assert {to_hex(frame.get_edgecolor()) for frame in frames} == {ROLES["error"].line.lower()}
    numbers = [text.get_text() for text in texts(shown.figure) if text.get_text().isdigit()]
    assert len(numbers) == 2 * 6 * 9 + len(NAMES), "each pixel has its number: no class shows by its colour alone"
    assert max(NAMES) < len(CLASSES)


def test_stamps_add_up_to_bilinear_but_for_the_border():
    shown = pictures.stamps([4, 5, 8, 7])
    np.testing.assert_allclose(shown.values["laid"][1, 2:6], 5 * bilinear_kernel((1, 2))[0])
    total = shown.values["total"][0, 1:-1]
    np.testing.assert_allclose(total[1:-1], interpolate([[4, 5, 8, 7]], (1, 8))[0, 1:-1])
    assert "but for the last number, 2.25 and 3." in pictures.stamps([0, 1, 2, 3]).words
