"""Studies that start from another's ratings, and what is set of the optimizer: what the requests are made of."""

from dataclasses import replace
from pathlib import Path

import pytest

from ml_service.errors import InvalidRequest
from ml_service.wire.contract import CategoryParameter, FloatParameter, ParameterSpace
from tests.clock import FixedClock
from tests.rows import Rows
from tests.world import SPACE, World, make_world
from web.adapters.database.store import SqlStore
from web.domain.ids import new_id
from web.domain.rating.rating import Exclusion
from web.domain.studies.study import OptimizerSettings, Study
from web.services.learning.requests import diagnose_request, suggest_request
from web.services.studies import intake
from web.services.studies.studies import StudyDraft, change_study, clone_study, make_study

WIDER = ParameterSpace(
    parameters={
        "exposure": FloatParameter(low=-2, high=2, default=0, unit="EV"),
        "saturation": FloatParameter(low=0.5, high=1.5, default=1),
    }
)
STYLE = ParameterSpace(parameters={"style": CategoryParameter(choices=("natural", "vivid"), default="vivid")})


@pytest.fixture
def world(store: SqlStore, clock: FixedClock, tmp_path: Path) -> World:
    return make_world(store, clock, tmp_path, inputs=0)


@pytest.fixture
def rows(world: World) -> Rows:
    """Rows of the study of the world, whose ratings another is to start from."""
    made = Rows(world.parts.store, world.clock.now())  # type: ignore[arg-type]
    with world.parts.store.read() as tx:
        live = tx.versions.all(prompt_key=world.study.prompt_key)[0]
    made.study, made.version = world.study, live
    return made


def follow(world: World, **draft: object) -> Study:
    """Make a study that starts from the world's."""
    settings = {"name": "Next", "spaces": {"local": WIDER}, "starts_from": world.study.id, **draft}
    return make_study(world.parts, world.admin, StudyDraft(**settings))  # type: ignore[arg-type]


def earlier(world: World, study: Study) -> list[float]:
    """What the optimizer is told of the study that one starts from; both questions tell the same."""
    with world.parts.store.read() as tx:
        asked, diagnosed = suggest_request(tx, study, 1, ()), diagnose_request(tx, study)
    assert asked.earlier == diagnosed.earlier
    assert asked.seen == diagnosed.seen == ()
    return [one.rating for one in asked.earlier]


def test_a_study_starts_from_what_counts_of_anothers_ratings_now(world: World, rows: Rows) -> None:
    photo, gone = rows.source("photo"), rows.source("gone")
    shown = [rows.option(photo, 0.1), rows.option(photo, 0.2), rows.option(gone, 0.3), rows.option(photo, 0.4)]
    first, *_ = [rows.rate(option, rows.anna, score) for option, score in zip(shown, (1, 2, 3, 4), strict=True)]
    rows.rate(shown[0], rows.bob, 5)
    study = follow(world)
    assert earlier(world, study) == [1, 2, 3, 4, 5]
    rows.undo(first)
    assert earlier(world, study) == [2, 3, 4, 5]
    intake.take_down(world.parts, world.admin, gone.id)
    assert earlier(world, study) == [2, 4, 5]
    since = rows.now.replace(year=2000)
    with world.parts.store.begin() as tx:
        tx.exclusions.add(Exclusion(new_id(), world.study.id, rows.bob.id, since, "random", since))
    assert earlier(world, study) == [2, 4]
    rows.rate(shown[0], rows.anna, 3)
    assert earlier(world, study) == [2, 4, 3]


def test_a_warm_clone_starts_from_its_model_and_a_cold_one_from_what_that_started_from(world: World) -> None:
    warm = clone_study(world.parts, world.admin, world.study.id, "Warm", warm=True)
    cold = clone_study(world.parts, world.admin, warm.id, "Cold")
    assert (warm.starts_from, cold.starts_from) == (world.study.id, world.study.id)
    assert clone_study(world.parts, world.admin, world.study.id, "Fresh").starts_from is None


def test_only_another_study_of_the_project_with_a_shared_parameter_can_be_started_from(
    world: World, rows: Rows, store: SqlStore
) -> None:
    foreign = Rows(store, world.clock.now()).study
    for wrong in (foreign.id, new_id()):
        with pytest.raises(InvalidRequest, match="another study of this project"):
            follow(world, starts_from=wrong)
    with pytest.raises(InvalidRequest, match="tunes no parameter of this study"):
        follow(world, spaces={"local": STYLE})
    draft = StudyDraft("Photos", {"local": SPACE}, starts_from=world.study.id)
    with pytest.raises(InvalidRequest, match="another study"):
        change_study(world.parts, world.admin, world.study.id, 0, draft)


def test_a_study_whose_origin_is_not_here_is_told_nothing_of_it(world: World) -> None:
    study = replace(follow(world), starts_from=new_id())
    assert earlier(world, study) == []


def test_what_is_set_of_the_optimizer_is_in_the_request(world: World) -> None:
    study = follow(world, optimizer=OptimizerSettings(exploration=0.5, initial=20), seed=7)
    with world.parts.store.read() as tx:
        request, usual = suggest_request(tx, study, 1, ()), suggest_request(tx, world.study, 1, ())
    assert (request.exploration, request.initial, request.seed) == (0.5, 20, 7)
    assert (usual.exploration, usual.initial, usual.seed) == (1, 10, 0)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"optimizer": OptimizerSettings(exploration=4.1)}, "Exploration must be between 0 and 4"),
        ({"optimizer": OptimizerSettings(exploration=float("nan"))}, "Exploration must be"),
        ({"optimizer": OptimizerSettings(initial=0)}, "Initial points must be between 1 and 64"),
        ({"seed": -1}, "Seed must be between 0 and"),
    ],
)
@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_settings_beyond_their_ends_are_refused(world: World, wrong: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        follow(world, **wrong)


def test_observations_carry_generator_and_version_and_what_is_out_is_pending(world: World, rows: Rows) -> None:
    photo = rows.source("photo")
    option, out = rows.option(photo, 0.1), rows.option(photo, 0.9)
    rows.option(photo, 0.5, state="dropped")
    rows.option(photo, 0.6, state="closed")
    rows.rate(option, rows.anna, 4)
    with world.parts.store.read() as tx:
        request = suggest_request(tx, world.study, 1, ())
    (told,) = request.seen
    assert (told.generator, told.version) == ("local", rows.version.id)
    assert [(one.point, one.generator, one.item) for one in request.pending] == [(out.point, "local", photo.id)]


def test_points_of_an_older_space_stay_in_the_request(world: World, rows: Rows) -> None:
    rows.rate(rows.option(rows.source("photo"), -0.9), rows.anna, 2)
    narrow = ParameterSpace(parameters={"exposure": FloatParameter(low=-0.5, high=0.5, default=0, unit="EV")})
    study = change_study(world.parts, world.admin, world.study.id, 0, StudyDraft("Photos", {"local": narrow}))
    with world.parts.store.read() as tx:
        assert [one.point for one in suggest_request(tx, study, 1, ()).seen] == [{"exposure": -0.9}]


def test_what_was_not_tuned_is_told_as_the_version_had_it(world: World, rows: Rows) -> None:
    warm = replace(rows.version, id=new_id(), number=9, name=None, parameter_defaults={"local": {"saturation": 1.2}})
    with world.parts.store.begin() as tx:
        tx.versions.add(warm)
    photo = rows.source("photo")
    rows.rate(rows.option(photo, 0.1), rows.anna, 2)
    rows.rate(rows.option(photo, 0.2, version=warm.id), rows.anna, 3)
    study = follow(world)
    with world.parts.store.read() as tx:
        told = suggest_request(tx, study, 1, ()).earlier
        own = suggest_request(tx, world.study, 1, ()).seen
    assert [one.point for one in told] == [{"exposure": 0.1}, {"saturation": 1.2, "exposure": 0.2}]
    assert [one.point for one in own] == [{"exposure": 0.1}, {"exposure": 0.2}]
