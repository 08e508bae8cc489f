"""One colour a role, through the whole course.

The hues are Okabe and Ito's (2008), which people with any of the common colour blindnesses can tell apart, made dark enough to be
read as text on white (a contrast of 4.5 : 1). `line` is for outlines, curves and labels, `fill` for the ground of a cell under dark
text. A role never shows by its colour alone: a label, an outline or a hatch stands with it.
"""

from __future__ import annotations

from typing import NamedTuple


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

# The classes of a label map, by their number; 0 is the background. Okabe and Ito's hues again, made light enough for dark numbers on
# them. They differ in lightness too, and a legend with names stands beside them.
CLASSES = ("#E6E6E6", "#E69F00", "#CC79A7", "#2FB88E", "#A9D8F5", "#F0E442", "#5B9BD5", "#D9703A")
