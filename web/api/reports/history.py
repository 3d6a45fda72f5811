"""Routes of the history: rows as JSON by pages or whole, and as CSV that spreadsheets read as text."""

from operator import attrgetter
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import TypeAdapter

from web.domain.reports.history import Cursor, Entry, Filter, OwnEntry, Page
from web.http.edge.session import Rater, context
from web.http.serving.export import csv_download, json_download
from web.http.wire.openapi import content, query_of
from web.services.reports.history import entries, every_entry, every_own_entry, own_entries

router = APIRouter(tags=["history"])

_PAGE = TypeAdapter(Page[Entry])
_OWN_PAGE = TypeAdapter(Page[OwnEntry])
_ENTRY = TypeAdapter(Entry)
_OWN_ENTRY = TypeAdapter(OwnEntry)
COLUMNS = (
    "rated_at",
    "study",
    "score",
    "skip",
    "tags",
    "comment",
    "flagged",
    "late",
    "undone_at",
    "id",
)
ADMIN_COLUMNS = (
    *COLUMNS,
    "rater",
    "generator",
    "version",
    "point",
    "input",
    "kind",
    "seen_ms",
    "experiment_id",
    "input_id",
    "output_id",
)
MOST_ROWS = 500
FILE = "palate-history"


@router.get(
    "/api/train/history",
    responses={200: {"model": Page[Entry] | Page[OwnEntry]}},
    openapi_extra=query_of(Filter),
)
def history(
    request: Request,
    rater: Rater,
    after: str = "",
    limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 100,
) -> Response:
    """Return rows, newest first, by the filters of the history page; `after` of the answer asks for the next ones."""
    parts, wanted, place = context(request).parts, Filter.read(request.query_params), Cursor.read(after)
    if rater.role == "admin":
        body = _PAGE.dump_json(entries(parts, rater, wanted, place, limit))
    else:
        body = _OWN_PAGE.dump_json(own_entries(parts, rater, wanted, place, limit))
    return Response(body, media_type="application/json")


@router.get(
    "/api/train/history.csv",
    response_class=StreamingResponse,
    responses={200: content("text/csv")},
    openapi_extra=query_of(Filter),
)
def history_csv(request: Request, rater: Rater) -> StreamingResponse:
    """Return every row as CSV, by the same filters; text that a spreadsheet would compute is quoted."""
    parts, wanted = context(request).parts, Filter.read(request.query_params)
    if rater.role == "admin":
        every = every_entry(parts, rater, wanted)
        return csv_download(f"{FILE}.csv", ADMIN_COLUMNS, map(attrgetter(*ADMIN_COLUMNS), every))
    own = every_own_entry(parts, rater, wanted)
    return csv_download(f"{FILE}.csv", COLUMNS, map(attrgetter(*COLUMNS), own))


@router.get(
    "/api/train/history.json",
    response_class=StreamingResponse,
    responses={200: {"model": list[Entry] | list[OwnEntry]}},
    openapi_extra=query_of(Filter),
)
def history_json(request: Request, rater: Rater) -> StreamingResponse:
    """Return every row as a file with one JSON array, by the same filters."""
    parts, wanted = context(request).parts, Filter.read(request.query_params)
    if rater.role == "admin":
        every = every_entry(parts, rater, wanted)
        return json_download(f"{FILE}.json", (_ENTRY.dump_json(one).decode() for one in every))
    own = every_own_entry(parts, rater, wanted)
    return json_download(f"{FILE}.json", (_OWN_ENTRY.dump_json(one).decode() for one in own))
