"""What the side road on single gradients claims."""

from __future__ import annotations

import numpy as np

from tests.lessons.claims import claim


@claim("We compute it for 24 crops, one by one", "At first all crops want about the same")
@claim("some gradients hardly go with the others")
def test_directions(lesson):
    assert len(lesson.at_first) == len(lesson.later) == 24
    assert lesson.at_first.min() > 0.6 and lesson.later.min() < 0.5


@claim("1 − 0.99¹⁰⁰ = 0.63.", "With momentum 0.99, which part of all that counts do the last 100 gradients make")
def test_the_last_hundred(lesson):
    (asked,) = lesson.guesses.values()
    assert asked.numbers == [63]
    powers = 0.99 ** np.arange(3000)
    assert np.isclose(powers.sum(), 100) and round(powers[:100].sum() / 100, 2) == 0.63
    assert 0.99**200 > 0.1 and 0.9**40 < 0.02


@claim(
    "PyTorch's SGD gets the same gradient, 2, again and again", "In the end it is 100 times learning rate · gradient."
)
def test_long_steps(lesson):
    assert np.isclose(lesson.moved, 100 * 0.001 * 2, rtol=1e-3)


@claim("1 / (1 − 0.9) = 10, and 1 / (1 − 0.99) = 100.", "from 0.9 to 0.99")
def test_ten_times(lesson):
    assert np.isclose(1 / (1 - 0.9), 10) and np.isclose(1 / (1 - 0.99), 100)
