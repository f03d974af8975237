"""RFC 3339 timestamps, in a form that sorts by code points: https://www.rfc-editor.org/rfc/rfc3339"""

import re
from datetime import date, timedelta

# Senders count nanoseconds, which Python's own timestamps cut off.
_FRACTION_DIGITS = 9
_TIMESTAMP = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)[Tt ]"
    r"(?P<hour>[01]\d|2[0-3]):(?P<minute>[0-5]\d):(?P<second>[0-5]\d|60)(\.(?P<fraction>\d+))?"
    r"([Zz]|(?P<sign>[+-])(?P<offset_hours>[01]\d|2[0-3]):(?P<offset_minutes>[0-5]\d))",
    re.ASCII,
)
_DAY_MINUTES = 24 * 60
# The Gregorian calendar repeats itself after so many years; Python's own begins at year 1, RFC 3339's at 0.
_CYCLE_YEARS = 400
_LAST_YEAR = 9999


def sortable(text: str) -> str:
    """Return the moment in UTC with nine digits after the second. Raises: ValueError."""
    parts = _TIMESTAMP.fullmatch(text)
    if not parts:
        raise ValueError("not an RFC 3339 timestamp")
    offset = 60 * int(parts["offset_hours"] or 0) + int(parts["offset_minutes"] or 0)
    local = 60 * int(parts["hour"]) + int(parts["minute"])
    days, minutes = divmod(local + (offset if parts["sign"] == "-" else -offset), _DAY_MINUTES)
    cycle, year = divmod(int(parts["year"]), _CYCLE_YEARS)
    day = date(_CYCLE_YEARS + year, int(parts["month"]), int(parts["day"])) + timedelta(days)
    if parts["second"] == "60" and not (minutes == _DAY_MINUTES - 1 and _ends_a_month(day)):
        raise ValueError("a leap second is the last second of a month in UTC")
    fraction = f"{parts['fraction'] or '':0<{_FRACTION_DIGITS}.{_FRACTION_DIGITS}}"
    clock = f"{minutes // 60:02}:{minutes % 60:02}:{parts['second']}"
    return f"{_written(day, (cycle - 1) * _CYCLE_YEARS)}T{clock}.{fraction}Z"


def _ends_a_month(day: date) -> bool:
    return (day + timedelta(days=1)).day == 1


def _written(day: date, years: int) -> str:
    """Return the day so many years later; an offset can reach a day before year 0, or after year 9999."""
    year = day.year + years
    if year < 0:
        return "0000-00-31"
    if year > _LAST_YEAR:
        return f"{_LAST_YEAR}-12-32"
    return f"{year:04}-{day.month:02}-{day.day:02}"
