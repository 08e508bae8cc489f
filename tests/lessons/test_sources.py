"""What lessons 06 to 10 say of papers, people and programs is in docs/sources.md, with its source."""

from __future__ import annotations

import re

import nbformat
import pytest

from tests.lessons.claims import missing, parts
from tests.notebooks.execute import ROOT
from tests.notebooks.retarget import current

PAGE = (ROOT / "docs" / "sources.md").read_text()
NUMBERS = ["06", "07", "08", "09", "10"]
lessons = pytest.mark.parametrize("number", NUMBERS)


def section(number: str) -> str:
    return PAGE.split(f"## Lesson {number}\n")[1].split("\n## ")[0]


def links(text: str) -> set[str]:
    """Those that lead to papers, people and programs: not to this course."""
    found = re.findall(r"\]\((https?://[^)\s]+)\)", text)
    return {link for link in found if current(ROOT) not in link}


def path_of(number: str):
    (path,) = (ROOT / "course").glob(f"{number}_*.ipynb")
    return path


@lessons
def test_the_words_on_the_left_are_in_the_lesson(number):
    rows = re.findall(r"^\| (.+) \| .+ \|$", section(number), re.MULTILINE)[1:]
    assert len(rows) > 2 and not missing(rows, parts(path_of(number)))


@lessons
def test_each_link_of_the_lesson_is_in_the_list_and_the_lesson_leads_to_it(number):
    cells = nbformat.read(path_of(number), as_version=4).cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    assert links(text) and links(text) <= links(section(number))
    assert "](../docs/sources.md)" in text


def test_each_lesson_of_the_list_has_its_section():
    assert re.findall(r"^## Lesson (\d\d)$", PAGE, re.MULTILINE) == NUMBERS
