"""Lesson 06's exercises: networks written in many styles pass; networks wired wrongly, with the right shapes and
counts, do not."""

import subprocess
import sys

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.checks.answers.s06_unet import Padded, Plain, Twice, by_class, crop_by_ends, in_a_row, repaired
from tests.checks.judging import cases_of, checked
from tests.patience import PATIENCE_S
from unet_edu import check
from unet_edu.lessons import EXERCISES
from unet_edu.sizes import level_sides

torch.set_num_threads(1)


def test_the_worked_numbers_of_the_paper():
    cases = cases_of("unet", 0)
    assert cases[0].call(by_class).tolist() == [23, 31_030_658, 2, 388, 388]
    legal = [n for n in range(1, 700) if EXERCISES["trace_sizes"].reference(n)]
    assert legal == list(range(188, 700, 16)) and {n % 16 for n in legal} == {12}
    assert all(EXERCISES["trace_sizes"].reference(n)[-1] == n - 184 for n in legal)


def test_no_size_is_odd_at_one_pooling_only_by_luck():
    """Every pooling is tested by a case of its own, and the legal sides are not always the same."""
    seen = set()
    for seed in range(5):
        for case in cases_of("trace_sizes", seed):
            side, odd = case.args[0] - 4, []
            for _ in range(4):
                odd.append(side % 2)
                side = side // 2 - 4
            if any(odd):
                seen.add(odd.index(1))
    assert seen == {0, 1, 2, 3}


def test_the_smallest_volume_is_the_smallest_that_fits():
    def answered(side, depth):
        try:
            return level_sides(side, depth)[1][-1]
        except ValueError:
            return 0

    exercise = EXERCISES["smallest_volume"]
    for depth in range(1, 5):
        for wanted in range(1, 40):
            expected = next(side for side in range(1, 999) if answered(side, depth) >= wanted)
            assert exercise.reference((wanted, 1, 1), depth)[0] == expected
    paper = exercise.cases(np.random.default_rng(0))[0]
    assert paper.args == ((28, 44, 44), 3) and paper.call(exercise.reference) == [116, 132, 132]


# --- mistakes as students write them ----------------------------------------------------------------------------------


def wired(join, **changes):
    """The class above with another `join(skip, y, level)`; level 0 is the top."""

    class Wired(Plain):
        def forward(self, x):
            skips = []
            for block in (self.d1, self.d2, self.d3, self.d4):
                x = block(x)
                skips.append(x)
                x = self.pool(x)
            y = self.bottom(x)
            blocks = ((self.u4, self.c4), (self.u3, self.c3), (self.u2, self.c2), (self.u1, self.c1))
            for level, (up, block) in zip((3, 2, 1, 0), blocks, strict=True):
                y = up(y)
                y = block(join(skips[level], y, level))
            return self.out(y)

    return lambda in_channels=1, num_classes=2, base=64: Wired(in_channels, num_classes, base)


def cat(*tensors):
    return torch.cat(tensors, dim=1)


def middle(skip, y):
    return crop_by_ends(skip, y.shape[-2:])


@pytest.mark.parametrize(
    ("join", "misconception"),
    [
        (lambda skip, y, level: cat(y, y), "its own features in place of the copy"),
        (
            lambda skip, y, level: cat(y if level == 0 else middle(skip, y), y),
            "its own features in place of the copy on level 0",
        ),
        (
            lambda skip, y, level: cat(y if level == 3 else middle(skip, y), y),
            "its own features in place of the copy on level 3",
        ),
        (lambda skip, y, level: cat(skip[..., : y.shape[2], : y.shape[3]], y), "copy cropped at a corner"),
        (lambda skip, y, level: cat(y, middle(skip, y)), "what comes up first"),
        (lambda skip, y, level: cat(middle(skip, y), middle(skip, y)), "the copy twice"),
        (lambda skip, y, level: cat(middle(skip, y).detach(), y), "copy without gradient"),
        (lambda skip, y, level: cat(F.interpolate(skip, y.shape[2:], mode="bilinear"), y), "copy made smaller"),
    ],
)
def test_skips_joined_to_the_wrong_tensor_are_seen(join, misconception):
    """All have the shape and the parameters of the paper's network."""
    counted = cases_of("unet", 0)[0]
    assert counted.call(wired(join)).tolist() == [23, 31_030_658, 2, 388, 388]
    assert checked(wired(join), "unet").misconception == misconception


@pytest.mark.parametrize(
    "join",
    [
        lambda skip, y, level: cat(middle(skip, y) * 0, y),
        lambda skip, y, level: cat(middle(skip, y).flip(1), y),
        lambda skip, y, level: cat(middle(skip, y).flip(-1), y),
        lambda skip, y, level: cat(
            middle(skip, y).mT if y.shape[-1] == y.shape[-2] else middle(skip, y).roll(1, -1), y
        ),
        lambda skip, y, level: cat(crop_by_ends(skip[..., 2:], y.shape[-2:]), y),
        lambda skip, y, level: cat(middle(skip, y).roll(1, 0), y) if len(y) > 1 else cat(middle(skip, y), y),
        lambda skip, y, level: cat(middle(skip, y), y.detach()),
        lambda skip, y, level: cat(middle(skip, y) + 1e-2, y),
        lambda skip, y, level: cat(middle(skip, y), y).relu(),
        lambda skip, y, level: cat(middle(skip, y), middle(skip, y) * 0 + y.mean()),
        lambda skip, y, level: torch.stack([middle(skip, y), y], dim=2).flatten(1, 2),
    ],
)
def test_other_wirings_do_not_pass_either(join):
    assert checked(wired(join), "unet").status == "failed"


def test_skips_in_the_wrong_order_are_told():
    def unet(in_channels=1, num_classes=2, base=64):
        model = Plain(in_channels, num_classes, base)

        def forward(x, self=model):
            skips = []
            for block in (self.d1, self.d2, self.d3, self.d4):
                x = block(x)
                skips.append(x)
                x = self.pool(x)
            y = self.bottom(x)
            for up, block in ((self.u4, self.c4), (self.u3, self.c3), (self.u2, self.c2), (self.u1, self.c1)):
                y = up(y)
                skip = skips.pop(0)
                y = block(torch.cat([middle(skip, y), y], dim=1))
            return self.out(y)

        model.forward = forward
        return model

    message = checked(unet).message
    assert "channels, but got" in message or "got" in message
    assert "the copy and what comes up have the channels of both" in message


@pytest.mark.parametrize("after", ["pooling", "no crop"])
def test_skips_of_the_wrong_size_are_told(after):
    def join(skip, y, level):
        return cat(F.max_pool2d(skip, 2) if after == "pooling" else skip, y)

    message = checked(wired(join), "unet").message
    assert "Sizes of tensors must match" in message and "cropped to the size of what comes up" in message
    assert "in line" in message and "_call_impl" not in message


def test_layers_in_a_plain_list_are_told():
    class Listed(Plain):
        def __init__(self, *args):
            super().__init__(*args)
            block = self.c1
            del self.c1
            self.__dict__["c1"] = block  # where a plain list would be: nn.Module does not look there

    message = checked(
        lambda in_channels=1, num_classes=2, base=64: Listed(in_channels, num_classes, base), "unet"
    ).message
    assert message.startswith("2 of your 23 convolutions are not in model.parameters()") and "nn.ModuleList" in message


@pytest.mark.parametrize(
    "drop", [lambda x: F.dropout(x), lambda x: F.dropout2d(x, 0.1), lambda x: F.dropout(x, 0.5, True)]
)
def test_dropout_that_is_always_on_is_told(drop):
    def unet(in_channels=1, num_classes=2, base=64):
        model = Plain(in_channels, num_classes, base)
        model.drop.forward = drop
        return model

    assert "Your network drops features at random in evaluation mode" in checked(unet).message


@pytest.mark.parametrize(
    ("value", "words"),
    [(Plain, "returned the class Plain"), ("network", "it returned a str"), (torch.zeros(3), "it returned a Tensor")],
)
def test_what_is_no_network_is_told(value, words):
    assert words in checked(lambda in_channels=1, num_classes=2, base=64: value, "unet").message


def test_an_answer_that_is_no_tensor_is_told():
    class Pair(Plain):
        def forward(self, x):
            return super().forward(x), x

    result = checked(lambda in_channels=1, num_classes=2, base=64: Pair(in_channels, num_classes, base), "unet")
    assert "forward should return a tensor; it returned a tuple" in result.message


def test_a_network_that_was_not_written_is_calm():
    def unet(in_channels=1, num_classes=2, base=64):
        raise NotImplementedError

    def forgotten(in_channels=1, num_classes=2, base=64):
        Plain(in_channels, num_classes, base)

    assert checked(unet).status == "not yet"
    assert "returned nothing" in checked(forgotten, "unet").message

    class Unwritten(nn.Module):
        pass

    assert 'missing the required "forward" function' in checked(lambda *a, **k: Unwritten(), "unet").message


def test_a_network_that_only_knows_the_numbers_fails():
    """Right counts and right shapes, and no network."""

    class Facade(nn.Module):
        def __init__(self, n, K, c):
            super().__init__()
            self.real, self.K = Plain(n, K, c), K

        def forward(self, x):
            y = self.real(x)
            return y if x.is_meta else torch.zeros_like(y)

    result = checked(lambda in_channels=1, num_classes=2, base=64: Facade(in_channels, num_classes, base), "unet")
    assert result.status == "failed"


@pytest.mark.parametrize("left", ["ReLU", "own features", "softmax"])
def test_one_mistake_that_is_left_is_named(left):
    names = {"ReLU": "no ReLU"}
    assert checked(repaired(left), "repair_unet").misconception == names.get(left, left)


def test_all_silent_mistakes_left_are_counted():
    result = checked(repaired("ReLU", "own features", "softmax"), "repair_unet")
    assert result.hint.startswith("Three silent mistakes are left.")
    assert (
        "in evaluation mode" in checked(repaired("ReLU", "own features", "softmax", "dropout"), "repair_unet").message
    )


def test_dropout_that_is_taken_out_is_told():
    class Dry(Padded):
        def forward(self, x):
            self.eval()
            return super().forward(x)

    result = checked(
        lambda in_channels=1, num_classes=2, base=16: Dry(in_channels, num_classes, base, ()), "repair_unet"
    )
    assert result.misconception == "dropout left out"


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda x: x.float(), "no .float()"),
        (lambda x: x + x.mean().item(), "look at x.shape"),
        (lambda x: x.numpy(), "x.shape"),
    ],
)
def test_what_the_probes_cannot_do_is_told(spoil, words):
    def forward(x, self):
        return nn.Sequential.forward(self, spoil(x))

    def double_conv(n, m):
        block = in_a_row(n, m)
        block.forward = lambda x: forward(x, block)
        return block

    assert words in checked(double_conv).message


def test_the_notebook_goes_on_with_its_own_random_numbers():
    torch.manual_seed(3)
    expected = torch.rand(2).tolist()
    torch.manual_seed(3)
    check(Twice, "double_conv")
    assert torch.rand(2).tolist() == expected


def test_torch_is_imported_only_for_a_network():
    code = (
        "import sys; from unet_edu import check, quiz; import unet_edu.checks;"
        "check(lambda size, tile, align: [0], 'tile_origins'); repr(quiz('06')); print('torch' in sys.modules);"
        "check(lambda a, b: 1, 'double_conv'); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE_S, check=True)
    assert done.stdout.split() == ["False", "True"]


def test_a_network_that_is_moved_to_a_device_is_right_too():
    """As most notebooks do it. The first cases only count, on a device without numbers, from which nothing can be
    moved."""

    class Double(torch.nn.Module):
        def __init__(self, n, m):
            super().__init__()
            self.layers = torch.nn.Sequential(
                *(torch.nn.Conv2d(n, m, 3), torch.nn.ReLU(), torch.nn.Conv2d(m, m, 3), torch.nn.ReLU())
            ).to("cpu")

        def forward(self, x):
            return self.layers(x.to(device=torch.device("cpu"), non_blocking=True))

    assert checked(lambda n, m: Double(n, m).to(torch.device("cpu")), "double_conv").passed
