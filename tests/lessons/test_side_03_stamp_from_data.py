"""What the side road "A stamp from data" of lesson 03 says, claim by claim."""

from __future__ import annotations

import numpy as np

from tests.lessons.claims import claim
from tests.torch_or_skip import F, torch
from unet_edu.interpolation import bicubic_kernel, interpolate


@claim("Make a photograph half as large by averaging 2×2 pixels.")
def test_halved_is_the_mean_of_blocks(lesson):
    blocks = lesson.camera.reshape(256, 2, 256, 2).mean(axis=(1, 3))
    assert np.allclose(lesson.small, blocks)


@claim(
    "The error is in grey levels, of 0 to 255.",
    "No rule brings the photograph back: four numbers became one, and what was lost stays lost. But the rules differ. "
    "Bicubic is the best of the three on each photograph.",
)
def test_the_rules_differ(lesson):
    assert all(image.min() >= 0 and image.max() <= 1 for image in lesson.photographs.values())
    for errors in lesson.errors.values():
        assert 0 < errors["bicubic"] < errors["bilinear"] < errors["nearest"]


@claim("For a factor of 2 it makes the same image as each of the three rules, apart from the border:")
def test_each_rule_is_a_stamp(lesson):
    image = torch.from_numpy(lesson.small)[None, None]
    for (mode, stamp), rim in zip(lesson.stamps.items(), (0, 1, 3), strict=True):
        kernel = torch.from_numpy(stamp)[None, None]
        stamped = F.conv_transpose2d(image, kernel, stride=2, padding=(len(stamp) - 2) // 2)[0, 0].numpy()
        assert np.allclose(stamped, lesson.stamped(lesson.small, stamp))
        difference = np.abs(stamped - interpolate(lesson.small, stamped.shape, mode=mode))
        assert difference[rim : len(difference) - rim, rim : len(difference) - rim].max() < 1e-12
        assert (difference.max() > 0.1) == (rim > 0)


@claim(
    "Bicubic's stamp has 64 numbers, 8×8. Find the 64 numbers that bring the photograph camera back with the smallest "
    "error.",
    "The 64 numbers are not, and they are the same for every pixel. So each pixel gives one equation with "
    "64 unknowns. No 64 numbers make all equations true.",
)
def test_the_found_stamp(lesson):
    bicubic, found = bicubic_kernel(2), lesson.found
    assert bicubic.shape == found.shape == (8, 8)
    assert found[3:5, 3:5].min() > 0.95 and bicubic.max() < 0.78 and found.min() < bicubic.min()
    best = lesson.error(lesson.stamped(lesson.small, found), lesson.camera)
    assert 0 < best < lesson.error(lesson.stamped(lesson.small, bicubic), lesson.camera)
    for change in np.random.default_rng(3).normal(size=(5, 8, 8)) / 100:
        assert lesson.error(lesson.stamped(lesson.small, found + change), lesson.camera) > best


@claim(
    "It is better on all four. The gain is small",
    "64 numbers were read from data",
)
def test_it_is_better_on_all_four(lesson):
    for errors in lesson.errors.values():
        assert 0.85 * errors["bicubic"] < errors["found"] < errors["bicubic"]
    (asked,) = lesson.guesses.values()
    assert lesson.better == 3 and asked.answer == "on all three"
