"""What README.md, CONTRIBUTING.md and the pages of docs/ point to is there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
COLAB = PROJECT["urls"]["Repository"].replace("https://github.com/", "https://colab.research.google.com/github/")

PAGES = ["README.md", "CONTRIBUTING.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))]
documents = pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])


def anchors(text: str) -> set[str]:
    """The names that GitHub gives to headings."""
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("document", PAGES)
def test_links_lead_somewhere(document):
    links = re.findall(r"\]\(([^)\s]+)\)", (ROOT / document).read_text())
    assert links or document == "docs/training.md"  # which has none
    for link in links:
        folder = (ROOT / document).parent
        if link.startswith(COLAB):
            folder, link = ROOT, link.removeprefix(f"{COLAB}/blob/main/")
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = folder / path if path else ROOT / document
        assert target.exists(), link
        assert not anchor or anchor in anchors(target.read_text()), link


def test_a_link_to_colab_in_words_leads_somewhere():
    (link,) = re.findall(rf"`({COLAB}[^`]+)`", (ROOT / "docs" / "instructors.md").read_text())
    assert (ROOT / link.removeprefix(f"{COLAB}/blob/main/")).exists()


@documents
def test_paths_in_code_exist(document):
    text = (ROOT / document).read_text()
    spans = [*re.findall(r"`([^`\n]+)`", text), *re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)]
    ours = "|".join(
        sorted(path.name for path in ROOT.iterdir() if path.is_dir() and path.name not in (".git", ".venv"))
    )
    paths = {path for span in spans for path in re.findall(rf"(?<![\w./:-])((?:{ours})/[\w./-]*)", span)}
    assert paths
    assert not {path for path in paths if not (ROOT / path).exists()}


@documents
def test_make_knows_every_command(document):
    targets = set(re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = (ROOT / document).read_text()
    commands = set(re.findall(r"(?:^|`)make ([a-z]+)", text, re.MULTILINE))
    assert commands and commands <= targets


def test_every_lesson_is_in_the_table():
    lessons = sorted((ROOT / "course").glob("*.ipynb"))
    assert lessons
    rows = [line for line in README.splitlines() if line.startswith("|")]
    for lesson in lessons:
        assert any(
            f"](course/{lesson.name})" in row and f"{COLAB}/blob/main/course/{lesson.name}" in row for row in rows
        )


def test_every_picture_has_words():
    assert re.search(r"!\[\w[^\]]+\]\(docs/images/", README)
    assert "![](" not in README
