"""What the side road claims of the U-Net's paper, of its program, and of three ways up."""

import numpy as np
import torch

from tests.lessons.claims import claim
from unet_edu.unet import UNet


@claim("An unpadded 2×2 convolution after doubling loses a pixel. But figure 1 has exactly the double.")
@claim("Figure 1 has 56, as the transposed convolution.")
@claim("It halves the channels.")
def test_the_step_up(lesson):
    assert (lesson.by_the_text, lesson.by_transposing) == (55, 56) and 2 * 28 == 56
    up = UNet().up[0].convolve
    assert up.in_channels == 2 * up.out_channels


@claim("It keeps 128 channels in the last step up.")
@claim("We build figure 1, with dropout at the bottom.")
def test_the_published_network_has_more_parameters(lesson):
    assert lesson.more == 69_696 and 31_030_658 + lesson.more == 31_100_354
    assert sum(parameter.numel() for parameter in UNet().parameters()) == 31_030_658


@claim("9 · 64 = 576")
@claim("For a 3×3 convolution that reads 64 channels")
@claim("PyTorch does something else unless told so.")
def test_the_weights(lesson):
    assert lesson.layer.in_channels == 64 and 9 * 64 == 576
    assert abs(lesson.layer.weight.std().item() - np.sqrt(2 / 576)) < 0.002  # 36,864 weights: five standard errors
    assert lesson.plain.weight.std().item() < np.sqrt(2 / 576) / 2


@claim("Both keep the number of channels, so a 1×1 convolution stands before them and halves it.")
@claim("a quarter of the weights, and no pattern")
def test_three_ways_up(lesson):
    assert all(shape == (512, 56, 56) for shape, _, _ in lesson.rows.values())
    assert [same for _, _, same in lesson.rows.values()] == [True, True, False]
    assert 3.9 < lesson.rows["transposed"][1] / lesson.rows["bilinear"][1] < 4.1


@claim("If the four differ, it leaves a chequered pattern")
@claim("Unpooling puts each number back where its maximum was, and leaves zeros around it.")
def test_what_they_make_of_a_map(lesson):
    assert round((lesson.shown["unpool"] == 0).float().mean().item(), 2) == 0.75
    flat = torch.ones(1, 2, 6, 6)
    spread = {}
    for way in ("transposed", "bilinear"):
        torch.manual_seed(3)
        with torch.no_grad():
            spread[way] = UNet(widths=(1, 2), upsample=way).up[0](flat, flat).std().item()
    assert spread["transposed"] > 0.1 and spread["bilinear"] < 1e-5
