"""What this code reached when it was measured: results in the package, with date, machine and command.

They were written by programs in `benchmarks/`, and nobody edits them. So a lesson can show what took hours to compute.
Lessons 07 and 09.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Measured", "measured", "samples"]

FOLDER = Path(__file__).parent / "results"


class Measured(NamedTuple):
    """A header that says when, where and how, and one dict a run."""

    header: dict[str, Any]
    records: list[dict[str, Any]]

    def scores(self, name: str, **wanted: Any) -> list[float]:
        """This score of each run that has it and has these fields, for example `scores("seg", variant="full")`."""
        fits = (record for record in self.records if all(record.get(key) == value for key, value in wanted.items()))
        return [float(record["scores"][name]) for record in fits if name in record["scores"]]

    def repeated(self, **wanted: Any) -> list[list[dict[str, Any]]]:
        """The runs that have these fields: those together that differ by their seed alone, not by setting or commit."""
        groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
        for record in self.records:
            if all(record.get(key) == value for key, value in wanted.items()):
                setting = tuple(record.get(key) for key in ("experiment", "variant", "steps", "commit"))
                groups.setdefault(setting, []).append(record)
        return list(groups.values())


def measured(name: str) -> Measured:
    """Results by the name of their file.

    Parameters
    ----------
    name : str
        "real_data", "ablations" or "recipes".

    Returns
    -------
    Measured

    Raises
    ------
    FileNotFoundError
        When there are no such results. It says which program makes them.
    """
    path = FOLDER / f"{name}.json"
    if not path.exists():
        there = ", ".join(sorted(file.stem for file in FOLDER.glob("*.json"))) or "none"
        raise FileNotFoundError(
            f"{path}: no results of this name (there are: {there}); python benchmarks/{name}.py makes them"
        )
    content = json.loads(path.read_text(encoding="utf-8"))
    return Measured(content["header"], content["records"])


def samples(name: str) -> dict[str, NDArray[Any]]:
    """Pictures that belong to results: "images" and "truth", and by the name of each variant what it found. All (n, H,
    W) arrays.

    Empty when the results have no pictures.

    Parameters
    ----------
    name : str

    Returns
    -------
    dict of (n, H, W) arrays
        Images are float32 from 0 to 1, all others instance maps.
    """
    path = FOLDER / f"{name}.npz"
    if not path.exists():
        return {}
    with np.load(path, allow_pickle=False) as file:
        arrays = {key: file[key] for key in file.files}
    arrays["images"] = (arrays["images"] / 255).astype(np.float32)
    return {key: array if key == "images" else array.astype(np.int32) for key, array in arrays.items()}
