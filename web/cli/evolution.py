"""`evolve`: ask from the terminal for a better version of a study's prompt, or say what that may cost."""

from argparse import ArgumentParser, Namespace

from ml_service.errors import InvalidRequest
from web.cli.command import Desk, say
from web.cli.found import given_study, study_id_of, takes_study
from web.domain.models.completion import dollars
from web.services.accounts import accounts
from web.services.evolution import evolution


def arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of `evolve`."""
    parser.add_argument("named", metavar="STUDY", nargs="?", help="the study, by id or name, unless --study says it")
    takes_study(parser, "the study")
    parser.add_argument("--cost", action="store_true", help="only say what a round may cost")


def run(arguments: Namespace, desk: Desk) -> int:
    """Ask for a round of evolution, which a server or a worker does."""
    study = given_study(arguments, arguments.named)
    if study is None:
        raise InvalidRequest("Name the study whose prompt is to get better: `evolve --study STUDY`.")
    here = desk.parts()
    study_id = study_id_of(here, study)
    cost = evolution.estimate(here, study_id)
    if arguments.cost:
        say(arguments, f"A round costs {dollars(cost)} at most.", cost_micros=cost)
        return 0
    made = evolution.evolve(here, accounts.operator(here), study_id)
    words = f"Round {made.id} of {made.prompt_key} is asked for; it costs {dollars(cost)} at most."
    say(arguments, words, round=made.id, prompt=made.prompt_key, state=made.state, cost_micros=cost)
    return 0
