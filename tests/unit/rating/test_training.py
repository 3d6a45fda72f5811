"""What raters do, on both engines: hold, answer, undo."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from ml_service.errors import Forbidden, NotFound
from tests.clock import FixedClock
from tests.world import World, answer, make_world
from web.adapters.database.store import SqlStore
from web.domain.accounts import Membership
from web.domain.ids import new_id
from web.domain.studies.assigning import Assignment
from web.domain.studies.study import Project
from web.jobs import schedule
from web.services.accounts import members
from web.services.learning import requests
from web.services.rating import training, views
from web.services.studies.studies import move_study

pytestmark = pytest.mark.storage


@pytest.fixture
def world(store: SqlStore, clock: FixedClock, tmp_path: Path) -> World:
    return make_world(store, clock, tmp_path)


def ids(turn: training.Turn) -> list[str]:
    return [held.lease.experiment_id for held in turn.held]


def test_asking_twice_returns_the_same_leases(world: World) -> None:
    rater = world.person()
    first = world.hold(rater)
    assert len(first.held) == 4
    assert all(len(held.options) == 2 for held in first.held)
    assert training.next_items(world.parts, rater, "tab", 4) == first


def test_two_raters_never_hold_the_same_experiment_when_one_rating_is_wanted(world: World) -> None:
    one, two = world.person(), world.person()
    world.hold(one)
    assert not set(ids(world.hold(one))) & set(ids(world.hold(two)))


def test_two_raters_share_an_experiment_when_two_ratings_are_wanted(
    store: SqlStore, clock: FixedClock, tmp_path: Path
) -> None:
    world = make_world(store, clock, tmp_path, raters_wanted=2)
    one, two, three = world.person(), world.person(), world.person()
    shared = set(ids(world.hold(one))) & set(ids(world.hold(two)))
    assert shared
    assert not shared & set(ids(world.hold(three)))


def test_inputs_of_neighbours_differ(world: World) -> None:
    held = world.hold(world.person()).held
    assert len({item.options[0].input_id for item in held}) == 4


def test_a_rating_sent_twice_is_stored_once(world: World) -> None:
    rater = world.person()
    sent = answer(world.hold(rater).held[0].options[0].option_id)
    assert world.rate(rater, sent, sent) == ["stored", "replayed"]
    assert world.rate(rater, sent) == ["replayed"]
    with world.parts.store.read() as tx:
        assert [rating.id for rating in tx.of_ratings.standing(world.study.id)] == [sent.id]


def test_the_same_id_with_another_body_is_a_conflict(world: World) -> None:
    rater = world.person()
    option = world.hold(rater).held[0].options[0].option_id
    sent = answer(option, 4)
    assert world.rate(rater, sent) == ["stored"]
    assert world.rate(rater, answer(option, 2, id=sent.id)) == ["conflict"]
    assert world.rate(rater, answer(option, 2)) == ["conflict"]


def test_an_option_never_leased_is_refused_and_the_rest_of_the_batch_is_kept(world: World) -> None:
    one, two = world.person(), world.person()
    mine = world.hold(one).held[0].options[0].option_id
    theirs = world.hold(two).held[0].options[0].option_id
    verdicts = world.rate(one, answer(theirs), answer(new_id()), answer(mine))
    assert verdicts == ["never_leased", "never_leased", "stored"]


def test_an_experiment_closes_with_its_last_rating_and_counts_as_a_sample(world: World) -> None:
    rater = world.person()
    held = world.hold(rater).held[0]
    for option in held.options:
        world.rate(rater, answer(option.option_id))
    with world.parts.store.read() as tx:
        assert tx.experiments.get(held.lease.experiment_id).state == "closed"
        assert tx.leases.get(held.lease.id).state == "done"
        assert tx.of_experiments.count_samples(world.study.id) == 1


def test_a_skipped_option_waits_for_another_rater(world: World) -> None:
    one, two = world.person(), world.person()
    held = world.hold(one).held[0]
    first, second = (option.option_id for option in held.options)
    assert world.rate(one, answer(first), answer(second, None, skip="broken")) == ["stored", "stored"]
    assert held.lease.experiment_id not in ids(world.hold(one))
    assert held.lease.experiment_id in ids(world.hold(two, wanted=10))


def test_an_undone_rating_is_forgotten_and_its_option_comes_back(world: World) -> None:
    rater = world.person()
    held = world.hold(rater).held[0]
    sent = [answer(option.option_id) for option in held.options]
    world.rate(rater, *sent)
    before = training.undo(world.parts, rater, sent[1].id)
    assert before.total == 1
    with world.parts.store.read() as tx:
        assert [o.output for o in requests.observations(tx, world.study)] != []
        assert len(requests.observations(tx, world.study)) == 1
        assert tx.experiments.get(held.lease.experiment_id).state == "ready"
    again = next(h for h in world.hold(rater, wanted=10).held if h.lease.experiment_id == held.lease.experiment_id)
    assert [option.option_id for option in again.options] == [sent[1].option_id]
    assert world.rate(rater, answer(sent[1].option_id, 2)) == ["stored"]


def test_an_undo_beats_the_rating_that_arrives_after_it(world: World) -> None:
    rater = world.person()
    sent = answer(world.hold(rater).held[0].options[0].option_id)
    training.undo(world.parts, rater, sent.id)
    training.undo(world.parts, rater, sent.id)
    assert world.rate(rater, sent) == ["undone"]
    assert world.rate(rater, sent) == ["undone"]
    assert world.rate(rater, answer(sent.option_id)) == ["stored"]


def test_nobody_undoes_anothers_rating(world: World) -> None:
    one, two = world.person(), world.person()
    sent = answer(world.hold(one).held[0].options[0].option_id)
    world.rate(one, sent)
    with pytest.raises(Forbidden):
        training.undo(world.parts, two, sent.id)


def test_an_expired_lease_goes_to_another_rater_and_a_late_answer_is_kept(world: World) -> None:
    one, two = world.person(), world.person()
    held = world.hold(one).held[0]
    world.clock.advance(minutes=11)
    schedule.tick(world.parts)
    assert held.lease.experiment_id in ids(world.hold(two, wanted=20))
    assert world.rate(one, answer(held.options[0].option_id)) == ["late"]


def test_leases_in_use_are_renewed(world: World) -> None:
    rater = world.person()
    first = world.hold(rater)
    for _ in range(5):
        world.clock.advance(minutes=4)
        schedule.tick(world.parts)
        assert ids(training.next_items(world.parts, rater, "tab", 4)) == ids(first)


def test_a_second_tab_gets_other_items_until_the_first_is_left(world: World) -> None:
    rater = world.person()
    first = world.hold(rater, wanted=2, tab="one")
    assert not set(ids(first)) & set(ids(world.hold(rater, wanted=2, tab="two")))
    world.clock.advance(minutes=6)
    assert set(ids(first)) <= set(ids(world.hold(rater, wanted=10, tab="three")))


def test_a_paused_study_hands_nothing_new_out_and_takes_what_is_held(world: World) -> None:
    one, two = world.person(), world.person()
    held = world.hold(one).held[0]
    move_study(world.parts, world.admin, world.study.id, "paused")
    assert training.next_items(world.parts, two, "tab", 4).held == ()
    assert world.rate(one, answer(held.options[0].option_id)) == ["stored"]


def test_sixteen_senders_of_one_rating_store_one(world: World) -> None:
    rater = world.person()
    sent = answer(world.hold(rater).held[0].options[0].option_id)
    verdicts: list[str] = []
    threads = [threading.Thread(target=lambda: verdicts.extend(world.rate(rater, sent))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(verdicts) == ["replayed"] * 15 + ["stored"]


def test_the_last_ratings_of_two_raters_at_once_close_the_experiment(
    store: SqlStore, clock: FixedClock, tmp_path: Path
) -> None:
    world = make_world(store, clock, tmp_path, raters_wanted=2, options_per_experiment=1)
    raters = [world.person(), world.person()]
    turns = [world.hold(rater) for rater in raters]
    shared = set(ids(turns[0])) & set(ids(turns[1]))
    sends = [
        threading.Thread(target=world.rate, args=(rater, answer(held.options[0].option_id)))
        for rater, turn in zip(raters, turns, strict=True)
        for held in turn.held
        if held.lease.experiment_id in shared
    ]
    for thread in sends:
        thread.start()
    for thread in sends:
        thread.join()
    with store.read() as tx:
        assert {tx.experiments.get(id).state for id in shared} == {"closed"}


def test_a_rater_is_given_the_newest_running_study_else_the_newest_that_was_opened(world: World) -> None:
    parts, admin, rater = world.parts, world.admin, world.person()

    def given() -> str:
        study = training.next_items(parts, rater, "tab", 1).study
        return study.id if study else ""

    oldest, others = world.study, Project(new_id(), "Others", parts.clock.now())
    newer = replace(oldest, id=new_id())
    hidden = replace(oldest, id=new_id(), state="archived"), replace(oldest, id=new_id(), project_id=others.id)
    with parts.store.begin() as tx:
        tx.projects.add(others)
        tx.studies.add_all((newer, *hidden))
        for one in (newer, *hidden):
            tx.assignments.add(Assignment(new_id(), one.id, "everyone", None, None, 1, 1, parts.clock.now()))
    assert given() == newer.id
    move_study(parts, admin, newer.id, "paused")
    assert given() == oldest.id
    move_study(parts, admin, oldest.id, "paused")
    assert given() == newer.id


def test_a_person_of_two_projects_rates_in_both_until_they_leave_one(world: World) -> None:
    rita = world.person()
    held, kept, last = world.hold(rita).held[:3]
    with world.parts.store.begin() as tx:
        there = tx.projects.add(Project(new_id(), "Elsewhere", world.clock.now()))
        tx.memberships.add(Membership(new_id(), there.id, rita.user_id, "rater", world.clock.now()))
    elsewhere = replace(rita, project_id=there.id)
    shown = [one.options[0].option_id for one in (held, kept, last)]
    given = [answer(option) for option in shown]
    assert world.rate(elsewhere, given[0], given[1]) == ["stored", "stored"]
    training.undo(world.parts, elsewhere, given[0].id)
    assert views.leased_image(world.parts, elsewhere, last.lease.id, shown[2]).key

    members.deactivate(world.parts, world.admin, rita.user_id)
    assert world.rate(elsewhere, given[2]) == ["never_leased"]
    with pytest.raises(Forbidden, match="not in the project"):
        training.undo(world.parts, elsewhere, given[1].id)
    with pytest.raises(NotFound, match="no image"):
        views.leased_image(world.parts, elsewhere, last.lease.id, shown[2])
    with world.parts.store.read() as tx:
        assert tx.ratings.get(given[1].id).undone_at is None
