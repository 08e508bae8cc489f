"""The colours of a class map: as many as it takes, and told apart also by readers who lack a kind of cone."""

import numpy as np
import pytest

from unet_edu.figures.palette import _as_seen, class_colours


def nearest(colours: np.ndarray) -> float:
    """The distance in CIELAB of the two that look most alike, to whoever sees them most alike."""
    seen = _as_seen(colours.astype(float))
    distances = np.linalg.norm(seen[:, :, None] - seen[:, None], axis=-1)
    return distances[:, ~np.eye(len(colours), dtype=bool)].min()


def test_the_first_colours_are_always_the_same():
    assert ["#" + bytes(colour).hex() for colour in class_colours(9)] == [
        *("#000000", "#e69f00", "#56b4e9", "#9500ff", "#ffffd4", "#802a00", "#2a4095", "#959580", "#6a4055"),
    ]
    for number in (1, 2, 3, 12, 100, 255):
        np.testing.assert_array_equal(class_colours(number), class_colours(256)[:number])


# 2.3 is what an eye just sees when two patches lie side by side
@pytest.mark.parametrize(("number", "least"), [(4, 40), (8, 30), (12, 20), (32, 10), (64, 6), (256, 2.3)])
def test_colours_are_told_apart(number, least):
    assert nearest(class_colours(number)) > least


def test_what_others_see():
    """Greys look the same to all. Red and green are alike without cones for green, and apart without those for blue."""
    greys, others = np.array([[0.0] * 3, [128] * 3, [255] * 3]), np.array([[160.0, 80, 0], [80, 120, 0]])
    np.testing.assert_allclose(_as_seen(greys) - _as_seen(greys)[0], 0, atol=0.5)
    apart = np.linalg.norm(np.diff(_as_seen(others), axis=1), axis=-1)[:, 0]
    assert apart[2] < apart[0] / 3 and apart[3] > apart[0] / 2


def test_nobody_writes_into_the_colours():
    with pytest.raises(ValueError):
        class_colours(3)[0] = 1
    for number in (0, 257):
        with pytest.raises(ValueError, match="expected 1 to 256 classes"):
            class_colours(number)
