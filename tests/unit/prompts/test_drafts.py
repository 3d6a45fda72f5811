"""Versions written by hand: the gates hold for people too, and the same request keeps one version."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from ml_service.errors import Conflict, Forbidden, InvalidRequest, NotFound
from tests.clock import FixedClock
from tests.world import World, make_world
from web.adapters.database.store import SqlStore
from web.domain.abtests.abtest import Decision
from web.domain.access import Actor
from web.domain.ids import new_id
from web.domain.prompts.prompt import PromptVersion
from web.services.abtests import abtests, verdicts
from web.services.abtests.abtests import Challenge
from web.services.prompts import drafts, pointers
from web.services.prompts.drafts import Draft

PROMPT = "Enhance this photo of {{subject}}, and change no more than it needs."


@pytest.fixture
def world(store: SqlStore, clock: FixedClock, tmp_path: Path) -> World:
    return make_world(store, clock, tmp_path, inputs=2)


def texts(prompt: str) -> dict[str, dict[str, str]]:
    return {"local": {"prompt": prompt, "negative_prompt": "artefacts, added objects, watermarks"}}


def write(world: World, draft: Draft, actor: Actor | None = None) -> PromptVersion:
    return drafts.draft(world.parts, actor or world.admin, world.study.prompt_key, draft)


def test_what_is_written_is_a_candidate_of_the_live_version_and_on_record(world: World) -> None:
    made = write(world, Draft("Warmer.", components=texts(f"{PROMPT} Make it warmer.")))
    with world.parts.store.read() as tx:
        live = pointers.live_version(tx, world.study.prompt_key)
        event = tx.events.find(object_type="version", object_id=made.id, action="version.drafted")
        assert tx.versions.get(made.id) == made
    assert (made.status, made.name, made.parents, made.created_by) == ("candidate", None, (live.id,), "hand")
    assert made.variables == live.variables
    assert event is not None
    assert event.actor_id == world.admin.user_id


def test_the_same_id_keeps_one_version_and_another_text_under_it_is_a_conflict(world: World) -> None:
    asked = Draft("Warmer.", components=texts(f"{PROMPT} Make it warmer."), id=new_id())
    first = write(world, asked)
    assert write(world, asked) == first
    with pytest.raises(Conflict):
        write(world, replace(asked, changelog="Something else."))


def test_versions_that_are_written_at_once_get_numbers_of_their_own(world: World) -> None:
    words = ("Warmer", "Colder", "Softer", "Brighter", "Darker", "Sharper")
    asked = [Draft(f"{word}.", components=texts(f"{PROMPT} {word} light, and a {word} sky.")) for word in words]
    with ThreadPoolExecutor(len(asked)) as pool:
        made = list(pool.map(lambda draft: write(world, draft), asked))
    assert sorted(one.number for one in made) == [2, 3, 4, 5, 6, 7]


def test_the_number_that_one_was_given_is_nobody_elses_until_it_is_kept(world: World) -> None:
    key, given = world.study.prompt_key, threading.Event()

    def second() -> int:
        given.wait()
        with world.parts.store.begin() as tx:
            return tx.of_prompts.next_number(key)

    with ThreadPoolExecutor(1) as pool:
        later = pool.submit(second)
        with world.parts.store.begin() as tx:
            number = tx.of_prompts.next_number(key)
            given.set()
            fresh = replace(pointers.live_version(tx, key), id=new_id(), number=number, name=None, status="candidate")
            time.sleep(0.2)  # time for the other one to ask
            tx.versions.add(fresh)
        assert (number, later.result()) == (2, 3)


@pytest.mark.parametrize("engine", ["postgres"], indirect=True)
def test_a_draft_does_not_wait_for_a_publication(world: World) -> None:
    with world.parts.store.begin() as tx:
        pointers.locked(tx, world.study.prompt_key)
        with ThreadPoolExecutor(1) as pool:
            asked = Draft("Warmer.", components=texts(f"{PROMPT} Make it warmer."))
            assert pool.submit(write, world, asked).result(timeout=30).number == 2


REFUSED = [
    (Draft("Same.", components=texts(PROMPT)), "no_op"),
    (
        Draft("Lost.", components=texts("Enhance this photo, and make it warmer.")),
        "uses the variable",
    ),
    (Draft("Key.", components=texts(f"{PROMPT} Use sk-proj-abcdefghijklmnop1234.")), "safety"),
    (Draft("Loop.", components=texts(f"{PROMPT} {{{{ 9**9999999 }}}}")), "arithmetic"),
    (Draft("Gone.", components={"local": {"prompt": f"{PROMPT} Warm."}}), "missing"),
    (Draft("Long.", components=texts(PROMPT + " warm" * 500)), "length"),
    (Draft(" "), "changelog"),
    (Draft("Odd.", id="no id"), "UUID"),
    (Draft("Orphan.", parent_id=new_id()), "build on"),
]


@pytest.mark.parametrize(("asked", "words"), REFUSED)
def test_what_does_not_pass_is_not_kept(world: World, asked: Draft, words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        write(world, asked)
    with world.parts.store.read() as tx:
        assert len(tx.versions.all(prompt_key=world.study.prompt_key)) == 1


def test_only_admins_of_the_project_write(world: World) -> None:
    asked = Draft("Warmer.", components=texts(f"{PROMPT} Make it warmer."))
    with pytest.raises(Forbidden):
        write(world, asked, world.person())
    with pytest.raises(NotFound):
        write(world, asked, Actor("x", "x", new_id(), "admin"))


def test_better_parameters_can_be_written_too(world: World) -> None:
    made = write(world, Draft("Brighter.", parameter_defaults={"local": {"exposure": 0.3}}))
    assert made.parameter_defaults == {"local": {"exposure": 0.3}}
    assert made.components["local"]["prompt"] == PROMPT


def test_who_wrote_a_version_may_not_approve_it_where_four_eyes_are_asked_for(world: World) -> None:
    made = write(world, Draft("Warmer.", components=texts(f"{PROMPT} Make it warmer.")))
    other = world.person("admin")
    asked = Challenge((made.id,), policy="approve")
    test = abtests.open_test(world.parts, other, world.study.id, asked)
    decided = replace(test, decision=Decision("promote", made.id, ()))
    with world.parts.store.begin() as tx:
        tx.ab_tests.replace(replace(decided, state="decided"))
    with pytest.raises(Forbidden, match="you wrote"):
        verdicts.approve(world.parts, world.admin, test.id, test.prompt_key)
