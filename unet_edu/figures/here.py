"""You are here: the small U at the head of each lesson, with the part lit that the lesson is about."""

from __future__ import annotations

import textwrap
from typing import Any, Literal, NamedTuple

from matplotlib.axes import Axes
from matplotlib.patches import Circle

from unet_edu.figures.palette import INK, PAPER, ROLES
from unet_edu.figures.panels import FONT, arrow, canvas, rectangle, write
from unet_edu.figures.shown import Shown

__all__ = ["LESSONS", "PARTS", "Here", "you_are_here"]

PARTS = {
    "image": "neutral",
    "convolutions": "neutral",
    "down": "input",
    "up": "output",
    "copies": "skip",
    "head": "kernel",
    "label map": "output",
    "score": "kernel",
    "training": "error",
    "tiles": "kernel",
}
"""What the small U is drawn of, each with its colour."""

NETWORK = ("image", "convolutions", "down", "up", "copies", "head", "label map")


class Here(NamedTuple):
    """Where a lesson stands: the parts that are lit, what is written beside them, and what a reader can do after it."""

    parts: tuple[str, ...]
    name: str
    sentence: str


LESSONS = {
    "00": Here(
        NETWORK, "a U-Net",
        "After this lesson you can use a U-Net that is ready. From lesson 01 on you build it.",
    ),
    "01": Here(
        ("image", "label map", "score"), "a class for every pixel",
        "After this lesson you can build both ends: the label map that comes out for an image, and the score that "
        "says how good it is.",
    ),
    "02": Here(
        ("convolutions",), "3×3 convolution",
        "After this lesson you can build the 3×3 convolution: every small arrow from block to block.",
    ),
    "03": Here(
        ("up",), "interpolation",
        "After this lesson you can build a way up by a fixed rule: interpolation, which has nothing to learn.",
    ),
    "04": Here(
        ("up",), "transposed convolution",
        "After this lesson you can build the U-Net's own way up: transposed convolution, which learns.",
    ),
    "05": Here(
        ("down",), "2×2 max pooling",
        "After this lesson you can build the way down: 2×2 max pooling.",
    ),
    "06": Here(
        ("convolutions", "down", "up", "copies", "head"), "the whole U",
        "After this lesson you can build the whole U-Net: down, up, and the copies across.",
    ),
    "07": Here(
        ("training",), "training",
        "After this lesson you can build the training: from a few labelled images to a network that has learned.",
    ),
    "08": Here(
        ("tiles",), "tile by tile",
        "After this lesson you can build what runs the network on an image of any size, tile by tile.",
    ),
    "09": Here(
        ("score",), "how good?",
        "After this lesson you can build a fair comparison: how good the network is, and what each part is worth.",
    ),
    "10": Here(
        tuple(PARTS), "your own images",
        "After this lesson you can build the whole way, from a folder of your own pictures to cells that are counted "
        "and measured.",
    ),
}  # fmt: skip
"""The lessons, in their order."""

State = Literal["today", "done", "later"]
TOPS, HEIGHTS = (0.3, 1.2, 1.88), (0.66, 0.46, 0.3)  # inches: the blocks of each level
STEP, BLOCK = 0.32, 0.12  # from block to block, and how wide one is
FIRST = 1.06  # where the first block's middle is
ICON = 0.62  # the side of the image, and of the label map
TEXT = 5.35  # where the words begin


def you_are_here(lesson: str) -> Shown:
    """The small U, with the part lit that a lesson is about, and what its reader can build after it.

    What earlier lessons have built is drawn in thin lines, what is still to come is dotted.

    Parameters
    ----------
    lesson : str
        Its number, "00" to "10".

    Returns
    -------
    Shown

    Raises
    ------
    ValueError
        When there is no such lesson.

    Examples
    --------
    >>> LESSONS["05"].parts
    ('down',)
    """
    if lesson not in LESSONS:
        raise ValueError(f"lesson: expected one of {', '.join(LESSONS)}, got {lesson!r}")
    here, states = LESSONS[lesson], states_of(lesson)
    figure, axes = canvas(9.3, 2.5)
    _draw_network(axes, states)
    _draw_ends(axes, states)
    left: dict[str, Any] = {"ha": "left", "va": "top", **FONT}
    axes.text(TEXT, 0.3, f"You are here: lesson {lesson}", fontsize=12, fontweight="bold", **left)
    lines = textwrap.fill(here.sentence, 42)
    axes.text(TEXT, 0.66, lines, fontsize=11, linespacing=1.4, **left)
    axes.text(TEXT, 2.1, "thick: this lesson · thin: done · dotted: to come", fontsize=9, **left)
    lit = ", ".join(part for part in PARTS if states[part] == "today")
    words = f"A small drawing of the U-Net. Lit in lesson {lesson}: {lit}. {here.sentence}"
    _name(axes, here)
    return Shown(figure, words, lit=[states[part] == "today" for part in PARTS])


def states_of(lesson: str) -> dict[str, State]:
    """For each part whether it is today's, was built before, or is still to come."""
    numbers = list(LESSONS)
    before = {part for number in numbers[1 : max(1, numbers.index(lesson))] for part in LESSONS[number].parts}
    today = LESSONS[lesson].parts
    return {part: "today" if part in today else "done" if part in before else "later" for part in PARTS}


def _style(states: dict[str, State], part: str) -> dict[str, Any]:
    state = states[part]
    colour = ROLES["neutral" if state == "later" else PARTS[part]].line
    colour = INK if state == "today" and PARTS[part] == "neutral" else colour
    return {
        "color": colour,
        "linewidth": {"today": 3.2, "done": 1.3, "later": 1.1}[state],
        "linestyle": (0, (1, 1.6)) if state == "later" else "-",
    }


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], style: dict[str, Any]) -> None:
    """A line with its head on top, so that dots do not eat the head."""
    size = 13 if style["linewidth"] > 2 else 8
    axes.plot([start[0], end[0]], [start[1], end[1]], solid_capstyle="butt", zorder=2, **style)
    beyond = (end[0] + 0.02 * _sign(end[0] - start[0]), end[1] + 0.02 * _sign(end[1] - start[1]))
    near = (end[0] - 0.03 * _sign(end[0] - start[0]), end[1] - 0.03 * _sign(end[1] - start[1]))
    arrow(axes, near, beyond, style["color"], zorder=3, linewidth=1, mutation_scale=size)


def _sign(number: float) -> int:
    return (number > 1e-9) - (number < -1e-9)


def _column(number: int) -> float:
    """The middle of the blocks of one column; there are ten."""
    return FIRST + number * STEP


def _middle(level: int) -> float:
    return TOPS[level] + HEIGHTS[level] / 2


COLUMNS = ((0, 1), (1, 2, 3), (3, 4, 5), (5, 6, 7), (7, 8, 9))  # of the blocks: two levels down, the bottom, two up
LEVELS = (0, 1, 2, 1, 0)


def _draw_network(axes: Axes, states: dict[str, State]) -> None:
    is_built = states["copies"] != "later"
    for level, columns in zip(LEVELS, COLUMNS, strict=True):
        for k, column in enumerate(columns):
            role = "input" if column < 5 and not (level == 1 and column == 5) else "output"
            fill, line = (ROLES[role].fill, ROLES[role].line) if is_built else (PAPER, ROLES["neutral"].line)
            place = (_column(column) - BLOCK / 2, TOPS[level])
            rectangle(axes, place, BLOCK, HEIGHTS[level], fill, line, 1.1, zorder=4)
            if k:
                y, start, end = _middle(level), _column(columns[k - 1]) + 0.07, _column(column) - 0.09
                _arrow(axes, (start, y), (end, y), _style(states, "convolutions"))
    for before, after, column in ((0, 1, 1), (1, 2, 3)):
        x = _column(column)
        _arrow(axes, (x, TOPS[before] + HEIGHTS[before] + 0.03), (x, TOPS[after] - 0.05), _style(states, "down"))
    for before, after, column in ((2, 1, 5), (1, 0, 7)):
        x = _column(column)
        _arrow(axes, (x, TOPS[before] - 0.03), (x, TOPS[after] + HEIGHTS[after] + 0.05), _style(states, "up"))
    for level, start, end in ((0, 1, 7), (1, 3, 5)):
        y = _middle(level)
        _arrow(axes, (_column(start) + 0.08, y), (_column(end) - 0.1, y), _style(states, "copies"))


def _draw_ends(axes: Axes, states: dict[str, State]) -> None:
    y, left, right = _middle(0), FIRST - 0.22 - ICON, _column(9) + 0.46
    _arrow(axes, (left + ICON + 0.02, y), (FIRST - 0.09, y), _style(states, "convolutions"))
    _arrow(axes, (_column(9) + 0.08, y), (right - 0.04, y), _style(states, "head"))
    for x, part, grounds in (
        (left, "image", ("#6E6E6E", "#D8D8D8")),
        (right, "label map", (PAPER, ROLES["output"].fill)),
    ):
        style, top = _style(states, part), y - ICON / 2
        edge, line, dots = style["color"], style["linewidth"], style["linestyle"]
        is_there = states[part] != "later"
        rectangle(axes, (x, top), ICON, ICON, grounds[0] if is_there else PAPER, edge, line, linestyle=dots, zorder=4)
        for dx, dy, radius in ((0.18, 0.2, 0.11), (0.44, 0.17, 0.08), (0.36, 0.44, 0.12)):
            ground = grounds[1] if is_there else PAPER
            axes.add_patch(
                Circle((x + dx, top + dy), radius, facecolor=ground, edgecolor=edge, linewidth=0.8, zorder=5)
            )
        if states["tiles"] != "later":
            style = _style(states, "tiles") | {"linestyle": "--"}
            style["linewidth"] *= 0.6
            for third in (1, 2):
                aside = third * ICON / 3
                axes.plot([x + aside] * 2, [top, top + ICON], zorder=6, **style)
                axes.plot([x, x + ICON], [top + aside] * 2, zorder=6, **style)
    style, below = _style(states, "score"), y + ICON / 2 + 0.1
    rectangle(
        axes, (right + 0.06, below), ICON - 0.12, 0.26, PAPER, style["color"], style["linewidth"],
        linestyle=style["linestyle"], zorder=4,
    )  # fmt: skip
    write(axes, right + ICON / 2, below + 0.13, "IoU", 9, style["color"], zorder=5, va="center_baseline")
    style, x, foot = _style(states, "training"), right + ICON / 2, 2.34
    axes.plot([x, x, _column(4)], [below + 0.32, foot, foot], zorder=2, **style)
    _arrow(axes, (_column(4), foot), (_column(4), TOPS[2] + HEIGHTS[2] + 0.05), style)


def _name(axes: Axes, here: Here) -> None:
    """What the lit part is called, beside it or above all."""
    parts = set(here.parts)
    x, y, side = _column(4), 0.12, "center"
    if parts == {"down"}:
        x, y, side = _column(3) - 0.14, TOPS[2] - 0.12, "right"
    elif parts == {"up"}:
        x, y, side = _column(5) + 0.14, TOPS[2] - 0.12, "left"
    elif parts == {"training"}:
        x, y, side = _column(5) + 0.1, 2.22, "left"
    how: dict[str, Any] = {"ha": side, "fontweight": "bold"}
    write(axes, x, y, here.name, 9.5, INK, **how)
