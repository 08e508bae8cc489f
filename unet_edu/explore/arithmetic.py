"""The arithmetic explorer: how many windows fit along one side, and what the last stride leaves over. Lesson 02."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import ipywidgets
from matplotlib.figure import Figure

from unet_edu.convolution import output_size
from unet_edu.explore.cells import count, expect_within
from unet_edu.explore.explorer import Explorer, Picture, SceneView, View
from unet_edu.figures.scene import LABEL, Cells, Link, Scene, draw_scene, inches

__all__ = ["BOUNDS", "State", "arithmetic", "picture", "scene"]

BOUNDS = {"size": (1, 14), "kernel": (1, 7), "stride": (1, 5), "padding": (0, 3), "dilation": (1, 3)}
"""The sliders' ends: what still reads well."""


@dataclass(frozen=True)
class State:
    size: int
    kernel: int
    stride: int
    padding: int
    dilation: int

    @property
    def span(self) -> int:
        """From the first tap of a window to its last."""
        return self.dilation * (self.kernel - 1) + 1

    @property
    def windows(self) -> int:
        """How many windows fit: 0 where `output_size` refuses."""
        return output_size(**asdict(self)) if self.span <= self.size + 2 * self.padding else 0


def arithmetic(size: int = 7, kernel: int = 3, stride: int = 1, padding: int = 0, dilation: int = 1) -> Explorer:
    """Explore the size of a convolution's output, along one side (the other side obeys the same rule).

    Each row is one position of the window over the input. Cells that no window reads are hatched: they are dropped,
    which is no error. Below stand the formula, filled in, and the line of PyTorch that makes such a layer.

    Parameters
    ----------
    size, kernel, stride, padding, dilation : int
        Where to start, within `BOUNDS`.

    Returns
    -------
    Explorer
        The last value of a notebook cell shows itself.

    Raises
    ------
    ValueError
        When a number lies outside `BOUNDS`.
    """
    state = State(size, kernel, stride, padding, dilation)
    expect_within(BOUNDS, state)
    controls = {
        name: ipywidgets.IntSlider(min=low, max=high, value=getattr(state, name), description=name)
        for name, (low, high) in BOUNDS.items()
    }
    view = View(SceneView(), "scene", lambda state: scene(state).data())
    return Explorer(state, controls, [view], picture)


def scene(state: State) -> Scene:
    """The input on top, one row a window below it, and one output beside each row."""
    width, windows, taps = state.size + 2 * state.padding, state.windows, range(state.kernel)
    reads = [[n * state.stride + t * state.dilation for t in taps] for n in range(windows)]
    read = {place for places in reads for place in places}
    names = [f"x{_sub(c - state.padding)}" if 0 <= c - state.padding < state.size else "0" for c in range(width)]

    def feeds(place: int) -> str:
        outputs = [f"y{_sub(n)}" for n in range(windows) if place in reads[n]]
        what = names[place] if names[place] != "0" else "this zero of the padding"
        return f"{what} goes into {', '.join(outputs)}" if outputs else f"no window reads {what}: it is dropped"

    row, marks = [""] * (windows * width), ["blank"] * (windows * width)
    links = []
    for n in range(windows):
        for t in taps:
            row[n * width + reads[n][t]], marks[n * width + reads[n][t]] = f"w{_sub(t)}", "tap"
            links.append(
                Link(output=width + windows * width + n, input=reads[n][t], weight=width + n * width + reads[n][t])
            )
    sums = [" + ".join(f"w{_sub(t)}·{names[reads[n][t]]}" for t in taps) for n in range(windows)]
    padding = f" and {state.padding} of padding on each side" if state.padding else ""
    grids = [
        Cells(
            name="input",
            label=f"input, {count(state.size, 'cell', 'cells')}{padding}",
            role="input",
            rows=1,
            columns=width,
            text=tuple(names),
            notes=tuple(feeds(place) for place in range(width)),
            marks=tuple(
                "unused" if place not in read else "padding" if names[place] == "0" else "" for place in range(width)
            ),
            at=(0, LABEL),
        ),
        Cells(
            name="windows",
            label=f"the window in {count(windows, 'position', 'positions')}" if windows else "no window fits",
            role="kernel",
            rows=windows,
            columns=width,
            text=tuple(row),
            notes=tuple(
                f"window {n} multiplies {names[c]} by {row[n * width + c]}"
                if row[n * width + c]
                else f"window {n} does not read {names[c]}"
                for n in range(windows)
                for c in range(width)
            ),
            marks=tuple(marks),
            at=(0, 2 * LABEL + 1.25),
        ),
        Cells(
            name="output",
            label=f"output, {windows}",
            role="output",
            rows=windows,
            columns=1,
            text=tuple(f"y{_sub(n)}" for n in range(windows)),
            notes=tuple(sums),
            at=(max(width, 5) + 0.6, 2 * LABEL + 1.25),
        ),
    ]
    return Scene(
        alt=f"{_sentence(state)} {_dropped(state, width - len(read))}",
        grids=tuple(grids),
        links=tuple(links),
        walk="output",
        caption=formula(state),
        code=(
            f"nn.Conv2d(in_channels, out_channels, kernel_size={state.kernel}, stride={state.stride}, "
            f"padding={state.padding}, dilation={state.dilation})"
        ),
    )


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
    figure = Figure(figsize=inches(drawn), dpi=100, layout="constrained")
    draw_scene(figure.subplots(), drawn)
    return Picture(figure, drawn.alt, drawn.caption)


def _sentence(state: State) -> str:
    return (
        f"Windows of {count(state.kernel, 'cell', 'cells')} with dilation {state.dilation} and stride {state.stride} "
        f"on an input of {state.size} with padding {state.padding}: {state.windows or 'none'} "
        f"fit{'s' if state.windows == 1 else ''}."
    )


def _dropped(state: State, unread: int) -> str:
    return f"In no window: {count(unread, 'cell', 'cells')}." if unread else "Every cell is in a window."


def _sub(index: int) -> str:
    """An index as it is written in formulas."""
    return "".join("₀₁₂₃₄₅₆₇₈₉"[int(digit)] for digit in str(index))
