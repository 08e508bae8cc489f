"""What a function lacks is told from what is its own slip."""

from types import SimpleNamespace

import pytest

from unet_edu.checks.answer import Answer, attempt
from unet_edu.checks.exercise import Case
from unet_edu.grading.blame import lacks, replaced, slip
from unet_edu.grading.notebook import Notebook
from unet_edu.grading.session import CellStop

BOOK = Notebook(
    (
        "import of_others as o\nONE = 1\nC.x = d['y'] = 2",
        "ONE += 1\nwhile True: pass",
        "try:\n    import of_others\n    LATE = 3\nexcept ImportError:\n    pass",
        "np.ones(TWO)",
    )
)
RAISED = SimpleNamespace(raised={1: "ValueError", 4: "TypeError"}, stops=[])
STOPPED = SimpleNamespace(raised={}, stops=[CellStop(2, "timed out", "ran longer than 60 seconds")])


def answer(error):
    """What becomes of a function that raises this."""

    def f():
        raise error

    return attempt(f, Case("one", ()))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ModuleNotFoundError("No module named 'a.b'"), "needs the package a.b, which is not installed here"),
        (ImportError("cannot import name 'a' from 'b' (/home/c)"), "cannot import: cannot import name 'a' from 'b'"),
        (
            FileNotFoundError(2, "No such file or directory", "x.npy"),
            "needs a file that is not here: [Errno 2] No such file",
        ),
        (OSError(30, "Read-only file system", "x"), "needs a file"),
        (type("URLError", (OSError,), {})("no"), "needs the internet, which is not here: URLError"),
        (RuntimeError("Found no NVIDIA driver on your system."), "needs a GPU"),
        (
            NameError("name 'ONE' is not defined. Did you mean: 'One'?"),
            "needs ONE, which is not there: cell 1 stopped with ValueError",
        ),
        (
            AttributeError("type object 'C' has no attribute 'x'. Did you mean: 'y'?"),
            "needs x, which is not there: cell 1",
        ),
        (KeyError("y"), "needs y, which is not there: cell 1"),
        (NameError("name 'LATE' is not defined"), "needs LATE, which is not there: cell 3 came to its end without it"),
        (NameError("name 'TWO' is not defined"), ""),  # it is used there, and made nowhere
        (AttributeError("module 'numpy' has no attribute 'zeroes'"), ""),
        (UnboundLocalError("cannot access local variable 'ONE' where it is not associated with a value"), ""),
        (KeyError("ONE thing"), ""),
        (NameError("name 'CUDA' is not defined"), ""),
        (IndexError("index 3 is out of bounds"), ""),
    ],
)
def test_what_a_function_lacks(error, words):
    said = lacks(BOOK, RAISED, answer(error))
    assert said.startswith(words) and bool(said) == bool(words)


def test_where_a_cell_was_stopped_nobody_knows_what_it_would_have_made():
    one, two = (lacks(BOOK, STOPPED, answer(NameError(f"name '{name}' is not defined"))) for name in ("ONE", "TWO"))
    assert one == "needs ONE, which is not there: cell 2 ran longer than 60 seconds"
    assert two == "needs TWO, which is not there: cell 2 ran longer than 60 seconds"
    assert not lacks(BOOK, STOPPED, answer(KeyError("TWO")))


def test_a_slip_has_its_own_words():
    assert slip(answer(NameError("name 'x' is not defined"))) == "stopped with NameError: name 'x' is not defined"
    assert "'zeroes'" in slip(answer(AttributeError("module 'numpy' has no attribute 'zeroes'")))
    assert not slip(answer(AttributeError("'list' object has no attribute 'shape'")))
    assert not slip(Answer("nothing")) and not slip(Answer("unusable", message="Your function returned a dict"))


@pytest.mark.parametrize(
    ("later", "is_replaced"),
    [
        ("from unet_edu.metrics import *", True),
        ("for iou in (1, 2): pass", True),
        ("from math import *", False),
        ("def mean(y):\n    iou = y\n    return iou", False),
        ("print([iou for iou in (1, 2)])", False),
        ("check(iou)", False),
    ],
)
def test_a_name_that_a_later_cell_gives_to_something_else(later, is_replaced):
    said = replaced(Notebook(("import x", "def iou(a, b): ...", later)), "iou", 2)
    assert (
        said
        == ("was called as cell 3 left it, which gives its name to something else than the function in cell 2")
        * is_replaced
    )
