"""What is taken of a database meanwhile: statements, and steps of SQLite's machine, which a busy core makes no more."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from sqlite3 import Connection

from sqlalchemy import Engine, event

STEPS = 100  # counted at a time


@dataclass
class Taken:
    """Statements, and hundreds of steps."""

    statements: int = 0
    steps: int = 0

    def step(self) -> None:
        """Count a hundred steps."""
        self.steps += 1

    def ask(self, *_: object) -> None:
        """Count a statement."""
        self.statements += 1


@contextmanager
def taking(engine: Engine) -> Iterator[Taken]:
    """Count what the connections of an engine on SQLite are asked for until the block is left."""
    taken = Taken()

    def on_checkout(connection: Connection, *_: object) -> None:
        connection.set_progress_handler(taken.step, STEPS)

    event.listen(engine, "checkout", on_checkout)
    event.listen(engine, "before_cursor_execute", taken.ask)
    yield taken
    event.remove(engine, "checkout", on_checkout)
    event.remove(engine, "before_cursor_execute", taken.ask)
