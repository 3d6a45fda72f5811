"""What reports say of a store, on both engines."""

from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from ml_service.errors import InvalidRequest, NotFound
from tests.books import PlainBooks
from tests.clock import FixedClock
from tests.rows import Rows
from web.adapters.database.store import SqlStore
from web.domain.access import Actor
from web.domain.accounts import User
from web.domain.ids import new_id
from web.domain.job import Job
from web.domain.prompts.prompt import PromptVersion
from web.domain.rating.rating import Exclusion
from web.domain.reports.history import Cursor, Entry, Filter, OwnEntry
from web.domain.reports.report import StudyReport
from web.domain.studies.study import StopRules
from web.rows.reports import Reports
from web.services.audit.record import record
from web.services.reports.history import every_entry, every_own_entry

pytestmark = pytest.mark.storage

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
EVERYTHING = Filter()


@pytest.fixture
def rows(store: SqlStore) -> Rows:
    return Rows(store, START)


@pytest.fixture
def reports(store: SqlStore) -> Iterator[Reports]:
    with store.read() as tx:
        yield tx.of_reports


def books(rows: Rows) -> PlainBooks:
    return PlainBooks(rows.store, FixedClock())


def actor(rows: Rows, user: User) -> Actor:
    return Actor(user.id, user.email, rows.project, "rater", "")


def status(rows: Rows, reports: Reports) -> StudyReport:
    return reports.study(rows.study, rows.now, START.replace(hour=0))


def test_a_new_study_has_a_report_of_nothing(rows: Rows, reports: Reports) -> None:
    found = status(rows, reports)
    assert (found.counts.ratings, found.counts.queue, found.counts.spent_micros) == (0, 0, 0)
    assert (found.trend, found.versions, found.best, found.learnt, found.example) == ((), (), (), None, None)
    assert found.scores == {1: 0, 2: 0, 3: 0, 4: 0, 5: 0}


def test_counts_tell_what_there_is(rows: Rows, reports: Reports) -> None:
    source = rows.source()
    first, second = rows.option(source), rows.option(source, state="closed")
    rows.option(source, state="dropped")
    rows.rate(first, rows.anna, 5, tags=("hazy", "noisy"))
    rows.rate(second, rows.anna, 3, tags=("hazy",))
    rows.rate(second, rows.bob, skip="broken")
    rows.undo(rows.rate(first, rows.bob, 1))
    with rows.store.begin() as tx:
        tx.jobs.add(Job(new_id(), "k", "generate", {}, START, START, "parked", study_id=rows.study.id))
    found = status(rows, reports)
    counts = found.counts
    assert (counts.inputs, counts.queue, counts.samples, counts.parked_jobs) == (1, 1, 1, 1)
    assert (counts.ratings, counts.skips, counts.raters, counts.active_raters) == (2, 1, 2, 2)
    assert counts.spent_micros == 4500
    assert counts.experiments == {"ready": 1, "closed": 1, "dropped": 1}
    assert found.tags == {"hazy": 2, "noisy": 1}
    assert found.scores == {1: 0, 2: 0, 3: 1, 4: 0, 5: 1}
    assert [(one.rater_id, one.ratings, one.skips) for one in found.raters] == [
        (rows.anna.id, 2, 0),
        (rows.bob.id, 0, 1),
    ]


def test_raters_are_active_for_a_quarter_of_an_hour(rows: Rows, reports: Reports) -> None:
    rows.rate(rows.option(rows.source()), rows.anna)
    for minutes, active in ((14, 1), (16, 0)):
        later = rows.now + timedelta(minutes=minutes)
        assert reports.study(rows.study, later, START).counts.active_raters == active


def test_versions_are_told_apart_by_name_or_number(rows: Rows, reports: Reports) -> None:
    with rows.store.begin() as tx:
        draft = tx.versions.add(PromptVersion(new_id(), rows.version.prompt_key, 2, None, {}, START, "test"))
    source = rows.source()
    for score in (2, 3):
        rows.rate(rows.option(source), rows.anna, score)
        rows.rate(rows.option(source, version=draft.id), rows.anna, score + 2)
    found = {one.version: one for one in status(rows, reports).versions}
    assert found["v1.0.0"].rating.mean == pytest.approx(2.5)
    assert found["#2"].rating.mean == pytest.approx(4.5)
    assert found["#2"].ratings == 2


@pytest.mark.parametrize(("apart", "steps"), [(1, 3), (61, 3), (60 * 24 * 3, 3), (10, 3)])
def test_the_trend_goes_by_minute_hour_or_day(rows: Rows, reports: Reports, apart: int, steps: int) -> None:
    source = rows.source()
    for number in range(3):
        rows.rate(rows.option(source), rows.anna, number + 2, at=START + timedelta(minutes=apart * number))
    trend = status(rows, reports).trend
    assert [step.mean for step in trend] == [2, 3, 4]
    assert len(trend) == steps
    assert trend[0].at == (START if apart < 60 * 24 else START.replace(hour=0))


@pytest.mark.parametrize(
    ("zone", "ratings", "begins"),
    [("UTC", [3, 1, 1], 0), ("Asia/Tokyo", [1, 3, 1], -9), ("Asia/Kathmandu", [2, 2, 1], -5.75)],
)
def test_the_days_of_the_trend_are_those_of_who_asks(
    rows: Rows, reports: Reports, zone: str, ratings: list[int], begins: float
) -> None:
    source, midnight = rows.source(), START.replace(hour=0)
    for number, hour in enumerate((14.5, 17, 18.5, 37, 24 * 7)):
        rows.rate(rows.option(source), rows.anna, number + 1, at=midnight + timedelta(hours=hour))
    trend = reports.study(rows.study, rows.now, midnight, zone).trend
    assert [step.ratings for step in trend] == ratings
    assert trend[0].at == midnight + timedelta(hours=begins)
    assert reports.own(rows.study, rows.anna.id, midnight, zone).trend == trend


def test_the_hours_of_the_trend_are_those_of_who_asks(rows: Rows, reports: Reports) -> None:
    source = rows.source()
    for number, minutes in enumerate((10, 40, 50, 60 * 30)):
        rows.rate(rows.option(source), rows.anna, number + 1, at=START + timedelta(minutes=minutes))
    trend = reports.study(rows.study, rows.now, START, "Asia/Kathmandu").trend
    assert [(step.at, step.ratings) for step in trend[:2]] == [
        (START - timedelta(minutes=45), 1),
        (START + timedelta(minutes=15), 2),
    ]


def test_samples_of_today_count_from_midnight(rows: Rows, reports: Reports) -> None:
    source = rows.source()
    ended = [(rows.option(source, state="closed"), hours) for hours in (-10, 1, 2)]
    with rows.store.begin() as tx:
        for option, hours in ended:
            closed = tx.experiments.get(option.experiment_id)
            tx.experiments.replace(replace(closed, closed_at=START + timedelta(hours=hours)))
    found = status(rows, reports)
    assert (found.counts.samples, found.counts.samples_today) == (3, 2)
    assert [(one.name, one.have, one.of, one.reached) for one in found.milestones] == [
        ("Samples today", "2", "5", False),
        ("Samples in all", "3", "50", False),
    ]


def test_a_goal_is_a_milestone_of_the_best(rows: Rows, reports: Reports) -> None:
    for _ in range(2):
        rows.rate(rows.option(rows.source()), rows.anna)
    rows.learn(2, mean=4.0)
    wanted = {goal: replace(rows.study, stop=StopRules(goal=goal)) for goal in (3.9, 4.6)}
    found = {goal: reports.study(study, rows.now, START).milestones[-1] for goal, study in wanted.items()}
    assert [(one.have, one.of, one.reached) for one in found.values()] == [
        ("4.00 ★", "3.9 ★", True),
        ("4.00 ★", "4.6 ★", False),
    ]


def test_what_does_not_count_is_in_no_mean(rows: Rows, reports: Reports) -> None:
    kept, removed = rows.source("kept"), rows.source("removed")
    rows.rate(rows.option(kept), rows.anna, 4)
    rows.rate(rows.option(removed), rows.anna, 1)
    since = rows.now + timedelta(minutes=2)
    rows.rate(rows.option(kept), rows.bob, 4)
    rows.rate(rows.option(kept), rows.bob, 1)
    with rows.store.begin() as tx:
        tx.inputs.replace(replace(removed, removed_at=START))
        tx.exclusions.add(Exclusion(new_id(), rows.study.id, rows.bob.id, since, "careless", START))
    found = status(rows, reports)
    assert found.scores == {1: 0, 2: 0, 3: 0, 4: 2, 5: 0}
    assert found.counts.ratings == 2
    assert found.example is not None
    assert found.example.input == "kept"


def test_the_newest_diagnosis_is_told_with_what_it_does_not_know(rows: Rows, reports: Reports) -> None:
    source = rows.source()
    given = [rows.rate(rows.option(source), rows.anna) for _ in range(4)]
    rows.learn(2, mean=3.5)
    known = rows.learn(3, mean=3.9)
    found = status(rows, reports)
    assert found.learnt == known
    assert found.newer == 1
    assert [(step.ratings, step.rating.mean) for step in found.best] == [(2, 3.5), (3, 3.9)]
    rows.undo(given[0])
    rows.undo(given[1])
    back = status(rows, reports)
    assert back.learnt is not None
    assert back.learnt.diagnosis.ratings_used == 2
    assert len(back.best) == 1


def test_a_diagnosis_without_a_best_point_draws_nothing(rows: Rows, reports: Reports) -> None:
    rows.rate(rows.option(rows.source()), rows.anna)
    known = rows.learn(1)
    bare = replace(
        known,
        id=new_id(),
        request_hash=new_id(),
        made_at=rows.now + timedelta(minutes=1),
        diagnosis=known.diagnosis.model_copy(update={"best": None, "convergence": None}),
    )
    with rows.store.begin() as tx:
        tx.diagnoses.add(bare)
    found = status(rows, reports)
    assert found.learnt == bare
    assert len(found.best) == 1


def test_the_change_number_moves_with_all_that_is_shown(rows: Rows, reports: Reports) -> None:
    seen = [reports.change(rows.study.id)]

    def moved() -> bool:
        seen.append(reports.change(rows.study.id))
        return seen[-1] != seen[-2]

    assert not moved()
    option = rows.option(rows.source())
    assert moved()
    rating = rows.rate(option, rows.anna)
    assert moved()
    rows.undo(rating)
    assert moved()
    rows.learn(0)
    assert moved()
    with rows.store.begin() as tx:
        tx.jobs.add(Job(new_id(), "k", "learn", {}, START, START, "parked", study_id=rows.study.id))
    assert moved()
    with rows.store.begin() as tx:
        tx.studies.replace(replace(tx.studies.get(rows.study.id), name="Other"))
    assert moved()
    assert not moved()


def test_history_goes_backwards_page_by_page(rows: Rows, reports: Reports) -> None:
    source = rows.source()
    moment = START + timedelta(hours=1)
    given = {rows.rate(rows.option(source), rows.anna, at=moment).id for _ in range(5)}
    given |= {rows.rate(rows.option(source), rows.bob).id for _ in range(3)}
    found: list[Entry] = []
    after: Cursor | None = None
    while True:
        page = reports.entries(rows.project, EVERYTHING, after, 2)
        found += page.rows
        if not page.after:
            break
        after = Cursor.read(page.after)
    assert len(found) == 8
    assert {one.id for one in found} == given
    assert [one.rated_at for one in found] == sorted((one.rated_at for one in found), reverse=True)
    assert [one.id for one in every_entry(books(rows), actor(rows, rows.anna), EVERYTHING)] == [one.id for one in found]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, {"plain", "tagged", "said", "skipped", "late"}),
        ({"low": "4"}, {"plain", "said"}),
        ({"low": "2", "high": "3"}, {"tagged", "late"}),
        ({"tag": "hazy"}, {"tagged"}),
        ({"tag": "my_own"}, {"said"}),
        ({"tag": "my_o_n"}, set()),
        ({"text": "100%_of"}, {"said"}),
        ({"text": "100%of"}, set()),
        ({"state": "skipped"}, {"skipped"}),
        ({"state": "scored"}, {"plain", "tagged", "said", "late"}),
        ({"state": "undone"}, {"undone"}),
        ({"state": "late"}, {"late"}),
        ({"state": "flagged"}, {"said"}),
        ({"generator": "other"}, set()),
        ({"kind": "ab"}, set()),
        ({"since": "2026-03-02"}, {"late"}),
        ({"until": "2026-03-01"}, {"plain", "tagged", "said", "skipped"}),
    ],
)
def test_filters_choose_rows(rows: Rows, reports: Reports, query: dict[str, str], names: set[str]) -> None:
    names_of = ("plain", "tagged", "said", "skipped", "late", "undone")
    options = {name: rows.option(rows.source(name)) for name in names_of}
    rows.rate(options["plain"], rows.anna, 5)
    rows.rate(options["tagged"], rows.anna, 2, tags=("hazy", "noisy"))
    rows.rate(options["said"], rows.bob, 4, comment="Sure, 100%_OF it", flagged=True, tags=("my_own",))
    rows.rate(options["skipped"], rows.anna, skip="broken")
    rows.rate(options["late"], rows.anna, 3, late=True, at=START + timedelta(days=2))
    rows.undo(rows.rate(options["undone"], rows.anna, 1))
    page = reports.entries(rows.project, Filter.read(query), None, 20)
    assert {one.input for one in page.rows} == names


def test_filters_by_study_version_and_rater(rows: Rows, reports: Reports) -> None:
    option = rows.option(rows.source())
    rows.rate(option, rows.anna)
    rows.rate(option, rows.bob)

    def count(**wanted: str) -> int:
        return len(reports.entries(rows.project, Filter(**wanted), None, 9).rows)  # type: ignore[arg-type]

    assert count(rater=rows.bob.id) == 1
    assert count(study=rows.study.id, version=rows.version.id) == 2
    assert count(study=new_id()) == 0
    assert count(version=new_id()) == 0


@pytest.mark.parametrize(
    "query", [{"low": "0"}, {"high": "6"}, {"low": "nan"}, {"low": "x"}, {"tag": "x%y"}, {"state": "x"}, {"since": "x"}]
)
def test_filters_that_mean_nothing_are_refused(query: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest):
        Filter.read(query)


def test_a_filter_survives_its_query_string() -> None:
    query = {"low": "2", "high": "4.5", "tag": "hazy", "text": "a & b", "since": "2026-03-01", "state": "late"}
    wanted = Filter.read({**query, "after": "ignored", "rater": ""})
    assert wanted.since == date(2026, 3, 1)
    assert wanted.query() == query
    with pytest.raises(InvalidRequest):
        Cursor.read("yesterday~1")


def test_history_ends_at_the_project(rows: Rows, reports: Reports) -> None:
    option = rows.option(rows.source())
    rows.rate(option, rows.anna)
    assert reports.entries(new_id(), EVERYTHING, None, 9).rows == ()
    assert reports.own_entries(new_id(), rows.anna.id, EVERYTHING, None, 9).rows == ()
    assert reports.studies(new_id()) == ()
    with pytest.raises(NotFound):
        reports.experiment(new_id(), option.experiment_id)


def test_a_rater_gets_own_rows_and_nothing_of_what_made_the_image(rows: Rows, reports: Reports) -> None:
    option = rows.option(rows.source("before"), 0.5)
    mine = rows.rate(option, rows.anna, 5, tags=("hazy",), comment="mine")
    rows.rate(option, rows.bob, 1)
    page = reports.own_entries(rows.project, rows.anna.id, Filter(rater=rows.bob.id, generator="other"), None, 9)
    assert [one.id for one in page.rows] == [mine.id]
    assert list(every_own_entry(books(rows), actor(rows, rows.anna), EVERYTHING)) == list(page.rows)
    allowed = {"id", "rated_at", "study", "score", "skip", "tags", "comment", "flagged", "late", "undone_at"}
    assert {field.name for field in fields(OwnEntry)} == allowed


def test_a_raters_numbers_are_their_own(rows: Rows, reports: Reports) -> None:
    source = rows.source()
    rows.rate(rows.option(source), rows.anna, 2, at=START - timedelta(days=1))
    rows.rate(rows.option(source), rows.anna, 4)
    rows.rate(rows.option(source), rows.anna, skip="broken")
    rows.rate(rows.option(source), rows.bob, 5)
    own = reports.own(rows.study, rows.anna.id, START.replace(hour=0))
    assert (own.today, own.total, own.skips, own.mean, own.target) == (1, 2, 1, 3, 10)
    assert own.scores == {1: 0, 2: 1, 3: 0, 4: 1, 5: 0}


def test_an_experiment_is_told_whole(rows: Rows, reports: Reports) -> None:
    option = rows.option(rows.source("before"), 0.5)
    rows.undo(rows.rate(option, rows.bob, 1))
    rows.rate(option, rows.anna, 5)
    found = reports.experiment(rows.project, option.experiment_id)
    assert found.input.name == "before"
    (treated,) = found.options
    assert treated.option.point == {"exposure": 0.5}
    assert (treated.version, treated.width) == ("v1.0.0", 48)
    assert [(one.score, one.undone_at is None) for one in treated.ratings] == [(1, False), (5, True)]
    told = [moment.what for moment in found.timeline]
    assert told == ["planned", "option 1 rated 1", "option 1: rated 1 undone", "option 1 rated 5"]
    assert found.timeline[-1].who == rows.anna.email


def test_lists_count_what_belongs_to_each(rows: Rows, reports: Reports) -> None:
    source, bare = rows.source("used"), rows.source("bare")
    rating = rows.rate(rows.option(source), rows.anna)
    (line,) = reports.studies(rows.project)
    assert (line.study, line.inputs, line.ratings, line.queue) == (rows.study, 2, 1, 1)
    assert line.last_rated_at == rating.rated_at
    lines = {one.input.id: (one.experiments, one.ratings) for one in reports.inputs(rows.study.id, "", 9).rows}
    assert lines == {source.id: (1, 1), bare.id: (0, 0)}


def test_jobs_of_other_projects_are_not_listed(rows: Rows, reports: Reports) -> None:
    other = Rows(rows.store, START)
    with rows.store.begin() as tx:
        for key, study in (("own", rows.study.id), ("other", other.study.id), ("nobody's", None)):
            tx.jobs.add(Job(new_id(), key, "learn", {}, START, START, study_id=study))
    assert {job.key for job in reports.jobs(rows.project, "waiting", 9)} == {"own", "nobody's"}
    assert reports.jobs(rows.project, "parked", 9) == ()


def test_choices_name_what_can_be_filtered(rows: Rows, reports: Reports) -> None:
    found = reports.choices(rows.project)
    assert found.studies == {rows.study.id: "Photos"}
    assert found.generators == ("local",)
    assert found.versions == {rows.version.id: "v1.0.0"}
    assert set(found.raters) == {rows.anna.id, rows.bob.id}


def test_who_left_can_be_filtered_by_while_their_ratings_and_events_are_there(rows: Rows, reports: Reports) -> None:
    other = Rows(rows.store, START)
    other.rate(other.option(other.source()), other.bob)
    rows.rate(rows.option(rows.source()), rows.bob)
    admin = Actor(rows.anna.id, rows.anna.email, rows.project, "admin")
    with rows.store.begin() as tx:
        gone = rows.person(tx, "carl")
        tx.memberships.remove(user_id=(rows.bob.id, gone.id))
        record(tx, START, admin, "role.ended", ("user", gone.id))
    assert set(reports.choices(rows.project).raters) == {rows.anna.id, rows.bob.id}
    assert set(reports.actors(rows.project)) == {"terminal", "palate", rows.anna.id, gone.id}


def test_a_trend_of_three_busy_hours_goes_by_minutes(rows: Rows, reports: Reports) -> None:
    for minute in range(181):
        late = timedelta(
            minutes=minute, seconds=30 if minute == 0 else 0
        )  # so the first and the last are not 3 h apart
        rows.rate(rows.option(rows.source()), rows.anna, 1 + minute % 5, at=START + late)
    trend = status(rows, reports).trend
    assert [step.ratings for step in trend] == [1] * 181


def test_a_trend_of_years_has_few_steps_with_every_rating_in_one_of_them(rows: Rows, reports: Reports) -> None:
    option = [rows.option(rows.source()) for _ in range(400)]
    for day, one in enumerate(option):
        rows.rate(one, rows.anna, 1 + day % 5, at=START + timedelta(days=day))
    trend = status(rows, reports).trend
    assert len(trend) == 134
    assert [step.ratings for step in trend] == [3] * 133 + [1]
    assert {later.at - one.at for one, later in pairwise(trend)} == {timedelta(days=3)}
