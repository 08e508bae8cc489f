"""Pictures and labels as people bring them: PNG, TIFF, JPEG. Read as scikit-image and tifffile show them, or refused.

There is one rule: what comes out is right, or a sentence says what the file holds, what was expected and what to do. So
nothing is guessed here. Where programs read a file in two ways (a palette, transparency, a note that says "turn me"),
docs/training.md says which one is taken.

What a file is follows from its first bytes, whatever its name ends with.
"""

from __future__ import annotations

import logging
import math
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unet_edu._bands import bands
from unet_edu.data.files import DataError

__all__ = ["SUFFIXES", "DataWarning", "is_picture", "read_image", "read_labels"]

SUFFIXES = (".png", ".tif", ".tiff", ".jpg", ".jpeg")
"""The files that are read as pictures, by the end of their names."""

LARGE = 2**26  # bytes from which on an uncompressed TIFF stays on the disk, and only what is asked for is read


class DataWarning(UserWarning):
    """Data that can be used, and of which the user should know something: the file's name, and what is said of it."""

    def __init__(self, name: object, said: str) -> None:
        super().__init__(f"{name}: {said}")
        self.name, self.said = str(name), said


def is_picture(path: Path) -> bool:
    """Whether a file is read as a picture, by its name. Not the ._NAME that macOS writes beside each NAME."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


# ---------------------------------------------------------------------------------------------------- what a file means


def read_image(path: str | os.PathLike[str]) -> NDArray[Any]:
    """The numbers of a picture, exactly as the file holds them.

    Parameters
    ----------
    path : str or path
        A PNG, JPEG or TIFF file of one picture. TIFF: numbers of any type, channels interleaved or one plane after the
        other, tiles, BigTIFF; for some compressions the package imagecodecs is needed. PNG: up to 16 bits in grey, 8
        bits a colour.

    Returns
    -------
    (H, W) or (3, H, W) array of the file's type
        Grey, or red, green and blue. The colours of a PNG's palette; the numbers of a TIFF's. Large uncompressed TIFF
        files come as `numpy.memmap`. Transparency that is the same everywhere is dropped. A note that says how the
        picture is to be turned (orientation) is not followed, as scikit-image and tifffile do not, and a `DataWarning`
        says so.

    Raises
    ------
    FileNotFoundError
        When there is no such file.
    DataError
        When the file is damaged, holds several pictures, another number of channels, transparency that differs from
        pixel to pixel, NaN or infinity, or colours that programs read in different ways.
    """
    path, stored = _stored(path)
    planes = stored.planes
    if stored.palette is not None and stored.format == "PNG":
        planes = np.concatenate([np.moveaxis(stored.palette[planes[0]], -1, 0), planes[1:]])
    elif stored.palette is not None and not _is_ramp(stored.palette):
        raise DataError(
            f"{path}: holds numbers and a table of colours for them, and programs differ in which of the two is the "
            "picture; save it as grey values, or as red, green and blue"
        )
    planes = _without_transparency(path, planes, stored)
    if planes.dtype.kind not in "buif":
        raise DataError(f"{path}: expected real numbers, got {planes.dtype}; save the picture with real ones")
    if planes.dtype.kind == "f" and not all(
        np.isfinite(plane[rows]).all() for plane in planes for rows in bands(plane.shape)
    ):
        raise DataError(f"{path}: holds NaN or infinite pixels; replace them and save the picture again")
    return planes[0] if len(planes) == 1 else planes


def read_labels(path: str | os.PathLike[str]) -> NDArray[np.int32]:
    """A label map: the numbers exactly as the file holds them.

    A palette of greys means its grey values. A palette of colours whose number 0 is black means its numbers: so
    annotation programs write classes.

    Parameters
    ----------
    path : str or path
        As for `read_image`.

    Returns
    -------
    (H, W) array of int32

    Raises
    ------
    FileNotFoundError
        When there is no such file.
    DataError
        When the file is damaged, was compressed with loss (JPEG), or holds colours, fractions, numbers beyond 32 bits
        or numbers that programs read in different ways.
    """
    path, stored = _stored(path)
    if stored.is_lossy:
        raise DataError(
            f"{path}: labels must be kept exactly, and JPEG and its kin change the numbers; save the labels as PNG or "
            "TIFF, from the program that drew them"
        )
    is_palette = stored.palette is not None  # whose transparency is for the eye alone, as its colours are
    planes = _numbers_of_palette(path, stored) if is_palette else _without_transparency(path, stored.planes, stored)
    labels = planes[0]
    if len(planes) == 3 and not (np.array_equal(planes[0], planes[1]) and np.array_equal(planes[0], planes[2])):
        raise DataError(f"{path}: expected one number a pixel, got 3 colours; save the labels as grey values")
    if stored.format == "PNG" and stored.bits in (2, 4) and not is_palette:
        raise DataError(
            f"{path}: has {stored.bits} bits a pixel, whose numbers programs read in two ways, as 0 to "
            f"{2**stored.bits - 1} or spread over 0 to 255; save the labels with 8 or 16 bits"
        )
    if labels.dtype.kind not in "buif":
        raise DataError(f"{path}: expected whole numbers, got {labels.dtype}; save the labels as grey values")
    if labels.dtype.kind == "f" and not np.array_equal(labels, np.round(labels)):  # also when one is NaN
        raise DataError(f"{path}: expected whole numbers, got fractions; was the label map resized by averaging?")
    if not -(2**31) <= float(labels.min()) <= float(labels.max()) < 2**31:
        raise DataError(
            f"{path}: expected numbers below 2147483648, got {labels.min()} to {labels.max()}; number the cells anew"
        )
    return labels.astype(np.int32)


def _numbers_of_palette(path: Path, stored: _Stored) -> NDArray[Any]:
    """Greys mean greys; colours mean the numbers behind them, if 0 is black, as it is where people number classes."""
    assert stored.palette is not None
    is_grey = (stored.palette == stored.palette[:, :1]).all()
    if is_grey and stored.format == "PNG":
        return stored.palette[:, 0][stored.planes[:1]]
    if _is_ramp(stored.palette) or not (is_grey or stored.palette[0].any()):
        return stored.planes[:1]
    seen = "greys in another order than its numbers" if is_grey else "colours, and the first of them is not black"
    raise DataError(
        f"{path}: holds numbers and a palette of {seen}, so it is not clear which number is the background; "
        "save the labels as grey values, with 0 for the background"
    )


def _is_ramp(palette: NDArray[Any]) -> bool:
    """Whether the colours grow with their numbers in equal steps from black: then the numbers are the picture."""
    steps = np.linspace(0, palette[-1].astype(float), len(palette))
    return bool(palette[-1].any() and np.abs(palette - steps).max() <= palette.max() / 255)


def _without_transparency(path: Path, planes: NDArray[Any], stored: _Stored) -> NDArray[Any]:
    """The grey plane, or the three of colour. What is left out says nothing: it is the same everywhere."""
    transparency = planes[len(planes) - stored.transparent :] if stored.transparent else planes[:0]
    planes = planes[: len(planes) - len(transparency)]
    if any(plane.min() != plane.max() for plane in transparency):
        raise DataError(
            f"{path}: is transparent in some places and not in others, and the picture may lie in the transparency; "
            "save it without (in many programs: flatten, or remove the alpha channel)"
        )
    if len(planes) not in (1, 3):
        raise DataError(
            f"{path}: expected one channel (grey) or three (red, green, blue), got {len(planes)}; save the channel "
            "that is wanted as a file of its own"
        )
    return planes


# ---------------------------------------------------------------------------------------------------- what is in a file


class _Stored(NamedTuple):
    """What is in a file, before it is asked what it means."""

    format: str
    planes: NDArray[Any]
    """(S, H, W): all samples of a pixel, those of transparency last."""
    transparent: int = 0
    """How many of the planes are transparency."""
    palette: NDArray[Any] | None = None
    """(n, 3): the red, green and blue of each number."""
    bits: int = 8
    orientation: int = 1
    is_lossy: bool = False


def _stored(path: str | os.PathLike[str]) -> tuple[Path, _Stored]:
    """Open a file, find out what it is, and read it."""
    path = Path(path)
    try:
        with open(path, "rb") as file:
            begin = file.read(26)
            file.seek(0)
            stored = next((read(path, file) for sign, read in _READERS.items() if begin.startswith(sign)), None)
    except (FileNotFoundError, IsADirectoryError, PermissionError, DataError):
        raise
    except MemoryError:
        raise DataError(
            f"{path}: does not fit into the memory; save it as TIFF without compression and tiles, which is read "
            "piece by piece"
        ) from None
    except Exception as error:  # noqa: BLE001  a damaged file makes decoders raise almost anything
        raise DataError(
            f"{path}: cannot be read as a picture ({error}); the file is damaged: get it again; or it is of a rare "
            "kind: save it as PNG, or as TIFF without compression"
        ) from None
    if stored is None:
        raise DataError(
            f"{path}: is empty; get it again"
            if not begin
            else f"{path}: cannot be read as a picture: it is neither PNG nor JPEG nor TIFF; the file is damaged: get "
            "it again; or it is of another kind: save it as PNG or TIFF"
        )
    if 0 in stored.planes.shape:
        raise DataError(f"{path}: has no pixel; get it again")
    if stored.orientation in range(2, 9):
        warnings.warn(
            DataWarning(
                path,
                f"carries a note by which viewers turn it (orientation {stored.orientation:d}); its pixels are taken "
                "as they are stored, so a label map must be stored the same way",
            ),
            stacklevel=3,
        )
    return path, stored


def _tiff(path: Path, file: BinaryIO) -> _Stored:
    import tifffile

    # What matters of its complaints is said here, with the file's name.
    logging.getLogger("tifffile").setLevel(logging.CRITICAL)
    # Not as OME, whose description could name other files; each page then counts as what it is.
    with tifffile.TiffFile(file, is_ome=False) as tif:
        page = tif.pages[0]
        assert isinstance(page, tifffile.TiffPage)
        pages = max(len(tif.pages), tif.series[0].size // max(page.size, 1))
        if pages != 1:
            raise DataError(f"{path}: expected one page, got {pages}; save each page as a file of its own")
        kind = tifffile.PHOTOMETRIC(page.photometric).name
        is_jpeg = page.compression in (tifffile.COMPRESSION.JPEG, tifffile.COMPRESSION.OJPEG)
        if kind not in ("MINISWHITE", "MINISBLACK", "RGB", "PALETTE") and not (kind == "YCBCR" and is_jpeg):
            raise DataError(
                f"{path}: its colours are of the kind {kind}; save it as grey values, or as red, green and blue"
            )
        if page.is_reduced:
            raise DataError(f"{path}: begins with a small copy of its picture; save the picture itself as PNG or TIFF")
        if page.axes not in ("YX", "YXS", "SYX"):
            raise DataError(
                f"{path}: expected rows and columns, got the axes {page.axes} with shape {page.shape}; save each "
                "plane as a file of its own"
            )
        _expect_whole(file, tif, page)
        pixels = _mapped(file, tif, page) if page.is_memmappable and page.nbytes >= LARGE else _decoded(path, page)
        orientation = page.tags.get("Orientation")
        return _Stored(
            "TIFF",
            pixels[None] if page.axes == "YX" else np.moveaxis(pixels, page.axes.index("S"), 0),
            sum(extra in (1, 2) for extra in page.extrasamples),  # "alpha"; others are channels like the first ones
            None if page.colormap is None or kind != "PALETTE" else page.colormap.T,
            orientation=1 if orientation is None else orientation.value,
            is_lossy=page.compression not in _LOSSLESS,
        )


_LOSSLESS = (1, 2, 3, 4, 5, 8, 32773, 32946, 34925, 50000)
"""None, CCITT's three, LZW, deflate in two spellings, PackBits, LZMA, Zstandard."""


def _expect_whole(file: BinaryIO, tif: Any, page: Any) -> None:
    """tifffile goes on where something is missing: with zeros for pixels, with what is usual for the description."""
    if page.dtype is None:
        raise ValueError(f"numbers of {page.bitspersample} bits in the sample format {page.sampleformat}")
    if page.photometric == 3 and page.colormap is None:
        raise ValueError("its palette is missing")
    is_alpha = [extra in (1, 2) for extra in page.extrasamples]
    if is_alpha != sorted(is_alpha):
        raise ValueError("transparency lies between its channels")
    ends = [begin + count for begin, count in zip(page.dataoffsets, page.databytecounts, strict=True)]
    if not ends or 0 in page.databytecounts or max(ends) > os.fstat(file.fileno()).st_size:
        raise ValueError("parts of the picture are missing")
    if len(ends) != math.prod(page.chunked):
        raise ValueError(f"expected {math.prod(page.chunked)} strips or tiles, got {len(ends)}")
    file.seek(page.offset)
    tags = int.from_bytes(file.read(8 if tif.is_bigtiff else 2), "little" if tif.byteorder == "<" else "big")
    if len(page.tags) != tags:
        raise ValueError(f"of the {tags} parts of its description only {len(page.tags)} are legible")


def _mapped(file: BinaryIO, tif: Any, page: Any) -> NDArray[Any]:
    dtype = page.dtype.newbyteorder(tif.byteorder)
    return np.memmap(file, dtype, "r", offset=page.dataoffsets[0], shape=page.shape)


def _decoded(path: Path, page: Any) -> NDArray[Any]:
    try:
        return page.asarray()
    except (ValueError, KeyError, ImportError) as error:
        if "imagecodecs" not in str(error) and not isinstance(error, ImportError):
            raise
        raise DataError(
            f"{path}: is compressed in a way ({page.compression.name}) that needs one more package: pip install "
            "--upgrade imagecodecs; or save it without compression"
        ) from None


def _png_or_jpeg(path: Path, file: BinaryIO) -> _Stored:
    from PIL import Image

    begin = file.read(26)
    file.seek(0)
    with warnings.catch_warnings():  # of pictures that are large, but not too large, and of notes that are damaged
        warnings.simplefilter("ignore")
        try:
            # The checksums of a PNG, of which nobody looks at those of the pixels later.
            Image.open(file, formats=("PNG", "JPEG")).verify()
            with Image.open(file, formats=("PNG", "JPEG")) as picture:
                pages = getattr(picture, "n_frames", 1)
                if pages != 1:
                    raise DataError(f"{path}: expected one picture, got {pages}; save each as a file of its own")
                is_png = picture.format == "PNG"
                bits, kind = (begin[24], begin[25]) if is_png else (8, None)
                if bits == 16 and kind != 0:
                    raise DataError(
                        f"{path}: is a PNG with colours or transparency of 16 bits, of which 8 would be lost; save it "
                        "as TIFF"
                    )
                planes, transparent, palette = _planes(path, picture, bits)
                orientation = picture.getexif().get(274, 1)
        except Image.UnidentifiedImageError:
            raise ValueError("its beginning is unknown to Pillow") from None
        except Image.DecompressionBombError:
            raise DataError(
                f"{path}: has more than {2 * (Image.MAX_IMAGE_PIXELS or 0)} pixels; save it as TIFF without "
                "compression and tiles, which is read piece by piece"
            ) from None
    return _Stored("PNG" if is_png else "JPEG", planes, transparent, palette, bits, orientation, not is_png)


def _planes(path: Path, picture: Any, bits: int) -> tuple[NDArray[Any], int, NDArray[np.uint8] | None]:
    """What Pillow has read: the planes, how many of them are transparency, and the palette."""
    mode, key = picture.mode, picture.info.get("transparency")
    if mode not in ("1", "L", "LA", "I;16", "I;16B", "I", "RGB", "RGBA", "P"):
        raise DataError(
            f"{path}: its colours are of the kind {mode}; save it as grey values, or as red, green and blue"
        )
    palette = None
    pixels = np.asarray(picture)  # loads it: the palette and the notes are complete only now
    pixels = pixels.astype(np.uint16) if mode.startswith("I") else pixels  # some versions hold 16 bits in 32
    planes = pixels[None] if pixels.ndim == 2 else np.moveaxis(pixels, -1, 0)
    if mode == "P":
        palette = np.array(picture.getpalette("RGB"), np.uint8).reshape(-1, 3)
        if planes.max() >= len(palette):
            raise DataError(
                f"{path}: is damaged: its palette has {len(palette)} colours, and number {planes.max()} is used; get "
                "it again"
            )
    if key is not None:  # one number, colour or list that says which pixels are transparent
        if mode == "1":
            alpha = planes[0] != bool(key)  # some versions of Pillow say 1, others 255
        elif mode in ("P", "RGB"):
            alpha = np.asarray(picture.convert("RGBA"))[..., 3]
        else:
            alpha = planes[0] != key * max(1, 255 // (2**bits - 1))  # pixels of 2 and 4 bits are spread over 0 to 255
        return np.concatenate([planes, alpha[None].astype(planes.dtype)]), 1, palette
    return planes, int(mode in ("LA", "RGBA")), palette


_READERS: dict[bytes, Callable[[Path, BinaryIO], _Stored]] = {
    b"\x89PNG\r\n\x1a\n": _png_or_jpeg,
    b"\xff\xd8\xff": _png_or_jpeg,
    b"II*\0": _tiff,
    b"MM\0*": _tiff,
    b"II+\0": _tiff,
    b"MM\0+": _tiff,
}
"""Who reads a file that begins so. The last two are BigTIFF."""
