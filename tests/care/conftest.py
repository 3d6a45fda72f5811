"""Fixtures of the tests of data care: an installation that has lived, a copy of it, and another one."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.care.lived import Installation, Run, copied, elsewhere, installed, live
from web.__main__ import main
from web.adapters.database.store import SqlStore
from web.settings import Settings


@pytest.fixture(scope="session")
def lived(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """A project on SQLite with something of every kind in it; closed, and to be copied before it is used."""
    folder = tmp_path_factory.mktemp("lived")
    shutil.copy(sqlite_template, folder / "palate.db")
    store = SqlStore.open(f"sqlite:///{folder / 'palate.db'}")
    made = installed(store, folder, inputs=6)
    live(made.world)
    store.close()
    return made


@pytest.fixture
def origin(lived: Installation, tmp_path: Path) -> Iterator[Installation]:
    """A copy of it, which a test may change."""
    made = copied(lived, tmp_path / "origin")
    yield made
    made.store.close()


@pytest.fixture
def target(store: SqlStore, tmp_path: Path) -> Installation:
    """Another installation, on the engine of the test, with a study of its own."""
    return installed(store, tmp_path / "target", inputs=1)


@pytest.fixture
def empty(store: SqlStore, origin: Installation, tmp_path: Path) -> Installation:
    """A place on the engine of the test where nothing is yet."""
    return elsewhere(origin, store, tmp_path / "empty")


@pytest.fixture
def fresh(origin: Installation, sqlite_template: Path, tmp_path: Path) -> Iterator[Callable[[], Installation]]:
    """Make places on SQLite where nothing is yet."""
    stores: list[SqlStore] = []

    def make() -> Installation:
        folder = tmp_path / f"fresh {len(stores)}"
        folder.mkdir()
        shutil.copy(sqlite_template, folder / "palate.db")
        stores.append(SqlStore.open(f"sqlite:///{folder / 'palate.db'}"))
        return elsewhere(origin, stores[-1], folder)

    yield make
    for store in stores:
        store.close()


@pytest.fixture
def run(origin: Installation, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command on the installation that has lived, unless the environment is changed."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("DATA_DIR", str(origin.folder))
    monkeypatch.setenv("PROMPTS_DIR", str(origin.folder / "prompts"))

    def run(*words: object) -> tuple[int, str, str]:
        code = main([str(word) for word in words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def new_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Let the next commands work in another place, where nothing is yet, not even its folder."""
    folder = tmp_path / "elsewhere"
    monkeypatch.setenv("DATA_DIR", str(folder))
    monkeypatch.setenv("PROMPTS_DIR", str(folder / "prompts"))
    return folder
