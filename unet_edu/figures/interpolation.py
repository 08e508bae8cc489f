"""The pictures of lesson 03: where output pixels lie over the input, and which values a mask holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from unet_edu.figures.palette import INK, PAPER, ROLES
from unet_edu.figures.panels import DPI, FONT, rectangle, write
from unet_edu.interpolation import source_coordinates

__all__ = ["places", "value_counts"]


def places(size: int, out_size: int) -> Figure:
    """Draw the output's pixels over the input's, edge on edge and with corner centres on each other.

    Parameters
    ----------
    size, out_size : int
        Pixels of the input and of the output along one side, at least 2 each.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(9.0, 4.4), dpi=DPI, facecolor=PAPER)
    titles = {
        False: "align_corners=False: edges lie on edges",
        True: "align_corners=True: the outer centres lie on each other",
    }
    for axes, (corners, title) in zip(figure.subplots(2, 1), titles.items(), strict=True):
        source = source_coordinates(size, out_size, align_corners=corners)
        _draw_places(axes, size, source)
        axes.set_title(title, fontsize=10, loc="left", **FONT)
    figure.subplots_adjust(left=0.02, right=0.98, top=0.93, bottom=0.02, hspace=0.25)
    return figure


def value_counts(values: Mapping[str, ArrayLike], known: Sequence[int]) -> Figure:
    """Draw how often each value occurs, one panel an array; values that are not known stand out by colour and hatch.

    Parameters
    ----------
    values : mapping from title to array of real numbers
    known : sequence of int
        The classes that exist.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(min(10.0, 3.3 * len(values)), 2.8), dpi=DPI, facecolor=PAPER)
    arrays = {title: np.asarray(array, dtype=np.float64).round(6).ravel() for title, array in values.items()}
    low = int(np.floor(min(array.min() for array in arrays.values()) - 0.5))
    high = int(np.ceil(max(array.max() for array in arrays.values()) + 0.5))
    bins = np.arange(10 * low, 10 * high + 1) / 10
    for axes, (title, array) in zip(figure.subplots(1, len(arrays), squeeze=False)[0], arrays.items(), strict=True):
        is_known = np.isin(array, known)
        heights = [np.histogram(array[~is_known], bins)[0], [(array == value).sum() for value in known]]
        axes.bar(bins[:-1], heights[0], width=0.1, align="edge", label="no class", hatch="////", **_bar("error"))
        axes.bar(known, heights[1], width=0.2, label="a class", zorder=3, **_bar("output"))
        axes.set(yscale="log", ylim=(0.7, 3 * array.size), xlim=(low, high), xticks=np.arange(low, high + 1))
        axes.set_title(title, fontsize=9.5, **FONT)
        axes.set_xlabel("value", fontsize=9, **FONT)
        axes.tick_params(labelsize=8, labelcolor=INK, color=ROLES["neutral"].line)
        axes.legend(fontsize=8, frameon=False, loc="upper right")
        axes.spines[["top", "right"]].set_visible(False)
    figure.axes[0].set_ylabel("pixels (logarithmic)", fontsize=9, **FONT)
    figure.subplots_adjust(left=0.08, right=0.99, top=0.88, bottom=0.18, wspace=0.22)
    return figure


def _bar(role: str) -> dict[str, Any]:
    return {"facecolor": ROLES[role].fill, "edgecolor": ROLES[role].line}


def _draw_places(axes: Axes, size: int, source: ArrayLike) -> None:
    """Two strips of pixels, and a line from the middle of each output to the place where it looks."""
    source = np.asarray(source)
    step = source[1] - source[0]
    for n in range(size):
        _draw_pixel(axes, n, 1.0, 0.0, "input", str(n))
    for i, place in enumerate(source):
        _draw_pixel(axes, place, step, 1.9, "output", str(i))
        axes.plot([place, place], [0.5, 1.9], color=ROLES["error"].line, linewidth=1)
        axes.plot(place, 0.5, "o", color=ROLES["error"].line, markersize=5)
        text = f"{place:.3g}".replace("-", "−")
        axes.text(place + 0.02, 1.45, text, fontsize=8, ha="left", va="center", **FONT)
    axes.text(-1.45, 0.5, f"input, {size} pixels", fontsize=9, va="center", color=ROLES["input"].line)
    axes.text(-1.45, 2.3, f"output, {len(source)} pixels", fontsize=9, va="center", color=ROLES["output"].line)
    axes.set(xlim=(-1.5, size - 0.2), ylim=(2.75, -0.05))
    axes.set_axis_off()


def _draw_pixel(axes: Axes, centre: float, width: float, top: float, role: str, text: str) -> None:
    colour, height = ROLES[role], 1.0 if role == "input" else 0.8
    rectangle(axes, (centre - width / 2, top), width, height, colour.fill, colour.line)
    write(axes, centre, top + height * (0.2 if role == "input" else 0.5), text, 9)
