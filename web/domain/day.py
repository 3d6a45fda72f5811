"""When a day begins for somebody, wherever they are, and how a moment is written for machines."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from ml_service.errors import InvalidRequest


def midnight(now: datetime, zone: str = "UTC") -> datetime:
    """Return when the day of a moment began in a time zone, in UTC."""
    there = now.astimezone(ZoneInfo(zone))
    return there.replace(hour=0, minute=0, second=0, microsecond=0, fold=0).astimezone(UTC)


def days(first: date, last: date, zone: str) -> tuple[datetime, datetime]:
    """Return when the first of some days begins in a time zone, and when the last one ends, in UTC."""
    begins, ends = (datetime.combine(day, time(), ZoneInfo(zone)) for day in (first, last + timedelta(days=1)))
    return begins.astimezone(UTC), ends.astimezone(UTC)


def written(at: datetime) -> str:
    """Return a moment as files and machines get it: RFC 3339 in UTC, always with six digits of a second.

    So all columns of times have one form, and sort as text does.
    """
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def day_of(name: str, text: str) -> date | None:
    """Return the day that a value of a query string names, None for "", or raise InvalidRequest."""
    try:
        day = date.fromisoformat(text) if text else None
    except ValueError:
        day = date.max
    if day == date.max:  # which has no day after it
        raise InvalidRequest(f"{name} must be a day such as 2026-01-31, not {text!r}.")
    return day
