"""The notebooks for nbgrader's formgrader: a place for each score, and nothing of a student's that could run in the
instructor's browser."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbconvert.exporters import HTMLExporter

from tests.grading.test_report import CONVOLUTION, HOSTILE, Page, failed, result, row
from unet_edu.grading.marks.review import NO_ANSWER, place, review


def cells(data: bytes) -> list[Any]:
    notebook = nbformat.reads(data.decode(), as_version=4)
    nbformat.validate(notebook)
    return list(notebook.cells)


@pytest.mark.parametrize(
    "of", [result(), failed(), failed("not submitted", ""), result("needs review", (3, None, 0, 2))]
)
def test_formgrader_has_a_place_for_each_score(of: Any) -> None:
    graded = [cell.metadata.nbgrader for cell in cells(review(row(of=of))) if "nbgrader" in cell.metadata]
    assert [(cell.grade_id, cell.points, cell.grade) for cell in graded] == [
        (CONVOLUTION.cell(exercise), points, True) for exercise, points in CONVOLUTION.points
    ]


def test_a_person_sees_the_code_the_verdict_and_what_it_would_earn() -> None:
    status, code, check, *_ = cells(
        review(row(of=result("needs review", (None, 1, 0, 2), text="def f(): return 1 < 2")))
    )
    assert status.source == "# needs review"
    assert (code.source, check.source) == ("def f(): return 1 < 2", "check(conv2d_naive)")
    assert check.outputs[0].text.splitlines() == [
        "needs review: no points yet, of 3 points",
        "If you accept it: 3",
        "1 of 2 cases from the notebook are right",
        "3 of 6 cases drawn anew are right",
        "Hint: def f(): return 1 < 2",
        "def f(): return 1 < 2",
    ]


def test_a_notebook_under_suspicion_shows_no_points_as_if_given() -> None:
    checks = [cell for cell in cells(review(row(of=result("needs review")))) if "nbgrader" in cell.metadata]
    assert [cell.outputs[0].text.splitlines()[:2] for cell in checks[:2]] == [
        ["right: no points yet, of 3 points", "If you accept it: 3"],
        ["half: no points yet, of 2 points", "If you accept it: 1"],
    ]


def essay(text: Any, **metadata: Any) -> bytes:
    """A notebook with an answer to a question that people mark."""
    nbgrader = {"grade": True, "solution": True, "grade_id": "why", "points": 99, **metadata}
    cell = {"cell_type": "raw", "metadata": {"nbgrader": nbgrader, "raw_mimetype": "text/html"}, "source": text}
    return json.dumps({"cells": [None, {}, {"metadata": []}, cell], "nbformat": 4, "nbformat_minor": 5}).encode()


@pytest.mark.parametrize(
    ("notebook", "text"),
    [
        (essay("Because.\nAnd <b>so</b>."), "Because.\nAnd <b>so</b>."),
        (essay(["Be", "cause.", 7]), "Because."),
        (essay("Because.", grade_id=["why"]), NO_ANSWER),
        (essay(7), ""),
        (b"", NO_ANSWER),
        (b"[" * 100_000, NO_ANSWER),
        (b"{}" * 2_000_000, NO_ANSWER),
        (b'{"cells": 1}', NO_ANSWER),
    ],
)
def test_answers_that_people_mark_are_there(notebook: bytes, text: str) -> None:
    *_, last = cells(review(row(), {"why": 5.0}, notebook))
    assert (last.cell_type, last.source) == ("code", text)
    # the gradebook's, not the student's
    assert (last.metadata.nbgrader.grade_id, last.metadata.nbgrader.points) == ("why", 5.0)


def test_nothing_of_a_student_becomes_part_of_formgraders_page() -> None:
    """formgrader shows what nbconvert makes of the notebook, and nbconvert passes a notebook's HTML through."""
    exporter = HTMLExporter(template_name="basic")

    def tags(text: str) -> set[str]:
        data = review(row(text, result(text=text, notes=(text,))), {"why": 5.0}, essay(text))
        notebook = nbformat.reads(data.decode(), as_version=4)
        return {tag for tag, _ in Page(exporter.from_notebook_node(notebook)[0]).elements}

    plain = tags("words")
    assert {"div", "pre", "span"} <= plain <= {"div", "pre", "span", "a"}
    for text in HOSTILE:
        assert tags(text) <= plain, text


def test_its_place_is_where_formgrader_looks_and_nowhere_else(tmp_path: Path) -> None:
    assert place(tmp_path, row("zoë"), "handout") == tmp_path / "zoë" / "02_convolution" / "handout.ipynb"
    for name in ("..", ".", "../ada", "/etc", "a\\b", "a\0b", "ä" * 200):
        assert place(tmp_path, row(name), "handout") is None
