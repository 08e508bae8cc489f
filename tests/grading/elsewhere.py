"""Work that is right on the student's computer and cannot be seen to be so here: a newer Python, a package, a file, a
cell that stopped.

Nobody gets a 0 for it without a word. What is the function's own slip gets one, with a word.
"""

from __future__ import annotations

import sys

from tests.grading.submissions import Host, Kinds, filled, packed, solutions

KINDS = Kinds("honest")
GOOD = solutions()


def needing(name: str, line: str) -> str:
    """A right function that also runs this line."""
    head, end, body = GOOD[name].partition('"""\n')
    return f"{head}{end}    {line}\n{body}"


def all_needing(lines: dict[str, str], first: list[str] | None = None, above: dict[str, str] | None = None) -> bytes:
    """The solutions, some with a line more, and some with lines above them in their cell."""
    answers = {name: needing(name, line) for name, line in lines.items()}
    for name, text in (above or {}).items():
        answers[name] = f"{text}\n{answers.get(name, GOOD[name])}"
    return packed(filled(first=first or (), **answers))


NOT_READ = ("conv2d_naive", "out_size", "conv2d_multichannel")
IS_NEW = sys.version_info >= (3, 12)


@KINDS(
    12 if IS_NEW else 4,
    "graded" if IS_NEW else "partial",
    reasons=()
    if IS_NEW
    else ("out_size is written in cell 6, which the grader's Python 3.11 cannot read (SyntaxError",),
    verdicts=dict.fromkeys(NOT_READ, "right" if IS_NEW else "crashed"),
)
def python_3_12(host: Host) -> bytes:
    """Three functions are written in Python 3.12, and right. An older grader cannot read them, and says so."""
    above = {
        "conv2d_naive": "type Plane = np.ndarray",
        "conv2d_multichannel": "def same[T](x: T) -> T:\n    return x\n",
    }
    return all_needing({"out_size": 'print(f"{dict(a=1)["a"]}")'}, above=above)


@KINDS(
    4,
    "partial",
    verdicts=dict.fromkeys(NOT_READ, "crashed"),
    reasons=("conv2d_naive is written in cell 3", "out_size is written in cell 6", "or has a slip"),
)
def no_python(host: Host) -> bytes:
    """A function in Python 3.14, one with a bracket too few, and one below its unwritten form with a slip: none of them
    can be judged."""
    slips = {
        "conv2d_naive": needing("conv2d_naive", 'label = t"{x}"'),
        "out_size": GOOD["out_size"].replace("):", ":", 1),
        "conv2d_multichannel": "def conv2d_multichannel(x, w, b):\n    raise NotImplementedError",
    }
    below = GOOD["conv2d_multichannel"] + "\n  return"
    return packed(filled(last=[below], **slips))


@KINDS(
    4,
    "partial",
    verdicts={**dict.fromkeys(NOT_READ, "crashed"), "receptive_field": "right"},
    reasons=(
        "No module named 'pandas_of_others'",
        "out_size needs the package numba_of_others",
        "No module named 'helpers'",
    ),
)
def packages_that_are_not_here(host: Host) -> bytes:
    """pandas at the top, numba inside, a file of helpers beside the notebook. One does not need what it imports, and is
    right."""
    first = ["import pandas_of_others as pd\nTABLE = pd.DataFrame()", "from helpers import *"]
    lines = {
        "conv2d_naive": "TABLE.describe()",
        "out_size": "from numba_of_others import njit",
        "conv2d_multichannel": "helper_of_mine(x)",
        "receptive_field": "ONE",
    }
    return all_needing(lines, first, {"receptive_field": "import cv2_of_others\nONE = np.int64(1)"})


@KINDS(
    None,
    "crashed",
    verdicts=dict.fromkeys(GOOD, "crashed"),
    reasons=(
        "No such file or directory",
        "a file that is not here",
        "the internet, which is not here",
        "cell 4 stopped with",
    ),
)
def files_that_are_not_here(host: Host) -> bytes:
    """Numbers in a file, a file that is read inside, an address, a script: none of them is here."""
    lines = {
        "conv2d_naive": "ONE",
        "out_size": "open('of_mine.txt')",
        "conv2d_multichannel": "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9')",
        "receptive_field": "helper_of_mine(1)",
        "conv2d_panorama": "helper_of_mine(2)",
    }
    return all_needing(
        lines, ["import numpy as np\nONE = np.load('one_of_mine.npy')", "'x'", "%run helpers_of_mine.py"]
    )


@KINDS(12)
def constants_below_what_raises(host: Host) -> bytes:
    """An assertion fails, and a package is missing: what the cell makes below is there all the same."""
    above = {
        "conv2d_naive": "assert False\nONE = np.int64(1)\nTWO, THREE = ONE + 1, [ONE] * 3\nTWO += ONE",
        "out_size": "import pandas_of_others\nif True:\n    SIX = {'a': np.float64(6)}\nSIX['b'] = 7",
        "conv2d_multichannel": "def made():\n    return 5\n\n1 / 0\nFIVE = made()\n"
        "with np.errstate(all='ignore'):\n    NONE: float = np.inf",
    }
    lines = {
        "conv2d_naive": "assert TWO == 3 == len(THREE)",
        "out_size": "SIX['a'] + SIX['b']",
        "conv2d_multichannel": "FIVE + NONE",
    }
    return all_needing(lines, above=above)


@KINDS(
    5,
    verdicts=dict.fromkeys(("conv2d_naive", "out_size", "receptive_field"), "wrong"),
    reasons=(
        "conv2d_naive stopped with NameError: name 'kernell' is not defined",
        "out_size should be a function, but at the notebook's end it is something of type int",
        "module 'numpy' has no attribute 'zeroes'",
    ),
)
def own_slips(host: Host) -> bytes:
    """A name that nobody gives anything, and one that was given to something else: slips of one's own, and wrong. The
    row says what they are."""
    answers = {
        "conv2d_naive": needing("conv2d_naive", "kernell"),
        "receptive_field": needing("receptive_field", "np.zeroes(3)"),
    }
    return packed(filled(first=["1 / 0"], last=["out_size = out_size(9, 3)"], **answers))
