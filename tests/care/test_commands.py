"""Data care from the terminal: what is said, what is written, and where it goes."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ml_service.objects.local import Folder
from tests.care.lived import Installation, Run, everything, members, watch
from tests.postgres import Postgres
from web.adapters.database.archive.project import ProjectArchive
from web.adapters.database.archive.writing import Place
from web.adapters.database.migrate import downgrade, migrate
from web.adapters.database.store import SqlStore
from web.services.studies import intake


@pytest.fixture
def postgres_url(postgres_server: Postgres) -> Iterator[str]:
    name = postgres_server.make()
    yield postgres_server.url(name)
    postgres_server.drop(name)


def test_a_project_moves_to_postgres(run: Run, origin: Installation, postgres_url: str, tmp_path: Path) -> None:
    file, there = tmp_path / "project.zip", tmp_path / "there"
    code, said, _ = run("export", "--project", file)
    assert code == 0
    assert "hashes of passwords and keys" in said
    place = {"DATABASE_URL": postgres_url, "DATA_DIR": str(there), "PROMPTS_DIR": str(there / "prompts")}
    command = [sys.executable, "-m", "web", "import", str(file), "--json"]
    done = subprocess.run(command, env={**os.environ, **place}, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["rows"]["memberships"] == len(everything(origin.store)["memberships"])
    for name in ("current.json", "v1.0.0.json", "v1.1.0.json", "current.meta.json"):
        published, here = (folder / "prompts" / "versions" / name for folder in (there, origin.folder))
        assert published.read_bytes() == here.read_bytes(), name
    store = SqlStore.open(postgres_url)
    ProjectArchive(Place(store, Folder(there / "objects"), intake.view_key)).export(tmp_path / "again.zip", watch)
    store.close()
    first, second = members(file), members(tmp_path / "again.zip")
    assert {name for name in first if second[name] != first[name]} == {"rows/audit_events.jsonl", "manifest.json"}


def test_a_second_import_says_that_the_place_is_in_use(
    run: Run, new_place: Path, origin: Installation, tmp_path: Path
) -> None:
    assert not new_place.exists()
    origin.export_project(tmp_path / "project.zip")
    assert run("import", tmp_path / "project.zip")[0] == 0
    code, said, complaint = run("import", tmp_path / "project.zip")
    assert (code, said) == (1, "")
    assert "in use" in complaint
    assert "DATABASE_URL" in complaint


@pytest.mark.parametrize("words", [("export", "out.zip"), ("export", "Photos", "out.zip", "--project")])
def test_an_export_is_of_one_study_or_of_the_whole_project(words: tuple[str, ...], run: Run) -> None:
    assert "--project" in run(*words)[2]


def test_a_file_is_not_written_where_there_is_no_folder(run: Run, tmp_path: Path) -> None:
    code, _, complaint = run("export", "--project", tmp_path / "nowhere" / "out.zip")
    assert code == 1
    assert "folder that is there" in complaint


def test_an_older_schema_is_to_be_migrated_first(run: Run, new_place: Path) -> None:
    new_place.mkdir()
    url = f"sqlite:///{new_place / 'palate.db'}"
    migrate(url)
    downgrade(url, "base")
    code, _, complaint = run("export", "--project", new_place / "out.zip")
    assert code == 1
    assert "web migrate" in complaint
