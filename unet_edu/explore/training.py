"""The training scrubber: what a network predicts, from its first step to its last. Lesson 07."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import ipywidgets
import numpy as np
from matplotlib.colors import to_rgb
from numpy.typing import ArrayLike, NDArray

from unet_edu.explore.board import KIND_KEYS, Curve, Curves, Image, Rows, Stack, Table, Text, still, three, views
from unet_edu.explore.explorer import Explorer, Picture
from unet_edu.explore.fields import controls, menu
from unet_edu.explore.picture import digest
from unet_edu.figures.palette import CLASSES
from unet_edu.figures.segmentation import agreement
from unet_edu.instances import connected, seg
from unet_edu.losses import separated
from unet_edu.metrics import confusion_matrix, iou

__all__ = ["Film", "State", "board", "picture", "training"]

SHOWN = {"what is wrong": "errors", "the cells that are found": "cells", "the probability of cell": "probability"}
CURVES = (("output", ""), ("error", "7 4"), ("skip", "2 4"))  # role and dashes, one a run
SMOOTH = 10  # steps: single losses jump too much to be compared


@dataclass(frozen=True, eq=False)
class Film:
    """One run: the loss of each step, and what was predicted for the image at some of them."""

    name: str
    losses: NDArray[np.float64]
    steps: tuple[int, ...]  # of its snapshots
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
        if (key := (snapshot, shown)) not in self.seen:
            self.seen[key] = self._drawn(self.probabilities[snapshot], shown)
        return self.seen[key]

    def _drawn(self, probability: NDArray[np.float32], shown: str) -> NDArray[np.float32]:
        mask = probability > 0.5
        if shown == "errors":
            return agreement(self.image, mask, separated(self.instances))
        if shown == "cells":
            colours = np.array([to_rgb(colour) for colour in CLASSES[1:]], np.float32)
            found = connected(mask)
            ground = np.repeat(self.image[..., None], 3, axis=-1) * 0.6
            return np.where((found > 0)[..., None], colours[(found - 1) % len(colours)], ground)
        return np.repeat(probability[..., None], 3, axis=-1)


@dataclass(frozen=True, eq=False)
class State:
    films: tuple[Film, ...]
    steps: tuple[int, ...]
    # a slider of places, not of steps: the arrow keys then go from snapshot to snapshot
    snapshot: int = menu(
        lambda state: {f"{step:,}": place for place, step in enumerate(state.steps)},
        "Step",
        widget=ipywidgets.SelectionSlider,
        layout={"width": "28em"},
    )
    shown: str = menu(SHOWN, "Show")


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
        They stand side by side. `losses` are those of each step, as in `History.losses`. `snapshots` has for some steps
        the probability of class 1 for each pixel of the image, (H, W); `fit(…, on_validation=…)` is the place to
        collect them. A run that has none at some step of another one, because it was stopped, shows the one before.
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
        When there is no run, or one without a snapshot, or when the shapes differ.

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
    steps = tuple(sorted({step for _, snapshots in runs.values() for step in snapshots}))
    films = []
    for name, (losses, snapshots) in runs.items():
        if not snapshots:
            raise ValueError(f"runs[{name!r}]: expected at least one snapshot, got none")
        shown = tuple(max((n for n in snapshots if n <= step), default=min(snapshots)) for step in steps)
        probabilities = np.stack([np.asarray(snapshots[n], np.float32) for n in shown])
        if probabilities.shape[1:] != image.shape:
            raise ValueError(
                f"runs[{name!r}]: expected one probability a pixel, {image.shape}, got shape {probabilities.shape[1:]}"
            )
        films.append(Film(name, np.asarray(losses, np.float64), shown, probabilities, image, instances))
    begin = len(steps) - 1 if step is None else int(np.argmin([abs(n - step) for n in steps]))
    state = State(tuple(films), steps, begin, "errors")
    return Explorer(state, controls(state), views(board, state), picture)


def board(state: State) -> Rows:
    """Each run's answer at this step, and the losses so far and to come."""
    return [_film(film, state) for film in state.films], (_losses(state),)


def picture(state: State) -> Picture:
    """The image beside the answers, for where nothing runs."""
    first, (films, losses) = state.films[0], board(state)
    image = Image(first.image, "", title=f"{first.cells} cells")
    alt = f"{_words(state)} Below, the curves of the loss, with a line at this step."
    # no scores: a trained network's last digits differ from machine to machine
    numbers = f"snapshots at steps {', '.join(map(str, state.steps))}; image: {digest(first.image)}"
    return still(((image, *films), losses), alt.replace("\n", " "), numbers)


def _words(state: State) -> str:
    shown = next(name for name, value in SHOWN.items() if value == state.shown)
    names = " and ".join(film.name for film in state.films)
    return (
        f"The image with {state.films[0].cells} cells, and after step {state.steps[state.snapshot]} {shown}: {names}."
    )


def _film(film: Film, state: State) -> Stack:
    step, (found, score, overlap) = film.steps[state.snapshot], film.scores(state.snapshot)
    image = Image(
        film.drawn(state.snapshot, state.shown),
        f"{film.name} at step {step}: {found} cells found where there are {film.cells}, SEG {three(score)}, "
        f"IoU of the foreground {three(overlap)}.",
        f"<b>{film.name}</b>, step {step:,}",
        title=f"{film.name}, step {step}",
        width="32em",
        is_captioned_above=True,
    )
    rows = {"cells found": f"{found} of {film.cells}", "SEG": three(score), "foreground IoU": three(overlap)}
    return Stack((image, Table([(name, f"<b>{value}</b>") for name, value in rows.items()])))


def _losses(state: State) -> Stack:
    """The losses, a line at the step, and what the colours of the pictures mean."""
    smooth = [_smooth(film.losses) for film in state.films]
    words = [
        f"{film.name} from {losses[0]:.3f} to {losses[-1]:.3f}" if len(losses) else film.name
        for film, (_, losses) in zip(state.films, smooth, strict=True)
    ]
    last, most = max(state.steps[-1], 1), _highest(state)
    curves = [Curve(film.name, *line, *style) for film, line, style in zip(state.films, smooth, CURVES, strict=False)]
    return Stack(
        (
            _key(state.shown),
            Curves(
                curves,
                f"Curves of the loss over the steps: {'; '.join(words)}.",
                (0, last / 2, last),
                (0, most / 2, most),
                (f"step; loss, mean of {SMOOTH} steps", "loss"),
                at=state.steps[state.snapshot],
                size=(640, 190),
            ),
        )
    )


def _key(shown: str) -> Text:
    if shown == "cells":
        return Text("Each connected piece has one colour: two cells in one colour, side by side, were not told apart.")
    if shown == "probability":
        return Text("Black: surely background. White: surely cell. Grey: the network is in doubt.")
    return Text("", keys=KIND_KEYS[:3])


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
