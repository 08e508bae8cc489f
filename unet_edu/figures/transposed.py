"""The pictures that only lesson 04 needs: a matrix times a column, where a matrix has weights, and stamps that overlap.

As in `panels`, each function takes data and returns a new figure on a white ground.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from unet_edu.figures.palette import INK, PAPER, ROLES
from unet_edu.figures.panels import WIDTH, canvas, rectangle, write
from unet_edu.transposed import overlap_count

__all__ = ["overlaps", "patterns", "product"]

MARGIN = 0.15  # inches
TITLE = 0.32


def product(
    A: ArrayLike,
    x: ArrayLike,
    titles: tuple[str, str, str],
    roles: tuple[str, str, str] = ("kernel", "input", "output"),
    row: int | None = None,
) -> Figure:
    """Draw a matrix, a column, and their product. Where the matrix has a zero its cell is white: its pattern shows.

    Parameters
    ----------
    A : (m, n) array of whole numbers
    x : (n,) array of whole numbers
    titles : three str
        What stands over the matrix, the column and the product.
    roles : three str
        Their colours, each one of `palette.ROLES`.
    row : int, optional
        A row of the matrix to frame, with the number that it makes.

    Returns
    -------
    matplotlib.figure.Figure
    """
    A, x = np.asarray(A), np.asarray(x)
    grids = [A, x[:, None], (A @ x)[:, None]]
    cell, gap = 0.29, 0.9
    rows, columns = max(map(len, grids)), sum(grid.shape[1] for grid in grids)
    width, height = columns * cell + 2 * gap + 2 * (MARGIN + gap / 2), TITLE + rows * cell + MARGIN
    figure, axes = canvas(width, height)
    left = MARGIN + gap / 2  # half a gap: a title may be wider than its column
    for sign, grid, title, role in zip(("", "×", "="), grids, titles, roles, strict=True):
        top = TITLE + (rows - len(grid)) * cell / 2
        write(axes, left - gap / 2, TITLE + rows * cell / 2, sign, 14)
        write(axes, left + grid.shape[1] * cell / 2, top - 0.13, title, 9.5, ROLES[role].line, fontweight="bold")
        _cells(axes, grid, left, top, cell, role, grid != 0 if grid is A else np.ones(grid.shape, bool))
        if row is not None and sign != "×":
            rectangle(axes, (left, top + row * cell), grid.shape[1] * cell, cell, None, INK, 2.2, zorder=3)
        left += grid.shape[1] * cell + gap
    return figure


def overlaps(settings: Sequence[tuple[int, int]], size: int = 5) -> Figure:
    """Draw, along one side, where each input pixel stamps its kernel and how many stamps each output pixel gets.

    Where inner pixels do not all get the same number, those that get more are framed.

    Parameters
    ----------
    settings : sequence of (kernel, stride)
        One panel each, side by side.
    size : int
        How many input pixels.

    Returns
    -------
    matplotlib.figure.Figure
    """
    panels = [(kernel, stride, overlap_count(size, kernel, stride)) for kernel, stride in settings]
    gap, bar = 0.4, 0.17
    taken = 2 * MARGIN + gap * (len(panels) - 1)
    columns = sum(len(counts) for _, _, counts in panels)
    cell = min(0.3, (WIDTH - taken) / columns)
    bottom = TITLE + size * bar + 0.1  # where the counts begin
    figure, axes = canvas(columns * cell + taken, bottom + cell + MARGIN)
    left = MARGIN
    for kernel, stride, counts in panels:
        write(axes, left + len(counts) * cell / 2, TITLE / 2, f"kernel {kernel}, stride {stride}", 9.5, INK)
        for i in range(size):
            place = (left + i * stride * cell, TITLE + i * bar)
            kernel_colour = ROLES["kernel"]
            rectangle(axes, place, kernel * cell, 0.7 * bar, kernel_colour.fill, kernel_colour.line)
        _cells(axes, counts[None], left, bottom, cell, "output", counts[None] > 0)
        inside = np.arange(len(counts))[kernel - 1 : 1 - kernel or None]
        for j in inside[counts[inside] > counts[inside].min(initial=len(counts))]:
            rectangle(axes, (left + j * cell, bottom), cell, cell, None, ROLES["error"].line, 2, zorder=3)
        left += len(counts) * cell + gap
    return figure


def patterns(matrices: Mapping[str, ArrayLike]) -> Figure:
    """Draw where large matrices have weights, side by side: a filled square for each, nothing for a zero.

    Parameters
    ----------
    matrices : mapping from title to (m, n) array

    Returns
    -------
    matplotlib.figure.Figure
    """
    grids = {title: np.asarray(matrix) for title, matrix in matrices.items()}
    gap = 0.35
    taken = 2 * MARGIN + gap * (len(grids) - 1)
    columns, rows = sum(grid.shape[1] for grid in grids.values()), max(map(len, grids.values()))
    cell = min(0.16, (WIDTH - taken) / columns)
    figure, axes = canvas(columns * cell + taken, TITLE + rows * cell + MARGIN)
    left, colour = MARGIN, ROLES["kernel"].line
    for title, grid in grids.items():
        write(axes, left + grid.shape[1] * cell / 2, TITLE / 2, title, 9.5, colour, fontweight="bold")
        for i, j in np.argwhere(grid):
            rectangle(axes, (left + j * cell, TITLE + i * cell), 0.9 * cell, 0.9 * cell, colour, colour, 0)
        rectangle(axes, (left, TITLE), grid.shape[1] * cell, len(grid) * cell, None, ROLES["neutral"].line, 1, zorder=3)
        left += grid.shape[1] * cell + gap
    return figure


def _cells(
    axes: Axes, grid: NDArray[Any], left: float, top: float, cell: float, role: str, filled: NDArray[np.bool_]
) -> None:
    widest = max(len(f"{number}") for number in grid.ravel())
    size = float(np.clip(0.84 * cell * 72 / (0.64 * widest), 8, 10))
    for (i, j), number in np.ndenumerate(grid):
        place = (left + j * cell, top + i * cell)
        ground, ink = (ROLES[role].fill, INK) if filled[i, j] else (PAPER, ROLES["neutral"].line)
        rectangle(axes, place, cell, cell, ground, ROLES["neutral"].fill, 0.8)
        write(axes, place[0] + cell / 2, place[1] + cell / 2, f"{number}".replace("-", "−"), size, ink)
    rows, columns = grid.shape
    rectangle(axes, (left, top), columns * cell, rows * cell, None, ROLES[role].line, 1.2, zorder=3)
