"""The arithmetic explorer: how many windows fit along one side, and what the last stride leaves over. Lesson 02."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property

from unet_edu.convolution import output_size
from unet_edu.explore.cells import alone, bounded, count, first_cells
from unet_edu.explore.fields import checked
from unet_edu.explore.page import STYLES, Page
from unet_edu.explore.picture import Picture
from unet_edu.figures.scene import LABEL, Cells, Link, Scene, colours

__all__ = ["BOUNDS", "State", "arithmetic", "picture", "scene"]

BOUNDS = {"size": (1, 14), "kernel": (1, 7), "stride": (1, 5), "padding": (0, 3), "dilation": (1, 3)}
"""The sliders' ends: what still reads well."""


@dataclass(frozen=True)
class State:
    size: int = bounded(BOUNDS, "size", "cells of the input")
    kernel: int = bounded(BOUNDS, "kernel", "kernel size")
    stride: int = bounded(BOUNDS, "stride")
    padding: int = bounded(BOUNDS, "padding")
    dilation: int = bounded(BOUNDS, "dilation")

    @property
    def span(self) -> int:
        """From the first tap of a window to its last."""
        return self.dilation * (self.kernel - 1) + 1

    @property
    def windows(self) -> int:
        """How many windows fit: 0 where `output_size` refuses."""
        return output_size(**asdict(self)) if self.span <= self.size + 2 * self.padding else 0

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Of the cells of the padded input."""
        zeros = ("0",) * self.padding
        return (*zeros, *(f"x{_sub(cell)}" for cell in range(self.size)), *zeros)

    @cached_property
    def reads(self) -> list[list[int]]:
        """The cells of the padded input that each window reads."""
        return [[n * self.stride + t * self.dilation for t in range(self.kernel)] for n in range(self.windows)]


def arithmetic(size: int = 7, kernel: int = 3, stride: int = 1, padding: int = 0, dilation: int = 1) -> Page:
    """Explore the size of a convolution's output, along one side (the other side obeys the same rule).

    Each row is one position of the window over the input. Cells that no window reads are hatched: they are dropped,
    which is no error. Below stand the formula, filled in, and the line of PyTorch that makes such a layer.

    Parameters
    ----------
    size, kernel, stride, padding, dilation : int
        Where to start, within `BOUNDS`.

    Returns
    -------
    Page
        The last value of a notebook cell shows itself.

    Raises
    ------
    ValueError
        When a number lies outside `BOUNDS`.
    """
    state = checked(State, size=size, kernel=kernel, stride=stride, padding=padding, dilation=dilation)
    return Page(state, picture, "arithmetic.js", STYLES, colours=colours())


def scene(state: State) -> Scene:
    """The input on top, one row a window below it, and one output beside each row."""
    grids = (_input(state), _windows(state), _output(state))
    first, width = first_cells(grids), len(state.names)
    return Scene(
        alt=f"{_sentence(state)} {_dropped(state)}",
        grids=grids,
        links=tuple(
            Link(first["output"] + n, first["input"] + place, first["windows"] + n * width + place)
            for n, places in enumerate(state.reads)
            for place in places
        ),
        walk="output",
        caption=formula(state),
        code=(
            f"nn.Conv2d(in_channels, out_channels, kernel_size={state.kernel}, stride={state.stride}, "
            f"padding={state.padding}, dilation={state.dilation})"
        ),
    )


def _input(state: State) -> Cells:
    notes, marks = [], []
    for place, name in enumerate(state.names):
        outputs = [f"y{_sub(n)}" for n, places in enumerate(state.reads) if place in places]
        what = name if name != "0" else "this zero of the padding"
        notes.append(f"{what} goes into {', '.join(outputs)}" if outputs else f"no window reads {what}: it is dropped")
        marks.append("unused" if not outputs else "padding" if name == "0" else "")
    padding = f" and {state.padding} of padding on each side" if state.padding else ""
    label, width = f"input, {count(state.size, 'cell', 'cells')}{padding}", len(state.names)
    return Cells("input", label, "input", 1, width, state.names, tuple(notes), tuple(marks), at=(0, LABEL))


def _windows(state: State) -> Cells:
    text, notes = [], []
    for n, places in enumerate(state.reads):
        taps = {place: f"w{_sub(t)}" for t, place in enumerate(places)}
        for place, name in enumerate(state.names):
            text.append(taps.get(place, ""))
            notes.append(
                f"window {n} multiplies {name} by {text[-1]}" if text[-1] else f"window {n} does not read {name}"
            )
    label = f"the window in {count(state.windows, 'position', 'positions')}" if state.windows else "no window fits"
    marks = tuple("tap" if tap else "blank" for tap in text)
    size = state.windows, len(state.names)
    return Cells("windows", label, "kernel", *size, tuple(text), tuple(notes), marks, at=(0, 2 * LABEL + 1.25))


def _output(state: State) -> Cells:
    text = tuple(f"y{_sub(n)}" for n in range(state.windows))
    sums = [" + ".join(f"w{_sub(t)}·{state.names[c]}" for t, c in enumerate(places)) for places in state.reads]
    at = (max(len(state.names), 5) + 0.6, 2 * LABEL + 1.25)
    return Cells("output", f"output, {state.windows}", "output", state.windows, 1, text, tuple(sums), at=at)


def formula(state: State) -> str:
    """The output size, with the numbers filled in."""
    s, k, d, p = state.stride, state.kernel, state.dilation, state.padding
    if not state.windows:
        return f"the window spans {state.span} cells and there are only {state.size + 2 * p}: PyTorch raises an error"
    rest = state.size + 2 * p - state.span
    return f"⌊({state.size} + 2·{p} − {d}·({k} − 1) − 1) / {s}⌋ + 1 = ⌊{rest} / {s}⌋ + 1 = {state.windows}"


def picture(state: State) -> Picture:
    """The scene alone, for where nothing runs."""
    drawn = scene(state)
    return alone(drawn, drawn.caption)


def _sentence(state: State) -> str:
    return (
        f"Windows of {count(state.kernel, 'cell', 'cells')} with dilation {state.dilation} and stride {state.stride} "
        f"on an input of {state.size} with padding {state.padding}: {state.windows or 'none'} "
        f"fit{'s' if state.windows == 1 else ''}."
    )


def _dropped(state: State) -> str:
    unread = len(state.names) - len({place for places in state.reads for place in places})
    return f"In no window: {count(unread, 'cell', 'cells')}." if unread else "Every cell is in a window."


def _sub(index: int) -> str:
    """An index as it is written in formulas."""
    return "".join("₀₁₂₃₄₅₆₇₈₉"[int(digit)] for digit in str(index))
