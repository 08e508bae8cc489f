"""Pictures are written band by band: a file takes the memory of one band, however large the picture is.

A PNG is little more than its rows, packed by zlib. So it is written here, where Pillow wants the whole picture.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Sequence
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import DTypeLike, NDArray

from unet_edu._bands import bands

__all__ = ["write_png", "write_tiff"]

GREY, COLOUR, PALETTE = 0, 2, 3  # as the PNG standard numbers them
BY_DIFFERENCE = (
    1  # a row's filter: each number less its left neighbour's, which packs better where colours change slowly
)


def write_png(
    file: BinaryIO, shape: Sequence[int], parts: Iterable[NDArray[np.uint8]], palette: NDArray[np.uint8] | None = None
) -> None:
    """Write a PNG with 8 bits.

    Parameters
    ----------
    file : binary file, open to be written
    shape : (H, W) for grey values and for numbers of colours, (H, W, 3) for colours
    parts : arrays of uint8
        The picture's rows from the top to the bottom, in bands of any height.
    palette : (n, 3) array of uint8, optional
        The colours whose numbers the parts hold.

    References
    ----------
    Portable Network Graphics (PNG) Specification, third edition, W3C (2025).
    """
    kind = COLOUR if len(shape) == 3 else GREY if palette is None else PALETTE
    file.write(b"\x89PNG\r\n\x1a\n")
    _chunk(file, b"IHDR", struct.pack(">IIBBBBB", shape[1], shape[0], 8, kind, 0, 0, 0))
    if palette is not None:
        _chunk(file, b"PLTE", palette.tobytes())
    packer = zlib.compressobj()
    for part in parts:
        rows = np.pad(part.reshape(len(part), -1), ((0, 0), (1, 0)))  # in front of each row stands its filter
        if kind == COLOUR:
            rows[:, 4:] -= rows[:, 1:-3].copy()
            rows[:, 0] = BY_DIFFERENCE
        _chunk(file, b"IDAT", packer.compress(rows.tobytes()))
    _chunk(file, b"IDAT", packer.flush())
    _chunk(file, b"IEND", b"")


def _chunk(file: BinaryIO, name: bytes, content: bytes) -> None:
    checksum = zlib.crc32(content, zlib.crc32(name))
    file.write(struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum))


def write_tiff(file: BinaryIO, pixels: NDArray[Any], dtype: DTypeLike) -> None:
    """Write a grey TIFF, packed without loss, in strips, which more programs read than tiles.

    Parameters
    ----------
    file : binary file, open to be written
    pixels : (H, W) array
        May be a memory map.
    dtype : type
        Of the numbers in the file.
    """
    import tifffile  # slow to import, and `unet-edu --help` needs none of it

    dtype = np.dtype(dtype).newbyteorder("<")
    first = next(bands(pixels.shape))
    tifffile.imwrite(
        file,
        (zlib.compress(pixels[band].astype(dtype).tobytes()) for band in bands(pixels.shape)),
        shape=pixels.shape,
        dtype=dtype,
        byteorder="<",
        rowsperstrip=first.stop,
        compression="zlib",
        bigtiff=pixels.size * dtype.itemsize > 2**32 - 2**25,  # places in a plain TIFF are numbers of 32 bits
        metadata=None,
    )
