"""Two signs flag the careless, one alone hardly anybody; who rates by the pictures is left in peace, in any manner."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from web.domain.rating.numbers.conduct import FAR, LEAST, Signals, correlation, drift, flags, scatter, signs

LUCK = np.random.default_rng(11)
EXPECTED = tuple(LUCK.normal(3, 0.7, 60).tolist())
USUAL: dict[str, Any] = {
    "usual_correlation": 0.6,
    "usual_scatter": 0.6,
    "usual_dwell_ms": 2500.0,
    "usual_shares": (0.05, 0.2, 0.4, 0.25, 0.1),
}


def rater(stars: list[float], **more: Any) -> Signals:
    return replace(
        Signals("anna", tuple(stars), EXPECTED[: len(stars)], dwell_ms=(2400,) * len(stars)), **(USUAL | more)
    )


def follows(scale: float = 1.0, level: float = 0.0, noise: float = 0.5) -> list[float]:
    luck = np.random.default_rng(12)
    return [float(np.clip(round(3 + scale * (x - 3) + level + luck.normal(0, noise)), 1, 5)) for x in EXPECTED]


def clicks() -> list[float]:
    return [float(star) for star in np.random.default_rng(13).integers(1, 6, 60)]


def shuffled() -> list[float]:
    return [float(star) for star in np.random.default_rng(1).permutation(follows())]


def names(signals: Signals) -> set[str]:
    return {flag.name for flag in flags(signals)}


def test_a_careful_rater_is_not_flagged_however_mild_strict_or_sparing_of_the_ends() -> None:
    for stars in (follows(), follows(level=0.7), follows(level=-0.7), follows(scale=0.5, noise=0.4)):
        assert signs(rater(stars, golds=13, gold_misses=1, repeats=3, repeat_misses=0)) == ()


def test_one_sign_alone_flags_nobody_where_others_agree_on_little() -> None:
    alone = rater(shuffled(), usual_correlation=0.34)
    assert [flag.name for flag in signs(alone)] == ["unrelated"]
    assert flags(alone) == ()
    assert [flag.name for flag in signs(rater(follows(noise=1.6)))] == ["scattered"]
    assert flags(rater(follows(), dwell_ms=(500,) * 60)) == ()


def test_stars_that_clearly_have_nothing_to_do_with_the_pictures_need_no_second_sign() -> None:
    assert names(rater(shuffled())) == {"unrelated"}
    few = rater(shuffled()[:24], usual_correlation=0.5)
    assert [flag.name for flag in signs(few)] == ["unrelated"]
    assert flags(few) == ()


def test_who_follows_the_pictures_is_not_accused_of_a_manner() -> None:
    order = np.argsort(EXPECTED)
    expected = tuple(np.array(EXPECTED)[order].tolist())
    in_rows = tuple(np.array(follows(noise=0.1))[order].tolist())
    quick = replace(rater(list(in_rows), dwell_ms=(500,) * 60), expected=expected)
    assert {flag.name for flag in signs(quick)} == {"long_run", "too_quick"}
    assert flags(quick) == ()
    assert {"long_run", "too_quick"} <= names(replace(quick, stars=in_rows[30:] + in_rows[:30]))


def test_who_clicks_anything_strays_too_far_from_what_others_see() -> None:
    assert names(rater(clicks())) == {"unrelated", "scattered"}


def test_who_clicks_the_middle_is_flagged_by_time_or_by_checks() -> None:
    middle = [min(max(star, 2.0), 4.0) for star in np.random.default_rng(5).permutation(clicks()).tolist()]
    assert names(rater(middle, dwell_ms=(500,) * 60)) == {"unrelated", "too_quick"}
    assert names(rater(middle, golds=13, gold_misses=6)) == {"unrelated", "checks_missed"}
    assert names(rater(middle, golds=3, gold_misses=2, repeats=3, repeat_misses=2)) == {"unrelated", "checks_missed"}


def test_who_tells_known_answers_apart_misses_them_by_their_scale() -> None:
    middle = [min(max(star, 2.0), 4.0) for star in np.random.default_rng(5).permutation(clicks()).tolist()]
    assert names(rater(middle, golds=13, gold_misses=6, gold_correlation=0.3)) == {"unrelated", "checks_missed"}
    assert names(rater(middle, golds=13, gold_misses=6, gold_correlation=0.8)) == {"unrelated"}


def test_scatter_is_about_what_is_expected_by_the_rater_s_own_level_and_scale() -> None:
    exact = [3 + 0.5 * (one - 3) + 0.7 for one in EXPECTED]
    assert scatter(exact, EXPECTED) == pytest.approx(0)
    assert scatter([4.0, 4.0, 4.0], [1, 2, 3]) == 0
    assert scatter([4.0], [3.0]) is None
    strays = next(flag for flag in signs(rater(clicks())) if flag.name == "scattered")
    assert (strays.value > strays.limit, strays.limit) == (True, FAR)


def test_who_always_gives_the_same_is_flagged() -> None:
    assert names(rater([4.0] * 60)) == {"same_stars", "long_run", "unrelated"}
    assert {"same_stars", "long_run"} <= names(rater([4.0] * 56 + [3.0, 5.0, 3.0, 5.0]))


def test_giving_all_five_is_no_sign_where_all_is_good() -> None:
    good = {"usual_shares": (0.0, 0.0, 0.01, 0.02, 0.97), "usual_correlation": 0.1}
    assert signs(rater([5.0] * 60, **good)) == ()


def test_a_flag_tells_the_value_and_the_limit_that_it_passed() -> None:
    quick = next(flag for flag in flags(rater(clicks(), dwell_ms=(500,) * 60)) if flag.name == "too_quick")
    assert (quick.rater, quick.value, quick.limit) == ("anna", 500, 1250)
    missed = flags(rater(clicks(), golds=13, gold_misses=6))[-1]
    assert missed.value == pytest.approx(6 / 13)
    assert "6 of 13" in missed.words


def test_a_miss_or_two_of_many_checks_are_nothing() -> None:
    for checks in (
        {"golds": 1, "gold_misses": 1},
        {"golds": 13, "gold_misses": 3},
        {"golds": 13, "gold_misses": 2, "repeats": 6, "repeat_misses": 2},
    ):
        assert signs(rater(follows(), **checks)) == ()


def test_little_is_known_of_few_ratings_and_of_one_who_rates_alone() -> None:
    few = rater(clicks()[: LEAST - 1], dwell_ms=(100,) * (LEAST - 1))
    assert signs(few) == ()
    alone: dict[str, Any] = {"usual_correlation": None, "usual_scatter": None}
    assert signs(rater(clicks(), usual_dwell_ms=None, **alone)) == ()
    assert signs(rater(clicks(), dwell_ms=(0,) * 60, **alone)) == ()


def test_correlation_is_missing_where_one_side_never_changes() -> None:
    assert correlation([3, 3, 3], [1, 2, 3]) is None
    assert correlation([1, 2], [1, 2]) is None
    assert correlation([1, 2, 3], [2, 3, 4]) == pytest.approx(1)


def test_a_level_that_moves_is_found_soon_and_either_way() -> None:
    steady = np.random.default_rng(14).normal(0, 0.6, 200)
    for by in (0.9, -0.9):
        moved = steady + by * (np.arange(200) >= 100)
        found = drift(moved.tolist(), 0.6)
        assert found is not None
        assert found.since == pytest.approx(100, abs=8)
        assert found.by == pytest.approx(by, abs=0.4)
        assert drift(moved[:140].tolist(), 0.6) == found


def test_a_level_that_holds_raises_no_alarm_in_thousands_of_ratings() -> None:
    luck = np.random.default_rng(15)
    assert [drift(luck.normal(0, 0.6, 2000).tolist(), 0.6) for _ in range(4)] == [None] * 4
    assert drift([], 0.6) is None
