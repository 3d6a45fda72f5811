from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

from web.domain.abtests.abtest import ABTest, Decision, Design
from web.domain.evolution.evolution import Proposed, Round
from web.domain.evolution.operators import PLACES, Record, drawn, records
from web.domain.evolution.reflection import ASKED

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def proposed(operator: str, version_id: str | None = None, gate: str = "") -> Proposed:
    return Proposed(operator, version_id, "Says more.", "Better.", gate)  # type: ignore[arg-type]


def told(*made: Proposed, test_id: str | None = None) -> Round:
    return Round("round", "project", "study", "photo", "proposed", 10, NOW, proposed=made, test_id=test_id)


def a_test(name: str, challengers: tuple[str, ...], outcome: str | None, winner: str | None = None) -> ABTest:
    decision = Decision(outcome, winner, ()) if outcome else None  # type: ignore[arg-type]
    of = ("project", "study", "photo", "challenge", "decided", "live", challengers, Design(), "auto", NOW)
    return ABTest(name, *of, decision=decision)  # type: ignore[arg-type]


def shares(found: dict[str, Record], rounds: int = 600) -> dict[str, float]:
    places = Counter(one for seed in range(rounds) for one in drawn(found, seed, can_merge=False))  # type: ignore[arg-type]
    return {name: places[name] / (PLACES * rounds) for name in ASKED}


def test_what_became_of_candidates_is_counted_by_operator() -> None:
    first = told(proposed("targeted", "a"), proposed("simplify", "b"), proposed("explore", None, "length"), test_id="t")
    second = told(proposed("targeted", "c"), proposed("explore", None, "room"), test_id="stopped")
    by_hand = told(proposed("parameters", "p"), proposed("hand", "h"), test_id="t")
    tests = [a_test("t", ("a", "b"), "promote", "a"), a_test("stopped", ("c",), "stopped")]
    assert records([first, second, by_hand], tests) == {
        "targeted": Record(won=1, undecided=1),
        "simplify": Record(lost=1),
        "explore": Record(refused=1),
        "merge": Record(),
    }


def test_a_winner_that_was_rolled_back_has_lost() -> None:
    won = a_test("t", ("a",), "promote", "a")
    back = replace(a_test("watch", ("live",), "promote", "live"), kind="hold_back", champion="a")
    rounds = [told(proposed("explore", "a"), test_id="t")]
    assert records(rounds, [won, back])["explore"] == Record(lost=1)
    still = replace(back, decision=Decision("no_gain", None, ()))
    assert records(rounds, [won, still])["explore"] == Record(won=1)


def test_before_anything_is_known_all_operators_have_the_same_share() -> None:
    assert all(0.28 < share < 0.39 for share in shares({}).values())


def test_who_wins_is_asked_for_more_often_and_who_loses_or_is_refused_less_but_not_never() -> None:
    found = shares({"targeted": Record(won=2, lost=3), "simplify": Record(lost=5), "explore": Record(refused=5)})
    assert found["targeted"] > 0.55
    assert 0.02 < found["simplify"] < 0.25
    assert 0.02 < found["explore"] < 0.25


def test_a_round_never_bets_all_on_one_operator() -> None:
    found = {"targeted": Record(won=30), "simplify": Record(lost=30), "explore": Record(lost=30)}
    asked = [drawn(found, seed, can_merge=False) for seed in range(100)]  # type: ignore[arg-type]
    assert {one.count("targeted") for one in asked} == {2}


def test_the_same_seed_asks_for_the_same() -> None:
    assert drawn({}, 7, can_merge=True) == drawn({}, 7, can_merge=True)
    assert len({drawn({}, seed, can_merge=True) for seed in range(30)}) > 5


def test_ten_to_fifteen_rounds_in_a_hundred_merge_in_the_place_of_one_where_two_can_be_merged() -> None:
    for record in (Record(), Record(lost=20), Record(won=20)):
        asked = [drawn({"merge": record}, seed, can_merge=True) for seed in range(3000)]
        merging = [one for one in asked if "merge" in one]
        assert 0.085 < len(merging) / len(asked) < 0.165
        assert {one.count("merge") for one in merging} == {1}
        assert {len(one) for one in asked} == {PLACES}
    assert not any("merge" in drawn({}, seed, can_merge=False) for seed in range(300))
