"""Rating blind: what a rater's browser gets says nothing of how an image was made or what others think of it."""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Response

from tests.journeys.conftest import Join
from tests.journeys.rater import Rater
from tests.journeys.server import Server
from tests.journeys.studies import photos, studying
from tests.journeys.test_uploading import HAND_OVER, upload_of
from web.domain.studies.guide import TAGS
from web.domain.studies.study import Study

ALLOWED = {
    *("state", "message", "study", "id", "name", "progress", "today", "target", "total", "experiments"),
    *("experiment_id", "lease_until", "practice", "source_url", "source_width", "source_height", "options"),
    *("option_id", "image_url", "width", "height", "verdicts", "verdict", "detail", "right", "watch", "done", "of"),
    *("onboarding", "consent", "guidelines", "training", "words", "anchors", "score", "label", "example_url", "tags"),
    *("consent_hash", "unsafe_ok", "daily_target", "from_admin", "at", "uploads", *TAGS),
}
NEXT = """async (study) => {
  const headers = { "X-Tab": localStorage.getItem("palate-tab-1") };
  return (await fetch(`/api/train/next?n=6&study=${study}`, { headers })).json();
}"""
OURS = re.compile(r"/train$|/api/train/|/api/enhance/train")
GUIDE = "/api/train/guide"  # the same for all photos, in words of everyday that parameters have too
PLAIN_MARKERS = {0xDB, 0xC0, 0xC2, 0xC4, 0xDD, 0xE0}  # tables, frame, restart interval and the bare JFIF header


def keys_of(value: Any) -> Iterator[str]:
    """All keys of a JSON value."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from keys_of(inner)
    if isinstance(value, list):
        for inner in value:
            yield from keys_of(inner)


def markers_of(body: bytes) -> Iterator[int]:
    """The segments of a JPEG up to its pixels."""
    assert body.startswith(b"\xff\xd8")
    assert body.endswith(b"\xff\xd9")
    at = 2
    while body[at + 1] != 0xDA:
        yield body[at + 1]
        at += 2 + int.from_bytes(body[at + 2 : at + 4])


def secrets_of(server: Server, study: Study) -> set[str]:
    """All that raters must not read: how options were made, and what another rater said."""
    with server.store.read() as tx:
        options = tx.options.all(study_id=study.id)
        versions = tx.versions.all(id=tuple({option.version for option in options}))
        outputs = tx.outputs.all(id=tuple({option.output_id for option in options if option.output_id}))
    names = {name for option in options for name in option.point}
    texts = {text for version in versions for part in version.components.values() for text in part.values()}
    hashes = {output.content_hash for output in outputs} | {version.id for version in versions}
    return names | texts | hashes | {"local", "v1.0.0", "SECRET PLACE", "first@", "A verdict of mine"}


@pytest.fixture
def shared(server: Server) -> Iterator[Study]:
    """A study whose photos are rated by two raters each."""
    with studying(server, "rated twice", raters_wanted=2) as study:
        yield study


def test_no_answer_of_the_server_tells_a_rater_how_images_were_made(server: Server, shared: Study, join: Join) -> None:
    other = join(shared)
    other.open()
    other.page.keyboard.press("f")
    other.page.keyboard.type("A verdict of mine")
    other.page.keyboard.press("Escape")
    other.rate(1)
    other.settled()

    rater = join(shared)
    rater.page.goto("about:blank")  # answers to a page that was left cannot be read
    answers: list[Response] = []
    rater.page.on("response", lambda answer: answers.append(answer))
    rater.open()
    rater.rate(2, 3)
    rater.await_photo()
    rater.page.keyboard.press("u")
    rater.rate(4)
    rater.page.evaluate(HAND_OVER, ["drop", "mine.jpg", list(photos()[0].body)])
    upload_of(rater, "mine.jpg").locator("figure").nth(2).wait_for(timeout=60_000)
    rater.settled()

    told = [answer for answer in answers if OURS.match(urlsplit(answer.url).path)]
    assert {answer.request.method for answer in told} == {"GET", "POST", "DELETE"}
    hidden = [
        re.compile(rf"(?<![\w-]){re.escape(secret)}(?![\w-])", re.IGNORECASE) for secret in secrets_of(server, shared)
    ]
    for answer in told:
        text = answer.text()
        if urlsplit(answer.url).path != GUIDE:
            assert [pattern.pattern for pattern in hidden if pattern.search(text)] == [], answer.url
        if "json" in answer.headers["content-type"]:
            assert set(keys_of(json.loads(text))) <= ALLOWED, answer.url


def test_addresses_of_images_differ_between_raters_and_their_files_carry_no_metadata(shared: Study, join: Join) -> None:
    both = [join(shared), join(shared)]
    for rater in both:
        rater.open()
    turns = [turn_of(rater, shared) for rater in both]
    seen_by_both = set(options_of(turns[0])) & set(options_of(turns[1]))
    assert seen_by_both
    assert all(options_of(turns[0])[option] != options_of(turns[1])[option] for option in seen_by_both)

    mine = [*options_of(turns[0]).values(), *(item["source_url"] for item in turns[0]["experiments"])]
    for address in mine:
        assert both[1].page.context.request.get(address).status == 404
        answer = both[0].page.context.request.get(address)
        assert answer.headers["content-type"] == "image/jpeg"
        assert not {"content-disposition", "etag", "last-modified"} & set(answer.headers)
        assert set(markers_of(answer.body())) <= PLAIN_MARKERS


def turn_of(rater: Rater, study: Study) -> Any:
    return rater.page.evaluate(NEXT, study.id)


def options_of(turn: Any) -> dict[str, str]:
    """The address of each option's image."""
    return {option["option_id"]: option["image_url"] for item in turn["experiments"] for option in item["options"]}
