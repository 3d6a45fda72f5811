"""What no database keeps and no encoding has is refused at the edge, on every engine alike."""

import json

import pytest
from fastapi.testclient import TestClient

from tests.site import Site

pytestmark = pytest.mark.storage

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
STUDY = b'{"name": %b, "spaces": {"local": {"parameters": {}}}}'
TEXTS = {
    "a NUL": b'"a\\u0000b"',
    "half of a pair": b'"a\\ud800b"',
    "half of a pair in raw bytes": b'"a\xed\xa0\x80b"',
    "a NUL in a name": b'{"a\\u0000": 1}',
    "half of a pair deep inside": b'[[{"a": ["\\udfff"]}]]',
    "no number": b"NaN",
    "no end": b"-Infinity",
    "more than a float has": b"1e999",
    "broken UTF-8": b'"\xff\xfe"',
    "more digits than are read": b"9" * 5000,
    "nested too deeply": b"[" * 100_000,
}


@pytest.fixture
def admin(site: Site) -> TestClient:
    return site.signed_in("admin")


def test_json_that_cannot_be_kept_is_refused(admin: TestClient) -> None:
    studies = admin.get("/api/v1/studies").json()
    for what, text in TEXTS.items():
        for address, body in (("/api/v1/studies", STUDY % text), ("/api/train/rate", b'{"answers": [%b]}' % text)):
            answer = admin.post(address, content=body, headers=JSON)
            assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), what
    assert admin.get("/api/v1/studies").json() == studies


def test_json_in_another_encoding_is_refused_or_read(admin: TestClient) -> None:
    body = json.dumps({"answers": [{"id": "a\x00"}]})
    for encoding in ("utf-16", "utf-32", "utf-8-sig"):
        assert admin.post("/api/train/rate", content=body.encode(encoding), headers=JSON).status_code == 422


def test_forms_that_cannot_be_kept_are_refused(admin: TestClient) -> None:
    address = "/admin/people/invite"
    assert admin.post(address, content=b"role=rater&email=a%00b@example.org", headers=FORM).status_code == 422
    assert admin.post(address, content=b"role=rater&%00=1", headers=FORM).status_code == 422
    seven = {"Content-Type": "multipart/form-data; boundary=x; charset=utf-7"}
    part = b'--x\r\nContent-Disposition: form-data; name="email"\r\n\r\n+2AA-@example.org\r\n--x--\r\n'
    assert admin.post(address, content=part, headers=seven).status_code == 422


@pytest.mark.parametrize("name", ["a%00.jpg", "a.jpg"])
def test_a_file_name_that_cannot_be_kept_is_refused(admin: TestClient, name: str) -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="%b"\r\n\r\n'
    body = head % name.encode().replace(b"%00", b"\x00") + b"no image\r\n--x--\r\n"
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = admin.post("/api/enhance/train", content=body, headers=kind)
    assert answer.status_code == 422
    assert ("NUL" in answer.json()["detail"]) == ("%00" in name)


@pytest.mark.parametrize("place", ["/history?text=a%00", "/status?study=%00", "/api/v1/studies/%00", "/link/a%00b"])
def test_addresses_that_cannot_be_kept_are_refused(admin: TestClient, place: str) -> None:
    answer = admin.get(place)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-request")


def test_what_is_only_unusual_is_kept(admin: TestClient) -> None:
    name = "Größe 測試 🜁\u202e\ufffd"
    study = admin.get("/api/v1/studies").json()[0]["study"]["id"]
    made = admin.post(f"/api/v1/studies/{study}/clone", content=json.dumps({"name": name}).encode(), headers=JSON)
    assert (made.status_code, made.json()["name"]) == (201, name)
