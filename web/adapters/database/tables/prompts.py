"""Prompts, their versions and the pointers to them."""

from sqlalchemy import CheckConstraint, Column, Float, ForeignKey, Index, String, Table, Text, UniqueConstraint

from ml_service.wire.contract import Point
from web.adapters.database.tables.base import (
    identity,
    metadata,
    moment,
    one_of,
    reference,
    revision,
    rows,
    short_text,
    typed,
    whole,
)
from web.domain.prompts.feedback import Feedback
from web.domain.prompts.prompt import Pointer, Prompt, PromptVersion, Variable

prompts = Table(
    "prompts",
    metadata,
    Column("key", String(64), primary_key=True),
    reference("project_id", "projects"),
    moment("created_at"),
    revision(),
    info=rows("prompts", Prompt),
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
    info=rows("versions", PromptVersion),
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
    info=rows("pointers", Pointer),
)

feedback = Table(
    "feedback",
    metadata,
    identity(),
    reference("project_id", "projects"),
    Column("prompt_key", String(64), ForeignKey("prompts.key"), nullable=False),
    reference("version_id", "prompt_versions"),
    short_text("key_id", 36),
    short_text("fingerprint", 64),
    moment("at"),
    moment("received_at"),
    Column("score", Float),
    Column("comment", Text, nullable=False),
    short_text("failure", 64),
    Index(None, "version_id", "at"),
    CheckConstraint("score IS NULL OR score BETWEEN 1 AND 5", name="score_in_range"),
    info=rows("feedback", Feedback),
)
