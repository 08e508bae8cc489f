"""The pictures of lesson 08: what is read and what is kept of an image, and how tiles cut it into windows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import ArrayLike, NDArray

from unet_edu.figures.palette import CLASSES, INK, PAPER, ROLES
from unet_edu.figures.panels import DPI, FONT, WIDTH, rectangle, write

if TYPE_CHECKING:
    from unet_edu.tiling import Tiling

__all__ = ["KEPT", "READ", "overlap_tile", "squares", "wide", "windows"]

READ = ROLES["input"].line  # the paper's blue: what the network reads
KEPT = CLASSES[5]  # the paper's yellow: what is kept of its answer
PALE = 0.55  # how much white lies over the mirrored part

Box = tuple[int, int, int, int]  # top, left, rows, columns


def wide(image: ArrayLike, before: int, after: int) -> NDArray[np.float64]:
    """An image with its mirrored surroundings, which are paler than itself.

    Parameters
    ----------
    image : (H, W) array from 0 to 1
    before, after : int
        Pixels at the top and the left, and at the bottom and the right.

    Returns
    -------
    (H + before + after, W + before + after) array
    """
    from unet_edu.tiling import mirrored  # loads torch

    image = np.asarray(image, np.float64)
    places = [np.arange(-before, length + after) for length in image.shape]
    shown = image[np.ix_(*(mirrored(axis, length) for axis, length in zip(places, image.shape, strict=True)))]
    inside = [(axis >= 0) & (axis < length) for axis, length in zip(places, image.shape, strict=True)]
    return np.where(np.logical_and.outer(*inside), shown, PALE + (1 - PALE) * shown)


def squares(rows: Tiling, columns: Tiling, tile: tuple[int, int], size: tuple[int, int]) -> tuple[Box, Box]:
    """What is read for a tile and what is kept of its answer, as (top, left, rows, columns) in pixels of the image.

    Parameters
    ----------
    rows, columns : Tiling
    tile : (int, int)
        Its number among the rows and among the columns.
    size : (H, W)
    """
    starts = [axis.starts[number] for axis, number in zip((rows, columns), tile, strict=True)]
    read = (starts[0] - rows.margin, starts[1] - columns.margin, rows.side, columns.side)
    kept = [
        # the last keeps what is left; and a step may be wider than the answer
        min(length - start if start == axis.starts[-1] else axis.step, axis.side - axis.margin - axis.border)
        for axis, length, start in zip((rows, columns), size, starts, strict=True)
    ]
    return read, (starts[0], starts[1], kept[0], kept[1])


def overlap_tile(image: ArrayLike, rows: Tiling, columns: Tiling, *tiles: tuple[int, int]) -> Figure:
    """Draw the overlap-tile strategy: the image in its mirrored surroundings, and for each tile what is read and kept.

    Parameters
    ----------
    image : (H, W) array from 0 to 1
    rows, columns : Tiling
    *tiles : (int, int)
        The number of each tile to draw, one panel each.

    Returns
    -------
    matplotlib.figure.Figure
    """
    image = np.asarray(image)
    size = (image.shape[0], image.shape[1])
    before = max(rows.margin, columns.margin)
    beyond = [
        axis.starts[-1] - axis.margin + axis.side - length for axis, length in zip((rows, columns), size, strict=True)
    ]
    after = max(*beyond, before)
    shown = wide(image, before, after)
    panel = min(6.0, WIDTH / len(tiles))  # inches: one needs room for the key
    height = (panel - 0.3) * shown.shape[0] / shown.shape[1]
    figure = Figure(figsize=(panel * len(tiles), height + 0.75), dpi=DPI, facecolor=PAPER)
    total = figure.get_size_inches()
    for number, tile in enumerate(tiles):
        place = ((panel * number + 0.15) / total[0], 0.42 / total[1], (panel - 0.3) / total[0], height / total[1])
        axes = figure.add_axes(place)
        axes.imshow(
            shown, cmap="gray", vmin=0, vmax=1, extent=_extent(size, before, after), interpolation="antialiased"
        )
        draw_squares(axes, rows, columns, tile, size)
        axes.set_title(f"tile in row {tile[0]}, column {tile[1]}", fontsize=9.5, pad=3, **FONT)
        axes.axis("off")
    _key(figure)
    return figure


def draw_squares(axes: Axes, rows: Tiling, columns: Tiling, tile: tuple[int, int], size: tuple[int, int]) -> None:
    """The image's own edge, the grid of what tiles keep, and the two squares of one tile."""
    for axis, is_row in ((rows, True), (columns, False)):
        for start in axis.starts[1:]:
            line: dict[str, Any] = {"color": PAPER, "linewidth": 0.8, "linestyle": (0, (2, 2))}
            span = (-0.5, size[is_row] - 0.5)
            axes.plot(*((span, (start - 0.5,) * 2) if is_row else ((start - 0.5,) * 2, span)), **line)
    edge = (0, 0, *size)
    read, kept = squares(rows, columns, tile, size)
    for box, colour, style in ((edge, INK, "-"), (read, READ, (0, (4, 2))), (kept, KEPT, "-")):
        top, left, height, width = box
        strokes: list[tuple[float, str, Any]] = [(4.0, INK if colour == KEPT else PAPER, "-"), (2.0, colour, style)]
        for thick, ink, dashes in [(1.0, colour, style)] if box == edge else strokes:
            rectangle(axes, (left - 0.5, top - 0.5), width, height, None, ink, thick, linestyle=dashes)


def _extent(size: tuple[int, int], before: int, after: int) -> tuple[float, float, float, float]:
    """So that the axes count in pixels of the image."""
    return (-before - 0.5, size[1] + after - 0.5, size[0] + after - 0.5, -before - 0.5)


def _key(figure: Figure) -> None:
    """Under the picture: which square is which."""
    names: dict[str, tuple[str | None, Any]] = {
        "read by the network": (READ, (0, (4, 2))),
        "kept of its answer": (KEPT, "-"),
        "mirrored: paler": (None, "-"),
    }
    pale = "#D5D5D5"
    handles = [
        Patch(facecolor=PAPER if colour else pale, edgecolor=colour or pale, linestyle=dashes, linewidth=2)
        for colour, dashes in names.values()
    ]
    figure.legend(handles, list(names), loc="lower center", ncols=3, fontsize=9, frameon=False, labelcolor=INK)


def windows(length: int, phase: int, **starts: Sequence[int]) -> Figure:
    """Draw into which windows tiles cut a row of pixels, one row of the picture for each way to place them.

    Parameters
    ----------
    length : int
        Pixels to show.
    phase : int
        The width of a window, 2^depth.
    **starts : sequence of int
        By name: where each tile begins to read, the first first. Windows are counted from there to the next tile.

    Returns
    -------
    matplotlib.figure.Figure
    """
    height = 0.75 * len(starts) + 0.5
    figure = Figure(figsize=(WIDTH, height), dpi=DPI, facecolor=PAPER)
    axes = figure.add_axes(
        (0.16, 0.42 / height, 0.82, 1 - 0.5 / height), ylim=(len(starts) - 0.3, -0.7), xlim=(-1, length + 1)
    )
    colours = (ROLES["input"], ROLES["output"], ROLES["kernel"])
    for row, (name, places) in enumerate(starts.items()):
        for number, (start, end) in enumerate(pairwise((*places, length))):
            colour = colours[number % len(colours)]
            for left in range(start, end, phase):
                rectangle(axes, (left, row - 0.25), min(phase, end - left), 0.5, colour.fill, colour.line)
            axes.text(start + 1, row - 0.32, f"from {start}", fontsize=8.5, ha="left", va="bottom", **FONT)
        write(axes, -0.02, row, name.replace("_", " "), 9.5, ha="right", transform=axes.get_yaxis_transform())
    axes.set_xticks(range(0, length + 1, 2 * phase))
    axes.tick_params(labelsize=8.5, labelcolor=INK, color=ROLES["neutral"].line, left=False, labelleft=False)
    axes.set_xlabel("pixel", fontsize=9, labelpad=1, **FONT)
    axes.spines[["top", "right", "left"]].set_visible(False)
    return figure
