"""The order in which raters are given things, on both engines: an order of one's own, sources apart, rare kinds."""

import threading
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from tests.clock import FixedClock
from tests.world import World, answer, make_world
from web.adapters.database.store import SqlStore
from web.domain.access import Actor
from web.domain.ids import new_id
from web.domain.rating.attention import RARE, Dealt, Lot, Unsure, apart, is_due, most_doubtful, ordered, reach
from web.domain.rating.lease import Asker
from web.domain.studies.study import Shares
from web.jobs import tasks
from web.services.rating import training


@pytest.fixture
def world(store: SqlStore, clock: FixedClock, tmp_path: Path) -> World:
    return make_world(store, clock, tmp_path, raters_wanted=4)


def given(*sources: str) -> list[Dealt]:
    return [Dealt(f"e{place}", "explore", source) for place, source in enumerate(sources)]


def lots(shares: Shares, count: int, rater: str = "anna") -> list[str]:
    """What a rater is given in turn where everything can be had."""
    told: list[Dealt] = []
    every: list[str] = []
    for number in range(count):
        due: Lot = next((lot for lot in RARE[:2] if is_due(lot, shares, told[: reach(shares)], rater)), "explore")
        told.insert(0, Dealt(str(number), due, "one"))
        every.append(due)
    return every


def test_one_in_twenty_is_gold_and_one_in_twenty_a_repeat_at_places_that_nobody_foresees() -> None:
    order = lots(Shares(), 2000)
    places = [place for place, lot in enumerate(order) if lot == "gold"]
    gaps = {second - first for first, second in pairwise(places)}
    assert 90 <= len(places) <= 110
    assert 90 <= order.count("repeat") <= 110
    assert min(gaps) >= 10
    assert max(gaps) <= 31
    assert len(gaps) > 10
    assert lots(Shares(), 60, "anna") != lots(Shares(), 60, "bob")


def test_shares_of_nothing_are_never_due() -> None:
    assert set(lots(Shares(gold=0, repeat=0), 300)) == {"explore"}
    assert lots(Shares(ab=0, explore=0, gold=1, repeat=0), 5) == ["gold"] * 5


def test_a_gold_item_that_could_not_be_had_stays_due() -> None:
    told = [Dealt(str(number), "explore", "one") for number in range(40)]
    assert is_due("gold", Shares(), told, "anna")
    assert not is_due("gold", Shares(), [Dealt("x", "gold", "one"), *told], "anna")


def test_the_source_that_was_not_seen_lately_comes_first() -> None:
    last = given("f", "e", "d", "c", "b", "a")
    assert apart(given("f", "e", "b", "a"), last, 6) == Dealt("e3", "explore", "a")
    assert apart(given("f", "b", "a"), last, 3) == Dealt("e1", "explore", "b")


def test_too_few_sources_keep_nothing_back() -> None:
    last = given("a", "b", "a")
    assert apart(given("a", "b"), last, 2) == Dealt("e1", "explore", "b")
    assert apart(given("a"), last, 2) == Dealt("e0", "explore", "a")
    assert apart(given("a"), last, 1) == Dealt("e0", "explore", "a")
    assert apart([], last, 2) is None


def test_the_oldest_never_falls_far_behind() -> None:
    waiting = [Dealt(f"e{number}", "explore", "a") for number in range(40)]
    waits: list[int] = []
    last: list[Dealt] = []
    born = {one.experiment_id: 0 for one in waiting}
    for step in range(2000):
        one = ordered(waiting, last, "anna")[0]
        waits.append(step - born[one.experiment_id])
        waiting.remove(one)
        last = [one]
        born[f"n{step}"] = step
        waiting.append(Dealt(f"n{step}", "explore", "a"))
    assert max(waits) < 80


def test_raters_have_an_order_of_their_own() -> None:
    waiting = given(*"abcdefgh")
    assert len({ordered(waiting, (), rater) for rater in ("anna", "bob", "cleo", "dan")}) > 2
    assert ordered(waiting, (), "anna") == ordered(waiting, (), "anna")


def test_one_more_rating_goes_where_least_is_known() -> None:
    agreed, few, split = (
        Unsure("agreed", "a", 3, 12, 48),
        Unsure("few", "b", 1, 4, 16),
        Unsure("split", "c", 3, 9, 35),
    )
    assert split.doubt > few.doubt > agreed.doubt
    sure = Unsure("split", "c", 5, 20, 80)
    assert [one.experiment_id for one in most_doubtful([agreed, sure, split, few])] == ["split", "few", "agreed"]


def fill(world: World, depth: int) -> None:
    """Let so many experiments wait; nothing is learnt after that."""
    tasks.plan(world.parts, world.study.id, depth=depth)
    world.work()


def rate_all(world: World, rater: Actor, count: int, wanted: int = 2) -> list[str]:
    """Rate so many experiments and return the inputs in the order they were given."""
    inputs: list[str] = []
    for _ in range(count):
        held = training.next_items(world.parts, rater, "tab", wanted).held[0]
        inputs.append(held.options[0].input_id)
        world.rate(rater, *(answer(option.option_id) for option in held.options))
        world.clock.advance(seconds=1)
    return inputs


def test_a_source_does_not_return_within_five_experiments(world: World) -> None:
    fill(world, 24)
    inputs = rate_all(world, world.person(), 12)
    assert all(source not in inputs[place + 1 : place + 6] for place, source in enumerate(inputs))


def test_two_sources_take_turns_as_far_as_the_queue_has_both(
    store: SqlStore, clock: FixedClock, tmp_path: Path
) -> None:
    world = make_world(store, clock, tmp_path, inputs=2)
    fill(world, 8)
    inputs = rate_all(world, world.person(), 8)
    assert all(first != second for first, second in pairwise(inputs))


def test_two_raters_meet_the_same_experiments_in_different_orders(world: World) -> None:
    fill(world, 16)
    orders = []
    for _ in range(3):
        turn = training.next_items(world.parts, world.person(), "tab", 12)
        orders.append([held.lease.experiment_id for held in turn.held])
    assert len({tuple(order) for order in orders}) == 3
    assert set(orders[0]) & set(orders[1])


def test_raters_who_ask_at_once_never_hold_more_than_are_wanted(
    store: SqlStore, clock: FixedClock, tmp_path: Path
) -> None:
    world = make_world(store, clock, tmp_path, raters_wanted=1)
    fill(world, 16)
    raters = [world.person() for _ in range(8)]
    start = threading.Barrier(len(raters))

    def ask(rater: Actor) -> None:
        start.wait()
        for wanted in (1, 2):
            training.next_items(world.parts, rater, "tab", wanted)

    threads = [threading.Thread(target=ask, args=(rater,)) for rater in raters]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with world.parts.store.read() as tx:
        held = Counter(lease.experiment_id for lease in tx.leases.all(study_id=world.study.id))
    assert set(held.values()) == {1}
    assert len(held) >= 12
    for rater in raters:  # who lost a race asks again
        assert len(training.next_items(world.parts, rater, "tab", 2).held) == 2


def test_what_may_be_taken_is_told_afresh_once_it_is_locked(world: World) -> None:
    fill(world, 4)
    training.next_items(world.parts, world.person(), "tab", 1)
    asker = Asker(world.study.id, world.person().user_id, 1, world.clock.now())
    with world.parts.store.begin() as tx:
        ready = {one.id for one in tx.experiments.all(study_id=world.study.id, state="ready")}
        assert len(ready) == 4
        assert len(tx.of_turns.claim(asker, ready)) == 3
        assert tx.of_turns.claim(asker, ready).keys() == {one.experiment_id for one in tx.of_turns.open_to(asker)}
        assert tx.of_turns.claim(asker, [new_id()]) == {}
