"""When a day begins for somebody, wherever they are."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def midnight(now: datetime, zone: str = "UTC") -> datetime:
    """Return when the day of a moment began in a time zone, in UTC."""
    there = now.astimezone(ZoneInfo(zone))
    return there.replace(hour=0, minute=0, second=0, microsecond=0, fold=0).astimezone(UTC)


def days(first: date, last: date, zone: str) -> tuple[datetime, datetime]:
    """Return when the first of some days begins in a time zone, and when the last one ends, in UTC."""
    begins, ends = (datetime.combine(day, time(), ZoneInfo(zone)) for day in (first, last + timedelta(days=1)))
    return begins.astimezone(UTC), ends.astimezone(UTC)
