"""Every page shows one moment: what somebody writes between two of its reads is in none of it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event, update

from tests.grounds import Grounds, routes
from web.adapters.database import tables
from web.adapters.database.store import SqlStore

# Columns that pages show, of tables that different reads of one page look into.
SHOWN = (
    tables.ab_tests.c.hypothesis,
    tables.inputs.c.name,
    tables.jobs.c.task,
    tables.prompt_versions.c.changelog,
    tables.ratings.c.comment,
    tables.studies.c.name,
    tables.users.c.email,
)
# Ids and tokens that are new in every form.
NEW = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def test_a_page_shows_nothing_that_is_written_while_it_is_read(grounds: Grounds, store: SqlStore) -> None:
    admin, seen, torn = grounds.person("admin"), 0, []
    for route in routes(grounds.site.app):
        if route.method != "GET" or route.path.startswith("/api/"):  # one of these streams for ever
            continue
        path = grounds.path(route)
        before = grounds.send(admin, "GET", path)
        if before.status_code != 200 or not before.headers["content-type"].startswith("text/html"):
            continue
        with somebody_writing(store) as wrote:
            during = grounds.send(admin, "GET", path)
        seen += bool(wrote)
        if _constant(during.text) != _constant(before.text):
            torn.append(route.path)
    assert torn == []
    assert seen > 15


@contextmanager
def somebody_writing(store: SqlStore) -> Iterator[list[str]]:
    """Change rows of many tables after the second query of a request: the first one asks who is there."""
    asked: list[str] = []
    wrote: list[str] = []

    def after(_connection: object, _cursor: object, statement: str, *_: Any) -> None:
        if wrote or not statement.startswith("SELECT"):
            return
        asked.append(statement)
        if len(asked) == 2:
            wrote.append(statement)
            with store.begin() as tx:
                for column in SHOWN:
                    tx.connection.execute(update(column.table).values({column: column + "!"}))

    event.listen(store.engines.reader, "after_cursor_execute", after)
    try:
        yield wrote
    finally:
        event.remove(store.engines.reader, "after_cursor_execute", after)


def _constant(page: str) -> str:
    return NEW.sub("", page)
