"""What raters have worked in a period, so that they can be paid."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from ml_service.errors import Forbidden, InvalidRequest
from web.domain.access import Actor, allowed
from web.domain.pay import PayLine
from web.ports import Parts


@dataclass(frozen=True)
class Period:
    """Days in UTC, the first and the last one too."""

    first: date
    last: date

    @classmethod
    def of(cls, first: date | None, last: date | None, now: datetime) -> "Period":
        """Return a period whose ends are this month's first day and today where they are not given."""
        end = last or now.astimezone(UTC).date()
        begin = first or end.replace(day=1)
        if begin > end or end == date.max:
            raise InvalidRequest("A period begins on or before the day it ends; give `from` and `to` as YYYY-MM-DD.")
        return cls(begin, end)

    def __str__(self) -> str:
        return f"{self.first}-to-{self.last}"


def pay(parts: Parts, admin: Actor, period: Period) -> tuple[PayLine, ...]:
    """Return the work of each rater of the project in a period."""
    if not allowed(admin, "see_all", admin.project_id):
        raise Forbidden("Only an admin of the project can see what raters have worked.")
    since = datetime.combine(period.first, time(), UTC)
    until = datetime.combine(period.last, time(), UTC) + timedelta(days=1)
    with parts.store.read() as tx:
        return tx.of_enrolments.pay(admin.project_id, since, until)
