"""What services need from outside, as protocols; adapters satisfy them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from ml_service.contract import ParameterSpace, Point


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

    def generate(self, request: GenerateRequest) -> Generated:
        """Make one output, or raise a ServiceError that says why not."""
        ...
