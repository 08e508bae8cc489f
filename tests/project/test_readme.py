"""What README.md, CONTRIBUTING.md and the pages of docs/ point to is there."""

from __future__ import annotations

import ast
import functools
import importlib
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager

from tests.lessons.minutes import count
from tests.project.release import ref

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
REPOSITORY = PROJECT["urls"]["Repository"]
REF = ref(PROJECT["version"])
COLAB = f"{REPOSITORY.replace('github.com', 'colab.research.google.com/github')}/blob/{REF}"
KAGGLE = f"https://www.kaggle.com/kernels/welcome?src={REPOSITORY}/blob/{REF}"

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
        if link.startswith((COLAB, KAGGLE)):
            folder, link = ROOT, link.removeprefix(f"{COLAB}/").removeprefix(f"{KAGGLE}/")
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = folder / path if path else ROOT / document
        assert target.exists(), link
        assert not anchor or anchor in anchors(target.read_text()), link


def test_a_link_to_colab_in_words_leads_somewhere():
    (link,) = re.findall(rf"`({COLAB}[^`]+)`", (ROOT / "docs" / "instructors.md").read_text())
    assert (ROOT / link.removeprefix(f"{COLAB}/")).exists()


@documents
def test_paths_in_code_exist(document):
    text = (ROOT / document).read_text()
    spans = [*re.findall(r"`([^`\n]+)`", text), *re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)]
    ours = "|".join(
        sorted(path.name for path in ROOT.iterdir() if path.is_dir() and path.name not in (".git", ".venv", "build"))
    )
    paths = {path for span in spans for path in re.findall(rf"(?<![\w./:-])((?:{ours})/[\w./-]*)", span)}
    assert paths
    assert not {path for path in paths if not (ROOT / path).exists()}


@documents
def test_make_knows_every_command(document):
    lines = re.findall(r"^([a-z -]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    targets = {target for line in lines for target in line.split()}
    text = (ROOT / document).read_text()
    commands = set(re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE))
    assert commands and commands <= targets


# ------------------------------------------------------------------------------------------------- the table of lessons

LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")


class Row(NamedTuple):
    lesson: list[tuple[str, str]]
    opens_in: list[tuple[str, str]]
    exercises: list[tuple[str, str]]
    modules: list[tuple[str, str]]
    explorers: list[tuple[str, str]]


def rows(page: str) -> dict[str, Row]:
    """The table's rows by the file of the lesson: in each column the links, text and target."""
    lines = [line.strip().strip("|").split("|") for line in page.splitlines() if line.startswith("| [")]
    found = [Row(*map(LINK.findall, line)) for line in lines]
    return {Path(row.lesson[0][1]).name: row for row in found}


@functools.cache
def cells(path: Path, kind: str) -> str:
    found = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == kind]
    return "\n".join(cell.source for cell in found)


@functools.cache
def imported(path: Path) -> set[str]:
    """The modules in which the things are defined that a lesson takes from the library."""
    found = set()
    for node in ast.walk(ast.parse(TransformerManager().transform_cell(cells(path, "code")))):
        if isinstance(node, ast.ImportFrom) and str(node.module).partition(".")[0] == "unet_edu":
            for name in (alias.name for alias in node.names):
                thing = getattr(importlib.import_module(node.module), name, None)
                found |= {node.module, f"{node.module}.{name}" if thing is None else getattr(thing, "__module__", "")}
    return found


@functools.cache
def taught(path: Path) -> set[str]:
    """The lessons that the first paragraph of a module's docstring names."""
    first = (ast.get_docstring(ast.parse(path.read_text())) or "").split("\n\n")[0]
    return {number for words in re.findall(r"[Ll]essons? ([\d, and]+)", first) for number in re.findall(r"\d\d", words)}


def problems(page: str) -> list[str]:
    """Where the table says something else than the lessons, their exercises and the library."""
    table, found = rows(page), []
    lessons = {path.name: path for path in sorted((ROOT / "course").glob("*.ipynb"))}
    if [*table] != [*lessons]:
        found.append(f"the table has {', '.join(table)}; the folder has {', '.join(lessons)}")
    for name, path in lessons.items():
        if name in table:
            found += [f"{name}: {problem}" for problem in problems_of(table[name], path)]
    return found


def problems_of(row: Row, path: Path) -> Iterator[str]:
    number, text = path.name[:2], cells(path, "markdown")
    notebooks = (path, *path.parent.glob(f"side_roads/{number}_*.ipynb"))
    calls = "\n".join(cells(each, "code") for each in notebooks)
    title = text.splitlines()[0].removeprefix("# ").replace(" · ", " ")
    expected = Row(
        lesson=[(title, f"course/{path.name}")],
        opens_in=[("Colab", f"{COLAB}/course/{path.name}"), ("Kaggle", f"{KAGGLE}/course/{path.name}")],
        exercises=[
            (folder.name, f"exercises/{folder.name}/{folder.name}.ipynb")
            for folder in sorted((ROOT / "exercises").glob(f"{number}_*"))
        ],
        modules=[
            (file.name, f"unet_edu/{file.name}")
            for file in sorted((ROOT / "unet_edu").glob("*.py"))
            if number in taught(file)
        ],
        explorers=[
            (name.replace("_", " "), link_to_explorer(name))
            for name in sorted(set(re.findall(r"\bexplore\.(\w+)\(", calls)) - {"show", "digest"})
        ],
    )
    folders = [link for link in row.modules if not link[1].endswith(".py")]
    there = row._replace(modules=[link for link in row.modules if link not in folders])
    for column, ours, theirs in zip(Row._fields, expected, there, strict=True):
        if sorted(ours) != sorted(theirs):
            yield f"{column}: expected {ours}, got {theirs}"
    used = set().union(*map(imported, notebooks))
    for name, target in row.modules:
        module = target.removesuffix(".py").replace("/", ".")
        if not any(f"{each}.".startswith(f"{module}.") for each in used):
            yield f"modules: the lesson imports nothing of {name}"
    for folder, target in row.exercises:
        if f"../{target}" not in text:
            yield f"exercises: the lesson does not lead to {folder}"


def link_to_explorer(name: str) -> str:
    path = f"unet_edu/explore/{name}"
    return path if (ROOT / path).is_dir() else f"{path}.py"


def test_the_table_says_what_the_lessons_have():
    found = rows(README)
    links = [link for row in found.values() for column in row for link in column]
    assert len(found) >= 10 and len(links) >= 50
    assert not problems(README)


def test_every_explorer_is_in_the_table():
    modules = (ROOT / "unet_edu" / "explore" / "__init__.py").read_text()
    explorers = set(re.findall(r'^    "(\w+)",$', modules, re.MULTILINE)) - {"show", "digest"}
    assert len(explorers) > 10
    assert explorers == {name.replace(" ", "_") for row in rows(README).values() for name, _ in row.explorers}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[arithmetic](unet_edu/explore/arithmetic.py)", "", "02_convolution.ipynb: explorers: "),
        ("| [ablations]", "| [sizes](unet_edu/explore/sizes.py), [ablations]", "09_results.ipynb: explorers: "),
        ("[matrix.py](unet_edu/matrix.py), ", "", "04_transposed_convolution.ipynb: modules: "),
        ("[data](unet_edu/data)", "[grading](unet_edu/grading)", "imports nothing of grading"),
        ("exercises/08_tiles/08_tiles.ipynb", "exercises/07_training/07_training.ipynb", "08_tiles.ipynb: exercises: "),
        ("[05 Max pooling and max unpooling]", "[05 Pooling]", "05_pooling.ipynb: lesson: "),
        (
            f"blob/{REF}/course/03_interpolation.ipynb",
            f"blob/{REF}/course/02_convolution.ipynb",
            "03_interpolation.ipynb: opens_in: ",
        ),
        ("| [00 Start here]", "00 Start here", "the table has 01_semantic"),
    ],
)
def test_a_row_that_says_something_else_is_noticed(old, new, said):
    start = README.index("| lesson |")
    assert old in README[start:]
    found = problems(README[:start] + README[start:].replace(old, new, 1))
    assert any(said in problem for problem in found), found


def test_every_picture_has_words():
    assert re.search(r"!\[\w[^\]]+\]\(docs/images/", README)
    assert "![](" not in README


# -------------------------------------------------------------------------------------------- the plan of docs/teach.md

TEACH = (ROOT / "docs" / "teach.md").read_text()
WEEK = re.compile(r"^\| (\d) \| (.+?) \((\d+) minutes\) \| (.+) \|(.*) \|$", re.MULTILINE)


@functools.cache
def exercises() -> dict[str, tuple[str, str, int]]:
    """Of each exercise its lesson, its dots and its minutes, by the table at the head of its notebook."""
    found = {}
    for path in (ROOT / "solutions").glob("*/*.ipynb"):
        for name, dots, minutes in re.findall(
            r"^\| \d\. `(\w+)` \| ([●○]+) \| (\d+) \|", cells(path, "markdown"), re.MULTILINE
        ):
            found[name] = (path.name[:2], dots, int(minutes))
    return found


def hours(minutes: int) -> str:
    return f"{round(minutes / 60)} hours"


@functools.cache
def said_minutes() -> dict[str, int]:
    return {path.name[:2]: count(path).said for path in sorted((ROOT / "course").glob("*.ipynb"))}


def wrong_in(page: str) -> list[str]:
    """Where the plan says something else than the lessons and their exercises."""
    lessons = said_minutes()
    weeks = WEEK.findall(page)
    found, sums, planned = [], {"lessons": 0, "everybody": 0, "more": 0}, []
    for week, numbers, said, everybody, more in weeks:
        taught = numbers.split(", ")
        planned += taught
        sums["lessons"] += int(said)
        if int(said) != sum(lessons.get(number, 0) for number in taught):
            found.append(f"week {week}: {said} minutes for the lessons {numbers}")
        named = []
        for kind, column in (("everybody", everybody), ("more", more)):
            names = re.findall(r"`(\w+)`", column)
            named += names
            minutes = sum(exercises()[name][2] for name in names if name in exercises())
            sums[kind] += minutes
            if names and not column.endswith(f"({minutes} minutes)"):
                found.append(f"week {week}: expected {minutes} minutes in {column}")
        if sorted(named) != sorted(name for name, (number, *_) in exercises().items() if number in taught):
            found.append(f"week {week}: not each exercise of the lessons {numbers} once")
    if planned != [*lessons]:
        found.append(f"the lessons of the plan are {planned}")
    total = f"{hours(sums['lessons'] + sums['everybody'])} for everybody, and {hours(sums['more'])} more"
    if total not in page:
        found.append(f"expected: {total}")
    for dots in (("●○○",), ("●○○", "●●○"), ("●○○", "●●○", "●●●")):
        chosen = [minutes for _, level, minutes in exercises().values() if level in dots]
        if f" | {len(chosen)} | {hours(sum(chosen))} |" not in page:
            found.append(f"{' and '.join(dots)}: expected {len(chosen)} exercises in {hours(sum(chosen))}")
    return found


def test_the_plan_adds_up():
    assert len(WEEK.findall(TEACH)) == 8 and "## A plan of eight weeks\n" in TEACH and len(exercises()) > 40
    assert wrong_in(TEACH) == []
    lightest = min(
        WEEK.findall(TEACH)[:-1], key=lambda row: int(row[2]) + sum(map(int, re.findall(r"\((\d+) m", row[3])))
    )
    assert f"Week {lightest[0]} is the lightest." in TEACH


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("00, 01 (80 minutes)", "00, 01 (90 minutes)", "week 1: 90 minutes for the lessons 00, 01"),
        ("(40 minutes) | `repair_maxpool`", "(45 minutes) | `repair_maxpool`", "week 4: expected 40 minutes in "),
        ("`sgd_step` (70", "`sgd_stop` (65", "week 6: not each exercise"),
        ("| 5 | 06 (60 minutes)", "| 5 | 05 (55 minutes)", "the lessons of the plan are "),
        ("17 hours for everybody", "16 hours for everybody", "expected: 17 hours"),
        ("| 17 | 3 hours |", "| 19 | 3 hours |", "●○○: expected 17 exercises"),
    ],
)
def test_what_is_wrong_in_the_plan_is_said(old, new, said):
    assert TEACH.count(old) == 1
    assert any(said in problem for problem in wrong_in(TEACH.replace(old, new)))
