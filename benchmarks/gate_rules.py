"""Rules that decide from pairs whether a challenger is promoted: Palate's, and those that others use."""

import math
from collections.abc import Callable, Mapping

import numpy as np
from scipy.stats import norm

from benchmarks.pairs import Judged
from benchmarks.raters import Floats
from web.domain.abtests.evidence import LARGEST, PARTS, RATES, SPREAD_BELIEF, USUAL_SPREAD
from web.domain.abtests.liking import AGAIN, BELIEF, COMMON, FEWEST, TASTE, needed

Rule = Callable[[Judged], Floats]
LEAST = 12  # pairs before anything is promoted, for all rules but the one that looks once
GRID = np.linspace(0.05, 0.95, 19)
OURS, ALONE, BETTING = "Palate", "its evidence alone, E ≥ 20", "betting, 19 rates, E ≥ 20"
AT_ONCE = 500  # tests whose raters are looked at in one go


def log_wealth(stars: Floats, rates: Floats, parts: Floats, claim: float = 0.0) -> Floats:
    """Return log E after each pair, as tests × pairs, of a bettor who splits wealth among constant rates."""
    x = (stars - claim) / (LARGEST + claim)
    total = np.full(x.shape, -np.inf)
    for rate, part in zip(rates, parts, strict=True):
        total = np.logaddexp(total, math.log(part) + np.cumsum(np.log1p(rate * x), axis=1))
    return total


def palate(stars: Floats, claim: float = 0.0) -> Floats:
    """Return log E as `web.domain.abtests.evidence` bets; a test holds them to be the same."""
    return log_wealth(stars, np.array(RATES), np.array(PARTS), claim)


def likings(judged: Judged, threshold: float = 20.0) -> tuple[Floats, Floats]:
    """Return `across` and what is needed of it after each pair, as `web.domain.abtests.liking` has them."""
    parts = [
        _likings(judged.who[at : at + AT_ONCE], judged.given[at : at + AT_ONCE], threshold)
        for at in range(0, len(judged.who), AT_ONCE)
    ]
    return np.concatenate([across for across, _ in parts]), np.concatenate([limit for _, limit in parts])


def _likings(who: np.ndarray, given: Floats, threshold: float) -> tuple[Floats, Floats]:
    people, each = int(who.max()) + 1, who.shape[2]
    mine = who[..., None] == np.arange(people)
    counts = np.cumsum(mine.sum(axis=2), axis=1)
    means = np.cumsum((mine * given[..., None]).sum(axis=2), axis=1) / np.maximum(counts, 1)
    total, raters = counts.sum(axis=2), (counts > 0).sum(axis=2)
    apart = np.cumsum((given**2).sum(axis=2), axis=1) - (counts * means**2).sum(axis=2)
    noise = ((apart + SPREAD_BELIEF * USUAL_SPREAD**2) / (total - raters + SPREAD_BELIEF))[..., None]
    many = np.where(counts > 0, counts, math.inf)
    known = counts > 0
    weights = known / (TASTE**2 + AGAIN * noise * (1 + COMMON * (each - 1)) / many)
    mean = (weights * means).sum(axis=2) / weights.sum(axis=2)
    differ = (known * (means - mean[..., None]) ** 2 / (TASTE**2 + noise / many)).sum(axis=2)
    across = mean * np.sqrt(weights.sum(axis=2) * (raters - 1 + BELIEF) / (differ + BELIEF))
    limits = np.array([needed(one, threshold) if one >= FEWEST else 0.0 for one in range(people + 1)])
    return np.where(raters >= FEWEST, across, 0.0), limits[raters]


def promotes(judged: Judged, threshold: float = 20.0) -> np.ndarray:
    """Tell after each pair whether Palate would promote, were there enough of them."""
    across, limit = likings(judged, threshold)
    enough: np.ndarray = (palate(judged.stars) >= math.log(threshold)) & (across >= limit)
    return enough


def first(promoted: np.ndarray, least: int = LEAST) -> Floats:
    """Return the number of the pair with which each test promotes, infinite where none does."""
    promoted = promoted.copy()
    promoted[:, : least - 1] = False
    return np.where(promoted.any(axis=1), promoted.argmax(axis=1) + 1.0, np.inf)


def given_up(stars: Floats, worth: float = 0.3, harm: float = 10.0) -> Floats:
    """Return the number of the pair with which Palate gives a challenger up: harm, or no gain worth having."""
    against = log_wealth(-stars, np.array(RATES), np.array(PARTS), -worth)
    worse = log_wealth(-stars, np.array(RATES), np.array(PARTS))
    futile = first(against >= math.log(20))
    return np.minimum(futile, first(worse >= math.log(harm), 1))


def _betting(threshold: float) -> Rule:
    return lambda judged: first(log_wealth(judged.stars, GRID, np.full(19, 1 / 19)) >= math.log(threshold))


def _tuned(judged: Judged) -> Floats:
    """One bet, tuned to a planned sixty pairs and to the spread so far."""
    x = judged.stars / LARGEST
    spread = (np.cumsum(x**2, axis=1) + 0.1) / np.arange(2, x.shape[1] + 2)
    spread = np.column_stack([np.full(len(x), 0.1), spread[:, :-1]])
    rate = np.minimum(0.9, np.sqrt(2 * math.log(20) / (60 * spread)))
    return first(np.cumsum(np.log1p(rate * x), axis=1) >= math.log(20))


def _sign(judged: Judged) -> Floats:
    signs = LARGEST * np.sign(judged.stars)
    return first(log_wealth(signs, GRID, np.full(19, 1 / 19)) >= math.log(20))


def _higher_mean(judged: Judged) -> Floats:
    return np.where(judged.stars[:, :10].mean(axis=1) > 0, 10.0, np.inf)


def _chance_to_beat(judged: Judged) -> Floats:
    mean, error, _ = _moments(judged.stars)
    return first(norm.cdf(mean / error) > 0.95, 10)


def _mixture(tuned_to: int) -> Rule:
    """The asymptotic confidence sequence of Waudby-Smith et al. (2021), one-sided at 5 %, as GrowthBook uses it."""
    alpha = 0.1  # both sides together
    rho = (-2 * math.log(alpha) + math.log(-2 * math.log(alpha) + 1)) / tuned_to

    def rule(judged: Judged) -> Floats:
        mean, error, n = _moments(judged.stars)
        wide = np.sqrt(2 * (n * rho + 1) / (n * rho) * np.log(np.sqrt(n * rho + 1) / alpha))
        return first(mean > error * wide)

    return rule


def _moments(stars: Floats) -> tuple[Floats, Floats, Floats]:
    n = np.arange(1.0, stars.shape[1] + 1)
    mean = np.cumsum(stars, axis=1) / n
    variance = np.maximum(np.cumsum(stars**2, axis=1) / n - mean**2, 1e-9) * n / np.maximum(n - 1, 1)
    return mean, np.sqrt(variance / n), n


RULES: Mapping[str, Rule] = {
    OURS: lambda judged: first(promotes(judged)),
    ALONE: lambda judged: first(palate(judged.stars) >= math.log(20)),
    BETTING: _betting(20),
    "betting, 19 rates, E ≥ 10": _betting(10),
    "betting on signs, E ≥ 20": _sign,
    "one bet tuned to 60 pairs": _tuned,
    "normal mixture, n* = 50": _mixture(50),
    "normal mixture, n* = 5000": _mixture(5000),
    "chance to beat > 95 %, peeking": _chance_to_beat,
    "higher mean after 10, once": _higher_mean,
}
