"""Downloads that nobody reads on, over real sockets: they end, what they hold is let go of, and few go out at once."""

import logging
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from tests.clock import FixedClock
from tests.site import Site, serving
from tests.world import make_world
from web.adapters.database.store import SqlStore
from web.domain.ids import new_id
from web.http.serving.sending import Downloads
from web.services.accounts import keys
from web.settings import Settings

pytestmark = pytest.mark.storage
PATH = "/api/v1/exports/inputs.csv"
ROWS, NOTE = 800, "n" * 20_000  # more than all buffers between two sockets hold
PATIENCE = 20.0  # seconds: the machine may be busy


@pytest.fixture
def site(store: SqlStore, clock: FixedClock, tmp_path: Path) -> Site:
    world = make_world(store, clock, tmp_path, inputs=1)
    with store.begin() as tx:
        (one,) = tx.inputs.all()
        noted = {"note": NOTE}
        tx.inputs.add_all(
            replace(one, id=new_id(), content_hash=f"{number:064}", metadata=noted) for number in range(ROWS)
        )
    return Site(world, Settings(_env_file=None))


@pytest.fixture
def key(site: Site) -> str:
    return keys.make_key(site.world.parts, site.world.admin, keys.KeyDraft("notebook", ("exports:read",)))[1]


def held(store: SqlStore) -> int:
    """How many connections of the pool somebody has."""
    return int(store.engines.reader.pool.checkedout())  # type: ignore[attr-defined]


def until(look: Callable[[], bool]) -> float:
    """Wait until something is so, and return how many seconds that took."""
    began = time.monotonic()
    while not look():
        assert time.monotonic() - began < PATIENCE
        time.sleep(0.02)
    return time.monotonic() - began


@contextmanager
def stalled(port: int, key: str, window: int = 8192) -> Iterator[socket.socket]:
    """A client that has read how a download begins, and then nothing."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        client.settimeout(PATIENCE)
        client.connect(("127.0.0.1", port))
        client.sendall(f"GET {PATH} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\r\n".encode())
        assert client.recv(12) == b"HTTP/1.1 200"
        yield client


def ask(port: int, key: str, path: str = PATH) -> httpx.Response:
    return httpx.get(f"http://localhost:{port}{path}", headers={"Authorization": f"Bearer {key}"}, timeout=PATIENCE)


def test_a_download_that_nobody_reads_on_ends_and_lets_go_of_its_connection(
    site: Site, key: str, store: SqlStore, caplog: pytest.LogCaptureFixture
) -> None:
    site.app.state.downloads = Downloads(still=0.5)
    with serving(site) as port, stalled(port, key) as client:
        until(lambda: held(store) == 1)
        with caplog.at_level(logging.WARNING):
            until(lambda: held(store) == 0)
        given_up = next(one for one in caplog.records if one.name == "palate.downloads")
        assert given_up.__dict__["file"] == "palate-inputs.csv"
        body = b""
        while part := client.recv(1_000_000):
            body = (body + part)[-100:]
        assert not body.endswith(b"0\r\n\r\n"), "it passes for whole"


def test_who_reads_slowly_gets_all_of_it(site: Site, key: str) -> None:
    site.app.state.downloads = Downloads(still=2)
    tail, total, began = b"", 0, time.monotonic()
    with serving(site) as port, stalled(port, key, window=300_000) as client:
        while not tail.endswith(b"\r\n0\r\n\r\n"):
            part = client.recv(1_000_000)
            assert part, "it was cut off"
            tail, total = (tail + part)[-10:], total + len(part)
            time.sleep(0.1)
    assert time.monotonic() - began > 2
    assert total > ROWS * len(NOTE)


def test_the_connection_is_let_go_of_at_once_where_the_client_is_gone(site: Site, key: str, store: SqlStore) -> None:
    with serving(site) as port:
        with stalled(port, key):
            until(lambda: held(store) == 1)
        assert until(lambda: held(store) == 0) < 10  # which is far less than a minute


def test_few_go_out_at_once_and_the_next_is_told_what_to_do(site: Site, key: str, store: SqlStore) -> None:
    site.app.state.downloads = Downloads(at_once=1)
    with serving(site) as port:
        with stalled(port, key):
            for form in ("csv", "parquet"):
                refused = ask(port, key, f"/api/v1/exports/ratings.{form}")
                assert (refused.status_code, refused.headers["retry-after"]) == (429, "30")
                assert "Palate sends 1 tables at once" in refused.json()["detail"]
            assert held(store) == 1
        until(lambda: held(store) == 0)
        for path, status in (("/api/v1/exports/inputs.csv?study=Nothing", 404), ("/api/v1/exports/ratings.csv", 200)):
            for _ in range(2):
                assert ask(port, key, path).status_code == status
