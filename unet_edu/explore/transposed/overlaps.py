"""How many stamps of a transposed convolution fall on each pixel. Lesson 04."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from unet_edu.explore import cells
from unet_edu.explore.transposed.state import PIXELS, State, code, settings
from unet_edu.figures.scene import GAP, LABEL, WIDE_LETTER, Link, Scene, number
from unet_edu.transposed import conv_transpose2d, overlap_count

__all__ = ["overlap_counts", "overlaps"]


def overlaps(state: State) -> Scene:
    """How many stamps fall on each pixel, for an input of `PIXELS`; and what becomes of an image of ones."""
    counts = overlap_counts(state)
    down, across = _along_sides(state)
    ones = conv_transpose2d(np.ones(PIXELS), state.weights, **state.geometry)
    notes_down = [f"row {i}: {cells.count(n, 'row', 'rows')} of stamps fall on it" for i, n in enumerate(down)]
    notes_across = [
        f"column {j}: {cells.count(n, 'column', 'columns')} of stamps fall on it" for j, n in enumerate(across)
    ]
    notes_counts = [
        f"stamps on pixel [{i}, {j}]: {down[i]} down times {across[j]} across" for i, j in np.ndindex(counts.shape)
    ]
    notes_ones = [
        f"pixel [{i}, {j}]: {cells.count(int(counts[i, j]), 'weight adds', 'weights add')} up to {number(ones[i, j])}"
        for i, j in np.ndindex(ones.shape)
    ]
    marks = ["unused" if n == 0 else "tap" if n == counts.max() else "" for n in counts.flat]
    size = cells.size(counts.shape)
    parts = [
        cells.grid("down", "down", "neutral", down[:, None].astype(np.float64), notes_down),
        cells.grid("across", "across", "neutral", across[None].astype(np.float64), notes_across),
        cells.grid("counts", f"how many stamps, {size}", "kernel", counts, notes_counts, marks),
        cells.grid(
            "ones",
            "large, when small is all ones",
            "input",
            ones,
            notes_ones,
            ["unused" if m == "unused" else "" for m in marks],
        ),
    ]
    first = cells.first_cells(parts)
    top, left = 2 * LABEL + 1, 1 + 2 * GAP
    middle = max(counts.shape[1], WIDE_LETTER * len(parts[2].label))
    places = [(0.0, top), (left, LABEL), (left, top), (left + middle + 2 * GAP, top)]
    links = [
        link
        for n, (i, j) in enumerate(np.ndindex(counts.shape))
        for link in (
            Link(first["counts"] + n, first["down"] + i, first["across"] + j),
            Link(first["ones"] + n, first["counts"] + n, None),
        )
    ]
    return Scene(
        alt=f"How many stamps of a {cells.size(state.weights.shape)} kernel fall on each pixel, with "
        f"{settings(state)}, for an input of {cells.size(PIXELS)}. {_evenness(state)}",
        grids=tuple(replace(part, at=at) for part, at in zip(parts, places, strict=True)),
        links=tuple(links),
        walk="counts",
        caption=f"{_evenness(state)} Coloured: most stamps{'; hatched: none' if 'unused' in marks else ''}.",
        code=code(state),
    )


def overlap_counts(state: State) -> NDArray[np.float64]:
    """How many stamps fall on each pixel: those along the rows times those along the columns."""
    return np.outer(*_along_sides(state)).astype(np.float64)


def _along_sides(state: State) -> list[NDArray[np.int64]]:
    return [overlap_count(n, k, **state.geometry) for n, k in zip(PIXELS, state.weights.shape, strict=True)]


def _evenness(state: State) -> str:
    """What the counts and the weights say of checkerboards, away from the border."""
    words = []
    for name, k in zip(("down", "across"), state.weights.shape, strict=True):
        low, high = k // state.stride, -(-k // state.stride)
        words.append(f"{name} {low}" if low == high else f"{name} {low} or {high} by turns")
    # the weights that meet inside are those that stand a stride apart in the kernel
    s, w = state.stride, state.weights
    sums = [w[i::s, j::s].sum() for i in range(s) for j in range(s)]
    low, high = min(sums), max(sums)
    flat = (
        f"An image of ones becomes {number(low)} everywhere inside: no checkerboard."
        if high - low <= 1e-9 * max(1.0, abs(high))
        else f"An image of ones becomes uneven inside, from {number(low)} to {number(high)}: a checkerboard."
    )
    return f"Stamps that meet inside: {', '.join(words)}. {flat}"
