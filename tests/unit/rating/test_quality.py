"""Quality control on both engines: gold and calibration items, hidden repeats, one more rating, who does not count."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ml_service.errors import Conflict, Forbidden, InvalidRequest, NotFound
from tests import world as pictures
from tests.clock import FixedClock
from tests.world import World, answer, make_world
from web.adapters.database.store import SqlStore
from web.adapters.demo.inputs import sample_photos
from web.adapters.generators.degraded import spoilt
from web.adapters.generators.local import decode
from web.adapters.images.faults import latent_quality
from web.domain.access import Actor
from web.domain.ids import new_id
from web.domain.rating.enrolment import Enrolment
from web.domain.rating.gold import DEGRADED, EXPOSURES, FAULTS
from web.domain.rating.lease import Asker
from web.domain.studies.experiment import Experiment
from web.domain.studies.study import CALIBRATION, Shares
from web.jobs import schedule, tasks
from web.jobs.tasks import TASKS
from web.jobs.worker import Worker
from web.services.learning import requests
from web.services.rating import enrolment, quality, training, uploads


@pytest.fixture
def world(store: SqlStore, clock: FixedClock, tmp_path: Path) -> World:
    return make_world(store, clock, tmp_path)


def shares(world: World, **of: int) -> None:
    """Divide attention so that one kind comes at once."""
    none = {"ab": 0, "explore": 0, "gold": 0, "repeat": 0, "overlap": 0}
    change(world, shares=Shares(**{**none, **of}))


def change(world: World, **fields: object) -> None:
    with world.parts.store.begin() as tx:
        study = tx.studies.get(world.study.id)
        world.study = tx.studies.replace(replace(study, **fields))  # type: ignore[arg-type]


def work(world: World) -> None:
    """Make what is to be made; learn nothing, which takes long."""
    world.clock.advance(seconds=10)
    worker = Worker(world.parts, {**TASKS, "learn": lambda *_: None, "plan": lambda *_: None})
    while worker.step():
        pass


def fill(world: World, depth: int) -> None:
    tasks.plan(world.parts, world.study.id, depth=depth)
    work(world)


def ask(world: World, rater: Actor, wanted: int = 1) -> Sequence[training.Held]:
    return training.next_items(world.parts, rater, "tab", wanted).held


def take(world: World, rater: Actor, score: float = 4) -> Experiment:
    """Rate what comes next and return its experiment."""
    held = ask(world, rater)[0]
    world.rate(rater, *(answer(option.option_id, score) for option in held.options))
    world.clock.advance(seconds=1)
    with world.parts.store.read() as tx:
        return tx.experiments.get(held.lease.experiment_id)


def gold(world: World, rater: Actor) -> Experiment:
    """Let gold items be made, once the rater has rated something, and return the one that they are given, unrated."""
    shares(world, explore=1)
    fill(world, 4)
    take(world, rater)
    shares(world, gold=1)
    ask(world, rater)  # there is none: so some are asked for, and an explore experiment is given meanwhile
    for held in ask(world, rater):
        world.rate(rater, *(answer(option.option_id) for option in held.options))
    work(world)
    held = ask(world, rater)[0]
    with world.parts.store.read() as tx:
        return tx.experiments.get(held.lease.experiment_id)


def enrol(world: World, rater: Actor, **fields: object) -> Enrolment:
    now = world.clock.now()
    with world.parts.store.begin() as tx:
        return tx.enrolments.add(Enrolment(new_id(), world.study.id, rater.user_id, now, **fields))  # type: ignore[arg-type]


def observed(world: World) -> int:
    with world.parts.store.read() as tx:
        return len(requests.observations(tx, world.study))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_degraded_copy_is_plainly_worse_and_of_the_same_size(fault: str) -> None:
    for photo in sample_photos().values():
        for seed in range(3):
            copy = spoilt(photo, fault, seed)
            assert copy.shape == photo.shape
            assert latent_quality(photo, copy) < 2.5
        assert np.array_equal(spoilt(photo, fault, 1), spoilt(photo, fault, 1))


def test_gold_items_make_themselves_and_teach_the_optimizer_nothing(world: World) -> None:
    rater = world.person()
    one = gold(world, rater)
    assert one.kind == "gold"
    with world.parts.store.read() as tx:
        (item,) = tx.golds.all(experiment_id=one.id)
        (option,) = tx.options.all(experiment_id=one.id)
        assert (item.low, item.high, item.source) == (1, 2, "degraded")
        assert (option.generator, option.state) == (DEGRADED, "ready")
    before = observed(world)
    assert take(world, rater, 1).id == one.id
    assert observed(world) == before
    with world.parts.store.read() as tx:
        assert tx.of_experiments.count_samples(world.study.id) == before / 2
        assert tx.of_studies.figures(world.study.id).ratings == before
        assert one.id not in {option.experiment_id for option in tx.of_experiments.pending(world.study.id)}
        assert tx.of_ratings.count_by(rater.user_id, world.study.id, world.clock.now())[1] == before + 1
        assert tx.experiments.get(one.id).state == "ready"


def test_a_rater_meets_a_gold_item_once_and_others_meet_it_too(world: World) -> None:
    one, two = world.person(), world.person()
    item = gold(world, one)
    met = {take(world, one).id for _ in range(2)}
    assert item.id in met
    assert len(met) == 2
    with world.parts.store.read() as tx:
        asker = Asker(world.study.id, two.user_id, 1, world.clock.now())
        assert item.id in {given.experiment_id for given in tx.of_turns.open_to(asker, ("gold",))}


def test_sources_and_faults_take_turns(world: World) -> None:
    with world.parts.store.begin() as tx:
        quality._make(tx, world.parts, world.study, "gold", 12)
        options = tx.options.all(study_id=world.study.id, generator=DEGRADED)
    assert len({option.input_id for option in options}) == 6
    assert len({(option.input_id, str(option.point["fault"])) for option in options}) == 12


def test_a_gold_item_is_retired_once_many_have_met_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.services.rating.checks.EXPOSURES", 2)
    one, two = world.person(), world.person()
    item = gold(world, one)
    take(world, one, 1)
    with world.parts.store.read() as tx:
        assert tx.golds.all(experiment_id=item.id)[0].retired_at is None
    met = [take(world, two, 1).id for _ in range(2)]
    assert item.id in met
    with world.parts.store.read() as tx:
        assert tx.golds.all(experiment_id=item.id)[0].retired_at is not None
        assert tx.experiments.get(item.id).state == "closed"
    assert EXPOSURES == 30


def test_an_item_that_most_miss_is_retired_for_it_is_the_item_that_is_wrong(world: World) -> None:
    raters = [world.person() for _ in range(6)]
    item = gold(world, raters[0])
    for rater in raters:
        for _ in range(2):
            take(world, rater, 5)
    quality.check(world.parts, world.study.id)
    with world.parts.store.read() as tx:
        assert tx.golds.all(experiment_id=item.id)[0].retired_at is not None


def test_what_raters_agree_on_becomes_gold_of_the_same_output(
    store: SqlStore, clock: FixedClock, tmp_path: Path
) -> None:
    world = make_world(store, clock, tmp_path, raters_wanted=3, options_per_experiment=1)
    shares(world, explore=1)
    fill(world, 2)
    for scores in ((4, 4), (5, 2), (5, 5)):
        rater = world.person()
        with world.parts.store.read() as tx:
            order = [one.id for one in tx.experiments.all(study_id=world.study.id)]
        for _ in order:
            held = ask(world, rater)[0]
            score = scores[order.index(held.lease.experiment_id)]
            world.rate(rater, answer(held.options[0].option_id, score))
    with world.parts.store.begin() as tx:
        quality._make(tx, world.parts, world.study, "gold", 4)
        (item,) = tx.golds.all(study_id=world.study.id, source="agreement")
        (option,) = tx.options.all(experiment_id=item.experiment_id)
        shared = tx.options.all(study_id=world.study.id, output_id=option.output_id)
        assert (item.low, item.high) == (4, 5)
        assert order[0] in {one.experiment_id for one in shared}
        assert tx.experiments.get(item.experiment_id).state == "ready"
        asker = Asker(world.study.id, rater.user_id, 3, world.clock.now())
        assert item.experiment_id not in {one.experiment_id for one in tx.of_turns.open_to(asker, ("gold",))}
        stranger = replace(asker, rater_id=world.admin.user_id)
        assert item.experiment_id in {one.experiment_id for one in tx.of_turns.open_to(stranger, ("gold",))}


def test_a_hidden_repeat_is_of_the_same_output_and_for_one_rater_alone(world: World) -> None:
    rater = world.person()
    fill(world, 14)
    shares(world, explore=1)
    rated = [take(world, rater, 2 + number % 3) for number in range(12)]
    shares(world, repeat=1)
    before = observed(world)
    held = ask(world, rater)[0]
    again = take(world, rater, 3)
    assert (again.kind, again.held_for, again.state) == ("repeat", rater.user_id, "closed")
    assert len(held.options) == 1
    with world.parts.store.read() as tx:
        (option,) = tx.options.all(experiment_id=again.id)
        old = [one for one in tx.options.all(output_id=option.output_id) if one.id != option.id]
        assert old[0].point == option.point
        assert old[0].experiment_id in {one.id for one in rated[:3]}
        assert option.cost_micros == 0
        assert tx.of_experiments.count_samples(world.study.id) == 12
    assert observed(world) == before + 1
    other = take(world, rater)
    assert other.kind == "repeat"
    with world.parts.store.read() as tx:
        assert tx.options.all(experiment_id=other.id)[0].output_id != option.output_id


def test_a_repeat_that_was_left_comes_back_to_its_rater(world: World) -> None:
    rater = world.person()
    fill(world, 14)
    shares(world, explore=1)
    for _ in range(11):
        take(world, rater)
    shares(world, repeat=1)
    first = ask(world, rater)[0].lease.experiment_id
    world.clock.advance(minutes=11)
    schedule.tick(world.parts)
    assert ask(world, rater)[0].lease.experiment_id == first


def test_nothing_repeats_before_twenty_ratings(world: World) -> None:
    rater = world.person()
    fill(world, 14)
    shares(world, repeat=1, explore=1)
    kinds = [take(world, rater).kind for _ in range(10)]
    assert set(kinds) == {"explore"}


def test_one_more_rating_is_asked_of_what_is_closed_and_never_more_than_six(world: World) -> None:
    first, second = world.person(), world.person()
    fill(world, 4)
    shares(world, explore=1)
    closed = {take(world, first).id for _ in range(2)}
    samples = observed(world)
    shares(world, explore=1, overlap=1)
    more = take(world, second)
    assert more.id in closed
    assert more.state == "closed"
    assert observed(world) == samples + 2
    with world.parts.store.read() as tx:
        assert tx.of_experiments.count_samples(world.study.id) == 2
    for _ in range(4):
        rater = world.person()
        take(world, rater)
        take(world, rater)
    with world.parts.store.read() as tx:
        counts = [len(tx.leases.all(experiment_id=one, state="done")) for one in closed]
        asker = Asker(world.study.id, world.person().user_id, 1, world.clock.now())
        left = {one.experiment_id for one in tx.of_turns.unsure(asker)}
    assert max(counts) <= 6
    assert left == {one for one, count in zip(closed, counts, strict=True) if count < 6}


def test_undoing_one_more_rating_leaves_the_sample_closed(world: World) -> None:
    first, second = world.person(), world.person()
    fill(world, 2)
    shares(world, explore=1)
    take(world, first)
    shares(world, explore=1, overlap=1)
    held = ask(world, second)[0]
    sent = [answer(option.option_id) for option in held.options]
    world.rate(second, *sent)
    training.undo(world.parts, second, sent[0].id)
    with world.parts.store.read() as tx:
        assert tx.experiments.get(held.lease.experiment_id).state == "closed"
    again = ask(world, second)[0]
    assert [option.option_id for option in again.options] == [sent[0].option_id]


def test_ab_experiments_are_never_asked_one_more_rating_of(world: World) -> None:
    first, second = world.person(), world.person()
    fill(world, 2)
    shares(world, explore=1)
    done = take(world, first)
    with world.parts.store.begin() as tx:
        tx.experiments.replace(replace(tx.experiments.get(done.id), kind="ab"))
        assert tx.of_turns.unsure(Asker(world.study.id, second.user_id, 1, world.clock.now())) == ()


def test_a_paused_rater_gets_nothing_and_keeps_what_they_held(world: World) -> None:
    rater = world.person()
    fill(world, 4)
    held = ask(world, rater)
    place = enrol(world, rater, paused_at=world.clock.now())
    turn = training.next_items(world.parts, rater, "tab", 1)
    assert turn.held == ()
    assert turn.seat.is_paused
    assert world.rate(rater, answer(held[0].options[0].option_id)) == ["stored"]
    with world.parts.store.begin() as tx:
        tx.enrolments.replace(replace(place, paused_at=None))
    assert [one.lease for one in ask(world, rater)] == [held[0].lease]


def test_who_is_paused_can_upload_nothing_and_watch_nothing(world: World) -> None:
    rater, other = world.person(), world.person()
    made = uploads.upload_to_rate(world.parts, rater, "tab", name="mine", body=pictures.photo(77))
    work(world)
    assert uploads.watch_upload(world.parts, rater, made.experiment_id).shown
    enrolment.pause(world.parts, world.admin, world.study.id, rater.user_id, "Rest a little.")
    before = len(rows_of(world))
    attempts: tuple[Callable[[], object], ...] = (
        lambda: uploads.upload_to_rate(world.parts, rater, "tab", name="more", body=pictures.photo(78)),
        lambda: uploads.upload_to_rate(world.parts, rater, "tab", input_id=rows_of(world)[0]),
        lambda: uploads.watch_upload(world.parts, rater, made.experiment_id),
    )
    for attempt in attempts:
        with pytest.raises(Conflict, match="Rest a little"):
            attempt()
    assert len(rows_of(world)) == before
    assert uploads.upload_to_rate(world.parts, other, "tab", name="more", body=pictures.photo(78)).state == "planned"


def test_a_pause_holds_between_two_looks_of_one_request(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    rater, top_up = world.person(), training._top_up
    fill(world, 4)

    def paused_meanwhile(*asked: Any) -> training.Turn:
        enrolment.pause(world.parts, world.admin, world.study.id, rater.user_id, "Rest.")
        return top_up(*asked)

    monkeypatch.setattr(training, "_top_up", paused_meanwhile)
    assert ask(world, rater) == ()


def rows_of(world: World) -> list[str]:
    with world.parts.store.read() as tx:
        return [source.id for source in tx.inputs.all(study_id=world.study.id)]


def test_what_somebody_called_unsafe_is_not_given_to_who_opted_out(world: World) -> None:
    first, careful, bold = world.person(), world.person(), world.person()
    fill(world, 4)
    shares(world, explore=1)
    held = ask(world, first)[0]
    sent = answer(held.options[0].option_id, None, skip="unsafe")
    world.rate(first, sent, *(answer(option.option_id) for option in held.options[1:]))
    enrol(world, careful, unsafe_ok=False)
    with world.parts.store.read() as tx:
        taken = tx.experiments.get(held.lease.experiment_id).input_id
    assert taken not in {one.options[0].input_id for one in ask(world, careful, 10)}
    training.next_items(world.parts, careful, "tab", 10)
    world.clock.advance(minutes=11)
    schedule.tick(world.parts)
    assert taken in {one.options[0].input_id for one in ask(world, bold, 10)}
    training.undo(world.parts, first, sent.id)
    with world.parts.store.read() as tx:
        asker = Asker(world.study.id, careful.user_id, 9, world.clock.now(), unsafe_ok=False)
        assert taken in {one.input_id for one in tx.of_turns.open_to(asker)}


def test_a_rater_is_calibrated_first_and_told_what_is_right(world: World) -> None:
    rater = world.person()
    fill(world, 4)
    enrol(world, rater, read_at=world.clock.now())
    assert ask(world, rater) == ()
    work(world)
    told = []
    for _ in range(CALIBRATION):
        held = ask(world, rater)[0]
        sent = answer(held.options[0].option_id, 5)
        (outcome,), _ = training.rate(world.parts, rater, [sent])
        told.append(outcome.right)
        (again,), _ = training.rate(world.parts, rater, [sent])
        assert (again.verdict, again.right) == ("replayed", outcome.right)
    assert sorted(map(str, told)) == ["(1, 2)"] * 5 + ["(2, 5)"] * 5
    assert take(world, rater).kind == "explore"
    assert observed(world) == 2
    with world.parts.store.read() as tx:
        assert tx.enrolments.all(rater_id=rater.user_id)[0].trained_at is not None


def test_practice_shows_sources_as_they_came_and_hidden_checks_do_not(world: World) -> None:
    with world.parts.store.begin() as tx:
        quality._make(tx, world.parts, world.study, "calibration", CALIBRATION)
        quality._make(tx, world.parts, world.study, "gold", 4)
    work(world)
    with world.parts.store.read() as tx:
        items = {item.experiment_id: item for item in tx.golds.all(study_id=world.study.id)}
        kinds = Counter((tx.experiments.get(one).kind, item.source) for one, item in items.items())
        (first, *_) = (one for one, item in items.items() if item.source == "untouched")
        (option,) = tx.options.all(experiment_id=first)
        source, output = tx.inputs.get(option.input_id), tx.outputs.get(str(option.output_id))
    assert kinds == {("calibration", "untouched"): 5, ("calibration", "degraded"): 5, ("gold", "degraded"): 4}
    shown = np.asarray(decode(world.parts.objects.read(output.object_key)), float)
    assert np.abs(shown - decode(world.parts.objects.read(source.object_key))).mean() < 4
    with world.parts.store.begin() as tx:
        quality._make(tx, world.parts, world.study, "calibration", CALIBRATION)
        untouched = tx.golds.all(study_id=world.study.id, source="untouched")
    assert len(untouched) == len({input_of(world, item.experiment_id) for item in untouched}) == 6


def input_of(world: World, experiment_id: str) -> str:
    with world.parts.store.read() as tx:
        return tx.experiments.get(experiment_id).input_id


@pytest.mark.parametrize("count", [0, 3])
def test_an_admin_says_how_many_items_newcomers_practise_on(world: World, count: int) -> None:
    rater = world.person()
    fill(world, 4)
    change(world, calibration=count)
    enrol(world, rater, read_at=world.clock.now())
    if count:
        ask(world, rater)
        work(world)
    kinds = [take(world, rater).kind for _ in range(count + 1)]
    assert kinds == ["calibration"] * count + ["explore"]
    if count == 0:
        with pytest.raises(Conflict, match="practise on nothing"):
            enrolment.recalibrate(world.parts, world.admin, world.study.id, rater.user_id)


def test_gold_answers_are_not_told(world: World) -> None:
    rater = world.person()
    gold(world, rater)
    held = ask(world, rater)[0]
    (outcome,), _ = training.rate(world.parts, rater, [answer(held.options[0].option_id, 5)])
    assert outcome.right is None


def test_a_rater_who_is_to_be_calibrated_again_gets_other_items(world: World) -> None:
    rater = world.person()
    fill(world, 4)
    place = enrol(world, rater, read_at=world.clock.now())
    ask(world, rater)
    work(world)
    first = {take(world, rater).id for _ in range(CALIBRATION)}
    take(world, rater)
    with world.parts.store.begin() as tx:
        place = tx.enrolments.get(place.id)
        tx.enrolments.replace(replace(place, recalibrate_from=world.clock.now()))
    world.clock.advance(seconds=1)
    ask(world, rater)
    work(world)
    # All but one: the source as it came may be an option that they have rated since.
    second = [take(world, rater) for _ in range(CALIBRATION - 1)]
    assert {one.kind for one in second} == {"calibration"}
    assert not first & {one.id for one in second}
    take(world, rater)
    assert take(world, rater).kind != "calibration"


def test_nobody_waits_for_calibration_items_that_cannot_be_made(world: World) -> None:
    rater = world.person()
    fill(world, 4)
    world.parts = replace(world.parts, degrader=None)
    enrol(world, rater, read_at=world.clock.now())
    assert ask(world, rater) == ()
    work(world)
    assert take(world, rater).kind == "explore"


def test_an_excluded_raters_ratings_are_forgotten_and_remembered(world: World) -> None:
    one, two = world.person(), world.person()
    fill(world, 8)
    shares(world, explore=1)
    take(world, one)
    middle = world.clock.now()
    take(world, one)
    take(world, two)
    admin = world.admin
    assert observed(world) == 6
    kept = quality.exclude(world.parts, admin, world.study.id, one.user_id, "clicks at random", middle)
    assert observed(world) == 4
    assert quality.exclude(world.parts, admin, world.study.id, one.user_id, "again", middle) == kept
    whole = quality.exclude(world.parts, admin, world.study.id, one.user_id, "from the start")
    assert (whole.id, whole.reason) == (kept.id, "from the start")
    assert observed(world) == 2
    with world.parts.store.read() as tx:
        assert [job.task for job in tx.jobs.all(task="learn", state="waiting")] == ["learn"]
    lifted = quality.lift(world.parts, admin, kept.id)
    assert quality.lift(world.parts, admin, kept.id) == lifted
    assert observed(world) == 6
    assert quality.exclusions(world.parts, admin, world.study.id) == (lifted,)
    with world.parts.store.read() as tx:
        told = [event.action for event in tx.events.all(object_id=one.user_id)]
    assert told == ["rater.excluded", "rater.excluded", "rater.counted_again"]


def test_only_an_admin_excludes_and_only_with_a_reason(world: World) -> None:
    rater = world.person()
    study = world.study.id
    with pytest.raises(InvalidRequest):
        quality.exclude(world.parts, world.admin, study, rater.user_id, " ")
    with pytest.raises(Forbidden):
        quality.exclude(world.parts, rater, study, rater.user_id, "why not")
    with pytest.raises(NotFound):
        quality.exclude(world.parts, world.admin, study, new_id(), "nobody")
    with pytest.raises(NotFound):
        quality.lift(world.parts, world.admin, new_id())


def test_a_repeat_of_what_was_taken_down_is_not_made(world: World) -> None:
    rater = world.person()
    fill(world, 14)
    shares(world, explore=1)
    for _ in range(12):
        take(world, rater)
    with world.parts.store.begin() as tx:
        for source in tx.inputs.all(study_id=world.study.id):
            tx.inputs.replace(replace(source, removed_at=world.clock.now()))
        asker = Asker(world.study.id, rater.user_id, 1, world.clock.now() + timedelta(seconds=1))
        assert tx.of_turns.repeatable(asker, 20) == ()
