"""Studies: make, clone, pause, archive, and change a space while it runs."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from ml_service.errors import Conflict, InvalidRequest
from ml_service.wire.contract import ParameterSpace
from web.domain.abtests.abtest import OPEN
from web.domain.access import Actor
from web.domain.ids import new_id
from web.domain.jobs import jobs_after_rating
from web.domain.prompts.prompt import DEFAULT_KEY
from web.domain.studies import stopping
from web.domain.studies.assigning import Audience
from web.domain.studies.experiment import Output
from web.domain.studies.guide import Guide
from web.domain.studies.study import CALIBRATION, OptimizerSettings, StopRules, Study, StudyState
from web.ports.parts import Parts
from web.rows.rating import RatingRows
from web.rows.studies import StudyRows
from web.services.accounts import rights
from web.services.audit.record import record
from web.services.studies.assigning import assign_first
from web.services.studies.experiments import drop_unheld

MOST_PRACTICE = 50
MOST_GENERATORS = 16  # that the optimizer is told of


@dataclass(frozen=True)
class StudyDraft:
    """What an admin sets of a study: the one list of it, which the form and the routes go by."""

    name: str
    spaces: dict[str, ParameterSpace]
    prompt_key: str = DEFAULT_KEY
    options_per_experiment: int = 2
    raters_wanted: int = 1
    daily_target: int = 100
    calibration: int = CALIBRATION
    uploads: bool = False
    stop: StopRules = field(default_factory=StopRules)
    starts_from: str | None = None
    optimizer: OptimizerSettings = field(default_factory=OptimizerSettings)
    seed: int = 0

    @classmethod
    def of(cls, study: Study) -> "StudyDraft":
        """Return what is set of a study."""
        return cls(**{one.name: getattr(study, one.name) for one in fields(StudyDraft)})

    @property
    def settings(self) -> dict[str, Any]:
        """Return each field by its name, as a study has it: its name has no space around."""
        return {one.name: getattr(self, one.name) for one in fields(StudyDraft)} | {"name": self.name.strip()}


def make_study(
    parts: Parts, actor: Actor, draft: StudyDraft, *, demo: bool = False, raters: Sequence[Audience] | None = None
) -> Study:
    """Start a study; it runs as soon as it has inputs, and `raters` or else whether others run says who rates it."""
    _check(parts, draft)
    study = Study(
        id=new_id(),
        project_id=actor.project_id,
        state="running",
        created_at=parts.clock.now(),
        demo=demo,
        **draft.settings,
    )
    with parts.store.begin() as tx:
        rights.demand(actor, "steer")
        if tx.prompts.find(key=draft.prompt_key, project_id=actor.project_id) is None:
            raise InvalidRequest(f"There is no prompt {draft.prompt_key}.")
        _check_origin(tx, study)
        tx.studies.add(study)
        record(tx, study.created_at, actor, "study.made", ("study", study.id), after=study)
        assign_first(tx, actor, study, raters, study.created_at)
        return study


def clone_study(
    parts: Parts,
    actor: Actor,
    study_id: str,
    name: str,
    *,
    warm: bool = False,
    raters: Sequence[Audience] | None = None,
) -> Study:
    """Start a study with another's settings and inputs and none of its ratings; a warm one starts from these.

    One that is not warm starts from what the other started from.
    """
    if not name.strip():
        raise InvalidRequest("Give the new study a name.")
    with parts.store.begin() as tx:
        old = rights.found(tx.studies, actor, "steer", "study", study_id)
        now = parts.clock.now()
        new = replace(
            old,
            id=new_id(),
            name=name.strip(),
            state="running",
            stopped=None,
            created_at=now,
            starts_from=old.id if warm else old.starts_from,
            demo=False,
            revision=0,
        )
        tx.studies.add(new)
        present = tx.of_studies.hold_inputs(old.id)
        tx.inputs.add_all(replace(item, id=new_id(), study_id=new.id, revision=0) for item in present)
        tx.of_jobs.add_once(jobs_after_rating(new.id, now))
        record(tx, now, actor, "study.cloned", ("study", new.id), after=new, details={"from": old.id})
        assign_first(tx, actor, new, raters, now)
        return new


def move_study(parts: Parts, actor: Actor, study_id: str, state: StudyState) -> Study:
    """Pause, resume or archive a study; a finished one goes on without its rule, unless that was raised."""
    with parts.store.begin() as tx:
        now = parts.clock.now()
        old = rights.found(tx.studies, actor, "steer", "study", study_id)
        off = stopping.still_holding(old, tx.of_studies.figures(study_id)) if state == "running" else None
        moved = old.moved(state)
        study = tx.studies.replace(replace(moved, stop=moved.stop.without(off)) if off else moved)
        if state == "running":
            tx.of_jobs.add_once(jobs_after_rating(study.id, now))
        action, details = ("study.reopened", {"rule": off}) if off else (f"study.{state}", {})
        record(tx, now, actor, action, ("study", study.id), before=old, after=study, details=details)
        return study


def change_study(parts: Parts, actor: Actor, study_id: str, revision: int, draft: StudyDraft) -> Study:
    """Change a study while it runs; ratings of points that still lie in the space go on counting."""
    _check(parts, draft)
    with parts.store.begin() as tx:
        old = rights.found(tx.studies, actor, "steer", "study", study_id)
        if old.revision != revision:
            raise Conflict("Somebody changed this study meanwhile; load it again and repeat your change.")
        if old.prompt_key != draft.prompt_key:
            raise InvalidRequest("A study keeps its prompt; clone it to work on another one.")
        changed = replace(old, **draft.settings)
        if changed.raters_wanted != old.raters_wanted and tx.ab_tests.find(study_id=old.id, state=OPEN) is not None:
            raise Conflict("An A/B test fixed how many raters each pair has; change that once no test is open.")
        if changed.starts_from != old.starts_from:
            _check_origin(tx, changed)
        study = tx.studies.replace(changed)
        now = parts.clock.now()
        if old.spaces != study.spaces:
            _drop_outside(tx, parts, study)
        tx.of_jobs.add_once(jobs_after_rating(study.id, now))
        record(tx, now, actor, "study.changed", ("study", study.id), before=old, after=study)
        return study


def change_guide(parts: Parts, actor: Actor, study_id: str, revision: int, guide: Guide) -> Study:
    """Change what raters of a study are told; whoever agreed to other words is asked for consent again."""
    guide.check()
    with parts.store.begin() as tx:
        old = rights.found(tx.studies, actor, "steer", "study", study_id)
        if old.revision != revision:
            raise Conflict("Somebody changed this study meanwhile; load it again and repeat your change.")
        for score, output_id in guide.examples.items():
            if example_of(tx, old, output_id) is None:
                raise InvalidRequest(f"The example of {score} is no image of this project; choose one it still has.")
        study = tx.studies.replace(replace(old, guide=guide))
        told = {"guide": guide.hash} | ({"consent": guide.consent_hash} if guide.consent else {})
        record(tx, parts.clock.now(), actor, "study.guided", ("study", study.id), before=old, after=study, details=told)
        return study


def example_of(tx: StudyRows, study: Study, output_id: str) -> Output | None:
    """Return an output that may stand in a study's guide as an example: one of the project that is still there."""
    options = tx.options.all(output_id=output_id)
    mine = {one.id for one in tx.studies.all(project_id=study.project_id)}
    sources = {option.input_id for option in options if option.study_id in mine}
    output = tx.outputs.find(id=output_id, removed_at=None)
    is_there = any(source.removed_at is None for source in tx.inputs.all(id=tuple(sources)))
    return output if is_there else None


def origin(tx: StudyRows, study: Study) -> Study | None:
    """Return the study whose ratings one starts from, or None where there is none, or it is not in this project."""
    if study.starts_from is None:
        return None
    return tx.studies.find(id=study.starts_from, project_id=study.project_id)


def _drop_outside(tx: RatingRows, parts: Parts, study: Study) -> None:
    """Drop queued experiments whose points the new space would not choose, unless somebody has held them."""
    outside = {
        option.experiment_id
        for option in tx.of_experiments.pending(study.id)
        if option.generator not in study.spaces or study.spaces[option.generator].faults(option.point)
    }
    drop_unheld(tx, outside, parts.clock.now())


def _check_origin(tx: StudyRows, study: Study) -> None:
    """Refuse to start from a study that teaches nothing here: none of this project, itself, or of other parameters."""
    if study.starts_from is None:
        return
    earlier = origin(tx, study)
    if earlier is None or earlier.id == study.id:
        raise InvalidRequest("Choose another study of this project to start from.")
    shared = (earlier.parameters(name).keys() & space.parameters.keys() for name, space in study.spaces.items())
    if not any(shared):
        raise InvalidRequest(f"{earlier.name} tunes no parameter of this study, so nothing of it can be taken over.")


def _check(parts: Parts, draft: StudyDraft) -> None:
    if not draft.name.strip() or len(draft.name) > 120:
        raise InvalidRequest("Give the study a name of at most 120 characters.")
    unknown = [name for name in draft.spaces if name not in parts.generators]
    if unknown or not 1 <= len(draft.spaces) <= MOST_GENERATORS:
        offered = ", ".join(sorted(parts.generators))
        raise InvalidRequest(f"Choose one generator, or up to {MOST_GENERATORS}, of: {offered}.")
    for generator, space in draft.spaces.items():
        _check_space(parts.generators[generator].space(), space)
    check_numbers(draft)


def check_numbers(draft: StudyDraft | Study) -> None:
    """Refuse numbers of a study that lie beyond their ends, its stop rules included."""
    stopping.check(draft.stop)
    ends: dict[str, tuple[float, int, int]] = {
        "Options per experiment": (draft.options_per_experiment, 1, 8),
        "Raters wanted": (draft.raters_wanted, 1, 50),
        "Daily target": (draft.daily_target, 1, 100_000),
        "Practice": (draft.calibration, 0, MOST_PRACTICE),
        "Exploration": (draft.optimizer.exploration, 0, 4),
        "Initial points": (draft.optimizer.initial, 1, 64),
        "Seed": (draft.seed, 0, 2**31 - 1),
    }
    for name, (value, low, high) in ends.items():
        if not low <= value <= high:
            raise InvalidRequest(f"{name} must be between {low} and {high}.")


def _check_space(offered: ParameterSpace, chosen: ParameterSpace) -> None:
    """A study may tune some of a generator's parameters, within the generator's own ranges."""
    for name, parameter in chosen.parameters.items():
        own = offered.parameters.get(name)
        if own is None or own.kind != parameter.kind:
            raise InvalidRequest(f"{name} is not a parameter of this generator, or of another kind.")
        ends = parameter.choices if parameter.kind == "category" else (parameter.low, parameter.high)
        if not all(own.accepts(end) for end in ends):
            raise InvalidRequest(f"The range of {name} goes beyond what the generator can do.")
