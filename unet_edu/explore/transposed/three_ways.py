"""Transposed convolution in three ways: stamps, inserted zeros, rows of Aᵀ. Lesson 04."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from unet_edu.explore import cells
from unet_edu.explore.cells import Place
from unet_edu.explore.transposed.state import State, code, settings
from unet_edu.figures.scene import GAP, LABEL, SIGN, WIDE_LETTER, Cells, Link, Scene, number
from unet_edu.transposed import conv_transpose2d, insert_zeros

__all__ = ["busiest", "matrix", "stamps", "zeros_inserted"]

BETWEEN = 0.35  # cells between two stamps, or two pieces of the matrix
PIECES = 24  # cells: how wide the pieces of the matrix may stand side by side
WORDS = {"stamps": "stamps that add up", "zeros inserted": "zeros inserted", "matrix": "rows of Aᵀ"}
_Placed = tuple[list[Cells], list[tuple[float, float, str]]]  # grids, and the signs between them


class _Product(NamedTuple):
    """One number of one stamp: its pixel and its weight, counted row by row, and where it falls."""

    pixel: int
    weight: int
    canvas: int  # before anything is cut off
    output: int | None  # None when it is cut off


def stamps(state: State) -> Scene:
    """Each pixel stamps the kernel; the stamps are added up, and the padding is cut off."""
    return _way(state, (*_stamps(state), _canvas(state)), _scatter_links, _stamps_in_a_row)


def zeros_inserted(state: State) -> Scene:
    """Zeros between and around the pixels; the turned kernel's window slides over them."""
    turned = cells.grid("turned kernel", "w, turned", "kernel", state.weights[::-1, ::-1], _notes_turned(state))
    return _way(state, (_stretched(state, _notes_x(state)), turned), _window_links, _window_in_a_row)


def matrix(state: State) -> Scene:
    """The flattened input, and the rows of Aᵀ."""
    strips, pieces = _pieces(state, _notes_x(state))
    return _way(state, (*strips, *pieces), _row_links, _pieces_in_a_row)


def _way(
    state: State,
    own: Sequence[Cells],
    links: Callable[[State, dict[str, int]], list[Link]],
    places: Callable[[dict[str, Cells], Place], _Placed],
) -> Scene:
    """Input, kernel, what this way has between them and the output, and the output: in all ways it is walked."""
    x, w, y = state.pixels, state.weights, state.y
    parts = [
        cells.grid("input", f"small, {cells.size(x.shape)}", "output", x, _notes_x(state), editable=True),
        cells.grid("kernel", f"kernel w, {cells.size(w.shape)}", "kernel", w, _notes_w(state), editable=True),
        *own,
        cells.grid("output", f"large, {cells.size(y.shape)}", "input", y, _notes_y(state), _marks_y(state)),
    ]
    first = cells.first_cells(parts)
    grids, signs = places({part.name: part for part in parts}, x.shape)
    placed = {grid.name: grid for grid in grids}
    return Scene(
        alt=_alt(state),
        grids=tuple(placed[part.name] for part in parts),
        links=tuple(links(state, first)),
        walk="output",
        signs=tuple(signs),
        caption=_formula(state),
        code=code(state),
        can_predict=True,
        begin=busiest(state),
        twins=_twins(state, first),
    )


def _canvas_shape(state: State) -> Place:
    """All that the stamps cover, or all that y takes of it, whichever reaches further."""
    height, width = (
        max((n - 1) * state.stride + k, side + state.padding)
        for n, k, side in zip(state.pixels.shape, state.weights.shape, state.size, strict=True)
    )
    return height, width


def _output_at(state: State, place: Place) -> int | None:
    """What a place on the canvas becomes in y; None when it is cut off."""
    i, j = place[0] - state.padding, place[1] - state.padding
    return i * state.size[1] + j if 0 <= i < state.size[0] and 0 <= j < state.size[1] else None


def _products(state: State) -> list[_Product]:
    products, width = [], _canvas_shape(state)[1]
    for pixel, (a, b) in enumerate(np.ndindex(state.pixels.shape)):
        for weight, (u, v) in enumerate(np.ndindex(state.weights.shape)):
            r, c = a * state.stride + u, b * state.stride + v
            products.append(_Product(pixel, weight, r * width + c, _output_at(state, (r, c))))
    return products


def _notes_x(state: State) -> list[str]:
    return [
        f"{state.x_at(n)} = {number(value)} stamps the kernel, times {number(value)}: its corner falls on row "
        f"{number(a * state.stride - state.padding)}, column {number(b * state.stride - state.padding)} of large"
        for n, ((a, b), value) in enumerate(np.ndenumerate(state.pixels))
    ]


def _notes_w(state: State) -> list[str]:
    counts = [int((state.taps == t).sum()) for t in range(state.weights.size)]
    return [
        f"{state.w_at(t)} = {number(value)} stands once in every stamp, and in "
        f"{cells.count(counts[t], 'entry', 'entries')} of Aᵀ"
        for t, value in enumerate(state.weights.flat)
    ]


def _notes_turned(state: State) -> list[str]:
    return [f"the kernel is turned by 180°: here stands {state.w_at(t)}" for t in reversed(range(state.weights.size))]


def _notes_y(state: State) -> list[str]:
    notes = []
    for o, taps in enumerate(state.taps):
        meet = np.flatnonzero(taps >= 0)
        products = cells.total([(state.weights.flat[taps[n]], state.pixels.flat[n]) for n in meet])
        stamps = cells.count(len(meet), "stamp meets", "stamps meet") if len(meet) else "no stamp reaches"
        notes.append(f"{stamps} here: {state.y_at(o)} = {products}")
    return notes


def _marks_y(state: State) -> list[str]:
    """Hatched where no stamp reaches, coloured where there is something only because of the output padding."""
    marks = []
    for o, place in enumerate(np.ndindex(state.size)):
        is_more = any(i >= side - state.output_padding for i, side in zip(place, state.size, strict=True))
        marks.append("unused" if (state.taps[o] < 0).all() else "tap" if is_more else "")
    return marks


def _stamps(state: State) -> list[Cells]:
    """For each pixel the kernel times its value."""
    notes: list[list[str]] = [[] for _ in state.pixels.flat]
    for pixel, weight, _, output in _products(state):
        a, b = state.pixels.flat[pixel], state.weights.flat[weight]
        where = "is cut off by the padding" if output is None else f"falls on {state.y_at(output)}"
        product = f"{state.x_at(pixel)}·{state.w_at(weight)} = {cells.factor(a)}·{cells.factor(b)} = {number(a * b)}"
        notes[pixel].append(f"{product} {where}")
    return [
        cells.grid(f"stamp {n}", "" if n else "stamps: small times w", "neutral", value * state.weights, notes[n])
        for n, value in enumerate(state.pixels.flat)
    ]


def _canvas(state: State) -> Cells:
    """All stamps added up, with what the padding cuts off."""
    shape, notes_y, marks_y = _canvas_shape(state), _notes_y(state), _marks_y(state)
    added = conv_transpose2d(state.pixels, state.weights, stride=state.stride)
    added = np.pad(added, [(0, whole - side) for whole, side in zip(shape, added.shape, strict=True)])
    outputs = [_output_at(state, (r, c)) for r, c in np.ndindex(shape)]
    notes = ["the padding cuts this number off" if o is None else notes_y[o] for o in outputs]
    marks = ["padding" if o is None else marks_y[o] for o in outputs]
    return cells.grid("canvas", f"all added up, {cells.size(shape)}", "input", added, notes, marks)


def _corner(state: State) -> Place:
    """How many zeros stand above and left of the first pixel, for the first window to begin there."""
    above, left = (max(0, k - 1 - state.padding) for k in state.weights.shape)
    return above, left


def _stretched(state: State, notes_x: Sequence[str]) -> Cells:
    """The input with zeros between and around its pixels, as far as the windows reach."""
    core, corner = insert_zeros(state.pixels, state.stride), _corner(state)
    ends = [max(side, out + state.padding) for side, out in zip(core.shape, state.size, strict=True)]
    widths = [(zeros, end - side) for zeros, end, side in zip(corner, ends, core.shape, strict=True)]
    values = np.pad(core, widths)
    # which pixel stands where: −1 for a zero between them, −2 for one around
    numbers = 1 + np.arange(state.pixels.size).reshape(state.pixels.shape)
    places = np.pad(insert_zeros(numbers, state.stride) - 1, widths, constant_values=-2)
    notes, marks = [], []
    for (i, j), pixel in np.ndenumerate(places):
        is_read = all(
            state.padding - k < q < out + state.padding
            for q, k, out in zip((i - corner[0], j - corner[1]), state.weights.shape, state.size, strict=True)
        )
        notes.append(
            notes_x[pixel] if pixel >= 0 else "a zero between the pixels" if pixel == -1 else "a zero around them"
        )
        mark = "tap" if pixel >= 0 else "faint" if pixel == -1 else "padding"
        marks.append(mark if is_read else "unused")
    return cells.grid("stretched input", "zeros inserted", "output", values, notes, marks)


def _pieces(state: State, notes_x: Sequence[str]) -> tuple[list[Cells], list[Cells]]:
    """Aᵀ, cut into one piece for each row of y; and for each piece the flattened input, to stand above it."""
    height, width = state.size
    strips, pieces = [], []
    for i in range(height):
        rows = slice(i * width, (i + 1) * width)
        taps = state.taps[rows]
        values = np.where(taps >= 0, state.weights.ravel()[taps], 0.0)
        notes = []
        for (row, n), tap in zip(np.ndindex(taps.shape), taps.ravel().tolist(), strict=True):
            o = i * width + row
            entry = f"{cells.name('Aᵀ', (o, n))} = {number(values[row, n])}"
            notes.append(
                f"{entry} is {state.w_at(tap)}, with which {state.x_at(n)} goes into {state.y_at(o)}"
                if tap >= 0
                else f"{entry}: the stamp of {state.x_at(n)} does not reach {state.y_at(o)}"
            )
        marks = ["tap" if tap >= 0 else "faint" for tap in taps.flat]
        label = "" if i else f"Aᵀ, {state.y.size}×{state.pixels.size}, one piece for each row of large"
        strip = state.pixels.reshape(1, -1)
        strips.append(cells.grid(f"flattened input {i}", "" if i else "small, flattened", "output", strip, notes_x))
        pieces.append(cells.grid(f"matrix {i}", label, "kernel", values, notes, marks))
    return strips, pieces


def _stamps_in_a_row(parts: dict[str, Cells], pixels: Place) -> _Placed:
    """The stamps stand as the pixels do that they come from."""
    stamp = parts["stamp 0"]
    tall, wide = (n * (side + BETWEEN) - BETWEEN for n, side in zip(pixels, (stamp.rows, stamp.columns), strict=True))
    frame = replace(stamp, name="stamps", rows=0, columns=0, text=(), notes=(), marks=())  # the stamps go into it
    added: list[Cells | str] = ["→", parts["canvas"], "→", parts["output"]]
    placed, signs = _row([parts["input"], "·", parts["kernel"], "=", (frame, wide, tall), *added], 0.0)
    left, above = next(grid.at for grid in placed if grid.name == "stamps")
    steps = [(a * (stamp.rows + BETWEEN), b * (stamp.columns + BETWEEN)) for a, b in np.ndindex(*pixels)]
    moved = [replace(parts[f"stamp {n}"], at=(left + b, above + a)) for n, (a, b) in enumerate(steps)]
    return [*(grid for grid in placed if grid.name != "stamps"), *moved], signs


def _window_in_a_row(parts: dict[str, Cells], pixels: Place) -> _Placed:
    return _after_both(parts, parts["stretched input"], "∗", parts["turned kernel"])


def _pieces_in_a_row(parts: dict[str, Cells], pixels: Place) -> _Placed:
    piece, many = parts["matrix 0"], parts["output"].rows
    columns, rows = piece.columns + BETWEEN, piece.rows + 1 + LABEL
    in_line = min(many, max(1, int((PIECES + BETWEEN) // columns)))
    frame = replace(piece, name="pieces", rows=0, columns=0, text=(), notes=(), marks=())  # the pieces go into it
    tall = -(-many // in_line) * (rows + BETWEEN) - BETWEEN
    placed, signs = _after_both(parts, (frame, in_line * columns - BETWEEN, tall))
    left, above = next(grid.at for grid in placed if grid.name == "pieces")
    placed = [grid for grid in placed if grid.name != "pieces"]
    for i in range(many):
        line, place = divmod(i, in_line)
        at = (left + place * columns, above + line * (rows + BETWEEN))
        placed.append(replace(parts[f"flattened input {i}"], at=at))
        placed.append(replace(parts[f"matrix {i}"], at=(at[0], at[1] + 1 + LABEL)))
    return placed, signs


def _after_both(parts: dict[str, Cells], *made: Cells | str | tuple[Cells, float, float]) -> _Placed:
    """The kernel under the pixels; what is made of the two; the output."""
    x, w = parts["input"], parts["kernel"]
    frame = replace(x, name="both", rows=0, columns=0, text=(), notes=(), marks=())
    size = (max(x.columns, w.columns, WIDE_LETTER * len(w.label)), x.rows + GAP + LABEL + w.rows)
    (both, *placed), signs = _row([(frame, *size), "→", *made, "=", parts["output"]], 0.0)
    return [replace(x, at=both.at), replace(w, at=(both.at[0], both.at[1] + x.rows + GAP + LABEL)), *placed], signs


def _row(parts: Sequence[Cells | str | tuple[Cells, float, float]], top: float) -> _Placed:
    """Grids and signs side by side, centred, with room for the labels; a grid may say how wide and high a place it
    needs."""
    sized = [(part, part.columns, part.rows) if isinstance(part, Cells) else part for part in parts]
    height = max(part[2] for part in sized if not isinstance(part, str))
    grids, signs, x = [], [], 0.0
    for part in sized:
        if isinstance(part, str):
            signs.append((x + SIGN / 2, top + LABEL + height / 2, part))
            x += SIGN + GAP
        else:
            grid, columns, rows = part
            grids.append(replace(grid, at=(x, top + LABEL + (height - rows) / 2)))
            x += max(columns, WIDE_LETTER * len(grid.label) - SIGN - GAP) + GAP  # a label may reach over the sign
    return grids, signs


def _scatter_links(state: State, first: dict[str, int]) -> list[Link]:
    """A stamp is the kernel times its pixel; what falls on one place adds up."""
    links = []
    for pixel, weight, canvas, _ in _products(state):
        number, result = first[f"stamp {pixel}"] + weight, first["canvas"] + canvas
        x, w = first["input"] + pixel, first["kernel"] + weight
        links += [Link(number, x, w), Link(result, x, w), Link(result, number, None)]
    return links


def _window_links(state: State, first: dict[str, int]) -> list[Link]:
    """The turned kernel's window over the stretched input; weights that meet a zero stay dark."""
    (kH, kW), (above, left) = state.weights.shape, _corner(state)
    stretched = _stretched(state, [""] * state.pixels.size)
    pixels = {place for place, note in enumerate(stretched.notes) if not note}
    links = [Link(first["turned kernel"] + t, first["kernel"] + kH * kW - 1 - t, None) for t in range(kH * kW)]
    for o, (i, j) in enumerate(np.ndindex(state.size)):
        for t, (u, v) in enumerate(np.ndindex(kH, kW)):
            row, column = i + state.padding - kH + 1 + u + above, j + state.padding - kW + 1 + v + left
            place = row * stretched.columns + column
            weight = first["turned kernel"] + t if place in pixels else None
            links.append(Link(first["output"] + o, first["stretched input"] + place, weight))
    return links


def _row_links(state: State, first: dict[str, int]) -> list[Link]:
    """Row o of Aᵀ holds the weights of output o: each a copy of one in the kernel."""
    links = []
    for o, n in np.argwhere(state.taps >= 0):
        i, row = divmod(int(o), state.size[1])
        entry = first[f"matrix {i}"] + row * state.pixels.size + int(n)
        links += [
            Link(first["output"] + int(o), first[f"flattened input {i}"] + int(n), entry),
            Link(entry, first["kernel"] + int(state.taps[o, n]), None),
        ]
    return links


def _twins(state: State, first: dict[str, int]) -> tuple[tuple[int, ...], ...]:
    """A pixel stands in several grids, and what is kept of the canvas is y."""
    if "canvas" in first:
        outputs = [_output_at(state, place) for place in np.ndindex(_canvas_shape(state))]
        return tuple((first["output"] + o, first["canvas"] + n) for n, o in enumerate(outputs) if o is not None)
    if "stretched input" in first:
        (above, left), width = _corner(state), _stretched(state, [""] * state.pixels.size).columns
        return tuple(
            (
                first["input"] + n,
                first["stretched input"] + (above + a * state.stride) * width + left + b * state.stride,
            )
            for n, (a, b) in enumerate(np.ndindex(state.pixels.shape))
        )
    strips = [first[f"flattened input {i}"] for i in range(state.size[0])]
    return tuple((first["input"] + n, *(strip + n for strip in strips)) for n in range(state.pixels.size))


def _alt(state: State) -> str:
    x, w, y = (cells.size(array.shape) for array in (state.pixels, state.weights, state.y))
    most = busiest(state)
    return (
        f"Transposed convolution of a {x} input with a {w} kernel, {settings(state)}, by "
        f"{WORDS[state.show]}. The output is {y}. For example, {_notes_y(state)[most]} = "
        f"{number(state.y.flat[most])}."
    )


def busiest(state: State) -> int:
    """The first output, counted row by row, on which most stamps fall: still pictures select it."""
    return int((state.taps >= 0).sum(axis=1).argmax())


def _formula(state: State) -> str:
    """The output size, with the numbers filled in; and what the marks in y mean, where there are some."""
    s, p, more = state.stride, state.padding, state.output_padding
    sides = [
        f"{name} ({n} − 1)·{s} + {k} − 2·{p} + {more} = {side}"
        for name, n, k, side in zip(
            ("rows:", "columns:"), state.pixels.shape, state.weights.shape, state.size, strict=True
        )
    ]
    marks = _marks_y(state)
    at_the_end = "last row and column" if more == 1 else f"last {more} rows and columns"
    coloured = ", coloured where a stamp reaches" if "tap" in marks else ""
    legend = [
        ("dashed: cut off by the padding", p > 0),
        (f"{at_the_end}: there because of output_padding{coloured}", more > 0),
        ("hatched: no stamp reaches it", "unused" in marks),
    ]
    return "; ".join(sides + [words for words, is_seen in legend if is_seen])
