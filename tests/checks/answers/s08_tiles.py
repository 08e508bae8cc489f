"""The exercises of lesson 08: right answers in many styles, and mistakes as students write them."""

import numpy as np
import torch

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


RIGHT = {
    "mirror_pad": [padded_by_numpy, padded_by_indices, padded_by_loops, padded_in_torch],
    "tile_origins": [origins_by_rule, origins_by_range, origins_by_trial],
    "predict_tiled": [in_one_batch, by_library, in_small_steps],
}
