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
from unet_edu.figures.panels import DPI, FONT, WIDTH, Grid, Photo, curves, numbers, painted, photos
from unet_edu.figures.segmentation import wide
from unet_edu.figures.shown import Shown
from unet_edu.instances import cell_scores

__all__ = [
    "bent",
    "draw_spread",
    "found_cells",
    "frames_of_films",
    "marked",
    "mistakes",
    "mistakes_scored",
    "over_cells",
    "ranks",
    "scored_cells",
    "scored_runs",
    "spread",
    "thresholds",
    "training_curve",
    "walls",
]

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


def marked(*panels: tuple[str, ArrayLike, ArrayLike, ArrayLike]) -> Shown:
    """Draw images with their cells side by side, which were found and which not.

    Parameters
    ----------
    *panels : (title, image, found, truth)

    Returns
    -------
    Shown
    """
    said = []
    for title, _, found, truth in panels:
        right = found_cells(found, truth)
        said.append(f"{' '.join(title.split())}: {right.sum()} of {len(right)} cells are marked as found")
    words = (
        "The same cells, with white outlines of what was predicted; green where a cell was found, striped orange where "
        f"not. {'; '.join(said)}."
    )
    values = {f"found_{n}": np.asarray(found) for n, (_, _, found, _) in enumerate(panels)}
    clipped = [(title, np.clip(image, 0, 1), found, truth) for title, image, found, truth in panels]
    return Shown(scored_cells(*clipped), words, **values)


def mistakes(truth: ArrayLike, found: Mapping[str, ArrayLike]) -> Shown:
    """Draw a small truth and predictions of it that each make one mistake.

    Parameters
    ----------
    truth : (H, W) array of int
        An instance map.
    found : mapping from the name of a mistake to (H, W) array of int

    Returns
    -------
    Shown
    """
    maps = {"truth": np.asarray(truth)} | {name: np.asarray(each) for name, each in found.items()}
    figure = photos(*(Photo(painted(each), name) for name, each in maps.items()), columns=3, tile=WIDTH / 3)
    pieces = ", ".join(f"{name} {len(np.unique(each[each > 0]))}" for name, each in maps.items())
    words = f"Small maps of cells, each cell in a colour of its own. How many pieces there are: {pieces}."
    return Shown(figure, words, **maps)


def mistakes_scored(scores: Mapping[str, Mapping[str, float]]) -> Shown:
    """Draw the scores of predictions side by side, one row each.

    Parameters
    ----------
    scores : mapping from the name of a prediction to its scores by their names
        All from 0 to 1, and the same scores for each.

    Returns
    -------
    Shown
    """
    names = list(next(iter(scores.values())))
    height = 0.75 + 0.42 * len(scores)
    figure = Figure(figsize=(WIDTH, height), dpi=DPI, facecolor=PAPER)
    for n, score in enumerate(names):
        axes = figure.add_axes((0.09 + n * 0.9 / len(names), 0.1 / height, 0.8 / len(names), 1 - 0.5 / height))
        for row, each in enumerate(scores.values()):
            axes.barh(row, each[score], color=ROLES["input"].fill, edgecolor=ROLES["input"].line)
            axes.text(0.03, row, f"{each[score]:.2f}", va="center", fontsize=10, **FONT)
        axes.set(xlim=(0, 1.02), ylim=(len(scores) - 0.4, -0.6), xticks=[])
        axes.set_yticks(range(len(scores)), list(scores) if n == 0 else [""] * len(scores), fontsize=10, **FONT)
        axes.tick_params(length=0)
        axes.spines[["top", "right", "bottom"]].set_visible(False)
        axes.set_title(score, fontsize=10, pad=4, **FONT)
    said = "; ".join(
        f"{name}: {', '.join(f'{score} {value:.2f}' for score, value in each.items())}" for name, each in scores.items()
    )
    table = [[each[score] for score in names] for each in scores.values()]
    return Shown(figure, f"Bars from 0 to 1. {said}.", scores=table)


def walls(truth: ArrayLike, found: Mapping[str, ArrayLike]) -> Shown:
    """Draw a slice of two cells and a membrane, and predictions with a fault each; what differs is framed.

    Parameters
    ----------
    truth : (H, W) array
        1 inside a cell, 0 on a membrane.
    found : mapping from the name of a fault to (H, W) array

    Returns
    -------
    Shown
    """
    truth = np.asarray(truth)
    drawn = [Grid(mask, name, "neutral", np.asarray(mask) != truth, "error") for name, mask in found.items()]
    rows = [[Grid(truth, "truth", "neutral", truth == 0), *drawn[:2]], drawn[2:]]
    said = ", ".join(f"{name} {int((np.asarray(mask) != truth).sum())}" for name, mask in found.items())
    words = f"Grids of ones, the cells, and zeros, the membranes. Pixels that differ from the truth are framed: {said}."
    return Shown(numbers(*rows), words, truth=truth, **found)


def bent(truth: ArrayLike, *pairs: tuple[str, ArrayLike, ArrayLike]) -> Shown:
    """Draw how far a truth can be bent towards predictions, and the pixels that would tear or join.

    Parameters
    ----------
    truth : (H, W) array
    *pairs : (title, (H, W) array, (H, W) array of bool)
        The truth as it was bent, and what is framed in it.

    Returns
    -------
    Shown
    """
    truth = np.asarray(truth)
    rows: list[list[Grid | str]] = [
        [Grid(truth, "truth", "neutral", truth == 0), "→", Grid(mask, title, "output", frame, "error")]
        for title, mask, frame in pairs
    ]
    said = "; ".join(f"{title}, {int(np.sum(frame))} pixels framed" for title, _, frame in pairs)
    values = {f"bent_{n}": np.asarray(mask) for n, (_, mask, _) in enumerate(pairs)}
    return Shown(numbers(*rows), f"In each row the truth, and the truth as it was bent: {said}.", truth=truth, **values)


def ranks(errors: Mapping[str, Sequence[float]], measures: Sequence[str]) -> Shown:
    """Draw who comes where by each of some errors, a line for each program.

    Parameters
    ----------
    errors : mapping from a program to its errors
        The smaller the better.
    measures : sequence of str

    Returns
    -------
    Shown
    """
    table = np.array(list(errors.values()))
    places = table.argsort(axis=0).argsort(axis=0) + 1
    figure = Figure(figsize=(8.4, 3.6), dpi=DPI, facecolor=PAPER)
    axes = figure.add_axes((0.13, 0.06, 0.6, 0.8))
    styles = ((role, dashes) for dashes in ("-", "--") for role in ("output", "input", "error", "skip", "kernel"))
    for row, name, (role, dashes) in zip(range(len(table)), errors, styles, strict=False):
        axes.plot(places[row], color=ROLES[role].line, linestyle=dashes, linewidth=2.5, marker="o", markersize=8)
        axes.text(len(measures) - 0.85, places[row, -1], name, va="center", fontsize=10, **FONT)
        for column, error in enumerate(table[row]):
            axes.text(
                column, places[row, column] - 0.2, f"{error:g}", ha="center", va="bottom", fontsize=9, zorder=4,
                bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 1}, **FONT,
            )  # fmt: skip
    axes.set(ylim=(len(table) + 0.3, 0.3), xlim=(-0.3, len(measures) - 0.9))
    axes.set_xticks(range(len(measures)), list(measures), fontsize=10, **FONT)
    axes.xaxis.tick_top()
    axes.set_yticks(range(1, len(table) + 1), ["first", *map(str, range(2, len(table))), "last"], fontsize=9.5, **FONT)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    said = "; ".join(
        f"by {measure}: " + ", ".join(np.array(list(errors))[places[:, n].argsort()])
        for n, measure in enumerate(measures)
    )
    return Shown(figure, f"Programs in their order, the best first. {said}.", places=places)


def frames_of_films(films: Sequence[Sequence[tuple[Any, Any]]], numbers_: Sequence[int], steps: Sequence[int]) -> Shown:
    """Draw some frames of some films.

    Parameters
    ----------
    films : sequence of films, each of frames, each an image and its cells
    numbers_, steps : sequence of int
        Which films, one row each, and which frames.

    Returns
    -------
    Shown
    """
    chosen = [(n, step) for n in numbers_ for step in steps]
    panels = [Photo(films[n][step][0], f"film {n}, frame {step}") for n, step in chosen]
    words = (
        f"Frames {', '.join(map(str, steps))} of films {' and '.join(map(str, numbers_))}. Neighbouring frames of one "
        "film can hardly be told apart; the cells of two films lie at quite different places."
    )
    shown = np.stack([films[n][step][1] for n, step in chosen])
    return Shown(photos(*panels, columns=len(steps), tile=WIDTH / len(steps)), words, frames=shown)


def scored_runs(
    runs: Mapping[str, Sequence[float]], aims: Mapping[str, float], others: Collection[str], xlabel: str = "SEG"
) -> Shown:
    """Draw all runs as dots, a row for each setting, and what was aimed at as a dashed mark in its row.

    Parameters
    ----------
    runs : mapping from the name of a setting to the scores of its runs
    aims : mapping from the name of a setting to what was aimed at
    others : names of settings
        Those whose scores come from another test and must not be compared: diamonds.
    xlabel : str

    Returns
    -------
    Shown
    """
    figure = spread(runs, xlabel, others=others)
    axes = figure.axes[0]
    for name, aim in aims.items():
        row = list(runs).index(name)
        axes.plot([aim, aim], [row - 0.4, row + 0.4], color=INK, linewidth=2.2, linestyle=(0, (1.5, 1)))
    old = axes.get_legend()
    handles: list[Any] = list(old.legend_handles) if old else []
    names = [text.get_text() for text in old.get_texts()] if old else []
    if old:
        old.remove()
    if aims:
        handles, names = [*handles, Line2D([], [], color=INK, linestyle=":", linewidth=2.2)], [*names, "aim"]
    figure.legend(handles, names, fontsize=9, frameon=False, ncols=2, loc="upper center", labelcolor=INK)
    axes.set_xlim(0, 1)
    said = "; ".join(f"{name} {', '.join(f'{score:.3f}' for score in scores)}" for name, scores in runs.items())
    aimed = ", ".join(f"{name} {aim:g}" for name, aim in aims.items())
    words = f"A dot for each run. {said}. Aims, dashed: {aimed}. Diamonds, of another test: {', '.join(others)}."
    return Shown(figure, words, scores=np.concatenate([np.asarray(each, float) for each in runs.values()]))


def thresholds(levels: ArrayLike, pixels: ArrayLike, cells: ArrayLike) -> Shown:
    """Draw two scores over the threshold.

    Parameters
    ----------
    levels, pixels, cells : (n,) arrays
        The thresholds, the IoU of the pixels and SEG.

    Returns
    -------
    Shown
    """
    levels, pixels, cells = map(np.asarray, (levels, pixels, cells))
    figure = curves({"IoU of the pixels": pixels, "SEG": cells}, "threshold", "score", x=levels)
    words = (
        f"Two curves over the threshold. The IoU of the pixels is highest at {levels[pixels.argmax()]:g}, SEG at "
        f"{levels[cells.argmax()]:g}; between 0.3 and 0.7 SEG is nearly level."
    )
    return Shown(figure, words, pixels=pixels, cells=cells)


def training_curve(curve: Sequence[Mapping[str, float]]) -> Shown:
    """Draw the loss and the SEG of some frames while a network was trained.

    Parameters
    ----------
    curve : sequence of {"step", "loss", "seg"}

    Returns
    -------
    Shown
    """
    series = {"SEG of three frames": [row["seg"] for row in curve], "loss": [row["loss"] for row in curve]}
    figure = curves(series, "training step", "", x=[row["step"] for row in curve])
    first, last = curve[0], curve[-1]
    words = (
        f"Two curves over the training steps, from {first['step']} to {last['step']}. The loss goes from "
        f"{first['loss']:.2f} to {last['loss']:.2f}, SEG from {first['seg']:.2f} to {last['seg']:.2f}."
    )
    return Shown(figure, words, seg=series["SEG of three frames"])
