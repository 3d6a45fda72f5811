"""A test is decided by its pairs alone: a winner by evidence, a loser by harm, complaints, failures or patience."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from ml_service.errors import InvalidRequest
from web.domain.abtests.abtest import ABTest, Decision, Design, Pair, PairState, decide, next_challenger, stand

NOW = datetime(2026, 11, 22, tzinfo=UTC)
TEST = ABTest(
    "test", "project", "study", "photo-enhance", "challenge", "running", "one", ("two",), Design(), "approve", NOW
)

THREE = replace(TEST, challengers=("two", "three", "four"))


def pair(number: int, difference: float | None, challenger: str = "two", failed: int = 0, **tags: float) -> Pair:
    state: PairState = "failed" if difference is None else "closed"
    given = {} if difference is None else {f"rater {number % 2}": difference}
    name = f"{challenger} {number}"
    return Pair(name, "test", name, "input", challenger, state, NOW, number, difference, tags, failed, given, NOW)


def judged(*likings: float, rounds: int = 12) -> list[Pair]:
    """Return pairs of raters in turn, each of whom likes the challenger so much, give or take a star."""
    many = len(likings)
    pairs = [pair(at + 1, likings[at % many] + (1 if at // many % 2 else -1)) for at in range(rounds * many)]
    return [replace(one, given={f"rater {at % many}": one.difference or 0.0}) for at, one in enumerate(pairs)]


def decided(test: ABTest, *pairs: Pair) -> Decision | None:
    return decide(test, stand(test, pairs))


def test_a_winner_is_promoted_as_soon_as_the_evidence_is_there_and_pairs_are_enough() -> None:
    better = [pair(at, 2.0) for at in range(1, 13)]
    assert decided(TEST, *better[:11]) is None
    found = decided(TEST, *better)
    assert found is not None
    assert (found.outcome, found.winner) == ("promote", "two")
    assert found.evidence[0].better >= 20
    assert found.evidence[0].low >= 0
    assert found.evidence[0].gain == 2.0


def test_a_winner_waits_for_as_many_raters_as_the_test_fixed() -> None:
    strict = replace(TEST, design=Design(least_raters=3))
    better = [pair(at, 2.0) for at in range(1, 30)]
    assert decided(strict, *better) is None
    assert decided(strict, *better, replace(pair(30, 2.0), given={"another": 2.0})) is not None


def test_what_one_of_four_raters_loves_is_not_promoted_for_the_others_sake() -> None:
    (one,) = stand(TEST, judged(2.4, 0.0, 0.0, 0.0))
    assert (one.raters, one.better >= 20, one.across < one.across_needed) == (4, True, True)
    assert decided(TEST, *judged(2.4, 0.0, 0.0, 0.0)) is None
    found = decided(TEST, *judged(0.6, 0.6, 0.6, 0.6))
    assert found is not None
    assert found.outcome == "promote"
    assert found.evidence[0].gain == pytest.approx(one.gain)


def test_what_eight_raters_like_a_little_each_is_promoted() -> None:
    found = decided(TEST, *judged(0.6, 0.4, 0.6, 0.4, 0.6, 0.4, 0.6, 0.4))
    assert found is not None
    assert (found.outcome, found.evidence[0].raters) == ("promote", 8)


def test_fewer_than_four_raters_speak_for_themselves_and_a_comparison_asks_for_agreement_too() -> None:
    few = decided(TEST, *judged(2.0, 0.0, 0.0, rounds=14))
    assert few is not None
    assert (few.outcome, few.evidence[0].across_needed) == ("promote", 0)
    pairs = judged(2.4, 0.0, 0.0, 0.0)
    assert decided(replace(TEST, kind="comparison"), *pairs) is None
    back = decided(replace(TEST, kind="hold_back"), *pairs)
    assert back is not None
    assert (back.outcome, back.evidence[0].across_needed) == ("promote", 0)


def test_more_challengers_need_more_agreement() -> None:
    (alone,), (one, *_) = (stand(test, judged(0.5, 0.5, 0.5, 0.5)) for test in (TEST, THREE))
    assert (one.across, one.across_needed > alone.across_needed > 1) == (alone.across, True)


@pytest.mark.parametrize(
    ("pairs", "outcome"),
    [
        ([pair(at, -3.0) for at in range(1, 7)], "harm"),
        ([pair(at, None, failed=1) for at in range(1, 5)], "failures"),
        ([pair(at, 2.0, noisy=1.0) for at in range(1, 13)], "tag"),
        ([pair(at, 0.0 if at % 2 else -0.2) for at in range(1, 100)], "no_gain"),
        ([pair(at, 1.2 if at % 2 else -0.6) for at in range(1, 21)], "cap"),
    ],
)
def test_a_challenger_is_given_up(pairs: list[Pair], outcome: str) -> None:
    test = replace(TEST, design=Design(most_pairs=20)) if outcome == "cap" else TEST
    found = decided(test, *pairs)
    assert found is not None
    assert (found.outcome, found.winner) == (outcome, None)


def test_a_challenger_that_makes_the_same_pictures_is_given_up_though_nobody_looked() -> None:
    ties = [replace(pair(at, 0.0), given={}) for at in range(1, 80)]
    found = decided(replace(TEST, design=Design(least_raters=2)), *ties)
    assert found is not None
    assert found.outcome == "no_gain"


def test_the_order_of_closing_counts_and_not_that_of_the_rows() -> None:
    luck = np.random.default_rng(3)
    pairs = [pair(at, float(luck.integers(-4, 5))) for at in range(1, 40)]
    assert stand(TEST, pairs) == stand(TEST, [pairs[at] for at in luck.permutation(len(pairs))])


def test_pairs_that_are_not_closed_say_nothing() -> None:
    waiting = replace(pair(1, None), number=None, state="open")
    assert stand(TEST, [waiting]) == stand(TEST, [])


def test_several_challengers_need_as_many_times_the_evidence() -> None:
    better = [pair(at, 1.0) for at in range(1, 17)]
    assert decided(TEST, *better) is not None
    assert decided(THREE, *better) is None
    assert THREE.threshold == 60


def test_a_challenger_that_harms_is_out_while_the_others_go_on() -> None:
    two = replace(TEST, challengers=("two", "three"))
    pairs = [pair(at, -3.0) for at in range(1, 9)]
    assert decided(two, *pairs) is None
    assert {next_challenger(two, stand(two, pairs), planned) for planned in range(20)} == {"three"}


def test_who_does_better_meets_the_champion_more_often_and_the_choice_can_be_repeated() -> None:
    two = replace(TEST, challengers=("two", "three"))
    pairs = [pair(at, 1.0 if at % 2 else 0.0, "two") for at in range(1, 9)]
    pairs += [pair(at, -1.0 if at % 2 else 0.5, "three") for at in range(11, 19)]
    found = stand(two, pairs)
    chosen = [next_challenger(two, found, planned) for planned in range(200)]
    assert chosen == [next_challenger(two, found, planned) for planned in range(200)]
    assert 0.5 < chosen.count("two") / len(chosen) < 0.95 or chosen.count("three") >= 60
    assert {"two", "three"} == set(chosen)


def test_who_meets_the_champion_next_is_drawn_by_the_spread_that_pairs_have() -> None:
    (calm,), (wild,) = (stand(TEST, [pair(at, one * (-1) ** at) for at in range(1, 61)]) for one in (0.5, 3.0))
    (usual,) = stand(TEST, [])
    assert calm.spread < usual.spread == 1.1 < wild.spread
    assert calm.spread == pytest.approx(((60 * 0.25 + 10 * 1.21) / 69) ** 0.5)


@pytest.mark.parametrize("wrong", [{"raters": 0}, {"threshold": 2}, {"least_pairs": 300}, {"worth": -1}, {"harm": 1}])
def test_a_design_that_errs_too_often_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(InvalidRequest):
        Design(**wrong)
