"""A disk that is full, really: told as such, nothing half stored, and all goes on once there is room."""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clock import FixedClock
from tests.disk import fill, make_room, small_disk
from tests.pictures import telling_jpeg
from tests.site import Site
from tests.world import make_world
from web.adapters.database.store import SqlStore
from web.domain.ids import new_id
from web.jobs.worker import Worker
from web.settings import Settings


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk") as place:
        yield place


@pytest.fixture
def site(disk: Path, sqlite_template: Path, clock: FixedClock, settings: Settings) -> Iterator[Site]:
    """A site whose database and images are on the small disk."""
    shutil.copy(sqlite_template, disk / "palate.db")
    store = SqlStore.open(f"sqlite:///{disk / 'palate.db'}")
    yield Site(make_world(store, clock, disk, inputs=2), settings)
    store.close()


def inputs(site: Site) -> int:
    with site.world.parts.store.read() as tx:
        return len(tx.inputs.all(study_id=site.world.study.id))


def test_an_upload_is_refused_whole_and_taken_once_there_is_room(site: Site, disk: Path) -> None:
    rater = site.signed_in()
    before = inputs(site), sorted((disk / "objects").rglob("*"))
    fill(disk)
    answer = rater.post("/api/enhance/train", files={"file": ("photo.jpg", telling_jpeg(), "image/jpeg")})
    assert answer.status_code == 507
    assert answer.headers["content-type"] == "application/problem+json"
    assert "is full" in answer.json()["detail"]
    make_room(disk)
    left = [path for path in sorted((disk / "objects").rglob("*")) if path.is_file()]
    assert (inputs(site), left) == (before[0], [path for path in before[1] if path.is_file()])
    again = rater.post("/api/enhance/train", files={"file": ("photo.jpg", telling_jpeg(), "image/jpeg")})
    assert again.status_code in (200, 202)
    assert inputs(site) == before[0] + 1


def test_a_rating_is_refused_in_words_and_stored_once_there_is_room(site: Site, disk: Path) -> None:
    rater = site.signed_in()
    rater.get("/api/train/next")
    site.world.work()
    shown = rater.get("/api/train/next").json()["experiments"]
    options = [option["option_id"] for experiment in shown for option in experiment["options"]]
    answers = [{"id": new_id(), "option_id": option, "score": 4, "comment": "x" * 300} for option in options]
    fill(disk)
    answer = rater.post("/api/train/rate", json={"answers": answers})
    assert answer.status_code == 507
    assert "full" in answer.json()["detail"]
    make_room(disk)
    stored = rater.post("/api/train/rate", json={"answers": answers}).json()["verdicts"]
    assert [verdict["verdict"] for verdict in stored] == ["stored"] * len(options)


def test_options_that_found_no_room_are_made_once_there_is_some(site: Site, disk: Path) -> None:
    rater = site.signed_in()
    answer = rater.post("/api/enhance/train", files={"file": ("photo.jpg", telling_jpeg(), "image/jpeg")})
    assert answer.json()["state"] == "generating"
    fill(disk)
    stop = threading.Event()
    worker = threading.Thread(target=Worker(site.world.parts).run, args=(stop,))
    worker.start()
    worker.join(1)
    assert worker.is_alive()
    make_room(disk)
    site.world.clock.advance(hours=1)
    for _ in range(300):
        worker.join(0.1)
        if rater.get(answer.json()["watch"]).json()["state"] != "generating":
            break
    stop.set()
    worker.join()
    assert rater.get(answer.json()["watch"]).json()["state"] == "ready"
