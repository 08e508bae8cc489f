"""A released notebook says what its assignment says, runs unfilled, and is one that nbgrader's own tools accept."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell
from nbgrader.nbgraderformat import MetadataValidator
from nbgrader.utils import compute_checksum

from tests.project.release import ref, version_of
from unet_edu.grading.assignment import ASSIGNMENTS, Assignment, load
from unet_edu.grading.release import HERE, NUMBERS, REPOSITORY, release

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "exercises"
CHOSEN = {
    "exercises": ["out_size", "conv2d_naive"],
    "points": {"conv2d_naive": 5, "out_size": 0.5},
    "due": "2027-01-31T23:59+01:00",
    "late_percent_per_day": 10,
}


def opened(folder: Path) -> tuple[nbformat.NotebookNode, Assignment]:
    notebook = nbformat.read(folder / f"{folder.name}.ipynb", as_version=4)
    return notebook, load(folder / "assignment.json")


def source(notebook: nbformat.NotebookNode, grade_id: str) -> str:
    (cell,) = (cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == grade_id)
    return cell.source


@pytest.fixture(scope="module")
def chosen(tmp_path_factory) -> Path:
    return release("02_convolution", tmp_path_factory.mktemp("release"), source=SOURCE, **CHOSEN)


def test_the_chosen_exercises_are_in_it_and_no_others(chosen):
    notebook, assignment = opened(chosen)
    ids = [cell.id for cell in notebook.cells]
    one, two = (
        [f"exercise-{n}", f"example-{n}", f"task-{n}", name, f"check-{name}"]
        for n, name in ((1, "conv2d-naive"), (2, "out-size"))
    )
    assert ids == ["title", "set-up", *one, *two, "how-far", "progress", "closing"]
    assert assignment.points == (("conv2d_naive", 5.0), ("out_size", 0.5))
    assert (assignment.due, assignment.late_percent_per_day) == (CHOSEN["due"], 10.0)
    assert assignment.set_up == ASSIGNMENTS["02_convolution"].set_up


def test_points_and_date_are_in_the_text(chosen):
    notebook, _ = opened(chosen)
    title = source(notebook, "title")
    rows = re.findall(r"^\| \d.*", title, re.MULTILINE)
    assert rows == ["| 1. `conv2d_naive` | ●○○ | 15 | 5 |", "| 2. `out_size` | ●○○ | 10 | 0.5 |"]
    assert title.startswith("# Exercises 02: the 3×3 convolution\n\nTwo exercises of [lesson 02](")
    assert "2027-01-31 23:59 (UTC+01:00)" in title and "takes 10 % off" in title
    assert "receptive" not in title and "When you are done" not in title  # what is true of all four
    assert "· 5 points*" in source(notebook, "exercise-1") and "· 0.5 points*" in source(notebook, "exercise-2")
    assert "four" not in source(notebook, "closing")


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_without_a_choice_it_is_the_course_s_own_notebook(name, tmp_path):
    notebook, assignment = opened(release(name, tmp_path, source=SOURCE))
    original = nbformat.read(SOURCE / name / f"{name}.ipynb", as_version=4)
    for cell in original.cells:
        cell.source = cell.source.replace("](../../", f"]({HERE}/")
        if "nbgrader" in cell.metadata:
            cell.metadata.nbgrader.checksum = compute_checksum(cell)
    assert notebook == original
    assert assignment == ASSIGNMENTS[name]


def singles() -> list[tuple[str, str]]:
    return [(name, exercise) for name, assignment in ASSIGNMENTS.items() for exercise, _ in assignment.points]


@pytest.mark.parametrize("name, exercise", singles())
def test_each_exercise_can_stand_alone(name, exercise, tmp_path):
    """As its own notebook: points in three places alike, checksums that nbgrader gives, and it runs as it is handed
    out."""
    folder = release(name, tmp_path, exercises=[exercise], points={exercise: 7}, source=SOURCE)
    notebook, assignment = opened(folder)
    MetadataValidator().validate_nb(notebook)
    nbformat.validate(notebook)
    graded = [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade")]
    assert [(cell.metadata.nbgrader.grade_id, cell.metadata.nbgrader.points) for cell in graded] == [
        (assignment.cell(exercise), 7)
    ]
    marked = [cell for cell in notebook.cells if "nbgrader" in cell.metadata]
    assert len(marked) == 9  # title, set-up, exercise, task, stub, check, how-far, progress, closing
    assert all(cell.metadata.nbgrader.checksum == compute_checksum(cell) for cell in marked)
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert (
        text.count("· 7 points*") == 1
        and len(re.findall(rf"^\| \d\. `{exercise}` \|.*\| 7 \|$", text, re.MULTILINE)) == 1
    )
    assert "](../" not in text
    runs(notebook, exercise)


def runs(notebook: nbformat.NotebookNode, exercise: str) -> None:
    codes = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    assert len(codes) == 5  # set-up, example, stub, check, progress
    shell = InteractiveShell.instance()
    try:
        results = [shell.run_cell(code, store_history=False) for code in codes]
        assert all(result.success for result in results)
        verdict, progress = (result.result for result in results[-2:])
        assert verdict.status == "not yet"
        assert [(each.exercise, each.status, each.points) for each in progress.standings] == [(exercise, "not yet", 7)]
    finally:
        # It put its own module in the place of __main__, without which Python starts no worker.
        shell.restore_sys_module_state()
        InteractiveShell.clear_instance()


def test_there_is_a_word_for_each_number():
    assert len(NUMBERS) > max(len(assignment.points) for assignment in ASSIGNMENTS.values())


def test_the_repository_is_the_one_of_the_project():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["urls"]["Repository"] == REPOSITORY, "`make` installs what pyproject.toml says since it was changed"


def test_colab_and_kaggle_are_offered_for_the_course_s_own_notebook_alone(chosen, tmp_path):
    """The links lead to exercises/, where neither the choice nor the date stands."""
    own, dated = (
        release("09_results", tmp_path / due, due=due, source=SOURCE) for due in ("", "2027-01-31T23:59+01:00")
    )
    title = source(opened(own)[0], "title")
    link = f"{REPOSITORY}/blob/{ref(version_of(ROOT))}/exercises/09_results/09_results.ipynb"
    colab = link.replace("github.com", "colab.research.google.com/github")
    kaggle = f"https://www.kaggle.com/kernels/welcome?src={link}"
    assert f"\n\n[Open in Colab]({colab}) · [Kaggle]({kaggle})\n\n" in title
    for folder in (dated, chosen):
        title = source(opened(folder)[0], "title")
        assert title.startswith("# Exercises") and not re.search(r"colab\.research|Open in Colab|[Kk]aggle", title)


@pytest.mark.parametrize(
    "name, options, words",
    [
        ("2_convolution", {}, "01_segmentation, .* 09_results.*, got '2_convolution'"),
        ("02_convolution", {"exercises": ["iou"]}, "conv2d_naive, .* conv2d_panorama, got iou"),
        ("02_convolution", {"points": {"iou": 1}}, "points: .* conv2d_naive, .* got iou"),
        ("02_convolution", {"exercises": ["out_size"], "points": {"conv2d_naive": 1}}, "chosen out_size, got conv2d"),
        ("02_convolution", {"points": {"out_size": 0}}, "above 0"),
        ("02_convolution", {"due": "31.1.2027"}, "2027-01-31T23:59"),
        ("02_convolution", {"late_percent_per_day": 10}, "together with due"),
        ("02_convolution", {"source": "nowhere"}, "nowhere: expected .* --from"),
    ],
)
def test_errors_name_what_exists(name, options, words, tmp_path):
    with pytest.raises(ValueError, match=words):
        release(name, tmp_path / "out", **{"source": SOURCE, **options})
    assert not (tmp_path / "out").exists()


def test_nothing_is_overwritten_unless_asked(tmp_path):
    folder = release("01_segmentation", tmp_path, source=SOURCE)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(FileExistsError, match="--force"):
        release("01_segmentation", tmp_path, exercises=["iou"], source=SOURCE)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    release("01_segmentation", tmp_path, exercises=["iou"], source=SOURCE, force=True)
    assert load(folder / "assignment.json").points == (("iou", 3.0),)


def test_the_notebooks_here_come_before_those_beside_the_library(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    release("09_results", "one")  # from the repository in which this test runs
    path = tmp_path / "exercises" / "09_results" / "09_results.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text((SOURCE / "09_results" / "09_results.ipynb").read_text().replace("# Exercises 09", "# Ours 09"))
    release("09_results", "two")
    titles = [source(opened(tmp_path / n / "09_results")[0], "title") for n in ("one", "two")]
    assert titles[0].startswith("# Exercises 09") and titles[1].startswith("# Ours 09")


def test_without_the_repository_it_says_where_to_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("unet_edu.__file__", str(tmp_path / "site-packages" / "unet_edu" / "__init__.py"))
    with pytest.raises(ValueError, match=f"clone of {REPOSITORY}.*--from"):
        release("09_results", "out")


@pytest.mark.parametrize(
    "old, new",
    [
        ('"check-sweep"', '"sweep-check"'),
        ("· 2 points*", "for two points"),
        ('"grade_id": "exercise-', '"grade_id": "part-'),
        ("[lesson 09]", "[the lesson]"),
    ],
)
def test_a_notebook_of_another_form_is_said(old, new, tmp_path):
    path = tmp_path / "09_results" / "09_results.ipynb"
    path.parent.mkdir()
    text = (SOURCE / "09_results" / "09_results.ipynb").read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(ValueError, match="make exercises"):
        release("09_results", tmp_path / "out", exercises=["sweep"], source=tmp_path)


def test_without_nbgrader_one_sentence_says_what_to_install(tmp_path):
    program = (
        "import sys; sys.modules['nbgrader'] = None\n"
        "from unet_edu.grading.release import release\n"
        f"try: release('09_results', {str(tmp_path)!r}, source={str(SOURCE)!r})\n"
        "except ValueError as error: print(error)"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert "pip install 'unet-edu[grade]'" in said
