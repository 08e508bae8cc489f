"""Files that are no notebook any more, or never were one. There is nothing to mark: that is not the same as a mark of
0."""

from __future__ import annotations

from tests.grading.submissions import Host, Kinds, book, code, filled, packed, small

KINDS = Kinds("broken")
unreadable = KINDS(None, "unreadable")
nothing_to_judge = KINDS(None, "unreadable", "needs review")


@unreadable
def empty_file(host: Host) -> bytes:
    """No byte at all."""
    return b""


@unreadable
def truncated(host: Host) -> bytes:
    """The upload broke off."""
    whole = packed(filled())
    return whole[: len(whole) // 2]


@unreadable
def merge_markers(host: Host) -> bytes:
    """Git could not merge it, and nobody looked."""
    return b"<<<<<<< HEAD\n" + packed(filled()) + b"\n=======\n{}\n>>>>>>> theirs\n"


@unreadable
def python_script(host: Host) -> bytes:
    """A script under the name of a notebook."""
    return b"import numpy as np\n\ndef conv2d_naive(x, k):\n    return x\n"


@unreadable
def picture(host: Host) -> bytes:
    """A picture under the name of a notebook."""
    return b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40


@unreadable
def list_and_no_notebook(host: Host) -> bytes:
    """JSON, but a list."""
    return packed([1, 2, 3])


@unreadable
def object_and_no_notebook(host: Host) -> bytes:
    """JSON, but of something else."""
    return packed({"name": "my-homework", "cells": 4})


@unreadable
def deep_json(host: Host) -> bytes:
    """A hundred thousand brackets, each in the one before: recursion without an end for a naive reader."""
    return b'{"nbformat": 4, "cells": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"


@unreadable
def deep_objects(host: Host) -> bytes:
    """The same with objects, in the metadata of a notebook that is right otherwise."""
    deep = b'{"a": ' * 50_000 + b"1" + b"}" * 50_000
    return packed(filled()).replace(b'"metadata": {', b'"metadata": {"deep": ' + deep + b", ", 1)


@unreadable
def huge_file(host: Host) -> bytes:
    """More than 32 megabytes."""
    return packed(book([code("x = '" + "a" * (33 << 20) + "'")]))


@nothing_to_judge
def huge_numbers(host: Host) -> bytes:
    """Numbers with a million digits, and some that are none: slow to read for who reads them as numbers."""
    return b'{"nbformat": ' + b"9" * 1_000_000 + b', "nbformat_minor": NaN, "cells": [Infinity, 1e999999]}'


@unreadable
def too_many_cells(host: Host) -> bytes:
    """A hundred thousand cells."""
    return packed(book([code("1")] * 100_000))


@nothing_to_judge
def cells_of_the_wrong_type(host: Host) -> bytes:
    """Cells are numbers, null, lists; sources are numbers and objects."""
    cells = [1, None, [], "x = 1", {}, {"cell_type": "code"}, {"cell_type": "code", "source": 7}]
    cells += [{"cell_type": ["code"], "source": [1, None]}, {"cell_type": "code", "source": {"a": 1}}]
    return packed({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4})


@KINDS(12, "unreadable", "graded")
def not_utf_8(host: Host) -> bytes:
    """Two bytes of a docstring are no text. Whoever can read the rest may."""
    return packed(filled()).replace(b"Convolve the plane", b"Convolve \xff\xfe the plane", 1)


@nothing_to_judge
def no_cells(host: Host) -> bytes:
    """A notebook without a cell."""
    return small()


@nothing_to_judge
def words_only(host: Host) -> bytes:
    """A notebook of text, the functions in it too."""
    cells = [{"cell_type": "markdown", "metadata": {}, "source": cell["source"]} for cell in filled()["cells"]]
    return packed(book(cells))


@nothing_to_judge
def raw_cells_only(host: Host) -> bytes:
    """The functions stand in raw cells, which do not run."""
    cells = [{"cell_type": "raw", "metadata": {}, "source": cell["source"]} for cell in filled()["cells"]]
    return packed(book(cells))
