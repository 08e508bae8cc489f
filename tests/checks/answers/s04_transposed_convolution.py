"""The exercises of lesson 04: right answers in many styles, and mistakes as students write them."""

import itertools

import numpy as np
import scipy.linalg
import torch
import torch.nn.functional as F

from tests.checks.judging import told, written
from unet_edu.convolution import conv2d, output_size
from unet_edu.matrix import conv2d_matrix
from unet_edu.transposed import conv_transpose2d, overlap_count, transposed_size


def matrix_by_four_loops(k, h, w):
    kH, kW = k.shape
    A = []
    for i in range(h - kH + 1):
        for j in range(w - kW + 1):
            A.append([0.0] * (h * w))
            for u in range(kH):
                for v in range(kW):
                    A[-1][(i + u) * w + j + v] = k[u, v]
    return A


def matrix_by_planes(k, h, w):
    h_out, w_out = np.subtract((h, w), k.shape) + 1
    A = np.zeros((h_out, w_out, h, w))
    for i, j in np.ndindex(h_out, w_out):
        A[i, j, i : i + k.shape[0], j : j + k.shape[1]] = k
    return A.reshape(h_out * w_out, h * w)


def matrix_by_probing(k, h, w):
    """One pixel at a time: what the convolution makes of it is a column."""
    return np.stack([conv2d(pixel.reshape(h, w), k).ravel() for pixel in np.eye(h * w)], axis=1)


def matrix_by_toeplitz_blocks(k, h, w):
    kH, kW = k.shape
    blocks = [scipy.linalg.toeplitz([row[0], *[0] * (w - kW)], [*row, *[0] * (w - kW)]) for row in k]
    return np.block(
        [[blocks[b - a] if 0 <= b - a < kH else np.zeros((w - kW + 1, w)) for b in range(h)] for a in range(h - kH + 1)]
    )


def matrix_by_index_arrays(k, h, w):
    i, j, u, v = np.indices((h - k.shape[0] + 1, w - k.shape[1] + 1, *k.shape))
    A = np.zeros((i.shape[0] * i.shape[1], h * w), np.float32)
    A[i * i.shape[1] + j, (i + u) * w + j + v] = np.broadcast_to(k, i.shape)
    return A


def matrix_in_torch(k, h, w):
    weight = torch.tensor(k, dtype=torch.float32)[None, None]
    x = torch.zeros(1, 1, h, w)
    return torch.autograd.functional.jacobian(lambda x: F.conv2d(x, weight).flatten(), x).reshape(-1, h * w)


def up_by_loops(y, A, size):
    x = [0.0] * (size[0] * size[1])
    for r, row in enumerate(A):
        for n, weight in enumerate(row):
            x[n] += weight * y.ravel()[r]
    return np.array(x).reshape(size)


def up_in_torch(y, A, size):
    y, A = torch.tensor(y, dtype=torch.float32), torch.tensor(A, dtype=torch.float32, requires_grad=True)
    return (A.T @ y.flatten()).view(size)


def stamps_by_numbers(x, k, stride=1, padding=0):
    (H, W), (kH, kW) = x.shape, k.shape
    y = np.zeros(((H - 1) * stride + kH, (W - 1) * stride + kW))
    for i, j, u, v in itertools.product(range(H), range(W), range(kH), range(kW)):
        y[i * stride + u, j * stride + v] += x[i, j] * k[u, v]
    return y[padding : len(y) - padding, padding : y.shape[1] - padding]


def stamps_that_never_leave(x, k, stride=1, padding=0):
    """Writes only what is inside; nothing is cropped."""
    H, W = (np.array(x.shape) - 1) * stride + k.shape - 2 * np.array(padding)
    y = [[0.0] * W for _ in range(H)]
    for i, j, u, v in itertools.product(*map(range, (*x.shape, *k.shape))):
        row, column = i * stride + u - padding, j * stride + v - padding
        if 0 <= row < H and 0 <= column < W:
            y[row][column] += x[i, j] * k[u, v]
    return y


def stamps_by_zeros(x, k, stride=1, padding=0):
    spread = np.zeros((np.array(x.shape) - 1) * stride + 1)
    spread[::stride, ::stride] = x
    spread = np.pad(spread, [(k.shape[0] - 1,), (k.shape[1] - 1,)])
    y = conv2d(spread, k[::-1, ::-1])
    return y[padding : len(y) - padding, padding : y.shape[1] - padding]


def stamps_by_matrix(x, k, stride=1, padding=0):
    size = (np.array(x.shape) - 1) * stride + k.shape - 2 * padding
    A = conv2d_matrix(k, tuple(size.tolist()), stride=stride, padding=padding)
    return (A.T @ x.ravel()).reshape(size)


def stamps_tap_by_tap(x, k, stride=1, padding=0):
    y = np.zeros((np.array(x.shape) - 1) * stride + k.shape, np.float32)
    for u, v in np.ndindex(k.shape):
        y[u : u + (len(x) - 1) * stride + 1 : stride, v : v + (x.shape[1] - 1) * stride + 1 : stride] += x * k[u, v]
    return y[padding:-padding, padding:-padding] if padding else y


def stamps_in_torch(x, k, stride=1, padding=0):
    x, k = (torch.tensor(a, dtype=torch.float32)[None, None] for a in (x, k))
    return F.conv_transpose2d(x, k, stride=stride, padding=padding)[0, 0]


def size_by_searching(i, k, s=1, p=0, op=0):
    return next(n for n in itertools.count(max(1, k - 2 * p)) if output_size(n, k, s, p) == i) + op


def counts_by_loops(n, k, s):
    counts = [0] * ((n - 1) * s + k)
    for j in range(n):
        for u in range(k):
            counts[j * s + u] += 1
    return counts


def counts_in_floats(n, k, s):
    counts = np.zeros((n - 1) * s + k)
    for j in range(n):
        counts[j * s : j * s + k] += 1
    return counts


def counts_in_torch(n, k, s):
    return F.conv_transpose1d(torch.ones(1, 1, n), torch.ones(1, 1, k), stride=s)[0, 0]


def repaired_by_stamps(x, w, stride=1):
    (C, H, W), (_, M, kH, kW) = x.shape, w.shape
    y = np.zeros((M, (H - 1) * stride + kH, (W - 1) * stride + kW))
    for c, i, j in np.ndindex(C, H, W):
        y[:, i * stride : i * stride + kH, j * stride : j * stride + kW] += x[c, i, j] * w[c]
    return y


def repaired_map_by_map(x, w, stride=1):
    return [sum(stamps_by_numbers(x[c], w[c, m], stride) for c in range(len(x))) for m in range(w.shape[1])]


def repaired_tap_by_tap(x, w, stride=1):
    (_, H, W), (kH, kW) = x.shape, w.shape[2:]
    y = np.zeros((w.shape[1], (H - 1) * stride + kH, (W - 1) * stride + kW), np.float32)
    for u, v in np.ndindex(kH, kW):
        y[:, u : u + (H - 1) * stride + 1 : stride, v : v + (W - 1) * stride + 1 : stride] += np.einsum(
            "chw,cm->mhw", x, w[:, :, u, v]
        )
    return y


def repaired_in_torch(x, w, stride=1):
    return F.conv_transpose2d(torch.tensor(x[None] * 1.0), torch.tensor(w * 1.0), stride=stride)[0]


def repaired_and_cut(x, w, stride=1):
    """The zeros behind the last pixel are left, and what comes of them is cut off."""
    (C, H, W), (_, M, kH, kW) = x.shape, w.shape
    spread = np.zeros((C, H * stride, W * stride))
    spread[:, ::stride, ::stride] = x
    spread = np.pad(spread, ((0, 0), (kH - 1, kH - 1), (kW - 1, kW - 1)))
    y = np.zeros((M, (H - 1) * stride + kH, (W - 1) * stride + kW))
    for m, i, j in np.ndindex(y.shape):
        y[m, i, j] = sum((spread[c, i : i + kH, j : j + kW] * np.rot90(w[c, m], 2)).sum() for c in range(C))
    return y


def even_by_loops(k, stride):
    sums = np.zeros((stride, stride))
    for u, v in np.ndindex(k.shape):
        sums[u % stride, v % stride] += k[u, v]
    return [[k[u, v] / sums[u % stride, v % stride] for v in range(k.shape[1])] for u in range(k.shape[0])]


def even_in_a_copy(k, stride):
    k = k.astype(float)
    for a in range(stride):
        for b in range(stride):
            k[a::stride, b::stride] /= k[a::stride, b::stride].sum()
    return k


def even_by_stamps(k, stride):
    H, W = k.shape
    grown = stamps_by_numbers(np.ones((2 * H, 2 * W)), k, stride)  # inside, it repeats itself
    top, left = H // stride * stride, W // stride * stride
    return k / grown[top : top + H, left : left + W]


def even_by_padding(k, stride):
    H, W = k.shape
    padded = np.pad(k, ((0, -H % stride), (0, -W % stride)))
    sums = padded.reshape(len(padded) // stride, stride, -1, stride).sum(axis=(0, 2), keepdims=True)
    even = padded.reshape(len(padded) // stride, stride, -1, stride) / sums
    return torch.tensor(even.reshape(padded.shape)[:H, :W])


RIGHT = {
    "conv_matrix": [
        matrix_by_four_loops,
        matrix_by_planes,
        matrix_by_probing,
        matrix_by_toeplitz_blocks,
        matrix_by_index_arrays,
        matrix_in_torch,
        lambda k, h, w: conv2d_matrix(k, (h, w)),
    ],
    "tconv_matrix": [
        up_by_loops,
        up_in_torch,
        lambda y, A, size: (y.ravel() @ A).reshape(size),
        lambda y, A, size: np.reshape(np.dot(A.transpose(), y.reshape(-1, 1)), size),
        lambda y, A, size: np.einsum("rn,r->n", A.astype(np.float32), y.ravel()).reshape(*size),
    ],
    "tconv2d_scatter": [
        stamps_by_numbers,
        stamps_that_never_leave,
        stamps_by_zeros,
        stamps_by_matrix,
        stamps_tap_by_tap,
        stamps_in_torch,
        lambda x, k, stride=1, padding=0: conv_transpose2d(x, k, stride=stride, padding=padding),
    ],
    "tconv_size": [
        size_by_searching,
        lambda i, k, s=1, p=0, op=0: s * i - s + k - p - p + op,
        lambda i, k, s=1, p=0, op=0: np.int64((i - 1) * s - 2 * p + k + op),
        lambda i, k, s=1, p=0, op=0: torch.nn.ConvTranspose1d(1, 1, k, s, p, op)(torch.zeros(1, 1, i)).shape[-1],
        lambda i, k, s=1, p=0, op=0: transposed_size(i, k, s, p, op),
    ],
    "overlap_counts": [
        counts_by_loops,
        counts_in_floats,
        counts_in_torch,
        lambda n, k, s: np.bincount([j * s + u for j in range(n) for u in range(k)], minlength=(n - 1) * s + k),
        lambda n, k, s: [sum(0 <= t - j * s < k for j in range(n)) for t in range((n - 1) * s + k)],
        lambda n, k, s: overlap_count(n, k, s),
    ],
    "repair_tconv": [
        repaired_by_stamps,
        repaired_map_by_map,
        repaired_tap_by_tap,
        repaired_in_torch,
        repaired_and_cut,
        lambda x, w, stride=1: conv_transpose2d(x[None], w, stride=stride)[0],
    ],
    "even_kernel": [even_by_loops, even_in_a_copy, even_by_stamps, even_by_padding],
}


# --- mistakes as students write them ----------------------------------------------------------------------------------


@written("conv_matrix", "kernel without gaps, rows one apart")
def _(k, h, w):
    kH, kW = k.shape
    A = np.zeros(((h - kH + 1) * (w - kW + 1), h * w))
    for r in range(len(A)):
        A[r, r : r + k.size] = k.ravel()
    return A


@written("tconv2d_scatter", "kernel flipped")
def _(x, k, stride=1, padding=0):
    spread = np.zeros((np.array(x.shape) - 1) * stride + 1)
    spread[::stride, ::stride] = x
    y = conv2d(np.pad(spread, [(k.shape[0] - 1,), (k.shape[1] - 1,)]), k)
    return y[padding : len(y) - padding, padding : y.shape[1] - padding]


@written("overlap_counts", "stamps one apart in a large output")
def _(n, k, s):
    counts = np.zeros((n - 1) * s + k, dtype=int)
    for j in range(n):
        counts[j : j + k] += 1
    return counts


@written("overlap_counts", "border ignored")
def _(n, k, s):
    inside = [len(range(t % s, k, s)) for t in range((n - 1) * s + k)]  # taps that meet pixel t
    return inside


@written("repair_tconv", "kernel turned upside down only")
def _(x, w, stride=1):
    return repaired_by_stamps(x, w[..., ::-1], stride)


def repaired_with(meet):
    """The given code, mended but for how a window meets the kernels of a map."""

    def repair(x, w, stride=1):
        (channels, H, W), (_, maps, kH, kW) = x.shape, w.shape
        spread = np.zeros((channels, (H - 1) * stride + 1, (W - 1) * stride + 1))
        spread[:, ::stride, ::stride] = x
        spread = np.pad(spread, ((0, 0), (kH - 1, kH - 1), (kW - 1, kW - 1)))
        y = np.zeros((maps, spread.shape[1] - kH + 1, spread.shape[2] - kW + 1))
        for m, i, j in np.ndindex(y.shape):
            y[m, i, j] = meet(spread[:, i : i + kH, j : j + kW], w[:, m])
        return y

    return repair


@written("repair_tconv", "channels turned, and rows")
def _(x, w, stride=1):
    return repaired_with(lambda window, k: np.sum(window * k[::-1, ::-1]))(x, w, stride)


@written("repair_tconv", "channels turned, too")
def _(x, w, stride=1):
    return repaired_with(lambda window, k: np.sum(window * np.flip(k)))(x, w, stride)


@written("repair_tconv", "each channel meets all weights")
def _(x, w, stride=1):
    return repaired_with(lambda window, k: sum(np.sum(window * one[::-1, ::-1]) for one in k))(x, w, stride)


@written("repair_tconv", "only the last channel")
def _(x, w, stride=1):
    for c in range(len(x)):
        y = repaired_by_stamps(x[c : c + 1], w[c : c + 1], stride)
    return y


@written("even_kernel", "one sum for the whole kernel")
def _(k, stride):
    return k / k.sum()


@written("even_kernel", "groups along the diagonal")
def _(k, stride):
    even = k.astype(float)
    for a in range(stride):
        even[a::stride, a::stride] /= even[a::stride, a::stride].sum()
    return even


# --- what is told of other mistakes -----------------------------------------------------------------------------------


@told("conv_matrix", "of type int, which cuts off the fractions")
def _(k, h, w):
    return np.array(matrix_by_four_loops(k, h, w)).astype(int)


@told("tconv2d_scatter", "Cannot cast", "np.zeros(shape) makes an array of floats")
def _(x, k, stride=1, padding=0):
    y = np.zeros((np.array(x.shape) - 1) * stride + k.shape, int)
    for i, j in np.ndindex(x.shape):
        y[i * stride : i * stride + len(k), j * stride : j * stride + k.shape[1]] += x[i, j] * k
    return y[padding : len(y) - padding, padding : y.shape[1] - padding]


@told("tconv2d_scatter", "could not be broadcast", "hang over the edge")
def _(x, k, stride=1, padding=0):
    y = np.zeros(np.array(x.shape) * stride)
    for i, j in np.ndindex(x.shape):
        y[i * stride : i * stride + len(k), j * stride : j * stride + k.shape[1]] += x[i, j] * k
    return y


@told("even_kernel", "changes its input")
def _(k, stride):
    for a, b in np.ndindex(stride, stride):
        k[a::stride, b::stride] = k[a::stride, b::stride] / k[a::stride, b::stride].sum()
    return k


@written("even_kernel", "groups along the diagonal, zeros elsewhere")
def _(k, stride):
    even = np.zeros(k.shape)
    for a in range(stride):
        even[a::stride, a::stride] = k[a::stride, a::stride] / k[a::stride, a::stride].sum()
    return even


@written("even_kernel", "groups begin everywhere")
def _(k, stride):
    even = np.zeros(k.shape)
    for a in range(k.shape[0]):
        for b in range(k.shape[1]):
            group = k[a::stride, b::stride]
            even[a::stride, b::stride] = group / group.sum()
    return even


@written("even_kernel", "rows, then columns")
def _(k, stride):
    even = k.astype(float)
    for a in range(stride):
        even[a::stride] /= even[a::stride].sum()
    for b in range(stride):
        even[:, b::stride] /= even[:, b::stride].sum()
    return even


@written("even_kernel", "one column per group")
def _(k, stride):
    even = np.zeros(k.shape)
    for a in range(stride):
        for b in range(k.shape[1]):
            even[a::stride, b] = k[a::stride, b] / k[a::stride, b].sum()
    return even
