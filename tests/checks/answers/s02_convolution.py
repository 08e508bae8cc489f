"""The exercises of lesson 02: right answers in many styles, and mistakes as students write them."""

import math

import numpy as np
import scipy.signal
import torch
import torch.nn.functional as F
from numpy.lib.stride_tricks import sliding_window_view

from tests.checks.judging import told, written
from unet_edu.convolution import conv2d_grad_input


def plane_by_four_loops(x, k):
    H, W, kH, kW = *x.shape, *k.shape
    y = []
    for i in range(H - kH + 1):
        y.append([])
        for j in range(W - kW + 1):
            y[i].append(sum(x[i + u][j + v] * k[u][v] for u in range(kH) for v in range(kW)))
    return y


def plane_by_windows(x, k):
    return np.einsum("ijuv,uv->ij", sliding_window_view(x, k.shape), k)


def plane_by_matrix(x, k):
    shape = np.subtract(x.shape, k.shape) + 1
    rows = []
    for i, j in np.ndindex(*shape):
        row = np.zeros(x.shape)
        row[i : i + k.shape[0], j : j + k.shape[1]] = k
        rows.append(row.ravel())
    return (np.array(rows) @ x.ravel()).reshape(shape)


def plane_in_float32(x, k):
    return plane_by_windows(x.astype(np.float32), k.astype(np.float32))


def plane_in_torch(x, k):
    weight = torch.tensor(k, dtype=torch.float32, requires_grad=True)
    return F.conv2d(torch.tensor(x, dtype=torch.float32)[None, None], weight[None, None])[0, 0]


def plane_in_scipy(x, k):
    return scipy.signal.correlate2d(x, k, mode="valid")


def batch_by_planes(x, w, bias=None, stride=1, padding=0):
    down, right = np.broadcast_to(stride, 2)
    x = np.pad(x, [(0, 0), (0, 0), (padding, padding), (padding, padding)])
    y = np.array([[sum(map(plane_in_scipy, image, kernels)) for kernels in w] for image in x])[:, :, ::down, ::right]
    return y if bias is None else y + np.asarray(bias)[:, None, None]


def batch_by_windows(x, w, bias=None, stride=1, padding=0):
    down, right = (stride, stride) if isinstance(stride, int) else stride
    padded = np.zeros((*x.shape[:2], x.shape[2] + 2 * padding, x.shape[3] + 2 * padding))
    padded[:, :, padding : padding + x.shape[2], padding : padding + x.shape[3]] = x
    windows = sliding_window_view(padded, w.shape[2:], axis=(2, 3))[:, :, ::down, ::right]
    y = np.einsum("ncijuv,ocuv->noij", windows, w)
    return y if bias is None else y + np.reshape(bias, (1, -1, 1, 1))


def batch_in_torch(x, w, bias=None, stride=1, padding=0):
    x, w = (torch.tensor(a, dtype=torch.float32, requires_grad=True) for a in (x, w))
    bias = None if bias is None else torch.tensor(bias, dtype=torch.float32)
    return F.conv2d(x, w, bias, stride=stride, padding=padding)


def field_by_products(layers):
    strides = [1, *(s for _, s in layers)]
    steps = [(k - 1) * math.prod(strides[: n + 1]) for n, (k, _) in enumerate(layers)]
    return 1 + np.cumsum(steps)


def field_by_walking_back(layers):
    sizes = []
    for n in range(len(layers)):
        size = 1
        for k, s in reversed(layers[: n + 1]):
            size = (size - 1) * s + k
        sizes.append(size)
    return tuple(sizes)


def field_by_adjoint(layers):
    sizes = []
    for n in range(len(layers)):
        back = np.ones((1, 1))
        for k, s in reversed(layers[: n + 1]):
            width = (back.shape[1] - 1) * s + k
            back = conv2d_grad_input(back, np.ones((1, k)), (1, width), stride=(1, s))
        sizes.append(back.shape[1])
    return torch.tensor(sizes)


def around_by_remainders(x, k):
    (H, W), (kH, kW) = x.shape, k.shape
    y = np.zeros((H, W))
    for i, j in np.ndindex(H, W):
        for u, v in np.ndindex(kH, kW):
            row, column = i + u - kH // 2, (j + v - kW // 2) % W
            if 0 <= row < H:
                y[i, j] += k[u, v] * x[row, column]
    return y


def around_by_padding(x, k):
    a, b = k.shape[0] // 2, k.shape[1] // 2
    x = np.pad(x, ((0, 0), (b, b)), mode="wrap")
    x = np.pad(x, ((a, a), (0, 0)))
    return plane_by_four_loops(x, k)


def around_by_rolling(x, k):
    """Each weight moves the whole image."""
    kH, kW = k.shape
    x = np.vstack([np.zeros((kH // 2, x.shape[1])), x, np.zeros((kH // 2, x.shape[1]))])
    H = x.shape[0] - kH + 1
    return sum(k[u, v] * np.roll(x, kW // 2 - v, axis=1)[u : u + H] for u, v in np.ndindex(kH, kW))


def around_in_torch(x, k):
    x = F.pad(torch.tensor(x, dtype=torch.float64)[None, None], (k.shape[1] // 2, k.shape[1] // 2, 0, 0), "circular")
    return F.conv2d(x, torch.tensor(k, dtype=torch.float64)[None, None], padding=(k.shape[0] // 2, 0))[0, 0]


RIGHT = {
    "conv2d_naive": [
        plane_by_four_loops,
        plane_by_windows,
        plane_by_matrix,
        plane_in_float32,
        plane_in_torch,
        plane_in_scipy,
    ],
    "out_size": [
        lambda i, k, s=1, p=0, d=1: math.floor((i + 2 * p - d * (k - 1) - 1) / s + 1),
        lambda i, k, s=1, p=0, d=1: len(range(0, i + 2 * p - d * (k - 1), s)),
        lambda i, k, s=1, p=0, d=1: (np.int64(i) + 2 * p - d * (k - 1) - 1) // s + 1,
        lambda i, k, s=1, p=0, d=1: torch.tensor(len(torch.zeros(i + 2 * p).unfold(0, d * (k - 1) + 1, s))),
    ],
    "conv2d_multichannel": [batch_by_planes, batch_by_windows, batch_in_torch],
    "receptive_field": [field_by_products, field_by_walking_back, field_by_adjoint],
    "conv2d_panorama": [around_by_remainders, around_by_padding, around_by_rolling, around_in_torch],
}


# --- mistakes as students write them ----------------------------------------------------------------------------------


@written("conv2d_naive", "rows and columns swapped")
def _(x, k):
    """NumPy cuts its windows short."""
    kH, kW = k.shape
    y = np.zeros((x.shape[0] - kH + 1, x.shape[1] - kW + 1))
    for i, j in np.ndindex(y.shape):
        y[i, j] = (x[j : j + kH, i : i + kW] * k).sum()
    return y


@written("conv2d_naive", "made for kernels of 3×3")
def _(x, k):
    """The output alone is."""
    kH, kW = k.shape
    y = np.zeros((x.shape[0] - 2, x.shape[1] - 2))
    for i, j in np.ndindex(y.shape):
        y[i, j] = (x[i : i + kH, j : j + kW] * k).sum()
    return y


@written("conv2d_multichannel", "bias added along the columns")
def _(x, w, bias=None, stride=1, padding=0):
    """It rarely fits."""
    y = batch_by_windows(x, w, None, stride, padding)
    return y if bias is None else y + bias


@written("conv2d_panorama", "columns of the same end")
def _(x, k):
    b = k.shape[1] // 2
    a = k.shape[0] // 2
    around = np.zeros((x.shape[0] + 2 * a, x.shape[1] + 2 * b))
    around[a : a + x.shape[0], b : b + x.shape[1]] = x
    if b:
        around[a : a + x.shape[0], :b] = x[:, :b]
        around[a : a + x.shape[0], -b:] = x[:, -b:]
    return plane_by_windows(around, k)


@written("conv2d_panorama", "the last 0 columns")
def _(x, k):
    a, b = k.shape[0] // 2, k.shape[1] // 2
    around = np.hstack([x[:, -b:], x, x[:, :b]])
    return plane_by_windows(np.pad(around, ((a, a), (0, 0))), k)


@written("conv2d_panorama", "goes on in all directions")
def _(x, k):
    """Remainders for both indices."""
    (H, W), (kH, kW) = x.shape, k.shape
    y = np.zeros((H, W))
    for i, j in np.ndindex(H, W):
        for u, v in np.ndindex(kH, kW):
            y[i, j] += k[u, v] * x[(i + u - kH // 2) % H, (j + v - kW // 2) % W]
    return y


@written("conv2d_panorama", "window begins at its row")
def _(x, k):
    (H, W), (kH, kW) = x.shape, k.shape
    y = np.zeros((H, W))
    for i, j in np.ndindex(H, W):
        for u, v in np.ndindex(kH, kW):
            if i + u < H:
                y[i, j] += k[u, v] * x[i + u, (j + v - kW // 2) % W]
    return y


# --- what is told of other mistakes -----------------------------------------------------------------------------------


@told("conv2d_naive", "stopped at `raise NotImplementedError`")
def _(x, k):
    if len(x) > 3:
        return plane_by_windows(x, k)
    raise NotImplementedError


@told("conv2d_naive", "`return`")
def _(x, k):
    if x.shape[0] == x.shape[1]:
        return plane_by_windows(x, k)


@told(
    "conv2d_naive",
    "could not be broadcast together with shapes (3,2) (3,3)",
    "does it hang over the edge of the image?",
)
def _(x, k):
    y = np.zeros(x.shape)
    for i, j in np.ndindex(y.shape):
        y[i, j] = (x[i : i + k.shape[0], j : j + k.shape[1]] * k).sum()
    return y


@told("conv2d_naive", "Does a loop go one step too far")
def _(x, k):
    H, W, kH, kW = *x.shape, *k.shape
    return [
        [sum(x[i + u, j + v] * k[u, v] for u, v in np.ndindex(k.shape)) for j in range(W - kW + 2)]
        for i in range(H - kH + 2)
    ]


@told("conv2d_naive", "setting an array element with a sequence", "Python's sum(a) adds up the rows")
def _(x, k):
    y = np.zeros(np.subtract(x.shape, k.shape) + 1)
    for i, j in np.ndindex(y.shape):
        y[i, j] = sum(x[i : i + k.shape[0], j : j + k.shape[1]] * k)
    return y


@told(
    "conv2d_naive",
    "could not be called",
    "Is its first line, with `def`, still as the notebook gave it?",
    "takes 1 positional argument but 2 were given",
)
def _(x):
    return x


@told("conv2d_naive", "slow_conv2d_cpu")
def _(x, k):
    raise NotImplementedError('"slow_conv2d_cpu" not implemented for Int')


@told("conv2d_naive", "RecursionError")
def endless(x, k):
    return endless(x, k)


@told("conv2d_naive", "MemoryError")
def _(x, k):
    raise MemoryError
