"""The size explorer: its numbers are those of the library, the page's are Python's, and it can be used by everybody."""

import random
import re
import sys
from dataclasses import asdict
from itertools import product

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.explorers.in_node import called
from unet_edu import explore
from unet_edu.explore import digest
from unet_edu.figures.unet import block_names
from unet_edu.sizes import legal_side
from unet_edu.unet import UNet, layer_table, level_sides, receptive_field

module = sys.modules["unet_edu.explore.sizes"]  # the package's own name `sizes` is the function
State, alt, drawing, facts, notes, picture, problem, seen, sides, summary, title = (
    vars(module)[name]
    for name in ("State", "alt", "drawing", "facts", "notes", "picture", "problem", "seen", "sides", "summary", "title")
)
BOUNDS, CHOICES = module.BOUNDS, {name: list(options.values()) for name, options in module.CHOICES.items()}
PADDINGS = CHOICES["padding"]


@pytest.mark.parametrize(("padding", "depth"), list(product(PADDINGS, range(1, 5))))
def test_every_size_is_traced_as_the_library_does(padding, depth):
    legal = 0
    for size in range(1, BOUNDS["size"][1] + 1):
        state = State(size, padding, depth)
        reached, failing = sides(state)
        try:
            down, up = level_sides(size, depth, padding)
        except ValueError as error:
            assert failing is not None and problem(state) == str(error)
            level = re.search(r"pooling of level (\d)", str(error))
            if level:
                # the first pooling that meets an odd side; unless the image is used up before it gets there
                assert failing == f"pool.{level[1]}" or failing.startswith("contracting")
            assert len(reached) < len(state.blocks) and failing not in reached
            continue
        legal += 1
        assert failing is None and problem(state) == "" and list(reached) == state.blocks
        assert [reached[f"contracting.{level}.2"] for level in range(depth + 1)] == down
        assert [reached[f"expanding.{step}.2"] for step in range(depth)] == up
    assert legal >= (BOUNDS["size"][1] - 190) // 2**depth


def test_an_odd_side_fails_at_its_own_pooling():
    for size, failing in ((571, "pool.0"), (570, "pool.1"), (576, "pool.2"), (580, "pool.3")):
        assert sides(State(size))[1] == failing
    assert sides(State(4))[1] == "contracting.0.2" and sides(State(140))[1].startswith(
        ("up", "expanding", "contracting")
    )


@pytest.mark.parametrize(
    ("padding", "depth", "width", "skip"), list(product(PADDINGS, range(1, 5), (8, 64), CHOICES["skip"]))
)
def test_shapes_and_costs_are_those_of_layer_table(padding, depth, width, skip):
    for size in (572, 188) if padding == "valid" and depth == 4 else (124,) if padding == "valid" else (128,):
        state = State(size, padding, depth, width, skip)
        if problem(state):
            state = State(2**depth * 12 - 4, padding, depth, width, skip)
        found = facts(state)
        table = layer_table(UNet(widths=state.widths, padding=padding, skip=skip), state.size)
        for layer in table:
            if layer.name in found:
                fact = found[layer.name]
                assert (fact.channels, fact.side, fact.side) == layer.shape
                assert fact[2:5] == layer[2:5]
        assert list(found) == state.blocks


@pytest.mark.parametrize("size", [570, 302, 31])
def test_what_is_reached_before_the_image_gets_stuck_costs_what_it_would(size):
    """Counted here from the formulas, for there is no table of a size that is not legal."""
    found = facts(State(size))
    for name, fact in found.items():
        if fact.side is not None and name.startswith("contracting"):
            assert fact.multiply_adds == (fact.parameters - fact.channels) * fact.side**2
            assert fact.activation_bytes == 4 * fact.channels * fact.side**2
    assert found["head"].side is None and found["head"].multiply_adds == 0 and found["head"].parameters == 130


def boxes(depth, padding, size):
    """First and last input pixel that each pixel of each block sees along one side, by walking through the network
    forwards."""
    lost = padding == "valid"

    def convolve(first, last):
        if lost:
            return first[:-2], last[2:]
        return np.r_[first[0] - 1e6, first[:-1]], np.r_[last[1:], last[-1] + 1e6]  # outside: far away, to be left out

    first = last = np.arange(size, dtype=float)
    found, copies = {"input": (first, last)}, []
    for level in range(depth + 1):
        for k in (0, 2):
            first, last = convolve(first, last)
            found[f"contracting.{level}.{k}"] = first, last
        if level < depth:
            copies.append((first, last))
            first, last = first[::2], last[1::2]
            found[f"pool.{level}"] = first, last
    for step in range(depth):
        first, last = np.repeat(first, 2), np.repeat(last, 2)
        found[f"up.{step}"] = first, last
        copy = copies.pop()
        margin = (len(copy[0]) - len(first)) // 2
        first = np.minimum(first, copy[0][margin : margin + len(first)])
        last = np.maximum(last, copy[1][margin : margin + len(last)])
        found[f"join.{step}"] = first, last
        for k in (0, 2):
            first, last = convolve(first, last)
            found[f"expanding.{step}.{k}"] = first, last
    return found | {"head": (first, last)}


@pytest.mark.parametrize(("padding", "depth"), list(product(PADDINGS, range(1, 5))))
def test_what_a_pixel_sees_is_found_forwards_too(padding, depth):
    size = 2**depth * 60 - (4 if padding == "valid" else 0)
    walked = boxes(depth, padding, size)
    assert list(walked) == block_names(depth)
    for name, (first, last) in walked.items():
        inside = (first >= 0) & (last < size)
        assert set((last - first + 1)[inside].astype(int)) == set(seen(depth, padding)[name]), name
    assert seen(depth, padding)["head"] == receptive_field(UNet(widths=(2,) * (depth + 1), padding=padding))


def test_the_papers_numbers():
    assert summary(State()) == (
        "572 × 572 in, 388 × 388 out: 184 pixels fewer. 31,030,658 parameters, "
        "150.4 billion multiply-adds, 729.6 MB of feature maps."
    )
    table = layer_table(UNet(), 572)
    assert sum(layer.multiply_adds for layer in table) / 1e9 == pytest.approx(150.4, abs=0.05)
    assert sum(layer.activation_bytes for layer in table) / 1e6 == pytest.approx(729.6, abs=0.05)
    assert summary(State(570)).startswith("✗ A side of 570 pixels is 279 when it reaches the pooling of level 1")
    assert summary(State(570)).endswith("the nearest legal sides are 556 and 572.")
    assert "nothing lost" in summary(State(512, "same"))


# ---- what the page computes is what Python computes ------------------------------------------------------------------

ASKED = """(({ state, sides }) => {
    const { blocks, drawing, caption, alt } = scene(state);
    const told = block => ({ ...block, sees: seen(blocks, block, state), note: note(state, blocks, block) });
    return { blocks: blocks.map(told), drawing, caption, alt, legal: sides.map(side => legalSide(side, state)) };
})(it)"""


def drawn_states(count):
    rng = random.Random(2015)
    for _ in range(count):
        padding, depth = rng.choice(PADDINGS), rng.randint(1, 4)
        size = rng.randint(*BOUNDS["size"])
        if rng.random() < 0.6:  # few sizes would be legal by chance
            size = min(legal_side(size, depth, padding), legal_side(500, depth, padding))
        yield State(size, padding, depth, rng.choice(CHOICES["width"]), rng.choice(CHOICES["skip"]))


def compare(said, state):
    """A scene of the page with all that Python says."""
    assert said["caption"] == summary(state) and said["alt"] == alt(state)
    told = notes(state)
    assert [block["name"] for block in said["blocks"]] == list(told)
    for block, (name, fact) in zip(said["blocks"], facts(state).items(), strict=True):
        assert block["title"] == title(name, state.depth) and block["note"] == told[name]
        numbers = (block[key] for key in ("channels", "side", "parameters", "multiplyAdds", "bytes"))
        assert (*numbers, tuple(block["sees"])) == fact
    page, still = said["drawing"], drawing(state)
    assert page["failure"] == pytest.approx(still.failure) if still.failure else page["failure"] is None
    numbers = []
    for name in ("blocks", "arrows", "crops"):
        for one, other in zip(page[name], getattr(still, name), strict=True):
            for field, value in vars(other).items():
                shown = bool(one["side"]) if (name, field) == ("blocks", "is_reached") else one[CAMEL.get(field, field)]
                if isinstance(value, str | bool):
                    assert shown == value, (one, field)
                else:
                    numbers += zip(shown, value, strict=True) if isinstance(value, tuple) else [(shown, value)]
    np.testing.assert_allclose(*zip(*numbers, strict=True), rtol=1e-6, err_msg=str(state))
    assert [words for *_, words in page["texts"]] == [words for *_, words in still.texts]
    np.testing.assert_allclose([place[:2] for place in page["texts"]], [place[:2] for place in still.texts])


CAMEL = {"is_reached": "isReached", "is_failure": "isFailure"}


def test_thousands_of_states_are_the_same_in_the_page_and_in_python(tmp_path):
    states, sides_asked = list(drawn_states(3000)), (1, 187, 188, 189, 571, 572, 699)
    arguments = [{"state": asdict(state), "sides": sides_asked} for state in states]
    legal = 0
    for state, said in zip(states, called("sizes.js", ASKED, arguments, tmp_path), strict=True):
        compare(said, state)
        assert said["legal"] == [legal_side(side, state.depth, state.padding) for side in sides_asked]
        legal += not problem(state)
    assert 1500 < legal < 2500


def test_notes_say_what_the_library_says():
    told = notes(State())
    assert told["expanding.3.0"]["parameters"] == "128 · 3·3 · 64 + 64 = 73,792"
    assert told["up.0"]["parameters"] == "1,024 · 2·2 · 512 + 512 = 2,097,664"
    assert told["head"]["parameters"] == "64 · 1·1 · 2 + 2 = 130"
    assert told["contracting.0.2"]["channels × rows × columns"] == "64 × 568 × 568"
    assert told["contracting.0.2"]["memory, float32"].endswith("82.6 MB")
    sees = {name: row["one pixel of it sees"] for name, row in told.items()}
    assert sees["contracting.4.2"] == "140 × 140 pixels of the image"
    assert sees["head"] == "188 × 188 or 204 × 204 pixels of the image, depending on where it lies"
    assert sees["input"] == "1 × 1 pixel of the image"
    for step, (whole, kept, margin) in enumerate(((64, 56, 4), (136, 104, 16), (280, 200, 40), (568, 392, 88))):
        crop = f"{whole} × {whole}, cropped by {margin} on each side to {kept} × {kept}"
        assert told[f"join.{step}"]["what comes across"] == f"{crop}; the two are put behind each other"
    stuck = notes(State(570))
    assert stuck["contracting.2.0"]["channels × rows × columns"] == "the image does not get here"
    assert "295,168" in stuck["contracting.2.0"]["parameters"]
    assert stuck["join.0"]["what comes across"] == "nothing yet; the two would be put behind each other"
    added = notes(State(128, padding="same", skip="add"))["join.0"]["what comes across"]
    assert added.endswith("nothing is cropped; the two are added number by number")


def test_each_multiply_add_in_a_note_is_a_product_that_is_right():
    checked = 0
    for block, note in notes(State()).items():
        for weights, side, said in re.findall(r"([\d,]+) weights · ([\d,]+)² = ([\d.]+ \w+)", note["multiply-adds"]):
            value = int(weights.replace(",", "")) * int(side.replace(",", "")) ** 2
            number, size = said.split()
            assert value / {"billion": 1e9, "million": 1e6}[size] == pytest.approx(float(number), abs=0.051), block
            checked += 1
    assert checked > 10


# ---- where nothing runs ----------------------------------------------------------------------------------------------


def test_the_still_picture_has_words_and_numbers():
    still = picture(State(572, block="join.3"))
    assert "The copies are cropped, from the top: −88 a side, −40 a side, −16 a side, −4 a side." in still.alt
    assert summary(State()) in still.alt
    assert "572 → 570 → 568 → 284 → 282" in still.digest and "390 → 388 → 388" in still.digest
    assert digest([fact.parameters for fact in facts(State()).values()]) in still.digest
    said = [text.get_text() for text in still.figure.axes[0].texts]
    assert any(text.startswith("Chosen: level 0: what comes across") for text in said)
    assert "copies are cropped" not in picture(State(570)).alt and "✗ A side of 570" in picture(State(570)).alt
    assert "the image does not get here" in " ".join(
        text.get_text() for text in picture(State(570, block="head")).figure.axes[0].texts
    )


# ---- in a browser ----------------------------------------------------------------------------------------------------


@pytest.fixture
def shown(browser):
    """The explorer on a page of this width; nothing may go wrong there."""
    errors, pages = [], []

    def show(width=900, ground="white", ink="black"):
        page = browser.new_page(viewport={"width": width, "height": 800})
        pages.append(page)
        page.on("pageerror", lambda error: errors.append(error))
        style = f"body {{ margin: 16px; background: {ground}; color: {ink} }}"
        head = f"<title>sizes</title><style>{style}</style>"
        page.set_content(f"<!doctype html><html lang=en>{head}<main><h1>Sizes</h1>{explore.sizes().html}</main></html>")
        page.locator("svg").wait_for()
        return page

    yield show
    for page in pages:
        page.close()
    assert not errors


def put(page, name, value):
    page.get_by_role("slider", name=name).fill(str(value))


def chosen(page):
    return page.locator("[aria-pressed=true]").get_attribute("data-block")


@pytest.mark.needs("chromium")
def test_the_next_legal_size_is_one_press_away(shown):
    page = shown()
    assert page.locator(".caption").text_content() == summary(State())
    below, above = page.get_by_role("button", name="below"), page.get_by_role("button", name="above")
    put(page, "Image side", 571)
    assert page.locator(".caption").text_content() == summary(State(571))
    assert page.locator(".failure").text_content() == "567 is odd ✗"
    above.click()
    assert page.locator(".caption").text_content() == summary(State(572)) and page.locator(".failure").count() == 0
    above.click()
    assert page.get_by_role("slider", name="Image side").input_value() == "588"
    put(page, "Image side", 188)
    assert below.is_disabled() and below.text_content() == "no legal side below"
    put(page, "Image side", 700)
    assert above.is_disabled() and above.text_content() == "no legal side above"
    below.click()
    assert page.get_by_role("slider", name="Image side").input_value() == "684"


@pytest.mark.needs("chromium")
def test_blocks_are_chosen_by_mouse_keys_and_buttons(shown):
    page = shown()
    page.locator("[data-block='pool.0']").click()
    assert "64 × 284 × 284" in page.locator(".about").text_content()
    for key, block in (
        ("ArrowRight", "contracting.1.0"),
        ("ArrowDown", "contracting.1.2"),
        ("ArrowLeft", "contracting.1.0"),
    ):
        page.keyboard.press(key)
        assert chosen(page) == block == page.evaluate("document.activeElement.dataset.block")
    page.get_by_role("button", name="block after").click()
    assert chosen(page) == "contracting.1.2" and page.locator("[data-block][tabindex='0']").count() == 1
    put(page, "Poolings", 1)
    assert chosen(page) == "contracting.1.2"
    page.locator("[data-block='join.0']").click()
    page.locator("summary").click()
    page.get_by_role("combobox", name="Copies").select_option("none")
    assert chosen(page) == "contracting.1.2", "the bottom stands for a block that is not there any more"
    page.get_by_role("combobox", name="Channels on top").select_option("32")
    assert page.locator(".caption").text_content() == summary(State(depth=1, skip="none", width=32))
    page.locator("[data-block='input']").click()
    assert page.get_by_role("button", name="block before").is_disabled()


@pytest.mark.needs("chromium")
@pytest.mark.parametrize("width", [900, 390])
def test_nothing_jumps_and_nothing_is_cut_off_or_covered(shown, width):
    page = shown(width)
    page.locator("summary").click()
    heights = set()
    for depth, padding, size in product((1, 4), PADDINGS, (572, 571, 512, 2)):
        put(page, "Poolings", depth)
        page.get_by_role("combobox", name="padding").select_option(index=PADDINGS.index(padding))
        put(page, "Image side", size)
        heights.add(page.locator(".unet-sizes").evaluate("root => root.offsetHeight"))
        words = page.locator("svg text").evaluate_all(
            """texts => texts.filter(text => text.textContent).map(text => {
                const { left, right, top, bottom } = text.getBoundingClientRect();
                return [text.textContent, left, right, top, bottom, parseFloat(getComputedStyle(text).fontSize)] })"""
        )
        assert len(words) > 8
        for n, (said, left, right, top, bottom, font) in enumerate(words):
            assert left >= 0 and right <= width and font >= 9, (said, depth, size)
            for other, l, r, t, b, _ in words[:n]:  # boxes have some room above and below their letters
                apart = left >= r or right <= l or top + 3 >= b or bottom - 3 <= t
                assert apart, (said, other, depth, padding, size)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    for _ in range(30):
        page.get_by_role("button", name="block before").click(force=True)
        heights.add(page.locator(".unet-sizes").evaluate("root => root.offsetHeight"))
    assert len(heights) == 1


@pytest.mark.needs("chromium")
@pytest.mark.parametrize(("ground", "ink"), [("white", "#222"), ("#111", "#ddd")])
def test_everybody_can_use_it_in_light_and_dark(shown, ground, ink):
    page = shown(390, ground, ink)
    put(page, "Image side", 571)
    page.locator("summary").click()
    said = Axe().run(page).response
    assert said["passes"] and [fault["id"] for fault in said["violations"]] == []
    for node in page.locator("[data-block], button, input, select").all():
        assert node.evaluate(
            "node => (node.ariaLabel || node.textContent || node.labels?.[0].textContent || '').length > 3"
        )
    assert page.locator("[data-block]").count() == len(State().blocks)
