"""Who may import whom: operators know nothing, figures know operators, explorers know figures, checks know operators."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "unet_edu").rglob("*.py"))

OPERATORS = {
    f"unet_edu.{name}"
    for name in (
        "_arguments",
        "convolution",
        "matrix",
        "transposed",
        "interpolation",
        "pooling",
        "instances",
        "metrics",
    )
}
# the convolution matrix of an image is mostly zeros; which pixels of a mask are connected
ALLOWED = OPERATORS | {"numpy", "scipy.sparse", "scipy.ndimage"}
NOTEBOOK_TOOLS = {
    *(
        "IPython",
        "anywidget",
        "ipywidgets",
        "jupyter_client",
        "jupyterlab",
        "nbclient",
        "nbconvert",
        "nbformat",
        "nbgrader",
    )
}
# What the files of a folder must not import. The rest of the library is under "".
FORBIDDEN = {
    "": NOTEBOOK_TOOLS,
    "figures": NOTEBOOK_TOOLS | {"unet_edu.explore", "unet_edu.checks", "unet_edu.grading"},
    "explore": {"unet_edu.checks", "unet_edu.grading"},
    "checks": {"unet_edu.grading"},
    "grading": set(),
}
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
            names |= {
                f"{source}.{alias.name}" for alias in node.names
            }  # a name may be a module: from unet_edu import checks
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


def test_importing_the_package_is_instant():
    """Modules are counted and not seconds, which depend on what else the machine does. NumPy alone would be over a hundred."""
    program = "import sys; before = set(sys.modules); import unet_edu; print(*sys.modules.keys() - before)"
    loaded = set(subprocess.check_output([sys.executable, "-c", program], text=True).split())
    assert "unet_edu" in loaded
    assert len(loaded) < 50
    assert not {name for name in loaded if is_in(name, NOTEBOOK_TOOLS | {"torch", "matplotlib"})}


def test_the_command_works_without_what_only_a_grader_needs():
    """`unet-edu train` is for people who installed no extra `grade`."""
    program = "import sys; import unet_edu.cli; print(*sys.modules)"
    loaded = set(subprocess.check_output([sys.executable, "-c", program], text=True).split())
    assert "unet_edu.cli" in loaded
    assert not {name for name in loaded if is_in(name, NOTEBOOK_TOOLS | {"dask", "distributed", "psutil", "torch"})}
