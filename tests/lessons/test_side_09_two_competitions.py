"""What the side road claims of the Data Science Bowl and of Carvana."""

import numpy as np
from scipy import ndimage

from tests.lessons.claims import claim
from unet_edu.metrics import confusion_matrix, dice

# Caicedo and others (2019), table 1: https://doi.org/10.1038/s41592-019-0612-7
REPORT = {"teams": 3891, "networks of the winner": 32, "extra": (14.55, 15.04, 10.90, 39.55)}
CARVANA = {"teams": 735, "first": 0.99733, "size": (1280, 1918)}


@claim("3,891 teams took part.", "The winner was an average of 32 networks.")
@claim("In third place stands *one* network of another family", "It added the fewest false nuclei of these four.")
def test_the_bowl(lesson):
    assert REPORT["teams"] == 3891 and REPORT["networks of the winner"] == 32
    assert lesson.bowl["1. [ods.ai] topcoders"][0].startswith("32 ×")
    assert tuple(row[3] for row in lesson.bowl.values()) == REPORT["extra"]
    assert min(lesson.bowl, key=lambda name: lesson.bowl[name][3]) == "3. Deep Retina"
    assert list(lesson.bowl) == sorted(lesson.bowl, key=lambda name: -lesson.bowl[name][1])


@claim("a photograph from a studio, 1918×1280 pixels", "735 teams took part.")
@claim("Only 0.99733 was enough for the first place", "How good is 0.99733?")
@claim("an ellipse of 1200×520 pixels.")
@claim("The best of 735 teams was as far from the truth as one pixel along the outline of a large car.")
def test_the_car(lesson):
    assert lesson.car.shape == CARVANA["size"]
    tall, wide = (np.ptp(np.nonzero(lesson.car)[axis]) + 1 for axis in (0, 1))
    assert abs(tall - 520) <= 2 and abs(wide - 1200) <= 2
    assert abs(dice(lesson.of_the_car)[1] - CARVANA["first"]) < 0.001


@claim("The same pixel all around a small cell, 20 pixels wide, costs far more:")
def test_the_cell(lesson):
    assert np.ptp(np.nonzero(lesson.small_cell)[0]) + 1 in (19, 20, 21) and dice(lesson.of_the_cell)[1] < 0.95
    grown = ndimage.binary_dilation(lesson.small_cell)
    assert np.array_equal(lesson.of_the_cell, confusion_matrix(grown, lesson.small_cell, 2))
