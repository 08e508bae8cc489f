"""The small U at the head of each lesson."""

import pytest
from matplotlib.text import Text

from tests.library.drawings import (
    expect_legible_on_white_whole_and_not_too_wide,
    expect_the_same_twice,
    texts,
)
from tests.notebooks.execute import notebooks
from unet_edu.figures import here, you_are_here


@pytest.mark.parametrize("lesson", here.LESSONS)
def test_each_lesson_has_one_with_its_part_lit(lesson):
    shown = you_are_here(lesson)
    assert here.LESSONS[lesson].sentence in shown.words and shown.words.count(". ") >= 1
    assert shown.values["lit"] == [part in here.LESSONS[lesson].parts for part in here.PARTS]
    assert here.LESSONS[lesson].sentence.startswith("After this lesson you can ")
    expect_the_same_twice(lambda: you_are_here(lesson).figure)
    expect_legible_on_white_whole_and_not_too_wide(shown.figure)


@pytest.mark.parametrize("lesson", here.LESSONS)
def test_no_words_run_into_each_other_or_out_of_the_picture(lesson):
    figure = you_are_here(lesson).figure
    figure.canvas.draw()
    frames = [text.get_window_extent() for text in texts(figure)]
    for number, frame in enumerate(frames):
        assert not any(frame.overlaps(other) for other in frames[:number])
        assert frame.x0 > 5 and frame.x1 < figure.bbox.x1 - 5
    said = " ".join(text.get_text().replace("\n", " ") for text in figure.findobj(Text))
    assert here.LESSONS[lesson].sentence in said and f"lesson {lesson}" in said


def test_the_table_has_every_lesson_and_uses_every_part():
    lessons = [path.stem[:2] for path in notebooks("course") if path.parent.name == "course"]
    assert list(here.LESSONS) == [number for number in lessons if number in here.LESSONS]
    assert {part for lit in here.LESSONS.values() for part in lit.parts} == set(here.PARTS)
    assert len({one.sentence for one in here.LESSONS.values()}) == len(here.LESSONS)


def test_what_was_built_stays_built():
    known = set()
    for lesson in list(here.LESSONS)[1:]:
        states = here.states_of(lesson)
        assert {part for part, state in states.items() if state != "later"} >= known
        known |= set(here.LESSONS[lesson].parts)
    assert known == set(here.PARTS)


def test_lesson_00_has_built_nothing_before():
    assert set(here.states_of("00").values()) == {"today", "later"}
    assert set(here.states_of("01").values()) == {"today", "later"}


def test_a_lesson_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="lesson: expected one of 00, 01, .*, got '2'"):
        you_are_here("2")
