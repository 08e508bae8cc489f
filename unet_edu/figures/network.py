"""Lesson 06's pictures: the U as far as it is built, what becomes of a copy, and what networks without copies miss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from unet_edu.figures.palette import INK, ROLES
from unet_edu.figures.panels import FONT, WIDTH, Grid, Photo, canvas, curves, numbers, photos, rectangle, write
from unet_edu.figures.segmentation import KINDS, LEAST, agreement, kinds
from unet_edu.figures.shown import Shown
from unet_edu.figures.unet import Map, bars, block_names, draw, lay_out
from unet_edu.losses import separated
from unet_edu.sizes import Layer, layer_table

if TYPE_CHECKING:  # torch takes seconds to import
    from unet_edu.unet import UNet

__all__ = [
    "answered",
    "built",
    "gap",
    "gradients",
    "levels",
    "maps",
    "memory",
    "scored",
    "shares",
    "strength",
    "two_become_one",
]

THIRD = WIDTH / 3  # inches: three pictures side by side
PATHS = ("contracting", "expanding")


def built(model: UNet, side: int, last: str = "head") -> Shown:
    """Draw a U-Net as a U of blocks, as far as it is built; what is still to come is dotted.

    Parameters
    ----------
    model : UNet
    side : int
        Of the image, in pixels.
    last : str
        The last block that is built, as `unet_edu.sizes.layer_table` names it.

    Returns
    -------
    Shown
    """
    names = block_names(model.depth, copies=model.config["skip"] != "none")
    if last not in names:
        raise ValueError(f"last: expected one of {', '.join(names)}, got {last!r}")
    sides = {"input": (model.config["in_channels"], side)}
    sides |= {layer.name: layer.shape[:2] for layer in layer_table(model, side)}
    done = names[: names.index(last) + 1]
    blocks = {name: Map(sides[name][0], sides[name][1] if name in done else None) for name in names}
    figure = draw(lay_out(model.depth, blocks, copies=model.config["skip"] != "none"))
    ends = [name for name in done if name in ("input", "head") or name.split(".")[0] in PATHS and name.endswith(".2")]
    walked = ", ".join(f"{blocks[name].channels} of {blocks[name].side}" for name in ends)
    crossed = sum(name.startswith("join") for name in done)
    copies = f" {crossed} arrows go across, each with the square of a copy and, in it, the part that is kept."
    rest = "" if last == "head" else " All other blocks are dotted: they are still to come."
    words = (
        f"The U-Net as a U of blocks. Channels and sides of what is built, from the image on: {walked}."
        f"{copies if crossed else ''}{rest}"
    )
    return Shown(figure, words, built=[(blocks[name].channels, blocks[name].side or 0) for name in done])


def answered(image: ArrayLike, side: int) -> Shown:
    """Draw an image, and a frame around the middle for which the network gives an answer.

    Parameters
    ----------
    image : (H, W) array
        From 0 (black) to 1 (white).
    side : int
        Of the answer, in pixels.

    Returns
    -------
    Shown
    """
    image = np.asarray(image)
    (H, W), top, left = image.shape, (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
    figure = photos(Photo(image, f"{H} × {W} go in, {side} × {side} come out", box=(top, left, side, side)), tile=4.4)
    words = (
        f"Drawn cells on {H} by {W} pixels. A frame stands around the {side} by {side} in the middle, {top} from each "
        "edge: for these the network gives an answer. The border around them it only reads."
    )
    return Shown(figure, words, image=image, frame=[top, left, side])


def two_become_one(copy: ArrayLike, deep: ArrayLike) -> Shown:
    """Draw a copy, what comes from below, and what becomes of them: added, multiplied, concatenated.

    Parameters
    ----------
    copy, deep : (H, W) arrays of whole numbers

    Returns
    -------
    Shown
    """
    copy, deep = np.asarray(copy), np.asarray(deep)
    figure = numbers(
        [
            Grid(copy, "the copy", "skip"),
            Grid(deep, "from below", "output"),
            "→",
            Grid(copy + deep, "added", "input"),
            Grid(copy * deep, "multiplied", "input"),
            Grid(copy, "concatenated,", "skip"),
            Grid(deep, "2 channels", "output"),
        ]
    )
    words = (
        f"A copy with the numbers {_listed(copy)}, and a map from below with {_listed(deep)}. Added: "
        f"{_listed(copy + deep)}. Multiplied: {_listed(copy * deep)}. Concatenated: both, as two channels."
    )
    return Shown(figure, words, added=copy + deep, multiplied=copy * deep)


def shares(layers: Sequence[Layer]) -> Shown:
    """Draw for each level its share of the parameters and its share of the memory.

    Parameters
    ----------
    layers : sequence of Layer
        As `unet_edu.sizes.layer_table` gives them.

    Returns
    -------
    Shown
    """
    depth = sum(layer.name.startswith("pool") for layer in layers)
    share = np.zeros((2, depth + 1))
    for layer in layers:
        share[:, level_of(layer.name, depth)] += layer.parameters, layer.activation_bytes
    share /= share.sum(axis=1, keepdims=True)
    row, top, width = 0.36, 0.62, 3.0
    figure, axes = canvas(WIDTH, top + row * (depth + 1) + 0.1)
    middle = WIDTH / 2
    for side, name, role in ((-1, "parameters", "kernel"), (1, "memory of the maps", "input")):
        write(axes, middle + side * (0.75 + width / 2), 0.3, name, 11, ROLES[role].line, fontweight="bold")
    for level, (parameters, memory) in enumerate(share.T):
        y = top + row * level
        write(axes, middle, y + row / 2, f"level {level}" + (", bottom" if level == depth else ""), 10)
        _bar(axes, middle - 0.75, y, -width * parameters, row, "kernel", f"{parameters:.1%}")
        _bar(axes, middle + 0.75, y, width * memory, row, "input", f"{memory:.1%}")
    said = [[f"{value:.1%}" for value in values] for values in share]
    words = (
        f"Two groups of bars for the levels 0 to {depth}. Parameters, growing from the top to the bottom: "
        f"{', '.join(said[0])}. Memory, shrinking from the top to the bottom: {', '.join(said[1])}."
    )
    return Shown(figure, words, parameters=share[0], memory=share[1])


def scored(found: Mapping[str, Mapping[str, Mapping[str, float]]]) -> Shown:
    """Draw for each network its SEG and its IoU, means over all looks of the drawn cells, as marks on a line.

    Parameters
    ----------
    found : mapping from network to mapping from look to {"seg": …, "iou": …}

    Returns
    -------
    Shown
    """
    means = {
        name: [float(np.mean([row[of] for row in looks.values()])) for of in ("seg", "iou")]
        for name, looks in found.items()
    }
    row, top, left, width = 0.34, 0.5, 3.0, 5.4
    foot = top + row * len(means)
    figure, axes = canvas(WIDTH, foot + 0.5)
    low = float(np.floor(10 * np.min(list(means.values()))) / 10)

    def place(score: float) -> float:
        return left + width * (score - low) / (1 - low)

    for tick in np.arange(low, 1.01, 0.1):
        axes.plot([place(tick)] * 2, [top - 0.05, foot], color=ROLES["neutral"].fill, linewidth=1, zorder=1)
        write(axes, place(tick), foot + 0.16, f"{tick:.1f}", 9)
    for number, (name, (seg, iou)) in enumerate(means.items()):
        y = top + row * (number + 0.5)
        axes.text(left - 0.25, y, name, ha="right", va="center", fontsize=10, **FONT)
        axes.plot([place(seg), place(iou)], [y, y], color=ROLES["neutral"].line, linewidth=1, zorder=2)
        for score, mark, role, label in ((seg, "o", "output", "SEG: cells"), (iou, "s", "input", "IoU: pixels")):
            colour = ROLES[role].line
            axes.plot(place(score), y, mark, color=colour, markersize=8.5, zorder=3, label="" if number else label)
        write(axes, WIDTH - 0.85, y, f"SEG {seg:.2f}, IoU {iou:.2f}", 9)
    axes.legend(
        loc="upper center", bbox_to_anchor=(place((1 + low) / 2) / WIDTH, 1.0), ncols=2, fontsize=9.5, frameon=False
    )
    said = "; ".join(f"{name}: SEG {seg:.2f}, IoU {iou:.2f}" for name, (seg, iou) in means.items())
    words = f"For each network two marks on a line, a disc for SEG and a square for IoU. {said}."
    return Shown(figure, words, seg_and_iou=list(means.values()))


def gap(
    image: ArrayLike,
    instances: ArrayLike,
    masks: Mapping[str, ArrayLike],
    rows: tuple[int, int],
    columns: tuple[int, int],
) -> Shown:
    """Draw a small part of an image, and what masks hit and miss of it.

    Parameters
    ----------
    image : (H, W) array
    instances : (H, W) array of int
        The true cells, each with its number; gaps between them are background.
    masks : mapping from title to (H, W) array of 0 and 1
    rows, columns : (first, behind the last)
        Of the part.

    Returns
    -------
    Shown
    """
    part = np.s_[rows[0] : rows[1], columns[0] : columns[1]]
    image, truth = np.asarray(image)[part], separated(np.asarray(instances))[part]
    parts = {title: np.asarray(mask)[part] for title, mask in masks.items()}
    wrong = {title: int((mask != truth).sum()) for title, mask in parts.items()}
    tiles = [Photo(image, f"{image.shape[0]} × {image.shape[1]} pixels of the picture")]
    for title, mask in parts.items():  # large first, so that the patterns fit into a single pixel
        painted = agreement(*(_larger(array) for array in (image, mask, truth)))
        tiles.append(Photo(painted, f"{title}: {wrong[title]} wrong"))
    figure = photos(*tiles, columns=3, tile=THIRD)
    _key(figure)
    said = []
    for title, mask in parts.items():
        _, _, marked, missed, _ = np.bincount(kinds(mask, truth).ravel(), minlength=len(KINDS))
        said.append(f"{title}: {marked} pixels wrongly marked and {missed} missed")
    words = f"A part of drawn cells of {image.shape[0]} by {image.shape[1]} pixels, large. {'; '.join(said)}."
    return Shown(figure, words, **{f"mask_{number}": mask for number, mask in enumerate(parts.values())})


def gradients(depths: ArrayLike, flow: Mapping[str, ArrayLike]) -> Shown:
    """Draw how large the gradient of the first layer is beside the last one's, over the number of layers.

    Parameters
    ----------
    depths : (n,) array of int
    flow : mapping from name to (n,) array of positive numbers

    Returns
    -------
    Shown
    """
    figure = curves(flow, "layers", "gradient, first / last layer", x=depths, log="y")
    powers = {name: np.log10(np.asarray(values)) for name, values in flow.items()}
    ends = "; ".join(f"{name}: {10.0 ** power[-1]:.1e}".replace("-", "−") for name, power in powers.items())
    most = np.asarray(depths)[-1]
    words = f"{len(flow)} curves over the number of layers, on a logarithmic scale. At {most} layers: {ends}."
    return Shown(figure, words, **{f"log10_{number}": power for number, power in enumerate(powers.values())})


def levels(norms: Mapping[str, ArrayLike]) -> Shown:
    """Draw what arrives at each level of the way down, as one curve a network, on a logarithmic scale.

    Parameters
    ----------
    norms : mapping from name to (levels,) array of numbers that are not negative

    Returns
    -------
    Shown
    """
    figure = curves(norms, "level of the way down, 0 is the top", "norm of the gradient", log="y")
    figure.axes[0].set_xticks(range(len(next(iter(norms.values())))))  # type: ignore[arg-type]
    said = "; ".join(
        f"{name}: {', '.join(f'{value:.1e}'.replace('-', '−') for value in np.asarray(values))}"
        for name, values in norms.items()
    )
    words = f"{len(norms)} curves over the levels of the way down, from the top, on a logarithmic scale. {said}."
    values = {f"log10_{n}": np.log10(np.asarray(values)) for n, values in enumerate(norms.values())}
    return Shown(figure, words, **values)


def memory(groups: Mapping[str, Mapping[str, float]], title: str) -> Shown:
    """Draw the memory of each level as bars: see `unet_edu.figures.unet.bars`.

    Parameters
    ----------
    groups : mapping from level to mapping from part to MB
    title : str

    Returns
    -------
    Shown
    """
    sums = {level: sum(parts.values()) for level, parts in groups.items()}
    said = ", ".join(f"{level} {total:,.0f} MB" for level, total in sums.items())
    words = f"A bar for each level, from the top, in parts that are hatched: {said}."
    return Shown(bars(groups, "MB", title), words, megabytes=[list(parts.values()) for parts in groups.values()])


def strength(strength: ArrayLike, first: int, last: int) -> Shown:
    """Draw how strongly an output pixel depends on each input pixel, and a frame around those that it sees.

    Parameters
    ----------
    strength : (H, W) array
        Not negative.
    first, last : int
        The first and last row, and column, that is seen.

    Returns
    -------
    Shown
    """
    root = np.sqrt(np.asarray(strength) / np.max(strength))
    side = last - first + 1
    title = f"how strongly each of {len(root)} × {len(root)} pixels counts\n(root of it), and the square that is seen"
    figure = photos(Photo(root, title, box=(first, first, side, side)), tile=4.4)
    words = (
        f"A dark square with a bright spot in its middle, which fades to all sides. A frame of {side} by {side} shows "
        "the pixels that are seen; near the frame it is almost black."
    )
    return Shown(figure, words, strength=root**2)


def maps(planes: Mapping[str, ArrayLike]) -> Shown:
    """Draw feature maps side by side, each in greys from its smallest to its largest number.

    Parameters
    ----------
    planes : mapping from title to (H, W) array

    Returns
    -------
    Shown
    """
    arrays = {title: np.asarray(plane, float) for title, plane in planes.items()}
    tiles = [Photo(plane, title, low=plane.min(), high=plane.max()) for title, plane in arrays.items()]
    said = "; ".join(f"{title}: {plane.shape[0]} by {plane.shape[1]} pixels" for title, plane in arrays.items())
    words = f"{len(arrays)} maps in greys. {said}."
    return Shown(
        photos(*tiles, columns=2, tile=THIRD),
        words,
        **{f"map_{number}": plane for number, plane in enumerate(arrays.values())},
    )


def level_of(name: str, depth: int) -> int:
    """The level of a layer, by its name in `layer_table`. A pooling makes a map of the level below it.

    Examples
    --------
    >>> [level_of(name, 4) for name in ("contracting.1.2", "pool.1", "up.0", "expanding.3.0", "head")]
    [1, 2, 3, 0, 0]
    """
    part, *rest = name.split(".")
    if part == "head":
        return 0
    number = int(rest[0])
    return {"contracting": number, "pool": number + 1}.get(part, depth - 1 - number)


def _bar(axes: Axes, start: float, top: float, length: float, row: float, role: str, label: str) -> None:
    """A bar to the right, or to the left where its length is negative, with its number at its end."""
    colour = ROLES[role]
    left = min(start, start + length)
    rectangle(axes, (left, top + 0.05), abs(length), row - 0.1, colour.fill, colour.line, zorder=2)
    side = "left" if length >= 0 else "right"
    aside = 0.08 if length >= 0 else -0.08
    axes.text(start + length + aside, top + row / 2, label, ha=side, va="center", fontsize=9.5, **FONT)


def _key(figure: Any) -> None:
    """What the colours of `agreement` mean, below the pictures."""
    from matplotlib.patches import Patch

    some = KINDS[1:4]
    colours = [
        Patch(facecolor=kind.colour, hatch=kind.hatch, edgecolor="white", linewidth=0, label=kind.meaning)
        for kind in some
    ]
    width, height = figure.get_size_inches()
    foot = 0.32
    figure.set_size_inches(width, height + foot)
    for axes in figure.axes:
        box = axes.get_position()
        low, high = (foot + box.y0 * height) / (height + foot), (foot + box.y1 * height) / (height + foot)
        axes.set_position((box.x0, low, box.width, high - low))
    figure.legend(handles=colours, loc="lower center", ncols=3, fontsize=9.5, frameon=False, labelcolor=INK)


def _larger(array: NDArray[Any]) -> NDArray[Any]:
    return array.repeat(LEAST, axis=0).repeat(LEAST, axis=1)


def _listed(values: NDArray[Any]) -> str:
    texts = [f"{value:g}".replace("-", "−") for value in np.ravel(values)]
    return f"{', '.join(texts[:-1])} and {texts[-1]}"
