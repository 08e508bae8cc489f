"""The threshold explorer: what one number for a whole photograph hits and misses, and how that is scored. Lesson 01."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unet_edu.data.masks import MASKED, UNKNOWN, photo_and_mask
from unet_edu.explore.board import KIND_KEYS, Curve, Curves, Image, Rows, Stack, Table, still, three, views
from unet_edu.explore.explorer import Explorer, Picture
from unet_edu.explore.fields import checked, controls, menu, slider
from unet_edu.explore.picture import digest
from unet_edu.figures.palette import ROLES
from unet_edu.figures.segmentation import agreement, kinds
from unet_edu.metrics import dice, iou, pixel_accuracy, precision, recall

__all__ = ["Scores", "State", "board", "picture", "predicted", "scores", "sweep", "tables", "threshold"]

STEPS = 100  # of the slider: two digits after the point
WIDEST = 400  # pixels of a picture that travels at each step; of wider ones every second is drawn, and all are counted
SIDES = {"brighter than the threshold": False, "darker than the threshold": True}
CURVES = {"IoU": ("output", ""), "Dice": ("skip", "7 4"), "accuracy": ("neutral", "2 4")}  # role, dashes


@dataclass(frozen=True)
class State:
    threshold: float = slider(
        0, 1, "Threshold", step=1 / STEPS, expected="a number from 0 (black) to 1 (white)", readout_format=".2f"
    )
    darker: bool = menu(SIDES, "Mark")
    photo: str = menu(MASKED.keys(), "Photo", expected="one of {plain}")

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

    Move the slider: the picture shows which pixels are rightly marked, wrongly marked and missed; the table scores
    them, and the curves show the scores for all thresholds, with yours marked. Choose another photograph, or mark what
    is darker.

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
    state = checked(State, photo=photo, threshold=threshold, darker=darker)
    return Explorer(state, controls(state), views(board, state), picture)


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

    The pixels are sorted: how many are brighter than a threshold is then their place in the row. So a moving slider
    counts nothing.

    Parameters
    ----------
    photo : str
    darker : bool

    Returns
    -------
    (STEPS + 1, 2, 2) array
        Rows are the truth, as `unet_edu.metrics.confusion_matrix` has them. Pixels whose truth is unknown are not
        counted.
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


def board(state: State, widest: int = WIDEST) -> Rows:
    """The photograph and what was hit and missed; the scores, and their curves."""
    image, mask = photo_and_mask(state.photo)
    some = (slice(None, None, -(-image.shape[1] // widest)),) * 2
    verdict = Image(
        agreement(image[some], predicted(state)[some], mask[some]),
        _alt(state),
        f"{_side(state)} —",
        KIND_KEYS if (mask == UNKNOWN).any() else KIND_KEYS[:3],
        title=_side(state),
        is_pixelated=False,
    )
    return (_photo(state.photo), verdict), (_table(scores(state)), _curves(state))


def picture(state: State) -> Picture:
    """All of it for where nothing runs."""
    _, mask = photo_and_mask(state.photo)
    found = scores(state)
    numbers = f"TP {found.hits}, FP {found.wrong}, FN {found.missed}, TN {found.left_out}"
    ratios = ", ".join(f"{name} {three(getattr(found, name))}" for name in Scores._fields[4:])
    return still(
        board(state, widest=mask.shape[1]),
        f"{_alt(state)} Below, curves of IoU, Dice and accuracy over all thresholds, with a line at "
        f"{state.threshold:.2f}.",
        f"{numbers}; {ratios}; kinds of pixels: {digest(kinds(predicted(state), mask))}",
    )


@lru_cache(maxsize=len(MASKED))
def _photo(name: str) -> Image:
    return Image(
        photo_and_mask(name)[0],
        f"Photograph: {MASKED[name]}.",
        f"the photograph: {MASKED[name]}",
        title="the photograph",
        is_pixelated=False,
    )


def _table(found: Scores) -> Stack:
    """The counts and the ratios, each with its formula filled in."""
    TP, FP, FN, TN = found[:4]
    ratios = (
        ("precision = TP / (TP + FP)", TP, TP + FP, found.precision),
        ("recall = TP / (TP + FN)", TP, TP + FN, found.recall),
        ("IoU = TP / (TP + FP + FN)", TP, TP + FP + FN, found.iou),
        ("Dice = 2·TP / (2·TP + FP + FN)", 2 * TP, 2 * TP + FP + FN, found.dice),
        ("accuracy = (TP + TN) / all", TP + TN, TP + FP + FN + TN, found.accuracy),
    )
    counts = Table([[f"{count:,}" for count in found[:4]]], head=("TP", "FP", "FN", "TN"))
    lines = [(name, f"{part:,} / {whole:,}", f"<b>{three(ratio)}</b>") for name, part, whole, ratio in ratios]
    return Stack((counts, Table(lines)))


def _curves(state: State) -> Curves:
    """The scores over all thresholds."""
    values, here = sweep(state.photo, state.darker), round(state.threshold * STEPS)
    levels = np.arange(STEPS + 1) / STEPS
    now = {name: three(scores[here]) for name, scores in values.items()}
    best = int(np.argmax(values["IoU"]))
    words = ", ".join(f"{name} {score}" for name, score in now.items())
    ticks = (0, 0.25, 0.5, 0.75, 1)
    return Curves(
        [Curve(f"{name} {now[name]}", levels, values[name], *style) for name, style in CURVES.items()],
        f"Curves of IoU, Dice and accuracy over the thresholds from 0 to 1. At {state.threshold:.2f}: {words}. "
        f"The best IoU, {three(values['IoU'][best])}, is at {best / STEPS:.2f}.",
        ticks,
        ticks,
        ("threshold", "score"),
        at=state.threshold,
        dots=[(state.threshold, values[name][here], ROLES[role].line) for name, (role, _) in CURVES.items()],
        size=(360, 214),
    )


def _side(state: State) -> str:
    return f"{'darker' if state.darker else 'brighter'} than {state.threshold:.2f}"


def _alt(state: State) -> str:
    found = scores(state)
    return (
        f"The photograph ({MASKED[state.photo]}). Marked is what is {_side(state)}: {found.hits:,} pixels rightly, "
        f"{found.wrong:,} wrongly, and {found.missed:,} are missed. IoU {three(found.iou)}, Dice {three(found.dice)}."
    )
