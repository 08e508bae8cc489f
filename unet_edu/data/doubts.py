"""Before a training: what was read, in a few lines, and what usually means that it is not as wanted. docs/training.md.

A wrong label map trains without an error, and the network is useless. Nothing here is certain, so nothing here stops a
training, but for sets on which nothing can be learned: each doubt is a sentence with the name of the file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from unet_edu.data.files import DataError
from unet_edu.data.seen import plain
from unet_edu.data.sources import Labelled

__all__ = ["and_others", "described", "doubts", "expect_something_to_learn"]

MANY_PIECES = 3  # a cell may be cut in two by another one that lies over it
SIDE = 128  # to see whether two pictures are nearly the same


def described(images: Sequence[Labelled], classes: int | None) -> str:
    """How many pictures, how large, of which numbers, and what is on them.

    Parameters
    ----------
    images : sequence of Labelled
    classes : int or None
        None: the labels number cells.

    Returns
    -------
    str
        One line.
    """
    if not images:
        return "no image"
    sizes = sorted({one.image.shape[-2:] for one in images})
    size = f"{sizes[0][0]}×{sizes[0][1]}" + (f" to {sizes[-1][0]}×{sizes[-1][1]}" if len(sizes) > 1 else " pixels")
    kinds = ", ".join(sorted({f"{one.image.dtype}{' in colour' * (one.image.ndim == 3)}" for one in images}))
    text = f"{len(images)} image{'s' * (len(images) > 1)}, {size}, {kinds}"
    shares = _shares(images, classes)
    if classes is None:
        cells = sorted(len(_numbers(one)) for one in images)
        text += f"; {cells[0]}, {cells[len(cells) // 2]}, {cells[-1]} cells per image (least, median, most)"
        text += f", on {_percent(1 - shares[0])} of the pixels"
    else:
        text += "; of the pixels are " + ", ".join(
            f"{_percent(share)} class {n}" for n, share in enumerate(shares) if share
        )
    known = sum(one.labels.size if one.known is None else int(one.known.sum()) for one in images)
    unknown = 1 - known / sum(one.labels.size for one in images)
    return text + (f"; nobody knows {_percent(unknown)}" if unknown else "")


def expect_something_to_learn(images: Sequence[Labelled], classes: int | None) -> None:
    """Raise when there is only one kind of pixel to learn from.

    Raises
    ------
    DataError
        When no picture has a cell, or none has background, or all pixels are of one class, or nobody knows any.
    """
    where, shares = f"{images[0].name}{and_others(len(images) - 1)}, to train on", _shares(images, classes)
    if not shares.any():
        raise DataError(f"{where}: nobody knows any pixel; which number is --ignore to be?")
    if np.count_nonzero(shares) > 1:
        return
    if classes is not None:
        raise DataError(f"{where}: every pixel is of class {shares.argmax()}; there is nothing to tell apart")
    if shares[0]:
        raise DataError(f"{where}: there is no cell, every pixel is 0; are these the labels?")
    kinds = max(int(one.labels.max()) for one in images) + 1
    advice = f", or, if these are kinds of things, say so, as in --classes {kinds}" if kinds <= 32 else ""
    raise DataError(
        f"{where}: no pixel is 0, which is the background, so all is cell; write 0 where no cell is{advice}"
    )


def doubts(training: Sequence[Labelled], validation: Sequence[Labelled], classes: int | None) -> list[str]:
    """What looks wrong with pictures and labels.

    Parameters
    ----------
    training, validation : sequences of Labelled
        In the order of their names.
    classes : int or None
        None: the labels number cells.

    Returns
    -------
    list of str
        Sentences. What is the same with many files is said once, with the first of them.
    """
    found = []
    for doubt in _ABOUT_CELLS if classes is None else ():
        named = [(one.name, said) for one in (*training, *validation) if (said := doubt(one))]
        if named:
            name, said = named[0]
            found.append(f"{name}{and_others(len(named) - 1)}: {said}")
    if classes is None:
        found += [*_alike([*training, *validation]), *_empty(validation)]
    else:
        found += _missing(training, validation, classes)
    return found + list(_leaks(training, validation))


def and_others(count: int) -> str:
    """What follows the first name of several."""
    return f" and {count} more" if count else ""


def _shares(images: Sequence[Labelled], classes: int | None) -> NDArray[np.float64]:
    """The part of all known pixels that each class has; of cells: background and cell."""
    counts = np.zeros(classes or 2, np.int64)
    for one in images:
        labels = one.labels if classes else one.labels > 0
        counts += np.bincount(labels.ravel() if one.known is None else labels[one.known], minlength=len(counts))
    return counts / max(counts.sum(), 1)


def _percent(share: float) -> str:
    if share > 0.99:
        return "100 %" if share == 1 else "nearly 100 %"
    return f"{100 * share:.2g} %"


def _numbers(one: Labelled) -> NDArray[np.int32]:
    numbers = np.unique(one.labels)
    return numbers[numbers > 0]


# --------------------------------------------------------------------------------------------- labels that number cells


def _is_full(one: Labelled) -> str | None:
    is_cell = one.labels > 0 if one.known is None else (one.labels > 0)[one.known]
    if is_cell.size and is_cell.all():
        return "no pixel is 0, which is the background; are these kinds of things? Then say how many, as in --classes 3"
    if is_cell.size and is_cell.mean() > 0.5:
        return f"most of the picture is cell ({_percent(is_cell.mean())}); are background and cell exchanged?"
    return None


def _pieces(one: Labelled) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
    """The numbers above 0, and in how many pieces each lies."""
    from skimage.measure import label  # slow to import

    pieces, places = np.unique(label(one.labels, background=0, connectivity=2), return_index=True)
    return np.unique(one.labels.ravel()[places[pieces > 0]], return_counts=True)


def _is_in_pieces(one: Labelled) -> str | None:
    """One number, many places: as in classes, and as in a mask that was drawn with smooth edges or kept as JPEG."""
    numbers, pieces = _pieces(one)
    torn = np.count_nonzero(pieces > 1)
    if torn and (pieces.max() >= MANY_PIECES or torn > max(2, len(numbers) / 5)):
        return (
            f"number {numbers[pieces.argmax()]} lies in {pieces.max()} pieces, and {torn} of {len(numbers)} numbers "
            "in more than one. Each number is taken for one cell. Are these kinds of things (--classes)? Or a mask "
            "with grey edges, of which only 0 and 255 should be left?"
        )
    return None


def _is_of_edges(one: Labelled) -> str | None:
    """Numbers that have no pixel of their own inside, and lie here and there, are the greys of an edge."""
    from scipy import ndimage

    labels = one.labels
    inner = (ndimage.minimum_filter(labels, 3) == labels) & (ndimage.maximum_filter(labels, 3) == labels)
    numbers, pieces = _pieces(one)
    thin = len(numbers) - np.count_nonzero(np.unique(labels[inner]))
    if 3 <= thin < len(numbers) and 2 * thin > len(numbers) and pieces.max() > 1:
        return (
            f"{thin} of its {len(numbers)} numbers are nowhere three pixels wide, as the greys along the edges of a "
            "mask are. Each is taken for a cell; save the mask with hard edges, 0 and 255"
        )
    return None


def _has_holes(one: Labelled) -> str | None:
    """Vessels and tissue run around the ground between them; cells do not."""
    from scipy import ndimage

    is_cell = one.labels > 0
    holes = ndimage.binary_fill_holes(is_cell).mean() - is_cell.mean()
    if holes > 0.25 * is_cell.mean():
        return (
            f"its cells enclose background ({_percent(holes)} of the picture), and `predict` fills the holes of cells. "
            "Are these kinds of things, such as vessels? Then say how many kinds, with the ground, as in --classes 2"
        )
    return None


_ABOUT_CELLS: tuple[Callable[[Labelled], str | None], ...] = (_is_full, _is_in_pieces, _is_of_edges, _has_holes)


def _alike(images: Sequence[Labelled]) -> Iterator[str]:
    """Cells are counted anew in each picture; kinds of things are the same few everywhere."""
    numbers = {tuple(_numbers(one).tolist()) for one in images}
    (same,) = numbers if len(numbers) == 1 else ((),)
    if len(images) >= 3 and 2 <= len(same) <= 3:  # more may well be the cells of a film
        yield (
            f"{images[0].name}{and_others(len(images) - 1)}: all hold the same numbers, {', '.join(map(str, same))}. "
            "Are these kinds of things? Then say how many there are with the background, as in --classes "
            f"{max(same) + 1}"
        )


def _empty(validation: Sequence[Labelled]) -> Iterator[str]:
    empty = [one.name for one in validation if not one.labels.any()]
    if empty and len(empty) == len(validation):
        yield (
            f"{empty[0]}{and_others(len(empty) - 1)}: no image that is held out has a cell, so there is no val_seg, "
            "and val_loss chooses best.pt. It knows only what is found where nothing is; mark cells on more images"
        )
    elif empty:
        yield f"{empty[0]}{and_others(len(empty) - 1)}: held out, and without a cell"


def _missing(training: Sequence[Labelled], validation: Sequence[Labelled], classes: int) -> Iterator[str]:
    for images, said in (
        (training, "to train on: what is not there cannot be learned"),
        (validation, "held out: val_iou says nothing of what is not there"),
    ):
        shares = _shares(images, classes)
        absent = np.flatnonzero(shares == 0).tolist() if images else []
        if absent:
            listed = ", ".join(map(str, absent)) if len(absent) < 8 else f"{absent[0]}, {absent[1]} … {absent[-1]}"
            yield f"class{'es' * (len(absent) > 1)} {listed} on none of the images that are {said}"


# --------------------------------------------------------------------------------------- the same picture on both sides


def _leaks(training: Sequence[Labelled], validation: Sequence[Labelled]) -> Iterator[str]:
    """Pictures that are known from training say nothing of how the network does on others."""
    seen = {_content(one): one.picture or one.name for one in training}
    copies = [(one.picture or one.name, seen[_content(one)]) for one in validation if _content(one) in seen]
    if copies:
        held, known = copies[0]
        held += and_others(len(copies) - 1)
        yield f"{held}: held out, and the same picture as {known}, which is trained on; scores will be too good"
    elif training and validation and (share := _likeness(training, validation[0])):
        yield (
            f"{validation[0].picture or validation[0].name}: held out, and nearly the same picture as "
            f"{training[-1].picture or training[-1].name}, which is trained on (they correlate by {share:.2f}). Are "
            "they neighbours in a film? Then scores will be too good: name the images so that the last ones are of "
            "another film"
        )


def _content(one: Labelled) -> tuple[tuple[int, ...], str]:
    return one.image.shape, hashlib.sha256(np.ascontiguousarray(one.image).data).hexdigest()


def _likeness(training: Sequence[Labelled], first: Labelled) -> float | None:
    """How alike the neighbours at the border are, if much more so than their kind is anyway (one eye, one dish)."""
    mine = _small(first)
    alike = [float(np.mean(mine * small)) if small.shape == mine.shape else 0.0 for small in map(_small, training)]
    usual = float(np.median(alike[:-1])) if len(alike) > 1 else 0.0
    return alike[-1] if alike[-1] > 0.5 and 1 - alike[-1] < (1 - usual) / 2 else None


def _small(one: Labelled) -> NDArray[np.float64]:
    """A sample of the picture with mean 0 and standard deviation 1."""
    steps = tuple(slice(None, None, max(1, side // SIDE)) for side in one.image.shape[-2:])
    sample = plain(one.image, 1, steps)
    with np.errstate(all="ignore"):  # numbers that are too far apart are refused elsewhere
        spread = sample.std()
        return (sample - sample.mean()) / spread if 0 < spread < np.inf else np.zeros_like(sample)
