# ruff: noqa: F811
"""Lesson 08: images of any size."""

import math

import numpy as np
import torch

from tests.checks.beginners import wrong


@wrong("mirror_pad", "symmetric: the edge pixel twice")
def mirror_pad(image, margin):
    return np.pad(image, margin, mode="symmetric")


@wrong("mirror_pad", "the edge pixel goes on")
def mirror_pad(image, margin):
    return np.pad(image, ((margin, margin), (margin, margin)), mode="edge")


@wrong("mirror_pad", "the other end of the image, as on a torus")
def mirror_pad(image, margin):
    return np.pad(image, margin, mode="wrap")


@wrong("mirror_pad", "rows 1 to margin above, but not turned round")
def mirror_pad(image, margin):
    if margin == 0:
        return image.copy()
    rows = np.concatenate([image[1 : margin + 1], image, image[-margin - 1 : -1]])
    return np.concatenate([rows[:, 1 : margin + 1], rows, rows[:, -margin - 1 : -1]], axis=1)


@wrong("mirror_pad", "above and left right, below and right with the edge pixel again")
def mirror_pad(image, margin):
    top = image[1 : margin + 1][::-1]
    bottom = image[len(image) - margin :][::-1]
    rows = np.vstack([top, image, bottom])
    left = rows[:, 1 : margin + 1][:, ::-1]
    right = rows[:, rows.shape[1] - margin :][:, ::-1]
    return np.hstack([left, rows, right])


@wrong("mirror_pad", "corners left at 0")
def mirror_pad(image, margin):
    H, W = image.shape
    m = margin
    out = np.zeros((H + 2 * m, W + 2 * m))
    out[m : m + H, m : m + W] = image
    for k in range(1, m + 1):
        out[m - k, m : m + W] = image[k]
        out[m + H - 1 + k, m : m + W] = image[H - 1 - k]
        out[m : m + H, m - k] = image[:, k]
        out[m : m + H, m + W - 1 + k] = image[:, W - 1 - k]
    return out


@wrong("mirror_pad", "padded twice, once in each call for both axes")
def mirror_pad(image, margin):
    half = margin // 2
    out = np.pad(image, half, mode="reflect")
    return np.pad(out, margin - half, mode="symmetric")


@wrong("mirror_pad", "the image turned half round stands at every side")
def mirror_pad(image, margin):
    H, W = image.shape
    turned = image[::-1, ::-1]
    big = np.block([[turned, turned, turned], [turned, image, turned], [turned, turned, turned]])
    return big[H - margin : 2 * H + margin, W - margin : 2 * W + margin]


@wrong("tile_origins", "the step is the tile")
def tile_origins(size, tile, align):
    origins = [0]
    while origins[-1] + tile < size:
        origins.append(origins[-1] + tile)
    return origins


@wrong("tile_origins", "range over the whole side: a last tile too many")
def tile_origins(size, tile, align):
    step = tile // align * align
    return list(range(0, size, step))


@wrong("tile_origins", "not larger read as smaller: steps of one align less when it fits")
def tile_origins(size, tile, align):
    step = (tile - 1) // align * align
    if step == 0:
        step = align
    origins = [0]
    while origins[-1] + tile < size:
        origins.append(origins[-1] + step)
    return origins


@wrong("tile_origins", "stops only beyond the end")
def tile_origins(size, tile, align):
    step = tile // align * align
    origins = [0]
    while origins[-1] + tile <= size:
        origins.append(origins[-1] + step)
    return origins


@wrong("tile_origins", "the last tile moved back to end with the image")
def tile_origins(size, tile, align):
    step = (tile // align) * align
    origins = [0]
    while origins[-1] + tile < size:
        origins.append(min(origins[-1] + step, size - tile))
    return origins


@wrong("tile_origins", "the step is align")
def tile_origins(size, tile, align):
    origins = []
    origin = 0
    while origin + tile < size:
        origins.append(origin)
        origin += align
    origins.append(origin)
    return origins


@wrong("tile_origins", "step rounded up to the next multiple, and the last tile left out")
def tile_origins(size, tile, align):
    step = math.ceil(tile / align) * align
    return [k * step for k in range(max(size // step, 1))]


@wrong("tile_origins", "tiles spread evenly, then rounded to align")
def tile_origins(size, tile, align):
    if size <= tile:
        return [0]
    count = math.ceil(size / tile)
    return [round(k * (size - tile) / (count - 1) / align) * align for k in range(count)]


def origins(size, tile, align):
    """As in exercise 2."""
    step = tile // align * align
    found = [0]
    while found[-1] + tile < size:
        found.append(found[-1] + step)
    return found


@wrong("predict_tiled", "zeros beyond the border")
def predict_tiled(model, image, tile):
    model.eval()
    margin, align = 6 * 2**model.depth - 4, 2**model.depth
    H, W = image.shape
    rows, columns = origins(H, tile, align), origins(W, tile, align)
    below, right = max(rows[-1] + tile - H, 0), max(columns[-1] + tile - W, 0)
    padded = np.pad(image, ((margin, margin + below), (margin, margin + right)))
    answer = torch.zeros(2, H + below, W + right)
    side = tile + 2 * margin
    with torch.no_grad():
        for i in rows:
            for j in columns:
                x = torch.tensor(padded[i : i + side, j : j + side])[None, None].float()
                answer[:, i : i + tile, j : j + tile] = model(x).softmax(dim=1)[0]
    return answer[:, :H, :W]


@wrong("predict_tiled", "model.eval() forgotten")
def predict_tiled(model, image, tile):
    margin, align = 6 * 2**model.depth - 4, 2**model.depth
    H, W = image.shape
    rows, columns = origins(H, tile, align), origins(W, tile, align)
    below, right = max(rows[-1] + tile - H, 0), max(columns[-1] + tile - W, 0)
    padded = np.pad(image, ((margin, margin + below), (margin, margin + right)), mode="reflect")
    answer = torch.zeros(2, H + below, W + right)
    side = tile + 2 * margin
    with torch.no_grad():
        for i in rows:
            for j in columns:
                x = torch.tensor(padded[i : i + side, j : j + side])[None, None].float()
                answer[:, i : i + tile, j : j + tile] = model(x).softmax(dim=1)[0]
    return answer[:, :H, :W]


@wrong("predict_tiled", "softmax over the rows")
def predict_tiled(model, image, tile):
    model.eval()
    margin, align = 6 * 2**model.depth - 4, 2**model.depth
    H, W = image.shape
    rows, columns = origins(H, tile, align), origins(W, tile, align)
    below, right = max(rows[-1] + tile - H, 0), max(columns[-1] + tile - W, 0)
    padded = np.pad(image, ((margin, margin + below), (margin, margin + right)), mode="reflect")
    answer = torch.zeros(2, H + below, W + right)
    side = tile + 2 * margin
    with torch.no_grad():
        for i in rows:
            for j in columns:
                x = torch.tensor(padded[i : i + side, j : j + side])[None, None].float()
                answer[:, i : i + tile, j : j + tile] = model(x)[0].softmax(dim=1)
    return answer[:, :H, :W]


@wrong("predict_tiled", "overlaps added up")
def predict_tiled(model, image, tile):
    model.eval()
    margin, align = 6 * 2**model.depth - 4, 2**model.depth
    H, W = image.shape
    rows, columns = origins(H, tile, align), origins(W, tile, align)
    below, right = max(rows[-1] + tile - H, 0), max(columns[-1] + tile - W, 0)
    padded = np.pad(image, ((margin, margin + below), (margin, margin + right)), mode="reflect")
    answer = torch.zeros(2, H + below, W + right)
    side = tile + 2 * margin
    with torch.no_grad():
        for i in rows:
            for j in columns:
                x = torch.tensor(padded[i : i + side, j : j + side])[None, None].float()
                answer[:, i : i + tile, j : j + tile] += model(x).softmax(dim=1)[0]
    return answer[:, :H, :W]


@wrong("predict_tiled", "steps of a whole tile, off the phase")
def predict_tiled(model, image, tile):
    model.eval()
    margin = 6 * 2**model.depth - 4
    H, W = image.shape
    below, right = -H % tile, -W % tile
    padded = np.pad(image, ((margin, margin + below), (margin, margin + right)), mode="reflect")
    answer = torch.zeros(2, H + below, W + right)
    side = tile + 2 * margin
    with torch.no_grad():
        for i in range(0, H, tile):
            for j in range(0, W, tile):
                x = torch.tensor(padded[i : i + side, j : j + side])[None, None].float()
                answer[:, i : i + tile, j : j + tile] = model(x).softmax(dim=1)[0]
    return answer[:, :H, :W]


@wrong("predict_tiled", "pads more above and left, and still reads from 0")
def predict_tiled(model, image, tile):
    model.eval()
    margin, align = 6 * 2**model.depth - 4, 2**model.depth
    H, W = image.shape
    padded = np.pad(image, margin + tile, mode="reflect")
    answer = torch.zeros(2, H + tile, W + tile)
    side = tile + 2 * margin
    with torch.no_grad():
        for i in origins(H, tile, align):
            for j in origins(W, tile, align):
                x = torch.tensor(padded[i : i + side, j : j + side])[None, None].float()
                answer[:, i : i + tile, j : j + tile] = torch.softmax(model(x), dim=1)[0]
    return answer[:, :H, :W]


@wrong("predict_tiled", "the mirror doubles the edge pixel, and sigmoid for softmax")
def predict_tiled(model, image, tile):
    model.eval()
    margin, align = 6 * 2**model.depth - 4, 2**model.depth
    H, W = image.shape
    rows, columns = origins(H, tile, align), origins(W, tile, align)
    below, right = max(rows[-1] + tile - H, 0), max(columns[-1] + tile - W, 0)
    padded = np.pad(image, ((margin, margin + below), (margin, margin + right)), mode="symmetric")
    answer = torch.zeros(2, H + below, W + right)
    side = tile + 2 * margin
    with torch.no_grad():
        for i in rows:
            for j in columns:
                x = torch.tensor(padded[i : i + side, j : j + side])[None, None].float()
                answer[:, i : i + tile, j : j + tile] = torch.sigmoid(model(x))[0]
    return answer[:, :H, :W]


@wrong("predict_tiled", "each tile mirrored by itself, without its neighbours")
def predict_tiled(model, image, tile):
    model.eval()
    margin, align = 6 * 2**model.depth - 4, 2**model.depth
    H, W = image.shape
    big = np.pad(image, ((0, tile), (0, tile)), mode="reflect")
    answer = torch.zeros(2, H + tile, W + tile)
    with torch.no_grad():
        for i in origins(H, tile, align):
            for j in origins(W, tile, align):
                piece = np.pad(big[i : i + tile, j : j + tile], margin, mode="reflect")
                scores = model(torch.tensor(piece)[None, None].float())
                answer[:, i : i + tile, j : j + tile] = scores.softmax(1)[0]
    return answer[:, :H, :W]


# blend_tiles


@wrong("blend_tiles", "the last tile wins")
def blend_tiles(tiles, places, shape, importance):
    h, w = importance.shape
    out = np.zeros((shape[0] + h, shape[1] + w))
    for t, (i, j) in zip(tiles, places, strict=True):
        out[i : i + h, j : j + w] = t
    return out[: shape[0], : shape[1]]


@wrong("blend_tiles", "the plain mean, by counts")
def blend_tiles(tiles, places, shape, importance):
    h, w = importance.shape
    out, n = np.zeros((shape[0] + h, shape[1] + w)), np.zeros((shape[0] + h, shape[1] + w))
    for t, (i, j) in zip(tiles, places, strict=True):
        out[i : i + h, j : j + w] += t
        n[i : i + h, j : j + w] += 1
    return (out / np.maximum(n, 1))[: shape[0], : shape[1]]


@wrong("blend_tiles", "importance divided by its own sum first, then only added")
def blend_tiles(tiles, places, shape, importance):
    importance = importance / importance.sum()
    h, w = importance.shape
    out = np.zeros((shape[0] + h, shape[1] + w))
    for t, (i, j) in zip(tiles, places, strict=True):
        out[i : i + h, j : j + w] += t * importance
    return out[: shape[0], : shape[1]]


@wrong("blend_tiles", "the weights squared below the line")
def blend_tiles(tiles, places, shape, importance):
    h, w = importance.shape
    out, n = np.zeros((shape[0] + h, shape[1] + w)), np.zeros((shape[0] + h, shape[1] + w))
    for t, (i, j) in zip(tiles, places, strict=True):
        out[i : i + h, j : j + w] += t * importance
        n[i : i + h, j : j + w] += importance**2
    n[n == 0] = 1
    return (out / n)[: shape[0], : shape[1]]
