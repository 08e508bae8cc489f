"""The course as Colab's readers meet it. `make test-colab` runs this with the Python of .venv-colab, which has Colab's
packages and no others.

The first code cell installs the course, from a wheel in the place of the repository's address, and must change nothing
else: on Colab, and in a kernel elsewhere that lacks the course. Then every lesson, and every exercise as it is handed
out, runs to its end, and every explorer and quiz shows itself and follows its controls.

PyTorch for the Python of Colab is gigabytes. So Colab's libraries have two environments: one of Python 3.11 with
PyTorch, for all this, and one of Colab's Python without it, where that cell runs, and then what needs no PyTorch.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib.util
import json
import os
import re
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellControlSignal, DeadKernelError

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
if __name__ == "__main__":
    sys.path.append(str(ROOT))  # in kernels it is not: they have the installed library

from tests.nextpython.run import chosen, in_turn, judged, torchless

WIDGET_VIEW, WIDGET_STATE = (f"application/vnd.jupyter.widget-{what}+json" for what in ("view", "state"))
SHOWS_ITSELF = re.compile(r"^(explore\.(?!show\b)\w+|quiz)\(", re.MULTILINE)
ADDRESS = re.compile(r"git\+https://[^\"]+")
# What a kernel on Colab has loaded before the first cell.
START = "import google.colab\nimport numpy, matplotlib.pyplot"
TORCH = "2.11.0"  # Colab's
INSTALLED = "Note: you may need to restart the kernel to use updated packages.\n"

# Runs after a notebook's own cells. Each explorer's controls are moved, and what its views then show is told twice: to
# the browser, and here.
PROBE = """
import hashlib, json, sys
import ipywidgets, unet_edu
from unet_edu import explore
from unet_edu.explore.explorer import Explorer

def another(control):
    if hasattr(control, "options"):
        return control.options[-1 if control.index == 0 else 0][1]
    if isinstance(control.value, bool):
        return not control.value
    return control.value + (control.step if control.value + control.step <= control.max else -control.step)

def shown(explorer):
    return {
        view.widget.model_id: hashlib.sha256(
            json.dumps(view.widget.get_state()[view.trait], sort_keys=True).encode()
        ).hexdigest()
        for view in explorer.views
    }

explorers = [value for value in Out.values() if isinstance(value, Explorer)]
still = []
for explorer in explorers:
    for name, control in explorer.controls.items():
        if not control.disabled:
            before = shown(explorer)
            control.value = another(control)
            if shown(explorer) == before:
                still.append(f"{type(explorer.state).__name__}.{name}")
print(json.dumps({
    "library": unet_edu.__file__,
    "widgets": ipywidgets.__version__,
    "colab": "google.colab" in sys.modules,
    "known": [name for name in explore.__all__ if name not in ("show", "digest")],
    "explorers": len(explorers),
    "still": still,
    "shown": {model: value for explorer in explorers for model, value in shown(explorer).items()},
}))
"""


def main() -> None:
    lessons, exercises = sorted(ROOT.glob("course/*.ipynb")), sorted(ROOT.glob("exercises/*/*.ipynb"))
    side_roads = sorted(ROOT.glob("course/side_roads/*.ipynb"))
    if not lessons or not exercises:
        sys.exit(f"found {len(lessons)} lessons and {len(exercises)} exercises: there is nothing to run")
    programs = Path(sys.executable).parent  # `!pip` is the one of Colab's Python
    os.environ["PATH"] = f"{programs}{os.pathsep}{os.environ['PATH']}"
    os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"  # else the debugger says that it might miss something
    torch = importlib.util.find_spec("torch") is not None
    paths = [*lessons, *side_roads, *exercises] if torch else chosen(lessons=True)
    if not torch:
        say_that_torch_is_there()
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        kernels = Kernels(Path(folder))
        faults = asyncio.run(install(lessons[0], kernels, built(Path(folder)), whole=torch))
        if not faults:  # without the course all that follows would fail, too
            faults = asyncio.run(run_all(paths, kernels) if torch else run_without_torch(paths, kernels))
    print(f"{len(paths)} notebooks in Python {sys.version.split()[0]} in {time.monotonic() - start:.0f} s")
    if faults:
        sys.exit("\n".join(["", *faults]))


def say_that_torch_is_there() -> None:
    """pip then brings none, as on Colab; to import it fails all the same."""
    folder = Path(sysconfig.get_path("purelib")) / f"torch-{TORCH}.dist-info"
    folder.mkdir(exist_ok=True)
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: torch\nVersion: {TORCH}\n")


async def install(lesson: Path, kernels: Kernels, wheel: Path, *, whole: bool) -> list[str]:
    """Let the lesson's own cell install the course. Returns what went wrong, and what pip did that it should not have
    done."""
    (stamp,) = Path(sys.prefix).glob("*.stamp")  # without it `make` builds the environment anew
    lists = stamp.read_text()
    stamp.unlink()
    if any(line.startswith("unet-edu ") for line in freeze()):
        pip("uninstall", "--yes", "--quiet", "unet-edu")  # of the last time
    before, faults = freeze(), []
    for where in ("elsewhere", "colab"):
        faults += await installed(lesson, kernels, wheel, where, whole=whole)
        faults += changes(before, freeze(), added={"unet-edu"})
        if where == "elsewhere":
            pip("uninstall", "--yes", "--quiet", "unet-edu")
    if not faults:
        stamp.write_text(lists)
    return faults


async def run_all(paths: list[Path], kernels: Kernels) -> list[str]:
    """Run the notebooks. Returns what went wrong in which of them, and which explorers were in none."""
    known: set[str] = set()
    called: set[str] = set()

    async def faults_of(path: Path) -> list[str]:
        notebook = nbformat.read(path, as_version=4)
        if found := await kernels.run(notebook, "colab", PROBE):
            return found
        said = json.loads(notebook.cells.pop().outputs[-1].text)
        known.update(said["known"])
        called.update(re.findall(r"\bexplore\.(\w+)\(", "\n".join(cell.source for cell in notebook.cells)))
        return [*misfits(said), *unseen(notebook, said), *noisy(notebook.cells[1])]

    faults = await in_turn(paths, faults_of)
    if not faults and not known:
        return ["no explorer ran"]
    return faults + [f"explore.{name}: no lesson that ran has this explorer" for name in sorted(known - called)]


async def run_without_torch(paths: list[Path], kernels: Kernels) -> list[str]:
    """Run the notebooks as far as they need no PyTorch, and look at the checks of exercises."""

    async def faults_of(path: Path) -> list[str]:
        notebook = torchless(path)
        if found := await kernels.run(notebook, "colab", PROBE, allow_errors=True):
            return found
        said = json.loads(notebook.cells.pop().outputs[-1].text)
        return [*misfits(said), *judged(path, notebook)]

    return await in_turn(paths, faults_of)


# ---------------------------------------------------------------------------------------------------- the set-up cell


async def installed(path: Path, kernels: Kernels, wheel: Path, where: str, *, whole: bool) -> list[str]:
    """The first code cell installs the course, in one line of words, and the lesson then runs in the same kernel."""
    notebook = nbformat.read(path, as_version=4)
    cell = notebook.cells[1]
    notebook.cells = notebook.cells if whole else [cell]
    cell.source, count = ADDRESS.subn(wheel.as_uri(), cell.source)
    if count != 1:
        return [f"{path.name}: the first code cell names the repository {count} times to pip"]
    start = time.monotonic()
    faults = await kernels.run(notebook, where, PROBE)
    print(
        f"{path.relative_to(ROOT)}, which installs the course ({where}): {time.monotonic() - start:.0f} s", flush=True
    )
    if [(output.output_type, output.get("text")) for output in cell.outputs] != [("stream", INSTALLED)]:
        faults.append(f"{path.name}: the first code cell shows {cell.outputs}")
    return faults


def noisy(cell: nbformat.NotebookNode) -> list[str]:
    """Where the course is installed, the first code cell has nothing to say."""
    if "import unet_edu" in cell.source and not cell.outputs:
        return []
    return [f"the first code cell shows {cell.outputs}"]


def built(folder: Path) -> Path:
    pip("wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT))
    (wheel,) = folder.glob("unet_edu-*.whl")
    return wheel


def pip(*arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "pip", *arguments], check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def freeze() -> set[str]:
    return set(pip("freeze", "--all").splitlines())


def changes(before: set[str], after: set[str], added: set[str]) -> list[str]:
    """What pip did to packages that it should have left alone, and the course if it should be there and is not."""
    lost = [f"pip took away {line}" for line in sorted(before - after)]
    names = {re.split(r"[ =@]", line)[0]: line for line in after - before}
    new = [f"pip brought {line}" for name, line in sorted(names.items()) if name not in added]
    return lost + new + [f"pip did not bring {name}" for name in sorted(added - names.keys())]


# ------------------------------------------------------------------------------------------------------------ kernels


class Kernels:
    """Runs notebooks in kernels that are on Colab or elsewhere, in an empty folder and without the reader's own
    settings."""

    def __init__(self, folder: Path) -> None:
        self.content = folder / "content"
        self.content.mkdir()
        startup = folder / "ipython" / "profile_default" / "startup"
        startup.mkdir(parents=True)
        (startup / "colab.py").write_text(START)
        settings = {
            "HOME": str(folder),
            "JUPYTER_DATA_DIR": str(folder / "data"),
            "OMP_NUM_THREADS": "1",  # notebooks that run at the same time would only stand in each other's way
        }
        elsewhere = {**os.environ, **settings, "IPYTHONDIR": str(folder / "elsewhere")}
        elsewhere.pop("PYTHONPATH", None)
        colab = {**elsewhere, "IPYTHONDIR": str(folder / "ipython"), "PYTHONPATH": str(HERE)}
        self.environments = {"colab": colab, "elsewhere": elsewhere}

    async def run(
        self, notebook: nbformat.NotebookNode, where: str, last: str | None = None, *, allow_errors: bool = False
    ) -> list[str]:
        """Run all cells, and then `last`, which stays in the notebook. Returns the error of the cell that stopped
        it."""
        if last:
            notebook.cells.append(nbformat.v4.new_code_cell(last))
        resources = {"metadata": {"path": str(self.content)}}
        # One `print` may come as two messages: its words, and, where the kernel sends in between, the end of its line.
        client = NotebookClient(
            notebook,
            timeout=300,
            kernel_name="python3",
            allow_errors=allow_errors,
            resources=resources,
            coalesce_streams=True,
        )
        try:
            await client.async_execute(env=self.environments[where])
        except (CellControlSignal, DeadKernelError) as error:
            return [str(error)]
        return []


# ---------------------------------------------------------------------------------------------- what a notebook showed


def misfits(said: dict[str, Any]) -> list[str]:
    """It ran with Colab's widgets, on Colab, and with the installed library, not with the one of this repository."""
    faults = [] if said["colab"] else ["the kernel was not on Colab"]
    if not said["widgets"].startswith("7."):
        faults.append(f"ipywidgets {said['widgets']} is not Colab's")
    if not Path(said["library"]).is_relative_to(sys.prefix):
        faults.append(f"unet_edu was imported from {said['library']}, which no reader has")
    return faults


def unseen(notebook: nbformat.NotebookNode, said: dict[str, Any]) -> list[str]:
    """The explorers and quizzes that made no view, or whose view the browser would not show or not keep up to date."""
    models = notebook.metadata.get("widgets", {}).get(WIDGET_STATE, {}).get("state", {})
    faults = [f"{name} shows the same when it is moved" for name in said["still"]]
    faults += [
        f"the browser was not told what {models[model]['model_name']} shows now"
        for model, value in said["shown"].items()
        if value not in map(fingerprint, models[model]["state"].values())
    ]
    count = 0
    for cell in notebook.cells:
        calls = SHOWS_ITSELF.findall(cell.source) if cell.cell_type == "code" else []
        views = [output for output in cell.get("outputs", ()) if WIDGET_VIEW in output.get("data", {})]
        programs = str(cell.get("outputs", "")).count('class="unet-page"')  # explorers that need no Python
        count += sum(call != "quiz" for call in calls) - programs
        if len(views) + programs != len(calls):
            faults.append(f"{len(calls)} should show themselves here, {len(views) + programs} did:\n{cell.source}")
        faults += [fault for view in views for fault in lost_view(view, models)]
    if count != said["explorers"]:
        faults.append(f"the notebook calls {count} explorers, and {said['explorers']} were there to be moved")
    return faults


def fingerprint(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def lost_view(output: nbformat.NotebookNode, models: dict[str, Any]) -> list[str]:
    """What keeps Colab from showing this view: a widget that it was not told of, or one of others without the address
    of their manager."""
    seen: set[str] = set()
    todo = [output.data[WIDGET_VIEW]["model_id"]]
    while todo:
        model = todo.pop()
        if model not in models:
            return [f"no message opened the widget {model}"]
        seen.add(model)
        inner = re.findall(r"IPY_MODEL_(\w+)", json.dumps(models[model]["state"]))
        todo += [name for name in inner if name not in seen]
    foreign = any(models[model]["model_module"] == "anywidget" for model in seen)
    told = "custom_widget_manager" in output.metadata.get(WIDGET_VIEW, {}).get("colab", {})
    return ["Colab was not told what shows the widget of an explorer"] if foreign and not told else []


if __name__ == "__main__":
    main()
