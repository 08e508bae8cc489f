"""`make lab` in a real browser: open the lesson, run it all, drag a slider, and see the picture change."""

import pytest
from playwright.sync_api import Page, expect

from tests.explorers.browser import chromium, jupyterlab, open_and_run

pytestmark = pytest.mark.needs("chromium")

LESSON = "course/02_convolution.ipynb"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    with chromium() as browser, jupyterlab(tmp_path_factory.mktemp("lab")) as address:
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        open_and_run(page, address, LESSON)
        yield page


def test_the_lesson_runs_without_an_error(page: Page):
    assert page.locator(".jp-CodeCell").count() > 10
    assert (
        page.locator(
            "[data-mime-type='application/vnd.jupyter.error'], [data-mime-type='application/vnd.jupyter.stderr']"
        ).count()
        == 0
    )


def drag(page: Page, slider, part: float):
    """Take a slider's handle to a part of its width."""
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 4, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * part, y, steps=5)
    page.mouse.up()


def test_dragging_a_slider_of_the_scene_moves_the_window(page: Page):
    scene = page.locator(".unet-scene:has-text('kernel w')").first
    before, note = scene.locator("svg").screenshot(), scene.locator(".note").text_content()
    drag(page, scene.get_by_label("output column"), 0.97)
    assert scene.locator(".note").text_content() != note
    assert scene.locator("svg").screenshot() != before


def test_dragging_a_slider_in_python_draws_another_scene(page: Page):
    scene = page.locator(".unet-scene:has-text('nn.Conv2d')").first
    explorer = page.locator(".widget-vbox", has=page.locator(".unet-scene .code")).first
    before, caption = scene.locator("svg").screenshot(), scene.locator(".caption").text_content()
    handle = explorer.locator(".widget-slider:has-text('padding') .noUi-handle")
    handle.focus()
    page.keyboard.press("ArrowRight")
    expect(scene.locator(".caption")).not_to_have_text(caption)
    assert scene.locator("svg").screenshot() != before


def test_typing_a_weight_changes_the_output_and_the_photograph(page: Page):
    explorer = page.locator(".widget-vbox", has=page.locator(".unet-scene:has-text('kernel w')")).first
    picture = explorer.locator("figure img").nth(1)
    before, outputs = (
        picture.get_attribute("src"),
        explorer.locator("[aria-label^='output,'] .value").all_text_contents(),
    )
    explorer.locator("[aria-label^='kernel, row 0, column 0:']").dblclick()
    explorer.locator(".editor").fill("-9")
    page.keyboard.press("Enter")
    expect(picture).not_to_have_attribute("src", before)
    assert explorer.locator("[aria-label^='output,'] .value").all_text_contents() != outputs


def test_arrow_keys_and_letters_stay_in_the_explorer(page: Page):
    """JupyterLab would take them as commands: collapse a heading, or delete a cell for "dd"."""
    cells = page.locator(".jp-Cell").count()
    scene = page.locator(".unet-scene:has-text('kernel w')").first
    scene.locator("[aria-label^='output, row 0, column 0:']").focus()
    note = scene.locator(".note").text_content()
    page.keyboard.press("ArrowRight")
    assert scene.locator(".note").text_content() != note
    for key in "ddab":
        page.keyboard.press(key)
    assert page.locator(".jp-Cell").count() == cells
