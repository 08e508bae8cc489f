"""Why a function may fail here that is right elsewhere.

A package, a file or a cell is missing, or its cell is no Python for this grader.

No mark comes of that, and no 0 either: the row says what is missing, and a person decides.
"""

from __future__ import annotations

import re
import sys

from unet_edu.checks.answer import Answer
from unet_edu.grading.judge import RAISED
from unet_edu.grading.notebook import Notebook
from unet_edu.grading.session import NO_PYTHON, Session

__all__ = ["lacks", "no_python", "replaced", "slip", "stopped_maker"]

PYTHON = f"Python {sys.version_info.major}.{sys.version_info.minor}"
MOST_TEXT = 100  # characters of an exception

RAISED_WITH = re.compile(rf"{RAISED.pattern}: (.+)")  # the type, and the text up to the end of the line
MODULE = re.compile(r"No module named '([\w.]{1,60})'")
NAME = re.compile(r"name '(\w{1,60})' is not defined")
PART = re.compile(r"(?:has no attribute |^)'(\w{1,60})'")  # of an object, or a key
FILES = ("FileNotFoundError", "NotADirectoryError", "PermissionError")
SIGNS = {"NameError": "", "AttributeError": ".", "KeyError": "["}  # as `Notebook.makes` wants them
PACKAGES = ("ImportError", "ModuleNotFoundError", "PackageNotFoundError")
NETWORK = ("URLError", "ConnectionError", "ConnectTimeout", "ProxyError", "gaierror")
GPU = re.compile(r"CUDA|NVIDIA")


def no_python(session: Session, name: str, cell: int) -> str:
    """That the cell with the last definition of a function is no Python here, so that nothing of it was run; or ""."""
    said = session.raised.get(cell, "")[:MOST_TEXT]
    if not said.startswith(NO_PYTHON):
        return ""
    what = f"which the grader's {PYTHON} cannot read ({said}): it is newer, or has a slip"
    return f"{name} is written in cell {cell}, {what}"


def lacks(book: Notebook, session: Session, answer: Answer) -> str:
    """What a function did not find here that it may find elsewhere, as the rest of a sentence; or ""."""
    kind, text = _raised(answer)
    if kind in PACKAGES:
        package = MODULE.search(text)
        return f"needs the package {package[1]}, which is not installed here" if package else f"cannot import: {text}"
    if kind in FILES or "Read-only file system" in text:
        return f"needs a file that is not here: {text}"
    if kind in NETWORK:
        return f"needs the internet, which is not here: {kind}"
    if kind in ("AssertionError", "RuntimeError") and GPU.search(text):
        return f"needs a GPU, which is not here: {text}"
    missing = (NAME if kind == "NameError" else PART).search(text)
    if kind not in SIGNS or not missing:
        return ""
    maker = stopped_maker(book, session, SIGNS[kind] + missing[1])
    if kind == "NameError" and not maker:
        maker = str(session.stops[-1]) if session.stops else _left_out(book, missing[1])
    return f"needs {missing[1]}, which is not there: {maker}" if maker else ""


def stopped_maker(book: Notebook, session: Session, name: str) -> str:
    """Which cell would have made something of this name, and why it did not; or ""."""
    stopped = [(cell, f"cell {cell} stopped with {said[:MOST_TEXT]}") for cell, said in session.raised.items()]
    stopped += [(stop.cell, str(stop)) for stop in session.stops]
    return next((why for made in (name, "*") for cell, why in reversed(stopped) if book.makes(cell, made)), "")


def slip(answer: Answer) -> str:
    """Why a function never came to compute anything: a name that nobody knows, or its own for something else; or "".

    It is a slip, or of another version.
    """
    kind, text = _raised(answer)
    if kind == "NameError" or (kind == "AttributeError" and text.startswith("module ")):
        return f"stopped with {kind}: {text}"
    if answer.kind == "unusable" and answer.message.startswith("`"):  # as the runner says it
        return answer.message.partition("` ")[2][:MOST_TEXT].rstrip(".")
    return ""


def replaced(book: Notebook, name: str, cell: int) -> str:
    """That a later cell gives the function's name to something else, as an import from the course does; or ""."""
    for later in range(cell + 1, len(book.cells) + 1) if cell else ():
        if book.makes(later, name) or (book.makes(later, "*") and "unet_edu" in book.cells[later - 1]):
            what = f"which gives its name to something else than the function in cell {cell}"
            return f"was called as cell {later} left it, {what}"
    return ""


def _left_out(book: Notebook, name: str) -> str:
    """Which cell makes something of this name on a condition: if there is a package, or a GPU."""
    cells = [cell for cell in range(1, len(book.cells) + 1) if book.makes(cell, name)]
    return f"cell {cells[-1]} came to its end without it" if cells else ""


def _raised(answer: Answer) -> tuple[str, str]:
    found = RAISED_WITH.match(answer.message) if answer.kind == "raised" else None
    return (found[1], found[2].split(" (")[0][:MOST_TEXT]) if found else ("", "")
