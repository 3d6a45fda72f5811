"""Later work, and what it found."""

from sqlalchemy import Column, Float, ForeignKey, Index, String, Table, Text, text

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
from web.domain.job import Job
from web.domain.rating.figures import OrdinalCheck

jobs = Table(
    "jobs",
    metadata,
    identity(),
    short_text("key"),
    short_text("task", 64),
    typed("arguments", dict[str, str]),
    moment("created_at"),
    moment("due_at"),
    short_text("state", 16),
    short_text("resource", 80),
    whole("priority"),
    whole("attempts"),
    short_text("worker", 64, nullable=True),
    moment("claimed_until", nullable=True),
    Column("error", Text),
    moment("finished_at", nullable=True),
    reference("study_id", "studies", nullable=True),
    moment("dated_at", nullable=True),
    revision(),
    Index(
        "uq_jobs_waiting",
        "key",
        unique=True,
        sqlite_where=text("state = 'waiting'"),
        postgresql_where=text("state = 'waiting'"),
    ),
    Index(None, "state", "priority", "due_at"),
    Index(None, "state", "finished_at"),
    one_of("state", "waiting", "claimed", "done", "parked"),
    info=rows("jobs", Job),
)

ordinal_checks = Table(
    "ordinal_checks",
    metadata,
    Column("study_id", String(36), ForeignKey("studies.id"), primary_key=True),
    moment("made_at"),
    whole("ratings"),
    whole("items"),
    Column("rank", Float, nullable=True),
    whole("top"),
    whole("changed"),
    whole("turned"),
    info=rows("ordinal_checks", OrdinalCheck),
)
