"""The exercises of lesson 05: right answers in many styles, and mistakes as students write them."""

import numpy as np
import torch
import torch.nn.functional as F
from numpy.lib.stride_tricks import sliding_window_view

from tests.checks.judging import told, written
from unet_edu.pooling import max_pool2d, max_pool2d_grad, max_unpool2d
from unet_edu.transposed import conv_transpose2d


def pooled_by_loops(x):
    H, W = x.shape
    y, idx = np.zeros((H // 2, W // 2)), np.zeros((H // 2, W // 2), dtype=int)
    for i in range(H // 2):
        for j in range(W // 2):
            best = -np.inf
            for row in (2 * i, 2 * i + 1):
                for column in (2 * j, 2 * j + 1):
                    if x[row, column] > best:
                        best = x[row, column]
                        y[i, j], idx[i, j] = best, row * W + column
    return y, idx


def pooled_into_lists(x):
    H, W = x.shape
    numbered = [
        [max((x[r, c], r * W + c) for r in (i, i + 1) for c in (j, j + 1)) for j in range(0, W - 1, 2)]
        for i in range(0, H - 1, 2)
    ]
    return [[[pair[n] for pair in row] for row in numbered] for n in (0, 1)]


def pooled_by_windows(x):
    windows = sliding_window_view(x, (2, 2))[::2, ::2].reshape(x.shape[0] // 2, x.shape[1] // 2, 4)
    n = windows.argmax(axis=-1)
    i, j = np.indices(n.shape)
    return np.float32(windows.max(axis=-1)), (2 * i + n // 2) * x.shape[1] + 2 * j + n % 2


def pooled_by_reshaping(x):
    h, w = x.shape[0] // 2, x.shape[1] // 2
    places = np.arange(x.size).reshape(x.shape)[: 2 * h, : 2 * w].reshape(h, 2, w, 2).transpose(0, 2, 1, 3)
    blocks = x[: 2 * h, : 2 * w].reshape(h, 2, w, 2).transpose(0, 2, 1, 3).reshape(h, w, 4)
    idx = np.take_along_axis(places.reshape(h, w, 4), blocks.argmax(-1)[..., None], -1)[..., 0]
    return np.stack([x.ravel()[idx], idx])


def pooled_in_torch(x):
    y, idx = F.max_pool2d(torch.tensor(x, dtype=torch.float32)[None, None], 2, return_indices=True)
    return y[0, 0], idx[0, 0]


def put_by_loops(y, idx, size):
    x = np.zeros(size)
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            row, column = divmod(idx[i, j], size[1])
            x[row, column] = y[i, j]
    return x


def put_into_a_list(y, idx, size):
    x = [0.0] * (size[0] * size[1])
    for place, number in zip(idx.ravel(), y.ravel(), strict=True):
        x[place] = number
    return np.reshape(x, size)


def put_by_unravelling(y, idx, size):
    x = np.zeros(size, np.float32)
    x[np.unravel_index(idx, size)] = y
    return x


def put_by_matrix(y, idx, size):
    S = np.eye(size[0] * size[1])[idx.ravel()]
    return (S.T @ y.ravel()).reshape(size)


def put_by_scatter(y, idx, size):
    flat = torch.zeros(size[0] * size[1], dtype=torch.float64)
    return flat.scatter(0, torch.tensor(idx.ravel()), torch.tensor(y.ravel(), dtype=torch.float64)).view(size)


def back_by_loops(dy, idx, size):
    dx = np.zeros(size)
    for i, j in np.ndindex(dy.shape):
        dx[idx[i, j] // size[1], idx[i, j] % size[1]] += dy[i, j]
    return dx


def back_by_bincount(dy, idx, size):
    return np.bincount(idx.ravel(), weights=dy.ravel(), minlength=size[0] * size[1]).reshape(size)


def back_by_matrix(dy, idx, size):
    return (np.eye(size[0] * size[1], dtype=np.float32)[:, idx.ravel()] @ dy.ravel()).reshape(size)


def back_by_add_at(dy, idx, size):
    dx = np.zeros(size)
    np.add.at(dx.ravel(), idx, dy)
    return dx


def back_in_torch(dy, idx, size):
    flat = torch.zeros(size[0] * size[1])
    return flat.index_add(0, torch.tensor(idx.ravel()), torch.tensor(dy.ravel(), dtype=torch.float32)).view(size)


def back_by_autograd(dy, idx, size):
    x = torch.zeros(size[0] * size[1], requires_grad=True)
    x[torch.tensor(idx.ravel())].backward(torch.tensor(dy.ravel(), dtype=torch.float32))
    return x.grad.view(size)


def repaired_by_loops(x, window, stride, padding):
    """Without any padding: only what is inside of the image is looked at."""
    H, W = x.shape
    y, idx = [], []
    for top in range(-padding, H + padding - window + 1, stride):
        row = []
        for left in range(-padding, W + padding - window + 1, stride):
            inside = [
                (x[r, c], r * W + c)
                for r in range(max(top, 0), min(top + window, H))
                for c in range(max(left, 0), min(left + window, W))
            ]
            row.append(max(inside))
        y.append([number for number, _ in row])
        idx.append([place for _, place in row])
    return y, idx


def repaired_with_places(x, window, stride, padding):
    """The places are padded beside the image, and looked up."""
    padded = np.pad(x.astype(float), padding, constant_values=-np.inf)
    places = np.pad(np.arange(x.size).reshape(x.shape), padding, constant_values=-1)
    numbers, where = (
        sliding_window_view(a, (window, window))[::stride, ::stride].reshape(
            -1, (padded.shape[1] - window) // stride + 1, window**2
        )
        for a in (padded, places)
    )
    n = numbers.argmax(axis=-1)[..., None]
    return np.take_along_axis(numbers, n, -1)[..., 0], np.take_along_axis(where, n, -1)[..., 0]


def repaired_by_the_least(x, window, stride, padding):
    """Below all numbers is as good as minus infinity, and whole numbers stay whole."""
    padded = np.pad(x, padding, constant_values=x.min() - 1)
    rows, columns = ((n - window) // stride + 1 for n in padded.shape)
    y, idx = np.zeros((rows, columns), x.dtype), np.zeros((rows, columns), np.int32)
    for i, j in np.ndindex(rows, columns):
        part = padded[i * stride : i * stride + window, j * stride : j * stride + window]
        u, v = np.unravel_index(part.argmax(), part.shape)
        y[i, j], idx[i, j] = part[u, v], (i * stride + u - padding) * x.shape[1] + j * stride + v - padding
    return y, idx


def repaired_in_torch(x, window, stride, padding):
    y, idx = F.max_pool2d(torch.tensor(x * 1.0)[None, None], window, stride, padding, return_indices=True)
    return y[0, 0], idx[0, 0]


def average_by_pixels(dy, window, stride, size):
    """For each pixel: which windows hold it?"""
    return [
        [
            sum(
                dy[i, j] / window**2
                for i, j in np.ndindex(dy.shape)
                if 0 <= r - i * stride < window and 0 <= c - j * stride < window
            )
            for c in range(size[1])
        ]
        for r in range(size[0])
    ]


def average_tap_by_tap(dy, window, stride, size):
    dx, (rows, columns) = np.zeros(size, np.float32), dy.shape
    for u, v in np.ndindex(window, window):
        dx[u : u + (rows - 1) * stride + 1 : stride, v : v + (columns - 1) * stride + 1 : stride] += dy
    return dx / window**2


def average_by_stamps(dy, window, stride, size):
    """Lesson 04's stamps, and zeros behind them."""
    stamps = conv_transpose2d(dy, np.full((window, window), 1 / window**2), stride=stride)
    return np.pad(stamps, [(0, n - m) for n, m in zip(size, stamps.shape, strict=True)])


def average_by_autograd(dy, window, stride, size):
    x = torch.zeros(1, 1, *size, dtype=torch.float64, requires_grad=True)
    F.avg_pool2d(x, window, stride).backward(torch.tensor(dy * 1.0)[None, None])
    return x.grad[0, 0]


RIGHT = {
    "maxpool_idx": [
        pooled_by_loops,
        pooled_into_lists,
        pooled_by_windows,
        pooled_by_reshaping,
        pooled_in_torch,
        lambda x: max_pool2d(x, 2),
    ],
    "maxunpool": [
        put_by_loops,
        put_into_a_list,
        put_by_unravelling,
        put_by_matrix,
        put_by_scatter,
        lambda y, idx, size: max_unpool2d(y, idx, size),
    ],
    "maxpool_backward": [
        back_by_loops,
        back_by_bincount,
        back_by_matrix,
        back_by_add_at,
        back_in_torch,
        back_by_autograd,
        lambda dy, idx, size: max_pool2d_grad(dy, idx, size),
    ],
    "repair_maxpool": [repaired_by_loops, repaired_with_places, repaired_by_the_least, repaired_in_torch],
    "avgpool_backward": [average_by_pixels, average_tap_by_tap, average_by_stamps, average_by_autograd],
}


# --- mistakes as students write them ----------------------------------------------------------------------------------


@written("maxpool_idx", "windows that overlap")
def _(x):
    H, W = x.shape
    y, idx = np.zeros((H // 2, W // 2)), np.zeros((H // 2, W // 2), dtype=int)
    for i, j in np.ndindex(y.shape):
        window = x[i : i + 2, j : j + 2]
        n = window.argmax()
        y[i, j], idx[i, j] = window.max(), (i + n // 2) * W + j + n % 2
    return y, idx


@written("maxpool_idx", "width without the odd column")
def _(x):
    return pooled_by_loops(x[: x.shape[0] // 2 * 2, : x.shape[1] // 2 * 2])


@written("maxpool_idx", "index of the window's corner plus the index within")
def _(x):
    y, idx = pooled_by_loops(x)
    for i, j in np.ndindex(y.shape):
        idx[i, j] = 2 * i * x.shape[1] + 2 * j + x[2 * i : 2 * i + 2, 2 * j : 2 * j + 2].argmax()
    return y, idx


@written("maxpool_idx", "first place of an equal number")
def _(x):
    y, idx = pooled_by_loops(x)
    for i, j in np.ndindex(y.shape):
        row, column = np.argwhere(x == y[i, j])[0]
        idx[i, j] = row * x.shape[1] + column
    return y, idx


@written("maxunpool", "order of the places")
def _(y, idx, size):
    x = np.zeros(size)
    x[np.isin(np.arange(x.size).reshape(size), idx)] = y.ravel()
    return x


@written("repair_maxpool", "place in the window by twos")
def _(x, window, stride, padding):
    padded = np.pad(x.astype(float), padding, constant_values=-np.inf)
    rows, columns = ((n - window) // stride + 1 for n in padded.shape)
    y, idx = np.zeros((rows, columns)), np.zeros((rows, columns), dtype=int)
    for i, j in np.ndindex(rows, columns):
        part = padded[i * stride : i * stride + window, j * stride : j * stride + window]
        row, column = i * stride + part.argmax() // 2 - padding, j * stride + part.argmax() % 2 - padding
        y[i, j], idx[i, j] = part.max(), row * x.shape[1] + column
    return y, idx


@written("repair_maxpool", "smallest pixel in the padding")
def _(x, window, stride, padding):
    padded = np.pad(x, padding, constant_values=x.min())
    y, places = max_pool2d(padded, window, stride)
    rows, columns = np.divmod(places, padded.shape[1])
    return y, (rows - padding) * x.shape[1] + columns - padding


@written("avgpool_backward", "copied as nearest does")
def _(dy, window, stride, size):
    return dy.repeat(window, axis=0).repeat(window, axis=1) / window**2


@written("avgpool_backward", "as large as the windows reach")
def _(dy, window, stride, size):
    return conv_transpose2d(dy, np.full((window, window), 1 / window**2), stride=stride)


@told("repair_maxpool", "OverflowError", "x.astype(float) is the same array in floats")
def _(x, window, stride, padding):
    padded = np.pad(x, padding, constant_values=-np.inf)  # whole numbers know no infinity
    y, places = max_pool2d(padded, window, stride)
    rows, columns = np.divmod(places, padded.shape[1])
    return y, (rows - padding) * x.shape[1] + columns - padding


def shared_out(dy, size, height, part, at):
    dx = np.zeros(size)
    for i in range(dy.shape[0]):
        for j in range(dy.shape[1]):
            top, left = at(i, j)
            dx[top : top + height, left : left + height] += dy[i, j] / part
    return dx


@written("avgpool_backward", "a stride wide")
def _(dy, window, stride, size):
    return shared_out(dy, size, stride, window**2, lambda i, j: (i * stride, j * stride))


@written("avgpool_backward", "rows and columns of the gradient swapped")
def _(dy, window, stride, size):
    return shared_out(dy, size, window, window**2, lambda i, j: (j * stride, i * stride))


@written("avgpool_backward", "made for the size turned round")
def _(dy, window, stride, size):
    return shared_out(dy, (size[1], size[0]), window, window**2, lambda i, j: (i * stride, j * stride))
