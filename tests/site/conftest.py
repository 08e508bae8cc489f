"""The web book, built once for all tests of a run, as `make site` does it."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from tests.patience import PATIENCE_S

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built book. When several processes run the tests, one builds and the others wait."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "book"
    folder.mkdir(exist_ok=True)
    with FileLock(folder / "lock"):
        if not (folder / "is_built").exists():
            venv, output = os.path.relpath(sys.prefix, ROOT), shlex.quote(str(folder / "site"))
            # With the packages of this process as they are: to install others would need the network.
            command = ["make", f"--old-file={venv}/site.stamp", "site", f"VENV={venv}", f"SITE_ARGS=--output {output}"]
            result = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=PATIENCE_S)
            assert result.returncode == 0, result.stdout + result.stderr
            (folder / "is_built").touch()
    return folder / "site"
