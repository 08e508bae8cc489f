"""What lesson 08 claims of borders, mirrors and tiles."""

import functools
import importlib

import numpy as np
import pytest
import torch
from torch import nn

from tests.lessons.claims import claim
from unet_edu.checks.quiz import quiz
from unet_edu.data import pretrained
from unet_edu.data.cells import synthetic_cells
from unet_edu.instances import connected
from unet_edu.lessons import EXERCISES
from unet_edu.sizes import layer_table
from unet_edu.tiling import in_tiles, mirrored, predict, tiling
from unet_edu.unet import UNet, level_sides, receptive_field

explorer = importlib.import_module("unet_edu.explore.tiles")  # the name there is its function
EXACT = 1e-4  # sums of float32 in another order differ by less


@functools.cache
def paper(**options):
    with torch.device("meta"):
        return UNet(**options)


def guessed(lesson, start):
    (found,) = [each for question, each in lesson.guesses.items() if question.startswith(start)]
    return found


def lost(depth):
    """Pixels at each end: two for each pair of convolutions, counted at their level."""
    return sum(4 * 2**level for level in range(depth)) + 2 * 2**depth


# ------------------------------------------------------------------------------------------------------------- opening


@claim(
    "At once the network finds 40 cells. How many does it find in the tiles? Look along the seams.",
    "Gaps close along the seams, and cells that touch become one.",
    "The image, the network and its weights are the same.",
)
def test_the_opening(lesson):
    whole, cut = connected(lesson.whole > 0.5), connected(lesson.cut > 0.5)
    assert whole.max() == 40 and guessed(lesson, "At once").numbers == [cut.max()] == [35]
    joined = [len(np.unique(whole[(cut == cell) & (whole > 0)])) for cell in range(1, cut.max() + 1)]
    assert sum(number > 1 for number in joined) >= 4
    apart = abs(lesson.cut - lesson.whole)
    rows, columns = np.indices(apart.shape)
    at_a_seam = (np.minimum(rows % 64, -rows % 64) < 12) | (np.minimum(columns % 64, -columns % 64) < 12)
    assert apart[at_a_seam].mean() > 3 * apart[~at_a_seam].mean()


# ---------------------------------------------------------------------------------------------- 1: the border is lost


@claim(
    "A second one gets its weights and no padding, as in the paper. They fit, because padding has no weights.",
)
def test_padding_has_no_weights(lesson):
    assert pretrained("cells").config["padding"] == "same" and lesson.unpadded.config["padding"] == "valid"
    assert lesson.unpadded.state_dict().keys() == lesson.network.state_dict().keys()
    assert paper().config["padding"] == "valid"


@claim(
    "20 pixels are lost at each end.",
    "After one pooling a pixel is as wide as 2 pixels of the image, after two as wide as 4. Each level has four "
    "convolutions, two on the way down and two on the way up; the bottom has two: 4·1 + 4·2 + 2·4 = 20.",
)
def test_where_pixels_go(lesson):
    assert lesson.image.shape == (192, 256) and lesson.cell(lesson.unpadded, lesson.image).shape == (152, 216)
    assert lesson.network.depth == 2 and lost(2) == 4 * 1 + 4 * 2 + 2 * 4 == 20 == (192 - 152) // 2
    for depth in range(1, 6):
        side = 16 * 2**depth - 4
        assert side - level_sides(side, depth)[1][-1] == 2 * lost(depth) == 2 * (6 * 2**depth - 4)


@claim("**Your turn.** The paper's network pools four times. How many pixels does it lose at each end?")
@claim("Of 572×572 pixels 388×388 are answered, less than half.")
def test_the_papers_border(lesson):
    assert lesson.lost is None and paper().depth == 4 and paper().output_size(572) == (388, 388)
    assert (572 - 388) // 2 == lost(4) == 92 and 388**2 / 572**2 < 0.5
    assert lost(3) == 44 and 4 * (1 + 2 + 4 + 8 + 16) == 124  # the mistakes that have a hint


@claim("But each of them has seen real image in all directions.")
def test_an_unpadded_answer_does_not_see_beyond(lesson):
    inner = lesson.cell(lesson.unpadded, lesson.image)
    around = np.pad(lesson.image, 8, constant_values=1.0)
    np.testing.assert_allclose(lesson.cell(lesson.unpadded, around)[8:-8, 8:-8], inner, atol=EXACT)


# ------------------------------------------------------------------------------------------------- 2: made up around it


@claim(
    "A pixel farther inside cannot see the border.",
    "**How far:** less than 24 pixels, in all three ways. It is what a pixel can see, its receptive field (lesson 06).",
)
def test_how_far(lesson):
    made_up = np.stack(list(lesson.answers.values()))
    apart = abs(made_up[:, :, 0] - made_up[:, :, 1])
    assert apart.shape == (3, 8, 128, 128) and apart[:, :, 24:-24, 24:-24].max() < EXACT
    for way in apart:
        assert way[:, :4].max() > 0.1
    assert guessed(lesson, "How many pixels from the border").numbers == [22]
    assert receptive_field(lesson.network) == (44,) and 44 / 2 == 22


@claim(
    "Zeros *in each layer* do little harm: the network met them at the border of every training image. A *black "
    "image* around it, it has never seen.",
    "**Nothing replaces the real surroundings.**",
)
def test_zeros_are_not_black(lesson):
    changed = {}
    for way, pairs in lesson.answers.items():
        found, real = np.stack(pairs).swapaxes(0, 1) > 0.5
        changed[way] = (found != real)[:, :4].mean()
    assert all(share > 0 for share in changed.values())
    assert changed["black image"] > 5 * max(changed["zeros in each layer"], changed["mirrored image"])
    assert changed["zeros in each layer"] < 0.02


# -------------------------------------------------------------------------------------------------------- 3: mirrors


@claim("A row begins with 5, 3, 8, 1.", "The mirror stands in the middle of the 5.")
@claim(
    "`reflect` puts the mirror into the middle of the last pixel, `symmetric` behind it, so that this pixel comes "
    "twice.",
)
def test_the_mirror(lesson):
    assert guessed(lesson, "A row begins").numbers == [1, 8, 3]
    row, written = np.array([5, 3, 8, 1]), lambda array: "".join(map(str, array))
    assert written(np.pad(row, 3, mode="reflect")) == "1835381835"
    assert written(np.pad(row, 3, mode="symmetric")) == "8355381183"
    assert np.array_equal(row[mirrored(range(-3, 7), 4)], np.pad(row, 3, mode="reflect"))


@claim("The authors' program does: it never repeats the edge, as `reflect`.")
def test_the_published_program_mirrors_like_reflect():
    """As its copy has it, in places counted from 1: before the image stand those from `first + border` down to
    `first + 1`, behind it those from `last − 1` down."""
    image, border = np.arange(10), 4
    padded = np.pad(image, border)
    first, last = border + 1, border + len(image)
    before = [padded[place - 1] for place in range(first + border, first, -1)]
    behind = [padded[place - 1] for place in range(last - 1, last - border - 1, -1)]
    assert [*before, *image, *behind] == np.pad(image, border, mode="reflect").tolist()


def test_compare_with_ours_is_right():
    for name in ("mirror_pad", "tile_origins", "predict_tiled"):
        assert EXERCISES[name].reference.__name__ == f"_{name}"
    assert EXERCISES["tile_origins"].reference(512, 388, 16) == [0, 384]


# -------------------------------------------------------------------------------------------------- 4: overlap-tile


@claim(
    "What is *kept* of the tiles' answers must cover the image without a gap. What is *read* is larger by the border, "
    "on all sides. So what is read overlaps.",
)
def test_kept_and_read(lesson):
    rows, columns = tiling(lesson.unpadded, lesson.small.shape, 72)
    for axis, length in zip((rows, columns), lesson.small.shape, strict=True):
        assert axis.side - axis.step == 2 * axis.margin == 40 and axis.starts[-1] + axis.step >= length
        assert axis.side > axis.step


@claim(
    "It has a price: for an image of 512×512 the paper's network needs 4 tiles, and reads 5 pixels for each one of "
    "the image.",
)
def test_the_price():
    axes = tiling(paper(), 512, 572)
    assert np.prod([len(axis.starts) for axis in axes]) == 4 and round(4 * 572**2 / 512**2, 1) == 5.0


@claim("Not similar: *equal*.")
def test_tiles_are_the_whole(lesson):
    again = in_tiles(lesson.unpadded, lesson.image, tile=100, step=60)[1]
    assert lesson.unpadded.output_size(100) == (60, 60)
    assert abs(again - lesson.whole_unpadded).max() < EXACT


# ------------------------------------------------------------------------------------------------- 5: the phase rule


@claim("**cut** an image of any size into tiles", "**say** why a step of 388 is wrong and 384 is right")
@claim(
    "**Your turn.** The paper's network pools four times and answers 388 pixels. What is the largest step on the phase?"
)
def test_the_largest_step(lesson):
    assert 388 // 16 * 16 == 384 and 388 == 24 * 16 + 4 and 386 % 2 == 0 and 386 % 16
    assert 400 % 16 == 0 and paper().output_size(572)[0] < 400
    assert paper().output_size(572)[0] == 388


@claim(
    "We try networks with one to four poolings and random weights. Each tile has a legal size (lesson 06), and all "
    "that comes out is kept.",
)
def test_seams_off_the_phase(lesson):
    assert guessed(lesson, "With how many poolings").answer == "1 and 2"
    largest = [each.max() for each in lesson.apart.values()]
    assert max(largest[:2]) < EXACT and min(largest[2:]) > 0.3
    shares = []
    for depth, side in lesson.sides.items():
        step = lesson.networks[depth].output_size(side)[0]
        at_once = predict(lesson.networks[depth], lesson.square, precision="float32")[1]
        shares.append(
            np.mean((in_tiles(lesson.networks[depth], lesson.square, side, step)[1] > 0.5) != (at_once > 0.5))
        )
    assert shares[:2] == [0, 0] and min(shares[2:]) > 0.05


@claim("cut the image into windows of 2·2·2·2 = 16 pixels, counted from where the tile begins.")
@claim("shift by a whole window, and the pooled image moves along; shift by anything else, and it is *another* image.")
def test_windows_of_16():
    assert 2 * 2 * 2 * 2 == 16
    image = torch.tensor(np.random.default_rng(8).random((1, 1, 96, 96)))
    pool = nn.Sequential(*[nn.MaxPool2d(2)] * 4)
    assert torch.equal(pool(image[..., 16:]), pool(image)[..., 1:])
    assert not any(torch.equal(pool(image[..., by:])[..., :4], pool(image)[..., 1:5]) for by in range(1, 16))


@claim("With a step of 68 the second tile's windows lie 4 pixels beside those of the whole image.")
def test_a_step_of_68():
    assert 68 == 4 * 16 + 4 and 64 % 16 == 0 and 136 % 16 == 8


@claim("The seams are gone.")
def test_on_the_phase(lesson):
    assert lesson.on_phase == {1: True, 2: True, 3: True, 4: True}


@claim(
    "Every size that comes out is 4 more than a multiple of $2^{\\text{depth}}$. For windows of 2 and of 4 pixels, 4 "
    "is "
    "itself a multiple. With three poolings two steps of 60 are 120 = 15 · 8.",
)
def test_4_more_than_a_multiple(lesson):
    for depth in (1, 2, 3, 4):
        outs = []
        for side in range(1, 400):
            try:
                outs.append(level_sides(side, depth)[1][-1])
            except ValueError:
                continue
        assert {out % 2**depth for out in outs} == {4 % 2**depth} and len(outs) > 10
    assert lesson.networks[3].output_size(lesson.sides[3]) == (60, 60) and 2 * 60 == 120 == 15 * 8
    third = list(lesson.apart.values())[2]
    black = [third[top : top + 60, left : left + 60].max() < EXACT for top in (0, 60, 120) for left in (0, 60, 120)]
    assert black == [True, False, True, False, False, False, True, False, True]


@claim(
    "In the copy that we read a tile answers 16·k − 124 pixels, and that is also its step: always 4 off the phase.",
)
def test_the_published_program_is_off_the_phase():
    """Its inputs have 16·k + 60 pixels: of these the paper's network answers 16·k − 124."""
    sides = [16 * k + 60 for k in range(8, 60)]
    outs = [paper().output_size(side)[0] for side in sides]
    assert outs == [side - 184 for side in sides] == [16 * k - 124 for k in range(8, 60)]
    assert {out % 16 for out in outs} == {4} and 572 in sides and 388 in outs


# ------------------------------------------------------------------------------------------------ 6: zeros at seams


@claim(
    "What is the smallest margin around each tile, a multiple of 4, that makes the answer equal to the whole one?",
    "As wide as pixels see: section 2 measured it.",
    "So a padded network needs a margin, too. It only raises no error when there is none.",
)
def test_the_margin(lesson):
    assert guessed(lesson, "What is the smallest margin").numbers == [24]
    assert [margin for margin, difference in lesson.largest.items() if difference < EXACT] == [24]
    assert lesson.largest[0] > 0.5 and tiling(lesson.network, 1000, 448)[0].margin == 24
    with pytest.raises(ValueError, match="expected at least 20"):
        predict(lesson.unpadded, lesson.image, tile=100, overlap=0)


@claim("What happens above 28?")
@claim(
    "Unpadded: with 20, 24 and 28 there is no orange. With the others it lies on rims and in gaps: few pixels, and "
    "just "
    "those that part cells that touch. Each tile of 68 answers 28 pixels, so larger steps leave gaps.",
    "With a step of 20 it is 24, and the answer exact.",
)
def test_what_to_see_in_the_explorer():
    compared = {step: explorer.compared(step, "valid") for step in explorer.STEPS}
    assert [step for step in compared if not compared[step].largest and not compared[step].gap] == [20, 24, 28]
    assert [step for step in compared if compared[step].gap] == list(range(30, 61, 2))
    assert all(0 < compared[step].changed < 0.02 for step in (22, 26))
    assert explorer.TILE == 68 and 68 - 2 * 20 == 28
    assert explorer.placed(20, "same")[0].margin == 24 and explorer.compared(20, "same").largest == 0
    widths = [explorer.placed(step, "same")[0].margin for step in explorer.STEPS]
    assert widths == sorted(widths, reverse=True) and explorer.compared(60, "same").largest > 0
    assert not any(explorer.compared(step, "same").gap for step in explorer.STEPS)


# ----------------------------------------------------------------------------------------------- 7: how large a tile


@claim("A tile of 188×188 gives only 4×4 pixels. Nearly all of its work goes into margins:")
def test_the_costs(lesson):
    def cost(network, side):
        work = sum(layer.multiply_adds for layer in layer_table(network, side))
        return work / network.output_size(side)[0] ** 2 / 1e6

    assert paper().output_size(188) == (4, 4)
    assert [round(cost(paper(), side), 2) for side in (188, 284, 380, 572)] == [381.15, 2.19, 1.33, 1.00]
    assert 4**2 / 188**2 < 0.001


@claim("It reads and writes in slices. So image and answer may stay on the disk, as **memory maps**")
def test_the_slide(lesson, tmp_path):
    slide = np.memmap(tmp_path / "slide", np.uint8, "w+", shape=lesson.slide.shape)
    slide[:] = lesson.slide
    classes = np.memmap(tmp_path / "classes", np.uint8, "w+", shape=slide.shape)
    predict(lesson.network, slide, tile=448, out=classes, precision="float32")
    assert slide.shape == (1600, 2000) and np.mean(classes != lesson.classes) < 1e-4


@claim("**Your turn.** A slide of 20,000×20,000 pixels, and the paper's network with tiles of 572")
def test_tiles_of_a_slide(lesson):
    rows, columns = tiling(paper(), 20_000, 572)
    assert lesson.tiles_of_slide is None and len(rows.starts) == len(columns.starts) == 53 and rows.step <= 384
    assert 53**2 == 2809 and -(-20_000 // 388) == 52


# ------------------------------------------------------------------------------------------------------- at the end


@claim("And `model.eval()`: dropout makes another answer each time.")
def test_dropout():
    torch.manual_seed(2015)
    image, layer = torch.ones(1, 8, 4, 4), nn.Dropout2d(0.5).train()
    assert len({tuple(layer(image).ravel().tolist()) for _ in range(20)}) > 1
    assert torch.equal(layer.eval()(image), image)


@claim(
    "predicts in tiles of 1024 pixels, padded, with a margin of 100.",
    "Five poolings make windows of 32, so the step must be a multiple of 32. The margin is too narrow: an unpadded "
    "network of this depth loses 188 pixels at each end. The padded one sees about as far, in whole windows 192. Then "
    "the step can be 1024 − 2·192 = 640.",
)
def test_the_question_to_take_along():
    deep, unpadded = (paper(widths=(4,) * 6, padding=padding) for padding in ("same", "valid"))
    axis, _ = tiling(deep, 10_000, 1024)
    assert axis.margin == 192 and 1024 - 2 * 192 == 640 and 640 % 32 == 0 == axis.step % 32
    assert tiling(unpadded, 10_000, 1020)[0].margin == 6 * 32 - 4 == lost(5) == 188


@claim("With 16-bit numbers the answers are equal to about two digits.")
def test_half_precision():
    network = pretrained("cells")
    image = synthetic_cells(4, (96, 128), cells=16)[0]
    apart = predict(network, image, precision="bfloat16") - predict(network, image, precision="float32")
    assert 1e-4 < np.sqrt(np.mean(apart**2)) < 0.02


def test_the_quiz_has_the_right_answers():
    marked = [next(option.text for option in question.options if option.is_right) for question in quiz("08").questions]
    assert paper().output_size(572) == (388, 388) and marked[0].startswith("572×572 pixels: 92 more")
    assert marked[1] == " ".join(map(str, np.pad([5, 3, 8], (2, 0), mode="reflect")))
    assert [step for step in (388, 380, 386, 384) if step % 16 == 0] == [int(marked[2])]
    assert marked[3].startswith("dropout is still on") and receptive_field(paper()) == (188, 204)
