"""The pictures of lesson 00 and its side road: photographs, and what a threshold or a U-Net marks in them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from unet_edu.figures.panels import WIDTH, Photo, photos
from unet_edu.figures.shown import Shown

__all__ = ["beside", "cell_masks", "coins", "largest_piece", "nuclei", "stained", "strip", "tissue_beside"]


def coins(image: ArrayLike) -> Shown:
    """The photograph of the coins.

    Parameters
    ----------
    image : (H, W) array
    """
    words = (
        "Twenty-four old coins in four rows of six, on a dark table. The table is brighter at the top, "
        "most of all at the left."
    )
    return Shown(photos(Photo(image, "24 coins"), columns=1, tile=4.2), words, image=image)


def strip(image: ArrayLike, mask: ArrayLike) -> Shown:
    """A photograph of coins, its mask, and the largest piece of the mask.

    Parameters
    ----------
    image : (H, W) array
    mask : (H, W) array of 0 and 1, or booleans
    """
    largest = largest_piece(mask)
    figure = photos(
        Photo(image, "the photograph"),
        Photo(mask, "white: what is marked"),
        Photo(largest, "the largest piece"),
        columns=3,
        tile=WIDTH / 3,
    )
    words = (
        "The coins and two masks. In the first, the coins are white, and so is a strip of the table along the upper "
        "edge. The second has the largest piece alone: the strip, with one coin joined to it."
    )
    return Shown(figure, words, mask=mask, largest=largest)


def beside(image: ArrayLike, by_threshold: ArrayLike, by_network: ArrayLike) -> Shown:
    """A photograph of coins, and what a threshold and a U-Net mark.

    Parameters
    ----------
    image : (H, W) array
    by_threshold, by_network : (H, W) arrays of 0 and 1, or booleans
    """
    words = (
        "The coins and two masks. The threshold's mask has the strip of table along the upper edge, and holes in the "
        "coins. The U-Net's mask shows 24 discs on black, with next to no holes, and a few specks."
    )
    return _beside(image, by_threshold, by_network, words)


def tissue_beside(image: ArrayLike, by_threshold: ArrayLike, by_network: ArrayLike) -> Shown:
    """A grey picture of stained tissue, and what a threshold and a U-Net mark: as `beside`."""
    words = (
        "The tissue in grey and two masks. The threshold marks dark parts of the glands. The U-Net marks many small "
        "pieces of the glands, and patches between them. Neither marks the nuclei alone."
    )
    return _beside(image, by_threshold, by_network, words)


def cell_masks(image: ArrayLike, masks: Mapping[str, ArrayLike]) -> Shown:
    """A photograph of one cell, and masks of it.

    Parameters
    ----------
    image : (H, W) array
    masks : mapping from title to (H, W) array of 0 and 1, or booleans
    """
    panels = [Photo(image, "one cell"), *(Photo(mask, title) for title, mask in masks.items())]
    words = (
        "A bright round cell with a dark rim on a grey ground that is not quite even, and masks of it. With the lowest "
        "threshold much of the ground is white. With the others there is one white disc, and it becomes smaller."
    )
    named = {f"mask_{number}": mask for number, mask in enumerate(masks.values())}
    return Shown(photos(*panels, columns=len(panels), tile=WIDTH / len(panels)), words, **named)


def stained(image: ArrayLike, masks: Mapping[str, ArrayLike]) -> Shown:
    """Stained tissue, and what is darker than some thresholds.

    Parameters
    ----------
    image : (H, W, 3) array
    masks : mapping from title to (H, W) array of 0 and 1, or booleans
    """
    panels = [Photo(image, "stained tissue"), *(Photo(mask, title) for title, mask in masks.items())]
    words = (
        "Tissue with brown glands and small blue nuclei, and masks of it. They mark the brown glands and hardly any of "
        "the blue nuclei."
    )
    named = {f"mask_{number}": mask for number, mask in enumerate(masks.values())}
    return Shown(photos(*panels, columns=2, tile=3.8), words, **named)


def nuclei(image: ArrayLike, blue: ArrayLike, box: tuple[int, int, int, int]) -> Shown:
    """Stained tissue, what is more blue than red, and its largest piece.

    Parameters
    ----------
    image : (H, W, 3) array
    blue : (H, W) array of 0 and 1, or booleans
    box : (top, left, height, width)
        A square to outline.
    """
    largest = largest_piece(blue)
    figure = photos(
        Photo(image, "stained tissue", box=box),
        Photo(blue, "more blue than red", box=box),
        Photo(largest, "the largest of its pieces"),
        columns=3,
        tile=WIDTH / 3,
    )
    words = (
        "The tissue and two masks. The first mask marks the tissue between the glands, nuclei and pale ground "
        "together, and only specks inside the glands. A square marks a part of a gland with many nuclei. The second "
        "mask is one ragged piece that stretches from the middle of the picture to its right, over many nuclei."
    )
    return Shown(figure, words, blue=blue, largest=largest)


def largest_piece(mask: ArrayLike) -> NDArray[np.bool_]:
    """Of the connected pieces of a mask the one with the most pixels.

    Parameters
    ----------
    mask : (H, W) array of 0 and 1, or booleans
        With at least one pixel.

    Returns
    -------
    (H, W) array of bool
    """
    labels, _ = ndimage.label(np.asarray(mask))
    piece: NDArray[np.bool_] = labels == 1 + np.bincount(labels.ravel())[1:].argmax()
    return piece


def _beside(image: ArrayLike, by_threshold: ArrayLike, by_network: ArrayLike, words: str) -> Shown:
    figure = photos(
        Photo(image, "the photograph"),
        Photo(by_threshold, "marked by the threshold"),
        Photo(by_network, "marked by the U-Net"),
        columns=3,
        tile=WIDTH / 3,
    )
    return Shown(figure, words, threshold=by_threshold, network=by_network)
