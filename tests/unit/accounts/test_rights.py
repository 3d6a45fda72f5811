"""Rights: one question with one wording, whoever asks it of whatever row."""

from pathlib import Path
from typing import get_args

import pytest

from ml_service.errors import Forbidden, NotFound
from tests.clock import FixedClock
from tests.world import World, make_world
from web.adapters.database.store import SqlStore
from web.domain.access import Action, Actor, allowed
from web.domain.ids import new_id
from web.domain.studies.study import Project
from web.services.accounts import rights


@pytest.fixture
def world(store: SqlStore, clock: FixedClock, tmp_path: Path) -> World:
    return make_world(store, clock, tmp_path, inputs=0)


def test_every_action_has_words_for_who_may_not() -> None:
    assert rights.REFUSALS.keys() == set(get_args(Action))
    assert len(set(rights.REFUSALS.values())) == len(rights.REFUSALS)


@pytest.mark.parametrize("action", get_args(Action))
@pytest.mark.parametrize("role", ["rater", "admin", "service"])
def test_who_is_not_allowed_is_refused_in_the_words_of_the_action(action: Action, role: str) -> None:
    actor = Actor("someone", "a@x.org", "here", role, scopes=("prompts:read",))  # type: ignore[arg-type]
    if allowed(actor, action, "here"):
        rights.demand(actor, action)
    else:
        with pytest.raises(Forbidden) as refused:
            rights.demand(actor, action)
        assert str(refused.value) == rights.REFUSALS[action]
    with pytest.raises(Forbidden):
        rights.demand(actor, action, "elsewhere")


def test_a_row_is_found_by_whoever_may_act_on_it(world: World) -> None:
    admin, rater = world.admin, world.person()
    with world.parts.store.read() as tx:
        assert rights.found(tx.studies, admin, "steer", "study", world.study.id) == world.study
        with pytest.raises(Forbidden, match="steer its studies"):
            rights.found(tx.studies, rater, "steer", "study", world.study.id)


def test_what_is_not_there_and_what_is_another_projects_are_told_alike(world: World) -> None:
    with world.parts.store.begin() as tx:
        elsewhere = tx.projects.add(Project(new_id(), "Elsewhere", world.clock.now()))
    stranger = Actor("someone", "a@x.org", elsewhere.id, "admin")
    with world.parts.store.read() as tx:
        for actor, key in ((world.admin, "nothing"), (stranger, world.study.id)):
            with pytest.raises(NotFound) as missed:
                rights.found(tx.studies, actor, "steer", "study", key)
            assert str(missed.value) == f"There is no study {key}."
        with pytest.raises(NotFound, match="There is no such key in this project"):
            rights.found(tx.keys, stranger, "manage_keys", "key", "palate_a secret")
        key = world.study.prompt_key
        with pytest.raises(NotFound, match=f"There is no prompt {key}"):
            rights.found(tx.prompts, stranger, "see_all", "prompt", key)
