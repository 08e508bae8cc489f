"""What the side road claims of pairs of pixels, and of truths that bend."""

import numpy as np

from tests.lessons.claims import claim
from unet_edu.instances import pixel_error, rand_error, splits_and_merges, warping_error


@claim("Two cells, and a membrane of one pixel; four predictions with one fault each.")
@claim("So *thick* costs something here, too")
def test_the_faults(lesson):
    assert len(lesson.faults) == 4 and len(lesson.inside) == 40
    assert rand_error(lesson.faults["thick"], lesson.tissue) > 0
    assert pixel_error(lesson.faults["thick"], lesson.tissue) > pixel_error(lesson.faults["gap"], lesson.tissue)


@claim("The next cell counts the pairs of *gap*, one by one.")
def test_the_pairs(lesson):
    assert len(lesson.pairs) == 40 * 39 // 2 == 780 and lesson.together == (380, 780, 380)
    assert np.isclose(lesson.counted, rand_error(lesson.faults["gap"], lesson.tissue))


@claim(
    "Above, the truth has become the shifted wall exactly. Below, the extra wall has grown in until one pixel is left.",
)
def test_the_truth_bends(lesson):
    assert np.array_equal(lesson.towards["shifted"], lesson.faults["shifted"])
    assert lesson.splits.sum() == 1 and not lesson.merges.any()
    assert warping_error(lesson.faults["shifted"], lesson.tissue) == 0


@claim("A false wall of five pixels costs one pixel of warping error. What does a missing wall of five pixels cost?")
@claim("So the two kinds of fault do not weigh the same")
def test_a_missing_wall(lesson):
    splits, merges = splits_and_merges(lesson.no_wall, lesson.tissue)
    assert (splits.sum(), merges.sum()) == (0, 5) and next(iter(lesson.guesses.values())).numbers == [5]
    assert (lesson.faults["extra"] != lesson.tissue).sum() == 5


@claim("The U-Net's 0.000353 are about 93 such pixels in each slice of 512×512.")
def test_the_papers_warping_error():
    assert round(0.000353 * 512 * 512) == 93


@claim("They went on with a Rand score that thins the borders first, and with a second score that counts information.")
def test_the_rand_score_was_repaired_and_not_given_up(lesson):
    assert "replaced all three" not in lesson.path.read_text()
