"""What lesson 06 claims of the U-Net, of its sizes and counts, and of skip connections."""

import re
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.ndimage import uniform_filter
from torch import nn
from torch.nn import functional as F

from tests.lessons.claims import claim, parts
from unet_edu.checks import turn
from unet_edu.convolution import receptive_field as stack_sees
from unet_edu.data import pretrained
from unet_edu.losses import separated
from unet_edu.metrics import confusion_matrix, iou
from unet_edu.unet import UNet, center_crop, layer_table, level_sides, receptive_field

OF_BLOCK = (nn.Conv2d, nn.ReLU, nn.Conv2d, nn.ReLU)


def counted(model):
    return sum(parameter.numel() for parameter in model.parameters())


@pytest.fixture(scope="module")
def table(lesson):
    return {layer.name: layer for layer in lesson.layers}


@pytest.fixture(scope="module")
def by_skip():
    """The network of 2015 with each way to join, without numbers."""
    with torch.device("meta"):
        return {skip: UNet(skip=skip) for skip in ("concat", "add", "multiply", "none")}


# ------------------------------------------------------------------------------------------ the opening, and section 1


@claim("a small U-Net, trained on drawn cells, with three levels and two copies across")
def test_the_network_of_the_first_picture():
    model = pretrained("cells")
    assert len(model.contracting) == 3 and len(model.join) == 2 and model.config["skip"] == "concat"


@claim(
    "Both copies are zeroed now. Give one back, then the other. "
    "Which does the network need more to tell the cells apart?"
)
@claim("| differ by place | yes: the lower copy matters more for telling cells apart |")
def test_the_lower_copy_matters_more(lesson):
    for look in lesson.pictures:
        assert lesson.found["lower copy taken away"][look]["seg"] < lesson.found["top copy taken away"][look]["seg"]
    gone = set(lesson.found) - {"top copy taken away", "lower copy taken away"}
    assert gone == {"concat", "add", "multiply", "none", "both taken away"}


@claim("from level to level its maps get half as high and half as wide")
@claim("Every level has two 3×3 convolutions")
@claim("so each takes one pixel off every side")
def test_the_block(lesson):
    for block in [*lesson.model.contracting, *lesson.model.expanding]:
        assert tuple(map(type, block)) == OF_BLOCK
        assert {(layer.kernel_size, layer.padding) for layer in block[::2]} in ({((3, 3), "valid")}, {((3, 3), (0, 0))})
    assert nn.Conv2d(1, 1, 3)(torch.zeros(1, 1, 9, 7)).shape == (1, 1, 7, 5)


# -------------------------------------------------------------------------------------------------------- 2 and 3: down


@claim("It reads the single channel of a grey image and gives 64.")
def test_the_turn_of_the_block(lesson):
    def shown(*layers):
        block = nn.Sequential(*layers)
        return [*block(torch.zeros(1, 1, 572, 572)).shape[1:], len(block)]

    right = shown(nn.Conv2d(1, 64, 3), nn.ReLU(), nn.Conv2d(64, 64, 3), nn.ReLU())
    assert turn(right, [64, 568, 568, 4]).passed and lesson.image.shape == (1, 1, 572, 572)
    padded = shown(nn.Conv2d(1, 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, 64, 3, padding=1), nn.ReLU())
    assert padded == [64, 572, 572, 4]
    for wrong in (padded, shown(nn.Conv2d(1, 64, 3), nn.ReLU()), shown(nn.Conv2d(1, 64, 3), nn.Conv2d(64, 64, 3))):
        assert not turn(wrong, [64, 568, 568, 4]).passed


@claim(
    "An image of 572×572 goes through the block of level 0, and one pooling.",
    "Each of two convolutions takes a pixel off both ends; then half of it is left.",
)
@claim("The block after it doubles the channels.")
@claim("32 enter the bottom, and its two convolutions leave 28")
@claim("Figure 1 of the paper speaks of 32×32 pixels in the lowest resolution")
@claim("Each of these places has 1024 numbers, and sees 140×140 pixels of the image.")
def test_the_way_down(lesson, table):
    assert table["pool.0"].shape == (64, 284, 284) and (572 - 2 - 2) / 2 == 284
    assert [tuple(copy.shape[1:]) for copy in lesson.copies] == [
        (64, 568, 568), (128, 280, 280), (256, 136, 136), (512, 64, 64),
    ]  # fmt: skip
    assert table["pool.3"].shape[1:] == (32, 32) and lesson.bottom.shape == (1, 1024, 28, 28)
    assert stack_sees([(3,), (3,), (2, 2)] * 4 + [(3,), (3,)]).size == 140


@claim(
    "From level to level there are a quarter of the places and twice the channels: half as many numbers, "
    "and a little less"
)
def test_the_bottom_is_a_bottleneck(table):
    amounts = [np.prod(table[f"contracting.{level}.2"].shape) for level in range(5)]
    assert all(2 < above / below < 2.7 for above, below in pairwise(amounts))


# --------------------------------------------------------------------------------------------------------- 4: up again


@claim("The step up is a 2×2 transposed convolution with stride 2 (lesson 04): twice the side, half the channels.")
@claim("The 2×2 step up halves the channels, not the image: it doubles the image.")
def test_the_step_up(lesson):
    for up in lesson.model.up:
        layer = up.convolve
        assert isinstance(layer, nn.ConvTranspose2d) and layer.kernel_size == layer.stride == (2, 2)
        assert layer.in_channels == 2 * layer.out_channels
    small = torch.zeros(1, 1024, 5, 7)
    assert lesson.model.up[0](small, None).shape == (1, 512, 10, 14)


@claim("And a 3×3 convolution with stride 1 does not halve it either.")
def test_a_convolution_with_stride_1_does_not_halve():
    assert nn.Conv2d(1, 1, 3)(torch.zeros(1, 1, 572, 572)).shape[-1] == 570


@claim("The copy does not fit")
@claim("How much must go at each end?")
def test_the_turn_of_the_crop(lesson):
    copy = lesson.copies[3]
    wanted = center_crop(copy, 56)
    assert torch.equal(wanted, copy[..., 4:60, 4:60])
    assert turn(copy[:, :, 4:60, 4:60], wanted).passed and turn(copy[:, :, 4:-4, 4:-4], wanted).passed
    for wrong in (copy, copy[..., :56, :56], copy[..., 8:, 8:], copy[..., 4:60], copy[..., 3:59, 4:60]):
        assert not turn(wrong, wanted).passed


@claim("put behind each other, along the axis of the channels")
@claim("Join the cropped copy and what comes from below, the copy first.")
def test_the_turn_of_the_join(lesson):
    copy = lesson.copies[3]
    with torch.no_grad():
        below = lesson.model.up[0](lesson.bottom, copy)
    cropped = center_crop(copy, 56)
    right = torch.cat([cropped, below], dim=1)
    assert right.shape == (1, 1024, 56, 56) and torch.equal(lesson.wanted, right) and turn(right, lesson.wanted).passed
    swapped = torch.cat([below, cropped], dim=1)
    assert torch.equal(swapped, lesson.wanted.roll(512, dims=1))
    for wrong in (swapped, cropped + below, torch.cat([cropped, below], dim=2)):
        assert not turn(wrong, lesson.wanted).passed


@claim("One pixel that is lost at level 3 is eight pixels at level 0.")
@claim("At each end, the bottom's convolutions take 2, and doubled that is 4.")
@claim(
    "each level doubles what is missing, and its two blocks, down and up, take 8 more as counted there: 4, 16, 40, 88."
)
def test_what_is_cut_off(lesson, table):
    kept = [table[f"up.{step}"].shape[1] for step in range(4)]
    margins = [(copy.shape[-1] - side) // 2 for copy, side in zip(reversed(lesson.copies), kept, strict=True)]
    assert margins == [4, 16, 40, 88] and lesson.x.shape == (1, 64, 388, 388)
    assert [int(found) for found in re.findall(r"(\d+) off each side", lesson.printed)] == margins
    assert 8 == 2**3


@claim("Each pixel of the top has a column of 64 numbers.")
@claim("It does not look around at all: it is a matrix of 2×64, multiplied with each column, and two biases.")
def test_the_last_step(lesson):
    head = lesson.model.head
    matrix, bias = head.weight[:, :, 0, 0], head.bias
    assert matrix.shape == (2, 64) and bias.shape == (2,) and counted(head) == 130
    with torch.no_grad():
        by_matrix = torch.einsum("kc,nchw->nkhw", matrix, lesson.x) + bias[:, None, None]
    # sums of 64 products in another order: float32 keeps seven digits, and the scores are of size 1 to 10
    assert torch.allclose(lesson.logits, by_matrix, atol=1e-4)
    assert torch.allclose(lesson.logits, lesson.whole, atol=1e-4)
    assert lesson.logits.shape == (1, 2, 388, 388) and "gives: True" in lesson.printed


# -------------------------------------------------------------------------------------------------------- 5 · the sizes


@claim("trace an image through it: 572 pixels in, 388 out")
@claim("Try 570×570 pixels:")
@claim("A pooling that meets 279 pixels drops the last row and column (lesson 05).")
@claim("PyTorch would not complain; our network does.")
def test_an_odd_side(lesson):
    assert nn.MaxPool2d(2)(torch.zeros(1, 1, 279, 279)).shape[-1] == 139
    assert "279 when it reaches the pooling of level 1" in lesson.printed
    assert lesson.model.output_size(572) == (388, 388)


@claim("Move Image side down from 572. How many steps lie between two sides that fit?")
@claim("Which side from 1000 to 1010 fits, and what side comes out?", "From a side that fits, go in steps.")
@claim("All sides that fit are 16 apart: 188, 204, … 572 … And 184 fewer come out.")
@claim("- 23 convolutions, 31,030,658 parameters, 572 → 388. Sides that fit are 16 apart, and 184 pixels are lost.")
@claim("or nothing is left")
@claim("and before the block above 4 more", 'Up: four times "double, lose 4"', "The difference is 184.")
def test_which_sides_fit(lesson):
    assert [*lesson.fitting] == [*range(188, 1100, 16)]
    assert all(out == side - 184 for side, out in lesson.fitting.items())
    assert lesson.guesses["Which side from 1000 to 1010 fits, and what side comes out?"].numbers == [1004, 820]
    assert sum(1000 <= side <= 1010 for side in lesson.fitting) == 1 and 572 + 27 * 16 == 1004
    for b in range(4, 30):
        n, out = b + 4, b
        for _ in range(4):
            n, out = 2 * n + 4, 2 * out - 4
        assert (n, out) == (16 * b + 124, 16 * b - 60) and level_sides(n, depth=4)[1][-1] == out == n - 184
    with pytest.raises(ValueError, match="too small"):
        level_sides(16 * 3 + 124, depth=4)


@claim('With padding "same" each multiple of 16 fits, nothing is cropped, and the answer is as large as the image.')
@claim("near the border the network sees zeros that are not in the image")
def test_padding():
    for side in range(16, 100):
        if side % 16:
            with pytest.raises(ValueError, match="even side"):
                level_sides(side, depth=4, padding="same")
        else:
            down, up = level_sides(side, depth=4, padding="same")
            assert down[:-1] == up[::-1] and up[-1] == side


@claim("188 or 204 pixels per side, depending on where it lies")
def test_how_far_an_output_pixel_sees(lesson):
    assert receptive_field(lesson.model) == (188, 204)


# ------------------------------------------------------------------------------------------------------- 6 · the counts


@claim(
    '"In total the network has 23 convolutional layers", says the paper: 18 of 3×3, 4 transposed ones, and the last.'
)
def test_23_layers(lesson):
    kinds = [(type(layer), layer.kernel_size) for layer in lesson.model.modules() if hasattr(layer, "kernel_size")]
    kinds = [kind for kind in kinds if kind[0] is not nn.MaxPool2d]
    assert kinds.count((nn.Conv2d, (3, 3))) == 18 and kinds.count((nn.ConvTranspose2d, (2, 2))) == 4
    assert kinds.count((nn.Conv2d, (1, 1))) == 1 and len(kinds) == 23


@claim("Which level of the U has most parameters?")
@claim("four times the parameters")
@claim("Parameters and memory sit at opposite ends.", "Memory sits at the top of the U, parameters at the bottom.")
@claim("Its maps have twice the channels and a quarter of the pixels: half the memory.")
def test_parameters_and_memory(lesson, table):
    total = int(sum(lesson.per_level)) + lesson.parameters(64, 1, 2)
    assert total == counted(lesson.model) == sum(layer.parameters for layer in lesson.layers) == 31_030_658
    assert f"{total:,}" in lesson.printed and lesson.per_level.argmax() == 4
    steps = [lesson.parameters(2 * m, 2, m) for m in lesson.channels[1:5]]
    ways = [lesson.down[1:], steps, [a - b for a, b in zip(lesson.up, steps, strict=True)]]
    assert all(3.99 < below / above < 4.01 for way in ways for above, below in pairwise(way))
    sums = np.zeros(5)
    for layer in lesson.layers:
        part, number = layer.name.split(".")[0], int((layer.name.split(".") + ["3"])[1])
        sums[{"contracting": number, "pool": number + 1}.get(part, 3 - number)] += layer.activation_bytes
    assert all(0.5 < below / above < 0.6 for above, below in pairwise(sums[:4])) and sums[4] < 0.2 * sums[3]
    assert sums.argmax() == 0


@claim("One pass answers for all pixels at once.")
@claim("Segmentation of a 512x512 image takes less than a second on a recent GPU.")  # the paper's abstract
def test_a_million_multiplications_for_each_pixel(lesson):
    assert round(lesson.work / 1e9) == 150 and "999,232 multiplications per output pixel" in lesson.printed


# -------------------------------------------------------------------------------------------------------- 7 · dropout


@claim("sets numbers to 0 at random while training, here half of the bottom's, and doubles the others")
@claim("A new network is in training mode.")
@claim("`train()` and `eval()` answer differently, because of dropout.")
def test_dropout(lesson):
    assert UNet(widths=(2, 4)).training
    assert "in training: False   after eval(): True" in lesson.printed
    changed = (lesson.in_training[0].argmax(1) != lesson.in_training[1].argmax(1)).float().mean().item()
    assert 0.02 < changed < 0.3
    torch.manual_seed(1)
    dropped = UNet(widths=(2, 4)).dropout(torch.ones(10_000))
    assert dropped.unique().tolist() == [0, 2] and abs(dropped.mean().item() - 1) < 0.05  # five standard deviations
    bottom = [name for name, layer in UNet().named_modules() if isinstance(layer, nn.Dropout)]
    assert bottom == ["dropout"] and UNet().dropout.p == 0.5


# ----------------------------------------------------------------------------------------------- 8 · skip connections


@claim("only the sum goes on, and no channel is added")
@claim("Where the copy is 0, nothing gets through.")
@claim("nothing is lost, but the next convolution reads twice as many channels")
def test_two_become_one(lesson, by_skip):
    assert (lesson.from_a + lesson.from_b).tolist() == [[5, 1], [5, 5]]
    product = lesson.from_a * lesson.from_b
    assert product.tolist() == [[4, -2], [0, 6]] and not product[lesson.from_a == 0].any()
    for concat, add in zip(by_skip["concat"].expanding, by_skip["add"].expanding, strict=True):
        assert concat[0].in_channels == 2 * add[0].in_channels


@claim("concatenation costs a tenth of the parameters and a sixth of the work; adding is free")
@claim("Concatenated it costs channels, added it does not.")
def test_what_concatenation_costs(by_skip):
    counts = {skip: counted(model) for skip, model in by_skip.items()}
    work = {skip: sum(layer.multiply_adds for layer in layer_table(model, 572)) for skip, model in by_skip.items()}
    assert counts["concat"] - counts["add"] == sum(9 * c * c for c in (64, 128, 256, 512))
    assert counts["add"] == counts["multiply"] == counts["none"] and work["add"] == work["none"]
    assert round(1 - counts["add"] / counts["concat"], 2) == 0.1
    assert round(work["concat"] / (work["concat"] - work["add"])) == 6
    assert round(counts["add"] / 1e6) == 28


@claim("SEG counts cells: it is the mean overlap of each true cell with what was found of it, 1 at best.")
@claim("Cells that grow together cost much of SEG and little IoU.")
def test_cells_that_grow_together():
    from unet_edu.instances import connected, seg

    truth = np.zeros((12, 23), int)
    truth[1:11, 1:11], truth[1:11, 12:22] = 1, 2
    grown = (truth > 0).astype(int)
    assert seg(connected(grown), truth) == 1
    grown[1:11, 11] = 1
    assert seg(connected(grown), truth) < 0.6
    assert iou(confusion_matrix(grown, (truth > 0).astype(int), 2))[1] > 0.95


@claim("Which has the higher SEG: the U-Net whose two copies were taken away, or the network that never had any?")
@claim("Damage costs 0.2 of SEG. Never to have had copies costs 0.02 of IoU, and SEG hardly differs")
@claim("very little here; only training again can say")
@claim("were trained from the start, by one recipe")
def test_damage_is_no_ablation(lesson):
    mean = lesson.seg
    assert round(mean["concat"] - mean["both taken away"], 1) == 0.2
    assert mean["both taken away"] + 0.1 < mean["none"] < mean["concat"] < mean["none"] + 0.05
    assert abs(mean["concat"] - mean["add"]) < 0.02 and abs(mean["concat"] - mean["none"]) < 0.02
    pixels = {name: np.mean([row["iou"] for row in looks.values()]) for name, looks in lesson.found.items()}
    assert round(pixels["concat"] - pixels["none"], 2) == 0.02
    for look in lesson.pictures:
        assert all(
            0.005 < lesson.found[skip][look]["iou"] - lesson.found["none"][look]["iou"] < 0.04
            for skip in ("concat", "add")
        )


@claim("This is where these four differ most in our picture.")
def test_the_gap_is_where_they_differ_most(lesson):
    four = np.stack([lesson.masks[skip] for skip in ("concat", "add", "multiply", "none")])
    share = uniform_filter((four.std(axis=0) > 0).astype(float), 40)
    inside = share[20:-20, 20:-20]
    at = [int(place) for place in np.unravel_index(inside.argmax(), inside.shape)]
    assert inside[85, 47] >= inside.max() - 1e-9 and at == [85, 47]
    truth = separated(lesson.instances)[85:125, 47:87]
    wrong = {skip: (mask[85:125, 47:87] != truth).sum() for skip, mask in lesson.masks.items()}
    assert wrong["concat"] < wrong["none"] / 2 < wrong["both taken away"] / 3


@claim("40 layers, without skips, with PyTorch's usual random weights. What part of the gradient arrives?")
@claim("Skips cure it. But so do good random weights")
@claim("solve the vanishing gradient | with small random weights, yes; He's weights leave little to solve.")
def test_gradients_in_a_row_of_layers(lesson):
    plain, he, skips = lesson.flow.values()
    assert plain[-1] < 1e-12 and min(skips) > 0.1 and min(he) > 0.1
    assert [*lesson.flow] == ["plain", "plain, He's weights", "with skips (added)"]


@claim("and normalisation (Ioffe and Szegedy, 2015)")
@claim("which the U-Net has")
def test_normalisation_cures_it_too(lesson):
    """That skip connections alone cured the vanishing gradient is false; here is another cure."""
    torch.manual_seed(2015)
    rows = [(nn.Conv2d(16, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU()) for _ in range(40)]
    layers = nn.Sequential(*[layer for row in rows for layer in row]).double()
    layers(torch.randn(4, 16, 16, 16, dtype=torch.float64)).pow(2).mean().backward()
    first, last = (rows[k][0].weight.grad.norm().item() for k in (0, -1))
    assert first / last > 0.01
    deviation = lesson.model.contracting[0][2].weight.std().item()
    assert abs(deviation - np.sqrt(2 / 576)) < 0.002  # 36,864 weights: five standard errors


@claim("batch normalisation is three months older than the paper")
@claim("Residual networks came later in that year.")
@claim("What did it not have, in 2015? Batch normalisation, padding, anything residual.")
@claim("With skips they trained 152 layers.")
def test_what_was_older_and_what_was_younger(lesson):
    """The addresses of arXiv begin with the year and the month. “All that came later” would have failed here."""
    text = " ".join(cell for cell in sources(lesson))
    months = {name: int(re.search(rf"{name}\]\(https://arxiv.org/abs/(\d{{4}})\.", text)[1]) for name in
              ("batch normalisation", "ResNet", "U-Net")}  # fmt: skip
    assert months["U-Net"] - months["batch normalisation"] == 3
    assert 1505 == months["U-Net"] < months["ResNet"] < 1601
    layers = {type(layer) for layer in lesson.model.modules()}
    assert not layers & {nn.BatchNorm2d, nn.InstanceNorm2d} and lesson.model.config["padding"] == "valid"


def test_what_was_false_is_gone(lesson):
    text = " ".join(part.text for part in parts(lesson.path))
    for words in ("That is how networks with a hundred layers", "All that came later", "that others are compared with"):
        assert words not in text
    assert "degradation" in text and "unlikely to come from vanishing gradients" in text


def sources(lesson):
    import nbformat

    return [cell.source for cell in nbformat.read(lesson.path, as_version=4).cells if cell.cell_type == "markdown"]


# ------------------------------------------------------------------------------------------------- what a U-Net is not


@claim("Concatenation adds channels, not examples.")
@claim("half of the joined channels are sharp and near, half coarse and far")
def test_concatenation_is_no_augmentation(lesson):
    copy, below = torch.zeros(3, 4, 8, 8), torch.ones(3, 4, 8, 8)
    joined = UNet(widths=(4, 8)).join[0](copy, below)
    assert joined.shape == (3, 8, 8, 8) and joined.mean() == 0.5


@claim("This network gives scores for classes; the image is never rebuilt.")
@claim("At the bottom there are 28×28 places. Nothing is flattened, nothing is classified as a whole first.")
def test_it_is_no_autoencoder_and_has_no_vector(lesson):
    kinds = {type(layer) for layer in lesson.model.modules()}
    assert not kinds & {nn.Linear, nn.Flatten, nn.AdaptiveAvgPool2d}
    assert lesson.bottom.shape[-2:] == (28, 28)
    assert UNet(3, 5, widths=(2, 4))(torch.zeros(1, 3, 20, 20)).shape[1] == 5


@claim("To reshape would put pixels at other places.")
def test_a_reshaped_map_is_another_picture():
    rows = torch.arange(24).reshape(4, 6)
    reshaped = rows.reshape(6, 4)
    assert rows[1, 0] == 6 and reshaped[1, 0] == 4 and (reshaped[:4, :4] != rows[:4, :4]).any()


@claim('"End to end" means that one loss trains all weights at once, from the image to the scores')
def test_one_loss_reaches_all_weights():
    torch.manual_seed(1)
    model = UNet(widths=(4, 8, 16), dropout=0.0)
    answer = model(torch.rand(1, 1, 92, 92))
    F.cross_entropy(answer, torch.randint(0, 2, (1, *answer.shape[-2:]))).backward()
    assert all(weight.grad.abs().sum() > 0 for weight in model.parameters())


@claim("the fully convolutional network that it builds on pads")
def test_the_address_of_the_network_that_pads(lesson):
    text = " ".join(sources(lesson))
    assert "github.com/shelhamer/fcn.berkeleyvision.org/blob/master/voc-fcn8s/net.py" in text  # conv1_1 has pad=100


# ------------------------------------------------------------------------------------------- the end, and the questions


@claim("So sides are 8 apart.")
@claim('three times "add 4, double", and 4 at the end', 'three times "double, lose 4"', "So 88 are lost, not 184.")
def test_the_question_to_take_along():
    for b in range(4, 30):
        down, up = level_sides(8 * b + 60, depth=3)
        assert down[-1] == b and up[-1] == 8 * b - 28 and 8 * b + 60 - up[-1] == 88
    fits = []
    for side in range(92, 160):
        try:
            level_sides(side, depth=3)
            fits.append(side)
        except ValueError:
            pass
    assert {*np.diff(fits)} == {8}


def test_the_answers_of_the_quick_questions(lesson, table, by_skip):
    with pytest.raises(ValueError, match="279 when it reaches the pooling of level 1"):
        level_sides(570, depth=4)
    assert 570 - 184 == 386
    assert table["join.0"].shape[0] == 1024 and by_skip["add"].expanding[0][0].in_channels == 512
    assert [table[f"contracting.{level}.2"].shape[1] for level in range(4)] == [568, 280, 136, 64]
    assert lesson.seg["none"] > 0.75
    sizes = [nn.ConvTranspose2d(1, 1, 2, stride=stride)(torch.zeros(1, 1, 28, 28)).shape[-1] for stride in (2, 1)]
    assert sizes == [56, 29]
    doubled = F.interpolate(torch.zeros(1, 1, 28, 28), scale_factor=2)
    assert F.conv2d(doubled, torch.zeros(1, 1, 2, 2)).shape[-1] == 55
