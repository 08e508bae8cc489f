"""Images and label maps in PNG and TIFF files: read with clear errors, written whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["SUFFIXES", "DataError", "is_image", "pairs", "read_image", "read_labels", "write_whole"]

SUFFIXES = (".png", ".tif", ".tiff")
"""The files that are read as images, by the end of their names."""


def is_image(path: Path) -> bool:
    """Whether a file is read as an image, by its name. macOS writes a file ._NAME beside each NAME on disks of others; these are none."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


class DataError(Exception):
    """Data that cannot be used: the sentence says which file, what is wrong with it, and what to do."""


def read_image(path: str | os.PathLike[str]) -> NDArray[np.float32]:
    """An image as numbers from 0 to 1.

    Whole numbers are divided by the largest that their type holds: 8 bits by 255, 16 bits by 65535. So two images of one camera keep
    their relation; a camera of 12 bits in a file of 16 stays dark. Floats are taken as they are.

    Parameters
    ----------
    path : str or path
        A PNG or a TIFF of one page.

    Returns
    -------
    (H, W) or (3, H, W) array of float32
        Grey, or red, green and blue. Transparency is dropped.

    Raises
    ------
    FileNotFoundError
        When there is no such file.
    DataError
        When the file is damaged, or holds no image of these kinds.
    """
    pixels = _pixels(path)
    if pixels.ndim == 3:
        pixels = pixels[..., :3].transpose(2, 0, 1) if pixels.shape[-1] > 2 else pixels[..., 0]
    if pixels.dtype.kind in "ui":
        return (pixels / np.float32(np.iinfo(pixels.dtype).max)).astype(np.float32)
    if not np.isfinite(pixels).all():
        raise DataError(f"{path}: holds NaN or infinite pixels; replace them and save the image again")
    return pixels.astype(np.float32)


def read_labels(path: str | os.PathLike[str]) -> NDArray[np.int32]:
    """A label map: the numbers exactly as the file holds them.

    Returns
    -------
    (H, W) array of int32

    Raises
    ------
    FileNotFoundError
        When there is no such file.
    DataError
        When the file is damaged, or holds colours or fractions instead of numbers.
    """
    labels = _pixels(path, palette_as_numbers=True)
    if labels.ndim != 2:
        raise DataError(
            f"{path}: expected one number a pixel, got {labels.shape[2]} colours; save the labels as grey values"
        )
    if labels.dtype.kind == "f" and not np.array_equal(labels, np.trunc(labels)):  # also when one is NaN
        raise DataError(f"{path}: expected whole numbers, got fractions; was the label map resized by averaging?")
    return labels.astype(np.int32)


def pairs(folder: str | os.PathLike[str]) -> list[tuple[Path, Path]]:
    """The images of a folder, each with its label map: images/NAME.png and labels/NAME.png, either as PNG or TIFF.

    Returns
    -------
    list of (image, labels)
        Sorted by name.

    Raises
    ------
    DataError
        When a subfolder is missing or empty, when a file has no partner, or when two files have the same name but for the ending.
    """
    images, labels = (_by_name(Path(folder) / kind) for kind in ("images", "labels"))
    for lonely, missing in ((images, labels), (labels, images)):
        for name in lonely.keys() - missing.keys():
            raise DataError(
                f"{lonely[name]}: has no partner; expected images and labels of the same names, in two folders"
            )
    return [(images[name], labels[name]) for name in sorted(images)]


def _by_name(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise DataError(f"{folder.parent}: expected the subfolders 'images' and 'labels'; there is no {folder.name!r}")
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if is_image(path) and found.setdefault(path.stem, path) != path:
            raise DataError(f"{path}: has the same name as {found[path.stem].name}; which one is meant?")
    if not found:
        raise DataError(f"{folder}: expected images ({', '.join(SUFFIXES)}), found none")
    return found


def _pixels(path: str | os.PathLike[str], palette_as_numbers: bool = False) -> NDArray[Any]:
    try:
        with Image.open(path) as picture:
            pages = getattr(picture, "n_frames", 1)
            if pages != 1:
                raise DataError(f"{path}: expected one page, got {pages}; save each page as a file of its own")
            if picture.mode == "P" and not palette_as_numbers or picture.mode in ("CMYK", "YCbCr", "LAB", "HSV"):
                return np.asarray(picture.convert("RGB"))
            pixels = np.array(picture)
            is_held_in_32_bits = (picture.format, picture.mode) == ("PNG", "I")  # by Pillow, though a PNG has 16
            return pixels.astype(np.uint16) if is_held_in_32_bits else pixels
    except (FileNotFoundError, IsADirectoryError, PermissionError, DataError):
        raise
    except Image.DecompressionBombError:
        raise DataError(
            f"{path}: claims to have more than {2 * (Image.MAX_IMAGE_PIXELS or 0)} pixels, which may be an attack; "
            "if it is yours, give it to unet_edu.tiling.predict as a numpy.memmap"
        ) from None
    except Exception as error:  # noqa: BLE001  a damaged file makes decoders raise almost anything
        raise DataError(
            f"{path}: cannot be read as an image ({error}); the file is damaged: get it again; or it is of another kind: save it as PNG, "
            "or as TIFF with 8 bits, 16 bits or 32-bit floats"
        ) from None


def write_whole(path: str | os.PathLike[str], write: Callable[[BinaryIO], object], *, force: bool = False) -> None:
    """Let `write` fill a file beside `path`, then put it in place in one step: nobody ever sees half a file.

    Raises
    ------
    FileExistsError
        When `path` is there and `force` is not given.
    """
    path = Path(path)
    if path.exists() and not force:
        raise FileExistsError(f"{path}: is there already; nothing was overwritten")
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with open(part, "xb") as file:
            write(file)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
