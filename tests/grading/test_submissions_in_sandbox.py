"""A class of strangers is graded: each gets what its work earned, and nothing that one does touches another, the mark,
or the machine.

The kinds are in `submissions.py`. They run as a class, with three workers; then part of them one by one, in another
order.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import html
import os
import re
import signal
import site
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

import unet_edu
from tests.grading import cheats
from tests.grading.conftest import Ears, left_over, marked_files, snapshot
from tests.grading.one_sandbox import Way, grade_in_its_way
from tests.grading.submissions import ROOT, TOPIC, Host, Kind, kinds
from tests.patience import PATIENCE_S
from unet_edu.checks import attempt, judge
from unet_edu.grading import engine
from unet_edu.grading.assignment import ASSIGNMENTS
from unet_edu.grading.engine import grade
from unet_edu.grading.marks import classroom
from unet_edu.grading.marks.report import Row, summary
from unet_edu.grading.result import Outcome, Result
from unet_edu.grading.sandbox import Limits
from unet_edu.lessons import EXERCISES

pytestmark = pytest.mark.needs("bubblewrap")

SEED = 2015
KINDS = kinds()
ENOUGH = Limits(cell=40, call=20, total=150, memory=2 << 30)  # for `import torch` on a busy machine
WORKERS = 3  # than cores one more, because what does not end mostly waits
EVERY = 20  # of the kinds, so many in one are graded again, alone and in another order


def way_of(kind: Kind) -> Way:
    """Which sandbox and limits a kind needs."""
    if kind.group == "honest" or kind.name.startswith(("library_", "hidden_", "table_")):
        return "together"
    if kind.name.startswith("greedy_") or kind.name == "constants_of_long_cells":
        return "greedy"
    return "endless" if kind.group == "stops" else "alone"


# What lies beside the notebooks and is none, though its name says so.
NO_FILES = {
    "a_link_to_the_solutions": lambda path: path.symlink_to(ROOT / "solutions/02_convolution/02_convolution.ipynb"),
    "a_link_to_a_device": lambda path: path.symlink_to("/dev/zero"),
    "a_link_to_nothing": lambda path: path.symlink_to("nothing"),
    "a_fifo": os.mkfifo,
    "a_sparse_file": lambda path: os.truncate(os.open(path, os.O_CREAT | os.O_WRONLY), 1 << 40),
}


@dataclass
class Graded:
    """All rows by the kind's name, and the state of the machine."""

    rows: dict[str, Row]
    output: Path
    left_over: list[str]
    heard: list[bytes]
    changed: dict[Path, Any]
    seconds: float


@pytest.fixture(scope="module")
def graded(ears: Ears, adopts: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graded]:
    folder, output = tmp_path_factory.mktemp("class"), tmp_path_factory.mktemp("output")
    ways = dict[str, Way]()
    for kind in KINDS.values():
        notebook = kind.make(ears.host)
        (folder / kind.topic).mkdir(exist_ok=True)
        (folder / kind.topic / f"{kind.name}.ipynb").write_bytes(notebook)
        ways[hashlib.sha256(notebook).hexdigest()] = way_of(kind)
    for name, make in NO_FILES.items():
        make(folder / "02_convolution" / f"{name}.ipynb")

    watched = [folder, Path(unet_edu.__file__).parent, ROOT / "solutions", ROOT / "exercises"]
    before, processes = snapshot(watched), {child.pid for child in psutil.Process().children(recursive=True)}
    start, rows = time.monotonic(), {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "grade", functools.partial(grade_in_its_way, ways=ways))
        for batch in folder.iterdir():
            # the few of another topic are done before a second process has loaded PyTorch
            options = {"seed": SEED, "limits": ENOUGH, "workers": WORKERS if batch.name == TOPIC else 1}
            found = classroom.grade_class(ASSIGNMENTS[batch.name], batch, output / batch.name, **options)
            rows |= {row.student: row for row in found}
    seconds = time.monotonic() - start
    after = snapshot(watched)
    changed = {
        path: (before.get(path), after.get(path)) for path in before | after if before.get(path) != after.get(path)
    }
    yield Graded(rows, output, left_over(ears.host.mark, processes), list(ears.heard), changed, seconds)


def fault(kind: Kind, result: Result) -> str:
    """What is wrong with a result, in words; nothing when it is as it must be."""
    if result.status not in kind.statuses:
        return f"the status is {result.status}, expected {' or '.join(sorted(kind.statuses))}"
    if result.earned is not None and result.earned != kind.mark:
        return f"the mark is {result.earned}, expected {kind.mark}"
    honest = [outcome for outcome in result.outcomes if outcome.exercise not in kind.never]
    if result.status == "needs review" and kind.mark is not None and (worth := sum(map(worth_of, honest))) != kind.mark:
        return f"if the instructor accepts it, the work is worth {worth}, expected {kind.mark}"
    unsaid = [words for words in kind.reasons if words not in result.reason]
    if unsaid:
        return f"the reason does not say {unsaid[0]!r}"
    for outcome in result.outcomes:
        if outcome.exercise in kind.never and outcome.earned:
            return f"{outcome.exercise} earned {outcome.earned} points without the work"
        expected = dict(kind.verdicts).get(outcome.exercise, outcome.verdict)
        waits = (
            result.status == "needs review"
            and outcome.verdict == "needs review"
            and worth_of(outcome) == outcome.points
        )
        if outcome.verdict != expected and not (expected == "right" and waits):
            return f"{outcome.exercise} is {outcome.verdict}, expected {expected}"
    return ""


def worth_of(outcome: Outcome) -> float:
    """What the work on an exercise is worth, as far as it was judged."""
    return (outcome.would_earn if outcome.earned is None else outcome.earned) or 0.0


# ------------------------------------------------------------------------------------------------------------ the marks


def test_there_are_many_kinds() -> None:
    counts = Counter(kind.group for kind in KINDS.values())
    assert len(KINDS) >= 60
    assert min(counts[group] for group in ("honest", "broken", "cheat", "stops")) >= 15
    assert all(kind.why for kind in KINDS.values())


@pytest.mark.parametrize("name", KINDS)
def test_each_gets_what_its_work_earned(name: str, graded: Graded) -> None:
    kind, result = KINDS[name], graded.rows[name].result
    wrong = fault(kind, result)
    assert not wrong, f"{kind.why}\n{wrong}\n{result}"


def test_no_row_is_missing(graded: Graded) -> None:
    assert graded.rows.keys() == KINDS.keys() | NO_FILES.keys()
    for name in NO_FILES:
        assert graded.rows[name].result.status == "unreadable", name
        assert graded.rows[name].result.reason
    for row in graded.rows.values():
        assert row.result.reason or row.result.earned is not None, f"{row.student} has no mark, and nobody says why"


def test_nobody_earned_points_without_the_work(graded: Graded) -> None:
    """The sum of all the tests above: a number that the project may quote."""
    unearned = [name for name, kind in KINDS.items() if (graded.rows[name].result.earned or 0) > (kind.mark or 0)]
    assert not unearned
    assert sum(bool(kind.never) for kind in KINDS.values()) >= 60


def test_another_order_and_one_worker_give_the_same_table(graded: Graded, host: Host) -> None:
    again = [kind for kind in reversed(list(KINDS.values())) if way_of(kind) in ("alone", "together")][11::EVERY]
    assert {way_of(kind) for kind in again} == {"alone", "together"} and len(again) >= 8
    for kind in again:
        first = graded.rows[kind.name].result
        second = grade(kind.make(host), ASSIGNMENTS[kind.topic], SEED, ENOUGH)
        # Of these, a thread writes into the grader's pipe: which of its own calls that spoils is chance.
        if kind.name.startswith("replies_"):
            assert not fault(kind, second), kind.name
        else:
            assert brief(second) == brief(first), kind.name


def brief(result: Result) -> tuple[Any, ...]:
    """What the table says."""
    outcomes = [(outcome.verdict, outcome.earned, outcome.visible, outcome.fresh) for outcome in result.outcomes]
    return result.status, result.earned, result.engine, result.seed, outcomes


# ---------------------------------------------------------------------------------------------------------- the machine


def test_no_process_survived(graded: Graded) -> None:
    assert not graded.left_over


def test_nothing_was_written_outside(graded: Graded, host: Host) -> None:
    assert not graded.changed
    mine = [Path.home(), Path.cwd(), Path(sys.prefix), *map(Path, site.getsitepackages()), graded.output]
    places = {*mine, Path("/tmp"), Path("/var/tmp"), Path("/dev/shm")}
    assert not marked_files(host.mark, sorted(place for place in places if place.is_dir()))


def test_no_packet_came_out(graded: Graded) -> None:
    assert not graded.heard


def test_a_bounded_time_for_each(graded: Graded) -> None:
    """No notebook goes beyond its total: many times the usual, so that only what hangs fails here."""
    assert graded.seconds < len(KINDS) * 10


def test_what_was_kept_is_small(graded: Graded) -> None:
    """Whatever a notebook printed or raised, little of it comes into the tables and the pages of feedback."""
    files = [path for path in graded.output.rglob("*") if path.is_file()]
    pages = [path for path in files if path.suffix in (".html", ".csv", ".json")]
    assert len(pages) > 2 * len(KINDS)
    assert max(path.stat().st_size for path in pages) < 1 << 20


# ------------------------------------------------------------------------------------------ the instructor's own screen

ALLOWED = re.compile(
    r"<(?!/?(?:html|head|meta|title|style|body|main|header|footer|section|article|div|p|span|h[1-6]|pre|code|strong"
    r"|em|b|i|br|hr|small|table|thead|tbody|tr|th|td|caption|ul|ol|li|dl|dt|dd|details|summary|figure|figcaption|abbr"
    r"|time|mark|a)\b|!doctype)",
    re.IGNORECASE,
)


def pages(graded: Graded) -> dict[str, str]:
    found = {path.stem: path.read_text() for path in graded.output.rglob("feedback/*.html")}
    assert len(found) == len(graded.rows)
    return found


def test_no_script_runs_in_the_instructors_browser(graded: Graded) -> None:
    shown = 0
    for name, page in pages(graded).items():
        assert not ALLOWED.search(page), name
        assert not re.search(r"<[^>]*\s(on\w+|src|srcdoc|href)\s*=", page, re.IGNORECASE), name
        assert "default-src 'none'" in html.unescape(page)
        assert not [letter for letter in page if ord(letter) < 32 and letter not in "\n\t"], name
        shown += html.escape(cheats.SCRIPT) in page
    assert shown, "no page shows the code of the student whose name for everything is <script>"


def test_no_terminal_is_moved(graded: Graded) -> None:
    tables = [*graded.output.rglob("*.csv")]
    assert tables
    for path in tables:
        text = path.read_text()
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text.replace("\r\n", "\n")), (
            path
        )
    rows = [row for row in graded.rows.values() if row.assignment.name == "02_convolution"]
    text = summary(ASSIGNMENTS["02_convolution"], rows)
    assert text and not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)


# ------------------------------------------------------------------------------------ are the tests above able to fail?


class _InIPython:
    def __init__(self, names: dict[str, Any]) -> None:
        self.ev = lambda text: eval(text, names)


def test_the_libraries_would_earn_the_points() -> None:
    """In processes of their own, because some of them patch things, or leave copies of the process behind."""
    names = [*cheats.LIBRARIES, *cheats.SMALLER]
    program = "from tests.grading.test_submissions_in_sandbox import survey; survey()"
    command = [sys.executable, "-c", program, *names]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True, timeout=PATIENCE_S)
    assert done.stdout.split() == [f"{name}:passed" for name in names]


def survey() -> None:
    """Each cheat in a copy of this process, which has loaded what takes its time to load."""
    import scipy.signal  # noqa: F401
    import torch

    torch.set_num_threads(1)  # threads do not live on in a copy
    for name in sys.argv[1:]:
        child = os.fork()
        if not child:
            os.setpgid(0, 0)
            os.write(1, f"{name}:{would_pass(name)}\n".encode())
            os._exit(0)
        os.waitpid(child, 0)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)  # what it left behind


def would_pass(name: str) -> str:
    names = run(cheats.IMPORTS, (cheats.LIBRARIES | cheats.SMALLER)[name])
    exercise = next(EXERCISES[function] for function in cheats.POINTS if function in names)
    cases = exercise.cases(np.random.default_rng(SEED))
    return judge(exercise, cases, [attempt(names[exercise.name], case) for case in cases]).status


def run(*cells: str) -> dict[str, Any]:
    """The variables of a notebook of ours that runs here."""
    names: dict[str, Any] = {"__name__": "notebook"}
    names["get_ipython"] = lambda: _InIPython(names)
    for cell in cells:
        exec(cell, names)  # noqa: S102 - this test's own code
    return names


def test_the_search_would_find_the_solutions() -> None:
    names = run(cheats.SEARCH)
    assert names["solve"]([str(ROOT / "solutions" / "02_convolution")]).keys() == cheats.POINTS.keys()
    assert names["solve"]([str(ROOT / "unet_edu" / "lessons")]).keys() == cheats.POINTS.keys()


def test_the_machine_would_hear(ears: Ears, graded: Graded) -> None:
    ears.heard.clear()
    names = run(cheats.reaching_out(ears.host).split("for name in")[0])
    assert len(names["HEARD"]) >= 4
    until = time.monotonic() + 60  # on a busy machine, too
    while len(ears.heard) < len(names["HEARD"]) and time.monotonic() < until:
        time.sleep(0.05)
    assert len(ears.heard) >= len(names["HEARD"])


def test_what_is_left_behind_would_be_seen(adopts: None, host: Host, tmp_path: Path) -> None:
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    subprocess.run(["sh", "-c", "(setsid sleep 61 >/dev/null 2>&1 &)"], check=True)
    marked = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(62)", host.mark])
    found = left_over(host.mark, before, patience=0)
    assert "sleep 61" in found
    assert any(host.mark in command for command in found)
    marked.kill()
    marked.wait()
    for child in psutil.Process().children(recursive=True):
        if child.pid not in before:
            child.kill()
            child.wait(5)
    (tmp_path / f"x{host.mark}y").touch()
    assert marked_files(host.mark, [tmp_path]) == [tmp_path / f"x{host.mark}y"]
