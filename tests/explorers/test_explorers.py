"""The explorers without a browser: what their scenes say is true, for every value of every control."""

import itertools
import json

import numpy as np
import pytest
import torch

from unet_edu import explore
from unet_edu.convolution import conv2d
from unet_edu.data import PHOTOS, photo
from unet_edu.explore import arithmetic as arithmetic_explorer
from unet_edu.explore.arithmetic import BOUNDS
from unet_edu.explore.arithmetic import State as ArithmeticState
from unet_edu.explore.arithmetic import scene as arithmetic_scene
from unet_edu.explore.convolution import IMAGE, PRESETS, after, before, edited, filtered
from unet_edu.explore.convolution import State as ConvolutionState
from unet_edu.explore.convolution import scene as convolution_scene
from unet_edu.figures.palette import INK, PAPER, ROLES
from unet_edu.figures.scene import Scene, number


def numbers(scene: Scene, name: str) -> np.ndarray:
    grid = scene.grid(name)
    return np.array([float(text.replace("−", "-")) for text in grid.text]).reshape(grid.rows, grid.columns)


def sum_of_links(scene: Scene) -> np.ndarray:
    """The output as its links say: output += weight · input."""
    values = np.concatenate([numbers(scene, grid.name).ravel() for grid in scene.grids])
    total = np.zeros(len(values))
    for link in scene.links:
        total[link.output] += values[link.weight] * values[link.input]
    return total[scene.first["output"] :].reshape(numbers(scene, "output").shape)


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("kernel", PRESETS.values(), ids=PRESETS)
def test_convolution_scene_is_true_for_every_preset(kernel, flip):
    state = ConvolutionState(IMAGE, kernel, flip, "camera")
    weights = np.array(kernel)[::-1, ::-1] if flip else np.array(kernel)
    expected = torch.nn.functional.conv2d(
        torch.tensor(IMAGE)[None, None].double(), torch.tensor(weights.copy()).double()[None, None]
    )
    scene = convolution_scene(state)
    # cells and weights are written with three digits; sixteen of them, of size 10, add up
    np.testing.assert_allclose(numbers(scene, "output"), expected[0, 0], rtol=5e-3, atol=5e-3)
    np.testing.assert_allclose(sum_of_links(scene), expected[0, 0], rtol=1e-2, atol=0.05)


@pytest.mark.parametrize("flip", [False, True])
def test_convolution_scene_of_any_shape(flip):
    rng = np.random.default_rng(0)
    x, kernel = rng.integers(-5, 6, (5, 7)), rng.integers(-5, 6, (2, 3))
    scene = convolution_scene(explore.convolution(x, kernel, flip=flip).state)
    np.testing.assert_array_equal(sum_of_links(scene), conv2d(x, kernel[::-1, ::-1] if flip else kernel))
    assert scene.grid("output").rows == 4 and scene.grid("output").columns == 5


def test_notes_tell_the_operator_and_its_adjoint():
    scene = convolution_scene(ConvolutionState(IMAGE, PRESETS["worked example"], False, "camera"))
    assert scene.grid("output").notes[0] == "y[0, 0] = 1·4 + 4·5 + 1·8 + 1·1 + 4·8 + 3·8 + 3·3 + 3·6 + 1·6"
    assert scene.grid("output").text == ("122", "148", "126", "134")
    assert scene.grid("input").notes[5] == (
        "x[1, 1] = 8 goes into y[0, 0] times 4, y[0, 1] times 1, y[1, 0] times 4, y[1, 1] times 1"
    )
    assert scene.grid("kernel").notes[1] == "w[0, 1] = 4 multiplies 5, 8, 8, 8: one for each output"
    corner = scene.linked(scene.first["input"])  # the corner of the image feeds one output, through one weight
    assert corner == {scene.first["kernel"]: "", scene.first["output"]: "×1"}
    patch = scene.linked(scene.first["output"])
    assert [cell for cell in patch if cell < 16] == [0, 1, 2, 4, 5, 6, 8, 9, 10]


def test_an_edit_changes_one_number():
    state = ConvolutionState(IMAGE, PRESETS["worked example"], False, "camera")
    assert edited(state, cell=5, value=-2.0) == {"x": ((4, 5, 8, 7), (1, -2, 8, 8), (3, 6, 6, 4), (6, 5, 7, 8))}
    assert edited(state, cell=16, value=0.5, edits=3) == {"kernel": ((0.5, 4, 1), (1, 4, 3), (3, 3, 1))}


def test_convolution_explorer_follows_its_controls_and_edits():
    explorer = explore.convolution()
    grid, pictures = explorer.views[0].widget, explorer.views[2].widget

    def texts(name):
        return next(g["text"] for g in grid.scene["grids"] if g["name"] == name)

    assert texts("output") == ("122", "148", "126", "134")
    explorer.controls["flip"].value = True
    assert texts("output") == ("119", "148", "121", "143")
    seen = {pictures.value}
    for name, kernel in explorer.controls["kernel"].options:
        explorer.controls["kernel"].value = kernel
        assert explorer.state.kernel == PRESETS[name]
        assert texts("kernel") == tuple(number(w) for row in kernel for w in row)
        seen.add(pictures.value)
    for _, name in explorer.controls["photo"].options:
        explorer.controls["photo"].value = name
        seen.add(pictures.value)
    # each kernel and photograph shows something else; turned by 180° the symmetric ones do not change
    assert len(seen) == len(PRESETS) + len(PHOTOS) - 1
    grid.edit = {"cell": 16, "value": 7.0, "edits": 1}
    assert texts("kernel")[0] == "7"
    assert explorer.controls["kernel"].options[-1] == ("your own", explorer.state.kernel)
    assert explorer.controls["kernel"].label == "your own"
    explorer.controls["kernel"].value = PRESETS["identity"]
    assert [name for name, _ in explorer.controls["kernel"].options] == list(PRESETS)
    assert texts("output") == ("8", "8", "6", "6")


@pytest.mark.parametrize("name", PHOTOS)
def test_photographs_are_filtered_by_the_kernel_that_is_shown(name):
    kernel = PRESETS["Sobel, left to right"]
    y, low, high = filtered(ConvolutionState(IMAGE, kernel, False, name))
    np.testing.assert_array_equal(y, conv2d(photo(name), kernel))
    assert low == -high == -np.abs(y).max()
    flipped, _, _ = filtered(ConvolutionState(IMAGE, kernel, True, name))
    np.testing.assert_allclose(flipped, -y, atol=1e-12)  # sums of eight numbers near 1, in another order
    assert f'<img alt="Photograph: {PHOTOS[name]}."' in before(ConvolutionState(IMAGE, kernel, False, name))
    assert f'<img alt="The photograph ({PHOTOS[name]})' in (html := after(ConvolutionState(IMAGE, kernel, False, name)))
    assert "mid-grey is 0" in html


def test_the_grid_goes_anywhere_in_the_photograph():
    explorer = explore.convolution("photo", PRESETS["Sobel, left to right"], photo="coins")
    pixels = np.round(255 * photo("coins"))
    for row, column in ((0, 0), (295, 376), (100, 7)):
        explorer.controls["row"].value, explorer.controls["column"].value = row, column
        scene = convolution_scene(explorer.state)
        np.testing.assert_array_equal(numbers(scene, "input"), pixels[row : row + 8, column : column + 8])
        np.testing.assert_array_equal(sum_of_links(scene), numbers(scene, "output"))
        for view, height in zip(explorer.views[1:3], (303, 303 - 2), strict=True):
            assert f"top: {100 * row / height:.2f}%" in view.widget.value
    explorer.controls["row"].value = 500  # beyond these photographs' edge: as far as it goes
    assert explorer.state.row == explorer.controls["row"].value == 303 - 8
    assert not explorer.controls["row"].disabled
    explorer.views[0].widget.edit = {"cell": 0, "value": 1.0, "edits": 1}
    assert explorer.controls["x"].label == "your own" and explorer.controls["row"].disabled
    assert explorer.state.x[0][0] == 1 and explorer.state.x[1][1] == pixels[296, 8]
    assert "position: absolute" not in explorer.views[1].widget.value


def test_arithmetic_scene_is_true_for_every_setting():
    """All settings of all sliders, against PyTorch; those where nothing fits say so calmly."""
    ranges = [range(low, high + 1) for low, high in BOUNDS.values()]
    settings = [ArithmeticState(*values) for values in itertools.product(*ranges)]
    x = {size: torch.zeros(1, 1, 1, size) for size in ranges[0]}
    kernels = {kernel: torch.zeros(1, 1, 1, kernel) for kernel in ranges[1]}
    fitting = 0
    for state in settings:
        scene = arithmetic_scene(state)
        if state.windows == 0:
            assert "PyTorch raises an error" in scene.caption and not scene.links
            continue
        fitting += 1
        y = torch.nn.functional.conv2d(
            x[state.size],
            kernels[state.kernel],
            stride=state.stride,
            padding=(0, state.padding),
            dilation=state.dilation,
        )
        assert scene.grid("output").rows == state.windows == y.shape[-1]
        assert scene.caption.endswith(f"= {state.windows}")
        read = {link.input for link in scene.links}
        unused = {place for place, mark in enumerate(scene.grid("input").marks) if mark == "unused"}
        assert read | unused == set(range(state.size + 2 * state.padding)) and not read & unused
    assert fitting > 3000, "nearly all settings should fit"


def test_arithmetic_explorer_follows_every_slider():
    explorer = arithmetic_explorer(7, 3, stride=2)
    for name, (low, high) in BOUNDS.items():
        for value in range(low, high + 1):
            explorer.controls[name].value = value
            assert getattr(explorer.state, name) == value
            assert explorer.views[0].widget.scene == arithmetic_scene(explorer.state).data()
    explorer.update(size=6, kernel=3, stride=2, padding=1, dilation=1)
    assert explorer.controls["size"].value == 6
    assert explorer.views[0].widget.scene["caption"] == "⌊(6 + 2·1 − 1·(3 − 1) − 1) / 2⌋ + 1 = ⌊5 / 2⌋ + 1 = 3"
    assert "kernel_size=3, stride=2, padding=1, dilation=1" in explorer.views[0].widget.scene["code"]


def test_arguments_out_of_range_are_named():
    with pytest.raises(ValueError, match="stride: expected 1 to 5, got 9"):
        explore.arithmetic(stride=9)
    with pytest.raises(ValueError, match=r"kernel: expected a matrix \(rows, columns\), got shape \(3,\)"):
        explore.convolution(kernel=[1, 2, 3])


EXPLORERS = {"convolution": explore.convolution, "arithmetic": explore.arithmetic}


@pytest.mark.parametrize("make", EXPLORERS.values(), ids=EXPLORERS)
def test_every_explorer_has_a_picture_words_and_numbers(make):
    data, metadata = make()._repr_mimebundle_()
    assert data["image/png"].startswith(b"\x89PNG")
    alt = metadata["image/png"]["alt"]
    assert len(alt) > 40 and data["text/plain"].startswith(alt)
    assert any(character.isdigit() for character in data["text/plain"].removeprefix(alt))
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"]
    again, _ = make()._repr_mimebundle_()
    assert data["image/png"] == again["image/png"] and data["text/plain"] == again["text/plain"]


@pytest.mark.parametrize("make", EXPLORERS.values(), ids=EXPLORERS)
def test_scenes_survive_json(make):
    scene = make().views[0].widget.scene
    assert json.loads(json.dumps(scene, allow_nan=False))["grids"]


@pytest.mark.parametrize(
    ("value", "text"), [(-4.0, "−4"), (1 / 9, "0.111"), (-0.0, "0"), (1234.5, "1234"), (-12.34, "−12.3")]
)
def test_numbers_are_short(value, text):
    assert number(value) == text


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return np.dot(linear, [0.2126, 0.7152, 0.0722])


def contrast(a, b):
    low, high = sorted([luminance(a), luminance(b)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("role", ROLES)
def test_colours_can_be_read(role):
    """WCAG's contrast: 4.5 for labels on paper, 7 for numbers on a filled cell."""
    assert contrast(ROLES[role].line, PAPER) >= 4.5
    assert contrast(INK, ROLES[role].fill) >= 7
