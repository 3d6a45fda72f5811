"""Fixtures of HTTP tests: the whole app around a small product, and people who visit it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clock import FixedClock
from tests.grounds import Grounds
from tests.site import Site
from tests.world import make_world
from web.adapters.database.store import SqlStore
from web.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "data").mkdir()
    return Settings(_env_file=None, data_dir=tmp_path / "data")


@pytest.fixture
def site(store: SqlStore, clock: FixedClock, tmp_path: Path, settings: Settings) -> Site:
    return Site(make_world(store, clock, tmp_path, inputs=2), settings)


@pytest.fixture
def grounds(site: Site) -> Iterator[Grounds]:
    made = Grounds(site)
    with made.client:
        yield made
