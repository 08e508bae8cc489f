"""What lesson 10's pictures show, and what they do with pictures of somebody else: large ones, many, long names."""

import numpy as np
import pytest

from unet_edu.figures import own

IMAGE, CELLS = np.linspace(0, 1, 48).reshape(6, 8), np.zeros((6, 8), int)
CELLS[1:4, 1:4] = 1


def drawn(shown):
    return [axes.images[0].get_array() for axes in shown.figure.axes if axes.images]


def test_an_outline_lies_inside_its_cell():
    picture = drawn(own.outlined(("one", IMAGE, CELLS), words="one"))[0]
    coloured = np.ptp(picture, axis=-1) > 0
    assert coloured[3, 3] and coloured[11, 11] and not coloured[7, 7]
    assert not coloured[np.repeat(np.repeat(CELLS, 3, 0), 3, 1) == 0].any()


@pytest.mark.parametrize("side", [512, 2048])
def test_a_large_picture_is_drawn_smaller(side):
    image, cells = np.zeros((side, side)), np.zeros((side, side), int)
    cells[: side // 2] = 1
    pictures = [
        *drawn(own.outlined(("large", image, cells), words="large")),
        *drawn(own.judged(("large", image, cells, cells), words="large")),
    ]
    assert {picture.shape for picture in pictures} == {(1536, 1536, 3)}


def test_of_many_pictures_six_are_drawn_and_long_names_are_cut():
    shown = own.outlined(*((f"{n} {'x' * 64}", IMAGE, None) for n in range(9)), words="many")
    titles = [axes.get_title() for axes in shown.figure.axes]
    assert len(titles) == 6 and {len(title) for title in titles} == {own.LETTERS} and titles[5].endswith("x…")


def test_of_many_overlays_six_are_drawn(tmp_path):
    from skimage.io import imsave

    for n in range(8):
        imsave(tmp_path / f"{n}_overlay.png", np.zeros((6, 8, 3), np.uint8), check_contrast=False)
    shown = own.overlays(sorted(tmp_path.iterdir()), "many")
    assert [axes.get_title() for axes in shown.figure.axes] == [*"012345"]


def test_sizes_of_no_cell_are_an_empty_picture():
    shown = own.sizes({"found": [], "marked": [3.0, 4.0]}, "µm", "two")
    (axes,) = shown.figure.axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["found: 0 cells", "marked: 2 cells"]
