"""The guesses of the lessons: what is asked, what is said to a guess, and what stands there where nothing runs."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET

import nbformat
import numpy as np
import pytest

import unet_edu
from tests.explorers.in_node import called
from tests.notebooks.execute import execute
from tests.patience import PATIENCE_S
from unet_edu import guess

BLUR = guess("What does `box` give?", [0, 0.5], near=0.1, why="The sum is `1`.")
SIDE = guess("Which <side>?", "left", choices=["left", "`right`"], why="It is darker.")


def still(html: str) -> ET.Element:
    """What is left where no script runs."""
    root = ET.fromstring(html.split('<script type="application/json">')[0] + "</div>")
    assert not {element.tag for element in root.iter()} - {
        "div",
        "p",
        "strong",
        "code",
        "ul",
        "li",
        "details",
        "summary",
    }
    return root


# ------------------------------------------------------------------------------------------------------ what is asked


@pytest.mark.parametrize(
    "asked, message",
    [
        (lambda: guess(" ", 1), "question: expected words"),
        (lambda: guess("How many?", []), "answer: expected numbers"),
        (lambda: guess("How many?", np.nan), "answer: expected numbers"),
        (lambda: guess("Who?", ""), "answer: expected"),
        (lambda: guess("How many?", 1, near=-1), "near: expected a number of at least 0"),
        (lambda: guess("Who?", "I", near=1), "near: expected 0"),
        (lambda: guess("Who?", "I", choices=["I"]), "choices: expected at least two"),
        (lambda: guess("Who?", "I", choices=["I", "I"]), "choices: expected at least two, all different"),
        (lambda: guess("Who?", "I", choices=["you", "they"]), "answer: expected one of the choices"),
        (lambda: guess("Who?", "I", choices=["you", "I"], near=1), "near: expected 0"),
    ],
)
def test_what_cannot_be_asked_is_refused(asked, message):
    with pytest.raises(ValueError, match=message):
        asked()


@pytest.mark.parametrize(
    "answer, written",
    [
        (122, "122"),
        (np.int64(122), "122"),
        (1432.0, "1432"),
        (4_097_000, "4,097,000"),
        (2 / 3, "0.6667"),
        (-3, "−3"),
        ([0, 0.5], "0, 0.5"),
        ((4, 6), "4, 6"),
        (np.array([[2, 1], [4, 4]]), "2, 1, 4, 4"),
        ("left", "left"),
    ],
)
def test_an_answer_is_written_as_a_reader_would(answer, written):
    assert guess("What?", answer).answer == written


def test_a_choice_may_be_a_number():
    assert guess("How many?", 9, choices=[3, 9]).answer == "9"


# ---------------------------------------------------------------------------------------------- what is said to a guess


@pytest.mark.parametrize(
    "numbers, near, said",
    [
        ([122], 5, {"122": "right", " 122.0 ": "right", "125": "near", "116": "wrong", "": "untold", "many": "unread"}),
        ([93], 5, {"93 %": "right", "90%": "near", "93, 5": "unread"}),
        ([-3], 0, {"-3": "right", "−3": "right", "3": "wrong"}),
        ([0.5], 0, {"0.5": "right", "0,5": "right", ".5": "right", "1/2": "right", "50": "wrong", "5e-1": "right"}),
        ([4_097_000], 0, {"4,097,000": "right", "4097000": "right"}),
        ([0.6667], 0.01, {"2/3": "near", "0.67": "near", "0.6667": "right"}),
        (
            [2, 3],
            0,
            {"2, 3": "right", "(2, 3)": "right", "2×3": "right", "[2 3]": "right", "2": "unread", "3, 2": "wrong"},
        ),
        ([0, 0.5], 0.1, {"0 and 0.5": "right", "0, 0.45": "near", "0.5, 0": "wrong"}),
    ],
)
def test_a_number_is_read_as_people_write_it(numbers, near, said, tmp_path):
    asked = {"numbers": numbers, "near": near, "answer": "A"}
    told = called("guess.js", "verdict(given.asked, it)", said, tmp_path, asked=asked)
    assert {text: verdict["kind"] for text, verdict in zip(said, told, strict=True)} == said


def test_words_say_what_was_guessed_and_what_comes_out(tmp_path):
    asked = {"numbers": [122], "near": 5, "answer": "122"}
    told = called("guess.js", "verdict(given.asked, it).words", ["122", "120", "9", "", "x"], tmp_path, asked=asked)
    assert told == [
        "Yes: 122.",
        "Close. Your guess: 120. The answer: 122.",
        "Your guess: 9. The answer: 122.",
        "The answer: 122.",
        "Please write a number.",
    ]


def test_a_word_is_compared_as_words_are(tmp_path):
    told = called("guess.js", "verdict(given.asked, it).kind", ["Up", " up ", "down"], tmp_path, asked={"answer": "up"})
    assert told == ["right", "right", "wrong"]


# --------------------------------------------------------------------------------------------------- where nothing runs


@pytest.mark.parametrize("asked", [BLUR, SIDE], ids=["numbers", "choices"])
def test_the_question_stands_there_with_its_answer_folded_away(asked):
    root = still(asked._repr_html_())
    (fold,) = root.findall("details")
    words = "".join(fold.itertext())
    assert words.startswith(f"The answer{asked.answer}.") and asked.why.replace("`", "") in words
    root.remove(fold)
    assert asked.question.replace("`", "") in "".join(root.itertext())
    assert [item.text or item[0].text for item in root.iter("li")] == [text.strip("`") for text in asked.choices or []]


def test_what_looks_like_markup_is_shown_as_it_is():
    odd = guess("Is 1 < 2 & </script>?", "`a<b`", choices=["`a<b`", "</style>"], why="<b>")
    assert "Is 1 < 2 & </script>?" in "".join(still(odd._repr_html_()).itertext())
    assert odd._repr_html_().count("</script>") == 2


def test_two_runs_store_the_same(tmp_path):
    path = tmp_path / "lesson.ipynb"
    cell = nbformat.v4.new_code_cell('from unet_edu import guess\n\nguess("How many?", 3)', id="guess")
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
    execute(path)
    first = path.read_bytes()
    (output,) = nbformat.read(path, as_version=4).cells[0].outputs
    assert output.data["text/plain"] == "How many?\nThe answer: 3." and 'class="unet-guess"' in output.data["text/html"]
    execute(path)
    assert path.read_bytes() == first


def test_the_function_and_its_module_do_not_hide_each_other():
    import unet_edu.checks.guess as module

    assert callable(unet_edu.guess) and module.guess is unet_edu.guess is guess
    assert "guess" in unet_edu.__all__


def test_to_ask_needs_no_notebook_tools():
    code = "import sys; from unet_edu import guess; guess('How many?', 3); print({'torch', 'IPython'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE_S, check=True)
    assert done.stdout.strip() == "set()"


# --------------------------------------------------------------------------------------------------------- in a browser


@pytest.fixture(scope="module")
def page():
    from tests.explorers.browser import chromium

    with chromium() as browser:
        page = browser.new_page(viewport={"width": 800, "height": 600})
        page.set_content(f"<p>before</p>{BLUR._repr_html_()}{SIDE._repr_html_()}")
        yield page


@pytest.mark.needs("chromium")
def test_a_number_is_guessed_with_the_keyboard_alone(page):
    assert page.get_by_role("group").count() == 1, "the folds are hidden; the choices are a group"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Your guess: What does box give?"
    page.keyboard.type("0, 0.45")
    page.keyboard.press("Enter")
    said = page.get_by_role("status").first
    assert said.inner_text() == "≈ Close. Your guess: 0, 0.45. The answer: 0, 0.5. The sum is 1."
    assert said.locator("code").inner_text() == "1"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "See the answer"


@pytest.mark.needs("chromium")
def test_a_choice_is_made_with_the_keyboard_alone(page):
    page.get_by_role("radio").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    said = page.get_by_role("status").last
    assert said.inner_text() == "Your guess: right. The answer: left. It is darker."
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    assert said.inner_text() == "✓ Yes: left. It is darker."
