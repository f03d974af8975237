"""RFC 3339 timestamps, in a form that sorts by code points: https://www.rfc-editor.org/rfc/rfc3339"""

import re
from datetime import date, timedelta

# Senders count nanoseconds, which Python's own timestamps cut off.
_FRACTION_DIGITS = 9
_TIMESTAMP = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ]([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(?:\.(\d+))?"
    r"(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))",
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
    year, month, day, hour, minute, second, fraction, sign, hours, minutes = parts.groups()
    cycle, year_of_cycle = divmod(int(year), _CYCLE_YEARS)
    local = date(_CYCLE_YEARS + year_of_cycle, int(month), int(day))
    written = f"{year}-{month}-{day}T{hour}:{minute}"
    if sign or second == "60":
        offset = int(f"{sign or '+'}1") * (60 * int(hours or 0) + int(minutes or 0))
        days, of_day = divmod(60 * int(hour) + int(minute) - offset, _DAY_MINUTES)
        moved = local + timedelta(days)
        if second == "60" and not (of_day == _DAY_MINUTES - 1 and _ends_a_month(moved)):
            raise ValueError("a leap second is the last second of a month in UTC")
        written = f"{_written(moved, (cycle - 1) * _CYCLE_YEARS)}T{of_day // 60:02}:{of_day % 60:02}"
    return f"{written}:{second}.{fraction or '':0<{_FRACTION_DIGITS}.{_FRACTION_DIGITS}}Z"


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
