"""The interpolation explorer: where each output pixel looks and what it takes; below, a photograph and a mask. Lesson
03."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unet_edu.data.masks import photo_and_mask
from unet_edu.explore.board import Grids, Image, Rows, still, views
from unet_edu.explore.cells import Matrix, Place, count, grid, matrix, name, size, typed
from unet_edu.explore.explorer import Explorer, Picture, SceneView, View
from unet_edu.explore.fields import controls, menu, slider
from unet_edu.explore.picture import digest
from unet_edu.figures.palette import CLASSES, ROLES
from unet_edu.figures.panels import painted
from unet_edu.figures.scene import Link, Scene, line_up, number
from unet_edu.interpolation import MODES, axis_matrix, bed_of_nails, interpolate, source_coordinates

__all__ = [
    "INPUTS",
    "MOST",
    "NAILS",
    "RULES",
    "State",
    "as_classes",
    "board",
    "edited",
    "enlarged",
    "interpolation",
    "output",
    "picture",
    "scene",
    "small_images",
]

INPUTS: dict[str, Matrix] = {
    "nine pixels": ((4, 5, 8), (1, 8, 8), (3, 6, 6)),
    "a row": ((0, 1, 2, 3),),
    "one bright pixel": ((0, 0, 0), (0, 1, 0), (0, 0, 0)),
    "a mask of classes 0 and 2": ((0, 0, 0, 0), (0, 2, 2, 0), (0, 2, 2, 0), (0, 0, 0, 0)),
}
NAILS = "bed of nails"
RULES = {  # the mode, and align_corners
    "nearest": ("nearest", False),
    NAILS: (NAILS, False),
    "bilinear": ("bilinear", False),
    "bilinear, corners aligned": ("bilinear", True),
    "bicubic": ("bicubic", False),
    "bicubic, corners aligned": ("bicubic", True),
}
ROOM = {"description_width": "8.4em"}  # for the sliders' names
MOST = 12  # output rows and columns that still read well
SCALE = 6  # how many times the photograph and the mask are enlarged


@dataclass(frozen=True)
class State:
    rule: tuple[str, bool] = menu(RULES, "rule")
    rows: int = slider(1, MOST, "output rows", style=ROOM)
    columns: int = slider(1, MOST, "output columns", style=ROOM)
    x: Matrix = menu(INPUTS, "input x", own=True)  # noqa: RUF009, it makes a field

    @property
    def image(self) -> NDArray[np.float64]:
        return np.array(self.x, dtype=np.float64)

    @property
    def mode(self) -> str:
        return self.rule[0]

    @property
    def align_corners(self) -> bool:
        return self.rule[1]

    @property
    def fits(self) -> bool:
        """Whether there is such an output: nails stand only on whole steps."""
        (H, W) = self.image.shape
        return self.mode != NAILS or (self.rows % H == 0 and self.columns % W == 0)

    def matrix(self, axis: int) -> NDArray[np.float64]:
        """The weights along the rows (0) or along the columns (1): (outputs, inputs)."""
        size, out_size = self.image.shape[axis], (self.rows, self.columns)[axis]
        if not self.fits:
            return np.zeros((0, size))
        if self.mode == NAILS:
            return bed_of_nails(np.eye(size), (out_size // size, 1))
        return axis_matrix(size, out_size, mode=self.mode, align_corners=self.align_corners)

    def sources(self, axis: int) -> NDArray[np.float64]:
        """Where the outputs look, along one axis, in pixels of the input."""
        size, out_size = self.image.shape[axis], (self.rows, self.columns)[axis]
        return source_coordinates(size, out_size, mode=self.mode, align_corners=self.align_corners)


def interpolation(
    x: ArrayLike = INPUTS["nine pixels"],
    size: tuple[int, int] = (6, 6),
    *,
    mode: str = "bilinear",
    align_corners: bool = False,
) -> Explorer:
    """Explore how interpolation makes a small grid larger, or a large one smaller.

    Point at an output to see the place where it looks (a dot on the input) and the share that it takes of each pixel
    around it; at an input to see every output that it feeds. Step, play, or move the sliders. Type a number into the
    input. Below, the same rule enlarges a photograph and its mask six times.

    Parameters
    ----------
    x : (H, W) array
        The input; up to 5×5 reads well.
    size : (rows, columns)
        Of the output, each from 1 to 12.
    mode : "nearest", "bilinear", "bicubic" or "bed of nails"
    align_corners : bool
        Whether the centres of the corner pixels lie on each other; only for bilinear and bicubic.

    Returns
    -------
    Explorer
        The last value of a notebook cell shows itself.

    Raises
    ------
    ValueError
        When the input is no matrix, or the mode or the size is none of the above.
    """
    if (mode, align_corners) not in RULES.values():
        raise ValueError(
            f"mode: expected one of {', '.join(map(repr, (*MODES, NAILS)))}, and align_corners only with 'bilinear' "
            f"and 'bicubic', got {mode!r} with align_corners={align_corners!r}"
        )
    if np.shape(size) != (2,) or not all(side in range(1, MOST + 1) for side in size):
        raise ValueError(f"size: expected two ints from 1 to {MOST}, got {size!r}")
    state = State((mode, align_corners), *size, matrix("x", x, (MOST, MOST)))
    shown = [View(SceneView(), "scene", lambda state: scene(state).data()), *views(board, state)]
    return Explorer(state, controls(state), shown, picture, edited)


def scene(state: State) -> Scene:
    """Input and output, a link for each pixel that an output takes, and a dot for where it looks."""
    x = state.image
    B_H, B_W = state.matrix(0), state.matrix(1)
    y = output(state)
    weights = np.einsum("ir,jc->ijrc", B_H, B_W)
    takes = [_takes(state, (i, j), weights[i, j]) for i, j in np.ndindex(y.shape)]
    feeds = [_feeds(x, (r, c), weights[:, :, r, c]) for r, c in np.ndindex(x.shape)]
    grids, signs = line_up(
        grid("input", f"input x, {size(x.shape)}", "input", x, feeds, editable=True),
        "→",
        grid("output", f"output y, {size(y.shape)}" if state.fits else "no output", "output", y, takes),
    )
    links = tuple(
        Link(output=x.size + int(out), input=int(taken), weight=None, factor=f"×{_weight(weight)}")
        for out, of_inputs in enumerate(weights.reshape(y.size, x.size))
        for taken, weight in zip(of_inputs.nonzero()[0], of_inputs[of_inputs != 0], strict=True)
    )
    return Scene(
        alt=_alt(state, y, grids[1].notes),
        grids=grids,
        signs=signs,
        links=links,
        walk="output",
        caption=_caption(state, y),
        code=_code(state),
        can_predict=state.fits,
        points=_dots(state, grids[0].at) if state.fits else (),
        begin=(state.rows - 1) // 2 * state.columns + (state.columns - 1) // 2
        if state.fits
        else 0,  # of several pixels, mostly
    )


def output(state: State) -> NDArray[np.float64]:
    """What interpolation makes of the input; no rows and no columns where there is no such output."""
    return state.matrix(0) @ state.image @ state.matrix(1).T


def edited(state: State, cell: int, value: float, **_: object) -> dict[str, Matrix]:
    """What a number typed into a cell of the scene changes in the state."""
    return {"x": typed(state.x, divmod(cell, state.image.shape[1]), value)}


@lru_cache(maxsize=1)
def small_images() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Four coins on 40×40 pixels, and their mask: class 2 where there is a coin, 0 elsewhere."""
    coins, mask = photo_and_mask("coins")
    crop = np.s_[100:220:3, 60:180:3]
    return coins[crop], 2 * mask[crop].astype(np.int64)


def enlarged(state: State, image: NDArray[np.float64] | NDArray[np.int64]) -> NDArray[np.float64]:
    """The image six times larger, by the rule that is chosen."""
    if state.mode == NAILS:
        return bed_of_nails(image, SCALE).astype(np.float64)
    size = (image.shape[0] * SCALE, image.shape[1] * SCALE)
    return interpolate(image, size, mode=state.mode, align_corners=state.align_corners).astype(np.float64)


def as_classes(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """What a program makes of a mask that must hold whole numbers: it rounds."""
    return np.rint(values).astype(np.int64)


def board(state: State) -> Rows:
    """The small photograph, the enlarged one, the small mask, and the enlarged one, rounded to whole classes."""
    (coins, mask), (photo_before, mask_before) = small_images(), _small_tiles()
    words = f"the photograph, {SCALE} times larger, {state.mode}"
    photo_after = Image(enlarged(state, coins), f"The coins: {words}.", words, title=f"{SCALE} times larger")
    values = enlarged(state, mask)
    classes = as_classes(values)
    different = count(len(np.unique(values.round(6))), "different value", "different values")
    mask_after = Image(
        painted(classes),
        f"The mask enlarged, {state.mode}: {_shares(classes, '')}.",
        f"the mask, {SCALE} times larger: {_shares(classes)}; before rounding {different}",
        title=f"{SCALE} times larger, rounded",
    )
    return ((photo_before, photo_after, mask_before, mask_after),)


@lru_cache(maxsize=1)
def _small_tiles() -> tuple[Image, Image]:
    coins, mask = small_images()
    photo = Image(
        coins, "Four bright coins on a dark ground, on 40×40 pixels.", "a photograph, 40×40", title="a photograph"
    )
    words = "The coins as a mask of two classes."
    return photo, Image(painted(mask), words, f"its mask: {_shares(mask)}", title="its mask")


def picture(state: State) -> Picture:
    """The scene above the four images, for where nothing runs."""
    grids = scene(state)
    coins, mask = small_images()
    large, large_mask = enlarged(state, coins), as_classes(enlarged(state, mask))
    alt = (
        f"{grids.alt} Below, four coins and their mask, before and after. "
        f"The mask holds {_shares(mask, '')} before and {_shares(large_mask, '')} after."
    )
    numbers = f"output: {digest(output(state))}" if state.fits else "no output"
    digests = f"photograph: {digest(large)}; mask: {digest(large_mask)}"
    return still(((Grids(grids),), *board(state)), alt, f"{numbers}; {digests}")


def _takes(state: State, out: Place, weights: NDArray[np.float64]) -> str:
    """What is said of an output: where it looks, and the sum."""
    x, what, used = state.image, name("y", out), weights[weights != 0]
    if state.mode == NAILS and not used.size:
        return f"{what}, between the nails,"
    terms = [f"{_factor(weights[place])}·{_factor(x[place])}" for place in zip(*weights.nonzero(), strict=True)]
    total = " + ".join(terms)
    if len(terms) > 4:
        spread = f"weights from {_weight(used.min())} to {_weight(used.max())}, together {number(used.sum())}"
        total = f"{len(terms)} pixels, {spread}; the sum"
    if state.mode == NAILS:
        return f"{what}, a nail: {total}"
    row, column = (_source(state, axis, out[axis]) for axis in (0, 1))
    return f"{what} looks at row {row}, column {column}: {total}"


def _source(state: State, axis: int, i: int) -> str:
    """The source coordinate, with the numbers filled in."""
    size, out_size = state.image.shape[axis], (state.rows, state.columns)[axis]
    place = number(state.sources(axis)[i])
    if state.mode == "nearest":
        return f"⌊{i}·{size}/{out_size}⌋ = {i * size // out_size}"
    if state.align_corners:
        return f"{i}·{size - 1}/{out_size - 1} = {place}" if out_size > 1 else "0"
    return f"({i} + 0.5)·{size}/{out_size} − 0.5 = {place}"


def _feeds(x: NDArray[np.float64], place: Place, weights: NDArray[np.float64]) -> str:
    """What is said of an input: the adjoint, all that it goes into."""
    used = weights[weights != 0]
    what = f"{name('x', place)} = {number(x[place])}"
    if not used.size:
        return f"{what} goes into no output: it is lost"
    spread = f"times {_weight(used[0])}"
    if used.max() - used.min() > 1e-12:
        spread = f"with weights from {_weight(used.min())} to {_weight(used.max())}"
    return f"{what} goes into {count(used.size, 'output', 'outputs')}, {spread}; together {_weight(used.sum())}"


def _dots(state: State, at: tuple[float, float]) -> tuple[tuple[int, float, float], ...]:
    """For each output the place where it looks, on the input's grid."""
    outputs = np.ndindex(state.rows, state.columns)
    if state.mode == NAILS:
        return ()
    middle = 0.0 if state.mode == "nearest" else 0.5  # nearest counts from a pixel's edge, the others from its centre
    rows, columns = (state.sources(axis) + middle for axis in (0, 1))
    return tuple(
        (state.image.size + n, float(at[0] + columns[j]), float(at[1] + rows[i])) for n, (i, j) in enumerate(outputs)
    )


def _caption(state: State, y: NDArray[np.float64]) -> str:
    (H, W), rows, columns = state.image.shape, state.rows, state.columns
    if not state.fits:
        return f"A bed of nails needs whole steps: {rows}×{columns} is no multiple of {H}×{W}. Move the sliders."
    border = "; beyond the border the last pixel is repeated."
    rule = {
        "nearest": f"The dot is the upper left corner of the output pixel: (i·{H}/{rows}, j·{W}/{columns}). "
        "The pixel that it is in is copied.",
        "bilinear": "The dot is the middle of the output pixel. The nearer of the 2×2 pixels around it count more"
        + border,
        "bicubic": "The dot is the middle of the output pixel. It takes the 4×4 pixels around it, some with negative "
        f"weights{border}",
        NAILS: "Each pixel stands in the corner of its own block; all the rest is 0.",
    }[state.mode]
    new = int((np.abs(y[..., None] - state.image.ravel()).min(axis=-1) > 1e-9).sum())
    return f"{rule} Of {count(y.size, 'output', 'outputs')}, {new} hold a number that the input does not have."


def _code(state: State) -> str:
    rows, columns = state.rows, state.columns
    if state.mode == NAILS:
        H, W = state.image.shape
        return f"y = torch.zeros({rows}, {columns}); y[::{rows // H}, ::{columns // W}] = x" if state.fits else ""
    corners = "" if state.mode == "nearest" else f", align_corners={state.align_corners}"
    return f'F.interpolate(x, size=({rows}, {columns}), mode="{state.mode}"{corners})  # x has four axes'


def _alt(state: State, y: NDArray[np.float64], notes: tuple[str, ...]) -> str:
    rule = (
        f"{state.mode}, with align_corners={state.align_corners}"
        if state.mode in ("bilinear", "bicubic")
        else state.mode
    )
    if not state.fits:
        return f"A {size(state.image.shape)} input and no output: {_caption(state, y)}"
    first = f"The first output: {notes[0]} = {number(y[0, 0])}."
    return f"A {size(state.image.shape)} input and the {size(y.shape)} output of interpolation, {rule}. {first}"


def _shares(classes: NDArray[np.int64], swatch: str = "■ ") -> str:
    """How much of a mask each class takes; those that the small mask does not have are named."""
    known = np.unique(small_images()[1])
    parts = []
    for value, pixels in zip(*np.unique(classes, return_counts=True), strict=True):
        style = f"color: {CLASSES[value]}; -webkit-text-stroke: 1px {ROLES['neutral'].line}"
        mark = f'<span style="{style}">{swatch}</span>' if swatch else ""
        if value in known:
            parts.append(f"{mark}class {value}: {100 * pixels / classes.size:.1f} %")
        else:
            parts.append(f"{mark}class {value}, which was never there: {count(pixels, 'pixel', 'pixels')}")
    return "; ".join(parts)


def _factor(value: float) -> str:
    """A number inside a product: negative ones in parentheses."""
    return f"({_weight(value)})" if value < 0 else _weight(value)


def _weight(value: float) -> str:
    """0.5625 and 0.1875 in full; what is longer with two digits, so that it fits into the corner of a cell."""
    text = f"{value:.4g}"
    return (text if len(text) < 7 else f"{value:.2g}").replace("-", "−")
