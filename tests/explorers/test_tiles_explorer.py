"""The overlap-tile explorer without a browser: what it shows is true, for every step and either padding; then once in a
browser."""

import itertools
import re

import numpy as np
import pytest
import torch

from tests.explorers.boards import pictures
from tests.explorers.boards import shown as views
from tests.explorers.browser import chromium
from unet_edu import explore
from unet_edu.explore.tiles import (
    AFTER,
    BEFORE,
    SHAPE,
    STEPS,
    TILE,
    State,
    answer,
    compared,
    difference,
    image,
    network,
    painted,
    picture,
    placed,
    whole,
)
from unet_edu.figures.palette import PAPER
from unet_edu.figures.tiles import KEPT, squares
from unet_edu.tiling import predict, tiling

PADDINGS = ("valid", "same")
STATES = list(itertools.product(STEPS, PADDINGS))
ROUNDING = 1e-5  # float32, and sums in another order; another phase differs by more than 0.1


@pytest.mark.parametrize(("step", "padding"), STATES)
def test_every_tile_is_what_the_network_says_of_its_square(step, padding):
    """Cut out with numpy.pad, one tile at a time."""
    rows, columns = placed(step, padding)
    model, found, wide = network(padding), answer(step, padding), np.pad(image(), 100, mode="reflect")
    first = rows.margin - rows.border
    for place in ((0, 0), (len(rows.starts) - 1, len(columns.starts) - 1), (1, 0)):
        (top, left, height, width), kept = squares(rows, columns, place, SHAPE)
        assert (height, width) == (TILE, TILE)
        square = torch.from_numpy(wide[100 + top : 100 + top + height, 100 + left : 100 + left + width])
        with torch.inference_mode():
            expected = model(square[None, None]).softmax(dim=1)[0, 1].numpy()[first:, first:][: kept[2], : kept[3]]
        assert expected.shape == kept[2:]
        np.testing.assert_allclose(found[kept[0] :, kept[1] :][: kept[2], : kept[3]], expected, atol=ROUNDING)


@pytest.mark.parametrize("padding", PADDINGS)
def test_the_whole_is_predicted_at_once(padding):
    model = network(padding)
    rows, columns = tiling(model, SHAPE, TILE * 4 if padding == "same" else TILE * 4 + 4)
    assert len(rows.starts) == len(columns.starts) == 1
    np.testing.assert_allclose(whole(padding), predict(model, image(), precision="float32")[1], atol=ROUNDING)
    np.testing.assert_array_equal(
        network("valid").state_dict()["head.weight"], network("same").state_dict()["head.weight"]
    )


@pytest.mark.parametrize(("step", "padding"), STATES)
def test_seams_are_where_the_rules_say(step, padding):
    rows, _ = placed(step, padding)
    found, is_on_phase = compared(step, padding), step % 4 == 0
    assert (found.largest == 0) == (is_on_phase and (padding == "valid" or rows.margin >= 24))
    assert is_on_phase or found.largest > 0.2
    assert (found.gap > 0) == (padding == "valid" and step > TILE - 40)
    assert np.isnan(answer(step, padding)).mean() == pytest.approx(found.gap)
    assert found.changed <= np.mean(difference(step, padding) > 0)


def test_all_squares_lie_in_the_picture():
    """With the mirrored surroundings that it shows; and each pixel's tile is the one that keeps it, unless it lies in a
    gap."""
    for step, padding in STATES:
        rows, columns = placed(step, padding)
        for tile in itertools.product(range(len(rows.starts)), range(len(columns.starts))):
            (top, left, height, width), kept = squares(rows, columns, tile, SHAPE)
            assert min(top, left) >= -BEFORE and top + height <= SHAPE[0] + AFTER and left + width <= SHAPE[1] + AFTER
            assert kept[0] // step == tile[0] and (kept[1] + kept[3] - 1) // step == tile[1]
            assert top < kept[0] + 1 and kept[0] + kept[2] <= top + height


def shown(explorer):
    return dict(zip(("place", "difference", "words"), views(explorer), strict=True))


def test_the_controls_go_through_all_values():
    explorer = explore.tiles()
    seen = set()
    for _, padding in explorer.controls["padding"].options:
        explorer.controls["padding"].value = padding
        for step in STEPS:
            explorer.controls["step"].value = step
            assert explorer.state.step == step and explorer.state.padding == padding
            views = shown(explorer)
            assert "nan" not in views["words"]
            seen.add(views["words"])
    assert len(seen) == len(STATES)
    places = set()
    for row, column in itertools.product(range(0, SHAPE[0], 19), range(0, SHAPE[1], 17)):
        explorer.controls["row"].value, explorer.controls["column"].value = row, column
        assert (explorer.state.row, explorer.state.column) == (row, column)
        places.add(shown(explorer)["place"])
    assert len(places) == 6 * 8


def test_pointing_chooses_the_tile():
    explorer = explore.tiles(step=24)
    pointed = explorer.views[0].widget

    def point(row, column):  # as the browser does it
        pointed.set_state({"pixel": [row, column], "asked": pointed.answered + 1})

    point(BEFORE + 50, BEFORE + 70)  # counted in the picture, which begins with mirrored pixels
    assert (explorer.state.row, explorer.state.column) == (50, 70)
    assert (explorer.controls["row"].value, explorer.controls["column"].value) == (50, 70)
    for number, column in enumerate((5, 6, 6), start=2):  # outside: the nearest pixel, of which there is no new picture
        point(0, BEFORE + SHAPE[1] + column)
        assert (explorer.state.row, explorer.state.column) == (0, SHAPE[1] - 1)
        assert pointed.answered == number


@pytest.mark.parametrize(("step", "padding"), [(28, "valid"), (30, "valid"), (22, "same"), (60, "same")])
def test_words_say_what_was_measured(step, padding):
    views = shown(explore.tiles(40, 50, step=step, padding=padding))
    found, (rows, columns) = compared(step, padding), placed(step, padding)
    words = views["words"]
    assert ("on the phase" in words) == (step % 4 == 0) and f"{step} = {step // 4} · 4" in words
    assert f"<b>{found.largest:.3f}</b>" in words and f"<b>{found.changed:.2%}</b>" in words
    assert f"{len(rows.starts) * len(columns.starts)} tiles" in words
    assert (f"{found.gap:.1%} of the image gets no answer" in words) == (found.gap > 0)
    assert ("up to rounding" in words) == (found.largest == 0 and not found.gap)
    assert ("seen zeros" in words) == (padding == "same" and rows.margin < 24)
    (top, left, height, width), kept = squares(rows, columns, (40 // step, 50 // step), SHAPE)
    assert f"reads rows {top} to {top + height - 1} and columns {left} to {left + width - 1}" in views["place"]
    y, x, y_end, x_end = (edge - 0.5 for edge in (*kept[:2], kept[0] + kept[2], kept[1] + kept[3]))
    path = f"M{x:g} {y:g}L{x_end:.4g} {y:g}L{x_end:.4g} {y_end:g}L{x:g} {y_end:g}L{x:g} {y:g}"
    assert f'<path d="{path}" fill="none" stroke="{KEPT}"' in views["place"]


def test_differences_are_painted_where_they_are():
    for step, padding in ((30, "valid"), (60, "same"), (28, "valid")):
        pixels, apart = painted(step, padding), difference(step, padding)
        assert pixels.shape == (*SHAPE, 3) and 0 <= pixels.min() and pixels.max() <= 1
        is_grey = np.ptp(pixels, axis=-1) < 0.02
        assert is_grey[(apart == 0) | np.isnan(apart)].all() and not is_grey[np.nan_to_num(apart) > 0.05].any()


def test_pictures_have_words_and_marks_beside_colours():
    views = shown(explore.tiles())
    for name in ("place", "difference"):
        assert re.search(r'<img alt="[^"]{40,}"', views[name]) and re.search(r'aria-label="[^"]{20,}"', views[name])
    assert 'stroke-dasharray="4 2"' in views["place"] and "dashed" in views["place"]
    assert "read by the network" in views["place"] and f'stroke="{PAPER}"' in views["place"]
    drawn = pictures(views["difference"])[0]
    np.testing.assert_allclose(drawn / 255, painted(28, "valid"), atol=1 / 255)


@pytest.mark.parametrize("state", [State(28, "valid", 40, 50), State(30, "valid", 0, 119), State(60, "same", 95, 0)])
def test_the_still_picture_tells_the_same(state):
    still, found = picture(state), compared(state.step, state.padding)
    assert f"largest difference {found.largest:.3f}, other class {found.changed:.2%}" in still.digest
    assert "reads rows" in still.alt and len(still.alt) > 100
    left, right, numbers, key = still.figure.axes
    assert f"largest difference {found.largest:.3f}" in [text.get_text() for text in numbers.texts]
    assert any("read by the network: 68" in text.get_text() for text in key.get_legend().get_texts())
    assert left.images[0].get_array().shape == (SHAPE[0] + BEFORE + AFTER, SHAPE[1] + BEFORE + AFTER)
    np.testing.assert_array_equal(right.images[0].get_array(), painted(state.step, state.padding))


@pytest.mark.needs("chromium")
def test_a_browser_lays_the_lines_on_the_image():
    views = shown(explore.tiles())
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 900, "height": 900})
        page.set_content(f"<section style='width: 400px'>{views['place']}</section>")
        picture_box, drawing = page.locator("img").bounding_box(), page.locator("svg").bounding_box()
        assert picture_box["width"] > 300
        for side, length in picture_box.items():
            assert drawing[side] == pytest.approx(length, abs=1)
        scale = picture_box["width"] / (SHAPE[1] + BEFORE + AFTER)
        read = page.locator("svg path[stroke-dasharray='4 2']").bounding_box()
        assert read["width"] == pytest.approx(TILE * scale, abs=4)  # a stroke is as wide as 2 pixels of the image
        assert read["x"] - picture_box["x"] == pytest.approx((BEFORE + 28 - 20) * scale, abs=4)
