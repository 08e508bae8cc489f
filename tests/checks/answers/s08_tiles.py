"""The exercises of lesson 08: right answers in many styles, and mistakes as students write them."""

import numpy as np
import torch

from tests.checks.judging import written
from unet_edu.tiling import predict


def padded_by_numpy(image, margin):
    return np.pad(image, margin, mode="reflect")


def padded_by_indices(image, margin):
    rows, columns = (abs((np.arange(-margin, n + margin) + n - 1) % (2 * n - 2) - (n - 1)) for n in image.shape)
    return image[np.ix_(rows, columns)]


def padded_by_loops(image, margin):
    H, W = image.shape
    padded = np.zeros((H + 2 * margin, W + 2 * margin))
    for i in range(-margin, H + margin):
        for j in range(-margin, W + margin):
            row = -i if i < 0 else 2 * (H - 1) - i if i >= H else i
            column = -j if j < 0 else 2 * (W - 1) - j if j >= W else j
            padded[i + margin, j + margin] = image[row, column]
    return padded.tolist()


def padded_in_torch(image, margin):
    return torch.nn.functional.pad(torch.tensor(image, dtype=torch.float32)[None], 4 * [margin], mode="reflect")[0]


def origins_by_rule(size, tile, align):
    step = tile - tile % align
    return [n * step for n in range(1 + max(0, -(-(size - tile) // step)))]


def origins_by_range(size, tile, align):
    step = align * (tile // align)
    return np.arange(0, max(size - tile, 0) + step, step)


def origins_by_trial(size, tile, align):
    step = max(n for n in range(align, tile + 1) if n % align == 0)
    origins = list(range(0, size, step))
    while len(origins) > 1 and origins[-2] + tile >= size:
        origins.pop()
    return tuple(origins)


def at_once(model, image, tile):
    """Without tiles: as large as the phase wants it, then cut."""
    model.eval()
    margin, align = 6 * 2**model.depth - 4, 2**model.depth
    more = [(4 - side) % align for side in image.shape]
    padded = np.pad(image, [(margin, margin + n) for n in more], mode="reflect")
    with torch.no_grad():
        return model(torch.from_numpy(padded)[None, None]).softmax(1)[0, :, : image.shape[0], : image.shape[1]]


def in_one_batch(model, image, tile):
    """All tiles at once."""
    model.eval()
    margin, align = 6 * 2**model.depth - 4, 2**model.depth
    side, (H, W) = tile + 2 * margin, image.shape
    places = [(i, j) for i in origins_by_range(H, tile, align) for j in origins_by_range(W, tile, align)]
    padded = np.pad(image, margin + tile, mode="reflect")[tile:, tile:]
    with torch.no_grad():
        answers = model(
            torch.stack([torch.tensor(padded[i : i + side, j : j + side])[None] for i, j in places])
        ).softmax(1)
    answer = torch.zeros(2, H + tile, W + tile)
    for (i, j), part in zip(places, answers, strict=True):
        answer[:, i : i + tile, j : j + tile] = part
    return answer[:, :H, :W]


def by_library(model, image, tile):
    return predict(model, image, tile=tile + 2 * (6 * 2**model.depth - 4), precision="float32")


def in_small_steps(model, image, tile):
    """More tiles than needed, later ones over earlier ones, and the gradient kept."""
    model = model.train(False)
    margin, align = 6 * 2**model.depth - 4, 2**model.depth
    H, W = image.shape
    padded = np.pad(image, margin + 2 * tile, mode="reflect")[2 * tile :, 2 * tile :]
    answer = np.zeros((2, H + 2 * tile, W + 2 * tile), np.float32)
    for i in range(0, H, align):
        for j in range(0, W, 2 * align if tile > 2 * align else align):
            x = torch.tensor(padded[i : i + tile + 2 * margin, j : j + tile + 2 * margin])
            e = torch.exp(model(x[None, None])[0]).detach().numpy()
            answer[:, i : i + tile, j : j + tile] = e / e.sum(axis=0)
    return answer[:, :H, :W]


def blended_by_pixels(tiles, places, shape, importance):
    h, w = importance.shape
    answer = np.zeros(shape)
    for r, c in np.ndindex(*shape):
        on = [(t, r - i, c - j) for t, (i, j) in zip(tiles, places, strict=True) if 0 <= r - i < h and 0 <= c - j < w]
        answer[r, c] = sum(importance[u, v] * t[u, v] for t, u, v in on) / sum(importance[u, v] for _, u, v in on)
    return answer


def blended_on_a_larger_one(tiles, places, shape, importance):
    h, w = importance.shape
    sums = torch.zeros(2, shape[0] + h, shape[1] + w, dtype=torch.float64)
    stamps = np.stack([tiles * importance, np.broadcast_to(importance, tiles.shape)], axis=1)
    for stamp, (i, j) in zip(stamps, places, strict=True):
        sums[:, i : i + h, j : j + w] += torch.from_numpy(stamp)
    return (sums[0] / sums[1])[: shape[0], : shape[1]]


def blended_as_it_goes(tiles, places, shape, importance):
    """The mean of what came so far, and what it weighs."""
    mean, weight = np.zeros(shape), np.zeros(shape)
    for tile, (i, j) in zip(tiles, places, strict=True):
        part = np.s_[i : i + importance.shape[0], j : j + importance.shape[1]]
        new = importance[: shape[0] - i, : shape[1] - j]
        weight[part] += new
        mean[part] += new / weight[part] * (tile[: shape[0] - i, : shape[1] - j] - mean[part])
    return mean.tolist()


RIGHT = {
    "mirror_pad": [padded_by_numpy, padded_by_indices, padded_by_loops, padded_in_torch],
    "tile_origins": [origins_by_rule, origins_by_range, origins_by_trial],
    "predict_tiled": [in_one_batch, by_library, in_small_steps],
    "blend_tiles": [blended_by_pixels, blended_on_a_larger_one, blended_as_it_goes],
}


# --- mistakes as students write them ----------------------------------------------------------------------------------


@written("blend_tiles", "divided by the number of tiles")
def _(tiles, places, shape, importance):
    h, w = importance.shape
    total, count = np.zeros((99, 99)), np.zeros((99, 99))
    for tile, (i, j) in zip(tiles, places, strict=True):
        total[i : i + h, j : j + w] += tile * importance
        count[i : i + h, j : j + w] += 1
    return (total / np.maximum(count, 1))[: shape[0], : shape[1]]


@written("blend_tiles", "averaged one after the other")
def _(tiles, places, shape, importance):
    h, w = importance.shape
    answer, seen = np.zeros((99, 99)), np.zeros((99, 99), bool)
    for tile, (i, j) in zip(tiles, places, strict=True):
        for u, v in np.ndindex(h, w):
            there = (i + u, j + v)
            answer[there] = (answer[there] + tile[u, v]) / 2 if seen[there] else tile[u, v]
            seen[there] = True
    return answer[: shape[0], : shape[1]]


def blended(put, cut_tile=lambda tile, h, w: tile[:h, :w], cut_importance=lambda tile, h, w: tile[:h, :w]):
    """A loop over the tiles; `put` gets the windows of the total and of the weight, the tile's part, its importance."""

    def blend(tiles, places, shape, importance):
        total, weight = np.zeros(shape), np.zeros(shape)
        h, w = importance.shape
        for tile, (i, j) in zip(tiles, places, strict=True):
            there = np.s_[i : i + h, j : j + w]
            size = total[there].shape
            put(total[there], weight[there], cut_tile(tile, *size), cut_importance(importance, *size))
        return total / np.where(weight == 0, 1, weight)

    return blend


def summed(total, weight, tile, importance):
    total += tile * importance
    weight += importance


written("blend_tiles", "tile cut off at the other end")(blended(summed, cut_tile=lambda tile, h, w: tile[-h:, -w:]))
written("blend_tiles", "importance cut off at the other end")(
    blended(summed, cut_importance=lambda tile, h, w: tile[-h:, -w:])
)


@written("blend_tiles", "divided at each tile")
def _(tiles, places, shape, importance):
    total, weight = np.zeros(shape), np.zeros(shape)
    h, w = importance.shape
    for tile, (i, j) in zip(tiles, places, strict=True):
        rows, columns = total[i : i + h, j : j + w].shape
        total[i : i + h, j : j + w] += (tile * importance)[:rows, :columns]
        weight[i : i + h, j : j + w] += importance[:rows, :columns]
        total[i : i + h, j : j + w] /= weight[i : i + h, j : j + w]
    return total


@written("blend_tiles", "earlier over later")
def _(tiles, places, shape, importance):
    total, free = np.zeros(shape), np.ones(shape, bool)
    h, w = importance.shape
    for tile, (i, j) in zip(tiles, places, strict=True):
        there = free[i : i + h, j : j + w].copy()
        total[i : i + h, j : j + w][there] = tile[: there.shape[0], : there.shape[1]][there]
        free[i : i + h, j : j + w] = False
    return total


@written("blend_tiles", "added without weights")
def _(tiles, places, shape, importance):
    total = np.zeros(shape)
    h, w = importance.shape
    for tile, (i, j) in zip(tiles, places, strict=True):
        rows, columns = total[i : i + h, j : j + w].shape
        total[i : i + h, j : j + w] += tile[:rows, :columns]
    return total


@written("blend_tiles", "tiles that reach beyond left out")
def _(tiles, places, shape, importance):
    total, weight = np.zeros(shape), np.zeros(shape)
    h, w = importance.shape
    for tile, (i, j) in zip(tiles, places, strict=True):
        if i + h <= shape[0] and j + w <= shape[1]:
            total[i : i + h, j : j + w] += tile * importance
            weight[i : i + h, j : j + w] += importance
    with np.errstate(invalid="ignore"):
        return total / weight
