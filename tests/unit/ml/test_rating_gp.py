import numpy as np
import pytest

from ml_service.optimizer import rating_gp
from ml_service.optimizer.additive import FALL, Additive, Array
from ml_service.optimizer.known import Known
from ml_service.optimizer.likelihood import LEVEL, LEVEL_SD, Objective, Ratings
from ml_service.optimizer.rating_gp import RatingGP
from ml_service.optimizer.space import SearchSpace
from ml_service.wire.contract import FloatParameter, ParameterSpace, Point
from tests.unit.ml.histories import BOWL, MIXED, bowl, random_history, rated

WIDE = ParameterSpace(parameters={f"x{i}": FloatParameter(low=0, high=1, default=0.5) for i in range(12)})


def ratings(count: int, parameters: int = 5, seed: int = 0, earlier: bool = False) -> Ratings:
    """Ratings by four raters of points of mixed parameters, some of them twice, some outputs by several."""
    random = np.random.default_rng(seed)
    is_category = np.array([column % 3 == 2 for column in range(parameters)])
    distinct = max(2, count // 2)
    numbers, choices = random.random((distinct, parameters)), random.integers(0, 4, (distinct, parameters)) / 3
    point = np.unique(random.integers(0, distinct, count), return_inverse=True)[1]
    output = point * 2 + random.integers(0, 2, count)
    groups = {"item": output % 7, "output": output}
    groups = {name: np.unique(index, return_inverse=True)[1] for name, index in groups.items()}
    rows = np.where(is_category, choices, numbers)[: point.max() + 1]
    old = earlier & (np.arange(len(rows)) % 3 == 0)
    stars, rater = random.integers(1, 6, count).astype(float), random.integers(0, 4, count)
    home = np.where(is_category, 1 / 3, 0.4)
    return Ratings(rows, home, old, is_category, stars, point, rater, 4, groups)


def dense(belief: RatingGP, points: Array) -> tuple[Array, Array]:
    """What the belief must be: the textbook's posterior, with every effect written out in one covariance."""
    hyper, seen = belief.hyper, belief.ratings
    scale = hyper.scales[seen.rater]
    f = hyper.kernel(seen.points, seen.points)
    inner = np.where(np.not_equal.outer(seen.earlier, seen.earlier), hyper.shared, 1) * f + LEVEL_SD**2
    inner = inner[np.ix_(seen.point, seen.point)]
    for name, index in seen.groups.items():
        inner = inner + hyper.effects[name] * np.equal.outer(index, index)
    whole = inner * np.outer(scale, scale) + hyper.rater * np.equal.outer(seen.rater, seen.rater)
    whole += np.diag(hyper.noises[seen.rater])
    across = hyper.kernel(points, seen.points) * np.where(seen.earlier, hyper.shared, 1) + LEVEL_SD**2
    across = across[:, seen.point] * scale
    mean = LEVEL + across @ np.linalg.solve(whole, seen.stars - LEVEL)
    return mean, belief.covariance(points, points) - across @ np.linalg.solve(whole, across.T)


def believed(space: ParameterSpace, count: int) -> RatingGP:
    return RatingGP(Known.read({"local": space}, "local", tuple(random_history(count))).ratings())


@pytest.mark.parametrize("parameters", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("earlier", [False, True])
def test_the_gradient_is_that_of_finite_differences(parameters: int, earlier: bool) -> None:
    objective = Objective(ratings(30, parameters, earlier=earlier))
    theta = objective.start + np.random.default_rng(1).normal(0, 0.5, len(objective.start))
    steps = np.eye(len(theta)) * 1e-5
    expected = [(objective(theta + step)[0] - objective(theta - step)[0]) / 2e-5 for step in steps]
    assert np.allclose(objective(theta)[1], expected, atol=1e-6)


@pytest.mark.parametrize(("count", "earlier"), [(1, False), (2, False), (40, False), (40, True), (150, True)])
def test_the_posterior_is_exact_while_points_are_few(count: int, earlier: bool) -> None:
    belief = RatingGP(ratings(count, earlier=earlier))
    points = ratings(60, seed=3).points
    mean, covariance = belief.posterior(points)
    expected, spread = dense(belief, points)
    assert np.allclose(mean, expected, atol=1e-6)
    assert np.allclose(covariance, spread, atol=1e-6)
    assert np.allclose(belief.marginal(points)[1] ** 2, np.diagonal(covariance), atol=1e-9)


def test_of_many_points_the_belief_is_nearly_the_exact_one(monkeypatch: pytest.MonkeyPatch) -> None:
    points, seen = ratings(60, seed=3).points, ratings(160)
    expected, spread = RatingGP(seen).posterior(points)
    monkeypatch.setattr(rating_gp, "FEATURES", 50)
    mean, covariance = RatingGP(seen).posterior(points)
    assert np.abs(mean - expected).max() < 0.25
    assert np.abs(np.sqrt(np.diagonal(covariance)) - np.sqrt(np.diagonal(spread))).max() < 0.1


def test_the_additive_covariance_is_the_sum_over_all_subsets_of_parameters() -> None:
    random = np.random.default_rng(2)
    shape, weights, home = random.normal(0, 0.3, 4), np.array([0.2, 0.3, 0.4, 0.5]), np.array([0.5, 1, 0.5, 0])
    kernel = Additive(np.array([False, True, False, False]), home, shape, weights)
    a, b = random.random((3, 4)), random.random((2, 4))
    a[:, 1], b[:, 1] = [0, 1, 0], [0, 0.5]
    one = [kernel.correlation(column, a[:, column], b[:, column]) for column in range(4)]
    singles = sum(one) / 4
    pairs = sum(one[i] * one[j] for i in range(4) for j in range(i)) / 6
    triples = sum(one[i] * one[j] * one[k] for i in range(4) for j in range(i) for k in range(j)) / 4
    product = one[0] * one[1] * one[2] * one[3]
    off_a, off_b = np.abs(a - home), np.abs(b - home)
    off_a[:, 1], off_b[:, 1] = 0.5 * (a[:, 1] != 1), 0.5 * (b[:, 1] != 1)
    fall = FALL**2 * np.outer(off_a.mean(axis=1), off_b.mean(axis=1))
    assert np.allclose(kernel(a, b), 0.2 * singles + 0.3 * pairs + 0.4 * triples + 0.5 * product + fall)
    assert np.allclose(np.diagonal(kernel(a, a)), kernel.variance(a))


def test_the_mean_follows_the_taste_and_the_spread_shrinks() -> None:
    belief, space = believed(BOWL, 150), SearchSpace(BOWL)
    rows = space.random(np.random.default_rng(9), 100)
    mean, sd = belief.marginal(rows)
    assert np.corrcoef(mean, [bowl(point) for point in space.points(rows)])[0, 1] > 0.85
    assert (sd < np.sqrt(belief.prior(rows))).all()


def test_ratings_tell_how_much_is_lost_away_from_the_default() -> None:
    space = SearchSpace(WIDE)
    random = np.random.default_rng(6)
    rows = np.clip(space.unit([space.default]) + random.normal(0, 0.2, (40, 12)), 0, 1)
    stars = np.clip(4.2 - 5 * np.abs(rows - 0.5).mean(axis=1) + random.normal(0, 0.4, 40), 1, 5)
    seen = [rated(point, i, float(star)) for i, (point, star) in enumerate(zip(space.points(rows), stars, strict=True))]
    belief = RatingGP(Known.read({"local": WIDE}, "local", seen).ratings())
    far = space.random(random, 200)
    at_home, away = belief.mean(space.unit([space.default]))[0], belief.mean(far)
    assert at_home - away.mean() > 0.6
    assert np.corrcoef(away, -np.abs(far - 0.5).mean(axis=1))[0, 1] > 0.5


def test_without_ratings_every_point_is_equal() -> None:
    belief, rows = believed(MIXED, 0), SearchSpace(MIXED).random(np.random.default_rng(0), 5)
    mean, covariance = belief.posterior(rows)
    assert set(mean) == {3.0}
    assert np.array_equal(covariance, belief.covariance(rows, rows))


def test_a_rater_who_scores_high_is_known_as_one() -> None:
    random = np.random.default_rng(4)
    points: list[Point] = SearchSpace(BOWL).points(random.random((30, 2)))
    seen = [rated(point, i, 3, "ana") for i, point in enumerate(points)]
    seen += [rated(point, i, 5, "ben") for i, point in enumerate(points)]
    ana, ben = RatingGP(Known.read({"local": BOWL}, "local", seen).ratings()).rater_effects()
    assert ben.mean - ana.mean > 1
    assert ana.sd < 0.6


def test_a_rater_who_clicks_at_random_is_believed_less() -> None:
    random = np.random.default_rng(5)
    points = SearchSpace(BOWL).points(random.random((50, 2)))
    seen = []
    for i, point in enumerate(points):
        honest = float(np.clip(round(bowl(point)), 1, 5))
        seen += [rated(point, i, honest, "ana"), rated(point, i, honest, "ben")]
        seen.append(rated(point, i, int(random.integers(1, 6)), "zoe"))
    hyper = RatingGP(Known.read({"local": BOWL}, "local", seen).ratings()).hyper
    assert hyper.noises[2] > 2 * hyper.noises[:2].max()
    assert hyper.scales[2] < hyper.scales[:2].min()
