"""The form of a study: what an admin typed read into a draft, and a study written back into the form."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import isfinite, nan
from typing import Any

from pydantic import ValidationError
from starlette.datastructures import FormData

from ml_service.errors import InvalidRequest
from ml_service.wire.contract import CategoryParameter, FloatParameter, IntParameter, Parameter, ParameterSpace
from web.domain.prompts.prompt import DEFAULT_KEY
from web.domain.studies.study import OptimizerSettings, StopRules
from web.http.answers.forms import text
from web.services.studies.studies import StudyDraft


@dataclass(frozen=True)
class ParameterRow:
    """One line of the space editor: what a generator offers, what is chosen, and whether it is tuned at all.

    Its name has the generator's before it where a study has several.
    """

    name: str
    offered: Parameter
    chosen: Parameter
    tuned: bool


Spaces = Mapping[str, ParameterSpace]  # by generator


def rows_of(offered: Spaces, chosen: Spaces) -> list[ParameterRow]:
    """Return a line for each parameter that the generators of a study offer."""
    return [
        ParameterRow(_before(chosen, generator) + name, one, space.parameters.get(name, one), name in space.parameters)
        for generator, space in chosen.items()
        for name, one in offered[generator].parameters.items()
    ]


def _before(spaces: Spaces, generator: str) -> str:
    """Return what stands before the names of a generator's parameters."""
    return f"{generator}." if len(spaces) > 1 else ""


def blank(generator: str, offered: ParameterSpace) -> StudyDraft:
    """Return what the form of a new study starts with."""
    return StudyDraft(name="", spaces={generator: offered}, prompt_key=DEFAULT_KEY)


def read(fields: FormData, offered: Spaces, before: StudyDraft) -> StudyDraft:
    """Return the draft that was typed, or raise InvalidRequest with the field that cannot be used and why."""
    return replace(
        before,
        name=text(fields, "name"),
        spaces={name: _space(fields, offered[name], _before(before.spaces, name)) for name in before.spaces},
        options_per_experiment=_whole(fields, "options_per_experiment"),
        raters_wanted=_whole(fields, "raters_wanted"),
        daily_target=_whole(fields, "daily_target"),
        calibration=_whole(fields, "calibration") if "calibration" in fields else before.calibration,
        uploads=text(fields, "uploads") == "yes" if "uploads" in fields else before.uploads,
        stop=_rules(fields, before.stop),
        starts_from=text(fields, "starts_from") or None if "starts_from" in fields else before.starts_from,
        optimizer=_optimizer(fields, before.optimizer),
        seed=_whole(fields, "seed") if "seed" in fields else before.seed,
    )


def _rules(fields: FormData, before: StopRules) -> StopRules:
    """Return the stop rules that were typed: an empty limit is none, and one that was not sent stays."""
    typed: dict[str, Any] = {name: _limit(fields, name) for name in ("goal", "probability", "gain", "budget")}
    typed |= {name: _count(fields, name) for name in ("patience", "at_least", "ratings")}
    dollars = typed["budget"]
    typed["budget_micros"] = None if dollars is None else round(dollars * 1e6)
    sent = {name: value for name, value in typed.items() if name.removesuffix("_micros") in fields and name != "budget"}
    # These two belong to other rules, so an empty field leaves them as they were.
    always_on = {name for name in ("probability", "at_least") if sent.get(name, 0) is None}
    return replace(before, **{name: value for name, value in sent.items() if name not in always_on})


def _optimizer(fields: FormData, before: OptimizerSettings) -> OptimizerSettings:
    exploration = _limit(fields, "exploration")
    initial = _count(fields, "initial")
    return OptimizerSettings(
        exploration=before.exploration if exploration is None else exploration,
        initial=before.initial if initial is None else initial,
    )


def _limit(fields: FormData, name: str) -> float | None:
    """Return a number that was typed, or None where there is none."""
    typed = text(fields, name)
    try:
        value = float(typed) if typed else None
    except ValueError:
        value = nan
    if value is not None and not isfinite(value):
        raise InvalidRequest(f"{name.capitalize()} must be a number, not {typed!r}; leave it empty for none.")
    return value


def _count(fields: FormData, name: str) -> int | None:
    return _whole(fields, name) if text(fields, name) else None


def _space(fields: FormData, offered: ParameterSpace, before: str) -> ParameterSpace:
    chosen = {
        name: _parameter(fields, before + name, parameter)
        for name, parameter in offered.parameters.items()
        if text(fields, f"use.{before}{name}")
    }
    if not chosen:
        raise InvalidRequest("Choose at least one parameter to tune.")
    return ParameterSpace(parameters=chosen)


def _parameter(fields: FormData, name: str, offered: Parameter) -> Parameter:
    typed: Mapping[str, object]
    if isinstance(offered, CategoryParameter):
        choices = tuple(choice for choice in offered.choices if choice in fields.getlist(f"choice.{name}"))
        typed = {"choices": choices, "default": text(fields, f"default.{name}")}
    else:
        typed = {end: text(fields, f"{end}.{name}") for end in ("low", "high", "default")}
        typed = {**typed, "step": text(fields, f"step.{name}") or None}
    kind: type[FloatParameter] | type[IntParameter] | type[CategoryParameter] = type(offered)
    try:
        return kind.model_validate({**offered.model_dump(), **typed})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidRequest(f"{name}{f', {where}' if where else ''}: {_reason(first['msg'])}.") from error


def _reason(message: str) -> str:
    return message.removeprefix("Value error, ").rstrip(".")


def _whole(fields: FormData, name: str) -> int:
    typed = text(fields, name)
    if not typed.isdecimal() or len(typed) > 9:
        raise InvalidRequest(f"{name.replace('_', ' ').capitalize()} must be a whole number, not {typed!r}.")
    return int(typed)
