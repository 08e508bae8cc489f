"""Which words count as a lesson's, and which numbers must be proven."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from tests.lessons.claims import asked, missing, parts, plain, run, unclaimed


def numbers(markdown: str, *claims: str) -> list[str]:
    """The numbers that must be proven, and are not."""
    return [found.partition(" in “")[0] for found in unclaimed(list(claims), [plain(markdown)])]


@pytest.mark.parametrize(
    "markdown, words",
    [
        ("**One**\nline, *two*.", "One line, two."),
        ("A [link](https://a.b/c_1) and `code`.", "A link and code."),
        ("<details><summary>Answer</summary>\n\nSix.\n\n</details>", " Answer Six. "),
        ("> A quotation.", "A quotation."),
    ],
)
def test_marks_are_no_words(markdown, words):
    assert plain(markdown).text == words


@pytest.mark.parametrize(
    "markdown, found",
    [
        ("It has 90 weights, 1,432 or 0.5 of them, and 93 % or 7%.", ["90", "1,432", "0.5", "93 %", "7%"]),
        ("A 5×5 kernel, 572 → 568.", ["5", "5", "572", "568"]),
        ("The 3×3 kernel, 1×1, 2×2.", []),
        ("A 13×3 kernel and 3×32.", ["13", "3", "3", "32"]),
        ("From 0 to 1, or 10.", ["10"]),
        ("0.1 and 1%", ["0.1", "1%"]),
        ("## 7 · Nine in 9\n\nTen are 10.\n# 11", ["10"]),
        ("1. one\n2. two", []),
        ("As in lesson 04, lessons 06 to 09, sections 2 and 3, exercise 12.", []),
        ("In 2015, by 15 minutes; `x[2]` and $2x$; Conv2d, ISBI-2012; H100.", []),
        ("[Section](https://a.b/12)", []),
        ("lessons [02](02_a.ipynb) and [03](03_b.ipynb); **Next:** [06 · The U-Net](06.ipynb), [07 cells](x)", ["07"]),
        ("| 60 minutes, and 65 for the exercises | Python 3.11 or 3.12.", ["3.12"]),
        ("2048 pixels", ["2048"]),
    ],
)
def test_a_number_of_the_prose_is_one_that_says_something(markdown, found):
    assert numbers(markdown) == found


def test_a_claim_covers_the_numbers_in_its_words():
    text = "It has **90** weights.\nIn all, 92 with biases. Later, 90."
    assert numbers(text, "It has 90 weights.") == ["92", "90"]
    assert numbers(text, "It has 90 weights. In all, 92 with", "Later, 90") == []


def test_a_claim_that_is_not_in_the_lesson_is_told():
    prose = [plain("It has **90**\nweights.")]
    assert missing(["It has 90 weights.", "It has 92"], prose) == ["It has 92"]


def test_a_guess_is_read_as_it_is_written():
    source = 'guess(\n    "How many `x`? "\n    "Guess.", 2, choices=["2", "3"], why="2 of 4.")\n%matplotlib inline'
    (found,) = asked(source)
    assert found.question == "How many `x`? Guess." and found.is_literal
    assert numbers(found.words) == ["2", "4"], "what one may choose is no claim"
    assert not next(asked('guess("How many?", len(x))')).is_literal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    cells = [
        nbformat.v4.new_code_cell("x = 2\nprint(x)"),
        nbformat.v4.new_markdown_cell("A text with 5."),
        nbformat.v4.new_code_cell("from unet_edu import guess\nguess('How many?', x + 1, why='It is 3.')"),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "lesson.ipynb")
    return tmp_path / "lesson.ipynb"


def test_a_lesson_leaves_its_names_its_prints_and_its_guesses(path):
    lesson = run(path)
    assert lesson.x == lesson["x"] == 2 and lesson.printed == "2\n"
    assert lesson.guesses["How many?"].numbers == [3]
    with pytest.raises(AttributeError, match=r"lesson\.ipynb leaves no y"):
        _ = lesson.y


def test_the_prose_of_a_lesson_is_its_markdown_and_its_guesses(path):
    assert [part.text.strip() for part in parts(path)] == ["A text with 5.", "How many? It is 3."]
    assert len(unclaimed(["with 5"], parts(path))) == 1
