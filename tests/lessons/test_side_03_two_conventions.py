"""What the side road "Two conventions" of lesson 03 says, claim by claim."""

from __future__ import annotations

import numpy as np

from tests.lessons.claims import claim
from tests.torch_or_skip import F, torch
from unet_edu.figures import interpolation as pictures
from unet_edu.interpolation import interpolate, source_coordinates

ROW = np.array([[0, 1, 2, 3]])


@claim("Here are both conventions for 4 pixels that become 8:")
def test_both_places(lesson):
    shown = pictures.places(4, 8).values
    assert shown["edges"].tolist() == [-0.25, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3.25]
    assert np.allclose(shown["middles"], np.arange(8) * 3 / 7)


@claim(
    "The row [0, 1, 2, 3] becomes 8 long, with align_corners=True. What is the second number?",
)
def test_the_second_number(lesson):
    assert np.allclose(interpolate(ROW, (1, 8), align_corners=True)[0], np.arange(8) * 3 / 7)
    (asked,) = lesson.guesses.values()
    assert asked.numbers == [0.4286] and np.isclose(3 / 7, 0.4286, atol=1e-4)
    assert asked.why == "Output 1 looks at 1 · (4 − 1)/(8 − 1) = 0.4286, between the number 0 and the number 1."


@claim("PyTorch has both, and our library follows it:")
def test_pytorch_has_both(lesson):
    image = np.random.default_rng(3).random((1, 2, 5, 7))
    for size in ((10, 14), (8, 9), (3, 20), (2, 2), (5, 7)):
        for mode, corners in (("bilinear", False), ("bilinear", True), ("bicubic", False), ("bicubic", True)):
            how = {"mode": mode, "align_corners": corners}
            from_torch = F.interpolate(torch.from_numpy(image), size=size, **how).numpy()
            assert np.abs(interpolate(image, size, **how) - from_torch).max() < 1e-12
        from_torch = F.interpolate(torch.from_numpy(image), size=size, mode="nearest").numpy()
        assert np.array_equal(interpolate(image, size, mode="nearest"), from_torch)
    assert lesson.printed.count("PyTorch agrees: True") == 2


@claim(
    "A row of 4 becomes 7. Which outputs are exact copies of an input pixel",
    "From the first middle to the last there are 3 steps of the input and 6 of the output. So each step of the output "
    "is half a pixel, and every second one ends on a pixel. With align_corners=False a step is 4/7 of a pixel and "
    "begins at −0.21, so no output looks exactly at a pixel. Only the two outer ones are copies",
)
def test_copies(lesson):
    middles, edges = (source_coordinates(4, 7, align_corners=corners) for corners in (True, False))
    assert np.allclose(np.diff(middles), 3 / 6) and np.allclose(np.diff(edges), 4 / 7)
    assert f"{edges[0]:.2f}" == "-0.21" and not np.isclose(edges % 1, 0).any() | np.isclose(edges % 1, 1).any()
    assert np.array_equal(lesson.looks_at, middles)
    for corners, copies in ((True, [0, 2, 4, 6]), (False, [0, 6])):
        seven = interpolate(ROW, (1, 7), align_corners=corners)[0]
        assert [i for i, value in enumerate(seven) if np.isclose(value, ROW).any()] == copies


@claim("edge on edge, which is PyTorch's default")
def test_the_default(lesson):
    row = torch.from_numpy(ROW[None, None].astype(float))
    assert np.allclose(F.interpolate(row, size=(1, 8), mode="bilinear")[0, 0], interpolate(ROW, (1, 8)))
