"""What publishing a study's best settings would change, and what it is expected to be worth."""

from dataclasses import dataclass

from ml_service.errors import NotFound, Unavailable
from ml_service.wire.contract import DiagnoseRequest, Interval, ParameterSpace, Point
from web.domain.access import Actor
from web.domain.prompts.prompt import Pointer, PromptVersion
from web.domain.studies.study import Input, Learnt, Study
from web.ports.parts import Parts
from web.services.accounts import rights
from web.services.learning.requests import diagnose_request
from web.services.prompts import pointers
from web.services.studies import previews


@dataclass(frozen=True)
class Prospective:
    """The best settings of a study beside the live ones; `gain` is None where it cannot be told.

    `samples` are inputs to see both on.
    """

    study: Study
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
    """Set the best settings of a study beside what is live, with every parameter of the generator."""
    with parts.store.snapshot() as tx:
        study = rights.found(tx.studies, actor, "steer", "study", study_id)
        pointer, live = pointers.live(tx, rights.found(tx.prompts, actor, "see_all", "prompt", study.prompt_key).key)
        learnt = tx.of_studies.newest_diagnosis(study.id)
        request = diagnose_request(tx, study)
        samples = previews.samples(tx, parts, actor, study.prompt_key, study.id)
    if learnt is None or learnt.diagnosis.best is None:
        raise NotFound(f"{study.name} has learnt no best settings yet; they come with its first ratings.")
    default = parts.generators[study.generator].space().default()
    before = default | live.parameter_defaults.get(study.generator, {})
    after = before | learnt.diagnosis.best.point
    gain = _gain(parts, request, learnt, before)
    return Prospective(study, live, pointer, learnt, before, after, gain, samples)


def _gain(parts: Parts, request: DiagnoseRequest, learnt: Learnt, before: Point) -> Interval | None:
    """Return the gain over the live settings: they take the place of the space's default, which gains are over."""
    ((generator, space),) = request.spaces.items()
    tuned = {name: before[name] for name in space.parameters}
    if tuned == space.default():
        return learnt.diagnosis.best.gain if learnt.diagnosis.best else None
    if space.faults(tuned):
        return None
    asked = request.model_copy(update={"spaces": {generator: _with_default(space, tuned)}})
    try:
        found = parts.optimizer.diagnose(asked).best
    except Unavailable:
        return None
    return found.gain if found else None


def _with_default(space: ParameterSpace, point: Point) -> ParameterSpace:
    moved = {
        name: parameter.model_copy(update={"default": point[name]}) for name, parameter in space.parameters.items()
    }
    return ParameterSpace(parameters=moved)
