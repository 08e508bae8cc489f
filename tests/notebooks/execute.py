"""Run notebooks in place, from fresh kernels, and store what they show.

    python tests/notebooks/execute.py [NOTEBOOK…]

Without arguments: all of course/ and solutions/. Two runs of a notebook leave the same bytes, so a difference in git is
a difference in the course.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellControlSignal, DeadKernelError

ROOT = Path(__file__).parents[2]
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
LONG = 60  # seconds; a lesson that takes longer loses its readers, and its tests their authors


def main(arguments: list[str]) -> None:
    paths = [Path(argument) for argument in arguments] or notebooks("course", "solutions")
    if not paths:
        sys.exit("found no notebook in course/ and solutions/")
    for path in paths:
        try:
            seconds = execute(path)
        except (CellControlSignal, DeadKernelError) as error:
            sys.exit(f"{path}: left as it was, because it does not run:\n{error}")
        print(f"{path}: {seconds:.0f} s", flush=True)
        if seconds > LONG:
            print(f"warning: {path} took more than {LONG} s", file=sys.stderr)


def notebooks(*folders: str) -> list[Path]:
    """The notebooks of these folders, without JupyterLab's own copies."""
    paths = (path for folder in folders for path in (ROOT / folder).rglob("*.ipynb"))
    return sorted(path for path in paths if ".ipynb_checkpoints" not in path.parts)


def execute(path: Path, timeout: int = 300) -> float:
    """Run a notebook in its own folder, `timeout` seconds a cell at most, and store it. Returns the seconds it took.

    A notebook that does not run to its end raises nbclient's error, and its file stays as it was.
    """
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="python3",
        record_timing=False,
        store_widget_state=False,
        resources={"metadata": {"path": str(path.parent)}},
    )
    start = time.monotonic()
    client.execute()
    seconds = time.monotonic() - start

    make_stable(notebook)
    # Beside the notebook and then over it: whoever reads meanwhile sees the old one or the new one, never half.
    new = path.with_name(f".{path.name}.new")
    try:
        nbformat.write(notebook, new)
        os.replace(new, path)
    finally:
        new.unlink(missing_ok=True)
    return seconds


def make_stable(notebook: nbformat.NotebookNode) -> None:
    """Drop what differs between two runs of the same notebook."""
    notebook.metadata.pop("widgets", None)
    notebook.metadata["kernelspec"] = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    notebook.metadata["language_info"] = {"name": "python"}  # the rest names one machine's version of Python
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            for output in cell.outputs:
                # The live view of an explorer or a quiz, which has no words of its own: it is dead where no kernel
                # runs, and has a new name each run.
                if output.get("data", {}).get("text/plain") == "":
                    output.data.pop(WIDGET_VIEW, None)
            cell.outputs = _merge_streams(cell.outputs)


def _merge_streams(outputs: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """Join the pieces in which printed text happened to arrive."""
    merged: list[nbformat.NotebookNode] = []
    for output in outputs:
        if merged and output.output_type == "stream" == merged[-1].output_type and output.name == merged[-1].name:
            merged[-1].text += output.text
        else:
            merged.append(output)
    return merged


if __name__ == "__main__":
    main(sys.argv[1:])
