"""The program inside the sandbox, here without one: it runs cells as Jupyter does, and turns what functions answer into
plain bytes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest

from tests.grading.hidden import HIDDEN, ONLY_SEEN
from unet_edu.checks import SEED, Case, attempt, judge
from unet_edu.grading import wire
from unet_edu.grading.forbidden import tampering, uses
from unet_edu.grading.sandbox import view
from unet_edu.lessons import EXERCISES

ENVIRONMENT = {"PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}


class Runner:
    """The program inside, as a plain child process over two pipes."""

    def __init__(self, program: Path, folder: Path) -> None:
        request, self._requests = os.pipe()
        self._replies, reply = os.pipe()
        self.printed = folder / "printed.txt"
        with self.printed.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-B", str(program), str(request), str(reply)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd=folder,
                pass_fds=(request, reply),
                env={**ENVIRONMENT, "HOME": str(folder)},
            )
        os.close(request)
        os.close(reply)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._requests)
        try:
            self.process.wait(10)
        finally:
            self.process.kill()
            os.close(self._replies)

    def ask(self, request: bytes) -> bytes:
        os.write(self._requests, len(request).to_bytes(8, "big"))
        while request:
            request = request[os.write(self._requests, request) :]
        return self._exactly(int.from_bytes(self._exactly(8), "big"))

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            part = os.read(self._replies, size - len(data))
            if not part:
                raise EOFError(f"the runner ended: {self.printed.read_text()[-2000:]}")
            data += part
        return data

    def cell(self, source: str) -> wire.CellReply:
        return wire.read_cell(self.ask(wire.cell(source)))

    def runs(self, source: str) -> None:
        reply = self.cell(source)
        assert reply.ok, f"{source}\n{reply.error}\n{self.printed.read_text()[-2000:]}"

    def call(self, name: str, *args: Any, forbidden: tuple[str, ...] = (), **kwargs: Any) -> wire.CallReply:
        return wire.read_call(self.ask(wire.call(name, Case("a case", args, kwargs), forbidden)))

    def value(self, name: str, *args: Any) -> np.ndarray[Any, Any]:
        answer = self.call(name, *args).answer
        assert answer.kind == "value", answer
        assert answer.value is not None
        return answer.value


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runner in the course as it is seen from inside."""
    folder = tmp_path_factory.mktemp("course")
    view.copy_course(folder)
    return folder / "runner.py"


@pytest.fixture(scope="module")
def shared(program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    with Runner(program, tmp_path_factory.mktemp("notebook")) as runner:
        yield runner


@pytest.fixture
def fresh(program: Path, tmp_path: Path) -> Iterator[Runner]:
    with Runner(program, tmp_path) as runner:
        yield runner


# --- cells ------------------------------------------------------------------------------------------------------------

RUNS = {
    "a magic": "%matplotlib inline",
    "a setting of a magic": "%config InlineBackend.figure_format = 'retina'",
    "an extension": "%load_ext autoreload\n%autoreload 2",
    "a timed line": "%time timed = 1\nassert timed",
    "a timed cell": "%%time\ntimed_too = 1",
    "a timed cell's variables": "assert timed_too",
    "a captured cell": "%%capture out\nprint('kept')",
    "what was captured": "assert out.stdout == 'kept\\n'",
    "a file": "%%writefile helper_of_mine.py\nx = 5",
    "a module of one's own": "import helper_of_mine\nassert helper_of_mine.x == 5",
    "a shell": "%%bash\ntrue",
    "a command": "!true\nassert _exit_code == 0",
    "a command that fails": "!false\nassert _exit_code == 1",
    "a command that waits for input": "!cat",
    "a command with a variable": "word = 'hi'\nsaid = !echo {word}\nassert said == ['hi']",
    "help": "print?",
    "the history": "%history",
    "await": "import asyncio\nawait asyncio.sleep(0)",
    "display": "display([1], 'two')",
    "the last value": "40 + 2",
    "what was shown": "assert Out and In",
    "an expression that shows HTML": "class H:\n    def _repr_html_(self): return '<b>'\nH()",
    "main": "assert __name__ == '__main__'",
    "exit": "exit()",
    "quit": "quit()\nassert True",
    "a widget": "import ipywidgets\nipywidgets.interact(lambda a: None, a=(0, 3))",
    "a progress bar": "from tqdm.notebook import tqdm\nfor _ in tqdm(range(3)): pass",
    "a check": "from unet_edu import check, quiz\ncheck(print)\ncheck(print, exercise='x')",
    "a comparison": "from unet_edu.checks import compare\ncompare(None, 3)",
    "a quiz": "quiz('02').answer(1, 'b')\nquiz('02')",
    "the progress": "from unet_edu import progress\nprogress('02')\nprogress('02', {'out_size': 2})",
    "an explorer": "from unet_edu.explore.convolution import convolution\nconvolution()",
    "Colab": "from google.colab import drive, files, output\ndrive.mount('/content/drive')\nassert files.upload() == "
    "{}",
    "half a character": "half = '\\ud800'\nprint(half)",
    "figures": "import matplotlib.pyplot as plt\nfor _ in range(5): plt.figure()\nplt.show()",
    "no figure is left": "assert plt.get_fignums() == []",
    "no thread of the history": "import threading\nassert not [t for t in threading.enumerate() if 'istory' in "
    "type(t).__name__]",
    "no history": "assert not get_ipython().history_manager.enabled",
}


@pytest.mark.parametrize("name", RUNS)
def test_a_cell_runs_as_in_jupyter(shared: Runner, name: str) -> None:
    shared.runs(RUNS[name])


def test_pytorch_is_loaded_only_when_the_notebook_or_a_probe_asks(fresh: Runner) -> None:
    fresh.runs("import numpy as np\nimport sys\ndef f(x): return x")
    assert fresh.call("f", 1, forbidden=("torch.conv*",)).answer.kind == "value"
    fresh.runs("assert 'torch' not in sys.modules")


@pytest.mark.parametrize(
    "line",
    [
        "%pip install -q 'unet-edu @ git+https://example.org/x'",
        "!pip install torch",
        "!python -m pip install torch",
        "!apt-get update",
        "!sudo apt install x",
    ],
)
def test_nothing_is_installed(shared: Runner, line: str) -> None:
    before = shared.printed.read_text()
    shared.runs(line)
    said = shared.printed.read_text().removeprefix(before).splitlines()
    assert len(said) == 1 and said[0].startswith("Nothing is installed here"), "pip itself would say more"


STOPS = {
    "sys.exit": ("import sys; sys.exit(3)", "SystemExit: 3"),
    "input": ("input('name?')", "EOFError"),
    "no Python": ("def (", "SyntaxError"),
    "return": ("return 3", "SyntaxError"),
    "an interrupt": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "an exception of every kind": ("raise BaseException('x')", "BaseException: x"),
    "a magic that is not there": ("%tensorflow_version 2.x", "UsageError"),
    "an exception without words": (
        "class Bad(Exception):\n    def __str__(self): raise KeyboardInterrupt\nraise Bad",
        "",
    ),
    "a long exception": ("raise ValueError('é' * 10**6)", "ValueError: é"),
    "lines and colours": ("raise ValueError('\\x1b[31m a\\n\\n b \\ud800')", "ValueError: �[31m a b �"),
    "a name that is far too long": ("raise type('N' * 10**6, (Exception,), {})", "NNN"),
}


@pytest.mark.parametrize("name", STOPS)
def test_a_cell_that_raises_is_told_in_one_bounded_line(shared: Runner, name: str) -> None:
    source, start = STOPS[name]
    reply = shared.cell(source)
    assert not reply.ok
    assert reply.error.startswith(start)
    shared.runs("1")  # and the next cell runs


def test_a_traceback_is_plain_and_bounded(fresh: Runner) -> None:
    fresh.cell("def f(n):\n    return f(n - 1) if n else 1 / 0\nf(900)")
    fresh.cell("raise ValueError('y' * 10**6)")
    printed = fresh.printed.read_text()
    assert "ZeroDivisionError: division by zero" in printed
    assert "return f(n - 1) if n else 1 / 0" in printed
    assert "\x1b" not in printed
    assert "interactiveshell" not in printed
    assert len(printed) < 12_000


BEHIND = """
a = 1
def before(x): return x
if True:
    1 / 0
@staticmethod
def behind(x): return x
import math as mathematics
class Behind: pass
try:
    import not_there_at_all
except ImportError:
    found = 'the other way'
SIZE = (3, 3)
MADE = [side + 1 for side in SIZE]
MADE[0] += behind(1)
if MADE:
    import os as system
    WHERE = system.sep
with open(system.devnull) as nothing:
    READ = nothing.read()
print('not this')
if True:
    print('nor this')
for SIZE in range(3): pass
while True: pass
def last(x): return SIZE
"""


def test_what_is_defined_behind_an_exception_is_there(fresh: Runner) -> None:
    assert fresh.cell(BEHIND).error == "ZeroDivisionError: division by zero"
    fresh.runs("assert callable(before) and callable(behind) and mathematics.pi and Behind and last(0) == (3, 3)")
    fresh.runs("assert found == 'the other way' and MADE == [5, 4] and (WHERE, READ) == ('/', '')")
    assert "not this\n" not in fresh.printed.read_text() and "nor this\n" not in fresh.printed.read_text()


@pytest.mark.parametrize("slow", ["time.sleep(10_000)", "forever()", "[x for x in iter(int, 1)]"])
def test_an_assignment_behind_an_exception_does_not_take_long(fresh: Runner, slow: str) -> None:
    cell = f"""
import time
def forever():
    while True:
        try: time.sleep(0.01)
        except Exception: pass
1 / 0
slow = {slow}
behind = 3
"""
    # and it comes, though two of these never end
    assert fresh.cell(cell).error == "ZeroDivisionError: division by zero"
    fresh.runs("import signal\nassert behind == 3 and 'slow' not in globals()")
    fresh.runs(
        "assert signal.getitimer(signal.ITIMER_REAL) == (0, 0) and signal.getsignal(signal.SIGALRM) == signal.SIG_DFL"
    )


def test_a_definition_above_an_exception_is_not_run_again(fresh: Runner) -> None:
    fresh.cell("import functools\ndef f(x): return x\nf = functools.partial(f, 2)\n1 / 0\ndef g(): pass")
    fresh.runs("assert f() == 2 and g")


@pytest.mark.parametrize("first", ["", "%%time\n", "%%capture\n", "\n\n"])
def test_only_the_definitions_of_a_cell(fresh: Runner, first: str) -> None:
    source = (
        first
        + "import math\nK = 3\ndef f(x): return x * K\n@nothing\ndef lost(): pass\n"
        + "print('no')\nwhile True: pass\nclass C: pass"
    )
    reply = wire.read_cell(fresh.ask(wire.definitions(source + "\nD = [K]", assignments=False)))
    assert reply.ok
    assert fresh.value("f", 2) == 6
    fresh.runs("assert 'D' not in globals()")
    assert wire.read_cell(fresh.ask(wire.definitions(source + "\nD = [K]", assignments=True))).ok
    fresh.runs("assert D == [3]")
    fresh.runs("assert C and math and 'lost' not in globals()")
    assert "no\n" not in fresh.printed.read_text()


@pytest.mark.parametrize("source", ["def f(:", "\0", "(" * 10_000, "-" * 10**5 + "1", "%%html\n<b>"])
def test_definitions_of_what_is_no_python(shared: Runner, source: str) -> None:
    assert wire.read_cell(shared.ask(wire.definitions(source, assignments=True))).ok


def test_programs_that_a_notebook_starts_do_not_get_the_pipes(fresh: Runner) -> None:
    fresh.runs(
        "import subprocess\nfds = subprocess.run(['ls', '/proc/self/fd'], capture_output=True, "
        "text=True).stdout.split()"
    )
    fresh.runs("assert set(fds) <= {'0', '1', '2', '3'}, fds")  # 3: the folder that ls reads
    fresh.runs(
        "import os, stat\npid = os.fork()\nif not pid:\n    os._exit(len([f for f in os.listdir('/proc/self/fd')]) - 1)"
    )
    fresh.runs(
        "code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])\nassert code == len(os.listdir('/proc/self/fd')) - "
        "3, code"
    )


def test_a_copy_of_the_process_does_not_answer(fresh: Runner) -> None:
    fresh.runs("import os\nmine = os.getpid()\nos.fork()\nos.fork()")
    fresh.runs("def f(x): return x")
    assert fresh.value("f", 4) == 4


def test_it_ends_with_its_pipe_and_runs_nothing_more(program: Path, tmp_path: Path) -> None:
    with Runner(program, tmp_path) as runner:
        runner.runs("import atexit\natexit.register(lambda: open('late', 'w').close())")
        runner.runs("import threading, time\nthreading.Thread(target=time.sleep, args=(600,)).start()")
    assert runner.process.returncode == 0
    assert not (tmp_path / "late").exists()


def test_a_notebook_that_breaks_its_own_shell_harms_only_itself(fresh: Runner) -> None:
    fresh.runs("def broken(lines): raise ValueError('broken')\nget_ipython().input_transformers_cleanup.append(broken)")
    assert not fresh.cell("x = 1").ok
    assert wire.read_cell(fresh.ask(wire.definitions("x = 1", assignments=True))).ok


def test_annotations_of_what_is_defined_behind_an_exception(fresh: Runner) -> None:
    fresh.cell("1 / 0\ndef f(x: int): return x")
    fresh.runs("assert f.__annotations__ == {'x': int}")
    fresh.cell("from __future__ import annotations\n1 / 0\ndef g(x: Later): return x")
    fresh.runs("assert g.__annotations__ == {'x': 'Later'}")


def test_a_notebook_that_closes_everything_harms_only_itself(program: Path, tmp_path: Path) -> None:
    with Runner(program, tmp_path) as runner:
        runner.runs("import sys\nsys.stdout.close()\nsys.stderr = None")
        runner.runs("1")
        with pytest.raises(EOFError):
            runner.cell("import os\nos.closerange(0, 256)")


# --- calls ------------------------------------------------------------------------------------------------------------

FUNCTIONS = """
import numpy as np
class Liar:
    def __array__(self, *args, **kwargs): raise SystemExit
    def __eq__(self, other): return True
class Mine(np.ndarray): pass
class Own(BaseException): pass
def echo(x): return x
def nothing(x): print('the answer', x)
def empty(x): raise NotImplementedError
def pass_(x): pass
def raises(x): return [1, 2][x]
def exits(x): exit_ = SystemExit(3); raise exit_
def interrupts(x): raise KeyboardInterrupt
def own(x): raise Own('no')
def liar(x): return Liar()
def objects(x): return np.array([x, 'a'], dtype=object)
def ragged(x): return [[1], [1, 2]]
def complex_(x): return 1j
def text(x): return 'words'
def mine(x): return np.arange(4).reshape(2, 2).view(Mine)
def masked(x): return np.ma.masked_array([1, 2], [True, False])
def long_double(x): return np.array([1.5], dtype=np.longdouble)
def big_end(x): return np.array([[1, 2]], dtype='>i4')
def fortran(x): return np.asfortranarray(np.arange(6).reshape(2, 3))
def half(x): return np.array([0.5], np.float16)
def truth(x): return np.array([[True, False]])
def none_at_all(x): return np.zeros((0, 3))
def many(x): return np.zeros(2_000_000)
def spread(x): return np.broadcast_to(np.int8(1), (1 << 11, 1 << 11))
def changes(x): x[0] = 7; return 1
def shouts(x): raise ValueError('\\x1b]0;title\\x07 \\u202e ' + 'é' * 10**6)
def random_(x): import random; return [np.random.rand(), random.random()]
async def later(x): return 1
number = 3
alias = abs
"""


@pytest.fixture(scope="module")
def functions(program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    with Runner(program, tmp_path_factory.mktemp("functions")) as runner:
        runner.runs(FUNCTIONS)
        yield runner


@pytest.mark.parametrize(
    ("name", "value", "dtype"),
    [
        ("mine", [[0, 1], [2, 3]], "int64"),
        ("long_double", [1.5], "float64"),
        ("big_end", [[1, 2]], "int32"),
        ("fortran", [[0, 1, 2], [3, 4, 5]], "int64"),
        ("half", [0.5], "float16"),
        ("truth", [[True, False]], "bool"),
        ("none_at_all", np.zeros((0, 3)), "float64"),
        ("alias", 2, "int64"),
    ],
)
def test_a_value_comes_out_as_it_is(functions: Runner, name: str, value: Any, dtype: str) -> None:
    answer = functions.value(name, -2)
    assert answer.dtype == dtype
    np.testing.assert_array_equal(answer, value, strict=False)
    assert answer.shape == np.shape(value)


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("nothing", "nothing", ""),
        ("empty", "empty", ""),
        ("pass_", "empty", ""),
        ("raises", "raised", "IndexError: list index out of range"),
        ("exits", "raised", "SystemExit: 3"),
        ("interrupts", "raised", "KeyboardInterrupt"),
        ("own", "raised", "Own: no"),
        ("liar", "unusable", "Liar"),
        ("objects", "unusable", "ndarray"),
        ("ragged", "unusable", "rows of different lengths"),
        ("complex_", "unusable", "complex"),
        ("text", "unusable", "str"),
        ("masked", "unusable", "MaskedArray"),
        ("many", "unusable", "2000000 numbers"),
        ("spread", "unusable", "4194304 numbers"),
        ("later", "unusable", "coroutine"),
        ("shouts", "raised", "�]0;title� � "),
        ("number", "unusable", "should be a function"),
    ],
)
def test_what_is_no_value_says_why(functions: Runner, name: str, kind: str, words: str) -> None:
    reply = functions.call(name, 5)
    assert (reply.found, reply.answer.kind) == (True, kind)
    assert words in reply.answer.message


def test_a_name_that_is_not_there(functions: Runner) -> None:
    reply = functions.call("nowhere", 5)
    assert (reply.found, reply.answer.kind) == (False, "empty")


def test_the_line_of_the_student_is_named(functions: Runner) -> None:
    assert "in line 11: def raises(x): return [1, 2][x]" in functions.call("raises", 5).answer.message


def test_the_first_printed_line_is_there(functions: Runner) -> None:
    assert functions.call("nothing", 5).answer.printed == "the answer 5"


def test_an_input_that_changes_is_seen_and_not_kept(functions: Runner) -> None:
    assert functions.call("changes", np.zeros(3)).answer.changed_input
    assert not functions.call("echo", np.zeros(3)).answer.changed_input


def test_random_numbers_are_the_same_each_time(functions: Runner) -> None:
    first, second = functions.value("random_", 1), functions.value("random_", 1)
    np.testing.assert_array_equal(first, second)
    assert 0 < first[0] < 1


# --- what an exercise forbids -----------------------------------------------------------------------------------------

CHEATS = """
import functools
import threading
import numpy as np
import scipy.ndimage
import scipy.signal
import torch
import torch.nn.functional as F
from torch import nn
import unet_edu.convolution
from unet_edu.convolution import conv2d as library
from scipy.signal import convolve2d as renamed

def T(x): return torch.tensor(x)[None, None]

def functional(x, k): return F.conv2d(T(x), T(k))[0, 0]
def plain(x, k): return torch.conv2d(T(x), T(k))[0, 0]
def keyword(x, k): return F.conv2d(input=T(x), weight=T(k))[0, 0]
def layer(x, k):
    layer = nn.Conv2d(1, 1, k.shape, bias=False).double()
    layer.weight.data = T(k)
    return layer(T(x))[0, 0]
def signal(x, k): return scipy.signal.convolve2d(x, k)
def image(x, k): return scipy.ndimage.correlate(x, k)
def row(x, k): return np.convolve(x[0], k[0])
def course(x, k): return unet_edu.convolution.conv2d(x, k)
def under_another_name(x, k): return renamed(x, k)
def course_renamed(x, k): return library(x, k)
def partly(x, k): return functools.partial(F.conv2d, weight=T(k))(T(x))[0, 0]
def partly_numpy(x, k): return functools.partial(np.convolve, x[0])(k[0])
def mapped(x, k): return list(map(F.conv2d, [T(x)], [T(k)]))[0][0, 0]
def mapped_scipy(x, k): return list(map(scipy.ndimage.correlate, [x], [k]))[0]
def by_name(x, k): return getattr(F, 'conv' + '2d')(T(x), T(k))[0, 0]
def helper(x, k): return signal(x, k)
def in_a_thread(x, k):
    found = []
    thread = threading.Thread(target=lambda: found.append(scipy.signal.convolve2d(x, k)))
    thread.start(); thread.join()
    return found[0]
def windows(x, k): return F.unfold(T(x), k.shape)[0]
def method(x, k): return T(x).unfold(2, 1, 1)[0, 0, :, :, 0]
def summed(x, k): return np.add.reduce(np.maximum(x, 0))
def dotted(x, k): return np.dot(x, k)
def fourier(x, k): return torch.fft.fft2(T(x)).abs()[0, 0]
def switched_off(x, k):
    import sys
    sys.setprofile(None)
    return renamed(x, k)
alias = scipy.signal.convolve2d
alias_partly = functools.partial(scipy.signal.convolve2d, mode='valid')
"""

HONEST = """
import numpy as np
import torch
from torch import nn

def honest(x, k):
    H, W = x.shape
    h, w = k.shape
    y = np.zeros((H - h + 1, W - w + 1))
    for i in range(len(y)):
        for j in range(len(y[0])):
            y[i, j] = (x[i:i+h, j:j+w] * k).sum()
    return y
def views(x, k):
    seen = np.lib.stride_tricks.sliding_window_view(x, k.shape)
    return np.einsum('ijhw,hw', seen, k)
def tensors(x, k):
    x, k = torch.tensor(x), torch.tensor(k)
    return torch.stack([(x[i:i+k.shape[0], :k.shape[1]] * k).sum() for i in range(2)])
def matrix(x, k): return np.linalg.norm(x @ x.T) + np.sum(list(map(len, x))) + sorted([3, 1])[0]
class convolve2d:
    def conv2d(self, x): return x
def conv2d(x, k): return convolve2d().conv2d(x)
"""

ALL = (
    *(
        "torch.conv*",
        "torch.nn.functional.conv*",
        "torch.nn.Conv*",
        "torch.nn.functional.unfold",
        "torch.Tensor.unfold",
    ),
    *("scipy.signal.*", "scipy.ndimage.*", "numpy.convolve", "numpy.add.reduce", "numpy.dot", "torch.fft.*"),
    "unet_edu.convolution.*",
)

SEEN = {
    "functional": "torch.conv2d",
    "plain": "torch.conv2d",
    "keyword": "torch.conv2d",
    "layer": "torch.nn.Conv2d",
    "signal": "scipy.signal.convolve2d",
    "image": "scipy.ndimage.correlate",
    "row": "numpy.convolve",
    "course": "unet_edu.convolution.conv2d",
    "under_another_name": "scipy.signal.convolve2d",
    "course_renamed": "unet_edu.convolution.conv2d",
    "partly": "torch.conv2d",
    "partly_numpy": "numpy.convolve",
    "mapped": "torch.conv2d",
    "mapped_scipy": "scipy.ndimage.correlate",
    "by_name": "torch.conv2d",
    "helper": "scipy.signal.convolve2d",
    "in_a_thread": "scipy.signal.convolve2d",
    "windows": "torch.nn.functional.unfold",
    "method": "torch.Tensor.unfold",
    "summed": "numpy.add.reduce",
    "dotted": "numpy.dot",
    "fourier": "torch.fft.fft2",
    "switched_off": "sys.setprofile",
    "alias": "scipy.signal.convolve2d",
    "alias_partly": "scipy.signal.convolve2d",
}
X, K = np.arange(25.0).reshape(5, 5), np.ones((3, 3))


@pytest.fixture(scope="module")
def cheats(program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    with Runner(program, tmp_path_factory.mktemp("cheats")) as runner:
        runner.runs(CHEATS)
        yield runner


@pytest.mark.parametrize("name", SEEN)
def test_a_forbidden_function_is_seen_however_it_is_called(cheats: Runner, name: str) -> None:
    args = (X, X if name == "dotted" else K)
    reply = cheats.call(name, *args, forbidden=ALL)
    assert SEEN[name] in reply.forbidden
    assert cheats.call(name, *args).forbidden == ()
    unwatched = cheats.call(name, *args).answer
    assert unwatched.kind == "value", unwatched  # the cheat works, so it was seen at work
    np.testing.assert_array_equal(reply.answer.value, unwatched.value)  # and the watch changes nothing


@pytest.mark.parametrize("pattern", ["torch.nn.functional.conv*", "torch.conv2d", "torch.*"])
def test_pytorchs_functions_have_both_of_their_names(cheats: Runner, pattern: str) -> None:
    assert cheats.call("plain", X, K, forbidden=(pattern,)).forbidden
    assert cheats.call("functional", X, K, forbidden=(pattern,)).forbidden


@pytest.fixture(scope="module")
def honest(cheats: Runner) -> Runner:
    """The same, which has PyTorch already, with other functions beside the cheats."""
    cheats.runs(HONEST)
    return cheats


@pytest.mark.parametrize("name", ["honest", "views", "tensors", "matrix", "conv2d"])
def test_nothing_is_said_of_honest_work(honest: Runner, name: str) -> None:
    reply = honest.call(name, X, K, forbidden=ALL)
    assert reply.answer.kind == "value"
    assert reply.forbidden == ()


def test_the_watch_is_no_line_of_the_student(cheats: Runner) -> None:
    cheats.runs("def fails(x, k):\n    return F.conv2d(T(x), T(k)[..., None])")
    watched, plain = cheats.call("fails", X, K, forbidden=ALL), cheats.call("fails", X, K)
    assert watched.answer.message == plain.answer.message
    assert "in line 2: return F.conv2d" in plain.answer.message


def test_a_network_of_the_check_itself_may_use_what_it_likes(cheats: Runner) -> None:
    """A probe makes a U-Net and gives it to the function; the convolutions in it count only when the notebook's
    function runs it."""
    cases = [case for case in EXERCISES["predict_tiled"].cases(np.random.default_rng(1)) if case.probe]
    cheats.runs(
        "def reads(model, image, tile): return model.depth\ndef runs(model, image, tile): return model.sizes, "
        "1\nimport torch"
    )
    cheats.runs("def asks(model, image, tile): return model(torch.zeros(1, 1, 22, 22))[0]")
    request = wire.call("asks", cases[1], ("torch.conv*",))
    reply = wire.read_call(cheats.ask(request))
    assert (reply.answer.kind, reply.forbidden) == ("value", ())


def test_a_layer_that_was_made_before_is_seen_when_it_is_called(cheats: Runner) -> None:
    cheats.runs("import torch\nlayer = torch.nn.Conv2d(1, 1, 3, bias=False).double()")
    cheats.runs(
        "def f(x, k):\n    layer.weight.data = torch.tensor(k)[None, None]\n    return layer(torch.tensor(x)[None, "
        "None])[0, 0]"
    )
    assert cheats.call("f", X, K, forbidden=("torch.conv*",)).forbidden == ("torch.conv2d",)


def test_a_module_that_the_notebook_wrote_is_its_own_code(fresh: Runner) -> None:
    fresh.runs("%%writefile mine.py\nfrom scipy.signal import convolve2d\ndef f(x, k): return convolve2d(x, k)")
    fresh.runs("from mine import f")
    assert fresh.call("f", X, K, forbidden=("scipy.signal.*",)).forbidden == ("scipy.signal.convolve2d",)


STARTS = {
    "subprocess.Popen": "import subprocess\ndef f(): return subprocess.run(['true']).returncode",
    "os.system": "import os\ndef f(): return os.system('true')",
    "os.posix_spawn": "import os\ndef f(): return os.waitpid(os.posix_spawn('/bin/true', ['true'], {}), 0)[1]",
    "os.fork": "import multiprocessing as m\ndef f():\n    p = m.get_context('fork').Process(target=int)\n    "
    "p.start()\n    p.join()\n    return 0",
    "_thread.start_new_thread": "import _thread\ndef f(): return _thread.start_new_thread(int, ()) and 0",
}


@pytest.mark.parametrize("event", STARTS)
def test_what_starts_unseen_code_is_seen(fresh: Runner, event: str) -> None:
    fresh.runs(STARTS[event])
    reply = fresh.call("f", forbidden=("torch.conv*",))
    assert reply.answer.kind == "value" and event in reply.forbidden
    assert fresh.call("f").forbidden == (), "an exercise that forbids nothing forbids no program"


def test_a_shell_command_is_a_program_too(fresh: Runner) -> None:
    fresh.runs("def f():\n    !true\n    return 0")
    assert "subprocess.Popen" in fresh.call("f", forbidden=("torch.conv*",)).forbidden


def test_threads_that_the_watch_sees_are_no_matter(fresh: Runner) -> None:
    fresh.runs(
        "import threading, subprocess\nt = threading.Thread(target=int)\ndef f():\n    t.start()\n    t.join()\n    "
        "return 0"
    )
    fresh.runs("subprocess.run(['true'])")
    assert fresh.call("f", forbidden=("torch.conv*",)).forbidden == ()


@pytest.mark.parametrize(
    "source", ["random.seed = np.random.seed = 42", "import torch\ntorch.manual_seed = 0\ntorch.random = None"]
)
def test_a_seed_that_was_overwritten(fresh: Runner, source: str) -> None:
    fresh.runs(f"import random\nimport numpy as np\n{source}\ndef f(): return [random.random(), np.random.rand()]")
    assert (fresh.value("f") == fresh.value("f")).all()


def test_a_check_under_another_name_hands_in(fresh: Runner) -> None:
    fresh.runs("from unet_edu import check\ndef mine(): return 4\ncheck(mine, exercise='f')")
    assert fresh.value("f") == 4
    fresh.runs("def f(): return 5\ncheck(mine, exercise='f')")
    assert fresh.value("f") == 5, "a function of that name goes first"


def test_pytorchs_modules_are_loaded_before_the_watch_looks(fresh: Runner) -> None:
    probe = next(case.probe for case in EXERCISES["double_conv"].cases(np.random.default_rng(1)) if case.probe)
    fresh.runs(
        "import sys, torch\nlayers = torch.nn.Sequential(torch.nn.Conv2d(1, 1, 3), torch.nn.ReLU(), "
        "torch.nn.MaxPool2d(2)).to('meta')"
    )
    fresh.runs(
        "loaded = []\ndef f():\n    loaded.append(len(sys.modules))\n    layers(torch.zeros(1, 1, 9, 9))\n    "
        "loaded.append(len(sys.modules))"
    )
    fresh.ask(wire.call("f", Case("a case", (), probe=probe), ("torch.conv*",)))
    fresh.runs("assert loaded[1] - loaded[0] < 10, loaded")


def test_to_import_is_not_to_call(fresh: Runner) -> None:
    fresh.runs("def f(x, k):\n    import scipy.signal\n    import torch\n    return x")
    assert fresh.call("f", X, K, forbidden=ALL).forbidden == ()


@pytest.fixture(scope="module")
def hides(program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    with Runner(program, tmp_path_factory.mktemp("hidden")) as runner:
        yield runner


@pytest.mark.parametrize("name", HIDDEN)
def test_a_hidden_call_is_read_or_seen(hides: Runner, name: str) -> None:
    forbidden = EXERCISES["conv2d_naive"].forbidden
    for cell in HIDDEN[name]:
        hides.runs(cell)
    x, k = np.arange(20.0).reshape(4, 5), np.arange(6.0).reshape(2, 3)
    reply = hides.call("conv2d_naive", x, k, forbidden=forbidden)
    hides.runs("__name__ = '__main__'")
    np.testing.assert_allclose(reply.answer.value, EXERCISES["conv2d_naive"].reference(x, k))
    read = [*uses(HIDDEN[name], "conv2d_naive", forbidden), *tampering(HIDDEN[name])]
    assert reply.forbidden, f"the watch saw nothing; read was {read}"
    assert read or name in ONLY_SEEN


PERMITTED = {
    "numpy's own": ("numpy.convolve", "lambda x, k: np.polymul(x[0], k[0])"),
    "scipy's own": ("numpy.*", "lambda x, k: scipy.signal.correlate2d(x, k)"),
    "vectorised": ("unet_edu.convolution.*", "lambda x, k: np.vectorize(lambda n: n + 1)(x)"),
    "a named tuple": ("torch.*", "lambda x, k: collections.namedtuple('P', 'a b')(1, 2)"),
    "a log": ("torch.*", "lambda x, k: (logging.getLogger('a').info('b'), 3)[1]"),
}


@pytest.mark.parametrize("name", PERMITTED)
def test_what_a_permitted_function_calls_is_its_own_matter(hides: Runner, name: str) -> None:
    pattern, function = PERMITTED[name]
    hides.runs(f"import collections, logging\nimport numpy as np\nimport scipy.signal\nf = {function}")
    assert hides.call("f", X, K, forbidden=(pattern,)).forbidden == ()


# --- all exercises ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def references(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    """A runner which, for this test, sees the whole course: its functions are the references and the misconceptions
    themselves."""
    program = Path(view.__file__).parent / "inside" / "runner.py"
    with Runner(program, tmp_path_factory.mktemp("references")) as runner:
        runner.runs("from unet_edu.lessons import EXERCISES")
        runner.runs("globals().update({name: exercise.reference for name, exercise in EXERCISES.items()})")
        runner.runs("globals().update({n + '_wrong': e.mistakes[0].wrong for n, e in EXERCISES.items()})")
        yield runner


# A wrong answer comes out as it is, too: of one number, of an array, of two arrays, of a layer.
WRONG = ("out_size", "conv2d_naive", "sgd_step", "he_init_")


@pytest.mark.parametrize(
    ("name", "wrong"), [*((name, "") for name in EXERCISES), *((name, "_wrong") for name in WRONG)]
)
def test_the_verdict_is_that_of_check(references: Runner, name: str, wrong: str) -> None:
    exercise = EXERCISES[name]
    f: Callable[..., Any] = exercise.mistakes[0].wrong if wrong else exercise.reference
    cases = exercise.cases(np.random.default_rng(SEED))
    expected = judge(exercise, cases, [attempt(f, case) for case in cases])
    replies = [wire.read_call(references.ask(wire.call(name + wrong, case))) for case in cases]
    assert all(reply.found for reply in replies)
    found = judge(exercise, cases, [reply.answer for reply in replies])
    assert expected.passed == (not wrong)
    assert (found.status, found.message, found.hint) == (expected.status, expected.message, expected.hint)
