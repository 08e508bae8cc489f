"""The photographs are there, without a download, and are what the docstring says."""

import numpy as np
import pytest

from unet_edu.data import PHOTOS, photo
from unet_edu.explore.convolution import MOST_COLUMNS, MOST_ROWS, SIDE


@pytest.mark.parametrize("name", PHOTOS)
def test_a_photograph_is_a_plane_from_black_to_white(name):
    image = photo(name)
    assert image.ndim == 2 and image.dtype == np.float64
    assert 0 <= image.min() < 0.1 and 0.6 < image.max() <= 1


def test_everyone_gets_an_array_of_their_own():
    photo("coins")[:] = 0
    assert photo("coins").max() > 0.5


def test_an_unknown_name_is_named():
    with pytest.raises(ValueError, match="name: expected one of camera, coins, cell, astronaut, got 'moon'"):
        photo("moon")


def test_the_explorers_sliders_reach_to_the_end_of_the_largest():
    sizes = np.array([photo(name).shape for name in PHOTOS])
    assert (MOST_ROWS + SIDE, MOST_COLUMNS + SIDE) == tuple(sizes.max(axis=0))
