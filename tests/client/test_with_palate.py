"""The client against Palate itself: the real app under a real server, on both engines."""

import hashlib
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from client.palate_client import PalateClient, PalateError, Withdrawn
from tests.client.palate import until
from tests.clock import FixedClock
from tests.publishing.press import candidate, live
from tests.site import Site
from tests.varied import expected, vary
from tests.world import World, make_world
from web.adapters.database.store import SqlStore
from web.domain.access import Scope
from web.domain.prompts.feedback import Feedback
from web.domain.prompts.prompt import DEFAULT_KEY
from web.services.accounts import keys
from web.services.prompts import promotion
from web.services.reports.tables import NAMES
from web.settings import Settings


class Running:
    """A Palate that serves, and its admin."""

    def __init__(self, world: World, url: str, folder: Path) -> None:
        self.world, self.parts, self.url, self.folder = world, world.parts, url, folder

    def key(self, *scopes: Scope) -> str:
        """Return a fresh key."""
        draft = keys.KeyDraft("enhancer", scopes)
        return keys.make_key(self.parts, self.world.admin, draft)[1]

    def client(self, *scopes: Scope, **more: Any) -> PalateClient:
        """Return a client with a fresh key that looks at every use."""
        return PalateClient(self.url, self.key(*scopes or ("prompts:read", "feedback:write")), **{"ttl": 0.0, **more})

    def promote(self, **changes: Any) -> str:
        """Make a new version live and return its name."""
        fresh, revision = candidate(self.parts, **changes), live(self.parts)[0].revision
        return str(promotion.promote(self.parts, self.world.admin, DEFAULT_KEY, fresh.id, revision).version.name)

    def roll_back(self) -> str:
        """Make the version before live again and return its name."""
        revision = live(self.parts)[0].revision
        return str(promotion.roll_back(self.parts, self.world.admin, DEFAULT_KEY, revision).version.name)

    def withdraw(self, name: str) -> None:
        """Take a version down."""
        with self.parts.store.read() as tx:
            found = tx.versions.find(prompt_key=DEFAULT_KEY, name=name)
        assert found is not None
        promotion.withdraw(self.parts, self.world.admin, found.id)

    def feedback(self) -> tuple[Feedback, ...]:
        """Return what production said."""
        with self.parts.store.read() as tx:
            return tuple(tx.feedback.all())


@pytest.fixture
def running(store: SqlStore, clock: FixedClock, tmp_path: Path) -> Iterator[Running]:
    clock.time = datetime.now(UTC)
    world = make_world(store, clock, tmp_path, inputs=0)
    (tmp_path / "data").mkdir()
    site = Site(world, Settings(_env_file=None, data_dir=tmp_path / "data"))
    server = uvicorn.Server(uvicorn.Config(site.app, port=0, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    until("a start", lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield Running(world, f"http://127.0.0.1:{port}", tmp_path)
    server.should_exit = True
    thread.join()


def test_it_follows_promotions_and_rollbacks(running: Running, tmp_path: Path) -> None:
    client = running.client(cache=tmp_path / "cache")
    assert client.version.body == Path("prompts/versions/v1.0.0.json").read_bytes()
    name = running.promote(components={"local": {"prompt": "Enhance {{subject}} warmly."}})
    version = client.version
    assert version.name == name != "v1.0.0"
    assert version.prompt("local", subject="a cat") == {"prompt": "Enhance a cat warmly."}
    assert PalateClient(running.folder / "prompts", ttl=0).version == version, "the folder says the same"
    assert running.roll_back() == client.version.name == "v1.0.0"
    assert client.pinned(name) == version
    assert client.error is None
    assert (tmp_path / "cache" / "versions" / "current.json").read_bytes() == client.version.body


def test_what_has_not_changed_is_a_304(running: Running) -> None:
    client = running.client()
    version = client.version
    assert client.server is not None
    assert client.server.fetch("current", f'"{_tag(version.body)}"') is None
    again = running.client()
    assert again.version == version


def test_a_withdrawn_version_is_given_up_and_an_unknown_one_is_refused(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("client.palate_client.PINNED_SECONDS", 0.0)
    client = running.client()
    name = running.promote()
    assert client.pinned(name).name == name
    running.roll_back()
    running.withdraw(name)
    with pytest.raises(Withdrawn, match="410"):
        client.pinned(name)
    with pytest.raises(Withdrawn, match="404"):
        client.pinned("v77.0.0")
    assert client.version.name == "v1.0.0"


def test_a_key_is_needed_with_the_right_scope(running: Running) -> None:
    for key, words in (("", "401"), ("palate_" + "x" * 43, "401"), (running.key("feedback:write"), "403")):
        with pytest.raises(PalateError, match=words) as told:
            _ = PalateClient(running.url, key).version
        assert key == "" or key not in str(told.value)


def test_a_revoked_key_leaves_the_last_good_version(running: Running) -> None:
    client = running.client()
    good = client.version
    with running.parts.store.read() as tx:
        [key] = tx.keys.all()
    keys.revoke_key(running.parts, running.world.admin, key.id)
    client.refresh()
    assert client.version is good
    assert "revoked" in str(client.error)


def test_an_unknown_prompt_is_not_there(running: Running) -> None:
    with pytest.raises(PalateError, match="404"):
        _ = running.client(prompt_key="portraits").version


def test_a_report_is_stored_once_however_often_it_is_sent(running: Running) -> None:
    client = running.client()
    sent = client.report(client.version, score=2, comment="too dark \ud800\x00", failure="Time out")
    until("an empty queue", lambda: client.flush() == 0)
    [kept] = running.feedback()
    assert (kept.id, kept.score, kept.comment, kept.failure) == (sent, 2, "too dark", "time-out")
    assert client.status()["dropped"] == 0
    again = running.client()
    again.waiting.append({"id": sent, "version": "v1.0.0", "score": 1})
    assert again.flush() == 0
    assert again.status()["dropped"] == 1, "another report under the same id is refused"
    assert running.feedback() == (kept,)


def test_a_repeated_report_is_a_replay(running: Running) -> None:
    body = {"id": "018f2f3a-0000-7000-8000-000000000000", "version": "v1.0.0", "score": 4}
    headers = {"Authorization": f"Bearer {running.key('feedback:write')}"}
    answers = [httpx.post(f"{running.url}/api/v1/feedback", json=body, headers=headers) for _ in range(2)]
    assert [answer.json()["verdict"] for answer in answers] == ["stored", "replayed"]


def test_a_report_on_an_unknown_version_is_dropped(running: Running) -> None:
    client = running.client()
    client.report("v77.0.0", score=2)
    until("an empty queue", lambda: client.flush() == 0)
    assert client.status()["dropped"] == 1
    assert running.feedback() == ()


def test_what_it_takes_for_a_version_is_what_the_schema_describes(running: Running) -> None:
    known = json.loads(running.client().version.body)
    described = json.loads(Path("prompts/schema.json").read_text())
    assert set(described["required"]) <= set(known)


def _tag(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


@pytest.mark.far
def test_a_table_comes_as_a_data_frame_with_its_types(running: Running) -> None:
    second = vary(running.world)
    client = running.client("exports:read")
    for table in NAMES:
        rows = expected(running.world, table, (running.world.study, second))
        frame = client.load(table)
        assert list(frame.columns) == list(rows[0])
        assert list(frame["id"]) == [row["id"] for row in rows]
    ratings = client.load("ratings", second.name)
    assert set(ratings["study_id"]) == {second.id}
    kinds = ("id", "score", "flagged", "rated_at", "seen_ms", "parameter.radius", "parameter.contrast")
    assert [str(ratings[name].dtype) for name in kinds] == [
        "string",
        "Float64",
        "boolean",
        "datetime64[us, UTC]",
        "Int64",
        "Int64",
        "string",
    ]


@pytest.mark.far
def test_a_table_that_is_refused_says_why(running: Running, tmp_path: Path) -> None:
    client = running.client("exports:read")
    for asked, words in ((("people",), "no table people"), (("ratings", "Nothing"), "no study Nothing")):
        with pytest.raises(PalateError, match=words):
            client.load(*asked)
    with pytest.raises(PalateError, match="scope exports:read"):
        running.client("prompts:read").load("ratings")
    with pytest.raises(PalateError, match="a folder"):
        PalateClient(tmp_path).load("ratings")
