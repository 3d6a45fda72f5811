"""Databases made to fail as machines make them fail: one that only reads, one that another process holds."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.postgres import Postgres

HOLD = """import sqlite3, sys
held = sqlite3.connect(sys.argv[1])
held.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()"""


@contextmanager
def held_by_another(path: str) -> Iterator[None]:
    """Let another process hold a file of SQLite until the block is left."""
    command = [sys.executable, "-c", HOLD, path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline()
        try:
            yield
        finally:
            other.communicate()


@contextmanager
def only_reading(server: Postgres, database: str) -> Iterator[None]:
    """Let a database of Postgres take no changes until the block is left, as the old primary after a failover.

    Whoever is connected in between stays unable to write.
    """
    server.run(f'ALTER DATABASE "{database}" SET default_transaction_read_only = on')
    end_connections(server, database)
    try:
        yield
    finally:
        server.run(f'ALTER DATABASE "{database}" RESET default_transaction_read_only')


def end_connections(server: Postgres, database: str) -> None:
    """End whoever is connected to a database of Postgres."""
    server.run(f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{database}'")
