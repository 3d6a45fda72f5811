"""Evidence is a fair game's wealth: it is what the bets made of it, and no claim that holds is refuted too often."""

import hashlib
import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.gate_rules import likings, palate
from benchmarks.pairs import Cell, differences
from benchmarks.raters import IMAGINED, SEEN
from web.domain.abtests.evidence import (
    PARTS,
    RATES,
    Spreading,
    as_stars,
    bounds,
    course,
    evidence,
    pairs_expected,
    signs,
    spread,
)
from web.domain.abtests.liking import liking

OF_ONE_MIND = replace(SEEN, taste=0.0)
STARS = st.lists(st.floats(-4, 4, allow_nan=False), max_size=30)


def test_evidence_is_what_two_bettors_own_together() -> None:
    by_hand = sum(
        part * math.prod(1 + rate * one / 4 for one in (2, -1, 3)) for rate, part in zip(RATES, PARTS, strict=True)
    )
    assert evidence([2, -1, 3]) == pytest.approx(by_hand)
    assert course([2, -1, 3])[-1] == pytest.approx(by_hand)
    assert evidence([]) == 1.0
    assert course([]) == ()


def test_the_wealth_of_a_fair_game_does_not_grow_on_average() -> None:
    tosses = np.random.default_rng(1).choice([-4.0, 4.0], size=(4000, 6))
    wealth = [evidence(row) for row in tosses.tolist()]
    assert np.mean(wealth) == pytest.approx(1.0, abs=4 * float(np.std(wealth)) / math.sqrt(len(wealth)))


def test_wealth_bet_is_never_owed() -> None:
    assert 0 < evidence([-4.0] * 50) < 1e-4
    assert 1e290 < evidence([4.0] * 3000) < math.inf


@given(STARS)
def test_bounds_close_in_and_agree_with_the_evidence(stars: list[float]) -> None:
    found = bounds(stars)
    assert len(found) == len(stars)
    for before, after in pairwise(found):
        assert after[0] >= before[0]
        assert after[1] <= before[1]
    won = [value >= 20 for value in course(stars)]
    assert [low >= 0 for low, _ in found] == [any(won[: at + 1]) for at in range(len(won))]


@given(STARS)
def test_bounds_of_what_is_turned_round_are_turned_round(stars: list[float]) -> None:
    turned = bounds([-one for one in stars])
    assert np.allclose([(-high, -low) for low, high in bounds(stars)], turned)


def test_a_claim_that_holds_is_refuted_once_in_twenty_tests_at_most() -> None:
    stars = differences(Cell(0.0, "spoils", tests=400, raters=OF_ONE_MIND), seed=5).stars
    refuted = [max(course(row)) >= 20 for row in stars.tolist()]
    assert 0 < np.mean(refuted) <= 0.07


def test_the_benchmark_bets_as_the_gate_does() -> None:
    stars = differences(Cell(0.5, tests=3), seed=6).stars
    for row, wealth in zip(stars.tolist(), palate(stars), strict=True):
        assert course(row) == pytest.approx(np.exp(wealth).tolist())


@pytest.mark.parametrize(("people", "each", "threshold"), [(3, 1, 20), (5, 1, 20), (9, 3, 20), (12, 1, 60)])
def test_the_benchmark_asks_raters_to_agree_as_the_gate_does(people: int, each: int, threshold: float) -> None:
    judged = differences(Cell(0.4, each=each, tests=2, people=people), seed=8)
    across, needed = likings(judged, threshold)
    for test in range(2):
        pairs = [
            dict(zip(map(str, who), stars, strict=True))
            for who, stars in zip(judged.who[test].tolist(), judged.given[test].tolist(), strict=True)
        ]
        for after in (1, 4, 12, 57, 200):
            found = liking(pairs[:after], threshold)
            assert found.across == pytest.approx(across[test, after - 1])
            assert found.needed == pytest.approx(needed[test, after - 1])


def test_the_simulated_raters_and_images_are_those_by_whom_the_rules_were_chosen() -> None:
    found = {
        name: hashlib.sha256(differences(cell, seed=1).given.astype(np.int8).tobytes()).hexdigest()[:12]
        for name, cell in {
            "as seen": Cell(0.5, tests=5, people=8),
            "as once imagined": Cell(0.0, "rescues", each=3, tests=5, raters=IMAGINED["pairs"]),
        }.items()
    }
    assert found == {"as seen": "2559146bbd1f", "as once imagined": "98474376d38b"}, (
        "a change asks for all rules to be chosen again"
    )


def test_a_half_star_takes_about_forty_pairs_and_none_takes_for_ever() -> None:
    stars = differences(Cell(0.5, tests=300, raters=OF_ONE_MIND), seed=7).stars
    needed = [next((at + 1 for at, e in enumerate(course(row)) if e >= 20), 200) for row in stars.tolist()]
    assert pairs_expected(0.5, spread=float(stars.std())) == pytest.approx(np.mean(needed), rel=0.15)
    assert pairs_expected(0.0) == math.inf
    assert pairs_expected(0.3, threshold=60) > pairs_expected(0.3)


def test_a_forecast_goes_by_the_spread_that_the_pairs_of_a_study_have() -> None:
    assert [round(pairs_expected(one)) for one in (0.3, 0.5, 0.8)] == [93, 41, 23]
    assert [round(pairs_expected(one, spread=1.45)) for one in (0.3, 0.5, 0.8)] == [226, 61, 29]
    assert spread([]) == pytest.approx(1.1)
    better, worse = ([shift + one for one in (-2.0, 2.0) * 50] for shift in (1.0, -1.0))
    found = spread(Spreading(len(one), sum(one), sum(star * star for star in one)) for one in (better, worse, []))
    assert found == pytest.approx(math.sqrt((200 * 4 + 10 * 1.21) / 208))  # about each challenger's own mean


def test_shares_and_signs_are_bet_on_as_stars_are() -> None:
    assert as_stars([-1, 0, 0.5]) == (-4, 0, 2)
    assert signs([0.1, -3, 0]) == (4, -4, 0)
    assert evidence(signs([1] * 8)) > evidence([1] * 8)


@pytest.mark.parametrize("wrong", [4.1, -5, math.nan, math.inf])
def test_a_difference_that_cannot_be_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="not between -4 and 4 stars"):
        evidence([wrong])
