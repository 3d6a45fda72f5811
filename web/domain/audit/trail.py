"""The audit chain as people read it: which events are wanted, and what each says in plain words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from ml_service.errors import InvalidRequest
from web.domain.access import ITSELF, TERMINAL
from web.domain.audit.audit import Event
from web.domain.day import day_of

# Who acts without an id, by the word that a filter asks for it with.
NOBODY: dict[str, str] = {"terminal": TERMINAL, "palate": ITSELF}
# What an event can be about, by the word it is filed under.
KINDS: dict[str, str] = {
    "abtest": "A/B test",
    "input": "photo",
    "job": "job",
    "key": "key",
    "link": "sign-in link",
    "panel": "panel of raters",
    "pointer": "live version of a prompt",
    "round": "round of evolution",
    "session": "session",
    "study": "study",
    "user": "person",
    "version": "version of a prompt",
}
# Kinds whose rows have no name of their own: they are told by what they are.
NAMELESS = ("abtest", "panel", "round")
# What an event says after its actor's name; {object} is what was acted on, other names are those of its details.
WORDS: dict[str, str] = {
    "abtest.decided": "decided the {object} after {pairs} pairs: {outcome}",
    "abtest.declined": "declined the winner of the {object}",
    "abtest.opened": "opened an {object} of {challengers} against {champion} of the prompt {prompt}",
    "abtest.outdated": "stopped the {object}, since {why}",
    "abtest.paused": "paused the {object}",
    "abtest.proposed": "opened an {object} of {challengers} against {champion} of the prompt {prompt}, after a round",
    "abtest.running": "resumed the {object}",
    "abtest.settled": "acted on the decision of the {object}",
    "abtest.stopped": "stopped the {object}",
    "abtest.watched": "opened an {object} of the version before against what went live",
    "input.added": "added the photo {object}",
    "input.changed": "changed the photo {object}",
    "input.erased": "erased the photo {object} and all that was made of it",
    "input.removed": "took down the photo {object}",
    "job.retried": "let the job {object} try again",
    "key.made": "made the key {object} for {scopes}",
    "key.revoked": "revoked the key {object}",
    "link.made": "made a sign-in link for {object}, as {role}",
    "link.used": "came in by a link for {object}",
    "link.voided": "voided a sign-in link for {object}",
    "panel.deleted": "deleted a {object}",
    "panel.joined": "put a person into a {object}",
    "panel.left": "took a person out of a {object}",
    "panel.made": "made a {object}",
    "panel.renamed": "renamed a {object}",
    "password.set": "chose a new password",
    "prompt.adopted": "took over {to} of the prompt {object} from its files",
    "prompt.promoted": "promoted the prompt {object} from {from} to {to}",
    "prompt.published": "published the best settings of the prompt {object} as {to}, after {from}",
    "prompt.rolled_back": "rolled the prompt {object} back from {from} to {to}",
    "prompt.withdrawn": "withdrew the version {object} of the prompt {prompt}",
    "rater.answered": "answered the appeal of {object}",
    "rater.appealed": "appealed against how their ratings are judged",
    "rater.consented": "agreed to the terms of a study",
    "rater.counted_again": "let the ratings of {object} count again",
    "rater.excluded": "left the ratings of {object} out",
    "rater.messaged": "wrote to {object}",
    "rater.paused": "paused the ratings of {object}",
    "rater.recalibrated": "asked {object} for the calibration again",
    "rater.resumed": "let {object} go on rating",
    "role.changed": "made {object} {to}, who was {from}",
    "role.ended": "let {object} leave the project",
    "role.given": "let {object} in as {role}",
    "role.taken": "joined as {role}",
    "round.asked": "asked for a {object} of the prompt {prompt} after {samples} samples",
    "session.begun": "signed in with a {via}",
    "session.ended": "ended a session of {object}",
    "study.archived": "archived the study {object}",
    "study.assigned": "let {audience} rate the study {object}, with a share of {share} in place {place}",
    "study.changed": "changed the study {object}",
    "study.cloned": "made the study {object} as a clone",
    "study.finished": "finished the study {object}: {why}",
    "study.guided": "changed what raters of the study {object} are told",
    "study.imported": "imported the study {object}",
    "study.made": "made the study {object}",
    "study.paused": "paused the study {object}",
    "study.reopened": "resumed the study {object} without the rule that had finished it ({rule})",
    "study.running": "resumed the study {object}",
    "study.unassigned": "let {audience} no longer rate the study {object}",
    "user.deactivated": "deactivated {object}",
    "user.erased": "erased somebody, now {object}",
    "user.imported": "imported {object}, whose account was changed in another project",
    "user.reactivated": "let {object} in again",
    "user.zoned": "chose another time zone",
    "version.drafted": "wrote the {object} of the prompt {prompt}",
    "version.released": "released the {object} of the prompt {prompt}",
}


@dataclass(frozen=True)
class EventFilter:
    """Which events are wanted; "" leaves a question open. `until` is the last day wanted.

    `actor` is the id of a person or a key, `terminal` or `palate`; `action` is a whole one, or its first word.
    """

    actor: str = ""
    action: str = ""
    kind: str = ""
    object: str = ""
    since: date | None = None
    until: date | None = None

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "EventFilter":
        """Return the filter that a query string describes; raise InvalidRequest where a value means nothing."""
        given = {name: query.get(name, "").strip() for name in cls.__dataclass_fields__}
        return cls(
            actor=given["actor"],
            action=given["action"],
            kind=given["kind"],
            object=given["object"],
            since=day_of("since", given["since"]),
            until=day_of("until", given["until"]),
        )

    def query(self) -> dict[str, str]:
        """Return the values that are set, as `read` takes them."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: str(value) for name, value in values.items() if value}


@dataclass(frozen=True)
class EventLine:
    """One event with the names that its ids have now: who acted, and on what."""

    event: Event
    actor: str
    object: str

    @property
    def parts(self) -> tuple[str, str, str]:
        """What was done, in words: before the object's name, the name where it is told, and after it."""
        before, found, after = WORDS.get(self.event.action, f"{self.event.action} {{object}}").partition("{object}")
        details = _Details(self.event.details)
        kind = self.event.object_type
        name = self.object or (KINDS[kind] if kind in NAMELESS else self.event.object_id)
        return before.format_map(details), name if found else "", after.format_map(details)

    @property
    def said(self) -> str:
        """The whole event in words, with the note that was typed."""
        note = f": “{self.event.note}”" if self.event.note else " (the note was erased)" if self.note_erased else ""
        return f"{self.actor} {''.join(self.parts)}{note}"

    @property
    def note_erased(self) -> bool:
        """Tell whether a note was typed that is gone."""
        return bool(self.event.note_hash) and not self.event.note


def actions() -> dict[str, tuple[str, ...]]:
    """Return the actions that are known, by their first word."""
    found: dict[str, tuple[str, ...]] = {}
    for action in WORDS:
        first = action.partition(".")[0]
        found[first] = (*found.get(first, ()), action)
    return found


class _Details(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "?"


def place(text: str) -> int | None:
    """Return the number of the event that `after` names, None for "", or raise InvalidRequest."""
    if text and not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise InvalidRequest("`after` is not a place in the audit; take it from the page before.")
    return int(text) if text else None
