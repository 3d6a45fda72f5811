"""The history of ratings: what is asked of it, its rows as admins and as their raters may see them, page by page."""

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Annotated, Generic, Literal, TypeVar, get_args

from pydantic import PlainSerializer, WithJsonSchema

from ml_service.errors import InvalidRequest
from ml_service.wire.contract import Point
from web.domain.day import day_of, written
from web.domain.studies.experiment import ExperimentKind
from web.domain.studies.guide import TAG, TAGS
from web.domain.text import one_of

T = TypeVar("T")
AnswerState = Literal["scored", "skipped", "late", "flagged", "undone"]
# A moment that is downloaded: JSON has it in the form that CSV has.
Moment = Annotated[
    datetime,
    PlainSerializer(written, when_used="json-unless-none"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


@dataclass(frozen=True)
class Filter:
    """Which ratings of a history are wanted; None and "" leave a question open. `until` is the last day wanted.

    Undone ratings are left out unless the state asks for them.
    """

    study: str | None = None
    generator: str | None = None
    version: str | None = None
    rater: str | None = None
    low: float | None = None
    high: float | None = None
    tag: str | None = None
    state: AnswerState | None = None
    kind: ExperimentKind | None = None
    text: str = ""
    since: date | None = None
    until: date | None = None

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "Filter":
        """Return the filter that a query string describes; raise InvalidRequest where a value means nothing."""
        given = {name: query.get(name, "").strip() for name in cls.__dataclass_fields__}
        return cls(
            study=given["study"] or None,
            generator=given["generator"] or None,
            version=given["version"] or None,
            rater=given["rater"] or None,
            low=_number("low", given["low"]),
            high=_number("high", given["high"]),
            tag=_tag(given["tag"]),
            state=one_of("state", given["state"], get_args(AnswerState)),
            kind=one_of("kind", given["kind"], get_args(ExperimentKind)),
            text=given["text"],
            since=day_of("since", given["since"]),
            until=day_of("until", given["until"]),
        )

    def query(self) -> dict[str, str]:
        """Return the values that are set, as `read` takes them."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {
            name: f"{value:g}" if isinstance(value, float) else str(value) for name, value in values.items() if value
        }


def _number(name: str, text: str) -> float | None:
    try:
        value = float(text) if text else None
    except ValueError:
        value = 0.0
    if value is not None and not 1 <= value <= 5:
        raise InvalidRequest(f"{name} must be a score from 1 to 5, not {text!r}.")
    return value


def _tag(text: str) -> str | None:
    """Return a tag that some study may have: guides name their own."""
    if text and not re.fullmatch(TAG, text):
        raise InvalidRequest(f"tag must be the id of a tag, such as too_dark, not {text!r}.")
    return text or None


@dataclass(frozen=True)
class Cursor:
    """A place in a history: what comes after it is older."""

    rated_at: Moment
    id: str

    def __str__(self) -> str:
        return f"{self.rated_at.astimezone(UTC).replace(tzinfo=None).isoformat()}~{self.id}"

    @classmethod
    def read(cls, text: str) -> "Cursor | None":
        """Return the place that a text names, None for "", or raise InvalidRequest."""
        moment, _, key = text.partition("~")
        try:
            return cls(datetime.fromisoformat(moment).replace(tzinfo=UTC), key) if text else None
        except ValueError as error:
            raise InvalidRequest("`after` is not a place in the history; take it from the page before.") from error


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some rows, and where the next ones begin; `after` is "" on the last page."""

    rows: tuple[T, ...]
    after: str = ""


@dataclass(frozen=True)
class Entry:
    """One rating with all that it is about, as admins see it."""

    id: str
    rated_at: Moment
    study_id: str
    study: str
    experiment_id: str
    kind: ExperimentKind
    input_id: str
    input: str
    input_removed: bool
    output_id: str | None
    generator: str
    version: str
    point: Point
    score: float | None
    skip: str | None
    tags: tuple[str, ...]
    comment: str
    flagged: bool
    late: bool
    undone_at: Moment | None
    rater_id: str
    rater: str
    seen_ms: int


@dataclass(frozen=True)
class OwnEntry:
    """One rating as its rater may see it again: their own answer, and nothing of what made the image."""

    id: str
    rated_at: Moment
    study: str
    score: float | None
    skip: str | None
    tags: tuple[str, ...]
    comment: str
    flagged: bool
    late: bool
    undone_at: Moment | None


@dataclass(frozen=True)
class Choices:
    """What the filters of a history offer: names by value; `tags` has those of each study, by its id."""

    studies: dict[str, str]
    tags: dict[str, dict[str, str]]
    generators: tuple[str, ...]
    versions: dict[str, str]
    raters: dict[str, str]

    def tags_of(self, wanted: Filter) -> dict[str, str]:
        """Return the tags to choose from: those of the study that is wanted, or of all, and the one that is wanted."""
        newest_last = [self.tags[study] for study in sorted(self.tags) if wanted.study in (None, study)]
        found = {tag: label for tags in newest_last for tag, label in tags.items()}
        return found if wanted.tag is None else {wanted.tag: TAGS.get(wanted.tag, wanted.tag), **found}

    def among(self, ids: Set[str]) -> "Choices":
        """Return what filters offer to who may see these studies alone."""
        kept = {name: one for name, one in self.studies.items() if name in ids}
        return replace(self, studies=kept, tags={name: tags for name, tags in self.tags.items() if name in ids})

    def labels(self, study: str | None = None) -> dict[str, str]:
        """Return what each tag is called, in a study where one is named: also those that its guide has no more."""
        all_known = {tag: label for _, tags in sorted(self.tags.items()) for tag, label in tags.items()}
        return {**TAGS, **all_known, **self.tags.get(study or "", {})}
