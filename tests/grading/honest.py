"""Work that earned its points, in all the shapes in which it arrives."""

from __future__ import annotations

import base64
import uuid
from typing import Any

from tests.grading.habits import BESIDE, INSIDE
from tests.grading.submissions import Host, Kinds, book, code, filled, is_answer, packed, small, solutions

KINDS = Kinds("honest")
GOOD = solutions()


def code_cells(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


# ------------------------------------------------------------------------------------------------ how much is written


@KINDS(12)
def perfect(host: Host) -> bytes:
    """All five functions are right."""
    return packed(filled())


@KINDS(0)
def unfilled(host: Host) -> bytes:
    """Nothing is written: 0 points, and that is a mark."""
    return packed(filled(written=False))


@KINDS(5, verdicts={"conv2d_multichannel": "not written", "out_size": "right"})
def half_of_it(host: Host) -> bytes:
    """Two functions are right, two are not written."""
    return packed(filled(written=False, **{name: GOOD[name] for name in ("conv2d_naive", "out_size")}))


@KINDS(10.5, verdicts={"conv2d_naive": "half"})
def one_case_forgotten(host: Host) -> bytes:
    """Right on what the notebook shows and on five of six fresh cases: half of the three points."""
    return packed(filled(conv2d_naive=GOOD["conv2d_naive"] + "\n\nf = conv2d_naive\n" + FAILS_ON_ONE_COLUMN))


FAILS_ON_ONE_COLUMN = """
def conv2d_naive(x, k):
    if k.shape[1] == 1:
        raise ValueError("a kernel of one column?")
    return f(x, k)
"""


@KINDS(9, verdicts={"conv2d_naive": "wrong"})
def whole_numbers_only(host: Host) -> bytes:
    """Right on what the notebook shows, wrong wherever there are fractions: less than half of the fresh cases, so no
    points."""
    wrong = GOOD["conv2d_naive"].replace("kW + 1))\n", "kW + 1), dtype=int)\n", 1)
    assert wrong != GOOD["conv2d_naive"]
    return packed(filled(conv2d_naive=wrong))


@KINDS(10, verdicts={"out_size": "missing"})
def one_function_deleted(host: Host) -> bytes:
    """The cell of one function is gone; the others count."""
    notebook = filled()
    notebook["cells"] = [cell for cell in notebook["cells"] if "def out_size" not in source(cell)]
    return packed(notebook)


@KINDS(None, "needs review")
def another_notebook(host: Host) -> bytes:
    """None of the functions is there: perhaps the wrong file was handed in. A person should look; it is no 0."""
    return small("print('my notes')", "def mean(x):\n    return sum(x) / len(x)")


# ------------------------------------------------------------------------------------------- what programs do to a file


def as_colab_saves(notebook: dict[str, Any], *extra: str) -> bytes:
    """Colab's format: version 4.0, ids in the metadata, nbgrader's keys lost, its own keys, outputs and first cell;
    widgets without their state."""
    badge = {
        "cell_type": "markdown",
        "metadata": {"id": "view-in-github", "colab_type": "text"},
        "source": [COLAB_BADGE],
    }
    cells = [badge, *map(code, extra)]
    for cell in notebook["cells"]:
        cell.pop("id", None)
        name = uuid.uuid5(uuid.NAMESPACE_URL, source(cell)).hex[:12]
        metadata = {"id": name}
        if cell["cell_type"] == "code":
            metadata |= {
                "cellView": "form",
                "colab": {"base_uri": "https://localhost:8080/", "height": 35},
                "outputId": f"{name}-1",
            }
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["The course is installed.\n"]}]
        cells.append({**cell, "metadata": metadata})
    model = {"model_module": "anywidget", "model_name": "AnyModel", "model_module_version": "~0.9.*", "state": {}}
    colab = {
        "accelerator": "GPU",
        "colab": {"provenance": [], "toc_visible": True, "gpuType": "T4"},
        "kernelspec": {"name": "python3", "display_name": "Python 3"},
        "language_info": {"name": "python"},
        # where `state` should stand between the two
        "widgets": {"application/vnd.jupyter.widget-state+json": {"c0ffee": model}},
    }
    return packed(book(cells, metadata=colab, nbformat_minor=0))


COLAB_BADGE = (
    '<a href="https://colab.research.google.com/github/ada/unet/blob/main/02_convolution.ipynb" target="_parent">'
    '<img src="https://colab.research.google.com/assets/colab-badge.svg" alt="Open In Colab"/></a>'
)


@KINDS(12)
def saved_by_colab(host: Host) -> bytes:
    """What Colab makes of a notebook, with the cells that people add there."""
    extra = [
        "!pip install -q unet-edu",
        "from google.colab import drive\ndrive.mount('/content/drive')",
        "%cd /content/drive/MyDrive/unet",
        "from google.colab import files",
    ]
    return as_colab_saves(filled(), *extra)


@KINDS(5, verdicts={"conv2d_multichannel": "not written", "out_size": "right"})
def half_of_it_saved_by_colab(host: Host) -> bytes:
    """The same two functions as in `half_of_it` earn the same on Colab."""
    return as_colab_saves(filled(written=False, **{name: GOOD[name] for name in ("conv2d_naive", "out_size")}))


@KINDS(12)
def colab_uploads(host: Host) -> bytes:
    """Cells that only work in Colab and in a terminal stand everywhere."""
    first = [
        "%pip install -q scikit-image\n!nvidia-smi\n!ls -la",
        "from google.colab import files\nuploaded = files.upload()",
    ]
    last = [
        "from google.colab.patches import cv2_imshow",
        "from google.colab import output\noutput.eval_js('new Audio().play()')",
    ]
    return packed(filled(first=first, last=last))


@KINDS(12)
def kernel_of_another_name(host: Host) -> bytes:
    """The notebook asks for a kernel that is not here."""
    spec = {"kernelspec": {"name": "my-conda-env", "display_name": "R 4.3", "language": "R"}}
    return packed({**filled(), "metadata": spec})


@KINDS(12)
def schema_3(host: Host) -> bytes:
    """The format of 2013: worksheets, and `input` in place of `source`."""
    cells = []
    for cell in filled()["cells"]:
        old = {"cell_type": cell["cell_type"], "metadata": {}, "source": source(cell)}
        if cell["cell_type"] == "code":
            old = {**old, "input": old.pop("source"), "language": "python", "outputs": [], "prompt_number": 3}
        cells.append(old)
    return packed({"metadata": {"name": ""}, "nbformat": 3, "nbformat_minor": 0, "worksheets": [{"cells": cells}]})


@KINDS(12)
def byte_order_mark(host: Host) -> bytes:
    """Windows' Notepad puts three bytes before the text."""
    return b"\xef\xbb\xbf" + packed(filled())


@KINDS(12)
def carriage_returns(host: Host) -> bytes:
    """Lines end as on Windows, in the file and in the cells."""
    notebook = filled()
    for cell in notebook["cells"]:
        cell["source"] = source(cell).replace("\n", "\r\n")
    return packed(notebook).replace(b"\n", b"\r\n")


@KINDS(12)
def metadata_lost(host: Host) -> bytes:
    """No metadata, no ids, no outputs, sources as lists of lines: what some editors leave."""
    cells = [
        {"cell_type": cell["cell_type"], "source": source(cell).splitlines(keepends=True)} for cell in filled()["cells"]
    ]
    return packed({"cells": cells, "nbformat": 4, "nbformat_minor": 5})


@KINDS(12)
def metadata_of_the_wrong_types(host: Host) -> bytes:
    """Metadata are null, a list, a number."""
    notebook = filled()
    for n, cell in enumerate(notebook["cells"]):
        cell["metadata"] = (None, [], 3, "nbgrader", {"nbgrader": [1, 2]})[n % 5]
    return packed({**notebook, "metadata": None})


@KINDS(12)
def nbgrader_ids_edited(host: Host) -> bytes:
    """Ids, points and the schema's version of nbgrader were changed."""
    notebook = filled()
    for n, cell in enumerate(notebook["cells"]):
        if "nbgrader" in cell["metadata"]:
            cell["metadata"]["nbgrader"] |= {"grade_id": f"x{n // 2}", "points": 100, "schema_version": 99}
    return packed(notebook)


@KINDS(12)
def large_outputs(host: Host) -> bytes:
    """Ten megabytes of pictures are stored in the notebook."""
    notebook = filled()
    picture = base64.b64encode(bytes(5 << 19)).decode()
    for cell in code_cells(notebook)[:3]:
        cell["outputs"] = [{"output_type": "display_data", "data": {"image/png": picture}, "metadata": {}}]
    return packed(notebook)


@KINDS(12, "graded", "unreadable")
def half_a_character(host: Host) -> bytes:
    """A comment holds half of a pair of code units, which no encoding can write, and another cell a NUL."""
    return packed(filled(last=["# \ud800\nx = 1", "x = 'a\0b'"]))


# --------------------------------------------------------------------------------------------- what people do to cells


@KINDS(12)
def every_cell_twice(host: Host) -> bytes:
    """All cells were copied, ids and all."""
    notebook = filled()
    notebook["cells"] = [cell for cell in notebook["cells"] for _ in range(2)]
    return packed(notebook)


@KINDS(12)
def checks_deleted(host: Host) -> bytes:
    """The check cells are gone."""
    notebook = filled()
    notebook["cells"] = [cell for cell in notebook["cells"] if not source(cell).startswith("check(")]
    return packed(notebook)


@KINDS(12)
def set_up_deleted(host: Host) -> bytes:
    """The first cell, which imports NumPy, is gone."""
    notebook = filled()
    notebook["cells"].remove(code_cells(notebook)[0])
    return packed(notebook)


@KINDS(12)
def cells_split(host: Host) -> bytes:
    """What was one cell is three: a helper, the function, the call."""
    helper = "def window_sum(x, k, i, j):\n    return (x[i : i + k.shape[0], j : j + k.shape[1]] * k).sum()"
    notebook = filled(first=[helper], conv2d_naive=BY_HELPER)
    return packed(notebook)


BY_HELPER = """
def conv2d_naive(x, k):
    y = np.zeros((x.shape[0] - k.shape[0] + 1, x.shape[1] - k.shape[1] + 1))
    for i, j in np.ndindex(y.shape):
        y[i, j] = window_sum(x, k, i, j)
    return y
"""


@KINDS(12)
def cells_merged(host: Host) -> bytes:
    """All code stands in one cell."""
    return small("\n\n".join(source(cell) for cell in code_cells(filled())))


@KINDS(12)
def cells_reversed(host: Host) -> bytes:
    """The last cell stands first: the functions come before the imports."""
    notebook = filled()
    notebook["cells"].reverse()
    return packed(notebook)


@KINDS(12)
def a_better_one_later(host: Host) -> bytes:
    """The first try was wrong; the second, at the end of the notebook, is right. The later one counts."""
    return packed(filled(conv2d_naive="def conv2d_naive(x, k):\n    return x", last=[GOOD["conv2d_naive"]]))


@KINDS(9)
def a_worse_one_later(host: Host) -> bytes:
    """The later one counts, also where it is worse."""
    return packed(filled(last=["def conv2d_naive(x, k):\n    return x"]))


@KINDS(12)
def an_error_above_the_function(host: Host) -> bytes:
    """In the function's cell, a line above it raises: the function was never defined in this run, but it is there."""
    return packed(filled(conv2d_naive="print(undefined_name)\n\n" + GOOD["conv2d_naive"]))


@KINDS(12)
def errors_elsewhere(host: Host) -> bytes:
    """Cells that have nothing to do with the functions raise, or are no Python at all."""
    first = ["1 / 0", "x = = 3", "import no_such_package", "open('my_photo.png')", "int(input('your name? '))"]
    return packed(filled(first=first, last=["raise KeyboardInterrupt", "assert False"]))


# ------------------------------------------------------------------------------------------------- what people write


@KINDS(12)
def words_on_stderr(host: Host) -> bytes:
    """The function warns, logs, and shows a bar of progress."""
    return packed(filled(conv2d_naive=WITH_WORDS))


WITH_WORDS = """
import logging, sys, warnings
from tqdm.auto import tqdm

def conv2d_naive(x, k):
    warnings.warn("this is slow")
    logging.error("still slow")
    print("working", file=sys.stderr)
    H, W = x.shape
    kH, kW = k.shape
    y = np.zeros((H - kH + 1, W - kW + 1))
    for i in tqdm(range(H - kH + 1)):
        for j in range(W - kW + 1):
            y[i, j] = (x[i : i + kH, j : j + kW] * k).sum()
    return y
"""


@KINDS(12)
def float32(host: Host) -> bytes:
    """The sums are kept in 32 bits, as in a network."""
    shorter = {name: GOOD[name].replace("+ 1))", "+ 1), dtype=np.float32)") for name in CONVOLUTIONS}
    assert all(shorter[name] != GOOD[name] for name in CONVOLUTIONS)
    return packed(filled(**shorter))


CONVOLUTIONS = ("conv2d_naive", "conv2d_multichannel")


@KINDS(12)
def tensors_and_lists(host: Host) -> bytes:
    """Answers are a tensor with a gradient, a list of rows, an array of one number, a tuple."""
    renamed = {name: GOOD[name].replace(f"def {name}", f"def my_{name}") for name in GOOD}
    forms = {
        "conv2d_naive": "my_conv2d_naive(*args).tolist()",
        "out_size": "np.array(my_out_size(*args, **kwargs))",
        "conv2d_multichannel": "torch.tensor(my_conv2d_multichannel(*args, **kwargs), requires_grad=True)",
        "receptive_field": "tuple(my_receptive_field(*args))",
    }
    answers = {name: f"{renamed[name]}\n\n{name} = lambda *args, **kwargs: {form}" for name, form in forms.items()}
    return packed(filled(first=["import torch"], **answers))


@KINDS(12)
def many_styles(host: Host) -> bytes:
    """An object that can be called, a name given later, recursion, a decorator: functions all the same."""
    answers = {
        "conv2d_naive": AS_A_CLASS,
        "out_size": "my_size = lambda i, k, s=1, p=0, d=1: (i + 2 * p - d * (k - 1) - 1) // s + 1\n\n"
        "out_size = my_size",
        "conv2d_multichannel": DECORATED + GOOD["conv2d_multichannel"],
        "receptive_field": BY_RECURSION,
    }
    return packed(filled(**answers))


AS_A_CLASS = """
class Convolution:
    def __init__(self, start=0.0):
        self.start = start

    def window(self, x, k, i, j):
        total = self.start
        for u in range(k.shape[0]):
            for v in range(k.shape[1]):
                total += x[i + u, j + v] * k[u, v]
        return total

    def __call__(self, x, k):
        rows, columns = x.shape[0] - k.shape[0] + 1, x.shape[1] - k.shape[1] + 1
        return np.array([[self.window(x, k, i, j) for j in range(columns)] for i in range(rows)])

conv2d_naive = Convolution()
"""

DECORATED = """
import functools, time

def timed(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        start = time.perf_counter()
        result = function(*args, **kwargs)
        wrapper.seconds = time.perf_counter() - start
        return result
    return wrapper

@timed
"""

BY_RECURSION = """
def receptive_field(layers):
    def steps(layers):
        if not layers:
            return [(1, 1)]
        *before, (k, s) = layers
        so_far = steps(before)
        size, jump = so_far[-1]
        return so_far + [(size + (k - 1) * jump, jump * s)]
    return [size for size, jump in steps(list(layers))[1:]]
"""


@KINDS(12)
def by_views_and_sums(host: Host) -> bytes:
    """Windows as views and their sums by einsum: no library convolves here."""
    return packed(filled(conv2d_naive=BY_VIEWS, conv2d_multichannel=BY_VIEWS_4D))


BY_VIEWS = """
def conv2d_naive(x, k):
    windows = np.lib.stride_tricks.sliding_window_view(x, k.shape)
    return np.einsum("ijuv,uv->ij", windows, k)
"""

BY_VIEWS_4D = """
def conv2d_multichannel(x, w, bias=None, stride=1, padding=0):
    rows, columns = (stride, stride) if np.ndim(stride) == 0 else stride
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))[:, :, ::rows, ::columns]
    y = np.tensordot(windows, w, axes=([1, 4, 5], [1, 2, 3])).transpose(0, 3, 1, 2)
    return y if bias is None else y + np.reshape(bias, (1, -1, 1, 1))
"""


@KINDS(12)
def slow_but_there(host: Host) -> bytes:
    """A tenth of a second for each call is no endless loop."""
    return packed(
        filled(
            conv2d_naive="import time\n\n" + GOOD["conv2d_naive"].replace("    H, W", "    time.sleep(0.1)\n    H, W")
        )
    )


@KINDS(12)
def input_changed(host: Host) -> bytes:
    """The function works on its own input and leaves it changed: not nice, and right."""
    text = GOOD["conv2d_naive"].replace("    return y", "    x *= 0\n    return y")
    return packed(filled(conv2d_naive=text))


@KINDS(12)
def settings_of_numpy_and_torch(host: Host) -> bytes:
    """Options of the libraries were changed for the whole notebook."""
    settings = """
    import random, sys, warnings
    import torch
    np.set_printoptions(precision=2, suppress=True, threshold=3)
    np.seterr(all="raise")
    torch.set_default_dtype(torch.float64)
    torch.set_printoptions(sci_mode=False)
    torch.set_grad_enabled(False)
    random.seed(0); np.random.seed(0); torch.manual_seed(0)
    warnings.simplefilter("error")
    sys.setrecursionlimit(5000)
    """
    return packed(filled(first=[settings]))


@KINDS(12)
def another_folder_and_stdout(host: Host) -> bytes:
    """The working folder was changed, and what is printed goes to a string, then to a closed file."""
    moved = "import io, os, sys, tempfile\nos.chdir(tempfile.mkdtemp())\nsys.stdout = io.StringIO()\nprint('hello')"
    closed = "sys.stdout = sys.stderr = open(os.devnull, 'w')\nsys.stdout.close()"
    return packed(filled(first=[moved], last=[closed]))


@KINDS(12)
def magics(host: Host) -> bytes:
    """IPython's own commands, on the function's cell too."""
    answers = {
        "conv2d_naive": "%%time\n" + GOOD["conv2d_naive"],
        "out_size": "%%capture\n" + GOOD["out_size"],
        "receptive_field": GOOD["receptive_field"] + "\n\n%timeit -n1 -r1 receptive_field([(3, 1)])",
    }
    first = ["%matplotlib inline\n%load_ext autoreload\n%autoreload 2", "!echo hello\nfiles = !ls\n?np.pad"]
    return packed(
        filled(first=first, last=["import asyncio\nawait asyncio.sleep(0)", "%whos", "%no_such_magic"], **answers)
    )


@KINDS(12, "graded", "needs review")
def own_module(host: Host) -> bytes:
    """A cell writes a module, the next one imports from it."""
    write = "%%writefile my_convolution.py\nimport numpy as np\n\n" + GOOD["conv2d_naive"]
    return packed(filled(conv2d_naive="from my_convolution import conv2d_naive", first=[write]))


@KINDS(12)
def pictures(host: Host) -> bytes:
    """Figures are drawn and shown, animated, and saved."""
    draw = """
    import matplotlib.pyplot as plt
    from IPython.display import display, HTML, Markdown
    fig, axes = plt.subplots(1, 2)
    axes[0].imshow(np.eye(4)); plt.show()
    plt.savefig("figure.png")
    display(HTML("<b>done</b>"), Markdown("**done**"))
    """
    return packed(filled(last=[draw]))


@KINDS(12)
def annotations_and_letters(host: Host) -> bytes:
    """Types, letters of many alphabets, and a global counter."""
    return packed(filled(out_size=WITH_LETTERS, first=["from __future__ import annotations", "größe = '三 🙂'"]))


WITH_LETTERS = """
import numpy.typing as npt
calls: int = 0

def out_size(i: int, k: int, s: int = 1, p: int = 0, d: int = 1) -> int:
    "Größe der Ausgabe — размер 大小"
    global calls
    calls += 1
    κ: int = d * (k - 1) + 1
    return (i + 2 * p - κ) // s + 1
"""


@KINDS(12)
def leaves_by_the_door(host: Host) -> bytes:
    """`exit()`, `quit()` and `sys.exit()` stand in cells, as people leave a notebook."""
    return packed(filled(first=["import sys\nsys.exit()"], last=["exit()", "quit", "sys.exit('bye')"]))


@KINDS(12)
def imports_behind_an_error(host: Host) -> bytes:
    """One cell: a check that raises, and behind it the next function with its import."""
    cell = "assert conv2d_naive(np.eye(3), np.eye(2))[0, 0] == 7\n\nimport math\n\n" + WITH_MATH
    return packed(filled(out_size=cell))


WITH_MATH = """
def out_size(i, k, s=1, p=0, d=1):
    return math.floor((i + 2 * p - d * (k - 1) - 1) / s) + 1
"""


@KINDS(9, "graded", "partial", never=("conv2d_naive",))
def raises_what_nobody_catches(host: Host) -> bytes:
    """A function raises KeyboardInterrupt itself: it is wrong, and the other functions are judged."""
    return packed(filled(conv2d_naive="def conv2d_naive(x, k):\n    raise KeyboardInterrupt"))


@KINDS(12)
def slips(host: Host) -> bytes:
    """`seed = 42` in place of `seed(42)`; the old names of NumPy's types; a name of the language used for a number."""
    first = [
        "import random\nnp.random.seed = 42\nrandom.seed = 42",
        "np.float = float\nnp.int = int\nnp.bool = bool\nnp.object = object",
        "sum_, max, min, id, input = 1, 2, 3, 4, 5",
    ]
    return packed(filled(first=first, last=["print(eval('3 + 4'))", "exec('y = 3')", "list = [1, 2]"]))


@KINDS(12)
def habits(host: Host) -> bytes:
    """What people's first cells are full of: looks at the machine, reloads, stand-ins for what NumPy no longer has."""
    first = """
    import sys, importlib
    IN_COLAB = sys.modules.get("google.colab") is not None or "google.colab" in sys.modules
    sys.modules.pop("my_work", None)
    if not hasattr(np, "trapz"):
        np.trapz = np.trapezoid
    for n in range(3):
        globals()[f"x{n}"] = n
    import unet_edu
    importlib.reload(unet_edu)
    """
    return packed(filled(first=[first, "!cat /proc/cpuinfo | head -3\nprint(int.__subclasses__())"]))


@KINDS(12)
def methods_of_its_own(host: Host) -> bytes:
    """A class of the student's own has methods called conv and pool, beside types of PyTorch."""
    return packed(filled(first=["import torch"], conv2d_naive=OWN_METHODS))


OWN_METHODS = """
class Layers:
    def conv(self, x, k):
        y = torch.zeros(x.shape[0] - k.shape[0] + 1, x.shape[1] - k.shape[1] + 1, dtype=torch.float64)
        for i in range(y.shape[0]):
            for j in range(y.shape[1]):
                y[i, j] = self.pool(x[i : i + k.shape[0], j : j + k.shape[1]] * k)
        return y

    def pool(self, window):
        return window.sum() if not isinstance(window, torch.Tensor) else window.sum().item()

def conv2d_naive(x, k):
    return Layers().conv(x, k)
"""


@KINDS(12)
def all_habits(host: Host) -> bytes:
    """Some forty cells of the kinds that people add, among them pictures of 150 kB. `habits.py` has them one by one."""
    return packed(filled(last=[cell for name, cell in BESIDE.items() if not name.startswith("a table")]))


@KINDS(12)
def a_pool_of_threads(host: Host) -> bytes:
    """The rows are computed by a pool of threads, and a log file is written."""
    return packed(filled(conv2d_naive=INSIDE["a pool"] + "\n\nopen('log.txt', 'w').close()"))


# --------------------------------------------------------------------------------------------------------- networks

LESSON_06 = {"topic": "06_unet"}
NETWORKS = solutions("06_unet")


@KINDS(12, **LESSON_06)
def networks(host: Host) -> bytes:
    """All of lesson 06."""
    return packed(filled(topic="06_unet"))


@KINDS(0, **LESSON_06)
def networks_unfilled(host: Host) -> bytes:
    """Lesson 06 as it was handed out."""
    return packed(filled(topic="06_unet", written=False))


@KINDS(12, **LESSON_06)
def networks_reordered(host: Host) -> bytes:
    """The functions stand in one cell at the end, and the seed and type of PyTorch were set."""
    notebook = filled(topic="06_unet", written=False)
    notebook["cells"] = [cell for cell in notebook["cells"] if not is_answer(cell)]
    notebook["cells"].append(
        code("torch.manual_seed(1)\ntorch.set_default_dtype(torch.float32)\n\n" + "\n\n\n".join(NETWORKS.values()))
    )
    return packed(notebook)


# -------------------------------------------------------------------------------------------- what an answer is made of

POOLING = solutions("05_pooling")["maxpool_idx"]


@KINDS(10, topic="05_pooling", verdicts={"maxpool_idx": "wrong"})
def indices_of_floats(host: Host) -> bytes:
    """The indices of the maxima are right, but floats, and index nothing: each part of an answer keeps its type on its
    way out of the sandbox."""
    floats = POOLING.replace(", dtype=int)", ")")
    assert floats != POOLING
    return packed(filled(topic="05_pooling", maxpool_idx=floats))


@KINDS(14, topic="05_pooling")
def indices_in_lists(host: Host) -> bytes:
    """Two lists of lists, one of floats and one of whole numbers."""
    renamed = POOLING.replace("def maxpool_idx", "def in_arrays")
    as_lists = "\n\n\ndef maxpool_idx(x):\n    y, idx = in_arrays(x)\n    return [y.tolist(), idx.tolist()]"
    return packed(filled(topic="05_pooling", maxpool_idx=renamed + as_lists))


@KINDS(14, topic="04_transposed_convolution")
def sparse_matrix(host: Host) -> bytes:
    """A sparse matrix, as lesson 04 has them."""
    renamed = solutions("04_transposed_convolution")["conv_matrix"].replace("def conv_matrix", "def dense")
    as_sparse = (
        "import scipy.sparse\n\n\ndef conv_matrix(k, h, w):\n    return scipy.sparse.csr_array(dense(k, h, w))\n\n\n"
    )
    return packed(filled(topic="04_transposed_convolution", conv_matrix=as_sparse + renamed))
