"""The scenes that are stored with a lesson's explorers of grids, and what makes two of them the same."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

import nbformat

# The explorers that ask Python, and answer a little on a web page without it.
GRIDS = re.compile(r"explore\.(interpolation|matrix|pooling|transposed)\(")
DECIMAL = re.compile(r"(\d+\.\d+)")


def scenes(notebook: nbformat.NotebookNode) -> dict[str, list[Any]]:
    """The scenes of each cell that has some or should have some, by the cell's id."""
    found = {}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            told = [output.get("metadata", {}).get("unet_edu", {}).get("scenes", []) for output in cell.outputs]
            scenes = [{**one, "scene": json.loads(one["scene"])} for scenes in told for one in scenes]
            if scenes or GRIDS.search(cell.source):
                found[cell.id] = scenes
    return found


def differences(stored: Any, fresh: Any, place: str = "") -> Iterator[str]:
    """Where two scenes differ by more than machines do.

    Sums of floats agree between machines to about six digits. A number that lies between two roundings may be rounded
    either way, so the last digit that is written of it may differ by one: in a place the sixth, in a text the last one
    behind the point.
    """
    if isinstance(stored, dict) and isinstance(fresh, dict) and stored.keys() == fresh.keys():
        for key, value in stored.items():
            yield from differences(value, fresh[key], f"{place} {key}")
    elif isinstance(stored, list) and isinstance(fresh, list) and len(stored) == len(fresh):
        for number, value in enumerate(stored):
            yield from differences(value, fresh[number], f"{place} {number}")
    elif isinstance(stored, float) and isinstance(fresh, float):
        if not math.isclose(stored, fresh, rel_tol=1e-5):
            yield f"{place}: {stored} is stored, {fresh} is true"
    elif isinstance(stored, str) and isinstance(fresh, str) and DECIMAL.search(stored):
        if not _reads_alike(DECIMAL.split(stored), DECIMAL.split(fresh)):
            yield f"{place}: {stored!r} is stored, {fresh!r} is true"
    elif stored != fresh:
        yield f"{place}: {stored!r} is stored, {fresh!r} is true"


def _reads_alike(stored: list[str], fresh: list[str]) -> bool:
    """Whether two texts, cut into words and decimals, are the same but for a last digit."""
    if stored[::2] != fresh[::2]:
        return False
    pairs = zip(stored[1::2], fresh[1::2], strict=True)
    return all(abs(float(one) - float(other)) < 1.5 * _last_digit(one, other) for one, other in pairs)


def _last_digit(*decimals: str) -> float:
    """What one more in the last digit is worth, of the decimal with the fewest digits."""
    return 10.0 ** -min(len(decimal.partition(".")[2]) for decimal in decimals)
