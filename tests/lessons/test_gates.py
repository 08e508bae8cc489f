"""What a lesson that has its claims here must be: its cells are short, nothing is proven in view, its minutes true."""

from __future__ import annotations

import ast
import importlib
import re
import statistics
from pathlib import Path

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager

from tests.lessons.claims import asked, missing, parts, path_of, plain, unclaimed
from tests.lessons.minutes import LIMIT, LIMITS, count

HERE = Path(__file__).parent
WITH_CLAIMS = sorted([*HERE.glob("test_[0-9][0-9].py"), *HERE.glob("test_side_*.py")])
LESSONS = [test for test in WITH_CLAIMS if not test.stem.startswith("test_side")]
MOST_LINES, MEDIAN = 12, 6
TURNS = 3
# as unet_edu.figures.shown.digest writes it
DIGEST = re.compile(r"shape \([\d, ]*\), from \S+ to \S+, mean ")
OLD = re.compile(r"\bmy_guess\b|\bcompare\(|\bexplore\.show\(|figures\.panels\b|Clear (?:All )?Outputs", re.IGNORECASE)

each = pytest.mark.parametrize("test", WITH_CLAIMS, ids=lambda test: test.stem)
each_lesson = pytest.mark.parametrize("test", LESSONS, ids=lambda test: test.stem)


def code(test: Path) -> list[str]:
    cells = nbformat.read(path_of(test), as_version=4).cells
    return [cell.source for cell in cells if cell.cell_type == "code" and cell.source.strip()]


def claims(test: Path) -> list[str]:
    module = importlib.import_module(f"tests.lessons.{test.stem}")
    return [words for each in vars(module).values() for words in getattr(each, "claims", ())]


# ------------------------------------------------------------------------------------------------------------ the page


@each
def test_a_code_cell_has_one_idea(test):
    lines = [sum(bool(line.strip()) for line in source.splitlines()) for source in code(test)]
    assert {max(0, number - MOST_LINES) for number in lines} == {0}, [
        source for source, number in zip(code(test), lines, strict=True) if number > MOST_LINES
    ]
    assert statistics.median(lines) <= MEDIAN


@each
def test_nothing_is_proven_in_view(test):
    trees = [ast.parse(TransformerManager().transform_cell(source)) for source in code(test)]
    assert trees and not [
        ast.unparse(node) for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Assert)
    ]


@each
def test_nothing_of_before_is_left(test):
    cells = nbformat.read(path_of(test), as_version=4).cells
    assert not [found[0] for cell in cells for found in OLD.finditer(cell.source)]


@each
def test_no_reader_sees_a_digest(test):
    for cell in nbformat.read(path_of(test), as_version=4).cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            seen = [output.get("text", ""), data.get("text/html", "")]
            seen += [] if {"text/html", "image/png"} & {*data} else [data.get("text/plain", "")]
            assert not DIGEST.search("\n".join(seen)), cell.source


@each_lesson
def test_it_says_where_it_stands_in_the_network(test):
    number = test.stem.removeprefix("test_")
    assert [source.strip() for source in code(test) if "you_are_here(" in source] == [f'you_are_here("{number}")']


@each_lesson
def test_its_reader_writes_code_where_the_idea_is_fresh(test):
    notebook = nbformat.read(path_of(test), as_version=4)
    sent = [cell for cell in notebook.cells if re.search(r"^\*\*Exercise \d+ now\*\*", cell.source, re.MULTILINE)]
    turns = count(path_of(test)).kinds["turns"]
    assert len(sent) + turns >= TURNS or test.stem == "test_00"


@each_lesson
def test_its_minutes_are_those_of_the_count(test):
    number, counted = test.stem.removeprefix("test_"), count(path_of(test))
    assert counted.minutes <= counted.said <= LIMITS.get(number, LIMIT), f"{counted.minutes:.1f} minutes"
    assert counted.said == counted.to_say
    assert counted.said_exercises == counted.exercises


# ---------------------------------------------------------------------------------------------------------- the claims


@each
def test_its_claims_are_in_the_lesson(test):
    assert claims(test) and not missing(claims(test), parts(path_of(test)))


@each
def test_each_number_of_the_prose_is_claimed(test):
    assert not unclaimed(claims(test), parts(path_of(test)))


@each
def test_an_answer_that_is_not_computed_is_claimed(test):
    claimed = [plain(words).text.strip() for words in claims(test)]
    for source in code(test):
        for question in asked(source):
            words = plain(question.words).text
            assert not question.is_literal or any(claim in words for claim in claimed), question.question
