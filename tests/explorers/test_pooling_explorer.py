"""The pooling explorer: what its scenes say is true, for every value of every control; and in a browser."""

import itertools

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tests.explorers.mounted import cell, lit, note, outputs
from tests.explorers.scenes import numbers
from unet_edu.explore.picture import digest
from unet_edu.explore.pooling import BOUNDS, CHOICES, INPUTS, State, edited, picture, pooling, scene, unpooled

RANGES = [range(low, high + 1) for low, high in BOUNDS.values()]
ALL = dict.fromkeys(  # each once: the padding is kept within half of the kernel
    State(x, *geometry, *choices)
    for x in INPUTS.values()
    for geometry in itertools.product(*RANGES)
    for choices in itertools.product(*(options.values() for options in CHOICES.values()))
)
# Every fifth: any three values of three controls still meet.
SETTINGS = list(ALL)[::5]
EXAMPLE, NEGATIVE, ODD, PEAK = INPUTS.values()


def by_torch(state):
    """PyTorch's pooled numbers, indices and unpooled grid; None for the grid when it raises an error."""
    x = torch.tensor(state.x).double()[None, None].requires_grad_()
    geometry = (state.kernel, state.stride, state.padding)
    y, indices = F.max_pool2d(x, *geometry, return_indices=True)
    z = torch.tensor(state.back)[None, None]
    if state.kind == "average":
        mean = F.avg_pool2d(x, *geometry)
        mean.backward(z)
        return mean.detach().numpy()[0, 0], indices.numpy()[0, 0], x.grad.numpy()[0, 0]
    size = None if state.size == "default" else x.shape[2:]
    try:
        u = F.max_unpool2d(z, indices, *geometry, output_size=size)
    except RuntimeError as error:
        assert "invalid max index" in str(error)
        u = None
    if state.shared == "sum" and u is not None:
        u = torch.zeros(u.shape, dtype=u.dtype).flatten().index_add(0, indices.flatten(), z.flatten()).reshape(u.shape)
    return y.detach().numpy()[0, 0], indices.numpy()[0, 0], None if u is None else u.numpy()[0, 0]


def test_scenes_are_true_for_every_setting():
    """All values of all controls, against PyTorch; where it raises an error the scene says so calmly."""
    errors = clashes = 0
    for state in SETTINGS:
        drawn = scene(state)
        y, indices, u = by_torch(state)
        # what is written in a cell has three digits
        np.testing.assert_allclose(numbers(drawn, "output"), y, rtol=5e-3)
        if state.kind == "max" and state.x != NEGATIVE:  # the only one with ties
            np.testing.assert_array_equal(numbers(drawn, "index"), indices)
        if u is None:
            errors += 1
            assert unpooled(state) is None and "an error" in drawn.caption
            assert set(drawn.grid("unpooled").text) == {""}
            assert (drawn.grid("unpooled").rows, drawn.grid("unpooled").columns) == state.plane
            continue
        marks = np.reshape(drawn.grid("unpooled").marks, u.shape)
        is_open = marks == "clash"
        clashes += is_open.any()
        if state.shared == "sum" or state.kind == "average":
            is_open[...] = False  # a sum is the same for everyone, of several numbers PyTorch may keep any
        if state.x != NEGATIVE or state.kind == "average":
            np.testing.assert_allclose(
                np.where(is_open, 0, numbers(drawn, "unpooled")), np.where(is_open, 0, u), rtol=5e-3
            )
    assert errors > 10 and clashes > 40


def test_clashes_are_the_places_that_several_outputs_share():
    for state in SETTINGS:
        if state.kind == "max" and unpooled(state) is not None:
            marks = scene(state).grid("unpooled").marks
            times = np.bincount(state.pooled[1].ravel(), minlength=len(marks))
            assert [mark == "clash" for mark in marks] == (times > 1).tolist()
            assert [mark == "faint" for mark in marks] == (times == 0).tolist()


def test_cells_that_no_window_reads_are_marked():
    for state in SETTINGS:
        read = F.fold(
            torch.ones(1, state.kernel**2, state.pooled[0].size),
            [size + 2 * state.padding for size in state.image.shape],
            state.kernel,
            stride=state.stride,
        )
        marks = scene(state).grid("input").marks
        assert [mark == "unused" for mark in marks] == (read.flatten() == 0).tolist()


def test_arrows_run_where_no_number_stands():
    for it in (State(EXAMPLE), State(ODD), State(EXAMPLE, kernel=2, stride=1)):
        drawn = scene(it)
        middles = np.array([drawn.middle(cell) for cell in range(sum(len(grid.text) for grid in drawn.grids))])
        for arrow in drawn.arrows:
            for (x1, y1), (x2, y2) in itertools.pairwise(drawn.route(*arrow)):
                points = np.linspace((x1, y1), (x2, y2), 50)
                assert np.abs(points[:, None] - middles).max(axis=2).min() > 0.27  # of a cell, off each number


def test_arrows_lead_from_the_maximum_to_its_index_and_on_to_its_place():
    drawn = scene(State(EXAMPLE))
    first = drawn.first
    there = [(start - first["input"], end - first["index"]) for start, end in drawn.arrows if start < first["index"]]
    back = [(start - first["index"], end - first["unpooled"]) for start, end in drawn.arrows if start >= first["index"]]
    assert sorted(there) == [(2, 1), (5, 0), (12, 2), (15, 3)]
    assert sorted(back) == [(0, 5), (1, 2), (2, 12), (3, 15)]
    padded = scene(State(EXAMPLE, kernel=2, stride=2, padding=1))  # the padded input has rows of 6
    (_, index), *_ = (arrow for arrow in padded.arrows if arrow[0] == 1 * 6 + 1)
    assert padded.grid("index").text[index - padded.first["index"]] == "0"
    assert len(scene(State(EXAMPLE, kernel=2, stride=1)).arrows) == 2 * 9
    assert len(scene(State(ODD, size="default")).arrows) == 4  # none into a grid that does not exist


def test_links_of_max_pooling_are_its_windows():
    for state in SETTINGS:
        if state.kind == "max" and state.put == "pooled":
            drawn = scene(state)
            texts = numbers(drawn, "input").ravel()
            for n, value in enumerate(numbers(drawn, "output").flat):
                links = [link for link in drawn.links if link.output == drawn.first["output"] + n]
                assert len(links) == state.kernel**2 and max(texts[link.input] for link in links) == value
                assert [texts[link.input] for link in links if link.factor == "max"] == [value]
                assert {link.weight for link in links} == {drawn.first["index"] + n}


def test_a_maximum_is_named_at_both_ends_wherever_it_stands_in_its_window():
    drawn = scene(State(EXAMPLE))
    for n, place in enumerate((5, 2, 12, 15)):
        corners = drawn.linked(drawn.first["index"] + n)
        named = {cell for cell, corner in corners.items() if corner == "max"}
        assert named == {drawn.first["input"] + place, drawn.first["output"] + n}


def test_links_of_average_pooling_are_its_products_and_those_of_its_adjoint():
    for state in SETTINGS:
        if state.kind == "average":
            drawn = scene(state)
            values = np.concatenate([numbers(drawn, grid.name).ravel() for grid in drawn.grids])
            total = np.zeros(len(values))
            for link in drawn.links:
                total[link.output] += values[link.input] / state.kernel**2
            for name in ("output", "unpooled"):
                shown = numbers(drawn, name)
                part = total[drawn.first[name] :][: shown.size].reshape(shown.shape)
                np.testing.assert_allclose(part, shown, rtol=6e-3, atol=0.03)  # cells have three digits


def test_the_lesson_s_example():
    drawn = scene(State(EXAMPLE))
    assert numbers(drawn, "index").tolist() == [[5, 2], [12, 15]]
    assert numbers(drawn, "back").tolist() == [[1, 2], [3, 4]]
    assert numbers(drawn, "unpooled").tolist() == [[0, 0, 2, 0], [0, 1, 0, 0], [0, 0, 0, 0], [3, 0, 0, 4]]
    assert drawn.caption == ""
    assert (
        drawn.code == "y, i = nn.MaxPool2d(2, return_indices=True)(x); u = nn.MaxUnpool2d(2)(z, i, output_size=(4, 4))"
    )


def test_notes_of_max_pooling():
    drawn = scene(State(EXAMPLE))
    sentence = "y[0, 0] = max(3, −2, −1, 9) = 9, at row 1, column 1"
    assert drawn.note(drawn.first["index"]) == f"{sentence}: flat index = 1·4 + 1 = 5"
    assert drawn.grid("output").notes[0] == sentence
    assert drawn.grid("input").notes[5] == "x[1, 1] = 9 is the largest in y[0, 0]: it is kept"
    assert drawn.grid("input").notes[0] == "x[0, 0] = 3 is dropped: not the largest in y[0, 0]"
    assert drawn.grid("back").notes[3] == "z[1, 1] = 4 goes to index 15: row 3, column 3"
    assert drawn.grid("unpooled").notes[5] == "u[1, 1] = 1: index 5, where z[0, 0] = 1 is put"
    assert drawn.grid("unpooled").notes[0] == "u[0, 0] = 0: nothing is put here"


def test_notes_of_negative_numbers_ties_and_padding():
    drawn = scene(State(NEGATIVE))
    assert numbers(drawn, "output").tolist() == [[-1, 4], [9, -6]]
    assert drawn.grid("output").notes[1] == (
        "y[0, 1] = max(4, 4, 4, 1) = 4, at row 0, column 2 (it stands there 3 times; the first is taken)"
    )
    drawn = scene(State(EXAMPLE, 2, 2, 1))
    assert drawn.grid("output").notes[0] == "y[0, 0] = max(−∞, −∞, −∞, 3) = 3, at row 0, column 0"
    assert drawn.grid("input").notes[0] == "this −∞ of the padding can never be the largest"
    assert drawn.grid("input").label == "input x, 4×4 and padding"


def test_notes_of_a_shared_place():
    for shared, value, what, corner in (
        ("last", 4, "one stays", ["1 lost", "2 lost", "3 lost", "4 stays"]),
        ("sum", 10, "they add up", ["+ 1", "+ 2", "+ 3", "+ 4"]),
    ):
        drawn = scene(State(PEAK, 3, 1, shared=shared))
        assert numbers(drawn, "index").tolist() == [[5, 5], [5, 5]] and numbers(drawn, "unpooled")[1, 1] == value
        come = "z[0, 0] = 1, z[0, 1] = 2, z[1, 0] = 3, z[1, 1] = 4"
        assert drawn.grid("unpooled").notes[5] == f"u[1, 1] = {value}: {come} all come to index 5, and {what}"
        fates = drawn.linked(drawn.first["unpooled"] + 5)
        assert [fates[drawn.first["back"] + n] for n in range(4)] == corner
    assert drawn.caption == "Shared by several outputs: index 5 by 4. Sᵀ adds what comes."
    assert "max_pool2d_grad(z, i, size=(4, 4))" in drawn.code


def test_an_odd_size_is_lost_unless_it_is_said():
    lost, kept = scene(State(ODD, size="default")), scene(State(ODD))
    assert lost.caption == "Index 18 does not exist in 4×4, which has 0 to 15: an error. Unpool to 5×5."
    assert lost.grid("back").notes[3] == "z[1, 1] = 4 goes to index 18, which a grid of 4×4 does not have"
    assert kept.caption == "" and kept.code.endswith("(z, i, output_size=(5, 5))") and lost.code.endswith("(z, i)")
    assert kept.grid("unpooled").rows == 5 and kept.grid("unpooled").text[18] == "4"


def test_the_first_index_that_a_grid_does_not_have_is_an_error():
    x = [list(row) for row in ODD]
    x[3][1], x[3][3] = 20, 0
    state = pooling(x, size="default").state
    assert state.pooled[1].max() == 16 and unpooled(state) is None
    assert scene(state).caption.startswith("Index 16 does not exist in 4×4, which has 0 to 15")


def test_places_that_are_wrong_without_an_error_are_told():
    """With a small number in row 3, column 3, all indices exist in 4×4 too, and PyTorch does not complain."""
    x = [list(row) for row in ODD]
    x[3][3] = 0
    drawn = scene(pooling(x, size="default").state)
    assert drawn.caption == "Wrong places! The indices count in rows of 5, and this grid has rows of 4."
    assert drawn.grid("index").text[0] == "6" and drawn.grid("unpooled").text[6] == "1"
    assert drawn.grid("back").notes[0] == "z[0, 0] = 1 goes to index 6: row 1, column 2"


def test_notes_of_average_pooling():
    drawn = scene(State(EXAMPLE, kind="average"))
    assert drawn.note(drawn.first["output"]) == "y[0, 0] = (3 + (−2) + (−1) + 9) / 4 = 2.25"
    assert drawn.grid("input").notes[5] == "x[1, 1] = 9 goes into y[0, 0], ×0.25"
    assert drawn.grid("back").notes[0] == "z[0, 0] = 1 is shared out equally, ×0.25"
    assert numbers(drawn, "unpooled")[:2, :2].tolist() == [[0.25, 0.25], [0.25, 0.25]]
    assert drawn.code == "y = nn.AvgPool2d(2)(x)"


def test_an_edit_changes_one_number_and_never_the_padding():
    assert edited(State(EXAMPLE), 5, 7.0, edits=1) == {"x": ((3, -2, 7, 4), (-1, 7, 0, 5), *EXAMPLE[2:])}
    assert edited(State(EXAMPLE, padding=1), 7, 5.0) == {"x": ((5, -2, 7, 4), *EXAMPLE[1:])}
    assert edited(State(EXAMPLE, padding=1), 0, 5.0) == {}


def test_padding_is_kept_within_half_of_the_kernel():
    explorer = pooling()
    for kernel in RANGES[0]:
        for padding in RANGES[2]:
            explorer.controls["kernel"].value, explorer.controls["padding"].value = kernel, padding
            assert explorer.state.padding == min(padding, kernel // 2) == explorer.controls["padding"].value


def test_what_was_typed_is_the_reader_s_own():
    explorer = pooling()
    grid = explorer.views[0].widget
    grid.edit = {"cell": 0, "value": 99.0, "edits": 1}
    assert explorer.state.x[0][0] == 99 and explorer.controls["x"].label == "your own"
    assert grid.scene["grids"][1]["text"][0] == "0"


def test_what_has_no_meaning_for_the_average_is_greyed_out():
    explorer = pooling(kind="average")
    assert explorer.controls["size"].disabled and explorer.controls["shared"].disabled
    explorer.controls["kind"].value = "max"
    assert not explorer.controls["size"].disabled and not explorer.controls["shared"].disabled


def test_still_picture_has_words_and_numbers():
    drawn = picture(State(EXAMPLE))
    assert drawn.alt == (
        "A 4×4 input, its 2×2 max pooling with kernel 2, stride 2 and padding 0, and the flat indices of the maxima: "
        "5, 2, 12, 15. "
        "The first output: y[0, 0] = max(3, −2, −1, 9) = 9, at row 1, column 1. "
        "Below, numbers are put back at these places in a 4×4 grid. Places shared by several outputs: 0."
    )
    y, indices, u = [[9, 7], [8, 10]], [[5, 2], [12, 15]], [[0, 0, 2, 0], [0, 1, 0, 0], [0] * 4, [3, 0, 0, 4]]
    assert drawn.digest == f"output: {digest(y)}; index: {digest(indices)}; unpooled: {digest(u)}"
    assert "too small" in picture(State(ODD, size="default")).alt
    assert "average pooling with kernel 3" in picture(State(ODD, 3, 2, kind="average")).alt
    assert "flat indices of the maxima. The" in picture(State(ODD, 2, 1)).alt  # sixteen would be too many to hear


@pytest.mark.needs("chromium")
def test_in_a_browser(mount):
    page = mount(pooling(PEAK, 3, 1))
    assert note(page).endswith("at row 1, column 1: flat index = 1·4 + 1 = 5")
    assert len(lit(page, "input")) == 9 and lit(page, "unpooled") == [(1, 1)] and lit(page, "back") == [(0, 0)]
    assert page.locator(".arrow.lit").count() == 2 and page.locator(".arrow").count() == 8
    cell(page, "unpooled", 1, 1).hover()
    assert "all come to index 5, and one stays" in note(page) and len(lit(page, "back")) == 4
    assert page.locator(".cell.clash").count() == 1
    page.get_by_label("index row").fill("1")
    assert note(page).startswith("y[1, 0]")
    page.get_by_label("predict before you see").check()
    assert page.locator("[aria-label^='index,'] .value").all_text_contents() == ["?"] * 4
    assert outputs(page) == ["9"] * 4
    page.get_by_label("your prediction").fill("5")
    page.get_by_role("button", name="Check").click()
    assert page.locator(".answer").text_content() == "Yes, 5."


def test_the_line_of_pytorch_does_what_the_scene_shows():
    """Run it, for every setting without ties and shared places that has an answer."""
    ran = 0
    for state in SETTINGS:
        drawn = scene(state)
        if state.x != NEGATIVE and "size=" in drawn.code and not drawn.caption and state.shared == "last":
            names = {"nn": torch.nn, "x": torch.tensor(state.x)[None, None], "z": torch.tensor(state.back)[None, None]}
            exec(drawn.code, names)  # noqa: S102, our own line
            np.testing.assert_array_equal(names["i"][0, 0], state.pooled[1])
            np.testing.assert_array_equal(names["u"][0, 0], unpooled(state))
            ran += 1
    assert ran > 20
