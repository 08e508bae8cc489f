"""Wrong answers to the exercises of lesson 04: the convolution's matrix and the transposed convolution."""

# ruff: noqa: F811

import numpy as np

from tests.checks.beginners import wrong

# conv_matrix


@wrong("conv_matrix", "the same plane is used for all windows and never emptied")
def conv_matrix(k, h, w):
    kH, kW = k.shape
    plane = np.zeros((h, w))
    rows = []
    for i in range(h - kH + 1):
        for j in range(w - kW + 1):
            plane[i : i + kH, j : j + kW] = k
            rows.append(plane.flatten())
    return np.array(rows)


@wrong("conv_matrix", "one plane without a copy: all rows show the last window")
def conv_matrix(k, h, w):
    kH, kW = k.shape
    plane = np.zeros((h, w))
    rows = []
    for i in range(h - kH + 1):
        for j in range(w - kW + 1):
            plane[:] = 0
            plane[i : i + kH, j : j + kW] = k
            rows.append(plane.ravel())
    return np.array(rows)


@wrong("conv_matrix", "the outputs counted column by column")
def conv_matrix(k, h, w):
    kH, kW = k.shape
    rows = []
    for j in range(w - kW + 1):
        for i in range(h - kH + 1):
            plane = np.zeros((h, w))
            plane[i : i + kH, j : j + kW] = k
            rows.append(plane.ravel())
    return np.array(rows)


@wrong("conv_matrix", "the pixels counted column by column")
def conv_matrix(k, h, w):
    kH, kW = k.shape
    rows = []
    for i in range(h - kH + 1):
        for j in range(w - kW + 1):
            plane = np.zeros((h, w))
            plane[i : i + kH, j : j + kW] = k
            rows.append(plane.T.ravel())
    return np.array(rows)


@wrong("conv_matrix", "the first row shifted by one for each output: windows run over the right border")
def conv_matrix(k, h, w):
    kH, kW = k.shape
    plane = np.zeros((h, w))
    plane[:kH, :kW] = k
    first = plane.ravel()
    n = (h - kH + 1) * (w - kW + 1)
    return np.array([np.roll(first, m) for m in range(n)])


@wrong("conv_matrix", "the planes are not flattened")
def conv_matrix(k, h, w):
    kH, kW = k.shape
    planes = []
    for i in range(h - kH + 1):
        for j in range(w - kW + 1):
            plane = np.zeros((h, w))
            plane[i : i + kH, j : j + kW] = k
            planes.append(plane)
    return np.array(planes)


@wrong("conv_matrix", "a matrix for whole numbers, and the last window of each row is left out")
def conv_matrix(k, h, w):
    kH, kW = k.shape
    A = np.zeros(((h - kH + 1) * (w - kW + 1), h * w), dtype=int)
    n = 0
    for i in range(h - kH + 1):
        for j in range(w - kW):
            for a in range(kH):
                for b in range(kW):
                    A[n, (i + a) * w + j + b] = k[a, b]
            n += 1
    return A


@wrong("conv_matrix", "the index of a pixel computed with the height in place of the width")
def conv_matrix(k, h, w):
    kH, kW = k.shape
    oh, ow = h - kH + 1, w - kW + 1
    A = np.zeros((oh * ow, h * w))
    for i in range(oh):
        for j in range(ow):
            for a in range(kH):
                for b in range(kW):
                    A[i * ow + j, ((i + a) * h + j + b) % (h * w)] = k[a, b]
    return A


# tconv_matrix


@wrong("tconv_matrix", "the result is not arranged as an image")
def tconv_matrix(y, A, size):
    return A.T @ y.ravel()


@wrong("tconv_matrix", "solved backwards with the pseudo-inverse: transposed is taken for inverse")
def tconv_matrix(y, A, size):
    x = np.linalg.pinv(A) @ y.ravel()
    return x.reshape(size)


@wrong("tconv_matrix", "the size turned over, too")
def tconv_matrix(y, A, size):
    x = A.T @ y.flatten()
    return x.reshape(size[1], size[0])


@wrong("tconv_matrix", "the small image turned over before it is flattened")
def tconv_matrix(y, A, size):
    return (A.T @ y.T.ravel()).reshape(size)


@wrong("tconv_matrix", "the last row of the matrix wins: = and not +=")
def tconv_matrix(y, A, size):
    image = np.zeros(size)
    for n, value in enumerate(y.ravel()):
        stamp = (value * A[n]).reshape(size)
        image[stamp != 0] = stamp[stamp != 0]
    return image


@wrong("tconv_matrix", "the mean of what arrives at each pixel")
def tconv_matrix(y, A, size):
    parts = [(value * row).reshape(size) for value, row in zip(y.ravel(), A, strict=True)]
    return np.mean(parts, axis=0)


@wrong("tconv_matrix", "A itself, cut to the number of rows that fits, and the rest filled with zeros")
def tconv_matrix(y, A, size):
    v = np.zeros(A.shape[1])
    v[: y.size] = y.ravel()
    result = np.zeros(size[0] * size[1])
    out = A @ v
    result[: min(len(out), len(result))] = out[: len(result)]
    return result.reshape(size)


@wrong("tconv_matrix", "column by column, both when it is flattened and when it is arranged")
def tconv_matrix(y, A, size):
    v = y.flatten(order="F")
    x = v @ A
    return x.reshape(size, order="F")


# tconv2d_scatter


@wrong("tconv2d_scatter", "overlaps overwrite: = and not +=")
def tconv2d_scatter(x, k, stride=1, padding=0):
    H, W = x.shape
    kH, kW = k.shape
    y = np.zeros(((H - 1) * stride + kH, (W - 1) * stride + kW))
    for i in range(H):
        for j in range(W):
            top, left = i * stride, j * stride
            y[top : top + kH, left : left + kW] = x[i, j] * k
    return y[padding : y.shape[0] - padding, padding : y.shape[1] - padding]


@wrong("tconv2d_scatter", "zeros are added on each side and not taken away")
def tconv2d_scatter(x, k, stride=1, padding=0):
    H, W = x.shape
    kH, kW = k.shape
    y = np.zeros(((H - 1) * stride + kH, (W - 1) * stride + kW))
    for i in range(H):
        for j in range(W):
            y[i * stride : i * stride + kH, j * stride : j * stride + kW] += x[i, j] * k
    return np.pad(y, padding)


@wrong("tconv2d_scatter", "cut with -padding, so nothing is left without a padding")
def tconv2d_scatter(x, k, stride=1, padding=0):
    H, W = x.shape
    kH, kW = k.shape
    y = np.zeros(((H - 1) * stride + kH, (W - 1) * stride + kW))
    for i in range(H):
        for j in range(W):
            y[i * stride : i * stride + kH, j * stride : j * stride + kW] += x[i, j] * k
    return y[padding:-padding, padding:-padding]


@wrong("tconv2d_scatter", "the padding is cut above and left only, and overlaps overwrite")
def tconv2d_scatter(x, k, stride=1, padding=0):
    H, W = x.shape
    kH, kW = k.shape
    y = np.zeros(((H - 1) * stride + kH, (W - 1) * stride + kW))
    for i in range(H):
        for j in range(W):
            y[i * stride : i * stride + kH, j * stride : j * stride + kW] = k * x[i, j]
    return y[padding:, padding:]


@wrong("tconv2d_scatter", "an image of stride · H rows: the last stamps stand out and are cut")
def tconv2d_scatter(x, k, stride=1, padding=0):
    H, W = x.shape
    kH, kW = k.shape
    y = np.zeros((H * stride, W * stride))
    for i in range(H):
        for j in range(W):
            for a in range(kH):
                for b in range(kW):
                    r, c = i * stride + a, j * stride + b
                    if r < H * stride and c < W * stride:
                        y[r, c] += x[i, j] * k[a, b]
    return y[padding : y.shape[0] - padding, padding : y.shape[1] - padding]


@wrong("tconv2d_scatter", "stride counted from the end of a stamp, so that none overlap")
def tconv2d_scatter(x, k, stride=1, padding=0):
    H, W = x.shape
    kH, kW = k.shape
    sh, sw = kH + stride - 1, kW + stride - 1
    y = np.zeros(((H - 1) * sh + kH, (W - 1) * sw + kW))
    for i in range(H):
        for j in range(W):
            y[i * sh : i * sh + kH, j * sw : j * sw + kW] += x[i, j] * k
    return y[padding : y.shape[0] - padding, padding : y.shape[1] - padding]


@wrong("tconv2d_scatter", "kernel turned over, and an image of whole numbers as in the example")
def tconv2d_scatter(x, k, stride=1, padding=0):
    H, W = x.shape
    kH, kW = k.shape
    y = np.zeros(((H - 1) * stride + kH, (W - 1) * stride + kW), dtype=int)
    for i in range(H):
        for j in range(W):
            for a in range(kH):
                for b in range(kW):
                    y[i * stride + a, j * stride + b] += int(x[i, j] * k[-1 - a, -1 - b])
    return y[padding : y.shape[0] - padding, padding : y.shape[1] - padding]


@wrong("tconv2d_scatter", "np.kron lays the stamps side by side, and the stride divides the numbers")
def tconv2d_scatter(x, k, stride=1, padding=0):
    y = np.kron(x, k) / stride
    return y[padding : y.shape[0] - padding, padding : y.shape[1] - padding]


# tconv_size


@wrong("tconv_size", "i · s and not (i - 1) · s")
def tconv_size(i, k, s=1, p=0, op=0):
    return i * s + k - 2 * p + op


@wrong("tconv_size", "the padding at one end only, and the output padding ignored")
def tconv_size(i, k, s=1, p=0, op=0):
    return (i - 1) * s + k - p


@wrong("tconv_size", "the output padding at both ends")
def tconv_size(i, k, s=1, p=0, op=0):
    return (i - 1) * s + k - 2 * p + 2 * op


@wrong("tconv_size", "brackets forgotten: i - 1 · s")
def tconv_size(i, k, s=1, p=0, op=0):
    return i - 1 * s + k - 2 * p + op


@wrong("tconv_size", "the formula of the convolution, turned around in the head: k - 1 for k")
def tconv_size(i, k, s=1, p=0, op=0):
    size = (i - 1) * s
    size += k - 1
    size -= 2 * p
    size += op
    return size


@wrong("tconv_size", "printed, not returned")
def tconv_size(i, k, s=1, p=0, op=0):
    size = s * (i - 1) + k + op - 2 * p
    print(size)


@wrong("tconv_size", "the output padding scales with the stride, and the padding is added")
def tconv_size(i, k, s=1, p=0, op=0):
    return s * (i - 1 + op) + k + 2 * p


@wrong("tconv_size", "made to fit the first rows of the table: one formula for stride 1, another that doubles")
def tconv_size(i, k, s=1, p=0, op=0):
    if s == 1:
        return i + k - 1 - 2 * p
    return 2 * i + (k - s) - 2 * p + op


# overlap_counts


@wrong("overlap_counts", "the stamp covers one pixel too few")
def overlap_counts(n, k, s):
    counts = [0] * ((n - 1) * s + k)
    for j in range(n):
        for m in range(j * s, j * s + k - 1):
            counts[m] += 1
    return counts


@wrong("overlap_counts", "the stride ignored where the stamps are laid down")
def overlap_counts(n, k, s):
    counts = np.zeros((n - 1) * s + k, dtype=int)
    for j in range(n):
        counts[j : j + k] += 1
    return counts


@wrong("overlap_counts", "set to 1, and an answer as long as n · s + k")
def overlap_counts(n, k, s):
    y = np.zeros(n * s + k)
    for j in range(n):
        y[j * s : j * s + k] = 1
    return y


@wrong("overlap_counts", "an answer as long as n · s")
def overlap_counts(n, k, s):
    y = np.zeros(n * s, dtype=int)
    for j in range(n):
        y[j * s : j * s + k] += 1
    return y


@wrong("overlap_counts", "k and s exchanged")
def overlap_counts(n, k, s):
    out = [0] * ((n - 1) * k + s)
    for j in range(n):
        for m in range(s):
            out[j * k + m] += 1
    return out


@wrong("overlap_counts", "from the pattern of the first example: 1 and 2 in turn, 1, 1 at the ends")
def overlap_counts(n, k, s):
    length = (n - 1) * s + k
    y = []
    for m in range(length):
        if m < s or m >= length - s:
            y.append(1)
        elif m % s < k - s:
            y.append(2)
        else:
            y.append(1)
    return y


@wrong("overlap_counts", "a stamp of one pixel too many, and the last stamp missing")
def overlap_counts(n, k, s):
    size = (n - 1) * s + k
    counts = [0] * size
    for j in range(n - 1):
        for m in range(k + 1):
            counts[j * s + m] += 1
    return counts


@wrong("overlap_counts", "the counts of the whole plane, both sides")
def overlap_counts(n, k, s):
    y = np.zeros((n - 1) * s + k, dtype=int)
    for j in range(n):
        y[j * s : j * s + k] += 1
    return np.outer(y, y)


# repair_tconv


@wrong("repair_tconv", "the size repaired, and nothing else")
def repair_tconv(x, w, stride=1):
    channels, H, W = x.shape
    _, maps, kH, kW = w.shape
    spread = np.zeros((channels, (H - 1) * stride + 1, (W - 1) * stride + 1))
    spread[:, ::stride, ::stride] = x
    spread = np.pad(spread, ((0, 0), (kW - 1, kW - 1), (kH - 1, kH - 1)))
    rows, columns = spread.shape[1] - kH + 1, spread.shape[2] - kW + 1
    y = np.zeros((maps, rows, columns))
    for m in range(maps):
        for i in range(rows):
            for j in range(columns):
                y[m, i, j] = np.sum(spread[:, i : i + kH, j : j + kW] * w[0, m])
    return y


@wrong("repair_tconv", "all repaired, but the kernel's channels are turned, too: [::-1] on every axis")
def repair_tconv(x, w, stride=1):
    channels, H, W = x.shape
    _, maps, kH, kW = w.shape
    spread = np.zeros((channels, (H - 1) * stride + 1, (W - 1) * stride + 1))
    spread[:, ::stride, ::stride] = x
    spread = np.pad(spread, ((0, 0), (kH - 1, kH - 1), (kW - 1, kW - 1)))
    rows, columns = spread.shape[1] - kH + 1, spread.shape[2] - kW + 1
    y = np.zeros((maps, rows, columns))
    for m in range(maps):
        for i in range(rows):
            for j in range(columns):
                y[m, i, j] = np.sum(spread[:, i : i + kH, j : j + kW] * w[::-1, m, ::-1, ::-1])
    return y


@wrong("repair_tconv", "the maps turned round with the kernel")
def repair_tconv(x, w, stride=1):
    channels, H, W = x.shape
    _, maps, kH, kW = w.shape
    w = w[:, ::-1, ::-1, ::-1]
    spread = np.zeros((channels, (H - 1) * stride + 1, (W - 1) * stride + 1))
    spread[:, ::stride, ::stride] = x
    spread = np.pad(spread, ((0, 0), (kH - 1, kH - 1), (kW - 1, kW - 1)))
    rows, columns = spread.shape[1] - kH + 1, spread.shape[2] - kW + 1
    y = np.zeros((maps, rows, columns))
    for m in range(maps):
        for i in range(rows):
            for j in range(columns):
                y[m, i, j] = np.sum(spread[:, i : i + kH, j : j + kW] * w[:, m])
    return y


@wrong("repair_tconv", "stamps, but each pixel's channels are added up before, and meet the first kernel")
def repair_tconv(x, w, stride=1):
    _, H, W = x.shape
    _, maps, kH, kW = w.shape
    y = np.zeros((maps, (H - 1) * stride + kH, (W - 1) * stride + kW))
    pixels = x.sum(axis=0)
    for m in range(maps):
        for i in range(H):
            for j in range(W):
                y[m, i * stride : i * stride + kH, j * stride : j * stride + kW] += pixels[i, j] * w[0, m]
    return y


# even_kernel


@wrong("even_kernel", "the whole kernel divided by its sum")
def even_kernel(k, stride):
    return k / np.sum(k)


@wrong("even_kernel", "divided by how many stamps a pixel gets: (k / stride)²")
def even_kernel(k, stride):
    kH, kW = k.shape
    return k / ((kH / stride) * (kW / stride))


@wrong("even_kernel", "each row divided by its sum, then each column")
def even_kernel(k, stride):
    even = k / k.sum(axis=1, keepdims=True)
    return even / even.sum(axis=0, keepdims=True)


@wrong("even_kernel", "the loops end one too early: range(stride - 1)")
def even_kernel(k, stride):
    even = np.array(k, dtype=float)
    for a in range(stride - 1):
        for b in range(stride - 1):
            even[a::stride, b::stride] = k[a::stride, b::stride] / k[a::stride, b::stride].sum()
    return even
