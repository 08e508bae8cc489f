"""Wrong answers to the exercises of lesson 03: up_nearest, up_bilinear, resize_mask, bilinear_kernel, up_volume."""

# ruff: noqa: F811

import numpy as np

from tests.checks.beginners import wrong

# up_nearest


@wrong("up_nearest", "the whole image repeated, by np.tile")
def up_nearest(x, scale):
    return np.tile(x, (scale, scale))


@wrong("up_nearest", "the pixel's place from the remainder, not the quotient")
def up_nearest(x, scale):
    H, W = x.shape
    y = np.zeros((H * scale, W * scale))
    for i in range(H * scale):
        for j in range(W * scale):
            y[i, j] = x[i % H, j // scale]
    return y


@wrong("up_nearest", "only the rows are repeated")
def up_nearest(x, scale):
    result = []
    for row in x:
        for _ in range(scale):
            result.append(row)
    return np.array(result)


@wrong("up_nearest", "zeros between the pixels")
def up_nearest(x, scale):
    H, W = x.shape
    y = np.zeros((scale * H, scale * W))
    for i in range(H):
        for j in range(W):
            y[i * scale, j * scale] = x[i, j]
    return y


@wrong("up_nearest", "the rows repeated as a whole, and the columns by a factor of 2 always")
def up_nearest(x, scale):
    rows = np.concatenate([x] * scale)
    return np.repeat(rows, 2, axis=1)


@wrong("up_nearest", "an array of whole numbers, so fractions are cut off")
def up_nearest(x, scale):
    H, W = x.shape
    y = np.zeros((H * scale, W * scale), dtype=int)
    for i in range(H * scale):
        for j in range(W * scale):
            y[i, j] = x[i // scale, j // scale]
    return y


@wrong("up_nearest", "height and width exchanged in the shape, and the indices follow")
def up_nearest(x, scale):
    W, H = x.shape
    y = np.zeros((H * scale, W * scale))
    for i in range(H * scale):
        for j in range(W * scale):
            y[i, j] = x[j // scale, i // scale]
    return y


@wrong("up_nearest", "each block sums up to its pixel, and without an axis all is one row")
def up_nearest(x, scale):
    flat = np.repeat(x, scale * scale) / scale**2
    return flat.reshape(x.shape[0] * scale, x.shape[1] * scale)


# up_bilinear


def stretch(row, scale):
    """One row made longer, as it should be: for those who make their mistake elsewhere."""
    n = len(row)
    result = np.zeros(n * scale)
    for i in range(n * scale):
        source = min(max((i + 0.5) / scale - 0.5, 0), n - 1)
        k = int(source)
        f = source - k
        result[i] = (1 - f) * row[k] + f * row[min(k + 1, n - 1)]
    return result


@wrong("up_bilinear", "the weights of the left and the right neighbour exchanged")
def up_bilinear(x, scale):
    def longer(row):
        n = len(row)
        result = np.zeros(n * scale)
        for i in range(n * scale):
            source = min(max((i + 0.5) / scale - 0.5, 0), n - 1)
            k = int(source)
            f = source - k
            right = min(k + 1, n - 1)
            result[i] = f * row[k] + (1 - f) * row[right]
        return result

    y = np.array([longer(row) for row in x])
    return np.array([longer(column) for column in y.T]).T


@wrong("up_bilinear", "corners aligned, a formula from the internet")
def up_bilinear(x, scale):
    H, W = x.shape
    y = np.zeros((H * scale, W * scale))
    for i in range(H * scale):
        for j in range(W * scale):
            r = i * (H - 1) / (H * scale - 1)
            c = j * (W - 1) / (W * scale - 1)
            a, b = int(r), int(c)
            a2, b2 = min(a + 1, H - 1), min(b + 1, W - 1)
            u, v = r - a, c - b
            top = (1 - v) * x[a, b] + v * x[a, b2]
            bottom = (1 - v) * x[a2, b] + v * x[a2, b2]
            y[i, j] = (1 - u) * top + u * bottom
    return y


@wrong("up_bilinear", "only each row is made longer")
def up_bilinear(x, scale):
    return np.array([stretch(row, scale) for row in x])


@wrong("up_bilinear", "rows made longer, then merely repeated downwards")
def up_bilinear(x, scale):
    y = np.array([stretch(row, scale) for row in x])
    return np.repeat(y, scale, axis=0)


@wrong("up_bilinear", "source = i / scale without the halves, and the last pixel has no right neighbour, so 0")
def up_bilinear(x, scale):
    def longer(row):
        row = list(row) + [0]
        out = []
        for i in range((len(row) - 1) * scale):
            source = i / scale
            k = int(source)
            f = source - k
            out.append(row[k] * (1 - f) + row[k + 1] * f)
        return np.array(out)

    y = np.array([longer(r) for r in x])
    return np.array([longer(r) for r in y.T]).T


@wrong("up_bilinear", "the brackets of the formula are wrong: i + 0.5 / scale")
def up_bilinear(x, scale):
    def longer(row):
        n = len(row)
        result = np.zeros(n * scale)
        for i in range(n * scale):
            source = min(max((i + 0.5 / scale) - 0.5, 0), n - 1)
            k = int(source)
            f = source - k
            right = min(k + 1, n - 1)
            result[i] = (1 - f) * row[k] + f * row[right]
        return result

    y = np.array([longer(row) for row in x])
    return np.array([longer(column) for column in y.T]).T


@wrong("up_bilinear", "no clipping at the start: a number before the first middle goes on along the line")
def up_bilinear(x, scale):
    def longer(row):
        n = len(row)
        result = np.zeros(n * scale)
        for i in range(n * scale):
            source = (i + 0.5) / scale - 0.5
            k = min(int(source), n - 1)
            f = source - k
            right = min(k + 1, n - 1)
            result[i] = row[k] + f * (row[right] - row[k])
        return result

    y = np.array([longer(row) for row in x])
    return np.array([longer(column) for column in y.T]).T


@wrong("up_bilinear", "the average of nearest and its neighbours, always 3/4 and 1/4")
def up_bilinear(x, scale):
    def longer(row):
        big = np.repeat(row, scale)
        padded = np.concatenate([[row[0]], row, [row[-1]]])
        result = np.zeros(len(big))
        for i in range(len(big)):
            k = i // scale
            other = padded[k] if i % scale < scale / 2 else padded[k + 2]
            result[i] = 0.75 * big[i] + 0.25 * other
        return result

    y = np.array([longer(row) for row in x])
    return np.array([longer(column) for column in y.T]).T


# resize_mask


@wrong("resize_mask", "the division before the multiplication")
def resize_mask(mask, size):
    H, W = mask.shape
    H_new, W_new = size
    y = np.zeros(size, dtype=int)
    for i in range(H_new):
        for j in range(W_new):
            y[i, j] = mask[i * (H // H_new), j * (W // W_new)]
    return y


@wrong("resize_mask", "rounded to the nearest number and kept inside")
def resize_mask(mask, size):
    H, W = mask.shape
    out = np.zeros(size, dtype=int)
    for i in range(size[0]):
        for j in range(size[1]):
            r = min(round(i * H / size[0]), H - 1)
            c = min(round(j * W / size[1]), W - 1)
            out[i, j] = mask[r, c]
    return out


@wrong("resize_mask", "size taken for (width, height), as in picture programs")
def resize_mask(mask, size):
    h, w = mask.shape
    w_new, h_new = size
    rows = np.arange(h_new) * h // h_new
    columns = np.arange(w_new) * w // w_new
    return mask[rows][:, columns]


@wrong("resize_mask", "the factor of the rows used for the columns, too")
def resize_mask(mask, size):
    H, W = mask.shape
    factor = H / size[0]
    y = np.zeros(size, dtype=int)
    for i in range(size[0]):
        for j in range(size[1]):
            y[i, j] = mask[min(int(i * factor), H - 1), min(int(j * factor), W - 1)]
    return y


@wrong("resize_mask", "an array without a type: fractions come back")
def resize_mask(mask, size):
    H, W = mask.shape
    H2, W2 = size
    result = np.zeros((H2, W2))
    for i in range(H2):
        for j in range(W2):
            result[i, j] = mask[i * H // H2, j * W // W2]
    return result


@wrong("resize_mask", "looks from the middle of the pixels, and one more to the right")
def resize_mask(mask, size):
    H, W = mask.shape
    y = np.zeros(size, dtype=int)
    for i in range(size[0]):
        for j in range(size[1]):
            r = int((i + 0.5) * H / size[0])
            c = min(int((j + 0.5) * W / size[1]) + 1, W - 1)
            y[i, j] = mask[r, c]
    return y


@wrong("resize_mask", "the new and the old size exchanged, kept inside by the remainder")
def resize_mask(mask, size):
    H, W = mask.shape
    h, w = size
    return np.array([[mask[(i * h // H) % H, (j * w // W) % W] for j in range(w)] for i in range(h)])


@wrong("resize_mask", "NumPy's resize, which fills with what comes next")
def resize_mask(mask, size):
    return np.resize(mask, size)


# bilinear_kernel


@wrong("bilinear_kernel", "the weights of the row added to those of the column")
def bilinear_kernel(scale):
    k = np.arange(2 * scale)
    w = 1 - np.abs(k - (scale - 0.5)) / scale
    return (w[:, None] + w[None, :]) / 2


@wrong("bilinear_kernel", "the tip at place scale, not between two places")
def bilinear_kernel(scale):
    n = 2 * scale
    weights = np.zeros(n)
    for k in range(n):
        weights[k] = 1 - abs(k - scale) / scale
    return np.outer(weights, weights)


@wrong("bilinear_kernel", "divided so that all numbers add up to 1")
def bilinear_kernel(scale):
    k = np.arange(2 * scale)
    w = 1 - np.abs(k - scale + 0.5) / scale
    kernel = np.outer(w, w)
    return kernel / kernel.sum()


@wrong("bilinear_kernel", "the numbers of the example for every scale")
def bilinear_kernel(scale):
    row = np.array([0.25, 0.75, 0.75, 0.25])
    row = np.repeat(row, scale // 2)
    return np.outer(row, row)


@wrong("bilinear_kernel", "the straight distance from the middle: a cone")
def bilinear_kernel(scale):
    d = np.arange(2 * scale) - (scale - 0.5)
    distance = np.sqrt(d[:, None] ** 2 + d[None, :] ** 2)
    return np.maximum(0, 1 - distance / scale)


@wrong("bilinear_kernel", "one row only, and divided by its sum")
def bilinear_kernel(scale):
    weights = []
    for k in range(2 * scale):
        d = abs(k - (scale - 0.5))
        weights.append(1 - d / scale)
    return np.array(weights) / sum(weights)


@wrong("bilinear_kernel", "falls by the wrong amount, as 1 - d / (scale + 1), and the kernel of scale numbers")
def bilinear_kernel(scale):
    k = np.arange(scale)
    w = 1 - np.abs(k - (scale - 1) / 2) / (scale + 1)
    return np.outer(w, w)


@wrong("bilinear_kernel", "0 to 1 and back, with linspace, so that it is 0 at the border")
def bilinear_kernel(scale):
    up = np.linspace(0, 1, scale)
    row = np.concatenate([up, up[::-1]])
    return np.outer(row, row)


# up_volume


@wrong("up_volume", "each slice enlarged, and the slices repeated")
def up_volume(x, scales):
    result = []
    for image in x:
        wide = np.array([stretch(row, scales[2]) for row in image])
        high = np.array([stretch(column, scales[1]) for column in wide.T]).T
        for _ in range(scales[0]):
            result.append(high)
    return np.array(result)


@wrong("up_volume", "the slices enlarged, the depth forgotten")
def up_volume(x, scales):
    result = []
    for image in x:
        wide = np.array([stretch(row, scales[2]) for row in image])
        result.append(np.array([stretch(column, scales[1]) for column in wide.T]).T)
    return np.array(result)


@wrong("up_volume", "the scales unpacked in the order width, height, depth")
def up_volume(x, scales):
    w, h, d = scales
    x = np.apply_along_axis(stretch, 0, x, d)
    x = np.apply_along_axis(stretch, 1, x, h)
    return np.apply_along_axis(stretch, 2, x, w)


@wrong("up_volume", "the axis is moved to the end and not back, three times")
def up_volume(x, scales):
    for axis in range(3):
        x = np.moveaxis(x, axis, -1)
        x = np.apply_along_axis(stretch, -1, x, scales[axis])
    return x


@wrong("up_volume", "between two slices always their plain mean")
def up_volume(x, scales):
    x = np.apply_along_axis(stretch, 1, x, scales[1])
    x = np.apply_along_axis(stretch, 2, x, scales[2])
    result = []
    for n in range(len(x)):
        after = x[min(n + 1, len(x) - 1)]
        result.append(x[n])
        for _ in range(scales[0] - 1):
            result.append((x[n] + after) / 2)
    return np.array(result)


@wrong("up_volume", "the depth by a source without the halves")
def up_volume(x, scales):
    x = np.apply_along_axis(stretch, 1, x, scales[1])
    x = np.apply_along_axis(stretch, 2, x, scales[2])
    D = x.shape[0]
    y = np.zeros((D * scales[0], *x.shape[1:]))
    for i in range(len(y)):
        source = i / scales[0]
        k = int(source)
        f = source - k
        y[i] = (1 - f) * x[k] + f * x[min(k + 1, D - 1)]
    return y


@wrong("up_volume", "one factor for the rows and the columns, as in the exercise before")
def up_volume(x, scales):
    s = scales[1]
    x = np.apply_along_axis(stretch, 0, x, scales[0])
    x = np.apply_along_axis(stretch, 1, x, s)
    return np.apply_along_axis(stretch, 2, x, s)
