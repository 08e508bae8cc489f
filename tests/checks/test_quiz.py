"""The quick questions: valid by construction, the same by buttons and by text, and readable where nothing runs."""

import collections
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import nbformat
import pytest

import unet_edu
from tests.notebooks.execute import ROOT, execute
from tests.patience import PATIENCE_S
from unet_edu import quiz
from unet_edu.checks.quiz import LETTERS, Option, Question, Quiz, _Buttons, parse
from unet_edu.lessons import LESSONS
from unet_edu.lessons.lesson import QUIZZES as FILES

QUIZZES = {lesson.number: lesson.quiz for lesson in LESSONS}
each_quiz = pytest.mark.parametrize("questions", QUIZZES.values(), ids=QUIZZES)

RIGHT = Option("one", "Count it.")
WRONG = Option("two", "That counts it twice.", "counted twice")
ANOTHER = Option("three", "That counts it three times.", "counted three times")


def answers(questions):
    """Every answer to every question, and its place: (question, letter, option)."""
    for number, question in enumerate(questions.questions, 1):
        for letter, option in zip(LETTERS, question.options, strict=False):
            yield number, letter, option


def words(page: str) -> str:
    """What a page says, without its marks."""
    return plain("".join(ET.fromstring(page.replace("<br/>", " ")).itertext()))


def plain(text: str) -> str:
    return " ".join(text.replace("`", "").split())


# --- what a quiz must be ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((RIGHT,), "expected 2 to 6, got 1"),
        ((RIGHT, *(Option(f"{n}", f"No, not {n}.", f"took {n}") for n in range(6))), "expected 2 to 6, got 7"),
        ((WRONG, ANOTHER), "the right one, got 0"),
        ((RIGHT, Option("two", "Count it again."), WRONG), "the right one, got 2"),
        ((RIGHT, Option("one", "That is something else.", "another")), "its own text"),
        ((RIGHT, Option("two", "Count it.", "another")), "its own why"),
        ((RIGHT, WRONG, Option("three", "That is something else.", "counted twice")), "its own misconception"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_question_cannot_be_made_into_one(options, message):
    with pytest.raises(ValueError, match=f"^options: .*{message}"):
        Question("How many?", options)


@pytest.mark.parametrize(
    "make", [lambda: Option(" ", "Why."), lambda: Option("one", ""), lambda: Question("", (RIGHT, WRONG))]
)
def test_words_are_expected_where_words_belong(make):
    with pytest.raises(ValueError, match="expected words"):
        make()


def test_a_quiz_has_a_lesson_and_questions():
    with pytest.raises(ValueError, match="lesson: expected two digits"):
        Quiz("4", (Question("How many?", (RIGHT, WRONG)),))
    with pytest.raises(ValueError, match="questions: expected at least one"):
        Quiz("04", ())


# As a teacher writes them: a file a lesson, in unet_edu/lessons/quizzes.

FILE = """# Quick questions of lesson 04

## How many?

- [x] one
  - why: Count it.
- [ ] two
  - mistake: counted twice
  - why: That counts it twice.
"""


def test_a_file_is_read_as_it_is_written():
    asked = Quiz("04", (Question("How many?", (RIGHT, WRONG)),))
    assert parse(FILE, "04.md") == parse(FILE.replace("\n", "  \n\n"), "04.md") == asked


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (FILE, "", "ends after line 0, expected “# Quick questions of lesson 02”"),
        (
            "# Quick questions of",
            "# Questions of",
            "line 1: expected “# Quick questions of lesson 02”, got '# Questions",
        ),
        ("lesson 04", "lesson 4", "line 1: expected “# Quick questions of lesson 02”, got"),
        ("## How", "### How", "line 3: expected “## A question”, got '### How many?'"),
        (
            "- [x] one",
            "- [X] one",
            "line 5: expected “- [x] The right answer” or “- [ ] Another answer”, got '- [X] one'",
        ),
        ("  - why: Count it.\n", "", "line 6: expected “  - why: a reason”, got '- [ ] two'"),
        ("  - why: Count it.", "  - why:", "line 6: expected “  - why: a reason”, got '  - why:'"),
        ("  - why: Count it.", "  - mistake: none", "line 6: expected “  - why: a reason”, got '  - mistake: none'"),
        ("  - mistake: counted twice\n", "", "line 8: expected “  - mistake: its name”, got '  - why: That"),
        ("  - mistake", "- mistake", "line 8: expected “  - mistake: its name”, got '- mistake"),
        ("  - why: That counts it twice.\n", "", "ends after line 8, expected “  - why: a reason”"),
        (
            "twice.\n",
            "twice.\nAnd more.\n",
            "line 10: expected “- [x] The right answer” or “- [ ] Another answer” or “## A",
        ),
        (
            "[ ] two\n  - mistake: counted twice",
            "[x] two",
            "line 3: options: expected one without a misconception, the",
        ),
        ("[ ] two", "[ ] one", "line 3: options: expected each with its own text, got ['one', 'one']"),
    ],
    ids=lambda value: value if value.startswith(("line", "ends")) else "",
)
def test_what_is_no_quiz_is_told_with_its_line(old, new, message):
    assert old in FILE
    with pytest.raises(ValueError, match=f"^04.md[,:] {re.escape(message)}"):
        parse(FILE.replace(old, new), "04.md")


def test_each_lesson_has_its_own_quiz():
    assert QUIZZES and list(QUIZZES) == [path.stem for path in sorted(FILES.glob("*"))]
    assert all(questions.lesson == lesson for lesson, questions in QUIZZES.items())
    texts = [question.text for questions in QUIZZES.values() for question in questions.questions]
    assert len(set(texts)) == len(texts)


@each_quiz
def test_it_has_four_or_five_questions_with_marks_that_close(questions):
    assert 4 <= len(questions.questions) <= 5
    for question in questions.questions:
        for text in (question.text, *(part for option in question.options for part in (option.text, option.why))):
            assert text.count("`") % 2 == 0, text
            assert not {"**", "$", "<br"} & {*text.split()}, text  # a quiz knows code, and no other marks


def test_the_right_answer_has_no_usual_place():
    places = collections.Counter(
        letter for questions in QUIZZES.values() for _, letter, option in answers(questions) if option.is_right
    )
    assert len(places) >= 3
    assert max(places.values()) <= 0.5 * places.total()
    for lesson, questions in QUIZZES.items():
        assert len({letter for _, letter, option in answers(questions) if option.is_right}) >= 3, lesson


# --- answering --------------------------------------------------------------------------------------------------------


@each_quiz
def test_each_answer_gets_its_verdict_and_its_reason(questions, capsys):
    for number, letter, option in answers(questions):
        quiz(questions.lesson).answer(number, letter)
        verdict = f"✓ ({letter}) is right." if option.is_right else f"✗ ({letter}) is not right."
        assert capsys.readouterr().out == f"{verdict} {option.why}\n"


@each_quiz
def test_each_button_gives_the_verdict_of_the_text(questions, capsys):
    shown = _Buttons(questions)
    for number, letter, option in answers(questions):
        button = shown.buttons[number - 1][LETTERS.index(letter)]
        label = button.description
        assert label.startswith(f"({letter}) ") and "`" not in label
        for _ in range(2):  # a second click says the same, and marks the button no second time
            button.click()
            questions.answer(number, letter)
            page = shown.feedback[number - 1].value
            assert words(page) == " ".join(capsys.readouterr().out.replace("`", "").split())
            assert ET.fromstring(page).get("role") == "alert"
            assert button.description == f"{'✓' if option.is_right else '✗'} {label}"
    assert shown.score.value == f"<strong>{len(questions.questions)} of {len(questions.questions)} right</strong>"


def test_wrong_answers_may_be_tried_again_and_right_ones_stay():
    shown = _Buttons(Quiz("04", (Question("How many?", (RIGHT, WRONG, ANOTHER)), Question("Again?", (WRONG, RIGHT)))))
    scores = []
    for question, option in ((0, 1), (0, 2), (0, 0), (0, 1), (1, 0), (1, 1)):
        shown.buttons[question][option].click()
        scores.append(words(shown.score.value))
    assert scores == [*["0 of 2 right"] * 2, *["1 of 2 right"] * 3, "2 of 2 right"]


@pytest.mark.parametrize("letter", ["b", "B", " b ", "(b)"])
def test_a_letter_may_be_written_as_people_write(letter, capsys):
    quiz("02").answer(2, letter)
    assert capsys.readouterr().out.startswith("✓ (b)")


@pytest.mark.parametrize(
    ("question", "letter", "error", "message"),
    [
        (9, "a", ValueError, "question: expected 1 to 4, got 9"),
        (0, "a", ValueError, "question: expected an int of at least 1, got 0"),
        ("b", 2, TypeError, "question: expected an int, got 'b'"),
        (1, "z", ValueError, "letter: expected one of a, b, c, d, .*, got 'z'"),
        (3, "d", ValueError, "letter: expected one of a, b, c, "),
        (1, "", ValueError, "letter: .* got ''"),
        (1, "ab", ValueError, "letter: .* got 'ab'"),
        (1, None, ValueError, "letter: .* got None"),
    ],
)
def test_what_cannot_be_answered_is_told(question, letter, error, message):
    four = Quiz("04", quiz("02").questions[:4])
    with pytest.raises(error, match=message):
        four.answer(question, letter)


@pytest.mark.parametrize("lesson", ["99", 2, "2", None])
def test_an_unknown_lesson_is_told_with_the_known_ones(lesson):
    with pytest.raises(ValueError, match='lesson: expected one of .*"02".*, got'):
        quiz(lesson)


def test_the_function_and_its_module_do_not_hide_each_other():
    import unet_edu.checks.quiz as module

    assert callable(unet_edu.quiz) and module.quiz is unet_edu.quiz is quiz
    assert "quiz" in unet_edu.__all__


def test_answers_in_text_need_no_notebook_tools():
    code = (
        "import sys; from unet_edu import quiz; quiz('02').answer(1, 'a'); repr(quiz('02')); quiz('02')._repr_html_();"
        "print(sorted({'torch', 'matplotlib', 'IPython', 'ipywidgets', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE_S, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


# --- where nothing runs -----------------------------------------------------------------------------------------------


@each_quiz
def test_the_page_has_all_and_gives_nothing_away_at_once(questions):
    page = questions._repr_html_()
    assert page == questions._repr_html_()
    root = ET.fromstring(page.replace("<br/>", " "))
    assert not {element.tag for element in root.iter()} & {"script", "style", "iframe", "form", "input", "button"}
    folds = root.findall("details")
    assert [fold.find("summary").text for fold in folds] == [f"Answer {n + 1}" for n in range(len(questions.questions))]
    for fold, question in zip(folds, questions.questions, strict=True):
        inside = plain("".join(fold.itertext()))
        assert all(plain(option.why) in inside for option in question.options)
        root.remove(fold)
    unfolded = plain("".join(root.itertext()))
    assert not {"✓", "✗"} & {*unfolded}
    for number, question in enumerate(questions.questions, 1):
        assert f"{number}. {plain(question.text)}" in unfolded
        assert all(
            f"({letter}) {plain(option.text)}" in unfolded for _, letter, option in answers(Quiz("00", (question,)))
        )
    assert f'quiz("{questions.lesson}").answer(1, "a")' in unfolded


@each_quiz
def test_the_plain_text_has_all_and_gives_nothing_away(questions):
    text = repr(questions)
    assert text == repr(questions) and not {"✓", "✗"} & {*text}
    assert all(f"({letter}) {option.text}" in text for _, letter, option in answers(questions))
    assert f'quiz("{questions.lesson}").answer(1, "a")' in text


def test_what_looks_like_markup_is_shown_as_it_is():
    odd = Quiz("04", (Question("Is 1 < 2 & <b>?", (Option("`a<b`", "Yes: `<`."), WRONG)),))
    assert "Is 1 < 2 & <b>?" in words(odd._repr_html_())
    assert [code.text for code in ET.fromstring(odd._repr_html_()).iter("code")][:2] == ["a<b", "<"]
    shown = _Buttons(odd)
    shown.buttons[0][0].click()
    assert "&lt;" in shown.feedback[0].value and shown.buttons[0][0].description == "✓ (a) a<b"


def test_a_stored_notebook_keeps_its_text_and_no_dead_buttons(tmp_path):
    path = tmp_path / "lesson.ipynb"
    cell = nbformat.v4.new_code_cell('from unet_edu import quiz\n\nquiz("02")', id="quiz")
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
    execute(path)
    first = path.read_bytes()
    still, line, live = (output.data for output in nbformat.read(path, as_version=4).cells[0].outputs)
    assert still == {"text/html": quiz("02")._repr_html_(), "text/plain": repr(quiz("02"))}
    assert "unet-run" in line["text/html"] and live == {"text/plain": ""}
    execute(path)
    assert path.read_bytes() == first


def test_each_lesson_that_has_a_quiz_shows_it():
    for lesson in QUIZZES:
        (path,) = ROOT.glob(f"course/{lesson}_*.ipynb")
        cells = nbformat.read(path, as_version=4).cells
        assert sum(cell.source.strip() == f'quiz("{lesson}")' for cell in cells) == 1, path


# --- in a browser -----------------------------------------------------------------------------------------------------


@pytest.mark.needs("chromium")
def test_it_can_be_answered_with_the_keyboard_alone(tmp_path):
    from tests.explorers.browser import chromium, jupyterlab, open_and_run

    home, folder = tmp_path / "home", tmp_path / "notebooks"
    folder.mkdir()
    cell = nbformat.v4.new_code_cell('from unet_edu import quiz\n\nquiz("02")')
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}  # or JupyterLab would ask
    nbformat.write(nbformat.v4.new_notebook(cells=[cell], metadata=kernel), folder / "lesson.ipynb")
    with chromium() as browser, jupyterlab(home, root=folder) as lab:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        open_and_run(page, lab, "lesson.ipynb")
        shown = page.locator(".unet-quiz")
        shown.get_by_role("button", name="(a) 54").focus()
        page.keyboard.press("Enter")
        shown.get_by_role("alert").get_by_text("(a) is not right").wait_for()
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
        shown.get_by_role("alert").get_by_text("(c) is right").wait_for()
        shown.get_by_text(f"1 of {len(quiz('02').questions)} right").wait_for()
        assert page.evaluate("document.activeElement.textContent") == "✓ (c) 216"  # the next Tab goes on from here
        assert page.locator(".jp-Cell").count() == 1
        page.set_viewport_size({"width": 640, "height": 900})
        for button in shown.get_by_role("button").all():  # all of an answer can be read, in a narrow window too
            assert button.evaluate(
                "node => node.scrollWidth <= node.clientWidth && node.scrollHeight <= node.clientHeight"
            )
