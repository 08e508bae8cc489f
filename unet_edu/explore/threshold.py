"""The threshold explorer: what one number for a whole photograph hits and misses, and how that is scored. Lesson 01."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import ipywidgets
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from unet_edu.data.masks import MASKED, UNKNOWN, photo_and_mask
from unet_edu.explore.explorer import Explorer, Picture, View
from unet_edu.explore.picture import array_png, digest, image_tag
from unet_edu.figures.palette import INK, PAPER, ROLES
from unet_edu.figures.segmentation import KINDS, Kind, agreement, kinds, legend
from unet_edu.metrics import dice, iou, pixel_accuracy, precision, recall

__all__ = ["Scores", "State", "picture", "predicted", "scores", "sweep", "tables", "threshold"]

STEPS = 100  # of the slider: two digits after the point
WIDEST = 400  # pixels of a picture that travels at each step; of wider photographs every second one is drawn, and all are counted
SIDES = {"brighter than the threshold": False, "darker than the threshold": True}
CURVES = {"IoU": ("output", ""), "Dice": ("skip", "7 4"), "accuracy": ("neutral", "2 4")}  # role, dashes


@dataclass(frozen=True)
class State:
    photo: str
    threshold: float
    darker: bool

    def __post_init__(self) -> None:
        # sliders answer with 0.42000000000000004; the sweep has 42 / 100
        object.__setattr__(self, "threshold", round(self.threshold * STEPS) / STEPS)


class Scores(NamedTuple):
    """What is true of the marked pixels. A ratio that is 0 / 0 is NaN."""

    hits: int
    wrong: int
    missed: int
    left_out: int
    iou: float
    dice: float
    precision: float
    recall: float
    accuracy: float


def threshold(photo: str = "coins", threshold: float = 0.42, *, darker: bool = False) -> Explorer:
    """Explore what a threshold hits and misses.

    Move the slider: the picture shows which pixels are rightly marked, wrongly marked and missed; the table scores them, and the curves
    show the scores for all thresholds, with yours marked. Choose another photograph, or mark what is darker.

    Parameters
    ----------
    photo : str
        One of `unet_edu.data.masks.MASKED`.
    threshold : float
        From 0 (black) to 1 (white), in steps of 0.01.
    darker : bool
        Whether the pixels darker than the threshold are marked, instead of the brighter ones.

    Returns
    -------
    Explorer
        The last value of a notebook cell shows itself.

    Raises
    ------
    ValueError
        When there is no such photograph, or the threshold lies outside 0 … 1.
    """
    if photo not in MASKED:
        raise ValueError(f"photo: expected one of {', '.join(MASKED)}, got {photo!r}")
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold: expected a number from 0 (black) to 1 (white), got {threshold}")
    controls = {
        "threshold": ipywidgets.FloatSlider(
            min=0, max=1, step=1 / STEPS, readout_format=".2f", description="Threshold"
        ),
        "darker": ipywidgets.Dropdown(options=list(SIDES.items()), description="Mark"),
        "photo": ipywidgets.Dropdown(options=[(name, name) for name in MASKED], description="Photo"),
    }
    # two beside each other where there is room; the widths are given, or else longer numbers would move the columns while a slider moves
    column = {"flex": "1 1 40%", "min_width": "19em", "max_width": "40em", "margin": "0 1em 0 0"}
    views = [
        View(ipywidgets.HTML(layout=column), "value", _photo_figure),
        View(ipywidgets.HTML(layout=column), "value", _verdict_figure),
        View(ipywidgets.HTML(layout=column), "value", _table),
        View(ipywidgets.HTML(layout=column), "value", _curves),
    ]
    return Explorer(State(photo, threshold, darker), controls, views, picture)


def predicted(state: State) -> NDArray[np.bool_]:
    """The pixels that the threshold marks."""
    image, _ = photo_and_mask(state.photo)
    return image < state.threshold if state.darker else image > state.threshold


def scores(state: State) -> Scores:
    """What is true of the marked pixels."""
    table = tables(state.photo, state.darker)[round(state.threshold * STEPS)]
    (left_out, wrong), (missed, hits) = table.tolist()
    J, D, P, R = (float(measure(table)[1]) for measure in (iou, dice, precision, recall))
    return Scores(hits, wrong, missed, left_out, J, D, P, R, float(pixel_accuracy(table)))


def sweep(photo: str, darker: bool) -> dict[str, NDArray[np.float64]]:
    """IoU, Dice and accuracy at each step of the slider, (STEPS + 1,) numbers each."""
    counted = tables(photo, darker)
    return {"IoU": iou(counted)[:, 1], "Dice": dice(counted)[:, 1], "accuracy": pixel_accuracy(counted)}


@lru_cache(maxsize=2 * len(MASKED))
def tables(photo: str, darker: bool) -> NDArray[np.int64]:
    """The confusion matrix at each step of the slider, counted once.

    The pixels are sorted: how many are brighter than a threshold is then their place in the row. So a moving slider counts nothing.

    Parameters
    ----------
    photo : str
    darker : bool

    Returns
    -------
    (STEPS + 1, 2, 2) array
        Rows are the truth, as `unet_edu.metrics.confusion_matrix` has them. Pixels whose truth is unknown are not counted.
    """
    image, mask = photo_and_mask(photo)
    levels = np.arange(STEPS + 1) / STEPS
    counted = np.empty((len(levels), 2, 2), np.int64)
    for truth in (0, 1):
        values = np.sort(image[mask == truth])
        below = np.searchsorted(values, levels, side="left" if darker else "right")
        counted[:, truth, 1] = below if darker else len(values) - below
        counted[:, truth, 0] = len(values) - counted[:, truth, 1]
    return counted


def picture(state: State) -> Picture:
    """The photograph, what was hit and missed, and the curves, for where nothing runs."""
    image, mask = photo_and_mask(state.photo)
    marked, found = predicted(state), scores(state)
    figure = Figure(figsize=(10, 6.6), dpi=100, facecolor=PAPER, layout="constrained")
    grid = figure.add_gridspec(3, 2, height_ratios=(3.6, 0.3, 2.4))
    left, right = figure.add_subplot(grid[0, 0]), figure.add_subplot(grid[0, 1])
    left.imshow(image, cmap="gray", vmin=0, vmax=1)
    right.imshow(agreement(image, marked, mask), interpolation="antialiased")
    for axes, title in ((left, "the photograph"), (right, _side(state))):
        axes.set_title(title, fontsize=10, color=INK)
        axes.set_axis_off()
    legend(figure.add_subplot(grid[1, :]), unknown=bool((mask == UNKNOWN).any()))
    axes = figure.add_subplot(grid[2, :])
    for name, values in sweep(state.photo, state.darker).items():
        role, dashes = CURVES[name]
        pattern = (0, tuple(map(int, dashes.split()))) if dashes else "-"
        axes.plot(
            np.arange(STEPS + 1) / STEPS, values, color=ROLES[role].line, linestyle=pattern, linewidth=2, label=name
        )
    axes.axvline(state.threshold, color=INK, linewidth=1.5, label=f"threshold {state.threshold:.2f}")
    axes.set(xlim=(0, 1), ylim=(0, 1.03), xlabel="threshold", ylabel="score")
    axes.legend(fontsize=9, frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    alt = f"{_alt(state, found)} Below, curves of IoU, Dice and accuracy over all thresholds, with a line at {state.threshold:.2f}."
    numbers = f"TP {found.hits}, FP {found.wrong}, FN {found.missed}, TN {found.left_out}"
    ratios = ", ".join(f"{name} {_three(getattr(found, name))}" for name in Scores._fields[4:])
    return Picture(figure, alt, f"{numbers}; {ratios}; kinds of pixels: {digest(kinds(marked, mask))}")


@lru_cache(maxsize=len(MASKED))
def _photo_tag(name: str) -> str:
    return image_tag(array_png(photo_and_mask(name)[0]), f"Photograph: {MASKED[name]}.", "width: 100%")


def _photo_figure(state: State) -> str:
    return _figure(_photo_tag(state.photo), f"the photograph: {MASKED[state.photo]}")


def _verdict_figure(state: State) -> str:
    image, mask = photo_and_mask(state.photo)
    some = (slice(None, None, -(-image.shape[1] // WIDEST)),) * 2
    png = array_png(agreement(image[some], predicted(state)[some], mask[some]))
    shown = KINDS[1 : 5 if (mask == UNKNOWN).any() else 4]
    caption = f"{_side(state)} — " + " ".join(f"{_chip(kind)} {kind.meaning}" for kind in shown)
    return _figure(image_tag(png, _alt(state, scores(state)), "width: 100%"), caption)


def _figure(image: str, caption: str) -> str:
    return (
        f'<figure style="margin: 0"><div style="line-height: 0">{image}</div>'
        f'<figcaption style="line-height: 1.5">{caption}</figcaption></figure>'
    )


def _chip(kind: Kind) -> str:
    """The name of a kind of pixels on its own colour, with the pattern that it has in the picture."""
    patterns = {
        "FP": f"repeating-linear-gradient(135deg, {PAPER} 0 2px, {kind.colour} 2px 6px)",
        "FN": f"radial-gradient(circle, {PAPER} 1.5px, {kind.colour} 2px) 0 0 / 6px 6px",
    }
    square = f"background: {patterns.get(kind.name, kind.colour)}; border: 1px solid currentColor"
    return (
        f'<span style="white-space: nowrap"><span aria-hidden="true" style="display: inline-block; width: 1.4em; height: 0.8em; {square}">'
        f"</span> {kind.name}</span>"
    )


def _table(state: State) -> str:
    """The counts and the ratios, each with its formula filled in."""
    found = scores(state)
    TP, FP, FN, TN = found[:4]
    rows = {
        "precision = TP / (TP + FP)": (f"{TP:,} / {TP + FP:,}", found.precision),
        "recall = TP / (TP + FN)": (f"{TP:,} / {TP + FN:,}", found.recall),
        "IoU = TP / (TP + FP + FN)": (f"{TP:,} / {TP + FP + FN:,}", found.iou),
        "Dice = 2·TP / (2·TP + FP + FN)": (f"{2 * TP:,} / {2 * TP + FP + FN:,}", found.dice),
        "accuracy = (TP + TN) / all": (f"{TP + TN:,} / {TP + FP + FN + TN:,}", found.accuracy),
    }
    counts = "".join(
        f"<th>{kind}</th><td>{count:,}</td>" for kind, count in zip(("TP", "FP", "FN", "TN"), found[:4], strict=True)
    )
    cell = 'style="text-align: right; padding-left: 1em; font-variant-numeric: tabular-nums"'
    lines = "".join(
        f"<tr><td>{formula}</td><td {cell}>{sums}</td><td {cell}><b>{_three(value)}</b></td></tr>"
        for formula, (sums, value) in rows.items()
    )
    return (
        f'<table style="line-height: 1.6; border-spacing: 0.5em 0"><tr>{counts}</tr></table>'
        f'<table style="line-height: 1.6">{lines}</table>'
    )


def _curves(state: State) -> str:
    """The scores over all thresholds, as SVG: lines and letters stay sharp, and nothing is drawn by matplotlib while a slider moves."""
    width, height, left, top = 360, 200, 34, 8
    right, bottom = width - 8, height - 34
    values = sweep(state.photo, state.darker)

    def x(level: float) -> float:
        return left + (right - left) * level

    def y(score: float) -> float:
        return bottom - (bottom - top) * score

    here = round(state.threshold * STEPS)
    best = int(np.argmax(values["IoU"]))
    parts = [f'<rect width="{width}" height="{height}" fill="{PAPER}"/>']
    for tick in (0, 0.25, 0.5, 0.75, 1):
        parts.append(f'<path d="M{left} {y(tick):.1f}H{right}" stroke="{ROLES["neutral"].fill}"/>')
        parts.append(f'<text x="{left - 5}" y="{y(tick) + 3.5:.1f}" text-anchor="end">{tick:g}</text>')
        parts.append(f'<text x="{x(tick):.1f}" y="{bottom + 13}" text-anchor="middle">{tick:g}</text>')
    parts.append(f'<path d="M{x(state.threshold):.1f} {top}V{bottom}" stroke="{INK}" stroke-width="1.5"/>')
    for n, (name, (role, dashes)) in enumerate(CURVES.items()):
        colour, key = ROLES[role].line, left + 8 + 108 * n
        line = " ".join(f"{x(k / STEPS):.1f},{y(score):.1f}" for k, score in enumerate(values[name]))
        style = f'stroke="{colour}" stroke-width="2" stroke-dasharray="{dashes}"'
        parts.append(f'<polyline points="{line}" fill="none" {style}/>')
        parts.append(f'<circle cx="{x(state.threshold):.1f}" cy="{y(values[name][here]):.1f}" r="4" fill="{colour}"/>')
        parts.append(f'<path d="M{key} {height - 7}h24" {style}/>')
        parts.append(f'<text x="{key + 28}" y="{height - 3}">{name} {_three(values[name][here])}</text>')
    words = (
        f"Curves of IoU, Dice and accuracy over the thresholds from 0 to 1. At {state.threshold:.2f}: "
        + ", ".join(f"{name} {_three(values[name][here])}" for name in CURVES)
        + f". The best IoU, {_three(values['IoU'][best])}, is at {best / STEPS:.2f}."
    )
    return (
        f'<svg role="img" aria-label="{words}" viewBox="0 0 {width} {height}" style="width: 100%; max-width: 36em; display: block" '
        f'font-family="sans-serif" font-size="10" fill="{INK}">{"".join(parts)}</svg>'
    )


def _side(state: State) -> str:
    return f"{'darker' if state.darker else 'brighter'} than {state.threshold:.2f}"


def _alt(state: State, found: Scores) -> str:
    return (
        f"The photograph ({MASKED[state.photo]}). Marked is what is {_side(state)}: {found.hits:,} pixels rightly, {found.wrong:,} wrongly, and "
        f"{found.missed:,} are missed. IoU {_three(found.iou)}, Dice {_three(found.dice)}."
    )


def _three(ratio: float) -> str:
    return "0 / 0" if np.isnan(ratio) else f"{ratio:.3f}"
