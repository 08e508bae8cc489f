"""Copies of the lessons that run only what a page is looked at for: what shows an explorer or a quiz, and what that
needs."""

from __future__ import annotations

import ast
import re
import symtable
from collections.abc import Iterator
from pathlib import Path

import nbformat
from IPython.core.inputtransformer2 import TransformerManager

from tests.notebooks.shown import EXPLORERS

INTERACTIVE = re.compile(rf"\bexplore\.({'|'.join(EXPLORERS)})\(|\bquiz\(")
# Where an explorer shows a training, or one of several networks, a short one moves the same controls.
SHORTER = {
    "10_own_images": {"'steps': 180": "'steps': 20", "range(3)": "range(1)"},
    "07_when_it_does_not_learn": {"'steps': 60, 'validate_every': 6": "'steps': 20, 'validate_every': 2"},
}


def write_slice(path: Path, folder: Path) -> None:
    """Put a copy into the folder that has all the prose, and of the code only that part. It has no outputs."""
    notebook = nbformat.read(path, as_version=4)
    part = interactive_part(notebook)
    text = "\0".join(part.values())
    for long, short in SHORTER.get(path.stem, {}).items():
        assert text.count(long) == 1, f"{path.stem} has changed: {long}"
        text = text.replace(long, short)
    part = dict(zip(part, text.split("\0"), strict=True))
    notebook.cells = [cell for cell in notebook.cells if cell.cell_type != "code" or cell.id in part]
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.source, cell.outputs, cell.execution_count = part[cell.id], [], None
    nbformat.write(notebook, folder / path.name)


def interactive_part(notebook: nbformat.NotebookNode) -> dict[str, str]:
    """The cells that show an explorer or a quiz, whole, and of the other cells the statements that these depend on.

    By the cells' ids. A statement too many costs time; one too few is a NameError, which the page shows.
    """
    needed, part = set[str](), {}
    for cell in reversed([cell for cell in notebook.cells if cell.cell_type == "code"]):
        shows, kept = INTERACTIVE.search(cell.source), []
        for statement in reversed(ast.parse(TransformerManager().transform_cell(cell.source)).body):
            text = ast.unparse(statement)
            names = symtable.symtable(text, cell.id, "exec")
            bound = {name.get_name() for name in names.get_symbols() if name.is_assigned() or name.is_imported()}
            if shows or needed & (bound | _changed(statement)):
                kept.append(text)
                needed.update(_read(names))
        if kept:
            part[cell.id] = cell.source if shows else "\n".join(reversed(kept))
    return part


def _read(names: symtable.SymbolTable) -> Iterator[str]:
    """The global names that a statement looks up, in its functions too."""
    for name in names.get_symbols():
        if name.is_referenced() and (name.is_global() or names.get_type() == "module"):
            yield name.get_name()
    for inner in names.get_children():
        yield from _read(inner)


def _changed(statement: ast.stmt) -> set[str]:
    """Of `a.b[0] = …` and `a.b.c(…)` the name a."""
    places = [node for node in ast.walk(statement) if isinstance(getattr(node, "ctx", None), ast.Store)]
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        places.append(statement.value.func)
    names = set()
    for place in places:
        node = place
        while isinstance(node, ast.Attribute | ast.Subscript):
            node = node.value
        if node is not place and isinstance(node, ast.Name):
            names.add(node.id)
    # explore.show(…) draws, and changes nothing.
    return names - {"explore"}
