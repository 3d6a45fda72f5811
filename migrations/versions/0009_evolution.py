"""Prompts evolve: rounds of evolution, A/B tests with their pairs, and how each study goes about it."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_AT = sa.DateTime(timezone=True)
_OPEN_TEST, _OPEN_ROUND = "state IN ('running', 'paused')", "state IN ('waiting', 'running')"


def upgrade() -> None:
    _ab_tests()
    _ab_pairs()
    _evolution_rounds()
    evolving = '{"every": 10, "policy": null, "most_challengers": 3, "worth_testing": 0.2}'
    with op.batch_alter_table("studies") as batch:
        batch.add_column(sa.Column("evolving", sa.JSON, nullable=False, server_default=evolving))
    with op.batch_alter_table("studies") as batch:
        batch.alter_column("evolving", existing_type=sa.JSON, server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("studies") as batch:
        batch.drop_column("evolving")
    for table in ("evolution_rounds", "ab_pairs", "ab_tests"):
        op.drop_table(table)


def _ab_tests() -> None:
    op.create_table(
        "ab_tests",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("project_id", sa.String(36), nullable=False),
        sa.Column("study_id", sa.String(36), nullable=False),
        sa.Column("prompt_key", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("champion", sa.String(36), nullable=False),
        sa.Column("challengers", sa.JSON, nullable=False),
        sa.Column("design", sa.JSON, nullable=False),
        sa.Column("policy", sa.String(16), nullable=False),
        sa.Column("created_at", _AT, nullable=False),
        sa.Column("hypothesis", sa.Text, nullable=False),
        sa.Column("opened_by", sa.String(36), nullable=True),
        sa.Column("decision", sa.JSON, nullable=True),
        sa.Column("decided_at", _AT, nullable=True),
        sa.Column("settled_at", _AT, nullable=True),
        sa.Column("settled_by", sa.String(36), nullable=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.CheckConstraint("kind IN ('challenge', 'hold_back')", name=op.f("ck_ab_tests_kind_known")),
        sa.CheckConstraint(
            "state IN ('running', 'paused', 'decided', 'stopped')", name=op.f("ck_ab_tests_state_known")
        ),
        sa.CheckConstraint("policy IN ('auto', 'approve', 'manual')", name=op.f("ck_ab_tests_policy_known")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_ab_tests_project_id")),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_ab_tests_study_id")),
        sa.ForeignKeyConstraint(["prompt_key"], ["prompts.key"], name=op.f("fk_ab_tests_prompt_key")),
        sa.ForeignKeyConstraint(["champion"], ["prompt_versions.id"], name=op.f("fk_ab_tests_champion")),
        sa.ForeignKeyConstraint(["opened_by"], ["users.id"], name=op.f("fk_ab_tests_opened_by")),
        sa.ForeignKeyConstraint(["settled_by"], ["users.id"], name=op.f("fk_ab_tests_settled_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ab_tests")),
    )
    op.create_index(op.f("ix_ab_tests_study_id_state"), "ab_tests", ["study_id", "state"])
    _unique_where("uq_ab_tests_open", "ab_tests", ["prompt_key", "kind"], _OPEN_TEST)


def _ab_pairs() -> None:
    op.create_table(
        "ab_pairs",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("test_id", sa.String(36), nullable=False),
        sa.Column("experiment_id", sa.String(36), nullable=False),
        sa.Column("input_id", sa.String(36), nullable=False),
        sa.Column("challenger", sa.String(36), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("created_at", _AT, nullable=False),
        sa.Column("number", sa.Integer, nullable=True),
        sa.Column("difference", sa.Float, nullable=True),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.Column("failed", sa.Integer, nullable=False),
        sa.Column("raters", sa.JSON, nullable=False),
        sa.Column("closed_at", _AT, nullable=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.CheckConstraint("state IN ('open', 'closed', 'failed', 'dropped')", name=op.f("ck_ab_pairs_state_known")),
        sa.ForeignKeyConstraint(["test_id"], ["ab_tests.id"], name=op.f("fk_ab_pairs_test_id")),
        sa.ForeignKeyConstraint(
            ["experiment_id"], ["parameter_experiments.id"], name=op.f("fk_ab_pairs_experiment_id")
        ),
        sa.ForeignKeyConstraint(["input_id"], ["inputs.id"], name=op.f("fk_ab_pairs_input_id")),
        sa.ForeignKeyConstraint(["challenger"], ["prompt_versions.id"], name=op.f("fk_ab_pairs_challenger")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ab_pairs")),
        sa.UniqueConstraint("experiment_id", name=op.f("uq_ab_pairs_experiment_id")),
        sa.UniqueConstraint("test_id", "number", name=op.f("uq_ab_pairs_test_id_number")),
    )
    op.create_index(op.f("ix_ab_pairs_test_id_state"), "ab_pairs", ["test_id", "state"])
    op.create_index(op.f("ix_ab_pairs_input_id"), "ab_pairs", ["input_id"])


def _evolution_rounds() -> None:
    op.create_table(
        "evolution_rounds",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("project_id", sa.String(36), nullable=False),
        sa.Column("study_id", sa.String(36), nullable=False),
        sa.Column("prompt_key", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("samples", sa.Integer, nullable=False),
        sa.Column("created_at", _AT, nullable=False),
        sa.Column("asked_by", sa.String(36), nullable=True),
        sa.Column("parents", sa.JSON, nullable=False),
        sa.Column("evidence", sa.JSON, nullable=False),
        sa.Column("diagnosis", sa.Text, nullable=False),
        sa.Column("proposed", sa.JSON, nullable=False),
        sa.Column("model", sa.String(400), nullable=False),
        sa.Column("cost_micros", sa.BigInteger, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("test_id", sa.String(36), nullable=True),
        sa.Column("finished_at", _AT, nullable=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'proposed', 'rejected', 'failed')",
            name=op.f("ck_evolution_rounds_state_known"),
        ),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_evolution_rounds_project_id")),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_evolution_rounds_study_id")),
        sa.ForeignKeyConstraint(["prompt_key"], ["prompts.key"], name=op.f("fk_evolution_rounds_prompt_key")),
        sa.ForeignKeyConstraint(["asked_by"], ["users.id"], name=op.f("fk_evolution_rounds_asked_by")),
        sa.ForeignKeyConstraint(["test_id"], ["ab_tests.id"], name=op.f("fk_evolution_rounds_test_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evolution_rounds")),
    )
    op.create_index(op.f("ix_evolution_rounds_study_id_created_at"), "evolution_rounds", ["study_id", "created_at"])
    _unique_where("uq_evolution_rounds_open", "evolution_rounds", ["prompt_key"], _OPEN_ROUND)


def _unique_where(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, unique=True, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
