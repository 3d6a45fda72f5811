"""The words both halves of Palate share; their JSON is the wire of the ML service.

A request carries the whole history, so the service keeps nothing: the same request gets the same answer.
"""

import hashlib
import json
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from ml_service.wire.parameters import (
    CategoryParameter,
    FloatParameter,
    IntParameter,
    Parameter,
    ParameterSpace,
    Point,
    Value,
    Wire,
)
from ml_service.wire.table import Observation, Observations, Rating, Table

__all__ = [
    "HIGHEST",
    "LOWEST",
    "ROUNDING",
    "WIRE_VERSION",
    "Best",
    "CategoryParameter",
    "Convergence",
    "CurvePoint",
    "DiagnoseRequest",
    "Diagnosis",
    "FloatParameter",
    "GroupEffect",
    "IntParameter",
    "Interval",
    "Observation",
    "PairReport",
    "Parameter",
    "ParameterReport",
    "ParameterSpace",
    "Pending",
    "Point",
    "Proposal",
    "Question",
    "RaterEffect",
    "Rating",
    "SuggestRequest",
    "Suggestion",
    "Table",
    "Value",
    "VarianceParts",
    "Why",
    "Wire",
    "digest",
]

WIRE_VERSION: Literal[1] = 1
LOWEST, HIGHEST = 1.0, 5.0  # stars: the ends of the scale
ROUNDING = 1 / 12  # stars²: variance of what a whole star leaves open, an even error of half a star (Sheppard 1898)


def _same_wire(version: object) -> object:
    if version != WIRE_VERSION:
        raise ValueError(f"this side speaks wire {WIRE_VERSION}; run the same version of Palate on both sides")
    return version


ThisWire = Annotated[Literal[1], BeforeValidator(_same_wire)]


class Pending(Wire):
    """A point that is out with no rating yet, and the item it is shown on."""

    point: Point
    generator: str
    item: str


class Question(Wire):
    """What both questions tell: the spaces by generator, which of them is asked about, and what was rated.

    `earlier` are ratings of another study that this one starts from. `generator` may be left out of one space.
    """

    wire: ThisWire = WIRE_VERSION
    spaces: dict[str, ParameterSpace] = Field(min_length=1, max_length=16)
    generator: str | None = None
    seen: Observations = Field(default=(), json_schema_extra={"default": {}})
    earlier: Observations = Field(default=(), json_schema_extra={"default": {}})
    seed: int = Field(default=0, ge=0, lt=2**31)

    @model_validator(mode="after")
    def _asks_about_one_generator(self) -> Self:
        known = ", ".join(self.spaces)
        if self.generator is None and len(self.spaces) > 1:
            raise ValueError(f"say in `generator` which of {known} is asked about")
        if self.generator is not None and self.generator not in self.spaces:
            raise ValueError(f"`generator` is {self.generator!r}, which has no space here; name one of {known}")
        return self

    @property
    def asked(self) -> str:
        """Return the generator that is asked about."""
        return self.generator if self.generator is not None else next(iter(self.spaces))


class SuggestRequest(Question):
    """All that is needed to say what to try next.

    `exploration` multiplies the width of the bound that chooses: less stays near what is liked, more looks further
    from what is known. `initial` is how many options are spread evenly before what was learnt chooses.
    """

    pending: tuple[Pending, ...] = ()
    item: str | None = None
    count: int = Field(default=1, ge=1, le=16)
    reference: Point | None = None
    exploration: float = Field(default=1.0, ge=0, le=4)
    initial: int = Field(default=10, ge=1, le=64)


class Interval(Wire):
    """A value with the bounds that hold it with 95 % probability, in stars."""

    mean: float
    low: float
    high: float

    @classmethod
    def around(cls, mean: float, half: float) -> Self:
        """Return the interval that reaches as far on both sides of its mean."""
        return cls(mean=mean, low=mean - half, high=mean + half)

    @classmethod
    def of_rating(cls, mean: float, half: float) -> Self:
        """Return the interval of a rating, on the scale.

        The mean is put on the scale before bounds are set off from it. What is true lies there, so that brings the mean
        no farther from it: bounds hold it as often as before, and reach as far below five stars as they do below three.
        """
        middle = min(max(mean, LOWEST), HIGHEST)
        return cls(mean=middle, low=max(middle - half, LOWEST), high=min(middle + half, HIGHEST))


class Why(Wire):
    """What spoke for a point when it was chosen, beside the best point known then.

    `best` is that point's expected rating, `chance` the probability that this one is better, `rated` how many ratings
    it has already, and `differs` names the parameters in which the two differ.
    """

    best: float
    chance: float = Field(ge=0, le=1)
    rated: int = Field(ge=0)
    differs: tuple[str, ...]


class Proposal(Wire):
    """One point worth a rating, what is expected of it, and why it is asked."""

    generator: str
    point: Point
    why: Literal["initial", "explore", "refine", "reference"]
    expected: Interval | None = None
    evidence: Why | None = None


class Suggestion(Wire):
    """The answer to a SuggestRequest: `count` points to be shown side by side."""

    wire: ThisWire = WIRE_VERSION
    proposals: tuple[Proposal, ...]
    ratings_used: int
    history: str


class DiagnoseRequest(Question):
    """All that is needed to say what was learnt."""


class Best(Wire):
    """The point recommended for production, with its expected rating and its gain over the default, in stars.

    `sd` is the standard deviation of the expected rating, which its interval cuts to the scale.
    """

    generator: str
    point: Point
    rating: Interval
    gain: Interval
    sd: float = Field(default=0.0, ge=0)


class CurvePoint(Wire):
    """The expected rating where one parameter has this value and the others are at the best point."""

    value: Value
    rating: Interval


class ParameterReport(Wire):
    """What was learnt about one parameter: its response, its share of the variance, where good values lie.

    `importance` is the share of the setting's variance that it explains alone, `total` with all of its interactions;
    `settled` is 0 where nothing is known of where the best value lies, and 1 where it is pinned down.
    """

    curve: tuple[CurvePoint, ...]
    importance: float = Field(ge=0, le=1)
    total: float = Field(default=0.0, ge=0, le=1)
    settled: float = Field(ge=0, le=1)


class PairReport(Wire):
    """The share of the setting's variance that two parameters explain together, beyond what each explains alone."""

    parameters: tuple[str, str]
    importance: float = Field(ge=0, le=1)


class Convergence(Wire):
    """How much is still to be had: expected gain in stars, and the probability to be within 0.1 star of the best."""

    gain_left: float
    probability_near_best: float = Field(ge=0, le=1)


class RaterEffect(Wire):
    """How much higher or lower than the others one rater scores, in stars.

    `scale` is how widely they use the stars, 1 like the others; `noise` the standard deviation of what is theirs alone.
    """

    rater: str
    ratings: int
    effect: Interval
    scale: float = Field(default=1.0, ge=0)
    noise: float = Field(default=0.0, ge=0)


class GroupEffect(Wire):
    """How much higher or lower one version or generator is rated than the newest, or the one asked about, in stars."""

    name: str
    ratings: int
    effect: Interval


class VarianceParts(Wire):
    """Where the variance of a rating comes from, in stars².

    A part is null where nothing was told apart by which it could show: one point, one rater, one item, or one rating of
    each output, whose luck is told with the noise.
    """

    setting: float | None
    rater: float | None
    item: float | None
    luck: float | None
    noise: float


class Diagnosis(Wire):
    """The answer to a DiagnoseRequest; parts that too few ratings cannot tell are absent."""

    wire: ThisWire = WIRE_VERSION
    best: Best | None
    convergence: Convergence | None
    parameters: dict[str, ParameterReport]
    pairs: tuple[PairReport, ...] = Field(default=(), max_length=10)
    raters: tuple[RaterEffect, ...]
    versions: tuple[GroupEffect, ...] = ()
    generators: tuple[GroupEffect, ...] = ()
    variance: VarianceParts | None
    ratings_used: int
    history: str


def digest(value: Wire | tuple[Observation, ...]) -> str:
    """Return the SHA-256 of canonical JSON (sorted keys; ratings as a table): what answers are cached by."""
    part = Table.of(value) if isinstance(value, tuple) else value
    text = json.dumps(part.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
