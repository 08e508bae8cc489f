"""The skip explorer: what a trained U-Net loses when a copy is spoiled, and what networks do that were trained otherwise. Lesson 06."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import ipywidgets
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from unet_edu.data.cells import LOOKS
from unet_edu.data.networks import NETWORKS, held_out, predicted, pretrained
from unet_edu.explore.explorer import Explorer, Picture, View
from unet_edu.explore.picture import array_png, digest, image_tag
from unet_edu.figures.palette import INK, PAPER, ROLES
from unet_edu.figures.segmentation import KINDS, agreement, kinds, legend
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
    "damaged",
    "damaged_masks",
    "picture",
    "retrained_masks",
    "score",
    "skips",
]

IMAGES = 4  # of the held-out pictures of each look
CHANGES = {"on": "on", "zeroed": "zeros instead", "shuffled": "its pixels shuffled"}
LEVELS = (0, 1)  # of the skip connections of the network `cells`
RETRAINED = {"concat": "concatenated", "add": "added", "multiply": "multiplied", "none": "no copies"}
SHUFFLE_SEED = 6


@dataclass(frozen=True)
class State:
    level0: str = "on"
    level1: str = "on"
    look: str = "phase"
    image: int = 0

    @property
    def changes(self) -> tuple[str, str]:
        return self.level0, self.level1


class Score(NamedTuple):
    """SEG of the cells and IoU of the pixels of one mask."""

    seg: float
    iou: float


def skips(level0: str = "zeroed", level1: str = "on", *, look: str = "phase", image: int = 0) -> Explorer:
    """Explore what the skip connections of a U-Net carry.

    Above, one trained network is damaged: at each level its copy stays, is replaced by zeros, or has its pixels shuffled, which keeps its
    numbers and loses their places. Below stand other networks, trained from the beginning with other skip connections or without
    any. These are two questions: what a network misses that relies on its copies, and what one can do that never had them.

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
    for name, given, known in (("level0", level0, CHANGES), ("level1", level1, CHANGES), ("look", look, LOOKS)):
        if given not in known:
            raise ValueError(f"{name}: expected one of {', '.join(map(repr, known))}, got {given!r}")
    if image not in range(IMAGES):
        raise ValueError(f"image: expected 0 to {IMAGES - 1}, got {image}")
    for one in LOOKS:  # all answers at once, so that none makes the reader wait
        for changes in [(a, b) for a in CHANGES for b in CHANGES]:
            damaged_masks(one, changes)
        for net in NETWORKS:
            retrained_masks(one, net)
    menu = [(words, change) for change, words in CHANGES.items()]
    controls = {
        "level0": ipywidgets.Dropdown(options=menu, description="Copy, level 0"),
        "level1": ipywidgets.Dropdown(options=menu, description="Copy, level 1"),
        "look": ipywidgets.Dropdown(options=[(one, one) for one in LOOKS], description="Look"),
        "image": ipywidgets.IntSlider(min=0, max=IMAGES - 1, description="Picture"),
    }
    for control in controls.values():
        control.style = {"description_width": "7em"}
    views = [View(ipywidgets.HTML(layout={"width": "100%"}), "value", paint) for paint in (_damage, _retrained)]
    return Explorer(State(level0, level1, look, image), controls, views, picture)


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


def _others(state: State) -> list[tuple[str, NDArray[np.uint8], Score]]:
    """The masks below: networks that were trained with other skip connections."""
    _, instances = _examples(state.look)[state.image]
    panels = []
    for name, skip in NETWORKS.items():
        mask = retrained_masks(state.look, name)[state.image]
        panels.append((RETRAINED[skip], mask, score(mask, instances)))
    return panels


def _damage(state: State) -> str:
    image, _ = _examples(state.look)[state.image]
    photo = image_tag(array_png(image), f"Drawn cells, {state.look}, picture {state.image}.", STYLE)
    figures = [_figure(photo, "the picture", "")]
    for title, mask, found in _panels(state):
        figures.append(_figure(_overlay(state, mask, f"The mask of the network {title}", found), title, _said(found)))
    before, after = _damaged_mean(state.look, ("on", "on")), _damaged_mean(state.look, state.changes)
    rows = (
        f"<tr><th>mean of {IMAGES} pictures</th><th>SEG</th><th>IoU</th></tr>"
        f"<tr><td>as it was trained</td><td>{before.seg:.3f}</td><td>{before.iou:.3f}</td></tr>"
        f"<tr><td>damaged</td><td>{after.seg:.3f}</td><td>{after.iou:.3f}</td></tr>"
        f"<tr><td>change</td><td>{_signed(after.seg - before.seg)}</td><td>{_signed(after.iou - before.iou)}</td></tr>"
    )
    figures.append(f'<table style="line-height: 1.6; align-self: start">{rows}</table>')
    return _box(
        "error",
        "Question 1: damage. One trained network, and its copies are spoiled afterwards.",
        figures,
        f"{_key()} This says how much <i>this</i> network relies on a copy. It does not say that one cannot do without.",
    )


def _retrained(state: State) -> str:
    return _retrained_box(State(look=state.look, image=state.image))


@lru_cache(maxsize=len(LOOKS) * IMAGES)
def _retrained_box(state: State) -> str:
    """It stays as it is while the copies of the other network are changed."""
    figures = []
    for title, mask, found in _others(state):
        overlay = _overlay(state, mask, f"The mask of a network that was trained so: {title}", found)
        figures.append(_figure(overlay, title, _said(found)))
    means = ["{} {:.3f} and {:.3f}".format(skip, *_retrained_mean(state.look, name)) for name, skip in NETWORKS.items()]
    return _box(
        "output",
        "Question 2: retrained. Four networks, each trained from the beginning in its own way.",
        figures,
        f"SEG and IoU, means of {IMAGES} pictures: {', '.join(means)}. Only this says what skip connections are worth. "
        "Each was trained once, so small differences are chance.",
    )


STYLE = "width: 192px; image-rendering: pixelated"


def _overlay(state: State, mask: NDArray[np.uint8], what: str, found: Score) -> str:
    image, instances = _examples(state.look)[state.image]
    png = array_png(agreement(image, mask, separated(instances)))
    return image_tag(png, f"{what}: SEG {found.seg:.3f}, IoU {found.iou:.3f}.", STYLE)


def _said(found: Score) -> str:
    return f"SEG {found.seg:.3f}, IoU {found.iou:.3f}"


def _figure(image: str, title: str, said: str) -> str:
    return (
        f'<figure style="margin: 0; width: 192px"><div style="line-height: 0">{image}</div>'
        f'<figcaption style="line-height: 1.4"><b>{said}</b>{"<br>" if said else ""}{title}</figcaption></figure>'
    )


def _box(role: str, title: str, figures: list[str], below: str) -> str:
    """The two questions never look like one: each has its own edge and heading."""
    return (
        f'<div style="border-left: 5px solid {ROLES[role].line}; padding-left: 0.8em; margin: 0.5em 0">'
        f'<div style="margin-bottom: 0.4em"><b>{title}</b></div>'
        f'<div style="display: flex; flex-wrap: wrap; gap: 0.6em">{"".join(figures)}</div>'
        f'<div style="line-height: 1.4; margin-top: 0.4em">{below}</div></div>'
    )


def _key() -> str:
    """What the colours mean; stripes and dots tell them apart for those who do not see colours."""
    patterns = {"TP": "", "FP": " (striped)", "FN": " (dotted)"}
    return " ".join(
        f'<span style="white-space: nowrap"><span aria-hidden="true" style="display: inline-block; width: 1em; height: 0.8em; '
        f'background: {kind.colour}"></span> {kind.meaning}{patterns[kind.name]}</span>&nbsp;'
        for kind in KINDS[1:4]
    )


def _signed(number: float) -> str:
    return f"{number:+.3f}".replace("-", "−")


def picture(state: State) -> Picture:
    """Both questions, one under the other, for where nothing runs."""
    image, instances = _examples(state.look)[state.image]
    truth = separated(instances)
    figure = Figure(figsize=(10, 6.6), dpi=100, facecolor=PAPER)
    damage, retrained = (
        [
            (f"{name.replace(' (', chr(10) + '(')}\n{_said(found)}", agreement(image, mask, truth))
            for name, mask, found in panels
        ]
        for panels in (_panels(state), _others(state))
    )
    rows = (
        (0.52, "Question 1: damage. One trained network", [("the picture", image), *damage]),
        (0.05, "Question 2: retrained. Four networks", retrained),
    )
    for bottom, question, shown in rows:
        figure.text(0.02, bottom + 0.445, question, fontsize=11, fontweight="bold", color=INK, va="top")
        for column, (title, values) in enumerate(shown):
            axes = figure.add_axes((0.02 + 0.245 * column, bottom, 0.22, 0.333))
            axes.imshow(values, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
            axes.set_title(title, fontsize=8.5, color=INK, pad=3)
            axes.set_axis_off()
    legend(figure.add_axes((0.02, 0.0, 0.96, 0.04)), unknown=False)
    (_, _, whole), (_, hurt_mask, hurt) = _panels(state)
    others = "; ".join(
        f"{skip} {_said(found)}" for skip, (_, _, found) in zip(NETWORKS.values(), _others(state), strict=True)
    )
    alt = (
        f"Drawn cells ({state.look}). Above, the masks of one trained U-Net: as it was trained, {_said(whole)}; with its copies damaged "
        f"({_words(state)}), {_said(hurt)}. Below, the masks of four networks that were trained with other skip connections: {others}."
    )
    return Picture(figure, alt, f"kinds of pixels, damaged: {digest(kinds(hurt_mask, truth))}")
