"""The U-Net against the paper's numbers, gradients that are followed through it, and torch's own counter."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from unet_edu.sizes import layer_table, level_sides, receptive_field
from unet_edu.unet import CHOICES, UNet, center_crop, he_init_

KINDS = list(itertools.product(*CHOICES.values()))


def small(padding="valid", skip="concat", upsample="transposed", norm=None, **kwargs):
    settings = {"widths": (2, 3, 5), "dropout": 0.0} | kwargs
    torch.manual_seed(2015)
    return UNet(2, 3, padding=padding, skip=skip, upsample=upsample, norm=norm, **settings).double().eval()


@pytest.fixture(scope="module")
def paper():
    return UNet()


def test_without_arguments_it_is_the_papers_network(paper):
    convolutions = [layer for layer in paper.modules() if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)]
    assert len(convolutions) == 23
    assert sum(weights.numel() for weights in paper.parameters()) == 31_030_658
    assert paper.output_size(572) == (388, 388)
    assert receptive_field(paper) == (188, 204)
    assert level_sides(572, 4) == ([568, 280, 136, 64, 28], [52, 100, 196, 388])


def test_what_comes_out_has_the_size_that_was_said(paper):
    with torch.no_grad():
        assert (
            paper.eval()(torch.zeros(1, 1, 188, 204)).shape == (1, 2, *paper.output_size((188, 204))) == (1, 2, 4, 20)
        )


def test_the_network_is_figure_1_written_out(paper):
    """The same computation without the module's own parts: layer after layer, with the paper's order of copies."""
    model = small()
    x = torch.randn(2, 2, 44, 60, dtype=torch.float64)

    def twice(layers, x):
        for layer in layers:
            if isinstance(layer, nn.Conv2d):
                x = F.relu(F.conv2d(x, layer.weight, layer.bias))
        return x

    top = twice(model.contracting[0], x)
    middle = twice(model.contracting[1], F.max_pool2d(top, 2))
    bottom = twice(model.contracting[2], F.max_pool2d(middle, 2))
    up = F.conv_transpose2d(bottom, model.up[0].convolve.weight, model.up[0].convolve.bias, stride=2)
    right = twice(model.expanding[0], torch.cat([middle[..., 4:-4, 4:-4], up], 1))
    up = F.conv_transpose2d(right, model.up[1].convolve.weight, model.up[1].convolve.bias, stride=2)
    right = twice(model.expanding[1], torch.cat([top[..., 16:-16, 16:-16], up], 1))
    expected = F.conv2d(right, model.head.weight, model.head.bias)
    torch.testing.assert_close(model(x), expected, rtol=0, atol=0)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_every_kind_gives_the_size_that_it_says_and_learns_everywhere(kind):
    model = small(*kind).train()
    y = model(torch.randn(2, 2, 44, 60, dtype=torch.float64))
    assert y.shape == (2, 3, *model.output_size((44, 60)))
    y.square().sum().backward()
    for name, weights in model.named_parameters():
        if not name.startswith("contracting.2") or kind[1] != "multiply":  # a factor of 0 may silence what lies below
            assert weights.grad is not None and weights.grad.abs().sum() > 0, name


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_the_table_counts_what_torch_counts(kind):
    model = small(*kind)
    rows = layer_table(model, (44, 60))
    met = []
    for name, layer in model.named_modules():
        if name in {row.name for row in rows}:
            layer.register_forward_hook(lambda layer, inputs, y, name=name: met.append((name, tuple(y.shape[1:]))))
    with FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, 2, 44, 60, dtype=torch.float64))
    assert met == [(row.name, row.shape) for row in rows]
    assert sum(row.multiply_adds for row in rows) * 2 == counter.get_total_flops()
    assert sum(row.parameters for row in rows) == sum(weights.numel() for weights in model.parameters())
    assert all(row.activation_bytes == 4 * row.shape[0] * row.shape[1] * row.shape[2] for row in rows)
    assert rows[-1].name == "head" and rows[-1].shape == (3, *model.output_size((44, 60)))


@pytest.mark.parametrize("norm", CHOICES["norm"])
def test_the_table_of_the_usual_network_needs_no_compiler(norm):
    """PyTorch would load it for some of the shapes, in a second or more of each process that predicts. (For other ways
    to join or to go up it still does.)"""
    program = "import sys; from unet_edu.unet import UNet; from unet_edu.sizes import layer_table\n"
    program += f"layer_table(UNet(widths=(2, 3), norm={norm!r}), 44); sys.exit('torch._dynamo' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_table_of_the_paper(paper):
    rows = {row.name: row for row in layer_table(paper, 572)}
    assert rows["contracting.0.0"].shape == (64, 570, 570)
    assert rows["contracting.4.2"].shape == (1024, 28, 28)
    assert rows["join.3"].shape == (128, 392, 392)
    assert sum(row.multiply_adds for row in rows.values()) == 150_428_424_448
    assert sum(row.parameters for row in rows.values()) == 31_030_658


@given(st.integers(1, 700), st.integers(0, 5), st.sampled_from(["valid", "same"]))
def test_a_side_is_legal_or_the_error_names_the_nearest_that_are(side, depth, padding):
    def legal(n):
        sides, lost = [n], 4 if padding == "valid" else 0  # nothing but what the layers do, one after another
        for _ in range(depth):
            sides.append(sides[-1] - lost)
            if sides[-1] % 2:
                return None
            sides.append(sides[-1] // 2)
        sides.append(sides[-1] - lost)
        for _ in range(depth):
            sides.append(2 * sides[-1] - lost)
        return sides[-1] if min(sides) > 0 else None

    if legal(side):
        down, up = level_sides(side, depth, padding)
        assert (up or down)[-1] == legal(side)
        assert len(down) == depth + 1 and len(up) == depth
    else:
        with pytest.raises(ValueError, match="nearest legal") as error:
            level_sides(side, depth, padding)
        named = [int(n) for n in re.findall(r"\d+", str(error.value).split("nearest legal")[1])]
        below = next((n for n in range(side, 0, -1) if legal(n)), None)
        above = next(n for n in range(side, 2000) if legal(n))
        assert named == [n for n in (below, above) if n]


def test_an_illegal_size_names_the_level(paper):
    with pytest.raises(ValueError, match=r"570 pixels is 279 .* level 1, .* nearest legal sides are 556 and 572"):
        paper(torch.zeros(1, 1, 572, 570))
    with pytest.raises(ValueError, match=r"101 pixels is 97 .* level 0, .* nearest legal side is 188"):
        paper.output_size(101)
    with pytest.raises(ValueError, match=r"8 pixels is too small"):
        level_sides(8, 1)


def test_sides_are_computed_where_torch_is_not_installed():
    program = (
        "import sys; sys.modules['torch'] = None; from unet_edu.sizes import level_sides; print(level_sides(572, 4)[1])"
    )
    assert subprocess.check_output([sys.executable, "-c", program], text=True) == "[52, 100, 196, 388]\n"


@pytest.mark.parametrize("padding", CHOICES["padding"])
@pytest.mark.parametrize("upsample", ["transposed", "bilinear"])
def test_the_receptive_field_is_what_gradients_reach(padding, upsample):
    """Gradients of single output pixels, in the middle of a large image.

    Weights are positive, so that nothing cancels; several images, because pooling lets one pixel of a window through,
    and another one in another image.
    """
    model = small(padding=padding, upsample=upsample)
    for weights in model.parameters():
        weights.data.abs_()
    middle = model.output_size(108)[0] // 2
    seen = set()
    for pixel in range(middle, middle + 4):
        rows = torch.zeros(108, dtype=torch.bool)
        for _ in range(6):
            x = torch.rand(1, 2, 108, 108, dtype=torch.float64, requires_grad=True)
            (gradient,) = torch.autograd.grad(model(x)[0, 0, pixel, pixel], x)
            rows |= gradient.abs().sum((0, 1, 3)) > 0
        reached = rows.nonzero()
        seen.add(int(reached.max() - reached.min()) + 1)
    assert tuple(sorted(seen)) == receptive_field(model)


def test_the_copy_is_the_centre():
    ramp = 10 * torch.arange(7)[:, None] + torch.arange(6)
    assert center_crop(ramp, (3, 4)).tolist() == [[21, 22, 23, 24], [31, 32, 33, 34], [41, 42, 43, 44]]
    assert center_crop(ramp, (4, 5))[0, 0] == 10  # of an odd margin, the larger part is cut below and on the right
    assert center_crop(ramp[None, None], 2).shape == (1, 1, 2, 2)
    with pytest.raises(ValueError, match="at most the image's 7 × 6, got 8 × 6"):
        center_crop(ramp, (8, 6))


def test_unpooling_puts_numbers_where_the_maxima_of_the_copy_were():
    model = small(upsample="unpool")
    copy, x = torch.randn(1, 3, 20, 24, dtype=torch.float64), torch.rand(1, 5, 6, 8, dtype=torch.float64)
    y = model.up[0](x, copy)
    windows = center_crop(copy, (12, 16)).reshape(3, 6, 2, 8, 2).transpose(2, 3).reshape(3, 6, 8, 4)
    found = y.reshape(3, 6, 2, 8, 2).transpose(2, 3).reshape(3, 6, 8, 4)
    halved = model.up[0].convolve(x)[0]
    torch.testing.assert_close(found, F.one_hot(windows.argmax(-1), 4) * halved[..., None], rtol=0, atol=0)


def test_initial_weights_keep_the_size_of_the_numbers():
    torch.manual_seed(2015)
    model = UNet(1, 2, (64, 128), norm=None)
    convolution, up = model.contracting[0][2], model.up[0].convolve
    # the standard deviation of n drawn numbers is off by about 1/√(2n) of itself: 0.4 % for these, and 3 % is seven
    # times that
    assert convolution.weight.std().item() == pytest.approx((2 / 576) ** 0.5, rel=0.03)
    assert up.weight.std().item() == pytest.approx((2 / 128) ** 0.5, rel=0.03)
    assert not any(layer.bias.any() for layer in (convolution, up, model.head))


def test_he_initialisation_is_in_place_and_leaves_normalisation_alone():
    model = small(norm="batch")
    before = {name: weights.clone() for name, weights in model.named_parameters()}
    assert he_init_(model) is model
    for name, weights in model.named_parameters():
        is_convolution = weights.ndim == 4
        assert torch.equal(weights, before[name]) is (not is_convolution), name


def test_a_network_of_one_level_is_two_convolutions_and_the_head():
    model = UNet(widths=(3,))
    assert model.depth == 0 and model.output_size((9, 12)) == (5, 8)
    assert model(torch.zeros(1, 1, 9, 12)).shape == (1, 2, 5, 8)


def test_dropout_works_in_training_only():
    model = small(dropout=0.5, widths=(4, 8, 16))
    x = torch.randn(1, 2, 44, 44, dtype=torch.float64)
    assert torch.equal(model(x), model(x))
    model.train()
    assert not torch.equal(model(x), model(x))


def test_its_arguments_make_a_network_of_the_same_form():
    model = small(skip="add", norm="batch", padding="same")
    twin = UNet(**model.config)
    assert {name: weights.shape for name, weights in twin.state_dict().items()} == {
        name: weights.shape for name, weights in model.state_dict().items()
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"padding": "full"}, "padding: expected one of 'valid', 'same', got 'full'"),
        ({"skip": "sum"}, "skip: expected one of 'concat', 'add', 'multiply', 'none', got 'sum'"),
        ({"upsample": "nearest"}, "upsample: expected one of"),
        ({"norm": "group"}, "norm: expected one of None, 'batch', got 'group'"),
        ({"widths": ()}, "widths: expected the channels of at least one level"),
        ({"widths": (4, 0)}, "widths: expected an int of at least 1, got 0"),
        ({"dropout": 1.0}, "dropout: expected a part from 0 to less than 1, got 1.0"),
        ({"num_classes": 0}, "num_classes: expected an int of at least 1, got 0"),
    ],
    ids=str,
)
def test_arguments_that_make_no_network(arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        UNet(**arguments)


def test_images_of_another_form_are_refused():
    with pytest.raises(
        ValueError, match=re.escape("x: expected images of shape (N, 2, H, W), got shape (1, 1, 44, 44)")
    ):
        small()(torch.zeros(1, 1, 44, 44))
    with pytest.raises(ValueError, match=re.escape("got shape (2, 44, 44)")):
        small()(torch.zeros(2, 44, 44))
