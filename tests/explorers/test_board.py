"""The parts of a board: the page and the still picture show the same, each part in its place."""

import re

import ipywidgets
import numpy as np
import pytest

from tests.explorers.boards import pictures
from unet_edu.explore.board import (
    KIND_KEYS,
    Curve,
    Curves,
    Dot,
    Image,
    Key,
    Line,
    Runs,
    Stack,
    Table,
    Text,
    Word,
    still,
    three,
    views,
)
from unet_edu.explore.explorer import Pointed
from unet_edu.figures.palette import INK, PAPER, ROLES

GREY = np.linspace(0, 1, 12).reshape(3, 4)


def drawn(*parts):
    """The axes of a still picture with these parts in one row, laid out."""
    figure = still((parts,), "", "").figure
    figure.draw_without_rendering()
    return figure.axes


def test_an_image_is_the_same_on_both():
    image = Image(GREY, 'a "ramp"', "<b>from</b> left", title="a ramp")
    (axes,) = drawn(image)
    np.testing.assert_array_equal(axes.images[0].get_array(), GREY)
    np.testing.assert_allclose(pictures(image.html())[0] / 255, GREY, atol=1 / 255)
    assert axes.get_title() == "a ramp" and 'alt="a &quot;ramp&quot;"' in image.html()
    assert "<b>from</b> left</figcaption></figure>" in image.html() and "pixelated" in image.html()
    above = Image(GREY, "", "words", is_captioned_above=True, is_pixelated=False).html()
    assert above.index("words") < above.index("<img") and "pixelated" not in above
    doubled = Image(2 * GREY, "", high=2.0)
    np.testing.assert_array_equal(pictures(doubled.html())[0], pictures(image.html())[0])


def test_marks_stand_at_the_same_pixels_on_both():
    """Whole numbers are the middles of pixels, counted from the image's own first one."""
    marks = [
        Line([(0, 0), (2.5, 1), (np.nan, np.nan), (3, 0), (3, 2)], "#123456", 0.5, "2 1", under=1),
        Dot(2, 1, 0.4, INK, PAPER, 0.1),
    ]
    image = Image(GREY, "", marks=[*marks, Word(1, 2, "cell", 1.0)], marks_words="two lines", corner=-1)
    html = image.html()
    assert 'role="img" aria-label="two lines" viewBox="-1.5 -1.5 4 3"' in html
    assert html.count('d="M0 0L2.5 1M3 0L3 2"') == 2 and 'cx="2" cy="1" r="0.4"' in html and ">cell</text>" in html
    assert html.index(f'stroke="{PAPER}" stroke-width="1"') < html.index('stroke="#123456" stroke-width="0.5"')
    (axes,) = drawn(image)
    assert axes.images[0].get_extent() == [-1.5, 2.5, 1.5, -1.5]
    under, line, dot = axes.lines
    np.testing.assert_array_equal(line.get_xydata(), marks[0].points)
    assert under.get_linewidth() == pytest.approx(2 * line.get_linewidth()) and line.get_linestyle() == "--"
    assert dot.get_xydata().tolist() == [[2, 1]] and axes.texts[0].get_position() == (1, 2)


def test_an_image_may_be_small_in_its_place():
    large, small = drawn(Image(GREY, ""), Image(GREY, "", scale=0.5, title="small"))
    boxes = [axes.images[0].get_window_extent() for axes in (large, small)]
    assert boxes[1].width == pytest.approx(boxes[0].width / 2, rel=0.01)
    assert boxes[1].y0 == pytest.approx(boxes[0].y0, abs=1), "on one line"
    fixed, fluid = Image(GREY, "", width="32px").html(), Image(GREY, "", width="24em").html()
    assert "width: 32px;" in fixed and "max-width: max(32px, 8.2em)" in fixed
    assert "width: 100%;" in fluid and "max-width: 24em" in fluid


@pytest.mark.parametrize(
    "key", [*KIND_KEYS, Key("read", "#0072B2", "dashed outline"), Key("kept", "#F0E442", "outline")]
)
def test_a_key_has_its_colour_and_pattern_on_both(key):
    html, patch = key.html(), key.patch()
    assert key.colour in html and html.endswith(f"</span> {key.words}</span>") and patch.get_label() == key.words
    assert ("repeating" in html) == (key.pattern == "striped") == (patch.get_hatch() == "////")
    assert ("radial" in html) == (key.pattern == "dotted") == (patch.get_hatch() == "oo")
    assert ("2px dashed" in html) == (key.pattern == "dashed outline") == (patch.get_linestyle() != "solid")


def test_keys_stand_once_below_the_still_picture():
    ramp = Key("darker is dearer", "white, black", "ramp")
    parts = (
        Image(GREY, "", keys=KIND_KEYS[:2]),
        Stack((Image(GREY, "", keys=(*KIND_KEYS[:1], ramp)), Text("", keys=KIND_KEYS[2:3]))),
    )
    legend = drawn(*parts)[-1].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == [key.words for key in KIND_KEYS[:3]]
    assert "linear-gradient(to right, white, black)" in ramp.html()


def curves(**more):
    x = np.linspace(0, 10, 11)
    both = [Curve("rises", x, x**2, "output"), Curve("falls", x, 100 - x, "skip", "7 4")]
    return Curves(both, "Two curves & words.", (0, 5, 10), (0, 50, 100), ("step", "score"), **more)


def test_curves_run_through_their_numbers_on_both():
    chart = curves(at=3.0, dots=[(3.0, 9.0, INK)], shaded=[(1, 2)])
    svg = chart.html()
    lines = [
        np.array([pair.split(",") for pair in line.split()], float) for line in re.findall(r'points="([^"]+)"', svg)
    ]
    for line, curve in zip(lines, chart.curves, strict=True):
        slope, offset = np.polyfit(curve.y, line[:, 1], 1)
        assert slope < 0 and np.abs(slope * curve.y + offset - line[:, 1]).max() < 0.11  # tenths of a unit
        assert np.ptp(np.diff(line[:, 0])) < 0.11
    dot = re.search(r'<circle cx="([\d.]+)" cy="([\d.]+)"', svg)
    assert (float(dot[1]), float(dot[2])) == tuple(lines[0][3]) and f'<path d="M{dot[1]} 8V' in svg
    assert 'aria-label="Two curves &amp; words."' in svg and svg.count('stroke-dasharray="7 4"') == 2
    band = re.search(rf'<rect x="([\d.]+)" y="8" width="([\d.]+)" height="\d+" fill="{ROLES["input"].fill}"', svg)
    assert (float(band[1]), float(band[1]) + float(band[2])) == pytest.approx(
        (lines[0][1, 0], lines[0][2, 0]), abs=0.11
    )
    for text in ("step", "rises", "falls", ">50<", ">10<"):
        assert text in svg
    (axes,) = drawn(chart)
    for line, curve in zip(axes.lines, chart.curves, strict=False):
        np.testing.assert_array_equal(line.get_xydata().T, (curve.x, curve.y))
    assert axes.lines[2].get_xdata() == [3.0, 3.0] and axes.lines[3].get_xydata().tolist() == [[3, 9]]
    assert axes.get_xlabel() == "step" and axes.get_xlim() == (0, 10)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["rises", "falls"]


def test_what_lies_above_the_axis_is_drawn_at_its_end():
    line = re.search(r'points="([^"]+)"', curves(ends=(10, 25)).html())[1].split()
    assert len({point.split(",")[1] for point in line[5:]}) == 1
    assert "rises" not in curves(has_names=False).html()


def test_runs_stand_at_their_scores_on_both():
    runs = Runs({"full": (0.8, 0.82), "less": (0.5, 0.6)}, "words", "SEG: a mean", chosen="less", reference="full")
    places = np.array(re.findall(r'<circle cx="([\d.]+)"', runs.html()), float)
    slope, offset = np.polyfit([0.8, 0.82, 0.5, 0.6], places, 1)
    assert slope > 0 and np.abs(slope * np.array([0.8, 0.82, 0.5, 0.6]) + offset - places).max() < 0.1
    assert re.findall(r'font-weight="bold">(\w+)<', runs.html()) == ["less"] and 'aria-label="words"' in runs.html()
    (axes,) = drawn(runs)
    assert axes.get_xlabel() == "SEG" and [label.get_text() for label in axes.get_yticklabels()] == ["full", "less"]
    assert Runs({"less": (0.5, 0.6)}, "", "SEG", chosen="less", reference="full").html()


def test_a_table_has_the_same_cells_on_both():
    table = Table(
        [("precision", "1 / 2", "<b>0.500</b>"), ("recall &amp; more", "1 / 1", "1")], head=("", "of", "value")
    )
    cells = re.findall(r"<t[hd] [^>]*>(.*?)</t[hd]>", table.html())
    assert cells == ["", "of", "value", "precision", "1 / 2", "<b>0.500</b>", "recall &amp; more", "1 / 1", "1"]
    _, axes = drawn(Image(GREY, ""), table)
    texts = [text.get_text() for text in axes.texts]
    assert texts == ["", "of", "value", "precision", "1 / 2", "0.500", "recall & more", "1 / 1", "1"]
    assert [text.get_weight() for text in axes.texts[3:6]] == ["normal", "normal", "bold"]
    assert len(re.findall("<th", table.html())) == 3 and "<th" not in Table([("a", "b")]).html()


def test_words_are_on_the_page_and_titles_in_the_still_picture():
    text = Text("a <i>word</i>", title="Question 1")
    assert "a <i>word</i>" in text.html() and "Question" not in text.html()
    question, _ = drawn(Stack((text, Image(GREY, ""))))
    assert question.texts[0].get_text() == "Question 1"
    assert len(drawn(Stack((Text("only words"), Image(GREY, ""))))) == 1


def test_the_parts_of_a_stack_stand_side_by_side_or_one_under_the_other():
    first, second = (axes.get_position() for axes in drawn(Stack((Image(GREY, ""), Image(GREY, "")), is_across=True)))
    assert first.x1 < second.x0 and first.y0 == pytest.approx(second.y0)
    first, second = (axes.get_position() for axes in drawn(Stack((Image(GREY, ""), Image(GREY, "")))))
    assert first.y0 > second.y1
    html = Stack((Text("a"), Text("b")), is_across=True, align="end", edge="error").html()
    assert "flex-wrap: wrap" in html and "align-items: end" in html and ROLES["error"].line in html


def test_each_part_has_a_widget_whose_width_is_given():
    """Or else longer numbers would move the parts beside them while a slider moves."""

    def board(state):
        calls.append(state)
        return (Image(GREY * state, f"at {state}", is_pointed=True, share=3), Table([(str(state),)])), (Text("below"),)

    calls = []
    made = views(board, 1)
    pointed, table, below = (view.widget for view in made)
    assert isinstance(pointed, Pointed) and (pointed.rows, pointed.columns) == (3, 4)
    assert isinstance(table, ipywidgets.HTML) and below.layout.flex == "1 1 100%"
    assert (pointed.layout.flex, table.layout.flex) == ("1 1 60%", "1 1 20%")
    assert all(widget.layout.min_width and widget.layout.max_width for widget in (pointed, table))
    calls.clear()
    assert ["at 0.5" in made[0].paint(0.5), "0.5" in made[1].paint(0.5), "below" in made[2].paint(0.5)] == [True] * 3
    assert calls == [0.5], "one board for all of its parts"


def test_a_ratio_of_nothing_to_nothing_stays_open():
    assert (three(0.12345), three(float("nan"))) == ("0.123", "0 / 0")


@pytest.mark.needs("chromium")
def test_a_browser_draws_chips(browser):
    page = browser.new_page()
    page.set_content("".join(f"<p>{key.html()}</p>" for key in KIND_KEYS))
    chips = page.locator("span[aria-hidden]")
    green = chips.first.evaluate("chip => getComputedStyle(chip).backgroundColor")
    assert green == "rgb({}, {}, {})".format(*bytes.fromhex(ROLES["output"].line[1:]))
    assert "gradient" in chips.nth(1).evaluate("chip => getComputedStyle(chip).backgroundImage")
    assert chips.first.bounding_box()["width"] > 10
    page.close()
