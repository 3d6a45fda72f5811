"""`promote`: make a version live from the terminal, or the best settings of a study."""

from argparse import ArgumentParser, Namespace

from ml_service.errors import InvalidRequest
from web.cli.command import Desk
from web.cli.found import study_id_of
from web.cli.prompts.promotion import common, told
from web.services.accounts import accounts
from web.services.prompts import promotion
from web.services.prompts.views import standing
from web.services.studies.views import study


def arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of `promote`."""
    parser.add_argument("version", nargs="?", metavar="VERSION", help="the version's name or id")
    parser.add_argument("--best", metavar="STUDY", help="publish the best settings of this study, by id or name")
    common(parser)


def run(arguments: Namespace, desk: Desk) -> int:
    """Make a version live, or the best settings of a study as a new one."""
    if (arguments.version is None) == (arguments.best is None):
        raise InvalidRequest("Name either a version, as in `promote v1.1.0`, or a study, as in `promote --best STUDY`.")
    here = desk.parts()
    actor, note = accounts.operator(here), arguments.note
    if arguments.best is not None:
        study_id = study_id_of(here, arguments.best)
        before = standing(here, study(here, actor, study_id).prompt_key).live
        return told(arguments, before, promotion.publish_best(here, actor, study_id, note=note))
    found = standing(here, arguments.key, arguments.version)
    version_id, revision = found.wanted.id if found.wanted else "", found.pointer.revision
    done = promotion.promote(here, actor, arguments.key, version_id, revision, note=note)
    return told(arguments, found.live, done)
