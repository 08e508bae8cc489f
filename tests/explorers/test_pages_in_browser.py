"""Explorers that compute in the page, as a stored output brings them there: controls, photograph, motion; no Python."""

import re

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.explorers.mounted import cell, focused, heard, listen, note, outputs
from unet_edu import explore
from unet_edu.convolution import conv2d
from unet_edu.explore.arithmetic import BOUNDS
from unet_edu.explore.convolution import PRESETS, pixels
from unet_edu.explore.page import STYLES, TO_PLAY, html

pytestmark = pytest.mark.needs("chromium")
SOBEL = PRESETS["Sobel x, left to right"]


@pytest.fixture
def shown(sheet):
    """Show what an explorer stores as HTML, with a picture before it as a notebook has it. Nothing may go wrong."""
    errors = []

    def hear(error):
        errors.append(error)

    sheet.on("pageerror", hear)

    def show(explorer, theme="light", width=900):
        sheet.set_viewport_size({"width": width, "height": 800})
        sheet.mouse.move(0, 0)
        sheet.goto("about:blank")
        sheet.set_content(
            f'<!doctype html><html lang="en" data-theme="{theme}"><title>A lesson</title><main><h1>Lesson</h1>'
            f"<section><div id=still><img alt=still></div><div>{explorer.html}</div></section></main>"
        )
        sheet.locator(".unet-scene svg").first.wait_for()
        return sheet

    yield show
    sheet.remove_listener("pageerror", hear)
    assert errors == []


def slider(page, name):
    return page.get_by_role("slider", name=name, exact=True)


def more(page):
    page.locator("summary").click()


def state_of(page):
    """What the controls say."""
    return dict(
        page.locator(".unet-controls [type=range]").evaluate_all("all => all.map(i => [i.dataset.key, +i.value])")
    )


# ---- the output ------------------------------------------------------------------------------------------------------


def test_it_hides_its_picture_and_its_words(shown):
    page = shown(explore.arithmetic())
    expect(page.locator("#still")).to_be_hidden()
    assert page.get_by_text(TO_PLAY).count() == 0


def test_what_cannot_mount_says_so_keeps_its_picture_and_stops_no_other(sheet):
    broken, whole = html("arithmetic.js", STYLES, {}), explore.arithmetic().html
    sheet.goto("about:blank")
    sheet.set_content(
        f"<section class=cell><div id=still><img alt=still></div><div>{broken}</div></section>"
        f"<section class=cell>{whole}</section>"
    )
    sheet.locator("section:last-child .unet-scene svg").wait_for()
    expect(sheet.locator("section:first-child p").first).to_contain_text("This explorer does not run here: ")
    expect(sheet.locator("#still")).to_be_visible()


def test_the_same_output_twice_is_two_explorers_each_mounted_once(shown):
    page = shown(explore.arithmetic())
    page.evaluate("""() => {
        const section = document.querySelector("section");
        const twin = section.cloneNode(true);
        twin.innerHTML = twin.innerHTML; // as a notebook renders it again, from its text
        section.after(twin);
        for (const old of twin.querySelectorAll(".unet-page > div")) old.remove();
        for (const old of twin.querySelectorAll(".unet-page")) old.classList.remove("is-live");
        const script = document.createElement("script");
        script.textContent = twin.querySelector("script:not([type])").textContent;
        twin.querySelector("script:not([type])").replaceWith(script);
    }""")
    expect(page.locator(".unet-scene svg")).to_have_count(2)
    slider(page, "stride").first.fill("3")
    assert [one.input_value() for one in slider(page, "stride").all()] == ["3", "1"]


def test_taken_off_the_page_and_put_back_it_is_as_it_was(shown):
    page = shown(explore.arithmetic())
    slider(page, "stride").fill("2")
    page.evaluate("window.cell = document.querySelector('section'); cell.remove()")
    assert page.locator("svg").count() == 0
    page.evaluate("document.querySelector('main').append(cell)")
    assert page.locator("svg").count() == 1 and slider(page, "stride").input_value() == "2"
    slider(page, "stride").press("ArrowRight")
    assert "stride=3" in page.locator(".code").text_content()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("make", [explore.arithmetic, explore.convolution, lambda: explore.convolution("photo", SOBEL)])
def test_axe_finds_no_serious_fault_and_nothing_runs_off_the_page(shown, make, width, theme):
    page = shown(make(), theme, width)
    more(page)
    page.evaluate("theme => { document.body.style = theme === 'dark' ? 'background: #111; color: #eee' : '' }", theme)
    said = Axe().run(page, options={"resultTypes": ["violations"]}).response
    serious = [fault for fault in said["violations"] if fault["impact"] in ("serious", "critical")]
    assert said["passes"] and [(fault["id"], fault["nodes"][0]["target"]) for fault in serious] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator(".stage").evaluate("stage => stage.scrollWidth <= stage.clientWidth")
    sizes = page.locator(".stage text").evaluate_all(
        "all => all.filter(text => text.textContent).map(text => parseFloat(getComputedStyle(text).fontSize))"
    )
    assert min(sizes) >= 9


# ---- controls --------------------------------------------------------------------------------------------------------


def test_three_controls_are_seen_and_the_rest_stands_behind_more(shown):
    page = shown(explore.arithmetic())
    assert [slider(page, name).is_visible() for name in ("cells of the input", "kernel size", "stride", "padding")] == [
        True,
        True,
        True,
        False,
    ]
    more(page)
    assert slider(page, "padding").is_visible() and slider(page, "dilation").is_visible()


def test_the_formula_follows_every_control(shown):
    page = shown(explore.arithmetic(6, 3))
    more(page)
    slider(page, "stride").press("ArrowRight")
    slider(page, "padding").press("ArrowRight")
    assert page.locator(".caption").text_content() == "⌊(6 + 2·1 − 1·(3 − 1) − 1) / 2⌋ + 1 = ⌊5 / 2⌋ + 1 = 3"
    assert "kernel_size=3, stride=2, padding=1, dilation=1" in page.locator(".code").text_content()
    assert page.evaluate("document.activeElement.dataset.key") == "padding"  # the slider keeps the focus


def test_a_slider_stops_before_what_cannot_be_and_says_why(shown):
    page = shown(explore.arithmetic(5, 3))
    slider(page, "kernel size").fill("7")
    assert slider(page, "kernel size").input_value() == "5"
    assert page.locator(".reason").text_content() == "The window would span 7 cells, and there are only 5."
    more(page)
    slider(page, "dilation").press("ArrowRight")
    assert slider(page, "dilation").input_value() == "1" and "span 9 cells" in page.locator(".reason").text_content()
    slider(page, "kernel size").press("ArrowLeft")
    assert page.locator(".reason").text_content() == ""


def test_out_of_a_setting_in_which_nothing_fits_all_ways_are_open(shown):
    page = shown(explore.arithmetic(2, 6))
    assert "PyTorch raises an error" in page.locator(".caption").text_content()
    slider(page, "kernel size").press("ArrowLeft")
    assert slider(page, "kernel size").input_value() == "5"


def test_the_stage_and_all_above_it_stay_where_they_are(shown):
    page = shown(explore.arithmetic())
    more(page)
    boxes = set()
    for name, (low, high) in {"cells of the input": BOUNDS["size"], "padding": BOUNDS["padding"]}.items():
        for value in (high, low, high):
            slider(page, name).fill(str(value))
            box = page.locator(".stage").bounding_box()
            boxes.add((box["y"], box["height"]))
    assert len(boxes) == 1
    assert len(page.locator("[role=gridcell]").all()) > 380  # the most there can be were among them


@pytest.mark.parametrize("make", [explore.arithmetic, explore.convolution])
def test_the_sum_and_the_buttons_stand_above_the_stage(shown, make):
    page = shown(make())
    top = page.locator(".stage").bounding_box()["y"]
    assert all(
        page.locator(place).bounding_box()["y"] < top for place in (".note", "[data-key=step]", "[data-key=play]")
    )


def test_keys_of_controls_do_not_reach_the_notebook_except_tab(shown):
    page = shown(explore.convolution("photo", SOBEL))
    listen(page)
    for key in ("stride", "x", "flip"):
        page.locator(f"[data-key={key}]").first.evaluate("node => node.closest('details')?.setAttribute('open', '')")
        page.locator(f"[data-key={key}]").first.focus()
        for pressed in ("d", "ArrowDown", "Tab"):
            page.keyboard.press(pressed)
    page.locator("summary").focus()
    page.keyboard.press("Enter")
    assert {key for key, _ in heard(page)} == {"Tab"}


# ---- convolution -----------------------------------------------------------------------------------------------------


def test_a_number_typed_into_a_cell_changes_the_output_and_makes_the_kernel_ones_own(shown):
    page = shown(explore.convolution())
    cell(page, "kernel", 0, 0).dblclick()
    page.locator(".editor").fill("7")
    page.keyboard.press("Enter")
    assert outputs(page) == ["146", "178", "132", "182"] and focused(page) == "kernel-0-0"
    menu = page.get_by_role("combobox", name="kernel w", exact=True)
    assert menu.evaluate("node => node.selectedOptions[0].textContent") == "your own"
    menu.select_option("identity")
    assert outputs(page) == ["8", "8", "6", "6"] and not menu.locator("option", has_text="your own").is_enabled()


def test_a_number_typed_into_a_turned_kernel_stays_where_it_was_typed(shown):
    page = shown(explore.convolution(flip=True))
    assert outputs(page) == ["119", "148", "121", "143"]
    cell(page, "kernel", 0, 2).dblclick()
    page.locator(".editor").fill("-5")
    page.keyboard.press("Enter")
    assert cell(page, "kernel", 0, 2).locator(".value").text_content() == "−5"
    page.get_by_label("turn the kernel").uncheck()
    x, kernel = [[4, 5, 8, 7], [1, 8, 8, 8], [3, 6, 6, 4], [6, 5, 7, 8]], [[1, 4, -5], [1, 4, 3], [3, 3, 1]]
    assert outputs(page) == [str(value) for value in conv2d(x, kernel).ravel()]


def test_an_input_behind_a_ring_of_padding_is_typed_where_it_stands_and_the_ring_is_not(shown):
    page = shown(explore.convolution(padding=1))
    cell(page, "input", -1, -1).dblclick()
    assert page.locator(".editor").count() == 0
    cell(page, "input", 0, 0).dblclick()
    page.locator(".editor").fill("9")
    page.keyboard.press("Enter")
    assert cell(page, "input", 0, 0).locator(".value").text_content() == "9"
    assert note(page).startswith("x[0, 0] = 9 goes into y[0, 0] times 4")


def test_a_kernel_that_does_not_fit_is_not_offered_and_the_menu_says_why(shown):
    page = shown(explore.convolution([[1, 2], [3, 4]], [[1]]))
    options = page.get_by_role("combobox", name="kernel w", exact=True).locator("option")
    blur = options.filter(has_text="box blur")
    assert not blur.is_enabled() and "would span 3 cells, and there are only 2" in blur.text_content()
    more(page)
    slider(page, "padding").press("ArrowRight")
    assert blur.is_enabled()


def values(page, grid):
    return [int(text.replace("−", "-")) for text in page.locator(f"[aria-label^='{grid},'] .value").all_text_contents()]


def test_the_grid_goes_where_one_points_on_either_photograph(shown):
    page = shown(explore.convolution("photo", SOBEL, photo="coins"), width=1280)
    for n in range(2):
        frame = page.locator(".frame").nth(n)
        for across, down in ((0.25, 0.5), (0.8, 0.2)):
            box = frame.bounding_box()
            frame.click(position={"x": across * box["width"], "y": down * box["height"]})
            row, column = map(int, re.findall(r"row (\d+), column (\d+)", page.locator(".caption").text_content())[0])
            assert abs(row + 4 - 303 * down) < 3 and abs(column + 4 - 384 * across) < 3
            assert values(page, "input") == pixels("coins")[row : row + 8, column : column + 8].ravel().tolist()
            for number, size in ((0, 8), (1, 6)):
                part = page.locator(".frame .box").nth(number)
                height = [303, 301][number]
                assert part.evaluate("node => parseFloat(node.style.top)") == pytest.approx(
                    100 * row / height, rel=1e-4
                )
                assert part.evaluate("node => parseFloat(node.style.height)") == pytest.approx(
                    100 * size / height, rel=1e-4
                )


def test_dragging_and_arrow_keys_move_the_grid_and_stop_at_the_edge(shown):
    page = shown(explore.convolution("photo", SOBEL, photo="coins", row=100, column=100), width=1280)
    frame = page.locator(".frame").first
    box = frame.bounding_box()
    page.mouse.move(box["x"] + 50, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + 2 * box["width"], box["y"] + 2 * box["height"], steps=3)
    page.mouse.up()
    assert state_of(page)["row"] == 303 - 8 and state_of(page)["column"] == 384 - 8
    frame.focus()
    for key, place in (
        ("ArrowUp", (294, 376)),
        ("Shift+ArrowLeft", (294, 368)),
        ("ArrowDown", (295, 368)),
        ("ArrowDown", (295, 368)),
    ):
        page.keyboard.press(key)
        assert (state_of(page)["row"], state_of(page)["column"]) == place


def test_another_photograph_keeps_the_grid_inside(shown):
    page = shown(explore.convolution("photo", SOBEL, photo="cell", row=600, column=500))
    more(page)
    before = page.locator("canvas").first.evaluate("node => node.toDataURL()")
    page.get_by_role("combobox", name="photograph", exact=True).select_option("coins")
    assert state_of(page)["row"] == 295 and state_of(page)["column"] == 376
    assert page.locator("canvas").first.evaluate("node => node.toDataURL()") != before
    slider(page, "window row").press("ArrowRight")
    assert state_of(page)["row"] == 295 and "303 rows" in page.locator(".reason").text_content()


def test_the_canvas_shows_the_photograph_under_the_kernel_in_two_colours(shown):
    page = shown(explore.convolution("photo", SOBEL, photo="coins"))
    size = page.locator("canvas").nth(1).evaluate("node => [node.height, node.width]")
    assert size == [301, 382]
    pixel = "(node, [row, column]) => [...node.getContext('2d').getImageData(column, row, 1, 1).data]"
    y = np.array(explore.convolution("photo", SOBEL, photo="coins").state.weights)
    filtered = conv2d(pixels("coins"), y)
    for extreme in (filtered.argmin(), filtered.argmax()):
        place = [int(part) for part in np.unravel_index(extreme, filtered.shape)]
        red, _, blue, _ = page.locator("canvas").nth(1).evaluate(pixel, place)
        assert (red > blue) == (filtered[tuple(place)] < 0)
    assert "orange is −" in page.locator("figcaption").nth(1).text_content()
    page.get_by_role("combobox", name="kernel w", exact=True).select_option("box blur")
    assert page.locator("figcaption").nth(1).text_content() == "under the kernel: black is 0, white is 255"


def test_there_is_no_photograph_beside_the_worked_example(shown):
    page = shown(explore.convolution("photo", SOBEL))
    assert page.locator("canvas").first.is_visible()
    page.get_by_role("combobox", name="input x", exact=True).select_option("the worked example")
    assert not page.locator("canvas").first.is_visible()
    more(page)
    slider(page, "window row").press("ArrowRight")
    assert page.locator(".reason").text_content() == "the input is no photograph"


# ---- motion ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_play_moves_the_window_and_the_products_unless_the_reader_wants_none(shown, motion):
    page = shown(explore.convolution())
    page.emulate_media(reduced_motion=motion)
    page.get_by_role("button", name="Step").click()
    assert page.locator(".window, .product").count() == 0  # a step jumps
    page.get_by_role("button", name="Play").click()
    assert [page.locator(".window").count(), page.locator(".product").count()] == (
        [1, 9] if motion != "reduce" else [0, 0]
    )
    expect(page.locator(".product")).to_have_count(0)
    page.emulate_media(reduced_motion="no-preference")
