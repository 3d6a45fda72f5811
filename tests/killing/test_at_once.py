"""The same thing sent many times at once, to several servers, is there once, and each sender is told its fate."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from tests.journeys.server import until
from tests.killing.clients import Browser, signed_in
from tests.killing.product import Product
from tests.world import photo
from web.domain.ids import new_id
from web.domain.rating.rating import Rating
from web.domain.studies.study import Study

TIMES = 16


@pytest.fixture
def study(product: Product) -> Iterator[Study]:
    with product.studying("At once") as study:
        yield study


@pytest.fixture
def admin(product: Product) -> Iterator[Browser]:
    with signed_in(product, "admin") as admin:
        yield admin


@pytest.fixture
def option(product: Product, study: Study, admin: Browser) -> str:
    """An option that the admin holds, who rates like everybody."""
    add(admin, study, photo(1))
    path, asked = "/api/train/next", {"study": study.id}
    held = until("an experiment to rate", lambda: admin.send("GET", path, params=asked).json()["experiments"])
    return str(held[0]["options"][0]["option_id"])


def at_once(browser: Browser, send: Callable[[httpx.Client, int], httpx.Response]) -> list[httpx.Response]:
    """Send something from so many connections, half of them to each server, none before all are ready."""
    together = threading.Barrier(TIMES)

    def one(number: int) -> httpx.Response:
        url = browser.product.webs[number % len(browser.product.webs)].url
        known = {"headers": browser.http.headers, "cookies": browser.http.cookies}
        with httpx.Client(base_url=url, timeout=60, **known) as client:  # type: ignore[arg-type]
            client.get("/health/live")
            together.wait()
            return send(client, number)

    with ThreadPoolExecutor(TIMES) as pool:
        answers = list(pool.map(one, range(TIMES)))
    assert {answer.status_code // 100 for answer in answers} == {2}, [answer.text for answer in answers]
    return answers


def verdicts(admin: Browser, answer: Callable[[int], dict[str, Any]]) -> Counter[str]:
    def send(client: httpx.Client, number: int) -> httpx.Response:
        return client.post("/api/train/rate", json={"answers": [answer(number)]})

    return Counter(sent.json()["verdicts"][0]["verdict"] for sent in at_once(admin, send))


def stored(product: Product, study: Study) -> tuple[Rating, ...]:
    with product.parts.store.read() as tx:
        return tx.ratings.all(study_id=study.id)


def add(admin: Browser, study: Study, body: bytes) -> None:
    admin.send("POST", f"/api/v1/studies/{study.id}/inputs", files={"file": ("a photo.jpg", body, "image/jpeg")})


def test_one_rating_sent_sixteen_times_at_once_to_several_servers_is_one(
    product: Product, study: Study, admin: Browser, option: str
) -> None:
    sent = {"id": new_id(), "option_id": option, "score": 4}
    assert verdicts(admin, lambda _: sent) == {"stored": 1, "replayed": TIMES - 1}
    assert [rating.id for rating in stored(product, study)] == [sent["id"]]


def test_one_id_sent_at_once_with_two_bodies_keeps_one_and_tells_of_the_conflict(
    product: Product, study: Study, admin: Browser, option: str
) -> None:
    sent = {"id": new_id(), "option_id": option}
    told = verdicts(admin, lambda number: sent | {"score": 2 + number % 4 // 2})
    assert told == {"stored": 1, "replayed": TIMES // 2 - 1, "conflict": TIMES // 2}
    assert len(stored(product, study)) == 1


def test_sixteen_ids_sent_at_once_for_one_image_leave_one_rating(
    product: Product, study: Study, admin: Browser, option: str
) -> None:
    told = verdicts(admin, lambda _: {"id": new_id(), "option_id": option, "score": 4})
    assert told == {"stored": 1, "conflict": TIMES - 1}
    assert len(stored(product, study)) == 1


def test_a_rating_and_its_undo_at_once_end_undone(product: Product, study: Study, admin: Browser, option: str) -> None:
    sent = {"id": new_id(), "option_id": option, "score": 4}

    def send(client: httpx.Client, number: int) -> httpx.Response:
        if number % 2:
            return client.delete(f"/api/train/rate/{sent['id']}")
        return client.post("/api/train/rate", json={"answers": [sent]})

    at_once(admin, send)
    assert [rating.undone_at is not None for rating in stored(product, study)] == [True]


def test_one_photo_added_sixteen_times_at_once_is_one_input(product: Product, study: Study, admin: Browser) -> None:
    body = photo(2)

    def send(client: httpx.Client, _: int) -> httpx.Response:
        files = {"file": ("a photo.jpg", body, "image/jpeg")}
        return client.post(f"/api/v1/studies/{study.id}/inputs", files=files)

    told = {answer.json()["id"] for answer in at_once(admin, send)}
    with product.parts.store.read() as tx:
        assert {source.id for source in tx.inputs.all(study_id=study.id)} == told
    assert len(told) == 1


def test_nobody_holds_what_another_was_given_at_once(product: Product, study: Study) -> None:
    with ExitStack() as stack:
        raters = [stack.enter_context(signed_in(product, "rater")) for _ in range(4)]
        add(stack.enter_context(signed_in(product, "admin")), study, photo(3))
        until("two experiments made", lambda: ready(product, study) >= 2)
        with ThreadPoolExecutor(len(raters)) as pool:
            turns = pool.map(lambda each: each.send("GET", "/api/train/next", params={"study": study.id}), raters)
        held = [experiment["experiment_id"] for turn in turns for experiment in turn.json()["experiments"]]
    assert len(held) == len(set(held)) >= 2


def ready(product: Product, study: Study) -> int:
    with product.parts.store.read() as tx:
        return len(tx.experiments.all(study_id=study.id, state="ready"))
