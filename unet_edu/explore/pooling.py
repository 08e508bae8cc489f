"""The pooling explorer: which number of each window is the largest, where it stood, and what unpooling makes of that.
Lesson 05."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unet_edu.explore.cells import Matrix, Place, alone, bounded, factor, first_cells, grid, matrix, name, size, typed
from unet_edu.explore.explorer import Explorer, Picture, SceneView, View
from unet_edu.explore.fields import checked, controls, menu
from unet_edu.explore.picture import digest
from unet_edu.figures.scene import Cells, Link, Scene, number, stack
from unet_edu.pooling import avg_pool2d, avg_pool2d_grad, max_pool2d, max_pool2d_grad, max_unpool2d

__all__ = ["BOUNDS", "CHOICES", "INPUTS", "State", "edited", "picture", "pooling", "scene", "unpooled"]

INPUTS: dict[str, Matrix] = {
    "maxima at 5, 2, 12, 15": ((3, -2, 7, 4), (-1, 9, 0, 5), (2, 1, -3, 6), (8, -4, 5, 10)),
    "negative numbers": ((-1, -3, 4, 4), (-2, -5, 4, 1), (7, 0, -6, -8), (2, 9, -7, -9)),
    "5×5, an odd size": ((3, 1, 4, 8, -1), (2, 9, 6, 5, 3), (7, -5, 1, 2, 10), (3, 2, -3, 11, 4), (5, 2, 6, 4, 3)),
    "one peak": ((1, 2, 0, 1), (3, 9, 4, 2), (0, 5, 3, 1), (2, 1, 0, -1)),
}
"""In the last, windows that overlap all choose the 9."""

BOUNDS = {"kernel": (1, 4), "stride": (1, 4), "padding": (0, 2)}
"""The sliders' ends; `State` keeps the padding within half of the kernel, as PyTorch demands."""

LEAST, MOST = 4, 8  # rows and columns of an input: every kernel fits, and the numbers stay legible

CHOICES = {
    "put": {"1, 2, 3 …": "counted", "the pooled numbers": "pooled"},
    "size": {"the size of the input": "input", "PyTorch's default size": "default"},
    "shared": {"one stays (unpooling)": "last", "they add up (Sᵀ)": "sum"},
    "kind": {"the maximum": "max", "the average": "average"},
}


def _choice(field: str, label: str) -> Any:
    """A field that has one of its `CHOICES`, at first the first."""
    values = list(CHOICES[field].values())
    return menu(CHOICES[field], label, " or ".join(map(repr, values)), default=values[0])


@dataclass(frozen=True)
class State:
    x: Matrix = menu(INPUTS, "input x", own=True)  # noqa: RUF009, it makes a field
    kernel: int = bounded(BOUNDS, "kernel", default=2)
    stride: int = bounded(BOUNDS, "stride", default=2)
    padding: int = bounded(BOUNDS, "padding", default=0)
    put: str = _choice("put", "Unpool")
    size: str = _choice("size", "Size")
    shared: str = _choice("shared", "If shared")
    kind: str = _choice("kind", "Pooling")

    def __post_init__(self) -> None:
        object.__setattr__(self, "padding", min(self.padding, self.kernel // 2))

    @cached_property
    def image(self) -> NDArray[np.float64]:
        return np.array(self.x, dtype=np.float64)

    @cached_property
    def pooled(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """The pooled numbers, and the indices of the maxima."""
        largest, indices = max_pool2d(self.image, self.kernel, self.stride, padding=self.padding)
        if self.kind == "max":
            return largest, indices
        return avg_pool2d(self.image, self.kernel, self.stride, padding=self.padding), indices

    @cached_property
    def back(self) -> NDArray[np.float64]:
        """What is put back: the pooled numbers, or 1, 2, 3 … in place of what a network makes of them."""
        y, _ = self.pooled
        return y if self.put == "pooled" else np.arange(1.0, y.size + 1).reshape(y.shape)

    @cached_property
    def plane(self) -> tuple[int, int]:
        """Height and width of what is unpooled."""
        H, W = self.image.shape
        return (H, W) if self.size == "input" or self.kind == "average" else self.default_plane

    @cached_property
    def default_plane(self) -> tuple[int, int]:
        """What PyTorch takes when it is not told: the smallest image with as many windows."""
        rows, columns = ((n - 1) * self.stride + self.kernel - 2 * self.padding for n in self.pooled[0].shape)
        return rows, columns


def pooling(
    x: ArrayLike = INPUTS["maxima at 5, 2, 12, 15"],
    kernel: int = 2,
    stride: int = 2,
    padding: int = 0,
    *,
    put: str = "counted",
    size: str = "input",
    shared: str = "last",
    kind: str = "max",
) -> Explorer:
    """Explore how pooling makes a grid of numbers smaller, and how unpooling makes it larger again.

    Above, each window gives one number and the flat index of the place it came from. Below, numbers are put back at
    these places. Point at any cell, and arrows lead from a maximum to its index, and from there to the place below;
    step, or play. Type a number into the input. Choose to predict, and say each index before you see it. Where several
    outputs share a place, it is marked.

    Parameters
    ----------
    x : (H, W) array
        The input, with 4 to 8 rows and columns.
    kernel, stride, padding : int
        Where to start, within `BOUNDS`. A padding of more than half of the kernel becomes half of it.
    put : "counted" or "pooled"
        Which numbers are put back: 1, 2, 3 … or the pooled ones.
    size : "input" or "default"
        How large the unpooled grid is: as the input, or as PyTorch makes it when it is not told.
    shared : "last" or "sum"
        What stays where several numbers come to one place: the last of them (unpooling), or their sum (the adjoint of
        pooling).
    kind : "max" or "average"

    Returns
    -------
    Explorer
        The last value of a notebook cell shows itself.

    Raises
    ------
    ValueError
        When an argument is none of these.
    """
    geometry = {"kernel": kernel, "stride": stride, "padding": padding}
    state = checked(State, x=_matrix(x), **geometry, put=put, size=size, shared=shared, kind=kind)
    shown = controls(state)
    views = [View(SceneView(), "scene", lambda state: scene(state).data())]
    views += [View(shown[field], "disabled", lambda state: state.kind == "average") for field in ("size", "shared")]
    return Explorer(state, shown, views, picture, edited)


def unpooled(state: State) -> NDArray[np.float64] | None:
    """The grid below: what comes of the numbers that are put back. None where PyTorch raises an error."""
    _, indices = state.pooled
    if state.kind == "average":
        return avg_pool2d_grad(state.back, state.kernel, state.plane, stride=state.stride, padding=state.padding)
    if indices.max() >= np.prod(state.plane):
        return None
    return (max_unpool2d if state.shared == "last" else max_pool2d_grad)(state.back, indices, state.plane)


def scene(state: State) -> Scene:
    """Pooling in the upper row, unpooling in the lower one, and between them the indices."""
    return _max_scene(state) if state.kind == "max" else _average_scene(state)


def _max_scene(state: State) -> Scene:
    (y, indices), z, u = state.pooled, state.back, unpooled(state)
    clashes = _clashes(indices)
    grids, signs = stack(
        [
            _input_grid(state, _max_notes(state, indices)),
            "→",
            grid("index", "index", "skip", indices, _index_notes(state)),
            grid("output", f"max y, {size(y.shape)}", "output", y, [_max_note(state, n) for n in np.ndindex(y.shape)]),
        ],
        [
            _unpooled_grid(state, u, clashes),
            "←",
            grid("back", f"z to put back, {size(z.shape)}", "output", z, _back_notes(state)),
        ],
    )
    links, arrows = _max_links(state, first_cells(grids), clashes)
    return Scene(
        alt=_max_alt(state, clashes),
        grids=grids,
        links=tuple(links),
        walk="index",
        signs=signs,
        caption=_caption(state, clashes),
        code=_code(state),
        can_predict=True,
        arrows=tuple(arrows),
    )


def _max_links(
    state: State, first: dict[str, int], clashes: dict[int, list[int]]
) -> tuple[list[Link], list[tuple[int, int]]]:
    """What each output read, and where its index comes from and leads to."""
    indices, shape, u = state.pooled[1], _padded(state).shape, unpooled(state)
    links, arrows = [], []
    for n, place in enumerate(np.ndindex(indices.shape)):
        index = int(indices[place])
        row, column = divmod(index, len(state.x[0]))
        best = _flat((row + state.padding, column + state.padding), shape)
        window = [_flat(cell, shape) for cell in _window(state, place)]
        for cell in sorted(window, key=best.__eq__):  # the largest last: what it says of the output stays
            corner = "max" if cell == best else " "
            links.append(Link(first["output"] + n, first["input"] + cell, first["index"] + n, corner))
        arrows.append((first["input"] + best, first["index"] + n))
        if u is not None:
            fate = _fate(state, n, clashes.get(index, []))
            links.append(Link(first["unpooled"] + index, first["back"] + n, first["index"] + n, fate))
            arrows.append((first["index"] + n, first["unpooled"] + index))
    return links, arrows


def _average_scene(state: State) -> Scene:
    (y, _), z, u = state.pooled, state.back, unpooled(state)
    assert u is not None
    share = f"×{number(1 / state.kernel**2)}"
    notes = _average_notes(state)
    notes_u = [f"{name('u', place)} = {number(u[place])}: the sum of its shares" for place in np.ndindex(u.shape)]
    notes_z = [
        f"{name('z', place)} = {number(z[place])} is shared out equally, {share}" for place in np.ndindex(z.shape)
    ]
    grids, signs = stack(
        [
            _input_grid(state, _average_notes_in(state, share)),
            "→",
            grid("output", f"mean y, {size(y.shape)}", "output", y, notes),
        ],
        [
            grid("unpooled", f"shared out u, {size(u.shape)}", "input", u, notes_u),
            "←",
            grid("back", f"z to share out, {size(z.shape)}", "output", z, notes_z),
        ],
    )
    return Scene(
        alt=(
            f"A {size(state.image.shape)} input and its {size(y.shape)} average pooling with kernel {state.kernel}, "
            f"stride {state.stride} and padding {state.padding}. The first output: {notes[0]} = {number(y[0, 0])}. "
            "Below, numbers are shared out equally over the windows, which is the adjoint."
        ),
        grids=grids,
        links=tuple(_average_links(state, first_cells(grids), share)),
        walk="output",
        signs=signs,
        caption="No place is remembered: each number of a window has the same weight, for every image.",
        code=f"y = nn.AvgPool2d({_arguments(state)})(x)",
        can_predict=True,
    )


def _average_links(state: State, first: dict[str, int], share: str) -> Iterator[Link]:
    """Each output and its window; and below, where the same window lies in what is shared out."""
    shape, width = _padded(state).shape, state.image.shape[1]
    for n, place in enumerate(np.ndindex(state.back.shape)):
        for row, column in _window(state, place):
            yield Link(first["output"] + n, first["input"] + _flat((row, column), shape), None, share)
            if _is_inside(state, (row, column)):
                inside = (row - state.padding) * width + column - state.padding
                yield Link(first["unpooled"] + inside, first["back"] + n, None, share)


def _average_notes(state: State) -> list[str]:
    x = _padded(state)
    return [
        f"{name('y', place)} = ({' + '.join(factor(x[cell]) for cell in _window(state, place))}) / {state.kernel**2}"
        for place in np.ndindex(state.back.shape)
    ]


def _average_notes_in(state: State, share: str) -> list[str]:
    """For each cell of the padded input: where it goes."""
    return [
        f"{_cell_name(state, cell)} goes into {', '.join(outputs)}, {share}"
        if outputs
        else f"no window reads {_cell_name(state, cell)}"
        for cell, outputs in _readers(state).items()
    ]


def _readers(state: State) -> dict[Place, list[str]]:
    """The outputs that read each cell of the padded input."""
    rows, columns = _padded(state).shape
    readers: dict[Place, list[str]] = {(row, column): [] for row, column in np.ndindex(rows, columns)}
    for place in np.ndindex(state.back.shape):
        for cell in _window(state, place):
            readers[cell].append(name("y", place))
    return readers


def edited(state: State, cell: int, value: float, **_: object) -> dict[str, Matrix]:
    """What a number typed into a cell of the scene changes in the state; the padding stays what it is."""
    padded = _padded(state)
    row, column = (place - state.padding for place in divmod(cell, padded.shape[1]))
    is_inside = 0 <= row < state.image.shape[0] and 0 <= column < state.image.shape[1]
    return {"x": typed(state.x, (row, column), value)} if is_inside else {}


def picture(state: State) -> Picture:
    """The scene alone, for where nothing runs."""
    (y, indices), u = state.pooled, unpooled(state)
    parts = {"output": y} | ({"index": indices} if state.kind == "max" else {}) | ({} if u is None else {"unpooled": u})
    return alone(scene(state), "; ".join(f"{name}: {digest(array)}" for name, array in parts.items()))


def _padded(state: State) -> NDArray[np.float64]:
    """The input as its windows see it."""
    outside = -np.inf if state.kind == "max" else 0.0
    return np.pad(state.image, state.padding, constant_values=outside)


def _window(state: State, place: Place) -> list[Place]:
    """The cells of the padded input that one output reads."""
    return [
        (place[0] * state.stride + u, place[1] * state.stride + v) for u, v in np.ndindex(state.kernel, state.kernel)
    ]


def _clashes(indices: NDArray[np.int64]) -> dict[int, list[int]]:
    """The indices that several outputs share, each with the numbers of these outputs."""
    chosen = indices.ravel().tolist()
    return {
        index: [n for n, other in enumerate(chosen) if other == index]
        for index in sorted(set(chosen))
        if chosen.count(index) > 1
    }


def _fate(state: State, n: int, rivals: Sequence[int]) -> str:
    """What becomes of a number that is put back; it stands in the corner of its own cell and of the one it comes to."""
    if not rivals:
        return " "
    value = number(state.back.flat[n])
    return f"+ {value}" if state.shared == "sum" else f"{value} {'stays' if n == rivals[-1] else 'lost'}"


def _input_grid(state: State, notes: list[str]) -> Cells:
    x, readers = _padded(state), _readers(state)
    return Cells(
        name="input",
        label=f"input x, {size(state.image.shape)}{' and padding' if state.padding else ''}",
        role="input",
        rows=x.shape[0],
        columns=x.shape[1],
        text=tuple(_text(value) for value in x.flat),
        notes=tuple(notes),
        marks=tuple(
            "unused" if not readers[cell] else "" if _is_inside(state, cell) else "padding"
            for cell in np.ndindex(x.shape)
        ),
        editable=True,
    )


def _unpooled_grid(state: State, u: NDArray[np.float64] | None, clashes: dict[int, list[int]]) -> Cells:
    rows, columns = state.plane
    if u is None:
        text, marks = ("",) * (rows * columns), ("unused",) * (rows * columns)
        notes = ("there is no answer: an index lies outside of this grid",) * (rows * columns)
    else:
        chosen = set(state.pooled[1].flat)
        text = tuple(number(value) for value in u.flat)
        marks = tuple("clash" if n in clashes else "" if n in chosen else "faint" for n in range(u.size))
        notes = tuple(_unpooled_notes(state, u))
    label = "unpooled u" if state.shared == "last" else "Sᵀz"
    return Cells("unpooled", f"{label}, {rows}×{columns}", "input", rows, columns, text, notes, marks)


def _max_note(state: State, place: Place) -> str:
    y, indices = state.pooled
    x, (row, column) = _padded(state), divmod(int(indices[place]), len(state.x[0]))
    window = [_text(x[cell]) for cell in _window(state, place)]
    equal = sum(x[cell] == y[place] for cell in _window(state, place))
    tie = f" (it stands there {equal} times; the first is taken)" if equal > 1 else ""
    return f"{name('y', place)} = max({', '.join(window)}) = {_text(y[place])}, at row {row}, column {column}{tie}"


def _index_notes(state: State) -> Iterator[str]:
    """Each ends before the index itself, which the reader may be asked to say."""
    W = len(state.x[0])
    for place, index in np.ndenumerate(state.pooled[1]):
        row, column = divmod(int(index), W)
        yield f"{_max_note(state, place)}: flat index = {row}·{W} + {column}"


def _max_notes(state: State, indices: NDArray[np.int64]) -> list[str]:
    """For each cell of the padded input: which outputs read it, and in which it wins."""
    W, notes = len(state.x[0]), []
    wins: dict[Place, list[str]] = {}
    for place in np.ndindex(indices.shape):
        row, column = divmod(int(indices[place]), W)
        wins.setdefault((row + state.padding, column + state.padding), []).append(name("y", place))
    for cell, readers in _readers(state).items():
        what = _cell_name(state, cell)
        if not readers:
            notes.append(f"no window reads {what}")
        elif not _is_inside(state, cell):
            notes.append(f"{what} can never be the largest")
        elif cell in wins:
            notes.append(f"{what} is the largest in {', '.join(wins[cell])}: it is kept")
        else:
            notes.append(f"{what} is dropped: not the largest in {', '.join(readers)}")
    return notes


def _back_notes(state: State) -> Iterator[str]:
    _, indices = state.pooled
    for place, index in np.ndenumerate(indices):
        here = f"{name('z', place)} = {number(state.back[place])} goes to index {index}"
        if index >= np.prod(state.plane):
            yield f"{here}, which a grid of {size(state.plane)} does not have"
        else:
            row, column = divmod(int(index), state.plane[1])
            yield f"{here}: row {row}, column {column}"


def _unpooled_notes(state: State, u: NDArray[np.float64]) -> Iterator[str]:
    places = list(np.ndindex(state.back.shape))
    chosen = state.pooled[1].ravel().tolist()
    for n, place in enumerate(np.ndindex(u.shape)):
        sources = [places[k] for k, index in enumerate(chosen) if index == n]
        come = ", ".join(f"{name('z', source)} = {number(state.back[source])}" for source in sources)
        here = f"{name('u', place)} = {number(u[place])}"
        if not sources:
            yield f"{here}: nothing is put here"
        elif len(sources) == 1:
            yield f"{here}: index {n}, where {come} is put"
        else:
            stays = "they add up" if state.shared == "sum" else "one stays"
            yield f"{here}: {come} all come to index {n}, and {stays}"


def _caption(state: State, clashes: dict[int, list[int]]) -> str:
    _, indices = state.pooled
    H, W = state.image.shape
    rows, columns = state.plane
    if unpooled(state) is None:
        return (
            f"Index {indices.max()} does not exist in {rows}×{columns}, which has 0 to {rows * columns - 1}: an error. "
            f"Unpool to {H}×{W}."
        )
    if columns != W:
        return f"Wrong places! The indices count in rows of {W}, and this grid has rows of {columns}."
    if clashes:
        shared = ", ".join(f"{index} by {len(rivals)}" for index, rivals in clashes.items())
        return f"Shared by several outputs: index {shared}. " + (
            "Sᵀ adds what comes." if state.shared == "sum" else "Unpooling keeps one: here the last."
        )
    return ""


def _code(state: State) -> str:
    pool = f"y, i = nn.MaxPool2d({_arguments(state)}, return_indices=True)(x)"
    if state.shared == "sum":
        return f"{pool}; u = max_pool2d_grad(z, i, size={state.plane})"
    size = f", output_size={state.plane}" if state.size == "input" else ""
    return f"{pool}; u = nn.MaxUnpool2d({_arguments(state)})(z, i{size})"


def _arguments(state: State) -> str:
    """The layers' arguments, without those that have their usual values."""
    stride = f", stride={state.stride}" if state.stride != state.kernel else ""
    return f"{state.kernel}{stride}" + (f", padding={state.padding}" if state.padding else "")


def _max_alt(state: State, clashes: dict[int, list[int]]) -> str:
    y, indices = state.pooled
    below = f"Below, numbers are put back at these places in a {size(state.plane)} grid."
    if unpooled(state) is None:
        below = f"Below, a {size(state.plane)} grid that is too small for them stays empty."
    places = f": {', '.join(map(str, indices.flat))}" if indices.size <= 9 else ""
    return (
        f"A {size(state.image.shape)} input, its {size(y.shape)} max pooling with kernel {state.kernel}, stride "
        f"{state.stride} and padding {state.padding}, and the flat indices of the maxima{places}. The first output: "
        f"{_max_note(state, (0, 0))}. {below} Places shared by several outputs: {len(clashes)}."
    )


def _matrix(array: ArrayLike) -> Matrix:
    """The input as a state keeps it: large enough for every kernel."""
    if min(np.shape(array), default=LEAST) < LEAST:
        raise ValueError(f"x: expected at least {LEAST}×{LEAST} numbers, got {size(np.shape(array))}")
    return matrix("x", array, (MOST, MOST))


def _is_inside(state: State, cell: Place) -> bool:
    """Whether a cell of the padded input belongs to the image."""
    return all(0 <= place - state.padding < side for place, side in zip(cell, state.image.shape, strict=True))


def _cell_name(state: State, cell: Place) -> str:
    if not _is_inside(state, cell):
        return f"this {_text(_padded(state)[cell])} of the padding"
    place = (cell[0] - state.padding, cell[1] - state.padding)
    return f"{name('x', place)} = {number(state.image[place])}"


def _text(value: float) -> str:
    return "−∞" if value == -np.inf else number(value)


def _flat(place: Place, shape: Place) -> int:
    return int(place[0] * shape[1] + place[1])
