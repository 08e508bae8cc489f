"""The figures draw what they are given, give the same picture each time, and touch nothing else."""

import io
import itertools
import subprocess
import sys

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from tests.library.drawings import expect_legible_on_white_whole_and_not_too_wide, expect_the_same_twice
from unet_edu.explore.picture import figure_png
from unet_edu.figures.palette import CLASSES, INK
from unet_edu.figures.panels import Grid, Photo, curves, numbers, painted, photos

X = np.array([[4, 5, 8, 7], [1, 8, 8, 8], [3, 6, 6, 4]])
SIGNED = np.linspace(-1, 2, 12).reshape(3, 4)
PHOTO = np.linspace(0, 1, 35).reshape(5, 7)

DRAWINGS = {
    "one grid": (numbers, lambda a: [[Grid(a)]], {}, X),
    "grids, signs and marks": (
        numbers,
        lambda a: [[Grid(a, "image x", "input", a > 5), "×", Grid(a[:2, :2], "two\nlines", "kernel"), "=", Grid(a)]],
        {},
        X,
    ),
    "rows of grids": (numbers, lambda a: [[Grid(a, "a")] * 2, [Grid(a, "b", decimals=2)] * 3], {}, SIGNED),
    "grey grid": (numbers, lambda a: [[Grid(a, grey=True)]], {}, np.arange(64, dtype=np.uint8).reshape(8, 8) * 4),
    "wide grids": (numbers, lambda a: [[Grid(a, "a"), Grid(a, "b"), Grid(a, "c")]], {}, np.ones((7, 8))),
    "one photo": (photos, lambda a: [Photo(a, "grey")], {}, PHOTO),
    "signed photo, limited": (photos, lambda a: [Photo(a, "x", signed=True, limit=1.0)], {}, SIGNED),
    "signed photo, long labels": (photos, lambda a: [Photo(a, "x", signed=True, limit=0.25)], {}, SIGNED),
    "all photos": (
        photos,
        lambda a: [
            Photo(a, "box", box=(1, 1, 2, 3)),
            Photo(a - 0.5, signed=True),
            Photo(a > 0.5),
            Photo(a.T),
            Photo(a),
        ],
        {"columns": 3},
        PHOTO,
    ),
    "flat signed photo": (photos, lambda a: [Photo(a, signed=True)], {}, np.zeros((3, 3))),
    "colour photo": (photos, lambda a: [Photo(a)], {}, np.ones((4, 6, 3)) * 0.5),
    "curves": (
        curves,
        lambda a: [{"one": a, "two": a / 2}],
        {"xlabel": "step", "ylabel": "loss", "log": "y", "level": (0.1, "noise")},
        1 / np.arange(1, 20),
    ),
    "one curve": (curves, lambda a: [{"one": a}], {"xlabel": "x", "ylabel": "y", "x": [1, 2, 4]}, np.array([1, -2, 3])),
}


def draw(name: str) -> Figure:
    function, make, keywords, data = DRAWINGS[name]
    return function(*make(data), **keywords)


@pytest.mark.parametrize("name", DRAWINGS)
def test_same_data_same_picture(name):
    data = DRAWINGS[name][-1]
    before = data.copy()
    expect_the_same_twice(lambda: draw(name))
    assert np.array_equal(data, before) and data.dtype == before.dtype


@pytest.mark.parametrize("name", DRAWINGS)
def test_legible_on_white_whole_and_not_too_wide(name):
    expect_legible_on_white_whole_and_not_too_wide(draw(name))


def test_every_number_stands_in_its_cell():
    figure = numbers([Grid([[1, -2], [0.004, 3]], decimals=1)])
    assert [text.get_text() for text in figure.findobj(Text) if text.get_text()] == ["1.0", "−2.0", "0.0", "3.0"]


def test_numbers_do_not_touch():
    values = np.full((7, 7), 49)
    figure = numbers([Grid(values, "a"), Grid(values, "b"), Grid(values, "c")])
    figure_png(figure)
    boxes = [text.get_window_extent() for text in figure.findobj(Text) if text.get_text() == "49"]
    for left, right in itertools.pairwise(boxes):
        assert left.x1 < right.x0 or left.y0 > right.y0


def test_signed_colours_are_symmetric_about_zero():
    figure = photos(Photo(SIGNED, signed=True))
    (image,) = figure.axes[0].images
    assert (image.norm.vmin, image.norm.vmax) == (-2, 2)


def test_both_signs_keep_their_share_of_the_picture():
    noise = np.random.default_rng(0).normal(size=(300, 300))
    fine = np.concatenate([noise, -noise])  # as many pixels above zero as below, and many more than the picture has
    figure = photos(Photo(fine, signed=True, limit=1.0))
    assert fine.shape[1] > figure.axes[0].get_window_extent().width
    red, _, blue = np.asarray(Image.open(io.BytesIO(figure_png(figure))).convert("RGB")).astype(int).transpose(2, 0, 1)
    purple, orange = np.count_nonzero(blue > red + 2), np.count_nonzero(red > blue + 2)
    assert purple > 1000 and 0.9 < purple / orange < 1.1


def test_a_clipped_colour_bar_says_so():
    figure = photos(Photo(SIGNED, signed=True, limit=1.0))
    assert [label.get_text() for label in figure.axes[1].get_yticklabels()] == ["≤ −1", "0", "≥ 1"]


def test_figures_use_no_pyplot():
    code = "import sys, unet_edu.figures.panels; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_curve_with_fewer_values_ends_earlier():
    axes = curves({"whole": [3, 2, 1], "stopped": [3, 2], "not begun": []}, "step", "loss", x=[10, 20, 30]).axes[0]
    assert [list(line.get_xdata()) for line in axes.lines] == [[10, 20, 30], [10, 20], []]


def test_classes_are_painted_in_colours_on_which_dark_numbers_can_be_read():
    colours = painted(np.arange(len(CLASSES))[None])
    assert colours.shape == (1, len(CLASSES), 3) and len(np.unique(colours[0], axis=0)) == len(CLASSES)

    def luminance(rgb):  # as WCAG 2 defines it
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        return linear @ [0.2126, 0.7152, 0.0722]

    contrast = (luminance(colours[0]) + 0.05) / (luminance(np.array(to_rgb(INK))) + 0.05)
    assert (contrast >= 4.5).all()


@pytest.mark.parametrize("labels", [[[0.5]], [[-1]], [[len(CLASSES)]]])
def test_there_is_no_colour_for_what_is_no_class(labels):
    with pytest.raises(ValueError, match=f"labels: expected whole numbers from 0 to {len(CLASSES) - 1}"):
        painted(labels)
