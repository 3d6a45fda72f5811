"""A server and a worker told to stop, or whose server is killed: nothing is cut in half, and nobody is left."""

import contextlib
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest

from tests.failing import held_by_another
from tests.journeys.server import ROOT, until
from tests.killing.product import Process, Product, Web
from tests.killing.publisher import verify
from tests.world import photo
from web.adapters.images.worker import CLEAN, MEMORY_LIMIT
from web.domain.job import Job
from web.domain.jobs import learn_job, plan_job
from web.domain.studies.study import Study

PATIENCE = 10.0  # seconds until all have to be gone: twice what is promised, as the machine may be busy


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Product]:
    """A place where nothing runs yet."""
    made = Product(tmp_path, f"sqlite:///{tmp_path / 'palate.db'}", webs=0, workers=0)
    yield made
    made.stop()


@pytest.fixture
def study(product: Product) -> Iterator[Study]:
    with product.studying("Endings") as made:
        yield made


def serving(product: Product, folder: Path, **around: str) -> Web:
    """Return a server with its worker beside it, as an operator starts it."""
    return Web(folder / "serve.log", product.settings, has_worker=True, **around)


@contextmanager
def running(process: Process) -> Iterator[Process]:
    process.start()
    try:
        if isinstance(process, Web):
            until("an answer of the server", process.answers)
        yield process
    finally:
        process.end()


@contextmanager
def visiting(serve: Web, product: Product) -> Iterator[httpx.Client]:
    """Sign somebody in at a server."""
    with httpx.Client(base_url=serve.url, timeout=60) as client:
        secret = product.secret("ending@example.org", "admin")
        client.post("/api/v1/session", json={"secret": secret}).raise_for_status()
        client.headers["X-CSRF-Token"] = client.get("/api/v1/session").json()["csrf_token"]
        yield client


@pytest.fixture
def endless() -> Iterator[dict[str, str]]:
    """The settings of an optimizer that listens and never answers: jobs that ask it take a minute and more."""
    with socket.create_server(("127.0.0.1", 0), backlog=32) as listening:
        yield {"ML_SERVICE_URL": f"http://127.0.0.1:{listening.getsockname()[1]}", "ML_SERVICE_TOKEN": "t" * 32}


def assert_ends_well(process: Process, sent: signal.Signals = signal.SIGTERM) -> None:
    assert process.running is not None
    process.running.send_signal(sent)
    code = process.running.wait(PATIENCE)
    assert (code, process.log.read_text().count("Traceback")) == (0, 0), process.log.read_text()
    until("an end of all that it had started", lambda: not process.has_anybody, PATIENCE)


def ask_to_learn(product: Product, study: Study) -> None:
    now = product.parts.clock.now()
    with product.parts.store.begin() as tx:
        tx.of_jobs.add_once([learn_job(study.id, now), plan_job(study.id, now)])


def jobs_of(product: Product, study: Study, *states: str) -> list[Job]:
    with product.parts.store.read() as tx:
        return [job for job in tx.jobs.all(study_id=study.id) if job.state in states]


def add_photos(client: httpx.Client, study: Study) -> None:
    for seed in range(2):
        file = {"file": (f"{seed}.jpg", photo(seed), "image/jpeg")}
        client.post(f"/api/v1/studies/{study.id}/inputs", files=file).raise_for_status()


def half_an_upload(client: httpx.Client, port: int) -> socket.socket:
    """Begin to send a photo, and stay in the middle of it."""
    half = socket.create_connection(("127.0.0.1", port))
    headers = {**client.headers, "Cookie": "; ".join(f"{name}={value}" for name, value in client.cookies.items())}
    lines = [f"{name}: {value}" for name, value in headers.items()]
    lines += ["Host: 127.0.0.1", "Content-Type: multipart/form-data; boundary=x", "Content-Length: 100000", "", "--x"]
    half.sendall("\r\n".join(["POST /api/enhance/train HTTP/1.1", *lines]).encode())
    return half


def test_a_server_ends_with_streams_open_a_request_half_sent_and_a_job_that_never_ends(
    product: Product, study: Study, tmp_path: Path, endless: dict[str, str]
) -> None:
    with running(serve := serving(product, tmp_path, **endless)), visiting(serve, product) as client:
        add_photos(client, study)
        ask_to_learn(product, study)
        until("a job in hand", lambda: jobs_of(product, study, "claimed"))
        with half_an_upload(client, serve.port), client.stream("GET", f"/api/train/events?study={study.id}") as stream:
            lines = stream.iter_lines()
            next(lines)
            assert_ends_well(serve)
            assert list(lines)  # to its end: of what is cut off httpx says so
    assert jobs_of(product, study, "claimed") == []
    assert {job.attempts for job in jobs_of(product, study, "waiting")} == {0}
    assert verify(product) == []


def test_uploads_under_way_are_taken_whole_or_refused_whole(product: Product, study: Study, tmp_path: Path) -> None:
    def upload(seed: int) -> int | None:
        file = {"file": (f"{seed}.jpg", photo(seed, 1500), "image/jpeg")}
        try:
            return client.post("/api/enhance/train", files=file, data={"study_id": study.id}).status_code
        except httpx.TransportError:
            return None

    with (
        running(serve := serving(product, tmp_path)),
        visiting(serve, product) as client,
        ThreadPoolExecutor(6) as pool,
    ):
        sent = [pool.submit(upload, seed) for seed in range(100, 118)]
        until("a first photo taken", lambda: inputs(product, study))
        assert_ends_well(serve)
        codes = [each.result() for each in sent]
    taken, unknown = codes.count(200) + codes.count(202), codes.count(503) + codes.count(None)
    assert taken + unknown == len(codes)
    assert taken <= len(inputs(product, study)) <= taken + unknown
    assert verify(product) == []


def inputs(product: Product, study: Study) -> set[str]:
    with product.parts.store.read() as tx:
        return {source.object_key for source in tx.inputs.all(study_id=study.id)}


def test_a_server_ends_while_a_request_waits_for_a_database_that_another_program_holds(
    product: Product, tmp_path: Path
) -> None:
    def ask() -> None:
        with contextlib.suppress(httpx.TransportError):
            httpx.post(f"{serve.url}/api/v1/session", json={"secret": "x" * 40}, timeout=60)

    with running(serve := serving(product, tmp_path)), held_by_another(str(tmp_path / "palate.db")):
        asking = threading.Thread(target=ask)
        asking.start()
        until("a word of the worker of why it stands", lambda: "stands still" in serve.log.read_text())
        assert_ends_well(serve)
        asking.join()


def test_a_worker_by_itself_ends_and_puts_back_what_takes_too_long(
    product: Product, study: Study, tmp_path: Path, endless: dict[str, str]
) -> None:
    with running(work := Process(("work",), tmp_path / "work.log", product.settings, endless)):
        ask_to_learn(product, study)
        until("a job in hand", lambda: jobs_of(product, study, "claimed"))
        assert_ends_well(work)
    assert {job.attempts for job in jobs_of(product, study, "waiting", "claimed")} == {0}


def test_a_server_ends_by_ctrl_c_too(product: Product, tmp_path: Path) -> None:
    with running(serve := serving(product, tmp_path)):
        assert_ends_well(serve, signal.SIGINT)


def test_a_server_without_a_worker_waits_for_nothing(product: Product, tmp_path: Path) -> None:
    with running(web := Web(tmp_path / "web.log", product.settings)):
        assert_ends_well(web)
    assert "some work was left" not in web.log.read_text()


def test_a_server_says_where_it_is_once_it_can_be_reached(product: Product, tmp_path: Path) -> None:
    web = Web(tmp_path / "web.log", product.settings)
    web.start()  # `running` would wait for an answer
    until("a word of where it is", lambda: "Palate is at" in web.log.read_text())
    with socket.create_connection(("127.0.0.1", web.port)):
        assert_ends_well(web)


def test_a_server_that_is_told_to_stop_while_it_starts_ends_well(product: Product, tmp_path: Path) -> None:
    serve = serving(product, tmp_path)
    with held_by_another(str(tmp_path / "palate.db")):
        serve.start()
        until("a file of the database opened by it", lambda: opened(serve, "palate.db"))
        assert_ends_well(serve)


def opened(process: Process, name: str) -> bool:
    assert process.running is not None
    return any(str(file.resolve()).endswith(name) for file in Path(f"/proc/{process.running.pid}/fd").iterdir())


def test_nobody_outlives_a_server_that_is_killed(
    product: Product, study: Study, tmp_path: Path, endless: dict[str, str]
) -> None:
    with running(serve := serving(product, tmp_path, **endless)), visiting(serve, product) as client:
        add_photos(client, study)  # so that there are processes that clean
        ask_to_learn(product, study)
        until("a job in hand", lambda: jobs_of(product, study, "claimed"))
        serve.kill()


def test_what_cleans_images_leaves_its_work_when_nobody_waits_for_it() -> None:
    large = cv2.imencode(".png", np.zeros((3000, 4000, 3), np.uint8))[1].tobytes()
    command = [sys.executable, "-m", "web.adapters.images.worker", str(MEMORY_LIMIT), "20"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as worker:
        assert worker.stdin is not None
        assert worker.stdout is not None
        worker.send_signal(signal.SIGSTOP)  # until all lies in its pipe and whoever asked is gone
        worker.stdin.write(CLEAN + struct.pack(">II", 0, len(large)) + large)
        worker.stdin.close()
        worker.send_signal(signal.SIGCONT)
        assert (worker.stdout.read(), worker.wait()) == (b"", 0)
