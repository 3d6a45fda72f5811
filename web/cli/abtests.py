"""`abtests`: open A/B tests from the terminal, look at them, steer them, approve or decline what won."""

from argparse import ArgumentParser, Namespace

from ml_service.errors import InvalidRequest
from web.cli.command import Desk, say, table
from web.cli.found import study_id_of, takes_study
from web.domain.abtests.abtest import ABTest, Evidence
from web.domain.access import Actor
from web.domain.studies.evolving import Policy
from web.ports.parts import Parts
from web.services.abtests import abtests, comparisons, verdicts
from web.services.abtests.abtests import ABTestDetail, Challenge
from web.services.accounts import accounts

ACTIONS = ("list", "show", "open", "pause", "resume", "stop", "approve", "decline")
POLICIES: tuple[Policy, ...] = ("auto", "approve", "manual")


def arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of `abtests`."""
    parser.add_argument("action", choices=ACTIONS, help="what to do")
    parser.add_argument("which", nargs="*", metavar="ID|VERSION", help="the test's id, or the versions to open one of")
    parser.add_argument("--key", default=None, help="only tests of this prompt; default: all")
    takes_study(parser, "the study whose raters judge, or whose tests are listed")
    parser.add_argument("--against", metavar="VERSION", help="only compare with this version, which is not live")
    parser.add_argument("--hypothesis", default="", help="why it should be better")
    parser.add_argument("--policy", choices=POLICIES, help="who lets a winner go live; default: as the study says")
    parser.add_argument("--pairs", type=int, help="give up after so many pairs; default: 200")
    parser.add_argument("--confirm", default="", metavar="KEY", help="the prompt's key, to approve a winner")
    parser.add_argument("--note", default="", help="why, for the history")


def run(arguments: Namespace, desk: Desk) -> int:
    """Do what is asked with the A/B tests of the project."""
    here = desk.parts()
    actor, action = accounts.operator(here), arguments.action
    if action == "list":
        wanted = None if arguments.study is None else study_id_of(here, arguments.study)
        found = abtests.all_tests(here, actor, arguments.key)
        table(arguments, [_row(one) for one in found if wanted in (None, one.study.id)])
        return 0
    if action == "open":
        return _told(arguments, here, actor, _opened(arguments, here, actor))
    test_id = _one(arguments)
    if action == "show":
        table(arguments, [_standing(one) for one in _detail(here, actor, test_id)])
        return 0
    if action == "approve":
        test = verdicts.approve(here, actor, test_id, arguments.confirm, arguments.note)
    elif action == "decline":
        test = abtests.decline(here, actor, test_id, arguments.note)
    else:
        test = abtests.move_test(here, actor, test_id, action)
    return _told(arguments, here, actor, test)


def _opened(arguments: Namespace, here: Parts, actor: Actor) -> ABTest:
    if not arguments.which or arguments.study is None:
        raise InvalidRequest("Name versions and a study, as in `abtests open v1.1.0 --study Photos`.")
    study_id = study_id_of(here, arguments.study)
    wanted = comparisons.version_ids(here, actor, study_id, arguments.which)
    against = [] if arguments.against is None else [arguments.against]
    champion = next(iter(comparisons.version_ids(here, actor, study_id, against)), None)
    changes = {} if arguments.pairs is None else {"most_pairs": arguments.pairs}
    design = comparisons.design_with(here, actor, study_id, changes)
    challenge = Challenge(wanted, arguments.hypothesis, design, arguments.policy, champion=champion)
    return abtests.open_test(here, actor, study_id, challenge)


def _one(arguments: Namespace) -> str:
    if len(arguments.which) != 1:
        raise InvalidRequest(f"Say which one: `abtests {arguments.action} ID`.")
    return str(arguments.which[0])


def _told(arguments: Namespace, here: Parts, actor: Actor, test: ABTest) -> int:
    row = _row(abtests.one_test(here, actor, test.id))
    words = f"The A/B test {test.id} of {row['challengers']} against {row['champion']} is {row['state']}."
    if arguments.action == "open":
        found = comparisons.pace(here, abtests.one_test(here, actor, test.id).study, raters=test.design.raters)
        half = comparisons.expected(found, test.threshold)[1]
        days = f"about {half.days:.0f} days" if half.days < 1000 else "no telling how many days, as nobody rates now"
        words += f" A gain of half a star takes about {half.pairs:.0f} pairs, {days}."
        words += " Nothing goes live by it." if test.kind == "comparison" else ""
    say(arguments, words, **row)
    return 0


def _detail(here: Parts, actor: Actor, test_id: str) -> list[tuple[ABTestDetail, Evidence]]:
    detail = abtests.one_test(here, actor, test_id)
    return [(detail, one) for one in detail.evidence]


def _row(detail: ABTestDetail) -> dict[str, object]:
    test = detail.test
    return {
        "id": test.id,
        "prompt": test.prompt_key,
        "kind": test.kind,
        "state": "waits for approval" if test.waits_for_approval else test.state,
        "champion": comparisons.called(detail.versions, test.champion),
        "challengers": " ".join(comparisons.called(detail.versions, one) for one in test.challengers),
        "pairs": sum(one.pairs for one in detail.evidence),
        "outcome": test.decision.outcome if test.decision else "",
    }


def _standing(found: tuple[ABTestDetail, Evidence]) -> dict[str, object]:
    detail, one = found
    return {
        "challenger": comparisons.called(detail.versions, one.challenger),
        "pairs": one.pairs,
        "gain": f"{one.gain:+.2f}",
        "low": f"{one.low:+.2f}",
        "high": f"{one.high:+.2f}",
        "evidence": f"{one.better:.3g} of {detail.test.threshold:g}",
        "harm": f"{one.worse:.3g} of {detail.test.design.harm:g}",
        "raters": one.raters,
        "agree": f"{one.across:.3g} of {one.across_needed:.3g}" if one.across_needed else "-",
        "failed": one.failed,
        "tags": " ".join(f"{tag}={value:.3g}" for tag, value in one.tags.items()) or "-",
    }
