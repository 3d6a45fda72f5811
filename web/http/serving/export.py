"""Downloads of any length, sent as they are read: JSON, and CSV that spreadsheets read as text, in UTF-8."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import TypeVar

from fastapi.responses import StreamingResponse

from web.domain.day import written

MARK = "\ufeff"  # by which spreadsheets know UTF-8; without it they read the encoding of their country
FORMULA = ("=", "+", "-", "@", "\t", "\r")
AT_ONCE = 500  # rows sent together

T = TypeVar("T")


def csv_download(name: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> StreamingResponse:
    """Answer with rows as a CSV file; text that a spreadsheet would compute is quoted."""
    return _download(name, "text/csv; charset=utf-8", _csv(columns, rows))


def json_download(name: str, rows: Iterable[str]) -> StreamingResponse:
    """Answer with rows, each of them JSON, as a file with one array."""
    return _download(name, "application/json", _array(rows))


def _download(name: str, media_type: str, text: Iterator[str]) -> StreamingResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(text, media_type=media_type, headers=headers)


def _csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    buffer = io.StringIO()
    buffer.write(MARK)
    writer = csv.writer(buffer)
    writer.writerow(columns)
    yield from _drained(buffer, rows, lambda row: writer.writerow([cell(value) for value in row]))


def _array(rows: Iterable[str]) -> Iterator[str]:
    buffer = io.StringIO()
    marks = iter("[")  # stands before the first row, a comma before all others
    yield from _drained(buffer, rows, lambda row: buffer.write(f"{next(marks, ',')}\n{row}"))
    yield next(marks, "") + "\n]\n"


def _drained(buffer: io.StringIO, rows: Iterable[T], write: Callable[[T], object]) -> Iterator[str]:
    for number, row in enumerate(rows, start=1):
        write(row)
        if number % AT_ONCE == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def cell(value: object) -> str:
    """Return a value as text that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    if value is None:
        return ""
    if isinstance(value, dict):
        return json.dumps(value, sort_keys=True)
    if isinstance(value, datetime):
        return written(value)
    words = " ".join(value) if isinstance(value, tuple) else str(value)
    is_number = isinstance(value, int | float)
    return f"'{words}" if words.startswith(FORMULA) and not is_number else words
