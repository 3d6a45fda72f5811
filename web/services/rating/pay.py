"""What raters have worked in a period, so that they can be paid."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from ml_service.errors import InvalidRequest
from web.domain.access import Actor
from web.domain.day import days
from web.domain.rating.pay import PayLine
from web.ports.parts import Books
from web.services.accounts import rights
from web.services.rating.enrolment import time_zones


@dataclass(frozen=True)
class Period:
    """Days of whoever pays, the first and the last one too; the time zone's midnights part them."""

    first: date
    last: date
    zone: str

    @classmethod
    def of(cls, first: date | None, last: date | None, now: datetime, zone: str) -> "Period":
        """Return a period whose ends are this month's first day and today where they are not given."""
        end = last or now.astimezone(ZoneInfo(zone)).date()
        begin = first or end.replace(day=1)
        if begin > end or end == date.max:
            raise InvalidRequest("A period begins on or before the day it ends; give `from` and `to` as YYYY-MM-DD.")
        return cls(begin, end, zone)

    def __str__(self) -> str:
        return f"{self.first}-to-{self.last}-{self.zone.replace('/', '-')}"


def period(parts: Books, admin: Actor, first: date | None, last: date | None, zone: str | None) -> Period:
    """Return the period asked for, in the time zone that is named, or else in that of the admin who asks.

    Raters elsewhere have other days, but a pay period is the payer's: the same for all whom it pays.
    """
    chosen = zone or admin.time_zone
    if chosen not in time_zones():
        raise InvalidRequest(f"There is no time zone {chosen[:64]!r}; name one such as Europe/Berlin.")
    return Period.of(first, last, parts.clock.now(), chosen)


def pay(parts: Books, admin: Actor, wanted: Period) -> tuple[PayLine, ...]:
    """Return the work of each rater of the project in a period."""
    rights.demand(admin, "see_all")
    since, until = days(wanted.first, wanted.last, wanted.zone)
    with parts.store.read() as tx:
        return tx.of_enrolments.pay(admin.project_id, since, until)
