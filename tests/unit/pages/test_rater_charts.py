"""Charts of raters are well-formed, lie on their drawing, and say in words and a table what they draw."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from markupsafe import Markup

from ml_service.wire.contract import Interval
from tests.unit.pages import test_charts
from tests.unit.rating.test_panel import CARELESS, rated
from web.domain.rating.enrolment import Enrolment
from web.domain.rating.figures import Agreement, AgreementStep, Drift, Flag, Score, Share
from web.domain.rating.numbers.panel import panel
from web.domain.rating.standing import RaterReport, ScoredItem
from web.pages.rating import charts, words

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
FOUND = panel(rated(CARELESS, items=30, seen_ms={"eve": 100}))
NAMED = [(f"{one.rater}<b>@example.org", one) for one in FOUND.raters]
EVE = next(one for one in FOUND.raters if one.rater == "eve")
WIDE = Interval(mean=-0.4, low=-1, high=0.9)
ALL: dict[str, Markup | None] = {
    "levels": charts.levels(NAMED),
    "noise": charts.noise(NAMED),
    "noise of one": charts.noise(NAMED[:1]),
    "noise beyond the scale": charts.noise([("x", replace(EVE, noise=Interval(mean=4, low=3, high=9)))]),
    "shares": charts.shares("Checks", "words", [("a", Share(3, 4)), ("b", Share(0, 2)), ("c", Share(0, 0))]),
    "agreement": charts.agreement(FOUND.over_time),
    "agreement of one step": charts.agreement(FOUND.over_time[:1]),
    "agreement below nothing": charts.agreement(
        [AgreementStep(START, 9, WIDE, WIDE), AgreementStep(START, 12, WIDE, WIDE)]
    ),
    "correlation": charts.correlation(FOUND.over_time),
    "scores": charts.scores_beside(EVE.scores, {1: 1, 2: 0, 3: 9, 4: 2, 5: 0}),
    "scores of nobody": charts.scores_beside({}, {}),
    "times": charts.times([0.01, 3, 900], [2.0, 4.0, 70.0]),
    "times of all": charts.times([3.0], []),
    "level": charts.level_over_time(EVE.levels),
    "level of one": charts.level_over_time(EVE.levels[:1]),
    "items": charts.items([ScoredItem(Score("o", 4.9, 4, 5, 3), 0.4, "e", "i", "a&b", "local", "v1")] * 30),
}


@pytest.mark.parametrize("name", ALL)
def test_every_chart_is_an_image_with_words_and_a_table(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(test_charts.ALL, name, ALL[name] or Markup())
    test_charts.test_every_chart_is_an_image_with_words_and_a_table(name)
    test_charts.test_every_shape_lies_on_the_drawing(name)


def test_nothing_is_drawn_of_nothing() -> None:
    nobody = replace(EVE, judge=None, noise=None)
    assert charts.levels([("eve", nobody)]) is charts.noise([("eve", nobody)]) is charts.times([], [1.0]) is None
    assert charts.shares("x", "y", [("a", Share(0, 0))]) is charts.agreement(()) is charts.items(()) is None
    assert charts.correlation(()) is None
    assert charts.level_over_time(()) is None


def test_shares_are_told_in_percent_and_in_counts() -> None:
    assert "75 % · 3 of 4" in str(ALL["shares"])


@pytest.mark.parametrize(
    ("alpha", "said"),
    [
        (None, "Not known yet"),
        (Interval(mean=0.9, low=0.82, high=0.95), "agree well:"),
        (Interval(mean=0.7, low=0.5, high=0.8), "well enough"),
        (Interval(mean=0.4, low=0.2, high=0.6), "Tastes differ"),
        (Interval(mean=0.05, low=-0.1, high=0.2), "hardly agree"),
    ],
)
def test_agreement_is_told_as_what_it_means(alpha: Interval | None, said: str) -> None:
    assert said in words.agreement(alpha)


def test_what_one_rating_tells_is_told_as_a_share() -> None:
    assert words.correlation(None).startswith("Not known yet")
    assert words.correlation(Interval(mean=0.42, low=0.3, high=0.5)).startswith("42 % of what makes ratings differ")


def test_how_sure_scores_are_waits_for_scores() -> None:
    assert words.reliable(Agreement()).startswith("Not known yet")
    assert "at 2.5 ratings" in words.reliable(Agreement(None, None, 2.5, 0.4))
    assert words.reliable(Agreement(None, None, 1, 0.4)).endswith("at 1 rating of an item")


def test_every_sign_of_carelessness_tells_its_number() -> None:
    assert {flag.name for flag in EVE.flags} == {"scattered", "too_quick"}
    told = [words.evidence(flag) for flag in EVE.flags]
    assert told[0].endswith("times theirs, over 2.5 times.")
    assert told[1] == "Half of the pictures get at most 0.1 s; under 1.5 s is quick here."
    assert "once in 2,000" in words.evidence(Flag("r", "long_run", "w", 0.0005, 0.001))
    assert "0.05, under 0.15" in words.evidence(Flag("r", "same_stars", "w", 0.05, 0.15))
    assert "50 % missed, over 22 %" in words.evidence(Flag("r", "checks_missed", "w", 0.5, 0.22))


def test_a_level_that_moved_says_since_when() -> None:
    assert words.moved(Drift(40, -0.8)) == "0.8 stars stricter than their own level since their rating 41."
    assert words.moved(None) == ""


def test_the_headline_counts_who_needs_looking_at() -> None:
    place = Enrolment("e", "s", "r", START, appeal="no", appealed_at=START, recalibrate_from=START)
    asking = RaterReport("r", "rita", True, 0, EVE, place, None)
    answered = replace(asking, enrolment=replace(place, answered="yes", answered_at=START + timedelta(hours=1)))
    assert words.headline([asking]) == "1 appeal waits for an answer; 1 rater is flagged."
    assert words.headline([answered, answered]) == "2 raters are flagged."
    assert words.headline([]) == "Nobody needs looking at."
    assert [word for word, _ in words.marks(asking)] == ["appeal", "flagged", "calibration due"]
    assert [word for word, _ in words.marks(replace(answered, active=False))][-1] == "deactivated"
