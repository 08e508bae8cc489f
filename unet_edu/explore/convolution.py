"""The convolution explorer: a kernel on a grid of numbers and, beside it, the same kernel on a photograph. Lesson
02."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import ipywidgets
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

from unet_edu.convolution import conv2d
from unet_edu.data import PHOTOS, photo
from unet_edu.explore import cells
from unet_edu.explore.cells import Matrix, Place, name
from unet_edu.explore.explorer import Explorer, Picture, SceneView, View
from unet_edu.explore.picture import array_png, digest, image_tag
from unet_edu.figures.palette import ROLES
from unet_edu.figures.scene import Link, Scene, draw_scene, inches, line_up, number

__all__ = ["PRESETS", "State", "after", "before", "convolution", "edited", "filtered", "picture", "scene"]

IMAGE: Matrix = ((4, 5, 8, 7), (1, 8, 8, 8), (3, 6, 6, 4), (6, 5, 7, 8))
FROM_PHOTO: Matrix = ()  # in place of an input: the photograph's own pixels
SIDE = 8  # rows and columns of them that are shown
# The sliders' ends, in the largest photograph; `State` keeps within the one that is shown.
MOST_ROWS, MOST_COLUMNS = 660 - SIDE, 550 - SIDE

PRESETS: dict[str, Matrix] = {
    "worked example": ((1, 4, 1), (1, 4, 3), (3, 3, 1)),
    "identity": ((0, 0, 0), (0, 1, 0), (0, 0, 0)),
    "shift": ((0, 0, 0), (1, 0, 0), (0, 0, 0)),
    "box blur": ((1 / 9,) * 3,) * 3,
    "Gaussian blur": ((1 / 16, 2 / 16, 1 / 16), (2 / 16, 4 / 16, 2 / 16), (1 / 16, 2 / 16, 1 / 16)),
    "sharpen": ((0, -1, 0), (-1, 5, -1), (0, -1, 0)),
    "Sobel, left to right": ((-1, 0, 1), (-2, 0, 2), (-1, 0, 1)),
    "Sobel, top to bottom": ((-1, -2, -1), (0, 0, 0), (1, 2, 1)),
    "Laplacian": ((0, 1, 0), (1, -4, 1), (0, 1, 0)),
}


@dataclass(frozen=True)
class State:
    x: Matrix
    kernel: Matrix
    flip: bool
    photo: str
    row: int = 0  # where the photograph's pixels are taken from
    column: int = 0

    def __post_init__(self) -> None:
        for side, size in zip(("row", "column"), photo(self.photo).shape, strict=True):
            object.__setattr__(self, side, max(0, min(getattr(self, side), size - SIDE)))

    @property
    def image(self) -> NDArray[np.float64]:
        """The numbers under the kernel; pixels as whole numbers from 0 to 255."""
        if self.x != FROM_PHOTO:
            return np.array(self.x, dtype=np.float64)
        return np.round(255 * photo(self.photo)[self.row : self.row + SIDE, self.column : self.column + SIDE])

    @property
    def weights(self) -> NDArray[np.float64]:
        """The kernel as it is laid on the image: turned by 180° in mathematics' convolution."""
        kernel = np.array(self.kernel, dtype=np.float64)
        return kernel[::-1, ::-1] if self.flip else kernel


def convolution(
    x: ArrayLike | Literal["photo"] = IMAGE,
    kernel: ArrayLike = PRESETS["worked example"],
    *,
    flip: bool = False,
    photo: str = "camera",
    row: int = 140,
    column: int = 228,
) -> Explorer:
    """Explore how a kernel turns one grid of numbers into another.

    Point at an output to see the patch and the sum behind it; at a weight to see every product it takes part in; at an
    input to see every output it feeds. Step, play, or move the sliders. Type a number into the input or the kernel.
    Choose to predict, and say each result before you see it. Below, the same kernel runs over a whole photograph; the
    sliders `row` and `column` take the grid to any place in it.

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

    Returns
    -------
    Explorer
        The last value of a notebook cell shows itself.
    """
    image = FROM_PHOTO if isinstance(x, str) and x == "photo" else cells.matrix("x", x)
    state = State(image, cells.matrix("kernel", kernel), flip, photo, row, column)
    presets = [(name, preset) for name, preset in PRESETS.items() if min(state.image.shape) >= len(preset)]
    inputs = [("the worked example", IMAGE), ("the photograph's pixels", FROM_PHOTO)]
    turns = [("as it is (correlation)", False), ("turned by 180° (convolution)", True)]
    controls = {
        "kernel": ipywidgets.Dropdown(options=presets, description="Kernel"),
        "flip": ipywidgets.Dropdown(options=turns, description="Laid on"),
        "x": ipywidgets.Dropdown(options=inputs, description="Input"),
        "photo": ipywidgets.Dropdown(options=[(name, name) for name in PHOTOS], description="Photo"),
        "row": ipywidgets.IntSlider(min=0, max=MOST_ROWS, description="Photo row"),
        "column": ipywidgets.IntSlider(min=0, max=MOST_COLUMNS, description="Photo col."),
    }
    return Explorer(
        state,
        controls,
        views=[
            View(SceneView(), "scene", lambda state: scene(state).data()),
            # apart, so that a new kernel does not send the photograph again
            View(ipywidgets.HTML(layout={"flex": "1 1 16em"}), "value", before),
            View(ipywidgets.HTML(layout={"flex": "1 1 16em"}), "value", after),
            *(View(controls[name], "disabled", lambda state: state.x != FROM_PHOTO) for name in ("row", "column")),
        ],
        picture=picture,
        edited=edited,
    )


def scene(state: State) -> Scene:
    """The three grids, with one link for each product of the convolution."""
    x, kernel = state.image, np.array(state.kernel)
    y = conv2d(x, state.weights)
    products = list(_products(y.shape, kernel.shape, state.flip))

    sums: dict[Place, list[tuple[float, float]]] = {place: [] for place in np.ndindex(y.shape)}
    feeds: dict[Place, list[str]] = {place: [] for place in np.ndindex(x.shape)}
    meets: dict[Place, list[str]] = {place: [] for place in np.ndindex(kernel.shape)}
    for out, place, weight in products:
        sums[out].append((kernel[weight], x[place]))
        feeds[place].append(f"{name('y', out)} times {number(kernel[weight])}")
        meets[weight].append(number(x[place]))
    notes_x = [f"{name('x', place)} = {number(x[place])} goes into {', '.join(feeds[place])}" for place in feeds]
    notes_w = [
        f"{name('w', place)} = {number(kernel[place])} multiplies {', '.join(meets[place])}: one for each output"
        for place in meets
    ]
    notes_y = [f"{name('y', place)} = {cells.total(sums[place])}" for place in sums]

    size_x, size_w, size_y = (cells.size(array.shape) for array in (x, kernel, y))
    grids, signs = line_up(
        cells.grid("input", f"input x, {size_x}", "input", x, notes_x, editable=True),
        "∗",
        cells.grid("kernel", f"kernel w, {size_w}", "kernel", kernel, notes_w, editable=True),
        "=",
        cells.grid("output", f"output y, {size_y}", "output", y, notes_y),
    )
    first = cells.first_cells(grids)
    turned = "convolution, with the kernel turned by 180°" if state.flip else "correlation"
    return Scene(
        alt=(
            f"A {size_x} input, a {size_w} kernel and the {size_y} output of their {turned}. "
            f"The first output: {notes_y[0]} = {number(y[0, 0])}."
        ),
        grids=grids,
        signs=signs,
        links=tuple(
            Link(
                output=first["output"] + _flat(out, y),
                input=first["input"] + _flat(place, x),
                weight=first["kernel"] + _flat(weight, kernel),
            )
            for out, place, weight in products
        ),
        walk="output",
        caption=_caption(state),
        can_predict=True,
    )


def edited(state: State, cell: int, value: float, **_: object) -> dict[str, Matrix]:
    """What a number typed into a cell of the scene changes in the state."""
    x, kernel = state.image, np.array(state.kernel, dtype=np.float64)
    field, array, place = ("x", x, cell) if cell < x.size else ("kernel", kernel, cell - x.size)
    array.flat[place] = value
    return {field: cells.matrix(field, array)}


def filtered(state: State) -> tuple[NDArray[np.float64], float, float]:
    """The photograph under the kernel, and the values that are drawn black and white.

    A kernel whose weights add up to more than zero keeps a flat surface flat: black is 0 and white that sum, as in the
    photograph. Any other kernel answers to change, in both directions: zero is drawn mid-grey.
    """
    y = conv2d(photo(state.photo), state.weights)
    total = float(state.weights.sum())
    if total > 1e-9:
        return y, 0.0, total
    high = float(np.abs(y).max()) or 1.0
    return y, -high, high


def before(state: State) -> str:
    """The photograph as HTML."""
    image = _photo_tag(state.photo)
    return _figure(image, "the photograph", _box(state, photo(state.photo).shape, (SIDE, SIDE)))


def after(state: State) -> str:
    """What the kernel makes of the photograph, as HTML."""
    y, low, high = filtered(state)
    scale = 255 if state.x == FROM_PHOTO else 1  # as the pixels in the grid are counted
    levels = f"black is {number(scale * low)}, white is {number(scale * high)}" + (", mid-grey is 0" if low < 0 else "")
    alt = f"The photograph ({PHOTOS[state.photo]}) under the kernel: {levels}."
    size = [SIDE - length + 1 for length in state.weights.shape]
    return _figure(
        image_tag(array_png(y, low, high), alt, "width: 100%"),
        f"under the kernel: {levels}",
        _box(state, y.shape, size),
    )


def _figure(image: str, caption: str, box: str) -> str:
    picture = (
        f'<div style="position: relative; display: inline-block; max-width: 100%; line-height: 0">{image}{box}</div>'
    )
    return f'<figure style="margin: 0">{picture}<figcaption>{caption}</figcaption></figure>'


def _box(state: State, shape: Sequence[int], size: Sequence[int]) -> str:
    """Where the grid lies, drawn over a picture of this shape."""
    if state.x != FROM_PHOTO:
        return ""
    lengths = zip(("top", "left", "height", "width"), (state.row, state.column, *size), (*shape, *shape), strict=True)
    place = "; ".join(f"{side}: {100 * length / whole:.2f}%" for side, length, whole in lengths)
    return f'<span style="position: absolute; outline: 3px solid {ROLES["error"].line}; {place}"></span>'


@lru_cache(maxsize=len(PHOTOS))
def _photo_tag(name: str) -> str:
    return image_tag(array_png(photo(name)), f"Photograph: {PHOTOS[name]}.", "width: 100%")


def picture(state: State) -> Picture:
    """The scene above the two photographs, for where nothing runs."""
    grids = scene(state)
    y, low, high = filtered(state)
    width, height = inches(grids)
    figure = Figure(figsize=(width, height + 4), dpi=100, layout="constrained")
    rows = figure.add_gridspec(2, 2, height_ratios=(height, 4))
    draw_scene(figure.add_subplot(rows[0, :]), grids)
    left, right = figure.add_subplot(rows[1, 0]), figure.add_subplot(rows[1, 1])
    left.imshow(photo(state.photo), cmap="gray", vmin=0, vmax=1)
    right.imshow(y, cmap="gray", vmin=low, vmax=high)
    for axes, title in ((left, "a photograph"), (right, "the same kernel on it")):
        axes.set_title(title, fontsize=10)
        axes.set_axis_off()
        if state.x == FROM_PHOTO:
            axes.add_patch(
                Rectangle((state.column, state.row), SIDE, SIDE, fill=False, edgecolor=ROLES["error"].line, lw=2)
            )
    alt = f"{grids.alt} Below, a photograph ({PHOTOS[state.photo]}) before and after the same kernel."
    numbers = conv2d(state.image, state.weights)
    return Picture(figure, alt, f"output: {digest(numbers)}; photograph: {digest(y)}")


def _caption(state: State) -> str:
    pixels = (
        f"The input: {SIDE}×{SIDE} pixels of the photograph from row {state.row}, column {state.column}, from 0 to 255."
    )
    turned = "The kernel is turned by 180° before it is laid on the input."
    return " ".join([pixels] * (state.x == FROM_PHOTO) + [turned] * state.flip)


def _products(outputs: Place, kernel_size: Place, flip: bool) -> Iterator[tuple[Place, Place, Place]]:
    """Where the output, the input and the weight of each product stand; the weight in the kernel as the reader typed
    it."""
    kH, kW = kernel_size
    for i, j in np.ndindex(outputs):
        for u, v in np.ndindex(kernel_size):
            yield (i, j), (i + u, j + v), (kH - 1 - u, kW - 1 - v) if flip else (u, v)


def _flat(place: Place, array: NDArray[np.float64]) -> int:
    """The number of a cell, counted row by row."""
    return place[0] * array.shape[1] + place[1]
