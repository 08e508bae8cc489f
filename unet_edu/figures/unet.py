"""The pictures of lesson 06: the U as blocks, masks beside their truth, feature maps, bars of memory.

The U is laid out once, as plain data: `lay_out` says where each block, arrow and crop is, in pixels. Two painters draw
it: `draw` here, for pictures that stand still, and `explore/sizes.py`, where one can click.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from unet_edu.figures.palette import INK, PAPER, ROLES
from unet_edu.figures.panels import DPI, FONT, WIDTH, arrow, rectangle

__all__ = ["Arrow", "Block", "Crop", "Drawing", "Map", "bars", "block_names", "draw", "lay_out"]

PAGE = 860.0  # pixels: the width of a notebook's column
LETTER = 12.0  # pixels: the height of the numbers
HEIGHT = 398.0  # pixels: the foot of the lowest block, whatever the depth, so that nothing jumps when it changes
LEAST = 9.0  # pixels: the height of the block of an image of one pixel
ROOM = 2 * LETTER + 22  # between two levels: a side, an arrow, a number of channels
MOST_PITCH = 62.0  # from one block to the next; a shallow network does not need the whole page
SQUARE = 34.0  # pixels: a copy, drawn with its crop


ARROWS = {
    "convolution": ("neutral", 1.0),
    "pool": ("input", 1.8),
    "up": ("output", 1.8),
    "copy": ("skip", 1.8),
    "head": ("kernel", 1.8),
}
"""Colour and thickness of each kind of arrow."""

LEGEND = {
    "convolution": "3×3 convolution, ReLU",
    "pool": "2×2 max pooling",
    "up": "2×2 transposed convolution",
    "copy": "copy and crop",
    "head": "1×1 convolution",
}


class Map(NamedTuple):
    """What a layer gives out: so many channels, so many pixels a side (None where the image never arrives)."""

    channels: int
    side: int | None


@dataclass(frozen=True)
class Block:
    """One feature map of the U, named as in `unet_edu.sizes.layer_table`."""

    name: str
    x: float
    y: float
    width: float
    height: float
    role: str
    is_reached: bool
    above: str = ""
    below: str = ""


@dataclass(frozen=True)
class Arrow:
    """A step from one block to another. `is_failure` marks the pooling that meets an odd side."""

    start: tuple[float, float]
    end: tuple[float, float]
    kind: str  # "convolution", "pool", "up", "copy" or "head"
    is_reached: bool
    is_failure: bool = False


@dataclass(frozen=True)
class Crop:
    """A copy seen from the front, and the part of it that is kept."""

    x: float
    y: float
    side: float
    kept: float
    label: str


@dataclass(frozen=True)
class Drawing:
    width: float
    height: float
    blocks: tuple[Block, ...]
    arrows: tuple[Arrow, ...]
    crops: tuple[Crop, ...]
    texts: tuple[tuple[float, float, str], ...]  # the middle and the foot of words
    legend: tuple[tuple[Arrow, str], ...]
    failure: tuple[float, float, str] | None  # the right end of what stands where the image gets no further

    def block(self, name: str) -> Block:
        return next(block for block in self.blocks if block.name == name)


def block_names(depth: int, *, copies: bool = True) -> list[str]:
    """The blocks of a U in the order of the computation, with the names that `layer_table` gives them.

    Parameters
    ----------
    depth : int
        How often the network pools.
    copies : bool
        Whether something comes across.

    Examples
    --------
    >>> block_names(1)[:4]
    ['input', 'contracting.0.0', 'contracting.0.2', 'pool.0']
    """
    names = ["input"]
    for level in range(depth):
        names += [f"contracting.{level}.0", f"contracting.{level}.2", f"pool.{level}"]
    names += [f"contracting.{depth}.0", f"contracting.{depth}.2"]
    for step in range(depth):
        names += [f"up.{step}", *([f"join.{step}"] if copies else []), f"expanding.{step}.0", f"expanding.{step}.2"]
    return [*names, "head"]


def lay_out(depth: int, maps: Mapping[str, Map], *, copies: bool = True, failing: str | None = None) -> Drawing:
    """Where everything of a U is.

    Parameters
    ----------
    depth : int
        How often the network pools.
    maps : mapping from block name to Map
        One for each of `block_names`.
    copies : bool
        Whether something comes across.
    failing : str, optional
        The block that cannot be made: its size is not legal.

    Returns
    -------
    Drawing
    """
    columns = 4 * depth + 4
    pitch = min(MOST_PITCH, PAGE / columns)
    left = (PAGE - pitch * columns) / 2
    largest = max(map.side or 0 for map in maps.values()) or 1
    levels, share = _levels(depth), _share(depth)
    blocks = {}
    for name in block_names(depth, copies=copies):
        level, column = _place(name, depth)
        middle = left + pitch * (column + 0.5)
        blocks[name] = _block(name, maps[name], middle, levels[level], share / largest**0.5, pitch, copies)
    arrows, crops = list[Arrow](), list[Crop]()
    order = [name for name in block_names(depth, copies=copies) if not name.startswith("join")]
    for before, after in pairwise(order):
        arrows.append(_arrow(blocks[before], blocks[after], after, is_failure=after == failing))
    for step in range(depth if copies else 0):
        source, copy = blocks[f"contracting.{depth - 1 - step}.2"], blocks[f"join.{step}"]
        y = source.y + source.height / 2
        start, end = (source.x + source.width + 2, y), (copy.x - 2, y)
        arrows.append(Arrow(start, end, "copy", copy.is_reached))
        whole, kept = maps[f"contracting.{depth - 1 - step}.2"].side, maps[f"up.{step}"].side
        if whole and kept:
            margin = (whole - kept) // 2
            label = f"−{margin} a side" if margin else "whole"
            middle = (start[0] + end[0]) / 2
            crops.append(Crop(middle - SQUARE / 2, y - SQUARE / 2, SQUARE, SQUARE * kept / whole, label))
    middle = left + pitch * (2 * depth + 1.5)  # of the bottom, and so of the U
    words = [
        (middle, top + height / 2 - SQUARE / 2 - 4, f"level {level}") for level, (top, height) in enumerate(levels)
    ]
    words[-1] = (middle + 1.4 * pitch + 72, levels[-1][0] + levels[-1][1] / 2 + 4, f"level {depth}, the bottom")
    key = [kind for kind in ARROWS if copies or kind != "copy"]
    legend = [_legend_line(kind, HEIGHT + 6 - 17 * line) for line, kind in enumerate(key[::-1])]
    return Drawing(
        PAGE,
        HEIGHT + LETTER + 18,
        tuple(blocks.values()),
        tuple(arrows),
        tuple(crops),
        tuple(words),
        tuple(legend),
        _failure(blocks, failing),
    )


def _legend_line(kind: str, y: float) -> tuple[Arrow, str]:
    return Arrow((PAGE - 235, y), (PAGE - 205, y), kind, is_reached=True), LEGEND[kind]


def _levels(depth: int) -> list[tuple[float, float]]:
    """Where each level begins, and how high it is: the same for all images, so that nothing jumps when sizes change."""
    levels, y, share = list[tuple[float, float]](), LETTER + 8, _share(depth)
    for level in range(depth + 1):
        levels.append((y, LEAST + share * 0.5 ** (level / 2)))
        y += levels[-1][1] + ROOM
    return levels


def _share(depth: int) -> float:
    """What the largest image has more than the smallest. A block is the higher the larger its image, by the root, so
    that the small ones can still be seen."""
    free = HEIGHT - LETTER - 8 - depth * ROOM - (depth + 1) * LEAST
    return free / sum(0.5 ** (level / 2) for level in range(depth + 1))


def _place(name: str, depth: int) -> tuple[int, int]:
    """Level and column of a block."""
    part, *numbers = name.split(".")
    if part == "input":
        return 0, 0
    if part == "head":
        return 0, 4 * depth + 3
    number = int(numbers[0])
    if part == "contracting":
        return number, 2 * number + (1 if numbers[1] == "0" else 2)
    if part == "pool":
        return number + 1, 2 * (number + 1)
    level = depth - 1 - number
    first = 4 * depth - 2 * level
    return level, first + (0 if part in ("up", "join") else 1 if numbers[1] == "0" else 2)


def _block(
    name: str, map: Map, middle: float, top: tuple[float, float], per_root: float, pitch: float, copies: bool
) -> Block:
    part = name.split(".")[0]
    # 1 to 1024 channels; the root of the root, for the same reason
    width = min(0.66 * pitch, 5 + 3.4 * map.channels**0.28)
    height = 0.8 * top[1] if map.side is None else LEAST + per_root * map.side**0.5
    y = top[0] + (top[1] - height) / 2
    role = {"input": "neutral", "contracting": "input", "pool": "input", "join": "skip"}.get(part, "output")
    x, above, below = middle - width / 2, f"{map.channels}", "" if map.side is None else f"{map.side}"
    if copies and part in ("up", "join"):  # the two halves of what the next convolution reads
        width = max(9.0, width / 2)
        x = middle - width if part == "join" else middle
        above = above if part == "join" else ""
        below = below if part == "join" else ""
    return Block(name, x, y, width, height, role, map.side is not None, above, below)


def _arrow(before: Block, after: Block, name: str, *, is_failure: bool) -> Arrow:
    part = name.split(".")[0]
    kind = {"pool": "pool", "up": "up", "head": "head"}.get(part, "convolution")
    x = after.x + after.width / 2
    if kind == "pool":
        start, end = (x, before.y + before.height + LETTER + 3), (x, after.y - LETTER - 3)
    elif kind == "up":
        x = before.x + before.width / 2
        start, end = (x, before.y - LETTER - 3), (x, after.y + after.height + LETTER + 3)
    else:
        y = before.y + before.height / 2
        start, end = (before.x + before.width + 2, y), (after.x - 2, y)
    return Arrow(start, end, kind, before.is_reached and after.is_reached, is_failure)


def _failure(blocks: Mapping[str, Block], failing: str | None) -> tuple[float, float, str] | None:
    """What stands where the image gets no further."""
    if failing is None:
        return None
    block = blocks[failing]
    if failing.startswith("pool"):
        odd = blocks[f"contracting.{failing.split('.')[1]}.2"].below
        return block.x + block.width / 2 - 6, block.y - ROOM / 2, f"{odd} is odd ✗"
    return block.x + block.width / 2, block.y + block.height + 14, "nothing is left ✗"


def draw(drawing: Drawing, selected: str | None = None, captions: Sequence[str] = ()) -> Figure:
    """Paint a U.

    Parameters
    ----------
    drawing : Drawing
    selected : str, optional
        The block to outline.
    captions : sequence of str
        Lines below.

    Returns
    -------
    matplotlib.figure.Figure
    """
    height = drawing.height + 18 * len(captions) + 4
    figure = Figure(figsize=(WIDTH, WIDTH * height / drawing.width), dpi=DPI, facecolor=PAPER)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, drawing.width), ylim=(height, 0))
    axes.set_axis_off()
    for step in drawing.arrows:
        _draw_arrow(axes, step)
    for crop in drawing.crops:
        _draw_crop(axes, crop)
    for block in drawing.blocks:
        _draw_block(axes, block, is_selected=block.name == selected)
    grey = {"fontsize": 9, "family": FONT["family"], "color": ROLES["neutral"].line}
    for x, y, words in drawing.texts:
        axes.text(x, y, words, ha="center", **grey)
    for step, words in drawing.legend:
        _draw_arrow(axes, step)
        axes.text(step.end[0] + 8, step.end[1], words, va="center", **grey)
    if drawing.failure:
        x, y, sign = drawing.failure
        colour = ROLES["error"].line
        axes.text(
            x,
            y,
            sign,
            fontsize=10,
            ha="left" if x < 7 * len(sign) else "right",
            va="center",
            color=colour,
            fontweight="bold",
            zorder=4,
        )
    for line, words in enumerate(captions):
        axes.text(8, drawing.height + 18 * line + 8, words, fontsize=9.5, va="center", **FONT)
    return figure


def _draw_block(axes: Axes, block: Block, is_selected: bool) -> None:
    colour = ROLES[block.role]
    line, dashes = 3.0 if is_selected else 1.2, "-" if block.is_reached else ":"
    edge = INK if is_selected else colour.line if block.is_reached else ROLES["neutral"].line
    face = colour.fill if block.is_reached else PAPER
    place = (block.x, block.y)
    rectangle(axes, place, block.width, block.height, face, edge, line, linestyle=dashes, zorder=3)
    middle = block.x + block.width if block.role == "skip" else block.x + block.width / 2
    words = {"ha": "center", "fontsize": 8.5, **FONT}
    axes.text(middle, block.y - 3, block.above, va="bottom", **words)
    axes.text(middle, block.y + block.height + 3, block.below, va="top", **words)


def _draw_arrow(axes: Axes, step: Arrow) -> None:
    role, width = ARROWS[step.kind]
    colour = ROLES["error" if step.is_failure else role if step.is_reached else "neutral"].line
    style: dict[str, Any] = {"linewidth": width, "linestyle": "-" if step.is_reached else ":", "mutation_scale": 8}
    arrow(axes, step.start, step.end, colour, zorder=1, **style)


def _draw_crop(axes: Axes, crop: Crop) -> None:
    colour = ROLES["skip"]
    inset = (crop.side - crop.kept) / 2
    rectangle(axes, (crop.x, crop.y), crop.side, crop.side, PAPER, colour.line, zorder=2)
    kept = (crop.x + inset, crop.y + inset)
    rectangle(axes, kept, crop.kept, crop.kept, colour.fill, colour.line, linestyle="--", zorder=2)
    axes.text(crop.x + crop.side / 2, crop.y + crop.side + 3, crop.label, ha="center", va="top", fontsize=8, **FONT)


def bars(groups: Mapping[str, Mapping[str, float]], unit: str, title: str = "") -> Figure:
    """Draw bars that are stacked, one a row, each part with its own hatch and colour, and the row's sum behind it.

    Parameters
    ----------
    groups : mapping from row to mapping from part to number
        The rows have the same parts.
    unit : str
        Stands behind each sum.
    title : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    parts = list(next(iter(groups.values())))
    styles = [("input", ""), ("output", "//"), ("skip", ".."), ("kernel", "\\\\"), ("neutral", "")]
    height = 0.75 + 0.36 * len(groups) + 0.3 * bool(title)
    figure = Figure(figsize=(8.6, height), dpi=DPI, facecolor=PAPER)
    axes = figure.add_axes((0.2, 0.1, 0.66, 1 - (0.5 + 0.3 * bool(title)) / height - 0.1))
    starts = np.zeros(len(groups))
    for part, (role, hatch) in zip(parts, styles, strict=False):
        values = np.array([row[part] for row in groups.values()])
        axes.barh(
            list(groups), values, left=starts, label=part, hatch=hatch,
            facecolor=ROLES[role].fill, edgecolor=ROLES[role].line, linewidth=1,
        )  # fmt: skip
        starts += values
    for row, total in enumerate(starts):
        axes.text(total, row, f" {total:,.0f} {unit}", va="center", fontsize=9, **FONT)
    axes.invert_yaxis()
    axes.set_xlim(0, starts.max() * 1.02)
    axes.set_xticks([])
    axes.tick_params(axis="y", length=0, labelsize=9.5, labelcolor=INK)
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    figure.legend(
        loc="upper center",
        ncols=len(parts),
        fontsize=9,
        frameon=False,
        bbox_to_anchor=(0.5, 1 - 0.3 * bool(title) / height),
    )
    if title:
        figure.text(0.5, 1 - 0.12 / height, title, ha="center", va="top", fontsize=10, **FONT)
    return figure
