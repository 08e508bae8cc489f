"""How long each lesson runs, from a fresh kernel to its last cell: `python benchmarks/lessons.py`.

Copies of the lessons are run, one after the other. The seconds go, with date and machine, into
docs/site/run_times.json, from where the web book shows them. Run it on a machine that does nothing else.
"""

from __future__ import annotations

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

from tests.notebooks.execute import execute, notebooks

FILE = ROOT / "docs" / "site" / "run_times.json"


def main() -> None:
    seconds = {}
    for path in notebooks("course"):
        with tempfile.TemporaryDirectory() as folder:
            seconds[path.relative_to(ROOT).as_posix()] = round(execute(Path(shutil.copy(path, folder))), 1)
        print(f"{path.name}: {seconds[path.relative_to(ROOT).as_posix()]} s", flush=True)
    measured = {
        "command": "python benchmarks/lessons.py",
        "date": datetime.date.today().isoformat(),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, no GPU used",
        "seconds": seconds,
    }
    FILE.write_text(json.dumps(measured, indent=2) + "\n")
    print(f"{sum(seconds.values()):.0f} s for {len(seconds)} lessons, written to {FILE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
