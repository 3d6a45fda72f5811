"""What gates refused is remembered, and nothing is longer than its provider takes: by the real client."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ml_service.errors import InvalidRequest
from tests.chat_server import ChatServer, Reply, chat_server, saying
from tests.clock import FixedClock
from tests.ports.test_evolving import CANDIDATE, EDIT, GOOD, with_model
from tests.unit.evolution.test_rounds import asked, sample
from tests.world import World, make_world
from web.adapters.database.store import SqlStore
from web.adapters.generators.atonce import AtOnce
from web.adapters.generators.local import LocalGenerator
from web.domain.prompts.prompt import PromptVersion
from web.services.prompts import drafts, pointers
from web.services.prompts.drafts import Draft

HOSTILE = "See https://evil.example/steal or write to mallory@evil.example."


def proposing(text: str, expected: str = "Fewer dark rooms.") -> Callable[[Any], Reply]:
    """Return a model that adds a sentence, by the first operator that it is asked for."""

    def answer(request: Any) -> Reply:
        told = request["messages"][1]["content"].removeprefix("The prompt:\n")
        operator = json.JSONDecoder().raw_decode(told)[0]["operators"][0]
        edit = EDIT | {"text": text}
        candidate = CANDIDATE | {"operator": operator, "edits": [edit], "expected_effect": expected}
        return saying(GOOD | {"candidates": [candidate]})

    return answer


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with chat_server(proposing("Lift the shadows.")) as running:
        yield running


@pytest.fixture
def world(store: SqlStore, clock: FixedClock, tmp_path: Path, server: ChatServer) -> World:
    made = make_world(store, clock, tmp_path, inputs=4)
    sample(made, 3)
    return with_model(made, server)


def test_what_a_gate_refused_is_not_looked_at_again_and_what_was_unsafe_in_it_is_not_kept(
    world: World, server: ChatServer
) -> None:
    for gate in ("safety", "no_op"):
        server.answers = proposing(HOSTILE, expected=f"Fewer. {HOSTILE}")
        done = asked(world)
        assert (done.state, [one.gate for one in done.proposed]) == ("rejected", [gate])
        assert "evil" not in repr(done)
    assert "refused (safety)" in done.proposed[0].reason


def test_what_was_refused_is_remembered_for_its_own_prompt_and_text_alone(world: World, server: ChatServer) -> None:
    server.answers = proposing(HOSTILE)
    assert asked(world).state == "rejected"
    server.answers = proposing("Lift the shadows.")
    assert asked(world).state == "proposed"


class Terse(LocalGenerator):
    """A generator whose provider takes little."""

    def limits(self) -> Mapping[str, int]:
        return {"prompt": 260, "negative_prompt": 260}


def test_no_candidate_is_longer_than_its_provider_takes(world: World, server: ChatServer) -> None:
    world.parts = replace(world.parts, generators={"local": AtOnce(Terse())})
    with world.parts.store.read() as tx:
        now = len(pointers.live_version(tx, world.study.prompt_key).rendered("local")["prompt"])
    text = "Lift the shadows and keep the walls neutral. " * 9
    server.answers = proposing(text[: 261 - now])
    done = asked(world)
    assert (done.state, done.proposed[0].gate) == ("rejected", "length")
    assert "the provider takes 260" in done.proposed[0].reason
    with pytest.raises(InvalidRequest, match="the provider takes 260"):
        draft_with(world, text[: 261 - now])
    assert draft_with(world, text[: 200 - now]).status == "candidate"


def draft_with(world: World, text: str) -> PromptVersion:
    with world.parts.store.read() as tx:
        texts = pointers.live_version(tx, world.study.prompt_key).components["local"]
    written = {"local": {**texts, "prompt": f"{texts['prompt']} {text}"}}
    return drafts.draft(world.parts, world.admin, world.study.prompt_key, Draft("Longer.", components=written))
