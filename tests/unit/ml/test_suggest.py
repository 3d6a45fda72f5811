import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ml_service.errors import InvalidRequest
from ml_service.optimizer.known import Known
from ml_service.optimizer.rating_gp import RatingGP
from ml_service.optimizer.space import SearchSpace
from ml_service.optimizer.suggest import suggest
from ml_service.wire.contract import CategoryParameter, Observation, ParameterSpace, Pending, Point, SuggestRequest
from tests.unit.ml.histories import BOWL, MIXED, bowl, random_history, rated
from tests.unit.ml.spaces import spaces

FRESH_PROCESS = """
import sys
from ml_service.wire.contract import SuggestRequest
from ml_service.optimizer.suggest import suggest
print(suggest(SuggestRequest.model_validate_json(sys.stdin.read())).model_dump_json())
"""


def asked(space: ParameterSpace, seen: list[Observation] | None = None, **more: Any) -> SuggestRequest:
    return SuggestRequest(spaces={"local": space}, seen=tuple(seen or ()), **more)


def out(point: Point, item: str = "photo-1") -> Pending:
    return Pending(point=point, generator="local", item=item)


def learning() -> SuggestRequest:
    return asked(
        BOWL,
        [*random_history(30), *random_history(3)],
        earlier=tuple(random_history(10, 5)),
        pending=(out({"x": 0.1, "y": 0.2}), out({"x": 0.3, "y": 0.2}, "photo-2")),
        item="photo-1",
        count=3,
        seed=7,
    )


def test_the_default_comes_first_then_other_points() -> None:
    answer = suggest(asked(MIXED, count=4))
    assert answer.proposals[0].point == MIXED.default()
    assert [one.why for one in answer.proposals] == ["initial"] * 4


def test_ten_distinct_options_are_tried_before_a_belief_chooses() -> None:
    points = [one.point for one in suggest(asked(BOWL, count=10)).proposals]
    rated_thrice = [rated(points[0], 0, stars, rater) for rater, stars in (("ana", 3), ("ben", 2), ("cem", 4))]
    waiting = tuple(out(point, f"photo-{i}") for i, point in enumerate(points[1:8]))
    answer = suggest(asked(BOWL, rated_thrice, pending=waiting, count=4))
    assert [one.point for one in answer.proposals[:2]] == points[8:]
    assert [one.why == "initial" for one in answer.proposals] == [True, True, False, False]
    assert answer.proposals[2].expected is not None


def test_neither_the_order_of_keys_nor_of_rows_changes_the_answer_in_this_process_or_another() -> None:
    request, random = learning(), np.random.default_rng(0)
    turned = request.model_copy(
        update={
            "seen": tuple(random.permutation(np.array(request.seen, dtype=object))),
            "earlier": request.earlier[::-1],
            "pending": request.pending[::-1],
            "spaces": {"local": ParameterSpace(parameters=dict(reversed(BOWL.parameters.items())))},
        }
    )
    expected = suggest(request).model_dump_json()
    assert turned.seen != request.seen
    assert list(turned.spaces["local"].parameters) == ["y", "x"]
    assert suggest(turned).model_dump_json() == expected
    fresh = [sys.executable, "-c", FRESH_PROCESS]
    said = subprocess.run(fresh, input=turned.model_dump_json(), capture_output=True, text=True, check=True)
    assert said.stdout.strip() == expected


def test_another_seed_draws_other_points() -> None:
    first, second = (suggest(asked(BOWL, list(random_history(30)), seed=seed)) for seed in (1, 2))
    assert first.proposals != second.proposals


@given(spaces(), st.integers(0, 2**31 - 1), st.integers(1, 5), st.booleans())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_suggestions_stay_in_the_space_and_apart(space: ParameterSpace, seed: int, count: int, new: bool) -> None:
    search, random = SearchSpace(space), np.random.default_rng(seed)
    tried = search.points(search.random(random, 12))
    seen = [] if new else [rated(point, i, float(random.integers(1, 6))) for i, point in enumerate(tried)]
    waiting = [out(point) for point in tried[:2]]
    answer = suggest(asked(space, seen, pending=tuple(waiting), item="photo-1", count=count, seed=seed))
    points = [one.point for one in answer.proposals]
    assert all(space.faults(point) == [] for point in points)
    keys = [search.key(point) for point in points] + sorted({search.key(one.point) for one in waiting}, key=str)
    assert len(set(keys)) == len(keys)
    everything = search.every()
    assert len(points) == count or (everything is not None and len(keys) == len(everything))


def test_what_is_pending_on_the_item_is_not_repeated_but_may_be_on_another() -> None:
    few = ParameterSpace(parameters={"style": CategoryParameter(choices=("a", "b", "c"), default="a")})
    seen = [rated({"style": style}, i, stars) for i, (style, stars) in enumerate([("a", 2), ("b", 5), ("c", 2)] * 5)]
    waiting = (out({"style": "b"}, "photo-1"),)
    here = suggest(asked(few, seen, pending=waiting, item="photo-1"))
    there = suggest(asked(few, seen, pending=waiting, item="photo-2"))
    assert here.proposals[0].point != {"style": "b"}
    assert there.proposals[0].point == {"style": "b"}


def test_a_pending_point_makes_its_surroundings_less_worth_asking() -> None:
    history = list(random_history(40))
    alone = suggest(asked(BOWL, history)).proposals[0].point
    waiting = tuple(out(alone, f"photo-{i}") for i in range(6))
    aware = suggest(asked(BOWL, history, pending=waiting, item="photo-9")).proposals[0].point
    search = SearchSpace(BOWL)
    assert np.linalg.norm(search.unit([alone]) - search.unit([aware])) > 0.05


def test_the_expected_rating_is_what_the_belief_says() -> None:
    history = list(random_history(40))
    [one] = suggest(asked(BOWL, history)).proposals
    known = Known.read({"local": BOWL}, "local", history)
    mean, sd = RatingGP(known.ratings()).marginal(known.space.unit([one.point]))
    assert one.expected is not None
    assert one.expected.mean == pytest.approx(np.clip(mean[0], 1, 5), abs=1e-6)
    assert one.expected.low == pytest.approx(max(mean[0] - 1.96 * sd[0], 1), abs=1e-6)


def test_a_reference_is_shown_first_and_the_others_beside_it() -> None:
    reference: Point = {"x": 0.25, "y": 0.5}
    for history in ([], list(random_history(20))):
        answer = suggest(asked(BOWL, history, count=3, reference=reference))
        assert [one.why == "reference" for one in answer.proposals] == [True, False, False]
        assert answer.proposals[0].point == reference
        assert reference not in [one.point for one in answer.proposals[1:]]


def test_a_reference_outside_the_space_is_refused_with_the_reason() -> None:
    with pytest.raises(InvalidRequest, match=r"x = 7\.0 is outside its range"):
        suggest(asked(BOWL, reference={"x": 7.0, "y": 0.0}))


def test_a_space_with_nothing_to_tune_has_one_suggestion() -> None:
    fixed = ParameterSpace(parameters={"style": CategoryParameter(choices=("only",), default="only")})
    assert [one.point for one in suggest(asked(fixed, count=3)).proposals] == [{"style": "only"}]
    history = [rated({"style": "only"}, i, 3) for i in range(12)]
    assert [one.point for one in suggest(asked(fixed, history, count=3)).proposals] == [{"style": "only"}]


def test_as_many_initial_options_are_spread_as_are_asked_for() -> None:
    answers = [suggest(asked(BOWL, initial=initial, count=6)).proposals for initial in (1, 4, 16)]
    assert [[one.why == "initial" for one in some].count(True) for some in answers] == [1, 4, 6]


def test_a_study_that_starts_from_another_goes_on_where_that_one_was() -> None:
    cold, warm = (suggest(asked(BOWL, earlier=tuple(random_history(count)))).proposals[0] for count in (0, 60))
    assert (cold.why, warm.why == "initial") == ("initial", False)
    assert bowl(warm.point) > bowl(BOWL.default()) + 0.5


def test_exploration_is_how_far_suggestions_go_from_what_is_known() -> None:
    history = list(random_history(60))
    near, far = (suggest(asked(BOWL, history, exploration=much)).proposals[0] for much in (0, 4))
    assert near.expected is not None
    assert far.expected is not None
    assert near.expected.mean > far.expected.mean
    assert near.expected.high - near.expected.low < far.expected.high - far.expected.low


def test_evidence_compares_a_suggestion_with_the_best_point_that_was_tried() -> None:
    good: Point = {"x": 0.4, "y": -0.3}
    history = [*random_history(30), *(rated(good, 100 + i, 5, item=f"photo-{i}") for i in range(6))]
    for one in suggest(asked(BOWL, history, count=4, reference=good)).proposals:
        assert (one.evidence is None) == (one.why == "reference")
        if one.evidence:
            assert 3.5 < one.evidence.best <= 5
            assert 0 < one.evidence.chance < 0.9
            assert one.evidence.differs == tuple(name for name in ("x", "y") if one.point[name] != good[name])
    few = ParameterSpace(parameters={"style": CategoryParameter(choices=("a", "b"), default="a")})
    seen = [rated({"style": style}, i, stars) for i, (style, stars) in enumerate([("a", 2), ("b", 5)] * 6)]
    evidence = {str(one.point["style"]): one.evidence for one in suggest(asked(few, seen, count=2)).proposals}
    assert evidence["a"] is not None
    assert evidence["b"] is not None
    assert (evidence["b"].rated, evidence["b"].differs, evidence["b"].chance) == (6, (), 0)
    assert (evidence["a"].rated, evidence["a"].differs) == (6, ("style",))
    assert evidence["a"].chance < 0.1
    assert suggest(asked(BOWL)).proposals[0].evidence is None


def test_where_all_points_are_out_on_an_item_there_is_nothing_to_suggest_for_it() -> None:
    few = ParameterSpace(parameters={"style": CategoryParameter(choices=("a", "b"), default="a")})
    seen = [rated({"style": "ab"[i % 2]}, i, 3) for i in range(12)]
    waiting = (out({"style": "a"}), out({"style": "b"}))
    assert suggest(asked(few, seen, pending=waiting, item="photo-1", count=2)).proposals == ()
    assert len(suggest(asked(few, seen, pending=waiting, item="photo-2", count=4)).proposals) == 2


def test_the_generator_asked_about_is_the_one_suggested() -> None:
    spaces = {"local": BOWL, "other": MIXED}
    for generator, space in spaces.items():
        answer = suggest(SuggestRequest(spaces=spaces, generator=generator, count=2, seen=tuple(random_history(12))))
        assert {one.generator for one in answer.proposals} == {generator}
        assert all(space.faults(one.point) == [] for one in answer.proposals)
