"""What was set aside unrated goes in time; what is to be rated, is held or was rated stays, whatever else happens."""

import threading
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ml_service.objects.local import Folder
from ml_service.wire.contract import ParameterSpace
from tests.clock import FixedClock
from tests.unit.studies.test_taking_down import at_once, lost
from tests.world import SPACE, World, answer, make_world, photo
from web.adapters.database.store import SqlStore
from web.adapters.generators.atonce import AtOnce
from web.domain.studies.experiment import ExperimentState
from web.domain.studies.study import Study
from web.jobs import schedule, tasks
from web.ports.making import Generated, GenerateRequest
from web.services.accounts import accounts
from web.services.operations.verify import Verification
from web.services.rating import training
from web.services.studies import retention
from web.services.studies.studies import clone_study, move_study

pytestmark = pytest.mark.storage

KEPT = timedelta(days=90)
KEY = b"a key for tests that is long enough"


@pytest.fixture
def world(store: SqlStore, clock: FixedClock, tmp_path: Path) -> World:
    world = make_world(store, clock, tmp_path, inputs=4)
    world.parts = replace(world.parts, retention=KEPT)
    tasks.plan(world.parts, world.study.id, depth=4)
    world.work()
    return world


def move(world: World, ids: Iterable[str], state: ExperimentState) -> None:
    with world.parts.store.begin() as tx:
        tx.of_experiments.move(tx.of_experiments.lock(ids), state, world.clock.now())


def experiments(world: World, state: ExperimentState = "ready") -> list[str]:
    with world.parts.store.read() as tx:
        return [one.id for one in tx.experiments.all(study_id=world.study.id, state=state)]


def objects_of(world: World, experiment_id: str) -> set[str]:
    """Name the objects of an experiment's options that are still there."""
    with world.parts.store.read() as tx:
        ids = tuple(str(option.output_id) for option in tx.options.all(experiment_id=experiment_id))
        outputs = tx.outputs.all(id=ids)
    there = set(world.parts.objects.list())
    for output in outputs:
        assert (output.removed_at is None) == (output.object_key in there)
    return {output.object_key for output in outputs} & there


def faults(world: World) -> list[str]:
    return [found.says for found in Verification(world.parts, KEY).findings()]


def test_what_was_set_aside_unrated_goes_once_it_is_old(world: World) -> None:
    first, *others = experiments(world)
    move(world, [first], "dropped")
    made = objects_of(world, first)
    assert len(made) == world.study.options_per_experiment
    world.clock.advance(seconds=int(KEPT.total_seconds()))
    assert retention.prune(world.parts) == 0
    world.clock.advance(seconds=1)
    assert retention.prune(world.parts) == len(made)
    assert objects_of(world, first) == set()
    assert all(len(objects_of(world, each)) == 2 for each in others)
    assert faults(world) == []
    assert retention.prune(world.parts) == 0


def test_it_is_counted_from_when_it_was_set_aside(world: World) -> None:
    world.clock.advance(days=80)
    first = experiments(world)[0]
    move(world, [first], "dropped")
    world.clock.advance(days=80)
    assert retention.prune(world.parts) == 0
    world.clock.advance(days=11)
    assert retention.prune(world.parts) == 2


@pytest.mark.parametrize("how", ["rated", "rated and undone", "skipped", "held"])
def test_what_somebody_answered_or_holds_stays(world: World, how: str) -> None:
    rater = world.person()
    held = training.next_items(world.parts, rater, "tab", 1).held[0]
    if how != "held":
        skipped = {"score": None, "skip": "broken"} if how == "skipped" else {}
        given = answer(held.options[0].option_id, **skipped)  # type: ignore[arg-type]
        assert world.rate(rater, given) == ["stored"]
        if how == "rated and undone":
            training.undo(world.parts, rater, given.id)
    move(world, [held.lease.experiment_id], "dropped")
    world.clock.advance(days=200)
    if how == "held":
        assert retention.prune(world.parts) == 0
        with world.parts.store.begin() as tx:
            tx.of_leases.expire(world.clock.now())
        assert retention.prune(world.parts) == 2
    else:
        with world.parts.store.begin() as tx:
            tx.of_leases.expire(world.clock.now())
        retention.prune(world.parts)
        assert _object(world, held.options[0].option_id) in world.parts.objects.list()
    assert faults(world) == []


def _object(world: World, option_id: str) -> str:
    with world.parts.store.read() as tx:
        return tx.outputs.get(str(tx.options.get(option_id).output_id)).object_key


def test_what_is_to_be_shown_stays_however_old(world: World) -> None:
    before = world.parts.objects.list()
    world.clock.advance(days=5000)
    assert retention.prune(world.parts) == 0
    assert world.parts.objects.list() == before


def test_without_a_limit_everything_stays(world: World) -> None:
    world.parts = replace(world.parts, retention=None)
    move(world, experiments(world), "dropped")
    world.clock.advance(days=5000)
    assert retention.prune(world.parts) == 0


class Constant:
    """A generator that makes the same image of everything, so that all options share one output."""

    name = "local"

    def space(self) -> ParameterSpace:
        return SPACE

    def limits(self) -> dict[str, int]:
        return {}

    def generate(self, request: GenerateRequest) -> Generated:
        return Generated(photo(99), "image/jpeg", 48, 48)


def shared(world: World) -> Study:
    """Make everything anew in a study whose options all share one output."""
    world.parts = replace(world.parts, generators={"local": AtOnce(Constant())})
    world.study = clone_study(world.parts, world.admin, world.study.id, "Shared")
    tasks.plan(world.parts, world.study.id, depth=4)
    world.work()
    return world.study


def test_an_output_that_two_experiments_share_stays_while_one_is_to_be_shown(world: World) -> None:
    shared(world)
    first, *others = experiments(world)
    move(world, [first], "dropped")
    world.clock.advance(days=91)
    assert retention.prune(world.parts) == 0
    move(world, others, "dropped")
    world.clock.advance(days=91)
    assert retention.prune(world.parts) == 1


def test_an_output_that_was_let_go_comes_back_when_it_is_made_again(world: World) -> None:
    shared(world)
    move(world, experiments(world), "dropped")
    world.clock.advance(days=91)
    assert retention.prune(world.parts) == 1
    tasks.plan(world.parts, world.study.id, depth=1)
    world.work()
    assert len(objects_of(world, experiments(world)[0])) == 1
    assert faults(world) == []


def test_nothing_that_is_made_at_the_same_time_is_lost(world: World) -> None:
    shared(world)
    over, pruned = threading.Event(), []

    def make() -> None:
        try:
            for _ in range(8):
                tasks.plan(world.parts, world.study.id, depth=1)
                world.work()
                assert lost(world) == []
                move(world, experiments(world), "dropped")
                world.clock.advance(days=91)
        finally:
            over.set()

    def let_go() -> None:
        while not over.is_set():
            pruned.append(retention.prune(world.parts))

    at_once(make, let_go, let_go)
    assert sum(pruned) > 1, "the two did not meet often enough to show anything"


def test_what_became_needed_since_it_was_looked_for_stays(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = experiments(world)[:2]
    move(world, [first, second], "dropped")
    world.clock.advance(days=91)
    look = retention._some

    def meanwhile(*asked: Any) -> tuple[str, ...]:
        found = look(*asked)
        move(world, [first], "ready")
        return found

    monkeypatch.setattr(retention, "_some", meanwhile)
    assert retention.prune(world.parts) == 2
    assert (len(objects_of(world, first)), len(objects_of(world, second))) == (2, 0)


def test_whoever_makes_an_output_needed_is_waited_for(world: World) -> None:
    first = experiments(world)[0]
    move(world, [first], "dropped")
    world.clock.advance(days=91)
    keys, pruned = objects_of(world, first), list[int]()
    with world.parts.store.begin() as tx:
        tx.lock_objects(keys)
        waiting = threading.Thread(target=lambda: pruned.append(retention.prune(world.parts)))
        waiting.start()
        waiting.join(0.5)
        tx.of_experiments.move([first], "ready", world.clock.now())
    waiting.join(60)
    assert pruned == [0]
    assert objects_of(world, first) == keys


def test_a_killed_prune_is_finished_by_the_next(world: World, tmp_path: Path) -> None:
    class Broken(Folder):
        def delete(self, name: str) -> None:
            super().delete(name)
            raise OSError("killed")

    first = experiments(world)[0]
    move(world, [first], "dropped")
    world.clock.advance(days=91)
    whole = world.parts
    with pytest.raises(OSError, match="killed"):
        retention.prune(replace(whole, objects=Broken(tmp_path / "objects")))
    world.work()
    assert objects_of(world, first) == set()
    assert faults(world) == []


def test_many_go_in_small_steps(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 3)
    move(world, experiments(world), "dropped")
    world.clock.advance(days=91)
    assert retention.prune(world.parts) == 8


def test_the_tick_asks_for_it_every_hour(world: World) -> None:
    move_study(world.parts, world.admin, world.study.id, "paused")  # what is made anew may have the same bytes
    for _ in range(3):
        schedule.tick(world.parts)
    move(world, experiments(world), "dropped")
    world.clock.advance(days=91)
    before = len(world.parts.objects.list())
    world.work()
    assert len(world.parts.objects.list()) < before
    with world.parts.store.read() as tx:
        assert [job.state for job in tx.jobs.all(task="prune")] == ["done"]
    schedule.tick(world.parts)
    with world.parts.store.read() as tx:
        (next_one,) = tx.jobs.all(task="prune", state="waiting")
    assert next_one.due_at == world.clock.now() + timedelta(hours=1)


def test_an_address_that_was_invited_and_never_came_is_forgotten(world: World) -> None:
    store, clock = world.parts.store, world.clock
    accounts.invite(world.parts, world.admin, "rater", "guest@example.org")
    rita = world.person()
    accounts.renew_link(world.parts, world.admin, rita.user_id)
    clock.advance(days=96)
    retention.prune(world.parts)
    with store.read() as tx:
        assert {link.email for link in tx.links.all()} == {"guest@example.org", rita.email}
    clock.advance(days=2)
    retention.prune(world.parts)
    with store.read() as tx:
        assert {link.email for link in tx.links.all()} == {rita.email}
    assert faults(world) == []
