"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_AT = sa.DateTime(timezone=True)
_JSON = sa.JSON(none_as_null=True)
TABLES = (
    "projects",
    "users",
    "memberships",
    "sessions",
    "sign_in_links",
    "audit_events",
    "prompts",
    "prompt_versions",
    "prompt_pointers",
    "studies",
    "inputs",
    "exclusions",
    "diagnoses",
    "outputs",
    "parameter_experiments",
    "experiment_options",
    "leases",
    "enhancement_ratings",
    "rating_tombstones",
    "jobs",
)


def upgrade() -> None:
    _people()
    _prompts()
    _studies()
    _experiments()
    _ratings()
    _jobs()


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)


def _people() -> None:
    op.create_table(
        "projects",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(400), nullable=False),
        sa.Column("created_at", _AT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_projects")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("created_at", _AT, nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
    )
    op.create_table(
        "memberships",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("project_id", sa.String(36), nullable=False),
        sa.Column("user_id", sa.String(36), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("created_at", _AT, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.CheckConstraint("role IN ('rater', 'admin')", name=op.f("ck_memberships_role_known")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_memberships_project_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_memberships_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_memberships")),
        sa.UniqueConstraint("user_id", "project_id", name=op.f("uq_memberships_user_id_project_id")),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("secret_hash", sa.String(64), nullable=False),
        sa.Column("user_id", sa.String(36), nullable=False),
        sa.Column("created_at", _AT, nullable=False),
        sa.Column("expires_at", _AT, nullable=False),
        sa.Column("revoked_at", _AT, nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_sessions_secret_hash")),
    )
    op.create_table(
        "sign_in_links",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("secret_hash", sa.String(64), nullable=False),
        sa.Column("project_id", sa.String(36), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("created_at", _AT, nullable=False),
        sa.Column("expires_at", _AT, nullable=False),
        sa.Column("created_by", sa.String(36), nullable=True),
        sa.Column("used_at", _AT, nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_sign_in_links_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_links")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_sign_in_links_secret_hash")),
    )
    op.create_table(
        "audit_events",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("project_id", sa.String(36), nullable=False),
        sa.Column("actor_id", sa.String(36), nullable=True),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("object_type", sa.String(64), nullable=False),
        sa.Column("object_id", sa.String(64), nullable=False),
        sa.Column("at", _AT, nullable=False),
        sa.Column("before_hash", sa.String(64), nullable=True),
        sa.Column("after_hash", sa.String(64), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_audit_events_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_events")),
    )
    op.create_index(op.f("ix_audit_events_project_id_at"), "audit_events", ["project_id", "at"])


def _prompts() -> None:
    op.create_table(
        "prompts",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("project_id", sa.String(36), nullable=False),
        sa.Column("created_at", _AT, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_prompts_project_id")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_prompts")),
    )
    op.create_table(
        "prompt_versions",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("prompt_key", sa.String(64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(40), nullable=True),
        sa.Column("components", _JSON, nullable=False),
        sa.Column("created_at", _AT, nullable=False),
        sa.Column("created_by", sa.String(400), nullable=False),
        sa.Column("variables", _JSON, nullable=False),
        sa.Column("parameter_defaults", _JSON, nullable=False),
        sa.Column("slots_locked", _JSON, nullable=False),
        sa.Column("parents", _JSON, nullable=False),
        sa.Column("changelog", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "status IN ('candidate', 'released', 'withdrawn')", name=op.f("ck_prompt_versions_status_known")
        ),
        sa.ForeignKeyConstraint(["prompt_key"], ["prompts.key"], name=op.f("fk_prompt_versions_prompt_key")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prompt_versions")),
        sa.UniqueConstraint("prompt_key", "name", name=op.f("uq_prompt_versions_prompt_key_name")),
        sa.UniqueConstraint("prompt_key", "number", name=op.f("uq_prompt_versions_prompt_key_number")),
    )
    op.create_table(
        "prompt_pointers",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("prompt_key", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("version_id", sa.String(36), nullable=False),
        sa.Column("moved_at", _AT, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.CheckConstraint("kind IN ('branch', 'environment')", name=op.f("ck_prompt_pointers_kind_known")),
        sa.ForeignKeyConstraint(["prompt_key"], ["prompts.key"], name=op.f("fk_prompt_pointers_prompt_key")),
        sa.ForeignKeyConstraint(["version_id"], ["prompt_versions.id"], name=op.f("fk_prompt_pointers_version_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prompt_pointers")),
        sa.UniqueConstraint("prompt_key", "kind", "name", name=op.f("uq_prompt_pointers_prompt_key_kind_name")),
    )


def _studies() -> None:
    op.create_table(
        "studies",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("project_id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(400), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("spaces", _JSON, nullable=False),
        sa.Column("prompt_key", sa.String(64), nullable=False),
        sa.Column("created_at", _AT, nullable=False),
        sa.Column("judge", sa.String(64), nullable=False),
        sa.Column("options_per_experiment", sa.Integer(), nullable=False),
        sa.Column("raters_wanted", sa.Integer(), nullable=False),
        sa.Column("shares", _JSON, nullable=False),
        sa.Column("stop", _JSON, nullable=False),
        sa.Column("daily_target", sa.Integer(), nullable=False),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.CheckConstraint("state IN ('running', 'paused', 'archived')", name=op.f("ck_studies_state_known")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_studies_project_id")),
        sa.ForeignKeyConstraint(["prompt_key"], ["prompts.key"], name=op.f("fk_studies_prompt_key")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_studies")),
    )
    op.create_table(
        "inputs",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("study_id", sa.String(36), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", sa.String(400), nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("object_key", sa.String(400), nullable=False),
        sa.Column("media_type", sa.String(64), nullable=False),
        sa.Column("created_at", _AT, nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("stratum", sa.String(400), nullable=False),
        sa.Column("related", sa.String(400), nullable=False),
        sa.Column("reference", sa.String(400), nullable=True),
        sa.Column("payload", _JSON, nullable=True),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("added_by", sa.String(36), nullable=True),
        sa.Column("removed_at", _AT, nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.CheckConstraint("kind IN ('image', 'text')", name=op.f("ck_inputs_kind_known")),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_inputs_study_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inputs")),
    )
    op.create_index(
        "uq_inputs_present",
        "inputs",
        ["study_id", "content_hash"],
        unique=True,
        sqlite_where=sa.text("removed_at IS NULL"),
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    op.create_table(
        "exclusions",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("study_id", sa.String(36), nullable=False),
        sa.Column("rater_id", sa.String(36), nullable=False),
        sa.Column("since", _AT, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", _AT, nullable=False),
        sa.Column("lifted_at", _AT, nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["rater_id"], ["users.id"], name=op.f("fk_exclusions_rater_id")),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_exclusions_study_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exclusions")),
    )
    op.create_table(
        "diagnoses",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("study_id", sa.String(36), nullable=False),
        sa.Column("request_hash", sa.String(64), nullable=False),
        sa.Column("diagnosis", _JSON, nullable=False),
        sa.Column("made_at", _AT, nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_diagnoses_study_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_diagnoses")),
        sa.UniqueConstraint("study_id", "request_hash", name=op.f("uq_diagnoses_study_id_request_hash")),
    )
    op.create_index(op.f("ix_diagnoses_study_id_made_at"), "diagnoses", ["study_id", "made_at"])


def _experiments() -> None:
    op.create_table(
        "outputs",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("object_key", sa.String(400), nullable=False),
        sa.Column("media_type", sa.String(64), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("created_at", _AT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outputs")),
        sa.UniqueConstraint("content_hash", name=op.f("uq_outputs_content_hash")),
    )
    op.create_table(
        "parameter_experiments",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("study_id", sa.String(36), nullable=False),
        sa.Column("input_id", sa.String(36), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("created_at", _AT, nullable=False),
        sa.Column("changed_at", _AT, nullable=False),
        sa.Column("held_for", sa.String(36), nullable=True),
        sa.Column("closed_at", _AT, nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('explore', 'ab', 'gold', 'repeat', 'calibration')",
            name=op.f("ck_parameter_experiments_kind_known"),
        ),
        sa.CheckConstraint(
            "state IN ('planned', 'generating', 'ready', 'closed', 'void', 'dropped')",
            name=op.f("ck_parameter_experiments_state_known"),
        ),
        sa.ForeignKeyConstraint(["held_for"], ["users.id"], name=op.f("fk_parameter_experiments_held_for")),
        sa.ForeignKeyConstraint(["input_id"], ["inputs.id"], name=op.f("fk_parameter_experiments_input_id")),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_parameter_experiments_study_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parameter_experiments")),
    )
    op.create_index(op.f("ix_parameter_experiments_input_id"), "parameter_experiments", ["input_id"])
    op.create_index(
        op.f("ix_parameter_experiments_study_id_changed_at"),
        "parameter_experiments",
        ["study_id", "changed_at"],
    )
    op.create_index(
        op.f("ix_parameter_experiments_study_id_state_id"),
        "parameter_experiments",
        ["study_id", "state", "id"],
    )
    op.create_table(
        "experiment_options",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("experiment_id", sa.String(36), nullable=False),
        sa.Column("study_id", sa.String(36), nullable=False),
        sa.Column("input_id", sa.String(36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("generator", sa.String(64), nullable=False),
        sa.Column("version", sa.String(36), nullable=False),
        sa.Column("point", _JSON, nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("why", sa.String(16), nullable=False),
        sa.Column("expected", _JSON, nullable=True),
        sa.Column("history", sa.String(64), nullable=False),
        sa.Column("output_id", sa.String(36), nullable=True),
        sa.Column("cost_micros", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('planned', 'generating', 'ready', 'failed')", name=op.f("ck_experiment_options_state_known")
        ),
        sa.ForeignKeyConstraint(
            ["experiment_id"], ["parameter_experiments.id"], name=op.f("fk_experiment_options_experiment_id")
        ),
        sa.ForeignKeyConstraint(["input_id"], ["inputs.id"], name=op.f("fk_experiment_options_input_id")),
        sa.ForeignKeyConstraint(["output_id"], ["outputs.id"], name=op.f("fk_experiment_options_output_id")),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_experiment_options_study_id")),
        sa.ForeignKeyConstraint(["version"], ["prompt_versions.id"], name=op.f("fk_experiment_options_version")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_experiment_options")),
        sa.UniqueConstraint("experiment_id", "position", name=op.f("uq_experiment_options_experiment_id_position")),
    )
    op.create_index(op.f("ix_experiment_options_study_id_state"), "experiment_options", ["study_id", "state"])
    op.create_table(
        "leases",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("study_id", sa.String(36), nullable=False),
        sa.Column("experiment_id", sa.String(36), nullable=False),
        sa.Column("rater_id", sa.String(36), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("token", sa.String(64), nullable=False),
        sa.Column("until", _AT, nullable=False),
        sa.Column("created_at", _AT, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.CheckConstraint("state IN ('held', 'done', 'released', 'expired')", name=op.f("ck_leases_state_known")),
        sa.ForeignKeyConstraint(["experiment_id"], ["parameter_experiments.id"], name=op.f("fk_leases_experiment_id")),
        sa.ForeignKeyConstraint(["rater_id"], ["users.id"], name=op.f("fk_leases_rater_id")),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_leases_study_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leases")),
        sa.UniqueConstraint("experiment_id", "rater_id", name=op.f("uq_leases_experiment_id_rater_id")),
    )
    op.create_index(op.f("ix_leases_rater_id_study_id_state"), "leases", ["rater_id", "study_id", "state"])
    op.create_index(op.f("ix_leases_state_until"), "leases", ["state", "until"])


def _ratings() -> None:
    op.create_table(
        "enhancement_ratings",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("study_id", sa.String(36), nullable=False),
        sa.Column("experiment_id", sa.String(36), nullable=False),
        sa.Column("option_id", sa.String(36), nullable=False),
        sa.Column("input_id", sa.String(36), nullable=False),
        sa.Column("generator", sa.String(64), nullable=False),
        sa.Column("version", sa.String(36), nullable=False),
        sa.Column("judge_id", sa.String(64), nullable=False),
        sa.Column("judge_kind", sa.String(16), nullable=False),
        sa.Column("metric", sa.String(64), nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("skip", sa.String(16), nullable=True),
        sa.Column("rated_at", _AT, nullable=False),
        sa.Column("changed_at", _AT, nullable=False),
        sa.Column("tags", _JSON, nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("flagged", sa.Boolean(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("client_seq", sa.Integer(), nullable=False),
        sa.Column("painted_at", _AT, nullable=True),
        sa.Column("seen_ms", sa.Integer(), nullable=False),
        sa.Column("undone_at", _AT, nullable=True),
        sa.CheckConstraint(
            "judge_kind <> 'human' OR score IS NULL OR score IN (1, 2, 3, 4, 5)",
            name=op.f("ck_enhancement_ratings_human_score_whole"),
        ),
        sa.CheckConstraint(
            "judge_kind IN ('human', 'metric', 'model')", name=op.f("ck_enhancement_ratings_judge_kind_known")
        ),
        sa.CheckConstraint("(score IS NULL) <> (skip IS NULL)", name=op.f("ck_enhancement_ratings_score_or_skip")),
        sa.CheckConstraint(
            "score IS NULL OR score BETWEEN 1 AND 5", name=op.f("ck_enhancement_ratings_score_in_range")
        ),
        sa.ForeignKeyConstraint(
            ["experiment_id"], ["parameter_experiments.id"], name=op.f("fk_enhancement_ratings_experiment_id")
        ),
        sa.ForeignKeyConstraint(["input_id"], ["inputs.id"], name=op.f("fk_enhancement_ratings_input_id")),
        sa.ForeignKeyConstraint(
            ["option_id"], ["experiment_options.id"], name=op.f("fk_enhancement_ratings_option_id")
        ),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_enhancement_ratings_study_id")),
        sa.ForeignKeyConstraint(["version"], ["prompt_versions.id"], name=op.f("fk_enhancement_ratings_version")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enhancement_ratings")),
    )
    op.create_index(op.f("ix_enhancement_ratings_experiment_id"), "enhancement_ratings", ["experiment_id"])
    op.create_index(op.f("ix_enhancement_ratings_judge_id_rated_at"), "enhancement_ratings", ["judge_id", "rated_at"])
    op.create_index(
        "ix_enhancement_ratings_counted",
        "enhancement_ratings",
        ["judge_id", "study_id", "rated_at"],
        sqlite_where=sa.text("undone_at IS NULL AND score IS NOT NULL"),
        postgresql_where=sa.text("undone_at IS NULL AND score IS NOT NULL"),
    )
    op.create_index(op.f("ix_enhancement_ratings_rated_at_id"), "enhancement_ratings", ["rated_at", "id"])
    op.create_index(
        op.f("ix_enhancement_ratings_study_id_changed_at"),
        "enhancement_ratings",
        ["study_id", "changed_at"],
    )
    op.create_index(
        "uq_enhancement_ratings_standing",
        "enhancement_ratings",
        ["option_id", "judge_id", "metric"],
        unique=True,
        sqlite_where=sa.text("undone_at IS NULL"),
        postgresql_where=sa.text("undone_at IS NULL"),
    )
    op.create_table(
        "rating_tombstones",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("rater_id", sa.String(36), nullable=False),
        sa.Column("undone_at", _AT, nullable=False),
        sa.ForeignKeyConstraint(["rater_id"], ["users.id"], name=op.f("fk_rating_tombstones_rater_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rating_tombstones")),
    )


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("key", sa.String(400), nullable=False),
        sa.Column("task", sa.String(64), nullable=False),
        sa.Column("arguments", _JSON, nullable=False),
        sa.Column("created_at", _AT, nullable=False),
        sa.Column("due_at", _AT, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("resource", sa.String(64), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(64), nullable=True),
        sa.Column("claimed_until", _AT, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("finished_at", _AT, nullable=True),
        sa.Column("study_id", sa.String(36), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.CheckConstraint("state IN ('waiting', 'claimed', 'done', 'parked')", name=op.f("ck_jobs_state_known")),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_jobs_study_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.create_index(op.f("ix_jobs_state_priority_due_at"), "jobs", ["state", "priority", "due_at"])
    op.create_index(
        "uq_jobs_waiting",
        "jobs",
        ["key"],
        unique=True,
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
