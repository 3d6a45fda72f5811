import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import APIRouter, UploadFile

from tests.site import Site
from web.http.edge.edge import HEADERS
from web.http.edge.logs import JsonFormatter
from web.settings import Settings

PAGE = {"Accept": "text/html"}
router = APIRouter()


@router.get("/boom")
def boom() -> None:
    """Fail in a way that nobody foresaw."""
    raise RuntimeError("the password is hunter2")


@router.post("/echo")
def echo(body: dict[str, int]) -> dict[str, int]:
    """Return what was sent."""
    return body


@router.post("/upload", max_body_size=3_000_000)
def upload(file: UploadFile) -> int:
    """Return the size of a file."""
    return len(file.file.read())


@pytest.fixture
def test_site(site: Site) -> Site:
    site.app.include_router(router)
    return site


@pytest.fixture
def lines() -> Iterator[list[dict[str, object]]]:
    """What is logged while a test runs, as the JSON that goes to standard error."""
    logger, found = logging.getLogger("palate"), list[dict[str, object]]()
    level, formatter = logger.level, JsonFormatter()

    class Parsed(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(json.loads(formatter.format(record)))

    handler = Parsed()
    logger.addHandler(handler)
    logger.setLevel("INFO")
    yield found
    logger.removeHandler(handler)
    logger.setLevel(level)


def test_every_answer_carries_safe_headers(test_site: Site) -> None:
    visitor = test_site.visitor(raise_errors=False)
    for path in ("/health/live", "/nothing", "/sign-in", "/static/app.css", "/api/v1/users", "/boom"):
        headers = visitor.get(path).headers
        for name, value in HEADERS:
            if name != b"cache-control":
                assert headers[name.decode()] == value.decode(), path
        assert headers["cache-control"] == ("no-cache" if path.startswith("/static") else "no-store")


def test_pages_have_neither_inline_scripts_nor_styles(site: Site) -> None:
    admin = site.signed_in("admin")
    for path in ("/admin/people", "/sign-in", f"/link/{site.link()}", "/nothing"):
        text = admin.get(path, headers=PAGE, follow_redirects=True).text
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", text), path


def test_a_problem_says_what_went_wrong(site: Site) -> None:
    answer = site.visitor().get("/nothing")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    problem = answer.json()
    assert problem.pop("request_id") == answer.headers["x-request-id"]
    assert problem == {
        "type": "/problems/not-found",
        "title": "There is no such thing here.",
        "detail": "There is nothing at this address.",
        "status": 404,
    }


def test_people_get_a_page(site: Site) -> None:
    answer = site.visitor().get("/nothing", headers=PAGE)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "There is nothing at this address." in answer.text


def test_a_wrong_method_is_a_problem(site: Site) -> None:
    answer = site.visitor().post("/health/live")
    assert (answer.status_code, answer.json()["type"]) == (405, "/problems/method-not-allowed")


def test_bad_fields_are_told_in_words(test_site: Site) -> None:
    visitor = test_site.visitor()
    answer = visitor.post("/echo", json={"a": "b", "c": None})
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-request")
    assert "a: Input should be a valid integer" in answer.json()["detail"]
    assert "c: Input should be a valid integer" in answer.json()["detail"]
    broken = visitor.post("/echo", content=b'{"a":', headers={"Content-Type": "application/json"})
    assert (broken.status_code, broken.headers["content-type"]) == (422, "application/problem+json")


def test_an_exception_is_logged_and_not_told(test_site: Site, lines: list[dict[str, object]]) -> None:
    answer = test_site.visitor(raise_errors=False).get("/boom")
    assert (answer.status_code, answer.json()["type"]) == (500, "/problems/internal-error")
    assert "hunter2" not in answer.text
    (logged,) = (line for line in lines if line["logger"] == "palate.errors")
    assert "hunter2" in str(logged["exception"])
    assert logged["request_id"] == answer.json()["request_id"] == answer.headers["x-request-id"]
    page = test_site.visitor(raise_errors=False).get("/boom", headers=PAGE)
    assert (page.status_code, "hunter2" in page.text) == (500, False)


def test_a_request_is_one_line_without_secrets(site: Site, lines: list[dict[str, object]]) -> None:
    secret = site.link()
    answer = site.visitor().get(f"/link/{secret}", headers={"X-Request-ID": "request-from-proxy"})
    (line,) = lines
    assert line["path"] == "/link/{secret}"
    assert (line["method"], line["status"], line["request_id"]) == ("GET", 200, "request-from-proxy")
    assert secret not in json.dumps(line)
    assert answer.headers["x-request-id"] == "request-from-proxy"


@pytest.mark.parametrize("given", ["short", "x" * 65, "with space in it", 'quote"and{more}'])
def test_a_strange_request_id_is_replaced(site: Site, given: str) -> None:
    answer = site.visitor().get("/health/live", headers={"X-Request-ID": given})
    assert re.fullmatch(r"[0-9a-f]{16}", answer.headers["x-request-id"])


def test_large_bodies_are_refused_as_problems(test_site: Site) -> None:
    visitor = test_site.visitor()
    large = json.dumps({"a" * 1_000_000: 1}).encode()
    kind = {"Content-Type": "application/json"}
    declared = visitor.post("/echo", content=large, headers=kind)
    chunked = visitor.post("/echo", content=(large[i : i + 65536] for i in range(0, len(large), 65536)), headers=kind)
    for answer in (declared, chunked):
        assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")
        assert answer.json()["type"] == "/problems/too-large"
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_route_may_take_more(test_site: Site) -> None:
    visitor = test_site.visitor()
    assert visitor.post("/upload", files={"file": b"x" * 2_000_000}).json() == 2_000_000
    assert visitor.post("/upload", files={"file": b"x" * 3_000_000}).status_code == 413


FORGED = [
    ({"Sec-Fetch-Site": "cross-site"}, 403, "/problems/foreign-origin"),
    ({"Sec-Fetch-Site": "same-site"}, 403, "/problems/foreign-origin"),
    ({"Origin": "https://evil.example"}, 403, "/problems/foreign-origin"),
    ({"Origin": "null"}, 403, "/problems/foreign-origin"),
    ({"X-CSRF-Token": "guess"}, 403, "/problems/stale-page"),
    ({"X-CSRF-Token": ""}, 403, "/problems/stale-page"),
    ({"X-CSRF-Token": "é"}, 403, "/problems/stale-page"),
]


@pytest.mark.parametrize(("headers", "status", "kind"), FORGED)
def test_forged_requests_are_refused(site: Site, headers: dict[str, str], status: int, kind: str) -> None:
    admin = site.signed_in("admin")
    raw = {name: value.encode("latin-1") for name, value in headers.items()}
    answer = admin.post("/api/v1/users/invites", json={}, headers=raw)  # type: ignore[arg-type]
    assert (answer.status_code, answer.json()["type"]) == (status, kind)


def test_our_own_pages_may_change_things(site: Site) -> None:
    admin = site.signed_in("admin")
    token = admin.headers.pop("X-CSRF-Token")
    same = {"Sec-Fetch-Site": "same-origin", "Origin": "http://palate.test"}
    form = {"role": "rater", "email": "a@b.org", "csrf_token": token}
    assert admin.post("/admin/people/invite", data=form, headers=same).is_success
    parts = {"data": form, "files": {"file": ("a.txt", b"text")}}
    assert admin.post("/admin/people/invite", **parts).is_success  # type: ignore[arg-type]
    assert admin.post("/admin/people/invite", data={"role": "rater", "email": "a@b.org"}).status_code == 403
    shown = re.search(r'name="csrf-token" content="([^"]+)"', admin.get("/admin/people").text)
    assert shown is not None
    assert shown[1] == token


def test_a_token_is_of_one_session(site: Site) -> None:
    admin, other = site.signed_in("admin"), site.signed_in("admin")
    theirs = {"X-CSRF-Token": other.headers["X-CSRF-Token"]}
    assert admin.post("/api/v1/users/invites", json={}, headers=theirs).status_code == 403


def test_another_site_cannot_sign_a_visitor_in(site: Site) -> None:
    forged = site.visitor().post(f"/link/{site.link()}", headers={"Origin": "http://evil"})
    assert forged.status_code == 403


def test_training_can_be_switched_off(site: Site, settings: Settings) -> None:
    closed = Site(site.world, settings.model_copy(update={"enable_training_mode": False}))
    client = closed.signed_in("admin")
    for path in ("/train", "/api/train/next", "/api/train/status", "/api/enhance/train/x"):
        assert client.get(path).status_code == 404, path
    for path in ("/api/train/rate", "/api/enhance/train"):
        assert client.post(path, json={}).status_code == 404, path
    assert site.signed_in().get("/api/train/next").status_code == 200
    home = closed.visitor().get("/")
    assert home.headers["location"] == "/status"
    assert 'href="/train"' not in client.get("/admin/people").text


def test_static_files_with_their_hash_are_kept_for_ever(site: Site) -> None:
    visitor = site.visitor()
    found = re.search(r'href="(/static/app\.css\?v=[0-9a-f]{12})"', visitor.get("/sign-in").text)
    assert found is not None
    assert visitor.get(found[1]).headers["cache-control"] == "public, max-age=31536000, immutable"
    unpinned = visitor.get("/static/app.css?v=000000000000")
    assert unpinned.headers["cache-control"] == "no-cache"
    again = visitor.get("/static/app.css", headers={"If-None-Match": unpinned.headers["etag"]})
    assert again.status_code == 304
    assert visitor.get("/static/../templates/base.html").status_code == 404
    assert visitor.get("/static/%2e%2e/templates/base.html").status_code == 404
    assert visitor.get("/static/nothing.css").json()["type"] == "/problems/not-found"
    assert visitor.get("/favicon.ico").headers["content-type"] == "image/svg+xml"


def test_the_server_is_alive_and_ready(site: Site) -> None:
    assert site.visitor().get("/health/live").json() == {"status": "ok"}
    assert site.visitor().get("/health/ready").json() == {"status": "ok", "database": "ok", "data_dir": "ok"}


def test_a_missing_data_folder_is_not_ready(site: Site, settings: Settings) -> None:
    settings.data_dir.rmdir()
    answer = site.visitor().get("/health/ready")
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/unavailable")
    assert "DATA_DIR cannot be written" in answer.json()["detail"]


def test_metrics_count_requests_jobs_and_ratings(site: Site) -> None:
    admin = site.signed_in("admin")
    admin.get(f"/link/{site.link()}")
    admin.get("/api/train/next")
    text = admin.get("/metrics").text
    assert 'palate_requests_total{method="GET",route="/link/{secret}",status="200"} 1.0' in text
    assert 'palate_request_seconds_count{method="GET",route="/link/{secret}"} 1.0' in text
    assert re.search(r'palate_jobs\{state="waiting"\} [1-9]', text)
    assert "palate_ratings 0.0" in text


def test_metrics_are_for_this_machine_and_admins(site: Site) -> None:
    assert site.visitor().get("/metrics").status_code == 403
    assert site.signed_in("rater").get("/metrics").status_code == 403
    local = site.visitor()
    local._transport.client = ("127.0.0.1", 50000)  # type: ignore[attr-defined]
    assert local.get("/metrics").status_code == 200
    assert local.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 403


def test_internal_documentation_is_not_served(site: Site) -> None:
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert site.visitor().get(path).status_code == 404


def test_the_key_survives_and_links_of_the_app_hold(site: Site, settings: Settings, tmp_path: Path) -> None:
    client = site.signed_in("admin")
    restarted = Site(site.world, settings).visitor()
    restarted.cookies, restarted.headers = client.cookies, client.headers
    assert restarted.post("/api/v1/users/invites", json={"email": "a@b.org"}).status_code == 201
