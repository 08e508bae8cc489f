"""Once installed, the course needs no network."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tests.notebooks.execute import ROOT

OFFLINE = ["bwrap", "--dev-bind", "/", "/", "--unshare-net", sys.executable]


@pytest.mark.needs("bubblewrap")
def test_an_unfilled_exercise_runs_to_its_end_without_a_network(tmp_path: Path) -> None:
    interfaces = subprocess.check_output([*OFFLINE, "-c", "import socket; print(socket.if_nameindex())"], text=True)
    assert interfaces.strip() == "[(1, 'lo')]"

    exercise = tmp_path / "02_convolution.ipynb"
    shutil.copyfile(ROOT / "exercises" / "02_convolution" / exercise.name, exercise)
    command = [*OFFLINE, ROOT / "tests" / "notebooks" / "execute.py", exercise]
    result = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    notebook = nbformat.read(exercise, as_version=4)
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    assert counts and counts == list(range(1, len(counts) + 1))
