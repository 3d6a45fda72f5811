"""What was learnt is said in sentences that do not say more than is known."""

import pytest

from ml_service.wire.contract import Best, Convergence, Interval, ParameterReport, RaterEffect, VarianceParts, Why
from web.domain.reports.report import BestStep
from web.domain.studies.experiment import Option
from web.pages.learning import words as wording


def best(rating: tuple[float, float, float], gain: tuple[float, float, float], sd: float = 0.0) -> Best:
    return Best(generator="local", point={}, rating=interval(*rating), gain=interval(*gain), sd=sd)


def interval(low: float, mean: float, high: float) -> Interval:
    return Interval(low=low, mean=mean, high=high)


def option(why: str, evidence: Why | None = None) -> Option:
    return Option("o", "e", "s", "i", 0, "local", "v", {}, 0, "ready", why, evidence=evidence)


@pytest.mark.parametrize(
    ("rating", "gain", "said"),
    [
        (
            (3.9, 4.15, 4.4),
            (0.5, 0.8, 1.1),
            "Between 3.9 and 4.4 stars: almost certainly better than the default, by 0.5 to 1.1.",
        ),
        (
            (2.7, 3.2, 3.7),
            (-0.2, 0.7, 1.6),
            "Between 2.7 and 3.7 stars: very likely better than the default, by 0.7, but up to 0.2 worse is possible.",
        ),
        (
            (3, 3.5, 4),
            (-0.5, 0, 0.5),
            "Between 3.0 and 4.0 stars: perhaps better than the default, by 0.0, but up to 0.5 worse is possible.",
        ),
        ((3, 3.5, 4), (0, 0, 0), "Between 3.0 and 4.0 stars: the default itself is the best that is known."),
        ((4, 4, 4), (0.31, 0.31, 0.31), "4.0 stars: almost certainly better than the default, by about 0.3."),
    ],
)
def test_the_best_settings_are_told_with_how_sure_they_are(
    rating: tuple[float, float, float], gain: tuple[float, float, float], said: str
) -> None:
    assert wording.best_rating(best(rating, gain)) == said


@pytest.mark.parametrize(
    ("probability", "said"),
    [(0, "0 %"), (0.001, "less than 1 %"), (0.5, "50 %"), (0.9999, "more than 99 %"), (1, "100 %")],
)
def test_nothing_uncertain_is_told_as_certain(probability: float, said: str) -> None:
    assert wording.percent(probability) == said


def test_a_goal_goes_by_the_rating_that_is_not_cut_to_the_scale() -> None:
    cut = best((4.4, 4.8, 5), (0.5, 0.8, 1.1), sd=0.4)
    assert wording.goal(cut, 4.8) == "The goal of 4.8 stars is 50 % sure to be reached."
    assert wording.exceeds(4, 0.5, 3) == pytest.approx(0.977, abs=0.001)
    assert wording.exceeds(4, 0, 3) == 1
    assert wording.above(interval(0.0, 1.96, 3.92), 0) == pytest.approx(0.975, abs=0.001)


@pytest.mark.parametrize(
    ("gain_left", "left", "advice"),
    [
        (0.01, "Next to nothing still to be had.", "Stop whenever you like"),
        (0.1, "About 0.1 star still to be had.", "You may stop soon"),
        (0.42, "About 0.4 stars still to be had.", "Go on"),
    ],
)
def test_what_is_left_leads_to_advice(gain_left: float, left: str, advice: str) -> None:
    found = Convergence(gain_left=gain_left, probability_near_best=0.6)
    assert wording.left(found) == left
    assert wording.advice(found) == advice
    assert "60 % sure" in wording.advice_means(found)


def test_without_a_convergence_there_is_no_advice_to_stop() -> None:
    assert wording.advice(None) == "Go on"
    assert "A few more ratings" in wording.left(None) + wording.advice_means(None)


@pytest.mark.parametrize(("mean", "said"), [(3.52, "stayed"), (3.9, "rose by 0.4"), (3.2, "fell by 0.3")])
def test_how_far_the_best_has_moved_lately(mean: float, said: str) -> None:
    steps = [BestStep(n, interval(3, rating, 4)) for n, rating in ((10, 2.0), (40, 3.5), (75, mean))]
    assert said in wording.lately(steps)
    assert "Over the last 35 ratings" in wording.lately(steps)
    assert wording.lately(steps[:1]) == wording.lately([]) == ""


def test_why_an_option_is_asked_is_said_with_what_spoke_for_it() -> None:
    known = Why(best=4.06, chance=0.22, rated=2, differs=("exposure", "style"))
    assert wording.why(option("explore")).startswith("Little is known around here")
    assert wording.evidence(option("explore", known)) == (
        "22 % likely to beat the best known then (4.1 ★). Differs from it in exposure and style. "
        "These settings had been rated twice."
    )
    same = Why(best=4.06, chance=0, rated=7, differs=())
    assert wording.evidence(option("reference", same)) == (
        "They are the best known settings. These settings had been rated 7 times."
    )
    assert wording.evidence(option("initial")) == ""


def test_every_reason_of_the_optimizer_has_its_words() -> None:
    assert all(wording.why(option(why)) for why in ("initial", "explore", "refine", "reference"))


def test_names_are_listed_as_in_a_sentence() -> None:
    assert wording.listed(()) == ""
    assert wording.listed(("a",)) == "a"
    assert wording.listed(("a", "b", "c")) == "a, b and c"
    assert wording.listed(("a", "b", "c", "d", "e")) == "a, b, c and 2 more"


def test_raters_differ_only_where_that_is_known() -> None:
    unsure = RaterEffect(rater="r", ratings=9, effect=interval(-0.1, 0.2, 0.5))
    sure = RaterEffect(rater="r", ratings=9, effect=interval(-0.9, -0.6, -0.3), scale=0.6)
    assert (wording.rater_level(unsure), wording.rater_spread(unsure)) == ("like the others", "like the others")
    assert (wording.rater_level(sure), wording.rater_spread(sure)) == ("stricter by 0.6", "more narrowly (× 0.6)")


def test_the_largest_part_of_the_variance_is_named() -> None:
    assert "who rates" in wording.varies(VarianceParts(setting=0.1, rater=0.5, item=0.1, luck=0.1, noise=0.1))
    assert wording.varies(VarianceParts(setting=0, rater=0, item=0, luck=0, noise=0)) == ""
    assert wording.varies(VarianceParts(setting=None, rater=None, item=None, luck=None, noise=0.4)) == ""
    parts = VarianceParts(setting=0.1, rater=None, item=0.2, luck=None, noise=0.1)
    assert "the photo" in wording.varies(parts)


def test_what_no_parameter_explains_alone_is_told() -> None:
    found = {name: ParameterReport(curve=(), importance=0.1, settled=0.5) for name in ("a", "b")}
    assert wording.unknown(found) == "Most of it is not known yet, or comes from several together."
    half = {name: one.model_copy(update={"importance": 0.35}) for name, one in found.items()}
    assert wording.unknown(half) == "30 % of it is not known yet, or comes from several together."
    assert wording.unknown({"a": ParameterReport(curve=(), importance=0.95, settled=0.5)}) == ""
