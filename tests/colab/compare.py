"""Which versions of our list are not Colab's any more: `python tests/colab/compare.py pip-freeze.txt`.

The file is what `!pip freeze --all` prints on Colab, or pip-freeze.txt of https://github.com/googlecolab/backend-info;
with - it is read from standard input.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

OURS = Path(__file__).parent / "requirements.txt"
# `name==1.2`, or `name @ https://…/name-1.2-py3-none-any.whl`; Colab's builds of PyTorch add a `+cpu`
LINE = re.compile(r"^([\w.-]+)(?:==| @ \S*?[\w.]+?-)(\d[^\s+%#-]*)", re.MULTILINE)


def main(arguments: list[str]) -> None:
    if len(arguments) != 1:
        sys.exit(__doc__)
    (name,) = arguments
    theirs = versions(sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8"))
    if not theirs:
        sys.exit(f"{name}: expected lines like numpy==2.1.3, found none")
    ours = versions(OURS.read_text(encoding="utf-8"))
    found = differences(ours, theirs)
    if found:
        sys.exit("\n".join([*found, f"{len(found)} of {len(ours)} packages are not as on Colab"]))
    print(f"all {len(ours)} packages are as on Colab")


def versions(text: str) -> dict[str, str]:
    """The versions in a list of pip, by the names that pip takes for the same."""
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in LINE.findall(text)}


def differences(ours: dict[str, str], theirs: dict[str, str]) -> list[str]:
    return [
        f"{name}: here {version}, on Colab {theirs.get(name, 'not there')}"
        for name, version in sorted(ours.items())
        if theirs.get(name) != version
    ]


if __name__ == "__main__":
    main(sys.argv[1:])
