"""Raters of the optimizers' sessions and of the restoration game: imagined ones as ever, seen ones moving."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.digests import of_raters
from benchmarks.game import drawn
from benchmarks.likings import Likings
from benchmarks.optimizers import PLANS
from benchmarks.panel import CONDITIONS, Conditions, Panel
from benchmarks.population import mean_rating
from benchmarks.problems import SPACE
from benchmarks.raters import IMAGINED, SEEN, SESSION, Raters
from ml_service.optimizer.space import SearchSpace
from web.adapters.demo.raters import simulated_raters

MANY = 4000
RECORDED = {  # by condition and seed: 24 stars of the panel that played the kept sessions, and its last output
    ("plain", 7): ("112243252121253422232443", 4.209379),
    ("drift", 0): ("121234451322235412122243", 4.367749),
    ("random clicker", 0): ("231335545321345514221454", 4.004),
    ("only 3 to 5", 7): ("132243252121253422232443", 4.209379),
}


def stars(panel: Panel) -> tuple[str, float]:
    """Return 24 ratings of outputs of rising quality, and how good the last output was."""
    given, good = "", 0.0
    for turn in range(24):
        good = panel.output(1.5 + turn % 8 * 0.4, turn)
        given += str(panel.rate(good, turn % panel.conditions.raters, turn / 24))
    return given, round(good, 6)


@pytest.mark.parametrize(("conditions", "seed"), RECORDED)
def test_imagined_raters_give_what_they_gave_when_sessions_were_kept(conditions: str, seed: int) -> None:
    panel = Panel(seed, CONDITIONS[conditions], IMAGINED["sessions"])
    assert stars(panel) == RECORDED[conditions, seed]


def test_what_imagined_raters_say_on_average_stays() -> None:
    found = [mean_rating(quality, IMAGINED["sessions"]) for quality in (1, 2.6, 3.3, 4.4)]
    assert found == pytest.approx([1.3771137, 2.6103512, 3.3090457, 4.2862524], abs=1e-7)


def test_an_imagined_rater_of_the_game_is_one_of_the_product() -> None:
    ours, theirs = drawn(IMAGINED["restoration"], 5, 3), simulated_raters(5, 0.4, 0.5, 3)
    pictures = [(quality, str(quality).encode()) for quality in np.linspace(0.5, 5.5, 101)]
    for one, other in zip(ours, theirs, strict=True):
        assert [one.score(*each) for each in pictures] == [other.score(*each) for each in pictures]


def test_a_seen_rater_becomes_stricter_by_the_trend() -> None:
    still = replace(SEEN, drift=0.0)
    panel = Panel(0, Conditions(raters=MANY), still)
    before = np.mean([panel.rate(3.0, rater, 0) for rater in range(MANY)])
    panel.given = [SESSION] * MANY
    after = np.mean([panel.rate(3.0, rater, 0) for rater in range(MANY)])
    assert after - before == pytest.approx(_moved(3.0, SEEN.trend), abs=0.06)


def _moved(quality: float, stars_milder: float) -> float:
    """Return how far the mean rating moves with all levels."""
    return mean_rating(quality + stars_milder, SEEN) - mean_rating(quality, SEEN)


def test_levels_move_with_ratings_given_and_each_by_its_own_drift() -> None:
    panel = Panel(1, Conditions(raters=MANY), SEEN)
    moves = np.array([one.moves for one in panel.habits])
    assert (moves.mean(), moves.std()) == pytest.approx((SEEN.trend, SEEN.drift), abs=0.03)
    exact = replace(SEEN, level=0.0, scale=0.0, half=0.0, noise=1e-9, cut=0.0, drift=0.0, trend=-1.0)
    one = Panel(0, Conditions(raters=1), exact)
    given = [one.rate(4.5, 0, 0) for _ in range(2 * SESSION)]
    assert [given[0], given[19], given[21], given[-1]] == [5, 5, 4, 2]


def test_half_of_the_scale_is_used_by_so_many() -> None:
    habits = Panel(2, Conditions(raters=MANY), replace(SEEN, scale=0.0)).habits
    assert np.mean([one.scale == SEEN.half_scale for one in habits]) == pytest.approx(SEEN.half, abs=0.01)


@pytest.fixture
def likings() -> Callable[[float], Likings]:
    return lambda taste: Likings(SearchSpace(SPACE), 400, taste, np.random.default_rng(5))


def test_tastes_differ_by_as_much_as_is_said_and_cancel_out(likings: Callable[[float], Likings]) -> None:
    space = SearchSpace(SPACE)
    points = space.points(space.random(np.random.default_rng(6), 60))
    own = likings(0.35)
    found = np.array([[own.of(rater, point) for point in points] for rater in range(400)])
    assert found.std() == pytest.approx(0.35, rel=0.1)
    assert abs(found.mean()) < 0.03
    assert likings(0.0).of(0, points[0]) == 0


def test_raters_of_the_game_keep_their_word_and_become_stricter() -> None:
    one = drawn(replace(SEEN, noise=1e-9, drift=0.0, trend=-1.0, half=0.0, scale=0.0, cut=0.0, level=0.0), 1, 0)[0]
    pictures = [str(number).encode() for number in range(2 * SESSION)]
    given = [one.score(4.5, picture) for picture in pictures]
    assert [given[0], given[19], given[21], given[-1]] == [5, 5, 4, 2]
    assert [one.score(4.5, picture) for picture in pictures] == given


def test_a_result_is_of_what_its_raters_are() -> None:
    other = Raters(level=0.4, noise=0.5, noises=0.0, cuts=(1.5, 2.5, 3.5, 4.5))
    assert of_raters(IMAGINED["restoration"]) == of_raters(other)
    assert len({of_raters(one) for one in (SEEN, replace(SEEN, drift=0.0), *IMAGINED.values())}) == 2 + len(IMAGINED)


@pytest.mark.parametrize(("raters", "last", "slow"), [("seen", 100, 16), ("imagined", 200, 20)])
def test_who_plays_how_many_sessions(raters: str, last: int, slow: int) -> None:
    runs = PLANS[raters].runs(quick=False)
    assert {(run.raters, run.last) for run in runs} == {(raters, last)}
    counts = {name: len({run for run in runs if run.system == name}) for name in ("Palate", "skopt gp_hedge")}
    assert counts == {"Palate": 60, "skopt gp_hedge": slow}
    assert len(runs) == len(set(runs))
