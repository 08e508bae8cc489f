"""Lesson 08's exercises: right answers in many styles, the numbers of the lesson, and mistakes as students write them."""

import numpy as np
import pytest
import torch

from tests.checks.judging import assert_right
from unet_edu import check
from unet_edu.lessons.s08_tiles import LESSON
from unet_edu.tiling import predict

torch.set_num_threads(1)
BY_NAME = {exercise.name: exercise for exercise in LESSON.exercises}


# --- right answers, written in different ways ---------------------------------------------------------------------------


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


@pytest.mark.parametrize("exercise", LESSON.exercises, ids=lambda exercise: exercise.name)
def test_right_answers_pass_however_they_are_written(exercise):
    assert_right(exercise, RIGHT[exercise.name])


def test_every_tile_is_needed_and_none_is_missing():
    for seed in range(20):
        for case in BY_NAME["tile_origins"].cases(np.random.default_rng(seed)):
            size, tile, align = case.args
            origins = BY_NAME["tile_origins"].reference(size, tile, align)
            covered = {pixel for origin in origins for pixel in range(origin, origin + tile)}
            assert set(range(size)) <= covered
            assert len(origins) == 1 or not set(range(size)) <= {*range(origins[-2] + tile)}
            assert not any(origin % align for origin in origins)


def test_the_step_of_the_paper_would_show():
    """At depth 1 and 2 a tile is itself a good step; at depth 3 it is not, and some case shows it."""
    cases = BY_NAME["predict_tiled"].cases(np.random.default_rng(0))
    phases = {(case.probe.depth, case.args[2] % 2**case.probe.depth) for case in cases}
    assert {(1, 0), (2, 0)} <= phases and (3, 4) in phases
    for case in cases:
        if case.probe.depth == 3:  # more than one tile, and more than one step, along both sides
            assert all(side > case.args[2] + 8 for side in case.args[1].shape)


# --- mistakes as students write them --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "misconception"),
    [("symmetric", "edge doubled"), ("edge", "edge repeated"), ("constant", "zeros"), ("wrap", "wrapped around")],
)
def test_the_modes_of_numpy_are_told_apart(mode, misconception):
    assert check(lambda image, margin: np.pad(image, margin, mode=mode), "mirror_pad").misconception == misconception


def origins(step=lambda tile, align: tile // align * align, goes_on=lambda origin, tile, size: origin + tile < size):
    def tile_origins(size, tile, align):
        places = [0]
        while goes_on(places[-1], tile, size):
            places.append(places[-1] + step(tile, align))
        return places

    return tile_origins


@pytest.mark.parametrize(
    ("changes", "misconception"),
    [
        ({"step": lambda tile, align: tile}, "side by side"),
        ({"step": lambda tile, align: align}, "smallest step"),
        ({"goes_on": lambda origin, tile, size: origin + tile <= size}, "one too many where it fits exactly"),
    ],
)
def test_mistakes_in_the_loop_are_recognised(changes, misconception):
    assert check(origins(), "tile_origins").passed
    assert check(origins(**changes), "tile_origins").misconception == misconception


def tiled(*, mode="reflect", step=None, evaluates=True, finish=lambda scores: scores.softmax(dim=0), back=False):
    """The solution, with places to go wrong."""

    def predict_tiled(model, image, tile):
        if evaluates:
            model.eval()
        margin, align = 6 * 2**model.depth - 4, 2**model.depth
        H, W = image.shape
        rows, columns = (origins_by_rule(side, tile, align) for side in (H, W))
        if step:
            rows, columns = (list(range(0, side, tile)) for side in (H, W))
        if back:
            rows, columns = (places[:-1] + [side - tile] for places, side in ((rows, H), (columns, W)))
        padded = np.pad(image, ((margin, margin + tile), (margin, margin + tile)), mode=mode)
        answer = torch.zeros(2, H + tile, W + tile)
        for i in rows:
            for j in columns:
                x = torch.tensor(padded[i : i + tile + 2 * margin, j : j + tile + 2 * margin])[None, None]
                answer[:, i : i + tile, j : j + tile] = finish(model(x)[0])
        return answer[:, :H, :W]

    return predict_tiled


@pytest.mark.parametrize(
    ("changes", "misconception"),
    [
        ({"step": "the tile"}, "off the phase"),
        ({"back": True}, "last tile pushed back"),
        ({"evaluates": False}, "training mode"),
        ({"mode": "constant"}, "zeros around the image"),
        ({"mode": "symmetric"}, "edge doubled"),
        ({"finish": lambda scores: scores}, "scores"),
        ({"finish": lambda scores: scores.sigmoid()}, "sigmoid"),
    ],
)
def test_seams_and_their_causes_are_recognised(changes, misconception):
    assert check(tiled(), "predict_tiled").passed
    assert check(tiled(**changes), "predict_tiled").misconception == misconception


@pytest.mark.parametrize(
    "finish",
    [
        lambda scores: scores.softmax(dim=0).flip(0),
        lambda scores: scores.softmax(dim=0).mT,
        lambda scores: scores.softmax(dim=0).round(),
        lambda scores: torch.full_like(scores, 0.5),
        lambda scores: scores.softmax(dim=0)[:, :-1, :-1],
    ],
)
def test_other_maps_do_not_pass(finish):
    assert check(tiled(finish=finish), "predict_tiled").status == "failed"


def test_a_network_that_gets_the_whole_image_at_once_is_no_answer():
    """The numbers would be right: this is what the tiles are compared with."""
    result = check(at_once, "predict_tiled")
    assert result.status == "failed" and "cut it into tiles" in result.message
