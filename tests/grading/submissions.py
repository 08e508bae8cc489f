"""A class of strangers: notebooks of more than a hundred kinds, each with the mark that its work earns.

`KINDS` is what the tests go through. The kinds themselves are in `honest.py`, `elsewhere.py`, `broken.py`, `cheats.py`
and `stops.py`; here is how a notebook is made. Each was written from the issue and from what was measured on other
graders, not from what this grader happens to do.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import dedent
from typing import Any, Literal

from unet_edu.grading.assignment import ASSIGNMENTS

ROOT = Path(__file__).parents[2]
TOPIC = "02_convolution"
POINTS = {"conv2d_naive": 3, "out_size": 2, "conv2d_multichannel": 3, "receptive_field": 2, "conv2d_panorama": 2}
# Its first four, of ten points: for tests that make up results, and need no notebook.
FOUR = replace(ASSIGNMENTS[TOPIC], points=ASSIGNMENTS[TOPIC].points[:4])

Group = Literal["honest", "broken", "cheat", "stops"]


@dataclass(frozen=True)
class Host:
    """What a notebook could reach on the grader's machine, if it were let out.

    Parameters
    ----------
    mark : str
        Stands in the name of each file that a notebook writes, and in the command line of each process that it starts.
    tcp, udp : int
        Ports on which the test listens, on all addresses.
    addresses : tuple of str
        The machine's own.
    unix, abstract : str
        Two sockets on which the test listens: one in the file system, one without a file.
    """

    mark: str = "escaped"
    tcp: int = 9
    udp: int = 9
    addresses: tuple[str, ...] = ("127.0.0.1",)
    unix: str = "/tmp/escaped.socket"
    abstract: str = "escaped"


@dataclass(frozen=True)
class Kind:
    """A notebook, and what must come of it.

    Parameters
    ----------
    name : str
    group : Group
    make : callable
        From the `Host` to the notebook's bytes.
    why : str
    mark : float or None
        What the work is worth: the result's mark, where its status is one that comes with a mark.
    statuses : set of str
        Each of these is an honest account of the notebook.
    never : tuple of str
        Functions that must not earn a point, whatever the status.
    verdicts : dict
        What must be said of single functions.
    reasons : tuple of str
        What the row's reason must say.
    """

    name: str
    group: Group
    make: Callable[[Host], bytes]
    why: str
    mark: float | None
    statuses: frozenset[str]
    never: tuple[str, ...] = ()
    verdicts: tuple[tuple[str, str], ...] = ()
    reasons: tuple[str, ...] = ()
    topic: str = TOPIC


class Kinds(dict[str, Kind]):
    """Kinds by their names, collected by decorating the functions that make them. The docstring is the reason."""

    def __init__(self, group: Group) -> None:
        super().__init__()
        self.group = group

    def add(self, name: str, make: Callable[[Host], bytes], why: str, **expected: Any) -> None:
        if name in self:
            raise ValueError(f"{name}: two kinds of submissions have this name")
        expected["statuses"] = frozenset(expected["statuses"])
        expected["verdicts"] = tuple(expected.get("verdicts", {}).items())
        self[name] = Kind(name, self.group, make, why, **expected)

    def __call__(self, mark: float | None, *statuses: str, **expected: Any) -> Callable[[Callable[[Host], bytes]], Any]:
        def register(make: Callable[[Host], bytes]) -> Callable[[Host], bytes]:
            self.add(make.__name__, make, make.__doc__ or "", mark=mark, statuses=statuses or ("graded",), **expected)
            return make

        return register


# ------------------------------------------------------------------------------------------------------------ notebooks


@functools.cache
def _stored(folder: str, topic: str) -> str:
    return (ROOT / folder / topic / f"{topic}.ipynb").read_text(encoding="utf-8")


def released(topic: str = TOPIC) -> dict[str, Any]:
    """The notebook that students get."""
    return json.loads(_stored("exercises", topic))


@functools.cache
def solutions(topic: str = TOPIC) -> dict[str, str]:
    """The functions of the solutions, by name."""
    cells = (cell for cell in json.loads(_stored("solutions", topic))["cells"] if is_answer(cell))
    lines = ("".join(cell["source"]).splitlines() for cell in cells)
    sources = ("\n".join(line for line in source if "### " not in line) for source in lines)
    return {name_of(source): source for source in sources}


def is_answer(cell: dict[str, Any]) -> bool:
    return bool(cell["metadata"].get("nbgrader", {}).get("solution"))


def name_of(source: str | list[str]) -> str:
    return "".join(source).split("def ")[1].split("(")[0]


def code(source: str, **keys: Any) -> dict[str, Any]:
    """A cell as JupyterLab stores it."""
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
        "source": dedent(source).strip("\n"),
        **keys,
    }


def book(cells: Iterable[dict[str, Any]], **keys: Any) -> dict[str, Any]:
    """A notebook of these cells alone."""
    return {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 4, **keys}


def packed(notebook: Any) -> bytes:
    return json.dumps(notebook, indent=1).encode()


def filled(
    *,
    first: Iterable[str] = (),
    last: Iterable[str] = (),
    topic: str = TOPIC,
    written: bool = True,
    **answers: str,
) -> dict[str, Any]:
    """The students' notebook with the solutions written in; these `answers` in place of some of them, and cells before
    and after all.

    Not `written`: only the answers that are given are, the others stay as they were.
    """
    notebook = released(topic)
    sources = {**(solutions(topic) if written else {}), **answers}
    unknown = sources.keys() - solutions(topic).keys()
    if unknown:
        raise ValueError(f"{topic} has no exercise {', '.join(sorted(unknown))}")
    for cell in notebook["cells"]:
        if is_answer(cell) and name_of(cell["source"]) in sources:
            cell["source"] = dedent(sources[name_of(cell["source"])]).strip("\n")
    set_up = next(n for n, cell in enumerate(notebook["cells"]) if cell["cell_type"] == "code")
    notebook["cells"][set_up + 1 : set_up + 1] = map(code, first)
    notebook["cells"] += map(code, last)
    return notebook


def small(*cells: str) -> bytes:
    """A notebook of a few cells and nothing else, so that a test that runs many is done soon."""
    return packed(book(map(code, cells)))


def all_in(body: str, *names: str) -> dict[str, str]:
    """A function of each name (of all, if none is given) with the same body, which sees the arguments as `args` and
    `kwargs`."""
    lines = "\n".join("    " + line for line in dedent(body).strip().splitlines())
    return {name: f"def {name}(*args, **kwargs):\n{lines}" for name in names or POINTS}


def kinds() -> dict[str, Kind]:
    """All of them, by name."""
    from tests.grading import broken, cheats, elsewhere, honest, stops  # each imports this module

    groups = (honest.KINDS, elsewhere.KINDS, broken.KINDS, cheats.KINDS, stops.KINDS)
    together = {name: kind for group in groups for name, kind in group.items()}
    if len(together) != sum(map(len, groups)):
        raise ValueError("two kinds of submissions have one name")
    return together
