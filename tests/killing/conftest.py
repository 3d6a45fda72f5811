"""Fixtures of the killing: the whole product in processes, on a database that syncs, once for each engine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import postgres
from tests.conftest import ENGINES
from tests.killing.product import Product


@pytest.fixture(scope="package", params=ENGINES)
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a database whose commits survive."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('database') / 'palate.db'}"
        return
    with postgres.running(durable=True) as server:
        yield server.url(server.make())


@pytest.fixture(scope="package")
def product(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """Two web servers and a worker at work on an engine."""
    folder: Path = tmp_path_factory.mktemp("killing")
    made = Product(folder, database)
    try:
        made.start()
        made.wait_for_webs()
        yield made
    finally:
        made.stop()
