"""Calls of text models are on the books: reserved before, settled after, their answers kept."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "completions",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("request_hash", sa.String(64), nullable=False),
        sa.Column("purpose", sa.String(64), nullable=False),
        sa.Column("project_id", sa.String(36), nullable=False),
        sa.Column("study_id", sa.String(36), nullable=True),
        sa.Column("model", sa.String(400), nullable=False),
        sa.Column("reserved_micros", sa.BigInteger, nullable=False),
        sa.Column("created_at", _AT, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("cost_micros", sa.BigInteger, nullable=False),
        sa.Column("tokens_in", sa.Integer, nullable=False),
        sa.Column("tokens_out", sa.Integer, nullable=False),
        sa.Column("answer", sa.Text, nullable=True),
        sa.Column("settled_at", _AT, nullable=True),
        sa.CheckConstraint("state IN ('reserved', 'settled', 'failed')", name=op.f("ck_completions_state_known")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_completions_project_id")),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_completions_study_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_completions")),
    )
    op.create_index(op.f("ix_completions_request_hash"), "completions", ["request_hash"])
    op.create_index(op.f("ix_completions_created_at"), "completions", ["created_at"])


def downgrade() -> None:
    op.drop_table("completions")
