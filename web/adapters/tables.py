"""The tables: one for each word of the domain that is stored, with the customer's names where they gave any."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from ml_service.contract import Diagnosis, Interval, ParameterSpace, Point
from web.adapters.columns import Typed, Utc
from web.domain.prompt import Variable
from web.domain.study import Shares, StopRules

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
LONG = 400


def _id() -> Column[str]:
    return Column("id", String(36), primary_key=True)


def _to(name: str, target: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, String(36), ForeignKey(f"{target}.id"), nullable=nullable)


def _text(name: str, size: int = LONG, *, nullable: bool = False) -> Column[str]:
    return Column(name, String(size), nullable=nullable)


def _at(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, Utc(), nullable=nullable)


def _int(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False)


def _json(name: str, kind: object, *, nullable: bool = False) -> Column[object]:
    return Column(name, Typed(kind), nullable=nullable)


def _revision() -> Column[int]:
    return Column("revision", Integer, nullable=False, default=0)


def _one_of(column: str, *values: str) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(repr(value) for value in values)})", name=f"{column}_known")


projects = Table("projects", metadata, _id(), _text("name"), _at("created_at"))

users = Table(
    "users",
    metadata,
    _id(),
    Column("email", String(254), nullable=False, unique=True),
    _at("created_at"),
    Column("active", Boolean, nullable=False),
    _revision(),
)

memberships = Table(
    "memberships",
    metadata,
    _id(),
    _to("project_id", "projects"),
    _to("user_id", "users"),
    _text("role", 16),
    _at("created_at"),
    _revision(),
    UniqueConstraint("user_id", "project_id"),
    _one_of("role", "rater", "admin"),
)

sessions = Table(
    "sessions",
    metadata,
    _id(),
    Column("secret_hash", String(64), nullable=False, unique=True),
    _to("user_id", "users"),
    _at("created_at"),
    _at("expires_at"),
    _at("revoked_at", nullable=True),
    _revision(),
)

links = Table(
    "sign_in_links",
    metadata,
    _id(),
    Column("secret_hash", String(64), nullable=False, unique=True),
    _to("project_id", "projects"),
    _text("role", 16),
    _text("email", 254),
    _at("created_at"),
    _at("expires_at"),
    _text("created_by", 36, nullable=True),
    _at("used_at", nullable=True),
    _revision(),
)

prompts = Table(
    "prompts",
    metadata,
    Column("key", String(64), primary_key=True),
    _to("project_id", "projects"),
    _at("created_at"),
    _revision(),
)

prompt_versions = Table(
    "prompt_versions",
    metadata,
    _id(),
    Column("prompt_key", String(64), ForeignKey("prompts.key"), nullable=False),
    _int("number"),
    _text("name", 40, nullable=True),
    _json("components", dict[str, dict[str, str]]),
    _at("created_at"),
    _text("created_by"),
    _json("variables", dict[str, Variable]),
    _json("parameter_defaults", dict[str, Point]),
    _json("slots_locked", tuple[str, ...]),
    _json("parents", tuple[str, ...]),
    Column("changelog", Text, nullable=False),
    _text("sha256", 64),
    _text("status", 16),
    _revision(),
    UniqueConstraint("prompt_key", "number"),
    UniqueConstraint("prompt_key", "name"),
    _one_of("status", "candidate", "released", "withdrawn"),
)

prompt_pointers = Table(
    "prompt_pointers",
    metadata,
    _id(),
    Column("prompt_key", String(64), ForeignKey("prompts.key"), nullable=False),
    _text("kind", 16),
    _text("name", 64),
    _to("version_id", "prompt_versions"),
    _at("moved_at"),
    _revision(),
    UniqueConstraint("prompt_key", "kind", "name"),
    _one_of("kind", "branch", "environment"),
)

studies = Table(
    "studies",
    metadata,
    _id(),
    _to("project_id", "projects"),
    _text("name"),
    _text("state", 16),
    _json("spaces", dict[str, ParameterSpace]),
    Column("prompt_key", String(64), ForeignKey("prompts.key"), nullable=False),
    _at("created_at"),
    _text("judge", 64),
    _int("options_per_experiment"),
    _int("raters_wanted"),
    _json("shares", Shares),
    _json("stop", StopRules),
    _int("daily_target"),
    Column("demo", Boolean, nullable=False),
    _int("seed"),
    _revision(),
    _one_of("state", "running", "paused", "archived"),
)

inputs = Table(
    "inputs",
    metadata,
    _id(),
    _to("study_id", "studies"),
    _text("kind", 16),
    _text("name"),
    _text("content_hash", 64),
    _text("object_key"),
    _text("media_type", 64),
    _at("created_at"),
    _int("width"),
    _int("height"),
    _text("stratum"),
    _text("related"),
    _text("reference", nullable=True),
    _json("payload", dict[str, str], nullable=True),
    Column("demo", Boolean, nullable=False),
    _text("added_by", 36, nullable=True),
    _at("removed_at", nullable=True),
    _revision(),
    Index(
        "uq_inputs_present",
        "study_id",
        "content_hash",
        unique=True,
        sqlite_where=text("removed_at IS NULL"),
        postgresql_where=text("removed_at IS NULL"),
    ),
    _one_of("kind", "image", "text"),
)

outputs = Table(
    "outputs",
    metadata,
    _id(),
    Column("content_hash", String(64), nullable=False, unique=True),
    _text("object_key"),
    _text("media_type", 64),
    _int("width"),
    _int("height"),
    _int("size"),
    _at("created_at"),
)

experiments = Table(
    "parameter_experiments",
    metadata,
    _id(),
    _to("study_id", "studies"),
    _to("input_id", "inputs"),
    _text("kind", 16),
    _text("state", 16),
    _at("created_at"),
    _at("changed_at"),
    _to("held_for", "users", nullable=True),
    _at("closed_at", nullable=True),
    _revision(),
    Index(None, "study_id", "state", "id"),
    Index(None, "study_id", "changed_at"),
    Index(None, "input_id"),
    _one_of("kind", "explore", "ab", "gold", "repeat", "calibration"),
    _one_of("state", "planned", "generating", "ready", "closed", "void", "dropped"),
)

options = Table(
    "experiment_options",
    metadata,
    _id(),
    _to("experiment_id", "parameter_experiments"),
    _to("study_id", "studies"),
    _to("input_id", "inputs"),
    _int("position"),
    _text("generator", 64),
    _to("version", "prompt_versions"),
    _json("point", Point),
    _int("seed"),
    _text("state", 16),
    _text("why", 16),
    _json("expected", Interval, nullable=True),
    _text("history", 64),
    _to("output_id", "outputs", nullable=True),
    _int("cost_micros"),
    Column("error", Text),
    _revision(),
    UniqueConstraint("experiment_id", "position"),
    Index(None, "study_id", "state"),
    _one_of("state", "planned", "generating", "ready", "failed"),
)

leases = Table(
    "leases",
    metadata,
    _id(),
    _to("study_id", "studies"),
    _to("experiment_id", "parameter_experiments"),
    _to("rater_id", "users"),
    _text("state", 16),
    _text("token", 64),
    _at("until"),
    _at("created_at"),
    _revision(),
    UniqueConstraint("experiment_id", "rater_id"),
    Index(None, "rater_id", "study_id", "state"),
    Index(None, "state", "until"),
    _one_of("state", "held", "done", "released", "expired"),
)

ratings = Table(
    "enhancement_ratings",
    metadata,
    _id(),
    _text("fingerprint", 64),
    _to("study_id", "studies"),
    _to("experiment_id", "parameter_experiments"),
    _to("option_id", "experiment_options"),
    _to("input_id", "inputs"),
    _text("generator", 64),
    _to("version", "prompt_versions"),
    _text("judge_id", 64),
    _text("judge_kind", 16),
    _text("metric", 64),
    Column("score", Float),
    _text("skip", 16, nullable=True),
    _at("rated_at"),
    _at("changed_at"),
    _json("tags", tuple[str, ...]),
    Column("comment", Text, nullable=False),
    Column("flagged", Boolean, nullable=False),
    Column("late", Boolean, nullable=False),
    _int("client_seq"),
    _at("painted_at", nullable=True),
    _int("seen_ms"),
    _at("undone_at", nullable=True),
    Index(
        "uq_enhancement_ratings_standing",
        "option_id",
        "judge_id",
        "metric",
        unique=True,
        sqlite_where=text("undone_at IS NULL"),
        postgresql_where=text("undone_at IS NULL"),
    ),
    Index(None, "study_id", "changed_at"),
    Index(None, "judge_id", "rated_at"),
    Index(None, "rated_at", "id"),
    Index(None, "experiment_id"),
    CheckConstraint("(score IS NULL) <> (skip IS NULL)", name="score_or_skip"),
    CheckConstraint("score IS NULL OR score BETWEEN 1 AND 5", name="score_in_range"),
    CheckConstraint("judge_kind <> 'human' OR score IS NULL OR score IN (1, 2, 3, 4, 5)", name="human_score_whole"),
    _one_of("judge_kind", "human", "metric", "model"),
)

tombstones = Table("rating_tombstones", metadata, _id(), _to("rater_id", "users"), _at("undone_at"))

exclusions = Table(
    "exclusions",
    metadata,
    _id(),
    _to("study_id", "studies"),
    _to("rater_id", "users"),
    _at("since"),
    Column("reason", Text, nullable=False),
    _at("created_at"),
    _at("lifted_at", nullable=True),
    _revision(),
)

jobs = Table(
    "jobs",
    metadata,
    _id(),
    _text("key"),
    _text("task", 64),
    _json("arguments", dict[str, str]),
    _at("created_at"),
    _at("due_at"),
    _text("state", 16),
    _text("resource", 64),
    _int("priority"),
    _int("attempts"),
    _text("worker", 64, nullable=True),
    _at("claimed_until", nullable=True),
    Column("error", Text),
    _at("finished_at", nullable=True),
    _to("study_id", "studies", nullable=True),
    _revision(),
    Index(
        "uq_jobs_waiting",
        "key",
        unique=True,
        sqlite_where=text("state = 'waiting'"),
        postgresql_where=text("state = 'waiting'"),
    ),
    Index(None, "state", "priority", "due_at"),
    _one_of("state", "waiting", "claimed", "done", "parked"),
)

diagnoses = Table(
    "diagnoses",
    metadata,
    _id(),
    _to("study_id", "studies"),
    _text("request_hash", 64),
    _json("diagnosis", Diagnosis),
    _at("made_at"),
    UniqueConstraint("study_id", "request_hash"),
    Index(None, "study_id", "made_at"),
)

audit_events = Table(
    "audit_events",
    metadata,
    _id(),
    _to("project_id", "projects"),
    _text("actor_id", 36, nullable=True),
    _text("action", 64),
    _text("object_type", 64),
    _text("object_id", 64),
    _at("at"),
    _text("before_hash", 64, nullable=True),
    _text("after_hash", 64, nullable=True),
    Column("note", Text, nullable=False),
    Index(None, "project_id", "at"),
)
