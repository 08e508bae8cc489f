"""Lesson 02's own pictures: photographs under kernels, and what each argument of a convolution does to a grid."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unet_edu.convolution import conv2d, conv2d_grad_input, output_size
from unet_edu.figures.panels import Grid, Photo, curves, numbers, photos
from unet_edu.figures.shown import Shown

__all__ = [
    "border",
    "channel_sums",
    "close_up",
    "image_and_kernel",
    "kernels_at",
    "losses",
    "marked",
    "named_kernels",
    "on_a_screen",
    "patches",
    "pixels",
    "reached",
    "rims",
    "spread",
    "under_kernels",
    "windows_as_columns",
    "windows_of_each",
]

TILE = 5.0  # inches of a photograph, two of which stand side by side
SMALL_TILE = 4.1  # of one that has few pixels
NOISY_TILE = 3.6  # of one that takes much room in a file
STRONG = 0.3  # at ± this number a close-up has its full colours
# What is drawn as whole numbers, to be divided by this.
DIVISORS = {"box blur": 9, "Gaussian blur": 16}


def marked(image: ArrayLike, top: int, left: int, side: int = 8) -> Shown:
    """A photograph with a small square marked in it."""
    image = np.asarray(image)
    height, width = image.shape
    figure = photos(Photo(image, f"{height} rows × {width} columns", box=(top, left, side, side)), columns=1, tile=TILE)
    return Shown(figure, "24 coins on a table. A small square is marked on the rim of a coin.", image=image)


def pixels(crop: ArrayLike) -> Shown:
    """A part of a photograph as the numbers that it is, each on its own grey."""
    crop = np.asarray(crop)
    rows, columns = crop.shape
    figure = numbers([Grid(crop, f"the marked {rows} × {columns} pixels", "input", grey=True)])
    words = f"The {crop.size} pixels of the marked square as numbers, from {crop.min()} to {crop.max()}."
    return Shown(figure, words, crop=crop)


def image_and_kernel(x: ArrayLike, w: ArrayLike) -> Shown:
    """The image and the kernel that the lesson calculates with."""
    figure = numbers([Grid(x, "image x", "input"), "and", Grid(w, "kernel w", "kernel")])
    return Shown(figure, f"Two grids of numbers. {_rows('The image', x)} {_rows('The kernel', w)}", x=x, w=w)


def named_kernels(kernels: Mapping[str, NDArray[np.float64]]) -> Shown:
    """Kernels as numbers; those of the blurs are written as whole numbers and a divisor."""
    grids, words = [], []
    for name, kernel in kernels.items():
        divisor = DIVISORS.get(name, 1)
        whole = (np.asarray(kernel) * divisor).round()
        title = f"{name}, ÷ {divisor}" if divisor > 1 else name
        grids.append(Grid(whole, title, "kernel"))
        words.append(_rows(title.capitalize(), whole.astype(int)))
    figure = numbers(grids[: (len(grids) + 1) // 2], grids[(len(grids) + 1) // 2 :])
    return Shown(figure, " ".join(words), kernels=np.stack([*kernels.values()]))


def under_kernels(image: ArrayLike, kernels: Mapping[str, NDArray[np.float64]]) -> Shown:
    """A photograph, and what kernels make of it. Those that add up to 0 have two colours."""
    outputs = {name: conv2d(image, kernel) for name, kernel in kernels.items()}
    panels = [_under(name, output, kernels[name], 1.0) for name, output in outputs.items()]
    figure = photos(Photo(image, "the photograph"), *panels, columns=2, tile=TILE)
    words = (
        f"A photograph of coins, and the same under {', '.join(kernels)}. Sobel x shows upright edges: each coin is "
        "purple on its left rim and orange on its right. Sobel y shows level edges: purple above and orange below. The "
        "Laplacian shows thin lines on all sides."
    )
    return Shown(figure, words, outputs=np.stack([*outputs.values()]))


def close_up(image: ArrayLike, kernels: Mapping[str, NDArray[np.float64]]) -> Shown:
    """A small part of a photograph, where one pixel is large enough to see, and what kernels make of it."""
    outputs = {name: conv2d(image, kernel) for name, kernel in kernels.items()}
    panels = [_under(name, output, kernels[name], STRONG) for name, output in outputs.items()]
    figure = photos(Photo(image, "one coin"), *panels, columns=2, tile=SMALL_TILE)
    words = (
        f"One coin, close up, and the same under {', '.join(kernels)}. The blur is softer, the sharpened coin harder."
    )
    return Shown(figure, words, outputs=np.stack([*outputs.values()]))


def on_a_screen(output: ArrayLike) -> Shown:
    """What a screen makes of numbers that it cannot show: cut off at 0 and 1, and as bytes, which run over."""
    output = np.asarray(output)
    cut = np.clip(output, 0, 1)
    wrapped = (output * 255).round().astype(np.int64).astype(np.uint8)  # what careless code does: the last byte stays
    figure = photos(
        Photo(cut, "cut off at 0 and 1"), Photo(wrapped, "as bytes that run over", high=255), columns=2, tile=NOISY_TILE
    )
    words = (
        "Two drawings of one Sobel output. Cut off at 0 and 1, only the left rim of each coin is left. As bytes, faint "
        "noise turns into black and white speckles."
    )
    return Shown(figure, words, output=output, cut=cut, wrapped=wrapped)


def channel_sums(windows: ArrayLike, kernels: ArrayLike) -> Shown:
    """A window of each input channel, and below each the kernel that belongs to it, with the sum of their products."""
    windows, kernels = np.asarray(windows), np.asarray(kernels)
    sums = (windows * kernels).sum(axis=(1, 2))
    figure = numbers(
        [Grid(window, f"channel {c}", "input") for c, window in enumerate(windows)],
        [Grid(kernel, f"its kernel\nsum {_signed(sums[c])}", "kernel") for c, kernel in enumerate(kernels)],
        [Grid([[sums.sum()]], "all five sums, added:\none output number", "output")],
    )
    words = (
        f"{len(windows)} windows of 3 by 3, one from each input channel, and below each the kernel that belongs to it. "
        f"The sums of their products are {', '.join(map(_signed, sums))}; together {_signed(sums.sum())}."
    )
    return Shown(figure, words, windows=windows, kernels=kernels)


def windows_of_each(height: int, width: int, kernel: int, stride: int) -> Shown:
    """In how many windows each pixel of an image lies."""
    outputs = np.ones((output_size(height, kernel, stride=stride), output_size(width, kernel, stride=stride)))
    count = conv2d_grad_input(outputs, np.ones((kernel, kernel)), (height, width), stride=stride)
    title = f"{height} × {width} input, kernel {kernel}, stride {stride}:\nin how many windows is each pixel?"
    figure = numbers([Grid(count, title, "input", count == 0, "error")])
    words = (
        f"A grid of {height} by {width}. Where windows overlap the count is 2 or 4. The last row and the last column "
        f"are marked: they count 0. These are {np.count_nonzero(count == 0)} of {count.size} pixels."
    )
    return Shown(figure, words, count=count)


def windows_as_columns(row: ArrayLike, columns: ArrayLike) -> Shown:
    """All windows as the columns of one matrix: a convolution as one product. A side road of the lesson."""
    row, columns = np.asarray(row), np.asarray(columns)
    output = row @ columns
    figure = numbers(
        [
            Grid(row, "the kernel as a row", "kernel"),
            "times",
            Grid(columns, f"{columns.shape[1]} windows\nas columns", "input"),
            "=",
            Grid(output, "the output", "output"),
        ]
    )
    words = (
        f"The kernel as a row of {row.size} numbers, times a matrix with one window in each of its {columns.shape[1]} "
        f"columns, gives the outputs {', '.join(map(_signed, output.ravel()))}."
    )
    return Shown(figure, words, columns=columns, output=output)


def border(output: ArrayLike) -> Shown:
    """The output of a blur with padding, for an image that is 1 everywhere: what the border has lost."""
    output = np.asarray(output)
    figure = numbers([Grid(output, "all pixels 1, box blur, padding 1", "output", output < 0.99, "error", decimals=2)])
    words = (
        f"Inside all numbers are 1. Along the border, marked, they are {output[0, 1]:.2f}, and in the corners "
        f"{output[0, 0]:.2f}."
    )
    return Shown(figure, words, output=output)


def spread(w: ArrayLike, dilation: int) -> Shown:
    """A kernel, and the larger one that it acts as with a dilation."""
    w = np.asarray(w)
    large = np.zeros([dilation * (side - 1) + 1 for side in w.shape], w.dtype)
    large[::dilation, ::dilation] = w
    taps = np.zeros(large.shape, bool)
    taps[::dilation, ::dilation] = True
    figure = numbers(
        [Grid(w, "kernel w", "kernel"), f"dilation {dilation} →", Grid(large, "acts like this", "kernel", taps)]
    )
    words = (
        f"The kernel, and one of {large.shape[0]} by {large.shape[1]}: the same nine numbers, with zeros between them."
    )
    return Shown(figure, words, large=large)


def patches(images: ArrayLike) -> Shown:
    """Small pieces of a photograph, from which a kernel is learned."""
    images = np.asarray(images)
    planes = images.reshape(-1, *images.shape[-2:])
    panels = [Photo(plane, low=float(planes.min()), high=float(planes.max())) for plane in planes]
    figure = photos(*panels, columns=6, tile=1.6)
    return Shown(figure, f"{len(planes)} small patches of the photograph: rims and faces of coins.", patches=planes)


def losses(series: Mapping[str, ArrayLike]) -> Shown:
    """How the loss falls, or does not, step by step."""
    drawn = {name: np.asarray(values) for name, values in series.items()}
    figure = curves(drawn, "step", "loss (logarithmic)", log="y")
    ways = [f"{name}: from {values[0]:.3g} to {values[-1]:.3g}" for name, values in drawn.items()]
    return Shown(figure, f"The loss over {max(map(len, drawn.values())) - 1} steps. {'; '.join(ways)}.", **drawn)


def kernels_at(history: Mapping[int, ArrayLike], hidden: ArrayLike) -> Shown:
    """A kernel while it is learned, beside the hidden one."""
    history = {step: np.asarray(kernel) for step, kernel in history.items()}
    figure = numbers(
        [
            *(Grid(kernel, f"step {step}", "output", decimals=2) for step, kernel in history.items()),
            "?",
            Grid(hidden, "hidden kernel", "kernel", decimals=2),
        ]
    )
    first, last = min(history), max(history)
    words = (
        f"The kernel at steps {', '.join(map(str, history))}. At step {first} its numbers are small and random. At "
        f"step {last} they are those of the hidden kernel beside it, to two decimals."
    )
    return Shown(figure, words, **{f"step_{step}": kernel for step, kernel in history.items()})


def reached(most: int) -> Shown:
    """Which pixels one output sees through one, two, … 3×3 convolutions, and in how many ways."""
    counts = [np.ones((1, 1), int)]
    for _ in range(most):
        side = len(counts[-1]) + 2
        counts.append(conv2d_grad_input(counts[-1], np.ones((3, 3), int), (side, side)))
    padded = {n: np.pad(counts[n], most - n) for n in range(1, most + 1)}
    figure = numbers([Grid(count, f"{n} × (3×3)", "input", count > 0) for n, count in padded.items()])
    words = (
        f"{most} grids. Through one convolution an output sees 3 by 3 pixels, and 2 more per side through each further "
        "one. The numbers count the ways from a pixel to the output; there are most in the middle."
    )
    return Shown(figure, words, **{f"after_{n}": count for n, count in padded.items()})


def rims(image: ArrayLike, strength: ArrayLike, is_rim: ArrayLike) -> Shown:
    """Where a photograph changes most: the step from numbers to the outlines of things."""
    figure = photos(
        Photo(image, "the photograph"), Photo(np.asarray(is_rim, float), "where it changes most"), columns=2, tile=TILE
    )
    words = (
        "The photograph of 24 coins, and beside it the pixels where it changes most, white on black: the outlines of "
        "the coins, and also the relief on their faces."
    )
    return Shown(figure, words, strength=strength, is_rim=is_rim)


def _under(name: str, output: NDArray[np.float64], kernel: NDArray[np.float64], limit: float) -> Photo:
    """What a kernel made, ready to be drawn; signed when its numbers add up to 0."""
    return Photo(output, name, signed=bool(abs(kernel.sum()) < 1e-9), limit=limit)


def _rows(what: str, grid: ArrayLike) -> str:
    rows = "; ".join(" ".join(map(_signed, row)) for row in np.asarray(grid))
    return f"{what}: {rows}."


def _signed(number: float) -> str:
    return str(number).replace("-", "−")
