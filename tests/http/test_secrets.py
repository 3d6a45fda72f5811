"""Passwords, keys, tokens, sessions and links are planted, and then searched for wherever anything is said or kept."""

import base64
import json
import logging
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import select

from tests.grounds import Grounds, routes
from tests.hashes import CountedHashes
from tests.site import KEY
from web.adapters.database.archive.project import ProjectArchive
from web.adapters.database.archive.writing import Place
from web.adapters.database.store import SqlStore
from web.adapters.database.tables import metadata
from web.http.edge.logs import JsonFormatter
from web.services.studies import intake

PAGE = {"Accept": "text/html"}
FORM = {"grant_type": "client_credentials"}
RITA = "rita@example.org"
ENDLESS = "/api/train/events"
# Every password somebody types, by what becomes of it; none needs to be encoded in a form, an address or a page.
PASSWORDS = {
    "chosen": "kupferFagott12Regale",
    "changed to": "zufriedenerHundAmSee4",
    "weak": "password1234",
    "wrong": "vergessenerSchirm77",
    "wrong current": "schwererMantel31Tor",
    "in a broken body": "BlauerZugNachNorden8",
    "of a wrong type": "SiebenGelbeLampen19",
    "beside an unknown field": "HerbstlaubImKanal55",
    "as a file": "EckigeMelonen23Kisten",
    "in an address": "LangsamerFahrstuhl90",
    "as the server failed": "NasseKreide41Tafel",
}


@dataclass
class Planted:
    """The secrets by their names, all that was answered, and where a secret was found in it."""

    secrets: dict[str, str] = field(default_factory=lambda: {f"password {name}": PASSWORDS[name] for name in PASSWORDS})
    answers: list[tuple[str, str]] = field(default_factory=list)

    def hear(self, answer: Response) -> None:
        """Keep an answer, with the request's route as its name."""
        answer.read()
        told = f"{answer.status_code}\n{answer.headers.multi_items()}\n{answer.text}"
        self.answers.append((f"{answer.request.method} {answer.request.url.path}", told))

    def found_in(self, text: str) -> set[str]:
        """Name the secrets that a text holds, as they are or in a form that anybody can turn back."""
        return {name for name, secret in self.secrets.items() if any(form in text for form in forms(secret))}

    def told(self) -> set[tuple[str, str]]:
        """Name the secrets that answers hold, with the route that told them."""
        found = set()
        for place, text in self.answers:
            for name in self.found_in(text):
                for other, secret in self.secrets.items():
                    place = place.replace(secret, f"{{{other}}}")
                found.add((place, name))
        return found


def forms(secret: str) -> Iterator[str]:
    """Yield a secret as it is, in hexadecimal, and what every base64 of a text with it in it has in common."""
    yield secret
    yield secret.removeprefix("palate_")
    yield secret.encode().hex()
    for shift in range(3):
        whole = base64.b64encode(b"\x00" * shift + secret.encode()).decode().rstrip("=")
        yield whole[4 if shift else 0 : -2]


@pytest.fixture
def planted() -> Planted:
    return Planted()


@pytest.fixture
def log() -> Iterator[StringIO]:
    """All that anything logs, as the product writes it."""
    written = StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonFormatter())
    handler.addFilter(lambda record: not record.name.startswith("http"))  # what the browsers of this test say
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield written
    root.removeHandler(handler)
    root.setLevel(level)


class Story:
    """What a team does in its first week with its accounts, with all that can go wrong on the way."""

    def __init__(self, grounds: Grounds, planted: Planted) -> None:
        self.grounds, self.planted = grounds, planted

    def browser(self) -> TestClient:
        browser = self.grounds.site.visitor(raise_errors=False)
        browser.event_hooks = {"response": [self.planted.hear]}
        return browser

    def keep_session(self, browser: TestClient, name: str) -> None:
        """Plant the session of a browser that has come in, and put its token into all that it sends."""
        self.planted.secrets[f"session {name}"] = browser.cookies["palate"]
        browser.headers["X-CSRF-Token"] = browser.get("/api/v1/session").json()["csrf_token"]

    def plant(self, name: str, secret: str) -> str:
        self.planted.secrets[name] = secret
        return secret

    def tell(self) -> None:
        admin = self.browser()
        link = self.plant("link of the admin", self.grounds.site.link("admin"))
        assert admin.post("/api/v1/session", json={"secret": link}).status_code == 204
        self.keep_session(admin, "of the admin")
        self.come_in(admin)
        self.change_password()
        self.mistype()
        self.use_keys(admin)
        self.fail()

    def come_in(self, admin: TestClient) -> None:
        body = {"email": RITA, "role": "rater"}
        made = admin.post("/api/v1/users/invites", json=body).json()["link"]
        link = self.plant("link used", made.rpartition("/")[2])
        unused = admin.post("/admin/people/invite", data={"email": "anna@example.org", "role": "rater"}).text
        self.plant("link unused", unused.partition("/link/")[2].partition('"')[0])
        guess = self.plant("link guessed", link[::-1])
        rita = self.browser()
        for secret, status in ((link, 200), (guess, 404)):
            assert rita.get(f"/link/{secret}", headers=PAGE).status_code == status
        for word, status in (("weak", 422), ("chosen", 303), ("chosen", 410)):
            sent = rita.post(f"/link/{link}", data={"password": PASSWORDS[word]}, headers=PAGE)
            assert sent.status_code == status, word
            if status == 303:
                self.keep_session(rita, "by link")
        assert rita.post("/api/v1/session", json={"secret": guess}).status_code == 404
        assert rita.post("/sign-out").status_code == 303

    def change_password(self) -> None:
        rita = self.browser()
        for word, status in (("wrong", 401), ("chosen", 303)):
            form = {"email": RITA, "password": PASSWORDS[word]}
            assert rita.post("/sign-in", data=form, headers=PAGE).status_code == status
        self.keep_session(rita, "by password")
        for current, status in (("wrong current", 422), ("chosen", 303)):
            form = {"current": PASSWORDS[current], "password": PASSWORDS["changed to"]}
            assert rita.post("/account/password", data=form, headers=PAGE).status_code == status
        weak = {"new": PASSWORDS["weak"], "current": PASSWORDS["changed to"]}
        assert rita.post("/api/v1/password", json=weak).status_code == 422
        for page in ("/account", "/api/v1/sessions", "/train", "/status", "/history"):
            assert rita.get(page, headers=PAGE).status_code == 200

    def mistype(self) -> None:
        visitor = self.browser()
        kind = {"Content-Type": "application/json"}
        good, unknown = {"email": RITA, "password": PASSWORDS["wrong"]}, PASSWORDS["beside an unknown field"]
        for body in (
            f'{{"email": "{RITA}", "password": "{PASSWORDS["in a broken body"]}"',
            json.dumps({**good, "password": [PASSWORDS["of a wrong type"]]}),
            json.dumps({**good, "password": unknown, "again": unknown}),
            json.dumps(PASSWORDS["of a wrong type"]),
        ):
            assert visitor.post("/api/v1/session", content=body, headers=kind).status_code == 422
        file = {"password": ("p.txt", PASSWORDS["as a file"].encode())}
        assert visitor.post("/sign-in", data={"email": RITA}, files=file, headers=PAGE).status_code == 422
        address = {"email": RITA, "password": PASSWORDS["in an address"]}
        assert visitor.get("/sign-in", params=address, headers=PAGE).status_code == 200
        assert visitor.get(f"/nowhere/{PASSWORDS['in an address']}", headers=PAGE).status_code == 404

    def use_keys(self, admin: TestClient) -> None:
        form = {"name": "by page", "scopes": ["prompts:read", "feedback:write"], "environment": "production"}
        page = admin.post("/admin/keys", data=form, headers=PAGE).text
        by_page = self.plant("key by page", f"palate_{page.partition('palate_')[2][:43]}")
        made = admin.post("/api/v1/keys", json={"name": "by rest", "scopes": ["prompts:read"]}).json()
        by_rest = self.plant("key by rest", made["key"])
        wrong = self.plant("key wrong", "palate_" + by_rest[:6:-1])
        machine = self.browser()
        for secret, status in ((by_rest, 200), (wrong, 401)):
            body = {**FORM, "client_id": made["id"], "client_secret": secret}
            answer = machine.post("/token", data=body)
            assert answer.status_code == status
            assert machine.post("/token", data=FORM, auth=(made["id"], secret)).status_code == status
            if status == 200:
                self.plant("token", answer.json()["access_token"])
        for proof, status in ((by_page, 200), (self.planted.secrets["token"], 200), (wrong, 401)):
            bearer = {"Authorization": f"Bearer {proof}"}
            assert machine.get("/prompts/current.json", headers=bearer).status_code == status
            assert machine.get("/account", headers=bearer).status_code in (401, 403)
        assert admin.delete(f"/api/v1/keys/{by_page}").status_code == 404
        assert admin.delete(f"/api/v1/keys/{made['id']}").status_code == 204

    def fail(self) -> None:
        """Sign in while hashing is broken in a way that nobody foresaw."""

        class Broken(CountedHashes):
            def verify(self, hashed: str, password: str) -> bool:
                raise RuntimeError("broken")

        app = self.grounds.site.app
        whole = app.state.context
        app.state.context = replace(whole, parts=replace(whole.parts, passwords=Broken()))
        form = {"email": RITA, "password": PASSWORDS["as the server failed"]}
        for path, body in (("/sign-in", {"data": form}), ("/api/v1/session", {"json": form})):
            assert self.browser().post(path, headers=PAGE, **body).status_code == 500  # type: ignore[arg-type]
        app.state.context = whole


# The only answers that may hold a secret: the one that gives it out, and the page of a link, to who has the link.
GIVEN = {
    ("POST /api/v1/session", "session of the admin"),
    ("POST /api/v1/users/invites", "link used"),
    ("POST /admin/people/invite", "link unused"),
    ("GET /link/{link used}", "link used"),
    ("POST /link/{link used}", "link used"),
    ("POST /link/{link used}", "session by link"),
    ("POST /sign-in", "session by password"),
    ("POST /admin/keys", "key by page"),
    ("POST /api/v1/keys", "key by rest"),
    ("POST /token", "token"),
}


# What is answered and logged does not depend on the database; what is kept does.
ONE_ENGINE = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


@pytest.fixture
def told(grounds: Grounds, planted: Planted, log: StringIO) -> Planted:
    planted.secrets["key of the server"] = KEY.decode()
    Story(grounds, planted).tell()
    return planted


@ONE_ENGINE
def test_a_secret_is_told_once_and_only_to_whom_it_is_given(told: Planted) -> None:
    assert told.told() == GIVEN


@ONE_ENGINE
def test_no_page_and_no_answer_shows_a_secret_afterwards(grounds: Grounds, told: Planted) -> None:
    shown = {}
    for name in ("nobody", "rater", "admin", "prompts:read key", "feedback:write key", "exports:read key"):
        person = grounds.person(name)
        for route in routes(grounds.site.app):
            if route.method == "GET" and route.path != ENDLESS:
                answer = grounds.send(person, "GET", grounds.path(route), headers={"Accept": "text/html,*/*"})
                found = told.found_in(f"{answer.headers.multi_items()}{answer.text}")
                if found:
                    shown[route.name, name] = found
    assert shown == {}


@ONE_ENGINE
def test_no_log_holds_a_secret(told: Planted, log: StringIO, capfd: pytest.CaptureFixture[str]) -> None:
    said = capfd.readouterr()
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert {"/sign-in", "/link/{secret}", "/token", "unmatched"} <= {line.get("path") for line in lines}
    assert any("RuntimeError: broken" in line.get("exception", "") for line in lines)
    assert told.found_in(f"{log.getvalue()}{said.out}{said.err}") == set()


def test_nothing_that_is_kept_holds_a_secret(grounds: Grounds, store: SqlStore, told: Planted, tmp_path: Path) -> None:
    place = Place(store, grounds.world.parts.objects, intake.view_key)
    ProjectArchive(place).export(tmp_path / "project.zip", lambda keys: keys)
    kept = dict(_rows(store))
    for file in tmp_path.rglob("*"):
        if file.is_file():
            kept[file.name] = file.read_bytes()
    with zipfile.ZipFile(BytesIO(kept["project.zip"])) as archive:
        kept |= {name: archive.read(name) for name in archive.namelist()}
    assert {"rows/passwords.jsonl", "rows/api_keys.jsonl", "table audit_events", "table sessions"} <= set(kept)
    found = {name: told.found_in(body.decode("latin-1")) for name, body in kept.items()}
    assert {name: secrets for name, secrets in found.items() if secrets} == {}


def _rows(store: SqlStore) -> Iterator[tuple[str, bytes]]:
    with store.read() as tx:
        for table in metadata.sorted_tables:
            rows: list[Any] = [dict(row) for row in tx.connection.execute(select(table)).mappings()]
            yield f"table {table.name}", repr(rows).encode()
