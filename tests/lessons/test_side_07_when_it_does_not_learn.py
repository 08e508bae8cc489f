"""What the side road on trainings that fail claims."""

from __future__ import annotations

import numpy as np

from tests.lessons.claims import claim


@claim(
    "The second softmax makes 1 and 0 into 0.73 and 0.27, and −log 0.73 = 0.31. With three classes the floor is 0.55."
)
@claim("the loss falls, then stays at 0.31 or higher")
def test_the_floor(lesson):
    (asked,) = lesson.guesses.values()
    assert asked.numbers == [0.3133] and np.isclose(lesson.floor, np.log(1 + np.exp(-1)))
    assert round(np.e / (1 + np.e), 2) == 0.73 and round(np.log(1 + 2 * np.exp(-1)), 2) == 0.55


@claim("The answers with two softmaxes need not look bad: this fault shows in the loss, which stays above its floor.")
@claim("One is healthy; each of the others has one fault, and no error is raised.", "the loss never falls much")
def test_the_three_runs(lesson):
    last = {name: np.mean(losses[-10:]) for name, (losses, _) in lesson.short.items()}
    assert last["softmax twice"] > last["healthy"] + 0.1 and last["labels of another crop"] > last["healthy"] + 0.2
    assert min(lesson.short["softmax twice"][0]) > lesson.floor


@claim("SGD, momentum 0.99, and a learning rate of 100.", "`fit` stops and says so")
def test_too_long_steps(lesson):
    assert lesson.said != "nothing" and lesson.said in lesson.printed
