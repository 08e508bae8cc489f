"""How pictures reach a notebook: the PNG, the words beside it, and the numbers that a later run is compared with."""

import io

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from unet_edu.explore.picture import array_png, digest, figure_png, image_tag, show


def test_a_stored_picture_keeps_greys_grey_and_colours_near():
    """A ramp of greys beside one of colours: no channel is off by more than 16 of its 256 levels, and greys get no tint
    that one could see: their channels stay within 4 levels of each other."""
    figure = Figure(figsize=(4, 2), dpi=100)
    for n, name in enumerate(("gray", "PuOr")):
        axes = figure.add_axes((n / 2, 0, 0.5, 1))
        axes.imshow(np.linspace(0, 1, 256)[None].repeat(100, 0), cmap=name, aspect="auto")
        axes.set_axis_off()
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    drawn = np.asarray(canvas.buffer_rgba())[..., :3].astype(int)
    stored = np.asarray(Image.open(io.BytesIO(figure_png(figure))).convert("RGB")).astype(int)
    assert np.abs(stored - drawn).max() <= 16
    assert np.ptp(stored[np.ptp(drawn, axis=-1) == 0], axis=-1).max() <= 4


def test_an_array_becomes_greys_between_its_two_levels():
    png = array_png(np.array([[-2.0, -1.0, 0.0, 1.0, 9.0]]), low=-1, high=1)
    assert np.asarray(Image.open(io.BytesIO(png))).tolist() == [[0, 0, 127, 255, 255]]


def test_a_digest_sees_values_and_where_they_are():
    x = np.arange(12.0).reshape(3, 4)
    changed = [x, x[::-1], x[:, ::-1], np.roll(x, 1), x.T, x + 1, -x, x.reshape(4, 3), np.where(x == 5, 6, x)]
    assert len({digest(a) for a in changed}) == len(changed)
    assert digest(x) == digest(x + 1e-12)  # what machines differ by


def test_a_digest_of_zeros_has_a_centre_too():
    assert digest(np.zeros((2, 2))) == "shape (2, 2), from 0 to 0, mean 0, centre (0, 0)"


def test_words_cannot_break_out_of_the_picture():
    tag = image_tag(b"", alt='a "cell" <script>')
    assert 'alt="a &quot;cell&quot; &lt;script&gt;"' in tag


def test_a_figure_is_shown_with_its_words_and_numbers(capsys, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda *data, **kwargs: shown.append((data, kwargs)))
    alt = "A white diagonal on a black ground, " * 4
    show(Figure(figsize=(1, 1)), alt, eye=np.eye(3))
    ((bundle,), kwargs) = shown[0]
    assert set(bundle) == {"image/png", "text/plain"} and kwargs["metadata"]["image/png"]["alt"] == alt
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 72 and lines[-1].startswith(
        "eye: shape (3, 3), from 0 to 1, mean 0.3333, centre (1, 1)"
    )


@pytest.mark.parametrize("shape", [(), (4,), (2, 3, 4)])
def test_a_digest_takes_any_rank(shape):
    assert digest(np.ones(shape)).startswith(f"shape {shape}, from 1 to 1, mean 1")
