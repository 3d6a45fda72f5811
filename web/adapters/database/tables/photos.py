"""Photos on their way in, changes of many photos, and filters that people keep."""

from sqlalchemy import Index, Table, UniqueConstraint, text

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
from web.domain.studies.batch import Batch, Item
from web.domain.studies.photos import SavedFilter
from web.domain.studies.sweeps import Sweep

batches = Table(
    "photo_batches",
    metadata,
    identity(),
    reference("study_id", "studies"),
    short_text("label"),
    moment("created_at"),
    short_text("made_by", 36, nullable=True),
    moment("closed_at", nullable=True),
    revision(),
    Index(None, "study_id", "id"),
    info=rows("batches", Batch),
)

batch_items = Table(
    "photo_batch_items",
    metadata,
    identity(),
    reference("batch_id", "photo_batches"),
    short_text("path"),
    whole("size"),
    short_text("state", 16),
    short_text("name"),
    short_text("stratum"),
    short_text("related"),
    typed("metadata", dict[str, str], nullable=True),
    short_text("sha256", 64),
    short_text("said"),
    whole("tries"),
    # No foreign key: an item says what became of a file, also once the photo is gone.
    short_text("input_id", 36, nullable=True),
    revision(),
    UniqueConstraint("batch_id", "path"),
    Index(None, "batch_id", "state", "id"),
    Index(
        "ix_photo_batch_items_input_id",
        "input_id",
        sqlite_where=text("input_id IS NOT NULL"),
        postgresql_where=text("input_id IS NOT NULL"),
    ),
    one_of("state", "missing", "fetching", "added", "known", "refused"),
    info=rows("batch_items", Item),
)

sweeps = Table(
    "photo_sweeps",
    metadata,
    identity(),
    reference("study_id", "studies"),
    short_text("action", 16),
    moment("created_at"),
    short_text("argument"),
    typed("ids", tuple[str, ...]),
    typed("wanted", dict[str, str]),
    short_text("until", 36),
    short_text("after", 36),
    whole("total"),
    whole("done"),
    short_text("asked_by", 36, nullable=True),
    moment("finished_at", nullable=True),
    revision(),
    Index(None, "study_id", "finished_at"),
    one_of("action", "take_down", "erase", "stratum", "hold_out", "let_in"),
    info=rows("sweeps", Sweep),
)

saved_filters = Table(
    "saved_filters",
    metadata,
    identity(),
    reference("study_id", "studies"),
    reference("user_id", "users"),
    short_text("name"),
    typed("wanted", dict[str, str]),
    moment("created_at"),
    revision(),
    UniqueConstraint("study_id", "user_id", "name"),
    info=rows("saved_filters", SavedFilter),
)
