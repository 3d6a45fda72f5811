"""`promote` and `rollback`: say from the terminal which version of a prompt is live."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator

from ml_service.errors import InvalidRequest, NotFound
from web.cli.command import Command, say
from web.cli.operations.data import study_id_of
from web.domain.prompts.diff import compare
from web.domain.prompts.prompt import DEFAULT_KEY, Pointer, PromptVersion
from web.ports.parts import Parts
from web.rows.transaction import Transaction
from web.services.accounts import accounts
from web.services.prompts import pointers, promotion


def promote_command(parts: Callable[[], Parts]) -> Command:
    """Return `promote`, which makes a version live, or the best settings of a study as a new one."""

    def run(arguments: Namespace) -> int:
        if (arguments.version is None) == (arguments.best is None):
            raise InvalidRequest(
                "Name either a version, as in `promote v1.1.0`, or a study, as in `promote --best STUDY`."
            )
        here = parts()
        actor, note = accounts.operator(here), arguments.note
        if arguments.best is not None:
            study_id = study_id_of(here, arguments.best)
            with here.store.read() as tx:
                live = _live(tx, tx.studies.get(study_id).prompt_key)[1]
            return _told(arguments, live, promotion.publish_best(here, actor, study_id, note=note))
        with here.store.read() as tx:
            pointer, live = _live(tx, arguments.key)
            version = _named(tx, arguments.key, arguments.version)
        done = promotion.promote(here, actor, arguments.key, version.id, pointer.revision, note=note)
        return _told(arguments, live, done)

    def arguments(parser: ArgumentParser) -> None:
        parser.add_argument("version", nargs="?", metavar="VERSION", help="the version's name or id")
        parser.add_argument("--best", metavar="STUDY", help="publish the best settings of this study, by id or name")
        _common(parser)

    return Command("promote", "make a version of a prompt live, or the best settings of a study", run, arguments)


def rollback_command(parts: Callable[[], Parts]) -> Command:
    """Return `rollback`, which makes the version live again that was live before."""

    def run(arguments: Namespace) -> int:
        here = parts()
        actor = accounts.operator(here)
        with here.store.read() as tx:
            pointer, live = _live(tx, arguments.key)
            wanted = None if arguments.to is None else _named(tx, arguments.key, arguments.to).id
        done = promotion.roll_back(here, actor, arguments.key, pointer.revision, version_id=wanted, note=arguments.note)
        return _told(arguments, live, done)

    def arguments(parser: ArgumentParser) -> None:
        parser.add_argument("--to", metavar="VERSION", help="the version's name; default: the one live before this")
        _common(parser)

    return Command("rollback", "make the version of a prompt live again that was live before", run, arguments)


def _common(parser: ArgumentParser) -> None:
    parser.add_argument("--key", default=DEFAULT_KEY, help=f"the prompt; default: {DEFAULT_KEY}")
    parser.add_argument("--note", default="", help="why, for the history")


def _told(arguments: Namespace, before: PromptVersion, done: promotion.Promotion) -> int:
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


def _live(tx: Transaction, key: str) -> tuple[Pointer, PromptVersion]:
    pointer = pointers.find(tx, key)
    if pointer is None:
        keys = ", ".join(prompt.key for prompt in tx.prompts.all()) or "none; start Palate once"
        raise NotFound(f"There is no prompt {key} that is live. There are: {keys}.")
    return pointer, tx.versions.get(pointer.version_id)


def _named(tx: Transaction, key: str, wanted: str) -> PromptVersion:
    version = tx.versions.find(prompt_key=key, name=wanted) or tx.versions.find(prompt_key=key, id=wanted)
    if version is None:
        names = ", ".join(line.name for line in tx.of_prompts.lines(key) if line.name and line.status == "released")
        raise NotFound(f"There is no version {wanted} of {key}. There are: {names}.")
    return version
