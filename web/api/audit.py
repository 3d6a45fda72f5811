"""Routes of the audit: events as JSON by pages or whole, as CSV, and whether their chain holds."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from web.domain.access import Actor
from web.domain.audit.audit import Event, signature
from web.domain.audit.trail import EventFilter, EventLine, place
from web.domain.reports.history import Moment
from web.http.edge.session import Admin, context
from web.http.serving.export import csv_download, json_download
from web.http.wire.openapi import content, query_of
from web.services.audit import views
from web.services.audit.chain import check_chain

router = APIRouter(prefix="/api/v1/audit", tags=["audit"])

MOST_ROWS = 500


class EventOut(BaseModel):
    """One event with the names that its ids have now, what it says in words, and all that its hash is made of."""

    number: int
    at: Moment
    said: str
    actor: str
    action: str
    object_type: str
    object: str
    details: dict[str, str]
    note: str
    id: str
    actor_id: str | None
    object_id: str
    project_id: str
    before_hash: str | None
    after_hash: str | None
    note_hash: str
    previous_hash: str
    hash: str

    @classmethod
    def of(cls, line: EventLine) -> "EventOut":
        """Show an event."""
        kept: dict[str, Any] = {one.name: getattr(line.event, one.name) for one in fields(Event)}
        return cls(**kept, said=line.said, actor=line.actor, object=line.object)


class EventsOut(BaseModel):
    """Some events, newest first; `after` asks for the next ones, and is "" on the last page."""

    rows: list[EventOut]
    after: str


class ChainOut(BaseModel):
    """Whether a chain holds and how it ends; a head kept elsewhere shows later that nothing was cut off since."""

    project_id: str
    events: int
    whole: bool
    faults: tuple[str, ...]
    head: str
    signature: str


@router.get("", openapi_extra=query_of(EventFilter))
def events(
    request: Request,
    admin: Admin,
    after: str = "",
    limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 100,
) -> EventsOut:
    """Return events, newest first, by the filters of the audit page; `after` of the answer asks for the next ones."""
    wanted = EventFilter.read(request.query_params)
    found = views.events(context(request).parts, admin, wanted, place(after), limit)
    return EventsOut(rows=[EventOut.of(line) for line in found.rows], after=found.after)


@router.get("/chain")
def chain(request: Request, admin: Admin) -> ChainOut:
    """Check every event of the project, and return the head of the chain with this server's signature."""
    here = context(request)
    found = check_chain(here.parts, admin.project_id)
    return ChainOut(
        project_id=found.project_id,
        events=found.events,
        whole=not found.faults,
        faults=found.faults,
        head=found.head,
        signature=signature(here.key, found.project_id, found.head),
    )


@router.get(
    ".csv", response_class=StreamingResponse, responses={200: content("text/csv")}, openapi_extra=query_of(EventFilter)
)
def events_csv(request: Request, admin: Admin) -> StreamingResponse:
    """Return every event as CSV, by the same filters; text that a spreadsheet would compute is quoted."""
    columns = tuple(EventOut.model_fields)
    rows = ([getattr(event, name) for name in columns] for event in _every(request, admin))
    return csv_download("palate-audit.csv", columns, rows)


@router.get(
    ".json",
    response_class=StreamingResponse,
    responses={200: {"model": list[EventOut]}},
    openapi_extra=query_of(EventFilter),
)
def events_json(request: Request, admin: Admin) -> StreamingResponse:
    """Return every event as one JSON array, by the same filters."""
    rows = (event.model_dump_json() for event in _every(request, admin))
    return json_download("palate-audit.json", rows)


def _every(request: Request, admin: Actor) -> Iterator[EventOut]:
    wanted = EventFilter.read(request.query_params)
    return map(EventOut.of, views.every_event(context(request).parts, admin, wanted))
