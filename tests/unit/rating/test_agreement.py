"""Agreement has its textbook values, and is missing where nothing can be said."""

import time

import numpy as np
import pytest
from numpy.typing import NDArray

from ml_service.wire.contract import Interval
from web.domain.rating.numbers.agreement import alpha, icc, reliability, repeat_sd, shared
from web.domain.rating.numbers.scores import OpinionScores, numbered

# Krippendorff's worked example of three observers with missing data: ordinal alpha is .807.
OBSERVED = {
    "a": "* * * * * 3 4 1 2 1 1 3 3 * 3",
    "b": "1 * 2 1 3 3 4 3 * * * * * * *",
    "c": "* * 2 1 3 4 4 * 2 1 1 3 3 * 4",
}


def counts(items: list[str], raters: list[str], stars: list[float]) -> NDArray[np.float64]:
    return shared(numbered(items)[1], numbered(raters)[1], np.array(stars, dtype=float))


def agreed(items: list[str], raters: list[str], stars: list[float]) -> Interval:
    found = alpha(counts(items, raters, stars))
    assert found is not None
    return found


def rows(observed: dict[str, str]) -> tuple[list[str], list[str], list[float]]:
    given = [
        (str(item), rater, float(star))
        for rater, stars in observed.items()
        for item, star in enumerate(stars.split())
        if star != "*"
    ]
    return [one[0] for one in given], [one[1] for one in given], [one[2] for one in given]


def rated(items: int, raters: int, each: int, seed: int) -> tuple[list[str], list[str], list[float]]:
    luck = np.random.default_rng(seed)
    quality, level = luck.normal(3, 0.8, items), luck.normal(0, 0.4, raters)
    given = [(item, rater) for item in range(items) for rater in luck.permutation(raters)[:each]]
    stars = [float(np.rint(quality[item] + level[rater] + luck.normal(0, 0.6)).clip(1, 5)) for item, rater in given]
    return [str(item) for item, _ in given], [str(rater) for _, rater in given], stars


def test_alpha_has_the_value_of_the_worked_example() -> None:
    assert agreed(*rows(OBSERVED)).mean == pytest.approx(0.807, abs=0.0005)


def test_alpha_is_one_where_all_agree_near_zero_by_chance_and_below_where_they_contradict() -> None:
    luck = np.random.default_rng(2)
    same = " ".join(map(str, luck.integers(1, 6, 400)))
    assert agreed(*rows({"a": same, "b": same})).mean == pytest.approx(1)
    by_chance = agreed(*rows({rater: " ".join(map(str, luck.integers(1, 6, 400))) for rater in "abc"}))
    assert by_chance.mean == pytest.approx(0, abs=0.1)
    assert by_chance.low < 0 < by_chance.high
    assert agreed(*rows({"a": "1 5 1 5 1", "b": "5 1 5 1 5"})).mean < -0.5


def test_a_near_miss_disagrees_less_than_a_far_one() -> None:
    base = "1 2 3 4 5 1 2 3 4 5"
    near, far = (agreed(*rows({"a": base, "b": other})) for other in ("1 2 3 4 4 1 2 3 4 5", "1 2 3 4 1 1 2 3 4 5"))
    assert near.mean > far.mean


def test_agreement_is_missing_where_nothing_is_shared_or_all_is_equal() -> None:
    for nothing in (
        counts([], [], []),
        counts(["x", "y"], ["a", "b"], [1, 5]),
        counts(["x", "x", "y", "y"], ["a", "b"] * 2, [3, 3, 3, 3]),
    ):
        assert (alpha(nothing), icc(nothing)) == (None, None)
    two = counts(["x", "x", "y", "y"], ["a", "b"] * 2, [3, 3, 4, 4])
    assert [one and one.mean for one in (alpha(two), icc(two))] == [1, 1]


def test_a_rater_s_repeats_are_no_agreement_with_others() -> None:
    assert alpha(counts(["x", "x", "y", "y"], ["a", "a", "b", "b"], [1, 1, 5, 5])) is None
    items, raters, stars = rows(OBSERVED)
    changed = agreed([*items, items[0]], [*raters, raters[0]], [*stars, 5])
    last = agreed(items, raters, [5, *stars[1:]])
    assert changed.mean == pytest.approx(last.mean)


def test_leaving_items_out_by_sums_is_leaving_them_out() -> None:
    everything = counts(*rated(30, 8, 3, 5))
    for measure, least in ((alpha, -1.0), (icc, 0.0)):
        whole = measure(everything)
        left = [measure(np.delete(everything, item, axis=0)) for item in range(30)]
        values = np.array([one.mean for one in left if one])
        assert whole is not None
        half = 2.045 * np.sqrt(29 * values.var())
        assert (whole.low, whole.high) == pytest.approx((max(whole.mean - half, least), whole.mean + half), abs=0.001)


def test_intervals_hold_what_far_more_items_show() -> None:
    many, few = counts(*rated(4000, 40, 4, 1)), [counts(*rated(60, 40, 4, seed)) for seed in range(2, 42)]
    for measure in (alpha, icc):
        true = measure(many)
        assert true is not None
        told = [one for one in map(measure, few) if one]
        assert len(told) == 40
        assert sum(one.low <= true.mean <= one.high for one in told) >= 34


def test_fifteen_thousand_ratings_take_milliseconds() -> None:
    everything = counts(*rated(1250, 60, 12, 3))
    took = []
    for _ in range(5):
        began = time.process_time()
        alpha(everything)
        took.append(time.process_time() - began)
    assert min(took) < 0.05


def test_the_shares_of_variance_make_what_more_ratings_give() -> None:
    found = OpinionScores(spread=0.8, bias_spread=0.4, noise=0.6)
    assert reliability(found, 1) == pytest.approx(0.64 / (0.64 + 0.36))
    assert reliability(found, 9) == pytest.approx(0.64 / (0.64 + 0.04))
    assert reliability(OpinionScores(), 3) is None


def test_the_correlation_is_found_in_ratings_of_which_it_is_known() -> None:
    found = icc(counts(*rated(400, 60, 10, 4)))
    assert found is not None
    assert found.low < 0.64 / (0.64 + 0.16 + 0.36 + 1 / 12) < found.high
    assert found.high - found.low < 0.12


def test_repeats_tell_how_exact_raters_are() -> None:
    luck = np.random.default_rng(6)
    true = luck.normal(3, 1, 4000)
    pairs = [(float(a), float(b)) for a, b in zip(*(true + luck.normal(0, 0.5, (2, 4000))), strict=True)]
    assert repeat_sd(pairs) == pytest.approx(0.5, abs=0.02)
    assert repeat_sd([(1, 2)]) is None
