"""Parquet, sent as it is written: what a row group needs is in memory, and no more."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import pyarrow as pa
from pyarrow.parquet import ParquetWriter

from web.domain.reports.tables import SCHEMA_VERSION, Kind, Row
from web.services.reports.tables import Sheet

GROUP = 10_000  # rows of a row group
WORD = pa.field("element", pa.string(), nullable=False)
TYPES: Mapping[Kind, pa.DataType] = {
    "text": pa.string(),
    "whole": pa.int64(),
    "real": pa.float64(),
    "flag": pa.bool_(),
    "moment": pa.timestamp("us", tz="UTC"),
    "words": pa.list_(WORD),
    "json": pa.string(),
}


class Pipe:
    """A file to write to, from which what was written is taken on."""

    closed = False

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def write(self, body: bytes) -> int:
        """Keep bytes until they are taken."""
        self._written.append(body)
        return len(body)

    def flush(self) -> None:
        """Do nothing: all is there to be taken."""

    def close(self) -> None:
        """Do nothing: what was written last is still to be taken."""

    def taken(self) -> Iterator[bytes]:
        """Go through what was written, and keep none of it."""
        written, self._written = self._written, []
        while written:
            yield written.pop(0)


def parquet_bytes(sheet: Sheet) -> Iterator[bytes]:
    """Return the bytes of a table as a Parquet file, a row group at a time."""
    schema, pipe = schema_of(sheet), Pipe()
    with ParquetWriter(pipe, schema) as writer:
        for group in _groups(schema, sheet.batches):
            writer.write_table(group, row_group_size=GROUP)
            yield from pipe.taken()
    yield from pipe.taken()


def schema_of(sheet: Sheet) -> pa.Schema:
    """Return the schema of a table: its version, and with each column what it says."""
    fields = [
        pa.field(each.name, TYPES[each.kind], nullable=each.nullable, metadata={"description": each.says})
        for each in sheet.columns
    ]
    return pa.schema(fields, metadata={"palate.table": sheet.name, "palate.schema_version": str(SCHEMA_VERSION)})


def _groups(schema: pa.Schema, batches: Iterable[Sequence[Row]]) -> Iterator[pa.Table]:
    """Gather batches until they make a row group; values in Python take many times the memory that they take here."""
    gathered: list[pa.RecordBatch] = []
    for batch in batches:
        if batch:
            gathered.append(_batch(schema, batch))
        if sum(part.num_rows for part in gathered) >= GROUP:
            yield pa.Table.from_batches(gathered, schema)
            gathered = []
    if gathered:
        yield pa.Table.from_batches(gathered, schema)


def _batch(schema: pa.Schema, rows: Sequence[Row]) -> pa.RecordBatch:
    cells = zip(*rows, strict=True)
    return pa.record_batch([pa.array(values, field.type) for values, field in zip(cells, schema, strict=True)], schema)
