"""Lesson 05's pictures: what max pooling keeps, where unpooling puts it, and two ways down and up again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from unet_edu.figures.palette import INK, ROLES
from unet_edu.figures.panels import FONT, WIDTH, Grid, Photo, arrow, canvas, numbers, photos, rectangle, write
from unet_edu.figures.shown import Shown
from unet_edu.figures.transposed import product
from unet_edu.interpolation import interpolate
from unet_edu.matrix import max_pool2d_matrix
from unet_edu.pooling import avg_pool2d, max_pool2d, max_unpool2d

__all__ = [
    "Design",
    "crossings",
    "filled",
    "grid",
    "levels",
    "maximum_and_mean",
    "nudged",
    "outline_and_back",
    "put_back",
    "remembered",
    "segnet_and_unet",
    "selection",
    "there_and_back",
    "walking_dot",
]

TILE = 3.5  # inches: two photographs side by side, in two rows that a screen shows at once
THIRD = WIDTH / 3  # three side by side

BOX = (1.4, 0.4)  # inches
LOWEST = 2.2  # the width of the lowest box, so that both arrows reach it upright
STEP = 1.15  # from one level down to the next
INDENT = 0.2  # how far each level moves to the middle


@dataclass(frozen=True)
class Design:
    """How a network goes down and up again.

    Parameters
    ----------
    title : str
    down, up : str
        What makes the feature maps smaller, and what makes them larger.
    across : sequence of str
        What crosses at each level but the lowest, from the top.
    is_light : bool
        Whether little crosses: drawn as a thin dashed arrow, not as a thick one.
    """

    title: str
    down: str
    up: str
    across: Sequence[str]
    is_light: bool


def crossings(levels: Sequence[str], *designs: Design) -> Figure:
    """Draw networks side by side, each as a U.

    Parameters
    ----------
    levels : sequence of str
        What is written into the boxes of each level, from the top; the lowest has one box, all others two.
    *designs : Design
        Each with one crossing for each level but the lowest.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        When a design has too few or too many crossings.
    """
    for design in designs:
        if len(design.across) != len(levels) - 1:
            raise ValueError(
                f"across: expected {len(levels) - 1} texts, one for each level but the lowest, got {len(design.across)}"
            )
    width, height = WIDTH / max(2, len(designs)), STEP * len(levels) + 0.3
    figure, axes = canvas(width * len(designs), height)
    for number, design in enumerate(designs):
        _draw(axes, levels, design, number * width, width)
    return figure


def grid(x: ArrayLike, title: str, decimals: int = 0, window: int = 0) -> Shown:
    """Draw one plane of numbers.

    Parameters
    ----------
    x : (H, W) array
    title : str
        Stands above it.
    decimals : int
        How many digits to write after the point.
    window : int
        The side of windows that lie side by side, to outline each; 0 for none.

    Returns
    -------
    Shown
    """
    x = np.asarray(x)
    words = f"{_size(x)}, called “{title}”. Its rows are {_rows(x)}."
    if window:
        words += f" Thick lines cut it into windows of {window} by {window}."
    return Shown(numbers([Grid(x, title, "input", decimals=decimals, window=window)]), words, x=x)


def levels(image: ArrayLike, times: int = 3) -> Shown:
    """Draw a photograph and what is left of it after each of some poolings, all equally large.

    Parameters
    ----------
    image : (H, W) array
        From 0 (black) to 1 (white).
    times : int
        How often windows of 2×2 are pooled.

    Returns
    -------
    Shown
    """
    planes = [np.asarray(image)]
    for _ in range(times):
        planes.append(max_pool2d(planes[-1], 2)[0])
    sizes = [f"{plane.shape[0]} × {plane.shape[1]} pixels" for plane in planes]
    words = (
        f"The same photograph {times + 1} times, drawn equally large: {', '.join(sizes)}. Each is brighter and coarser "
        "than the one before; in the last one the pixels show as blocks."
    )
    figure = photos(*map(Photo, planes, sizes), columns=2, tile=TILE)
    return Shown(figure, words, smallest=planes[-1])


def maximum_and_mean(image: ArrayLike, window: int) -> Shown:
    """Draw a photograph, the largest number of each window, and the mean of each window.

    Parameters
    ----------
    image : (H, W) array
        From 0 (black) to 1 (white).
    window : int
        The windows' side.

    Returns
    -------
    Shown
    """
    image = np.asarray(image)
    largest, mean = max_pool2d(image, window)[0], avg_pool2d(image, window)
    name = f"of {window} × {window}"
    figure = photos(
        Photo(image, "the photograph"),
        Photo(largest, f"maximum {name}"),
        Photo(mean, f"average {name}"),
        columns=3,
        tile=THIRD,
    )
    words = (
        f"A photograph of mean brightness {image.mean():.2f}; its maxima, {largest.mean():.2f}, where what is bright "
        f"has grown and dark gaps have closed; its averages, {mean.mean():.2f}, where the gaps are still there."
    )
    return Shown(figure, words, largest=largest, mean=mean)


def remembered(x: ArrayLike) -> Shown:
    """Draw an image, the number of each of its places, its maxima in windows of 2×2, and where they stood.

    Parameters
    ----------
    x : (H, W) array of whole numbers

    Returns
    -------
    Shown
    """
    x = np.asarray(x)
    y, indices = max_pool2d(x, 2)
    places = np.arange(x.size).reshape(x.shape)
    chosen = np.isin(places, indices)
    figure = numbers(
        [
            Grid(x, "image x", "input", chosen),
            Grid(places, "index of each pixel", "neutral", chosen),
            "→",
            Grid(y, "maxima y", "output"),
            Grid(indices, "indices", "skip"),
        ]
    )
    words = (
        f"The image and the numbers 0 to {x.size - 1} of its places, counted row by row. The places {_list(indices)} "
        f"are marked in both. There stand the maxima {_list(y)}."
    )
    return Shown(figure, words, x=x, y=y, indices=indices)


def put_back(z: ArrayLike, indices: ArrayLike, size: tuple[int, int]) -> Shown:
    """Draw numbers, their indices, and the image in which unpooling puts them.

    Parameters
    ----------
    z : (H', W') array of whole numbers
    indices : (H', W') array of int
    size : (H, W)
        Of the unpooled image.

    Returns
    -------
    Shown
    """
    z, indices = np.asarray(z), np.asarray(indices)
    image = max_unpool2d(z, indices, size)
    chosen = np.isin(np.arange(image.size).reshape(size), indices)
    figure = numbers(
        [
            Grid(z, "numbers z", "output"),
            "at",
            Grid(indices, "indices", "skip"),
            "→",
            Grid(image, "unpooled", "input", chosen),
        ]
    )
    words = (
        f"The numbers {_list(z)} go to the places {_list(indices)} of an image of {size[0]} by {size[1]}. "
        "All other places are 0."
    )
    return Shown(figure, words, z=z, unpooled=image)


def there_and_back(image: ArrayLike, times: int = 3) -> Shown:
    """Draw an image, and what is left of it after some poolings and as many unpoolings.

    Parameters
    ----------
    image : (H, W) array
        From 0 (black) to 1 (white).
    times : int
        The most poolings.

    Returns
    -------
    Shown
    """
    image = np.asarray(image)
    backs = [_back(image, n)[1] for n in range(1, times + 1)]
    titles = [f"{n} × pooled, {n} × unpooled" for n in range(1, times + 1)]
    figure = photos(
        Photo(image, f"{image.shape[0]} × {image.shape[1]} pixels"), *map(Photo, backs, titles), columns=2, tile=TILE
    )
    words = (
        "A piece of the photograph, and what is left of it: single bright pixels on black. After one pooling every "
        f"fourth pixel is there, and one can still see what it is. After {times} there are a few scattered dots."
    )
    return Shown(figure, words, **{f"back_{n}": back for n, back in enumerate(backs, 1)})


def nudged(x: ArrayLike, gradient: ArrayLike) -> Shown:
    """Draw an image, and beside it how much the loss grows with each of its pixels.

    Parameters
    ----------
    x : (H, W) array of whole numbers
    gradient : (H, W) array

    Returns
    -------
    Shown
    """
    x, gradient = np.asarray(x), np.asarray(gradient)
    some = np.abs(gradient) > 1e-6
    figure = numbers(
        [Grid(x, "image x", "input", some), "→", Grid(gradient, "gradient, by nudging", "input", some)],
    )
    parts = ", ".join(f"{gradient.flat[place]:.0f} at place {place}" for place in np.flatnonzero(some))
    return Shown(figure, f"The image, and beside it the gradient: {parts}, and 0 everywhere else.", gradient=gradient)


def selection(x: ArrayLike) -> Shown:
    """Draw max pooling of one image with windows of 2×2 as a matrix times a column.

    Parameters
    ----------
    x : (H, W) array of whole numbers

    Returns
    -------
    Shown
    """
    x = np.asarray(x)
    y, indices = max_pool2d(x, 2)
    S = max_pool2d_matrix(indices, x.shape)
    titles = (f"S, {S.shape[0]} × {S.shape[1]}", "x as a column", "y")
    words = (
        f"A matrix of {S.shape[0]} rows and {S.shape[1]} columns. Each row has a single 1, in the columns "
        f"{_list(indices)}, and zeros. Times the image as a column it gives {_list(y)}."
    )
    return Shown(product(S, x.ravel(), titles, ("skip", "input", "output")), words, S=S)


def walking_dot(length: int) -> Shown:
    """Draw a dot that walks along a row, pixel by pixel, and what pooling by 2 sees and remembers of it.

    Parameters
    ----------
    length : int
        How many pixels the row has: an even number.

    Returns
    -------
    Shown
    """
    walk = np.eye(length, dtype=int)  # row n: the dot is at column n
    still = np.zeros(length, int)
    steps = [max_pool2d(np.stack([row, still]), 2) for row in walk]
    pooled = np.concatenate([y for y, _ in steps])
    index = np.array([[(y * indices).max()] for y, indices in steps])
    figure = numbers(
        [
            Grid(walk, "the dot walks", "input", walk == 1),
            "→",
            Grid(pooled, "pooled", "output", pooled == 1),
            Grid(index, "index of the dot", "skip"),
        ]
    )
    words = (
        f"{length} rows; in each the dot is one column further to the right. In the pooled rows it moves only at every "
        f"second step. Its index changes at every step, from 0 to {length - 1}."
    )
    return Shown(figure, words, pooled=pooled, index=index)


def outline_and_back(outline: ArrayLike, times: int = 2) -> Shown:
    """Draw a thin line, pooled, and brought back in two ways: with its indices, and by copying.

    Parameters
    ----------
    outline : (H, W) array
        Above 0 on the line, 0 elsewhere.
    times : int
        How often it is pooled, and unpooled.

    Returns
    -------
    Shown
    """
    outline = np.asarray(outline)
    pooled, back = _back(outline, times)
    copied = interpolate(pooled, outline.shape, mode="nearest")
    figure = photos(
        Photo(outline > 0, "the outline of a coin"),
        Photo(pooled > 0, f"pooled {times} times: {pooled.shape[0]} × {pooled.shape[1]}"),
        Photo(back > 0, "unpooled: with the indices"),
        Photo(copied > 0, "copied: without them"),
        columns=2,
        tile=TILE,
    )
    words = (
        "A closed line, one pixel wide; the same as a coarse ring of blocks; unpooled, a dotted line exactly on the "
        f"first one; copied, a ring that is {2**times} pixels thick or more."
    )
    return Shown(figure, words, back=back, copied=copied)


def filled(image: ArrayLike, ways: Mapping[str, ArrayLike], crop: tuple[int, int, int]) -> Shown:
    """Draw a piece of a photograph, and what became of it in several ways.

    Parameters
    ----------
    image : (H, W) array
        From 0 (black) to 1 (white).
    ways : mapping from name to (H, W) array
    crop : (top, left, side)
        The piece: a square.

    Returns
    -------
    Shown
    """
    top, left, side = crop
    piece = (slice(top, top + side), slice(left, left + side))
    planes = {name: np.asarray(plane)[piece] for name, plane in ways.items()}
    figure = photos(
        Photo(np.asarray(image)[piece], "the photograph"),
        *(Photo(plane, name) for name, plane in planes.items()),
        columns=3,
        tile=THIRD,
    )
    distances = {name: np.sqrt(np.mean((plane - np.asarray(image)[piece]) ** 2)) for name, plane in planes.items()}
    order = sorted(distances, key=distances.__getitem__)
    words = (
        f"A piece of the photograph, {side} pixels high and wide, and the same in {len(planes)} ways. From the nearest "
        f"to it to the farthest: {', '.join(order)}."
    )
    return Shown(figure, words, **{name.replace(" ", "_"): plane for name, plane in planes.items()})


def segnet_and_unet(channels: Sequence[int] = (64, 128, 256), side: int = 256) -> Shown:
    """Draw the two ways down and up again, and how many megabytes cross at each level.

    Parameters
    ----------
    channels : sequence of int
        Of each level, from the top.
    side : int
        Of the top level's feature maps; each level halves it.

    Returns
    -------
    Shown
    """
    sides = [side >> level for level in range(len(channels))]
    maps = [C * s * s * 4 / 1e6 for C, s in zip(channels, sides, strict=True)]  # float32: 4 bytes for each number
    bits = [C * s * s / 4 * 2 / 8 / 1e6 for C, s in zip(channels, sides, strict=True)]  # 2 bits for each window
    segnet = Design("SegNet", "max pool", "max unpool", [f"indices, 2 bits each\n{b:.2f} MB" for b in bits[:-1]], True)
    unet = Design(
        "U-Net", "max pool", "transposed\nconvolution", [f"feature maps\n{m:.1f} MB" for m in maps[:-1]], False
    )
    figure = crossings([f"{C} × {s}×{s}" for C, s in zip(channels, sides, strict=True)], segnet, unet)
    words = (
        f"Two drawings of a U with {len(channels)} levels. In both, max pooling leads down on the left. In SegNet thin "
        f"dashed arrows carry indices across, {_megabytes(bits, 2)} megabytes at 2 bits for each, and max unpooling "
        f"leads up. In the U-Net thick arrows carry feature maps across, {_megabytes(maps, 1)} megabytes, and "
        "transposed convolution leads up."
    )
    return Shown(figure, words, maps=maps, bits=bits)


def _back(image: NDArray[Any], times: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """The image pooled so many times, and unpooled again with the indices in reverse order."""
    pooled, remembered = image, []
    for _ in range(times):
        size = pooled.shape
        pooled, indices = max_pool2d(pooled, 2)
        remembered.append((indices, size))
    back = pooled
    for indices, size in reversed(remembered):
        back = max_unpool2d(back, indices, size)
    return pooled, back


def _list(values: ArrayLike) -> str:
    """As one says it: 1, 2 and 3."""
    *first, last = (str(number).replace("-", "−") for number in np.ravel(values))
    return f"{', '.join(first)} and {last}" if first else last


def _rows(x: NDArray[Any]) -> str:
    return "; ".join(_list(row) for row in x)


def _size(x: NDArray[Any]) -> str:
    return f"An image of {x.shape[0]} by {x.shape[1]} pixels"


def _megabytes(values: Sequence[float], decimals: int) -> str:
    return _list([f"{value:.{decimals}f}" for value in values[:-1]])


def _draw(axes: Axes, levels: Sequence[str], design: Design, left: float, width: float) -> None:
    lowest = len(levels) - 1
    tops = [0.7 + STEP * level for level in range(len(levels))]
    starts = [left + 0.2 + INDENT * level for level in range(lowest)] + [left + (width - LOWEST) / 2]
    widths = [BOX[0]] * lowest + [LOWEST]
    write(axes, left + width / 2, 0.2, design.title, 11, fontweight="bold")
    for level, text in enumerate(levels):
        _box(axes, starts[level], tops[level], widths[level], text, "input")
        if level == lowest:
            break
        end = 2 * left + width - BOX[0] - starts[level]  # mirrored
        _box(axes, end, tops[level], widths[level], text, "output")
        middle, bottom = tops[level] + BOX[1] / 2, tops[level] + BOX[1]
        style: dict[str, Any] = {"linewidth": 1.2, "linestyle": "--"} if design.is_light else {"linewidth": 4.0}
        arrow(axes, (starts[level] + BOX[0], middle), (end, middle), ROLES["skip"].line, **style)
        centre = left + width / 2
        axes.text(centre, middle - 0.1, design.across[level], ha="center", va="bottom", fontsize=10, **FONT)
        # from the middle of a box to where the next one begins, so that the arrow stands upright
        x = max(starts[level] + BOX[0] / 2, starts[level + 1] + 0.2)
        mirrored = 2 * left + width - x
        arrow(axes, (x, bottom), (x, tops[level + 1]), INK, linewidth=1.2)
        arrow(axes, (mirrored, tops[level + 1]), (mirrored, bottom), INK, linewidth=1.2)
        if level == 0:
            y = (bottom + tops[1]) / 2
            axes.text(x + 0.1, y, design.down, ha="left", va="center", fontsize=10, **FONT)
            axes.text(mirrored - 0.1, y, design.up, ha="right", va="center", fontsize=10, **FONT)


def _box(axes: Axes, x: float, y: float, width: float, text: str, role: str) -> None:
    colour = ROLES[role]
    rectangle(axes, (x, y), width, BOX[1], colour.fill, colour.line, 1.2)
    write(axes, x + width / 2, y + BOX[1] / 2, text, 10)
