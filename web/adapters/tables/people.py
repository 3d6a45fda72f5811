"""Who there is: projects, people, and their ways in."""

from sqlalchemy import Boolean, Column, Index, String, Table, Text, UniqueConstraint

from web.adapters.tables.base import identity, metadata, moment, one_of, reference, revision, short_text

projects = Table("projects", metadata, identity(), short_text("name"), moment("created_at"))

users = Table(
    "users",
    metadata,
    identity(),
    Column("email", String(254), nullable=False, unique=True),
    moment("created_at"),
    Column("active", Boolean, nullable=False),
    revision(),
)

memberships = Table(
    "memberships",
    metadata,
    identity(),
    reference("project_id", "projects"),
    reference("user_id", "users"),
    short_text("role", 16),
    moment("created_at"),
    revision(),
    UniqueConstraint("user_id", "project_id"),
    one_of("role", "rater", "admin"),
)

sessions = Table(
    "sessions",
    metadata,
    identity(),
    Column("secret_hash", String(64), nullable=False, unique=True),
    reference("user_id", "users"),
    moment("created_at"),
    moment("expires_at"),
    moment("revoked_at", nullable=True),
    revision(),
)

links = Table(
    "sign_in_links",
    metadata,
    identity(),
    Column("secret_hash", String(64), nullable=False, unique=True),
    reference("project_id", "projects"),
    short_text("role", 16),
    short_text("email", 254),
    moment("created_at"),
    moment("expires_at"),
    short_text("created_by", 36, nullable=True),
    moment("used_at", nullable=True),
    revision(),
)

audit_events = Table(
    "audit_events",
    metadata,
    identity(),
    reference("project_id", "projects"),
    short_text("actor_id", 36, nullable=True),
    short_text("action", 64),
    short_text("object_type", 64),
    short_text("object_id", 64),
    moment("at"),
    short_text("before_hash", 64, nullable=True),
    short_text("after_hash", 64, nullable=True),
    Column("note", Text, nullable=False),
    Index(None, "project_id", "at"),
)
