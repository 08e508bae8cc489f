"""The exercises of lesson 07: right answers in many styles, and mistakes as students write them."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from scipy.ndimage import distance_transform_edt, map_coordinates
from torch import nn

from tests.checks.judging import written
from unet_edu.data.elastic import warp
from unet_edu.losses import nearest_two, weighted_cross_entropy
from unet_edu.unet import he_init_ as library_init


def drawn_by_kaiming(model):
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        elif isinstance(layer, nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, 0, (2 / layer.weight.shape[0]) ** 0.5)
        if getattr(layer, "bias", None) is not None:
            layer.bias.data.fill_(0)
    return model


def drawn_in_numpy(model):
    rng = np.random.default_rng(7)

    def draw(layer):
        if hasattr(layer, "weight"):
            shape = tuple(layer.weight.shape)
            N = shape[0] if isinstance(layer, nn.ConvTranspose2d) else np.prod(shape[1:])
            layer.weight = nn.Parameter(torch.tensor(rng.normal(0, np.sqrt(2 / N), shape), dtype=torch.float32))
            layer.bias = nn.Parameter(torch.zeros_like(layer.bias))

    return model.apply(draw)


def drawn_by_randn(model):
    with torch.no_grad():
        for layer in model.modules():
            if not hasattr(layer, "weight"):
                continue
            N = layer.in_channels * (1 if "Transpose" in type(layer).__name__ else math.prod(layer.kernel_size))
            layer.weight[:] = torch.randn(layer.weight.shape) * math.sqrt(2 / N)
            layer.bias *= 0
    return model


def map_by_loops(instances, w0=10, sigma=5):
    w = np.zeros(instances.shape)
    cells = {n: np.argwhere(instances == n) for n in set(instances.ravel().tolist()) - {0}}
    for i, j in np.argwhere(instances == 0):
        near = sorted(np.sqrt(((places - (i, j)) ** 2).sum(axis=1)).min() for places in cells.values())
        if len(near) > 1:
            w[i, j] = w0 * math.exp(-((near[0] + near[1]) ** 2) / (2 * sigma**2))
    return w


def map_by_partition(instances, w0=10, sigma=5):
    cells = np.unique(instances[instances > 0])
    if cells.size < 2:
        return np.zeros_like(instances, dtype=np.float32)
    d = np.partition([distance_transform_edt(instances != n) for n in cells], 1, axis=0)
    return np.float32(w0 * np.exp(-((d[0] + d[1]) ** 2) / 2 / sigma**2) * (instances == 0))


def map_by_nearest_two(instances, w0=10, sigma=5):
    d1, d2 = nearest_two(instances)
    return torch.from_numpy(np.where(instances > 0, 0, w0 * np.exp(-((d1 + d2) ** 2) / (2 * sigma**2))))


def loss_by_loops(logits, labels, weights):
    total = 0
    for n, i, j in np.ndindex(labels.shape):
        scores = logits[n, :, i, j] - logits[n, :, i, j].max()
        total += weights[n, i, j] * (math.log(sum(math.exp(s) for s in scores)) - scores[labels[n, i, j]])
    return total / labels.size


def loss_in_torch(logits, labels, weights):
    losses = F.cross_entropy(torch.tensor(logits), torch.tensor(labels), reduction="none")
    return (losses * torch.tensor(weights)).mean()


def loss_by_library(logits, labels, weights):
    return weighted_cross_entropy(*(torch.tensor(a) for a in (logits, labels, weights)))


def loss_by_one_hot(logits, labels, weights):
    z = np.float32(logits)
    top = z.max(axis=1, keepdims=True)
    log_sum = top + np.log(np.exp(z - top).sum(axis=1, keepdims=True))
    one_hot = np.moveaxis(np.eye(logits.shape[1])[labels], -1, 1)
    return -(one_hot * (z - log_sum) * weights[:, None]).sum() / labels.size


def bent_by_loops(image, labels, field):
    H, W = image.shape

    def at(array, i, j):
        i, j = (abs((place + size - 1) % (2 * size - 2) - size + 1) for place, size in ((i, H), (j, W)))
        return array[i, j]

    one, two = np.zeros((H, W)), np.zeros((H, W), int)
    for i, j in np.ndindex(H, W):
        y, x = i + field[0, i, j], j + field[1, i, j]
        top, left = math.floor(y), math.floor(x)
        for u, v in np.ndindex(2, 2):
            part = (1 - abs(y - top - u)) * (1 - abs(x - left - v))
            if part > 0:
                one[i, j] += part * at(image, top + u, left + v)
        two[i, j] = at(labels, round(y), round(x))
    return one, two


def bent_by_library(image, labels, field):
    return warp(image.astype(float), field, order=1), warp(labels, field, order=0)


def bent_in_torch(image, labels, field):
    H, W = image.shape
    i, j = np.indices((H, W)) + field
    grid = torch.tensor(np.stack([2 * j / (W - 1) - 1, 2 * i / (H - 1) - 1], axis=-1))[None]

    def read(array, mode):
        planes = torch.tensor(array.astype(float))[None, None]
        return F.grid_sample(planes, grid, mode, padding_mode="reflection", align_corners=True)[0, 0]

    return read(image, "bilinear"), read(labels, "nearest")


def bent_in_scipy(image, labels, field):
    i, j = np.meshgrid(*map(np.arange, image.shape), indexing="ij")
    places = [i + field[0], j + field[1]]
    return [map_coordinates(a.astype(np.float32), places, order=o, mode="mirror") for a, o in ((image, 1), (labels, 0))]


def step_by_loops(p, g, v, lr, momentum):
    p, v = p.copy(), v.copy()
    for place in np.ndindex(p.shape):
        v[place] = momentum * v[place] + g[place]
        p[place] = p[place] - lr * v[place]
    return p, v


def step_in_torch(p, g, v, lr, momentum):
    weight = torch.tensor(p, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=lr, momentum=momentum)
    if momentum:
        optimizer.state[weight]["momentum_buffer"] = torch.tensor(v, dtype=torch.float64)
    weight.grad = torch.tensor(g, dtype=torch.float64)
    optimizer.step()
    return weight, optimizer.state[weight]["momentum_buffer"] if momentum else weight.grad


def trained_by_hand(model, images, labels, weights, lr, steps):
    """Without an optimizer, and with the logarithm of the softmax."""
    model.train()
    losses = []
    for _ in range(steps):
        log_p = model(images).log_softmax(dim=1)
        loss = -(log_p.gather(1, labels[:, None])[:, 0] * weights).sum() / labels.numel()
        for parameter, gradient in zip(
            model.parameters(), torch.autograd.grad(loss, [*model.parameters()]), strict=True
        ):
            parameter.data -= lr * gradient
        losses.append(loss.detach())
    return torch.stack(losses)


def trained_and_emptied_after(model, images, labels, weights, lr, steps):
    optimizer = torch.optim.SGD(model.train().parameters(), lr)
    criterion = nn.CrossEntropyLoss(reduction="none")
    losses = np.zeros(steps)
    for step in range(steps):
        loss = torch.mean(weights * criterion(model(images), labels))
        loss.backward()
        optimizer.step()
        model.zero_grad()
        losses[step] = loss.item()
    return losses


def trained_by_library(model, images, labels, weights, lr, steps):
    model.train()
    optimizer, losses = torch.optim.SGD(model.parameters(), lr=lr), []
    while len(losses) < steps:
        optimizer.zero_grad(set_to_none=False)
        losses.append(weighted_cross_entropy(model(images), labels, weights))
        losses[-1].backward()
        optimizer.step()
    return [loss.item() for loss in losses]


RIGHT = {
    "he_init_": [drawn_by_kaiming, drawn_in_numpy, drawn_by_randn, library_init],
    "weight_map": [map_by_loops, map_by_partition, map_by_nearest_two],
    "weighted_ce": [loss_by_loops, loss_in_torch, loss_by_library, loss_by_one_hot],
    "elastic": [bent_by_loops, bent_by_library, bent_in_torch, bent_in_scipy],
    "sgd_step": [
        step_by_loops,
        step_in_torch,
        lambda p, g, v, lr, momentum: (p - lr * (momentum * v + g), momentum * v + g),
    ],
    "repair_training": [trained_by_hand, trained_and_emptied_after, trained_by_library],
}


# --- mistakes as students write them ----------------------------------------------------------------------------------


@written("he_init_", "steps up by PyTorch's fan in")
def _(model):
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.kaiming_normal_(layer.weight)
            nn.init.zeros_(layer.bias)
    return model


@written("weight_map", "distances to the background")
def _(instances, w0=10, sigma=5):
    cells = [n for n in np.unique(instances) if n]
    if len(cells) < 2:
        return np.zeros(instances.shape)
    d1, d2 = np.sort([distance_transform_edt(instances == n) for n in cells], axis=0)[:2]
    return np.where(instances > 0, 0, w0 * np.exp(-((d1 + d2) ** 2) / (2 * sigma**2)))


@written("weighted_ce", "divided by the sum of the weights")
def _(logits, labels, weights):
    losses = F.cross_entropy(torch.tensor(logits), torch.tensor(labels), reduction="none") * torch.tensor(weights)
    return losses.sum() / weights.sum()


@written("repair_training", "softmax twice and weights not used")
def _(model, images, labels, weights, lr, steps):
    """Two are found: the network trains, and its gradients are set to 0."""
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    model.train()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images).softmax(dim=1), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@written("repair_training", "gradients kept")
def _(model, images, labels, weights, lr, steps):
    """Set to 0 once, before the loop."""
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    optimizer.zero_grad()
    model.train()
    losses = []
    for _ in range(steps):
        loss = (F.cross_entropy(model(images), labels, reduction="none") * weights).mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@written("repair_training", "weights of the whole as one")
def _(model, images, labels, weights, lr, steps):
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    model.train()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = (F.cross_entropy(model(images), labels) * weights).mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def trained(losses_of, make=torch.optim.SGD, learned_of=None, **settings):
    """The repaired loop, with another loss, another optimizer, or another loss for the step than for the list."""

    def train(model, images, labels, weights, lr, steps):
        optimizer = make(model.parameters(), lr=lr, **settings)
        model.train()
        losses = []
        for _ in range(steps):
            optimizer.zero_grad()
            scores = model(images)
            loss = losses_of(scores, labels, weights)
            (loss if learned_of is None else learned_of(scores, labels, weights)).backward()
            optimizer.step()
            losses.append(loss.item())
        return losses

    return train


def weighted(scores, labels, weights):
    return (F.cross_entropy(scores, labels, reduction="none") * weights).mean()


def unweighted(scores, labels, weights):
    return F.cross_entropy(scores, labels)


written("repair_training", "the momentum of the paper")(trained(weighted, momentum=0.99))
written("repair_training", "AdamW")(trained(weighted, torch.optim.AdamW))
written("repair_training", "weights in the report alone")(trained(weighted, learned_of=unweighted))
written("repair_training", "weights in the steps alone")(trained(unweighted, learned_of=weighted))


@written("repair_training", "scores times weights")
def _(model, images, labels, weights, lr, steps):
    train = trained(lambda scores, labels, weights: F.cross_entropy(scores * weights[:, None], labels))
    return train(model, images, labels, weights, lr, steps)


@written("repair_training", "losses after the steps")
def _(model, images, labels, weights, lr, steps):
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    model.train()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        weighted(model(images), labels, weights).backward()
        optimizer.step()
        losses.append(weighted(model(images), labels, weights).item())
    return losses


@written("repair_training", "mean by the sum of the weights")
def _(model, images, labels, weights, lr, steps):
    """The weights of pixels given as those of classes, which fits two pixels of two classes by chance."""
    train = trained(lambda scores, labels, weights: F.cross_entropy(scores, labels, weight=weights))
    return train(model, images, labels, weights, lr, steps)
