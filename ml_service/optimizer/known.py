"""What a request tells of one generator: its history read as points of today's space, in one order.

A rating is never dropped because the space has changed since:

- a parameter that was added has been at its default, one that was removed is left out;
- a number outside today's range and a choice that is gone stay what they were, and teach by how far off they lie;
- of another generator, a point teaches where it names at least half of the parameters that are free here, the others
  being at their defaults. Its level is an effect of its own;
- of an earlier study, ratings are marked, so that they can count for less; its raters are the same people, its
  inputs and outputs are others.

What the study itself says of its own generator must be of the right kind: a word where a number is refused. The same
in a point of another generator or of an earlier study is another parameter of that name, and left out.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ml_service.errors import InvalidRequest
from ml_service.optimizer.likelihood import NONE, Index, Ratings
from ml_service.optimizer.space import SAME, Array, Key, SearchSpace
from ml_service.wire.contract import Observation, ParameterSpace, Pending, Point

SHARED = 0.5  # of the free parameters must be named by a point of another generator


@dataclass(frozen=True)
class Known:
    """What was rated, what was rated in an earlier study, oldest first, and what is out on which item."""

    generator: str
    space: SearchSpace
    seen: tuple[Observation, ...]
    earlier: tuple[Observation, ...]
    pending: tuple[tuple[str, Point], ...]

    @classmethod
    def read(
        cls,
        spaces: Mapping[str, ParameterSpace],
        generator: str,
        seen: Sequence[Observation],
        pending: Sequence[Pending] = (),
        earlier: Sequence[Observation] = (),
    ) -> "Known":
        """Read what teaches as points of the space; raises InvalidRequest for values of another kind."""
        space = SearchSpace(spaces[generator])
        out = [(one.item, _own(space, one.point)) for one in pending if one.generator == generator]
        return cls(
            generator,
            space,
            _sorted(_read(space, generator, seen, _own)),
            _sorted(_read(space, generator, earlier, _borrowed)),
            tuple(sorted(out, key=lambda one: (one[0], str(space.key(one[1]))))),
        )

    @cached_property
    def rows(self) -> tuple[Observation, ...]:
        """Return all that teaches: the earlier study first."""
        return self.earlier + self.seen

    @property
    def options(self) -> int:
        """Count the options of this generator that were rated, in the earlier study too, or are out."""
        rated = {(place < len(self.earlier), one.output) for place, one in enumerate(self.rows) if self._is_own(one)}
        return len(rated) + len(self.pending)

    def _is_own(self, one: Observation) -> bool:
        return one.generator == self.generator

    @cached_property
    def rated(self) -> Counter[Key]:
        """Count the ratings of each point of this generator in this study."""
        return Counter(self.space.key(one.point) for one in self.seen if self._is_own(one))

    def points(self, rows: Array) -> list[Point]:
        """Read rows of the unit cube as points: a point that was rated is found again to the last digit."""
        tried = (self._tried.get(place) for place in _places(rows))
        made = self.space.points(rows)
        return [old if old and self.space.accepts(old) else new for old, new in zip(tried, made, strict=True)]

    @cached_property
    def _tried(self) -> dict[Key, Point]:
        return dict(zip(_places(self._placed), self._distinct.values(), strict=True))

    @cached_property
    def _keys(self) -> list[tuple[bool, Key]]:
        return [(place < len(self.earlier), self.space.key(one.point)) for place, one in enumerate(self.rows)]

    @cached_property
    def _distinct(self) -> dict[tuple[bool, Key], Point]:
        """Return each point that was rated, in the order of their last rating."""
        newest: dict[tuple[bool, Key], Point] = {}
        for key, one in zip(reversed(self._keys), reversed(self.rows), strict=True):
            newest.setdefault(key, one.point)
        return dict(reversed(newest.items()))

    @cached_property
    def _placed(self) -> Array:
        return self.space.unit(list(self._distinct.values()))

    def ratings(self) -> Ratings:
        """Return what was rated as arrays, its distinct points in the order of their last rating."""
        keys = self._keys
        places = {key: place for place, key in enumerate(self._distinct)}
        point = np.array([places[key] for key in keys], dtype=np.intp)
        raters, rater = _numbered([one.rater for one in self.rows])
        return Ratings(
            points=self._placed,
            home=self.space.unit([self.space.default])[0],
            earlier=np.array([is_earlier for is_earlier, _ in places], dtype=bool),
            is_category=self.space.is_category,
            stars=np.array([one.rating for one in self.rows], dtype=float),
            point=point,
            rater=rater,
            raters=raters,
            groups=self._groups(keys, point),
        )

    def _groups(self, keys: Sequence[tuple[bool, Key]], points: Index) -> dict[str, Index]:
        """Number what ratings have in common; of what they are compared with (`NONE`), no number."""
        studies = [is_earlier for is_earlier, _ in keys]
        items = [(is_earlier, one.item) for is_earlier, one in zip(studies, self.rows, strict=True)]
        outputs = [(one.output, point) for one, point in zip(self.rows, points.tolist(), strict=True)]
        groups = {"item": _numbered(items)[1], "output": _numbered(outputs)[1]}
        named: dict[str, tuple[Any, list[Any]]] = {**self.compared, "study": (False, studies)}
        groups |= {name: _beside(ours, some) for name, (ours, some) in named.items() if set(some) - {ours}}
        return groups

    @property
    def compared(self) -> dict[str, tuple[str, list[str]]]:
        """Return this study's newest version and the generator asked about, and those of each rating."""
        versions, generators = [one.version for one in self.rows], [one.generator for one in self.rows]
        newest = [one.version for one in self.rows if self._is_own(one)] or versions or [""]
        return {"version": (newest[-1], versions), "generator": (self.generator, generators)}


def _read(space: SearchSpace, generator: str, ratings: Iterable[Observation], own: Any) -> Iterable[Observation]:
    for one in ratings:
        if one.generator == generator or _shares(space, one.point):
            point = own(space, one.point) if one.generator == generator else _borrowed(space, one.point)
            yield one if point == one.point else one.model_copy(update={"point": point})


def _own(space: SearchSpace, point: Point) -> Point:
    """Read a point of this generator, of today's space or of an older form of it."""
    told = _told(space, point)
    for name, value in point.items():
        if name in space.parameters and name not in told:
            kind = "one of its choices" if space.is_word[name] else "a number"
            raise InvalidRequest(
                f"{name} = {value!r} in a point is not {kind}, which the space says it is."
                " Send the kind of value that the space has, or leave the parameter out of the point."
            )
    return space.default | told


def _borrowed(space: SearchSpace, point: Point) -> Point:
    """Read a point of elsewhere as far as it goes; what it does not tell is at its default."""
    return space.default | _told(space, point)


def _told(space: SearchSpace, point: Point) -> Point:
    """Return the values that are of the space's parameters, and of their kind."""
    kinds = space.is_word
    return {name: value for name, value in point.items() if kinds.get(name) is isinstance(value, str)}


def _shares(space: SearchSpace, point: Point) -> bool:
    told = sum(name in space.free for name in _told(space, point))
    return bool(space.free) and told >= SHARED * len(space.free)


def _sorted(ratings: Iterable[Observation]) -> tuple[Observation, ...]:
    """Put ratings in an order that is the same whatever the order in which they came."""
    rows = list(ratings)
    if len(set(map(_in_time, rows))) < len(rows):  # points are slow to compare, and hardly ever needed for it
        rows.sort(key=lambda one: str(sorted(one.point.items())))
    return tuple(sorted(rows, key=_in_time))


def _in_time(one: Observation) -> tuple[object, ...]:
    return one.at, one.output, one.rater, one.item, one.rating, one.version, one.generator


def _numbered(names: Sequence[Any]) -> tuple[int, Index]:
    """Return how many names there are, and the number of each in their order."""
    numbers = {name: number for number, name in enumerate(sorted(set(names)))}
    return len(numbers), np.array([numbers[name] for name in names], dtype=np.intp)


def _beside(ours: Any, names: Sequence[Any]) -> Index:
    """Number names in their order; ours is NONE of them."""
    numbers = {name: number for number, name in enumerate(sorted(set(names) - {ours}))} | {ours: NONE}
    return np.array([numbers[name] for name in names], dtype=np.intp)


def _places(rows: Array) -> list[Key]:
    return [tuple(row) for row in np.round(rows / SAME).tolist()]
