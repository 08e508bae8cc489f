"""What grading takes beside nbgrader: seconds and memory for each right submission of lesson 02, the same notebooks in the same run.

    python benchmarks/grading.py [--count 12] [--rounds 3]

Three commands take turns: `nbgrader autograde`, `unet-edu grade --workers 1`, and the same with two workers. Each grades the whole class, and its time is
divided by the number of notebooks; so the start of the program is in it. nbgrader runs the notebooks, whose check cells judge; it has no sandbox.
Memory is the largest sum over the command and all processes that it started, as the system counts their pages: a page that several share counts
several times, for both.

The aims: no slower a submission than nbgrader's command line; two workers at least 1.7 times as fast as one.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
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
    """Of one notebook."""

    seconds: float
    megabytes: float


def measured(command: list[str | Path | int], folder: Path, count: int) -> Cost:
    """What a command takes that grades so many notebooks."""
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
    return Cost(seconds / count, most / 1e6)


def memory(process: psutil.Process) -> int:
    """Of the process and all its descendants, in bytes."""
    total = 0
    with contextlib.suppress(psutil.NoSuchProcess):
        for one in [process, *process.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                total += one.memory_info().rss
    return total


def by_nbgrader(course: Path, count: int) -> Cost:
    shutil.rmtree(course / "autograded", ignore_errors=True)
    cost = measured([PROGRAMS / "nbgrader", "autograde", "--force", TOPIC], course, count)
    graded = len(list(course.glob(f"autograded/*/{TOPIC}/{TOPIC}.ipynb")))
    if graded != count:
        sys.exit(f"nbgrader graded {graded} of {count} notebooks")
    return cost


def by_unet_edu(course: Path, count: int, workers: int) -> Cost:
    output = course / "grading"
    shutil.rmtree(output, ignore_errors=True)
    submitted, words = course / "submitted", ["--workers", workers, "--quiet"]
    cost = measured(
        [sys.executable, "-m", "unet_edu.cli", "grade", TOPIC, submitted, "-o", output, *words], course, count
    )
    with open(output / TOPIC / "marks.csv", encoding="utf-8-sig", newline="") as file:
        marks = [float(row["mark"]) for row in csv.DictReader(file)]
    if marks != [sum(POINTS.values())] * count:
        sys.exit(f"unet-edu gave other marks than {count} times {sum(POINTS.values())}: {marks}")
    return cost


def course_of(folder: Path, count: int) -> Path:
    """A course as nbgrader wants it: the masters, the gradebook, and a folder for each student."""
    shutil.copytree(ROOT / "solutions" / TOPIC, folder / "solutions" / TOPIC)
    (folder / "nbgrader_config.py").write_text(CONFIG)
    measured([PROGRAMS / "nbgrader", "generate_assignment", "--force", TOPIC], folder, 1)
    for n in range(count):
        place = folder / "submitted" / f"student-{n:03d}" / TOPIC
        place.mkdir(parents=True)
        (place / f"{TOPIC}.ipynb").write_bytes(packed(filled(first=[f"who = {n}"])))
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=12, help="notebooks")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before the start")
    print(
        f"{options.count} right notebooks of {TOPIC}, median of {options.rounds} rounds, in which the commands take turns"
    )
    rounds = []
    with tempfile.TemporaryDirectory() as folder:
        course = course_of(Path(folder), options.count)
        for _ in range(options.rounds):
            ways = [by_nbgrader(course, options.count), *(by_unet_edu(course, options.count, n) for n in (1, 2))]
            rounds.append(ways)

    names = ("nbgrader autograde", "unet-edu grade --workers 1", "unet-edu grade --workers 2")
    for name, costs in zip(names, zip(*rounds, strict=True), strict=True):
        seconds, megabytes = (statistics.median(numbers) for numbers in zip(*costs, strict=True))
        print(f"{name:28s} {seconds:6.2f} s a notebook {megabytes:8.0f} MB at most")
    for words, first, second in (
        ("one worker takes {:.2f} × nbgrader's time", 1, 0),
        ("two workers are {:.2f} × as fast as one", 1, 2),
    ):
        ratios = [ways[first].seconds / ways[second].seconds for ways in rounds]
        print(words.format(statistics.median(ratios)), f"({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main()
