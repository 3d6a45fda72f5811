"""`verify`: look whether the database, the audit, the published files and the images are whole and belong together."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable

from web.cli.command import Desk, progress, say
from web.domain.reports.report import Needed
from web.services.operations.verify import Verification, discard_orphans, discard_unfinished
from web.settings.key import signing_key


def arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of `verify`."""
    parser.add_argument(
        "--since",
        action="append",
        metavar="HEAD",
        help="a head of a chain that was kept elsewhere, and that must still be part of it; may be given again",
    )
    parser.add_argument("--quick", action="store_true", help="look only whether images are there, not at their bytes")
    parser.add_argument(
        "--repair",
        action="store_true",
        help="delete images that nothing needs and what killed writers left half written, if older than a day",
    )


def run(arguments: Namespace, desk: Desk) -> int:
    """Look at everything; 1 where something is wrong."""
    here = desk.parts()
    look = Verification(here, signing_key(desk.settings()), quick=arguments.quick, watch=_watch)
    faults = 0
    for found in look.findings(arguments.since or ()):
        faults += found.kind != "orphan"
        say(arguments, f"{found.kind}: {found.says}", kind=found.kind, says=found.says)
    for chain in look.chains:
        state = "broken" if chain.faults else "whole"
        words = f"{chain.project}: chain {state}, {chain.events} events, head {chain.head}"
        say(arguments, words, project=chain.project, chain=state, events=chain.events, head=chain.head)
    deleted = len(discard_orphans(here, look.orphans)) + discard_unfinished(here) if arguments.repair else 0
    return _conclude(arguments, look, faults, deleted)


def _conclude(arguments: Namespace, look: Verification, faults: int, deleted: int) -> int:
    counted = {kind: look.checked[kind] for kind in ("event", "row", "file", "object")}
    words = ", ".join(f"{count} {kind}{'' if count == 1 else 's'}" for kind, count in counted.items())
    orphans = len(look.orphans) + look.unfinished
    said = f"{words} checked; {faults or 'no'} fault{'' if faults == 1 else 's'}, {orphans} orphans"
    said += f", {deleted} of them deleted" if arguments.repair else ""
    say(arguments, f"{said}.", checked=counted, faults=faults, orphans=orphans, deleted=deleted)
    return 1 if faults else 0


def _watch(items: Iterable[Needed], total: int) -> Iterable[Needed]:
    return progress(items, "objects", total)
