"""Calls of what an exercise forbids, hidden behind Python's own library, NumPy, IPython or a text: each must be read, or seen at work.

Each is a few cells; `conv2d_naive` gives the right answer by a function of somebody else's.
"""

from __future__ import annotations

from textwrap import dedent

UNET = "import unet_edu.convolution\n"
NAME = "'unet_edu.convolution' + '%sconv2d'"


def _by(expression: str, before: str = "") -> tuple[str, ...]:
    return (f"{UNET}{dedent(before)}", f"def conv2d_naive(x, k):\n    return ({expression})(x, k)")


def _behind(expression: str, before: str = "") -> tuple[str, ...]:
    """The same, called from a frame of Python's own library."""
    return _by(f"functools.singledispatch({expression})", f"{before}\nimport functools")


HIDDEN = {
    # found by a name that is put together
    "resolve_name": _behind(f"pkgutil.resolve_name({NAME % ':'})", "import pkgutil"),
    "locate": _behind(f"pydoc.locate({NAME % '.'})", "import pydoc"),
    "entry_point": _behind(f"m.EntryPoint('a', {NAME % ':'}, 'b').load()", "import importlib.metadata as m"),
    "getmembers": _behind(
        "next(f for n, f in inspect.getmembers(unet_edu.convolution) if n == 'conv' + '2d')", "import inspect"
    ),
    "pickle": _behind("pickle.loads(b'cunet_edu.convolution\\nconv2d\\n.')", "import pickle"),
    "get_field": _behind(
        "string.Formatter().get_field('0.conv' + '2d', [unet_edu.convolution], {})[0]", "import string"
    ),
    "type_hints": _behind(
        "typing.get_type_hints(Odd, vars(unet_edu.convolution))['a']",
        "import typing\nclass Odd: __annotations__ = {'a': 'conv' + '2d'}",
    ),
    "attrgetter": _behind("operator.attrgetter('conv' + '2d')(unet_edu.convolution)", "import operator"),
    "reduce_getattr": _behind(
        "functools.reduce(getattr, ['convolution', 'conv' + '2d'], unet_edu)", "import functools"
    ),
    "getattr_under_a_name": _behind("g(unet_edu.convolution, 'conv' + '2d')", "g = getattr"),
    "globals": _behind("globals()['con' + 'v2d']", "from unet_edu.convolution import conv2d"),
    # called by somebody else's frame
    "singledispatch": _by(
        "functools.singledispatch(conv)",
        "import functools\nimport pkgutil; conv = pkgutil.resolve_name('unet_edu.convolution' + ':conv2d')",
    ),
    "vectorize": _by(
        "lambda x, k: np.vectorize(conv, signature='(a,b),(c,d)->(e,f)')(x, k)",
        "import numpy as np\nimport pkgutil; conv = pkgutil.resolve_name('unet_edu.convolution' + ':conv2d')",
    ),
    "mock": _by(
        "Mock(side_effect=conv)",
        "from unittest.mock import Mock\nimport pkgutil; conv = pkgutil.resolve_name('unet_edu.convolution' + ':conv2d')",
    ),
    "methodcaller": _by(
        "lambda x, k: operator.methodcaller('conv' + '2d', x, k)(unet_edu.convolution)", "import operator"
    ),
    "default_factory": _by(
        "lambda x, k: dataclasses.make_dataclass('D', [('a', object, dataclasses.field(default_factory=lambda: conv(x, k)))])().a",
        "import dataclasses\nimport pkgutil; conv = pkgutil.resolve_name('unet_edu.convolution' + ':conv2d')",
    ),
    "executor": _by(
        "lambda x, k: ThreadPoolExecutor(1).submit(conv, x, k).result()",
        "from concurrent.futures import ThreadPoolExecutor\nimport pkgutil; conv = pkgutil.resolve_name('unet_edu.convolution' + ':conv2d')",
    ),
    "sorted_by": _by(
        "lambda x, k: (y := [], sorted([0], key=lambda n: y.append(conv(x, k))))[0][0]",
        "import pkgutil; conv = pkgutil.resolve_name('unet_edu.convolution' + ':conv2d')",
    ),
    "detach": _by(
        "Late",
        "import functools\nimport pkgutil; conv = pkgutil.resolve_name('unet_edu.convolution' + ':conv2d')\n"
        "class Late:\n    def __init__(self, x, k): self.detach = functools.partial(conv, x, k)",
    ),
    "as_array": _by(
        "Late",
        "import pkgutil; conv = pkgutil.resolve_name('unet_edu.convolution' + ':conv2d')\n"
        "class Late:\n    def __init__(self, *given): self.given = given\n"
        "    def __array__(self, dtype=None, copy=None): return conv(*self.given)",
    ),
    "timeit": _by(
        "lambda x, k: (y := [], timeit.timeit(lambda: y.append(conv(x, k)), number=1))[0][0]",
        "import timeit\nimport pkgutil; conv = pkgutil.resolve_name('unet_edu.convolution' + ':conv2d')",
    ),
}
BEHIND = 'import functools\ndef conv2d_naive(x, k):\n    return functools.singledispatch(globals()["the" + "re"])(x, k)'
RUN = {
    # what IPython runs
    "semicolon": (UNET, ";exec from unet_edu.convolution import conv2d as there"),
    "comma": (
        UNET
        + "import pkgutil\ndef have(name, value): globals()[name] = pkgutil.resolve_name('unet_edu.convolution:' + value)",
        ",have there conv2d",
    ),
    "slash": (UNET + "def have():\n    globals()['there'] = getattr(unet_edu.convolution, 'conv' + '2d')", "/have"),
    "own_magic": (
        "from IPython.core.magic import register_cell_magic\n@register_cell_magic\ndef mine(line, cell): get_ipython().ex(cell)",
        "%%mine\nfrom unet_edu.convolution import conv2d as there",
    ),
    "ex": ("get_ipython().ex('from unet_edu.convolution import conv' + '2d as there')",),
    "ex_under_a_name": ("ip = get_ipython()\nip.ex('from unet_edu.convolution import conv' + '2d as there')",),
    "run_cell": ("get_ipython().run_cell('from unet_edu.convolution import conv' + '2d as there')",),
    "run_line_magic": (
        "get_ipython().run_line_magic('time', 'from unet_edu.convolution import conv' + '2d as there')",
    ),
    "timed": ("%time from unet_edu.convolution import conv2d as there",),
    "timed_without_a_sign": ("time from unet_edu.convolution import conv2d as there",),
    "between_magics": (
        '%matplotlib inline\ns = """\n!a \\\n"""; from unet_edu.convolution import conv2d as there; t = """\n"""',
    ),
    "macro": ("t = 'from unet_edu.convolution import conv' + '2d as there'\n%macro -q m t", "m"),
}
HIDDEN |= {name: (*cells, BEHIND) for name, cells in RUN.items()}
HIDDEN |= {
    # the watch is put to sleep
    "blinded": _by("(setattr(sys.getprofile().__self__, 'patterns', ()), conv)[-1]", "import sys\nimport pkgutil; conv = pkgutil.resolve_name('unet_edu.convolution' + ':conv2d')"),
    "known_as_harmless": _by(
        "(setattr(sys.getprofile().__self__, '_known', lambda *a: ''), conv)[-1]", "import sys\nimport pkgutil; conv = pkgutil.resolve_name('unet_edu.convolution' + ':conv2d')"
    ),
    "off_and_on": (
        "import sys, pkgutil\nconv = pkgutil.resolve_name('unet_edu.convolution' + ':conv2d')",
        "def conv2d_naive(x, k):\n    p = sys.getprofile()\n    sys.setprofile(None)\n    y = conv(x, k)\n    sys.setprofile(p)\n    return y",
    ),
    "under_a_librarys_name": ("__name__ = 'torch'", UNET + "def conv2d_naive(x, k): return globals()['unet_' + 'edu'].convolution.conv2d(x, k)"),
}  # fmt: skip
CONV = "conv = globals()['con' + 'v2d']"
FROM = f"from unet_edu.convolution import conv2d\n{CONV}"
ASKS = (
    "def empty(): pass\ndef conv2d_naive(x, k):\n    box['ask'] = x, k\n    empty()\n"
    "    return box['told'] if 'told' in box else conv(x, k)"
)
HIDDEN |= {
    # the watch is given something of the notebook's own, which answers when the watch looks at it
    "globals_with_a_get": (
        (
            f"{FROM}\nbox = {{}}\nclass Names(dict):\n    def get(self, key, default=None):\n        if 'ask' in box:\n"
            "            box['told'] = conv(*box.pop('ask'))\n        return dict.get(self, key, default)"
        ),
        f"space = Names(conv=conv, box=box)\nexec({ASKS!r}, space)\nconv2d_naive = space['conv2d_naive']",
    ),
    "name_with_a_hash": (
        (
            f"{FROM}\nbox = {{}}\nclass Text(str):\n    def __hash__(self):\n        if 'ask' in box:\n"
            "            box['told'] = conv(*box.pop('ask'))\n        return 1\n__name__ = Text('x')"
        ),
        ASKS,
    ),
    "module_renamed": (
        (
            "import inspect\nfrom scipy.signal import correlate2d\nc = globals()['corre' + 'late2d']\n"
            "home = inspect.getmodule(c)\nhome.__name__ = 'mine'"
        ),
        "def conv2d_naive(x, k): return c(x, k, 'valid')",
    ),
    "module_of_pytorch_renamed": (
        "import torch\nfrom torch import conv2d\nc = globals()['con' + 'v2d']\nc.__module__ = 'math'",
        (
            "def conv2d_naive(x, k):\n    a, b = (torch.tensor(each, dtype=torch.float64)[None, None] for each in (x, k))\n"
            "    return c(a, b)[0, 0].numpy()"
        ),
    ),
    # a package calls it that is neither Python's nor built on what is forbidden
    "traitlets": (
        f"import functools, traitlets\n{FROM}\nclass Has(traitlets.HasTraits): a = traitlets.Any()",
        (
            "def conv2d_naive(x, k):\n    one, other = Has(a=x), Has(a=0)\n"
            "    traitlets.dlink((one, 'a'), (other, 'a'), functools.partial(conv, w=k))\n    return other.a"
        ),
    ),
}
PUT_TOGETHER = ("globals", "under_a_librarys_name", "globals_with_a_get", "name_with_a_hash")
PUT_TOGETHER += ("module_renamed", "module_of_pytorch_renamed", "traitlets")
ONLY_SEEN = (*PUT_TOGETHER, *RUN)  # no reading follows a name that is put together

# A table of answers is made before the function is called, and put into its place in a roundabout way.
MADE = "{(n, s): output_size(n, 1, s) for n in range(1, 20100) for s in range(1, 6)}"
LOOKS_UP = "def out_size(i, k, s=1, p=0, d=1):\n    return int({}[i + 2 * p - d * (k - 1), s])"


def _filled(statement: str, start: str = "T = {}", table: str = "T") -> tuple[str, ...]:
    cell = f"import numpy as np\nfrom unet_edu.convolution import output_size\n{start}\n"
    return (cell + statement.replace("MADE", MADE), LOOKS_UP.format(table))


ZEROS, IN_ROWS = (
    "T = np.zeros((20100, 6))",
    "[[output_size(n, 1, s) if n * s else 0 for s in range(6)] for n in range(20100)]",
)
TABLES = {
    "an argument": _filled("def fill(t): t.update(MADE)\nfill(T)"),
    "a class": _filled("class Fill:\n    def __init__(self, t): t.update(MADE)\nFill(T)"),
    "a class below": _filled("class Fill:\n    def __init_subclass__(cls, t): t.update(MADE)\nclass Of(Fill, t=T): pass"),
    "any": _filled("any([T.update(MADE)])"),
    "a list of nothing": _filled("[T.update(MADE) for _ in [0]]"),
    "nothing": _filled("nothing = T.update(MADE)"),
    "an assertion": _filled("assert not T.update(MADE)"),
    "a condition": _filled("if T.update(MADE): pass"),
    "a map": _filled("for _ in map(T.__setitem__, *zip(*MADE.items())): pass"),
    "a method by its class": _filled("dict.update(T, MADE)"),
    "a generator": _filled("def fill():\n    t = yield\n    yield t.update(MADE)\ng = fill()\nnext(g)\ng.send(T)"),
    "a finaliser": _filled("import weakref\nclass A: pass\na = A()\nweakref.finalize(a, lambda t: t.update(MADE), T)\ndel a"),
    "an event": _filled("get_ipython().events.register('post_run_cell', lambda r: T or T.update(MADE))"),
    "another name": _filled("U = T\nU.update(MADE)"),
    "a loop's name": _filled("for U in [T]: U.update(MADE)"),
    "a pattern's name": _filled("match T:\n    case dict() as U: U.update(MADE)"),
    "a walrus in a list": _filled("[T := MADE for _ in [0]]", start=""),
    "an exception": _filled("try: raise ValueError(MADE)\nexcept ValueError as e: T = e.args[0]", start=""),
    "a class of its own": _filled("class A: T = {}\nA().T.update(MADE)", start="", table="A.T"),
    "setattr": _filled("class A: pass\nnothing = setattr(A, 'T', MADE)", start="", table="A.T"),
    "builtins": _filled("import builtins\nbuiltins.T = MADE", start=""),
    "__main__": _filled("import __main__\n__main__.T = MADE", start=""),
    "globals under a name": _filled("g = globals()\ng['T'] = MADE", start=""),
    "another name of NumPy": _filled("import numpy\nnumpy.T = MADE", start="", table="np.T"),
    "push": _filled("get_ipython().push({'T': MADE})", start=""),
    "what a cell returned": _filled("MADE", start="", table="_"),
    "a copy": _filled(f"np.copyto(T, {IN_ROWS})", ZEROS),
    "out": _filled(f"A = np.array({IN_ROWS})\nnp.add(A, 0, out=T)", ZEROS),
    "a view": _filled(f"W = T[:]\nW[...] = {IN_ROWS}", ZEROS),
    "nditer": _filled(f"A = iter(np.ravel({IN_ROWS}))\nfor v in np.nditer(T, op_flags=['readwrite']): v[...] = next(A)", ZEROS),
    "genfromtxt": _filled(f"np.savetxt('t.txt', {IN_ROWS})\nT = np.genfromtxt('t.txt')", ""),
    "a raw file": _filled(f"import io\nnp.savetxt('t.txt', {IN_ROWS}, fmt='%d')\n"
                          "T = np.array([line.split() for line in io.FileIO('t.txt').readlines()], dtype=float)", ""),
    "a path": _filled(f"import pathlib\nnp.savetxt('t.txt', {IN_ROWS}, fmt='%d')\n"
                      "T = np.array([line.split() for line in pathlib.Path('t.txt').open()], dtype=float)", ""),
    "a line cache": _filled(f"import linecache\nnp.savetxt('t.txt', {IN_ROWS}, fmt='%d')\n"
                            "T = np.array([line.split() for line in linecache.getlines('t.txt')], dtype=float)", ""),
    "a module that is handed on": _filled(
        "def g(lib): return lib.signal.correlate\nc = g(scipy)\n"
        "T.update(((n, s), len(c(np.ones(n), np.ones(1), 'valid')[::s])) for n in range(1, 20100) for s in range(1, 6))",
        "import scipy.signal\nT = {}"),
    "what is printed": (
        ("import io, contextlib\nfrom unet_edu.convolution import output_size\nwith contextlib.redirect_stdout(io.StringIO()) as T:\n"
        "    for n in range(20100): print(*[output_size(n, 1, s) if n * s else 0 for s in range(6)])"),
        LOOKS_UP.format("[line.split() for line in T.getvalue().splitlines()]").replace(", s])", "][s])"),
    ),
}  # fmt: skip
