"""What the side road claims of thresholds, averaging, tidying and growing."""

import numpy as np

from tests.lessons.claims import claim


@claim("We ask the small U-Net for its probabilities on sixteen new pictures, eight of each of two looks.")
@claim("with the first half we choose, with the second we score.")
def test_the_halves(lesson):
    assert len(lesson.pictures) == 16 and sorted(lesson.half + lesson.others) == list(range(16))
    assert [n // 8 for n in lesson.half] == [0] * 4 + [1] * 4


@claim("A low threshold fills the cells to their rims, and closes the gaps. Pixels like that, cells do not.")
@claim("Between 0.3 and 0.7 SEG is nearly level")
@claim("by luck they are easier.")
def test_two_thresholds(lesson):
    levels, pixels, cells = lesson.levels, lesson.pixels, lesson.cells
    assert next(iter(lesson.guesses.values())).answer == "no" and levels[pixels.argmax()] < levels[cells.argmax()]
    assert np.ptp(cells[(levels >= 0.3) & (levels <= 0.7)]) < 0.03
    assert cells[pixels.argmax()] < cells.max() - 0.05 and 0.02 < lesson.scored[lesson.best] - cells.max() < 0.1


@claim("`predict_turned` takes all eight turns and mirror images.")
@claim("Here the gains are small, and a high threshold with growing even costs")
def test_three_more_steps(lesson):
    once, eight = lesson.tried.values()
    assert abs(eight[0] - once[0]) < 0.03 and abs(once[1] - once[0]) < 0.02
    assert all(grown < tidy - 0.02 for _, tidy, grown in (once, eight))
