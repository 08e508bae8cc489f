"""The transposed convolution explorer: one layer, three ways to compute it, and what it does not give back. Lesson
04."""

from __future__ import annotations

from collections.abc import Callable

from numpy.typing import ArrayLike

from unet_edu.explore import cells
from unet_edu.explore.cells import Matrix
from unet_edu.explore.explorer import Explorer, Picture, SceneView, View
from unet_edu.explore.fields import checked, controls
from unet_edu.explore.picture import digest
from unet_edu.explore.transposed.overlaps import overlap_counts, overlaps
from unet_edu.explore.transposed.round_trip import RoundTrip, round_trip
from unet_edu.explore.transposed.state import BOUNDS, INPUTS, KERNELS, MOST_OUTPUT, SHOWN, WAYS, State, nothing
from unet_edu.explore.transposed.three_ways import busiest, matrix, stamps, zeros_inserted
from unet_edu.figures.scene import Scene

__all__ = ["BOUNDS", "IMAGE", "INPUTS", "KERNELS", "SCENES", "State", "edited", "picture", "scene", "transposed"]

IMAGE: Matrix = ((4, 5, 8, 7), (1, 8, 8, 8), (3, 6, 6, 4), (6, 5, 7, 8))  # goes there and back

SCENES: dict[str, Callable[[State], Scene]] = dict(
    zip(SHOWN, (stamps, zeros_inserted, matrix, overlaps, round_trip), strict=True)
)
MOST_INPUT, MOST_KERNEL = (2, 3), (4, 4)


def transposed(
    x: ArrayLike = INPUTS["worked example, 2×2"],
    kernel: ArrayLike = KERNELS["worked example, 3×3"],
    *,
    stride: int = 1,
    padding: int = 0,
    output_padding: int = 0,
    show: str = "stamps",
    image: ArrayLike = IMAGE,
) -> Explorer:
    """Explore transposed convolution.

    Three ways to the same numbers, one at a time. "stamps": each pixel stamps the kernel and the stamps add up. "zeros
    inserted": the turned kernel is convolved with what comes of it. "matrix": x is flattened and multiplied with Aᵀ.
    Choose an output, go from way to way, and see the same sum in all three. Cut-off cells are dashed, those that are
    there because of `output_padding` coloured, those that no stamp reaches hatched.

    "overlaps": how many stamps fall on each pixel, which is where checkerboards come from. "there and back": an image
    through the convolution A and through Aᵀ, with a meter that says how much of it came back.

    Parameters
    ----------
    x : (h, w) array
        At most 2×3.
    kernel : (kH, kW) array
        At most 4×4.
    stride, padding, output_padding : int
        Within `BOUNDS`. Where they do not fit together, the explorer says why.
    show : "stamps", "zeros inserted", "matrix", "overlaps" or "there and back"
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
    state = checked(
        State,
        show=show,
        x=cells.matrix("x", x, MOST_INPUT),
        kernel=cells.matrix("kernel", kernel, MOST_KERNEL),
        image=cells.sheet(cells.matrix("image", image, most), most),
        stride=stride,
        padding=padding,
        output_padding=output_padding,
    )
    shown = controls(state)
    views = [
        View(SceneView(), "scene", lambda state: scene(state).data()),
        # these count stamps, or send an image of their own: of the input only the size plays a part, if any
        View(shown["x"], "disabled", lambda state: state.show not in WAYS),
    ]
    return Explorer(state, shown, views, picture, edited)


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
    if state.problem:
        return cells.alone(drawn, state.problem)
    # where most stamps meet there is most to see
    most = int(overlap_counts(state).argmax()) if state.show == "overlaps" else busiest(state)
    numbers = f"{drawn.grid(drawn.walk).label}: {digest(_walked(state))}"
    return cells.alone(drawn, numbers, drawn.first[drawn.walk] + most)


def _walked(state: State) -> ArrayLike:
    """The numbers that the walk visits."""
    if state.show == "there and back":
        return RoundTrip.of(state).back
    return overlap_counts(state) if state.show == "overlaps" else state.y
