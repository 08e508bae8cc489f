"""What the code of a notebook names, read with `ast`. Nothing of it is run or imported, and no walk is recursive: the code may be hostile.

A name is followed through imports and plain assignments: after `import torch.nn.functional as F` and `c = F.conv2d`, both `F.conv2d` and `c`
are `torch.nn.functional.conv2d`. `getattr(F, "conv2d")` and `vars(F)["conv2d"]` are, too. An attribute that is chosen only while the code runs is "?".
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import re
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple, TypeGuard

__all__ = [
    "BUILTINS",
    "FUNCTIONS",
    "LONGEST",
    "MOST_SIGNS",
    "MOST_STEPS_IN_ALL",
    "Code",
    "Definition",
    "Mention",
    "aliases_inside",
    "magic",
    "mentions",
    "parsed",
    "read",
    "runs_a_text",
    "signs_in",
    "steps",
]

MOST_SIGNS = (
    70_000  # in one cell, no letters or digits: a tree takes up to 2 kB for each, and a long lesson has 15,000 in all
)
MOST_IN_ALL = 200_000

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Defined = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
BUILTINS = frozenset(dir(builtins))
NAME = re.compile(r"[\w.]{1,200}")
MOST_MEANINGS = 8  # of one name
LONGEST = 300  # characters of a full name; the longest of PyTorch has 90
CHOSEN = ("__dict__", "__getattribute__", "__getattr__")  # what comes behind these is an attribute, too


class Mention(NamedTuple):
    """Something that code names: a chain of attributes and where it begins."""

    start: str  # a name; a module's full name where it was imported in place; "" for any other expression
    parts: tuple[str, ...]
    is_local: bool  # the name belongs to a function, not to the notebook
    is_module: bool  # the start is a module's full name
    is_stored: bool  # assigned to, or deleted
    is_called: bool
    node: ast.AST


class Definition(NamedTuple):
    """Code that gives a name of the notebook its meaning."""

    name: str
    statement: int  # the outermost statements are counted through the whole notebook
    node: ast.AST
    is_lasting: bool  # a later definition does not undo it: it adds to the name, or waits in a function


class Code(NamedTuple):
    """The code cells of a notebook."""

    trees: tuple[tuple[int, ast.Module], ...]  # with the cell's number, from 1
    not_python: tuple[int, ...]  # cells that neither Python nor IPython can read
    unread: tuple[int, ...]  # cells that are too long, or nested too deeply
    definitions: dict[str, list[Definition]]
    aliases: dict[str, set[str]]  # what names outside functions stand for, through imports and assignments
    stars: tuple[str, ...]  # modules of which everything was imported
    files: tuple[tuple[str, int, ast.Module], ...]  # modules that cells write: name ("" if it runs anyway), cell, tree


def read(cells: Sequence[str]) -> Code:
    """Read the sources of code cells, in their order."""
    return _read(tuple(cells))


@lru_cache(maxsize=2)  # the exercises of one notebook ask one after the other
def _read(cells: tuple[str, ...]) -> Code:
    trees, files, unread, not_python, signs = list[tuple[int, ast.Module]](), [], [], [], 0
    for number, source in enumerate(cells, start=1):
        more = signs_in(source)
        if more > MOST_SIGNS or signs + more > MOST_IN_ALL:
            unread.append(number)
            continue
        signs += more
        try:
            tree, _ = parsed(source)
            texts = [] if tree is None else [tree, *_run_texts(tree)]
            files += [(name, number, module) for each in texts for name, module in _written(each)]
        except (RecursionError, MemoryError):
            unread.append(number)
            continue
        trees += [(number, each) for each in texts]
        if tree is None:
            not_python.append(number)
    definitions, aliases, stars = _defined(tree for _, tree in trees)
    run = "\n".join(
        " ".join(words) for _, tree in trees for node in ast.walk(tree) if not _writes(words := magic(node))
    )
    anyone = {part for star in stars for part in star.split(".")}
    files = [("" if stem in anyone or stem in run else stem, number, module) for stem, number, module in files]
    return Code(tuple(trees), tuple(not_python), tuple(unread), definitions, aliases, stars, tuple(files))


def signs_in(source: str) -> int:
    """What a syntax tree of this text may cost: between two signs lies one word, be it a picture in base64."""
    return sum(not letter.isalnum() for letter in source)


# --- from a cell to a tree ---------------------------------------------------------------------------------------------

# IPython reads the whole cell again for each sign: `;;;f` is three, also behind a prompt.
OF_IPYTHON = re.compile(r"^(?:In \[\d+\]:)?[ \t>.:]*([%!?,;/]+)|\?|=[ \t]*[%!]", re.MULTILINE)
MOST_STEPS = 300_000  # of reading one, in signs; three seconds
MOST_STEPS_IN_ALL = 1_000_000  # all of the course's notebooks together take less than a tenth of that
LONGEST_QUESTION = 1000  # characters of a line, where one ends in "?": IPython looks for a name from each of them on
MAGICS = ("run_line_magic", "run_cell_magic", "system", "getoutput")  # what IPython makes of %, %% and !
RUNNING_PYTHON = ("time", "timeit", "prun", "capture")  # magics: their text is code of the notebook
WRAPPED = 4  # of them, one in the other
OPTIONS = re.compile(r"(?:-\S*\s+(?:\d+\s+)?)*")
WORD = re.compile(r"([a-z]\w*)[ \t]+(\S[^\n]*)")
WRITING = ("writefile", "file")
RUNNING = ("exec", "eval", "compile")


def parsed(source: str) -> tuple[ast.Module | None, str]:
    """The tree of a cell as IPython runs it, and the text whose lines it counts. No tree: neither Python nor IPython can read the cell.

    Raises
    ------
    RecursionError, MemoryError
        When it is nested too deeply, or takes too long.
    """
    for _ in range(WRAPPED):
        tree = _tree(source)
        if tree is None:
            source = _as_ipython_reads(source)
            tree = _tree(source)
        words = magic(tree.body[0].value) if tree and len(tree.body) == 1 and isinstance(tree.body[0], ast.Expr) else ()
        if len(words) < 3 or words[0] not in RUNNING_PYTHON:
            break
        source = "\n" + words[2]  # lines keep their numbers
    for node in ast.walk(tree) if tree else ():
        for block in (getattr(node, name, None) for name in ("body", "orelse", "finalbody")):
            if isinstance(block, list):
                block[:] = [each for statement in block for each in _timed(statement)]
    return tree, source


def steps(source: str) -> int:
    """What it costs to read a cell as IPython does, in signs: nothing, when it is Python as it stands."""
    with contextlib.suppress(RecursionError, MemoryError):
        if _tree(source) is not None:
            return 0
    again = 0 if source.lstrip().startswith("%%") else sum(len(run) or 1 for run in OF_IPYTHON.findall(source))
    return (1 + again) * signs_in(source)


@lru_cache(maxsize=256)  # whoever looks for a function looks through the same cells
def _as_ipython_reads(source: str) -> str:
    """The Python that IPython makes of magics, of commands for the shell, and of what was copied from a prompt; "" if it cannot."""
    from IPython.core.inputtransformer2 import TransformerManager  # few cells need it

    lines = source.splitlines()
    asks = any(line.rstrip().endswith("?") for line in lines) and not source.lstrip().startswith("%%")
    if steps(source) > MOST_STEPS or (asks and max(map(len, lines)) > LONGEST_QUESTION):
        raise MemoryError
    try:
        text = TransformerManager().transform_cell(source)
    except (RecursionError, MemoryError):
        raise
    except Exception:  # noqa: BLE001 - IPython itself would not get further
        return ""
    word = WORD.fullmatch(text.strip()) if _tree(text) is None else None  # a line alone needs no %: `pip install …`
    return f"get_ipython().run_line_magic({word[1]!r}, {word[2]!r})" if word else text


def magic(node: ast.AST) -> tuple[str, ...]:
    """The words of a magic or a command, its name first: `%time f()`, `!ls`, or what these are short for."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr not in MAGICS:
        return ()
    words = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    return tuple(words if node.func.attr.startswith("run") else ["!", *words])


def _timed(statement: ast.stmt) -> list[ast.stmt]:
    """The statements in `%time …`, in its place."""
    words = magic(statement.value) if isinstance(statement, ast.Expr) else ()
    if len(words) != 2 or words[0] not in RUNNING_PYTHON:
        return [statement]
    tree = _tree(OPTIONS.sub("", words[1], count=1))
    for node in ast.walk(tree) if tree else ():
        ast.copy_location(node, statement)
    return [statement] if tree is None else tree.body


def _writes(words: tuple[str, ...]) -> bool:
    return len(words) == 3 and words[0] in WRITING


def _written(tree: ast.Module) -> Iterator[tuple[str, ast.Module]]:
    """The modules that a cell writes, by the names under which they can be imported; "" when they cannot, or nobody knows."""
    for words in filter(_writes, map(magic, ast.walk(tree))):
        if (module := _tree(words[2])) is not None:
            stem, dot, ending = (words[1].split() or [""])[-1].strip("'\"").rpartition("/")[2].rpartition(".")
            yield stem if dot and ending == "py" and stem.isidentifier() else "", module


def _run_texts(tree: ast.Module) -> list[ast.Module]:
    """The code in `exec("…")`, `eval("…")` and `compile("…", …)`, and in the texts that stand in that."""
    found, left = list[ast.Module](), [tree]
    while left:
        texts = [n.args[0].value for n in ast.walk(left.pop()) if runs_a_text(n)]  # type: ignore[attr-defined]
        trees = [_tree(text.strip() if isinstance(text, str) else text.decode("latin-1")) for text in texts]
        left += [each for each in trees if each is not None]
        found += [each for each in trees if each is not None]
    return found


def runs_a_text(node: ast.AST) -> bool:
    """Whether it is `exec`, `eval` or `compile` of a text that stands there to be read."""
    if not any(_is_call(node, name) for name in RUNNING) or not node.args:  # type: ignore[attr-defined]
        return False
    first = node.args[0]  # type: ignore[attr-defined]
    return isinstance(first, ast.Constant) and isinstance(first.value, str | bytes)


def _tree(source: str) -> ast.Module | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of "\d" in a string, say: they would quote the student's code
        try:
            return ast.parse(source)
        except (SyntaxError, ValueError):  # ValueError: a zero byte, half a character
            return None


# --- what names mean ---------------------------------------------------------------------------------------------------


def _defined(trees: Iterable[ast.Module]) -> tuple[dict[str, list[Definition]], dict[str, set[str]], tuple[str, ...]]:
    definitions: dict[str, list[Definition]] = defaultdict(list)
    imported: list[ast.AST] = []
    assigned: list[tuple[str, ast.AST]] = []
    stars: dict[str, None] = {}
    for count, node in _statements(trees):
        for star in _star(node):
            stars[star] = None
        if isinstance(node, ast.Import | ast.ImportFrom):
            imported.append(node)
        for definition in _definitions(node, count):
            definitions[definition.name].append(definition)
            if not isinstance(definition.node, ast.stmt) and not definition.is_lasting:
                assigned.append((definition.name, definition.node))
    modules = {bound for node in imported for bound, _ in _imports(node)}
    for name in modules & definitions.keys():  # np.f(…) as a statement adds nothing to np
        definitions[name] = [each for each in definitions[name] if not isinstance(each.node, ast.Call)]
    return dict(definitions), _aliases(imported, assigned, {}), tuple(stars)


def _statements(trees: Iterable[ast.Module]) -> Iterator[tuple[int, ast.stmt]]:
    """The statements outside functions and classes, in their order, also those inside `if`, `for`, `try` …, with the number of the outermost."""
    for count, outermost in enumerate(statement for tree in trees for statement in tree.body):
        stack: list[ast.AST] = [outermost]
        while stack:
            node = stack.pop()
            if isinstance(node, ast.stmt):
                yield count, node
            if not isinstance(node, Defined):
                stack += reversed([inner for inner in ast.iter_child_nodes(node) if not isinstance(inner, ast.expr)])


def _star(node: ast.AST) -> list[str]:
    if isinstance(node, ast.ImportFrom) and node.module and any(each.name == "*" for each in node.names):
        return [node.module]
    return []


def _imports(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Each name that an import binds, with the full name of what it stands for."""
    if isinstance(node, ast.Import):
        for each in node.names:
            yield (each.asname, each.name) if each.asname else (each.name.partition(".")[0],) * 2
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        for each in node.names:
            if each.name != "*":
                yield each.asname or each.name, f"{node.module}.{each.name}"


def _imported(node: ast.Import | ast.ImportFrom) -> list[str]:
    """The full names of what an import loads."""
    if isinstance(node, ast.Import):
        return [each.name for each in node.names]
    return [full for _, full in _imports(node)] + _star(node)


def _definitions(node: ast.stmt, count: int) -> Iterator[Definition]:
    """What a statement outside functions says about names of the notebook."""
    if isinstance(node, Defined):
        yield Definition(node.name, count, node, False)
        told = {name for n in ast.walk(node) if isinstance(n, ast.Global) for name in n.names}
        told |= {name for n in ast.walk(node) if (name := _written_name(n))}
        yield from (Definition(name, count, node, True) for name in told)
    elif isinstance(node, ast.Import):
        yield from (Definition(bound, count, node, False) for bound, _ in _imports(node))
    elif isinstance(node, ast.ImportFrom):
        for each in node.names:
            yield Definition(each.asname or each.name, count, ast.ImportFrom(node.module, [each], node.level), False)
    elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if node.value is not None:
            for name, value, is_lasting in _unpacked(targets, node.value):
                yield Definition(name, count, value, is_lasting or isinstance(node, ast.AugAssign))
    elif isinstance(node, ast.For | ast.AsyncFor):
        yield from (
            Definition(name, count, node.iter, lasting) for name, _, lasting in _unpacked([node.target], node.iter)
        )
    elif isinstance(node, ast.With | ast.AsyncWith):
        for item in node.items:
            if item.optional_vars is not None:
                for name, value, is_lasting in _unpacked([item.optional_vars], item.context_expr):
                    yield Definition(name, count, value, is_lasting)
    elif isinstance(node, ast.Match):
        for inner in (n for case in node.cases for n in ast.walk(case.pattern)):
            yield from (Definition(name, count, node.subject, False) for name in _bound_by(inner))
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):  # table.append(…), setattr(thing, …)
        call = node.value
        changed = call.args[0] if _is_call(call, "setattr") and call.args else call.func
        start, parts = _chain(changed)
        if isinstance(start, ast.Name) and (parts or changed is not call.func):
            yield Definition(start.id, count, call, True)
        if (
            isinstance(start, ast.Name) and start.id == "check"
        ):  # check(mine, exercise="conv2d_naive") hands in another name's function
            named = [each.value for each in call.keywords if each.arg == "exercise"] + call.args[1:2]
            yield from (Definition(_literal(name), count, call.args[0], True) for name in named[: len(call.args)])
    for inner in (
        n for expression in ast.iter_child_nodes(node) if isinstance(expression, ast.expr) for n in ast.walk(expression)
    ):
        if isinstance(inner, ast.NamedExpr):
            yield Definition(inner.target.id, count, inner.value, False)
        elif name := _written_name(inner):
            yield Definition(name, count, node, True)


def _written_name(node: ast.AST) -> str:
    """The name that `globals()["a"] = …` gives a meaning, "?" when nobody knows which before the code runs, or ""."""
    if isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load) and _is_table(node.value):
        return _literal(node.slice)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _is_table(node.func.value):
        return "?" if node.func.attr in ("update", "setdefault", "__setitem__") else ""
    return ""


def _is_table(node: ast.AST) -> bool:
    return _is_call(node, "globals") or _is_call(node, "locals")


def _unpacked(targets: Sequence[ast.expr], value: ast.expr) -> Iterator[tuple[str, ast.expr, bool]]:
    """(name, what it becomes, whether it only adds to the name) for an assignment."""
    stack = [(target, value) for target in reversed(targets)]
    while stack:
        target, value = stack.pop()
        if isinstance(target, ast.Name):
            yield target.id, value, False
        elif isinstance(target, ast.Starred):
            stack.append((target.value, value))
        elif isinstance(target, ast.Tuple | ast.List):
            same = isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts)
            starred = any(isinstance(n, ast.Starred) for n in (*target.elts, *getattr(value, "elts", ())))
            values = value.elts if same and not starred else [value] * len(target.elts)  # type: ignore[attr-defined]
            stack += list(zip(target.elts, values, strict=True))
        elif isinstance(target, ast.Attribute | ast.Subscript):  # thing.attribute = …, table[key] = …
            inner: ast.expr = target
            while isinstance(inner, ast.Attribute | ast.Subscript):
                inner = inner.value
            if isinstance(inner, ast.Name):
                yield inner.id, value, True


def _aliases(
    imported: Iterable[ast.AST], assigned: Iterable[tuple[str, ast.AST]], known: dict[str, set[str]]
) -> dict[str, set[str]]:
    """What names stand for: modules and what is in them. `known` are those of the notebook, for a function's own."""
    found: dict[str, set[str]] = defaultdict(set)
    for node in imported:
        for name, full in _imports(node):
            found[name].add(full)
    chains = [(name, *_chain(node)) for name, node in assigned]
    for _ in range(4):  # a = np; b = a; c = b: nobody's honest work goes further
        for name, start, parts in chains:
            begins = {module} if (module := _module(start)) else set()
            if isinstance(start, ast.Name):
                begins = set(found.get(start.id) or known.get(start.id) or ())
                if not begins and start.id in BUILTINS:
                    begins = {f"builtins.{start.id}"}
            named = {".".join((begin, *parts)) for begin in begins}
            if len(found[name]) < MOST_MEANINGS:
                found[name] |= {each for each in named if len(each) <= LONGEST}
    return {name: full for name, full in found.items() if full}


def aliases_inside(node: ast.AST, known: dict[str, set[str]]) -> dict[str, set[str]]:
    """The aliases that are made anywhere inside a definition, and those of parameters by their defaults."""
    imported: list[ast.AST] = []
    assigned: list[tuple[str, ast.AST]] = []
    for inner in ast.walk(node):
        if isinstance(inner, ast.Import | ast.ImportFrom):
            imported.append(inner)
        elif isinstance(inner, ast.Assign):
            assigned += [
                (name, value) for name, value, is_lasting in _unpacked(inner.targets, inner.value) if not is_lasting
            ]
        elif isinstance(inner, ast.AnnAssign | ast.NamedExpr) and isinstance(inner.target, ast.Name) and inner.value:
            assigned.append((inner.target.id, inner.value))
        elif isinstance(inner, FUNCTIONS):
            assigned += _defaults(inner.args)
    return _aliases(imported, assigned, known)


def _defaults(arguments: ast.arguments) -> list[tuple[str, ast.expr]]:
    places = [*arguments.posonlyargs, *arguments.args]
    first = len(places) - len(arguments.defaults)
    pairs = [
        *zip(places[first:], arguments.defaults, strict=True),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]
    return [(place.arg, value) for place, value in pairs if value is not None]


# --- what code mentions ------------------------------------------------------------------------------------------------


def mentions(root: ast.AST) -> Iterator[Mention]:
    """All that the code under `root` names, with Python's rules for which names are local.

    `root` stands outside of functions; its own parameters and variables are local.
    """
    stack: list[tuple[ast.AST, frozenset[str]]] = [(root, frozenset())]
    while stack:
        node, local = stack.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from (Mention(full, (), False, True, False, False, node) for full in _imported(node))
        elif isinstance(node, FUNCTIONS):
            outside, inside, bound = _parts_of_function(node)
            stack += [(child, local) for child in outside]
            stack += [(child, (local - bound[1]) | bound[0]) for child in inside]
        elif isinstance(node, COMPREHENSIONS):
            bound_here = {name for each in node.generators for n in ast.walk(each.target) for name in _bound_by(n)}
            stack.append((node.generators[0].iter, local))
            rest = [child for child in ast.iter_child_nodes(node) if child is not node.generators[0]]
            rest += [node.generators[0].target, *node.generators[0].ifs]
            stack += [(child, local | bound_here) for child in rest]
        else:
            found, children = _mentioned(node, local)
            yield from found
            stack += [(child, local) for child in children]


def _parts_of_function(node: Function) -> tuple[list[ast.AST], list[ast.AST], tuple[frozenset[str], frozenset[str]]]:
    """What is computed outside, what inside, and the names: the function's own, and those that it takes from the notebook."""
    each = node.args
    outside: list[ast.AST] = [*each.defaults, *(value for value in each.kw_defaults if value is not None)]
    arguments = [*each.posonlyargs, *each.args, *each.kwonlyargs, *(a for a in (each.vararg, each.kwarg) if a)]
    outside += [argument.annotation for argument in arguments if argument.annotation is not None]
    if isinstance(node, ast.Lambda):
        inside: list[ast.AST] = [node.body]
    else:
        outside += [*node.decorator_list, *([node.returns] if node.returns is not None else [])]
        inside = list(node.body)
    names, told = {argument.arg for argument in arguments}, set()
    stack = list(inside)
    while stack:
        inner = stack.pop()
        names.update(_bound_by(inner))
        if isinstance(inner, ast.Global):
            told.update(inner.names)
        if not isinstance(inner, (*FUNCTIONS, *COMPREHENSIONS, ast.ClassDef)):
            stack += ast.iter_child_nodes(inner)
    return outside, inside, (frozenset(names - told), frozenset(told))


def _bound_by(node: ast.AST) -> Iterator[str]:
    """The names that this node itself binds, where it stands."""
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        yield node.id
    elif isinstance(node, Defined):
        yield node.name
    elif isinstance(node, ast.Import | ast.ImportFrom):
        yield from (name for name, _ in _imports(node))
    elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
        yield node.name
    elif isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest


def _mentioned(node: ast.AST, local: frozenset[str]) -> tuple[list[Mention], list[ast.AST]]:
    """What a node names, and what of it is still to be looked at."""
    if isinstance(node, ast.Call) and _attribute_of(node) is None and not _module(node):
        arguments: list[ast.AST] = [*node.args, *node.keywords]
        if by_text := _attributes_by_text(node):
            return [Mention("", by_text, False, False, False, False, node)], [node.func, *arguments]
        if (_is_call(node, "setattr") or _is_call(node, "delattr")) and len(node.args) > 1:
            found, rest = _named(node.args[0], local, (_literal(node.args[1]),))
            return [each._replace(is_stored=True) for each in found], [*rest, *arguments[1:]]
        found, rest = _named(node.func, local)
        return [each._replace(is_called=True) for each in found], [*rest, *arguments]
    found, rest = _named(node, local)
    if node in rest:  # it is no chain
        return found, list(ast.iter_child_nodes(node))
    return found, rest


def _named(node: ast.AST, local: frozenset[str], more: tuple[str, ...] = ()) -> tuple[list[Mention], list[ast.AST]]:
    """The mention that a chain of attributes is, and what else stands in it."""
    start, parts = _chain(node)
    parts += more
    is_stored = not isinstance(getattr(node, "ctx", ast.Load()), ast.Load)
    rest = _arguments_in_chain(node)
    if isinstance(start, ast.Name):
        return [Mention(start.id, parts, start.id in local, False, is_stored, False, node)], rest
    if module := _module(start):
        return [Mention(module, parts, False, True, is_stored, False, node)], [*rest, *ast.iter_child_nodes(start)]
    found = [Mention("", parts, False, False, is_stored, False, node)] if parts else []
    return found, [*rest, start]


def _chain(node: ast.AST) -> tuple[ast.AST, tuple[str, ...]]:
    """Where a chain of attributes begins, and the attributes: `a.b.c`, `getattr(a, "b").c`, `vars(a)["b"].c`."""
    parts = []
    while (found := _attribute_of(node)) is not None:
        node, part = found
        parts.append(part)
    return node, tuple(reversed(parts))


def _arguments_in_chain(node: ast.AST) -> list[ast.AST]:
    """What else stands in a chain: the arguments of its `getattr`."""
    arguments: list[ast.AST] = []
    while (found := _attribute_of(node)) is not None:
        if isinstance(node, ast.Call):
            arguments += node.args[1:]
        elif isinstance(node, ast.Subscript):
            arguments.append(node.slice)
        node = found[0]
    return arguments


def _attribute_of(node: ast.AST) -> tuple[ast.AST, str] | None:
    """For an attribute of something: that thing, and the attribute's name."""
    if isinstance(node, ast.Attribute):
        return node.value, "?" if node.attr in CHOSEN else node.attr
    if _is_call(node, "getattr") and len(node.args) > 1:
        return node.args[0], _literal(node.args[1])
    if _is_call(node, "vars") and node.args:
        return node.args[0], "?"
    if isinstance(node, ast.Subscript):  # vars(a)["b"], a.__dict__["b"]
        table = node.value
        if isinstance(table, ast.Attribute) and table.attr in CHOSEN:
            return table.value, _literal(node.slice)
        if _is_call(table, "vars") and table.args:
            return table.args[0], _literal(node.slice)
    return None


def _literal(node: ast.AST) -> str:
    """The name that a text in the code says, or "?" when nobody knows it before the code runs."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value not in CHOSEN:
        return node.value if NAME.fullmatch(node.value) else "?"
    return "?"


def _module(node: ast.AST) -> str:
    """The module's name for `__import__("a")`, `importlib.import_module("a.b")` and `sys.modules["a.b"]`, else ""."""
    name = ""
    if isinstance(node, ast.Call) and node.args:
        start, parts = _chain(node.func)
        last = parts[-1] if parts else getattr(start, "id", "")
        if last in ("import_module", "__import__"):
            name = _literal(node.args[0])
        if last == "__import__" and len(node.args) < 4 and not node.keywords:  # then it gives the outermost package
            name = name.partition(".")[0]
    elif isinstance(node, ast.Subscript) and _chain(node.value)[1][-1:] == ("modules",):
        name = _literal(node.slice)
    return "" if name == "?" else name


def _attributes_by_text(node: ast.Call) -> tuple[str, ...]:
    """The attributes that `operator.attrgetter("a.b")` and `methodcaller("a")` will take."""
    start, parts = _chain(node.func)
    if node.args and (parts[-1] if parts else getattr(start, "id", "")) in ("attrgetter", "methodcaller"):
        return tuple(_literal(node.args[0]).split("."))
    return ()


def _is_call(node: ast.AST, name: str) -> TypeGuard[ast.Call]:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
