"""How long each lesson takes: `python benchmarks/lessons.py`.

It counts what a reader has to do, by the rates in tests/lessons/minutes.py, beside what the table at the lesson's head
says. Nothing is run for it.

`python benchmarks/lessons.py --seconds` measures instead how long each runs, from a fresh kernel to its last cell:
copies of the lessons, one after the other. The seconds go, with date and machine, into docs/site/run_times.json, from
where the web book shows them. Run it on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.lessons.minutes import KINDS, count
from tests.notebooks.execute import execute, notebooks

FILE = ROOT / "docs" / "site" / "run_times.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", action="store_true", help="measure how long each runs")
    if parser.parse_args().seconds:
        measure()
    else:
        print_minutes()


def print_minutes() -> None:
    print(f"{'':36}{'words':>7}{''.join(f'{kind:>11}' for kind in KINDS)}{'minutes':>9}{'said':>6}{'exercises':>11}")
    for path in notebooks("course"):
        found = count(path)
        kinds = "".join(f"{found.kinds[kind]:11}" for kind in KINDS)
        print(f"{path.stem:36}{found.words:7}{kinds}{found.minutes:9.1f}{found.said:6}{found.exercises:11}")


def measure() -> None:
    seconds = {}
    for path in sorted(ROOT.glob("course/*.ipynb")):
        with tempfile.TemporaryDirectory() as folder:
            seconds[path.relative_to(ROOT).as_posix()] = round(execute(Path(shutil.copy(path, folder))), 1)
        print(f"{path.name}: {seconds[path.relative_to(ROOT).as_posix()]} s", flush=True)
    measured = {
        "command": "python benchmarks/lessons.py --seconds",
        "date": datetime.date.today().isoformat(),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, no GPU used",
        "seconds": seconds,
    }
    FILE.write_text(json.dumps(measured, indent=2) + "\n")
    print(f"{sum(seconds.values()):.0f} s for {len(seconds)} lessons, written to {FILE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
