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
