"""How often A/B rules promote a challenger that is no better, and how many pairs they need for one that is.

Each cell is simulated anew with its own seed; all rules see the same pairs and look after every one. No better means
that raters like these like it no better on average; each of them has a taste of their own, unless it is said to be 0.
`--check` wants of Palate at most 5 % false promotions with eight raters and more and 6 % with four, 5 % without
tastes, for three null challengers together and through the product's own services; at +0.5 star the power of `POWER`
and a median of 45 pairs; and median pairs at +0.5 and +0.8 star of at most 1.05 × those of the plain betting rule.
With `--quick` shares and medians may miss by two standard errors, and the share through the services always may.
"""

import argparse
import math
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np

from benchmarks.abtest_services import play
from benchmarks.gate_rules import ALONE, BETTING, OURS, RULES, first, given_up, palate, promotes
from benchmarks.pairs import PAIRS, Cell, Judged, Shape, differences
from benchmarks.raters import IMAGINED, OF_IMAGES, SEEN, Floats
from web.domain.abtests.evidence import USUAL_SPREAD

NULLS: tuple[tuple[Shape, int], ...] = (
    ("even", 1),
    ("even", 3),
    ("spoils", 1),
    ("rescues", 1),
    ("indifferent", 1),
)
OF_ONE_MIND = replace(SEEN, taste=0.0)
PANELS = (2, 3, 4, 8, 16)
OTHERS: Mapping[str, Cell] = {
    "4 who judge images": Cell(0.0, raters=OF_IMAGES),
    "8 who judge images": Cell(0.0, people=8, raters=OF_IMAGES),
    "4 as once imagined": Cell(0.0, raters=IMAGINED["pairs"]),
    "4, liked no better by these": Cell(0.0, centred=True),
    "8, liked no better by these": Cell(0.0, people=8, centred=True),
}
EFFECTS = (0.3, 0.5, 0.8)
WORTH: Mapping[str, Cell] = {
    "2 raters": Cell(0.0, people=2),
    "4 raters": Cell(0.0),
    "8 raters": Cell(0.0, people=8),
    "16 raters": Cell(0.0, people=16),
    "8 who judge images": Cell(0.0, people=8, raters=OF_IMAGES),
    "4 as once imagined": Cell(0.0, raters=IMAGINED["pairs"]),
}
RIVALS, RIVAL_PAIRS = 3, 240
PLAYED, PLAYED_QUICK = 100, 1
BAR, BAR_OF_FOUR, MARGIN, MEDIAN = 0.05, 0.06, 1.05, 45
POWER = {4: 0.84, 8: 0.95}  # at +0.5 star, by how many rate


@dataclass
class Bars:
    """What is asked of Palate, and where it was missed; shares may miss by so many standard errors."""

    errors: int
    missed: list[str] = field(default_factory=list)

    def most(self, what: str, share: float, bar: float, tests: int) -> None:
        """Ask that a share of tests is not above a bar."""
        if share > bar + self.errors * _error(bar, tests):
            self.missed.append(f"{what}: {share:.3f}, at most {bar}")

    def least(self, what: str, share: float, bar: float, tests: int) -> None:
        """Ask that a share of tests is not below a bar."""
        if share < bar - self.errors * _error(bar, tests):
            self.missed.append(f"{what}: {share:.3f}, at least {bar}")

    def pairs(self, what: str, value: float, bar: float, error: float = 0.0) -> None:
        """Ask that pairs, or a ratio of pairs, are not above a bar."""
        if value > bar + self.errors * error:
            self.missed.append(f"{what}: {value:.3g}, at most {bar}")


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="1,000 tests a cell instead of 4,000")
    parser.add_argument("--check", action="store_true", help="exit 1 where a bar is missed")
    told = parser.parse_args()
    tests, bars = (1000, Bars(2)) if told.quick else (4000, Bars(0))
    _print_nulls(tests, bars)
    _print_panels(tests, bars)
    _print_effects(tests, bars)
    _print_worth(tests, bars)
    _print_limits(tests)
    _print_several(tests, bars)
    _print_giving_up(tests)
    _print_bounds(tests)
    _print_services(PLAYED_QUICK if told.quick else PLAYED, bars)
    print("\n".join(f"missed: {one}" for one in bars.missed) or "no bar was missed")
    return 1 if told.check and bars.missed else 0


def _print_nulls(tests: int, bars: Bars) -> None:
    error = _error(BAR, tests)
    print(f"Promoted though no better, of {tests} tests of {PAIRS} pairs; standard errors up to {error:.3f}")
    print("Four raters of one mind, and as seen, by what the challenger does to images and raters of a pair")
    minds = (("0", OF_ONE_MIND, BAR), (f"{SEEN.taste:g}", SEEN, BAR_OF_FOUR))
    cells = [Cell(0.0, shape, each, tests, raters=raters) for _, raters, _ in minds for shape, each in NULLS]
    names = [f"{shape}, {each}, {taste}" for taste, _, _ in minds for shape, each in NULLS]
    limits = [bar for _, _, bar in minds for _ in NULLS]
    judged = [differences(cell, 100 + at) for at, cell in enumerate(cells)]
    print(f"{'':32}" + "".join(f"{name:>22}" for name in names))
    for rule, decide in RULES.items():
        shares = [_share(decide(one)) for one in judged]
        print(f"{rule:32}" + "".join(f"{share:22.3f}" for share in shares))
        for name, share, bar in zip(names, shares, limits, strict=True):
            if rule == OURS:
                bars.most(f"no better ({name})", share, bar, tests)


def _print_panels(tests: int, bars: Bars) -> None:
    print("\nPromoted though no better, by how many rate and who they are: Palate, and by its evidence alone")
    cells = {f"{people}, taste 0": Cell(0.0, people=people, raters=OF_ONE_MIND) for people in PANELS}
    cells |= {f"{people}, taste {SEEN.taste:g}": Cell(0.0, people=people) for people in PANELS}
    for at, (name, cell) in enumerate({**cells, **OTHERS}.items()):
        judged = differences(replace(cell, tests=tests), 700 + at)
        ours, alone = (_share(RULES[rule](judged)) for rule in (OURS, ALONE))
        print(f"{name:32}{ours:8.3f}{alone:8.3f}")
        if name in cells and (cell.people >= 4 or not cell.raters.taste):
            bar = BAR if cell.people >= 8 or not cell.raters.taste else BAR_OF_FOUR
            bars.most(f"no better ({name})", ours, bar, tests)


def _print_effects(tests: int, bars: Bars) -> None:
    print("\nPromoted with four raters, with the median number of pairs among all, and its standard error")
    judged = {effect: differences(Cell(effect, tests=tests), 200 + at) for at, effect in enumerate((-0.3, *EFFECTS))}
    print(f"{'':32}" + "".join(f"{effect:>+24.1f}" for effect in judged))
    medians: dict[str, dict[float, float]] = {}
    for rule, decide in RULES.items():
        stops = {effect: decide(one) for effect, one in judged.items()}
        medians[rule] = {effect: float(np.median(found)) for effect, found in stops.items()}
        print(f"{rule:32}" + "".join(f"{_told(found):>24}" for found in stops.values()))
    ratios = [medians[OURS][effect] / medians[BETTING][effect] for effect in (0.5, 0.8)]
    print(f"{max(ratios):.2f}  median pairs ÷ the betting rule's, the larger of +0.5 and +0.8 (bar {MARGIN})")
    bars.pairs("median pairs ÷ the betting rule's", max(ratios), MARGIN)


def _print_worth(tests: int, bars: Bars) -> None:
    print("\nPromoted by Palate, by how many rate and who they are; by its evidence alone in the second line")
    print(f"{'':32}" + "".join(f"{effect:>+24.1f}" for effect in EFFECTS))
    for at, (name, cell) in enumerate(WORTH.items()):
        judged = [differences(replace(cell, effect=one, tests=tests), 800 + at) for one in EFFECTS]
        for rule in (OURS, ALONE):
            stops = [RULES[rule](one) for one in judged]
            print(f"{name if rule == OURS else '':32}" + "".join(f"{_told(found):>24}" for found in stops))
            if rule == OURS and cell.raters == SEEN and cell.people in POWER:
                half = stops[EFFECTS.index(0.5)]
                bars.least(f"power at +0.5 ({name})", _share(half), POWER[cell.people], tests)
                bars.pairs(f"median pairs at +0.5 ({name})", float(np.median(half)), MEDIAN, _median_error(half))


def _print_limits(tests: int) -> None:
    """Print what a single look at raters' means finds, whose threshold is set by the false promotions themselves."""
    print(f"\nOne look after {PAIRS} pairs at the mean over raters, as many false promotions as the bar: found of +0.5")
    for people, bar in ((4, BAR_OF_FOUR), (8, BAR)):
        none, half = (_means(differences(Cell(one, tests=tests, people=people), 900)) for one in (0.0, 0.5))
        print(f"{f'{people} raters':32}{(half > np.quantile(none, 1 - bar)).mean():.3f}")


def _means(judged: Judged) -> Floats:
    """Return each test's mean over raters of the mean difference that they gave."""
    mine = judged.who[..., 0, None] == np.arange(judged.who.max() + 1)
    means: Floats = ((mine * judged.given).sum(axis=1) / np.maximum(mine.sum(axis=1), 1)).mean(axis=1)
    return means


def _told(stops: Floats) -> str:
    share, middle = _share(stops), float(np.median(stops))
    if math.isinf(middle):
        return f"{share:.3f}"
    return f"{share:.3f} ({middle:.0f} ± {_median_error(stops):.1f})"


def _median_error(stops: Floats) -> float:
    drawn = np.random.default_rng(0).integers(len(stops), size=(200, len(stops)))
    middles = np.median(stops[drawn], axis=1)
    return float(middles[np.isfinite(middles)].std())


def _print_several(tests: int, bars: Bars) -> None:
    """Play three challengers by top-two Thompson sampling, as `next_challenger` chooses, with a threshold of 60."""
    print(f"\nThree challengers, {RIVAL_PAIRS} pairs in all, threshold 60")
    wrong = _promoted([differences(Cell(0.0, tests=tests), 300 + one) for one in range(RIVALS)])
    print(f"{'all three null':32}{(wrong > 0).mean():.3f} promoted")
    found = _promoted([differences(Cell(effect, tests=tests), 310 + at) for at, effect in enumerate((0.5, 0.0, 0.0))])
    print(f"{'one at +0.5':32}{(found == 1).mean():.3f} found it, {(found > 1).mean():.3f} took another")
    bars.most("three null challengers", float((wrong > 0).mean()), BAR, tests)


def _promoted(streams: Sequence[Judged]) -> Floats:
    """Return which challenger each test promotes, counted from 1, and 0 for none."""
    random = np.random.default_rng(400)
    stars = np.stack([one.stars for one in streams], axis=1)
    sure = np.stack([promotes(one, 20.0 * RIVALS) for one in streams], axis=1)
    tests = np.arange(len(stars))
    met, total = np.zeros(stars.shape[:2], dtype=int), np.zeros(stars.shape[:2])
    winner = np.zeros(len(stars))
    for _ in range(RIVAL_PAIRS):
        drawn = random.normal(total / np.maximum(met, 1), USUAL_SPREAD / np.sqrt(met + 1))
        drawn[met >= PAIRS] = -np.inf
        ranked = np.argsort(-drawn, axis=1)
        one = np.where(random.random(len(stars)) < 0.5, ranked[:, 1], ranked[:, 0])
        at = met[tests, one]
        total[tests, one] += stars[tests, one, at]
        met[tests, one] += 1
        won = sure[tests, one, at] & (at + 1 >= 12) & (winner == 0)
        winner[won] = one[won] + 1
    return winner


def _print_giving_up(tests: int) -> None:
    print("\nWith what gives a challenger up (harm, or no gain of 0.3 star): promoted, and mean pairs of a test")
    for at, effect in enumerate((-0.3, 0.0, *EFFECTS)):
        judged = differences(Cell(effect, tests=tests), 500 + at)
        won, lost = first(promotes(judged)), given_up(judged.stars)
        ended = np.minimum(np.minimum(won, lost), PAIRS)
        print(f"{effect:+32.1f}{(won < lost).mean():8.3f}{ended.mean():8.0f} ± {ended.std() / math.sqrt(tests):.1f}")


def _print_bounds(tests: int) -> None:
    error = _error(0.05, tests)
    print()
    for name, cell in {"of one mind": Cell(0.5, raters=OF_ONE_MIND), "as seen": Cell(0.5)}.items():
        stars = differences(replace(cell, tests=tests), 600).stars
        low = float((palate(stars, 0.5).max(axis=1) >= math.log(20)).mean())
        high = float((palate(-stars, -0.5).max(axis=1) >= math.log(20)).mean())
        print(f"Bounds of a true +0.5 ever wrong, four {name}: lower {low:.3f}, upper {high:.3f} ± {error:.3f}")


def _print_services(tests: int, bars: Bars) -> None:
    """Play tests without an effect through the services."""
    with ProcessPoolExecutor(2) as pool:
        ends = [found.outcome if found else "open" for found in pool.map(play, range(tests))]
    told = ", ".join(f"{ends.count(end)} {end}" for end in sorted(set(ends)))
    print(f"\nThrough the services, {tests} tests without an effect and of untidy raters: {told}\n")
    bars.most("through the services", ends.count("promote") / tests, BAR + 2 * _error(BAR, tests), tests)


def _share(stops: Floats) -> float:
    return float(np.isfinite(stops).mean())


def _error(share: float, tests: int) -> float:
    return math.sqrt(share * (1 - share) / tests)


if __name__ == "__main__":
    sys.exit(main())
