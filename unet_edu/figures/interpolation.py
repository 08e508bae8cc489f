"""The pictures of lesson 03: what each rule makes of a few pixels, of a photograph and of a mask."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from unet_edu.figures.palette import CLASSES, INK, PAPER, ROLES
from unet_edu.figures.panels import (
    DPI,
    FONT,
    WIDTH,
    Grid,
    Photo,
    canvas,
    curves,
    numbers,
    painted,
    photos,
    rectangle,
    write,
)
from unet_edu.figures.shown import Shown
from unet_edu.interpolation import (
    MODES,
    axis_matrix,
    bed_of_nails,
    bilinear_kernel,
    interpolate,
    source_coordinates,
)

__all__ = [
    "coarse_answer",
    "copies_and_nails",
    "enlarged_names",
    "enlarged_outlines",
    "enlarged_photo",
    "fixed_matrices",
    "found_stamp",
    "half_pixels_forgotten",
    "places",
    "stamps",
    "weights_by_distance",
]

THIRD = WIDTH / 3  # inches: the widest of three photographs side by side


def coarse_answer(image: ArrayLike, coarse: ArrayLike, mask: ArrayLike) -> Shown:
    """Show a photograph, a coarse mask of it and the mask that should come out.

    Parameters
    ----------
    image, mask : (H, W) arrays
    coarse : (h, w) array of int

    Returns
    -------
    Shown
    """
    image, coarse, mask = map(np.asarray, (image, coarse, mask))
    figure = photos(
        Photo(image, f"what goes in: {_size(image)}"),
        Photo(painted(coarse), f"a small answer: {_size(coarse)}"),
        Photo(painted(mask), f"what should come out: {_size(mask)}"),
        columns=3,
        tile=THIRD,
    )
    words = (
        "A photograph of 24 coins. Beside it a small mask, in which each coin is made of a few large blocks. Then the "
        "full mask, in which the coins are round."
    )
    return Shown(figure, words, coarse=coarse, mask=mask)


def copies_and_nails(x: ArrayLike, scale: int) -> Shown:
    """Show what nearest and the bed of nails make of a small image, and what nearest is not.

    Parameters
    ----------
    x : (H, W) array
    scale : int

    Returns
    -------
    Shown
    """
    x = np.asarray(x)
    nearest = x.repeat(scale, axis=0).repeat(scale, axis=1)
    nails, tiled = bed_of_nails(x, scale), np.tile(x, (scale, scale))
    figure = numbers(
        [
            Grid(x, "input", "input"),
            "→",
            Grid(nearest, "nearest", "output"),
            "or",
            Grid(nails, "bed of nails", "output", nails != 0),
            "not",
            Grid(tiled, "the image, repeated", "error"),
        ]
    )
    words = (
        "By nearest each pixel of the input has become a block of equal pixels. In the bed of nails each pixel stands "
        "in the top left corner of its block, marked, and all others are 0. Last, what nearest is not: several small "
        "copies of the whole image."
    )
    return Shown(figure, words, nearest=nearest, nails=nails, tiled=tiled)


def places(size: int, out_size: int, named: Collection[int] | None = None, both: bool = True) -> Shown:
    """Show the output's pixels over the input's, edge on edge and with the outer middles on each other.

    Parameters
    ----------
    size, out_size : int
        Pixels of the input and of the output along one side, at least 2 each.
    named : collection of int, optional
        The outputs whose places are written down; all, when left out.
    both : bool
        Also show the second convention, `align_corners=True`.

    Returns
    -------
    Shown
    """
    titles = ["edges lie on edges" + ": align_corners=False" * both]
    titles += ["the outer middles lie on each other: align_corners=True"] * both
    sources = [source_coordinates(size, out_size, align_corners=corners) for corners in (False, True)[: len(titles)]]
    figure = Figure(figsize=(9.0, 2.2 * len(titles)), dpi=DPI, facecolor=PAPER)
    for axes, title, source in zip(figure.subplots(len(titles), 1, squeeze=False)[:, 0], titles, sources, strict=True):
        _draw_places(axes, size, source, range(out_size) if named is None else named)
        axes.set_title(title, fontsize=10, loc="left", **FONT)
    figure.subplots_adjust(left=0.02, right=0.98, top=1 - 0.15 / len(titles), bottom=0.02, hspace=0.25)
    words = (
        f"A strip of {size} input pixels above a strip of {out_size} output pixels, equally long. A line goes up from "
        "the middle of each output pixel to a dot, the place of the input at which it looks."
    )
    if both:
        words += (
            " Below, the same with align_corners=True: the strip of outputs is shorter, the first output looks at the "
            "middle of the first pixel, and the last one at the middle of the last."
        )
    return Shown(figure, words, **dict(zip(("edges", "middles"), sources, strict=False)))


def half_pixels_forgotten(image: ArrayLike, coarse: ArrayLike, window: tuple[slice, slice]) -> Shown:
    """Show the outline of a coarse mask, enlarged with the half pixels in the source coordinate and without them.

    Parameters
    ----------
    image : (H, W) array
    coarse : (h, w) array of 0 and 1
    window : pair of slices
        The part of the image to show.

    Returns
    -------
    Shown
    """
    image = np.asarray(image)
    right = interpolate(np.asarray(coarse, float), image.shape)
    slid = _without_halves(np.asarray(coarse, float), image.shape)
    figure = photos(
        Photo(image[window], "with the two halves"),
        Photo(image[window], "without them"),
        columns=2,
        tile=4.4,
    )
    for axes, shares, role in zip(figure.axes, (right, slid), ("output", "error"), strict=True):
        for width, colour in ((4.0, PAPER), (2.2, ROLES[role].line)):  # a white rim: seen on any ground
            axes.contour(shares[window], levels=[0.5], colors=[colour], linewidths=width)
    words = (
        "Twice the same coins with an outline that was enlarged from the small mask. With the two halves it lies "
        "around the coins. Without them it lies too far to the upper left: at the right and below, it cuts the coins."
    )
    return Shown(figure, words, right=right, slid=slid)


def weights_by_distance() -> Shown:
    """Show how much a pixel counts, by its distance from the place at which an output looks: one curve for each rule.

    Returns
    -------
    Shown
    """
    distance = np.arange(-200, 201) / 100
    weights = {"nearest": (np.abs(distance) < 0.5).astype(float)}
    one = np.eye(1, 9, 4)  # one bright pixel, 100 steps for each pixel: what comes out is the curve itself
    for mode in MODES[1:]:
        weights[mode] = interpolate(one, (1, 801), mode=mode, align_corners=True)[0, 200:601]
    figure = curves(weights, "distance in pixels", "weight", x=distance)
    words = (
        "Three curves of a weight over the distance. Nearest is a box: 1 up to half a pixel, then 0. Bilinear is a "
        "tent: 1 at distance 0, straight down to 0 at distance 1. Bicubic is 1 at 0, falls smoothly to 0 at 1, and is "
        "slightly negative from there to 2."
    )
    return Shown(figure, words, **weights)


def enlarged_photo(image: ArrayLike, scale: int) -> Shown:
    """Show a photograph, enlarged by all four rules.

    Parameters
    ----------
    image : (H, W) array
    scale : int

    Returns
    -------
    Shown
    """
    image = np.asarray(image)
    large = {mode: interpolate(image, (image.shape[0] * scale, image.shape[1] * scale), mode=mode) for mode in MODES}
    large["bed of nails"] = bed_of_nails(image, scale)
    figure = photos(*(Photo(picture, name) for name, picture in large.items()), columns=2, tile=4.4)
    words = (
        "Four enlargements of the same coins. Nearest shows square blocks. Bilinear is soft and a little blurred. "
        "Bicubic is soft, and its edges are sharper. The bed of nails is black with small bright dots."
    )
    return Shown(figure, words, **{name.replace(" ", "_"): picture for name, picture in large.items()})


def fixed_matrices(size: int, scale: int) -> Shown:
    """Show the matrices of all four rules along one side.

    Parameters
    ----------
    size : int
        Pixels of the input.
    scale : int

    Returns
    -------
    Shown
    """
    matrices = {mode: axis_matrix(size, size * scale, mode=mode) for mode in MODES}
    matrices["bed of nails"] = bed_of_nails(np.eye(size), (scale, 1))  # what it does to each column of the identity
    row: list[Grid | str] = []
    for name, matrix in matrices.items():
        row += [Grid(matrix, name, "kernel", matrix != 0, decimals=2 if name.startswith("bi") else 0), " "]
    words = (
        f"Four matrices with {size * scale} rows and {size} columns. Nearest has a single 1 in each row. Bilinear has "
        "two weights in each row, only one in the first and in the last. Bicubic has up to four, and some are "
        "negative. In the bed of nails the rows between the nails are 0."
    )
    values = {name.replace(" ", "_"): matrix for name, matrix in matrices.items()}
    return Shown(numbers(row[:-1]), words, **values)


def enlarged_names(labels: ArrayLike, names: Mapping[int, str], scale: int) -> Shown:
    """Show a label map, enlarged by nearest, and by bilinear and rounding; what rounding invented is framed.

    Parameters
    ----------
    labels : (H, W) array of int
    names : mapping from class number to name
    scale : int

    Returns
    -------
    Shown
    """
    labels = np.asarray(labels)
    size = (labels.shape[0] * scale, labels.shape[1] * scale)
    copied = interpolate(labels, size, mode="nearest")
    averaged = np.rint(interpolate(labels, size)).astype(int)
    invented = ~np.isin(averaged, labels)
    gap, top = 0.2, 0.35
    cell = (WIDTH - 3 * gap) / 2 / size[1]
    figure, axes = canvas(WIDTH, top + size[0] * cell + 0.55)
    maps = {"nearest": (copied, np.zeros(size, bool)), "bilinear, then rounded": (averaged, invented)}
    for n, (title, (classes, framed)) in enumerate(maps.items()):
        left = gap + n * (gap + size[1] * cell)
        axes.text(left, top - 0.12, title, fontsize=10, fontweight="bold", **FONT)
        _draw_classes(axes, classes, framed, left, top, cell)
    for n, (number, name) in enumerate(names.items()):
        left = gap + n * 1.6
        rectangle(axes, (left, top + size[0] * cell + 0.2), 0.24, 0.22, CLASSES[number], INK, 0.6)
        write(axes, left + 0.12, top + size[0] * cell + 0.31, str(number), 9, va="center_baseline")
        axes.text(left + 0.32, top + size[0] * cell + 0.31, name, fontsize=10, va="center_baseline", **FONT)
    words = (
        "Two enlargements of a label map, with the class number in each pixel. By nearest each class keeps its blocks. "
        f"By bilinear and rounding, {np.count_nonzero(invented)} pixels, framed, have a class that stood nowhere: a "
        "rim of 2 between 1 and 3, and a rim of 4 between 3 and 5."
    )
    return Shown(figure, words, copied=copied, averaged=averaged)


def enlarged_outlines(by_nearest: ArrayLike, by_planes: ArrayLike, mask: ArrayLike) -> Shown:
    """Show a part of two enlarged masks beside the true one.

    Parameters
    ----------
    by_nearest, by_planes, mask : (H, W) arrays of 0 and 1

    Returns
    -------
    Shown
    """
    parts = {"nearest": by_nearest, "planes, averaged; the largest wins": by_planes, "the truth": mask}
    figure = photos(*(Photo(painted(part), title) for title, part in parts.items()), columns=3, tile=THIRD)
    words = (
        "A part of three masks. By nearest the coins have steps, like stairs. By planes their outlines are rounder. In "
        "the true mask they are round."
    )
    return Shown(figure, words, by_nearest=np.asarray(by_nearest, int), by_planes=np.asarray(by_planes, int))


def stamps(row: ArrayLike) -> Shown:
    """Show how stamps of bilinear, each two places further, add up to a row that is twice as long.

    Parameters
    ----------
    row : (n,) array

    Returns
    -------
    Shown
    """
    row = np.asarray(row)
    stamp = bilinear_kernel((1, 2))[0]
    laid = np.zeros((len(row), 2 * len(row) + 2))
    for n, value in enumerate(row):
        laid[n, 2 * n : 2 * n + 4] = value * stamp
    total = laid.sum(axis=0, keepdims=True)
    kept = np.ones(total.shape, bool)
    kept[0, [0, -1]] = False
    title = f"one stamp for each pixel: {', '.join(map(str, row))} times [0.25, 0.75, 0.75, 0.25]"
    figure = numbers(
        [Grid(laid, title, "kernel", laid != 0, decimals=2)],
        [Grid(total, "their sum, without the first and the last column", "output", kept, "output", decimals=2)],
        [Grid(interpolate(row[None], (1, 2 * len(row))), "bilinear, to compare", "output", decimals=2)],
    )
    words = (
        "One row for each pixel of the input, with its stamp; each stamp stands two places further right than the one "
        "above it. Below, their sum, and bilinear interpolation. The two are equal but for the last number, "
        f"{total[0, -2]:g} and {row[-1]:g}."
    )
    return Shown(figure, words, laid=laid, total=total)


def found_stamp(chosen: ArrayLike, found: ArrayLike) -> Shown:
    """Show the stamp of bicubic beside one that was found from data.

    Parameters
    ----------
    chosen, found : (8, 8) arrays

    Returns
    -------
    Shown
    """
    figure = numbers(
        [
            Grid(chosen, "bicubic: chosen by hand", "kernel", decimals=2),
            " ",
            Grid(found, "found from a photograph", "output", decimals=2),
        ]
    )
    words = (
        "Two stamps of 8 by 8 numbers. Both are large in the middle, with small negative numbers around. The found one "
        "is not quite symmetric; it is larger in the middle, and its negative numbers are deeper."
    )
    return Shown(figure, words, chosen=chosen, found=found)


def _size(image: NDArray[Any]) -> str:
    return f"{image.shape[0]} × {image.shape[1]}"


def _without_halves(x: NDArray[Any], size: tuple[int, ...]) -> NDArray[Any]:
    """Bilinear as beginners write it: output i looks at i·H/H′."""
    rows, columns = (
        np.maximum(1 - np.abs(np.minimum(np.arange(new) * old / new, old - 1)[:, None] - np.arange(old)), 0)
        for old, new in zip(x.shape, size, strict=True)
    )
    return np.asarray(rows @ x @ columns.T)


def _draw_places(axes: Axes, size: int, source: NDArray[Any], named: Collection[int]) -> None:
    """Two strips of pixels, and a line from the middle of each output to the place where it looks."""
    step = source[1] - source[0]
    for n in range(size):
        _draw_pixel(axes, n, 1.0, 0.0, "input", str(n))
    for i, place in enumerate(source):
        _draw_pixel(axes, place, step, 1.9, "output", str(i))
        axes.plot([place, place], [0.5, 1.9], color=ROLES["error"].line, linewidth=1)
        axes.plot(place, 0.5, "o", color=ROLES["error"].line, markersize=5)
        if i in named:
            text = f"{place:.3g}".replace("-", "−")
            axes.text(place + 0.05, 1.45, text, fontsize=9, ha="left", va="center", **FONT)
    axes.text(-1.45, 0.5, f"input, {size} pixels", fontsize=9, va="center", color=ROLES["input"].line)
    axes.text(-1.45, 2.3, f"output, {len(source)} pixels", fontsize=9, va="center", color=ROLES["output"].line)
    axes.set(xlim=(-1.5, size - 0.2), ylim=(2.75, -0.05))
    axes.set_axis_off()


def _draw_pixel(axes: Axes, centre: float, width: float, top: float, role: str, text: str) -> None:
    colour, height = ROLES[role], 1.0 if role == "input" else 0.8
    rectangle(axes, (centre - width / 2, top), width, height, colour.fill, colour.line)
    write(axes, centre, top + height * (0.2 if role == "input" else 0.5), text, 9)


def _draw_classes(
    axes: Axes, classes: NDArray[Any], framed: NDArray[np.bool_], left: float, top: float, cell: float
) -> None:
    """A grid of class numbers on the colours of their classes, some framed."""
    for (i, j), number in np.ndenumerate(classes):
        corner = (left + j * cell, top + i * cell)
        rectangle(axes, corner, cell, cell, CLASSES[number], PAPER, 0.5)
        write(axes, corner[0] + cell / 2, corner[1] + cell / 2, str(number), 8, va="center_baseline")
    for i, j in np.argwhere(framed):
        rectangle(axes, (left + j * cell, top + i * cell), cell, cell, None, ROLES["error"].line, 1.4)
