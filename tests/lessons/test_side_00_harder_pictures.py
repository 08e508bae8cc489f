"""What the side road on harder pictures claims."""

import numpy as np
from scipy import ndimage

from tests.lessons.claims import claim


@claim("At 0.35 and at 0.45 it is one piece, the cell. But how large the cell is depends on the number that you choose")
def test_the_cell(lesson):
    sizes = [int((lesson.cell > threshold).sum()) for threshold in (0.35, 0.45, 0.55)]
    assert all(ndimage.label(lesson.cell > threshold)[1] == 1 for threshold in (0.35, 0.45, 0.55))
    assert sizes == sorted(sizes, reverse=True) and sizes[0] > 1.05 * sizes[1]
    assert lesson.pieces[0] > 1 and lesson.pieces[1:] == [1, 1]


@claim("nearly every marked pixel is more red than blue")
def test_the_brown(lesson):
    brown = [np.mean(lesson.tissue[mask, 0] > lesson.tissue[mask, 2]) for mask in lesson.masks.values()]
    assert min(brown) > 0.8


@claim("look at the square, where you see many and the mask has almost none")
def test_the_square(lesson):
    assert lesson.in_gland.mean() < 0.05
    assert lesson.blue.mean() > 0.15
    sizes = np.bincount(ndimage.label(lesson.blue)[0].ravel())[1:]
    assert sizes.max() > 0.1 * lesson.blue.sum()


@claim("Like the threshold it marks much of the brown stain and less of the blue.")
def test_the_network_fails(lesson):
    assert lesson.on_tissue[~lesson.blue].mean() > 1.5 * lesson.on_tissue[lesson.blue].mean()
