"""The pictures that all lessons use: grids of numbers, photographs, curves.

Each function takes data and returns a new `matplotlib.figure.Figure` on a white ground. None touches pyplot, so none
leaves anything behind, and all text is 8 points or larger.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

from unet_edu.figures.palette import CLASSES, INK, PAPER, ROLES

__all__ = ["Grid", "Photo", "curves", "numbers", "painted", "photos"]

WIDTH = 10.0  # inches: the widest picture that a notebook shows without shrinking it
DPI = 100
TILE = 2.5  # inches: the widest photograph, unless a picture asks for more; a larger one weighs more in a notebook
# Orange and purple: people with any common colour blindness can tell them apart. In 33 steps faint noise stays white.
SIGNED = matplotlib.colormaps["PuOr"].resampled(33)
# matplotlib carries this font itself, so the pictures are the same everywhere
FONT: dict[str, Any] = {"family": "DejaVu Sans", "color": INK}
GLYPHS = {"−": 0.84, ".": 0.32}  # the widths of its letters, as parts of their size; a digit takes 0.64


@dataclass(frozen=True, eq=False)
class Grid:
    """A matrix to be drawn with its numbers.

    Parameters
    ----------
    values : (rows, columns) array
    title : str
        Stands above the grid.
    role : str
        One of `palette.ROLES`: the colour of the title, the outline and the cells.
    marked : (rows, columns) array of bool, optional
        The cells to set apart, by a thick outline and the ground of `mark_role`.
    mark_role : str
    decimals : int
        How many digits to write after the point.
    grey : bool
        Paint each cell in the grey that its number means, from 0 (black) to 255 (white).
    window : int
        The side of windows that lie side by side, to outline each; 0 for none.
    """

    values: ArrayLike
    title: str = ""
    role: str = "neutral"
    marked: ArrayLike | None = None
    mark_role: str = "kernel"
    decimals: int = 0
    grey: bool = False
    window: int = 0


@dataclass(frozen=True, eq=False)
class Photo:
    """An image to be drawn without axes.

    Parameters
    ----------
    values : (H, W) or (H, W, 3) array
    title : str
    signed : bool
        Draw in two colours about zero and with a colour bar, instead of in greys.
    limit : float, optional
        The number, and its negative, at which a signed image has its full colours; the largest one when left out.
    low, high : float
        What is black and what is white, in greys.
    box : (top, left, height, width), optional
        A rectangle to outline.
    """

    values: ArrayLike
    title: str = ""
    signed: bool = False
    limit: float | None = None
    low: float = 0.0
    high: float = 1.0
    box: tuple[int, int, int, int] | None = None


def numbers(*rows: Sequence[Grid | str]) -> Figure:
    """Draw matrices with their numbers, side by side and row under row.

    Parameters
    ----------
    *rows : sequence of Grid or str
        One row of the picture each. A string between two grids is a sign, such as "=".

    Returns
    -------
    matplotlib.figure.Figure
    """
    gap, margin, title_line, row_gap = 0.2, 0.15, 0.2, 0.2
    columns = max(sum(np.shape(item.values)[1] for item in row if isinstance(item, Grid)) for row in rows)
    spare = max(sum(gap if isinstance(item, Grid) else _text_width(item, 14) + gap for item in row) for row in rows)
    cell = min(0.5, (WIDTH - 2 * margin - spare) / columns)

    def width(item: Grid | str) -> float:
        if isinstance(item, str):
            return _text_width(item, 14)
        return max(cell * np.shape(item.values)[1], _text_width(item.title, 10))

    widths = [sum(map(width, row)) + gap * (len(row) - 1) for row in rows]
    titles = [title_line * max(_lines(item.title) for item in row if isinstance(item, Grid)) for row in rows]
    heights = [cell * max(np.shape(item.values)[0] for item in row if isinstance(item, Grid)) for row in rows]
    total = (max(widths) + 2 * margin, sum(titles) + sum(heights) + row_gap * (len(rows) - 1) + 2 * margin)

    figure, axes = canvas(*total)
    top = margin
    for row, row_width, title, height in zip(rows, widths, titles, heights, strict=True):
        left = (total[0] - row_width) / 2
        for item in row:
            middle = left + width(item) / 2
            if isinstance(item, str):
                write(axes, middle, top + title + height / 2, item, 14)
            else:
                grid_rows, grid_columns = np.shape(item.values)
                y = top + title + (height - cell * grid_rows) / 2
                _draw_grid(axes, item, middle - cell * grid_columns / 2, y, cell)
            left += width(item) + gap
        top += title + height + row_gap
    return figure


def photos(*images: Photo, columns: int = 4, tile: float = TILE) -> Figure:
    """Draw images in a grid, each under its title.

    Parameters
    ----------
    *images : Photo
    columns : int
        How many stand side by side.
    tile : float
        Inches: the widest photograph, where there is room for it.

    Returns
    -------
    matplotlib.figure.Figure
    """
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    tile = min(tile, WIDTH / columns)
    # room for a colour bar and its labels, the same for all, so that sizes agree
    bar = max((0.2 + _text_width(_bar(image)[1][0], 8) for image in images if image.signed), default=0.0)
    width = tile - 0.16 - bar
    table = [images[row * columns : (row + 1) * columns] for row in range(rows)]
    heights = [width * max(map(_height, row)) for row in table]
    titles = [0.1 + 0.18 * max(_lines(image.title) for image in row) for row in table]
    total = (tile * columns, sum(heights) + sum(titles) + 0.08)

    figure = _figure(*total)
    top = 0.0
    for row, row_height, title in zip(table, heights, titles, strict=True):
        top += title
        for column, image in enumerate(row):
            height = width * _height(image)
            left = tile * column + 0.08
            axes = figure.add_axes(
                (left / total[0], 1 - (top + height) / total[1], width / total[0], height / total[1]),
                xticks=[],
                yticks=[],
            )
            _draw_photo(figure, axes, image, (left + width, top, height), total)
        top += row_height
    return figure


def painted(labels: ArrayLike) -> NDArray[np.float64]:
    """A label map in the colours of its classes, for `Photo`.

    Parameters
    ----------
    labels : array of int
        Class numbers, from 0 to `len(palette.CLASSES) − 1`.

    Returns
    -------
    (*labels.shape, 3) array
        Red, green and blue, from 0 to 1.

    Raises
    ------
    ValueError
        When there is no colour for a class.
    """
    labels = np.asarray(labels)
    if labels.dtype.kind not in "biu" or labels.size and not 0 <= labels.min() <= labels.max() < len(CLASSES):
        raise ValueError(f"labels: expected whole numbers from 0 to {len(CLASSES) - 1}, got {np.unique(labels)[:12]}")
    return np.array([to_rgb(colour) for colour in CLASSES])[labels.astype(int)]


def curves(
    series: Mapping[str, ArrayLike],
    xlabel: str,
    ylabel: str,
    x: ArrayLike | None = None,
    log: Literal["", "x", "y", "xy"] = "",
    level: tuple[float, str] | None = None,
) -> Figure:
    """Draw curves, each told from the others by its dashes as well as by its colour.

    Parameters
    ----------
    series : mapping from name to (n,) array
        At most five.
    xlabel, ylabel : str
    x : (n,) array, optional
        Where the values stand; 0, 1, 2 … when left out. A curve with fewer values, as of a training that was stopped,
        ends earlier.
    log : str
        The axes that are logarithmic.
    level : (height, name), optional
        A horizontal line to compare with.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = _figure(7.0, 3.2)
    axes = figure.add_axes((0.11, 0.17, 0.86, 0.78))
    styles = {"output": "-", "input": "--", "error": "-.", "skip": ":", "kernel": (0, (5, 1, 1, 1))}
    if len(series) > len(styles):
        raise ValueError(f"series: expected at most {len(styles)}, which can still be told apart, got {len(series)}")
    for (name, values), (role, dashes) in zip(series.items(), styles.items(), strict=False):
        values = np.asarray(values)
        axes.plot(
            np.arange(len(values)) if x is None else np.asarray(x)[: len(values)],
            values,
            color=ROLES[role].line,
            linestyle=dashes,
            linewidth=2,
            label=name,
        )
    if level is not None:
        axes.axhline(level[0], color=ROLES["neutral"].line, linewidth=1, linestyle=(0, (1, 2)), label=level[1])
    axes.set_xscale("symlog" if "x" in log else "linear")
    axes.set_yscale("log" if "y" in log else "linear")
    axes.set_xlabel(xlabel, fontsize=10, **FONT)
    axes.set_ylabel(ylabel, fontsize=10, **FONT)
    axes.tick_params(labelsize=9, labelcolor=INK, color=ROLES["neutral"].line)
    axes.grid(color=ROLES["neutral"].fill)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    if len(series) > 1 or level is not None:
        axes.legend(fontsize=9, frameon=False)
    return figure


def canvas(width: float, height: float) -> tuple[Figure, Axes]:
    """A white figure whose one axes are measured in inches from the top left corner."""
    figure = _figure(width, height)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0))
    axes.set_axis_off()
    return figure, axes


def rectangle(
    axes: Axes,
    corner: tuple[float, float],
    width: float,
    height: float,
    ground: Any,
    edge: str,
    line: float = 1.0,
    **how: Any,
) -> None:
    """From its upper left corner; without a ground it is an outline. The limits of the axes stay as they are."""
    face: dict[str, Any] = {"fill": False} if ground is None else {"facecolor": ground}
    axes.add_artist(Rectangle(corner, width, height, edgecolor=edge, linewidth=line, **face, **how))


def write(axes: Axes, x: float, y: float, text: str, points: float, colour: str = INK, **how: Any) -> None:
    """Words in the middle of a place."""
    middle: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": points}
    axes.text(x, y, text, **(middle | FONT | {"color": colour} | how))


def arrow(
    axes: Axes, start: tuple[float, float], end: tuple[float, float], colour: str, *, zorder: float = 3, **style: Any
) -> None:
    shape = {"arrowstyle": "-|>", "color": colour, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", end, start, arrowprops=shape | style, zorder=zorder)


def _figure(width: float, height: float) -> Figure:
    return Figure(figsize=(width, height), dpi=DPI, facecolor=PAPER)


def _lines(text: str) -> int:
    return text.count("\n") + 1 if text else 0


def _text_width(text: str, points: float) -> float:
    """About how many inches the longest line takes; letters are about 0.6 of their size wide."""
    return max(map(len, text.split("\n"))) * points * 0.6 / 72


def _draw_grid(axes: Axes, grid: Grid, left: float, top: float, cell: float) -> None:
    values = np.asarray(grid.values)
    marked = np.zeros(values.shape, bool) if grid.marked is None else np.asarray(grid.marked, bool)
    role, mark = ROLES[grid.role], ROLES[grid.mark_role]
    labels = {index: _label(number, grid.decimals) for index, number in np.ndenumerate(values)}
    widest = max(sum(GLYPHS.get(letter, 0.64) for letter in label) for label in labels.values())
    fontsize = float(np.clip(0.8 * cell * 72 / widest, 8, 11))
    for (i, j), number in np.ndenumerate(values):
        x, y = left + j * cell, top + i * cell
        if grid.grey:
            ground, ink = str(float(np.clip(number / 255, 0, 1))), PAPER if number < 128 else INK
        else:
            ground, ink = mark.fill if marked[i, j] else role.fill, INK
        rectangle(axes, (x, y), cell, cell, ground, PAPER)
        write(axes, x + cell / 2, y + cell / 2, labels[i, j], fontsize, ink, va="center_baseline")
    rows, columns = values.shape
    rectangle(axes, (left, top), columns * cell, rows * cell, None, role.line, 1.2)
    if grid.window:
        for y in top + cell * np.arange(grid.window, rows, grid.window):
            axes.plot((left, left + columns * cell), (y, y), color=role.line, linewidth=2, solid_capstyle="butt")
        for x in left + cell * np.arange(grid.window, columns, grid.window):
            axes.plot((x, x), (top, top + rows * cell), color=role.line, linewidth=2, solid_capstyle="butt")
    framed = np.pad(marked, 1)
    for i, j in np.argwhere(marked):
        x, y = left + j * cell, top + i * cell
        for (di, dj), (xs, ys) in {
            (-1, 0): ((x, x + cell), (y, y)),
            (1, 0): ((x, x + cell), (y + cell, y + cell)),
            (0, -1): ((x, x), (y, y + cell)),
            (0, 1): ((x + cell, x + cell), (y, y + cell)),
        }.items():
            if not framed[i + 1 + di, j + 1 + dj]:
                axes.plot(xs, ys, color=mark.line, linewidth=2.5, solid_capstyle="projecting")
    write(axes, left + columns * cell / 2, top - 0.07, grid.title, 10, role.line, va="bottom", fontweight="bold")


def _label(number: Any, decimals: int) -> str:
    rounded = np.round(float(number), decimals) + 0.0  # adding 0.0 turns −0 into 0
    return f"{rounded:.{decimals}f}".replace("-", "−")


def _height(image: Photo) -> float:
    """Height over width."""
    rows, columns = np.shape(image.values)[:2]
    return rows / columns


def _draw_photo(
    figure: Figure, axes: Axes, image: Photo, place: tuple[float, float, float], total: tuple[float, float]
) -> None:
    values: NDArray[Any] = np.asarray(image.values)
    if image.signed:
        limit, labels = _bar(image)
        norm = Normalize(-limit, limit)
        # Where values share a pixel, average them, not their colours: that between purple and orange is an orange grey.
        drawn = axes.imshow(values, cmap=SIGNED, norm=norm, interpolation="antialiased", interpolation_stage="data")
        right, top, height = place
        bar = figure.add_axes(
            ((right + 0.06) / total[0], 1 - (top + height) / total[1], 0.09 / total[0], height / total[1])
        )
        figure.colorbar(drawn, cax=bar, ticks=[-limit, 0, limit])
        bar.set_yticklabels(labels, fontsize=8, **FONT)
        bar.tick_params(length=2, pad=1)
    elif values.ndim == 3:
        axes.imshow(values, interpolation="antialiased")
    else:
        axes.imshow(values, cmap="gray", vmin=image.low, vmax=image.high, interpolation="antialiased")
    if image.box is not None:
        top_row, left_column, rows, columns = image.box
        air = 0.5 + values.shape[1] / 120  # the line lies around the pixels, and covers none of them
        for width, colour in ((4, PAPER), (2, ROLES["kernel"].line)):  # a white rim keeps it visible on any ground
            corner = left_column - air, top_row - air
            rectangle(axes, corner, columns + 2 * air - 1, rows + 2 * air - 1, None, colour, width)
    axes.set_title(image.title, fontsize=9.5, pad=3, **FONT)
    for spine in axes.spines.values():
        spine.set(color=ROLES["neutral"].line, linewidth=0.6)


def _bar(image: Photo) -> tuple[float, list[str]]:
    """The number with the full colour, and what stands at the bottom, the middle and the top of the colour bar."""
    largest = float(np.abs(image.values).max())
    limit = image.limit or largest or 1.0
    low, high = ("≤ ", "≥ ") if limit < largest else ("", "")
    return limit, [low + _short(-limit), "0", high + _short(limit)]


def _short(number: float) -> str:
    return f"{number:.2g}".replace("-", "−")
