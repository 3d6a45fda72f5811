"""Uploads that can be gone on with: what is to come is noted first, sent file by file, and each photo stored once."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event

from ml_service.errors import InvalidRequest, TooLarge, Unavailable
from tests.clock import FixedClock
from tests.site import Site
from tests.world import make_world, photo
from web.adapters.database.store import SqlStore
from web.domain.studies.batch import LOOSE, TRIES
from web.services.studies import intake
from web.settings import Settings


class Addresses:
    """A fetcher that knows a few addresses: bytes, or why not."""

    def __init__(self, known: Mapping[str, bytes | Exception]) -> None:
        self.known, self.asked = known, list[str]()

    def fetch(self, url: str) -> bytes:
        self.asked.append(url)
        found = self.known[url]
        if isinstance(found, Exception):
            raise found
        return found


@pytest.fixture
def site(store: SqlStore, clock: FixedClock, tmp_path: Path) -> Site:
    return Site(make_world(store, clock, tmp_path, inputs=0), Settings(_env_file=None))


@pytest.fixture
def admin(site: Site) -> TestClient:
    return site.signed_in("admin")


class Upload:
    """One upload, as a browser would do it."""

    def __init__(self, site: Site, admin: TestClient, label: str = "holiday") -> None:
        self.site, self.admin = site, admin
        begun = admin.post(f"/api/v1/studies/{site.world.study.id}/batches", json={"label": label})
        assert begun.status_code == 200, begun.text
        self.id = begun.json()["id"]

    def list(self, files: Mapping[str, bytes]) -> dict[str, dict[str, Any]]:
        listed = [{"path": path, "size": len(body)} for path, body in files.items()]
        answer = self.admin.post(f"/api/v1/batches/{self.id}/files", json={"files": listed})
        assert answer.status_code == 200, answer.text
        return dict(zip(files, answer.json()["files"], strict=True))

    def send(self, item: str, body: bytes) -> dict[str, Any]:
        answer = self.admin.put(f"/api/v1/batches/items/{item}", files={"file": ("x", body)})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def counts(self) -> dict[str, int]:
        found: dict[str, int] = self.admin.get(f"/api/v1/batches/{self.id}").json()["counts"]
        return found

    def manifest(self, text: str | bytes, kind: str = "text/csv", folder: str = "") -> Any:
        place, said = f"/api/v1/batches/{self.id}/manifest", {"Content-Type": kind}
        return self.admin.post(place, content=text, headers=said, params={"folder": folder} if folder else {})


def inputs(site: Site) -> dict[str, Any]:
    with site.world.parts.store.read() as tx:
        return {source.name: source for source in tx.inputs.all(study_id=site.world.study.id, removed_at=None)}


@pytest.mark.storage
def test_the_same_folder_chosen_again_sends_only_what_is_missing(site: Site, admin: TestClient, tmp_path: Path) -> None:
    files = {f"day {number}/photo {number}.jpg": photo(number) for number in range(6)}
    files["day 9/copy.jpg"] = photo(0)
    files["day 9/letter.jpg"] = b"Dear all, this is no photo."
    first = Upload(site, admin)
    known = first.list(files)
    for path in list(files)[:3]:
        assert first.send(known[path]["id"], files[path])["state"] == "added"
    assert first.counts() == {"added": 3, "missing": 5}
    shown = " ".join(admin.get(f"/admin/studies/{site.world.study.id}/photos").text.split())
    assert "5 of 8 of holiday are missing" in shown

    again = Upload(site, admin)
    assert again.id == first.id
    known = again.list(files)
    assert [one["state"] for one in known.values()] == ["added"] * 3 + ["missing"] * 5
    for path, one in known.items():
        if one["state"] == "missing":
            again.send(one["id"], files[path])
    assert again.counts() == {"added": 6, "known": 1, "refused": 1}
    assert again.send(known["day 9/letter.jpg"]["id"], files["day 9/letter.jpg"])["state"] == "refused"
    (refused,) = admin.get(f"/api/v1/batches/{first.id}").json()["refused"]
    assert "no picture that can be read" in refused["said"]
    assert sorted(inputs(site)) == [f"photo {number}.jpg" for number in range(6)]
    with site.world.parts.store.read() as tx:
        assert len(tx.events.all(action="input.added")) == 6
    site.world.work()
    stored = [path for path in (tmp_path / "objects" / "inputs").rglob("*") if path.is_file()]
    assert len(stored) == 2 * 6  # each with what pages show of it


@pytest.mark.storage
def test_the_same_bytes_again_change_nothing_and_others_are_taken(site: Site, admin: TestClient) -> None:
    upload = Upload(site, admin)
    (one,) = upload.list({"a.jpg": photo(1)}).values()
    first = upload.send(one["id"], photo(1))
    assert upload.send(one["id"], photo(1)) == first
    assert len(inputs(site)) == 1
    (same,) = upload.list({"a.jpg": photo(1)}).values()
    assert (same["state"], same["sha256"]) == ("added", first["sha256"])
    larger = photo(2, side=64)
    (changed,) = upload.list({"a.jpg": larger}).values()
    assert (changed["id"], changed["state"]) == (one["id"], "missing")
    assert upload.send(changed["id"], larger)["input_id"] != first["input_id"]
    assert upload.counts() == {"added": 1}


@pytest.mark.storage
def test_what_is_missing_is_told_first_however_much_came_whole_since(site: Site, admin: TestClient) -> None:
    def told() -> list[str]:
        shown = " ".join(admin.get(f"/admin/studies/{site.world.study.id}/photos").text.split())
        return re.findall(r"<p>([^<]*), <time", shown)

    def whole(label: str, number: int, body: bytes = b"") -> None:
        upload = Upload(site, admin, label)
        (item,) = upload.list({f"{number}.jpg": body or photo(number)}).values()
        upload.send(item["id"], body or photo(number))

    Upload(site, admin, "half").list({"a.jpg": photo(40)})
    Upload(site, admin, "listed.csv").manifest("url\nhttps://example.org/b.jpg\n")
    whole("broken", 41, b"no photo")
    for number in range(5):
        whole(f"whole {number}", number)
    whole(LOOSE, 10)
    Upload(site, admin, "nothing")
    assert told() == ["broken", "listed.csv", "half", "whole 4", "whole 3", "whole 2"]
    whole(LOOSE, 42, b"no photo")
    assert told()[:3] == [LOOSE, "broken", "listed.csv"], "single photos are told of once one is refused"
    site.world.clock.advance(days=2)
    assert told() == [LOOSE, "broken", "listed.csv", "half"]


def test_an_upload_put_away_is_told_of_no_more(site: Site, admin: TestClient) -> None:
    upload = Upload(site, admin)
    upload.list({"a.jpg": photo(1)})
    place = f"/admin/studies/{site.world.study.id}/photos"
    for _ in range(2):
        assert admin.post(f"{place}/batches/{upload.id}/close").status_code == 303
    assert "holiday" not in admin.get(place).text
    assert Upload(site, admin).id != upload.id


def test_what_a_photo_was_called_is_forgotten_with_it(site: Site, admin: TestClient) -> None:
    upload = Upload(site, admin)
    (one,) = upload.list({"the secret.jpg": photo(1)}).values()
    kept = upload.send(one["id"], photo(1))
    intake.take_down(site.world.parts, site.world.admin, kept["input_id"])
    assert "secret" not in str(admin.get(f"/api/v1/batches/{upload.id}").json())
    with site.world.parts.store.read() as tx:
        (item,) = tx.batch_items.all(batch_id=upload.id)
    assert "secret" not in repr(item)
    (again,) = upload.list({"the secret.jpg": photo(1)}).values()
    assert (again["state"], again["id"] != one["id"]) == ("missing", True), "a path that was forgotten is new"
    site.world.clock.advance(days=100)
    with site.world.parts.store.begin() as tx:
        tx.of_photos.forget_batches(site.world.clock.now())
        assert (tx.batches.all(), tx.batch_items.all()) == ((), ())


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("files", "status"),
    [
        ([{"path": "", "size": 1}], 422),
        ([{"path": "a" * 401, "size": 1}], 422),
        ([{"path": "a\nb", "size": 1}], 422),
        ([{"path": "a\u202egpj.exe", "size": 1}], 422),
        ([{"path": "a", "size": -1}], 422),
        ([{"path": "a", "size": 2**31}], 422),
        ([{"path": str(number), "size": 1} for number in range(2001)], 422),
    ],
)
def test_a_list_that_means_nothing_is_refused(site: Site, admin: TestClient, files: Any, status: int) -> None:
    upload = Upload(site, admin)
    assert admin.post(f"/api/v1/batches/{upload.id}/files", json={"files": files}).status_code == status
    assert upload.counts() == {}


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_name_with_blanks_and_joiners_that_are_not_seen_is_a_name(site: Site, admin: TestClient) -> None:
    upload = Upload(site, admin)
    names = ["Screenshot 3.14.15\u202fPM.png", "\u00a0.jpg", "\U0001f469\u200d\U0001f33e.jpg"]
    files = [{"path": name, "size": 1} for name in names]
    assert admin.post(f"/api/v1/batches/{upload.id}/files", json={"files": files}).status_code == 200
    assert upload.counts() == {"missing": 3}


@pytest.mark.storage
def test_a_manifest_says_what_files_are_and_which_addresses_are_asked(site: Site, admin: TestClient) -> None:
    found: dict[str, bytes | Exception] = {
        "https://example.org/b.jpg?x=1": photo(2),
        "https://example.org/c.jpg": InvalidRequest("Its host answered 404."),
    }
    found |= {
        "https://example.org/d.jpg": Unavailable("Its host is not known."),
        "https://example.org/e.jpg": TooLarge("Too large."),
    }
    fetcher = Addresses(found)
    site.world.parts = replace(site.world.parts, fetcher=fetcher)
    upload = Upload(site, admin)
    text = "file,url,name,stratum,group,metadata.camera\n"
    text += 'in/a.jpg,,"A, first",dusk,beach,X100\n' + "".join(f",{url},,dawn,,\n" for url in found)
    assert upload.manifest(text).status_code == 200
    assert upload.counts() == {"missing": 1, "fetching": 4}
    (one,) = upload.list({"in/a.jpg": photo(1)}).values()
    upload.send(one["id"], photo(1))
    for _ in range(TRIES + 1):
        site.world.work()
        site.world.clock.advance(minutes=1)
    assert upload.counts() == {"added": 2, "refused": 3}
    assert fetcher.asked.count("https://example.org/d.jpg") == TRIES
    kept = inputs(site)
    first, second = kept["A, first"], kept["b.jpg"]
    assert (first.stratum, first.related, first.metadata) == ("dusk", "beach", {"camera": "X100"})
    assert (second.stratum, second.metadata) == ("dawn", None)
    assert "X100" in admin.get(f"/admin/studies/{site.world.study.id}/photos").text
    found["https://example.org/c.jpg"] = photo(3)  # it is there now
    assert upload.manifest(text.replace("dawn", "noon")).status_code == 200
    assert upload.counts() == {"added": 2, "fetching": 3}, "what was refused is asked again, and nothing else"
    for _ in range(TRIES + 1):
        site.world.work()
        site.world.clock.advance(minutes=1)
    assert upload.counts() == {"added": 3, "refused": 2}
    assert fetcher.asked.count("https://example.org/d.jpg") == 2 * TRIES
    assert {name: source.stratum for name, source in inputs(site).items()}.items() >= {
        "b.jpg": "dawn",
        "c.jpg": "noon",
    }.items()


@pytest.mark.storage
def test_a_long_manifest_sent_again_is_noted_by_few_statements(site: Site, admin: TestClient) -> None:
    upload, files = Upload(site, admin), [f"{number}.jpg" for number in range(3000)]
    (first,) = upload.list({files[0]: photo(1)}).values()
    upload.send(first["id"], photo(1))
    for stratum in ("dusk", "dawn"):
        with asked_of(site) as statements:
            answer = upload.manifest("file,stratum\n" + "".join(f"{file},{stratum}\n" for file in files))
        assert answer.json()["counts"] == {"added": 1, "missing": 2999}
        assert len(statements) < 30
    with site.world.parts.store.read() as tx:
        assert Counter(item.stratum for item in tx.batch_items.all(batch_id=upload.id)) == {"dawn": 2999, "": 1}


@contextmanager
def asked_of(site: Site) -> Iterator[list[str]]:
    """The statements that the database is asked for until the block is left."""
    store, found = site.world.parts.store, list[str]()
    assert isinstance(store, SqlStore)

    def note(_: object, __: object, statement: str, *___: object) -> None:
        found.append(statement)

    event.listen(store.engines.writer, "before_cursor_execute", note)
    yield found
    event.remove(store.engines.writer, "before_cursor_execute", note)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_manifest_names_files_from_its_own_folder(site: Site, admin: TestClient) -> None:
    upload = Upload(site, admin)
    assert upload.manifest("file,stratum\n./a.jpg,dusk\nin/b.jpg,dawn\n", folder="trip/day 1").status_code == 200
    known = upload.list({"trip/day 1/a.jpg": photo(1), "trip/day 1/in/b.jpg": photo(2)})
    for one, body in zip(known.values(), (photo(1), photo(2)), strict=True):
        upload.send(one["id"], body)
    assert upload.counts() == {"added": 2}
    assert {name: source.stratum for name, source in inputs(site).items()} == {"a.jpg": "dusk", "b.jpg": "dawn"}
    for folder in ("../x", "a\nb", "a" * 401, "a/../../b"):
        assert upload.manifest("file\nc.jpg\n", folder=folder).status_code == 422
    long = upload.manifest(f"file\n{'c' * 300}.jpg\n", folder="a" * 300)
    assert (long.status_code, "more than 400 characters together" in long.text) == (422, True)
    assert upload.counts() == {"added": 2}


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_manifest_at_fault_is_refused_by_its_lines_and_nothing_is_noted(site: Site, admin: TestClient) -> None:
    upload = Upload(site, admin)
    lines = [
        '{"file": "a.jpg"}',
        '{"file": "../b.jpg"}',
        "[1]",
        '{"url": "ftp://x/y"}',
        '{"file": "a.jpg"}',
        '{"fil": 1}',
        "{",
    ]
    refused = upload.manifest("\n".join(lines), "application/x-ndjson")
    assert refused.status_code == 422
    for line, said in (
        (2, "must lie in the folder"),
        (3, "no JSON object"),
        (4, "must be an address"),
        (5, "as line 1 does"),
    ):
        assert f"line {line}: " in refused.json()["detail"]
        assert said in refused.json()["detail"]
    assert "line 6: 'fil' is no field" in refused.json()["detail"]
    assert upload.manifest(b"\xff\xfe").status_code == 422
    assert upload.manifest("colour\nred\n").status_code == 422
    assert upload.manifest("file\n").status_code == 422
    assert upload.manifest("file,name\na.jpg\n").status_code == 422
    assert upload.manifest(b"x" * 17_000_000).status_code == 413
    assert upload.counts() == {}
