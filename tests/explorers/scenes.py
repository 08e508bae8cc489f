"""Scenes as numbers; and one with everything that no single explorer has.

That is: twins, arrows, points, factors that stand in no cell, all marks.
"""

from collections import defaultdict

import numpy as np

from unet_edu.figures.scene import Cells, Link, Scene, stack

_grids, _signs = stack(
    [
        Cells("input", "input x", "input", 2, 2, ("1", "2", "3", "4"), ("one", "two", "three", "four")),
        "=",
        Cells("flat", "flat", "input", 4, 1, ("1", "2", "3", "4"), ("",) * 4, ("", "faint", "unused", "clash")),
    ],
    [
        Cells("kernel", "kernel w", "kernel", 1, 1, ("0.25",), ("a quarter",)),
        Cells("output", "output y", "output", 1, 2, ("1", "0.5"), ("½·1 + 0.25·2", "0.25·2")),
    ],
)
# the cells: input 0 to 3, flat 4 to 7, kernel 8, output 9 and 10
PAIRS = Scene(
    alt="Two by two numbers, and the same in a column.",
    grids=_grids,
    signs=_signs,
    links=(Link(9, 0, None, "×½"), Link(9, 1, 8), Link(10, 5, 8)),
    walk="output",
    twins=((0, 4), (1, 5), (2, 6), (3, 7)),
    arrows=((9, 1), (10, 3)),
    points=((9, 0.5, 0.5), (10, 1.25, 1.5)),
)


def _value(text: str) -> float:
    return float(text.replace("−∞", "-inf").replace("−", "-"))


def values(scene: Scene) -> np.ndarray:
    """The numbers of all cells; those of a meter, which are empty, as 0."""
    return np.array([0 if grid.name == "meter" else _value(text) for grid in scene.grids for text in grid.text])


def part(scene: Scene, cells: np.ndarray, name: str) -> np.ndarray:
    """Of something for each cell of a scene: what belongs to this grid, in its shape."""
    grid, first = scene.grid(name), scene.first[name]
    return cells[first : first + len(grid.text)].reshape(grid.rows, grid.columns)


def numbers(scene: Scene, name: str) -> np.ndarray:
    grid = scene.grid(name)
    return np.array([_value(text) for text in grid.text]).reshape(grid.rows, grid.columns)


def sums_of_links(scene: Scene) -> dict[tuple[str, str], np.ndarray]:
    """For each pair of grids (output, input) that links join: Σ weight · input at each output; where no weight stands,
    Σ input."""
    cells = values(scene)
    # Where no stamp reaches, no link leads.
    found: dict[tuple[str, str], np.ndarray] = defaultdict(lambda: np.zeros(len(cells)))
    grid_of = [grid.name for grid in scene.grids for _ in grid.text]
    for output, input, weight, _ in scene.links:
        names = (grid_of[output].split()[0], grid_of[input].split()[0])
        found[names][output] += cells[input] * (1 if weight is None else cells[weight])
    return found


def places(scene: Scene, cells, name: str) -> list[int]:
    """Those of the cells that are in this grid, by their number in it."""
    return [cell - scene.first[name] for cell in sorted(cells) if scene.place(cell)[0].name == name]
