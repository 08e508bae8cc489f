"""The weight-map explorer: what a mistake costs at each pixel, and why. Lesson 07."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import ipywidgets
import matplotlib
import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from unet_edu.explore.explorer import Explorer, Picture, Pointed, View
from unet_edu.explore.picture import array_png, digest, image_tag
from unet_edu.figures.palette import INK, PAPER, ROLES
from unet_edu.losses import border_weight_map, separated

__all__ = ["SHAPE", "Reading", "State", "picture", "read", "scene", "weight_map"]

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
    row: int
    column: int
    gap: int
    w0: float
    sigma: float


class Reading(NamedTuple):
    """What the formula reads at the chosen pixel."""

    cell: int  # its number, or 0
    d1: float
    d2: float
    ends: tuple[tuple[int, int], tuple[int, int]]  # the nearest pixels of the two cells, (row, column)
    weight: float


def weight_map(row: int = 32, column: int = 40, *, gap: int = 7, w0: float = 10.0, sigma: float = 5.0) -> Explorer:
    """Explore what a mistake costs at each pixel.

    Point at a pixel of the map, or choose it with the sliders: two lines lead to the nearest and to the second nearest cell, and the formula
    is filled in with their lengths. A click holds the pixel, another lets it go. Move one cell towards its neighbour, and change w0 and σ.

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
    limits = {
        "row": (0, SHAPE[0] - 1),
        "column": (0, SHAPE[1] - 1),
        "gap": (0, WIDEST_GAP),
        "w0": (0, 20),
        "sigma": (1, 12),
    }
    state = State(row, column, gap, w0, sigma)
    for name, (least, most) in limits.items():
        if not least <= getattr(state, name) <= most:
            raise ValueError(f"{name}: expected a number from {least} to {most}, got {getattr(state, name)}")

    def slider(name: str, label: str, step: float = 1) -> ipywidgets.DOMWidget:
        kind = ipywidgets.IntSlider if step == 1 else ipywidgets.FloatSlider
        form = {} if step == 1 else {"readout_format": ".1f"}
        return kind(min=limits[name][0], max=limits[name][1], step=step, description=label, **form)

    controls = {
        "gap": slider("gap", "Move a cell"),
        "w0": slider("w0", "w0", 0.5),
        "sigma": slider("sigma", "σ", 0.5),
        "row": slider("row", "Row"),
        "column": slider("column", "Column"),
    }
    pointed = Pointed(
        rows=SHAPE[0], columns=SHAPE[1], layout={"flex": "1 1 50%", "min_width": "19em", "max_width": "44em"}
    )
    column_layout = {"flex": "1 1 35%", "min_width": "19em", "max_width": "36em", "margin": "0 0 0 1em"}
    views = [
        View(pointed, "html", _map_figure),
        View(ipywidgets.HTML(layout=column_layout), "value", lambda state: _formula(state) + _profile(state)),
    ]
    explorer = Explorer(state, controls, views, picture)
    pointed.on_point(lambda row, column: explorer.update(row=row, column=column))
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


def picture(state: State) -> Picture:
    """The map with the two lines, and the weights along the chosen row, for where nothing runs."""
    found, weights = read(state), _weights(state.gap, state.w0, state.sigma)
    figure = Figure(figsize=(10, 4), dpi=100, facecolor=PAPER, layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.5, 1))
    left.imshow(_coloured(state))
    for (name, (role, dashes)), d, end in zip(LINES.items(), found[1:3], found.ends, strict=True):
        if not found.cell:
            ends = ([state.column, end[1]], [state.row, end[0]])
            left.plot(
                *ends,
                color=ROLES[role].line,
                linestyle="--" if dashes else "-",
                linewidth=2.5,
                label=f"{name} = {d:.2f}",
            )
    left.plot(state.column, state.row, "o", color=INK, markersize=6, label="the chosen pixel")
    for number in range(1, len(CELLS) + 1):
        row, column = _middle(state.gap, number)
        left.text(column, row, str(number), ha="center", va="center", fontsize=10, color=INK)
    left.set_axis_off()
    left.set_title("what a mistake costs: darker is dearer", fontsize=10, color=INK)
    handles = [
        *left.get_legend_handles_labels()[0],
        Patch(facecolor=ROLES["input"].fill, edgecolor=INK, label="cells: 1"),
    ]
    left.legend(handles=handles, fontsize=9, loc="upper right", framealpha=0.9)
    right.plot(weights[state.row], color=ROLES["kernel"].line, linewidth=2)
    right.plot(state.column, found.weight, "o", color=INK, markersize=6)
    right.set(xlim=(0, SHAPE[1] - 1), ylim=(0, max(HOTTEST, 1.05 * weights.max())), xlabel="column", ylabel="weight")
    right.set_title(f"row {state.row}", fontsize=10, color=INK)
    for side in ("top", "right"):
        right.spines[side].set_visible(False)
    numbers = f"row {state.row}, column {state.column}, d1 {found.d1:.3f}, d2 {found.d2:.3f}, w {found.weight:.3f}"
    return Picture(figure, _alt(state, found), f"{numbers}; weights: {digest(weights)}")


def _coloured(state: State) -> NDArray[np.float64]:
    """Cells in one colour; the background the darker the more a mistake costs."""
    weights = _weights(state.gap, state.w0, state.sigma)
    image = HEAT(np.clip((weights - 1) / (HOTTEST - 1), 0, 1))[..., :3]
    image[_cells(state.gap) > 0] = to_rgb(ROLES["input"].fill)
    return image


def _middle(gap: int, number: int) -> tuple[float, float]:
    row, column = CELLS[number - 1][:2]
    return row, column + gap * (number == MOVED)


def _map_figure(state: State) -> str:
    found = read(state)
    image = image_tag(
        array_png(_coloured(state)), _alt(state, found), "width: 100%; display: block; image-rendering: pixelated"
    )
    parts = []
    for number in range(1, len(CELLS) + 1):
        row, column = _middle(state.gap, number)
        parts.append(f'<text x="{column + 0.5}" y="{row + 1.9}" text-anchor="middle">{number}</text>')
    x, y = state.column + 0.5, state.row + 0.5
    for (name, (role, dashes)), end in zip(LINES.items(), found.ends, strict=True):
        if found.cell:
            break
        colour, (row, column) = ROLES[role].line, (end[0] + 0.5, end[1] + 0.5)
        parts.append(f'<path d="M{x} {y}L{column} {row}" stroke="{PAPER}" stroke-width="1.5"/>')
        parts.append(
            f'<path d="M{x} {y}L{column} {row}" stroke="{colour}" stroke-width="0.8" stroke-dasharray="{dashes}"/>'
        )
        parts.append(f'<circle cx="{column}" cy="{row}" r="0.9" fill="{colour}"/>')
        # the name stands behind the line's end, in the cell
        away = np.hypot(column - x, row - y)
        there = (column + 3.4 * (column - x) / away, row + 3.4 * (row - y) / away + 1.2)
        there = (np.clip(there[0], 2.5, SHAPE[1] - 2.5), np.clip(there[1], 3, SHAPE[0] - 1))
        parts.append(
            f'<text x="{there[0]:.1f}" y="{there[1]:.1f}" text-anchor="middle" fill="{colour}" font-weight="bold">{name}</text>'
        )
    parts.append(f'<circle cx="{x}" cy="{y}" r="1.3" fill="{INK}" stroke="{PAPER}" stroke-width="0.5"/>')
    overlay = (
        f'<svg aria-hidden="true" viewBox="0 0 {SHAPE[1]} {SHAPE[0]}" style="position: absolute; inset: 0; width: 100%; height: 100%; '
        f'pointer-events: none" font-family="sans-serif" font-size="3.6" fill="{INK}">{"".join(parts)}</svg>'
    )
    stops = ", ".join(matplotlib.colors.to_hex(HEAT(part)) for part in np.linspace(0, 1, 9))
    square = "display: inline-block; width: 1.4em; height: 0.8em; border: 1px solid currentColor; background:"
    key = (
        f'<span style="white-space: nowrap"><span aria-hidden="true" style="{square} {ROLES["input"].fill}"></span> cells: weight 1</span> '
        f'<span style="white-space: nowrap; margin-left: 1em">background: 1 <span aria-hidden="true" style="{square} '
        f'linear-gradient(to right, {stops}); width: 9em"></span> {HOTTEST:g} or more</span>'
    )
    return (
        f'<figure style="margin: 0"><div style="position: relative; line-height: 0">{image}{overlay}</div>'
        f'<figcaption style="line-height: 1.7">{key}</figcaption></figure>'
    )


def _formula(state: State) -> str:
    """Equation 2 with its numbers."""
    found, w0, sigma = read(state), state.w0, state.sigma
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
    return f'<p style="margin: 0; line-height: 1.6; min-height: 3.2em">{words}</p><p style="margin: 0 0 0.5em; line-height: 1.8">{"<br>".join(lines)}</p>'


def _profile(state: State) -> str:
    """The weights along the chosen row, as SVG."""
    width, height, left, top = 360, 150, 30, 8
    right, bottom = width - 8, height - 28
    weights = _weights(state.gap, state.w0, state.sigma)[state.row].astype(float)
    most = max(HOTTEST, float(_weights(state.gap, state.w0, state.sigma).max()))

    def x(column: float) -> float:
        return left + (right - left) * column / (SHAPE[1] - 1)

    def y(weight: float) -> float:
        return bottom - (bottom - top) * weight / most

    is_cell = _cells(state.gap)[state.row] > 0
    parts = [f'<rect width="{width}" height="{height}" fill="{PAPER}"/>']
    edges = np.flatnonzero(np.diff(np.pad(is_cell.astype(int), 1)))
    for begin, end in edges.reshape(-1, 2):
        parts.append(
            f'<rect x="{x(begin - 0.5):.1f}" y="{top}" width="{x(end) - x(begin):.1f}" height="{bottom - top}" fill="{ROLES["input"].fill}"/>'
        )
    for tick in (0, 5, 10) if most <= HOTTEST else (0, 10, 20):
        parts.append(f'<path d="M{left} {y(tick):.1f}H{right}" stroke="{ROLES["neutral"].fill}"/>')
        parts.append(f'<text x="{left - 5}" y="{y(tick) + 3.5:.1f}" text-anchor="end">{tick}</text>')
    for tick in range(0, SHAPE[1], 20):
        parts.append(f'<text x="{x(tick):.1f}" y="{bottom + 13}" text-anchor="middle">{tick}</text>')
    line = " ".join(f"{x(column):.1f},{y(weight):.1f}" for column, weight in enumerate(weights))
    parts.append(f'<polyline points="{line}" fill="none" stroke="{ROLES["kernel"].line}" stroke-width="2"/>')
    here = weights[state.column]
    parts.append(f'<circle cx="{x(state.column):.1f}" cy="{y(here):.1f}" r="4" fill="{INK}"/>')
    parts.append(
        f'<text x="{(left + right) / 2}" y="{height - 3}" text-anchor="middle">weight along row {state.row}; cells are shaded</text>'
    )
    words = (
        f"Curve of the weight along row {state.row}. At column {state.column} it is {here:.3f}; its largest value in this row is "
        f"{weights.max():.3f}, at column {int(weights.argmax())}."
    )
    return (
        f'<svg role="img" aria-label="{words}" viewBox="0 0 {width} {height}" style="width: 100%; max-width: 36em; display: block" '
        f'font-family="sans-serif" font-size="10" fill="{INK}">{"".join(parts)}</svg>'
    )


def _alt(state: State, found: Reading) -> str:
    apart = (
        "touch, and a gap of two pixels has been cut between them"
        if state.gap == 0
        else f"have been moved apart by {state.gap} pixels"
    )
    pixel = (
        f"The chosen pixel, row {state.row}, column {state.column}, lies in cell {found.cell}: weight {found.weight:.3f}."
        if found.cell
        else f"From the chosen pixel, row {state.row}, column {state.column}, two lines lead to the two nearest cells, {found.d1:.2f} and "
        f"{found.d2:.2f} pixels away: weight {found.weight:.3f}."
    )
    return f"Map of the weights around five cells. Cells 1 and 2 {apart}. {pixel}"
