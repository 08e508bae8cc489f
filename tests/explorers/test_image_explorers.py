"""What holds for every explorer that shows a board of images. What each of them says is tested in its own file."""

import re
from importlib import import_module
from importlib.util import find_spec

import ipywidgets
import numpy as np
import pytest

from tests.explorers.boards import pictures, shown, without_pictures
from unet_edu import explore


def training():
    """Two runs on an image that is not square."""
    instances = np.zeros((24, 40), int)
    instances[4:14, 3:12], instances[4:14, 12:20] = 1, 2
    runs = {
        name: (np.geomspace(1, last, 40), {step: 0.2 + 0.6 * (instances > 0) for step in (0, 20, 40)})
        for name, last in (("with the map", 0.1), ("without", 0.2))
    }
    return explore.training(runs, 0.5 * (instances > 0), instances)


# a new explorer with a board is among them by itself; these two show more with other arguments than their own
OTHERS = {"threshold": lambda: explore.threshold("motorcycle", 0.4), "training": training}
NAMES = [
    name
    for name in explore.__all__
    if find_spec(f"unet_edu.explore.{name}") and hasattr(import_module(f"unet_edu.explore.{name}"), "board")
]


def test_there_are_such_explorers():
    assert len(NAMES) >= 8 and set(OTHERS) < set(NAMES)


@pytest.fixture(scope="module", params=NAMES)
def explorer(request):
    return OTHERS.get(request.param, getattr(explore, request.param))()


def test_each_control_moves_its_field_and_what_is_shown_has_numbers(explorer):
    for name, control in explorer.controls.items():
        if hasattr(control, "options"):
            values = [value for _, value in control.options]
        else:
            steps = (control.max - control.min) / control.step
            values = [control.min + round(part * steps) * control.step for part in (0, 0.3, 0.7, 1)]
        for value in (*values, getattr(explorer.state, name)):
            control.value = value
            assert getattr(explorer.state, name) == control.value
            for html in shown(explorer):
                words = without_pictures(html)
                assert not re.search(r"\b(nan|None|inf)\b", words), (name, value)


def test_the_controls_are_those_that_work_everywhere(explorer):
    """Output, Tab and Accordion do not, on Colab or in a second session."""
    allowed = (ipywidgets.Dropdown, ipywidgets.IntSlider, ipywidgets.FloatSlider, ipywidgets.SelectionSlider)
    assert explorer.controls and all(isinstance(control, allowed) for control in explorer.controls.values())


def test_every_picture_on_the_page_has_words(explorer):
    html = "".join(shown(explorer))
    alts = re.findall(r'<img alt="([^"]*)"', html)
    assert len(alts) == html.count("<img") > 0 and all(len(alt) > 11 for alt in alts)
    for name in re.findall(r"<svg ([^>]*)>", html):
        assert re.search(r'role="img" aria-label="[^"]{20,}"|role="group"|aria-hidden="true"', name), name


def test_the_stored_picture_has_words_and_numbers_and_is_the_same_each_time(explorer):
    data, metadata = explorer._repr_mimebundle_()
    alt = metadata["image/png"]["alt"]
    assert data["image/png"].startswith(b"\x89PNG") and len(data["image/png"]) < 400_000
    assert len(alt) > 40 and data["text/plain"].startswith(f"{alt}\n")
    assert any(letter.isdigit() for letter in data["text/plain"].removeprefix(alt))
    again, _ = explorer._repr_mimebundle_()
    assert data["image/png"] == again["image/png"] and data["text/plain"] == again["text/plain"]


def test_the_still_picture_shows_the_images_of_the_page(explorer):
    """As many, but for those that an explorer adds because a reader cannot go back to them."""
    figure = explorer.picture(explorer.state).figure
    still = sum(len(axes.images) for axes in figure.axes)
    assert still - len(pictures("".join(shown(explorer)))) in (0, 1)


ERRORS = [
    ("threshold", {"photo": "camera"}, "photo: expected one of coins, cell, motorcycle, got 'camera'"),
    ("threshold", {"threshold": 107}, r"threshold: expected a number from 0 \(black\) to 1 \(white\), got 107"),
    ("threshold", {"threshold": float("nan")}, "threshold: expected a number from 0"),
    ("threshold", {"darker": "yes"}, "darker: expected one of False, True, got 'yes'"),
    ("weight_map", {"row": 64}, "row: expected a number from 0 to 63, got 64"),
    ("weight_map", {"column": -1}, "column: expected a number from 0 to 95"),
    ("weight_map", {"gap": 30}, "gap: expected"),
    ("weight_map", {"w0": -1.0}, "w0: expected"),
    ("weight_map", {"sigma": float("nan")}, "sigma: expected a number from 1 to 12"),
    ("elastic", {"labels": "bent"}, "labels: expected one of 'nearest', 'unbent', 'averaged', got 'bent'"),
    ("elastic", {"look": "x-ray"}, "look: expected one of 'phase', 'fluorescence', got 'x-ray'"),
    ("elastic", {"sigma": 11}, "sigma: expected a number from 0 to 10, got 11"),
    ("elastic", {"sigma": float("nan")}, "sigma: expected a number from 0 to 10, got nan"),
    ("elastic", {"seed": -1}, "seed: expected a number from 0 to 50, got -1"),
    ("tiles", {"row": 96}, "row: expected a number from 0 to 95, got 96"),
    ("tiles", {"column": -1}, "column: expected a number from 0 to 119, got -1"),
    ("tiles", {"step": 27}, "step: expected an even number from 20 to 60, got 27"),
    ("tiles", {"padding": "reflect"}, "padding: expected 'valid' or 'same', got 'reflect'"),
    ("interpolation", {"mode": "cubic"}, r"mode: expected one of 'nearest', .*'bed of nails', .* got 'cubic'"),
    (
        "interpolation",
        {"mode": "nearest", "align_corners": True},
        r"align_corners only with .* got 'nearest' with align_corners=True",
    ),
    *(
        ("interpolation", {"size": size}, rf"size: expected two ints from 1 to 12, got {re.escape(repr(size))}")
        for size in ((6, 13), (0, 6), (6, 6, 6), (6, 2.5), 6)
    ),
    ("interpolation", {"x": [1, 2]}, r"x: expected a matrix \(rows, columns\), got shape \(2,\)"),
]


@pytest.mark.parametrize(("name", "arguments", "message"), ERRORS)
def test_errors_say_what_was_expected(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        getattr(explore, name)(**arguments)


@pytest.mark.needs("chromium")
def test_a_browser_draws_all_of_it(explorer, browser):
    """Every image is whole, no letter is cut off at the edge of its drawing, and each drawing lies on its image."""
    page = browser.new_page(viewport={"width": 900, "height": 900})
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.set_content("".join(f"<section style='width: 420px'>{html}</section>" for html in shown(explorer)))
    widths = [
        image.evaluate("image => image.decode().then(() => image.naturalWidth)") for image in page.locator("img").all()
    ]
    assert widths == [picture.shape[1] for picture in pictures("".join(shown(explorer)))]
    for text in page.locator("svg text").all():
        inside = text.evaluate(
            """text => { const a = text.getBoundingClientRect(), b = text.ownerSVGElement.getBoundingClientRect();
            return a.left >= b.left && a.right <= b.right && a.top >= b.top && a.bottom <= b.bottom }"""
        )
        assert inside, text.text_content()
    for over in page.locator("figure svg").all():
        image = over.locator("xpath=../img").bounding_box()
        assert over.bounding_box() == pytest.approx(image, abs=1)
    page.close()
    assert not errors
