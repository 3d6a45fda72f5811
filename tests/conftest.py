"""Fixtures of all tests: a migrated database on both engines, and a clock that stands still.

Where storage is the subject a test runs on both engines; the rest of `http` and `unit` takes one of the two by turns.
"""

import logging
import os
import shutil
import subprocess
import zlib
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
from web.http.edge.logs import JsonFormatter

ENGINES = ("sqlite", "postgres")
FULL = bool(os.environ.get("PALATE_FULL"))
BY_TURNS = ("http", "unit")  # folders whose tests take one engine, unless they are marked `storage`
settings.register_profile("palate", deadline=None)  # tests are not timed: the machine may be busy
settings.load_profile("palate")
# How many other tests take as long as one of these: so none of the long ones is left for one process to do alone.
SLOW = {
    "journeys of raters": 20,
    "journeys of admins": 20,
    "killing": 3,  # less than they take: their turn is after the browsers
    "care/test_documented.py": 10,
    "care/test_drill.py": 40,
    "http/test_headers.py": 2,
    "http/test_matrix.py": 8,
    "http/test_schema.py": 25,
    "http/test_sizes.py": 15,
    "publishing/test_torture.py": 5,
}
# Journeys go in two groups, each with a server and a browser of its own: these, and the rest.
RATING = ("test_away.py", "test_five_hundred.py", "test_rating.py", "test_rating_tools.py", "test_outbox.py")


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


TURN = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[TURN] = turn()


def pytest_report_header(config: pytest.Config) -> str:
    by_turns = "on both" if FULL else f"on one by turns, PALATE_TURN={config.stash[TURN]}"
    return f"engines: storage on both, http and unit {by_turns}"


def turn() -> int:
    """Return whose turn it is among the engines: it changes with every commit, and PALATE_TURN decides it."""
    given = os.environ.get("PALATE_TURN")
    if given is None and shutil.which("git"):
        count = ["git", "rev-list", "--count", "HEAD"]
        given = subprocess.run(count, cwd=Path(__file__).parent, capture_output=True, text=True).stdout.strip()
    return int(given or 0) % len(ENGINES)


def is_for_another_turn(item: pytest.Item, turn: int) -> bool:
    """Tell whether a test that takes both engines in turns is for the other one now."""
    params = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    engine, folder = params.get("engine"), item.nodeid.split("/")[1]
    if engine is None or folder not in BY_TURNS or item.get_closest_marker("storage") or is_fixed(item):
        return False
    twins = item.nodeid.replace(str(engine), "engine")
    return bool(ENGINES[(zlib.crc32(twins.encode()) + turn) % len(ENGINES)] != engine)


def is_fixed(item: pytest.Item) -> bool:
    """Tell whether a test names its engine itself."""
    return any("engine" in str(mark.args[:1]) for mark in item.iter_markers("parametrize"))


def leave(config: pytest.Config, items: list[pytest.Item], left: list[pytest.Item]) -> None:
    """Take tests out of those that run, and say so."""
    if left:
        gone = set(left)
        items[:] = [item for item in items if item not in gone]
        config.hook.pytest_deselected(items=left)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give one process all that shares a product, a browser or a file; pytest 9.2 ignores the groups of xdist 3.8."""
    config.option.loadscopereorder = False  # the processes have put first what takes longest
    scheduler = LoadScopeScheduling(config, log)
    scheduler._split_scope = group
    return scheduler


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not FULL:
        leave(config, items, [item for item in items if is_for_another_turn(item, config.stash[TURN])])
    if hasattr(config, "workerinput"):  # there are more processes
        long = Counter[str]()
        for item in items:
            long[group(item.nodeid)] += SLOW.get(group(item.nodeid), 1)
        items.sort(key=lambda item: -long[group(item.nodeid)])


def group(nodeid: str) -> str:
    """Return what a test belongs to that one process does."""
    _, *folders, name = nodeid.partition("::")[0].split("/")
    if folders[:1] == ["journeys"]:
        return "journeys of raters" if name in RATING else "journeys of admins"
    return folders[0] if folders[:1] == ["killing"] else "/".join((*folders, name))


@pytest.fixture(autouse=True)
def own_logs() -> Iterator[None]:
    """Take back where a test that starts the product in its own process has sent all logs."""
    root = logging.getLogger()
    level = root.level
    yield
    root.setLevel(level)
    for handler in root.handlers[:]:
        if isinstance(handler.formatter, JsonFormatter):
            root.removeHandler(handler)


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
