"""Make the outputs of experiments: what is planned is generated once, and kept by its content."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from ml_service.errors import InvalidRequest, TooLarge
from ml_service.wire.contract import Proposal, Suggestion
from web.domain.ids import new_id
from web.domain.jobs import looking_again, make_job
from web.domain.prompts.prompt import PromptVersion
from web.domain.studies.experiment import UNMADE, Experiment, Option, Output, settle
from web.domain.studies.study import Input, Study
from web.ports.making import Generated, GenerateRequest, Generator, Refused, Ticket, Unknown, Waiting
from web.ports.parts import Parts
from web.rows.transaction import Transaction
from web.services.studies.objects import delete_later, new_name


def options_of(
    experiment: Experiment,
    version: PromptVersion,
    study: Study,
    proposals: Sequence[Proposal],
    suggestion: Suggestion,
) -> list[Option]:
    """Return the options of an experiment as they are planned: what was proposed, in a version's words."""
    return [
        Option(
            id=new_id(),
            experiment_id=experiment.id,
            study_id=study.id,
            input_id=experiment.input_id,
            position=position,
            generator=proposal.generator,
            version=version.id,
            point=proposal.point,
            seed=study.seed,
            state="planned",
            why=proposal.why,
            expected=proposal.expected,
            evidence=proposal.evidence,
            history=suggestion.history,
        )
        for position, proposal in enumerate(proposals)
    ]


def make(parts: Parts, option_id: str, ticket: str = "") -> Option:
    """Make the output of an option that is to be, or look at what was begun of it; done twice, nothing changes.

    Its experiment is settled once the last of its options is done, whoever does it.
    """
    with parts.store.read() as tx:
        option = tx.options.get(option_id)
        experiment = tx.experiments.get(option.experiment_id)
        source = tx.inputs.get(option.input_id)
        version = tx.versions.get(option.version)
    if experiment.state not in UNMADE:
        return option
    if source.removed_at is not None:
        _drop(parts, experiment.id)
        return option
    if option.state in UNMADE:
        _make(parts, option, source, version, ticket)
    _settle(parts, experiment.id)
    return option


def _drop(parts: Parts, experiment_id: str) -> None:
    with parts.store.begin() as tx:
        tx.of_experiments.move(tx.of_experiments.lock([experiment_id]), "dropped", parts.clock.now())


def _settle(parts: Parts, experiment_id: str) -> None:
    with parts.store.begin() as tx:
        locked = tx.of_experiments.lock([experiment_id])[experiment_id]
        state = settle(locked.kind, tx.options.all(experiment_id=experiment_id))
        if locked.state in UNMADE and state != locked.state:
            tx.of_experiments.move([experiment_id], state, parts.clock.now())


def _make(parts: Parts, option: Option, source: Input, version: PromptVersion, ticket: str) -> None:
    if option.state == "generating" and not ticket:  # whoever began it was killed after it was noted: it is looked at
        return
    made_by = parts.degrader if parts.degrader and option.generator == parts.degrader.name else None
    generator = made_by or parts.generator(option.generator)
    begun = Ticket(ticket) if ticket else _begun(parts, generator, option, source, version)
    if isinstance(begun, Refused):
        _keep(parts, option, None, begun.words)
        return
    if begun.id and not ticket:  # noted before anything can go wrong, for to begin it again would cost again
        _wait(parts, option, begun, timedelta(0))
        return
    match generator.look(begun):
        case Generated() as generated:
            made, why_not = _clean(parts, generated) if begun.id else (generated, None)
            _keep(parts, option, made, why_not, generated.cost_micros)
        case Waiting(again):
            _wait(parts, option, begun, again)
        case Refused(words):
            _keep(parts, option, None, words)
        case Unknown():
            _keep(parts, option, None, f"{generator.name} knows nothing of what it was asked for.")


def _clean(parts: Parts, generated: Generated) -> tuple[Generated | None, str | None]:
    """Return what came from outside this process as clean as what people upload, or why it cannot be taken."""
    try:
        clean = parts.cleaner.clean(generated.body)
    except (InvalidRequest, TooLarge) as error:
        return None, str(error)
    image = replace(generated, body=clean.body, media_type=clean.media_type, width=clean.width, height=clean.height)
    return image, None


def _begun(
    parts: Parts, generator: Generator, option: Option, source: Input, version: PromptVersion
) -> Ticket | Refused:
    # What the study does not tune is as the version has it, so that raters see what production would do.
    point = version.parameter_defaults.get(option.generator, {}) | option.point
    body = parts.objects.read(source.object_key)
    try:
        prompt = version.rendered(option.generator)
        return generator.begin(GenerateRequest(body, source.media_type, prompt, point, option.seed))
    except (InvalidRequest, TooLarge) as error:
        return Refused(str(error))


def _wait(parts: Parts, option: Option, begun: Ticket, again: timedelta) -> None:
    """Note that an option is being made; a later job looks again, so that no worker waits."""
    with parts.store.begin() as tx:
        fresh = tx.options.get(option.id)
        if fresh.state == "planned":
            tx.options.replace(replace(fresh, state="generating"))
        if fresh.state in UNMADE:
            urgent = tx.experiments.get(option.experiment_id).held_for is not None
            job = make_job(option.id, option.generator, option.study_id, parts.clock.now(), urgent=urgent)
            tx.of_jobs.add_once([looking_again(job, begun.id, again)])


def _keep(parts: Parts, option: Option, generated: Generated | None, error: str | None, cost: int = 0) -> None:
    output = None if generated is None else _stored(parts, generated)
    with parts.store.begin() as tx:
        present = tx.of_studies.hold_inputs(option.study_id, option.input_id)
        fresh = tx.options.get(option.id)
        if present and fresh.state in UNMADE:
            kept = output and _kept(tx, parts, output)
            made = replace(
                fresh,
                state="ready" if kept else "failed",
                output_id=kept.id if kept else None,
                cost_micros=cost,
                error=error,
            )
            tx.options.replace(made)
        elif output is not None:
            delete_later(tx, [output.object_key], parts.clock.now())


def _kept(tx: Transaction, parts: Parts, output: Output) -> Output:
    """Return the row of an output's content, whose object is there, also where it was removed before."""
    tx.lock_objects([output.object_key])
    known = tx.outputs.find(content_hash=output.content_hash)
    if known is None:
        return tx.outputs.add(output)
    if known.removed_at is None:
        surplus = output.object_key
    else:
        surplus = known.object_key  # whoever removed it may not have deleted it yet, and no row will tell its name
        tx.of_objects.revive(known.id, output.object_key)
    delete_later(tx, [surplus], parts.clock.now())
    return known


def _stored(parts: Parts, generated: Generated) -> Output:
    content_hash = hashlib.sha256(generated.body).hexdigest()
    key = new_name("outputs", content_hash)
    parts.objects.create(key, generated.body)
    return Output(
        id=new_id(),
        content_hash=content_hash,
        object_key=key,
        media_type=generated.media_type,
        width=generated.width,
        height=generated.height,
        size=len(generated.body),
        created_at=parts.clock.now(),
    )
