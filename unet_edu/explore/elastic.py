"""The elastic explorer: a net of nine knots bends a picture, and its labels must come along. Lesson 07."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unet_edu.data.cells import LOOKS, synthetic_cells
from unet_edu.data.elastic import displacement_from, warp
from unet_edu.explore.board import KIND_KEYS, Dot, Image, Key, Line, Rows, Text, still, views
from unet_edu.explore.explorer import Explorer, Picture, SceneView, View
from unet_edu.explore.fields import checked, controls, menu, slider
from unet_edu.explore.picture import digest
from unet_edu.figures.palette import PAPER, ROLES
from unet_edu.figures.segmentation import coloured, finer, kinds
from unet_edu.metrics import confusion_matrix, iou

__all__ = [
    "KNOTS",
    "LABELS",
    "LONGEST",
    "SIDE",
    "NetView",
    "State",
    "board",
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
KEYS = tuple(Key(words, *key[1:]) for words, key in zip(("wrong", "missed"), KIND_KEYS[1:3], strict=True))

Vectors = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class State:
    """What is shown. A new seed or σ draws all nine arrows anew; `down` and `right` are those of the chosen knot."""

    labels: str = menu(LABELS, "Labels", layout={"width": "26em"})
    sigma: float = slider(0, MOST_SIGMA, "σ in pixels", step=0.5, readout_format=".1f")
    seed: int = slider(0, LAST_SEED, "Random net")
    knot: int = menu({name: n for n, name in enumerate(KNOTS)}, "Knot")
    down: float = slider(-LONGEST, LONGEST, "Move down", step=0.1, readout_format=".1f")
    right: float = slider(-LONGEST, LONGEST, "Move right", step=0.1, readout_format=".1f")
    look: str = menu(LOOKS, "Picture")
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
        """Whether the net lies over itself somewhere: one pixel further in the output is then a step back in the
        picture."""
        (y_down, y_right), (x_down, x_right) = (np.gradient(plane) for plane in self.field)
        return bool(((1 + y_down) * (1 + x_right) <= y_right * x_down).any())


def elastic(sigma: float = 6.0, seed: int = 4, *, labels: str = "nearest", look: str = "phase") -> Explorer:
    """Explore elastic deformation.

    On the left lies a net over a picture of cells, on the right the picture that comes of it: the net pulled straight.
    Drag a knot, or choose it and move it with the sliders; with the focus on a knot, the arrow keys move it by one
    pixel. A new draw throws all nine at random, σ says how far. Then leave the labels as they were, and see how well
    they still fit.

    Parameters
    ----------
    sigma : float
        Standard deviation of the nine arrows along each side in pixels, from 0 to 10. Here an arrow is cut at 32 pixels
        down or across.
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
    middle = {"knot": 4, "down": 0.0, "right": 0.0}
    state = checked(State, labels=labels, look=look, sigma=sigma, seed=seed, **middle)
    first, *others = views(board, state)
    net = NetView(layout=first.widget.layout)
    shown = [View(net, "scene", lambda state: _net_scene(state, first.paint(state))), *others]
    return Explorer(state, controls(state), shown, picture, edited)


class NetView(SceneView):
    """A picture under nine knots that can be dragged. `edit` says where the reader put one: {"knot", "down",
    "right"}."""

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
    """How well the given labels fit the bent image: IoU of the mask, cell pixels that are called background, background
    pixels that are called cell, and cell pixels that have the number of another cell."""
    given, true = given_labels(state), state.bent[1]
    table = confusion_matrix(given > 0, true > 0, 2)
    other = int(np.count_nonzero((given > 0) & (true > 0) & (given != true)))
    return float(iou(table)[1]), int(table[1, 0]), int(table[0, 1]), other


def overlay(state: State) -> NDArray[np.float32]:
    """The bent image, with stripes where a pixel is wrongly called cell or has the number of another cell, and dots
    where a cell is missed.

    Returns
    -------
    (3 · SIDE, 3 · SIDE, 3) array of float32
    """
    (image, true), given = state.bent, given_labels(state)
    kind = kinds(given > 0, (true > 0) & (given == 0))
    kind[given == true] = 0  # what is right stays a picture
    return coloured(np.clip(image, 0, 1), kind)


def board(state: State) -> Rows:
    """The net over the picture, what comes of it, and what that is worth."""
    return (_net_image(state), _bent_image(state)), (Text(_words(state)),)


def picture(state: State) -> Picture:
    """Both images, for where nothing runs."""
    J, missed, wrong, other = score(state)
    numbers = f"IoU {J:.3f}, missed {missed}, wrongly marked {wrong}, number of another cell {other}"
    digests = f"bent image: {digest(state.bent[0])}; labels: {digest(given_labels(state))}"
    return still(board(state), f"{_net_alt(state)} {_bent_alt(state)}", f"{numbers}; {digests}")


def _outline(labels: NDArray[Any], kind: str) -> Line:
    role, dashes = _line(kind)
    return Line(_edges(labels), ROLES[role].line, 0.6, dashes, under=1.1)


@lru_cache(maxsize=len(LOOKS))
def _true_outline(look: str) -> Line:
    return _outline(_cells(look)[1], "nearest")


def _line(kind: str) -> tuple[str, str]:
    """Role and dashes of the labels' outline."""
    return ("output", "") if kind == "nearest" else ("error", "2.2 1.1")


def _way(down: float, right: float) -> str:
    """A displacement in words."""
    vertical, across = "up" if down < 0 else "down", "left" if right < 0 else "right"
    return f"{abs(down):.1f} pixels {vertical} and {abs(right):.1f} to the {across}"


def _tenths(value: float) -> float:
    """What a slider can show: a tenth of a pixel, not farther than it reaches."""
    return round(min(max(value, -LONGEST), LONGEST), 1) + 0.0


def _homes() -> list[tuple[float, float]]:
    """Row and column of the nine knots where the net is straight."""
    places = np.linspace(0, SIDE - 1, 3).tolist()
    return [(row, column) for row in places for column in places]


def _net(state: State) -> NDArray[np.float64]:
    """The lines of the net where they lie on the picture, as x and y, a NaN after each."""
    count = MESHES * POINTS + 1
    places = np.linspace(0, SIDE - 1, count)
    # with its outer arrows on the outermost points, a smaller field is the same field, seen at these places
    points = np.stack(np.meshgrid(places, places, indexing="ij")) + displacement_from(state.grid, (count, count))
    lines = [*points[:, ::POINTS].transpose(1, 2, 0), *points[:, :, ::POINTS].transpose(2, 1, 0)]
    return np.concatenate([np.pad(line[:, ::-1], ((0, 1), (0, 0)), constant_values=np.nan) for line in lines])


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


def _edges(labels: NDArray[Any]) -> NDArray[np.float64]:
    """The sides that pixels of different labels share, as x and y of corners: (3·n, 2), a NaN after each pair of
    ends."""
    row, column = np.nonzero(labels[1:] != labels[:-1])
    flat = np.stack([column, row + 1, column + 1, row + 1], axis=-1)
    row, column = np.nonzero(labels[:, 1:] != labels[:, :-1])
    upright = np.stack([column + 1, row, column + 1, row + 1], axis=-1)
    ends = np.concatenate([flat, upright]).reshape(-1, 2, 2) - 0.5
    return np.concatenate([ends, np.full((len(ends), 1, 2), np.nan)], axis=1).reshape(-1, 2)


def _net_image(state: State) -> Image:
    kernel, edge = ROLES["kernel"], SIDE - 0.5
    frame = [(-0.5, -0.5), (edge, -0.5), (edge, edge), (-0.5, edge), (-0.5, -0.5)]
    arrows: list[tuple[float, float]] = []
    knots = []
    for n, ((row, column), (down, right)) in enumerate(zip(_homes(), state.vectors, strict=True)):
        arrows += [(column, row), (column + right, row + down), (np.nan, np.nan)]
        radius, width = (4.2, 1.6) if n == state.knot else (3.2, 0.8)
        knots.append(Dot(column + right, row + down, radius, kernel.fill, kernel.line, width, _handle(n, down, right)))
    return Image(
        _with_mirrors(state.look),
        _net_alt(state),
        "the picture, in its mirror images, and the net: drag a knot",
        title="the picture, and the net",
        marks=[
            Line(frame, PAPER, 0.8, "3 2"),
            _true_outline(state.look),
            Line(_net(state), PAPER, 0.6),
            Line(arrows, kernel.line, 1.2, under=2.2),
            *knots,
        ],
        corner=-LONGEST,
        is_pixelated=False,
        share=1.1,
    )


def _handle(knot: int, down: float, right: float) -> str:
    """What makes a disc one that mouse and keys can move."""
    label = f"{KNOTS[knot]} knot, {_way(down, right)}; the arrow keys move it"
    style = "cursor: grab; touch-action: none; pointer-events: auto"
    return f'data-knot="{knot}" tabindex="0" role="button" aria-label="{label}" style="{style}"'


def _net_scene(state: State, html: str) -> dict[str, Any]:
    return {
        "html": html,
        "side": SIDE,
        "longest": LONGEST,
        "homes": _homes(),
        "vectors": [list(vector) for vector in state.vectors],
        "chosen": state.knot,
    }


def _bent_image(state: State) -> Image:
    ends = (0, SIDE - 1)
    lines = [
        line
        for n in np.linspace(*ends, MESHES + 1).tolist()
        for line in (((ends[0], n), (ends[1], n)), ((n, ends[0]), (n, ends[1])))
    ]
    net = np.pad(np.array(lines), ((0, 0), (0, 1), (0, 0)), constant_values=np.nan).reshape(-1, 2)
    return Image(
        overlay(state),
        _bent_alt(state),
        "the same net, pulled straight: what a network is trained on",
        KEYS,
        title="the net pulled straight",
        marks=[Line(net, PAPER, 0.4, opacity=0.6), _outline(given_labels(state), state.labels)],
        finer=finer((SIDE, SIDE)),
        is_pixelated=False,
    )


def _words(state: State) -> str:
    """What the labels are worth, and whether the net is still a net."""
    role, _ = _line(state.labels)
    J, missed, wrong, other = score(state)
    how = next(name for name, kind in LABELS.items() if kind == state.labels)
    line = f"border-bottom: 3px {'solid' if state.labels == 'nearest' else 'dashed'} {ROLES[role].line}"
    counts = (
        f"Cell pixels called background: {missed:,}; background called cell: {wrong:,}; "
        f"the number of another cell: {other:,}."
    )
    folds = (
        "The net lies over itself: what is there is seen more than once, some of it mirrored. No cell grows like "
        "that; take a smaller σ."
        if state.folds
        else "The net does not fold: each piece of the picture is seen once."
    )
    row, column = _homes()[state.knot]
    knot = (
        f"<b>{KNOTS[state.knot]} knot</b>: what stands on the right at row {row:g}, column {column:g} comes from "
        f"row {row + state.down:.1f}, "
        f"column {column + state.right:.1f} on the left: {_way(state.down, state.right)}."
    )
    lines = (
        knot,
        f'<span style="{line}">Labels {how}.</span> IoU of their mask with the truth: <b>{J:.3f}</b>. {counts}',
        folds,
    )
    return "".join(f'<p style="margin: 0.3em 0; line-height: 1.6">{line}</p>' for line in lines)


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
