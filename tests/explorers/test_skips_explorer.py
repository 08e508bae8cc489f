"""The skip explorer: damage and retraining are measured as it says, for every value of every control; then once in a
browser."""

import re
import sys
from itertools import product

import numpy as np
import pytest
import torch

from tests.explorers.boards import pictures
from tests.explorers.boards import shown as views
from tests.explorers.browser import chromium
from unet_edu import explore
from unet_edu.data.cells import LOOKS
from unet_edu.data.networks import NETWORKS, held_out, predicted, pretrained
from unet_edu.explore import digest
from unet_edu.figures.segmentation import agreement, kinds
from unet_edu.instances import connected, seg
from unet_edu.losses import separated
from unet_edu.metrics import confusion_matrix, iou
from unet_edu.unet import UNet, center_crop

module = sys.modules["unet_edu.explore.skips"]  # the package's own name `skips` is the function
CHANGES, IMAGES, State = module.CHANGES, module.IMAGES, module.State
STATES = list(product(CHANGES, CHANGES, LOOKS))


def by_hand(model, image, changes):
    """The network's steps one by one, with the copies changed on the way."""
    x, copies = torch.from_numpy(image)[None, None], []
    with torch.inference_mode():
        for convolve, pool in zip(model.contracting, model.pool, strict=False):
            x = convolve(x)
            copies.append(x)
            x = pool(x)
        x = model.contracting[-1](x)
        for step, (up, convolve) in enumerate(zip(model.up, model.expanding, strict=True)):
            copy = copies.pop()
            change = changes[len(model.up) - 1 - step]  # given from the top level down
            if change == "zeroed":
                copy = copy * 0
            if change == "shuffled":
                places = np.random.default_rng(module.SHUFFLE_SEED).permutation(copy.shape[-1] * copy.shape[-2])
                flat = copy.numpy().reshape(copy.shape[1], -1)[:, places]
                copy = torch.from_numpy(flat.reshape(copy.shape))
            x = convolve(torch.cat([center_crop(copy, x.shape[-1] * 2), up(x, copy)], dim=1))
        return model.head(x).argmax(dim=1)[0].numpy()


@pytest.mark.parametrize(("level0", "level1", "look"), STATES)
def test_damage_is_what_it_says(level0, level1, look):
    model = pretrained("cells")
    masks = module.damaged_masks(look, (level0, level1))
    assert masks.shape == (IMAGES, 128, 128)
    for (image, _), mask in zip(held_out(look)[look], masks, strict=False):
        # sums in another order: a pixel may flip whose two scores are equal but for rounding
        assert np.mean(by_hand(model, image, (level0, level1)) != mask) < 1e-3


def test_damage_can_be_taken_back():
    model = pretrained("cells").eval()
    images = [image for image, _ in held_out("phase")["phase"][:1]]
    before = predicted(model, images)
    handles = module.damaged(model, ("zeroed", "shuffled"))
    assert np.mean(predicted(model, images) != before) > 0.01
    for handle in handles:
        handle.remove()
    np.testing.assert_array_equal(predicted(model, images), before)


def test_shuffling_keeps_the_numbers_of_each_channel_and_moves_pixels_whole():
    copy = torch.arange(2 * 3 * 4 * 4).reshape(2, 3, 4, 4).float()
    shuffled, untouched = module._shuffled(None, (copy, "x"))
    assert untouched == "x" and not torch.equal(shuffled, copy)
    np.testing.assert_array_equal(np.sort(shuffled.flatten(2)), np.sort(copy.flatten(2)))
    np.testing.assert_array_equal(shuffled[:, 1] - shuffled[:, 0], torch.full((2, 4, 4), 16.0))


def test_a_level_too_few_is_an_error():
    with pytest.raises(ValueError, match="zip"):
        module.damaged(UNet(widths=(2, 4, 8)), ("on",))


@pytest.mark.parametrize(("name", "look"), list(product(NETWORKS, LOOKS)))
def test_retrained_masks_are_those_of_the_other_networks(name, look):
    images = [image for image, _ in held_out(look)[look][:IMAGES]]
    np.testing.assert_array_equal(module.retrained_masks(look, name), predicted(pretrained(name), images))


def expected_scores(mask, instances):
    return seg(connected(mask), instances), float(iou(confusion_matrix(mask, separated(instances), 2))[1])


def cells(html):
    """The rows of all tables, cell by cell."""
    return [re.findall("<t[hd][^>]*>(.*?)</t[hd]>", row) for row in re.findall("<tr>(.*?)</tr>", html)]


def shown(explorer):
    return dict(zip(("damage", "retrained"), views(explorer), strict=True))


def test_the_controls_go_through_all_values():
    explorer = explore.skips()
    seen = set()
    for n, (level0, level1, look) in enumerate(STATES):
        # So that each picture meets each value of each other control.
        image = (n + n // 2) % IMAGES
        for name, value in (("level0", level0), ("level1", level1), ("look", look), ("image", image)):
            explorer.controls[name].value = value
        assert explorer.state == State(level0, level1, look, image)
        views = shown(explorer)
        _, instances = held_out(look)[look][image]
        found = expected_scores(module.damaged_masks(look, (level0, level1))[image], instances)
        # In the words and for a screen reader.
        assert views["damage"].count("SEG {:.3f}, IoU {:.3f}".format(*found)) >= 2
        for name in NETWORKS:
            found = expected_scores(module.retrained_masks(look, name)[image], instances)
            assert "SEG {:.3f}, IoU {:.3f}".format(*found) in views["retrained"]
        words = re.sub(r"base64,[^\"]+", "", views["damage"] + views["retrained"])
        assert "nan" not in words
        seen.add(views["damage"])
    assert len(seen) == len(STATES)


@pytest.mark.parametrize(("level0", "level1", "look"), STATES)
def test_means_and_their_change_are_those_of_all_pictures(level0, level1, look):
    views = shown(explore.skips(level0, level1, look=look))
    truths = [instances for _, instances in held_out(look)[look][:IMAGES]]
    rows = []
    for changes in (("on", "on"), (level0, level1)):
        masks = module.damaged_masks(look, changes)
        rows.append(np.mean([expected_scores(*pair) for pair in zip(masks, truths, strict=True)], axis=0))
    for name, row in zip(("as it was trained", "damaged"), rows, strict=True):
        assert [name, *(f"{number:.3f}" for number in row)] in cells(views["damage"])
    change = [f"{number:+.3f}".replace("-", "−") for number in rows[1] - rows[0]]
    assert ["change", *change] in cells(views["damage"])
    for name, skip in NETWORKS.items():
        masks = module.retrained_masks(look, name)
        means = np.mean([expected_scores(*pair) for pair in zip(masks, truths, strict=True)], axis=0)
        assert "{} {:.3f} and {:.3f}".format(skip, *means) in views["retrained"]


def test_the_two_questions_are_kept_apart():
    views = shown(explore.skips("zeroed", "zeroed"))
    assert "Question 1: damage" in views["damage"] and "Question 2" not in views["damage"]
    assert "Question 2: retrained" in views["retrained"] and "damage" not in views["retrained"]
    edges = [re.search(r"border-left: 5px solid (#\w+)", view)[1] for view in views.values()]
    assert edges[0] != edges[1]
    assert "It does not say that one cannot do without" in views["damage"]
    assert "trained once" in views["retrained"]


def test_what_lesson_06_says_of_damage():
    """Both copies away: far worse than the network that never had them."""
    for look in LOOKS:
        hurt, never = module._damaged_mean(look, ("zeroed", "zeroed")), module._retrained_mean(look, "cells_none")
        assert hurt.seg < never.seg - 0.1 and hurt.iou < never.iou - 0.1


def test_the_masks_that_travel_are_the_truth():
    views = shown(explore.skips("zeroed", "shuffled", image=1))
    image, instances = held_out("phase")["phase"][1]
    drawn_image, *masks = (picture / 255 for picture in pictures(views["damage"]))
    assert len(masks) == 2
    np.testing.assert_allclose(drawn_image, image, atol=1 / 255)
    for drawn, changes in zip(masks, (("on", "on"), ("zeroed", "shuffled")), strict=True):
        expected = agreement(image, module.damaged_masks("phase", changes)[1], separated(instances))
        assert np.abs(drawn - expected).max() < 1 / 255 + 1e-6  # bytes cut off less than one level


@pytest.mark.parametrize("look", LOOKS)
def test_the_still_picture_tells_the_same(look):
    state = State("zeroed", "on", look, 2)
    still = module.picture(state)
    _, instances = held_out(look)[look][2]
    mask = module.damaged_masks(look, ("zeroed", "on"))[2]
    assert "SEG {:.3f}, IoU {:.3f}".format(*expected_scores(mask, instances)) in still.alt
    assert "damaged (level 0: zeros instead; level 1: on)" in still.alt
    assert digest(kinds(mask, separated(instances))) in still.digest
    texts = [text.get_text() for axes in still.figure.axes for text in axes.texts]
    assert [text[:10] for text in texts if "Question" in text] == ["Question 1", "Question 2"]
    assert "mean of 4 pictures" in texts, "and the table"
    still.figure.draw_without_rendering()  # lays it out
    assert sum(len(axes.images) for axes in still.figure.axes) == 3 + len(NETWORKS)
    sizes = {tuple(axes.bbox.size.round(3)) for axes in still.figure.axes if axes.images}
    assert len(sizes) == 1, "all masks are equally large, so that they can be compared"


@pytest.mark.needs("chromium")
def test_a_browser_draws_both_questions():
    views = shown(explore.skips("zeroed", "shuffled"))
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1000, "height": 800})
        page.set_content("".join(views.values()))
        images = page.locator("img").all()
        assert len(images) == 3 + len(NETWORKS)
        for image in images:
            assert image.evaluate("image => image.complete && image.naturalWidth") == 128
        assert {image.bounding_box()["width"] for image in images} == {192}
        above, below = (page.get_by_text(f"Question {n}").bounding_box()["y"] for n in (1, 2))
        assert max(image.bounding_box()["y"] for image in images[:3]) < below and above < below
