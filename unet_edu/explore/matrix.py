"""The matrix explorer: a convolution as one table of numbers, read forwards and backwards. Lesson 04."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import ipywidgets
import numpy as np
from numpy.typing import ArrayLike, NDArray

from unet_edu.convolution import output_size
from unet_edu.explore import cells
from unet_edu.explore.cells import Matrix, Place, bounded
from unet_edu.explore.explorer import Explorer, Picture, SceneView, View
from unet_edu.explore.fields import checked, controls, menu
from unet_edu.explore.picture import digest
from unet_edu.figures.scene import LABEL, WIDE_LETTER, Cells, Link, Scene, number, stack
from unet_edu.matrix import conv2d_matrix

__all__ = ["BOUNDS", "IMAGE", "KERNELS", "State", "edited", "matrix", "picture", "scene"]

IMAGE: Matrix = ((4, 5, 8, 7), (1, 8, 8, 8), (3, 6, 6, 4), (6, 5, 7, 8))
OUTPUT: Matrix = ((2, 1), (4, 4))  # what goes into Aᵀ
KERNELS: dict[str, Matrix] = {
    "worked example, 3×3": ((1, 4, 1), (1, 4, 3), (3, 3, 1)),
    "numbered, 2×3": ((1, 2, 3), (4, 5, 6)),
    "mean, 2×2": ((0.25, 0.25), (0.25, 0.25)),
    "difference, 1×2": ((-1, 1),),
    "one weight, 1×1": ((2,),),
}

BOUNDS = {"rows": (1, 5), "columns": (1, 8), "stride": (1, 3), "padding": (0, 2)}
"""The sliders' ends."""
MOST_KERNEL = (5, 5)
MOST_PIXELS, MOST_ENTRIES = 25, 256  # more would not be readable
SIDE_BY_SIDE = 1.2  # cells between what stands left and right of "="
ROOM = {"description_width": "6.0em"}  # for the sliders' names


@dataclass(frozen=True)
class State:
    x: Matrix  # a sheet: its upper left rows × columns are the image
    y: Matrix  # another, of which as many numbers as the convolution has outputs go into Aᵀ
    transpose: bool = menu({"A: convolve": False, "Aᵀ: transposed": True}, "", widget=ipywidgets.ToggleButtons)
    kernel: Matrix = menu(KERNELS, "kernel w", own=True)  # noqa: RUF009, it makes a field
    stride: int = bounded(BOUNDS, "stride", style=ROOM)
    rows: int = bounded(BOUNDS, "rows", style=ROOM)
    columns: int = bounded(BOUNDS, "columns", style=ROOM)
    padding: int = bounded(BOUNDS, "padding", style=ROOM)

    @property
    def size(self) -> Place:
        """Of the image."""
        return self.rows, self.columns

    @cached_property
    def weights(self) -> NDArray[np.float64]:
        return np.array(self.kernel, dtype=np.float64)

    @cached_property
    def outputs(self) -> Place:
        """The size of the convolution's output: (0, 0) when the kernel does not fit."""
        sides = list(zip(self.size, self.weights.shape, strict=True))
        if any(kernel > side + 2 * self.padding for side, kernel in sides):
            return 0, 0
        height, width = (output_size(side, kernel, self.stride, self.padding) for side, kernel in sides)
        return height, width

    @cached_property
    def incoming(self) -> NDArray[np.float64]:
        """What the matrix is multiplied with, before it is flattened."""
        sheet, (height, width) = (self.y, self.outputs) if self.transpose else (self.x, self.size)
        return np.array(sheet, dtype=np.float64)[:height, :width]

    @property
    def problem(self) -> str:
        """Why there is nothing to draw; empty when there is something."""
        outputs, pixels = int(np.prod(self.outputs)), self.rows * self.columns
        if not outputs:
            padded = cells.size([side + 2 * self.padding for side in self.size])
            return (
                f"The kernel is {cells.size(self.weights.shape)} and the image with its padding {padded}: "
                "no window fits, and PyTorch raises an error."
            )
        if pixels > MOST_PIXELS or pixels * outputs > MOST_ENTRIES:
            return (
                f"A would be {outputs}×{pixels}: too large to read here, where {MOST_PIXELS} columns and "
                f"{MOST_ENTRIES} entries fit. Take a smaller image, less padding or a larger stride."
            )
        return ""

    @cached_property
    def A(self) -> NDArray[Any]:
        """The matrix that is shown: A or Aᵀ."""
        return self._matrix(self.weights)

    @cached_property
    def taps(self) -> NDArray[Any]:
        """Which weight stands where in the matrix, counted through the kernel; −1 where none does."""
        return self._matrix(np.arange(1, self.weights.size + 1).reshape(self.weights.shape)) - 1

    @cached_property
    def result(self) -> NDArray[np.float64]:
        """What comes out, as an image again."""
        return (self.A @ self.incoming.ravel()).reshape(self.size if self.transpose else self.outputs)

    def _matrix(self, weights: NDArray[Any]) -> NDArray[Any]:
        A: NDArray[Any] = conv2d_matrix(weights, self.size, stride=self.stride, padding=self.padding)
        return A.T if self.transpose else A

    # What things are called in labels and notes.

    @property
    def name(self) -> str:
        return "Aᵀ" if self.transpose else "A"

    @property
    def symbols(self) -> tuple[str, str]:
        """Of what goes in and of what comes out."""
        return ("small", "large") if self.transpose else ("large", "small")

    @property
    def roles(self) -> tuple[str, str]:
        """Their colours: large and small have the same in both directions."""
        return ("output", "input") if self.transpose else ("input", "output")

    def in_at(self, column: int) -> str:
        return cells.name(self.symbols[0], divmod(column, self.incoming.shape[1]))

    def out_at(self, row: int) -> str:
        return cells.name(self.symbols[1], divmod(row, self.result.shape[1]))

    def w_at(self, tap: int) -> str:
        return cells.name("w", divmod(tap, self.weights.shape[1]))


def matrix(
    x: ArrayLike = IMAGE,
    kernel: ArrayLike = KERNELS["worked example, 3×3"],
    *,
    stride: int = 1,
    padding: int = 0,
    transpose: bool = False,
    y: ArrayLike = OUTPUT,
) -> Explorer:
    """Explore the matrix of a convolution, and its transpose.

    Point at a row's output to see its patch of the image; at a pixel to see its column and the outputs it feeds; at an
    entry of the matrix to see its weight, its pixel and its output; at a weight to see every entry where it stands.
    Type numbers into the image or the kernel. Then turn from A to Aᵀ: now the small image goes in, and the large one
    comes out.

    Parameters
    ----------
    x : (H, W) array
        The image: at most 5×8, and at most 25 numbers.
    kernel : (kH, kW) array
        At most 5×5.
    stride, padding : int
        Within `BOUNDS`.
    transpose : bool
        Whether to start with Aᵀ.
    y : (H', W') array
        What goes into Aᵀ; made-up numbers go on where it ends.

    Returns
    -------
    Explorer
        The last value of a notebook cell shows itself.

    Raises
    ------
    ValueError
        When an argument is not a matrix of finite numbers, or outside of these bounds.
    """
    most_x, most_y = (5, 8), (9, 12)  # the largest image, with a kernel of one weight and the largest padding
    image = cells.matrix("x", x, most_x)
    state = checked(
        State,
        x=cells.sheet(image, most_x),
        y=cells.sheet(cells.matrix("y", y, most_y), most_y),
        transpose=transpose,
        kernel=cells.matrix("kernel", kernel, MOST_KERNEL),
        rows=len(image),
        columns=len(image[0]),
        stride=stride,
        padding=padding,
    )
    view = View(SceneView(), "scene", lambda state: scene(state).data())
    return Explorer(state, controls(state), [view], picture, edited)


def scene(state: State) -> Scene:
    """The image and what comes out of it as grids; and the same flattened, along the sides of the matrix."""
    if state.problem:
        return cells.nothing(np.array(state.x)[: state.rows, : state.columns], "∗", state.weights, state.problem)
    A, w, vector, result = state.A, state.weights, state.incoming, state.result
    notes_in, notes_out = _notes_in(state), _notes_out(state)
    # hatched: numbers that no weight meets, because no window reads them, or one that sees nothing but padding
    marks_in, marks_out = (["" if tap >= 0 else "unused" for tap in state.taps.max(axis)] for axis in (0, 1))
    (goes_in, comes_out), (colour_in, colour_out) = state.symbols, state.roles
    label = f"{comes_out} = {state.name} {goes_in}, {cells.size(result.shape)}"
    parts = [
        cells.grid("input", f"{goes_in}, {cells.size(vector.shape)}", colour_in, vector, notes_in, marks_in, True),
        cells.grid("kernel", f"kernel w, {cells.size(w.shape)}", "kernel", w, _notes_w(state), editable=True),
        cells.grid("output", label, colour_out, result, notes_out, marks_out),
        cells.grid("flattened input", f"{goes_in}, flattened", colour_in, vector.reshape(1, -1), notes_in, marks_in),
        cells.grid("matrix", f"{state.name}, {cells.size(A.shape)}", "kernel", A, _notes_A(state), _marks_A(state)),
        cells.grid("flattened output", comes_out, colour_out, result.reshape(-1, 1), notes_out, marks_out),
    ]
    first = cells.first_cells(parts)
    grids, signs = (_upright if state.transpose else _lying)(parts)
    return Scene(
        alt=_alt(state),
        grids=grids,
        links=_links(state, first),
        walk="output",
        signs=signs,
        caption=_caption(state),
        code=_code(state),
        can_predict=True,
        twins=tuple(
            (first[name] + n, first[f"flattened {name}"] + n)
            for name, count in (("input", vector.size), ("output", result.size))
            for n in range(count)
        ),
    )


def edited(state: State, cell: int, value: float, **_: object) -> dict[str, Matrix]:
    """What a number typed into a cell of the scene changes in the state."""
    shape, sheet = (state.outputs, "y") if state.transpose else (state.size, "x")
    return cells.edited(state, sheet, shape, cell, value)


def picture(state: State) -> Picture:
    """The scene alone, for where nothing runs."""
    drawn = scene(state)
    if state.problem:
        return cells.alone(drawn, state.problem)
    numbers = f"{state.name}: {digest(state.A)}; output: {digest(state.result)}"
    return cells.alone(drawn, numbers, drawn.first["output"] + _busiest(state))


def _lying(parts: Sequence[Cells]) -> tuple[tuple[Cells, ...], tuple[tuple[float, float, str], ...]]:
    """The images on top; below, the flattened one along the columns of the wide matrix and the result along its
    rows."""
    image, kernel, output, vector, A, result = parts
    row, signs = stack([image, "∗", kernel, "=", output])
    top = max(grid.at[1] + grid.rows for grid in row) + LABEL + 0.3
    return (*row, *_crossing(vector, A, result, 0.0, top)), (*signs, _equals(A, 0.0, top))


def _upright(parts: Sequence[Cells]) -> tuple[tuple[Cells, ...], tuple[tuple[float, float, str], ...]]:
    """The images one under the other; beside them the tall matrix between the flattened ones."""
    image, kernel, output, vector, A, result = parts
    column, _ = stack([image], [kernel], [output])
    left = max(max(grid.columns, WIDE_LETTER * len(grid.label)) for grid in column) + SIDE_BY_SIDE
    return (*column, *_crossing(vector, A, result, left, LABEL)), (_equals(A, left, LABEL),)


def _crossing(vector: Cells, A: Cells, result: Cells, left: float, top: float) -> tuple[Cells, ...]:
    below = top + vector.rows + LABEL
    right = left + A.columns + SIDE_BY_SIDE
    return tuple(
        replace(grid, at=at) for grid, at in ((vector, (left, top)), (A, (left, below)), (result, (right, below)))
    )


def _equals(A: Cells, left: float, top: float) -> tuple[float, float, str]:
    return left + A.columns + SIDE_BY_SIDE / 2, top + 1 + LABEL + A.rows / 2, "="


def _links(state: State, first: dict[str, int]) -> tuple[Link, ...]:
    """Each entry of the matrix takes part in one product, and is a copy of a weight."""
    links = []
    for r, c in np.argwhere(state.taps >= 0).tolist():
        output, input, weight = first["output"] + r, first["input"] + c, first["kernel"] + int(state.taps[r, c])
        entry = first["matrix"] + r * state.A.shape[1] + c
        links += [Link(output, input, entry), Link(output, input, weight), Link(entry, weight, None)]
    return tuple(links)


def _busiest(state: State) -> int:
    """The first number that comes out, counted row by row, to which most go in: still pictures select it."""
    return int((state.taps >= 0).sum(axis=1).argmax())


def _notes_in(state: State) -> list[str]:
    notes = []
    for c, value in enumerate(state.incoming.flat):
        rows = np.flatnonzero(state.taps[:, c] >= 0).tolist()
        where = f"{state.in_at(c)} = {number(value)} stands over column {c} of {state.name}"
        goes = ", ".join(f"{state.out_at(r)} times {number(state.A[r, c])}" for r in rows)
        notes.append(f"{where} and goes into {goes}" if goes else f"{where}, which is empty: no weight meets it")
    return notes


def _notes_out(state: State) -> list[str]:
    notes = []
    for r, taps in enumerate(state.taps):
        products = [(state.A[r, c], state.incoming.flat[c]) for c in np.flatnonzero(taps >= 0)]
        notes.append(f"row {r} of {state.name}: {state.out_at(r)} = {cells.total(products)}")
    return notes


def _notes_w(state: State) -> list[str]:
    counts = [int((state.taps == tap).sum()) for tap in range(state.weights.size)]
    return [
        f"{state.w_at(tap)} = {number(weight)} stands in {cells.count(counts[tap], 'entry', 'entries')} of {state.name}"
        for tap, weight in enumerate(state.weights.flat)
    ]


def _notes_A(state: State) -> list[str]:
    notes = []
    for r, c in np.ndindex(*state.A.shape):
        entry, tap = f"{cells.name(state.name, (r, c))} = {number(state.A[r, c])}", int(state.taps[r, c])
        notes.append(
            f"{entry} is {state.w_at(tap)}, with which {state.in_at(c)} goes into {state.out_at(r)}"
            if tap >= 0
            else f"{entry}: {state.in_at(c)} does not go into {state.out_at(r)}"
        )
    return notes


def _marks_A(state: State) -> list[str]:
    return ["tap" if tap >= 0 else "faint" for tap in state.taps.flat]


def _caption(state: State) -> str:
    rows, columns = state.A.shape
    shape = f"{state.name} is {rows}×{columns}: a row for each number that comes out, a column for each that goes in."
    used = state.taps >= 0
    zeros = (
        "All its entries are weights."
        if used.all()
        else f"{used.sum()} of its {state.A.size} entries are weights, the others are 0."
    )
    padding = "A weight that would meet the padding has no entry." if state.padding else ""
    hatched = "" if used.any(0).all() and used.any(1).all() else "Hatched: no weight meets it."
    back = "It brings back the size of the image, not its numbers." if state.transpose else ""
    return " ".join(sentence for sentence in (shape, zeros, padding, hatched, back) if sentence)


def _code(state: State) -> str:
    kernel = state.weights.shape
    settings = f"kernel_size={cells.sides(kernel)}, stride={state.stride}, padding={state.padding}"
    if not state.transpose:
        return f"nn.Conv2d(1, 1, {settings}, bias=False)"
    # what a stride leaves over, transposed convolution must be told
    rest = [(side + 2 * state.padding - k) % state.stride for side, k in zip(state.size, kernel, strict=True)]
    more = f", output_padding={cells.sides(rest)}" if any(rest) else ""
    return f"nn.ConvTranspose2d(1, 1, {settings}{more}, bias=False)"


def _alt(state: State) -> str:
    kernel, image, outputs = (cells.size(part) for part in (state.weights.shape, state.size, state.outputs))
    shape, most = cells.size(state.A.shape), _busiest(state)
    if state.transpose:
        what = f"{outputs} numbers, a {kernel} kernel, and the {shape} matrix Aᵀ that makes {image} of them."
    else:
        what = f"A {image} image, a {kernel} kernel, and the {shape} matrix A that makes {outputs} of it."
    return f"{what} For example, {_notes_out(state)[most]} = {number(state.result.flat[most])}."
