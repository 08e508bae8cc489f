"""The masks beside the photographs: what the docstrings say of them is so."""

import numpy as np
import pytest
import skimage.data
from scipy import ndimage

from unet_edu.data import photo
from unet_edu.data.masks import MASKED, UNKNOWN, photo_and_mask


@pytest.mark.parametrize("name", MASKED)
def test_a_mask_says_for_each_pixel_yes_no_or_unknown(name):
    image, mask = photo_and_mask(name)
    assert image.shape == mask.shape and image.dtype == np.float64 and mask.dtype == np.uint8
    assert 0 <= image.min() < 0.1 and 0.6 < image.max() <= 1
    assert set(np.unique(mask).tolist()) == ({0, 1, UNKNOWN} if name == "motorcycle" else {0, 1})


@pytest.mark.parametrize("name", ["coins", "cell"])
def test_the_photographs_are_those_of_the_course(name):
    np.testing.assert_array_equal(photo_and_mask(name)[0], photo(name))


@pytest.mark.parametrize(("name", "number", "least", "most"), [("coins", 24, 1000, 3200), ("cell", 1, 12000, 13000)])
def test_there_are_as_many_pieces_as_things(name, number, least, most):
    _, mask = photo_and_mask(name)
    labels, pieces = ndimage.label(mask)
    sizes = np.bincount(labels.ravel())[1:]
    assert pieces == number and least <= sizes.min() and sizes.max() <= most
    assert ndimage.binary_fill_holes(mask).sum() == mask.sum()


def test_the_motorcycle_is_near_and_above_the_floor():
    _, _, disparity = skimage.data.stereo_motorcycle()
    _, mask = photo_and_mask("motorcycle")
    np.testing.assert_array_equal(mask == UNKNOWN, ~np.isfinite(disparity))
    assert f"{np.mean(mask == UNKNOWN):.0%}".replace("%", " %") in MASKED["motorcycle"]
    between = np.isfinite(disparity) & (disparity > 27) & (disparity < 39)
    assert np.mean((mask == 1)[between]) < 0.02  # in this gap lies the floor, and hardly anything of what stands on it
    assert not (mask[456:] == 1).any()  # below the tyres there is only the floor
    labels, _ = ndimage.label(mask == 1)
    assert np.bincount(labels.ravel())[1:].max() > 0.98 * np.sum(mask == 1)  # one thing and crumbs


def test_everyone_gets_arrays_of_their_own():
    for array in photo_and_mask("coins"):
        array[:] = 0
    image, mask = photo_and_mask("coins")
    assert image.any() and mask.any()


def test_an_unknown_name_is_named():
    with pytest.raises(ValueError, match="name: expected one of coins, cell, motorcycle, got 'camera'"):
        photo_and_mask("camera")
