"""Fixtures of the client's tests: a server that can misbehave, and clients of it."""

from collections.abc import Callable, Iterator

import pytest

from client.palate_client import PalateClient
from tests.client.palate import KEY, Palate, speaking

Make = Callable[..., PalateClient]


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy", "PALATE_URL", "PALATE_KEY", "PALATE_CACHE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def palate() -> Iterator[Palate]:
    with speaking() as server:
        yield server


@pytest.fixture
def make(palate: Palate) -> Iterator[Make]:
    """Make a client that looks at every use and does not wait long; its reports end with the test.

    Left alone it would go on sending, and the next test's server may get this one's port.
    """
    made: list[PalateClient] = []

    def make(**more: object) -> PalateClient:
        made.append(PalateClient(palate.url, KEY, **{"ttl": 0.0, "timeout": 2.0, **more}))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for client in made:
        with client._sending:
            client.waiting.clear()
