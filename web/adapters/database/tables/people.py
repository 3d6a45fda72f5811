"""Who there is: projects, people, and their ways in."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, String, Table, Text, UniqueConstraint

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
from web.domain.access import Scope
from web.domain.accounts import ApiKey, Attempts, Link, Membership, Password, Session, User
from web.domain.audit.audit import Event
from web.domain.studies.study import Project

projects = Table(
    "projects", metadata, identity(), short_text("name"), moment("created_at"), info=rows("projects", Project)
)

users = Table(
    "users",
    metadata,
    identity(),
    Column("email", String(254), nullable=False, unique=True),
    moment("created_at"),
    Column("active", Boolean, nullable=False),
    moment("erased_at", nullable=True),
    short_text("time_zone", 64),
    revision(),
    info=rows("users", User),
)

passwords = Table(
    "passwords",
    metadata,
    Column("id", String(36), ForeignKey("users.id"), primary_key=True),
    short_text("hash"),
    moment("set_at"),
    revision(),
    info=rows("passwords", Password),
)

memberships = Table(
    "memberships",
    metadata,
    identity(),
    reference("project_id", "projects"),
    reference("user_id", "users"),
    short_text("role", 16),
    moment("created_at"),
    # No foreign key: a study that is gone, or no longer theirs, is as good as none.
    short_text("rates", 36, nullable=True),
    revision(),
    UniqueConstraint("user_id", "project_id"),
    one_of("role", "rater", "admin"),
    info=rows("memberships", Membership),
)

sessions = Table(
    "sessions",
    metadata,
    identity(),
    Column("secret_hash", String(64), nullable=False, unique=True),
    reference("user_id", "users"),
    reference("project_id", "projects"),
    moment("created_at"),
    moment("expires_at"),
    short_text("via", 16),
    short_text("client", 80),
    moment("revoked_at", nullable=True),
    revision(),
    Index(None, "user_id"),
    one_of("via", "link", "password"),
    info=rows("sessions", Session),
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
    info=rows("links", Link),
)

api_keys = Table(
    "api_keys",
    metadata,
    identity(),
    Column("secret_hash", String(64), nullable=False, unique=True),
    reference("project_id", "projects"),
    reference("owner_id", "users", nullable=True),
    short_text("name", 120),
    short_text("environment", 64),
    typed("scopes", tuple[Scope, ...]),
    moment("created_at"),
    moment("expires_at", nullable=True),
    moment("used_at", nullable=True),
    moment("revoked_at", nullable=True),
    revision(),
    info=rows("keys", ApiKey),
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", String(64), primary_key=True),
    whole("count"),
    moment("since"),
    Index(None, "since"),
    info=rows("attempts", Attempts),
)

audit_events = Table(
    "audit_events",
    metadata,
    identity(),
    reference("project_id", "projects"),
    whole("number"),
    short_text("actor_id", 36, nullable=True),
    short_text("action", 64),
    short_text("object_type", 64),
    short_text("object_id", 64),
    moment("at"),
    short_text("before_hash", 64, nullable=True),
    short_text("after_hash", 64, nullable=True),
    typed("details", dict[str, str]),
    Column("note", Text, nullable=False),
    short_text("note_hash", 64),
    short_text("previous_hash", 64),
    short_text("hash", 64),
    UniqueConstraint("project_id", "number"),
    Index(None, "project_id", "at"),
    Index(None, "object_id"),
    info=rows("events", Event),
)
