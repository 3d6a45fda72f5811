"""Raters are told by a study's guide, enrolled in it, calibrated by gold items, and have a midnight of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_AT = sa.DateTime(timezone=True)
_JSON = sa.JSON(none_as_null=True)


def upgrade() -> None:
    with op.batch_alter_table("users") as batch:
        batch.add_column(sa.Column("time_zone", sa.String(64), nullable=False, server_default="UTC"))
    with op.batch_alter_table("studies") as batch:
        batch.add_column(sa.Column("guide", _JSON, nullable=False, server_default="{}"))  # each part by its default
    with op.batch_alter_table("users") as batch:
        batch.alter_column("time_zone", existing_type=sa.String(64), server_default=None)
    with op.batch_alter_table("studies") as batch:
        batch.alter_column("guide", existing_type=_JSON, server_default=None)
    _enrolments()
    _gold_items()
    unsafe = sa.text("skip = 'unsafe' AND undone_at IS NULL")
    op.create_index(
        "ix_enhancement_ratings_unsafe",
        "enhancement_ratings",
        ["study_id", "input_id"],
        sqlite_where=unsafe,
        postgresql_where=unsafe,
    )
    op.create_index(op.f("ix_leases_rater_id_study_id_id"), "leases", ["rater_id", "study_id", "id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_leases_rater_id_study_id_id"), "leases")
    op.drop_index("ix_enhancement_ratings_unsafe", "enhancement_ratings")
    op.drop_table("gold_items")
    op.drop_table("enrolments")
    with op.batch_alter_table("studies") as batch:
        batch.drop_column("guide")
    with op.batch_alter_table("users") as batch:
        batch.drop_column("time_zone")


def _enrolments() -> None:
    op.create_table(
        "enrolments",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("study_id", sa.String(36), nullable=False),
        sa.Column("rater_id", sa.String(36), nullable=False),
        sa.Column("created_at", _AT, nullable=False),
        sa.Column("consented_at", _AT, nullable=True),
        sa.Column("consented_to", sa.String(64), nullable=False),
        sa.Column("read_at", _AT, nullable=True),
        sa.Column("trained_at", _AT, nullable=True),
        sa.Column("recalibrate_from", _AT, nullable=True),
        sa.Column("paused_at", _AT, nullable=True),
        sa.Column("pause_reason", sa.Text, nullable=False),
        sa.Column("paused_by", sa.String(36), nullable=True),
        sa.Column("unsafe_ok", sa.Boolean, nullable=False),
        sa.Column("appeal", sa.Text, nullable=False),
        sa.Column("appealed_at", _AT, nullable=True),
        sa.Column("answered", sa.Text, nullable=False),
        sa.Column("answered_at", _AT, nullable=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_enrolments_study_id")),
        sa.ForeignKeyConstraint(["rater_id"], ["users.id"], name=op.f("fk_enrolments_rater_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolments")),
        sa.UniqueConstraint("study_id", "rater_id", name=op.f("uq_enrolments_study_id_rater_id")),
    )
    op.create_index(op.f("ix_enrolments_rater_id"), "enrolments", ["rater_id"])


def _gold_items() -> None:
    op.create_table(
        "gold_items",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("experiment_id", sa.String(36), nullable=False),
        sa.Column("study_id", sa.String(36), nullable=False),
        sa.Column("low", sa.Integer, nullable=False),
        sa.Column("high", sa.Integer, nullable=False),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("created_at", _AT, nullable=False),
        sa.Column("retired_at", _AT, nullable=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.CheckConstraint("1 <= low AND low <= high AND high <= 5", name=op.f("ck_gold_items_range_of_stars")),
        sa.CheckConstraint("source IN ('agreement', 'degraded')", name=op.f("ck_gold_items_source_known")),
        sa.ForeignKeyConstraint(
            ["experiment_id"], ["parameter_experiments.id"], name=op.f("fk_gold_items_experiment_id")
        ),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_gold_items_study_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gold_items")),
        sa.UniqueConstraint("experiment_id", name=op.f("uq_gold_items_experiment_id")),
    )
    op.create_index(op.f("ix_gold_items_study_id"), "gold_items", ["study_id"])
