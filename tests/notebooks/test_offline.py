"""Once installed, the course needs no network; and the scenes that are stored with its explorers are those of a fresh run."""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.notebooks.execute import ROOT, notebooks

# The explorers that answer on a web page without Python.
GRIDS = re.compile(r"explore\.(arithmetic|convolution|interpolation|matrix|pooling|sizes|transposed)\(")
DECIMAL = re.compile(r"(\d+\.\d+)")
OFFLINE = ["bwrap", "--dev-bind", "/", "/", "--unshare-net", sys.executable]


@pytest.mark.needs("bubblewrap")
def test_the_sandbox_has_no_network() -> None:
    interfaces = subprocess.check_output([*OFFLINE, "-c", "import socket; print(socket.if_nameindex())"], text=True)
    assert interfaces.strip() == "[(1, 'lo')]"


# tests/explorers/test_lab.py runs all lessons in a JupyterLab without a network.
LESSONS = [path for path in notebooks("course") if GRIDS.search(path.read_text())]


@pytest.mark.needs("bubblewrap")
@pytest.mark.parametrize("path", [*LESSONS, *notebooks("exercises")], ids=lambda path: str(path.relative_to(ROOT)))
def test_it_runs_to_its_end_without_a_network(path: Path, tmp_path: Path) -> None:
    """The exercises unfilled; the lessons for their scenes, which are compared with the stored ones."""
    copy = shutil.copy(path, tmp_path)
    command = [*OFFLINE, ROOT / "tests" / "notebooks" / "execute.py", copy]
    result = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    notebook = nbformat.read(copy, as_version=4)
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    assert counts and counts == list(range(1, len(counts) + 1))
    if path in LESSONS:  # exercises are stored without outputs
        stored, fresh = scenes(nbformat.read(path, as_version=4)), scenes(notebook)
        assert fresh and all(fresh.values()), "an explorer of grids without a scene"
        assert list(differences(stored, fresh)) == []


def scenes(notebook: nbformat.NotebookNode) -> dict[str, list[Any]]:
    """The scenes of each cell that has some or should have some, by the cell's id."""
    found = {}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            told = [output.get("metadata", {}).get("unet_edu", {}).get("scenes", []) for output in cell.outputs]
            scenes = [{**one, "scene": json.loads(one["scene"])} for scenes in told for one in scenes]
            if scenes or GRIDS.search(cell.source):
                found[cell.id] = scenes
    return found


def differences(stored: Any, fresh: Any, place: str = "") -> Iterator[str]:
    """Where two scenes differ by more than machines do.

    Sums of floats agree between machines to about six digits. A number that lies between two roundings may be rounded either way, so
    the last digit that is written of it may differ by one: in a place the sixth, in a text the last one behind the point.
    """
    if isinstance(stored, dict) and isinstance(fresh, dict) and stored.keys() == fresh.keys():
        for key, value in stored.items():
            yield from differences(value, fresh[key], f"{place} {key}")
    elif isinstance(stored, list) and isinstance(fresh, list) and len(stored) == len(fresh):
        for number, value in enumerate(stored):
            yield from differences(value, fresh[number], f"{place} {number}")
    elif isinstance(stored, float) and isinstance(fresh, float):
        if not math.isclose(stored, fresh, rel_tol=1e-5):
            yield f"{place}: {stored} is stored, {fresh} is true"
    elif isinstance(stored, str) and isinstance(fresh, str) and DECIMAL.search(stored):
        if not _reads_alike(DECIMAL.split(stored), DECIMAL.split(fresh)):
            yield f"{place}: {stored!r} is stored, {fresh!r} is true"
    elif stored != fresh:
        yield f"{place}: {stored!r} is stored, {fresh!r} is true"


def _reads_alike(stored: list[str], fresh: list[str]) -> bool:
    """Whether two texts, cut into words and decimals, are the same but for a last digit."""
    if stored[::2] != fresh[::2]:
        return False
    pairs = zip(stored[1::2], fresh[1::2], strict=True)
    return all(abs(float(one) - float(other)) < 1.5 * _last_digit(one, other) for one, other in pairs)


def _last_digit(*decimals: str) -> float:
    """What one more in the last digit is worth, of the decimal with the fewest digits."""
    return 10.0 ** -min(len(decimal.partition(".")[2]) for decimal in decimals)


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
