"""`make lab` in a real browser: open each lesson, run it all, move each control, and see the picture change."""

import re

import pytest
from playwright.sync_api import Locator, Page, TimeoutError, expect

from tests.explorers.browser import chromium, jupyterlab, open_and_run
from tests.notebooks.execute import ROOT, notebooks

pytestmark = pytest.mark.needs("chromium")

LESSON = "course/02_convolution.ipynb"


EXPLORING = [
    str(path.relative_to(ROOT))
    for path in notebooks("course")
    if re.search(r"explore\.(?!show)\w+\(", path.read_text())
]

# What an explorer shows: grids, pictures and words, and none of its controls.
SHOWN = (
    "node => [...node.querySelectorAll('.unet-scene, .unet-pointed, .widget-html')].map(view => view.innerHTML).join()"
)
ANSWER_MS = 3000  # generous, for a busy machine: benchmarks/explorers.py measures the time


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """Open a lesson and run it. The one that was opened before is closed."""
    with chromium() as browser, jupyterlab(tmp_path_factory.mktemp("lab")) as address:

        def open_lesson(lesson: str) -> Page:
            for context in browser.contexts:
                context.close()
            page = browser.new_page(viewport={"width": 1280, "height": 1000})
            open_and_run(page, address, lesson)
            return page

        yield open_lesson


@pytest.mark.parametrize("lesson", EXPLORING)
def test_each_control_of_each_explorer_changes_what_is_shown(opened, lesson):
    page = opened(lesson)
    assert page.locator(".jp-CodeCell").count() > 10
    errors = "[data-mime-type='application/vnd.jupyter.error'], [data-mime-type='application/vnd.jupyter.stderr']"
    assert page.locator(errors).count() == 0
    explorers = page.locator(".jp-OutputArea-output > .widget-vbox:has(.widget-slider, .widget-dropdown)").all()
    assert len(explorers) >= 1
    for explorer in explorers:
        explorer.scroll_into_view_if_needed()
        for handle in explorer.locator(".noUi-target:not([disabled]) .noUi-handle").all():
            before = explorer.evaluate(SHOWN)
            handle.focus()
            page.keyboard.press("ArrowRight")
            if not has_changed(explorer, before):  # it may stand at its end
                page.keyboard.press("ArrowLeft")
                assert has_changed(explorer, before), handle.evaluate(
                    "node => node.closest('.widget-slider').innerText"
                )
        for menu in explorer.locator(".widget-dropdown select:enabled").all():
            before = explorer.evaluate(SHOWN)
            options = menu.locator("option").all_text_contents()
            for option in options[::-1]:
                menu.select_option(option)
                if has_changed(explorer, before):
                    break
            else:
                raise AssertionError(f"none of {options} changes anything")
        for step in explorer.get_by_role("button", name="Step").all():
            note = step.locator("xpath=ancestor::*[contains(@class, 'unet-scene')]").locator(".note")
            before = note.text_content()
            step.click()
            assert note.text_content() != before


def has_changed(explorer: Locator, before: str) -> bool:
    changed = f"([node, before]) => ({SHOWN})(node) !== before"
    try:
        explorer.page.wait_for_function(changed, arg=[explorer.element_handle(), before], timeout=ANSWER_MS)
    except TimeoutError:
        return False
    return True


@pytest.fixture(scope="module")
def page(opened):
    return opened(LESSON)


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
