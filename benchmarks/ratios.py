"""Means with standard errors, and ratios of paired sessions with bootstrap intervals (Efron and Tibshirani 1993)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

RESAMPLES = 4000


@dataclass(frozen=True)
class Ratio:
    """The ratio of two means over the same sessions, with the bounds that hold it with 95 % probability."""

    value: float
    low: float
    high: float
    sessions: int

    def __str__(self) -> str:
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]" if self.sessions else "not run"


def paired_ratio(ours: Sequence[float], theirs: Sequence[float]) -> Ratio:
    """Return mean of ours ÷ mean of theirs; both are resampled by the same sessions."""
    if len(ours) < 2:
        return Ratio(np.nan, np.nan, np.nan, 0)
    a, b = np.array(ours), np.array(theirs)
    drawn = np.random.default_rng(0).integers(len(a), size=(RESAMPLES, len(a)))
    low, high = np.quantile(a[drawn].mean(1) / b[drawn].mean(1), [0.025, 0.975])
    return Ratio(float(a.mean() / b.mean()), float(low), float(high), len(a))


def mean_and_error(values: Sequence[float]) -> tuple[float, float]:
    """Return the mean and its standard error; NaN where there are too few."""
    known = np.array(values)
    mean = float(known.mean()) if known.size else np.nan
    return mean, float(known.std(ddof=1) / np.sqrt(known.size)) if known.size > 1 else np.nan
