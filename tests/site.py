"""The web app for tests, and the browsers that visit it."""

import csv
import io
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi.testclient import TestClient
from httpx2 import Response

from tests.world import World
from web.app import create_app
from web.domain.access import Role
from web.domain.ids import new_id
from web.services.accounts import accounts, members
from web.settings import Settings

KEY = b"a key for tests that is long enough"
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")  # the one form in which downloads tell a time


class Site:
    """The app around a world; nothing is signed in until it is asked for."""

    def __init__(self, world: World, settings: Settings) -> None:
        self.world, self.settings = world, settings
        self.app = create_app(world.parts, settings, KEY)

    def visitor(self, *, https: bool = False, raise_errors: bool = True) -> TestClient:
        """Return a browser that nobody has signed in, and that does not follow redirects."""
        base = "https://palate.test" if https else "http://palate.test"
        return TestClient(self.app, base, raise_server_exceptions=raise_errors, follow_redirects=False)

    def link(self, role: Role = "rater", email: str = "") -> str:
        """Return the secret of a fresh link for somebody new, or for the member with an address."""
        address = email or f"{role}{len(self.members())}-{new_id()[-6:]}@example.org"
        return accounts.invite(self.world.parts, self.world.admin, role, address)

    def signed_in(self, role: Role = "rater", email: str = "", *, https: bool = False) -> TestClient:
        """Return the browser of a new member, or of the member with an address, with its token in place."""
        client = self.visitor(https=https)
        assert client.post("/api/v1/session", json={"secret": self.link(role, email)}).status_code == 204
        client.headers["X-CSRF-Token"] = client.get("/api/v1/session").json()["csrf_token"]
        return client

    def members(self) -> dict[str, members.Member]:
        """Return the members by their address."""
        found = members.members(self.world.parts, self.world.admin)
        return {member.user.email: member for member in found}


@contextmanager
def serving(site: Site) -> Iterator[int]:
    """The site on a port of loopback, behind uvicorn as `serve` runs it."""
    server = uvicorn.Server(uvicorn.Config(site.app, port=0, log_config=None, access_log=False, proxy_headers=False))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            while not server.started:
                time.sleep(0.01)
            yield int(listening.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join()


def table_of(answer: Response) -> list[dict[str, str]]:
    """Return the rows of a CSV download, which says by its first bytes that it is UTF-8."""
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.content.startswith(b"\xef\xbb\xbf"), "a spreadsheet takes it for another encoding"
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
