"""A notebook that is opened again: what stands for an explorer or a quiz is seen when the kernel that made it is gone,
and hidden where the live one is."""

from __future__ import annotations

import json
import re
import shutil

import nbformat
import pytest
from playwright.sync_api import Page, expect

from tests.explorers.browser import (
    IS_OPEN,
    LOOK_MS,
    PANEL,
    ROOT,
    jupyterlab,
    open_and_run,
    put_away,
    wait_for_the_kernel,
)
from tests.notebooks.shown import EXPLORERS
from unet_edu import explore, quiz
from unet_edu.explore import explorer as explorer_module
from unet_edu.explore import live
from unet_edu.explore.page import bundled

IN_THE_PAGE = ["arithmetic", "convolution", "sizes", "unet"]
WITHOUT_ARGUMENTS = sorted(set(EXPLORERS) - {*IN_THE_PAGE, "training"})
TRAINING = """\
import numpy as np
instances = np.zeros((24, 40), int)
instances[4:14, 3:12], instances[4:14, 12:20] = 1, 2
runs = {"with the map": (np.geomspace(1, 0.1, 40), {step: 0.2 + 0.6 * (instances > 0) for step in (0, 20, 40)})}
explore.training(runs, 0.5 * (instances > 0), instances)"""
CALLS = [*(f"explore.{name}()" for name in WITHOUT_ARGUMENTS), TRAINING, 'quiz("02")']
LINE = "run all cells down to this one."
EXPLORER = re.compile(rf"\bexplore\.(?:{'|'.join(EXPLORERS)})\(")


# --- what is displayed ------------------------------------------------------------------------------------------------


@pytest.fixture
def displayed(monkeypatch):
    """The outputs of what shows itself, each with its data and its metadata."""
    outputs = []

    def note(data, raw, metadata=None):
        assert raw
        outputs.append((data, metadata or {}))

    for place in (live, explorer_module):
        monkeypatch.setattr(place, "display", note)
    monkeypatch.setattr("IPython.display.display", note)
    return outputs


def test_an_explorer_is_a_picture_a_line_and_a_widget(displayed):
    explore.threshold()._ipython_display_()
    (still, metadata), (line, _), (widget, _) = displayed
    assert set(still) == {"image/png", "text/plain"}
    assert set(line) == {"text/html", "text/plain"} and line["text/plain"] == f"To play, {LINE}"
    alt = metadata["image/png"]["alt"]
    assert f"<details><summary>In words</summary>{alt}</details>" in line["text/html"] and len(alt) > 40
    assert set(widget) == {live.WIDGET_VIEW, "text/plain"} and widget["text/plain"] == ""


def test_a_quiz_is_its_text_a_line_and_a_widget(displayed):
    for _ in range(2):
        quiz("02")._ipython_display_()
    (still, _), (line, _), (widget, _), *_, (again, _) = displayed
    assert still == {"text/html": quiz("02")._repr_html_(), "text/plain": repr(quiz("02"))}
    assert line["text/plain"] == f"To answer with buttons, {LINE}" and "details" not in line["text/html"]
    assert widget[live.WIDGET_VIEW]["model_id"] != again[live.WIDGET_VIEW]["model_id"]  # it starts afresh


# --- what is seen, by the rules of three programs ---------------------------------------------------------------------

# How each of them lays out the outputs of a cell.
PROGRAMS = {
    "JupyterLab": ("<div class=jp-OutputArea>", "<div class=jp-OutputArea-child><div></div><div>", "</div></div>"),
    "VS Code": ("<div class=cell_container>", "<div class=output_container><div class=output>", "</div></div>"),
    "Colab": (
        "<div id=output-area><span id=output-header></span><div id=output-body>",
        "<div class=display_data><div class=output_subarea>",
        "</div></div>",
    ),
}
WIDGETS = {
    "live": "<div class='widget-vbox unet-widget'>widget</div>",
    "disconnected": "<div class='widget-vbox unet-widget jupyter-widgets-disconnected'>widget</div>",
    "not found": "Error displaying widget: model not found",
    "not rendered": "<pre></pre>",
}


@pytest.mark.needs("chromium")
@pytest.mark.parametrize("widget", WIDGETS)
@pytest.mark.parametrize("program", PROGRAMS)
def test_the_live_one_or_what_stands_for_it_is_seen(sheet, displayed, program, widget):
    """And the outputs before and after are, whatever becomes of that one."""
    explore.threshold()._ipython_display_()
    line = displayed[1][0]["text/html"]
    one, live = (f"<colab-lumino-adapter>{WIDGETS[name]}</colab-lumino-adapter>" for name in (widget, "live"))
    outputs = ["before", "still", line, one, "between", "still", line, live, "after"]
    area, start, end = PROGRAMS[program]
    sheet.set_content(area + "".join(f"{start}{output}{end}" for output in outputs))
    seen = sheet.evaluate("document.body.innerText.split('\\n').filter(line => line.trim())")
    first = ["widget"] if widget == "live" else ["still", f"To play, {LINE}", "In words"]
    if (program, widget) == ("Colab", "not found"):  # it keeps the state of widgets, so none is missing
        first.append(WIDGETS[widget])
    assert seen == ["before", *first, "between", "widget", "after"]


STILLS = {**PROGRAMS, "the book": ("<div class=cell><div class=output><figure>", "", "")}
PIXEL = "<img alt='{}' width=9 height=9>"


@pytest.mark.needs("chromium")
@pytest.mark.parametrize("program", STILLS)
def test_an_explorer_that_computes_in_the_page_hides_its_picture_and_no_other(sheet, program):
    area, start, end = STILLS[program]
    output = "".join(f"{start}{PIXEL.format(alt)}{end}" for alt in ("before", "still"))
    sheet.set_content(f"{area}{output}{start}<div id=live>live</div>{end}")
    sheet.add_script_tag(content=f"{bundled('still.js')}\nwindow.hideStill = hideStill;")
    seen = "[...document.images].filter(image => image.checkVisibility()).map(image => image.alt)"
    assert sheet.evaluate(f"window.back = hideStill(live), {seen}") == ["before"]
    assert sheet.evaluate(f"back(), {seen}") == ["before", "still"]
    sheet.evaluate("document.images[1].remove(), document.images[0].remove()")
    assert sheet.evaluate("hideStill(live)(), document.body.innerText.trim()") == "live"


# --- in JupyterLab, which is stopped and started again ----------------------------------------------------------------

OUTPUTS = "node => [...node.querySelectorAll('.jp-OutputArea-child')]"
IS_SEEN = "output => output.checkVisibility() && output.getBoundingClientRect().height > 0"
# Of each cell that shows itself: which of its three outputs are seen, and what the last of them says.
SEEN = f"""() => [...document.querySelectorAll(".jp-CodeCell:has(.unet-run)")].map(cell => {{
    const outputs = ({OUTPUTS})(cell);
    return [outputs.map({IS_SEEN}), outputs.at(-1).textContent.trim()];
}})"""
PICTURE = """cell => {
    const image = cell.querySelector("img");
    return image.complete && image.naturalWidth > 200 && image.getBoundingClientRect().width > 200;
}"""
LIVE, STILL = [False, False, True], [True, True, False]


def until(page: Page, seen: list[list[bool]], words: str = "") -> None:
    """Wait until these outputs are seen, and the widgets that are not say these words."""
    page.wait_for_function(
        f"""([seen, words]) => {{
            const now = ({SEEN})();
            const is = ([outputs, said], n) => String(outputs) === String(seen[n]) && (outputs[2] || said === words);
            return now.length === seen.length && now.every(is);
        }}""",
        arg=[seen, words],
        polling=LOOK_MS,
    )


@pytest.fixture(scope="module")
def saved(browser, tmp_path_factory):
    """A notebook that was run and saved in JupyterLab, whose server has ended; and JupyterLab's own files."""
    root, home = tmp_path_factory.mktemp("root"), tmp_path_factory.mktemp("home")
    kernel = {"kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}}
    sources = ["from unet_edu import explore, quiz", *CALLS, *(f"explore.{name}()" for name in IN_THE_PAGE)]
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), root / "first.ipynb")
    with browser.new_page() as page, jupyterlab(home, root=root) as lab:
        open_and_run(page, lab, "first.ipynb")
        wait_for_the_kernel(page)
        until(page, [LIVE] * len(CALLS))
        page.evaluate(f"{PANEL}.context.save()")
    return root, home


def reopen(page: Page, address: str) -> None:
    page.goto(address)
    page.wait_for_function(IS_OPEN, polling=LOOK_MS)


@pytest.mark.needs("chromium")
def test_after_a_restart_the_pictures_are_seen_and_a_cell_that_runs_is_live_again(saved, browser):
    root, home = saved
    with browser.new_page() as page, jupyterlab(home, root=root) as lab:
        reopen(page, lab.at("first.ipynb"))
        until(page, [STILL] * len(CALLS), "Error displaying widget: model not found")
        cells = page.locator(".jp-CodeCell")
        for number, call in enumerate(CALLS, 1):
            expect(cells.nth(number).locator(".unet-run")).to_have_text(
                f"{'To answer with buttons' if call.startswith('quiz') else 'To play'}, {LINE}"
            )
            if not call.startswith("quiz"):
                assert cells.nth(number).evaluate(PICTURE), call
        expect(cells.nth(len(CALLS)).locator("summary").first).to_have_text("Answer 1")
        # Those that compute in the page need nobody.
        expect(page.locator(".unet-page.is-live:visible")).to_have_count(len(IN_THE_PAGE))
        for number in range(len(CALLS) + 1, len(CALLS) + 1 + len(IN_THE_PAGE)):
            expect(cells.nth(number).locator(".jp-RenderedImage img")).to_be_hidden()
        # The first explorer, and what it needs.
        for _ in range(2):
            page.evaluate("jupyterapp.commands.execute('notebook:run-cell-and-select-next')")
        until(page, [LIVE, *[STILL] * (len(CALLS) - 1)], "Error displaying widget: model not found")
        # A kernel that starts anew has none of them.
        page.evaluate(f"{PANEL}.sessionContext.session.kernel.restart()")
        page.wait_for_function(f"String(({SEEN})()[0][0]) === '{','.join(map(json.dumps, STILL))}'", polling=LOOK_MS)


@pytest.mark.needs("chromium")
def test_a_notebook_that_comes_from_elsewhere_shows_the_pictures_too(saved, browser, tmp_path):
    """JupyterLab, which did not run it, trusts neither its styles nor its widgets."""
    root, _ = saved
    with browser.new_page() as page, jupyterlab(tmp_path, root=root) as lab:
        reopen(page, lab.at("first.ipynb"))
        assert page.locator(".jp-mod-trusted").count() == 0
        page.wait_for_function(f"({SEEN})().every(([seen]) => seen[0] && seen[1])", polling=LOOK_MS)
        seen = page.evaluate(SEEN)
        assert len(seen) == len(CALLS) and {said for _, said in seen} == {""}
        pictures = [cell for cell in page.locator(".jp-CodeCell").all() if cell.locator("img").count()]
        assert len(pictures) == len(CALLS) - 1 + len(IN_THE_PAGE) and all(cell.evaluate(PICTURE) for cell in pictures)


# What JupyterLab, or a program in the page, says when it cannot show something.
COMPLAINTS = "model not found|Error displaying widget|Loading widget|does not run here"
STORED = ["00_start_here", "03_interpolation", "06_unet"]  # in the page; with Python; both


@pytest.mark.needs("chromium")
def test_a_lesson_that_a_student_opens_for_the_first_time_shows_a_picture_for_each_explorer(browser, tmp_path):
    """As a clone has it: outputs of another machine, and no cell was run."""
    for name in STORED:
        shutil.copy(ROOT / "course" / f"{name}.ipynb", tmp_path)
    with browser.new_page() as page, jupyterlab(tmp_path, root=tmp_path) as lab:
        for name in STORED:
            notebook = nbformat.read(tmp_path / f"{name}.ipynb", as_version=4)
            code = [cell for cell in notebook.cells if cell.cell_type == "code"]
            with_explorers = [n for n, cell in enumerate(code) if EXPLORER.search(cell.source)]
            assert with_explorers
            reopen(page, lab.at(f"{name}.ipynb"))
            for n in with_explorers:
                cell = page.locator(".jp-CodeCell").nth(n)
                cell.scroll_into_view_if_needed()
                expect(cell.locator(".jp-RenderedImage img")).to_be_visible()
                page.wait_for_function(PICTURE, arg=cell.element_handle(), polling=LOOK_MS)
                expect(cell.get_by_text(LINE)).to_be_visible()
            seen = page.locator(".jp-Notebook").inner_text()
            assert len(seen) > 1000 and not re.search(COMPLAINTS, seen)
            assert page.locator("[data-mime-type='application/vnd.jupyter.error']:visible").count() == 0
            put_away(page)
