"""Samples follow from seed and number alone; image, labels, weights go the same way; each lever does what it says."""

import itertools
import pickle
import time
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from torch.utils.data import DataLoader

from unet_edu.data.cells import synthetic_cells
from unet_edu.data.elastic import displacement
from unet_edu.data.samples import Crops, Frame, Whole
from unet_edu.losses import border_weight_map, separated

OFF = {
    "flips": False,
    "quarter_turns": False,
    "rotation": 0,
    "scale": 1,
    "sigma": 0,
    "gain": 0,
    "offset": 0,
    "noise": 0,
}
DARK = {"gain": 0, "offset": 0, "noise": 0}  # no change of brightness
WEIGHTED = partial(border_weight_map, w0=10.0)


def frames(count=3, shape=(60, 70)):
    return [Frame(*synthetic_cells(seed, shape)) for seed in range(count)]


def where(shape):
    """A frame that says where each pixel stood: rows and columns in image, numbers in labels, rows in weights."""
    image = np.indices(shape).astype(np.float32)
    return Frame(image, np.arange(np.prod(shape)).reshape(shape), image[0] + 1)


def assert_same(first, second):
    for a, b in zip(first, second, strict=True):
        assert torch.equal(a, b) and a.dtype == b.dtype


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 10**6),
    st.tuples(st.integers(1, 50), st.integers(1, 50)),
    st.lists(st.tuples(st.integers(1, 60), st.integers(1, 60)), min_size=1, max_size=3),
    st.integers(0, 30),
    st.integers(0, 3),
)
def test_any_crop_of_any_frames(n, size, shapes, margin, channels):
    rng = np.random.default_rng(n)
    leading = (channels,) if channels else ()
    some = [Frame(rng.random((*leading, *shape)), rng.integers(0, 4, shape)) for shape in shapes]
    image, labels, weights = Crops(some, size, margin=margin, weight_map=WEIGHTED)[n]
    assert image.shape == (max(channels, 1), *size) and image.dtype == torch.float32
    assert labels.shape == size and labels.dtype == torch.int64
    assert weights.shape == size and weights.dtype == torch.float32
    assert torch.isfinite(image).all() and set(labels.unique().tolist()) <= {0, 1} and weights.min() >= 1


def test_a_sample_depends_on_seed_and_number_alone():
    crops = Crops(frames(), 32, seed=5, weight_map=WEIGHTED)
    in_order = [crops[n] for n in range(12)]
    backwards = Crops(frames(), 32, seed=5, weight_map=WEIGHTED)
    for n in reversed(range(12)):
        assert_same(backwards[n], in_order[n])
    travelled = pickle.loads(pickle.dumps(crops))
    assert_same(travelled[7], in_order[7])
    np.random.seed(0)
    torch.manual_seed(0)
    assert_same(crops[3], in_order[3])  # no other generator has a say
    for a, b in itertools.combinations(in_order, 2):
        assert not torch.equal(a[0], b[0])
    one = frames(1)  # there is only one order of one frame, so all that differs is what was done to it
    assert not torch.equal(Crops(one, 32, seed=6)[0][0], Crops(one, 32, seed=5)[0][0])


def test_workers_draw_the_same_samples():
    crops = Crops(frames(), 32, seed=1, weight_map=WEIGHTED)
    loader = DataLoader(crops, batch_size=None, sampler=range(4, 10), num_workers=2)
    loaded = list(loader)
    assert len(loaded) == 6
    for n, sample in enumerate(loaded, start=4):
        assert_same(sample, crops[n])


def test_an_epoch_takes_each_frame_once_in_a_new_order():
    grey = [Frame(np.full((9, 9), n / 10, np.float32), np.zeros((9, 9), int)) for n in range(7)]
    crops = Crops(grey, 4, seed=2, **OFF)
    assert len(crops) == 7 and crops.endless
    taken = [round(float(crops[n][0].mean()) * 10) for n in range(70)]
    epochs = [tuple(taken[n : n + 7]) for n in range(0, 70, 7)]
    assert all(sorted(epoch) == list(range(7)) for epoch in epochs)
    assert len(set(epochs)) > 7, "ten draws out of 5,040 orders"
    other = Crops(grey, 4, seed=3, **OFF)
    assert [round(float(other[n][0].mean()) * 10) for n in range(70)] != taken


def test_without_augmentation_a_crop_is_a_piece_of_the_frame():
    frame = where((20, 24))
    tops = set()
    for n in range(200):
        image, labels, weights = Crops([frame], (6, 8), target=None, **OFF)[n]
        top, left = divmod(int(labels[0, 0]), 24)
        piece = np.s_[top : top + 6, left : left + 8]
        np.testing.assert_array_equal(image, frame.image[:, *piece])
        np.testing.assert_array_equal(labels, frame.instances[piece])
        np.testing.assert_array_equal(weights, frame.weights[piece])
        tops.add((top, left))
    assert {top for top, _ in tops} == set(range(15)) and {left for _, left in tops} == set(range(17))


def test_a_margin_reaches_over_the_edge_into_the_mirror_image():
    frame = where((10, 12))
    mirrored = np.pad(frame.instances, 3, mode="reflect")
    pieces = {mirrored[i : i + 6, j : j + 6].tobytes(): (i, j) for i, j in np.ndindex(11, 13)}
    crops = Crops([frame], 6, margin=3, target=None, **OFF)
    found = {pieces[crops[n][1].numpy().tobytes()] for n in range(1200)}
    assert found == set(np.ndindex(11, 13)), "everywhere, the corners too"


def test_a_frame_smaller_than_the_crop_is_continued_by_its_mirror_image():
    frame = where((5, 6))
    image, labels, _ = Crops([frame], 20, target=None, **OFF)[0]
    assert set(labels.unique().tolist()) == set(range(30))
    turns = (labels[:, 1:] - labels[:, :-1]).abs()
    assert (turns == 1).all(), "the pixel on the edge is not doubled"
    np.testing.assert_array_equal(image[0] * 6 + image[1], labels)


def test_flips_and_quarter_turns_make_all_eight_pictures():
    frame = where((8, 8))
    eight = [np.rot90(flipped, k) for flipped in (frame.instances, frame.instances.T) for k in range(4)]
    crops = Crops([frame], 8, target=None, **OFF | {"flips": True, "quarter_turns": True})
    seen = []
    for n in range(200):
        image, labels, weights = crops[n]
        seen.append(next(k for k, picture in enumerate(eight) if np.array_equal(picture, labels)))
        np.testing.assert_array_equal(image[0] * 8 + image[1], labels)
        np.testing.assert_array_equal(weights, image[0] + 1)
    counts = np.bincount(seen, minlength=8)
    assert counts.min() >= 10  # 25 expected; fewer than 10 has a chance of 1 in 5,000

    only_flips = Crops([frame], 8, target=None, **OFF | {"flips": True})
    assert len({only_flips[n][1].numpy().tobytes() for n in range(60)}) == 4
    only_turns = Crops([frame], 8, target=None, **OFF | {"quarter_turns": True})
    turned = {only_turns[n][1].numpy().tobytes() for n in range(60)}
    assert turned == {np.rot90(frame.instances, k).tobytes() for k in range(4)}


def test_image_labels_and_weights_are_read_at_the_same_places():
    """With all that moves pixels switched on, labels and weights say where they were read, and so does the image."""
    frame = where((200, 180))
    crops = Crops([frame], (40, 56), target=None, **DARK)
    for n in range(25):
        image, labels, weights = (part.numpy() for part in crops[n])
        rows, columns = np.divmod(labels, 180)
        # in the mirror image a ramp has a kink
        inside = (image[0] > 6) & (image[0] < 193) & (image[1] > 6) & (image[1] < 173)
        assert inside.mean() > 0.5
        np.testing.assert_allclose(weights[inside], image[0][inside] + 1, atol=0.01)
        assert np.abs(rows - image[0])[inside].max() < 0.51 and np.abs(columns - image[1])[inside].max() < 0.51


def jacobians(crops, count):
    """How the rows and columns read change from pixel to pixel of a crop, (…, 2, 2), where no mirror image is seen."""
    parts = [image for image, _, _ in map(crops.__getitem__, range(count)) if 6 < image.min() and image.max() < 113]
    assert len(parts) > 0.6 * count
    return np.array(
        [[[np.diff(place, axis=axis).mean() for axis in (0, 1)] for place in image.numpy()] for image in parts]
    )


def test_rotation_turns_up_to_its_angle_either_way():
    crops = Crops([where((120, 120))], 16, target=None, **OFF | {"rotation": 20})
    turned = jacobians(crops, 150)
    angles = np.rad2deg(np.arctan2(turned[:, 1, 0], turned[:, 0, 0]))
    assert -20.1 < angles.min() < -17 and 17 < angles.max() < 20.1
    np.testing.assert_allclose(np.linalg.det(turned), 1, atol=0.02)  # turned, not stretched and not flipped


def test_scale_makes_larger_and_smaller():
    crops = Crops([where((120, 120))], 16, target=None, **OFF | {"scale": 1.5})
    steps = jacobians(crops, 150)
    assert 1 / 1.51 < steps[:, 0, 0].min() < 1 / 1.4 and 1.4 < steps[:, 0, 0].max() < 1.51
    np.testing.assert_allclose(steps[:, 0, 0], steps[:, 1, 1], atol=0.02)
    assert 0.35 < (steps[:, 0, 0] > 1).mean() < 0.65, "as often smaller as larger"


def test_sigma_bends():
    crops = Crops([where((300, 300))], 33, target=None, **OFF | {"sigma": 5})
    here = np.indices((33, 33))
    knots = []
    for n in range(200):
        image, _, _ = crops[n]
        field = image.numpy() - here
        # the place is random too
        knots.append(field[:, ::16, ::16] - field[:, ::16, ::16].mean(axis=(1, 2), keepdims=True))
    # nine numbers around their own mean: the variance is 8/9 of the true one. 3,600: one standard error is 1.2 %
    assert np.std(knots) == pytest.approx(5 * np.sqrt(8 / 9), rel=0.05)


def test_brightness_changes_in_the_image_alone():
    frame = frames(1, (40, 40))[0]
    crops = Crops([frame], 40, weight_map=WEIGHTED, **OFF | {"gain": 0.3, "offset": 0.2})
    _, labels, weights = Whole([frame], weight_map=WEIGHTED)[0]
    gains, offsets = [], []
    for n in range(80):
        sample = crops[n]
        assert torch.equal(sample[1], labels) and torch.equal(sample[2], weights)
        gain, offset = np.polyfit(frame.image.ravel(), sample[0].numpy().ravel(), 1)
        np.testing.assert_allclose(sample[0][0], gain * frame.image + offset, atol=1e-5)  # float32
        gains.append(gain)
        offsets.append(offset)
    assert 0.699 < min(gains) < 0.75 and 1.25 < max(gains) < 1.301
    assert -0.201 < min(offsets) < -0.17 and 0.17 < max(offsets) < 0.201


def test_noise_is_up_to_its_deviation():
    crops = Crops([Frame(np.full((64, 64), 0.5), np.zeros((64, 64), int))], 64, **OFF | {"noise": 0.1})
    deviations = [float(crops[n][0].std()) for n in range(60)]
    assert min(deviations) < 0.01 and 0.09 < max(deviations) < 0.105
    assert abs(float(crops[0][0].mean()) - 0.5) < 0.01


def test_gamma_bends_the_light_and_keeps_its_mean_and_spread():
    frame = frames(1, (40, 40))[0]
    order, powers = np.argsort(frame.image.ravel(), kind="stable"), []
    low, high = frame.image.min(), frame.image.max()
    for n in range(60):
        image = Crops([frame], 40, **OFF | {"gamma": 1.5})[n][0].numpy()[0]
        assert image.mean() == pytest.approx(frame.image.mean(), abs=1e-5)
        assert image.std() == pytest.approx(frame.image.std(), rel=1e-4)
        assert (np.diff(image.ravel()[order]) >= -1e-6).all()  # darker stays darker
        middle = np.clip((frame.image - low) / (high - low), 1e-3, 1 - 1e-3)
        bent = np.clip((image - image.min()) / (image.max() - image.min()), 1e-6, 1)
        powers.append(np.median(np.log(bent) / np.log(middle)))
    assert 0.66 < min(powers) < 0.75 and 1.35 < max(powers) < 1.51
    flat = Frame(np.full((8, 8), 0.5), np.zeros((8, 8), int))
    assert (Crops([flat], 8, **OFF | {"gamma": 1.5})[0][0] == 0.5).all()


def test_blur_is_up_to_its_deviation():
    point = np.zeros((41, 41))
    point[20, 20] = 1
    distance = (np.indices(point.shape)[0] - 20.0) ** 2
    spreads = []
    for n in range(60):
        image = Crops([Frame(point, np.zeros((41, 41), int))], 41, **OFF | {"blur": 2.0})[n][0].numpy()[0]
        assert image.sum() == pytest.approx(1, abs=1e-4)
        spreads.append(np.sqrt((image * distance).sum()))
    assert min(spreads) < 0.3 and 1.8 < max(spreads) < 2.01


def test_labels_are_made_of_the_bent_cells():
    """Made before, the gap of two pixels between cells could be lost where the picture is made smaller."""
    touching = np.ones((64, 64), np.int32)
    touching[:, 32:] = 2
    frame = Frame(np.zeros((64, 64), np.float32), touching)
    for n in range(30):
        numbers = Crops([frame], 48, target=None, scale=2)[n][1].numpy()
        labels = Crops([frame], 48, scale=2)[n][1].numpy()
        np.testing.assert_array_equal(labels, separated(numbers))


def test_a_weight_map_is_made_once_a_frame_and_only_where_it_is_needed():
    asked = []

    def counted(instances):
        asked.append(instances)
        return 2 + (instances > 0)

    some = frames(3, (20, 20))
    some[1] = some[1]._replace(weights=np.full((20, 20), 7.0))
    crops = Crops(some, 8, weight_map=counted)
    assert not asked
    weights = [crops[n][2] for n in range(12)]
    assert len(asked) == 2
    assert sum(bool((w == 7).all()) for w in weights) == 4, "the frame's own weights come first"
    assert all(w.min() >= 2 for w in weights)
    assert (Crops(frames(1), 8)[0][2] == 1).all()


def test_the_spline_through_an_image_is_made_once_a_frame(monkeypatch):
    asked, made = [], ndimage.spline_filter
    monkeypatch.setattr(ndimage, "spline_filter", lambda image, **how: asked.append(image) or made(image, **how))
    crops = Crops(frames(3, (20, 24)), 8)
    assert not asked
    for n in range(9):
        crops[n]
    assert [image.shape for image in asked] == [(20, 24)] * 3


def test_a_crop_is_read_as_scipy_does():
    """The image by a cubic spline and the weights bilinearly, at the places that bending, turning and moving give."""
    frame = frames(1, (90, 80))[0]
    crops = Crops([frame], (40, 56), seed=3, margin=20, target=None, weight_map=WEIGHTED, **DARK)
    of_frame = (frame.image, 3), (frame.instances, 0), (WEIGHTED(frame.instances), 1)
    for n in range(20):
        places = crops._places(np.random.default_rng((3, n)), frame.image.shape, None)
        for read, (array, order) in zip(crops[n], of_frame, strict=True):
            read = read.numpy().reshape(40, 56)
            expected = ndimage.map_coordinates(array.astype(np.float64), places, order=order, mode="mirror")
            np.testing.assert_allclose(read, expected, atol=3e-6 if order == 3 else 1e-6)  # float32; weights up to 11
            assert order or (read == expected).all()


def test_the_places_are_those_of_the_field_turned_and_moved():
    crops = Crops(frames(1), (40, 56), sigma=5)
    for n in range(10):
        places = crops._places(np.random.default_rng(n), (300, 200), None)
        rng = np.random.default_rng(n)
        field = displacement((40, 56), rng, sigma=5)  # the same numbers are drawn, in the same order
        turn = crops._turn(rng)
        moved = [rng.integers(0, last, endpoint=True) for last in (260, 144)]
        centre = np.reshape([39 / 2, 55 / 2], (2, 1, 1))
        expected = np.tensordot(turn, np.indices((40, 56)) - centre + field, axes=1) + centre
        np.testing.assert_allclose(places, expected + np.reshape(moved, (2, 1, 1)), atol=1e-11)


def test_weights_that_were_bent_are_nearly_those_of_the_bent_cells():
    """Equal where nothing lies between pixels. Elsewhere distances change, by what turning does to the pixels of cells;
    on the outlines, where the map jumps, pixels of both sides are mixed."""
    frame = frames(1, (160, 160))[0]
    exact = Crops([frame], 160, target=None, weight_map=WEIGHTED, **OFF | {"flips": True, "quarter_turns": True})
    turned = Crops([frame], 96, target=None, weight_map=WEIGHTED, **OFF | {"rotation": 45})
    inner = np.s_[12:-12, 12:-12]  # a crop does not see the cells beyond its edge; the whole frame did
    square = np.ones((5, 5))
    differences = []
    for n in range(20):
        _, instances, weights = exact[n]
        np.testing.assert_allclose(weights, WEIGHTED(instances.numpy()), atol=1e-5)
        _, instances, weights = (part.numpy() for part in turned[n])
        is_cell = separated(instances)
        outline = ndimage.grey_dilation(is_cell, footprint=square) != ndimage.grey_erosion(is_cell, footprint=square)
        differences.append(np.abs(weights - WEIGHTED(instances))[inner][~outline[inner]])
    # d1 + d2 changes by less than 2 pixels, and where 10 · exp(−x² / 50) is steepest it falls by 1.21 a pixel
    assert np.concatenate(differences).max() < 2 * 10 / 5 / np.sqrt(np.e)
    assert np.concatenate(differences).mean() < 0.02, "of a map whose mean is 1.4"


def test_labels_that_are_a_view_of_others_are_read_as_their_copy():
    image, instances = synthetic_cells(0, (60, 70))
    view = Frame(np.asfortranarray(image)[::2, ::2], instances[::2, ::2])
    copy = Frame(*(part.copy() for part in view[:2]))
    for n in range(4):
        assert_same(Crops([view], 16)[n], Crops([copy], 16)[n])


def test_whole_frames_are_left_as_they_are():
    some = frames(2)
    whole = Whole(some, weight_map=WEIGHTED)
    assert len(whole) == 2 and not hasattr(whole, "endless")
    for frame, (image, labels, weights) in zip(some, whole, strict=True):  # `for` comes to an end
        np.testing.assert_array_equal(image[0], frame.image)
        np.testing.assert_array_equal(labels, separated(frame.instances))
        np.testing.assert_array_equal(weights, WEIGHTED(frame.instances))
        assert image.shape == (1, 60, 70) and (image.dtype, labels.dtype, weights.dtype) == (
            torch.float32,
            torch.int64,
            torch.float32,
        )
    np.testing.assert_array_equal(Whole(some, target=None)[1][1], some[1].instances)
    assert_same(whole[-1], whole[1])
    with pytest.raises(IndexError):
        whole[2]


def test_pairs_and_bytes_of_labels_are_frames_too():
    image, instances = synthetic_cells(0, (30, 30))
    assert_same(Whole([(image, instances)])[0], Whole([Frame(image.astype(np.float64), instances.astype(np.uint8))])[0])


def test_nobody_writes_into_a_frame():
    frame = frames(1)[0]._replace(weights=np.ones((60, 70), np.float32))
    frame = frame._replace(instances=frame.instances.astype(np.int64))  # no other type is needed: only a copy is safe
    for samples in (Whole([frame], target=None), Crops([frame], 16, target=None, **OFF)):
        before = [part.clone() for part in samples[0]]
        for part in samples[0]:
            part += 1
        assert_same(samples[0], before)
    assert frame.weights.max() == 1


RARE = np.zeros((60, 70), int)
RARE[50:52, 60:62], RARE[:, :20] = 2, 1
COMMON = Frame(np.zeros((60, 70), np.float32), (RARE == 1).astype(int))


def test_crops_show_rare_classes_more_often():
    """Class 2 has four pixels, in one of four frames."""
    some = [COMMON, Frame(COMMON.image, RARE), COMMON, COMMON]
    shown = {
        balance: np.mean([(Crops(some, 16, target=None, balance=balance)[n][1] == 2).any() for n in range(150)])
        for balance in (0, 0.6)
    }
    assert shown[0] < 0.05 and 0.15 < shown[0.6] < 0.35  # a third of 0.6, less what is lost by bending it away
    crops = Crops(some, 16, target=None, balance=0.6)
    assert_same(crops[7], Crops(some, 16, target=None, balance=0.6)[7])
    unknown = [Frame(COMMON.image, RARE, known=RARE != 2), COMMON]
    assert Crops(unknown, 16, target=None, balance=1)._frames_of.keys() == {0, 1}
    with pytest.raises(ValueError, match="balance: expected class numbers, that is target=None"):
        Crops(some, 16, balance=0.5)


def test_the_pixel_that_was_drawn_is_seen():
    frame = where((40, 50))
    crops = Crops([frame], 12, target=None, balance=1, **OFF)
    for n in range(60):
        rng = np.random.default_rng((crops.seed, n))
        rng.random()
        _, (row, column) = crops._pixel_of_a_class(rng)
        assert frame.instances[row, column] in crops[n][1]


def test_what_nobody_knows_has_no_weight_wherever_it_is_bent():
    """Not even a little, as between a weight and 0 it would have: the label there is another's."""
    known = np.ones((60, 70), bool)
    known[20:40, 20:50] = False
    frame = where((60, 70))._replace(known=known)
    assert {bool(w) for w in np.unique(Whole([frame], target=None)[0][2])} == {False, True}
    for n in range(20):
        _, labels, weights = Crops([frame], 24, target=None)[n]
        np.testing.assert_array_equal(weights > 0, known.ravel()[labels])
    with pytest.raises(TypeError, match=r"frames\[0\].known: expected booleans, got int64"):
        Whole([frame._replace(known=known.astype(int))])


def test_a_crop_is_quick():
    """One core, all of it switched on, from a frame as large as those of PhC-U373."""
    crops = Crops([Frame(*synthetic_cells(0, (520, 696), cells=60))], 128, weight_map=WEIGHTED)
    crops[0]  # the weight map of the frame
    times = []
    for n in range(1, 15):
        start = time.process_time()
        crops[n]
        times.append(time.process_time() - start)
    assert min(times) < 0.01  # the best of many, as other programs may run; 0.001 s here


GOOD = Frame(np.zeros((8, 9)), np.zeros((8, 9), int))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: Crops([], 8), ValueError, "frames: expected at least one, got none"),
        (lambda: Whole([GOOD, GOOD.image]), TypeError, r"frames\[1\]: expected Frame\(image, instances\), got ndarray"),
        (
            lambda: Whole([GOOD._replace(image=np.zeros((8, 9), np.uint8))]),
            TypeError,
            r"frames\[0\].image: expected floats .* got uint8; of bytes, take image / 255",
        ),
        (lambda: Whole([GOOD._replace(image=None)]), TypeError, r"frames\[0\].image: .* got none"),
        (
            lambda: Whole([GOOD._replace(image=np.zeros(8))]),
            ValueError,
            r"expected shape \(H, W\) or \(C, H, W\), got \(8,\)",
        ),
        (
            lambda: Whole([GOOD, GOOD._replace(instances=np.zeros((9, 8), int))]),
            ValueError,
            r"frames\[1\].instances: expected shape \(8, 9\) like the image, got \(9, 8\)",
        ),
        (
            lambda: Whole([GOOD._replace(instances=np.zeros((8, 9)))]),
            TypeError,
            "instances: expected whole numbers, got float64",
        ),
        (lambda: Whole([GOOD._replace(instances=None)]), TypeError, "instances: expected whole numbers, got none"),
        (
            lambda: Whole([GOOD._replace(weights=np.zeros(3))]),
            ValueError,
            r"frames\[0\].weights: expected shape \(8, 9\)",
        ),
        (
            lambda: Whole([GOOD, GOOD._replace(image=np.zeros((3, 8, 9)))]),
            ValueError,
            r"frames\[1\].image: expected as many channels as frames\[0\].image, .* \(8, 9\), got \(3, 8, 9\)",
        ),
        (lambda: Crops([GOOD], 0), ValueError, "size: expected an int of at least 1"),
        (lambda: Crops([GOOD], 4, seed=-1), ValueError, "seed: expected an int of at least 0"),
        (lambda: Crops([GOOD], 4, margin=-1), ValueError, "margin: expected an int of at least 0"),
        (lambda: Crops([GOOD], 4, scale=0.9), ValueError, "scale: expected a number of at least 1, got 0.9"),
        (lambda: Crops([GOOD], 4, noise=float("nan")), ValueError, "noise: expected a number of at least 0, got nan"),
        *((lambda name=name: Crops([GOOD], 4, **{name: -1}), ValueError, f"{name}: expected a number of at least 0")
          for name in ("rotation", "sigma", "gain", "offset", "noise", "blur")),
        (lambda: Crops([GOOD], 4, gamma=0.9), ValueError, "gamma: expected a number of at least 1, got 0.9"),
        (lambda: Crops([GOOD], 4)[-1], IndexError, "samples are counted from 0, got -1"),
    ],
)  # fmt: skip
def test_errors_say_what_was_expected(call, error, message):
    with pytest.raises(error, match=message):
        call()
