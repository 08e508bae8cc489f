"""What grading takes beside nbgrader: seconds and memory for each right submission of lesson 02, in the same run.

    python benchmarks/grading.py [--count 20] [--rounds 2]

Three commands take turns: `nbgrader autograde`, `unet-edu grade --workers 1`, and the same with two workers. Each
grades the whole class, and its time is divided by the number of notebooks; so the start of the program is in it. Each
also grades a class of one: the difference is what another notebook takes once the program runs. nbgrader runs the
notebooks, whose check cells judge; it has no sandbox. As given, it takes less than four minutes on two cores; each
round is printed as it comes. For less noise, take more notebooks and rounds. Memory is the largest sum over the command
and all processes that it started, as the system counts their pages: a page that several share counts several times, for
both.

The aims: no slower a submission than nbgrader's command line; two workers at least 1.7 times as fast as one.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import functools
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import psutil

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
from tests.grading.submissions import POINTS, TOPIC, filled, packed

EVERY = 0.05  # seconds between two looks at the memory
PROGRAMS = Path(sys.executable).parent  # nbgrader calls others by their names
ENVIRONMENT = {**os.environ, "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
CONFIG = """
c = get_config()
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "exercises"
c.ClearSolutions.code_stub = {"python": "# Write your code here.\\nraise NotImplementedError"}
"""


class Cost(NamedTuple):
    """Of one notebook in a class, of another one once the program runs, and the most memory."""

    seconds: float
    another: float
    megabytes: float


def measured(command: list[str | Path | int], folder: Path) -> tuple[float, float]:
    """Seconds and megabytes that a command takes."""
    start, most = time.perf_counter(), 0
    with tempfile.TemporaryFile() as said:
        process = psutil.Popen([str(word) for word in command], cwd=folder, env=ENVIRONMENT, stdout=said, stderr=said)
        while process.poll() is None:
            most = max(most, memory(process))
            time.sleep(EVERY)
        seconds = time.perf_counter() - start
        if process.returncode:
            said.seek(0)
            sys.exit(f"{' '.join(map(str, command))}:\n{said.read().decode(errors='replace')[-3000:]}")
    return seconds, most / 1e6


def memory(process: psutil.Process) -> int:
    """Of the process and all its descendants, in bytes."""
    total = 0
    with contextlib.suppress(psutil.NoSuchProcess):
        for one in [process, *process.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                total += one.memory_info().rss
    return total


def by_nbgrader(course: Path, count: int) -> tuple[float, float]:
    shutil.rmtree(course / "autograded", ignore_errors=True)
    cost = measured([PROGRAMS / "nbgrader", "autograde", "--force", TOPIC], course)
    graded = len(list(course.glob(f"autograded/*/{TOPIC}/{TOPIC}.ipynb")))
    if graded != count:
        sys.exit(f"nbgrader graded {graded} of {count} notebooks")
    return cost


def by_unet_edu(course: Path, count: int, workers: int) -> tuple[float, float]:
    output = course / "grading"
    shutil.rmtree(output, ignore_errors=True)
    command = [sys.executable, "-m", "unet_edu", "grade", TOPIC, course / "submitted", "-o", output]
    cost = measured([*command, "--workers", workers, "--quiet"], course)
    with open(output / TOPIC / "marks.csv", encoding="utf-8-sig", newline="") as file:
        marks = [float(row["mark"]) for row in csv.DictReader(file)]
    if marks != [sum(POINTS.values())] * count:
        sys.exit(f"unet-edu gave other marks than {count} times {sum(POINTS.values())}: {marks}")
    return cost


WAYS: dict[str, Callable[[Path, int], tuple[float, float]]] = {
    "nbgrader autograde": by_nbgrader,
    "unet-edu grade --workers 1": functools.partial(by_unet_edu, workers=1),
    "unet-edu grade --workers 2": functools.partial(by_unet_edu, workers=2),
}


def cost(way: Callable[[Path, int], tuple[float, float]], one: Path, course: Path, count: int) -> Cost:
    start, _ = way(one, 1)
    seconds, megabytes = way(course, count)
    return Cost(seconds / count, (seconds - start) / (count - 1), megabytes)


def course_of(folder: Path, count: int) -> Path:
    """A course as nbgrader wants it: the masters, the gradebook, and a folder for each student."""
    shutil.copytree(ROOT / "solutions" / TOPIC, folder / "solutions" / TOPIC)  # makes the folders, too
    (folder / "nbgrader_config.py").write_text(CONFIG)
    measured([PROGRAMS / "nbgrader", "generate_assignment", "--force", TOPIC], folder)
    for n in range(count):
        place = folder / "submitted" / f"student-{n:03d}" / TOPIC
        place.mkdir(parents=True)
        (place / f"{TOPIC}.ipynb").write_bytes(packed(filled(first=[f"who = {n}"])))
    return folder


def described(name: str, cost: Cost) -> str:
    seconds = f"{cost.seconds:6.2f} s a notebook {cost.another:6.2f} s for another"
    return f"{name:28s} {seconds} {cost.megabytes:6.0f} MB at most"


say = functools.partial(print, flush=True)  # at once, also into a file


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=20, help="notebooks, at least 2")
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    start = time.perf_counter()
    say(f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before the start")
    say(f"{options.count} right notebooks of {TOPIC}, {options.rounds} rounds, in which the commands take turns")
    rounds = []
    with tempfile.TemporaryDirectory() as folder:
        one, course = course_of(Path(folder, "one"), 1), course_of(Path(folder, "class"), options.count)
        for number in range(1, options.rounds + 1):
            rounds.append([])
            for name, way in WAYS.items():
                rounds[-1].append(cost(way, one, course, options.count))
                say(f"round {number}, {described(name, rounds[-1][-1])}, {time.perf_counter() - start:.0f} s so far")

    say("median of the rounds")
    for name, costs in zip(WAYS, zip(*rounds, strict=True), strict=True):
        say(described(name, Cost(*(statistics.median(numbers) for numbers in zip(*costs, strict=True)))))
    for name, first, second in (("nbgrader / one worker", 0, 1), ("one worker / two", 1, 2)):
        for what, part in (("in a class", "seconds"), ("another notebook", "another")):
            ratios = [getattr(ways[first], part) / getattr(ways[second], part) for ways in rounds]
            say(f"{name}, {what}: {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main()
