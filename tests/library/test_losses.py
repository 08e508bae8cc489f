"""The loss and its weights: against brute force, against PyTorch, and on cases made by hand."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import distance_transform_edt, label

from tests.torch_or_skip import F, torch
from unet_edu.losses import (
    border_weight_map,
    class_balance,
    cross_entropy_and_dice,
    dice_loss,
    focal_loss,
    nearest_two,
    separated,
    weighted_cross_entropy,
)
from unet_edu.metrics import confusion_matrix, dice

# weights are float32 numbers up to 11, which are rounded by less than 1e-6
CLOSE = {"rtol": 0, "atol": 2e-6}


@st.composite
def scenes(draw, least=0):
    """Discs and crumbs with numbers that are not consecutive; many touch each other or the border."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    H, W = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    rows, columns = np.mgrid[:H, :W]
    instances = np.zeros((H, W), np.int32)
    for name in rng.permutation(100)[: draw(st.integers(least, 9))] + 1:
        centre, radius = rng.uniform((0, 0), (H, W)), rng.uniform(0.6, 8)
        instances[np.hypot(rows - centre[0], columns - centre[1]) < radius] = name
    return instances


def brute_two(instances):
    """d1 and d2 as one writes them down: a distance map a cell, sorted."""
    maps = [distance_transform_edt(instances != name) for name in np.unique(instances) if name > 0]
    maps += [np.full(instances.shape, np.inf)] * 2
    return np.sort(maps, axis=0)[:2]


def brute_map(instances, w0, sigma):
    instances = np.where(separated(instances), instances, 0)
    d1, d2 = brute_two(instances)
    return 1 + np.where(instances == 0, w0 * np.exp(-((d1 + d2) ** 2) / (2 * sigma**2)), 0)


@given(scenes())
def test_the_two_distances_are_those_of_brute_force(instances):
    for mine, brute in zip(nearest_two(instances), brute_two(instances), strict=True):
        np.testing.assert_array_equal(mine, brute)


@given(scenes(), st.floats(0, 30))
def test_a_reach_leaves_the_near_distances_exact_and_makes_no_other_smaller(instances, within):
    for mine, brute in zip(nearest_two(instances, within=within), brute_two(instances), strict=True):
        near = brute <= within
        np.testing.assert_array_equal(mine[near], brute[near])
        assert (mine >= brute).all()


@given(scenes(), st.sampled_from([0.0, 1e-9, 0.5, 10.0, 50.0]), st.sampled_from([0.3, 2.0, 5.0, 40.0]))
def test_the_map_is_that_of_brute_force(instances, w0, sigma):
    weights = border_weight_map(instances, w0=w0, sigma=sigma)
    assert weights.dtype == np.float32 and weights.shape == instances.shape
    np.testing.assert_allclose(weights, brute_map(instances, w0, sigma), rtol=1e-6, atol=2e-6)


def test_the_worked_number():
    """d1 = d2 = 4: 10 · exp(−64 / 50)."""
    instances = np.zeros((5, 20), int)
    instances[:, 5], instances[:, 13] = 7, 3
    assert border_weight_map(instances)[2, 9] == pytest.approx(1 + 2.780, abs=5e-4)
    assert border_weight_map(instances, class_weights=(0, 1))[2, 9] == pytest.approx(10 * np.exp(-64 / 50), abs=1e-6)


@pytest.mark.parametrize("instances", [np.zeros((7, 12), int), np.eye(7, 12, dtype=int) * 5, np.ones((3, 4), bool)])
def test_without_two_cells_there_is_no_border(instances):
    np.testing.assert_array_equal(border_weight_map(instances), np.ones(instances.shape, np.float32))


def test_the_border_term_stays_out_of_the_cells():
    instances = np.repeat([[1, 1, 1, 0, 2, 2, 2]], 3, axis=0)
    weights = border_weight_map(instances)
    assert (weights[instances > 0] == 1).all() and (weights[instances == 0] > 10).all()


def test_touching_cells_get_their_border_too():
    instances = np.repeat([[4, 4, 4, 9, 9, 9]], 5, axis=0)
    weights = border_weight_map(instances)
    assert not separated(instances)[:, 2:4].any()
    # one step to the own cell, two to the other
    np.testing.assert_allclose(weights[:, 2:4], 1 + 10 * np.exp(-9 / 50), **CLOSE)
    assert (weights[:, [0, 1, 4, 5]] == 1).all()


def test_class_weights():
    instances = np.zeros((10, 10), int)
    instances[:2, :] = 1
    balanced = border_weight_map(instances, class_weights="balanced")
    assert balanced[0, 0] == pytest.approx(100 / 2 / 20) and balanced[9, 9] == pytest.approx(100 / 2 / 80)
    assert balanced[:2].sum() == pytest.approx(balanced[2:].sum()) and balanced.mean() == pytest.approx(1)
    pair = border_weight_map(instances, class_weights=(0.25, 3))
    assert (pair[:2] == 3).all() and (pair[2:] == 0.25).all()
    for only in (np.zeros((3, 3), int), np.ones((3, 3), int)):
        assert (border_weight_map(only, class_weights="balanced") == 1).all()


def test_it_is_small_enough_to_run_for_each_sample():
    rows, columns = np.mgrid[:512, :512]
    inside = np.hypot(rows % 28 - 14, columns % 28 - 14) < 13
    instances = np.where(inside, 1 + rows // 28 * 19 + columns // 28, 0)
    assert 360 <= len(np.unique(instances)) - 1 <= 361
    tracemalloc.start()
    border_weight_map(instances)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # about a dozen images of 8 bytes a pixel at a time; one a cell would be 361
    assert peak < 20 * instances.size * 8


@given(scenes())
def test_separated_cells_lie_apart_and_none_is_lost(instances):
    mask = separated(instances)
    assert mask.dtype == bool
    assert not mask[instances == 0].any()
    assert set(np.unique(instances[mask])) == set(np.unique(instances)) - {0}
    # what is taken away touches another cell; and what stays touches none, unless a cell would have vanished
    different = np.zeros(instances.shape, bool)
    padded = np.pad(instances, 1)
    H, W = instances.shape
    for i in range(3):
        for j in range(3):
            there = padded[i : i + H, j : j + W]
            different |= (there > 0) & (there != instances)
    different &= instances > 0
    assert different[(instances > 0) & ~mask].all()
    thin = [name for name in np.unique(instances[instances > 0]) if different[instances == name].all()]
    assert not (mask & different)[~np.isin(instances, thin)].any()
    assert mask[np.isin(instances, thin)].all()


def test_a_gap_is_two_pixels_wide_and_only_where_cells_touch():
    apart = np.repeat([[1, 1, 1, 0, 2, 2, 2]], 4, axis=0)
    np.testing.assert_array_equal(separated(apart), apart > 0)
    touching = np.repeat([[1, 1, 1, 2, 2, 2, 2]], 4, axis=0)
    assert separated(touching).astype(int).tolist() == [[1, 1, 0, 0, 1, 1, 1]] * 4
    corners = np.array([[3, 3, 0, 0], [3, 3, 0, 0], [0, 0, 8, 8], [0, 0, 8, 8]])
    assert separated(corners).astype(int).tolist() == [[1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 1]]
    assert label(separated(corners), np.ones((3, 3)))[1] == 2


def test_a_thin_cell_between_two_others_does_not_vanish():
    instances = np.repeat([[1, 1, 1, 5, 2, 2, 2]], 4, axis=0)
    assert separated(instances).astype(int).tolist() == [[1, 1, 0, 1, 0, 1, 1]] * 4


def test_the_maps_know_no_direction():
    rng = np.random.default_rng(3)
    instances = rng.integers(0, 4, (9, 14)) * (rng.random((9, 14)) < 0.4)
    for turn in (np.transpose, np.flipud, np.fliplr):
        np.testing.assert_array_equal(separated(turn(instances)), turn(separated(instances)))
        np.testing.assert_allclose(border_weight_map(turn(instances)), turn(border_weight_map(instances)), **CLOSE)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"instances": np.zeros((2, 3, 4), int)}, ValueError, "one image"),
        ({"instances": np.zeros((0, 4), int)}, ValueError, "at least one pixel"),
        ({"instances": np.zeros((3, 4))}, TypeError, "label"),
        ({"instances": [[0, -1]]}, ValueError, "got -1"),
        ({"instances": [["a"]]}, TypeError, "real numbers"),
        ({"w0": -1}, ValueError, "w0"),
        ({"sigma": 0}, ValueError, "sigma"),
        ({"sigma": np.nan}, ValueError, "sigma"),
        ({"class_weights": "even"}, ValueError, "balanced"),
        ({"class_weights": (1, 2, 3)}, ValueError, "two numbers"),
        ({"class_weights": (1, -2)}, ValueError, "at least 0"),
    ],
)
def test_what_is_wrong_is_said(arguments, error, words):
    with pytest.raises(error, match=words):
        border_weight_map(**({"instances": [[0, 1]]} | arguments))


def drawn(N=2, K=3, H=5, W=7, dtype="float64"):
    dtype = getattr(torch, dtype)
    generator = torch.Generator().manual_seed(7)
    logits = 3 * torch.randn(N, K, H, W, generator=generator, dtype=dtype)
    labels = torch.randint(0, K, (N, H, W), generator=generator)
    return logits.requires_grad_(), labels, torch.rand(N, H, W, generator=generator, dtype=dtype) * 5


def test_the_loss_is_the_mean_of_weight_times_minus_log_probability():
    logits, labels, weights = drawn()
    p = logits.exp() / logits.exp().sum(dim=1, keepdim=True)
    by_hand = sum(
        -weights[n, i, j] * p[n, labels[n, i, j], i, j].log() for n in range(2) for i in range(5) for j in range(7)
    ) / (2 * 5 * 7)
    torch.testing.assert_close(weighted_cross_entropy(logits, labels, weights), by_hand)
    torch.testing.assert_close(weighted_cross_entropy(logits, labels), F.cross_entropy(logits, labels))
    torch.testing.assert_close(
        weighted_cross_entropy(logits, labels, 2 * weights), 2 * weighted_cross_entropy(logits, labels, weights)
    )
    assert weighted_cross_entropy(logits, labels, weights) > 0
    assert torch.autograd.gradcheck(lambda x: weighted_cross_entropy(x, labels, weights), logits)


def test_torch_divides_by_the_sum_of_its_class_weights_and_we_do_not():
    logits, labels, _ = drawn(K=2)
    classes = torch.tensor([1.0, 9.0], dtype=torch.float64)
    weights = classes[labels]
    theirs, mine = F.cross_entropy(logits, labels, weight=classes), weighted_cross_entropy(logits, labels, weights)
    torch.testing.assert_close(mine, theirs * weights.mean())
    assert mine > 2 * theirs


def test_large_scores_overflow_nothing():
    logits = torch.tensor([[[[1e4]], [[-1e4]]]], requires_grad=True)
    wrong = weighted_cross_entropy(logits, torch.ones(1, 1, 1, dtype=torch.int64))
    assert wrong.item() == 2e4
    wrong.backward()
    assert logits.grad.isfinite().all()
    assert weighted_cross_entropy(logits, torch.zeros(1, 1, 1, dtype=torch.int64)).item() == 0


def test_half_precision_is_added_up_in_float32():
    logits, labels, weights = drawn(dtype="float32")
    half = weighted_cross_entropy(logits.bfloat16(), labels, weights)
    assert half.dtype == torch.float32
    torch.testing.assert_close(half, weighted_cross_entropy(logits.bfloat16().float(), labels, weights))


def test_no_pixel_is_ignored_silently():
    logits, labels, weights = drawn()
    for strange in (-100, 3):  # -100 is what PyTorch's cross_entropy leaves out
        labels[1, 2, 3] = strange
        with pytest.raises((RuntimeError, IndexError)):
            weighted_cross_entropy(logits, labels, weights)


def test_a_weight_of_zero_leaves_a_pixel_out():
    logits, labels, weights = drawn()
    weights[0] = 0
    weighted_cross_entropy(logits, labels, weights).backward()
    assert not logits.grad[0].any() and logits.grad[1].any()


def dice_by_hand(logits, labels, weights):
    """Class by class and pixel by pixel, over the whole batch."""
    p = logits.exp() / logits.exp().sum(dim=1, keepdim=True)
    terms = []
    for k in range(logits.shape[1]):
        met, area = 0, 0
        for n, i, j in np.ndindex(*labels.shape):
            t = float(labels[n, i, j] == k)
            met += weights[n, i, j] * p[n, k, i, j] * t
            area += weights[n, i, j] * (p[n, k, i, j] + t)
        if any(weights[n, i, j] > 0 and labels[n, i, j] == k for n, i, j in np.ndindex(*labels.shape)):
            terms.append(1 - 2 * met / area)
    return sum(terms) / len(terms)


def test_dice_is_that_of_the_formula():
    logits, labels, weights = drawn()
    torch.testing.assert_close(dice_loss(logits, labels, weights), dice_by_hand(logits, labels, weights))
    torch.testing.assert_close(dice_loss(logits, labels), dice_by_hand(logits, labels, torch.ones_like(weights)))
    assert torch.autograd.gradcheck(lambda x: dice_loss(x, labels, weights), logits)


def test_dice_of_certain_answers_is_the_measure():
    _, labels, _ = drawn()
    answers = labels.roll(1, dims=2)
    certain = 100.0 * F.one_hot(answers, 3).movedim(-1, 1)
    expected = 1 - dice(confusion_matrix(answers, labels, 3)).mean()
    assert dice_loss(certain, labels).item() == pytest.approx(expected, abs=1e-6)
    right = 100.0 * F.one_hot(labels, 3).movedim(-1, 1)
    assert dice_loss(right, labels).item() == pytest.approx(0, abs=1e-6)


def test_dice_counts_a_rare_class_as_much_as_a_common_one():
    """One pixel in a hundred is of class 1. Who never finds it pays half; the mean over pixels hardly notices."""
    labels = torch.zeros(1, 10, 10, dtype=torch.int64)
    labels[0, 4, 7] = 1
    never = torch.tensor([5.0, -5.0]).view(1, 2, 1, 1).expand(1, 2, 10, 10)
    assert dice_loss(never, labels).item() == pytest.approx(0.5, abs=0.01)


def test_a_class_that_is_not_there_has_no_say():
    logits, labels, weights = drawn(K=3)
    labels[labels == 2] = 0
    with_gradient = dice_loss(logits, labels, weights)
    torch.testing.assert_close(with_gradient, dice_by_hand(logits, labels, weights))
    with_gradient.backward()
    assert logits.grad.isfinite().all()
    # and a class of which only pixels of weight 0 are there
    labels[:, 0], weights[:, 0] = 2, 0
    torch.testing.assert_close(dice_loss(logits, labels, weights), dice_by_hand(logits, labels, weights))


@pytest.mark.parametrize("loss", [weighted_cross_entropy, dice_loss, cross_entropy_and_dice])
def test_what_stands_at_a_pixel_of_weight_zero_changes_nothing(loss):
    logits, labels, weights = drawn()
    weights[:, :2] = 0
    before = loss(logits, labels, weights)
    before.backward()
    assert not logits.grad[:, :, :2].any() and logits.grad[:, :, 2:].any()
    other = logits.detach().clone()
    other[:, :, :2] = other[:, :, :2].flip(1)
    labels[:, :2] = (labels[:, :2] + 1) % 3
    torch.testing.assert_close(loss(other, labels, weights), before.detach(), rtol=0, atol=0)


@pytest.mark.parametrize("loss", [dice_loss, cross_entropy_and_dice])
def test_where_nothing_counts_nothing_is_learned(loss):
    logits, labels, weights = drawn()
    nothing = loss(logits, labels, 0 * weights)
    nothing.backward()
    assert nothing.item() == 0 and not logits.grad.any()


def test_the_sum_of_both():
    logits, labels, weights = drawn()
    both = cross_entropy_and_dice(logits, labels, weights)
    torch.testing.assert_close(
        both, weighted_cross_entropy(logits, labels, weights) + dice_by_hand(logits, labels, weights)
    )
    half = cross_entropy_and_dice(logits.bfloat16(), labels, weights.float())
    assert half.dtype == torch.float32 and half.item() == pytest.approx(both.item(), abs=0.02)


def test_class_weights_make_the_cross_entropy_of_a_class_dearer():
    logits, labels, weights = drawn()
    of_classes = np.array([0.5, 1.0, 7.0])
    for own in (None, weights):
        each = torch.from_numpy(of_classes)[labels] * (1 if own is None else own)
        torch.testing.assert_close(
            cross_entropy_and_dice(logits, labels, own, class_weights=of_classes),
            weighted_cross_entropy(logits + torch.from_numpy(of_classes).log()[:, None, None], labels, each)
            + dice_loss(logits, labels, own),
        )
    with pytest.raises(ValueError, match="class_weights: expected 3 numbers, one a class"):
        cross_entropy_and_dice(logits, labels, class_weights=[1, 2])


def test_class_weights_leave_the_scores_honest():
    """Pixels that look alike, one in ten of class 1: nothing is to change where the probabilities are 0.9 and 0.1."""
    labels = torch.tensor([[[0] * 9 + [1]]])
    score = torch.tensor([0.9, 0.1], dtype=torch.float64).log().requires_grad_()
    logits = score[None, :, None, None].expand(1, 2, 1, 10)
    weighted = cross_entropy_and_dice(logits, labels, class_weights=[0.5, 5.0]) - dice_loss(logits, labels)
    weighted.backward()
    torch.testing.assert_close(score.grad, torch.zeros(2, dtype=torch.float64), atol=1e-12, rtol=0)


def test_class_balance_is_one_over_the_root_of_the_share():
    images = [np.array([[0, 0, 0], [0, 0, 3]]), np.array([[0, 1], [1, 1]], np.uint8)]  # 6, 3, 0 and 1 of 10 pixels
    weights = class_balance(images, 4)
    assert weights.dtype == np.float32 and weights[2] == 1
    assert weights[1] / weights[0] == pytest.approx(np.sqrt(6 / 3))
    assert weights[3] / weights[0] == pytest.approx(np.sqrt(6 / 1))
    assert np.mean([weights[k] for image in images for k in image.ravel()]) == pytest.approx(1)


def test_class_balance_does_not_count_what_nobody_knows():
    known = np.array([[1, 1, 1], [0, 0.5, 0]])  # how much a pixel counts does not matter, only whether it does
    unknown_is_no_class = np.array([[0, 0, 1], [255, 1, -1]])
    expected = class_balance([np.array([0, 0, 1, 1]), np.array([1])], 2)
    np.testing.assert_array_equal(class_balance([unknown_is_no_class, [[1]]], 2, [known, None]), expected)
    np.testing.assert_array_equal(class_balance([unknown_is_no_class], 2, [0 * known]), 1)
    with pytest.raises(ValueError, match="labels: expected numbers from 0 to 1, got -1 to 255"):
        class_balance([unknown_is_no_class], 2)
    with pytest.raises(ValueError, match="shorter"):
        class_balance([known.astype(int)] * 2, 2, [None])


def test_fit_makes_the_loss_small_that_it_is_given():
    pytest.importorskip("torch")
    from unet_edu.training import fit
    from unet_edu.unet import UNet

    answers = []

    def noted(scores, labels, weights):
        # without what is trimmed
        assert scores.shape == (2, 2, 12, 12) and labels.shape == weights.shape == (2, 12, 12)
        answers.append(dice_loss(scores, labels, weights))
        return answers[-1]

    generator = torch.Generator().manual_seed(0)
    image = torch.rand(1, 28, 28, generator=generator)
    sample = (image, (image[0] > 0.9).long(), torch.ones(28, 28))
    torch.manual_seed(0)
    history = fit(UNet(widths=(4, 8)), [sample] * 2, steps=3, batch_size=2, loss=noted, device="cpu", progress=False)
    assert history.losses == pytest.approx([answer.item() for answer in answers]) and len(answers) == 3


@pytest.mark.parametrize("loss", [weighted_cross_entropy, dice_loss, cross_entropy_and_dice])
def test_shapes_that_do_not_belong_together_are_refused(loss):
    logits, labels, weights = drawn()
    with pytest.raises(ValueError, match=r"labels: expected shape \(2, 5, 7\).*center_crop"):
        loss(logits, labels[:, :, :-1])
    with pytest.raises(ValueError, match="weights: expected shape"):
        loss(logits, labels, weights[0])


# --------------------------------------------------------------------------------------------------------------- focal


def test_focal_is_that_of_the_formula():
    rng = torch.Generator().manual_seed(5)
    logits = torch.randn(2, 3, 4, 5, generator=rng, dtype=torch.float64, requires_grad=True)
    labels, weights = torch.randint(3, (2, 4, 5), generator=rng), torch.rand(2, 4, 5, generator=rng)
    p = logits.softmax(dim=1).gather(1, labels[:, None])[:, 0]
    for gamma in (0.5, 1, 2, 5):
        expected = (weights * (1 - p) ** gamma * -p.log()).mean()
        torch.testing.assert_close(focal_loss(logits, labels, weights, gamma=gamma), expected)
    torch.testing.assert_close(
        focal_loss(logits, labels, weights, gamma=0), weighted_cross_entropy(logits, labels, weights)
    )
    assert torch.autograd.gradcheck(lambda x: focal_loss(x, labels, weights), logits)


def test_a_certain_pixel_costs_nothing_by_the_focal_loss_and_harms_no_gradient():
    logits = torch.tensor([[[[1e4, 30.0]], [[0.0, 0.0]]]], requires_grad=True)
    loss = focal_loss(logits, torch.zeros(1, 1, 2, dtype=torch.int64))
    loss.backward()
    assert 0 <= loss < 1e-20 and torch.isfinite(logits.grad).all()


def test_focal_refuses_a_gamma_below_zero():
    with pytest.raises(ValueError, match="gamma: expected a number of at least 0, got -1"):
        focal_loss(torch.zeros(1, 2, 1, 1), torch.zeros(1, 1, 1, dtype=torch.int64), gamma=-1)
