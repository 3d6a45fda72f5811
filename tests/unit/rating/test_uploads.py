"""What becomes of a photo that a rater has brought: theirs alone until they leave it."""

from pathlib import Path

import pytest

from ml_service.errors import InvalidRequest, NotFound
from tests.clock import FixedClock
from tests.world import World, answer, make_world
from web.adapters.database.store import SqlStore
from web.domain.ids import new_id
from web.jobs import schedule
from web.services.rating import training, uploads


@pytest.fixture
def world(store: SqlStore, clock: FixedClock, tmp_path: Path) -> World:
    return make_world(store, clock, tmp_path)


def test_an_upload_is_made_for_its_uploader_alone_and_watched_until_ready(world: World) -> None:
    rater, other = world.person(), world.person()
    with world.parts.store.read() as tx:
        source = tx.inputs.all(study_id=world.study.id)[0]
    made = uploads.upload_to_rate(world.parts, rater, "tab", input_id=source.id)
    assert (made.state, made.done, made.of) == ("planned", 0, 2)
    world.work()
    ready = uploads.watch_upload(world.parts, rater, made.experiment_id)
    assert (ready.state, len(ready.shown)) == ("ready", 2)
    assert made.experiment_id not in [h.lease.experiment_id for h in world.hold(other, 20).held]
    with pytest.raises(NotFound):
        uploads.watch_upload(world.parts, other, made.experiment_id)
    verdicts = world.rate(rater, *(answer(option.option_id) for option in ready.shown))
    assert verdicts == ["stored", "stored"]


def test_an_upload_that_was_left_goes_to_the_others(world: World) -> None:
    rater, other = world.person(), world.person()
    with world.parts.store.read() as tx:
        source = tx.inputs.all(study_id=world.study.id)[0]
    made = uploads.upload_to_rate(world.parts, rater, "tab", input_id=source.id)
    world.work()
    world.clock.advance(minutes=11)
    schedule.tick(world.parts)
    assert made.experiment_id in [h.lease.experiment_id for h in world.hold(other, 20).held]


def test_a_second_tab_cannot_take_an_upload_of_another_study(world: World) -> None:
    with pytest.raises(NotFound):
        uploads.upload_to_rate(world.parts, world.person(), "tab", input_id=new_id())
    with pytest.raises(InvalidRequest):
        uploads.upload_to_rate(world.parts, world.person(), "tab")
    assert training.next_items(world.parts, world.person(), "tab", 1).study == world.study
