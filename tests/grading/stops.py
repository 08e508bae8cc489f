"""Notebooks that do not come to their end: endless, greedy, or dead. What was done before and beside it keeps its
points.

They run with short limits (`test_submissions_in_sandbox.py`), and need NumPy only.
"""

from __future__ import annotations

from tests.grading.submissions import POINTS, Host, Kinds, all_in, filled, packed, solutions

KINDS = Kinds("stops")
GOOD = solutions()
ALL = tuple(POINTS)
unharmed = KINDS(12)
"""A cell does something terrible; all functions are in other cells."""
suspicious = KINDS(12, "graded", "needs review")
"""The same, in a way that nobody needs for an exercise; so a person may be asked to look. The functions are still worth
their points."""

IMPORTS = "import gc, itertools, os, re, signal, sys, threading, time\nimport numpy as np"


def in_cells(first: str, last: str = "") -> bytes:
    return packed(filled(first=[IMPORTS, first], last=[last or first]))


def in_functions(bodies: dict[str, str], **more: str) -> bytes:
    """These bodies in place of these functions; the others are right."""
    broken = {name: all_in(body, name)[name] for name, body in bodies.items()}
    return packed(filled(first=[IMPORTS, *more.values()], **broken))


# ------------------------------------------------------------------------------------------------------- without an end

FOREVER = "while True:\n    pass"
SWALLOWS = "while True:\n    try:\n        time.sleep(0.01)\n    except BaseException:\n        pass"
DEAF = (
    "for s in range(1, 65):\n    try:\n        signal.signal(s, signal.SIG_IGN)\n"
    "    except (OSError, ValueError):\n        pass\nwhile True:\n    pass"
)
IN_C = "sum(itertools.repeat(0))"


@unharmed
def endless_cells(host: Host) -> bytes:
    """An endless loop at the beginning, and one at the end that swallows every exception."""
    return in_cells(FOREVER, SWALLOWS)


@unharmed
def endless_below_the_function(host: Host) -> bytes:
    """The function stands above an endless loop, in one cell; another stands below one."""
    answers = {
        "conv2d_naive": GOOD["conv2d_naive"] + "\n\n" + FOREVER,
        "receptive_field": IN_C + "\n\n" + GOOD["receptive_field"],
    }
    return packed(filled(first=[IMPORTS], **answers))


@unharmed
def endless_and_deaf(host: Host) -> bytes:
    """All signals are ignored; then the process stops itself."""
    return in_cells(DEAF, "os.kill(os.getpid(), signal.SIGSTOP)")


@KINDS(9, "partial", verdicts={"conv2d_naive": "timed out", "receptive_field": "right"})
def endless_function(host: Host) -> bytes:
    """One function does not end."""
    return in_functions({"conv2d_naive": FOREVER})


@KINDS(9, "partial", verdicts={"conv2d_naive": "timed out"})
def endless_on_fresh_cases(host: Host) -> bytes:
    """Right on the cases that the notebook shows; on any other it does not end."""
    last = (
        "my_conv = conv2d_naive\ndef conv2d_naive(x, k):\n    while x[0, 0] not in (4, 1) or x.dtype.kind == 'f':\n"
        "        pass\n    return my_conv(x, k)"
    )
    return packed(filled(last=[last]))


@KINDS(4, "partial", verdicts=dict.fromkeys(("conv2d_naive", "out_size", "conv2d_multichannel"), "timed out"))
def endless_in_three_ways(host: Host) -> bytes:
    """One swallows exceptions, one ignores signals, one runs in C."""
    return in_functions({"conv2d_naive": SWALLOWS, "out_size": DEAF, "conv2d_multichannel": IN_C})


@KINDS(9, "partial", verdicts={"conv2d_naive": "timed out"})
def error_of_endlessly_many(host: Host) -> bytes:
    """An error that is a group of groups of groups: whoever asks for all that went wrong gets no end of it."""
    return in_functions(
        {"conv2d_naive": "e = ValueError(1)\nfor n in range(400):\n    e = ExceptionGroup('x' * 100, [e] * 9)\nraise e"}
    )


@KINDS(None, "timed out", never=ALL)
def endless_everywhere(host: Host) -> bytes:
    """No function ends: there is nothing to mark, and that is no 0."""
    return in_functions(dict.fromkeys(ALL, FOREVER))


@KINDS(9, "partial", verdicts={"out_size": "right"})
def stopped_by_itself(host: Host) -> bytes:
    """A function sends SIGSTOP to its own process, and to all others."""
    return in_functions({"conv2d_naive": "os.kill(os.getpid(), signal.SIGSTOP)\nos.kill(-1, signal.SIGSTOP)"})


@KINDS(12, "graded", "partial", "timed out")
def many_endless_cells(host: Host) -> bytes:
    """Thirty cells that do not end: the whole has a limit, too."""
    return packed(filled(last=[FOREVER] * 30))


def needing(name: str) -> str:
    """A right function that needs ONE."""
    head, end, body = GOOD[name].partition('"""\n')
    return f"{head}{end}    assert ONE == 1\n{body}"


@KINDS(12, reasons=("cell 3 was ended by the signal SIGSEGV",))
def constants_of_long_cells(host: Host) -> bytes:
    """So many cells have died that none is run as a whole: what others make is there all the same, also beside what
    takes too long."""
    slow = "def slow():\n    time.sleep(100)\n\nx = slow()\nONE = np.int64(1)"
    first = [IMPORTS, *["import faulthandler\nfaulthandler._sigsegv()"] * 8, slow, "TWO = 2 * ONE\nTWO -= ONE"]
    answers = {"out_size": needing("out_size"), "receptive_field": needing("receptive_field").replace("ONE", "TWO")}
    return packed(filled(first=first, **answers))


@KINDS(
    10,
    "partial",
    verdicts={"out_size": "crashed"},
    reasons=("out_size needs ONE, which is not there: cell 3 ran longer",),
)
def a_loop_of_a_long_cell(host: Host) -> bytes:
    """What a function needs is made in a loop of a cell that did not come so far: nobody can say what the function is
    worth."""
    return packed(
        filled(first=[IMPORTS, FOREVER + "\nfor ONE in [np.int64(1)]:\n    pass"], out_size=needing("out_size"))
    )


# ----------------------------------------------------------------------------------------------------------------- dead


@suspicious
def dies_in_cells(host: Host) -> bytes:
    """The process ends itself in one cell, and kills all it can reach in another."""
    return in_cells(
        "os._exit(0)",
        "os.kill(-1, signal.SIGKILL)\nos.kill(os.getppid(), signal.SIGKILL)\nos.kill(os.getpid(), signal.SIGKILL)",
    )


@suspicious
def kills_its_parent(host: Host) -> bytes:
    """Every signal to the parent, the group, the first process."""
    kill = """
    soft = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1)
    for s in (*soft, signal.SIGSEGV, signal.SIGKILL):
        for send in (lambda: os.kill(os.getppid(), s), lambda: os.kill(1, s), lambda: os.killpg(0, s)):
            try:
                send()
            except (OSError, KeyboardInterrupt):
                pass
    """
    return in_cells(kill)


@KINDS(4, "partial", verdicts=dict.fromkeys(("conv2d_naive", "out_size", "conv2d_multichannel"), "crashed"))
def dies_in_functions(host: Host) -> bytes:
    """One function ends the process, one kills it, one reads at address 0."""
    return in_functions(
        {
            "conv2d_naive": "os._exit(0)",
            "out_size": "os.kill(os.getpid(), signal.SIGKILL)",
            "conv2d_multichannel": "import faulthandler\nfaulthandler._sigsegv()",
        }
    )


@KINDS(9, "partial", "needs review", verdicts={"out_size": "right"}, never=("conv2d_naive",))
def reads_at_address_0(host: Host) -> bytes:
    """ctypes kills the process. (Who uses ctypes in an exercise may be looked at.)"""
    return in_functions({"conv2d_naive": "import ctypes\nreturn ctypes.string_at(0)"})


@KINDS(None, "crashed", never=ALL)
def dies_everywhere(host: Host) -> bytes:
    """Each function ends the process."""
    return in_functions(dict.fromkeys(ALL, "os._exit(0)"))


@KINDS(10, "partial", "graded", never=("out_size",), verdicts={"conv2d_naive": "right"})
def recursion_without_end(host: Host) -> bytes:
    """A function calls itself, with the limit of Python raised to a thousand million."""
    return in_functions(
        {"out_size": "return out_size(*args, **kwargs) + 1"},
        limit="sys.setrecursionlimit(10**9)\nthreading.stack_size(1 << 28)",
    )


@KINDS(10, "graded", "partial", verdicts={"conv2d_naive": "right"})
def recursion(host: Host) -> bytes:
    """A function calls itself without an end, and Python stops it."""
    return in_functions({"out_size": "return out_size(*args, **kwargs) + 1"})


@KINDS(10, "graded", "partial", "needs review", never=("out_size",), verdicts={"conv2d_naive": "right"})
def finalisers(host: Host) -> bytes:
    """Objects that raise, print and make more of themselves when they are collected."""
    bomb = """
    class Bomb:
        def __del__(self):
            Bomb.last = Bomb()
            print("again")
            raise SystemExit("x" * 1000)

    bombs = [Bomb() for _ in range(1000)]
    """
    return in_functions({"out_size": "bombs.clear()\ngc.collect()\nreturn Bomb()"}, bomb=bomb)


# --------------------------------------------------------------------------------------------------------------- greedy

GREEDY = "kept = []\nwhile True:\n    kept.append(bytearray(os.urandom(1 << 10)) * (1 << 14))"
MANY_GREEDY = """
for _ in range(30):
    if not os.fork():
        kept = [b"x" * (60 << 20)]
        time.sleep(100)
time.sleep(1.5)
"""
IN_FILES = """
for folder in ("/dev/shm", "/tmp", "/var/tmp", ".", "/run", "/"):
    try:
        with open(os.path.join(folder, "MARK"), "wb") as file:
            for _ in range(3000):
                file.write(bytes(1 << 20))
    except OSError as error:
        print(folder, error)
"""


@suspicious
def greedy_cells(host: Host) -> bytes:
    """Memory without an end in a cell; thirty processes that take their share of it in another."""
    return in_cells(GREEDY, MANY_GREEDY)


@KINDS(9, "partial", verdicts={"conv2d_naive": "over memory", "out_size": "right"})
def greedy_function(host: Host) -> bytes:
    """A function takes memory without an end."""
    return in_functions({"conv2d_naive": GREEDY})


@KINDS(9, "partial", "graded", never=("conv2d_naive",), verdicts={"out_size": "right"})
def greedy_at_once(host: Host) -> bytes:
    """A function asks for all the memory there is, in one step."""
    return in_functions({"conv2d_naive": "return np.ones(10**12)"})


@KINDS(None, "over memory", never=ALL)
def greedy_everywhere(host: Host) -> bytes:
    """Each function takes memory without an end."""
    return in_functions(dict.fromkeys(ALL, GREEDY))


@suspicious
def greedy_in_files(host: Host) -> bytes:
    """Gigabytes are written to every folder that takes them, those in memory too."""
    return in_cells(IN_FILES.replace("MARK", host.mark))


@suspicious
def greedy_in_hidden_memory(host: Host) -> bytes:
    """Gigabytes in memory that belongs to no process: anonymous files, deleted files, pipes, shared maps."""
    hide = """
    import mmap, tempfile
    kept = []
    try:
        fd = os.memfd_create("x")
        for _ in range(3000):
            os.write(fd, bytes(1 << 20))
    except (OSError, AttributeError) as error:
        print(error)
    try:
        for _ in range(3000):
            kept.append(tempfile.TemporaryFile())
            kept[-1].write(bytes(1 << 20))
            kept[-1].flush()
    except OSError as error:
        print(error)
    """
    shared = """
    kept = [mmap.mmap(-1, 1 << 26) for _ in range(60)]
    for one in kept:
        one.write(b"x" * (1 << 26))
    """
    return in_cells(hide, "import mmap\n" + "\n".join(line[4:] for line in shared.splitlines()))


@suspicious
def fork_bomb(host: Host) -> bytes:
    """Processes that make processes."""
    return in_cells("while True:\n    try:\n        os.fork()\n    except OSError:\n        pass")


@unharmed
def thread_bomb(host: Host) -> bytes:
    """Threads without an end, that stay when the cell is over."""
    return in_cells(
        "def sleeper():\n    while True:\n        time.sleep(1)\n\nfor _ in range(5000):\n"
        "    threading.Thread(target=sleeper, daemon=True).start()\ntime.sleep(1)"
    )


@unharmed
def open_files(host: Host) -> bytes:
    """As many open files and pipes as the system gives."""
    return in_cells("kept = []\nwhile True:\n    kept.append(os.pipe())")


# ----------------------------------------------------------------------------------------------------------------- loud


@suspicious
def loud_cells(host: Host) -> bytes:
    """Printing without an end, to stdout and to stderr."""
    return in_cells("while True:\n    print('x' * 10_000)", "while True:\n    os.write(2, b'\\x1b[2J' * 10_000)")


@unharmed
def loud_display(host: Host) -> bytes:
    """Hundreds of megabytes as the value of a cell, as its error, as a picture."""
    last = "raise ValueError('x' * (200 << 20))"
    return in_cells(
        "from IPython.display import HTML, display\ndisplay(HTML('x' * (100 << 20)))\n'x' * (200 << 20)", last
    )


@KINDS(9, "partial", "needs review", never=("conv2d_naive",), verdicts={"out_size": "right"})
def loud_function(host: Host) -> bytes:
    """A function that prints without an end."""
    return in_functions({"conv2d_naive": "while True:\n    os.write(1, b'x' * 100_000)"})


@KINDS(9, "partial", "graded", never=("conv2d_naive",), verdicts={"out_size": "right"})
def giant_answer(host: Host) -> bytes:
    """An answer of 80 megabytes, and one that is as large as the memory allows."""
    return in_functions({"conv2d_naive": "return np.ones((10**4, 10**3))"})


@unharmed
def threads_that_stay(host: Host) -> bytes:
    """Threads that compute, print and raise while the functions are called."""
    start = """
    def noise():
        while True:
            try:
                time.sleep(0.01)
                print("noise")
                raise ValueError("noise")
            except ValueError:
                pass

    for _ in range(8):
        threading.Thread(target=noise, daemon=True).start()
    """
    return packed(filled(first=[IMPORTS, start]))


@suspicious
def stays_at_the_end(host: Host) -> bytes:
    """At exit it waits for a thread and a handler that do not end."""
    start = """
    import atexit
    atexit.register(time.sleep, 1000)
    threading.Thread(target=time.sleep, args=(1000,)).start()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    """
    return packed(filled(first=[IMPORTS, start]))
