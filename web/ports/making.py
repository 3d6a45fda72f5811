"""Generators that make outputs, and what takes images from outside in."""

from collections.abc import Mapping
from dataclasses import dataclass
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
    """What a generator made, without any metadata of the source; cost in micro-dollars."""

    body: bytes
    media_type: str
    width: int
    height: int
    cost_micros: int = 0


class Generator(Protocol):
    """Makes an output from a source; the same request gives the same bytes wherever the provider allows it."""

    name: str

    def space(self) -> ParameterSpace:
        """Return the parameters that can be tuned, with ranges, units and defaults."""
        ...

    def limits(self) -> Mapping[str, int]:
        """Return the components of a prompt that it reads, and how many characters it takes of each."""
        ...

    def generate(self, request: GenerateRequest) -> Generated:
        """Make one output, or raise a ServiceError that says why not."""
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
