"""What publishing a study's best settings would change, and what it is expected to be worth."""

from dataclasses import dataclass

from ml_service.errors import NotFound, Unavailable
from ml_service.wire.contract import Best, DiagnoseRequest, Interval, ParameterSpace, Point
from web.domain.access import Actor
from web.domain.prompts.prompt import Pointer, PromptVersion
from web.domain.studies.study import Input, Learnt, Study
from web.ports.parts import Parts
from web.services.accounts import rights
from web.services.learning.asking import about
from web.services.learning.requests import diagnose_request
from web.services.prompts import pointers
from web.services.studies import previews


@dataclass(frozen=True)
class Prospective:
    """The best settings of a study beside the live ones of their generator; `gain` is None where it is not known.

    `samples` are inputs to see both on.
    """

    study: Study
    generator: str
    live: PromptVersion
    pointer: Pointer
    learnt: Learnt
    before: Point
    after: Point
    gain: Interval | None
    samples: tuple[Input, ...]

    @property
    def is_live(self) -> bool:
        """Tell whether the best settings are what production uses already."""
        return self.before == self.after


def proposal(parts: Parts, actor: Actor, study_id: str) -> Prospective:
    """Set the best settings of a study beside what is live, with every parameter of their generator."""
    with parts.store.snapshot() as tx:
        study = rights.found(tx.studies, actor, "steer", "study", study_id)
        pointer, live = pointers.live(tx, rights.found(tx.prompts, actor, "see_all", "prompt", study.prompt_key).key)
        learnt = tx.of_studies.newest_diagnosis(study.id)
        request = diagnose_request(tx, study)
        best = learnt.diagnosis.best if learnt else None
        samples = previews.samples(tx, parts, actor, study.prompt_key, study.id, best.generator) if best else ()
    if learnt is None or best is None:
        raise NotFound(f"{study.name} has learnt no best settings yet; they come with its first ratings.")
    before = parts.generator(best.generator).space().default() | live.parameter_defaults.get(best.generator, {})
    after, gain = before | best.point, _gain(parts, request, best, before)
    return Prospective(study, best.generator, live, pointer, learnt, before, after, gain, samples)


def _gain(parts: Parts, request: DiagnoseRequest, best: Best, before: Point) -> Interval | None:
    """Return the gain over the live settings: they take the place of the space's default, which gains are over."""
    space = request.spaces.get(best.generator)
    if space is None:
        return None
    tuned = {name: before[name] for name in space.parameters}
    if tuned == space.default():
        return best.gain
    if space.faults(tuned):
        return None
    spaces = {**request.spaces, best.generator: _with_default(space, tuned)}
    try:
        found = parts.optimizer.diagnose(about(request.model_copy(update={"spaces": spaces}), best.generator)).best
    except Unavailable:
        return None
    return found.gain if found else None


def _with_default(space: ParameterSpace, point: Point) -> ParameterSpace:
    moved = {
        name: parameter.model_copy(update={"default": point[name]}) for name, parameter in space.parameters.items()
    }
    return ParameterSpace(parameters=moved)
