"""exercises/ is what nbgrader makes of solutions/, and gives nothing away.

That it runs unfilled, and says "not yet", is seen in tests/notebooks/test_offline_in_sandbox.py.
"""

import ast
import inspect
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest

from tests.patience import PATIENCE_S
from unet_edu.lessons import EXERCISES

ROOT = Path(__file__).parents[2]
TOPICS = sorted(path.parent.name for path in ROOT.glob("solutions/*/*.ipynb"))
each_topic = pytest.mark.parametrize("topic", TOPICS)
each_exercise = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)

# What `make exercises` does, with nbgrader started once and not once for each topic.
GENERATE = """
import sys
from nbgrader.apps import NbGraderAPI
from traitlets.config.loader import PyFileConfigLoader

api = NbGraderAPI(config=PyFileConfigLoader("nbgrader_config.py").load_config())
sys.exit(not all(api.generate_assignment(topic, force=True)["success"] for topic in sys.argv[1:]))
"""


def notebook(folder, topic):
    return nbformat.read(ROOT / folder / topic / f"{topic}.ipynb", as_version=4)


def cells(book, kind):
    """The cells that nbgrader knows as of this kind: "grade" for the checks, "solution" for the functions."""
    return [cell for cell in book.cells if cell.metadata.get("nbgrader", {}).get(kind)]


def shown(cell):
    return "".join(output.get("data", {}).get("text/plain", "") for output in cell.outputs)


def files(folder):
    return {p.relative_to(folder): p for p in folder.rglob("*") if p.is_file() and ".ipynb_checkpoints" not in p.parts}


def test_exercises_are_made_from_solutions(tmp_path):
    shutil.copytree(ROOT / "solutions", tmp_path / "solutions")
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    programs = Path(sys.executable).parent  # nbgrader starts alembic by its name
    environment = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    command = [sys.executable, "-c", GENERATE, *TOPICS]
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, timeout=PATIENCE_S)

    made, stored = files(tmp_path / "exercises"), files(ROOT / "exercises")
    assert len(made) >= len(TOPICS) > 0
    assert made.keys() == stored.keys(), "run `make exercises`"
    for path in made:
        assert made[path].read_bytes() == stored[path].read_bytes(), f"{path}: run `make exercises`"


@each_topic
def test_exercises_give_nothing_away(topic):
    exercise, solution = (notebook(folder, topic) for folder in ("exercises", "solutions"))
    assert all(not cell.get("outputs") and cell.get("execution_count") is None for cell in exercise.cells)
    assert "SOLUTION" not in nbformat.writes(exercise)
    stubs, answers = cells(exercise, "solution"), cells(solution, "solution")
    assert len(stubs) == len(answers) > 0
    for stub, answer in zip(stubs, answers, strict=True):
        head, rest = answer.source.split("### BEGIN SOLUTION")
        body, tail = rest.split("### END SOLUTION")
        assert stub.source == f"{head}# Write your code here.\n    raise NotImplementedError{tail}".rstrip()
        assert not {line.strip() for line in body.splitlines() if line.strip()} & {
            *map(str.strip, stub.source.splitlines())
        }


@each_topic
def test_each_exercise_is_checked_for_its_points(topic):
    solution = notebook("solutions", topic)
    names = [cell.source.split("def ")[1].split("(")[0] for cell in cells(solution, "solution")]
    assert [cell.source for cell in cells(solution, "grade")] == [f"check({name})" for name in names]
    assert [cell.metadata.nbgrader.points for cell in cells(solution, "grade")] == [EXERCISES[n].points for n in names]


@each_topic
def test_the_stored_solutions_passed(topic):
    book = notebook("solutions", topic)
    counts = [cell.execution_count for cell in book.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))  # run once, from top to bottom
    verdicts = [shown(cell) for cell in cells(book, "grade")]
    assert verdicts
    assert all("passed" in verdict for verdict in verdicts)


def task_of(exercise):
    """What a student reads before an exercise's check, with what the examples print; and the cell of the function."""
    for topic in TOPICS:
        book = notebook("solutions", topic).cells
        end = next((n for n, cell in enumerate(book) if cell.source == f"check({exercise.name})"), None)
        if end is not None:
            start = max(n for n in range(end) if book[n].source.startswith("## "))
            printed = [output.get("text", "") for cell in book[start:end] for output in cell.get("outputs", ())]
            return "\n".join([*(cell.source for cell in book[start : end - 1]), *printed]), book[end - 1].source
    pytest.fail(f"no notebook has the exercise {exercise.name}")


def visible(exercise):
    cases = [case for case in exercise.cases(np.random.default_rng(0)) if case.group == "visible"]
    assert cases
    return cases


@each_exercise
def test_the_function_names_its_parameters_as_the_verdicts_do(exercise):
    function = ast.parse(task_of(exercise)[1]).body[0]
    names = [argument.arg for argument in function.args.args]
    assert names == list(inspect.signature(exercise.reference).parameters)


@each_exercise
def test_the_visible_cases_are_in_the_text(exercise):
    """Row by row: what should come out. A single number is in a table, or alone."""
    text = task_of(exercise)[0]
    found = re.findall(r"\[ *(-?\d[\d.]*(?:[, ] *-?\d[\d.]*)*)\]", text)
    rows = {tuple(map(float, row.replace(",", " ").split())) for row in found}
    numbers = {float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", text)}
    for case in visible(exercise):
        if exercise.name == "conv2d_multichannel" and case.kwargs:
            continue  # "the same with padding=1" is told in words
        expected = np.asarray(case.call(exercise.reference), dtype=float).round(4)
        if not expected.size:
            assert "[]" in text, case.name
        elif expected.ndim:
            assert {*map(tuple, expected.reshape(-1, expected.shape[-1]).tolist())} <= rows, case.name
        else:
            assert float(f"{expected:.4f}") in numbers, case.name


@pytest.mark.parametrize("name", ["out_size", "tconv_size"])
def test_the_table_of_sizes_is_the_visible_cases(name):
    exercise = EXERCISES[name]
    parameters = inspect.signature(exercise.reference).parameters.values()
    rows = [line for line in task_of(exercise)[0].splitlines() if line.startswith("| ") and line[2].isdigit()]
    table = [tuple(map(int, row.split("|")[1 : len(parameters) + 2])) for row in rows]
    calls = [
        (*case.args, *(case.kwargs.get(p.name, p.default) for p in [*parameters][2:])) for case in visible(exercise)
    ]
    assert table == [(*numbers, exercise.reference(*numbers)) for numbers in calls]
