"""Every night the order of items by opinion scores is checked, by the worker, and what was found is told."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.clock import FixedClock
from tests.unit.rating.test_panel import CARELESS, START, honest, rated
from tests.world import World, answer, make_world
from web.adapters.database.store import SqlStore
from web.domain.jobs import compare_job
from web.domain.rating.figures import OrdinalCheck
from web.domain.rating.numbers.probit import check_order
from web.jobs import schedule
from web.pages.rating import words as rater_words
from web.services.rating import night
from web.services.rating.views import raters
from web.services.reports.status import change

HELD = OrdinalCheck("s", START, 60, 20, 0.98, 10, 1, 0)


@pytest.fixture
def world(store: SqlStore, clock: FixedClock, tmp_path: Path) -> World:
    return make_world(store, clock, tmp_path)


def kept(world: World) -> OrdinalCheck | None:
    with world.parts.store.read() as tx:
        return tx.ordinal_checks.find(study_id=world.study.id)


def rate_some(world: World) -> None:
    rater = world.person()
    for number, held in enumerate(world.hold(rater).held):
        world.rate(rater, *(answer(option.option_id, 1 + number) for option in held.options))


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (datetime(2026, 3, 1, 9, tzinfo=UTC), datetime(2026, 3, 2, 2, tzinfo=UTC)),
        (datetime(2026, 3, 1, 1, 59, tzinfo=UTC), datetime(2026, 3, 1, 2, tzinfo=UTC)),
        (datetime(2026, 12, 31, 2, 0, tzinfo=UTC), datetime(2027, 1, 1, 2, tzinfo=UTC)),
    ],
)
def test_the_check_is_due_in_the_coming_night(now: datetime, due: datetime) -> None:
    assert compare_job("s", now).due_at == due


def test_the_worker_checks_once_a_night_and_the_pages_are_told(world: World) -> None:
    schedule.tick(world.parts)
    world.work()
    rate_some(world)
    before = change(world.parts, world.study.id)
    schedule.tick(world.parts)
    world.work()
    assert kept(world) is None
    world.clock.advance(hours=20)
    world.work()
    found = kept(world)
    assert found is not None
    assert (found.made_at, found.ratings) == (world.clock.now(), 8)
    assert change(world.parts, world.study.id) != before
    assert raters(world.parts, world.admin, world.study.id).report.order == found
    world.clock.advance(hours=1)
    for _ in range(2):
        schedule.tick(world.parts)
        world.work()
    assert kept(world) == found
    with world.parts.store.read() as tx:
        (waiting,) = tx.jobs.all(task="compare", state="waiting")
    assert waiting.due_at == datetime(2026, 3, 3, 2, tzinfo=UTC)


def test_a_check_takes_the_place_of_the_one_before(world: World) -> None:
    night.compare(world.parts, world.study.id)
    assert kept(world) is None
    schedule.tick(world.parts)
    world.work()
    rate_some(world)
    night.compare(world.parts, world.study.id)
    first = kept(world)
    world.clock.advance(days=1)
    night.compare(world.parts, world.study.id)
    again = kept(world)
    assert first is not None
    assert again is not None
    assert again.made_at - first.made_at == timedelta(days=1)


def test_the_order_of_honest_raters_holds() -> None:
    given = rated({"a": honest(0.3), "b": honest(-0.3), "c": honest()})
    found = check_order("s", given, START)
    assert found is not None
    assert (found.ratings, found.items, found.top, found.turned) == (240, 80, 10, 0)
    assert found.rank is not None
    assert found.rank > 0.97
    assert found.changed <= 3


def test_whoever_is_excluded_is_not_asked() -> None:
    given = rated(CARELESS, items=12)
    found = check_order("s", [replace(one, counts=one.rater != "eve") for one in given], START)
    assert found == check_order("s", [one for one in given if one.rater != "eve"], START)
    assert found is not None
    assert found.ratings == 36
    assert check_order("s", [], START) is None


def test_the_check_is_told_in_a_sentence() -> None:
    assert rater_words.order(HELD) == (
        "The order of 20 items holds where stars count as an order only "
        "(rank correlation 0.98; 9 of the 10 best are the same)."
    )
    assert rater_words.order(OrdinalCheck("s", START, 2, 2, None, 1, 0, 0)).startswith("Too few items")
    one, two = (rater_words.order(OrdinalCheck("s", START, 60, 20, 0.7, 10, 4, turned)) for turned in (1, 2))
    assert one.startswith("1 pair of items turns around whose order the scores call certain")
    assert two.startswith("2 pairs of items turn around whose order the scores call certain")
