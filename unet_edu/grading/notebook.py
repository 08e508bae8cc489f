"""Reads a student's notebook: the code of its cells, and where in it a function is defined.

A notebook that went through Colab, VS Code or a mail program may lack metadata, have an old schema or a byte-order
mark; none of that touches the code, so none of it matters here. nbformat would turn some of these down, or change them;
this reads only what is needed, and with bounds.
"""

from __future__ import annotations

import ast
import functools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from unet_edu.grading.cells import MOST_STEPS_IN_ALL, Defined, given, parsed, statements, steps
from unet_edu.grading.text import MOST_SHOWN

__all__ = ["Notebook", "NotebookError", "content", "read", "texts"]

MOST_BYTES = 32 << 20  # a notebook of the course with all its pictures has 2.5 MB
MOST_CELLS = 2000
MOST_CODE = 4 << 20  # characters of all code cells
# … which are no letters or digits: between two of them lies a word, and each may cost 2 kB in a syntax tree.
MOST_SYMBOLS = 200_000
MOST_BRACKETS = 1_000_000  # "[" and "{": each may become an object of 200 bytes

CLEARED = "Clear the outputs (in JupyterLab: Edit → Clear Outputs of All Cells), save it, and hand it in again."

MAKES_ANYTHING = re.compile(r"^[ \t]*%(run|store|load)\b|\b(exec|globals|run_path|setattr)\(", re.MULTILINE)
DEFINES = Defined | ast.Assign | ast.AnnAssign | ast.Import | ast.ImportFrom
MERGE = re.compile(rb"^(<{7}|>{7}) ", re.MULTILINE)


class NotebookError(ValueError):
    """The bytes are no notebook that can be read. The text says why, in a sentence for the instructor's table."""


@dataclass(frozen=True)
class Notebook:
    """The code of a notebook.

    Parameters
    ----------
    cells : tuple of str
        The sources of its code cells, in order.
    """

    cells: tuple[str, ...]

    def defined(self, name: str) -> str:
        """The source of the last definition of a function, class or variable outside functions; or ""."""
        return self.last(name)[1]

    def last(self, name: str) -> tuple[int, str]:
        """The number of the cell in which that stands, from 1, and its source; 0 and "" when there is none."""
        for number, source in reversed([*enumerate(self.cells, 1)]):
            if name in source:
                text = _definition(source, name)[:MOST_SHOWN]
                if text:
                    return number, text
        return 0, ""

    def makes(self, cell: int, name: str) -> bool:
        """Whether a cell, if it came to its end, would give something this name.

        "x" is a name, ".x" an attribute, "[x" a key. "*" is any name, as a star import or `%run` may.
        """
        source = self.cells[cell - 1] if cell else ""  # 0 is the assignment's set-up
        if cell not in self._made:
            tree, _ = _tree(source)
            anything = {"*"} if MAKES_ANYTHING.search(source) else set()
            self._made[cell] = None if tree is None else given(tree.body) | anything
        made = self._made[cell]
        if made is not None:
            return name in made
        word = name.lstrip(".[")
        return word.isidentifier() and re.search(rf"\b{word}\b", source) is not None

    @functools.cached_property
    def _made(self) -> dict[int, set[str] | None]:
        """What each cell makes, as far as somebody has asked; None of one that is no Python: there each word may be."""
        return {}


def read(data: bytes) -> Notebook:
    """Read a notebook of any schema from 2 on.

    Parameters
    ----------
    data : bytes

    Returns
    -------
    Notebook

    Raises
    ------
    NotebookError
        When it cannot be read, or is larger than a notebook should be.
    """
    cells = list(_cells(content(data)))
    if len(cells) > MOST_CELLS:
        raise NotebookError(f"The notebook has {len(cells)} cells, more than {MOST_CELLS}.")
    sources = tuple(_source(n, cell) for n, cell in enumerate(cells, 1) if _is_code(n, cell))
    code = "\n".join(sources)
    if len(code) > MOST_CODE or sum(not letter.isalnum() for letter in code) > MOST_SYMBOLS:
        raise NotebookError(
            "The notebook has far more code than a notebook should have. "
            "Take data out of its code cells, save it, and hand it in again."
        )
    if sum(map(steps, sources)) > MOST_STEPS_IN_ALL:
        raise NotebookError(
            "The notebook has far more lines with %, !, ?, comma, semicolon or slash in front than a notebook should "
            "have. Remove those, save it, and hand it in again."
        )
    return Notebook(sources)


def texts(data: bytes) -> list[str]:
    """The texts between the code of a notebook that `read` can read: its Markdown cells."""
    sources = [cell.get("source", "") for cell in _cells(content(data)) if cell.get("cell_type") == "markdown"]
    return [
        "".join(line for line in source if isinstance(line, str))
        for source in sources
        if isinstance(source, str | list)
    ]


def _tree(source: str) -> tuple[ast.Module | None, str]:
    """The syntax tree of a cell and the text of its lines; no tree when it is no Python, or nested too deeply."""
    try:
        return parsed(source)
    except (RecursionError, MemoryError):
        return None, ""


def _definition(source: str, name: str) -> str:
    """The last definition of a name in a cell.

    In one that is no Python, as this grader knows it: its line, and those below that are indented.
    """
    tree, text = _tree(source)
    if tree is None or not tree.body:
        begin = rf"^[ \t]*(?:(?:(?:async +)?def|class) +{re.escape(name)}\b|{re.escape(name)} *=[^=])"
        found = re.findall(rf"{begin}.*(?:\n(?:[ \t)].*)?)*", source, re.MULTILINE)
        return found[-1].rstrip() if found else ""
    for _, statement in reversed([*statements(tree)]):
        if isinstance(statement, DEFINES) and name in given([statement]):
            return _text(text, statement)
    return ""


def content(data: bytes) -> dict[str, Any]:
    """The JSON object that a notebook is, whatever stands in it.

    Raises
    ------
    NotebookError
        When there is none, or it is larger than a notebook should be.
    """
    if len(data) > MOST_BYTES:
        raise NotebookError(f"The notebook has {len(data) >> 20} MB, more than {MOST_BYTES >> 20}. {CLEARED}")
    if not data.strip():
        raise NotebookError("The file is empty.")
    if MERGE.search(data):
        raise NotebookError("The file has the marks of a merge that was not finished (<<<<<<<).")
    if data.count(b"[") + data.count(b"{") > MOST_BRACKETS:
        raise NotebookError(f"The notebook holds too much. {CLEARED}")
    try:
        text = data.decode(json.detect_encoding(data), "replace")
        found = json.loads(text.removeprefix("\ufeff"))
    except RecursionError:
        raise NotebookError("The file is no notebook: its JSON is nested too deeply.") from None
    except ValueError as error:
        where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise NotebookError(f"The file is no notebook, or only a part of one: it is not JSON{where}.") from None
    if not isinstance(found, dict):
        raise NotebookError(f"The file is no notebook: expected a JSON object, got a {type(found).__name__}.")
    return found


def _cells(content: dict[str, Any]) -> Iterator[Any]:
    """The cells; before schema 4 they are in worksheets."""
    if "cells" not in content and "worksheets" not in content:
        raise NotebookError("The file is no notebook: it has no cells.")
    sheets = [content] if "cells" in content else content["worksheets"]
    for sheet in sheets if isinstance(sheets, list) else [None]:
        if not isinstance(sheet, dict) or not isinstance(sheet.get("cells"), list):
            raise NotebookError("The file is no notebook: its cells are no list.")
        yield from sheet["cells"]


def _is_code(number: int, cell: Any) -> bool:
    if not isinstance(cell, dict):
        raise NotebookError(
            f"Cell {number} of the notebook is damaged: expected an object, got a {type(cell).__name__}."
        )
    return cell.get("cell_type") == "code"


def _source(number: int, cell: dict[str, Any]) -> str:
    """A cell's text: a string or a list of them; "input" before schema 4."""
    source = cell.get("source", cell.get("input"))
    lines = [source or ""] if source is None or isinstance(source, str) else source
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise NotebookError(f"Cell {number} of the notebook is damaged: its source is no text.")
    text = "".join(lines).replace("\r\n", "\n").replace("\r", "\n")
    # Half a character cannot be sent on; nor would Python run it.
    return text.encode("utf-8", "replace").decode("utf-8")


def _text(source: str, statement: ast.stmt) -> str:
    """A statement's lines, its decorators included."""
    first = min([statement.lineno, *(line.lineno for line in getattr(statement, "decorator_list", []))])
    return "\n".join(source.split("\n")[first - 1 : statement.end_lineno])
