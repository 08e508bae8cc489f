"""How good is a segmentation? Counts, and the measures that follow from them. Lessons 01 and 09.

Everything begins with one table, the confusion matrix: how many pixels of each true class were given each class.

    C[i, j] = number of pixels whose truth is class i and whose prediction is class j

For one class, the table holds three numbers of interest: true positives (TP, the diagonal), false positives (FP, the
rest of the column) and false negatives (FN, the rest of the row). The measures are ratios of these:

    IoU = TP / (TP + FP + FN)    Dice = 2·TP / (2·TP + FP + FN)    precision = TP / (TP + FP)    recall = TP / (TP + FN)

A binary mask is the case of two classes: 0 is the background, 1 what one looks for. The IoU of two masks is
`iou(confusion_matrix(mask, truth, 2))[1]`.

Pixels do not know cells. The measures of objects (SEG, average precision) and of the borders between them (Rand and
warping error) are in `unet_edu.instances`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unet_edu._arguments import numbers, whole

# Lessons 07, 09 and 10 take them from here.
from unet_edu.instances import (  # noqa: F401
    average_precision,
    cell_mistakes,
    cell_scores,
    connected,
    pixel_error,
    rand_error,
    seg,
    splits_and_merges,
    warped,
    warping_error,
)

__all__ = ["confusion_matrix", "dice", "iou", "mean_iou", "pixel_accuracy", "precision", "recall"]

P = ParamSpec("P")
Answer = TypeVar("Answer")


def confusion_matrix(
    prediction: ArrayLike,
    target: ArrayLike,
    num_classes: int,
    *,
    ignore_index: int | None = None,
    per_image: bool = False,
) -> NDArray[np.int64]:
    """Count the pixels by their true class (row) and their predicted class (column).

    Parameters
    ----------
    prediction, target : arrays of one shape
        Class numbers from 0 to `num_classes` − 1: whole numbers or booleans. Floats are taken when all are whole.
    num_classes : int
        2 for a binary mask.
    ignore_index : int, optional
        Pixels whose target is this number are left out, whatever was predicted there. Data sets mark so what nobody
        could label, many with 255.
    per_image : bool
        Whether each entry of the first axis gets a table of its own, or all pixels are counted together (pooled). The
        sum of the tables over the images is the pooled one.

    Returns
    -------
    (num_classes, num_classes) array of int64, or (N, num_classes, num_classes) with `per_image`

    Raises
    ------
    TypeError
        When an argument does not hold real numbers.
    ValueError
        When the shapes differ, or a number is no class: a mask of 0 and 255, a probability, a label out of range.

    References
    ----------
    Long, Shelhamer and Darrell (2015), "Fully Convolutional Networks for Semantic Segmentation", section 5 (there
    n_ij). Lesson 01, exercise `confusion`.

    Examples
    --------
    >>> confusion_matrix(prediction=[[0, 1, 1]], target=[[0, 0, 1]], num_classes=2)
    array([[1, 1],
           [0, 1]])
    """
    K = whole("num_classes", num_classes, 1)
    prediction, target = numbers("prediction", prediction), numbers("target", target)
    if prediction.shape != target.shape:
        raise ValueError(
            f"prediction: expected the shape of target, {target.shape}, got {prediction.shape}; scores (N, K, H, W) "
            "become labels with scores.argmax(axis=1), an axis of length 1 is dropped with x[:, 0], and where a "
            "network trims the border, crop the target"
        )
    if per_image and prediction.ndim < 2:
        raise ValueError(f"prediction: expected an axis of images before the pixels, got shape {prediction.shape}")
    images = len(target) if per_image else 1
    image = np.arange(images).repeat(target.size // max(1, images))
    counted = np.ones(target.size, bool) if ignore_index is None else target.ravel() != ignore_index
    columns = _labels("prediction", prediction.ravel()[counted], K)
    rows = _labels("target", target.ravel()[counted], K)
    places = (image[counted] * K + rows) * K + columns
    return np.bincount(places, minlength=images * K * K).reshape((images, K, K) if per_image else (K, K))


def _of_one_table(measure: Callable[P, Answer]) -> Callable[P, Answer]:
    """Who gives a measure two masks, as to many libraries, is told what to do; Python would only count arguments."""

    @wraps(measure)
    def measure_one(*tables: P.args, **options: P.kwargs) -> Answer:
        if len(tables) > 1:
            raise TypeError(
                f"{measure.__name__}: expected one table as confusion_matrix gives it, got {len(tables)} arguments; "
                f"for two masks: {measure.__name__}(confusion_matrix(prediction, truth, 2)); options are named, as in "
                "empty=1.0"
            )
        return measure(*tables, **options)

    return measure_one


@_of_one_table
def iou(confusion: ArrayLike, *, empty: float = np.nan) -> NDArray[np.float64]:
    """Intersection over union of each class, also called the Jaccard index: TP / (TP + FP + FN).

    Parameters
    ----------
    confusion : (..., K, K) array
        As `confusion_matrix` gives it.
    empty : float
        The answer for a class that is neither in the truth nor in the prediction, where the ratio is 0 / 0. NaN leaves
        it open; 1.0 says that to find nothing where nothing is, is right.

    Returns
    -------
    (..., K) array of float64
        From 0 (no pixel in common) to 1 (the same pixels).

    Raises
    ------
    TypeError
        When two masks come instead of their table, or no real numbers.
    ValueError
        When `confusion` is no table of counts.

    References
    ----------
    Jaccard (1912), "The Distribution of the Flora in the Alpine Zone", for sets of plants; Everingham and others
    (2010), "The PASCAL Visual Object Classes (VOC) Challenge", for pixels. Lesson 01, exercise `iou`.

    Examples
    --------
    >>> iou([[5, 1], [2, 4]])
    array([0.625     , 0.57142857])
    """
    hits, truth, predicted = _counts(confusion)
    return _ratio(hits, truth + predicted - hits, empty)


@_of_one_table
def mean_iou(confusion: ArrayLike) -> NDArray[np.float64]:
    """The mean of the classes' IoU, over the classes that are in the truth or in the prediction.

    Parameters
    ----------
    confusion : (..., K, K) array

    Returns
    -------
    (...) array of float64
        NaN where no pixel was counted.

    References
    ----------
    Long, Shelhamer and Darrell (2015), section 5, "mean IU". Lesson 01.
    """
    scores = iou(confusion)
    there = ~np.isnan(scores)
    return _ratio(np.where(there, scores, 0).sum(axis=-1), there.sum(axis=-1), np.nan)


@_of_one_table
def dice(confusion: ArrayLike, *, empty: float = np.nan) -> NDArray[np.float64]:
    """The Dice coefficient of each class, also called F1: 2·TP / (2·TP + FP + FN), which is 2·IoU / (1 + IoU).

    Parameters
    ----------
    confusion : (..., K, K) array
    empty : float
        As for `iou`.

    Returns
    -------
    (..., K) array of float64

    References
    ----------
    Dice (1945), "Measures of the Amount of Ecologic Association Between Species". Lesson 01.

    Examples
    --------
    >>> dice([[5, 1], [2, 4]])
    array([0.76923077, 0.72727273])
    """
    hits, truth, predicted = _counts(confusion)
    return _ratio(2 * hits, truth + predicted, empty)


@_of_one_table
def precision(confusion: ArrayLike, *, empty: float = np.nan) -> NDArray[np.float64]:
    """Of the pixels that were given a class, how many are of it: TP / (TP + FP). `empty` where none was given it.

    Parameters
    ----------
    confusion : (..., K, K) array
    empty : float

    Returns
    -------
    (..., K) array of float64
    """
    hits, _, predicted = _counts(confusion)
    return _ratio(hits, predicted, empty)


@_of_one_table
def recall(confusion: ArrayLike, *, empty: float = np.nan) -> NDArray[np.float64]:
    """Of the pixels that are of a class, how many were given it: TP / (TP + FN). `empty` where none is of it.

    Parameters
    ----------
    confusion : (..., K, K) array
    empty : float

    Returns
    -------
    (..., K) array of float64
    """
    hits, truth, _ = _counts(confusion)
    return _ratio(hits, truth, empty)


@_of_one_table
def pixel_accuracy(confusion: ArrayLike) -> NDArray[np.float64]:
    """The share of all pixels that got their true class. Where one class fills the picture, it says little (lesson 01).

    Parameters
    ----------
    confusion : (..., K, K) array

    Returns
    -------
    (...) array of float64
        NaN where no pixel was counted.
    """
    hits, truth, _ = _counts(confusion)
    return _ratio(hits.sum(axis=-1), truth.sum(axis=-1), np.nan)


def _labels(name: str, array: NDArray[Any], num_classes: int) -> NDArray[np.int64]:
    """The array as class numbers, or an error that says how to make it so."""
    no_class = array[~np.isfinite(array) | (array != np.round(array))] if array.dtype.kind == "f" else []
    if len(no_class):
        raise ValueError(
            f"{name}: expected class numbers, got {no_class[0]:g}; probabilities become a mask with p > 0.5, scores "
            "(N, K, H, W) become labels with scores.argmax(axis=1)"
        )
    if array.size and not 0 <= array.min() <= array.max() < num_classes:
        wrong = array.max() if array.min() >= 0 else array.min()
        advice = (
            "a mask of 0 and 255 becomes one of 0 and 1 with mask > 0"
            if np.isin(array, (0, 255)).all()
            else "num_classes counts the background too; where nobody knows the truth, write one number such as 255 "
            "into the target and name it as ignore_index"
        )
        raise ValueError(f"{name}: expected class numbers from 0 to {num_classes - 1}, got {wrong:g}; {advice}")
    return array.astype(np.int64)


def _counts(confusion: ArrayLike) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """For each class: the pixels that are right, that are of the class, that were given the class."""
    confusion = numbers("confusion", confusion)
    if confusion.ndim < 2 or confusion.shape[-1] != confusion.shape[-2] or not confusion.shape[-1]:
        raise ValueError(
            f"confusion: expected a table (..., K, K) as confusion_matrix gives it, got shape {confusion.shape}; "
            "for two masks: confusion_matrix(mask, truth, 2)"
        )
    if confusion.size and not (np.isfinite(confusion).all() and confusion.min() >= 0):
        raise ValueError(
            "confusion: expected counts, none of them negative or NaN; confusion_matrix gives such a table"
        )
    confusion = confusion.astype(np.float64)  # bytes would wrap around; counts are exact up to 2**53
    return np.diagonal(confusion, axis1=-2, axis2=-1), confusion.sum(axis=-1), confusion.sum(axis=-2)


def _ratio(part: NDArray[Any], whole: NDArray[Any], empty: float) -> NDArray[np.float64]:
    """part / whole, and `empty` where the whole is 0."""
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1), empty)
