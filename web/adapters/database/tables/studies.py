"""What is being learnt, from which inputs, and what was learnt."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, String, Table, UniqueConstraint, text

from ml_service.wire.contract import Diagnosis, ParameterSpace
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
from web.domain.studies.evolving import Evolving
from web.domain.studies.guide import Guide
from web.domain.studies.study import Input, Learnt, OptimizerSettings, Shares, Stopped, StopRules, Study

studies = Table(
    "studies",
    metadata,
    identity(),
    reference("project_id", "projects"),
    short_text("name"),
    short_text("state", 16),
    typed("spaces", dict[str, ParameterSpace]),
    Column("prompt_key", String(64), ForeignKey("prompts.key"), nullable=False),
    moment("created_at"),
    short_text("judge", 64),
    whole("options_per_experiment"),
    whole("raters_wanted"),
    typed("shares", Shares),
    typed("stop", StopRules),
    typed("stopped", Stopped, nullable=True),
    typed("optimizer", OptimizerSettings),
    typed("evolving", Evolving),
    # No foreign key: a study that is moved elsewhere comes without the one that it started from.
    short_text("starts_from", 36, nullable=True),
    whole("daily_target"),
    whole("calibration"),
    typed("guide", Guide),
    Column("uploads", Boolean, nullable=False),
    Column("demo", Boolean, nullable=False),
    whole("seed"),
    revision(),
    one_of("state", "running", "paused", "finished", "archived"),
    info=rows("studies", Study),
)

inputs = Table(
    "inputs",
    metadata,
    identity(),
    reference("study_id", "studies"),
    short_text("kind", 16),
    short_text("name"),
    short_text("content_hash", 64),
    short_text("object_key"),
    short_text("media_type", 64),
    moment("created_at"),
    whole("width"),
    whole("height"),
    short_text("stratum"),
    short_text("related"),
    short_text("reference", nullable=True),
    typed("payload", dict[str, str], nullable=True),
    typed("metadata", dict[str, str], nullable=True),
    Column("held_out", Boolean, nullable=False),
    Column("demo", Boolean, nullable=False),
    short_text("added_by", 36, nullable=True),
    moment("removed_at", nullable=True),
    revision(),
    Index(None, "object_key"),
    Index(
        "uq_inputs_present",
        "study_id",
        "content_hash",
        unique=True,
        sqlite_where=text("removed_at IS NULL"),
        postgresql_where=text("removed_at IS NULL"),
    ),
    # All that the filters of the page of photos ask, so that a hundred thousand are searched without their rows.
    Index(
        "ix_inputs_listed",
        "study_id",
        "id",
        "name",
        "added_by",
        "held_out",
        "created_at",
        sqlite_where=text("removed_at IS NULL"),
        postgresql_where=text("removed_at IS NULL"),
    ),
    Index(
        "ix_inputs_strata",
        "study_id",
        "stratum",
        "id",
        sqlite_where=text("removed_at IS NULL"),
        postgresql_where=text("removed_at IS NULL"),
    ),
    Index(
        "ix_inputs_brought",
        "study_id",
        "added_by",
        sqlite_where=text("removed_at IS NULL"),
        postgresql_where=text("removed_at IS NULL"),
    ),
    one_of("kind", "image", "text"),
    info=rows("inputs", Input),
)

diagnoses = Table(
    "diagnoses",
    metadata,
    identity(),
    reference("study_id", "studies"),
    short_text("request_hash", 64),
    typed("diagnosis", Diagnosis),
    moment("made_at"),
    UniqueConstraint("study_id", "request_hash"),
    Index(None, "study_id", "made_at"),
    info=rows("diagnoses", Learnt),
)
