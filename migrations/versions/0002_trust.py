"""Passwords, keys, throttling, feedback, and audit events as a chain."""

import hashlib
import json
from datetime import UTC
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_AT = sa.DateTime(timezone=True)
_JSON = sa.JSON(none_as_null=True)
_FIRST = "0" * 64
_LOOKED_UP = (
    ("inputs", "object_key"),
    ("outputs", "object_key"),
    ("experiment_options", "input_id"),
    ("experiment_options", "output_id"),
)
_EVENTS = sa.table(
    "audit_events",
    *(sa.column(name) for name in ("id", "project_id", "actor_id", "action", "object_type", "object_id", "note")),
    *(sa.column(name) for name in ("number", "before_hash", "after_hash", "note_hash", "previous_hash", "hash")),
    sa.column("at", _AT),
    sa.column("details", _JSON),
)


def upgrade() -> None:
    op.add_column("users", sa.Column("erased_at", _AT, nullable=True))
    op.add_column("outputs", sa.Column("removed_at", _AT, nullable=True))
    _sessions()
    _passwords()
    _keys()
    _feedback()
    _events()
    for table, column in _LOOKED_UP:
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column])


def downgrade() -> None:
    for table, column in _LOOKED_UP:
        op.drop_index(op.f(f"ix_{table}_{column}"), table)
    for table in ("feedback", "attempts", "api_keys", "passwords"):
        op.drop_table(table)
    op.drop_index(op.f("ix_audit_events_object_id"), "audit_events")
    with op.batch_alter_table("audit_events") as batch:
        batch.drop_constraint(op.f("uq_audit_events_project_id_number"), type_="unique")
        for column in ("number", "details", "note_hash", "previous_hash", "hash"):
            batch.drop_column(column)
    op.drop_index(op.f("ix_sessions_user_id"), "sessions")
    with op.batch_alter_table("sessions") as batch:
        batch.drop_constraint(op.f("ck_sessions_via_known"), type_="check")
        batch.drop_column("via")
        batch.drop_column("client")
    op.drop_column("outputs", "removed_at")
    op.drop_column("users", "erased_at")


def _sessions() -> None:
    with op.batch_alter_table("sessions") as batch:
        batch.add_column(sa.Column("via", sa.String(16), nullable=False, server_default="link"))
        batch.add_column(sa.Column("client", sa.String(80), nullable=False, server_default=""))
        batch.create_check_constraint(op.f("ck_sessions_via_known"), "via IN ('link', 'password')")
    with op.batch_alter_table("sessions") as batch:
        batch.alter_column("via", existing_type=sa.String(16), server_default=None)
        batch.alter_column("client", existing_type=sa.String(80), server_default=None)
    op.create_index(op.f("ix_sessions_user_id"), "sessions", ["user_id"])


def _passwords() -> None:
    op.create_table(
        "passwords",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("hash", sa.String(400), nullable=False),
        sa.Column("set_at", _AT, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["id"], ["users.id"], name=op.f("fk_passwords_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passwords")),
    )
    op.create_table(
        "attempts",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("since", _AT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
    )
    op.create_index(op.f("ix_attempts_since"), "attempts", ["since"])


def _keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("secret_hash", sa.String(64), nullable=False),
        sa.Column("project_id", sa.String(36), nullable=False),
        sa.Column("owner_id", sa.String(36), nullable=True),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("environment", sa.String(64), nullable=False),
        sa.Column("scopes", _JSON, nullable=False),
        sa.Column("created_at", _AT, nullable=False),
        sa.Column("expires_at", _AT, nullable=True),
        sa.Column("used_at", _AT, nullable=True),
        sa.Column("revoked_at", _AT, nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_api_keys_project_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_api_keys_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_api_keys_secret_hash")),
    )


def _feedback() -> None:
    op.create_table(
        "feedback",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("project_id", sa.String(36), nullable=False),
        sa.Column("prompt_key", sa.String(64), nullable=False),
        sa.Column("version_id", sa.String(36), nullable=False),
        sa.Column("key_id", sa.String(36), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("at", _AT, nullable=False),
        sa.Column("received_at", _AT, nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("failure", sa.String(64), nullable=False),
        sa.CheckConstraint("score IS NULL OR score BETWEEN 1 AND 5", name=op.f("ck_feedback_score_in_range")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_feedback_project_id")),
        sa.ForeignKeyConstraint(["prompt_key"], ["prompts.key"], name=op.f("fk_feedback_prompt_key")),
        sa.ForeignKeyConstraint(["version_id"], ["prompt_versions.id"], name=op.f("fk_feedback_version_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feedback")),
    )
    op.create_index(op.f("ix_feedback_version_id_at"), "feedback", ["version_id", "at"])


def _events() -> None:
    with op.batch_alter_table("audit_events") as batch:
        batch.add_column(sa.Column("number", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("details", _JSON, nullable=True))
        for column in ("note_hash", "previous_hash", "hash"):
            batch.add_column(sa.Column(column, sa.String(64), nullable=True))
    _chain_what_is_there()
    with op.batch_alter_table("audit_events") as batch:
        batch.alter_column("number", existing_type=sa.Integer(), nullable=False)
        batch.alter_column("details", existing_type=_JSON, nullable=False)
        for column in ("note_hash", "previous_hash", "hash"):
            batch.alter_column(column, existing_type=sa.String(64), nullable=False)
        batch.create_unique_constraint(op.f("uq_audit_events_project_id_number"), ["project_id", "number"])
    op.create_index(op.f("ix_audit_events_object_id"), "audit_events", ["object_id"])


def _chain_what_is_there() -> None:
    """Link the events of each project by id, as the chain was when it began; later changes of it are not this one's."""
    connection = op.get_bind()
    last: dict[str, tuple[int, str]] = {}
    for row in connection.execute(sa.select(_EVENTS).order_by(_EVENTS.c.id)).mappings().all():
        number, previous = last.get(row["project_id"], (0, _FIRST))
        noted = hashlib.sha256(f"{row['id']}\n{row['note']}".encode()).hexdigest() if row["note"] else ""
        hashed = _hash(row, number + 1, previous, noted)
        link = {"number": number + 1, "details": {}, "note_hash": noted, "previous_hash": previous, "hash": hashed}
        connection.execute(sa.update(_EVENTS).where(_EVENTS.c.id == row["id"]).values(**link))
        last[row["project_id"]] = (number + 1, hashed)


def _hash(row: Any, number: int, previous: str, noted: str) -> str:
    at = (row["at"].astimezone(UTC) if row["at"].tzinfo else row["at"]).strftime("%Y-%m-%dT%H:%M:%S.%f+00:00")
    parts = [previous, row["project_id"], number, row["id"], row["actor_id"], row["action"], row["object_type"]]
    parts += [row["object_id"], at, row["before_hash"], row["after_hash"], {}, noted]
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
