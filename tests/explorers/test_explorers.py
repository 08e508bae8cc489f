"""The explorers without a browser: what their scenes say is true, for every value of every control."""

import itertools
import json
from dataclasses import dataclass, replace

import ipywidgets
import numpy as np
import pytest
import torch

from tests.explorers.scenes import numbers, part, sums_of_links
from unet_edu import explore
from unet_edu.convolution import conv2d
from unet_edu.data import PHOTOS, photo
from unet_edu.explore.arithmetic import BOUNDS
from unet_edu.explore.arithmetic import State as ArithmeticState
from unet_edu.explore.arithmetic import picture as arithmetic_picture
from unet_edu.explore.arithmetic import scene as arithmetic_scene
from unet_edu.explore.convolution import FROM_PHOTO, IMAGE, PRESETS, box, filtered, pixels
from unet_edu.explore.convolution import State as ConvolutionState
from unet_edu.explore.convolution import picture as convolution_picture
from unet_edu.explore.convolution import scene as convolution_scene
from unet_edu.explore.explorer import Explorer, View
from unet_edu.figures.palette import INK, PAPER, ROLES
from unet_edu.figures.scene import Scene, number


def made_of_links(scene: Scene) -> np.ndarray:
    return part(scene, sums_of_links(scene)["output", "input"], "output")


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
    np.testing.assert_allclose(made_of_links(scene), expected[0, 0], rtol=1e-2, atol=0.05)


@pytest.mark.parametrize("flip", [False, True])
def test_convolution_scene_of_any_shape(flip):
    rng = np.random.default_rng(0)
    x, kernel = rng.integers(-5, 6, (5, 7)), rng.integers(-5, 6, (2, 3))
    scene = convolution_scene(explore.convolution(x, kernel, flip=flip).state)
    np.testing.assert_array_equal(made_of_links(scene), conv2d(x, kernel[::-1, ::-1] if flip else kernel))
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


@pytest.mark.parametrize("name", PHOTOS)
def test_photographs_are_filtered_by_the_kernel_that_is_shown(name):
    kernel = PRESETS["Sobel x, left to right"]
    y, low, high = filtered(ConvolutionState(FROM_PHOTO, kernel, False, name))
    np.testing.assert_array_equal(y, conv2d(pixels(name), kernel))
    np.testing.assert_allclose(y, 255 * conv2d(photo(name), kernel), atol=8 / 2)  # pixels are rounded to whole numbers
    assert low == -high == -np.abs(y).max()
    flipped, _, _ = filtered(ConvolutionState(FROM_PHOTO, kernel, True, name))
    np.testing.assert_array_equal(flipped, -y)


@pytest.mark.parametrize("geometry", [(2, 0, 1), (1, 2, 1), (1, 0, 3), (3, 1, 2)])
@pytest.mark.parametrize("flip", [False, True])
def test_stride_padding_and_dilation_are_seen_in_the_grid_and_in_the_photograph(geometry, flip):
    rng = np.random.default_rng(1)
    x, kernel = rng.integers(-5, 6, (6, 7)), rng.integers(-5, 6, (2, 3))
    settings = dict(zip(("stride", "padding", "dilation"), geometry, strict=True))
    scene = convolution_scene(explore.convolution(x, kernel, flip=flip, **settings).state)
    weights = kernel[::-1, ::-1].copy() if flip else kernel
    expected = torch.nn.functional.conv2d(torch.tensor(x)[None, None], torch.tensor(weights)[None, None], **settings)
    np.testing.assert_array_equal(numbers(scene, "output"), expected[0, 0])
    np.testing.assert_array_equal(made_of_links(scene), expected[0, 0])
    p = settings["padding"]
    np.testing.assert_array_equal(numbers(scene, "input"), np.pad(x, p))
    read, marks = {link.input for link in scene.links}, scene.grid("input").marks
    assert {k for k, mark in enumerate(marks) if mark == "unused"} == set(range(len(marks))) - read
    ring = np.pad(np.zeros_like(x), p, constant_values=1).ravel()
    assert {k for k, mark in enumerate(marks) if mark == "padding"} == set(np.flatnonzero(ring)) & read
    state = explore.convolution("photo", kernel, flip=flip, photo="coins", **settings).state
    np.testing.assert_array_equal(filtered(state)[0], conv2d(pixels("coins"), weights, **settings))


def test_notes_tell_of_the_padding_and_of_what_no_window_reads():
    scene = convolution_scene(explore.convolution(np.ones((4, 4)), np.ones((2, 2)), stride=3, padding=1).state)
    notes = scene.grid("input").notes
    assert scene.grid("input").ring == 1 and scene.grid("input").label == "input x, 4×4, padding 1"
    assert notes[0] == "this zero of the padding goes into y[0, 0] times 1"
    assert notes[2] == "no window reads this zero of the padding"
    assert notes[7] == "x[0, 0] = 1 goes into y[0, 0] times 1" and notes[8] == "no window reads x[0, 1] = 1"
    assert ": their correlation, with stride 3, padding 1. The first output" in scene.alt


def test_cells_of_a_photograph_have_the_colour_of_their_number():
    state = ConvolutionState(FROM_PHOTO, PRESETS["Sobel x, left to right"], False, "coins", 100, 7)
    scene, (y, _, high) = convolution_scene(state), filtered(state)
    grounds = [int(ground[1:3], 16) for ground in scene.grid("input").fill]
    assert grounds == pixels("coins")[100:108, 7:15].ravel().tolist()
    for value, ground in zip(y[100:106, 7:13].ravel(), scene.grid("output").fill, strict=True):
        red, blue = int(ground[1:3], 16), int(ground[5:7], 16)
        assert (red > blue) == (value < 0) or abs(value) < high / 33, "orange below zero, purple above"
    assert not scene.grid("kernel").fill
    assert not any(grid.fill for grid in convolution_scene(ConvolutionState(IMAGE, state.kernel, False, "coins")).grids)


def test_what_is_left_of_a_sum_that_cancels_is_written_as_zero():
    scene = convolution_scene(explore.convolution([[1, 1, 1]], [[0.1, 0.2, -0.3]]).state)
    assert scene.grid("output").text == ("0",) and 0.1 + 0.2 - 0.3 != 0


@pytest.mark.parametrize(
    ("name", "total"),
    [
        ("identity", 1),
        ("shift", 1),
        ("box blur", 1),
        ("Gaussian blur", 1),
        ("sharpen", 1),
        ("Sobel x, left to right", 0),
        ("Sobel y, top to bottom", 0),
        ("Laplacian", 0),
    ],
)
def test_presets_keep_a_flat_surface_or_answer_to_change_alone(name, total):
    assert np.sum(PRESETS[name]) == pytest.approx(total, abs=1e-12)


def test_sobels_answer_to_their_own_direction():
    across = np.tile(np.arange(5.0), (5, 1))  # brighter from left to right
    for name, ramp, other in (
        ("Sobel x, left to right", across, across.T),
        ("Sobel y, top to bottom", across.T, across),
    ):
        assert (conv2d(ramp, PRESETS[name]) == 8).all() and not conv2d(other, PRESETS[name]).any()


def test_negative_factors_stand_in_parentheses():
    scene = convolution_scene(explore.convolution([[1, -2], [3, 4]], [[-5, 6]]).state)
    assert scene.grid("output").notes == ("y[0, 0] = (−5)·1 + 6·(−2)", "y[1, 0] = (−5)·3 + 6·4")


def test_alt_and_caption_say_whether_the_kernel_is_turned():
    straight, turned = (
        convolution_scene(ConvolutionState(IMAGE, PRESETS["sharpen"], flip, "camera")) for flip in (False, True)
    )
    assert "output of 2×2: their correlation." in straight.alt and straight.caption == ""
    assert "output of 2×2: their convolution, with the kernel turned by 180°." in turned.alt
    assert "correlation" not in turned.alt
    assert turned.caption == "The kernel is turned by 180° before it is laid on the input."


def test_alt_tells_the_sizes_and_the_first_sum():
    scene = convolution_scene(explore.convolution([[1, 2, 3], [4, 5, 6]], [[1, -1]]).state)
    assert scene.alt == (
        "An input of 2×3, a kernel of 1×2 and an output of 2×2: their correlation. "
        "The first output: y[0, 0] = 1·1 + (−1)·2 = −1."
    )


def test_the_caption_says_which_pixels_of_the_photograph_are_shown():
    state = ConvolutionState(FROM_PHOTO, PRESETS["sharpen"], True, "camera", row=140, column=228)
    assert convolution_scene(state).caption == (
        "The input: 8×8 pixels of the photograph from row 140, column 228, from 0 to 255. "
        "The kernel is turned by 180° before it is laid on the input."
    )


def test_a_sum_of_weights_that_is_zero_but_for_rounding_is_drawn_around_mid_grey():
    kernel = ((-1, 0, 1 + 1e-12), (-2, 0, 2), (-1, 0, 1))
    y, low, high = filtered(ConvolutionState(IMAGE, kernel, False, "camera"))
    assert low == -high == -np.abs(y).max()


def test_a_negative_sum_of_weights_is_drawn_around_mid_grey():
    y, low, high = filtered(ConvolutionState(IMAGE, ((-1.0,),), False, "camera"))
    assert low == -high == y.min()


def test_white_is_255_times_the_sum_of_the_weights():
    _, low, high = filtered(ConvolutionState(FROM_PHOTO, ((1 / 3,) * 3,) * 3, False, "camera"))
    assert low == 0 and high == pytest.approx(765)


def test_a_kernel_of_zeros_can_be_drawn():
    y, low, high = filtered(ConvolutionState(IMAGE, ((0.0,),), False, "camera"))
    assert not y.any() and (low, high) == (-1, 1)


@pytest.mark.parametrize("geometry", [(1, 0, 1), (2, 0, 1), (2, 2, 1), (2, 1, 3), (1, 0, 2)])
def test_the_box_lies_over_what_comes_of_the_pixels_of_the_grid_alone(geometry):
    """Seen by taking these pixels away: where no other pixel goes in, nothing is left."""
    state = ConvolutionState(FROM_PHOTO, ((1.0, 2.0, 3.0), (4.0, 5.0, 6.0)), False, "coins", 100, 9, *geometry)
    others = np.ones_like(pixels("coins"))
    others[100:108, 9:17] = 0
    rows, columns = np.nonzero(conv2d(others, state.kernel, **state.geometry)[20:-20] == 0)
    assert box(state) == (rows.min() + 20, columns.min(), np.ptp(rows) + 1, np.ptp(columns) + 1)


def test_a_box_is_one_pixel_where_no_window_lies_in_the_grid():
    assert box(ConvolutionState(FROM_PHOTO, ((1.0,) * 4,) * 4, False, "coins", 100, 7, 1, 2, 3))[2:] == (1, 1)


def test_the_still_picture_shows_the_photograph_before_and_after_the_kernel():
    state = ConvolutionState(FROM_PHOTO, PRESETS["Sobel x, left to right"], True, "coins")
    figure = convolution_picture(state).figure
    left, right = (axes.images[0] for axes in figure.axes[1:])
    y, low, high = filtered(state)
    np.testing.assert_array_equal(left.get_array(), pixels("coins"))
    np.testing.assert_array_equal(right.get_array(), y)
    assert left.get_clim() == (0, 255) and right.get_clim() == (low, high)
    assert "turned by 180°" in " ".join(text.get_text() for text in figure.axes[0].texts)


def test_there_is_no_photograph_where_the_input_is_a_matrix():
    picture = convolution_picture(ConvolutionState(IMAGE, PRESETS["sharpen"], False, "coins"))
    assert len(picture.figure.axes) == 1 and "photograph" not in picture.alt + picture.digest
    assert explore.convolution().data["photos"] == {} and len(explore.convolution().html) < 70_000


def test_the_still_picture_outlines_the_pixels_of_the_grid():
    state = ConvolutionState(FROM_PHOTO, PRESETS["sharpen"], False, "coins", row=100, column=7)
    for axes, size in zip(convolution_picture(state).figure.axes[1:], (8, 6), strict=True):
        (drawn,) = axes.patches
        assert (*drawn.get_xy(), drawn.get_width(), drawn.get_height()) == (6.5, 99.5, size, size)
        assert not drawn.get_fill()


@pytest.mark.parametrize("flip", [False, True])
def test_the_digest_is_of_what_the_kernel_makes_of_the_grid_and_of_the_photograph(flip):
    kernel = np.array([[1.0, 2.0, 0.0], [0.0, -1.0, 5.0]])
    weights = kernel[::-1, ::-1] if flip else kernel
    crop = pixels("coins")[100:108, 7:15]
    grid, of_crop, photograph = (explore.digest(conv2d(x, weights)) for x in (IMAGE, crop, pixels("coins")))
    state = ConvolutionState(IMAGE, tuple(map(tuple, kernel.tolist())), flip, "coins", 100, 7)
    assert convolution_picture(state).digest == f"output: {grid}"
    state = replace(state, x=FROM_PHOTO)
    assert convolution_picture(state).digest == f"output: {of_crop}; photograph: {photograph}"


def test_the_words_of_the_still_picture_name_the_photograph():
    state = ConvolutionState(FROM_PHOTO, PRESETS["sharpen"], False, "coins")
    assert convolution_picture(state).alt == (
        f"{convolution_scene(state).alt} Below, a photograph ({PHOTOS['coins']}) before and after the same kernel."
    )


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


@pytest.mark.parametrize(
    ("settings", "marks"),
    [
        # the right zero is in no window: it is unused
        ((6, 3, 2, 1, 1), ["padding", "", "", "", "", "", "", "unused"]),
        ((3, 3, 1, 2, 1), ["padding", "padding", "", "", "", "padding", "padding"]),
        ((6, 2, 3, 0, 1), ["", "", "unused", "", "", "unused"]),
    ],
)
def test_arithmetic_marks_padding_and_what_no_window_reads(settings, marks):
    assert list(arithmetic_scene(ArithmeticState(*settings)).grid("input").marks) == marks


def test_arithmetic_notes_write_the_padding_as_zeros():
    scene = arithmetic_scene(ArithmeticState(6, 3, 2, 1, 1))
    assert scene.grid("input").text == ("0", "x₀", "x₁", "x₂", "x₃", "x₄", "x₅", "0")
    assert scene.grid("output").notes == (
        "w₀·0 + w₁·x₀ + w₂·x₁",
        "w₀·x₁ + w₁·x₂ + w₂·x₃",
        "w₀·x₃ + w₁·x₄ + w₂·x₅",
    )


def test_arithmetic_notes_say_where_an_input_goes():
    notes = arithmetic_scene(ArithmeticState(6, 3, 2, 1, 1)).grid("input").notes
    assert notes[0] == "this zero of the padding goes into y₀"
    assert notes[2] == "x₁ goes into y₀, y₁"
    assert notes[7] == "no window reads this zero of the padding: it is dropped"


def test_arithmetic_windows_hold_their_weights_where_they_read():
    grid = arithmetic_scene(ArithmeticState(4, 2, 1, 0, 2)).grid("windows")
    assert grid.text == ("w₀", "", "w₁", "", "", "w₀", "", "w₁")
    assert grid.marks == ("tap", "blank", "tap", "blank", "blank", "tap", "blank", "tap")
    assert grid.notes[4:6] == ("window 1 does not read x₀", "window 1 multiplies x₁ by w₀")


@pytest.mark.parametrize("settings", [(6, 3, 2, 1, 1), (9, 3, 2, 2, 2), (14, 2, 5, 0, 3), (12, 1, 1, 0, 1)])
def test_arithmetic_links_are_the_products_of_the_sums(settings):
    scene = arithmetic_scene(ArithmeticState(*settings))
    texts = [text for grid in scene.grids for text in grid.text]
    for n, note in enumerate(scene.grid("output").notes):
        links = [link for link in scene.links if link.output == scene.first["output"] + n]
        assert [texts[link.weight] for link in links] == [f"w{'₀₁₂'[t]}" for t in range(settings[1])]
        assert note == " + ".join(f"{texts[link.weight]}·{texts[link.input]}" for link in links)
        window = scene.first["windows"] + n * scene.grid("windows").columns
        assert [link.weight - window for link in links] == [link.input for link in links]  # each stands below its input


def test_arithmetic_tells_in_words_how_many_windows_fit_and_what_is_dropped():
    assert arithmetic_picture(ArithmeticState(6, 3, 2, 1, 1)).alt == (
        "Windows of 3 cells with dilation 1 and stride 2 on an input of 6 with padding 1: 3 fit. In no window: 1 cell."
    )
    assert arithmetic_picture(ArithmeticState(3, 3, 1, 0, 1)).alt.endswith("1 fits. Every cell is in a window.")


@dataclass(frozen=True)
class Pair:
    a: int = 1
    b: int = 2


@pytest.fixture
def pair():
    """An explorer of two numbers; `seen` lists what was painted. The second view cannot show an `a` of 5."""
    seen = []

    def first(state):
        seen.append(("first", state))
        return f"{state.a} and {state.b}"

    def second(state):
        seen.append(("second", state))
        return f"{1 / (state.a - 5):.3f}"

    controls = {
        "a": ipywidgets.IntSlider(min=0, max=10),
        "b": ipywidgets.Dropdown(options=[("two", 2), ("three", 3)]),
    }
    views = [View(ipywidgets.HTML(), "value", first), View(ipywidgets.HTML(), "value", second)]
    explorer = Explorer(Pair(), controls, views, picture=None)
    seen.clear()
    return explorer, seen


def test_controls_and_views_show_the_first_state(pair):
    explorer, _ = pair
    assert (explorer.controls["a"].value, explorer.controls["b"].value) == (1, 2)
    assert [view.widget.value for view in explorer.views] == ["1 and 2", "-0.250"]


def test_controls_follow_the_state(pair):
    explorer, _ = pair
    explorer.update(a=7, b=3)
    assert explorer.state == Pair(7, 3)
    assert (explorer.controls["a"].value, explorer.controls["b"].label) == (7, "three")


def test_the_state_and_the_views_follow_a_control(pair):
    explorer, _ = pair
    explorer.controls["a"].value = 7
    assert explorer.state == Pair(7, 2)
    assert [view.widget.value for view in explorer.views] == ["7 and 2", "0.500"]


def test_a_control_repaints_each_view_once_and_in_order(pair):
    explorer, seen = pair
    explorer.controls["a"].value = 7
    assert seen == [("first", Pair(7, 2)), ("second", Pair(7, 2))]


def test_an_update_of_several_fields_repaints_each_view_once(pair):
    explorer, seen = pair
    explorer.update(a=7, b=3)  # both controls follow, and neither starts an update of its own
    assert seen == [("first", Pair(7, 3)), ("second", Pair(7, 3))]


def test_a_value_of_the_readers_own_is_one_more_entry_of_the_menu(pair):
    explorer, seen = pair
    menu = explorer.controls["b"]
    for value in (8, 9):
        explorer.update(b=value)
        assert menu.options == (("two", 2), ("three", 3), ("your own", value)) and menu.label == "your own"
    explorer.controls["a"].value = 4  # another control leaves it there
    assert explorer.state == Pair(4, 9) and menu.label == "your own"
    seen.clear()
    menu.value = 3
    assert menu.options == (("two", 2), ("three", 3)) and menu.label == "three"
    assert [state for _, state in seen] == [Pair(4, 3)] * 2


def test_what_cannot_be_painted_changes_nothing(pair):
    explorer, _ = pair
    with pytest.raises(ZeroDivisionError):
        explorer.update(a=5, b=3)
    assert explorer.state == Pair(1, 2)
    assert (explorer.controls["a"].value, explorer.controls["b"].value) == (1, 2)
    assert [view.widget.value for view in explorer.views] == ["1 and 2", "-0.250"]


def test_controls_work_on_after_one_asked_for_what_cannot_be_painted(pair):
    explorer, _ = pair
    with pytest.raises(ZeroDivisionError):
        explorer.controls["a"].value = 5
    assert explorer.state == Pair(1, 2)
    explorer.controls["b"].value = 3
    assert explorer.state == Pair(1, 3)
    explorer.controls["a"].value = 6
    assert explorer.state == Pair(6, 3)
    assert [view.widget.value for view in explorer.views] == ["6 and 3", "1.000"]


def test_the_still_picture_is_of_the_state_that_is_shown():
    explorer = explore.matrix()
    before = explorer._repr_mimebundle_()[0]["text/plain"]
    explorer.controls["stride"].value = 2
    assert explorer._repr_mimebundle_()[0]["text/plain"] != before


def test_the_scene_is_that_of_the_state_that_is_shown():
    explorer = explore.matrix()
    (before,) = explorer._repr_mimebundle_()[1]["unet_edu"]["scenes"]
    explorer.controls["stride"].value = 2
    (after,) = explorer._repr_mimebundle_()[1]["unet_edu"]["scenes"]
    assert json.loads(after["scene"])["alt"] == explorer.views[0].widget.scene["alt"]
    assert after != before


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


def test_one_cell_is_not_called_cells():
    assert (
        arithmetic_scene(ArithmeticState(1, 1, 1, 1, 1)).grid("input").label
        == "input, 1 cell and 1 of padding on each side"
    )
    assert arithmetic_scene(ArithmeticState(2, 1, 1, 0, 1)).grid("input").label == "input, 2 cells"
