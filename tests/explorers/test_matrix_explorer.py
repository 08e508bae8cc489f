"""The matrix explorer: what its scene says is true, for every value of every control; and a row is a patch in a
browser."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from tests.explorers.mounted import cell, lit, note, type_into, update
from tests.explorers.scenes import numbers, part, places, values
from unet_edu import explore
from unet_edu.explore.matrix import BOUNDS, IMAGE, KERNELS, MOST_ENTRIES, MOST_PIXELS, State, edited, picture, scene
from unet_edu.figures.scene import Scene, number
from unet_edu.matrix import conv2d_matrix

BACK = [[2, 9, 6, 1], [6, 29, 30, 7], [10, 29, 33, 13], [12, 24, 16, 4]]  # Aᵀ of the worked example, fed 2, 1, 4, 4
# 5 rows, 8 columns, 3 strides, 3 paddings, 5 kernels, 2 directions; of these 3600 every seventh, in which any three
# values of three controls still meet.
SETTINGS = list(
    itertools.product(*(range(low, high + 1) for low, high in BOUNDS.values()), KERNELS.values(), (False, True))
)[::7]


def state(x=IMAGE, kernel=KERNELS["worked example, 3×3"], **settings) -> State:
    return explore.matrix(x, kernel, **settings).state


def sum_of_links(scene: Scene, weights: str) -> np.ndarray:
    """The output as the links say whose weight stands in this grid: output += weight · input."""
    cells = values(scene)
    total, (low, count) = np.zeros(len(cells)), (scene.first[weights], len(scene.grid(weights).text))
    for output, input, weight, _ in scene.links:
        if weight is not None and low <= weight < low + count:
            total[output] += cells[weight] * cells[input]
    return part(scene, total, "output")


def by_pytorch(state: State, code: str) -> np.ndarray:
    """What the layer of the scene's own line of code makes of the numbers that go in."""
    layer = eval(code, {"nn": nn}).double()
    layer.weight.data = torch.from_numpy(state.weights.copy())[None, None]
    return layer(torch.from_numpy(state.incoming)[None, None]).detach().numpy()[0, 0]


def test_the_scene_is_true_for_every_setting():
    """All values of all controls, against PyTorch; those where nothing fits say so calmly."""
    drawn = refused = 0
    base = state()
    for rows, columns, stride, padding, kernel, transpose in SETTINGS:
        it = State(base.x, base.y, transpose, kernel, stride, rows, columns, padding)
        shown = scene(it)
        if it.problem:
            refused += 1
            assert shown.caption == it.problem and not shown.links and not shown.grid("output").text
            continue
        drawn += 1
        expected = by_pytorch(it, shown.code)
        # cells show three digits: a sum of at most nine products of numbers with at most two digits
        np.testing.assert_allclose(numbers(shown, "output"), expected, rtol=5e-3)
        np.testing.assert_array_equal(numbers(shown, "flattened output").ravel(), numbers(shown, "output").ravel())
        np.testing.assert_array_equal(numbers(shown, "flattened input").ravel(), numbers(shown, "input").ravel())
        A = conv2d_matrix(kernel, (rows, columns), stride=stride, padding=padding)
        np.testing.assert_array_equal(numbers(shown, "matrix"), A.T if transpose else A)
        for weights in ("matrix", "kernel"):  # the same products, told from the entry and from the weight
            np.testing.assert_allclose(sum_of_links(shown, weights), expected, rtol=1e-12)
    assert drawn + refused == 515 and drawn > 200 and refused > 40


def test_what_is_refused_is_too_small_for_pytorch_or_too_large_to_read():
    base, reasons = state(), set()
    for rows, columns, stride, padding in itertools.product((1, 2, 5), (1, 5, 8), (1, 3), (0, 1, 2)):
        it = State(base.x, base.y, False, KERNELS["worked example, 3×3"], stride, rows, columns, padding)
        layer, image = nn.Conv2d(1, 1, 3, stride=stride, padding=padding), torch.zeros(1, 1, rows, columns)
        if "PyTorch raises an error" in it.problem:
            reasons.add("small")
            with pytest.raises(RuntimeError, match="Kernel size can't be greater"):
                layer(image)
        else:
            outputs = layer(image).numel()
            is_large = rows * columns > MOST_PIXELS or rows * columns * outputs > MOST_ENTRIES
            assert bool(it.problem) == is_large
            reasons.add("large" if is_large else "")
            assert not is_large or f"A would be {outputs}×{rows * columns}: too large" in it.problem
    assert reasons == {"small", "large", ""}


def test_the_worked_example_is_a_matrix_of_4_by_16():
    shown = scene(state())
    assert shown.grid("output").text == ("122", "148", "126", "134")
    rows = ["1410143033100000", "0141014303310000", "0000141014303310", "0000014101430331"]
    assert "".join(shown.grid("matrix").text) == "".join(rows)
    assert shown.caption == (
        "A is 4×16: a row for each number that comes out, a column for each that goes in. 36 of its 64 "
        "entries are weights, "
        "the others are 0."
    )
    back = scene(state(transpose=True))
    np.testing.assert_array_equal(numbers(back, "output"), BACK)
    assert (back.grid("matrix").rows, back.grid("matrix").columns) == (16, 4)
    assert back.caption.endswith("It brings back the size of the image, not its numbers.")


def test_a_row_is_a_patch_and_a_column_is_where_a_pixel_goes():
    shown = scene(state())
    patch = [0, 1, 2, 4, 5, 6, 8, 9, 10]
    for name in ("output", "flattened output"):  # the second row: the patch one pixel to the right
        found = shown.linked(shown.first[name] + 1)
        assert places(shown, found, "matrix") == [16 + 1 + c for c in patch]
        assert places(shown, found, "input") == places(shown, found, "flattened input") == [c + 1 for c in patch]
        assert places(shown, found, "kernel") == list(range(9))
        assert found[shown.first["input"] + 1 + 1] == "×4"
    for name in ("input", "flattened input"):  # the pixel in row 1, column 2
        found = shown.linked(shown.first[name] + 6)
        assert places(shown, found, "matrix") == [6, 22, 38, 54]
        assert places(shown, found, "output") == places(shown, found, "flattened output") == [0, 1, 2, 3]
        assert places(shown, found, "kernel") == [1, 2, 4, 5]


def test_an_entry_is_one_weight_one_pixel_and_one_output():
    shown = scene(state())
    found = shown.linked(shown.first["matrix"] + 22)
    counts = {grid.name: places(shown, found, grid.name) for grid in shown.grids}
    assert counts == {
        "input": [6],
        "kernel": [4],
        "output": [1],
        "flattened input": [6],
        "matrix": [],
        "flattened output": [1],
    }
    assert (
        shown.note(shown.first["matrix"] + 22) == "A[1, 6] = 4 is w[1, 1], with which large[1, 2] goes into small[0, 1]"
    )
    zero = shown.first["matrix"] + 3
    assert shown.note(zero) == "A[0, 3] = 0: large[0, 3] does not go into small[0, 0]" and not shown.linked(zero)


def test_a_weight_stands_once_in_each_row_unless_it_meets_the_padding():
    shown = scene(state())
    assert places(shown, shown.linked(shown.first["kernel"] + 5), "matrix") == [6, 16 + 7, 32 + 10, 48 + 11]
    assert shown.note(shown.first["kernel"] + 5) == "w[1, 2] = 3 stands in 4 entries of A"
    padded = scene(state(padding=1))
    assert [padded.note(padded.first["kernel"] + tap).split(" stands in ")[1] for tap in (0, 1, 4)] == [
        "9 entries of A",
        "12 entries of A",
        "16 entries of A",
    ]
    assert "A weight that would meet the padding has no entry." in padded.caption


def test_notes_are_sums_forwards_and_backwards():
    shown, back = scene(state()), scene(state(transpose=True))
    sum_of_nine = "row 0 of A: small[0, 0] = 1·4 + 4·5 + 1·8 + 1·1 + 4·8 + 3·8 + 3·3 + 3·6 + 1·6 = 122"
    assert shown.note(shown.first["output"]) == shown.note(shown.first["flattened output"]) == sum_of_nine
    assert shown.note(5) == (
        "large[1, 1] = 8 stands over column 5 of A and goes into small[0, 0] times 4, small[0, 1] times 1, "
        "small[1, 0] times 4, small[1, 1] times 1"
    )
    assert back.note(back.first["output"] + 5) == "row 5 of Aᵀ: large[1, 1] = 4·2 + 1·1 + 4·4 + 1·4 = 29"
    assert back.note(1).startswith(
        "small[0, 1] = 1 stands over column 1 of Aᵀ and goes into large[0, 1] times 1, large[0, 2] times 4"
    )


def test_what_a_stride_leaves_out_is_hatched():
    shown = scene(state(stride=2))
    unread = [3, 7, 11, 12, 13, 14, 15]
    assert [k for k, mark in enumerate(shown.grid("input").marks) if mark == "unused"] == unread
    assert shown.note(3) == "large[0, 3] = 7 stands over column 3 of A, which is empty: no weight meets it"
    assert shown.caption.endswith("Hatched: no weight meets it.")
    back = scene(state(stride=2, transpose=True))
    assert [k for k, mark in enumerate(back.grid("output").marks) if mark == "unused"] == unread
    assert [k for k, text in enumerate(back.grid("output").text) if text == "0"] == unread
    assert back.code == ("nn.ConvTranspose2d(1, 1, kernel_size=3, stride=2, padding=0, output_padding=1, bias=False)")


def test_an_output_that_sees_only_padding_is_hatched_and_explained():
    shown = scene(state([[1, 2], [3, 4]], [[2]], padding=1))
    assert shown.grid("output").marks[0] == "unused" and "Hatched: no weight meets it." in shown.caption
    back = scene(state([[1, 2], [3, 4]], [[2]], padding=1, transpose=True))
    assert back.note(0) == "small[0, 0] = 2 stands over column 0 of Aᵀ, which is empty: no weight meets it"
    assert "Hatched: no weight meets it." in back.caption
    assert "atched" not in scene(state()).caption


def test_a_matrix_without_zeros_is_said_to_have_none():
    assert scene(state([[1, 2], [3, 4]], [[1, 2], [3, 4]])).caption.endswith(" All its entries are weights.")


def test_no_label_lies_under_another_grid():
    """At the width that a letter has where cells are small."""
    for kernel, transpose in itertools.product(([[2]], [[1], [2]], KERNELS["worked example, 3×3"]), (False, True)):
        for image in (np.ones((5, 3)), np.ones((4, 4))):
            grids = scene(state(image, kernel, transpose=transpose)).grids
            for grid, other in itertools.permutations(grids, 2):
                (left, top), (x, y) = grid.at, other.at
                right = left + 0.27 * len(grid.label)
                assert right <= x or x + other.columns <= left or y >= top or y + other.rows <= top - 0.6


def test_weights_are_coloured_and_zeros_faint_even_where_a_weight_is_zero():
    shown = scene(state(kernel=[[0, 1], [1, 0]]))
    taps = conv2d_matrix(np.ones((2, 2)), (4, 4))
    assert list(shown.grid("matrix").marks) == ["tap" if tap else "faint" for tap in taps.flat]
    assert shown.note(shown.first["matrix"]) == "A[0, 0] = 0 is w[0, 0], with which large[0, 0] goes into small[0, 0]"


def test_vectors_stand_along_the_sides_of_the_matrix():
    for transpose in (False, True):
        shown = scene(state(np.ones((2, 5)), KERNELS["numbered, 2×3"], transpose=transpose))
        A, above, beside = (shown.grid(name) for name in ("matrix", "flattened input", "flattened output"))
        assert above.at[0] == A.at[0] and above.columns == A.columns and above.at[1] + 1 < A.at[1]
        assert beside.at[1] == A.at[1] and beside.rows == A.rows and beside.at[0] > A.at[0] + A.columns
        corners = [(grid.at, (grid.at[0] + grid.columns, grid.at[1] + grid.rows)) for grid in shown.grids]
        for (a, b), (c, d) in itertools.combinations(corners, 2):
            assert b[0] <= c[0] or d[0] <= a[0] or b[1] <= c[1] or d[1] <= a[1], "two grids overlap"


def test_an_edit_changes_one_number():
    x = explore.matrix([[1, 2, 3], [4, 5, 6]], [[1, 1]]).state
    assert edited(x, 4, -2.0)["x"][1][:3] == (4, -2, 6)
    assert edited(x, 7, 0.5, edits=2) == {"kernel": ((1, 0.5),)}
    y = explore.matrix([[1, 2, 3], [4, 5, 6]], [[1, 1]], transpose=True, y=[[7, 8], [9, 10]]).state
    assert edited(y, 2, -2.0)["y"][1][:2] == (-2, 10)
    assert edited(y, 5, 0.5) == {"kernel": ((1, 0.5),)}


def test_the_explorer_keeps_what_was_typed():
    explorer = explore.matrix()
    view = explorer.views[0].widget
    explorer.controls["transpose"].value = True
    assert view.scene["grids"][2]["text"] == tuple(number(z) for row in BACK for z in row)
    view.edit = {"cell": 0, "value": 3.0, "edits": 1}
    assert view.scene["grids"][2]["text"][:2] == ("3", "13")
    explorer.controls["transpose"].value = False
    assert explorer.state.x == state().x and view.scene["grids"][2]["text"] == ("122", "148", "126", "134")
    view.edit = {"cell": 16, "value": 7.0, "edits": 2}
    assert explorer.controls["kernel"].label == "your own"


def test_a_number_that_was_typed_is_still_there_when_the_image_has_been_smaller():
    explorer = explore.matrix()
    explorer.views[0].widget.edit = {"cell": 15, "value": 99.0, "edits": 1}
    explorer.controls["columns"].value = 2
    explorer.controls["columns"].value = 4
    assert explorer.state.incoming[3, 3] == 99


def test_the_picture_selects_the_fullest_row_and_says_so():
    it = state(padding=1)
    told, shown = picture(it), scene(it)
    assert told.alt == shown.alt and told.alt.startswith(
        "A 4×4 image, a 3×3 kernel, and the 16×16 matrix A that makes 4×4"
    )
    example = "row 5 of A: small[1, 1] = 1·4 + 4·5 + 1·8 + 1·1 + 4·8 + 3·8 + 3·3 + 3·6 + 1·6 = 122"
    assert told.alt.endswith(f"For example, {example}.")
    assert example in [text.get_text() for text in told.figure.axes[0].texts]
    A = conv2d_matrix(KERNELS["worked example, 3×3"], (4, 4), padding=1)
    y = (A @ np.ravel(IMAGE)).reshape(4, 4)
    assert told.digest == f"A: {explore.digest(A)}; output: {explore.digest(y)}"


def test_the_picture_of_what_does_not_fit_says_why():
    it = state(padding=2)
    assert picture(it).digest == it.problem == picture(it).alt
    assert it.problem.startswith("A would be 36×16: too large to read here")


@pytest.mark.needs("chromium")
def test_in_a_browser_a_row_is_a_patch(mount):
    page = mount(explore.matrix())
    cell(page, "flattened output", 3, 0).hover()
    assert note(page) == "row 3 of A: small[1, 1] = 1·8 + 4·8 + 1·8 + 1·6 + 4·6 + 3·4 + 3·5 + 3·7 + 1·8 = 134"
    assert lit(page, "input") == [(r, c) for r in (1, 2, 3) for c in (1, 2, 3)]
    assert lit(page, "flattened input") == [(0, 4 * r + c) for r in (1, 2, 3) for c in (1, 2, 3)]
    assert lit(page, "matrix") == [(3, c) for _, c in lit(page, "flattened input")]
    assert page.locator(".selected").count() == 2  # the output and its twin
    cell(page, "matrix", 1, 6).hover()
    assert (lit(page, "input"), lit(page, "kernel"), lit(page, "output")) == ([(1, 2)], [(1, 1)], [(0, 1)])
    cell(page, "kernel", 1, 2).hover()
    assert lit(page, "matrix") == [(0, 6), (1, 7), (2, 10), (3, 11)]


@pytest.mark.needs("chromium")
def test_in_a_browser_no_twin_gives_a_hidden_result_away(mount):
    page = mount(explore.matrix())
    page.get_by_label("predict before you see").check()
    assert page.locator("[aria-label^='flattened output,'] .value").all_text_contents() == ["?"] * 4
    cell(page, "flattened output", 0, 0).hover()
    assert note(page).endswith("= ?") and "122" not in page.locator(".stage").evaluate("node => node.innerHTML")
    page.get_by_label("your prediction").fill("122")
    page.get_by_label("your prediction").press("Enter")
    for grid in ("output", "flattened output"):
        assert page.locator(f"[aria-label^='{grid},'] .value").all_text_contents() == ["122", "?", "?", "?"]


@pytest.mark.needs("chromium")
def test_in_a_browser_the_scene_turns_from_a_to_its_transpose(mount):
    page = mount(explore.matrix())
    update(page, explore.matrix(transpose=True))
    cell(page, "output", 1, 1).hover()
    assert note(page) == "row 5 of Aᵀ: large[1, 1] = 4·2 + 1·1 + 4·4 + 1·4 = 29"
    assert lit(page, "matrix") == [(5, c) for c in range(4)]
    type_into(page, "input", 0, 0, "5")
    assert page.evaluate("edits") == [[0, 5]]
    width, height = page.evaluate(
        "(({width, height}) => [width, height])(document.querySelector('svg').getBoundingClientRect())"
    )
    assert width < 870 and height < 680, "it fits on a screen"


@pytest.mark.needs("chromium")
def test_in_a_browser_a_typed_number_changes_texts_and_builds_nothing_anew(mount):
    page = mount(explore.matrix())
    page.evaluate("window.before = document.querySelector('svg')")
    kernel = [[9, 4, 1], [1, 4, 3], [3, 3, 1]]
    update(page, explore.matrix(kernel=kernel))
    assert page.evaluate("before === document.querySelector('svg')")
    y = scene(state(kernel=kernel)).grid("output").text
    assert tuple(page.locator("[aria-label^='output,'] .value").all_text_contents()) == y
    assert note(page).startswith("row 0 of A: small[0, 0] = 9·4 + 4·5") and cell(page, "kernel", 0, 0).count() == 1
    assert cell(page, "kernel", 0, 0).get_attribute("aria-label").endswith(": 9")
    assert cell(page, "input", 0, 0).locator(".corner").text_content() == "×9"
    update(page, explore.matrix(kernel=kernel, stride=2))
    assert not page.evaluate("before === document.querySelector('svg')")
