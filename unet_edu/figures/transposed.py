"""The pictures of lesson 04: matrices times columns, stamps that overlap, checkerboards, and what a layer learns.

`product`, `overlaps` and `patterns` return figures, as in `panels`; all others show themselves, with their words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from unet_edu.convolution import conv2d
from unet_edu.figures.palette import INK, PAPER, ROLES
from unet_edu.figures.panels import WIDTH, Grid, Photo, canvas, curves, numbers, photos, rectangle, write
from unet_edu.figures.shown import Shown
from unet_edu.transposed import conv_transpose2d, insert_zeros, overlap_count

__all__ = [
    "backwards",
    "blocks",
    "by_zeros",
    "connection_sums",
    "counts_of_stamps",
    "enlarged",
    "forwards",
    "learning",
    "new_layers",
    "opening",
    "overlaps",
    "patterns",
    "printed_table",
    "product",
    "round_trip",
    "same_output",
    "two_directions",
    "two_kernels",
    "two_sizes",
    "two_ways_back",
    "uncovered",
    "where_weights_stand",
]

MARGIN = 0.15  # inches
TITLE = 0.32
THIRD = WIDTH / 3  # inches: the widest of three photographs side by side


def opening(coarse: ArrayLike, new: ArrayLike) -> Shown:
    """Show a piece of a small photograph, and what a layer that has learned nothing makes of it.

    Parameters
    ----------
    coarse : (H, W) array
    new : (H', W') array

    Returns
    -------
    Shown
    """
    coarse, new = np.asarray(coarse), np.asarray(new)
    limit = float(np.abs(new).max())
    figure = photos(
        Photo(coarse, f"what goes in: {_size(coarse.shape)}"),
        Photo(new, f"what a new layer makes of it: {_size(new.shape)}", low=-limit, high=limit),
        columns=2,
        tile=4.0,
    )
    words = "On the left two coins, in coarse pixels. On the right twice as many pixels: the coins are there, behind "
    return Shown(figure, words + "a regular pattern of bright and dark squares.", coarse=coarse, new=new)


def two_directions(large: ArrayLike, w: ArrayLike, pixel: tuple[int, int] = (1, 1)) -> Shown:
    """Show the pixels that make the first output, and the outputs that one pixel feeds.

    Parameters
    ----------
    large : (H, W) array
    w : (kH, kW) array
    pixel : (row, column)
        One that feeds all outputs.

    Returns
    -------
    Shown
    """
    large, w = np.asarray(large), np.asarray(w)
    shrunk = conv2d(large, w)
    window, first, one = (np.zeros(shape, bool) for shape in (large.shape, shrunk.shape, large.shape))
    window[: w.shape[0], : w.shape[1]] = first[0, 0] = one[pixel] = True
    weights = np.array([[w[pixel[0] - i, pixel[1] - j] for j in range(shrunk.shape[1])] for i in range(len(shrunk))])
    row: list[Grid | str] = [
        Grid(large, "nine pixels …", "input", window),
        "∗",
        Grid(w, "kernel w", "kernel"),
        "=",
        Grid(shrunk, "… one number", "output", first),
        "  ",
        Grid(large, "one pixel …", "input", one),
        "→",
        Grid(weights, "… times\nfour weights", "kernel"),
    ]
    words = (
        f"Left: the large image, the kernel, and what the convolution makes of them: {_listed(shrunk)}. The "
        f"window of "
        f"nine pixels at the top left is framed, and the number {shrunk[0, 0]} that it becomes. Right: one pixel, "
        f"{large[pixel]}, is framed, and the weights with which it goes into the numbers: {_listed(weights)}."
    )
    return Shown(numbers(row), words, large=large, w=w, shrunk=shrunk, weights=weights)


def forwards(A: ArrayLike, large: ArrayLike, row: int | None = None, name: str = "A") -> Shown:
    """Show a convolution matrix times the large image as a column.

    Parameters
    ----------
    A : (m, n) array
    large : array of n numbers
    row : int, optional
        One to frame, with what it makes.
    name : str
        Of the matrix.

    Returns
    -------
    Shown
    """
    A, column = np.asarray(A), np.asarray(large).ravel()
    titles = (f"{name}, {_size(A.shape)}", "large, flattened", f"{name} large")
    words = (
        f"A matrix with {A.shape[0]} rows and {A.shape[1]} columns, times the large image as a column of "
        f"{len(column)} "
        f"numbers, gives {_listed(A @ column)}. Weights stand on a coloured ground, zeros on white: in each row "
        f"the "
        f"weights of one window.{_framed(A, column, row)}"
    )
    return Shown(product(A, column, titles, row=row), words, A=A, made=A @ column)


def backwards(A: ArrayLike, small: ArrayLike, row: int | None = None) -> Shown:
    """Show the transposed matrix times the small image as a column.

    Parameters
    ----------
    A : (m, n) array
        The convolution matrix, not transposed.
    small : array of m numbers
    row : int, optional
        A row of the transposed matrix to frame, with what it makes.

    Returns
    -------
    Shown
    """
    turned, column = np.asarray(A).T, np.asarray(small).ravel()
    titles = (f"Aᵀ, {_size(turned.shape)}", "small, flattened", "Aᵀ small")
    figure = product(turned, column, titles, ("kernel", "output", "input"), row)
    words = (
        f"A matrix with {turned.shape[0]} rows and {turned.shape[1]} columns, times the small image as a column, "
        f"{_listed(column)}, gives a column of {len(turned)} numbers: {_listed(turned @ column)}."
        f"{_framed(turned, column, row)}"
    )
    return Shown(figure, words, A=A, made=turned @ column)


def where_weights_stand(matrices: Mapping[str, ArrayLike]) -> Shown:
    """Show where the weights stand in matrices that are too large to read.

    Parameters
    ----------
    matrices : mapping from title to (m, n) array

    Returns
    -------
    Shown
    """
    words = "Matrices as pictures: a square for each weight, white for each zero. "
    words += " ".join(
        f"{title}: {_size(np.shape(matrix))}, with {np.count_nonzero(matrix)} weights, in slanting bands."
        for title, matrix in matrices.items()
    )
    values = {f"matrix_{number}": matrix for number, matrix in enumerate(matrices.values())}
    return Shown(patterns(matrices), words, **values)


def printed_table(table: ArrayLike) -> Shown:
    """Show a table of numbers as somebody printed it.

    Parameters
    ----------
    table : (m, n) array of int

    Returns
    -------
    Shown
    """
    table = np.asarray(table)
    words = "Rows of numbers that look like the convolution matrix: " + "; ".join(" ".join(map(str, r)) for r in table)
    return Shown(numbers([Grid(table, "as it was printed", "neutral")]), words + ".", table=table)


def connection_sums(A: ArrayLike, large: ArrayLike, small: ArrayLike) -> Shown:
    """Show for each connection the product of its small number, its weight and its pixel; all rows and columns added.

    Parameters
    ----------
    A : (m, n) array
    large : array of n numbers
    small : array of m numbers

    Returns
    -------
    Shown
    """
    A, large, small = np.asarray(A), np.asarray(large).ravel(), np.asarray(small).ravel()
    terms = small[:, None] * A * large
    rows, columns, total = terms.sum(axis=1), terms.sum(axis=0), terms.sum()
    cell, gap, wide = 0.43, 0.22, 0.62
    width, height = terms.shape[1] * cell, len(terms) * cell
    figure, axes = canvas(width + gap + wide + 3 * MARGIN, TITLE + height + gap + cell + TITLE + MARGIN)
    right, below = MARGIN + width + gap, TITLE + height + gap
    write(axes, MARGIN + width / 2, TITLE / 2, "small · A · large: one product for each connection", 10, INK)
    write(axes, right + wide / 2, TITLE / 2, "rows", 10, ROLES["output"].line, fontweight="bold")
    write(axes, MARGIN + width / 2, below + cell + TITLE / 2, "columns", 10, ROLES["input"].line, fontweight="bold")
    _cells(axes, terms, MARGIN, TITLE, cell, "neutral", A != 0)
    for r, number in enumerate(rows):
        _cell(axes, f"{number}", (right, TITLE + r * cell), (wide, cell), "output")
    for c, number in enumerate(columns):
        _cell(axes, f"{number}", (MARGIN + c * cell, below), (cell, cell), "input")
    _cell(axes, f"{total}", (right, below), (wide, cell), "kernel")
    words = (
        f"The matrix again, {_size(A.shape)}. Each of the {np.count_nonzero(A)} places where a weight stands now "
        f"holds "
        f"the product of a small number, the weight and a pixel. To the right of each row its sum: "
        f"{_listed(rows)}. "
        f"Below each column its sum: {_listed(columns)}. In the corner the sum of either: {total}."
    )
    return Shown(figure, words, terms=terms)


def round_trip(large: ArrayLike, back: ArrayLike) -> Shown:
    """Show an image beside what comes back of it.

    Parameters
    ----------
    large, back : (H, W) arrays

    Returns
    -------
    Shown
    """
    large, back = np.asarray(large), np.asarray(back)
    row: list[Grid | str] = [Grid(large, "large", "input"), "and", Grid(back, "Aᵀ A large", "error")]
    words = (
        f"The image, with numbers from {large.min()} to {large.max()}, beside what comes back, with numbers from "
        f"{back.min()} to {back.max()}."
    )
    return Shown(numbers(row), words, large=large, back=back)


def same_output(one: ArrayLike, other: ArrayLike, w: ArrayLike) -> Shown:
    """Show two images, and beside each what the convolution makes of it.

    Parameters
    ----------
    one, other : (H, W) arrays
    w : (kH, kW) array

    Returns
    -------
    Shown
    """
    one, other = np.asarray(one), np.asarray(other)
    outputs = conv2d(one, w), conv2d(other, w)
    rows: list[list[Grid | str]] = [
        [Grid(one, "large", "input"), "→", Grid(outputs[0], "A large", "output")],
        [Grid(other, "another image", "input"), "→", Grid(outputs[1], "A other", "output")],
    ]
    words = (
        f"Two {_size(one.shape)} images that differ in {np.count_nonzero(one != other)} of {one.size} pixels. "
        f"Beside them their outputs, {_listed(outputs[0])} and {_listed(outputs[1])}."
    )
    return Shown(numbers(*rows), words, other=other, output=outputs[1])


def two_ways_back(small: ArrayLike, A_plus: ArrayLike, A: ArrayLike) -> Shown:
    """Show what the pseudo-inverse and the transpose of a convolution matrix make of a small image.

    Parameters
    ----------
    small : (h, w) array
    A_plus : (n, m) array
    A : (m, n) array
        n is the number of pixels of a square image.

    Returns
    -------
    Shown
    """
    small, A_plus, A = np.asarray(small), np.asarray(A_plus), np.asarray(A)
    side = round(A.shape[1] ** 0.5)
    best, grown = ((matrix @ small.ravel()).reshape(side, side) for matrix in (A_plus, A.T))
    row: list[Grid | str] = [
        Grid(small, "small", "output"),
        "→",
        Grid(best, "A⁺ small, pseudo-inverse", "neutral", decimals=2),
        "and",
        Grid(grown, "Aᵀ small, transpose", "input"),
    ]
    words = (
        f"From the same {_size(small.shape)} image the pseudo-inverse makes numbers from {best.min():.2f} to "
        f"{best.max():.2f}, and the transpose numbers from {grown.min()} to {grown.max()}."
    )
    return Shown(numbers(row), words, best=best, grown=grown)


def two_kernels(learned: ArrayLike, best: ArrayLike) -> Shown:
    """Show a kernel that was learned beside the best one.

    Parameters
    ----------
    learned, best : (k, k) arrays

    Returns
    -------
    Shown
    """
    learned, best = np.asarray(learned), np.asarray(best)
    row: list[Grid | str] = [
        Grid(learned, "learned, step by step", "output", decimals=2),
        "and",
        Grid(best, "the best, by least squares", "kernel", decimals=2),
    ]
    words = (
        f"Two {_size(best.shape)} kernels of much the same shape: large numbers at the four places in the "
        f"middle, negative "
        f"ones beside them, small ones outside. They differ by at most {np.abs(learned - best).max():.2f}."
    )
    return Shown(numbers(row), words, learned=learned, best=best)


def by_zeros(small: ArrayLike, w: ArrayLike, stride: int = 1) -> Shown:
    """Show a transposed convolution as a convolution: zeros between and around the pixels, and the kernel turned.

    Parameters
    ----------
    small : (h, w) array
    w : (k, k) array
    stride : int

    Returns
    -------
    Shown
    """
    small, w = np.asarray(small), np.asarray(w)
    around = np.pad(insert_zeros(small, stride), len(w) - 1)
    nails = np.pad(insert_zeros(np.ones_like(small), stride), len(w) - 1) > 0
    turned = w[::-1, ::-1]
    result = conv2d(around, turned)
    where = "zeros around" if stride == 1 else f"stride {stride}: zeros between and around"
    row: list[Grid | str] = [
        Grid(around, f"small, {where}", "neutral", nails, "output"),
        "∗",
        Grid(turned, "w, turned", "kernel"),
        "=",
        Grid(result, f"{_size(result.shape)}", "input"),
    ]
    words = (
        f"The numbers of the small image in a {_size(around.shape)} grid of zeros, {stride} "
        f"{'place' if stride == 1 else 'places'} apart. Convolved with the turned kernel they give a "
        f"{_size(result.shape)} image, whose first row is {_listed(result[0])}."
    )
    return Shown(numbers(row), words, around=around, result=result)


def two_sizes(from_matrix: ArrayLike, plain: ArrayLike, more: ArrayLike) -> Shown:
    """Show what the transposed matrix gives, and the layer without and with output padding.

    Parameters
    ----------
    from_matrix, plain, more : (H, W) arrays

    Returns
    -------
    Shown
    """
    from_matrix, plain, more = map(np.asarray, (from_matrix, plain, more))
    row: list[Grid | str] = [
        Grid(from_matrix, "A2ᵀ small", "input"),
        "but",
        Grid(plain, "stride 2, padding 1", "input"),
        "and",
        Grid(more, "… and output_padding 1", "input"),
    ]
    words = (
        f"The transposed matrix gives a {_size(from_matrix.shape)} image. The layer with stride 2 and padding 1 "
        f"gives "
        f"only {_size(plain.shape)}, its top left part. With output padding 1 it gives all of it again."
    )
    return Shown(numbers(row), words, from_matrix=from_matrix, plain=plain, more=more)


def uncovered(small: ArrayLike, w: ArrayLike) -> Shown:
    """Show, for stride 2 and padding 1, which part of all stamps is kept without and with output padding.

    Parameters
    ----------
    small : (h, w) array
    w : (k, k) array

    Returns
    -------
    Shown
    """
    everything = conv_transpose2d(small, w, stride=2)
    kept = np.zeros((2, *everything.shape), bool)
    kept[0, 1:-1, 1:-1] = kept[1, 1:, 1:] = True
    sizes = [_size((len(everything) - cut, everything.shape[1] - cut)) for cut in (2, 1)]
    row: list[Grid | str] = [
        Grid(everything, f"padding 1 keeps {sizes[0]}", "neutral", kept[0], "input"),
        "  ",
        Grid(everything, f"with output_padding 1: {sizes[1]}", "neutral", kept[1], "input"),
    ]
    words = (
        f"All stamps together, {_size(everything.shape)}, twice. On the left the {sizes[0]} pixels in the middle "
        f"are "
        f"framed, on the right {sizes[1]}, up to the lower right corner. The last row is {_listed(everything[-1])}."
    )
    return Shown(numbers(row), words, everything=everything)


def counts_of_stamps(settings: Sequence[tuple[int, int]], size: int = 5) -> Shown:
    """Show, along one side, how many stamps reach each pixel.

    Parameters
    ----------
    settings : sequence of (kernel, stride)
    size : int
        How many pixels stamp.

    Returns
    -------
    Shown
    """
    counts = {f"kernel {kernel}, stride {stride}": overlap_count(size, kernel, stride) for kernel, stride in settings}
    words = f"{size} bars, one for each stamp, and below them how many bars cover each pixel. " + " ".join(
        f"{title[0].upper()}{title[1:]}: {' '.join(map(str, number))}." for title, number in counts.items()
    )
    return Shown(overlaps(settings, size), words, **dict(zip("abcdefgh", counts.values(), strict=False)))


def new_layers(enlarged: Mapping[str, ArrayLike]) -> Shown:
    """Show a piece of what is made of a flat image, with negative numbers in another colour.

    Parameters
    ----------
    enlarged : mapping from title to (H, W) array

    Returns
    -------
    Shown
    """
    pieces = {title: np.asarray(image)[6:18, 6:18] for title, image in enlarged.items()}
    figure = photos(*(Photo(piece, fill(title, 24), signed=True) for title, piece in pieces.items()))
    words = "What becomes of an image that is 1 everywhere, 12×12 pixels from its middle. " + " ".join(
        f"{title}: {'flat' if np.ptp(piece) < 1e-5 else 'a regular pattern of squares'}, from {piece.min():.2f} to "
        f"{piece.max():.2f}.".replace("-", "−")
        for title, piece in pieces.items()
    )
    return Shown(figure, words, **{f"piece_{number}": piece for number, piece in enumerate(pieces.values())})


def learning(errors: ArrayLike, levels: Mapping[str, float], first: int = 0) -> Shown:
    """Show an error that falls from step to step, beside the errors of rules, which stay.

    Parameters
    ----------
    errors : (n,) array
    levels : mapping from name to error
    first : int
        The first step to show: the errors before it may be too large for the picture.

    Returns
    -------
    Shown
    """
    errors = np.asarray(errors)
    steps = np.arange(first, len(errors))
    lines = {name: np.full(len(steps), level) for name, level in levels.items()}
    figure = curves({"learned, step by step": errors[first:]} | lines, "step", "error (grey levels)", x=steps)
    said = ", ".join(f"{name} {level:.2f}" for name, level in levels.items())
    begin = f"{errors[first]:.1f} at step {first}, where the picture begins, " if first else ""
    words = (
        f"A curve that falls, ever more slowly: the error is {errors[0]:.1f} at step 0, {begin}and {errors[-1]:.2f} at "
        f"the end. Beside it level lines: {said}."
    )
    return Shown(figure, words, errors=errors, levels=list(levels.values()))


def enlarged(images: Mapping[str, ArrayLike], piece: tuple[int, int, int, int]) -> Shown:
    """Show the same piece of an original and of what several ways made of its small version.

    Parameters
    ----------
    images : mapping from title to (H, W) array
        The original first.
    piece : (top, left, height, width)

    Returns
    -------
    Shown
    """
    top, left, height, width = piece
    pieces = {title: np.asarray(image)[top : top + height, left : left + width] for title, image in images.items()}
    figure = photos(*(Photo(image, title) for title, image in pieces.items()), columns=3, tile=THIRD)
    first, *others = pieces.values()
    said = ", ".join(
        f"{title} {255 * np.abs(image - first).mean():.1f}" for title, image in zip([*pieces][1:], others, strict=True)
    )
    words = (
        f"The same piece of a photograph {len(pieces)} times: {', '.join(pieces)}. All but the first are less "
        f"sharp. "
        f"How far their pixels are from it, on average, in grey levels: {said}."
    )
    return Shown(figure, words, **{f"piece_{number}": image for number, image in enumerate(pieces.values())})


def blocks(small: ArrayLike, w: ArrayLike) -> Shown:
    """Show a transposed convolution whose stride is as large as its kernel: each number makes its own block.

    Parameters
    ----------
    small : (h, w) array
    w : (k, k) array

    Returns
    -------
    Shown
    """
    small, w = np.asarray(small), np.asarray(w)
    result = conv_transpose2d(small, w, stride=len(w))
    row: list[Grid | str] = [
        Grid(small, "small", "output"),
        "→",
        Grid(w, "kernel w", "kernel"),
        "=",
        Grid(result, "each number its own block", "input"),
    ]
    words = (
        f"The {_size(small.shape)} image and a {_size(w.shape)} kernel, {_listed(w)}. The result is "
        f"{_size(result.shape)}: {small.size} blocks, each the kernel times one number of the image."
    )
    return Shown(numbers(row), words, result=result)


def product(
    A: ArrayLike,
    x: ArrayLike,
    titles: tuple[str, str, str],
    roles: tuple[str, str, str] = ("kernel", "input", "output"),
    row: int | None = None,
) -> Figure:
    """Draw a matrix, a column, and their product. Where the matrix has a zero its cell is white: its pattern shows.

    Parameters
    ----------
    A : (m, n) array of whole numbers
    x : (n,) array of whole numbers
    titles : three str
        What stands over the matrix, the column and the product.
    roles : three str
        Their colours, each one of `palette.ROLES`.
    row : int, optional
        A row of the matrix to frame, with the number that it makes.

    Returns
    -------
    matplotlib.figure.Figure
    """
    A, x = np.asarray(A), np.asarray(x)
    grids = [A, x[:, None], (A @ x)[:, None]]
    cell, gap = 0.29, 0.9
    rows, columns = max(map(len, grids)), sum(grid.shape[1] for grid in grids)
    width, height = columns * cell + 2 * gap + 2 * (MARGIN + gap / 2), TITLE + rows * cell + MARGIN
    figure, axes = canvas(width, height)
    left = MARGIN + gap / 2  # half a gap: a title may be wider than its column
    for sign, grid, title, role in zip(("", "×", "="), grids, titles, roles, strict=True):
        top = TITLE + (rows - len(grid)) * cell / 2
        write(axes, left - gap / 2, TITLE + rows * cell / 2, sign, 14)
        write(axes, left + grid.shape[1] * cell / 2, top - 0.13, title, 9.5, ROLES[role].line, fontweight="bold")
        _cells(axes, grid, left, top, cell, role, grid != 0 if grid is A else np.ones(grid.shape, bool))
        if row is not None and sign != "×":
            rectangle(axes, (left, top + row * cell), grid.shape[1] * cell, cell, None, INK, 2.2, zorder=3)
        left += grid.shape[1] * cell + gap
    return figure


def overlaps(settings: Sequence[tuple[int, int]], size: int = 5) -> Figure:
    """Draw, along one side, where each input pixel stamps its kernel and how many stamps each output pixel gets.

    Where inner pixels do not all get the same number, those that get more are framed.

    Parameters
    ----------
    settings : sequence of (kernel, stride)
        One panel each, side by side.
    size : int
        How many input pixels.

    Returns
    -------
    matplotlib.figure.Figure
    """
    panels = [(kernel, stride, overlap_count(size, kernel, stride)) for kernel, stride in settings]
    gap, bar = 0.4, 0.17
    taken = 2 * MARGIN + gap * (len(panels) - 1)
    columns = sum(len(counts) for _, _, counts in panels)
    cell = min(0.3, (WIDTH - taken) / columns)
    bottom = TITLE + size * bar + 0.1  # where the counts begin
    figure, axes = canvas(columns * cell + taken, bottom + cell + MARGIN)
    left = MARGIN
    for kernel, stride, counts in panels:
        write(axes, left + len(counts) * cell / 2, TITLE / 2, f"kernel {kernel}, stride {stride}", 9.5, INK)
        for i in range(size):
            place = (left + i * stride * cell, TITLE + i * bar)
            kernel_colour = ROLES["kernel"]
            rectangle(axes, place, kernel * cell, 0.7 * bar, kernel_colour.fill, kernel_colour.line)
        _cells(axes, counts[None], left, bottom, cell, "output", counts[None] > 0)
        inside = np.arange(len(counts))[kernel - 1 : 1 - kernel or None]
        for j in inside[counts[inside] > counts[inside].min(initial=len(counts))]:
            rectangle(axes, (left + j * cell, bottom), cell, cell, None, ROLES["error"].line, 2, zorder=3)
        left += len(counts) * cell + gap
    return figure


def patterns(matrices: Mapping[str, ArrayLike]) -> Figure:
    """Draw where large matrices have weights, side by side: a filled square for each, nothing for a zero.

    Parameters
    ----------
    matrices : mapping from title to (m, n) array

    Returns
    -------
    matplotlib.figure.Figure
    """
    grids = {title: np.asarray(matrix) for title, matrix in matrices.items()}
    gap = 0.35
    taken = 2 * MARGIN + gap * (len(grids) - 1)
    columns, rows = sum(grid.shape[1] for grid in grids.values()), max(map(len, grids.values()))
    cell = min(0.16, (WIDTH - taken) / columns)
    figure, axes = canvas(columns * cell + taken, TITLE + rows * cell + MARGIN)
    left, colour = MARGIN, ROLES["kernel"].line
    for title, grid in grids.items():
        write(axes, left + grid.shape[1] * cell / 2, TITLE / 2, title, 9.5, colour, fontweight="bold")
        for i, j in np.argwhere(grid):
            rectangle(axes, (left + j * cell, TITLE + i * cell), 0.9 * cell, 0.9 * cell, colour, colour, 0)
        rectangle(axes, (left, TITLE), grid.shape[1] * cell, len(grid) * cell, None, ROLES["neutral"].line, 1, zorder=3)
        left += grid.shape[1] * cell + gap
    return figure


def _size(shape: Sequence[int]) -> str:
    return f"{shape[0]}×{shape[1]}"


def _listed(values: ArrayLike) -> str:
    return ", ".join(f"{number}" for number in np.asarray(values).ravel().tolist()).replace("-", "−")


def _framed(A: NDArray[Any], column: NDArray[Any], row: int | None) -> str:
    if row is None:
        return ""
    products = " + ".join(f"{a}·{b}" for a, b in zip(A[row], column, strict=True) if a)
    return f" Row {row} is framed: {products} = {A[row] @ column}."


def _cell(axes: Axes, text: str, corner: tuple[float, float], size: tuple[float, float], role: str) -> None:
    rectangle(axes, corner, *size, ROLES[role].fill, ROLES[role].line, 0.8)
    write(axes, corner[0] + size[0] / 2, corner[1] + size[1] / 2, text.replace("-", "−"), 10)


def _cells(
    axes: Axes, grid: NDArray[Any], left: float, top: float, cell: float, role: str, filled: NDArray[np.bool_]
) -> None:
    widest = max(len(f"{number}") for number in grid.ravel())
    size = float(np.clip(0.84 * cell * 72 / (0.64 * widest), 8, 10))
    for (i, j), number in np.ndenumerate(grid):
        place = (left + j * cell, top + i * cell)
        ground, ink = (ROLES[role].fill, INK) if filled[i, j] else (PAPER, ROLES["neutral"].line)
        rectangle(axes, place, cell, cell, ground, ROLES["neutral"].fill, 0.8)
        write(axes, place[0] + cell / 2, place[1] + cell / 2, f"{number}".replace("-", "−"), size, ink)
    rows, columns = grid.shape
    rectangle(axes, (left, top), columns * cell, rows * cell, None, ROLES[role].line, 1.2, zorder=3)
