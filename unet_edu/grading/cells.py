"""Reads the cells of a notebook as IPython runs them.

Nothing of it is run or imported, and no walk is recursive: the code may be hostile.
"""

from __future__ import annotations

import ast
import contextlib
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

__all__ = [
    "MOST_SIGNS",
    "MOST_STEPS_IN_ALL",
    "SCOPES",
    "Code",
    "Defined",
    "given",
    "magic",
    "parsed",
    "read",
    "runs_a_text",
    "signs_in",
    "statements",
    "steps",
]

# In one cell, no letters or digits: a tree takes up to 2 kB for each, and a long lesson has 15,000 in all.
MOST_SIGNS = 70_000
MOST_IN_ALL = 200_000

Defined = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
SCOPES = (Defined, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class Code(NamedTuple):
    """The code cells of a notebook."""

    # With the cell's number, from 1; and of a module that the cell writes, its name for an import, or "?".
    trees: tuple[tuple[int, ast.Module, str], ...]
    not_python: tuple[int, ...]  # cells that neither Python nor IPython can read
    unread: tuple[int, ...]  # cells that are too long, or nested too deeply


def read(cells: Sequence[str]) -> Code:
    """Read the sources of code cells, in their order."""
    trees, unread, not_python, signs = list[tuple[int, ast.Module, str]](), [], [], 0
    for number, source in enumerate(cells, start=1):
        more = signs_in(source)
        if more > MOST_SIGNS or signs + more > MOST_IN_ALL:
            unread.append(number)
            continue
        signs += more
        try:
            tree, _ = parsed(source)
            texts = [] if tree is None else [tree, *_run_texts(tree)]
            written = [(number, module, name) for each in texts for name, module in _written(each)]
        except (RecursionError, MemoryError):
            unread.append(number)
            continue
        trees += [*((number, each, "") for each in texts), *written]
        if tree is None:
            not_python.append(number)
    return Code(tuple(trees), tuple(not_python), tuple(unread))


def signs_in(source: str) -> int:
    """What a syntax tree of this text may cost: between two signs lies one word, be it a picture in base64."""
    return sum(not letter.isalnum() for letter in source)


# --- from a cell to a tree --------------------------------------------------------------------------------------------

# IPython reads the whole cell again for each sign: `;;;f` is three, also behind a prompt.
OF_IPYTHON = re.compile(r"^(?:In \[\d+\]:)?[ \t>.:]*([%!?,;/]+)|\?|=[ \t]*[%!]", re.MULTILINE)
MOST_STEPS = 300_000  # of reading one, in signs; three seconds
MOST_STEPS_IN_ALL = 1_000_000  # all of the course's notebooks together take less than a tenth of that
LONGEST_QUESTION = 1000  # characters of a line, where one ends in "?": IPython looks for a name from each of them on
MAGICS = ("run_line_magic", "run_cell_magic", "system", "getoutput")  # what IPython makes of %, %% and !
RUNNING_PYTHON = ("time", "timeit", "prun", "capture")  # magics: their text is code of the notebook
WRAPPED = 4  # of them, one in the other
OPTIONS = re.compile(r"(?:-\S*\s+(?:\d+\s+)?)*")
WORD = re.compile(r"([a-z]\w*)[ \t]+(\S[^\n]*)")
WRITING = ("writefile", "file")


def parsed(source: str) -> tuple[ast.Module | None, str]:
    """The tree of a cell as IPython runs it, and the text whose lines it counts.

    No tree: neither Python nor IPython can read the cell.

    Raises
    ------
    RecursionError, MemoryError
        When it is nested too deeply, or takes too long.
    """
    for _ in range(WRAPPED):
        tree = _tree(source)
        if tree is None:
            source = _as_ipython_reads(source)
            tree = _tree(source)
        words = magic(tree.body[0].value) if tree and len(tree.body) == 1 and isinstance(tree.body[0], ast.Expr) else ()
        if len(words) < 3 or words[0] not in RUNNING_PYTHON:
            break
        source = "\n" + words[2]  # lines keep their numbers
    for node in ast.walk(tree) if tree else ():
        for block in (getattr(node, name, None) for name in ("body", "orelse", "finalbody")):
            if isinstance(block, list):
                block[:] = [each for statement in block for each in _timed(statement)]
    return tree, source


def steps(source: str) -> int:
    """What it costs to read a cell as IPython does, in signs: nothing, when it is Python as it stands."""
    with contextlib.suppress(RecursionError, MemoryError):
        if _tree(source) is not None:
            return 0
    again = 0 if source.lstrip().startswith("%%") else sum(len(run) or 1 for run in OF_IPYTHON.findall(source))
    return (1 + again) * signs_in(source)


@lru_cache(maxsize=256)  # whoever looks for a function looks through the same cells
def _as_ipython_reads(source: str) -> str:
    """The Python that IPython makes of magics, commands for the shell and what was copied from a prompt; or ""."""
    from IPython.core.inputtransformer2 import TransformerManager  # few cells need it

    lines = source.splitlines()
    asks = any(line.rstrip().endswith("?") for line in lines) and not source.lstrip().startswith("%%")
    if steps(source) > MOST_STEPS or (asks and max(map(len, lines)) > LONGEST_QUESTION):
        raise MemoryError
    try:
        text = TransformerManager().transform_cell(source)
    except (RecursionError, MemoryError):
        raise
    except Exception:  # noqa: BLE001 - IPython itself would not get further
        return ""
    word = WORD.fullmatch(text.strip()) if _tree(text) is None else None  # a line alone needs no %: `pip install …`
    return f"get_ipython().run_line_magic({word[1]!r}, {word[2]!r})" if word else text


def magic(node: ast.AST) -> tuple[str, ...]:
    """The words of a magic or a command, its name first: `%time f()`, `!ls`, or what these are short for."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr not in MAGICS:
        return ()
    words = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    return tuple(words if node.func.attr.startswith("run") else ["!", *words])


def _timed(statement: ast.stmt) -> list[ast.stmt]:
    """The statements in `%time …`, in its place."""
    words = magic(statement.value) if isinstance(statement, ast.Expr) else ()
    if len(words) != 2 or words[0] not in RUNNING_PYTHON:
        return [statement]
    tree = _tree(OPTIONS.sub("", words[1], count=1))
    for node in ast.walk(tree) if tree else ():
        ast.copy_location(node, statement)
    return [statement] if tree is None else tree.body


def _written(tree: ast.Module) -> Iterator[tuple[str, ast.Module]]:
    """The modules that a cell writes, by the names under which they can be imported, or "?"."""
    for words in map(magic, ast.walk(tree)):
        if len(words) == 3 and words[0] in WRITING and (module := _tree(words[2])) is not None:
            stem, dot, ending = (words[1].split() or [""])[-1].strip("'\"").rpartition("/")[2].rpartition(".")
            yield stem if dot and ending == "py" and stem.isidentifier() else "?", module


def _run_texts(tree: ast.Module) -> list[ast.Module]:
    """The code in `exec("…")`, `eval("…")` and `compile("…", …)`, and in the texts that stand in that."""
    found, left = list[ast.Module](), [tree]
    while left:
        texts = [n.args[0].value for n in ast.walk(left.pop()) if runs_a_text(n)]  # type: ignore[attr-defined]
        trees = [_tree(text.strip() if isinstance(text, str) else text.decode("latin-1")) for text in texts]
        left += [each for each in trees if each is not None]
        found += [each for each in trees if each is not None]
    return found


def runs_a_text(node: ast.AST) -> bool:
    """Whether it is `exec`, `eval` or `compile` of a text that stands there to be read."""
    match node:
        case ast.Call(func=ast.Name(id="exec" | "eval" | "compile"), args=[ast.Constant(value=str() | bytes()), *_]):
            return True
    return False


def _tree(source: str) -> ast.Module | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of "\d" in a string, say: they would quote the student's code
        try:
            return ast.parse(source)
        except (SyntaxError, ValueError):  # ValueError: a zero byte, half a character
            return None


# --- what statements are for ------------------------------------------------------------------------------------------


def statements(tree: ast.Module) -> Iterator[tuple[int, ast.stmt]]:
    """The statements outside functions and classes, also those in others, with the number of the outermost."""
    for number, outermost in enumerate(tree.body):
        left: list[ast.AST] = [outermost]
        while left:
            node = left.pop()
            if isinstance(node, ast.stmt):
                yield number, node
            if not isinstance(node, Defined):
                left += reversed([inner for inner in ast.iter_child_nodes(node) if not isinstance(inner, ast.expr)])


def given(nodes: Iterable[ast.AST]) -> set[str]:
    """What code gives something to, outside of its functions and classes: "x", ".x" as an attribute, "[x" as a key."""
    names, left = set[str](), [(node, False) for node in nodes]
    while left:
        node, is_own = left.pop()
        match node:
            case ast.NamedExpr(target=ast.Name(id=name)):  # also in a comprehension
                names.add(name)
            case _ if is_own:
                pass
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.alias():
                names.add((node.asname or node.name).split(".")[0])
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                names.add(name)
            case ast.MatchMapping(rest=str(name)):
                names.add(name)
            case ast.Name(ctx=ast.Store()):
                names.add(node.id)
            case ast.Attribute(ctx=ast.Store()):
                names.add(f".{node.attr}")
            case ast.Subscript(ctx=ast.Store(), slice=ast.Constant(value=str(key))):
                names.add(f"[{key}")
        if not isinstance(node, (Defined, ast.Lambda)):  # what is inside stays there
            is_own = is_own or isinstance(node, SCOPES)
            left += [(child, is_own) for child in ast.iter_child_nodes(node)]
    return names
