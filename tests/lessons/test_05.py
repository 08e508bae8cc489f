"""What lesson 05 claims of max pooling and max unpooling."""

import numpy as np
import pytest
import torch
from scipy.ndimage import label
from torch import nn
from torch.nn import functional as F

from tests.lessons.claims import claim
from unet_edu.convolution import conv2d, output_size, receptive_field
from unet_edu.data.masks import photo_and_mask
from unet_edu.explore.pooling import CHOICES, INPUTS
from unet_edu.figures.pooling import there_and_back
from unet_edu.interpolation import interpolate
from unet_edu.matrix import max_pool2d_matrix
from unet_edu.pooling import avg_pool2d, max_pool2d, max_pool2d_grad, max_unpool2d, pooled_size
from unet_edu.transposed import transposed_size

SOBEL = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
TWO_PLACES = "What stands there if each overwrites the one before? And what if they add up?"


def batch(plane):
    """A plane as PyTorch takes it: one image with one channel."""
    return torch.tensor(np.asarray(plane))[None, None].float()


def edges(image):
    """A convolution, then a ReLU."""
    return np.maximum(conv2d(image, SOBEL), 0)


def windows(image):
    """The four numbers of each window of 2×2."""
    H, W = (length // 2 for length in image.shape)
    return image[: 2 * H, : 2 * W].reshape(H, 2, W, 2).swapaxes(1, 2).reshape(H, W, 4)


def weights(inputs):
    return nn.Conv2d(inputs, 64, kernel_size=3, bias=False).weight.numel()


# ------------------------------------------------------------------------------------------- 1 · why make it smaller?


@claim("Alone they would see 21 pixels per side. With four poolings between the levels they see 140.")
@claim("the network sees almost seven times as far")
def test_pooling_lets_a_network_see_further():
    alone = receptive_field([(3,)] * 10).size
    pooled = receptive_field(([(3,), (3,), (2, 2)] * 5)[:-1]).size
    assert (alone, pooled) == (21, 140) and 6.5 < pooled / alone < 7


@claim("the same convolution needs a quarter of the multiplications")
def test_pooling_makes_a_convolution_cheaper():
    before, after = (64 * 64 * 9 * output_size(side, 3, padding=1) ** 2 for side in (512, 256))
    assert before == 4 * after


def test_the_smallest_coins_are_those_of_three_poolings(lesson):
    assert lesson.coins.shape == (303, 384)
    small = lesson.coins
    for _ in range(3):
        small = max_pool2d(small, 2)[0]
    assert small.shape == (37, 48)


# --------------------------------------------------------------------------------------------- 2 · the largest number


@claim("The upper left window holds 3, −2, −1 and 9, so 9 is left of it.")
def test_the_maxima(lesson):
    by_hand = [[lesson.x[2 * i : 2 * i + 2, 2 * j : 2 * j + 2].max() for j in range(2)] for i in range(2)]
    assert by_hand == max_pool2d(lesson.x, 2)[0].tolist() == [[9, 7], [8, 10]]
    assert sorted(lesson.x[:2, :2].ravel()) == [-2, -1, 3, 9]


@claim("Where no stride is given, it is as large as the window.")
@claim("the padding is not zeros")
def test_the_stride_and_the_padding(lesson):
    assert np.array_equal(max_pool2d(lesson.x, 2)[0], max_pool2d(lesson.x, 2, stride=2)[0])
    below = lesson.negative.min() - 1 - np.arange(4.0).reshape(2, 2)
    assert max_pool2d(below, 2, padding=1)[0].max() < 0
    assert F.max_pool2d(batch(below), 2, padding=1).max() < 0


@claim("Somebody tried this search for the largest number on photographs only.")
def test_the_bug_shows_on_negative_windows_only(lesson):
    right = max_pool2d(lesson.negative, 2)[0]
    assert right.tolist() == [[-1, 4], [9, -6]] and np.maximum(right, 0).tolist() == lesson.yours == [[0, 4], [9, 0]]
    assert lesson.coins.min() >= 0
    assert all(lesson.largest(window) == window.max() for window in windows(lesson.coins)[::20, ::20].reshape(-1, 4))


@claim("A feature map, the output of a convolution, may have negative numbers; a photograph has none.")
def test_no_wrong_window_holds_a_zero(lesson):
    assert not any(0 in lesson.negative[i : i + 2, j : j + 2] for i, j in ((0, 0), (2, 2)))
    assert conv2d(lesson.coins, SOBEL).min() < 0


@claim("it keeps the brightness and the dark gaps")
@claim("Pool the mask of the coins with windows of 8×8, and the 24 coins are 19 pieces, because neighbours touch.")
def test_the_average_keeps_the_brightness_and_the_gaps(lesson):
    mask = photo_and_mask("coins")[1]
    assert label(mask)[1] == label(avg_pool2d(mask, 8) > 0.5)[1] == 24
    assert label(max_pool2d(mask, 8)[0])[1] == 19
    largest, mean = max_pool2d(lesson.coins, 8)[0].mean(), avg_pool2d(lesson.coins, 8).mean()
    assert abs(mean - lesson.coins.mean()) < 0.01 and largest > lesson.coins.mean() + 0.1
    whole_windows = lesson.coins[:296]
    assert np.isclose(avg_pool2d(whole_windows, 8).mean(), whole_windows.mean())


# -------------------------------------------------------------------------------------------- 3 · the maxima's places


@claim("For example, the 9 stands in row 1, column 1: 1 · 4 + 1 = 5.")
@claim("It numbers the pixels of the image row by row, from 0")
def test_the_indices(lesson):
    assert lesson.indices.tolist() == [[5, 2], [12, 15]] and lesson.x[1, 1] == 9
    assert np.array_equal(lesson.x.ravel()[lesson.indices], lesson.y)


def test_pytorch_gives_the_same_maxima_and_indices(lesson):
    assert np.array_equal(lesson.y_torch[0, 0], lesson.y) and np.array_equal(lesson.indices_torch[0, 0], lesson.indices)


@claim("We take 1, 2, 3 and 4")
@claim("z is unpooled with the indices 5, 2, 12 and 15 to an image of 4×4.")
@claim("Indices 4 to 7 are the second row.")
def test_what_is_unpooled(lesson):
    unpooled = max_unpool2d(lesson.z, lesson.indices, (4, 4))
    assert lesson.z.tolist() == [[1, 2], [3, 4]] and lesson.indices.ravel().tolist() == [5, 2, 12, 15]
    assert unpooled.tolist() == [[0, 0, 2, 0], [0, 1, 0, 0], [0, 0, 0, 0], [3, 0, 0, 4]]
    assert np.arange(16).reshape(4, 4)[1].tolist() == [4, 5, 6, 7]


@claim("In PyTorch it is nn.MaxUnpool2d(2)(numbers, indices), and it gives the same sixteen numbers.")
def test_pytorch_unpools_the_same(lesson):
    unpooled = max_unpool2d(lesson.z, lesson.indices, (4, 4))
    assert np.array_equal(nn.MaxUnpool2d(2)(batch(lesson.z), lesson.indices_torch)[0, 0], unpooled)


@claim(
    "Unpool, then pool: yes, as long as the numbers are positive. A negative number loses against the zeros around it."
)
@claim("Only the four maxima are back, each at its place. The other twelve numbers are gone for good.")
def test_unpooling_is_no_inverse(lesson):
    size = (4, 4)
    assert np.array_equal(max_pool2d(max_unpool2d(lesson.z, lesson.indices, size), 2)[0], lesson.z)
    assert max_pool2d(max_unpool2d([[-1, 2], [3, 4]], lesson.indices, size), 2)[0].tolist() == [[0, 2], [3, 4]]
    back = max_unpool2d(lesson.y, lesson.indices, size)
    assert np.count_nonzero(back) == 4 and np.array_equal(back[back != 0], lesson.x[back != 0])
    assert np.count_nonzero(back == lesson.x) == 5  # and a zero that was there before


# --------------------------------------------------------------------------------------------- 4 · there and back again


@claim("Each pixel that is back has exactly its old value; all others are 0.")
@claim("Each pooling keeps one pixel in four, so after three only 1.5 % of the coins' pixels are left.")
def test_few_pixels_are_back(lesson):
    shares = []
    for times in (1, 2, 3):
        remembered, where, back = [], np.ones(lesson.coins.shape, bool), lesson.coins
        for _ in range(times):
            size = back.shape
            back, indices = max_pool2d(back, 2)
            remembered.append((indices, size))
        where = np.ones(back.shape, bool)
        for indices, size in reversed(remembered):
            back, where = max_unpool2d(back, indices, size), max_unpool2d(where, indices, size)
        assert np.array_equal(back[where], lesson.coins[where]) and not back[~where].any()
        shares.append(where.mean())
    assert np.allclose(shares, [1 / 4, 1 / 16, 1 / 64], rtol=0.03) and round(100 * shares[2], 1) == 1.5
    piece = lesson.coins[12:76, 303:367]
    assert [np.count_nonzero(back) for back in there_and_back(piece).values.values()] == [32**2, 16**2, 8**2]


# --------------------------------------------------------------------------------------------------- 5 · the gradient


@claim("For how many of the sixteen pixels does the loss change at all?")
@claim("It is the unpooled image of section 3, number by number.")
def test_the_gradient_by_nudging_is_the_unpooled_image(lesson):
    unpooled = max_unpool2d(lesson.z, lesson.indices, (4, 4))
    assert np.count_nonzero(np.abs(lesson.gradient) > 1e-6) == 4
    # 0.001 is subtracted from numbers near 100: nine digits are right
    assert np.allclose(lesson.gradient, unpooled, atol=1e-6)
    assert lesson.loss(lesson.x) == np.sum(lesson.y * [[1, 2], [3, 4]])


@claim("PyTorch's backpropagation gives the same sixteen numbers.")
def test_pytorch_sends_the_gradient_to_the_same_places(lesson):
    x = batch(lesson.x).requires_grad_()
    F.max_pool2d(x, 2).backward(batch(lesson.z))
    unpooled = max_unpool2d(lesson.z, lesson.indices, (4, 4))
    assert np.array_equal(x.grad[0, 0], unpooled)
    assert np.array_equal(max_pool2d_grad(lesson.z, lesson.indices, (4, 4)), unpooled)


@claim("Through average pooling all four do, each a quarter of it.")
def test_the_average_shares_the_gradient(lesson):
    x = batch(lesson.x).requires_grad_()
    F.avg_pool2d(x, 2).backward(batch(lesson.z))
    assert np.array_equal(x.grad[0, 0], np.kron(lesson.z, np.full((2, 2), 1 / 4)))


@claim("You make it larger by 10.")
@claim("It was 3, now it is 13 and beats the 9: it is the new maximum")
@claim("type 13 into that cell: the arrow jumps")
def test_a_large_change_moves_the_maximum(lesson):
    changed = lesson.x.copy()
    changed[0, 0] += 10
    assert (lesson.x[0, 0], changed[0, 0], lesson.x[1, 1]) == (3, 13, 9)
    assert max_pool2d(changed, 2)[1].ravel().tolist() == [0, 2, 12, 15]


# ----------------------------------------------------------------------------------------------------- 6 · the matrix


@claim("has a single 1, at the index of the maximum")
@claim("both are 87")
@claim("keeps 4 pixels and sets 12 to zero: those 12 are what pooling threw away")
def test_pooling_is_a_selection_matrix(lesson):
    S = max_pool2d_matrix(lesson.indices, (4, 4))
    x, z = lesson.x.ravel(), lesson.z.ravel()
    assert (
        S.shape == (4, 16) and (S.sum(axis=1) == 1).all() and np.array_equal(S.argmax(axis=1), lesson.indices.ravel())
    )
    assert np.array_equal(S @ x, lesson.y.ravel())
    assert np.array_equal(S.T @ z, max_unpool2d(lesson.z, lesson.indices, (4, 4)).ravel())
    assert (S @ x) @ z == x @ (S.T @ z) == 87
    kept = S.T @ S
    assert np.array_equal(S @ S.T, np.eye(4)) and np.array_equal(kept, np.diag(np.diag(kept)))
    assert np.flatnonzero(np.diag(kept)).tolist() == [2, 5, 12, 15]


@claim("the maxima add up to 2, and the largest number of the sum is 1")
@claim("The average is linear: it is a convolution with four weights of 1/4 and stride 2.")
def test_max_pooling_is_not_linear_and_average_pooling_is(lesson):
    a, b = np.array([[1, 0], [0, 0]]), np.array([[0, 1], [0, 0]])
    assert a.max() + b.max() == 2 and (a + b).max() == 1
    coins, mirrored = lesson.coins, lesson.coins[:, ::-1]
    of_sum, sum_of = max_pool2d(coins + mirrored, 2)[0], max_pool2d(coins, 2)[0] + max_pool2d(mirrored, 2)[0]
    assert (of_sum <= sum_of + 1e-9).all() and np.mean(sum_of - of_sum > 1e-9) > 0.5
    assert np.allclose(avg_pool2d(coins + mirrored, 2), avg_pool2d(coins, 2) + avg_pool2d(mirrored, 2))
    assert np.allclose(avg_pool2d(coins, 2), conv2d(coins, np.full((2, 2), 1 / 4), stride=2))


# -------------------------------------------------------------------------------------------------- 7 · shared places


@claim("Here the 9 is the maximum of all four, so all four indices are 5.")
@claim(f"The numbers 1, 2, 3 and 4 go back, all to index 5. {TWO_PLACES}")
@claim("Ours keeps the last one, the 4. nn.MaxUnpool2d keeps one of the four")
def test_windows_that_overlap_share_a_place(lesson):
    _, shared = max_pool2d(lesson.peak, 3, stride=1)
    assert shared.tolist() == [[5, 5], [5, 5]] and lesson.peak.ravel()[5] == 9
    summed = max_pool2d_matrix(shared, (4, 4)).T @ lesson.z.ravel()
    assert (max_unpool2d(lesson.z, shared, (4, 4))[1, 1], summed[5]) == (4, 10)
    assert nn.MaxUnpool2d(3, stride=1)(batch(lesson.z), torch.tensor(shared)[None, None])[0, 0, 1, 1] in (1, 2, 3, 4)


@claim("The gradient adds, which makes 10: the pixel makes four outputs, and each counts in full.")
@claim("input one peak, kernel 3, stride 1")
def test_gradients_that_share_a_place_add_up(lesson):
    assert np.array_equal(INPUTS["one peak"], lesson.peak)
    _, shared = max_pool2d(lesson.peak, 3, stride=1)
    peak = batch(lesson.peak).requires_grad_()
    F.max_pool2d(peak, 3, stride=1).backward(batch(lesson.z))
    assert peak.grad[0, 0, 1, 1] == max_pool2d_grad(lesson.z, shared, (4, 4))[1, 1] == 10


@claim("On the coins, with 3×3 and stride 1, 63 % of the numbers find their place taken.")
def test_places_are_often_shared(lesson):
    for window, stride, percent in ((2, 2, 0), (3, 2, 30), (3, 1, 63)):
        _, chosen = max_pool2d(lesson.coins, window, stride)
        assert round(100 * (1 - len(np.unique(chosen)) / chosen.size)) == percent


@claim("Our function and, when we tried it, PyTorch on a CPU take the first in reading order.")
@claim("An image of 4×4 zeros is pooled.")
def test_of_equal_numbers_the_first_is_taken():
    zeros = np.zeros((4, 4))
    ours, theirs = max_pool2d(zeros, 2)[1], F.max_pool2d(batch(zeros), 2, return_indices=True)[1][0, 0]
    assert ours.tolist() == theirs.tolist() == [[0, 2], [8, 10]]


@claim("After Sobel x of lesson 02 and a ReLU, 23 % of the windows of the coins hold nothing but zeros.")
@claim("ties are common")
def test_windows_of_zeros_are_common(lesson):
    four = windows(edges(lesson.coins))
    ties = (four == four.max(axis=2, keepdims=True)).sum(axis=2) > 1
    assert round(100 * (four == 0).all(axis=2).mean()) == 23 and round(100 * ties.mean()) == 24


@claim("For the gradient it does not matter which index such a window keeps: a ReLU that gave 0 passes no gradient on.")
def test_for_the_gradient_the_index_of_zeros_does_not_matter():
    below = batch(-np.arange(1.0, 17).reshape(4, 4)).requires_grad_()
    F.max_pool2d(F.relu(below), 2).sum().backward()
    assert not below.grad.any()


@claim("For unpooling it does matter. What comes back is no longer 0, and it is put at exactly that place.")
@claim("All four go to the upper left corners, whatever the image showed.")
def test_for_unpooling_the_index_of_zeros_does_matter(lesson):
    wanted = [[1, 0, 2, 0], [0, 0, 0, 0], [3, 0, 4, 0], [0, 0, 0, 0]]
    assert max_unpool2d(lesson.z, lesson.indices_zeros, (4, 4)).tolist() == wanted
    others = torch.tensor([[[[5, 6], [13, 14]]]])  # as good an index for windows of zeros, and another picture
    assert nn.MaxUnpool2d(2)(batch(lesson.z), others)[0, 0].tolist() != wanted


@claim("these numbers are moved half a pixel up and half a pixel to the left")
@claim("In the other windows of the coins no side is preferred: 50 % of the maxima stand in the lower row.")
def test_the_index_of_zeros_is_a_habit_that_shifts(lesson):
    image = edges(lesson.coins)
    zeros = (windows(image) == 0).all(axis=2)
    row, column = (places % 2 for places in np.divmod(max_pool2d(image, 2)[1], image.shape[1]))
    assert image.shape[1] % 2 == 0  # so that a column is odd in the window where it is odd in the image
    middle = 0.5
    assert set(row[zeros] - middle) == set(column[zeros] - middle) == {-0.5}
    assert round(100 * row[~zeros].mean()) == round(100 * column[~zeros].mean()) == 50


# ------------------------------------------------------------------------------------------------------ 8 · odd sizes


@claim("It takes twice the size of what it gets, 4×4, which has the places 0 to 15. Index 18 is not among them")
@claim("nn.MaxUnpool2d(2) is not told that the image was 5×5.")
@claim("Five columns hold two windows of 2×2.")
def test_an_odd_size_must_be_told(lesson):
    y, indices = max_pool2d(lesson.x_odd, 2)
    assert y.shape == (2, 2) and indices.max() == 18 and pooled_size(5, 2) == pooled_size(4, 2) == 2
    with pytest.raises(RuntimeError, match="invalid max index: 18"):
        nn.MaxUnpool2d(2)(batch(y), torch.tensor(indices)[None, None])
    with pytest.raises(ValueError, match="18 is no place of a 4×4 plane"):
        max_unpool2d(y, indices, size=(4, 4))
    told = nn.MaxUnpool2d(2)(batch(y), torch.tensor(indices)[None, None], output_size=(5, 5))[0, 0].numpy()
    assert np.array_equal(told, max_unpool2d(y, indices, size=(5, 5)))
    assert np.array_equal(told[told != 0], lesson.x_odd[told != 0])


@claim("Suppose that the 11 is a 0. Then the largest index is 13, and nobody complains.")
@claim("But index 6 meant row 1, column 1. In rows of 4 it is row 1, column 2: the 9 has moved, and there is no error.")
@claim("input 5×5, under more Size: PyTorch's default size, then type 0 over the 11")
def test_a_size_that_is_not_told_may_go_unnoticed(lesson):
    quiet = np.where(lesson.x_odd == 11, 0, lesson.x_odd)
    assert np.array_equal(INPUTS["5×5, an odd size"], lesson.x_odd)
    assert CHOICES["size"]["PyTorch's default size"] == "default"
    y, indices = max_pool2d(quiet, 2)
    assert indices.max() == 13 and divmod(6, 5) == (1, 1) and divmod(6, 4) == (1, 2)
    wrong = nn.MaxUnpool2d(2)(batch(y), torch.tensor(indices)[None, None])[0, 0].numpy()
    assert np.argwhere(quiet == 9).tolist() == [[1, 1]] and np.argwhere(wrong == 9).tolist() == [[1, 2]]


@claim("They have 303 rows; pooled they have 151, and without the size 302 come back.")
def test_the_coins_need_their_size(lesson):
    y, indices = max_pool2d(lesson.coins, 2)
    assert (len(lesson.coins), len(y)) == (303, 151)
    assert nn.MaxUnpool2d(2)(batch(y), torch.tensor(indices)[None, None]).shape[2] == 302


@claim("from 572 pixels these are 568, 280, 136 and 64")
@claim("every pooling meets an even size")
def test_the_unet_meets_even_sizes():
    size, met = 572, []
    for _ in range(4):
        size = output_size(output_size(size, 3), 3)
        met.append(size)
        size = pooled_size(size, 2)
    assert met == [568, 280, 136, 64] and not any(size % 2 for size in met)
    assert pooled_size(5, 2, ceil_mode=True) == pooled_size(6, 2) == 3


# ----------------------------------------------------------------------------------------------------- 9 · the shift


@claim("In how many of its seven steps does the pooled row change?")
@claim("In three. Within a window the dot may move, and the pooled row does not notice.")
@claim("the index is exactly what was lost")
def test_a_dot_that_walks():
    walk = np.eye(8, dtype=int)
    pooled, index = zip(*(max_pool2d(np.stack([row, np.zeros(8, int)]), 2) for row in walk), strict=True)
    changes = (np.diff(np.concatenate(pooled), axis=0) != 0).any(axis=1)
    assert len(changes) == 7 and changes.sum() == 3
    assert [(places * numbers).max() for places, numbers in zip(index, pooled, strict=True)] == [*range(8)]


@claim("their pixels change by 0.036 on average, and the pooled ones still by 0.026")
@claim("shift by the stride, and the output shifts by one. After four poolings that means steps of 16 pixels")
def test_pooling_is_invariant_in_part_only(lesson):
    before, after, by_two = (lesson.coins[:, shift : 382 + shift] for shift in (0, 1, 2))
    pooled = [max_pool2d(image, 2)[0] for image in (before, after, by_two)]
    assert round(np.abs(after - before).mean(), 3) == 0.036
    assert round(np.abs(pooled[1] - pooled[0]).mean(), 3) == 0.026
    for n, image in ((1, after), (2, by_two)):
        assert 0.5 < np.abs(pooled[n] - pooled[0]).mean() / np.abs(image - before).mean() < 1
    assert np.array_equal(pooled[2][:, :-1], pooled[0][:, 1:])
    noise, four = np.random.default_rng(2015).random((32, 80)), [np.zeros((1, 1))] * 2
    for number, start in enumerate((0, 16)):
        four[number] = noise[:, start : start + 64]
        for _ in range(4):
            four[number] = max_pool2d(four[number], 2)[0]
    assert np.array_equal(four[1][:, :-1], four[0][:, 1:])


# ------------------------------------------------------------------------------------------------ 10 · pairs, two ways


@claim("for each pooling on the way down there is an unpooling on the way up, which uses its indices and its size")
def test_the_way_up_in_pairs(lesson):
    up1 = max_unpool2d(lesson.y2, lesson.indices2, lesson.y1.shape)
    up2 = max_unpool2d(up1, lesson.indices1, lesson.x_odd.shape)
    assert np.array_equal(up2, np.where(lesson.x_odd == 11, 11, 0))


@claim("Indices of another level do not even fit in shape, so mixing the pairs up is an error.")
@claim("the numbers land where that image had its maxima")
def test_pairs_that_are_mixed_up(lesson):
    with pytest.raises(ValueError, match="indices: expected shape"):
        max_unpool2d(lesson.y2, lesson.indices1, lesson.y1.shape)
    with pytest.raises(RuntimeError, match="shape"):
        nn.MaxUnpool2d(2)(batch(lesson.y2), torch.tensor(lesson.indices1)[None, None])
    of_another = max_pool2d(lesson.negative, 2)[1]
    wrong = max_unpool2d(lesson.z, of_another, (4, 4))
    assert sorted(np.flatnonzero(wrong)) == sorted(of_another.ravel())


@claim("With the indices, every pixel that comes back is on the outline, but only 25 % of the outline are there.")
@claim("Copying covers all of it, and only 25 % of what it paints is right.")
def test_what_the_indices_know(lesson):
    on_line = lesson.outline > 0
    assert lesson.coin.shape == (64, 64) and label(lesson.mask)[1] == 1 and label(on_line, np.ones((3, 3)))[1] == 1
    small, indices = max_pool2d(lesson.outline, 2)
    smaller, indices_of_small = max_pool2d(small, 2)
    back = max_unpool2d(max_unpool2d(smaller, indices_of_small, small.shape), indices, lesson.outline.shape) > 0
    copied = interpolate(smaller, lesson.outline.shape, mode="nearest") > 0
    assert on_line[back].all() and round(100 * back[on_line].mean()) == 25
    assert copied[on_line].all() and round(100 * on_line[copied].mean()) == 25


@claim("at 4 bytes per number of a map")
@claim("There is one for each four numbers of a map.")
@claim("in 8 bytes each, they take half the memory of the maps; packed into two bits each, 1/64")
def test_what_crosses_and_what_it_costs():
    for channels, side in zip((64, 128, 256, 512), (256, 128, 64, 32), strict=True):
        maps = torch.zeros(1, channels, side, side)
        indices = F.max_pool2d(maps, 2, return_indices=True)[1]
        assert maps.numel() == 4 * indices.numel() and indices.element_size() == 8
        memory = maps.numel() * maps.element_size()
        assert memory == 2 * indices.numel() * 8 == 64 * indices.numel() * 2 / 8


@claim("the convolution after the crossing has twice as many channels to read")
def test_the_unet_reads_twice_as_many_channels():
    assert weights(128) == 2 * weights(64) == 73_728


# ------------------------------------------------------------------------------------------- the end, and the questions


@claim(
    "The volume has 16 slices of 64 rows and 64 columns, and the maximum of one window stands in slice 3, row 10, "
    "column 20."
)
@claim(
    "One slice has 64 · 64 = 4,096 places and one row has 64. So 3 · 4,096 + 10 · 64 + 20 = 12,948. "
    "Of eight numbers in a window one is kept."
)
def test_the_question_to_take_along():
    volume = torch.zeros(1, 1, 16, 64, 64)
    volume[0, 0, 3, 10, 20] = 1
    value, index = nn.MaxPool3d(2, return_indices=True)(volume)
    assert index[value == 1].item() == 3 * 64 * 64 + 10 * 64 + 20 == 12_948 and volume.numel() == 8 * value.numel()


@claim(
    "Many later ones halve their maps with a convolution of stride 2, which has weights to learn and needs no index."
)
def test_a_convolution_of_stride_2_halves():
    assert output_size(64, 3, stride=2, padding=1) == pooled_size(64, 2) == 32


def test_the_answers_of_the_quick_questions():
    """Of each question, where the right answer comes from, and the wrong ones."""
    H, W = 4, 6
    last = np.zeros((H, W))
    last[3, 4] = 1
    assert (max_pool2d(last, 2)[1][-1, -1], 3 * (W // 2) + 4, 3 * H + 4, 1 * 2 + 0) == (22, 13, 16, 2)
    assert [pooled_size(n, 2) for n in (4, 5)] == [2, 2]
    arriving, all_5 = np.array([[1, 4], [2, 3]]), np.full((2, 2), 5)
    assert max_pool2d_grad(arriving, all_5, (4, 4)).ravel()[5] == 10
    assert (arriving.mean(), arriving.max(), max_unpool2d(arriving, all_5, 4).ravel()[5]) == (2.5, 4, 3)
    up = nn.ConvTranspose2d(1024, 512, kernel_size=2, stride=2)
    assert up(torch.zeros(1, 1024, 28, 28)).shape == (1, 512, 56, 56)
    assert nn.ConvTranspose1d(1, 1, 4, stride=2, padding=1)(torch.zeros(1, 1, 6)).shape[-1] == 12
    assert transposed_size(6, 4, stride=2, padding=1) == 12
    assert (transposed_size(6, 4, stride=2), output_size(6, 4, stride=2, padding=1)) == (14, 3)
