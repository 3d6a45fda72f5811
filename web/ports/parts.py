"""All that an app or a worker is built from."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

from ml_service.errors import NotFound
from ml_service.objects import ObjectStore
from web.domain.prompts.hostile import Scanner
from web.ports.fetching import Fetcher
from web.ports.learning import Optimizer
from web.ports.making import Generator, ImageCleaner
from web.ports.models import TextModel
from web.ports.people import Passwords
from web.ports.time import Clock
from web.rows.transaction import OneMoment, Store, Transaction


class Books(Protocol):
    """What most use cases need of the parts: the rows, and the time."""

    @property
    def store(self) -> Store:
        """Return what opens transactions."""
        ...

    @property
    def clock(self) -> Clock:
        """Return what tells the time."""
        ...


@dataclass(frozen=True)
class Parts:
    """What an app or a worker is built from; `published` holds the prompt versions that production reads.
    `scanner` reads texts for what may not be published or shown to a model.

    `retention` is how long outputs are kept that no rating needs; None keeps them for ever. `degrader` makes copies of
    sources that are plainly worse, by a point of one `fault`; without it none are made. Without a `text_model` prompts
    evolve by a script. `fetcher` asks addresses that people name; without it none are asked.
    """

    store: Store
    objects: ObjectStore
    published: ObjectStore
    generators: Mapping[str, Generator]
    optimizer: Optimizer
    cleaner: ImageCleaner
    clock: Clock
    passwords: Passwords
    scanner: Scanner
    retention: timedelta | None = None
    degrader: Generator | None = None
    text_model: TextModel | None = None
    fetcher: Fetcher | None = None

    def generator(self, name: str) -> Generator:
        """Return a generator by its name, or raise NotFound: the plugin that brought it may have been taken out."""
        if name not in self.generators:
            raise NotFound(f"There is no generator {name} here; PLUGINS must list the module that brings it.")
        return self.generators[name]

    def at(self, tx: Transaction) -> "Parts":
        """Return these parts with all that is read through them as of one transaction's moment."""
        return replace(self, store=OneMoment(tx))
