"""The exercises of lesson 06: right answers in many styles, and mistakes as students write them."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from tests.checks.judging import told, written
from unet_edu.sizes import legal_side
from unet_edu.unet import UNet, level_sides
from unet_edu.unet import center_crop as library_crop


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


def volume_by_the_loss(wanted, depth):
    """What is lost is added, then the next side that fits is taken."""
    step = 2**depth
    return tuple(max(n + (4 - n) % step, 1 + 3 % step) + 12 * step - 8 for n in wanted)


def volume_from_the_bottom(wanted, depth):
    """From larger and larger bottoms up and down."""
    sides = []
    for least in wanted:
        bottom = answer = 0
        while answer < least:
            bottom += 1
            side, answer = bottom + 4, bottom
            for _ in range(depth):
                side, answer = 2 * side + 4, 2 * answer - 4
        sides.append(side)
    return np.array(sides)


def volume_by_library(wanted, depth):
    return [legal_side(n + 12 * 2**depth - 8, depth) for n in wanted]


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
    "smallest_volume": [volume_by_the_loss, volume_from_the_bottom, volume_by_library],
}


# --- mistakes as students write them ----------------------------------------------------------------------------------


@written("smallest_volume", "only the first pooling tested")
def _(wanted, depth):
    loss = 12 * 2**depth - 8
    return [n + loss + (n + loss) % 2 for n in wanted]


@written("smallest_volume", "bottom forgotten")
def _(wanted, depth):
    def answered(side):
        for _ in range(depth):
            if side % 2:
                return 0
            side = (side - 4) // 2
        for _ in range(depth):
            side = 2 * side - 4
        return side

    return [next(n for n in range(least, 10**6) if answered(n) >= least) for least in wanted]


@written("smallest_volume", "one convolution per block")
def _(wanted, depth):
    def answered(side):
        for _ in range(depth):
            side -= 2
            if side % 2:
                return 0
            side //= 2
        side -= 2
        for _ in range(depth):
            side = 2 * side - 2
        return side

    return [next(n for n in range(least, 10**6) if answered(n) >= least) for least in wanted]


def answered(side, depth):
    """For how many voxels a network answers; 0 where the side does not fit."""
    for _ in range(depth):
        side -= 4
        if side < 1 or side % 2:
            return 0
        side //= 2
    side -= 4
    for _ in range(depth):
        side = 2 * side - 4
    return side


def found(wanted, depth, sides):
    """The first of the sides that is enough, for each that is wanted, or None."""
    return [next((side for side in sides if answered(side, depth) >= least), None) for least in wanted]


@written("smallest_volume", "sides up to 1000")
def _(wanted, depth):
    return [side for side in found(wanted, depth, range(1, 1000)) if side]


@written("smallest_volume", "nothing below 188")
def _(wanted, depth):
    return found(wanted, depth, range(188, 9000))


@written("smallest_volume", "rounded down, below the smallest")
def _(wanted, depth):
    def back(side):
        for _ in range(depth):
            side = (side + 4) // 2
        side += 4
        for _ in range(depth):
            side = 2 * side + 4
        return side

    return [back(side) for side in wanted]


@written("smallest_volume", "the loss of depth 4")
def _(wanted, depth):
    sides = []
    for least in wanted:
        side = 1
        while side - 184 < least or (side - 188) % 2**depth:
            side += 1
        sides.append(side)
    return sides


@told("smallest_volume", "something is None", "end without a `return`")
def _(wanted, depth):
    return found(wanted, depth, range(1, 2000))
