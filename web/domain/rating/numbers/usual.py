"""What each rater's work looks like in a few numbers, beside which the others' are told usual or not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from web.domain.rating.figures import Share
from web.domain.rating.numbers.conduct import LEAST, Signals, correlation, scatter
from web.domain.rating.work import Given

Work = list[tuple[Given, float | None]]  # a rater's scores, oldest first, with what was to be expected of each


@dataclass(frozen=True)
class Usual:
    """What each rater's work looks like in a few numbers, by which the others' are told usual or not."""

    correlations: Mapping[str, float]
    scatters: Mapping[str, float]
    dwell_ms: Mapping[str, float]
    shares: Mapping[str, NDArray[np.float64]]

    @classmethod
    def of(cls, by_rater: Mapping[str, Work]) -> "Usual":
        """Return the numbers of everybody."""
        correlations, scatters, dwell, shares = {}, {}, {}, {}
        for rater, work in by_rater.items():
            known = _known(work)
            stars, expected = [one.score for one, _ in known], [told for _, told in known]
            found, strays = correlation(stars, expected), scatter(stars, expected)
            if found is not None and strays is not None and len(known) >= LEAST:
                correlations[rater], scatters[rater] = found, strays
            if seen := [one.seen_ms for one, _ in work if one.seen_ms]:
                dwell[rater] = float(np.median(seen))
            shares[rater] = np.bincount([round(one.score) - 1 for one, _ in work], minlength=5) / len(work)
        return cls(correlations, scatters, dwell, shares)

    def signals(self, rater: str, work: Work) -> Signals:
        """Return a rater's work beside what is usual of the others."""
        known = _known(work)
        given = [one for one, _ in work]
        checks, again = passed(given), repeats(given)
        shares = [one for other, one in self.shares.items() if other != rater]
        more: dict[str, Any] = {"usual_shares": tuple(np.mean(shares, axis=0).tolist())} if shares else {}
        return Signals(
            rater=rater,
            stars=tuple(one.score for one, _ in known),
            expected=tuple(expected for _, expected in known),
            dwell_ms=tuple(one.seen_ms for one, _ in known),
            golds=checks.of,
            gold_misses=checks.of - checks.right,
            gold_correlation=_follows([one for one in given if one.gold]),
            repeats=len(again),
            repeat_misses=sum(abs(first - later) > 1 for first, later in again),
            usual_correlation=_median(self.correlations, rater),
            usual_scatter=_median(self.scatters, rater),
            usual_dwell_ms=_median(self.dwell_ms, rater),
            **more,
        )


def _known(work: Work) -> list[tuple[Given, float]]:
    """Return the scores of which others let one expect something, and no checks: who heeds those may click the rest."""
    return [(one, expected) for one, expected in work if expected is not None]


def _follows(checks: Sequence[Given]) -> float | None:
    right = [(one.gold.low + one.gold.high) / 2 for one in checks if one.gold]
    return correlation([one.score for one in checks], right)


def _median(values: Mapping[str, float], rater: str) -> float | None:
    others = [value for other, value in values.items() if other != rater]
    return float(np.median(others)) if others else None


def repeats(given: Sequence[Given]) -> list[tuple[float, float]]:
    """Return the first and each later score where a rater scored the same output again."""
    first: dict[tuple[str, str], float] = {}
    pairs = []
    for one in given:
        known = first.setdefault((one.rater, one.item), one.score)
        if one.kind == "repeat":
            pairs.append((known, one.score))
    return pairs


def passed(given: Sequence[Given]) -> Share:
    """Return how many of the items whose answer is known were answered right."""
    checked = [one.gold.misses(one.score) for one in given if one.gold is not None]
    return Share(len(checked) - sum(checked), len(checked))
