"""Which service function does a job, by the name of its task."""

from collections.abc import Callable, Mapping

from web.ports.parts import Parts
from web.services.abtests import pairing, safeguard, verdicts
from web.services.evolution import evolution
from web.services.learning import learn, planning, spreading, stopping
from web.services.making import generation
from web.services.operations import erasure, sweeps
from web.services.rating import night, quality
from web.services.studies import fetching, intake, objects, retention

Task = Callable[[Parts, Mapping[str, str]], object]

TASKS: dict[str, Task] = {
    "plan": lambda parts, arguments: plan(parts, arguments["study"]),
    "plan_upload": lambda parts, arguments: planning.plan_upload(parts, arguments["experiment"]),
    "make": lambda parts, arguments: _make(parts, arguments["option"], arguments.get("ticket", "")),
    "delete": lambda parts, arguments: objects.delete(parts, arguments["objects"].split()),
    "forget": lambda parts, arguments: intake.forget_objects(parts, arguments["input"]),
    "forget_person": lambda parts, arguments: erasure.forget_person(parts, arguments["user"]),
    "fetch": lambda parts, arguments: fetching.fetch(parts, arguments["batch"]),
    "sweep": lambda parts, arguments: sweeps.run(parts, arguments["sweep"]),
    "learn": lambda parts, arguments: _learn(parts, arguments["study"]),
    "check": lambda parts, arguments: quality.check(parts, arguments["study"]),
    "compare": lambda parts, arguments: night.compare(parts, arguments["study"]),
    "evolve": lambda parts, arguments: evolution.trigger(parts, arguments["study"]),
    "reflect": lambda parts, arguments: evolution.run(parts, arguments["round"]),
    "pairs": lambda parts, arguments: verdicts.follow(parts, arguments["test"]),
    "prune": lambda parts, _: retention.prune(parts),
}


def plan(parts: Parts, study_id: str, depth: int | None = None) -> None:
    """Fill a study's queue: stop it if that is due, put right what waits, then pairs of its tests, then new points."""
    stopping.stop_if_due(parts, study_id)
    planning.drop_outdone(parts, study_id)
    spreading.spread(parts, study_id)
    wanted = planning.depth_of(parts, study_id) if depth is None else depth
    pairing.plan_pairs(parts, study_id, wanted)
    planning.explore(parts, study_id, wanted)


def _make(parts: Parts, option_id: str, ticket: str) -> None:
    """Make an option's output, and see whether what is live fails too often."""
    option = generation.make(parts, option_id, ticket)
    safeguard.watch_renders(parts, option.experiment_id)


def _learn(parts: Parts, study_id: str) -> None:
    """Learn from a study's ratings, finish the study where that was enough, and see whether its prompt may evolve."""
    stopping.stop_if_due(parts, study_id, learn.learn(parts, study_id).diagnosis)
    evolution.trigger(parts, study_id)
