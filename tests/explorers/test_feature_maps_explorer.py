"""The feature map explorer: it shows what the network computes, for every value of every control; then once in a
browser."""

import re
import sys
from itertools import product

import numpy as np
import pytest
import torch
from torch import nn

from tests.explorers.boards import pictures
from tests.explorers.boards import shown as views
from tests.explorers.browser import chromium
from unet_edu import explore
from unet_edu.data.cells import LOOKS
from unet_edu.data.networks import held_out, pretrained
from unet_edu.explore import digest
from unet_edu.figures.scene import number

module = sys.modules["unet_edu.explore.feature_maps"]  # the package's own name `feature_maps` is the function
IMAGES, STAGES, State, maps, painted = module.IMAGES, module.STAGES, module.State, module.maps, module.painted
CHANNELS = {"contracting.0": 16, "contracting.1": 32, "contracting.2": 64, "expanding.0": 32, "expanding.1": 16}
SIDES = {"contracting.0": 128, "contracting.1": 64, "contracting.2": 32, "expanding.0": 64, "expanding.1": 128}


@pytest.mark.parametrize(("look", "image"), list(product(LOOKS, range(IMAGES))))
def test_maps_are_those_of_the_network(look, image):
    model = pretrained("cells")
    for module_ in model.modules():
        if isinstance(module_, nn.ReLU):
            module_.inplace = False  # so that what goes in is still there afterwards
    seen = {}
    for name in STAGES:
        model.get_submodule(name)[-1].register_forward_hook(
            lambda relu, inputs, output, name=name: seen.update({name: (inputs[0][0], output[0])})
        )
    with torch.inference_mode():
        model(torch.from_numpy(held_out(look)[look][image][0])[None, None])
    found = maps(look, image)
    assert list(found) == list(STAGES)
    for name, (before, after) in seen.items():
        assert found[name].before.shape == (CHANNELS[name], SIDES[name], SIDES[name])
        # the same sums, once in place: equal but for rounding
        np.testing.assert_allclose(found[name].before, before.numpy(), atol=1e-4)
        np.testing.assert_allclose(found[name].after, after.numpy(), atol=1e-4)
        assert found[name].before.min() < 0 <= found[name].after.min()


def shown(explorer):
    return dict(zip(("levels", "sheet"), views(explorer), strict=True))


def test_the_controls_go_through_all_values():
    explorer = explore.feature_maps()
    seen = set()
    for look, before, enlarged in product(LOOKS, (False, True), (False, True)):
        for name, value in (("look", look), ("before", before), ("enlarged", enlarged)):
            explorer.controls[name].value = value
        for channel, stage, image in (
            (0, "contracting.0", 0),
            (15, "contracting.1", 1),
            (16, "expanding.0", 2),
            (63, "contracting.2", 3),
        ):
            for name, value in (("channel", channel), ("stage", stage), ("image", image)):
                explorer.controls[name].value = value
            assert explorer.state == State(channel, stage, before, enlarged, look, image)
            views = shown(explorer)
            assert views["levels"].count("channels only") == sum(channel >= count for count in CHANNELS.values())
            assert f"All {CHANNELS[stage]} channels, {STAGES[stage]}" in views["sheet"]
            assert ("orange below zero" in views["levels"]) == before
            widths = {int(width) for width in re.findall(r"width: (\d+)px", views["levels"])}
            assert (
                widths == {module.FULL}
                if enlarged
                else widths == {module.FULL * side // 128 for side in SIDES.values()}
            )
            seen.add(views["levels"] + views["sheet"])
    assert len(seen) == 32


@pytest.mark.parametrize("before", [False, True])
def test_each_level_shows_its_own_map(before):
    levels = shown(explore.feature_maps(7, before=before, image=1))
    photo, *drawn = (picture / 255 for picture in pictures(levels["levels"]))
    np.testing.assert_allclose(photo, held_out("phase")["phase"][1][0], atol=1 / 255)
    for picture, (name, found) in zip(drawn, maps("phase", 1).items(), strict=True):
        plane = (found.before if before else found.after)[7]
        assert picture.shape[:2] == (SIDES[name],) * 2, "its true size"
        assert np.abs(picture - painted(plane, before)).max() < 1 / 255 + 1e-6  # bytes cut off less than one level
        assert f"{number(plane.min())} … {number(plane.max())}" in levels["levels"]


def test_painting_is_grey_from_zero_or_two_colours_about_zero():
    plane = np.array([[0.0, 1.0], [2.0, 4.0]], np.float32)
    np.testing.assert_array_equal(painted(plane, before=False), plane / 4)
    assert painted(np.zeros((2, 2), np.float32), before=False).max() == 0
    colours = painted(np.array([[-2.0, 0.0, 2.0]], np.float32), before=True)
    low, middle, high = colours[0]
    assert low[0] > low[2] and high[2] > high[1], "orange, and purple"
    assert middle.min() > 0.9, "zero is nearly white"


@pytest.mark.parametrize("stage", STAGES)
def test_the_sheet_has_all_channels_and_frames_the_chosen_one(stage):
    last = CHANNELS[stage] - 1
    sheet, other = (module.sheet(explore.feature_maps(channel, stage).state) for channel in (last, 0))
    tile = module.TILE + 4
    assert sheet.shape == (-(-CHANNELS[stage] // module.ACROSS) * tile, module.ACROSS * tile, 3)
    framed = (sheet != other).any(axis=2)
    rows, columns = np.nonzero(framed)
    assert {(row // tile) * module.ACROSS + column // tile for row, column in zip(rows, columns, strict=True)} == {
        0,
        last,
    }
    for channel in (0, last):
        row, column = divmod(channel, module.ACROSS)
        drawn = sheet[row * tile + 2 : (row + 1) * tile - 2, column * tile + 2 : (column + 1) * tile - 2, 0]
        plane = painted(maps("phase", 0)[stage].after[channel], before=False)
        if SIDES[stage] > module.TILE:  # the mean of four pixels
            plane = (plane[::2, ::2] + plane[::2, 1::2] + plane[1::2, ::2] + plane[1::2, 1::2]) / 4
        places = np.arange(module.TILE) * len(plane) // module.TILE
        np.testing.assert_allclose(drawn, plane[np.ix_(places, places)], atol=1e-12)


def test_silent_channels_are_counted():
    for stage in STAGES:
        silent = sum(not plane.any() for plane in maps("fluorescence", 2)[stage].after)
        sheet = shown(explore.feature_maps(stage=stage, look="fluorescence", image=2))["sheet"]
        assert f"after the ReLU): {silent}." in sheet


def test_the_still_picture_tells_the_same():
    still = module.picture(explore.feature_maps(20, "contracting.2", before=True).state)
    assert {"down, level 0\nno channel 20", "bottom, level 2\n32 × 32"} <= set(widths_of(still))
    assert "channel 20 of a trained U-Net before the ReLU" in still.alt
    for stage in ("contracting.1", "contracting.2", "expanding.0"):
        assert digest(maps("phase", 0)[stage].before[20]) in still.digest
    widths = widths_of(still)
    photo = widths["the picture\n128 × 128"]
    assert widths["bottom, level 2\n32 × 32"] == pytest.approx(photo / 4, rel=0.01), "at its own size"
    enlarged = widths_of(module.picture(explore.feature_maps(20, enlarged=True).state))
    assert enlarged["bottom, level 2\n32 × 32"] == pytest.approx(photo, rel=0.01)


def widths_of(still):
    """How wide each image is drawn, by its title."""
    still.figure.draw_without_rendering()
    return {
        axes.get_title(loc="left") or axes.get_title(): axes.images[0].get_window_extent().width
        for axes in still.figure.axes
    }


@pytest.mark.needs("chromium")
def test_a_browser_draws_each_map_at_its_size():
    views = shown(explore.feature_maps(3))
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1000, "height": 700})
        page.set_content("".join(views.values()))
        widths = [image.bounding_box()["width"] for image in page.locator("figure img").all()][:-1]
        assert widths == [module.FULL] + [module.FULL * side // 128 for side in SIDES.values()]
        tops = {
            round(figure.bounding_box()["y"] + figure.bounding_box()["height"])
            for figure in page.locator("figure").all()[:-1]
        }
        assert len(tops) == 1, "they stand side by side, on one line"
        sheet = page.locator("img").last
        assert sheet.evaluate("image => image.complete && image.naturalWidth") == module.ACROSS * (module.TILE + 4)
