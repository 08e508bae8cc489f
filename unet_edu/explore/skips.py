"""The skip explorer: what a trained U-Net loses when a copy is spoiled, and what networks do that were trained
otherwise. Lesson 06."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unet_edu.data.cells import LOOKS
from unet_edu.data.networks import NETWORKS, held_out, predicted, pretrained
from unet_edu.explore.board import KIND_KEYS, Image, Rows, Stack, Table, Text, still, views
from unet_edu.explore.explorer import Explorer, Picture
from unet_edu.explore.fields import checked, controls, menu, slider
from unet_edu.explore.picture import digest
from unet_edu.figures.segmentation import agreement, kinds
from unet_edu.instances import connected, seg
from unet_edu.losses import separated
from unet_edu.metrics import confusion_matrix, iou

if TYPE_CHECKING:
    from torch import Tensor, nn

    from unet_edu.unet import UNet

__all__ = [
    "CHANGES",
    "IMAGES",
    "Score",
    "State",
    "board",
    "damaged",
    "damaged_masks",
    "picture",
    "retrained_masks",
    "score",
    "skips",
]

IMAGES = 4  # of the held-out pictures of each look
CHANGES = {"on": "on", "zeroed": "zeros instead", "shuffled": "its pixels shuffled"}
MENU = {words: change for change, words in CHANGES.items()}
LEVELS = (0, 1)  # of the skip connections of the network `cells`
RETRAINED = {"concat": "concatenated", "add": "added", "multiply": "multiplied", "none": "no copies"}
SHUFFLE_SEED = 6
WIDE = {"description_width": "7em"}


@dataclass(frozen=True)
class State:
    level0: str = menu(MENU, "Copy, level 0", style=WIDE)
    level1: str = menu(MENU, "Copy, level 1", style=WIDE)
    look: str = menu(LOOKS, "Look", style=WIDE)
    image: int = slider(0, IMAGES - 1, "Picture", expected="{low} to {high}", style=WIDE)

    @property
    def changes(self) -> tuple[str, str]:
        return self.level0, self.level1


class Score(NamedTuple):
    """SEG of the cells and IoU of the pixels of one mask."""

    seg: float
    iou: float


def skips(level0: str = "zeroed", level1: str = "on", *, look: str = "phase", image: int = 0) -> Explorer:
    """Explore what the skip connections of a U-Net carry.

    Above, one trained network is damaged: at each level its copy stays, is replaced by zeros, or has its pixels
    shuffled, which keeps its numbers and loses their places. Below stand other networks, trained from the beginning
    with other skip connections or without any. These are two questions: what a network misses that relies on its
    copies, and what one can do that never had them.

    Parameters
    ----------
    level0, level1 : "on", "zeroed" or "shuffled"
        What happens to the copy of the top level, and of the one below.
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
    state = checked(State, level0=level0, level1=level1, look=look, image=image)
    for one in LOOKS:  # all answers at once, so that none makes the reader wait
        for changes in [(a, b) for a in CHANGES for b in CHANGES]:
            damaged_masks(one, changes)
        for net in NETWORKS:
            retrained_masks(one, net)
    return Explorer(state, controls(state), views(board, state), picture)


def damaged(model: UNet, changes: tuple[str, ...]) -> list[Any]:
    """Spoil the copies of a network, from the top level down.

    Parameters
    ----------
    model : UNet
    changes : tuple of "on", "zeroed" or "shuffled"
        One for each level that has a copy.

    Returns
    -------
    list of handles
        `remove()` each, and the network is whole again.
    """
    handles = []
    for join, change in zip(reversed(model.join), changes, strict=True):
        if change != "on":
            spoil = _zeroed if change == "zeroed" else _shuffled
            handles.append(join.register_forward_pre_hook(spoil))
    return handles


def _zeroed(join: nn.Module, inputs: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    copy, x = inputs
    return copy.new_zeros(copy.shape), x


def _shuffled(join: nn.Module, inputs: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Every pixel goes to another place, with all its channels."""
    import torch

    copy, x = inputs
    places = np.random.default_rng(SHUFFLE_SEED).permutation(copy.shape[-2] * copy.shape[-1])
    return copy.flatten(2)[..., torch.from_numpy(places)].reshape(copy.shape), x


@lru_cache(maxsize=len(LOOKS))
def _examples(look: str) -> list[tuple[NDArray[np.float32], NDArray[np.int32]]]:
    return held_out(look)[look][:IMAGES]


@lru_cache(maxsize=len(NETWORKS))
def _network(name: str) -> UNet:
    return pretrained(name)


@lru_cache(maxsize=len(LOOKS) * len(CHANGES) ** 2)
def damaged_masks(look: str, changes: tuple[str, str]) -> NDArray[np.uint8]:
    """What the network `cells` answers for each picture, (IMAGES, H, W), with its copies changed so."""
    model = _network("cells")
    handles = damaged(model, changes)
    try:
        return predicted(model, [image for image, _ in _examples(look)])
    finally:
        for handle in handles:
            handle.remove()


@lru_cache(maxsize=len(LOOKS) * len(NETWORKS))
def retrained_masks(look: str, name: str) -> NDArray[np.uint8]:
    """What another network answers for each picture, (IMAGES, H, W)."""
    return predicted(_network(name), [image for image, _ in _examples(look)])


def score(mask: NDArray[np.uint8], instances: NDArray[np.int32]) -> Score:
    """How good a mask is: by cells, and by pixels."""
    return Score(seg(connected(mask), instances), float(iou(confusion_matrix(mask, separated(instances), 2))[1]))


def _mean(masks: NDArray[np.uint8], look: str) -> Score:
    found = [score(mask, instances) for mask, (_, instances) in zip(masks, _examples(look), strict=True)]
    return Score(*(float(np.mean(values)) for values in zip(*found, strict=True)))


@lru_cache(maxsize=64)
def _damaged_mean(look: str, changes: tuple[str, str]) -> Score:
    return _mean(damaged_masks(look, changes), look)


@lru_cache(maxsize=16)
def _retrained_mean(look: str, name: str) -> Score:
    return _mean(retrained_masks(look, name), look)


def _words(state: State) -> str:
    said = [f"level {level}: {CHANGES[change]}" for level, change in zip(LEVELS, state.changes, strict=True)]
    return "copies on" if state.changes == ("on", "on") else "; ".join(said)


def _panels(state: State) -> list[tuple[str, NDArray[np.uint8], Score]]:
    """The two masks above: the network as it was trained, and damaged."""
    _, instances = _examples(state.look)[state.image]
    panels = []
    for title, changes in (("as it was trained", ("on", "on")), (f"damaged ({_words(state)})", state.changes)):
        mask = damaged_masks(state.look, changes)[state.image]
        panels.append((title, mask, score(mask, instances)))
    return panels


def _others(look: str, image: int) -> list[tuple[str, NDArray[np.uint8], Score]]:
    """The masks below: networks that were trained with other skip connections."""
    _, instances = _examples(look)[image]
    panels = []
    for name, skip in NETWORKS.items():
        mask = retrained_masks(look, name)[image]
        panels.append((RETRAINED[skip], mask, score(mask, instances)))
    return panels


def board(state: State) -> Rows:
    """Both questions, one under the other. They never look like one: each has its own edge and heading."""
    return (_damage(state),), (_retrained(state.look, state.image),)


def _damage(state: State) -> Stack:
    image, _ = _examples(state.look)[state.image]
    words = f"Drawn cells, {state.look}, picture {state.image}."
    images = [Image(image, words, "the picture", title="the picture", width=WIDTH)]
    images += [
        _overlay(state.look, state.image, mask, f"The mask of the network {title}", title, found)
        for title, mask, found in _panels(state)
    ]
    before, after = _damaged_mean(state.look, ("on", "on")), _damaged_mean(state.look, state.changes)
    rows = [
        ("as it was trained", f"{before.seg:.3f}", f"{before.iou:.3f}"),
        ("damaged", f"{after.seg:.3f}", f"{after.iou:.3f}"),
        ("change", _signed(after.seg - before.seg), _signed(after.iou - before.iou)),
    ]
    means = Table(rows, head=(f"mean of {IMAGES} pictures", "SEG", "IoU"))
    title, text = "Question 1: damage. One trained network", ", and its copies are spoiled afterwards."
    below = "This says how much <i>this</i> network relies on a copy. It does not say that one cannot do without."
    parts = (
        Text(f"<b>{title}{text}</b>", title),
        Stack((*images, means), is_across=True),
        Text(below, keys=KIND_KEYS[:3]),
    )
    return Stack(parts, edge="error")


@lru_cache(maxsize=len(LOOKS) * IMAGES)
def _retrained(look: str, image: int) -> Stack:
    """It stays as it is while the copies of the other network are changed."""
    images = [
        _overlay(look, image, mask, f"The mask of a network that was trained so: {title}", title, found)
        for title, mask, found in _others(look, image)
    ]
    means = ["{} {:.3f} and {:.3f}".format(skip, *_retrained_mean(look, name)) for name, skip in NETWORKS.items()]
    title, text = "Question 2: retrained. Four networks", ", each trained from the beginning in its own way."
    below = (
        f"SEG and IoU, means of {IMAGES} pictures: {', '.join(means)}. Only this says what skip connections are worth. "
        "Each was trained once, so small differences are chance."
    )
    return Stack((Text(f"<b>{title}{text}</b>", title), Stack(images, is_across=True), Text(below)), edge="output")


WIDTH = "192px"


def _overlay(look: str, number: int, mask: NDArray[np.uint8], what: str, title: str, found: Score) -> Image:
    image, instances = _examples(look)[number]
    return Image(
        agreement(image, mask, separated(instances)),
        f"{what}: {_said(found)}.",
        f"<b>{_said(found)}</b><br>{title}",
        title=f"{title.replace(' (', chr(10) + '(')}\n{_said(found)}",
        width=WIDTH,
    )


def _said(found: Score) -> str:
    return f"SEG {found.seg:.3f}, IoU {found.iou:.3f}"


def _signed(number: float) -> str:
    return f"{number:+.3f}".replace("-", "−")


def picture(state: State) -> Picture:
    """Both questions, for where nothing runs."""
    _, instances = _examples(state.look)[state.image]
    (_, _, whole), (_, hurt_mask, hurt) = _panels(state)
    panels = zip(NETWORKS.values(), _others(state.look, state.image), strict=True)
    others = "; ".join(f"{skip} {_said(found)}" for skip, (_, _, found) in panels)
    alt = (
        f"Drawn cells ({state.look}). Above, the masks of one trained U-Net: as it was trained, {_said(whole)}; with "
        f"its copies damaged ({_words(state)}), {_said(hurt)}. Below, the masks of four networks that were trained "
        f"with other skip connections: {others}."
    )
    return still(board(state), alt, f"kinds of pixels, damaged: {digest(kinds(hurt_mask, separated(instances)))}")
