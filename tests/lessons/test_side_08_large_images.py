"""What the side road claims of large images: memory, memory maps, mirrors, and layers that make seams."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.lessons.claims import claim
from unet_edu.tiling import mirrored, tiling


@claim("The paper's graphics card had 6 GB.", "with 4 bytes for each number")
@claim(
    "A tile of 572 fits, an image of 2012 does not.",
    "But the copies must wait until they are used, and for the largest image they alone are far too many.",
)
def test_memory(lesson):
    assert [round(number, 1) for pair in lesson.memory.values() for number in pair] == [
        0.7,
        0.2,
        12.6,
        1.9,
        1392.4,
        192,
    ]
    assert lesson.memory[572][0] < 6 < lesson.memory[2012][0] and lesson.memory[20012][1] > 10 * 6
    crossing = [getattr(lesson.paper.contracting, str(level))[2] for level in range(4)]
    assert all(isinstance(layer, nn.Conv2d) for layer in crossing)


@claim("Per pixel of the answer it needs about three quarters of the multiplications of a tile of 572:")
def test_work(lesson):
    assert lesson.work[1] / 512**2 == pytest.approx(0.73 * lesson.work[0] / 388**2, rel=0.01)


@claim("We lay out 1600×2000 pixels of cells, as bytes from 0 to 255")
@claim("Bytes are divided by 255 on the way")
@claim("Tiles of up to 512×512 are allowed.")
@claim("Less than is allowed: so no more tiles are needed, and each of them reads less.")
def test_what_is_read(lesson):
    asked = next(iter(lesson.guesses.values()))
    assert asked.numbers == [448, 448] and "3.2 million pixels in 20 tiles" in lesson.printed
    down, across = tiling(lesson.network, (1600, 2000), 512)
    assert down.side <= 512 and len(down.starts) * len(across.starts) == 20
    assert lesson.largest[0] * lesson.largest[1] < 0.1 * 1600 * 2000


@claim(
    "Twenty thousand pixels a side are no different: 400 million pixels, more tiles of the same size, the same memory."
)
def test_larger_still(lesson):
    axes = tiling(lesson.paper, 20_000, 572)
    assert 20_000**2 == 400e6 and np.prod([len(axis.starts) for axis in axes]) == 2809 and axes[0].side <= 572


@claim(
    "The paper's network needs 92 more pixels at each end. An image of 61 rows can be mirrored once, and after 60 "
    "pixels "
    "the mirror image ends.",
)
def test_a_mirror_in_a_mirror(lesson):
    there_and_back = np.pad(lesson.few, 92, mode="reflect")
    assert np.array_equal(there_and_back, mirrored(np.arange(-92, 61 + 92), 61))
    assert there_and_back[92 - 60] == 60 and there_and_back[92 - 61] == 59
    with pytest.raises(RuntimeError, match="less than the corresponding input dimension"):
        F.pad(torch.arange(61.0)[None, None], (92, 92), mode="reflect")


@claim("Here are its tiles with a step of 58, and its windows are 4 pixels wide:")
@claim("Few pixels, and just those that matter: rims, and the thin gaps between cells that touch.")
@claim(
    "in rows and columns 116 to 173, below the middle, nothing differs, though there are cells.",
    "This tile begins at pixel 116, down and across: two steps of 58. And 116 = 29 · 4 is a multiple of 4 again.",
)
def test_off_the_phase(lesson):
    apart = abs(lesson.stepped - lesson.whole)
    assert 0 < np.mean((lesson.stepped > 0.5) != (lesson.whole > 0.5)) < 0.02 and apart.max() > 0.1
    assert 116 == 2 * 58 == 29 * 4 and 58 % 4 == 2 and 2**lesson.network.depth == 4
    for top in (0, 116):
        for left in (0, 116):
            assert apart[top : top + 58, left : left + 58].max() < 1e-4
    assert (lesson.whole[116:174, 116:174] > 0.5).mean() > 0.1
    changed = (lesson.stepped > 0.5) != (lesson.whole > 0.5)
    assert abs(lesson.whole - 0.5)[changed].max() < 0.45  # none where the network was sure


@claim("In evaluation mode batch normalisation uses fixed numbers that it remembered.")
@claim("`predict` does it for you, and sets the model back afterwards.")
def test_seams_by_layers(lesson):
    assert lesson.seamless == ["batch"]
    again = [lesson.layers["dropout"](torch.ones(1, 8, 2, 2)).sum().item() for _ in range(20)]
    assert len(set(again)) > 1
