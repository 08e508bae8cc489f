"""What a lesson shows, read from its source: the explorers that it calls, and its formulas."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat

from unet_edu import explore

EXPLORERS = sorted(set(explore.__all__) - {"digest", "show"})


def explorers(path: Path) -> list[str]:
    """Their names, once for each call."""
    return re.findall(rf"\bexplore\.({'|'.join(EXPLORERS)})\(", _source(path, "code"))


def formulas(path: Path) -> list[str]:
    """What stands in the prose between dollars."""
    prose = re.sub(r"```.*?```|`[^`]*`", "", _source(path, "markdown"), flags=re.DOTALL)
    return re.findall(r"\$\$.+?\$\$|\$[^$]+\$", prose, flags=re.DOTALL)


def _source(path: Path, kind: str) -> str:
    return "\n\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == kind)
