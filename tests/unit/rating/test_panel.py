"""The raters of a study seen together, where it is known what each of them is like."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from web.domain.rating.figures import RaterFigures, Score, Share
from web.domain.rating.gold import Gold
from web.domain.rating.numbers.panel import Panel, contenders, panel
from web.domain.rating.numbers.usual import repeats
from web.domain.rating.work import Given

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
Rater = Callable[[float, np.random.Generator], float]


def honest(level: float = 0.0, noise: float = 0.5) -> Rater:
    return lambda quality, luck: float(np.clip(round(quality + level + luck.normal(0, noise)), 1, 5))


def clicker(_: float, luck: np.random.Generator) -> float:
    return float(luck.integers(1, 6))


def rated(raters: dict[str, Rater], items: int = 80, seen_ms: dict[str, int] | None = None) -> list[Given]:
    """Have every rater score every item, one after the other."""
    luck = np.random.default_rng(3)
    quality = luck.normal(3, 0.9, items)
    return [
        Given(
            name,
            f"item {item:03}",
            "explore",
            rater(quality[item], luck),
            START + timedelta(minutes=item, seconds=number),
            (seen_ms or {}).get(name, 3000),
        )
        for item in range(items)
        for number, (name, rater) in enumerate(raters.items())
    ]


CARELESS = {"anna": honest(0.4), "bob": honest(-0.4), "carla": honest(), "eve": clicker}
FOUND = panel(rated(CARELESS, seen_ms={"eve": 400}))


def of(found: Panel, rater: str) -> RaterFigures:
    return next(one for one in found.raters if one.rater == rater)


def test_levels_and_noise_are_told_with_their_intervals() -> None:
    for name, level in (("anna", 0.4), ("bob", -0.4), ("carla", 0.0)):
        one = of(FOUND, name)
        assert one.judge is not None
        assert one.noise is not None
        assert one.judge.bias.low < level < one.judge.bias.high
        assert one.noise.low < one.noise.mean < one.noise.high


def test_the_careless_are_noisier() -> None:
    noise = {one.rater: one.noise for one in FOUND.raters if one.noise}
    assert noise["eve"].low > max(noise[name].mean for name in ("anna", "bob", "carla"))


def test_who_clicks_anything_in_no_time_is_flagged_and_nobody_else() -> None:
    assert {one.rater: {flag.name for flag in one.flags} for one in FOUND.raters if one.flags} == {
        "eve": {"unrelated", "scattered", "too_quick"}
    }


def test_a_flag_is_about_what_was_rated_since_the_rater_was_calibrated() -> None:
    later = {"eve": START + timedelta(minutes=70)}
    assert of(panel(rated(CARELESS, seen_ms={"eve": 400}), later), "eve").flags == ()


def test_a_level_that_moves_is_found_where_it_moves() -> None:
    given = rated({"anna": honest(), "bob": honest(), "carla": honest()})
    half = START + timedelta(minutes=40)
    moved = [
        replace(one, score=max(one.score - 2, 1.0)) if one.rater == "bob" and one.at >= half else one for one in given
    ]
    assert {one.rater for one in panel(given).raters if one.drift} == set()
    found = of(panel(moved), "bob")
    assert found.drift is not None
    assert len(found.levels) == 80
    assert found.levels[79].above.high < found.levels[39].above.low
    assert of(panel(moved, {"bob": half}), "bob").drift is None


def test_the_level_of_who_rates_much_is_told_at_few_moments() -> None:
    levels = of(panel(rated({"anna": honest(), "bob": honest()}, items=450)), "anna").levels
    assert len(levels) == 150
    assert (levels[0].ratings, levels[-1].ratings) == (3, 450)


def test_checks_score_no_item_and_items_score_no_check() -> None:
    gold = Gold("g", "e", "s", 1, 2, "degraded", START)
    checks = [
        Given("anna", "spoilt", "gold", score, START + timedelta(days=1), 3000, gold=gold) for score in (1.0, 3.0, 4.0)
    ]
    found = panel([*rated(CARELESS), *checks])
    assert of(found, "anna").checks == Share(2, 3)
    assert "spoilt" not in {one.score.item for one in found.contenders}
    assert of(found, "anna").ratings == 83


def test_who_heeds_the_checks_and_clicks_through_the_rest_is_flagged() -> None:
    golds = [Gold(str(at), "e", "s", low, low + 1, "degraded", START) for at, low in enumerate([1, 4, 1, 4, 1, 4] * 5)]
    checks = [
        Given("eve", gold.id, "gold", gold.low, START + timedelta(days=1, minutes=at), 3000, gold=gold)
        for at, gold in enumerate(golds)
    ]
    found = of(panel([*rated(CARELESS), *checks]), "eve")
    assert found.checks == Share(30, 30)
    assert {flag.name for flag in found.flags} == {"unrelated", "scattered"}


def test_whoever_is_excluded_moves_no_score_and_still_shows_their_own() -> None:
    without = rated({name: CARELESS[name] for name in ("anna", "bob", "carla")})
    spoilt = [*without, *(replace(one, rater="eve", score=6 - one.score, counts=False) for one in without[::3])]
    spoilt.sort(key=lambda one: one.at)
    found = panel(spoilt)
    assert found.contenders == panel(without).contenders
    assert of(found, "eve").judge is None
    assert len(of(found, "eve").levels) == of(found, "eve").ratings == 80


def test_agreement_is_told_with_its_interval_and_over_time() -> None:
    agreed, mixed = panel(rated({"a": honest(), "b": honest(), "c": honest()})), FOUND
    assert agreed.agreement.alpha is not None
    assert mixed.agreement.alpha is not None
    assert mixed.agreement.alpha.high < agreed.agreement.alpha.mean
    assert [step.ratings for step in agreed.over_time] == list(range(20, 241, 20))
    for widths in (
        [step.alpha.high - step.alpha.low for step in agreed.over_time],
        [step.icc.high - step.icc.low for step in agreed.over_time],
    ):
        assert widths[-1] < widths[0]
    assert (agreed.agreement.alpha, agreed.agreement.icc) == (agreed.over_time[-1].alpha, agreed.over_time[-1].icc)
    assert agreed.agreement.per_item == 3


def test_repeats_are_the_same_output_rated_again_as_a_repeat() -> None:
    first = Given("anna", "one", "explore", 4, START, 0)
    again = [replace(first, kind="repeat", score=score, at=START + timedelta(hours=1)) for score in (3.0, 5.0)]
    assert repeats([first, *again, replace(first, rater="bob", kind="repeat")]) == [(4, 3.0), (4, 5.0), (4, 4)]


def test_the_best_is_as_likely_as_its_lead_is_sure() -> None:
    found = contenders([Score("a", 4, 3, 5, 3), Score("b", 4, 3, 5, 3), Score("c", 2, 1.8, 2.2, 9)])
    assert {one.score.item: one.best for one in found} == pytest.approx({"a": 0.5, "b": 0.5, "c": 0}, abs=0.05)
    assert contenders([]) == ()


def test_few_checks_leave_all_open() -> None:
    assert (Share(0, 0).interval.low, Share(0, 0).interval.high) == (0, 1)
    assert Share(3, 3).interval.low < 0.5
    assert Share(300, 300).interval.low > 0.98


def test_nobody_is_a_panel_too() -> None:
    assert panel([]) == Panel()
