"""docs/grading-security.md says what the code does: its limits, its bounds, and that nothing is read which it does not
name."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import re
from pathlib import Path

import pytest

from unet_edu.grading.sandbox.limits import Limits

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "grading-security.md").read_text()
# By their names. `own` runs a student's notebook for that student; `init` and what is in `inside` run in the sandbox:
# none is on the trusted side.
MODULES = {
    path.parent.name if path.stem == "__init__" else path.stem: path
    for path in sorted((ROOT / "unet_edu" / "grading").rglob("*.py"))
    if path.stem not in ("own", "init") and "inside" not in path.parts
}
UNITS = {"": 1, "s": 1, "kB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30}
NUMBER = re.compile(r"(\d[\d,]*)(?: (s|kB|MB|GB)\b)?")

# What takes something in: from a file, a folder, a pipe, a process, or text of a stranger's that becomes a tree or an
# array.
READING = {
    *(
        "open",
        "fdopen",
        "read",
        "readline",
        "readlines",
        "readinto",
        "pread",
        "read_bytes",
        "read_text",
        "load",
        "loads",
    ),
    *("listdir", "scandir", "iterdir", "glob", "rglob", "fromfile", "frombuffer", "reader", "parse", "eval", "exec"),
    *("recv", "recv_bytes", "communicate", "check_output", "run", "Popen", "wait", "result"),
}
# What reads only what is the grader's own or the instructor's, and needs no row.
OWN = {
    "assignment.load",  # the instructor's file; it has a bound all the same
    "classroom._Writer._notebook",  # `submissions.read`
    "classroom._Writer.handed_in",
    "classroom._seed",
    "classroom.grade_class",  # names of its own half-written files; and `cluster.run`
    "cluster.run",
    "cluster._Worker.answer",  # our own processes
    "cluster._work",
    "cluster._threads_of_able_workers",
    "cluster._answer",
    "commands.grade",
    "commands.check",  # a student's own notebook, on their own machine
    "commands._own_notebooks",  # the same, of all their notebooks
    "engine._version",
    "engine.grade",  # `notebook.read` of bytes that are here already
    "forbidden.Scan.__init__",  # `cells.read` of text that is here already
    "journal.Journal.__init__",
    "journal._read",
    "project._secret",
    "release._notebook",
    "sandbox.Sandbox._start",
    "bubblewrap._pipe_with",
    "view.course",
    "view.kernel_secrets",
    "watchdog.Watchdog.__init__",  # opens, and reads later
    "watchdog.Watchdog.run",  # waits for its own clock
}


def rows(heading: str) -> list[list[str]]:
    """The cells of the table below a heading."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("|")]
    assert len(lines) > 5
    return lines[2:]


def value(text: str) -> int:
    """The first number of a cell, with its unit."""
    found = NUMBER.search(text)
    assert found, text
    return int(found[1].replace(",", "")) * UNITS[found[2] or ""]


def named(cell: str) -> list[str]:
    """The places in the code that a cell names."""
    return re.findall(r"`([\w.]+)`", cell)


def at(place: str) -> object:
    module, *names = place.split(".")
    path = MODULES[module].relative_to(ROOT).with_suffix("")
    found: object = importlib.import_module(".".join(path.parts).removesuffix(".__init__"))
    for name in names:
        found = getattr(found, name)
    return found


def test_the_limits_are_those_of_the_code():
    said = {name: value(default) for (name,), default in ((named(row[0]), row[1]) for row in rows("Limits"))}
    assert said == dataclasses.asdict(Limits())


BOUNDS = rows("Every byte that the trusted side reads")


@pytest.mark.parametrize("row", BOUNDS, ids=[row[0] for row in BOUNDS])
def test_a_bound_is_that_of_the_code(row):
    what, bound, where = row
    places = named(where)
    assert places, what
    for place in places:
        found = at(place)
        if isinstance(found, int):
            numbers = [int(n.replace(",", "")) * UNITS[unit] for n, unit in NUMBER.findall(bound)]
            assert found in numbers, f"{what}: {place} is {found}, the page says {bound}"


def test_bounds_that_are_limits_or_literals():
    by_place = {place: row for row in BOUNDS for place in named(row[2])}
    assert value(by_place["sandbox.Sandbox._read_reply"][1]) == Limits().reply
    assert value(by_place["sandbox.Sandbox._read_output"][1]) == Limits().output
    assert value(by_place["roster._lines"][1]) == at("notebook.MOST_BYTES")
    assert f", {value(by_place['watchdog.Watchdog._read'][1])})" in MODULES["watchdog"].read_text()
    assert f", {value(by_place['sandbox.Sandbox._watch'][1])}, 0)" in MODULES["sandbox"].read_text()


def readers(module: str) -> set[str]:
    """The functions of a module in which something is read, by what the calls are called."""
    found: set[str] = set()

    def look(node: ast.AST, inside: tuple[str, ...]) -> None:
        for child in ast.iter_child_nodes(node):
            is_scope = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            if isinstance(child, ast.Call):
                name = getattr(child.func, "attr", getattr(child.func, "id", ""))
                if name in READING:
                    found.add(".".join((module, *inside)))
            look(child, (*inside, child.name) if is_scope else inside)

    look(ast.parse(MODULES[module].read_text()), ())
    return found


def test_nothing_is_read_that_the_page_does_not_name():
    found = {place for module in MODULES for place in readers(module)}
    assert len(found) > 20
    told = {place for row in BOUNDS for place in named(row[2])}
    assert found - OWN <= told, f"in docs/grading-security.md is no row for {', '.join(sorted(found - OWN - told))}"
    assert found >= OWN, f"read nothing any more: {', '.join(sorted(OWN - found))}"


def test_nothing_of_a_stranger_s_becomes_code():
    """What must not be on the trusted side at all."""
    for path in MODULES.values():
        tree = ast.parse(path.read_text())
        calls = [ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)]
        bad = {"eval", "exec", "compile", "__import__", "pickle.loads", "pickle.load", "np.load", "torch.load"}
        bad |= {"marshal.loads", "yaml.load"}
        assert not bad.intersection(calls), path.name
        assert "importlib.import_module" not in calls, path.name
        shells = [
            node for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg in ("shell", "allow_pickle")
        ]
        assert not shells, path.name
