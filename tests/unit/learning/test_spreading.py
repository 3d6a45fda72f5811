"""A fair start: the first points are spread over all photos of an upload and over strata, whichever came first."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.clock import FixedClock
from tests.world import UNLEARNING, World, answer, make_world, photo
from web.adapters.database.store import SqlStore
from web.domain.studies.experiment import LIVE, Option
from web.domain.studies.spreading import Move, Stratum, Waiting, moves, turns
from web.domain.studies.study import Input
from web.jobs import schedule, tasks
from web.ports.making import CleanImage
from web.services.studies import intake

INITIAL = 10  # options that are spread evenly before a belief chooses


@pytest.fixture
def world(store: SqlStore, clock: FixedClock, tmp_path: Path) -> World:
    return make_world(store, clock, tmp_path, inputs=0)


def bring(world: World, seed: int, stratum: str = "") -> Input:
    """Add a photo as an upload does, and let the worker catch up."""
    image = CleanImage(photo(seed), "image/jpeg", 48, 48)
    incoming = intake.store_image(world.parts, world.study, f"photo {seed}", image, stratum=stratum)
    with world.parts.store.begin() as tx:
        kept = intake.present_or_added(tx, world.parts, world.study, incoming)
    schedule.tick(world.parts)
    world.work(UNLEARNING)
    return kept


def waiting(world: World) -> Counter[str]:
    """Count by input the experiments that are to be rated."""
    with world.parts.store.read() as tx:
        return Counter(one.input_id for one in tx.experiments.all(study_id=world.study.id, state=LIVE))


def options(world: World, **equal: object) -> dict[str, Option]:
    with world.parts.store.read() as tx:
        return {one.id: one for one in tx.options.all(study_id=world.study.id, **equal)}


def rated_first(world: World, count: int) -> Counter[str]:
    """Rate one experiment after the other until so many options have a rating; count these by their inputs."""
    rater, rated = world.person(), Counter[str]()
    while rated.total() < count:
        (held,) = world.hold(rater, 1, tasks=UNLEARNING).held
        world.rate(rater, *(answer(option.option_id) for option in held.options))
        world.work(UNLEARNING)
        rated.update(
            options(world, experiment_id=held.lease.experiment_id)[one.option_id].input_id for one in held.options
        )
    return rated


def test_the_first_points_are_spread_over_ten_photos_that_come_one_after_the_other(world: World) -> None:
    sources = [bring(world, seed).id for seed in range(10)]
    assert waiting(world) == Counter(sources[:4])
    assert all(one.why == "initial" for one in options(world).values())
    assert sorted(rated_first(world, INITIAL).values()) == [2] * 5


@pytest.mark.parametrize(("count", "fair"), [(1, [4]), (2, [2, 2]), (3, [1, 1, 2]), (5, [1, 1, 1, 1])])
def test_what_waits_is_shared_by_the_photos_there_are(world: World, count: int, fair: list[int]) -> None:
    for seed in range(count):
        bring(world, seed)
    assert sorted(waiting(world).values()) == fair


def test_what_is_moved_keeps_its_points_and_is_made_of_the_new_photo(world: World) -> None:
    first = bring(world, 0)
    before = [one.point for one in options(world).values()]
    bring(world, 1)
    after = [one for one in options(world).values() if one.experiment_id in _live(world)]
    assert sorted(map(str, before)) == sorted(str(one.point) for one in after)
    assert {one.state for one in after} == {"ready"}
    of_first = {one.output_id for one in after if one.input_id == first.id}
    assert of_first.isdisjoint(one.output_id for one in after if one.input_id != first.id)


def _live(world: World) -> set[str]:
    with world.parts.store.read() as tx:
        return {one.id for one in tx.experiments.all(study_id=world.study.id, state=LIVE)}


def test_what_somebody_holds_or_has_rated_stays_where_it_is(world: World) -> None:
    first = bring(world, 0)
    rater = world.person()
    (held,) = world.hold(rater, 1).held
    bring(world, 1)
    assert held.lease.experiment_id in _live(world)
    assert world.rate(rater, *(answer(option.option_id) for option in held.options)) == ["stored", "stored"]
    for seed in range(2, 10):
        bring(world, seed)
    with world.parts.store.read() as tx:
        assert tx.experiments.get(held.lease.experiment_id).state == "closed"
    assert waiting(world)[first.id] == 0, "the first photo has had its turn"


@pytest.mark.parametrize("cost", [{"cost_micros": 40_000}, {"state": "generating"}], ids=["paid for", "begun outside"])
def test_what_has_cost_money_stays_where_it_is(world: World, cost: dict[str, Any]) -> None:
    first = bring(world, 0)
    with world.parts.store.begin() as tx:
        for option in tx.options.all(study_id=world.study.id):
            tx.options.replace(replace(option, **cost))
    bring(world, 1)
    assert waiting(world)[first.id] == 4


def test_what_is_being_made_stays_where_it_is(world: World) -> None:
    first = bring(world, 0)
    with world.parts.store.begin() as tx:
        option = tx.options.all(study_id=world.study.id)[-1]
        job = tx.jobs.find(key=f"make:{option.id}")
        assert job is not None
        tx.jobs.remove(id=job.id)
        tx.jobs.add(replace(job, state="claimed", worker="another", finished_at=None, claimed_until=job.due_at))
    second = world.add_input(1)
    tasks.plan(world.parts, world.study.id)
    assert option.experiment_id in _live(world)
    assert waiting(world)[second.id] > 0
    assert waiting(world)[first.id] > 0


def test_nothing_is_moved_twice_without_a_new_photo(world: World) -> None:
    for seed in range(3):
        bring(world, seed)
    before = options(world)
    for _ in range(3):
        tasks.plan(world.parts, world.study.id)
        world.work(UNLEARNING)
    assert options(world).keys() == before.keys()


def test_a_paused_study_moves_nothing(world: World) -> None:
    bring(world, 0)
    with world.parts.store.begin() as tx:
        tx.studies.replace(replace(tx.studies.get(world.study.id), state="paused"))
    bring(world, 1)
    assert len(waiting(world)) == 1


@pytest.mark.parametrize(("sizes", "fair"), [((9, 3), (3, 1)), ((6, 6), (2, 2)), ((1, 11), (0, 4))])
def test_strata_have_first_points_by_their_sizes(world: World, sizes: tuple[int, int], fair: tuple[int, int]) -> None:
    strata = ["a"] * sizes[0] + ["b"] * sizes[1]
    sources = {bring(world, seed, stratum).id: stratum for seed, stratum in enumerate(strata)}
    shares = Counter(sources[one] for one in waiting(world).elements())
    assert (shares["a"], shares["b"]) == fair


def test_in_turn_every_photo_of_every_stratum_has_its_share(world: World) -> None:
    sources = [bring(world, seed, "ab"[seed // 9]).id for seed in range(12)]
    tasks.plan(world.parts, world.study.id, depth=24)
    assert waiting(world) == Counter(sources * 2)


def test_moves_go_from_who_has_too_much_to_who_came_later() -> None:
    held = [Waiting(f"{number}", "0") for number in range(1, 5)]
    assert moves(held, ["0", "6"]) == (Move("3", "6"), Move("4", "6"))
    assert moves(held, ["6", "0"]) == (Move("3", "6"), Move("4", "6"))
    assert moves(held, ["0", "5", "6", "7"]) == (Move("2", "5"), Move("3", "6"), Move("4", "7"))
    assert moves([Waiting("1", "0"), Waiting("7", "0")], ["0", "6"]) == (), "what was planned since knew of it"
    assert moves(held, ["0"]) == ()
    assert moves([], []) == ()


def test_strata_take_turns_by_their_sizes_and_by_what_they_have_had() -> None:
    assert turns([Stratum("a", 9), Stratum("b", 3)], 4) == ("a", "a", "b", "a")
    assert turns([Stratum("a", 4, 4), Stratum("b", 4)], 5) == ("b", "b", "b", "b", "a")
    assert turns([Stratum("a", 2)], 5) == ("a", "a")
    assert turns([], 3) == ()
