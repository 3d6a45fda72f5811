"""Rules of the domain that need no part: what becomes of experiments, and which ratings count."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ml_service.errors import Conflict
from tests.world import answer
from web.domain.ids import is_id, new_id
from web.domain.rating.rating import Exclusions, Rating, observe
from web.domain.studies.experiment import ExperimentKind, ExperimentState, Option, OptionState, settle
from web.domain.studies.study import Study, StudyState

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)


def option(state: OptionState = "ready") -> Option:
    return Option(
        id=new_id(),
        experiment_id="experiment",
        study_id="study",
        input_id="input",
        position=0,
        generator="local",
        version="version",
        point={"exposure": 0.5},
        seed=0,
        state=state,
        why="initial",
        output_id="output",
    )


def rating(of: Option, rater: str = "rater", score: float | None = 4, minutes: int = 0) -> Rating:
    given = answer(of.id, score, skip="broken") if score is None else answer(of.id, score)
    return Rating.of(given, of, rater, NOW + timedelta(minutes=minutes), late=False)


@pytest.mark.parametrize(
    ("kind", "states", "becomes"),
    [
        ("explore", ["ready", "ready"], "ready"),
        ("explore", ["ready", "failed"], "ready"),
        ("explore", ["failed", "failed"], "void"),
        ("explore", ["ready", "planned"], "generating"),
        ("explore", [], "void"),
        ("ab", ["ready", "ready"], "ready"),
        ("ab", ["ready", "failed"], "void"),
        ("ab", ["failed", "generating"], "generating"),
    ],
)
def test_what_an_experiment_becomes(kind: ExperimentKind, states: list[OptionState], becomes: ExperimentState) -> None:
    assert settle(kind, [option(state) for state in states]) == becomes


def test_an_observation_is_a_raw_score_with_where_it_comes_from() -> None:
    shown = option()
    (told,) = observe([shown], [rating(shown, score=2)])
    assert (told.point, told.rating, told.rater, told.item, told.output) == (
        {"exposure": 0.5},
        2,
        "rater",
        "input",
        "output",
    )


def test_skipped_undone_excluded_and_unknown_ratings_are_not_told() -> None:
    shown, gone = option(), option()
    counted = rating(shown, "one")
    undone = replace(rating(shown, "two"), undone_at=NOW)
    before, after = rating(shown, "three", minutes=-1), rating(shown, "three", minutes=1)
    excluded = Exclusions({"three": NOW})
    given = [after, rating(shown, "four", None), undone, counted, before, rating(gone)]
    assert [o.at for o in observe([shown], given, excluded)] == [before.rated_at, counted.rated_at]


@pytest.mark.parametrize(
    ("state", "target", "goes"),
    [
        ("running", "paused", True),
        ("running", "archived", True),
        ("paused", "running", True),
        ("archived", "paused", True),
        ("archived", "running", False),
        ("running", "running", True),
    ],
)
def test_where_a_study_can_go(state: StudyState, target: StudyState, goes: bool) -> None:
    study = Study("id", "project", "Photos", state, {}, "prompt", NOW)
    if goes:
        assert study.moved(target).state == target
    else:
        with pytest.raises(Conflict):
            study.moved(target)


def test_ids_sort_by_the_time_they_were_made() -> None:
    made = [new_id() for _ in range(2000)]
    assert all(is_id(one) for one in made)
    assert len(set(made)) == 2000
    assert made[0] < made[-1]
    assert not is_id("nonsense")
