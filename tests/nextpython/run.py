"""The course on newer Pythons, with newer libraries, and without PyTorch, whose builds for each are gigabytes.

`make test-nextpython` runs this with any Python. Each interpreter of PYTHONS that is here gets an environment of its
own from constraints-next.txt. In it run the tests of the operators and of the pictures; every notebook of exercises
that needs no PyTorch, solved and as it is handed out; and the first lessons, as far as they need none.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PINS = ROOT / "constraints-next.txt"
PYTHONS = ("python3.13", "python3.12")
WITHOUT_TORCH = ("01", "02", "03", "04", "05", "09")
LESSONS = ("01", "02", "03", "04", "05")
TESTS = (
    *(f"tests/library/test_{name}.py" for name in ("convolution", "interpolation", "matrix", "pooling", "transposed")),
    *(f"tests/library/test_{name}.py" for name in ("adjoints", "data_cells", "data_elastic", "data_masks", "pictures")),
    *(f"tests/library/test_{name}.py" for name in ("figures", "figures_shown", "figures_palette")),
)
TOOLS = ("pytest", "pytest-xdist", "hypothesis", "nbclient", "ipykernel", "imagecodecs")
TORCH = re.compile(r"^\s*(?:import torch|from torch\b).*$", re.MULTILINE)
ASSIGNED = re.compile(r"^\s*(?:def (\w+)|for ([\w, ]+) in|([\w, ]+?) = )", re.MULTILINE)
RIGHT, NOT_YET = ": passed.", ": not yet."


def main() -> None:
    start, found = time.monotonic(), [name for name in PYTHONS if is_here(name)]
    for name in PYTHONS:
        if name not in found:
            print(f"{name} is not here: nothing is known of it")
    if not found:
        sys.exit(f"none of {', '.join(PYTHONS)} is here: nothing was tested")
    for name in found:
        python = environment(name)
        in_it = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
        tests = ["pytest", "-q", "-n", "2", "--dist", "loadfile", "-p", "no:cacheprovider", *TESTS]
        for command in (tests, [str(Path(__file__)), "--inside"]):
            words = [python, *(["-m", *command] if command is tests else command)]
            subprocess.run(words, check=True, cwd=ROOT, env=in_it)
        print(f"{name}: all right", flush=True)
    print(f"{len(found)} of {len(PYTHONS)} Pythons in {time.monotonic() - start:.0f} s")


def is_here(name: str) -> bool:
    """Whether it starts, too: pyenv has a program for each Python, also where another one is chosen."""
    try:
        return subprocess.run([name, "--version"], check=False, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


def environment(name: str) -> Path:
    """The Python of an environment with what the course needs but PyTorch, made anew when the lists have changed."""
    folder = ROOT / ".venv-next" / name
    stamp, python = folder / "next.stamp", folder / "bin" / "python"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [line for line in (*project["dependencies"], *TOOLS) if not line.startswith("torch")]
    lists = "\n".join([*wanted, PINS.read_text()])
    if not stamp.exists() or stamp.read_text() != lists:
        subprocess.run([name, "-m", "venv", "--clear", "--without-pip", folder], check=True)
        pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--constraint", PINS]
        subprocess.run([*pip, *wanted], check=True)
        stamp.write_text(lists)
    return python


# ------------------------------------------------------------------------------------------- inside of an environment


def inside() -> None:
    import importlib.util

    if importlib.util.find_spec("torch"):
        sys.exit("PyTorch is here: without it is what this is about")
    solved, empty, lessons = (
        [path for number in numbers for path in sorted(ROOT.glob(pattern.format(number)))]
        for pattern, numbers in (
            ("solutions/{}_*/*.ipynb", WITHOUT_TORCH),
            ("exercises/{}_*/*.ipynb", WITHOUT_TORCH),
            ("course/{}_*.ipynb", LESSONS),
        )
    )
    faults = []
    if (len(solved), len(empty), len(lessons)) != (len(WITHOUT_TORCH), len(WITHOUT_TORCH), len(LESSONS)):
        faults.append(f"found {len(solved)} solutions, {len(empty)} exercises and {len(lessons)} lessons")
    for path in (*solved, *empty, *lessons):
        begun, notebook = time.monotonic(), ran(path)
        verdict = RIGHT if path in solved else NOT_YET if path in empty else None
        found = misjudged(notebook, verdict) if verdict else stopped(notebook)
        print(f"{path.relative_to(ROOT)}: {time.monotonic() - begun:.0f} s{', FAULTY' * bool(found)}", flush=True)
        faults += [f"{path.relative_to(ROOT)}: {fault}" for fault in found]
    if faults:
        sys.exit("\n".join(["", *faults]))


def ran(path: Path) -> Any:
    """The notebook after a run in which a cell that fails stops no other. Lines that import PyTorch are left out."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    for cell in code(notebook):
        cell.outputs = []
        cell.source = TORCH.sub("pass", cell.source) if "import " in cell.source else cell.source
    resources = {"metadata": {"path": str(ROOT)}}
    NotebookClient(
        notebook, timeout=120, kernel_name="python3", allow_errors=True, resources=resources, coalesce_streams=True
    ).execute()
    return notebook


def code(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def errors(cell: Any) -> list[Any]:
    return [output for output in cell.outputs if output.output_type == "error"]


def misjudged(notebook: Any, verdict: str) -> list[str]:
    """Cells that failed, and checks that say something else."""
    faults = [f"{error.ename}: {error.evalue}" for cell in code(notebook) for error in errors(cell)]
    checks = [cell for cell in code(notebook) if re.search(r"^check\(", cell.source, re.MULTILINE)]
    faults += [f"{cell.source}: expected {verdict!r}" for cell in checks if verdict not in str(cell.outputs)]
    return faults if checks else [*faults, "there is no check in it"]


def stopped(notebook: Any) -> list[str]:
    """Cells that failed although neither they nor what they use needs PyTorch. Most cells need none."""
    missing, faults, failed = {"torch", "nn", "F"}, [], 0
    for cell in code(notebook):
        for error in errors(cell):
            failed += 1
            name = re.search(r"'(\w+)'", error.evalue)
            if error.ename not in ("NameError", "ModuleNotFoundError") or not name or name[1] not in missing:
                faults.append(f"{error.ename}: {error.evalue}\n{cell.source}")
            made = [name for groups in ASSIGNED.findall(cell.source) for name in re.split(r", ?", "".join(groups))]
            missing.update(made)
    if failed * 2 > len(code(notebook)):
        faults.append(f"{failed} of {len(code(notebook))} cells need PyTorch: most should need none")
    return faults


if __name__ == "__main__":
    inside() if sys.argv[1:] == ["--inside"] else main()
