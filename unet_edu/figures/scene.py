"""Scenes: grids of numbers, and which number meets which. The picture behind every grid explorer.

A scene is plain data and knows nothing of how it is drawn. Two painters draw the same one: `draw_scene` here, for pictures that
stand still, and `explore/scene.js`, where one can point, step and play.

The heart of a scene are its links. Every linear operator is a list of products, output += weight · input, and a link names the three
cells of one product. Read from an output, the links are the operator: the patch it sees. Read from an input, they are its
adjoint: the outputs it feeds. Read from a weight, they are every product it takes part in.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, SupportsFloat

import matplotlib.patheffects
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from unet_edu.figures.palette import INK, PAPER, ROLES

__all__ = ["LABEL", "Grid", "Link", "Scene", "draw_scene", "inches", "line_up", "number"]

# All in cells.
GAP = 0.55  # between a grid and a sign
SIGN = 0.6  # room for a sign
LABEL = 0.85  # room for the label above a grid
LETTER = 0.21  # the width of a label's letter, about
LINE = 0.62  # from one line of text below to the next
_BELOW = 4 * LINE  # room for three lines of text
PAGE = 17  # a still picture is at least so wide, so that few cells do not become huge


class Link(NamedTuple):
    """One product: the numbers of its three cells, counted through the grids of the scene."""

    output: int
    input: int
    weight: int


@dataclass(frozen=True)
class Grid:
    """A rectangle of cells.

    Attributes
    ----------
    name : str
        What code and tests call it: "input", "kernel", "output" …
    label : str
        What stands above it.
    role : str
        Its colour: a key of `palette.ROLES`.
    rows, columns : int
    text : tuple of str
        What is written in each cell, row by row.
    notes : tuple of str
        What is said of each cell when one points at it.
    marks : tuple of str
        For each cell "", "padding" (it is not in the data), "unused" (no product reads it), "tap" (coloured) or "blank".
    editable : bool
        Whether a reader may type into its cells.
    at : (column, row)
        Where its upper left corner is, in cells.
    """

    name: str
    label: str
    role: str
    rows: int
    columns: int
    text: tuple[str, ...]
    notes: tuple[str, ...]
    marks: tuple[str, ...] = ()
    editable: bool = False
    at: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        if not self.marks:
            object.__setattr__(self, "marks", ("",) * len(self.text))
        if not len(self.text) == len(self.notes) == len(self.marks) == self.rows * self.columns:
            raise ValueError(f"grid {self.name!r}: expected {self.rows * self.columns} texts, notes and marks")


@dataclass(frozen=True)
class Scene:
    """Grids, the signs between them, and the products that link their cells.

    Attributes
    ----------
    alt : str
        The scene in words, for someone who does not see it.
    grids : tuple of Grid
    links : tuple of Link
    walk : str
        The grid whose cells step, play and the sliders visit, usually "output". Its notes are sums, its texts their results.
    signs : tuple of (column, row, text)
    caption, code : str
        A line below: the formula, filled in; and the line of PyTorch that does the same.
    can_predict : bool
        Whether the results may be hidden, for the reader to say them first.
    """

    alt: str
    grids: tuple[Grid, ...]
    links: tuple[Link, ...]
    walk: str
    signs: tuple[tuple[float, float, str], ...] = ()
    caption: str = ""
    code: str = ""
    can_predict: bool = False
    first: dict[str, int] = field(init=False)  # the number of each grid's first cell

    def __post_init__(self) -> None:
        first, count = {}, 0
        for grid in self.grids:
            first[grid.name] = count
            count += len(grid.text)
        object.__setattr__(self, "first", first)

    def grid(self, name: str) -> Grid:
        return self.grids[list(self.first).index(name)]

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in cells."""
        return (
            max(grid.at[0] + max(grid.columns, LETTER * len(grid.label)) for grid in self.grids),
            max(grid.at[1] + grid.rows for grid in self.grids),
        )

    def linked(self, cell: int) -> dict[int, str]:
        """Every cell that shares a product with `cell`; to an input or output, the weight that it is multiplied by."""
        texts = [text for grid in self.grids for text in grid.text]
        found = {}
        for link in self.links:
            if cell in link:
                found[link.weight] = ""
                found[link.output] = found[link.input] = f"×{texts[link.weight]}"
        found.pop(cell, None)
        return found

    def data(self) -> dict[str, Any]:
        """The scene as JSON carries it to `scene.js`, colours included."""
        return {
            "alt": self.alt,
            "caption": self.caption,
            "code": self.code,
            "canPredict": self.can_predict,
            "walk": list(self.first).index(self.walk),
            "size": self.size,
            "signs": self.signs,
            "links": self.links,
            "colours": {role: {"line": colour.line, "fill": colour.fill} for role, colour in ROLES.items()},
            "grids": [
                {
                    "name": grid.name,
                    "label": grid.label,
                    "role": grid.role,
                    "rows": grid.rows,
                    "columns": grid.columns,
                    "at": grid.at,
                    "first": self.first[grid.name],
                    "text": grid.text,
                    "notes": grid.notes,
                    "marks": grid.marks,
                    "editable": grid.editable,
                }
                for grid in self.grids
            ],
        }


def number(value: SupportsFloat) -> str:
    """A number as it is written in a cell: three digits, a true minus sign, no −0.

    Examples
    --------
    >>> number(-4.0), number(1 / 9), number(-0.0)
    ('−4', '0.111', '0')
    """
    value = float(value)
    if not math.isfinite(value):
        return str(value)
    is_whole = value == round(value) or abs(value) >= 999.5  # which three digits would write as 1e+03
    text = f"{value:.0f}" if is_whole else f"{value:.3g}"
    return "0" if text == "-0" else text.replace("-", "−")


def line_up(*parts: Grid | str) -> tuple[tuple[Grid, ...], tuple[tuple[float, float, str], ...]]:
    """Place grids side by side, centred, with signs such as "∗" and "=" between them."""
    height = max(part.rows for part in parts if isinstance(part, Grid))
    grids, signs, x = [], [], 0.0
    for part in parts:
        if isinstance(part, Grid):
            grids.append(replace(part, at=(x, LABEL + (height - part.rows) / 2)))
            x += part.columns + GAP
        else:
            signs.append((x + SIGN / 2, LABEL + height / 2, part))
            x += SIGN + GAP
    return tuple(grids), tuple(signs)


def inches(scene: Scene, width: float = 8.0) -> tuple[float, float]:
    """The size of a figure that holds the scene and nothing else."""
    across, down = scene.size
    return width, width * (down + _BELOW) / max(across, PAGE)


def draw_scene(axes: Axes, scene: Scene, selected: int | None = None) -> Axes:
    """Draw a scene with one cell selected: its linked cells are outlined, and the sum that it stands for is written below.

    Parameters
    ----------
    axes : matplotlib Axes
        Cleared of ticks and frame.
    scene : Scene
    selected : int, optional
        The number of a cell; the first cell of the grid that is walked, if not given.
    """
    width, height = scene.size
    walked = scene.grid(scene.walk)
    if selected is None and walked.text:
        selected = scene.first[scene.walk]
    linked = {} if selected is None else scene.linked(selected)
    for grid in scene.grids:
        axes.text(grid.at[0], grid.at[1] - 0.25, grid.label, color=ROLES[grid.role].line, fontsize=10, weight="bold")
        for k in range(len(grid.text)):
            cell = scene.first[grid.name] + k
            _draw_cell(axes, grid, k, is_selected=cell == selected, corner=linked.get(cell))
    for x, y, sign in scene.signs:
        axes.text(x, y, sign, color=INK, fontsize=18, ha="center", va="center")
    for line, text in enumerate(_lines_below(scene, selected)):
        axes.text(0, height + LINE * (line + 1), text, color=INK, fontsize=9.5, va="center")
    axes.set(xlim=(-0.1, max(width, PAGE) + 0.1), ylim=(height + _BELOW, 0), aspect="equal", anchor="NW")
    axes.set_axis_off()
    return axes


def _draw_cell(axes: Axes, grid: Grid, k: int, is_selected: bool, corner: str | None) -> None:
    """One cell: thin and white, or filled and thickly outlined where it is selected or linked (corner is not None)."""
    x, y = grid.at[0] + k % grid.columns, grid.at[1] + k // grid.columns
    mark, colour = grid.marks[k], ROLES[grid.role]
    is_lit = is_selected or corner is not None
    if mark == "blank" and not is_lit:
        return
    axes.add_patch(
        Rectangle(
            (x, y),
            1,
            1,
            facecolor=colour.fill if is_lit or mark == "tap" else PAPER,
            edgecolor=ROLES["error"].line if mark == "unused" else colour.line,
            linewidth=3 if is_selected else 2 if is_lit else 0.7,
            linestyle="--" if mark == "padding" else "-",
            hatch="///" if mark == "unused" else None,
            zorder=2 if is_lit else 1,
        )
    )
    ink = ROLES["neutral"].line if mark == "padding" else INK
    outline = [matplotlib.patheffects.withStroke(linewidth=3, foreground=PAPER)] if mark == "unused" else []
    size = 11 if max(map(len, grid.text)) < 4 else 8
    axes.text(
        x + 0.5,
        y + 0.5,
        grid.text[k],
        color=ink,
        fontsize=size,
        ha="center",
        va="center",
        zorder=3,
        path_effects=outline,
    )
    if corner:
        axes.text(
            x + 0.96, y + 0.93, corner, color=ROLES["kernel"].line, fontsize=6.5, ha="right", va="bottom", zorder=3
        )


def _lines_below(scene: Scene, selected: int | None) -> Iterable[str]:
    if selected is not None:
        for grid in scene.grids:
            k = selected - scene.first[grid.name]
            if 0 <= k < len(grid.text):
                yield f"{grid.notes[k]} = {grid.text[k]}" if grid.name == scene.walk else grid.notes[k]
    yield from (line for line in (scene.caption, scene.code) if line)
