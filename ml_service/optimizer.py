"""Which points to rate next, and what was learnt: functions of the request, with nothing kept between two calls.

The same request gets the same answer bit for bit on one machine: observations are sorted, drawing starts from the
request's seed and the size of its history, and linear algebra runs on one thread (which is also what is fastest here).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from ml_service import diagnosis
from ml_service.acquisition import interval, upper_bounds
from ml_service.contract import (
    DiagnoseRequest,
    Diagnosis,
    Observation,
    ParameterSpace,
    Pending,
    Point,
    Proposal,
    Suggestion,
    SuggestRequest,
    digest,
)
from ml_service.errors import InvalidRequest
from ml_service.likelihood import Ratings
from ml_service.rating_gp import RatingGP
from ml_service.space import SearchSpace

INITIAL = 10  # options out or rated before a belief chooses
FEWEST = 3  # ratings needed to say anything of the best point
NOTHING = Diagnosis(best=None, convergence=None, parameters={}, raters=(), variance=None, ratings_used=0, history="")


def suggest(request: SuggestRequest) -> Suggestion:
    """Propose the points most worth a rating, given all that was rated and all that is out.

    A reference comes first, whatever else is out. Then initial points while fewer than ten options were rated or are
    out, then what the belief chooses. None of these is pending on the request's item and none comes twice, so a space
    with few points may give fewer than `count`. Raises InvalidRequest where the reference lies outside the space.
    """
    with threadpool_limits(limits=1):
        known = Known.read(request.spaces, request.asked, request.seen, request.pending)
        chosen = _reference(request, known)
        chosen += _initial(request, known, chosen)
        chosen += _believed(request, known, chosen)
    return Suggestion(proposals=tuple(chosen), ratings_used=len(known.seen), history=digest(known.seen))


def diagnose(request: DiagnoseRequest) -> Diagnosis:
    """Say what was learnt; of fewer than three ratings, only how many there are."""
    with threadpool_limits(limits=1):
        known = Known.read(request.spaces, request.asked, request.seen)
        learnt = _learnt(request, known) if len(known.seen) >= FEWEST else NOTHING
    return learnt.model_copy(update={"ratings_used": len(known.seen), "history": digest(known.seen)})


@dataclass(frozen=True)
class Known:
    """What a request tells of one generator: what was rated, oldest first, and what is out on which item."""

    generator: str
    space: SearchSpace
    seen: tuple[Observation, ...]
    pending: tuple[tuple[str, Point], ...]

    @classmethod
    def read(
        cls,
        spaces: Mapping[str, ParameterSpace],
        generator: str,
        seen: Sequence[Observation],
        pending: Sequence[Pending] = (),
    ) -> "Known":
        """Keep what is of this generator and lies in today's space, read as points of it."""
        space = spaces[generator]
        adopted = ((one, space.adopt(one.point)) for one in seen if one.generator == generator)
        kept = [one.model_copy(update={"point": point}) for one, point in adopted if point is not None]
        out = ((one.item, space.adopt(one.point)) for one in pending if one.generator == generator)
        waiting = [(item, point) for item, point in out if point is not None]
        return cls(generator, SearchSpace(space), tuple(sorted(kept, key=_in_time)), tuple(sorted(waiting, key=str)))

    @property
    def options(self) -> int:
        """Count the options that were rated or are out."""
        return len({one.output for one in self.seen}) + len(self.pending)

    def ratings(self) -> Ratings:
        """Return what was rated as arrays, its distinct points in the order of their last rating."""
        last = {self.space.key(one.point): one.point for one in self.seen}
        keys = {self.space.key(one.point): None for one in reversed(self.seen)}
        places = {key: place for place, key in enumerate(reversed(keys))}
        raters, rater = _numbered([one.rater for one in self.seen])
        groups = {
            "item": _numbered([one.item for one in self.seen])[1],
            "output": _numbered([one.output for one in self.seen])[1],
        }
        return Ratings(
            points=self.space.unit([last[key] for key in places]),
            earlier=np.zeros(len(places), dtype=bool),
            is_category=self.space.is_category,
            stars=np.array([one.rating for one in self.seen], dtype=float),
            point=np.array([places[self.space.key(one.point)] for one in self.seen], dtype=np.intp),
            rater=rater,
            raters=raters,
            groups=groups,
        )


def _reference(request: SuggestRequest, known: Known) -> list[Proposal]:
    if request.reference is None:
        return []
    if faults := request.spaces[known.generator].faults(request.reference):
        raise InvalidRequest(
            f"The reference point is not in the space: {'; '.join(faults)}. Send a point of the space."
        )
    point = dict(sorted(request.reference.items()))
    return [Proposal(generator=known.generator, point=point, why="reference")]


def _initial(request: SuggestRequest, known: Known, chosen: Sequence[Proposal]) -> list[Proposal]:
    wanted = min(request.count - len(chosen), INITIAL - known.options)
    tried = [o.point for o in known.seen] + [point for _, point in known.pending] + [one.point for one in chosen]
    keys = {known.space.key(point) for point in tried}
    fresh = [point for point in known.space.initial(request.seed, INITIAL) if known.space.key(point) not in keys]
    return [Proposal(generator=known.generator, point=point, why="initial") for point in fresh[: max(wanted, 0)]]


def _believed(request: SuggestRequest, known: Known, chosen: Sequence[Proposal]) -> list[Proposal]:
    wanted = request.count - len(chosen)
    if not wanted:
        return []
    space = known.space
    beside = [one.point for one in chosen]
    waiting = space.unit([point for _, point in known.pending] + beside)
    taken = space.unit([point for item, point in known.pending if item == request.item] + beside)
    random = np.random.default_rng([request.seed, len(request.seen), len(request.pending)])
    belief = RatingGP(known.ratings())
    choices = upper_bounds(belief, space, waiting, taken, wanted, random)
    points = [space.points(one.row[None])[0] for one in choices]
    doubt = math.sqrt(belief.prior) / 2
    return [
        Proposal(
            generator=known.generator,
            point=point,
            why="explore" if one.sd > doubt else "refine",
            expected=interval(one.mean, one.sd),
        )
        for point, one in zip(points, choices, strict=True)
    ]


def _numbered(names: Sequence[str]) -> tuple[int, npt.NDArray[np.intp]]:
    """Return how many names there are, and the number of each."""
    known, numbers = np.unique(np.array(names, dtype=object) if names else np.empty(0, dtype=str), return_inverse=True)
    return len(known), np.asarray(numbers, dtype=np.intp)


def _learnt(request: DiagnoseRequest, known: Known) -> Diagnosis:
    findings = diagnosis.Findings(
        RatingGP(known.ratings()), known.space, np.random.default_rng([request.seed, len(request.seen)])
    )
    return Diagnosis(
        best=findings.recommended(known.generator),
        convergence=findings.convergence(),
        parameters=findings.parameters(),
        raters=diagnosis.raters(findings.belief, known.seen),
        variance=findings.variance(),
        ratings_used=0,
        history="",
    )


def _in_time(one: Observation) -> tuple[object, ...]:
    return one.at, one.output, one.rater, one.item, one.rating, one.version, str(sorted(one.point.items()))
