"""When something was handed in: reads a time as nbgrader, a learning platform or a person writes it, and gives it in
UTC.

What cannot be read for certain is an error, never a guess: a mark may depend on it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

__all__ = ["in_utc", "zone_named"]

MOMENT = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})[T ]"
    r"(?P<clock>[0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9})?)?) ?(?P<zone>\S{0,60})"
)
OFFSET = re.compile(r"(?:UTC|GMT)?([+-])(?:([0-9]{2})([0-9]{2})|([0-9]{1,2})(?::([0-9]{2}))?)", re.IGNORECASE)
FARTHEST = timedelta(hours=14)  # from UTC, of any place

# Hours from UTC of the abbreviations that mean one thing. Others mean several (IST: India, Israel or Ireland; CST, CDT,
# PST, MST, AST, BST, SST): they are not guessed. A test compares the table with the time zones of the system.
HOURS = {
    name: hours
    for hours, names in {
        -10: "HST", -9: "AKST HDT", -8: "AKDT", -7: "PDT", -6: "MDT", -5: "EST", -4: "EDT",
        -3.5: "NST", -3: "ADT", -2.5: "NDT",
        0: "UTC GMT Z WET", 1: "WEST CET MET WAT", 2: "CEST MEST EET CAT SAST", 3: "EEST MSK IDT EAT", 5: "PKT",
        7: "WIB", 8: "WITA HKT AWST", 9: "WIT JST KST", 9.5: "ACST", 10: "AEST CHST", 10.5: "ACDT", 11: "AEDT",
        12: "NZST", 13: "NZDT",
    }.items()
    for name in names.split()
}  # fmt: skip


def in_utc(text: str, zone: ZoneInfo | None = None) -> datetime:
    """The moment that a text names, as `2027-01-31 23:59:00.5 CET` or `2027-01-31T23:59+01:00`.

    Parameters
    ----------
    text : str
    zone : ZoneInfo, optional
        Where the text was written. It counts for a time without a zone, which is otherwise UTC as in nbgrader, and for
        an abbreviation with several meanings, if it is one of this zone at that time.

    Raises
    ------
    ValueError
        When the text is something else, or can mean several moments, or UTC has no date for it.
    """
    match = MOMENT.fullmatch(" ".join(text.split()))
    if not match:
        raise ValueError("expected a time as 2027-01-31 23:59:00 UTC")
    local = datetime.fromisoformat(f"{match['day']} {match['clock']}")
    try:
        return _placed(local, match["zone"], zone).astimezone(UTC)
    except OverflowError:  # 0001-01-01 00:00 +14:00
        raise ValueError("in UTC that is before the first year, or after the last") from None


def zone_named(name: str) -> ZoneInfo:
    """The time zone of a place, as `Europe/Berlin`.

    Raises
    ------
    ValueError
        When there is none of this name.
    """
    try:
        # "right" counts leap seconds, and is 27 s off
        if name != "UTC" and ("/" not in name or name.startswith(("posix/", "right/"))):
            raise ValueError
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # OSError: a folder of zones
        raise ValueError(f"expected a time zone as Europe/Berlin, got {name[:60]!r}") from None


def _placed(local: datetime, name: str, zone: ZoneInfo | None) -> datetime:
    """The time on the clocks of the place that the name means."""
    if not name:
        return local.replace(tzinfo=zone or UTC)
    if match := OFFSET.fullmatch(name):
        hours, minutes = int(match[2] or match[4]), int(match[3] or match[5] or 0)
        offset = timedelta(hours=hours, minutes=minutes)
        if minutes > 59 or offset > FARTHEST:
            raise ValueError(f"{name}: no place is so far from UTC")
        return local.replace(tzinfo=timezone(-offset if match[1] == "-" else offset))
    if (hours_east := HOURS.get(name.upper())) is not None:
        return local.replace(tzinfo=timezone(timedelta(hours=hours_east)))
    for fold in (0, 1) if zone else ():  # an hour in autumn has two names
        there = local.replace(tzinfo=zone, fold=fold)
        if there.tzname() == name.upper():
            return there
    return local.replace(tzinfo=zone_named(name))
