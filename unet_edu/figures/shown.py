"""How a picture reaches a notebook: as PNG, with words for those who cannot see it and numbers for those who check it.

The functions of the lessons' modules in `unet_edu.figures` return a `Shown`. As the last line of a cell it shows
itself, wherever the notebook is opened, with Python or without.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from html import escape

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import ArrayLike
from PIL import Image
from scipy.spatial import KDTree

__all__ = ["Shown", "digest", "digests", "figure_png", "show_picture"]


class Shown:
    """A picture that shows itself as the last line of a notebook's cell, and below it one closed line, "In words".

    A later run is compared with the digests of the values: pixels differ from one machine to the next, these do not.
    They are stored beside the picture, as the text that is shown where no picture can be.

    Parameters
    ----------
    figure : matplotlib Figure
    words : str
        What there is to see, for someone who does not see it.
    **values : array
        The data that was drawn, by name: at least one.

    Raises
    ------
    ValueError
        When there are no words or no values.

    Examples
    --------
    >>> Shown(Figure(figsize=(1, 1)), "A white diagonal.", eye=np.eye(2))
    A white diagonal.
    eye: shape (2, 2), from 0 to 1, mean 0.5, centre (0.5, 0.5)
    """

    def __init__(self, figure: Figure, words: str, **values: ArrayLike) -> None:
        if not words.strip():
            raise ValueError(f"words: expected what there is to see, got {words!r}")
        if not values:
            raise ValueError("values: expected at least one array that was drawn, by name, got none")
        self.figure, self.words, self.values = figure, words, values

    def __repr__(self) -> str:
        return f"{self.words}\n{digests(self.values)}"

    def _ipython_display_(self) -> None:
        show_picture("image/png", figure_png(self.figure), self.words, digests(self.values))


def show_picture(kind: str, picture: bytes, words: str, numbers: str, before: str = "") -> None:
    """Show a picture in a notebook with its words, which are in a closed line, too: JupyterLab has no place for them
    beside the picture. The two are outputs of their own, because of one that has both GitHub would show one alone.

    Parameters
    ----------
    kind : str
        Its MIME type, "image/png".
    picture : bytes
    words : str
    numbers : str
        What a later run is compared with. No reader sees it.
    before : str
        HTML that stands before the closed line, in the same output.
    """
    from IPython.display import display  # not at the top: a figure that is saved to a file needs no notebook tools

    display(
        {kind: base64.b64encode(picture).decode(), "text/plain": f"{words}\n{numbers}"},
        raw=True,
        metadata={kind: {"alt": words}},
    )
    closed = f'<details class="unet-words"><summary>In words</summary>{escape(words)}</details>'
    display({"text/html": before + closed, "text/plain": words}, raw=True)


def digests(values: Mapping[str, ArrayLike]) -> str:
    """A line for each array: its name and its digest."""
    return "\n".join(f"{name}: {digest(array)}" for name, array in values.items())


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
