"""One notebook in the sandbox: its cells run in order, then its functions are called; and if something dies on the way,
it goes on behind it.

A dead process takes all variables with it. So a fresh sandbox runs the cells again, but of a cell that did not come to
its end only the definitions and assignments, of one whose assignments did not, only the definitions, and of one whose
very definitions did not, nothing. A function above an endless loop is not lost, nor are the cells behind it.

A function remembers what it was given. So all cases that the notebook prints are called before any fresh one; nothing
that comes behind is noted in words of the notebook's, and no cell is run in a process that has seen a fresh case.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Literal, Self

from unet_edu.checks.answer import Answer
from unet_edu.checks.exercise import Case
from unet_edu.grading import wire
from unet_edu.grading.result import Stop
from unet_edu.grading.sandbox import Sandbox
from unet_edu.grading.sandbox.limits import Limits, SandboxError, Stopped, megabytes

__all__ = ["CellStop", "Session"]

MOST_STOPS = 8  # of cells; after that, no cell is run as a whole. After twice as many, nothing.
# Of the seconds for the notebook; after that, no cell is run as a whole, and there is time left to call the functions.
FOR_CELLS = 0.6
MOST_NOTES = 20
NO_PYTHON = ("SyntaxError", "IndentationError", "TabError")
ALWAYS_THE_SAME = (*NO_PYTHON, "FileNotFoundError", "ImportError", "ModuleNotFoundError", "NameError")
GARBLED = "sent an answer that cannot be read"

# As Python, NumPy and PyTorch say it. What the limit of memory did to a function is no wrong answer of the function.
NO_MEMORY = re.compile(r"stopped with ([\w.]*MemoryError|RuntimeError: .{0,80}can't allocate memory)")


@dataclass(frozen=True)
class CellStop:
    """A cell that did not come to its end.

    Parameters
    ----------
    cell : int
        Its number among the code cells, from 1.
    why : Stop
    detail : str
        What it did, as the rest of a sentence that starts with "it".
    """

    cell: int
    why: Stop
    detail: str

    def __str__(self) -> str:
        return f"cell {self.cell} {self.detail}"


Run = Literal["all", "assignments", "definitions", "nothing"]  # of a cell
LESS: dict[Run, tuple[Run, str]] = {
    "all": ("assignments", "Only its definitions and assignments were run then."),
    "assignments": ("definitions", "Only its definitions were run then."),
    "definitions": ("nothing", "It was left out then."),
}


@dataclass
class _Step:
    cell: int
    source: str
    run: Run = "all"


class _OutOfTimeError(Exception):
    """The seconds for the cells are used up, or those for the whole notebook."""


class Session:
    """A notebook whose functions can be called. Use it in a `with` block: when that ends, no process is left.

    Parameters
    ----------
    set_up : str
        The assignment's own code, which runs first.
    cells : sequence of str
        The sources of the notebook's code cells.
    limits : Limits
    unsafe : bool
        Without a sandbox; see there.

    Attributes
    ----------
    stops : list of CellStop
    raised : dict
        What a cell raised, by its number: the exception's type, with its text if that is the same each time.
    notes : list of str
        The cells that stopped or raised, in sentences; at most 20.
    ran : set of int
        The numbers of the cells that came to their end.
    """

    def __init__(self, set_up: str, cells: Sequence[str], limits: Limits, *, unsafe: bool = False) -> None:
        self.stops: list[CellStop] = []
        self.raised: dict[int, str] = {}
        self.notes: list[str] = []
        self.ran = set[int]()
        self._limits, self._unsafe = limits, unsafe
        self._set_up = set_up
        self._steps = [_Step(number, source) for number, source in enumerate(cells, 1)]
        self._opened = contextlib.ExitStack()
        self._sandbox: Sandbox | None = None
        self._called = set[str]()  # functions, in this sandbox
        self._fresh = False  # whether the notebook has seen a fresh case
        self._start = 0.0

    def __enter__(self) -> Self:
        self._start = time.monotonic()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._drop()

    def call(self, function: str, case: Case, forbidden: tuple[str, ...] = ()) -> wire.CallReply:
        """Call a function of the notebook, whose cells are run first where they were not yet.

        Raises
        ------
        Stopped
            When it gave no answer, for whatever reason. The next call starts anew.
        SandboxError
            When there is no sandbox, or the assignment's set-up does not work in it. It says nothing about the
            notebook.
        """
        try:
            return self._call(function, case, forbidden)
        except Stopped as stopped:
            if stopped.why == "timed out" or self._called <= {function}:
                raise
        # Was it this function, or a thread or the memory that an earlier one left behind? In a fresh sandbox it is
        # alone.
        return self._call(function, case, forbidden)

    def ask_more(self, function: str, cases: Sequence[Case], seconds: float) -> list[Answer]:
        """What a function answers to further cases, in the process that is there: to the first of them, if it stops or
        the seconds are over, and to none, if there is no process. Nothing is started or noted for it."""
        answers: list[Answer] = []
        end = time.monotonic() + seconds
        self._fresh = True
        try:
            for case in cases:
                left = end - time.monotonic()
                if self._sandbox is None or left <= 0:
                    break
                request = wire.call(function, case)
                reply = wire.read_call(self._ask(request, min(left, self._limits.call), self._limits.total))
                if not reply.found:
                    break
                answers.append(reply.answer)
        except (Stopped, SandboxError, _OutOfTimeError, wire.WireError):
            self._drop()
        return answers

    def define_again(self) -> None:
        """Run the definitions of all cells once more: a %reset or a del at the end took away what had been there."""
        if self._fresh:
            self._drop()
        with contextlib.suppress(_OutOfTimeError):  # the next call says it
            self._run_cells()
            # The set-up is a step like the others here: the notebook may have broken what it needs.
            for step in (_Step(0, self._set_up), *self._steps):
                if self._sandbox is not None and step.run != "nothing":
                    self._run(replace(step, run="assignments") if step.run == "all" else step)

    def _call(self, function: str, case: Case, forbidden: tuple[str, ...]) -> wire.CallReply:
        try:
            self._run_cells()
            self._called.add(function)
            self._fresh = self._fresh or case.group != "visible"
            reply = self._ask(wire.call(function, case, forbidden), self._limits.call, self._limits.total)
            answered = wire.read_call(reply)
            if answered.answer.kind == "raised" and NO_MEMORY.search(answered.answer.message):
                self._drop()
                most = megabytes(self._limits.memory)
                raise Stopped("over memory", f"asked for more than the {most} of memory that it may use")
            return answered
        except _OutOfTimeError:
            raise Stopped("timed out", f"had no time left of the notebook's {self._limits.total:g} seconds") from None
        except wire.WireError:
            self._drop()
            raise Stopped("crashed", GARBLED) from None

    def _run_cells(self) -> None:
        """Have a sandbox in which all cells ran."""
        while self._sandbox is None:
            if len(self.stops) >= 2 * MOST_STOPS:
                raise Stopped(self.stops[-1].why, f"was never called: {self.stops[-1]}")
            self._called = set()
            self._sandbox = self._opened.enter_context(Sandbox(self._limits, unsafe=self._unsafe))
            self._run_set_up()
            for step in self._steps:
                if self._sandbox is not None and step.run != "nothing":
                    self._run(step)

    def _run_set_up(self) -> None:
        """Run what comes before the notebook. Nothing of a student's has run yet: if it fails, no mark is true."""
        try:
            reply = wire.read_cell(self._ask(wire.cell(self._set_up), self._limits.cell, self._limits.total))
            problem = "" if reply.ok else f"stopped with {reply.error}"
        except Stopped as stopped:
            problem = stopped.detail
        except wire.WireError as error:
            problem = f"sent an answer that cannot be read: {error}"
        if problem:
            raise SandboxError(f"The assignment's set-up, which runs before each notebook, {problem}")

    def _run(self, step: _Step) -> None:
        whole = step.run == "all"
        request = wire.cell(step.source) if whole else wire.definitions(step.source, step.run == "assignments")
        until = self._limits.total * (FOR_CELLS if whole else 1)
        try:
            reply = wire.read_cell(self._ask(request, self._limits.cell, until))
        except _OutOfTimeError:
            if not whole:
                raise
            self.stops.append(
                CellStop(step.cell, "timed out", f"had no time left of the {until:g} seconds for all cells")
            )
            self._no_whole_cells(f"The cells used more than {until:g} seconds in all")
        except Stopped as stopped:
            self._stop(step, stopped.why, stopped.detail)
        except wire.WireError:
            self._stop(step, "crashed", GARBLED)
        else:
            if reply.ok and whole:
                self.ran.add(step.cell)
            if not reply.ok:
                kind = reply.error.split(":")[0][:60]  # what follows may differ from run to run, as an address does …
                what = reply.error if kind in ALWAYS_THE_SAME else kind  # … but not with these, where it helps
                self.raised.setdefault(step.cell, what)
                self._note(f"Cell {step.cell} stopped with {what}.")

    def _ask(self, request: bytes, seconds: float, until: float) -> bytes:
        """Ask the sandbox; `until` is in seconds since the start."""
        assert self._sandbox is not None
        left = self._start + until - time.monotonic()
        if left <= 0:
            self._drop()
            raise _OutOfTimeError
        try:
            return self._sandbox.ask(request, min(seconds, left))
        except Stopped as stopped:
            self._drop()
            if stopped.why == "timed out" and left < seconds and time.monotonic() >= self._start + until:
                raise _OutOfTimeError from None
            raise

    def _stop(self, step: _Step, why: Stop, detail: str) -> None:
        """Remember that a cell killed the process; it gets less to do in the next one."""
        self._drop()
        step.run, left = LESS[step.run]
        self.stops.append(CellStop(step.cell, why, detail))
        self._note(f"Cell {step.cell} {detail}. {left}")
        if len(self.stops) >= MOST_STOPS:
            self._no_whole_cells(f"{MOST_STOPS} cells did not come to their end")

    def _no_whole_cells(self, reason: str) -> None:
        self._drop()
        for step in self._steps:
            if step.run == "all":
                step.run = "assignments"
        self._note(f"{reason}. Of all cells, only the definitions and assignments were run then.")

    def _note(self, text: str) -> None:
        if text not in self.notes and len(self.notes) < MOST_NOTES and not self._fresh:
            self.notes.append(text)

    def _drop(self) -> None:
        self._sandbox = None
        self._opened.close()
