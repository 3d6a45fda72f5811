"""Routes of tables for analysis: rows of a project or of one study, as they are read, all of one moment."""

from collections.abc import Iterator, Mapping

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from web.domain.access import Actor
from web.http.edge.session import TableReader, context
from web.http.serving.export import CSV, PARQUET, Form, encoded
from web.http.serving.sending import Download, downloads
from web.http.wire.openapi import content
from web.services.reports.tables import sheets, table_named

router = APIRouter(prefix="/api/v1/exports", tags=["exports"])
MEDIA_TYPES: Mapping[Form, str] = {"csv": CSV, "parquet": PARQUET}


@router.get("/{table}.csv", response_class=StreamingResponse, responses={200: content("text/csv")})
def table_csv(request: Request, reader: TableReader, table: str, study: str = "") -> Download:
    """Return a table of all studies, or of one by id or name, as CSV; what a spreadsheet would compute is quoted."""
    return _begun(request, reader, table, study, "csv")


@router.get("/{table}.parquet", response_class=StreamingResponse, responses={200: content(PARQUET)})
def table_parquet(request: Request, reader: TableReader, table: str, study: str = "") -> Download:
    """Return a table of all studies, or of one by id or name, as Parquet, in the types of its schema."""
    return _begun(request, reader, table, study, "parquet")


def _begun(request: Request, reader: Actor, table: str, study: str, form: Form) -> Download:
    """Return a file as it is made, once its beginning is: what is to be refused has been refused by then."""
    name, sent = table_named(table), downloads(request)

    def made() -> Iterator[bytes]:
        with sent.place(), sheets(context(request).parts, reader, study) as sheet:
            pieces = encoded(sheet(name), form)
            first = next(pieces)
            yield b""
            yield first
            yield from pieces

    body = made()
    next(body)
    return Download(f"palate-{name}.{form}", MEDIA_TYPES[form], body, sent.still)
