# ruff: noqa: F811
"""Lesson 07: training."""

import math

import numpy as np
import torch
from scipy.ndimage import distance_transform_cdt, distance_transform_edt, gaussian_filter, map_coordinates
from torch import nn

from tests.checks.beginners import wrong


@wrong("he_init_", "2 / N taken for the standard deviation")
def he_init_(model):
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            N = layer.kernel_size[0] * layer.kernel_size[1] * layer.in_channels
        elif isinstance(layer, nn.ConvTranspose2d):
            N = layer.in_channels
        else:
            continue
        nn.init.normal_(layer.weight, mean=0, std=2 / N)
        nn.init.zeros_(layer.bias)
    return model


@wrong("he_init_", "√2 / N: the root over the 2 alone")
def he_init_(model):
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            kh, kw = layer.kernel_size
            n = kh * kw * layer.in_channels
        elif isinstance(layer, nn.ConvTranspose2d):
            n = layer.in_channels
        else:
            continue
        with torch.no_grad():
            layer.weight.copy_(torch.randn(layer.weight.shape) * math.sqrt(2) / n)
            layer.bias.fill_(0)
    return model


@wrong("he_init_", "Xavier's formula, which has the outputs in it too")
def he_init_(model):
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            kh, kw = layer.kernel_size
            fan_in = kh * kw * layer.in_channels
            fan_out = kh * kw * layer.out_channels
        elif isinstance(layer, nn.ConvTranspose2d):
            fan_in, fan_out = layer.in_channels, layer.out_channels
        else:
            continue
        std = math.sqrt(2 / (fan_in + fan_out))
        nn.init.normal_(layer.weight, 0, std)
        nn.init.zeros_(layer.bias)
    return model


@wrong("he_init_", "only the layers at the top: children instead of modules")
def he_init_(model):
    for layer in model.children():
        if isinstance(layer, nn.Conv2d):
            N = layer.in_channels * layer.kernel_size[0] * layer.kernel_size[1]
        elif isinstance(layer, nn.ConvTranspose2d):
            N = layer.in_channels
        else:
            continue
        nn.init.normal_(layer.weight, std=(2 / N) ** 0.5)
        nn.init.zeros_(layer.bias)
    return model


@wrong("he_init_", "weight.shape[1] as the channels in, also for the step up")
def he_init_(model):
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            N = layer.weight[0].numel()
        elif isinstance(layer, nn.ConvTranspose2d):
            N = layer.weight.shape[1]
        else:
            continue
        nn.init.normal_(layer.weight, std=np.sqrt(2 / N))
        nn.init.zeros_(layer.bias)
    return model


@wrong("he_init_", "an even distribution of the same width, and biases forgotten")
def he_init_(model):
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            N = layer.in_channels
            if isinstance(layer, nn.Conv2d):
                N = N * layer.kernel_size[0] * layer.kernel_size[1]
            std = math.sqrt(2 / N)
            nn.init.uniform_(layer.weight, -std, std)
    return model


@wrong("he_init_", "one column of random numbers, stretched over the whole kernel")
def he_init_(model):
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            N = layer.in_channels * layer.kernel_size[0] * layer.kernel_size[1]
        elif isinstance(layer, nn.ConvTranspose2d):
            N = layer.in_channels
        else:
            continue
        a, b, h, w = layer.weight.shape
        layer.weight.data = (torch.randn(a, b, 1, 1) * math.sqrt(2 / N)).repeat(1, 1, h, w)
        layer.bias.data = torch.zeros(layer.out_channels)
    return model


@wrong("he_init_", "old weights scaled to the wanted spread, not drawn")
def he_init_(model):
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            N = layer.in_channels * layer.kernel_size[0] ** 2
        elif isinstance(layer, nn.ConvTranspose2d):
            N = layer.in_channels
        else:
            continue
        w = layer.weight.data
        layer.weight.data = w / w.std() * math.sqrt(2 / N)
        layer.bias.data *= 0
    return model


@wrong("weight_map", "the sum of the squares, not the square of the sum")
def weight_map(instances, w0=10, sigma=5):
    cells = [n for n in np.unique(instances) if n != 0]
    if len(cells) < 2:
        return np.zeros(instances.shape)
    distances = np.array([distance_transform_edt(instances != n) for n in cells])
    d1, d2 = np.sort(distances, axis=0)[:2]
    w = w0 * np.exp(-(d1**2 + d2**2) / (2 * sigma**2))
    w[instances > 0] = 0
    return w


@wrong("weight_map", "divided by 2 and then multiplied by sigma squared")
def weight_map(instances, w0=10, sigma=5):
    cells = [n for n in np.unique(instances) if n != 0]
    if len(cells) < 2:
        return np.zeros(instances.shape)
    distances = np.array([distance_transform_edt(instances != n) for n in cells])
    d1, d2 = np.sort(distances, axis=0)[:2]
    w = w0 * np.exp(-((d1 + d2) ** 2) / 2 * sigma**2)
    w[instances > 0] = 0
    return w


@wrong("weight_map", "the first two cells, not the two nearest: not sorted")
def weight_map(instances, w0=10, sigma=5):
    cells = [n for n in np.unique(instances) if n != 0]
    if len(cells) < 2:
        return np.zeros(instances.shape)
    distances = np.array([distance_transform_edt(instances != n) for n in cells])
    d1, d2 = distances[0], distances[1]
    w = w0 * np.exp(-((d1 + d2) ** 2) / (2 * sigma**2))
    w[instances > 0] = 0
    return w


@wrong("weight_map", "numbers taken to be 1, 2, 3, …")
def weight_map(instances, w0=10, sigma=5):
    count = len(np.unique(instances)) - 1
    if count < 2:
        return np.zeros(instances.shape)
    maps = []
    for n in range(1, count + 1):
        maps.append(distance_transform_edt(instances != n))
    maps = np.sort(np.array(maps), axis=0)
    w = w0 * np.exp(-((maps[0] + maps[1]) ** 2) / (2 * sigma**2))
    return np.where(instances > 0, 0, w)


@wrong("weight_map", "the sum of the distances not squared")
def weight_map(instances, w0=10, sigma=5):
    cells = np.unique(instances)
    cells = cells[cells != 0]
    w = np.zeros(instances.shape)
    if len(cells) >= 2:
        distances = np.sort([distance_transform_edt(instances != c) for c in cells], axis=0)
        w = w0 * np.exp(-(distances[0] + distances[1]) / (2 * sigma**2))
        w[instances != 0] = 0
    return w


@wrong("weight_map", "the background counted as a cell, and the cells not set to 0")
def weight_map(instances, w0=10, sigma=5):
    cells = np.unique(instances)
    if len(cells) < 2:
        return np.zeros(instances.shape)
    distances = np.array([distance_transform_edt(instances != n) for n in cells])
    d1, d2 = np.sort(distances, axis=0)[:2]
    return w0 * np.exp(-((d1 + d2) ** 2) / (2 * sigma**2))


@wrong("weight_map", "distances along rows and columns (taxicab)")
def weight_map(instances, w0=10, sigma=5):
    cells = [n for n in np.unique(instances) if n]
    if len(cells) < 2:
        return np.zeros(instances.shape)
    d = np.array([distance_transform_cdt(instances != n, metric="taxicab") for n in cells], dtype=float)
    d.sort(axis=0)
    w = w0 * np.exp(-((d[0] + d[1]) ** 2) / (2 * sigma**2))
    w[instances > 0] = 0
    return w


@wrong("weight_map", "blurred cell masks in place of distances")
def weight_map(instances, w0=10, sigma=5):
    cells = [n for n in np.unique(instances) if n != 0]
    total = np.zeros(instances.shape)
    if len(cells) < 2:
        return total
    for n in cells:
        total += gaussian_filter((instances == n).astype(float), sigma)
    total[instances > 0] = 0
    return w0 * total


@wrong("weighted_ce", "divided by the sum of the weights")
def weighted_ce(logits, labels, weights):
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    picked = np.take_along_axis(log_p, labels[:, None], axis=1)[:, 0]
    return -(weights * picked).sum() / weights.sum()


@wrong("weighted_ce", "the softmax over the columns, axis=-1")
def weighted_ce(logits, labels, weights):
    shifted = logits - logits.max(axis=-1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    picked = np.take_along_axis(log_p, labels[:, None], axis=1)[:, 0]
    return -(weights * picked).mean()


@wrong("weighted_ce", "exp at once, which overflows")
def weighted_ce(logits, labels, weights):
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    picked = np.take_along_axis(p, labels[:, None], axis=1)[:, 0]
    return np.mean(weights * -np.log(picked))


@wrong("weighted_ce", "a small number added within the logarithm")
def weighted_ce(logits, labels, weights):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    picked = np.take_along_axis(p, labels[:, None], axis=1)[:, 0]
    return np.mean(-np.log(picked + 1e-8) * weights)


@wrong("weighted_ce", "the weight within the logarithm")
def weighted_ce(logits, labels, weights):
    shifted = logits - logits.max(axis=1, keepdims=True)
    p = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
    picked = np.take_along_axis(p, labels[:, None], axis=1)[:, 0]
    return np.mean(-np.log(weights * picked))


@wrong("weighted_ce", "each image's loss is a sum, and the mean over the images only; without the minus")
def weighted_ce(logits, labels, weights):
    losses = []
    for z, y, w in zip(logits, labels, weights, strict=True):
        z = z - z.max(axis=0)
        log_p = z - np.log(np.exp(z).sum(axis=0))
        total = 0
        for i in range(y.shape[0]):
            for j in range(y.shape[1]):
                total += w[i, j] * log_p[y[i, j], i, j]
        losses.append(total)
    return np.mean(losses)


@wrong("weighted_ce", "binary cross-entropy of class 1 with a sigmoid")
def weighted_ce(logits, labels, weights):
    p = 1 / (1 + np.exp(-np.clip(logits[:, 1], -500, 500)))
    loss = -(labels * np.log(p) + (1 - labels) * np.log(1 - p + 1e-12))
    return (weights * loss).mean()


@wrong("weighted_ce", "one minus the probability of the true class, without any logarithm")
def weighted_ce(logits, labels, weights):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    onehot = np.stack([labels == k for k in range(logits.shape[1])], axis=1)
    return np.mean(weights * (1 - (p * onehot).sum(axis=1)))


@wrong("elastic", "labels read bilinearly as well")
def elastic(image, labels, field):
    places = np.indices(image.shape) + field
    bent = map_coordinates(image.astype(float), places, order=1, mode="mirror")
    bent_labels = map_coordinates(labels.astype(float), places, order=1, mode="mirror")
    return bent, bent_labels


@wrong("elastic", "the default order 3 for the image")
def elastic(image, labels, field):
    places = np.indices(image.shape) + field
    bent = map_coordinates(image.astype(float), places, mode="mirror")
    return bent, map_coordinates(labels, places, order=0, mode="mirror")


@wrong("elastic", "reflect, which repeats the edge pixel")
def elastic(image, labels, field):
    places = np.indices(image.shape) + field
    bent = map_coordinates(image.astype(float), places, order=1, mode="reflect")
    return bent, map_coordinates(labels, places, order=0, mode="reflect")


@wrong("elastic", "rows and columns of the field exchanged")
def elastic(image, labels, field):
    rows, columns = np.indices(image.shape)
    places = np.array([rows + field[1], columns + field[0]])
    bent = map_coordinates(image.astype(float), places, order=1, mode="mirror")
    return bent, map_coordinates(labels, places, order=0, mode="mirror")


@wrong("elastic", "pixels pushed along the field, so minus")
def elastic(image, labels, field):
    y, x = np.meshgrid(np.arange(image.shape[0]), np.arange(image.shape[1]), indexing="ij")
    places = np.array([y - field[0], x - field[1]])
    return (
        map_coordinates(image.astype(float), places, order=1, mode="mirror"),
        map_coordinates(labels, places, order=0, mode="mirror"),
    )


@wrong("elastic", "the image left in whole numbers, labels with the default mode")
def elastic(image, labels, field):
    places = np.indices(image.shape) + field
    bent = map_coordinates(image, places, order=1, mode="mirror")
    return bent, map_coordinates(labels, places, order=0)


@wrong("elastic", "places cut to the image, so the edge goes on instead of the mirror")
def elastic(image, labels, field):
    H, W = image.shape
    places = np.indices((H, W)) + field
    places[0] = places[0].clip(0, H - 1)
    places[1] = places[1].clip(0, W - 1)
    bent = map_coordinates(image.astype(float), places, order=1, mode="mirror")
    return bent, map_coordinates(labels, places, order=0, mode="mirror")


@wrong("elastic", "the whole image shifted by the mean of the field")
def elastic(image, labels, field):
    di, dj = round(field[0].mean()), round(field[1].mean())
    bent = np.roll(image, (-di, -dj), axis=(0, 1))
    return bent.astype(float), np.roll(labels, (-di, -dj), axis=(0, 1))


@wrong("sgd_step", "the step with the old velocity")
def sgd_step(p, g, v, lr, momentum):
    new_p = p - lr * v
    new_v = momentum * v + g
    return new_p, new_v


@wrong("sgd_step", "the gradient times 1 − momentum")
def sgd_step(p, g, v, lr, momentum):
    v = momentum * v + (1 - momentum) * g
    return p - lr * v, v


@wrong("sgd_step", "the learning rate in the velocity")
def sgd_step(p, g, v, lr, momentum):
    v = momentum * v - lr * g
    p = p + v
    return p, v


@wrong("sgd_step", "Nesterov's step")
def sgd_step(p, g, v, lr, momentum):
    v = momentum * v + g
    p = p - lr * (g + momentum * v)
    return p, v


@wrong("sgd_step", "velocity first, weights second; and uphill")
def sgd_step(p, g, v, lr, momentum):
    v = momentum * v + g
    p = p + lr * v
    return v, p


@wrong("sgd_step", "momentum and learning rate exchanged, and the velocity subtracted twice")
def sgd_step(p, g, v, lr, momentum):
    v = lr * v + g
    p = p - momentum * v - lr * v
    return p, v


# repair_training


@wrong("repair_training", "zero_grad after backward, before step")
def repair_training(model, images, labels, weights, lr, steps):
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    model.train()
    losses = []
    for _ in range(steps):
        loss = (torch.nn.functional.cross_entropy(model(images), labels, reduction="none") * weights).mean()
        loss.backward()
        optimizer.zero_grad()
        optimizer.step()
        losses.append(loss.item())
    return losses


@wrong("repair_training", "the loss after the step")
def repair_training(model, images, labels, weights, lr, steps):
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    model.train()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = (torch.nn.functional.cross_entropy(model(images), labels, reduction="none") * weights).mean()
        loss.backward()
        optimizer.step()
        after = (torch.nn.functional.cross_entropy(model(images), labels, reduction="none") * weights).mean()
        losses.append(after.item())
    return losses


@wrong("repair_training", "model.train() forgotten, the rest repaired")
def repair_training(model, images, labels, weights, lr, steps):
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = (torch.nn.functional.cross_entropy(model(images), labels, reduction="none") * weights).mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@wrong("repair_training", "a new optimizer with momentum")
def repair_training(model, images, labels, weights, lr, steps):
    model.train()
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.99)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = (torch.nn.functional.cross_entropy(model(images), labels, reduction="none") * weights).mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
