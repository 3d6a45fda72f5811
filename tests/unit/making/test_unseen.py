"""What is made and not shown, and what models say: neither is a person's, and neither stands in for one."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.clock import FixedClock
from tests.world import World, answer, make_world
from web.adapters.database.store import SqlStore
from web.domain.ids import new_id
from web.domain.rating.rating import JudgeKind, Rating
from web.domain.studies.experiment import Option, OptionState, settle
from web.jobs import tasks
from web.services.learning import requests


@pytest.fixture
def world(store: SqlStore, clock: FixedClock, tmp_path: Path) -> World:
    return make_world(store, clock, tmp_path, inputs=4)


def made(world: World) -> list[Option]:
    """Return the options of one experiment that is ready."""
    tasks.plan(world.parts, world.study.id, depth=1)
    world.work()
    with world.parts.store.read() as tx:
        (experiment,) = tx.experiments.all(study_id=world.study.id, state="ready")
        return list(tx.options.all(experiment_id=experiment.id))


def put(world: World, option: Option, state: OptionState) -> Option:
    with world.parts.store.begin() as tx:
        return tx.options.replace(replace(option, state=state))


def judged(world: World, option: Option, kind: JudgeKind, score: float = 4.5) -> None:
    """Let a model or a metric rate an option."""
    now = world.clock.now()
    rating = Rating(
        id=new_id(),
        fingerprint="f" * 64,
        study_id=option.study_id,
        experiment_id=option.experiment_id,
        option_id=option.id,
        input_id=option.input_id,
        generator=option.generator,
        version=option.version,
        judge_id="a model",
        judge_kind=kind,
        metric="overall",
        score=score,
        skip=None,
        rated_at=now,
        changed_at=now,
    )
    with world.parts.store.begin() as tx:
        tx.ratings.add(rating)


@pytest.mark.parametrize(
    ("kind", "states", "becomes"),
    [
        ("explore", ["ready", "spare"], "ready"),
        ("explore", ["failed", "spare"], "void"),
        ("explore", ["planned", "spare"], "generating"),
        ("ab", ["ready", "ready", "spare"], "ready"),
        ("ab", ["ready", "failed", "spare"], "void"),
    ],
)
def test_a_spare_option_neither_makes_nor_hinders_an_experiment(
    world: World, kind: str, states: list[OptionState], becomes: str
) -> None:
    option = made(world)[0]
    assert settle(kind, [replace(option, state=state) for state in states]) == becomes  # type: ignore[arg-type]


def test_a_spare_option_is_not_shown_until_it_is_ready(world: World) -> None:
    shown, spare = made(world)
    spare = put(world, spare, "spare")
    rater = world.person()
    held = world.hold(rater, 1).held[0]
    assert [option.option_id for option in held.options] == [shown.id]
    assert world.rate(rater, answer(spare.id)) == ["invalid"]
    with world.parts.store.read() as tx:
        pending = {option.id for option in tx.of_experiments.pending(world.study.id)}
    assert shown.id in pending
    assert spare.id not in pending
    assert world.rate(rater, answer(shown.id)) == ["stored"]
    with world.parts.store.read() as tx:
        assert tx.experiments.get(shown.experiment_id).state == "closed"
        assert spare.id not in {option.id for option in tx.of_experiments.rated(world.study.id)}


def test_a_spare_option_may_become_ready(world: World) -> None:
    shown, spare = made(world)
    put(world, put(world, spare, "spare"), "ready")
    held = world.hold(world.person(), 1).held[0]
    assert {option.option_id for option in held.options} == {shown.id, spare.id}


@pytest.mark.parametrize("kind", ["model", "metric"])
def test_what_models_say_completes_nothing_and_counts_as_nobody(world: World, kind: JudgeKind) -> None:
    first, second = made(world)
    for option in (first, second):
        judged(world, option, kind)
    store, study = world.parts.store, world.study
    with store.read() as tx:
        assert all(not tally.rated_by for tally in tx.of_ratings.tally([first.experiment_id]))
        assert tx.of_ratings.standing(study.id) == ()
        assert tx.of_ratings.count(study.id) == 0
        assert tx.of_ratings.count_since(study.id, study.created_at) == 0
        assert tx.of_studies.figures(study.id).ratings == 0
        assert requests.observations(tx, study) == ()
        assert {first.id, second.id} <= {option.id for option in tx.of_experiments.pending(study.id)}
        assert tx.of_experiments.rated(study.id) == ()
    now = world.clock.now()
    with store.snapshot() as tx:
        report = tx.of_reports.study(study, now, now)
        assert tx.of_reports.raters(study).raters == ()
    assert (report.counts.ratings, report.counts.raters, report.counts.active_raters) == (0, 0, 0)
    assert report.raters == ()
    rater = world.person()
    held = world.hold(rater, 1).held[0]
    assert {option.option_id for option in held.options} == {first.id, second.id}
    assert world.rate(rater, answer(first.id)) == ["stored"]
    with store.read() as tx:
        assert tx.experiments.get(first.experiment_id).state == "ready", "the second has no person's rating"
    assert world.rate(rater, answer(second.id)) == ["stored"]
    with store.read() as tx:
        assert tx.experiments.get(first.experiment_id).state == "closed"
        assert tx.of_ratings.count(study.id) == 2
