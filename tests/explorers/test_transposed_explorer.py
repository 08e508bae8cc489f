"""The transposed convolution explorer: its scenes are true, for every value of every control; and one after the other
they keep what is chosen, in a browser."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import conv2d, conv_transpose2d

from tests.explorers.mounted import cell, lit, note, type_into, update
from tests.explorers.scenes import numbers, part, places, sums_of_links
from unet_edu import explore
from unet_edu.explore.transposed import BOUNDS, IMAGE, INPUTS, KERNELS, SCENES, State, edited, picture, scene
from unet_edu.explore.transposed.round_trip import RoundTrip
from unet_edu.explore.transposed.state import PIXELS, WAYS
from unet_edu.figures.scene import Scene, number

BACK = [[2, 9, 6, 1], [6, 29, 30, 7], [10, 29, 33, 13], [12, 24, 16, 4]]  # the worked example, stride 1
SETTINGS = 648  # 4 inputs, 6 kernels, 3 strides, 3 paddings, 3 output paddings


def state(x=INPUTS["worked example, 2×2"], kernel=KERNELS["worked example, 3×3"], **settings) -> State:
    return explore.transposed(x, kernel, **settings).state


def every_state(show: str, inputs=INPUTS) -> list[State]:
    image = state().image
    ranges = [range(low, high + 1) for low, high in BOUNDS.values()]
    kernels = KERNELS.values()
    return [
        State(image, show, w, stride, x, *rest)
        for x in inputs.values()
        for w in kernels
        for stride, *rest in itertools.product(*ranges)
    ]


def three_ways(it: State) -> list[Scene]:
    return [scene(replace(it, show=way)) for way in WAYS]


def as_batch(array) -> torch.Tensor:
    return torch.tensor(np.asarray(array), dtype=torch.float64)[None, None]


def by_pytorch(state: State, code: str) -> np.ndarray:
    """What the layer of the scene's own line of code makes of x."""
    layer = eval(code, {"nn": nn}).double()
    layer.weight.data = as_batch(state.kernel)
    return layer(as_batch(state.x)).detach().numpy()[0, 0]


def close(actual, expected):
    # cells show three digits, and up to four products of them add up
    np.testing.assert_allclose(actual, expected, rtol=1e-2, atol=5e-3)


def test_three_ways_are_true_for_every_setting():
    """All values of all controls: each view adds up to what PyTorch computes; what does not fit is said calmly."""
    drawn = refused = 0
    for it in every_state("stamps"):
        if it.problem:
            refused += 1
            for shown in three_ways(it):
                assert shown.caption == it.problem and not shown.links and not shown.grid("output").text
            continue
        drawn += 1
        stamps, zeros, matrix = three_ways(it)
        y = by_pytorch(it, stamps.code)
        for shown in (stamps, zeros, matrix):
            close(numbers(shown, "output"), y)
        cut = tuple(slice(it.padding, it.padding + side) for side in y.shape)
        close(numbers(stamps, "canvas")[cut], y)
        sums = sums_of_links(stamps)
        close(part(stamps, sums["canvas", "input"], "canvas")[cut], y)  # told from pixels and weights
        close(part(stamps, sums["canvas", "stamp"], "canvas")[cut], y)  # told from stamps
        close(part(zeros, sums_of_links(zeros)["output", "stretched"], "output"), y)  # the kernel turned
        close(part(matrix, sums_of_links(matrix)["output", "flattened"], "output"), y)  # rows of Aᵀ
    assert drawn + refused == SETTINGS and drawn > 250 and refused > 250


def test_what_is_refused_is_refused_by_pytorch_or_too_large_to_read():
    reasons = set()
    for it in every_state("stamps"):
        settings = {"stride": it.stride, "padding": it.padding, "output_padding": it.output_padding}
        if "PyTorch raises an error" in it.problem:
            reasons.add("error")
            with pytest.raises(RuntimeError, match="output padding must be smaller|output size.* is too small"):
                conv_transpose2d(as_batch(it.x), as_batch(it.kernel), **settings)
        else:
            y = conv_transpose2d(as_batch(it.x), as_batch(it.kernel), **settings)
            assert bool(it.problem) == (max(y.shape) > 8)
            reasons.add("large" if it.problem else "")
    assert reasons == {"error", "large", ""}


def test_marks_say_what_is_cut_off_what_is_more_and_what_no_stamp_reaches():
    seen = set()
    for it in every_state("stamps", {name: INPUTS[name] for name in ("ones, 2×3", "one pixel")}):
        if it.problem:
            continue
        shown, kernel = scene(it), torch.ones_like(as_batch(it.kernel))
        ones = torch.ones_like(as_batch(it.x))
        counts = conv_transpose2d(ones, kernel, None, it.stride, it.padding, it.output_padding)[0, 0].numpy()
        marks = np.array(shown.grid("output").marks).reshape(counts.shape)
        np.testing.assert_array_equal(marks == "unused", counts == 0)
        less = (
            conv_transpose2d(ones, kernel, None, it.stride, it.padding)[0, 0]
            if min(counts.shape) > it.output_padding
            else None
        )
        if less is not None:
            more = np.ones(counts.shape, bool)
            more[: less.shape[0], : less.shape[1]] = False
            np.testing.assert_array_equal(marks == "tap", more & (counts > 0))
        canvas = np.array(shown.grid("canvas").marks).reshape(shown.grid("canvas").rows, -1)
        cut = tuple(slice(it.padding, it.padding + side) for side in counts.shape)
        np.testing.assert_array_equal(canvas[cut], marks)
        assert (canvas == "padding").sum() == canvas.size - marks.size
        for mark, words in {"unused": "hatched", "tap": "coloured", "padding": "dashed"}.items():
            is_seen = mark in canvas
            if mark == "tap":
                assert ("there because of output_padding" in shown.caption) == (it.output_padding > 0)
            assert (words in shown.caption) == is_seen or mark == "padding"
            seen |= {mark} if is_seen else set()
        assert ("dashed" in shown.caption) == (it.padding > 0)
    assert seen == {"unused", "tap", "padding"}


def test_the_worked_example_three_ways():
    stamps, zeros, matrix = three_ways(state())
    np.testing.assert_array_equal(numbers(stamps, "stamp 2"), np.multiply(4, KERNELS["worked example, 3×3"]))
    np.testing.assert_array_equal(numbers(zeros, "turned kernel"), [[1, 3, 3], [3, 4, 1], [1, 4, 1]])
    np.testing.assert_array_equal(numbers(zeros, "stretched input"), np.pad([[2, 1], [4, 4]], 2))
    np.testing.assert_array_equal(numbers(matrix, "matrix 1"), [[1, 0, 1, 0], [4, 1, 4, 1], [3, 4, 1, 4], [0, 3, 0, 1]])
    for shown in (stamps, zeros, matrix):
        np.testing.assert_array_equal(numbers(shown, "output"), BACK)
        assert shown.note(shown.first["output"] + 5) == "4 stamps meet here: large[1, 1] = 4·2 + 1·1 + 4·4 + 1·4 = 29"
        assert shown.caption == "rows: (2 − 1)·1 + 3 − 2·0 + 0 = 4; columns: (2 − 1)·1 + 3 − 2·0 + 0 = 4"
        assert (
            shown.code == "nn.ConvTranspose2d(1, 1, kernel_size=3, stride=1, padding=0, output_padding=0, bias=False)"
        )


def test_output_padding_cuts_off_less_and_what_it_adds_is_no_zero():
    """With k = 3, s = 2, p = 1, the added row and column hold what stamps put there."""
    less, more = (scene(state(stride=2, padding=1, output_padding=n)) for n in (0, 1))
    np.testing.assert_array_equal(numbers(more, "output")[:3, :3], numbers(less, "output"))
    np.testing.assert_array_equal(numbers(more, "canvas"), numbers(less, "canvas"))
    assert (numbers(more, "output")[3] > 0).all() and (numbers(more, "output")[:, 3] > 0).all()
    tap = np.array(more.grid("output").marks).reshape(4, 4) == "tap"
    assert tap[3].all() and tap[:, 3].all() and not tap[:3, :3].any()


def test_one_output_lights_what_it_is_made_of_in_each_way():
    stamps, zeros, matrix = three_ways(state(stride=2))  # y is 5×5, and four stamps meet in its middle
    middle = stamps.first["output"] + 12
    found = stamps.linked(middle)
    assert stamps.same(middle) == {middle, stamps.first["canvas"] + 12}
    assert places(stamps, found, "input") == [0, 1, 2, 3] and places(stamps, found, "kernel") == [0, 2, 6, 8]
    assert [places(stamps, found, f"stamp {n}") for n in range(4)] == [[8], [6], [2], [0]]
    assert found[stamps.first["input"] + 3] == "×1"

    found = zeros.linked(zeros.first["output"] + 12)
    window = places(zeros, found, "stretched input")
    assert window == [7 * (2 + u) + 2 + v for u in range(3) for v in range(3)]
    assert places(zeros, found, "turned kernel") == [0, 2, 6, 8]  # the others meet zeros
    assert found[zeros.first["stretched input"] + 17] == ""

    found = matrix.linked(matrix.first["output"] + 12)
    assert places(matrix, found, "matrix 2") == [4 * 2 + n for n in range(4)] and not places(matrix, found, "matrix 1")


def test_one_pixel_lights_its_stamp_in_each_way():
    stamps, zeros, matrix = three_ways(state(stride=2))
    stamped = [5 * u + 2 + v for u in range(3) for v in range(3)]
    found = stamps.linked(1)
    assert places(stamps, found, "canvas") == places(stamps, found, "output") == stamped
    assert places(stamps, found, "stamp 1") == list(range(9)) and not places(stamps, found, "stamp 0")
    assert places(zeros, zeros.linked(1), "output") == stamped
    found = matrix.linked(1)
    assert places(matrix, found, "output") == stamped
    assert [places(matrix, found, f"matrix {i}") for i in range(5)] == [[9, 13, 17]] * 3 + [[], []]
    for shown, more in ((zeros, ["stretched input"]), (matrix, [f"flattened input {i}" for i in range(5)])):
        assert sorted(shown.place(twin)[0].name for twin in shown.same(1)) == sorted(["input", *more])
        notes = {shown.note(twin) for twin in shown.same(1)}
        assert notes == {"small[0, 1] = 1 stamps the kernel, times 1: its corner falls on row 0, column 2 of large"}


def test_one_weight_lights_its_copies():
    stamps, zeros, matrix = three_ways(state())
    weight = stamps.first["kernel"] + 5
    assert stamps.note(weight) == "w[1, 2] = 3 stands once in every stamp, and in 4 entries of Aᵀ"
    found = stamps.linked(weight)
    assert [places(stamps, found, f"stamp {n}") for n in range(4)] == [[5]] * 4
    assert stamps.note(stamps.first["stamp 2"] + 5) == "small[1, 0]·w[1, 2] = 4·3 = 12 falls on large[2, 2]"
    assert places(zeros, zeros.linked(weight), "turned kernel") == [3]
    assert zeros.note(zeros.first["turned kernel"] + 3) == "the kernel is turned by 180°: here stands w[1, 2]"
    found = matrix.linked(weight)
    assert sum(len(places(matrix, found, f"matrix {i}")) for i in range(4)) == 4
    entry = matrix.first["matrix 2"] + 2 * 4 + 2
    assert matrix.note(entry) == "Aᵀ[10, 2] = 3 is w[1, 2], with which small[1, 0] goes into large[2, 2]"
    assert entry in found


def test_notes_of_what_is_cut_off_and_of_zeros():
    shown, zeros, _ = three_ways(state(stride=2, padding=1))
    assert shown.note(shown.first["canvas"]) == "the padding cuts this number off"
    assert shown.note(shown.first["stamp 0"]) == "small[0, 0]·w[0, 0] = 2·1 = 2 is cut off by the padding"
    assert shown.note(shown.first["input"]).endswith("its corner falls on row −1, column −1 of large")
    grid = zeros.grid("stretched input")
    assert (grid.rows, grid.columns) == (5, 5) and grid.marks[:3] == ("padding",) * 3
    assert grid.notes[0] == "a zero around them" and (grid.marks[7], grid.notes[7]) == (
        "faint",
        "a zero between the pixels",
    )
    gap = scene(state(kernel=[[1]], stride=2))
    assert gap.note(gap.first["output"] + 1) == "no stamp reaches here: large[0, 1] = 0 = 0"


def test_a_padding_larger_than_the_kernel_leaves_pixels_that_no_window_reads():
    shown = scene(state([[1, 2, 3], [4, 5, 6]], [[1, 1]], stride=2, padding=1, show="zeros inserted"))
    y = conv_transpose2d(as_batch([[1, 2, 3], [4, 5, 6]]), as_batch([[1, 1]]), stride=2, padding=1)[0, 0]
    np.testing.assert_array_equal(numbers(shown, "output"), y)
    marks = np.array(shown.grid("stretched input").marks).reshape(-1, shown.grid("stretched input").columns)
    assert (marks[[0, -1]] == "unused").all() and (marks[1:-1] != "unused").any()


def test_no_grid_lies_on_another():
    inputs = {"pixel": ((1,),), "2×3": INPUTS["numbered, 2×3"]}
    for it in itertools.chain(*(every_state(way, inputs) for way in WAYS)):
        grids = [grid for grid in scene(it).grids if grid.text]
        boxes = [(grid.at, (grid.at[0] + grid.columns, grid.at[1] + grid.rows)) for grid in grids]
        for (a, b), (c, d) in itertools.combinations(boxes, 2):
            assert b[0] <= c[0] or d[0] <= a[0] or b[1] <= c[1] or d[1] <= a[1]


# ---- overlaps --------------------------------------------------------------------------------------------------------


def test_overlaps_are_true_for_every_setting():
    drawn = 0
    for it in every_state("overlaps", {"2×2": INPUTS["worked example, 2×2"]}):
        if it.problem:
            continue
        drawn += 1
        shown, geometry = scene(it), (None, it.stride, it.padding, it.output_padding)
        ones, kernel = torch.ones(1, 1, *PIXELS, dtype=torch.float64), as_batch(it.kernel)
        counts = conv_transpose2d(ones, torch.ones_like(kernel), *geometry)[0, 0].numpy()
        np.testing.assert_array_equal(numbers(shown, "counts"), counts)
        close(numbers(shown, "ones"), conv_transpose2d(ones, kernel, *geometry)[0, 0])
        np.testing.assert_array_equal(part(shown, sums_of_links(shown)["counts", "down"], "counts"), counts)
        marks = np.array(shown.grid("counts").marks).reshape(counts.shape)
        np.testing.assert_array_equal(marks == "unused", counts == 0)
        np.testing.assert_array_equal(marks == "tap", counts == counts.max())
        # what is said of the inside, against the inside of a large image of ones
        inside = conv_transpose2d(torch.ones(1, 1, 24, 24, dtype=torch.float64), kernel, *geometry)[
            0, 0, 10:-10, 10:-10
        ]
        low, high = inside.min().item(), inside.max().item()
        is_flat = high - low < 1e-9
        said = (
            f"becomes {number(low)} everywhere inside"
            if is_flat
            else f"from {number(low)} to {number(high)}: a checkerboard"
        )
        assert said in shown.caption
        assert shown.caption.endswith(
            "Coloured: most stamps; hatched: none." if (counts == 0).any() else " most stamps."
        )
        _, _, table, ones_out = shown.grids
        assert table.at[0] + max(table.columns, 0.27 * len(table.label)) <= ones_out.at[0]
    assert drawn > 60


def test_overlaps_are_counted_for_an_input_of_their_own():
    """The input in the menu, which is switched off there, decides nothing: neither what is too large nor what is cut
    off."""
    for x, settings in (([[1]], {"padding": 1, "kernel": [[1]]}), (np.ones((2, 3)), {"stride": 3})):
        assert state(x, **settings).problem and not state(x, show="overlaps", **settings).problem
    assert state(np.ones((2, 3)), [[1]], padding=2, show="overlaps").problem.startswith(
        "The padding cuts off everything"
    )


@pytest.mark.parametrize(
    ("kernel", "stride", "words"),
    [
        ("worked example, 3×3", 2, "down 1 or 2 by turns, across 1 or 2 by turns. An image of ones becomes uneven"),
        ("bilinear, 4×4", 2, "down 2, across 2. An image of ones becomes 1 everywhere inside: no checkerboard."),
        ("as in the U-Net, 2×2", 2, "down 1, across 1. An image of ones becomes uneven inside, from 1 to 4: a checker"),
        (
            "halves, 2×2",
            3,
            "down 0 or 1 by turns, across 0 or 1 by turns. An image of ones becomes uneven inside, from 0",
        ),
        ("ones, 3×3", 1, "down 3, across 3. An image of ones becomes 9 everywhere inside: no checkerboard."),
    ],
)
def test_even_counts_are_needed_and_not_enough(kernel, stride, words):
    shown = scene(state(kernel=KERNELS[kernel], stride=stride, show="overlaps"))
    assert shown.caption.startswith(f"Stamps that meet inside: {words}")


# ---- there and back --------------------------------------------------------------------------------------------------


def test_there_and_back_is_true_for_every_setting():
    drawn = 0
    for it in every_state("there and back", {name: INPUTS[name] for name in ("worked example, 2×2", "numbered, 2×3")}):
        if it.problem:
            continue
        drawn += 1
        shown, trip, kernel = scene(it), RoundTrip.of(it), as_batch(it.kernel)
        small = conv2d(as_batch(trip.image), kernel, None, it.stride, it.padding)
        back = conv_transpose2d(small, kernel, None, it.stride, it.padding, it.output_padding)[0, 0].numpy()
        both = eval(shown.code, {"nn": nn}).double()
        for layer in both:
            layer.weight.data = kernel
        np.testing.assert_allclose(both(as_batch(trip.image)).detach()[0, 0], back, rtol=1e-12, atol=1e-12)
        close(numbers(shown, "small"), small[0, 0])
        assert small.shape[2:] == np.shape(it.x) and back.shape == trip.image.shape
        close(numbers(shown, "output"), back)
        sums = sums_of_links(shown)
        close(part(shown, sums["small", "input"], "small"), small[0, 0])
        # digits are lost twice
        np.testing.assert_allclose(part(shown, sums["output", "small"], "output"), back, rtol=2e-2, atol=2e-2)
        np.testing.assert_allclose(trip.back, back, rtol=1e-12, atol=1e-12)
        error = np.linalg.norm(back - trip.image) / np.linalg.norm(trip.image)
        assert trip.error == pytest.approx(error)
        best = min(np.linalg.norm(c * back - trip.image) for c in trip.scale * np.linspace(0.5, 1.5, 101))
        assert trip.missing == pytest.approx(best / np.linalg.norm(trip.image))  # no other factor does better
        filled = shown.grid("meter").marks.count("tap")
        assert (
            filled == round(20 * (1 - trip.missing))
            and f"{100 * (1 - trip.missing):.0f} %" in shown.grid("meter").label
        )
    assert drawn > 100


def test_transposed_is_not_inverse():
    shown = scene(state(show="there and back"))
    assert shown.grid("small").text == ("122", "148", "126", "134")
    assert shown.grid("output").text[:2] == ("122", "636")  # where x has 4 and 5
    assert shown.note(1) == "large[0, 1] = 5; back comes 636"
    assert shown.note(shown.first["output"] + 1) == "large here is 5; AᵀA large[0, 1] = 4·122 + 1·148 = 636"
    assert shown.caption == (
        "Is AᵀA large = large? No, the difference is 135 times as large as the image. "
        "Multiplied by the best factor, AᵀA large still misses 54 % "
        "of the image. "
        "A keeps 4 numbers of 16: no matrix brings every image back."
    )


@pytest.mark.parametrize(
    ("settings", "answer"),
    [
        (
            {"kernel": KERNELS["a one in the middle, 3×3"], "padding": 1},
            "Yes, for this image: AᵀA large = large. A keeps all 4 numbers of the image.",
        ),
        (
            {"kernel": [[2, 1], [0, 0]], "padding": 1, "x": [[1, 1, 1], [1, 1, 1]], "image": [[1, 2]]},
            (
                "No, the difference is 5.73 times as large as the image. "
                "Multiplied by the best factor, AᵀA large still misses 18 % of the image. "
                "A keeps all 2 numbers of the image: some other matrix brings every image back."
            ),
        ),
        ({"kernel": [[1]], "x": [[1]]}, "Yes, for this image: AᵀA large = large. A keeps the one number of the image."),
        ({"kernel": [[3]]}, "Up to a factor, for this image: AᵀA large = 9 large. A keeps all 4 numbers of the image."),
        (
            {"kernel": KERNELS["halves, 2×2"], "stride": 2, "image": np.kron([[1, 2], [3, 4]], np.ones((2, 2)))},
            "Yes, for this image: AᵀA large = large. A keeps 4 numbers of 16: no matrix brings every image back.",
        ),
        (
            {"image": np.zeros((4, 4))},
            "An image of zeros comes back from everything: type a number into it.",
        ),
        (
            {"kernel": [[0]]},
            (
                "No, the difference is 1 times as large as the image. "
                "Multiplied by the best factor, AᵀA large still misses 100 % of the image. "
                "A keeps 0 numbers of 4: no matrix brings every image back."
            ),
        ),
    ],
)
def test_the_verdict_is_calm_and_true(settings, answer):
    assert scene(state(show="there and back", **settings)).caption == f"Is AᵀA large = large? {answer}"


# ---- the explorer ----------------------------------------------------------------------------------------------------


def test_the_meter_says_what_its_factor_is():
    shown = scene(state(show="there and back", kernel=[[3]]))  # AᵀA x = 9 x
    assert shown.note(shown.first["meter"]).startswith(
        "AᵀA large is multiplied by 0.111, which brings it nearest to the image. "
    )


def test_what_is_there_because_of_output_padding_is_counted():
    for more, words in {1: "last row and column: there because", 2: "last 2 rows and columns: there because"}.items():
        assert words in scene(state(stride=3, output_padding=more)).caption


def test_an_edit_changes_one_number():
    it = state([[1, 2, 3]], [[1, 1]])
    assert edited(it, 1, -2.0) == {"x": ((1, -2, 3),)}
    assert edited(it, 4, 0.5, edits=3) == {"kernel": ((1, 0.5),)}
    there = state([[1, 2, 3]], [[1, 1]], show="there and back", image=[[1, 2, 3, 4]])  # y is 1×4
    assert edited(there, 3, -2.0)["image"][0][:4] == (1, 2, 3, -2)
    assert edited(there, 5, 0.5) == {"kernel": ((1, 0.5),)}


def test_the_input_has_a_menu_where_it_is_shown_and_a_typed_weight_is_the_reader_s_own():
    explorer = explore.transposed()
    for show in SCENES:
        explorer.controls["show"].value = show
        assert explorer.controls["x"].disabled == (show not in WAYS)
    explorer.controls["show"].value = "matrix"
    explorer.views[0].widget.edit = {"cell": 4 + 4, "value": -2.0, "edits": 1}
    assert explorer.state.kernel == ((1, 4, 1), (1, -2, 3), (3, 3, 1))
    assert explorer.controls["kernel"].label == "your own"


def test_what_does_not_fit_is_said_in_words():
    one_size = (
        "With stride 1 there is only one size to come back to: output_padding must be 0, or PyTorch raises an error."
    )
    among = "output_padding chooses among the 2 sizes that a convolution of stride 2 brings to one."
    for settings, words in {(1, 0, 1): one_size, (2, 0, 2): among}.items():
        assert state(**dict(zip(BOUNDS, settings, strict=True))).problem.startswith(words)
    assert state([[1]], [[1]], padding=1).problem == (
        "The padding cuts off everything that the stamps cover: PyTorch raises an error."
    )
    assert state(np.ones((2, 3)), stride=3).problem.startswith("The output would be 6×9: too large to read here")


@pytest.mark.parametrize("show", SCENES)
def test_the_picture_tells_what_is_shown(show):
    it = state(stride=2, show=show)
    told, shown = picture(it), scene(it)
    assert told.alt == shown.alt and len(told.alt) > 100
    expected = {
        "overlaps": np.outer([1, 1, 2, 1, 2, 1, 1], [1, 1, 2, 1, 2, 1, 2, 1, 1]),
        "there and back": RoundTrip.of(it).back,
    }.get(show, it.y)
    assert told.digest == f"{shown.grid(shown.walk).label}: {explore.digest(expected)}"
    _, metadata = explore.transposed(stride=2, show=show)._repr_mimebundle_()
    assert metadata["image/png"]["alt"] == told.alt


def test_the_picture_selects_where_most_stamps_meet():
    example = "4 stamps meet here: large[2, 2] = 1·2 + 3·1 + 1·4 + 1·4 = 13"
    told = picture(state(stride=2))
    assert example in told.alt and example in [text.get_text() for text in told.figure.axes[0].texts]
    overlap = picture(state(stride=2, show="overlaps"))
    texts = [text.get_text() for text in overlap.figure.axes[0].texts]
    assert "stamps on pixel [2, 2]: 2 down times 2 across = 4" in texts


def test_the_image_that_goes_there_and_back_is_the_worked_example():
    np.testing.assert_array_equal(RoundTrip.of(state()).image, IMAGE)


@pytest.mark.needs("chromium")
def test_in_a_browser_the_chosen_output_stays_chosen_from_way_to_way(mount):
    page = mount(explore.transposed(stride=2))
    cell(page, "output", 2, 2).focus()
    told = "4 stamps meet here: large[2, 2] = 1·2 + 3·1 + 1·4 + 1·4 = 13"
    assert note(page) == told
    assert [lit(page, f"stamp {n}") for n in range(4)] == [[(2, 2)], [(2, 0)], [(0, 2)], [(0, 0)]]
    assert cell(page, "canvas", 2, 2).get_attribute("class").split()[-1] == "selected"
    update(page, explore.transposed(stride=2, show="zeros inserted"))
    assert note(page) == told
    assert lit(page, "stretched input") == [(r, c) for r in (2, 3, 4) for c in (2, 3, 4)]
    assert cell(page, "stretched input", 3, 3).locator(".corner").text_content() == ""  # a zero has no weight
    assert cell(page, "stretched input", 2, 2).locator(".corner").text_content() == "×1"
    update(page, explore.transposed(stride=2, show="matrix"))
    assert note(page) == told
    assert lit(page, "matrix 2") == [(2, n) for n in range(4)]
    page.get_by_role("button", name="Reset").click()
    page.get_by_role("button", name="Step").click()
    assert note(page).startswith("1 stamp meets here: large[0, 1] = 4·2")
    type_into(page, "input", 0, 0, "5")
    assert page.evaluate("edits") == [[0, 5]]


@pytest.mark.needs("chromium")
def test_in_a_browser_each_scene_fits_and_can_be_walked(mount):
    page = mount(explore.transposed(stride=2, padding=1, output_padding=1))
    for show in SCENES:
        walked = "counts" if show == "overlaps" else "output"
        update(page, explore.transposed(stride=2, padding=1, output_padding=1, show=show))
        page.get_by_label(f"{walked} row").fill("1")
        assert page.locator(f".selected[aria-label^='{walked}, row 1']").count() == 1
        size = page.evaluate(
            "(({width, height}) => [width, height])(document.querySelector('svg').getBoundingClientRect())"
        )
        assert size[0] < 880 and size[1] < 660
