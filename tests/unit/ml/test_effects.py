import numpy as np

from ml_service import effects
from tests.unit.ml.histories import BIASES, random_history, rated


def test_biases_of_raters_are_found() -> None:
    found = effects.estimate(list(random_history(400)))
    for rater, bias in BIASES.items():
        assert abs(found.raters[rater].mean - bias) < 0.2


def test_one_rating_moves_a_level_little() -> None:
    once = [rated({}, 1, 5, "ana"), rated({}, 2, 1, "ben")]
    often = [rated({}, i, rating, rater, f"photo-{i}") for i in range(40) for rater, rating in (("ana", 5), ("ben", 1))]
    assert 0 < effects.estimate(once).raters["ana"].mean < 0.6
    assert effects.estimate(often).raters["ana"].mean > 1.7


def test_more_ratings_make_a_level_surer() -> None:
    found = effects.estimate([*random_history(50), rated({}, 99, 3, "dee")])
    assert found.raters["dee"].ratings == 1
    assert found.raters["dee"].sd > 1.5 * found.raters["ana"].sd


def test_a_corrected_rating_has_neither_rater_nor_item_in_it() -> None:
    photos = [(f"photo-{i}", shift) for i, shift in enumerate(np.linspace(-0.5, 0.5, 6))]
    seen = [
        rated({}, 100 * i + j, 3 + shift + bias, rater, photo)
        for i in range(20)
        for j, (photo, shift) in enumerate(photos)
        for rater, bias in BIASES.items()
    ]
    found = effects.estimate(seen)
    assert np.ptp([one.rating for one in seen]) > 2
    assert np.ptp([found.corrected(one) for one in seen]) < 0.15
