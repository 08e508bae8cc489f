"""The overlap-tile explorer: what is read, what is kept, and where the tiles' answer differs from that of the whole
image. Lesson 08."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from unet_edu.data.cells import synthetic_cells
from unet_edu.data.networks import pretrained
from unet_edu.explore.board import Dot, Image, Key, Line, Rows, Stack, Table, Text, still, views
from unet_edu.explore.explorer import Explorer, Picture
from unet_edu.explore.fields import checked, controls, menu, slider
from unet_edu.explore.picture import digest
from unet_edu.figures.palette import INK, PAPER, ROLES
from unet_edu.figures.tiles import BRIGHTEST, KEPT, READ, ROUNDING, squares, wide

if TYPE_CHECKING:
    from unet_edu.tiling import Tiling
    from unet_edu.unet import UNet

__all__ = ["SHAPE", "STEPS", "TILE", "State", "answer", "board", "difference", "picture", "placed", "tiles", "whole"]

SHAPE = (96, 120)
TILE = 68  # pixels that the network reads, a legal side with either padding
STEPS = range(20, 61, 2)  # multiples of 4 are on the phase of two poolings
BEFORE, AFTER = 24, 60  # pixels of mirrored surroundings that the picture shows: no tile reads farther
PADDINGS = {"valid: nothing is added": "valid", "same: zeros around each tile": "same"}
GAP = to_rgb(ROLES["neutral"].fill)


@dataclass(frozen=True)
class State:
    step: int = slider(STEPS[0], STEPS[-1], "Step", step=STEPS.step, expected="an even number from {low} to {high}")
    padding: str = menu(PADDINGS, "Padding", "'valid' or 'same'")
    row: int = slider(0, SHAPE[0] - 1, "Row")
    column: int = slider(0, SHAPE[1] - 1, "Column")


class Compared(NamedTuple):
    """The tiles' answer beside that of the whole image."""

    largest: float  # difference of the probability
    changed: float  # part of the pixels that get another class
    gap: float  # part of the pixels that no tile answers


def tiles(row: int = 40, column: int = 50, *, step: int = 28, padding: str = "valid") -> Explorer:
    """Explore images in tiles.

    Point at a pixel, or choose it with the sliders: its tile is shown, the blue square that the network reads, and the
    yellow square that is kept of the answer. A click holds the pixel, another lets it go. Change the step from tile to
    tile, on and off the phase, and see on the right where the answer differs from that of the whole image at once. With
    padding "same" the network sees zeros around each tile.

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
    state = checked(State, row=row, column=column, step=step, padding=padding)
    for each in PADDINGS.values():
        for number in STEPS:
            answer(number, each)  # now, so that a slider never waits
    explorer = Explorer(state, controls(state), views(board, state), picture)

    def follow(*pixel: int) -> None:
        places = [min(max(place - BEFORE, 0), length - 1) for place, length in zip(pixel, SHAPE, strict=True)]
        explorer.update(row=places[0], column=places[1])

    explorer.views[0].widget.on_point(follow)
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

    With padding "valid" the margin is the border that the network loses. With "same" it is what the step leaves of the
    tile, half at each end, rounded down to whole windows.
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
    """How far the tiles' answer is from that of the whole image, at each pixel; what is only rounding is 0, and a gap
    is NaN."""
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


def board(state: State) -> Rows:
    """The tile in its surroundings, the answer with its differences, and what comes of it."""
    return (_place(state), _difference(state)), (_words(state),)


def picture(state: State) -> Picture:
    """Both images, for where nothing runs."""
    found = compared(state.step, state.padding)
    numbers = f"largest difference {found.largest:.3f}, other class {found.changed:.2%}, no answer {found.gap:.2%}"
    shown = np.nan_to_num(difference(state.step, state.padding), nan=1.0)
    return still(board(state), f"{_place_words(state)} {_verdict(state)}", f"{numbers}; differences: {digest(shown)}")


@lru_cache(maxsize=1)
def _surroundings() -> NDArray[np.float64]:
    return wide(image(), BEFORE, AFTER)


def _place(state: State) -> Image:
    rows, columns = placed(state.step, state.padding)
    read, kept = squares(rows, columns, _tile_of(state), SHAPE)
    marks: list[Line | Dot] = [
        _seams(rows, columns),
        Line(_outline(read), READ, 1.2, "4 2", under=2),
        Line(_outline(kept), KEPT, 1.2, under=2, ground=INK),
        Line(_outline((0, 0, *SHAPE)), INK, 0.6),
        Dot(state.column, state.row, 1.2, PAPER, INK, 0.5),
    ]
    keys = (
        Key(f"read by the network: {read[2]} × {read[3]}", READ, "dashed outline"),
        Key(f"kept of its answer: {kept[2]} × {kept[3]}", KEPT, "outline"),
    )
    return Image(
        _surroundings(),
        "Drawn cells under a microscope, with a paler mirrored border around the image.",
        "Paler: mirrored.",
        keys,
        title="what is read and what is kept; paler: mirrored",
        marks=marks,
        marks_words=_place_words(state),
        corner=-BEFORE,
        is_pointed=True,
        share=1.25,
    )


def _difference(state: State) -> Image:
    return Image(
        painted(state.step, state.padding),
        _verdict(state),
        f"The tiles' answer: cells are light; the full colour from {BRIGHTEST} on.",
        (Key("differs from the answer for the whole image", ROLES["error"].line),),
        title="light: cells; orange: differs; striped: no answer",
        marks=[_seams(*placed(state.step, state.padding))],
        marks_words="The seams between the tiles.",
    )


def _seams(rows: Tiling, columns: Tiling) -> Line:
    (H, W), lift = SHAPE, (np.nan, np.nan)
    flat = [((-0.5, start - 0.5), (W - 0.5, start - 0.5), lift) for start in rows.starts[1:]]
    upright = [((start - 0.5, -0.5), (start - 0.5, H - 0.5), lift) for start in columns.starts[1:]]
    return Line(np.reshape(flat + upright, (-1, 2)), PAPER, 0.5, "1.5 1.5")


def _outline(box: tuple[int, int, int, int]) -> NDArray[np.float64]:
    top, left, height, width = box
    corners = ((0, 0), (width, 0), (width, height), (0, height), (0, 0))
    return np.array(corners) + (left - 0.5, top - 0.5)


def _words(state: State) -> Stack:
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
    count = len(rows.starts) * len(columns.starts)
    numbers = (
        f"largest difference <b>{found.largest:.3f}</b>",
        f"pixels with another class <b>{found.changed:.2%}</b>",
        f"{count} tiles, {count * TILE**2 / (SHAPE[0] * SHAPE[1]):.1f} pixels read for each pixel of the image",
    )
    return Stack((Text(f"Step {phase}; {reads}."), Table([numbers]), Text(_verdict(state))))


def _place_words(state: State) -> str:
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
        f"A tile reads rows {top} to {top + height - 1} and columns {left} to {left + width - 1}; of its answer rows "
        f"{kept[0]} to {kept[0] + kept[2] - 1} and columns {kept[1]} to {kept[1] + kept[3] - 1} are kept.{mirror}"
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
            f"pixels near the seams have seen zeros, because a margin of {rows.margin} is less than the 24 that "
            "they see"
        )
    return f"{found.changed:.2%} of the pixels get another class: {', and '.join(reasons)}."
