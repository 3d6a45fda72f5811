"""The gates that a candidate passes before any rater meets it: each rejects with a reason, and none repairs.

Whoever made the candidate goes through all of them: a model, a script, the optimizer, a person. What a gate looks for
counts only where it is new, which means that it is not in the parent.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal

from ml_service.errors import InvalidRequest
from web.domain import words
from web.domain.prompts.hostile import Finding, Scanner, findings, legible
from web.domain.prompts.prompt import PromptVersion, as_file
from web.domain.prompts.template import placeholders, render

GateId = Literal[
    "schema", "placeholders", "length", "no_op", "near_duplicate", "copying", "safety", "render", "drift"
]  # fmt: skip

GROWTH, GRACE = 1.3, 200  # a text may become so many times as long as the parent's, and so many characters more
ALIKE = 95  # of 100: whole texts with their words sorted
LONG = 1_000  # characters of a value that production may fill in
COPIED = 5  # words in a row that are taken for a rater's
_REASONS = {
    "secret": "a key or password",
    "personal": "an address or number of a person",
    "link": "a link",
    "injection": "words that order a machine about",
    "unsafe": "an unsafe term",
}


@dataclass(frozen=True)
class Rejection:
    """The gate that a candidate did not pass, and why, in a sentence.

    `where` is the text that it is about, as `generator.slot`, or `changelog`; empty where it is about the whole.
    """

    gate: GateId
    reason: str
    where: str = ""


@dataclass(frozen=True)
class Gauge:
    """What a candidate is measured against, and who reads its texts.

    `before` are the prompt's other versions and candidates, whatever became of them: rejected and rolled back ones too.
    `limits` are the characters that a provider takes, by generator and slot. `comments` are those the proposer saw.
    `samples` are values of the variables as they occur, beside the defaults. `refused` are the gates that refused
    texts in earlier rounds, by the digests of those.
    """

    parent: PromptVersion
    scanner: Scanner
    before: tuple[PromptVersion, ...] = ()
    limits: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    comments: tuple[str, ...] = ()
    samples: tuple[Mapping[str, str], ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)


Gate = Callable[[PromptVersion, Gauge], Rejection | None]


def first_rejection(candidate: PromptVersion, gauge: Gauge) -> Rejection | None:
    """Return what the first gate that a candidate does not pass says; None where it passes all."""
    return next((found for gate in GATES if (found := gate(candidate, gauge)) is not None), None)


def rejections(candidate: PromptVersion, gauge: Gauge) -> dict[str, Rejection]:
    """Return by place what the first gate says that a candidate does not pass there, for whoever writes one by hand."""
    found = [one for gate in GATES if (one := gate(candidate, gauge)) is not None]
    return {one.where: one for one in reversed(found)}


def schema(candidate: PromptVersion, gauge: Gauge) -> Rejection | None:
    """Hold a candidate to the form in which versions are published, and to components that are known."""
    try:
        as_file(replace(candidate, name="v0.0.0"), ())
    except InvalidRequest as error:
        return Rejection("schema", f"It cannot be published: {error}")
    known = {where for where, _ in _texts(gauge.parent)}
    known |= {(generator, slot) for generator, slots in gauge.limits.items() for slot in slots}
    given = {where for where, _ in _texts(candidate)}
    for generator, slot in sorted(given - known):
        told = f"There is no text {generator}.{slot} for any generator to read."
        return Rejection("schema", told, f"{generator}.{slot}")
    for generator, slot in sorted({where for where, _ in _texts(gauge.parent)} - given):
        return Rejection("schema", f"The text {generator}.{slot} is missing.", f"{generator}.{slot}")
    return None


def same_placeholders(candidate: PromptVersion, gauge: Gauge) -> Rejection | None:
    """Hold each text to the variables of the parent's."""
    if candidate.variables != gauge.parent.variables:
        return Rejection("placeholders", "Its variables are declared in another way than the parent's.")
    old = dict(_texts(gauge.parent))
    for where, text in _texts(candidate):
        try:
            used = placeholders(text, candidate.variables)
            wanted = placeholders(old.get(where, text), candidate.variables)
        except InvalidRequest as error:
            return Rejection("placeholders", f"{_name(where)} is no template: {error}", _name(where))
        for name in sorted(wanted - used):
            return Rejection("placeholders", f"{_name(where)} lost the variable {name[:64]}.", _name(where))
        for name in sorted(used - wanted):
            told = f"{_name(where)} has the variable {name[:64]}, which the parent has not."
            return Rejection("placeholders", told, _name(where))
    return None


def length(candidate: PromptVersion, gauge: Gauge) -> Rejection | None:
    """Hold each text, filled with each sample, to what its provider takes, and its growth to the parent's length."""
    old = dict(_texts(gauge.parent))
    for where, text in _texts(candidate):
        most = int(GROWTH * len(old[where]) + GRACE) if where in old else None
        if most is not None and len(text) > most:
            told = f"{_name(where)} has {len(text)} characters; from {len(old[where])} it may grow to {most}."
            return Rejection("length", told, _name(where))
        limit = gauge.limits.get(where[0], {}).get(where[1])
        longest = max((len(one) for one in _filled(text, candidate, gauge)), default=len(text))
        if limit is not None and longest > limit:
            told = f"{_name(where)} becomes {longest} characters long, and the provider takes {limit}."
            return Rejection("length", told, _name(where))
    return None


def no_op(candidate: PromptVersion, gauge: Gauge) -> Rejection | None:
    """Refuse what was there before: the same words, or the same parameters where only those are changed."""
    texts = _normal(candidate)
    changes_texts = texts != _normal(gauge.parent)
    for version in (gauge.parent, *gauge.before):
        is_same = texts == _normal(version)
        if is_same and (changes_texts or candidate.parameter_defaults == version.parameter_defaults):
            return Rejection("no_op", f"It says what {version.name or 'an earlier candidate'} says already.")
    if changes_texts and (refusing := gauge.refused.get(digest(candidate))) is not None:
        return Rejection("no_op", f"It was proposed before, and refused ({refusing}).")
    return None


def digest(candidate: PromptVersion) -> str:
    """Return by what the words of a text are known again, also where the text itself is not to be kept."""
    said = sorted((*where, text) for where, text in _normal(candidate).items())
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def near_duplicate(candidate: PromptVersion, gauge: Gauge) -> Rejection | None:
    """Refuse texts that differ from earlier ones in the order or spelling of words alone."""
    texts, near = _normal(candidate), partial(_is_near, gauge.scanner)
    if texts == _normal(gauge.parent):
        return None
    for version in (gauge.parent, *gauge.before):
        others = _normal(version)
        if others.keys() == texts.keys() and all(near(texts[where], others[where]) for where in texts):
            return Rejection("near_duplicate", f"It is nearly word for word {version.name or 'an earlier candidate'}.")
    return None


def copying(candidate: PromptVersion, gauge: Gauge) -> Rejection | None:
    """Refuse five words in a row of a rater's comment."""
    own = {run for _, text in _all(gauge.parent) for run in words.runs(text, COPIED)}
    said = {run for comment in gauge.comments for run in words.runs(comment, COPIED)} - own
    for where, text in _all(candidate):
        for run in words.runs(text, COPIED):
            if run in said:
                return Rejection("copying", f"“{' '.join(run)[:120]}” is a rater's; say it in other words.", where)
    return None


def safety(candidate: PromptVersion, gauge: Gauge) -> Rejection | None:
    """Refuse keys, personal data, links, orders to machines, unsafe terms and what cannot be seen."""
    known = {_bare(*one) for _, text in _all(gauge.parent) for one in _found(text, gauge.scanner)}
    visible = set("".join(text for _, text in _all(gauge.parent)))
    for where, text in _all(candidate):
        for character in text:
            if not (character.isprintable() or character in "\n\t" or character in visible):
                told = f"It holds the character U+{ord(character):04X}, which cannot be seen."
                return Rejection("safety", told, where)
        for finding, said in _found(text, gauge.scanner):
            if _bare(finding, said) not in known:
                told = "" if finding.kind == "secret" else f": “{said[:80]}”"
                return Rejection("safety", f"It holds {finding.says or _REASONS[finding.kind]}{told}.", where)
    return None


def renders(candidate: PromptVersion, gauge: Gauge) -> Rejection | None:
    """Refuse texts that cannot be filled with the defaults, with every sample, with nothing, and with long values."""
    extremes = [dict.fromkeys(candidate.variables, value) for value in ("", "x" * LONG)]
    for where, text in _texts(candidate):
        for values in (*_bindings(candidate, gauge), *extremes):
            try:
                render(text, values)
            except InvalidRequest as error:
                return Rejection("render", f"{_name(where)}: {error}", _name(where))
    return None


def drift(candidate: PromptVersion, gauge: Gauge) -> Rejection | None:
    """Hold locked texts to what they were, and locks to where they are."""
    old, new = dict(_texts(gauge.parent)), dict(_texts(candidate))
    for locked in gauge.parent.slots_locked:
        if locked not in candidate.slots_locked:
            return Rejection("drift", f"{locked} is locked in the parent, and is not any more.", locked)
    for where, text in old.items():
        if _name(where) in gauge.parent.slots_locked and new.get(where) != text:
            return Rejection("drift", f"{_name(where)} is locked, and was changed.", _name(where))
    return None


GATES: tuple[Gate, ...] = (
    schema,
    same_placeholders,
    length,
    no_op,
    near_duplicate,
    copying,
    safety,
    renders,
    drift,
)


def _texts(version: PromptVersion) -> Iterator[tuple[tuple[str, str], str]]:
    for generator, slots in version.components.items():
        for slot, text in slots.items():
            yield (generator, slot), text


def _all(version: PromptVersion) -> Iterator[tuple[str, str]]:
    """Go through every text that would be published, after its place."""
    yield from ((_name(where), text) for where, text in _texts(version))
    yield from (("", variable.default) for variable in version.variables.values())
    yield "changelog", version.changelog


def _name(where: tuple[str, str]) -> str:
    return f"{where[0]}.{where[1]}"


def _normal(version: PromptVersion) -> dict[tuple[str, str], str]:
    return {where: words.normal(text) for where, text in _texts(version)}


def _found(text: str, scanner: Scanner) -> Iterator[tuple[Finding, str]]:
    """Go through what may not pass of a text, each with its words."""
    seen = legible(text)
    return ((one, seen[one.start : one.end]) for one in findings(seen, scanner))


def _bare(finding: Finding, said: str) -> tuple[str, str]:
    return finding.kind, said.casefold()


def _bindings(candidate: PromptVersion, gauge: Gauge) -> Iterator[dict[str, str]]:
    defaults = {name: variable.default for name, variable in candidate.variables.items()}
    yield defaults
    yield from ({**defaults, **sample} for sample in gauge.samples)


def _filled(text: str, candidate: PromptVersion, gauge: Gauge) -> Iterator[str]:
    """Return a text with each sample; one that cannot be filled is another gate's."""
    for values in _bindings(candidate, gauge):
        try:
            yield render(text, values)
        except InvalidRequest:
            continue


def _is_near(scanner: Scanner, text: str, other: str) -> bool:
    """Tell whether two normal texts differ by nothing but the order of words, fillers, or how some are spelt.

    Alike as wholes is not enough: a phrase added to a long text leaves it alike, and changes what it asks for.
    """
    gone, new = words.meaning(other), words.meaning(text)
    gone, new = gone - new, new - gone
    if gone.total() != new.total():
        return False
    pairs = zip(sorted(gone.elements()), sorted(new.elements()), strict=True)
    if not all(words.is_same_spelt_otherwise(one, two) for one, two in pairs):
        return False
    return not new or scanner.likeness(text, other) >= ALIKE
