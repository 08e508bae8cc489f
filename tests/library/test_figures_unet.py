"""What the pictures of lesson 06 show: the U lies where it should, and nothing covers anything."""

import numpy as np
import pytest
from matplotlib.patches import Rectangle

from unet_edu.figures.palette import INK
from unet_edu.figures.unet import HEIGHT, LEAST, Map, bars, block_names, draw, lay_out
from unet_edu.unet import UNet, layer_table

SIZES = {1: 20, 2: 60, 3: 92, 4: 572}


def maps_of(depth, size, skip="concat"):
    table = layer_table(UNet(widths=tuple(2 ** (level + 1) for level in range(depth + 1)), skip=skip), size)
    return {"input": Map(1, size)} | {layer.name: Map(layer.shape[0], layer.shape[1]) for layer in table}


@pytest.fixture(params=SIZES)
def drawing(request):
    return request.param, lay_out(request.param, maps_of(request.param, SIZES[request.param]))


@pytest.mark.parametrize("depth", SIZES)
@pytest.mark.parametrize("skip", ["concat", "none"])
def test_blocks_are_the_layers_of_the_network(depth, skip):
    names = block_names(depth, copies=skip != "none")
    table = layer_table(UNet(widths=(2,) * (depth + 1), skip=skip), SIZES[depth])
    layers = [layer.name for layer in table]
    assert names[0] == "input"
    if skip != "none":
        assert names[1:] == layers
    else:  # the join hands on what comes from below
        assert names[1:] == [name for name in layers if not name.startswith("join")]


def test_numbers_stand_at_their_blocks(drawing):
    depth, drawn = drawing
    maps = maps_of(depth, SIZES[depth])
    for block in drawn.blocks:
        if not block.name.startswith("up"):  # written once, at the copy beside it
            assert (block.above, block.below) == (str(maps[block.name].channels), str(maps[block.name].side))
        assert LEAST <= block.height and block.is_reached


def test_no_block_lies_on_another_and_all_are_on_the_page(drawing):
    _, drawn = drawing
    for n, block in enumerate(drawn.blocks):
        assert block.x >= 0 and block.x + block.width <= drawn.width
        assert block.y >= 0 and block.y + block.height <= drawn.height
        for other in drawn.blocks[:n]:
            beside = block.x >= other.x + other.width - 1e-9 or other.x >= block.x + block.width - 1e-9
            above = block.y >= other.y + other.height or other.y >= block.y + block.height
            assert beside or above, (block.name, other.name)


def test_a_larger_image_is_a_higher_block(drawing):
    depth, drawn = drawing
    maps = maps_of(depth, SIZES[depth])
    by_side = sorted(drawn.blocks, key=lambda block: maps[block.name].side)
    assert [block.height for block in by_side] == sorted(block.height for block in by_side)


def test_it_is_a_u(drawing):
    """Poolings lead straight down, steps up straight up, copies straight across."""
    depth, drawn = drawing
    kinds = [arrow.kind for arrow in drawn.arrows]
    assert kinds.count("pool") == kinds.count("up") == kinds.count("copy") == depth
    assert kinds.count("convolution") == 2 * (2 * depth + 1) and kinds.count("head") == 1
    for arrow in drawn.arrows:
        (x1, y1), (x2, y2) = arrow.start, arrow.end
        if arrow.kind == "pool":
            assert x1 == x2 and y2 > y1
        elif arrow.kind == "up":
            assert x1 == pytest.approx(x2, abs=20) and y2 < y1  # the block above has two halves
        else:
            assert y1 == pytest.approx(y2, abs=10) and x2 > x1


def test_crops_are_drawn_to_scale(drawing):
    depth, drawn = drawing
    maps = maps_of(depth, SIZES[depth])
    assert len(drawn.crops) == depth
    for step, crop in enumerate(drawn.crops):
        whole, kept = maps[f"contracting.{depth - 1 - step}.2"].side, maps[f"up.{step}"].side
        assert crop.kept / crop.side == pytest.approx(kept / whole)
        assert crop.label == f"−{(whole - kept) // 2} a side"
        copy = drawn.block(f"join.{step}")
        assert crop.x + crop.side < copy.x, "between the two blocks"
        assert crop.x > drawn.block(f"contracting.{depth - 1 - step}.2").x


def test_the_papers_crops():
    drawn = lay_out(4, maps_of(4, 572))
    assert [crop.label for crop in drawn.crops] == ["−4 a side", "−16 a side", "−40 a side", "−88 a side"]


def test_the_frame_stays_while_the_size_changes():
    """What a slider changes must not make the page jump."""
    legal = lay_out(4, maps_of(4, 572))
    stuck = lay_out(4, {name: Map(map.channels, None) for name, map in maps_of(4, 572).items()} | {"input": Map(1, 3)})
    assert legal.height == stuck.height
    for block in legal.blocks:
        assert stuck.block(block.name).x == block.x


def test_the_frame_stays_while_the_depth_changes():
    drawn = [lay_out(depth, maps_of(depth, size)) for depth, size in SIZES.items()]
    assert len({(one.width, one.height) for one in drawn}) == 1
    for depth, one in zip(SIZES, drawn, strict=True):
        lowest = one.block(f"contracting.{depth}.0")
        assert lowest.y + lowest.height == pytest.approx(HEIGHT, abs=20), "the U fills the frame"


def test_where_the_image_gets_stuck_is_marked():
    maps = maps_of(4, 572)
    reached = {"input": 570, "contracting.0.0": 568, "contracting.0.2": 566, "pool.0": 283, "contracting.1.0": 281}
    reached["contracting.1.2"] = 279
    stuck = {name: Map(map.channels, reached.get(name)) for name, map in maps.items()}
    drawn = lay_out(4, stuck, failing="pool.1")
    assert drawn.failure[2] == "279 is odd ✗"
    (failing,) = [arrow for arrow in drawn.arrows if arrow.is_failure]
    assert failing.kind == "pool" and not failing.is_reached
    assert failing.start[1] < drawn.failure[1] < failing.end[1] and drawn.failure[0] < failing.start[0]
    assert {block.name for block in drawn.blocks if block.is_reached} == set(reached)
    assert drawn.crops == ()
    for block in drawn.blocks:
        assert block.is_reached or block.below == ""
    assert lay_out(4, stuck | {"input": Map(1, 5)}, failing="contracting.1.0").failure[2] == "nothing is left ✗"


def test_a_network_without_copies_has_none():
    drawn = lay_out(2, maps_of(2, 60, skip="none"), copies=False)
    assert not drawn.crops and "copy" not in {arrow.kind for arrow in drawn.arrows}
    assert "copy" not in {arrow.kind for arrow, _ in drawn.legend} and len(drawn.legend) == 4
    assert drawn.block("up.0").above == "4", "its channels stand at the whole block"


def test_the_still_picture_has_it_all(drawing):
    depth, drawn = drawing
    figure = draw(drawn, "pool.0", ["one", "two"])
    (axes,) = figure.axes
    edges = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    assert len(edges) == len(drawn.blocks) + 2 * depth
    assert sum(patch.get_linewidth() == 3.0 for patch in edges) == 1
    said = [text.get_text() for text in axes.texts]
    for words in ("one", "two", "2×2 max pooling", f"level {depth}, the bottom", "level 0"):
        assert said.count(words) == 1
    assert figure.get_size_inches()[1] < 8


def test_words_stay_clear_of_each_other(drawing):
    _, drawn = drawing
    figure = draw(drawn, "input")
    figure.canvas.draw()
    (axes,) = figure.axes
    words = [text for text in axes.texts if text.get_text()]
    frames = [text.get_window_extent() for text in words]
    page = figure.bbox
    for n, frame in enumerate(frames):
        assert frame.x0 >= page.x0 and frame.x1 <= page.x1, words[n].get_text()
        for m, other in enumerate(frames[:n]):
            assert not frame.overlaps(other), (words[n].get_text(), words[m].get_text())


def test_bars_are_as_long_as_their_numbers():
    groups = {"a": {"x": 1.0, "y": 2.0}, "b": {"x": 3.0, "y": 0.0}}
    figure = bars(groups, "MB", "a title")
    (axes,) = figure.axes
    lengths = np.array([[patch.get_width() for patch in container] for container in axes.containers]).T
    np.testing.assert_array_equal(lengths, [[1, 2], [3, 0]])
    starts = np.array([[patch.get_x() for patch in container] for container in axes.containers]).T
    np.testing.assert_array_equal(starts, [[0, 1], [0, 3]])
    assert [text.get_text() for text in axes.texts] == [" 3 MB", " 3 MB"]
    assert {patch.get_hatch() for patch in axes.patches} > {"//"}, "told apart without colours too"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["x", "y"]
    assert all(text.get_color() == INK for text in axes.texts)
