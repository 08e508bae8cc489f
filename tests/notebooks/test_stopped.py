"""A reader may stop each training of a lesson, and the cells below work with what there is."""

from __future__ import annotations

import re

import nbformat
import pytest
from nbclient import NotebookClient

from tests.notebooks.execute import ROOT, notebooks
from tests.patience import PATIENCE_S

WITH_TRAININGS = [path for path in notebooks("course") if re.search(r"\bfit\(|\brun\.train\(", path.read_text())]
# Somebody presses the button: in the first training at this step, in the second at that one, and round again. The
# second is before the first validation.
PRESS = """
import itertools, signal
from unet_edu._running.run import Run

def pressing(update, steps):
    def pressed(run, loss):
        update(run, loss)
        run.at = getattr(run, "at", None) or next(steps)
        if run.step == run.at:
            signal.raise_signal(signal.SIGINT)
    return pressed

Run.update = pressing(Run.update, itertools.cycle([37, 4, 12]))"""


@pytest.mark.parametrize("path", WITH_TRAININGS, ids=lambda path: path.stem)
def test_a_lesson_whose_trainings_are_stopped_runs_to_its_end(path):
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(PRESS))
    NotebookClient(notebook, timeout=PATIENCE_S, resources={"metadata": {"path": str(ROOT / "course")}}).execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    said = "".join(output.get("text", "") for output in outputs if output.get("name") == "stdout")
    shown = {"07_one_gradient_and_many": 1, "10_own_images": 1}.get(path.stem, 3)  # others run without a picture
    kept = "the network keeps|the best so far is kept|what it learned so far is kept"  # the last two in a folder
    assert len(re.findall(rf"^Stopped at step (?:37|4|12) of \d+; (?:{kept})", said, re.MULTILINE)) >= shown
    assert not [output.text for output in outputs if output.get("name") == "stderr"]


def test_a_lesson_has_trainings():
    assert {"07_training", "10_own_images"} <= {path.stem for path in WITH_TRAININGS}
