"""A study that an older Palate wrote is as its event left it once the database was brought up."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import MetaData, text

from tests.clock import FixedClock
from tests.world import make_parts
from web.adapters.database.engine import connect
from web.adapters.database.migrate import migrate
from web.adapters.database.store import SqlStore
from web.domain.audit.audit import Event, chained
from web.services.operations.verify import Verification

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
TUNED = {"kind": "float", "low": -1.0, "high": 1.0, "default": 0.0, "step": None, "scale": "linear", "unit": "EV"}
# What each schema knew of a study, and what its Palate hashed.
FIRST: dict[str, Any] = {
    "id": "s",
    "project_id": "p",
    "name": "Photos",
    "state": "running",
    "spaces": {"local": {"parameters": {"exposure": TUNED}}},
    "prompt_key": "old",
    "created_at": "2026-03-01T09:00:00Z",
    "judge": "human",
    "options_per_experiment": 2,
    "raters_wanted": 3,
    "shares": {"ab": 40, "explore": 50, "gold": 5, "repeat": 5},
    "stop": {"goal": 4.5, "patience": 4, "budget_micros": None, "samples": 30},
    "daily_target": 100,
    "demo": False,
    "seed": 0,
    "revision": 2,
}
STOP = {"goal": None, "probability": 0.95, "gain": 0.1, "patience": 9, "at_least": 30, "budget_micros": 5, "ratings": 7}
STOPPING: dict[str, Any] = {
    **FIRST,
    "stop": STOP,
    "stopped": None,
    "optimizer": {"exploration": 2.0, "initial": 5},
    "starts_from": "t",
}
ROOM: dict[str, Any] = {**STOPPING, "shares": {**FIRST["shares"], "overlap": 8}}
KNOWN = {"0003": FIRST, "0004": STOPPING, "0005": ROOM}


def written(url: str, schema: str, study: dict[str, Any]) -> None:
    """Put a study, and the event that made it, into a database of an older schema."""
    migrate(url, schema)
    line = json.dumps(study, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    after = hashlib.sha256(line.encode()).hexdigest()
    event = Event("e", "p", 1, None, "study.made", "study", "s", NOW, after_hash=after)
    room: dict[str, Any] = {"guide": {}} if schema == "0005" else {}
    rows: dict[str, dict[str, Any]] = {
        "projects": {"id": "p", "name": "Old", "created_at": NOW},
        "prompts": {"key": "old", "project_id": "p", "created_at": NOW, "revision": 0},
        "studies": {**study, "created_at": NOW, **room},
        "audit_events": {**event.__dict__, "hash": chained(event)},
    }
    engines, there = connect(url), MetaData()
    there.reflect(engines.reader, only=list(rows))
    with engines.writer.begin() as connection:
        for name, row in rows.items():
            connection.execute(there.tables[name].insert(), row)
    engines.dispose()


@pytest.mark.parametrize("schema", KNOWN)
def test_a_study_of_an_older_schema_is_not_called_changed_unless_it_was(
    schema: str, empty_url: str, clock: FixedClock, tmp_path: Path
) -> None:
    written(empty_url, schema, KNOWN[schema])
    migrate(empty_url)
    store = SqlStore.open(empty_url)
    parts = make_parts(store, clock, tmp_path)

    def told() -> list[str]:
        return [found.says for found in Verification(parts, b"key" * 12).findings()]

    assert told() == []
    for was, change in {
        "seed = 0": "seed = 1",
        "calibration = 10": "calibration = 3",
        "raters_wanted = 3": "raters_wanted = 6",
    }.items():
        for values, wrong in ((change, 1), (was, 0)):
            with store.begin() as tx:
                tx.connection.execute(text(f"UPDATE studies SET {values} WHERE id = 's'"))
            assert len(told()) == wrong, values
    store.close()
