"""Routes of tables for analysis: rows of a project or of one study, as they are read, all of one moment."""

from collections.abc import Iterator
from itertools import chain

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from web.domain.access import Actor
from web.http.edge.session import TableReader, context
from web.http.serving.export import CSV, PARQUET, Form, download, encoded
from web.http.wire.openapi import content
from web.ports.parts import Parts
from web.services.reports.tables import sheets, table_named

router = APIRouter(prefix="/api/v1/exports", tags=["exports"])


@router.get("/{table}.csv", response_class=StreamingResponse, responses={200: content("text/csv")})
def table_csv(request: Request, reader: TableReader, table: str, study: str = "") -> StreamingResponse:
    """Return a table of all studies, or of one by id or name, as CSV; what a spreadsheet would compute is quoted."""
    return download(f"palate-{table}.csv", CSV, _begun(context(request).parts, reader, table, study, "csv"))


@router.get("/{table}.parquet", response_class=StreamingResponse, responses={200: content(PARQUET)})
def table_parquet(request: Request, reader: TableReader, table: str, study: str = "") -> StreamingResponse:
    """Return a table of all studies, or of one by id or name, as Parquet, in the types of its schema."""
    return download(f"palate-{table}.parquet", PARQUET, _begun(context(request).parts, reader, table, study, "parquet"))


def _begun(parts: Parts, reader: Actor, table: str, study: str, form: Form) -> Iterator[bytes]:
    """Return a file as it is made, once its beginning is: what is to be refused has been refused by then."""
    name = table_named(table)

    def made() -> Iterator[bytes]:
        with sheets(parts, reader, study) as sheet:
            yield from encoded(sheet(name), form)

    rest = made()
    return chain([next(rest)], rest)
