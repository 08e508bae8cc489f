"""How long a lesson takes its reader, and how long its cells are: counted, not felt."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import NamedTuple

import nbformat

from tests.lessons.claims import parts
from tests.notebooks.execute import ROOT
from tests.notebooks.shown import EXPLORERS

WORDS_A_MINUTE = 180
# Minutes for each kind of code cell; a cell is of the first kind whose call it has.
KINDS = {
    "quiz": (5, re.compile(r"\bquiz\(")),
    "turns": (6, re.compile(r"\b(?:turn|check)\(")),
    "explorers": (4, re.compile(rf"\bexplore\.(?:{'|'.join(EXPLORERS)})\(")),
    "guesses": (1.5, re.compile(r"\b(?:guess\(|my_guess = )")),
    "cells": (1 / 3, re.compile(r"\S")),
}
LIMITS = {"00": 20, "03": 45, "05": 55, "08": 50}
LIMIT = 60  # of every other lesson
SAID = re.compile(r"\| (\d+) minutes(?:, and (\d+) for the exercises)?[^|]*\|[^|]*\|$", re.MULTILINE)


class Count(NamedTuple):
    """What takes time in a lesson."""

    words: int
    kinds: dict[str, int]  # how many code cells of each kind
    said: int  # minutes, by the table at its head; 0 without one
    said_exercises: int
    exercises: int  # minutes, by the exercises' own heads

    @property
    def minutes(self) -> float:
        return self.words / WORDS_A_MINUTE + sum(KINDS[kind][0] * number for kind, number in self.kinds.items())

    @property
    def to_say(self) -> int:
        """Rounded up to five minutes."""
        return 5 * math.ceil(self.minutes / 5)


def count(path: Path) -> Count:
    """Count what takes time in a notebook of course/."""
    notebook = nbformat.read(path, as_version=4)
    kinds = dict.fromkeys(KINDS, 0)
    for cell in notebook.cells:
        if cell.cell_type == "code" and cell.source.strip():
            kinds[next(kind for kind, (_, call) in KINDS.items() if call.search(cell.source))] += 1
    words = sum(bool(re.search(r"\w", word)) for part in parts(path) for word in part.text.split())
    said = SAID.search(notebook.cells[0].source)
    return Count(words, kinds, int(said[1]) if said else 0, int(said[2] or 0) if said else 0, _exercises(path.stem[:2]))


def _exercises(number: str) -> int:
    """What the exercises of a lesson say of their own minutes."""
    texts = [path.read_text(encoding="utf-8") for path in ROOT.glob(f"solutions/{number}_*/*.ipynb")]
    return sum(int(minutes) for text in texts for minutes in re.findall(r"Difficulty [●○]+ · (\d+) minutes", text))
