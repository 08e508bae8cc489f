"""One colour a role, through the whole course.

The hues are Okabe and Ito's (2008), which people with any of the common colour blindnesses can tell apart, made dark
enough to be read as text on white (a contrast of 4.5 : 1). `line` is for outlines, curves and labels, `fill` for the
ground of a cell under dark text. A role never shows by its colour alone: a label, an outline or a hatch stands with it.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Colour(NamedTuple):
    line: str
    fill: str


ROLES = {
    "input": Colour("#0072B2", "#D6EAF8"),
    "kernel": Colour("#8A5F00", "#FDEBC8"),
    "output": Colour("#007A5A", "#CFEFE3"),
    "skip": Colour("#A8568A", "#F5DFEC"),
    "error": Colour("#B84E00", "#FBDCC8"),
    "neutral": Colour("#5F5F5F", "#EDEDED"),
}

INK = "#1A1A1A"  # numbers and letters on a white or filled ground
PAPER = "#FFFFFF"  # the ground of every picture, so that it stays legible in a dark theme

# The classes of a label map, by their number; 0 is the background. Okabe and Ito's hues again, made light enough for
# dark numbers on them. They differ in lightness too, and a legend with names stands beside them.
CLASSES = ("#E6E6E6", "#E69F00", "#CC79A7", "#2FB88E", "#A9D8F5", "#F0E442", "#5B9BD5", "#D9703A")

# How red, green and blue light is seen by people who lack one kind of cone; Machado and others (2009), table 1.
VISIONS = (
    ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
)
GRID = 13  # shades of red, of green and of blue to choose from
FIRST = ((0, 0, 0), (230, 159, 0), (86, 180, 233))  # black, and Okabe and Ito's orange and sky blue


@functools.cache
def class_colours(number: int) -> NDArray[np.uint8]:
    """The colours of a class map: black for class 0, orange, sky blue, and then as many more as it takes.

    Each further colour is the one farthest from all before it, for the reader to whom the nearest of these looks most
    alike: with all three kinds of cones, or without one of them. So the first dozen are easy to tell apart; of 256 some
    look alike to everybody. They are farther apart than `CLASSES`, which carry dark numbers. A class has the same
    colour however many there are.

    Parameters
    ----------
    number : int
        From 1 to 256.

    Returns
    -------
    (number, 3) array of uint8
        Red, green and blue. It is not to be written to.

    Examples
    --------
    >>> class_colours(3)
    array([[  0,   0,   0],
           [230, 159,   0],
           [ 86, 180, 233]], dtype=uint8)
    """
    if not 1 <= number <= 256:
        raise ValueError(f"number: expected 1 to 256 classes, got {number}")
    shades = np.linspace(0, 255, GRID).round()
    known = np.concatenate([FIRST, np.stack(np.meshgrid(shades, shades, shades), axis=-1).reshape(-1, 3)])
    seen, chosen = _as_seen(known), list(range(len(FIRST)))
    # with 9 decimals, so that it is the same colour on machines that round differently
    distance = np.min([_distance(seen, one) for one in chosen], axis=0).round(9)
    while len(chosen) < number:
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, _distance(seen, chosen[-1]).round(9))
    colours = known[chosen[:number]].astype(np.uint8)
    colours.flags.writeable = False
    return colours


def _as_seen(colours: NDArray[np.float64]) -> NDArray[np.float64]:
    """Colours in CIELAB, where distances are about what eyes see, for each of the `VISIONS`: (visions, colours, 3)."""
    from skimage.color import rgb2lab  # slow to import, and most figures do without

    light = (colours / 255) ** 2.2
    seen = np.clip([light @ np.transpose(vision) for vision in VISIONS], 0, 1)
    return rgb2lab(seen ** (1 / 2.2))


def _distance(seen: NDArray[np.float64], one: int) -> NDArray[np.float64]:
    """From one colour to all, for whom it looks smallest."""
    return np.linalg.norm(seen - seen[:, [one]], axis=2).min(axis=0)
