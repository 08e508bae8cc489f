"""Lesson 08's exercises: the numbers of the lesson, and mistakes as students write them."""

import numpy as np
import pytest
import torch

from tests.checks.answers.s08_tiles import at_once, origins_by_rule
from tests.checks.judging import cases_of, checked
from unet_edu.lessons import EXERCISES

torch.set_num_threads(1)


def test_every_tile_is_needed_and_none_is_missing():
    for seed in range(20):
        for case in cases_of("tile_origins", seed):
            size, tile, align = case.args
            origins = EXERCISES["tile_origins"].reference(size, tile, align)
            covered = {pixel for origin in origins for pixel in range(origin, origin + tile)}
            assert set(range(size)) <= covered
            assert len(origins) == 1 or not set(range(size)) <= {*range(origins[-2] + tile)}
            assert not any(origin % align for origin in origins)


def test_the_step_of_the_paper_would_show():
    """At depth 1 and 2 a tile is itself a good step; at depth 3 it is not, and some case shows it."""
    cases = cases_of("predict_tiled", 0)
    phases = {(case.probe.depth, case.args[2] % 2**case.probe.depth) for case in cases}
    assert {(1, 0), (2, 0)} <= phases and (3, 4) in phases
    assert any(min(case.args[1].shape) < case.args[2] for case in cases)  # nor is every image as large as a tile
    for case in cases:
        if case.probe.depth == 3:  # more than one tile, and more than one step, along both sides
            assert all(side > case.args[2] + 8 for side in case.args[1].shape)


def test_blended_tiles_are_a_mean_of_those_that_lie_there():
    """Tiles that agree leave no trace, and each pixel lies between the smallest and the largest of its tiles."""
    for seed in range(5):
        for case in cases_of("blend_tiles", seed):
            tiles, places, shape, importance = case.args
            same = EXERCISES["blend_tiles"].reference(np.full(tiles.shape, 3.5), places, shape, importance)
            assert same.shape == shape and np.allclose(same, 3.5)
            answer = case.call(EXERCISES["blend_tiles"].reference)
            assert tiles.min() - 1e-9 <= answer.min() <= answer.max() <= tiles.max() + 1e-9
    beyond = [
        case
        for case in cases_of("blend_tiles", 0)
        if any(
            i + case.args[3].shape[0] > case.args[2][0] or j + case.args[3].shape[1] > case.args[2][1]
            for i, j in case.args[1]
        )
    ]
    assert 3 <= len(beyond) < len(cases_of("blend_tiles", 0))


# --- mistakes as students write them ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "misconception"),
    [("symmetric", "edge doubled"), ("edge", "edge repeated"), ("constant", "zeros"), ("wrap", "wrapped around")],
)
def test_the_modes_of_numpy_are_told_apart(mode, misconception):
    assert checked(lambda image, margin: np.pad(image, margin, mode=mode), "mirror_pad").misconception == misconception


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
    assert checked(origins(), "tile_origins").passed
    assert checked(origins(**changes), "tile_origins").misconception == misconception


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
    assert checked(tiled(), "predict_tiled").passed
    assert checked(tiled(**changes), "predict_tiled").misconception == misconception


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
    assert checked(tiled(finish=finish), "predict_tiled").status == "failed"


def test_a_network_that_gets_the_whole_image_at_once_is_no_answer():
    """The numbers would be right: this is what the tiles are compared with."""
    result = checked(at_once, "predict_tiled")
    assert result.status == "failed" and "cut it into tiles" in result.message
