"""The versions that `make test-latest` and `make test-oldest` are about.

`versions.py latest` and `versions.py oldest` print the constraints that pip shall keep to in a new environment. With
`--installed` they look at the environment they run in, and fail when it is not what it is called.
"""

from __future__ import annotations

import sys
import tomllib
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parents[2]
# What nobody asks for by name, and what of it the oldest need.
BESIDE_THE_OLDEST = {
    "pyparsing": "<3.3",  # warns of the names by which Matplotlib before 3.10.7 calls it
}


def lower_bounds() -> dict[str, str]:
    """The oldest version allowed of each package in pyproject.toml. An extra may ask for a newer one than the core."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    return dict(line.split(">=") for line in lines if not line.startswith(project["name"]))


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


def constraints(which: str) -> dict[str, str]:
    """What pip may choose from. PyTorch stays as it is pinned: each of its versions is gigabytes."""
    torch = {"torch": f"=={pins()['torch']}"}
    if which == "latest":
        return torch
    return {name: f"=={bound}" for name, bound in lower_bounds().items()} | BESIDE_THE_OLDEST | torch


def wrong(which: str) -> list[str]:
    """The packages that are not what they should be: the newest are at least those that constraints.txt has."""
    from packaging.specifiers import SpecifierSet  # a new environment has it only after the packages
    from packaging.utils import canonicalize_name

    pinned = {canonicalize_name(name): f">={version}" for name, version in pins().items()}
    at_least = {name: pinned[canonicalize_name(name)] for name in lower_bounds()}
    found = []
    for name, specifier in (at_least | constraints(which)).items():
        version = metadata.version(name)
        print(f"{name} {version}")
        if version not in SpecifierSet(specifier):
            found.append(f"{name} is {version}, not {specifier}")
    return found


if __name__ == "__main__":
    which, *installed = sys.argv[1:]
    if installed:
        sys.exit("\n".join(wrong(which)) or None)
    print(*(f"{name}{specifier}" for name, specifier in constraints(which).items()), sep="\n")
