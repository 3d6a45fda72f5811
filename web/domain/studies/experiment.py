"""One input shown to raters with its options, and the states that both pass through."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ml_service.wire.contract import Interval, Point, Why

ExperimentKind = Literal["explore", "ab", "gold", "repeat", "calibration"]
ExperimentState = Literal["planned", "generating", "ready", "closed", "void", "dropped"]
OptionState = Literal["planned", "generating", "ready", "spare", "failed"]
UNSEEN: tuple[OptionState, ...] = ("spare", "failed")  # what no rater is shown: made beside the others, or not made
UNMADE = ("planned", "generating")  # of experiments and of options
LIVE: tuple[ExperimentState, ...] = ("planned", "generating", "ready")
SAMPLES: tuple[ExperimentKind, ...] = ("explore", "ab")
LEARNT_FROM: tuple[ExperimentKind, ...] = (*SAMPLES, "repeat")  # ratings of other kinds tell of raters, not of options


@dataclass(frozen=True)
class Experiment:
    """One input shown to raters with its options, and why; `held_for` names the uploader it was made for."""

    id: str
    study_id: str
    input_id: str
    kind: ExperimentKind
    state: ExperimentState
    created_at: datetime
    changed_at: datetime
    held_for: str | None = None
    closed_at: datetime | None = None
    revision: int = 0


@dataclass(frozen=True)
class Option:
    """One way to treat the input of an experiment, and the output it gave; a spare one is shown once it is ready."""

    id: str
    experiment_id: str
    study_id: str
    input_id: str
    position: int
    generator: str
    version: str
    point: Point
    seed: int
    state: OptionState
    why: str
    expected: Interval | None = None
    evidence: Why | None = None
    history: str = ""
    output_id: str | None = None
    cost_micros: int = 0
    error: str | None = None
    revision: int = 0


@dataclass(frozen=True)
class Output:
    """One produced object, by the hash of its content; a removed one keeps its row and loses its bytes."""

    id: str
    content_hash: str
    object_key: str
    media_type: str
    width: int
    height: int
    size: int
    created_at: datetime
    removed_at: datetime | None = None


def settle(kind: ExperimentKind, options: Sequence[Option]) -> ExperimentState:
    """Say what an experiment becomes once generation has done what it could with its options.

    An A/B experiment needs every option; an explore is worth showing with one, as soon as the rest failed for good.
    One that is spare is made and not shown, so it counts for neither.
    """
    states = [option.state for option in options if option.state != "spare"]
    if any(state in ("planned", "generating") for state in states):
        return "generating"
    ready = states.count("ready")
    enough = ready == len(states) if kind == "ab" else ready > 0
    return "ready" if enough else "void"
