"""Prompts, their versions and the pointers to them."""

from sqlalchemy import Column, ForeignKey, String, Table, Text, UniqueConstraint

from ml_service.contract import Point
from web.adapters.tables.base import identity, metadata, moment, one_of, reference, revision, short_text, typed, whole
from web.domain.prompt import Variable

prompts = Table(
    "prompts",
    metadata,
    Column("key", String(64), primary_key=True),
    reference("project_id", "projects"),
    moment("created_at"),
    revision(),
)

prompt_versions = Table(
    "prompt_versions",
    metadata,
    identity(),
    Column("prompt_key", String(64), ForeignKey("prompts.key"), nullable=False),
    whole("number"),
    short_text("name", 40, nullable=True),
    typed("components", dict[str, dict[str, str]]),
    moment("created_at"),
    short_text("created_by"),
    typed("variables", dict[str, Variable]),
    typed("parameter_defaults", dict[str, Point]),
    typed("slots_locked", tuple[str, ...]),
    typed("parents", tuple[str, ...]),
    Column("changelog", Text, nullable=False),
    short_text("sha256", 64),
    short_text("status", 16),
    revision(),
    UniqueConstraint("prompt_key", "number"),
    UniqueConstraint("prompt_key", "name"),
    one_of("status", "candidate", "released", "withdrawn"),
)

prompt_pointers = Table(
    "prompt_pointers",
    metadata,
    identity(),
    Column("prompt_key", String(64), ForeignKey("prompts.key"), nullable=False),
    short_text("kind", 16),
    short_text("name", 64),
    reference("version_id", "prompt_versions"),
    moment("moved_at"),
    revision(),
    UniqueConstraint("prompt_key", "kind", "name"),
    one_of("kind", "branch", "environment"),
)
