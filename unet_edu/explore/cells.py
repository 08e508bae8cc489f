"""What the explorers of grids share: numbers as states keep them, as sliders bound them, and as notes name and write
them; and the picture of a scene."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from unet_edu.explore.explorer import Picture
from unet_edu.explore.fields import slider
from unet_edu.figures.scene import Cells, Scene, draw_scene, inches, number, stack

__all__ = [
    "Matrix",
    "Place",
    "alone",
    "bounded",
    "count",
    "edited",
    "factor",
    "first_cells",
    "grid",
    "matrix",
    "name",
    "nothing",
    "sheet",
    "sides",
    "size",
    "total",
    "typed",
]

Matrix = tuple[tuple[float, ...], ...]
Place = tuple[int, int]  # (row, column)


def matrix(argument: str, array: ArrayLike, most: Place | None = None) -> Matrix:
    """An array, of at most this many rows and columns, as nested tuples, so that states can be compared and kept."""
    values = np.asarray(array, dtype=np.float64)
    if values.ndim != 2:
        raise ValueError(f"{argument}: expected a matrix (rows, columns), got shape {values.shape}")
    if not values.size or not np.isfinite(values).all():
        raise ValueError(f"{argument}: expected one or more finite numbers, got {values.tolist()}")
    if most and (values.shape[0] > most[0] or values.shape[1] > most[1]):
        raise ValueError(f"{argument}: expected at most {most[0]}×{most[1]} numbers, got {size(values.shape)}")
    return _tuples(values)


def sheet(array: Matrix, shape: Place) -> Matrix:
    """A larger matrix with `array` in its upper left corner, and made-up digits beyond it: what sliders cut their sizes
    from."""
    i, j = np.indices(shape)
    values = (1 + (3 * i + 5 * j) % 9).astype(np.float64)
    values[: len(array), : len(array[0])] = array
    return _tuples(values)


def typed(array: Matrix, place: Place, value: float) -> Matrix:
    """The matrix with one number changed."""
    values = np.array(array, dtype=np.float64)
    values[place] = value
    return _tuples(values)


def edited(state: Any, sheet: str, shape: Place, cell: int, value: float) -> dict[str, Matrix]:
    """What a number typed into a scene changes in the state: in an image of this shape, or in the kernel after it."""
    pixels = shape[0] * shape[1]
    if cell < pixels:
        return {sheet: typed(getattr(state, sheet), divmod(cell, shape[1]), value)}
    return {"kernel": typed(state.kernel, divmod(cell - pixels, len(state.kernel[0])), value)}


def bounded(bounds: dict[str, Place], name: str, label: str = "", **more: Any) -> Any:
    """A field of a state: a whole number within its bounds."""
    return slider(*bounds[name], label or name, expected="{low} to {high}", **more)


def alone(scene: Scene, numbers: str, selected: int | None = None) -> Picture:
    """A scene for where nothing runs, and its numbers."""
    figure = Figure(figsize=inches(scene), dpi=100, layout="constrained")
    draw_scene(figure.subplots(), scene, selected)
    return Picture(figure, scene.alt, numbers)


def grid(
    name: str,
    label: str,
    role: str,
    array: NDArray[Any],
    notes: Iterable[str],
    marks: Sequence[str] = (),
    editable: bool = False,
) -> Cells:
    """A grid with the numbers of an array."""
    text = tuple(number(value) for value in array.flat)
    rows, columns = array.shape
    return Cells(name, label, role, rows, columns, text, tuple(notes), tuple(marks), editable)


def nothing(image: NDArray[Any], sign: str, weights: NDArray[Any], problem: str, code: str = "") -> Scene:
    """The image and the kernel, and in words why nothing comes of them."""
    grids, signs = stack(
        [
            grid("input", f"x, {size(image.shape)}", "input", image, [""] * image.size),
            sign,
            grid("kernel", f"kernel w, {size(weights.shape)}", "kernel", weights, [""] * weights.size),
            "=",
            Cells("output", "nothing to draw", "output", 0, 0, (), ()),
        ]
    )
    return Scene(alt=problem, grids=grids, links=(), walk="output", signs=signs, caption=problem, code=code)


def first_cells(grids: Sequence[Cells]) -> dict[str, int]:
    """The number of each grid's first cell, when the scene has these grids in this order."""
    starts = np.cumsum([0, *(len(grid.text) for grid in grids)])
    return {grid.name: int(start) for grid, start in zip(grids, starts, strict=False)}


def size(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape))


def sides(shape: Sequence[int]) -> str:
    """A size as code has it: one number when all sides are the same."""
    return str(shape[0]) if len(set(shape)) == 1 else str(tuple(shape))


def count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def name(symbol: str, place: Sequence[int]) -> str:
    return f"{symbol}[{', '.join(map(str, place))}]"


def factor(value: float) -> str:
    """A number inside a product: negative ones in parentheses."""
    return f"({number(value)})" if value < 0 else number(value)


def total(products: Sequence[tuple[float, float]]) -> str:
    """A sum of products, written out; an empty sum is 0."""
    return " + ".join(f"{factor(a)}·{factor(b)}" for a, b in products) or "0"


def _tuples(values: NDArray[np.float64]) -> Matrix:
    return tuple(tuple(row) for row in values.tolist())
