"""What production saw of a released version."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Literal

FeedbackVerdict = Literal["stored", "replayed"]


@dataclass(frozen=True)
class Report:
    """What production says of one use of a version: a score from 1 to 5, a comment, a word for what went wrong.

    `at` is when it was seen, by the sender's clock; None means just now.
    """

    id: str
    prompt_key: str
    version: str
    at: datetime | None = None
    score: float | None = None
    comment: str = ""
    failure: str = ""

    @property
    def fingerprint(self) -> str:
        """The hash that tells a repeated report from another one under the same id."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True, default=str).encode()).hexdigest()


@dataclass(frozen=True)
class Feedback:
    """One report from production under the id its sender gave it; `key_id` names the machine or the admin who sent it.

    `score` is 1 to 5, `failure` a short word for what went wrong; `fingerprint` tells a repeat from another report.
    """

    id: str
    project_id: str
    prompt_key: str
    version_id: str
    key_id: str
    fingerprint: str
    at: datetime
    received_at: datetime
    score: float | None = None
    comment: str = ""
    failure: str = ""


@dataclass(frozen=True)
class FeedbackSummary:
    """What production said of one version in all: how many reports and scores, their mean, the commonest failures."""

    reports: int = 0
    scores: int = 0
    mean: float | None = None
    failed: int = 0
    failures: dict[str, int] = field(default_factory=dict)
