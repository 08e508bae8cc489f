"""Large pictures are worked on in bands of rows, so that what is computed beside them stays small."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

PIXELS = 2**20  # of a band: with some 60 bytes for each, the greediest step takes 60 MB


def bands(shape: Sequence[int], least: int = 1) -> Iterator[slice]:
    """The rows of a picture, in bands of about a million pixels, but of no fewer than `least` rows; only the last may have fewer.

    Examples
    --------
    >>> list(bands((5, 400_000)))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    height, width = shape[:2]
    step = max(least, PIXELS // max(width, 1), 1)
    return (slice(top, min(top + step, height)) for top in range(0, height, step))
