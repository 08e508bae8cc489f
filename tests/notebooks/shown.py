"""What a lesson shows, read from its source: the explorers and figures that it calls, and its formulas."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import nbformat
from IPython.core.inputtransformer2 import TransformerManager

from unet_edu import explore

EXPLORERS = sorted(set(explore.__all__) - {"digest", "show"})


def explorers(path: Path) -> list[str]:
    """Their names, once for each call."""
    return re.findall(rf"\bexplore\.({'|'.join(EXPLORERS)})\(", _source(path, "code"))


def formulas(path: Path) -> list[str]:
    """What stands in the prose between dollars."""
    prose = re.sub(r"```.*?```|`[^`]*`", "", _source(path, "markdown"), flags=re.DOTALL)
    return re.findall(r"\$\$.+?\$\$|\$[^$]+\$", prose, flags=re.DOTALL)


def _source(path: Path, kind: str) -> str:
    return "\n\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == kind)


def cells_with_a_figure(notebook: nbformat.NotebookNode) -> set[str]:
    """The ids of the cells whose last line draws: it calls what the notebook has imported from `unet_edu.figures`."""
    trees = {
        cell.id: ast.parse(TransformerManager().transform_cell(cell.source))
        for cell in notebook.cells
        if cell.cell_type == "code"
    }
    imported = {
        alias.asname or alias.name
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("unet_edu.figures")
        for alias in node.names
    }
    return {name for name, tree in trees.items() if _drawn(tree) in imported}


def _drawn(tree: ast.Module) -> str:
    """The first name of what the last line calls: `figures` of `figures.first_window(x)`."""
    last = tree.body[-1] if tree.body else None
    called = last.value.func if isinstance(last, ast.Expr) and isinstance(last.value, ast.Call) else None
    while isinstance(called, ast.Attribute):
        called = called.value
    return called.id if isinstance(called, ast.Name) else ""
