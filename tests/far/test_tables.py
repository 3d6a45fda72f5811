"""Parquet as those read it who analyse: pandas, polars and duckdb find what the database says, column by column."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.clock import FixedClock
from tests.varied import expected, vary
from tests.world import World, make_world
from web.adapters.database.store import SqlStore
from web.domain.reports.tables import TableName
from web.http.serving.export import encoded
from web.services.reports.tables import NAMES, sheets

pytestmark = pytest.mark.far  # so what reads is imported where it reads

Columns = dict[str, list[Any]]


def by_pandas(path: Path) -> Columns:
    import pandas

    frame = pandas.read_parquet(path, engine="pyarrow", dtype_backend="numpy_nullable")
    return {
        name: [None if gap else _plain(value) for value, gap in zip(frame[name], frame[name].isna(), strict=True)]
        for name in frame.columns
    }


def by_polars(path: Path) -> Columns:
    import polars

    return dict(polars.read_parquet(path).to_dict(as_series=False))


def by_duckdb(path: Path) -> Columns:
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        found = connection.execute("SELECT * FROM read_parquet(?)", [str(path)])
        names = [column[0] for column in found.description]
        return dict(zip(names, map(list, zip(*found.fetchall(), strict=True)), strict=True))


READERS: Mapping[str, Callable[[Path], Columns]] = {"pandas": by_pandas, "polars": by_polars, "duckdb": by_duckdb}


@pytest.fixture
def world(store: SqlStore, clock: FixedClock, tmp_path: Path) -> World:
    world = make_world(store, clock, tmp_path, inputs=1)
    vary(world)
    return world


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("table", NAMES)
def test_a_reader_finds_what_the_database_says(world: World, table: TableName, reader: str, tmp_path: Path) -> None:
    with world.parts.store.read() as tx:
        studies = tx.studies.all(project_id=world.admin.project_id)
    rows = expected(world, table, studies)
    path = written(world, table, tmp_path)
    found = READERS[reader](path)
    assert list(found) == list(rows[0])
    wrong = {name: values for name, values in found.items() if values != [row[name] for row in rows]}
    assert wrong == {}


def test_types_are_kept(world: World, tmp_path: Path) -> None:
    import duckdb
    import pandas
    import polars

    path = written(world, "ratings", tmp_path)
    frame = pandas.read_parquet(path, dtype_backend="numpy_nullable")
    assert {str(frame[name].dtype) for name in ("seen_ms", "parameter.radius", "parameter.grain")} == {"Int64"}
    assert {str(frame[name].dtype) for name in ("rated_at", "undone_at")} == {"datetime64[us, UTC]"}
    schema = polars.read_parquet_schema(path)
    assert str(schema["parameter.radius"]) == "Int64"
    assert str(schema["undone_at"]) == "Datetime(time_unit='us', time_zone='UTC')"
    with duckdb.connect() as connection:
        described = connection.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(path)]).fetchall()
    types = {row[0]: row[1] for row in described}
    assert (types["parameter.radius"], types["undone_at"]) == ("BIGINT", "TIMESTAMP WITH TIME ZONE")
    assert (types["id"], types["tags"]) == ("VARCHAR", "VARCHAR[]")


def test_several_files_of_a_version_are_read_as_one_by_name(world: World, tmp_path: Path) -> None:
    import duckdb

    with world.parts.store.read() as tx:
        studies = tx.studies.all(project_id=world.admin.project_id)
    paths = [str(written(world, "ratings", tmp_path, study.id)) for study in studies]
    with duckdb.connect() as connection:
        sums = (
            'count(*), sum(score), count("parameter.radius"), count("parameter.contrast"), count(*) FILTER (score >= 4)'
        )
        by_name = connection.execute(f"SELECT {sums} FROM read_parquet(?, union_by_name = true)", [paths]).fetchone()
        whole = str(written(world, "ratings", tmp_path))
        assert by_name == connection.execute(f"SELECT {sums} FROM read_parquet(?)", [whole]).fetchone()


def written(world: World, table: TableName, folder: Path, study: str = "") -> Path:
    path = folder / f"{table}-{study}.parquet"
    with sheets(world.parts, world.admin, study) as sheet:
        path.write_bytes(b"".join(encoded(sheet(table), "parquet")))
    return path


def _plain(value: Any) -> Any:
    for name in ("to_pydatetime", "tolist"):
        if hasattr(value, name):
            return getattr(value, name)()
    return value
