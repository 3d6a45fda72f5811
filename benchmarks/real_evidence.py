"""A/B tests played with ratings that people gave: two treatments of one content, of which it is known what all think.

A null test draws pairs of treatments that all raters of a set like nearly alike, in either order; one with an effect
pairs that differ by half a star. Who judges is drawn anew for each test, and rates what they really rated.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks.gate_rules import OURS, RULES
from benchmarks.pairs import PAIRS, Ints, Judged
from benchmarks.real_sets import Floats, RealSet

ALIKE, HALF = (-0.25, 0.25), (0.35, 0.65)  # stars between the means of two treatments
BAR, TESTS, TRIED = 0.05, 400, 40  # share of null tests that may promote; tests of a set; draws of a pair
PEOPLE = (4, 8, 16)


def evidence(chosen: Sequence[RealSet], tests: int = TESTS) -> list[str]:
    """Print how often Palate promotes in tests with and without an effect; return where it does so too often."""
    missed = []
    print(f"\nA/B tests of {PAIRS} pairs, {tests} a set: promoted of two treatments liked alike, and half a star apart")
    for people in PEOPLE:
        found = {kind: promoted(chosen, people, apart, tests) for kind, apart in _KINDS.items()}
        null, half = found["alike"], found["half a star"]
        share, error = float(np.isfinite(null).mean()), float(np.sqrt(BAR * (1 - BAR) / len(null)))
        power, middle = float(np.isfinite(half).mean()), float(np.median(half))
        print(f"{people} raters: {share:.3f} of {len(null)}; {power:.3f} (median of {middle:.0f} pairs) of {len(half)}")
        if share > BAR + 2 * error:
            missed.append(f"{people} raters: {share:.3f} of null tests promote")
    return missed


_KINDS: Mapping[str, tuple[float, float]] = {"alike": ALIKE, "half a star": HALF}


def promoted(chosen: Sequence[RealSet], people: int, apart: tuple[float, float], tests: int) -> Floats:
    """Return with which pair each test of all sets promotes, infinite where it does not."""
    random = np.random.default_rng([people, *map(ord, str(apart))])
    played = [_played(one, people, _treated(one, apart), tests, random) for one in chosen if one.raters >= people]
    return np.concatenate([RULES[OURS](judged) for judged in played if judged is not None])


def _treated(one: RealSet, apart: tuple[float, float]) -> Ints:
    """Return the pairs of items of one content whose means differ by so much, the better one second."""
    mean, content = np.nanmean(one.stars, axis=0), np.array(one.content)
    gain = mean[None, :] - mean[:, None]
    fits = (content[:, None] == content) & (gain >= apart[0]) & (gain <= apart[1]) & ~np.eye(len(mean), dtype=bool)
    return np.argwhere(fits)


def _played(one: RealSet, people: int, pairs: Ints, tests: int, random: np.random.Generator) -> Judged | None:
    """Return tests whose raters judge pairs that they have rated both of; None where there are no such pairs."""
    if not len(pairs):
        return None
    panels = np.stack([random.permutation(one.raters)[:people] for _ in range(tests)])
    size = tests, PAIRS, TRIED
    who, which = random.integers(people, size=size), pairs[random.integers(len(pairs), size=size)]
    rater = panels[np.arange(tests)[:, None, None], who]
    gain = one.stars[rater, which[..., 1]] - one.stars[rater, which[..., 0]]
    first = np.isfinite(gain).argmax(axis=2)[..., None]  # who did not rate both is passed over
    given = np.take_along_axis(gain, first, axis=2)
    return Judged(np.take_along_axis(who, first, axis=2), np.nan_to_num(given))
