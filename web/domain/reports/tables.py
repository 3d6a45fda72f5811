"""Tables for analysis: one schema for each version of them, whatever file they are written to.

A text is missing where it is empty, and what is missing is null, never NaN; ids are text, times are in UTC. Within a
version columns keep their names and kinds. Behind them each parameter of the studies asked for has a column of its own,
such as `parameter.exposure`: of the kind that holds all its values, so real where not all numbers are whole, and text
where some are texts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

SCHEMA_VERSION = 1
PARAMETER = "parameter."

TableName = Literal["ratings", "options", "experiments", "inputs"]
Kind = Literal["text", "whole", "real", "flag", "moment", "words", "json"]
Row = tuple[object, ...]
# What a kind is in Parquet, in words.
TYPES: Mapping[Kind, str] = {
    "text": "text",
    "whole": "whole number (int64)",
    "real": "number (double)",
    "flag": "boolean",
    "moment": "time in UTC, in microseconds",
    "words": "list of texts",
    "json": "JSON as text",
}


@dataclass(frozen=True)
class Column:
    """A column: its name, which values it holds, what they say, and whether one may be missing."""

    name: str
    kind: Kind
    says: str
    nullable: bool = False


def _may(name: str, kind: Kind, says: str) -> Column:
    """Return a column in which values may be missing."""
    return Column(name, kind, says, nullable=True)


_STUDY = (
    Column("study_id", "text", "The study."),
    _may("study", "text", "What the study is called."),
)
_MADE = (
    Column("generator", "text", "What made the image."),
    Column("version_id", "text", "The version of the prompt."),
    Column("version", "text", "What the version is called: its name, or # and its number before it was released."),
)
_INPUT = (
    Column("input_id", "text", "The input that is treated."),
    _may("input", "text", "What the input is called; whose uploader was erased has another name than it came with."),
)

TABLES: Mapping[TableName, tuple[Column, ...]] = {
    "ratings": (
        Column("id", "text", "The rating, by the id that its sender gave it."),
        *_STUDY,
        Column("experiment_id", "text", "The experiment in which it was given."),
        Column("kind", "text", "The kind of the experiment: explore, ab, gold, repeat or calibration."),
        Column("option_id", "text", "The option that was rated."),
        *_INPUT,
        _may("output_id", "text", "The image that was rated."),
        *_MADE,
        Column("judge_id", "text", "Who rated: the id of a person, or of what rates in their place."),
        Column("judge_kind", "text", "human, metric or model."),
        Column("metric", "text", "What was rated: quality, where people rate."),
        _may("score", "real", "The score from 1 to 5, whole where people rate; missing where it was skipped."),
        _may("skip", "text", "Why it was skipped; missing where it was scored."),
        _may("comment", "text", "What the rater said in words."),
        Column("flagged", "flag", "Whether the rater flagged it."),
        Column("late", "flag", "Whether it came after the rater's time for it was over."),
        Column("rated_at", "moment", "When it was received."),
        Column("changed_at", "moment", "When it was changed last: received, undone or its comment erased."),
        _may("painted_at", "moment", "When the image was on the screen, by the rater's clock."),
        Column("seen_ms", "whole", "For how many milliseconds the image was visible."),
        _may("undone_at", "moment", "When the rater took it back; such a rating does not count."),
        Column("tags", "words", "The tags that the rater gave; in CSV with a space between them."),
    ),
    "options": (
        Column("id", "text", "The option: one way to treat the input of an experiment."),
        *_STUDY,
        Column("experiment_id", "text", "The experiment that it is shown in."),
        *_INPUT,
        Column("position", "whole", "Its place in the experiment, from 0."),
        *_MADE,
        Column("seed", "whole", "What drew what is random in making it."),
        Column("state", "text", "planned, generating, ready, spare or failed."),
        _may("why", "text", "Why it was chosen."),
        _may("output_id", "text", "The image that was made."),
        _may("output_width", "whole", "The width of that image in pixels."),
        _may("output_height", "whole", "The height of that image in pixels."),
        _may("output_bytes", "whole", "The size of that image's file in bytes."),
        Column("cost_micros", "whole", "What it cost to make, in millionths of a dollar."),
        _may("error", "text", "Why it could not be made."),
        _may("expected_mean", "real", "The rating that was expected when it was chosen."),
        _may("expected_low", "real", "The lower end of what was expected."),
        _may("expected_high", "real", "The upper end of what was expected."),
    ),
    "experiments": (
        Column("id", "text", "The experiment: one input shown with its options."),
        *_STUDY,
        *_INPUT,
        Column("kind", "text", "explore, ab, gold, repeat or calibration."),
        Column("state", "text", "planned, generating, ready, closed, void or dropped."),
        _may("held_for", "text", "The person who uploaded it to rate it, where it was made for one."),
        Column("created_at", "moment", "When it was made."),
        Column("changed_at", "moment", "When it was changed last."),
        _may("closed_at", "moment", "When it had all its ratings."),
    ),
    "inputs": (
        Column("id", "text", "The input: one source of a study."),
        *_STUDY,
        Column("kind", "text", "image or text."),
        _may("name", "text", "What it is called; whose uploader was erased has another name than it came with."),
        _may("content_hash", "text", "The SHA-256 of its content."),
        Column("media_type", "text", "What kind of file it is."),
        _may("width", "whole", "Its width in pixels, of images."),
        _may("height", "whole", "Its height in pixels, of images."),
        _may("stratum", "text", "The group that it is of."),
        _may("related", "text", "What it belongs together with."),
        _may("reference", "text", "What it should become, where that is known."),
        Column("demo", "flag", "Whether it is a demo photo."),
        _may("added_by", "text", "Who added it, where a person did."),
        Column("created_at", "moment", "When it was added."),
        _may("removed_at", "moment", "When it was taken down."),
        _may("payload", "json", "The content of an input that is text."),
        _may("metadata", "json", "What was noted of it when it was added."),
        Column("held_out", "flag", "Whether it is kept from what is explored."),
    ),
}
WITH_PARAMETERS: tuple[TableName, ...] = ("ratings", "options")


def columns(table: TableName, values: Iterable[tuple[str, Kind]]) -> tuple[Column, ...]:
    """Return the columns of a table; `values` tells of each parameter which kinds of values it may have or has."""
    if table not in WITH_PARAMETERS:
        return TABLES[table]
    kinds: dict[str, Kind] = {}
    for name, kind in values:
        kinds[name] = _wider(kinds.get(name, kind), kind)
    return (*TABLES[table], *(_parameter(name, kinds[name]) for name in sorted(kinds)))


def _wider(one: Kind, other: Kind) -> Kind:
    """Return the kind that holds the values of both."""
    found: set[Kind] = {one, other}
    if len(found) == 1:
        return one
    return "real" if found == {"whole", "real"} else "text"


def _parameter(name: str, kind: Kind) -> Column:
    return _may(PARAMETER + name, kind, f"The parameter {name}; missing where the generator has none of this name.")
