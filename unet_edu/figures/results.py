"""The pictures of lesson 09: which cells were found, and how far runs spread."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import ArrayLike, NDArray

from unet_edu.figures.palette import INK, PAPER, ROLES
from unet_edu.figures.panels import DPI, FONT, WIDTH
from unet_edu.figures.segmentation import wide
from unet_edu.instances import cell_scores

__all__ = ["draw_spread", "found_cells", "over_cells", "scored_cells", "spread"]

ZOOM = 3  # pixels of the picture a pixel of the image, so that an outline is thinner than a pixel
FOUND, MISSED = "found: IoU above 0.5", "not found"


def found_cells(found: ArrayLike, truth: ArrayLike) -> NDArray[np.bool_]:
    """For each true cell whether a predicted cell has an IoU above 0.5 with it.

    Parameters
    ----------
    found, truth : (H, W) arrays of int
        Instance maps.

    Returns
    -------
    (cells,) array of bool
        In the order of the numbers in the truth.
    """
    return cell_scores(found, truth) > 0.5


def over_cells(image: ArrayLike, found: ArrayLike, truth: ArrayLike) -> NDArray[np.float64]:
    """A grey image with its true cells in colour, green where they were found and orange with stripes where not, and
    the outlines of what was predicted.

    Parameters
    ----------
    image : (H, W) array
        From 0 (black) to 1 (white).
    found, truth : (H, W) arrays of int
        Instance maps. An empty `found` draws the truth alone, in grey.

    Returns
    -------
    (3·H, 3·W, 3) array
        Red, green and blue, from 0 to 1.
    """
    truth, found = np.asarray(truth), np.asarray(found)
    cells = np.unique(truth[truth > 0])
    right = np.zeros(truth.max() + 1, bool)
    right[cells] = found_cells(found, truth)
    large = np.asarray(image, np.float64).repeat(ZOOM, 0).repeat(ZOOM, 1)
    true_cell, drawn = (array.repeat(ZOOM, 0).repeat(ZOOM, 1) for array in (truth, found))
    row, column = np.ogrid[: large.shape[0], : large.shape[1]]
    picture = np.stack([large] * 3, axis=-1)
    missed = (truth > 0) & ~right[truth]
    stripes = ((row + column) % (4 * ZOOM) < ZOOM) & wide(missed).repeat(ZOOM, 0).repeat(ZOOM, 1)
    for role, part in (("output", right[true_cell]), ("error", ~right[true_cell] & ~stripes)):
        where = (true_cell > 0) & part
        picture[where] = 0.5 * picture[where] + 0.5 * np.array(to_rgb(ROLES[role].line))
    picture[stripes] = 1.0
    for edge, colour in ((_edges(true_cell), 0.0), (_edges(drawn), 1.0)):
        picture[edge] = colour
    return picture


def scored_cells(*panels: tuple[str, ArrayLike, ArrayLike, ArrayLike]) -> Figure:
    """Draw images with their cells side by side, which were found and which not, and the legend.

    Parameters
    ----------
    *panels : (title, image, found, truth)

    Returns
    -------
    matplotlib.figure.Figure
    """
    gap, legend = 0.12, 0.5
    title = 0.12 + 0.19 * max(text.count("\n") + 1 for text, *_ in panels)
    width = min(3.4, (WIDTH - gap) / len(panels) - gap)
    tall = max(width * np.shape(image)[0] / np.shape(image)[1] for _, image, _, _ in panels)
    total = (max(5.6, len(panels) * (width + gap) + gap), title + tall + legend)
    left = (total[0] - len(panels) * (width + gap) + gap) / 2
    figure = Figure(figsize=total, dpi=DPI, facecolor=PAPER)
    for n, (text, image, found, truth) in enumerate(panels):
        high = width * np.shape(image)[0] / np.shape(image)[1]
        place = (left + n * (width + gap)) / total[0], 1 - (title + high) / total[1], width / total[0], high / total[1]
        axes = figure.add_axes(place, xticks=[], yticks=[])
        axes.imshow(over_cells(image, found, truth), interpolation="antialiased")
        axes.set_title(text, fontsize=10, pad=4, **FONT)
    strip = figure.add_axes((0, 0, 1, legend / total[1]))
    strip.set_axis_off()
    handles = [
        Patch(facecolor=ROLES["output"].line, edgecolor=INK, label=FOUND),
        Patch(facecolor=ROLES["error"].line, edgecolor=PAPER, hatch="///", label=MISSED),
        Patch(facecolor=ROLES["neutral"].line, edgecolor=PAPER, linewidth=2, label="white outline: predicted"),
    ]
    strip.legend(handles=handles, loc="center", ncols=3, fontsize=9, frameon=False)
    return figure


def spread(
    groups: Mapping[str, Sequence[float]],
    xlabel: str,
    reference: str | None = None,
    others: Collection[str] = (),
) -> Figure:
    """Draw the runs of each group as dots in a row, with their mean as a line and one standard deviation as a bar.

    Parameters
    ----------
    groups : mapping from name to the scores of its runs
    xlabel : str
    reference : str, optional
        The group whose range is drawn through all rows.
    others : names of groups
        Those whose scores come from another test, such as published ones: diamonds in place of dots.

    Returns
    -------
    matplotlib.figure.Figure
    """
    longest = max(map(len, groups))
    left = 0.35 + 0.085 * longest
    height = 0.9 + 0.3 * len(groups) + (0.25 if others else 0)
    figure = Figure(figsize=(8.0, height), dpi=DPI, facecolor=PAPER)
    bottom = 0.6 / height
    axes = figure.add_axes((left / 8.0, bottom, 0.97 - left / 8.0, 0.97 - bottom - (0.25 / height if others else 0)))
    draw_spread(axes, groups, xlabel, reference, others)
    return figure


def draw_spread(
    axes: Axes,
    groups: Mapping[str, Sequence[float]],
    xlabel: str,
    reference: str | None = None,
    others: Collection[str] = (),
) -> None:
    """The rows of `spread`, on axes that are there already."""
    if reference is not None:
        axes.axvspan(min(groups[reference]), max(groups[reference]), color=ROLES["output"].fill, zorder=0)
    for row, (name, scores) in enumerate(groups.items()):
        if name in others:
            axes.plot(scores, [row] * len(scores), "D", color=PAPER, markeredgecolor=ROLES["error"].line, markersize=7)
            continue
        role = ROLES["output" if name == reference else "input"]
        mean, sd = np.mean(scores), np.std(scores, ddof=1) if len(scores) > 1 else 0.0
        axes.plot([mean - sd, mean + sd], [row, row], color=role.line, linewidth=5, alpha=0.35, solid_capstyle="butt")
        axes.plot([mean, mean], [row - 0.3, row + 0.3], color=role.line, linewidth=2)
        axes.plot(scores, [row] * len(scores), "o", color=PAPER, markeredgecolor=role.line, markersize=6)
    if others:
        key = Line2D([], [], marker="D", linestyle="", color=PAPER, markeredgecolor=ROLES["error"].line, markersize=7)
        words = "another test, not to be compared with the dots"
        axes.legend([key], [words], fontsize=9, frameon=False, loc="lower left", bbox_to_anchor=(0, 1))
    axes.set_yticks(range(len(groups)), list(groups), fontsize=9.5, **FONT)
    axes.set_ylim(len(groups) - 0.5, -0.5)
    axes.set_xlabel(xlabel, fontsize=10, **FONT)
    axes.tick_params(labelsize=9.5, labelcolor=INK, color=ROLES["neutral"].line)
    axes.grid(axis="x", color=ROLES["neutral"].fill)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _edges(labels: NDArray[Any]) -> NDArray[np.bool_]:
    """Pixels of a cell beside another label, above or to the left or below or to the right."""
    edge = np.zeros(labels.shape, bool)
    for axis in (0, 1):
        differs = np.diff(labels, axis=axis) != 0
        for side in ((0, 1), (1, 0)):
            edge |= np.pad(differs, [side if axis == n else (0, 0) for n in (0, 1)])
    return edge & (labels > 0)
