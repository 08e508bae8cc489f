"""How the pictures of explorers reach a notebook, and those of lessons that print their words."""

from __future__ import annotations

import base64
import html
import io
import textwrap
import zlib
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from unet_edu.figures.shown import digest, figure_png

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
