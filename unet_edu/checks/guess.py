"""Questions to guess at, in the lessons: first the reader says what comes out, then they see it.

What a notebook stores of a `guess` is the question and its answer, folded away. Wherever a page may run a script, with
Python or without, a field and a button take the place of the fold.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from unet_edu.checks.quiz import as_html

__all__ = ["Guess", "guess"]

SMALLEST_WITH_COMMAS = 10_000

# As in unet_edu.explore.page: all that wait are mounted, each once.
START = """
for (const place of document.querySelectorAll(".unet-guess:not(.is-live)")) {
  place.classList.add("is-live");
  const root = document.createElement("div");
  place.append(root);
  mount(root, JSON.parse(place.querySelector('script[type="application/json"]').textContent));
}"""


class Guess:
    """A question, its answer, and a field to say it first. As the last line of a notebook's cell it shows itself."""

    def __init__(
        self,
        question: str,
        answer: ArrayLike | str,
        *,
        near: float = 0,
        choices: Sequence[str] | None = None,
        why: str = "",
    ) -> None:
        if not question.strip():
            raise ValueError(f"question: expected words, got {question!r}")
        self.question, self.why, self.near = question, why, near
        self.choices = None if choices is None else [str(choice) for choice in choices]
        self.numbers = [] if isinstance(answer, str) else _numbers(answer)
        self.answer = answer if isinstance(answer, str) else ", ".join(map(_written, self.numbers))
        if not self.answer.strip():
            raise ValueError(f"answer: expected a number, several or words, got {answer!r}")
        if self.choices is not None:
            _expect_choices(self.choices, self.answer)
        if not (math.isfinite(near) and near >= 0):
            raise ValueError(f"near: expected a number of at least 0, got {near!r}")
        if near and (self.choices or not self.numbers):
            raise ValueError(f"near: expected 0, as no word is near another, got {near!r}")

    def __repr__(self) -> str:
        choices = [f"  {choice}" for choice in self.choices or ()]
        return "\n".join([self.question, *choices, f"The answer: {self.answer}.", *([self.why] if self.why else [])])

    def _repr_html_(self) -> str:
        from unet_edu.explore import page  # not at the top: a grader needs no notebook tools

        choices = "".join(f"<li>{as_html(choice)}</li>" for choice in self.choices or ())
        why = as_html(self.why)
        asked: dict[str, Any] = {
            "question": _plain(self.question),
            "answer": _plain(self.answer),
            "why": why,
            "near": self.near,
        }
        if self.choices:
            asked["choices"] = [{"text": _plain(choice), "html": as_html(choice)} for choice in self.choices]
        elif self.numbers:
            asked["numbers"] = self.numbers
        stored = json.dumps(asked, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
        return "\n".join(
            [
                '<div class="unet-guess">',
                f"<p><strong>Guess:</strong> {as_html(self.question)}</p>",
                *([f"<ul>{choices}</ul>"] if choices else []),
                f"<details><summary>The answer</summary><strong>{as_html(self.answer)}.</strong> {why}</details>",
                f'<script type="application/json">{stored}</script>',
                f"<style>{(page.HERE / 'guess.css').read_text()}</style>",
                f"<script>(() => {{\n{page.bundled('guess.js')}\n{START}\n}})();</script>",
                "</div>",
            ]
        )


def guess(
    question: str, answer: ArrayLike | str, *, near: float = 0, choices: Sequence[str] | None = None, why: str = ""
) -> Guess:
    """Ask the reader of a lesson what comes out, before it is shown. Nothing is graded.

    Parameters
    ----------
    question : str
        `code` may stand between backticks.
    answer : number, sequence of numbers, or str
    near : float
        A guess that is off by no more than this, in each number, is called close.
    choices : sequence of str, optional
        What to choose from; the answer is one of them. Without, the reader writes numbers or a word.
    why : str
        One or two sentences that are shown with the answer.

    Returns
    -------
    Guess
        As the last line of a notebook's cell it shows itself.

    Raises
    ------
    ValueError
        When there is no question, no answer, or the answer is none of the choices.

    Examples
    --------
    >>> guess("How many places has a 3×3 kernel in a 4×4 image?", 4, near=1, why="Two rows, two columns.")
    How many places has a 3×3 kernel in a 4×4 image?
    The answer: 4.
    Two rows, two columns.
    """
    return Guess(question, answer, near=near, choices=choices, why=why)


def _expect_choices(choices: Sequence[str], answer: str) -> None:
    if len(choices) < 2 or len(set(choices)) < len(choices):
        raise ValueError(f"choices: expected at least two, all different, got {choices}")
    if answer not in choices:
        raise ValueError(f"answer: expected one of the choices {choices}, got {answer!r}")


def _numbers(answer: ArrayLike) -> list[float]:
    """As a reader writes them: whole numbers are exact, others have four digits."""
    numbers = np.atleast_1d(np.asarray(answer, dtype=np.float64)).ravel()
    if not numbers.size or not np.isfinite(numbers).all():
        raise ValueError(f"answer: expected numbers, got {answer!r}")
    return [int(number) if number.is_integer() else float(f"{number:.4g}") for number in numbers.tolist()]


def _written(number: float) -> str:
    written = f"{number:,}" if abs(number) >= SMALLEST_WITH_COMMAS else str(number)
    return written.replace("-", "−")


def _plain(text: str) -> str:
    """Without the marks of code, on one line."""
    return " ".join(text.replace("`", "").split())
