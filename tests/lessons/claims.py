"""What a lesson claims is proven here, out of its reader's sight.

    @claim("The kernel fits at four places.")
    def test_the_places(lesson):
        assert lesson.y.size == 4

`tests/lessons/test_02.py` belongs to lesson 02, `tests/lessons/test_side_02_name.py` to the side road `02_name`. A
claim has the words of the lesson: of its Markdown, or of a `guess`. Marks such as ** and line ends do not count.
One that is not in the lesson fails, and so does a number of the prose that stands in no claim.

A number of the prose is written with digits. These are none: what is code or a formula; 0 and 1 alone; headings and the
numbers of lists; years; minutes; what is only a name, as in "lesson 04", "exercise 2", Python 3.11 and 3×3.
"""

from __future__ import annotations

import ast
import contextlib
import io
import linecache
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import nbformat
import numpy as np
from IPython.core.inputtransformer2 import TransformerManager

from tests.notebooks.execute import ROOT
from unet_edu.checks.guess import Guess

Test = TypeVar("Test", bound=Callable[..., None])

# Of Markdown: what is dropped, what is kept as it is and holds no number of the prose, what is kept.
MARKDOWN = re.compile(
    r"""
    \[(?P<linked> \d\d (?=\]\(|\ ·) )
  | (?P<dropped> \*+ | !?\[ | \]\([^)\s]*\) | <[^>\n]+> | ^\s*>\s | \\(?=[*_$]) )
  | (?P<fence> ^\s*```.*?^\s*``` )
  | `(?P<code> [^`\n]+ )`
  | (?P<formula> \$\$.+?\$\$ | \$[^$\n]+\$ )
  | (?P<heading> ^\#+\ [^\n]* )
  | (?P<item> ^\s*\d+\.\s )
  | (?P<name> \b(?:lesson|section|exercise|part|step|question|table|figure|dishe?)s?\ \d+(?:(?:,|\ to|,?\ and)\ \d+)* )
  | (?P<size> (?<![\d×])(?P<side>[1-3])×(?P=side)(?![\d×]) )
  | (?P<minutes> \d+\ minutes (?:,\ and\ \d+\ for\ the\ exercises)? )
  | (?P<version> Python\ \d+\.\d+ )
  | (?P<year> (?<![\d.,])(?:19[5-9]|20[0-3])\d(?!\d|[.,]\d) )
  | (?P<kept> . )
    """,
    re.VERBOSE | re.MULTILINE | re.DOTALL | re.IGNORECASE,
)
NO_NUMBERS = ("linked", "fence", "code", "formula", "heading", "item", "name", "size", "minutes", "version", "year")
NUMBER = re.compile(r"(?<![\w.,])(?<![A-Za-z]-)\d+(?:,\d{3})*(?:\.\d+)?(?![A-Za-z_])(?:\ ?%)?")


def claim(*words: str) -> Callable[[Test], Test]:
    """Say which words of the lesson a test proves."""

    def mark(test: Test) -> Test:
        test.claims = (*words, *getattr(test, "claims", ()))  # type: ignore[attr-defined]
        return test

    return mark


class Part(NamedTuple):
    """Words of a lesson without the marks of Markdown, and where in them no number counts."""

    text: str
    exempt: tuple[bool, ...]


class Asked(NamedTuple):
    """A call of `guess`, as it is written."""

    question: str
    words: str  # the question, what to choose from, and why
    is_literal: bool  # its answer is written down, not computed


class Lesson(dict[str, Any]):
    """The names that an executed lesson leaves, as `lesson["y"]` or `lesson.y`; what it printed; its guesses by their
    questions."""

    def __init__(self, path: Path) -> None:
        super().__init__(__name__="__main__")
        self.path, self.printed, self.guesses = path, "", dict[str, Guess]()

    def __getattr__(self, name: str) -> Any:
        if name in self:
            return self[name]
        raise AttributeError(f"{self.path.name} leaves no {name}")


def path_of(test: Path) -> Path:
    """The notebook that a file of tests belongs to."""
    name = test.stem.removeprefix("test_")
    if name.startswith("side_"):
        return ROOT / "course" / "side_roads" / f"{name.removeprefix('side_')}.ipynb"
    (path,) = (ROOT / "course").glob(f"{name}_*.ipynb")
    return path


def run(path: Path) -> Lesson:
    """Run the code cells of a notebook in this process, and show nothing."""
    lesson, printed, here = Lesson(path), io.StringIO(), Path.cwd()
    os.chdir(path.parent)
    try:
        with np.printoptions(), contextlib.redirect_stdout(printed):
            for number, cell in enumerate(nbformat.read(path, as_version=4).cells):
                if cell.cell_type == "code":
                    _run(cell.source, f"<{path.name}, cell {number}>", lesson)
    finally:
        os.chdir(here)
    lesson.printed = printed.getvalue()
    return lesson


def _run(source: str, name: str, lesson: Lesson) -> None:
    source = TransformerManager().transform_cell(source)
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)  # for whoever reads an error
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, name, "exec"), lesson)  # noqa: S102 - as a kernel does
    if isinstance(last, ast.Expr):
        shown = eval(compile(ast.Expression(last.value), name, "eval"), lesson)
        if isinstance(shown, Guess):
            lesson.guesses[shown.question] = shown


def parts(path: Path) -> list[Part]:
    """All prose of a notebook: its Markdown, and what its guesses say."""
    return [
        plain(text)
        for cell in nbformat.read(path, as_version=4).cells
        for text in ([cell.source] if cell.cell_type == "markdown" else [each.words for each in asked(cell.source)])
    ]


def plain(markdown: str) -> Part:
    """What a reader reads."""
    text, exempt = "", list[bool]()
    for match in MARKDOWN.finditer(markdown):
        kind = match.lastgroup or "kept"
        found = " " if kind == "dropped" and match[0][0] == "<" else "" if kind == "dropped" else match[kind]
        found = re.sub(r"\s+", " ", found)
        if text.endswith(" "):
            found = found.lstrip(" ")
        text += found
        exempt += [kind in NO_NUMBERS] * len(found)
    return Part(text, tuple(exempt))


def asked(source: str) -> Iterator[Asked]:
    """The calls of `guess` in a cell."""
    source = TransformerManager().transform_cell(source)
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "guess"):
            continue
        named = {keyword.arg: keyword.value for keyword in node.keywords}
        given = dict(zip(("question", "answer"), node.args, strict=False)) | named
        question = _text(given["question"])
        choices = [_text(each) for each in getattr(given.get("choices"), "elts", [])]
        words = "\n".join([question, *(f"`{choice}`" for choice in choices), _text(given.get("why"))])
        yield Asked(question, words, _is_literal(given["answer"]))


def _text(node: ast.expr | None) -> str:
    return str(node.value) if isinstance(node, ast.Constant) else ""


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except ValueError:
        return False
    return True


def missing(claims: list[str], prose: list[Part]) -> list[str]:
    """Those that are not in the lesson."""
    return [words for words in claims if not any(plain(words).text.strip() in part.text for part in prose)]


def unclaimed(claims: list[str], prose: list[Part]) -> list[str]:
    """The numbers of the prose that no claim has, with the words around them."""
    found = []
    for text, exempt in prose:
        claimed = set[int]()
        for words in {plain(words).text.strip() for words in claims}:
            for match in re.finditer(re.escape(words), text):
                claimed |= {*range(*match.span())}
        for match in NUMBER.finditer(text):
            start, end = match.span()
            if match[0] not in "01" and not exempt[start] and start not in claimed:
                found.append(f"{match[0]} in “… {text[max(0, start - 60) : end + 60]} …”")
    return found
