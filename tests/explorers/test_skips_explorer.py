"""The skip explorer: the masks and scores are those of the networks that it names."""

import re
import sys
from itertools import product

import numpy as np
import pytest

from tests.explorers.boards import pictures, shown
from tests.explorers.browser import chromium
from unet_edu import explore
from unet_edu.data.cells import LOOKS
from unet_edu.data.networks import NETWORKS, held_out, predicted, pretrained, scores, take_away
from unet_edu.explore import digest
from unet_edu.figures.segmentation import agreement, kinds
from unet_edu.instances import connected, seg
from unet_edu.losses import separated
from unet_edu.metrics import confusion_matrix, iou

module = sys.modules["unet_edu.explore.skips"]  # the package's own name `skips` is the function
IMAGES, TITLES, State = module.IMAGES, module.TITLES, module.State


@pytest.mark.parametrize(("name", "look"), list(product(NETWORKS, LOOKS)))
def test_masks_are_those_of_the_networks(name, look):
    images = [image for image, _ in held_out(look)[look][:IMAGES]]
    np.testing.assert_array_equal(module.masks(look, name), predicted(pretrained(name), images))


def expected_scores(mask, instances):
    return seg(connected(mask), instances), float(iou(confusion_matrix(mask, separated(instances), 2))[1])


def test_the_controls_go_through_all_values():
    explorer = explore.skips()
    seen = set()
    for look, image in product(LOOKS, range(IMAGES)):
        explorer.controls["look"].value, explorer.controls["image"].value = look, image
        assert explorer.state == State(look, image)
        (view,) = shown(explorer)
        _, instances = held_out(look)[look][image]
        for name, skip in NETWORKS.items():
            found = expected_scores(module.masks(look, name)[image], instances)
            # In the words and for a screen reader.
            assert view.count("SEG {:.3f}, IoU {:.3f}".format(*found)) >= 2
            assert f"<b>{TITLES[skip]}</b>" in view
        assert "nan" not in re.sub(r"base64,[^\"]+", "", view)
        seen.add(view)
    assert len(seen) == len(LOOKS) * IMAGES


@pytest.mark.parametrize("look", LOOKS)
def test_means_are_those_of_all_pictures(look):
    (view,) = shown(explore.skips(look))
    truths = [instances for _, instances in held_out(look)[look][:IMAGES]]
    for name, skip in NETWORKS.items():
        pairs = zip(module.masks(look, name), truths, strict=True)
        means = np.mean([expected_scores(*pair) for pair in pairs], axis=0)
        assert "{} {:.3f} and {:.3f}".format(TITLES[skip], *means) in view
    assert "trained once" in view


def test_what_lesson_06_says_of_damage():
    """Both copies away: far worse than the network that never had them."""
    hurt, never = pretrained("cells"), pretrained("cells_none")
    take_away(hurt, (0, 1))
    for look, examples in held_out().items():
        found = [scores(model, {look: examples})[look] for model in (hurt, never)]
        assert all(found[0][score] < found[1][score] - 0.1 for score in ("seg", "iou"))


def test_the_masks_that_travel_are_the_truth():
    (view,) = shown(explore.skips("phase", 1))
    image, instances = held_out("phase")["phase"][1]
    drawn_image, *drawn = (picture / 255 for picture in pictures(view))
    assert len(drawn) == len(NETWORKS)
    np.testing.assert_allclose(drawn_image, image, atol=1 / 255)
    for one, name in zip(drawn, NETWORKS, strict=True):
        expected = agreement(image, module.masks("phase", name)[1], separated(instances))
        assert np.abs(one - expected).max() < 1 / 255 + 1e-6  # bytes cut off less than one level


@pytest.mark.parametrize("look", LOOKS)
def test_the_still_picture_tells_the_same(look):
    still = module.picture(State(look, 2))
    _, instances = held_out(look)[look][2]
    mask = module.masks(look, "cells_none")[2]
    assert "no copies SEG {:.3f}, IoU {:.3f}".format(*expected_scores(mask, instances)) in still.alt
    assert digest(kinds(mask, separated(instances))) in still.digest
    still.figure.draw_without_rendering()  # lays it out
    assert sum(len(axes.images) for axes in still.figure.axes) == 1 + len(NETWORKS)
    sizes = {tuple(axes.bbox.size.round(3)) for axes in still.figure.axes if axes.images}
    assert len(sizes) == 1, "all masks are equally large, so that they can be compared"


@pytest.mark.needs("chromium")
def test_a_browser_draws_all_masks_equally_large():
    (view,) = shown(explore.skips())
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1000, "height": 800})
        page.set_content(view)
        images = page.locator("img").all()
        assert len(images) == 1 + len(NETWORKS)
        sides = [image.evaluate("image => image.complete && image.naturalWidth") for image in images]
        assert sides == [sides[0], *[3 * sides[0]] * len(NETWORKS)], "overlays are drawn three times as large"
        assert {image.bounding_box()["width"] for image in images} == {224}
