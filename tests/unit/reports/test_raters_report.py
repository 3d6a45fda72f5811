"""What the pages of raters are told of a store, on both engines."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.rows import Rows
from web.adapters.database.store import SqlStore
from web.domain.ids import new_id
from web.domain.rating.enrolment import Enrolment
from web.domain.rating.figures import Share
from web.domain.rating.gold import Gold
from web.domain.rating.rating import Exclusion
from web.domain.rating.standing import RaterReport
from web.pages.learning import words as wording
from web.rows.reports import Reports

pytestmark = pytest.mark.storage

START = datetime(2026, 3, 1, 9, tzinfo=UTC)


@pytest.fixture
def rows(store: SqlStore) -> Rows:
    return Rows(store, START)


@pytest.fixture
def reports(store: SqlStore) -> Iterator[Reports]:
    with store.read() as tx:
        yield tx.of_reports


def by_name(rows: Rows, reports: Reports) -> dict[str, RaterReport]:
    return {one.rater.partition("-")[0]: one for one in reports.raters(rows.study).raters}


def test_a_study_that_nobody_rated_has_no_raters(rows: Rows, reports: Reports) -> None:
    found = reports.raters(rows.study)
    assert (found.raters, found.items, found.over_time, found.agreement.alpha) == ((), (), (), None)


def test_raters_are_told_with_their_standing_and_items_by_their_scores(rows: Rows, reports: Reports) -> None:
    source = rows.source("harbour")
    good, bad = rows.option(source), rows.option(source)
    for rater in (rows.anna, rows.bob):
        rows.rate(good, rater, 5)
        rows.rate(bad, rater, 2)
    rows.rate(rows.option(source), rows.bob, skip="broken")
    rows.undo(rows.rate(rows.option(source), rows.bob, 1))
    with rows.store.begin() as tx:
        tx.enrolments.add(Enrolment(new_id(), rows.study.id, rows.anna.id, START, paused_at=START, pause_reason="ask"))
    found = by_name(rows, reports)
    assert found["anna"].enrolment is not None
    assert found["anna"].enrolment.pause_reason == "ask"
    assert found["bob"].figures is not None
    assert (found["bob"].figures.ratings, found["bob"].skips, found["bob"].enrolment) == (2, 1, None)
    items = reports.raters(rows.study).items
    assert [(one.score.item, one.input, one.version) for one in items] == [
        (good.output_id, "harbour", "v1.0.0"),
        (bad.output_id, "harbour", "v1.0.0"),
    ]
    assert items[0].best > items[1].best


def test_whoever_is_excluded_scores_nothing_until_that_is_lifted(rows: Rows, reports: Reports) -> None:
    source = rows.source()
    options = [rows.option(source) for _ in range(4)]
    for number, option in enumerate(options):
        rows.rate(option, rows.anna, 4 - number % 2)
    before = reports.raters(rows.study).items
    for option in options:
        rows.rate(option, rows.bob, 1)
    with rows.store.begin() as tx:
        exclusion = tx.exclusions.add(Exclusion(new_id(), rows.study.id, rows.bob.id, START, "careless", START))
    told = by_name(rows, reports)["bob"]
    assert reports.raters(rows.study).items == before
    assert told.exclusion == exclusion
    assert told.figures is not None
    assert told.figures.judge is None
    with rows.store.begin() as tx:
        tx.exclusions.replace(replace(exclusion, lifted_at=START))
    assert by_name(rows, reports)["bob"].exclusion is None
    assert reports.raters(rows.study).items != before


def test_checks_count_as_checks_and_calibration_as_neither(rows: Rows, reports: Reports) -> None:
    source = rows.source()
    for kind, score in (("gold", 1), ("gold", 5), ("calibration", 5)):
        option = rows.option(source)
        with rows.store.begin() as tx:
            experiment = tx.experiments.get(option.experiment_id)
            tx.experiments.replace(replace(experiment, kind=kind))  # type: ignore[arg-type]
            tx.golds.add(Gold(new_id(), experiment.id, rows.study.id, 1, 2, "degraded", START))
        rows.rate(option, rows.anna, score)
    figures = by_name(rows, reports)["anna"].figures
    assert figures is not None
    assert figures.checks == Share(1, 2)
    assert reports.raters(rows.study).items == ()
    assert reports.study(rows.study, rows.now, START).counts.queue == 0
    detail = reports.experiment(rows.project, option.experiment_id)
    assert detail.gold is not None
    assert wording.check(detail.experiment, detail.gold).startswith("For calibration: 1 to 2 ★ is right")


def test_what_was_computed_is_told_again_until_something_changes(rows: Rows, reports: Reports) -> None:
    option = rows.option(rows.source())
    rows.rate(option, rows.anna, 3)
    first = reports.raters(rows.study)
    assert reports.raters(rows.study).raters is first.raters
    rows.rate(option, rows.bob, 4)
    assert len(reports.raters(rows.study).raters) == 2


def test_a_rater_sees_no_share_from_which_a_check_can_be_told(rows: Rows, reports: Reports) -> None:
    assert [Share(right, of).roughly for right, of in ((9, 9), (9, 10), (10, 11), (96, 100))] == [None, 0.9, 0.9, 1.0]
    rows.rate(rows.option(rows.source()), rows.anna, 3)
    own = reports.own(rows.study, rows.anna.id, START).standing
    assert (own.checks, own.repeats, own.signs, own.paused, own.excluded) == (None, None, (), "", "")
    assert own.level is not None


def test_a_rater_reads_why_they_are_paused_or_excluded_and_what_was_answered(rows: Rows, reports: Reports) -> None:
    later = START + timedelta(days=1)
    place = Enrolment(
        new_id(), rows.study.id, rows.anna.id, START, paused_at=START, pause_reason="too quick",
        appeal="I was ill", appealed_at=START, answered="Welcome back", answered_at=later,
    )  # fmt: skip
    with rows.store.begin() as tx:
        tx.enrolments.add(place)
        tx.exclusions.add(Exclusion(new_id(), rows.study.id, rows.anna.id, START, "unrelated stars", START))
    own = reports.own(rows.study, rows.anna.id, START).standing
    assert (own.paused, own.excluded) == ("too quick", "unrelated stars")
    assert (own.appeal, own.answered, own.answered_at) == ("I was ill", "Welcome back", later)
