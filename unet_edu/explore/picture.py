"""How pictures reach a notebook: as PNG, with words for those who cannot see it and numbers for those who check it."""

from __future__ import annotations

import base64
import html
import io
import textwrap
import zlib
from typing import Any, NamedTuple

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray
from PIL import Image
from scipy.spatial import KDTree

__all__ = ["Picture", "array_png", "digest", "figure_png", "image_tag", "show", "show_still"]


class Picture(NamedTuple):
    """What stands for an explorer where nothing runs: a figure, its words, and numbers to compare."""

    figure: Figure
    alt: str
    digest: str


def show(figure: Figure, alt: str, **arrays: ArrayLike) -> None:
    """Show a figure in a notebook, and under it its caption and a digest of its data.

    The caption stands in the output as text, where a screen reader finds it in every program that opens the notebook.
    The digest is what a later run is compared with: pixels differ from one machine to the next, these numbers do not.

    Parameters
    ----------
    figure : matplotlib Figure
    alt : str
        What there is to see, for someone who does not see it.
    **arrays : array
        The data that was drawn, by name.
    """
    show_still(figure, alt, alt)
    print(textwrap.fill(alt, 72))  # JupyterLab would break long lines in the middle of a word
    for name, array in arrays.items():
        print(f"{name}: {digest(array)}")


def show_still(figure: Figure, alt: str, text: str) -> None:
    """Show a figure as an output of its own, with its words for a screen reader, and a text for where none is shown."""
    from IPython.display import display

    display(
        {"image/png": base64.b64encode(figure_png(figure)).decode(), "text/plain": text},
        raw=True,
        metadata={"image/png": {"alt": alt}},
    )


def digest(array: ArrayLike) -> str:
    """A line that changes when the data does: shape, range, mean, and the centre of the weight, to four digits.

    The centre is where the array would balance if each number weighed as much as it is large. It moves when the data is
    turned, shifted or transposed, which range and mean do not notice. Four digits, because sums of many floats agree
    between machines to about six.

    Parameters
    ----------
    array : array of real numbers
        At least one.

    Examples
    --------
    >>> digest([[0.0, 1.0], [2.0, 5.0]])
    'shape (2, 2), from 0 to 5, mean 2, centre (0.875, 0.75)'
    """
    array = np.asarray(array, dtype=np.float64)
    weight = np.abs(array) / (np.abs(array).sum() or 1.0)
    centre = ", ".join(_four(np.sum(weight * places)) for places in np.indices(array.shape))
    low, high, mean = map(_four, (array.min(), array.max(), array.mean()))
    return f"shape {array.shape}, from {low} to {high}, mean {mean}, centre ({centre})"


def _four(number: float) -> str:
    """Four digits; rounding off what is left of a cancelled sum, and adding 0.0, which turns −0 into 0."""
    return f"{np.round(number, 9) + 0.0:.4g}"


def figure_png(figure: Figure) -> bytes:
    """A matplotlib figure as PNG, at its own size: a tight box would cost as much time as the drawing.

    With 256 colours the file is about half as large. 64 of them are greys, so that no photograph gets a tint; the
    others are chosen to cover rare colours too.
    """
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[..., :3]
    different, places = np.unique(pixels @ np.array([1 << 16, 1 << 8, 1]), return_inverse=True)  # few beside all pixels
    greys = np.linspace(0, 255, 64).round().repeat(3)
    colours = Image.fromarray(pixels).quantize(192, Image.Quantize.MAXCOVERAGE).getpalette() or []
    palette = np.append(greys, colours).reshape(-1, 3)
    _, nearest = KDTree(palette).query(np.stack([different >> 16, different >> 8 & 255, different & 255], axis=-1))
    image = Image.fromarray(nearest.astype(np.uint8)[places].reshape(pixels.shape[:2]))
    image.putpalette(palette.astype(np.uint8).tobytes())
    buffer = io.BytesIO()
    image.save(buffer, "png", optimize=True)
    return buffer.getvalue()


def array_png(image: NDArray[Any], low: float = 0.0, high: float = 1.0) -> bytes:
    """A plane of numbers as a grey PNG: `low` is black, `high` is white.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) array of real numbers
    """
    grey = np.clip((image - low) * (255 / (high - low)), 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    # the fastest way that still compresses: the explorers must answer within a frame or two
    Image.fromarray(grey).save(buffer, "png", compress_level=1, compress_type=zlib.Z_HUFFMAN_ONLY)
    return buffer.getvalue()


def image_tag(png: bytes, alt: str, style: str = "") -> str:
    """An HTML `<img>` that carries its own data and says what it shows."""
    data = base64.b64encode(png).decode()
    return f'<img alt="{html.escape(alt)}" style="{html.escape(style)}" src="data:image/png;base64,{data}">'
