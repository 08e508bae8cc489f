"""Once installed, the course needs no network. (That the lessons run without one is seen where JupyterLab opens
them.)"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tests.notebooks.execute import ROOT, notebooks

pytestmark = pytest.mark.needs("bubblewrap")

OFFLINE = ["bwrap", "--dev-bind", "/", "/", "--unshare-net", sys.executable]


def test_the_sandbox_has_no_network() -> None:
    interfaces = subprocess.check_output([*OFFLINE, "-c", "import socket; print(socket.if_nameindex())"], text=True)
    assert interfaces.strip() == "[(1, 'lo')]"


@pytest.mark.parametrize("path", notebooks("exercises"), ids=lambda path: str(path.relative_to(ROOT)))
def test_an_exercise_runs_unfilled_to_its_end(path: Path, tmp_path: Path) -> None:
    copy = shutil.copy(path, tmp_path)
    command = [*OFFLINE, ROOT / "tests" / "notebooks" / "execute.py", copy]
    result = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    counts = [cell.execution_count for cell in nbformat.read(copy, as_version=4).cells if cell.cell_type == "code"]
    assert counts and counts == list(range(1, len(counts) + 1))
