"""How candidates are made: a proposer is asked for edits, and the gates say which of them raters may meet.

The proposer is the text model that is set, or a script that reads tags where none is. What it answers is never
repaired: an answer that cannot be used fails its round, an edit that does not fit is refused with the reason.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from ml_service.errors import InvalidRequest
from web.domain.evolution import evolver, reflection
from web.domain.evolution.edits import apply
from web.domain.evolution.evolution import Proposed
from web.domain.evolution.reflection import Draft, Reflection
from web.domain.ids import new_id
from web.domain.prompts.gates import Rejection, digest, first_rejection
from web.domain.prompts.hostile import cleaned, fenced, legible
from web.domain.prompts.prompt import PromptVersion
from web.domain.studies.study import Study
from web.ports.models import TextRequest
from web.ports.parts import Parts
from web.services.evolution.material import Material

SYSTEM_PROMPT = "evolution-system-prompt.txt"
MOST_TOKENS = 6_000  # of an answer: edits are short, but models that reason think on the bill
PURPOSE = "evolution"
SCRIPTED = "scripted"
SIDE = 512  # pixels of the longer side of what a model is shown


@dataclass(frozen=True)
class Candidates:
    """What became of an answer: the versions that passed the gates, and every proposal with its fate."""

    versions: tuple[PromptVersion, ...]
    proposed: tuple[Proposed, ...]


def reflect(parts: Parts, study: Study, material: Material, seed: int) -> tuple[Reflection, str]:
    """Return a proposer's answer and its name; a ServiceError says why there is none that can be used."""
    if parts.text_model is None:
        return evolver.reflect(material.examples, material.gauge, seed, material.asked, material.mate), SCRIPTED
    completion = parts.text_model.complete(question(parts, study, material, seed))
    answer = json.dumps(completion.answer())
    return reflection.read(answer, [example.id for example in material.examples], material.asked), completion.model


def question(parts: Parts, study: Study, material: Material, seed: int) -> TextRequest:
    """Return what the text model is asked, with pictures where it sees them.

    NotFound where its instructions are missing from PROMPTS_DIR.
    """
    parent, mate = material.parent, material.mate
    texts = {
        "texts": _texts(parent),
        "locked": parent.slots_locked,
        "variables": {name: variable.default for name, variable in parent.variables.items()},
        "operators": material.asked,
    }
    if mate is not None:
        texts["other_version"] = {"texts": _texts(mate.version), "liked_better_of": sorted(mate.leads)}
    rows: list[dict[str, object]] = [{"example": asdict(example)} for example in material.examples]
    rows += [{"tried": changelog, "mean_score": score} for changelog, score in material.tried]
    return TextRequest(
        system=parts.published.read(SYSTEM_PROMPT).decode(),
        user=f"The prompt:\n{json.dumps(texts, ensure_ascii=False, indent=1)}\n\n{fenced(rows)}",
        schema=reflection.schema(),
        schema_name="reflection",
        most_tokens=MOST_TOKENS,
        seed=seed,
        purpose=PURPOSE,
        project_id=study.project_id,
        study_id=study.id,
        images=_pictures(parts, material),
    )


def _pictures(parts: Parts, material: Material) -> tuple[bytes, ...]:
    """Return small copies of the examples' outputs, in their order, or none where the text model sees nothing."""
    if parts.text_model is None or not parts.text_model.sees:
        return ()
    return tuple(parts.cleaner.thumbnail(parts.objects.read(key), SIDE) for key in material.pictures)


def _texts(version: PromptVersion) -> dict[str, str]:
    """Return the texts of a version by the names that edits give them."""
    components = version.components.items()
    return {f"{generator}.{slot}": text for generator, texts in components for slot, text in texts.items()}


def sifted(material: Material, answer: Reflection, most: int, now: datetime) -> Candidates:
    """Return what the gates leave of an answer, at most so many candidates."""
    versions: list[PromptVersion] = []
    proposed: list[Proposed] = []
    for draft in answer.candidates:
        made, told = _sifted(material, draft, versions, most, now)
        proposed.append(told)
        versions += [made] if made else []
    return Candidates(tuple(versions), tuple(proposed))


def _sifted(
    material: Material, draft: Draft, taken: list[PromptVersion], most: int, now: datetime
) -> tuple[PromptVersion | None, Proposed]:
    scanner = material.gauge.scanner
    said, hoped = cleaned(draft.changelog, scanner).text, cleaned(draft.expected_effect, scanner).text
    told = Proposed(draft.operator, None, said, hoped)
    try:
        components = apply(material.parent, draft.edits)
    except InvalidRequest as error:
        return None, replace(told, gate="edits", reason=legible(str(error)))
    candidate = replace(
        material.parent,
        id=new_id(),
        number=0,  # it gets its number where it is kept
        name=None,
        status="candidate",
        components=components,
        created_at=now.replace(microsecond=0),
        created_by=PURPOSE,
        parents=material.parents_of(draft.operator),
        changelog=draft.changelog,
        sha256="",
        revision=0,
    )
    found = first_rejection(candidate, replace(material.gauge, before=(*material.gauge.before, *taken)))
    if found is not None:
        return None, replace(told, gate=found.gate, reason=_reason(found), digest=digest(candidate))
    if len(taken) >= most:
        return None, replace(told, gate="room", reason=f"The study tests at most {most} challengers at once.")
    return candidate, replace(told, version_id=candidate.id)


def _reason(found: Rejection) -> str:
    """Return why a candidate was refused; what was unsafe to publish is not kept in the reason either."""
    return f"{found.reason.partition(': “')[0].rstrip('.')}." if found.gate == "safety" else legible(found.reason)


def diagnosis_of(answer: Reflection) -> str:
    """Return a diagnosis as text: each cause, and the examples that show it."""
    return "\n".join(_causes(answer))


def _causes(answer: Reflection) -> Iterator[str]:
    for cause in answer.diagnosis:
        yield f"{legible(cause.says)} ({', '.join(cause.evidence)})"
