"""What lesson 05's pictures show."""

from itertools import pairwise

import numpy as np
import pytest
from matplotlib.patches import Rectangle

from unet_edu.figures import pooling
from unet_edu.figures.pooling import Design, crossings
from unet_edu.pooling import max_pool2d, max_unpool2d

X = np.array([[3, -2, 7, 4], [-1, 9, 0, 5], [2, 1, -3, 6], [8, -4, 5, 10]])
Z = np.array([[1, 2], [3, 4]])
INDICES = np.array([[5, 2], [12, 15]])
PHOTO = np.random.default_rng(2015).random((27, 40))

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
    with pytest.raises(ValueError, match="across: expected 2 texts, one for each level but the lowest, got 1"):
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


# ------------------------------------------------------------------------------------------------- one call a picture


def written(shown):
    """All numbers that stand in cells."""
    return [text.get_text().replace("−", "-") for axes in shown.figure.axes for text in axes.texts]


def drawn(shown):
    """The images, in the order in which they stand, with their titles."""
    return [(axes.get_title(), axes.images[0].get_array()) for axes in shown.figure.axes if axes.images]


def test_a_grid_has_its_numbers_in_the_picture_and_in_the_words():
    shown = pooling.grid(X, "image x")
    assert written(shown) == [*map(str, X.ravel()), "image x"]
    assert shown.words == (
        "An image of 4 by 4 pixels, called “image x”. Its rows are 3, −2, 7 and 4; −1, 9, 0 and 5; 2, 1, −3 and 6; "
        "8, −4, 5 and 10."
    )


def test_windows_of_a_grid_are_outlined_and_named():
    plain, cut = pooling.grid(X, "image x"), pooling.grid(X, "image x", window=2)
    assert len(cut.figure.axes[0].lines) == len(plain.figure.axes[0].lines) + 2
    assert cut.words == plain.words + " Thick lines cut it into windows of 2 by 2."


def test_what_is_remembered_and_where_it_goes_back_to():
    shown = pooling.remembered(X)
    assert np.array_equal(shown.values["indices"], INDICES) and np.array_equal(shown.values["y"], [[9, 7], [8, 10]])
    assert "places 5, 2, 12 and 15" in shown.words and "maxima 9, 7, 8 and 10" in shown.words
    back = pooling.put_back(Z, INDICES, (4, 4))
    assert np.array_equal(back.values["unpooled"], max_unpool2d(Z, INDICES, (4, 4)))
    assert "The numbers 1, 2, 3 and 4 go to the places 5, 2, 12 and 15 of an image of 4 by 4." in back.words


def test_a_selection_is_a_matrix_of_single_ones():
    shown = pooling.selection(X)
    assert np.argwhere(shown.values["S"]).tolist() == [[0, 5], [1, 2], [2, 12], [3, 15]]
    assert "columns 5, 2, 12 and 15" in shown.words and "it gives 9, 7, 8 and 10" in shown.words


def test_a_gradient_is_written_beside_its_image_and_small_errors_are_not_seen():
    gradient = max_unpool2d(Z, INDICES, (4, 4)) + 1e-9
    shown = pooling.nudged(X, gradient)
    assert shown.words.endswith("2 at place 2, 1 at place 5, 3 at place 12, 4 at place 15, and 0 everywhere else.")
    assert [text for text in written(shown) if text in {"1e-9", "-0"}] == []


def test_levels_are_pooled_one_after_the_other():
    titles, images = zip(*drawn(pooling.levels(PHOTO)), strict=True)
    assert titles == tuple(f"{size} pixels" for size in ("27 × 40", "13 × 20", "6 × 10", "3 × 5"))
    for larger, smaller in pairwise(images):
        assert np.array_equal(max_pool2d(larger, 2)[0], smaller)


def test_maximum_and_mean_of_the_same_windows():
    (_, photo), (_, largest), (_, mean) = drawn(pooling.maximum_and_mean(PHOTO, 4))
    assert np.array_equal(photo, PHOTO) and largest.shape == mean.shape == (6, 10) and (largest > mean).all()


def test_there_and_back_keeps_old_values_only():
    first, *backs = drawn(pooling.there_and_back(PHOTO[:24]))
    assert [title for title, _ in backs] == [f"{n} × pooled, {n} × unpooled" for n in (1, 2, 3)]
    for n, (_, back) in enumerate(backs, 1):
        assert np.count_nonzero(back) == (24 >> n) * (40 >> n)
        assert np.array_equal(back[back > 0], first[1][back > 0])


def test_an_outline_comes_back_dotted_or_thick():
    outline = np.zeros((16, 16))
    outline[3:13, 3] = np.linspace(0.5, 1, 10)
    (_, line), (_, small), (_, back), (_, copied) = drawn(pooling.outline_and_back(outline))
    assert small.shape == (4, 4)
    assert back.sum() < line.sum() < copied.sum()
    assert not (back & ~line).any() and not (line & ~copied).any()


def test_a_dot_is_seen_at_every_second_step_and_remembered_at_each():
    shown = pooling.walking_dot(6)
    assert shown.values["pooled"].argmax(axis=1).tolist() == [0, 0, 1, 1, 2, 2]
    assert shown.values["index"].ravel().tolist() == [*range(6)]


def test_gaps_that_are_filled_are_named_from_the_nearest_to_the_farthest():
    ways = {"far": PHOTO + 0.5, "near": PHOTO + 0.1, "the same": PHOTO}
    shown = pooling.filled(PHOTO, ways, (2, 3, 8))
    assert shown.words.endswith("the same, near, far.")
    assert {image.shape for _, image in drawn(shown)} == {(8, 8)} and len(drawn(shown)) == 4


def test_what_crosses_between_two_ways_is_computed():
    shown = pooling.segnet_and_unet((64, 128), side=256)
    assert shown.values["maps"][0] == 64 * 256 * 256 * 4 / 1e6 == 64 * shown.values["bits"][0]
    assert "16.8 megabytes" in shown.words and "0.26 megabytes" in shown.words
