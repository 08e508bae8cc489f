"""The Explainer standing still: the picture that is seen where nothing runs. Every map of a U-Net, in its place."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from unet_edu.explore.picture import Picture, digest
from unet_edu.figures.palette import ROLES
from unet_edu.figures.panels import arrow, canvas, rectangle, write
from unet_edu.figures.unet import ARROWS
from unet_edu.instances import connected

if TYPE_CHECKING:
    from torch import nn

    from unet_edu.unet import UNet

__all__ = ["layer_maps", "whole"]

WIDTH, PHOTO = 10.0, 1.7  # inches: of the figure, and of the picture and the answer
GAP, BETWEEN = 0.13, 0.42  # inches: between two blocks, and between two levels
LARGEST, SEEN = 0.2, 16  # a map: inches, and pixels

Plane = NDArray[np.float64]
Maps = NDArray[np.float32]  # (channels, rows, columns)


class _Place(NamedTuple):
    """Where a block of maps stands, in inches from the upper left corner."""

    x: float
    y: float
    across: int  # maps side by side
    down: int
    size: float  # of a map
    level: int
    role: str

    @property
    def width(self) -> float:
        return self.across * self.size

    @property
    def height(self) -> float:
        return self.down * self.size

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


def whole(model: UNet, image: Plane, words: str, copies: Sequence[str] = ()) -> Picture:
    """The whole U: a picture, all maps that it becomes, and the answer.

    Parameters
    ----------
    model : UNet
        For grey pictures and two classes.
    image : (H, W) array
        From 0 (black) to 1 (white).
    words : str
        What it shows, as in "cells in phase contrast".
    copies : sequence of "kept" or "zeroed"
        From the top level down.
    """
    maps = layer_maps(model, image, copies)
    scores = maps.pop("head").astype(np.float64)
    probability = 1 / (1 + np.exp(scores[0] - scores[1]))
    places, height = _laid_out(model.depth, {name: len(planes) for name, planes in maps.items()})
    figure, axes = canvas(WIDTH, height)
    _draw_arrows(axes, places)
    for name, place in places.items():
        _draw_block(axes, place, maps[name])
    right = WIDTH - PHOTO - 0.1
    for x, plane, title in ((0.1, image, "picture"), (right, probability, "answer: probability of a cell")):
        _draw_plane(axes, (x, 0.3, PHOTO, PHOTO), plane)
        write(axes, x + PHOTO / 2, 0.17, title, 8.5)
    count = connected(probability > 0.5).max()
    off = [f"level {level}" for level, copy in enumerate(copies) if copy == "zeroed"]
    across = f"the copies of {' and '.join(off)} are zeroed" if off else "copies go across"
    alt = (
        f"A U-Net with {len(places)} blocks of maps, {sum(map(len, maps.values()))} maps in all. On the left what goes "
        f"in: {words}. The maps run down to level {model.depth} and up again, and {across}. On the right what "
        f"comes out: {count} bright areas{', one for each cell that was found' if model.finds_cells else ''}."
    )
    return Picture(figure, alt, f"probability: {digest(probability)}")


def layer_maps(model: UNet, image: Plane, copies: Sequence[str] = ()) -> dict[str, Maps]:
    """All maps of a network for one picture, by the names of `unet_edu.figures.unet.block_names`."""
    import torch
    from torch.nn import ReLU

    found: dict[str, Maps] = {}
    named: dict[nn.Module, str] = {model.head: "head"}
    for part in ("pool", "up", "join"):
        named |= {layer: f"{part}.{number}" for number, layer in enumerate(getattr(model, part))}
    for part in ("contracting", "expanding"):
        for number, block in enumerate(getattr(model, part)):
            relus = [layer for layer in block if isinstance(layer, ReLU)]
            named |= {relu: f"{part}.{number}.{2 * k}" for k, relu in enumerate(relus)}

    def keep(layer: nn.Module, inputs: Any, output: Any) -> None:
        found[named[layer]] = output[0].float().numpy().copy()

    def without_copy(layer: nn.Module, inputs: tuple[Any, Any]) -> tuple[Any, Any]:
        copy, below = inputs
        return copy * 0, below

    device = next(model.parameters()).device
    is_training = {layer: layer.training for layer in model.modules()}  # some may stay in evaluation
    handles = [layer.register_forward_hook(keep) for layer in named]
    for level, copy in enumerate(copies):
        if copy == "zeroed":
            handles.append(model.join[model.depth - 1 - level].register_forward_pre_hook(without_copy))
    try:
        with torch.inference_mode():
            model.cpu().eval()(torch.from_numpy(image).to(next(model.parameters()).dtype)[None, None])
    finally:
        for handle in handles:
            handle.remove()
        model.to(device)
        for layer, was_training in is_training.items():
            layer.training = was_training
    if model.config["skip"] == "none":
        return {name: maps for name, maps in found.items() if not name.startswith("join")}
    if model.config["skip"] == "concat":  # of what is joined the copies only: the other half stands beside it, as "up"
        halves = {name: maps[: len(maps) // 2] for name, maps in found.items() if name.startswith("join")}
        return found | halves
    return found


def _laid_out(depth: int, channels: dict[str, int]) -> tuple[dict[str, _Place], float]:
    """As `stage.js` arranges them in the page: a block is as wide as it has channels."""
    rows = 8 if max(channels.values()) <= 64 else 16 if max(channels.values()) <= 256 else 32
    spots = {name: _spot(name, depth) for name in channels}  # level, column, and which of two that share a column
    widths: dict[tuple[int, int], int] = defaultdict(int)
    heights: dict[int, int] = defaultdict(int)
    for name, (level, column, _) in spots.items():
        widths[level, column] += math.ceil(channels[name] / rows)
        heights[level] = max(heights[level], math.ceil(channels[name] / math.ceil(channels[name] / rows)))
    across = [max(width for (_, column), width in widths.items() if column == at) for at in range(1, 4 * depth + 3)]
    room = WIDTH - 2 * PHOTO - 0.5 - GAP * (len(across) + 1)
    size = min(LARGEST, room / sum(across))
    left, top = {}, {}
    x, bottom = (WIDTH - size * sum(across) - GAP * (len(across) - 1)) / 2, 0.3
    for column, width in enumerate(across, start=1):
        left[column] = x + size * width / 2
        x += size * width + GAP
    for level in sorted(heights):
        top[level] = bottom
        bottom += size * heights[level] + BETWEEN
    places = {}
    for name, (level, column, offset) in spots.items():
        own = math.ceil(channels[name] / rows)
        down = math.ceil(channels[name] / own)
        whole_width = widths[level, column]
        x = left[column] + size * (whole_width / 2 - own if offset else -whole_width / 2)
        y = top[level] + (heights[level] - down) * size / 2
        role = {"contracting": "input", "pool": "input", "join": "skip"}.get(name.split(".")[0], "output")
        places[name] = _Place(x, y, own, down, size, level, role)
    return places, max(bottom - BETWEEN, 0.3 + PHOTO) + 0.1


def _spot(name: str, depth: int) -> tuple[int, int, bool]:
    part, number, *convolution = name.split(".")
    after = {(): 0, ("0",): 1, ("2",): 2}[tuple(convolution)]
    if part == "contracting":
        return int(number), 2 * int(number) + after, False
    if part == "pool":
        return int(number) + 1, 2 * int(number) + 2, False
    level = depth - 1 - int(number)
    return level, 4 * depth - 2 * level + after, part == "up"


def _draw_block(axes: Axes, place: _Place, maps: Maps) -> None:
    """Each map in its own greys: 0 is black, its largest number white."""
    step = max(1, maps.shape[1] // SEEN)
    small = maps[:, ::step, ::step]
    low, high = np.minimum(small.min(axis=(1, 2)), 0), small.max(axis=(1, 2))
    small = (small - low[:, None, None]) / np.maximum(high - low, 1e-6)[:, None, None]
    tiles = np.pad(small, ((0, place.across * place.down - len(maps)), (1, 1), (1, 1)), constant_values=np.nan)
    rows, columns = tiles.shape[1:]
    sheet = tiles.reshape(place.down, place.across, rows, columns).swapaxes(1, 2)
    colours = ROLES[place.role]
    rectangle(
        axes, (place.x - 0.02, place.y - 0.02), place.width + 0.04, place.height + 0.04, colours.fill, colours.line
    )
    box = (place.x, place.y, place.width, place.height)
    _draw_plane(axes, box, sheet.reshape(place.down * rows, place.across * columns))
    write(axes, place.x + place.width / 2, place.y - 0.09, str(len(maps)), 8)


def _draw_plane(axes: Axes, box: tuple[float, float, float, float], plane: NDArray[Any]) -> None:
    x, y, width, height = box
    axes.imshow(plane, cmap="gray", vmin=0, vmax=1, extent=(x, x + width, y + height, y), aspect="auto", zorder=2)


def _draw_arrows(axes: Axes, places: dict[str, _Place]) -> None:
    def draw(kind: str, start: tuple[float, float], end: tuple[float, float]) -> None:
        arrow(axes, start, end, ROLES[ARROWS[kind][0]].line, mutation_scale=8)

    order = [name for name in places if not name.startswith("join")]
    first, last = places[order[0]], places[order[-1]]
    draw("convolution", (PHOTO + 0.15, first.middle), (first.x - 0.04, first.middle))
    draw("convolution", (last.x + last.width + 0.04, last.middle), (WIDTH - PHOTO - 0.15, last.middle))
    for before, after in pairwise(order):
        old, new = places[before], places[after]
        if after.startswith("pool"):
            x = new.x + new.width / 2
            draw("pool", (x, old.y + old.height + 0.05), (x, new.y - 0.17))
        elif after.startswith("up"):
            x = old.x + old.width / 2
            draw("up", (x, old.y - 0.17), (x, new.y + new.height + 0.05))
        else:
            draw("convolution", (old.x + old.width + 0.03, new.middle), (new.x - 0.03, new.middle))
    for name, place in places.items():
        if name.startswith("join"):
            source = places[f"contracting.{place.level}.2"]
            draw("copy", (source.x + source.width + 0.04, place.middle), (place.x - 0.04, place.middle))
