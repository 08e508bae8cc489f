"""Where inside of a network its path first leaves ours: the tables of `unet_edu.checks.network.Inside` are compared.

A table says of each convolution what it is, and of each part of what it is given where it comes from. PyTorch is
imported only where a network was asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from unet_edu.checks.arrays import Array
from unet_edu.checks.exercise import Case, Exercise
from unet_edu.checks.seen import Diagnosis, Layer, Question, Seen

__all__ = ["inside_cases", "inside_the_network"]

MOST = 2  # networks that are asked
FRACTIONS = ("least", "mix")  # all other facts are whole numbers
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


@dataclass(frozen=True)
class Row:
    """A convolution, or the answer, and the parts of what it is given."""

    facts: dict[str, float]
    parts: tuple[dict[str, Any], ...]

    def __getitem__(self, name: str) -> Any:
        value = self.facts[name]
        return value if name in FRACTIONS else int(value)

    @property
    def sources(self) -> list[int]:
        return [part["source"] for part in self.parts]


@dataclass(frozen=True)
class Found:
    """A difference; `key` is the same in all cases in which it is seen."""

    key: tuple[Any, ...]
    layer: Layer
    sees: str
    asks: str


def inside_cases(exercise: Exercise, cases: Sequence[Case]) -> list[Case]:
    """Cases that look into the networks whose answers were asked."""
    asked = [case for case in cases if type(case.probe).__name__ == "Answers"][:MOST]
    if not asked:
        return []
    from unet_edu.checks.network import Answers, Inside

    return [
        Case(f"inside, {case.name}", case.args, case.kwargs, "asked", Inside(case.probe.images[:1], case.probe.seed))
        for case in asked
        if isinstance(case.probe, Answers)
    ]


def inside_the_network(seen: Seen) -> Diagnosis | None:
    """The first difference from our network that is one in all cases; None where they are alike inside."""
    asked = [q for q in (*seen.cases, *seen.probed) if _found(q) is not None]
    for found in _found(asked[0]) or () if asked else ():
        holds = _Holds(found.key)
        if all(holds(question) for question in asked):
            return Diagnosis(found.layer, found.sees, found.asks, holds)
    return None


@dataclass(frozen=True)
class _Holds:
    key: tuple[Any, ...]

    def __call__(self, question: Question) -> bool | None:
        found = _found(question)
        return None if found is None else any(self.key == other.key for other in found)


def _found(question: Question) -> list[Found] | None:
    """What differs in one case, the simplest first; None where the case does not look inside."""
    if type(question.case.probe).__name__ != "Inside" or question.yours is None:
        return None
    yours, ours = _read(question.yours), _read(question.right)
    return None if yours is None or ours is None else list(_differences(yours, ours))


def _read(table: Array) -> list[Row] | None:
    """The rows of a table; None if it is none. It comes from a sandbox."""
    from unet_edu.checks.network import ACTIVATIONS, FACTS, MOST_PARTS, MOST_ROWS, PART, POOLINGS

    width = len(FACTS) + MOST_PARTS * len(PART)
    if table.ndim != 2 or table.shape[1] != width or not 1 <= len(table) <= MOST_ROWS + 1:
        return None
    if not (np.isfinite(table).all() and np.abs(table).max() < 2**53):
        return None
    activations, poolings = list(ACTIVATIONS), list(POOLINGS)
    rows = []
    for numbers in table.tolist():
        parts = []
        for n in range(len(FACTS), width, len(PART)):
            part: dict[str, Any] = dict(zip(PART, map(int, numbers[n : n + len(PART)]), strict=True))
            if part["channels"] <= 0:
                continue
            part["activation"] = activations[part["activation"] % len(activations)]
            part["pooling"] = poolings[part["pooling"] % len(poolings)]
            parts.append(part)
        rows.append(Row(dict(zip(FACTS, numbers, strict=False)), tuple(parts)))
    return rows


def _differences(yours: list[Row], ours: list[Row]) -> Iterator[Found]:
    """What differs in the first row that does, and in the whole."""
    for n, row in enumerate(yours):
        if row["kind"] == 0 and row["stride"] > 1 and all(o["kind"] != 0 or o["stride"] == 1 for o in ours):
            sees = f"{_name(yours, n)} moves in steps of {row['stride']}, so it makes the image smaller by itself."
            yield Found(("stride", n), "computed", sees, "What makes the image smaller, and what do convolutions do?")
            return
    n = next((n for n, (y, o) in enumerate(zip(yours, ours, strict=False)) if not _alike(y, o)), -1)
    if n < 0:
        if len(yours) != len(ours):
            yield _counts(yours, ours)
        return
    y, o = yours[n], ours[n]
    moved = y["kind"] != o["kind"] or (y["rows"], y["columns"]) != (o["rows"], o["columns"])
    if len(yours) != len(ours) and moved:
        yield _counts(yours, ours)
        return
    yield from _given(yours, n, y, o)
    yield from _form(yours, ours, n)
    if y.parts == o.parts and np.isclose(y["mix"], o["mix"], rtol=1e-4, atol=1e-6):
        return
    what = "what your network answers" if y["kind"] == 2 else f"what {_name(yours, n, 'your')} is given"
    sees = f"Of all that happens in your network, {what} is the first that is not as in ours."
    yield Found(("place", n), "place", sees, "What happens just before it, line by line?")


def _alike(y: Row, o: Row) -> bool:
    exact = all(y[name] == o[name] for name in y.facts if name not in FRACTIONS)
    return exact and y.parts == o.parts and bool(np.isclose(y["mix"], o["mix"], rtol=1e-4, atol=1e-6))


def _counts(yours: list[Row], ours: list[Row]) -> Found:
    y, o = (_blocks(rows) for rows in (yours, ours))
    steps = sum(row["kind"] == 1 for row in yours)
    if len(y) == len(o):
        n = next((n for n in range(len(y)) if y[n][1] != o[n][1]), len(y) - 1)
        less = "fewer" if y[n][1] < o[n][1] else "more"
        where = y[n][0] or "in your network"
        sees = f"Convolutions {where}: yours are {y[n][1]}, {less} than ours."
        return Found(("count", n, less), "place", sees, "Which convolutions stand there, and which should?")
    sees = (
        f"Your network has {len(yours) - 1} convolutions, and {steps} of them are transposed. Ours is built otherwise."
    )
    return Found(("counts",), "place", sees, "How often does your network step down, and how often up, and by what?")


def _blocks(rows: list[Row]) -> list[tuple[str, int]]:
    """The blocks in their order, and how many convolutions each has."""
    blocks: list[tuple[str, int]] = []
    for n in range(len(rows) - 1):
        where = _where(rows, n)
        if blocks and blocks[-1][0] == where:
            blocks[-1] = (where, blocks[-1][1] + 1)
        else:
            blocks.append((where, 1))
    return blocks


def _where(rows: list[Row], n: int) -> str:
    """In which block a convolution stands; nothing, where there is one block alone."""

    def down(m: int) -> int:
        sizes = [(rows[k]["rows"], rows[k - 1]["rows_out"]) for k in range(1, m + 1)]
        return sum(0 < rows_in <= 0.6 * rows_out for rows_in, rows_out in sizes if rows_out > 1)

    ups = sum(row["kind"] == 1 for row in rows[: n + 1])
    if not any(row["kind"] == 1 for row in rows) and not down(len(rows) - 1):
        return ""
    if ups:
        return f"{'in' if rows[n]['kind'] == 1 else 'after'} the {_nth(ups - 1)} step up"
    return f"after the {_nth(down(n) - 1)} step down" if down(n) else "in the first block"


def _nth(n: int) -> str:
    if 0 <= n < len(ORDINALS):
        return ORDINALS[n]
    return f"{n + 1}{('th', 'st', 'nd', 'rd')[(n + 1) % 10] if (n + 1) % 10 < 4 and n > 19 else 'th'}"


def _name(rows: list[Row], n: int, your: str = "Your") -> str:
    where = _where(rows, n)
    return f"{your} {_nth(n)} convolution" + (f" ({where})" if where else "")


def _given(yours: list[Row], n: int, y: Row, o: Row) -> Iterator[Found]:
    """What differs in what a convolution is given, or in the answer."""
    is_answer = y["kind"] == 2
    what = "your network answers" if is_answer else f"{_name(yours, n, 'your')} is given"
    here = [(p, q) for p, q in zip(y.parts, o.parts, strict=False) if p != q]
    origins = [{k: v for k, v in p.items() if k not in ("activation", "learns_from")} for p in y.parts]
    right = [{k: v for k, v in p.items() if k not in ("activation", "learns_from")} for p in o.parts]
    bits = {m for p in y.parts for m in range(len(yours)) if p["learns_from"] >> m & 1} | set(y.sources)
    for m in o.sources:
        if m == n > 0 and m not in bits and not is_answer:
            sees = f"What comes from the convolution before does not reach {_name(yours, n, 'your')}."
            yield Found(("reach", n, m), "reach", sees, "What is joined there, and where does each part come from?")
        elif m > 0 and m not in bits:
            sees = f"What your network copies {_where(yours, m - 1)} does not reach {_name(yours, n, 'your')}."
            asks = "What is joined there, and where does each part come from?"
            yield Found(("reach", n, m), "reach", sees, asks)
    are_mixed = any(part["source"] < 0 and part["learns_from"].bit_count() > 1 for part in y.parts)
    if len(o.parts) > 1 and are_mixed and y["n_in"] < o["n_in"]:
        sees = f"What {what} has channels that come from two convolutions at once."
        yield Found(("mixed", n), "computed", sees, "Are two things made into one there, or put side by side?")
    if sorted(map(str, origins)) == sorted(map(str, right)) and origins != right:
        sees = f"What {what} has the same channels as ours, in another order."
        yield Found(("order", n), "computed", sees, "In which order are the copy and what comes from below joined?")
    for p, q in here:
        differ = {name for name in p if p[name] != q[name]} if p["source"] == q["source"] >= 0 else set()
        if "pooling" in differ and p["pooling"]:
            words = {"mean": "the mean", "largest": "the largest number", "first": "the first number"}[p["pooling"]]
            sees = f"{_name(yours, n)} is given {words} of each 2×2 numbers."
            yield Found(("pooling", n, p["pooling"]), "computed", sees, "Which number of each 2×2 should go on?")
        elif "activation" in differ:
            yield _activation(yours, n, p["activation"], what)
        elif differ & {"top", "left"}:
            sees = f"The copy that {what} begins in row {p['top']} and column {p['left']} of what was copied."
            at = "middle" if p["top"] == q["top"] or p["left"] == q["left"] else "corner"
            yield Found(("crop", n, at), "computed", sees, "Which pixels of the copy lie where those from below lie?")
        elif differ == {"learns_from"}:
            sees = (
                f"The numbers that {what} are right, but no gradient goes back from there to where a part comes from."
            )
            yield Found(("gradient", n), "reach", sees, "What cuts the way back for gradients?")
    if y["least"] < 0 <= o["least"] and not is_answer:
        yield Found(
            ("negative", n),
            "computed",
            f"What {what} has negative numbers; in ours it has none.",
            "What should happen to them before?",
        )
    if is_answer and y["sums_to_1"] > o["sums_to_1"]:
        sees = "At each pixel the answers of your network add up to 1."
        yield Found(("sum",), "computed", sees, "Are these scores, or what is made of scores?")


def _activation(yours: list[Row], n: int, activation: str, what: str) -> Found:
    if not activation:
        sees = f"What {what} has negative numbers: it comes from the convolution before as it is."
        return Found(("negative", n), "computed", sees, "What should happen between the two?")
    which = "an" if activation[0] in "E" else "a"
    sees = f"What {what} has gone through {which} {activation}; in ours it has not."
    return Found(("activation", n, activation), "computed", sees, "Which numbers should go on as they are?")


def _form(yours: list[Row], ours: list[Row], n: int) -> Iterator[Found]:
    """What differs in a convolution itself."""
    y, o, name = yours[n], ours[n], _name(yours, n)
    if y["kind"] == 2 or o["kind"] == 2:
        return
    size = f"{y['kernel_rows']}×{y['kernel_columns']}"
    words = {
        "kind": f"{name} is {'transposed' if y['kind'] else 'a plain one, of ' + size}; in ours another kind is there.",
        "kernel_rows": f"{name} has kernels of {size}; ours are of another size.",
        "kernel_columns": f"{name} has kernels of {size}; ours are of another size.",
        "stride": f"{name} moves in steps of {y['stride']}; ours does not.",
        "padding": f"{name} makes {y['rows_out']} rows of {y['rows']}; of ours another number comes out.",
        "bias": f"{name} has {'a' if y['bias'] else 'no'} bias; it is not so in ours.",
        "n_out": f"{name} gives another number of channels than ours.",
        "dilation": f"The kernels of {name.lower()} are spread out; ours are not.",
        "groups": f"{name} is cut into groups of channels; ours is not.",
    }
    for fact, sees in words.items():
        if y[fact] != o[fact]:
            key = ("form", n, fact)
            yield Found(key, "place", sees, "Which numbers was this layer made with, and which should it have?")
            return
