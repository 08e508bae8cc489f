"""The Explainer below the whole U: the numbers that it shows are PyTorch's and add up, and keys lead down to one
product and back."""

from __future__ import annotations

import json
import math
import re

import numpy as np
import pytest
import torch
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.explorers.browser import ROOT
from tests.explorers.test_network_in_page import Picture, in_torch, twin
from unet_edu.data import pretrained
from unet_edu.data.networks import held_out
from unet_edu.explore.page import bundled
from unet_edu.explore.unet import course_page
from unet_edu.explore.unet.export import described
from unet_edu.figures.palette import ROLES
from unet_edu.figures.unet import block_names
from unet_edu.unet import UNet

pytestmark = pytest.mark.needs("chromium")

FOLDER = ROOT / "unet_edu/explore/unet"
COLOURS = {
    "light": {"ink": "#1a1a1a", "paper": "#fff", "faint": "#5f5f5f", "rule": "#c8c8c8", "focus": "#0072b2"},
    "dark": {"ink": "#eee", "paper": "#16181c", "faint": "#aaa", "rule": "#555", "focus": "#66b8ee"},
}
SAME = 2e-5  # between a sum in the page and PyTorch's, for numbers of a few units
KINDS = ("concat", "add", "none", "valid")

# What explainer.js hands to its parts, as little of it as the levels need.
MOUNT = """
const { description, image } = JSON.parse(document.getElementById("data").textContent);
const net = await load(description);
const [rows, columns] = [image.length, image[0].length];
const it = {
    net, place: {}, origin: null, said: [],
    state: { copies: net.layers.filter(layer => layer.kind === "join").map(() => "kept"), muted: [] },
    go(place) { it.place = place; view.update(); },
    set(changes, words) {
        Object.assign(it.state, changes);
        it.said.push(words);
        const { copies, muted } = it.state;
        it.result = net.run(Float32Array.from(image.flat()), { rows, columns, copies, muted: new Set(muted) });
        view.update();
    },
};
const view = mountLevels(document.getElementById("levels"), it);
Object.assign(window, { it, net, mapSum });
it.set({}, "");
"""


def network(kind: str) -> UNet:
    """A network of the course, by what joins its copies; or one without padding, as it is drawn at random."""
    if kind == "valid":
        torch.manual_seed(2015)
        return UNet(widths=(4, 8)).eval()
    return pretrained("cells" if kind == "concat" else f"cells_{kind}")


@pytest.fixture(scope="module")
def image():
    return held_out("phase")["phase"][0][0]


@pytest.fixture(scope="module")
def pages(browser, image):
    """For each kind of network a page that shows the levels of its U, on their own."""
    opened = {}

    def page_of(kind: str) -> Page:
        if kind not in opened:
            opened[kind] = browser.new_page(viewport={"width": 800, "height": 620})
            data = {"description": described(network(kind)), "image": image.tolist()}
            script = f"{bundled('unet/network.js')}\n{bundled('unet/levels.js')}\n{MOUNT}"
            opened[kind].set_content(
                f"<style>{(FOLDER / 'levels.css').read_text()}</style><title>levels</title>"
                f'<div class="unet-explainer"><section id="levels" aria-label="inside"></section></div>'
                f'<script type="application/json" id="data">{json.dumps(data)}</script>'
            )
            dress(opened[kind], "light")
            opened[kind].add_script_tag(type="module", content=script)
            opened[kind].wait_for_function("window.net")
        return opened[kind]

    yield page_of
    for page in opened.values():
        page.close()


@pytest.fixture
def page(pages):
    """The network `cells`, seen as a whole."""
    page = pages("concat")
    page.emulate_media(reduced_motion="no-preference")
    page.evaluate("it.go({})")
    return page


def dress(page: Page, theme: str) -> None:
    """The colours that explainer.js and explainer.css set."""
    lines = [f"--{name}: {colour}" for name, colour in COLOURS[theme].items()]
    lines += [f"--{role}-fill: {colour.fill if theme == 'light' else '#3a3524'}" for role, colour in ROLES.items()]
    page.evaluate(f"document.documentElement.style.cssText = {json.dumps('; '.join(lines))}")
    page.evaluate(f"document.documentElement.style.background = {json.dumps(COLOURS[theme]['paper'])}")


# --- what is shown ----------------------------------------------------------------------------------------------------


def go(page: Page, layer: str, channel: int, *numbers: int) -> None:
    names = ("row", "column", "source", "tap")
    place = {"layer": layer, "channel": channel, **dict(zip(names, map(int, numbers), strict=False))}
    page.evaluate("place => it.go(place)", place)


def read(text: str) -> float:
    return 0.0 if text == "≈ 0" else float(text.replace("−", "-"))


def slack(value: float) -> float:
    """How far a number that is shown with three digits may be from what it is."""
    return 0.00051 * 10.0 ** max(0, math.floor(math.log10(abs(value) + 1e-9)) + 1)


def columns(page: Page) -> list[dict]:
    """The strip: name, numbers in cells, and at the foot what is added and the sum so far."""
    return page.locator(".strip .column:not(.heads)").evaluate_all("""columns => columns.map(column => ({
        name: column.querySelector(".name").textContent,
        grids: [...column.querySelectorAll(".both .numbers, .column > .numbers:not(.amount)")]
            .map(grid => [...grid.querySelectorAll(".number")].map(cell => cell.textContent)),
        amounts: [...column.querySelectorAll(".amount .number")].map(cell => cell.textContent),
    }))""")


def words(page: Page) -> str:
    return page.locator(".levels .words").inner_text()


def trail(page: Page) -> list[str]:
    return page.locator(".trail button").all_text_contents()


# --- the numbers ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def truths(image):
    """Of each kind of network all maps, computed by PyTorch."""
    found = {}
    for kind in KINDS:
        model = network(kind)
        found[kind] = in_torch(twin(model), Picture(image[None], image[None], ["kept"] * model.depth, [], []))
    return found


def drawn(truth, layers, rng, each=2):
    """Pixels of layers: some of the middle, and one of the rim."""
    for layer in layers:
        channels, rows, across = truth.maps[layer].shape
        for row, column in [(0, across - 1), *rng.integers(0, (rows, across), (each, 2))]:
            yield layer, int(rng.integers(channels)), int(row), int(column)


@pytest.mark.parametrize("kind", KINDS)
def test_the_sum_of_a_pixel_is_what_pytorch_computes(pages, truths, kind):
    page, truth = pages(kind), truths[kind]
    names = block_names(network(kind).depth, copies=kind != "none")
    layers = [name for name in names if re.match("contr|expand|up|head", name)]
    seen = 0
    for layer, channel, row, column in drawn(truth, layers, np.random.default_rng(6)):
        go(page, layer, channel, row, column)
        value = truth.maps[layer][channel, row, column]
        before = before_relu(truth, layer)[channel, row, column]
        shown = columns(page)
        rows = {one["name"]: one for one in shown}
        sources = [one for one in shown if len(one["grids"]) == 2]
        running, roundings = 0.0, 0.0
        for one in sources:
            window, kernel = ([read(text) for text in grid] for grid in one["grids"])
            if layer.startswith("up"):
                kernel = [kernel[2 * (row % 2) + column % 2]]
            adds, so_far = map(read, one["amounts"])
            product_slack = sum(abs(a) * slack(b) + abs(b) * slack(a) for a, b in zip(window, kernel, strict=True))
            assert adds == pytest.approx(np.dot(window, kernel), abs=product_slack + slack(adds))
            running, roundings = running + adds, roundings + slack(adds)
            assert so_far == pytest.approx(running, abs=roundings + slack(so_far))
        others = next((one for name, one in rows.items() if name.endswith(" others")), None)
        assert (others is not None) == (len(sources) < len(truth.maps[names[names.index(layer) - 1]]))
        for one in [others, rows["bias"]] if others else [rows["bias"]]:
            adds, so_far = map(read, one["amounts"])
            running, roundings = running + adds, roundings + slack(adds)
            assert so_far == pytest.approx(running, abs=roundings + slack(so_far))
        assert so_far == pytest.approx(before, abs=slack(before))
        if "ReLU" in rows:
            assert read(rows["ReLU"]["amounts"][0]) == pytest.approx(value, abs=slack(value))
        if layer == "head":
            probability = truth.probability[-1, row, column]
            expected = probability if channel == 1 else 1 - probability
            assert read(rows["probability"]["amounts"][0]) == pytest.approx(expected, abs=slack(expected))
        seen += 1
    assert seen == 3 * len(layers)


def before_relu(truth, layer):
    return truth.before.get(layer, truth.maps[layer])


def test_with_all_sources_there_are_no_others(page, truths):
    layer, channel, row, column = "expanding.0.0", 3, 20, 30
    go(page, layer, channel, row, column)
    page.get_by_role("button", name="show all 64").click()
    names = [one["name"] for one in columns(page)]
    assert len(names) == 64 + 2 and names[-2:] == ["bias", "ReLU"]
    assert {*names[:-2]} == {f"{side} {k}" for side in ("copy", "step up") for k in range(32)}
    page.get_by_role("button", name="show the strongest").click()
    assert len(columns(page)) == 5 + 3


def test_a_map_is_the_sum_of_what_is_shown(pages, truths):
    """The strongest first, and each sum so far is true."""
    for kind in KINDS:
        page = pages(kind)
        for layer in ("contracting.0.0", "contracting.1.2", "expanding.0.0", "up.0", "head"):
            before = before_relu(truths[kind], layer)
            channel = len(before) // 2
            most = 5
            # As text: Playwright would take each number on its own.
            answer = page.evaluate(
                """([layer, channel, most]) => {
                    const { steps, others, bias, total } = mapSum(net, layer, channel, most);
                    const values = ({ values }) => [...values];
                    return JSON.stringify({
                        adds: steps.map(({ map }) => values(map)), soFar: steps.map(({ soFar }) => values(soFar)),
                        others: others && values(others.map), bias, total: values(total),
                    });
                }""",
                [layer, channel, most],
            )
            found = json.loads(answer)
            adds = np.array(found["adds"])
            np.testing.assert_allclose(np.cumsum(adds, axis=0), found["soFar"], atol=SAME)
            whole = adds.sum(axis=0) + found["bias"] + (np.array(found["others"]) if found["others"] else 0)
            np.testing.assert_allclose(whole, found["total"], atol=SAME)
            scale = np.abs(before[channel]).max()
            np.testing.assert_allclose(found["total"], before[channel].ravel(), atol=SAME * max(1.0, scale))
            strengths = np.abs(adds).mean(axis=1)
            assert list(strengths) == sorted(strengths, reverse=True)


def test_pooling_shows_four_numbers_and_the_largest(page, truths):
    maps = truths["concat"].maps
    for layer, channel, row, column in drawn(truths["concat"], ["pool.0", "pool.1"], np.random.default_rng(5), each=4):
        go(page, layer, channel, row, column)
        before = f"contracting.{layer[-1]}.2"
        four = maps[before][channel, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2].ravel()
        [shown] = columns(page)
        assert [read(text) for text in shown["grids"][0]] == pytest.approx(list(four), abs=slack(four.max()))
        largest = page.locator(".strip .chosen").get_attribute("data-tap")
        assert int(largest) == four.argmax()
        assert read(shown["amounts"][0]) == pytest.approx(four.max(), abs=slack(four.max()))
        page.get_by_role("button", name="go to where it came from").click()
        place = {"layer": before, "channel": channel}
        place |= {"row": 2 * row + int(four.argmax()) // 2, "column": 2 * column + int(four.argmax()) % 2}
        assert page.evaluate("it.place") == place


@pytest.mark.parametrize(("channel", "source"), [(3, "contracting.0.2"), (19, "up.1")])
def test_a_join_shows_from_where_it_is_copied(page, truths, channel, source):
    go(page, "join.1", channel, 40, 50)
    value = truths["concat"].maps[source][channel % 16, 40, 50]
    [shown] = columns(page)
    assert read(shown["grids"][0][0]) == pytest.approx(value, abs=slack(value))
    page.get_by_role("button", name="go to where it came from").click()
    assert page.evaluate("it.place") == {"layer": source, "channel": channel % 16, "row": 40, "column": 50}


def test_a_copy_is_switched_off_and_on_where_it_arrives(page):
    go(page, "join.1", 3, 40, 50)
    page.get_by_role("button", name="switch the copy of level 0 off").click()
    assert page.evaluate("it.state.copies") == ["zeroed", "kept"]
    assert "switched off" in words(page) and columns(page)[0]["grids"] == [["0"]]
    go(page, "expanding.1.0", 2, 40, 50)
    copies = [one for one in columns(page) if one["name"].startswith("copy")]
    assert all(set(one["amounts"][:1]) == {"0"} for one in copies)
    go(page, "join.1", 3)
    page.get_by_role("button", name="switch the copy of level 0 on").click()
    assert page.evaluate("it.state.copies") == ["kept", "kept"]


def test_both_terms_of_a_sum_of_copies_are_shown(pages, truths):
    page = pages("add")
    go(page, "join.1", 3, 40, 50)
    maps = truths["add"].maps
    for one, source in zip(columns(page), ("contracting.0.2", "up.1"), strict=True):
        value = maps[source][3, 40, 50]
        assert read(one["grids"][0][0]) == pytest.approx(value, abs=slack(value))


def test_one_product_says_where_it_lies(page, truths):
    go(page, "contracting.1.0", 5, 20, 40)
    source = page.evaluate("Number(document.querySelector('[data-key^=source]').dataset.key.slice(7))")
    go(page, "contracting.1.0", 5, 20, 40, source, 5)
    value = truths["concat"].maps["pool.0"][source, 20, 41]
    equation = page.locator(".equation").inner_text()
    number, weight, product = map(read, re.fullmatch(r"(\S+) × (\S+) = (\S+)", equation).groups())
    assert number == pytest.approx(value, abs=slack(value))
    assert product == pytest.approx(number * weight, abs=slack(product) + abs(number) * slack(weight) + slack(number))
    assert f"Row 20, column 41 of map {source}, times the weight in row 1, column 2 of its kernel." in words(page)
    chosen = page.locator(".strip .column.chosen .number.chosen").all_text_contents()
    assert [read(text) for text in chosen] == pytest.approx([number, weight], abs=0.001)
    nine = [read(text) for text in page.locator(".product .number").all_text_contents()]
    adds = read(next(one for one in columns(page) if one["name"] == f"map {source}")["amounts"][0])
    assert sum(nine) == pytest.approx(adds, abs=9 * 0.0006) and nine[5] == pytest.approx(product, abs=0.001)


def test_outside_of_the_picture_there_are_zeros(page):
    go(page, "contracting.0.0", 0, 0, 0, 0, 0)
    assert "Row −1, column −1 of the picture (outside of the picture: 0)" in words(page)
    assert page.locator(".equation").inner_text().startswith("0 × ")


def test_all_products_of_the_network_are_counted(page):
    """As many as the convolutions of `layer_table` have."""
    go(page, "head", 1, 0, 0, 0, 0)
    widths, side = (16, 32, 64), 128
    count = 0
    for level, width in enumerate(widths):
        pixels = (side >> level) ** 2
        before = widths[level - 1] if level else 1
        count += 9 * pixels * (before * width + width * width)
        if level < 2:
            count += pixels * width * widths[level + 1] + 9 * pixels * (2 * width * width + width * width)
    count += side * side * 16 * 2
    assert f"one of {count:,} products" in words(page)


def test_a_muted_map_is_said_to_be_so(page):
    page.evaluate("it.set({ muted: ['contracting.1.0:5'] }, '')")
    row, column = 24, 33
    go(page, "contracting.1.0", 5, row, column)
    assert "The map is muted, so 0 goes on." in words(page)
    assert columns(page)[-1]["amounts"] == ["0"]
    page.evaluate("it.set({ muted: [] }, '')")


# --- the same pixel everywhere ----------------------------------------------------------------------------------------


def test_the_same_pixel_is_marked_in_every_map(page):
    def middles():
        return page.locator(".levels .tile:visible").evaluate_all("""tiles => tiles.map(tile => {
            const mark = tile.querySelector(".mark");
            return mark.hidden ? null : [parseFloat(mark.style.top) / 100, parseFloat(mark.style.left) / 100];
        })""")

    for layer, row, column in [("contracting.1.0", 20, 40), ("up.1", 101, 7), ("pool.1", 3, 30), ("head", 64, 64)]:
        go(page, layer, 1, row, column)
        rows = page.evaluate("layer => net.layer(layer).rows", layer)
        expected = np.array([row + 0.5, column + 0.5]) / rows
        found = middles()
        assert len(found) > 1 and None not in found
        assert np.abs(np.array(found) - expected).max() <= 1 / rows
    go(page, "contracting.1.0", 1)
    assert set(map(str, middles())) == {"None"}
    page.locator(".large").hover(position={"x": 60, "y": 100})
    assert None not in middles()
    expect(page.locator(".status")).to_have_text(re.compile(r"^row \d+, column \d+: [−\d.]+$"))


# --- down and back ----------------------------------------------------------------------------------------------------


def test_keys_lead_down_to_a_product_and_back(page):
    go(page, "contracting.1.0", 5)
    assert page.evaluate("document.activeElement.matches('.large')")
    keys = page.keyboard
    keys.press("Enter")
    brightest = page.evaluate("""() => {
        const { values, columns } = net.map("contracting.1.0", 5);
        const most = values.indexOf(Math.max(...values));
        return [Math.floor(most / columns), most % columns];
    }""")
    assert trail(page)[1:] == ["level 1 down, first convolution, map 5", f"pixel ({brightest[0]}, {brightest[1]})"]
    for key in ("ArrowUp", "ArrowUp", "ArrowLeft"):
        keys.press(key)
    place = page.evaluate("it.place")
    assert (place["row"], place["column"]) == (max(0, brightest[0] - 2), max(0, brightest[1] - 1))
    keys.press("Enter")
    place = page.evaluate("it.place")
    assert trail(page)[-1] == "product" and page.evaluate("document.activeElement.dataset.key").startswith("source-")
    sums = {one["name"]: abs(read(one["amounts"][0])) for one in columns(page)[:5]}
    assert sums[f"map {place['source']}"] == max(sums.values())
    order = [int(name.split()[1]) for name in sums]
    at = 3 * order.index(place["source"]) + place["tap"] % 3
    for key, step in (("ArrowRight", 1), ("ArrowRight", 1), ("ArrowRight", 1), ("ArrowLeft", -1)):
        keys.press(key)
        at = min(at + step, 14)
        now = page.evaluate("it.place")
        assert (now["source"], now["tap"] % 3) == (order[at // 3], at % 3)
        assert page.evaluate("document.activeElement.dataset.key") == f"source-{now['source']}"
    keys.press("Escape")
    assert page.evaluate("Object.keys(it.place).length") == 4
    assert page.evaluate("document.activeElement.matches('.large')")
    keys.press("Escape")
    assert page.evaluate("it.place") == {"layer": "contracting.1.0", "channel": 5}
    keys.press("Escape")
    assert page.evaluate("it.place") == {} and page.locator("#levels").is_hidden()


def test_keys_lead_from_the_whole_u_to_a_product_and_back(browser, tmp_path):
    """On the page itself."""
    (tmp_path / "index.html").write_text(course_page())
    page = browser.new_page(viewport={"width": 1366, "height": 645}, reduced_motion="reduce")
    page.goto((tmp_path / "index.html").as_uri())
    page.locator(".u .map").first.wait_for()
    page.locator(".u .map[tabindex='0']").focus()
    for key, steps in (("ArrowDown", 0), ("Enter", 2), ("Enter", 3), ("ArrowLeft", 3), ("Enter", 4), ("ArrowRight", 4)):
        page.keyboard.press(key)
        if steps:
            expect(page.locator(".trail li")).to_have_count(steps)
    assert re.fullmatch(r"\S+ × \S+ = \S+", page.locator(".equation").inner_text())
    for steps in (3, 2):
        page.keyboard.press("Escape")
        expect(page.locator(".trail li")).to_have_count(steps)
    page.keyboard.press("Escape")
    expect(page.locator(".u")).to_be_visible()
    assert page.evaluate("document.activeElement.matches('.u .map')")
    page.close()


def test_the_answer_leads_to_its_scores(browser, tmp_path):
    (tmp_path / "index.html").write_text(course_page())
    page = browser.new_page(viewport={"width": 1366, "height": 645})
    page.goto((tmp_path / "index.html").as_uri())
    answer = page.get_by_role("button", name="probability of cell")
    answer.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".trail [aria-current]")).to_have_text("the answer, 1×1 convolution, score of class 1")
    page.keyboard.press("Escape")
    expect(answer).to_be_focused()
    side = answer.bounding_box()["width"]
    answer.click(position={"x": side / 2, "y": side / 4})
    expect(page.locator(".trail [aria-current]")).to_have_text("pixel (32, 64)")
    page.close()


def test_enter_on_a_pooled_pixel_goes_to_where_it_came_from(page):
    go(page, "pool.0", 3, 20, 30)
    page.keyboard.press("Enter")
    assert page.evaluate("it.place.layer") == "contracting.0.2"


def test_shift_makes_larger_steps_and_edges_stop(page):
    go(page, "head", 1, 10, 2)
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Shift+ArrowLeft")
    assert page.evaluate("[it.place.row, it.place.column]") == [18, 0]


def test_a_pointer_leads_down_to_a_product_and_back(page):
    go(page, "contracting.0.2", 4)
    side = page.locator(".large").bounding_box()["width"]
    page.locator(".large").click(position={"x": side / 2, "y": side / 4})
    assert page.evaluate("[it.place.row, it.place.column]") == [32, 64]
    page.locator(".strip .both").nth(1).locator(".numbers").first.locator(".number").nth(7).click()
    assert page.evaluate("it.place.tap") == 7
    assert page.evaluate("`source-${it.place.source}`") == page.locator(".strip .both").nth(1).get_attribute("data-key")
    page.locator(".trail button").nth(1).click()
    assert page.evaluate("it.place") == {"layer": "contracting.0.2", "channel": 4}
    page.locator(".strip .column .tile").first.click()
    assert page.evaluate("it.place.layer") == "contracting.0.0"
    page.get_by_role("button", name="the whole network").click()
    assert page.evaluate("it.place") == {}


def test_the_notebook_hears_no_key_but_tab(page):
    go(page, "contracting.0.2", 4)
    page.evaluate("window.heard = []; document.addEventListener('keydown', event => heard.push(event.key))")
    for key in ("ArrowDown", "a", "Enter", "Escape", "Tab"):
        page.locator(".large").focus()
        page.keyboard.press(key)
    assert page.evaluate("heard") == ["Tab"]


def test_while_the_picture_changes_nobody_loses_the_focus(page):
    go(page, "contracting.1.0", 5, 20, 40)
    page.locator(".strip .both").nth(2).focus()
    key = page.evaluate("document.activeElement.dataset.key")
    page.evaluate("it.set({}, '')")
    assert page.evaluate("document.activeElement.dataset.key") == key


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"layer": "no.such"}, {}),
        ({"layer": "head", "channel": 2}, {}),
        ({"layer": "head", "channel": 1, "row": 128, "column": 0}, {"layer": "head", "channel": 1}),
        ({"layer": "head", "channel": 1, "row": 1.5, "column": 0}, {"layer": "head", "channel": 1}),
        (
            {"layer": "pool.0", "channel": 0, "row": 1, "column": 2, "source": 1, "tap": 0},
            {"layer": "pool.0", "channel": 0, "row": 1, "column": 2},
        ),
        (
            {"layer": "head", "channel": 0, "row": 1, "column": 2, "source": 1, "tap": 4},
            {"layer": "head", "channel": 0, "row": 1, "column": 2},
        ),
    ],
)
def test_a_place_that_is_not_there_is_the_nearest_that_is(page, asked, found):
    page.evaluate("place => it.go(place)", asked)
    assert page.evaluate("it.place") == found


# --- for everybody ----------------------------------------------------------------------------------------------------

DEEP = [
    ("contracting.0.0", 0),
    ("contracting.1.0", 5),
    ("contracting.1.0", 5, 20, 40),
    ("contracting.1.0", 5, 20, 40, 6, 4),
    ("up.0", 3, 21, 40),
    ("pool.0", 3, 20, 30),
    ("join.1", 3),
    ("join.1", 3, 40, 50),
    ("head", 1),
    ("head", 1, 50, 60),
    ("input", 0, 3, 4),
]


def test_what_is_chosen_grows_into_its_place_unless_motion_is_unwelcome(page):
    def moved():
        return page.evaluate("""() => {
            it.origin = new DOMRect(10, 10, 20, 20);
            it.go({ layer: "contracting.1.0", channel: 5 });
            const count = document.getAnimations().length;
            it.go({});
            return count;
        }""")

    assert moved() == 1
    page.emulate_media(reduced_motion="reduce")
    page.evaluate("document.getAnimations().forEach(animation => animation.finish())")
    assert moved() == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(page, theme):
    dress(page, theme)
    page.emulate_media(reduced_motion="reduce")
    for place in DEEP:
        go(page, *place)
        said = Axe().run(page, context="#levels").response
        assert said["passes"]
        faults = [one for one in said["violations"] if one["impact"] in ("serious", "critical")]
        assert faults == [], f"{place}: {json.dumps(faults, indent=1)[:2000]}"
    dress(page, "light")


def test_on_a_phone_what_is_entered_is_in_sight(page):
    page.set_viewport_size({"width": 390, "height": 600})
    go(page, "contracting.1.0", 5, 20, 40)
    page.locator(".strip .both").last.click()
    expect(page.locator(".equation")).to_be_in_viewport()
    page.locator(".strip .amount").last.scroll_into_view_if_needed()
    page.keyboard.press("Escape")
    expect(page.locator(".large")).to_be_in_viewport()
    page.set_viewport_size({"width": 800, "height": 620})


@pytest.mark.parametrize("width", [390, 800])
def test_it_fits_and_is_large_enough_to_read(page, width):
    page.set_viewport_size({"width": width, "height": 844})
    for place in DEEP:
        go(page, *place)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), place
        strip = page.locator(".strip").evaluate("strip => [strip.scrollWidth, strip.clientWidth]")
        assert strip[0] <= strip[1], place
        sizes = page.locator(".levels :is(.number, span, p, button)").evaluate_all("""nodes => nodes
            .filter(node => node.childElementCount === 0 && node.textContent && node.checkVisibility())
            .map(node => [parseFloat(getComputedStyle(node).fontSize), node.scrollWidth - node.clientWidth,
                node.className + node.textContent])
            .filter(([size, over]) => size > 0 && (size < 10 || over > 1))""")
        assert sizes == [], place
    page.set_viewport_size({"width": 800, "height": 620})
