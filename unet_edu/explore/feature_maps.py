"""The feature map explorer: what one channel of a trained U-Net looks like at each level. Lesson 06."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from unet_edu.data.cells import LOOKS
from unet_edu.data.networks import held_out, pretrained
from unet_edu.explore.board import Image, Rows, Stack, Text, still, views
from unet_edu.explore.explorer import Explorer, Picture
from unet_edu.explore.fields import checked, controls, menu, slider
from unet_edu.explore.picture import digest
from unet_edu.figures.palette import ROLES
from unet_edu.figures.panels import SIGNED
from unet_edu.figures.scene import number

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["IMAGES", "STAGES", "Maps", "State", "board", "feature_maps", "maps", "painted", "picture"]

STAGES = {
    "contracting.0": "down, level 0",
    "contracting.1": "down, level 1",
    "contracting.2": "bottom, level 2",
    "expanding.0": "up, level 1",
    "expanding.1": "up, level 0",
}
"""The double convolutions of the network `cells`, in the order of the computation."""

IMAGES = 4
MOMENTS = {"after ReLU": False, "before ReLU": True}
SCALES = {"each at its own size": False, "all equally large": True}
MOST_CHANNELS = 64  # at the bottom
FULL = 128  # pixels on the screen of a map of 128 pixels: its own
TILE, ACROSS = 64, 16  # of the sheet of all channels; all sides are such a number of pixels, halved or doubled


@dataclass(frozen=True)
class State:
    channel: int = slider(0, MOST_CHANNELS - 1, "Channel", expected="{low} to {high}")
    stage: str = menu({words: stage for stage, words in STAGES.items()}, "All of")
    before: bool = menu(MOMENTS, "Numbers")
    enlarged: bool = menu(SCALES, "Draw")
    look: str = menu(LOOKS, "Look")
    image: int = slider(0, IMAGES - 1, "Picture", expected="{low} to {high}")


class Maps(NamedTuple):
    """What a double convolution gives out, (channels, H, W): before its last ReLU, and after it."""

    before: NDArray[np.float32]
    after: NDArray[np.float32]


def feature_maps(
    channel: int = 0,
    stage: str = "contracting.0",
    *,
    before: bool = False,
    enlarged: bool = False,
    look: str = "phase",
    image: int = 0,
) -> Explorer:
    """Browse the feature maps of a trained U-Net.

    Above, one channel at each level: down the contracting path, at the bottom, and up the expanding path. Below, all
    channels of one level, with yours framed.

    Parameters
    ----------
    channel : int
        From 0 to 63; the upper levels have fewer, and say so.
    stage : str
        The level whose channels are all shown: one of `STAGES`.
    before : bool
        Whether to show the numbers as they come into the last ReLU of a level, negative ones too, instead of what comes
        out.
    enlarged : bool
        Whether all maps are drawn equally large, instead of each at its own size.
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
    state = checked(State, channel=channel, stage=stage, before=before, enlarged=enlarged, look=look, image=image)
    for one in LOOKS:  # all maps at once, so that no answer makes the reader wait
        for n in range(IMAGES):
            maps(one, n)
    return Explorer(state, controls(state), views(board, state), picture)


@lru_cache(maxsize=1)
def _network() -> nn.Module:
    return pretrained("cells")


@lru_cache(maxsize=len(LOOKS))
def _images(look: str) -> list[NDArray[np.float32]]:
    return [image for image, _ in held_out(look)[look][:IMAGES]]


@lru_cache(maxsize=len(LOOKS) * IMAGES)
def maps(look: str, image: int) -> dict[str, Maps]:
    """All feature maps of the network `cells` for one picture, by the names of `STAGES`."""
    import torch

    seen: dict[str, Tensor] = {}

    def keep(name: str) -> Callable[..., None]:
        def hook(relu: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            seen[name] = inputs[0].clone()  # this ReLU writes its answer over its input

        return hook

    network = _network()
    handles = []
    for name in STAGES:
        *_, last_relu = network.get_submodule(name).children()
        handles.append(last_relu.register_forward_pre_hook(keep(name)))
    with torch.inference_mode():
        network(torch.from_numpy(_images(look)[image])[None, None])
    for handle in handles:
        handle.remove()
    return {name: Maps(seen[name][0].numpy(), seen[name][0].clamp(min=0).numpy()) for name in STAGES}


def painted(values: NDArray[np.float32], before: bool) -> NDArray[np.float64]:
    """A map as a picture: grey from 0 to its largest number; or orange below zero and purple above, before the ReLU.

    Parameters
    ----------
    values : (H, W) array
    before : bool

    Returns
    -------
    (H, W) or (H, W, 3) array
        From 0 to 1.
    """
    limit = float(np.abs(values).max()) or 1.0
    if not before:
        return values.astype(np.float64) / limit
    return SIGNED((values / limit + 1) / 2)[..., :3]


def _chosen(state: State, stage: str) -> NDArray[np.float32] | None:
    """The map of the chosen channel at a level; None where the level has no such channel."""
    found = maps(state.look, state.image)[stage]
    planes = found.before if state.before else found.after
    return planes[state.channel] if state.channel < len(planes) else None


def _range(values: NDArray[np.float32]) -> str:
    return f"{number(values.min())} … {number(values.max())}"


def board(state: State) -> Rows:
    """One channel at each level, and all channels of one level."""
    return (_levels(state),), (_all(state),)


def _levels(state: State) -> Stack:
    """The chosen channel at each level."""
    photo = _images(state.look)[state.image]
    images = [
        Image(
            photo,
            "The picture.",
            _said("the picture", "128 × 128", "&nbsp;"),
            title="the picture\n128 × 128",
            width=f"{FULL}px",
        )
    ]
    for stage, words in STAGES.items():
        side, values = maps(state.look, state.image)[stage].after.shape[-1], _chosen(state, stage)
        size: dict[str, Any] = {"width": f"{_shown(state, side)}px", "scale": _shown(state, side) / FULL}
        if values is None:
            channels = len(maps(state.look, state.image)[stage].after)
            said = _said(words, f"has {channels} channels only", "&nbsp;")
            images.append(Image(_nothing(side), "", said, title=f"{words}\nno channel {state.channel}", **size))
            continue
        said = _said(words, f"{side} × {side}", _range(values))
        alt = f"Channel {state.channel}, {words}: {side} by {side} pixels, from {_range(values)}."
        drawn = painted(values, state.before)
        images.append(Image(drawn, alt, said, title=f"{words}\n{side} × {side}", **size))
    ground = "orange below zero, purple above" if state.before else "black is 0, white the largest number of its map"
    below = (
        f"Channel {state.channel} at each level; {ground}. The same number at two levels is not the same feature: each "
        "level has its own."
    )
    return Stack((Stack(images, is_across=True, align="end"), Text(below)))


def _shown(state: State, side: int) -> int:
    return FULL if state.enlarged else FULL * side // 128


def _said(title: str, *lines: str) -> str:
    return "<br>".join((f"<b>{title}</b>", *lines))


@lru_cache(maxsize=3)
def _nothing(side: int) -> NDArray[np.float64]:
    """An empty place, with an edge of dashes."""
    place = np.ones((side, side))
    dashes = np.arange(side) % 8 < 4
    for edge in (place[0], place[-1], place[:, 0], place[:, -1]):
        edge[dashes] = 0
    return place


def sheet(state: State) -> NDArray[np.float64]:
    """All channels of a level as tiles, row by row, each scaled for itself, the chosen one framed: (H, W, 3)."""
    canvas = _tiles(state.look, state.image, state.stage, state.before).copy()
    channels = len(maps(state.look, state.image)[state.stage].after)
    if state.channel < channels:
        row, column = divmod(state.channel, ACROSS)
        tile = canvas[row * (TILE + 4) : (row + 1) * (TILE + 4), column * (TILE + 4) : (column + 1) * (TILE + 4)]
        inside = tile[2:-2, 2:-2].copy()
        tile[:] = to_rgb(ROLES["kernel"].line)
        tile[2:-2, 2:-2] = inside
    return canvas


@lru_cache(maxsize=2 * len(STAGES))
def _tiles(look: str, image: int, stage: str, before: bool) -> NDArray[np.float64]:
    """The sheet without a frame: it stays while the channel changes."""
    found = maps(look, image)[stage]
    planes = found.before if before else found.after
    canvas = np.ones((-(-len(planes) // ACROSS) * (TILE + 4), ACROSS * (TILE + 4), 3))
    for channel, plane in enumerate(planes):
        top, left = (TILE + 4) * (channel // ACROSS) + 2, (TILE + 4) * (channel % ACROSS) + 2
        tile = _resized(painted(plane, before))
        canvas[top : top + TILE, left : left + TILE] = tile if tile.ndim == 3 else tile[..., None]
    return canvas


def _resized(drawn: NDArray[np.float64]) -> NDArray[np.float64]:
    """A map as large as a tile. Four pixels become their mean: to leave some out would turn a chequered pattern into
    another."""
    if len(drawn) <= TILE:
        return drawn.repeat(TILE // len(drawn), axis=0).repeat(TILE // len(drawn), axis=1)
    share = len(drawn) // TILE
    return drawn.reshape(TILE, share, TILE, share, *drawn.shape[2:]).mean(axis=(1, 3))


def _all(state: State) -> Stack:
    planes = maps(state.look, state.image)[state.stage].after
    silent = int((planes.max(axis=(1, 2)) == 0).sum())
    words = (
        f"<b>All {len(planes)} channels, {STAGES[state.stage]}</b>, in rows of {ACROSS}. Silent on this picture "
        f"(0 everywhere after the ReLU): {silent}."
    )
    alt = f"All {len(planes)} channels of {STAGES[state.stage]} as tiles."
    title = f"all channels, {STAGES[state.stage]}"
    tiles = Image(sheet(state), alt, title=title, width="84em", is_pixelated=False)
    return Stack((Text(words), tiles))


def picture(state: State) -> Picture:
    """The same, for where nothing runs."""
    sides = (
        f"{words} {maps(state.look, state.image)[stage].after.shape[-1]} pixels a side"
        for stage, words in STAGES.items()
    )
    alt = (
        f"A picture of drawn cells ({state.look}) and channel {state.channel} of a trained U-Net "
        f"{'before' if state.before else 'after'} the ReLU, at each level: {', '.join(sides)}. Below, all channels of "
        f"{STAGES[state.stage]} as tiles."
    )
    shown = {words: _chosen(state, stage) for stage, words in STAGES.items()}
    numbers = (f"{words}: {digest(values)}" for words, values in shown.items() if values is not None)
    return still(board(state), alt, "; ".join(numbers))
