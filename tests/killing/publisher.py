"""The client that publishes: versions are released, promoted and rolled back, each until it is acknowledged."""

import threading
from typing import Any

import httpx

from ml_service.errors import ServiceError
from tests.killing.clients import Browser, Client
from tests.killing.ledger import Ledger
from tests.killing.product import Product
from tests.released import list_versions
from web.domain.ids import new_id
from web.domain.prompts.prompt import DEFAULT_KEY
from web.domain.studies.study import Study
from web.services.operations.verify import Verification
from web.services.prompts import pointers
from web.services.prompts.promotion import MOVES
from web.services.prompts.publication import file_of
from web.services.prompts.versions import load_current, load_version
from web.settings.key import signing_key

PAUSE = 0.4
REFUSED = httpx.codes.CONFLICT  # nothing was learnt that is not live already


class Publisher(Client):
    """The only one who publishes, so each answer can be foretold; reads what is live after each."""

    def __init__(self, browser: Browser, study: Study, ledger: Ledger) -> None:
        super().__init__(browser, study, ledger)
        here = browser.send("GET", f"/api/v1/prompts/{DEFAULT_KEY}").json()
        self.live, self.revision = str(here["live"]), int(here["revision"])
        self.names = [version["name"] for version in here["versions"]]

    def work(self, stop: threading.Event) -> None:
        """Promote another version, then take one turn after the other, not too fast."""
        self._promote(next(name for name in self.names if name != self.live))
        while not stop.is_set():
            self.turn()
            stop.wait(self.random.uniform(0, 2 * PAUSE))

    def turn(self) -> None:
        """Publish what was learnt, promote any version, or go back."""
        kind = self.random.choice(("best", "best", "promote", "promote", "rollback"))
        if kind == "best":
            self._best()
        elif kind == "promote":
            self._promote(self.random.choice(self.names))
        elif self.ledger.promoted:
            self._moved(self._send("/rollback", {"revision": self.revision}), None)

    def _best(self) -> None:
        told = self._send("/best", {"study_id": self.study.id, "id": new_id(), "revision": self.revision})
        if told is not None:
            if told["version"] in self.names:
                self.ledger.fault(f"A new version got the name {told['version']}, which is taken.")
            self.names.append(told["version"])
            self._moved(told, None)

    def _promote(self, name: str) -> None:
        told = self._send("", {"version": name, "revision": self.revision})
        if name != self.live:
            self._moved(told, name)

    def _send(self, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        answer = self.browser.send("POST", f"/api/v1/promotions{path}", fine=(REFUSED,), json=body)
        return None if answer.status_code == REFUSED else dict(answer.json())

    def _moved(self, told: dict[str, Any] | None, name: str | None) -> None:
        if told is None:
            self.ledger.fault(f"A move from revision {self.revision}, at {self.live}, to {name} was refused.")
            return
        if told["revision"] != self.revision + 1 or told["version"] != (name or told["version"]):
            self.ledger.fault(f"The move {self.revision + 1} to {name} was answered as {told}.")
        self.live, self.revision = str(told["version"]), int(told["revision"])
        self.ledger.promoted[self.revision] = self.live
        self.ledger.count("promoted")
        pulled = self.browser.send("GET", "/prompts/current.json").headers["X-Palate-Version"]
        written = load_current(self.browser.product.parts.published).version
        if not pulled == written == self.live:
            self.ledger.fault(f"{self.live} is live, {pulled} was pulled, and the file says {written}.")


def wrong_publications(product: Product, ledger: Ledger) -> list[str]:
    """Compare the pointer, the versions and their files with the promotions that were acknowledged."""
    files, faults = product.parts.published, []
    with product.parts.store.read() as tx:
        pointer = pointers.find(tx, DEFAULT_KEY)
        assert pointer is not None
        live = tx.versions.get(pointer.version_id)
        if load_current(files) != file_of(tx, live):
            faults.append(f"current.json is not {live.name}, which the database says is live.")
        events = tx.events.all(object_type="pointer", object_id=pointer.id, action=MOVES)
    moves = sorted((int(event.details["revision"]), event.details["to"]) for event in events)
    if [revision for revision, _ in moves] != list(range(pointer.revision + 1)):
        faults.append(f"The history of moves has gaps or repeats: {moves}.")
    faults += [f"The move {move} is lost." for move in ledger.promoted.items() if move not in moves]
    begun = min(ledger.promoted, default=pointer.revision + 1)
    faults += [f"Nobody was told of the move {move}." for move in moves if begun <= move[0] not in ledger.promoted]
    for name in set(ledger.promoted.values()):
        try:
            load_version(files, name)
        except ServiceError as error:
            faults.append(f"The file of {name}: {error}")
    faults += [f"Nobody published {name}." for name in set(list_versions(files)) - {name for _, name in moves}]
    return faults


def verify(product: Product) -> list[str]:
    """Return what the product's own check finds wrong; an object that nothing needs is no fault."""
    look = Verification(product.parts, signing_key(product.settings))
    return [finding.says for finding in look.findings() if finding.kind != "orphan"]
