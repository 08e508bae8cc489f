"""The pictures of lesson 08: what is read and what is kept of an image, and how tiles cut it into windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import ArrayLike, NDArray

from unet_edu.figures.film import Loop
from unet_edu.figures.palette import CLASSES, INK, PAPER, ROLES
from unet_edu.figures.panels import DPI, FONT, WIDTH, Grid, Photo, curves, numbers, photos, rectangle, write
from unet_edu.figures.shown import Shown

if TYPE_CHECKING:
    from unet_edu.tiling import Tiling
    from unet_edu.unet import UNet

__all__ = [
    "BRIGHTEST",
    "KEPT",
    "READ",
    "ROUNDING",
    "answered",
    "beyond",
    "costs",
    "cut",
    "made_up",
    "margins",
    "overlap_tile",
    "painted_difference",
    "seams",
    "slide",
    "squares",
    "tile_by_tile",
    "wide",
    "windows",
]

READ = ROLES["input"].line  # the paper's blue: what the network reads
KEPT = CLASSES[5]  # the paper's yellow: what is kept of its answer
PALE = 0.55  # how much white lies over the mirrored part
ROUNDING = 1e-4  # sums in another order differ by less; another phase, or zeros, by more
BRIGHTEST = 0.2  # the difference that is drawn in the full colour
SHADES = 12  # of grey in a loop
HALF, THIRD = 3.5, WIDTH / 3  # inches: two and three photographs side by side

Box = tuple[int, int, int, int]  # top, left, rows, columns


def wide(image: ArrayLike, before: int, after: int) -> NDArray[np.float64]:
    """An image with its mirrored surroundings, which are paler than itself.

    Parameters
    ----------
    image : (H, W) array from 0 to 1
    before, after : int
        Pixels at the top and the left, and at the bottom and the right.

    Returns
    -------
    (H + before + after, W + before + after) array
    """
    from unet_edu.tiling import mirrored  # loads torch

    image = np.asarray(image, np.float64)
    places = [np.arange(-before, length + after) for length in image.shape]
    shown = image[np.ix_(*(mirrored(axis, length) for axis, length in zip(places, image.shape, strict=True)))]
    inside = [(axis >= 0) & (axis < length) for axis, length in zip(places, image.shape, strict=True)]
    return np.where(np.logical_and.outer(*inside), shown, PALE + (1 - PALE) * shown)


def squares(rows: Tiling, columns: Tiling, tile: tuple[int, int], size: tuple[int, int]) -> tuple[Box, Box]:
    """What is read for a tile and what is kept of its answer, as (top, left, rows, columns) in pixels of the image.

    Parameters
    ----------
    rows, columns : Tiling
    tile : (int, int)
        Its number among the rows and among the columns.
    size : (H, W)
    """
    starts = [axis.starts[number] for axis, number in zip((rows, columns), tile, strict=True)]
    read = (starts[0] - rows.margin, starts[1] - columns.margin, rows.side, columns.side)
    kept = [
        # the last keeps what is left; and a step may be wider than the answer
        min(length - start if start == axis.starts[-1] else axis.step, axis.side - axis.margin - axis.border)
        for axis, length, start in zip((rows, columns), size, starts, strict=True)
    ]
    return read, (starts[0], starts[1], kept[0], kept[1])


def overlap_tile(image: ArrayLike, rows: Tiling, columns: Tiling, *tiles: tuple[int, int]) -> Shown:
    """Draw the overlap-tile strategy: the image in its mirrored surroundings, and for each tile what is read and kept.

    Parameters
    ----------
    image : (H, W) array from 0 to 1
    rows, columns : Tiling
    *tiles : (int, int)
        The number of each tile to draw, one panel each.

    Returns
    -------
    Shown
    """
    image = np.asarray(image)
    size = (image.shape[0], image.shape[1])
    before = max(rows.margin, columns.margin)
    beyond = [
        axis.starts[-1] - axis.margin + axis.side - length for axis, length in zip((rows, columns), size, strict=True)
    ]
    after = max(*beyond, before)
    shown = wide(image, before, after)
    panel = min(6.0, WIDTH / len(tiles))  # inches: one needs room for the key
    height = (panel - 0.3) * shown.shape[0] / shown.shape[1]
    figure = Figure(figsize=(panel * len(tiles), height + 0.75), dpi=DPI, facecolor=PAPER)
    total = figure.get_size_inches()
    for number, tile in enumerate(tiles):
        place = ((panel * number + 0.15) / total[0], 0.42 / total[1], (panel - 0.3) / total[0], height / total[1])
        axes = figure.add_axes(place)
        axes.imshow(
            shown, cmap="gray", vmin=0, vmax=1, extent=_extent(size, before, after), interpolation="antialiased"
        )
        draw_squares(axes, rows, columns, tile, size)
        axes.set_title(f"tile in row {tile[0]}, column {tile[1]}", fontsize=9.5, pad=3, **FONT)
        axes.axis("off")
    _key(figure)
    said = [_said(*squares(rows, columns, tile, size)) for tile in tiles]
    words = f"An image in its paler, mirrored surroundings, cut into tiles by dotted lines. {' '.join(said)}"
    return Shown(figure, words, starts_down=rows.starts, starts_across=columns.starts)


def _said(read: Box, kept: Box) -> str:
    """The two squares of a tile in words."""
    return (
        f"A blue dashed square of {read[2]} by {read[3]} pixels from row {read[0]} and column {read[1]} is read, and "
        "in "
        f"it a yellow one of {kept[2]} by {kept[3]} from row {kept[0]} and column {kept[1]} is kept."
    )


def draw_squares(axes: Axes, rows: Tiling, columns: Tiling, tile: tuple[int, int], size: tuple[int, int]) -> None:
    """The image's own edge, the grid of what tiles keep, and the two squares of one tile."""
    for axis, is_row in ((rows, True), (columns, False)):
        for start in axis.starts[1:]:
            line: dict[str, Any] = {"color": PAPER, "linewidth": 0.8, "linestyle": (0, (2, 2))}
            span = (-0.5, size[is_row] - 0.5)
            axes.plot(*((span, (start - 0.5,) * 2) if is_row else ((start - 0.5,) * 2, span)), **line)
    edge = (0, 0, *size)
    read, kept = squares(rows, columns, tile, size)
    for box, colour, style in ((edge, INK, "-"), (read, READ, (0, (4, 2))), (kept, KEPT, "-")):
        top, left, height, width = box
        strokes: list[tuple[float, str, Any]] = [(4.0, INK if colour == KEPT else PAPER, "-"), (2.0, colour, style)]
        for thick, ink, dashes in [(1.0, colour, style)] if box == edge else strokes:
            rectangle(axes, (left - 0.5, top - 0.5), width, height, None, ink, thick, linestyle=dashes)


def _extent(size: tuple[int, int], before: int, after: int) -> tuple[float, float, float, float]:
    """So that the axes count in pixels of the image."""
    return (-before - 0.5, size[1] + after - 0.5, size[0] + after - 0.5, -before - 0.5)


def _key(figure: Figure) -> None:
    """Under the picture: which square is which."""
    names: dict[str, tuple[str | None, Any]] = {
        "read by the network": (READ, (0, (4, 2))),
        "kept of its answer": (KEPT, "-"),
        "mirrored: paler": (None, "-"),
    }
    pale = "#D5D5D5"
    handles = [
        Patch(facecolor=PAPER if colour else pale, edgecolor=colour or pale, linestyle=dashes, linewidth=2)
        for colour, dashes in names.values()
    ]
    figure.legend(handles, list(names), loc="lower center", ncols=3, fontsize=9, frameon=False, labelcolor=INK)


def windows(length: int, phase: int, **starts: Sequence[int]) -> Shown:
    """Draw into which windows tiles cut a row of pixels, one row of the picture for each way to place them.

    Parameters
    ----------
    length : int
        Pixels to show.
    phase : int
        The width of a window, 2^depth.
    **starts : sequence of int
        By name: where each tile begins to read, the first first. Windows are counted from there to the next tile.

    Returns
    -------
    Shown
    """
    height = 0.75 * len(starts) + 0.5
    figure = Figure(figsize=(WIDTH, height), dpi=DPI, facecolor=PAPER)
    axes = figure.add_axes(
        (0.16, 0.42 / height, 0.82, 1 - 0.5 / height), ylim=(len(starts) - 0.3, -0.7), xlim=(-1, length + 1)
    )
    colours = (ROLES["input"], ROLES["output"], ROLES["kernel"])
    for row, (name, places) in enumerate(starts.items()):
        for number, (start, end) in enumerate(pairwise((*places, length))):
            colour = colours[number % len(colours)]
            for left in range(start, end, phase):
                rectangle(axes, (left, row - 0.25), min(phase, end - left), 0.5, colour.fill, colour.line)
            axes.text(start + 1, row - 0.32, f"from {start}", fontsize=8.5, ha="left", va="bottom", **FONT)
        write(axes, -0.02, row, name.replace("_", " "), 9.5, ha="right", transform=axes.get_yaxis_transform())
    axes.set_xticks(range(0, length + 1, 2 * phase))
    axes.tick_params(labelsize=8.5, labelcolor=INK, color=ROLES["neutral"].line, left=False, labelleft=False)
    axes.set_xlabel("pixel", fontsize=9, labelpad=1, **FONT)
    axes.spines[["top", "right", "left"]].set_visible(False)
    said = [
        f"{name.replace('_', ' ')}: boxes are counted from {', '.join(map(str, places))}"
        + ("." if all(place % phase == 0 for place in places) else "; not all stand under those counted from 0.")
        for name, places in starts.items()
    ]
    words = f"Rows of boxes, {phase} pixels wide each. {' '.join(said)}"
    return Shown(figure, words, **{name: list(places) for name, places in starts.items()})


def painted_difference(found: ArrayLike, whole: ArrayLike) -> NDArray[np.float64]:
    """An answer in greys, cells light, with the colour of an error where it is not the answer for the whole image.

    Parameters
    ----------
    found, whole : (H, W) arrays
        Probabilities. What differs by rounding only counts as equal.

    Returns
    -------
    (H, W, 3) array from 0 to 1
    """
    found, apart = np.asarray(found, float), np.abs(np.asarray(found, float) - np.asarray(whole, float))
    strength = np.clip(np.where(apart < ROUNDING, 0, apart) / BRIGHTEST, 0, 1)[..., None] ** 0.5  # small ones show too
    grey = np.repeat((0.2 + 0.65 * found)[..., None], 3, axis=2)
    return (1 - strength) * grey + strength * np.array(to_rgb(ROLES["error"].line))


def cut(image: ArrayLike, whole: ArrayLike, found: ArrayLike, tile: int) -> Shown:
    """Draw an image, the network's answer for all of it, and its answer tile by tile, with what differs in colour.

    Parameters
    ----------
    image, whole, found : (H, W) arrays
        The image, and two answers from 0 to 1.
    tile : int
        From one seam to the next.

    Returns
    -------
    Shown
    """
    image, whole, found = map(np.asarray, (image, whole, found))
    names = ("the image", "all at once", f"in tiles of {tile}; orange: differs")
    shown = (image, np.repeat((0.2 + 0.65 * whole)[..., None], 3, axis=2), painted_difference(found, whole))
    figure = photos(*map(Photo, shown, names), columns=3, tile=THIRD)
    _draw_seams(figure.axes[2], found.shape, tile)
    changed = np.mean((found > 0.5) != (whole > 0.5))
    words = (
        "Drawn cells; the network's answer for all of them at once, cells light; and its answer in tiles, with dotted "
        f"seams. Orange, where both differ, lies along the seams, and {changed:.1%} of the pixels have another class."
    )
    return Shown(figure, words, whole=np.round(whole, 3), found=np.round(found, 3))


def _draw_seams(axes: Axes, size: tuple[int, ...], step: int) -> None:
    how: dict[str, Any] = {"color": PAPER, "linewidth": 0.9, "linestyle": (0, (2, 2))}
    for row in range(step, size[0], step):
        axes.plot([-0.5, size[1] - 0.5], [row - 0.5] * 2, **how)
    for column in range(step, size[1], step):
        axes.plot([column - 0.5] * 2, [-0.5, size[0] - 0.5], **how)


def answered(image: ArrayLike, answer: ArrayLike) -> Shown:
    """Draw an image and, in its middle, the smaller answer of a network that loses a border.

    Parameters
    ----------
    image : (H, W) array
    answer : (H − 2·border, W − 2·border) array

    Returns
    -------
    Shown
    """
    image, answer = np.asarray(image), np.asarray(answer)
    border = (image.shape[0] - answer.shape[0]) // 2
    framed = np.full(image.shape, 0.5)
    framed[border : image.shape[0] - border, border : image.shape[1] - border] = answer
    sizes = [f"{rows} × {columns}" for rows, columns in (image.shape, answer.shape)]
    read = Photo(image, f"read: {sizes[0]}", box=(border, border, *answer.shape))
    words = (
        f"Drawn cells, {sizes[0]}, with a box {border} pixels inside the edge; and the network's answer, white cells "
        "on "
        f"black, {sizes[1]}, within this box only. Outside it is grey: no answer."
    )
    return Shown(
        photos(read, Photo(framed, f"answered: {sizes[1]}; grey: no answer"), columns=2, tile=HALF),
        words,
        answer=np.round(answer, 3),
    )


def made_up(answers: Mapping[str, ArrayLike], crop: int = 40, far: int = 30) -> Shown:
    """Draw what surroundings that were made up change: a map of each way, and how much at which distance.

    Parameters
    ----------
    answers : mapping from the name of a way to (n, 2, H, W) array
        Of n images the answer with these surroundings, and that with the real ones.
    crop : int
        How many pixels of the upper left corner the maps show.
    far : int
        Up to which distance from the border pixels are counted.

    Returns
    -------
    Shown
    """
    both = {name: np.asarray(each) for name, each in answers.items()}
    rings = {name: _by_distance(each)[:far] for name, each in both.items()}
    corners = [
        Photo(np.abs(each[:, 0] - each[:, 1]).mean(axis=0)[:crop, :crop], name, high=0.1) for name, each in both.items()
    ]
    figure, below = _with_room_below(photos(*corners, columns=len(corners), tile=THIRD * 0.8), 2.1)
    for (name, each), (role, dashes) in zip(
        rings.items(), (("output", "-"), ("input", "--"), ("error", "-.")), strict=False
    ):
        below.plot(100 * each, color=ROLES[role].line, linestyle=dashes, linewidth=2, label=name)
    below.set_xlabel("pixels from the border", fontsize=9.5, **FONT)
    below.set_ylabel("other class, %", fontsize=9.5, **FONT)
    below.tick_params(labelsize=9, labelcolor=INK)
    below.spines[["top", "right"]].set_visible(False)
    below.legend(fontsize=9, frameon=False)
    first = ", ".join(f"{name} {each[0]:.1%}" for name, each in rings.items())
    words = (
        f"Above, the upper left corner of {len(both)} maps of how much the probability changes, bright where much: "
        "only "
        f"near the border. Below, the pixels with another class at each distance from it: {first} in the outermost "
        "row, then fewer and fewer, and none far inside."
    )
    return Shown(figure, words, **{name.replace(" ", "_"): each for name, each in rings.items()})


def _by_distance(answers: NDArray[Any]) -> NDArray[np.float64]:
    """The part of the pixels that get another class, at each distance from the border."""
    changed = ((answers[:, 0] > 0.5) != (answers[:, 1] > 0.5)).mean(axis=0)
    places = np.indices(changed.shape)
    ends = np.array(changed.shape)[:, None, None] - 1
    distance = np.minimum(places, ends - places).min(axis=0)
    return np.bincount(distance.ravel(), changed.ravel()) / np.bincount(distance.ravel())


def _with_room_below(figure: Figure, high: float) -> tuple[Figure, Axes]:
    """A figure that has become so many inches higher, and axes in the new part."""
    width, old = figure.get_size_inches()
    total = old + high
    for axes in figure.axes:
        place = axes.get_position()
        axes.set_position((place.x0, (place.y0 * old + high) / total, place.width, place.height * old / total))
    figure.set_size_inches(width, total)
    return figure, figure.add_axes((0.09, 0.5 / total, 0.88, (high - 0.75) / total))


def beyond(row: ArrayLike, before: int, modes: Sequence[str]) -> Shown:
    """Draw the ways in which NumPy continues a row of numbers beyond its ends.

    Parameters
    ----------
    row : (n,) array of int
    before : int
        How many numbers more at each end.
    modes : sequence of str
        Of `numpy.pad`.

    Returns
    -------
    Shown
    """
    row = np.asarray(row)
    longer = {mode: np.pad(row, before, mode=mode) for mode in modes}  # type: ignore[call-overload]
    places = np.arange(len(row) + 2 * before)
    is_image = (places >= before) & (places < before + len(row))
    grids = [Grid(numbers_[None], f'mode="{mode}"', "input", is_image[None]) for mode, numbers_ in longer.items()]
    pairs = [grids[n : n + 2] for n in range(0, len(grids), 2)]
    said = "; ".join(f"{mode}: {' '.join(map(str, each))}" for mode, each in longer.items())
    words = f"The row {' '.join(map(str, row))}, framed, with {before} numbers more at each end. {said}."
    return Shown(numbers(*pairs), words, **longer)


def seams(differences: Mapping[str, ArrayLike]) -> Shown:
    """Draw by how much the answers of tiles are off, one panel each, bright where much.

    Parameters
    ----------
    differences : mapping from title to (H, W) array

    Returns
    -------
    Shown
    """
    maps = {title: np.where(np.asarray(each) < ROUNDING, 0, each) for title, each in differences.items()}
    columns = min(4, len(maps))
    tile = HALF if columns == 2 else WIDTH / columns
    said = "; ".join(
        f"{' '.join(title.split())}: {'black everywhere' if not each.any() else f'up to {each.max():.2f}'}"
        for title, each in maps.items()
    )
    panels = [Photo(each, title, high=0.3) for title, each in maps.items()]
    values = {f"panel_{n}": np.round(each, 3) for n, each in enumerate(maps.values())}
    words = f"By how much the tiles' answer differs from that of the whole image. {said}."
    return Shown(photos(*panels, columns=columns, tile=tile), words, **values)


def margins(largest: Mapping[int, float]) -> Shown:
    """Draw how far the tiles' answer is from that of the whole image, over the margin around each tile.

    Parameters
    ----------
    largest : mapping from margin to the largest difference of a probability
        What is rounding only is drawn as 0.

    Returns
    -------
    Shown
    """
    heights = np.array([0 if each < ROUNDING else each for each in largest.values()])
    figure = curves({"": heights}, "margin around each tile, pixels", "largest difference", x=list(largest))
    figure.axes[0].plot(list(largest), heights, "o", color=ROLES["output"].line, markersize=6)
    figure.axes[0].set_xticks(list(largest))
    said = ", ".join(f"{margin}: {each:.3f}" for margin, each in zip(largest, heights, strict=True))
    words = f"The largest difference of a probability, by the margin around each tile. {said}."
    return Shown(figure, words, largest=np.round(heights, 3))


def costs(network: UNet, sides: Sequence[int]) -> Shown:
    """Draw what a pixel of the answer costs, over the side of the tile that is read, on a logarithmic scale.

    Parameters
    ----------
    network : UNet
        Nothing is computed by it, so it may be on PyTorch's device "meta".
    sides : sequence of int
        Legal ones.

    Returns
    -------
    Shown
    """
    from unet_edu.sizes import layer_table  # loads torch

    work = [sum(layer.multiply_adds for layer in layer_table(network, side)) for side in sides]
    per_pixel = [total / network.output_size(side)[0] ** 2 / 1e6 for total, side in zip(work, sides, strict=True)]
    said = ", ".join(f"{side}: {cost:,.2f}" for side, cost in zip(sides, per_pixel, strict=True))
    figure = curves(
        {"": per_pixel},
        "side of the square that is read, in pixels",
        "million multiplications per pixel",
        x=sides,
        log="y",
    )
    axes = figure.axes[0]
    axes.plot(sides, per_pixel, "o", color=ROLES["output"].line, markersize=5)
    for side, cost in zip(sides, per_pixel, strict=True):
        axes.annotate(f"{side}: {cost:,.2f}", (side, cost), (7, 6), textcoords="offset points", fontsize=9, **FONT)
    axes.set_xlim(sides[0] - 0.04 * (sides[-1] - sides[0]), sides[-1] + 0.15 * (sides[-1] - sides[0]))
    axes.set_ylim(min(per_pixel) / 2, max(per_pixel) * 2)
    words = (
        "Millions of multiplications for each pixel of the answer, by the side of the tile: a curve that falls steeply "
        f"at first, then slowly. {said}."
    )
    return Shown(figure, words, per_pixel=per_pixel)


def slide(image: ArrayLike, classes: ArrayLike, box: Box, every: int = 5) -> Shown:
    """Draw a large image, a part of it, and the classes of this part.

    Parameters
    ----------
    image, classes : (H, W) arrays
        Bytes from 0 to 255, and class numbers.
    box : (top, left, rows, columns)
        The part.
    every : int
        Of the large image every so manieth pixel is shown.

    Returns
    -------
    Shown
    """
    part = np.s_[box[0] : box[0] + box[2], box[1] : box[1] + box[3]]
    image, classes = np.asarray(image), np.asarray(classes)
    small, close, found = image[::every, ::every], image[part], classes[part]
    frame = tuple(round(number / every) for number in box)
    size = " × ".join(map(str, np.shape(image)))
    panels = (
        Photo(small / 255, f"{size} pixels, every {every}th shown", box=frame),  # type: ignore[arg-type]
        Photo(close / 255, f"{box[2]} × {box[3]} of them"),
        Photo(found, "their classes"),
    )
    words = (
        f"A large image of {size} pixels with very many small cells, and a box in it; the box enlarged, with cells "
        "that "
        "touch; and their classes, white cells with black gaps between them."
    )
    return Shown(photos(*panels, columns=3, tile=THIRD), words, classes=found)


def tile_by_tile(image: ArrayLike, answer: ArrayLike, rows: Tiling, columns: Tiling) -> Loop:
    """The overlap-tile strategy at work: a square is read, its middle is kept, and so the answer fills.

    Parameters
    ----------
    image : (H, W) array from 0 to 1
    answer : (H, W) array from 0 to 1
        What the tiles give together.
    rows, columns : Tiling

    Returns
    -------
    Loop
    """
    image, answer = np.asarray(image, float), np.asarray(answer, float)
    size, margin = (image.shape[0], image.shape[1]), max(rows.margin, columns.margin)
    after = [axis.starts[-1] - axis.margin + axis.side - size[n] for n, axis in enumerate((rows, columns))]
    around = wide(image, margin, max(*after, margin))
    places = list(product(range(len(rows.starts)), range(len(columns.starts))))
    around, grey = np.round(SHADES * around) / SHADES, np.full(size, 0.5)  # few shades: a small file
    frames = [_at_work(around, grey, None, rows, columns, size)]
    for place in places:
        top, left, height, width = squares(rows, columns, place, size)[1]
        part = np.s_[top : top + height, left : left + width]
        grey[part] = np.round(SHADES * answer[part]) / SHADES
        frames.append(_at_work(around, grey, place, rows, columns, size))
    frames.append(_at_work(around, grey, None, rows, columns, size))
    words = (
        f"On the left an image in its paler, mirrored surroundings. A blue dashed square of {rows.side} by "
        f"{columns.side} pixels is read, and a yellow one in its middle is kept: on the right this part of the answer "
        f"appears. So it goes on, row after row, {len(places)} times. The blue squares overlap, the yellow ones do not."
    )
    return Loop(
        frames,
        words,
        seconds=8,
        holds=[1.0, *[1.0] * len(places), 3.0],
        still=len(places) // 2 + 1,
        answer=np.round(answer, 3),
    )


def _at_work(
    around: NDArray[np.float64],
    grey: NDArray[np.float64],
    tile: tuple[int, int] | None,
    rows: Tiling,
    columns: Tiling,
    size: tuple[int, int],
) -> Figure:
    """One picture of the loop: the tile at work, and what is answered so far."""
    margin = max(rows.margin, columns.margin)
    per_pixel = 2 / DPI
    left_width, high = around.shape[1] * per_pixel, around.shape[0] * per_pixel
    figure = Figure(figsize=(left_width + 0.4 + size[1] * per_pixel + 0.3, high + 0.9), dpi=DPI, facecolor=PAPER)
    total = figure.get_size_inches()
    place = (0.15 / total[0], 0.45 / total[1], left_width / total[0], high / total[1])
    axes = figure.add_axes(place)
    after = around.shape[0] - size[0] - margin
    axes.imshow(around, cmap="gray", vmin=0, vmax=1, extent=_extent(size, margin, after), interpolation="nearest")
    axes.axis("off")
    axes.set_title("the image, mirrored around", fontsize=9.5, pad=3, **FONT)
    right = figure.add_axes(
        (
            (left_width + 0.55) / total[0],
            (0.45 + after * per_pixel) / total[1],
            size[1] * per_pixel / total[0],
            size[0] * per_pixel / total[1],
        )
    )
    right.imshow(grey, cmap="gray", vmin=0, vmax=1, extent=_extent(size, 0, 0), interpolation="nearest")
    right.set_title("the answer so far", fontsize=9.5, pad=3, **FONT)
    right.axis("off")
    if tile is not None:
        draw_squares(axes, rows, columns, tile, size)
        top, left, height, width = squares(rows, columns, tile, size)[1]
        for ink, thick in ((INK, 4.0), (KEPT, 2.0)):
            rectangle(right, (left - 0.5, top - 0.5), width, height, None, ink, thick)
    for drawn, limits in (
        (axes, _extent(size, margin, after)),
        (right, (-1.5, size[1] + 0.5, size[0] + 0.5, -1.5)),
    ):
        drawn.set(xlim=limits[:2], ylim=limits[2:])
    _key(figure)
    return figure
