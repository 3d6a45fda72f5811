"""Calls of text models."""

from sqlalchemy import BigInteger, Column, Index, Table, Text

from web.adapters.database.tables.base import identity, metadata, moment, one_of, reference, rows, short_text, whole
from web.domain.models.completion import Charge

completions = Table(
    "completions",
    metadata,
    identity(),
    short_text("request_hash", 64),
    short_text("purpose", 64),
    reference("project_id", "projects"),
    reference("study_id", "studies", nullable=True),
    short_text("model"),
    Column("reserved_micros", BigInteger, nullable=False),
    moment("created_at"),
    short_text("state", 16),
    Column("cost_micros", BigInteger, nullable=False),
    whole("tokens_in"),
    whole("tokens_out"),
    Column("answer", Text),
    moment("settled_at", nullable=True),
    Index(None, "request_hash"),
    Index(None, "created_at"),
    one_of("state", "reserved", "settled", "failed"),
    info=rows("completions", Charge),
)
