"""Opinion scores come near what is true of items and raters, say how sure they are, and bear little data."""

import time
from collections.abc import Sequence

import numpy as np
import pytest
from scipy.stats import spearmanr

from web.domain.rating.figures import Score
from web.domain.rating.numbers.probit import ordinal_scores, turned
from web.domain.rating.numbers.scores import OpinionScores, opinion_scores

Rows = list[tuple[str, str, float]]


def scored(rows: Rows, repeat_sd: float | None = None) -> OpinionScores:
    return opinion_scores(*columns(rows), repeat_sd=repeat_sd)


def columns(rows: Rows) -> tuple[list[str], list[str], list[float]]:
    return [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]


def study(
    levels: Sequence[float], scales: Sequence[float], noise: float = 0.5, items: int = 150, each: int = 3, seed: int = 1
) -> tuple[Rows, dict[str, float]]:
    luck = np.random.default_rng(seed)
    quality = luck.normal(3, 0.8, items)
    rows = [
        (f"item {item}", f"rater {rater}", float(3 + scales[rater] * (quality[item] - 3) + levels[rater] + error))
        for item in range(items)
        for rater, error in zip(luck.permutation(len(levels))[:each], luck.normal(0, noise, each), strict=True)
    ]
    return rows, {f"item {item}": float(value) for item, value in enumerate(quality)}


def test_scores_are_near_the_truth_and_their_intervals_hold_it() -> None:
    held, ranks = [], []
    for seed in range(8):
        levels = np.random.default_rng(seed).normal(0, 0.4, 10)
        rows, true = study(levels.tolist(), [1.0] * 10, seed=seed)
        found = scored(rows).scores
        held += [one.low <= true[one.item] <= one.high for one in found]
        ranks.append(spearmanr([one.mean for one in found], [true[one.item] for one in found])[0])
    assert 0.9 < np.mean(held) < 0.985
    assert min(ranks) > 0.85


def test_a_harsh_rater_makes_no_item_worse() -> None:
    rows = [(f"item {n}", rater, 4.0 - (rater == "harsh")) for n in range(20) for rater in ("mild", "harsh")]
    rows += [("seen by the harsh", "harsh", 3.0), ("seen by the mild", "mild", 4.0)]
    means = {one.item: one.mean for one in scored(rows).scores}
    assert means["seen by the harsh"] == pytest.approx(means["seen by the mild"], abs=0.1)


def test_levels_scales_and_noise_of_raters_are_found() -> None:
    rows, _ = study([0.6, -0.6, 0, 0, 0, 0], [1, 1, 0.4, 1, 1, 1], items=300)
    luck = np.random.default_rng(5)
    rows = [(item, rater, star + luck.normal(0, 1.2) * (rater == "rater 5")) for item, rater, star in rows]
    found = {one.rater: one for one in scored(rows).judges}
    assert found["rater 0"].bias.low < 0.6 < found["rater 0"].bias.high
    assert found["rater 1"].bias.low < -0.6 < found["rater 1"].bias.high
    assert found["rater 2"].scale.high < 0.75
    assert found["rater 3"].scale.low > 0.75
    assert found["rater 5"].noise > 1.5 * found["rater 3"].noise
    assert {one.ratings for one in found.values()} == {row_count(rows, name) for name in found}


def row_count(rows: Rows, rater: str) -> int:
    return sum(row[1] == rater for row in rows)


def test_whoever_always_clicks_the_same_moves_no_score() -> None:
    rows, true = study([0.0] * 6, [1.0] * 6, items=200)
    with_clicks = [*rows, *((f"item {n}", "same", 3.0) for n in range(200))]
    alone = {one.item: one.mean for one in scored(rows).scores}
    apart = [one.mean - alone[one.item] for one in scored(with_clicks).scores]
    assert np.std(apart) < 0.08
    assert np.std(list(true.values())) > 0.7


def test_few_ratings_are_never_sure() -> None:
    one = scored([("a", "anna", 5.0)]).scores[0]
    assert (one.item, one.ratings) == ("a", 1)
    assert one.high - one.low > 1.5
    same = scored([(f"item {n}", "anna", 4.0) for n in range(3)])
    assert all(score.high - score.low > 1 for score in same.scores)
    assert all(1 <= score.low <= score.mean <= score.high <= 5 for score in same.scores)
    assert same.judges[0].bias.high - same.judges[0].bias.low > 0.5


def test_nothing_rated_is_nothing_scored() -> None:
    assert scored([]) == OpinionScores()


def test_saying_the_same_twice_makes_no_item_surer() -> None:
    rows, _ = study([0.0] * 5, [1.0] * 5, items=40)
    again = [*rows, *(row for row in rows if row[0] == "item 7")]
    once, twice = ({one.item: one for one in scored(some).scores} for some in (rows, again))
    assert twice["item 7"].ratings == 2 * once["item 7"].ratings
    assert (twice["item 7"].low, twice["item 7"].high) == pytest.approx((once["item 7"].low, once["item 7"].high))


def test_raters_who_differ_from_themselves_widen_every_interval() -> None:
    rows, _ = study([0.0] * 8, [1.0] * 8, noise=0.2, items=16)
    calm, restless = scored(rows), scored(rows, repeat_sd=0.8)
    assert restless.noise > calm.noise
    widths = [np.mean([one.high - one.low for one in found.scores]) for found in (calm, restless)]
    assert widths[1] > 1.2 * widths[0]


def test_what_others_let_expect_leaves_the_rating_itself_out() -> None:
    rows, _ = study([0.0] * 5, [1.0] * 5, items=60)
    moved = [(item, rater, 1.0 if place == 20 else star) for place, (item, rater, star) in enumerate(rows)]
    before, after = scored(rows).expected, scored(moved).expected
    assert len(before) == len(rows)
    assert after[20] == pytest.approx(before[20], abs=0.2)
    mates = [place for place, row in enumerate(rows) if row[0] == rows[20][0] and place != 20]
    assert all(after[mate] < before[mate] - 0.3 for mate in mates)


def test_the_order_of_ratings_changes_no_score() -> None:
    rows, _ = study([0.3, -0.3, 0, 0], [1.0] * 4, items=40)
    forward, backward = ({one.item: one.mean for one in scored(some).scores} for some in (rows, rows[::-1]))
    assert forward == pytest.approx(backward)


def test_fifteen_thousand_ratings_take_a_fraction_of_a_second() -> None:
    rows, _ = study([0.0] * 60, [1.0] * 60, items=1250, each=12)
    began = time.process_time()
    scored(rows)
    assert time.process_time() - began < 0.5


def test_the_ordinal_check_agrees_where_scores_are_right() -> None:
    rows, true = study(np.random.default_rng(3).normal(0, 0.4, 8).tolist(), [1.0] * 8, items=120)
    stars = [(item, rater, float(np.clip(round(star), 1, 5))) for item, rater, star in rows]
    found = scored(stars)
    checked = ordinal_scores(*columns(stars), found)
    assert [one.item for one in checked] == [one.item for one in found.scores]
    assert spearmanr([one.mean for one in checked], [true[one.item] for one in checked])[0] > 0.8
    assert all(1 <= one.low < one.mean < one.high <= 5 for one in checked)
    assert turned(found.scores, checked) == ()
    assert ordinal_scores([], [], [], OpinionScores()) == ()


def test_the_ordinal_check_finds_thresholds_that_lie_unevenly() -> None:
    """Where hardly anybody gives 2 or 4, those stars mean nearly what 1 and 5 mean."""
    luck = np.random.default_rng(8)
    bounds, quality = np.array([1.9, 2.0, 4.0, 4.1]), luck.normal(3, 0.9, 200)
    rows = [
        (f"item {n}", f"rater {r}", float(1 + (quality[n] + luck.normal(0, 0.5) > bounds).sum()))
        for n in range(200)
        for r in luck.permutation(9)[:4]
    ]
    found = scored(rows)
    checked = ordinal_scores(*columns(rows), found)
    middle = [(one.mean, other.mean) for one, other in zip(checked, found.scores, strict=True)]
    assert spearmanr(*zip(*middle, strict=True))[0] > 0.95
    assert spearmanr([one.mean for one in checked], quality[[int(one.item[5:]) for one in checked]])[0] > 0.85


def test_a_certain_order_that_the_check_reverses_is_told() -> None:
    found = [Score("a", 4, 3.8, 4.2, 9), Score("b", 3, 2.8, 3.2, 9), Score("c", 3.1, 2.9, 3.3, 9)]
    checked = [Score("a", 2.9, 2, 3, 9), Score("b", 3, 2, 4, 9), Score("c", 2.8, 2, 4, 9)]
    assert [(one.better, one.worse) for one in turned(found, checked)] == [("a", "b")]
