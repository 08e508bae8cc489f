"""The skip explorer: networks that were trained with other skip connections, or with none. A side road of lesson 06."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unet_edu.data.cells import LOOKS
from unet_edu.data.networks import NETWORKS, held_out, predicted, pretrained
from unet_edu.explore.board import KIND_KEYS, Image, Rows, Stack, Text, still, views
from unet_edu.explore.explorer import Explorer, Picture
from unet_edu.explore.fields import checked, controls, menu, slider
from unet_edu.explore.picture import digest
from unet_edu.figures.segmentation import agreement, kinds
from unet_edu.instances import connected, seg
from unet_edu.losses import separated
from unet_edu.metrics import confusion_matrix, iou

__all__ = ["IMAGES", "Score", "State", "board", "masks", "picture", "score", "skips"]

IMAGES = 4  # of the held-out pictures of each look
TITLES = {"concat": "concatenated", "add": "added", "multiply": "multiplied", "none": "no copies"}
WIDTH = "224px"  # so that all five stand side by side on a laptop


@dataclass(frozen=True)
class State:
    look: str = menu(LOOKS, "Microscope")
    image: int = slider(0, IMAGES - 1, "Picture", expected="{low} to {high}")


class Score(NamedTuple):
    """SEG of the cells and IoU of the pixels of one mask."""

    seg: float
    iou: float


def skips(look: str = "phase", image: int = 0) -> Explorer:
    """Compare four networks, each trained in its own way: copies concatenated, added, multiplied, or none.

    What a network loses whose copies are taken away afterwards is another question: `explore.unet` shows it.

    Parameters
    ----------
    look : "phase" or "fluorescence"
    image : int
        Which of the held-out pictures.

    Returns
    -------
    Explorer
        The last value of a notebook cell shows itself.

    Raises
    ------
    ValueError
        When an argument is none of these.
    """
    state = checked(State, look=look, image=image)
    for one in LOOKS:  # all answers at once, so that none makes the reader wait
        for name in NETWORKS:
            masks(one, name)
    return Explorer(state, controls(state), views(board, state), picture)


@lru_cache(maxsize=len(LOOKS))
def _examples(look: str) -> list[tuple[NDArray[np.float32], NDArray[np.int32]]]:
    return held_out(look)[look][:IMAGES]


@lru_cache(maxsize=len(LOOKS) * len(NETWORKS))
def masks(look: str, name: str) -> NDArray[np.uint8]:
    """What a network answers for each picture, (IMAGES, H, W)."""
    return predicted(pretrained(name), [image for image, _ in _examples(look)])


def score(mask: NDArray[np.uint8], instances: NDArray[np.int32]) -> Score:
    """How good a mask is: by cells, and by pixels."""
    return Score(seg(connected(mask), instances), float(iou(confusion_matrix(mask, separated(instances), 2))[1]))


@lru_cache(maxsize=16)
def _mean(look: str, name: str) -> Score:
    found = [score(mask, truth) for mask, (_, truth) in zip(masks(look, name), _examples(look), strict=True)]
    return Score(*(float(np.mean(values)) for values in zip(*found, strict=True)))


def _found(state: State) -> dict[str, Score]:
    """For each way to join the copies, what its network reaches on the picture."""
    _, truth = _examples(state.look)[state.image]
    return {skip: score(masks(state.look, name)[state.image], truth) for name, skip in NETWORKS.items()}


@lru_cache(maxsize=len(LOOKS) * IMAGES)
def board(state: State) -> Rows:
    """The picture, what each network makes of it, and how good that is."""
    image, truth = _examples(state.look)[state.image]
    images = [Image(image, f"Drawn cells, {state.look}.", "the picture", title="the picture", width=WIDTH)]
    for (name, skip), found in zip(NETWORKS.items(), _found(state).values(), strict=True):
        drawn = agreement(image, masks(state.look, name)[state.image], separated(truth))
        words = f"The mask of the network that was trained so: {TITLES[skip]}: {_said(found)}."
        title = TITLES[skip]
        caption, above = f"<b>{title}</b><br>{_said(found)}", f"{title}\n{_said(found)}"
        images.append(Image(drawn, words, caption, title=above, width=WIDTH, is_pixelated=False))
    means = ["{} {:.3f} and {:.3f}".format(TITLES[skip], *_mean(state.look, name)) for name, skip in NETWORKS.items()]
    below = (
        f"SEG and IoU, means of {IMAGES} pictures: {', '.join(means)}. Each network was trained once, so small "
        "differences are chance."
    )
    return ((Stack((Stack(images, is_across=True), Text(below, keys=KIND_KEYS[:3]))),),)


def _said(found: Score) -> str:
    return f"SEG {found.seg:.3f}, IoU {found.iou:.3f}"


def picture(state: State) -> Picture:
    """The same, for where nothing runs."""
    _, truth = _examples(state.look)[state.image]
    others = "; ".join(f"{TITLES[skip]} {_said(found)}" for skip, found in _found(state).items())
    alt = (
        f"Drawn cells ({state.look}), and the masks of four networks that were trained with other skip connections: "
        f"{others}."
    )
    mask = masks(state.look, "cells_none")[state.image]
    return still(board(state), alt, f"kinds of pixels, no copies: {digest(kinds(mask, separated(truth)))}")
