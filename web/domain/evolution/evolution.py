"""Rounds of evolution: what was asked of a text model, why, what it proposed, and what became of that."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Operator = Literal["targeted", "simplify", "explore", "merge", "parameters", "hand"]
RoundState = Literal["waiting", "running", "proposed", "rejected", "failed"]


@dataclass(frozen=True)
class Proposed:
    """One candidate of a round: how it was made, what it changes, and which gate refused it, if one did.

    `digest` is by what a refused text is known again; the text itself is not kept.
    """

    operator: Operator
    version_id: str | None
    changelog: str
    expected: str
    gate: str = ""
    reason: str = ""
    digest: str = ""


@dataclass(frozen=True)
class Round:
    """One attempt to write a better prompt; one at a time for each prompt.

    `samples` is how many the study had when it was asked for; `evidence` the ratings that the model was shown.
    """

    id: str
    project_id: str
    study_id: str
    prompt_key: str
    state: RoundState
    samples: int
    created_at: datetime
    asked_by: str | None = None
    parents: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    diagnosis: str = ""
    proposed: tuple[Proposed, ...] = ()
    model: str = ""
    cost_micros: int = 0
    error: str = ""
    test_id: str | None = None
    finished_at: datetime | None = None
    revision: int = 0
