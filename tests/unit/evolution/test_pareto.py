from collections import Counter

from web.domain.evolution.pareto import MOST, Outcome, ahead, drawn, front, leads


def outcomes(version: str, kind: str, *scores: float, tags: frozenset[str] = frozenset()) -> list[Outcome]:
    return [Outcome(version, kind, score, tags) for score in scores]


def test_a_version_leads_where_it_is_liked_best_and_one_that_leads_nowhere_is_left_out() -> None:
    seen = [
        *outcomes("a", "rooms", 5, 5, 5),
        *outcomes("b", "rooms", 2, 2, 2),
        *outcomes("a", "gardens", 2, 2, 2),
        *outcomes("b", "gardens", 4, 4, 4),
        *outcomes("c", "gardens", 3, 3, 3),
    ]
    assert front(seen) == {"a": 1, "b": 1}


def test_one_lucky_output_does_not_lead_before_many_good_ones() -> None:
    seen = [*outcomes("many", "rooms", *[4.5] * 10), *outcomes("one", "rooms", 5), *outcomes("bad", "rooms", *[1] * 5)]
    assert front(seen) == {"many": 1}


def test_a_version_that_draws_a_complaint_less_leads_against_it() -> None:
    dark = frozenset({"too_dark"})
    seen = [*outcomes("liked", "rooms", 5, 5, 5, tags=dark), *outcomes("bright", "rooms", 3, 3, 3)]
    assert front(seen) == {"bright": 1, "liked": 1}


def test_parents_are_drawn_by_the_cells_they_lead_and_the_same_for_a_seed() -> None:
    found = Counter(drawn({"a": 3, "b": 1}, seed) for seed in range(400))
    assert 240 < found["a"] < 350
    assert drawn({"a": 3, "b": 1}, 7) == drawn({"b": 1, "a": 3}, 7)


def test_the_front_is_no_longer_than_so_many_and_nothing_leads_where_nothing_was_rated() -> None:
    seen = [one for at in range(20) for one in outcomes(f"v{at:02}", f"kind {at}", 4)]
    assert len(front(seen)) == MOST
    assert front([]) == {}


def test_a_version_is_ahead_for_the_generators_where_it_leads_more() -> None:
    dark = frozenset({"too_dark"})
    seen = [
        Outcome("a", "rooms", 5, generator="one"),
        Outcome("b", "rooms", 1, generator="one"),
        Outcome("a", "rooms", 1, dark, generator="two"),
        Outcome("b", "rooms", 5, generator="two"),
        Outcome("b", "gardens", 5, generator="two"),
    ]
    led = leads(seen)
    assert (led["a"], led["b"]) == ({"one": 1}, {"two": 2, "": 1})
    assert ahead(led, "b", "a", ("one", "two")) == {"two"}
    assert ahead(led, "a", "b", ("one", "two")) == set()  # the complaint weighs as much as the photo
    assert ahead(led, "c", "a", ("one",)) == set()
