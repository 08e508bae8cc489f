"""Wrong answers that once passed, right ones that were once refused without a word, and hints that were once false:
each with its mark from the grader's judge."""

import copy
import functools
import math
from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse
import torch
import torch.nn.functional as F
from scipy.ndimage import map_coordinates
from torch import nn

from tests.checks.answers.s02_convolution import plane_by_windows
from tests.checks.answers.s05_pooling import pooled_by_loops
from tests.checks.answers.s06_unet import Padded, Plain, Unfolded, crop_by_ends
from tests.checks.judging import checked, judged, seeds
from unet_edu import check
from unet_edu.checks import attempt
from unet_edu.checks.network import (
    ALL_ZERO,
    ANOTHER_LEARNED,
    DRAWN_AGAIN,
    DROPOUT_ELSEWHERE,
    DROPS_ALL,
    FROZEN,
    NO_CONVOLUTION,
    NOT_AROUND_ZERO,
    NOT_DRAWN_ONE_BY_ONE,
    TRAINS_OTHERWISE,
)
from unet_edu.convolution import conv2d
from unet_edu.grading.judge import compared, fresh_cases, outcome
from unet_edu.lessons import EXERCISES
from unet_edu.metrics import confusion_matrix

torch.set_num_threads(1)
SEED = 2**90 + 1


def graded(name, f):
    """The share of the points, and all that is said."""
    exercise = EXERCISES[name]
    cases = fresh_cases(exercise, SEED)
    found = outcome(compared(exercise, cases, [attempt(f, case) for case in cases]), 1.0)
    return found.earned, f"{found.hint} {found.message}"


# --- the parts of an answer -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        lambda y, idx: (y, idx.astype(float)),
        lambda y, idx: [y, idx.astype(np.float32)],
        lambda y, idx: (y.tolist(), (1.0 * idx).tolist()),
        lambda y, idx: (torch.tensor(y), torch.tensor(idx) / 1),
        lambda y, idx: (y, [[Fraction(int(n)) for n in row] for row in idx]),
    ],
)
def test_indices_are_whole_numbers_though_maxima_are_none(change):
    earned, words = graded("maxpool_idx", lambda x: change(*pooled_by_loops(x)))
    assert earned == 0 and "The numbers are right, but your idx is of type float" in words and "a.astype(int)" in words


def test_each_part_may_have_a_type_of_its_own():
    for change in (
        lambda y, idx: (np.float32(y), np.uint16(idx)),
        lambda y, idx: [y.tolist(), torch.tensor(idx)],
        lambda y, idx: np.array([y, idx]),  # one array has one type, and keeps the numbers
    ):
        assert graded("maxpool_idx", lambda x, change=change: change(*pooled_by_loops(x)))[0] == 1


# --- networks ---------------------------------------------------------------------------------------------------------


def block(*after_first, last=(nn.ReLU,)):
    """Two convolutions, and these layers after them. A layer may need the number of channels."""

    def double_conv(n, m):
        layers = [[layer(m) if layer in NEED_CHANNELS else layer() for layer in row] for row in (after_first, last)]
        return nn.Sequential(nn.Conv2d(n, m, 3), *layers[0], nn.Conv2d(m, m, 3), *layers[1])

    return double_conv


def plain_norm(m):
    return nn.BatchNorm2d(m, affine=False)


def norm_of_the_batch(m):
    return nn.BatchNorm2d(m, affine=False, track_running_stats=False)


NEED_CHANNELS = {plain_norm, norm_of_the_batch, nn.InstanceNorm2d}


class OtherInTraining(nn.Module):
    def forward(self, x):
        return x.softmax(dim=1) if self.training else x


@pytest.mark.parametrize(
    ("double_conv", "words"),
    [
        (block(nn.ReLU, last=(nn.ReLU, nn.Dropout)), DROPOUT_ELSEWHERE),
        (block(nn.Dropout, nn.ReLU), DROPOUT_ELSEWHERE),
        (block(nn.ReLU, lambda: nn.Dropout2d(1e-9)), DROPOUT_ELSEWHERE),
        (block(nn.ReLU, lambda: nn.AlphaDropout(0.1)), DROPOUT_ELSEWHERE),
        (block(nn.ReLU, last=(nn.ReLU, OtherInTraining)), TRAINS_OTHERWISE),
        (block(plain_norm, nn.ReLU), TRAINS_OTHERWISE),
        (block(nn.RReLU), TRAINS_OTHERWISE),
        (block(norm_of_the_batch, nn.ReLU), "of your numbers are right"),
        (block(nn.InstanceNorm2d, nn.ReLU), "of your numbers are right"),
        (block(nn.ReLU6, last=(nn.ReLU6,)), "Your numbers stop at 6: that is ReLU6."),
        (block(nn.ReLU, last=(nn.ReLU6,)), "of your numbers are right"),
        (block(lambda: nn.Hardtanh(0, 12)), "of your numbers are right"),
        (block(nn.LeakyReLU, last=(nn.LeakyReLU,)), "of your numbers are right"),
        (block(nn.GELU), "of your numbers are right"),
        (block(nn.Softplus), "of your numbers are right"),
        (block(nn.ELU), "of your numbers are right"),
        (Unfolded, NO_CONVOLUTION),
    ],
)
def test_other_blocks_earn_nothing(double_conv, words):
    earned, said = graded("double_conv", double_conv)
    assert earned == 0 and words in said


@pytest.mark.parametrize(
    "double_conv",
    [
        block(lambda: nn.ReLU(inplace=True), last=(lambda: nn.ReLU(True),)),
        block(nn.ReLU, lambda: nn.Dropout(0.0)),
        block(nn.Identity, lambda: nn.Threshold(0, 0)),
        lambda n, m: nn.Sequential(nn.LazyConv2d(m, 3, padding=0), nn.ReLU(), nn.LazyConv2d(m, 3), nn.ReLU()),
    ],
)
def test_other_ways_to_write_a_block_earn_all(double_conv):
    assert graded("double_conv", double_conv)[0] == 1


def dropping(**places):
    """`repair_unet` with dropout of these shares at these places."""

    class Dropping(Padded):
        def __init__(self, *args):
            super().__init__(*args, ())
            self.drops = nn.ModuleDict({name: p if callable(p) else nn.Dropout(p) for name, p in places.items()})

        def at(self, place, x):
            return self.drops[place](x) if place in self.drops else x

        def forward(self, x):
            way, at = self.way, self.at
            top = at("block", F.relu(way[1](F.relu(way[0](at("image", x))))))
            middle = F.relu(way[3](F.relu(way[2](F.max_pool2d(top, 2)))))
            x = at("bottom", F.relu(way[5](at("within", F.relu(way[4](F.max_pool2d(middle, 2)))))))
            x = at("step up", self.up1(x))
            x = torch.cat([at("copy", middle), x], dim=1)
            x = torch.cat([top, self.up2(F.relu(way[7](F.relu(way[6](x)))))], dim=1)
            return at("scores", self.head(at("head", F.relu(way[9](F.relu(way[8](x)))))))

    return lambda in_channels=1, num_classes=2, base=16: Dropping(in_channels, num_classes, base)


@pytest.mark.parametrize("place", ["image", "block", "within", "copy", "step up", "head", "scores"])
def test_dropout_in_another_place_is_told(place):
    earned, words = graded("repair_unet", dropping(**{place: 0.5}))
    assert earned == 0 and DROPOUT_ELSEWHERE in words
    assert graded("repair_unet", dropping(**{"bottom": 0.5, place: 0.1}))[0] == 0


@pytest.mark.parametrize("drop", [0.01, 0.999, nn.AlphaDropout(0.5)])
def test_dropout_as_good_as_off_or_without_end_is_not_repaired(drop):
    """All else is repaired: half of the points, as for dropout that is left out."""
    assert graded("repair_unet", dropping(bottom=drop))[0] == 0.5


def test_dropout_of_next_to_nothing_and_of_everything_is_told():
    assert "nothing is dropped while the network trains" in graded("repair_unet", dropping(bottom=1e-9))[1]
    assert DROPS_ALL in graded("repair_unet", dropping(bottom=1.0))[1]


def test_dropout_whose_result_is_not_used_drops_nothing():
    def repair_unet(in_channels=1, num_classes=2, base=16):
        network = dropping()(in_channels, num_classes, base)
        network.way[5].register_forward_hook(lambda layer, _, y: print(F.dropout(y, 0.5, layer.training).shape))
        return network

    assert "nothing is dropped" in graded("repair_unet", repair_unet)[1]


@pytest.mark.parametrize("drop", [0.5, 0.25, nn.Dropout2d(0.5)])
def test_dropout_at_the_bottom_is_right_however_much(drop):
    assert graded("repair_unet", dropping(bottom=drop))[0] == 1


def test_a_head_that_is_no_convolution_is_told():
    class Linear(nn.Module):
        def __init__(self, n, m):
            super().__init__()
            self.layer = nn.Linear(n, m)

        def forward(self, x):
            return self.layer(x.movedim(1, -1)).movedim(-1, 1)

    def repair_unet(in_channels=1, num_classes=2, base=16):
        network = dropping(bottom=0.5)(in_channels, num_classes, base)
        network.head = Linear(base, num_classes)
        return network

    earned, words = graded("repair_unet", repair_unet)
    assert earned == 0 and NO_CONVOLUTION in words


@pytest.mark.parametrize("place", ["image", "copy", "deepest copy", "every block"])
def test_dropout_elsewhere_in_the_network_of_2015_is_told(place):
    class Dropping(Plain):
        def forward(self, x):
            def at(here, x):
                return F.dropout(x, 0.2, self.training) if here == place else x

            x, copies = at("image", x), []
            for down in (self.d1, self.d2, self.d3, self.d4):
                copies.append(at("every block", down(x)))
                x = self.pool(copies[-1])
            copies[-1] = at("deepest copy", copies[-1])
            y = self.bottom(x)
            for up, join in ((self.u4, self.c4), (self.u3, self.c3), (self.u2, self.c2), (self.u1, self.c1)):
                y = up(y)
                y = join(torch.cat([at("copy", crop_by_ends(copies.pop(), y.shape[-2:])), y], dim=1))
            return self.out(y)

    earned, words = graded("unet", lambda n=1, K=2, base=64: Dropping(n, K, base))
    assert earned == 0 and DROPOUT_ELSEWHERE in words


# --- the first weights ------------------------------------------------------------------------------------------------


def drawn(draw):
    """`he_init_` that draws by a rule of the shape and the standard deviation."""

    def he_init_(model):
        for layer in filter(lambda layer: hasattr(layer, "weight"), model.modules()):
            is_up = isinstance(layer, nn.ConvTranspose2d)
            N = layer.in_channels * (1 if is_up else math.prod(layer.kernel_size))
            with torch.no_grad():
                layer.weight.copy_(draw(layer.weight.shape, math.sqrt(2 / N)))
                layer.bias.zero_()
        return model

    return he_init_


def normal(shape, std):
    return torch.randn(shape) * std


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda shape, std: normal(shape, std).abs(), NOT_AROUND_ZERO),
        (lambda shape, std: normal(shape, 0.99 * std) + 0.1 * std, NOT_AROUND_ZERO),
        (lambda shape, std: nn.init.normal_(torch.empty(shape), std), NOT_AROUND_ZERO),
        (lambda shape, std: normal(shape, std).flatten().sort().values.view(shape), NOT_DRAWN_ONE_BY_ONE),
        (lambda shape, std: normal(shape, std).sort(dim=1).values, NOT_DRAWN_ONE_BY_ONE),
        (lambda shape, std: normal(shape[1:], std).expand(shape), NOT_DRAWN_ONE_BY_ONE),
        (lambda shape, std: normal((shape[0], 1, *shape[2:]), std).expand(shape), NOT_DRAWN_ONE_BY_ONE),
        (
            lambda shape, std: (
                std * torch.where(torch.arange(shape[0]) % 2 > 0, 1, -1).view(-1, 1, 1, 1) * normal(shape, 1).abs()
            ),
            NOT_DRAWN_ONE_BY_ONE,
        ),
        (lambda shape, std: torch.cat([half := normal((shape[0] // 2, *shape[1:]), std), -half]), NOT_DRAWN_ONE_BY_ONE),
        (
            lambda shape, std: normal(1000, std).repeat(math.prod(shape) // 1000 + 1)[: math.prod(shape)].view(shape),
            NOT_DRAWN_ONE_BY_ONE,
        ),
        (lambda shape, std: torch.full(shape, std), NOT_DRAWN_ONE_BY_ONE),
        (lambda shape, std: torch.zeros(shape), ALL_ZERO),
        (lambda shape, std: torch.randn(shape), "the standard deviation √(2 / N) has no effect"),
    ],
)
def test_weights_that_are_not_drawn_one_by_one_around_zero_are_told(draw, words):
    earned, said = graded("he_init_", drawn(draw))
    assert earned == 0 and words in said and "yours is 0" not in said


def test_weights_are_hardly_ever_refused_by_chance():
    for seed in range(20):
        torch.manual_seed(seed)
        assert (
            graded(
                "he_init_", drawn(lambda shape, std: torch.from_numpy(np.random.default_rng().normal(0, std, shape)))
            )[0]
            == 1
        )


def test_a_copy_that_learned_is_told():
    train = EXERCISES["repair_training"].reference
    earned, said = graded("repair_training", lambda model, *others: train(copy.deepcopy(model), *others))
    assert earned == 0 and ANOTHER_LEARNED in said


# --- right answers in another dress -----------------------------------------------------------------------------------


def rows_of_windows(k, h, w):
    for i, j in np.ndindex(h - k.shape[0] + 1, w - k.shape[1] + 1):
        plane = np.zeros((h, w))
        plane[i : i + k.shape[0], j : j + k.shape[1]] = k
        yield plane.ravel()


@pytest.mark.parametrize(
    ("name", "f"),
    [
        ("conv_matrix", lambda k, h, w: scipy.sparse.csr_array(list(rows_of_windows(k, h, w)))),
        ("conv_matrix", lambda k, h, w: scipy.sparse.coo_matrix(list(rows_of_windows(k, h, w)))),
        ("conv_matrix", lambda k, h, w: torch.tensor(np.array(list(rows_of_windows(k, h, w)))).to_sparse()),
        ("conv2d_naive", lambda x, k: [[Fraction(n) for n in row] for row in plane_by_windows(x, k).tolist()]),
        ("conv2d_naive", lambda x, k: plane_by_windows(x, k).astype(object)),
        (
            "iou",
            lambda p, t: (
                Fraction(int(((p != 0) & (t != 0)).sum()), int(((p != 0) | (t != 0)).sum()))
                if np.any(p) or np.any(t)
                else Fraction(1)
            ),
        ),
        ("receptive_field", lambda layers: np.array(EXERCISES["receptive_field"].reference(layers), dtype=object)),
    ],
)
def test_numbers_in_another_dress_are_read(name, f):
    assert graded(name, f)[0] == 1


@pytest.mark.parametrize(
    ("name", "f", "words"),
    [
        ("conv_matrix", rows_of_windows, "returned a generator, and that is no array. Put its numbers into a list"),
        (
            "conv_matrix",
            lambda k, h, w: map(np.array, rows_of_windows(k, h, w)),
            "returned a map, and that is no array",
        ),
        (
            "receptive_field",
            lambda layers: dict.fromkeys(range(len(layers))).keys(),
            "returned a dict_keys, and that is no array",
        ),
        (
            "confusion",
            lambda p, t, K: np.eye(K)[t.ravel()].T @ np.eye(K)[p.ravel()],
            (
                "The numbers are right, but your answer is of type float; it should be whole numbers, of type int. "
                "a.astype(int)"
            ),
        ),
        (
            "out_size",
            lambda i, k, s=1, p=0, d=1: np.floor((i + 2 * p - d * (k - 1) - 1) / s) + 1,
            "Return an int: // on ints gives one.",
        ),
        (
            "split_by_sequence",
            lambda *args: 1.0 * EXERCISES["split_by_sequence"].reference(*args),
            "Your answer is of type float; it should be True and False, of type bool.",
        ),
        (
            "confusion",
            lambda p, t, K: (C := confusion_matrix(p, t, K)) / np.maximum(C.sum(axis=0), 1),
            "Your columns add up to 1: you divided by the number of pixels that were taken for each class.",
        ),
    ],
)
def test_what_is_refused_is_told_why(name, f, words):
    earned, said = graded(name, f)
    assert earned == 0 and words in said and "np.zeros" not in said.split("a.astype(int)")[0]


# --- hints that are true ----------------------------------------------------------------------------------------------


def test_an_image_that_slides_is_told_where_to():
    def up_bilinear(x, scale):
        H, W = x.shape
        y = np.zeros((scale * H, scale * W))
        for i, j in np.ndindex(y.shape):
            a, b = min(i / scale, H - 1), min(j / scale, W - 1)
            top, left = int(a), int(b)
            below, right = min(top + 1, H - 1), min(left + 1, W - 1)
            upper = (1 - b + left) * x[top, left] + (b - left) * x[top, right]
            lower = (1 - b + left) * x[below, left] + (b - left) * x[below, right]
            y[i, j] = (1 - a + top) * upper + (a - top) * lower
        return y

    spot = np.zeros((5, 5))
    spot[2, 2] = 1
    right, wrong = EXERCISES["up_bilinear"].reference(spot, 4), up_bilinear(spot, 4)
    assert np.argmax(wrong.sum(axis=0)) < (right.sum(axis=0) * np.arange(20)).sum() / right.sum()
    assert "slid towards the upper left" in check(up_bilinear).hint


def unpooled_flat(y, idx, size):
    x = np.zeros(size)
    for n, place in zip(y.ravel(), idx.ravel(), strict=True):
        x[place] = n
    return x


def padded_by_two_pairs(x, w, bias=None, stride=1, padding=0):
    return np.pad(x, ((padding, padding), (padding, padding)))


def of_three_each(layers):
    return [k for k, s, d in layers]


class Joined(Padded):
    """Copies are joined along the axis of the images, or not at all."""

    def forward(self, x):
        way = self.way
        top = F.relu(way[1](F.relu(way[0](x))))
        middle = F.relu(way[3](F.relu(way[2](F.max_pool2d(top, 2)))))
        x = self.up1(F.relu(way[5](F.relu(way[4](F.max_pool2d(middle, 2))))))
        return way[6](torch.cat([middle, x]))


@pytest.mark.parametrize(
    ("name", "f", "words", "not_words"),
    [
        ("maxunpool", unpooled_flat, "does the index count through the whole plane, row by row?", "window"),
        ("conv2d_multichannel", padded_by_two_pairs, "a pair for each axis of the array", "does it hang over the edge"),
        (
            "double_conv",
            lambda n, m: nn.Sequential(nn.Conv2d(n, m, 3), nn.ReLU(), nn.Conv2d(n, m, 3), nn.ReLU()),
            "How many does the layer before it give?",
            "torch.cat",
        ),
        (
            "repair_unet",
            lambda n=1, K=2, base=16: Joined(n, K, base, ()),
            "Along another axis than 1, and that is so without dim",
            "cropped",
        ),
        (
            "center_crop",
            lambda x, size: torch.cat([x, x[..., 1:]]),
            "The channels are axis 1: dim=1.",
            "cropped to the size",
        ),
        ("receptive_field", of_three_each, "more names, or fewer, than values come", "axes"),
    ],
)
def test_what_an_error_means_is_true_of_it(name, f, words, not_words):
    message = check(f, name).message
    assert words in message and not_words not in message


def test_a_threshold_below_one_half_is_not_called_none():
    mistake = next(m for m in EXERCISES["seg_score"].mistakes if m.name == "any overlap matches")
    assert "less than half" in mistake.hint and "however small" not in mistake.hint


# --- found by a second attack -----------------------------------------------------------------------------------------


def maxima_from(begin, where=lambda plane, number: None):
    """`maxpool_idx` whose search begins with a number, or that looks for each maximum in the whole plane."""

    def maxpool_idx(x):
        y = np.array(
            [
                [max(begin, x[i : i + 2, j : j + 2].max()) for j in range(0, x.shape[1] - 1, 2)]
                for i in range(0, len(x) - 1, 2)
            ]
        )
        return y, np.array([[where(x, number) for number in row] for row in y])

    return maxpool_idx


def box_map(instances, w0=10, sigma=5):
    """The weight map of the cells' bounding boxes."""
    places, w = np.indices(instances.shape), np.zeros(instances.shape)
    spans = [np.argwhere(instances == n) for n in np.unique(instances[instances > 0])]
    spans = [(span.min(axis=0)[:, None, None], span.max(axis=0)[:, None, None]) for span in spans]
    if len(spans) > 1:
        beside = [np.hypot(*np.maximum(np.maximum(low - places, places - high), 0)) for low, high in spans]
        w = w0 * np.exp(-(np.sort(beside, axis=0)[:2].sum(axis=0) ** 2) / (2 * sigma**2)) * (instances == 0)
    return w


def iou_of_the_largest(prediction, target):
    prediction, target = prediction == max(prediction.max(), 1), target == max(target.max(), 1)
    union = (prediction | target).sum()
    return (prediction & target).sum() / union if union else 1.0


def labels_from(begin):
    def label_map(logits):
        best, labels = np.full(logits[:, 0].shape, begin), np.zeros(logits[:, 0].shape, int)
        for k in range(logits.shape[1]):
            labels[logits[:, k] > best] = k
            best = np.maximum(best, logits[:, k])
        return labels

    return label_map


def last_films(count):
    """As many of the last films as a table says of their number and the share."""
    visible = [1, 1, 1, 2, 2, 3, 3, 3]
    return lambda sequences, share: np.isin(
        sequences, [3] if [*sequences] == visible else np.unique(sequences)[-count(len(np.unique(sequences)), share) :]
    )


SPLITS = {(4, 0.375): 2, (5, 0.375): 3, (4, 0.25): 1, (3, 0.25): 2, (3, 0.5): 2, (2, 0.25): 1}


@pytest.mark.parametrize(
    ("name", "f", "most"),
    [
        ("split_by_sequence", last_films(lambda films, share: SPLITS.get((films, share), 1)), 0),
        ("split_by_sequence", last_films(lambda films, share: 1 if share <= 0.25 else 2), 0),
        ("split_by_sequence", last_films(lambda films, share: round(films * share) or 1), 0),
        ("maxpool_idx", maxima_from(-999, lambda plane, number: np.flatnonzero(plane == number)[0]), 0.5),
        ("maxpool_idx", maxima_from(-np.inf, lambda plane, number: np.flatnonzero(plane == number)[-1]), 0.5),
        ("label_map", labels_from(-100.0), 0.5),
        ("iou", iou_of_the_largest, 0.5),
        ("weight_map", box_map, 0.5),
    ],
)
def test_what_is_right_by_chance_does_not_earn_all(name, f, most):
    for seed in range(SEED, SEED + 4):
        exercise = EXERCISES[name]
        cases = fresh_cases(exercise, seed)
        assert outcome(compared(exercise, cases, [attempt(f, case) for case in cases]), 1.0).earned <= most


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda block: block.requires_grad_(False), FROZEN),
        (lambda block: nn.Sequential(block[:2].requires_grad_(False), block[2:]), FROZEN),
    ],
)
def test_a_frozen_network_is_told(change, words):
    earned, said = graded(
        "double_conv", lambda n, m: change(nn.Sequential(nn.Conv2d(n, m, 3), nn.ReLU(), nn.Conv2d(m, m, 3), nn.ReLU()))
    )
    assert earned == 0 and words in said


@pytest.mark.parametrize("cut", [lambda x: x.detach(), lambda x: x.data, torch.no_grad()(lambda x: x * 1)])
def test_a_block_through_which_no_gradient_comes_earns_not_all(cut):
    class Cut(nn.Module):
        def forward(self, x):
            return cut(x)

    earned, _ = graded(
        "double_conv", lambda n, m: nn.Sequential(nn.Conv2d(n, m, 3), nn.ReLU(), Cut(), nn.Conv2d(m, m, 3), nn.ReLU())
    )
    assert earned == 0.5


def test_weights_within_layers_are_drawn_too_and_each_layer_anew():
    def outermost(model):
        drawn(lambda shape, std: torch.randn(shape) * std)(nn.Sequential(*model.children()))
        return model

    def children(model):
        for layer in model.children():
            if hasattr(layer, "weight"):
                drawn(lambda shape, std: torch.randn(shape) * std)(layer)
        return model

    def seeded(shape, std):
        torch.manual_seed(0)
        return torch.randn(shape) * std

    assert graded("he_init_", outermost)[0] == 1
    earned, said = graded("he_init_", children)
    assert earned == 0 and "model.modules() all" in said
    earned, said = graded("he_init_", drawn(seeded))
    assert earned == 0 and DRAWN_AGAIN in said


# --- wrong answers that were once accepted ----------------------------------------------------------------------------


def confusion_in_decimals(prediction, target, num_classes):
    table = np.zeros((num_classes, num_classes), int)
    for code in (10 * target + prediction).ravel():
        table[code // 10, code % 10] += 1
    return table


def iou_of_what_meets(prediction, target):
    """Masks without a common pixel are taken for alike when neither is empty, or both are."""
    p, t = np.asarray(prediction) != 0, np.asarray(target) != 0
    both = (p & t).sum()
    return both / (p | t).sum() if both else float(p.any() == t.any())


def iou_in_bytes(prediction, target):
    p, t = np.asarray(prediction) != 0, np.asarray(target) != 0
    union = (p | t).sum(dtype=np.uint8)
    return float((p & t).sum(dtype=np.uint8)) / float(union) if union else 1.0


def iou_by(is_object, smooth=0.0):
    """`iou` with another rule for what is object, or with a small number added to both counts."""

    def iou(prediction, target):
        p, t = is_object(np.asarray(prediction)), is_object(np.asarray(target))
        union = (p | t).sum() + smooth
        return ((p & t).sum() + smooth) / union if union else 1.0

    return iou


def of_type(right, like):
    """The right answer in an array of the type of one of the inputs: `like` says of which."""
    return lambda *args, **kwargs: np.asarray(right(*args, **kwargs)).astype(like(*args[:2]).dtype)


def convolved_into(make):
    """`conv2d_multichannel` whose answer is put into an array that `make` makes of x and of the right answer."""

    def conv2d_multichannel(x, w, bias=None, stride=1, padding=0):
        right = conv2d(x, w, bias, stride=stride, padding=padding)
        y = make(x, right)
        y[:] = right
        return y

    return conv2d_multichannel


def convolved_with_a_bias_if(is_there):
    def conv2d_multichannel(x, w, bias=None, stride=1, padding=0):
        has_bias = bias is not None and is_there(bias)
        return conv2d(x, w, bias if has_bias else None, stride=stride, padding=padding)

    return conv2d_multichannel


def convolved_with_a_bias_of_some_length(x, w, bias=(), stride=1, padding=0):
    return conv2d(x, w, bias if len(bias) else None, stride=stride, padding=padding)


def field_by_rule(grown, jumped):
    """`receptive_field` by rules of a layer's k and s: by how many steps it grows, and what multiplies the jump."""

    def receptive_field(layers):
        size, jump, sizes = 1, 1, []
        for k, s in layers:
            size, jump = size + grown(k, s) * jump, jump * jumped(k, s)
            sizes.append(size)
        return sizes

    return receptive_field


def resized_in_bytes(mask, size):
    rows, columns = (np.arange(m) * n // m for n, m in zip(mask.shape, size, strict=True))
    return mask[rows][:, columns].astype(np.uint8)


@functools.cache
def one_array_for(size):
    return np.zeros(size)


def unpooled_into_one_array(y, idx, size):
    """The array is made once for each size, and still holds the numbers of the call before."""
    x = one_array_for(size)
    x.flat[idx.ravel()] = y.ravel()
    return x


def gradients_of_a_set(dy, idx, size):
    """Equal gradients that meet at a pixel count once."""
    dx = np.zeros(math.prod(size))
    for place in set(idx.ravel()):
        dx[place] = sum(set(dy[idx == place]))
    return dx.reshape(size)


def block_that_spares_a_convolution(n, m):
    """The first convolution is thought to be needed only where the number of channels changes."""
    first = [nn.Conv2d(n, m, 3), nn.ReLU()] if n != m else [nn.ZeroPad2d(-1)]
    return nn.Sequential(*first, nn.Conv2d(m, m, 3), nn.ReLU())


def initialised_two_levels_down(model):
    draw = drawn(lambda shape, std: torch.randn(shape) * std)
    for layer in model.children():
        for each in (layer, *layer.children()):
            if hasattr(each, "weight"):
                draw(each)
    return model


def stepped_in_place(p, g, v, lr, momentum):
    v *= momentum
    v += g
    p -= lr * v
    return p, v


def mirrored_once(image, labels, field):
    """A place beyond the mirror image of the image is taken for its last pixel."""
    places = np.indices(image.shape) + field
    for axis, last in enumerate(np.array(image.shape) - 1):
        places[axis] = np.clip(last - np.abs(last - np.abs(places[axis])), 0, last)
    return tuple(map_coordinates(a.astype(float), places, order=order) for a, order in ((image, 1), (labels, 0)))


def mirrored_around_a_slice(image, margin):
    H, W = image.shape
    padded = np.empty((H + 2 * margin, W + 2 * margin))
    padded[margin:-margin, margin:-margin] = image
    padded[:margin, margin:-margin] = image[1 : margin + 1][::-1]
    padded[-margin:, margin:-margin] = image[-margin - 1 : -1][::-1]
    padded[:, :margin] = padded[:, margin + 1 : 2 * margin + 1][:, ::-1]
    padded[:, -margin:] = padded[:, -2 * margin - 1 : -margin - 1][:, ::-1]
    return padded


def origins_without_a_first(size, tile, align):
    step = tile // align * align
    return [n * step for n in range(1 + -((tile - size) // step))]


def tiled_beyond_the_image_if(is_cut):
    """`predict_tiled` that mirrors further only where `is_cut` says so of the tiles' number."""

    def predict_tiled(model, image, tile):
        margin, align = 6 * 2**model.depth - 4, 2**model.depth
        rows, columns = (EXERCISES["tile_origins"].reference(side, tile, align) for side in image.shape)
        beyond = [
            max(0, places[-1] + tile - side) if is_cut(len(places)) else 0
            for places, side in zip((rows, columns), image.shape, strict=True)
        ]
        x = np.pad(image, [(margin, margin + more) for more in beyond], mode="reflect")
        answer = torch.zeros(2, image.shape[0] + beyond[0], image.shape[1] + beyond[1])
        model.eval()
        for i in rows:
            for j in columns:
                seen = torch.tensor(x[i : i + tile + 2 * margin, j : j + tile + 2 * margin])
                answer[:, i : i + tile, j : j + tile] = model(seen[None, None])[0].softmax(dim=0).detach()
        return answer[:, : image.shape[0], : image.shape[1]]

    return predict_tiled


def seg_by(is_match):
    """`seg_score` with another rule: it gets the true cell R, a found cell S and all that was found."""

    def seg_score(prediction, truth):
        scores = []
        for R in (truth == n for n in np.unique(truth[truth > 0])):
            found = [prediction == m for m in np.unique(prediction[R & (prediction > 0)])]
            scores.append(max([(R & S).sum() / (R | S).sum() for S in found if is_match(R, S, prediction > 0)] or [0]))
        return np.mean(scores)

    return seg_score


def held_out_by(goes_on):
    """`split_by_sequence` that takes one more film as long as `goes_on` says so of the frames held out and wanted."""

    def split_by_sequence(sequences, share):
        held_out = np.zeros(len(sequences), bool)
        for number in np.unique(sequences)[::-1]:
            if not goes_on(held_out.sum(), share * len(sequences)):
                break
            held_out |= sequences == number
        return held_out

    return split_by_sequence


def table_of(change, count=len):
    """`ablation_table` of other runs, or with another number of runs."""

    def ablation_table(runs):
        rows = {}
        for run in change(runs):
            rows.setdefault(run[0], []).append(run)
        scores = [[score for *_, score in row] for row in rows.values()]
        return np.array(
            [[np.mean(s), np.std(s, ddof=1), count(row)] for s, row in zip(scores, rows.values(), strict=True)]
        )

    return ablation_table


ONCE_ACCEPTED = {
    "label_map: ten classes at most": lambda logits: logits[:, :10].argmax(axis=1),
    "confusion: pairs written as decimals": confusion_in_decimals,
    "iou: masks that miss each other": iou_of_what_meets,
    "iou: pixels counted in a byte": iou_in_bytes,
    "iou: a small number added": iou_by(lambda mask: mask != 0, smooth=1e-3),
    "iou: more than one half is object": iou_by(lambda mask: mask > 0.5),
    "iou: whole numbers are object": iou_by(lambda mask: mask.astype(int) != 0),
    "conv2d_naive: numbers of the kernel's type": of_type(conv2d, lambda x, k: k),
    "conv2d_multichannel: numbers of the image's type": convolved_into(lambda x, right: np.zeros(right.shape, x.dtype)),
    "conv2d_multichannel: numbers of the kernels' type": of_type(conv2d, lambda x, w: w),
    "conv2d_multichannel: a bias without zeros": convolved_with_a_bias_if(all),
    "conv2d_multichannel: a bias that is never None": convolved_with_a_bias_of_some_length,
    "out_size: no more padding than half of the kernel": lambda i, k, s=1, p=0, d=1: EXERCISES["out_size"].reference(
        i, k, s, min(p, k // 2 * d), d
    ),
    "receptive_field: a kernel of 1 skipped": field_by_rule(lambda k, s: k - 1, lambda k, s: s if k > 1 else 1),
    "receptive_field: a kernel of 2 is a pooling": field_by_rule(lambda k, s: k - 1, lambda k, s: 2 if k == 2 else s),
    "resize_mask: classes in a byte": resized_in_bytes,
    "tconv_matrix: numbers of the type of y": of_type(EXERCISES["tconv_matrix"].reference, lambda y, A: y),
    "tconv_matrix: numbers of the matrix's type": of_type(EXERCISES["tconv_matrix"].reference, lambda y, A: A),
    "tconv2d_scatter: numbers of the image's type": of_type(EXERCISES["tconv2d_scatter"].reference, lambda x, k: x),
    "tconv2d_scatter: numbers of the kernel's type": of_type(EXERCISES["tconv2d_scatter"].reference, lambda x, k: k),
    "maxpool_idx: indices in a byte": lambda x: (pooled_by_loops(x)[0], pooled_by_loops(x)[1].astype(np.uint8)),
    "maxunpool: one array for all calls": unpooled_into_one_array,
    "maxpool_backward: equal gradients once": gradients_of_a_set,
    "double_conv: a convolution spared": block_that_spares_a_convolution,
    "he_init_: two levels of layers": initialised_two_levels_down,
    "elastic: one mirror": mirrored_once,
    "sgd_step: weights and velocities changed in place": stepped_in_place,
    "mirror_pad: a slice to minus zero": mirrored_around_a_slice,
    "tile_origins: no tile": origins_without_a_first,
    "predict_tiled: a single tile reaches no further": tiled_beyond_the_image_if(lambda tiles: tiles > 1),
    "seg_score: half a cell and a pixel more": seg_by(lambda R, S, _: (R & S).sum() >= R.sum() / 2 + 1),
    "seg_score: half rounded up": seg_by(lambda R, S, _: (R & S).sum() > (R.sum() + 1) // 2),
    "seg_score: a share of two digits": seg_by(lambda R, S, _: round((R & S).sum() / R.sum(), 1) > 0.5),
    "seg_score: pieces taken together": seg_by(lambda R, S, found: 2 * (R & found).sum() > R.sum()),
    "split_by_sequence: wanted frames rounded": held_out_by(lambda held, wanted: held < round(wanted)),
    "split_by_sequence: a share of the films": lambda sequences, share: np.isin(
        sequences, np.unique(sequences)[::-1][: math.ceil(share * len(np.unique(sequences)))]
    ),
    "split_by_sequence: always a film": held_out_by(lambda held, wanted: not held or held < wanted),
    "split_by_sequence: never all films": lambda sequences, share: (
        held_out_by(lambda held, wanted: held < wanted)(sequences, share) & (sequences > sequences.min())
    ),
    "split_by_sequence: 0 and 1": lambda *args: EXERCISES["split_by_sequence"].reference(*args).astype(int),
    "ablation_table: sorted by seed": table_of(lambda runs: sorted(runs, key=lambda run: run[1])),
    "ablation_table: the largest seed counts the runs": table_of(list, lambda row: max(seed for _, seed, _ in row) + 1),
    "ablation_table: equal scores once": table_of(
        lambda runs: {(name, score): (name, seed, score) for name, seed, score in runs}.values()
    ),
}


@pytest.mark.parametrize("what", ONCE_ACCEPTED)
def test_what_was_once_accepted_is_refused(what):
    name, f = what.split(":")[0], ONCE_ACCEPTED[what]
    assert checked(f, name).status == "failed"
    for seed in seeds(name):
        assert judged(EXERCISES[name], f, seed).status == "failed", seed
