"""A private Postgres for the tests: started once, with a database that is emptied for each test."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

QUICK = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "max_connections=100")
PATIENCE = 30.0
# What a database that tests share gets: a way to be emptied, whoever still hangs in a transaction, and a fixed schema.
SHARED = """
CREATE FUNCTION leave_no_rows() RETURNS void LANGUAGE plpgsql SET session_replication_role = replica AS $$
DECLARE name text; filled boolean;
BEGIN
    PERFORM pg_terminate_backend(pid, 10000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle';
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %I)', name) INTO filled;
        IF filled THEN EXECUTE format('DELETE FROM %I', name); END IF;
    END LOOP;
END $$;
CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Tests share this database; one that changes the schema takes the fixture empty_url.';
END $$;
CREATE EVENT TRIGGER refuse ON ddl_command_start EXECUTE FUNCTION refuse()
"""
EMPTY = "SELECT leave_no_rows()"


def binaries() -> Path:
    """Return the folder of Postgres's programs, or say how to get them."""
    found = shutil.which("initdb")
    places = [Path(found).resolve().parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for place in places:
        if (place / "postgres").exists() and (place / "initdb").exists():
            return place
    raise RuntimeError("The tests need Postgres: install it (apt-get install postgresql) or put `initdb` on the PATH.")


class Postgres:
    """A running server that makes databases on request."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.numbers = count(1)
        self.template = ""

    def url(self, database: str) -> str:
        """Return the address of a database."""
        return f"postgresql://palate@127.0.0.1:{self.port}/{database}"

    def make(self, template: str = "template0") -> str:
        """Make a database like another one and return its name."""
        name = f"palate_{next(self.numbers)}"
        self.run(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    def drop(self, name: str) -> None:
        """Drop a database, whoever still uses it."""
        self.run(f'DROP DATABASE "{name}" WITH (FORCE)')

    def share(self, template: str) -> str:
        """Make a database for many tests, one after the other, and return its name."""
        name = self.make(template)
        self.run(SHARED, name)
        return name

    def run(self, statement: str, database: str = "postgres") -> None:
        """Execute statements outside any transaction."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(statement.encode())


@contextmanager
def running(*, durable: bool = False) -> Iterator[Postgres]:
    """Start a server in a new folder on a free port, and stop and delete it in the end; a durable one syncs."""
    folder = Path(tempfile.mkdtemp(prefix="palate-postgres-"))
    programs, owner = binaries(), _owner(folder)
    data, log = folder / "data", folder / "log"
    chosen = ("listen_addresses=127.0.0.1", "unix_socket_directories=", *(() if durable else QUICK))
    settings = [part for item in chosen for part in ("-c", item)]
    make = [
        str(programs / "initdb"),
        "-D",
        str(data),
        "-U",
        "palate",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C.UTF-8",
        "-N",
    ]
    subprocess.run(make, check=True, stdout=subprocess.DEVNULL, cwd="/", **owner)
    port = _free_port()
    with log.open("w") as output:
        serve = [str(programs / "postgres"), "-D", str(data), "-p", str(port), *settings]
        process = subprocess.Popen(serve, stdout=output, stderr=output, cwd="/", **owner)
    try:
        server = Postgres(port)
        _await(server, process, log)
        yield server
    finally:
        process.send_signal(signal.SIGQUIT)
        process.wait(PATIENCE)
        shutil.rmtree(folder)


def _owner(folder: Path) -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    shutil.chown(folder, "nobody", "nogroup")  # Postgres refuses to run as root
    return {"user": "nobody", "group": "nogroup", "extra_groups": []}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(server: Postgres, process: subprocess.Popen[Any], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            server.run("SELECT 1")
        except psycopg.OperationalError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Postgres did not start:\n{log.read_text()}") from error
            time.sleep(0.02)
        else:
            return
