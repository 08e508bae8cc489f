"""Windows that slide over an image, as a matrix shows them: each row has the same weights, at other places."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from unet_edu.checks.arrays import Array, Shape

__all__ = ["Windows", "windows_of"]


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows, tap by tap: whose it is, where the window begins, where in it the tap lies, and its weight.

    Taps outside of the image are there, too: a window that is moved may bring them in.
    """

    owners: Array
    corners: Array
    taps: Array
    weights: Array
    whose: Shape
    image: Shape

    @property
    def size(self) -> Shape:
        return tuple((self.taps.max(axis=0) + 1).tolist())

    @property
    def owner_places(self) -> Array:
        return np.transpose(np.unravel_index(self.owners, self.whose))

    def matrix(self, places: Array, weights: Array | None = None, beyond: str = "nothing") -> Array:
        """A row for each window, with its weights at other places; `beyond` the image they are lost, or come back."""
        if beyond == "the other side":
            places = places % self.image
        elif beyond == "the border":
            places = places.clip(0, np.array(self.image) - 1)
        kept = ((places >= 0) & (places < self.image)).all(axis=1)
        matrix = np.zeros((np.prod(self.whose, dtype=int), np.prod(self.image, dtype=int)))
        columns = np.ravel_multi_index(tuple(places[kept].T), self.image)
        np.add.at(matrix, (self.owners[kept], columns), (self.weights if weights is None else weights)[kept])
        return matrix


def windows_of(matrix: Array, whose: Shape, image: Shape) -> Windows | None:
    """The windows that a matrix slides over an image, found by the weights; None where it slides none.

    Weights that are all different say which tap they are, also in a window that hangs over the border.
    """
    groups: dict[int, list[int]] = defaultdict(list)  # each output channel has weights of its own
    for n in np.flatnonzero(matrix.any(axis=1)):
        groups[int(np.unravel_index(n, whose)[-3]) if len(whose) > 2 else 0].append(int(n))
    rows: list[tuple[int, Array, Array, float]] = []
    for owners in groups.values():
        found = _slid({n: dict(zip(*_nonzero(matrix[n], image), strict=True)) for n in owners}, matrix, owners)
        if found is None:
            return None
        corners, taps = found
        low = np.min(list(taps.values()), axis=0)
        rows += [(n, corner + low, tap - low, weight) for n, corner in corners.items() for weight, tap in taps.items()]
    if not rows:
        return None
    owners_, corners_, taps_, weights = map(np.array, zip(*rows, strict=True))
    return Windows(owners_, corners_, taps_, weights, whose, image)


def _nonzero(row: Array, image: Shape) -> tuple[list[float], Array]:
    columns = np.flatnonzero(row)
    return row[columns].round(6).tolist(), np.transpose(np.unravel_index(columns, image))


def _slid(
    reads: dict[int, dict[float, Array]], matrix: Array, owners: list[int]
) -> tuple[dict[int, Array], dict[float, Array]] | None:
    """Where each window begins, and where in it each weight lies."""
    if any(len(reads[n]) != np.count_nonzero(matrix[n]) for n in owners):
        return None  # two equal weights in one window
    first = max(owners, key=lambda n: len(reads[n]))
    taps = dict(reads[first])
    corners: dict[int, Array] = {}
    left = set(owners)
    while left:
        met = [n for n in left if reads[n].keys() & taps.keys()]
        if not met:
            return None
        for n in met:
            known = next(weight for weight in reads[n] if weight in taps)
            corners[n] = reads[n][known] - taps[known]
            for weight, place in reads[n].items():
                if (taps.setdefault(weight, place - corners[n]) != place - corners[n]).any():
                    return None
        left -= set(met)
    return corners, taps
