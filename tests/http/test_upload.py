"""Uploads through the whole app: a picture comes back as options, anything else leaves nothing behind."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from tests.pictures import REFUSED, SCRIPT, picture, polyglot, saved, telling_jpeg
from tests.site import Site
from web.jobs.worker import Worker

ROUTE = "/api/enhance/train"


@pytest.fixture
def rater(site: Site) -> TestClient:
    return site.signed_in()


@pytest.fixture
def working(site: Site) -> Iterator[None]:
    """A worker that does the jobs of the site while a test runs."""
    stop = threading.Event()
    thread = threading.Thread(target=Worker(site.world.parts).run, args=(stop,))
    thread.start()
    yield
    stop.set()
    thread.join()


def send(rater: TestClient, name: str, body: bytes, media_type: str = "image/jpeg") -> Response:
    return rater.post(ROUTE, files={"file": (name, body, media_type)})


def stored(site: Site, folder: Path) -> tuple[int, set[Path]]:
    """How many inputs there are, and which files."""
    with site.world.parts.store.read() as tx:
        count = len(tx.inputs.all(study_id=site.world.study.id))
    return count, {path for path in (folder / "objects").rglob("*") if path.is_file()}


@pytest.mark.usefixtures("working")
@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("photo.jpg", saved(picture(), "JPEG")),
        ("photo.jpg", saved(picture(), "PNG")),
        ("photo.webp", saved(picture(), "WEBP")),
        ("photo.jpg", saved(picture(), "AVIF")),
        ("../../etc/<b>passwd</b>\x00.jpg", polyglot()),
        ("sideways.jpg", telling_jpeg(6)),
    ],
    ids=["jpeg", "png named jpg", "webp", "avif named jpg", "polyglot with an evil name", "sideways"],
)
def test_a_picture_comes_back_as_options_without_its_metadata(
    site: Site, rater: TestClient, tmp_path: Path, name: str, body: bytes
) -> None:
    before, _ = stored(site, tmp_path)
    answer = send(rater, name, body)
    assert answer.status_code == 200, answer.text
    made = answer.json()
    assert made["state"] == "ready"
    assert len(made["options"]) == site.world.study.options_per_experiment
    count, files = stored(site, tmp_path)
    assert count == before + 1
    for url in [made["source_url"], *(option["image_url"] for option in made["options"])]:
        image = rater.get(url)
        assert (image.status_code, image.headers["content-type"]) == (200, "image/jpeg")
        assert image.headers["x-content-type-options"] == "nosniff"
    for path in files:
        content = path.read_bytes()
        assert all(secret not in content for secret in (SCRIPT, b"Spycam", b"Exif", b"PK\x03\x04"))


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("kind", REFUSED)
def test_anything_else_is_refused_with_the_reason_and_leaves_nothing(
    site: Site, rater: TestClient, tmp_path: Path, kind: str
) -> None:
    name, make, status, reason = REFUSED[kind]
    before = stored(site, tmp_path)
    answer = send(rater, name, make())
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert reason in answer.json()["detail"]
    assert answer.json()["type"].endswith("too-large" if status == 413 else "invalid-request")
    assert stored(site, tmp_path) == before


@pytest.mark.usefixtures("working")
@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("claimed", ["image/jpeg", "text/html", "image/svg+xml", ""])
def test_what_the_sender_says_of_the_type_does_not_count(site: Site, rater: TestClient, claimed: str) -> None:
    assert send(rater, "photo.html", saved(picture(), "PNG"), claimed).status_code in (200, 202)
    assert send(rater, "photo.jpg", SCRIPT, claimed).status_code == 422


def test_a_body_over_the_limit_is_refused_before_it_is_read_whole(
    site: Site, rater: TestClient, tmp_path: Path
) -> None:
    before = stored(site, tmp_path)
    answer = send(rater, "endless.jpg", bytes(33 * 1024 * 1024))
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]
    assert stored(site, tmp_path) == before


def test_a_request_without_a_picture_says_what_to_send(rater: TestClient) -> None:
    answer = rater.post(ROUTE)
    assert answer.status_code == 422
    assert "`file`" in answer.json()["detail"]


@pytest.mark.usefixtures("working")
def test_after_many_bad_files_a_good_one_is_taken(site: Site, rater: TestClient) -> None:
    for _ in range(5):
        assert send(rater, "bad.jpg", telling_jpeg()[:300]).status_code == 422
    assert send(rater, "good.jpg", telling_jpeg()).status_code in (200, 202)


@pytest.mark.usefixtures("working")
def test_the_same_picture_twice_is_one_input_and_two_experiments(site: Site, rater: TestClient, tmp_path: Path) -> None:
    first = send(rater, "a.jpg", telling_jpeg()).json()
    before, _ = stored(site, tmp_path)
    second = send(rater, "b.jpg", telling_jpeg()).json()
    assert stored(site, tmp_path)[0] == before
    assert first["experiment_id"] != second["experiment_id"]
