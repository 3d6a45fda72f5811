"""The ML service in a process of its own, killed and started again: raters go on, all are told, nothing is lost."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from tests.clock import FixedClock
from tests.journeys.server import free_port, until
from tests.site import Site
from tests.world import World, answer, make_world
from web.adapters.database.store import SqlStore
from web.adapters.optimizer.far import FarOptimizer
from web.jobs import schedule
from web.services.learning import learn
from web.settings import Settings

TOKEN = "a-token-of-the-test-suite"


class Service:
    """An ML service that can be killed and started again on the same port."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        around = {**os.environ, "ML_SERVICE_TOKEN": TOKEN, "PORT": str(self.port), "OPENBLAS_NUM_THREADS": "1"}
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen([sys.executable, "-m", "ml_service"], env=around, stdout=quiet, stderr=quiet)
        until("the ML service answers", self._answers)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/ml/health").is_success
        except httpx.TransportError:
            return False


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service()
    yield made
    made.kill()


@pytest.fixture
def world(store: SqlStore, clock: FixedClock, tmp_path: Path, service: Service) -> Iterator[World]:
    made = make_world(store, clock, tmp_path)
    far = FarOptimizer(service.url, TOKEN)
    made.parts = replace(made.parts, optimizer=far)
    yield made
    far.close()


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_killed_ml_service_holds_nobody_up_who_has_something_to_rate_and_is_taken_up_again(
    world: World, service: Service
) -> None:
    site = Site(world, Settings(_env_file=None))
    rater, admin = site.signed_in(), site.signed_in("admin")
    tab = {"X-Tab": "one"}

    def turn() -> dict[str, object]:
        return dict(rater.get("/api/train/next", params={"n": 4}, headers=tab).json())

    def rate_all(held: dict[str, object]) -> list[str]:
        options = [option for item in held["experiments"] for option in item["options"]]  # type: ignore[attr-defined]
        answers = [answer(option["option_id"]) for option in options]
        sent = [{"id": one.id, "option_id": one.option_id, "score": 4} for one in answers]
        stored = rater.post("/api/train/rate", json={"answers": sent}).json()["verdicts"]
        return [verdict["verdict"] for verdict in stored]

    service.start()
    schedule.tick(world.parts)
    world.work()
    service.kill()
    ready = turn()
    assert ready["state"] == "ready"
    assert set(rate_all(ready)) == {"stored"}
    world.work()
    late = turn()
    assert (late["state"], late["experiments"]) == ("generating", [])
    assert late["message"] == "The next images are late. What you rated is safe, and they come up here by themselves."
    for path in ("/admin/jobs", "/status"):
        told = admin.get(path, headers={"Accept": "text/html"}).text
        assert "does not answer" in told, path
        assert "by themselves" in told or "by itself" in told, path
    service.start()
    world.clock.advance(seconds=31)
    world.work()
    assert turn()["state"] == "ready"
    assert "does not answer" not in admin.get("/status", headers={"Accept": "text/html"}).text
    learnt = learn.learn(world.parts, world.study.id)
    assert learnt.diagnosis.ratings_used == 8
