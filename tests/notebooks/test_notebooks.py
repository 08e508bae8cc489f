"""What a stored notebook must be, read without a kernel, and proof that running them again would notice a wrong
number."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError

from tests.notebooks.execute import ROOT, WIDGET_VIEW, execute, notebooks
from tests.notebooks.scenes import differences
from tests.patience import PATIENCE_S

LESSONS = notebooks("course", "solutions")
# as unet_edu.explore.digest writes it
DIGEST = re.compile(r"shape \([\d, ]*\), from \S+ to \S+, mean \S+, centre \([\d., ]*\)")
MACHINE_PATH = re.compile(rf"(?<![\w.])(?:/(?:home|root|tmp|Users|content)/|[A-Z]:\\Users|{re.escape(str(ROOT))})")
MARKDOWN_PICTURE_WITHOUT_WORDS = re.compile(r"!\[\s*\]\(|<img(?![^>]*\balt\s*=\s*[\"'][^\"'])")


@pytest.fixture(params=LESSONS, ids=lambda path: str(path.relative_to(ROOT)))
def path(request: pytest.FixtureRequest) -> Path:
    return request.param


@pytest.fixture
def notebook(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def test_it_is_a_notebook_that_others_can_open(path, notebook):
    nbformat.validate(notebook)
    assert path.stat().st_size < 2_500_000
    assert "widgets" not in notebook.metadata, "stored widgets make GitHub refuse to show a notebook"


def test_it_was_run_once_from_top_to_bottom(notebook):
    counts = [cell.execution_count for cell in code(notebook)]
    assert counts and counts == list(range(1, len(counts) + 1))


def test_it_shows_no_error(notebook):
    errors = [output for cell in code(notebook) for output in cell.outputs if output.output_type == "error"]
    assert not errors


def test_it_names_no_path_of_one_machine(notebook):
    found = [found.group() for text in texts(notebook) for found in MACHINE_PATH.finditer(text)]
    assert not found


def test_its_pictures_have_words_and_numbers(notebook):
    for cell in code(notebook):
        bare = 0  # pictures without numbers of their own
        for output in cell.outputs:
            if "image/png" in output.get("data", {}):
                alt, words = output.metadata.get("image/png", {}).get("alt"), output.data.get("text/plain", "")
                assert alt and words, f"a picture without alt text:\n{cell.source}"
                bare += not re.search(r"\d", words.removeprefix(alt))
        digests = DIGEST.findall("\n".join(output_texts(cell)))
        assert len(digests) >= bare, f"a picture whose data nothing compares:\n{cell.source}"


def test_its_explorers_are_stored_as_pictures(notebook):
    for cell in code(notebook):
        for output in cell.outputs:
            assert WIDGET_VIEW not in output.get("data", {}), f"nothing to see without a kernel:\n{cell.source}"


def test_the_gates_above_have_seen_pictures():
    """A notebook may have none; all of them together have many, or nothing was looked at."""
    outputs = [each for path in LESSONS for cell in code(nbformat.read(path, as_version=4)) for each in cell.outputs]
    assert sum("image/png" in output.get("data", {}) for output in outputs) > 50
    assert len(LESSONS) > 15


def test_its_prose_describes_its_pictures(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            found = MARKDOWN_PICTURE_WITHOUT_WORDS.search(cell.source)
            assert not found, f"a picture without alt text:\n{cell.source}"


def code(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def output_texts(cell: nbformat.NotebookNode) -> Iterator[str]:
    """All that a cell shows as text. Pictures are left out: in base64 any word can turn up."""
    for output in cell.outputs:
        yield output.get("text", "")
        for kind, data in output.get("data", {}).items():
            if not kind.startswith("image/") or kind == "image/svg+xml":
                yield re.sub(r"data:image/\w+;base64,[\w+/=]+", "", str(data))


def texts(notebook: nbformat.NotebookNode) -> Iterator[str]:
    for cell in notebook.cells:
        yield cell.source
        if cell.cell_type == "code":
            yield from output_texts(cell)


# A notebook as lessons are: a printed number, a figure with its digest, one that shows itself, and an explorer.

NUMBER = "import numpy as np\n\nprint(f'{np.pi:.4f}')"
FIGURE = """from matplotlib.figure import Figure
from unet_edu.explore import show

figure = Figure(figsize=(2, 2))
figure.subplots().imshow(np.eye(3))
show(figure, "A white diagonal.", eye=np.eye(3))"""
SHOWN = """from unet_edu.figures.shown import Shown

Shown(figure, "A white diagonal.", eye=np.eye(3))"""
EXPLORER = """from unet_edu.explore import convolution

convolution()"""


@pytest.fixture(scope="module")
def lesson(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sources = (NUMBER, FIGURE, SHOWN, EXPLORER)
    cells = [nbformat.v4.new_code_cell(source, id=f"cell-{n}") for n, source in enumerate(sources)]
    path = tmp_path_factory.mktemp("lesson") / "lesson.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    execute(path)
    return path


def test_two_runs_leave_the_same_bytes(lesson):
    first = lesson.read_bytes()
    assert first.count(b'"image/png": "') == 3
    execute(lesson)
    assert lesson.read_bytes() == first


def digit(cell: nbformat.NotebookNode, true: str, false: str) -> None:
    """Where it is printed, or stands below a picture, unseen."""
    for output in cell.outputs:
        data, name = (output, "text") if "text" in output else (output.data, "text/plain")
        data[name] = data[name].replace(true, false)


# What is done to a copy of a cell of the lesson, and words of what nbval says of it.
SPOILT = {
    "a digit of a number": (0, lambda cell: digit(cell, "3.1416", "3.1415"), ("3.1416", "3.1415")),
    "a digit of a digest": (1, lambda cell: digit(cell, "mean 0.3333", "mean 0.3334"), ("mean 0.3333", "mean 0.3334")),
    "a digit of a digest that nobody sees": (
        2,
        lambda cell: digit(cell, "mean 0.3333", "mean 0.3334"),
        ("mean 0.3333", "mean 0.3334"),
    ),
    "an output is missing": (0, lambda cell: cell.outputs.clear(), ("Unexpected output", "stdout")),
}


PASSED = "passed"


@pytest.fixture(scope="module")
def compared(lesson: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[int, str]:
    """What is said of each cell when, as `make test` does, a fresh run is compared with the lesson and, behind it, with
    the spoilt copies of its cells. A cell is judged by itself, so one kernel will do for all."""
    notebook = nbformat.read(lesson, as_version=4)
    for number, (copied, spoil, _) in enumerate(SPOILT.values()):
        cell = nbformat.from_dict({**notebook.cells[copied], "id": f"spoilt-{number}"})
        spoil(cell)
        notebook.cells.append(cell)
    path = tmp_path_factory.mktemp("spoilt") / "lesson.ipynb"
    nbformat.write(notebook, path)
    flags = re.search(r"^NBVAL = (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert flags
    command = [sys.executable, "-m", "pytest", "--color=no", "-rA", *shlex.split(flags[1]), path]
    result = subprocess.run(command, cwd=path.parent, check=False, capture_output=True, text=True, timeout=PATIENCE_S)
    assert result.returncode == 1 and "4 failed, 4 passed" in result.stdout, result.stdout
    failures, _, summary = result.stdout.partition(" short test summary ")
    _, *failed = re.split(r"^_+ .*Cell (\d+) _+$", failures, flags=re.MULTILINE)
    passed = re.findall(r"^PASSED .*Cell (\d+)$", summary, re.MULTILINE)
    said = {int(number): text for number, text in zip(failed[::2], failed[1::2], strict=True)}
    return said | {int(number): PASSED for number in passed}


def test_an_honest_cell_passes(compared):
    assert len(compared) == 8 and [compared[number] for number in range(4)] == [PASSED] * 4


@pytest.mark.parametrize("number", range(len(SPOILT)), ids=[*SPOILT])
def test_a_spoilt_cell_is_noticed(compared, number):
    *_, words = [*SPOILT.values()][number]
    assert all(word in compared[4 + number] for word in words), compared


def test_a_notebook_that_fails_stays_as_it_was(tmp_path):
    path = tmp_path / "lesson.ipynb"
    cells = [nbformat.v4.new_code_cell(source, id=source) for source in ("1", "no_such_name")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    before = path.read_bytes()
    with pytest.raises(CellExecutionError, match="no_such_name"):
        execute(path)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


# Scenes are compared where JupyterLab runs the lessons.

SCENE = {"grids": [{"text": ("2", "−0.333"), "at": [1.25, 0]}], "links": [[3, 1, 0]], "caption": "2·0.5 + 1 = 2"}


@pytest.mark.parametrize(
    ("old", "new", "is_same"),
    [
        ("−0.333", "−0.334", True),  # a digit that was rounded the other way
        ("−0.333", "−0.335", False),
        ("−0.333", "0.333", False),
        ("1.25", "1.250001", True),
        ("1.25", "1.26", False),
        ("[3, 1, 0]", "[3, 2, 0]", False),
        ("[3, 1, 0]", "[3, 1]", False),
        ('"2"', '"3"', False),
        ("= 2", "= 3", False),
        ("caption", "code", False),
    ],
)
def test_a_wrong_scene_is_noticed(old: str, new: str, is_same: bool) -> None:
    text = json.dumps(SCENE, ensure_ascii=False)
    assert text.count(old) == 1
    stored, fresh = json.loads(text.replace(old, new)), json.loads(text)
    assert (list(differences(stored, fresh)) == []) == is_same
