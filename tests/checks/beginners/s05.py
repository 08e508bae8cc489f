"""Wrong answers to the exercises of lesson 05: maxpool_idx, maxunpool, maxpool_backward, repair_maxpool,
avgpool_backward."""

# ruff: noqa: F811

import numpy as np

from tests.checks.beginners import wrong

# maxpool_idx


@wrong("maxpool_idx", "the index counts within the window")
def maxpool_idx(x):
    H, W = x.shape
    y = np.zeros((H // 2, W // 2))
    idx = np.zeros((H // 2, W // 2), dtype=int)
    for i in range(H // 2):
        for j in range(W // 2):
            window = x[2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
            y[i, j] = window.max()
            idx[i, j] = window.argmax()
    return y, idx


@wrong("maxpool_idx", "the index of the window's corner, and the running maximum starts at 0")
def maxpool_idx(x):
    H, W = x.shape
    y = np.zeros((H // 2, W // 2))
    idx = np.zeros((H // 2, W // 2), dtype=int)
    for i in range(H // 2):
        for j in range(W // 2):
            for a in range(2):
                for b in range(2):
                    y[i, j] = max(y[i, j], x[2 * i + a, 2 * j + b])
            idx[i, j] = 2 * i * W + 2 * j
    return y, idx


@wrong("maxpool_idx", "the height in place of the width: r · H + c")
def maxpool_idx(x):
    H, W = x.shape
    y = np.zeros((H // 2, W // 2))
    idx = np.zeros((H // 2, W // 2), dtype=int)
    for i in range(H // 2):
        for j in range(W // 2):
            window = x[2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
            n = window.argmax()
            row, column = 2 * i + n // 2, 2 * j + n % 2
            y[i, j] = x[row, column]
            idx[i, j] = row * H + column
    return y, idx


@wrong("maxpool_idx", "the place searched by value in the whole image, the first one taken")
def maxpool_idx(x):
    H, W = x.shape
    y = np.zeros((H // 2, W // 2))
    idx = np.zeros((H // 2, W // 2), dtype=int)
    flat = list(x.ravel())
    for i in range(H // 2):
        for j in range(W // 2):
            y[i, j] = np.max(x[2 * i : 2 * i + 2, 2 * j : 2 * j + 2])
            idx[i, j] = flat.index(y[i, j])
    return y, idx


@wrong("maxpool_idx", "an odd last row or column makes a small window of its own")
def maxpool_idx(x):
    H, W = x.shape
    y = []
    idx = []
    for i in range(0, H, 2):
        y.append([])
        idx.append([])
        for j in range(0, W, 2):
            window = x[i : i + 2, j : j + 2]
            r, c = np.unravel_index(window.argmax(), window.shape)
            y[-1].append(window[r, c])
            idx[-1].append((i + r) * W + j + c)
    return np.array(y), np.array(idx)


@wrong("maxpool_idx", "rows and columns of n exchanged: n % 2 and n // 2, and only the indices are returned")
def maxpool_idx(x):
    H, W = x.shape
    idx = np.zeros((H // 2, W // 2), dtype=int)
    for i in range(H // 2):
        for j in range(W // 2):
            n = x[2 * i : 2 * i + 2, 2 * j : 2 * j + 2].argmax()
            idx[i, j] = (2 * i + n % 2) * W + 2 * j + n // 2
    return idx


@wrong("maxpool_idx", "an odd width is cut off before the numbering, so the indices are of a narrower image")
def maxpool_idx(x):
    H, W = x.shape
    x = x[: H // 2 * 2, : W // 2 * 2]
    H, W = x.shape
    numbers = np.arange(H * W).reshape(H, W)
    y = np.zeros((H // 2, W // 2))
    idx = np.zeros((H // 2, W // 2), dtype=int)
    for i in range(H // 2):
        for j in range(W // 2):
            window = x[2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
            y[i, j] = window.max()
            idx[i, j] = numbers[2 * i : 2 * i + 2, 2 * j : 2 * j + 2][window == window.max()][0]
    return y, idx


@wrong("maxpool_idx", "the largest numbers of the whole image, in the order of their places")
def maxpool_idx(x):
    H, W = x.shape
    H2, W2 = H // 2, W // 2
    values = np.sort(x.ravel())[::-1][: H2 * W2]
    places = np.argsort(x.ravel())[::-1][: H2 * W2]
    order = np.argsort(places)
    return values[order].reshape(H2, W2), places[order].reshape(H2, W2)


# maxunpool


@wrong("maxunpool", "each number fills its whole window")
def maxunpool(y, idx, size):
    H, W = size
    x = np.zeros((H, W))
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            x[2 * i : 2 * i + 2, 2 * j : 2 * j + 2] = y[i, j]
    return x


@wrong("maxunpool", "the width taken from the small image: 2 · columns")
def maxunpool(y, idx, size):
    H, W = size
    x = np.zeros((H, W))
    w = 2 * y.shape[1]
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            x[idx[i, j] // w % H, idx[i, j] % w] = y[i, j]
    return x


@wrong("maxunpool", "% for the row and // for the column, and by the number of rows")
def maxunpool(y, idx, size):
    H, W = size
    x = np.zeros((H, W))
    for value, n in zip(y.ravel(), idx.ravel(), strict=True):
        x[n % H, min(n // H, W - 1)] = value
    return x


@wrong("maxunpool", "size taken for (columns, rows)")
def maxunpool(y, idx, size):
    W, H = size
    x = np.zeros(H * W)
    for i in range(len(y)):
        for j in range(len(y[0])):
            x[idx[i, j]] = y[i, j]
    return x.reshape(H, W)


@wrong("maxunpool", "an image of whole numbers")
def maxunpool(y, idx, size):
    x = np.zeros(size[0] * size[1], dtype=int)
    x[idx.ravel()] = y.ravel()
    return x.reshape(size)


@wrong("maxunpool", "the index is written and not the number, and the last row is forgotten")
def maxunpool(y, idx, size):
    x = np.zeros(size[0] * size[1])
    for i in range(y.shape[0] - 1):
        for j in range(y.shape[1]):
            x[idx[i, j]] = idx[i, j]
    return x.reshape(size)


@wrong("maxunpool", "the lowest number as background, because 0 could be larger than a maximum")
def maxunpool(y, idx, size):
    x = np.full(size[0] * size[1], float(min(0, y.min())))
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            x[idx[i, j]] = y[i, j]
    return x.reshape(size)


@wrong("maxunpool", "written in the order of the indices, sorted, but the numbers are not")
def maxunpool(y, idx, size):
    x = np.zeros(size[0] * size[1])
    for n, place in enumerate(sorted(idx.ravel())):
        x[place] = y.ravel()[n]
    return x.reshape(size)


# maxpool_backward


@wrong("maxpool_backward", "= and not +=, the answer to exercise 2")
def maxpool_backward(dy, idx, size):
    dx = np.zeros(size[0] * size[1])
    for i in range(dy.shape[0]):
        for j in range(dy.shape[1]):
            dx[idx[i, j]] = dy[i, j]
    return dx.reshape(size)


@wrong("maxpool_backward", "whole arrays as indices: each place once")
def maxpool_backward(dy, idx, size):
    dx = np.zeros(size).ravel()
    dx[idx] += dy
    return dx.reshape(size)


@wrong("maxpool_backward", "divided by how often a pixel was the maximum")
def maxpool_backward(dy, idx, size):
    total = np.zeros(size[0] * size[1])
    count = np.zeros(size[0] * size[1])
    for g, n in zip(dy.ravel(), idx.ravel(), strict=True):
        total[n] += g
        count[n] += 1
    return (total / np.maximum(count, 1)).reshape(size)


@wrong("maxpool_backward", "the last column of windows forgotten, and = for +=")
def maxpool_backward(dy, idx, size):
    dx = np.zeros(size[0] * size[1])
    rows, columns = dy.shape
    for i in range(rows):
        for j in range(columns - 1):
            dx[idx[i, j]] = dy[i, j]
    return dx.reshape(size)


@wrong("maxpool_backward", "the largest of several gradients, as it is max pooling")
def maxpool_backward(dy, idx, size):
    dx = np.zeros(size[0] * size[1])
    for i in range(dy.shape[0]):
        for j in range(dy.shape[1]):
            dx[idx[i, j]] = max(dx[idx[i, j]], dy[i, j])
    return dx.reshape(size)


@wrong("maxpool_backward", "the gradients are added up as whole numbers, and as absolute values")
def maxpool_backward(dy, idx, size):
    dx = np.zeros(size[0] * size[1], dtype=int)
    for g, n in zip(dy.flatten(), idx.flatten(), strict=True):
        dx[n] += abs(int(g))
    return dx.reshape(size)


@wrong("maxpool_backward", "a descent step: the gradient with a minus sign and a learning rate")
def maxpool_backward(dy, idx, size):
    dx = np.zeros(size[0] * size[1])
    for i in range(dy.shape[0]):
        for j in range(dy.shape[1]):
            dx[idx[i, j]] -= 0.1 * dy[i, j]
    return dx.reshape(size)


@wrong("maxpool_backward", "only neighbours with an equal index are added up")
def maxpool_backward(dy, idx, size):
    dx = np.zeros(size[0] * size[1])
    g, n = dy.ravel(), idx.ravel()
    total = 0
    for m in range(len(g)):
        if m > 0 and n[m] != n[m - 1]:
            total = 0
        total += g[m]
        dx[n[m]] = total
    return dx.reshape(size)


# repair_maxpool


@wrong("repair_maxpool", "only the padding repaired")
def repair_maxpool(x, window, stride, padding):
    x = np.pad(x.astype(float), padding, constant_values=-np.inf)
    H, W = x.shape
    rows, columns = (H - window) // window + 1, (W - window) // window + 1
    y, idx = np.zeros((rows, columns)), np.zeros((rows, columns), dtype=int)
    for i in range(rows):
        for j in range(columns):
            top, left = i * stride, j * stride
            part = x[top : top + window, left : left + window]
            n = part.argmax()
            y[i, j] = part.max()
            idx[i, j] = (top + n // 2) * W + left + n % 2
    return y, idx


@wrong("repair_maxpool", "the padding taken off the index: idx - padding")
def repair_maxpool(x, window, stride, padding):
    x = np.pad(x.astype(float), padding, constant_values=-np.inf)
    H, W = x.shape
    rows, columns = (H - window) // stride + 1, (W - window) // stride + 1
    y, idx = np.zeros((rows, columns)), np.zeros((rows, columns), dtype=int)
    for i in range(rows):
        for j in range(columns):
            top, left = i * stride, j * stride
            part = x[top : top + window, left : left + window]
            n = part.argmax()
            y[i, j] = part.max()
            idx[i, j] = (top + n // window) * W + left + n % window - padding
    return y, idx


@wrong("repair_maxpool", "−1 in the padding, and the place searched in x by its value, 0 where it is not found")
def repair_maxpool(x, window, stride, padding):
    padded = np.pad(x, padding, constant_values=-1)
    rows, columns = ((n - window) // stride + 1 for n in padded.shape)
    y, idx = np.zeros((rows, columns)), np.zeros((rows, columns), dtype=int)
    for i in range(rows):
        for j in range(columns):
            y[i, j] = padded[i * stride : i * stride + window, j * stride : j * stride + window].max()
            idx[i, j] = (x == y[i, j]).argmax()
    return y, idx


@wrong("repair_maxpool", "stride and window exchanged")
def repair_maxpool(x, window, stride, padding):
    window, stride = stride, window
    W = x.shape[1]
    x = np.pad(x.astype(float), padding, constant_values=-np.inf)
    rows, columns = (x.shape[0] - window) // stride + 1, (x.shape[1] - window) // stride + 1
    y, idx = np.zeros((rows, columns)), np.zeros((rows, columns), dtype=int)
    for i in range(rows):
        for j in range(columns):
            part = x[i * stride : i * stride + window, j * stride : j * stride + window]
            n = part.argmax()
            y[i, j] = part.max()
            idx[i, j] = (i * stride + n // window - padding) * W + j * stride + n % window - padding
    return y, idx


# avgpool_backward


@wrong("avgpool_backward", "each pixel gets the mean of dy")
def avgpool_backward(dy, window, stride, size):
    return np.full(size, dy.mean())


@wrong("avgpool_backward", "the gradient not divided")
def avgpool_backward(dy, window, stride, size):
    dx = np.zeros(size)
    for i in range(dy.shape[0]):
        for j in range(dy.shape[1]):
            for a in range(window):
                for b in range(window):
                    dx[i * stride + a, j * stride + b] += dy[i, j]
    return dx


@wrong("avgpool_backward", "= for +=, and divided by 4 whatever the window")
def avgpool_backward(dy, window, stride, size):
    dx = np.zeros(size)
    for i in range(dy.shape[0]):
        for j in range(dy.shape[1]):
            dx[i * stride : i * stride + window, j * stride : j * stride + window] = dy[i, j] / 4
    return dx


@wrong("avgpool_backward", "divided by all pixels of the image")
def avgpool_backward(dy, window, stride, size):
    dx = np.zeros(size)
    for i in range(dy.shape[0]):
        for j in range(dy.shape[1]):
            dx[i * stride : i * stride + window, j * stride : j * stride + window] += dy[i, j] / (size[0] * size[1])
    return dx
