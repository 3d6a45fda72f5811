"""The client reads the live version, verifies it, and keeps the last good one whatever happens."""

import hashlib
import io
import json
import logging
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from client.palate_client import PalateClient, PalateError, Withdrawn
from tests.client.conftest import Make
from tests.client.palate import (
    KEY,
    PROBLEM,
    Fault,
    Handler,
    Palate,
    as_bytes,
    document,
    hung_up,
    published,
    speaking,
    until,
)
from web.domain.prompts.template import render

DRIP = 0.02


def torn(at: Handler) -> None:
    body = published("v1.1.0")
    with hung_up():
        at.raw(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body), body[: len(body) // 2])


def short(at: Handler) -> None:
    """Whole by its own account, and yet half."""
    at.answer(200, published("v1.1.0")[:200])


def wrong_hash(at: Handler) -> None:
    at.answer(200, as_bytes({**document("v1.1.0"), "changelog": "colder"}))


def dripping(at: Handler) -> None:
    with hung_up():
        at.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n", *[b" "] * 2000, pause=DRIP)


def dripping_head(at: Handler) -> None:
    with hung_up():
        at.raw(b"HTTP/1.1 200 OK\r\nX-Slow: ", *[b"y"] * 2000, pause=DRIP)


def dripping_chunks(at: Handler) -> None:
    with hung_up():
        at.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *[b"0"] * 2000, pause=DRIP)


def silent(at: Handler) -> None:
    at.palate.over.wait(30)
    at.close_connection = True


def huge(at: Handler) -> None:
    with hung_up():
        at.answer(200, as_bytes(document("v1.1.0", changelog="x" * (1 << 20))))


def endless(at: Handler) -> None:
    with hung_up():
        at.raw(b"HTTP/1.1 200 OK\r\n\r\n", *[b"[" * 65536] * 400)


def garbage(at: Handler) -> None:
    at.raw(b"\x16\x03\x01 this is no HTTP\r\n\r\n" + KEY.encode())


def hung_up_on(at: Handler) -> None:
    at.close_connection = True


def page(at: Handler) -> None:
    at.answer(200, b"<!doctype html><title>Sign in</title>", "text/html")


def deep(at: Handler) -> None:
    at.answer(200, b"[" * 100_000 + b"]" * 100_000)


def another_prompt(at: Handler) -> None:
    at.answer(200, published("v1.1.0", prompt_key="other"))


def newer_schema(at: Handler) -> None:
    at.answer(200, published("v1.1.0", schema_version=2))


def wrong_types(at: Handler) -> None:
    at.answer(200, published("v1.1.0", components={"local": {"prompt": 4}}))


def refused(status: int, kind: str = PROBLEM) -> Fault:
    return lambda at: at.answer(status, b'{"detail": "%s"}' % KEY.encode(), kind)


FAULTS: dict[str, tuple[Fault, str]] = {
    "torn": (torn, "JSON"),
    "short": (short, "JSON"),
    "wrong hash": (wrong_hash, "sha256"),
    "dripping": (dripping, "within"),
    "dripping head": (dripping_head, "within"),
    "dripping chunks": (dripping_chunks, "within"),
    "silent": (silent, ""),
    "huge": (huge, "1048576 bytes"),
    "endless": (endless, "1048576 bytes"),
    "garbage": (garbage, "BadStatusLine"),
    "hung up": (hung_up_on, ""),
    "a page": (page, "JSON"),
    "deep": (deep, "RecursionError"),
    "another prompt": (another_prompt, "another version"),
    "newer schema": (newer_schema, "newer client"),
    "wrong types": (wrong_types, "components"),
    "500": (refused(500), "500"),
    "503": (refused(503, "text/html"), "503"),
    "401": (refused(401), "revoked"),
    "403": (refused(403), "scope"),
    "404": (refused(404), "404"),
    "410": (refused(410), "410"),
}
SHORT = dict.fromkeys(("dripping", "dripping head", "dripping chunks", "silent"), 0.5)


def test_the_live_version_is_read_and_filled_in(make: Make, palate: Palate) -> None:
    version = make().version
    assert (version.name, version.prompt_key, version.body) == ("v1.0.0", "photo-enhance", palate.live)
    assert version.prompt("local", subject="a cat") == {
        "prompt": "Enhance a cat in daylight.",
        "negative_prompt": "artefacts",
    }
    assert version.parameters("local") == {"exposure": 0.25, "style": "natural"}
    assert version.parameters("leonardo") == {}
    assert palate.asked[0].key == f"Bearer {KEY}"


def test_what_fills_one_blank_does_not_open_another(make: Make) -> None:
    assert make().version.prompt("local", subject="{{light}} \\1", light="{{subject}}")["prompt"] == (
        "Enhance {{light}} \\1 in {{subject}}."
    )


@pytest.mark.parametrize("text", ["{{ subject }}", "{{subject}}", "{{\nsubject }}"])
def test_a_plain_blank_may_have_space_around_its_name(make: Make, palate: Palate, text: str) -> None:
    palate.live = published(components={"local": {"prompt": f"Of {text}.\r\n"}})
    assert make().version.prompt("local", subject="a cat") == {"prompt": "Of a cat.\r\n"}


@pytest.mark.parametrize("text", ["{% if subject %}x{% endif %}", "{{ subject|upper }}", "{{mood}}", "{# note #}"])
def test_a_text_that_is_more_than_plain_needs_a_renderer(make: Make, palate: Palate, text: str) -> None:
    palate.live = published(components={"local": {"prompt": text, "style": "of {{subject}}"}})
    version = make().version
    with pytest.raises(PalateError, match=r"template of more than \{\{name\}\}; pass render="):
        version.prompt("local")
    assert version.prompt("local", render=lambda text, values: f"{text} with {values}", subject="a cat") == {
        "prompt": text + " with {'subject': 'a cat', 'light': 'daylight'}",
        "style": "of a cat",
    }


def test_a_renderer_as_documented_makes_of_a_text_what_palate_makes_of_it(make: Make, palate: Palate) -> None:
    text = "{% if subject == 'a cat' %}Of {{ subject|title }} in {{light}}.{% endif %}\n"
    palate.live = published(components={"local": {"prompt": text}})
    sandbox = ImmutableSandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True)
    filled = make().version.prompt(
        "local", render=lambda text, values: sandbox.from_string(text).render(values), subject="a cat"
    )
    assert (
        filled
        == {"prompt": render(text, {"subject": "a cat", "light": "daylight"})}
        == {"prompt": "Of A Cat in daylight.\n"}
    )


def test_an_unknown_variable_or_generator_is_an_error_that_names_what_there_is(make: Make) -> None:
    version = make().version
    with pytest.raises(PalateError, match=r"variables subject, light; asked was local with room"):
        version.prompt("local", room="kitchen")
    with pytest.raises(PalateError, match="prompts for local"):
        version.prompt("leonardo")


def test_nobody_can_change_a_version_through_what_it_returned(make: Make) -> None:
    version = make().version
    version.parameters("local")["exposure"] = 9
    version.prompt("local").clear()
    assert version.parameters("local")["exposure"] == 0.25
    assert version.prompt("local") != {}


def test_an_unchanged_version_is_not_sent_again(make: Make, palate: Palate) -> None:
    client = make()
    first, second = client.version, client.version
    assert first is second
    assert [asked.tag for asked in palate.asked] == [None, f'"{_sha256(palate.live)}"']
    palate.live = published("v1.1.0")
    assert client.version.name == "v1.1.0"


def test_within_its_time_a_version_is_not_asked_for_again(make: Make, palate: Palate) -> None:
    client = make(ttl=60)
    for _ in range(50):
        assert client.version.name == "v1.0.0"
    assert len(palate.asked) == 1
    palate.live = published("v1.1.0")
    client.refresh()
    assert client.version.name == "v1.1.0"


def test_a_rollback_is_followed(make: Make, palate: Palate) -> None:
    client = make()
    for name in ("v1.0.0", "v2.0.0", "v1.0.0"):
        palate.live = published(name)
        assert client.version.name == name


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_leaves_the_last_good_version_and_is_told(
    name: str, make: Make, palate: Palate, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    client = make(timeout=SHORT.get(name, 10.0), cache=tmp_path)
    good = client.version
    kept = (tmp_path / "versions" / "current.json").read_bytes()
    palate.fault, words = FAULTS[name]
    client.refresh()
    assert client.version is good
    until("an error", lambda: client.error)
    assert words in str(client.error)
    assert client.stale_since is not None
    assert (tmp_path / "versions" / "current.json").read_bytes() == kept
    assert KEY not in f"{client!r} {client.error} {client.status()} {caplog.text}"
    palate.fault, palate.live = None, published("v1.2.0")
    client.refresh()
    assert client.status()["version"] == "v1.2.0"
    assert client.status()["error"] is client.status()["stale_since"] is None


@pytest.mark.parametrize("name", FAULTS)
def test_without_any_good_version_a_fault_is_an_error_that_says_why(name: str, make: Make, palate: Palate) -> None:
    palate.fault, words = FAULTS[name]
    client = make(timeout=SHORT.get(name, 10.0))
    with pytest.raises(PalateError, match="no current version of photo-enhance") as told:
        _ = client.version
    assert not isinstance(told.value, Withdrawn)
    assert words in str(told.value)
    assert KEY not in str(told.value)
    assert told.value.__context__ is None


def test_a_redirect_is_not_followed_and_the_key_stays_at_home(make: Make, palate: Palate) -> None:
    client = make()
    good = client.version
    with speaking() as other:
        other.live = published("v6.6.6")
        for status in (301, 302, 303, 307, 308):
            to = f"{other.url}/prompts/current.json"
            palate.fault = lambda at, status=status, to=to: at.answer(status, b"", Location=to)
            client.refresh()
            assert client.version is good
            assert str(status) in str(client.error)
        assert other.asked == []


def test_a_server_that_is_away_is_asked_ever_more_rarely(make: Make, palate: Palate) -> None:
    client = make()
    good = client.version
    palate.fault, palate.asked[:] = refused(500), []
    end = time.monotonic() + 1.5
    while time.monotonic() < end:
        assert client.version is good
        time.sleep(0.001)
    assert 1 <= len(palate.asked) <= 4


def test_a_server_that_nobody_runs_is_an_outage() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{probe.getsockname()[1]}"
    with pytest.raises(PalateError, match="refused"):
        _ = PalateClient(address, KEY).version
    with pytest.raises(PalateError, match="no current version"):
        _ = PalateClient("http://palate.invalid", KEY, allow_http=True).version


def test_many_threads_make_one_request_and_those_with_a_version_do_not_wait(make: Make, palate: Palate) -> None:
    client = make(timeout=30)
    good = client.version
    at_work, go_on = threading.Event(), threading.Event()

    def slow(at: Handler) -> None:
        at_work.set()
        go_on.wait(60)
        at.answer(200, published("v1.1.0"))

    palate.fault, palate.asked[:] = slow, []
    with ThreadPoolExecutor(17) as pool:
        first = pool.submit(lambda: client.version)
        assert at_work.wait(10)
        others = [pool.submit(lambda: client.version) for _ in range(16)]
        assert {other.result(20).name for other in others} == {good.name}
        go_on.set()
        assert first.result(20).name == "v1.1.0"
    assert len(palate.asked) == 1


def test_threads_that_have_no_version_yet_wait_for_the_same_one(make: Make, palate: Palate) -> None:
    def slow(at: Handler) -> None:
        time.sleep(0.2)
        at.answer(200, palate.live)

    palate.fault = slow
    client = make(ttl=60)
    with ThreadPoolExecutor(16) as pool:
        assert {found.name for found in pool.map(lambda _: client.version, range(16))} == {"v1.0.0"}
    assert len(palate.asked) == 1


def test_an_answer_that_comes_too_late_for_its_asker_still_counts(make: Make, palate: Palate) -> None:
    client = make(timeout=0.5)
    good = client.version
    fetch, go_on = client.source.fetch, threading.Event()

    def stalled(name: str, tag: str = "") -> tuple[bytes, str] | None:  # as a resolver that hangs does
        go_on.wait(60)
        return fetch(name, tag)

    client.source.fetch = stalled  # type: ignore[method-assign]
    palate.live = published("v1.1.0")
    assert client.version is good
    go_on.set()
    until("the new version", lambda: client.status()["version"] == "v1.1.0")


def test_other_majors_are_refused_where_one_was_asked_for(make: Make, palate: Palate) -> None:
    client = make(major=1)
    assert client.version.name == "v1.0.0"
    palate.live = published("v2.0.0")
    assert client.version.name == "v1.0.0"
    assert "major 1" in str(client.error)
    palate.live = published("v1.3.0")
    client.refresh()
    assert client.version.name == "v1.3.0"


def test_another_prompt_is_asked_for_by_its_key(make: Make, palate: Palate) -> None:
    palate.live = published("v1.0.0", prompt_key="portraits")
    assert make(prompt_key="portraits").version.prompt_key == "portraits"
    assert palate.asked[0].path == "/prompts/current.json?key=portraits"


def test_fields_that_are_not_known_are_passed_over(make: Make, palate: Palate) -> None:
    variables = {"subject": {"type": "string", "hint": [1]}}
    palate.live = published("v1.1.0", later={"a": [1, None]}, variables=variables)
    assert make().version.variables == {"subject": ""}


def test_what_happens_is_logged_once(make: Make, palate: Palate, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "palate.client")
    client = make()
    _ = client.version
    palate.fault = refused(500)
    client.refresh()
    client.refresh()
    assert [record.levelname for record in caplog.records] == ["INFO", "WARNING"]
    assert caplog.messages[0] == "current of photo-enhance is v1.0.0"


@pytest.mark.parametrize(
    ("source", "key", "words"),
    [
        ("http://palate.example.org", KEY, "use https"),
        ("ftp://palate.example.org", KEY, "address alone"),
        (f"https://me:{KEY}@palate.example.org", KEY, "address alone"),
        (f"https://palate.example.org?key={KEY}", KEY, "address alone"),
        ("https://", KEY, "address alone"),
        ("https://palate.example.org", f"{KEY}\nX-Admin: 1", "line break"),
        ("https://palate.example.org", f"{KEY}ü", "character"),
    ],
)
def test_an_address_or_a_key_that_cannot_be_right_is_refused_without_showing_the_key(
    source: str, key: str, words: str
) -> None:
    with pytest.raises(ValueError, match=words) as told:
        PalateClient(source, key)
    assert KEY not in str(told.value)


def test_http_is_taken_for_this_machine_and_where_it_was_allowed() -> None:
    for source in ("http://localhost:1", "http://[::1]:1"):
        PalateClient(source, KEY)
    PalateClient("http://palate.internal", KEY, allow_http=True)


def test_a_prompt_key_that_is_a_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="prompt key"):
        PalateClient(tmp_path, prompt_key="../secrets")


def test_a_proxy_of_the_environment_is_not_told_what_goes_to_this_machine(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    with speaking() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        assert make().version.name == "v1.0.0"
        assert proxy.asked == []


def test_the_address_may_have_a_path(palate: Palate) -> None:
    with pytest.raises(PalateError):
        _ = PalateClient(f"{palate.url}/tools/palate/", KEY).version
    assert palate.asked[0].path == "/tools/palate/prompts/current.json"


def test_its_status_is_json(make: Make) -> None:
    client = make()
    assert json.loads(json.dumps(client.status()))["version"] is None
    version = client.version
    assert client.status() == {
        "prompt_key": "photo-enhance",
        "version": "v1.0.0",
        "sha256": version.sha256,
        "error": None,
        "stale_since": None,
        "waiting": 0,
        "dropped": 0,
    }


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


@pytest.mark.parametrize(
    "pieces",
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", b"PAR1"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"4\r\nPAR1\r\n"),
    ],
    ids=["of a length", "in chunks"],
)
def test_a_table_that_is_cut_off_is_an_error(palate: Palate, make: Make, pieces: tuple[bytes, ...]) -> None:
    palate.fault = lambda at: at.raw(*pieces)
    server = make().server
    assert server is not None
    with pytest.raises(PalateError, match="did not come whole"):
        server.download("/api/v1/exports/ratings.parquet", io.BytesIO())
