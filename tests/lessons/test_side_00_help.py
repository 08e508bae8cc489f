"""What the side road with help claims."""

from tests.lessons.claims import claim


@claim("The next cells look whether they work, and say what to do where something is missing.")
def test_all_is_there(lesson):
    assert lesson.printed.count(": yes") == 5 and ": no" not in lesson.printed
    assert not lesson.works("unet_edu", "a_package_that_nobody_has")
