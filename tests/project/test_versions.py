"""`make test-latest` and `make test-oldest` do what they say in a new environment. Stand-ins play Python and pytest."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tests.patience import PATIENCE_S
from tests.project import versions

ROOT = Path(__file__).parents[2]
TARGETS = ["latest", "oldest"]
# A Python that makes environments of itself, prints constraints, and writes down by which path it was called.
STAND_IN = """#!/bin/sh
call="${0#"$PWD"/} $*"
echo "$call" >> calls
case "$call" in *"$FAIL"*) exit 1;; esac
case "$call" in
    *versions.py*installed*) ;;
    *versions.py*) echo one==1;;
    *"-m venv"*) for last; do :; done; mkdir "$last/bin"; cp "$0" "$last/bin/python"; cp "$0" "$last/bin/pytest";;
esac
"""
PARTS = ["versions.py", "-m venv", "-m pip --python", "-e .[test]", "--installed", "bin/pytest"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The Makefile over environments that are there from another day."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "constraints.txt").touch()
    (tmp_path / "python3").write_text(STAND_IN)
    (tmp_path / "python3").chmod(0o755)
    for which in TARGETS:
        programs = tmp_path / f".venv-{which}" / "bin"
        programs.mkdir(parents=True)
        for name in ("bin/python", "bin/pytest", "old", "test.stamp"):
            (programs.parent / name).touch()
    return tmp_path


def make(project: Path, which: str, fail: str) -> tuple[int, list[str]]:
    env = {"PATH": f"{project}:/usr/bin:/bin", "FAIL": fail}
    command = ["make", f"test-{which}", f"PYTHON={project / 'python3'}", "ARGS=tests/library"]
    result = subprocess.run(command, cwd=project, env=env, check=False, capture_output=True, timeout=PATIENCE_S)
    return result.returncode, (project / "calls").read_text().splitlines()


@pytest.mark.parametrize("which", TARGETS)
def test_all_tests_run_with_the_programs_of_a_new_environment(project, which):
    code, calls = make(project, which, fail="nothing")
    folder = f".venv-{which}"
    assert code == 0
    assert not (project / folder / "old").exists()
    assert (project / folder / "constraints.txt").read_text() == "one==1\n"
    installs, looks, tests = calls[-3:]
    assert installs == f"{folder}/bin/python -m pip install --constraint {folder}/constraints.txt -e .[test]"
    assert looks == f"{folder}/bin/python tests/project/versions.py {which} --installed"
    assert tests.startswith(f"{folder}/bin/pytest --nbval ") and tests.endswith(" tests/library")


@pytest.mark.parametrize("which", TARGETS)
@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_fails_fails_the_whole(project, which, part):
    code, calls = make(project, which, fail=part)
    assert code != 0 and part in calls[-1]


def test_the_oldest_are_the_lower_bounds_of_all_that_the_course_names():
    project = versions.tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    constraints = versions.constraints("oldest")
    assert len(constraints) > 30
    for needed in map(Requirement, lines):
        if needed.name not in (project["name"], "torch"):
            (bound,) = needed.specifier
            assert Version(constraints[needed.name].removeprefix("==")) >= Version(bound.version)
            assert f"{needed.name}>={constraints[needed.name].removeprefix('==')}" in lines


def test_only_torch_is_kept_from_being_the_newest():
    assert list(versions.constraints("latest")) == ["torch"]
    assert versions.constraints("latest")["torch"] == versions.constraints("oldest")["torch"]


@pytest.mark.parametrize("which, other", [("latest", "0.1"), ("oldest", "99")])
def test_an_environment_with_another_version_is_noticed(monkeypatch, capsys, which, other):
    right = versions.constraints("oldest") if which == "oldest" else versions.pins()
    bare = {name.lower(): version.lstrip("=") for name, version in right.items()}
    bare["pyparsing"], bare["torch"] = "3.2", bare["torch"] + "+cpu"
    monkeypatch.setattr(metadata, "version", lambda name: bare[name.lower()])
    assert versions.wrong(which) == []
    assert "numpy " in capsys.readouterr().out
    for name in ("numpy", "torch", "pytest"):
        with monkeypatch.context() as patch:
            patch.setitem(bare, name, other)
            assert [line.split()[0] for line in versions.wrong(which)] == [name]


@pytest.mark.parametrize("which", TARGETS)
def test_a_wrong_environment_ends_in_a_failure(tmp_path, which):
    site = tmp_path / "numpy-0.1.dist-info"
    site.mkdir()
    (site / "METADATA").write_text("Metadata-Version: 2.1\nName: numpy\nVersion: 0.1\n")
    result = subprocess.run(
        [sys.executable, ROOT / "tests" / "project" / "versions.py", which, "--installed"],
        env={"PYTHONPATH": str(tmp_path)},
        check=False,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert result.returncode == 1 and "numpy is 0.1, not " in result.stderr
