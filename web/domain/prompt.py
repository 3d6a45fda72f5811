"""Prompts, their versions, and the pointers that say which version is live."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from ml_service.contract import Point

PointerKind = Literal["branch", "environment"]
DEFAULT_KEY = "photo-enhance"


@dataclass(frozen=True)
class Variable:
    """A named blank of a prompt and what fills it when nobody does."""

    type: Literal["string"] = "string"
    default: str = ""


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
    status: Literal["candidate", "released", "withdrawn"] = "candidate"
    revision: int = 0

    def rendered(self, generator: str) -> dict[str, str]:
        """Return the components of one generator with each `{{variable}}` at its default."""
        return {slot: self._fill(text) for slot, text in self.components.get(generator, {}).items()}

    def _fill(self, text: str) -> str:
        for name, variable in self.variables.items():
            text = text.replace("{{" + name + "}}", variable.default)
        return text


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
class VersionFile:
    """A released version as it is published; readers ignore fields they do not know."""

    schema_version: int
    prompt_key: str
    version: str
    sha256: str
    created_at: datetime
    created_by: str
    components: dict[str, dict[str, str]]
    variables: dict[str, Variable]
    parameter_defaults: dict[str, Point]
    parents: tuple[str, ...] = ()
    slots_locked: tuple[str, ...] = ()
    changelog: str = ""


def content_hash(document: Mapping[str, object]) -> str:
    """Return the SHA-256 of a version file's canonical JSON, its own `sha256` field left out."""
    body = {name: value for name, value in document.items() if name != "sha256"}
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
