"""Which functions a student's function calls that its exercise forbids.

An exercise that asks for a convolution is not solved by calling PyTorch's. The watch sees calls by what is called, not
by what it is named in the notebook; so an alias, a `map` or a partial function hide nothing. It reports to a person,
who decides. It runs beside the notebook's code, which could turn it off, and sees a function's calls alone, not what
was made before: `unet_edu.grading.forbidden` reads the names in the source, too.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import sys
import threading
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

import numpy

import unet_edu
from unet_edu.checks import answer, exercise

__all__ = ["REACHES", "STARTS", "Watch", "listen", "names"]

# Where the files of Python, its packages and the course are. All other code is the notebook's: its cells, and modules
# that it wrote itself.
PACKAGES = Path(numpy.__path__[0]).parent  # mostly in sys.prefix, but an environment may borrow those of another
FOLDERS = [Path(sys.prefix), Path(sys.base_prefix), PACKAGES, Path(unet_edu.__path__[0]), Path(__file__).parent]
COURSE = f"{Path(unet_edu.__path__[0])}{os.sep}"
ROOTS = tuple(f"{path}{os.sep}" for path in (Path(unet_edu.__path__[0]).parent, PACKAGES))  # of modules' files
LIBRARIES = ("<frozen ", *{f"{path}{os.sep}" for folder in FOLDERS for path in (folder, folder.resolve())})

# Taken now: a notebook may put its own in their place.
get_profile, set_profile, set_profile_of_threads = sys.getprofile, sys.setprofile, threading.setprofile

# What starts code that no profile sees; and where one comes by on the way to it.
STARTS = frozenset(("subprocess.Popen", "_thread.start_new_thread", "_thread.start_joinable_thread"))
STARTS |= {f"os.{name}" for name in ("exec", "fork", "forkpty", "posix_spawn", "spawn", "system")}
STARTERS = ("subprocess", "os", "multiprocessing", "concurrent", "asyncio", "threading", "pty", "shell", "IPython")

# Whose own code calls what of others'. If such code calls anything else, it passes on what the notebook gave it: to
# `np.vectorize`, or to a `Mock` of Python's own library, say. PyTorch one looks through always: a layer is made in one
# place, and called in another.
BUILT_ON: dict[str, tuple[str, ...]] = dict.fromkeys((*sys.stdlib_module_names, "torch", "IPython", "tqdm"), ())
del BUILT_ON["importlib"]  # to import is not to call
BUILT_ON |= {
    "numpy": ("numpy",),
    "scipy": ("numpy", "scipy"),
    "pandas": ("numpy", "pandas"),
    "matplotlib": ("numpy", "PIL"),
}

# What reaches for the watch is reported as if the exercise forbade it; and a call of our own must be seen at the end.
REACHES = (
    "sys.setprofile",
    "sys.getprofile",
    "threading.setprofile*",
    "threading.getprofile",
    "gc.get_objects",
    "gc.get_referrers",
)
OURS = "canary.sings"
_canary: dict[str, Any] = {"__name__": "canary"}
# In no library's file.
exec(compile("def sings(): pass\ndef asked(): sings()", "<as a cell>", "exec"), _canary)  # noqa: S102

MOST_LETTERS = 120  # in a name


class Watch:
    """While it is active, what the notebook's code calls is compared with the patterns.

    What a library calls of what it is built on does not count, nor does what a network that the check made calls. What
    only passes on what it was given, as `np.vectorize` does, is looked through.

    Parameters
    ----------
    patterns : sequence of str
        As for `fnmatch`, on dotted names: "torch.conv*". None: nothing is watched.
    f : callable
        The student's function. It may be a forbidden one itself, under another name.

    Attributes
    ----------
    found : list of str
        The names of what was called, in the order in which it was.
    """

    def __init__(self, patterns: Sequence[str], f: Callable[..., Any]) -> None:
        self.patterns = (*patterns, *REACHES, OURS) if patterns else ()
        self.found: list[str] = []
        self._known = functools.cache(self._forbidden)  # nobody can write into this one
        self._modes: list[Any] = []
        self._profile = self._see  # bound once, so that `is` finds it again
        if self.patterns:
            while isinstance(f, functools.partial):
                f = f.func
            with contextlib.suppress(BaseException):  # an object of the notebook's own making
                self._report(self._name(*_described(f)))

    def __enter__(self) -> Self:
        if self.patterns:
            if "torch" in sys.modules:  # map() calls its functions in C, and no profile sees it
                self._modes.append(_torch_mode(self._see_torch))
                self._modes[0].__enter__()
            active.append(self)
            set_profile_of_threads(self._profile)
            set_profile(self._profile)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if not self.patterns:
            return
        asleep = active != [self] or get_profile() is not self._profile
        _canary["asked"]()
        asleep = asleep or OURS not in self.found
        set_profile(None)
        set_profile_of_threads(None)  # type: ignore[arg-type]
        active.clear()
        for mode in self._modes:
            mode.__exit__(kind, error, tb)
        self.found = [name for name in self.found if name != OURS]
        if asleep:
            self._report("sys.setprofile")

    def _see(self, frame: FrameType, event: str, arg: Any) -> None:
        if event == "call":
            code = frame.f_code
            name = self._name(_module(frame), code.co_qualname, code.co_filename)
            caller = frame.f_back
        elif event == "c_call":
            if arg.__module__ == "_thread" and arg.__name__.startswith(
                "start_"
            ):  # before Python 3.12, no event says so
                self.hear(f"_thread.{arg.__name__}", frame)
            name, caller = self._name(*_described(arg)), frame
        else:
            return
        if name and _is_the_notebooks(caller, name):
            self._report(name)

    def _see_torch(self, function: Any) -> None:
        name = self._name(*_described(function))
        if name and _is_the_notebooks(sys._getframe().f_back, name):
            self._report(name)

    def _name(self, module: Any, qualname: Any, file: str = "") -> str:
        is_named = type(module) is str and type(qualname) is str  # no code of the notebook's own runs in these
        return self._known(module, qualname, file) if is_named else ""

    def hear(self, event: str, caller: FrameType | None) -> None:
        """Report a process that the notebook's code starts, or a thread behind the back of `threading`."""
        while caller and not event.startswith("_thread.") and _package(caller) in STARTERS:
            caller = caller.f_back
        if caller is None or not caller.f_code.co_filename.startswith(LIBRARIES):
            self._report(event)

    def _forbidden(self, module: str, qualname: str, file: str) -> str:
        """The name under which a function is forbidden, or nothing. It is known by its file, too."""
        known = names(module, qualname)
        for root in ROOTS:
            if file.startswith(root):
                known += names(".".join(Path(file[len(root) :]).with_suffix("").parts), qualname)
        return next((name for pattern in self.patterns for name in known if fnmatchcase(name, pattern)), "")

    def _report(self, name: str) -> None:
        name = re.sub(r"[^A-Za-z0-9_.]", "", name)[:MOST_LETTERS]  # what the grader takes for a name
        if name and name not in self.found:
            self.found.append(name)


active: list[Watch] = []  # the one that is active, if one is


def listen() -> None:
    """Let the watches hear when a process or a thread is started. Nobody can undo it: Python has no way."""
    sys.addaudithook(_hear)


def _hear(event: str, args: Any) -> None:
    if event in STARTS and active:
        active[0].hear(event, sys._getframe(1))


def _is_the_notebooks(caller: FrameType | None, name: str) -> bool:
    """Whether a call of what has this name comes from the notebook's code, behind all that only passes on.

    The check itself calls what it was given: the function, and the methods that turn its answer into numbers.
    """
    while caller and caller.f_code.co_filename.startswith(LIBRARIES) and _passes_on(caller, name):
        caller = caller.f_back
    if caller is None or not caller.f_code.co_filename.startswith(LIBRARIES):
        return True
    is_the_checks = any(caller.f_globals is vars(module) for module in (answer, exercise))
    return is_the_checks and not name.startswith(("numpy.", "unet_edu.checks."))


def _passes_on(frame: FrameType, name: str) -> bool:
    """Whether a frame only stands between, as does `__torch_function__` of the watch before every call of PyTorch's."""
    file, own = frame.f_code.co_filename, BUILT_ON.get(_package(frame))
    if frame.f_code.co_name == "__torch_function__":
        return True
    if own is None:  # whoever else calls the course's functions was given them
        return name.startswith("unet_edu.") and not file.startswith((COURSE, "<frozen "))
    return not name.startswith(own)


def _package(frame: FrameType) -> str:
    return _module(frame).split(".")[0]


def _module(frame: FrameType) -> str:
    """A notebook can run code with a dictionary and a name of its own making; none of their methods is called here."""
    module = dict.get(frame.f_globals, "__name__")
    return module if type(module) is str else ""


def names(module: str, qualname: str) -> list[str]:
    """The dotted names under which people know a function, the shortest first.

    For "scipy.signal._signaltools" and "convolve2d" they are scipy.signal.convolve2d and
    scipy.signal._signaltools.convolve2d.
    """
    parts = [part for part in qualname.replace(".<locals>", "").split(".") if not part.startswith("pybind11_")] or ["?"]
    module = module.replace("torch._ops.", "torch.ops.")
    if module.split(".")[0] == "torch":
        module, parts = _torch(module, parts)
    packages = module.split(".")
    homes = [".".join(packages[:n]) for n in range(1, len(packages) + 1)]
    homes = [home for home in homes if home == module or _has(home, parts[0])]
    if module in ("torch", "torch.nn.functional"):
        homes = [home for home in ("torch", "torch.nn.functional") if _has(home, parts[0])] or homes
    known = [".".join((home, *parts)) for home in homes]
    if len(parts) > 1:  # a method: also by its class
        known += [f"{home}.{parts[0]}" for home in homes]
    return sorted(known, key=len)


def _has(module: str, name: str) -> bool:
    """Whether a module that is loaded has this name; modules that load things when asked are not asked."""
    return name in getattr(sys.modules.get(module), "__dict__", ())


def _torch(module: str, parts: list[str]) -> tuple[str, list[str]]:
    """PyTorch's functions in C, by the names that one writes: torch._C._linalg.linalg_inv is torch.linalg.inv."""
    if parts[0] == "_VariableFunctionsClass":
        return "torch", parts[1:]
    if parts[0] in ("Tensor", "TensorBase"):
        return "torch", ["Tensor", *parts[1:]]
    if not module.startswith("torch._C"):
        return module, parts
    area = module.removeprefix("torch._C").strip("._")
    if area == "nn":
        return "torch.nn.functional", parts
    return f"torch.{area}".strip("."), [parts[0].removeprefix(f"{area}_"), *parts[1:]]


def _described(function: Any) -> tuple[Any, Any]:
    """Module and qualified name. A method in C knows its class instead of its module."""
    module, qualname = getattr(function, "__module__", None), getattr(function, "__qualname__", None)
    if type(qualname) is str and qualname.startswith("_VariableFunctionsClass."):
        return "torch", qualname  # whatever somebody made of its __module__
    if module is None:
        owner = getattr(function, "__objclass__", None) or type(getattr(function, "__self__", None))
        module = owner.__module__
    if qualname and qualname.startswith("ufunc."):  # np.add.reduce
        return "numpy", f"{getattr(function.__self__, '__name__', 'ufunc')}{qualname.removeprefix('ufunc')}"
    return module, qualname


def _torch_mode(see: Callable[[Any], None]) -> Any:
    from torch.overrides import TorchFunctionMode

    class Mode(TorchFunctionMode):
        def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            see(function)
            return function(*args, **(kwargs or {}))

    return Mode()
