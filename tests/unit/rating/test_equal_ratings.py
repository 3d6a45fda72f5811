"""Equal ratings are no knowledge: what they tell is as unsure as whole stars are, and the same at each of the stars."""

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from ml_service.optimizer.suggest import diagnose
from ml_service.wire.contract import DiagnoseRequest, Diagnosis, Interval, Observation, Point
from tests.unit.ml.histories import BOWL, rated
from web.domain.rating.figures import Score
from web.domain.rating.numbers.agreement import alpha, icc, shared
from web.domain.rating.numbers.opinion import Sums, mean_interval, smooth
from web.domain.rating.numbers.panel import Panel, contenders, panel
from web.domain.rating.work import Given

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
STARS = (1.0, 2.0, 3.0, 4.0, 5.0)
STUDIES = ((1, 1), (3, 1), (30, 1), (200, 1), (1, 3), (10, 3), (1, 200), (40, 5))  # items, and raters of each
STEP = math.sqrt(1 / 12)  # stars: standard deviation of what a whole star leaves open, an even error of half a star


def narrowest(ratings: int) -> float:
    """Return half of the narrowest 95 % interval that so many whole stars allow."""
    return 1.95 * STEP / math.sqrt(ratings)


def reach(one: Interval) -> float:
    """Return how far an interval of stars reaches on the side that the ends of the scale do not cut."""
    return max(one.high - one.mean, one.mean - one.low)


def scored(one: Score) -> Interval:
    return Interval(mean=one.mean, low=one.low, high=one.high)


def judged(items: int, raters: int, star: float) -> Panel:
    pairs = [(item, rater) for item in range(items) for rater in range(raters)]
    return panel(
        [
            Given(f"rater {rater}", f"item {item}", "explore", star, NOON + timedelta(seconds=at), 2000)
            for at, (item, rater) in enumerate(pairs)
        ]
    )


def learnt(points: int, raters: int, star: float) -> Diagnosis:
    random, seen = np.random.default_rng(1), list[Observation]()
    for at in range(points):
        point: Point = {"x": float(random.uniform(-1, 1)), "y": float(random.uniform(-1, 1))}
        seen += [rated(point, at, star, f"rater {rater}", f"photo-{at % 8}") for rater in range(raters)]
    return diagnose(DiagnoseRequest(spaces={"local": BOWL}, seen=tuple(seen)))


def mirrored(one: Interval) -> tuple[float, float, float]:
    return 6 - one.mean, 6 - one.high, 6 - one.low


@pytest.mark.parametrize("star", STARS)
@pytest.mark.parametrize(("items", "raters"), STUDIES)
def test_no_figure_of_a_panel_is_surer_than_whole_stars_allow(items: int, raters: int, star: float) -> None:
    found, ratings = judged(items, raters, star), items * raters
    for one in found.contenders:
        assert one.score.mean == pytest.approx(star, abs=0.01)
        assert reach(scored(one.score)) >= narrowest(one.score.ratings)
        assert 1 <= one.score.low < one.score.high <= 5
    for rater in found.raters:
        assert rater.judge is not None
        assert reach(rater.judge.bias) >= narrowest(ratings)
        assert rater.judge.noise >= STEP
        assert reach(rater.judge.scale) >= 0.02
        assert (rater.noise is None) == (items == 1)
        assert rater.noise is None or rater.noise.high / rater.noise.low > 1 + 1 / math.sqrt(rater.ratings)
        assert all(reach(step.above) >= narrowest(step.ratings) for step in rater.levels)


@pytest.mark.parametrize("star", STARS)
@pytest.mark.parametrize(("items", "raters"), STUDIES)
def test_no_share_is_told_of_equal_ratings(items: int, raters: int, star: float) -> None:
    found = judged(items, raters, star)
    assert (found.agreement.alpha, found.agreement.icc, found.agreement.reliable) == (None, None, None)
    assert found.over_time == ()


@pytest.mark.parametrize("star", STARS)
def test_nobody_uses_the_stars_unlike_the_others_where_all_give_the_same(star: float) -> None:
    for items, raters in STUDIES:
        for one in judged(items, raters, star).raters:
            assert one.judge is not None
            assert one.judge.scale.low <= 1 <= one.judge.scale.high, (items, raters)


@pytest.mark.parametrize("count", [1, 2, 3, 30, 200])
def test_threes_and_fives_are_equally_sure(count: int) -> None:
    means = {star: mean_interval(Sums(count, star * count, star * star * count)) for star in STARS}
    for items, raters in ((count, 1), (1, count), (count, 2)):
        scores = {star: scored(judged(items, raters, star).contenders[0].score) for star in STARS}
        bounds = [scores, means] if items == 1 else [scores]
        for told in bounds:
            assert mirrored(told[5.0]) == pytest.approx((told[1.0].mean, told[1.0].low, told[1.0].high), abs=1e-6)
            assert min(reach(told[5.0]), 2) == pytest.approx(min(reach(told[3.0]), 2), rel=0.02)


@pytest.mark.parametrize("star", STARS)
@pytest.mark.parametrize("count", [1, 2, 3, 10, 200])
def test_means_and_the_trend_are_no_surer_than_whole_stars_allow(count: int, star: float) -> None:
    every = mean_interval(Sums(count, star * count, star * star * count))
    steps = smooth([(NOON + timedelta(days=at), Sums(1, star, star * star)) for at in range(count)])
    at_once = smooth([(NOON, Sums(count, star * count, star * star * count))])[0].smooth
    for one in (every, at_once, steps[-1].smooth):
        assert one.mean == pytest.approx(star)
        assert reach(one) >= min(narrowest(count), 2)
    assert (steps[0].smooth.low, steps[0].smooth.high) == (1, 5)


@pytest.mark.parametrize("star", STARS)
@pytest.mark.parametrize(("points", "raters"), [(1, 3), (4, 1), (10, 3), (50, 4)])
def test_what_is_learnt_is_no_surer_than_whole_stars_allow(points: int, raters: int, star: float) -> None:
    found = learnt(points, raters, star)
    assert found.best is not None
    told = [found.best.rating, *(at.rating for one in found.parameters.values() for at in one.curve)]
    for one in told:
        assert 1 <= one.low < one.high <= 5
        assert reach(one) >= narrowest(points * raters)
    assert found.best.sd >= STEP / math.sqrt(points * raters)
    assert all(one.noise >= STEP and reach(one.effect) >= narrowest(points * raters) for one in found.raters)
    assert found.variance is None
    assert (found.convergence is None) == (points == 1)


def test_the_best_settings_of_fives_are_as_sure_as_those_of_ones() -> None:
    found = (learnt(50, 4, star).best for star in (5.0, 1.0, 3.0))
    five, one, three = (reach(best.rating) for best in found if best)
    assert five == pytest.approx(three, rel=0.3)
    assert one == pytest.approx(three, rel=0.3)


@pytest.mark.parametrize("items", [2, 3, 10, 100])
def test_few_items_on_which_all_agree_do_not_make_agreement_certain(items: int) -> None:
    stars = [float(item % 5 + 1) for item in range(items) for _ in range(2)]
    each = np.repeat(np.arange(items), 2)
    given = shared(each, np.tile([0, 1], items), np.array(stars))
    for measure in (alpha, icc):
        found = measure(given)
        assert found is not None
        assert found.mean == pytest.approx(1)
        assert found.low < 1 - 0.1 / items


def test_what_the_scale_cuts_is_no_surer_to_be_the_best() -> None:
    even = [Score("x", 3, 2.5, 3.5, 9), Score("y", 2.9, 2.4, 3.4, 9)]
    high = [Score("x", 5, 4.5, 5, 9), Score("y", 4.9, 4.4, 5, 9)]
    assert contenders(high)[0].best == pytest.approx(contenders(even)[0].best, abs=0.02)


def test_the_best_of_many_draws_is_not_told_as_certain() -> None:
    apart = contenders([Score("x", 4.9, 4.8, 5, 90), Score("y", 1.1, 1, 1.2, 90)])
    assert 0 < apart[1].best < 0.001
    assert 0.999 < apart[0].best < 1


def test_the_noise_of_one_rating_is_not_told() -> None:
    for star in STARS:
        assert judged(1, 1, star).raters[0].noise is None
