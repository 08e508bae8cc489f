"""The course on newer Pythons, with newer libraries, and without PyTorch, whose builds for each are gigabytes.

`make test-nextpython` runs this with any Python. Each interpreter of PYTHONS that is here gets an environment of its
own from constraints-next.txt. In it run the tests of the operators and of the pictures, and every notebook of exercises
that needs no PyTorch, solved and as it is handed out; in the first of them the first lessons, too, as far as they need
none: the libraries are the same in all.

`make test-colab` runs this with --colab: the Python of Colab, the libraries of tests/colab/requirements.txt, and what
tests/colab/run.py does where there is no PyTorch.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import time
import tomllib
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PINS, COLAB = ROOT / "constraints-next.txt", ROOT / "tests" / "colab"
PYTHONS = ("python3.13", "python3.12")  # the first one is Colab's
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
PATTERNS = {
    "course/{}_*.ipynb": LESSONS,
    "solutions/{}_*/*.ipynb": WITHOUT_TORCH,
    "exercises/{}_*/*.ipynb": WITHOUT_TORCH,
}
VERDICTS = {"solutions": ": passed.", "exercises": ": not yet."}
AT_ONCE = 2


def main() -> None:
    start, found = time.monotonic(), [name for name in PYTHONS if is_here(name)]
    for name in PYTHONS:
        if name not in found:
            print(f"{name} is not here: nothing is known of it")
    if not found:
        sys.exit(f"none of {', '.join(PYTHONS)} is here: nothing was tested")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = without_torch((*project["dependencies"], *TOOLS))
    for name in found:
        python = environment(name, name, PINS, wanted)
        in_it = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
        tests = ["pytest", "-q", "-n", "2", "--dist", "loadfile", "-p", "no:cacheprovider", *TESTS]
        inside = [str(Path(__file__)), "--inside", *(["--lessons"] if name == found[0] else [])]
        for command in (tests, inside):
            words = [python, *(["-m", *command] if command is tests else command)]
            subprocess.run(words, check=True, cwd=ROOT, env=in_it)
        print(f"{name}: all right", flush=True)
    print(f"{len(found)} of {len(PYTHONS)} Pythons in {time.monotonic() - start:.0f} s")


def colab() -> None:
    name, pins = PYTHONS[0], COLAB / "requirements.txt"
    if not is_here(name):
        print(f"{name}, which Colab has, is not here: nothing is known of it")
        return
    lines = [line for line in pins.read_text().splitlines() if line and not line.startswith("#")]
    python = environment(name, "colab", pins, without_torch(lines))
    sys.exit(subprocess.run([python, COLAB / "run.py"], check=False).returncode)


def is_here(name: str) -> bool:
    """Whether it starts, too: pyenv has a program for each Python, also where another one is chosen."""
    try:
        return subprocess.run([name, "--version"], check=False, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


def without_torch(lines: Iterable[str]) -> list[str]:
    return [line for line in lines if not line.startswith("torch")]


def environment(name: str, called: str, pins: Path, wanted: list[str]) -> Path:
    """The Python of an environment with these packages, made anew when the lists have changed."""
    folder = ROOT / ".venv-next" / called
    stamp, python = folder / "next.stamp", folder / "bin" / "python"
    lists = "\n".join([name, *wanted, pins.read_text()])
    if not stamp.exists() or stamp.read_text() != lists:
        subprocess.run([name, "-m", "venv", "--clear", "--without-pip", folder], check=True)
        pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--constraint", pins]
        subprocess.run([*pip, *wanted], check=True)
        stamp.write_text(lists)
    return python


# ------------------------------------------------------------------------------------------- inside of an environment


def inside(lessons: bool) -> None:
    import importlib.util

    if importlib.util.find_spec("torch"):
        sys.exit("PyTorch is here: without it is what this is about")
    faults = asyncio.run(in_turn(chosen(lessons), faults_of))
    if faults:
        sys.exit("\n".join(["", *faults]))


def chosen(lessons: bool) -> list[Path]:
    """The notebooks that need no PyTorch, or little of it. The longest come first."""
    kinds = [(numbers, pattern) for pattern, numbers in PATTERNS.items() if lessons or numbers is not LESSONS]
    found = [[*ROOT.glob(pattern.format(number))] for numbers, pattern in kinds for number in numbers]
    if {*map(len, found)} != {1}:
        sys.exit(f"expected one notebook of each kind and number, found {found}")
    return [path for (path,) in found]


async def in_turn(paths: Iterable[Path], faults_of: Callable[[Path], Awaitable[list[str]]]) -> list[str]:
    """What is wrong in which of these notebooks. Some run at the same time."""
    limit = asyncio.Semaphore(AT_ONCE)

    async def one(path: Path) -> list[str]:
        name = path.relative_to(ROOT)
        async with limit:
            start = time.monotonic()
            found = await faults_of(path)
            print(f"{name}: {time.monotonic() - start:.0f} s{', FAULTY' if found else ''}", flush=True)
        return [f"{name}: {fault}" for fault in found]

    return [fault for found in await asyncio.gather(*map(one, paths)) for fault in found]


async def faults_of(path: Path) -> list[str]:
    from nbclient import NotebookClient

    notebook = torchless(path)
    resources = {"metadata": {"path": str(ROOT)}}
    client = NotebookClient(
        notebook, timeout=120, kernel_name="python3", allow_errors=True, resources=resources, coalesce_streams=True
    )
    await client.async_execute()
    return judged(path, notebook)


def torchless(path: Path) -> Any:
    """A notebook without the lines that import PyTorch."""
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    for cell in code(notebook):
        cell.outputs = []
        cell.source = TORCH.sub("pass", cell.source) if "import " in cell.source else cell.source
    return notebook


def judged(path: Path, notebook: Any) -> list[str]:
    """What is wrong after a run in which a cell that fails stops no other."""
    verdict = VERDICTS.get(path.relative_to(ROOT).parts[0])
    return misjudged(notebook, verdict) if verdict else stopped(notebook)


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
    match sys.argv[1:]:
        case ["--inside", *words]:
            inside("--lessons" in words)
        case ["--colab"]:
            colab()
        case _:
            main()
