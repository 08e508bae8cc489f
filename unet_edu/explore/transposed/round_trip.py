"""An image through a convolution and through its transpose: does it come back? Lesson 04."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unet_edu.convolution import conv2d
from unet_edu.explore import cells
from unet_edu.explore.transposed.state import State, code, settings
from unet_edu.figures.scene import Cells, Link, Scene, number, stack
from unet_edu.matrix import conv2d_matrix
from unet_edu.transposed import conv_transpose2d

__all__ = ["RoundTrip", "round_trip"]

METER = 20  # cells of the meter
EXACT = 1e-9  # a relative error that is only rounding


class RoundTrip(NamedTuple):
    """An image through a convolution, and through the transposed convolution with the same weights."""

    image: NDArray[np.float64]
    small: NDArray[np.float64]  # A times the image
    back: NDArray[np.float64]  # Aᵀ A times the image
    rank: int  # how many numbers of the image A can keep

    @classmethod
    def of(cls, state: State) -> RoundTrip:
        image = np.array(state.image, dtype=np.float64)[: state.size[0], : state.size[1]]
        geometry = {"stride": state.stride, "padding": state.padding}
        small = conv2d(image, state.weights, **geometry)
        back = conv_transpose2d(small, state.weights, **state.geometry)
        A = conv2d_matrix(state.weights, state.size, stride=state.stride, padding=state.padding)
        return cls(image, small, back, int(np.linalg.matrix_rank(A)))

    @property
    def error(self) -> float:
        """‖AᵀAx − x‖ / ‖x‖."""
        return _relative(self.back - self.image, self.image)

    @property
    def scale(self) -> float:
        """The number that brings AᵀAx nearest to x when all is multiplied with it."""
        square = float((self.back**2).sum())
        return float((self.back * self.image).sum()) / square if square else 0.0

    @property
    def missing(self) -> float:
        """The same error, after the best rescaling: from 0 to 1."""
        return _relative(self.scale * self.back - self.image, self.image)

    @property
    def verdict(self) -> str:
        pixels = self.image.size
        if not self.image.any():
            return "An image of zeros comes back from everything: type a number into it."
        if self.error < EXACT:
            answer = "Yes, for this image: AᵀA large = large."
        elif self.missing < EXACT:
            answer = f"Up to a factor, for this image: AᵀA large = {number(1 / self.scale)} large."
        else:
            answer = (
                f"No, the difference is {number(self.error)} times as large as the image. Multiplied by the best "
                f"factor, AᵀA large still misses {100 * self.missing:.0f} % of the image."
            )
        if self.rank == pixels:
            other = ": some other matrix brings every image back" if self.missing >= EXACT else ""
            return (
                f"{answer} A keeps {f'all {pixels} numbers' if pixels > 1 else 'the one number'} of the image{other}."
            )
        return f"{answer} A keeps {self.rank} numbers of {pixels}: no matrix brings every image back."


def round_trip(state: State) -> Scene:
    """The image, A large and AᵀA large side by side, and a meter for how much of x comes back."""
    trip, w = RoundTrip.of(state), state.weights
    taps = [(int(o), int(n), int(state.taps[o, n])) for o, n in np.argwhere(state.taps >= 0)]
    gathers: list[list[tuple[float, float]]] = [[] for _ in trip.small.flat]
    spreads: list[list[tuple[float, float]]] = [[] for _ in trip.back.flat]
    for o, n, t in taps:
        gathers[n].append((w.flat[t], trip.image.flat[o]))
        spreads[o].append((w.flat[t], trip.small.flat[n]))
    notes_small = [
        f"{cells.name('A large', place)} = {cells.total(gathers[n])} = {number(trip.small[place])}"
        for n, place in enumerate(np.ndindex(trip.small.shape))
    ]
    notes_back = [
        f"large here is {number(trip.image[place])}; {cells.name('AᵀA large', place)} = {cells.total(spreads[o])}"
        for o, place in enumerate(np.ndindex(trip.back.shape))
    ]
    notes_image = [
        f"{cells.name('large', place)} = {number(value)}; back comes {number(trip.back[place])}"
        for place, value in np.ndenumerate(trip.image)
    ]
    notes_w = [f"{state.w_at(t)} = {number(value)} works in both directions" for t, value in enumerate(w.flat)]
    parts = [
        cells.grid("input", f"large, {cells.size(trip.image.shape)}", "input", trip.image, notes_image, editable=True),
        cells.grid("kernel", f"kernel w, {cells.size(w.shape)}", "kernel", w, notes_w, editable=True),
        cells.grid("small", f"A large, {cells.size(trip.small.shape)}", "output", trip.small, notes_small),
        cells.grid("output", f"AᵀA large, {cells.size(trip.back.shape)}", "input", trip.back, notes_back),
        _meter(trip),
    ]
    first = cells.first_cells(parts)
    image, kernel, small, output, meter = parts
    grids, signs = stack([image, "∗", kernel, "→", small, "→", output], [meter])
    links = []
    for o, n, t in taps:
        weight, result = first["kernel"] + t, first["small"] + n
        links += [Link(result, first["input"] + o, weight), Link(first["output"] + o, result, weight)]
    return Scene(
        alt=f"A {cells.size(trip.image.shape)} image, A large and AᵀA large, {settings(state)}. {trip.verdict}",
        grids=grids,
        links=tuple(links),
        walk="output",
        signs=signs,
        caption=f"Is AᵀA large = large? {trip.verdict}",
        code=f"nn.Sequential(nn.Conv2d(1, 1, {_settings(state)}), {code(state)})  # both with the weights w",
    )


def _settings(state: State) -> str:
    kernel = cells.sides(state.weights.shape)
    return f"kernel_size={kernel}, stride={state.stride}, padding={state.padding}, bias=False"


def _meter(trip: RoundTrip) -> Cells:
    back = 1 - trip.missing if trip.image.any() else 0.0
    filled = round(METER * back)
    label = f"what comes back of the image, with the best factor: {100 * back:.0f} %"
    note = (
        f"AᵀA large is multiplied by {number(trip.scale)}, which brings it nearest to the image. "
        "How large an image or a difference is: the root of the sum of its squares"
    )
    marks = ("tap",) * filled + ("",) * (METER - filled)
    return Cells("meter", label, "output", 1, METER, ("",) * METER, (note,) * METER, marks)


def _relative(difference: NDArray[np.float64], whole: NDArray[np.float64]) -> float:
    return float(np.linalg.norm(difference)) / (float(np.linalg.norm(whole)) or 1.0)
