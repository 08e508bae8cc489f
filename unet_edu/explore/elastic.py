"""The elastic explorer: a net of nine knots bends a picture, and its labels must come along. Lesson 07."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from unet_edu.data.cells import LOOKS, synthetic_cells
from unet_edu.data.elastic import displacement_from, warp
from unet_edu.explore.explorer import Explorer, Picture, SceneView, View
from unet_edu.explore.picture import array_png, digest, image_tag
from unet_edu.figures.palette import INK, PAPER, ROLES
from unet_edu.figures.segmentation import KINDS, agreement
from unet_edu.metrics import confusion_matrix, iou

__all__ = [
    "KNOTS",
    "LABELS",
    "LONGEST",
    "SIDE",
    "NetView",
    "State",
    "edited",
    "elastic",
    "given_labels",
    "overlay",
    "picture",
    "score",
]

SIDE = 128  # pixels of the picture
LONGEST = 32  # pixels that a knot can be moved along each side; as much of the mirror image is shown
MOST_SIGMA, LAST_SEED = 10, 50
MESHES = 8  # of the net along each side: two knots are four meshes apart
POINTS = 4  # straight pieces of a line between two crossings
KNOTS = tuple(
    f"{row} {column}".replace("middle middle", "middle")
    for row in ("top", "middle", "bottom")
    for column in ("left", "middle", "right")
)
LABELS = {
    "bent like the image, nearest pixel": "nearest",
    "left as they were: a bug": "unbent",
    "bent, averaged between pixels: a bug": "averaged",
}
PICTURE_SEED = 67

Vectors = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class State:
    """What is shown. A new seed or σ draws all nine arrows anew; `down` and `right` are those of the chosen knot."""

    look: str
    labels: str
    sigma: float
    seed: int
    knot: int = 4
    down: float = 0.0
    right: float = 0.0
    vectors: Vectors = ()
    drawn: tuple[float, int, int] | None = None  # sigma, seed and knot for which the three before were right

    def __post_init__(self) -> None:
        vectors, now = self.vectors, (self.sigma, self.seed, self.knot)
        if self.drawn is None or self.drawn[:2] != now[:2]:
            drawn = np.random.default_rng(self.seed).normal(0, self.sigma, (2, 9))
            vectors = tuple((_tenths(down), _tenths(right)) for down, right in drawn.T.tolist())
        elif self.drawn == now:  # the chosen knot may have been moved
            moved = (_tenths(self.down), _tenths(self.right))
            vectors = (*vectors[: self.knot], moved, *vectors[self.knot + 1 :])
        for name, value in zip(("vectors", "drawn", "down", "right"), (vectors, now, *vectors[self.knot]), strict=True):
            object.__setattr__(self, name, value)

    @property
    def grid(self) -> NDArray[np.float64]:
        """The nine arrows as `displacement_from` takes them, (2, 3, 3)."""
        return np.array(self.vectors).T.reshape(2, 3, 3)

    @cached_property
    def field(self) -> NDArray[np.float64]:
        return displacement_from(self.grid, (SIDE, SIDE))

    @cached_property
    def bent(self) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        """The image and the instances, both bent by the one field."""
        image, instances = _cells(self.look)
        return warp(image, self.field, order=3), warp(instances, self.field, order=0)

    @cached_property
    def folds(self) -> bool:
        """Whether the net lies over itself somewhere: one pixel further in the output is then a step back in the picture."""
        (y_down, y_right), (x_down, x_right) = (np.gradient(plane) for plane in self.field)
        return bool(((1 + y_down) * (1 + x_right) <= y_right * x_down).any())


def elastic(sigma: float = 6.0, seed: int = 4, *, labels: str = "nearest", look: str = "phase") -> Explorer:
    """Explore elastic deformation.

    On the left lies a net over a picture of cells, on the right the picture that comes of it: the net pulled straight. Drag a knot, or
    choose it and move it with the sliders; with the focus on a knot, the arrow keys move it by one pixel. A new draw throws all
    nine at random, σ says how far. Then leave the labels as they were, and see how well they still fit.

    Parameters
    ----------
    sigma : float
        Standard deviation of the nine arrows along each side in pixels, from 0 to 10. Here an arrow is cut at 32 pixels down or across.
    seed : int
        Which draw, from 0 to 50.
    labels : "nearest", "unbent" or "averaged"
        What happens to the labels. Only the first is right.
    look : "phase" or "fluorescence"
        As for `unet_edu.data.cells.synthetic_cells`.

    Returns
    -------
    Explorer
        The last value of a notebook cell shows itself.

    Raises
    ------
    ValueError
        When an argument is none of these.
    """
    for name, value, choices in (("labels", labels, tuple(LABELS.values())), ("look", look, LOOKS)):
        if value not in choices:
            raise ValueError(f"{name}: expected one of {', '.join(map(repr, choices))}, got {value!r}")
    for name, number, most in (("sigma", sigma, MOST_SIGMA), ("seed", seed, LAST_SEED)):
        if not 0 <= number <= most:
            raise ValueError(f"{name}: expected a number from 0 to {most}, got {number}")
    net = NetView(layout={"flex": "1 1 44%", "min_width": "19em", "max_width": "34em", "margin": "0 1em 0 0"})
    bent = ipywidgets.HTML(layout={"flex": "1 1 40%", "min_width": "19em", "max_width": "34em"})
    words = ipywidgets.HTML(layout={"flex": "1 1 100%"})
    views = [View(net, "scene", _net_scene), View(bent, "value", _bent_figure), View(words, "value", _words)]
    explorer = Explorer(State(look, labels, sigma, seed), _controls(), views, picture)
    net.observe(lambda change: explorer.update(**edited(explorer.state, **change["new"])), names="edit")
    return explorer


def _controls() -> dict[str, ipywidgets.DOMWidget]:
    far: dict[str, Any] = {"min": -LONGEST, "max": LONGEST, "step": 0.1, "readout_format": ".1f"}
    return {
        "labels": ipywidgets.Dropdown(options=list(LABELS.items()), description="Labels"),
        "sigma": ipywidgets.FloatSlider(
            min=0, max=MOST_SIGMA, step=0.5, readout_format=".1f", description="σ in pixels"
        ),
        "seed": ipywidgets.IntSlider(min=0, max=LAST_SEED, description="Draw"),
        "knot": ipywidgets.Dropdown(options=[(name, n) for n, name in enumerate(KNOTS)], description="Knot"),
        "down": ipywidgets.FloatSlider(description="Move down", **far),
        "right": ipywidgets.FloatSlider(description="Move right", **far),
        "look": ipywidgets.Dropdown(options=[(look, look) for look in LOOKS], description="Picture"),
    }


class NetView(SceneView):
    """A picture under nine knots that can be dragged. `edit` says where the reader put one: {"knot", "down", "right"}."""

    painter = ""
    _esm = Path(__file__).parent / "elastic.js"
    _css = Path(__file__).parent / "elastic.css"


def edited(state: State, knot: int, down: float, right: float, **_: object) -> dict[str, Any]:
    """What a knot that the reader put elsewhere changes in the state."""
    down, right = _tenths(down), _tenths(right)
    vectors = (*state.vectors[:knot], (down, right), *state.vectors[knot + 1 :])
    return {"knot": knot, "down": down, "right": right, "vectors": vectors}


def given_labels(state: State) -> NDArray[np.int32]:
    """The instances that a network would be given with the bent image."""
    _, instances = _cells(state.look)
    if state.labels == "nearest":
        return state.bent[1]
    return instances if state.labels == "unbent" else warp(instances, state.field, order=1)


def score(state: State) -> tuple[float, int, int, int]:
    """How well the given labels fit the bent image: IoU of the mask, cell pixels that are called background, background pixels that are
    called cell, and cell pixels that have the number of another cell."""
    given, true = given_labels(state), state.bent[1]
    table = confusion_matrix(given > 0, true > 0, 2)
    other = int(np.count_nonzero((given > 0) & (true > 0) & (given != true)))
    return float(iou(table)[1]), int(table[1, 0]), int(table[0, 1]), other


def overlay(state: State) -> NDArray[np.float32]:
    """The bent image, with stripes where a pixel is wrongly called cell or has the number of another cell, and dots where a cell is missed.

    Returns
    -------
    (SIDE, SIDE, 3) array of float32
    """
    (image, true), given = state.bent, given_labels(state)
    is_right = given == true
    image = np.clip(image, 0, 1)
    colours = agreement(image, given > 0, (true > 0) & (is_right | (given == 0)))
    return np.where(is_right[..., None], image[..., None], colours)


def picture(state: State) -> Picture:
    """The net over the picture, and what comes of it, for where nothing runs."""
    figure = Figure(figsize=(10, 5.2), dpi=100, facecolor=PAPER, layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=((SIDE + 2 * LONGEST) / SIDE, 1.28))
    _, instances = _cells(state.look)
    far, edge = LONGEST + 0.5, SIDE - 0.5
    left.imshow(
        _with_mirrors(state.look), cmap="gray", vmin=0, vmax=1, extent=(-far, SIDE - 1 + far, SIDE - 1 + far, -far)
    )
    left.plot([-0.5, edge, edge, -0.5, -0.5], [-0.5, -0.5, edge, edge, -0.5], color=PAPER, linewidth=1)
    for line in _net(state):
        left.plot(line[1], line[0], color=PAPER, linewidth=0.9)
    for (row, column), (down, across) in zip(_homes(), state.vectors, strict=True):
        left.plot([column, column + across], [row, row + down], color=ROLES["kernel"].line, linewidth=2)
        left.plot(
            column + across,
            row + down,
            "o",
            color=ROLES["kernel"].fill,
            markeredgecolor=ROLES["kernel"].line,
            markersize=8,
        )
    left.set(xlim=(-far, SIDE - 1 + far), ylim=(SIDE - 1 + far, -far))
    right.imshow(overlay(state))
    for n in np.linspace(0, SIDE - 1, MESHES + 1):
        right.plot([0, SIDE - 1], [n, n], color=PAPER, linewidth=0.5, alpha=0.6)
        right.plot([n, n], [0, SIDE - 1], color=PAPER, linewidth=0.5, alpha=0.6)
    _outline(left, instances, "nearest")
    _outline(right, given_labels(state), state.labels)
    for axes, title in ((left, "the picture, and the net"), (right, "the net pulled straight")):
        axes.set_axis_off()
        axes.set_title(title, fontsize=10, color=INK)
    bent, given = state.bent[0], given_labels(state)
    J, missed, wrong, other = score(state)
    numbers = f"IoU {J:.3f}, missed {missed}, wrongly marked {wrong}, number of another cell {other}"
    return Picture(
        figure,
        f"{_net_alt(state)} {_bent_alt(state)}",
        f"{numbers}; bent image: {digest(bent)}; labels: {digest(given)}",
    )


def _outline(axes: Axes, labels: NDArray[Any], kind: str) -> None:
    role, dashes = _line(kind)
    x, y = _edges(labels).T
    for colour, width, style in ((PAPER, 2.4, "-"), (ROLES[role].line, 1.4, (0, (2, 1)) if dashes else "-")):
        axes.plot(x - 0.5, y - 0.5, color=colour, linewidth=width, linestyle=style)


def _line(kind: str) -> tuple[str, str]:
    """Role and dashes of the labels' outline."""
    return ("output", "") if kind == "nearest" else ("error", "2.2 1.1")


def _way(down: float, right: float) -> str:
    """A displacement in words."""
    return f"{abs(down):.1f} pixels {'up' if down < 0 else 'down'} and {abs(right):.1f} to the {'left' if right < 0 else 'right'}"


def _tenths(value: float) -> float:
    """What a slider can show: a tenth of a pixel, not farther than it reaches."""
    return round(min(max(value, -LONGEST), LONGEST), 1) + 0.0


def _homes() -> list[tuple[float, float]]:
    """Row and column of the nine knots where the net is straight."""
    places = np.linspace(0, SIDE - 1, 3).tolist()
    return [(row, column) for row in places for column in places]


def _net(state: State) -> list[NDArray[np.float64]]:
    """The lines of the net where they lie on the picture, (2, points) each: rows and columns."""
    count = MESHES * POINTS + 1
    places = np.linspace(0, SIDE - 1, count)
    # with its outer arrows on the outermost points, a smaller field is the same field, seen at these places
    points = np.stack(np.meshgrid(places, places, indexing="ij")) + displacement_from(state.grid, (count, count))
    return [points[:, n] for n in range(0, count, POINTS)] + [points[:, :, n] for n in range(0, count, POINTS)]


@lru_cache(maxsize=len(LOOKS))
def _cells(look: str) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    image, instances = synthetic_cells(PICTURE_SEED, (SIDE, SIDE), look=look)
    image.setflags(write=False)
    instances.setflags(write=False)
    return image, instances


@lru_cache(maxsize=len(LOOKS))
def _with_mirrors(look: str) -> NDArray[np.float32]:
    """The picture and, darker, the mirror images around it."""
    image, _ = _cells(look)
    shown = 0.55 * np.pad(image, LONGEST, mode="reflect")
    shown[LONGEST:-LONGEST, LONGEST:-LONGEST] = image
    return shown


@lru_cache(maxsize=len(LOOKS))
def _mirrors_png(look: str) -> bytes:
    return array_png(_with_mirrors(look))


def _edges(labels: NDArray[Any]) -> NDArray[np.float64]:
    """The sides that pixels of different labels share, as x and y of corners: (3·n, 2), a NaN after each pair of ends."""
    row, column = np.nonzero(labels[1:] != labels[:-1])
    flat = np.stack([column, row + 1, column + 1, row + 1], axis=-1)
    row, column = np.nonzero(labels[:, 1:] != labels[:, :-1])
    upright = np.stack([column + 1, row, column + 1, row + 1], axis=-1)
    ends = np.concatenate([flat, upright]).reshape(-1, 2, 2).astype(np.float64)
    return np.concatenate([ends, np.full((len(ends), 1, 2), np.nan)], axis=1).reshape(-1, 2)


def _edge_path(labels: NDArray[Any]) -> str:
    ends = _edges(labels).reshape(-1, 3, 2)[:, :2].astype(int).reshape(-1, 4).tolist()
    return "".join(f"M{a} {b}H{c}" if b == d else f"M{a} {b}V{d}" for a, b, c, d in ends)


def _edge_svg(labels: NDArray[Any], kind: str) -> str:
    role, dashes = _line(kind)
    path = _edge_path(labels)
    return (
        f'<path d="{path}" fill="none" stroke="{PAPER}" stroke-width="1.1"/>'
        f'<path d="{path}" fill="none" stroke="{ROLES[role].line}" stroke-width="0.6" stroke-dasharray="{dashes}"/>'
    )


def _net_scene(state: State) -> dict[str, Any]:
    image = image_tag(_mirrors_png(state.look), _net_alt(state), "width: 100%; display: block")
    lines = "".join(
        '<path d="M' + "L".join(f"{x + 0.5:.1f} {y + 0.5:.1f}" for y, x in line.T.tolist()) + '"/>'
        for line in _net(state)
    )
    arrows = knots = ""
    for n, ((row, column), (down, right)) in enumerate(zip(_homes(), state.vectors, strict=True)):
        x, y = column + 0.5, row + 0.5
        arrows += f'<path d="M{x} {y}L{x + right:.1f} {y + down:.1f}"/>'
        label = f"{KNOTS[n]} knot, {_way(down, right)}; the arrow keys move it"
        knots += (
            f'<circle data-knot="{n}" tabindex="0" role="button" aria-label="{label}" cx="{x + right:.1f}" cy="{y + down:.1f}" '
            f'r="{4.2 if n == state.knot else 3.2}" stroke-width="{1.6 if n == state.knot else 0.8}" style="cursor: grab; touch-action: none"/>'
        )
    kernel = ROLES["kernel"]
    drawing = (
        f'<rect width="{SIDE}" height="{SIDE}" fill="none" stroke="{PAPER}" stroke-width="0.8" stroke-dasharray="3 2"/>'
        f"{_edge_svg(_cells(state.look)[1], 'nearest')}"
        f'<g fill="none" stroke="{PAPER}" stroke-width="0.6">{lines}</g>'
        f'<g stroke="{PAPER}" stroke-width="2.2">{arrows}</g><g stroke="{kernel.line}" stroke-width="1.2">{arrows}</g>'
        f'<g fill="{kernel.fill}" stroke="{kernel.line}">{knots}</g>'
    )
    caption = "the picture, in its mirror images, and the net: drag a knot"
    html = _figure(image, drawing, -LONGEST, SIDE + 2 * LONGEST, caption)
    return {
        "html": html,
        "side": SIDE,
        "longest": LONGEST,
        "homes": _homes(),
        "vectors": [list(vector) for vector in state.vectors],
        "chosen": state.knot,
    }


def _bent_figure(state: State) -> str:
    image = image_tag(array_png(overlay(state)), _bent_alt(state), "width: 100%; display: block")
    places = [f"{place + 0.5:g}" for place in np.linspace(0, SIDE - 1, MESHES + 1)]
    lines = "".join(f"M0.5 {place}H{SIDE - 0.5}M{place} 0.5V{SIDE - 0.5}" for place in places)
    drawing = (
        f'<path d="{lines}" stroke="{PAPER}" stroke-width="0.4" stroke-opacity="0.6"/>'
        f"{_edge_svg(given_labels(state), state.labels)}"
    )
    return _figure(image, drawing, 0, SIDE, "the same net, pulled straight: what a network is trained on")


def _figure(image: str, drawing: str, corner: int, side: int, caption: str) -> str:
    return (
        f'<figure style="margin: 0"><div style="position: relative; line-height: 0">{image}'
        f'<svg viewBox="{corner} {corner} {side} {side}" style="position: absolute; inset: 0; width: 100%; height: 100%">{drawing}</svg></div>'
        f'<figcaption style="line-height: 1.5">{caption}</figcaption></figure>'
    )


def _words(state: State) -> str:
    """What the labels are worth, and whether the net is still a net."""
    role, _ = _line(state.labels)
    J, missed, wrong, other = score(state)
    how = next(name for name, kind in LABELS.items() if kind == state.labels)
    line = f"border-bottom: 3px {'solid' if state.labels == 'nearest' else 'dashed'} {ROLES[role].line}"
    counts = f"Cell pixels called background: {missed:,}; background called cell: {wrong:,}; the number of another cell: {other:,}."
    folds = (
        "The net lies over itself: what is there is seen more than once, some of it mirrored. No cell grows like that; take a smaller σ."
        if state.folds
        else "The net does not fold: each piece of the picture is seen once."
    )
    row, column = _homes()[state.knot]
    knot = (
        f"<b>{KNOTS[state.knot]} knot</b>: what stands on the right at row {row:g}, column {column:g} comes from row {row + state.down:.1f}, "
        f"column {column + state.right:.1f} on the left: {_way(state.down, state.right)}."
    )
    lines = (
        knot,
        f'<span style="{line}">Labels {how}.</span> IoU of their mask with the truth: <b>{J:.3f}</b>. {counts} {_chips()}',
        folds,
    )
    return "".join(f'<p style="margin: 0.3em 0; line-height: 1.6">{line}</p>' for line in lines)


def _chips() -> str:
    """What stripes and dots mean."""
    patterns = {
        "wrong": (KINDS[2].colour, f"repeating-linear-gradient(135deg, {PAPER} 0 2px, {KINDS[2].colour} 2px 6px)"),
        "missed": (KINDS[3].colour, f"radial-gradient(circle, {PAPER} 1.5px, {KINDS[3].colour} 2px) 0 0 / 6px 6px"),
    }
    square = "display: inline-block; width: 1.4em; height: 0.8em; border: 1px solid currentColor; background:"
    return " ".join(
        f'<span style="white-space: nowrap"><span aria-hidden="true" style="{square} {pattern}"></span> {name}</span>'
        for name, (_, pattern) in patterns.items()
    )


def _net_alt(state: State) -> str:
    farthest = max(range(9), key=lambda n: float(np.hypot(*state.vectors[n])))
    down, right = state.vectors[farthest]
    cells = int(_cells(state.look)[1].max())
    moved = f"The {KNOTS[farthest]} knot is moved most: {_way(down, right)}." if down or right else "It is straight."
    return f"A drawn picture of {cells} cells with their outlines, and a net of nine knots over it. {moved}"


def _bent_alt(state: State) -> str:
    J, *_ = score(state)
    fit = {
        "nearest": "bent with it and fit",
        "unbent": "not bent and do not fit" if J < 1 else "not bent, as the image",
    }.get(state.labels, "bent, but averaged between pixels")
    return f"The picture that comes of it, with its labels, which are {fit}: IoU {J:.3f}."
