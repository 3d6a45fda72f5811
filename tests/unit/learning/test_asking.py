"""Studies over several generators: each is tried, rated and compared, and the best settings are those of one."""

from dataclasses import replace
from pathlib import Path

import pytest

from ml_service.errors import InvalidRequest
from ml_service.wire.contract import (
    FloatParameter,
    Interval,
    ParameterSpace,
    Point,
    Why,
)
from tests.clock import FixedClock
from tests.second import SECOND, Second, told
from tests.world import SPACE, World, answer, make_world
from web.adapters.database.store import SqlStore
from web.adapters.generators.atonce import AtOnce
from web.domain.abtests.abtest import ABTest, Design
from web.domain.access import Actor
from web.domain.ids import new_id
from web.domain.prompts.prompt import PromptVersion
from web.domain.studies.assigning import EVERYONE
from web.domain.studies.experiment import Option
from web.domain.studies.study import Learnt
from web.jobs import schedule
from web.services.abtests import abtests
from web.services.abtests.abtests import Challenge
from web.services.learning import best, learn, planning
from web.services.learning.proposal import proposal
from web.services.learning.requests import suggest_request
from web.services.prompts import pointers, promotion
from web.services.studies import previews
from web.services.studies.studies import StudyDraft, change_study, make_study

BOTH = {"local": SPACE, "second": SECOND}
SOME = ParameterSpace(parameters={"saturation": FloatParameter(low=0.8, high=1.2, default=1)})


@pytest.fixture
def world(store: SqlStore, clock: FixedClock, tmp_path: Path) -> World:
    made = make_world(store, clock, tmp_path, inputs=0)
    made.parts = replace(made.parts, generators={**made.parts.generators, "second": AtOnce(Second())})
    made.study = make_study(made.parts, made.admin, StudyDraft("Both", BOTH), raters=(EVERYONE,))
    made.add_inputs(6)
    return made


def planned_one_by_one(world: World) -> None:
    """Plan experiments of one option each, so that what is of one generator goes or stays by itself."""
    draft = replace(StudyDraft.of(world.study), options_per_experiment=1)
    world.study = change_study(world.parts, world.admin, world.study.id, 0, draft)
    schedule.tick(world.parts)
    world.work()


def waiting(world: World) -> set[str]:
    """Name the generators of what waits to be rated."""
    with world.parts.store.read() as tx:
        return {one.generator for one in tx.of_experiments.pending(world.study.id)}


def options(world: World) -> list[Option]:
    with world.parts.store.read() as tx:
        return list(tx.options.all(study_id=world.study.id))


def live(world: World) -> PromptVersion:
    with world.parts.store.read() as tx:
        return pointers.live_version(tx, world.study.prompt_key)


def rate(world: World, rater: Actor, wanted: int) -> None:
    """Rate so many options: those of the second generator are liked, the more saturated the more."""
    done = 0
    while done < wanted:
        turn = world.hold(rater, wanted=4)
        assert turn.held, "there is nothing to rate"
        for held in turn.held:
            for shown in held.options:
                with world.parts.store.read() as tx:
                    option = tx.options.get(shown.option_id)
                score = 2 if option.generator == "local" else 4 if float(option.point["saturation"]) < 1 else 5
                assert world.rate(rater, answer(option.id, score)) == ["stored"]
                done += 1


def test_several_generators_are_tried_rated_and_learnt_of_and_the_better_one_is_published(world: World) -> None:
    assert world.study.generators == ("local", "second")
    schedule.tick(world.parts)
    world.work()
    first = options(world)
    assert [one.generator for one in first].count("local") == len(first) / 2
    assert all(not world.study.spaces[one.generator].faults(one.point) for one in first)
    assert {one.state for one in first} == {"ready"}
    rate(world, world.person(), 32)
    learnt = learn.learn(world.parts, world.study.id)
    found = learnt.diagnosis
    assert found.best is not None
    assert found.best.generator == "second"
    assert set(found.parameters) == set(SECOND.parameters)
    assert found.ratings_used >= 32
    assert found.convergence is not None
    assert learn.learn(world.parts, world.study.id) == learnt
    with world.parts.store.read() as tx:
        known = tx.studies.get(world.study.id)
    assert known.generators == ("local", "second")

    with world.parts.store.snapshot() as tx:
        report = tx.of_reports.study(known, world.clock.now(), world.clock.now())
    assert {one.generator for one in report.versions} == {"local", "second"}
    assert {name: set(rows) for name, rows in report.coverage.items()} == {
        name: set(space.parameters) for name, space in BOTH.items()
    }
    assert sum(one.ratings for one in report.coverage["second"]["saturation"]) < found.ratings_used
    settings = best.settings(world.parts, world.study.id)
    assert {name: settings.point[name] for name in found.best.point} == found.best.point
    assert "since the best settings of Both are of second" in best.settings(world.parts, None, "local").origin

    offered = proposal(world.parts, world.admin, world.study.id)
    assert offered.generator == "second"
    assert offered.after == offered.before | found.best.point
    before = live(world)
    promotion.publish_best(world.parts, world.admin, world.study.id, revision=offered.pointer.revision)
    assert live(world).parameter_defaults == before.parameter_defaults | {"second": found.best.point}
    assert proposal(world.parts, world.admin, world.study.id).is_live


def test_what_each_generator_cannot_do_now_is_dropped_by_its_own_space(world: World) -> None:
    planned_one_by_one(world)
    assert waiting(world) == {"local", "second"}
    draft = replace(StudyDraft.of(world.study), spaces={"local": SPACE, "second": SOME})
    narrower = change_study(world.parts, world.admin, world.study.id, world.study.revision, draft)
    assert waiting(world) == {"local"}
    other = replace(draft, spaces={"second": SOME})
    change_study(world.parts, world.admin, world.study.id, narrower.revision, other)
    assert waiting(world) == set()


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_generators_have_to_be_known_and_their_spaces_within_their_own(world: World) -> None:
    for wrong, said in (
        ({}, "Choose one generator, or up to 16, of: local, second"),
        ({**BOTH, "third": SPACE}, "Choose one generator, or up to 16, of: local, second"),
        ({"local": SPACE, "second": SPACE}, "The range of exposure goes beyond what the generator can do"),
    ):
        with pytest.raises(InvalidRequest, match=said):
            make_study(world.parts, world.admin, StudyDraft("Wrong", wrong))


def test_a_study_starts_from_one_that_shares_a_parameter_of_any_generator(world: World) -> None:
    schedule.tick(world.parts)
    world.work()
    rate(world, world.person(), 4)
    draft = StudyDraft("Next", {"local": SPACE, "second": SOME}, starts_from=world.study.id)
    follower = make_study(world.parts, world.admin, draft)
    with world.parts.store.read() as tx:
        told = suggest_request(tx, follower, 1, ())
    assert {one.generator for one in told.earlier} == {"local", "second"}
    other = ParameterSpace(parameters={"gamma": FloatParameter(low=0.8, high=1.2, default=1)})
    with pytest.raises(InvalidRequest, match="tunes no parameter of this study"):
        make_study(world.parts, world.admin, replace(draft, spaces={"local": other}))


def candidate(world: World, **changes: object) -> PromptVersion:
    parent = live(world)
    with world.parts.store.begin() as tx:
        number = tx.of_prompts.lines(parent.prompt_key)[-1].number + 1
        fresh = {"id": new_id(), "number": number, "name": None, "status": "candidate", "parents": (parent.id,)}
        return tx.versions.add(replace(parent, **fresh, sha256="", revision=0, **changes))  # type: ignore[arg-type]


def opened(world: World, *challengers: PromptVersion) -> ABTest:
    design = Design(least_pairs=2, most_pairs=20, threshold=10, least_raters=1)
    asked = Challenge(tuple(one.id for one in challengers), design=design, policy="auto")
    return abtests.open_test(world.parts, world.admin, world.study.id, asked)


def pairs(world: World, test: ABTest) -> list[tuple[Option, Option]]:
    """Return both options of each pair, the champion's first."""
    with world.parts.store.read() as tx:
        found = tx.ab_pairs.all(test_id=test.id)
        both = [sorted(tx.options.all(experiment_id=one.experiment_id), key=lambda o: o.position) for one in found]
    return [(one, other) for one, other in both]


def test_both_options_of_a_pair_are_of_the_generator_that_the_versions_differ_in(world: World) -> None:
    test = opened(world, candidate(world, parameter_defaults={"second": {"saturation": 1.2}}))
    world.work()
    made = pairs(world, test)
    assert len(made) >= 2
    for champion, challenger in made:
        assert (champion.generator, challenger.generator) == ("second", "second")
        assert champion.point == SECOND.default()
        assert challenger.point == SECOND.default() | {"saturation": 1.2}
        assert (champion.input_id, champion.seed) == (challenger.input_id, challenger.seed)


def test_generators_take_turns_where_versions_differ_in_all_of_them(world: World) -> None:
    said = {"local": live(world).components["local"] | {"prompt": "Brighter."}, "second": {"prompt": "Brighter."}}
    test = opened(world, candidate(world, components=said))
    world.work()
    made = pairs(world, test)
    assert len(made) >= 2
    assert all(champion.generator == challenger.generator for champion, challenger in made)
    assert [champion.generator for champion, _ in made] == [("local", "second")[at % 2] for at in range(len(made))]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_picture_is_made_by_the_generator_of_the_best_settings_or_the_one_named(world: World) -> None:
    with world.parts.store.begin() as tx:
        source = tx.inputs.all(study_id=world.study.id)[0]
        learnt = tx.diagnoses.add(
            Learnt(new_id(), world.study.id, "h", told("second", 4, point={"saturation": 1.1}), world.clock.now())
        )

    def drawn(**more: str) -> tuple[str, Point]:
        key = world.study.prompt_key
        recipe = previews.recipe(world.parts, world.admin, key, "v1.0.0", source.id, **more)
        assert previews.picture(world.parts, recipe).body
        return recipe.generator, recipe.point

    assert drawn() == ("local", {})
    assert drawn(generator="second") == ("second", {})
    assert drawn(learnt_id=learnt.id) == ("second", {"saturation": 1.1})


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_what_waits_of_another_generator_than_the_best_is_not_outdone(world: World) -> None:
    planned_one_by_one(world)
    with world.parts.store.begin() as tx:
        for option in tx.options.all(study_id=world.study.id):
            evidence = Why(best=2.5, chance=0.5, rated=0, differs=())
            expected = Interval(mean=2, low=1.5, high=2.6)
            tx.options.replace(replace(option, expected=expected, evidence=evidence))
        tx.diagnoses.add(Learnt(new_id(), world.study.id, "h", told("second", 4), world.clock.now()))
    planning.drop_outdone(world.parts, world.study.id)
    assert waiting(world) == {"local"}
