"""The pictures of lesson 07: cells in colours, and scores side by side."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from unet_edu.figures.palette import CLASSES, INK, PAPER, ROLES
from unet_edu.figures.panels import DPI, FONT, WIDTH

__all__ = ["coloured_cells", "score_bars"]


def coloured_cells(image: ArrayLike, instances: ArrayLike) -> NDArray[np.float32]:
    """A grey image, darkened, in which each cell has a colour and a thin dark outline.

    Neighbours that were not told apart are one cell, and so have one colour. (Two cells that were told apart may have
    the same colour too: there are seven. The outline is then between them.)

    Parameters
    ----------
    image : (H, W) array from 0 to 1
    instances : (H, W) array of whole numbers
        0 is the background.

    Returns
    -------
    (H, W, 3) array of float32
        For `panels.Photo`.
    """
    image, instances = np.asarray(image, np.float32), np.asarray(instances)
    colours = np.array([to_rgb(colour) for colour in CLASSES[1:]], np.float32)
    picture: NDArray[np.float32] = np.repeat(np.float32(0.7) * image[..., None], 3, axis=-1)
    is_cell = instances > 0
    picture[is_cell] = 0.75 * colours[(instances[is_cell] - 1) % len(colours)] + 0.25 * image[is_cell, None]
    padded = np.pad(instances, 1, mode="edge")
    around = (padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:])
    rim = is_cell & np.any([there != instances for there in around], axis=0)
    picture[rim] *= 0.45
    return picture


def score_bars(scores: Mapping[str, Mapping[str, float]], level: tuple[float, str] | None = None) -> Figure:
    """Draw a table of scores from 0 to 1, each number with a bar.

    Parameters
    ----------
    scores : mapping from the name of a method to a mapping from the name of a score to its value
        All methods have the same scores, at most five.
    level : (score, name), optional
        A vertical line to compare with.

    Returns
    -------
    matplotlib.figure.Figure
    """
    names, kinds = list(scores), list(next(iter(scores.values())))
    styles = {"output": "", "input": "////", "skip": "..", "kernel": "xx", "error": "\\\\"}
    if len(kinds) > len(styles):
        raise ValueError(
            f"scores: expected at most {len(styles)} kinds, which can still be told apart, got {len(kinds)}"
        )
    high = 0.22
    lines = sum(name.count("\n") + 1 for name in names)
    tall = max(len(names) * (high * len(kinds) + 0.16), 0.2 * lines) + 0.7
    figure = Figure(figsize=(WIDTH, tall), dpi=DPI, facecolor=PAPER)
    axes = figure.add_axes((0.27, 0.42 / tall, 0.55, 1 - 0.5 / tall))
    step = high * len(kinds) + 0.16
    for k, (kind, (role, hatch)) in enumerate(zip(kinds, styles.items(), strict=False)):
        values = np.array([scores[name][kind] for name in names])
        places = np.arange(len(names)) * step + high * (k + 0.5 - len(kinds) / 2)
        axes.barh(
            places,
            values,
            height=high * 0.9,
            color=ROLES[role].fill,
            edgecolor=ROLES[role].line,
            hatch=hatch,
            label=kind,
        )
        for place, value in zip(places, values, strict=True):
            number = axes.text(value + 0.01, place, f"{value:.3f}", va="center_baseline", fontsize=9, **FONT)
            number.set_bbox({"facecolor": PAPER, "edgecolor": "none", "pad": 0.5})  # over the level
    axes.set_yticks(np.arange(len(names)) * step, names)
    axes.set(xlim=(0, 1.08), ylim=((len(names) - 0.5) * step, -0.5 * step), xticks=np.arange(0, 1.1, 0.25))
    axes.tick_params(labelsize=9, labelcolor=INK, color=ROLES["neutral"].line)
    axes.tick_params(axis="y", length=0, labelsize=10)
    if level is not None:
        axes.axvline(level[0], color=ROLES["error"].line, linewidth=1.5, linestyle=(0, (4, 2)), label=level[1])
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.legend(fontsize=9, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0), handleheight=1.1)
    return figure
