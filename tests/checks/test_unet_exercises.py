"""Lesson 06's exercises: networks written in many styles pass; networks wired wrongly, with the right shapes and counts, do not."""

import subprocess
import sys

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.checks.judging import assert_right
from unet_edu import check
from unet_edu.lessons.s06_unet import LESSON
from unet_edu.unet import UNet, level_sides
from unet_edu.unet import center_crop as library_crop

torch.set_num_threads(1)
BY_NAME = {exercise.name: exercise for exercise in LESSON.exercises}


# --- right answers, written in different ways ---------------------------------------------------------------------------


class Twice(nn.Module):
    """The second convolution is made first; nobody promised an order."""

    def __init__(self, n, m):
        super().__init__()
        self.b = nn.Conv2d(m, m, (3, 3))
        self.a = nn.Conv2d(n, m, (3, 3), padding="valid")

    def forward(self, x):
        return torch.clamp(self.b(F.relu(self.a(x))), min=0)


class ByHand(nn.Module):
    """Bare parameters, and the functions that use them."""

    def __init__(self, n, m):
        super().__init__()
        self.second = nn.ParameterDict({"w": torch.zeros(m, m, 3, 3), "b": torch.zeros(m)})
        self.first = nn.ParameterDict({"w": torch.zeros(m, n, 3, 3), "b": torch.zeros(m)})

    def forward(self, x):
        for layer in (self.first, self.second):
            x = F.conv2d(x, weight=layer["w"], bias=layer["b"]).relu()
        return x


class Unfolded(nn.Module):
    """Right, and no convolution for the check: it cannot give it fresh weights."""

    def __init__(self, n, m):
        super().__init__()
        self.weights = nn.ParameterList([torch.zeros(m, n, 3, 3), torch.zeros(m, m, 3, 3)])
        self.biases = nn.ParameterList([torch.zeros(m), torch.zeros(m)])

    def forward(self, x):
        for w, b in zip(self.weights, self.biases, strict=True):
            x = F.relu(torch.einsum("nchwuv,ocuv->nohw", x.unfold(2, 3, 1).unfold(3, 3, 1), w) + b[:, None, None])
        return x


def in_a_row(n, m):
    layers = [nn.Conv2d(n, m, 3), nn.ReLU(inplace=True), nn.Conv2d(m, m, kernel_size=3, stride=1), nn.ReLU()]
    return nn.Sequential(nn.Sequential(*layers[:2]), *layers[2:])


def crop_by_ends(x, size):
    top, left = ((have - want) // 2 for have, want in zip(x.shape[-2:], size, strict=True))
    bottom, right = x.shape[-2] - size[0] - top, x.shape[-1] - size[1] - left
    return x[..., top : x.shape[-2] - bottom, left : x.shape[-1] - right]


def crop_by_padding(x, size):
    down, right = (have - want for have, want in zip(x.shape[-2:], size, strict=True))
    return F.pad(x, (-(right // 2), -(right - right // 2), -(down // 2), -(down - down // 2)))


def sizes_by_recursion(n, level=4):
    side = n - 4
    if level == 0:
        return [side] if side > 0 else []
    if side % 2 or side < 1:
        return []
    inner = sizes_by_recursion(side // 2, level - 1)
    return [side, *inner, 2 * inner[-1] - 4] if inner and inner[-1] > 2 else []


def sizes_by_rule(n):
    if n < 188 or n % 16 != 12:
        return ()
    b = (n + 4) // 16 - 8
    return np.array(
        [16 * b + 120, 8 * b + 56, 4 * b + 24, 2 * b + 8, b, 2 * b - 4, 4 * b - 12, 8 * b - 28, 16 * b - 60]
    )


def sizes_by_library(n):
    try:
        down, up = level_sides(n, 4)
        return down + up
    except ValueError:
        return []


class Recursive(nn.Module):
    """A level that holds the next one. The way up is made before the way down."""

    def __init__(self, n, width, left):
        super().__init__()
        self.last = Twice(2 * width, width) if left else None
        self.up = nn.ConvTranspose2d(2 * width, width, kernel_size=2, stride=2) if left else None
        self.inner = Recursive(width, 2 * width, left - 1) if left else None
        self.first = in_a_row(n, width)

    def forward(self, x):
        x = self.first(x)
        if self.inner is None:
            return x
        y = self.up(self.inner(F.max_pool2d(x, kernel_size=2, stride=2)))
        return self.last(torch.cat((crop_by_padding(x, y.shape[2:]), y), 1))


class Plain(nn.Module):
    """Each layer under a name of its own, as many people write it."""

    def __init__(self, n, K, c):
        super().__init__()
        self.out = nn.Conv2d(c, K, kernel_size=1)
        self.d1, self.d2, self.d3 = in_a_row(n, c), Twice(c, 2 * c), ByHand(2 * c, 4 * c)
        self.d4, self.bottom = Twice(4 * c, 8 * c), in_a_row(8 * c, 16 * c)
        self.u4, self.u3 = nn.ConvTranspose2d(16 * c, 8 * c, 2, 2), nn.ConvTranspose2d(8 * c, 4 * c, 2, 2)
        self.u2, self.u1 = nn.ConvTranspose2d(4 * c, 2 * c, 2, 2), nn.ConvTranspose2d(2 * c, c, 2, 2)
        self.c4, self.c3, self.c2, self.c1 = (
            Twice(16 * c, 8 * c),
            Twice(8 * c, 4 * c),
            Twice(4 * c, 2 * c),
            Twice(2 * c, c),
        )
        self.pool, self.drop = nn.MaxPool2d(2), nn.Dropout2d(0.3)

    def forward(self, x):
        a = self.d1(x)
        b = self.d2(self.pool(a))
        c = self.d3(self.pool(b))
        d = self.drop(self.d4(self.pool(c)))
        y = F.dropout(self.bottom(self.pool(d)), 0.5, self.training)
        for up, skip, block in (
            (self.u4, d, self.c4),
            (self.u3, c, self.c3),
            (self.u2, b, self.c2),
            (self.u1, a, self.c1),
        ):
            y = up(y)
            y = block(torch.cat([crop_by_ends(skip, y.shape[-2:]), y], dim=1))
        return self.out(y)


def by_class(in_channels=1, num_classes=2, base=64):
    return Plain(in_channels, num_classes, base)


def by_recursion(in_channels=1, num_classes=2, base=64):
    return nn.Sequential(Recursive(in_channels, base, 4), nn.Conv2d(base, num_classes, 1))


def by_library(in_channels=1, num_classes=2, base=64):
    return UNet(in_channels, num_classes, [base << level for level in range(5)], dropout=0)


def in_evaluation_mode(in_channels=1, num_classes=2, base=64):
    return Plain(in_channels, num_classes, base).eval().requires_grad_(True)


class Padded(nn.Module):
    """Right; the parameter says which of the five mistakes is left."""

    def __init__(self, n, K, c, left):
        super().__init__()
        widths = [n, c, c, c, 2 * c, 2 * c, 2 * c, 4 * c, 4 * c]
        self.way = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in ((n, c), (c, c), (c, 2 * c), (2 * c, 2 * c)))
        self.way.extend(nn.Conv2d(a, b, 3, padding=1) for a, b in ((widths[3], widths[7]), (4 * c, 4 * c)))
        self.way.extend(nn.Conv2d(a, b, 3, padding=1) for a, b in ((4 * c, 2 * c), (2 * c, 2 * c), (2 * c, c), (c, c)))
        self.way[4] = nn.Conv2d(2 * c, 4 * c, 3, padding=1)
        self.up1, self.up2 = nn.ConvTranspose2d(4 * c, 2 * c, 2, 2), nn.ConvTranspose2d(2 * c, c, 2, 2)
        self.head, self.left = nn.Conv2d(c, K, 1), left

    def forward(self, x):
        way = self.way
        top = F.relu(way[1](F.relu(way[0](x))))
        middle = F.relu(way[3](F.relu(way[2](F.max_pool2d(top, 2)))))
        x = way[5](F.relu(way[4](F.max_pool2d(middle, 2))))
        x = x if "ReLU" in self.left else F.relu(x)
        x = F.dropout(x, 0.5) if "dropout" in self.left else F.dropout(x, 0.5, self.training)
        x = F.relu(way[7](F.relu(way[6](torch.cat([middle, self.up1(x)], dim=1)))))
        x = self.up2(x)
        x = torch.cat([x, x] if "own features" in self.left else [top, x], dim=1)
        x = self.head(F.relu(way[9](F.relu(way[8](x)))))
        return x.softmax(dim=1) if "softmax" in self.left else x


def repaired(*left):
    return lambda in_channels=1, num_classes=2, base=16: Padded(in_channels, num_classes, base, left)


RIGHT = {
    "double_conv": [Twice, ByHand, in_a_row],
    "center_crop": [crop_by_ends, crop_by_padding, library_crop, lambda x, size: library_crop(x, size).numpy()],
    "trace_sizes": [sizes_by_recursion, sizes_by_rule, sizes_by_library],
    "unet": [by_class, by_recursion, by_library, in_evaluation_mode],
    "repair_unet": [
        repaired(),
        lambda in_channels=1, num_classes=2, base=16: Padded(in_channels, num_classes, base, ()).eval(),
        lambda in_channels=1, num_classes=2, base=16: UNet(
            in_channels, num_classes, (base, 2 * base, 4 * base), padding="same"
        ),
    ],
}


@pytest.mark.parametrize("exercise", LESSON.exercises, ids=lambda exercise: exercise.name)
def test_right_answers_pass_however_they_are_written(exercise):
    assert_right(exercise, RIGHT[exercise.name])


def test_the_worked_numbers_of_the_paper():
    cases = BY_NAME["unet"].cases(np.random.default_rng(0))
    assert cases[0].call(by_class).tolist() == [23, 31_030_658, 2, 388, 388]
    legal = [n for n in range(1, 700) if BY_NAME["trace_sizes"].reference(n)]
    assert legal == list(range(188, 700, 16)) and {n % 16 for n in legal} == {12}
    assert all(BY_NAME["trace_sizes"].reference(n)[-1] == n - 184 for n in legal)


def test_no_size_is_odd_at_one_pooling_only_by_luck():
    """Every pooling is tested by a case of its own, and the legal sides are not always the same."""
    seen = set()
    for seed in range(5):
        for case in BY_NAME["trace_sizes"].cases(np.random.default_rng(seed)):
            side, odd = case.args[0] - 4, []
            for _ in range(4):
                odd.append(side % 2)
                side = side // 2 - 4
            if any(odd):
                seen.add(odd.index(1))
    assert seen == {0, 1, 2, 3}


# --- mistakes as students write them --------------------------------------------------------------------------------------


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
    counted = BY_NAME["unet"].cases(np.random.default_rng(0))[0]
    assert counted.call(wired(join)).tolist() == [23, 31_030_658, 2, 388, 388]
    assert check(wired(join), "unet").misconception == misconception


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
    assert check(wired(join), "unet").status == "failed"


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

    message = check(unet).message
    assert "channels, but got" in message or "got" in message
    assert "the copy and what comes up have the channels of both" in message


@pytest.mark.parametrize("after", ["pooling", "no crop"])
def test_skips_of_the_wrong_size_are_told(after):
    def join(skip, y, level):
        return cat(F.max_pool2d(skip, 2) if after == "pooling" else skip, y)

    message = check(wired(join), "unet").message
    assert "Sizes of tensors must match" in message and "cropped to the size of what comes up" in message
    assert "in line" in message and "_call_impl" not in message


def test_layers_in_a_plain_list_are_told():
    class Listed(Plain):
        def __init__(self, *args):
            super().__init__(*args)
            block = self.c1
            del self.c1
            self.__dict__["c1"] = block  # where a plain list would be: nn.Module does not look there

    message = check(
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

    assert "Your network drops features at random in evaluation mode" in check(unet).message


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (Plain, "returned the class Plain"),
        ("network", "it returned a str"),
        (torch.zeros(3), "it returned a Tensor"),
    ],
)
def test_what_is_no_network_is_told(value, words):
    assert words in check(lambda in_channels=1, num_classes=2, base=64: value, "unet").message


def test_an_answer_that_is_no_tensor_is_told():
    class Pair(Plain):
        def forward(self, x):
            return super().forward(x), x

    result = check(lambda in_channels=1, num_classes=2, base=64: Pair(in_channels, num_classes, base), "unet")
    assert "forward should return a tensor; it returned a tuple" in result.message


def test_a_network_that_was_not_written_is_calm():
    def unet(in_channels=1, num_classes=2, base=64):
        raise NotImplementedError

    def forgotten(in_channels=1, num_classes=2, base=64):
        Plain(in_channels, num_classes, base)

    assert check(unet).status == "not yet"
    assert "returned nothing" in check(forgotten, "unet").message

    class Unwritten(nn.Module):
        pass

    assert 'missing the required "forward" function' in check(lambda *a, **k: Unwritten(), "unet").message


def test_a_network_that_only_knows_the_numbers_fails():
    """Right counts and right shapes, and no network."""

    class Facade(nn.Module):
        def __init__(self, n, K, c):
            super().__init__()
            self.real, self.K = Plain(n, K, c), K

        def forward(self, x):
            y = self.real(x)
            return y if x.is_meta else torch.zeros_like(y)

    result = check(lambda in_channels=1, num_classes=2, base=64: Facade(in_channels, num_classes, base), "unet")
    assert result.status == "failed"


@pytest.mark.parametrize("left", ["ReLU", "own features", "softmax"])
def test_one_mistake_that_is_left_is_named(left):
    names = {"ReLU": "no ReLU"}
    assert check(repaired(left), "repair_unet").misconception == names.get(left, left)


def test_all_silent_mistakes_left_are_counted():
    result = check(repaired("ReLU", "own features", "softmax"), "repair_unet")
    assert result.hint.startswith("Three silent mistakes are left.")
    assert "in evaluation mode" in check(repaired("ReLU", "own features", "softmax", "dropout"), "repair_unet").message


def test_dropout_that_is_taken_out_is_told():
    class Dry(Padded):
        def forward(self, x):
            self.eval()
            return super().forward(x)

    result = check(lambda in_channels=1, num_classes=2, base=16: Dry(in_channels, num_classes, base, ()), "repair_unet")
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

    assert words in check(double_conv).message


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
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=True)
    assert done.stdout.split() == ["False", "True"]


def test_a_network_that_is_moved_to_a_device_is_right_too():
    """As most notebooks do it. The first cases only count, on a device without numbers, from which nothing can be moved."""

    class Double(torch.nn.Module):
        def __init__(self, n, m):
            super().__init__()
            self.layers = torch.nn.Sequential(
                *(torch.nn.Conv2d(n, m, 3), torch.nn.ReLU(), torch.nn.Conv2d(m, m, 3), torch.nn.ReLU())
            ).to("cpu")

        def forward(self, x):
            return self.layers(x.to(device=torch.device("cpu"), non_blocking=True))

    assert check(lambda n, m: Double(n, m).to(torch.device("cpu")), "double_conv").passed
