"""The course's dependencies are named in three files, and each says the same in its own way."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import nbformat
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
PYPROJECT = (ROOT / "pyproject.toml").read_text()
PROJECT = tomllib.loads(PYPROJECT)["project"]
CONDA_NAMES = {"torch": "pytorch", "matplotlib": "matplotlib-base"}


def requirements(*extras: str) -> list[Requirement]:
    lines = [*PROJECT["dependencies"], *(line for extra in extras for line in PROJECT["optional-dependencies"][extra])]
    return [requirement for requirement in map(Requirement, lines) if requirement.name != PROJECT["name"]]


ALL = requirements(*PROJECT["optional-dependencies"])


@pytest.mark.parametrize("requirement", ALL, ids=str)
def test_a_dependency_has_a_lower_bound_alone_and_says_who_uses_it(requirement):
    assert [specifier.operator for specifier in requirement.specifier] == [">="]
    assert re.search(rf'^    "{re.escape(str(requirement))}",\s+# \w.+$', PYPROJECT, re.MULTILINE)


@pytest.mark.parametrize("requirement", ALL, ids=str)
def test_a_dependency_is_pinned_to_a_version_that_satisfies_its_bound(requirement):
    pins = {}
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        if not line.startswith("#"):
            name, version = line.split("==")
            pins[canonicalize_name(name)] = Version(version)
    assert pins[canonicalize_name(requirement.name)] in requirement.specifier


def test_conda_installs_the_same():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    conda = {line for line in environment["dependencies"] if isinstance(line, str)}
    pip = next(line["pip"] for line in environment["dependencies"] if isinstance(line, dict))
    # an extra may ask for a newer one than the core does
    newest = {needed.name: needed for needed in requirements("lab")}
    expected = {f"{CONDA_NAMES.get(needed.name, needed.name)}{needed.specifier}" for needed in newest.values()}
    assert len(expected) >= 5
    assert conda == expected | {f"python{PROJECT['requires-python']}", "pip"}
    assert pip == ["-e ."]


def test_no_notebook_installs_an_exact_version():
    notebooks = sorted((ROOT / "course").glob("*.ipynb"))
    assert notebooks
    found = 0
    for path in notebooks:
        for cell in nbformat.read(path, as_version=4).cells:
            installs = [line for line in cell.source.splitlines() if "pip install" in line]
            assert not any(re.search(r"[=~]=", line) for line in installs), f"{path.name}: {installs}"
            found += len(installs)
    assert found >= len(notebooks)
