"""What a notebook's code may not do, found by reading its names: calls that are an exercise's answer, and tampering.

Nobody loses a mark for it here: an instructor decides. The reading is flat. A name stands for what was imported or
assigned under it, and a function rests on the statements that say something about its names. What becomes of a value on
its way is not followed: while a function runs, the watch (`unet_edu.grading.sandbox.inside.watch`) sees what is called.
What no watch can see is read here: an answer that was made before the call, somewhere else, or from a text.
"""

from __future__ import annotations

import ast
import builtins
import re
import sys
from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase, translate
from functools import lru_cache
from pkgutil import resolve_name
from typing import NamedTuple

import numpy as np

from unet_edu.grading import cells
from unet_edu.grading.cells import Defined, given, magic, runs_a_text
from unet_edu.grading.sandbox.inside.watch import REACHES, STARTS

__all__ = ["as_listed", "tampering", "uses"]

MOST_FOUND = 20
MOST_SHOWN = 80  # characters
MOST_STARS = 10  # modules of which everything is imported
MOST_MEANINGS = 8  # of one name
DEEPEST = 8  # attributes of an unknown thing that are looked at together
MOST_PAIRS = 200_000  # of modules that are handed on and attributes of unknown things; honest code has none
LONGEST = 300  # characters of a full name; the longest of PyTorch has 90

BUILTINS = frozenset(dir(builtins))
NAME = re.compile(r"[\w.]{1,200}")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
TABLES = ("__dict__", "__getattribute__", "__getattr__")  # what comes behind these is an attribute, too
IMPORTING = ("__import__", "import_module")
TAKING = ("attrgetter", "methodcaller")  # an attribute
# What makes something that is filled later; a device or a generator of random numbers is none.
EMPTY = frozenset(("dict", "list", "set", "bytearray", "defaultdict", "OrderedDict", "deque", "SimpleNamespace"))
EMPTY |= {f"{name}{like}" for name in ("zeros", "empty", "ones", "full") for like in ("", "_like")}
KEPT = re.compile(r"_{1,3}|_i?\d+|_i+|_[io]h|In|Out")  # by IPython: what was typed, and what cells returned


class Patterns:
    """Full names with * for any rest, as `fnmatch` has them, with spaces between them."""

    def __init__(self, *texts: str) -> None:
        patterns = " ".join(texts).split()
        self._regex = re.compile("|".join(map(translate, patterns)) or r"(?!)")
        self._heads = [(re.split(r"[*?\[]", pattern, maxsplit=1)[0], pattern) for pattern in patterns]

    def fit(self, name: str) -> bool:
        """Whether one of the patterns fits; of a "?" in the name, whether one could."""
        begin, chosen, _ = name.partition("?")
        if not chosen:
            return self._regex.match(name) is not None
        return any(h.startswith(begin) or (h != pattern and begin.startswith(h)) for h, pattern in self._heads)


# --- the names in a notebook ------------------------------------------------------------------------------------------


class Named(NamedTuple):
    """A chain of attributes that stands in the code: `a.b.c`, `getattr(a, "b").c`, `vars(a)["b"].c`."""

    start: str  # the name with which it begins; "" where that is no name
    parts: tuple[str, ...]  # "?" is an attribute that is chosen only while the code runs
    full: tuple[str, ...]  # what it may be, by what was imported and assigned
    node: ast.AST
    is_own: bool  # the name belongs to a function, not to the notebook
    is_stored: bool  # assigned to, or deleted


class Piece:
    """What runs in one go outside of functions: a statement; where others stand in it, what is before its colon."""

    def __init__(self, cell: int, number: int, node: ast.stmt, module: str, aliases: dict[str, set[str]]) -> None:
        self.cell, self.number = cell, number  # the number of the outermost statement, in the whole notebook
        self.module = module  # in which the notebook writes it; "" for its own cells
        has_others = hasattr(node, "body") and not isinstance(node, Defined)
        others = (ast.stmt, ast.ExceptHandler)
        self.roots = [n for n in ast.iter_child_nodes(node) if not isinstance(n, others)] if has_others else [node]
        self.nodes = [each for root in self.roots for each in ast.walk(root)]
        self.gives = {name for name in given(self.roots) if name.isidentifier()}
        heads = {name for each in getattr(node, "handlers", ()) for name in (each.name,) if name}
        heads |= self.gives if isinstance(node, ast.With | ast.AsyncWith | ast.For | ast.AsyncFor) else set()
        self.around = sorted(heads)[:MOST_MEANINGS]  # names of a `with` or an `except`: what stands in it adds to them
        self.adds = {name for each in self.nodes for name in _added(each)}  # to what these names stand for already
        self.calls = {_base(each.value) for each in self.nodes if isinstance(each, ast.Expr)}
        self.says = {name for each in self.nodes for name in _said(each)}
        value = getattr(node, "value", None)
        parts = ast.iter_child_nodes(value) if isinstance(value, ast.Tuple | ast.List | ast.Dict) else ()
        self.makes_tables = isinstance(node, ast.Assign | ast.AnnAssign) and any(map(_is_table, (value, *parts)))
        self.is_import = isinstance(node, ast.Import | ast.ImportFrom)
        self.is_function = isinstance(node, FUNCTIONS) or isinstance(getattr(node, "value", None), ast.Lambda)
        is_alias = isinstance(value, ast.Name | ast.Attribute | ast.Subscript) or isinstance(node, ast.For | ast.Match)
        self.passes = sorted(self.gives)[:MOST_MEANINGS] if is_alias else []  # to names that stand for the same
        self.aliases = aliases  # what the names of the notebook, or of the module, stand for
        self.own: dict[str, set[str]] = defaultdict(set)  # … and those given in the piece, also in its functions
        self.named: list[Named] = []


class Scan:
    """The names in a notebook's code."""

    def __init__(self, sources: Sequence[str]) -> None:
        self.code, self.pieces, count = cells.read(sources), list[Piece](), 0
        self.modules = {name for _, _, name in self.code.trees} - {""}  # that cells write
        notebook: dict[str, set[str]] = defaultdict(set)
        for cell, tree, module in self.code.trees:
            aliases = defaultdict(set) if module else notebook
            self.pieces += [Piece(cell, count + n, node, module, aliases) for n, node in cells.statements(tree)]
            count += len(tree.body)
        imports = [pair for piece in self.pieces for node in piece.nodes for pair in _imports(node)]
        runs = any(magic(node)[:1] == ("run",) for piece in self.pieces for node in piece.nodes)
        stars = [full[:-2] for _, full in imports if full.endswith(".*")] + sorted(self.modules - {"?"}) * runs
        self.stars = tuple(dict.fromkeys(stars))
        self.loaded = {full for piece in self.pieces for node in piece.nodes for full in _imported(node)}
        self.loaded |= {full.partition(".")[0] for full in self.loaded}  # `import a.b` gives a
        self.given = frozenset(name for piece in self.pieces for name in piece.gives if not piece.module)
        self.meanings: dict[str, list[Piece]] = defaultdict(list)
        self.said: dict[str, list[Piece]] = defaultdict(list)  # names that nothing gives a meaning, as far as one reads
        for piece in self.pieces:
            piece.adds |= piece.calls - {"", *(name for name, _ in imports)}  # np.f(…) adds nothing to np
            for name in {piece.module} if piece.module else piece.gives | piece.adds:
                self.meanings[name].append(piece)
        for piece in self.pieces * 2:  # twice: a name may be given below the function that uses it
            self._learn(piece)
        for piece in self.pieces:
            piece.named = [*self._names_in(piece)]
        self._fill()

    def _fill(self) -> None:
        """What may put something into a name in another way than by an assignment to it."""
        inner: dict[int, list[Piece]] = defaultdict(list)  # by the outermost statement
        mentions: dict[str, list[Piece]] = defaultdict(list)
        for piece in self.pieces:
            inner[piece.number].append(piece)
            for name in piece.says - self.given - BUILTINS:  # builtins.name = …, push({"name": …})
                self.said[name].append(piece)
            for each in piece.named:
                for full in each.full if each.is_stored and each.parts else ():
                    self.meanings[full].append(piece)  # np.x, which another name of NumPy has, too
            if not piece.is_function and not piece.is_import:
                for name in {each.start for each in piece.named if not each.is_own}:
                    mentions[name].append(piece)
        for piece in self.pieces:
            for name in piece.around:
                self.meanings[name] += inner[piece.number]
        for name in {name for piece in self.pieces if piece.makes_tables for name in piece.gives}:
            self.meanings[name] += mentions[name]

    def _learn(self, piece: Piece) -> None:
        """What the names stand for that are given in a piece."""
        for node in piece.nodes:
            for name, full in _imports(node):
                piece.own[name].add(full)
            match node:
                case ast.Assign(value=value) | ast.AnnAssign(value=ast.expr() as value) | ast.NamedExpr(value=value):
                    start, parts, _ = _chain(value)
                    known: tuple[str, ...] = ()
                    if isinstance(start, ast.Name):
                        known = self._full(piece, start.id, parts, False)
                    elif module := _module(start):
                        known = (".".join((module, *parts)),)
                    if not known and isinstance(value, ast.Name) and value.id in BUILTINS:
                        known = (f"builtins.{value.id}",)  # eval = eval
                    for name in given([node]) if known else ():
                        if len(piece.own[name]) < MOST_MEANINGS:
                            piece.own[name].update(known)
        for name in (piece.gives | piece.adds) & piece.own.keys():
            piece.aliases[name].update(sorted(piece.own[name])[:MOST_MEANINGS])

    def _full(self, piece: Piece, start: str, parts: tuple[str, ...], is_own: bool) -> tuple[str, ...]:
        starts = piece.own.get(start, set()) | (set() if is_own else piece.aliases.get(start, set()))
        if not starts and not is_own and start not in self.given:
            if start in BUILTINS or start == "get_ipython":
                starts = {f"builtins.{start}" if start in BUILTINS else "IPython.get_ipython"}
            elif "numpy" in self.stars and hasattr(np, start):
                starts = {f"numpy.{start}"}
            else:
                starts = {f"{module}.{start}" for module in self.stars[:MOST_STARS]}
        full = (".".join((begin, *parts)) for begin in sorted(starts))
        return tuple(name for name in full if len(name) <= LONGEST)

    def _names_in(self, piece: Piece) -> Iterator[Named]:
        seen = set[int]()
        for node, own in _walk(piece.roots):
            if id(node) in seen:
                continue
            for full in _imported(node):
                yield Named("", (), (full,), node, False, False)
            is_stored = isinstance(getattr(node, "ctx", None), ast.Store | ast.Del)
            start, parts, between = _chain(node)
            match node:
                case ast.Call(func=ast.Name(id="setattr" | "delattr"), args=[thing, name, *_]):
                    start, parts, between = _chain(thing)
                    parts, is_stored = (*parts, _literal(name)), True
                case ast.Call(args=[key, *_]) if _called(node) in TAKING:
                    yield Named("", tuple(_literal(key).split(".")), (), node, False, False)
            seen.update(map(id, between))
            if isinstance(start, ast.Name):
                is_own = start.id in own
                yield Named(start.id, parts, self._full(piece, start.id, parts, is_own), node, is_own, is_stored)
            elif parts:
                module = _module(start)
                yield Named("", parts, (".".join((module, *parts)),) if module else (), node, False, is_stored)


@lru_cache(maxsize=2)  # the exercises of one notebook ask one after the other
def _scan(sources: tuple[str, ...]) -> Scan:
    return Scan(sources)


def _imports(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Each name that an import gives a meaning, with the full name of what it stands for; "*" where that is all."""
    if isinstance(node, ast.Import):
        for each in node.names:
            yield (each.asname, each.name) if each.asname else (each.name.partition(".")[0],) * 2
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield from ((each.asname or each.name, f"{node.module}.{each.name}") for each in node.names)


def _imported(node: ast.AST) -> list[str]:
    """The full names of what an import loads."""
    if isinstance(node, ast.Import):
        return [each.name for each in node.names]
    return [full.removesuffix(".*") for _, full in _imports(node)]


def _added(node: ast.AST) -> Iterator[str]:
    """The names to whose things a node adds something, as `table[key] = …` and `setattr(table, …)`; "?" is any name."""
    match node:
        case ast.Global(names=names):
            yield from names
        case ast.Expr(value=ast.Call(func=ast.Name(id="check"), args=[_, *more], keywords=keywords)):  # hands in
            yield from (_literal(each) for each in (*more, *(each.value for each in keywords)))
        case ast.Call(func=ast.Name(id="setattr"), args=[thing, *_]):
            yield _base(thing)
        case ast.Attribute(ctx=ast.Store()) | ast.Subscript(ctx=ast.Store()):
            base = _base(node)
            yield _literal(node.slice) if base == "?" and isinstance(node, ast.Subscript) else base


def _said(node: ast.AST) -> Iterator[str]:
    """The names that a node says without using them: as an attribute that is set, as a keyword, in a text."""
    match node:
        case ast.Attribute(attr=name, ctx=ast.Store()) | ast.keyword(arg=str(name)) | ast.Constant(value=str(name)):
            if len(name) < LONGEST and name.isidentifier():
                yield name


def _is_table(node: ast.AST | None) -> bool:
    """Whether something is made that is filled later: a list without numbers of its own, or an array of zeros."""
    match node:
        case ast.List(elts=[], ctx=ast.Load()) | ast.Dict(keys=[]) | ast.ListComp() | ast.DictComp():
            return True
        case ast.BinOp(left=ast.List()) | ast.BinOp(right=ast.List()):
            return True
        case ast.Call():
            return _called(node) in EMPTY
    return False


def _base(node: ast.AST) -> str:
    """The name of what is changed, as in `table.append(…)`; "?" for any name, as in `globals()[…]`; or ""."""
    whole = node
    while True:
        match node:
            case ast.Attribute(value=inner) | ast.Subscript(value=inner) | ast.Call(func=ast.Attribute() as inner):
                node = inner
            case _:
                break
    is_table = isinstance(node, ast.Call) and _called(node) in ("globals", "locals", "vars") and not node.args
    made = getattr(node, "func", node) if node is not whole else node  # Box().x = …
    return "?" if is_table else getattr(made, "id", "")


def _walk(roots: Sequence[ast.AST]) -> Iterator[tuple[ast.AST, frozenset[str]]]:
    """All nodes, what is outside before what is inside, each with the names that belong to functions there."""
    left = [(root, frozenset[str]()) for root in reversed(roots)]
    while left:
        node, own = left.pop()
        yield node, own
        children, inside, names = [*ast.iter_child_nodes(node)], list[ast.AST](), own
        if isinstance(node, FUNCTIONS):
            inside = [node.body] if isinstance(node, ast.Lambda) else [*node.body]
            names |= given(inside) | {each.arg for each in ast.iter_child_nodes(node.args) if isinstance(each, ast.arg)}
            names -= {name for n in inside for part in ast.walk(n) for name in _added(part) if type(part) is ast.Global}
        elif isinstance(node, COMPREHENSIONS):
            inside, names = children, own | given(each.target for each in node.generators)
            left.append((node.generators[0].iter, own))
        ids = set(map(id, inside))
        left += [(each, names if id(each) in ids else own) for each in reversed(children)]


def _chain(node: ast.AST) -> tuple[ast.AST, tuple[str, ...], list[ast.AST]]:
    """Where a chain of attributes begins, the attributes, and the nodes that belong to it alone."""
    parts, between = list[str](), list[ast.AST]()
    while True:
        match node:
            case ast.Attribute(value=inner, attr=name):
                part, also = "?" if name in TABLES else name, inner
            case ast.Call(func=ast.Name(id="getattr") as also, args=[inner, key, *_]):
                part = _literal(key)
            case ast.Call(func=ast.Name(id="vars") as also, args=[inner, *_]):
                part = "?"
            case ast.Subscript(value=ast.Call(func=ast.Name(id="vars"), args=[inner]) as also, slice=key):
                part = _literal(key)
            case ast.Subscript(value=ast.Attribute(value=inner, attr="__dict__") as also, slice=key):
                part = _literal(key)
            case _:
                between = [each for each in between if each is not node or isinstance(node, ast.Name)]
                return node, tuple(reversed(parts)), between
        parts.append(part)
        between += [also, inner]
        node = inner


def _called(node: ast.Call) -> str:
    return getattr(node.func, "id", "") or getattr(node.func, "attr", "")


def _literal(node: ast.AST) -> str:
    """The name that a text in the code says, or "?" when nobody knows it before the code runs."""
    value = node.value if isinstance(node, ast.Constant) else None
    return value if isinstance(value, str) and value not in TABLES and NAME.fullmatch(value) else "?"


def _module(node: ast.AST) -> str:
    """The module in `__import__("a")`, `importlib.import_module("a.b")` and `sys.modules["a.b"]`, else ""."""
    match node:
        case ast.Call(args=[key, *_]) if _called(node) in IMPORTING:
            return _literal(key).rstrip("?")
        case ast.Subscript(value=ast.Attribute(attr="modules") | ast.Name(id="modules"), slice=key):
            return _literal(key).rstrip("?")
    return ""


# --- what an exercise forbids -----------------------------------------------------------------------------------------

# What makes an answer where the watch does not look: a program, a process, a file, a text; and what finds a function by
# a name that is put together.
UNSEEN = (
    "subprocess subprocess.* multiprocessing multiprocessing.* _thread _thread.* asyncio asyncio.* socket.* pty.*"
    " os.system os.popen os.exec* os.*spawn* os.fork* os.pipe* os.read os.write os.open builtins.open io.open*"
    " io.FileIO mmap.* codecs.open gzip.* bz2.* lzma.* zipfile.* tarfile.* linecache.* fileinput.* dbm.* shelve.*"
    " sqlite3.* numpy.load* numpy.genfromtxt numpy.fromfile numpy.memmap pandas.read_* torch.load torch.package.*"
    " pickle.*load* pickle.*Unpickler _pickle.* copyreg.* marshal.* joblib.load dill.* cloudpickle.* builtins.exec"
    " builtins.eval builtins.compile IPython.get_ipython IPython.core.* IPython.utils.* traitlets.utils.*"
    " traitlets.*import_item types.FunctionType types.CodeType gc.* ctypes.* runpy.* code.* codeop.* zipimport.*"
    " torch.jit.* torch.compile torch.fx.* torch.export.* torch.hub.* torch.utils.cpp_extension.*"
    " torch.*.load_library builtins.getattr builtins.__import__ importlib.__import__ importlib.import_module"
    " importlib.metadata.* importlib.util.* importlib.machinery.* pkgutil.* pydoc.* inspect.getmembers*"
    " inspect.getattr_static inspect.getmodule operator.attrgetter operator.methodcaller string.Formatter"
    " logging.config.* numpy.f2py.* typing.get_type_hints typing.*orward_ref typing.ForwardRef annotationlib.*"
    " unittest.mock.* unittest.*oader* doctest.* trace.Trace timeit.timeit timeit.repeat timeit.Timer profile.*"
    " cProfile.* pdb.* bdb.*"
)
IN_FUNCTIONS = Patterns(UNSEEN)
# Made before the function is called, a thread is not seen at its work.
ELSEWHERE = Patterns(UNSEEN, "threading threading.* concurrent concurrent.* queue queue.*")
HELPERS = Patterns("threading.Thread threading.Timer _thread.* concurrent.* multiprocessing.* os.fork*")
READING = frozenset(("read_text", "read_bytes", "open"))  # of a path
CHOSEN_LATE = ("numpy.?", "torch.?")  # `getattr(np, mode)` could be np.load, but is not


def uses(sources: Sequence[str], function: str, patterns: Sequence[str]) -> list[str]:
    """What a function names of that which is forbidden: itself, and the statements of the notebook on which it rests.

    Parameters
    ----------
    sources : sequence of str
        The sources of the code cells, in their order. Cells that are not Python are left out.
    function : str
        Its last definition counts; of what it uses, all definitions.
    patterns : sequence of str
        Full names, with * for any rest: "torch.*conv*". With any pattern, it is also forbidden to have the answer made
        elsewhere: by another program or process, through a file, from a text, or by a thread that uses what is
        forbidden.

    Returns
    -------
    list of str
        Full names, at most 20. "?" is what is chosen only while the code runs. Empty when the notebook has no such
        function.
    """
    if not patterns:
        return []
    scan, forbidden, found = _scan(tuple(sources)), Patterns(*patterns), list[str]()
    meanings = scan.meanings.get(function, [])
    last = max((piece.number for piece in meanings if function in piece.gives), default=None)
    own = [piece for piece in meanings if piece.number == last or function not in piece.gives]
    handed, loose = dict[str, None](), dict[str, None]()
    for piece in _reached(scan, own, function):
        elsewhere, pardons = IN_FUNCTIONS if piece.is_function else ELSEWHERE, _pardons(piece)
        for each in piece.named:
            if piece.is_import and not piece.own[function].intersection(each.full):
                continue
            pardon = pardons.get(id(each.node), NOTHING)
            is_harmless = NOTHING.fit if pardon is RUNNING else pardon.fit
            found += filter(forbidden.fit, each.full)
            other = [n for n in each.full if elsewhere.fit(n) and n not in CHOSEN_LATE and not is_harmless(n)]
            found += [f"{n}(?)" if NAMING.fit(n) else n for n in other]
            is_read = {*each.parts[-1:]} & READING and pardon is not LOGGING
            found += [f"a file's {each.parts[-1]}"] if is_read else []
            if KEPT.fullmatch(each.start) and not (each.is_own or each.is_stored or each.start in scan.given):
                found.append("what a cell returned")
            # A module is handed on as a whole, and an attribute is taken of something that nobody knows.
            modules = (n for n in each.full if each.start and n in scan.loaded and not forbidden.fit(n))
            handed |= dict.fromkeys(n for n in modules if forbidden.fit(f"{n}.?"))
            rests = (".".join(each.parts[n : n + DEEPEST]) for n in range(len(each.parts)))
            loose |= dict.fromkeys(part for part in (*each.parts, *rests) if not each.full and len(part) <= LONGEST)
    if len(handed) * len(loose) > MOST_PAIRS:
        return [*dict.fromkeys(found), "more than can be followed"][-MOST_FOUND:]
    found += filter(forbidden.fit, (f"{module}.{part}" for module in handed for part in loose))
    helping = {piece.number for piece in scan.pieces if own and _helps(piece)}
    for piece in _reached(scan, [piece for piece in scan.pieces if piece.number in helping], ""):
        found += [name for each in piece.named for name in each.full if forbidden.fit(name)]
    return list(dict.fromkeys(found))[:MOST_FOUND]


def _helps(piece: Piece) -> bool:
    """Whether it may answer in a function's place: by a thread or a process, or by a name that nobody knows."""
    names = (name for each in piece.named for name in each.full)
    return "?" in piece.adds or (not piece.is_import and any(map(HELPERS.fit, names)))


def _reached(scan: Scan, own: Sequence[Piece], function: str) -> Iterator[Piece]:
    """The pieces on which a function rests, its own first."""
    queue, first, done, names = deque(own), frozenset(own), set(own), set[str]()
    while queue:
        piece = queue.popleft()
        yield piece
        new = {each.start for each in piece.named if not each.is_own and (each.parts or not each.is_stored)}
        new |= scan.modules.intersection(part for each in piece.named for full in each.full for part in full.split("."))
        new |= {*piece.passes, *(full for each in piece.named for full in each.full if "." in full)}
        unknown = {each.start for each in piece.named if not each.is_own and not each.full and not each.is_stored}
        # A function that names itself means itself; who else takes it up may mean an earlier one.
        new -= names | ({function} if piece in first else set())
        names |= new
        more = [p for name in sorted(new) for p in scan.meanings.get(name, ()) if not p.is_import and p not in done]
        more += [p for name in sorted(unknown & new) for p in scan.said.get(name, ()) if p not in done]
        queue += dict.fromkeys(more)
        done.update(more)


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


# --- tampering --------------------------------------------------------------------------------------------------------

WATCHED = (
    "sys.modules sys.setprofile sys.getprofile sys.settrace sys.monitoring sys.addaudithook sys.meta_path sys._*"
    " sys.path_hooks importlib.machinery importlib.abc importlib.util.spec_from_* importlib.util.module_from_spec"
    " threading.setprofile* threading.getprofile threading.settrace* traceback.walk_* gc.get_objects gc.get_ref*"
    " inspect.currentframe inspect.stack inspect.trace inspect.get*frames inspect.getsource* os.write os.dup os.dup2"
    " os.fdopen builtins.exec builtins.eval builtins.compile ctypes _ctypes cffi _thread runpy marshal"
    " unet_edu.checks.* unet_edu.lessons unet_edu.grading unet_edu.__file__ unet_edu.__path__ unet_edu.*.__file__"
    " runner watch shell"
)
REACHED_FOR = Patterns(*(f"{name} {name}.*" for name in WATCHED.split()))
OFFERED = Patterns(
    "unet_edu.checks.check unet_edu.checks.compare unet_edu.checks.quiz unet_edu.checks.quiz.quiz"
    " unet_edu.checks.progress unet_edu.checks.progress.progress unet_edu.checks.turn unet_edu.checks.turn.turn"
    " unet_edu.checks.guess unet_edu.checks.guess.guess unet_edu.lessons.ours unet_edu.lessons.ours.ours"
)
# What does no harm in some places: `"google.colab" in sys.modules`; `eval(input())`, where nobody types, and
# `exec("…")`, whose text is read, too; os.write to stdout or stderr; what is printed; a log that is only written; what
# is found by a name that stands there in full.
NOTHING, MODULES, RUNNING, PRINTING = Patterns(), Patterns("sys.modules"), Patterns("builtins.*"), Patterns("os.write")
LOOKING = Patterns("inspect.getsource* unet_edu.* sys.modules sys.modules.keys")
LOGGING, FORGETTING = Patterns("builtins.open"), Patterns("sys.modules.*")
NAMING = Patterns("operator.attrgetter operator.methodcaller importlib.import_module builtins.__import__")
# Whoever sets an attribute of one of these changes it for all. Some are made to be set; and people write
# `np.random.seed = 42` by mistake, and `np.float = float` because it once helped.
LIBRARIES = ("numpy", "torch", "scipy", "builtins", "unet_edu", "IPython", "json", "math", "inspect")
OTHERS = Patterns(*(f"{library}.*" for library in LIBRARIES))
SWITCHES = Patterns(
    "torch.backends.* *.manual_seed *.seed numpy.bool numpy.complex numpy.float numpy.int numpy.object numpy.str"
)
# People add to these. What they do not have yet, nobody else uses.
EXTENDED = ("numpy", "numpy.ndarray", "torch", "torch.nn", "torch.nn.Module", "torch.Tensor", "builtins")
# Modules that are somebody else's.
KNOWN = {*LIBRARIES, *sys.stdlib_module_names, "runner", "watch", "shell", "__main__", "?"}
# Of IPython, functions, frames.
INNER = re.compile(
    r"ast_transformers|input_transformer\w*|user_(global_)?ns|register_\w*magic\w*|magics_class|prefilter_manager"
    r"|define_(macro|magic)|__(builtins|globals|code|closure|subclasses)__|f_(back|globals|locals|builtins)"
    r"|(tb|gi|cr|ag)_frame"
)
RUNS = re.compile(r"run_(cell|cell_async|code|ast_nodes)|safe_execfile(_ipy)?")
# Magics by which IPython runs what nobody can read.
UNREADABLE = ("autocall", "alias_magic", "macro", "rerun", "recall", "edit")
TEXTS = {  # in texts of the code, and in lines for the shell
    "names a path in /proc or /dev": r"/proc/(?!cpuinfo|meminfo|version|$)|/proc/$|/dev/(fd|mem)",
    "names the course's own files": (
        r"(^|[\s'\"=({])/course(/|$)|unet_edu(\.\w{1,40}){0,4}\.__(path|file)__|unet_edu/[\w/]{1,80}\.py"
    ),
    "names sitecustomize, which Python runs when it starts": r"(site|user)customize",
    "names a file that would take a library's place": (
        r"(^|[/ ])(numpy|torch|scipy|unet_edu|IPython|json)(/__init__)?\.py$"
    ),
}


def tampering(sources: Sequence[str], ran: Collection[int] = ()) -> list[str]:
    """What in a notebook looks like an attempt on the grader rather than on the exercises.

    Parameters
    ----------
    sources : sequence of str
        The sources of the code cells, in their order.
    ran : collection of int
        The numbers, from 1, of those that came to their end.

    Returns
    -------
    list of str
        Short phrases, most with the number of the code cell, at most 20. An honest notebook has none.
    """
    scan = _scan(tuple(sources))
    found = [f"cell {number}: too long, or nested too deeply, to be read" for number in scan.code.unread]
    found += [f"cell {number}: ran, and cannot be read as Python" for number in scan.code.not_python if number in ran]
    if len(scan.stars) > MOST_STARS:
        found.append(f"imports everything of more than {MOST_STARS} modules")
    for piece in scan.pieces:
        found += [f"cell {piece.cell}: {what}" for what in _suspicious(piece)]
    return list(dict.fromkeys(found))[:MOST_FOUND]


def _suspicious(piece: Piece) -> Iterator[str]:
    pardons = _pardons(piece)
    for named in piece.named:
        yield from _suspicious_name(named, pardons.get(id(named.node), NOTHING))
    spoken = {id(n.value) for n in piece.nodes if isinstance(n, ast.Expr)}  # docstrings, and texts that do nothing
    for node in piece.nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes) and id(node) not in spoken:
            value = node.value if isinstance(node.value, str) else node.value.decode("latin-1")
            yield from (what for what, text in TEXTS.items() if any(re.search(text, x) for x in value.splitlines()))
        elif isinstance(node, ast.Call) and (what := _suspicious_call(node)):
            yield what


def _suspicious_name(named: Named, pardon: Patterns) -> Iterator[str]:
    inner = {name for name in (named.start, *named.parts) if INNER.fullmatch(name)}
    if named.start in BUILTINS - {"object", "type"} and named.parts == ("__subclasses__",):  # int.__subclasses__()
        inner = set()
    yield from (f"reaches for {name}" for name in sorted(inner))
    if not inner and any(map(RUNS.fullmatch, named.parts)):
        yield "runs code from a text"
    for name in named.full:
        if named.is_stored and named.parts and OTHERS.fit(name) and not SWITCHES.fit(name):
            home, _, attribute = name.rpartition(".")
            if home not in EXTENDED or attribute == "?" or attribute in dir(resolve_name(home)):
                yield f"changes {name[:MOST_SHOWN]}"
        elif REACHED_FOR.fit(name) and not OFFERED.fit(name) and not pardon.fit(name):
            yield f"uses {name[:MOST_SHOWN]}"


def _suspicious_call(node: ast.Call) -> str:
    """What is wrong with a call, whatever it is that is called; "" for nothing."""
    first = node.args[0] if node.args else None
    if getattr(node.func, "id", "") == "open" and isinstance(first, ast.Constant) and isinstance(first.value, int):
        return "opens a file by its number"
    method, words = getattr(node.func, "attr", ""), magic(node)
    if words and words[0] in UNREADABLE:
        return f"uses %{words[0]}"
    if method.startswith("run_") and method.endswith("_magic"):
        return "runs code from a text" if len(words) < len(node.args) else ""
    return "runs code from a text" if method in ("ex", "ev") and len(node.args) == 1 else ""  # of IPython


def _pardons(piece: Piece) -> dict[int, Patterns]:
    """By the id of a node: what may be named there without harm."""
    return {id(place): pardon for node in piece.nodes for place, pardon in _harmless(node)}


def _harmless(node: ast.AST) -> Iterator[tuple[ast.AST, Patterns]]:
    if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In | ast.NotIn):
        yield node.comparators[0], MODULES
    if not isinstance(node, ast.Call) or not node.args:
        return
    first, name = node.args[0], _called(node)
    if name == "len":
        yield first, MODULES
    elif name == "print":
        yield from ((part, LOOKING) for each in node.args for part in (each, getattr(each, "func", each)))
    elif runs_a_text(node) or getattr(getattr(first, "func", None), "id", "") == "input":
        yield node.func, RUNNING
    elif isinstance(first, ast.Constant) and first.value in (1, 2):
        yield node.func, PRINTING
    elif name in ("get", "pop") and _literal(first).partition(".")[0] not in KNOWN:  # sys.modules.pop("my_module")
        yield node.func, FORGETTING
    elif name in (*IMPORTING, *TAKING) and _literal(first) != "?":
        yield node.func, NAMING
    elif name == "open":
        modes = [
            *node.args[isinstance(node.func, ast.Name) :][:1],
            *(each.value for each in node.keywords if each.arg == "mode"),
        ]
        if modes and all(getattr(mode, "value", "") in ("w", "a", "x", "wt", "at", "wb", "ab") for mode in modes):
            yield node.func, LOGGING
