"""A press on each engine: a project with the shipped prompt, and a folder that it publishes to."""

from pathlib import Path

import pytest

from tests.clock import FixedClock
from tests.publishing.press import make_press, operator
from web.adapters.database.store import SqlStore
from web.domain.access import Actor
from web.ports.parts import Parts


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "prompts"


@pytest.fixture
def parts(store: SqlStore, folder: Path, clock: FixedClock) -> Parts:
    return make_press(store, folder, clock)


@pytest.fixture
def admin(parts: Parts, store: SqlStore) -> Actor:
    return operator(store)
