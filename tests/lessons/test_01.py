"""What lesson 01 claims: labels and scores, and why one pass replaces many windows."""

import numpy as np
import torch
from scipy import ndimage
from torch import nn
from torch.nn import functional as F

from tests.lessons.claims import claim
from unet_edu.data.masks import UNKNOWN, photo_and_mask
from unet_edu.lessons.s01_segmentation import IOU, LABEL_MAP, ONE_HOT
from unet_edu.metrics import confusion_matrix, dice, iou, mean_iou, pixel_accuracy, recall

LEVELS = np.arange(101) / 100


def all_thresholds(name, side=1):
    """A confusion matrix for each level. With side = −1 the darker pixels are marked."""
    image, mask = photo_and_mask(name)
    marks = (side * image > side * level for level in LEVELS)
    return np.array([confusion_matrix(mark, mask, 2, ignore_index=UNKNOWN) for mark in marks])


# --------------------------------------------------------------------------------------------------------- 1, 2: labels


@claim("Here are four questions about the 24 coins of lesson 00", "all 24 coins are there")
def test_the_coins(lesson):
    assert ndimage.label(lesson.coins_mask)[1] == 24


@claim("How many different numbers are in the semantic map of the 24 coins, and how many in the instance map?")
def test_numbers_of_the_maps(lesson):
    instances, _ = ndimage.label(lesson.coins_mask)
    assert [len(np.unique(lesson.coins_mask)), len(np.unique(instances))] == [2, 25]


@claim(
    "A network for classification turns a picture into a row of numbers: 4096 of them in",
    "From these, 4,097,000 learned numbers, 4097 for each class, compute 1000 scores, one for each class that it "
    "knows: cat 0.90, dog 0.05, car 0.01 and 997 more.",
)
def test_a_picture_of_scores(lesson):
    last = nn.Linear(4096, 1000)
    assert sum(weights.numel() for weights in last.parameters()) == 4_097_000
    assert 4_097_000 / 1000 == 4097 and 1000 - 3 == 997 and sum([0.90, 0.05, 0.01]) < 1


@claim(
    "Raw scores, which may be any number, are called logits. A function called softmax turns them into numbers from 0 "
    "to 1 that add up to 1. The largest stays the largest."
)
def test_softmax(lesson):
    logits = torch.tensor([2.0, -1.0, 0.5, -7.0])
    softened = torch.softmax(logits, dim=0)
    assert ((softened > 0) & (softened < 1)).all() and torch.isclose(softened.sum(), torch.tensor(1.0))
    assert softened.argmax() == logits.argmax()


@claim("Look at the bottom left pixel, with 0.40, 0.35 and 0.25. Which label does it get?")
def test_the_largest_score_wins(lesson):
    scores = lesson.scores
    assert scores[0, :, 1, 0].tolist() == [0.40, 0.35, 0.25]
    assert not (np.round(scores) == 1)[0, :, 1, 0].any() and LABEL_MAP.reference(scores)[0, 1, 0] == 0
    assert np.argwhere(scores.max(axis=1)[0] < 0.5).tolist() == [[1, 0]]


@claim("images, classes, rows, columns. Here are one image, three classes, two rows and four columns, after a softmax")
def test_axes(lesson):
    assert lesson.scores.shape == (1, 3, 2, 4) and np.allclose(lesson.scores.sum(axis=1), 1)
    assert LABEL_MAP.reference(lesson.scores).tolist() == [[[0, 0, 1, 2], [0, 1, 2, 2]]]


@claim("The purse has 4 of 228 pixels. Small things have few pixels: keep that in mind for section 4.")
def test_the_purse(lesson):
    counts = np.bincount(lesson.labels.ravel(), minlength=6)
    assert lesson.labels.shape == (12, 19) and counts.sum() == lesson.labels.size == 228 and counts[2] == 4
    assert counts[0] == 0 and counts[1:].min() == 4


@claim("Class 5 is not more than class 1.")
def test_the_mean_of_two_names_is_a_third(lesson):
    assert "(5): 3.0 = plants, grass ?" in lesson.printed


@claim("at each pixel exactly one plane is", "They have the same shape: one plane per class.")
def test_planes(lesson):
    hot = ONE_HOT.reference(lesson.labels[None], 6)[0]
    assert hot.shape == (6, *lesson.labels.shape) and (hot.sum(axis=0) == 1).all()
    assert np.array_equal(hot.argmax(axis=0), lesson.labels)


@claim(
    "puts the classes last, (H, W, K).",
    "So the axes must change places, which permute does. A reshape would give the same shape and mix up all pixels.",
)
def test_the_order_of_pytorch(lesson):
    last, hot = F.one_hot(torch.from_numpy(lesson.labels), 6), ONE_HOT.reference(lesson.labels[None], 6)[0]
    assert last.shape == (12, 19, 6) and np.array_equal(last.permute(2, 0, 1).numpy(), hot)
    assert last.reshape(hot.shape).shape == hot.shape and not np.array_equal(last.reshape(hot.shape).numpy(), hot)


@claim("Make the mask of the person together with the purse: 1 on both, 0 elsewhere.")
def test_the_turn_of_the_mask(lesson):
    assert np.array_equal(np.clip(lesson.labels, 0, 3) % 3 > 0, np.isin(lesson.labels, (1, 2)))


# ------------------------------------------------------------------------------------------------------------- 3: boxes


@claim("there the mask holds 255, and we do not count these pixels", "More than half of the box is something else")
def test_the_box(lesson):
    top, left, height, width = lesson.box
    rows, columns = np.nonzero(lesson.garage_mask == 1)
    assert (rows.min(), columns.min(), np.ptp(rows) + 1, np.ptp(columns) + 1) == (top, left, height, width)
    assert UNKNOWN == 255 and 0.4 < lesson.share < 0.5


# ------------------------------------------------------------------------------------------------------------ 4: scores


@claim("one row too low and one column too far to the right", "Two thirds of each side agree, and IoU is below 0.3.")
def test_two_squares(lesson):
    table = confusion_matrix(lesson.prediction, lesson.truth, 2)
    overlap, union = lesson.truth & lesson.prediction, lesson.truth | lesson.prediction
    assert table.tolist() == [[28, 5], [5, 4]] and iou(table)[1] == overlap.sum() / union.sum() == 4 / 14 < 0.3
    assert IOU.reference(lesson.prediction, lesson.truth) == 4 / 14
    assert np.array_equal(np.roll(lesson.truth, (1, 1), (0, 1)), lesson.prediction)


@claim("Count TP, FP and FN of the two squares, and compute their Dice.", "Dice is never smaller than IoU.")
def test_dice(lesson):
    table, J = confusion_matrix(lesson.prediction, lesson.truth, 2), np.linspace(0, 1, 101)
    assert np.isclose(dice(table)[1], 8 / 18) and np.isclose(dice(table)[1], 2 * iou(table)[1] / (1 + iou(table)[1]))
    D = 2 * J / (1 + J)
    assert (D >= J).all() and (np.diff(D) > 0).all()


@claim(
    "an IoU of 0.9203 on one set of films and 0.7756 on another. As Dice, 0.7756 is 0.8736. So when one paper says "
    "0.87 and another 0.78, the quality may be the same."
)
def test_dice_of_the_challenge(lesson):
    assert round(2 * 0.7756 / 1.7756, 4) == 0.8736
    assert round(0.7756, 2) == 0.78 and round(0.8736, 2) == 0.87


@claim(
    "Lesson 00 marked what is brighter than 0.42, and found 24 pieces, which were the wrong ones. The small U-Net "
    "found the 24 coins, and two pieces more.",
    "most of its errors are the strip of table at the top",
)
def test_the_coins_scored(lesson):
    marked, truth = lesson.coins > 0.42, lesson.coins_mask
    assert np.sum(np.bincount(ndimage.label(marked)[0].ravel())[1:] >= 100) == 24
    assert np.sum(np.bincount(ndimage.label(lesson.by_unet)[0].ravel())[1:] >= 100 / 2**2) == 24 + 2
    table = confusion_matrix(marked, truth, 2)
    assert table.trace() > 0.9 * table.sum() and table[0, 1] > 4 * table[1, 0]
    wrong = (lesson.half > 0.42) != lesson.half_truth
    assert wrong[:20].sum() > wrong.sum() / 2
    scores = [iou(table)[1] for table in lesson.tables.values()]
    assert np.round(scores, 3).tolist() == [0.791, 0.932]


@claim("A mask that finds nothing is right in more than 95 % of all pixels.")
def test_accuracy_lies(lesson):
    tables = {name: confusion_matrix(mask, lesson.cell_mask, 2) for name, mask in lesson.masks.items()}
    nothing = tables["mark nothing"]
    assert np.mean(lesson.cell_mask == 0) > 0.95 and pixel_accuracy(nothing) > 0.95 and iou(nothing)[1] == 0
    assert iou(tables["brighter than 0.37"])[1] > 0.9 > iou(tables["brighter than 0.30"])[1]


@claim("A purse of two columns loses one of them to a shift of one; a building of six columns loses one as well.")
def test_the_smallest_class_loses_most(lesson):
    table = confusion_matrix(lesson.shifted, lesson.labels, 6)
    scores = iou(table)
    assert np.isnan(scores[0]) and np.nanargmin(scores) == 2 and lesson.loser == "purse"
    purse, building = ((lesson.labels == number).any(axis=0).sum() for number in (2, 5))
    assert purse == 2 and building >= 6 and mean_iou(table) < pixel_accuracy(table)
    assert table[2].tolist() == [0, 2, 2, 0, 0, 0]


# ----------------------------------------------------------------------------------------------------- 5: one threshold


@claim("can you beat 0.42?", "and the accuracy is best at the same threshold")
def test_thresholds_on_the_coins(lesson):
    tables = all_thresholds("coins")
    best = iou(tables)[:, 1].argmax()
    assert best == pixel_accuracy(tables).argmax() and best > 42


@claim("While the threshold moves through this gap, the mask stays almost the same.")
def test_thresholds_on_the_cell(lesson):
    assert np.mean((lesson.cell > 0.35) & (lesson.cell < 0.45)) < 0.01
    assert np.ptp(iou(all_thresholds("cell"))[35:46, 1]) < 0.05


@claim(
    "It is simply the motorcycle's share of the known pixels, and no threshold does better",
    "there the accuracy is best, above 70 %: accuracy would choose the mask that finds nothing",
)
def test_thresholds_on_the_motorcycle(lesson):
    bright, share = all_thresholds("motorcycle"), np.mean(lesson.garage_mask[lesson.garage_mask != UNKNOWN] == 1)
    assert abs(iou(bright)[:, 1].max() - share) < 0.001 and iou(bright)[:, 1].argmax() < 5
    assert pixel_accuracy(bright).max() > 0.7 and iou(bright)[pixel_accuracy(bright).argmax(), 1] < 0.01
    assert iou(all_thresholds("motorcycle", side=-1))[:, 1].max() < 0.4


# ------------------------------------------------------------------------------------------------------- 6: one pass


@claim("The two windows share 14 of their 15 columns.")
def test_neighbours(lesson):
    assert np.isclose(15 * 14 / 15**2, 14 / 15) and lesson.window.shape[-2:] == (15, 15)


@claim("The same weights, the same answer.", "A convolution does not care how large the image is.")
def test_one_pass_is_all_windows(lesson):
    with torch.no_grad():
        whole, parts = lesson.net(lesson.image), lesson.image.unfold(2, 15, 1).unfold(3, 15, 1)
        single = lesson.net(parts.reshape(-1, 1, 15, 15)).reshape(82, 114, 2).permute(2, 0, 1)[None]
    assert whole.shape == (1, 2, 82, 114) and torch.allclose(whole, single, atol=1e-5)


@claim(
    "In a window, the first layer's tables of 5×5 have 11×11 places, the next ones 7×7, the last ones a single place.",
    "(The second and third layer read 8 planes, so their tables have 8 times the weights.)",
    "In the piece of 96×128 pixels there are more places, but each is computed only once.",
)
def test_multiplications(lesson):
    def counted(batch):
        total, handles = [], []
        for layer in lesson.net:
            if isinstance(layer, nn.Conv2d):
                work = lambda layer, _, output: total.append(output.numel() * layer.weight[0].numel())
                handles.append(layer.register_forward_hook(work))
        sides = [tuple(lesson.net[:end](batch).shape[-2:]) for end in (1, 3, 5)]
        total.clear()
        lesson.net(batch)
        for handle in handles:
            handle.remove()
        return sum(total), sides

    assert counted(lesson.window) == (lesson.per_window, [(11, 11), (7, 7), (1, 1)])
    assert counted(lesson.image)[0] == lesson.at_once and lesson.image.shape[-2:] == (96, 128)
    assert 36 < lesson.windows * lesson.per_window / lesson.at_once < 37
    assert lesson.net[2].weight[0].numel() == 8 * lesson.net[0].weight[0].numel()


@claim("gives a score per class at each pixel: (3, H, W) in for a colour picture, (K, H, W) out.")
def test_what_goes_in_and_comes_out(lesson):
    assert lesson.shapes[0][0] == 3 and lesson.shapes[-1][0] == len(lesson.names)


@claim("Which height and width do you expect in the middle, when a picture of 64×96 pixels goes in?")
def test_volumes(lesson):
    assert lesson.shapes[3] == (64, 8, 12) and lesson.shapes[0][1:] == lesson.shapes[-1][1:] == (64, 96)


@claim("At full size, the three layers of this encoder would need 34 times as many multiplications.")
def test_shrinking_is_cheap(lesson):
    work = {1: 0, 2: 0}
    for stride in work:
        size = np.array([64, 96])
        for step in lesson.steps[:3]:
            size = -(-size // stride)
            work[stride] += int(size.prod()) * step.weight.numel()
    assert round(work[1] / work[2]) == 34


@claim(
    "answers only for one pixel in each block of 8×8, and all 64 pixels of the block get this answer.",
    "What is the IoU of the motorcycle with blocks of 8×8?",
)
def test_coarse(lesson):
    scores = [IOU.reference(answer, lesson.motorcycle) for answer in lesson.answers.values()]
    assert np.allclose(scores, lesson.found) and scores == sorted(scores, reverse=True) and scores[0] < 1
    corner = list(lesson.answers.values())[1][:8, :8]
    assert corner.size == 64 and (corner == lesson.motorcycle[4, 4]).all()


# ------------------------------------------------------------------------------------------------------- what to keep


@claim("where 95 % is background, finding nothing is 95 % right")
def test_nothing_is_right_where_background_is(lesson):
    truth = np.arange(100) < 5
    assert pixel_accuracy(confusion_matrix(np.zeros(100, int), truth, 2)) == 0.95


@claim(
    "a tumour that fills 1 of 1000 pixels of a scan. Network A has an accuracy of 99.9 %. Network B has 99.6 %.",
    "A may mark nothing at all: that alone is right in 999 of 1000 pixels. B may have found the whole tumour",
)
def test_the_tumour(lesson):
    scan = np.zeros((100, 100), int)
    scan[40:42, 50:55] = 1
    b = np.zeros_like(scan)
    b[37:45, 48:55] = 1
    b[37, 50:54] = 0
    of_a, of_b = (confusion_matrix(mask, scan, 2) for mask in (np.zeros_like(scan), b))
    assert scan.mean() == 1 / 1000 and f"{pixel_accuracy(of_a):.1%}" == "99.9%" and iou(of_a)[1] == 0
    assert f"{pixel_accuracy(of_b):.1%}" == "99.6%" and of_b[1, 1] == scan.sum() == 10 and recall(of_b)[1] == 1


@claim("Choose first, then read why. Each wrong answer belongs to a mistake that many people make.")
def test_the_answers_of_the_quiz(lesson):
    people = np.zeros((4, 6), int)
    people[1:, :3] = people[1:, 2:5] = 1  # the second person hides a column of the first
    assert np.unique(people).tolist() == [0, 1] and ndimage.label(people)[1] == 1
    assert np.zeros((8, 5, 64, 96)).argmax(axis=1).shape == (8, 64, 96)
    few = np.arange(100) < 2
    table = confusion_matrix(np.zeros(100, int), few, 2)
    assert (pixel_accuracy(table), iou(table)[1], mean_iou(table)) == (0.98, 0, 0.49)
    table = confusion_matrix([1, 1, 1, 0], [0, 1, 1, 1], 2)
    assert (iou(table)[1], round(float(dice(table)[1]), 2)) == (0.5, 0.67)
    # a threshold does not notice when all pixels are exchanged, and the truth with them
    order = np.random.default_rng(2015).permutation(lesson.coins.size)
    mixed, mixed_mask = lesson.coins.ravel()[order], lesson.coins_mask.ravel()[order]
    assert np.array_equal(
        confusion_matrix(mixed > 0.42, mixed_mask, 2), confusion_matrix(lesson.coins > 0.42, lesson.coins_mask, 2)
    )
