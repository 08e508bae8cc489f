"""scene.js on a bare page, without Python behind it: pointing, stepping, sliders, the keyboard, predicting."""

import base64
import json

import numpy as np
import pytest

from tests.explorers.browser import ROOT, chromium
from unet_edu import explore

pytestmark = pytest.mark.needs("chromium")


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture
def mount(browser):
    """Show an explorer's scene; typed edits are collected in window.edits."""
    page = browser.new_page(viewport={"width": 900, "height": 700})
    errors = []
    page.on("pageerror", lambda error: errors.append(error))

    def show(explorer):
        script = base64.b64encode((ROOT / "unet_edu/explore/scene.js").read_bytes()).decode()
        page.set_content(f"<style>{(ROOT / 'unet_edu/explore/scene.css').read_text()}</style><div id=here></div>")
        page.add_script_tag(
            type="module",
            content=f"""import {{ mount }} from "data:text/javascript;base64,{script}";
                window.edits = [];
                window.view = mount(here, {json.dumps(scene_of(explorer))}, (...edit) => edits.push(edit));""",
        )
        page.locator("svg").wait_for()
        return page

    yield show
    page.close()
    assert errors == []


def scene_of(explorer):
    return explorer.views[0].widget.scene


def cell(page, grid, row, column):
    return page.locator(f"[role=gridcell][aria-label^='{grid}, row {row}, column {column}:']")


def lit(page, grid):
    """The places in a grid that are linked to what is selected."""
    labels = page.locator(f".linked[aria-label^='{grid},']").evaluate_all("nodes => nodes.map(node => node.ariaLabel)")
    return [tuple(int(part.split(":")[0].split()[1]) for part in label.split(", ")[1:]) for label in labels]


def note(page):
    return page.locator(".note").text_content()


def test_pointing_at_an_output_shows_its_patch_and_sum(mount):
    page = mount(explore.convolution())
    assert note(page) == "y[0, 0] = 1·4 + 4·5 + 1·8 + 1·1 + 4·8 + 3·8 + 3·3 + 3·6 + 1·6 = 122"
    cell(page, "output", 1, 0).hover()
    assert note(page).startswith("y[1, 0] = 1·1 + 4·8") and note(page).endswith("= 126")
    assert lit(page, "input") == [(r, c) for r in (1, 2, 3) for c in (0, 1, 2)]
    assert len(lit(page, "kernel")) == 9
    assert cell(page, "input", 1, 1).locator(".corner").text_content() == "×4"
    page.mouse.move(880, 690)  # away: what was selected before is shown again
    assert note(page).endswith("= 122")


def test_pointing_at_a_weight_or_an_input_shows_the_adjoint(mount):
    page = mount(explore.convolution())
    cell(page, "kernel", 0, 1).hover()
    assert lit(page, "input") == [(0, 1), (0, 2), (1, 1), (1, 2)] and len(lit(page, "output")) == 4
    cell(page, "input", 0, 0).hover()
    assert lit(page, "output") == [(0, 0)] and lit(page, "kernel") == [(0, 0)]
    cell(page, "input", 1, 1).hover()
    assert len(lit(page, "output")) == 4


def test_flipped_links(mount):
    page = mount(explore.convolution(flip=True))
    cell(page, "input", 0, 0).hover()
    assert lit(page, "kernel") == [(2, 2)]


def test_step_play_reset_and_sliders(mount):
    page = mount(explore.convolution())
    page.get_by_role("button", name="Step").click()
    assert note(page).endswith("= 148")
    page.get_by_label("output row").fill("1")
    assert note(page).endswith("= 134")
    page.get_by_role("button", name="Reset").click()
    assert note(page).endswith("= 122")
    page.get_by_label("output column").press("ArrowRight")  # the keyboard moves a slider too
    assert note(page).endswith("= 148")
    page.get_by_role("button", name="Play").click()
    page.get_by_text("= 134").wait_for(timeout=10_000)
    page.get_by_role("button", name="Play").wait_for(timeout=10_000)  # it stopped at the end


def test_keyboard_in_the_grids(mount):
    page = mount(explore.convolution())
    cell(page, "output", 0, 0).focus()
    page.keyboard.press("ArrowDown")
    assert note(page).endswith("= 126")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")  # at the edge: nothing
    assert note(page).endswith("= 134")
    cell(page, "kernel", 0, 0).focus()
    page.keyboard.press("ArrowUp")
    assert note(page).startswith("w[0, 0] = 1 multiplies 4, 5, 1, 8")


def test_typing_into_a_cell(mount):
    page = mount(explore.convolution())
    cell(page, "kernel", 1, 1).focus()
    page.keyboard.type("-2.5")
    page.keyboard.press("Enter")
    cell(page, "input", 0, 0).dblclick()
    page.locator(".editor").fill("9")
    page.keyboard.press("Enter")
    cell(page, "input", 0, 1).dblclick()
    page.locator(".editor").fill("77")
    page.keyboard.press("Escape")
    cell(page, "output", 0, 0).dblclick()  # results cannot be typed
    assert page.locator(".editor").count() == 0
    assert page.evaluate("edits") == [[20, -2.5], [0, 9]]


def test_predicting(mount):
    page = mount(explore.convolution())
    page.get_by_label("predict before you see").check()
    assert page.locator("[aria-label^='output,'] .value").all_text_contents() == ["?"] * 4
    assert note(page).endswith("= ?")
    guess = page.get_by_label("your prediction")
    guess.fill("121")
    guess.press("Enter")
    assert "Not yet" in page.locator(".answer").text_content() and note(page).endswith("= ?")
    guess.fill("122")
    page.get_by_role("button", name="Check").click()
    assert page.locator(".answer").text_content() == "Yes, 122." and note(page).endswith("= 122")
    page.get_by_role("button", name="Step").click()
    page.get_by_role("button", name="Show it").click()
    assert page.locator("[aria-label^='output,'] .value").all_text_contents() == ["122", "148", "?", "?"]


def test_an_update_keeps_focus_and_selection(mount):
    page = mount(explore.convolution())
    cell(page, "output", 1, 1).focus()
    scene = scene_of(explore.convolution(kernel=np.eye(3)))
    page.evaluate("scene => view.update(scene)", scene)
    assert note(page).endswith("= 22") and page.evaluate("document.activeElement.dataset.cell") == "28"


def test_arithmetic_scene(mount):
    page = mount(explore.arithmetic(6, 3, stride=2, padding=1))
    assert page.locator(".caption").text_content() == "⌊(6 + 2·1 − 1·(3 − 1) − 1) / 2⌋ + 1 = ⌊5 / 2⌋ + 1 = 3"
    cell(page, "input", 0, 7).hover()
    assert note(page) == "no window reads this zero of the padding: it is dropped"
    cell(page, "output", 1, 0).hover()
    assert lit(page, "input") == [(0, 2), (0, 3), (0, 4)]
    assert page.locator(".unused-hatch").count() == 1


def test_nothing_fits(mount):
    page = mount(explore.arithmetic(2, 5))
    assert "PyTorch raises an error" in page.locator(".caption").text_content()
    assert page.get_by_role("button", name="Step").count() == 0


def test_what_is_selected_stays_where_it_is_when_the_grids_grow(mount):
    page = mount(explore.arithmetic(7, 3))
    cell(page, "output", 1, 0).focus()
    page.evaluate("scene => view.update(scene)", scene_of(explore.arithmetic(7, 3, padding=1)))
    assert note(page) == "w₀·x₀ + w₁·x₁ + w₂·x₂ = y₁"
    page.evaluate("scene => view.update(scene)", scene_of(explore.arithmetic(2, 5)))
    page.evaluate("scene => view.update(scene)", scene_of(explore.arithmetic(7, 3)))
    assert note(page).endswith("= y₀")  # after a scene in which nothing fits: from the start


def test_long_numbers_stay_in_their_cells(mount):
    page = mount(explore.convolution(kernel=[[1 / 16, -1234567, 0], [0, 1, 0], [0, 0, 0]]))
    wide = page.evaluate("""[...document.querySelectorAll('.cell')].filter(cell =>
        cell.querySelector('.value').getBBox().width > cell.querySelector('rect').getBBox().width).length""")
    assert wide == 0


def test_fractions_are_numbers_and_words_are_not(mount):
    page = mount(explore.convolution())
    for typed in ("1/4", "a lot"):
        cell(page, "kernel", 0, 0).dblclick()
        page.locator(".editor").fill(typed)
        page.keyboard.press("Enter")
    assert page.evaluate("edits") == [[16, 0.25]]
    assert note(page) == "“a lot” is not a number: nothing was changed."


def test_a_hidden_result_is_hidden_from_screen_readers_too(mount):
    page = mount(explore.convolution())
    assert "122" in page.locator("svg").get_attribute("aria-label")
    page.get_by_label("predict before you see").check()
    assert "122" not in page.locator(".stage").evaluate("node => node.innerHTML")
