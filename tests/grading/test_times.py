"""When something was handed in: each way to write one moment, and what is not guessed."""

from __future__ import annotations

import zoneinfo
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.grading.test_find_submissions import CONVOLUTION, put
from unet_edu.grading.marks.submissions import find
from unet_edu.grading.marks.times import HOURS, in_utc, zone_named

NOON = datetime(2027, 7, 2, 12, 0, tzinfo=UTC)
DUE = replace(CONVOLUTION, due="2027-06-30T23:59+02:00", late_percent_per_day=10)


@pytest.mark.parametrize(
    "text",
    [
        *("2027-07-02 12:00:00 UTC", "2027-07-02 12:00:00.000000 GMT", "2027-07-02 12:00", "2027-07-02T12:00:00Z"),
        *("2027-07-02 14:00:00 CEST", "2027-07-02 13:00:00 CET"),
        *("2027-07-02 13:00:00 WEST", "2027-07-02 15:00:00 EEST"),
        *("2027-07-02 08:00:00 EDT", "2027-07-02 07:00:00 EST", "2027-07-02 05:00:00 PDT", "2027-07-02 06:00:00 MDT"),
        *("2027-07-02 09:30:00 NDT", "2027-07-02 02:00:00 HST", "2027-07-02 09:00:00 ADT", "2027-07-02 15:00:00 msk"),
        *("2027-07-02 21:00:00 JST", "2027-07-02 22:00:00 AEST"),
        *("2027-07-02 21:30:00 ACST", "2027-07-03 00:00:00 NZST"),
        *("2027-07-02 14:00:00 +0200", "2027-07-02 14:00:00 +02:00", "2027-07-02T14:00+02:00", "2027-07-02 14:00+0200"),
        *("2027-07-02 09:00:00 -03", "2027-07-02 17:30:00 +0530", "2027-07-02 17:45:00 +0545", "2027-07-03 02:00 +14"),
        *("2027-07-02 14:00:00 GMT+2", "2027-07-02 14:00:00 UTC+02:00"),
        *("2027-07-02 09:00:00 UTC-3", "2027-07-02 17:30 GMT+5:30"),
        *("2027-07-02 14:00:00 Europe/Berlin", "2027-07-02 17:30 Asia/Kolkata", "2027-07-02 10:00 Etc/GMT+2"),
        *("  2027-07-02   12:00:00,0  UTC\r\n", "2027-07-02\n12:00:00\nUTC"),
    ],
)  # fmt: skip
def test_one_moment_in_many_ways(text: str) -> None:
    assert in_utc(text) == NOON
    assert in_utc(text).tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        *("2027-07-02 12:00:00 IST", "2027-07-02 12:00:00 CST", "2027-07-02 12:00:00 BST", "2027-07-02 12:00:00 PST"),
        *("2027-07-02 12:00:00 AST", "2027-07-02 12:00:00 MST", "2027-07-02 12:00:00 SST", "2027-07-02 12:00:00 CDT"),
        *("2027-07-02 12:00:00 XYZ", "2027-07-02 12:00:00 local", "2027-07-02 12:00:00 posix/Europe/Berlin"),
        *("2027-07-02 12:00:00 right/Europe/Berlin", "2027-07-02 12:00:00 Europe/", "2027-07-02 12:00:00 Europe"),
        *("2027-07-02 12:00:00 ../../etc/passwd", "2027-07-02 12:00:00 /etc/localtime"),
        "2027-07-02 12:00 Mars/Olympus",
        *("2027-07-02 12:00:00 +15", "2027-07-02 12:00:00 +0260"),
        *("2027-07-02 12:00:00 +053", "2027-07-02 12:00:00 +9999"),
        *("", "yesterday", "2027-07-02", "2027-07-02 25:00 UTC"),
        *("2027-02-29 12:00 UTC", "02.07.2027 12:00", "7/2/2027 12:00"),
        *("2027-07-02 12:00:00 PM", "2027-07-02 12:00:00 UTC late", "20270702T120000Z", "2027-07-02 12:00:60 UTC"),
        *("٢٠٢٧-٠٧-٠٢ ١٢:٠٠ UTC", "2027-07-02 12:00:00 \udcff"),
        *("2027-07-02 12:00:00 " + "A" * 5000, "0000-01-01 00:00 UTC"),
        *("0001-01-01 00:00:00 +14:00", "9999-12-31 23:59:59 -14:00", "0001-01-01 00:00 JST", "9999-12-31 23:59 HST"),
        *("0001-01-01 00:00:00 Asia/Tokyo", "9999-12-31 23:59:59 America/New_York"),
    ],
)  # fmt: skip
def test_what_is_not_guessed(text: str) -> None:
    with pytest.raises(ValueError):  # and nothing else
        in_utc(text)


@pytest.mark.parametrize("text", ["0001-01-01 00:00:00 UTC", "9999-12-31 23:59:59 UTC", "9999-12-31 23:59:59 +14:00"])
def test_the_ends_of_the_calendar_can_be_counted_from(text: str) -> None:
    moment = in_utc(text)
    assert DUE.lost(moment) == (moment.year > 2027)


@pytest.mark.parametrize(
    ("text", "place", "hours"),
    [
        ("2027-07-02 12:00:00 IST", "Asia/Kolkata", 5.5),
        ("2027-07-02 12:00:00 IST", "Europe/Dublin", 1),
        ("2027-01-02 12:00:00 IST", "Asia/Jerusalem", 2),
        ("2027-01-02 12:00:00 CST", "America/Chicago", -6),
        ("2027-07-02 12:00:00 CST", "Asia/Shanghai", 8),
        ("2027-07-02 12:00:00 BST", "Europe/London", 1),
        ("2027-01-02 12:00:00 PST", "America/Los_Angeles", -8),
        ("2027-07-02 12:00:00", "Europe/Berlin", 2),
        ("2027-07-02 12:00:00 EDT", "Europe/Berlin", -4),  # means one thing, wherever it is read
        ("2027-11-07 01:30:00 CST", "America/Chicago", -6),  # the hour that comes twice
    ],
)
def test_the_instructor_s_time_zone_says_it(text: str, place: str, hours: float) -> None:
    local = in_utc(" ".join(text.split()[:2]))
    assert local - in_utc(text, ZoneInfo(place)) == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("text", "place"),
    # no summer in January
    [("2027-07-02 12:00:00 IST", "Europe/Berlin"), ("2027-01-02 12:00:00 BST", "Europe/London")],
)
def test_another_place_s_abbreviation_stays_unknown(text: str, place: str) -> None:
    with pytest.raises(ValueError, match="expected a time zone"):
        in_utc(text, ZoneInfo(place))


@pytest.mark.parametrize(
    "name", ["Berlin", "CET", "EST", "../x/y", "Europe/Nowhere", "Europe", "right/Asia/Tokyo", "a/" * 500]
)
def test_a_place_that_is_none(name: str) -> None:
    with pytest.raises(ValueError, match="expected a time zone as Europe/Berlin"):
        zone_named(name)


def test_utc_is_a_zone_though_no_place() -> None:
    assert in_utc("2027-07-02 12:00", zone_named("UTC")) == in_utc("2027-07-02 12:00 UTC")


def test_the_abbreviations_are_those_of_the_system() -> None:
    """Each that the world's clocks show in these years has its one meaning in the table, or several and is not in
    it."""
    meanings: dict[str, set[float]] = {}
    for name in zoneinfo.available_timezones():
        for month in (1, 7):
            there = datetime(2026, month, 15, tzinfo=ZoneInfo(name))
            hours = there.utcoffset() / timedelta(hours=1)  # type: ignore[operator]
            if (there.tzname() or "").isalpha():
                meanings.setdefault(str(there.tzname()).upper(), set()).add(hours)
    assert len(meanings) > 40
    wrong = {name: hours for name, hours in meanings.items() if name in HOURS and hours != {HOURS[name]}}
    assert not wrong
    several = {"IST", "CST", "CDT", "PST", "AST", "MST", "BST", "SST"}  # the last four by other countries' use
    assert {*meanings} - {*HOURS} <= several and {name for name, hours in meanings.items() if len(hours) > 1} <= several


# -------------------------------------------------------------------------------------------------------- timestamp.txt


def handed_in(folder: Path, data: bytes) -> Path:
    mine = put(folder / "ada" / "02_convolution" / "02_convolution.ipynb")
    mine.with_name("timestamp.txt").write_bytes(data)
    return mine


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])
def test_a_timestamp_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    mine = handed_in(tmp_path, "2027-07-02 14:00:00 CEST\n".encode(encoding))
    (ada,) = find(tmp_path, DUE)
    assert (ada.path, ada.submitted, ada.doubt) == (mine, NOON, "")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"2027-07-02 17:30:00 IST\n", "“2027-07-02 17:30:00 IST”"),
        (b"0001-01-01 00:00:00 +14:00", "“0001-01-01 00:00:00 +14:00”"),
        (b"9999-12-31 23:59:59 -14:00", "“9999-12-31 23:59:59 -14:00”"),
        (b"", "“”"),
        (b"soon\x1b[31m\n=1+1", "“soon�[31m =1+1”"),
        (b"\xff\xfe\x00\xd8", "no text"),
        (b"\xed\xa0\x80", "no text"),
        (b"A" * (33 << 20), "has more than 32 MB"),
    ],
    ids=["IST", "first", "last", "empty", "hostile", "half", "surrogate", "huge"],
)
def test_what_is_not_understood_is_never_free_of_penalty(tmp_path: Path, data: bytes, said: str) -> None:
    mine = handed_in(tmp_path, data)
    (ada,) = find(tmp_path, DUE)
    assert (ada.path, ada.submitted) == (mine, None)
    assert ada.doubt.startswith("The time in timestamp.txt is not understood: ") and said in ada.doubt
    (ada,) = find(tmp_path, CONVOLUTION)  # where nothing is taken off for being late, it is said, and no more
    assert said in ada.note and not ada.doubt


def test_a_timestamp_that_is_no_file(tmp_path: Path) -> None:
    mine = put(tmp_path / "ada" / "02_convolution" / "02_convolution.ipynb")
    mine.with_name("timestamp.txt").symlink_to(
        put(tmp_path / "ben" / "02_convolution" / "timestamp.txt", "2027-01-01 12:00")
    )
    (put(tmp_path / "cem" / "02_convolution" / "a.ipynb").with_name("timestamp.txt")).mkdir()
    ada, _, cem = find(tmp_path, DUE)
    assert "is a link" in ada.doubt and "timestamp.txt is not understood" in cem.doubt


def test_the_zone_reaches_the_timestamp(tmp_path: Path) -> None:
    handed_in(tmp_path, b"2027-07-02 17:30:00 IST")
    (ada,) = find(tmp_path, DUE, None, ZoneInfo("Asia/Kolkata"))
    assert (ada.submitted, ada.doubt) == (NOON, "")
