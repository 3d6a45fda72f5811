"""The audit chain."""

from typing import Protocol

from web.domain.audit.audit import Event
from web.rows.collection import Collection


class AuditQueries(Protocol):
    """Named queries of the audit chain."""

    def lock(self, project_id: str) -> None:
        """Let one transaction at a time add to a project's chain; rows that refer to the project may come and go."""
        ...

    def last(self, project_id: str) -> Event | None:
        """Return the newest event of a project."""
        ...

    def since(self, project_id: str, number: int, actions: tuple[str, ...]) -> tuple[Event, ...]:
        """Return the events of some actions after the one with a number, oldest first."""
        ...


class AuditRows(Protocol):
    """The audit chain."""

    events: Collection[Event]
    of_audit: AuditQueries
