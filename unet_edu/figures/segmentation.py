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

from unet_edu.figures.palette import CLASSES, INK, PAPER, ROLES
from unet_edu.figures.panels import DPI, FONT, WIDTH, canvas, rectangle, write

__all__ = [
    "FINER",
    "KINDS",
    "Kind",
    "agreement",
    "boxes",
    "coloured",
    "confusion",
    "kinds",
    "label_map",
    "legend",
    "verdicts",
    "volumes",
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


def label_map(labels: ArrayLike, names: Mapping[int, str], title: str = "", marked: ArrayLike | None = None) -> Figure:
    """Draw a small label map: in each cell its number, on the colour of its class, and the legend beside it.

    Parameters
    ----------
    labels : (H, W) array of int
    names : mapping from class number to name
        The classes of the legend, with how many pixels each has.
    title : str
    marked : (H, W) array of bool, optional
        Cells to frame.

    Returns
    -------
    matplotlib.figure.Figure
    """
    labels = np.asarray(labels)
    rows, columns = labels.shape
    cell, key = 0.34, 2.9
    width, height = columns * cell + key + 3 * ROOM, max(rows * cell, 0.3 * len(names)) + 2 * ROOM + 0.25 * bool(title)
    figure, axes = canvas(width, height)
    left, top = ROOM, ROOM + 0.25 * bool(title)
    axes.text(left, top - 0.1, title, fontsize=10, fontweight="bold", **FONT)
    for (i, j), label in np.ndenumerate(labels):
        x, y = left + j * cell, top + i * cell
        rectangle(axes, (x, y), cell, cell, CLASSES[label], PAPER, 0.8)
        write(axes, x + cell / 2, y + cell / 2, str(label), 9, va="center_baseline")
    for i, j in [] if marked is None else np.argwhere(np.asarray(marked)):
        rectangle(axes, (left + j * cell, top + i * cell), cell, cell, None, INK, 2.5)
    x = left + columns * cell + ROOM
    for n, (number, name) in enumerate(names.items()):
        y = top + 0.3 * n
        rectangle(axes, (x, y), 0.26, 0.24, CLASSES[number], INK, 0.6)
        write(axes, x + 0.13, y + 0.12, str(number), 9, va="center_baseline")
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
