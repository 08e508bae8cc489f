"""What a lesson shows where nothing runs: on GitHub, and as a page made by nbconvert."""

from __future__ import annotations

import base64
import io
import re
from typing import NamedTuple

import nbformat
import pytest
from bs4 import BeautifulSoup
from ipywidgets import IntSlider
from nbconvert import HTMLExporter
from nbformat.v4 import new_code_cell, new_notebook, new_output
from PIL import Image

from tests.notebooks.execute import WIDGET_VIEW, notebooks
from tests.notebooks.shown import EXPLORERS, cells_with_a_figure
from unet_edu import quiz
from unet_edu.lessons import LESSONS as WITH_EXERCISES

LESSONS = notebooks("course")
# a call that leaves a picture: an explorer or a figure
PICTURE = re.compile(rf"\bexplore\.(?:{'|'.join(EXPLORERS)})\(|\bshow\(")
TEMPLATES = "lab", "classic"
LIVE = {"text/plain": ""}  # the place of a live view, whose picture or text comes before it


class Shown(NamedTuple):
    """What a reader gets of one output."""

    picture: str = ""  # PNG, in base64
    alt: str = ""
    text: str = ""


def on_github(output: nbformat.NotebookNode) -> Shown:
    """What GitHub shows: no script and no widget, so a picture; else HTML, cleaned; else text.

    Of HTML only the harmless elements stay. What stands in scripts and styles goes with them.
    """
    if output.output_type == "stream":
        return Shown(text=output.text)
    if output.output_type == "error":
        return Shown(text="\n".join(output.traceback))
    data = output.data
    if "image/png" in data:
        return Shown("".join(data["image/png"].split()), output.metadata.get("image/png", {}).get("alt", ""))
    if "text/html" in data:
        return Shown(text=readable(BeautifulSoup(data["text/html"], "html.parser")))
    return Shown(text=data.get("text/plain", ""))


def by_nbconvert(notebook: nbformat.NotebookNode, template: str) -> list[list[Shown]]:
    """The same, of the page that `jupyter nbconvert --to html` makes; nothing in it is run. A list for each cell with
    outputs."""
    page, _ = HTMLExporter(template_name=template).from_notebook_node(notebook)
    cell, output = {"lab": (".jp-CodeCell", ".jp-OutputArea-child"), "classic": (".code_cell", ".output_area")}[
        template
    ]
    return [
        [shown_in(area) for area in found.select(output)] for found in BeautifulSoup(page, "html.parser").select(cell)
    ]


def shown_in(area: BeautifulSoup) -> Shown:
    picture = area.select_one("img")
    if not picture:
        return Shown(text=readable(area))
    return Shown("".join(picture["src"].removeprefix("data:image/png;base64,").split()), picture["alt"], readable(area))


def readable(html: BeautifulSoup) -> str:
    for hidden in html.select("script, style, .prompt, .jp-OutputPrompt"):
        hidden.decompose()
    return html.get_text()


def faults(cell: nbformat.NotebookNode, shown: list[Shown], figures: int = 0) -> list[str]:
    """What a reader would miss of this cell, of whose calls so many draw a figure."""
    found = [
        f"nothing in output {number}"
        for number, (output, (picture, _, text)) in enumerate(zip(cell.outputs, shown, strict=True))
        if not (picture or text.strip()) and output.get("data") != LIVE
    ]
    pictures = [one for one in shown if one.picture]
    if figures > sum(text.strip().startswith("In words") for _, _, text in shown):
        found.append("a figure without a line that says it in words")
    calls, called = (
        figures + len(PICTURE.findall(cell.source)),
        [one for one in pictures if one.picture not in trainings(cell)],
    )
    if calls != len(called):
        found.append(f"{calls} explorers and figures, {len(called)} pictures")
    found += ["an empty picture" for one in pictures if is_plain(one.picture)]
    if re.search(r"^quiz\(", cell.source, re.MULTILINE):
        found += [words for words in words_of_quiz(cell) if words not in squeezed("".join(one.text for one in shown))]
    return found


def trainings(cell: nbformat.NotebookNode) -> set[str]:
    """The pictures of trainings, of which one call may leave several."""
    shown = [on_github(output) for output in cell.outputs]
    return {one.picture for one in shown if one.alt.startswith("A training, ")}


def is_plain(png: str) -> bool:
    """Whether there is but one colour."""
    image = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    return all(low == high for low, high in image.getextrema())


def words_of_quiz(cell: nbformat.NotebookNode) -> list[str]:
    (lesson,) = re.findall(r"^quiz\(\"(\d\d)\"\)", cell.source, re.MULTILINE)
    questions = quiz(lesson).questions
    texts = [text for question in questions for text in (question.text, *(option.text for option in question.options))]
    reasons = [option.why for question in questions for option in question.options]
    return [squeezed(text.replace("`", "")) for text in texts + reasons]


def squeezed(text: str) -> str:
    return "".join(text.split())


@pytest.fixture(scope="module", params=LESSONS, ids=lambda path: path.stem)
def lesson(request: pytest.FixtureRequest) -> nbformat.NotebookNode:
    notebook = nbformat.read(request.param, as_version=4)
    notebook.metadata.is_main = request.param.parent.name == "course"
    return notebook


def with_outputs(lesson: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in lesson.cells if cell.cell_type == "code"]


def pictures(cells: list[list[Shown]]) -> list[Shown]:
    return [one for shown in cells for one in shown if one.picture]


def test_on_github_nothing_is_missing_and_each_picture_has_words(lesson):
    cells = with_outputs(lesson)
    shown, figures = [[on_github(output) for output in cell.outputs] for cell in cells], cells_with_a_figure(lesson)
    assert len(pictures(shown)) >= (5 if lesson.metadata.is_main else 1)
    faulty = [fault for cell, one in zip(cells, shown, strict=True) for fault in faults(cell, one, cell.id in figures)]
    assert faulty == []
    assert all(picture.alt.strip() for picture in pictures(shown))


def test_no_output_is_both_a_picture_and_html(lesson):
    """GitHub says nowhere which of the two it prefers."""
    bundles = [output.data.keys() for cell in with_outputs(lesson) for output in cell.outputs if "data" in output]
    assert bundles and not [bundle for bundle in bundles if {"image/png", "text/html"} <= bundle]


@pytest.mark.parametrize("template", TEMPLATES)
def test_in_a_page_of_nbconvert_nothing_is_missing(lesson, template):
    cells = with_outputs(lesson)
    shown, figures = by_nbconvert(lesson, template), cells_with_a_figure(lesson)
    faulty = [fault for cell, one in zip(cells, shown, strict=True) for fault in faults(cell, one, cell.id in figures)]
    assert faulty == []
    stored = pictures([[on_github(output) for output in cell.outputs] for cell in cells])
    assert [one.picture for one in pictures(shown)] == [one.picture for one in stored] != []
    if template == "classic":  # the other one knows no alt text
        assert [one.alt for one in pictures(shown)] == [one.alt for one in stored]


def test_every_lesson_but_the_first_shows_its_quiz_and_an_explorer():
    """The tests above look for what a cell calls; so the calls must be there. Lesson 10 has a project in place of
    exercises, and so no quiz."""
    sources = {path.stem[:2]: path.read_text() for path in LESSONS if path.parent.name == "course"}
    numbers = {lesson.number for lesson in WITH_EXERCISES}
    assert numbers == set(sources) - {"00", "10"}
    for number in numbers:
        assert f'quiz(\\"{number}\\")' in sources[number]
    for number in {*numbers, "10"}:
        assert re.search(rf"\bexplore\.(?:{'|'.join(EXPLORERS)})\(", sources[number])


# What the tests above must notice.

ONE_COLOUR = io.BytesIO()
Image.new("RGB", (20, 20), "white").save(ONE_COLOUR, "png")
VIEW = {WIDGET_VIEW: {"version_major": 2, "version_minor": 0, "model_id": "abc"}, "text/plain": repr(IntSlider())}


@pytest.mark.parametrize(
    "source, data, fault",
    [
        ("explore.sizes()", VIEW, "1 explorers and figures, 0 pictures"),
        ("explore.sizes()", {"image/png": base64.b64encode(ONE_COLOUR.getvalue()).decode()}, "an empty picture"),
        ("1 + 1", {"text/html": "<div><script>draw()</script></div>"}, "nothing in output 0"),
        ('quiz("02")', VIEW, None),
        ('quiz("02")', {"text/html": "<p>Questions</p>"}, None),
        ("figures.grid()", {"text/plain": "<Figure size 10x10>"}, "1 explorers and figures, 0 pictures"),
        ("figures.grid()", {"image/png": base64.b64encode(ONE_COLOUR.getvalue()).decode()}, "a figure without a line"),
    ],
)
def test_an_output_that_shows_nothing_is_noticed(source, data, fault):
    cell = new_code_cell(source, outputs=[new_output("display_data", data=data)])
    pages = [by_nbconvert(new_notebook(cells=[cell]), template)[0] for template in TEMPLATES]
    figures = "figures" in source
    for shown in ([on_github(cell.outputs[0])], *pages):
        found = faults(cell, shown, figures)
        assert found and (fault is None or any(said.startswith(fault) for said in found))


def test_a_call_that_draws_is_known_by_what_it_was_imported_from():
    sources = {
        "imports": "from unet_edu.figures import convolution as figures, you_are_here",
        "more": "from unet_edu.figures.loops import walk",
        "module": "x = 3\nfigures.first_window(x)",
        "function": 'you_are_here("02")',
        "other": "walk(3)",
        "not_last": "walk(3)\nx",
        "of_others": "print(3)",
        "magic": "%timeit walk(3)",
    }
    cells = [new_code_cell(source, id=name) for name, source in sources.items()]
    assert cells_with_a_figure(new_notebook(cells=cells)) == {"module", "function", "other"}
