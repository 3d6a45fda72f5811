"""The words both halves of Palate share; their JSON is the wire of the ML service.

A request carries the whole history, so the service keeps nothing: the same request gets the same answer.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

WIRE_VERSION: Literal[1] = 1

Value = float | int | str
Point = dict[str, Value]
Rating = Annotated[float, Field(ge=1, le=5)]


class Wire(BaseModel):
    """A value on the wire: immutable, with no field that is not declared, and no NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class FloatParameter(Wire):
    """A real number of a generator."""

    kind: Literal["float"] = "float"
    low: float
    high: float
    default: float
    step: float | None = Field(default=None, gt=0)
    scale: Literal["linear", "log"] = "linear"
    unit: str = ""

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        _check_range(self.low, self.high, self.default, self.scale)
        return self

    def accepts(self, value: Value) -> bool:
        """Tell whether a value lies in the range."""
        return isinstance(value, int | float) and not isinstance(value, bool) and self.low <= value <= self.high


class IntParameter(Wire):
    """A whole number of a generator."""

    kind: Literal["int"] = "int"
    low: int
    high: int
    default: int
    step: int | None = Field(default=None, gt=0)
    scale: Literal["linear", "log"] = "linear"
    unit: str = ""

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        _check_range(self.low, self.high, self.default, self.scale)
        return self

    def accepts(self, value: Value) -> bool:
        """Tell whether a value is whole and lies in the range."""
        return isinstance(value, int) and not isinstance(value, bool) and self.low <= value <= self.high


class CategoryParameter(Wire):
    """A choice among named ways."""

    kind: Literal["category"] = "category"
    choices: tuple[str, ...] = Field(min_length=1, max_length=50)
    default: str
    unit: str = ""

    @model_validator(mode="after")
    def _has_its_default(self) -> Self:
        if len(set(self.choices)) != len(self.choices):
            raise ValueError("name each choice once")
        if self.default not in self.choices:
            raise ValueError(f"the default {self.default!r} is not one of the choices {', '.join(self.choices)}")
        return self

    def accepts(self, value: Value) -> bool:
        """Tell whether a value is one of the choices."""
        return value in self.choices


Parameter = Annotated[FloatParameter | IntParameter | CategoryParameter, Field(discriminator="kind")]


def _check_range(low: float, high: float, default: float, scale: str) -> None:
    if not low <= default <= high:
        raise ValueError(f"the default {default} is not between low {low} and high {high}")
    if scale == "log" and low <= 0:
        raise ValueError(f"a log scale needs low > 0, not {low}")


class ParameterSpace(Wire):
    """The parameters of one generator by name; the default point is what it does when nobody tunes it."""

    parameters: dict[str, Parameter] = Field(min_length=1, max_length=40)

    def default(self) -> Point:
        """Return the point of all defaults."""
        return {name: parameter.default for name, parameter in self.parameters.items()}

    def faults(self, point: Mapping[str, Value]) -> list[str]:
        """Say what keeps a point out of this space, a sentence each; empty when it lies inside."""
        unknown = [f"{name} is not a parameter of this space" for name in point if name not in self.parameters]
        missing = [f"{name} is missing" for name in self.parameters if name not in point]
        outside = [
            f"{name} = {point[name]!r} is outside its range"
            for name, parameter in self.parameters.items()
            if name in point and not parameter.accepts(point[name])
        ]
        return unknown + missing + outside

    def adopt(self, point: Mapping[str, Value]) -> Point | None:
        """Read a point of an earlier form of this space, or None where it lies outside today's.

        A parameter that was added since has been at its default; one that was removed must have been at no
        value that this space can tell, so it is left out.
        """
        kept = self.default() | {name: value for name, value in point.items() if name in self.parameters}
        return None if self.faults(kept) else kept


class Observation(Wire):
    """One raw rating: which point was judged, how, by whom, on which input and output."""

    point: Point
    rating: Rating
    rater: str
    item: str
    output: str
    generator: str
    version: str
    at: AwareDatetime


class Pending(Wire):
    """A point that is out with no rating yet, and the item it is shown on."""

    point: Point
    generator: str
    item: str


class SuggestRequest(Wire):
    """All that is needed to say what to try next."""

    wire: Literal[1] = WIRE_VERSION
    spaces: dict[str, ParameterSpace] = Field(min_length=1, max_length=1)
    seen: tuple[Observation, ...] = ()
    pending: tuple[Pending, ...] = ()
    item: str | None = None
    count: int = Field(default=1, ge=1, le=16)
    seed: int = Field(default=0, ge=0, lt=2**31)
    reference: Point | None = None


class Interval(Wire):
    """A value with the bounds that hold it with 95 % probability, in stars."""

    mean: float
    low: float
    high: float


class Proposal(Wire):
    """One point worth a rating, what is expected of it, and why it is asked."""

    generator: str
    point: Point
    why: Literal["initial", "explore", "refine", "reference"]
    expected: Interval | None = None


class Suggestion(Wire):
    """The answer to a SuggestRequest: `count` points to be shown side by side."""

    wire: Literal[1] = WIRE_VERSION
    proposals: tuple[Proposal, ...]
    ratings_used: int
    history: str


class DiagnoseRequest(Wire):
    """All that is needed to say what was learnt."""

    wire: Literal[1] = WIRE_VERSION
    spaces: dict[str, ParameterSpace] = Field(min_length=1, max_length=1)
    seen: tuple[Observation, ...] = ()
    seed: int = Field(default=0, ge=0, lt=2**31)


class Best(Wire):
    """The point recommended for production, with its expected rating and its gain over the default, in stars."""

    generator: str
    point: Point
    rating: Interval
    gain: Interval


class CurvePoint(Wire):
    """The expected rating where one parameter has this value and the others are at the best point."""

    value: Value
    rating: Interval


class ParameterReport(Wire):
    """What was learnt about one parameter: its response, its share of the variance, where good values lie."""

    curve: tuple[CurvePoint, ...]
    importance: float = Field(ge=0, le=1)
    settled: float = Field(
        ge=0, le=1, description="0: nothing known of where the best value lies; 1: it is pinned down."
    )


class Convergence(Wire):
    """How much is still to be had: expected gain in stars, and the probability to be within 0.1 star of the best."""

    gain_left: float
    probability_near_best: float = Field(ge=0, le=1)


class RaterEffect(Wire):
    """How much higher or lower than the others one rater scores, in stars."""

    rater: str
    ratings: int
    effect: Interval


class VarianceParts(Wire):
    """Where the variance of a rating comes from, in stars²."""

    setting: float
    rater: float
    item: float
    luck: float
    noise: float


class Diagnosis(Wire):
    """The answer to a DiagnoseRequest; parts that too few ratings cannot tell are absent."""

    wire: Literal[1] = WIRE_VERSION
    best: Best | None
    convergence: Convergence | None
    parameters: dict[str, ParameterReport]
    raters: tuple[RaterEffect, ...]
    variance: VarianceParts | None
    ratings_used: int
    history: str


def digest(value: Wire | tuple[Wire, ...]) -> str:
    """Return the SHA-256 of canonical JSON (sorted keys): what answers are cached by."""
    parts = value if isinstance(value, tuple) else (value,)
    text = json.dumps([part.model_dump(mode="json") for part in parts], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
