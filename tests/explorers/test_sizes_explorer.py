"""The size explorer: its numbers are those of the library, for every value of every control; then once in a browser."""

import base64
import json
import re
import sys
from itertools import product

import numpy as np
import pytest

from tests.explorers.browser import ROOT, chromium
from unet_edu import explore
from unet_edu.explore import digest
from unet_edu.figures.unet import block_names
from unet_edu.unet import UNet, layer_table, level_sides, receptive_field

module = sys.modules["unet_edu.explore.sizes"]  # the package's own name `sizes` is the function
State, facts, picture, problem, seen, sides, summary = (
    getattr(module, name) for name in ("State", "facts", "picture", "problem", "seen", "sides", "summary")
)
BOUNDS, CHOICES = module.BOUNDS, module.CHOICES
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
        table = layer_table(module._net(state.widths, padding, skip), state.size)
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


def scene(explorer):
    return explorer.views[0].widget.scene


def test_the_controls_go_through_all_values():
    explorer = explore.sizes()
    seen_summaries = set()
    images = ((8, 572), (32, 131), (64, 188), (16, 2))
    for n, (depth, padding, skip) in enumerate(product(range(1, 5), PADDINGS, CHOICES["skip"])):
        # So that each meets each depth, each padding and each skip.
        width, size = images[(n + n // 4 + n // 8) % 4]
        wanted = {"depth": depth, "padding": padding, "skip": skip, "width": width, "size": size}
        for name, value in wanted.items():
            explorer.controls[name].value = value
        state = explorer.state
        assert {name: getattr(state, name) for name in wanted} == wanted
        shown = scene(explorer)
        assert shown["caption"] == summary(state) and set(shown["notes"]) == set(state.blocks)
        assert re.findall(r'data-block="([^"]+)"', shown["svg"]) == state.blocks
        assert ("✗" in shown["svg"]) == bool(problem(state))
        assert "nan" not in shown["svg"] and "None" not in shown["svg"]
        seen_summaries.add(shown["caption"])
    assert len(seen_summaries) > 20


def test_every_block_can_be_chosen_in_the_menu_and_by_a_click():
    explorer = explore.sizes()
    for _, block in explorer.controls["block"].options:
        explorer.controls["block"].value = block
        assert explorer.state.block == block == scene(explorer)["selected"]
    for n, block in enumerate(explorer.state.blocks):
        explorer.views[0].widget.edit = {"block": block, "count": n}
        assert explorer.controls["block"].value == block


def test_a_shallower_network_shows_its_bottom_for_a_block_that_it_lacks():
    explorer = explore.sizes(block="contracting.4.0")
    explorer.controls["depth"].value = 2
    assert explorer.state.block == "contracting.2.2" == explorer.controls["block"].value
    explorer = explore.sizes(block="join.0")
    explorer.controls["skip"].value = "none"
    assert explorer.state.block == "contracting.4.2"


def test_notes_say_what_the_library_says():
    notes = scene(explore.sizes())["notes"]
    assert "128 · 3·3 · 64 + 64 = 73,792" in notes["expanding.3.0"]
    assert "1024 · 2·2 · 512" in notes["up.0"].replace(",", "") and "2,097,664" in notes["up.0"]
    assert "64 · 1·1 · 2 + 2 = 130" in notes["head"]
    assert "64 × 568 × 568" in notes["contracting.0.2"] and "82.6 MB" in notes["contracting.0.2"]
    assert "140 × 140 pixels of the image" in notes["contracting.4.2"]
    assert "188 × 188 or 204 × 204 pixels of the image, depending on where it lies" in notes["head"]
    assert "1 × 1 pixel of the image" in notes["input"]
    for step, (whole, kept, margin) in enumerate(((64, 56, 4), (136, 104, 16), (280, 200, 40), (568, 392, 88))):
        said = (
            f"{whole} × {whole}, cropped by {margin} on each side to {kept} × {kept}; the two are put behind each other"
        )
        assert said in notes[f"join.{step}"]
    stuck = scene(explore.sizes(570))["notes"]
    assert "the image does not get here" in stuck["contracting.2.0"] and "295,168" in stuck["contracting.2.0"]
    assert "the two would be put behind each other" in stuck["join.0"]
    assert (
        "nothing is cropped; the two are added"
        in scene(explore.sizes(128, padding="same", skip="add"))["notes"]["join.0"]
    )


def test_each_multiply_add_in_a_note_is_a_product_that_is_right():
    checked = 0
    for block, note in scene(explore.sizes())["notes"].items():
        for weights, side, said in re.findall(r"([\d,]+) weights · ([\d,]+)² = ([\d.]+ \w+)", note):
            value = int(weights.replace(",", "")) * int(side.replace(",", "")) ** 2
            number, size = said.split()
            assert value / {"billion": 1e9, "million": 1e6}[size] == pytest.approx(float(number), abs=0.051), block
            checked += 1
    assert checked > 10


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


@pytest.mark.needs("chromium")
def test_in_a_browser():
    explorer = explore.sizes(570)
    script = base64.b64encode((ROOT / "unet_edu/explore/sizes.js").read_bytes()).decode()
    css = (ROOT / "unet_edu/explore/sizes.css").read_text()
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 900, "height": 800})
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.set_content(f"<style>{css}</style><div id=here></div>")
        page.add_script_tag(
            type="module",
            content=f"""import {{ mount }} from "data:text/javascript;base64,{script}"; window.chosen = [];
                window.view = mount(here, {json.dumps(scene(explorer))}, (name) => chosen.push(name));""",
        )
        page.locator("svg").wait_for()
        assert "279 is odd" in page.locator(".failure").text_content()
        # without Python too: what there is to say of each block came along
        page.locator("[data-block='pool.0']").click()
        assert "64 × 283 × 283" in page.locator(".about").text_content()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowLeft")
        assert page.evaluate("chosen") == ["pool.0", "contracting.1.0", "contracting.1.2", "contracting.1.0"]
        assert page.locator("[aria-pressed=true]").get_attribute("data-block") == "contracting.1.0"
        assert page.locator("[data-block][tabindex='0']").count() == 1
        assert page.locator("[data-block]").count() > 10
        for block in page.locator("[data-block]").all():
            assert len(block.get_attribute("aria-label")) > 10
        # a new state from Python keeps the focus on the chosen block
        explorer.update(size=572, block="contracting.1.0")
        page.evaluate("scene => view.update(scene)", scene(explorer))
        assert page.locator(".failure").count() == 0 and page.locator("rect.kept").count() == 4
        assert page.evaluate("document.activeElement.dataset.block") == "contracting.1.0"
        assert page.locator("svg text").count() > 10
        for text in page.locator("svg text").all():  # nothing is cut off at the edge
            inside = text.evaluate(
                """text => { const a = text.getBoundingClientRect(), b = text.ownerSVGElement.getBoundingClientRect();
                return a.left >= b.left - 1 && a.right <= b.right + 1
                    && a.top >= b.top - 1 && a.bottom <= b.bottom + 1 }"""
            )
            assert inside, text.text_content()
        assert not errors
