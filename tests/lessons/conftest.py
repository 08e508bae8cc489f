"""The lesson that a file of claims belongs to."""

from __future__ import annotations

import pytest

from tests.lessons.claims import Lesson, missing, parts, path_of, run


@pytest.fixture(scope="module")
def lesson(request: pytest.FixtureRequest) -> Lesson:
    """The names that the lesson leaves. It is run once for all claims of a file."""
    return run(path_of(request.path))


@pytest.fixture(autouse=True)
def _words_are_in_the_lesson(request: pytest.FixtureRequest) -> None:
    claims = getattr(request.function, "claims", ())
    gone = missing(list(claims), parts(path_of(request.path))) if claims else []
    assert not gone, f"these words are not in the lesson: {gone}"
