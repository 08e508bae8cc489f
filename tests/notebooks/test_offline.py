"""Once installed, the course needs no network."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tests.notebooks.execute import ROOT, notebooks

OFFLINE = ["bwrap", "--dev-bind", "/", "/", "--unshare-net", sys.executable]


@pytest.mark.needs("bubblewrap")
def test_the_sandbox_has_no_network() -> None:
    interfaces = subprocess.check_output([*OFFLINE, "-c", "import socket; print(socket.if_nameindex())"], text=True)
    assert interfaces.strip() == "[(1, 'lo')]"


@pytest.mark.needs("bubblewrap")
@pytest.mark.parametrize("path", notebooks("course", "exercises"), ids=lambda path: str(path.relative_to(ROOT)))
def test_it_runs_to_its_end_without_a_network(path: Path, tmp_path: Path) -> None:
    """The lessons as they are, the exercises unfilled."""
    copy = shutil.copy(path, tmp_path)
    command = [*OFFLINE, ROOT / "tests" / "notebooks" / "execute.py", copy]
    result = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    notebook = nbformat.read(copy, as_version=4)
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    assert counts and counts == list(range(1, len(counts) + 1))
