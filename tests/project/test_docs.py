"""What README, CONTRIBUTING and docs/ tell people to type works. Each command runs as it stands, options added."""

from __future__ import annotations

import csv
import importlib
import importlib.metadata
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
import tomllib
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from tests.patience import PATIENCE_S
from unet_edu import cli
from unet_edu.data import benchmarks
from unet_edu.data.cells import synthetic_cells
from unet_edu.grading.assignment import ASSIGNMENTS
from unet_edu.grading.sandbox import limits
from unet_edu.unet import UNet

ROOT = Path(__file__).parents[2]
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text()
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")))
}
README, CONTRIBUTING = PAGES["README.md"], PAGES["CONTRIBUTING.md"]
TRAINING, INSTRUCTORS = PAGES["docs/training.md"], PAGES["docs/instructors.md"]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
SHORT = shlex.split("--widths 4,8,16 --crop 64 --steps 2 --batch-size 2 --workers 0 --device cpu --quiet")


def blocks(language: str, page: str = TRAINING) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


def lines_of(block: str) -> list[str]:
    """The lines that somebody types."""
    return [" ".join(line.split()) for line in block.replace("\\\n", " ").splitlines() if line.strip()]


def commands(page: str) -> list[list[str]]:
    return [shlex.split(line) for block in blocks("bash", page) for line in lines_of(block)]


COMMANDS = commands(TRAINING)


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder in which somebody follows the page: images with labels, new images, and a benchmark that is here."""
    folder = tmp_path_factory.mktemp("somebody")
    for n in range(5):
        image, cells = synthetic_cells(n, (70, 80), cells=4)
        picture, labels = (255 * image).astype(np.uint8), cells.astype(np.uint8)
        nuclei = folder / "cache" / "DSB-2018" / "dsb2018" / "train"
        for path, array in (
            (folder / "mine" / "images" / f"{n}.tif", picture),
            (folder / "mine" / "labels" / f"{n}.png", labels),
            (folder / "new_images" / f"{n}.png", picture),
            (folder / "tissue" / "images" / f"{n}.png", np.stack([picture] * 3, axis=-1)),
            (folder / "tissue" / "labels" / f"{n}.png", labels % 3),
            (nuclei / "images" / f"{'abcd3'[n]}0123456789ab.tif", picture),
            (nuclei / "masks" / f"{'abcd3'[n]}0123456789ab.tif", labels),
        ):
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(array).save(path)
    return folder


def invoke(arguments: list[str]) -> str:
    short = SHORT if arguments[0] == "train" else []
    result = CliRunner().invoke(cli.app, [*arguments, *short])
    assert result.exit_code == 0, result.output
    return result.output


def test_commands_in_their_order(place, monkeypatch):
    """The commands for one process, one after the other, as somebody would type them."""
    monkeypatch.chdir(place)
    monkeypatch.setattr(benchmarks, "cache", lambda: place / "cache")
    ours = [command[1:] for command in COMMANDS if command[0] == "unet-edu"]
    assert {command[0] for command in ours} == {"train", "predict", "data"}
    for command in ours:
        invoke(command)
    for name in ("best.pt", "last.pt", "train.json", "tensorboard"):
        assert (place / "runs" / "mine" / name).exists() and f"`{name}" in TRAINING
    results = {path.name.removeprefix("0") for path in (place / "results").glob("0_*")}
    assert results == {"_labels.tif", "_mask.png", "_overlay.png"} and all(f"NAME{end}" in TRAINING for end in results)


def test_torchrun(place, monkeypatch):
    """It understands its options, and the module behind it is ours. (Two processes make one run:
    tests/library/test_cli.py.)"""
    from torch.distributed.run import get_args_parser

    (command,) = (command for command in COMMANDS if command[0] == "torchrun")
    understood = get_args_parser().parse_args(command[1:])
    assert understood.module and understood.training_script == "unet_edu"
    assert understood.nproc_per_node == "4"
    batch = int(command[command.index("--batch-size") + 1])
    assert f"each of the four processes computes {batch // 4} of the {batch} crops" in TRAINING and batch % 4 == 0
    monkeypatch.chdir(place)
    invoke(understood.training_script_args)


def test_the_other_commands_are_known_and_few():
    """They install things, or start a program that is not ours."""
    others = [command for command in COMMANDS if command[0] not in ("unet-edu", "torchrun")]
    assert [command[0] for command in others] == ["pip", "pip", "tensorboard"]
    (package,) = (command[2] for command in others if "unet-edu" in command[-1])
    assert set(re.findall(r"unet-edu\[(\w+)\]", package)) <= set(PROJECT["optional-dependencies"])


def test_the_command_is_installed():
    module, name = PROJECT["scripts"]["unet-edu"].split(":")
    assert getattr(importlib.import_module(module), name) is cli.app


def test_the_largest_image_is_as_said():
    assert f"{2 * Image.MAX_IMAGE_PIXELS // 10**6} million pixels" in TRAINING
    assert 13_000**2 < 2 * Image.MAX_IMAGE_PIXELS < 14_000**2


def test_on_colab_the_same_command_is_given():
    (line,) = re.findall(r"^!unet-edu (.*)$", TRAINING, re.MULTILINE)
    command = typer.main.get_command(cli.app).commands["train"]
    context = command.make_context("train", shlex.split(line)[1:])
    assert context.params["resume"] and Path(context.params["output"]) == Path("/content/drive/MyDrive/runs/mine")


def test_every_option_in_the_text_exists():
    text = re.sub(r"^```.*?^```", "", TRAINING, flags=re.MULTILINE | re.DOTALL)
    named = {option for span in re.findall(r"`([^`]+)`", text) for option in re.findall(r"--[a-z][a-z0-9-]*", span)}
    group = typer.main.get_command(cli.app)
    known = {"--help", "--logdir"}  # of every command; of TensorBoard
    for command in (group.commands["train"], group.commands["predict"]):
        known |= {option for parameter in command.params for option in parameter.opts}
    assert len(named) > 10 and named <= known


def test_every_message_that_is_quoted_exists():
    quoted = re.findall(r'^\| "([^"]+)"', TRAINING, re.MULTILINE)
    source = " ".join(path.read_text() for path in (ROOT / "unet_edu").rglob("*.py"))
    source = re.sub(r'"\n *f?"', "", source)  # a long message goes on in the next line
    # made of parts; here of a crop of 100 and the default widths
    with pytest.raises(ValueError, match="nearest legal") as caught:
        UNet(widths=(16, 32, 64, 128, 256), padding="same").output_size(100)
    source += str(caught.value)
    assert len(quoted) >= 3
    assert not [message for message in quoted if message not in source]


def test_the_program_runs(place, monkeypatch, capsys):
    (program,) = blocks("python")
    assert program.count("steps=200") == 1
    monkeypatch.chdir(place)
    exec(program.replace("steps=200", "steps=2, device='cpu', progress=False"), {"__name__": "docs"})  # noqa: S102, our own lines
    assert re.fullmatch(r"\d+ cells\n", capsys.readouterr().out)
    assert (place / "runs" / "python" / "best.pt").exists()


# ---------------------------------------------------------------------------------------------------------- instructors

CALLS_A_LIBRARY = """\
import scipy.signal  # where it takes long, the cell may take longer than a call

def conv2d_naive(x, k):
    return scipy.signal.correlate2d(x, k, "valid")
"""


def options_of(command: str) -> set[str]:
    found = typer.main.get_command(cli.app).commands[command]
    return {option for parameter in found.params for option in parameter.opts}


@pytest.fixture
def school(tmp_path, monkeypatch) -> Path:
    """A folder as the page has it. Ada calls a library where she should not, Ben does not, Cy handed in nothing."""
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "solutions" / "02_convolution" / "02_convolution.ipynb").read_text()
    notebook = json.loads(text)
    (cell,) = (cell for cell in notebook["cells"] if cell["id"] == "conv2d-naive")
    cell["source"] = CALLS_A_LIBRARY
    (tmp_path / "submissions").mkdir()
    (tmp_path / "submissions" / "ada.ipynb").write_text(json.dumps(notebook))
    (tmp_path / "submissions" / "ben.ipynb").write_text(text)
    (tmp_path / "02_convolution.ipynb").write_text(text)
    (tmp_path / "class.csv").write_text("student\nada\nben\ncy\n")
    return tmp_path


def marks() -> dict[str, dict[str, str]]:
    text = Path("grading/02_convolution/marks.csv").read_text(encoding="utf-8-sig")
    return {row["student"]: row for row in csv.DictReader(text.splitlines())}


@pytest.mark.needs("bubblewrap")
def test_the_commands_for_instructors_in_their_order(school):
    ours = [command[1:] for command in commands(INSTRUCTORS) if command[0] == "unet-edu"]
    elsewhere = [
        command for command in ours if {"--scheduler", "--database"} & {*command}
    ]  # where there is no such server
    here = [command for command in ours if command not in elsewhere]
    assert [command[0] for command in here] == ["release", "check", "progress", "grade", "grade"] and len(
        elsewhere
    ) == 2
    for command in elsewhere:
        typer.main.get_command(cli.app).commands[command[0]].make_context(command[0], command[1:])
    # README has the one that grades, as it stands here.
    in_the_readme = [command[1:] for command in commands(README) if command[:2] == ["unet-edu", "grade"]]
    assert in_the_readme == [here[3]]
    for command in here:
        result = CliRunner().invoke(cli.app, command)
        assert result.exit_code == (3 if command[0] == "grade" else 0), result.output  # 3: Ada waits for a person
        if command in in_the_readme:
            assert marks()["ben"]["mark"] == "12" and "cy" not in marks()
    assert {path.name for path in Path("release/02_convolution").iterdir()} == {
        "02_convolution.ipynb",
        "assignment.json",
    }
    assert all(f"`{path.name}" in INSTRUCTORS for path in Path("grading/02_convolution").iterdir())
    found = marks()
    assert {name: (row["status"], row["mark"]) for name, row in found.items()} == {
        "ada": ("needs review", ""),
        "ben": ("graded", "12"),
        "cy": ("not submitted", ""),
    }
    assert "scipy.signal.correlate2d" in found["ada"]["reason"]

    for_formgrader = 'c.CourseDirectory.autograded_directory = "grading/autograded"'
    assert for_formgrader in (ROOT / "nbgrader_config.py").read_text()
    assert Path("grading/autograded/ada/02_convolution/02_convolution.ipynb").exists()

    decide = blocks("python", INSTRUCTORS)[0]
    assert "manual_score, grade.needs_manual_grade = 3, False" in decide
    exec(decide, {"__name__": "docs"})  # noqa: S102, our own lines
    result = CliRunner().invoke(cli.app, here[-1])
    assert result.exit_code == 0 and marks()["ada"]["mark"] == "12", result.output


def test_the_other_commands_for_instructors_are_known_and_few():
    others = [
        command[0] for command in commands(INSTRUCTORS) if command[0] not in ("unet-edu", "nbgrader", "make", "docker")
    ]
    assert [name for name in others if name in ("pip", "dask")] == ["pip", "dask", "dask"]
    understood = importlib.metadata.entry_points(group="dask_cli")
    for _, name, *options in (command for command in commands(INSTRUCTORS) if command[0] == "dask"):
        understood[name].load().make_context(name, options)
    loop = ["for", "student=$(basename", "[", "mkdir", "cp", "cp", "done"]
    assert [name for name in others if name not in ("pip", "dask")] == loop


@pytest.mark.needs("bubblewrap")
def test_a_project_is_graded_as_the_page_says(place, tmp_path, monkeypatch):
    """The frames lie as the page shows them, and a student hands in the folder that `predict` leaves."""
    page = PAGES["docs/project.md"]
    (command,), (tree,) = commands(page), blocks("text", page)
    (predict,) = re.findall(r"`unet-edu (predict .*)`", page)
    monkeypatch.chdir(tmp_path)
    for n, path in enumerate(map(Path, tree.split())):
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(sorted((place / "mine" / path.parent.name).iterdir())[n // 2], path)
    invoke(["train", str(place / "mine"), "--output", "runs/mine"])
    invoke(shlex.split(predict))
    shutil.make_archive("submissions/ada", "zip", "results")
    invoke(command[1:])
    lines = Path("grading/10_own_images/marks.csv").read_text(encoding="utf-8-sig").splitlines()
    (row,) = csv.DictReader(lines)
    assert (row["student"], row["status"], row["frames"]) == ("ada", "graded", "2")
    assert all(f"`{path.name}" in page for path in Path("grading/10_own_images").iterdir())


# One process for all of them: nbgrader takes seconds to start.
NBGRADER = """
import json, os, sys
from nbgrader.apps import NbGraderApp

for folder, arguments in json.loads(sys.argv[1]):
    os.chdir(folder)
    NbGraderApp.launch_instance(arguments)
    NbGraderApp.clear_instance()
"""


def test_nbgrader_s_exchange(school, monkeypatch):
    """What the page says to instructors and to students, with an exchange of the test's own."""
    exchange = school / "exchange"
    exchange.mkdir(mode=0o777)
    config = (ROOT / "nbgrader_config.py").read_text() + f"\nc.Exchange.root = {str(exchange)!r}\n"
    (school / "nbgrader_config.py").write_text(config)
    shutil.copytree(ROOT / "exercises" / "02_convolution", "exercises/02_convolution")
    student = school / "student"
    student.mkdir()
    (student / "nbgrader_config.py").write_text(f"c = get_config()\nc.Exchange.root = {str(exchange)!r}\n")
    monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))

    theirs = [command for command in commands(INSTRUCTORS) if command[0] == "nbgrader"]
    assert [command[1] for command in theirs] == [
        "release_assignment",
        "fetch_assignment",
        "submit",
        "collect",
        "release_feedback",
    ]
    places = [str(student if name in ("fetch_assignment", "submit") else school) for _, name, *_ in theirs[:-1]]
    typed = json.dumps([(place, command[1:]) for place, command in zip(places, theirs[:-1], strict=True)])
    done = subprocess.run([sys.executable, "-c", NBGRADER, typed], check=False, capture_output=True, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr
    (submitted,) = Path("grading/submitted").glob("*/02_convolution/02_convolution.ipynb")
    page = Path("grading/02_convolution/feedback", f"{submitted.parts[2]}.html")
    page.parent.mkdir(parents=True)
    page.write_text("well done")
    (give_back,) = (block for block in blocks("bash", INSTRUCTORS) if "release_feedback" in block)
    subprocess.run(["bash", "-euc", give_back], check=True, capture_output=True, timeout=PATIENCE_S)
    assert [path.read_text() for path in exchange.glob("unet/feedback/*.html")] == ["well done"]


def test_the_limits_that_instructors_read_are_the_usual_ones():
    usual = limits.USUAL
    seconds = f"{usual.cell:g} seconds for a cell, {usual.call:g} for a call of a function, {usual.total:g} in all"
    assert f"{seconds}, and {usual.memory / 2**30:g} GB of memory" in INSTRUCTORS


@pytest.mark.parametrize("topic", ASSIGNMENTS)
def test_each_notebook_says_its_points(topic):
    """In the table at its head, and in the line below each exercise's title."""
    assert "Each says how many points it is worth." in INSTRUCTORS
    book = json.loads((ROOT / "exercises" / topic / f"{topic}.ipynb").read_text())
    text = "\n".join("".join(cell["source"]) for cell in book["cells"])
    table = re.findall(r"^\| \d\. `(\w+)` \| [●○]+ \| (\d+) \| (\d+) \|$", text, re.MULTILINE)
    assert tuple((name, float(points)) for name, _, points in table) == ASSIGNMENTS[topic].points
    below = re.findall(r"^\*Difficulty [●○]+ · (\d+) minutes · (\d+) points?\*$", text, re.MULTILINE)
    assert [(minutes, points) for _, minutes, points in table] == below


def test_every_option_for_instructors_exists():
    text = re.sub(r"^```.*?^```", "", INSTRUCTORS, flags=re.MULTILINE | re.DOTALL)
    named = {option for span in re.findall(r"`([^`]+)`", text) for option in re.findall(r"--[a-z][a-z0-9-]*", span)}
    # of wsl; of nbgrader; of docker
    known = {"--install", "--CourseDirectory", "--security-opt", "--cap-drop", "--entrypoint", "--user"}
    for command in ("grade", "check", "progress", "release"):
        known |= options_of(command)
    assert len(named) > 8 and {name for name in named if name != "--"} <= known


def test_every_status_is_explained():
    from typing import get_args

    from unet_edu.grading.result import Status

    rows = re.findall(r"^\| ([a-z ,]+) \| ", INSTRUCTORS.split("## 5.")[1].split("## 6.")[0], re.MULTILINE)
    assert [status for row in rows[1:] for status in row.split(", ")] == list(get_args(Status))


def test_every_assignment_is_named():
    from unet_edu.grading.assignment import ASSIGNMENTS

    assert set(re.findall(r"`(\d\d_\w+)`", INSTRUCTORS)) == set(ASSIGNMENTS)


# --------------------------------------------------------------------------------------------------------------- README


def test_the_commands_of_the_readme_for_images(place, monkeypatch):
    monkeypatch.chdir(place)
    ours = [
        command[1:] for command in commands(README) if command[:2] in (["unet-edu", "train"], ["unet-edu", "predict"])
    ]
    assert [command[0] for command in ours] == ["train", "predict"]
    for folder in ("runs/mine", "results"):  # another page's
        shutil.rmtree(folder, ignore_errors=True)
    for command in ours:
        invoke(command)
    assert Path("runs/mine/best.pt").exists() and list(Path("results").glob("*_overlay.png"))


def test_jupyterlab_opens_the_first_lesson(tmp_path):
    """From the clone's folder, as the page says. It is stopped when it tells its address; elsewhere none starts."""
    (command,) = (command for command in commands(README) if command[0] == "jupyter")
    program = [str(Path(sys.executable).parent / command[0]), *command[1:]]
    quiet = ["--no-browser", "--allow-root", "--port=0", "--port-retries=0", "--ServerApp.allow_root=True"]
    environment = {**os.environ, "HOME": str(tmp_path), "JUPYTER_RUNTIME_DIR": str(tmp_path)}
    with subprocess.Popen([*program, *quiet], cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) as server:
        patience = threading.Timer(120, server.kill)
        patience.start()
        said = ""
        while "/lab?token=" not in said and (line := server.stderr.readline()):
            said += line
        server.terminate()
        server.stderr.read()
        patience.cancel()
    assert "/lab?token=" in said and "No such file" not in said, said


# --------------------------------------------------------------------------------------------------------- CONTRIBUTING

EDITOR = """#!/bin/sh
sed -i 's/^# # 02 · The 3×3 convolution/# # 02 · The small convolution/' "$1"
"""


# Notebooks, and the id of the last cell that is needed of them: enough outputs, and a solution.
BEGINNINGS = {"course/02_convolution.ipynb": "1757fea5", "solutions/05_pooling/05_pooling.ipynb": "maxpool-idx"}


@pytest.fixture
def clone(tmp_path) -> Path:
    """A copy of the tree with the beginnings of two notebooks, and an environment that is up to date: this one, with
    its own stamps."""
    folder = tmp_path / "clone"
    without = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "course", "solutions", "exercises", "grading")
    shutil.copytree(ROOT, folder, ignore=without)
    for name, last in BEGINNINGS.items():
        notebook = json.loads((ROOT / name).read_text())
        end = next(number for number, cell in enumerate(notebook["cells"], 1) if cell["id"] == last)
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text(json.dumps({**notebook, "cells": notebook["cells"][:end]}))
    environment = folder / ".venv"
    environment.mkdir()
    for path in Path(sys.prefix).iterdir():
        if path.suffix != ".stamp":
            (environment / path.name).symlink_to(path)
    for name in ("lab", "test"):
        (environment / f"{name}.stamp").touch()
    editor = folder / "editor"
    editor.write_text(EDITOR)
    editor.chmod(0o755)
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    subprocess.run(["git", "add", "course", "solutions"], cwd=folder, check=True)
    return folder


def test_a_lesson_is_changed_as_the_page_says(clone):
    (block,) = blocks("bash", CONTRIBUTING)
    words = "02_convolution.ipynb"
    assert words in block
    path = clone / "course" / words
    before = json.loads(path.read_text())
    environment = {**os.environ, "EDITOR": "./editor", "HOME": str(clone.parent)}
    done = subprocess.run(
        ["bash", "-euc", block],
        cwd=clone,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    after = json.loads(path.read_text())
    assert "".join(after["cells"][0]["source"]).startswith("# 02 · The small convolution")
    assert [cell["id"] for cell in after["cells"]] == [cell["id"] for cell in before["cells"]]
    # that they are equal is for nbval to say
    counts = [[len(cell.get("outputs", ())) for cell in book["cells"]] for book in (after, before)]
    assert counts[0] == counts[1] and sum(counts[0]) > 10
    assert "02_convolution.ipynb" in done.stdout and "05_pooling" in done.stdout  # what was run, and what changed
    assert not (clone / "lesson.py").exists()


def test_exercises_are_made_and_programs_formatted_as_the_page_says(clone):
    """The commands in the text."""
    for command in ("make exercises", "make format", "make"):
        assert f"`{command}`" in CONTRIBUTING
        subprocess.run(command.split(), cwd=clone, check=True, capture_output=True, timeout=PATIENCE_S)
    made = clone / "exercises" / "05_pooling" / "05_pooling.ipynb"
    assert "# Write your code here." in made.read_text() and "BEGIN SOLUTION" not in made.read_text()


def test_the_picture_of_the_library_has_all_of_it():
    (picture,) = blocks("text", CONTRIBUTING)
    names = {word.rstrip("/") for line in picture.splitlines()[1:] for word in line[:60].split()}
    package = ROOT / "unet_edu"
    assert names == {path.stem for path in package.iterdir() if not path.name.startswith("__")}


def test_the_examples_of_a_mistake_and_a_question_are_those_of_the_lesson():
    (claim, mistake, row), (question,) = blocks("python", CONTRIBUTING), blocks("markdown", CONTRIBUTING)
    assert claim in (ROOT / "tests" / "lessons" / "test_02.py").read_text()
    lessons = ROOT / "unet_edu" / "lessons"
    assert mistake in (lessons / "s02_convolution.py").read_text()
    assert row.strip() in (ROOT / "unet_edu" / "checks" / "changes.py").read_text()
    assert question in (lessons / "quizzes" / "02.md").read_text()


def test_the_example_of_a_slide_is_that_of_the_lesson():
    (example,) = blocks("json", CONTRIBUTING)
    cells = json.loads((ROOT / "course" / "03_interpolation.ipynb").read_text())["cells"]
    assert sum(json.loads(f"{{{example}}}").items() <= cell["metadata"].items() for cell in cells) == 1


# ----------------------------------------------------------------------------------------- every block is accounted for

NETWORK = "needs the network"
NOT_RUN = {
    "git clone https://github.com/unet-edu/unet-edu unet-edu": NETWORK,
    "cd unet-edu": "goes into what was cloned",
    "conda env create -f environment.yml": "needs conda and the network; test_environment.py compares the file",
    "conda activate unet-edu": "needs conda",
    "make lab": "installs from the network; test_lab_in_browser.py opens the lessons in JupyterLab",
    "make retarget REPO=your-name/unet-edu": "rewrites the clone; test_colab.py does it with a copy",
    "pip install tensorboard": NETWORK,
    "tensorboard --logdir runs": "a program of others, which is not installed here",
    'pip install "unet-edu @ git+https://github.com/unet-edu/unet-edu"': NETWORK,
    'pip install "unet-edu[train] @ git+https://github.com/unet-edu/unet-edu"': NETWORK,
    'pip install "unet-edu[grade] @ git+https://github.com/unet-edu/unet-edu"': NETWORK,
    "docker build --tag unet-edu --file Containerfile .": "needs Docker; test_containers.py compares the file",
}
# A page and a program or language, and the test that takes all such lines from the page and runs them.
RUN = {
    ("README.md", "unet-edu train"): test_the_commands_of_the_readme_for_images,
    ("README.md", "unet-edu predict"): test_the_commands_of_the_readme_for_images,
    ("README.md", "unet-edu grade"): test_the_commands_for_instructors_in_their_order,
    ("README.md", "jupyter lab"): test_jupyterlab_opens_the_first_lesson,
    ("README.md", "bibtex"): "it is no program",
    ("CONTRIBUTING.md", ""): test_a_lesson_is_changed_as_the_page_says,
    ("CONTRIBUTING.md", "text"): test_the_picture_of_the_library_has_all_of_it,
    ("CONTRIBUTING.md", "python"): test_the_examples_of_a_mistake_and_a_question_are_those_of_the_lesson,
    ("CONTRIBUTING.md", "json"): test_the_example_of_a_slide_is_that_of_the_lesson,
    ("CONTRIBUTING.md", "markdown"): test_the_examples_of_a_mistake_and_a_question_are_those_of_the_lesson,
    ("docs/training.md", "unet-edu "): test_commands_in_their_order,
    ("docs/training.md", "torchrun "): test_torchrun,
    ("docs/training.md", "python"): test_the_program_runs,
    ("docs/training.md", "text"): test_on_colab_the_same_command_is_given,  # the other one shows folders
    ("docs/project.md", "unet-edu "): test_a_project_is_graded_as_the_page_says,
    ("docs/project.md", "text"): test_a_project_is_graded_as_the_page_says,
    ("docs/instructors.md", "unet-edu "): test_the_commands_for_instructors_in_their_order,
    ("docs/instructors.md", "python"): test_the_commands_for_instructors_in_their_order,
    ("docs/instructors.md", "nbgrader "): test_nbgrader_s_exchange,
    ("docs/instructors.md", "dask "): test_the_other_commands_for_instructors_are_known_and_few,
    ("docs/instructors.md", "docker run "): "needs Docker; test_containers.py compares its options",
    **{
        ("docs/instructors.md", line): test_nbgrader_s_exchange
        for line in ("for page in", "student=", "[ -d", "mkdir ", "cp ", "done")
    },
}


def typed() -> list[tuple[str, str, str]]:
    """Page, language and text: of a shell's blocks each line, of all others the whole."""
    found = []
    for page, text in PAGES.items():
        fenced = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        assert 2 * len(fenced) == len(re.findall(r"^\s*(?:```|~~~)", text, re.MULTILINE)), f"{page}: an odd fence"
        for language, block in fenced:
            found += [(page, language, line) for line in (lines_of(block) if language == "bash" else [block])]
    return found


def test_every_block_is_run_or_has_a_reason():
    used = set()
    found = typed()
    for page, language, line in found:
        if line in NOT_RUN:
            used.add(line)
            continue
        ways = [
            way
            for way in RUN
            if way[0] == page and (line.startswith(way[1]) if language == "bash" else way[1] == language)
        ]
        assert len(ways) == 1, f"{page}: run it in a test, or say in NOT_RUN why not: {line}"
        used.add(ways[0])
    assert len(found) > 40 and {page for page, _, _ in found} == PAGES.keys() - {
        "docs/grading-security.md",
        "docs/sources.md",
        "docs/teach.md",
    }
    assert used == {*NOT_RUN, *RUN}, "an entry that belongs to nothing"


def test_every_command_in_a_sentence_exists():
    """`unet-edu progress` and the like, in the pages and in the notebooks' text."""
    group = typer.main.get_command(cli.app)
    texts = dict(PAGES)
    for path in [*(ROOT / "course").glob("*.ipynb"), *(ROOT / "exercises").glob("*/*.ipynb")]:
        cells = json.loads(path.read_text())["cells"]
        texts[path.name] = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    found = {
        (place, *words)
        for place, text in texts.items()
        for words in re.findall(r"`unet-edu ([a-z]+)((?: [^`]*)?)`", text)
    }
    assert len(found) >= 5 and any(place.endswith(".ipynb") for place, *_ in found)
    for place, name, rest in found:
        assert name in group.commands, f"{place}: unet-edu {name}"
        options = {option for parameter in group.commands[name].params for option in parameter.opts}
        assert {option for option in re.findall(r"--[a-z-]+", rest)} <= options, f"{place}: unet-edu {name}{rest}"
