"""What is true of every picture of the course."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from unet_edu.explore.picture import figure_png
from unet_edu.figures.panels import WIDTH


def texts(figure: Figure) -> list[Text]:
    return [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]


def expect_the_same_twice(draw: Callable[[], Figure]) -> None:
    first, second = figure_png(draw()), figure_png(draw())
    assert first.startswith(b"\x89PNG") and first == second


def expect_legible_on_white_whole_and_not_too_wide(figure: Figure) -> None:
    pixels = np.asarray(Image.open(io.BytesIO(figure_png(figure))).convert("L"))
    assert figure.get_size_inches()[0] <= WIDTH and figure.get_facecolor() == (1, 1, 1, 1)
    assert all(text.get_fontsize() >= 8 for text in texts(figure))
    assert pixels.min() < 128, "nothing is drawn"
    for side in (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]):
        assert (side == 255).all(), "something touches the edge of the picture"
