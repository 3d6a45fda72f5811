"""Better parameters as a challenger: they pass the same gates, and meet the live version in the same kind of test."""

from dataclasses import replace

from ml_service.errors import Conflict, NotFound
from web.domain.access import Actor
from web.domain.evolution.evolution import Proposed
from web.domain.ids import new_id
from web.domain.prompts.gates import first_rejection
from web.domain.prompts.prompt import PromptVersion
from web.domain.studies.study import Study
from web.ports.parts import Parts
from web.rows.evolution import EvolutionRows
from web.rows.transaction import Transaction
from web.services.abtests.abtests import content
from web.services.evolution.material import Material
from web.services.evolution.proposing import Candidates
from web.services.learning.proposal import proposal
from web.services.prompts.candidates import best_child

NOTHING = Candidates((), ())


def tuned(parts: Parts, study: Study, material: Material) -> Candidates:
    """Return the best parameters of a study as a candidate where their expected gain is worth a test, else nothing.

    They take turns with prompts: after a test of parameters the next one is of words.
    """
    with parts.store.read() as tx:
        child = None if _had_their_turn(tx, study) else _child(tx, parts, study, material.live)
    if child is None:
        return NOTHING
    try:
        gain = proposal(parts, Actor.itself(study.project_id), study.id).gain
    except NotFound:
        return NOTHING
    if gain is None or gain.mean < study.evolving.worth_testing or gain.low <= 0:
        return NOTHING
    told = Proposed("parameters", None, child.changelog, f"A gain of {gain.mean:+.2f} stars is expected.")
    before = (*material.gauge.before, material.parent)
    found = first_rejection(child, replace(material.gauge, parent=material.live, before=before))
    if found is not None:
        return Candidates((), (replace(told, gate=found.gate, reason=found.reason),))
    return Candidates((child,), (replace(told, version_id=child.id),))


def _child(tx: Transaction, parts: Parts, study: Study, live: PromptVersion) -> PromptVersion | None:
    """Return the live version with the best parameters, or None where there are none that were not tested yet."""
    try:
        child = best_child(tx, study, live, None, new_id(), parts.clock.now())
    except Conflict:
        return None
    known = {content(version) for version in tx.versions.all(prompt_key=study.prompt_key)}
    return None if content(child) in known else child


def _had_their_turn(tx: EvolutionRows, study: Study) -> bool:
    opened = tx.rounds.all(prompt_key=study.prompt_key, state="proposed")
    last = max(opened, key=lambda one: (one.created_at, one.id), default=None)
    return last is not None and any(one.operator == "parameters" and one.version_id for one in last.proposed)
