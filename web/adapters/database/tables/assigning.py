"""Who rates what: panels, who is in them, and which studies are whose."""

from sqlalchemy import CheckConstraint, Index, Table, UniqueConstraint, text

from web.adapters.database.tables.base import (
    identity,
    metadata,
    moment,
    one_of,
    reference,
    revision,
    rows,
    short_text,
    whole,
)
from web.domain.studies.assigning import Assignment, Panel, PanelMember

panels = Table(
    "panels",
    metadata,
    identity(),
    reference("project_id", "projects"),
    short_text("name", 80),
    moment("created_at"),
    revision(),
    UniqueConstraint("project_id", "name"),
    info=rows("panels", Panel),
)

panel_members = Table(
    "panel_members",
    metadata,
    identity(),
    reference("panel_id", "panels"),
    reference("user_id", "users"),
    moment("created_at"),
    UniqueConstraint("user_id", "panel_id"),
    Index(None, "panel_id"),
    info=rows("panel_members", PanelMember),
)

assignments = Table(
    "assignments",
    metadata,
    identity(),
    reference("study_id", "studies"),
    short_text("kind", 16),
    reference("panel_id", "panels", nullable=True),
    reference("user_id", "users", nullable=True),
    whole("share"),
    whole("place"),
    moment("set_at"),
    revision(),
    UniqueConstraint("study_id", "panel_id"),
    UniqueConstraint("study_id", "user_id"),
    Index(
        "uq_assignments_everyone",
        "study_id",
        unique=True,
        sqlite_where=text("kind = 'everyone'"),
        postgresql_where=text("kind = 'everyone'"),
    ),
    one_of("kind", "everyone", "panel", "person"),
    CheckConstraint(
        "(kind = 'panel') = (panel_id IS NOT NULL) AND (kind = 'person') = (user_id IS NOT NULL)", name="names_whom"
    ),
    info=rows("assignments", Assignment),
)
