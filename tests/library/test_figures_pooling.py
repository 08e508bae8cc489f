"""What lesson 05's picture of two networks shows."""

import pytest
from matplotlib.patches import Rectangle

from unet_edu.figures.pooling import Design, crossings

LEVELS = ["top", "middle", "bottom"]
DESIGNS = [
    Design("thin", "down", "up", ["a", "b"], is_light=True),
    Design("thick", "down", "up again", ["c", "d"], is_light=False),
]


def parts(figure):
    (axes,) = figure.axes
    boxes = [patch.get_bbox() for patch in axes.patches if isinstance(patch, Rectangle)]
    words = [text for text in axes.texts if text.get_text()]
    arrows = [text for text in axes.texts if not text.get_text()]
    return boxes, words, arrows


def test_each_level_but_the_lowest_has_two_boxes_and_a_crossing():
    boxes, words, arrows = parts(crossings(LEVELS, *DESIGNS))
    assert len(boxes) == 2 * 5 and len(arrows) == 2 * (2 + 4)
    said = [text.get_text() for text in words]
    assert all(said.count(word) == 1 for word in ("a", "b", "c", "d", "up", "up again", "thin", "thick"))
    assert said.count("top") == said.count("middle") == 4 and said.count("bottom") == 2


def test_nothing_overlaps():
    boxes, _, arrows = parts(crossings(LEVELS, *DESIGNS))
    for n, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:n])
    level = [arrow for arrow in arrows if arrow.xy[1] == arrow.xyann[1]]
    upright = [arrow for arrow in arrows if arrow.xy[0] == arrow.xyann[0]]
    assert len(level) == 4 and len(upright) == 8
    assert all(arrow.xy[0] > arrow.xyann[0] for arrow in level)  # from the way down to the way up


def test_words_stay_clear_of_the_title_and_of_the_boxes():
    figure = crossings(
        LEVELS, Design("title", "max pool", "transposed\nconvolution", ["feature maps\n16.8 MB"] * 2, False)
    )
    figure.canvas.draw()
    boxes, words, _ = parts(figure)
    (axes,) = figure.axes
    frames = [text.get_window_extent() for text in words]
    for n, frame in enumerate(frames):
        assert not any(frame.overlaps(other) for other in frames[:n]), words[n].get_text()
    inside = set(LEVELS)
    for text, frame in zip(words, frames, strict=True):
        hits = [box for box in boxes if frame.overlaps(box.transformed(axes.transData))]
        assert len(hits) == (text.get_text() in inside), text.get_text()


def test_a_crossing_too_few_is_named():
    with pytest.raises(ValueError, match="across: expected 2 texts, one a level but the lowest, got 1"):
        crossings(LEVELS, Design("", "", "", ["a"], True))


def test_arrows_down_and_up_begin_and_end_at_boxes():
    boxes, _, arrows = parts(
        crossings(["top", "one", "two", "bottom"], Design("title", "down", "up", ["x", "y", "z"], True))
    )
    edges = [(box.y0, box.y1) for box in boxes]
    upright = [arrow for arrow in arrows if arrow.xy[0] == arrow.xyann[0]]
    assert len(upright) == 6
    for arrow in upright:
        for x, y in (arrow.xy, arrow.xyann):
            assert any(box.x0 <= x <= box.x1 and y in edge for box, edge in zip(boxes, edges, strict=True))
