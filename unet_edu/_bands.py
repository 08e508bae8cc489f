"""What is large is worked on in bands, so that what is computed beside it stays small, and in a processor's cache."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

PIXELS = 2**20  # of a band: with some 60 bytes for each, the greediest step takes 60 MB


def bands(shape: Sequence[int], least: int = 1) -> Iterator[slice]:
    """The rows of a picture, in bands of about a million pixels, but of no fewer than `least` rows.

    Examples
    --------
    >>> list(bands((5, 400_000)))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    height, width = shape[:2]
    return slices(height, width, PIXELS, least)


def slices(length: int, size: int, limit: int, least: int = 1) -> Iterator[slice]:
    """`length` things of one size, in slices of at most `limit` in all, but of no fewer than `least` things."""
    step = max(least, limit // max(size, 1), 1)
    return (slice(first, min(first + step, length)) for first in range(0, length, step))
