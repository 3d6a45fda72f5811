"""What stays of a study when a photo is taken down, its ranges change or it is cloned."""

from dataclasses import replace
from pathlib import Path

import pytest

from ml_service.errors import Conflict, InvalidRequest, NotFound
from ml_service.wire.contract import (
    FloatParameter,
    ParameterSpace,
)
from tests.clock import FixedClock
from tests.world import SPACE, World, answer, make_world
from web.adapters.database.store import SqlStore
from web.domain.ids import new_id
from web.domain.prompts.prompt import DEFAULT_KEY
from web.domain.studies.study import Project
from web.services.learning import learn, requests
from web.services.studies import intake
from web.services.studies.studies import StudyDraft, change_study, clone_study, make_study


@pytest.fixture
def world(store: SqlStore, clock: FixedClock, tmp_path: Path) -> World:
    return make_world(store, clock, tmp_path)


def test_an_input_taken_down_takes_all_it_led_to_along(world: World) -> None:
    rater = world.person()
    held = world.hold(rater).held[0]
    world.rate(rater, *(answer(option.option_id) for option in held.options))
    input_id = held.options[0].input_id
    with world.parts.store.read() as tx:
        before = len(requests.observations(tx, world.study))
        outputs = [tx.outputs.get(o.output_id or "") for o in tx.options.all(input_id=input_id)]
    intake.take_down(world.parts, world.admin, input_id)
    intake.take_down(world.parts, world.admin, input_id)
    with world.parts.store.read() as tx:
        assert len(requests.observations(tx, world.study)) == before - 2
        source = tx.inputs.get(input_id)
    for key in (source.object_key, intake.view_key(source), *(output.object_key for output in outputs)):
        with pytest.raises(NotFound):
            world.parts.objects.read(key)
    assert input_id not in [h.options[0].input_id for h in world.hold(rater, 20).held]


def test_old_ratings_count_after_a_range_changed_and_a_parameter_was_added(world: World) -> None:
    rater = world.person()
    held = world.hold(rater).held
    world.rate(rater, *(answer(option.option_id) for item in held for option in item.options))
    wider = ParameterSpace(
        parameters={
            **SPACE.parameters,
            "exposure": FloatParameter(low=-2, high=2, default=0),
            "saturation": FloatParameter(low=0.5, high=1.5, default=1),
        }
    )
    draft = StudyDraft("Photos", {"local": wider})
    with world.parts.store.read() as tx:
        revision = tx.studies.get(world.study.id).revision
    changed = change_study(world.parts, world.admin, world.study.id, revision, draft)
    assert learn.learn(world.parts, changed.id).diagnosis.ratings_used == 8
    with pytest.raises(Conflict):
        change_study(world.parts, world.admin, world.study.id, revision, draft)
    world.hold(rater, 10)
    with world.parts.store.read() as tx:
        fresh = [o for o in tx.options.all(study_id=world.study.id) if "saturation" in o.point]
    assert fresh


def test_a_clone_has_the_inputs_and_none_of_the_ratings(world: World) -> None:
    rater = world.person()
    world.rate(rater, answer(world.hold(rater).held[0].options[0].option_id))
    twin = clone_study(world.parts, world.admin, world.study.id, "Again")
    with world.parts.store.read() as tx:
        assert len(tx.inputs.all(study_id=twin.id)) == 6
        assert tx.of_ratings.count(twin.id) == 0
        assert tx.of_ratings.count(world.study.id) == 1


def test_a_range_beyond_the_generators_own_is_refused(world: World) -> None:
    beyond = ParameterSpace(parameters={"exposure": FloatParameter(low=-90, high=90, default=0)})
    with pytest.raises(InvalidRequest, match="exposure"):
        change_study(world.parts, world.admin, world.study.id, 0, StudyDraft("Photos", {"local": beyond}))


def test_a_study_is_for_a_prompt_of_its_own_project(world: World) -> None:
    with world.parts.store.begin() as tx:
        there = tx.projects.add(Project(new_id(), "Elsewhere", world.clock.now()))
    stranger = replace(world.admin, project_id=there.id)
    for admin, key in ((stranger, DEFAULT_KEY), (world.admin, "nothing")):
        with pytest.raises(InvalidRequest, match="There is no prompt"):
            make_study(world.parts, admin, StudyDraft("Theirs", {"local": SPACE}, prompt_key=key))
