"""What the drivers of databases raise, as errors of ours: whatever a machine may do to a database is foreseen here."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolIsDry

from ml_service.errors import Conflict, ServiceError, StorageFull, Unavailable

SOON, LATER, MUCH_LATER = 1.0, 5.0, 30.0  # seconds after which it is worth while to try again
_AWAY = "The database does not answer; try again in a moment.", LATER
_COLLIDED = "It met another change that was under way; try again.", SOON
_CROWDED = "The database takes no more connections; try again in a moment.", LATER
_DAMAGED = "The database is damaged; restore the last backup that is whole into an empty place.", MUCH_LATER
_DISK = "The disk of the database fails; what it holds should be brought to another one.", MUCH_LATER
_DRY = "All connections to the database are in use; try again in a moment.", LATER
_HELD = "Another program holds the database; try again in a moment.", LATER
_LOST = "The connection to the database was lost; try again in a moment.", SOON
_ONLY_READS = "The database takes no changes for now, it can only be read; try again in a moment.", LATER
_SLOW = "The database took too long over this; try again in a moment.", LATER
_UNMADE = "The database has not the tables of this version; run `python -m web migrate`.", MUCH_LATER
_UNOPENED = "The file of the database cannot be opened; look whether it is there, and whose it is.", MUCH_LATER
_FULL = "The disk of the database is full; free some room and try again."
# By the SQLSTATE of Postgres, or by its class, the first two characters (Postgres manual, appendix A).
_POSTGRES = {
    "08": _LOST,
    "25006": _ONLY_READS,
    "40001": _COLLIDED,
    "40P01": _COLLIDED,
    "42P01": _UNMADE,
    "42703": _UNMADE,
    "53": _CROWDED,
    "55P03": _SLOW,
    "57014": _SLOW,
    "57P": _LOST,
    "58": _DISK,
    "XX001": _DAMAGED,
    "XX002": _DAMAGED,
}
# By the primary result code of SQLite (sqlite.org/rescode.html).
_SQLITE = {
    sqlite3.SQLITE_BUSY: _HELD,
    sqlite3.SQLITE_LOCKED: _HELD,
    sqlite3.SQLITE_PROTOCOL: _HELD,
    sqlite3.SQLITE_PERM: _UNOPENED,
    sqlite3.SQLITE_CANTOPEN: _UNOPENED,
    sqlite3.SQLITE_READONLY: _ONLY_READS,
    sqlite3.SQLITE_IOERR: _DISK,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
}


@contextmanager
def translated() -> Iterator[None]:
    """Raise the database's errors as ours; what only a mistake of our own can bring about stays as it is."""
    try:
        yield
    except IntegrityError as error:
        raise Conflict("That is taken already, or what it belongs to is gone.") from error
    except PoolIsDry as error:
        raise Unavailable(*_DRY) from error
    except DBAPIError as error:
        told = _told(error)
        if told is None:
            raise
        raise told from error


def only_reads(error: BaseException) -> bool:
    """Tell whether a driver's error says that its connection cannot write; another one may, after a failover."""
    return _code(error) in ("25006", sqlite3.SQLITE_READONLY)


def _told(error: DBAPIError) -> ServiceError | None:
    code = _code(error.orig)
    if code in (sqlite3.SQLITE_FULL, "53100"):
        return StorageFull(_FULL)
    if isinstance(code, str):
        known = _POSTGRES.get(code) or _POSTGRES.get(code[:3]) or _POSTGRES.get(code[:2])
    elif code == sqlite3.SQLITE_ERROR:  # nearly all that is wrong with a statement
        return Unavailable(*_UNMADE) if "no such" in str(error.orig) else None
    else:
        known = _SQLITE.get(code or sqlite3.SQLITE_OK)
    if known is None and error.connection_invalidated:
        known = _LOST
    if known is None and isinstance(error, OperationalError):
        known = _AWAY
    return Unavailable(*known) if known else None


def _code(error: BaseException | None) -> str | int | None:
    """Return what the driver says went wrong: Postgres's five characters, or SQLite's primary number."""
    state: str | None = getattr(error, "sqlstate", None)
    number: int | None = getattr(error, "sqlite_errorcode", None)
    return state if number is None else number & 0xFF
