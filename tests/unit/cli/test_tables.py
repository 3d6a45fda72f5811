"""`table` as somebody at the terminal of the server runs it."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pyarrow.parquet import read_schema, read_table

from tests.unit.cli.conftest import Run
from web.domain.studies.study import Study
from web.services.reports.tables import NAMES

pytestmark = pytest.mark.usefixtures("here")


def test_all_tables_go_into_a_folder_of_their_version(run: Run, study: Study, tmp_path: Path) -> None:
    code, said, _ = run("table", "all", tmp_path / "out", "--study", "Photos", "--json")
    files = [str(tmp_path / "out" / "v1" / f"{name}.parquet") for name in NAMES]
    assert (code, json.loads(said)) == (0, {"files": files, "schema_version": 1})
    for name, path in zip(NAMES, files, strict=True):
        metadata = read_schema(path).metadata
        assert (metadata[b"palate.table"], metadata[b"palate.schema_version"]) == (name.encode(), b"1")
    assert sorted(path.name for path in (tmp_path / "out" / "v1").iterdir()) == sorted(
        f"{name}.parquet" for name in NAMES
    )


def test_the_name_of_the_file_says_what_is_written(run: Run, study: Study, tmp_path: Path) -> None:
    text, binary = tmp_path / "ratings.csv", tmp_path / "ratings"
    assert run("table", "ratings", text)[0] == run("table", "ratings", binary)[0] == 0
    assert text.read_text("utf-8-sig").startswith("id,study_id,study,")
    assert read_table(binary).num_rows == 0
    code, _, complained = run("table", "ratings", text, "--format", "parquet")
    assert (code, "leave out --format" in complained) == (1, True)


def test_an_unknown_study_or_folder_leaves_nothing(run: Run, study: Study, tmp_path: Path) -> None:
    for words, said in (
        ((tmp_path / "a.csv", "--study", "Nothing"), "no study Nothing"),
        ((tmp_path / "b" / "a.csv",), "folder"),
    ):
        code, _, complained = run("table", "ratings", *words)
        assert (code, said in complained) == (1, True)
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".csv" or path.name.startswith(".")] == []


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_standard_output_takes_a_table(study: Study, unbuffered: str) -> None:
    command = [sys.executable, "-m", "web", "table", "inputs", "-"]
    done = subprocess.run(command, env={**os.environ, "PYTHONUNBUFFERED": unbuffered}, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    assert read_table(io.BytesIO(done.stdout)).num_rows == 0
