"""When a day begins for somebody, wherever they are, and what their clock shows: the one meaning of a day."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from ml_service.errors import InvalidRequest

FIRST = date(1, 1, 3)  # days before it may begin before the first moment that can be written down


def midnight(now: datetime, zone: str = "UTC") -> datetime:
    """Return when the day of a moment began in a time zone, in UTC."""
    return there(now, zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0).astimezone(UTC)


def days(first: date, last: date, zone: str) -> tuple[datetime, datetime]:
    """Return when the first of some days begins in a time zone, and when the last one ends, in UTC."""
    begins, ends = (
        datetime.combine(max(day, FIRST), time(), ZoneInfo(zone)) for day in (first, last + timedelta(days=1))
    )
    return begins.astimezone(UTC), ends.astimezone(UTC)


def between(first: date | None, last: date | None, zone: str) -> tuple[datetime | None, datetime | None]:
    """Return when days begin and end in a time zone, in UTC; None at an end that is left open."""
    return days(first, first, zone)[0] if first else None, days(last, last, zone)[1] if last else None


def there(moment: datetime, zone: str) -> datetime:
    """Return a moment as clocks in a time zone show it."""
    return moment.astimezone(ZoneInfo(zone))


def day_of(name: str, text: str) -> date | None:
    """Return the day that a value of a query string names, None for "", or raise InvalidRequest."""
    try:
        day = date.fromisoformat(text) if text else None
    except ValueError:
        day = date.max
    if day == date.max:  # which has no day after it
        raise InvalidRequest(f"{name} must be a day such as 2026-01-31, not {text!r}.")
    return day
