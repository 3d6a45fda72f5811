"""Admins write to raters, say how many items newcomers practise on, and practice shows untouched sources too."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    with op.batch_alter_table("studies") as batch:
        batch.add_column(sa.Column("calibration", sa.Integer, nullable=False, server_default="10"))
    with op.batch_alter_table("enrolments") as batch:
        batch.add_column(sa.Column("message", sa.Text, nullable=False, server_default=""))
        batch.add_column(sa.Column("message_at", _AT, nullable=True))
        batch.add_column(sa.Column("message_by", sa.String(36), nullable=True))
        batch.add_column(sa.Column("message_read_at", _AT, nullable=True))
    with op.batch_alter_table("studies") as batch:
        batch.alter_column("calibration", existing_type=sa.Integer, server_default=None)
    with op.batch_alter_table("enrolments") as batch:
        batch.alter_column("message", existing_type=sa.Text, server_default=None)
    _known_sources("'agreement', 'degraded', 'untouched'")


def downgrade() -> None:
    op.execute("UPDATE gold_items SET source = 'degraded' WHERE source = 'untouched'")
    _known_sources("'agreement', 'degraded'")
    with op.batch_alter_table("enrolments") as batch:
        for column in ("message_read_at", "message_by", "message_at", "message"):
            batch.drop_column(column)
    with op.batch_alter_table("studies") as batch:
        batch.drop_column("calibration")


def _known_sources(names: str) -> None:
    with op.batch_alter_table("gold_items") as batch:
        batch.drop_constraint(op.f("ck_gold_items_source_known"), type_="check")
        batch.create_check_constraint(op.f("ck_gold_items_source_known"), f"source IN ({names})")
