"""The messages between the grader and the sandbox, as the grader reads and writes them.

What comes out of a sandbox was written by a process in which a stranger's code runs: it may be anything. Reading it
makes plain data of it, or raises `WireError`, and nothing else. Nothing is unpickled, evaluated or imported, and
nothing larger than the reply itself is made of it.
"""

from __future__ import annotations

import json
import math
import pickle
import re
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from unet_edu.checks.answer import Answer
from unet_edu.checks.exercise import Case
from unet_edu.grading.text import visible

__all__ = ["CallReply", "CellReply", "WireError", "call", "cell", "definitions", "read_call", "read_cell"]

# What an honest runner keeps to: the same numbers stand in `inside/runner.py`.
MOST_HEAD = 16 << 10  # bytes of the line of JSON
MOST_NUMBERS = 1 << 20
MOST_AXES = 8
MOST_MESSAGE = 2000  # characters
MOST_PRINTED = 200
MOST_ERROR = 300
MOST_FORBIDDEN = 10

DTYPES = {"|b1", "|i1", "<i2", "<i4", "<i8", "|u1", "<u2", "<u4", "<u8", "<f2", "<f4", "<f8"}

CELL = {"ok": bool, "error": str}
CALL = {
    "found": bool,
    "kind": str,
    "message": str,
    "changed_input": bool,
    "printed": str,
    "dtype": str,
    "shape": list,
    "types": str,
    "forbidden": list,
}
DOTTED = re.compile(r"[A-Za-z0-9_.]{1,120}")


class WireError(Exception):
    """A reply that no honest runner sends. The text says what is wrong with it."""


@dataclass(frozen=True)
class CellReply:
    """Whether a cell came to its end, and if not, what it raised, in one line."""

    ok: bool
    error: str


@dataclass(frozen=True, eq=False)
class CallReply:
    """What a function answered.

    Parameters
    ----------
    found : bool
        Whether the notebook has something of this name.
    answer : Answer
        Of kind "empty" when it has not.
    forbidden : tuple of str
        Which of the forbidden functions it called, as far as the sandbox saw.
    """

    found: bool
    answer: Answer
    forbidden: tuple[str, ...] = ()


def cell(source: str) -> bytes:
    """The request to run a cell."""
    return pickle.dumps(("cell", source), protocol=5)


def definitions(source: str, assignments: bool) -> bytes:
    """The request to run only the definitions of a cell, or only these and its assignments."""
    return pickle.dumps(("definitions", source, assignments), protocol=5)


def call(function: str, case: Case, forbidden: tuple[str, ...] = ()) -> bytes:
    """The request to call a function on a case, and to watch whether it calls what matches one of the patterns."""
    return pickle.dumps(("call", function, case, tuple(forbidden)), protocol=5)


def read_cell(reply: bytes) -> CellReply:
    """What became of a cell.

    Raises
    ------
    WireError
        When the reply is not one.
    """
    head, body = _parts(reply, CELL)
    if body:
        raise WireError(f"expected nothing behind the line of JSON, got {len(body)} bytes")
    return CellReply(head["ok"], _clean("error", head["error"], MOST_ERROR).replace("\n", " "))


def read_call(reply: bytes) -> CallReply:
    """What a function answered.

    Raises
    ------
    WireError
        When the reply is not one.
    """
    head, body = _parts(reply, CALL)
    forbidden = head["forbidden"]
    if len(forbidden) > MOST_FORBIDDEN:
        raise WireError(f"forbidden: expected at most {MOST_FORBIDDEN} names, got {len(forbidden)}")
    if not all(isinstance(name, str) and DOTTED.fullmatch(name) for name in forbidden):
        raise WireError("forbidden: expected dotted names")
    value = _array(head["dtype"], head["shape"], body) if head["kind"] == "value" else None
    if value is None and (head["dtype"] or head["shape"] or head["types"] or body):
        raise WireError(f"expected no array with kind {head['kind'][:20]!r}")
    try:
        answer = Answer(
            _kind(head["kind"]),
            value,
            _clean("message", head["message"], MOST_MESSAGE),
            head["changed_input"],
            _clean("printed", head["printed"], MOST_PRINTED),
            head["types"],
        )
    except (ValueError, TypeError) as error:
        raise WireError(str(error)) from None
    if not head["found"] and answer.kind != "empty":
        raise WireError("expected no answer of a function that was not found")
    return CallReply(head["found"], answer, tuple(forbidden))


def _parts(reply: bytes, fields: dict[str, type]) -> tuple[dict[str, Any], memoryview]:
    """The line of JSON as a dictionary with exactly these fields, and the bytes behind it."""
    end = reply.find(b"\n", 0, MOST_HEAD)
    if end < 0:
        raise WireError(f"expected a line of JSON of at most {MOST_HEAD} bytes, got {len(reply)} bytes without one")
    try:
        head = json.loads(reply[:end].decode("utf-8"), object_pairs_hook=_no_key_twice, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:  # ValueError: no UTF-8, no JSON, an int of thousands of digits
        raise WireError(f"expected a line of JSON: {type(error).__name__}") from None
    if type(head) is not dict or head.keys() != fields.keys():
        raise WireError(f"expected the fields {', '.join(fields)}")
    for name, kind in fields.items():
        if type(head[name]) is not kind:  # exactly: True is an int, too
            raise WireError(f"{name}: expected {kind.__name__}, got {type(head[name]).__name__}")
    return head, memoryview(reply)[end + 1 :]


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands there twice")
    return found


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def _kind(name: str) -> Literal["value", "empty", "nothing", "raised", "unusable"]:
    for kind in ("value", "empty", "nothing", "raised", "unusable"):
        if name == kind:
            return kind  # type: ignore[return-value]
    raise WireError(f"kind: got {name[:20]!r}")


def _array(dtype: str, shape: list[Any], body: memoryview) -> np.ndarray[Any, Any]:
    """The array, after its size is known to be that of the bytes which are there already."""
    if dtype not in DTYPES:
        raise WireError(f"dtype: expected one of {', '.join(sorted(DTYPES))}, got {dtype[:20]!r}")
    if len(shape) > MOST_AXES:
        raise WireError(f"shape: expected at most {MOST_AXES} axes, got {len(shape)}")
    if not all(type(size) is int and 0 <= size <= MOST_NUMBERS for size in shape):
        raise WireError(f"shape: expected whole numbers from 0 to {MOST_NUMBERS}")
    if math.prod(size for size in shape if size) > MOST_NUMBERS:  # without the zeros: NumPy multiplies the others, too
        raise WireError(f"shape: expected at most {MOST_NUMBERS} numbers in all")
    kind, size = np.dtype(dtype), math.prod(shape)
    if len(body) != size * kind.itemsize:
        raise WireError(f"expected {size * kind.itemsize} bytes of {dtype}, got {len(body)}")
    if kind == np.bool_:  # a byte of 2 would be a third truth value
        return (np.frombuffer(body, np.uint8) != 0).reshape(shape)
    return np.frombuffer(body, kind).reshape(shape).astype(kind.newbyteorder("="))


def _clean(name: str, text: str, most: int) -> str:
    """Text without what could command a terminal, turn the direction of reading, or hide."""
    if len(text) > most:
        raise WireError(f"{name}: expected at most {most} characters, got {len(text)}")
    return "\n".join(map(visible, text.split("\n")))
