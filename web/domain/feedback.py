"""What production saw of a released version."""

from dataclasses import dataclass
from datetime import datetime


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
