"""A picture as a network is to see it: grey or with three colours, its numbers from 0 to 1. Lesson 07.

Cameras give 8, 12 or 16 bits, signed or not, and few of them use all. So each picture is stretched by its own range,
whatever its type; or all of a set by one, where the brightness itself means something.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unet_edu._bands import bands
from unet_edu.data.files import DataError
from unet_edu.data.pictures import DataWarning

__all__ = ["Seen", "limits", "plain", "seen_as"]

SAMPLE = 2**22  # pixels of a large picture that are enough to know its percentiles
GREY = np.array([0.2125, 0.7154, 0.0721])  # how bright the eye finds red, green and blue, as in skimage.color.rgb2gray


Scale = tuple[Any, Any]
"""What becomes 0 and what becomes 1: numbers for all channels, or arrays (3, 1, 1) with those of each."""


class Seen:
    """A picture as a network is to see it: float32, dark is 0 and bright is 1.

    It has `shape`, `dtype` and slices, like an array, and computes a part when it is asked for. So a picture that lies
    on the disk is never in memory as a whole. `seen[:]` is all of it.

    Parameters
    ----------
    image : (H, W) or (3, H, W) array of real numbers
        As `pictures.read_image` gives it.
    channels : 1 or 3
        What the network takes. Colours are made grey as the eye sees them; grey is given to each of three channels.
    scale : (dark, bright), optional
        What becomes 0 and 1; what lies beyond is cut off. Left out, the darkest and the brightest percent of this
        picture's own numbers, whatever their type; of colours for each channel, so that the tint of a camera or a lamp
        is lost. Where these are equal, its least and its greatest number, and a `DataWarning` says so.
    name : str
        What messages call the picture.

    Raises
    ------
    DataError
        When more than half of the picture lies outside of the given scale, or its numbers are too far apart.
    """

    dtype = np.dtype(np.float32)

    def __init__(self, image: NDArray[Any], channels: int, scale: Scale | None = None, name: object = "image") -> None:
        if channels not in (1, 3):
            raise DataError(
                f"{name}: the network takes {channels} channels; pictures from files have one (grey) or three (colours)"
            )
        self.image, self.channels = image, channels
        self.shape = (channels, *image.shape[-2:]) if channels > 1 else image.shape[-2:]
        if scale is None:
            # 64 bits hold more digits than a float; they are counted from the least number on
            self._origin = image.min() if image.dtype.kind in "iu" and image.dtype.itemsize == 8 else None
            self.scale = _own_scale(image, channels, self._origin, name)
        else:
            self._origin, self.scale = None, scale
            _expect_inside(image, channels, scale, name)

    def __getitem__(self, place: Any) -> NDArray[np.float32]:
        place = _place(place, len(self.shape))
        block = plain(self.image, self.channels, place, self._origin)
        dark, bright = (np.broadcast_to(limit, self.shape)[place] for limit in self.scale)
        stretched = (block - dark) / np.where(bright > dark, bright - dark, 1)
        return np.where(bright > dark, np.clip(stretched, 0, 1), 0).astype(np.float32)


def seen_as(about: dict[str, Any], image: NDArray[Any], channels: int, name: object = "image") -> Seen:
    """A picture with the contrast for which a network was trained.

    Parameters
    ----------
    about : dict
        As `UNet.about`. Where "contrast" is "range", "dark" and "bright" are for all pictures, and "numbers" is the
        type that all of them have. Without it, each picture is stretched by its own range.
    image, channels, name
        As for `Seen`.

    Raises
    ------
    DataError
        As `Seen`; and when the picture has another type, whose numbers mean another brightness.
    """
    if about.get("contrast", "stretch") == "stretch":
        return Seen(image, channels, name=name)
    if image.dtype.name != about["numbers"]:
        raise DataError(
            f"{name}: holds {image.dtype.name}, and the images to train on {about['numbers']}, so the same number "
            "means another brightness (--contrast range); save it in the same type, or train with --contrast stretch"
        )
    return Seen(image, channels, (about["dark"], about["bright"]), name)


def _place(place: Any, axes: int) -> tuple[Any, ...]:
    """Slices with one for each axis that comes before the last that was named."""
    place = place if isinstance(place, tuple) else (place,)
    if Ellipsis not in place:
        return place
    at = place.index(Ellipsis)
    return (*place[:at], *[slice(None)] * (axes - len(place) + 1), *place[at + 1 :])


def plain(image: NDArray[Any], channels: int, place: Any = ..., origin: Any = None) -> NDArray[np.float64]:
    """A part of a picture with the channels that a network takes, before it is stretched.

    Parameters
    ----------
    image : (H, W) or (3, H, W) array
    channels : 1 or 3
    place : slices
        Of the result, which has the shape (H, W) or (3, H, W).
    origin : whole number, optional
        Counted from here on; for whole numbers of 64 bits, none of which is less.

    Returns
    -------
    array of float64
    """
    place = _place(place, 2 + (channels > 1))
    rows_and_columns = place if channels == 1 else place[1:]
    block = image[(slice(None),) * (image.ndim - 2) + rows_and_columns]
    if origin is not None:
        block = (block - origin).view(np.uint64)  # also where a difference has no room in a signed number
    block = block.astype(np.float64)
    if channels == 1:
        return np.tensordot(GREY, block, 1) if image.ndim == 3 else block
    planes = block if image.ndim == 3 else np.broadcast_to(block, (channels, *block.shape))
    return planes[place[0]]


def limits(image: NDArray[Any], channels: int, origin: Any = None) -> Scale:
    """The darkest and the brightest percent of each channel: between the two numbers lie 98 of 100 pixels.

    Of large pictures a regular sample of about a million pixels or more is looked at.

    Parameters
    ----------
    image : (H, W) or (3, H, W) array
    channels : 1 or 3
        With 1, colours are made grey first.
    origin : whole number, optional
        As for `plain`.

    Returns
    -------
    dark, bright : floats, or (3, 1, 1) arrays
    """
    dark, bright = np.percentile(_sample(image, channels, origin), (1, 99), axis=(-2, -1), keepdims=channels > 1)
    return dark, bright


def _sample(image: NDArray[Any], channels: int, origin: Any = None) -> NDArray[np.float64]:
    H, W = image.shape[-2:]
    step = slice(None, None, max(1, int(np.ceil(np.sqrt(H * W / SAMPLE)))))
    return plain(image, channels, (..., step, step), origin)


def _own_scale(image: NDArray[Any], channels: int, origin: Any, name: object) -> Scale:
    dark, bright = limits(image, channels, origin)
    is_flat = dark == bright
    if np.any(is_flat):
        rows = [plain(image, channels, (..., part, slice(None)), origin) for part in bands(image.shape[-2:])]
        axes: Any = {"axis": (-2, -1), "keepdims": channels > 1}
        least = np.min([row.min(**axes) for row in rows], axis=0)
        greatest = np.max([row.max(**axes) for row in rows], axis=0)
        dark, bright = np.where(is_flat, least, dark), np.where(is_flat, greatest, bright)
    if np.all(is_flat):  # one channel of colour may well be empty
        what = (
            "98 of 100 of its pixels are equal" if np.any(dark < bright) else "all its pixels are equal: it is constant"
        )
        warnings.warn(DataWarning(name, f"{what}; is it the right picture?"), stacklevel=3)
    with np.errstate(over="ignore"):
        span = bright - dark
    if not np.isfinite(span).all():
        raise DataError(
            f"{name}: expected numbers of a usual size, got {np.min(dark):g} to {np.max(bright):g}; divide them and "
            "save the picture again"
        )
    return dark, bright


def _expect_inside(image: NDArray[Any], channels: int, scale: Scale, name: object) -> None:
    dark, bright = scale
    sample = _sample(image, channels)
    if np.mean((sample < dark) | (sample > bright)) > 0.5:
        raise DataError(
            f"{name}: holds numbers from {sample.min():g} to {sample.max():g}, most of them outside of {dark:g} to "
            f"{bright:g}, the range of the images to train on (--contrast range); bring the picture to the same "
            "scale, or train with --contrast stretch"
        )
    if sample.max() - sample.min() < 0.01 * (bright - dark):
        said = "all its pixels are nearly equal: they fill less than a hundredth of the range of the images to train on"
        warnings.warn(DataWarning(name, f"{said}; is it the right picture?"), stacklevel=4)
