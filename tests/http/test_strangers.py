"""Bodies of those who may not: they are refused before anything of the body is read."""

import asyncio
import tempfile
from typing import Any

import pytest
from starlette.types import Message

from tests.grounds import Grounds, Person, Route, routes
from web.app import MOST_BYTES

CHUNK = 64 * 1024
MOST_SENT = 300 * 1024 * 1024  # more than any route takes
BOUNDARY = b"frontier"
FORM = b"multipart/form-data; boundary=" + BOUNDARY
HEAD = b'--%b\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n' % BOUNDARY
pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


class Sender:
    """Sends an endless form without saying how long it is, and counts what was taken from it."""

    def __init__(self, grounds: Grounds) -> None:
        self.grounds, self.taken, self.status = grounds, 0, 0

    def send(self, person: Person, route: Route, kind: bytes = FORM) -> int:
        """Send it and return the status of the answer."""
        self.taken = 0
        told = {name.lower().encode(): value.encode() for name, value in person.headers.items()}
        headers = {b"host": b"palate.test", b"content-type": kind, **told}
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": route.method,
            "scheme": "http",
            "path": self.grounds.path(route),
            "raw_path": self.grounds.path(route).encode(),
            "query_string": b"",
            "headers": list(headers.items()),
            "client": ("203.0.113.9", 50000),
            "server": ("palate.test", 80),
        }
        asyncio.run(self.grounds.site.app(scope, self._receive, self._answer))
        return self.status

    async def _receive(self) -> Message:
        assert self.taken < MOST_SENT, "read without a limit"
        body = HEAD if self.taken == 0 else bytes(CHUNK)
        self.taken += len(body)
        return {"type": "http.request", "body": body, "more_body": True}

    async def _answer(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]


@pytest.fixture
def sender(grounds: Grounds) -> Sender:
    return Sender(grounds)


def changing(grounds: Grounds) -> list[Route]:
    return [route for route in routes(grounds.site.app) if route.changes]


MADE_UP = {"Cookie": "palate=made-up"}
STRANGERS = [
    Person("nobody"),
    Person("made-up cookie", None, MADE_UP),
    Person("key", None, {"Authorization": "Bearer x"}),
]


@pytest.mark.parametrize("stranger", STRANGERS, ids=lambda person: person.name)
def test_nothing_that_a_stranger_sends_is_read(grounds: Grounds, sender: Sender, stranger: Person) -> None:
    for route in changing(grounds):
        status = sender.send(stranger, route)
        if route.demand is not None:
            assert (status, sender.taken) == (401, 0), route.name
        else:
            assert sender.taken <= MOST_BYTES + CHUNK, route.name
            assert status in (303, 401, 403, 413, 422), route.name


def test_nothing_is_read_of_members_who_may_not(grounds: Grounds, sender: Sender) -> None:
    for name in ("rater", "prompts:read key"):
        person = grounds.person(name)
        for route in (route for route in changing(grounds) if not person.may(route.demand)):
            assert (sender.send(person, route), sender.taken) == (403, 0), route.name


def test_of_an_admin_as_much_is_read_as_the_route_takes(
    grounds: Grounds, sender: Sender, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    upload = next(route for route in changing(grounds) if route.name == "POST /api/enhance/train")
    assert sender.send(grounds.person("admin"), upload) == 413
    assert 32 * 1024 * 1024 <= sender.taken <= 32 * 1024 * 1024 + 2 * CHUNK
    assert list(tmp_path.glob("tmp*")) == []


def test_json_of_a_stranger_is_not_read_either(grounds: Grounds, sender: Sender) -> None:
    rate = next(route for route in changing(grounds) if route.name == "POST /api/train/rate")
    assert (sender.send(Person("nobody"), rate, b"application/json"), sender.taken) == (401, 0)
    assert sender.send(grounds.person("rater"), rate, b"application/json") == 413
