"""The engine with the real sandbox: notebooks that end, and that do not. `test_engine.py` has it without."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tests.grading.test_engine import FIELD, OUT_SIZE, QUICK, SEED, SIZES, book, by_name
from unet_edu.grading.engine import grade
from unet_edu.grading.judge import fresh_cases
from unet_edu.grading.sandbox import Limits
from unet_edu.lessons import EXERCISES

pytestmark = pytest.mark.needs("bubblewrap")


def test_a_notebook_is_graded():
    result = grade(book(OUT_SIZE, FIELD), SIZES, SEED)
    assert (result.status, result.earned, result.reason, result.notes) == ("graded", 4, "", ())
    assert by_name(result)["out_size"].code == OUT_SIZE.rstrip()


def test_the_same_notebook_gives_the_same_result():
    notebook = book(OUT_SIZE.replace("// s + 1", "// s"), FIELD, "x = unknown", "import os; os._exit(3)")
    first = grade(notebook, SIZES, SEED, QUICK)
    assert first.status == "graded" and first.earned == 2
    assert "cell 4 ended the process, with exit status 3" in first.reason
    assert grade(notebook, SIZES, SEED, QUICK) == first


ENDS = [
    "while True: pass",
    "import os; os.kill(os.getpid(), 9)",
    "import time\nwhile True:\n    try: time.sleep(100)\n    except BaseException: pass",
    "import os\nx = [bytearray(1 << 28) for _ in range(9)]\nos._exit(1)",
    "while True: print('x' * 100_000)",
    "import sys; sys.exit()",
]
BODIES = ["while True: pass", "__import__('os')._exit(0)", "return np.zeros(1 << 33)"]


@pytest.fixture(scope="module")
def stopped():
    """What becomes of notebooks that do not end. They wait for their limits, so they do it together."""
    notebooks = {end: book(f"{OUT_SIZE}\n{end}", FIELD) for end in ENDS}
    notebooks |= {("", body): book(FIELD, f"def out_size(i, k, s=1, p=0, d=1):\n    {body}") for body in BODIES}
    with ThreadPoolExecutor(6) as pool:
        results = pool.map(lambda notebook: grade(notebook, SIZES, SEED, QUICK), notebooks.values())
        return dict(zip(notebooks, results, strict=True))


@pytest.mark.parametrize("end", ENDS)
def test_work_above_and_below_a_cell_that_stops_counts(stopped, end):
    assert (stopped[end].status, stopped[end].earned) == ("graded", 4), stopped[end]


@pytest.mark.parametrize("body", BODIES)
def test_work_beside_a_function_that_stops_counts(stopped, body):
    result = stopped["", body]
    assert result.earned == 2
    assert by_name(result)["receptive_field"].verdict == "right"


def test_a_thread_that_lives_on_does_no_harm_to_the_next_function():
    first = OUT_SIZE.replace(
        "    return",
        "    import os, threading\n    threading.Timer(0.02, lambda: os._exit(0)).start()\n    if i == 4:\n        "
        "import time; time.sleep(0.5)\n    return",
    )
    result = grade(book(first, FIELD), SIZES, SEED, QUICK)
    assert by_name(result)["out_size"].verdict == "crashed"
    assert by_name(result)["receptive_field"].verdict == "right"


def test_garbage_in_the_reply_pipe_earns_nothing_and_harms_nobody():
    forged = """
import os, threading
def noise():
    while True:
        for fd in range(3, 20):
            try: os.write(fd, b"\\xff" * 1000)
            except OSError: pass
threading.Thread(target=noise, daemon=True).start()
def out_size(*args, **kwargs): return 2
"""
    result = grade(book(forged, FIELD), SIZES, SEED, QUICK)
    assert not any(outcome.earned for outcome in result.outcomes if outcome.exercise == "out_size")
    assert result.status in ("graded", "partial", "crashed", "needs review")


def test_a_function_over_an_exercise_that_forbids_it_is_reported(monkeypatch):
    strict = replace(EXERCISES["out_size"], forbidden=("unet_edu.convolution.*",))
    monkeypatch.setitem(EXERCISES, "out_size", strict)
    source = """
from unet_edu import convolution as c
def out_size(i, k, s=1, p=0, d=1):
    return getattr(c, "output_" + "size")(i, k, stride=s, padding=p, dilation=d)
"""
    result = grade(book(source, FIELD), SIZES, SEED, QUICK)
    assert (result.status, by_name(result)["out_size"].would_earn) == ("needs review", 2)
    assert "out_size uses unet_edu.convolution." in result.reason


def test_what_the_limit_of_memory_stopped_is_not_called_wrong():
    """Also one exercise later: what the first left in memory is not the second one's fault."""
    greedy = "kept = []\ndef out_size(i, k, s=1, p=0, d=1):\n    kept.append(bytearray(2 << 30))\n    return i\n"
    result = grade(book(greedy, FIELD), SIZES, SEED, Limits(cell=20, call=20, total=60, memory=1 << 30))
    assert (result.status, result.earned) == ("partial", 2)
    assert result.reason == "out_size asked for more than the 1024 MB of memory that it may use"
    assert by_name(result)["out_size"].earned is None


def test_what_a_last_cell_took_away_is_graded_all_the_same():
    result = grade(book(OUT_SIZE, FIELD, "%reset -f"), SIZES, SEED, QUICK)
    assert (result.status, result.earned, result.reason) == ("graded", 4, "")


def test_a_function_whose_cell_stopped_is_no_silent_zero():
    """Here a package is missing, which was there on the student's machine."""
    result = grade(book("from numba_of_others import njit\n@njit\n" + OUT_SIZE, FIELD), SIZES, SEED, QUICK)
    assert (result.status, result.earned) == ("partial", 2)
    assert result.notes == ("Cell 1 stopped with ModuleNotFoundError: No module named 'numba_of_others'.",)
    assert result.reason == (
        "out_size is written in cell 1, which stopped with ModuleNotFoundError: No module named 'numba_of_others'"
    )
    assert by_name(result)["out_size"].earned is None


def test_a_last_cell_that_spoils_the_set_up_is_no_fault_of_the_grader():
    """It takes a function away and what the set-up imports; so the definitions, when they are run once more, meet a
    broken Python."""
    broken = "import sys\nsys.modules['numpy'] = None\ndel out_size"
    result = grade(book(OUT_SIZE, FIELD, broken), SIZES, SEED, QUICK)
    assert by_name(result)["receptive_field"].would_earn == 2, "sys.modules is for a person to look at"
    assert by_name(result)["out_size"].would_earn == 2


ODD = """
calls = 0
def out_size(i, k, s=1, p=0, d=1):
    global calls
    calls += 1
    if calls > CASES:
        THEN
    return (i + 2 * p - d * (k - 1) - 1) // s + 1 + (s > 2)
"""
THENS = {
    "goes on": "pass",
    "ends": "__import__('os')._exit(0)",
    "loops": "while True: pass",
    "raises": "raise SystemExit",
    "changes": "return 7",
    "goes away": "globals().pop('out_size', None)",
}


def test_a_function_is_asked_why_it_is_wrong_and_loses_nothing_by_it():
    cases = len(fresh_cases(EXERCISES["out_size"], SEED))
    odd = ODD.replace("CASES", str(cases))
    found = {name: grade(book(odd.replace("THEN", then), FIELD), SIZES, SEED, QUICK) for name, then in THENS.items()}
    explained = {name: by_name(result)["out_size"] for name, result in found.items()}
    plain = explained["goes on"]
    assert (plain.verdict, plain.earned, plain.layer) == ("half", 1, "cases")
    assert "“s” is larger than 2" in plain.diagnosis
    assert explained["changes"].layer == "calls", "it was asked the same again"
    for name, outcome in explained.items():
        assert outcome.diagnosis, name
        assert replace(outcome, code="", diagnosis="", layer="") == replace(plain, code="", diagnosis="", layer="")
        assert replace(found[name], outcomes=(), notebook="") == replace(found["goes on"], outcomes=(), notebook="")
        assert by_name(found[name])["receptive_field"].verdict == "right"


TELLS = """
import atexit, os, threading
seen, folder = [], "/tmp/unet-edu-tells"

def tell():
    try:
        kept = open(folder + "/seen").read()
    except OSError:
        kept = ""
    return f"{seen} {kept}"

def keep(given):
    seen.append(given)
    os.makedirs(folder, exist_ok=True)
    open(folder + "/seen", "a").write(repr(given))

def out_size(i, k, s=1, p=0, d=1):
    keep((i, k, s, p, d))
    threading.Thread(target=print, args=(tell(),)).start()
    atexit.register(tell)
    return (i + 2 * p - d * (k - 1) - 1) // s + 1

def receptive_field(layers):
    NEXT
"""
NEXTS = {
    "an exception's text, name and line": "n = seen[-1][0] if seen else 0\n    exec('\\n' * n + 'raise "
    "type(f\"E{n}\", (Exception,), {})(tell())', globals() | {'n': n})",
    "a shape": "return np.zeros(seen[-1] if seen and 0 < min(seen[-1]) else 3)",
    "what is no array": "return type('T' + str(len(tell())), (), {})()",
}


@pytest.mark.parametrize("way", NEXTS)
def test_what_a_function_saw_in_fresh_cases_does_not_come_out(way):
    """Whatever it keeps of them, and whoever tells it later, from memory or from a file: two seeds give the same
    words."""
    cells = book(TELLS.replace("NEXT", NEXTS[way]), "raise NameError(tell())")
    one, other = (grade(cells, SIZES, seed, QUICK) for seed in (SEED, SEED + 1))
    assert (one.status, one.reason, one.notes) == (other.status, other.reason, other.notes)
    # But for the diagnosis: how little it can tell, test_judge.py counts.
    told = [[replace(each, fresh=(0, 0), diagnosis="", layer="") for each in found.outcomes] for found in (one, other)]
    assert told[0] == told[1]
    assert one.outcomes[0].visible == (5, 5) and one.outcomes[0].fresh[0], "it was given fresh cases, and kept them"
