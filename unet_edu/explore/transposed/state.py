"""What the transposed convolution explorer shows follows from this state. Lesson 04."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import ipywidgets
import numpy as np
from numpy.typing import NDArray

from unet_edu.explore import cells
from unet_edu.explore.cells import Matrix, Place, bounded
from unet_edu.explore.fields import menu
from unet_edu.figures.scene import Scene
from unet_edu.interpolation import bilinear_kernel
from unet_edu.matrix import conv2d_matrix
from unet_edu.transposed import conv_transpose2d, transposed_size

__all__ = [
    "BOUNDS",
    "INPUTS",
    "KERNELS",
    "MOST_OUTPUT",
    "PIXELS",
    "SHOWN",
    "WAYS",
    "State",
    "code",
    "nothing",
    "settings",
]

WAYS = ("stamps", "zeros inserted", "matrix")  # to the same numbers
SHOWN = (*WAYS, "overlaps", "there and back")
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
BOUNDS = {"stride": (1, 3), "padding": (0, 2), "output_padding": (0, 2)}
"""The sliders' ends."""
ROOM = {"description_width": "8.4em"}  # for their names
MOST_OUTPUT = 8  # rows and columns that still read well
PIXELS = (3, 4)  # the input that the overlaps are counted for, whatever x is: large enough to have an inside


@dataclass(frozen=True)
class State:
    image: Matrix  # a sheet: its upper left corner, of the output's size, goes there and back
    show: str = menu(
        {name.capitalize(): name for name in SHOWN}, "", widget=ipywidgets.ToggleButtons, style={"button_width": "auto"}
    )
    kernel: Matrix = menu(KERNELS, "kernel w", own=True)  # noqa: RUF009, it makes a field
    stride: int = bounded(BOUNDS, "stride", style=ROOM)
    x: Matrix = menu(INPUTS, "small image", own=True)  # noqa: RUF009
    padding: int = bounded(BOUNDS, "padding", style=ROOM)
    output_padding: int = bounded(BOUNDS, "output_padding", style=ROOM)

    @cached_property
    def pixels(self) -> NDArray[np.float64]:
        return np.array(self.x, dtype=np.float64)

    @cached_property
    def weights(self) -> NDArray[np.float64]:
        return np.array(self.kernel, dtype=np.float64)

    @property
    def geometry(self) -> dict[str, Any]:
        """What `conv_transpose2d` is told."""
        return {"stride": self.stride, "padding": self.padding, "output_padding": self.output_padding}

    @cached_property
    def size(self) -> Place:
        """Of what comes out; raises where `transposed_size` does."""
        return self.size_for(self.pixels.shape)

    def size_for(self, inputs: Sequence[int]) -> Place:
        height, width = (
            transposed_size(n, k, **self.geometry) for n, k in zip(inputs, self.weights.shape, strict=True)
        )
        return height, width

    @cached_property
    def y(self) -> NDArray[np.float64]:
        return conv_transpose2d(self.pixels, self.weights, **self.geometry)

    @cached_property
    def taps(self) -> NDArray[np.int64]:
        """Which weight stands where in Aᵀ, counted through the kernel; −1 where none does."""
        numbered = np.arange(1, self.weights.size + 1).reshape(self.weights.shape)
        A: NDArray[np.int64] = conv2d_matrix(numbered, self.size, stride=self.stride, padding=self.padding)
        return A.T - 1

    @property
    def problem(self) -> str:
        """Why there is nothing to draw; empty when there is something."""
        s = self.stride
        if self.output_padding and s == 1:
            return (
                "With stride 1 there is only one size to come back to: output_padding must be 0, or PyTorch raises an "
                "error."
            )
        if self.output_padding >= s:
            return (
                f"output_padding chooses among the {s} sizes that a convolution of stride {s} brings to one. "
                "It must be less than the stride, or PyTorch raises an error."
            )
        try:
            size = self.size_for(PIXELS if self.show == "overlaps" else self.pixels.shape)
        except ValueError:
            return "The padding cuts off everything that the stamps cover: PyTorch raises an error."
        if max(size) > MOST_OUTPUT and self.show != "overlaps":  # which draws less, so that all fit
            return (
                f"The output would be {cells.size(size)}: too large to read here, where {MOST_OUTPUT}×{MOST_OUTPUT} "
                "fit. Take a smaller stride or kernel, or more padding."
            )
        return ""

    # What cells are called in notes.

    def x_at(self, pixel: int) -> str:
        return cells.name("small", divmod(pixel, self.pixels.shape[1]))

    def w_at(self, weight: int) -> str:
        return cells.name("w", divmod(weight, self.weights.shape[1]))

    def y_at(self, output: int) -> str:
        return cells.name("large", divmod(output, self.size[1]))


def settings(state: State) -> str:
    return f"stride {state.stride}, padding {state.padding}, output_padding {state.output_padding}"


def code(state: State) -> str:
    settings = ", ".join(f"{name}={value}" for name, value in state.geometry.items())
    return f"nn.ConvTranspose2d(1, 1, kernel_size={cells.sides(state.weights.shape)}, {settings}, bias=False)"


def nothing(state: State) -> Scene:
    """The input and the kernel, and in words why there is no output."""
    return cells.nothing(state.pixels, "·", state.weights, state.problem, code(state))
