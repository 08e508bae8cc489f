"""Where the project is, on this machine and in the world."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

from tests.notebooks import retarget

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# Those pages of the repository that are in the book, beside its notebooks.
DOCUMENTS = [
    "CONTRIBUTING.md",
    "docs/training.md",
    "docs/sources.md",
    "docs/teach.md",
    "docs/instructors.md",
    "docs/project.md",
    "docs/grading-security.md",
]
REPOSITORY = PROJECT["urls"]["Repository"]
BOOK = retarget.book(REPOSITORY.removeprefix(retarget.GITHUB))
CARD = "_static/card.png"  # what others show beside a link to the book
# a release leads to its own tag
REF = "main" if PROJECT["version"].endswith(".dev0") else f"v{PROJECT['version']}"


def on_github(path: Path) -> str:
    """The address of a file or folder of the repository."""
    return f"{REPOSITORY}/{'tree' if path.is_dir() else 'blob'}/{REF}/{path.relative_to(ROOT).as_posix()}"


def on_colab(page: str) -> str:
    """The address that opens a notebook, given by its path in the repository."""
    there = REPOSITORY.replace("https://github.com/", "https://colab.research.google.com/github/")
    return f"{there}/blob/{REF}/{page}"


def relative(target: str, page: str) -> str:
    """From one page of the book to another file of it, both given from its root."""
    return Path(os.path.relpath(target, Path(page).parent)).as_posix()
