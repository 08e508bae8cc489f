"""How good is a segmentation into cells? Measures of objects, where `metrics` measures pixels. Lesson 09.

They have a file of their own, because they begin with another table. In `metrics` each pixel is counted by its two
classes; here by the two *cells* that it lies in, the true one and the predicted one. Two families of measures follow:

- of overlaps: SEG, as the Cell Tracking Challenge scores, and average precision, as the Data Science Bowl 2018 did.
  They read instance maps: 0 is the background, each other number is one cell.
- of borders: pixel, Rand and warping error, as the ISBI 2012 challenge scored membranes in electron microscopy. They
  read masks: 1 is the inside of a cell, 0 the membrane.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unet_edu._arguments import numbers

__all__ = [
    "average_precision",
    "cell_mistakes",
    "cell_scores",
    "connected",
    "pixel_error",
    "rand_error",
    "seg",
    "splits_and_merges",
    "warped",
    "warping_error",
]

DSB_THRESHOLDS = tuple(np.arange(50, 100, 5) / 100)  # 0.50, 0.55 … 0.95

# The neighbours of a pixel, once around it from the right: an even place shares an edge with it, an odd one a corner.
RING = ((0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1), (1, 0), (1, 1))


def connected(mask: ArrayLike) -> NDArray[np.int32]:
    """Make cells of a mask: pixels that are connected over their edges get one number.

    Two pixels that share only a corner are not connected: a border of one pixel, even slanting, keeps two cells apart.

    Parameters
    ----------
    mask : (H, W) array of 0 and 1, or booleans

    Returns
    -------
    (H, W) array of int32
        0 is the background; the cells are 1, 2, 3 … in the order in which their first pixels are read.

    Raises
    ------
    ValueError
        When there is another number than 0 and 1, or more or fewer axes than two.

    References
    ----------
    Lesson 09.

    Examples
    --------
    >>> connected([[1, 1, 0], [0, 0, 1]])
    array([[1, 1, 0],
           [0, 0, 2]], dtype=int32)
    """
    from scipy import ndimage  # slow to import, and pixels can be counted without it

    labels, _ = ndimage.label(_with_axes("mask", _mask("mask", mask), ranks=(2,)))
    return labels.astype(np.int32)


def cell_scores(prediction: ArrayLike, target: ArrayLike) -> NDArray[np.float64]:
    """For each true cell, how well it was found: `|R ∩ S| / |R ∪ S|` with the predicted cell S that covers more than
    half of it, or 0.

    No two predicted cells can both cover more than half of a true one. But one predicted cell can cover several true
    ones: where cells are merged, each has a small score.

    Parameters
    ----------
    prediction, target : (H, W) or (N, H, W) arrays of one shape
        Instance maps, or N frames of a film. In each frame the numbers count anew.

    Returns
    -------
    (cells,) array of float64
        In the order of the numbers in the target; frame after frame.

    Raises
    ------
    TypeError
        When an argument does not hold real numbers.
    ValueError
        When the shapes differ, or a number is negative or no whole one.

    References
    ----------
    Maška and others (2014), "A benchmark for comparison of cell tracking algorithms", section 2.3. Lesson 09, exercise
    `seg_score`.

    Examples
    --------
    >>> cell_scores(prediction=[[1, 1, 1, 0, 0]], target=[[1, 1, 0, 2, 2]])
    array([0.66666667, 0.        ])
    """
    scores = []
    found_frames, frames = _both(_cells, prediction, target, ranks=(2, 3))
    for found, truth in zip(*map(_as_frames, (found_frames, frames)), strict=True):
        cells, areas, _, found_areas, pairs, shared = _overlaps(found, truth)
        of_cell, of_found = pairs
        covered = 2 * shared > areas[of_cell]  # more than half, and not half
        union = areas[of_cell] + found_areas[of_found] - shared
        score = np.zeros(len(cells))
        score[of_cell[covered]] = (shared / union)[covered]
        scores.append(score)
    return np.concatenate(scores) if scores else np.zeros(0)


def seg(prediction: ArrayLike, target: ArrayLike) -> float:
    """The Cell Tracking Challenge's SEG: the mean score of all true cells, also of those that nobody found.

    A predicted cell where none is costs nothing, unless it takes pixels from others. Always look at the number of cells
    too, or at `average_precision`.

    Parameters
    ----------
    prediction, target : (H, W) or (N, H, W) arrays of one shape
        Instance maps. Of N frames all cells count alike: a frame with many cells weighs more. For frames of different
        sizes take the mean of `np.concatenate([cell_scores(p, t) for p, t in …])`.

    Returns
    -------
    float
        From 0 to 1. NaN when there is no true cell.

    Raises
    ------
    TypeError, ValueError
        As `cell_scores`.

    References
    ----------
    Maška and others (2014), section 2.3; celltrackingchallenge.net/evaluation-methodology. Table 2 of the U-Net's paper
    reports it under the name IOU. Lesson 09.

    Examples
    --------
    >>> seg(prediction=[[1, 1, 1, 0, 0]], target=[[1, 1, 0, 2, 2]])
    0.3333333333333333
    """
    scores = cell_scores(prediction, target)
    return float(scores.mean()) if len(scores) else float("nan")


def cell_mistakes(prediction: ArrayLike, target: ArrayLike) -> dict[str, int]:
    """Count what goes wrong with cells, by kinds: a mean score says how much, and not what.

    Parameters
    ----------
    prediction, target : (H, W) arrays of one shape
        Instance maps.

    Returns
    -------
    dict of str to int

        * merged: true cells of which one predicted cell covers more than half, and more than half of another, too.
        * split: true cells that are found for the most part, but by no predicted cell to more than half.
        * missed: true cells of which more than half is not found.
        * invented: predicted cells of which more than half lies on the background.

    Raises
    ------
    TypeError, ValueError
        As `cell_scores`.

    References
    ----------
    Lesson 10.

    Examples
    --------
    >>> cell_mistakes(prediction=[[1, 1, 1, 1, 0, 2]], target=[[1, 1, 2, 2, 0, 0]])
    {'merged': 2, 'split': 0, 'missed': 0, 'invented': 1}
    """
    found, truth = _both(_cells, prediction, target, ranks=(2,))
    cells, areas, found_cells, found_areas, (of_cell, of_found), shared = _overlaps(found, truth)
    covers = 2 * shared > areas[of_cell]
    covered = np.bincount(of_cell[covers], minlength=len(cells)) > 0
    at_once = np.bincount(of_found[covers])
    missed = 2 * np.bincount(of_cell, weights=shared, minlength=len(cells)) < areas
    invented = 2 * np.bincount(of_found, weights=shared, minlength=len(found_cells)) < found_areas
    return {
        "merged": int(at_once[at_once > 1].sum()),
        "split": int((~covered & ~missed).sum()),
        "missed": int(missed.sum()),
        "invented": int(invented.sum()),
    }


def average_precision(
    prediction: ArrayLike, target: ArrayLike, thresholds: ArrayLike = DSB_THRESHOLDS
) -> NDArray[np.float64]:
    """The share of right cells, at each threshold: TP / (TP + FP + FN), counted in cells.

    A predicted cell is right (TP) when its IoU with a true one is above the threshold. Predicted cells that are not
    right are FP, true cells that no right one belongs to are FN.

    Parameters
    ----------
    prediction, target : (H, W) arrays of one shape
        Instance maps.
    thresholds : (n,) array
        From 0.5 up and below 1: above 0.5 a cell can match only one other. The Data Science Bowl 2018 took 0.50, 0.55 …
        0.95; its score of an image is the mean over these, and the score of a data set the mean over its images.

    Returns
    -------
    (n,) array of float64
        NaN when there is no cell in either map.

    Raises
    ------
    TypeError, ValueError
        As `cell_scores`; or when a threshold is below 0.5 or not below 1.

    References
    ----------
    Caicedo and others (2019), "Nucleus segmentation across imaging experiments: the 2018 Data Science Bowl". Lesson 09.

    Examples
    --------
    >>> average_precision([[1, 1, 1, 0, 2]], [[1, 1, 0, 0, 2]], thresholds=(0.5, 0.75))
    array([1.        , 0.33333333])
    """
    levels = np.atleast_1d(numbers("thresholds", thresholds))
    if not ((levels >= 0.5) & (levels < 1)).all():
        raise ValueError(f"thresholds: expected numbers from 0.5 up and below 1, got {levels}")
    found, truth = _both(_cells, prediction, target, ranks=(2,))
    cells, areas, found_cells, found_areas, (of_cell, of_found), shared = _overlaps(found, truth)
    ratios = shared / (areas[of_cell] + found_areas[of_found] - shared)
    right = (ratios[None] > levels[:, None]).sum(axis=1)
    all_cells = len(cells) + len(found_cells) - right
    return np.where(all_cells > 0, right / np.maximum(all_cells, 1), np.nan)


def pixel_error(prediction: ArrayLike, target: ArrayLike) -> float:
    """The share of pixels in which two masks differ.

    The organisers of ISBI 2012 gave two meanings to this name: this one (the squared distance of the masks), and 1 −
    the F-score of the pixels. Which one a table holds is not always said.

    Parameters
    ----------
    prediction, target : arrays of one shape
        Masks of 0 and 1, or booleans.

    Returns
    -------
    float
        From 0 to 1. NaN when there is no pixel.

    Raises
    ------
    ValueError
        When the shapes differ or there is another number than 0 and 1.

    References
    ----------
    Arganda-Carreras and others (2015), "Crowdsourcing the creation of image segmentation algorithms for connectomics".
    Lesson 09.

    Examples
    --------
    >>> pixel_error([[1, 0, 1, 1]], [[1, 1, 1, 1]])
    0.25
    """
    found, truth = _both(_mask, prediction, target)
    return float(np.mean(found != truth)) if truth.size else float("nan")


def rand_error(prediction: ArrayLike, target: ArrayLike) -> float:
    """One minus the F-score of pairs of pixels: were two pixels of one cell put together, and of two cells kept apart?

    Both masks are first made into cells with `connected`. Then all pairs of pixels inside true cells are looked at (the
    Rand index restricted to the foreground). Precision: of the pairs in one predicted cell, how many are in one true
    cell? Recall: of the pairs in one true cell, how many are in one predicted cell? A gap of one pixel in a membrane
    merges two cells, and so costs much.

    Parameters
    ----------
    prediction, target : (H, W) arrays of 0 and 1, or booleans
        1 inside cells, 0 on membranes.

    Returns
    -------
    float
        From 0 (the same cells) to 1. NaN when no two pixels are in one cell, in both masks.

    Raises
    ------
    ValueError
        When the shapes differ or there is another number than 0 and 1.

    Notes
    -----
    Pixels of true cells that were called membrane are cells of one pixel each, as in the challenge. Here a pair is two
    different pixels, as in scikit-image; the challenge paired each pixel with itself too, which changes the error by
    one part in the mean area of a cell. The challenge took the best of several thresholds of a probability map:
    `min(rand_error(p > t, target) for t in …)`.

    References
    ----------
    Rand (1971), "Objective criteria for the evaluation of clustering methods"; Arganda-Carreras and others (2015).
    Lesson 09.

    Examples
    --------
    >>> truth = np.array([[1, 1, 1, 0, 1, 1, 1]])
    >>> rand_error(truth, truth), rand_error(np.ones((1, 7), int), truth)
    (0.0, 0.4285714285714286)
    """
    found, truth = (connected(mask) for mask in _both(_mask, prediction, target, ranks=(2,)))
    inside = truth > 0
    _, areas, _, found_areas, _, shared = _overlaps(found[inside], truth[inside])

    def pairs(sizes: NDArray[np.int64]) -> int:
        return int((sizes * (sizes - 1)).sum())

    both = pairs(areas) + pairs(found_areas)
    return 1 - 2 * pairs(shared) / both if both else float("nan")


def warping_error(prediction: ArrayLike, target: ArrayLike) -> float:
    """The share of pixels at which cells are split or merged, whatever the exact course of the membranes.

    The true mask is first bent towards the prediction, as far as this is possible without joining, tearing, making or
    losing a cell (`warped`). A membrane that is too thick, or that is displaced by no more than its own width, then
    costs nothing. Of what still differs, the pixels count that split or merge cells (`splits_and_merges`).

    Parameters
    ----------
    prediction, target : (H, W) arrays of 0 and 1, or booleans
        1 inside cells, 0 on membranes.

    Returns
    -------
    float
        From 0 to 1. NaN when there is no pixel.

    Raises
    ------
    ValueError
        When the shapes differ or there is another number than 0 and 1.

    Notes
    -----
    ISBI 2012 counted so, and took the best of the thresholds 0.0, 0.1 … 0.9 of a probability map. Jain and others
    (2010) count all that still differs, `np.mean(warped(prediction, target) != prediction)`: cells and holes that are
    added or lost too. A merge costs as many pixels as the missing membrane is long, a split only as many as the false
    membrane is thick.

    References
    ----------
    Jain and others (2010), "Boundary Learning by Optimization with Topological Constraints"; Arganda-Carreras and
    others (2015). Lesson 09.

    Examples
    --------
    >>> truth = np.array([[1, 1, 0, 1, 1]] * 3)
    >>> shifted, merged = np.array([[1, 1, 1, 0, 1]] * 3), np.ones((3, 5), int)
    >>> warping_error(shifted, truth), warping_error(merged, truth)
    (0.0, 0.2)
    """
    splits, merges = splits_and_merges(prediction, target)
    return float(np.mean(splits | merges)) if splits.size else float("nan")


def warped(prediction: ArrayLike, target: ArrayLike) -> NDArray[np.bool_]:
    """The true mask, bent towards the prediction without a change of its topology.

    A pixel is *simple* when turning it from cell to membrane, or back, changes neither the number of cells nor the
    number of pieces of membrane. As long as a pixel that differs from the prediction is simple, it is turned.

    Parameters
    ----------
    prediction, target : (H, W) arrays of 0 and 1, or booleans

    Returns
    -------
    (H, W) array of bool

    Raises
    ------
    ValueError
        When the shapes differ or there is another number than 0 and 1.

    Notes
    -----
    Cells are connected over edges, membranes over corners too, and all around the image is membrane. What differs from
    the start is turned first, then what became simple by that. Another order may leave other pixels over: the
    challenge's program took those first of which the prediction is surest.

    References
    ----------
    Jain and others (2010), section 3. Simple pixels: Yokoi, Toriwaki and Fukumura (1975), "An analysis of topological
    properties of digitized binary pictures using local features". Lesson 09.
    """
    found, truth = _both(_mask, prediction, target, ranks=(2,))
    width = truth.shape[1] + 2
    now, wanted = (bytearray(np.pad(mask, 1).tobytes()) for mask in (truth, found))
    ring = [row * width + column for row, column in RING]
    waiting = deque(np.flatnonzero(np.pad(found != truth, 1)).tolist())
    while waiting:
        place = waiting.popleft()
        # a pixel may wait twice, and has then been turned before
        if now[place] != wanted[place] and GROUPS[_code(now, place, ring)] == 1:
            now[place] = wanted[place]
            waiting.extend(near for step in ring if now[near := place + step] != wanted[near])
    return np.frombuffer(bytes(now), bool).reshape(-1, width)[1:-1, 1:-1].copy()


def splits_and_merges(prediction: ArrayLike, target: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Where a prediction splits true cells, and where it merges them.

    Parameters
    ----------
    prediction, target : (H, W) arrays of 0 and 1, or booleans

    Returns
    -------
    splits, merges : (H, W) arrays of bool
        Of the pixels in which the `warped` truth still differs from the prediction: those that would tear a cell of the
        warped truth when they became membrane, and those that would join two cells when they became cell. Each is
        looked at alone.

    Raises
    ------
    ValueError
        When the shapes differ or there is another number than 0 and 1.

    References
    ----------
    Arganda-Carreras and others (2015). Lesson 09.
    """
    from scipy import ndimage

    found, _ = _both(_mask, prediction, target, ranks=(2,))
    mask = np.pad(warped(prediction, target), 1)
    cells = ndimage.label(mask)[0]
    membranes = ndimage.label(~mask, np.ones((3, 3)))[0]
    splits, merges = np.zeros_like(mask), np.zeros_like(mask)
    flat, ring = mask.tobytes(), [row * mask.shape[1] + column for row, column in RING]
    for place in np.flatnonzero(np.pad(found, 1) != mask).tolist():
        around = place + np.array(ring)
        if flat[place]:
            # Around it, membrane and cell take turns. Pieces of membrane that are connected elsewhere enclose a part of
            # the cell between them.
            pieces = set(membranes.ravel()[around].tolist()) - {0}
            splits.flat[place] = len(pieces) < GROUPS[_code(flat, place, ring)]
        else:
            merges.flat[place] = len(set(cells.ravel()[around[::2]].tolist()) - {0}) > 1
    return splits[1:-1, 1:-1], merges[1:-1, 1:-1]


def _code(pixels: Any, place: int, ring: list[int]) -> int:
    """The eight neighbours of a pixel as the bits of one number."""
    return sum(pixels[place + step] << bit for bit, step in enumerate(ring))


def _groups(code: int) -> int:
    """How many groups of cell pixels that share an edge with the middle one meet there, if it were membrane: Yokoi's
    connectivity number.

    It is 1 for a simple pixel, and 0 for one that is surrounded by cell or by membrane alone.
    """
    x = [code >> bit & 1 for bit in range(8)]
    return sum(x[k] - x[k] * x[k + 1] * x[(k + 2) % 8] for k in (0, 2, 4, 6))


GROUPS = tuple(map(_groups, range(256)))


def _overlaps(found: NDArray[Any], truth: NDArray[Any]) -> tuple[Any, ...]:
    """True cells and their areas, predicted cells and their areas, the pairs of cells (places in these lists) that
    overlap, and by how much.

    Every pair of numbers is counted at once: no loop over cells, and no table that a thousand cells would make large.
    """
    cells, areas = np.unique(truth[truth > 0], return_counts=True)
    found_cells, found_areas = np.unique(found[found > 0], return_counts=True)
    both = (truth > 0) & (found > 0)
    row, column = np.searchsorted(cells, truth[both]), np.searchsorted(found_cells, found[both])
    keys, shared = np.unique(row * max(1, len(found_cells)) + column, return_counts=True)
    return cells, areas, found_cells, found_areas, np.divmod(keys, max(1, len(found_cells))), shared


def _as_frames(array: NDArray[Any]) -> NDArray[Any]:
    return array[None] if array.ndim == 2 else array


def _both(
    read: Callable[[str, ArrayLike], NDArray[Any]],
    prediction: ArrayLike,
    target: ArrayLike,
    ranks: tuple[int, ...] = (),
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Prediction and target, read by one rule, of one shape."""
    found, truth = read("prediction", prediction), read("target", target)
    if found.shape != truth.shape:
        raise ValueError(
            f"prediction: expected the shape of target, {truth.shape}, got {found.shape}; where a network trims the "
            "border, crop the target"
        )
    return found, _with_axes("target", truth, ranks)


def _with_axes(name: str, array: NDArray[Any], ranks: tuple[int, ...]) -> NDArray[Any]:
    if ranks and array.ndim not in ranks:
        axes = " or ".join("(H, W)" if rank == 2 else "(N, H, W)" for rank in ranks)
        raise ValueError(f"{name}: expected shape {axes}, got {array.shape}; take one image of a batch with x[0]")
    return array


def _cells(name: str, value: ArrayLike) -> NDArray[np.int64]:
    """The array as an instance map, or an error that says how to make one."""
    array = numbers(name, value)
    if array.dtype.kind == "b":
        raise ValueError(f"{name}: expected cells with numbers, got a mask; connected({name}) makes cells of it")
    if array.dtype.kind == "f" and not (np.isfinite(array) & (array == np.round(array))).all():
        raise ValueError(
            f"{name}: expected whole numbers, one a cell; probabilities become cells with connected(p > 0.5)"
        )
    if array.size and array.min() < 0:
        raise ValueError(f"{name}: expected 0 for the background and cells from 1 up, got {array.min():g}")
    return array.astype(np.int64)


def _mask(name: str, value: ArrayLike) -> NDArray[np.bool_]:
    """The array as a mask, or an error that says how to make one."""
    array = numbers(name, value)
    wrong = array[~np.isin(array, (0, 1))]
    if len(wrong):
        raise ValueError(
            f"{name}: expected a mask of 0 and 1, got {wrong[0]:g}; probabilities become one with p > 0.5, and a mask "
            "of 0 and 255 or an instance map with array > 0"
        )
    return array.astype(bool)
