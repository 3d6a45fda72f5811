"""Fixtures of the tests of data care: an installation that has lived, a copy of it, and another one."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.care.lived import Installation, copied, elsewhere, installed, live
from web.adapters.store import SqlStore


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
