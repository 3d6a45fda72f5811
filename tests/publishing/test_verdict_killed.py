"""A process that is killed while a verdict is published: the test is decided once, and its winner goes live."""

import signal
import time
from pathlib import Path

import pytest

from ml_service.objects.local import Folder
from tests.clock import FixedClock
from tests.publishing.decider import decide
from tests.publishing.press import check_files
from tests.publishing.writer import started
from tests.released import list_versions
from tests.unit.abtests.test_verdicts import live, now, opened
from tests.world import World, answer, make_world
from web.adapters.database.store import SqlStore
from web.domain.abtests.abtest import ABTest
from web.jobs.schedule import tick
from web.services.prompts import promotion
from web.services.prompts.publication import reconcile
from web.services.prompts.versions import load_current

SNAPSHOT = 4  # the change of a file that comes after the three of a promotion


@pytest.fixture
def world(store: SqlStore, clock: FixedClock, tmp_path: Path) -> World:
    return make_world(store, clock, tmp_path, inputs=8)


def about_to_win(world: World) -> ABTest:
    """Return a test whose pairs are all rated, beyond undoing, and not closed yet."""
    test, rater = opened(world), world.person()
    while options := [option for held in world.hold(rater, wanted=4).held for option in held.options]:
        with world.parts.store.read() as tx:
            rows = {row.id: row for row in tx.options.all(id=tuple(option.option_id for option in options))}
            ours = {pair.experiment_id for pair in tx.ab_pairs.all(test_id=test.id)}
        if not any(row.experiment_id in ours for row in rows.values()):
            break
        for row in rows.values():
            world.rate(rater, answer(row.id, 5 if row.version == test.challengers[0] else 2))
    world.clock.advance(minutes=11)
    assert now(world, test).state == "running"
    return test


def check_reader(world: World, allowed: set[str | None]) -> None:
    """Hold what production reads to what was promoted: the live version at any moment, and every pinned one."""
    file = load_current(world.parts.published)
    assert file.version in allowed
    told = promotion.history(world.parts, world.admin, world.study.prompt_key)
    assert {file.version, *list_versions(world.parts.published)} <= {move.to_version for move in told}


KILLED = {
    "between the database and the version": (1, 99),
    "between the version and what is live": (2, 99),
    "before the verdict is settled": (99, 4),
    "before the snapshot": (SNAPSHOT, 99),
}


@pytest.mark.parametrize(("change", "asked"), KILLED.values(), ids=KILLED)
def test_a_verdict_is_published_once_and_whole_wherever_its_process_is_killed(
    world: World, database_url: str, tmp_path: Path, change: int, asked: int
) -> None:
    before, test = live(world), about_to_win(world)
    process = started(decide, database_url, tmp_path / "prompts", test.id, world.clock.now(), change, asked)
    while process.is_alive():
        check_reader(world, {before.name, "v1.1.0"})
        time.sleep(0.01)
    process.join()
    assert process.exitcode == -signal.SIGKILL
    halfway = now(world, test)
    reconcile(world.parts)
    check_reader(world, {live(world).name})
    tick(world.parts)
    world.work()
    done = now(world, test)
    assert done.decision is not None
    assert (done.state, done.decision.winner, live(world).id) == ("decided", test.challengers[0], test.challengers[0])
    assert halfway.decision in (None, done.decision)
    assert done.settled_at is not None
    check_files(world.parts, tmp_path / "prompts")
    with world.parts.store.read() as tx:
        events = [event.action for event in tx.events.all()]
        watches = tx.ab_tests.all(kind="hold_back")
    assert [events.count(what) for what in ("abtest.decided", "prompt.promoted", "abtest.settled")] == [1, 1, 1]
    assert len(watches) == 1
    assert Folder(tmp_path / "prompts").read(f"experiments/{test.id}.json")
