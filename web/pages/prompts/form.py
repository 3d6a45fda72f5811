"""The form in which a version is written by hand: what it shows of a parent, and what was typed into it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from starlette.datastructures import FormData

from ml_service.errors import InvalidRequest
from ml_service.wire.contract import CategoryParameter, IntParameter, Parameter, Point, Value
from web.domain.ids import new_id
from web.domain.prompts.prompt import PromptVersion, VersionFile
from web.domain.text import plain
from web.http.answers.forms import figure, written
from web.pages.drawing.bars import shown
from web.ports.parts import Parts
from web.services.prompts.drafts import Draft

MOST_WORDS = 2000  # of a changelog, as published files hold
Then = Literal["keep", "test"]


@dataclass(frozen=True)
class Setting:
    """One parameter of a generator in the form; `typed` is empty for the generator's default."""

    place: str
    generator: str
    name: str
    parameter: Parameter
    typed: str

    @property
    def choices(self) -> tuple[str, ...]:
        """The words to choose from, or nothing for a number."""
        return self.parameter.choices if isinstance(self.parameter, CategoryParameter) else ()

    @property
    def hint(self) -> str:
        """What may be typed."""
        default = f"empty: {shown(self.parameter.default)}"
        if isinstance(self.parameter, CategoryParameter):
            return default
        return f"{shown(self.parameter.low)} to {shown(self.parameter.high)}, {default}"


@dataclass(frozen=True)
class Typed:
    """What was typed: texts and settings by place, as `generator.slot` and `generator.parameter`.

    `id` and `test_id` let the form be sent twice.
    """

    parent: str
    texts: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    changelog: str = ""
    then: Then = "keep"
    study: str = ""
    id: str = ""
    test_id: str = ""

    def draft(self, parts: Parts, parent: PromptVersion) -> tuple[Draft, dict[str, str]]:
        """Return what is to be kept, and by place which settings cannot be used; these stay as they are."""
        texts = {
            generator: {slot: self.texts.get(f"{generator}.{slot}", text) for slot, text in slots.items()}
            for generator, slots in parent.components.items()
        }
        points, faults = self._points(parts, parent)
        return Draft(self.changelog, texts, parameter_defaults=points, parent_id=parent.id, id=self.id), faults

    def _points(self, parts: Parts, parent: PromptVersion) -> tuple[dict[str, Point], dict[str, str]]:
        points = {generator: dict(point) for generator, point in parent.parameter_defaults.items()}
        faults: dict[str, str] = {}
        for one in settings(parts, parent, self):
            if one.typed == _was(parent, one.generator, one.name):
                continue  # what nobody touched stays exactly as it is
            try:
                _put(points.setdefault(one.generator, {}), one)
            except InvalidRequest as error:
                faults[one.place] = str(error)
        return points, faults


def blank(parent: PromptVersion, then: Then = "keep", study: str = "") -> Typed:
    """Return the form as it is before anything is typed: the parent's own words."""
    return Typed(parent.id, _by_place(parent.components), then=then, study=study, id=new_id(), test_id=new_id())


def read(fields: FormData) -> Typed:
    """Return what a form sent."""
    return Typed(
        parent=written(fields, "parent"),
        texts=_all(fields, "text."),
        settings={name: value.strip() for name, value in _all(fields, "set.").items()},
        changelog=plain(written(fields, "changelog"))[:MOST_WORDS],
        then="test" if written(fields, "then") == "test" else "keep",
        study=written(fields, "study"),
        id=written(fields, "id") or new_id(),
        test_id=written(fields, "test_id") or new_id(),
    )


def filled(typed: Typed, parent: PromptVersion, file: VersionFile) -> Typed:
    """Return the form with what a version's file says, or InvalidRequest where it is of another form."""
    given, own = _by_place(file.components), _by_place(parent.components)
    if given.keys() != own.keys():
        other = ", ".join(sorted(given.keys() ^ own.keys()))
        raise InvalidRequest(f"The file has other texts than {parent.name or 'this version'}: {other[:200]}.")
    if file.variables != parent.variables:
        raise InvalidRequest(f"The file declares other variables than {parent.name or 'this version'}.")
    unset = dict.fromkeys(_by_place(parent.parameter_defaults), "")
    settled = unset | _by_place(file.parameter_defaults)
    return replace(typed, texts=given, settings=settled, changelog=file.changelog)


def settings(parts: Parts, parent: PromptVersion, typed: Typed) -> list[Setting]:
    """Return every parameter of the parent's generators with what was typed for it, or what the parent has."""
    return [
        Setting(
            f"{generator}.{name}",
            generator,
            name,
            parameter,
            typed.settings.get(f"{generator}.{name}", _was(parent, generator, name)),
        )
        for generator in dict.fromkeys([*parent.components, *parent.parameter_defaults])
        if generator in parts.generators
        for name, parameter in parts.generators[generator].space().parameters.items()
    ]


def _put(point: Point, one: Setting) -> None:
    if not one.typed:
        point.pop(one.name, None)
        return
    value: Value = one.typed
    if not one.choices:
        value = figure(one.name, one.typed, whole=isinstance(one.parameter, IntParameter))
    if not one.parameter.accepts(value):
        raise InvalidRequest(f"{one.name} cannot be {one.typed[:20]!r}; {one.hint}.")
    point[one.name] = value


def _was(parent: PromptVersion, generator: str, name: str) -> str:
    """Return what the parent sets a parameter to as it is typed; empty where it leaves it to the generator."""
    return _by_place(parent.parameter_defaults).get(f"{generator}.{name}", "")


def _by_place(given: Mapping[str, Mapping[str, Value]]) -> dict[str, str]:
    """Return texts or values by place as they are typed, without loss."""
    return {
        f"{generator}.{name}": value if isinstance(value, str) else repr(value)
        for generator, values in given.items()
        for name, value in values.items()
    }


def _all(fields: FormData, start: str) -> dict[str, str]:
    """Return the fields whose names start so."""
    return {name.removeprefix(start): written(fields, name) for name in fields if name.startswith(start)}
