"""What a person sees in nbgrader's formgrader when they decide about marks: a small notebook a student, written by us.

formgrader shows the notebook in `autograded/STUDENT/ASSIGNMENT`, and a place for points at each of its grade cells. It
shows a notebook's HTML as it is, scripts too, within the instructor's own Jupyter. So no notebook of a student is put
there, and nothing that one showed: only the functions and the answers to questions that are marked by hand, as text,
and our verdicts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from unet_edu.grading.marks.report import Row, certain, number
from unet_edu.grading.notebook import NotebookError, content
from unet_edu.grading.result import Outcome
from unet_edu.grading.text import MOST_SHOWN, one_line, readable

__all__ = ["place", "review"]

LONGEST_FILE_NAME = 255  # bytes, of most systems
NO_ANSWER = "The notebook has no cell of this name."


def review(row: Row, by_hand: Mapping[str, float] | None = None, notebook: bytes = b"") -> bytes:
    """The notebook for formgrader. The same arguments give the same bytes.

    Parameters
    ----------
    row : Row
    by_hand : dict, optional
        Names and points of the gradebook's other cells, which people mark.
    notebook : bytes
        What the student handed in: only the texts of those cells are taken from it.

    Returns
    -------
    bytes
        Each exercise's function as the student wrote it, then the cell that carries its points, with our verdict as its
        output. Then the cells that people mark.
    """
    outcomes = {outcome.exercise: outcome for outcome in row.result.outcomes}
    cells = [_cell("", f"# {row.result.status}", one_line(row.result.reason, MOST_SHOWN))]
    for exercise, points in row.assignment.points:
        name, outcome = row.assignment.cell(exercise), outcomes.get(exercise)
        if outcome and outcome.code:
            cells.append(_cell("", readable(outcome.code)))
        verdict = _verdict(outcome, certain(row.result).get(exercise)) if outcome else ""
        cells.append(_cell(name, f"check({exercise})", verdict, points))
    if by_hand:
        answers = _answers(notebook, by_hand)
        cells += [_cell(name, readable(answers.get(name, NO_ANSWER)), "", points) for name, points in by_hand.items()]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    # 4.4: cells need no ids
    book = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 4}
    return json.dumps(book, indent=1, sort_keys=True).encode()


def place(autograded: Path, row: Row, notebook: str) -> Path | None:
    """Where formgrader looks for a student's notebook. None when the student's name cannot be the name of a folder."""
    name = row.student
    if name in (".", "..") or any(letter in name for letter in "/\\\0") or len(name.encode()) > LONGEST_FILE_NAME:
        return None
    return autograded / name / row.assignment.name / f"{notebook}.ipynb"


def _verdict(outcome: Outcome, earned: float | None) -> str:
    has = "no points yet," if earned is None else number(earned)
    lines = [f"{outcome.verdict}: {has} of {number(outcome.points)} points"]
    if earned is None and outcome.worth is not None:
        lines.append(f"If you accept it: {number(outcome.worth)}")
    lines += [f"{cases} are right" for cases in outcome.cases]
    seen = f"Hint: {outcome.hint}" if outcome.hint else outcome.diagnosis and f"What we see: {outcome.diagnosis}"
    lines += [readable(text) for text in (seen, outcome.message) if text]
    return "\n".join(lines)


def _answers(notebook: bytes, names: Mapping[str, float]) -> dict[str, str]:
    """The texts of the student's cells that bear these names, whatever else is there; none if it cannot be read."""
    try:
        cells = content(notebook).get("cells")
    except NotebookError:
        return {}
    answers: dict[str, str] = {}
    for cell in cells if isinstance(cells, list) else []:
        name = _within(cell, "metadata", "nbgrader", "grade_id")
        source = _within(cell, "source")
        lines = source if isinstance(source, list) else [source]
        if isinstance(name, str) and name in names:
            answers[name] = "".join(line for line in lines if isinstance(line, str))
    return answers


def _within(value: Any, *keys: str) -> Any:
    """What lies in a dictionary in a dictionary …, if they are dictionaries."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _cell(name: str, source: str, output: str = "", points: float | None = None) -> dict[str, Any]:
    """A cell of code, of which nbconvert shows the text and nothing else. With points it is a grade cell."""
    graded = {"cell_type": "code", "grade": True, "grade_id": name, "locked": True, "points": points}
    graded |= {"schema_version": 3, "solution": False, "task": False}
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {} if points is None else {"nbgrader": graded},
        "outputs": [{"name": "stdout", "output_type": "stream", "text": output}] if output else [],
        "source": source,
    }
