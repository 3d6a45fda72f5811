from typing import Any

import numpy as np
import pytest

from ml_service.optimizer.suggest import diagnose, suggest
from ml_service.wire.contract import (
    CategoryParameter,
    DiagnoseRequest,
    Diagnosis,
    FloatParameter,
    Observation,
    ParameterSpace,
    Point,
    SuggestRequest,
)
from tests.unit.ml.histories import BIASES, BOWL, MIXED, bowl, random_history, rated, scored

LUCK = 0.12  # stars², of the making of an output: the median of what is believed before any rating


def learnt(space: ParameterSpace, seen: list[Observation], **more: Any) -> Diagnosis:
    return diagnose(DiagnoseRequest(spaces={"local": space}, seen=tuple(seen), **more))


@pytest.fixture(scope="module")
def some() -> Diagnosis:
    return learnt(BOWL, list(random_history(25)))


@pytest.fixture(scope="module")
def many() -> Diagnosis:
    return learnt(BOWL, list(random_history(300)))


def test_few_ratings_tell_nothing_but_their_number() -> None:
    nothing = learnt(BOWL, list(random_history(2)))
    assert (nothing.best, nothing.convergence, nothing.variance) == (None, None, None)
    assert (nothing.parameters, nothing.raters, nothing.ratings_used) == ({}, (), 2)


@pytest.mark.parametrize("seed", [0, 1])
def test_sixty_ratings_find_a_point_that_beats_the_default(seed: int) -> None:
    random = np.random.default_rng(seed)
    seen: list[Observation] = []
    while len(seen) < 60:
        request = SuggestRequest(spaces={"local": BOWL}, seen=tuple(seen), count=2, seed=seed)
        for one in suggest(request).proposals:
            seen.append(scored(one.point, len(seen), random, bowl))
    best = learnt(BOWL, seen).best
    assert best is not None
    assert bowl(best.point) > bowl(BOWL.default()) + 1.2
    assert best.gain.low > 0


def test_the_best_point_is_not_the_luckiest_rating() -> None:
    good: list[Observation] = [rated({"x": 0.4, "y": -0.3}, i, 4, item=f"photo-{i}") for i in range(10)]
    bad = [rated({"x": -0.8, "y": 0.8}, 10 + i, 2, item=f"photo-{i}") for i in range(10)]
    lucky = rated({"x": -0.8, "y": 0.8}, 30, 5, item="photo-3")
    best = learnt(BOWL, [*good, *bad, lucky]).best
    assert best is not None
    assert float(best.point["x"]) > 0


def test_intervals_hold_the_truth_and_narrow(some: Diagnosis, many: Diagnosis) -> None:
    assert some.best is not None
    assert many.best is not None
    gain = bowl(many.best.point) - bowl(BOWL.default())
    assert many.best.gain.low < gain < many.best.gain.high
    assert many.best.rating.high - many.best.rating.low < some.best.rating.high - some.best.rating.low


def test_what_a_point_has_of_its_own_is_told_by_rating_it_again(many: Diagnosis) -> None:
    random, way = np.random.default_rng(3), CategoryParameter(choices=("a", "b"), default="a")
    seen = [
        scored({"way": "ab"[output % 2]}, output, random, lambda point: 3.0 + (point["way"] == "b"))
        for output in range(240)
    ]
    again = learnt(ParameterSpace(parameters={"way": way}), seen)
    for told, is_open in ((many, True), (again, False)):
        assert told.best
        spread = (told.best.gain.high - told.best.gain.mean) / 1.96
        assert (spread**2 > LUCK / 2) == is_open  # of two points, a quarter of the luck each


def test_more_ratings_converge(some: Diagnosis, many: Diagnosis) -> None:
    assert some.convergence is not None
    assert many.convergence is not None
    assert 0 <= many.convergence.gain_left < some.convergence.gain_left
    assert many.convergence.probability_near_best > some.convergence.probability_near_best
    assert many.parameters["x"].settled > some.parameters["x"].settled


def test_a_curve_rises_to_the_best_value(many: Diagnosis) -> None:
    curve = many.parameters["x"].curve
    values = [float(at.value) for at in curve]
    top = max(curve, key=lambda at: at.rating.mean)
    assert 21 <= len(curve) <= 22
    assert (values[0], values[-1]) == (-1.0, 1.0)
    assert values == sorted(values)
    assert float(top.value) == pytest.approx(0.4, abs=0.3)
    assert all(at.rating.low < at.rating.mean < at.rating.high for at in curve)


def test_importance_is_where_the_taste_is() -> None:
    space = ParameterSpace(
        parameters={
            "matters": FloatParameter(low=0, high=1, default=0),
            "idle": FloatParameter(low=0, high=1, default=0),
            "style": CategoryParameter(choices=("a", "b", "c"), default="a"),
            "fixed": FloatParameter(low=2, high=2, default=2),
        }
    )
    random = np.random.default_rng(3)
    seen = []
    for i in range(150):
        point: Point = {
            "matters": float(random.random()),
            "idle": float(random.random()),
            "style": str(random.choice(["a", "b", "c"])),
            "fixed": 2.0,
        }
        seen.append(rated(point, i, 1.5 + 2.5 * float(point["matters"]) + 0.5 * (point["style"] == "b")))
    reports = learnt(space, seen).parameters
    assert reports["matters"].importance > 0.6
    assert reports["idle"].importance < 0.1
    assert 0.9 < sum(report.importance for report in reports.values()) <= 1
    assert [at.value for at in reports["style"].curve] == ["a", "b", "c"]
    assert [at.value for at in reports["fixed"].curve] == [2.0]
    assert reports["matters"].settled > reports["idle"].settled
    assert reports["fixed"].settled == 1


def test_raters_are_told_apart(many: Diagnosis) -> None:
    assert [one.rater for one in many.raters] == sorted(BIASES)
    for one in many.raters:
        assert one.effect.low < BIASES[one.rater] < one.effect.high


def test_luck_is_told_from_noise_where_outputs_have_several_ratings() -> None:
    random, seen = np.random.default_rng(5), []
    for i in range(120):
        luck = random.normal(0, 0.6)
        for rater in BIASES:
            stars = float(np.clip(3 + luck + random.normal(0, 0.3), 1, 5))
            seen.append(rated(BOWL.default(), i, stars, rater, f"photo-{i % 8}"))
    parts = learnt(BOWL, seen).variance
    assert parts is not None
    assert parts.luck == pytest.approx(0.36, rel=0.35)
    assert parts.noise == pytest.approx(0.09, rel=0.35)
    alone = learnt(BOWL, seen[::3]).variance
    assert alone is not None
    assert alone.luck is None
    assert alone.noise == pytest.approx(0.45, rel=0.35)


def test_what_was_not_varied_has_no_share_of_what_differs() -> None:
    one = learnt(BOWL, [rated(BOWL.default(), i, 3.0 + i % 2) for i in range(20)]).variance
    assert one is not None
    assert one.noise is not None
    assert (one.setting, one.rater, one.item, one.luck) == (None, None, None, None)
    raters = [rated(BOWL.default(), i // 2, 3.0 + i % 2, "ab"[i % 2]) for i in range(20)]
    two = learnt(BOWL, raters).variance
    assert two is not None
    assert (two.setting, two.item) == (None, None)
    assert min(two.rater or 0, two.luck or 0, two.noise or 0) > 0


def test_the_same_request_gets_the_same_diagnosis_in_any_order() -> None:
    request = DiagnoseRequest(spaces={"local": BOWL}, seen=tuple(random_history(20)), seed=3)
    turned = ParameterSpace(parameters=dict(reversed(BOWL.parameters.items())))
    again = request.model_copy(update={"seen": request.seen[::-1], "spaces": {"local": turned}})
    assert list(again.spaces["local"].parameters) == ["y", "x"]
    assert diagnose(again).model_dump_json() == diagnose(request).model_dump_json()


def test_a_mixed_space_is_diagnosed_inside_its_bounds() -> None:
    seen = [rated(MIXED.default(), i, stars) for i, stars in enumerate((2, 4, 3))]
    found = learnt(MIXED, seen)
    assert found.best is not None
    assert MIXED.faults(found.best.point) == []
    for name, report in found.parameters.items():
        assert all(MIXED.parameters[name].accepts(at.value) for at in report.curve)


def test_raters_differ_in_how_widely_they_score_and_how_steadily() -> None:
    random, seen = np.random.default_rng(8), []
    for i, one in enumerate(random_history(70, 4)):
        quality = bowl(one.point) - 3.5
        stars = {"wide": 3 + 1.6 * quality, "narrow": 3 + 0.3 * quality, "clicker": random.uniform(1, 5)}
        seen += [rated(one.point, i, float(np.clip(s, 1, 5)), name, one.item) for name, s in stars.items()]
    found = {one.rater: one for one in learnt(BOWL, seen).raters}
    assert found["wide"].scale > 1.3 * found["narrow"].scale
    assert found["clicker"].noise > 2 * found["wide"].noise


def test_versions_are_told_apart_beside_the_newest_one() -> None:
    shift = {"v1.0.0": -0.8, "v2.0.0": 0.0, "v3.0.0": 0.0}
    seen = [
        one.model_copy(update={"version": version, "rating": float(np.clip(one.rating + shift[version], 1, 5))})
        for one, version in zip(random_history(180), np.repeat(list(shift), 60), strict=True)
    ]
    found = learnt(BOWL, seen)
    assert [(one.name, one.ratings) for one in found.versions] == [("v1.0.0", 60), ("v2.0.0", 60), ("v3.0.0", 60)]
    old, same, newest = found.versions
    assert old.effect.high < -0.3
    assert abs(same.effect.mean) < 0.35
    assert (newest.effect.low, newest.effect.high) == (0, 0)
    assert found.generators == ()


def test_another_generator_teaches_the_shape_but_not_the_level() -> None:
    own = list(random_history(12))
    other = [
        one.model_copy(update={"generator": "other", "rating": max(one.rating - 1.5, 1)})
        for one in random_history(120, 1)
    ]
    spaces = {"local": BOWL, "other": BOWL}
    alone = diagnose(DiagnoseRequest(spaces=spaces, generator="local", seen=tuple(own)))
    both = diagnose(DiagnoseRequest(spaces=spaces, generator="local", seen=(*own, *other)))
    assert alone.best is not None
    assert both.best is not None
    assert bowl(both.best.point) > bowl(alone.best.point)
    assert both.best.rating.low < 4.6 < both.best.rating.high + 0.2
    assert both.best.generator == "local"
    [local, shifted] = both.generators
    assert (local.name, shifted.name, shifted.ratings) == ("local", "other", 120)
    assert shifted.effect.mean < -0.5
    assert alone.generators == ()


def test_an_earlier_study_teaches_without_being_counted(some: Diagnosis) -> None:
    warm = learnt(BOWL, list(random_history(25)), earlier=tuple(random_history(150, 9)))
    assert warm.best is not None
    assert some.best is not None
    assert warm.ratings_used == some.ratings_used == 25
    assert warm.best.sd < some.best.sd
    assert warm.history != some.history
    assert {one.rater: one.ratings for one in warm.raters} == {one.rater: one.ratings for one in some.raters}


def test_importance_is_told_alone_with_interactions_and_in_pairs(many: Diagnosis) -> None:
    for report in many.parameters.values():
        assert 0 < report.importance <= report.total <= 1
    [pair] = many.pairs
    assert pair.parameters == ("x", "y")
    assert pair.importance < 0.3
