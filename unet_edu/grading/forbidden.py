"""What a notebook's code may not do, found by reading it: library calls that are the answer of an exercise, and what looks like tampering.

Nobody loses a mark for it here: an instructor decides. What is put together only while the code runs cannot be seen by reading; there the
sandbox looks at what is called, and lets nothing out.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase, translate
from itertools import islice
from pkgutil import resolve_name
from typing import TypeGuard

import numpy as np

from unet_edu.grading.names import (
    BUILTINS,
    FUNCTIONS,
    LONGEST,
    Code,
    Definition,
    Mention,
    aliases_inside,
    magic,
    mentions,
    read,
    runs_a_text,
)
from unet_edu.grading.sandbox.inside.watch import REACHES, STARTS

__all__ = ["as_listed", "tampering", "uses"]

MOST_FOUND = 20
MOST_PAIRS = 200_000  # of modules that leave and attributes of unknown things; honest code has none
MOST_SHOWN = 80  # characters
MOST_STARS = 10  # modules of which everything is imported
DEEPEST = 8  # attributes of an unknown thing that are looked at together
IMPORTING = ("builtins.__import__", "importlib.import_module")  # of a name that is no literal: of anything
METHODS = ("torch.Tensor.", "numpy.ndarray.")  # a pattern that begins so is compared with methods of unknown things
# No module is called so: classes, types of numbers, constants. They may be handed on without being a module's way out.
NO_MODULE = re.compile(
    r".*\.([A-Z]\w*|(bfloat|complex|float|u?int)\d*|bool_?|double|half|long|device|dtype|inf|nan|newaxis|pi)"
)
# Where an answer may come from that no reading of the function shows. No exercise needs them.
ELSEWHERE = (  # another program, another process, a file
    *(f"{module}{rest}" for module in ("subprocess", "multiprocessing", "_thread", "asyncio") for rest in ("", ".*")),
    *(f"os.{name}" for name in ("system", "popen", "exec*", "*spawn*", "fork*", "pipe*", "read", "write", "open")),
    *("socket.*", "pty.*", "io.open*", "io.FileIO", "mmap.*", "builtins.open", "IPython.get_ipython"),
    *(f"numpy.{name}" for name in ("load*", "genfromtxt", "fromfile", "memmap")),
    *("builtins.exec", "builtins.eval", "builtins.compile", "builtins.getattr", "torch.jit.CompilationUnit", "torch.jit.load", "torch.load"),
    *("torch.utils.cpp_extension.*", "torch.ops.load_library", "torch.classes.load_library"),
)  # fmt: skip
WAITING = (
    "threading",
    "threading.*",
    "concurrent",
    "concurrent.*",
    "queue",
    "queue.*",
)  # made before: nobody sees it at work
READING = frozenset(("read_text", "read_bytes"))  # of a path
RESOLVING = (  # functions that find something by a name, which may be put together
    *("pkgutil.*", "pydoc.*", "importlib.metadata.*", "importlib.util.*", "importlib.machinery.*", "importlib.__import__", "runpy.*", "zipimport.*"),
    *("inspect.getmembers*", "inspect.getattr_static", "inspect.getmodule", "gc.*", "ctypes.*", "types.FunctionType", "types.CodeType", "marshal.*"),
    *("pickle.*load*", "pickle.*Unpickler", "_pickle.*", "copyreg.*", "shelve.*", "joblib.load", "dill.*", "cloudpickle.*", "torch.package.*"),
    *("string.Formatter", "typing.get_type_hints", "typing.ForwardRef", "typing.evaluate_forward_ref", "annotationlib.*", "logging.config.*"),
    *("unittest.mock.*", "unittest.TestLoader", "unittest.defaultTestLoader", "unittest.loader.*", "doctest.*", "code.*", "codeop.*"),
    *("timeit.timeit", "timeit.repeat", "timeit.Timer", "trace.Trace", "profile.*", "cProfile.*", "pdb.*", "bdb.*"),
    *("traitlets.*import_item", "traitlets.utils.*", "IPython.utils.*", "IPython.core.*", "torch.hub.*", "numpy.f2py.*"),
)  # fmt: skip
CHOSEN_LATE = ("numpy.?", "torch.?")  # `getattr(np, mode)` could be np.load, but is not


class Patterns:
    """Full names with * for any rest, as `fnmatch` has them."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self.all = tuple(patterns)
        self._regex = re.compile("|".join(translate(pattern) for pattern in self.all) or r"(?!)")
        self._heads = [(re.split(r"[*?\[]", pattern, maxsplit=1)[0], pattern) for pattern in self.all]

    def fit(self, name: str) -> bool:
        """Whether one of the patterns fits; of a "?" in the name, whether one could."""
        before, chosen, _ = name.partition("?")
        return self.reach_below(before) if chosen else self._regex.match(name) is not None

    def reach_below(self, begin: str) -> bool:
        """Whether a name that begins so could fit one of the patterns."""
        return any(h.startswith(begin) or (h != pattern and begin.startswith(h)) for h, pattern in self._heads)


NOTHING = Patterns(())
HELPERS = Patterns(
    ("threading.Thread", "threading.Timer", "_thread.*", "concurrent.*", "multiprocessing.*", "os.fork*")
)


def uses(cells: Sequence[str], function: str, patterns: Sequence[str]) -> list[str]:
    """What a function of a notebook uses of that which is forbidden: in its own code and in all that it uses of the notebook.

    Parameters
    ----------
    cells : sequence of str
        The sources of the code cells, in their order. Cells that are not Python are left out.
    function : str
        Its last definition counts; of what it uses, all definitions.
    patterns : sequence of str
        Full names, with * for any rest: "torch.*conv*". One that begins with "torch.Tensor." or "numpy.ndarray." is also compared with the
        methods of things that nobody knows before the code runs. With any pattern, it is also forbidden to have the answer made elsewhere: by
        another program or process, through a file, or by a thread that uses what is forbidden.

    Returns
    -------
    list of str
        Full names, as they are known from the imports, at most 20. "?" is what is chosen only while the code runs. Empty when the function
        is not in the notebook.
    """
    if not patterns:
        return []
    code = read(cells)
    own = _last(code.definitions.get(function, []))
    if not own:
        return []
    forbidden = Patterns(patterns)
    found = [*_found(code, _reached(code, function, own), forbidden, Patterns((*ELSEWHERE, *RESOLVING)))]
    found += _found(code, _reached(code, "", _helpers(code)), forbidden)
    return list(dict.fromkeys(found))[:MOST_FOUND]


# What the watch reports besides forbidden functions: that something starts unseen code, or reaches for the watch.
EVENTS = (*sorted(STARTS), *REACHES)
UNLISTED = "something that is not on its list"


def as_listed(named: Iterable[str], patterns: Sequence[str], known: Iterable[str] = ()) -> list[str]:
    """What the sandbox says was used, in the words of the exercise's own list.

    The sandbox is the notebook's: it could report names of its own making, and in them what nobody shall know.

    Parameters
    ----------
    named : iterable of str
        As the sandbox sent them.
    patterns : sequence of str
        Of the exercise.
    known : iterable of str
        Names that were read in the notebook; what fits the same pattern is not said again.

    Returns
    -------
    list of str
        Patterns and events, in the order of their lists; for whatever fits none of them, one phrase.
    """
    named, known = list(named), list(known)
    listed = [each for each in (*patterns, *EVENTS) if any(fnmatchcase(name, each) for name in named)]
    unknown = not all(any(fnmatchcase(name, each) for each in listed) for name in named)
    listed = [each for each in listed if not any(fnmatchcase(name, each) for name in known)]
    return [*listed, UNLISTED] if unknown else listed


def _helpers(code: Code) -> list[Definition]:
    """What can answer in a function's place, whatever it reads like.

    That is: statements that start a thread or a copy of the process, and those that write into `globals()` under a name that nobody knows.
    """
    return code.definitions.get("?", []) + [
        Definition("", -1, statement, True)
        for tree in (*(tree for _, tree in code.trees), *(module for _, _, module in code.files))
        for statement in tree.body
        if not _is_import(statement) and any(map(HELPERS.fit, _full_names(statement, code)))
    ]


def _full_names(node: ast.AST, code: Code) -> Iterator[str]:
    inside = aliases_inside(node, code.aliases)
    return (name for mention in mentions(node) for name in _full(mention, code, inside))


def _reached(code: Code, function: str, own: Sequence[Definition]) -> list[Definition]:
    """The definitions that a function rests on, its own first."""
    nodes = {id(definition.node) for definition in own}
    queue, seen, reached = deque((definition, True) for definition in own), set[str](), []
    files = [(name, Definition(name, -1, module, True)) for name, _, module in code.files]  # that cells write
    queue += [(file, False) for name, file in files if not name]
    while queue:
        definition, is_own = queue.popleft()
        reached.append(definition)
        for mention in mentions(definition.node):
            modules = _modules(mention, code) if files else set()
            queue += [(file, False) for name, file in files if name in modules and id(file.node) not in nodes]
            nodes.update(id(file.node) for name, file in files if name in modules)
            name, is_set = mention.start, mention.is_stored and not mention.parts
            if mention.is_local or mention.is_module or is_set or name not in code.definitions:
                continue
            # a function that names itself means itself; who else takes it up may mean an earlier one
            if name in seen or (name == function and is_own):
                continue
            seen.add(name)
            new = [each for each in code.definitions[name] if id(each.node) not in nodes and not _is_import(each.node)]
            nodes.update(id(each.node) for each in new)
            queue += [(each, False) for each in new]
    return reached


def _modules(mention: Mention, code: Code) -> set[str]:
    """The names of modules from which a mention may come."""
    starts = {mention.start} if mention.is_module else code.aliases.get(mention.start, set())
    return {part for start in starts for part in start.split(".")}


def _is_import(node: ast.AST) -> bool:
    """Then the name is known by what it stands for. Only the function that is asked for may be imported as a whole."""
    return isinstance(node, ast.Import | ast.ImportFrom)


def _last(definitions: list[Definition]) -> list[Definition]:
    """The last definition of a name, with what adds to it."""
    last = max((each.statement for each in definitions if not each.is_lasting), default=-1)
    return [each for each in definitions if each.is_lasting or each.statement == last]


def _found(
    code: Code, definitions: Sequence[Definition], forbidden: Patterns, elsewhere: Patterns = NOTHING
) -> Iterator[str]:
    """The forbidden names that these definitions mention, as far as reading can tell; those of `elsewhere` only where they stand in full."""
    left: dict[str, None] = {}  # what leaves: a module that is handed on, and whose attributes are taken elsewhere
    unknown: dict[tuple[str, ...], None] = {}  # attributes of things that nobody knows
    own = {name for definition in definitions for name in _methods(definition.node)}
    for definition in definitions:
        inside = aliases_inside(definition.node, code.aliases)
        writing = {id(node.func) for node in ast.walk(definition.node) if _only_writes(node)}
        waiting = NOTHING if elsewhere is NOTHING or isinstance(definition.node, FUNCTIONS) else Patterns(WAITING)
        for mention in mentions(definition.node):
            full = [] if id(mention.node) in writing else _full(mention, code, inside)
            yield from (
                n for n in full if forbidden.fit(n) or (elsewhere.fit(n) and n not in CHOSEN_LATE) or waiting.fit(n)
            )
            if elsewhere is not NOTHING and READING.intersection(mention.parts):
                yield f"a file's {mention.parts[-1]}"
            if mention.is_called:
                yield from (f"{name}(?)" for name in full if name in IMPORTING)
            else:
                handed = [n for n in full if not forbidden.fit(n) and not NO_MODULE.fullmatch(n)]
                left.update(dict.fromkeys(n for n in handed if forbidden.reach_below(n + ".")))
            if not full:
                rests = (mention.parts[n : n + DEEPEST] for n in range(len(mention.parts)))
                unknown.update(dict.fromkeys(rest for rest in rests if rest[0] not in own))
    methods = Patterns(pattern for pattern in forbidden.all if pattern.startswith(METHODS))
    names = (begin + parts[0] for parts in unknown if parts[0] != "?" for begin in METHODS)
    yield from filter(methods.fit, names)
    pairs = (".".join((name, *parts)) for name in left for parts in unknown if len(parts[0]) <= LONGEST)
    yield from filter(forbidden.fit, islice(pairs, MOST_PAIRS))
    if next(pairs, None) is not None:
        yield "more than can be followed"


def _only_writes(node: ast.AST) -> TypeGuard[ast.Call]:
    """Whether it is `open(…, "w")`, as for a log: no answer comes back from there."""
    if not isinstance(node, ast.Call) or getattr(node.func, "id", "") != "open":
        return False
    modes = [*node.args[1:2], *(each.value for each in node.keywords if each.arg == "mode")]
    return bool(modes) and all(
        isinstance(m, ast.Constant) and m.value in ("w", "a", "x", "wt", "at", "wb", "ab") for m in modes
    )


def _methods(node: ast.AST) -> list[str]:
    """The methods of the notebook's own classes: `self.conv(…)` is then no library's. (When it is, the sandbox sees the call.)"""
    classes = (each for each in ast.walk(node) if isinstance(each, ast.ClassDef))
    return [part.name for each in classes for part in each.body if isinstance(part, ast.FunctionDef)]


def _full(mention: Mention, code: Code, inside: dict[str, set[str]]) -> list[str]:
    if mention.is_module:
        starts = {mention.start}
    elif mention.is_local:
        starts = inside.get(mention.start, set())
    else:
        starts = inside.get(mention.start, set()) | code.aliases.get(mention.start, set())
        if not starts and mention.start and mention.start not in code.definitions:
            starts = _from_elsewhere(mention.start, code)
    names = (".".join((start, *mention.parts)) for start in sorted(starts))
    return [name for name in names if len(name) <= LONGEST]


def _from_elsewhere(name: str, code: Code) -> set[str]:
    """What a name may be that the notebook does not define."""
    if name in BUILTINS:
        return {f"builtins.{name}"}
    if name == "get_ipython":
        return {"IPython.get_ipython"}
    if "numpy" in code.stars and hasattr(np, name):
        return {f"numpy.{name}"}
    return {f"{module}.{name}" for module in code.stars[:MOST_STARS]}


# --- tampering ---------------------------------------------------------------------------------------------------------

INSIDE = ("runner", "watch", "shell")  # what runs beside the notebook
WATCHED = Patterns(
    f"{module}.{name}{rest}".rstrip(".")
    for module, names in (
        (
            "sys",
            (
                "modules",
                "setprofile",
                "getprofile",
                "settrace",
                "monitoring",
                "addaudithook",
                "meta_path",
                "path_hooks",
                "_*",
            ),
        ),
        ("importlib", ("machinery", "abc", "util.spec_from_*", "util.module_from_spec")),
        ("threading", ("setprofile*", "getprofile", "settrace*")),
        ("traceback", ("walk_*",)),
        ("inspect", ("currentframe", "stack", "trace", "get*frames", "getsource*")),
        ("gc", ("get_objects", "get_ref*")),
        ("os", ("write", "dup", "dup2", "fdopen")),  # files by their numbers
        ("builtins", ("exec", "eval", "compile")),
        ("unet_edu", ("checks.*", "lessons", "grading", "__file__", "__path__", "*.__file__")),
        *((library, ("", "*")) for library in ("ctypes", "_ctypes", "cffi", "_thread", "runpy", "marshal")),
        *((ours, ("", "*")) for ours in INSIDE),
    )
    for name in names
    for rest in ("", ".*")
)
# What does no harm in some places: `"google.colab" in sys.modules`; `eval(input())`, where nobody types, and `exec("…")`, whose text is read, too;
# os.write to stdout or stderr; what is printed.
MODULES, RUNNING, PRINTING = Patterns(("sys.modules",)), Patterns(("builtins.*",)), Patterns(("os.write",))
LOOKING = Patterns(("inspect.getsource*", "unet_edu.*", "sys.modules", "sys.modules.keys"))
OFFERED = frozenset(
    f"unet_edu.checks.{name}" for name in ("check", "compare", "quiz", "quiz.quiz", "progress", "progress.progress")
)
# Whoever sets an attribute of one of these changes it for all. Some are made to be set; and people write `np.random.seed = 42` by mistake, and
# `np.float = float` because it once helped.
LIBRARIES = ("numpy", "torch", "scipy", "builtins", "unet_edu", "IPython", "json", "math", "inspect")
OTHERS = Patterns(f"{library}.*" for library in LIBRARIES)
KNOWN = {*LIBRARIES, *sys.stdlib_module_names, *INSIDE, "__main__"}  # modules that are somebody else's
SWITCHES = Patterns(
    ("torch.backends.*", "*.manual_seed", "*.seed")
    + tuple(f"numpy.{name}" for name in ("bool", "complex", "float", "int", "object", "str"))
)
# People add to these. What they do not have yet, nobody else uses.
EXTENDED = ("numpy", "numpy.ndarray", "torch", "torch.nn", "torch.nn.Module", "torch.Tensor", "builtins")
INNER = frozenset(  # of IPython, functions, frames
    ("ast_transformers", "input_transformers_cleanup", "input_transformers_post", "input_transformer_manager")
    + ("user_ns", "user_global_ns", "__builtins__", "__globals__", "__code__", "__closure__", "__subclasses__")
    + ("f_back", "f_globals", "f_locals", "f_builtins", "tb_frame", "gi_frame", "cr_frame", "ag_frame")
    + ("register_cell_magic", "register_line_cell_magic", "register_magic_function", "register_magics", "magics_class")
    + ("prefilter_manager", "define_macro", "define_magic")
)
UNREADABLE = (
    "autocall",
    "alias_magic",
    "macro",
    "rerun",
    "recall",
    "edit",
)  # magics by which IPython runs what nobody can read
RUNS = frozenset(("run_cell", "run_cell_async", "run_code", "run_ast_nodes", "safe_execfile", "safe_execfile_ipy"))
TEXTS = (  # in texts of the code, and in lines for the shell
    (re.compile(r"/proc/(?!cpuinfo|meminfo|version|$)|/proc/$|/dev/(fd|mem)"), "names a path in /proc or /dev"),
    (
        re.compile(r"(^|[\s'\"=({])/course(/|$)|unet_edu(\.\w{1,40}){0,4}\.__(path|file)__|unet_edu/[\w/]{1,80}\.py"),
        "names the course's own files",
    ),
    (re.compile(r"(site|user)customize"), "names sitecustomize, which Python runs when it starts"),
    (
        re.compile(r"(^|[/ ])(numpy|torch|scipy|unet_edu|IPython|json)(/__init__)?\.py$"),
        "names a file that would take a library's place",
    ),
)


def tampering(cells: Sequence[str], ran: Collection[int] = ()) -> list[str]:
    """What in a notebook looks like an attempt on the grader rather than on the exercises.

    Parameters
    ----------
    cells : sequence of str
        The sources of the code cells, in their order.
    ran : collection of int
        The numbers, from 1, of those that came to their end.

    Returns
    -------
    list of str
        Short phrases, most with the number of the code cell, at most 20. An honest notebook has none.
    """
    code = read(cells)
    found = [f"cell {number}: too long, or nested too deeply, to be read" for number in code.unread]
    found += [f"cell {number}: ran, and cannot be read as Python" for number in code.not_python if number in ran]
    if len(code.stars) > MOST_STARS:
        found.append(f"imports everything of more than {MOST_STARS} modules")
    for number, tree in (*code.trees, *((number, module) for _, number, module in code.files)):
        found += [f"cell {number}: {what}" for what in dict.fromkeys(_suspicious(tree, code))]
    return list(dict.fromkeys(found))[:MOST_FOUND]


def _suspicious(tree: ast.Module, code: Code) -> Iterator[str]:
    inside = aliases_inside(tree, code.aliases)
    pardons = {id(node): pardon for each in ast.walk(tree) for node, pardon in _harmless(each)}
    for mention in mentions(tree):
        yield from _suspicious_mention(mention, code, inside, pardons.get(id(mention.node), NOTHING))
    spoken = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}  # docstrings, and texts that do nothing
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes) and id(node) not in spoken:
            value = node.value if isinstance(node.value, str) else node.value.decode("latin-1")
            yield from (what for text, what in TEXTS if any(map(text.search, value.splitlines())))
        elif isinstance(node, ast.Call) and (what := _suspicious_call(node)):
            yield what


def _suspicious_call(node: ast.Call) -> str:
    """What is wrong with a call, whatever it is that is called; "" for nothing."""
    if getattr(node.func, "id", "") == "open" and _is_number(node.args[:1]):
        return "opens a file by its number"
    method, words = getattr(node.func, "attr", ""), magic(node)
    if words and words[0] in UNREADABLE:
        return f"uses %{words[0]}"
    if method.startswith("run_") and method.endswith("_magic"):
        return "runs code from a text" if len(words) < len(node.args) else ""
    return "runs code from a text" if method in ("ex", "ev") and len(node.args) == 1 else ""  # of IPython


def _is_number(nodes: list[ast.expr]) -> bool:
    return any(isinstance(node, ast.Constant) and isinstance(node.value, int) for node in nodes)


def _harmless(node: ast.AST) -> Iterator[tuple[ast.AST, Patterns]]:
    """The parts of a node in which something may be named without harm, and what."""
    if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In | ast.NotIn):
        yield node.comparators[0], MODULES
    elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "len":
        yield from ((argument, MODULES) for argument in node.args)
    elif isinstance(node, ast.Call) and node.args:
        first = node.args[0]
        if runs_a_text(node) or getattr(getattr(first, "func", None), "id", "") == "input":
            yield node.func, RUNNING
        elif isinstance(first, ast.Constant) and first.value in (1, 2):
            yield node.func, PRINTING
        elif getattr(node.func, "attr", "") in ("get", "pop") and isinstance(first, ast.Constant):
            if (
                isinstance(first.value, str) and first.value.partition(".")[0] not in KNOWN
            ):  # `sys.modules.pop("my_module", None)`
                yield node.func, Patterns(("sys.modules.*",))
        elif getattr(node.func, "id", "") == "print":
            yield from ((part, LOOKING) for each in node.args for part in (each, getattr(each, "func", each)))


def _is_new(name: str) -> bool:
    """Whether a library has nothing of this name, so that whoever sets it changes nothing."""
    home, _, attribute = name.rpartition(".")
    return home in EXTENDED and attribute != "?" and attribute not in dir(resolve_name(home))


def _suspicious_mention(mention: Mention, code: Code, inside: dict[str, set[str]], pardon: Patterns) -> Iterator[str]:
    inner = INNER.intersection((mention.start, *mention.parts))
    if mention.start in BUILTINS - {"object", "type"} and mention.parts == ("__subclasses__",):  # int.__subclasses__()
        inner = frozenset()
    yield from (f"reaches for {name}" for name in sorted(inner))
    if not inner and RUNS.intersection(mention.parts):
        yield "runs code from a text"
    for name in _full(mention, code, inside):
        if mention.is_stored and mention.parts and OTHERS.fit(name) and not SWITCHES.fit(name):
            if not _is_new(name):
                yield f"changes {name[:MOST_SHOWN]}"
        elif WATCHED.fit(name) and name not in OFFERED and not pardon.fit(name):
            yield f"uses {name[:MOST_SHOWN]}"
