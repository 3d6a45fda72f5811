"""Photos of a study as a file."""

from collections.abc import Iterable, Iterator

from fastapi.responses import StreamingResponse

from web.domain.studies.photos import PhotoLine
from web.http.serving.export import csv_download

COLUMNS = (
    "id",
    "name",
    "stratum",
    "group",
    "metadata",
    "held_out",
    "ratings",
    "width",
    "height",
    "added_by",
    "added_at",
    "sha256",
)


def photos_download(lines: Iterable[PhotoLine]) -> StreamingResponse:
    """Answer with photos as CSV: what is known of each, not the images."""
    return csv_download("palate-photos.csv", COLUMNS, _rows(lines))


def _rows(lines: Iterable[PhotoLine]) -> Iterator[tuple[object, ...]]:
    for line in lines:
        one = line.input
        told = (one.id, one.name, one.stratum, one.related, one.metadata or {}, "yes" if one.held_out else "no")
        yield (*told, line.ratings, one.width, one.height, line.by, one.created_at, one.content_hash)
