"""The ablation gallery: a part of the U-Net is left out or exchanged, and it is trained anew. Lesson 09.

The runs were measured by `benchmarks/ablations.py`; here they are only shown. A record there has a variant, a seed and scores; the pictures
beside it have, under the name of a variant, the cells that its first run found.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, NamedTuple

import ipywidgets
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from unet_edu.data.measured import Measured, measured, samples
from unet_edu.explore.explorer import Explorer, Picture, View
from unet_edu.explore.picture import array_png, digest, image_tag
from unet_edu.figures.palette import INK, PAPER, ROLES
from unet_edu.figures.results import draw_spread, found_cells, over_cells

__all__ = ["CHANGES", "Comparison", "State", "ablations", "compared", "picture", "runs"]

REFERENCE = "full"
CHANGES = {
    "full": "nothing is changed: copies are joined as channels, steps up are transposed convolutions, gaps between cells weigh more, and the training pictures are varied",
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
EMPTY = np.zeros((1, 1), np.int32)


@dataclass(frozen=True)
class State:
    variant: str
    sample: int
    score: str


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

    Choose what was changed. The dots are trained networks, one for each seed; beside them you see what one of them found in a picture, and what
    the whole network found there.

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
    there = [name for name in SCORES if runs(name)]
    if score not in there:
        raise ValueError(f"score: expected one of {', '.join(there)}, got {score!r}")
    if variant not in runs(score):
        raise ValueError(f"variant: expected one of {', '.join(runs(score))}, got {variant!r}")
    pictures = len(_samples().get("images", []))
    if not 0 <= sample < max(1, pictures):
        raise ValueError(f"sample: expected a number from 0 to {max(1, pictures) - 1}, got {sample}")
    wide = {"style": {"description_width": "initial"}}
    controls: dict[str, ipywidgets.DOMWidget] = {
        "variant": ipywidgets.Dropdown(options=[(name, name) for name in runs(score)], description="Change"),
        "score": ipywidgets.Dropdown(
            options=[(SCORES[name], name) for name in there], description="Score", layout={"width": "26em"}, **wide
        ),
    }
    if pictures > 1:
        controls["sample"] = ipywidgets.IntSlider(min=0, max=pictures - 1, description="Picture")
    column = {"flex": "1 1 45%", "min_width": "20em", "max_width": "42em", "margin": "0 1em 0 0"}
    views = [
        View(ipywidgets.HTML(layout=column), "value", lambda state: _words(state) + _chart(state)),
        View(ipywidgets.HTML(layout=column), "value", _gallery),
    ]
    return Explorer(State(variant, sample, score), controls, views, picture)


@functools.lru_cache(maxsize=1)
def _results() -> Measured:
    return measured("ablations")


@functools.lru_cache(maxsize=1)
def _samples() -> dict[str, NDArray[Any]]:
    return samples("ablations")


@functools.lru_cache(maxsize=8)
def runs(score: str) -> dict[str, tuple[float, ...]]:
    """The scores of all runs, by variant: the whole network first, then in the order of `CHANGES`, then the others. Empty when nobody
    measured this score."""
    results = _results()
    names = dict.fromkeys([*CHANGES, *(record["variant"] for record in results.records)])
    found = {name: tuple(results.scores(score, variant=name)) for name in names}
    return {name: scores for name, scores in found.items() if scores}


def compared(state: State) -> Comparison:
    every = runs(state.score)
    return Comparison(every[state.variant], every.get(REFERENCE, ()))


def picture(state: State) -> Picture:
    """The picture with the cells of both networks, and the runs of all variants, for where nothing runs."""
    every, panels = runs(state.score), _panels(state)
    figure = Figure(figsize=(10, max(3.0, 1.0 + 0.3 * len(every))), dpi=100, facecolor=PAPER, layout="constrained")
    row = np.atleast_1d(figure.subplots(1, len(panels) + 1, width_ratios=[1] * len(panels) + [1.5]))
    for axes, (name, *arrays) in zip(row[:-1], panels, strict=True):
        axes.imshow(over_cells(*arrays), interpolation="antialiased")
        axes.set_title(f"{name}\n{_counts(*arrays[1:])}", fontsize=9.5, color=INK)
        axes.set_axis_off()
    draw_spread(row[-1], every, SCORES[state.score].split(":")[0], REFERENCE if REFERENCE in every else None)
    row[-1].axhspan(*(list(every).index(state.variant) + half for half in (-0.45, 0.45)), fill=False, edgecolor=INK)
    lines = "; ".join(f"{name} {_spread(scores)}" for name, scores in every.items())
    return Picture(figure, _alt(state), f"{state.score}: {lines}{_digest(state)}")


def _digest(state: State) -> str:
    cells = _samples().get(state.variant)
    return "" if cells is None else f"; cells found: {digest(cells[state.sample])}"


def _panels(state: State) -> list[tuple[str, NDArray[Any], NDArray[Any], NDArray[Any]]]:
    """Title, image, cells found, true cells: for the whole network and for the variant, where pictures were kept."""
    there = _samples()
    names = [name for name in dict.fromkeys((REFERENCE, state.variant)) if name in there]
    return [(name, *(there[key][state.sample] for key in ("images", name, "truth"))) for name in names]  # type: ignore[misc]


def _words(state: State) -> str:
    found, change = compared(state), CHANGES.get(state.variant, "")
    words = f"<b>{state.variant}</b>" + (f": {change}." if change else "")
    return (
        f'<p style="margin: 0 0 0.3em; line-height: 1.5; min-height: 7.5em">{words}<br>{_spread(found.scores)} (mean ± standard deviation of '
        f"{len(found.scores)} runs: {_list(found.scores)}). {found.verdict}</p>"
    )


def _chart(state: State) -> str:
    """A row a variant, a dot a run, as SVG."""
    every = runs(state.score)
    row, left, width, top = 22, 128, 440, 6
    bottom = top + row * len(every)
    values = [value for scores in every.values() for value in scores]
    low, high = np.floor(min(values) * 20 - 0.4) / 20, np.ceil(max(values) * 20 + 0.4) / 20

    def x(value: float) -> float:
        return left + (width - left - 12) * (value - low) / (high - low)

    parts = [f'<rect width="{width}" height="{bottom + 34}" fill="{PAPER}"/>']
    reference = every.get(REFERENCE, ())
    if reference:
        ends = x(min(reference)), x(max(reference))
        parts.append(
            f'<rect x="{ends[0]:.1f}" y="{top}" width="{max(1, ends[1] - ends[0]):.1f}" height="{bottom - top}" fill="{ROLES["output"].fill}"/>'
        )
    step = 0.05 if high - low <= 0.4 else 0.1
    for tick in np.arange(np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9) + 1) * step:
        parts.append(f'<path d="M{x(tick):.1f} {top}V{bottom}" stroke="{ROLES["neutral"].fill}"/>')
        parts.append(f'<text x="{x(tick):.1f}" y="{bottom + 13}" text-anchor="middle">{tick:.2f}</text>')
    parts.append(f'<text x="{(left + width) / 2}" y="{bottom + 28}" text-anchor="middle">{SCORES[state.score]}</text>')
    for n, (name, scores) in enumerate(every.items()):
        y, chosen = top + row * (n + 0.5), name == state.variant
        colour = ROLES["output" if name == REFERENCE else "error" if chosen else "input"].line
        if chosen:
            parts.append(
                f'<rect x="1" y="{y - row / 2 + 1}" width="{width - 2}" height="{row - 2}" rx="4" fill="none" stroke="{INK}"/>'
            )
        weight = ' font-weight="bold"' if chosen else ""
        parts.append(f'<text x="{left - 8}" y="{y + 4}" text-anchor="end"{weight}>{name}</text>')
        parts.append(f'<path d="M{x(float(np.mean(scores))):.1f} {y - 7}v14" stroke="{colour}" stroke-width="2.5"/>')
        parts += [
            f'<circle cx="{x(value):.1f}" cy="{y}" r="4" fill="{PAPER}" stroke="{colour}" stroke-width="1.6"/>'
            for value in scores
        ]
    return (
        f'<svg role="img" aria-label="{_alt_chart(state)}" viewBox="0 0 {width} {bottom + 34}" style="width: 100%; max-width: 40em; display: block" '
        f'font-family="sans-serif" font-size="11" fill="{INK}">{"".join(parts)}</svg>'
        '<p style="margin: 0; line-height: 1.4">A dot is one trained network, the line the mean. The green band is the range of the whole network.</p>'
    )


def _gallery(state: State) -> str:
    names = [name for name, *_ in _panels(state)]
    if not names:
        return "<p>No pictures were kept of these runs.</p>"
    figures = "".join(_drawn(name, state.sample) for name in names)
    missing = "" if state.variant in names else f"<p>Of “{state.variant}” no picture was kept.</p>"
    return f'<div style="display: flex; flex-wrap: wrap; gap: 0.6em">{figures}</div>{missing}{_key()}'


@functools.lru_cache(maxsize=64)  # drawing takes longer than all else that a choice sets off
def _drawn(name: str, sample: int) -> str:
    image, found, truth = (_samples()[key][sample] for key in ("images", name, "truth"))
    tag = image_tag(array_png(over_cells(image, found, truth)), _alt_panel(name, found, truth), "width: 100%")
    return (
        f'<figure style="margin: 0; flex: 1 1 14em; max-width: 24em"><figcaption style="line-height: 1.5"><b>{name}</b><br>'
        f'{_counts(found, truth)}</figcaption><div style="line-height: 0">{tag}</div></figure>'
    )


def _key() -> str:
    square = "display: inline-block; width: 1.4em; height: 0.8em; border: 1px solid currentColor; background:"
    stripes = f"repeating-linear-gradient(135deg, {PAPER} 0 2px, {ROLES['error'].line} 2px 7px)"
    items = (
        (ROLES["output"].line, "a true cell that was found (IoU above 0.5)"),
        (stripes, "one that was not"),
    )
    chips = "".join(
        f'<span style="white-space: nowrap; margin-right: 1em"><span aria-hidden="true" style="{square} {ground}"></span> {words}</span> '
        for ground, words in items
    )
    return f'<p style="margin: 0.2em 0 0; line-height: 1.6">{chips}<span style="white-space: nowrap">white outline: a predicted cell</span></p>'


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
    return f"{SCORES[state.score]}. {state.variant}: {_spread(found.scores)}; {REFERENCE}: {_spread(found.reference)}. {found.verdict}"


def _spread(scores: tuple[float, ...]) -> str:
    if not scores:
        return "not measured"
    sd = float(np.std(scores, ddof=1)) if len(scores) > 1 else float("nan")
    return f"{np.mean(scores):.3f} ± {sd:.3f}"


def _list(scores: tuple[float, ...]) -> str:
    return ", ".join(f"{score:.3f}" for score in scores)
