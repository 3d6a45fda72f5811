"""Which study a rater is given: theirs alone, by its share, past what has nothing for them."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise

import pytest

from benchmarks.rate_world import option_of
from ml_service.errors import NotFound
from tests.clock import FixedClock
from tests.taken import taking
from tests.world import UNLEARNING, World, answer, make_world
from web.adapters.database.store import SqlStore, SqlTransaction
from web.domain.access import Actor
from web.domain.ids import new_id
from web.domain.studies.assigning import EVERYONE, Audience
from web.domain.studies.experiment import Experiment, Output
from web.domain.studies.guide import Guide
from web.domain.studies.study import Input, Shares, Study
from web.services.abtests.abtests import usual_design
from web.services.prompts import pointers
from web.services.rating import enrolment, mixing, training
from web.services.studies import panels
from web.services.studies.assigning import assign, unassign
from web.services.studies.experiments import studies_to_rate
from web.services.studies.studies import StudyDraft, change_guide, make_study, move_study

pytestmark = pytest.mark.storage


@pytest.fixture
def world(store: SqlStore, clock: FixedClock, tmp_path: object) -> World:
    return make_world(store, clock, tmp_path, inputs=0)  # type: ignore[arg-type]


def stocked(world: World, name: str, experiments: int, *audiences: Audience) -> Study:
    """Make a study with so many experiments of one option ready."""
    study = make_study(world.parts, world.admin, StudyDraft(name, world.study.spaces), raters=audiences)
    with world.parts.store.begin() as tx:  # nothing rare, so that each experiment is one of those made here
        study = tx.studies.replace(replace(study, shares=Shares(ab=0, explore=1, gold=0, repeat=0, overlap=0)))
    stock(world, study, experiments)
    return study


def stock(world: World, study: Study, experiments: int) -> None:
    now = world.clock.now()
    source = Input(new_id(), study.id, "image", "photo", new_id(), "", "image/jpeg", now, 48, 48)
    output = Output(new_id(), new_id(), "outputs/x", "image/jpeg", 48, 48, 9, now)
    made = [Experiment(new_id(), study.id, source.id, "explore", "ready", now, now) for _ in range(experiments)]
    with world.parts.store.begin() as tx:
        version = pointers.live_version(tx, study.prompt_key).id
        tx.inputs.add(source)
        tx.outputs.add(output)
        tx.experiments.add_all(made)
        tx.options.add_all(option_of(one, 0, version, output.id) for one in made)


def person(rater: Actor) -> Audience:
    return Audience("person", rater.user_id)


def rate_on(world: World, rater: Actor, leases: int, wanted: int = 6) -> list[str]:
    """Rate until so many experiments were leased; return of which study each was, in order."""
    given: list[str] = []
    while len(given) < leases:
        turn = training.next_items(world.parts, rater, "tab", wanted)
        assert turn.study is not None
        assert turn.held, "there is nothing to rate"
        given += [turn.study.id] * len(turn.held)
        world.rate(rater, *(answer(held.options[0].option_id) for held in turn.held))
    return given[:leases]


def test_shares_hold_over_a_thousand_leases_and_nobody_gets_a_study_that_is_not_theirs(world: World) -> None:
    rater, other = world.person(), world.person()
    move_study(world.parts, world.admin, world.study.id, "paused")
    large, small = stocked(world, "Large", 720), stocked(world, "Small", 320)
    stocked(world, "Theirs", 20, person(other))
    assign(world.parts, world.admin, large.id, person(rater), share=70)
    assign(world.parts, world.admin, small.id, person(rater), share=30)
    given = rate_on(world, rater, 1000)
    counts = Counter(given)
    assert set(counts) == {large.id, small.id}
    assert abs(counts[large.id] - 700) <= 10, counts
    with world.parts.store.read() as tx:
        leased = Counter(lease.study_id for lease in tx.leases.all(rater_id=rater.user_id))
    assert leased.keys() == counts.keys()
    switches = sum(one != other for one, other in pairwise(given))
    assert switches <= 1000 / mixing.BATCH, "photos of two studies are mixed within a batch"


def test_a_study_with_nothing_for_a_rater_is_passed_over_and_has_its_turn_once_it_has(world: World) -> None:
    rater = world.person()
    full = stocked(world, "Full", 60, EVERYONE)
    empty = stocked(world, "Empty", 0, person(rater))
    move_study(world.parts, world.admin, world.study.id, "paused")
    assert set(rate_on(world, rater, 20)) == {full.id}
    stock(world, empty, 8)
    assert rate_on(world, rater, 6) == [empty.id] * 6


def test_a_batch_is_stayed_with_whatever_is_said_of_shares_or_held_by_another_tab(world: World) -> None:
    rater = world.person()
    move_study(world.parts, world.admin, world.study.id, "paused")
    one, other = stocked(world, "One", 40, person(rater)), stocked(world, "Other", 40, person(rater))
    held = training.next_items(world.parts, rater, "tab", 4)
    assert held.study is not None
    beside = other if held.study.id == one.id else one
    training.next_items(world.parts, rater, "another tab", 4, beside.id)
    assign(world.parts, world.admin, held.study.id, person(rater), share=2)
    again = training.next_items(world.parts, rater, "tab", 4)
    assert [item.lease.id for item in again.held] == [item.lease.id for item in held.held]


def test_who_joins_a_panel_makes_up_for_nothing_that_was_before(world: World) -> None:
    rater, panel = world.person(), panels.make_panel(world.parts, world.admin, "Experts")
    stock(world, world.study, 80)
    study = stocked(world, "Of the panel", 80, Audience("panel", panel.id))
    assert set(rate_on(world, rater, 48)) == {world.study.id}
    world.clock.advance(minutes=1)
    panels.join_panel(world.parts, world.admin, panel.id, rater.user_id)
    given = Counter(rate_on(world, rater, 4 * mixing.BATCH))
    assert abs(given[study.id] - given[world.study.id]) <= mixing.BATCH


def test_what_is_said_of_fewer_people_wins(world: World) -> None:
    rater = world.person()
    study = stocked(world, "Photos 2", 1, EVERYONE)
    panel = panels.make_panel(world.parts, world.admin, "Experts")
    panels.join_panel(world.parts, world.admin, panel.id, rater.user_id)
    shares = []
    for audience, share in ((EVERYONE, 2), (Audience("panel", panel.id), 3), (person(rater), 4)):
        assign(world.parts, world.admin, study.id, audience, share=share)
        shares.append(_share(world, rater, study))
    unassign(world.parts, world.admin, study.id, person(rater))
    panels.leave_panel(world.parts, world.admin, panel.id, rater.user_id)
    assert [*shares, _share(world, rater, study)] == [2, 3, 4, 2]


def _share(world: World, rater: Actor, study: Study) -> int:
    with world.parts.store.read() as tx:
        return next(one.share for one in studies_to_rate(tx, rater) if one.study.id == study.id)


def test_the_choice_is_remembered_until_it_is_no_longer_theirs(world: World) -> None:
    rater, stranger = world.person(), world.person()
    study = stocked(world, "Second", 30, person(rater))
    stock(world, world.study, 30)
    mixing.choose(world.parts, rater, study.id)
    assert set(rate_on(world, rater, 12)) == {study.id}
    with pytest.raises(NotFound, match="for you to rate"):
        mixing.choose(world.parts, stranger, study.id)
    with pytest.raises(NotFound, match="for you to rate"):
        training.next_items(world.parts, stranger, "tab", 4, study.id)
    with pytest.raises(NotFound, match="for you to rate"):  # an admin rates it by its address; it is not among theirs
        mixing.choose(world.parts, world.admin, study.id)
    unassign(world.parts, world.admin, study.id, person(rater))
    assert set(rate_on(world, rater, 6)) == {world.study.id}
    assert training.next_items(world.parts, world.admin, "tab", 4, study.id).held, "an admin may rate any"


def test_consent_of_the_next_study_is_asked_for_when_its_turn_comes(world: World) -> None:
    rater = world.person()
    stock(world, world.study, 20)
    study = stocked(world, "With consent", 20, person(rater))
    change_guide(world.parts, world.admin, study.id, study.revision, replace(Guide(), consent="I agree."))
    first = rate_on(world, rater, 1, wanted=1) if _next(world, rater) == world.study.id else []
    while _next(world, rater) != study.id:
        first += rate_on(world, rater, 1, wanted=1)
    turn = training.next_items(world.parts, rater, "tab", 4)
    assert (turn.study and turn.study.id, turn.held) == (study.id, ())
    assert enrolment.onboarding(world.parts, turn).consent
    assert set(first) <= {world.study.id}


def _next(world: World, rater: Actor) -> str | None:
    turn = training.next_items(world.parts, rater, "tab", 1)
    return turn.study.id if turn.study else None


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_rater_of_one_study_costs_no_more_for_there_being_others(world: World, store: SqlStore) -> None:
    rater = world.person()
    stock(world, world.study, 12)
    training.next_items(world.parts, rater, "tab", 4)
    with taking(store.engines.reader) as alone:
        training.next_items(world.parts, rater, "tab", 4)
    stocked(world, "Not theirs", 4)
    with taking(store.engines.reader) as among:
        training.next_items(world.parts, rater, "tab", 4)
    assert among.statements == alone.statements <= 6


def test_a_study_that_begins_takes_no_raters_unless_none_runs(world: World) -> None:
    rater = world.person()
    stock(world, world.study, 4)
    later = make_study(world.parts, world.admin, StudyDraft("Later", world.study.spaces))
    assert _next(world, rater) == world.study.id
    move_study(world.parts, world.admin, later.id, "archived")
    move_study(world.parts, world.admin, world.study.id, "paused")
    first = make_study(world.parts, world.admin, StudyDraft("First again", world.study.spaces))
    world.work(UNLEARNING)
    assert _next(world, rater) == first.id


def test_a_test_waits_for_no_more_raters_than_rate_its_study(world: World) -> None:
    one, other = world.person(), world.person()
    study = stocked(world, "Alone", 0, person(one))
    with world.parts.store.read() as tx:
        assert usual_design(tx, study).least_raters == 1
    assign(world.parts, world.admin, study.id, person(other))
    with world.parts.store.read() as tx:
        assert usual_design(tx, study).least_raters == 2


def test_answers_that_come_between_begin_no_other_batch_of_the_same_study(world: World, store: SqlStore) -> None:
    rater = world.person()
    move_study(world.parts, world.admin, world.study.id, "paused")
    for name in ("Skies", "Faces"):
        stocked(world, name, 20, person(rater))
    turn = training.next_items(world.parts, rater, "tab", mixing.BATCH)
    last = turn.held[-1].options[0].option_id
    world.rate(rater, *(answer(held.options[0].option_id) for held in turn.held[:-1]))

    looks: list[str] = []

    class Meanwhile(SqlStore):
        """A store to which the last answer comes after the first look of whoever asks for more."""

        @contextmanager
        def read(self) -> Iterator[SqlTransaction]:
            looks.append("one")
            if len(looks) == 2:
                world.rate(rater, answer(last))
            with super().read() as tx:
                yield tx

    parts = replace(world.parts, store=Meanwhile(store.engines))
    after = training.next_items(parts, rater, "tab", mixing.BATCH)
    assert turn.study is not None
    assert after.study is not None
    assert (after.study.id != turn.study.id, len(after.held)) == (True, mixing.BATCH)


def test_a_tab_is_told_of_the_study_whose_photos_it_holds(world: World) -> None:
    rater = world.person()
    move_study(world.parts, world.admin, world.study.id, "paused")
    for name in ("Skies", "Faces"):
        stocked(world, name, 20, person(rater))
    shown = [training.next_items(world.parts, rater, tab, mixing.BATCH).study for tab in ("one", "two")]
    assert len({study.id for study in shown if study}) == 2, "each tab has a batch of its own"
    with world.parts.store.read() as tx:
        told = [enrolment.own(tx, rater, None, world.clock.now(), tab)[0] for tab in ("one", "two")]
    assert told == shown
