"""The exercises of lesson 03: right answers in many styles, and mistakes as students write them."""

import numpy as np
import scipy.ndimage
import torch
import torch.nn.functional as F

from tests.checks.judging import told, written


def copies_by_loops(x, scale):
    y = np.zeros((len(x) * scale, x.shape[1] * scale))
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            y[i, j] = x[i // scale, j // scale]
    return y


def copies_by_blocks(x, scale):
    y = np.empty((len(x) * scale, x.shape[1] * scale), x.dtype)
    for i, j in np.ndindex(*x.shape):
        y[i * scale : (i + 1) * scale, j * scale : (j + 1) * scale] = x[i, j]
    return y


def copies_in_torch(x, scale):
    return F.interpolate(torch.tensor(x, dtype=torch.float64)[None, None], scale_factor=scale, mode="nearest")[0, 0]


def mixed_by_loops(x, scale):
    H, W = x.shape
    y = []
    for i in range(H * scale):
        y.append([])
        for j in range(W * scale):
            top, left = (i + 0.5) / scale - 0.5, (j + 0.5) / scale - 0.5
            top, left = min(max(top, 0), H - 1), min(max(left, 0), W - 1)
            i0, j0 = int(top), int(left)
            i1, j1 = min(i0 + 1, H - 1), min(j0 + 1, W - 1)
            a, b = top - i0, left - j0
            upper = (1 - b) * x[i0, j0] + b * x[i0, j1]
            lower = (1 - b) * x[i1, j0] + b * x[i1, j1]
            y[i].append((1 - a) * upper + a * lower)
    return y


def mixed_by_axes(x, scale):
    def longer(row):
        places = (np.arange(len(row) * scale) + 0.5) / scale - 0.5
        return np.interp(places, np.arange(len(row)), row)

    wide = np.array([longer(row) for row in x])
    return np.array([longer(column) for column in wide.T]).T


def mixed_by_four_pictures(x, scale):
    rows, columns = ((np.arange(n * scale) + 0.5) / scale - 0.5 for n in x.shape)
    (i0, a), (j0, b) = ((np.floor(where).astype(int), where - np.floor(where)) for where in (rows, columns))
    x, a = np.pad(x, 1, mode="edge"), a[:, None]  # so that pixel −1 is there
    left, right = (x[:, j0 + 1 + d] for d in (0, 1))
    wide = (1 - b) * left + b * right
    return (1 - a) * wide[i0 + 1] + a * wide[i0 + 2]


def mixed_in_torch(x, scale):
    x = torch.tensor(x, dtype=torch.float32, requires_grad=True)
    return F.interpolate(x[None, None], scale_factor=scale, mode="bilinear")[0, 0]


def mixed_in_scipy(x, scale):
    return scipy.ndimage.zoom(x.astype(float), scale, order=1, mode="nearest", grid_mode=True)


def mask_by_loops(mask, size):
    return [
        [mask[i * mask.shape[0] // size[0], j * mask.shape[1] // size[1]] for j in range(size[1])]
        for i in range(size[0])
    ]


def mask_by_indices(mask, size):
    rows, columns = ((np.arange(m) * (n / m)).astype(int) for n, m in zip(mask.shape, size, strict=True))
    return mask[np.ix_(rows, columns)]


def mask_by_another_ratio(mask, size):
    rows, columns = (np.floor(np.arange(m) / (m / n)).astype(int) for n, m in zip(mask.shape, size, strict=True))
    return mask[rows[:, None], columns]


def mask_in_torch(mask, size):
    large = F.interpolate(torch.tensor(mask, dtype=torch.float32)[None, None], size=size, mode="nearest")
    return large[0, 0].long()


def stamp_by_loops(scale):
    k = np.zeros((2 * scale, 2 * scale))
    middle = scale - 0.5
    for i in range(2 * scale):
        for j in range(2 * scale):
            k[i, j] = (1 - abs(i - middle) / scale) * (1 - abs(j - middle) / scale)
    return k


def stamp_by_steps(scale):
    rising = (np.arange(scale) + 0.5) / scale
    row = np.concatenate([rising, rising[::-1]]).astype(np.float32)
    return row[:, None] * row


def stamp_as_a_gradient(scale):
    """What one pixel in the middle gives to the outputs around it."""
    x = torch.zeros(1, 1, 5, 5, dtype=torch.float64)
    x[0, 0, 2, 2] = 1
    y = F.interpolate(x, scale_factor=scale, mode="bilinear")[0, 0]
    start = 2 * scale + scale // 2 - scale
    return y[start : start + 2 * scale, start : start + 2 * scale]


def volume_by_sides(x, scales):
    """Whatever side is to grow is brought to the front, and back."""
    for axis, scale in enumerate(scales):
        x = np.swapaxes(x, 0, axis)
        places = ((np.arange(len(x) * scale) + 0.5) / scale - 0.5).clip(0, len(x) - 1)
        k = places.astype(int)
        f = (places - k).reshape(-1, 1, 1)
        x = (1 - f) * x[k] + f * x[np.minimum(k + 1, len(x) - 1)]
        x = np.swapaxes(x, 0, axis)
    return x


def volume_by_loops(x, scales):
    def two(i, scale, n):
        source = min(max((i + 0.5) / scale - 0.5, 0), n - 1)
        return [(int(source), 1 - source % 1), (min(int(source) + 1, n - 1), source % 1)]

    y = np.zeros(np.multiply(x.shape, scales))
    for place in np.ndindex(y.shape):
        pairs = [two(i, scale, n) for i, scale, n in zip(place, scales, x.shape, strict=True)]
        for d, a in pairs[0]:
            for i, b in pairs[1]:
                for j, c in pairs[2]:
                    y[place] += a * b * c * x[d, i, j]
    return y


def volume_along_axes(x, scales):
    def longer(row, scale):
        return np.interp((np.arange(len(row) * scale) + 0.5) / scale - 0.5, np.arange(len(row)), row)

    for axis in (2, 1, 0):
        x = np.apply_along_axis(longer, axis, x, scales[axis])
    return x.tolist()


def volume_in_torch(x, scales):
    x = torch.tensor(x, dtype=torch.float64)[None, None]
    return F.interpolate(x, scale_factor=tuple(map(float, scales)), mode="trilinear")[0, 0]


RIGHT = {
    "up_nearest": [
        copies_by_loops,
        copies_by_blocks,
        copies_in_torch,
        lambda x, scale: np.kron(x, np.ones((scale, scale))),
        lambda x, scale: x.repeat(scale, axis=0).repeat(scale, axis=1),
    ],
    "up_bilinear": [mixed_by_loops, mixed_by_axes, mixed_by_four_pictures, mixed_in_torch, mixed_in_scipy],
    "resize_mask": [mask_by_loops, mask_by_indices, mask_by_another_ratio, mask_in_torch],
    "bilinear_kernel": [stamp_by_loops, stamp_by_steps, stamp_as_a_gradient],
    "up_volume": [volume_by_sides, volume_by_loops, volume_along_axes, volume_in_torch],
}


# --- mistakes as students write them ----------------------------------------------------------------------------------


@written("up_bilinear", "source below 0")
def _(x, scale):
    """The notebook's last hint without its lower bound."""

    def longer(row):
        result = np.zeros(len(row) * scale)
        for i in range(len(result)):
            source = min((i + 0.5) / scale - 0.5, len(row) - 1)
            k = int(source)
            f = source - k
            result[i] = (1 - f) * row[k] + f * row[min(k + 1, len(row) - 1)]
        return result

    return np.array([longer(column) for column in np.array([longer(row) for row in x]).T]).T


@written("resize_mask", "factor cut to a whole number")
def _(mask, size):
    """It sometimes gives nothing."""
    return np.repeat(np.repeat(mask, size[0] // mask.shape[0], axis=0), size[1] // mask.shape[1], axis=1)


@written("bilinear_kernel", "tip on a pixel")
def _(scale):
    row = 1 - np.abs(np.arange(2 * scale) - scale) / scale
    return np.outer(row, row)


@written("up_volume", "slices repeated")
def _(x, scales):
    wide = np.array([mixed_by_axes(image, 1) for image in x])
    for axis in (1, 2):
        wide = np.swapaxes(wide, 0, axis)
        wide = np.swapaxes(volume_by_sides(wide, (scales[axis], 1, 1)), 0, axis)
    return np.repeat(wide, scales[0], axis=0)


@written("up_volume", "depth comes last")
def _(x, scales):
    """A side is moved to the end, made longer, and left there."""
    y = np.array([volume_by_sides(image[None], (1, *scales[1:]))[0] for image in x])
    return volume_by_sides(np.moveaxis(y, 0, -1), (1, 1, scales[0]))


# --- what is told of other mistakes -----------------------------------------------------------------------------------


@told("up_bilinear", "of type int, which cuts off the fractions")
def _(x, scale):
    y = np.zeros_like(x, shape=(len(x) * scale, x.shape[1] * scale))
    y[:] = mixed_by_axes(x, scale)
    return y


@written("up_volume", "source below 0")
def _(x, scales):
    """Only the upper end is kept in the volume."""
    for axis, scale in enumerate(scales):
        x = np.swapaxes(x, 0, axis)
        slices = []
        for i in range(len(x) * scale):
            source = min((i + 0.5) / scale - 0.5, len(x) - 1)
            k = int(source)
            slices.append((1 - (source - k)) * x[k] + (source - k) * x[min(k + 1, len(x) - 1)])
        x = np.swapaxes(np.array(slices), 0, axis)
    return x


@written("up_volume", "two corners of eight")
def _(x, scales):
    y = np.zeros([size * scale for size, scale in zip(x.shape, scales, strict=True)])
    for place in np.ndindex(*y.shape):
        source = [
            min(max((i + 0.5) / scale - 0.5, 0), size - 1)
            for i, scale, size in zip(place, scales, x.shape, strict=True)
        ]
        first = tuple(int(s) for s in source)
        second = tuple(min(k + 1, size - 1) for k, size in zip(first, x.shape, strict=True))
        f = np.prod([s - k for s, k in zip(source, first, strict=True)])
        y[place] = (1 - f) * x[first] + f * x[second]
    return y
