"""The weight-map explorer: what a mistake costs at each pixel, and why. Lesson 07."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import matplotlib
import numpy as np
from matplotlib.colors import to_hex, to_rgb
from numpy.typing import NDArray

from unet_edu.explore.board import Curve, Curves, Dot, Image, Key, Line, Rows, Stack, Text, Word, still, views
from unet_edu.explore.explorer import Explorer, Picture
from unet_edu.explore.fields import checked, controls, slider
from unet_edu.explore.picture import digest
from unet_edu.figures.palette import INK, PAPER, ROLES
from unet_edu.losses import border_weight_map, separated

__all__ = ["SHAPE", "Reading", "State", "board", "picture", "read", "scene", "weight_map"]

SHAPE = (64, 96)
WIDEST_GAP = 24
# row, column, radius, and how much two waves along the outline push it out: a cell is no disc
CELLS = (
    (33, 22, 13, 0.12, 0.8),  # this one stays, and
    (31, 49, 12, -0.10, 2.1),  # this one moves away from it, to the right
    (8, 26, 8, 0.15, 0.3),
    (56, 40, 9, 0.10, 1.5),
    (58, 8, 8, 0.10, 2.6),
)
MOVED = 2
HEAT = matplotlib.colormaps["YlOrBr"]
HOTTEST = 11.0  # the weight with the last colour: what w0 = 10 gives where two cells nearly touch
LINES = {"d1": ("output", ""), "d2": ("skip", "2 1.4")}  # role, dashes


@dataclass(frozen=True)
class State:
    gap: int = slider(0, WIDEST_GAP, "Gap, 1 to 2")
    w0: float = slider(0, 20, "w0", step=0.5, readout_format=".1f")
    sigma: float = slider(1, 12, "σ", step=0.5, readout_format=".1f")
    row: int = slider(0, SHAPE[0] - 1, "Row")
    column: int = slider(0, SHAPE[1] - 1, "Column")


class Reading(NamedTuple):
    """What the formula reads at the chosen pixel."""

    cell: int  # its number, or 0
    d1: float
    d2: float
    ends: tuple[tuple[int, int], tuple[int, int]]  # the nearest pixels of the two cells, (row, column)
    weight: float


def weight_map(row: int = 32, column: int = 40, *, gap: int = 7, w0: float = 10.0, sigma: float = 5.0) -> Explorer:
    """Explore what a mistake costs at each pixel.

    Point at a pixel of the map, or choose it with the sliders: two lines lead to the nearest and to the second nearest
    cell, and the formula is filled in with their lengths. A click holds the pixel, another lets it go. Move one cell
    towards its neighbour, and change w0 and σ.

    Parameters
    ----------
    row, column : int
        The chosen pixel.
    gap : int
        By how many pixels a cell has been moved away from its neighbour. At 0 they touch.
    w0 : float
        From 0 to 20.
    sigma : float
        From 1 to 12, in pixels.

    Returns
    -------
    Explorer
        The last value of a notebook cell shows itself.

    Raises
    ------
    ValueError
        When an argument is out of range.
    """
    state = checked(State, row=row, column=column, gap=gap, w0=w0, sigma=sigma)
    explorer = Explorer(state, controls(state), views(board, state), picture)
    explorer.views[0].widget.on_point(lambda row, column: explorer.update(row=row, column=column))
    return explorer


@lru_cache(maxsize=WIDEST_GAP + 1)
def scene(gap: int) -> NDArray[np.int32]:
    """Five cells with numbers from 1 to 5. The second is `gap` pixels away from where it touches the first.

    Returns
    -------
    SHAPE array of int32
    """
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    instances = np.zeros(SHAPE, np.int32)
    for number, (row, column, radius, push, turn) in enumerate(CELLS, start=1):
        y, x = rows - row, columns - column - gap * (number == MOVED)
        angle = np.arctan2(y, x)
        outline = radius * (1 + push * np.cos(2 * angle + turn) + 0.06 * np.cos(3 * angle - turn))
        instances[(np.hypot(y, x) < outline) & (instances == 0)] = number
    instances.setflags(write=False)
    return instances


@lru_cache(maxsize=64)
def _weights(gap: int, w0: float, sigma: float) -> NDArray[np.float32]:
    return border_weight_map(scene(gap), w0=w0, sigma=sigma)


def _cells(gap: int) -> NDArray[np.int32]:
    """The cells as the labels have them: taken apart where they touch."""
    return np.where(separated(scene(gap)), scene(gap), 0)


def read(state: State) -> Reading:
    """The two distances at the chosen pixel, measured to each pixel of each cell."""
    cells = _cells(state.gap)
    nearest = []
    for number in range(1, len(CELLS) + 1):
        places = np.argwhere(cells == number)
        distances = np.hypot(*(places - (state.row, state.column)).T)
        best = int(distances.argmin())
        nearest.append((float(distances[best]), (int(places[best, 0]), int(places[best, 1]))))
    (d1, first), (d2, second) = sorted(nearest)[:2]
    weight = float(_weights(state.gap, state.w0, state.sigma)[state.row, state.column])
    return Reading(int(cells[state.row, state.column]), d1, d2, (first, second), weight)


def board(state: State) -> Rows:
    """The map with the two lines, the formula, and the weights along the chosen row."""
    found, weights = read(state), _weights(state.gap, state.w0, state.sigma)
    return ((_map(state, found), Stack((Text(_formula(state, found)), _profile(state, weights)))),)


def picture(state: State) -> Picture:
    """The map and the curve, for where nothing runs."""
    found, weights = read(state), _weights(state.gap, state.w0, state.sigma)
    numbers = f"row {state.row}, column {state.column}, d1 {found.d1:.3f}, d2 {found.d2:.3f}, w {found.weight:.3f}"
    return still(board(state), _alt(state, found), f"{numbers}; weights: {digest(weights)}")


def _coloured(state: State) -> NDArray[np.float64]:
    """Cells in one colour; the background the darker the more a mistake costs."""
    weights = _weights(state.gap, state.w0, state.sigma)
    image = HEAT(np.clip((weights - 1) / (HOTTEST - 1), 0, 1))[..., :3]
    image[_cells(state.gap) > 0] = to_rgb(ROLES["input"].fill)
    return image


def _middle(gap: int, number: int) -> tuple[float, float]:
    row, column = CELLS[number - 1][:2]
    return row, column + gap * (number == MOVED)


def _map(state: State, found: Reading) -> Image:
    here = (state.column, state.row)
    marks: list[Line | Dot | Word] = []
    for number in range(1, len(CELLS) + 1):
        row, column = _middle(state.gap, number)
        marks.append(Word(column, row, str(number), 3.6))
    for (name, (role, dashes)), end in zip(LINES.items(), found.ends if not found.cell else (), strict=False):
        colour, there = ROLES[role].line, (end[1], end[0])
        marks.append(Line([here, there], colour, 0.8, dashes, under=1.5))
        marks.append(Dot(*there, 0.9, colour, colour, 0))
        # the name stands behind the line's end, in the cell
        away = 3.4 * np.subtract(there, here) / np.hypot(*np.subtract(there, here))
        x, y = np.clip(there + away, (2, 2), (SHAPE[1] - 3, SHAPE[0] - 3)).tolist()
        marks.append(Word(x, y, name, 3.6, colour, "bold"))
    marks.append(Dot(*here, 1.3, INK, PAPER, 0.5))
    stops = ", ".join(to_hex(HEAT(part)) for part in np.linspace(0, 1, 9))
    lengths = f"d1 = {found.d1:.2f}, d2 = {found.d2:.2f}, " * (not found.cell)
    return Image(
        _coloured(state),
        _alt(state, found),
        keys=(Key("cells: weight 1", ROLES["input"].fill), Key(f"background: 1 to {HOTTEST:g} or more", stops, "ramp")),
        title=f"what a mistake costs: darker is dearer\n{lengths}weight {found.weight:.3f}",
        marks=marks,
        is_pointed=True,
        share=1.5,
    )


def _formula(state: State, found: Reading) -> str:
    """Equation 2 with its numbers."""
    w0, sigma = state.w0, state.sigma
    place = f"<b>row {state.row}, column {state.column}</b>"
    if found.cell:
        words = f"{place} lies in cell {found.cell}. Cells have no border term:"
        lines = [f"w = w<sub>c</sub> = <b>{found.weight:.3f}</b>"]
    else:
        lies = (
            "lies in the gap that was cut between two touching cells"
            if scene(state.gap)[state.row, state.column]
            else "is background"
        )
        words = f"{place} {lies}:"
        exponent = (found.d1 + found.d2) ** 2 / (2 * sigma**2)
        lines = [
            "w = w<sub>c</sub> + w<sub>0</sub> · exp(−(d<sub>1</sub> + d<sub>2</sub>)² / (2 σ²))",
            f"&nbsp;&nbsp;= 1 + {w0:g} · exp(−({found.d1:.2f} + {found.d2:.2f})² / (2 · {sigma:g}²))",
            f"&nbsp;&nbsp;= 1 + {w0:g} · {np.exp(-exponent):.4f} = <b>{found.weight:.3f}</b>",
        ]
    # as many lines inside a cell as outside: what stands below must not jump while the mouse moves
    lines += ["&nbsp;"] * (3 - len(lines))
    first = f'<p style="margin: 0; min-height: 3.2em">{words}</p>'
    return f'{first}<p style="margin: 0 0 0.5em; line-height: 1.8">{"<br>".join(lines)}</p>'


def _profile(state: State, weights: NDArray[np.float32]) -> Curves:
    """The weights along the chosen row; cells are shaded."""
    along = weights[state.row].astype(float)
    is_cell = np.pad(_cells(state.gap)[state.row] > 0, 1).astype(int)
    edges = np.flatnonzero(np.diff(is_cell)).reshape(-1, 2) - 0.5
    here, most = along[state.column], max(HOTTEST, float(weights.max()))
    return Curves(
        [Curve("weight", np.arange(SHAPE[1], dtype=float), along, "kernel")],
        f"Curve of the weight along row {state.row}. At column {state.column} it is {here:.3f}; its largest value in "
        f"this row is {along.max():.3f}, at column {int(along.argmax())}.",
        range(0, SHAPE[1], 20),
        (0, 5, 10) if most <= HOTTEST else (0, 10, 20),
        (f"weight along row {state.row}; cells are shaded", "weight"),
        ends=(SHAPE[1] - 1, most),
        dots=[(state.column, here, INK)],
        shaded=edges.tolist(),
        size=(360, 150),
        has_names=False,
    )


def _alt(state: State, found: Reading) -> str:
    apart = (
        "touch, and a gap of two pixels has been cut between them"
        if state.gap == 0
        else f"have been moved apart by {state.gap} pixels"
    )
    pixel = (
        f"The chosen pixel, row {state.row}, column {state.column}, lies in cell {found.cell}: weight "
        f"{found.weight:.3f}."
        if found.cell
        else f"From the chosen pixel, row {state.row}, column {state.column}, two lines lead to the two nearest cells, "
        f"{found.d1:.2f} and {found.d2:.2f} pixels away: weight {found.weight:.3f}."
    )
    return f"Map of the weights around five cells. Cells 1 and 2 {apart}. {pixel}"
