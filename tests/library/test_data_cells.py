"""Drawn cells: the truth is exact, the same seed gives the same picture, and they are as hard as lesson 07 says."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage.filters import threshold_otsu

from unet_edu.data.cells import LOOKS, RADII, SMALLEST, _Cell, _is_free, _whole_pieces, synthetic_cells
from unet_edu.instances import connected, seg
from unet_edu.metrics import confusion_matrix, iou

SEEDS = range(40)


@pytest.fixture(scope="module")
def drawn():
    return {look: [synthetic_cells(seed, look=look) for seed in SEEDS] for look in LOOKS}


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**40),
    st.tuples(st.integers(1, 150), st.integers(1, 150)),
    st.integers(0, 60),
    st.sampled_from(LOOKS),
)
def test_any_size_and_any_number(seed, shape, cells, look):
    image, instances = synthetic_cells(seed, shape, cells=cells, look=look)
    assert image.shape == instances.shape == shape
    assert image.dtype == np.float32 and instances.dtype == np.int32
    assert np.isfinite(image).all() and 0 <= image.min() and image.max() <= 1
    sizes = np.bincount(instances.ravel())
    assert len(sizes) - 1 <= cells and (sizes[1:] >= SMALLEST).all(), "numbers without gaps, and each cell is worth one"
    for number in range(1, len(sizes)):
        assert ndimage.label(instances == number)[1] == 1, "a cell is in one piece"


def test_of_a_cell_in_pieces_the_largest_is_kept():
    instances = np.zeros((40, 40), np.int32)
    instances[2:7, 2:7] = 2  # 25 pixels, and far away
    instances[30:36, 30:35] = 2  # 30; around both is much background
    instances[10:14, 20:24] = 1  # 16: too small
    instances[20:30, 5:8] = 3
    expected = np.zeros((40, 40), np.int32)
    expected[30:36, 30:35], expected[20:30, 5:8] = 1, 2
    np.testing.assert_array_equal(_whole_pieces(instances, 3), expected)


def test_no_cell_is_laid_on_another():
    round_one = _Cell(20.0, 20.0, ((0.1, 0.0), (0.0, 0.1)))  # a disc with radius 10
    for distance, is_free in ((0, False), (1, False), (16.7, False), (16.9, True), (60, True)):
        # 0.84 · 20 = 16.8
        assert _is_free(round_one._replace(column=20.0 + distance), [round_one]) == is_free, distance


def test_the_seed_decides():
    for look in LOOKS:
        first, again, other = (synthetic_cells(seed, look=look) for seed in (7, 7, 8))
        from_generator = synthetic_cells(np.random.default_rng(7), look=look)
        for a, b, c, d in zip(first, again, from_generator, other, strict=True):
            np.testing.assert_array_equal(a, b)
            np.testing.assert_array_equal(a, c)
            assert (a != d).mean() > 0.1
    rng = np.random.default_rng(7)
    assert (synthetic_cells(rng)[1] != synthetic_cells(rng)[1]).any(), "a generator goes on"


def test_both_looks_show_the_same_cells(drawn):
    for (phase, cells), (fluorescence, same) in zip(*drawn.values(), strict=True):
        np.testing.assert_array_equal(cells, same)
        assert np.abs(phase - fluorescence).mean() > 0.1


def test_the_defaults():
    image, instances = synthetic_cells(0)
    np.testing.assert_array_equal(image, synthetic_cells(0, (128, 128), cells=12, look="phase")[0])
    assert instances.max() == 12


def test_no_cells_no_labels_one_cell_one_label():
    for look in LOOKS:
        image, instances = synthetic_cells(1, cells=0, look=look)
        assert not instances.any() and 0.005 < image.std() < 0.05
        assert {int(synthetic_cells(seed, cells=1, look=look)[1].max()) for seed in SEEDS} == {1}


def test_more_cells_than_fit_fill_the_picture():
    covered = [(synthetic_cells(seed, cells=1000)[1] > 0).mean() for seed in range(5)]
    assert 0.6 < min(covered) and max(covered) < 0.95
    assert synthetic_cells(0, cells=1000)[1].max() < 60
    np.testing.assert_array_equal(*(synthetic_cells(0, cells=cells)[1] for cells in (1000, 2000)))


def test_cells_have_the_size_and_shape_of_cells(drawn):
    sizes, lengths = [], []
    for _, instances in drawn["phase"]:
        for number, box in enumerate(ndimage.find_objects(instances), start=1):
            inside = all(0 < side.start and side.stop < 128 for side in box)
            if inside:
                places = np.argwhere(instances == number)
                long, short = np.sqrt(np.linalg.eigvalsh(np.cov(places.T))[::-1])
                sizes.append(len(places))
                lengths.append(long / short)
    # neighbours press some smaller, and the bending makes some larger
    assert 0.9 * np.pi * RADII[0] ** 2 < np.median(sizes) < 1.1 * np.pi * RADII[1] ** 2
    assert np.quantile(sizes, 0.02) > 0.4 * np.pi * RADII[0] ** 2 and max(sizes) < 1.8 * np.pi * RADII[1] ** 2
    assert 1.1 < np.median(lengths) < 1.6 and np.quantile(lengths, 0.98) < 2.8


def test_most_cells_touch_another_and_some_stand_alone(drawn):
    alone, together = 0, 0
    for _, instances in drawn["phase"]:
        clusters = connected(instances > 0)
        for cluster in range(1, clusters.max() + 1):
            members = len(np.unique(instances[clusters == cluster]))
            alone, together = alone + (members == 1), together + (members if members > 1 else 0)
    assert 0.55 < together / (together + alone) < 0.9


def test_otsu_finds_the_nuclei_and_cannot_count_them(drawn):
    """What lesson 07 builds on: the foreground is easy, and one cell from the next is not."""
    found, counted, possible = [], [], []
    for image, instances in drawn["fluorescence"]:
        mask = image > threshold_otsu(image)
        found.append(iou(confusion_matrix(mask, instances > 0, 2))[1])
        counted.append(seg(connected(mask), instances))
        possible.append(seg(connected(instances > 0), instances))
    # the means of 40 pictures; their standard errors are 0.004 and 0.03
    assert 0.88 < np.mean(found) < 0.94
    assert 0.28 < np.mean(counted) < 0.48
    assert np.mean(possible) < np.mean(counted) + 0.05, "not even the perfect mask could count them"


def test_no_threshold_finds_the_cells_in_phase_contrast(drawn):
    for image, instances in drawn["phase"][:10]:
        for level in np.linspace(0.1, 0.9, 33):
            for mask in (image > level, image < level):
                assert iou(confusion_matrix(mask, instances > 0, 2))[1] < 0.65
    assert {threshold_otsu(image) > 0.2 for image, _ in drawn["phase"]} == {True}


def test_phase_contrast_has_a_halo_around_a_dark_rim(drawn):
    for image, instances in drawn["phase"][:20]:
        outside = ndimage.distance_transform_edt(instances == 0)
        inside = ndimage.distance_transform_edt(instances > 0)
        halo, ground = image[(outside > 1) & (outside < 4)].mean(), image[outside > 15].mean()
        rim = image[(inside > 0) & (inside < 3)].mean()
        noise = image[outside > 15].std()
        assert halo > ground + 2 * noise and rim < ground - 2 * noise


def test_fluorescence_is_bright_on_dark_and_some_of_it_is_blurred(drawn):
    slopes = []
    for image, instances in drawn["fluorescence"]:
        outside = ndimage.distance_transform_edt(instances == 0)
        assert image[instances > 0].mean() > 4 * image[outside > 8].mean()
        edges = ndimage.gaussian_gradient_magnitude(image.astype(float), 1)
        for number, box in enumerate(ndimage.find_objects(instances), start=1):
            cell = instances[box] == number
            slopes.append(edges[box][cell].max() / image[box][cell].mean())
    assert np.quantile(slopes, 0.9) > 1.4 * np.quantile(slopes, 0.1)


@pytest.mark.parametrize("look", LOOKS)
def test_light_is_uneven(look):
    """The ground of an empty picture: its corners differ by more than what is left of the noise in their means."""
    spread = []
    for seed in range(10):
        image, _ = synthetic_cells(seed, cells=0, look=look)
        corners = [image[rows, columns].mean() for rows in np.s_[:32, -32:] for columns in np.s_[:32, -32:]]
        spread.append((max(corners) - min(corners)) / np.mean(corners))
    assert np.median(spread) > 0.04


@pytest.mark.parametrize("look", LOOKS)
def test_a_picture_is_drawn_in_milliseconds(look):
    times = []
    for seed in range(8):
        start = time.process_time()
        synthetic_cells(seed, look=look)
        times.append(time.process_time() - start)
    assert min(times) < 0.03  # the best of eight: what the machine can do when nothing else runs; 0.007 s here


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"look": "x-ray"}, ValueError, "look: expected one of 'phase', 'fluorescence', got 'x-ray'"),
        ({"cells": -1}, ValueError, "cells: expected an int of at least 0, got -1"),
        ({"cells": 2.5}, TypeError, "cells: expected an int, got 2.5"),
        ({"shape": (0, 5)}, ValueError, "shape: expected an int of at least 1, got 0"),
        ({"seed": -3}, ValueError, "seed: expected an int of at least 0"),
        ({"seed": "a"}, TypeError, "seed: expected an int"),
    ],
)
def test_errors_say_what_was_expected(arguments, error, message):
    with pytest.raises(error, match=message):
        synthetic_cells(**{"seed": 0} | arguments)
