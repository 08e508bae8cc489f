"""What the side road claims that measures how far an output pixel of the U-Net sees."""

from tests.lessons.claims import claim
from unet_edu.convolution import receptive_field as stack_sees
from unet_edu.unet import UNet, receptive_field


@claim("A place at the bottom of the U sees 140 pixels per side.")
@claim("A place at the bottom sees 140 pixels per side. Does an output pixel see more or fewer?")
def test_the_bottom():
    assert stack_sees([(3,), (3,), (2, 2)] * 4 + [(3,), (3,)]).size == 140


@claim("The image is noise of 236×236 pixels.")
@claim("All weights are positive, so that no ReLU hides a pixel.")
@claim("in the 16×16 blocks of the poolings it lies. So 4 of 16 rows see 188 pixels, and the other 12 see 204.")
def test_two_answers(lesson):
    assert lesson.noise.shape == (1, 1, 236, 236) and all((weight > 0).all() for weight in lesson.thin.parameters())
    assert all(rows == columns for rows, columns in lesson.squares)
    assert {*lesson.sides} == {*receptive_field(UNet())} == {188, 204}
    assert len(lesson.sides) == 16 == 2**4 and lesson.sides.count(188) == 4 and lesson.sides.count(204) == 12


@claim("The middle counts most.")
@claim("We add up four networks with the usual random weights, and four scores of each.")
def test_the_middle_counts_most(lesson):
    first, last = lesson.first, lesson.last
    assert lesson.total[:first].sum() == lesson.total[last + 1 :].sum() == 0
    assert lesson.near > 2 * 63**2 / (last - first + 1) ** 2
