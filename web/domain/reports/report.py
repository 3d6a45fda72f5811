"""What reports answer: the numbers of a study, one experiment whole, lists of what there is, a rater's own numbers."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from ml_service.wire.contract import Interval, Value
from web.domain.rating.figures import TrendStep
from web.domain.rating.gold import Gold
from web.domain.rating.standing import OwnStanding
from web.domain.reports.history import Entry
from web.domain.studies.experiment import Experiment, Option
from web.domain.studies.milestone import Milestone
from web.domain.studies.stopping import Standing
from web.domain.studies.study import Input, Learnt, Study


@dataclass(frozen=True)
class Counts:
    """How much of everything a study has; `ratings` are standing scores, `spent_micros` micro-dollars."""

    inputs: int
    experiments: dict[str, int]
    ratings: int
    skips: int
    samples: int
    samples_today: int
    raters: int
    active_raters: int
    parked_jobs: int
    spent_micros: int

    @property
    def queue(self) -> int:
        """Count the experiments that are ready or in the making."""
        return sum(self.experiments.get(state, 0) for state in ("planned", "generating", "ready"))


@dataclass(frozen=True)
class VersionMean:
    """The mean score of one generator with one prompt version."""

    generator: str
    version: str
    ratings: int
    rating: Interval


@dataclass(frozen=True)
class BestStep:
    """What the best point was expected to score after so many ratings, and how much was still to be had then.

    `gain_left` is in stars, `near_best` the probability to be within 0.1 star of the best there is.
    """

    ratings: int
    rating: Interval
    gain_left: float | None = None
    near_best: float | None = None


@dataclass(frozen=True)
class Coverage:
    """How many ratings lie around one value of a parameter, and their mean."""

    value: Value
    ratings: int
    mean: float


@dataclass(frozen=True)
class Asked:
    """A suggestion that is out with no rating yet, and the input it is tried on."""

    option: Option
    input: str
    ready: bool


@dataclass(frozen=True)
class RaterNumbers:
    """How much and how one rater has rated a study."""

    rater_id: str
    rater: str
    ratings: int
    skips: int
    mean: float | None


@dataclass(frozen=True)
class Example:
    """A well-rated option: the pictures before and after, and its mean score."""

    experiment_id: str
    input_id: str
    input: str
    output_id: str
    ratings: int
    mean: float


@dataclass(frozen=True)
class StudyReport:
    """All that the status of a study shows; `newer` counts the scores that the newest diagnosis does not know yet.

    `coverage` tells by generator and parameter where the ratings lie, `asked` what is out for rating now, the newest
    first; `stopping` how near each stop rule is, and `labels` how prompt versions are called, by id.
    """

    study: Study
    counts: Counts
    versions: tuple[VersionMean, ...]
    trend: tuple[TrendStep, ...]
    scores: dict[int, int]
    tags: dict[str, int]
    raters: tuple[RaterNumbers, ...]
    best: tuple[BestStep, ...]
    learnt: Learnt | None
    newer: int
    coverage: dict[str, dict[str, tuple[Coverage, ...]]]
    asked: tuple[Asked, ...]
    stopping: tuple[Standing, ...]
    milestones: tuple[Milestone, ...]
    labels: dict[str, str]
    example: Example | None
    change: str


@dataclass(frozen=True)
class OwnReport:
    """What a rater may know of a study: their own numbers."""

    study_id: str
    study: str
    today: int
    target: int
    total: int
    skips: int
    mean: float | None
    scores: dict[int, int]
    tags: dict[str, int]
    trend: tuple[TrendStep, ...]
    change: str
    standing: OwnStanding = field(default_factory=OwnStanding)


@dataclass(frozen=True)
class Moment:
    """Something that happened to an experiment."""

    at: datetime
    what: str
    who: str = ""


@dataclass(frozen=True)
class Treated:
    """One option of an experiment with its output's size, whether that is kept, and its ratings, undone ones too."""

    option: Option
    version: str
    width: int
    height: int
    kept: bool
    ratings: tuple[Entry, ...] = ()


@dataclass(frozen=True)
class ExperimentDetail:
    """One experiment whole; `gold` says which answers are right where it checks raters."""

    experiment: Experiment
    study: Study
    input: Input
    options: tuple[Treated, ...]
    timeline: tuple[Moment, ...] = field(default=())
    gold: Gold | None = None


@dataclass(frozen=True)
class StudyLine:
    """One study in a list, with what it has."""

    study: Study
    inputs: int
    ratings: int
    queue: int
    last_rated_at: datetime | None


@dataclass(frozen=True)
class Needed:
    """An object that a present input, or an output made of one, needs, with the SHA-256 of its bytes."""

    kind: Literal["input", "output"]
    id: str
    object_key: str
    content_hash: str


@dataclass(frozen=True)
class InputLine:
    """One present input of a study, with what was made of it."""

    input: Input
    experiments: int
    ratings: int
