"""How a picture of a lesson shows itself."""

import io

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from matplotlib.figure import Figure
from PIL import Image

from unet_edu.figures import shown as module
from unet_edu.figures.shown import Shown, digest


@pytest.fixture
def displayed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[dict[str, str], dict[str, dict[str, str]]]]:
    """What was displayed, and its metadata."""
    found: list[tuple[dict[str, str], dict[str, dict[str, str]]]] = []
    monkeypatch.setattr(
        "IPython.display.display", lambda data, raw, metadata=None: found.append((data, metadata or {}))
    )
    return found


def test_a_picture_shows_itself_with_its_words_and_nothing_else(displayed):
    words = 'A white diagonal, "eye" <no tag>.'
    Shown(Figure(figsize=(2, 1)), words, eye=np.eye(3))._ipython_display_()
    (picture, metadata), (line, _) = displayed
    assert set(picture) == {"image/png", "text/plain"} and set(line) == {"text/html", "text/plain"}
    assert metadata == {"image/png": {"alt": words}}
    assert Image.open(io.BytesIO(module.base64.b64decode(picture["image/png"]))).size == (200, 100)
    assert line["text/html"] == (
        '<details class="unet-words"><summary>In words</summary>'
        "A white diagonal, &quot;eye&quot; &lt;no tag&gt;.</details>"
    )


def test_what_is_compared_stands_where_no_reader_sees_it(displayed):
    Shown(Figure(figsize=(1, 1)), "A diagonal.", eye=np.eye(3), two=2)._ipython_display_()
    (picture, _), (line, _) = displayed
    assert picture["text/plain"] == f"A diagonal.\neye: {digest(np.eye(3))}\ntwo: {digest(2)}"
    assert "shape" not in line["text/html"] + line["text/plain"]


def test_a_picture_without_words_or_numbers_is_refused():
    with pytest.raises(ValueError, match="words"):
        Shown(Figure(), " ", eye=np.eye(3))
    with pytest.raises(ValueError, match="values"):
        Shown(Figure(), "A diagonal.")


def test_ipython_leaves_the_showing_to_the_picture(displayed):
    """It is asked for no other form of it, so nothing is shown twice."""
    data, _ = InteractiveShell().display_formatter.format(Shown(Figure(figsize=(1, 1)), "A diagonal.", eye=np.eye(3)))
    assert data == {} and len(displayed) == 2
