"""`reference`: every route, setting, command, parameter, error and metric on one page, from the code itself."""

import re
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from pluggy import HookCaller
from prometheus_client import CollectorRegistry
from pydantic import BaseModel

from ml_service.errors import ServiceError
from ml_service.settings import Settings as MlSettings
from ml_service.wire import contract
from ml_service.wire.contract import Parameter, Wire
from web import hooks
from web.adapters.generators import filters, lexicon, local, tone
from web.cli.command import Command, Desk, Group, every
from web.domain.evolution import remedies
from web.domain.reports import tables
from web.http.edge.roles import calls_of, demand_of, routes_of
from web.settings import Settings

HEAD = """# Reference

Made from the code by `make reference`; a test fails where it is not fresh. What things mean:
[decisions](decisions/) and the README.
"""
FORMULAS: dict[str, object] = {
    "exposure": tone.exposure,
    "contrast": tone.contrast,
    "saturation": filters.saturate,
    "temperature": tone.temperature,
    "gamma": tone.gamma,
    "clahe_clip": filters.local_contrast,
    "dehaze": filters.dehaze,
    "denoise": filters.denoise,
    "sharpness": filters.sharpen,
    "style": tone.Style,
}


@dataclass(frozen=True)
class Entry:
    """One thing: its name, the sentence that says what it is, and what its section tells of each."""

    name: str
    sentence: str
    facts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """Things of one kind; `columns` name the facts."""

    title: str
    columns: tuple[str, ...]
    entries: tuple[Entry, ...]
    intro: str = ""


def arguments(_: ArgumentParser) -> None:
    """Declare the arguments of `reference`: none."""


def run(_: Namespace, desk: Desk) -> int:
    """Print the page."""
    print(desk.documented(), end="")
    return 0


def render(sections: Sequence[Section]) -> str:
    """Return the page in Markdown: one table for each section."""
    return "\n".join([HEAD, *(_table(section) for section in sections)])


def sections(
    app: FastAPI, ml: FastAPI, commands: Sequence[Command | Group], metrics: CollectorRegistry
) -> list[Section]:
    """Gather everything that is documented."""
    return [
        Section(
            "Commands", (), tuple(_commands(commands)), "`python -m web COMMAND`; `--json` prints JSON for machines."
        ),
        Section("Arguments", ("default",), tuple(_arguments(commands))),
        Section("Settings", ("default",), tuple(_settings(Settings)), "Environment variables, or lines of `.env`."),
        Section("Settings of the ML service", ("default",), tuple(_settings(MlSettings))),
        Section("Hooks", ("given",), tuple(_hooks()), said_of(hooks)),
        Section("Routes", ("for",), tuple(_routes(app))),
        Section("Routes of the ML service", ("for",), tuple(_routes(ml))),
        Section("The wire of the ML service", ("fields",), tuple(_wire())),
        Section("Parameters of the local generator", ("range", "unit", "default"), tuple(_parameters())),
        Section("Lexicon of the local generator", ("phrases", "shifts"), tuple(_lexicon()), _lexicon_rules()),
        Section("Remedies of the script", ("adds", "takes out"), tuple(_remedies()), said_of(remedies)),
        Section("Tables for analysis", ("table", "type", "may be missing"), tuple(_columns()), _tables_rules()),
        Section("Errors", ("status",), tuple(_errors()), "`type` of a problem ends in this name."),
        Section("Metrics", ("kind",), tuple(_metrics(metrics))),
    ]


def _table(section: Section) -> str:
    head = ["name", *section.columns, "what"]
    rows = [[f"`{entry.name}`", *entry.facts, entry.sentence] for entry in section.entries]
    lines = ["| " + " | ".join(_cell(text) for text in row) + " |" for row in [head, ["---"] * len(head), *rows]]
    intro = [section.intro, ""] if section.intro else []
    return "\n".join([f"## {section.title}", "", *intro, *lines, ""])


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def first_sentence(item: object) -> str:
    """Return the first sentence of a docstring; empty where there is none."""
    found = re.match(r".*?[.!?](?=\s|$)", said_of(item))
    return found.group() if found else ""


def said_of(item: object) -> str:
    """Return a docstring on one line."""
    return " ".join((item.__doc__ or "").split())


def _said(help_text: str | None) -> str:
    return f"{help_text[0].upper()}{help_text[1:]}." if help_text else ""


def _commands(commands: Sequence[Command | Group]) -> Iterator[Entry]:
    for words, command in every(commands):
        yield Entry(words, _said(command.help))


def _arguments(commands: Sequence[Command | Group]) -> Iterator[Entry]:
    for words, command in every(commands):
        parser = ArgumentParser(add_help=False)
        command.body().arguments(parser)
        for action in parser._actions:
            name = action.option_strings[-1] if action.option_strings else str(action.metavar or action.dest)
            if action.choices is not None:
                name = f"{name} {{{','.join(map(str, action.choices))}}}"
            default = "" if action.default in (None, False) else f"`{action.default}`"
            yield Entry(f"{words} {name}", _said(action.help), (default,))


def _settings(kind: type[BaseModel]) -> Iterator[Entry]:
    for name, field in kind.model_fields.items():
        told = isinstance(field.default, bool | int | Path)
        default = f"`{str(field.default).lower() if isinstance(field.default, bool) else field.default}`"
        yield Entry(name.upper(), field.description or "", (default if told else "",))


def _hooks() -> Iterator[Entry]:
    for name, hook in hooks.load(()).hook.__dict__.items():
        if isinstance(hook, HookCaller) and hook.spec is not None:
            given = ", ".join(f"`{argument}`" for argument in hook.spec.argnames)
            yield Entry(name, first_sentence(hook.spec.function), (given,))


def _routes(app: FastAPI) -> Iterator[Entry]:
    found = []
    for context in routes_of(app):
        methods = " ".join(sorted(context.methods or ()))
        found.append(Entry(f"{methods} {context.path}", first_sentence(context.endpoint), (_role(context.dependant),)))
    return iter(sorted(found, key=lambda entry: entry.name.split()[::-1]))


def _role(dependant: Dependant) -> str:
    demand = demand_of(dependant)
    if demand is not None:
        return str(demand)
    names = [getattr(call, "__qualname__", "") for call in calls_of(dependant)]
    return "token" if any(name.startswith("_bearer") for name in names) else "anyone"


def _wire() -> Iterator[Entry]:
    for kind in vars(contract).values():
        if isinstance(kind, type) and issubclass(kind, Wire) and kind is not Wire:
            fields = kind.model_json_schema()["properties"].items()
            yield Entry(
                kind.__name__, first_sentence(kind), ("; ".join(f"{name}: {shape(of)}" for name, of in fields),)
            )


def shape(schema: dict[str, Any]) -> str:
    """Say in words what a JSON schema allows."""
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return " or ".join(dict.fromkeys(shape(each) for each in schema[choice]))
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    if "const" in schema or "enum" in schema:
        return ", ".join(str(value) for value in schema.get("enum", [schema.get("const")]))
    if "prefixItems" in schema:
        return " and ".join(shape(each) for each in schema["prefixItems"])
    if schema["type"] == "array":
        return f"list of {shape(schema['items'])}"
    if schema["type"] == "object":
        return f"map of {shape(schema['additionalProperties'])}"
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    return " ".join([schema["type"], *(f"{sign} {schema[name]}" for name, sign in signs.items() if name in schema)])


def _parameters() -> Iterator[Entry]:
    for name, parameter in local.SPACE.parameters.items():
        facts = (_range(parameter), parameter.unit, f"`{parameter.default}`")
        yield Entry(name, said_of(FORMULAS[name]), facts)


def _range(parameter: Parameter) -> str:
    if parameter.kind == "category":
        return ", ".join(map(_style, parameter.choices))
    return f"{parameter.low:g} … {parameter.high:g}" + (", by ratio" if parameter.scale == "log" else "")


def _style(name: str) -> str:
    plain, amounts = asdict(tone.Style()), asdict(tone.STYLES[name])
    changed = ", ".join(f"{what} {amount:g}" for what, amount in amounts.items() if amount != plain[what])
    return f"{name} ({changed})" if changed else name


def _lexicon() -> Iterator[Entry]:
    for entry in lexicon.LEXICON:
        shifts = ", ".join(f"{name} {amount:+g}" for name, amount in entry.shifts.items())
        yield Entry(entry.phrases[0], entry.says, (", ".join(entry.phrases), shifts))


def _remedies() -> Iterator[Entry]:
    for name, remedy in remedies.REMEDIES.items():
        yield Entry(name, f"Against the complaint “{remedy.says}”.", (" ".join(remedy.adds), ", ".join(remedy.causes)))


def _lexicon_rules() -> str:
    modifiers = ", ".join(f"{word} × {factor:g}" for word, factor in lexicon.MODIFIERS.items())
    return f"{said_of(lexicon)}\n\nModifiers: {modifiers}."


def _columns() -> Iterator[Entry]:
    for table, columns in tables.TABLES.items():
        for each in columns:
            yield Entry(each.name, each.says, (table, tables.TYPES[each.kind], "yes" if each.nullable else ""))


def _tables_rules() -> str:
    return f"{said_of(tables)} This is version {tables.SCHEMA_VERSION}."


def _errors() -> Iterator[Entry]:
    return iter(sorted(_error_tree(ServiceError), key=lambda entry: (entry.facts, entry.name)))


def _error_tree(kind: type[ServiceError]) -> Iterator[Entry]:
    for child in kind.__subclasses__():
        if child.__module__.split(".")[0] in ("ml_service", "web"):
            yield Entry(child.slug(), first_sentence(child), (str(int(child.status)),))
        yield from _error_tree(child)


def _metrics(registry: CollectorRegistry) -> Iterator[Entry]:
    for family in registry.collect():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        yield Entry(name, family.documentation, (family.type,))
