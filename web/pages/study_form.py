"""The form of a study: what an admin typed read into a draft, and a study written back into the form."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pydantic import ValidationError
from starlette.datastructures import FormData

from ml_service.contract import CategoryParameter, FloatParameter, IntParameter, Parameter, ParameterSpace
from ml_service.errors import InvalidRequest
from web.domain.prompt import DEFAULT_KEY
from web.domain.study import Study
from web.services.studies import StudyDraft


@dataclass(frozen=True)
class ParameterRow:
    """One line of the space editor: what the generator offers, what is chosen, and whether it is tuned at all."""

    name: str
    offered: Parameter
    chosen: Parameter
    tuned: bool


def rows_of(offered: ParameterSpace, chosen: ParameterSpace | None) -> list[ParameterRow]:
    """Return a line for each parameter that a generator offers; all are tuned where nothing was chosen yet."""
    kept = offered.parameters if chosen is None else chosen.parameters
    return [
        ParameterRow(name, parameter, kept.get(name, parameter), name in kept)
        for name, parameter in offered.parameters.items()
    ]


def blank(generator: str, offered: ParameterSpace) -> StudyDraft:
    """Return what the form of a new study starts with."""
    return StudyDraft(name="", spaces={generator: offered}, prompt_key=DEFAULT_KEY)


def draft_of(study: Study) -> StudyDraft:
    """Return a study's settings as the form shows them."""
    return StudyDraft(**{name: getattr(study, name) for name in StudyDraft.__dataclass_fields__})


def read(fields: FormData, offered: ParameterSpace, before: StudyDraft) -> StudyDraft:
    """Return the draft that was typed, or raise InvalidRequest with the field that cannot be used and why."""
    generator = next(iter(before.spaces))
    goal = _text(fields, "goal")
    return replace(
        before,
        name=_text(fields, "name"),
        spaces={generator: _space(fields, offered)},
        options_per_experiment=_whole(fields, "options_per_experiment"),
        raters_wanted=_whole(fields, "raters_wanted"),
        daily_target=_whole(fields, "daily_target"),
        stop=replace(before.stop, goal=_goal(goal)),
    )


def _space(fields: FormData, offered: ParameterSpace) -> ParameterSpace:
    chosen = {
        name: _parameter(fields, name, parameter)
        for name, parameter in offered.parameters.items()
        if _text(fields, f"use.{name}")
    }
    if not chosen:
        raise InvalidRequest("Choose at least one parameter to tune.")
    return ParameterSpace(parameters=chosen)


def _parameter(fields: FormData, name: str, offered: Parameter) -> Parameter:
    typed: Mapping[str, object]
    if isinstance(offered, CategoryParameter):
        choices = tuple(choice for choice in offered.choices if choice in fields.getlist(f"choice.{name}"))
        typed = {"choices": choices, "default": _text(fields, f"default.{name}")}
    else:
        typed = {end: _text(fields, f"{end}.{name}") for end in ("low", "high", "default")}
        typed = {**typed, "step": _text(fields, f"step.{name}") or None}
    kind: type[FloatParameter] | type[IntParameter] | type[CategoryParameter] = type(offered)
    try:
        return kind.model_validate({**offered.model_dump(), **typed})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidRequest(f"{name}{f', {where}' if where else ''}: {_reason(first['msg'])}.") from error


def _reason(message: str) -> str:
    return message.removeprefix("Value error, ").rstrip(".")


def _goal(typed: str) -> float | None:
    try:
        goal = float(typed) if typed else None
    except ValueError:
        goal = 0.0
    if goal is not None and not 1 <= goal <= 5:
        raise InvalidRequest("The goal is a mean rating from 1 to 5 stars; leave it empty for none.")
    return goal


def _whole(fields: FormData, name: str) -> int:
    typed = _text(fields, name)
    if not typed.isdecimal() or len(typed) > 9:
        raise InvalidRequest(f"{name.replace('_', ' ').capitalize()} must be a whole number, not {typed!r}.")
    return int(typed)


def _text(fields: FormData, name: str) -> str:
    value = fields.get(name, "")
    return value.strip() if isinstance(value, str) else ""
