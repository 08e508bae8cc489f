"""The pictures of lesson 07 and its side roads: cells in colours, weights, losses, and scores side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from unet_edu.data.measured import Measured
from unet_edu.figures.film import Film, Loop
from unet_edu.figures.palette import CLASSES, INK, PAPER, ROLES
from unet_edu.figures.panels import DPI, FONT, WIDTH, Grid, Photo, canvas, curves, numbers, painted, photos, write
from unet_edu.figures.results import draw_spread
from unet_edu.figures.shown import Shown
from unet_edu.instances import connected
from unet_edu.losses import border_weight_map, separated

__all__ = [
    "agreeing",
    "coloured_cells",
    "counted",
    "fading",
    "first_weights",
    "gap",
    "in_colour",
    "learning",
    "loss_over_steps",
    "overfitting",
    "runs",
    "samples",
    "score_bars",
    "scored",
    "to_learn_from",
    "weights_of",
]

THIRD = WIDTH / 3  # three photographs side by side


def coloured_cells(image: ArrayLike, instances: ArrayLike) -> NDArray[np.float32]:
    """A grey image, darkened, in which each cell has a colour and a thin dark outline.

    Neighbours that were not told apart are one cell, and so have one colour. (Two cells that were told apart may have
    the same colour too: there are seven. The outline is then between them.)

    Parameters
    ----------
    image : (H, W) array from 0 to 1
    instances : (H, W) array of whole numbers
        0 is the background.

    Returns
    -------
    (H, W, 3) array of float32
        For `panels.Photo`.
    """
    image, instances = np.asarray(image, np.float32), np.asarray(instances)
    colours = np.array([to_rgb(colour) for colour in CLASSES[1:]], np.float32)
    picture: NDArray[np.float32] = np.repeat(np.float32(0.7) * image[..., None], 3, axis=-1)
    is_cell = instances > 0
    picture[is_cell] = 0.75 * colours[(instances[is_cell] - 1) % len(colours)] + 0.25 * image[is_cell, None]
    padded = np.pad(instances, 1, mode="edge")
    around = (padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:])
    rim = is_cell & np.any([there != instances for there in around], axis=0)
    picture[rim] *= 0.45
    return picture


def score_bars(scores: Mapping[str, Mapping[str, float]], level: tuple[float, str] | None = None) -> Figure:
    """Draw a table of scores from 0 to 1, each number with a bar.

    Parameters
    ----------
    scores : mapping from the name of a method to a mapping from the name of a score to its value
        All methods have the same scores, at most five.
    level : (score, name), optional
        A vertical line to compare with.

    Returns
    -------
    matplotlib.figure.Figure
    """
    names, kinds = list(scores), list(next(iter(scores.values())))
    styles = {"output": "", "input": "////", "skip": "..", "kernel": "xx", "error": "\\\\"}
    if len(kinds) > len(styles):
        raise ValueError(
            f"scores: expected at most {len(styles)} kinds, which can still be told apart, got {len(kinds)}"
        )
    high = 0.22
    lines = sum(name.count("\n") + 1 for name in names)
    tall = max(len(names) * (high * len(kinds) + 0.16), 0.2 * lines) + 0.7
    figure = Figure(figsize=(WIDTH, tall), dpi=DPI, facecolor=PAPER)
    axes = figure.add_axes((0.27, 0.42 / tall, 0.55, 1 - 0.5 / tall))
    step = high * len(kinds) + 0.16
    for k, (kind, (role, hatch)) in enumerate(zip(kinds, styles.items(), strict=False)):
        values = np.array([scores[name][kind] for name in names])
        places = np.arange(len(names)) * step + high * (k + 0.5 - len(kinds) / 2)
        axes.barh(
            places,
            values,
            height=high * 0.9,
            color=ROLES[role].fill,
            edgecolor=ROLES[role].line,
            hatch=hatch,
            label=kind,
        )
        for place, value in zip(places, values, strict=True):
            number = axes.text(value + 0.01, place, f"{value:.3f}", va="center_baseline", fontsize=9, **FONT)
            number.set_bbox({"facecolor": PAPER, "edgecolor": "none", "pad": 0.5})  # over the level
    axes.set_yticks(np.arange(len(names)) * step, names)
    axes.set(xlim=(0, 1.08), ylim=((len(names) - 0.5) * step, -0.5 * step), xticks=np.arange(0, 1.1, 0.25))
    axes.tick_params(labelsize=9, labelcolor=INK, color=ROLES["neutral"].line)
    axes.tick_params(axis="y", length=0, labelsize=10)
    if level is not None:
        axes.axvline(level[0], color=ROLES["error"].line, linewidth=1.5, linestyle=(0, (4, 2)), label=level[1])
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.legend(fontsize=9, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0), handleheight=1.1)
    return figure


def to_learn_from(frames: Sequence[Any]) -> Shown:
    """Images and their true cells below them.

    Parameters
    ----------
    frames : sequence of Frame
    """
    figure = photos(
        *(Photo(frame.image, f"image {n}") for n, frame in enumerate(frames)),
        *(Photo(coloured_cells(*frame[:2]), f"{frame.instances.max()} nuclei") for frame in frames),
        columns=len(frames),
        tile=WIDTH / len(frames),
    )
    words = (
        f"{len(frames)} grey images of bright nuclei on black. Many nuclei touch. Below, the truth: the same images "
        "with each nucleus in a colour and a dark line around it."
    )
    return Shown(figure, words, images=np.stack([frame.image for frame in frames]))


def counted(frame: Any, mask: ArrayLike) -> Shown:
    """An image, its true cells, and the pieces of a mask.

    Parameters
    ----------
    frame : Frame
    mask : (H, W) array of booleans
        Of a threshold.
    """
    found = connected(np.asarray(mask))
    figure = photos(
        Photo(frame.image, "a validation image"),
        Photo(coloured_cells(*frame[:2]), f"the truth: {frame.instances.max()} nuclei"),
        Photo(coloured_cells(frame.image, found), f"Otsu: {found.max()} pieces"),
        columns=3,
        tile=THIRD,
    )
    words = (
        f"A validation image with a clump of nuclei. In the truth, {frame.instances.max()} nuclei have a colour each. "
        f"In Otsu's answer there are {found.max()} pieces: the clump is nearly all one piece in one colour."
    )
    return Shown(figure, words, found=found > 0)


def samples(crops: Sequence[tuple[Any, Any, Any]]) -> Shown:
    """Crops, with their labels in colour.

    Parameters
    ----------
    crops : sequence of (image, labels, weights)
        As `Crops` gives them.
    """
    panels = [
        Photo(coloured_cells(np.clip(np.asarray(image)[0], 0, 1), connected(np.asarray(labels) > 0)), f"crop {n}")
        for n, (image, labels, _) in enumerate(crops)
    ]
    words = (
        f"{len(panels)} crops from one image, with their labels in colour. Each is turned, mirrored, bent, larger or "
        "smaller, brighter or darker than the others, and the colours lie on the nuclei in all of them."
    )
    figure = photos(*panels, columns=3, tile=THIRD)
    return Shown(figure, words, labels=np.stack([np.asarray(labels) for _, labels, _ in crops]))


def gap(instances: ArrayLike) -> Shown:
    """Cells that touch as numbers, and their labels with a gap.

    Parameters
    ----------
    instances : (H, W) array of whole numbers
    """
    instances = np.asarray(instances)
    labels, names = separated(instances), np.unique(instances[instances > 0]).tolist()
    figure = numbers(
        [
            Grid(instances, f"cells {' and '.join(map(str, names))}", "input"),
            "→",
            Grid(labels, "labels", "output", (instances > 0) & ~labels, "error"),
        ]
    )
    words = (
        f"Cells that touch, as numbers {' and '.join(map(str, names))}. In the labels they are 1, and the columns "
        "where they touched are 0."
    )
    return Shown(figure, words, labels=labels)


def weights_of(frame: Any) -> Shown:
    """An image, its cells, its labels and its weights.

    Parameters
    ----------
    frame : Frame
    """
    weights, labels = border_weight_map(frame.instances), separated(frame.instances)
    figure = photos(
        Photo(frame.image, "image"),
        Photo(coloured_cells(*frame[:2]), "cells"),
        Photo(labels, "labels, with gaps"),
        Photo(weights, "weights: black is 1, white is 10", low=1, high=10),
        columns=2,
        tile=3.5,
    )
    words = (
        "A training image, its cells in colours, its labels in white with black gaps where cells touch, and its "
        "weights: bright lines along the gaps, grey where two cells are near, black elsewhere, in the cells too."
    )
    return Shown(figure, words, labels=labels, weights=weights)


def runs(
    results: Measured,
    variants: Mapping[str, str],
    scores: Mapping[str, str] | None = None,
    *,
    one_scale: bool = False,
) -> Shown:
    """Stored runs as dots, a row for each variant and a panel for each score.

    Parameters
    ----------
    results : Measured
    variants : mapping from what is written beside a row to the variant
        The range of the first one is drawn through all rows.
    scores : mapping from a score to its name, optional
        SEG and the IoU of the foreground when left out.
    one_scale : bool
        Whether all panels have the same scale, because they show the same kind of score.
    """
    scores = scores or {"seg": "SEG of the cells", "iou": "IoU of the foreground"}
    groups = {
        score: {name: results.scores(score, variant=variant) for name, variant in variants.items()} for score in scores
    }
    high = 0.75 + 0.36 * len(variants)
    figure = Figure(figsize=(WIDTH, high), dpi=DPI, facecolor=PAPER)
    left = 0.3 + 0.083 * max(map(len, variants))
    each = (WIDTH - left - 0.15) / len(scores)
    every = [dot for rows in groups.values() for dots in rows.values() for dot in dots]
    for n, (score, label) in enumerate(scores.items()):
        place = ((left + n * each) / WIDTH, 0.55 / high, (each - 0.3) / WIDTH, 1 - 0.65 / high)
        axes = figure.add_axes(place)
        draw_spread(axes, groups[score], label, next(iter(variants)))
        if one_scale:
            axes.set_xlim(min(every) - 0.02, max(every) + 0.02)
        if n:
            axes.set_yticks(range(len(variants)), [""] * len(variants))
    said = " ".join(
        f"{label}: " + "; ".join(f"{name} {min(dots):.2f} to {max(dots):.2f}" for name, dots in groups[score].items())
        + "."
        for score, label in scores.items()
    )  # fmt: skip
    words = f"A dot for each run, and its mean as a line. {said}"
    return Shown(figure, words, **{score: list(groups[score].values()) for score in scores})


def first_weights(image: ArrayLike, widths: Sequence[int] = (16, 32, 64, 128, 256)) -> Shown:
    """How large the numbers are after each convolution of U-Nets that have learned nothing, by their first weights.

    Parameters
    ----------
    image : (H, W) array
        It goes through each network, with mean 0 and standard deviation 1.
    widths : sequence of int
        The channels of each level.
    """
    import torch  # not at the top: other pictures need no network
    from torch import nn

    from unet_edu.unet import UNet

    standard = np.asarray(image, np.float32)
    standard = np.pad((standard - standard.mean()) / standard.std(), 30, mode="reflect")
    sizes: dict[str, list[float]] = {}
    for name, factor in (("He: √(2 / N)", 1.0), ("PyTorch's own", None), ("twice He's", 2.0)):
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            torch.manual_seed(2015)
            model = UNet(widths=widths).eval()
            layers = [each for each in model.modules() if isinstance(each, nn.Conv2d | nn.ConvTranspose2d)]
            after: list[float] = []
            for layer in layers:
                layer.reset_parameters() if factor is None else layer.weight.mul_(factor)
                layer.register_forward_hook(lambda _, x, y, after=after: after.append(float(y.square().mean().sqrt())))
            model(torch.from_numpy(standard)[None, None])
        sizes[name] = after
    count = np.arange(1, len(layers) + 1)
    figure = curves(sizes, "convolution, from the first to the last", "size of its output", x=count, log="y")
    words = (
        f"Three curves over the {len(layers)} convolutions, on a logarithmic axis. He's stays level to the end. "
        "PyTorch's own weights let the numbers fall to less than a tenth. Twice He's make them about twice as large "
        "with each convolution, to more than a million."
    )
    return Shown(figure, words, sizes=np.log10(list(sizes.values())))


def loss_over_steps(
    losses: Mapping[str, Sequence[float]], words: str, *, mean_of: int = 1, floor: float | None = None
) -> Shown:
    """The losses of trainings, step by step.

    Parameters
    ----------
    losses : mapping from the name of a training to the loss of each of its steps
    words : str
        What there is to see.
    mean_of : int
        Draw the mean of so many steps.
    floor : float, optional
        A loss that no step can be below.
    """
    means = {
        name: [np.mean(values[max(0, n - mean_of) : n]) for n in range(1, len(values) + 1)]
        for name, values in losses.items()
    }
    level = None if floor is None else (floor, f"floor: {floor:.2f}")
    label = "loss" if mean_of == 1 else f"loss, mean of {mean_of} steps"
    longest = np.arange(1, max(map(len, losses.values())) + 1)
    figure = curves(means, "step", label, x=longest, level=level)
    first = figure.axes[0].lines[0]
    first.set(linewidth=6, alpha=0.35)  # a curve that lies on it is seen, too
    if len(means) > 1 or level is not None:
        figure.axes[0].legend(fontsize=9, frameon=False)
    return Shown(figure, words, steps=longest)


def scored(scores: Mapping[str, Mapping[str, float]], words: str, aim: float | None = None) -> Shown:
    """A table of scores as bars.

    Parameters
    ----------
    scores : mapping from the name of a method to its scores
    words : str
        What there is to see.
    aim : float, optional
        What SEG shall reach.
    """
    level = None if aim is None else (aim, "our aim for SEG")
    return Shown(score_bars(scores, level=level), words, aim=[aim or 0.0], methods=range(len(scores)))


def learning(snapshots: Mapping[str, Mapping[int, ArrayLike]], instances: ArrayLike) -> Loop:
    """Trainings as a loop: the pieces that each network finds, from its first step to its last.

    Parameters
    ----------
    snapshots : mapping from the name of a training to the probabilities of "cell", (H, W), by their steps
        One that has none at a step, because it was stopped, shows the one before.
    instances : (H, W) array of whole numbers
        The true cells.
    """
    instances = np.asarray(instances)
    steps = sorted({step for run in snapshots.values() for step in run})
    film, side, gap, top = Film(), 2.2, 0.14, 0.72

    def draw(step: int) -> Figure:
        figure, axes = canvas((1 + len(snapshots)) * (side + gap) + gap, top + side + gap)
        write(
            axes,
            gap,
            0.22,
            f"step {step} of {steps[-1]}, and how many pieces are found",
            11,
            ha="left",
            fontweight="bold",
        )
        limits: dict[str, Any] = {"xlim": axes.get_xlim(), "ylim": axes.get_ylim()}
        found = {"the truth": instances}
        for name, run in snapshots.items():
            found[name] = connected(np.asarray(run[max((k for k in run if k <= step), default=min(run))]) > 0.5)
        for n, (name, pieces) in enumerate(found.items()):
            left = gap + n * (side + gap)
            write(axes, left, top - 0.16, f"{name}: {len(np.unique(pieces[pieces > 0]))}", 10.5, ha="left")
            drawn = painted(np.where(pieces > 0, (pieces - 1) % (len(CLASSES) - 1) + 1, 0))
            extent = (left, left + side, top + side, top)
            axes.imshow(drawn, extent=extent, interpolation="nearest", aspect="auto")
        axes.set(**limits)
        return figure

    for step in steps:
        film.add(draw(step), 0.45 if step < steps[-1] else 2.0)
    if len(steps) == 1:  # stopped before the first validation
        film.add(draw(steps[0]), 2.0)
    words = (
        f"The truth, and {len(snapshots)} trainings beside it ({', '.join(snapshots)}): the pieces that each network "
        f"finds in the crowded validation image, each in one colour, from step {steps[0]} to step {steps[-1]}. "
        "Bright and dark "
        f"come first; the gaps between nuclei come later, and in the first training alone nearly all of the "
        f"{len(np.unique(instances[instances > 0]))} nuclei are told apart."
    )
    return film.loop(words, truth=instances, steps=steps)


def overfitting(histories: Mapping[str, Any]) -> Shown:
    """The loss on the training crops and on the validation images, over the steps.

    Parameters
    ----------
    histories : mapping from the name of a training to its `History`
    """
    steps = max(([row["step"] for row in history.rows] for history in histories.values()), key=len)
    series = {
        f"{name}, {where}": [row[key] for row in history.rows]
        for name, history in histories.items()
        for where, key in (("training", "loss"), ("validation", "val_loss"))
    }
    words = (
        "Four curves of the loss on a logarithmic axis. With augmentation, training and validation fall together. "
        "Without, the training loss falls far lower, and the validation loss stays high above it."
    )
    return Shown(curves(series, "step", "loss", x=steps, log="y"), words, steps=steps)


def in_colour(frame: Any, answer: ArrayLike, tints: ArrayLike) -> Shown:
    """A colour image, its labels, and the classes that a network gives.

    Parameters
    ----------
    frame : Frame
        Its image has three channels, its instances are classes.
    answer : (H, W) array of whole numbers
    tints : (classes, 3) array from 0 to 1
        In which colour to paint each class; the ground, class 0, becomes a light grey.
    """
    colours = np.array(tints, dtype=float)
    colours[0] = 0.9
    figure = photos(
        Photo(np.moveaxis(np.asarray(frame.image), 0, -1), "another image, three channels"),
        Photo(colours[np.asarray(frame.instances)], "its labels: three classes"),
        Photo(colours[np.asarray(answer)], "what the network says"),
        columns=3,
        tile=THIRD,
    )
    words = (
        "An image with nuclei in two colours on black, its labels with a colour for each class, and the answer of the "
        "network. Nearly all pixels have the right class; some nuclei that touch still hang together."
    )
    return Shown(figure, words, labels=frame.instances)


def agreeing(groups: Mapping[str, ArrayLike]) -> Shown:
    """How far gradients agree: a dot for the cosine of each with the mean of all.

    Parameters
    ----------
    groups : mapping from when it was measured to an array of cosines
    """
    figure = Figure(figsize=(8.0, 0.8 + 0.5 * len(groups)), dpi=DPI, facecolor=PAPER)
    left, high = 0.35 + 0.085 * max(map(len, groups)), 0.8 + 0.5 * len(groups)
    axes = figure.add_axes((left / 8.0, 0.6 / high, 0.96 - left / 8.0, 1 - 0.7 / high))
    draw_spread(
        axes, {name: np.asarray(values).tolist() for name, values in groups.items()}, "cosine: 1 is the same direction"
    )
    words = (
        "A dot for the gradient of each crop: its cosine with the mean of all. Before the first step all lie near 1. "
        "After the training they are spread out, and some lie below 0.5."
    )
    return Shown(figure, words, crops=[len(np.asarray(values)) for values in groups.values()])


def fading(weights: Mapping[str, ArrayLike]) -> Shown:
    """How much a gradient counts as it grows older.

    Parameters
    ----------
    weights : mapping from the name of a momentum to its powers 0, 1, 2 …
    """
    values = {name: np.asarray(each) for name, each in weights.items()}
    figure = curves(values, "age of a gradient, in steps", "how much it counts")
    words = (
        f"Falling curves, for {', '.join(values)}. All begin at 1. The smaller the momentum, the sooner a gradient is "
        "forgotten: with 0.5 after a few steps, with 0.9 after about 40; with 0.99 a gradient 200 steps old still "
        "counts more than a tenth."
    )
    return Shown(figure, words, counts=np.stack(list(values.values())))
