"""The parameters that a generator offers, and which of their values make a point."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Value = float | int | str
Point = dict[str, Value]

LARGEST = 1e300  # so that the width of a range is a number too
LARGEST_WHOLE = 2**53  # so that each whole number is a float too


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
        if max(-self.low, self.high, self.step or 0) > LARGEST_WHOLE:
            raise ValueError(f"whole numbers may reach from -{LARGEST_WHOLE} to {LARGEST_WHOLE}; use a float")
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
    if max(-low, high) > LARGEST:
        raise ValueError(f"numbers may reach from -{LARGEST:g} to {LARGEST:g}; use another unit")
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
