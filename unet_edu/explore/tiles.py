"""The overlap-tile explorer: what is read, what is kept, and where the tiles' answer differs from that of the whole image. Lesson 08."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import ipywidgets
import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray

from unet_edu.data.cells import synthetic_cells
from unet_edu.data.networks import pretrained
from unet_edu.explore.explorer import Explorer, Picture, Pointed, View
from unet_edu.explore.picture import array_png, digest, image_tag
from unet_edu.figures.palette import INK, PAPER, ROLES
from unet_edu.figures.tiles import KEPT, READ, draw_squares, squares, wide

if TYPE_CHECKING:
    from unet_edu.tiling import Tiling
    from unet_edu.unet import UNet

__all__ = ["SHAPE", "STEPS", "TILE", "State", "answer", "difference", "picture", "placed", "tiles", "whole"]

SHAPE = (96, 120)
TILE = 68  # pixels that the network reads, a legal side with either padding
STEPS = tuple(range(20, 61, 2))  # multiples of 4 are on the phase of two poolings
BEFORE, AFTER = 24, 60  # pixels of mirrored surroundings that the picture shows: no tile reads farther
PADDINGS = {"valid: nothing is added": "valid", "same: zeros around each tile": "same"}
ROUNDING = 1e-4  # sums in another order differ by less; another phase, or zeros, by more
BRIGHTEST = 0.2  # the difference that is drawn in the full colour
GAP = to_rgb(ROLES["neutral"].fill)


@dataclass(frozen=True)
class State:
    row: int
    column: int
    step: int
    padding: str


class Compared(NamedTuple):
    """The tiles' answer beside that of the whole image."""

    largest: float  # difference of the probability
    changed: float  # part of the pixels that get another class
    gap: float  # part of the pixels that no tile answers


def tiles(row: int = 40, column: int = 50, *, step: int = 28, padding: str = "valid") -> Explorer:
    """Explore images in tiles.

    Point at a pixel, or choose it with the sliders: its tile is shown, the blue square that the network reads, and the yellow square that is kept of
    the answer. A click holds the pixel, another lets it go. Change the step from tile to tile, on and off the phase, and see on the right where the answer differs from that of the whole
    image at once. With padding "same" the network sees zeros around each tile.

    Parameters
    ----------
    row, column : int
        A pixel: the tile that keeps it is shown.
    step : int
        From one tile to the next; one of `STEPS`.
    padding : {"valid", "same"}

    Returns
    -------
    Explorer
        The last value of a notebook cell shows itself.

    Raises
    ------
    ValueError
        When an argument is out of range.
    """
    state = State(row, column, step, padding)
    for name, value, length in (("row", row, SHAPE[0]), ("column", column, SHAPE[1])):
        if not 0 <= value < length:
            raise ValueError(f"{name}: expected a number from 0 to {length - 1}, got {value}")
    if step not in STEPS:
        raise ValueError(f"step: expected an even number from {STEPS[0]} to {STEPS[-1]}, got {step}")
    if padding not in PADDINGS.values():
        raise ValueError(f"padding: expected 'valid' or 'same', got {padding!r}")
    for each in PADDINGS.values():
        for number in STEPS:
            answer(number, each)  # now, so that a slider never waits
    controls = {
        "step": ipywidgets.IntSlider(min=STEPS[0], max=STEPS[-1], step=2, description="Step"),
        "padding": ipywidgets.Dropdown(options=list(PADDINGS.items()), description="Padding"),
        "row": ipywidgets.IntSlider(min=0, max=SHAPE[0] - 1, description="Row"),
        "column": ipywidgets.IntSlider(min=0, max=SHAPE[1] - 1, description="Column"),
    }
    extended = [length + BEFORE + AFTER for length in SHAPE]
    column_layout = {"flex": "1 1 40%", "min_width": "19em", "max_width": "36em", "margin": "0 1em 0 0"}
    pointed = Pointed(rows=extended[0], columns=extended[1], layout=column_layout)
    views = [
        View(pointed, "html", _place_figure),
        View(ipywidgets.HTML(layout=column_layout), "value", _difference_figure),
        View(ipywidgets.HTML(layout={"width": "100%"}), "value", _words),
    ]
    explorer = Explorer(state, controls, views, picture)

    def follow(*pixel: int) -> None:
        places = [min(max(place - BEFORE, 0), length - 1) for place, length in zip(pixel, SHAPE, strict=True)]
        explorer.update(row=places[0], column=places[1])

    pointed.on_point(follow)
    return explorer


@lru_cache(maxsize=1)
def image() -> NDArray[np.float32]:
    """Drawn cells, many of which touch."""
    return synthetic_cells(4, SHAPE, cells=16)[0]


@lru_cache(maxsize=len(PADDINGS))
def network(padding: str) -> UNet:
    """The trained network, with either padding: the weights are the same, because padding has none."""
    from unet_edu.unet import UNet

    trained = pretrained("cells")
    model = UNet(**{**trained.config, "padding": padding})
    model.load_state_dict(trained.state_dict())
    return model.eval()


@lru_cache(maxsize=len(PADDINGS))
def whole(padding: str) -> NDArray[np.float32]:
    """The probability of a cell at each pixel, from the whole image at once."""
    from unet_edu.tiling import predict

    return predict(network(padding), image(), precision="float32")[1]


def placed(step: int, padding: str) -> tuple[Tiling, Tiling]:
    """Where the tiles lie: as `unet_edu.tiling.tiling` has it, but at any step, and with the tile's side given.

    With padding "valid" the margin is the border that the network loses. With "same" it is what the step leaves of the tile, half at each end,
    rounded down to whole windows.
    """
    from unet_edu.tiling import Tiling

    border = 20 if padding == "valid" else 0
    margin = border or (TILE - step) // 2 // 4 * 4
    rows, columns = (Tiling(range(0, length, step), step, margin, TILE, border) for length in SHAPE)
    return rows, columns


@lru_cache(maxsize=len(STEPS) * len(PADDINGS))
def answer(step: int, padding: str) -> NDArray[np.float32]:
    """The probability of a cell, put together from tiles. Where no tile answers it is NaN.

    Returns
    -------
    SHAPE array of float32
    """
    import torch

    from unet_edu.tiling import mirrored

    rows, columns = placed(step, padding)
    seen = [
        [mirrored(np.arange(start, start + TILE) - axis.margin, length) for start in axis.starts]
        for axis, length in zip((rows, columns), SHAPE, strict=True)
    ]
    batch = torch.from_numpy(np.stack([image()[np.ix_(down, across)] for down in seen[0] for across in seen[1]]))
    with torch.inference_mode():
        scores = network(padding)(batch[:, None].to(memory_format=torch.channels_last))
    answers = iter(scores.softmax(dim=1)[:, 1].numpy())
    found = np.full(SHAPE, np.nan, np.float32)
    first = rows.margin - rows.border
    for top in rows.starts:
        for left in columns.starts:
            kept = next(answers)[first:, first:][:step, :step][: SHAPE[0] - top, : SHAPE[1] - left]
            found[top : top + kept.shape[0], left : left + kept.shape[1]] = kept
    found.setflags(write=False)
    return found


@lru_cache(maxsize=len(STEPS) * len(PADDINGS))
def difference(step: int, padding: str) -> NDArray[np.float32]:
    """How far the tiles' answer is from that of the whole image, at each pixel; what is only rounding is 0, and a gap is NaN."""
    apart = np.abs(answer(step, padding) - whole(padding))
    return np.where(apart < ROUNDING, 0, apart)


def compared(step: int, padding: str) -> Compared:
    """The difference in three numbers."""
    apart, there = difference(step, padding), ~np.isnan(answer(step, padding))
    other = ((answer(step, padding) > 0.5) != (whole(padding) > 0.5)) & there
    return Compared(float(np.nanmax(apart)), float(other.mean()), float(1 - there.mean()))


def _tile_of(state: State) -> tuple[int, int]:
    """The number of the tile whose place the chosen pixel is in."""
    return state.row // state.step, state.column // state.step


def painted(step: int, padding: str) -> NDArray[np.float64]:
    """The answer in greys, with the differences in the colour of an error, and gaps in stripes.

    Returns
    -------
    (H, W, 3) array from 0 to 1
    """
    found, apart = answer(step, padding), difference(step, padding)
    grey = np.repeat((0.25 + 0.6 * np.nan_to_num(found))[..., None], 3, axis=2)
    strength = np.clip(np.nan_to_num(apart) / BRIGHTEST, 0, 1)[..., None] ** 0.5  # small ones shall show too
    shown = (1 - strength) * grey + strength * np.array(to_rgb(ROLES["error"].line))
    row, column = np.indices(SHAPE)
    stripes = np.where(((row + column) // 3 % 2)[..., None], GAP, to_rgb(INK))
    return np.where(np.isnan(found)[..., None], stripes, shown)


def picture(state: State) -> Picture:
    """The tile in its surroundings, and the answer with its differences, for where nothing runs."""
    rows, columns = placed(state.step, state.padding)
    figure = Figure(figsize=(10, 4.4), dpi=100, facecolor=PAPER, layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.25, 1))
    H, W = SHAPE
    extent = (-BEFORE - 0.5, W + AFTER - 0.5, H + AFTER - 0.5, -BEFORE - 0.5)
    left.imshow(wide(image(), BEFORE, AFTER), cmap="gray", vmin=0, vmax=1, extent=extent)
    draw_squares(left, rows, columns, _tile_of(state), SHAPE)
    left.set_title("blue, dashed: read; yellow: kept; paler: mirrored", fontsize=10, color=INK)
    right.imshow(painted(state.step, state.padding), extent=(-0.5, W - 0.5, H - 0.5, -0.5))
    right.set_title("light: cells; orange: differs; striped: no answer", fontsize=10, color=INK)
    for starts, draw in ((rows.starts, right.axhline), (columns.starts, right.axvline)):
        for start in starts[1:]:
            draw(start - 0.5, color=PAPER, linewidth=0.8, linestyle=(0, (2, 2)))
    for axes in (left, right):
        axes.set_axis_off()
    found = compared(state.step, state.padding)
    numbers = f"largest difference {found.largest:.3f}, other class {found.changed:.2%}, no answer {found.gap:.2%}"
    shown = np.nan_to_num(difference(state.step, state.padding), nan=1.0)
    return Picture(figure, f"{_place(state)} {_verdict(state)}", f"{numbers}; differences: {digest(shown)}")


@lru_cache(maxsize=1)
def _surroundings() -> str:
    """As HTML: the image, with what is mirrored around it."""
    return image_tag(array_png(wide(image(), BEFORE, AFTER)), _GROUND, "width: 100%; image-rendering: pixelated")


_GROUND = "Drawn cells under a microscope, with a paler mirrored border around the image."


def _place_figure(state: State) -> str:
    rows, columns = placed(state.step, state.padding)
    read, kept = squares(rows, columns, _tile_of(state), SHAPE)
    lines = _grid(rows, columns, PAPER)
    for (top, left, height, width), colour, dashes, under in ((read, READ, "4 2", PAPER), (kept, KEPT, "", INK)):
        place = f'x="{left}" y="{top}" width="{width}" height="{height}" fill="none"'
        lines += f'<rect {place} stroke="{under}" stroke-width="2"/>'
        lines += f'<rect {place} stroke="{colour}" stroke-width="1.2" stroke-dasharray="{dashes}"/>'
    lines += f'<rect width="{SHAPE[1]}" height="{SHAPE[0]}" fill="none" stroke="{INK}" stroke-width="0.6"/>'
    lines += f'<circle cx="{state.column + 0.5}" cy="{state.row + 0.5}" r="1.2" fill="{PAPER}" stroke="{INK}" stroke-width="0.5"/>'
    box = f"{-BEFORE} {-BEFORE} {SHAPE[1] + BEFORE + AFTER} {SHAPE[0] + BEFORE + AFTER}"
    caption = (
        f"{_chip(READ, 'dashed')} read by the network: {read[2]} × {read[3]}; {_chip(KEPT)} kept of its answer: {kept[2]} × {kept[3]}. "
        "Paler: mirrored."
    )
    return _figure(_surroundings(), box, lines, _place(state), caption)


def _difference_figure(state: State) -> str:
    png = array_png(painted(state.step, state.padding))
    rows, columns = placed(state.step, state.padding)
    box = f"0 0 {SHAPE[1]} {SHAPE[0]}"
    tag = image_tag(png, _verdict(state), "width: 100%; image-rendering: pixelated")
    caption = (
        f"The tiles' answer: cells are light. {_chip(ROLES['error'].line, 'solid', filled=True)} differs from the answer for the whole image; "
        f"the full colour from {BRIGHTEST} on."
    )
    return _figure(tag, box, _grid(rows, columns, PAPER), "The seams between the tiles.", caption)


def _grid(rows: Tiling, columns: Tiling, colour: str) -> str:
    """The seams, as SVG."""
    H, W = SHAPE
    path = "".join(f"M0 {start}H{W}" for start in rows.starts[1:]) + "".join(
        f"M{start} 0V{H}" for start in columns.starts[1:]
    )
    return f'<path d="{path}" stroke="{colour}" stroke-width="0.5" stroke-dasharray="1.5 1.5" fill="none"/>'


def _figure(image: str, box: str, lines: str, words: str, caption: str) -> str:
    """An image with lines drawn over it, and what they mean below it."""
    over = (
        f'<svg role="img" aria-label="{words}" viewBox="{box}" '
        f'style="position: absolute; inset: 0; width: 100%; height: 100%">{lines}</svg>'
    )
    return (
        f'<figure style="margin: 0"><div style="line-height: 0; position: relative">{image}{over}</div>'
        f'<figcaption style="line-height: 1.5">{caption}</figcaption></figure>'
    )


def _chip(colour: str, line: str = "solid", filled: bool = False) -> str:
    inside = f"background: {colour}" if filled else "background: #808080"
    return (
        '<span aria-hidden="true" style="display: inline-block; box-sizing: border-box; width: 1.4em; height: 0.9em; vertical-align: baseline; '
        f'{inside}; border: 2px {line} {colour}"></span>'
    )


def _words(state: State) -> str:
    """The sum that decides, and what comes of it."""
    rows, columns = placed(state.step, state.padding)
    found = compared(state.step, state.padding)
    windows, rest = divmod(state.step, 4)
    phase = (
        f"<b>on the phase</b>: {state.step} = {windows} · 4"
        if not rest
        else f"<b>off the phase</b>: {state.step} = {windows} · 4 + {rest}"
    )
    reads = f"each tile reads {TILE} pixels, {rows.margin} of them before what it keeps"
    cell = 'style="padding-right: 1.5em; font-variant-numeric: tabular-nums"'
    numbers = (
        f"<td {cell}>largest difference <b>{found.largest:.3f}</b></td><td {cell}>pixels with another class <b>{found.changed:.2%}</b></td>"
        f"<td {cell}>{len(rows.starts) * len(columns.starts)} tiles, {len(rows.starts) * len(columns.starts) * TILE**2 / (SHAPE[0] * SHAPE[1]):.1f} "
        "pixels read for each pixel of the image</td>"
    )
    return (
        f'<div style="line-height: 1.6">Step {phase}; {reads}.<table><tr>{numbers}</tr></table>{_verdict(state)}</div>'
    )


def _place(state: State) -> str:
    """The two squares in words."""
    rows, columns = placed(state.step, state.padding)
    (top, left, height, width), kept = squares(rows, columns, _tile_of(state), SHAPE)
    outside = [
        name
        for name, is_out in {
            "above": top < 0,
            "below": top + height > SHAPE[0],
            "on the left": left < 0,
            "on the right": left + width > SHAPE[1],
        }.items()
        if is_out
    ]
    mirror = (
        f" {' and '.join(outside).capitalize()} it reads mirrored pixels." if outside else " It lies inside the image."
    )
    return (
        f"A tile reads rows {top} to {top + height - 1} and columns {left} to {left + width - 1}; of its answer rows {kept[0]} to {kept[0] + kept[2] - 1} and "
        f"columns {kept[1]} to {kept[1] + kept[3] - 1} are kept.{mirror}"
    )


def _verdict(state: State) -> str:
    """What the differences say."""
    rows, _ = placed(state.step, state.padding)
    found, is_on_phase = compared(state.step, state.padding), state.step % 4 == 0
    if found.gap:
        advice = "Choose a smaller step" + ("." if is_on_phase else ", and a multiple of 4.")
        return (
            f"The network answers {TILE - 2 * rows.border} pixels of each tile and the step is {state.step}: "
            f"{found.gap:.1%} of the image gets no answer (striped). {advice}"
        )
    if found.largest == 0:
        return "The tiles give the answer of the whole image, up to rounding."
    reasons = []
    if not is_on_phase:
        reasons.append("tiles cut the image into other pooling windows than the whole does")
    if state.padding == "same" and rows.margin < 24:
        reasons.append(
            f"pixels near the seams have seen zeros, because a margin of {rows.margin} is less than the 24 that they see"
        )
    return f"{found.changed:.2%} of the pixels get another class: {', and '.join(reasons)}."
