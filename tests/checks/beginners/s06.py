# ruff: noqa: F811
"""Lesson 06: the U-Net."""

import torch
from torch import nn
from torch.nn import functional as F

from tests.checks.beginners import wrong


@wrong("double_conv", "the second ReLU forgotten")
def double_conv(in_channels, out_channels):
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, 3), nn.ReLU(), nn.Conv2d(out_channels, out_channels, 3))


@wrong("double_conv", "padded")
def double_conv(in_channels, out_channels):
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, padding="same"),
        nn.ReLU(),
        nn.Conv2d(out_channels, out_channels, 3, padding="same"),
        nn.ReLU(),
    )


@wrong("double_conv", "the channels grow in the second convolution")
def double_conv(in_channels, out_channels):
    layers = []
    layers.append(nn.Conv2d(in_channels, in_channels, kernel_size=3))
    layers.append(nn.ReLU())
    layers.append(nn.Conv2d(in_channels, out_channels, kernel_size=3))
    layers.append(nn.ReLU())
    return nn.Sequential(*layers)


@wrong("double_conv", "three convolutions, the second one used twice")
def double_conv(in_channels, out_channels):
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Conv2d(in_channels, out_channels, 3)
            self.conv = nn.Conv2d(out_channels, out_channels, 3)

        def forward(self, x):
            x = F.relu(self.first(x))
            x = F.relu(self.conv(x))
            return F.relu(self.conv(x))

    return Block()


@wrong("double_conv", "batch normalisation, and no bias, as on the internet")
def double_conv(in_channels, out_channels):
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
        nn.Conv2d(out_channels, out_channels, 3, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )


@wrong("double_conv", "ReLU before each convolution")
def double_conv(in_channels, out_channels):
    return nn.Sequential(
        nn.ReLU(), nn.Conv2d(in_channels, out_channels, 3), nn.ReLU(), nn.Conv2d(out_channels, out_channels, 3)
    )


@wrong("double_conv", "one convolution of 5×5, which loses as many pixels")
def double_conv(in_channels, out_channels):
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, 5), nn.ReLU())


@wrong("double_conv", "a leaky ReLU and a sigmoid at the end")
def double_conv(in_channels, out_channels):
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3),
        nn.LeakyReLU(),
        nn.Conv2d(out_channels, out_channels, 3),
        nn.Sigmoid(),
    )


@wrong("center_crop", "rounded up: the larger part above and on the left")
def center_crop(x, size):
    H, W = x.shape[-2:]
    h, w = size
    top = (H - h + 1) // 2
    left = (W - w + 1) // 2
    return x[..., top : top + h, left : left + w]


@wrong("center_crop", "the same margin cut on both sides")
def center_crop(x, size):
    H, W = x.shape[-2:]
    top = (H - size[0]) // 2
    left = (W - size[1]) // 2
    return x[..., top : H - top, left : W - left]


@wrong("center_crop", "minus the margin as the end: nothing left where nothing is cut")
def center_crop(x, size):
    H, W = x.shape[-2:]
    h, w = size
    top, left = (H - h) // 2, (W - w) // 2
    bottom, right = H - h - top, W - w - left
    return x[..., top:-bottom, left:-right]


@wrong("center_crop", "size read as (columns, rows)")
def center_crop(x, size):
    H, W = x.shape[-2:]
    w, h = size
    top, left = (H - h) // 2, (W - w) // 2
    return x[..., top : top + h, left : left + w]


@wrong("center_crop", "shape[0] and shape[1] as rows and columns")
def center_crop(x, size):
    H, W = x.shape[0], x.shape[1]
    top = (H - size[0]) // 2
    left = (W - size[1]) // 2
    return x[..., top : top + size[0], left : left + size[1]]


@wrong("center_crop", "middle pixel minus half the size, each half rounded by itself")
def center_crop(x, size):
    H, W = x.shape[-2:]
    h, w = size
    top = H // 2 - h // 2
    left = W // 2 - w // 2
    return x[..., top : top + h, left : left + w]


@wrong("center_crop", "made smaller by interpolation")
def center_crop(x, size):
    planes = x.reshape(1, -1, *x.shape[-2:]).double()
    small = F.interpolate(planes, size=tuple(size), mode="bilinear", align_corners=False)
    return small.reshape(*x.shape[:-2], *size).to(x.dtype)


@wrong("center_crop", "the left margin from the rows, and the corner cut for odd margins")
def center_crop(x, size):
    H = x.shape[-2]
    top = left = (H - size[0]) // 2
    return x[..., top : top + size[0], left : left + size[1]]


@wrong("trace_sizes", "tested at the input only")
def trace_sizes(n):
    if n % 2 != 0:
        return []
    sides = []
    for level in range(5):
        n = n - 4
        sides.append(n)
        if level < 4:
            n = n // 2
    for _ in range(4):
        n = 2 * n - 4
        sides.append(n)
    return sides if min(sides) >= 1 else []


@wrong("trace_sizes", "the bottom's side has to be even, too")
def trace_sizes(n):
    sides = []
    for _ in range(5):
        n -= 4
        if n % 2 == 1 or n < 1:
            return []
        sides.append(n)
        n //= 2
    n = sides[-1]
    for _ in range(4):
        n = n * 2 - 4
        if n < 1:
            return []
        sides.append(n)
    return sides


@wrong("trace_sizes", "small sides seen on the way down only")
def trace_sizes(n):
    sides = []
    for level in range(5):
        n = n - 4
        if n < 1:
            return []
        sides.append(n)
        if level < 4:
            if n % 2:
                return []
            n = n // 2
    for _ in range(4):
        n = 2 * n - 4
        sides.append(n)
    return sides


@wrong("trace_sizes", "2 pixels for both convolutions, and sides as fractions")
def trace_sizes(n):
    sides = []
    for level in range(5):
        n = n - 2
        sides.append(n)
        if level < 4:
            if n % 2 == 1:
                return []
            n = n / 2
    for _ in range(4):
        n = n * 2 - 2
        sides.append(n)
    return sides if min(sides) > 0 else []


@wrong("trace_sizes", "pooled after the bottom as well")
def trace_sizes(n):
    sides = []
    for _ in range(5):
        n = n - 4
        sides.append(n)
        if n % 2 == 1:
            return []
        n = n // 2
    for _ in range(4):
        n = 2 * n - 4
        sides.append(n)
    if any(s < 1 for s in sides):
        return []
    return sides


@wrong("trace_sizes", "on the way up the convolutions come before the step up")
def trace_sizes(n):
    sides = []
    for level in range(5):
        n = n - 4
        sides.append(n)
        if level < 4:
            if n % 2 == 1:
                return []
            n = n // 2
    for _ in range(4):
        n = (n - 4) * 2
        sides.append(n)
    return sides if min(sides) >= 1 else []


@wrong("trace_sizes", "the way up takes the sides of the way down, as if padded")
def trace_sizes(n):
    down = []
    for level in range(5):
        n = n - 4
        down.append(n)
        if level < 4:
            if n % 2 == 1:
                return []
            n = n // 2
    return down + down[-2::-1] if min(down) >= 1 else []


@wrong("trace_sizes", "stops with what it has when a side is odd")
def trace_sizes(n):
    sides = []
    for level in range(5):
        n = n - 4
        sides.append(n)
        if level == 4:
            break
        if n % 2 == 1 or n < 1:
            return sides
        n = n // 2
    for _ in range(4):
        n = 2 * n - 4
        sides.append(n)
    return [s for s in sides if s >= 1]


def two(n, m):
    """As in exercise 1."""
    return nn.Sequential(nn.Conv2d(n, m, 3), nn.ReLU(), nn.Conv2d(m, m, 3), nn.ReLU())


def middle(x, size):
    """As in exercise 2."""
    top, left = (x.shape[-2] - size[0]) // 2, (x.shape[-1] - size[1]) // 2
    return x[..., top : top + size[0], left : left + size[1]]


class Parts(nn.Module):
    """The layers of exercise 4. What students do with them differs."""

    def __init__(self, in_channels, num_classes, base):
        super().__init__()
        widths = [base * 2**level for level in range(5)]
        self.down = nn.ModuleList([two(n, m) for n, m in zip([in_channels, *widths], widths, strict=False)])
        self.rise = nn.ModuleList([nn.ConvTranspose2d(2 * n, n, 2, stride=2) for n in widths[3::-1]])
        self.up = nn.ModuleList([two(2 * n, n) for n in widths[3::-1]])
        self.head = nn.Conv2d(base, num_classes, 1)


@wrong("unet", "what comes up stands first")
def unet(in_channels=1, num_classes=2, base=64):
    class UNet(Parts):
        def forward(self, x):
            copies = []
            for block in self.down[:-1]:
                x = block(x)
                copies.append(x)
                x = F.max_pool2d(x, 2)
            x = self.down[-1](x)
            for rise, block in zip(self.rise, self.up, strict=True):
                x = rise(x)
                x = block(torch.cat([x, middle(copies.pop(), x.shape[-2:])], dim=1))
            return self.head(x)

    return UNet(in_channels, num_classes, base)


@wrong("unet", "a ReLU after each step up")
def unet(in_channels=1, num_classes=2, base=64):
    class UNet(Parts):
        def forward(self, x):
            copies = []
            for block in self.down[:-1]:
                x = block(x)
                copies.append(x)
                x = F.max_pool2d(x, 2)
            x = self.down[-1](x)
            for rise, block in zip(self.rise, self.up, strict=True):
                x = F.relu(rise(x))
                x = block(torch.cat([middle(copies.pop(), x.shape[-2:]), x], dim=1))
            return self.head(x)

    return UNet(in_channels, num_classes, base)


@wrong("unet", "mean pooling, and a softmax at the end")
def unet(in_channels=1, num_classes=2, base=64):
    class UNet(Parts):
        def forward(self, x):
            copies = []
            for block in self.down[:-1]:
                x = block(x)
                copies.append(x)
                x = F.avg_pool2d(x, 2)
            x = self.down[-1](x)
            for rise, block in zip(self.rise, self.up, strict=True):
                x = rise(x)
                x = block(torch.cat([middle(copies.pop(), x.shape[-2:]), x], dim=1))
            return torch.softmax(self.head(x), dim=1)

    return UNet(in_channels, num_classes, base)


@wrong("unet", "the copy's upper left corner joined, not its middle")
def unet(in_channels=1, num_classes=2, base=64):
    class UNet(Parts):
        def forward(self, x):
            copies = []
            for block in self.down[:-1]:
                x = block(x)
                copies.append(x)
                x = F.max_pool2d(x, 2)
            x = self.down[-1](x)
            for k in range(4):
                x = self.rise[k](x)
                h, w = x.shape[-2:]
                x = self.up[k](torch.cat([copies[3 - k][:, :, :h, :w], x], dim=1))
            return self.head(x)

    return UNet(in_channels, num_classes, base)


@wrong("unet", "the copy resized to fit")
def unet(in_channels=1, num_classes=2, base=64):
    class UNet(Parts):
        def forward(self, x):
            copies = []
            for block in self.down[:-1]:
                x = block(x)
                copies.insert(0, x)
                x = F.max_pool2d(x, 2)
            x = self.down[-1](x)
            for rise, block, copy in zip(self.rise, self.up, copies, strict=True):
                x = rise(x)
                x = block(torch.cat([F.interpolate(copy, size=x.shape[-2:]), x], dim=1))
            return self.head(x)

    return UNet(in_channels, num_classes, base)


@wrong("unet", "the topmost copy joined first: [0] in place of [-1]")
def unet(in_channels=1, num_classes=2, base=64):
    class UNet(Parts):
        def forward(self, x):
            copies = []
            for block in self.down[:-1]:
                x = block(x)
                copies.append(x)
                x = F.max_pool2d(x, 2)
            x = self.down[-1](x)
            for k in range(4):
                x = self.rise[k](x)
                x = self.up[k](torch.cat([middle(copies[k], x.shape[-2:]), x], dim=1))
            return self.head(x)

    return UNet(in_channels, num_classes, base)


@wrong("unet", "layers in a plain list")
def unet(in_channels=1, num_classes=2, base=64):
    class UNet(nn.Module):
        def __init__(self):
            super().__init__()
            widths = [base, base * 2, base * 4, base * 8]
            self.down = [two(a, b) for a, b in zip([in_channels, *widths[:-1]], widths, strict=True)]
            self.bottom = two(base * 8, base * 16)
            self.rise = [nn.ConvTranspose2d(2 * n, n, 2, stride=2) for n in widths[::-1]]
            self.up = [two(2 * n, n) for n in widths[::-1]]
            self.head = nn.Conv2d(base, num_classes, 1)

        def forward(self, x):
            copies = []
            for block in self.down:
                x = block(x)
                copies.append(x)
                x = F.max_pool2d(x, 2)
            x = self.bottom(x)
            for rise, block in zip(self.rise, self.up, strict=True):
                x = rise(x)
                x = block(torch.cat([middle(copies.pop(), x.shape[-2:]), x], dim=1))
            return self.head(x)

    return UNet()


@wrong("unet", "the copy taken after the pooling and made larger again")
def unet(in_channels=1, num_classes=2, base=64):
    class UNet(Parts):
        def forward(self, x):
            copies = []
            for block in self.down[:-1]:
                x = F.max_pool2d(block(x), 2)
                copies.append(F.interpolate(x, scale_factor=2))
            x = self.down[-1](x)
            for rise, block in zip(self.rise, self.up, strict=True):
                x = rise(x)
                x = block(torch.cat([middle(copies.pop(), x.shape[-2:]), x], dim=1))
            return self.head(x)

    return UNet(in_channels, num_classes, base)


class Layers(nn.Module):
    """The layers of exercise 5, of which the one that stops it is repaired."""

    def __init__(self, in_channels, num_classes, base):
        super().__init__()
        self.top1 = nn.Conv2d(in_channels, base, 3, padding=1)
        self.top2 = nn.Conv2d(base, base, 3, padding=1)
        self.middle1 = nn.Conv2d(base, 2 * base, 3, padding=1)
        self.middle2 = nn.Conv2d(2 * base, 2 * base, 3, padding=1)
        self.bottom1 = nn.Conv2d(2 * base, 4 * base, 3, padding=1)
        self.bottom2 = nn.Conv2d(4 * base, 4 * base, 3, padding=1)
        self.rise1 = nn.ConvTranspose2d(4 * base, 2 * base, 2, stride=2)
        self.middle3 = nn.Conv2d(4 * base, 2 * base, 3, padding=1)
        self.middle4 = nn.Conv2d(2 * base, 2 * base, 3, padding=1)
        self.rise2 = nn.ConvTranspose2d(2 * base, base, 2, stride=2)
        self.top3 = nn.Conv2d(2 * base, base, 3, padding=1)
        self.top4 = nn.Conv2d(base, base, 3, padding=1)
        self.head = nn.Conv2d(base, num_classes, 1)

    def down(self, x):
        top = F.relu(self.top2(F.relu(self.top1(x))))
        x = F.relu(self.middle1(F.max_pool2d(top, 2)))
        middle = F.relu(self.middle2(x))
        x = F.relu(self.bottom1(F.max_pool2d(middle, 2)))
        return top, middle, self.bottom2(x)

    def join_middle(self, middle, x):
        x = torch.cat([middle, self.rise1(x)], dim=1)
        return F.relu(self.middle4(F.relu(self.middle3(x))))

    def join_top(self, top, x):
        x = torch.cat([top, self.rise2(x)], dim=1)
        return F.relu(self.top4(F.relu(self.top3(x))))


@wrong("repair_unet", "dropout left as it was")
def repair_unet(in_channels=1, num_classes=2, base=16):
    class Repaired(Layers):
        def forward(self, x):
            top, middle, x = self.down(x)
            x = F.dropout(F.relu(x), 0.5)
            x = self.join_middle(middle, x)
            x = self.join_top(top, x)
            return self.head(x)

    return Repaired(in_channels, num_classes, base)


@wrong("repair_unet", "dropout taken out")
def repair_unet(in_channels=1, num_classes=2, base=16):
    class Repaired(Layers):
        def forward(self, x):
            top, middle, x = self.down(x)
            x = self.join_middle(middle, F.relu(x))
            x = self.join_top(top, x)
            return self.head(x)

    return Repaired(in_channels, num_classes, base)


@wrong("repair_unet", "dropout turned round: when it does not train")
def repair_unet(in_channels=1, num_classes=2, base=16):
    class Repaired(Layers):
        def forward(self, x):
            top, middle, x = self.down(x)
            x = F.dropout(F.relu(x), 0.5, training=not self.training)
            x = self.join_middle(middle, x)
            x = self.join_top(top, x)
            return self.head(x)

    return Repaired(in_channels, num_classes, base)


@wrong("repair_unet", "the ReLU at the bottom not seen")
def repair_unet(in_channels=1, num_classes=2, base=16):
    class Repaired(Layers):
        def __init__(self):
            super().__init__(in_channels, num_classes, base)
            self.drop = nn.Dropout(0.5)

        def forward(self, x):
            top, middle, x = self.down(x)
            x = self.drop(x)
            x = self.join_middle(middle, x)
            x = self.join_top(top, x)
            return self.head(x)

    return Repaired()


@wrong("repair_unet", "x joined with x on the top level, and log of the softmax returned")
def repair_unet(in_channels=1, num_classes=2, base=16):
    class Repaired(Layers):
        def forward(self, x):
            _, middle, x = self.down(x)
            x = F.dropout(F.relu(x), 0.5, self.training)
            x = self.join_middle(middle, x)
            x = self.rise2(x)
            x = torch.cat([x, x], dim=1)
            x = F.relu(self.top3(x))
            x = F.relu(self.top4(x))
            return F.log_softmax(self.head(x), dim=1)

    return Repaired(in_channels, num_classes, base)


@wrong("repair_unet", "a ReLU after the steps up and the head, for good measure")
def repair_unet(in_channels=1, num_classes=2, base=16):
    class Repaired(Layers):
        def forward(self, x):
            top, middle, x = self.down(x)
            x = F.dropout(F.relu(x), 0.5, self.training)
            x = torch.cat([middle, F.relu(self.rise1(x))], dim=1)
            x = F.relu(self.middle4(F.relu(self.middle3(x))))
            x = torch.cat([top, F.relu(self.rise2(x))], dim=1)
            x = F.relu(self.top4(F.relu(self.top3(x))))
            return F.relu(self.head(x))

    return Repaired(in_channels, num_classes, base)


@wrong("repair_unet", "added up instead of joined, on the level that stopped it")
def repair_unet(in_channels=1, num_classes=2, base=16):
    class Repaired(Layers):
        def __init__(self):
            super().__init__(in_channels, num_classes, base)
            self.middle3 = nn.Conv2d(2 * base, 2 * base, 3, padding=1)

        def forward(self, x):
            top, middle, x = self.down(x)
            x = F.dropout(F.relu(x), 0.5, self.training)
            x = middle + self.rise1(x)
            x = F.relu(self.middle4(F.relu(self.middle3(x))))
            x = self.join_top(top, x)
            return self.head(x)

    return Repaired()


@wrong("repair_unet", "dropout also on the input of the head, whole channels at the bottom")
def repair_unet(in_channels=1, num_classes=2, base=16):
    class Repaired(Layers):
        def forward(self, x):
            top, middle, x = self.down(x)
            x = F.dropout2d(F.relu(x), 0.5, self.training)
            x = self.join_middle(middle, x)
            x = self.join_top(top, x)
            x = F.dropout(x, 0.5, self.training)
            return self.head(x)

    return Repaired(in_channels, num_classes, base)


# smallest_volume


@wrong("smallest_volume", "wanted plus 184, whatever the depth")
def smallest_volume(wanted, depth):
    return [n + 184 for n in wanted]


@wrong("smallest_volume", "rounded up to a multiple of 2 ** depth after the loss")
def smallest_volume(wanted, depth):
    step = 2**depth
    sides = []
    for n in wanted:
        n = n + 12 * step - 8
        while n % step != 0:
            n += 1
        sides.append(n)
    return sides


@wrong("smallest_volume", "the trial stops at the first side whose first pooling is even")
def smallest_volume(wanted, depth):
    def answered(n):
        if (n - 4) % 2:
            return 0
        for _ in range(depth):
            n = (n - 4) // 2
        n = n - 4
        for _ in range(depth):
            n = 2 * n - 4
        return n

    sides = []
    for least in wanted:
        n = least
        while answered(n) < least:
            n += 1
        sides.append(n)
    return sides


@wrong("smallest_volume", "more than wanted, where at least was asked")
def smallest_volume(wanted, depth):
    step = 2**depth
    return [(n - 4) // step * step + step + 4 + 12 * step - 8 for n in wanted]


@wrong("smallest_volume", "the answer for the second side is forgotten")
def smallest_volume(wanted, depth):
    step = 2**depth
    return [n + (4 - n) % step + 12 * step - 8 for n in (wanted[0], wanted[2], wanted[2])]
