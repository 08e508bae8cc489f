"""A training as a picture: its losses so far, and one image with what the network says of it.

It is drawn again and again while a network learns, so it must cost little: by NumPy and Pillow a few milliseconds,
where a matplotlib figure takes a hundred.
"""

from __future__ import annotations

import functools
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from unet_edu.figures.palette import INK, PAPER, ROLES, class_colours

__all__ = ["HEIGHT", "WIDTH", "Answer", "means", "painted", "three"]

# So small that its words are still 9 pixels large where a page of 390 pixels leaves 280 for it.
WIDTH, HEIGHT, TILE = 430, 180, 112
LEFT, TOP, RIGHT, BOTTOM = 38, 60, 186, 158  # of the curves
FINE = 3  # lines are drawn so many times as large, and made small again: Pillow's own have steps
TRAINING, VALIDATION = ROLES["input"], ROLES["error"]


class Answer(NamedTuple):
    """One image, its truth, and what the network says of it after some step."""

    step: int
    image: NDArray[np.float32]  # (C, H, W)
    labels: NDArray[np.int64]  # (H, W)
    probabilities: NDArray[np.float32]  # (K, H, W)


def painted(
    words: str, steps: int, losses: Sequence[float], rows: Sequence[dict[str, float]], answer: Answer | None
) -> bytes:
    """The picture, as PNG.

    Parameters
    ----------
    words : str
        Its first line.
    steps : int
        How many there will be: the end of the axis.
    losses, rows
        As in `History`.
    answer : Answer, optional
    """
    picture = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    pen = ImageDraw.Draw(picture)
    pen.text((2, 2), words, INK, _font(14))
    validated = [(row["step"], row["val_loss"]) for row in rows if "val_loss" in row]
    middles, smooth = means(losses, steps)
    top = _top([*losses[:1], *(loss for _, loss in validated[:1])])
    _draw_axes(pen, steps, top)
    some = sorted({*np.linspace(0, len(losses) - 1, 2 * (RIGHT - LEFT)).astype(int)}) if losses else []
    _draw_curve(picture, [(n + 1, losses[n]) for n in some], (steps, top), TRAINING.line, opacity=0.35)
    _draw_curve(picture, [(middles[n], smooth[n]) for n in some], (steps, top), TRAINING.line)
    _draw_curve(picture, validated, (steps, top), VALIDATION.line, has_dots=True)
    _draw_key(pen, smooth, validated)
    if answer is not None:
        _draw_tile(picture, WIDTH - 2 * TILE - 8, "image, truth", _outlined(answer))
        _draw_tile(picture, WIDTH - TILE, f"answer at {answer.step:,}", _coloured(answer.probabilities))
    buffer = io.BytesIO()
    # 256 colours: a third of the bytes, and half of the time
    picture.quantize(256, Image.Quantize.FASTOCTREE).save(buffer, "png", compress_level=3)
    return buffer.getvalue()


def three(loss: float) -> str:
    """Three digits after the point; of one that explodes, three in all."""
    return f"{loss:.3f}" if loss < 100 else f"{loss:.3g}"


def means(losses: Sequence[float], steps: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The mean of the last losses after each step, because single ones jump too much to show where they go; and the
    middles of these steps."""
    sums = np.concatenate([[0.0], np.cumsum(losses, dtype=np.float64)])
    ends = np.arange(1, len(sums))
    begins = np.maximum(ends - max(10, steps // 50), 0)
    return (begins + 1 + ends) / 2, (sums[ends] - sums[begins]) / (ends - begins)


@functools.cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    """matplotlib's own, so that the pictures are the same everywhere."""
    import matplotlib  # which `unet-edu train` does without

    return ImageFont.truetype(str(Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")), size)


# --------------------------------------------------------------------------------------------------------- the curves


def _top(first: Sequence[float]) -> float:
    """The end of the axis of the losses: where they begin, so that one that explodes does not press all others flat."""
    highest = 1.1 * max((loss for loss in first if 0 < loss < math.inf), default=1.0)
    unit = 10.0 ** math.floor(math.log10(highest))
    return next(unit * n for n in (1, 2, 3, 4, 6, 8, 10) if highest <= unit * n)


def _draw_axes(pen: ImageDraw.ImageDraw, steps: int, top: float) -> None:
    for part in (0.0, 0.5, 1.0):
        y = BOTTOM + part * (TOP - BOTTOM)
        pen.line([(LEFT, y), (RIGHT, y)], ROLES["neutral"].fill)
        pen.text((LEFT - 5, y), f"{part * top:.3g}", INK, _font(14), anchor="rm")
    pen.text((LEFT, BOTTOM + 7), "0", INK, _font(14), anchor="lt")
    pen.text((RIGHT, BOTTOM + 7), f"{steps:,} steps", INK, _font(14), anchor="rt")


def _draw_curve(
    picture: Image.Image,
    points: Sequence[tuple[float, float]],
    ends: tuple[float, float],
    colour: str,
    opacity: float = 1.0,
    has_dots: bool = False,
) -> None:
    points = [point for point in points if math.isfinite(point[1])]
    if not points:
        return
    size = RIGHT - LEFT + 8, BOTTOM - TOP + 8  # four pixels more on each side, for the ends of lines
    x, y = (np.array(points, np.float64) / ends).clip(-0.01, 1.02).T
    places = [*zip(FINE * (4 + x * (RIGHT - LEFT)), FINE * (size[1] - 4 - y * (BOTTOM - TOP)), strict=True)]
    mask = Image.new("L", (FINE * size[0], FINE * size[1]))
    pen = ImageDraw.Draw(mask)
    pen.line(places, 255, 2 * FINE, "curve")
    for place in places if has_dots else ():
        pen.circle(place, FINE * 3.5, 255)
    picture.paste(colour, (LEFT - 4, TOP - 4), mask.reduce(FINE).point(lambda part: part * opacity))


def _draw_key(pen: ImageDraw.ImageDraw, smooth: NDArray[np.float64], validated: Sequence[tuple[float, float]]) -> None:
    """What the curves are, each with its last number."""
    x = 2.0
    for name, colour, values in (
        ("loss", TRAINING.line, smooth[-1:]),
        ("validation", VALIDATION.line, [loss for _, loss in validated[-1:]]),
    ):
        for value in values:
            pen.line([(x, 30), (x + 18, 30)], colour, 2)
            if colour == VALIDATION.line:
                pen.circle((x + 9, 30), 3.5, colour)
            pen.text((x + 23, 30), text := f"{name} {three(value)}", INK, _font(14), anchor="lm")
            x += 23 + pen.textlength(text, _font(14)) + 12


# ----------------------------------------------------------------------------------------------------------- the tiles


def _draw_tile(picture: Image.Image, left: int, title: str, pixels: NDArray[np.uint8]) -> None:
    """An image in a square, as large as there is room, each of its pixels a little square where it is small."""
    ImageDraw.Draw(picture).text((left + TILE / 2, 53), title, INK, _font(14), anchor="mm")
    tile = Image.fromarray(pixels)
    share = TILE / max(tile.size)
    size = max(1, round(tile.width * share)), max(1, round(tile.height * share))
    tile = tile.resize(size, Image.Resampling.NEAREST if share >= 1 else Image.Resampling.BOX)
    picture.paste(tile, (left + (TILE - tile.width) // 2, 64 + (TILE - tile.height) // 2))


def _outlined(answer: Answer) -> NDArray[np.uint8]:
    """The image, with a line around all that is to be found."""
    channels = answer.image if len(answer.image) == 3 else answer.image[[0, 0, 0]]
    channels = np.nan_to_num(channels)  # a fault in the images is the loss's to tell
    low, high = channels.min(), channels.max()
    pixels = ((channels - low) * (255 / max(high - low, 1e-6))).astype(np.uint8).transpose(1, 2, 0)
    around = np.pad(answer.labels, 1, mode="edge")
    beside = (around[:-2, 1:-1], around[2:, 1:-1], around[1:-1, :-2], around[1:-1, 2:])
    is_edge = np.any([there < answer.labels for there in beside], axis=0)
    pixels[is_edge] = (230, 159, 0)  # Okabe and Ito's orange, which is seen on any grey
    return pixels


def _coloured(probabilities: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Of two classes, how probable the second is, from black to white; of more, the most probable in its colour."""
    if len(probabilities) == 2:
        return (255 * probabilities[1, ..., None].repeat(3, axis=-1)).astype(np.uint8)
    colours: NDArray[np.uint8] = class_colours(256)[probabilities.argmax(axis=0) % 256]
    return colours
