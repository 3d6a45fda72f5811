"""Downloads of any length, sent as they are read: JSON, and CSV that spreadsheets read as text, in UTF-8."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Literal, TypeVar

from web.domain.day import written
from web.http.serving.sending import Download
from web.services.reports.tables import Sheet

MARK = "\ufeff"  # by which spreadsheets know UTF-8; without it they read the encoding of their country
FORMULA = ("=", "+", "-", "@", "\t", "\r")
CSV = "text/csv; charset=utf-8"
PARQUET = "application/vnd.apache.parquet"
AT_ONCE = 500  # rows sent together

T = TypeVar("T")
Form = Literal["csv", "parquet"]


def csv_download(name: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Download:
    """Answer with rows as a CSV file; text that a spreadsheet would compute is quoted."""
    return Download(name, CSV, csv_text(columns, rows))


def json_download(name: str, rows: Iterable[str]) -> Download:
    """Answer with rows, each of them JSON, as a file with one array."""
    return Download(name, "application/json", _array(rows))


def encoded(sheet: Sheet, form: Form) -> Iterator[bytes]:
    """Return the bytes of a table for analysis as a file of a form, some rows at a time."""
    if form == "parquet":
        from web.http.serving.parquet import parquet_bytes  # no start waits for what few ask

        return parquet_bytes(sheet)
    return (text.encode() for text in csv_text([column.name for column in sheet.columns], sheet.rows))


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Return the text of a CSV file, some rows at a time."""
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
