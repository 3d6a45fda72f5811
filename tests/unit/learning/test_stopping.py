"""When a study stops: each rule by itself, and on both engines that it stops once, says why and can go on."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from ml_service.errors import Conflict, InvalidRequest
from ml_service.wire.contract import Best, Convergence, DiagnoseRequest, Diagnosis, Interval, Suggestion, SuggestRequest
from tests.clock import FixedClock
from tests.rows import Rows
from tests.world import SPACE, World, answer, make_world
from web.adapters.database.store import SqlStore
from web.domain.studies.stopping import Figures, Recommended, chance, check, reason, stale, standings
from web.domain.studies.study import RuleName, StopRules, Study
from web.jobs import schedule, tasks
from web.services.learning.stopping import standings_of, stop_if_due
from web.services.rating import training, uploads
from web.services.studies.studies import StudyDraft, change_study, clone_study, move_study

ALL = StopRules(goal=4, gain=0.05, patience=40, at_least=30, budget_micros=2_000_000, ratings=100)


def diagnosis(mean: float = 4.0, sd: float = 0.1, left: float = 0.2) -> Diagnosis:
    around = Interval(mean=mean, low=mean - 0.2, high=mean + 0.2)
    return Diagnosis(
        best=Best(generator="local", point=SPACE.default(), rating=around, gain=around, sd=sd),
        convergence=Convergence(gain_left=left, probability_near_best=0.5),
        parameters={},
        raters=(),
        variance=None,
        ratings_used=50,
        history="",
    )


def steps(*means: float) -> tuple[Recommended, ...]:
    """What was recommended after 30, 40, 50 … ratings."""
    return tuple(Recommended(30 + 10 * place, mean) for place, mean in enumerate(means))


@pytest.mark.parametrize(
    ("figures", "rule"),
    [
        (Figures(ratings=99, diagnosis=diagnosis()), None),
        (Figures(ratings=100), "ratings"),
        (Figures(ratings=50, diagnosis=diagnosis(mean=4.17)), "goal"),
        (Figures(ratings=50, diagnosis=diagnosis(mean=4.16)), None),
        (Figures(ratings=29, diagnosis=diagnosis(mean=5, left=0)), None),
        (Figures(ratings=30, diagnosis=diagnosis(left=0.049)), "gain"),
        (Figures(ratings=30, diagnosis=diagnosis(left=0.05)), None),
        (Figures(spent_micros=2_000_000), "budget"),
        (Figures(spent_micros=1_999_999), None),
        (Figures(ratings=80, history=steps(3, 3.5, 3.5, 3.52, 3.5, 3.5)), "patience"),
        (Figures(ratings=80, history=steps(3, 3.5, 3.5, 3.52, 3.5, 3.6)), None),
        (Figures(ratings=70, history=steps(3.5, 3.5, 3.5, 3.5, 3.5, 3.5)), "patience"),
        (Figures(ratings=60, history=steps(3.5, 3.5, 3.5, 3.5, 3.5, 3.5)), None),
    ],
)
def test_a_rule_holds_exactly_from_its_limit_on(figures: Figures, rule: RuleName | None) -> None:
    found = reason(ALL, figures)
    assert (found and found.rule) == rule


def test_rules_that_are_off_say_nothing_and_no_rule_is_on_by_itself() -> None:
    assert standings(StopRules(), Figures(ratings=10**6, diagnosis=diagnosis(mean=5, left=0))) == ()
    assert not StopRules().any_on
    assert all(replace(StopRules(), **{name: 1}).any_on for name in ("goal", "gain", "patience", "ratings"))


@pytest.mark.parametrize("figures", [Figures(), Figures(ratings=20, spent_micros=10**6, diagnosis=diagnosis())])
def test_every_rule_tells_how_near_it_is_in_words(figures: Figures) -> None:
    told = standings(ALL, figures)
    assert [one.rule for one in told] == ["goal", "gain", "patience", "budget", "ratings"]
    assert all(not one.holds and one.words.endswith(".") for one in told)
    assert [one.rule for one in told if one.near is None] == ([] if figures.diagnosis else ["goal", "gain"])
    assert all(one.near is None or 0 <= one.near < 1 for one in told)


def test_a_belief_is_waited_for_until_there_are_enough_ratings() -> None:
    early = standings(ALL, Figures(ratings=15, diagnosis=diagnosis(mean=5, left=0)))
    assert [(one.near, one.holds) for one in early[:2]] == [(0.5, False), (0.5, False)]
    assert "It waits for 30 ratings; there are 15." in early[0].words


def test_a_probability_short_of_certain_is_never_told_as_certain() -> None:
    assert "99.9 %" in standings(ALL, Figures(ratings=50, diagnosis=diagnosis(mean=5, sd=0.01)))[0].words
    assert chance(diagnosis(sd=0), 4) is None
    assert chance(diagnosis(mean=4), 4) == pytest.approx(0.5)
    assert chance(diagnosis(mean=4.1), 4) == pytest.approx(0.8413, abs=1e-4)


def test_an_early_fluke_does_not_hide_a_later_rise() -> None:
    assert stale(steps(4.6, 3.5, 3.6, 3.8, 4.0)) == 0
    assert stale(steps(4.6, 3.5, 4.0, 4.0, 4.02)) == 20
    assert stale(()) == 0


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        (StopRules(goal=5.5), "The goal must be from 1 to 5 stars"),
        (StopRules(goal=float("nan")), "The goal must be"),
        (StopRules(probability=1), "from 0.5 to 0.999"),
        (StopRules(gain=0), "from 0.001 to 4 stars"),
        (StopRules(patience=0), "from 1 to 1,000,000"),
        (StopRules(at_least=2), "from 3 to"),
        (StopRules(budget_micros=0), "more than \\$0"),
        (StopRules(ratings=0), "from 1 to"),
    ],
)
def test_a_limit_that_means_nothing_is_refused(rules: StopRules, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        check(rules)
    check(ALL)


@pytest.fixture
def world(store: SqlStore, clock: FixedClock, tmp_path: Path) -> World:
    return make_world(store, clock, tmp_path, stop=StopRules(ratings=4))


def now(world: World) -> Study:
    with world.parts.store.read() as tx:
        return tx.studies.get(world.study.id)


def finished(world: World) -> tuple[list[str], list[str]]:
    """What the audit says of the end of the study, and the states of its experiments."""
    with world.parts.store.read() as tx:
        events = [event.details["rule"] for event in tx.events.all(action="study.finished")]
        return events, sorted(one.state for one in tx.experiments.all(study_id=world.study.id))


def test_a_study_stops_by_itself_and_says_which_rule_stopped_it(world: World) -> None:
    rater = world.person()
    held = world.hold(rater).held
    world.rate(rater, *(answer(option.option_id) for item in held[:2] for option in item.options))
    world.work()
    study = now(world)
    assert study.stopped is not None
    assert (study.state, study.stopped.rule, study.stopped.at) == ("finished", "ratings", world.clock.now())
    assert study.stopped.figures == {"ratings": 4, "limit": 4}
    assert study.stopped.words == "4 ratings of 4."
    events, states = finished(world)
    assert events == ["ratings"]
    assert states == ["closed"] * 2 + ["ready"] * (len(states) - 2)
    # What is under way is still rated and counts; nothing new is given out or made.
    assert world.rate(rater, answer(held[2].options[0].option_id)) == ["stored"]
    assert training.next_items(world.parts, world.person(), "tab", 4).held == ()
    schedule.tick(world.parts)
    world.work()
    assert finished(world) == (events, states)
    with pytest.raises(Conflict, match="finished"):
        uploads.upload_to_rate(world.parts, rater, "tab", input_id=held[0].options[0].input_id)


def changed(world: World, rules: StopRules) -> Study:
    """Set other rules, as an admin would."""
    study = now(world)
    draft = StudyDraft.of(study)
    return change_study(world.parts, world.admin, study.id, study.revision, replace(draft, stop=rules))


def rated(world: World, experiments: int = 2) -> None:
    """Let somebody rate all options of some experiments, with no worker behind them."""
    held = world.hold(rater := world.person(), experiments).held
    world.rate(rater, *(answer(option.option_id) for item in held for option in item.options))


def test_what_nobody_holds_and_is_not_made_yet_is_dropped(world: World) -> None:
    rated(world)
    uploader = world.person()
    with world.parts.store.read() as tx:
        source = tx.inputs.all(study_id=world.study.id)[0]
    mine = uploads.upload_to_rate(world.parts, uploader, "tab", input_id=source.id)
    changed(world, StopRules())
    tasks.plan(world.parts, world.study.id, depth=8)
    changed(world, StopRules(ratings=4))
    stop_if_due(world.parts, world.study.id)
    _, states = finished(world)
    assert states.count("planned") == 1
    assert states.count("dropped") > 0
    world.work()
    assert uploads.watch_upload(world.parts, uploader, mine.experiment_id).state == "ready"


def test_many_workers_stop_a_study_once(world: World) -> None:
    rated(world)
    together = threading.Barrier(4)

    def stop() -> None:
        together.wait()
        stop_if_due(world.parts, world.study.id)

    workers = [threading.Thread(target=stop) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert (finished(world)[0], now(world).revision) == (["ratings"], world.study.revision + 1)
    stop_if_due(world.parts, world.study.id)
    assert now(world).revision == world.study.revision + 1


def test_a_plan_that_was_under_way_plans_nothing_for_a_study_that_finished_meanwhile(world: World) -> None:
    rated(world)
    changed(world, StopRules())
    before = finished(world)[1]

    class Meanwhile:
        """An optimizer during whose answer the study finishes."""

        def suggest(self, request: SuggestRequest) -> Suggestion:
            changed(world, StopRules(ratings=4))
            stop_if_due(world.parts, world.study.id)
            return world.parts.optimizer.suggest(request)

        def diagnose(self, request: DiagnoseRequest) -> Diagnosis:
            return world.parts.optimizer.diagnose(request)

    tasks.plan(replace(world.parts, optimizer=Meanwhile()), world.study.id, depth=9)
    assert finished(world) == (["ratings"], before)


def test_a_resumed_study_goes_on_without_its_rule_or_with_a_raised_one(world: World) -> None:
    rated(world)
    stop_if_due(world.parts, world.study.id)
    resumed = move_study(world.parts, world.admin, world.study.id, "running")
    assert (resumed.state, resumed.stopped, resumed.stop.ratings) == ("running", None, None)
    with world.parts.store.read() as tx:
        assert [event.details for event in tx.events.all(action="study.reopened")] == [{"rule": "ratings"}]
    changed(world, StopRules(ratings=4))
    stop_if_due(world.parts, world.study.id)
    changed(world, StopRules(ratings=6))
    resumed = move_study(world.parts, world.admin, world.study.id, "running")
    assert (resumed.state, resumed.stop.ratings) == ("running", 6)
    stop_if_due(world.parts, world.study.id)
    assert now(world).state == "running"


def test_an_undone_rating_counts_no_more(world: World) -> None:
    rater = world.person()
    held = world.hold(rater, 2).held
    given = [answer(option.option_id) for item in held for option in item.options]
    world.rate(rater, *given)
    training.undo(world.parts, rater, given[0].id)
    stop_if_due(world.parts, world.study.id)
    (standing,) = standings_of(world.parts, world.admin, world.study.id)
    assert (now(world).state, standing.near, standing.holds) == ("running", 0.75, False)


def test_a_goal_is_reached_by_what_was_learnt_just_now_alone(world: World) -> None:
    changed(world, StopRules(goal=4, at_least=3))
    rated(world)
    stop_if_due(world.parts, world.study.id)
    assert now(world).state == "running"
    stop_if_due(world.parts, world.study.id, diagnosis(mean=4.5))
    study = now(world)
    assert study.stopped is not None
    assert (study.state, study.stopped.rule) == ("finished", "goal")
    assert study.stopped.figures["probability"] > 0.99


def test_a_paused_study_does_not_finish_and_a_clone_of_a_finished_one_runs(world: World) -> None:
    rated(world)
    move_study(world.parts, world.admin, world.study.id, "paused")
    stop_if_due(world.parts, world.study.id)
    assert now(world).state == "paused"
    move_study(world.parts, world.admin, world.study.id, "running")
    stop_if_due(world.parts, world.study.id)
    twin = clone_study(world.parts, world.admin, world.study.id, "Again")
    assert (twin.state, twin.stopped, twin.stop) == ("running", None, StopRules(ratings=4))
    with pytest.raises(Conflict):
        move_study(world.parts, world.admin, twin.id, "finished")


def test_old_diagnoses_are_thinned_and_still_show_how_a_study_learnt(store: SqlStore, clock: FixedClock) -> None:
    rows = Rows(store, clock.now())
    for used in range(1, 121):
        rows.learn(used, mean=3 + used / 100)
        with store.begin() as tx:
            tx.of_studies.forget_old_diagnoses(rows.study.id)
    with store.read() as tx:
        kept = sorted(one.diagnosis.ratings_used for one in tx.diagnoses.all(study_id=rows.study.id))
    assert kept[-20:] == list(range(101, 121))
    assert [used // 5 for used in kept[:-20]] == list(range(21))
