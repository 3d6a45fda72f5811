"""Edits without a model: the scripted evolver makes them from tags and comments, by the table of remedies.

It answers in the form in which a model does, the same for the same question and seed, and says that it is a script.
"""

import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations

from ml_service.errors import InvalidRequest
from web.domain import words
from web.domain.evolution.edits import apply
from web.domain.evolution.pareto import Mate
from web.domain.evolution.reflection import ASKED, Cause, Draft, Edit, Example, Operator, Reflection
from web.domain.evolution.remedies import REMEDIES, asks_for, heard
from web.domain.prompts.gates import Gauge, first_rejection
from web.domain.prompts.prompt import PromptVersion

NAME = "script"
SAID = "A script, not a model, read tags and words of comments"
_SENTENCE = re.compile(r"[^.!?\n]+[.!?]+")
_CLAUSE = re.compile(r",[^,.;!?\n{}]+(?=[,.;!?])")
_COMBINED = 12  # sentences that are tried in pairs once each was tried alone


@dataclass(frozen=True)
class Complaint:
    """What is wrong with outputs: how much it weighs, and the examples that show it."""

    name: str
    weight: float
    examples: tuple[str, ...]


@dataclass(frozen=True)
class _Idea:
    edits: tuple[Edit, ...]
    changelog: str
    effect: str


def reflect(
    examples: Sequence[Example],
    gauge: Gauge,
    seed: int,
    asked: Sequence[Operator] = ASKED,
    mate: Mate | None = None,
) -> Reflection:
    """Return a diagnosis and candidates of the operators asked for that pass the gates, so that none was tried before.

    An operator that is asked for twice goes on where it left off; one that has nothing left makes none.
    """
    found = complaints(examples)
    generators = {example.generator for example in examples} & set(gauge.parent.components)
    slots = list(_slots(gauge.parent, generators or set(gauge.parent.components)))
    made: list[Draft] = []
    ideas = _ideas(gauge.parent, slots, found, random.Random(seed)) | {"merge": _merging(gauge.parent, slots, mate)}
    for operator in asked:
        taken = [_version(gauge.parent, draft) for draft in made]
        draft = _first_fit(operator, ideas[operator], replace(gauge, before=(*gauge.before, *taken)))
        made += [draft] if draft else []
    if not made:
        raise InvalidRequest(
            "The script has no edit left that was not tried. Write a version by hand, or give a text model its key."
        )
    return Reflection(diagnosis=tuple(_causes(found, examples)), candidates=tuple(made))


def complaints(examples: Iterable[Example]) -> list[Complaint]:
    """Return what tags and comments complain of, the heaviest first: tags count whole, words of comments half."""
    weights: dict[str, float] = {}
    shown: dict[str, list[str]] = {}
    for example in examples:
        said = {name for comment in example.comments for name in heard(comment)}
        for name in (name for name in REMEDIES if name in example.tags or name in said):
            worth = max(0.25, 4 - example.score) * (1.0 if name in example.tags else 0.5)
            weights[name] = weights.get(name, 0.0) + worth
            shown.setdefault(name, []).append(example.id)
    heaviest = sorted(weights, key=lambda name: (-weights[name], list(REMEDIES).index(name)))
    return [Complaint(name, weights[name], tuple(shown[name])) for name in heaviest]


def _ideas(
    parent: PromptVersion, slots: list[str], found: list[Complaint], chance: random.Random
) -> dict[Operator, Iterator[_Idea]]:
    names = [complaint.name for complaint in found]
    opposed = {REMEDIES[name].opposite for name in names}
    others = [name for name in REMEDIES if name not in opposed and name not in names[:1]]
    wild = [(name, text) for name in others for text in REMEDIES[name].adds]
    chance.shuffle(wild)
    told = [(name, text) for name in names for text in REMEDIES[name].adds]
    return {
        "targeted": chain(_replacing(parent, slots, told), _adding(parent, slots, told)),
        "simplify": _removing(parent, slots, names),
        "explore": _adding(parent, slots, wild),
    }


def _adding(parent: PromptVersion, slots: list[str], told: list[tuple[str, str]]) -> Iterator[_Idea]:
    fresh = [(name, text) for name, text in told if not all(_has(parent, slot, text) for slot in slots)]
    alone = [((name, text),) for name, text in fresh]
    paired = [pair for pair in combinations(fresh[:_COMBINED], 2) if pair[0][0] != pair[1][0]]
    for chosen in chain(alone, paired):
        text = " ".join(sentence for _, sentence in chosen)
        edits = tuple(Edit(kind="add", slot=slot, quote="", text=text) for slot in slots)
        yield _Idea(edits, f"Added “{text}”", _effect(name for name, _ in chosen))


def _replacing(parent: PromptVersion, slots: list[str], told: list[tuple[str, str]]) -> Iterator[_Idea]:
    for name, text in told:
        for slot in slots:
            for sentence in _sentences(parent, slot):
                if asks_for(sentence, name) and not _has(parent, slot, text):
                    edit = Edit(kind="replace", slot=slot, quote=sentence, text=text)
                    yield _Idea((edit,), f"“{text}” in place of “{sentence}”", _effect([name]))


def _removing(parent: PromptVersion, slots: list[str], names: list[str]) -> Iterator[_Idea]:
    """Take out what causes a complaint, then answers to what nobody complains of, then whatever else can go."""
    answers = {text for name in names for text in REMEDIES[name].adds}
    stale = {text for remedy in REMEDIES.values() for text in remedy.adds} - answers
    every = [(slot, sentence) for slot in slots for sentence in _sentences(parent, slot)]
    causing = [one for name in names for one in every if asks_for(one[1], name)]
    clauses = [(slot, clause) for slot in slots for clause in _CLAUSE.findall(_text(parent, slot))]
    ranked = [*causing, *(one for one in every if one[1] in stale), *clauses, *every]
    for slot, quote in dict.fromkeys(ranked):
        if any(quote in answer for answer in answers):
            continue
        edit = Edit(kind="remove", slot=slot, quote=quote, text="")
        yield _Idea((edit,), f"Took out “{quote.strip(' ,')}”", "The same or better from a shorter prompt.")


def _merging(parent: PromptVersion, slots: list[str], mate: Mate | None) -> Iterator[_Idea]:
    """Take each generator's text from the version that leads more there, or else say in one what both say."""
    if mate is None:
        return
    theirs = {slot: text for slot in slots if (text := _text(mate.version, slot)) != _text(parent, slot)}
    leading = {slot: text for slot, text in theirs.items() if slot.partition(".")[0] in mate.leads}
    name = mate.version.label
    effect = "What either version is liked for."
    if leading:
        edits = (Edit(kind="replace", slot=slot, quote=_text(parent, slot), text=leading[slot]) for slot in leading)
        yield _Idea(tuple(edits), f"The texts of {name} for {_listed(leading)}", effect)
    fresh = {slot: [one for one in _sentences(mate.version, slot) if not _has(parent, slot, one)] for slot in theirs}
    both = {slot: " ".join(sentences) for slot, sentences in fresh.items() if sentences}
    if both:
        edits = (Edit(kind="add", slot=slot, quote="", text=text) for slot, text in both.items())
        yield _Idea(tuple(edits), f"What {name} says beside, for {_listed(both)}", effect)


def _listed(slots: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(slot.partition(".")[0] for slot in slots))


def _first_fit(operator: Operator, ideas: Iterable[_Idea], gauge: Gauge) -> Draft | None:
    for idea in ideas:
        changelog = f"{idea.changelog} ({NAME})."[:500]
        draft = Draft(operator=operator, edits=idea.edits, changelog=changelog, expected_effect=idea.effect)
        try:
            candidate = _version(gauge.parent, draft)
        except InvalidRequest:
            continue  # its quote is there twice
        if first_rejection(candidate, gauge) is None:
            return draft
    return None


def _version(parent: PromptVersion, draft: Draft) -> PromptVersion:
    return replace(parent, name=None, components=apply(parent, draft.edits), changelog=draft.changelog)


def _causes(found: list[Complaint], examples: Sequence[Example]) -> Iterator[Cause]:
    for one in found[:3]:
        says = f"{SAID}: {REMEDIES[one.name].says.lower()}, in {len(one.examples)} of {len(examples)} examples."
        yield Cause(says=says, evidence=one.examples)
    if not found:
        yield Cause(says=f"{SAID}, and found none that says why.", evidence=tuple(one.id for one in examples))


def _effect(names: Iterable[str]) -> str:
    said = " or ".join(f"“{REMEDIES[name].says.lower()}”" for name in names)
    return f"Fewer outputs that raters call {said}."


def _slots(parent: PromptVersion, generators: set[str]) -> Iterator[str]:
    """Return the text to edit of each generator: its prompt, or else the first one that is not locked."""
    for generator, texts in parent.components.items():
        free = [slot for slot in texts if f"{generator}.{slot}" not in parent.slots_locked]
        if generator in generators and free:
            yield f"{generator}.{'prompt' if 'prompt' in free else free[0]}"


def _text(version: PromptVersion, slot: str) -> str:
    """Return a text of a version, empty where it has none of that name."""
    found = (
        text
        for generator, texts in version.components.items()
        for name, text in texts.items()
        if f"{generator}.{name}" == slot
    )
    return next(found, "")


def _sentences(parent: PromptVersion, slot: str) -> list[str]:
    """Return the sentences of a text that hold no variable."""
    return [found.strip() for found in _SENTENCE.findall(_text(parent, slot)) if "{" not in found]


def _has(parent: PromptVersion, slot: str, sentence: str) -> bool:
    return words.normal(sentence) in words.normal(_text(parent, slot))
