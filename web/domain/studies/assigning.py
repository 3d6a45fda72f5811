"""Who rates what: panels of raters, and which studies everyone, a panel or one person rates."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ml_service.errors import InvalidRequest
from web.domain.studies.study import Study

AudienceKind = Literal["everyone", "panel", "person"]
# What says it of fewer people wins over what says it of more.
CLOSENESS: dict[AudienceKind, int] = {"person": 0, "panel": 1, "everyone": 2}
MOST_SHARE = 100
MOST_PLACE = 1000
NAME_LIMIT = 80


@dataclass(frozen=True)
class Panel:
    """A named group of raters of a project."""

    id: str
    project_id: str
    name: str
    created_at: datetime
    revision: int = 0


@dataclass(frozen=True)
class PanelMember:
    """A person in a panel."""

    id: str
    panel_id: str
    user_id: str
    created_at: datetime


@dataclass(frozen=True)
class Audience:
    """Whom an assignment is about: everyone of the project, or the panel or the person with an id."""

    kind: AudienceKind
    id: str = ""


EVERYONE = Audience("everyone")
First = Literal["everyone", "nobody"]
FIRST: dict[First, tuple[Audience, ...]] = {"everyone": (EVERYONE,), "nobody": ()}  # who rates a new study


@dataclass(frozen=True)
class Assignment:
    """A study that an audience rates.

    Among the studies of one rater `share` is the weight that this one has, `place` where it stands in their order.
    `set_at` is when it was last said so.
    """

    id: str
    study_id: str
    kind: AudienceKind
    panel_id: str | None
    user_id: str | None
    share: int
    place: int
    set_at: datetime
    revision: int = 0

    @property
    def audience(self) -> Audience:
        """Whom it is about."""
        return Audience(self.kind, self.panel_id or self.user_id or "")


@dataclass(frozen=True)
class Mine:
    """A study of one rater, by which assignment it is theirs, and whether they chose to rate it alone."""

    study: Study
    kind: AudienceKind
    share: int
    place: int
    set_at: datetime
    chosen: bool = False


def lined_up(found: Iterable[Mine]) -> tuple[Mine, ...]:
    """Return each study once, by what is closest to the rater, in their order: by place, then the newest first."""
    closest: dict[str, Mine] = {}
    for one in sorted(found, key=lambda one: (CLOSENESS[one.kind], one.place, -one.share)):
        closest.setdefault(one.study.id, one)
    newest_first = sorted(closest.values(), key=lambda one: one.study.id, reverse=True)
    return tuple(sorted(newest_first, key=lambda one: one.place))


def furthest_behind(mine: Iterable[Mine], leased: Iterable[str]) -> tuple[Mine, ...]:
    """Return studies by how far each is behind its share of what was leased, named by study; ties stay in order."""
    lined = tuple(mine)
    had = dict.fromkeys((one.study.id for one in lined), 0)
    for study_id in leased:
        had[study_id] = had.get(study_id, 0) + 1
    return tuple(sorted(lined, key=lambda one: (had[one.study.id] + 1) / one.share))


def check_share(share: int, place: int) -> None:
    """Refuse a share or a place beyond their ends."""
    for name, value, most in (("share", share, MOST_SHARE), ("order", place, MOST_PLACE)):
        if not 1 <= value <= most:
            raise InvalidRequest(f"The {name} must be a whole number from 1 to {most}.")


def panel_name(typed: str) -> str:
    """Return a panel's name as it is kept, or raise InvalidRequest."""
    name = " ".join(typed.split())
    if not name or len(name) > NAME_LIMIT:
        raise InvalidRequest(f"Give the panel a name of at most {NAME_LIMIT} characters.")
    return name
