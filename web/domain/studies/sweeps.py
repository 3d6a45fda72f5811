"""One change of many photos at once: what is done, to which of them, and how far it has come."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, get_args

from ml_service.errors import InvalidRequest

SweepAction = Literal["take_down", "erase", "stratum", "hold_out", "let_in"]
SWEEP_WORDS: dict[SweepAction, tuple[str, str]] = {  # while it is under way, and once it is done
    "take_down": ("Taking down", "Took down"),
    "erase": ("Erasing", "Erased"),
    "stratum": ("Setting the stratum of", "Set the stratum of"),
    "hold_out": ("Holding out", "Held out"),
    "let_in": ("Letting in again", "Let in again"),
}


@dataclass(frozen=True)
class Sweep:
    """One change of many photos of a study: those of `ids`, or all that a filter matched when it was asked for.

    It goes from the oldest to `until`, the newest of then, and has done what lies up to `after`.
    """

    id: str
    study_id: str
    action: SweepAction
    created_at: datetime
    argument: str = ""
    ids: tuple[str, ...] = ()
    wanted: dict[str, str] = field(default_factory=dict)
    until: str = ""
    after: str = ""
    total: int = 0
    done: int = 0
    asked_by: str | None = None
    finished_at: datetime | None = None
    revision: int = 0


def action_of(text: str) -> SweepAction:
    """Return the change that a text names, or raise InvalidRequest."""
    for known in get_args(SweepAction):
        if text == known:
            action: SweepAction = known
            return action
    raise InvalidRequest(f"Choose what to do with the photos: {', '.join(get_args(SweepAction))}; not {text[:40]!r}.")
