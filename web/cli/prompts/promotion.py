"""What `promote` and `rollback` share: how they are told of a version, and how they tell what that changes."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator

from ml_service.errors import InvalidRequest
from web.cli.command import say
from web.cli.found import study_id_of, takes_study
from web.domain.prompts.diff import compare
from web.domain.prompts.prompt import DEFAULT_KEY, PromptVersion
from web.ports.parts import Parts
from web.services.accounts import accounts
from web.services.prompts import promotion
from web.services.studies.views import study


def common(parser: ArgumentParser) -> None:
    """Declare the arguments of both."""
    parser.add_argument("--key", help=f"the prompt; default: the one of --study, else {DEFAULT_KEY}")
    takes_study(parser, "the study whose prompt is meant")
    parser.add_argument("--note", default="", help="why, for the history")


def key_of(arguments: Namespace, here: Parts) -> str:
    """Return the key of the prompt that is meant."""
    if arguments.study is None:
        return arguments.key or DEFAULT_KEY
    if arguments.key is not None:
        raise InvalidRequest("Name the prompt either by --key or by its --study.")
    actor = accounts.operator(here)
    return study(here, actor, study_id_of(here, arguments.study)).prompt_key


def told(arguments: Namespace, before: PromptVersion, done: promotion.Promotion) -> int:
    """Print what is live now and what that changes."""
    after, pointer = done.version, done.pointer
    changes = list(_changes(before, after))
    head = f"{pointer.prompt_key} is at {after.name} now (was {before.name}, revision {pointer.revision})."
    facts = {"prompt": pointer.prompt_key, "from": before.name, "to": after.name, "revision": pointer.revision}
    say(arguments, "\n".join([head, *changes]), **facts, changes=changes)
    return 0


def _changes(before: PromptVersion, after: PromptVersion) -> Iterator[str]:
    seen = compare(before, after)
    for parameter in (one for one in seen.parameters if one.is_changed):
        yield f"{parameter.generator} {parameter.name}: {_word(parameter.old)} → {_word(parameter.new)}"
    for text in (one for one in seen.texts if one.is_changed):
        yield f"{text.generator} {text.slot}: {_word(text.old)} → {_word(text.new)}"
    for variable in (one for one in seen.variables if one.is_changed):
        old, new = (None if one is None else one.default for one in (variable.old, variable.new))
        yield f"{{{{{variable.name}}}}}: {_word(old)} → {_word(new)}"


def _word(value: object) -> str:
    return "the default" if value is None else f"{value:.4g}" if isinstance(value, float) else repr(value)
