"""The convolution explorer: a kernel on a grid of numbers or, with its grid on a photograph, on the whole photograph.
Lesson 02."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

from unet_edu.convolution import conv2d
from unet_edu.data import PHOTOS, photo
from unet_edu.explore import cells
from unet_edu.explore.cells import Matrix, Place, alone, bounded, name
from unet_edu.explore.fields import checked, described, menu, switch
from unet_edu.explore.page import STYLES, Page
from unet_edu.explore.picture import Picture, digest
from unet_edu.figures.palette import ROLES
from unet_edu.figures.panels import SIGNED
from unet_edu.figures.scene import Link, Scene, colours, draw_scene, inches, line_up, number

__all__ = ["BOUNDS", "PRESETS", "State", "box", "convolution", "filtered", "picture", "pixels", "scene"]

IMAGE: Matrix = ((4, 5, 8, 7), (1, 8, 8, 8), (3, 6, 6, 4), (6, 5, 7, 8))
FROM_PHOTO: Matrix = ()  # in place of an input: the photograph's own pixels
SIDE = 8  # rows and columns of them that are shown
# The sliders' ends: the largest photograph, in which `State` keeps within the one that is shown; and what still reads
# well.
MOST_ROWS, MOST_COLUMNS = 660 - SIDE, 550 - SIDE
BOUNDS = {
    "row": (0, MOST_ROWS),
    "column": (0, MOST_COLUMNS),
    "stride": (1, 3),
    "padding": (0, 2),
    "dilation": (1, 3),
}
DUST = 1e-12  # beside the products that cancel
GREYS = tuple(to_hex((grey / 255,) * 3) for grey in range(256))
SIGNS = tuple(to_hex(colour) for colour in SIGNED(np.arange(SIGNED.N)))

PRESETS: dict[str, Matrix] = {
    "worked example": ((1, 4, 1), (1, 4, 3), (3, 3, 1)),
    "identity": ((0, 0, 0), (0, 1, 0), (0, 0, 0)),
    "shift": ((0, 0, 0), (1, 0, 0), (0, 0, 0)),
    "box blur": ((1 / 9,) * 3,) * 3,
    "Gaussian blur": ((1 / 16, 2 / 16, 1 / 16), (2 / 16, 4 / 16, 2 / 16), (1 / 16, 2 / 16, 1 / 16)),
    "sharpen": ((0, -1, 0), (-1, 5, -1), (0, -1, 0)),
    "Sobel x, left to right": ((-1, 0, 1), (-2, 0, 2), (-1, 0, 1)),
    "Sobel y, top to bottom": ((-1, -2, -1), (0, 0, 0), (1, 2, 1)),
    "Laplacian": ((0, 1, 0), (1, -4, 1), (0, 1, 0)),
}


@dataclass(frozen=True)
class State:
    x: Matrix = menu({"the worked example": IMAGE, "a photograph's pixels": FROM_PHOTO}, "input x", own=True)  # noqa: RUF009, it makes a field
    kernel: Matrix = menu(PRESETS, "kernel w", own=True)  # noqa: RUF009
    flip: bool = switch("turn the kernel by 180° (mathematics' convolution)")
    photo: str = menu(PHOTOS.keys(), "photograph")
    row: int = bounded(BOUNDS, "row", "window row", default=0)  # where the photograph's pixels are taken from
    column: int = bounded(BOUNDS, "column", "window column", default=0)
    stride: int = bounded(BOUNDS, "stride", default=1)
    padding: int = bounded(BOUNDS, "padding", default=0)
    dilation: int = bounded(BOUNDS, "dilation", default=1)

    def __post_init__(self) -> None:
        for side, size in zip(("row", "column"), photo(self.photo).shape, strict=True):
            object.__setattr__(self, side, max(0, min(getattr(self, side), size - SIDE)))

    @property
    def image(self) -> NDArray[np.float64]:
        """The numbers under the kernel; pixels as whole numbers from 0 to 255."""
        if self.x != FROM_PHOTO:
            return np.array(self.x, dtype=np.float64)
        return pixels(self.photo)[self.row : self.row + SIDE, self.column : self.column + SIDE]

    @property
    def weights(self) -> NDArray[np.float64]:
        """The kernel as it is laid on the image: turned by 180° in mathematics' convolution."""
        kernel = np.array(self.kernel, dtype=np.float64)
        return kernel[::-1, ::-1] if self.flip else kernel

    @property
    def geometry(self) -> dict[str, int]:
        return {"stride": self.stride, "padding": self.padding, "dilation": self.dilation}


@lru_cache(maxsize=len(PHOTOS))
def pixels(name: str) -> NDArray[np.float64]:
    """A photograph as whole numbers from 0 to 255."""
    return np.round(255 * photo(name))


def convolution(
    x: ArrayLike | Literal["photo"] = IMAGE,
    kernel: ArrayLike = PRESETS["worked example"],
    *,
    flip: bool = False,
    photo: str = "camera",
    row: int = 140,
    column: int = 228,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
) -> Page:
    """Explore how a kernel turns one grid of numbers into another.

    Point at an output to see the patch and the sum behind it; at a weight to see every product it takes part in; at an
    input to see every output it feeds. Step, play, or move the sliders. Type a number into the input or the kernel.
    Choose to predict, and say each result before you see it. With "photo" the input is a part of a photograph: point at
    the photograph, or drag, to take the grid there, and see beside it the whole photograph under the kernel.

    Parameters
    ----------
    x : (H, W) array, or "photo"
        The image; up to 8×8 reads well. "photo" takes the photograph's pixels.
    kernel : (kH, kW) array
    flip : bool
        Whether the kernel is turned by 180° first: correlation (False) or mathematics' convolution (True).
    photo : str
        One of `unet_edu.data.PHOTOS`.
    row, column : int
        Where in the photograph the grid lies.
    stride, padding, dilation : int
        As of `unet_edu.convolution.conv2d`, within `BOUNDS`.

    Returns
    -------
    Page
        The last value of a notebook cell shows itself.
    """
    image = FROM_PHOTO if isinstance(x, str) and x == "photo" else cells.matrix("x", x)
    place = {"row": max(0, min(row, MOST_ROWS)), "column": max(0, min(column, MOST_COLUMNS))}
    geometry = {"stride": stride, "padding": padding, "dilation": dilation}
    state = checked(
        State, x=image, kernel=cells.matrix("kernel", kernel), flip=bool(flip), photo=photo, **place, **geometry
    )
    conv2d(state.image, state.weights, **state.geometry)  # raises when the kernel does not fit
    fields, photographs = described(state), {}
    if image == FROM_PHOTO:
        photographs = {name: _packed(name) for name in PHOTOS}  # half a megabyte, so only where they are looked at
    else:
        fields = [field for field in fields if field["name"] not in ("x", "photo", "row", "column")]
    more = {"fields": fields, "photos": photographs, "signs": SIGNS, "colours": colours()}
    return Page(state, picture, "convolution.js", f"{STYLES} convolution.css", **more)


def _packed(name: str) -> dict[str, Any]:
    """A photograph for the page, where no canvas is read back: some browsers add noise there. Each row as the
    difference to the one above it, deflated."""
    grey = pixels(name).astype(np.uint8)
    differences = np.diff(grey, axis=0, prepend=np.zeros_like(grey[:1]))
    packed = base64.b64encode(zlib.compress(differences.tobytes(), 9)).decode()
    return {"rows": grey.shape[0], "columns": grey.shape[1], "about": PHOTOS[name], "bytes": packed}


def scene(state: State) -> Scene:
    """The three grids, with one link for each product of the convolution."""
    x, kernel, p = state.image, np.array(state.kernel, dtype=np.float64), state.padding
    y = conv2d(x, state.weights, **state.geometry)
    # what is left of a sum that cancels is no number to show
    y[np.abs(y) <= DUST * conv2d(np.abs(x), np.abs(state.weights), **state.geometry)] = 0
    padded = np.pad(x, p)
    inside = np.pad(np.ones(x.shape, bool), p)
    products = list(_products(y.shape, kernel.shape, state))

    sums: dict[Place, list[tuple[float, float]]] = {place: [] for place in np.ndindex(y.shape)}
    feeds: dict[Place, list[str]] = {place: [] for place in np.ndindex(padded.shape)}
    meets: dict[Place, list[str]] = {place: [] for place in np.ndindex(kernel.shape)}
    for out, place, weight in products:
        sums[out].append((kernel[weight], padded[place]))
        feeds[place].append(f"{name('y', out)} times {number(kernel[weight])}")
        meets[weight].append(number(padded[place]))
    notes_x = []
    for place, outputs in feeds.items():
        if inside[place]:
            what = f"{name('x', [side - p for side in place])} = {number(padded[place])}"
        else:
            what = "this zero of the padding"
        notes_x.append(f"{what} goes into {', '.join(outputs)}" if outputs else f"no window reads {what}")
    notes_w = [
        f"{name('w', place)} = {number(kernel[place])} multiplies {', '.join(meets[place])}: one for each output"
        for place in meets
    ]
    notes_y = [f"{name('y', place)} = {cells.total(sums[place])}" for place in sums]
    marks = ["unused" if not feeds[place] else "" if inside[place] else "padding" for place in feeds]

    size_x, size_w, size_y = (cells.size(array.shape) for array in (x, kernel, y))
    around = f", padding {p}" if p else ""
    grounds = (_shades(padded, 0.0, 255.0), _shades(y, *filtered(state)[1:])) if state.x == FROM_PHOTO else ((), ())
    grids, signs = line_up(
        replace(
            cells.grid("input", f"input x, {size_x}{around}", "input", padded, notes_x, marks, editable=True),
            fill=grounds[0],
            ring=p,
        ),
        "∗",
        cells.grid("kernel", f"kernel w, {size_w}", "kernel", kernel, notes_w, editable=True),
        "=",
        replace(cells.grid("output", f"output y, {size_y}", "output", y, notes_y), fill=grounds[1]),
    )
    first = cells.first_cells(grids)
    turned = "convolution, with the kernel turned by 180°" if state.flip else "correlation"
    return Scene(
        alt=(
            f"An input of {size_x}, a kernel of {size_w} and an output of {size_y}: their {turned}{_with(state)}. "
            f"The first output: {notes_y[0]} = {number(y[0, 0])}."
        ),
        grids=grids,
        signs=signs,
        links=tuple(
            Link(
                output=first["output"] + _flat(out, y),
                input=first["input"] + _flat(place, padded),
                weight=first["kernel"] + _flat(weight, kernel),
            )
            for out, place, weight in products
        ),
        walk="output",
        caption=_caption(state),
        can_predict=True,
    )


def filtered(state: State) -> tuple[NDArray[np.float64], float, float]:
    """The photograph under the kernel, and the values that are drawn in the first and in the last colour.

    A kernel whose weights add up to more than zero keeps a flat surface flat: black is 0 and white 255 times that sum,
    as in the photograph. Any other kernel answers to change, in both directions: orange is below zero, purple above.
    """
    y, total = _filtered(state.photo, state.kernel, state.flip, state.stride, state.padding, state.dilation)
    if total > 1e-9:
        return y, 0.0, 255 * total
    high = float(np.abs(y).max()) or 1.0
    return y, -high, high


@lru_cache(maxsize=4)
def _filtered(name: str, kernel: Matrix, flip: bool, *geometry: int) -> tuple[NDArray[np.float64], float]:
    weights = np.array(kernel)[::-1, ::-1] if flip else np.array(kernel)
    stride, padding, dilation = geometry
    y = conv2d(pixels(name), weights, stride=stride, padding=padding, dilation=dilation)
    return y, float(np.cumsum(kernel)[-1])  # one after the other, as the page adds


def _shades(values: NDArray[np.float64], low: float, high: float) -> tuple[str, ...]:
    """The colour of each number: a grey or, where there are two signs, orange or purple."""
    table = SIGNS if low < 0 else GREYS
    steps = np.floor(np.clip((values - low) / (high - low), 0, 1) * len(table)).astype(int)
    return tuple(table[min(step, len(table) - 1)] for step in steps.flat)


def box(state: State) -> tuple[int, int, int, int]:
    """Which part of the filtered photograph comes of the pixels in the grid alone: row, column, rows, columns."""
    starts, counts = [], []
    for place, length in zip((state.row, state.column), np.shape(state.kernel), strict=True):
        start = place + state.padding
        starts.append(-(-start // state.stride))
        last = (start + SIDE - state.dilation * (length - 1) - 1) // state.stride
        counts.append(max(1, last - starts[-1] + 1))
    return starts[0], starts[1], counts[0], counts[1]


def picture(state: State) -> Picture:
    """The scene, and under a part of a photograph the photograph too, for where nothing runs."""
    grids = scene(state)
    numbers = f"output: {digest(conv2d(state.image, state.weights, **state.geometry))}"
    if state.x != FROM_PHOTO:
        return alone(grids, numbers)
    y, low, high = filtered(state)
    width, height = inches(grids)
    figure = Figure(figsize=(width, height + 4), dpi=100, layout="constrained")
    rows = figure.add_gridspec(2, 2, height_ratios=(height, 4))
    draw_scene(figure.add_subplot(rows[0, :]), grids)
    for axes, values, title, tones, place in (
        (
            figure.add_subplot(rows[1, 0]),
            pixels(state.photo),
            "the photograph",
            ("gray", 0, 255),
            (state.row, state.column, SIDE, SIDE),
        ),
        (figure.add_subplot(rows[1, 1]), y, "under the kernel", (SIGNED if low < 0 else "gray", low, high), box(state)),
    ):
        axes.imshow(values, cmap=tones[0], vmin=tones[1], vmax=tones[2])
        axes.set_title(title, fontsize=10)
        axes.set_axis_off()
        axes.add_patch(
            Rectangle(
                (place[1] - 0.5, place[0] - 0.5), place[3], place[2], fill=False, edgecolor=ROLES["error"].line, lw=2
            )
        )
    alt = f"{grids.alt} Below, a photograph ({PHOTOS[state.photo]}) before and after the same kernel."
    return Picture(figure, alt, f"{numbers}; photograph: {digest(y)}")


def _with(state: State) -> str:
    """The settings that are not as usual, in words."""
    usual = {"stride": 1, "padding": 0, "dilation": 1}
    other = [f"{name} {value}" for name, value in state.geometry.items() if value != usual[name]]
    return f", with {', '.join(other)}" if other else ""


def _caption(state: State) -> str:
    parts = []
    if state.x == FROM_PHOTO:
        parts.append(
            f"The input: {SIDE}×{SIDE} pixels of the photograph from row {state.row}, column {state.column}, from 0 to "
            "255."
        )
        if state.padding:
            parts.append("They are padded as an image of their own.")
    if state.flip:
        parts.append("The kernel is turned by 180° before it is laid on the input.")
    return " ".join(parts)


def _products(outputs: Place, kernel_size: Place, state: State) -> Iterator[tuple[Place, Place, Place]]:
    """Where the output, the input and the weight of each product stand; the input in the padded image, the weight in
    the kernel as the reader typed it."""
    kH, kW = kernel_size
    s, d = state.stride, state.dilation
    for i, j in np.ndindex(outputs):
        for u, v in np.ndindex(kernel_size):
            yield (i, j), (i * s + u * d, j * s + v * d), (kH - 1 - u, kW - 1 - v) if state.flip else (u, v)


def _flat(place: Place, array: NDArray[np.float64]) -> int:
    """The number of a cell, counted row by row."""
    return place[0] * array.shape[1] + place[1]
