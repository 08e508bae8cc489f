"""The pictures of lesson 04 show the numbers they are given, mark what they say they mark, and cut nothing off."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from unet_edu.convolution import conv2d
from unet_edu.explore.picture import figure_png
from unet_edu.figures import transposed
from unet_edu.figures.palette import INK, PAPER, ROLES
from unet_edu.figures.shown import Shown
from unet_edu.figures.transposed import overlaps, patterns, product
from unet_edu.matrix import conv2d_matrix
from unet_edu.transposed import overlap_count

X = np.array([[4, 5, 8, 7], [1, 8, 8, 8], [3, 6, 6, 4], [6, 5, 7, 8]])
W = np.array([[1, 4, 1], [1, 4, 3], [3, 3, -1]])
A = conv2d_matrix(W, (4, 4))
TITLES = ("A, 4 × 16", "x, 16 × 1", "A x, 4 × 1")


def words(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def squares(figure, **like):
    """The rectangles with a face or an edge of this colour."""
    return [
        patch
        for patch in figure.axes[0].patches
        if isinstance(patch, Rectangle)
        and all(
            to_hex(getattr(patch, f"get_{part}")()).lower() == colour.lower()
            and (part != "facecolor" or patch.get_fill())
            for part, colour in like.items()
        )
    ]


def test_product_shows_matrix_column_and_result():
    figure = product(A, X.ravel(), TITLES, row=1)
    shown = words(figure)
    assert [text for text in shown if text in TITLES] == list(TITLES)
    numbers = [int(text.replace("−", "-")) for text in shown if text.lstrip("−").isdigit()]
    assert numbers == [*A.ravel(), *X.ravel(), *(A @ X.ravel())]
    assert len(squares(figure, facecolor=ROLES["kernel"].fill)) == np.count_nonzero(A) == 36
    assert len(squares(figure, facecolor=PAPER)) == 64 - 36  # the zeros of the matrix, and no others
    assert len(squares(figure, edgecolor=INK)) == 2  # the row and what it makes


def test_product_keeps_the_zeros_of_columns_coloured():
    figure = product(A, np.zeros(16, int), TITLES)
    assert len(squares(figure, facecolor=ROLES["input"].fill)) == 16
    assert len(squares(figure, facecolor=ROLES["output"].fill)) == 4
    assert not squares(figure, edgecolor=INK)


def test_patterns_draw_one_square_for_each_weight():
    matrices = {"one": A, "two": conv2d_matrix(W, (5, 7), stride=2, padding=1)}
    figure = patterns(matrices)
    assert words(figure) == list(matrices)
    expected = sum(np.count_nonzero(matrix) for matrix in matrices.values())
    assert len(squares(figure, facecolor=ROLES["kernel"].line)) == expected


@pytest.mark.parametrize(
    ("kernel", "stride", "uneven"), [(3, 2, 4), (4, 2, 0), (2, 2, 0), (1, 1, 0), (5, 3, 6), (2, 3, 8)]
)
def test_overlaps_counts_stamps_and_frames_where_they_differ(kernel, stride, uneven):
    figure = overlaps([(kernel, stride)])
    counts = overlap_count(5, kernel, stride)
    assert [int(text) for text in words(figure) if text.isdigit()] == counts.tolist()
    assert len(squares(figure, facecolor=ROLES["kernel"].fill)) == 5  # the stamps
    framed = squares(figure, edgecolor=ROLES["error"].line)
    assert len(framed) == uneven


SMALL = np.array([[2, 1], [4, 4]])
RNG = np.random.default_rng(0)
# what each picture shows, and words that a reader who does not see it must get
SHOWN = {
    "opening": (transposed.opening(RNG.random((8, 8)), RNG.normal(size=(16, 16))), "regular pattern"),
    "two_directions": (transposed.two_directions(X, W), "110, 140, 112, 118"),
    "forwards": (transposed.forwards(A, X, row=1), "Row 1 is framed"),
    "backwards": (transposed.backwards(A, SMALL, row=5), "4·2 + 1·1 + 4·4 + 1·4 = 29"),
    "where_weights_stand": (transposed.where_weights_stand({"small": A}), "4×16, with 36 weights"),
    "printed_table": (transposed.printed_table(A), "1 4 1 0"),
    "connection_sums": (transposed.connection_sums(A, X, SMALL), f"{(SMALL.ravel() @ A) @ X.ravel()}"),
    "round_trip": (transposed.round_trip(X, 10 * X), "from 10 to 80"),
    "same_output": (transposed.same_output(X, X + np.eye(4, dtype=int), W), "differ in 4 of 16"),
    "by_zeros": (transposed.by_zeros(SMALL, W, stride=2), "7×7 grid of zeros, 2 places apart"),
    "two_ways_back": (transposed.two_ways_back(SMALL, np.linalg.pinv(A), A), "pseudo-inverse"),
    "two_kernels": (transposed.two_kernels(np.eye(8), np.eye(8) / 2), "differ by at most 0.50"),
    "two_sizes": (transposed.two_sizes(X, X[:3, :3], X), "only 3×3"),
    "uncovered": (transposed.uncovered(SMALL, W), "framed, on the right 4×4"),
    "counts_of_stamps": (transposed.counts_of_stamps([(3, 2), (4, 2)]), "1 1 2 1 2 1 2 1 2 1 1"),
    "new_layers": (
        transposed.new_layers({"one": RNG.normal(size=(30, 30)), "two": np.ones((30, 30))}),
        "two: flat, from 1.00 to 1.00",
    ),
    "learning": (transposed.learning(1 / np.arange(1, 50), {"rule": 0.1}, first=9), "0.1 at step 9"),
    "enlarged": (
        transposed.enlarged({"original": np.ones((20, 20)), "rule": np.zeros((20, 20))}, (2, 2, 10, 10)),
        "rule 255.0",
    ),
    "blocks": (transposed.blocks(SMALL, W[:2, :2]), "4 blocks"),
}


PHOTOGRAPHS = ("opening", "new_layers", "learning", "enlarged")  # and curves: their words stand in many axes


@pytest.mark.parametrize("name", SHOWN)
def test_each_picture_has_its_words(name):
    shown, words = SHOWN[name]
    assert isinstance(shown, Shown) and words in shown.words
    shown.figure.canvas.draw()
    assert shown.figure.get_size_inches()[0] <= 10.01


def test_no_picture_is_forgotten():
    assert {*SHOWN} == {*transposed.__all__} - {"overlaps", "patterns", "product"}


def test_one_pixel_goes_into_each_output_by_its_weight():
    impulse = np.zeros((4, 4), int)
    impulse[1, 1] = 1
    assert np.array_equal(SHOWN["two_directions"][0].values["weights"], conv2d(impulse, W))


def test_the_sums_of_the_connections_stand_beside_them():
    figure = SHOWN["connection_sums"][0].figure
    terms = SMALL.ravel()[:, None] * A * X.ravel()
    expected = [*terms.ravel(), *terms.sum(axis=1), *terms.sum(axis=0), terms.sum()]
    assert [int(text.replace("−", "-")) for text in words(figure) if text.lstrip("−").isdigit()] == expected


@pytest.mark.parametrize(
    "figure",
    [
        *(
            shown.figure
            for name, (shown, _) in SHOWN.items()
            if name not in ("opening", "new_layers", "learning", "enlarged")
        ),
        product(A, X.ravel(), TITLES),
        product(A.T, np.array([2, 1, 4, 4]), ("Aᵀ, 16 × 4", "y, 4 × 1", "Aᵀ y, 16 × 1"), row=5),
        patterns({"image 5 × 7, kernel 3 × 3": conv2d_matrix(W, (5, 7)), "small": A}),
        overlaps([(3, 2), (4, 2), (2, 2)]),
    ],
)
def test_nothing_is_cut_off_or_too_small(figure):
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    width, height = canvas.get_width_height()
    assert width <= 1001
    checked = 0
    for text in figure.findobj(Text):
        if text.get_text() and text.get_visible() and text in figure.axes[0].texts:
            box = text.get_window_extent()
            assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height, text.get_text()
            assert text.get_fontsize() >= 8
            checked += 1
    assert checked
    assert figure_png(figure) == figure_png(figure)
