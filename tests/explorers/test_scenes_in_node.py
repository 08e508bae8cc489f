"""What an explorer computes in the page is what the library computes: the scenes of thousands of states, number by
number and text by text."""

import itertools
import json
import math
from dataclasses import asdict

import numpy as np
import pytest

from tests.explorers.in_node import called
from unet_edu import explore
from unet_edu.data import PHOTOS
from unet_edu.explore.arithmetic import BOUNDS, State, scene
from unet_edu.explore.cells import total
from unet_edu.explore.convolution import BOUNDS as CONVOLUTION_BOUNDS
from unet_edu.explore.convolution import FROM_PHOTO, IMAGE, PRESETS, SIGNS, box, filtered, pixels
from unet_edu.explore.convolution import State as ConvolutionState
from unet_edu.explore.convolution import scene as convolution_scene
from unet_edu.figures.scene import number

MANY = 2000


def plain(scene) -> dict:
    """A scene as the page has it, without the colours, which the page gets from Python."""
    data = json.loads(json.dumps(scene.data()))
    del data["colours"]
    return data


def first_difference(mine, theirs, place="") -> str:
    """Where two pieces of JSON differ; 1 and 1.0 are the same number."""
    if isinstance(mine, dict) and isinstance(theirs, dict) and mine.keys() == theirs.keys():
        pairs = [(key, mine[key], theirs[key]) for key in mine]
    elif isinstance(mine, list) and isinstance(theirs, list) and len(mine) == len(theirs):
        pairs = [(n, *pair) for n, pair in enumerate(zip(mine, theirs, strict=True))]
    else:
        return "" if mine == theirs else f"{place}: {mine!r} in Python, {theirs!r} in the page"
    return next((found for key, *pair in pairs if (found := first_difference(*pair, f"{place} {key}"))), "")


def same(states, make, found):
    assert len(states) == len(found) > 1000
    for state, theirs in zip(states, found, strict=True):
        mine = plain(make(state))
        assert mine == theirs, f"{state}{first_difference(mine, theirs)}"


def test_arithmetic_of_every_setting(tmp_path):
    states = [State(*values) for values in itertools.product(*(range(low, high + 1) for low, high in BOUNDS.values()))]
    same(states, scene, called("arithmetic.js", "scene(it)", map(asdict, states), tmp_path))


def drawn_numbers(rng, shape, kind):
    """Whole, in sixteenths, or any."""
    return {
        "whole": lambda: rng.integers(-9, 10, shape),
        "sixteenths": lambda: rng.integers(-99, 100, shape) / 16,
        "any": lambda: rng.normal(0, 10.0 ** rng.integers(-6, 7), shape),
    }[kind]().astype(float)


def as_matrix(array):
    return tuple(map(tuple, array.tolist()))


def drawn(rng) -> ConvolutionState:
    kind = rng.choice(["whole", "sixteenths", "any"])
    height, width = rng.integers(1, 6, 2)
    x = as_matrix(drawn_numbers(rng, (height, width), kind)) if rng.random() < 0.6 else FROM_PHOTO
    if rng.random() < 0.4:
        kernel = list(PRESETS.values())[rng.integers(len(PRESETS))]
    else:
        kernel = as_matrix(drawn_numbers(rng, rng.integers(1, 5, 2), kind if x else "sixteenths"))
    geometry = {name: int(rng.integers(low, high + 1)) for name, (low, high) in CONVOLUTION_BOUNDS.items()}
    return ConvolutionState(x, kernel, bool(rng.random() < 0.5), str(rng.choice(list(PHOTOS))), **geometry)


def fits(state) -> bool:
    spans = [state.dilation * (length - 1) + 1 for length in np.shape(state.kernel)]
    return all(span <= side + 2 * state.padding for span, side in zip(spans, state.image.shape, strict=True))


def given():
    return {"signs": SIGNS, "packed": explore.convolution("photo", photo="coins").data["photos"]}


def test_convolution_of_many_drawn_states(tmp_path):
    rng = np.random.default_rng(16)
    states = [state for state in (drawn(rng) for _ in range(2 * MANY)) if fits(state)][:MANY]
    assert sum(state.x == FROM_PHOTO for state in states) > MANY // 4
    call = "scene(it, (given.photos ??= await unpacked(given.packed)), given.signs)"
    same(states, convolution_scene, called("convolution.js", call, map(asdict, states), tmp_path, **given()))


def test_what_does_not_fit_is_refused_in_the_page_and_only_that(tmp_path):
    rng = np.random.default_rng(2015)
    states = [drawn(rng) for _ in range(1000)]
    call = 'problem(it, "padding", (given.photos ??= await unpacked(given.packed)))'
    found = called("convolution.js", call, map(asdict, states), tmp_path, **given())
    assert [not words for words in found] == [fits(state) for state in states] and len(set(map(bool, found))) == 2


@pytest.mark.parametrize("name", PHOTOS)
def test_photographs_arrive_as_they_are(tmp_path, name):
    """Every pixel, and every pixel under a kernel; and where the box lies."""
    states = [
        ConvolutionState(FROM_PHOTO, PRESETS[kernel], flip, name, row, column, stride, padding, dilation)
        for kernel, flip, row, column, stride, padding, dilation in (
            ("Sobel x, left to right", False, 0, 0, 1, 0, 1),
            ("Gaussian blur", True, 9, 20, 2, 1, 2),
            ("Laplacian", False, 100, 7, 3, 2, 3),
        )
    ]
    call = """(({ y, rows, columns, low, high }) => ({ y: [...y], size: [rows, columns], low, high, box: boxOf(it) }))
        (filtered(it, (given.photos ??= await unpacked(given.packed))))"""
    found = called("convolution.js", call, map(asdict, states), tmp_path, **given())
    for state, theirs in zip(states, found, strict=True):
        y, low, high = filtered(state)
        assert np.array_equal(np.reshape(theirs["y"], theirs["size"]), y)
        assert (theirs["low"], theirs["high"], tuple(theirs["box"])) == (low, high, box(state))
    (grey,) = called("convolution.js", "[...(await unpacked(given.packed))[it].grey]", [name], tmp_path, **given())
    assert np.array_equal(np.reshape(grey, pixels(name).shape), pixels(name))


def awkward_numbers():
    """What lies in the middle between two roundings, what is close to it, large, small, and no number at all."""
    rng = np.random.default_rng(3)
    middles = [sign * (n + 0.5) * 10.0**-p for n in range(100, 1000, 7) for p in range(-3, 8) for sign in (1, -1)]
    eighths = [n / 2**p for n in rng.integers(-4000, 4000, 2000) for p in (1, 3, 6)]
    edges = [0.0, -0.0, 999.5, 999.4999, 1000.5, 1001.5, 1e21, 1e22, 1e-4, 9.995e-5, 1e-5, 5e-324, 1 / 9, 0.125, 2.125]
    some = rng.normal(0, 1, 3000) * 10.0 ** rng.integers(-9, 9, 3000)
    near = [side for value in middles for side in (math.nextafter(value, 1e300), math.nextafter(value, -1e300))]
    return [*map(float, [*middles, *eighths, *edges, *some, *near])]


def test_numbers_are_written_as_in_python(tmp_path):
    values = awkward_numbers()
    assert len(values) > 10_000
    found = called("cells.js", "number(it)", values, tmp_path)
    assert [pair for pair in zip(values, map(number, values), found, strict=True) if pair[1] != pair[2]] == []
    odd = called("cells.js", "number(it === 0 ? NaN : it * Infinity)", [0, 1, -1], tmp_path)
    assert odd == [number(value) for value in (math.nan, math.inf, -math.inf)]


def test_sums_are_written_as_in_python(tmp_path):
    sums = [[], [[1, 4], [-2, 0.5]], [[-1, -1]]]
    assert called("cells.js", "total(it)", sums, tmp_path) == list(map(total, sums))


def test_a_difference_is_noticed():
    mine = plain(convolution_scene(ConvolutionState(IMAGE, PRESETS["sharpen"], False, "camera")))
    theirs = json.loads(json.dumps(mine))
    theirs["grids"][2]["text"][1] = "9"
    assert first_difference(mine, theirs) == " grids 2 text 1: '10' in Python, '9' in the page"
