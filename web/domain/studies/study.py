"""What is being learnt, and from which inputs."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from ml_service.errors import Conflict
from ml_service.wire.contract import Diagnosis, Parameter, ParameterSpace
from web.domain.studies.evolving import Evolving
from web.domain.studies.guide import Guide

StudyState = Literal["running", "paused", "finished", "archived"]
MediaKind = Literal["image", "text"]
RuleName = Literal["goal", "gain", "patience", "budget", "ratings"]

# Where a person may take a study; only its own stop rules finish one.
_REACHABLE: dict[StudyState, tuple[StudyState, ...]] = {
    "running": ("paused", "archived"),
    "paused": ("running", "archived"),
    "finished": ("running", "paused", "archived"),
    "archived": ("paused",),
}
CALIBRATION = 10  # items that a rater is calibrated with, unless their study says otherwise


@dataclass(frozen=True)
class Project:
    """Who owns what an admin makes."""

    id: str
    name: str
    created_at: datetime


@dataclass(frozen=True)
class Shares:
    """How raters' attention is divided among the kinds of experiment; whole weights.

    `overlap` is taken from `explore`: one more rating of what was explored, where that tells most.
    """

    ab: int = 40
    explore: int = 50
    gold: int = 5
    repeat: int = 5
    overlap: int = 5


@dataclass(frozen=True)
class StopRules:
    """When a study has learnt enough: each rule is off where its limit is None, and the first that holds stops it.

    `goal` is a mean rating, to be reached with `probability`; `gain` the stars still to be had below which nothing is
    left; `patience` counts ratings without a better recommendation. These three wait for `at_least` ratings.
    """

    goal: float | None = None
    probability: float = 0.95
    gain: float | None = None
    patience: int | None = None
    at_least: int = 30
    budget_micros: int | None = None
    ratings: int | None = None

    @property
    def any_on(self) -> bool:
        """Tell whether anything can stop the study."""
        limits = (self.goal, self.gain, self.patience, self.budget_micros, self.ratings)
        return any(limit is not None for limit in limits)

    def without(self, rule: RuleName) -> "StopRules":
        """Return the rules with one switched off."""
        off: dict[str, Any] = {"budget_micros" if rule == "budget" else rule: None}
        return replace(self, **off)


@dataclass(frozen=True)
class Stopped:
    """Which rule finished a study, when, in words, and the figures that it went by."""

    rule: RuleName
    at: datetime
    words: str
    figures: dict[str, float]


@dataclass(frozen=True)
class OptimizerSettings:
    """What may be set of the optimizer, and need not be: each default is what measured best.

    `exploration` looks further from what is known where it is higher, and stays near what is liked where it is lower.
    `initial` options are spread evenly before a belief chooses.
    """

    exploration: float = 1.0
    initial: int = 10


@dataclass(frozen=True)
class Study:
    """What is being learnt: generators with their spaces, the prompt they obey, and how options are rated.

    `starts_from` is the study whose ratings it takes as a first belief; that may be gone. `stopped` says why it
    finished, until somebody lets it run again. `calibration` counts the items with a known answer that newcomers
    practise on, with feedback, before anything they say counts: more of them bring raters to one scale sooner, and
    cost each newcomer that many ratings from which nothing is learnt; 0 is none. `uploads` lets raters bring photos of
    their own; admins always may.
    """

    id: str
    project_id: str
    name: str
    state: StudyState
    spaces: dict[str, ParameterSpace]
    prompt_key: str
    created_at: datetime
    judge: str = "human"
    options_per_experiment: int = 2
    raters_wanted: int = 1
    shares: Shares = field(default_factory=Shares)
    stop: StopRules = field(default_factory=StopRules)
    stopped: Stopped | None = None
    optimizer: OptimizerSettings = field(default_factory=OptimizerSettings)
    evolving: Evolving = field(default_factory=Evolving)
    starts_from: str | None = None
    daily_target: int = 100
    calibration: int = CALIBRATION
    guide: Guide = field(default_factory=Guide)
    uploads: bool = False
    demo: bool = False
    seed: int = 0
    revision: int = 0

    @property
    def generators(self) -> tuple[str, ...]:
        """Name the generators whose spaces are being learnt."""
        return tuple(self.spaces)

    def parameters(self, generator: str) -> dict[str, Parameter]:
        """Return the parameters of a generator that are tuned: none of one that the study does not have."""
        return self.spaces[generator].parameters if generator in self.spaces else {}

    def moved(self, state: StudyState) -> "Study":
        """Return the study in another state, or say why it cannot go there."""
        if state != self.state and state not in _REACHABLE[self.state]:
            raise Conflict(f"A study that is {self.state} cannot become {state}; resume it as paused first.")
        return replace(self, state=state, stopped=None if state == "running" else self.stopped)

    def finished(self, stopped: Stopped) -> "Study":
        """Return the study as one of its stop rules leaves it."""
        return replace(self, state="finished", stopped=stopped)


@dataclass(frozen=True)
class Input:
    """One source of a study, by the hash of its content; removed ones keep their row and lose their content.

    `related` is the group of photos that show the same; `metadata` is what was noted of it. Nothing is
    explored on one that is held out: only A/B tests show it.
    """

    id: str
    study_id: str
    kind: MediaKind
    name: str
    content_hash: str
    object_key: str
    media_type: str
    created_at: datetime
    width: int = 0
    height: int = 0
    stratum: str = ""
    related: str = ""
    reference: str | None = None
    payload: dict[str, str] | None = None
    metadata: dict[str, str] | None = None
    held_out: bool = False
    demo: bool = False
    added_by: str | None = None
    removed_at: datetime | None = None
    revision: int = 0


@dataclass(frozen=True)
class Learnt:
    """What the optimizer said of a study, kept by the hash of the request so that no viewer makes it fit again."""

    id: str
    study_id: str
    request_hash: str
    diagnosis: Diagnosis
    made_at: datetime
