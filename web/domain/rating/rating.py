"""Ratings as raters send them and as they are kept, and what the optimizer is told of them."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Literal

from ml_service.wire.contract import Observation
from web.domain.studies.experiment import Option

JudgeKind = Literal["human", "metric", "model"]
SkipReason = Literal["broken", "not_loaded", "unsafe", "cannot_judge", "duplicate"]
Verdict = Literal["stored", "replayed", "late", "undone", "conflict", "invalid", "never_leased"]
KEPT: tuple[Verdict, ...] = ("stored", "late")


@dataclass(frozen=True)
class Answer:
    """What a rater says of one option: a score or a reason to skip, with tags and a comment.

    `client_seq` counts a tab's answers; `painted_at` is when the image was on the rater's screen by the rater's
    clock; `seen_ms` how long it was visible.
    """

    id: str
    option_id: str
    score: float | None = None
    skip: SkipReason | None = None
    tags: tuple[str, ...] = ()
    comment: str = ""
    flagged: bool = False
    client_seq: int = 0
    painted_at: datetime | None = None
    seen_ms: int = 0

    @cached_property
    def fingerprint(self) -> str:
        """The hash that tells a repeated answer from another one under the same id."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True, default=str).encode()).hexdigest()


@dataclass(frozen=True)
class Rating:
    """One judge's answer on one option, kept under the id its sender gave it."""

    id: str
    fingerprint: str
    study_id: str
    experiment_id: str
    option_id: str
    input_id: str
    generator: str
    version: str
    judge_id: str
    judge_kind: JudgeKind
    metric: str
    score: float | None
    skip: SkipReason | None
    rated_at: datetime
    changed_at: datetime
    tags: tuple[str, ...] = ()
    comment: str = ""
    flagged: bool = False
    late: bool = False
    client_seq: int = 0
    painted_at: datetime | None = None
    seen_ms: int = 0
    undone_at: datetime | None = None

    @classmethod
    def of(cls, answer: Answer, option: Option, rater_id: str, now: datetime, *, late: bool) -> "Rating":
        """Return what is kept of a rater's answer on an option."""
        return cls(
            id=answer.id,
            fingerprint=answer.fingerprint,
            study_id=option.study_id,
            experiment_id=option.experiment_id,
            option_id=option.id,
            input_id=option.input_id,
            generator=option.generator,
            version=option.version,
            judge_id=rater_id,
            judge_kind="human",
            metric="quality",
            score=answer.score,
            skip=answer.skip,
            rated_at=now,
            changed_at=now,
            tags=answer.tags,
            comment=answer.comment,
            flagged=answer.flagged,
            late=late,
            client_seq=answer.client_seq,
            painted_at=answer.painted_at,
            seen_ms=answer.seen_ms,
        )


@dataclass(frozen=True)
class Tally:
    """One ready option of an experiment: who has rated it, and who has skipped it."""

    experiment_id: str
    option_id: str
    rated_by: frozenset[str]
    skipped_by: frozenset[str]

    def answered_by(self, judge_id: str) -> bool:
        """Tell whether a judge has rated or skipped this option."""
        return judge_id in self.rated_by or judge_id in self.skipped_by


@dataclass(frozen=True)
class Exclusion:
    """A rater whose ratings of a study do not count from a time on, until it is lifted."""

    id: str
    study_id: str
    rater_id: str
    since: datetime
    reason: str
    created_at: datetime
    lifted_at: datetime | None = None
    revision: int = 0


@dataclass(frozen=True)
class Exclusions:
    """Which ratings are left out: those of a rater given at or after the time."""

    since: Mapping[str, datetime] = field(default_factory=dict)

    def __contains__(self, rating: object) -> bool:
        if not isinstance(rating, Rating):
            return False
        start = self.since.get(rating.judge_id)
        return start is not None and rating.rated_at >= start


def observe(
    options: Iterable[Option], ratings: Iterable[Rating], excluded: Exclusions | None = None
) -> tuple[Observation, ...]:
    """Return what the optimizer is told: each counted score with its point, rater, input and output, by time.

    Undone ratings, skips, excluded raters and ratings of other options are left out.
    """
    shown = {option.id: option for option in options}
    left_out = excluded or Exclusions()
    told = [
        r for r in ratings if r.option_id in shown and r.undone_at is None and r.score is not None and r not in left_out
    ]
    return tuple(
        Observation(
            point=shown[r.option_id].point,
            rating=r.score or 0.0,
            rater=r.judge_id,
            item=r.input_id,
            output=shown[r.option_id].output_id or r.option_id,
            generator=r.generator,
            version=r.version,
            at=r.rated_at,
        )
        for r in sorted(told, key=lambda r: (r.rated_at, r.id))
    )
