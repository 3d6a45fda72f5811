"""`promote`: make a version live from the terminal, or the best settings of a study."""

from argparse import ArgumentParser, Namespace

from ml_service.errors import InvalidRequest
from web.cli.command import Desk
from web.cli.found import given_study, study_id_of
from web.cli.prompts.promotion import common, key_of, told
from web.ports.parts import Parts
from web.services.accounts import accounts
from web.services.prompts import promotion
from web.services.prompts.views import standing
from web.services.studies.views import study

OF_STUDY = ""  # what --best holds where only --study names the study


def arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of `promote`."""
    parser.add_argument("version", nargs="?", metavar="VERSION", help="the version's name or id")
    parser.add_argument(
        "--best",
        metavar="STUDY",
        nargs="?",
        const=OF_STUDY,
        help="publish the best settings of a study, by id or name, unless --study says it",
    )
    common(parser)


def run(arguments: Namespace, desk: Desk) -> int:
    """Make a version live, or the best settings of a study as a new one."""
    if (arguments.version is None) == (arguments.best is None):
        raise InvalidRequest("Name either a version, as in `promote v1.1.0`, or a study, as in `promote --best STUDY`.")
    here = desk.parts()
    if arguments.best is not None:
        return _publish_best(arguments, here)
    key = key_of(arguments, here)
    found = standing(here, key, arguments.version)
    version_id, revision = found.wanted.id if found.wanted else "", found.pointer.revision
    done = promotion.promote(here, accounts.operator(here), key, version_id, revision, note=arguments.note)
    return told(arguments, found.live, done)


def _publish_best(arguments: Namespace, here: Parts) -> int:
    wanted = given_study(arguments, arguments.best or None)
    if wanted is None or arguments.key is not None:
        raise InvalidRequest("Name the study alone, whose best settings are published: `promote --best STUDY`.")
    actor, study_id = accounts.operator(here), study_id_of(here, wanted)
    before = standing(here, study(here, actor, study_id).prompt_key).live
    return told(arguments, before, promotion.publish_best(here, actor, study_id, note=arguments.note))
