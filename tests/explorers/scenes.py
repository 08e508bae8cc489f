"""A scene with everything that no single explorer has: twins, arrows, points, factors that stand in no cell, all marks."""

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
