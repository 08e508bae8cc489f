"""Lesson 07's exercises: the numbers of the lesson, and mistakes as students write them."""

import itertools
import math
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates
from torch import nn

from tests.checks.answers.s07_training import drawn_by_kaiming, map_by_loops
from tests.checks.judging import cases_of, checked
from unet_edu import check
from unet_edu.lessons import EXERCISES
from unet_edu.losses import border_weight_map

torch.set_num_threads(1)
SOLUTIONS = nbformat.read(next(Path(__file__).parents[2].glob("solutions/07_*/*.ipynb")), as_version=4)


def test_the_worked_numbers_of_the_lesson():
    row = cases_of("weight_map", 0)[0]
    assert round(float(row.call(map_by_loops)[0, 4]), 3) == 2.780
    first, second = cases_of("sgd_step", 0)[:2]
    # The second step goes on from the first.
    assert np.array_equal(first.call(EXERCISES["sgd_step"].reference)[0], second.args[0])
    assert math.sqrt(2 / 576) == pytest.approx(0.0589, abs=5e-5)


def test_some_cells_touch_and_no_place_is_half_way():
    for seed in range(10):
        for case in cases_of("weight_map", seed):
            w = border_weight_map(case.args[0]) - 1  # the library first parts cells that touch
            is_alike = np.abs(w - map_by_loops(case.args[0])).max() < 1e-5
            assert is_alike == ("touch" not in case.name)
        for case in cases_of("elastic", seed):
            image, _, field = case.args
            assert (np.abs(np.abs(field) % 1 - 0.5) > 0.01).all()
            # One mirror is enough, but for one pixel of the strong field.
            beyond = [np.abs(field[axis]) >= image.shape[axis] for axis in (0, 1)]
            assert np.sum(beyond, axis=(1, 2)).tolist() == 2 * ["strong" in case.name]


# Each mistake of the code that is to be repaired: what stands there, and what should.
MENDED = {
    "evaluation mode": ("    losses = []\n", "    model.train()\n    losses = []\n"),
    "gradients kept": ("        loss.backward()\n", "        optimizer.zero_grad()\n        loss.backward()\n"),
    "softmax twice": ("model(images).softmax(dim=1)", "model(images)"),
    "weights not used": (
        "cross_entropy(p, labels)",
        'cross_entropy(p, labels, reduction="none").mul(weights).mean()',
    ),
}


@pytest.mark.parametrize("left", [left for n in range(5) for left in itertools.combinations(MENDED, n)], ids=str)
def test_the_loop_to_repair_has_its_four_mistakes(left):
    """And each set of them that is left in it is named."""
    (source,) = (cell.source for cell in SOLUTIONS.cells if cell.id == "example-6")
    for name, (there, right) in MENDED.items():
        assert source.count(there) == 1
        source = source if name in left else source.replace(there, right)
    names = {"torch": torch, "nn": nn}
    exec(source.partition("\n\n\nimages = ")[0], names)  # noqa: S102 - our own notebook

    result = check(names["broken_training"], "repair_training")
    assert result.misconception == " and ".join(name for name in MENDED if name in left)
    assert result.passed == (not left)


def test_the_small_network_of_the_example_is_that_of_the_check():
    (source,) = (cell.source for cell in SOLUTIONS.cells if cell.id == "example-6")
    names = {"torch": torch, "nn": nn}
    exec(source, names)  # noqa: S102 - our own notebook
    case = cases_of("repair_training", 0)[0]
    given = [names[name].double() if name != "labels" else names[name] for name in ("images", "labels", "weights")]
    losses = EXERCISES["repair_training"].reference(names["small_network"]().double(), *given, *case.args[4:])
    assert np.allclose(losses, case.call(EXERCISES["repair_training"].reference))


# --- mistakes as students write them ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("std", "misconception"),
    [
        (lambda layer: 2 / (9 * layer.in_channels), None),
        (lambda layer: math.sqrt(2 / layer.out_channels), None),
        (lambda layer: 0.01, None),
        (lambda layer: 1.0, None),
    ],
)
def test_other_weights_do_not_pass(std, misconception):
    def he_init_(model):
        for layer in model.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.normal_(layer.weight, std=std(layer))
                nn.init.zeros_(layer.bias)
        return model

    assert checked(he_init_).status == "failed"


@pytest.mark.parametrize("seed", range(4))
def test_the_variance_is_recognised_whoever_draws(seed):
    def he_init_(model):
        rng = np.random.default_rng(seed)
        for layer in model.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                N = layer.in_channels * (1 if isinstance(layer, nn.ConvTranspose2d) else math.prod(layer.kernel_size))
                layer.weight.data = torch.tensor(rng.normal(0, 2 / N, tuple(layer.weight.shape)))
                layer.bias.data.zero_()
        return model

    assert checked(he_init_).misconception == "variance taken for the standard deviation"


@pytest.mark.parametrize("mean", [0.02, 0.1])
def test_weights_around_another_number_do_not_pass(mean):
    def he_init_(model):
        for layer in drawn_by_kaiming(model):
            layer.weight.data += mean
        return model

    assert checked(drawn_by_kaiming, "he_init_").passed
    assert checked(he_init_).status == "failed"


def test_a_bias_that_was_taken_away_is_not_zero():
    def he_init_(model):
        for layer in drawn_by_kaiming(model):
            layer.bias = None
        return model

    assert checked(he_init_).status == "failed"


def test_a_model_that_was_not_returned_is_told():
    def he_init_(model):
        drawn_by_kaiming(model)

    assert "returned nothing" in checked(he_init_).message
    assert "should return a network" in checked(lambda model: [drawn_by_kaiming(model)], "he_init_").message


def test_a_loss_that_overflows_is_told():
    def weighted_ce(logits, labels, weights):
        p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        return (-np.log(np.take_along_axis(p, labels[:, None], axis=1)[:, 0]) * weights).mean()

    result = checked(weighted_ce)
    assert result.case.name == "scores beyond 1000, where exp overflows"
    assert "∞ / ∞ where a number grew too large" in result.message


def test_the_modes_of_scipy_are_told_apart():
    for mode, name in (("reflect", "edge doubled"), ("nearest", "edge repeated"), ("constant", "zeros outside")):

        def elastic(image, labels, field, mode=mode):
            places = np.indices(image.shape) + field
            bent = map_coordinates(image.astype(float), places, order=1, mode=mode)
            return bent, map_coordinates(labels, places, order=0, mode=mode)

        assert checked(elastic).misconception == name


def test_an_image_of_whole_numbers_is_cut_off_and_told():
    def elastic(image, labels, field):
        places = np.indices(image.shape) + field
        bent = map_coordinates(image, places, order=1, mode="mirror")
        return bent, map_coordinates(labels, places, order=0, mode="mirror")

    assert checked(elastic).status == "failed"
