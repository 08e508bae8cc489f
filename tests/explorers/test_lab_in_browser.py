"""`make lab` in a real browser, without a network: open each lesson, compare the scenes, and use what it shows.

Lesson 00 is run whole. Of the others runs what is interactive, and what that needs: that no cell of a lesson shows an
error or a warning is seen by nbval, which runs them all and compares what they write to stderr, too.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Page, expect

from benchmarks.explorers import ROWS
from tests.explorers.browser import (
    PANEL,
    Lab,
    chromium,
    cut_off,
    jupyterlab,
    live_explorers,
    open_and_run,
    open_more,
    put_away,
    wait_for_the_kernel,
)
from tests.explorers.slices import write_slice
from tests.notebooks.execute import ROOT, notebooks
from tests.notebooks.scenes import GRIDS, differences, scenes
from tests.notebooks.shown import explorers, formulas
from unet_edu import quiz

pytestmark = pytest.mark.needs("chromium", "bubblewrap")

FIRST, CONVOLUTION, LAST = (
    ROOT / f"course/{name}.ipynb" for name in ("00_start_here", "02_convolution", "10_own_images")
)
# All but the first and the last have explorers of several kinds, formulas and a quiz. pytest keeps tests together whose
# lessons have the same place in their lists, so that each lesson runs once: 02, for which there are more tests, is the
# first in every list, and 00 the last.
SIDE_ROADS = sorted((ROOT / "course").glob("side_roads/*.ipynb"))
LESSONS = sorted(set(notebooks("course")) - {FIRST, LAST, *SIDE_ROADS}, key=lambda path: (path != CONVOLUTION, path))


def with_lessons(*paths: Path) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("page", paths, ids=lambda path: path.stem, indirect=True, scope="module")


# What an explorer shows: grids, pictures and words, and none of its controls.
VIEWS = ".unet-scene, .unet-pointed, .widget-html, .unet-page svg"
SHOWN = f"node => [...node.querySelectorAll({VIEWS!r})].map(view => view.innerHTML).join()"
HAS_CHANGED = f"([node, before]) => ({SHOWN})(node) !== before"
# From now on the page remembers whether an explorer has ever shown something else.
WATCH = f"""node => {{
    const before = ({SHOWN})(node);
    window.hasChanged = false;
    window.watch?.disconnect();
    window.watch = new MutationObserver(() => {{ window.hasChanged ||= ({SHOWN})(node) !== before; }});
    window.watch.observe(node, {{ subtree: true, childList: true, attributes: true, characterData: true }});
}}"""


@pytest.fixture(scope="module")
def place():
    with cut_off() as place:
        yield place


@pytest.fixture(scope="module")
def browser(place):
    with chromium(place.enter) as browser:
        yield browser


@pytest.fixture(scope="module")
def lab(place, tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    (root / "course").mkdir()
    shutil.copy(FIRST, root / "course")
    for path in (*LESSONS, LAST):
        write_slice(path, root / "course")
    with jupyterlab(tmp_path_factory.mktemp("lab"), enter=place.enter, root=root) as lab:
        yield lab


@pytest.fixture(scope="module")
def tab(browser, lab):
    """One page for all lessons; what it asks for is in `tab.asked`."""
    with browser.new_context(viewport={"width": 1280, "height": 1000}) as context:
        tab = context.new_page()
        tab.lab, tab.asked = lab, []
        context.on("request", lambda request: tab.asked.append(request.url))
        tab.on("websocket", lambda socket: tab.asked.append(socket.url))
        yield tab


@pytest.fixture(scope="module")
def page(request, tab):
    """A lesson that was opened and run."""
    tab.lesson = request.param
    tab.asked.clear()
    open_and_run(tab, tab.lab, str(request.param.relative_to(ROOT)))
    yield tab
    put_away(tab)


@with_lessons(*LESSONS, LAST, FIRST)
def test_it_runs_without_an_error_or_a_warning(page):
    code = [cell for cell in nbformat.read(page.lesson, as_version=4).cells if cell.cell_type == "code"]
    count = page.locator(".jp-CodeCell").count()
    assert count == len(code) > 10 if page.lesson == FIRST else len(code) > count > 2
    bad = "[data-mime-type='application/vnd.jupyter.error'], [data-mime-type='application/vnd.jupyter.stderr']"
    assert page.locator(bad).all_text_contents() == []
    # What is stored nbval takes for right.
    assert not [output for cell in code for output in cell.outputs if output.get("name") == "stderr"]


@with_lessons(*LESSONS, LAST)
def test_scenes_are_those_that_are_stored(page):
    """Nothing else compares them: nbval looks at what is shown."""
    fresh = scenes(nbformat.from_dict(page.evaluate(f"{PANEL}.content.model.toJSON()")))
    assert bool(fresh) == bool(GRIDS.search(page.lesson.read_text()))
    assert all(fresh.values()), "an explorer of grids without a scene"
    assert list(differences(scenes(nbformat.read(page.lesson, as_version=4)), fresh)) == []


@with_lessons(*LESSONS, LAST)
def test_each_row_of_the_benchmark_changes_what_it_watches(page):
    """Before other tests move the controls: the rows are for lessons as they open."""
    rows = [row for row in ROWS if row.lesson == page.lesson.stem[:2]]
    assert {row.explorer for row in rows} == set(explorers(page.lesson)) != set()
    expect(live_explorers(page)).to_have_count(len(explorers(page.lesson)))
    for row in rows:
        assert len(row.measure(page, steps=2, settle_ms=0, rest_ms=0)) == 2


@with_lessons(*LESSONS)
def test_each_control_of_each_explorer_changes_what_is_shown(page):
    expect(live_explorers(page)).to_have_count(len(explorers(page.lesson)))
    # The Explainer's are tried in test_unet_explainer.py.
    shown = [explorer for explorer in live_explorers(page).all() if not explorer.locator(".unet-explainer").count()]
    assert shown
    for explorer in shown:
        explorer.scroll_into_view_if_needed()
        open_more(explorer)
        handles = explorer.locator(".noUi-target:not([disabled]) .noUi-handle, .control input[type=range]").all()
        menus = explorer.locator(":is(.widget-dropdown, .control) select:enabled").all()
        assert handles or menus
        for handle in handles:
            before = explorer.evaluate(SHOWN)
            handle.focus()
            now, most = ("handle.ariaValueNow ?? handle.value", "handle.ariaValueMax ?? handle.max")
            is_at_its_end = handle.evaluate(f"handle => ({now}) === ({most})")
            page.keyboard.press("ArrowLeft" if is_at_its_end else "ArrowRight")
            page.wait_for_function(HAS_CHANGED, arg=[explorer.element_handle(), before])
        for menu in menus:
            explorer.evaluate(WATCH)
            before = menu.locator("option:checked").text_content()
            for option in menu.locator("option:enabled").all_text_contents()[::-1]:
                menu.select_option(option)
                wait_for_the_kernel(page)
                if page.evaluate("hasChanged"):
                    break
            # A busy page may show an answer later than it gets it.
            page.wait_for_function("hasChanged")
            if explorer.locator(".unet-controls").count():
                menu.select_option(before)  # without a photograph there is none to choose
        if (stride := explorer.locator(".unet-controls [data-key=stride]")).count():
            stride.fill("1")  # so that there are outputs to step through
        for step in explorer.locator("[data-key=step]:enabled").all():  # not where there is one output
            note = step.locator("xpath=ancestor::*[contains(@class, 'unet-scene')]").locator(".note")
            before = note.text_content()
            step.click()
            assert note.text_content() != before


@with_lessons(*LESSONS)
def test_formulas_are_set_with_fonts_that_are_here(page):
    prose = page.locator(".jp-MarkdownCell .jp-RenderedMarkdown")
    expect(prose.locator("mjx-container")).to_have_count(len(formulas(page.lesson)))
    assert prose.locator("mjx-container").count() > 0
    assert prose.locator("mjx-merror, [data-mjx-error]").count() == 0
    left = """nodes => nodes.map(node => {
        const copy = node.cloneNode(true);
        copy.querySelectorAll("code").forEach(code => code.remove());
        return copy.textContent;
    })"""
    assert not [text for text in prose.evaluate_all(left) if "$" in text]
    used = "[...document.fonts].filter(font => font.status !== 'unloaded')"
    page.wait_for_function(f"{used}.length > 0 && {used}.every(font => font.status !== 'loading')")
    fonts = page.evaluate(f"{used}.map(font => [font.family, font.status])")
    assert {"MJXTEX"} <= {family for family, _ in fonts} and {status for _, status in fonts} == {"loaded"}


@with_lessons(*LESSONS)
def test_each_answer_of_the_quiz_says_why_it_is_right_or_wrong(page):
    questions = quiz(page.lesson.stem[:2]).questions
    shown = page.locator(".unet-quiz > .widget-vbox")
    expect(shown).to_have_count(len(questions))
    for question, box in zip(questions, shown.all(), strict=True):
        for option, button in zip(question.options, box.get_by_role("button").all(), strict=True):
            button.click()
            expect(box.get_by_role("alert")).to_contain_text("is right." if option.is_right else "is not right.")
            expect(box.get_by_role("alert")).to_contain_text(option.why.replace("`", ""))
    expect(page.locator(".unet-quiz")).to_contain_text(f"{len(questions)} of {len(questions)} right")


def drag(page: Page, slider, part: float):
    """Take a slider's handle to a part of its width."""
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 4, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * part, y, steps=5)
    page.mouse.up()


@with_lessons(CONVOLUTION)
def test_dragging_a_slider_of_the_scene_moves_the_window(page):
    scene = page.locator(".unet-scene:has-text('kernel w')").first
    scene.get_by_role("button", name="Reset").click()
    before, note = scene.locator("svg").screenshot(), scene.locator(".note").text_content()
    drag(page, scene.get_by_label("output column"), 0.97)
    assert scene.locator(".note").text_content() != note
    assert scene.locator("svg").screenshot() != before


@with_lessons(CONVOLUTION)
def test_a_slider_draws_another_scene(page):
    scene = page.locator(".unet-scene:has-text('nn.Conv2d')").first
    explorer = page.locator(".unet-page", has=page.locator(".unet-scene .code")).first
    before, caption = scene.locator("svg").screenshot(), scene.locator(".caption").text_content()
    explorer.get_by_role("slider", name="stride").focus()
    page.keyboard.press("ArrowRight")
    expect(scene.locator(".caption")).not_to_have_text(caption)
    assert scene.locator("svg").screenshot() != before


@with_lessons(CONVOLUTION)
def test_typing_a_weight_changes_the_output_and_the_photograph(page):
    explorer = page.locator(".unet-page:has(.unet-photos:not([hidden]))")
    picture = "document.querySelectorAll('.unet-photos:not([hidden]) canvas')[1].toDataURL()"
    before, outputs = page.evaluate(picture), explorer.locator("[aria-label^='output,'] .value").all_text_contents()
    explorer.locator("[aria-label^='kernel, row 0, column 0:']").dblclick()
    explorer.locator(".editor").fill("-9")
    page.keyboard.press("Enter")
    assert page.evaluate(picture) != before
    assert explorer.locator("[aria-label^='output,'] .value").all_text_contents() != outputs


@with_lessons(CONVOLUTION)
def test_an_explorer_in_the_page_hides_its_picture_and_outlives_scrolling_away(page):
    cell = page.locator(".jp-CodeCell:has(.unet-page)").last
    explorer = cell.locator(".unet-page")
    explorer.scroll_into_view_if_needed()
    assert cell.locator("img").count() == 1 and not cell.locator("img").is_visible()
    explorer.get_by_role("slider", name="cells of the input").fill("13")
    page.locator(".jp-Cell").first.scroll_into_view_if_needed()
    page.locator(".jp-Cell").last.scroll_into_view_if_needed()
    explorer.scroll_into_view_if_needed()
    assert explorer.locator(".unet-scene").count() == 1 and explorer.get_by_text("input, 13 cells").is_visible()
    assert not cell.locator("img").is_visible()
    explorer.get_by_role("slider", name="cells of the input").press("ArrowRight")
    assert explorer.get_by_text("input, 14 cells").is_visible()


@with_lessons(CONVOLUTION)
def test_arrow_keys_and_letters_stay_in_the_explorer(page):
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


@with_lessons(*LESSONS, LAST, FIRST)
def test_nothing_was_asked_of_the_network(page, place):
    """Neither by the page, nor by JupyterLab and the kernel, whose attempts the place counts; nor is the reader asked
    to allow it."""
    assert page.asked and not [url for url in page.asked if not re.match(r"(http|ws)://127\.0\.0\.1:|data:|blob:", url)]
    assert place.attempts() == 0
    assert page.locator(".Toastify__toast").all_text_contents() == []


def test_a_notebook_that_is_missing_is_told_at_once(tmp_path):
    with pytest.raises(FileNotFoundError, match=re.escape(f"no notebook {tmp_path / 'missing.ipynb'}")):
        open_and_run(None, Lab("{path}", tmp_path / "log", tmp_path), "missing.ipynb")  # not even a page is needed


@pytest.mark.parametrize(
    "attempt", ["socket.create_connection(('192.0.2.1', 80))", "socket.getaddrinfo('unet-edu.org', 443)"]
)
def test_who_asks_for_the_network_is_counted(attempt):
    with cut_off() as place:
        assert place.attempts() == 0
        result = subprocess.run(
            [*place.enter, sys.executable, "-c", f"import socket; {attempt}"], check=False, stderr=subprocess.PIPE
        )
        assert b"unreachable" in result.stderr or b"name resolution" in result.stderr
        assert place.attempts() > 0
