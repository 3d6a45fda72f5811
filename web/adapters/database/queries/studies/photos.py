"""Queries of photos on their way into a study, and of changes of many."""

from collections.abc import Iterable
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, func, literal, or_, select, update

from web.adapters.database.queries.common import insert_into, insert_once
from web.adapters.database.tables import batch_items, batches, sweeps
from web.domain.batches import batches as by_the_batch
from web.domain.studies.batch import LOOSE, Batch, BatchSummary, Item, ItemState
from web.domain.studies.sweeps import Sweep
from web.rows import photos as rows

LISTED = ("state", "name", "stratum", "related", "metadata", "sha256", "said", "tries")  # what a manifest says anew
WRITTEN_AT_ONCE = 5_000  # items, of which a manifest may list many
_IS_OPEN = batch_items.c.state.in_(("missing", "fetching", "refused"))


class PhotoQueries(rows.PhotoQueries):
    """Named queries of photos on their way in."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def lock_item(self, item_id: str) -> Item | None:
        query = select(batch_items).where(batch_items.c.id == item_id).with_for_update()
        row = self.connection.execute(query).mappings().first()
        return None if row is None else Item(**row)

    def add_items(self, items: Iterable[Item]) -> None:
        given = [dict(vars(item)) for item in items]
        if given:
            self.connection.execute(insert_once(self.connection, batch_items), given)

    def add_listed(self, items: Iterable[Item]) -> None:
        put = _put_listed(insert_into(self.connection, batch_items))
        given = (dict(vars(item)) for item in items)
        while some := list(islice(given, WRITTEN_AT_ONCE)):
            self.connection.execute(put, some)

    def items_at(self, batch_id: str, paths: Iterable[str]) -> dict[str, Item]:
        found = dict[str, Item]()
        for some in by_the_batch(paths):
            query = select(batch_items).where(batch_items.c.batch_id == batch_id, batch_items.c.path.in_(some))
            found |= {row["path"]: Item(**row) for row in self.connection.execute(query).mappings()}
        return found

    def items_in(self, batch_id: str, state: ItemState, limit: int) -> tuple[Item, ...]:
        query = select(batch_items).where(batch_items.c.batch_id == batch_id, batch_items.c.state == state)
        rows_ = self.connection.execute(query.order_by(batch_items.c.tries, batch_items.c.id).limit(limit)).mappings()
        return tuple(Item(**row) for row in rows_)

    def unfinished(self, study_id: str, limit: int) -> tuple[Batch, ...]:
        return self._newest(study_id, limit, _has_items(_IS_OPEN))

    def finished(self, study_id: str, since: datetime, limit: int) -> tuple[Batch, ...]:
        whole = and_(_has_items(), ~_has_items(_IS_OPEN))
        return self._newest(study_id, limit, whole, batches.c.created_at >= since, batches.c.label != LOOSE)

    def _newest(self, study_id: str, limit: int, *terms: ColumnElement[bool]) -> tuple[Batch, ...]:
        query = select(batches).where(batches.c.study_id == study_id, batches.c.closed_at.is_(None), *terms)
        found = self.connection.execute(query.order_by(batches.c.id.desc()).limit(limit)).mappings()
        return tuple(Batch(**row) for row in found)

    def summary(self, batch: Batch, refused: int) -> BatchSummary:
        query = (
            select(batch_items.c.state, func.count())
            .where(batch_items.c.batch_id == batch.id)
            .group_by(batch_items.c.state)
        )
        counts: dict[ItemState, int] = dict(self.connection.execute(query).all())
        shown = self.items_in(batch.id, "refused", refused) if counts.get("refused") else ()
        return BatchSummary(batch, counts, shown)

    def sweeps_since(self, study_id: str, since: datetime) -> tuple[Sweep, ...]:
        under_way = or_(sweeps.c.finished_at.is_(None), sweeps.c.finished_at > since)
        query = select(sweeps).where(sweeps.c.study_id == study_id, under_way).order_by(sweeps.c.id.desc()).limit(5)
        return tuple(Sweep(**row) for row in self.connection.execute(query).mappings())

    def forget_names(self, input_id: str, name: str) -> None:
        path = literal(f"{name} ") + batch_items.c.id  # paths differ within a batch
        gone = {"name": name, "path": path, "stratum": "", "related": "", "metadata": None, "sha256": ""}
        self.connection.execute(update(batch_items).where(batch_items.c.input_id == input_id).values(**gone))

    def forget_batches(self, before: datetime) -> None:
        old = select(batches.c.id).where(batches.c.created_at < before)
        self.connection.execute(delete(batch_items).where(batch_items.c.batch_id.in_(old)))
        self.connection.execute(delete(batches).where(batches.c.created_at < before))
        self.connection.execute(delete(sweeps).where(sweeps.c.finished_at < before))


def _put_listed(adding: Any) -> Any:
    known, said = batch_items.c, adding.excluded
    anew = {name: said[name] for name in LISTED} | {"revision": known.revision + 1}
    asked_again = and_(known.state == "refused", said.state == "fetching")
    to_come = or_(known.state == "missing", known.state == "fetching", asked_again)
    return adding.on_conflict_do_update(index_elements=[known.batch_id, known.path], set_=anew, where=to_come)


def _has_items(*terms: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(batch_items.c.batch_id == batches.c.id, *terms)
