"""The still painter of scenes: what it draws, read from matplotlib's own lists, not from pixels."""

import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from tests.explorers.scenes import PAIRS
from unet_edu.explore.arithmetic import State, scene
from unet_edu.explore.convolution import IMAGE, PRESETS
from unet_edu.explore.convolution import State as ConvolutionState
from unet_edu.explore.convolution import scene as convolution_scene
from unet_edu.figures.palette import PAPER, ROLES
from unet_edu.figures.scene import Cells, Scene, draw_scene, inches, line_up, stack

STRIDED = scene(State(size=6, kernel=3, stride=2, padding=1, dilation=1))  # the padding on the right is in no window


def draw(scene, selected=None):
    return draw_scene(Figure().subplots(), scene, selected)


def texts(axes):
    return [text.get_text() for text in axes.texts]


def cells(axes, scene, name):
    """The drawn cells of a grid by their number in it."""
    grid = scene.grid(name)
    left, top = grid.at
    found = {}
    for patch in axes.patches:
        column, row = round(patch.get_x() - left, 6), round(patch.get_y() - top, 6)
        if column in range(grid.columns) and row in range(grid.rows):
            found[int(row * grid.columns + column)] = patch
    return found


def filled(axes, scene, name):
    """The numbers of a grid's cells that have its role's colour; the others must be as white as paper."""
    colours = {k: to_hex(patch.get_facecolor()).upper() for k, patch in cells(axes, scene, name).items()}
    fill = ROLES[scene.grid(name).role].fill
    assert set(colours.values()) <= {fill, PAPER}
    return {k for k, colour in colours.items() if colour == fill}


def test_the_first_output_is_selected_and_its_sum_caption_and_code_stand_below():
    assert texts(draw(STRIDED))[-3:] == ["w₀·0 + w₁·x₀ + w₂·x₁ = y₀", STRIDED.caption, STRIDED.code]


def test_only_a_note_of_the_walked_grid_has_a_result():
    assert texts(draw(STRIDED, selected=1))[-3] == "x₀ goes into y₀"


def test_lines_below_stand_under_the_grids_one_under_the_other_and_inside_the_axes():
    axes = draw(STRIDED)
    assert axes.yaxis_inverted() and not axes.xaxis_inverted()
    places = [text.get_position()[1] for text in axes.texts[-3:]]
    assert STRIDED.size[1] < places[0] < places[1] < places[2] < axes.get_ylim()[0]
    assert axes.get_ylim()[1] == 0 and axes.get_xlim()[0] <= 0 and axes.get_xlim()[1] >= STRIDED.size[0]


def test_every_cell_is_a_square_of_its_own_and_blank_ones_are_not_drawn():
    axes = draw(STRIDED)
    assert all(isinstance(patch, Rectangle) and patch.get_width() == patch.get_height() == 1 for patch in axes.patches)
    for name, count in {"input": 8, "windows": 3 * 3, "output": 3}.items():
        grid, drawn = STRIDED.grid(name), cells(axes, STRIDED, name)
        assert set(drawn) == {k for k, mark in enumerate(grid.marks) if mark != "blank"} and len(drawn) == count
    assert len(axes.patches) == 8 + 3 * 3 + 3
    assert axes.get_aspect() == 1 and not axes.axison


def test_a_blank_cell_is_drawn_when_it_is_selected():
    blank = STRIDED.grid("windows").marks.index("blank")
    assert set(cells(draw(STRIDED, STRIDED.first["windows"] + blank), STRIDED, "windows")) == {
        k for k, mark in enumerate(STRIDED.grid("windows").marks) if mark != "blank" or k == blank
    }


def test_texts_stand_in_the_middle_of_their_cells():
    axes = draw(STRIDED)
    for name in ("input", "output"):
        grid = STRIDED.grid(name)
        written = {text.get_position(): text.get_text() for text in axes.texts}
        assert cells(axes, STRIDED, name)
        for k, patch in cells(axes, STRIDED, name).items():
            assert written[patch.get_x() + 0.5, patch.get_y() + 0.5] == grid.text[k]


def test_padding_is_dashed():
    dashed = [k for k, patch in cells(draw(STRIDED), STRIDED, "input").items() if patch.get_linestyle() == "--"]
    assert dashed == [0]
    padded = scene(State(size=6, kernel=3, stride=1, padding=2, dilation=1))
    assert sum(patch.get_linestyle() == "--" for patch in draw(padded).patches) == 4


def test_only_the_unused_cell_is_hatched():
    axes = draw(STRIDED)
    hatched = [patch for patch in axes.patches if patch.get_hatch()]
    assert hatched == [cells(axes, STRIDED, "input")[7]]
    assert to_hex(hatched[0].get_edgecolor()).upper() == ROLES["error"].line


@pytest.mark.parametrize(
    ("name", "k", "lit"),
    [
        ("output", 1, {"input": {2, 3, 4}, "output": {1}}),
        ("input", 2, {"input": {2}, "output": {0, 1}}),
        ("windows", 8 + 3, {"input": {3}, "output": {1}}),
    ],
)
def test_the_selected_cell_and_those_it_is_linked_to_are_filled(name, k, lit):
    axes = draw(STRIDED, STRIDED.first[name] + k)
    assert {grid: filled(axes, STRIDED, grid) for grid in lit} == lit
    assert len(filled(axes, STRIDED, "windows")) == 9  # taps are always coloured
    widest = [patch for patch in axes.patches if patch.get_linewidth() == 3]
    assert widest == [cells(axes, STRIDED, name)[k]]


def test_linked_cells_are_outlined_more_thickly_than_others():
    axes = draw(STRIDED)
    widths = {
        name: [patch.get_linewidth() for _, patch in sorted(cells(axes, STRIDED, name).items())]
        for name in STRIDED.first
    }
    assert widths["input"] == [2] * 3 + [0.7] * 5
    assert widths["windows"] == [2] * 3 + [0.7] * 6
    assert widths["output"] == [3, 0.7, 0.7]


def test_weights_stand_in_the_corners_of_the_inputs_they_multiply():
    axes = draw(STRIDED)
    corners = {text.get_text(): text.get_position() for text in axes.texts if text.get_text().startswith("×")}
    assert list(corners) == ["×w₀", "×w₁", "×w₂"]
    left, top = STRIDED.grid("input").at
    for column, (x, y) in enumerate(corners.values()):
        assert left + column < x < left + column + 1 and top + 0.5 < y < top + 1


def test_labels_and_signs_are_drawn():
    drawn = convolution_scene(ConvolutionState(IMAGE, PRESETS["sharpen"], False, "camera"))
    assert {grid.label for grid in drawn.grids} | {"∗", "="} <= set(texts(draw(drawn)))


def test_a_scene_without_outputs_has_its_caption_and_nothing_selected():
    nothing = scene(State(size=2, kernel=5, stride=1, padding=0, dilation=1))
    axes = draw(nothing)
    assert texts(axes)[-2:] == [nothing.caption, nothing.code]
    assert filled(axes, nothing, "input") == set() and not any("=" in text for text in texts(axes)[:-2])


def test_twins_are_chosen_together_and_linked_together():
    axes = draw(PAIRS, selected=1)
    assert {k for k, patch in cells(axes, PAIRS, "input").items() if patch.get_linewidth() == 3} == {1}
    assert {k for k, patch in cells(axes, PAIRS, "flat").items() if patch.get_linewidth() == 3} == {1}
    assert PAIRS.linked(1) == PAIRS.linked(5) == {8: "", 9: "×0.25", 10: "×0.25"}
    assert PAIRS.linked(9) == {0: "×½", 4: "×½", 1: "×0.25", 5: "×0.25", 8: ""}


def test_a_cell_has_one_group_of_twins():
    with pytest.raises(ValueError, match="twins: a cell is in two groups"):
        Scene("", PAIRS.grids, (), "output", twins=((0, 4), (4, 5)))


def test_arrows_and_points_belong_to_the_chosen_cell():
    axes = draw(PAIRS, selected=9)
    arrows = [text for text in axes.texts if getattr(text, "arrow_patch", None)]
    *line, before, tip = PAIRS.route(*PAIRS.arrows[0])
    assert [(text.xyann, text.xy) for text in arrows] == [(before, tip)]
    drawn, point = axes.lines
    assert list(map(tuple, drawn.get_xydata())) == [*line, before]
    assert list(map(tuple, point.get_xydata())) == [(0.5, 0.5)]


def test_marks_have_their_own_hatches():
    hatches = {k: patch.get_hatch() for k, patch in cells(draw(PAIRS), PAIRS, "flat").items()}
    assert hatches[0] is hatches[1] is None and hatches[2] and hatches[3] and hatches[2] != hatches[3]


def test_the_middle_of_a_cell_is_inside_it():
    for grid in PAIRS.grids:
        for k in range(len(grid.text)):
            x, y = PAIRS.middle(PAIRS.first[grid.name] + k)
            assert (x, y) == (grid.at[0] + k % grid.columns + 0.5, grid.at[1] + k // grid.columns + 0.5)


def test_rows_are_stacked_without_touching():
    one, two = (Cells(name, name, "input", rows, 1, ("",) * rows, ("",) * rows) for name, rows in (("a", 3), ("b", 1)))
    grids, signs = stack([one, "+", two], [two])
    assert line_up(one, "+", two) == (grids[:2], signs)
    assert grids[1].at[1] == grids[0].at[1] + 1  # centred
    assert grids[2].at[0] == 0 and grids[2].at[1] > grids[0].at[1] + one.rows


def test_a_twin_of_a_result_is_a_result():
    twins = Scene("", PAIRS.grids, (), "output", twins=((4, 9),))
    assert [twins.note(cell) for cell in (0, 4, 9, 10)] == ["one", " = 1", "½·1 + 0.25·2 = 1", "0.25·2 = 0.5"]
    assert [PAIRS.place(cell)[0].name for cell in (3, 4, 8, 10)] == ["input", "flat", "kernel", "output"]


def test_a_long_line_below_is_wrapped_and_has_its_room():
    words = " ".join(["word"] * 60)
    short, long = (Scene("", PAIRS.grids, (), "output", caption=caption) for caption in ("word", words))
    lines = texts(draw(long))[-3:]
    assert " ".join(lines) == words and max(map(len, lines)) <= 112
    places = [text.get_position()[1] for text in draw(long).texts[-3:]]
    assert long.size[1] < places[0] < places[1] < places[2] < draw(long).get_ylim()[0]
    assert inches(long)[1] > inches(short)[1] and inches(long)[0] == inches(short)[0]


def test_tall_scenes_get_smaller_cells_and_numbers_that_fit_them():
    def cells_of(rows, columns, text):
        grid = Cells("output", "y", "output", rows, columns, (text,) * rows * columns, ("",) * rows * columns)
        return Scene("", (grid,), (), "output")

    def points(scene):
        return 72 * inches(scene)[0] / (draw(scene).get_xlim()[1] - 0.1)

    assert points(cells_of(4, 4, "1")) == points(cells_of(12, 4, "1")) > points(cells_of(20, 4, "1"))
    # but not too small
    assert points(cells_of(20, 4, "1")) > points(cells_of(60, 4, "1")) == points(cells_of(80, 4, "1"))
    for drawn in (cells_of(4, 4, "1"), cells_of(4, 4, "0.0625"), cells_of(4, 33, "0.0625"), cells_of(60, 4, "1234")):
        text = draw(drawn).texts[1]
        assert 0.6 * text.get_fontsize() * len(text.get_text()) < points(drawn)
