"""What is being learnt, and from which inputs."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from ml_service.contract import Diagnosis, ParameterSpace
from ml_service.errors import Conflict

StudyState = Literal["running", "paused", "archived"]
MediaKind = Literal["image", "text"]

_REACHABLE: dict[StudyState, tuple[StudyState, ...]] = {
    "running": ("paused", "archived"),
    "paused": ("running", "archived"),
    "archived": ("paused",),
}


@dataclass(frozen=True)
class Project:
    """Who owns what an admin makes."""

    id: str
    name: str
    created_at: datetime


@dataclass(frozen=True)
class Shares:
    """How raters' attention is divided among the kinds of experiment; whole weights."""

    ab: int = 40
    explore: int = 50
    gold: int = 5
    repeat: int = 5


@dataclass(frozen=True)
class StopRules:
    """When a study has learnt enough: a goal in stars, samples without improvement, money, count."""

    goal: float | None = None
    patience: int | None = None
    budget_micros: int | None = None
    samples: int | None = None


@dataclass(frozen=True)
class Study:
    """What is being learnt: generators with their spaces, the prompt they obey, and how options are rated."""

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
    daily_target: int = 100
    demo: bool = False
    seed: int = 0
    revision: int = 0

    @property
    def generator(self) -> str:
        """Name the generator whose space is being learnt."""
        return next(iter(self.spaces))

    def moved(self, state: StudyState) -> "Study":
        """Return the study in another state, or say why it cannot go there."""
        if state != self.state and state not in _REACHABLE[self.state]:
            raise Conflict(f"A study that is {self.state} cannot become {state}; resume it as paused first.")
        return replace(self, state=state)


@dataclass(frozen=True)
class Input:
    """One source of a study, by the hash of its content; removed ones keep their row and lose their content."""

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
