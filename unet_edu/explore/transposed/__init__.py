"""The transposed convolution explorer: one layer, three ways to compute it, and what it does not give back. Lesson
04."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from unet_edu.explore import cells
from unet_edu.explore.cells import Matrix
from unet_edu.explore.explorer import Explorer, Picture, SceneView, View
from unet_edu.explore.picture import digest
from unet_edu.explore.transposed.overlaps import overlap_counts, overlaps
from unet_edu.explore.transposed.round_trip import RoundTrip, round_trip
from unet_edu.explore.transposed.state import MOST_OUTPUT, State, nothing
from unet_edu.explore.transposed.three_ways import busiest, three_ways
from unet_edu.figures.scene import Scene, draw_scene, inches
from unet_edu.interpolation import bilinear_kernel

__all__ = ["BOUNDS", "IMAGE", "INPUTS", "KERNELS", "SCENES", "State", "edited", "picture", "scene", "transposed"]

INPUTS: dict[str, Matrix] = {
    "worked example, 2×2": ((2, 1), (4, 4)),
    "numbered, 2×3": ((1, 2, 3), (4, 5, 6)),
    "ones, 2×3": ((1, 1, 1), (1, 1, 1)),
    "one pixel": ((1,),),
}
KERNELS: dict[str, Matrix] = {
    "worked example, 3×3": ((1, 4, 1), (1, 4, 3), (3, 3, 1)),
    "ones, 3×3": ((1, 1, 1),) * 3,
    "a one in the middle, 3×3": ((0, 0, 0), (0, 1, 0), (0, 0, 0)),
    "bilinear, 4×4": cells.matrix("bilinear kernel", bilinear_kernel(2), (4, 4)),
    "as in the U-Net, 2×2": ((1, 2), (3, 4)),
    "halves, 2×2": ((0.5, 0.5), (0.5, 0.5)),
}
IMAGE: Matrix = ((4, 5, 8, 7), (1, 8, 8, 8), (3, 6, 6, 4), (6, 5, 7, 8))  # goes there and back

SCENES: dict[str, Callable[[State], Scene]] = {
    "three ways": three_ways,
    "overlaps": overlaps,
    "there and back": round_trip,
}

BOUNDS = {"stride": (1, 3), "padding": (0, 2), "output_padding": (0, 2)}
"""The sliders' ends."""
MOST_INPUT, MOST_KERNEL = (2, 3), (4, 4)


def transposed(
    x: ArrayLike = INPUTS["worked example, 2×2"],
    kernel: ArrayLike = KERNELS["worked example, 3×3"],
    *,
    stride: int = 1,
    padding: int = 0,
    output_padding: int = 0,
    show: str = "three ways",
    image: ArrayLike = IMAGE,
) -> Explorer:
    """Explore transposed convolution.

    "three ways": each pixel stamps the kernel and the stamps add up; zeros are inserted and the turned kernel is
    convolved with what comes of it; x is flattened and multiplied with Aᵀ. Point at an output, step, play or move the
    sliders, and see the same sum in all three. Cut-off cells are dashed, those that are there because of
    `output_padding` coloured, those that no stamp reaches hatched. "overlaps": how many stamps fall on each pixel,
    which is where checkerboards come from. "there and back": an image through the convolution A and through Aᵀ, with a
    meter that says how much of it came back.

    Parameters
    ----------
    x : (h, w) array
        At most 2×3.
    kernel : (kH, kW) array
        At most 4×4.
    stride, padding, output_padding : int
        Within `BOUNDS`. Where they do not fit together, the explorer says why.
    show : "three ways", "overlaps" or "there and back"
    image : (H, W) array
        What goes there and back, at most 8×8: its upper left corner is taken, made-up numbers go on where it ends.

    Returns
    -------
    Explorer
        The last value of a notebook cell shows itself.

    Raises
    ------
    ValueError
        When an argument is not a matrix of finite numbers, or outside of these bounds.
    """
    most = (MOST_OUTPUT, MOST_OUTPUT)
    state = State(
        show,
        cells.matrix("x", x, MOST_INPUT),
        cells.matrix("kernel", kernel, MOST_KERNEL),
        cells.sheet(cells.matrix("image", image, most), most),
        stride,
        padding,
        output_padding,
    )
    if show not in SCENES:
        raise ValueError(f"show: expected one of {', '.join(map(repr, SCENES))}, got {show!r}")
    cells.expect_within(BOUNDS, state)
    grid = SceneView()
    controls = {
        "show": ipywidgets.ToggleButtons(options=[(name.capitalize(), name) for name in SCENES]),
        "x": ipywidgets.Dropdown(options=list(INPUTS.items()), description="Input"),
        "kernel": ipywidgets.Dropdown(options=list(KERNELS.items()), description="Kernel"),
        **cells.sliders(BOUNDS, state),
    }
    views = [
        View(grid, "scene", lambda state: scene(state).data()),
        # these count stamps, or send an image of their own: of the input only the size plays a part, if any
        View(controls["x"], "disabled", lambda state: state.show != "three ways"),
    ]
    explorer = Explorer(state, controls, views, picture)
    grid.observe(lambda change: explorer.update(**edited(explorer.state, **change["new"])), names="edit")
    return explorer


def scene(state: State) -> Scene:
    """What the state shows."""
    return nothing(state) if state.problem else SCENES[state.show](state)


def edited(state: State, cell: int, value: float, **_: object) -> dict[str, Matrix]:
    """What a number typed into a cell of the scene changes in the state."""
    name, shape = ("image", state.size) if state.show == "there and back" else ("x", state.pixels.shape)
    return cells.edited(state, name, shape, cell, value)


def picture(state: State) -> Picture:
    """The scene alone, for where nothing runs."""
    drawn = scene(state)
    figure = Figure(figsize=inches(drawn), dpi=100, layout="constrained")
    axes = figure.subplots()
    if state.problem:
        draw_scene(axes, drawn)
        return Picture(figure, drawn.alt, state.problem)
    # where most stamps meet there is most to see
    most = int(overlap_counts(state).argmax()) if state.show == "overlaps" else busiest(state)
    draw_scene(axes, drawn, drawn.first[drawn.walk] + most)
    return Picture(figure, drawn.alt, f"{drawn.grid(drawn.walk).label}: {digest(_walked(state))}")


def _walked(state: State) -> ArrayLike:
    """The numbers that the walk visits."""
    if state.show == "there and back":
        return RoundTrip.of(state).back
    return overlap_counts(state) if state.show == "overlaps" else state.y
