"""Whether raters agree is told from each rater's own mean: the more raters and the closer they are, the surer."""

from statistics import NormalDist

import pytest
from scipy.stats import t as students_t

from web.domain.abtests.liking import Liking, liking, needed, t_quantile


def pairs_of(*means: float, many: int = 10) -> list[dict[str, float]]:
    """Return pairs in which raters in turn see differences a star to both sides of their means."""
    return [{f"rater {at}": mean + (1 if turn % 2 else -1)} for turn in range(many) for at, mean in enumerate(means)]


@pytest.mark.parametrize("freedom", [23, 27, 60])
@pytest.mark.parametrize("chance", [0.1, 0.04, 0.0133, 1e-3, 1e-5])
def test_the_expansion_is_students_quantile(chance: float, freedom: int) -> None:
    assert t_quantile(1 - chance, freedom) == pytest.approx(students_t.ppf(1 - chance, freedom), abs=1e-3)


def test_nothing_is_said_of_others_by_fewer_than_four() -> None:
    assert liking([]) == Liking()
    assert liking(pairs_of(1.0, 1.0, 1.0)) == Liking()
    assert liking([*pairs_of(1.0, 1.0, 1.0), {}]) == Liking()
    assert liking(pairs_of(1.0, 1.0, 1.0, 1.0)).needed > 1.5


def test_raters_who_agree_say_more_than_one_who_is_delighted() -> None:
    alike, apart = liking(pairs_of(0.6, 0.6, 0.6, 0.6)), liking(pairs_of(2.4, 0.0, 0.0, 0.0))
    assert alike.across > alike.needed > apart.across > 0
    assert liking(pairs_of(-0.6, -0.6, -0.6, -0.6)).across == pytest.approx(-alike.across)


def test_more_raters_say_more_and_more_pairs_of_the_same_raters_only_so_much() -> None:
    four, eight = liking(pairs_of(*[0.3] * 4, many=20)), liking(pairs_of(*[0.3] * 8, many=10))
    assert eight.across > four.across
    ever = liking(pairs_of(*[0.3] * 4, many=2000))
    assert ever.across == pytest.approx(0.3 / 0.35 * 2 * (23 / 20) ** 0.5, rel=0.01)


def test_a_rater_of_a_single_pair_counts_for_little() -> None:
    pairs = pairs_of(0.5, 0.5, 0.5, 0.5, many=20)
    before, after = liking(pairs), liking([*pairs, {"one more": -1.0}])
    assert 0.8 * before.across < after.across < before.across


def test_pictures_that_were_the_same_count_for_nobody() -> None:
    pairs = pairs_of(0.5, 0.5, 0.5, 0.5)
    assert liking([*pairs, {}, {}]) == liking(pairs)


def test_raters_who_judge_the_same_pairs_share_their_luck() -> None:
    apart = pairs_of(0.5, 0.5, 0.5, 0.5)
    at_once = [{rater: stars for one in apart[at : at + 4] for rater, stars in one.items()} for at in range(0, 40, 4)]
    assert liking(at_once).across < liking(apart).across


def test_eight_raters_are_held_to_more_than_four_and_a_higher_threshold_asks_more_of_all() -> None:
    assert needed(8) > needed(4) > NormalDist().inv_cdf(1 - 1.25 / 20)
    assert needed(8, 60) > needed(8)
