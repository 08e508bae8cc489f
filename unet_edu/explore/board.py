"""What an image explorer shows: a board of images, curves, tables and words.

Each part of it can be painted twice: `html()` for the page, where Python answers, and `draw(axes)` for the picture that
stands for the explorer where nothing runs. Words that need HTML are on the page only: a picture has its words below it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

import ipywidgets
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotSpec
from matplotlib.patches import Patch
from numpy.typing import ArrayLike, NDArray

from unet_edu.explore.explorer import Picture, Pointed, View
from unet_edu.explore.picture import array_png, image_tag
from unet_edu.figures.palette import INK, PAPER, ROLES
from unet_edu.figures.panels import WIDTH
from unet_edu.figures.results import draw_spread
from unet_edu.figures.scene import Scene, draw_scene, inches
from unet_edu.figures.segmentation import KINDS

__all__ = [
    "KIND_KEYS",
    "Curve",
    "Curves",
    "Dot",
    "Grids",
    "Image",
    "Key",
    "Line",
    "Rows",
    "Runs",
    "Stack",
    "Table",
    "Text",
    "Word",
    "still",
    "three",
    "views",
]


class Part(Protocol):
    """A part of a board."""

    # Of its row's width, beside the other parts.
    @property
    def share(self) -> float: ...

    def html(self) -> str: ...

    # In inches, in a still picture where it is so wide; 0 when it is not in it.
    def height(self, width: float) -> float: ...

    def draw(self, figure: Figure, place: SubplotSpec, width: float) -> None: ...


Rows = Sequence[Sequence[Part]]


class Key(NamedTuple):
    """What a colour means; a pattern stands beside it, for those who do not see colours."""

    words: str
    colour: str  # a ramp has several, from one end to the other
    pattern: str = ""  # or "striped", "dotted", "outline", "dashed outline", "ramp"

    def html(self) -> str:
        is_line = "outline" in self.pattern
        ground = {
            "striped": f"repeating-linear-gradient(135deg, {PAPER} 0 2px, {self.colour} 2px 6px)",
            "dotted": f"radial-gradient(circle, {PAPER} 1.5px, {self.colour} 2px) 0 0 / 6px 6px",
            "ramp": f"linear-gradient(to right, {self.colour})",
        }.get(self.pattern, GREY if is_line else self.colour)
        edge = f"2px {'dashed' if 'dashed' in self.pattern else 'solid'} {self.colour}" if is_line else "1px solid"
        width = "9em" if self.pattern == "ramp" else "1.4em"
        return (
            '<span style="white-space: nowrap; margin-right: 0.5em"><span aria-hidden="true" style="display: '
            "inline-block; height: 0.9em; "
            f'box-sizing: border-box; width: {width}; background: {ground}; border: {edge}"></span> {self.words}</span>'
        )

    def patch(self) -> Patch:
        if "outline" in self.pattern:
            dashes: Any = (0, (2, 1)) if "dashed" in self.pattern else "solid"
            return Patch(facecolor=GREY, edgecolor=self.colour, linewidth=2, linestyle=dashes, label=self.words)
        return Patch(facecolor=self.colour, hatch=HATCHES[self.pattern], edgecolor=PAPER, linewidth=0, label=self.words)


GREY = "#808080"  # what an outline of any colour is seen on
HATCHES = {"": "", "striped": "////", "dotted": "oo"}  # patterns as matplotlib has them
KIND_KEYS = tuple(
    Key(f"{kind.name} {kind.meaning}", kind.colour, pattern)
    for kind in KINDS[1:]
    for pattern, hatch in HATCHES.items()
    if hatch == kind.hatch
)
"""What the colours of `figures.segmentation.agreement` mean; the last only where a truth is unknown."""


class Line(NamedTuple):
    """A line over an image. As for all marks, the unit is a pixel of the image, and whole numbers are the middles of
    pixels."""

    points: ArrayLike  # (n, 2): x and y; at a NaN the pen is lifted
    colour: str
    width: float
    dashes: str = ""
    under: float = 0.0  # how wide a line of the other brightness lies under it
    ground: str = PAPER
    opacity: float = 1.0

    def svg(self) -> str:
        path = _path(_Same(self.points))
        parts = [(self.ground, self.under, "")] * (self.under > 0) + [(self.colour, self.width, self.dashes)]
        return "".join(
            f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width:g}" stroke-dasharray="{dashes}" '
            f'stroke-opacity="{self.opacity:g}" stroke-linejoin="round"/>'
            for colour, width, dashes in parts
        )

    def draw(self, axes: Axes, pixel: float) -> None:
        x, y = np.asarray(self.points, np.float64).T
        if self.under:
            axes.plot(x, y, color=self.ground, linewidth=self.under * pixel)
        pattern = _pattern(self.dashes, self.width)
        axes.plot(x, y, color=self.colour, linewidth=self.width * pixel, linestyle=pattern, alpha=self.opacity)


class Dot(NamedTuple):
    """A disc over an image."""

    x: float
    y: float
    radius: float
    colour: str
    edge: str
    edge_width: float
    more: str = ""  # attributes, for a browser that lets it be moved

    def svg(self) -> str:
        return (
            f'<circle {self.more} cx="{self.x:.4g}" cy="{self.y:.4g}" r="{self.radius:g}" fill="{self.colour}" '
            f'stroke="{self.edge}" stroke-width="{self.edge_width:g}"/>'
        )

    def draw(self, axes: Axes, pixel: float) -> None:
        size, edge = 2 * self.radius * pixel, self.edge_width * pixel
        axes.plot(
            self.x, self.y, "o", color=self.colour, markersize=size, markeredgecolor=self.edge, markeredgewidth=edge
        )


class Word(NamedTuple):
    """A word in the middle of a place of an image."""

    x: float
    y: float
    text: str
    size: float
    colour: str = INK
    weight: str = "normal"

    def svg(self) -> str:
        return (
            f'<text x="{self.x:.4g}" y="{self.y:.4g}" text-anchor="middle" dy="0.36em" '
            f'font-size="{self.size:g}" font-weight="{self.weight}" fill="{self.colour}">{self.text}</text>'
        )

    def draw(self, axes: Axes, pixel: float) -> None:
        style: dict[str, Any] = {
            "fontsize": max(9.0, 0.7 * self.size * pixel),
            "color": self.colour,
            "weight": self.weight,
        }
        axes.text(self.x, self.y, self.text, ha="center", va="center", **style)


@dataclass(frozen=True, eq=False)
class Image:
    """A picture, what is drawn over it, and what stands below it: a caption as HTML, and what its colours mean."""

    pixels: NDArray[Any]  # (H, W) from `low` to `high`, or (H, W, 3) from 0 to 1
    alt: str
    caption: str = ""
    keys: tuple[Key, ...] = ()
    title: str = ""  # of the still picture
    marks: Sequence[Line | Dot | Word] = ()
    marks_words: str = ""  # for those who do not see them, when the alt text does not tell
    corner: int = 0  # row and column of the first pixel, as marks count them
    finer: int = 1  # how many pixels of the picture are one for the marks
    low: float = 0.0
    high: float = 1.0
    width: str = "100%"  # on the page: at most so much, or in px exactly
    is_pixelated: bool = True  # or else the browser smooths it, where it is larger than its pixels
    is_captioned_above: bool = False
    is_pointed: bool = False  # whether the page asks for the pixel that the reader points at
    share: float = 1.0
    scale: float = 1.0  # how much of the width that there is the still picture takes

    def html(self) -> str:
        is_fixed = self.width.endswith("px")
        style = f"width: {self.width if is_fixed else '100%'}" + "; image-rendering: pixelated" * self.is_pixelated
        tag = image_tag(_png(_Same(self.pixels), self.low, self.high), self.alt, style)
        words = " ".join([self.caption, *(key.html() for key in self.keys)]).strip()
        caption = f'<figcaption style="line-height: 1.5">{words}</figcaption>' if words else ""
        picture = f'<div style="line-height: 0; position: relative">{tag}{self._over()}</div>'
        parts = caption + picture if self.is_captioned_above else picture + caption
        # captions as wide as the picture, and not narrower than their words
        room = (
            f"min-width: 8.2em; max-width: max({self.width}, 8.2em)"
            if is_fixed
            else f"flex: 1 1 12em; max-width: {self.width}"
        )
        return f'<figure style="margin: 0; {room}">{parts}</figure>'

    def _over(self) -> str:
        """The marks, as SVG of the same size."""
        if not self.marks:
            return ""
        (height, width), begin = (side // self.finer for side in self.pixels.shape[:2]), self.corner - 0.5
        is_moved = any(isinstance(mark, Dot) and mark.more for mark in self.marks)
        name = 'role="group"' if is_moved else 'aria-hidden="true"'
        if self.marks_words:
            name = f'role="img" aria-label="{html.escape(self.marks_words)}"'
        return (
            f'<svg {name} viewBox="{begin} {begin} {width} {height}" style="position: absolute; inset: 0; width: 100%; '
            'height: 100%; pointer-events: none" font-family="sans-serif">'
            f"{''.join(mark.svg() for mark in self.marks)}</svg>"
        )

    def height(self, width: float) -> float:
        rows, columns = self.pixels.shape[:2]
        return width * rows / columns + 0.2 * len(self.title.splitlines()) + 0.1

    def draw(self, figure: Figure, place: SubplotSpec, width: float) -> None:
        axes = figure.add_subplot(place)
        (rows, columns), first = (side // self.finer for side in self.pixels.shape[:2]), self.corner - 0.5
        ends = first + columns, first + rows
        smoothing = "nearest" if self.is_pixelated else "antialiased"
        grey: dict[str, Any] = {"cmap": "gray", "vmin": self.low, "vmax": self.high}
        axes.imshow(self.pixels, extent=(first, ends[0], ends[1], first), interpolation=smoothing, **grey)
        for mark in self.marks:
            mark.draw(axes, 72 * 0.93 * width * self.scale / columns)
        # in the lower left corner of a larger place
        axes.set(xlim=(first, first + columns / self.scale), ylim=(ends[1], ends[1] - rows / self.scale))
        axes.set_title(self.title, fontsize=9.5, color=INK, loc="left" if self.scale < 1 else "center", y=self.scale)
        axes.set_axis_off()


class Curve(NamedTuple):
    name: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    role: str
    dashes: str = ""


@dataclass(frozen=True, eq=False)
class Curves:
    """Curves over one pair of axes, from the first tick of each to its last, or to `ends`.

    As SVG lines and letters stay sharp, and nothing is drawn by matplotlib while a slider moves.
    """

    curves: Sequence[Curve]
    alt: str
    x_ticks: Sequence[float]
    y_ticks: Sequence[float]
    labels: tuple[str, str]
    ends: tuple[float, float] | None = None  # the largest x and y
    at: float | None = None  # where a line stands upright
    dots: Sequence[tuple[float, float, str]] = ()  # x, y, colour
    shaded: Sequence[tuple[float, float]] = ()  # from x to x
    size: tuple[int, int] = (360, 200)
    has_names: bool = True
    share: float = 1.0

    @property
    def _most(self) -> tuple[float, float]:
        return self.ends or (self.x_ticks[-1], self.y_ticks[-1])

    def html(self) -> str:
        (width, height), left, top = self.size, 40, 8
        right, bottom = width - 8, height - (44 if self.has_names else 30)
        x_most, y_most = self._most

        def x(value: float) -> float:
            return left + (right - left) * value / x_most

        def y(value: float) -> float:
            return bottom - (bottom - top) * min(value, y_most) / y_most

        parts = [f'<rect width="{width}" height="{height}" fill="{PAPER}"/>']
        for begin, end in self.shaded:
            place = f'x="{x(begin):.1f}" y="{top}" width="{x(end) - x(begin):.1f}" height="{bottom - top}"'
            parts.append(f'<rect {place} fill="{ROLES["input"].fill}"/>')
        for tick in self.y_ticks:
            parts.append(f'<path d="M{left} {y(tick):.1f}H{right}" stroke="{ROLES["neutral"].fill}"/>')
            parts.append(_svg_text(left - 5, y(tick) + 3.5, f"{tick:.3g}", "end"))
        for tick in self.x_ticks:
            anchor = "end" if x(tick) > right - 10 else "middle"
            parts.append(_svg_text(x(tick) + 4 * (anchor == "end"), bottom + 13, f"{tick:g}", anchor))
        parts.append(_svg_text((left + right) / 2, bottom + 26, self.labels[0], "middle"))
        if self.at is not None:
            parts.append(f'<path d="M{x(self.at):.1f} {top}V{bottom}" stroke="{INK}" stroke-width="1.5"/>')
        for n, curve in enumerate(self.curves):
            line = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in zip(curve.x, curve.y, strict=True))
            style = f'stroke="{ROLES[curve.role].line}" stroke-width="2" stroke-dasharray="{curve.dashes}"'
            parts.append(f'<polyline points="{line}" fill="none" {style}/>')
            if self.has_names:
                key = left + n * (right - left) / max(3, len(self.curves))
                parts.append(f'<path d="M{key:.0f} {height - 9}h24" {style}/>')
                parts.append(_svg_text(key + 28, height - 5, curve.name))
        for a, b, colour in self.dots:
            parts.append(f'<circle cx="{x(a):.1f}" cy="{y(b):.1f}" r="4" fill="{colour}"/>')
        return _svg_chart(parts, self.alt, self.size)

    def height(self, width: float) -> float:
        return min(2.6, 0.7 * width)

    def draw(self, figure: Figure, place: SubplotSpec, width: float) -> None:
        axes = figure.add_subplot(place)
        for begin, end in self.shaded:
            axes.axvspan(begin, end, color=ROLES["input"].fill, linewidth=0)
        for curve in self.curves:
            style = {"color": ROLES[curve.role].line, "linestyle": _pattern(curve.dashes), "linewidth": 2}
            axes.plot(curve.x, curve.y, label=curve.name, **style)
        if self.at is not None:
            axes.axvline(self.at, color=INK, linewidth=1.5)
        for x, y, colour in self.dots:
            axes.plot(x, y, "o", color=colour, markersize=6)
        x_most, y_most = self._most
        axes.set(xlim=(0, x_most), ylim=(0, 1.03 * y_most), xlabel=self.labels[0], ylabel=self.labels[1])
        if self.has_names:
            axes.legend(fontsize=9, frameon=False)
        axes.spines[["top", "right"]].set_visible(False)


@dataclass(frozen=True, eq=False)
class Runs:
    """The scores of some runs: a row a name, a dot a run, the mean as a line; the range of the reference through all
    rows."""

    groups: dict[str, tuple[float, ...]]
    alt: str
    label: str
    chosen: str
    reference: str
    share: float = 1.5

    def html(self) -> str:
        row, left, width, top = 22, 128, 440, 6
        bottom = top + row * len(self.groups)
        values = [value for scores in self.groups.values() for value in scores]
        low, high = np.floor(min(values) * 20 - 0.4) / 20, np.ceil(max(values) * 20 + 0.4) / 20

        def x(value: float) -> float:
            return left + (width - left - 12) * (value - low) / (high - low)

        parts = [f'<rect width="{width}" height="{bottom + 34}" fill="{PAPER}"/>']
        if reference := self.groups.get(self.reference):
            begin, end = x(min(reference)), x(max(reference))
            place = f'x="{begin:.1f}" y="{top}" width="{max(1, end - begin):.1f}" height="{bottom - top}"'
            parts.append(f'<rect {place} fill="{ROLES["output"].fill}"/>')
        step = 0.05 if high - low <= 0.4 else 0.1
        for tick in np.arange(np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9) + 1) * step:
            parts.append(f'<path d="M{x(tick):.1f} {top}V{bottom}" stroke="{ROLES["neutral"].fill}"/>')
            parts.append(_svg_text(x(tick), bottom + 13, f"{tick:.2f}", "middle"))
        parts.append(_svg_text((left + width) / 2, bottom + 28, self.label, "middle"))
        for n, (name, scores) in enumerate(self.groups.items()):
            parts += self._row(name, scores, x, top + row * (n + 0.5), left, width)
        return _svg_chart(parts, self.alt, (width, bottom + 34), font=11)

    def _row(
        self, name: str, scores: Sequence[float], x: Callable[[float], float], y: float, left: float, width: float
    ) -> list[str]:
        is_chosen, parts = name == self.chosen, []
        colour = ROLES["output" if name == self.reference else "error" if is_chosen else "input"].line
        if is_chosen:
            place = f'x="1" y="{y - 10}" width="{width - 2}" height="20" rx="4"'
            parts.append(f'<rect {place} fill="none" stroke="{INK}"/>')
        parts.append(_svg_text(left - 8, y + 4, name, "end", "bold" if is_chosen else ""))
        parts.append(f'<path d="M{x(float(np.mean(scores))):.1f} {y - 7}v14" stroke="{colour}" stroke-width="2.5"/>')
        style = f'fill="{PAPER}" stroke="{colour}" stroke-width="1.6"'
        return parts + [f'<circle cx="{x(value):.1f}" cy="{y}" r="4" {style}/>' for value in scores]

    def height(self, width: float) -> float:
        return 0.9 + 0.3 * len(self.groups)

    def draw(self, figure: Figure, place: SubplotSpec, width: float) -> None:
        axes = figure.add_subplot(place)
        known = self.reference if self.reference in self.groups else None
        draw_spread(axes, self.groups, self.label.split(":")[0], known)
        row = list(self.groups).index(self.chosen)
        axes.axhspan(row - 0.45, row + 0.45, fill=False, edgecolor=INK)


@dataclass(frozen=True)
class Table:
    """Rows of words and numbers: the first column to the left, the others to the right. A cell may be bold:
    `<b>…</b>`."""

    rows: Sequence[Sequence[str]]
    head: Sequence[str] = ()
    share: float = 1.0

    def html(self) -> str:
        number = "text-align: right; padding-left: 1em; font-variant-numeric: tabular-nums"

        def row(tag: str, cells: Sequence[str]) -> str:
            return "".join(
                f'<{tag} style="{number if n else "text-align: left"}">{cell}</{tag}>' for n, cell in enumerate(cells)
            )

        lines = [row("th", self.head)] * bool(self.head) + [row("td", cells) for cells in self.rows]
        return f'<table style="line-height: 1.6">{"".join(f"<tr>{line}</tr>" for line in lines)}</table>'

    def height(self, width: float) -> float:
        return 0.24 * (len(self.rows) + bool(self.head))

    def draw(self, figure: Figure, place: SubplotSpec, width: float) -> None:
        lines = [[f"<b>{cell}</b>" for cell in self.head]] * bool(self.head) + [list(cells) for cells in self.rows]
        needs = [max(len(_plain(cell)) + 3 for cell in column) for column in zip(*lines, strict=True)]
        right_ends = 0.068 * np.cumsum(needs)
        axes = figure.add_subplot(place)
        axes.set_axis_off()
        for n, line in enumerate(lines):
            for column, (cell, end) in enumerate(zip(line, right_ends, strict=True)):
                x, side = (end, "right") if column else (0.0, "left")
                style: dict[str, Any] = {"weight": "bold" if cell.startswith("<b>") else "normal", "color": INK}
                at = (72 * x, -72 * (0.24 * n + 0.12))  # from the upper left corner, however high the place is
                ends: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points"}
                axes.annotate(
                    _plain(cell), (0, 1), at, ha=side, va="center", fontsize=9, in_layout=False, **ends, **style
                )


@dataclass(frozen=True)
class Text:
    """Words, as HTML, and what the colours of several images mean; the still picture has only the title and the
    meanings."""

    words: str
    title: str = ""
    keys: tuple[Key, ...] = ()
    share: float = 1.0

    def html(self) -> str:
        return "<div>" + "".join(key.html() for key in self.keys) + self.words + "</div>"

    def height(self, width: float) -> float:
        return 0.35 if self.title else 0.0

    def draw(self, figure: Figure, place: SubplotSpec, width: float) -> None:
        axes = figure.add_subplot(place)
        axes.set_axis_off()
        axes.text(0, 0.5, self.title, fontsize=11, fontweight="bold", color=INK, va="center")


@dataclass(frozen=True)
class Grids:
    """A scene above the images, in the still picture; a page shows it with scene.js."""

    scene: Scene
    widest: float = WIDTH
    share: float = 1.0

    def html(self) -> str:
        return ""

    def height(self, width: float) -> float:
        return inches(self.scene, self.widest)[1]

    def draw(self, figure: Figure, place: SubplotSpec, width: float) -> None:
        draw_scene(figure.add_subplot(place), self.scene)


@dataclass(frozen=True)
class Stack:
    """Parts that belong together: one under the other, or side by side as far as there is room. On a page they are one
    widget."""

    parts: Sequence[Part]
    is_across: bool = False
    align: str = "start"  # or "end": whether they stand on one line, or hang from one
    edge: str = ""  # the role whose colour runs down their side
    share: float = 1.0

    def html(self) -> str:
        styles = [
            "line-height: 1.6",
            *[f"display: flex; flex-wrap: wrap; gap: 0.6em; align-items: {self.align}"] * self.is_across,
        ]
        if self.edge:
            styles.append(f"border-left: 5px solid {ROLES[self.edge].line}; padding-left: 0.8em; margin: 0.5em 0")
        return f'<div style="{"; ".join(styles)}">{"".join(part.html() for part in self.parts)}</div>'

    def _places(self, width: float) -> list[tuple[Part, float, float]]:
        """Those that a still picture has, with their widths and heights."""
        shares = sum(part.share for part in self.parts) if self.is_across else 0
        sized = [(part, width * part.share / shares if shares else width) for part in self.parts]
        places = [(part, wide, part.height(wide)) for part, wide in sized]
        return [place for place in places if place[2]]

    def height(self, width: float) -> float:
        heights = [high for _, _, high in self._places(width)]
        return max(heights, default=0.0) if self.is_across else sum(heights)

    def draw(self, figure: Figure, place: SubplotSpec, width: float) -> None:
        places = self._places(width)
        if self.is_across:
            grid = place.subgridspec(1, len(places), width_ratios=[wide for _, wide, _ in places])
        else:
            grid = place.subgridspec(len(places), 1, height_ratios=[high for _, _, high in places])
        for n, (part, wide, _) in enumerate(places):
            part.draw(figure, grid[n], wide)


def views(board: Callable[[Any], Rows], state: Any) -> list[View]:
    """A widget for each part of each row. In every state a board must have the same parts, in the same rows.

    The widths are given, or else longer numbers would move the parts beside them while a slider moves.
    """
    last = lru_cache(maxsize=1)(board)  # one board for all of its parts

    def view(row: int, column: int) -> View:
        parts = board(state)[row]
        part = parts[column]
        if len(parts) == 1:
            layout = {"flex": "1 1 100%"}
        else:
            wide = 80 * part.share / sum(part.share for part in parts)
            least = "19em" if len(parts) == 2 else "13em"
            layout = {
                "flex": f"1 1 {wide:.0f}%",
                "min_width": least,
                "max_width": f"{wide:.0f}em",
                "margin": "0 1em 0 0",
            }
        if isinstance(part, Image) and part.is_pointed:
            rows, columns = part.pixels.shape[:2]
            widget, trait = Pointed(rows=rows, columns=columns, layout=layout), "html"
        else:
            widget, trait = ipywidgets.HTML(layout=layout), "value"
        return View(widget, trait, lambda state: last(state)[row][column].html())

    return [view(row, column) for row, parts in enumerate(board(state)) for column in range(len(parts))]


def still(rows: Rows, alt: str, digest: str) -> Picture:
    """The board for where nothing runs, with its words and its numbers; below it what the colours mean."""
    stack = Stack([Stack(row, is_across=True) for row in rows])
    keys = {key: None for row in rows for part in row for key in _keys(part)}
    below = 0.4 if keys else 0.0
    high = stack.height(WIDTH - 0.2)
    figure = Figure(figsize=(WIDTH, high + below + 0.1), dpi=100, facecolor=PAPER, layout="constrained")
    grid = figure.add_gridspec(1 + bool(keys), 1, height_ratios=[high, below][: 1 + bool(keys)])
    stack.draw(figure, grid[0], WIDTH - 0.2)
    if keys:
        axes = figure.add_subplot(grid[1])
        axes.set_axis_off()
        axes.legend(
            handles=[key.patch() for key in keys], loc="center", ncols=4, fontsize=9, frameon=False, handleheight=1.2
        )
    return Picture(figure, alt, digest)


def three(ratio: float) -> str:
    """A ratio with three digits, also one that has no value."""
    return "0 / 0" if np.isnan(ratio) else f"{ratio:.3f}"


class _Same:
    """An array as a key of a cache: equal to itself alone."""

    def __init__(self, array: ArrayLike) -> None:
        self.array = array

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.array is other.array

    def __hash__(self) -> int:
        return id(self.array)


@lru_cache(maxsize=64)  # what an explorer keeps, a photograph for example, is not made into bytes at each step
def _png(pixels: _Same, low: float, high: float) -> bytes:
    return array_png(np.asarray(pixels.array), low, high)


def _keys(part: Part) -> list[Key]:
    if isinstance(part, Stack):
        return [key for each in part.parts for key in _keys(each)]
    return [key for key in part.keys if key.pattern != "ramp"] if isinstance(part, Image | Text) else []


def _plain(cell: str) -> str:
    """Words without HTML."""
    return html.unescape(re.sub("<[^>]+>", "", cell))


@lru_cache(maxsize=64)
def _path(points: _Same) -> str:
    """A line as SVG has it: where the pen was lifted, it moves."""
    places = np.asarray(points.array, np.float64)
    is_drawn = ~np.isnan(places[:, 0])
    is_start = np.append(True, ~is_drawn[:-1])
    form = "".join("M%.4g %.4g" if start else "L%.4g %.4g" for start in is_start[is_drawn].tolist())
    return form % tuple(places[is_drawn].ravel().tolist())


def _pattern(dashes: str, width: float = 2.0) -> Any:
    """Dashes of SVG, for a line of this width, as matplotlib has them."""
    return (0, tuple(float(length) / width * 1.4 for length in dashes.split())) if dashes else "-"


def _svg_text(x: float, y: float, text: str, anchor: str = "start", weight: str = "") -> str:
    bold = f' font-weight="{weight}"' if weight else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{bold}>{text}</text>'


def _svg_chart(parts: Sequence[str], alt: str, size: tuple[float, float], font: int = 10) -> str:
    return (
        f'<svg role="img" aria-label="{html.escape(alt)}" viewBox="0 0 {size[0]} {size[1]}" style="width: 100%; '
        f'max-width: {size[0] / 10:g}em; display: block" font-family="sans-serif" font-size="{font}" fill="{INK}">'
        f"{''.join(parts)}</svg>"
    )
