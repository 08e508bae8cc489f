"""What lesson 00 claims."""

import numpy as np
from scipy import ndimage

from tests.lessons.claims import claim
from unet_edu.data.masks import photo_and_mask


def pieces(mask):
    labels, _ = ndimage.label(mask)
    return labels, np.bincount(labels.ravel())


@claim("It should say True.")
def test_the_check_of_the_computer(lesson):
    assert "PyTorch computes: True" in lesson.printed


@claim("Here are 24 coins.", "from 0 (black) to 1 (white)", "the table is brighter at the top left")
def test_the_coins(lesson):
    coins, mask = photo_and_mask("coins")
    assert np.array_equal(coins, lesson.coins) and ndimage.label(mask)[1] == 24
    assert 0 <= coins.min() < 0.1 and 0.9 < coins.max() <= 1
    table = np.where(mask == 0, coins, np.nan)
    assert np.nanmean(table[:75, :96]) > 1.5 * np.nanmean(table[-75:, -96:])


@claim("Pieces of fewer than 100 pixels do not count.", "At 0.42 there are 24! Are we done?")
def test_the_right_number(lesson):
    assert lesson.count(lesson.mask) == 24 and np.array_equal(lesson.mask, lesson.coins > 0.42)
    square = np.zeros((30, 30), bool)
    square[:9, :11] = True  # 99 pixels
    assert lesson.count(square) == 0
    square[9, 0] = True
    assert lesson.count(square) == 1


@claim(
    "The picture has 384 columns, and the largest coin is about 65 wide. How many columns wide is the largest of the "
    "24 pieces?"
)
def test_the_width_of_a_coin(lesson):
    _, mask = photo_and_mask("coins")
    widths = [columns.stop - columns.start for _, columns in ndimage.find_objects(ndimage.label(mask)[0])]
    assert lesson.coins.shape[1] == 384 and 60 < max(widths) < 70 and lesson.width > 4 * max(widths)


@claim('the largest "coin" is a strip of table with a real coin joined to it')
def test_for_the_wrong_reason(lesson):
    labels, sizes = pieces(lesson.mask)
    largest = labels == 1 + sizes[1:].argmax()
    _, truth = photo_and_mask("coins")
    coins, _ = ndimage.label(truth)
    assert largest[5, 100] and not truth[5, 100], "a pixel of the ground"
    assert largest[52, 43] and truth[52, 43], "a pixel of a coin"
    inside = np.bincount(coins[largest], minlength=25)[1:] / np.bincount(coins.ravel())[1:]
    assert np.sum(inside > 0.5) == 1 and np.mean(truth[largest]) < 0.5


@claim(
    "Take the 10 upper rows of the mask. There is no coin in them.",
    "a number, here the count, can be right while the answer is wrong",
)
def test_the_upper_rows(lesson):
    _, truth = photo_and_mask("coins")
    assert lesson.upper.shape[0] == 10 and not truth[:10].any() and lesson.upper.mean() > 0.5


@claim(
    "nobody has ever shown it a coin. We give it the coins at half their size",
    "All 24 coins, each a piece by itself, and no strip of table. Two pieces are wrong, in the lower corners",
)
def test_the_network(lesson):
    assert lesson.count(lesson.found, smallest=25) == 26 and 2**2 * 25 == 100
    labels, sizes = pieces(lesson.found)
    _, truth = photo_and_mask("coins")
    coins, _ = ndimage.label(truth)
    half = coins[::2, ::2]
    large = np.flatnonzero(sizes[1:] >= 25) + 1
    on = [np.bincount(half[labels == piece], minlength=25) for piece in large]
    wrong = [piece for piece, counts in zip(large, on, strict=True) if counts[0] > counts.sum() / 2]
    on = [counts for counts in on if counts[0] <= counts.sum() / 2]
    assert sorted(int(counts[1:].argmax()) for counts in on) == [*range(24)], "each piece but two is a coin of its own"
    places = [np.argwhere(labels == piece).mean(axis=0) / labels.shape for piece in wrong]
    assert sorted((y > 0.9, round(x)) for y, x in places) == [(True, 0), (True, 1)]
    assert lesson.found[:5].mean() < 0.02
    assert (lesson.half > 0.42)[:5].mean() > 0.5
    assert not lesson.found[2, 50]
