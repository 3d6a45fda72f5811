"""Bring the rows of an archive into a database that may know some of them already, by id or by what they are."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection, Table, and_, func, select

from ml_service.errors import Conflict
from web.adapters.database import tables
from web.adapters.database.archive.rows import Row, in_batches
from web.adapters.database.queries.common import insert_once
from web.domain.abtests.abtest import OPEN, Decision

Ids = Mapping[str, str]

# Columns that name a person without a foreign key: judges need not be people, inputs may come from the terminal.
_LOOSE = {"judge_id", "added_by", "paused_by", "message_by"}
# Rows that are the same thing under another id where this column is equal.
_KNOWN_BY = {tables.users: "email", tables.outputs: "content_hash"}


def _of_test(ids: Ids, row: Row) -> Row:
    """Stop a test that was open: it compared what was live where it came from."""
    decision: Decision | None = row["decision"]
    if decision is not None:
        stood = tuple(replace(one, challenger=ids.get(one.challenger, one.challenger)) for one in decision.evidence)
        decision = replace(decision, winner=ids.get(decision.winner or "", decision.winner), evidence=stood)
    challengers = tuple(ids.get(one, one) for one in row["challengers"])
    state = "stopped" if row["state"] in OPEN else row["state"]
    return {"challengers": challengers, "decision": decision, "state": state}


def _of_pair(ids: Ids, row: Row) -> Row:
    return {"given": {ids.get(rater, rater): stars for rater, stars in row["given"].items()}}


def _of_round(ids: Ids, row: Row) -> Row:
    """End a round that was under way: its job stays where it came from."""
    proposed = tuple(replace(one, version_id=ids.get(one.version_id or "", one.version_id)) for one in row["proposed"])
    ended = {"state": "failed", "error": "It was under way where this study came from."}
    return {"parents": tuple(ids.get(one, one) for one in row["parents"]), "proposed": proposed} | (
        ended if row["state"] in ("waiting", "running") else {}
    )


# Rows that name others inside a column.
_NESTED: Mapping[Table, Callable[[Ids, Row], Row]] = {
    tables.ab_tests: _of_test,
    tables.ab_pairs: _of_pair,
    tables.evolution_rounds: _of_round,
}


class Merge:
    """Adds rows that are not there yet; what is there stays as it is, and other rows are made to refer to it."""

    def __init__(self, connection: Connection, ids: dict[str, str]) -> None:
        self.connection = connection
        self.ids = ids

    def add_all(self, table: Table, rows: Iterable[Row]) -> int:
        """Add rows of one table, after all those that they refer to; return how many went in."""
        return sum(self._add(table, batch) for batch in in_batches(rows))

    def _add(self, table: Table, rows: Sequence[Row]) -> int:
        translated = [self._translated(table, row) for row in rows]
        if table in _KNOWN_BY:
            translated = self._unknown(table, _KNOWN_BY[table], translated)
        elif table is tables.prompt_versions:
            translated = [row for row in translated if self._is_new_version(row)]
        if not translated:
            return 0
        statement = insert_once(self.connection, table, *table.primary_key.columns)
        return len(self.connection.execute(statement, translated).all())

    def _translated(self, table: Table, row: Row) -> Row:
        refers = {column.name for column in table.columns if column.foreign_keys} | _LOOSE
        known = {name: self.ids.get(value, value) if name in refers else value for name, value in row.items()}
        return known | _NESTED[table](self.ids, known) if table in _NESTED else known

    def _unknown(self, table: Table, column: str, rows: list[Row]) -> list[Row]:
        wanted = [row[column] for row in rows]
        query = select(table.c[column], table.c.id).where(table.c[column].in_(wanted))
        known = {row[0]: row[1] for row in self.connection.execute(query)}
        self.ids |= {row["id"]: known[row[column]] for row in rows if row[column] in known}
        return [row for row in rows if row[column] not in known]

    def _is_new_version(self, row: Row) -> bool:
        """Tell whether a version is to be added, and give it the next number where its own is taken."""
        here = tables.prompt_versions
        same_key = here.c.prompt_key == row["prompt_key"]
        if self.connection.execute(select(here.c.id).where(here.c.id == row["id"])).first():
            return False
        same_name = and_(same_key, here.c.name.is_not(None), here.c.name == row["name"])
        named = self.connection.execute(select(here.c.id, here.c.sha256).where(same_name)).first()
        if named is not None and named.sha256 != row["sha256"]:
            raise Conflict(
                f"The prompt {row['prompt_key']} has another version {row['name']} here than in the archive; a "
                "released version never changes, so the study cannot be imported here. Nothing was changed."
            )
        if named is not None:
            self.ids[row["id"]] = named.id
            return False
        row["parents"] = tuple(self.ids.get(parent, parent) for parent in row["parents"])
        taken, last = self.connection.execute(
            select(func.count().filter(here.c.number == row["number"]), func.max(here.c.number)).where(same_key)
        ).one()
        row["number"] = last + 1 if taken else row["number"]
        return True
