"""Scenes: grids of numbers, and which number meets which. The picture behind every grid explorer.

A scene is plain data and knows nothing of how it is drawn. Two painters draw the same one: `draw_scene` here, for
pictures that stand still, and `explore/scene.js`, where one can point, step and play.

The heart of a scene are its links. Every linear operator is a list of products, output += weight · input, and a link
names the three cells of one product. Read from an output, the links are the operator: the patch it sees. Read from an
input, they are its adjoint: the outputs it feeds. Read from a weight, they are every product it takes part in.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, SupportsFloat

import matplotlib.patheffects
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb, to_rgba

from unet_edu.figures.palette import INK, PAPER, ROLES
from unet_edu.figures.panels import arrow, rectangle, write

__all__ = ["LABEL", "Cells", "Link", "Scene", "colours", "draw_scene", "inches", "line_up", "number", "stack"]

# All in cells.
GAP = 0.55  # between a grid and a sign
SIGN = 0.6  # room for a sign
LABEL = 0.85  # room for the label above a grid
LETTER = 0.21  # the width of a label's letter, about
WIDE_LETTER = 0.3  # the same where cells are small, so that no label is covered
LINE = 0.62  # from one line of text below to the next
MARGIN = 1  # one more than the lines below
LETTERS = 112  # of them fit into a line below a still picture
HATCHES = {"unused": "///", "clash": "xxx"}
PAGE = 17  # a still picture is at least so wide, so that few cells do not become huge
TALL, TALLEST = 1.4, 30  # and so many times as wide as high, if that does not make it wider than so many cells
INCHES = 8.0  # the width of a still picture


class Link(NamedTuple):
    """One product: the numbers of its three cells, counted through the grids of the scene.

    A weight that stands in no cell is None; then `factor` says in the linked cell's corner what it is.
    """

    output: int
    input: int
    weight: int | None
    factor: str = ""


@dataclass(frozen=True)
class Cells:
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
        For each cell "", "padding" (it is not in the data), "unused" (no product reads it), "tap" (coloured), "faint"
        (a zero among numbers that matter), "clash" (things collide in it) or "blank".
    editable : bool
        Whether a reader may type into its cells.
    at : (column, row)
        Where its upper left corner is, in cells.
    fill : tuple of str
        For each cell the colour of its ground, "#808080", where it shows more than the cell's role; or none at all.
    ring : int
        How many cells of padding there are on each side. They are counted from −ring on, so that the data begins at 0.
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
    fill: tuple[str, ...] = ()
    ring: int = 0

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
    grids : tuple of Cells
    links : tuple of Link
    walk : str
        The grid whose cells step, play and sliders visit, usually "output". Its notes are sums, its texts results.
    signs : tuple of (column, row, text)
    caption, code : str
        A line below: the formula, filled in; and the line of PyTorch that does the same.
    can_predict : bool
        Whether the results may be hidden, for the reader to say them first.
    twins : tuple of tuples of cells
        Cells that show the same number, as an image and its flattened column do. Select one, and all are selected. No
        cell is in two groups.
    arrows : tuple of (cell, cell)
        From the number in one cell to the number in another; bold when one of the two is selected.
    points : tuple of (cell, x, y)
        A dot at (x, y), in cells of the scene, for as long as the cell is selected.
    begin : int
        Which cell of the walk is selected at the start, when another one than the first shows more.
    """

    alt: str
    grids: tuple[Cells, ...]
    links: tuple[Link, ...]
    walk: str
    signs: tuple[tuple[float, float, str], ...] = ()
    caption: str = ""
    code: str = ""
    can_predict: bool = False
    twins: tuple[tuple[int, ...], ...] = ()
    arrows: tuple[tuple[int, int], ...] = ()
    points: tuple[tuple[int, float, float], ...] = ()
    begin: int = 0
    first: dict[str, int] = field(init=False)  # the number of each grid's first cell
    groups: dict[int, frozenset[int]] = field(init=False)  # the twins of each cell that has some

    def __post_init__(self) -> None:
        first, count = {}, 0
        for grid in self.grids:
            first[grid.name] = count
            count += len(grid.text)
        object.__setattr__(self, "first", first)
        object.__setattr__(self, "groups", {cell: frozenset(group) for group in self.twins for cell in group})
        if len(self.groups) != sum(map(len, self.twins)):
            raise ValueError("twins: a cell is in two groups; join them")

    def grid(self, name: str) -> Cells:
        return self.grids[list(self.first).index(name)]

    def place(self, cell: int) -> tuple[Cells, int]:
        """The grid of a cell, and its number in it."""
        grid = next(grid for grid in self.grids if 0 <= cell - self.first[grid.name] < len(grid.text))
        return grid, cell - self.first[grid.name]

    def middle(self, cell: int) -> tuple[float, float]:
        """Where the middle of a cell is, in cells."""
        grid, k = self.place(cell)
        row, column = divmod(k, grid.columns)
        return grid.at[0] + column + 0.5, grid.at[1] + row + 0.5

    def route(self, start: int, end: int) -> list[tuple[float, float]]:
        """The corners of an arrow from cell to cell, in cells: along the lines between cells and through the gap
        between the grids, where no number stands, and into the cell from above."""
        (x1, y1), (x2, y2) = self.middle(start), self.middle(end)
        is_to_the_right = x2 > x1
        lane = self.place(end if is_to_the_right else start)[0].at[0] - (0.2 if is_to_the_right else 0.4)
        leave, enter = y1 + (-0.5 if is_to_the_right else 0.5), y2 - 0.5
        return [(x1, leave), (lane, leave), (lane, enter), (x2, enter), (x2, y2 - 0.28)]

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in cells."""
        return (
            max(grid.at[0] + max(grid.columns, LETTER * len(grid.label)) for grid in self.grids),
            max(grid.at[1] + grid.rows for grid in self.grids),
        )

    def same(self, cell: int) -> frozenset[int]:
        """The cell and its twins."""
        return self.groups.get(cell, frozenset([cell]))

    def note(self, cell: int) -> str:
        """What is said of a cell; a result, be it one of its twins that is walked, stands behind its sum."""
        grid, k = self.place(cell)
        is_result = any(self.place(twin)[0].name == self.walk for twin in self.same(cell))
        return f"{grid.notes[k]} = {grid.text[k]}" if is_result else grid.notes[k]

    def linked(self, cell: int) -> dict[int, str]:
        """Every cell that shares a product with `cell` or its twins; to an input or output, its factor."""
        texts = [text for grid in self.grids for text in grid.text]
        chosen, found = self.same(cell), dict[int, str]()
        for output, input, weight, factor in self.links:
            if not chosen.isdisjoint((output, input, weight)):
                if weight is not None:
                    found |= dict.fromkeys(self.same(weight), "")
                    factor = factor or f"×{texts[weight]}"
                found |= dict.fromkeys(self.same(output) | self.same(input), factor)
        return {other: corner for other, corner in found.items() if other not in chosen}

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
            "twins": self.twins,
            "arrows": self.arrows,
            **({"begin": self.begin} if self.begin else {}),
            "points": self.points,
            "colours": colours(),
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
                    **({"fill": grid.fill} if grid.fill else {}),
                    **({"ring": grid.ring} if grid.ring else {}),
                }
                for grid in self.grids
            ],
        }


def colours() -> dict[str, dict[str, str]]:
    """The colours of all roles, as JSON carries them to `scene.js`."""
    return {role: {"line": colour.line, "fill": colour.fill} for role, colour in ROLES.items()}


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


def line_up(*parts: Cells | str) -> tuple[tuple[Cells, ...], tuple[tuple[float, float, str], ...]]:
    """Place grids side by side, centred, with signs such as "∗" and "=" between them."""
    return stack(parts)


def stack(*rows: Sequence[Cells | str]) -> tuple[tuple[Cells, ...], tuple[tuple[float, float, str], ...]]:
    """Place rows of grids and signs one under the other, each as `line_up` does."""
    grids, signs, top = [], [], 0.0
    for row in rows:
        height, x = max(part.rows for part in row if isinstance(part, Cells)), 0.0
        for part in row:
            if isinstance(part, Cells):
                grids.append(replace(part, at=(x, top + LABEL + (height - part.rows) / 2)))
                # a label may reach over a sign
                x += max(part.columns, WIDE_LETTER * len(part.label) - SIGN - GAP) + GAP
            else:
                signs.append((x + SIGN / 2, top + LABEL + height / 2, part))
                x += SIGN + GAP
        top += LABEL + height + GAP
    return tuple(grids), tuple(signs)


def inches(scene: Scene, width: float = INCHES) -> tuple[float, float]:
    """The size of a figure that holds the scene and nothing else."""
    return width, width * (scene.size[1] + _below(_lines_below(scene, _chosen(scene)))) / _page(scene)


def draw_scene(axes: Axes, scene: Scene, selected: int | None = None) -> Axes:
    """Draw a scene with one cell selected: its linked cells are outlined, and the sum that it stands for is below.

    Parameters
    ----------
    axes : matplotlib Axes
        Cleared of ticks and frame.
    scene : Scene
    selected : int, optional
        The number of a cell; the first cell of the grid that is walked, if not given.
    """
    height, page = scene.size[1], _page(scene)
    points = 72 * INCHES / page  # the side of a cell
    selected = _chosen(scene) if selected is None else selected
    linked = {} if selected is None else scene.linked(selected)
    chosen = set() if selected is None else scene.same(selected)
    size = min(10, max(8, 0.45 * points))
    for grid in scene.grids:
        axes.text(grid.at[0], grid.at[1] - 0.25, grid.label, color=ROLES[grid.role].line, fontsize=size, weight="bold")
        for k in range(len(grid.text)):
            cell = scene.first[grid.name] + k
            _draw_cell(axes, grid, k, points, is_selected=cell in chosen, corner=linked.get(cell))
    for start, end in scene.arrows:
        if not chosen.isdisjoint((start, end)):  # all of them would run through the numbers
            _draw_arrow(axes, scene.route(start, end))
    for cell, x, y in scene.points:
        if cell in chosen:
            colour = ROLES["error"].line
            face = to_rgba(colour, 0.2)  # translucent, for a factor may stand behind it
            axes.plot(x, y, "o", markerfacecolor=face, markeredgecolor=colour, markersize=7, zorder=5)
    for x, y, sign in scene.signs:
        axes.text(x, y, sign, color=INK, fontsize=18, ha="center", va="center")
    lines = _lines_below(scene, selected)
    for line, text in enumerate(lines):
        axes.text(0, height + LINE * (line + 1), text, color=INK, fontsize=9.5, va="center")
    axes.set(xlim=(-0.1, page + 0.1), ylim=(height + _below(lines), 0), aspect="equal", anchor="NW")
    axes.set_axis_off()
    return axes


def _draw_cell(axes: Axes, grid: Cells, k: int, points: float, is_selected: bool, corner: str | None) -> None:
    """One cell, so many points wide: thin and white, or thickly outlined where selected or linked (has a corner)."""
    x, y = grid.at[0] + k % grid.columns, grid.at[1] + k // grid.columns
    mark, colour = grid.marks[k], ROLES[grid.role]
    is_lit = is_selected or corner is not None
    if mark == "blank" and not is_lit:
        return
    ground = ROLES["error"].fill if mark == "clash" else colour.fill if is_lit or mark == "tap" else PAPER
    if grid.fill:
        ground = grid.fill[k]
    edge = ROLES["error"].line if mark in HATCHES else colour.line
    line = 3 if is_selected else 2 if is_lit else 0.3 if mark == "faint" else 0.7
    dashes, layer = "--" if mark == "padding" else "-", 2 if is_lit else 1
    rectangle(axes, (x, y), 1, 1, ground, edge, line, linestyle=dashes, hatch=HATCHES.get(mark), zorder=layer)
    ink = ROLES["neutral"].line if mark in ("padding", "faint") and not grid.fill else _ink(ground)
    outline = [matplotlib.patheffects.withStroke(linewidth=3, foreground=PAPER)] if mark in HATCHES else []
    longest = max(map(len, grid.text))
    size = min(11 if longest < 4 else 8, 0.85 * points / (0.6 * max(longest, 1)))  # so that the longest number fits in
    write(axes, x + 0.5, y + 0.5, grid.text[k], size, ink, zorder=3, path_effects=outline)
    if corner:
        size = min(6.5, points / 4, points / (0.6 * len(corner)))
        write(axes, x + 0.96, y + 0.93, corner, size, ROLES["kernel"].line, ha="right", va="bottom", zorder=3)


def _ink(ground: str) -> str:
    """What can be read on this ground."""
    red, green, blue = to_rgb(ground)
    return INK if 0.3 * red + 0.6 * green + 0.1 * blue > 0.5 else PAPER


def _draw_arrow(axes: Axes, corners: Sequence[tuple[float, float]]) -> None:
    colour = ROLES["skip"].line
    axes.plot(*zip(*corners[:-1], strict=True), color=colour, linewidth=2.2, zorder=4)
    arrow(axes, corners[-2], corners[-1], colour, zorder=4, linewidth=2.2)


def _chosen(scene: Scene) -> int | None:
    """The cell that is selected at the start."""
    return scene.first[scene.walk] + scene.begin if scene.grid(scene.walk).text else None


def _page(scene: Scene) -> float:
    """How wide a still picture is, in cells."""
    across, down = scene.size
    return max(across, PAGE, min(TALL * down, TALLEST))


def _below(lines: Sequence[str]) -> float:
    """The room for the lines below, in cells: at least for three, so that pictures of one explorer have one size."""
    return LINE * (max(len(lines), 3) + MARGIN)


def _lines_below(scene: Scene, selected: int | None) -> list[str]:
    texts = [scene.caption, scene.code]
    if selected is not None:
        texts.insert(0, scene.note(selected))
    return [line for text in texts for line in textwrap.wrap(text, LETTERS)]
