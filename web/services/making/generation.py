"""Make the outputs of experiments: what is planned is generated once, and kept by its content."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from ml_service.errors import InvalidRequest, TooLarge
from ml_service.wire.contract import Proposal, Suggestion
from web.domain.ids import new_id
from web.domain.prompts.prompt import PromptVersion
from web.domain.studies.experiment import Experiment, Option, Output, settle
from web.domain.studies.study import Input, Study
from web.ports.making import Generated, GenerateRequest
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


def generate(parts: Parts, experiment_id: str) -> None:
    """Make the outputs of an experiment that are missing; done twice, nothing changes."""
    with parts.store.read() as tx:
        experiment = tx.experiments.get(experiment_id)
        removed = tx.inputs.get(experiment.input_id).removed_at is not None
    if experiment.state not in ("planned", "generating"):
        return
    if removed:
        _drop(parts, experiment_id)
        return
    with parts.store.read() as tx:
        source = tx.inputs.get(experiment.input_id)
        options = tx.options.all(experiment_id=experiment_id)
        versions = {one.id: one for one in tx.versions.all(id=tuple({option.version for option in options}))}
    body = parts.objects.read(source.object_key)
    for option in options:
        if option.state == "planned":
            _make(parts, option, source, body, versions[option.version])
    with parts.store.begin() as tx:
        now = parts.clock.now()
        locked = tx.of_experiments.lock([experiment_id])[experiment_id]
        if locked.state in ("planned", "generating"):
            tx.of_experiments.move(
                [experiment_id], settle(locked.kind, tx.options.all(experiment_id=experiment_id)), now
            )


def _drop(parts: Parts, experiment_id: str) -> None:
    with parts.store.begin() as tx:
        tx.of_experiments.move(tx.of_experiments.lock([experiment_id]), "dropped", parts.clock.now())


def _make(parts: Parts, option: Option, source: Input, body: bytes, version: PromptVersion) -> None:
    made_by = parts.degrader if parts.degrader and option.generator == parts.degrader.name else None
    generator = made_by or parts.generators[option.generator]
    # What the study does not tune is as the version has it, so that raters see what production would do.
    point = version.parameter_defaults.get(option.generator, {}) | option.point
    try:
        prompt = version.rendered(option.generator)
        generated = generator.generate(GenerateRequest(body, source.media_type, prompt, point, option.seed))
    except (InvalidRequest, TooLarge) as error:
        _keep(parts, option, None, str(error))
        return
    _keep(parts, option, generated, None)


def _keep(parts: Parts, option: Option, generated: Generated | None, error: str | None) -> None:
    output = None if generated is None else _stored(parts, generated)
    with parts.store.begin() as tx:
        present = tx.of_studies.hold_inputs(option.study_id, option.input_id)
        fresh = tx.options.get(option.id)
        wanted = bool(present) and fresh.state == "planned"
        if wanted:
            kept = output and _kept(parts, tx, output)
            made = replace(
                fresh,
                state="ready" if kept else "failed",
                output_id=kept.id if kept else None,
                cost_micros=generated.cost_micros if generated else 0,
                error=error,
            )
            tx.options.replace(made)
        elif output is not None:
            delete_later(tx, [output.object_key], parts.clock.now())


def _kept(parts: Parts, tx: Transaction, output: Output) -> Output:
    """Return the row of an output's content, whose object is there, also where it was removed before."""
    tx.lock_objects([output.object_key])
    known = tx.outputs.find(content_hash=output.content_hash)
    if known is None:
        return tx.outputs.add(output)
    if known.removed_at is None:
        delete_later(tx, [output.object_key], parts.clock.now())
    else:
        tx.of_objects.revive(known.id, output.object_key)
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
