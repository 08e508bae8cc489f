"""Wrong answers to the exercises of lesson 02: conv2d_naive, out_size, conv2d_multichannel, receptive_field,
conv2d_panorama."""

# ruff: noqa: F811

import numpy as np

from tests.checks.beginners import wrong
from unet_edu.convolution import conv2d_loops

# conv2d_naive


@wrong("conv2d_naive", "the size is right, the loops end one place too early")
def conv2d_naive(x, k):
    H, W = x.shape
    kH, kW = k.shape
    y = np.zeros((H - kH + 1, W - kW + 1))
    for i in range(H - kH):
        for j in range(W - kW):
            window = x[i : i + kH, j : j + kW]
            y[i, j] = np.sum(window * k)
    return y


@wrong("conv2d_naive", "a matrix product of window and kernel")
def conv2d_naive(x, k):
    H, W = x.shape
    kH, kW = k.shape
    y = np.zeros((H - kH + 1, W - kW + 1))
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            y[i, j] = (x[i : i + kH, j : j + kW] @ k).sum()
    return y


@wrong("conv2d_naive", "a 3×3 kernel only")
def conv2d_naive(x, k):
    H, W = x.shape
    y = np.zeros((H - 2, W - 2))
    for i in range(H - 2):
        for j in range(W - 2):
            y[i, j] = np.sum(x[i : i + 3, j : j + 3] * k)
    return y


@wrong("conv2d_naive", "the mathematicians' convolution: the kernel turned over in both directions")
def conv2d_naive(x, k):
    kernel = np.flipud(np.fliplr(k))
    h, w = kernel.shape
    return np.array(
        [
            [np.sum(x[r : r + h, c : c + w] * kernel) for c in range(x.shape[1] - w + 1)]
            for r in range(x.shape[0] - h + 1)
        ]
    )


@wrong("conv2d_naive", "the sum is not set back to 0 for the next place")
def conv2d_naive(x, k):
    H, W = x.shape
    kH, kW = k.shape
    y = np.zeros((H - kH + 1, W - kW + 1))
    total = 0
    for i in range(H - kH + 1):
        for j in range(W - kW + 1):
            for a in range(kH):
                for b in range(kW):
                    total += x[i + a, j + b] * k[a, b]
            y[i, j] = total
    return y


@wrong("conv2d_naive", "the kernel turned on its side, and the first row and column of places left at 0")
def conv2d_naive(x, k):
    H, W = x.shape
    k = k.T
    kH, kW = k.shape
    y = np.zeros((H - kH + 1, W - kW + 1))
    for i in range(1, H - kH + 1):
        for j in range(1, W - kW + 1):
            y[i, j] = (x[i : i + kH, j : j + kW] * k).sum()
    return y


@wrong("conv2d_naive", "zeros around the image, so that the size stays")
def conv2d_naive(x, k):
    kH, kW = k.shape
    padded = np.zeros((x.shape[0] + kH - 1, x.shape[1] + kW - 1))
    padded[kH // 2 : kH // 2 + x.shape[0], kW // 2 : kW // 2 + x.shape[1]] = x
    y = np.zeros(x.shape)
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            y[i, j] = (padded[i : i + kH, j : j + kW] * k).sum()
    return y


@wrong("conv2d_naive", "the window moves by its own size, and rows and columns of the kernel are exchanged")
def conv2d_naive(x, k):
    kW, kH = k.shape
    out = []
    for i in range(0, x.shape[0] - kH + 1, kH):
        row = []
        for j in range(0, x.shape[1] - kW + 1, kW):
            row.append(float((x[i : i + kH, j : j + kW] * k).sum()))
        out.append(row)
    return np.array(out)


# out_size


@wrong("out_size", "the padding added to the output, and the + 1 before the division")
def out_size(i, k, s=1, p=0, d=1):
    return (i - d * (k - 1)) // s + 2 * p


@wrong("out_size", "the dilated kernel is d · k long")
def out_size(i, k, s=1, p=0, d=1):
    return (i + 2 * p - d * k) // s + 1


@wrong("out_size", "the 1 is added before the division")
def out_size(i, k, s=1, p=0, d=1):
    span = d * (k - 1) + 1
    return (i + 2 * p - span + 1) // s


@wrong("out_size", "rounded to the nearest number")
def out_size(i, k, s=1, p=0, d=1):
    return round((i + 2 * p - d * (k - 1) - 1) / s) + 1


@wrong("out_size", "the padding once, and the kernel d · k long")
def out_size(i, k, s=1, p=0, d=1):
    return (i + p - d * k) // s + 1


@wrong("out_size", "the operators in the wrong order: only the 1 is divided")
def out_size(i, k, s=1, p=0, d=1):
    return i + 2 * p - d * (k - 1) - 1 // s + 1


@wrong("out_size", "dilation means d zeros between the weights, and the padding is subtracted")
def out_size(i, k, s=1, p=0, d=1):
    kernel = k + (k - 1) * d
    return (i - 2 * p - kernel) // s + 1


@wrong("out_size", "counted with a loop that forgets the last place")
def out_size(i, k, s=1, p=0, d=1):
    n = 0
    start = 0
    while start + d * (k - 1) + 1 < i + 2 * p:
        n += 1
        start += s
    return n


# conv2d_multichannel


def two(stride):
    return (stride, stride) if np.ndim(stride) == 0 else stride


def around(x, padding):
    return np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))


@wrong("conv2d_multichannel", "only the last input channel is left: = and not +=")
def conv2d_multichannel(x, w, bias=None, stride=1, padding=0):
    sh, sw = two(stride)
    x = around(x, padding)
    N, C_in = x.shape[:2]
    C_out = w.shape[0]
    out = []
    for n in range(N):
        planes = []
        for o in range(C_out):
            for c in range(C_in):
                plane = conv2d_loops(x[n, c], w[o, c])
            if bias is not None:
                plane = plane + bias[o]
            planes.append(plane[::sh, ::sw])
        out.append(planes)
    return np.array(out)


@wrong("conv2d_multichannel", "the bias is added once for each input channel")
def conv2d_multichannel(x, w, bias=None, stride=1, padding=0):
    sh, sw = two(stride)
    x = around(x, padding)
    if bias is None:
        bias = [0] * len(w)
    return np.array(
        [
            [
                sum(conv2d_loops(image[c], w[o, c])[::sh, ::sw] + bias[o] for c in range(x.shape[1]))
                for o in range(len(w))
            ]
            for image in x
        ]
    )


@wrong("conv2d_multichannel", "a pair of strides is taken as columns, rows")
def conv2d_multichannel(x, w, bias=None, stride=1, padding=0):
    sw, sh = two(stride)
    x = around(x, padding)
    N, _, H, W = x.shape
    O, _, kH, kW = w.shape
    y = np.zeros((N, O, (H - kH) // sh + 1, (W - kW) // sw + 1))
    for n in range(N):
        for o in range(O):
            for i in range(y.shape[2]):
                for j in range(y.shape[3]):
                    y[n, o, i, j] = np.sum(x[n, :, i * sh : i * sh + kH, j * sw : j * sw + kW] * w[o])
            if bias is not None:
                y[n, o] += bias[o]
    return y


@wrong("conv2d_multichannel", "np.pad with one number pads the batch and the channels too")
def conv2d_multichannel(x, w, bias=None, stride=1, padding=0):
    sh, sw = two(stride)
    x = np.pad(x, padding)
    N, C, H, W = x.shape
    O, C, kH, kW = w.shape
    y = np.zeros((N, O, (H - kH) // sh + 1, (W - kW) // sw + 1))
    for n in range(N):
        for o in range(O):
            for i in range(y.shape[2]):
                for j in range(y.shape[3]):
                    for c in range(C):
                        y[n, o, i, j] += np.sum(x[n, c, i * sh : i * sh + kH, j * sw : j * sw + kW] * w[o, c])
    if bias is not None:
        y += np.reshape(bias, (1, -1, 1, 1))
    return y


@wrong("conv2d_multichannel", "zeros above and left only, and the bias ignored")
def conv2d_multichannel(x, w, bias=None, stride=1, padding=0):
    sh, sw = two(stride)
    x = np.pad(x, ((0, 0), (0, 0), (padding, 0), (padding, 0)))
    N, _, H, W = x.shape
    O, _, kH, kW = w.shape
    y = np.zeros((N, O, (H - kH) // sh + 1, (W - kW) // sw + 1))
    for n in range(N):
        for o in range(O):
            for i in range(y.shape[2]):
                for j in range(y.shape[3]):
                    y[n, o, i, j] = np.sum(x[n, :, i * sh : i * sh + kH, j * sw : j * sw + kW] * w[o])
    return y


@wrong("conv2d_multichannel", "the mean over the input channels, and the second stride ignored")
def conv2d_multichannel(x, w, bias=None, stride=1, padding=0):
    s = stride if np.ndim(stride) == 0 else stride[0]
    x = around(x, padding)
    result = []
    for image in x:
        planes = []
        for o, kernels in enumerate(w):
            plane = np.mean([conv2d_loops(p, k) for p, k in zip(image, kernels, strict=True)], axis=0)
            plane = plane[::s, ::s]
            if bias is not None:
                plane = plane + bias[o]
            planes.append(plane)
        result.append(planes)
    return np.array(result)


@wrong("conv2d_multichannel", "the zeros go around the output")
def conv2d_multichannel(x, w, bias=None, stride=1, padding=0):
    sh, sw = two(stride)
    y = np.array([[sum(conv2d_loops(xn[c], wo[c]) for c in range(len(wo)))[::sh, ::sw] for wo in w] for xn in x])
    if bias is not None:
        y = y + np.reshape(bias, (-1, 1, 1))
    return around(y, padding)


@wrong("conv2d_multichannel", "the bias added to the image, and only its first number")
def conv2d_multichannel(x, w, bias=None, stride=1, padding=0):
    sh, sw = two(stride)
    if bias is not None:
        x = x + bias[0]
    x = around(x, padding)
    return np.array([[sum(conv2d_loops(xn[c], wo[c]) for c in range(len(wo)))[::sh, ::sw] for wo in w] for xn in x])


# receptive_field


@wrong("receptive_field", "this layer's own stride multiplies the jump too early")
def receptive_field(layers):
    size, jump = 1, 1
    result = []
    for k, s in layers:
        jump = jump * s
        size = size + (k - 1) * jump
        result.append(size)
    return result


@wrong("receptive_field", "the strides are added up and not multiplied")
def receptive_field(layers):
    size, jump = 1, 1
    result = []
    for k, s in layers:
        size = size + (k - 1) * jump
        jump = jump + s - 1
        result.append(size)
    return result


@wrong("receptive_field", "the jump is the stride of the layer before, and not of all before")
def receptive_field(layers):
    out = []
    rf = 1
    for n in range(len(layers)):
        k = layers[n][0]
        before = layers[n - 1][1] if n > 0 else 1
        rf += (k - 1) * before
        out.append(rf)
    return out


@wrong("receptive_field", "the strides ignored, and only the last size returned")
def receptive_field(layers):
    size = 1
    for layer in layers:
        size = size + layer[0] - 1
    return size


@wrong("receptive_field", "the pairs read as (stride, kernel size)")
def receptive_field(layers):
    size = 1
    jump = 1
    sizes = []
    for s, k in layers:
        size += (k - 1) * jump
        jump *= s
        sizes.append(size)
    return sizes


@wrong("receptive_field", "k and not k - 1, from a start at 0, and the image itself in the list")
def receptive_field(layers):
    size = 0
    jump = 1
    sizes = [1]
    for k, s in layers:
        size += k * jump
        jump *= s
        sizes.append(size)
    return sizes


@wrong("receptive_field", "walked from the last layer to the first")
def receptive_field(layers):
    size = 1
    sizes = []
    for k, s in reversed(layers):
        size = (size - 1) * s + k
        sizes.append(size)
    return sizes


@wrong("receptive_field", "the area and not the side")
def receptive_field(layers):
    size = jump = 1
    result = []
    for k, s in layers:
        size += (k - 1) * jump
        jump *= s
        result.append(size * size)
    return result


# conv2d_panorama


@wrong("conv2d_panorama", "np.pad with wrap on both axes")
def conv2d_panorama(x, k):
    a, b = k.shape[0] // 2, k.shape[1] // 2
    x = np.pad(x, ((a, a), (b, b)), mode="wrap")
    H, W = x.shape
    y = np.zeros((H - 2 * a, W - 2 * b))
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            y[i, j] = (x[i : i + k.shape[0], j : j + k.shape[1]] * k).sum()
    return y


@wrong("conv2d_panorama", "the column index by remainder, the row index as it comes: -1 is the last row")
def conv2d_panorama(x, k):
    H, W = x.shape
    kH, kW = k.shape
    y = np.zeros((H, W))
    for i in range(H):
        for j in range(W):
            for u in range(kH):
                for v in range(kW):
                    r = i + u - kH // 2
                    c = (j + v - kW // 2) % W
                    if r < H:
                        y[i, j] += x[r, c] * k[u, v]
    return y


@wrong("conv2d_panorama", "the window starts at the pixel and goes around on the right")
def conv2d_panorama(x, k):
    H, W = x.shape
    kH, kW = k.shape
    padded = np.vstack([x, np.zeros((kH - 1, W))])
    y = np.zeros((H, W))
    for i in range(H):
        for j in range(W):
            for u in range(kH):
                for v in range(kW):
                    y[i, j] += padded[i + u, (j + v) % W] * k[u, v]
    return y


@wrong("conv2d_panorama", "the columns put on at the wrong ends")
def conv2d_panorama(x, k):
    a, b = k.shape[0] // 2, k.shape[1] // 2
    if b > 0:
        x = np.hstack([x[:, :b], x, x[:, -b:]])
    x = np.pad(x, ((a, a), (0, 0)))
    y = np.zeros((x.shape[0] - 2 * a, x.shape[1] - 2 * b))
    for i, j in np.ndindex(y.shape):
        y[i, j] = np.sum(x[i : i + k.shape[0], j : j + k.shape[1]] * k)
    return y


@wrong("conv2d_panorama", "a margin of 1 whatever the kernel")
def conv2d_panorama(x, k):
    x = np.pad(np.pad(x, ((0, 0), (1, 1)), mode="wrap"), ((1, 1), (0, 0)))
    y = np.zeros((x.shape[0] - k.shape[0] + 1, x.shape[1] - k.shape[1] + 1))
    for i, j in np.ndindex(y.shape):
        y[i, j] = np.sum(x[i : i + k.shape[0], j : j + k.shape[1]] * k)
    return y


@wrong("conv2d_panorama", "the image pasted three times, and the left copy taken")
def conv2d_panorama(x, k):
    a = k.shape[0] // 2
    three = np.pad(np.hstack([x, x, x]), ((a, a), (0, 0)))
    y = np.zeros(x.shape)
    for i, j in np.ndindex(y.shape):
        window = three[i : i + k.shape[0], j : j + k.shape[1]]
        y[i, j] = np.sum(window * k)
    return y


@wrong("conv2d_panorama", "only the left edge goes around, on the right there are zeros")
def conv2d_panorama(x, k):
    H, W = x.shape
    kH, kW = k.shape
    y = np.zeros((H, W))
    for i, j in np.ndindex(H, W):
        for u, v in np.ndindex(kH, kW):
            r, c = i + u - kH // 2, j + v - kW // 2
            if 0 <= r < H and c < W:
                y[i, j] += x[r, c] * k[u, v]
    return y
