"""Generators that make outputs, and what takes images from outside in."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from ml_service.wire.contract import ParameterSpace, Point


@dataclass(frozen=True)
class GenerateRequest:
    """One way to treat one source: its bytes, the rendered prompt components, a point of the space, a seed."""

    source: bytes
    media_type: str
    prompt: Mapping[str, str]
    point: Point
    seed: int


@dataclass(frozen=True)
class Generated:
    """What a generator made, without any metadata of the source; cost in micro-dollars.

    What was begun under a provider's id is cleaned before it is kept, as what people upload is.
    """

    body: bytes
    media_type: str
    width: int
    height: int
    cost_micros: int = 0


@dataclass(frozen=True)
class Ticket:
    """What was begun: the id under which a provider knows it, or the request itself where nothing leaves this process.

    One with an id can be looked at by any process later; one without only by who began it.
    """

    id: str = ""
    request: GenerateRequest | None = None


@dataclass(frozen=True)
class Waiting:
    """It is being made; look again after a while."""

    again: timedelta


@dataclass(frozen=True)
class Refused:
    """It is not made and never will be: why, in words."""

    words: str


@dataclass(frozen=True)
class Unknown:
    """The generator knows nothing of the ticket."""


Outcome = Waiting | Generated | Refused | Unknown


class Tunable(Protocol):
    """What can be said of a generator before anything is made."""

    name: str

    def space(self) -> ParameterSpace:
        """Return the parameters that can be tuned, with ranges, units and defaults."""
        ...

    def limits(self) -> Mapping[str, int]:
        """Return the components of a prompt that it reads, and how many characters it takes of each."""
        ...


class Maker(Tunable, Protocol):
    """Makes an output from a source while one waits; the same request gives the same bytes."""

    def generate(self, request: GenerateRequest) -> Generated:
        """Make one output, or raise a ServiceError that says why not."""
        ...


class Generator(Tunable, Protocol):
    """Makes an output from a source, at once or later: it is begun once, and looked at until it is made or refused.

    `at_once` is how many jobs may be busy with it at the same time, over all workers; None sets no limit.
    """

    at_once: int | None

    def price(self, request: GenerateRequest) -> int:
        """Return the micro-dollars that making this will cost; it does not depend on the bytes of the source."""
        ...

    def begin(self, request: GenerateRequest) -> Ticket:
        """Ask for one output, or raise a ServiceError; what can be refused before it costs anything is."""
        ...

    def look(self, ticket: Ticket) -> Outcome:
        """Say how far it is, at once; a generator that is away is Unavailable."""
        ...


class ImageCleaner(Protocol):
    """Takes hostile bytes in and gives a clean image out."""

    def clean(self, body: bytes) -> "CleanImage":
        """Return the image re-encoded without metadata, or raise InvalidRequest or TooLarge with the reason."""
        ...

    def thumbnail(self, body: bytes, side: int) -> bytes:
        """Return a clean image as JPEG, its longer side at most so many pixels."""
        ...


@dataclass(frozen=True)
class CleanImage:
    """An image that is safe to keep and to show: sRGB, upright, no metadata."""

    body: bytes
    media_type: str
    width: int
    height: int
