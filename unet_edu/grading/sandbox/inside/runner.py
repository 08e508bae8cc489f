"""What runs in the sandbox: it reads requests from one pipe, and writes replies to another.

    python -I -B runner.py REQUEST_FD REPLY_FD

Each message is 8 bytes of length, big end first, and then the message. A request is a pickle made by the trusted side:

    ("cell", source)                           run a cell as Jupyter would
    ("definitions", source, assignments)       run only the definitions of a cell, or only these and its assignments
    ("call", name, case, forbidden patterns)   call a function of the notebook on a case

A reply is one line of JSON, and behind it the bytes of the answer's array. The notebook's code lives in this very
process, so nothing in a reply can be trusted: `unet_edu.grading.wire` reads it, and the answers are judged elsewhere.
What a notebook can spoil here is its own mark.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import random
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

# The notebook's own folder, as in Jupyter; and the course.
sys.path[:0] = [path for path in ("", str(Path(__file__).resolve().parent)) if path not in sys.path]

import numpy as np
import watch
from shell import Shell, in_one_line, new_shell

from unet_edu.checks import answer as machinery
from unet_edu.checks.answer import Answer, attempt
from unet_edu.checks.exercise import Case

# The same bounds stand in `unet_edu.grading.wire`, which turns down what is beyond them. (It is not in the sandbox.)
MOST_NUMBERS = 1 << 20
MOST_MESSAGE = 2000
MOST_PRINTED = 200
MOST_FORBIDDEN = 10

SEED = 2015

# Taken now: `np.random.seed = 42`, a slip for a call, puts a number in its place.
seed, seed_of_numpy = random.seed, np.random.seed


class Pipes:
    """The two pipes to the grader. Programs that the notebook starts do not get them."""

    def __init__(self, requests: int, replies: int) -> None:
        self._requests, self._replies = requests, replies
        self._read, self._write, self._exit = os.read, os.write, os._exit  # a notebook may put its own in their place
        for fd in (requests, replies):
            os.set_inheritable(fd, False)
        os.register_at_fork(after_in_child=self._close)

    def _close(self) -> None:
        for fd in (self._requests, self._replies):
            with contextlib.suppress(OSError):
                os.close(fd)

    def read(self) -> bytes:
        """The next request. When there is none, this process ends, and nothing of the notebook runs any more."""
        return self._exactly(int.from_bytes(self._exactly(8), "big"))

    def _exactly(self, size: int) -> bytes:
        parts, left = [], size
        while left:
            try:
                part = self._read(self._requests, min(left, 1 << 20))
            except OSError:
                part = b""
            if not part:
                self._exit(0)
            parts.append(part)
            left -= len(part)
        return b"".join(parts)

    def write(self, reply: bytes) -> None:
        """Send a reply, or end this process."""
        rest = memoryview(len(reply).to_bytes(8, "big") + reply)
        while rest:
            try:
                rest = rest[self._write(self._replies, rest) :]
            except OSError:
                self._exit(1)


def run_cell(shell: Shell, source: str) -> bytes:
    """Run a cell, and close the figures that it left open."""
    error = shell.run(source)
    pyplot = sys.modules.get("matplotlib.pyplot")
    if isinstance(pyplot, ModuleType):
        with contextlib.suppress(Exception):  # whatever the notebook made of it
            pyplot.close("all")
    return _line({"ok": error is None, "error": "" if error is None else _clean(in_one_line(error), MOST_MESSAGE)})


def run_definitions(shell: Shell, source: str, assignments: bool) -> bytes:
    """Run the definitions of a cell that did not come to its end."""
    shell.define(source, assignments=assignments)
    return _line({"ok": True, "error": ""})


def call(shell: Shell, name: str, case: Case, forbidden: tuple[str, ...]) -> bytes:
    """Call a function of the notebook on a case."""
    if name not in shell.user_ns:
        return _reply(False, Answer("empty"), [])
    f = shell.user_ns[name]
    if not callable(f):
        what = (
            f"`{name}` should be a function, but at the notebook's end it is something of type {type(f).__name__[:80]}."
        )
        return _reply(True, Answer("unusable", message=what), [])
    if case.probe is not None and forbidden:
        _warm_up()
    _seed()
    with watch.Watch(forbidden, f) as seen:
        try:
            answer = attempt(f, case)
        except BaseException as error:  # noqa: BLE001 - `attempt` lets an interrupt through, and there is nobody who interrupts
            answer = Answer("raised", message=f"Your function stopped with {in_one_line(error)}")
    return _reply(True, answer, seen.found)


def _seed() -> None:
    """The same notebook gives the same answers each time, even where it draws random numbers."""
    seed(SEED)
    seed_of_numpy(SEED)
    if "torch" in sys.modules:
        with contextlib.suppress(Exception):  # whatever the notebook made of it, `torch.manual_seed = 0`, say
            sys.modules["torch"].random.manual_seed(SEED)


def _warm_up() -> None:
    """PyTorch loads 800 of its modules when a layer runs without numbers for the first time. The watch would look at
    each line of that."""
    with contextlib.suppress(Exception):  # whatever the notebook made of it
        torch = sys.modules["torch"]
        with torch.device("meta"), torch.no_grad():
            torch.nn.Conv2d(1, 1, 1)(torch.zeros(1, 1, 1, 1)).relu()  # the ReLU loads 335 of them


def _reply(found: bool, answer: Answer, forbidden: list[str]) -> bytes:
    value = None if answer.value is None else _plain(answer.value)
    if value is not None and value.size > MOST_NUMBERS:
        text = f"Your function returned {value.size} numbers, far more than were asked for."
        answer, value = Answer("unusable", message=text), None
    head = {
        "found": found,
        "kind": answer.kind,
        "message": _clean(answer.message, MOST_MESSAGE),
        "changed_input": bool(answer.changed_input),
        "printed": _clean(answer.printed, MOST_PRINTED),
        "dtype": "" if value is None else value.dtype.str,
        "shape": [] if value is None else list(value.shape),
        "types": "" if value is None else answer.types,
        "forbidden": forbidden[:MOST_FORBIDDEN],
    }
    return _line(head) + (b"" if value is None else value.tobytes())


def _plain(value: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The array with its numbers in the order, and of a type, that every machine reads alike."""
    if value.dtype.kind == "f" and value.dtype.itemsize > 8:
        value = value.astype(float)
    return value.astype(value.dtype.newbyteorder("<"))


def _clean(text: str, most: int) -> str:
    return "".join(letter if letter.isprintable() or letter == "\n" else "�" for letter in text[:most])


def _line(head: dict[str, Any]) -> bytes:
    return json.dumps(head, ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def _open_streams() -> None:
    """What is printed goes to the grader line by line, whatever the notebook did to the streams that it found."""
    for name, fd in (("stdout", 1), ("stderr", 2)):
        stream = open(fd, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
        setattr(sys, name, stream)


def main(requests: int, replies: int) -> None:
    """Answer requests until there are no more."""
    pipes, me = Pipes(requests, replies), os.getpid()
    sys.argv[1:] = []  # they say which files the pipes are
    machinery.MACHINERY = (*machinery.MACHINERY, watch.__file__)  # type: ignore[assignment]  # no line of the student's
    watch.listen()
    shell = new_shell(str(Path.home() / ".ipython"))
    answers: dict[str, Callable[..., bytes]] = {"cell": run_cell, "definitions": run_definitions, "call": call}
    while True:
        kind, *arguments = pickle.loads(pipes.read())  # the trusted side made it
        _open_streams()
        reply = answers[kind](shell, *arguments)
        if os.getpid() != me:  # a copy of this process, which the notebook made by fork()
            os._exit(0)
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):  # closed or replaced by the notebook
                stream.flush()
        pipes.write(reply)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
