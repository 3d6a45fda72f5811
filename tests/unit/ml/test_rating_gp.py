import numpy as np

from ml_service.rating_gp import KEPT, MixedMatern, RatingGP, sd
from ml_service.space import SearchSpace
from tests.unit.ml.histories import BOWL, MIXED, bowl, random_history, rated


def test_the_kernel_gives_the_gradient_of_its_values() -> None:
    search = SearchSpace(MIXED)
    rows = search.unit(search.initial(3, 6))
    scales, step = np.array([0.4, 0.6, 0.8, 1.0]), 1e-6
    values, gradient = MixedMatern(scales, search.is_category)(rows, eval_gradient=True)
    for column in range(4):
        moved = np.where(np.arange(4) == column, scales * np.exp(step), scales)
        change = (MixedMatern(moved, search.is_category)(rows) - values) / step
        assert np.allclose(change, gradient[..., column], atol=1e-5)


def test_the_mean_follows_the_taste_and_the_spread_shrinks() -> None:
    belief = RatingGP(SearchSpace(BOWL), list(random_history(150)))
    points = belief.space.random(np.random.default_rng(9), 100)
    mean, covariance = belief.posterior(points)
    assert np.corrcoef(mean, [bowl(point) for point in points])[0, 1] > 0.85
    assert sd(covariance).max() < sd(belief.prior(points)).min()


def test_without_ratings_every_point_is_equal() -> None:
    belief = RatingGP(SearchSpace(MIXED), [])
    mean, covariance = belief.posterior(belief.space.initial(0, 5))
    assert set(mean) == {3.0}
    assert np.array_equal(covariance, belief.prior(belief.space.initial(0, 5)))


def test_ratings_of_one_output_are_one_row() -> None:
    seen = [rated(BOWL.default(), 1, stars, rater) for rater, stars in (("ana", 2), ("ben", 4))]
    assert len(RatingGP(SearchSpace(BOWL), seen).outputs) == 1


def test_of_many_outputs_the_newest_are_kept() -> None:
    seen = list(random_history(KEPT + 5))
    assert RatingGP(SearchSpace(BOWL), seen).outputs == [one.point for one in seen[5:]]
