"""The motions of the course, each as a loop: one call a loop, with its words. How one is shown is in `film`.

Each function takes the numbers that a lesson has anyway, and computes the rest with the library's operators.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from unet_edu.convolution import conv2d
from unet_edu.figures.film import (
    CELL,
    GAP,
    GLIDE,
    LINE,
    MARGIN,
    TITLE,
    Film,
    Loop,
    between,
    draw_grid,
    in_words,
    say,
    side_by_side,
    steps,
    texts_of,
    where,
    window,
)
from unet_edu.figures.palette import INK, PAPER, ROLES
from unet_edu.figures.panels import DPI, arrow, canvas, rectangle, write
from unet_edu.figures.scene import number
from unet_edu.interpolation import interpolate
from unet_edu.matrix import conv2d_matrix
from unet_edu.pooling import avg_pool2d, max_pool2d, max_unpool2d
from unet_edu.transposed import conv_transpose2d, overlap_count

__all__ = [
    "Loop",
    "checkerboard",
    "index_jumping",
    "rows_filling",
    "shrinking_and_growing",
    "stamps_adding",
    "window_sliding",
]

SIDE = 128  # pixels of a photograph, each of which is one of the picture


def window_sliding(x: ArrayLike, w: ArrayLike) -> Loop:
    """A convolution at work: the window slides over the image, and each place gives one number. Lesson 02.

    Parameters
    ----------
    x : (H, W) array
        The image. With up to 16 places of the window one can follow.
    w : (kH, kW) array
        The kernel.

    Returns
    -------
    Loop
    """
    x, w = np.asarray(x), np.asarray(w)
    y = conv2d(x, w)
    (H, W), (kH, kW), (rows, columns) = x.shape, w.shape, y.shape
    lefts, tops, middle = side_by_side(x, w, y)
    width, foot = max(lefts[2] + columns * CELL + MARGIN, 5.4), middle + max(H, kH) * CELL / 2 + 0.3
    places = list(np.ndindex(rows, columns))
    sums = [_sum(x[i : i + kH, j : j + kW], w, width) for i, j in places]
    height = foot + LINE * max(map(len, sums)) - 0.02

    def draw(place: tuple[float, float], done: int, is_there: bool) -> Figure:
        figure, axes = canvas(width, height)
        lit, corners, newest = np.zeros((H, W), bool), np.full((H, W), "", object), np.zeros((rows, columns), bool)
        if is_there:
            i, j = places[done - 1]
            newest[i, j] = lit[i : i + kH, j : j + kW] = True
            corners[lit] = [f"×{text}" for text in texts_of(w).ravel()]
        known = np.arange(y.size).reshape(y.shape) < done
        draw_grid(axes, (lefts[0], tops[0]), texts_of(x), "input", "image", lit=lit, corners=corners)
        draw_grid(axes, (lefts[1], tops[1]), texts_of(w), "kernel", "kernel", lit=np.full(w.shape, is_there))
        draw_grid(axes, (lefts[2], tops[2]), np.where(known, texts_of(y), ""), "output", "output", lit=newest)
        write(axes, lefts[1] - GAP / 2, middle, "∗", 18)
        write(axes, lefts[2] - GAP / 2, middle, "=", 18)
        window(axes, (lefts[0] + place[1] * CELL, tops[0] + place[0] * CELL), kH, kW, "kernel")
        for line, text in enumerate(sums[done - 1]):
            say(axes, lefts[0], foot + LINE * line, text)
        return figure

    film, hold, still = Film(), min(1.1, 6 / len(places) - 3 * GLIDE), 0
    for k, place in enumerate(places):
        if k:
            for part in steps(4):
                film.add(draw(between(places[k - 1], place, part), k, is_there=False), GLIDE)
        added = film.add(draw(place, k + 1, is_there=True), hold if k + 1 < len(places) else 1.9)
        still = added if k == len(places) // 2 else still
    words = (
        f"A window of {kH} by {kW} pixels slides over an image of {H} by {W}, row after row, to {len(places)} places. "
        "At each place the numbers in the window are multiplied with the kernel's, number by number, and added up. "
        f"The sum is one number of the output, which has {rows} by {columns}: {in_words(y)}."
    )
    return film.loop(words, still, x=x, w=w, output=y)


def _sum(patch: NDArray[Any], w: NDArray[Any], width: float) -> list[str]:
    """The products of one place, weight first as the explorers write them, and their sum, in lines that fit."""
    products = [f"{number(b)}·{number(a)}" for a, b in zip(patch.ravel(), w.ravel(), strict=True)]
    return textwrap.wrap(f"{' + '.join(products)} = {number((patch * w).sum())}", int((width - 2 * MARGIN) / 0.088))


def stamps_adding(small: ArrayLike, w: ArrayLike, stride: int = 1) -> Loop:
    """A transposed convolution at work: each pixel stamps the kernel, and where stamps overlap they add up. Lesson 04.

    Parameters
    ----------
    small : (H, W) array
        The image that grows. Four to six pixels are good to follow.
    w : (kH, kW) array
        The kernel.
    stride : int
        How far apart neighbouring pixels stamp.

    Returns
    -------
    Loop
    """
    small, w = np.asarray(small), np.asarray(w)
    large = conv_transpose2d(small, w, stride=stride)
    (H, W), (kH, kW) = small.shape, w.shape
    lefts, tops, middle = side_by_side(small, w, large)
    width, foot = lefts[2] + large.shape[1] * CELL + MARGIN, middle + large.shape[0] * CELL / 2 + 0.28
    places = list(np.ndindex(H, W))
    under = [np.s_[i * stride : i * stride + kH, j * stride : j * stride + kW] for i, j in places]
    sums, times = [np.zeros_like(large)], [np.zeros(large.shape, int)]
    for place, cells in zip(places, under, strict=True):
        sums.append(sums[-1].copy())
        times.append(times[-1].copy())
        sums[-1][cells] += small[place] * w
        times[-1][cells] += 1

    def draw(k: int, stamp: tuple[float, float] | None = None, is_landed: bool = False) -> Figure:
        """After k stamps: the next one at a place, or all is done."""
        figure, axes = canvas(width, foot + 0.24)
        texts, chosen, lit = np.where(times[k], texts_of(sums[k]), ""), np.zeros(small.shape, bool), times[k] > 1
        text = "filled: here stamps overlap, and add up"
        if stamp:
            chosen[places[k]], lit = True, np.zeros(large.shape, bool)
            mine = texts_of(small[places[k]] * w)
            text = f"pixel at {where(places[k], H, W)}: its stamp is {number(small[places[k]])} · kernel"
            if is_landed:
                lit[under[k]] = True
                texts[under[k]] = np.where(times[k][under[k]], texts[under[k]] + "+" + mine, mine)
            else:
                draw_grid(axes, stamp, mine, "kernel", lit=np.ones(w.shape, bool), layer=4)
            window(axes, stamp, kH, kW, "kernel")
        draw_grid(axes, (lefts[0], tops[0]), texts_of(small), "output", "small", lit=chosen)
        draw_grid(axes, (lefts[1], tops[1]), texts_of(w), "kernel", "kernel")
        draw_grid(axes, (lefts[2], tops[2]), texts, "input", f"large, stride {stride}", lit=lit, longest=5)
        say(axes, lefts[0], foot, text)
        return figure

    film, hold, still = Film(), max(0.2, min(0.75, 5.2 / len(places) / 2 - 3 * GLIDE)), 0
    for k, (i, j) in enumerate(places):
        start, end = (lefts[1], tops[1]), (lefts[2] + j * stride * CELL, tops[2] + i * stride * CELL)
        film.add(draw(k, start), hold)
        for part in steps(6):
            film.add(draw(k, between(start, end, part)), GLIDE)
        still = film.add(draw(k, end, is_landed=True), hold + 0.2)
    film.add(draw(len(places)), 1.7)
    words = (
        f"A small image of {H} by {W} pixels, a kernel of {kH} by {kW}, and a large image of {large.shape[0]} by "
        f"{large.shape[1]}. Each pixel in turn is multiplied with the whole kernel: that is its stamp. The stamp moves "
        f"to its place in the large image, {stride} pixel{'s' * (stride > 1)} from that of the pixel beside it, and is "
        f"added to what is there. In the end the large image is {in_words(large)}."
    )
    return film.loop(words, still, small=small, w=w, large=large)


def rows_filling(w: ArrayLike, size: tuple[int, int] = (4, 4)) -> Loop:
    """How the convolution matrix comes about: the kernel lies on zeros, and becomes a row. Lesson 04.

    Parameters
    ----------
    w : (kH, kW) array
        The kernel.
    size : (H, W)
        Height and width of the image. For 4×4 the matrix has 16 columns.

    Returns
    -------
    Loop
    """
    w, (H, W) = np.asarray(w), size
    (kH, kW), A = w.shape, conv2d_matrix(w, size)
    is_weight = conv2d_matrix(np.ones(w.shape, int), size).astype(bool)
    rows, columns = H - kH + 1, W - kW + 1
    cell = min(0.4, (9.2 - 2 * MARGIN - 2 * GAP) / (W + H * W))
    left, top, tall = MARGIN + W * cell + 2 * GAP, MARGIN + TITLE - 0.1, max(H, len(A))
    foot = top + tall * cell + 0.28
    grid_at, matrix_at = (MARGIN, top + (tall - H) * cell / 2), (left, top + (tall - len(A)) * cell / 2)

    def draw(k: int, part: float | None = None, is_filled: bool = False) -> Figure:
        """The kernel at place k; the rows of its grid on their way, a part of it; or arrived."""
        figure, axes = canvas(left + H * W * cell + MARGIN, foot + 0.22)
        filled = np.arange(len(A))[:, None] < k + is_filled
        draw_grid(
            axes, matrix_at, np.where(filled, texts_of(A), ""), "kernel", f"matrix A: {len(A)} rows, {H * W} columns",
            lit=filled & is_weight, faint=filled & ~is_weight, cell=cell,
        )  # fmt: skip
        for block in range(1, H):
            x = matrix_at[0] + block * W * cell
            axes.plot([x, x], [matrix_at[1], matrix_at[1] + len(A) * cell], color=INK, linewidth=1.4, zorder=3)
        laid, weights = texts_of(A[k].reshape(size)), is_weight[k].reshape(size)
        draw_grid(axes, grid_at, laid, "kernel", "kernel on zeros", lit=weights, faint=~weights, cell=cell)
        for strip in range(H if part is not None else 0):
            end = matrix_at[0] + strip * W * cell, matrix_at[1] + k * cell
            at, only = between((grid_at[0], grid_at[1] + strip * cell), end, part or 0.0), np.s_[strip : strip + 1]
            how: dict[str, Any] = {"lit": weights[only], "faint": ~weights[only], "layer": 4 + 2 * strip}
            draw_grid(axes, at, laid[only], "kernel", cell=cell, **how)
            rectangle(axes, at, W * cell, cell, None, INK, 1.8, zorder=6 + 2 * strip)
        if part is None:
            rectangle(axes, (matrix_at[0], matrix_at[1] + k * cell), H * W * cell, cell, None, INK, 2.4, zorder=5)
        place = where(divmod(k, columns), rows, columns)
        say(axes, MARGIN, foot, f"kernel at {place}: the grid's {H} rows, side by side, become row {k} of A")
        return figure

    film, hold = Film(), max(0.1, min(0.6, 5.6 / len(A) / 2 - 3 * GLIDE))
    for k in range(len(A)):
        film.add(draw(k), hold)
        for part in steps(7):
            film.add(draw(k, part), GLIDE)
        film.add(draw(k, is_filled=True), hold if k + 1 < len(A) else 2.0)
    words = (
        f"A kernel of {kH} by {kW} lies on a grid of {H} by {W} zeros. The grid is cut into its {H} rows, which move "
        "side by side and become the first row of the matrix A. Then the kernel goes one place on, and its grid "
        f"becomes the next row. After {len(A)} places A has {len(A)} rows and {H * W} columns: one row per number of "
        "the output, one column per pixel of the image."
    )
    return film.loop(words, A=A)


def checkerboard(kernel: int = 3, strides: Sequence[int] = (1, 2, 3), pixels: int = 4) -> Loop:
    """Stamps that are pulled apart: how many of them fall on each pixel, for one stride after the other. Lesson 04.

    Parameters
    ----------
    kernel : int
        The side of a stamp.
    strides : sequence of int
        How far apart the stamps are, one after the other.
    pixels : int
        The side of the small image: so many stamps in each direction.

    Returns
    -------
    Loop
    """
    counts = {stride: np.outer(*[overlap_count(pixels, kernel, stride)] * 2) for stride in strides}
    room = (pixels - 1) * max(strides) + kernel
    cell = min(0.36, 3.3 / room)
    side, top = room * cell, MARGIN + 0.28
    right = MARGIN + side + GAP
    inner = {stride: _inner(count, kernel) for stride, count in counts.items()}
    facts = {
        stride: f"stride {stride}: {_either(found)}{' → a checkerboard' * (len(found) > 1)}"
        for stride, found in inner.items()
    }

    def draw(stride: float, known: int) -> Figure:
        figure, axes = canvas(right + 3.6, top + side + MARGIN)
        corner = MARGIN, top
        _pulled_apart(axes, corner, side, cell, (pixels, kernel), stride)
        title: dict[str, Any] = {"fontweight": "bold", "color": ROLES["output"].line}
        say(axes, MARGIN, MARGIN, "how many stamps fall on each pixel", 10, **title)
        say(axes, right, top + 0.15, f"{pixels} × {pixels} stamps, each {kernel} × {kernel}")
        say(axes, right, top + 0.15 + LINE, "(thick outline: one stamp)", 9.5)
        say(axes, right, top + 1.1, "away from the border:")
        for line, (one, fact) in enumerate(list(facts.items())[:known]):
            say(axes, right, top + 1.45 + 0.32 * line, fact, fontweight="bold" if one == stride else "normal")
        return figure

    film, still = Film(), 0
    for known, stride in enumerate(strides, start=1):
        if known > 1:
            before = strides[known - 2]
            for part in steps(10):
                film.add(draw(before + part * (stride - before), known - 1), GLIDE)
        added = film.add(draw(stride, known), 2.0 if known == len(strides) else min(1.4, 4.2 / len(strides)))
        still = added if stride == max(strides, key=lambda one: len(inner[one])) else still  # the first that is uneven
    words = (
        f"{pixels} by {pixels} stamps of {kernel} by {kernel} pixels, first {strides[0]} apart, then farther and "
        "farther. The darker a pixel, the more stamps fall on it; their number is written there. Away from the "
        f"border: {'; '.join(fact.replace(' →', ',') for fact in facts.values())}."
    )
    return film.loop(words, still, **{f"stride_{stride}": count for stride, count in counts.items()})


def _pulled_apart(
    axes: Axes, corner: tuple[float, float], side: float, cell: float, stamps: tuple[int, int], stride: float
) -> None:
    """Stamps in the middle of a square, with the shade of how many lie on each other, and their number where all lie on
    whole pixels."""
    pixels, kernel = stamps
    whole, is_whole = (pixels - 1) * stride + kernel, float(stride).is_integer()
    aside = (side - whole * cell) / 2
    starts = np.arange(pixels) * stride
    edges = np.arange(whole + 1) if is_whole else np.unique(np.round(np.append(starts, starts + kernel), 6))
    middles = (edges[1:] + edges[:-1]) / 2
    along = ((starts[:, None] < middles) & (middles < starts[:, None] + kernel)).sum(0)
    places = [aside + float(edge) * cell for edge in edges]
    for (i, j), times in np.ndenumerate(np.outer(along, along)):
        at, ground = (corner[0] + places[j], corner[1] + places[i]), _shade(times / kernel**2)
        width, height = places[j + 1] - places[j], places[i + 1] - places[i]
        rectangle(axes, at, width, height, ground, PAPER if is_whole else ground, 0.6)
        if is_whole:
            ink = INK if times / kernel**2 < 0.5 else PAPER
            middle = at[0] + width / 2, at[1] + height / 2
            write(axes, *middle, str(times), 9.5, ink, va="center_baseline", zorder=4)
    colour, reach = ROLES["kernel"].line, kernel * cell
    for i, j in np.ndindex(pixels, pixels):
        at = corner[0] + aside + float(starts[j]) * cell, corner[1] + aside + float(starts[i]) * cell
        rectangle(axes, at, reach, reach, None, colour, 3 if i == j == 0 else 0.8, zorder=3)


def _inner(count: NDArray[np.int64], kernel: int) -> list[int]:
    """The different counts away from the border."""
    inside = count[kernel - 1 : 1 - kernel or None, kernel - 1 : 1 - kernel or None]
    return sorted({int(times) for times in inside.ravel()})


def _either(counts: Sequence[int]) -> str:
    """Some numbers in words: 1, 2 or 4."""
    *others, last = map(str, counts)
    return f"{', '.join(others)} or {last}" if others else last


def _shade(part: float) -> str:
    """From white to the output's dark green; by a root, so that one stamp and two can be told apart."""
    white, green = np.array(to_rgb(PAPER)), np.array(to_rgb(ROLES["output"].line))
    return to_hex(white + min(1.0, part) ** 0.6 * (green - white))


def index_jumping(x: ArrayLike, kernel: int = 2) -> Loop:
    """Max pooling and back: each window's largest number goes down, its place is kept, and there it returns. Lesson 05.

    Parameters
    ----------
    x : (H, W) array
        The image; 4×4 is good to follow.
    kernel : int
        The side of a window, and the step between windows.

    Returns
    -------
    Loop
    """
    x = np.asarray(x)
    y, indices = max_pool2d(x, kernel)
    back = max_unpool2d(y, indices, x.shape)
    (H, W), (rows, columns) = x.shape, y.shape
    lefts, _, _ = side_by_side(x, y, back)
    top, tall = MARGIN + TITLE - 0.1, max(H * CELL, 2 * rows * CELL + TITLE + 0.1)
    tops = top + (tall - H * CELL) / 2, top, top + tall - rows * CELL
    foot, cells = top + tall + 0.28, list(np.ndindex(rows, columns))
    places = np.arange(x.size).reshape(x.shape)
    is_kept, one = np.isin(places, indices), np.ones((1, 1), bool)

    def at(left: float, top: float, place: tuple[int, ...]) -> tuple[float, float]:
        return left + place[1] * CELL, top + place[0] * CELL

    def largest(k: int) -> tuple[int, ...]:
        return tuple(int(part) for part in np.unravel_index(indices[cells[k]], x.shape))

    def ground(text: str, down: int, looked: int, up: float | None = None) -> tuple[Figure, Axes]:
        """With so many numbers pooled, and so many windows looked at; a part of the way back, or nothing there yet."""
        figure, axes = canvas(lefts[2] + W * CELL + MARGIN, foot + 0.24)
        known = np.arange(y.size).reshape(y.shape) < down
        is_max = np.isin(places, indices.ravel()[:looked])
        returned = np.where(is_kept, texts_of(back) if up == 1 else "", "0" if up is not None else "")
        crossing: dict[str, Any] = {"corners": texts_of(places), "corner": ROLES["skip"].line}
        draw_grid(axes, (lefts[0], tops[0]), texts_of(x), "input", "image with indices", lit=is_max, **crossing)
        draw_grid(axes, (lefts[1], tops[1]), np.where(known, texts_of(y), ""), "output", "pooled")
        draw_grid(axes, (lefts[1], tops[2]), np.where(known, texts_of(indices), ""), "skip", "indices")
        crossing |= {"lit": is_kept & (up == 1), "faint": ~is_kept & (up is not None)}
        draw_grid(axes, (lefts[2], tops[0]), returned, "output", "unpooled", **crossing)
        say(axes, MARGIN, foot, text)
        return figure, axes

    def look(k: int, part: float | None = None, is_down: bool = False) -> Figure:
        """Window k, the number and its index a part of their way."""
        text = f"largest number of the window: {number(y[cells[k]])}, at index {number(indices[cells[k]])}"
        figure, axes = ground(text, k + is_down, k + 1)
        window(axes, at(lefts[0], tops[0], (cells[k][0] * kernel, cells[k][1] * kernel)), kernel, kernel, "kernel")
        left, top = at(lefts[0], tops[0], largest(k))
        for values, role, end, aside in ((y, "output", tops[1], -0.2), (indices, "skip", tops[2], 0.2)):
            if part is not None:
                start = left + aside * CELL, top + aside * CELL  # a little apart, so that both are seen
                way = between(start, at(lefts[1], end, cells[k]), part)
                draw_grid(axes, way, texts_of([[values[cells[k]]]]), role, lit=one, layer=7)
        return figure

    def go_back(part: float) -> Figure:
        figure, axes = ground("back: each number to the index that was kept, zeros elsewhere", y.size, y.size, part)
        for k, cell in enumerate(cells if 0 < part < 1 else []):
            way = between(at(lefts[1], tops[1], cell), at(lefts[2], tops[0], largest(k)), part)
            draw_grid(axes, way, texts_of([[y[cell]]]), "output", lit=one, layer=7)
        return figure

    film, hold = Film(), max(0.15, min(0.5, 3.6 / len(cells) / 2))
    for k in range(len(cells)):
        film.add(look(k), hold)
        for part in steps(5):
            film.add(look(k, part), GLIDE)
        film.add(look(k, is_down=True), 0.6 * hold)
    film.add(go_back(0), 0.6)
    for part in steps(8):
        film.add(go_back(part), GLIDE)
    film.add(go_back(1), 1.9)
    pairs = ", ".join(f"{number(value)} at {index}" for value, index in zip(y.ravel(), indices.ravel(), strict=True))
    words = (
        f"An image of {H} by {W} pixels, counted from 0 row after row. A window of {kernel} by {kernel} goes over it "
        f"in steps of {kernel}. Each time its largest number moves into the pooled image, and the number's index into "
        f"a second grid: {pairs}. Then each number moves into an empty image of {H} by {W}, to the index that was "
        "kept. All other pixels are 0."
    )
    return film.loop(words, x=x, pooled=y, indices=indices, unpooled=back)


def shrinking_and_growing(image: ArrayLike, levels: int = 3) -> Loop:
    """A photograph on its way through a U: smaller and smaller, then larger, with a copy beside it. Lessons 00 and 06.

    No network computes here: on the way down 2×2 pixels become their mean, on the way up one pixel becomes 2×2.

    Parameters
    ----------
    image : (H, W) array
        In greys from 0 to 1. The largest square of its middle is shown, 128 pixels wide.
    levels : int
        How often it shrinks: up to 4.

    Returns
    -------
    Loop
    """
    down = [_square(np.asarray(image, float), SIDE)]
    for _ in range(levels):
        down.append(avg_pool2d(down[-1], 2))
    # up[level] is as large as down[level], and knows no more than the smallest
    up = [interpolate(down[-1], picture.shape, mode="nearest") for picture in down[:-1]]
    sides, gap, step = [SIDE / DPI * 0.5**level for level in range(levels + 1)], 0.24, 0.4
    tops, lefts = [MARGIN + 0.3], [MARGIN]
    for side in sides[:-1]:
        tops.append(tops[-1] + side + step)
        lefts.append(lefts[-1] + side + gap)
    right, copies, grown = lefts[-1] + sides[-1] + gap, [0.0] * levels, [0.0] * levels
    for level in reversed(range(levels)):
        copies[level], grown[level] = right, right + sides[level] + 0.06
        right = grown[level] + sides[level] + gap

    def draw(text: str, reached: int, part: float | None = None) -> Figure:
        """With so many pictures: those of the way down; then for each level upwards the enlarged one, and its copy,
        whose arrow may be a part of its way across."""
        figure, axes = canvas(right - gap + MARGIN, tops[-1] + sides[-1] + 0.36)
        for level in range(min(reached, levels + 1)):
            if level:
                middle, start = lefts[level] + sides[level] / 2, tops[level - 1] + 0.75 * sides[level - 1]
                _bent(axes, lefts[level - 1] + sides[level - 1], middle, start, tops[level] - 0.03, "input")
            _card(axes, down[level], (lefts[level], tops[level]), "input", is_named=True)
        for count in range(reached - levels - 1):
            level = levels - 1 - count // 2
            if count % 2:
                across(axes, level)
                _card(axes, down[level], (copies[level], tops[level]), "skip")
            else:
                below = lefts[-1] if level == levels - 1 else grown[level + 1]
                start, end = tops[level + 1] + sides[level + 1] / 2, tops[level] + sides[level] + 0.2
                _bent(axes, below + sides[level + 1], grown[level] + sides[level] / 2, start, end, "output")
                _card(axes, up[level], (grown[level], tops[level]), "output", is_named=True)
        if part is not None:
            across(axes, levels - 1 - (reached - levels - 2) // 2, part)
        say(axes, MARGIN, MARGIN, text, fontweight="bold")
        return figure

    def across(axes: Axes, level: int, part: float = 1.0) -> None:
        y, start, end = tops[level] + sides[level] / 2, lefts[level] + sides[level] + 0.04, copies[level] - 0.04
        arrow(axes, (start, y), (start + part * (end - start), y), ROLES["skip"].line, linewidth=1.8, linestyle="--")

    film, hold = Film(), 3 / (3 * levels + 1)
    for level in range(levels + 1):
        film.add(draw("down: half as high and half as wide at each step", level + 1), hold)
    for reached in range(levels + 2, 3 * levels + 2, 2):
        film.add(draw("up: twice as high and twice as wide, without details", reached), hold)
        for part in steps(6):
            film.add(draw("across: the copy from the way down has the details", reached, part), GLIDE)
        film.add(draw("across: the copy from the way down has the details", reached + 1), hold)
    film.add(draw("a U: down, up, and copies across", 3 * levels + 1), 1.9)
    largest, smallest = len(down[0]), len(down[-1])
    words = (
        f"A photograph of {largest} by {largest} pixels becomes half as high and half as wide, {levels} times, until "
        f"it has {smallest} by {smallest}. Then it becomes twice as high and twice as wide, {levels} times. The "
        "details that were lost on the way down do not come back: it stays made of squares. At each step up, the "
        "picture of the same size from the way down comes across and stands beside it, with its details. The whole "
        "has the form of a U."
    )
    return film.loop(words, image=down[0], smallest=down[-1])


def _square(image: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    """The largest square of the middle, so many pixels wide: each is the mean of what it covers."""
    least = min(image.shape)
    top, left = ((size - least) // 2 for size in image.shape)
    old, new = np.arange(least), np.arange(side)[:, None] * least / side
    covered = np.clip(np.minimum(old + 1, new + least / side) - np.maximum(old, new), 0, None) * side / least
    return covered @ image[top : top + least, left : left + least] @ covered.T


def _bent(axes: Axes, left: float, right: float, start: float, end: float, role: str) -> None:
    """An arrow that goes to the right, and then up or down."""
    axes.plot([left + 0.02, right, right], [start, start, end], color=ROLES[role].line, linewidth=1.6, zorder=1)
    arrow(axes, (right, (start + end) / 2), (right, end), ROLES[role].line, zorder=1, linewidth=1.6)


def _card(axes: Axes, image: NDArray[Any], at: tuple[float, float], role: str, *, is_named: bool = False) -> None:
    """A photograph, pixel for pixel, with an outline in its role's colour and, if wanted, how many it is wide."""
    (x, y), side = at, len(image) / DPI
    place = (x, x + side, y + side, y)
    limits: dict[str, Any] = {"xlim": axes.get_xlim(), "ylim": axes.get_ylim()}
    axes.imshow(image, "gray", vmin=0, vmax=1, extent=place, zorder=2, interpolation="nearest", aspect="auto")
    axes.set(**limits)
    rectangle(axes, at, side, side, None, ROLES[role].line, 2.2, zorder=3)
    if is_named:
        write(axes, x + side / 2, y + side + 0.12, str(len(image)), 9)
