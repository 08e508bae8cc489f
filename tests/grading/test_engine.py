"""From bytes to a result: what the engine makes of what a sandbox says. `test_engine_in_sandbox.py` has a real one."""

import json
import pickle
import re
import subprocess
import sys
from dataclasses import asdict, replace

import numpy as np
import pytest

from tests.grading.submissions import FOUR
from unet_edu.checks.answer import Answer, attempt
from unet_edu.grading import engine, judge, session
from unet_edu.grading.assignment import Assignment
from unet_edu.grading.engine import ENGINE, grade
from unet_edu.grading.judge import fresh_cases
from unet_edu.grading.result import Result
from unet_edu.grading.sandbox import Limits, SandboxError, Stopped
from unet_edu.lessons import EXERCISES

SEED = 2**90 + 1
CONVOLUTION = FOUR
NAMES = [name for name, _ in CONVOLUTION.points]
ALL = "define " + " ".join(NAMES)


def book(*cells):
    """A notebook of these code cells, as bytes."""
    written = [{"cell_type": "code", "source": source, "metadata": {}, "outputs": []} for source in cells]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": written}).encode()


def by_name(result):
    return {outcome.exercise: outcome for outcome in result.outcomes}


# --- what the engine makes of what a sandbox says ---------------------------------------------------------------------


class Pretended:
    """A sandbox that only pretends: a cell's text says what becomes of it, and `functions` what functions answer.

    Lines of a cell:

    die, loop: the cell does. die!: its definitions do, too. die=: its assignments do, too. raise: it raises. define A
    B: what is there then, in the definitions, too.

    `asked` is what functions do when they are asked more than the cases.
    """

    def __init__(self, log, functions, forbidding=(), asked=()):
        self.log, self.functions, self.forbidding, self.asked = log, functions, forbidding, dict(asked)
        self.known, self.called, self.dead = set(), set(), False

    def __enter__(self):
        self.log.append("start")
        return self

    def __exit__(self, *_):
        self.log.append("end")

    def ask(self, request, seconds):
        assert not self.dead, "nobody asks a dead sandbox"
        kind, *rest = pickle.loads(request)
        if kind == "call":
            return self.call(*rest, seconds)
        return self.run("assignments" if kind == "definitions" and rest[1] else kind, rest[0], seconds)

    def run(self, kind, source, seconds):
        self.log.append(f"{kind} {source}")
        ok = True
        for line in source.splitlines():
            word, *names = line.split() or [""]
            if word == "define":
                self.known |= set(names)
            elif kind == "cell" and word == "raise":
                ok = False
            elif kind == "cell" or word.endswith("!") or (word.endswith("=") and kind == "assignments"):
                self.happen(word.rstrip("!="), seconds)
        return json.dumps({"ok": ok, "error": "" if ok else "ValueError: at 0x7f"}).encode() + b"\n"

    def happen(self, word, seconds):
        if word == "loop":
            self.stop("timed out", f"ran longer than {seconds:g} seconds")
        if word == "die":
            self.stop("crashed", "was ended by the signal SIGKILL")
        if word == "grow":
            self.stop("over memory", "used more than 3.0 GB of memory")

    def stop(self, why, detail):
        self.dead = True
        raise Stopped(why, detail)

    def call(self, name, case, forbidden, seconds):
        """Right answers, unless `functions` has a function of its own, or words for what becomes of the call."""
        self.log.append(f"call {name} {case.group}")
        behaviour = self.functions.get(name, "")
        if case.group == "asked":
            behaviour = self.asked.get(name, behaviour)
        f = behaviour if callable(behaviour) else EXERCISES[name].reference
        if behaviour in ("die", "loop", "grow") or (behaviour, case.group) == ("die when fresh", "extra"):
            self.happen(behaviour.split()[0], seconds)
        self.called.add(name)
        if behaviour == "die after others" and len(self.called) > 1:
            self.happen("die", seconds)
        if behaviour == "garbage":
            return b"GIF89a"
        answer = attempt(f, case) if name in self.known else Answer("empty")
        value = np.zeros(0) if answer.value is None else answer.value
        head = {
            "found": name in self.known,
            "kind": answer.kind,
            "message": answer.message,
            "changed_input": False,
            "printed": "",
            "dtype": "" if answer.value is None else value.dtype.str,
            "shape": [] if answer.value is None else list(value.shape),
            "types": answer.types,
            "forbidden": ["torch.conv2d"] if name in self.forbidding else [],
        }
        return json.dumps(head).encode() + b"\n" + value.tobytes()


@pytest.fixture
def pretend(monkeypatch):
    """Grade cells in a pretended sandbox: gives the result and what the sandbox was asked."""

    def run(*cells, limits=Limits(), forbidding=(), asked=(), **functions):  # noqa: B008
        log = []
        monkeypatch.setattr(session, "Sandbox", lambda *_, **__: Pretended(log, functions, forbidding, asked))
        result = grade(book(*cells), CONVOLUTION, SEED, limits)
        assert log.count("start") == log.count("end"), "each sandbox is closed"
        assert Result.from_json(json.loads(json.dumps(asdict(result)))) == result
        return result, log

    return run


def test_right_functions_earn_all(pretend):
    result, log = pretend("x = 1", ALL)
    assert (result.status, result.earned, result.points, result.reason) == ("graded", 10, 10, "")
    assert [outcome.exercise for outcome in result.outcomes] == NAMES
    assert log[:4] == ["start", f"cell {CONVOLUTION.set_up}", "cell x = 1", f"cell {ALL}"]
    assert log.count("start") == 1
    cases = sum(len(fresh_cases(EXERCISES[name], SEED)) for name in NAMES)
    assert sum(line.startswith("call") for line in log) == cases


def test_a_result_says_where_it_comes_from(pretend):
    import hashlib

    result, _ = pretend(ALL)
    assert result.notebook == hashlib.sha256(book(ALL)).hexdigest()
    assert (result.engine, result.seed, result.sandboxed, result.assignment) == (ENGINE, SEED, True, "02_convolution")


def test_a_stopped_cell_is_replaced_by_its_definitions_and_those_behind_it_run(pretend):
    result, log = pretend("x = 1", "define conv2d_naive\nloop", "define out_size conv2d_multichannel receptive_field")
    assert (result.status, result.earned) == ("graded", 10)
    assert result.reason == "cell 2 ran longer than 60 seconds"
    assert result.notes == ("Cell 2 ran longer than 60 seconds. Only its definitions and assignments were run then.",)
    again = log[log.index("end") :]
    assert again[3:5] == ["cell x = 1", "assignments define conv2d_naive\nloop"]
    assert log.count("start") == 2


def test_a_cell_whose_definitions_stop_is_left_out(pretend):
    result, log = pretend(ALL, "die!")
    assert (result.status, result.earned) == ("graded", 10)
    assert [line for line in log if "die!" in line] == ["cell die!", "assignments die!", "definitions die!"]
    assert log.count("start") == 4
    assert result.notes[-1] == "Cell 2 was ended by the signal SIGKILL. It was left out then."


def test_a_cell_whose_assignments_stop_gives_its_definitions(pretend):
    result, log = pretend("define conv2d_naive\ndie=", ALL)
    assert (result.status, result.earned) == ("graded", 10)
    assert [line.split()[0] for line in log if "die=" in line] == ["cell", "assignments", "definitions"]
    assert result.notes[-1] == "Cell 1 was ended by the signal SIGKILL. Only its definitions were run then."


def test_cells_that_raise_are_noted_without_what_differs_from_run_to_run(pretend):
    result, log = pretend("raise", ALL, "raise")
    assert (result.status, result.earned, result.reason) == ("graded", 10, "")
    assert result.notes == ("Cell 1 stopped with ValueError.", "Cell 3 stopped with ValueError.")
    assert log.count("start") == 1


def test_a_notebook_of_killing_cells_gets_only_its_definitions_run(pretend):
    result, log = pretend(*["die"] * 30, ALL)
    assert (result.status, result.earned) == ("graded", 10)
    assert log.count("start") == session.MOST_STOPS + 1
    assert "Of all cells, only the definitions and assignments were run then." in result.notes[-1]
    assert result.reason.endswith("and 3 more") and result.reason.count(";") == 5


def test_a_notebook_of_killing_definitions_is_given_up(pretend):
    result, log = pretend(*["die!"] * 30, ALL)
    assert (result.status, result.earned) == ("crashed", None)
    assert log.count("start") == 2 * session.MOST_STOPS
    assert all(outcome.verdict == "crashed" and outcome.earned is None for outcome in result.outcomes)


def test_a_stopped_function_costs_only_itself(pretend):
    result, log = pretend("define x", ALL, out_size="loop")
    assert (result.status, result.earned) == ("partial", 8)
    assert result.reason == "out_size ran longer than 20 seconds"
    assert (by_name(result)["out_size"].verdict, by_name(result)["out_size"].earned) == ("timed out", None)
    assert log.count("call out_size visible") == 1, "its other cases are not called"
    assert log.count("start") == 2


def test_a_function_that_dies_in_fresh_cases_only_earns_nothing(pretend):
    result, _ = pretend(ALL, out_size="die when fresh")
    found = by_name(result)["out_size"]
    assert (result.status, result.earned) == ("partial", 8)
    assert (found.verdict, found.earned, found.visible, found.fresh[0]) == ("crashed", None, (5, 5), 0)
    assert "in the case “a stride that leaves pixels over”: it ended Python." in found.message, (
        "a number would say much"
    )
    assert result.reason == "out_size ended Python"


@pytest.mark.parametrize(("behaviour", "status"), [("die", "crashed"), ("loop", "timed out"), ("grow", "over memory")])
def test_where_no_exercise_could_be_judged_there_is_no_mark(pretend, behaviour, status):
    result, _ = pretend(ALL, **dict.fromkeys(NAMES, behaviour))
    assert (result.status, result.earned) == (status, None)
    assert result.reason.startswith("conv2d_naive ")


def test_garbage_in_the_place_of_an_answer_is_a_crash_of_that_function(pretend):
    result, _ = pretend(ALL, conv2d_naive="garbage")
    assert (result.status, result.earned) == ("partial", 7)
    assert by_name(result)["conv2d_naive"].verdict == "crashed"
    assert "cannot be read" in result.reason


def test_what_an_earlier_function_left_behind_is_not_held_against_the_next(pretend):
    result, log = pretend(ALL, out_size="die after others")
    assert (result.status, result.earned) == ("graded", 10)
    assert log.count("start") == 3, "for the visible cases, and for the fresh ones"


def test_a_missing_function_is_told_and_the_others_count(pretend):
    result, log = pretend("define conv2d_naive out_size")
    assert (result.status, result.earned) == ("graded", 5)
    assert by_name(result)["receptive_field"].verdict == "missing"
    assert "there is no function `receptive_field`" in by_name(result)["receptive_field"].message
    assert log.count("call receptive_field visible") == 1


def test_the_wrong_notebook_is_for_a_person_to_look_at(pretend):
    result, _ = pretend("x = 1")
    assert (result.status, result.earned) == ("needs review", None)
    assert result.reason == "none of the functions of 02_convolution is in the notebook; is it the right one?"


def test_a_function_behind_a_stop_is_not_called_missing(pretend):
    """The notebook makes it, but not by a definition; so nobody can say what it is worth."""
    result, _ = pretend("die\nconv2d_naive = make()", "define out_size")
    found = by_name(result)["conv2d_naive"]
    assert (found.verdict, found.earned) == ("crashed", None)
    assert "before `conv2d_naive` was there: cell 1 was ended by the signal SIGKILL" in found.message
    assert by_name(result)["receptive_field"].verdict == "missing"
    assert result.status == "partial"


class Clock:
    """Time that passes only when somebody uses it."""

    def __init__(self):
        self.now = 1000.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    """Each cell `wait` takes 50 seconds, and each call one."""
    clock = Clock()
    monkeypatch.setattr(session, "time", clock)

    def slow(self, kind, source, seconds, run=Pretended.run):
        if kind == "cell" and "wait" in source:
            clock.now += min(50, seconds)
            if seconds < 50:
                self.stop("timed out", f"ran longer than {seconds:g} seconds")
        return run(self, kind, source, seconds)

    def call(self, name, case, forbidden, seconds, call=Pretended.call):
        clock.now += min(1, seconds)
        if seconds < 1:
            self.stop("timed out", f"ran longer than {seconds:g} seconds")
        return call(self, name, case, forbidden, seconds)

    monkeypatch.setattr(Pretended, "run", slow)
    monkeypatch.setattr(Pretended, "call", call)
    return clock


def test_cells_leave_time_for_the_calls(pretend, clock):
    result, log = pretend(*["wait"] * 10, ALL)
    assert (result.status, result.earned) == ("graded", 10)
    assert log.count("cell wait") == 4 - 1, "180 of 300 seconds; the fourth is cut"
    assert result.reason == "cell 4 had no time left of the 180 seconds for all cells"
    assert clock.now - 1000 <= 300


def test_cells_are_not_run_again_when_their_time_is_over(pretend, clock):
    result, log = pretend(*["wait"] * 3, ALL, conv2d_naive="die", out_size="die", conv2d_multichannel="die")
    assert (result.status, result.earned) == ("partial", 2)
    assert log.count("cell wait") == 3, "150 seconds; for a second time there are only 30 left"
    assert clock.now - 1000 <= 300


def test_when_all_time_is_used_the_rest_is_not_judged(pretend, clock):
    limits = Limits(total=20)
    result, _ = pretend(ALL, limits=limits)
    assert (result.status, result.earned) == ("partial", 3)
    assert [outcome.verdict for outcome in result.outcomes] == ["right", "timed out", "timed out", "timed out"]
    assert "had no time left of the notebook's 20 seconds" in result.outcomes[-1].message
    assert clock.now - 1000 <= 20


# --- what an instructor has to decide ---------------------------------------------------------------------------------


def test_a_right_answer_by_a_forbidden_function_is_for_the_instructor(pretend):
    result, _ = pretend(ALL, forbidding=["conv2d_naive"])
    found = by_name(result)["conv2d_naive"]
    assert (result.status, result.earned) == ("needs review", None)
    assert (found.verdict, found.earned, found.would_earn) == ("needs review", None, 3)
    assert result.reason == "conv2d_naive uses torch.*[cC]onv*"
    assert by_name(result)["out_size"].earned == 2


def test_a_wrong_answer_by_a_forbidden_function_is_wrong(pretend):
    result, _ = pretend(ALL, forbidding=["conv2d_naive"], conv2d_naive=lambda x, k: 0)
    assert (result.status, result.earned, result.reason) == ("graded", 7, "")
    assert by_name(result)["conv2d_naive"].verdict == "wrong"


def test_what_is_read_in_the_source_counts_as_well(pretend, monkeypatch):
    strict = replace(EXERCISES["conv2d_naive"], forbidden=("torch.conv*",))
    monkeypatch.setitem(EXERCISES, "conv2d_naive", strict)
    source = "from torch import conv2d as c\ndef conv2d_naive(x, k):\n    return c(x, k)\n"
    result, _ = pretend(ALL, source)
    assert (result.status, result.reason) == ("needs review", "conv2d_naive uses torch.conv2d")
    assert by_name(result)["conv2d_naive"].code == source.split("\n", 1)[1].rstrip()


def test_tampering_is_for_the_instructor_if_anything_was_earned(pretend, monkeypatch):
    monkeypatch.setattr(engine.forbidden, "tampering", lambda cells, ran: ["cell 1: uses sys.settrace"])
    result, _ = pretend(ALL, out_size=lambda *a, **k: 0)
    assert (result.status, result.earned, result.reason) == ("needs review", None, "cell 1: uses sys.settrace")
    assert [outcome.verdict for outcome in result.outcomes] == [
        "needs review",
        "wrong",
        "needs review",
        "needs review",
    ]
    assert by_name(result)["receptive_field"].would_earn == 2

    nothing, _ = pretend(ALL, **dict.fromkeys(NAMES, lambda *a, **k: 0))
    assert (nothing.status, nothing.earned) == ("graded", 0)
    assert nothing.reason == "cell 1: uses sys.settrace", "it may be why nothing is right"

    broken, _ = pretend(ALL, **dict.fromkeys(NAMES, "die"))
    assert (broken.status, broken.earned) == ("needs review", None)
    assert broken.reason.endswith("receptive_field was ended by the signal SIGKILL; cell 1: uses sys.settrace")


# --- why something is wrong -------------------------------------------------------------------------------------------


def odd_size(i, k, s=1, p=0, d=1):
    """Wrong for large strides, which is no mistake that has a name."""
    return (i + 2 * p - d * (k - 1) - 1) // s + 1 + (s > 2)


def test_what_is_wrong_and_has_no_name_is_explained(pretend):
    known = EXERCISES["conv2d_naive"].mistakes[0].wrong
    result, log = pretend(ALL, out_size=odd_size, conv2d_naive=known)
    found = by_name(result)
    assert (found["out_size"].verdict, found["out_size"].hint) == ("half", "")
    assert "wrong wherever “s” is larger than 2" in found["out_size"].diagnosis
    assert found["out_size"].layer == "cases"
    assert (found["conv2d_naive"].layer, found["conv2d_naive"].diagnosis) == ("named", "") != found["conv2d_naive"].hint
    assert {found[name].layer + found[name].diagnosis for name in NAMES[2:]} == {""}
    assert log.count("start") == 1
    first = log.index("call out_size asked")
    assert not any(" extra" in line for line in log[first:]), "all that a mark depends on comes before"
    assert {line for line in log[first:-1]} == {"call out_size asked"}


@pytest.mark.parametrize("what", ["die", "loop", "grow", "garbage", lambda *a, **k: 1 / 0, lambda *a, **k: np.zeros(9)])
def test_what_happens_when_a_function_is_asked_more_changes_no_mark(pretend, what):
    wrong = {"out_size": odd_size, "receptive_field": lambda layers: [3 * k + s for k, s in layers]}
    plain, _ = pretend(ALL, **wrong)
    found, log = pretend(ALL, asked={"out_size": what}, **wrong)
    unexplained = [[replace(o, diagnosis="", layer="") for o in each.outcomes] for each in (plain, found)]
    assert unexplained[0] == unexplained[1]
    assert replace(plain, outcomes=()) == replace(found, outcomes=())
    assert all(by_name(found)[name].diagnosis for name in wrong), "the answers to the cases are there all the same"
    assert log.count("start") == 1, "nothing is started for it"


def test_a_diagnosis_that_fails_costs_no_mark(pretend, monkeypatch):
    monkeypatch.setattr(judge, "explained", lambda *_: 1 / 0)
    result, _ = pretend(ALL, out_size=odd_size)
    assert (result.status, result.earned, by_name(result)["out_size"].diagnosis) == ("graded", 9, "")


def test_a_slow_function_is_not_asked_for_long(pretend, clock):
    _, log = pretend(ALL, out_size=odd_size)
    assert len(log) - 1 - max(n for n, line in enumerate(log) if line.endswith(" extra")) - 1 == engine.SECONDS_TO_ASK


def test_what_a_person_has_to_decide_is_not_explained(pretend):
    result, _ = pretend(ALL, forbidding=["out_size"], out_size=odd_size)
    assert (by_name(result)["out_size"].verdict, by_name(result)["out_size"].diagnosis) == ("needs review", "")


# --- before and beside the sandbox ------------------------------------------------------------------------------------


def test_what_is_no_notebook_is_unreadable_and_starts_no_sandbox(monkeypatch):
    monkeypatch.setattr(session, "Sandbox", None)
    result = grade(b"not a notebook", CONVOLUTION, SEED)
    assert (result.status, result.earned, result.outcomes) == ("unreadable", None, ())
    assert "not JSON" in result.reason and result.points == 10 and len(result.notebook) == 64


def test_a_failure_of_the_grader_is_no_result(monkeypatch):
    class Missing(Pretended):
        def __enter__(self):
            raise SandboxError("there is no bwrap")

    monkeypatch.setattr(session, "Sandbox", lambda *_, **__: Missing([], {}))
    with pytest.raises(SandboxError, match="no bwrap"):
        grade(book(ALL), CONVOLUTION, SEED)


@pytest.mark.parametrize("set_up", ["die", "loop", "raise"])
def test_a_set_up_that_does_not_work_is_a_failure_of_the_grader(monkeypatch, set_up):
    log = []
    monkeypatch.setattr(session, "Sandbox", lambda *_, **__: Pretended(log, {}))
    with pytest.raises(SandboxError, match="The assignment's set-up, which runs before each notebook, "):
        grade(book(ALL), replace(CONVOLUTION, set_up=set_up), SEED)
    assert log == ["start", f"cell {set_up}", "end"]


def test_addresses_in_messages_are_cut(pretend):
    def conv2d_naive(x, k):
        raise ValueError(object())

    result, _ = pretend(ALL, conv2d_naive=conv2d_naive)
    assert "<object object at 0x…>" in by_name(result)["conv2d_naive"].message


def test_the_engine_has_a_version_that_is_the_same_in_each_process():
    code = "from unet_edu.grading.engine import ENGINE; print(ENGINE)"
    another = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert another == f"{ENGINE}\n"
    assert re.fullmatch(r"[\d.]+(?:dev\d+)?\+[0-9a-f]{12}", ENGINE)


def test_numbers_of_the_fresh_cases_are_not_in_the_result(pretend):
    """A wrong answer to each case, large and of its own: none of the right ones is in what the student reads."""

    def out_size(i, k, s=1, p=0, d=1):
        return 987654

    result, _ = pretend(ALL, out_size=out_size)
    right = [EXERCISES["out_size"].reference(*c.args, **c.kwargs) for c in fresh_cases(EXERCISES["out_size"], SEED)]
    text = json.dumps(asdict(result)["outcomes"][1])
    assert not any(f" {number}." in text for number in right[5:] if number not in right[:5])
    assert np.isfinite(right).all()


# --- without a sandbox ------------------------------------------------------------------------------------------------

QUICK = Limits(cell=3, call=3, total=40, memory=1 << 30)
OUT_SIZE = "def out_size(i, k, s=1, p=0, d=1):\n    return (i + 2 * p - d * (k - 1) - 1) // s + 1\n"
FIELD = """
def receptive_field(layers):
    size, jump, sizes = 1, 1, []
    for k, s in layers:
        size, jump = size + (k - 1) * jump, jump * s
        sizes.append(size)
    return sizes
"""
SIZES = Assignment("own", (("out_size", 2.0), ("receptive_field", 2.0)), "import numpy as np")


def test_without_a_sandbox_it_says_so():
    result = grade(book(OUT_SIZE, FIELD), SIZES, SEED, QUICK, unsafe=True)
    assert (result.status, result.earned, result.sandboxed) == ("graded", 4, False)
