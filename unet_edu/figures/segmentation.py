"""The pictures of lesson 01: label maps, what a mask hit and missed, confusion matrices, boxes, volumes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Polygon
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

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

__all__ = [
    "FINER",
    "KINDS",
    "Kind",
    "agreement",
    "applications",
    "blobs_and_boxes",
    "blocks",
    "boxes",
    "boxes_around",
    "cells_marked",
    "coarse",
    "coins_marked",
    "coloured",
    "confusion",
    "confusions",
    "dice_over_iou",
    "four_questions",
    "kinds",
    "label_map",
    "legend",
    "map_of_classes",
    "motorcycle_in_a_box",
    "network_marked",
    "planes",
    "scores",
    "two_squares",
    "two_windows",
    "verdicts",
    "volumes",
    "volumes_of",
]


@dataclass(frozen=True)
class Kind:
    """What may be true of a pixel, and how it is drawn: a colour, and a pattern for those who do not see colours."""

    name: str
    meaning: str
    colour: str
    hatch: str


# in the order of the numbers that `kinds` gives
KINDS = (
    Kind("TN", "rightly left out", PAPER, ""),
    Kind("TP", "rightly marked", ROLES["output"].line, ""),
    Kind("FP", "wrongly marked", ROLES["error"].line, "////"),
    Kind("FN", "missed", ROLES["input"].line, "oo"),
    Kind("unknown", "not counted", ROLES["neutral"].fill, ""),
)
FINER, SMALL = 3, 256  # an image of so few pixels a side is painted so many times as large, for the patterns' sake
LEAST = 3  # pixels: an area that is nowhere so wide and so high has its colour and no pattern
ROOM = 0.15  # inches around a picture
DARK_LINE = 0.012  # what the filter of dark lines answers on a vessel of the eye
LEAN = 0.35  # how far a column of a volume goes to the side and up, where a row goes down by 1


def kinds(prediction: ArrayLike, target: ArrayLike) -> NDArray[np.uint8]:
    """For each pixel of two binary masks its place in `KINDS`: 0 true negative, 1 true positive, 2 false positive, 3
    false negative, 4 unknown, where the target is neither 0 nor 1.

    Parameters
    ----------
    prediction, target : (H, W) arrays of 0 and 1, or booleans

    Returns
    -------
    (H, W) array of uint8
    """
    prediction, target = np.asarray(prediction, bool), np.asarray(target)
    table = np.array([[0, 3, 4], [2, 1, 4]], np.uint8)  # rows: predicted or not; columns: truth 0, 1, unknown
    return table[prediction.astype(int), np.minimum(target, 2)]


def agreement(image: ArrayLike, prediction: ArrayLike, target: ArrayLike) -> NDArray[np.float32]:
    """A grey image in which true positives, false positives (striped) and false negatives (dotted) are coloured.

    Parameters
    ----------
    image : (H, W) array
        From 0 (black) to 1 (white).
    prediction, target : (H, W) arrays of 0 and 1, or booleans
        The target may hold larger numbers where nobody knows the truth.

    Returns
    -------
    (H, W, 3) array of float32
        Red, green and blue, from 0 to 1. Three times as high and wide where the image is small: see `finer`.
    """
    return coloured(image, kinds(prediction, target))


def coloured(image: ArrayLike, kind: NDArray[np.uint8]) -> NDArray[np.float32]:
    """As `agreement`, from the place of each pixel in `KINDS`."""
    ground = np.asarray(image, np.float32)  # half the bytes of float64, and so half the time while a slider moves
    # how much of the colour covers the photograph: none on true negatives, all of it where nobody knows
    cover = np.array([0.0, 0.45, 0.6, 0.6, 1.0], np.float32)
    tint = cover[:, None] * np.array([to_rgb(kind.colour) for kind in KINDS], np.float32)
    painted = enlarged((1 - cover)[kind] * ground)[..., None] + tint[enlarged(kind)]
    period = 4 * FINER if finer(kind.shape) > 1 else 6  # pixels of what is painted, from one stripe or dot to the next
    painted[stripes(enlarged(wide(kind == 2)), period) | dots(enlarged(wide(kind == 3)), period)] = 1
    return painted


def finer(shape: tuple[int, ...]) -> int:
    """How many painted pixels stand for one of an image: a large one fills its place on a page by itself."""
    return FINER if max(shape[:2]) <= SMALL else 1


def enlarged(array: NDArray[Any]) -> NDArray[Any]:
    """Each pixel `finer` times in each direction."""
    times = finer(array.shape)
    return array.repeat(times, axis=0).repeat(times, axis=1) if times > 1 else array


def wide(area: NDArray[np.bool_], least: int = LEAST) -> NDArray[np.bool_]:
    """The parts of an area in which a pattern can be told from noise: all squares of so many pixels that fit in."""
    height, width = (max(0, length - least + 1) for length in area.shape)
    shifts = [(slice(i, i + height), slice(j, j + width)) for i in range(least) for j in range(least)]
    corners = np.logical_and.reduce([area[shift] for shift in shifts])
    parts = np.zeros_like(area)
    for shift in shifts:
        parts[shift] |= corners
    return parts


def stripes(area: NDArray[np.bool_], period: int) -> NDArray[np.bool_]:
    """A third of an area, in slanting stripes."""
    row, column = np.ogrid[: area.shape[0], : area.shape[1]]
    return area & ((row + column) % period < period // 3)


def dots(area: NDArray[np.bool_], period: int) -> NDArray[np.bool_]:
    """About a ninth of an area, in dots: only whole ones, and none alone, so that none is taken for something else."""
    (height, width), side = area.shape, period // 3
    blocks = np.pad(area, ((0, -height % period), (0, -width % period)))
    blocks = blocks.reshape(blocks.shape[0] // period, period, -1, period)
    fits: NDArray[np.bool_] = np.all(blocks[:, :side, :, :side], axis=(1, 3))
    row, column = np.ogrid[:period, :period]
    dot = np.hypot(row - (side - 1) / 2, column - (side - 1) / 2) <= side / 2
    return np.kron(wide(fits, least=2), dot)[:height, :width]


def verdicts(*panels: tuple[str, ArrayLike, ArrayLike, ArrayLike]) -> Figure:
    """Draw masks over their images, with what they hit and missed, and the legend.

    Parameters
    ----------
    *panels : (title, image, prediction, target)

    Returns
    -------
    matplotlib.figure.Figure
    """
    titles = [title for title, _, _, _ in panels]
    figure, row, below = _side_by_side([np.shape(image) for _, image, _, _ in panels], titles, below=0.45)
    for axes, (_, image, prediction, target) in zip(row, panels, strict=True):
        axes.imshow(agreement(image, prediction, target), interpolation="antialiased")
    unknown = any(np.max(target) > 1 for _, _, _, target in panels)
    legend(below, unknown, columns=4 if len(panels) > 1 else 2)
    return figure


def legend(axes: Axes, unknown: bool, columns: int = 4) -> None:
    """The kinds of pixels with their colours, hatches and names."""
    axes.set_axis_off()
    shown = KINDS[1 : 5 if unknown else 4]
    patches = [Patch(facecolor=kind.colour, hatch=kind.hatch, edgecolor=PAPER, linewidth=0) for kind in shown]
    names = [f"{kind.name}: {kind.meaning}" for kind in shown]
    axes.legend(patches, names, loc="center", ncols=columns, fontsize=9, frameon=False, handleheight=1.2)


def label_map(
    labels: ArrayLike,
    names: Mapping[int, str],
    title: str = "",
    marked: ArrayLike | None = None,
    signs: Mapping[int, str] | None = None,
) -> Figure:
    """Draw a small label map: in each cell its number, on the colour of its class, and the legend beside it.

    Parameters
    ----------
    labels : (H, W) array of int
    names : mapping from class number to name
        The classes of the legend, with how many pixels each has.
    title : str
    marked : (H, W) array of bool, optional
        Cells to frame.
    signs : mapping from class number to str, optional
        What stands for a number where the numbers would say nothing: two letters at most.

    Returns
    -------
    matplotlib.figure.Figure
    """
    labels = np.asarray(labels)
    signs = {number: str(number) for number in {*labels.ravel().tolist(), *names}} | dict(signs or {})
    rows, columns = labels.shape
    cell, key = 0.34, 2.9
    width, height = columns * cell + key + 3 * ROOM, max(rows * cell, 0.3 * len(names)) + 2 * ROOM + 0.25 * bool(title)
    figure, axes = canvas(width, height)
    left, top = ROOM, ROOM + 0.25 * bool(title)
    axes.text(left, top - 0.1, title, fontsize=10, fontweight="bold", **FONT)
    for (i, j), label in np.ndenumerate(labels):
        x, y = left + j * cell, top + i * cell
        rectangle(axes, (x, y), cell, cell, CLASSES[label], PAPER, 0.8)
        write(axes, x + cell / 2, y + cell / 2, signs[int(label)], 9, va="center_baseline")
    for i, j in [] if marked is None else np.argwhere(np.asarray(marked)):
        rectangle(axes, (left + j * cell, top + i * cell), cell, cell, None, INK, 2.5)
    x = left + columns * cell + ROOM
    for n, (number, name) in enumerate(names.items()):
        y = top + 0.3 * n
        rectangle(axes, (x, y), 0.26, 0.24, CLASSES[number], INK, 0.6)
        write(axes, x + 0.13, y + 0.12, signs[number], 9, va="center_baseline")
        count = np.count_nonzero(labels == number)
        axes.text(x + 0.36, y + 0.12, f"{name}: {count} px", va="center_baseline", fontsize=10, **FONT)
    return figure


def confusion(table: ArrayLike, names: Sequence[str], title: str = "") -> Figure:
    """Draw a confusion matrix: rows are the truth, the diagonal is framed, and darker cells have more of their row.

    Parameters
    ----------
    table : (K, K) array of int
    names : sequence of K str
    title : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    table = np.asarray(table)
    K, cell = len(table), (1.15, 0.42)
    left = 0.5 + 0.085 * max(map(len, names))
    width, height = left + K * cell[0] + ROOM, 0.75 + 0.25 * bool(title) + K * cell[1] + ROOM
    figure, axes = canvas(width, height)
    top = 0.75 + 0.25 * bool(title)
    axes.text(left, 0.25, title, fontsize=10, fontweight="bold", **FONT)
    axes.text(left + K * cell[0] / 2, top - 0.38, "predicted", ha="center", fontsize=9, **FONT)
    write(axes, 0.2, top + K * cell[1] / 2, "truth", 9, rotation=90)
    for k, name in enumerate(names):
        axes.text(left + (k + 0.5) * cell[0], top - 0.12, name, ha="center", fontsize=9, **FONT)
        axes.text(left - 0.1, top + (k + 0.5) * cell[1], name, ha="right", va="center_baseline", fontsize=9, **FONT)
    for (i, j), count in np.ndenumerate(table):
        share = count / max(1, table[i].sum())
        role = ROLES["output" if i == j else "error"]
        ground = 1 - 0.55 * share * (1 - np.array(to_rgb(role.line)))
        x, y = left + j * cell[0], top + i * cell[1]
        rectangle(axes, (x, y), *cell, ground, PAPER)
        write(axes, x + cell[0] / 2, y + cell[1] / 2, f"{count:,}", 10, va="center_baseline")
    for k in range(K):
        rectangle(axes, (left + k * cell[0], top + k * cell[1]), *cell, None, ROLES["output"].line, 2)
    return figure


def boxes(image: ArrayLike, groups: Mapping[str, ArrayLike], paint: Mapping[str, ArrayLike] | None = None) -> Figure:
    """Draw the same image several times, each time with another group of boxes.

    Parameters
    ----------
    image : (H, W) array from 0 to 1, or (H, W, 3) array
    groups : mapping from title to (n, 4) array of (top, left, height, width)
    paint : mapping from title to (H, W) or (H, W, 3) array, optional
        What to draw under a group instead of the image.

    Returns
    -------
    matplotlib.figure.Figure
    """
    grounds = [np.asarray((paint or {}).get(title, image)) for title in groups]
    figure, row, _ = _side_by_side([ground.shape for ground in grounds], list(groups))
    for axes, ground, group in zip(row, grounds, groups.values(), strict=True):
        axes.imshow(ground, cmap="gray", vmin=0, vmax=1, interpolation="antialiased")
        for top, left, height, width in np.reshape(np.asarray(group), (-1, 4)):
            # white below, so that a line shows on any ground
            for colour, thick in ((PAPER, 2.5), (ROLES["error"].line, 1.2)):
                rectangle(axes, (left - 0.5, top - 0.5), width, height, None, colour, thick)
    return figure


def volumes(shapes: Sequence[tuple[int, int, int]], steps: Sequence[str] = ()) -> Figure:
    """Draw the volumes that flow through a network: as high as the image has rows, as thick as it has channels.

    Parameters
    ----------
    shapes : sequence of (C, H, W)
    steps : sequence of str
        What happens between one volume and the next, one fewer than volumes.

    Returns
    -------
    matplotlib.figure.Figure
    """
    # inches a row, inches a channel; a box leans back by about a third of its columns
    side, thick = 2.1 / max(H + LEAN * W for _, H, W in shapes), 0.75 / max(C for C, _, _ in shapes)
    slot = (WIDTH - 2 * ROOM) / len(shapes)
    height, middle = 3.15, 1.2
    figure, axes = canvas(WIDTH, height)
    for n, (C, H, W) in enumerate(shapes):
        centre = ROOM + (n + 0.5) * slot
        tall, lean, width = H * side, LEAN * W * side, max(0.04, C * thick)
        x, y = centre - (width + lean) / 2, middle - tall / 2 + lean / 2
        front = [(x, y), (x + width, y), (x + width, y + tall), (x, y + tall)]
        roof = [(x, y), (x + lean, y - lean), (x + width + lean, y - lean), (x + width, y)]
        flank = [
            (x + width, y),
            (x + width + lean, y - lean),
            (x + width + lean, y + tall - lean),
            (x + width, y + tall),
        ]
        role = ROLES["input" if n == 0 else "output" if n == len(shapes) - 1 else "kernel"]
        for corners, ground in ((front, role.fill), (roof, PAPER), (flank, role.fill)):
            axes.add_patch(Polygon(corners, facecolor=ground, edgecolor=role.line, linewidth=1.2))
        name = f"{C} channels" if C > 1 else "1 channel"
        axes.text(centre, height - 0.62, name, ha="center", fontsize=9, fontweight="bold", **FONT)
        axes.text(centre, height - 0.42, f"{H} × {W}", ha="center", fontsize=9, **FONT)
    for n, step in enumerate(steps):
        x = ROOM + (n + 1) * slot
        axes.text(x, height - 0.14, f"{step} →", ha="center", fontsize=9, **FONT)
    return figure


# ---------------------------------------------------------------------------------------- lesson 01, one call a picture


def four_questions(image: ArrayLike, mask: ArrayLike) -> Shown:
    """What one may ask about a picture with many things of one class: what, where, which pixels, of which thing.

    Parameters
    ----------
    image : (H, W) array
    mask : (H, W) array of 0 and 1
    """
    instances, _ = ndimage.label(np.asarray(mask))
    around = boxes_around(instances)
    tint = np.where(instances > 0, 1 + instances % 7, 0)  # seven colours, again and again
    figure = photos(
        Photo(image, "what is there? coins"),
        Photo(_outlined(image, around), "and where? a box for each"),
        Photo(painted(mask), "which pixels? semantic segmentation"),
        Photo(painted(tint), "and of which coin? instance segmentation"),
        columns=2,
        tile=4.2,
    )
    words = (
        "The coins four times: as they are; with a box around each coin; with all coin pixels in one colour; with each "
        "coin in a colour that differs from its neighbours'."
    )
    return Shown(figure, words, boxes=around, mask=mask, instances=instances)


def scores(planes: ArrayLike, names: Sequence[str]) -> Shown:
    """The scores of some pixels, a plane for each class.

    Parameters
    ----------
    planes : (K, H, W) array
    names : sequence of K str
    """
    planes = np.asarray(planes)
    grids = [Grid(plane, name, "kernel", decimals=2) for plane, name in zip(planes, names, strict=True)]
    words = (
        f"{len(planes)} planes of {planes.shape[1]} by {planes.shape[2]} scores. In the top left pixel: "
        + ", ".join(f"{name} {score:.2f}" for name, score in zip(names, planes[:, 0, 0], strict=True))
    )
    return Shown(numbers(grids), words + ".", scores=planes)


def map_of_classes(labels: ArrayLike, names: Mapping[int, str], marked: ArrayLike | None = None) -> Shown:
    """The label map of the street, or one of its classes.

    Parameters
    ----------
    labels : (H, W) array of int
    names : mapping from class number to name
    marked : (H, W) array of bool, optional
        Cells to frame.
    """
    labels = np.asarray(labels)
    rows, columns = labels.shape
    title = f"{rows} rows × {columns} columns, a class for each pixel"
    counts = ", ".join(f"{name} {np.count_nonzero(labels == number)}" for number, name in names.items())
    words = f"A grid of class numbers in colours, {rows} by {columns}. Pixels of each class: {counts}."
    if marked is not None:
        words += f" Thick frames mark {np.count_nonzero(marked)} of the cells."
    return Shown(label_map(labels, names, title, marked), words, labels=labels)


def planes(labels: ArrayLike, names: Mapping[int, str]) -> Shown:
    """A plane for each class: white where the class is.

    Parameters
    ----------
    labels : (H, W) array of int
    names : mapping from class number to name
    """
    hot = np.stack([np.asarray(labels) == number for number in names])
    figure = photos(
        *[Photo(plane, f"{number}: {name}") for plane, (number, name) in zip(hot, names.items(), strict=True)],
        columns=3,
        tile=WIDTH / 3,
    )
    empty = [name for name, plane in zip(names.values(), hot, strict=True) if not plane.any()]
    words = f"{len(hot)} black planes; in each, the pixels of one class are white. "
    words += f"All black: {', '.join(empty)}." if empty else "None is all black."
    return Shown(figure, words, one_hot=hot)


def applications() -> Shown:
    """Three photographs for which the outline counts, and below each the pixels that one wants."""
    from skimage.color import rgb2gray  # slow to import, and one picture alone needs them
    from skimage.data import retina, stereo_motorcycle
    from skimage.filters import sato

    from unet_edu.data.masks import photo_and_mask

    eye = retina()[380:980:2, 360:1160:2] / 255
    vessels = sato(rgb2gray(eye), sigmas=range(1, 5)) > DARK_LINE
    cell, cell_mask = photo_and_mask("cell")
    _, motorcycle = photo_and_mask("motorcycle")
    figure = photos(
        Photo(eye, "medicine: inside an eye"),
        Photo(cell[230:530, 150:550], "microscopy: a living cell"),
        Photo(stereo_motorcycle()[0][:, 20:687] / 255, "driving: what stands in the way"),
        Photo(vessels, "the pixels of blood vessels"),
        Photo(cell_mask[230:530, 150:550], "the pixels of the cell"),
        Photo(motorcycle[:, 20:687] == 1, "the pixels of the motorcycle"),
        columns=3,
        tile=WIDTH / 3,
    )
    words = (
        "Above, three photographs: the inside of an eye with fine vessels, a round cell, a red motorcycle in a garage. "
        "Below each, white on black, the pixels that one wants: a net of thin lines; a disc; the motorcycle with "
        "the gaps between its parts."
    )
    return Shown(figure, words, vessels=vessels, cell=cell_mask, motorcycle=motorcycle)


def motorcycle_in_a_box(colour: ArrayLike, mask: ArrayLike, box: Sequence[int]) -> Shown:
    """The motorcycle with the smallest box around it, and its mask with what is unknown.

    Parameters
    ----------
    colour : (H, W, 3) array
    mask : (H, W) array of 0, 1 and `UNKNOWN`
    box : (top, left, height, width)
    """
    shown = np.minimum(mask, 2)  # 0 background, 1 motorcycle, 2 unknown
    ground = np.array([to_rgb("#1A1A1A"), to_rgb(CLASSES[1]), to_rgb("#EDEDED")])[shown]
    titles = "the smallest box", "orange: motorcycle; nearly white: unknown"
    figure = boxes(colour, {titles[0]: [box], titles[1]: []}, {titles[1]: ground})
    words = (
        "A red motorcycle in a garage with a box around it, and its mask: the motorcycle is orange on black. Some gaps "
        "between its parts are black too. Nearly white specks, mostly along edges and in the shelves, are unknown."
    )
    return Shown(figure, words, mask=shown, box=box)


def two_squares(truth: ArrayLike, prediction: ArrayLike) -> Shown:
    """Two masks in one grid: what is in both, in one alone, in neither.

    Parameters
    ----------
    truth, prediction : (H, W) arrays of 0 and 1
    """
    four = {3: "in both", 1: "only predicted", 2: "only true", 0: "in neither"}
    signs = {3: "TP", 1: "FP", 2: "FN", 0: "TN"}
    both = 2 * np.asarray(truth) + np.asarray(prediction)
    words = "A grid with two overlapping squares, one a row lower and a column further to the right than the other."
    return Shown(label_map(both, four, "the true square and the predicted one", signs=signs), words, both=both)


def coins_marked(image: ArrayLike, masks: Mapping[str, ArrayLike], truth: ArrayLike) -> Shown:
    """What masks of the coins hit and miss.

    Parameters
    ----------
    image : (H, W) array
    masks : mapping from title to (H, W) array of 0 and 1
    truth : (H, W) array of 0 and 1
    """
    words = _verdict_words("The coins", masks, truth)
    return Shown(verdicts(*[(title, image, mask, truth) for title, mask in masks.items()]), words, **_named(masks))


def cells_marked(image: ArrayLike, masks: Mapping[str, ArrayLike], truth: ArrayLike) -> Shown:
    """What masks of the cell hit and miss: as `coins_marked`."""
    words = _verdict_words("The cell", masks, truth)
    return Shown(verdicts(*[(title, image, mask, truth) for title, mask in masks.items()]), words, **_named(masks))


def confusions(table: ArrayLike, names: Sequence[str], title: str = "") -> Shown:
    """A confusion matrix.

    Parameters
    ----------
    table : (K, K) array of int
    names : sequence of K str
    title : str
    """
    table = np.asarray(table)
    wrong = [
        f"{table[i, j]:,} pixels of {names[i]} were taken for {names[j]}"
        for i, j in np.argwhere(table)
        if i != j and table[i, j]
    ]
    words = (
        f"A confusion matrix of {len(table)} classes. {table.trace():,} of {table.sum():,} pixels are on the diagonal. "
    )
    return Shown(confusion(table, names, title), words + "; ".join(wrong) + ".", table=table)


def dice_over_iou() -> Shown:
    """Dice for each IoU."""
    J = np.linspace(0, 1, 101)
    D = 2 * J / (1 + J)
    words = "Dice over IoU: a curve that starts and ends on the diagonal and lies above it in between."
    return Shown(curves({"Dice": D, "IoU itself": J}, "IoU", "score", x=J), words, dice=D)


def two_windows(image: ArrayLike, top: int, left: int, side: int) -> Shown:
    """A window on a piece of an image, and its right neighbour.

    Parameters
    ----------
    image : (H, W) array
    top, left : int
        The upper left corner of the first window.
    side : int
    """
    pair = np.array([(top, left, side, side), (top, left + 1, side, side)])
    words = (
        "A piece of the photograph with parts of several coins. Two small squares lie on it, one a single pixel to the "
        "right of the other."
    )
    return Shown(boxes(image, {f"a window of {side} × {side} and its neighbour": pair}), words, image=image, boxes=pair)


def network_marked(image: ArrayLike, mask: ArrayLike, truth: ArrayLike) -> Shown:
    """What the small network of the side road marks of the coins: as `coins_marked`, for one mask."""
    words = _verdict_words("The coins under the small network", {"all pixels at once": mask}, truth)
    return Shown(verdicts(("all pixels at once", image, mask, truth)), words, predicted=mask)


def blobs_and_boxes(image: ArrayLike, blobs: ArrayLike, proposals: ArrayLike, windows: ArrayLike) -> Shown:
    """Blobs of like pixels, a box around each, and as many of the windows.

    Parameters
    ----------
    image : (H, W) array
    blobs : (H, W) array of int
    proposals, windows : (n, 4) arrays of (top, left, height, width)
    """
    from skimage.segmentation import mark_boundaries

    windows = np.asarray(windows)
    some = windows[:: len(windows) // (len(np.asarray(proposals)) - 1)]
    drawn = mark_boundaries(np.asarray(image), np.asarray(blobs), color=(1, 0.6, 0))
    groups: dict[str, ArrayLike] = {
        "blobs of like pixels": [],
        "a box around each": proposals,
        f"{len(some)} of {len(windows):,} windows": some,
    }
    words = (
        "The coins three times. Left, outlines of blobs: each coin is one blob or a few, the ground is one large blob "
        "with small ones around the coins. Middle, a box for each blob; every coin has one. Right, as many windows: "
        "they lie anywhere, on coins and on empty ground."
    )
    return Shown(boxes(image, groups, {"blobs of like pixels": drawn}), words, blobs=blobs, proposals=proposals)


def volumes_of(shapes: Sequence[tuple[int, int, int]], steps: Sequence[str]) -> Shown:
    """The volumes that flow through a network: see `volumes`."""
    words = (
        f"{len(shapes)} boxes in a row. From left to right they become smaller and thicker down to the middle, then "
        "larger and thinner again, until the last is as large as the first."
    )
    return Shown(volumes(shapes, steps), words, shapes=np.array(shapes))


def coarse(image: ArrayLike, masks: Mapping[str, ArrayLike], truth: ArrayLike) -> Shown:
    """A part of masks that are made of blocks, with what they hit and miss: as `coins_marked`."""
    words = _verdict_words("The front wheel of the motorcycle", masks, truth)
    words += " The larger the blocks, the more of spokes and outline is wrong."
    return Shown(verdicts(*[(title, image, mask, truth) for title, mask in masks.items()]), words, **_named(masks))


def blocks(mask: ArrayLike, side: int) -> NDArray[Any]:
    """A mask as one who sees the pixel in the middle of each block alone would answer it.

    Parameters
    ----------
    mask : (H, W) array
    side : int
        Of a block, in pixels.

    Returns
    -------
    (H, W) array
    """
    mask = np.asarray(mask)
    rows, columns = (np.minimum(np.arange(length) // side * side + side // 2, length - 1) for length in mask.shape)
    return mask[np.ix_(rows, columns)]


def boxes_around(labels: ArrayLike) -> NDArray[np.int64]:
    """The smallest box around each region.

    Parameters
    ----------
    labels : (H, W) array of int
        1, 2, … on the regions, 0 elsewhere.

    Returns
    -------
    (n, 4) array of (top, left, height, width)
    """
    found = [slices for slices in ndimage.find_objects(np.asarray(labels, int)) if slices is not None]
    return np.array([(rows.start, cols.start, rows.stop - rows.start, cols.stop - cols.start) for rows, cols in found])


def _outlined(image: ArrayLike, group: ArrayLike) -> NDArray[np.float64]:
    """A grey image with boxes of a white rim and a coloured line."""
    painted = np.repeat(np.asarray(image, np.float64)[..., None], 3, axis=2)
    for margin, colour in ((1, PAPER), (0, ROLES["error"].line)):
        for top, left, height, width in np.asarray(group):
            for rows, cols in (
                (slice(top - 1, top + 1), slice(left - 1, left + width + 1)),
                (slice(top + height - 1, top + height + 1), slice(left - 1, left + width + 1)),
                (slice(top - 1, top + height + 1), slice(left - 1, left + 1)),
                (slice(top - 1, top + height + 1), slice(left + width - 1, left + width + 1)),
            ):
                grown = tuple(slice(max(0, part.start - margin), part.stop + margin) for part in (rows, cols))
                painted[grown] = to_rgb(colour)
    return painted


def _verdict_words(what: str, masks: Mapping[str, ArrayLike], truth: ArrayLike) -> str:
    """How many pixels of each mask are rightly marked, wrongly marked and missed."""
    said = []
    for title, mask in masks.items():
        found = np.bincount(kinds(mask, truth).ravel(), minlength=len(KINDS))
        said.append(f"{title}: {found[1]:,} pixels rightly marked, {found[2]:,} wrongly marked, {found[3]:,} missed")
    return f"{what}. {'; '.join(said)}."


def _named(masks: Mapping[str, ArrayLike]) -> dict[str, ArrayLike]:
    return {f"mask_{number}": mask for number, mask in enumerate(masks.values())}


def _side_by_side(
    shapes: Sequence[tuple[int, ...]], titles: Sequence[str], below: float = 0.0
) -> tuple[Figure, list[Axes], Axes]:
    """A figure with one frame a picture, in a row, each under its title, and one strip below them."""
    gap, title = 0.1, 0.12 + 0.18 * max(text.count("\n") + 1 for text in titles)
    width = min(4.6, (WIDTH - gap) / len(shapes) - gap)
    tall = max(width * shape[0] / shape[1] for shape in shapes)
    total = (len(shapes) * (width + gap) + gap, title + tall + below + gap)
    figure = Figure(figsize=total, dpi=DPI, facecolor=PAPER)
    row = []
    for n, shape in enumerate(shapes):
        high = width * shape[0] / shape[1]
        place = (gap + n * (width + gap)) / total[0], 1 - (title + high) / total[1], width / total[0], high / total[1]
        row.append(figure.add_axes(place, xticks=[], yticks=[]))
        options: dict[str, Any] = {"fontsize": 10, "pad": 4, **FONT}
        row[-1].set_title(titles[n], **options)
    strip = figure.add_axes((0, gap / 2 / total[1], 1, below / total[1]))
    strip.set_axis_off()
    return figure, row, strip
