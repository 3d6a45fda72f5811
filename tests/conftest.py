"""Fixtures of all tests: a migrated database on both engines, and a clock that stands still."""

import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

from tests import postgres
from tests.books import PlainBooks
from tests.clock import FixedClock
from web.adapters.database.engine import Engines, connect
from web.adapters.database.migrate import migrate
from web.adapters.database.store import SqlStore

ENGINES = ("sqlite", "postgres")
settings.register_profile("palate", deadline=None)  # tests are not timed: the machine may be busy
settings.load_profile("palate")
# How many other tests take as long as one of these: so none of the long ones is left for one process to do alone.
SLOW = {
    "journeys": 20,
    "killing": 3,  # less than they take: their turn is after the browsers
    "care/test_drill.py": 40,
    "http/test_schema.py": 25,
    "publishing/test_torture.py": 5,
}


@dataclass(frozen=True)
class Shared:
    """A database that many tests use, one after the other; its engines keep what they compiled of each query."""

    url: str
    engines: Engines

    def store(self) -> SqlStore:
        """Return a store of one test: what it listens to on its engines ends with it."""
        return SqlStore(Engines(self.engines.writer.execution_options(), self.engines.reader.execution_options()))


@contextmanager
def shared(url: str) -> Iterator[Shared]:
    """Open a database until the block is left."""
    opened = Shared(url, connect(url))
    yield opened
    opened.engines.dispose()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give one process all that shares a product, a browser or a file; pytest 9.2 ignores the groups of xdist 3.8."""
    config.option.loadscopereorder = False  # the processes have put first what takes longest
    scheduler = LoadScopeScheduling(config, log)
    scheduler._split_scope = group
    return scheduler


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):  # there are more processes
        long = Counter[str]()
        for item in items:
            long[group(item.nodeid)] += SLOW.get(group(item.nodeid), 1)
        items.sort(key=lambda item: -long[group(item.nodeid)])


def group(nodeid: str) -> str:
    """Return what a test belongs to that one process does."""
    _, *folders, name = nodeid.partition("::")[0].split("/")
    return folders[0] if folders[:1] in (["journeys"], ["killing"]) else "/".join((*folders, name))


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Postgres]:
    with postgres.running() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres_server: postgres.Postgres) -> str:
    name = postgres_server.make()
    migrate(postgres_server.url(name))
    return name


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "palate.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def empty_url(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without any table."""
    if engine == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server = request.getfixturevalue("postgres_server")
    name = server.make()
    yield server.url(name)
    server.drop(name)


@pytest.fixture(scope="session")
def sqlite_shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    with shared(f"sqlite:///{tmp_path_factory.mktemp('shared') / 'palate.db'}") as opened:
        yield opened


@pytest.fixture(scope="session")
def postgres_shared(postgres_server: postgres.Postgres, postgres_template: str) -> Iterator[Shared]:
    with shared(postgres_server.url(postgres_server.share(postgres_template))) as opened:
        yield opened


@pytest.fixture
def blank(engine: str, request: pytest.FixtureRequest) -> Shared:
    """A database with the newest schema and no rows, on which the tests of a process take turns."""
    opened: Shared = request.getfixturevalue(f"{engine}_shared")
    if engine == "postgres":
        with opened.engines.writer.begin() as connection:
            connection.exec_driver_sql(postgres.EMPTY)
        return opened
    opened.engines.dispose()
    path = Path(opened.url.removeprefix("sqlite:///"))
    for left in path.parent.iterdir():
        left.unlink()
    shutil.copy(request.getfixturevalue("sqlite_template"), path)
    return opened


@pytest.fixture
def database_url(blank: Shared) -> str:
    """The address of a database with the newest schema and no rows; whoever changes the schema takes `empty_url`."""
    return blank.url


@pytest.fixture
def store(blank: Shared) -> SqlStore:
    return blank.store()


@pytest.fixture
def books(store: SqlStore, clock: FixedClock) -> PlainBooks:
    return PlainBooks(store, clock)
