"""Simulated raters: what they like, and that they rate a running server over HTTP as people do."""

import json
import socket
import threading
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import numpy as np
import pytest
import uvicorn

from ml_service.errors import Conflict, NotFound, Unavailable
from ml_service.wire.contract import FloatParameter, ParameterSpace
from tests.world import photo
from web.adapters.demo.inputs import demo_inputs
from web.adapters.demo.raters import Judge, Look, SimulatedRater, demo_look, simulated_raters
from web.adapters.generators.local import encode
from web.app import create_app
from web.cli.operations import simulate
from web.cli.operations.place import ready, ready_with_demo
from web.cli.operations.simulate import Browser
from web.domain.studies.guide import TAGS
from web.jobs.worker import run_workers
from web.parts import build_parts
from web.ports.parts import Parts
from web.services.accounts import accounts
from web.services.studies import intake
from web.services.studies.studies import StudyDraft, make_study, move_study
from web.settings import Settings


def test_raters_agree_on_what_is_good_and_differ_in_level() -> None:
    kind, strict = SimulatedRater("kind", 0.6, 0.5, 0), SimulatedRater("strict", -0.6, 0.5, 0)
    pictures = [bytes([n]) for n in range(200)]

    def mean(rater: SimulatedRater, quality: float) -> float:
        return float(np.mean([rater.score(quality, picture) for picture in pictures]))

    assert mean(kind, 3.5) > mean(kind, 2.5) + 0.8
    assert mean(kind, 3.0) > mean(strict, 3.0) + 1
    assert {kind.score(9, b"good"), strict.score(-9, b"bad")} == {5, 1}


def test_a_rater_repeats_a_score_and_another_seed_draws_another_taste() -> None:
    first, again, other = (simulated_raters(4, 0.4, 0.5, seed) for seed in (0, 0, 1))
    assert first == again
    assert [rater.bias for rater in first] != [rater.bias for rater in other]
    assert len({rater.score(3, b"x") for rater in (first[0], again[0])}) == 1


def test_a_rater_names_the_fault_of_what_they_score_low() -> None:
    rater = SimulatedRater("exact", 0.0, 0.0, 0)
    assert rater.says(Look(2.0, "noisy"), b"x") == {"score": 2, "tags": ["noisy"]}
    assert rater.says(Look(4.0, "noisy"), b"x") == {"score": 4}


def test_quality_is_known_of_demo_inputs_only() -> None:
    demo = next(iter(demo_inputs(1)))
    as_it_came, restored = demo_look(demo.body, demo.body), demo_look(demo.body, encode(demo.original))
    assert as_it_came is not None
    assert restored is not None
    assert as_it_came.quality < restored.quality - 0.5
    assert demo_look(b"a stranger's photo", demo.body) is None


SPACE = ParameterSpace(parameters={"exposure": FloatParameter(low=-1, high=1, default=0, unit="EV")})


@dataclass
class Running:
    """A server with the demo study, its parts and its address."""

    parts: Parts
    address: str

    def simulate(self, *words: str, judge: Judge = demo_look) -> int:
        """Run the command as the command line would, and return its exit code."""
        parser = ArgumentParser()
        parser.add_argument("--json", action="store_true")
        simulate.arguments(parser)
        return simulate.simulate(parser.parse_args(words), self.parts, self.address, judge)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder: Path = tmp_path_factory.mktemp("simulate")
    settings = Settings(_env_file=None, data_dir=folder, database_url=f"sqlite:///{folder}/palate.db")
    parts = build_parts(settings)
    ready_with_demo(settings, parts)
    stop = threading.Event()
    worker = threading.Thread(target=run_workers, args=(parts, stop, 1))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        app = create_app(parts, settings, b"a key for tests that is long enough")
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="none"))
        web = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        web.start()
        worker.start()
        yield Running(parts, f"http://127.0.0.1:{listening.getsockname()[1]}")
        server.should_exit = True
        stop.set()
        web.join()
        worker.join()


def test_rates_until_the_target_and_says_what_was_learnt(running: Running, capsys: pytest.CaptureFixture[str]) -> None:
    assert running.simulate("--raters", "2", "--ratings", "11", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    with running.parts.store.read() as tx:
        ratings = tx.ratings.all(study_id=said["study"])
        study = tx.studies.get(said["study"])
        emails = {tx.users.get(rating.judge_id).email for rating in ratings}
    assert len(ratings) == said["ratings"] == 11
    assert said["refused"] == said["skipped"] == 0
    assert np.mean([rating.score for rating in ratings]) == pytest.approx(said["mean"], abs=1e-3)
    assert emails <= {"simulated-1@example.org", "simulated-2@example.org"}  # one may be faster than the other
    assert study.spaces["local"].faults(said["point"]) == []
    assert {len(rating.tags) for rating in ratings if rating.score in (1, 2, 3)} == {1}
    assert {tag for rating in ratings for tag in rating.tags} <= TAGS.keys()
    assert "11 ratings" in said["from"]


def test_the_same_raters_come_back(running: Running, capsys: pytest.CaptureFixture[str]) -> None:
    assert running.simulate("--raters", "2", "--ratings", "2") == 0
    assert running.simulate("--raters", "2", "--ratings", "2", "--rate", "50") == 0
    assert "2 ratings in" in capsys.readouterr().out


def counted(parts: Parts) -> tuple[int, int, int]:
    with parts.store.read() as tx:
        return len(tx.users.all()), len(tx.links.all()), len(tx.ratings.all())


def test_the_demo_study_is_rated_unless_another_is_named(running: Running, capsys: pytest.CaptureFixture[str]) -> None:
    parts = running.parts
    with parts.store.read() as tx:
        demo = tx.studies.all()[0]
    newer = make_study(parts, accounts.operator(parts), StudyDraft("Newer", {"local": SPACE}))
    for words in ((), ("--study", demo.name), ("--study", demo.id)):
        assert running.simulate("--raters", "1", "--ratings", "1", "--json", *words) == 0
        assert json.loads(capsys.readouterr().out)["study"] == demo.id
    move_study(parts, accounts.operator(parts), newer.id, "archived")


@pytest.mark.parametrize("named", ["Strangers", None])
def test_photos_whose_originals_nobody_knows_are_refused_at_once_and_nobody_is_invited(
    named: str | None, tmp_path: Path
) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path, database_url=f"sqlite:///{tmp_path}/palate.db")
    parts = build_parts(settings)
    ready(settings, parts)
    operator = accounts.operator(parts)
    study = make_study(parts, operator, StudyDraft("Strangers", {"local": SPACE}))
    intake.add_input(parts, operator, study.id, "stranger", photo(1))
    before = counted(parts)
    with pytest.raises(NotFound, match="only demo photos"):
        Running(parts, "http://127.0.0.1:1").simulate(*(("--study", named) if named else ()))
    assert counted(parts) == before


def test_a_study_that_is_paused_is_refused_at_once_and_nobody_is_invited(running: Running) -> None:
    parts, operator = running.parts, accounts.operator(running.parts)
    with parts.store.read() as tx:
        demo = tx.studies.all()[0]
    move_study(parts, operator, demo.id, "paused")
    before = counted(parts)
    with pytest.raises(Conflict, match="is paused; resume it"):
        running.simulate("--raters", "7")
    move_study(parts, operator, demo.id, "running")
    assert counted(parts) == before


def test_nobody_is_invited_to_a_server_that_is_away(running: Running) -> None:
    before = counted(running.parts)
    with pytest.raises(Unavailable, match="did not answer"):
        Running(running.parts, "http://127.0.0.1:1").simulate("--raters", "7", "--patience", "0")
    assert counted(running.parts) == before


def test_photos_it_cannot_judge_are_skipped_with_the_reason(running: Running) -> None:
    with pytest.raises(Conflict, match="demo photo"):
        running.simulate("--raters", "1", "--ratings", "5", judge=lambda *_: None)
    with running.parts.store.read() as tx:
        reasons = {rating.skip for rating in tx.ratings.all(score=None)}
    assert reasons == {"cannot_judge"}


class Busy(BaseHTTPRequestHandler):
    """Answers 503, then 429, then well."""

    answers: Iterator[int]

    def do_GET(self) -> None:
        """Answer with the next status."""
        self.send_response(next(self.answers))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def test_a_busy_server_is_asked_again() -> None:
    Busy.answers = iter((503, 429, 200))
    with HTTPServer(("127.0.0.1", 0), Busy) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        with httpx.Client(base_url=f"http://127.0.0.1:{server.server_port}") as client:
            answer = Browser(client, patience=30).send("GET", "/")
        server.shutdown()
        thread.join()
    assert answer.status_code == 200


def test_a_server_that_is_away_is_given_up_on() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with (
        httpx.Client(base_url=f"http://127.0.0.1:{port}") as client,
        pytest.raises(Unavailable, match="did not answer"),
    ):
        Browser(client, patience=0.2).send("GET", "/")
