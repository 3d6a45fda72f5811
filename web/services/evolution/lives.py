"""The life of one version: what it was made from and what was made from it, how it was liked, and its tests."""

from dataclasses import dataclass

from web.domain.access import Actor
from web.domain.prompts.feedback import FeedbackSummary
from web.domain.prompts.prompt import Pointer, PromptVersion
from web.ports.parts import Books
from web.services.abtests import abtests
from web.services.abtests.abtests import ABTestDetail
from web.services.abtests.comparisons import Heard, heard
from web.services.accounts import rights
from web.services.evolution.evolving import counted
from web.services.prompts import pointers
from web.services.prompts.releases import either


@dataclass(frozen=True)
class Life:
    """One version with all that became of it; `heard` is what raters said, in tests and outside of them."""

    version: PromptVersion
    live: PromptVersion
    pointer: Pointer
    parents: tuple[PromptVersion, ...]
    children: tuple[PromptVersion, ...]
    heard: Heard
    feedback: FeedbackSummary
    tests: tuple[ABTestDetail, ...]


def life(parts: Books, actor: Actor, prompt_key: str, word: str) -> Life:
    """Return the life of a version that is given by its name or id."""
    with parts.store.read() as tx:
        key = rights.found(tx.prompts, actor, "see_all", "prompt", prompt_key).key
        found = either(tx, key, word)
        pointer, live = pointers.live(tx, key)
        family = tx.versions.all(prompt_key=key)
        studies = tx.studies.all(project_id=actor.project_id, prompt_key=key)
        answers = [one for study in studies for one in counted(tx, study) if one.version == found.id]
        feedback = tx.of_prompts.feedback(key).get(found.id, FeedbackSummary())
    tests = abtests.all_tests(parts, actor, key)
    return Life(
        version=found,
        live=live,
        pointer=pointer,
        parents=tuple(one for one in family if one.id in found.parents),
        children=tuple(one for one in family if found.id in one.parents),
        heard=heard(answers),
        feedback=feedback,
        tests=tuple(one for one in tests if found.id in (one.test.champion, *one.test.challengers)),
    )
