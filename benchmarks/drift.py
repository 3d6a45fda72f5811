"""What does it cost opinion scores that raters become stricter, and would a line for each of them pay?

Run with `python -m benchmarks.drift [--studies K]`. The raters are `benchmarks.raters.SEEN`, with drift and trend and,
with the same noise, without, their levels then being those of the middle of their ratings. The order of the ratings is
each rater's own, the same for all, or the same with later items better, as where an optimizer makes them. A *line* is
taken off a rater's stars: fitted to what they gave beyond the scores, and shrunken towards a common trend. It is told,
for a fitted one takes items that become better for raters who become milder. It has no bar to hold.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr
from scipy.stats import spearmanr

from benchmarks.judges import Honest, drawn
from benchmarks.raters import SEEN, SESSION
from benchmarks.ratios import mean_and_error
from web.domain.rating.numbers.scores import OpinionScores, numbered, opinion_scores

DESIGNS = ((60, 8, 3), (120, 8, 8), (300, 10, 3), (100, 24, 12), (400, 8, 3))  # items, raters, ratings of an item
ORDERS = ("own", "same", "better")
QUALITY, SPREAD, BETTER = 3.1, 0.8, 0.6  # of items; the correlation of quality with place where later ones are better
OTHERS = 0.15  # variance, in stars², of what the others let one expect of a rating
ROUNDS = 3
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Lines:
    """Lines of raters: the trend that they share, whether each has one of its own, and whether the trend is told."""

    trend: float
    own: bool = True
    told: bool = True


LINES = {
    "own lines": Lines(0.0),
    f"own lines about {SEEN.trend}": Lines(SEEN.trend),
    "own lines about a fitted trend": Lines(SEEN.trend, told=False),
    f"{SEEN.trend} for all": Lines(SEEN.trend, own=False),
}


def felt(people: Honest, quality: Floats, sessions: Floats | float) -> Floats:
    """Return what raters think of qualities after so many sessions, before noise; arrays broadcast."""
    return np.asarray(3 + people.slope * (quality - 3) + people.level + people.moves * sessions)


@dataclass(frozen=True)
class Study:
    """Ratings in the order of time: item, rater, sessions that the rater had behind, stars with drift and without."""

    items: list[str]
    raters: list[str]
    sessions: Floats
    drifting: Floats
    steady: Floats
    truth: Floats


def truth(quality: Floats, sessions: float) -> Floats:
    """Return the mean rating of each quality over all seen raters, at any time within so many sessions."""
    random = np.random.default_rng(99)
    people = drawn(3000, random, SEEN)
    thought = felt(people, quality[:, None], random.uniform(0, sessions, 3000))
    noise = np.hypot(people.noise, SEEN.taste)
    return np.asarray(1 + ndtr((thought[..., None] - people.cuts) / noise[:, None]).mean(1).sum(-1))


def study(items: int, raters: int, each: int, order: str, seed: int) -> Study:
    """Draw a study in which each item is rated by raters taken at random."""
    random = np.random.default_rng([seed, items, raters, each])
    people, place = drawn(raters, random, SEEN), np.linspace(-1, 1, items) * np.sqrt(3)
    share = BETTER if order == "better" else 0.0
    quality = QUALITY + SPREAD * (share * place + np.sqrt(1 - share**2) * random.normal(size=items))
    taste = random.normal(0, SEEN.taste, (items, raters))
    item = np.repeat(np.arange(items), each)
    rater = np.concatenate([random.choice(raters, each, replace=False) for _ in range(items)])
    if order == "own":
        mixed = random.permutation(len(item))
        item, rater = item[mixed], rater[mixed]
    before = np.array([(rater[:at] == one).sum() for at, one in enumerate(rater)]) / SESSION
    luck = taste[item, rater] + people.noise[rater] * random.normal(size=len(item))
    still = felt(people, quality[:, None], 0.0)[item, rater] + luck

    def stars(moved: Floats) -> Floats:
        return np.asarray(1.0 + (still + moved > people.cuts[rater].T).sum(0))

    moves, middle = people.moves[rater], len(item) / raters / 2 / SESSION
    names = [*map(str, item)], [*map(str, rater)]
    return Study(*names, before, stars(moves * before), stars(moves * middle), truth(quality, 2 * middle))


def without_lines(study: Study, stars: Floats, lines: Lines) -> Floats:
    """Return stars from which each rater's line is taken; own ones are fitted in turns with the scores."""
    names, rater = numbered(study.raters)
    count = len(names)
    away = study.sessions - (np.bincount(rater, study.sessions) / np.bincount(rater))[rater]
    line = np.full(count, lines.trend)
    for _ in range(ROUNDS if lines.own else 0):
        scores = opinion_scores(study.items, study.raters, (stars - line[rater] * away).tolist())
        left, variance = _left(scores, names, rater, stars)
        about = SEEN.drift**2
        weight, sum_of = (
            np.bincount(rater, away**2 / variance, count),
            np.bincount(rater, away * left / variance, count),
        )
        line = (sum_of + line.mean() / about) / (weight + 1 / about)
        line += lines.trend - line.mean() if lines.told else 0.0
    return stars - line[rater] * away


def _left(scores: OpinionScores, names: Sequence[str], rater: NDArray[np.intp], stars: Floats) -> tuple[Floats, Floats]:
    """Return what each rating is beyond what its rater's level and scale and the others let expect; its variance."""
    judges = {one.rater: one for one in scores.judges}
    habits = [(judges[name].bias.mean, judges[name].scale.mean, judges[name].noise) for name in names]
    level, scale, noise = np.array(habits)[rater].T
    return stars - scores.mean - level - scale * (np.array(scores.expected) - scores.mean), noise**2 + OTHERS


def off(study: Study, stars: Floats) -> tuple[float, float]:
    """Return the root mean square error of scores, in stars, and their rank correlation with the truth."""
    scores = opinion_scores(study.items, study.raters, stars.tolist()).scores
    mean, true = np.array([one.mean for one in scores]), study.truth[[int(one.item) for one in scores]]
    return float(np.sqrt(np.mean((mean - true) ** 2))), float(spearmanr(mean, true)[0])


def compared(studies: Sequence[Study]) -> Mapping[str, tuple[list[float], list[float]]]:
    """Return for each change what it does to error, in percent, and to rank correlation, by study."""
    changes: dict[str, tuple[list[float], list[float]]] = {}
    for one in studies:
        drifting, steady = off(one, one.drifting), off(one, one.steady)
        pairs = {"drift": (drifting, steady)}
        for name, lines in LINES.items():
            pairs[name] = off(one, without_lines(one, one.drifting, lines)), drifting
            pairs[f"{name}, no drift"] = off(one, without_lines(one, one.steady, lines)), steady
        for name, (changed, base) in pairs.items():
            error, rank = changes.setdefault(name, ([], []))
            error.append(100 * (changed[0] / base[0] - 1))
            rank.append(changed[1] - base[1])
    return changes


def main(words: Sequence[str] | None = None) -> None:
    """Print what drift costs in each design, and what lines change."""
    parser = argparse.ArgumentParser("python -m benchmarks.drift", description=__doc__.split("\n")[0])
    parser.add_argument("--studies", type=int, default=24, help="of each design and order")
    chosen = parser.parse_args(words)
    for items, raters, each in DESIGNS:
        for order in ORDERS:
            found = compared([study(items, raters, each, order, seed) for seed in range(chosen.studies)])
            print(f"\n{items} items, {raters} raters, {each} ratings of each; order {order}: RMSE, rank")
            for name, (error, rank) in found.items():
                (percent, within), (apart, spread) = mean_and_error(error), mean_and_error(rank)
                print(f"  {name:42}{percent:+6.1f} ± {within:.1f} %  {apart:+.3f} ± {spread:.3f}")


if __name__ == "__main__":
    main()
