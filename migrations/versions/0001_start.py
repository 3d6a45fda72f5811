"""The schema that 0.1.0 starts from."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "attempts",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
    )
    op.create_index(op.f("ix_attempts_since"), "attempts", ["since"], unique=False)
    op.create_table(
        "outputs",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("object_key", sa.String(length=400), nullable=False),
        sa.Column("media_type", sa.String(length=64), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outputs")),
        sa.UniqueConstraint("content_hash", name=op.f("uq_outputs_content_hash")),
    )
    op.create_index(op.f("ix_outputs_object_key"), "outputs", ["object_key"], unique=False)
    op.create_table(
        "projects",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=400), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_projects")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("owner_id", sa.String(length=36), nullable=True),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("environment", sa.String(length=64), nullable=False),
        sa.Column("scopes", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_api_keys_owner_id")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_api_keys_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_api_keys_secret_hash")),
    )
    op.create_table(
        "audit_events",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("actor_id", sa.String(length=36), nullable=True),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("object_type", sa.String(length=64), nullable=False),
        sa.Column("object_id", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("before_hash", sa.String(length=64), nullable=True),
        sa.Column("after_hash", sa.String(length=64), nullable=True),
        sa.Column("details", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("note_hash", sa.String(length=64), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_audit_events_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_events")),
        sa.UniqueConstraint("project_id", "number", name=op.f("uq_audit_events_project_id_number")),
    )
    op.create_index(op.f("ix_audit_events_object_id"), "audit_events", ["object_id"], unique=False)
    op.create_index(op.f("ix_audit_events_project_id_at"), "audit_events", ["project_id", "at"], unique=False)
    op.create_table(
        "memberships",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rates", sa.String(length=36), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.CheckConstraint("role IN ('rater', 'admin')", name=op.f("ck_memberships_role_known")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_memberships_project_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_memberships_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_memberships")),
        sa.UniqueConstraint("user_id", "project_id", name=op.f("uq_memberships_user_id_project_id")),
    )
    op.create_table(
        "passwords",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("hash", sa.String(length=400), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["id"], ["users.id"], name=op.f("fk_passwords_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passwords")),
    )
    op.create_table(
        "prompts",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_prompts_project_id")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_prompts")),
    )
    op.create_table(
        "rating_tombstones",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("rater_id", sa.String(length=36), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["rater_id"], ["users.id"], name=op.f("fk_rating_tombstones_rater_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rating_tombstones")),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("via", sa.String(length=16), nullable=False),
        sa.Column("client", sa.String(length=80), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.CheckConstraint("via IN ('link', 'password')", name=op.f("ck_sessions_via_known")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_sessions_project_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_sessions_secret_hash")),
    )
    op.create_index(op.f("ix_sessions_user_id"), "sessions", ["user_id"], unique=False)
    op.create_table(
        "sign_in_links",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=36), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_sign_in_links_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_links")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_sign_in_links_secret_hash")),
    )
    op.create_table(
        "prompt_versions",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("prompt_key", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=True),
        sa.Column("components", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=400), nullable=False),
        sa.Column("variables", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("parameter_defaults", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("slots_locked", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("parents", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("changelog", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
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
        "studies",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=400), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("spaces", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("prompt_key", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("judge", sa.String(length=64), nullable=False),
        sa.Column("options_per_experiment", sa.Integer(), nullable=False),
        sa.Column("raters_wanted", sa.Integer(), nullable=False),
        sa.Column("shares", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("stop", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("stopped", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("optimizer", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("evolving", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("starts_from", sa.String(length=36), nullable=True),
        sa.Column("daily_target", sa.Integer(), nullable=False),
        sa.Column("calibration", sa.Integer(), nullable=False),
        sa.Column("guide", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("uploads", sa.Boolean(), nullable=False),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('running', 'paused', 'finished', 'archived')", name=op.f("ck_studies_state_known")
        ),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_studies_project_id")),
        sa.ForeignKeyConstraint(["prompt_key"], ["prompts.key"], name=op.f("fk_studies_prompt_key")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_studies")),
    )
    op.create_table(
        "panels",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_panels_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_panels")),
        sa.UniqueConstraint("project_id", "name", name=op.f("uq_panels_project_id_name")),
    )
    op.create_table(
        "panel_members",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("panel_id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["panel_id"], ["panels.id"], name=op.f("fk_panel_members_panel_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_panel_members_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_panel_members")),
        sa.UniqueConstraint("user_id", "panel_id", name=op.f("uq_panel_members_user_id_panel_id")),
    )
    op.create_index(op.f("ix_panel_members_panel_id"), "panel_members", ["panel_id"], unique=False)
    op.create_table(
        "assignments",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("study_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("panel_id", sa.String(length=36), nullable=True),
        sa.Column("user_id", sa.String(length=36), nullable=True),
        sa.Column("share", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.CheckConstraint("kind IN ('everyone', 'panel', 'person')", name=op.f("ck_assignments_kind_known")),
        sa.CheckConstraint(
            "(kind = 'panel') = (panel_id IS NOT NULL) AND (kind = 'person') = (user_id IS NOT NULL)",
            name=op.f("ck_assignments_names_whom"),
        ),
        sa.ForeignKeyConstraint(["panel_id"], ["panels.id"], name=op.f("fk_assignments_panel_id")),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_assignments_study_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_assignments_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignments")),
        sa.UniqueConstraint("study_id", "panel_id", name=op.f("uq_assignments_study_id_panel_id")),
        sa.UniqueConstraint("study_id", "user_id", name=op.f("uq_assignments_study_id_user_id")),
    )
    op.create_index(
        "uq_assignments_everyone",
        "assignments",
        ["study_id"],
        unique=True,
        sqlite_where=sa.text("kind = 'everyone'"),
        postgresql_where=sa.text("kind = 'everyone'"),
    )
    op.create_table(
        "ab_tests",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("study_id", sa.String(length=36), nullable=False),
        sa.Column("prompt_key", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("champion", sa.String(length=36), nullable=False),
        sa.Column("challengers", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("design", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("policy", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hypothesis", sa.Text(), nullable=False),
        sa.Column("opened_by", sa.String(length=36), nullable=True),
        sa.Column("decision", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.String(length=36), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.CheckConstraint("kind IN ('challenge', 'hold_back', 'comparison')", name=op.f("ck_ab_tests_kind_known")),
        sa.CheckConstraint("policy IN ('auto', 'approve', 'manual')", name=op.f("ck_ab_tests_policy_known")),
        sa.CheckConstraint(
            "state IN ('running', 'paused', 'decided', 'stopped')", name=op.f("ck_ab_tests_state_known")
        ),
        sa.ForeignKeyConstraint(["champion"], ["prompt_versions.id"], name=op.f("fk_ab_tests_champion")),
        sa.ForeignKeyConstraint(["opened_by"], ["users.id"], name=op.f("fk_ab_tests_opened_by")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_ab_tests_project_id")),
        sa.ForeignKeyConstraint(["prompt_key"], ["prompts.key"], name=op.f("fk_ab_tests_prompt_key")),
        sa.ForeignKeyConstraint(["settled_by"], ["users.id"], name=op.f("fk_ab_tests_settled_by")),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_ab_tests_study_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ab_tests")),
    )
    op.create_index(op.f("ix_ab_tests_study_id_state"), "ab_tests", ["study_id", "state"], unique=False)
    op.create_index(
        "uq_ab_tests_open",
        "ab_tests",
        ["prompt_key", "kind"],
        unique=True,
        sqlite_where=sa.text("state IN ('running', 'paused')"),
        postgresql_where=sa.text("state IN ('running', 'paused')"),
    )
    op.create_table(
        "completions",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("request_hash", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=64), nullable=False),
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("study_id", sa.String(length=36), nullable=True),
        sa.Column("model", sa.String(length=400), nullable=False),
        sa.Column("reserved_micros", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("cost_micros", sa.BigInteger(), nullable=False),
        sa.Column("tokens_in", sa.Integer(), nullable=False),
        sa.Column("tokens_out", sa.Integer(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('reserved', 'settled', 'failed')", name=op.f("ck_completions_state_known")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_completions_project_id")),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_completions_study_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_completions")),
    )
    op.create_index(op.f("ix_completions_created_at"), "completions", ["created_at"], unique=False)
    op.create_index(op.f("ix_completions_request_hash"), "completions", ["request_hash"], unique=False)
    op.create_table(
        "diagnoses",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("study_id", sa.String(length=36), nullable=False),
        sa.Column("request_hash", sa.String(length=64), nullable=False),
        sa.Column("diagnosis", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_diagnoses_study_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_diagnoses")),
        sa.UniqueConstraint("study_id", "request_hash", name=op.f("uq_diagnoses_study_id_request_hash")),
    )
    op.create_index(op.f("ix_diagnoses_study_id_made_at"), "diagnoses", ["study_id", "made_at"], unique=False)
    op.create_table(
        "enrolments",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("study_id", sa.String(length=36), nullable=False),
        sa.Column("rater_id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("consented_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("consented_to", sa.String(length=64), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trained_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recalibrate_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pause_reason", sa.Text(), nullable=False),
        sa.Column("paused_by", sa.String(length=36), nullable=True),
        sa.Column("unsafe_ok", sa.Boolean(), nullable=False),
        sa.Column("appeal", sa.Text(), nullable=False),
        sa.Column("appealed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered", sa.Text(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("message_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("message_by", sa.String(length=36), nullable=True),
        sa.Column("message_read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["rater_id"], ["users.id"], name=op.f("fk_enrolments_rater_id")),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_enrolments_study_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolments")),
        sa.UniqueConstraint("study_id", "rater_id", name=op.f("uq_enrolments_study_id_rater_id")),
    )
    op.create_index(op.f("ix_enrolments_rater_id"), "enrolments", ["rater_id"], unique=False)
    op.create_table(
        "exclusions",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("study_id", sa.String(length=36), nullable=False),
        sa.Column("rater_id", sa.String(length=36), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["rater_id"], ["users.id"], name=op.f("fk_exclusions_rater_id")),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_exclusions_study_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exclusions")),
    )
    op.create_table(
        "feedback",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("prompt_key", sa.String(length=64), nullable=False),
        sa.Column("version_id", sa.String(length=36), nullable=False),
        sa.Column("key_id", sa.String(length=36), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("failure", sa.String(length=64), nullable=False),
        sa.CheckConstraint("score IS NULL OR score BETWEEN 1 AND 5", name=op.f("ck_feedback_score_in_range")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_feedback_project_id")),
        sa.ForeignKeyConstraint(["prompt_key"], ["prompts.key"], name=op.f("fk_feedback_prompt_key")),
        sa.ForeignKeyConstraint(["version_id"], ["prompt_versions.id"], name=op.f("fk_feedback_version_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feedback")),
    )
    op.create_index(op.f("ix_feedback_version_id_at"), "feedback", ["version_id", "at"], unique=False)
    op.create_table(
        "inputs",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("study_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=400), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("object_key", sa.String(length=400), nullable=False),
        sa.Column("media_type", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("stratum", sa.String(length=400), nullable=False),
        sa.Column("related", sa.String(length=400), nullable=False),
        sa.Column("reference", sa.String(length=400), nullable=True),
        sa.Column("payload", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("metadata", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("held_out", sa.Boolean(), nullable=False),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("added_by", sa.String(length=36), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.CheckConstraint("kind IN ('image', 'text')", name=op.f("ck_inputs_kind_known")),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_inputs_study_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inputs")),
    )
    op.create_index(
        "ix_inputs_listed",
        "inputs",
        ["study_id", "id", "name", "added_by", "held_out", "created_at"],
        unique=False,
        sqlite_where=sa.text("removed_at IS NULL"),
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    op.create_index(
        "ix_inputs_brought",
        "inputs",
        ["study_id", "added_by"],
        unique=False,
        sqlite_where=sa.text("removed_at IS NULL"),
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    op.create_index(
        "ix_inputs_strata",
        "inputs",
        ["study_id", "stratum", "id"],
        unique=False,
        sqlite_where=sa.text("removed_at IS NULL"),
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    op.create_index(op.f("ix_inputs_object_key"), "inputs", ["object_key"], unique=False)
    op.create_index(
        "uq_inputs_present",
        "inputs",
        ["study_id", "content_hash"],
        unique=True,
        sqlite_where=sa.text("removed_at IS NULL"),
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("key", sa.String(length=400), nullable=False),
        sa.Column("task", sa.String(length=64), nullable=False),
        sa.Column("arguments", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("resource", sa.String(length=80), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(length=64), nullable=True),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("study_id", sa.String(length=36), nullable=True),
        sa.Column("dated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.CheckConstraint("state IN ('waiting', 'claimed', 'done', 'parked')", name=op.f("ck_jobs_state_known")),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_jobs_study_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.create_index(op.f("ix_jobs_state_finished_at"), "jobs", ["state", "finished_at"], unique=False)
    op.create_index(op.f("ix_jobs_state_priority_due_at"), "jobs", ["state", "priority", "due_at"], unique=False)
    op.create_index(
        "uq_jobs_waiting",
        "jobs",
        ["key"],
        unique=True,
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_table(
        "ordinal_checks",
        sa.Column("study_id", sa.String(length=36), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ratings", sa.Integer(), nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Float(), nullable=True),
        sa.Column("top", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("turned", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_ordinal_checks_study_id")),
        sa.PrimaryKeyConstraint("study_id", name=op.f("pk_ordinal_checks")),
    )
    op.create_table(
        "prompt_pointers",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("prompt_key", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("version_id", sa.String(length=36), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.CheckConstraint("kind IN ('branch', 'environment')", name=op.f("ck_prompt_pointers_kind_known")),
        sa.ForeignKeyConstraint(["prompt_key"], ["prompts.key"], name=op.f("fk_prompt_pointers_prompt_key")),
        sa.ForeignKeyConstraint(["version_id"], ["prompt_versions.id"], name=op.f("fk_prompt_pointers_version_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prompt_pointers")),
        sa.UniqueConstraint("prompt_key", "kind", "name", name=op.f("uq_prompt_pointers_prompt_key_kind_name")),
    )
    op.create_table(
        "evolution_rounds",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("study_id", sa.String(length=36), nullable=False),
        sa.Column("prompt_key", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("samples", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.String(length=36), nullable=True),
        sa.Column("parents", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("evidence", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("diagnosis", sa.Text(), nullable=False),
        sa.Column("proposed", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("model", sa.String(length=400), nullable=False),
        sa.Column("cost_micros", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("test_id", sa.String(length=36), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'proposed', 'rejected', 'failed')",
            name=op.f("ck_evolution_rounds_state_known"),
        ),
        sa.ForeignKeyConstraint(["asked_by"], ["users.id"], name=op.f("fk_evolution_rounds_asked_by")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_evolution_rounds_project_id")),
        sa.ForeignKeyConstraint(["prompt_key"], ["prompts.key"], name=op.f("fk_evolution_rounds_prompt_key")),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_evolution_rounds_study_id")),
        sa.ForeignKeyConstraint(["test_id"], ["ab_tests.id"], name=op.f("fk_evolution_rounds_test_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evolution_rounds")),
    )
    op.create_index(
        op.f("ix_evolution_rounds_study_id_created_at"), "evolution_rounds", ["study_id", "created_at"], unique=False
    )
    op.create_index(
        "uq_evolution_rounds_open",
        "evolution_rounds",
        ["prompt_key"],
        unique=True,
        sqlite_where=sa.text("state IN ('waiting', 'running')"),
        postgresql_where=sa.text("state IN ('waiting', 'running')"),
    )
    op.create_table(
        "parameter_experiments",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("study_id", sa.String(length=36), nullable=False),
        sa.Column("input_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("held_for", sa.String(length=36), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
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
    op.create_index(op.f("ix_parameter_experiments_input_id"), "parameter_experiments", ["input_id"], unique=False)
    op.create_index(
        op.f("ix_parameter_experiments_study_id_changed_at"),
        "parameter_experiments",
        ["study_id", "changed_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_parameter_experiments_study_id_state_id"),
        "parameter_experiments",
        ["study_id", "state", "id"],
        unique=False,
    )
    op.create_table(
        "ab_pairs",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("test_id", sa.String(length=36), nullable=False),
        sa.Column("experiment_id", sa.String(length=36), nullable=False),
        sa.Column("input_id", sa.String(length=36), nullable=False),
        sa.Column("challenger", sa.String(length=36), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("difference", sa.Float(), nullable=True),
        sa.Column("tags", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("given", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.CheckConstraint("state IN ('open', 'closed', 'failed', 'dropped')", name=op.f("ck_ab_pairs_state_known")),
        sa.ForeignKeyConstraint(["challenger"], ["prompt_versions.id"], name=op.f("fk_ab_pairs_challenger")),
        sa.ForeignKeyConstraint(
            ["experiment_id"], ["parameter_experiments.id"], name=op.f("fk_ab_pairs_experiment_id")
        ),
        sa.ForeignKeyConstraint(["input_id"], ["inputs.id"], name=op.f("fk_ab_pairs_input_id")),
        sa.ForeignKeyConstraint(["test_id"], ["ab_tests.id"], name=op.f("fk_ab_pairs_test_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ab_pairs")),
        sa.UniqueConstraint("experiment_id", name=op.f("uq_ab_pairs_experiment_id")),
        sa.UniqueConstraint("test_id", "number", name=op.f("uq_ab_pairs_test_id_number")),
    )
    op.create_index(op.f("ix_ab_pairs_input_id"), "ab_pairs", ["input_id"], unique=False)
    op.create_index(op.f("ix_ab_pairs_test_id_state"), "ab_pairs", ["test_id", "state"], unique=False)
    op.create_table(
        "experiment_options",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("experiment_id", sa.String(length=36), nullable=False),
        sa.Column("study_id", sa.String(length=36), nullable=False),
        sa.Column("input_id", sa.String(length=36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("generator", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=36), nullable=False),
        sa.Column("point", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("why", sa.String(length=16), nullable=False),
        sa.Column("expected", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("evidence", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("history", sa.String(length=64), nullable=False),
        sa.Column("output_id", sa.String(length=36), nullable=True),
        sa.Column("cost_micros", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('planned', 'generating', 'ready', 'spare', 'failed')",
            name=op.f("ck_experiment_options_state_known"),
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
    op.create_index(op.f("ix_experiment_options_input_id"), "experiment_options", ["input_id"], unique=False)
    op.create_index(op.f("ix_experiment_options_output_id"), "experiment_options", ["output_id"], unique=False)
    op.create_index(
        op.f("ix_experiment_options_study_id_state"), "experiment_options", ["study_id", "state"], unique=False
    )
    op.create_table(
        "gold_items",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("experiment_id", sa.String(length=36), nullable=False),
        sa.Column("study_id", sa.String(length=36), nullable=False),
        sa.Column("low", sa.Integer(), nullable=False),
        sa.Column("high", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.CheckConstraint("source IN ('agreement', 'degraded', 'untouched')", name=op.f("ck_gold_items_source_known")),
        sa.CheckConstraint("1 <= low AND low <= high AND high <= 5", name=op.f("ck_gold_items_range_of_stars")),
        sa.ForeignKeyConstraint(
            ["experiment_id"], ["parameter_experiments.id"], name=op.f("fk_gold_items_experiment_id")
        ),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_gold_items_study_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gold_items")),
        sa.UniqueConstraint("experiment_id", name=op.f("uq_gold_items_experiment_id")),
    )
    op.create_index(op.f("ix_gold_items_study_id"), "gold_items", ["study_id"], unique=False)
    op.create_table(
        "leases",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("study_id", sa.String(length=36), nullable=False),
        sa.Column("experiment_id", sa.String(length=36), nullable=False),
        sa.Column("rater_id", sa.String(length=36), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.CheckConstraint("state IN ('held', 'done', 'released', 'expired')", name=op.f("ck_leases_state_known")),
        sa.ForeignKeyConstraint(["experiment_id"], ["parameter_experiments.id"], name=op.f("fk_leases_experiment_id")),
        sa.ForeignKeyConstraint(["rater_id"], ["users.id"], name=op.f("fk_leases_rater_id")),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_leases_study_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leases")),
        sa.UniqueConstraint("experiment_id", "rater_id", name=op.f("uq_leases_experiment_id_rater_id")),
    )
    op.create_index(
        "ix_leases_held_until",
        "leases",
        ["until"],
        unique=False,
        sqlite_where=sa.text("state = 'held'"),
        postgresql_where=sa.text("state = 'held'"),
    )
    op.create_index(op.f("ix_leases_rater_id_study_id_id"), "leases", ["rater_id", "study_id", "id"], unique=False)
    op.create_index(
        op.f("ix_leases_rater_id_study_id_state"), "leases", ["rater_id", "study_id", "state"], unique=False
    )
    op.create_table(
        "enhancement_ratings",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("study_id", sa.String(length=36), nullable=False),
        sa.Column("experiment_id", sa.String(length=36), nullable=False),
        sa.Column("option_id", sa.String(length=36), nullable=False),
        sa.Column("input_id", sa.String(length=36), nullable=False),
        sa.Column("generator", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=36), nullable=False),
        sa.Column("judge_id", sa.String(length=64), nullable=False),
        sa.Column("judge_kind", sa.String(length=16), nullable=False),
        sa.Column("metric", sa.String(length=64), nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("skip", sa.String(length=16), nullable=True),
        sa.Column("rated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tags", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("flagged", sa.Boolean(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("client_seq", sa.Integer(), nullable=False),
        sa.Column("painted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seen_ms", sa.Integer(), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
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
    op.create_index(
        "ix_enhancement_ratings_counted",
        "enhancement_ratings",
        ["judge_id", "study_id", "rated_at"],
        unique=False,
        sqlite_where=sa.text("undone_at IS NULL AND score IS NOT NULL"),
        postgresql_where=sa.text("undone_at IS NULL AND score IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_enhancement_ratings_experiment_id"), "enhancement_ratings", ["experiment_id"], unique=False
    )
    op.create_index(
        op.f("ix_enhancement_ratings_judge_id_rated_at_id"),
        "enhancement_ratings",
        ["judge_id", "rated_at", "id"],
        unique=False,
    )
    op.create_index(op.f("ix_enhancement_ratings_rated_at_id"), "enhancement_ratings", ["rated_at", "id"], unique=False)
    op.create_index(
        op.f("ix_enhancement_ratings_study_id_changed_at"),
        "enhancement_ratings",
        ["study_id", "changed_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_enhancement_ratings_study_id_rated_at_id"),
        "enhancement_ratings",
        ["study_id", "rated_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_enhancement_ratings_unsafe",
        "enhancement_ratings",
        ["study_id", "input_id"],
        unique=False,
        sqlite_where=sa.text("skip = 'unsafe' AND undone_at IS NULL"),
        postgresql_where=sa.text("skip = 'unsafe' AND undone_at IS NULL"),
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
        "photo_batches",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("study_id", sa.String(length=36), nullable=False),
        sa.Column("label", sa.String(length=400), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.String(length=36), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_photo_batches_study_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_photo_batches")),
    )
    op.create_index(op.f("ix_photo_batches_study_id_id"), "photo_batches", ["study_id", "id"], unique=False)
    op.create_table(
        "photo_sweeps",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("study_id", sa.String(length=36), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("argument", sa.String(length=400), nullable=False),
        sa.Column("ids", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("wanted", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("until", sa.String(length=36), nullable=False),
        sa.Column("after", sa.String(length=36), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("asked_by", sa.String(length=36), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "action IN ('take_down', 'erase', 'stratum', 'hold_out', 'let_in')",
            name=op.f("ck_photo_sweeps_action_known"),
        ),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_photo_sweeps_study_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_photo_sweeps")),
    )
    op.create_index(
        op.f("ix_photo_sweeps_study_id_finished_at"), "photo_sweeps", ["study_id", "finished_at"], unique=False
    )
    op.create_table(
        "saved_filters",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("study_id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=400), nullable=False),
        sa.Column("wanted", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_saved_filters_study_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_saved_filters_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_filters")),
        sa.UniqueConstraint("study_id", "user_id", "name", name=op.f("uq_saved_filters_study_id_user_id_name")),
    )
    op.create_table(
        "photo_batch_items",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("batch_id", sa.String(length=36), nullable=False),
        sa.Column("path", sa.String(length=400), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=400), nullable=False),
        sa.Column("stratum", sa.String(length=400), nullable=False),
        sa.Column("related", sa.String(length=400), nullable=False),
        sa.Column("metadata", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("said", sa.String(length=400), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("input_id", sa.String(length=36), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('missing', 'fetching', 'added', 'known', 'refused')",
            name=op.f("ck_photo_batch_items_state_known"),
        ),
        sa.ForeignKeyConstraint(["batch_id"], ["photo_batches.id"], name=op.f("fk_photo_batch_items_batch_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_photo_batch_items")),
        sa.UniqueConstraint("batch_id", "path", name=op.f("uq_photo_batch_items_batch_id_path")),
    )
    op.create_index(
        op.f("ix_photo_batch_items_batch_id_state_id"), "photo_batch_items", ["batch_id", "state", "id"], unique=False
    )
    op.create_index(
        "ix_photo_batch_items_input_id",
        "photo_batch_items",
        ["input_id"],
        unique=False,
        sqlite_where=sa.text("input_id IS NOT NULL"),
        postgresql_where=sa.text("input_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index(
        "ix_photo_batch_items_input_id",
        table_name="photo_batch_items",
        sqlite_where=sa.text("input_id IS NOT NULL"),
        postgresql_where=sa.text("input_id IS NOT NULL"),
    )
    op.drop_index(op.f("ix_photo_batch_items_batch_id_state_id"), table_name="photo_batch_items")
    op.drop_table("photo_batch_items")
    op.drop_table("saved_filters")
    op.drop_index(op.f("ix_photo_sweeps_study_id_finished_at"), table_name="photo_sweeps")
    op.drop_table("photo_sweeps")
    op.drop_index(op.f("ix_photo_batches_study_id_id"), table_name="photo_batches")
    op.drop_table("photo_batches")
    op.drop_index(
        "uq_enhancement_ratings_standing",
        table_name="enhancement_ratings",
        sqlite_where=sa.text("undone_at IS NULL"),
        postgresql_where=sa.text("undone_at IS NULL"),
    )
    op.drop_index(
        "ix_enhancement_ratings_unsafe",
        table_name="enhancement_ratings",
        sqlite_where=sa.text("skip = 'unsafe' AND undone_at IS NULL"),
        postgresql_where=sa.text("skip = 'unsafe' AND undone_at IS NULL"),
    )
    op.drop_index(op.f("ix_enhancement_ratings_study_id_rated_at_id"), table_name="enhancement_ratings")
    op.drop_index(op.f("ix_enhancement_ratings_study_id_changed_at"), table_name="enhancement_ratings")
    op.drop_index(op.f("ix_enhancement_ratings_rated_at_id"), table_name="enhancement_ratings")
    op.drop_index(op.f("ix_enhancement_ratings_judge_id_rated_at_id"), table_name="enhancement_ratings")
    op.drop_index(op.f("ix_enhancement_ratings_experiment_id"), table_name="enhancement_ratings")
    op.drop_index(
        "ix_enhancement_ratings_counted",
        table_name="enhancement_ratings",
        sqlite_where=sa.text("undone_at IS NULL AND score IS NOT NULL"),
        postgresql_where=sa.text("undone_at IS NULL AND score IS NOT NULL"),
    )
    op.drop_table("enhancement_ratings")
    op.drop_index(op.f("ix_leases_rater_id_study_id_state"), table_name="leases")
    op.drop_index(op.f("ix_leases_rater_id_study_id_id"), table_name="leases")
    op.drop_index(
        "ix_leases_held_until",
        table_name="leases",
        sqlite_where=sa.text("state = 'held'"),
        postgresql_where=sa.text("state = 'held'"),
    )
    op.drop_table("leases")
    op.drop_index(op.f("ix_gold_items_study_id"), table_name="gold_items")
    op.drop_table("gold_items")
    op.drop_index(op.f("ix_experiment_options_study_id_state"), table_name="experiment_options")
    op.drop_index(op.f("ix_experiment_options_output_id"), table_name="experiment_options")
    op.drop_index(op.f("ix_experiment_options_input_id"), table_name="experiment_options")
    op.drop_table("experiment_options")
    op.drop_index(op.f("ix_ab_pairs_test_id_state"), table_name="ab_pairs")
    op.drop_index(op.f("ix_ab_pairs_input_id"), table_name="ab_pairs")
    op.drop_table("ab_pairs")
    op.drop_index(op.f("ix_parameter_experiments_study_id_state_id"), table_name="parameter_experiments")
    op.drop_index(op.f("ix_parameter_experiments_study_id_changed_at"), table_name="parameter_experiments")
    op.drop_index(op.f("ix_parameter_experiments_input_id"), table_name="parameter_experiments")
    op.drop_table("parameter_experiments")
    op.drop_index(
        "uq_evolution_rounds_open",
        table_name="evolution_rounds",
        sqlite_where=sa.text("state IN ('waiting', 'running')"),
        postgresql_where=sa.text("state IN ('waiting', 'running')"),
    )
    op.drop_index(op.f("ix_evolution_rounds_study_id_created_at"), table_name="evolution_rounds")
    op.drop_table("evolution_rounds")
    op.drop_table("prompt_pointers")
    op.drop_table("ordinal_checks")
    op.drop_index(
        "uq_jobs_waiting",
        table_name="jobs",
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.drop_index(op.f("ix_jobs_state_priority_due_at"), table_name="jobs")
    op.drop_index(op.f("ix_jobs_state_finished_at"), table_name="jobs")
    op.drop_table("jobs")
    op.drop_index(
        "uq_inputs_present",
        table_name="inputs",
        sqlite_where=sa.text("removed_at IS NULL"),
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    op.drop_index(op.f("ix_inputs_object_key"), table_name="inputs")
    op.drop_index(
        "ix_inputs_brought",
        table_name="inputs",
        sqlite_where=sa.text("removed_at IS NULL"),
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    op.drop_index(
        "ix_inputs_strata",
        table_name="inputs",
        sqlite_where=sa.text("removed_at IS NULL"),
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    op.drop_index(
        "ix_inputs_listed",
        table_name="inputs",
        sqlite_where=sa.text("removed_at IS NULL"),
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    op.drop_table("inputs")
    op.drop_index(op.f("ix_feedback_version_id_at"), table_name="feedback")
    op.drop_table("feedback")
    op.drop_table("exclusions")
    op.drop_index(op.f("ix_enrolments_rater_id"), table_name="enrolments")
    op.drop_table("enrolments")
    op.drop_index(op.f("ix_diagnoses_study_id_made_at"), table_name="diagnoses")
    op.drop_table("diagnoses")
    op.drop_index(op.f("ix_completions_request_hash"), table_name="completions")
    op.drop_index(op.f("ix_completions_created_at"), table_name="completions")
    op.drop_table("completions")
    op.drop_index(
        "uq_ab_tests_open",
        table_name="ab_tests",
        sqlite_where=sa.text("state IN ('running', 'paused')"),
        postgresql_where=sa.text("state IN ('running', 'paused')"),
    )
    op.drop_index(op.f("ix_ab_tests_study_id_state"), table_name="ab_tests")
    op.drop_table("ab_tests")
    op.drop_index(
        "uq_assignments_everyone",
        table_name="assignments",
        sqlite_where=sa.text("kind = 'everyone'"),
        postgresql_where=sa.text("kind = 'everyone'"),
    )
    op.drop_table("assignments")
    op.drop_index(op.f("ix_panel_members_panel_id"), table_name="panel_members")
    op.drop_table("panel_members")
    op.drop_table("panels")
    op.drop_table("studies")
    op.drop_table("prompt_versions")
    op.drop_table("sign_in_links")
    op.drop_index(op.f("ix_sessions_user_id"), table_name="sessions")
    op.drop_table("sessions")
    op.drop_table("rating_tombstones")
    op.drop_table("prompts")
    op.drop_table("passwords")
    op.drop_table("memberships")
    op.drop_index(op.f("ix_audit_events_project_id_at"), table_name="audit_events")
    op.drop_index(op.f("ix_audit_events_object_id"), table_name="audit_events")
    op.drop_table("audit_events")
    op.drop_table("api_keys")
    op.drop_table("users")
    op.drop_table("projects")
    op.drop_index(op.f("ix_outputs_object_key"), table_name="outputs")
    op.drop_table("outputs")
    op.drop_index(op.f("ix_attempts_since"), table_name="attempts")
    op.drop_table("attempts")
