"""How often A/B rules promote a challenger that is no better, and how many pairs they need for one that is.

Each cell is simulated anew with its own seed; all rules see the same pairs and look after every one. `--check` wants at
most 5 % false promotions of Palate in every cell without an effect, for three null challengers together, and, within
two standard errors, through the product's own services; and median pairs at +0.5 and +0.8 star of at most 1.05 × those
of the plain betting rule.
"""

import argparse
import math
import sys
from concurrent.futures import ProcessPoolExecutor

import numpy as np

from benchmarks.abtest_services import play
from benchmarks.gate_rules import BETTING, OURS, RULES, first, given_up, palate
from benchmarks.pairs import PAIRS, Cell, Floats, Shape, differences
from web.domain.abtests.evidence import USUAL_SPREAD

NULLS: tuple[tuple[Shape, int], ...] = (
    ("even", 1),
    ("even", 3),
    ("spoils", 1),
    ("rescues", 1),
    ("indifferent", 1),
)
EFFECTS = (0.3, 0.5, 0.8)
RIVALS, RIVAL_PAIRS = 3, 240
PLAYED, PLAYED_QUICK = 100, 1
BAR, MARGIN = 0.05, 1.05


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="1,000 tests a cell instead of 4,000")
    parser.add_argument("--check", action="store_true", help="exit 1 where a bar is missed")
    told = parser.parse_args()
    tests = 1000 if told.quick else 4000
    wrong = _print_nulls(tests)
    ratios = _print_effects(tests)
    wrong |= _print_several(tests)
    _print_giving_up(tests)
    _print_bounds(tests)
    through = _print_services(PLAYED_QUICK if told.quick else PLAYED)
    print(f"{max(wrong.values()):.3f}  largest share of false promotions by Palate (bar {BAR})")
    print(f"{max(ratios.values()):.2f}  median pairs ÷ the betting rule's, the larger of +0.5 and +0.8 (bar {MARGIN})")
    missed = max(wrong.values()) > BAR or max(ratios.values()) > MARGIN or not through
    return 1 if told.check and missed else 0


def _print_nulls(tests: int) -> dict[str, float]:
    print(
        f"Promoted though no better, of {tests} tests of {PAIRS} pairs; standard errors up to {_error(0.05, tests):.3f}"
    )
    cells = {f"{shape}, {each} each": Cell(0.0, shape, each, tests) for shape, each in NULLS}
    stars = {name: differences(cell, 100 + at) for at, (name, cell) in enumerate(cells.items())}
    print(f"{'':32}" + "".join(f"{name:>18}" for name in stars))
    found = {
        rule: {name: float(np.isfinite(decide(d)).mean()) for name, d in stars.items()}
        for rule, decide in RULES.items()
    }
    for rule, shares in found.items():
        print(f"{rule:32}" + "".join(f"{share:18.3f}" for share in shares.values()))
    return found[OURS]


def _print_effects(tests: int) -> dict[float, float]:
    print("\nPromoted, with the median number of pairs among all, and its standard error")
    stars = {effect: differences(Cell(effect, tests=tests), 200 + at) for at, effect in enumerate((-0.3, *EFFECTS))}
    print(f"{'':32}" + "".join(f"{effect:>+24.1f}" for effect in stars))
    medians: dict[str, dict[float, float]] = {}
    for rule, decide in RULES.items():
        stops = {effect: decide(d) for effect, d in stars.items()}
        medians[rule] = {effect: float(np.median(found)) for effect, found in stops.items()}
        print(f"{rule:32}" + "".join(f"{_told(found):>24}" for found in stops.values()))
    return {effect: medians[OURS][effect] / medians[BETTING][effect] for effect in (0.5, 0.8)}


def _told(stops: Floats) -> str:
    share, middle = float(np.isfinite(stops).mean()), float(np.median(stops))
    if math.isinf(middle):
        return f"{share:.3f}"
    drawn = np.random.default_rng(0).integers(len(stops), size=(200, len(stops)))
    return f"{share:.3f} ({middle:.0f} ± {np.median(stops[drawn], axis=1).std():.1f})"


def _print_several(tests: int) -> dict[str, float]:
    """Play three challengers by top-two Thompson sampling, as `next_challenger` chooses, with a threshold of 60."""
    print(f"\nThree challengers, {RIVAL_PAIRS} pairs in all, threshold 60")
    wrong = _promoted([differences(Cell(0.0, tests=tests), 300 + one) for one in range(RIVALS)])
    print(f"{'all three null':32}{(wrong > 0).mean():.3f} promoted")
    streams = [differences(Cell(effect, tests=tests), 310 + at) for at, effect in enumerate((0.5, 0.0, 0.0))]
    found = _promoted(streams)
    print(f"{'one at +0.5':32}{(found == 1).mean():.3f} found it, {(found > 1).mean():.3f} took another")
    return {"three null": float((wrong > 0).mean())}


def _promoted(streams: list[Floats]) -> Floats:
    """Return which challenger each test promotes, counted from 1, and 0 for none."""
    random = np.random.default_rng(400)
    stars = np.stack(streams, axis=1)
    wealth = np.stack([palate(stream) for stream in streams], axis=1)
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
        won = (wealth[tests, one, at] >= math.log(20 * RIVALS)) & (at + 1 >= 12) & (winner == 0)
        winner[won] = one[won] + 1
    return winner


def _print_giving_up(tests: int) -> None:
    print("\nWith what gives a challenger up (harm, or no gain of 0.3 star): promoted, and mean pairs of a test")
    for at, effect in enumerate((-0.3, 0.0, *EFFECTS)):
        stars = differences(Cell(effect, tests=tests), 500 + at)
        won, lost = first(palate(stars) >= math.log(20)), given_up(stars)
        ended = np.minimum(np.minimum(won, lost), PAIRS)
        print(f"{effect:+32.1f}{(won < lost).mean():8.3f}{ended.mean():8.0f} ± {ended.std() / math.sqrt(tests):.1f}")


def _print_bounds(tests: int) -> None:
    stars = differences(Cell(0.5, tests=tests), 600)
    low = float((palate(stars, 0.5).max(axis=1) >= math.log(20)).mean())
    high = float((palate(-stars, -0.5).max(axis=1) >= math.log(20)).mean())
    error = _error(0.05, tests)
    print(f"\nBounds of a true +0.5 ever wrong: lower {low:.3f}, upper {high:.3f} ± {error:.3f} (promised 0.050)\n")


def _print_services(tests: int) -> bool:
    """Play tests without an effect through the services; tell whether false promotions may be 5 % or fewer."""
    with ProcessPoolExecutor(2) as pool:
        ends = [found.outcome if found else "open" for found in pool.map(play, range(tests))]
    share = ends.count("promote") / tests
    told = ", ".join(f"{ends.count(end)} {end}" for end in sorted(set(ends)))
    print(f"Through the services, {tests} tests without an effect and of untidy raters: {told}\n")
    return share <= BAR + 2 * _error(BAR, tests)


def _error(share: float, tests: int) -> float:
    return math.sqrt(share * (1 - share) / tests)


if __name__ == "__main__":
    sys.exit(main())
