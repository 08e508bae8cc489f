"""What a class is asked to do: an `Assignment` names the exercises, their points, and until when.

The assignments of the course are in `ASSIGNMENTS`. An instructor's own choice of exercises is a file, which
`unet-edu release` writes.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from unet_edu.checks.exercise import Exercise
from unet_edu.lessons import EXERCISES, LESSONS

__all__ = ["ASSIGNMENTS", "Assignment", "load", "naive_utc"]

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")  # it becomes the name of a folder, on any system
MOST_BYTES = 1 << 20  # of an assignment's file; ours have less than 1 kB
MOST_POINTS = 1e6
DAY = timedelta(days=1)
# Two days from the ends of the calendar: there a time can still be brought into any time zone.
FIRST, LAST = (datetime.min + 2 * DAY).replace(tzinfo=UTC), (datetime.max - 2 * DAY).replace(tzinfo=UTC)


@dataclass(frozen=True)
class Assignment:
    """What a class is asked to do.

    Parameters
    ----------
    name : str
        Letters, digits, `_` and `-`. It is also the name of folders, and of the assignment in nbgrader's gradebook.
    points : tuple of (str, float)
        The exercises in the notebook's order, and what each is worth: more than 0.
    set_up : str
        Python that runs before the notebook's first cell.
    due : str
        Date and time with the offset from UTC, as in 2027-01-31T23:59+01:00. Empty: whenever it comes, it is in time.
    late_percent_per_day : float
        How much of the mark is lost with each day that began after `due`, 0 to 100.

    Raises
    ------
    ValueError
        When something is not as said above, or an exercise is not one of the course.
    """

    name: str
    points: tuple[tuple[str, float], ...]
    set_up: str
    due: str = ""
    late_percent_per_day: float = 0.0

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise ValueError(f"name: expected up to 100 letters, digits, _ and -, got {self.name[:120]!r}")
        names = self.names
        if not names or len(set(names)) != len(names):
            raise ValueError(f"points: expected exercises, each once, got {', '.join(names) or 'none'}")
        unknown = [name for name in names if name not in EXERCISES]
        if unknown:
            raise ValueError(f"points: expected exercises of {', '.join(EXERCISES)}; got {', '.join(unknown)}")
        for name, points in self.points:
            if not (math.isfinite(points) and points > 0):
                raise ValueError(f"points of {name}: expected a number above 0, got {points}")
        if not 0 <= self.late_percent_per_day <= 100:
            raise ValueError(f"late_percent_per_day: expected 0 to 100, got {self.late_percent_per_day}")
        if self.late_percent_per_day and not self.due:
            raise ValueError("late_percent_per_day: expected together with due, the time from which it counts")
        if self.due and _time(self.due).tzinfo is None:
            raise ValueError(
                f"due: expected an offset from UTC behind the time, as in 2027-01-31T23:59+01:00, got {self.due}"
            )

    @property
    def names(self) -> list[str]:
        """The exercises' names, in the notebook's order."""
        return [name for name, _ in self.points]

    @property
    def worth(self) -> float:
        """All points together."""
        return sum(points for _, points in self.points)

    def exercises(self) -> tuple[Exercise, ...]:
        """What the library knows about each exercise, in the notebook's order. The points are those of `points`."""
        return tuple(EXERCISES[name] for name in self.names)

    def cell(self, exercise: str) -> str:
        """nbgrader's name (`grade_id`) of the cell that carries the exercise's points."""
        return "check-" + exercise.strip("_").replace("_", "-")

    def days_late(self, submitted: datetime | None) -> int:
        """How many days began between `due` and the submission: one second late is one day. Without a time zone it is
        UTC, as nbgrader writes it."""
        if not self.due or submitted is None:
            return 0
        late = _aware(submitted) - _time(self.due)
        return max(0, -(-late // DAY))  # // rounds down, and this way up

    def lost(self, submitted: datetime | None) -> float:
        """The part of the mark, 0 to 1, that is lost because it came late."""
        return min(1.0, self.days_late(submitted) * self.late_percent_per_day / 100)

    @property
    def fingerprint(self) -> str:
        """Changes when the same notebook may earn other points than before. When only the date changes, it does not."""
        return hashlib.sha256(json.dumps([self.name, self.points, self.set_up]).encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """The assignment as what `json` can write."""
        return {**asdict(self), "points": dict(self.points)}

    @classmethod
    def from_json(cls, data: Any) -> Assignment:
        """The assignment that `to_json` gave, or that a person wrote. ValueError when it is none."""
        kinds: dict[str, type | tuple[type, ...]] = {
            "name": str,
            "points": dict,
            "set_up": str,
            "due": str,
            "late_percent_per_day": (int, float),
        }
        _expect(isinstance(data, dict), f"expected {{…}}, got {type(data).__name__}")
        for key in ("name", "points", "set_up"):
            _expect(key in data, f"{key}: is missing")
        for key, value in data.items():
            _expect(key in kinds, f"expected {', '.join(kinds)}, got {key!r}")
            _expect(isinstance(value, kinds[key]) and not isinstance(value, bool), f"{key}: got {value!r}")
        for name, points in data["points"].items():
            number = isinstance(points, (int, float)) and not isinstance(points, bool) and abs(points) <= MOST_POINTS
            _expect(number, f"points of {name}: expected a number, got {str(points)[:20]!r}")
        return cls(**{**data, "points": tuple((name, float(points)) for name, points in data["points"].items())})


def _expect(condition: bool, otherwise: str) -> None:
    if not condition:
        raise ValueError(otherwise)


def naive_utc(time: datetime) -> datetime:
    """A time as nbgrader keeps it: UTC, without saying so. One at the very ends of the calendar becomes the nearest
    that has a day in every time zone."""
    return max(FIRST, min(LAST, _aware(time))).astimezone(UTC).replace(tzinfo=None)


def _aware(time: datetime) -> datetime:
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"due: expected a date and a time, as in 2027-01-31T23:59+01:00, got {text!r}") from None


ASSIGNMENTS = {
    lesson.folder: Assignment(
        lesson.folder, tuple((each.name, float(each.points)) for each in lesson.exercises), lesson.set_up
    )
    for lesson in LESSONS
}
"""Those of the course, by name: one for each lesson that has exercises."""


def load(name_or_file: str | Path) -> Assignment:
    """One of the course's assignments by its name, or an own one from the file that `unet-edu release` wrote.

    Raises
    ------
    ValueError
        When there is neither, or the file does not hold an assignment.
    """
    if str(name_or_file) in ASSIGNMENTS:
        return ASSIGNMENTS[str(name_or_file)]
    path = Path(name_or_file)
    if not path.is_file():
        raise ValueError(
            f"{path}: expected one of {', '.join(ASSIGNMENTS)}, or the assignment.json that `unet-edu release` wrote"
        )
    if path.stat().st_size > MOST_BYTES:
        raise ValueError(f"{path}: expected an assignment, which has a few lines; this file is larger than 1 MB")
    try:
        return Assignment.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, RecursionError) as error:  # of json, of UTF-8, or ours
        raise ValueError(f"{path}: is no assignment ({error}); `unet-edu release` writes one") from None
