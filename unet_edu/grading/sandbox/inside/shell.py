"""IPython as Jupyter uses it, without Jupyter: no messages, no history, no colours, and nothing is installed."""

from __future__ import annotations

import ast
import contextlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator
from typing import Any

from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

__all__ = ["Shell", "new_shell"]

MOST_TRACEBACK = 4000  # characters that are printed of a traceback
MOST_ERROR = 300  # … and of the one line that says what happened
FOR_AN_ASSIGNMENT = 1.0  # second, in a cell that did not come to its end: perhaps it was the one that took too long

INSTALLS = re.compile(r"\s*(sudo\s+)?(\S*python[\d.]*\s+-m\s+)?(pip3?|conda|mamba|uv|apt|apt-get)\b")
NOTHING_IS_INSTALLED = (
    "Nothing is installed here: the notebook runs with the packages of the course, and without the internet."
)

# Magics that only look at a cell's run, and whose Python is as well without them.
ONLY_TIMES = re.compile(r"\A\s*%%time[ \t]*(?:\n|\Z)")
AROUND = re.compile(r"\A\s*%%(?:time|capture)\b[^\n]*(?:\n|\Z)")

DEFINITIONS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
if sys.version_info >= (3, 12):
    DEFINITIONS += (ast.TypeAlias,)


class Shell(InteractiveShell):
    """The shell that runs a notebook's cells."""

    def run(self, source: str) -> BaseException | None:
        """Run a cell. When a statement raises, the definitions and assignments behind it are run all the same.

        Returns
        -------
        BaseException or None
            What the cell raised.
        """
        source = ONLY_TIMES.sub("", source)
        try:
            result = self.run_cell(source, store_history=True)
            error = result.error_before_exec or result.error_in_exec
        except BaseException as raised:  # noqa: BLE001 - such as a hook of the notebook that raises
            error = raised
        line = self._line_of(error)
        if line:
            error = self.define(source, behind=line, assignments=not isinstance(error, KeyboardInterrupt)) or error
        return error

    def define(self, source: str, behind: int = 0, *, assignments: bool = False) -> KeyboardInterrupt | None:
        """Run only the imports, functions, classes and plain constants of a cell, those behind a line; skip what
        raises.

        With `assignments`, all others are run too, but none for long. Ctrl-C ends it, and is returned.
        """
        try:
            text = self.transform_cell(AROUND.sub("", source))
            statements = ast.parse(text).body
        except Exception:  # noqa: BLE001 - no Python, or the notebook's own transformer of cells
            return None
        name = self.compile.cache(text)  # so that tracebacks can show the lines
        for statement in statements:
            if _first_line(statement) > behind and _defines(statement, assignments):
                seconds = FOR_AN_ASSIGNMENT if assignments and not isinstance(statement, DEFINITIONS) else 0
                try:
                    code = self.compile(ast.Module([statement], []), name, "exec")  # type: ignore[arg-type]
                    with _at_most(seconds):
                        exec(code, self.user_ns)  # noqa: S102 - the notebook's own
                except BaseException as error:  # noqa: BLE001 - the next definition may be whole
                    self.showtraceback((type(error), error, error.__traceback__))
                    if isinstance(error, KeyboardInterrupt):
                        return error
        return None

    def _line_of(self, error: BaseException | None) -> int:
        """The line of the cell in which it stopped, or 0."""
        tb = error.__traceback__ if error else None
        while tb and tb.tb_frame.f_globals is not self.user_ns:
            tb = tb.tb_next
        return tb.tb_lineno if tb else 0

    def system(self, command: str) -> None:
        """What `!command` does. Nothing can be typed into it."""
        command = self.var_expand(command, depth=1)
        if INSTALLS.match(command):
            print(NOTHING_IS_INSTALLED)
            self.user_ns["_exit_code"] = 0
            return
        sys.stdout.flush()
        done = subprocess.run(command, shell=True, stdin=subprocess.DEVNULL, check=False)
        self.user_ns["_exit_code"] = done.returncode

    def enable_gui(self, gui: Any = None) -> None:
        """There is no window."""

    def enable_matplotlib(self, gui: Any = None) -> tuple[None, str]:
        """Pictures are drawn, and nobody looks at them."""
        return None, "agg"

    def ask_exit(self) -> None:
        """`exit()` in a cell. The cells behind it are graded, too."""
        print("The notebook asked to stop; the next cell is run all the same.")

    def showtraceback(self, exc_tuple: Any = None, *args: Any, **kwargs: Any) -> None:
        """A traceback as plain text, without IPython's own part."""
        kind, error, tb = exc_tuple or sys.exc_info()
        start = tb
        while start and start.tb_frame.f_globals is not self.user_ns:
            start = start.tb_next
        try:
            text = "".join(traceback.format_exception(kind, error, start, limit=50))
        except BaseException:  # noqa: BLE001 - an exception of the notebook's own making
            text = getattr(kind, "__name__", "an exception")
        half = MOST_TRACEBACK // 2
        with contextlib.suppress(Exception):  # the notebook may have closed or replaced sys.stdout
            print(text if len(text) <= MOST_TRACEBACK else f"{text[:half]}\n[…]\n{text[-half:]}")

    def showsyntaxerror(self, *args: Any, **kwargs: Any) -> None:
        """The same for what is no Python."""
        self.showtraceback()

    @contextlib.contextmanager
    def _tee(self, *args: Any, **kwargs: Any) -> Iterator[None]:
        """IPython 9 keeps a copy of all that is printed. Nobody reads it."""
        yield


def new_shell(files: str | None = None) -> Shell:
    """The one shell of this process.

    Parameters
    ----------
    files : str, optional
        The folder for IPython's own files. Without it: a new one, `ipython_dir`, which the caller removes. It is never
        the reader's own `~/.ipython`.
    """
    config = Config()
    config.HistoryManager.enabled = False  # no file, no thread
    config.InteractiveShell.colors = "nocolor"
    shell = Shell.instance(config=config, ipython_dir=files or tempfile.mkdtemp(prefix="unet-edu-"))
    for name in ("pip", "conda", "mamba", "uv"):
        shell.register_magic_function(_install_nothing, "line", name)  # type: ignore[arg-type]
    return shell


def _install_nothing(line: Any) -> None:
    print(NOTHING_IS_INSTALLED)


def in_one_line(error: BaseException) -> str:
    """What happened, for the grader."""
    try:
        text = str(error.msg if isinstance(error, SyntaxError) else error)
    except BaseException:  # noqa: BLE001 - an exception of the notebook's own making
        text = ""
    words = " ".join(f"{type(error).__name__}: {text[: 4 * MOST_ERROR]}".split())
    return words[:MOST_ERROR].rstrip(": ")


def _first_line(statement: ast.stmt) -> int:
    decorators = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(decorator.lineno for decorator in decorators)])


def _defines(statement: ast.stmt, assignments: bool) -> bool:
    """Whether it is a definition: an import, a function, a class, or a name for a plain constant; or a `try` of nothing
    else.

    With `assignments`, all of them count, and what makes them depend on something: `if` and `with`. A loop never does.
    """
    if isinstance(statement, ast.Try):
        return all(_defines(part, assignments) for part in statement.body)
    if assignments and isinstance(statement, ast.If | ast.With):
        parts = [*statement.body, *getattr(statement, "orelse", [])]
        return all(isinstance(part, ast.Pass) or _defines(part, assignments) for part in parts)
    if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
        return assignments or _is_plain(statement.value)
    return isinstance(statement, DEFINITIONS) or (assignments and isinstance(statement, ast.AugAssign))


def _is_plain(value: ast.expr) -> bool:
    try:
        ast.literal_eval(value)
    except (ValueError, TypeError, RecursionError, MemoryError):
        return False
    return True


class _TooLongError(BaseException):
    """Of no kind that an assignment's own `except Exception` would catch."""


@contextlib.contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """Interrupt what runs longer, if it is Python; 0 is for ever. Windows has no such clock: there nobody grades."""
    is_main = threading.current_thread() is threading.main_thread()  # no other can be interrupted
    if not seconds or not is_main or not hasattr(signal, "setitimer"):
        yield
        return
    before = signal.signal(signal.SIGALRM, _too_long)
    others = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before or signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, *others)  # of whoever else waits for one


def _too_long(*_: object) -> None:
    raise _TooLongError(f"it took more than {FOR_AN_ASSIGNMENT:g} second")
