"""Once installed, the course needs no network. (That the lessons run without one is seen where nbval runs them, in
kernels that refuse it.)"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tests.conftest import OFFLINE as REFUSE
from tests.notebooks.execute import ROOT, notebooks
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.needs("bubblewrap")

OFFLINE = ["bwrap", "--dev-bind", "/", "/", "--unshare-net", sys.executable]


def test_the_sandbox_has_no_network() -> None:
    interfaces = subprocess.check_output([*OFFLINE, "-c", "import socket; print(socket.if_nameindex())"], text=True)
    assert interfaces.strip() == "[(1, 'lo')]"


@pytest.mark.parametrize(
    ("attempt", "is_refused"),
    [
        ("socket.create_connection(('192.0.2.1', 80), 1)", True),
        ("socket.getaddrinfo('unet-edu.org', 443)", True),
        ("socket.socket(type=socket.SOCK_DGRAM).sendto(b'', ('192.0.2.1', 80))", True),
        ("here = socket.create_server(('127.0.0.1', 0)); socket.create_connection(here.getsockname())", False),
    ],
)
def test_a_kernel_of_nbval_refuses_the_network_and_says_so(attempt: str, is_refused: bool) -> None:
    code = f"exec({REFUSE!r}, {{}}); import socket; {attempt}"
    result = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert ("was asked for\n" in result.stderr) == ("no network here" in result.stderr) == is_refused
    assert (result.returncode != 0) == is_refused


EXERCISES = notebooks("exercises")
each_exercise = pytest.mark.parametrize("path", EXERCISES, ids=lambda path: str(path.relative_to(ROOT)))

# One kernel for all, so that it starts, and loads torch, once; nothing is left of the exercise before.
RUN = """
import sys
from pathlib import Path
import nbformat
from nbclient import NotebookClient

paths = [Path(argument) for argument in sys.argv[1:]]
resources = {"metadata": {"path": str(paths[0].parent)}}
client = NotebookClient(nbformat.v4.new_notebook(), timeout=None, kernel_name="python3", resources=resources)
with client.setup_kernel():
    for path in paths:
        client.nb = nbformat.read(path, as_version=4)
        client.kc.execute("%reset -f")
        for number, cell in enumerate(client.nb.cells):
            client.execute_cell(cell, number)  # raises where the cell does
        nbformat.write(client.nb, path)
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder with copies of all exercises, each run to its end or the first error, and what was said."""
    folder = tmp_path_factory.mktemp("exercises")
    copies = [shutil.copy(path, folder) for path in EXERCISES]
    command = [*OFFLINE, "-c", RUN, *copies]
    result = subprocess.run(command, check=False, capture_output=True, text=True, timeout=PATIENCE_S)
    return folder, result.stdout + result.stderr


@each_exercise
def test_an_exercise_runs_unfilled_to_its_end(run: tuple[Path, str], path: Path) -> None:
    folder, said = run
    cells = nbformat.read(folder / path.name, as_version=4).cells
    counts = [cell.execution_count for cell in cells if cell.cell_type == "code"]
    assert counts and None not in counts, said


@each_exercise
def test_an_unfilled_exercise_says_not_yet(run: tuple[Path, str], path: Path) -> None:
    folder, said = run
    cells = nbformat.read(folder / path.name, as_version=4).cells
    solutions, grades = (
        [cell for cell in cells if cell.metadata.get("nbgrader", {}).get(kind)] for kind in ("solution", "grade")
    )
    verdicts = ["".join(output.get("data", {}).get("text/plain", "") for output in cell.outputs) for cell in grades]
    assert len(verdicts) == len(solutions) > 0
    assert all("not yet" in verdict for verdict in verdicts), said
