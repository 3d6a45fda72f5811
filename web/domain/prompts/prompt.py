"""Prompts, their versions, and the pointers that say which version is live."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError, WithJsonSchema

from ml_service.errors import InvalidRequest
from ml_service.wire.contract import Point
from web.domain.prompts.template import check, render

PointerKind = Literal["branch", "environment"]
VersionStatus = Literal["candidate", "released", "withdrawn"]
Step = Literal["major", "minor", "patch"]

DEFAULT_KEY = "photo-enhance"
SCHEMA_VERSION: Literal[1] = 1
MOST_BYTES = 2**20
_KEY = r"[a-z0-9-]{1,64}"
_NAME = r"v(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})"
_MOMENT = {
    "type": "string",
    "format": "date-time",
    "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$",
    "description": "When it was made, in UTC.",
}

Key = Annotated[str, Field(pattern=f"^{_KEY}$")]
Name = Annotated[str, Field(pattern=f"^{_NAME}$")]
Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
Text = Annotated[str, Field(max_length=20_000)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Setting = Number | int | Annotated[str, Field(max_length=200)]


@dataclass(frozen=True)
class Variable:
    """A named blank of a prompt and what fills it when nobody does."""

    type: Literal["string"] = "string"
    default: Annotated[str, Field(max_length=1000)] = ""


@dataclass(frozen=True)
class Prompt:
    """What versions are of: a key in a project."""

    key: str
    project_id: str
    created_at: datetime
    revision: int = 0


@dataclass(frozen=True)
class PromptVersion:
    """Prompt components by generator and slot, and generator parameters; immutable, named once it is released."""

    id: str
    prompt_key: str
    number: int
    name: str | None
    components: dict[str, dict[str, str]]
    created_at: datetime
    created_by: str
    variables: dict[str, Variable] = field(default_factory=dict)
    parameter_defaults: dict[str, Point] = field(default_factory=dict)
    slots_locked: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    changelog: str = ""
    sha256: str = ""
    status: VersionStatus = "candidate"
    revision: int = 0

    @property
    def label(self) -> str:
        """What it is called; one that was not released has its number for a name."""
        return self.name or f"candidate {self.number}"

    def rendered(self, generator: str) -> dict[str, str]:
        """Return the components of one generator with each variable at its default; InvalidRequest where none fits."""
        values = {name: variable.default for name, variable in self.variables.items()}
        try:
            return {slot: render(text, values) for slot, text in self.components.get(generator, {}).items()}
        except InvalidRequest as error:
            raise InvalidRequest(f"The prompt of {generator} in {self.name or self.id}: {error}") from error

    def check(self) -> None:
        """Refuse texts that cannot be rendered, and variables that are not declared, not used or badly named."""
        check(self.components, self.variables)
        for generator in self.components:
            self.rendered(generator)


@dataclass(frozen=True)
class Pointer:
    """Which version a branch or an environment of a prompt points at; moved by compare-and-set alone."""

    id: str
    prompt_key: str
    kind: PointerKind
    name: str
    version_id: str
    moved_at: datetime
    revision: int = 0


@dataclass(frozen=True)
class VersionLine:
    """What a list says of a version, without what is in it."""

    id: str
    number: int
    name: str | None
    status: VersionStatus


@dataclass(frozen=True, kw_only=True)
class VersionFile:
    """A released version as it is published; readers ignore fields they do not know."""

    schema_version: Annotated[Literal[1], Field(description="Another number means another form: do not read on.")]
    prompt_key: Annotated[Key, Field(description="Which prompt this is a version of.")]
    version: Annotated[Name, Field(description="Major: variables or slots changed; minor: texts or parameters did.")]
    sha256: Annotated[
        str,
        Field(pattern="^[0-9a-f]{64}$", description="Of the canonical JSON of all other fields: sorted, no spaces."),
    ]
    parents: Annotated[
        tuple[Name, ...], Field(max_length=20, description="The versions that this one was made from.")
    ] = ()
    created_at: Annotated[datetime, WithJsonSchema(_MOMENT)]
    created_by: Annotated[str, Field(max_length=80, description="What made it; never a person.")]
    components: Annotated[
        dict[Word, Annotated[dict[Word, Text], Field(max_length=20)]],
        Field(max_length=20, description="Texts by generator and slot; `{{name}}` is filled with a variable."),
    ]
    slots_locked: Annotated[
        tuple[Annotated[str, Field(max_length=130)], ...],
        Field(max_length=400, description="Slots that evolution leaves alone, as `generator.slot`."),
    ] = ()
    variables: Annotated[
        dict[Word, Variable], Field(max_length=50, description="The blanks of the texts, and what fills them.")
    ]
    parameter_defaults: Annotated[
        dict[Word, Annotated[dict[Word, Setting], Field(max_length=100)]],
        Field(max_length=20, description="Parameters by generator; one left out is at the generator's own default."),
    ]
    changelog: Annotated[str, Field(max_length=2000, description="What is new, in a sentence.")] = ""


_FILE = TypeAdapter(VersionFile)


def content_hash(document: Mapping[str, object]) -> str:
    """Return the SHA-256 of a version file's canonical JSON, its own `sha256` field left out."""
    body = {name: value for name, value in document.items() if name != "sha256"}
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def as_file(version: PromptVersion, parents: Sequence[str]) -> VersionFile:
    """Return a named version as it is published, its parents by name, with its hash; InvalidRequest where it cannot."""
    fields = {
        "schema_version": SCHEMA_VERSION,
        "prompt_key": version.prompt_key,
        "version": version.name,
        "sha256": "0" * 64,
        "parents": tuple(parents),
        "created_at": version.created_at.astimezone(UTC).replace(microsecond=0),
        "created_by": version.created_by,
        "components": version.components,
        "slots_locked": version.slots_locked,
        "variables": version.variables,
        "parameter_defaults": version.parameter_defaults,
        "changelog": version.changelog,
    }
    file = _validated(fields)
    file = replace(file, sha256=content_hash(_document(file)))
    if len(to_bytes(file)) > MOST_BYTES:
        raise InvalidRequest(f"The version has more than {MOST_BYTES} bytes; shorten its texts.")
    return file


def as_row(file: VersionFile, version_id: str, number: int, parents: Sequence[str]) -> PromptVersion:
    """Return the released row that a file is published from, its parents by id."""
    return PromptVersion(
        id=version_id,
        prompt_key=file.prompt_key,
        number=number,
        name=file.version,
        components=file.components,
        created_at=file.created_at,
        created_by=file.created_by,
        variables=file.variables,
        parameter_defaults=file.parameter_defaults,
        slots_locked=file.slots_locked,
        parents=tuple(parents),
        changelog=file.changelog,
        sha256=file.sha256,
        status="released",
    )


def to_bytes(file: VersionFile) -> bytes:
    """Return the one form in which a version is written."""
    return (json.dumps(_document(file), indent=2, ensure_ascii=False) + "\n").encode()


def from_bytes(body: bytes) -> VersionFile:
    """Read a version file and check its hash, or say in InvalidRequest what is wrong with it."""
    try:
        document = json.loads(body.decode(), parse_constant=_refused)
        if not isinstance(document, dict):
            raise InvalidRequest("it is not a JSON object.")
        if document.get("schema_version") != SCHEMA_VERSION:
            told = f"it has schema_version {document.get('schema_version')!r}, and this Palate reads {SCHEMA_VERSION}."
            raise InvalidRequest(told)
        if content_hash(document) != document.get("sha256"):
            raise InvalidRequest("it does not match its sha256.")
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f"it is not JSON ({str(error)[:100]}).") from error
    return _validated(document)


def step(old: PromptVersion, new: PromptVersion) -> Step:
    """Return how far two versions are apart for who uses them: new blanks or slots, new content, or neither."""
    if old.variables != new.variables or _slots(old) != _slots(new):
        return "major"
    if (old.components, old.parameter_defaults) != (new.components, new.parameter_defaults):
        return "minor"
    return "patch"


def next_name(parent: str | None, how_far: Step, taken: Iterable[str]) -> str:
    """Return the name of a parent's child: the next free one, so that a name never means two things."""
    if parent is None:
        names = [number_of(name) for name in taken]
        return f"v{max((major for major, _, _ in names), default=0) + 1}.0.0"
    major, minor, _ = number_of(parent)
    names = [number_of(name) for name in (*taken, parent)]
    if how_far == "major":
        return f"v{max(name[0] for name in names) + 1}.0.0"
    if how_far == "minor":
        return f"v{major}.{max(name[1] for name in names if name[0] == major) + 1}.0"
    return f"v{major}.{minor}.{max(name[2] for name in names if name[:2] == (major, minor)) + 1}"


def number_of(name: str) -> tuple[int, int, int]:
    """Return the three numbers of a version's name, by which names are ordered."""
    found = re.fullmatch(_NAME, name)
    if found is None:
        raise InvalidRequest(f"“{name[:40]}” is not the name of a version; it has the form v1.2.0.")
    return int(found[1]), int(found[2]), int(found[3])


def is_key(text: str) -> bool:
    """Tell whether a text can be the key of a prompt."""
    return re.fullmatch(_KEY, text) is not None


def _document(file: VersionFile) -> dict[str, Any]:
    document: dict[str, Any] = _FILE.dump_python(file, mode="json")
    return document


def _validated(fields: Mapping[str, Any]) -> VersionFile:
    try:
        return _FILE.validate_python(fields)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "it"
        raise InvalidRequest(f"{where}: {first['msg'].lower()}.") from error


def _slots(version: PromptVersion) -> dict[str, set[str]]:
    return {generator: set(slots) for generator, slots in version.components.items()}


def _refused(constant: str) -> float:
    raise ValueError(f"{constant} is not a number")
