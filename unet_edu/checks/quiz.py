"""The quick questions at the end of a lesson.

A `Quiz` is plain data: questions, and for each answer why it is right or wrong. In a notebook with a kernel it shows
buttons; without one, text that can be read everywhere. `quiz("02").answer(3, "b")` needs no buttons.

Texts may have `code` between backticks and line breaks; all else in them is shown as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from html import escape
from typing import Any

from unet_edu._arguments import whole
from unet_edu.checks.report import LINES, SYMBOLS

__all__ = ["Option", "Question", "Quiz", "as_html", "quiz"]

LETTERS = "abcdef"

# A button keeps to one short line and cuts the rest off; an answer may need more.
STYLE = (
    "<style>.unet-quiz button.widget-button { height: auto; width: auto; max-width: 60em; margin: 2px 0; padding: "
    ".3em .8em; text-align: left; white-space: normal; line-height: 1.4 } .unet-quiz .widget-html-content { "
    "line-height: 1.5 }</style>"
)


@dataclass(frozen=True)
class Option:
    """One of the answers to choose from.

    Parameters
    ----------
    text : str
    why : str
        Why it is right; or where the mistake lies, for someone who just made it.
    misconception : str
        The mistake's name; the right answer has none.
    """

    text: str
    why: str
    misconception: str = ""

    def __post_init__(self) -> None:
        for name in ("text", "why"):
            if not getattr(self, name).strip():
                raise ValueError(f"{name}: expected words, got {getattr(self, name)!r}")

    @property
    def is_right(self) -> bool:
        return not self.misconception


@dataclass(frozen=True)
class Question:
    """A question and two to six answers, of which exactly one is right.

    Raises
    ------
    ValueError
        When it is not so, or when two answers have the same text, the same reason or the same misconception.
    """

    text: str
    options: tuple[Option, ...]

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise ValueError(f"text: expected words, got {self.text!r}")
        if not 2 <= len(self.options) <= len(LETTERS):
            raise ValueError(f"options: expected 2 to {len(LETTERS)}, got {len(self.options)}")
        right = sum(option.is_right for option in self.options)
        if right != 1:
            raise ValueError(f"options: expected one without a misconception, the right one, got {right}")
        for name in ("text", "why", "misconception"):
            values = [getattr(option, name) for option in self.options]
            if len(set(values)) < len(values):
                raise ValueError(f"options: expected each with its own {name}, got {values}")

    def option(self, letter: str) -> tuple[str, Option]:
        """The letter as it stands in the quiz, and its option."""
        letters = LETTERS[: len(self.options)]
        found = str(letter).strip().strip("()").lower()
        if len(found) != 1 or found not in letters:
            raise ValueError(f'letter: expected one of {", ".join(letters)}, as in answer(1, "a"), got {letter!r}')
        return found, self.options[letters.index(found)]


@dataclass(frozen=True)
class Quiz:
    """The questions of a lesson. As the last line of a notebook's cell it shows itself.

    Parameters
    ----------
    lesson : str
        The lesson's number, as in "04".
    questions : tuple of Question
    """

    lesson: str
    questions: tuple[Question, ...]

    def __post_init__(self) -> None:
        if not re.fullmatch(r"\d\d", self.lesson):
            raise ValueError(f'lesson: expected two digits, as in "04", got {self.lesson!r}')
        if not self.questions:
            raise ValueError("questions: expected at least one, got none")

    def answer(self, question: int, letter: str) -> None:
        """Print whether an answer is right, and why: `quiz("04").answer(2, "b")`.

        Raises
        ------
        ValueError, TypeError
            When there is no such question or no such answer.
        """
        number = whole("question", question, 1)
        if number > len(self.questions):
            raise ValueError(f"question: expected 1 to {len(self.questions)}, got {number}")
        print(_verdict(*self.questions[number - 1].option(letter)))

    def __repr__(self) -> str:
        parts = [f"Quick questions of lesson {self.lesson}"]
        for number, question in enumerate(self.questions, 1):
            options = [f"  ({letter}) {option.text}" for letter, option in _lettered(question)]
            parts.append("\n".join([f"{number}. {question.text}", *options]))
        return "\n\n".join([*parts, self._how_to_answer()])

    def _repr_html_(self) -> str:
        """For where nothing runs: no script, and each answer behind a fold."""
        parts = [_static(number, question) for number, question in enumerate(self.questions, 1)]
        return "\n".join(["<div>", *parts, f"<p>{as_html(self._how_to_answer())}</p>", "</div>"])

    def _ipython_display_(self) -> None:
        """Text for everyone, and buttons for whoever has a kernel, which hide the text. Each time it starts afresh."""
        from IPython.display import display  # not at the top: answers in plain text need no notebook tools

        from unet_edu.explore.live import show_live

        display({"text/html": self._repr_html_(), "text/plain": repr(self)}, raw=True)
        show_live(_Buttons(self).widget, "To answer with buttons")

    def _how_to_answer(self) -> str:
        return f'To answer without buttons, write for example `quiz("{self.lesson}").answer(1, "a")` in a cell.'


def quiz(lesson: str) -> Quiz:
    """The quick questions of a lesson.

    Parameters
    ----------
    lesson : str
        Its number, as in "04".

    Returns
    -------
    Quiz
        As the last line of a notebook's cell it shows itself.

    Raises
    ------
    ValueError
        When there is no quiz of that lesson.
    """
    from unet_edu.lessons import LESSONS  # not at the top: a lesson's quiz is made of the classes above

    lessons = {each.number: each for each in LESSONS}
    if lesson not in lessons:
        known = ", ".join(f'"{name}"' for name in lessons)
        raise ValueError(f"lesson: expected one of {known}, got {lesson!r}")
    return lessons[lesson].quiz


LINES_OF_A_FILE = {  # what each kind of line looks like, and what it is read by
    "title": ("# Quick questions of lesson 02", re.compile(r"# Quick questions of lesson (\d\d)")),
    "question": ("## A question", re.compile(r"## (\S.*)")),
    "right": ("- [x] The right answer", re.compile(r"- \[x\] (\S.*)")),
    "wrong": ("- [ ] Another answer", re.compile(r"- \[ \] (\S.*)")),
    "mistake": ("  - mistake: its name", re.compile(r"  - mistake: (\S.*)")),
    "why": ("  - why: a reason", re.compile(r"  - why: (\S.*)")),
}
FOLLOWING = {
    "": ("title",),
    "title": ("question",),
    "question": ("right", "wrong"),
    "right": ("why",),
    "wrong": ("mistake",),
    "mistake": ("why",),
    "why": ("right", "wrong", "question"),
}


def parse(text: str, name: str) -> Quiz:
    """Read the quick questions of a lesson from Markdown: `unet_edu/lessons/quizzes` has them.

    Parameters
    ----------
    text : str
        In each question the right answer has an x and a reason; each of the others the name of a mistake, too.
    name : str
        Of the file, for the errors.

    Raises
    ------
    ValueError
        When a line is not what can follow there, or a question is none. It names the line.
    """
    kind, number, lesson, asked = "", 0, "", list[tuple[int, str, list[dict[str, str]]]]()
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        found = {each: LINES_OF_A_FILE[each][1].fullmatch(line.rstrip()) for each in FOLLOWING[kind]}
        kind, match = next(((each, match) for each, match in found.items() if match), ("", None))
        if match is None:
            raise ValueError(f"{name}, line {number}: expected {_either(found)}, got {line!r}")
        if kind == "title":
            lesson = match[1]
        elif kind == "question":
            asked.append((number, match[1], []))
        elif kind in ("right", "wrong"):
            asked[-1][2].append({"text": match[1]})
        else:
            asked[-1][2][-1]["misconception" if kind == "mistake" else kind] = match[1]
    if kind != "why":
        raise ValueError(f"{name}: ends after line {number}, expected {_either(FOLLOWING[kind])}")
    questions = []
    for number, question, options in asked:
        try:
            questions.append(Question(question, tuple(Option(**option) for option in options)))
        except ValueError as error:
            raise ValueError(f"{name}, line {number}: {error}") from None
    return Quiz(lesson, tuple(questions))


def _either(kinds: Iterable[str]) -> str:
    return " or ".join(f"“{LINES_OF_A_FILE[kind][0]}”" for kind in kinds)


class _Buttons:
    """The questions as ipywidgets, all that has been answered included. A button takes Tab, Enter and the space bar."""

    def __init__(self, quiz: Quiz) -> None:
        import ipywidgets  # not at the top: answers in plain text need no notebook tools

        self.quiz = quiz
        self.right: set[int] = set()  # the numbers of the questions whose right answer was chosen
        self.score = ipywidgets.HTML()
        self.feedback = [ipywidgets.HTML() for _ in quiz.questions]
        self.buttons: list[list[ipywidgets.Button]] = []
        children: list[ipywidgets.Widget] = [ipywidgets.HTML(STYLE)]
        for number, question in enumerate(quiz.questions):
            self.buttons.append(
                [
                    ipywidgets.Button(
                        description=_label(letter, option), tooltip=f"answer ({letter}) to question {number + 1}"
                    )
                    for letter, option in _lettered(question)
                ]
            )
            for button, (letter, option) in zip(self.buttons[-1], _lettered(question), strict=True):
                button.on_click(partial(self._choose, number, letter, option))  # which hands the button over, too
            text = ipywidgets.HTML(f"<strong>{number + 1}.</strong> {as_html(question.text)}")
            parts = [text, *self.buttons[-1], self.feedback[number]]
            children.append(ipywidgets.VBox(parts, layout={"margin": "0 0 1em 0", "align_items": "flex-start"}))
        self._count()
        self.widget = ipywidgets.VBox([*children, self.score])
        self.widget.add_class("unet-quiz")

    def _choose(self, number: int, letter: str, option: Option, button: Any) -> None:
        if option.is_right:
            self.right.add(number)
        status = "passed" if option.is_right else "failed"
        if not button.description.startswith(SYMBOLS[status]):
            button.description = f"{SYMBOLS[status]} {button.description}"
        # An alert, because this element is new each time: screen readers may pass over a new one whose role is
        # "status".
        style = f"border-left:4px solid {LINES[status]};padding-left:.6em;max-width:60em"
        self.feedback[number].value = f'<div role="alert" style="{style}">{as_html(_verdict(letter, option))}</div>'
        self._count()

    def _count(self) -> None:
        self.score.value = f"<strong>{len(self.right)} of {len(self.quiz.questions)} right</strong>"


def _lettered(question: Question) -> Iterable[tuple[str, Option]]:
    return zip(LETTERS, question.options, strict=False)


def _label(letter: str, option: Option) -> str:
    """What stands on a button: plain letters, on one line."""
    return f"({letter}) {' '.join(option.text.replace('`', '').split())}"


def _verdict(letter: str, option: Option) -> str:
    if option.is_right:
        return f"{SYMBOLS['passed']} ({letter}) is right. {option.why}"
    return f"{SYMBOLS['failed']} ({letter}) is not right. {option.why}"


def _static(number: int, question: Question) -> str:
    options = [f"({letter}) {as_html(option.text)}" for letter, option in _lettered(question)]
    reasons = [as_html(_verdict(letter, option)) for letter, option in _lettered(question)]
    return "\n".join(
        [
            f'<p style="margin-top:1em"><strong>{number}.</strong> {as_html(question.text)}</p>',
            _list(options),
            f"<details><summary>Answer {number}</summary>",
            _list(reasons),
            "</details>",
        ]
    )


def _list(items: list[str]) -> str:
    return "\n".join(['<ul style="list-style:none">', *(f"<li>{item}</li>" for item in items), "</ul>"])


def as_html(text: str) -> str:
    """Words with `code` between backticks and line breaks, and nothing else that means anything."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text)).replace("\n", "<br/>")
