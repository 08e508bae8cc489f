"""Lesson 05's own picture: a way down, a way up, and what crosses between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from unet_edu.figures.palette import INK, ROLES
from unet_edu.figures.panels import FONT, WIDTH, arrow, canvas, rectangle, write

__all__ = ["Design", "crossings"]

BOX = (1.4, 0.4)  # inches
LOWEST = 2.2  # the width of the lowest box, so that both arrows reach it upright
STEP = 0.95  # from one level down to the next
INDENT = 0.2  # how far each level moves to the middle


@dataclass(frozen=True)
class Design:
    """How a network goes down and up again.

    Parameters
    ----------
    title : str
    down, up : str
        What makes the feature maps smaller, and what makes them larger.
    across : sequence of str
        What crosses at each level but the lowest, from the top.
    is_light : bool
        Whether little crosses: drawn as a thin dashed arrow, not as a thick one.
    """

    title: str
    down: str
    up: str
    across: Sequence[str]
    is_light: bool


def crossings(levels: Sequence[str], *designs: Design) -> Figure:
    """Draw networks side by side, each as a U.

    Parameters
    ----------
    levels : sequence of str
        What is written into the boxes of each level, from the top; the lowest has one box, all others two.
    *designs : Design
        Each with one crossing for each level but the lowest.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        When a design has too few or too many crossings.
    """
    for design in designs:
        if len(design.across) != len(levels) - 1:
            raise ValueError(
                f"across: expected {len(levels) - 1} texts, one a level but the lowest, got {len(design.across)}"
            )
    width, height = WIDTH / max(2, len(designs)), STEP * len(levels) + 0.3
    figure, axes = canvas(width * len(designs), height)
    for number, design in enumerate(designs):
        _draw(axes, levels, design, number * width, width)
    return figure


def _draw(axes: Axes, levels: Sequence[str], design: Design, left: float, width: float) -> None:
    lowest = len(levels) - 1
    tops = [0.7 + STEP * level for level in range(len(levels))]
    starts = [left + 0.2 + INDENT * level for level in range(lowest)] + [left + (width - LOWEST) / 2]
    widths = [BOX[0]] * lowest + [LOWEST]
    write(axes, left + width / 2, 0.2, design.title, 11, fontweight="bold")
    for level, text in enumerate(levels):
        _box(axes, starts[level], tops[level], widths[level], text, "input")
        if level == lowest:
            break
        end = 2 * left + width - BOX[0] - starts[level]  # mirrored
        _box(axes, end, tops[level], widths[level], text, "output")
        middle, bottom = tops[level] + BOX[1] / 2, tops[level] + BOX[1]
        style: dict[str, Any] = {"linewidth": 1.2, "linestyle": "--"} if design.is_light else {"linewidth": 4.0}
        arrow(axes, (starts[level] + BOX[0], middle), (end, middle), ROLES["skip"].line, **style)
        centre = left + width / 2
        axes.text(centre, middle - 0.1, design.across[level], ha="center", va="bottom", fontsize=8.5, **FONT)
        # from the middle of a box to where the next one begins, so that the arrow stands upright
        x = max(starts[level] + BOX[0] / 2, starts[level + 1] + 0.2)
        mirrored = 2 * left + width - x
        arrow(axes, (x, bottom), (x, tops[level + 1]), INK, linewidth=1.2)
        arrow(axes, (mirrored, tops[level + 1]), (mirrored, bottom), INK, linewidth=1.2)
        if level == 0:
            y = (bottom + tops[1]) / 2
            axes.text(x + 0.1, y, design.down, ha="left", va="center", fontsize=8.5, **FONT)
            axes.text(mirrored - 0.1, y, design.up, ha="right", va="center", fontsize=8.5, **FONT)


def _box(axes: Axes, x: float, y: float, width: float, text: str, role: str) -> None:
    colour = ROLES[role]
    rectangle(axes, (x, y), width, BOX[1], colour.fill, colour.line, 1.2)
    write(axes, x + width / 2, y + BOX[1] / 2, text, 9)
