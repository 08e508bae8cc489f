"""The ablation gallery: a part of the U-Net is left out or exchanged, and it is trained anew. Lesson 09.

The runs were measured by `benchmarks/ablations.py`; here they are only shown. A record there has a variant, a seed and
scores; the pictures beside it have, under the name of a variant, the cells that its first run found.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unet_edu.data.measured import Measured, measured, samples
from unet_edu.explore.board import Image, Key, Rows, Runs, Stack, Text, still, views
from unet_edu.explore.explorer import Explorer, Picture
from unet_edu.explore.fields import checked, controls, menu, slider
from unet_edu.explore.picture import digest
from unet_edu.figures.palette import ROLES
from unet_edu.figures.results import found_cells, over_cells

__all__ = ["CHANGES", "Comparison", "State", "ablations", "board", "compared", "picture", "runs"]

REFERENCE = "full"
CHANGES = {
    "full": "nothing is changed: copies are joined as channels, steps up are transposed convolutions, gaps between "
    "cells weigh more, and the training pictures are varied",
    "no skips": "nothing crosses from the left to the right; what the bottom knows must do",
    "add": "a copy is added to the features on the right, instead of standing beside them",
    "multiply": "the features on the right are multiplied by a copy",
    "no weight map": "a mistake costs the same at every pixel, also in the gap between two cells",
    "no augmentation": "the training pictures are cut out as they are: never turned, bent or made brighter",
    "no elastic": "the training pictures are turned and mirrored, but not bent",
    "bilinear": "steps up are bilinear interpolation and a 1×1 convolution",
    "unpool": "steps up are max unpooling, SegNet's way, and a 1×1 convolution",
    "valid padding": "convolutions lose their border, as in the paper, instead of adding zeros",
    "same padding": "convolutions add zeros at the border, instead of losing it",
    "no normalisation": "no batch normalisation",
    "one level less": "the network pools once less, so it sees less far",
    "half as wide": "half as many channels at every level",
}
"""The variants by name, each with what it does. Measured variants with other names are shown too."""
SCORES = {
    "seg": "SEG: mean score of all true cells",
    "average_precision": "mean average precision, thresholds 0.50 to 0.95",
    "iou": "IoU of all cell pixels",
}
KEYS = (
    Key("a true cell that was found (IoU above 0.5)", ROLES["output"].line),
    Key("one that was not", ROLES["error"].line, "striped"),
)


@functools.lru_cache(maxsize=1)
def _results() -> Measured:
    return measured("ablations")


@functools.lru_cache(maxsize=1)
def _samples() -> dict[str, NDArray[Any]]:
    return samples("ablations")


@functools.lru_cache(maxsize=8)
def runs(score: str) -> dict[str, tuple[float, ...]]:
    """The scores of all runs, by variant: the whole network first, then in the order of `CHANGES`, then the others.
    Empty when nobody measured this score."""
    results = _results()
    names = dict.fromkeys([*CHANGES, *(record["variant"] for record in results.records)])
    found = {name: tuple(results.scores(score, variant=name)) for name in names}
    return {name: scores for name, scores in found.items() if scores}


@dataclass(frozen=True)
class State:
    variant: str = menu(lambda state: runs(state.score).keys(), "Variant", "one of {plain}")
    score: str = menu(
        lambda state: {words: name for name, words in SCORES.items() if runs(name)},
        "Score",
        "one of {plain}",
        layout={"width": "26em"},
        style={"description_width": "initial"},
    )
    sample: int = slider(0, lambda: max(1, len(_samples().get("images", []))) - 1, "Picture")


class Comparison(NamedTuple):
    """The runs of one variant beside those of the whole network."""

    scores: tuple[float, ...]
    reference: tuple[float, ...]

    @property
    def verdict(self) -> str:
        """What so few runs can say."""
        if self.scores == self.reference:
            return "This is the whole network, to compare with."
        n, m = len(self.scores), len(self.reference)
        if max(self.scores) < min(self.reference):
            return f"All {n} runs are below all {m} runs of the whole network."
        if min(self.scores) > max(self.reference):
            return f"All {n} runs are above all {m} runs of the whole network."
        return f"The runs overlap with those of the whole network: {n} and {m} runs cannot tell the two apart."


def ablations(variant: str = "no skips", sample: int = 0, *, score: str = "seg") -> Explorer:
    """Explore what each part of the U-Net is worth.

    Choose what was changed. The dots are trained networks, one for each seed; beside them you see what one of them
    found in a picture, and what the whole network found there.

    Parameters
    ----------
    variant : str
        One of those that were measured: `runs("seg")` lists them.
    sample : int
        The number of a picture.
    score : str
        One of `SCORES` that was measured.

    Returns
    -------
    Explorer
        The last value of a notebook cell shows itself.

    Raises
    ------
    ValueError
        When no such variant, picture or score was measured.
    FileNotFoundError
        When the results are missing from the package.
    """
    state = checked(State, score=score, variant=variant, sample=sample)
    return Explorer(state, controls(state), views(board, state), picture)


def compared(state: State) -> Comparison:
    every = runs(state.score)
    return Comparison(every[state.variant], every.get(REFERENCE, ()))


def board(state: State) -> Rows:
    """The runs of all variants; the picture with the cells of both networks."""
    return ((_runs(state), _gallery(state)),)


def picture(state: State) -> Picture:
    """The same, for where nothing runs."""
    lines = "; ".join(f"{name} {_spread(scores)}" for name, scores in runs(state.score).items())
    return still(board(state), _alt(state), f"{state.score}: {lines}{_digest(state)}")


def _digest(state: State) -> str:
    cells = _samples().get(state.variant)
    return "" if cells is None else f"; cells found: {digest(cells[state.sample])}"


def _panels(state: State) -> list[tuple[str, NDArray[Any], NDArray[Any], NDArray[Any]]]:
    """Title, image, cells found, true cells: for the whole network and for the variant, where pictures were kept."""
    there = _samples()
    names = [name for name in dict.fromkeys((REFERENCE, state.variant)) if name in there]
    number = state.sample
    return [(name, there["images"][number], there[name][number], there["truth"][number]) for name in names]


def _runs(state: State) -> Stack:
    found, change = compared(state), CHANGES.get(state.variant, "")
    words = (
        f'<p style="margin: 0 0 0.3em; min-height: 7.5em"><b>{state.variant}</b>{f": {change}." if change else ""}<br>'
        f"{_spread(found.scores)} (mean ± standard deviation of {len(found.scores)} runs: {_list(found.scores)}). "
        f"{found.verdict}</p>"
    )
    chart = Runs(runs(state.score), _alt_chart(state), SCORES[state.score], chosen=state.variant, reference=REFERENCE)
    below = "A dot is one trained network, the line the mean. The green band is the range of the whole network."
    return Stack((Text(words), chart, Text(below)))


def _gallery(state: State) -> Stack:
    names = [name for name, *_ in _panels(state)]
    if not names:
        return Stack((Text("No pictures were kept of these runs."),))
    images = Stack([_drawn(name, state.sample) for name in names], is_across=True)
    missing = [] if state.variant in names else [Text(f"Of “{state.variant}” no picture was kept.")]
    return Stack((images, *missing, Text("<div>White outline: a predicted cell.</div>", keys=KEYS)), share=1.3)


@functools.lru_cache(maxsize=64)  # drawing takes longer than all else that a choice sets off
def _drawn(name: str, sample: int) -> Image:
    image, found, truth = (_samples()[key][sample] for key in ("images", name, "truth"))
    counts = _counts(found, truth)
    return Image(
        over_cells(image, found, truth),
        _alt_panel(name, found, truth),
        f"<b>{name}</b><br>{counts}",
        title=f"{name}\n{counts.replace(', ', chr(10))}",
        width="24em",
        is_pixelated=False,
        is_captioned_above=True,
    )


def _counts(found: NDArray[np.int32], truth: NDArray[np.int32]) -> str:
    right = found_cells(found, truth)
    return f"{right.sum()} of {len(right)} cells found, {len(np.unique(found[found > 0]))} predicted"


def _alt(state: State) -> str:
    panels = " ".join(_alt_panel(name, found, truth) for name, _, found, truth in _panels(state))
    return f"{panels} {_alt_chart(state)}".strip()


def _alt_panel(name: str, found: NDArray[np.int32], truth: NDArray[np.int32]) -> str:
    return f"The cells of one picture with what the network “{name}” found: {_counts(found, truth)}."


def _alt_chart(state: State) -> str:
    found = compared(state)
    spreads = f"{state.variant}: {_spread(found.scores)}; {REFERENCE}: {_spread(found.reference)}"
    return f"{SCORES[state.score]}. {spreads}. {found.verdict}"


def _spread(scores: tuple[float, ...]) -> str:
    if not scores:
        return "not measured"
    sd = float(np.std(scores, ddof=1)) if len(scores) > 1 else float("nan")
    return f"{np.mean(scores):.3f} ± {sd:.3f}"


def _list(scores: tuple[float, ...]) -> str:
    return ", ".join(f"{score:.3f}" for score in scores)
