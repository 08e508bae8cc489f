"""The U-Net Explainer in a browser: what one draws, switches off or sends changes what it shows, and keys do all that a
mouse does. That its numbers are PyTorch's is tested in test_network_in_page.py."""

from __future__ import annotations

import base64
import io
import re
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import expect

from tests.explorers.browser import ROOT
from unet_edu import explore
from unet_edu.data.networks import predicted, pretrained
from unet_edu.explore.page import bundled
from unet_edu.explore.unet.whole import layer_maps, whole
from unet_edu.figures.unet import block_names
from unet_edu.instances import connected
from unet_edu.unet import UNet

module = sys.modules["unet_edu.explore.unet"]  # the package's own name `unet` is the function
DESK, PHONE = {"width": 1366, "height": 645}, {"width": 390, "height": 844}
ANSWERED = ".answer .below:not(:empty)"

browsers = pytest.mark.needs("chromium")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("explainer") / "explainer.html"
    path.write_text(module.course_page())
    return path.as_uri()


@pytest.fixture
def open_page(browser):
    """Open an address; nothing may go wrong on the page, and it may ask for nothing."""
    wrong, pages = [], []

    def show(address, viewport=DESK, **options):
        page = browser.new_page(viewport=viewport, **options)
        pages.append(page)
        page.on("console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda asked: None if asked.url.startswith(("file:", "data:")) else wrong.append(asked.url))
        page.goto(address)
        page.locator(ANSWERED).wait_for()
        return page

    yield show
    for page in pages:
        page.close()
    assert wrong == []


@pytest.fixture
def page(open_page, written):
    return open_page(written)


def count(page, number):
    """Wait until so many cells are found now."""
    expect(page.locator(".compared b").first).to_have_text(str(number))


def before(page, number):
    expect(page.locator(".compared b").last).to_have_text(str(number))


def stored(picture):
    grey = np.frombuffer(base64.b64decode(picture["grey"]), np.uint8)
    return (grey.reshape(picture["rows"], picture["columns"]) / 255).astype(np.float32)


def found(model, image):
    return int(connected(predicted(model, [image])[0]).max())


@pytest.fixture(scope="module")
def cells():
    """How many the network finds in the first picture."""
    return found(pretrained("cells"), stored(module.pictures(128, 128)[0]))


def press(page, x, y):
    """At this column and row of the picture."""
    box = page.locator("[data-key=picture]").bounding_box()
    page.mouse.click(box["x"] + (x + 0.5) * box["width"] / 128, box["y"] + (y + 0.5) * box["height"] / 128)


# ---- without a browser -----------------------------------------------------------------------------------------------


def test_no_two_parts_of_the_program_have_the_same_name():
    """They share one scope, where a second function of the same name would silently take the place of the first."""
    names = Counter(
        re.findall(r"^(?:async )?(?:function|const|class|let) (\w+)", bundled("unet/explainer.js"), re.MULTILINE)
    )
    assert len(names) > 50 and [name for name, times in names.items() if times > 1] == []


def test_what_does_not_fit_is_refused_in_a_sentence():
    for model, words in (
        (UNet(2, 2, (4, 8)), "in_channels=1, because the page draws on grey pictures, got 2"),
        (UNet(1, 3, (4, 8)), "num_classes=2, because the page shows one probability, got 3"),
        (UNet(widths=(4, 8), upsample="bilinear"), "transposed convolution"),
    ):
        with pytest.raises(ValueError, match=words):
            explore.unet(model)
    with pytest.raises(TypeError, match="expected a UNet"):
        explore.unet("cells")
    for picture, words in (
        ("moon", "picture: expected one of phase-0"),
        (np.ones((128, 128)) * 255, "from 255 to 255"),
        (np.ones((300, 128)), "at most 256 × 256"),
        (np.ones((128, 130)), "pooling of level 1"),
        (np.ones((4, 4, 3)), r"shape \(4, 4, 3\)"),
        (np.full((128, 128), np.nan), "from nan to nan"),
    ):
        with pytest.raises(ValueError, match=words):
            explore.unet(picture=picture)
    for picture, words in (
        (Path("coins.png"), "picture: expected real numbers, got PosixPath"),
        (torch.ones(128, 128, requires_grad=True), "picture: expected an array, got Tensor"),
    ):
        with pytest.raises(TypeError, match=words):
            explore.unet(picture=picture)
    for copies in (("kept",), ("kept", "off")):
        with pytest.raises(ValueError, match="for each of 2 levels from the top down"):
            explore.unet(copies=copies)


def test_the_chosen_picture_is_the_first():
    assert [picture["name"] for picture in explore.unet(picture="coins").pictures][:2] == ["coins", "phase-0"]
    own = np.linspace(0, 1, 96 * 120).reshape(96, 120)
    shown = explore.unet(picture=own).pictures
    assert {(picture["rows"], picture["columns"]) for picture in shown} == {(96, 120)}
    assert shown[0]["name"] == "given" and np.abs(stored(shown[0]) - own).max() <= 0.5 / 255 + 1e-6


@pytest.mark.parametrize("skip", ["concat", "add", "none"])
def test_the_still_picture_has_every_map_and_leaves_the_network_alone(skip):
    model = UNet(widths=(4, 24, 8), skip=skip, norm="batch").train()
    model.contracting[0].eval()  # as somebody does who lets its normalisation stay
    image = np.random.default_rng(7).random((52, 52))
    maps = layer_maps(model, image)
    assert model.training and not model.contracting[0].training
    assert list(maps) == block_names(2, copies=skip != "none")[1:]
    assert maps["up.0"].shape == (24, *maps["up.0"].shape[1:])
    picture = whole(model, image, "noise")
    assert f"{sum(len(maps[name]) for name in maps if name != 'head')} maps in all" in picture.alt
    assert f"{'copies go across' if skip != 'none' else ''}" in picture.alt


def test_the_still_picture_shows_what_the_page_begins_with(cells):
    image = stored(module.pictures(128, 128)[0]).astype(float)
    model = pretrained("cells")
    kept, zeroed = whole(model, image, "cells"), whole(model, image, "cells", ["zeroed", "kept"])
    assert f"{cells} bright areas" in kept.alt and "the copies of level 0 are zeroed" in zeroed.alt
    assert kept.digest != zeroed.digest
    assert not layer_maps(model, image, ["zeroed", "kept"])["join.1"].any()


# ---- the picture -----------------------------------------------------------------------------------------------------


@browsers
def test_the_page_counts_what_the_library_counts(page, cells):
    count(page, cells)
    model, shown = pretrained("cells"), module.pictures(128, 128)
    for picture in shown[1:4]:  # with weights of 16 bits one of the coins falls the other way
        page.get_by_role("radio", name=picture["label"], exact=True).check()
        count(page, found(model, stored(picture)))


@browsers
def test_a_drawn_cell_is_found_rubbed_out_and_undone(page, cells):
    press(page, 95, 95)
    count(page, cells + 1)
    before(page, cells)
    expect(page.get_by_role("status").first).to_contain_text(f"Cell drawn. {cells + 1} cells, before {cells}.")
    page.get_by_role("radio", name="Erase one").check()
    press(page, 95, 95)
    count(page, cells)
    before(page, cells + 1)
    undo = page.get_by_role("button", name="Undo")
    undo.click()
    count(page, cells + 1)
    undo.click()
    count(page, cells)
    expect(undo).to_be_disabled()
    expect(page.get_by_role("button", name="As it was")).to_be_disabled()


@browsers
def test_a_cell_follows_the_pointer_and_the_picture_can_be_dragged(page, cells):
    box = page.locator("[data-key=picture]").bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 190)
    page.mouse.down()
    page.mouse.move(box["x"] + 150, box["y"] + 150, steps=3)
    page.mouse.up()
    count(page, cells + 1)
    page.wait_for_function("location.hash.startsWith('#edits=draw,')")
    x, y = map(int, page.url.partition("draw,")[2].split(",")[:2])
    assert abs(x - 150 * 128 / box["width"]) <= 1 and abs(y - 150 * 128 / box["height"]) <= 1
    before(page, cells)  # one press is one change
    page.get_by_role("radio", name="Drag it").check()
    page.mouse.move(box["x"] + 50, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + 50, box["y"] + 90, steps=4)
    page.mouse.up()
    page.wait_for_function(r"/;move,0,2\d$/.test(location.hash)")


@browsers
def test_all_that_a_pointer_draws_keys_draw(page, cells):
    page.locator("[data-key=picture]").focus()
    for key in ["ArrowRight"] * 8 + ["ArrowDown"] * 8 + ["Shift+ArrowLeft"]:
        page.keyboard.press(key)
    expect(page.get_by_role("status").first).to_have_text("column 95, row 96")
    page.keyboard.press("Enter")
    count(page, cells + 1)
    page.wait_for_function("location.hash.startsWith('#edits=draw,95,96,')")
    page.get_by_role("radio", name="Drag it").check()
    page.locator("[data-key=picture]").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("location.hash.endsWith(';move,-4,4')")


@browsers
def test_light_noise_and_turning_change_the_answer(page):
    answer = page.locator(".answer canvas")
    seen = [answer.evaluate("canvas => canvas.toDataURL()")]
    for change in (
        lambda: page.get_by_label("Noise").fill("12"),
        lambda: page.get_by_label("Brightness").fill("-20"),
        lambda: page.get_by_role("button", name="Turn").click(),
    ):
        change()
        page.wait_for_function("seen => !seen.includes(document.querySelector('.answer canvas').toDataURL())", arg=seen)
        seen.append(answer.evaluate("canvas => canvas.toDataURL()"))
    page.get_by_role("button", name="As it was").click()
    page.wait_for_function("first => document.querySelector('.answer canvas').toDataURL() === first", arg=seen[0])


@browsers
def test_ones_own_file_is_read_in_the_page(page):
    picture = stored(next(p for p in module.pictures(128, 128) if p["name"] == "fluorescence-1"))
    data = io.BytesIO()
    wide = np.pad(np.round(255 * picture).astype(np.uint8), ((0, 0), (30, 30)))
    Image.fromarray(wide).convert("RGB").save(data, "png")
    page.locator("input[type=file]").set_input_files(
        [{"name": "own.png", "mimeType": "image/png", "buffer": data.getvalue()}]
    )
    count(page, found(pretrained("cells"), picture))
    page.locator("input[type=file]").set_input_files([{"name": "own.txt", "mimeType": "text/plain", "buffer": b"no"}])
    expect(page.get_by_role("status").first).to_have_text("This file is no picture that a browser can read.")


@browsers
def test_undo_never_takes_one_own_file_for_another(page, cells):
    for grey in (90, 160):
        data = io.BytesIO()
        Image.new("L", (128, 128), grey).save(data, "png")
        file = {"name": f"{grey}.png", "mimeType": "image/png", "buffer": data.getvalue()}
        page.locator("input[type=file]").set_input_files([file])
        expect(page.get_by_role("status").first).to_contain_text(file["name"])
    page.get_by_role("button", name="Undo").click()
    count(page, cells)
    expect(page.get_by_role("radio", name="cells in phase contrast", exact=True)).to_be_checked()
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()


@browsers
def test_a_pass_that_fails_says_so_and_the_next_one_is_made(browser, written, cells):
    page = browser.new_page(viewport=DESK)
    page.goto(written)
    count(page, cells)
    page.evaluate("""() => {
        const from = Float32Array.from;
        Float32Array.from = () => { throw new Error("no memory is left"); };
        window.heal = () => { Float32Array.from = from; };
    }""")
    press(page, 95, 95)
    expect(page.get_by_role("alert")).to_contain_text("Something went wrong in this page: no memory is left. Undo")
    page.evaluate("heal()")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("alert")).to_have_text("")
    press(page, 95, 95)
    count(page, cells + 1)
    page.close()


# A camera that gives its pictures when the test says so.
CAMERA = """() => {
    window.streams = [];
    window.allow = [];
    const canvas = document.createElement("canvas");
    const pen = canvas.getContext("2d");
    setInterval(() => pen.fillRect(0, 0, 9, 9), 50); // a stream has a picture where something is drawn
    navigator.mediaDevices.getUserMedia = () =>
      new Promise((give) => allow.push(() => { streams.push(canvas.captureStream(20)); give(streams.at(-1)); }));
}"""
LIT = "streams.flatMap((stream) => stream.getTracks()).filter((track) => track.readyState === 'live').length"


@browsers
def test_no_camera_stays_on_when_one_thinks_better_of_it(page):
    page.evaluate(CAMERA)
    camera = page.get_by_role("button", name="Camera")
    camera.click()
    camera.click()  # before the browser has an answer
    page.evaluate("allow.pop()()")
    page.wait_for_function(f"{LIT} === 0")
    expect(camera).to_have_text("Camera")
    camera.click()
    page.evaluate("allow.pop()()")
    expect(page.get_by_role("button", name="Hold still")).to_be_visible()
    page.get_by_role("radio", name="coins from Pompeii", exact=True).check()
    expect(camera).to_be_visible()
    page.wait_for_function(f"{LIT} === 0 && location.hash === '#picture=coins'")


@browsers
def test_ten_changes_in_one_frame_are_one_pass(page):
    page.evaluate("""() => {
        const later = window.requestAnimationFrame.bind(window);
        window.asked = 0;
        window.requestAnimationFrame = (act) => { window.asked += act.name === "pass"; return later(act); };
        const slider = document.querySelector("[data-key=noise]");
        for (let k = 1; k <= 10; k++) { slider.value = k; slider.dispatchEvent(new Event("input")); }
    }""")
    page.wait_for_function("location.hash === '#edits=noise,10'")
    assert page.evaluate("asked") == 1


# ---- switches --------------------------------------------------------------------------------------------------------


@browsers
def test_a_copy_can_be_zeroed_or_come_from_another_picture(page):
    answer = "document.querySelector('.answer canvas').toDataURL()"
    seen = [page.evaluate(answer)]
    copy = page.get_by_label("copy of level 0")
    for value, words, arrow in (
        ("zeroed", "zeroed", "is-zeroed"),
        ("fluorescence-1", "taken from the picture", "is-other"),
    ):
        copy.select_option(value)
        page.wait_for_function(f"seen => !seen.includes({answer})", arg=seen)
        seen.append(page.evaluate(answer))
        expect(page.get_by_role("status").first).to_contain_text(f"Copy of level 0 {words}")
        assert page.locator(f"line.copy.{arrow}").count() == 1
    copy.select_option("kept")
    page.wait_for_function(f"first => {answer} === first", arg=seen[0])


@browsers
def test_a_map_is_muted_by_a_key_and_heard_again(page):
    name = "level 0 up, second convolution, map 3"
    page.get_by_role("button", name=name, exact=True).click()
    page.keyboard.press("m")
    expect(page.get_by_role("button", name=f"{name}, muted", exact=True)).to_be_focused()
    expect(page.get_by_role("status").first).to_contain_text("Map 3 of level 0 up, second convolution muted")
    assert page.locator(".difference").inner_text() != "Draw, or switch something off"
    page.get_by_role("button", name="Unmute 1 map").click()
    expect(page.get_by_role("button", name=name, exact=True)).to_be_visible()


@browsers
def test_one_sees_it_learn_and_what_it_does_without_copies(page, cells):
    image = stored(module.pictures(128, 128)[0])
    network = page.get_by_role("combobox", name="Network", exact=True)
    assert network.locator("option").count() == 5
    for name, model in (("cells_0", pretrained("cells", 0)), ("cells_none", pretrained("cells_none"))):
        network.select_option(name)
        count(page, found(model, image))
    assert page.locator("line.copy").count() == 0
    network.select_option("cells")
    count(page, cells)
    assert page.locator("line.copy").count() == 2


# ---- moving ----------------------------------------------------------------------------------------------------------


@browsers
def test_arrows_lead_through_all_layers_enter_goes_down_and_escape_comes_back(page):
    page.get_by_role("button", name="level 0 down, first convolution, map 0", exact=True).focus()
    focused = "document.activeElement.ariaLabel"
    assert page.locator(".map[tabindex='0']").count() == 1
    layers = []
    for _ in range(60):
        page.keyboard.press("ArrowRight")
        layers.append(page.evaluate(focused).rpartition(", map")[0])
    assert "level 0 down, second convolution" in layers and layers[-1] == "level 0 up, second convolution"
    for _ in range(8):
        page.keyboard.press("ArrowDown")
    assert page.evaluate(focused).startswith("level 1")
    start = page.evaluate(focused)
    page.keyboard.press("Enter")
    expect(page.locator(".levels")).to_be_visible()
    expect(page.locator(".u")).to_be_hidden()
    assert page.evaluate("document.activeElement.closest('.levels') !== null")
    page.keyboard.press("Escape")
    expect(page.locator(".u")).to_be_visible()
    assert page.evaluate(focused) == start


@browsers
def test_the_address_brings_all_of_it_back(page, open_page, written):
    press(page, 95, 95)
    page.get_by_label("copy of level 1").select_option("zeroed")
    page.get_by_label("One grey scale for").select_option("stage")
    page.get_by_role("button", name="level 2 (the bottom), first convolution, map 9", exact=True).click()
    page.keyboard.press("m")
    page.keyboard.press("Enter")
    page.wait_for_function("location.hash.includes('place=contracting.2.0,9') && location.hash.includes('muted=')")
    now = page.locator(".compared b").all_inner_texts()
    other = open_page(page.url)
    expect(other.locator(".levels")).to_be_visible()
    picture = "document.querySelector('.answer canvas').toDataURL()"
    assert other.evaluate(picture) == page.evaluate(picture)
    assert other.locator(".compared b").first.inner_text() == now[0]
    other.keyboard.press("Escape")
    other.locator(".trail button").first.click()
    assert other.get_by_label("copy of level 1").input_value() == "zeroed"
    assert other.get_by_role("button", name="level 2 (the bottom), first convolution, map 9, muted", exact=True).count()


@browsers
@pytest.mark.parametrize(
    "address",
    [
        "#picture=no&network=no&copies=,,,&muted=<b>&edits=draw,1;rub;x,2&place=no,1&card=no",
        "#edits=" + ";".join(["turn"] * 300),
        "#place=contracting.0.0,99,1e9,-1&copies=other,other,other&other=coins",
        "#edits=draw,9999,-9999,0,0,0,0;rub,5000,5000,900,900,3;move,1e9,0",
    ],
)
def test_an_address_that_says_nonsense_does_no_harm(open_page, written, address):
    page = open_page(written + address)
    assert re.fullmatch(r"\d+", page.locator(".compared b").first.inner_text())


@browsers
def test_what_no_hand_could_draw_is_left_out_of_an_address(open_page, written, cells):
    page = open_page(
        written + "#edits=draw,64,64,0,0,0,0;draw,64,64,9,0,0,0;noise,99999;constructor,5&muted=no.1:9,head:1,input:0"
    )
    count(page, cells)
    expect(page.get_by_role("button", name="Unmute")).to_have_count(0)


@browsers
def test_a_picture_that_is_no_square_is_turned_with_copies_of_another(open_page, tmp_path):
    path = tmp_path / "own.html"
    path.write_text(explore.unet(picture=np.random.default_rng(7).random((64, 96))).page())
    page = open_page(path.as_uri() + "#copies=other,kept&other=coins&edits=turn")
    assert page.locator(".compared canvas").first.evaluate("canvas => [canvas.width, canvas.height]") == [64, 96]
    assert page.locator(".difference").inner_text() == ""  # no pixel lies where one lay before
    expect(page.locator(".cards")).to_be_hidden()  # they ask about pictures of 128 × 128


@browsers
def test_one_may_look_inside_while_another_network_is_not_there_yet(page):
    page.evaluate("""() => {
        const network = document.querySelector(".switches select");
        network.value = "cells_10";
        network.dispatchEvent(new Event("change"));
        document.querySelector(".answer canvas").click();
    }""")
    expect(page.locator(".levels")).to_be_visible()
    expect(page.locator(".levels .trail")).to_contain_text("score of class 1")


# ---- as an output of a notebook --------------------------------------------------------------------------------------


@pytest.fixture
def cell(browser):
    """A page with an empty cell, and a function that runs it."""
    page = browser.new_page(viewport=DESK)
    page.set_content('<div class="cell"></div>')
    page.evaluate(
        """html => { window.run = () => {
            document.querySelector(".cell").replaceChildren(document.createRange().createContextualFragment(html));
        }; }""",
        explore.unet().alone().html,
    )
    yield page
    page.close()


@browsers
def test_a_cell_that_is_scrolled_away_at_once_is_alive_when_it_comes_back(cell):
    cell.evaluate("""() => new Promise((gone) => {
        run();
        window.output = document.querySelector(".unet-page");
        output.remove();
        requestAnimationFrame(() => requestAnimationFrame(gone));
    })""")
    cell.evaluate("document.querySelector('.cell').append(output)")
    cell.locator(ANSWERED).wait_for()


@browsers
def test_a_cell_that_is_run_again_leaves_nothing_behind(cell):
    tools = cell.context.new_cdp_session(cell)
    for _ in range(2):
        cell.evaluate("run()")
        cell.locator(ANSWERED).wait_for()
        cell.evaluate("(window.before ??= []).push(new WeakRef(document.querySelector('.unet-explainer')))")
    for _ in range(50):
        tools.send("HeapProfiler.collectGarbage")
        if cell.evaluate("before.map((root) => Boolean(root.deref()))") == [False, True]:
            return
        cell.evaluate("new Promise(requestAnimationFrame)")
    pytest.fail("the Explainer of the first run is still held")


# ---- everyone --------------------------------------------------------------------------------------------------------


@browsers
def test_it_fits_a_desk_without_scrolling(page):
    assert page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]") == [1366, 645]
    assert page.locator(".map").count() == 464


@browsers
def test_on_a_phone_a_layer_is_chosen_in_a_small_u(open_page, written):
    page = open_page(written, PHONE, has_touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.get_by_role("button", name="show level 1 up, first convolution").tap()
    picks = page.locator(".pick")
    assert picks.count() == 32 and picks.first.bounding_box()["width"] >= 40
    picks.nth(7).tap()
    page.get_by_role("button", name="Look inside", exact=True).tap()
    expect(page.locator(".levels")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    expect(page.locator(".levels .trail")).to_be_in_viewport()
    page.wait_for_function("location.hash === '#place=expanding.0.0,7'")
    with_words = "[...node.childNodes].some(part => part.nodeType === 3 && part.data.trim())"
    sizes = page.evaluate(f"""[...document.querySelectorAll(".unet-explainer *")]
        .filter(node => node.checkVisibility() && {with_words})
        .map(node => parseFloat(getComputedStyle(node).fontSize))""")
    assert len(sizes) > 20 and min(size for size in sizes if size) >= 9  # 0 where there is room for a colour only


@browsers
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_axe_finds_no_serious_fault(open_page, written, scheme, viewport):
    page = open_page(written, viewport, color_scheme=scheme)
    assert page.evaluate("document.querySelector('.unet-explainer').classList.contains('is-dark')") == (
        scheme == "dark"
    )
    assert serious_faults(page) == []


@browsers
def test_all_has_its_name_before_the_network_has_answered(browser, written):
    page = browser.new_page(viewport=DESK)
    page.add_init_script("window.requestAnimationFrame = () => 0")  # no pass is ever made
    page.goto(written)
    page.get_by_role("button", name="Copy link").wait_for()
    assert page.locator(ANSWERED).count() == 0
    assert serious_faults(page) == []
    page.close()


def serious_faults(page):
    said = Axe().run(page, options={"resultTypes": ["violations"]}).response
    assert said["passes"]
    return [(v["id"], v["nodes"][0]["html"]) for v in said["violations"] if v["impact"] in ("serious", "critical")]


@browsers
def test_it_follows_when_the_theme_of_the_page_changes(page):
    expect(page.locator(".unet-explainer")).not_to_have_class(re.compile("is-dark"))
    page.evaluate("document.body.style.background = '#111'")
    expect(page.locator(".unet-explainer")).to_have_class(re.compile("is-dark"))


@browsers
@pytest.mark.parametrize(
    "model",
    [
        UNet(widths=(8,), padding="same"),
        UNet(widths=(3, 5)),
        UNet(widths=(4, 6, 8, 10), padding="same", skip="add"),
        UNet(widths=(8, 16), padding="same", skip="none"),
        UNet(widths=(16, 48, 96), norm="batch").eval(),
    ],
    ids=["one level", "valid", "add", "none", "wide"],
)
def test_a_network_of_ones_own_is_shown_whatever_its_widths(open_page, tmp_path, model):
    path = tmp_path / "own.html"
    path.write_text(explore.unet(model).page())
    page = open_page(path.as_uri())
    side = stored(module.pictures(128, 128)[0]).shape[0] if model.config["padding"] == "same" else 140
    maps = layer_maps(model, np.zeros((side, side)))
    assert page.locator(".map").count() == sum(len(maps[name]) for name in maps if name != "head")
    assert page.evaluate("document.documentElement.scrollWidth") == 1366
    covered = """maps => maps.filter((map) => {
        const { x, y, width, height } = map.getBoundingClientRect();
        return document.elementFromPoint(x + width / 2, y + height / 2)?.closest(".preview");
    }).length"""
    assert page.locator(".map").evaluate_all(covered) == 0
    page.locator(".map").last.click()
    page.keyboard.press("Enter")
    expect(page.locator(".levels")).to_be_visible()


@browsers
def test_copies_zeroed_from_the_beginning_are_compared_with_the_whole_network(open_page, tmp_path, cells):
    path = tmp_path / "zeroed.html"
    path.write_text(explore.unet(copies=("zeroed", "zeroed")).page())
    page = open_page(path.as_uri())
    before(page, cells)
    assert page.get_by_label("copy of level 0").input_value() == "zeroed"
    page.get_by_role("button", name="As it was").click()
    count(page, cells)


def test_the_output_needs_nothing_else():
    html = explore.unet().html
    assert (
        "https://" not in re.sub(r"https?://www\.w3\.org/\S+", "", html)
        and "import " not in html.partition("<script>")[2][:200]
    )
    assert (ROOT / "unet_edu/explore/unet/explainer.css").read_text() in html
