"""The weight-map explorer: what it shows is true, for values of every control; then its mouse in a browser."""

import base64
import re

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from tests.explorers.boards import pictures, shown
from tests.explorers.browser import ROOT, chromium
from unet_edu import explore
from unet_edu.explore import digest
from unet_edu.explore.explorer import Pointed
from unet_edu.explore.weight_map import (
    CELLS,
    HEAT,
    HOTTEST,
    SHAPE,
    WIDEST_GAP,
    State,
    picture,
    read,
    scene,
    weight_map,
)
from unet_edu.figures.palette import PAPER, ROLES
from unet_edu.losses import border_weight_map, nearest_two, separated


def test_five_cells_of_which_one_moves():
    for gap in range(WIDEST_GAP + 1):
        instances = scene(gap)
        assert instances.shape == SHAPE and set(np.unique(instances)) == set(range(len(CELLS) + 1))
        first, second = np.argwhere(instances == 1), np.argwhere(instances == 2)
        nearest = np.hypot(*(first[:, None] - second).transpose(2, 0, 1)).min()
        assert nearest == gap + 1, "the gap is the number of pixels between the two, where they are closest"
        same = instances != 2
        np.testing.assert_array_equal(instances[same & (scene(0) != 2)], scene(0)[same & (scene(0) != 2)])
    assert not np.array_equal(separated(scene(0)), scene(0) > 0) and np.array_equal(separated(scene(1)), scene(1) > 0)


@pytest.mark.parametrize("gap", [0, 1, 7, WIDEST_GAP])
def test_the_distances_and_the_weight_are_those_of_the_library(gap):
    cells = np.where(separated(scene(gap)), scene(gap), 0)
    d1, d2 = nearest_two(cells)
    weights = border_weight_map(scene(gap), w0=7.5, sigma=4.5)
    for row in range(0, SHAPE[0], 7):
        for column in range(SHAPE[1]):
            found = read(State(gap, 7.5, 4.5, row, column))
            # square roots of whole numbers, twice: equal but for rounding
            assert (found.d1, found.d2) == pytest.approx((d1[row, column], d2[row, column]), abs=1e-9)
            assert found.weight == weights[row, column] and found.cell == cells[row, column]
            for d, end in zip(found[1:3], found.ends, strict=True):
                assert cells[end] > 0 and np.hypot(end[0] - row, end[1] - column) == pytest.approx(d, abs=1e-9)
            assert cells[found.ends[0]] != cells[found.ends[1]]
            if not found.cell:  # the formula that is printed, by hand
                assert found.weight == pytest.approx(1 + 7.5 * np.exp(-((found.d1 + found.d2) ** 2) / 40.5), abs=1e-6)


def test_it_begins_at_the_worked_number():
    explorer = weight_map()
    found = read(explorer.state)
    assert (found.d1, found.d2) == (4, 4)
    _, formula = shown(explorer)
    assert "1 + 10 · exp(−(4.00 + 4.00)² / (2 · 5²))" in formula and "1 + 10 · 0.2780 = <b>3.780</b>" in formula


def test_the_controls_go_through_all_values():
    explorer = explore.weight_map()
    seen = set()
    values = {
        "gap": range(WIDEST_GAP + 1),
        "w0": np.arange(0, 20.5, 0.5),
        "sigma": np.arange(1, 12.5, 0.5),
        "row": range(SHAPE[0]),
        "column": range(SHAPE[1]),
    }
    for name, steps in values.items():
        for value in steps:
            explorer.controls[name].value = value
            assert getattr(explorer.state, name) == value
            html, formula = shown(explorer)
            assert "nan" not in formula and "inf" not in formula and "nan" not in html.split("<svg")[1]
            seen.add((html, formula))
        explorer.update(row=32, column=40, gap=7, w0=10.0, sigma=5.0)
    assert len(seen) > 200


def test_inside_a_cell_there_is_no_border_term_and_nothing_jumps():
    outside, inside = shown(weight_map(32, 40)), shown(weight_map(33, 22))
    assert "lies in cell 1" in inside[1] and "<b>1.000</b>" in inside[1] and "exp" not in inside[1].split("<svg")[0]
    assert "stroke-dasharray" in outside[0] and "stroke-dasharray" not in inside[0]
    assert outside[1].split("<svg")[0].count("<br>") == inside[1].split("<svg")[0].count("<br>") == 2


def test_a_gap_that_was_cut_is_called_so():
    cut = np.argwhere((scene(0) > 0) & ~separated(scene(0)))
    row, column = cut[len(cut) // 2]
    html, formula = shown(weight_map(int(row), int(column), gap=0))
    assert "cut between two touching cells" in formula and "gap of two pixels has been cut" in html


def test_the_map_is_painted_as_the_weights_are():
    for gap, w0 in ((0, 10.0), (7, 10.0), (3, 20.0)):
        drawn = pictures(shown(weight_map(gap=gap, w0=w0))[0])[0] / 255
        assert drawn.shape == (*SHAPE, 3)
        weights, is_cell = border_weight_map(scene(gap), w0=w0), separated(scene(gap))
        heat = HEAT(np.clip((weights - 1) / (HOTTEST - 1), 0, 1))[..., :3]
        # bytes cut off less than one level
        np.testing.assert_allclose(drawn[~is_cell], heat[~is_cell], atol=1 / 255 + 1e-9)
        np.testing.assert_allclose(drawn[is_cell], [to_rgb(ROLES["input"].fill)] * is_cell.sum(), atol=1 / 255 + 1e-9)


def test_the_lines_lead_to_the_cells():
    html, _ = shown(weight_map(12, 50, gap=7))
    found = read(State(7, 10.0, 5.0, 12, 50))
    lines = re.findall(
        r'<path d="M([\d.]+) ([\d.]+)L([\d.]+) ([\d.]+)" fill="none" stroke="([^"]+)" stroke-width="0.8" '
        r'stroke-dasharray="([^"]*)"',
        html,
    )
    assert len(lines) == 2 and lines[0][4] != lines[1][4] and lines[0][5] != lines[1][5]
    for line, d, end in zip(lines, found[1:3], found.ends, strict=True):
        x, y, to_x, to_y = map(float, line[:4])
        assert (y, x, to_y, to_x) == (12, 50, *end)
        assert np.hypot(to_x - x, to_y - y) == pytest.approx(d)
    for name in ("d1", "d2"):
        assert f">{name}</text>" in html


def test_the_curve_is_the_row():
    _, right = shown(weight_map(32, 40))
    weights = border_weight_map(scene(7))[32]
    points = re.search(r'<polyline points="([^"]+)"', right)[1].split()
    x, y = np.array([tuple(map(float, point.split(","))) for point in points]).T
    assert len(points) == SHAPE[1] and np.ptp(np.diff(x)) < 0.11
    slope, offset = np.polyfit(weights, y, 1)
    # rounded to 0.05; the fitted line is off by as much
    assert slope < 0 and np.abs(slope * weights + offset - y).max() < 0.11
    dot = re.search(r'<circle cx="([\d.]+)" cy="([\d.]+)"', right)
    assert f"{float(dot[1]):.1f},{float(dot[2]):.1f}" == points[40]
    shaded = re.findall(
        rf'<rect x="([\d.]+)" y="\d+" width="([\d.]+)" height="\d+" fill="{ROLES["input"].fill}"', right
    )
    runs = np.diff(np.pad((separated(scene(7))[32]).astype(int), 1))
    assert len(shaded) == (runs == 1).sum() and f'fill="{PAPER}"' in right


def test_pictures_have_words():
    html, right = shown(weight_map(32, 40))
    alt = re.search(r'<img alt="([^"]+)"', html)[1]
    assert (
        "row 32, column 40" in alt and "4.00 and 4.00 pixels away: weight 3.780" in alt and "apart by 7 pixels" in alt
    )
    assert re.search(r'role="img" aria-label="Curve of the weight along row 32. At column 40 it is 3.780', right)


def test_the_still_picture_tells_the_same():
    for state in (State(7, 10.0, 5.0, 32, 40), State(0, 5.0, 3.0, 33, 22)):
        still, found = picture(state), read(state)
        assert f"w {found.weight:.3f}" in still.digest
        assert digest(border_weight_map(scene(state.gap), w0=state.w0, sigma=state.sigma)) in still.digest
        left, right, key = still.figure.axes
        assert left.images[0].get_array().shape == (*SHAPE, 3)
        np.testing.assert_array_equal(
            right.lines[0].get_ydata(), border_weight_map(scene(state.gap), w0=state.w0, sigma=state.sigma)[state.row]
        )
        assert (f"d1 = {found.d1:.2f}" in left.get_title()) == (not found.cell)
        assert {text.get_text() for text in left.texts} == {*"12345"} | (set() if found.cell else {"d1", "d2"})
        assert [text.get_text() for text in key.get_legend().get_texts()] == ["cells: weight 1"]


def test_pointing_moves_the_pixel_and_the_sliders():
    explorer = weight_map()
    explorer.views[0].widget.set_state({"pixel": [10, 60], "asked": 1})
    assert (explorer.state.row, explorer.state.column) == (10, 60)
    assert (explorer.controls["row"].value, explorer.controls["column"].value) == (10, 60)
    assert "row 10, column 60" in shown(explorer)[1]


def test_each_question_is_answered_when_it_has_been_followed():
    """Also one that changes nothing and one that fails: else the browser would wait for ever."""
    seen = []

    def follow(row, column):
        seen.append((row, column, pointed.answered))
        if row == 9:
            raise ZeroDivisionError

    pointed = Pointed()
    pointed.on_point(follow)
    pointed.set_state({"pixel": [1, 2], "asked": 1})
    pointed.set_state({"asked": 2})  # the same pixel again: only what changed is sent
    assert (pointed.answered, seen) == (2, [(1, 2, 0), (1, 2, 1)])
    with pytest.raises(ZeroDivisionError):
        pointed.set_state({"pixel": [9, 9], "asked": 3})
    assert pointed.answered == 3


@pytest.mark.needs("chromium")
def test_the_mouse_chooses_a_pixel_and_a_click_holds_it():
    script = base64.b64encode((ROOT / "unet_edu/explore/pointed.js").read_bytes()).decode()
    html = shown(weight_map())[0]
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 900, "height": 700})
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.set_content('<div id="here" style="width: 480px"></div>')
        page.evaluate("html => { window.html = html }", html)
        page.add_script_tag(
            type="module",
            content=f"""import widget from "data:text/javascript;base64,{script}";
            const values = {{ html: window.html, rows: {SHAPE[0]}, columns: {SHAPE[1]}, pixel: [],
                asked: 0, answered: 0 }}, hear = {{}};
            window.sent = [];
            const model = {{ get: name => values[name], set: (name, value) => {{ values[name] = value; }},
                save_changes: () => sent.push(values.pixel), on: (name, act) => {{ hear[name] = act; }} }};
            window.paint = () => hear["change:html"]();
            window.answer = () => {{
                if (values.asked === values.answered) throw Error("nothing was asked");
                values.answered = values.asked;
                hear["change:answered"]();
            }};
            widget.render({{ model, el: here }});""",
        )
        image = page.locator("img")
        image.wait_for()
        image.evaluate("image => image.decode()")
        box = image.bounding_box()
        assert box["width"] == 480 and box["height"] == pytest.approx(480 * SHAPE[0] / SHAPE[1], abs=1)

        def at(row, column):
            return (box["x"] + (column + 0.5) * 5, box["y"] + (row + 0.5) * 5)

        page.mouse.move(*at(10, 20))
        assert page.evaluate("sent") == [[10, 20]]
        page.mouse.move(*at(11, 20))
        page.mouse.move(*at(12, 21))
        page.evaluate("paint()")
        assert page.evaluate("sent") == [[10, 20]], "while Python has not answered, nothing more is sent"
        page.evaluate("answer()")  # no new picture is needed
        assert page.evaluate("sent") == [[10, 20], [12, 21]], "then only the newest"
        page.evaluate("answer()")
        page.mouse.click(*at(30, 40))
        page.evaluate("answer()")
        assert "solid" in image.evaluate("image => image.style.outline")
        page.mouse.move(*at(50, 50))
        assert page.evaluate("sent.at(-1)") == [30, 40], "held"
        page.mouse.click(*at(50, 50))
        page.evaluate("answer()")
        page.mouse.move(*at(0, 95))
        assert page.evaluate("sent.at(-1)") == [0, 95]
        page.evaluate("answer()")
        count = page.evaluate("sent.length")
        page.mouse.move(*at(0.2, 95))
        assert page.evaluate("sent.length") == count, "still the same pixel"
        page.mouse.move(800, 600)
        page.mouse.move(*at(0, 95))
        assert page.evaluate("sent.length") == count + 1, "the same pixel, after the pointer was away"
        page.evaluate("answer()")
        assert errors == []
