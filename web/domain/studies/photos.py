"""The photos of a study as its admins look through them: which are wanted, and what of each is shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, get_args

from ml_service.errors import InvalidRequest
from web.domain.day import day_of
from web.domain.ids import is_id
from web.domain.studies.study import Input
from web.domain.text import one_of

YesNo = Literal["yes", "no"]
TERMINAL = "terminal"  # what a filter says for photos that nobody of the project brought
NO_STRATUM = " none"  # and for those without a stratum: strata begin with no blank, so that none can be called so
METADATA, METADATA_LENGTH = 20, 400  # entries of one photo at most, and characters of a name or a value


@dataclass(frozen=True)
class PhotoFilter:
    """Which photos of a study are wanted; None and "" leave a question open. `until` is the last day wanted.

    `q` is a part of the name, `by` is who brought them, or `terminal` for those that came from there.
    """

    q: str = ""
    rated: YesNo | None = None
    held: YesNo | None = None
    stratum: str = ""
    by: str = ""
    since: date | None = None
    until: date | None = None

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "PhotoFilter":
        """Return the filter that a query string describes; raise InvalidRequest where a value means nothing."""
        given = {name: query.get(name, "").strip() for name in cls.__dataclass_fields__}
        if any(len(value) > METADATA_LENGTH for value in given.values()):
            raise InvalidRequest(f"A filter has at most {METADATA_LENGTH} characters; search for less.")
        return cls(
            q=given["q"],
            rated=one_of("rated", given["rated"], get_args(YesNo)),
            held=one_of("held", given["held"], get_args(YesNo)),
            stratum=NO_STRATUM if query.get("stratum") == NO_STRATUM else given["stratum"],
            by=given["by"],
            since=day_of("since", given["since"]),
            until=day_of("until", given["until"]),
        )

    def query(self) -> dict[str, str]:
        """Return the values that are set, as `read` takes them."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: str(value) for name, value in values.items() if value}


def place(text: str) -> str:
    """Return the id of the photo that `after` names, "" for none, or raise InvalidRequest."""
    if text and not is_id(text):
        raise InvalidRequest("`after` is not a place among the photos; take it from the page before.")
    return text


@dataclass(frozen=True)
class PhotoCounts:
    """How many photos a study has, and how many of them are rated and held out."""

    photos: int
    rated: int
    held: int


@dataclass(frozen=True)
class PhotoLine:
    """One present photo with how often it was rated, and the address of who brought it."""

    input: Input
    ratings: int
    by: str


@dataclass(frozen=True)
class PhotoChoices:
    """What the filters of a study's photos offer: its strata, and who brought photos, addresses by id."""

    strata: tuple[str, ...]
    people: dict[str, str]


def checked_metadata(given: object) -> dict[str, str]:
    """Return what is noted of a photo, or raise InvalidRequest where it is no small object of short strings."""
    if not isinstance(given, dict):
        raise InvalidRequest('metadata must be an object of strings, such as {"camera": "X100"}.')
    if len(given) > METADATA:
        raise InvalidRequest(f"metadata has {len(given)} entries; at most {METADATA} are kept.")
    for name, value in given.items():
        if not isinstance(value, str) or not isinstance(name, str):
            raise InvalidRequest(f"metadata: {str(name)[:40]} must be a string.")
        if max(len(name), len(value)) > METADATA_LENGTH or not name:
            raise InvalidRequest(f"metadata: a name and a value have 1 to {METADATA_LENGTH} characters.")
        if not (name + value).isprintable():
            raise InvalidRequest(f"metadata: {name[:40]!r} has characters that cannot be shown.")
    return dict(given)


@dataclass(frozen=True)
class SavedFilter:
    """A filter of a study's photos that somebody keeps for themselves under a name."""

    id: str
    study_id: str
    user_id: str
    name: str
    wanted: dict[str, str]
    created_at: datetime
    revision: int = 0
