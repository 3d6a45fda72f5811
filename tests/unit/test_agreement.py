"""Agreement has its textbook values, and is missing where nothing can be said."""

import numpy as np
import pytest

from web.domain.agreement import alpha, icc, reliability, repeat_sd, self_consistency
from web.domain.scores import OpinionScores, opinion_scores

# Krippendorff's worked example of three observers with missing data: ordinal alpha is .807.
OBSERVED = {
    "a": "* * * * * 3 4 1 2 1 1 3 3 * 3",
    "b": "1 * 2 1 3 3 4 3 * * * * * * *",
    "c": "* * 2 1 3 4 4 * 2 1 1 3 3 * 4",
}


def rows(observed: dict[str, str]) -> tuple[list[str], list[str], list[float]]:
    given = [
        (str(item), rater, float(star))
        for rater, stars in observed.items()
        for item, star in enumerate(stars.split())
        if star != "*"
    ]
    return [one[0] for one in given], [one[1] for one in given], [one[2] for one in given]


def test_alpha_has_the_value_of_the_worked_example() -> None:
    assert alpha(*rows(OBSERVED)) == pytest.approx(0.807, abs=0.0005)


def test_alpha_is_one_where_all_agree_near_zero_by_chance_and_below_where_they_contradict() -> None:
    luck = np.random.default_rng(2)
    agreed = " ".join(map(str, luck.integers(1, 6, 400)))
    assert alpha(*rows({"a": agreed, "b": agreed})) == pytest.approx(1)
    by_chance = {rater: " ".join(map(str, luck.integers(1, 6, 400))) for rater in "abc"}
    assert alpha(*rows(by_chance)) == pytest.approx(0, abs=0.1)
    assert (alpha(*rows({"a": "1 5 1 5 1", "b": "5 1 5 1 5"})) or 0) < -0.5


def test_a_near_miss_disagrees_less_than_a_far_one() -> None:
    base = "1 2 3 4 5 1 2 3 4 5"
    near, far = (alpha(*rows({"a": base, "b": other})) for other in ("1 2 3 4 4 1 2 3 4 5", "1 2 3 4 1 1 2 3 4 5"))
    assert near is not None
    assert far is not None
    assert near > far


def test_alpha_is_missing_where_nothing_is_shared_or_all_is_equal() -> None:
    assert alpha([], [], []) is None
    assert alpha(["x", "y"], ["a", "b"], [1, 5]) is None
    assert alpha(["x", "x"], ["a", "b"], [3, 3]) is None


def test_a_rater_s_repeats_are_no_agreement_with_others() -> None:
    assert alpha(["x", "x", "y", "y"], ["a", "a", "b", "b"], [1, 1, 5, 5]) is None
    items, raters, stars = rows(OBSERVED)
    assert alpha([*items, items[0]], [*raters, raters[0]], [*stars, stars[0]]) == alpha(items, raters, stars)


def test_the_shares_of_variance_make_the_correlation_and_what_more_ratings_give() -> None:
    found = OpinionScores(spread=0.8, bias_spread=0.4, noise=0.6)
    assert icc(found) == pytest.approx(0.64 / (0.64 + 0.16 + 0.36))
    assert reliability(found, 1) == pytest.approx(0.64 / (0.64 + 0.36))
    assert reliability(found, 9) == pytest.approx(0.64 / (0.64 + 0.04))
    assert (icc(OpinionScores()), reliability(OpinionScores(), 3)) == (None, None)


def test_the_correlation_is_found_in_ratings_of_which_it_is_known() -> None:
    luck = np.random.default_rng(4)
    quality, level = luck.normal(3, 0.8, 150), luck.normal(0, 0.4, 30)
    given = [(item, rater) for item in range(150) for rater in luck.permutation(30)[:10]]
    stars = [float(quality[item] + level[rater] + luck.normal(0, 0.6)) for item, rater in given]
    found = opinion_scores([str(item) for item, _ in given], [str(rater) for _, rater in given], stars)
    assert icc(found) == pytest.approx(0.64 / (0.64 + 0.16 + 0.36), abs=0.08)


def test_repeats_tell_how_exact_raters_are() -> None:
    luck = np.random.default_rng(6)
    true = luck.normal(3, 1, 4000)
    pairs = [(float(a), float(b)) for a, b in zip(*(true + luck.normal(0, 0.5, (2, 4000))), strict=True)]
    assert repeat_sd(pairs) == pytest.approx(0.5, abs=0.02)
    assert repeat_sd([(1, 2)]) is None
    assert self_consistency([(1, 2), (1, 3), (5, 5), (4, 1)]) == 0.5
    assert self_consistency([]) is None
