"""The feature map explorer: what one channel of a trained U-Net looks like at each level. Lesson 06."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import ipywidgets
import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray

from unet_edu.data.cells import LOOKS
from unet_edu.data.networks import held_out, pretrained
from unet_edu.explore.explorer import Explorer, Picture, View
from unet_edu.explore.picture import array_png, digest, image_tag
from unet_edu.figures.palette import INK, PAPER, ROLES
from unet_edu.figures.panels import SIGNED
from unet_edu.figures.scene import number

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["IMAGES", "STAGES", "Maps", "State", "feature_maps", "maps", "painted", "picture"]

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
    channel: int = 0
    stage: str = "contracting.0"
    before: bool = False
    enlarged: bool = False
    look: str = "phase"
    image: int = 0


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

    Above, one channel at each level: down the contracting path, at the bottom, and up the expanding path. Below, all channels of one
    level, with yours framed.

    Parameters
    ----------
    channel : int
        From 0 to 63; the upper levels have fewer, and say so.
    stage : str
        The level whose channels are all shown: one of `STAGES`.
    before : bool
        Whether to show the numbers as they come into the last ReLU of a level, negative ones too, instead of what comes out.
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
    for name, given, known in (("stage", stage, STAGES), ("look", look, LOOKS)):
        if given not in known:
            raise ValueError(f"{name}: expected one of {', '.join(map(repr, known))}, got {given!r}")
    for name, given_number, end in (("channel", channel, MOST_CHANNELS), ("image", image, IMAGES)):
        if given_number not in range(end):
            raise ValueError(f"{name}: expected 0 to {end - 1}, got {given_number}")
    for one in LOOKS:  # all maps at once, so that no answer makes the reader wait
        for n in range(IMAGES):
            maps(one, n)
    controls = {
        "channel": ipywidgets.IntSlider(min=0, max=MOST_CHANNELS - 1, description="Channel"),
        "stage": ipywidgets.Dropdown(options=[(words, stage) for stage, words in STAGES.items()], description="All of"),
        "before": ipywidgets.Dropdown(options=list(MOMENTS.items()), description="Numbers"),
        "enlarged": ipywidgets.Dropdown(options=list(SCALES.items()), description="Draw"),
        "look": ipywidgets.Dropdown(options=[(one, one) for one in LOOKS], description="Look"),
        "image": ipywidgets.IntSlider(min=0, max=IMAGES - 1, description="Picture"),
    }
    views = [View(ipywidgets.HTML(layout={"width": "100%"}), "value", paint) for paint in (_levels, _sheet)]
    return Explorer(State(channel, stage, before, enlarged, look, image), controls, views, picture)


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


def _levels(state: State) -> str:
    """The chosen channel at each level."""
    image = _images(state.look)[state.image]
    figures = [_figure(image_tag(array_png(image), "The picture.", _style(FULL)), "the picture", "128 × 128<br>&nbsp;")]
    for stage, words in STAGES.items():
        values = _chosen(state, stage)
        channels, side = (maps(state.look, state.image)[stage].after).shape[:2]
        if values is None:
            square = f"width: {_shown(state, side)}px; height: {_shown(state, side)}px; border: 1px dashed currentColor"
            figures.append(_figure(f'<div style="{square}"></div>', words, f"has {channels} channels only<br>&nbsp;"))
            continue
        alt = f"Channel {state.channel}, {words}: {side} by {side} pixels, from {_range(values)}."
        tag = image_tag(array_png(painted(values, state.before)), alt, _style(_shown(state, side)))
        figures.append(_figure(tag, words, f"{side} × {side}<br>{_range(values)}"))
    ground = "orange below zero, purple above" if state.before else "black is 0, white the largest number of its map"
    return (
        f'<div style="display: flex; flex-wrap: wrap; gap: 0.5em; align-items: end">{"".join(figures)}</div>'
        f'<div style="line-height: 1.5">Channel {state.channel} at each level; {ground}. The same number at two levels is '
        "not the same feature: each level has its own.</div>"
    )


def _shown(state: State, side: int) -> int:
    return FULL if state.enlarged else FULL * side // 128


def _style(width: int) -> str:
    return f"width: {width}px; max-width: none; image-rendering: pixelated"


def _figure(image: str, title: str, said: str) -> str:
    return (
        f'<figure style="margin: 0; min-width: 8.2em"><div style="line-height: 0">{image}</div>'
        f'<figcaption style="line-height: 1.35"><b>{title}</b><br>{said}</figcaption></figure>'
    )


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
    """A map as large as a tile. Four pixels become their mean: to leave some out would turn a chequered pattern into another."""
    if len(drawn) <= TILE:
        return drawn.repeat(TILE // len(drawn), axis=0).repeat(TILE // len(drawn), axis=1)
    share = len(drawn) // TILE
    return drawn.reshape(TILE, share, TILE, share, *drawn.shape[2:]).mean(axis=(1, 3))


def _sheet(state: State) -> str:
    planes = maps(state.look, state.image)[state.stage].after
    silent = int((planes.max(axis=(1, 2)) == 0).sum())
    alt = f"All {len(planes)} channels of {STAGES[state.stage]} as tiles."
    return (
        f'<div style="line-height: 1.5; margin-top: 0.6em"><b>All {len(planes)} channels, {STAGES[state.stage]}</b>, in rows of '
        f"{ACROSS}. Silent on this picture (0 everywhere after the ReLU): {silent}.</div>"
        f'<div style="background: {PAPER}; line-height: 0">{image_tag(array_png(sheet(state)), alt, "width: 100%; max-width: 1088px")}</div>'
    )


def picture(state: State) -> Picture:
    """The chosen channel at each level and the sheet, for where nothing runs."""
    tiles = sheet(state)
    side, below = FULL / 100, 9.8 * tiles.shape[0] / tiles.shape[1]  # inches
    height = 0.5 + side + 0.3 + below + 0.1
    figure = Figure(figsize=(10, height), dpi=100, facecolor=PAPER)  # a pixel of the largest map is a pixel here
    image = _images(state.look)[state.image]
    panels: list[tuple[str, NDArray[Any]]] = [("the picture\n128 × 128", image)]
    for stage, words in STAGES.items():
        values, pixels = _chosen(state, stage), maps(state.look, state.image)[stage].after.shape[-1]
        if values is None:
            panels.append((f"{words}\nno channel {state.channel}", np.ones((pixels, pixels))))
        else:
            panels.append((f"{words}\n{pixels} × {pixels}", painted(values, state.before)))
    for column, (title, drawn) in enumerate(panels):
        width = side * (1.0 if state.enlarged else drawn.shape[0] / 128)
        place = (0.1 + 1.65 * column, below + 0.4, width, width)
        axes = figure.add_axes((place[0] / 10, place[1] / height, place[2] / 10, place[3] / height))
        axes.imshow(drawn, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        axes.set_title(title, fontsize=8.5, color=INK, loc="left", pad=3)
        axes.set_axis_off()
    axes = figure.add_axes((0.01, 0.1 / height, 0.98, below / height))
    axes.imshow(tiles, interpolation="antialiased")
    axes.set_title(f"all channels, {STAGES[state.stage]}", fontsize=9, color=INK, loc="left", pad=3)
    axes.set_axis_off()
    moment = "before" if state.before else "after"
    alt = (
        f"A picture of drawn cells ({state.look}) and channel {state.channel} of a trained U-Net {moment} the ReLU, at each level: "
        f"{', '.join(f'{words} {maps(state.look, state.image)[stage].after.shape[-1]} pixels a side' for stage, words in STAGES.items())}. "
        f"Below, all channels of {STAGES[state.stage]} as tiles."
    )
    shown = {words: _chosen(state, stage) for stage, words in STAGES.items()}
    return Picture(figure, alt, "; ".join(f"{words}: {digest(v)}" for words, v in shown.items() if v is not None))
