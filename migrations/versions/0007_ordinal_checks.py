"""The order of items by opinion scores is checked every night, and what was found is kept."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "ordinal_checks",
        sa.Column("study_id", sa.String(36), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ratings", sa.Integer, nullable=False),
        sa.Column("items", sa.Integer, nullable=False),
        sa.Column("rank", sa.Float, nullable=True),
        sa.Column("top", sa.Integer, nullable=False),
        sa.Column("changed", sa.Integer, nullable=False),
        sa.Column("turned", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_ordinal_checks_study_id")),
        sa.PrimaryKeyConstraint("study_id", name=op.f("pk_ordinal_checks")),
    )


def downgrade() -> None:
    op.drop_table("ordinal_checks")
