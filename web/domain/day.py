"""When a day begins for somebody, wherever they are."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo


def midnight(now: datetime, zone: str = "UTC") -> datetime:
    """Return when the day of a moment began in a time zone, in UTC."""
    there = now.astimezone(ZoneInfo(zone))
    return there.replace(hour=0, minute=0, second=0, microsecond=0, fold=0).astimezone(UTC)
