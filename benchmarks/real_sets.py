"""Public sets of ratings that people gave, and panels drawn from them whose scores the other raters judge."""

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from web.domain.rating.numbers.conduct import correlation
from web.domain.rating.work import Given

KEPT = Path("benchmarks/real")
OUTSIDE = 10  # raters outside a panel, without whom the truth of an item is not known
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


@dataclass(frozen=True)
class RealSet:
    """A set as a table of stars, raters × items, NaN where a rater did not rate an item.

    `content` tells of each item what it shows: items of one content differ in their treatment alone.
    """

    name: str
    stars: Floats
    content: tuple[str, ...]

    @property
    def raters(self) -> int:
        """Return how many people rated."""
        return len(self.stars)

    @cached_property
    def related(self) -> Floats:
        """Return how far each rater's stars follow the mean of all others', as correlations."""
        total, count = np.nansum(self.stars, axis=0), np.isfinite(self.stars).sum(0)
        others = (total - np.nan_to_num(self.stars)) / np.maximum(count - np.isfinite(self.stars), 1)
        both = [(own[np.isfinite(own)], them[np.isfinite(own)]) for own, them in zip(self.stars, others, strict=True)]
        return np.array([correlation(own.tolist(), them.tolist()) or 0.0 for own, them in both])

    @property
    def clean(self) -> NDArray[np.bool_]:
        """Tell of each rater whether they follow the others at least half as far as is usual in the set."""
        return np.asarray(self.related >= np.median(self.related) / 2)


@dataclass(frozen=True)
class PanelDesign:
    """How many raters of a set form a panel, how many of them rate each item, and whether some rate most of it."""

    raters: int
    each: int
    uneven: bool = False

    def __str__(self) -> str:
        return f"{self.raters} × {self.each}" + (", uneven" if self.uneven else "")


@dataclass(frozen=True)
class Drawn:
    """What a panel gave: the item, rater and stars of each rating; and of each item what the others say.

    `truth` is the mean of those outside the panel, `error` its standard error; `kept_back` are ratings of the panel
    that nobody was told, as rater, item and stars.
    """

    items: list[str]
    raters: list[str]
    stars: list[float]
    truth: dict[str, float]
    error: dict[str, float]
    kept_back: list[tuple[str, str, float]]


def sets(folder: Path = KEPT) -> list[RealSet]:
    """Return all sets of a folder, by name."""
    return [_read(file) for file in sorted((*folder.glob("*.csv.gz"), *folder.glob("*.csv")))]


def _read(file: Path) -> RealSet:
    with gzip.open(file, "rt") if file.suffix == ".gz" else file.open() as lines:
        rows = [row for row in csv.DictReader(lines) if row.get("again", "0") in ("", "0")]
    items, item = np.unique([row["item"] for row in rows], return_inverse=True)
    raters, rater = np.unique([row["rater"] for row in rows], return_inverse=True)
    stars = np.full((len(raters), len(items)), np.nan)
    stars[rater, item] = [float(row["stars"]) for row in rows]
    shows = dict(zip([row["item"] for row in rows], [row.get("content", row["item"]) for row in rows], strict=True))
    order = np.argsort([int(name) if name.isdigit() else 0 for name in raters.tolist()], kind="stable")
    return RealSet(file.name.split(".")[0], stars[order], tuple(shows[item] for item in items.tolist()))


def drawn(one: RealSet, design: PanelDesign, seed: int) -> Drawn:
    """Return a panel of raters taken at random, and so many of their ratings of each item that has as many."""
    random = np.random.default_rng([seed, design.raters, design.each, design.uneven])
    people = random.permutation(one.raters)
    inside, outside = people[: design.raters], one.stars[people[design.raters :]]
    many = np.isfinite(outside).sum(0)
    eager = 1 / np.arange(1.0, design.raters + 1) if design.uneven else np.ones(design.raters)
    told: list[tuple[str, str, float]] = []
    kept_back: list[tuple[str, str, float]] = []
    for item in np.flatnonzero(many >= OUTSIDE).tolist():
        there = inside[np.isfinite(one.stars[inside, item])]
        if len(there) < design.each:
            continue
        weight = eager[np.isfinite(one.stars[inside, item])]
        chosen = set(random.choice(there, design.each, replace=False, p=weight / weight.sum()).tolist())
        for rater in there.tolist():
            rating = f"rater {rater}", f"item {item}", float(one.stars[rater, item])
            (told if rater in chosen else kept_back).append(rating)
    told = [told[place] for place in random.permutation(len(told))]
    raters, items, stars = (list(column) for column in zip(*told, strict=True))
    mean, spread = np.nanmean(outside, axis=0), np.nanstd(outside, axis=0, ddof=1)
    places = {item: int(item.split()[1]) for item in dict.fromkeys(items)}
    return Drawn(
        items,
        raters,
        stars,
        {item: float(mean[at]) for item, at in places.items()},
        {item: float(spread[at] / np.sqrt(many[at])) for item, at in places.items()},
        kept_back,
    )


def given(
    one: RealSet, people: Ints, items: Ints, random: np.random.Generator, clicker: int | None = None
) -> list[Given]:
    """Return what some raters gave some items, each in an order of their own; a clicker's own stars are shuffled."""
    rows: list[Given] = []
    for rater in people.tolist():
        own = random.permutation(items[np.isfinite(one.stars[rater, items])])
        stars = one.stars[rater, own]
        if rater == clicker:
            stars = random.permutation(stars)
        rows += _rated(rater, own, stars)
    return sorted(rows, key=lambda row: row.at)


def _rated(rater: int, items: Ints, stars: Floats) -> Iterator[Given]:
    for number, (item, star) in enumerate(zip(items.tolist(), stars.tolist(), strict=True)):
        at = START + timedelta(minutes=number, seconds=rater)
        yield Given(f"rater {rater}", f"item {item}", "explore", star, at, 0)
