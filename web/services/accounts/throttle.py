"""Throttle guessing: wrong tries are counted in the database, so that every process knows of them."""

import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil

from ml_service.errors import ServiceError, Throttled
from web.domain.accounts import Attempts
from web.domain.clocks import is_ahead
from web.ports.parts import Books
from web.rows.transaction import Transaction


@dataclass(frozen=True)
class Limit:
    """So many wrong tries of one kind within a time, and what else to do than to wait."""

    kind: str
    most: int
    advice: str = ""
    within: timedelta = timedelta(minutes=15)


_BY_LINK = ", or ask an admin for a sign-in link, which works at once"
# At an account from one network, so that a stranger's tries do not shut its owner out elsewhere; and from everywhere,
# for who has many networks.
ADDRESS = Limit("address", 5, _BY_LINK)
ADDRESS_EVERYWHERE = Limit("address everywhere", 50, _BY_LINK)
CURRENT_PASSWORD = Limit("current password", 5, ", or sign in by a link of an admin, and no current one is asked for")
CLIENT = Limit("client", 5)
CLIENTS = Limit("clients", 100, "; so many came from your network")
LINK = Limit("link", 20, "; a link that was copied whole comes from an admin")
NETWORK = Limit("network", 100, "; so many came from your network")


@dataclass(frozen=True)
class Throttle:
    """Counts the tries that come from one network address, under keyed hashes from which nobody can be read."""

    parts: Books
    key: bytes = field(repr=False)
    network: str

    def count(self, *tries: tuple[Limit, str]) -> None:
        """Count one more try at each of these, and refuse where that is too many; call it before anything costly.

        What is refused by what is known already writes nothing: a flood of tries takes no room, and no turn to write.
        """
        now = self.parts.clock.now()
        with self.parts.store.read() as tx:
            known = [(limit, tx.attempts.find(id=self._id(limit, subject))) for limit, subject in tries]
        for limit, before in known:
            _refuse(limit, before, limit.most - 1, now)
        with self.parts.store.begin() as tx:
            counted = [(limit, self._add(tx, limit, subject, now)) for limit, subject in tries]
        for limit, attempts in counted:
            _refuse(limit, attempts, limit.most, now)

    def forget(self, tx: Transaction, limit: Limit, subject: str) -> None:
        """Let the tries at something count for nothing: who tried is who they say."""
        tx.attempts.remove(id=self._id(limit, subject))

    def take_back(self, tx: Transaction, limit: Limit, subject: str) -> None:
        """Uncount one try, which was right, among those that others may have made."""
        tx.of_people.take_back(self._id(limit, subject))

    @contextmanager
    def guessing(self, limit: Limit, subject: str, wrong: type[ServiceError]) -> Iterator[None]:
        """Refuse after too many tries that ended in this error; right ones are not counted."""
        now = self.parts.clock.now()
        with self.parts.store.read() as tx:
            known = tx.attempts.find(id=self._id(limit, subject))
        _refuse(limit, known, limit.most - 1, now)
        try:
            yield
        except wrong:
            with self.parts.store.begin() as tx:
                self._add(tx, limit, subject, now)
            raise

    def _add(self, tx: Transaction, limit: Limit, subject: str, now: datetime) -> Attempts:
        return tx.of_people.attempt(self._id(limit, subject), now, now - limit.within)

    def _id(self, limit: Limit, subject: str) -> str:
        return hmac.digest(self.key, f"attempts\n{limit.kind}\n{subject}".encode(errors="replace"), "sha256").hex()


def _refuse(limit: Limit, attempts: Attempts | None, most: int, now: datetime) -> None:
    if attempts is None or is_ahead(attempts.since, now):
        return
    left = ceil((attempts.since + limit.within - now).total_seconds())
    if attempts.count > most and left > 0:
        wait = f"in {ceil(left / 60)} minutes" if left > 60 else "in a minute"
        raise Throttled(f"There were too many wrong tries. Try again {wait}{limit.advice}.", left)
