"""The pictures of lesson 10: pictures of one's own with what was marked and what was found, and how large it is.

What a network has learned differs a little from machine to machine. So words and digests are of what does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from unet_edu.figures.palette import INK, PAPER, ROLES
from unet_edu.figures.panels import DPI, FONT, WIDTH, Photo, curves, photos
from unet_edu.figures.results import scored_cells, spread
from unet_edu.figures.shown import Shown

__all__ = ["judged", "outlined", "overlays", "runs", "sizes", "watched"]

ZOOM = 3  # pixels of the picture a pixel of the image, so that an outline is thinner than a pixel
LARGEST = 512  # pixels: of larger pictures only some rows and columns are drawn
COLUMNS = 3
MOST = 6  # pictures at once
LETTERS = 40  # of a title
OUTLINE = "#FF8C00"  # as in the overlays of `unet-edu predict`


def outlined(*panels: tuple[str, ArrayLike, ArrayLike | None], words: str) -> Shown:
    """Draw pictures with the outlines of their cells.

    Parameters
    ----------
    *panels : (title, (H, W) array from 0 to 1, (H, W) array of int or None)
        A title, a picture, and its cells. Six at most are drawn.
    words : str
        What there is to see.

    Returns
    -------
    Shown
    """
    panels = panels[:MOST]
    marked = [0 if cells is None else int((np.asarray(cells) > 0).sum()) for _, _, cells in panels]
    drawn = ((title, _with_outlines(image, cells)) for title, image, cells in panels)
    return Shown(_side_by_side(drawn), words, pixels=marked)


def _side_by_side(pictures: Iterable[tuple[str, ArrayLike]]) -> Figure:
    drawn = [Photo(picture, _short(name)) for name, picture in pictures]
    columns = min(COLUMNS, len(drawn))
    return photos(*drawn, columns=columns, tile=WIDTH / max(2, columns))


def _short(name: str) -> str:
    return name if len(name) <= LETTERS else f"{name[: LETTERS - 1]}…"


def _with_outlines(image: ArrayLike, cells: ArrayLike | None) -> NDArray[Any]:
    picture = np.repeat(_larger(_fewer(image))[..., None], 3, axis=-1)
    if cells is not None:
        labels = _larger(_fewer(cells))
        padded = np.pad(labels, 1, mode="edge")
        around = (padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:])
        picture[(labels > 0) & np.any([there != labels for there in around], axis=0)] = to_rgb(OUTLINE)
    return picture


def _larger(array: ArrayLike) -> NDArray[Any]:
    return np.asarray(array).repeat(ZOOM, axis=0).repeat(ZOOM, axis=1)


def _fewer(array: ArrayLike) -> NDArray[Any]:
    """Pictures of somebody else may have thousands of rows: enlarged, some of them would fill the memory."""
    step = -(-max(np.shape(array)) // LARGEST)
    return np.asarray(array)[::step, ::step]


def judged(*panels: tuple[str, ArrayLike, ArrayLike, ArrayLike], words: str) -> Shown:
    """Draw pictures with their cells, which were found and which not.

    Parameters
    ----------
    *panels : (title, image, found, truth)
        At most three.
    words : str
        What there is to see, without numbers that differ from machine to machine.

    Returns
    -------
    Shown
    """
    drawn = [(title, _fewer(image), _fewer(found), _fewer(truth)) for title, image, found, truth in panels]
    return Shown(scored_cells(*drawn), words, pictures=range(len(panels)))


def watched(history: Any) -> Shown:
    """Draw the loss of a training, and how well it finds the cells of the pictures that were held out.

    Parameters
    ----------
    history : unet_edu.training.History

    Returns
    -------
    Shown
    """
    rows = history.rows
    name = "val_seg" if any("val_seg" in row for row in rows) else "val_iou"
    steps = [int(row["step"]) for row in rows]
    scores = [row.get(name, np.nan) for row in rows]
    series = {f"{name}: the pictures held out": scores, "loss": [row["loss"] for row in rows]}
    figure = curves(series, "step", "", x=steps)
    best, axes = history.best, figure.axes[0]
    if best is not None and np.isfinite(best[name]):
        axes.plot(best["step"], best[name], "D", color=PAPER, markeredgecolor=ROLES["output"].line, markersize=9)
        side = "right" if best["step"] > 0.8 * steps[-1] else "center"  # its words stay in the picture
        axes.annotate(
            "kept as best.pt", (best["step"], best[name]), (0, 10), textcoords="offset points", ha=side,
            fontsize=9, color=INK,
        )  # fmt: skip
    axes.set_ylim(0, max(1.12, axes.get_ylim()[1]))
    words = (
        "Two curves over the steps of the training. The loss falls. The score of the pictures that were held out rises "
        "from near 0, with jumps at first; a diamond marks the best validation, whose weights are kept."
    )
    return Shown(figure, words, steps=[0, *steps])  # there is none when it was stopped early


def runs(groups: Mapping[str, Sequence[float]], words: str) -> Shown:
    """Draw the runs of each setting as dots in a row, with their mean as a line.

    Parameters
    ----------
    groups : mapping from the name of a setting to the SEG of its runs
    words : str

    Returns
    -------
    Shown
    """
    figure = spread(groups, "SEG")
    figure.axes[0].set_xlim(0, 1)
    return Shown(figure, words, runs=[len(scores) for scores in groups.values()])


def overlays(files: Iterable[str | Path], words: str) -> Shown:
    """Draw pictures that `unet-edu predict` has left.

    Parameters
    ----------
    files : iterable of path
        Six at most are drawn.
    words : str

    Returns
    -------
    Shown
    """
    from skimage.io import imread  # slow to import

    read = {Path(file).stem.removesuffix("_overlay"): imread(file)[..., :3] for file in [*files][:MOST]}
    shapes = [picture.shape[:2] for picture in read.values()]
    # An outline is one pixel wide here, so all rows are kept.
    drawn = ((name, each if max(each.shape) > LARGEST else _larger(each)) for name, each in read.items())
    return Shown(_side_by_side(drawn), words, shapes=shapes)


def sizes(diameters: Mapping[str, ArrayLike], unit: str, words: str) -> Shown:
    """Draw how many cells there are of each diameter.

    Parameters
    ----------
    diameters : mapping from a name to (n,) array
    unit : str
    words : str

    Returns
    -------
    Shown
    """
    largest = max(float(np.max(each, initial=1.0)) for each in map(np.asarray, diameters.values()))
    edges: list[float] = np.linspace(0, 1.05 * largest, 16).tolist()
    figure = Figure(figsize=(7.0, 3.0), dpi=DPI, facecolor=PAPER)
    axes = figure.add_axes((0.09, 0.19, 0.88, 0.69))
    styles = (("output", "-", "////"), ("input", "--", ""))
    for (name, each), (role, dashes, hatch) in zip(diameters.items(), styles, strict=False):
        colour = ROLES[role]
        axes.hist(  # Colab's Matplotlib, 3.10.0, takes a tuple here for a list of colours
            np.asarray(each), edges, label=f"{name}: {len(np.asarray(each))} cells", histtype="stepfilled", hatch=hatch,
            linestyle=dashes, linewidth=1.8, edgecolor=colour.line, facecolor=[(*to_rgb(colour.fill), 0.55)],
        )  # fmt: skip
    axes.set_xlabel(f"diameter of a circle of the same area, {unit}", fontsize=10, **FONT)
    axes.set_ylabel("cells", fontsize=10, **FONT)
    axes.tick_params(labelsize=9, labelcolor=INK, color=ROLES["neutral"].line)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=9.5, frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=2)  # beside no bar
    return Shown(figure, words, groups=range(len(diameters)))
