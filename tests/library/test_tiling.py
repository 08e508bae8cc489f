"""Tile by tile is the whole: the same answer, with bounded memory, from whatever can be sliced."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.library import processes
from unet_edu.tiling import BUDGET, default_tile, in_tiles, mirrored, predict, tiling
from unet_edu.unet import UNet, layer_table, level_sides, receptive_field

CLASSES = 3
# float64 has 16 digits; some are lost in sums of a few hundred terms through twenty layers. Another phase gives
# differences above 1e-3.
EXACT = 1e-11


def network(depth: int, padding: str = "valid", *, in_channels: int = 1, **options) -> UNet:
    """A random network in float64, with biases and the statistics of its normalisation away from 0 and 1."""
    torch.manual_seed(depth)
    model = UNet(in_channels, CLASSES, [4] * (depth + 1), padding=padding, **options).double()
    for name, tensor in model.state_dict().items():
        if name.endswith(("bias", "running_mean")):
            tensor.normal_(std=0.2)
        if name.endswith("running_var"):
            tensor.uniform_(0.5, 2)
    return model


def picture(*shape: int) -> np.ndarray:
    return np.random.default_rng(8).random(shape)


def at_once(model: UNet, image: np.ndarray, around: int) -> np.ndarray:
    """The answer for the whole image in one piece, mirrored by `around` pixels; more at the end, to be legal."""
    planes = image[None] if image.ndim == 2 else image
    H, W = planes.shape[1:]
    phase = 2**model.depth
    sides = []
    for length in (H, W):
        side = length + 2 * around
        while not is_legal(model, side):
            side += 1
        sides.append(side)
    widths = [(around, side - length - around) for side, length in zip(sides, (H, W), strict=True)]
    wide = np.pad(planes, [(0, 0), *widths], mode="reflect")
    with torch.inference_mode():
        answer = model.eval()(torch.from_numpy(wide)[None]).softmax(dim=1)[0].numpy()
    lost = (sides[0] - answer.shape[1]) // 2
    assert (around - lost) % phase == 0, "the windows of the whole begin elsewhere"
    return answer[:, around - lost :, around - lost :][:, :H, :W]


def is_legal(model: UNet, side: int) -> bool:
    try:
        return bool(model.output_size(side))
    except ValueError:
        return False


def border(model: UNet) -> int:
    """What the network loses at each end, by trying."""
    side = next(side for side in range(16, 600) if is_legal(model, side))
    return (side - model.output_size(side)[0]) // 2


def around(model: UNet) -> int:
    """A margin that is surely wide enough for no kept pixel to see the end of the mirrored image."""
    phase = 2**model.depth
    return border(model) if exact_without_margin(model) else border(model) + 16 * phase


def exact_without_margin(model: UNet) -> bool:
    return model.config["padding"] == "valid" and model.config["upsample"] != "bilinear"


def smallest_tile(model: UNet) -> int:
    for side in range(8, 600):
        try:
            tiling(model, 64, side)
        except ValueError:
            continue
        return side
    raise AssertionError("no tile is legal")


KINDS = [
    *((depth, padding, {}) for depth in (1, 2, 3, 4) for padding in ("valid", "same")),
    *((depth, "valid", {"in_channels": 3, "norm": "batch"}) for depth in (1, 2, 3, 4)),
    (3, "same", {"in_channels": 3, "norm": "batch"}),
    *((depth, padding, {"upsample": "bilinear"}) for depth in (1, 2, 3) for padding in ("valid", "same")),
    (4, "valid", {"upsample": "bilinear", "skip": "none"}),
    *((2, padding, {"upsample": "unpool", "skip": "add"}) for padding in ("valid", "same")),
]


@pytest.mark.parametrize(("depth", "padding", "options"), KINDS)
def test_tiles_give_the_answer_for_the_whole_image(depth, padding, options):
    model = network(depth, padding, **options)
    image = picture(61, 100) if "in_channels" not in options else picture(3, 61, 100)  # 61 is never legal
    whole = at_once(model, image, around(model))
    assert whole.std() > 1e-3, "an answer that is the same everywhere would prove nothing"
    phase, least = 2**depth, smallest_tile(model)
    out = np.empty((CLASSES, 61, 100))
    for tile, batch_size in ((least + phase, 4), ((least + 2 * phase, least + 3 * phase), 3)):
        out.fill(np.nan)
        assert predict(model, image, tile=tile, batch_size=batch_size, out=out) is out
        np.testing.assert_allclose(out, whole, atol=EXACT)


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_same_padding_agrees_with_the_plain_network_away_from_the_border(depth):
    model, phase = network(depth, "same"), 2**depth
    reach = receptive_field(model)[-1]
    image = picture(2 * reach // phase * phase + phase, 2 * reach // phase * phase + 3 * phase)
    with torch.inference_mode():
        plain = model.eval()(torch.from_numpy(image)[None, None]).softmax(dim=1)[0].numpy()
    out = predict(model, image, tile=smallest_tile(model) + 9 * phase, out=np.empty(plain.shape))
    inside = (slice(None), slice(reach, -reach), slice(reach, -reach))
    np.testing.assert_allclose(out[inside], plain[inside], atol=EXACT)
    assert np.abs(out - plain).max() > 1e-3, "at the border one sees a mirrored image, the other zeros"


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_a_narrower_overlap_is_an_approximation(depth):
    model, phase = network(depth, "same"), 2**depth
    image = picture(48, 64)
    whole = at_once(model, image, around(model))
    exact = tiling(model, image.shape, 512)[0].margin
    errors = []
    for overlap in (0, phase, exact - phase, exact):
        out = predict(
            model, image, tile=2 * overlap + 2 * phase, overlap=overlap, batch_size=8, out=np.empty(whole.shape)
        )
        errors.append(np.abs(out - whole).max())
    assert errors[0] > 1e-2 and errors[0] > errors[2] > 100 * EXACT > EXACT > errors[3]
    np.testing.assert_array_equal(  # rounded up to the next on the phase
        predict(model, image, tile=8 * phase, overlap=1), predict(model, image, tile=8 * phase, overlap=phase)
    )


@pytest.mark.parametrize("depth", [3, 4])
def test_tiles_off_the_phase_are_told_apart(depth):
    """What the tests above would see if `predict` took the paper's step, 388 for 572: the answers side by side."""
    model = network(depth)
    lost, tile = border(model), smallest_tile(model)
    step = model.output_size(tile)[0]
    assert step % 2**depth
    image = picture(3 * step, 2 * step)
    whole, wide = at_once(model, image, lost), np.pad(image, lost, mode="reflect")
    tiled = np.empty_like(whole)
    for top in range(0, 3 * step, step):
        for left in range(0, 2 * step, step):
            seen = torch.from_numpy(wide[None, None, top : top + tile, left : left + tile])
            with torch.inference_mode():
                tiled[:, top : top + step, left : left + step] = model(seen).softmax(dim=1)[0].numpy()
    np.testing.assert_allclose(tiled[:, :step, :step], whole[:, :step, :step], atol=EXACT)
    assert np.abs(tiled - whole).max() > 1e-3


@settings(max_examples=40)
@given(
    depth=st.integers(1, 4),
    padding=st.sampled_from(["valid", "same"]),
    upsample=st.sampled_from(["transposed", "bilinear"]),
    size=st.tuples(st.integers(1, 3000), st.integers(1, 3000)),
    more=st.integers(0, 60),
)
def test_tilings_cover_the_image_on_the_phase(depth, padding, upsample, size, more):
    with torch.device("meta"):
        model = UNet(widths=[1] * (depth + 1), padding=padding, upsample=upsample)
    phase = 2**depth
    tile = phase + 2 * tiling(model, 1, 600 // phase * phase - 4 * (padding == "valid"))[0].margin
    tile += -(tile + 4 * (padding == "valid")) % phase + more * phase
    for axis, length in zip(tiling(model, size, tile), size, strict=True):
        number, kept = len(axis.starts), axis.side - 2 * axis.margin
        assert axis.step % phase == 0 and axis.starts == range(0, number * axis.step, axis.step)
        assert axis.step <= kept and axis.starts[-1] < length <= axis.starts[-1] + kept
        assert axis.side <= tile
        answer = level_sides(axis.side, depth, padding)[1][-1]  # raises unless the side is legal
        assert axis.side - answer == 2 * axis.border
        assert axis.margin - axis.border + kept <= answer  # all that is kept is there
        # without a pixel to spare: one window fewer would not do
        assert axis.side - phase < 2 * axis.margin + axis.step
        largest = tile - 2 * axis.margin
        one_fewer = (number - 2) * (largest // phase * phase) + largest
        assert number == 1 or one_fewer < length, "no more tiles than the largest one needs"


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (2, 3), (17, 300), (100, 7)])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_small_images_are_mirrored_as_often_as_it_takes(shape, padding):
    model, image = network(3, padding), picture(*shape)
    out = predict(model, image, tile=132 if padding == "valid" else 136, out=np.empty((CLASSES, *shape)))
    np.testing.assert_allclose(out, at_once(model, image, around(model)), atol=EXACT)


@given(length=st.integers(1, 9), before=st.integers(0, 40), after=st.integers(0, 40))
def test_mirrored_is_numpys_reflect(length, before, after):
    expected = np.pad(np.arange(length), (before, after), mode="reflect")
    np.testing.assert_array_equal(mirrored(np.arange(-before, length + after), length), expected)


def test_the_papers_numbers():
    with torch.device("meta"):
        model = UNet()
    rows, columns = tiling(model, (388, 388), 572)
    assert rows == columns and rows.border == rows.margin == 92
    assert (len(rows.starts), rows.side, rows.step) == (1, 572, 384), "one tile, which keeps all that comes out"
    assert list(tiling(model, 389, 572)[0].starts) == [0, 208], "two tiles on the phase, both smaller"
    assert list(tiling(model, 384 + 388, 572)[0].starts) == [0, 384]
    assert list(tiling(model, 388 + 388, 572)[0].starts) == [0, 272, 544], "388 is not on the phase"


class Recorder:
    """What can be sliced and nothing else, and notes what was."""

    def __init__(self, array, stop_at=None):
        self.array, self.stop_at = array, stop_at
        self.shape, self.dtype = array.shape, array.dtype
        self.sizes, self.writes = [], []

    def __getitem__(self, places):
        assert all(isinstance(place, slice) and place.step is None for place in places)
        if len(self.sizes) == self.stop_at:
            raise KeyboardInterrupt
        found = self.array[places]
        self.sizes.append(found.shape)
        return found

    def __setitem__(self, places, values):
        assert all(isinstance(place, slice) for place in places)
        self.writes.append(values.shape)
        self.array[places] = values


@pytest.mark.parametrize("leading", [(), (1,), (3,)])
def test_only_slices_no_larger_than_a_tile_are_read_and_written(leading):
    model = network(2, in_channels=3 if leading == (3,) else 1)
    image, out = Recorder(picture(*leading, 200, 150)), Recorder(np.zeros((CLASSES, 200, 150)))
    predict(model, image, tile=76, batch_size=5, out=out)
    np.testing.assert_allclose(out.array, at_once(model, image.array, border(model)), atol=EXACT)
    rows, columns = tiling(model, (200, 150), 76)
    assert len(image.sizes) == len(out.writes) == len(rows.starts) * len(columns.starts)
    assert {size[:-2] for size in image.sizes} == {leading}
    assert max(size[-2] for size in image.sizes) == rows.side <= 76
    assert max(size[-1] for size in image.sizes) == columns.side <= 76
    assert max(size[-1] for size in out.writes) == columns.step
    assert sum(np.prod(size[1:]) for size in out.writes) == 200 * 150, "each pixel is written once"


def test_an_interrupt_leaves_what_was_done():
    model = network(2).train()
    image, out = Recorder(picture(200, 160), stop_at=7), np.full((CLASSES, 200, 160), np.nan)
    with pytest.raises(KeyboardInterrupt):
        predict(model, image, tile=76, batch_size=2, out=out)
    assert model.training
    rows, columns = tiling(model, (200, 160), 76)
    whole, done = predict(model, image.array, tile=76), ~np.isnan(out[0])
    assert done.sum() == 6 * rows.step * columns.step  # three batches; the fourth was not read to its end
    np.testing.assert_allclose(out[:, done], whole[:, done], atol=1e-6)  # `whole` is float32


def test_the_model_is_left_as_it_was():
    model = network(2, "same", norm="batch").float().train()
    model.expanding.eval()  # as one freezes a part
    modes = [layer.training for layer in model.modules()]
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    addresses = [tensor.data_ptr() for tensor in model.parameters()]
    first, second = predict(model, picture(40, 40)), predict(model, picture(40, 40))
    np.testing.assert_array_equal(first, second)  # no dropout
    assert [layer.training for layer in model.modules()] == modes and True in modes and False in modes
    assert [tensor.data_ptr() for tensor in model.parameters()] == addresses
    assert all(parameter.is_contiguous() and parameter.grad is None for parameter in model.parameters())
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    loss = model(torch.rand(2, 1, 16, 16)).sum()  # and can still learn
    loss.backward()


def test_probabilities():
    found = predict(network(1).float(), picture(30, 20))
    assert found.dtype == np.float32 and found.shape == (CLASSES, 30, 20)
    assert found.min() >= 0
    np.testing.assert_allclose(found.sum(axis=0), 1, atol=1e-5)


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64])
def test_integers_take_class_numbers(dtype):
    model, image = network(2), picture(50, 60)
    probabilities = predict(model, image, tile=76, out=np.empty((CLASSES, 50, 60)))
    labels = predict(model, image, tile=76, out=np.empty((50, 60), dtype))
    assert labels.dtype == dtype and len(np.unique(labels)) > 1
    np.testing.assert_array_equal(labels, probabilities.argmax(axis=0))


@pytest.mark.parametrize(("dtype", "largest"), [(np.uint8, 255), (np.uint16, 65535), (bool, 1), (np.float32, 1.0)])
def test_how_numbers_are_scaled(dtype, largest):
    model = network(2)
    image = (picture(50, 60) > 0.5) if dtype is bool else (picture(50, 60) * largest).astype(dtype)
    out = predict(model, image, tile=76, out=np.empty((CLASSES, 50, 60)))
    np.testing.assert_allclose(out, at_once(model, image.astype(float) / largest, border(model)), atol=1e-9)


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_short_numbers_are_close(padding):
    model = network(3, padding, norm="batch").float()
    image = picture(80, 90).astype(np.float32)
    exact = predict(model, image, precision="float32")
    short = predict(model, image, precision="bfloat16")
    assert short.dtype == np.float32 and not np.array_equal(short, exact)
    # bfloat16 keeps 8 bits: each of 20 layers rounds by up to 0.4 %
    np.testing.assert_allclose(short, exact, atol=0.08)
    auto = predict(model, image)
    assert np.array_equal(auto, short) or np.array_equal(auto, exact)


def test_the_default_tile_is_legal_and_within_its_budget():
    with torch.device("meta"):
        networks = [UNet(), UNet(widths=(16, 32, 64), padding="same"), UNet(widths=(4, 8))]
    sides = []
    for model in networks:
        side, columns = default_tile(model)
        assert side == columns and is_legal(model, side)
        assert sum(layer.activation_bytes for layer in layer_table(model, side)) <= BUDGET
        assert default_tile(model, batch_size=64)[0] < side
        sides.append(side)
    assert sides == sorted(sides) and sides[0] > 500 and sides[0] < sides[-1]
    assert default_tile(networks[1], batch_size=10**6) == (256, 256), "the smallest, where all are too large"
    assert default_tile(networks[1], batch_size=10**6, overlap=300) == (1200, 1200), "half of it is kept"


def test_the_bar_counts_tiles(capfd):
    predict(network(1), picture(100, 100), tile=60, progress=True)
    assert "9/9" in capfd.readouterr().err
    predict(network(1), picture(100, 100), tile=60)
    assert not capfd.readouterr().err


VALID, SAME, COLOUR = network(4), network(4, "same"), network(1, in_channels=3)
GREY = picture(40, 50)
WITH_A_HOLE = GREY.copy()
WITH_A_HOLE[3, 7] = np.nan


@pytest.mark.parametrize(
    ("model", "image", "options", "kind", "message"),
    [
        (VALID, GREY, {"tile": 200}, ValueError, "nearest legal sides are 188 and 204"),
        (VALID, GREY, {"tile": 188}, ValueError, "tile: expected at least 204, because 92 pixels at each end"),
        (SAME, GREY, {"tile": 192}, ValueError, "tile: expected at least 208, because 96 pixels at each end"),
        (SAME, GREY, {"tile": 230}, ValueError, "nearest legal sides are 224 and 240"),
        (VALID, GREY, {"tile": 572, "overlap": 91}, ValueError, "overlap: expected at least 92, the border"),
        (SAME, GREY, {"tile": 572.5}, TypeError, "tile: expected an int"),
        (SAME, GREY, {"overlap": -1}, ValueError, "overlap: expected an int of at least 0"),
        (SAME, GREY, {"batch_size": 0}, ValueError, "batch_size: expected an int of at least 1"),
        (SAME, GREY, {"precision": "float16"}, ValueError, "precision: expected 'auto', 'float32' or 'bfloat16'"),
        (
            VALID,
            picture(3, 40, 50),
            {},
            ValueError,
            r"expected shape \(1, H, W\) or \(H, W\) for this network, got \(3,",
        ),
        (COLOUR, picture(40, 50, 3), {}, ValueError, r"expected shape \(3, H, W\) for .* np.moveaxis\(image, -1, 0\)"),
        (COLOUR, GREY, {}, ValueError, r"expected shape \(3, H, W\) for this network, got \(40, 50\)$"),
        (VALID, picture(1, 1, 40, 50), {}, ValueError, r"got \(1, 1, 40, 50\)"),
        (VALID, picture(0, 50), {}, ValueError, "expected at least one pixel"),
        (VALID, torch.zeros(40, 50), {}, TypeError, r"got Tensor; a tensor becomes an array with image.numpy\(\)"),
        (VALID, [[0.5]], {}, TypeError, "image: expected an array, .* got list"),
        (VALID, GREY.astype(int), {}, TypeError, "image: expected floats, booleans or unsigned integers, got int64"),
        (VALID, WITH_A_HOLE, {}, ValueError, "expected numbers, got nan at row 3, column 7"),
        (VALID, GREY * np.inf, {}, ValueError, "expected numbers, got inf at row 0, column 0"),
        (VALID, GREY, {"out": np.zeros((2, 40, 50))}, ValueError, r"expected shape \(3, 40, 50\) for floats, got \(2,"),
        (VALID, GREY, {"out": np.zeros((3, 40, 50), int)}, ValueError, r"out: expected shape \(40, 50\) for integers"),
        (
            VALID,
            GREY,
            {"out": np.zeros((40, 50), bool)},
            TypeError,
            "out: expected floats for probabilities or integers",
        ),
        (VALID, GREY, {"out": []}, TypeError, "out: expected an array to write into, got list"),
    ],
)
def test_errors_say_what_to_do(model, image, options, kind, message):
    with pytest.raises(kind, match=message):
        predict(model, image, **options)


def test_class_numbers_must_fit():
    model = UNet(num_classes=300, widths=(2, 2))
    with pytest.raises(ValueError, match="integers that can hold the class number 299, got uint8"):
        predict(model, GREY, out=np.zeros((40, 50), np.uint8))


def test_a_large_image_needs_no_more_memory_than_its_tiles(server, tmp_path):
    """The image alone would be 36 MB, and its answer 72."""
    processes.run_in(server, processes.memory_of_tiles, tmp_path, 3000)
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["difference"] < 0.02  # float32 or bfloat16, for pixels that see nothing but the same 600 × 600
    assert found["memory"] < 30e6, found


@pytest.mark.parametrize("padding, side, step", [("valid", 68, 28), ("valid", 100, 24), ("same", 76, 28)])
def test_in_tiles_is_the_whole_on_the_phase_and_with_enough_margin(padding, side, step):
    model, image = network(2, padding), picture(61, 90)
    np.testing.assert_allclose(
        in_tiles(model, image, side, step), predict(model, image, precision="float32"), atol=1e-6
    )


@pytest.mark.parametrize("padding, side, step", [("valid", 100, 58), ("same", 64, 64), ("same", 100, 57)])
def test_in_tiles_shows_what_a_wrong_step_does(padding, side, step):
    model, image = network(2, padding), picture(61, 90)
    assert abs(in_tiles(model, image, side, step) - predict(model, image, precision="float32")).max() > 1e-3
    assert model.training


def test_in_tiles_leaves_no_gap():
    with pytest.raises(ValueError, match="step: expected 1 to 60, what a tile of 100 answers, got 61"):
        in_tiles(network(2), picture(61, 90), 100, 61)
    with pytest.raises(ValueError, match="nearest legal sides are 100 and 104"):
        in_tiles(network(2), picture(61, 90), 101, 20)
