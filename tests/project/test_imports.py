"""Who may import whom: operators know nothing, figures and checks know operators, explorers know figures."""

from __future__ import annotations

import ast
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "unet_edu").rglob("*.py"))

OPERATORS = {"unet_edu._arguments", "unet_edu._bands"} | {
    f"unet_edu.{name}"
    for name in ("convolution", "matrix", "transposed", "interpolation", "pooling", "instances", "metrics")
}
# the convolution matrix of an image is mostly zeros; which pixels of a mask are connected
ALLOWED = OPERATORS | {"numpy", "scipy.sparse", "scipy.ndimage"}
NOTEBOOK_TOOLS = {"IPython", "anywidget", "ipywidgets", "jupyter_client", "jupyterlab"}
NOTEBOOK_TOOLS |= {"nbclient", "nbconvert", "nbformat", "nbgrader"}
# What the files of a folder must not import. The rest of the library is under "".
FORBIDDEN = {
    "": NOTEBOOK_TOOLS,
    "figures": NOTEBOOK_TOOLS | {"unet_edu.explore", "unet_edu.checks", "unet_edu.grading"},
    "explore": {"unet_edu.checks", "unet_edu.grading"},
    "checks": {"unet_edu.grading"},
    "grading": set(),
}
MAY_DISPLAY = {"unet_edu.figures.shown"}  # it asks IPython when a notebook asks it
FOR_ALL = {"solutions", "exercises", "course", "tests"}


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path) -> set[str]:
    """The full names of all that a file imports, at its top or inside a function."""
    module = module_of(path)
    package = module.split(".") if path.stem == "__init__" else module.split(".")[:-1]
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            # a name may be a module: from unet_edu import checks
            names |= {f"{source}.{alias.name}" for alias in node.names}
    return names


def is_in(name: str, modules: set[str]) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in modules)


def test_operators_know_nothing_but_numpy():
    operators = [path for path in FILES if module_of(path) in OPERATORS]
    assert operators
    for path in operators:
        found = imports(path)
        assert found
        assert not {name for name in found if not is_in(name, ALLOWED | sys.stdlib_module_names)}, path


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_arrows_run_one_way(path):
    folder = path.relative_to(ROOT / "unet_edu").parts[0]
    forbidden = FOR_ALL | FORBIDDEN.get(folder, FORBIDDEN[""])
    if module_of(path) in MAY_DISPLAY:
        forbidden = forbidden - {"IPython"}
    assert not {name for name in imports(path) if is_in(name, forbidden)}


def test_every_rule_applies_to_something():
    folders = {path.relative_to(ROOT / "unet_edu").parts[0] for path in FILES}
    assert {"figures", "explore", "checks", "grading"} <= folders


def test_the_rules_see_each_form_of_import(tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    path = tmp_path / "unet_edu" / "figures" / "it.py"
    path.parent.mkdir(parents=True)
    path.write_text("import a.b\nfrom c import d\nfrom . import e\nfrom ..checks import f\ndef g():\n    import h")
    assert imports(path) == {"a.b", "c.d", "unet_edu.figures.e", "unet_edu.checks.f", "h"}


def output(program: str) -> set[str]:
    """The words that a Python of its own prints."""
    return set(subprocess.check_output([sys.executable, "-c", program], text=True).split())


def test_importing_the_package_is_instant():
    """Modules are counted, not seconds, which depend on what else the machine does. NumPy alone has over a hundred."""
    loaded = output("import sys; before = set(sys.modules); import unet_edu; print(*sys.modules.keys() - before)")
    assert "unet_edu" in loaded
    assert len(loaded) < 50
    assert not {name for name in loaded if is_in(name, NOTEBOOK_TOOLS | {"torch", "matplotlib"})}


@pytest.mark.parametrize("package", ["unet_edu", "unet_edu.data", "unet_edu.figures"])
def test_dir_lists_what_there_is_and_each_is_there_without_a_further_import(package):
    path = ROOT / package.replace(".", "/")
    modules = {module.name for module in pkgutil.iter_modules([str(path)]) if not module.name.startswith("_")}
    listed = output(f"import {package}; print(*dir({package}))")
    assert modules
    assert listed >= modules
    loaded = output(
        f"import unet_edu; print(*({package}.__getattribute__(name).__name__ for name in {sorted(modules)}))"
    )
    assert loaded == {f"{package}.{name}" for name in modules}


def test_the_doors_of_the_library_are_listed():
    assert output("import unet_edu; print(*dir(unet_edu))") >= {"check", "explore", "progress", "quiz"}
    assert output("import unet_edu.data; print(*dir(unet_edu.data))") >= {"PHOTOS", "photo", "pretrained"}


@pytest.mark.parametrize("statement", ["from unet_edu import explore", "import unet_edu.explore"])
def test_torch_comes_when_an_explorer_needs_it(statement):
    loaded = output(f"import sys; {statement}; print(*sys.modules)")
    assert "unet_edu.explore.skips" in loaded and "torch" not in loaded


WITHOUT_TORCH = """
import doctest, importlib, sys

class NoTorch:
    def find_spec(self, name, *where):
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError("No module named 'torch'", name="torch")

sys.meta_path.insert(0, NoTorch())
"""
# The name of each that did what it is for.
USES = {
    "operators": """
for name in names:
    if not doctest.testmod(importlib.import_module(name)).failed:
        print(name)
""",
    "explorers": """
from unet_edu import explore
for name in names:
    explorer = getattr(explore, name)()
    if explorer.picture(explorer.state).figure.axes:
        print(name)
""",
    "exercises": """
from unet_edu.checks import check
from unet_edu.lessons import EXERCISES
for name in names:
    if check(EXERCISES[name].reference, name).passed:
        print(name)
""",
}


def of_the_first_lessons(notebooks: str, call: str) -> set[str]:
    """What lessons 01 to 05 and their side roads call: those need no network."""
    return {name for path in ROOT.glob(notebooks) for name in re.findall(call, path.read_text())}


@pytest.mark.parametrize(
    "names, use",
    [
        (OPERATORS, "operators"),
        (of_the_first_lessons("course/**/0[1-5]*.ipynb", r"explore\.(\w+)\(") - {"show"}, "explorers"),
        (of_the_first_lessons("solutions/0[1-5]*/*.ipynb", r"\bcheck\((\w+)"), "exercises"),
    ],
    ids=USES,
)
def test_works_where_torch_is_not_installed(names, use):
    assert len(names) >= 7
    assert output(f"{WITHOUT_TORCH}\nnames = {sorted(names)}\n{USES[use]}") == names


def test_the_command_works_without_what_only_a_grader_needs():
    """`unet-edu train` is for people who installed no extra `grade`."""
    loaded = output("import sys; import unet_edu.cli; print(*sys.modules)")
    assert "unet_edu.cli" in loaded
    assert not {name for name in loaded if is_in(name, NOTEBOOK_TOOLS | {"dask", "distributed", "psutil", "torch"})}
