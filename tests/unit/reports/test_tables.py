"""Tables for analysis: what a file says is what the database says, in the types of the schema, of one moment."""

import csv
import io
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow.parquet import ParquetFile

from tests.clock import FixedClock
from tests.varied import PARAMETERS, expected, vary
from tests.world import World, make_world
from web.adapters.database.reports import tables as queries
from web.adapters.database.store import SqlStore
from web.domain.access import Actor
from web.domain.reports.tables import TABLES, TableName, columns
from web.domain.studies.study import Study
from web.http.serving import parquet
from web.http.serving.export import Form, cell, encoded
from web.services.operations import erasure
from web.services.reports.tables import NAMES, sheets

pytestmark = pytest.mark.storage


@pytest.fixture
def world(store: SqlStore, clock: FixedClock, tmp_path: Path) -> World:
    return make_world(store, clock, tmp_path, inputs=1)


@pytest.fixture
def second(world: World) -> Study:
    return vary(world)


def written(world: World, table: TableName, form: Form, study: str = "", actor: Actor | None = None) -> bytes:
    with sheets(world.parts, actor or world.admin, study) as sheet:
        return b"".join(encoded(sheet(table), form))


def read(body: bytes) -> pa.Table:
    return ParquetFile(io.BytesIO(body)).read()


@pytest.mark.parametrize("table", NAMES)
def test_parquet_says_what_the_database_says(world: World, second: Study, table: TableName) -> None:
    for study, chosen in (("", (world.study, second)), (second.name, (second,)), (world.study.id, (world.study,))):
        rows = expected(world, table, chosen)
        found = read(written(world, table, "parquet", study))
        assert found.column_names == list(rows[0])
        assert found.to_pylist() == rows
        assert len(rows) >= 2


@pytest.mark.parametrize("table", NAMES)
def test_csv_has_the_same_columns_rows_and_values(world: World, second: Study, table: TableName) -> None:
    text = written(world, table, "csv").decode()
    assert text.startswith("\ufeff")
    rows = expected(world, table, (world.study, second))
    found = list(csv.reader(io.StringIO(text[1:], newline="")))
    assert found[0] == list(rows[0])
    plain = [[cell(tuple(one) if isinstance(one, list) else one) for one in row.values()] for row in rows]
    assert found[1:] == plain
    assert all(not one.startswith(("=", "+", "@")) for row in found for one in row)


def test_types_are_kept_where_values_are_missing(world: World, second: Study) -> None:
    found = read(written(world, "ratings", "parquet"))
    types = {str: pa.string(), int: pa.int64(), float: pa.float64()}
    assert {name: found.schema.field(f"parameter.{name}").type for name in PARAMETERS} == {
        name: types[kind] for name, kind in PARAMETERS.items()
    }
    assert found["parameter.radius"].null_count > 0
    assert {found.schema.field(name).type for name in ("rated_at", "painted_at", "undone_at")} == {
        pa.timestamp("us", tz="UTC")
    }
    assert datetime(2026, 3, 1, 9, tzinfo=UTC) in found["painted_at"].to_pylist()
    metadata = found.schema.metadata
    assert (metadata[b"palate.schema_version"], metadata[b"palate.table"]) == (b"1", b"ratings")
    assert found.schema.field("score").metadata[b"description"].startswith(b"The score from 1 to 5")


def test_what_is_no_number_is_missing(world: World) -> None:
    names = columns("ratings", [("exposure", "real")])[-1:]
    assert list(queries._values({"exposure": float("nan")}, names)) == [None]


def test_nothing_that_may_not_be_missing_is_missing(world: World, second: Study) -> None:
    for table in NAMES:
        found = read(written(world, table, "parquet"))
        for column in TABLES[table]:
            assert column.nullable or found[column.name].null_count == 0, (table, column.name)


def test_a_project_without_rows_has_the_columns(world: World) -> None:
    assert read(written(world, "ratings", "parquet")).shape == (0, len(TABLES["ratings"]) + 2)
    assert written(world, "ratings", "csv").count(b"\r\n") == 1


def test_row_groups_are_of_the_size_that_memory_is_kept_to(
    world: World, second: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "BATCH", 1)
    monkeypatch.setattr(parquet, "GROUP", 2)
    whole = ParquetFile(io.BytesIO(written(world, "ratings", "parquet")))
    assert [whole.metadata.row_group(number).num_rows for number in range(whole.num_row_groups)] == [2, 2, 2]
    assert whole.read().to_pylist() == expected(world, "ratings", (world.study, second))


def test_tables_are_of_one_moment(world: World, second: Study) -> None:
    before = expected(world, "ratings", (world.study, second))
    with sheets(world.parts, world.admin) as sheet:
        first = sheet("inputs")
        next(first.batches)
        with world.parts.store.begin() as tx:
            tx.ratings.remove(study_id=second.id)
        rows = list(sheet("ratings").rows)
    assert [row[0] for row in rows] == [row["id"] for row in before]


def test_of_people_there_are_ids_alone_and_of_the_erased_no_word(world: World, second: Study) -> None:
    with world.parts.store.read() as tx:
        raters = {rating.judge_id for rating in tx.ratings.all()}
        people = tx.users.all()
    everything = b"".join(written(world, table, "csv") for table in NAMES)
    assert not [user.email for user in people if user.email.encode() in everything]
    assert b"HYPERLINK" in everything
    for user in people:
        if user.id in raters:
            erasure.erase_person(world.parts, world.admin, user.id, user.email, photos=False)
    assert b"HYPERLINK" not in written(world, "ratings", "csv")
    assert set(read(written(world, "ratings", "parquet"))["comment"].to_pylist()) == {None}
