"""Which points to rate next, and what was learnt: functions of the request, with nothing kept between two calls.

The same request gets the same answer bit for bit on one machine: observations are sorted, drawing starts from the
request's seed and the size of its history, and linear algebra runs on one thread (which is also what is fastest here).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from ml_service import diagnosis
from ml_service.acquisition import upper_bounds
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
        known = Known.read(request.spaces, request.seen, request.pending)
        chosen = _reference(request, known)
        chosen += _initial(request, known, chosen)
        chosen += _believed(request, known, chosen)
    return Suggestion(proposals=tuple(chosen), ratings_used=len(known.seen), history=digest(known.seen))


def diagnose(request: DiagnoseRequest) -> Diagnosis:
    """Say what was learnt; of fewer than three ratings, only how many there are."""
    with threadpool_limits(limits=1):
        known = Known.read(request.spaces, request.seen)
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
        cls, spaces: Mapping[str, ParameterSpace], seen: Sequence[Observation], pending: Sequence[Pending] = ()
    ) -> "Known":
        """Keep what is of this generator and lies in today's space, read as points of it."""
        ((generator, space),) = spaces.items()
        adopted = ((one, space.adopt(one.point)) for one in seen if one.generator == generator)
        kept = [one.model_copy(update={"point": point}) for one, point in adopted if point is not None]
        out = ((one.item, space.adopt(one.point)) for one in pending if one.generator == generator)
        waiting = [(item, point) for item, point in out if point is not None]
        return cls(generator, SearchSpace(space), tuple(sorted(kept, key=_in_time)), tuple(sorted(waiting, key=str)))

    @property
    def options(self) -> int:
        """Count the options that were rated or are out."""
        return len({one.output for one in self.seen}) + len(self.pending)


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
    beside = [one.point for one in chosen]
    waiting = [point for _, point in known.pending] + beside
    shown = [point for item, point in known.pending if item == request.item] + beside
    taken = {known.space.key(point) for point in shown}
    random = np.random.default_rng([request.seed, len(request.seen), len(request.pending)])
    belief = RatingGP(known.space, known.seen)
    return upper_bounds(belief, waiting, taken, wanted, known.generator, random)


def _learnt(request: DiagnoseRequest, known: Known) -> Diagnosis:
    belief = RatingGP(known.space, known.seen)
    findings = diagnosis.Findings(belief, np.random.default_rng([request.seed, len(request.seen)]))
    return Diagnosis(
        best=findings.recommended(known.generator),
        convergence=findings.convergence(),
        parameters=findings.parameters(),
        raters=diagnosis.raters(belief.effects),
        variance=diagnosis.variance(belief, known.seen),
        ratings_used=0,
        history="",
    )


def _in_time(one: Observation) -> tuple[object, ...]:
    return one.at, one.output, one.rater, one.item, one.rating, one.version, str(sorted(one.point.items()))
