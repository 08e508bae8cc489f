"""The container for the grader, and that for students in Codespaces and VS Code. No test here builds one: that needs
Docker or Podman, and the images of others. What they name is compared with what is there."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import pytest
import typer

from tests.patience import PATIENCE_S
from unet_edu import cli
from unet_edu.grading.sandbox.bubblewrap import ALLOW

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
MAKEFILE = (ROOT / "Makefile").read_text()
README, INSTRUCTORS = ((ROOT / name).read_text() for name in ("README.md", "docs/instructors.md"))
NEWEST = "3.13"  # that of `make test-nextpython`, and of Colab

# ------------------------------------------------------------------------------------------------------- of the grader

# The lines of the Containerfile: an instruction and its words.
STEPS = [
    tuple(line.split(" ", 1))
    for line in re.sub(r" \\\n *", " ", (ROOT / "Containerfile").read_text()).splitlines()
    if not line.startswith("#")
]


def steps(instruction: str) -> list[str]:
    found = [words for name, words in STEPS if name == instruction]
    assert found, instruction
    return found


def test_the_containerfile_says_nothing_else():
    known = {"FROM", "RUN", "COPY", "USER", "WORKDIR", "ENTRYPOINT"}
    assert {name for name, _ in STEPS} == known and STEPS[0][0] == "FROM"
    assert steps("USER") == ["teacher"] and "useradd --create-home teacher" in steps("RUN"), "not root"


def test_it_has_a_python_that_is_tested():
    assert steps("FROM") == [f"docker.io/library/python:{NEWEST}-slim"]
    assert f"{NEWEST}" in (ROOT / ".github" / "workflows" / "linux.yml").read_text()


def test_it_installs_what_the_sandbox_needs_and_the_small_torch():
    apt, torch, course, _ = steps("RUN")
    packages = re.search(r"apt-get install -y --no-install-recommends ([\w -]+) &&", apt)[1].split()
    # bwrap and prlimit; `bubblewrap` is also what .ci/run and the workflow install
    assert packages == ["bubblewrap", "util-linux"]
    for path in (".ci/run", ".github/workflows/linux.yml"):
        assert "bubblewrap" in (ROOT / path).read_text()
    index = "https://download.pytorch.org/whl/"
    assert f"--no-deps --index-url {index}$(TORCH) torch" in MAKEFILE  # its other packages come with the course
    assert torch == f"pip install --no-cache-dir --no-deps --index-url {index}cpu torch"
    assert re.search(r'"/src\[(\w+)\]"', course)[1] in PROJECT["optional-dependencies"]


def test_it_copies_all_that_the_wheel_is_built_from():
    (*files, folder), (package, inside) = (words.split() for words in steps("COPY"))
    assert folder == "/src/" and inside == "/src/unet_edu/" and package == "unet_edu"
    assert sorted(files) == sorted(["pyproject.toml", PROJECT["readme"], *PROJECT["license-files"]])
    assert all((ROOT / name).exists() for name in (*files, package))
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert tool == {"packages": [package]}
    (program,) = json.loads(steps("ENTRYPOINT")[0])
    assert program in PROJECT["scripts"]


def test_the_page_starts_it_as_it_was_tried():
    """Podman ran these options: with them a class was graded; without `seccomp` or `systempaths` bubblewrap did not
    start."""
    build, run = (shlex.split(line) for line in re.findall(r"^docker .*$", INSTRUCTORS, re.MULTILINE))
    assert build == ["docker", "build", "--tag", "unet-edu", "--file", "Containerfile", "."]
    image = run.index("unet-edu")
    options = " ".join(run[2:image])
    assert options == (
        "--rm --network none --cap-drop ALL --security-opt no-new-privileges --security-opt seccomp=unconfined "
        f"--security-opt systempaths=unconfined --volume ${{PWD}}:{steps('WORKDIR')[0]}"
    )
    # What bubblewrap itself asks for is there; the third is for AppArmor, which not every machine has.
    asked = set(re.findall(r"--security-opt (\S+?)[` ]", ALLOW))
    assert len(asked) == 3 and asked - set(run) == {"apparmor=unconfined"}
    assert "`--security-opt apparmor=unconfined`" in INSTRUCTORS
    command, *arguments = run[image + 1 :]
    typer.main.get_command(cli.app).commands[command].make_context(command, arguments)
    assert f"\nunet-edu {shlex.join(run[image + 1 :])}\n" in INSTRUCTORS, "the same as without a container"


# --------------------------------------------------------------------------------------------------------- of students


@pytest.fixture(scope="module")
def devcontainer() -> dict:
    """As JSON, which every reader of it understands; its format would allow comments."""
    return json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())


def test_the_devcontainer_has_the_python_of_the_pins(devcontainer):
    assert devcontainer.keys() == {"name", "image", "postCreateCommand", "customizations"}
    oldest = PROJECT["requires-python"].removeprefix(">=")
    assert devcontainer["image"] == f"mcr.microsoft.com/devcontainers/python:{oldest}"


def test_its_command_installs_what_make_lab_does(devcontainer, tmp_path):
    """In a clone without an environment, as far as `make` says what it would do."""
    command = shlex.split(devcontainer["postCreateCommand"])
    assert command == ["make", ".venv/lab.stamp", "TORCH=cpu"] and "`make lab TORCH=cpu`" in README
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    clean = {"PATH": os.environ["PATH"]}  # without what another `make` may have handed down
    said = [
        subprocess.run(
            ["make", "--dry-run", *arguments], cwd=tmp_path, env=clean, check=True, capture_output=True, text=True,
            timeout=PATIENCE_S,
        ).stdout.splitlines()
        for arguments in (command[1:], ["lab", "TORCH=cpu"])
    ]  # fmt: skip
    assert "whl/cpu torch" in "".join(said[0]) and "-e '.[lab]'" in "".join(said[0])
    assert said[1][: len(said[0])] == said[0] and len(said[1]) > len(said[0])


def test_vs_code_finds_there_what_the_readme_names(devcontainer):
    custom = devcontainer["customizations"]
    for extension in custom["vscode"]["extensions"]:
        assert f"https://marketplace.visualstudio.com/items?itemName={extension}" in README
    venv = re.search(r"^VENV = (.*)$", MAKEFILE, re.MULTILINE)[1]
    python = custom["vscode"]["settings"]["python.defaultInterpreterPath"]
    assert python == f"${{containerWorkspaceFolder}}/{venv}/bin/python"
    assert f"choose the kernel `{venv}`" in README and f"or `{venv}`, which is make's" in README
    conda = re.search(r"^name: (.*)$", (ROOT / "environment.yml").read_text(), re.MULTILINE)[1]
    assert f"and there `{conda}`, which is\nconda's" in README
    assert [(ROOT / name).exists() for name in custom["codespaces"]["openFiles"]] == [True]
