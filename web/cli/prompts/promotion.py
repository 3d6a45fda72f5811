"""What `promote` and `rollback` share: how they are told of a version, and how they tell what that changes."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator

from web.cli.command import say
from web.domain.prompts.diff import compare
from web.domain.prompts.prompt import DEFAULT_KEY, PromptVersion
from web.services.prompts import promotion


def common(parser: ArgumentParser) -> None:
    """Declare the arguments of both."""
    parser.add_argument("--key", default=DEFAULT_KEY, help=f"the prompt; default: {DEFAULT_KEY}")
    parser.add_argument("--note", default="", help="why, for the history")


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
