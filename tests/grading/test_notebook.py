"""A notebook from a student may have been through anything. Its code is read, or one sentence says why not."""

from __future__ import annotations

import ast
import json
import time
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unet_edu.grading import notebook
from unet_edu.grading.cells import parsed
from unet_edu.grading.notebook import Notebook, NotebookError, read
from unet_edu.lessons import LESSONS

EXERCISES = sorted((Path(__file__).parents[2] / "exercises").glob("*/*.ipynb"))

CODE = ["import numpy as np\n", "def f(x):\n    return x + 1"]
GOOD = {
    "cells": [
        {"cell_type": "markdown", "metadata": {}, "source": "# def f(x): a title"},
        {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": CODE[0]},
        {
            "cell_type": "code",
            "execution_count": None,
            "metadata": {},
            "outputs": [],
            "source": CODE[1].splitlines(True),
        },
        {"cell_type": "raw", "metadata": {}, "source": "x = 3"},
    ],
    "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    "nbformat": 4,
    "nbformat_minor": 5,
}


def as_bytes(content: Any) -> bytes:
    return json.dumps(content).encode()


def changed(**changes: Any) -> bytes:
    return as_bytes({**GOOD, **changes})


def code(*sources: Any) -> bytes:
    return as_bytes({"cells": [{"cell_type": "code", "source": source} for source in sources]})


def old_schema() -> bytes:
    cells = [{"cell_type": "code", "language": "python", "input": source, "outputs": []} for source in CODE]
    heading = {"cell_type": "heading", "level": 1, "source": "A title"}
    return as_bytes(
        {"worksheets": [{"cells": [heading, cells[0]]}, {"cells": cells[1:]}], "metadata": {"name": ""}, "nbformat": 3}
    )


def stripped(*keys: str) -> bytes:
    cells = [{key: value for key, value in cell.items() if key not in keys} for cell in GOOD["cells"]]  # type: ignore[attr-defined]
    return as_bytes({"cells": cells})


READ = {
    "as it is": as_bytes(GOOD),
    "with a byte-order mark": b"\xef\xbb\xbf" + as_bytes(GOOD),
    "as UTF-16": json.dumps(GOOD).encode("utf-16"),
    "as UTF-32": json.dumps(GOOD).encode("utf-32-be"),
    "with spaces around it": b"\n\n  " + as_bytes(GOOD) + b"\n\n\n",
    "with Windows' ends of lines": json.dumps(GOOD, indent=1).replace("\n", "\r\n").encode(),
    "with ends of lines in the code": changed(
        cells=[{"cell_type": "code", "source": s.replace("\n", "\r\n")} for s in CODE]
    ),
    "of schema 3": old_schema(),
    "of schema 4.0": changed(nbformat_minor=0),
    "of a schema to come": changed(nbformat=5, nbformat_minor=99),
    "of no schema": stripped(),
    "without metadata": stripped("metadata", "outputs", "execution_count"),
    "with another kernel": changed(metadata={"kernelspec": {"name": "julia-1.10"}, "colab": {"provenance": []}}),
    "with metadata that are no object": changed(metadata=[1, 2]),
    "with ids twice": changed(cells=[{**cell, "id": "same"} for cell in GOOD["cells"]]),  # type: ignore[dict-item]
    "with outputs of any kind": changed(cells=[{**cell, "outputs": [{"x": [[[]]]}, 3]} for cell in GOOD["cells"]]),  # type: ignore[dict-item]
    "with letters of another encoding in a title": changed(
        cells=[{"cell_type": "markdown", "source": "T"}, *GOOD["cells"]]
    ).replace(  # type: ignore[misc]
        b'"T"', b'"\xe9\xff"'
    ),
}


@pytest.mark.parametrize("name", READ)
def test_the_code_is_found_whatever_happened_to_the_rest(name: str) -> None:
    cells = read(READ[name]).cells
    assert cells[-2:] == tuple(CODE)


def test_the_exercises_read_as_nbformat_reads_them() -> None:
    assert len(EXERCISES) == len(LESSONS)
    for path in EXERCISES:
        expected = [cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
        assert list(read(path.read_bytes()).cells) == expected


@pytest.mark.parametrize("source", [None, "", []])
def test_a_cell_without_text(source: Any) -> None:
    assert read(code(source, "x = 1")).cells == ("", "x = 1")


def test_a_cell_without_a_source() -> None:
    assert read(as_bytes({"cells": [{"cell_type": "code"}]})).cells == ("",)


def test_half_a_character_can_be_sent_on() -> None:
    (source,) = read(rb'{"cells": [{"cell_type": "code", "source": "x = \"\ud800\""}]}').cells
    assert source == 'x = "?"'


def test_a_notebook_without_cells_is_read() -> None:
    assert read(b'{"cells": []}').cells == ()


WHOLE = json.dumps(GOOD, indent=1).encode()
BAD = {
    "empty": (b"", "empty"),
    "only spaces": (b" \n\n", "empty"),
    "zeros": (b"\0" * 100, "not JSON"),
    "truncated": (WHOLE[: len(WHOLE) // 2], "only a part"),
    "truncated at the end": (WHOLE.rstrip()[:-1], "only a part"),
    "a merge that was not finished": (WHOLE.replace(b' "nbformat"', b'<<<<<<< HEAD\n "nbformat"', 1), "merge"),
    "the end of a merge": (WHOLE.replace(b' "nbformat"', b'>>>>>>> theirs\n "nbformat"', 1), "merge"),
    "Python": (b"def f(x):\n    return x", "not JSON"),
    "HTML": (b"<!DOCTYPE html><html></html>", "not JSON"),
    "a zip": (b"PK\x03\x04" + bytes(range(256)), "not JSON"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 10, "not JSON"),
    "two notebooks": (as_bytes(GOOD) * 2, "not JSON"),
    "a list": (b"[]", "a list"),
    "a number": (b"3", "int"),
    "nothing": (b"null", "NoneType"),
    "a number that Python does not read": (b'{"cells": ' + b"9" * 5000 + b"}", "not JSON"),
    "other JSON": (b'{"a": 1}', "no cells"),
    "cells that are no list": (b'{"cells": {}}', "no list"),
    "cells that are a word": (b'{"cells": "code"}', "no list"),
    "worksheets that are no list": (b'{"worksheets": 3}', "no list"),
    "a worksheet that is no object": (b'{"worksheets": [[]]}', "no list"),
    "a cell that is a word": (b'{"cells": [{"cell_type": "markdown"}, "code"]}', "Cell 2"),
    "a cell that is null": (b'{"cells": [null]}', "Cell 1"),
    "a source that is a number": (code(3), "source is no text"),
    "a source that is an object": (code({"a": "b"}), "source is no text"),
    "a line that is a number": (code(["x = ", 1]), "source is no text"),
    "too many cells": (code(*["x"] * 2001), "2001 cells"),
    "nested": (b'{"cells": ' + b"[" * 100_000, "nested"),
    "nested and whole": (b'{"cells": [], "metadata": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested"),
    "too much of everything": (b'{"cells": [], "x": [' + b"{}," * 1_000_001 + b"0]}", "holds too much"),
    "too many bytes": (b" " * ((32 << 20) + 1), "32 MB"),
    "too much code": (code("x\n" * 300_000), "far more code"),
    "too long a word of code": (code("x" * ((4 << 20) + 1)), "far more code"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_read_is_told_in_a_sentence(name: str) -> None:
    data, words = BAD[name]
    with pytest.raises(NotebookError) as raised:
        read(data)
    assert words in str(raised.value)
    assert str(raised.value).isprintable()
    assert str(raised.value).endswith(".")


@pytest.mark.parametrize("at", range(0, len(WHOLE) - 2, 7))
def test_wherever_it_is_cut_off(at: int) -> None:
    with pytest.raises(NotebookError):
        read(WHOLE[:at])


@settings(max_examples=30)
@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    with pytest.raises(NotebookError):
        read(data)


@given(st.data())
def test_a_notebook_with_bytes_changed(data: st.DataObject) -> None:
    whole = bytearray(as_bytes(GOOD))
    for _ in range(data.draw(st.integers(1, 5))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = read(bytes(whole))
    except NotebookError:
        return
    found.defined("f")
    assert all(source.encode() is not None for source in found.cells)


# --- where a function is defined --------------------------------------------------------------------------------------

DEFINED = {
    "a function": "def f(x):\n    return x",
    "with what is around it": "@cache\n@other(\n    1)\ndef f(x):\n    return (\n        x)",
    "an asynchronous function": "async def f(x):\n    return x",
    "a class": "class f:\n    x = 1",
    "a variable": "f = lambda x: (\n    x)",
    "one of several variables": "e, (f, g) = h",
    "with its type": "f: object = 3",
    "an import": "from scipy.signal import convolve2d as f",
    "what is no Python": "def f(x):\n    print 'x'\n\n    return (\n        x\n)",
    "what is no Python yet": "async def f[T: (int, str) = int](x):\n    return 1 as x",
    "a class that is no Python": "class f[T](x:\n    pass",
}


@pytest.mark.parametrize("name", DEFINED)
@pytest.mark.parametrize(
    "above", ["", "import x\n\n", "%matplotlib inline\n!pip install y\nz = !ls\nprint?\n", "%%time\n", "é = '€'\n"]
)
@pytest.mark.parametrize("below", ["", "\n\nf(3)\n# the end", "\n%time f(3)"])
def test_the_source_of_a_definition(name: str, above: str, below: str) -> None:
    assert Notebook((above + DEFINED[name] + below,)).defined("f") == DEFINED[name]


def test_the_last_definition_counts() -> None:
    book = Notebook(
        ("def f(): return 1", "def f(): return 2\ndef f(): return 3", "f()", "def g():\n    def f(): return 4")
    )
    assert book.defined("f") == "def f(): return 3"
    assert book.defined("g") == "def g():\n    def f(): return 4"


@pytest.mark.parametrize(
    "source",
    ["", "f(x)", "def g(f): return f", "def ff(:", "f == (", "g = f = (", "%%html\ndef f(): pass", "%%bash\nf = 3"],
)
def test_no_definition(source: str) -> None:
    assert Notebook((source,)).defined("f") == ""


BELOW = """
try:
    import numba
    def f(x): return 1
except ImportError:
    with here:
        if this: pass
        elif that:
            def g(x): return 2
"""


def test_a_definition_below_a_condition() -> None:
    book = Notebook(("f = 3", BELOW, "elif_ = 3\n" + "if x: pass\n" + "elif x: pass\n" * 1000 + "else:\n    h = 3"))
    assert book.last("f") == (2, "    def f(x): return 1")
    assert book.last("g") == (2, "            def g(x): return 2")
    assert book.defined("h") == "    h = 3" and book.last("nowhere") == (0, "")


@pytest.mark.parametrize(
    ("source", "makes"),
    [
        ("a = (b, [c]) = 1\nd: int = 2\ne += 1\n(f := 2)", "a b c d e f"),
        ("import a.x, b.x as c\nfrom d import (\n    e as f,\n    g,\n)", "a c f g"),
        ("for a, b in x:\n    c = 1\nwith x as d: pass\nif x:\n    while x: e = 2", "a b c d e"),
        ("def a(x):\n    y = x\nclass b:\n    z = 1\nasync def c(): pass", "a b c"),
        ("x.a = 1\nx['b'] = 2\nx[y] = z", ".a [b"),
        ("[a for a in x if (lambda b: b)(a)]", ""),
        ("from x import *", "*"),
        ("%run other.py", "*"),
        ("exec(text)", "*"),
        ("def a(:\n  b", "a b .a [b"),
        ("print(x, y.z)\nassert f(x) == d", ""),
    ],
)
def test_what_a_cell_makes(source: str, makes: str) -> None:
    names = {"a", "b", "c", "d", "e", "f", "g", "h", "x", "y", "z", "*", ".a", "[b"}
    assert {name for name in names if Notebook(("", source)).makes(2, name)} == set(makes.split())


def test_a_long_definition_is_cut() -> None:
    assert len(Notebook(("f = '" + "x" * 10**6 + "'",)).defined("f")) == notebook.MOST_SHOWN


@pytest.mark.parametrize(
    "source",
    [
        "y = (8\n    % 3)",
        "%time x = 1\ny = 2",
        "def g():\n    !ls\n    %cd ..\ny = 2",
        "files = !ls *.png\na, b = %who_ls\nself.x = !ls",
        "%%capture out\ny = 2",
        "?print\nprint??\nnp.zeros?\ny = 2",
    ],
)
def test_lines_of_ipython_do_not_hide_the_rest(source: str) -> None:
    tree, _ = parsed(source)
    assert tree is not None
    assert len(ast.unparse(tree)) > 3
    lines = [statement.lineno for statement in tree.body if ast.unparse(statement) == "y = 2"]
    assert lines == [n for n, line in enumerate(source.split("\n"), start=1) if line == "y = 2"], (
        "lines keep their numbers"
    )


DEEP = {
    "brackets": "(" * 10**5,
    "minus signs": "-" * 10**5 + "1",
    "sums": "1" + "+1" * 10**5,
    "attributes": "a" + ".b" * 10**5,
    "calls": "f" + "()" * 90_000,
    "comparisons": "1" + "<1" * 10**5,
    "statements": "x;" * 10**5,
    "spaces": " " * 150_000 + "(",
    "names and spaces": "a, " * 60_000 + "!(",
    "a null": "x = 1\0",
}


@pytest.mark.parametrize("name", DEEP)
def test_code_that_is_made_to_be_hard_to_read(name: str) -> None:
    book = read(code(DEEP[name] + "\nf = 1"))
    before = time.process_time()
    book.defined("f")
    assert time.process_time() - before < 10  # half a second here; a quadratic search takes minutes


@pytest.mark.parametrize(
    "source",
    [
        "a" + " " * 60_000 + "\nb c",
        "\n" * 60_000 + "b c",
        ";" * 60_000,
        ">>> " + ";" * 60_000,
        "In [1]: " + "/," * 30_000,
        "%time\n" + ",a.b\n" * 5_000,
    ],
)
def test_no_cell_takes_the_reader_long(source):
    """They are cells for IPython alone, whose reader begins again behind each sign."""
    begin = time.monotonic()
    try:
        book = read(code(source))
    except NotebookError as error:
        assert "far more lines with %" in str(error)
    else:
        assert not book.defined("b") and not book.makes(1, "x")
    assert time.monotonic() - begin < 15
