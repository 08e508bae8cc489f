"""What the side road on windows and boxes claims."""

import numpy as np
import torch
from scipy import ndimage

from tests.lessons.claims import claim
from unet_edu.metrics import confusion_matrix, iou


@claim(
    "It takes a window of 15×15 pixels and returns two scores",
    "here along the rows (axis 2) and along the columns (axis 3), 15 pixels wide, in steps of 1.",
)
def test_a_window(lesson):
    assert lesson.net(lesson.whole[..., :15, :15]).shape == (1, 2, 1, 1)


@claim("hands 256 of them at a time to the network", "The same answer.")
def test_all_windows_give_what_one_pass_gives(lesson):
    piece = lesson.piece
    assert torch.allclose(lesson.sliding(piece), lesson.net(piece), rtol=0, atol=1e-10)
    assert "the largest difference: below 1e-10" in lesson.printed


@claim("each output number of a convolution takes one for each weight of its table")
def test_the_count_is_that_of_the_lesson(lesson):
    per_window = 11 * 11 * 8 * (1 * 5 * 5) + 7 * 7 * 8 * (8 * 5 * 5) + 1 * 1 * 2 * (8 * 7 * 7)
    at_once = 92 * 124 * 8 * (1 * 5 * 5) + 88 * 120 * 8 * (8 * 5 * 5) + 82 * 114 * 2 * (8 * 7 * 7)
    assert lesson.work == {lesson.sliding: 82 * 114 * per_window, lesson.net: at_once}
    assert "36.5" in {guess.answer for guess in lesson.guesses.values()}


@claim("8 planes of 7×7 numbers, is one row of a table")
def test_what_the_last_layer_sees(lesson):
    assert lesson.seen.shape[1] == 8 * 7 * 7 + 1


@claim("Its border of 7 pixels is missing, because the network uses only real pixels.")
def test_the_border(lesson):
    H, W = lesson.coins.shape
    assert lesson.by_net.shape == (H - 14, W - 14) == lesson.middle.shape


@claim(
    "On the half that it was not fitted to, our hasty network is worse than the threshold. It sees only 15 pixels far",
    "the bright ground at the top, which the threshold marks, it leaves alone. It looks at 225 pixels, not at one.",
)
def test_the_network_and_the_threshold_on_the_same_half(lesson):
    right, middle = lesson.right, lesson.middle
    masks = lesson.by_net, lesson.coins[7:-7, 7:-7] > 0.42
    network, threshold = (iou(confusion_matrix(mask[right], middle[right], 2))[1] for mask in masks)
    assert network < threshold and 15**2 == 225
    # both numbers are of the right half: of the whole upper edge most lies on the half that was fitted
    wrong = [np.sum(mask[right][:40] & (middle[right][:40] == 0)) for mask in masks]
    assert wrong[0] < 20 and wrong[1] > 300
    assert right[1].start == lesson.half - 7


@claim("windows of three sizes, at every fourth row and every fourth column of the 303×384 pixels")
def test_windows(lesson):
    assert lesson.coins.shape == (303, 384) and len(lesson.windows) == 16_352
    assert sorted({*lesson.windows[:, 2]}) == [32, 48, 64] and not (lesson.windows[:, :2] % 4).any()


@claim(
    "Most of the windows fit no coin",
    "A few dozen boxes do instead of more than sixteen thousand windows, and each coin has its box.",
    "R-CNN takes about 2000 per picture",
)
def test_proposals(lesson):
    """How many R-CNN takes is in its paper: "we extract around 2000 bottom-up region proposals"."""
    assert lesson.useful < 0.5 and 24 <= len(lesson.proposals) < 100
    assert (lesson.box_iou(lesson.coin_boxes, lesson.proposals).max(axis=1) >= 0.7).all()
    assert len(lesson.coin_boxes) == ndimage.label(lesson.coins_mask)[1] == 24


@claim("None of these methods is a segmentation")
def test_a_box_is_no_segmentation(lesson):
    """Of the pixels of the coins' own boxes, many are ground."""
    inside = np.zeros(lesson.coins.shape, bool)
    for top, left, height, width in lesson.coin_boxes:
        inside[top : top + height, left : left + width] = True
    assert 0.1 < np.mean(lesson.coins_mask[inside] == 0) < 0.5


@claim(
    "turns a picture of 448×448 pixels into a grid of 7×7, with two boxes of five numbers and the scores of 20 classes "
    "in each cell"
)
def test_yolo(lesson):
    assert (lesson.yolo, lesson.label_map) == (1470, 200_704)
