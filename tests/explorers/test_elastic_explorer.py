"""The elastic explorer shows what the library does, with right labels and with wrong ones, and can be moved by slider,
mouse and key."""

import base64
import json
import re

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from tests.explorers.boards import pictures
from tests.explorers.boards import shown as views
from tests.explorers.browser import ROOT, chromium
from unet_edu import explore
from unet_edu.data.cells import LOOKS, synthetic_cells
from unet_edu.data.elastic import displacement, displacement_from, warp
from unet_edu.explore import digest
from unet_edu.explore.elastic import (
    KNOTS,
    LABELS,
    LAST_SEED,
    LONGEST,
    MOST_SIGMA,
    PICTURE_SEED,
    SIDE,
    State,
    edited,
    given_labels,
    overlay,
    picture,
    score,
)
from unet_edu.figures.palette import ROLES
from unet_edu.figures.segmentation import KINDS, enlarged

SHAPE = (SIDE, SIDE)


def state_of(look, labels, sigma, seed):
    return explore.elastic(sigma, seed, labels=labels, look=look).state


def shown(explorer):
    return dict(zip(("net", "bent", "words"), views(explorer), strict=True))


def still(look="phase", labels="nearest") -> State:
    return state_of(look, labels, sigma=0, seed=0)


def test_a_draw_is_that_of_the_library():
    for seed, sigma in ((0, 3.0), (4, 6.0), (LAST_SEED, 1.5)):
        state = state_of("phase", "nearest", sigma, seed)
        expected = displacement(SHAPE, np.random.default_rng(seed), sigma=sigma)
        # arrows are rounded to tenths, so they are off by 0.05 at most, and bicubic between by 1.6 times as much
        assert np.abs(state.field - expected).max() < 0.05 * 1.6


def test_arrows_are_cut_where_the_sliders_end():
    cut, all_arrows = 0, 0
    for seed in range(LAST_SEED + 1):
        arrows = np.array(state_of("phase", "nearest", MOST_SIGMA, seed).vectors)
        assert np.abs(arrows).max() <= LONGEST
        cut, all_arrows = cut + np.sum(np.abs(arrows) == LONGEST), all_arrows + arrows.size
    assert cut < 0.005 * all_arrows, "too rare to be noticed"


@pytest.mark.parametrize("look", LOOKS)
def test_what_is_shown_is_what_the_library_makes(look):
    image, instances = synthetic_cells(PICTURE_SEED, SHAPE, look=look)
    state = state_of(look, "nearest", 5.0, 3)
    field = displacement_from(np.array(state.vectors).T.reshape(2, 3, 3), SHAPE)
    np.testing.assert_array_equal(state.bent[0], warp(image, field, order=3))
    np.testing.assert_array_equal(state.bent[1], warp(instances, field, order=0))
    np.testing.assert_array_equal(given_labels(state), state.bent[1])
    np.testing.assert_array_equal(given_labels(state_of(look, "unbent", 5.0, 3)), instances)
    np.testing.assert_array_equal(given_labels(state_of(look, "averaged", 5.0, 3)), warp(instances, field, order=1))


def test_the_score_counts_pixels():
    for labels in LABELS.values():
        state = state_of("phase", labels, 6.0, 4)
        given, true = given_labels(state), state.bent[1]
        J, missed, wrong, other = score(state)
        hits = sum(bool(a and b) for a, b in zip(given.flat, true.flat, strict=True))
        assert missed == np.sum((true > 0) & (given == 0)) and wrong == np.sum((true == 0) & (given > 0))
        assert pytest.approx(hits / (hits + missed + wrong)) == J
        assert other == np.sum((true > 0) & (given > 0) & (true != given))


def test_only_labels_that_are_bent_alike_fit():
    fits = {labels: score(state_of("phase", labels, 6.0, 4)) for labels in LABELS.values()}
    assert fits["nearest"] == (1.0, 0, 0, 0)
    assert fits["unbent"][0] < 0.7 and fits["averaged"][3] > 100, "a mean of two numbers is the number of a third cell"
    for labels in LABELS.values():
        assert score(still(labels=labels)) == (1.0, 0, 0, 0), "where nothing is bent, there is no bug to see"


def test_marks_stand_where_labels_are_wrong():
    for labels in LABELS.values():
        state = state_of("fluorescence", labels, 6.0, 4)
        drawn, grey = overlay(state), enlarged(np.clip(state.bent[0], 0, 1))
        given, true = enlarged(given_labels(state)), enlarged(state.bent[1])
        is_right = given == true
        np.testing.assert_array_equal(drawn[is_right], np.repeat(grey[is_right][:, None], 3, axis=1))
        coloured = np.ptp(drawn, axis=-1) > 0.1
        assert not coloured[is_right].any()
        if not is_right.all():
            assert coloured[~is_right].mean() > 0.4, "but for the white of stripes and dots"
            for kind, wrong in ((KINDS[2], (given > 0) & ~is_right), (KINDS[3], (given == 0) & (true > 0))):
                # how `agreement` covers the image
                tinted = drawn[wrong & coloured] - 0.4 * grey[wrong & coloured][:, None]
                np.testing.assert_allclose(
                    tinted, np.broadcast_to(0.6 * np.array(to_rgb(kind.colour)), tinted.shape), atol=1e-5
                )


def test_a_net_that_folds_is_called_so():
    steep = edited(still(), 4, LONGEST, 0)
    explorer = explore.elastic(sigma=0)
    assert not explorer.state.folds and "does not fold" in shown(explorer)["words"]
    explorer.update(**steep)
    # from +32 in the middle to 0 at the lower edge 63.5 pixels farther on; the steepest slope of the bicubic
    # between is 1.25 times the mean one
    assert not explorer.state.folds
    explorer.update(**edited(explorer.state, 7, -LONGEST, 0))
    assert explorer.state.folds and "lies over itself" in shown(explorer)["words"]


def test_the_controls_go_through_all_values():
    explorer = explore.elastic()
    controls, seen = explorer.controls, set()
    for _, look in controls["look"].options:
        controls["look"].value = look
        for _, labels in controls["labels"].options:
            controls["labels"].value = labels
            for sigma in np.arange(0, MOST_SIGMA + 0.1, 2.5):
                controls["sigma"].value = sigma
                assert explorer.state.sigma == sigma and explorer.state.labels == labels and explorer.state.look == look
                seen.add(shown(explorer)["bent"])
    assert len(seen) == 2 * 3 * 5
    for seed in range(0, LAST_SEED + 1, 5):
        controls["seed"].value = seed
        for knot in range(9):
            controls["knot"].value = knot
            assert (controls["down"].value, controls["right"].value) == explorer.state.vectors[knot]
            assert shown(explorer)["words"].startswith(
                f'<div><p style="margin: 0.3em 0; line-height: 1.6"><b>{KNOTS[knot]} knot</b>'
            )


def test_sliders_move_the_chosen_knot_and_no_other():
    explorer = explore.elastic()
    before = explorer.state.vectors
    explorer.controls["knot"].value = 7
    assert explorer.state.vectors == before
    explorer.controls["down"].value = -12.5
    explorer.controls["right"].value = 20.0
    assert explorer.state.vectors == (*before[:7], (-12.5, 20.0), before[8])
    explorer.controls["knot"].value = 0
    assert explorer.state.vectors[7] == (-12.5, 20.0)
    explorer.controls["labels"].value = "unbent"
    assert explorer.state.vectors[7] == (-12.5, 20.0), "other labels, the same net"
    explorer.controls["seed"].value = 9
    assert explorer.state.vectors == state_of("phase", "nearest", 6.0, 9).vectors, "a new draw throws all nine"
    explorer.controls["right"].value = 5.0
    explorer.controls["sigma"].value = 6.5
    assert explorer.state.vectors == state_of("phase", "nearest", 6.5, 9).vectors


def test_the_mouse_moves_a_knot():
    explorer = explore.elastic()
    before = explorer.state.vectors
    net = explorer.views[0].widget
    net.edit = {"knot": 2, "down": 3.14159, "right": -99, "count": 1}
    assert explorer.state.vectors == (*before[:2], (3.1, -LONGEST), *before[3:])
    assert explorer.state.knot == 2 and (explorer.state.down, explorer.state.right) == (3.1, -LONGEST)
    assert explorer.controls["knot"].value == 2 and explorer.controls["right"].value == -LONGEST
    net.edit = {"knot": 2, "down": 4.0, "right": 0.0, "count": 2}  # the same knot again
    assert explorer.state.vectors[2] == (4.0, 0.0)
    assert net.scene["vectors"][2] == [4.0, 0.0] and net.scene["chosen"] == 2


def test_the_net_is_drawn_where_the_pixels_are_read():
    explorer = explore.elastic(sigma=5, seed=2)
    svg = shown(explorer)["net"]
    drawn = re.findall(r'<path d="([^"]+)" fill="none" stroke="[^"]+" stroke-width="([^"]+)"', svg)
    net, arrows = ({width: path for path, width in drawn}[width] for width in ("0.6", "1.2"))
    lines = net.removeprefix("M").split("M")
    assert len(lines) == 18
    points = np.array([[tuple(map(float, pair.split())) for pair in line.split("L")] for line in lines])
    field = explorer.state.field
    for points_of_line, n in zip(points[:9], np.linspace(0, SIDE - 1, 9), strict=True):
        for (x, y), m in zip(points_of_line, np.linspace(0, SIDE - 1, 33), strict=True):
            row, column = round(n), round(m)
            if abs(row - n) < 1e-9 and abs(column - m) < 1e-9:  # at whole pixels the field is known
                assert y == pytest.approx(row + field[0, row, column], abs=0.051)  # drawn to tenths
                assert x == pytest.approx(column + field[1, row, column], abs=0.051)
    homes = np.array(explorer.views[0].widget.scene["homes"])
    dots = np.array(
        [tuple(map(float, dot)) for dot in re.findall(r'<circle data-knot[^>]*cx="([-\d.]+)" cy="([-\d.]+)"', svg)]
    )
    np.testing.assert_allclose(dots[:, ::-1], homes + np.array(explorer.state.vectors), atol=0.051)
    ends = np.array(re.findall(r"M([\d.]+) ([\d.]+)L([-\d.]+) ([-\d.]+)", arrows), float)
    np.testing.assert_allclose(ends[:, 1::-1], homes)
    np.testing.assert_array_equal(ends[:, 2:], dots)


def test_outlines_run_between_pixels_of_different_labels():
    for labels in LABELS.values():
        explorer = explore.elastic(labels=labels)
        paths = re.findall(r'<path d="([^"]+)" fill="none" stroke="[^"]+" stroke-width="0.6"', shown(explorer)["bent"])
        ends = np.array(re.findall(r"M([-\d.]+) ([-\d.]+)L([-\d.]+) ([-\d.]+)", paths[0]), float) + 0.5
        drawn = {tuple(map(int, line)) for line in ends}
        given = given_labels(explorer.state)
        expected = {(x, y + 1, x + 1, y + 1) for y, x in np.argwhere(given[1:] != given[:-1]).tolist()}
        expected |= {(x + 1, y, x + 1, y + 1) for y, x in np.argwhere(given[:, 1:] != given[:, :-1]).tolist()}
        assert drawn == expected and len(drawn) > 200


def test_the_pictures_that_travel():
    state = state_of("phase", "unbent", 6.0, 4)
    views = shown(explore.elastic(labels="unbent"))
    assert np.abs(pictures(views["bent"])[0] / 255 - overlay(state)).max() < 1 / 255 + 1e-6
    around = pictures(views["net"])[0] / 255
    image, _ = synthetic_cells(PICTURE_SEED, SHAPE)
    assert around.shape == (SIDE + 2 * LONGEST,) * 2
    np.testing.assert_allclose(around[LONGEST:-LONGEST, LONGEST:-LONGEST], image, atol=1 / 255)
    np.testing.assert_allclose(around[:LONGEST, LONGEST:-LONGEST], 0.55 * image[LONGEST:0:-1], atol=1 / 255)


def test_pictures_have_words_and_marks_that_need_no_colour():
    for labels in LABELS.values():
        views = shown(explore.elastic(labels=labels))
        assert all(re.search(r'<img alt="[^"]{60,}"', views[name]) for name in ("net", "bent"))
        assert ("dashed" in views["words"]) == (labels != "nearest")
        role = ROLES["output" if labels == "nearest" else "error"]
        assert role.line in views["bent"] and ('stroke-dasharray="2.2 1.1"' in views["bent"]) == (labels != "nearest")
    assert f"IoU {score(state_of('phase', 'unbent', 6.0, 4))[0]:.3f}" in shown(explore.elastic(labels="unbent"))["bent"]
    assert "It is straight." in shown(explore.elastic(sigma=0))["net"]
    # the arrow of the most moved knot, in words
    state = state_of("phase", "nearest", 6.0, 4)
    most = int(np.argmax(np.hypot(*np.array(state.vectors).T)))
    assert (
        f"The {KNOTS[most]} knot is moved most: 3.7 pixels up and 13.5 to the right." in shown(explore.elastic())["net"]
    )


@pytest.mark.parametrize("labels", LABELS.values())
def test_the_still_picture_tells_the_same(labels):
    state = state_of("phase", labels, 6.0, 4)
    drawn = picture(state)
    J, missed, wrong, other = score(state)
    assert f"IoU {J:.3f}, missed {missed}, wrongly marked {wrong}, number of another cell {other}" in drawn.digest
    assert digest(state.bent[0]) in drawn.digest and digest(given_labels(state)) in drawn.digest
    assert f"IoU {J:.3f}" in drawn.alt and "net of nine knots" in drawn.alt
    left, right, key = drawn.figure.axes
    assert [text.get_text() for text in key.get_legend().get_texts()] == ["wrong", "missed"]
    np.testing.assert_array_equal(right.images[0].get_array(), overlay(state))
    assert left.images[0].get_extent() == [-LONGEST - 0.5, SIDE + LONGEST - 0.5, SIDE + LONGEST - 0.5, -LONGEST - 0.5]
    knots = [line.get_xydata()[0] for line in left.lines if line.get_marker() == "o"]
    homes = np.array([(row, column) for row in (0, 63.5, 127) for column in (0, 63.5, 127)])
    np.testing.assert_allclose(np.array(knots)[:, ::-1], homes + np.array(state.vectors))


@pytest.mark.needs("chromium")
def test_mouse_and_keys_in_a_browser():
    """The net on a page of 480 pixels, 2.5 for each pixel of the picture; `answer` is Python's part, here done by
    hand."""
    explorer = explore.elastic(sigma=0)
    net = explorer.views[0].widget
    script = base64.b64encode((ROOT / "unet_edu/explore/elastic.js").read_bytes()).decode()
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 900, "height": 700})
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.set_content('<body style="margin: 0"><div id="here" style="width: 480px"></div>')
        page.evaluate("() => { window.heard = []; addEventListener('keydown', event => heard.push(event.key)) }")
        page.add_script_tag(
            type="module",
            content=f"""import widget from "data:text/javascript;base64,{script}";
            const values = {{ scene: {json.dumps(net.scene)} }}, hear = {{}};
            window.sent = [];
            const model = {{ get: name => values[name], set: (name, value) => {{ values[name] = value; }},
                save_changes: () => sent.push(values.edit), on: (name, act) => {{ hear[name] = act; }} }};
            window.answer = scene => {{ values.scene = scene; hear["change:scene"](); }};
            widget.render({{ model, el: here }});""",
        )
        page.locator("[data-knot]").first.wait_for()
        page.locator("img").evaluate("image => image.decode()")

        def answer():
            """Give Python what was sent last, and the page what Python makes of it."""
            net.edit = page.evaluate("sent.at(-1)")
            page.evaluate("scene => answer(scene)", net.scene)

        def at(row, column):
            return (2.5 * (LONGEST + column + 0.5), 2.5 * (LONGEST + row + 0.5))

        def sent():
            return [(edit["knot"], edit["down"], edit["right"]) for edit in page.evaluate("sent")]

        page.mouse.move(*at(63.5, 63.5))
        page.mouse.down()
        page.mouse.move(*at(70.5, 60.5))
        assert sent() == [(4, 7, -3)]
        page.mouse.move(*at(71.5, 60.5))
        page.mouse.move(*at(73.5, 59.5))
        assert len(sent()) == 1, "while Python has not answered, nothing more is sent"
        answer()
        assert sent()[1:] == [(4, 10, -4)], "then only the newest"
        answer()
        page.mouse.move(*at(63.5, 300))
        assert sent()[2:] == [(4, 0, LONGEST)], "outside, as far as it goes"
        answer()
        page.mouse.move(*at(63.5, 310))
        assert len(sent()) == 3, "of what changes nothing, Python would send nothing back"
        page.mouse.up()
        page.mouse.move(*at(20, 20))
        assert len(sent()) == 3, "the knot was let go"
        assert explorer.state.vectors[4] == (0, LONGEST)

        page.mouse.click(*at(0, 127))  # a click alone moves nothing, and gives the focus
        page.keyboard.press("ArrowDown")
        assert sent()[3:] == [(2, 1, 0)]
        answer()
        page.keyboard.press("ArrowLeft")
        answer()
        assert sent()[4:] == [(2, 1, -1)], "the focus stays on the knot, which was drawn anew"
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.dataset.knot") == "3"
        assert page.evaluate("heard") == ["Tab"], "the notebook does not hear the arrow keys"
        assert page.locator("[data-knot][data-lm-suppress-shortcuts]").count() == 9
        assert (
            page.locator("[data-knot='2']")
            .get_attribute("aria-label")
            .startswith("top right knot, 1.0 pixels down and 1.0 to the left")
        )
        assert errors == []
