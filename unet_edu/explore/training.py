"""The training scrubber: what a network predicts, from its first step to its last. Lesson 07."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import ipywidgets
import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from unet_edu.explore.explorer import Explorer, Picture, View
from unet_edu.explore.picture import array_png, digest, image_tag
from unet_edu.figures.palette import CLASSES, INK, PAPER, ROLES
from unet_edu.figures.segmentation import KINDS, agreement
from unet_edu.instances import connected, seg
from unet_edu.losses import separated
from unet_edu.metrics import confusion_matrix, iou

__all__ = ["Film", "State", "picture", "training"]

SHOWN = {"what is wrong": "errors", "the cells that are found": "cells", "the probability of cell": "probability"}
CURVES = ("output", "error", "skip")  # roles, one a run
DASHES = ("", "7 4", "2 4")
SMOOTH = 10  # steps: single losses jump too much to be compared


@dataclass(frozen=True, eq=False)
class Film:
    """One run: the loss of each step, and what was predicted for the image at some of them."""

    name: str
    losses: NDArray[np.float64]
    probabilities: NDArray[np.float32]  # (snapshots, H, W)
    image: NDArray[np.float32]
    instances: NDArray[np.int32]
    seen: dict[tuple[int, str], Any] = field(default_factory=dict)  # what was computed for a snapshot, once

    @property
    def cells(self) -> int:
        """How many there are. In a part of an image their numbers have gaps, so the largest says nothing."""
        return len(np.unique(self.instances[self.instances > 0]))

    def scores(self, snapshot: int) -> tuple[int, float, float]:
        """How many cells are found, SEG, and the IoU of the foreground."""
        if (key := (snapshot, "scores")) not in self.seen:
            mask = self.probabilities[snapshot] > 0.5
            found, table = connected(mask), confusion_matrix(mask, self.instances > 0, 2)
            self.seen[key] = int(found.max()), seg(found, self.instances), float(iou(table, empty=1.0)[1])
        return self.seen[key]

    def drawn(self, snapshot: int, shown: str) -> NDArray[np.float32]:
        """The snapshot as a picture, (H, W, 3)."""
        mask = self.probabilities[snapshot] > 0.5
        if shown == "errors":
            return agreement(self.image, mask, separated(self.instances))
        if shown == "cells":
            colours = np.array([to_rgb(colour) for colour in CLASSES[1:]], np.float32)
            found = connected(mask)
            ground = np.repeat(self.image[..., None], 3, axis=-1) * 0.6
            return np.where((found > 0)[..., None], colours[(found - 1) % len(colours)], ground)
        return np.repeat(self.probabilities[snapshot][..., None], 3, axis=-1)

    def tag(self, snapshot: int, shown: str, alt: str) -> str:
        if (key := (snapshot, shown)) not in self.seen:
            style = "width: 100%; display: block; image-rendering: pixelated"
            self.seen[key] = image_tag(array_png(self.drawn(snapshot, shown)), alt, style)
        return self.seen[key]


@dataclass(frozen=True, eq=False)
class State:
    films: tuple[Film, ...]
    steps: tuple[int, ...]
    snapshot: int
    shown: str


def training(
    runs: Mapping[str, tuple[Sequence[float], Mapping[int, ArrayLike]]],
    image: ArrayLike,
    instances: ArrayLike,
    *,
    step: int | None = None,
) -> Explorer:
    """Move through a training, and see what the network predicts at each step.

    Parameters
    ----------
    runs : mapping from name to (losses, snapshots), at most three
        They stand side by side. `losses` are those of each step, as in `History.losses`. `snapshots` has for some steps the probability of class 1 for
        each pixel of the image, (H, W); the steps must be the same in all runs. `fit(…, on_validation=…)` is the place to collect them.
    image : (H, W) array
        From 0 to 1.
    instances : (H, W) array of whole numbers
        The true cells.
    step : int, optional
        Where to begin: the snapshot nearest to this step, the last one when left out.

    Returns
    -------
    Explorer
        The last value of a notebook cell shows itself.

    Raises
    ------
    ValueError
        When there is no run, or no snapshot, or when the steps or the shapes differ.

    Examples
    --------
    >>> losses, snapshots = [0.7, 0.5, 0.4], {0: np.full((4, 4), 0.5), 3: np.eye(4)}
    >>> explorer = training({"a run": (losses, snapshots)}, np.zeros((4, 4)), np.eye(4, dtype=int))
    >>> explorer.state.steps
    (0, 3)
    """
    image, instances = np.asarray(image, np.float32), np.asarray(instances)
    if not 1 <= len(runs) <= len(CURVES):
        raise ValueError(f"runs: expected one to {len(CURVES)} of them, got {len(runs)}")
    if image.ndim != 2 or image.shape != instances.shape:
        raise ValueError(
            f"image: expected shape (H, W), the same as instances, got {image.shape} and {instances.shape}"
        )
    films, steps = [], tuple(sorted(next(iter(runs.values()))[1]))
    for name, (losses, snapshots) in runs.items():
        if not steps or tuple(sorted(snapshots)) != steps:
            raise ValueError(
                f"runs[{name!r}]: expected snapshots of the same steps in all runs, {list(steps)}, got {sorted(snapshots)}"
            )
        probabilities = np.stack([np.asarray(snapshots[n], np.float32) for n in steps])
        if probabilities.shape[1:] != image.shape:
            raise ValueError(
                f"runs[{name!r}]: expected one probability a pixel, {image.shape}, got shape {probabilities.shape[1:]}"
            )
        films.append(Film(name, np.asarray(losses, np.float64), probabilities, image, instances))
    begin = len(steps) - 1 if step is None else int(np.argmin([abs(n - step) for n in steps]))
    # a slider of places, not of steps: the arrow keys then go from snapshot to snapshot
    controls = {
        "snapshot": ipywidgets.SelectionSlider(
            options=[(f"{n:,}", place) for place, n in enumerate(steps)], description="Step", layout={"width": "28em"}
        ),
        "shown": ipywidgets.Dropdown(options=list(SHOWN.items()), description="Show"),
    }
    column = {"flex": "1 1 25%", "min_width": "13em", "max_width": "24em", "margin": "0 1em 0 0"}
    views = [View(ipywidgets.HTML(layout=column), "value", partial(_film_figure, n)) for n in range(len(films))]
    views.append(View(ipywidgets.HTML(layout=column | {"flex": "1 1 100%", "max_width": "50em"}), "value", _curves))
    return Explorer(State(tuple(films), steps, begin, "errors"), controls, views, picture)


def picture(state: State) -> Picture:
    """The image, each run's answer at this step, and the losses so far and to come, for where nothing runs."""
    figure = Figure(figsize=(10, 6.2), dpi=100, facecolor=PAPER, layout="constrained")
    grid = figure.add_gridspec(2, 1 + len(state.films), height_ratios=(1.5, 1))
    first = state.films[0]
    panels = [(f"{first.cells} cells", first.image)]
    for film in state.films:
        found, score, _ = film.scores(state.snapshot)
        panels.append(
            (
                f"{film.name}, step {state.steps[state.snapshot]}\n{found} found, SEG {_three(score)}",
                film.drawn(state.snapshot, state.shown),
            )
        )
    for n, (title, panel) in enumerate(panels):
        axes = figure.add_subplot(grid[0, n])
        axes.imshow(panel, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        axes.set_title(title, fontsize=10, color=INK)
        axes.set_axis_off()
    axes = figure.add_subplot(grid[1, :])
    for film, role, dashes in zip(state.films, CURVES, DASHES, strict=False):
        pattern = (0, tuple(map(int, dashes.split()))) if dashes else "-"
        steps, losses = _smooth(film.losses)
        axes.plot(steps, losses, color=ROLES[role].line, linestyle=pattern, linewidth=2, label=film.name)
    axes.axvline(state.steps[state.snapshot], color=INK, linewidth=1.5)
    axes.set(xlabel="step", ylabel="loss", ylim=(0, _highest(state)), xlim=(0, max(state.steps[-1], 1)))
    axes.legend(fontsize=9, frameon=False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    alt = f"{_words(state)} Below, the curves of the loss, with a line at this step."
    # no scores: a trained network's last digits differ from machine to machine
    return Picture(
        figure,
        alt.replace("\n", " "),
        f"snapshots at steps {', '.join(map(str, state.steps))}; image: {digest(first.image)}",
    )


def _words(state: State) -> str:
    shown = next(name for name, value in SHOWN.items() if value == state.shown)
    names = " and ".join(film.name for film in state.films)
    return (
        f"The image with {state.films[0].cells} cells, and after step {state.steps[state.snapshot]} {shown}: {names}."
    )


def _film_figure(n: int, state: State) -> str:
    film, step = state.films[n], state.steps[state.snapshot]
    found, score, overlap = film.scores(state.snapshot)
    alt = (
        f"{film.name} at step {step}: {found} cells found where there are {film.cells}, SEG {_three(score)}, "
        f"IoU of the foreground {_three(overlap)}."
    )
    cell = 'style="text-align: right; padding-left: 1em; font-variant-numeric: tabular-nums"'
    rows = {
        "cells found": f"{found} of {film.cells}",
        "SEG": _three(score),
        "foreground IoU": _three(overlap),
    }
    table = "".join(f"<tr><td>{name}</td><td {cell}><b>{value}</b></td></tr>" for name, value in rows.items())
    return (
        f'<figure style="margin: 0"><figcaption style="line-height: 1.5"><b>{film.name}</b>, step {step:,}</figcaption>'
        f'<div style="line-height: 0">{film.tag(state.snapshot, state.shown, alt)}</div></figure>'
        f'<table style="line-height: 1.5">{table}</table>'
    )


def _curves(state: State) -> str:
    """The losses as SVG, a line at the step, and what the colours of the pictures mean."""
    width, height, left, top = 640, 190, 40, 8
    right, bottom = width - 8, height - 44
    last, most = max(state.steps[-1], 1), _highest(state)

    def x(step: float) -> float:
        return left + (right - left) * step / last

    def y(loss: float) -> float:
        return bottom - (bottom - top) * min(loss, most) / most

    parts = [f'<rect width="{width}" height="{height}" fill="{PAPER}"/>']
    for part in (0, 0.5, 1):
        parts.append(f'<path d="M{left} {y(part * most):.1f}H{right}" stroke="{ROLES["neutral"].fill}"/>')
        parts.append(f'<text x="{left - 5}" y="{y(part * most) + 3.5:.1f}" text-anchor="end">{part * most:.2f}</text>')
        anchor = {0: "start", 0.5: "middle", 1: "end"}[part]
        parts.append(f'<text x="{x(part * last):.1f}" y="{bottom + 13}" text-anchor="{anchor}">{part * last:g}</text>')
    here = x(state.steps[state.snapshot])
    parts.append(f'<path d="M{here:.1f} {top}V{bottom}" stroke="{INK}" stroke-width="1.5"/>')
    words = []
    for n, (film, role, dashes) in enumerate(zip(state.films, CURVES, DASHES, strict=False)):
        steps, losses = _smooth(film.losses)
        colour, key = ROLES[role].line, left + 8 + 195 * n
        line = " ".join(f"{x(step):.1f},{y(loss):.1f}" for step, loss in zip(steps, losses, strict=True))
        style = f'stroke="{colour}" stroke-width="2" stroke-dasharray="{dashes}"'
        parts.append(f'<polyline points="{line}" fill="none" {style}/>')
        parts.append(
            f'<path d="M{key} {height - 9}h24" {style}/><text x="{key + 28}" y="{height - 5}">{film.name}</text>'
        )
        words.append(f"{film.name} from {losses[0]:.3f} to {losses[-1]:.3f}" if len(losses) else film.name)
    parts.append(
        f'<text x="{(left + right) / 2}" y="{bottom + 26}" text-anchor="middle">step; loss, mean of {SMOOTH} steps</text>'
    )
    svg = (
        f'<svg role="img" aria-label="Curves of the loss over the steps: {"; ".join(words)}." viewBox="0 0 {width} {height}" '
        f'style="width: 100%; display: block" font-family="sans-serif" font-size="10" fill="{INK}">{"".join(parts)}</svg>'
    )
    return f'<p style="margin: 0.3em 0; line-height: 1.5">{_key(state)}</p>{svg}'


def _key(state: State) -> str:
    if state.shown == "cells":
        return "Each connected piece has one colour: two cells in one colour, side by side, were not told apart."
    if state.shown == "probability":
        return "Black: surely background. White: surely cell. Grey: the network is in doubt."
    patterns = {
        "FP": f"repeating-linear-gradient(135deg, {PAPER} 0 2px, {KINDS[2].colour} 2px 6px)",
        "FN": f"radial-gradient(circle, {PAPER} 1.5px, {KINDS[3].colour} 2px) 0 0 / 6px 6px",
    }
    square = "display: inline-block; width: 1.4em; height: 0.8em; border: 1px solid currentColor; background:"
    return " &nbsp; ".join(
        f'<span style="white-space: nowrap"><span aria-hidden="true" style="{square} {patterns.get(kind.name, kind.colour)}"></span> '
        f"{kind.name} {kind.meaning}</span>"
        for kind in KINDS[1:4]
    )


def _smooth(losses: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The means of SMOOTH steps, and the middles of these steps."""
    width = max(1, min(SMOOTH, len(losses)))
    means: NDArray[np.float64] = losses
    if len(losses):
        means = np.lib.stride_tricks.sliding_window_view(losses, width).mean(axis=1, dtype=np.float64)
    return np.arange(len(means), dtype=np.float64) + (width + 1) / 2, means


def _highest(state: State) -> float:
    """The top of the curves' axis: where the first run begins, so that a run that explodes does not press it flat."""
    tops = [float(_smooth(film.losses)[1][0]) for film in state.films if len(film.losses)]
    return 1.25 * (tops[0] if tops else 1.0)


def _three(ratio: float) -> str:
    return "0 / 0" if np.isnan(ratio) else f"{ratio:.3f}"
