"""Versions written by hand: they pass the same gates as those that a model proposes, and are candidates like them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ml_service.errors import Conflict, InvalidRequest
from ml_service.wire.contract import Point
from web.domain.access import Actor
from web.domain.ids import is_id, new_id
from web.domain.prompts.gates import Gauge, first_rejection
from web.domain.prompts.prompt import PromptVersion, Variable
from web.ports.parts import Parts
from web.rows.prompts import PromptRows
from web.services.accounts import rights
from web.services.audit.record import record
from web.services.prompts import pointers
from web.services.prompts.gauging import limits

BY_HAND = "hand"


@dataclass(frozen=True)
class Draft:
    """What somebody writes; None takes what the parent has, and without a parent the live version is one.

    `id` lets a request be repeated.
    """

    changelog: str
    components: Mapping[str, Mapping[str, str]] | None = None
    variables: Mapping[str, Variable] | None = None
    parameter_defaults: Mapping[str, Point] | None = None
    slots_locked: tuple[str, ...] | None = None
    parent_id: str | None = None
    id: str | None = None

    @property
    def written(self) -> dict[str, object]:
        """What of a version this says otherwise than its parent."""
        names = ("components", "variables", "parameter_defaults", "slots_locked")
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}


def draft(parts: Parts, actor: Actor, prompt_key: str, asked: Draft) -> PromptVersion:
    """Keep a version as a candidate where it passes the gates; InvalidRequest says which one it does not pass.

    The same id keeps it once; nobody meets it before it is tested or promoted.
    """
    if asked.id is not None and not is_id(asked.id):
        raise InvalidRequest("The id of a new version must be a UUID.")
    if not asked.changelog.strip():
        raise InvalidRequest("Say in the changelog what is new.")
    with parts.store.begin() as tx:
        key = rights.found(tx.prompts, actor, "publish", "prompt", prompt_key).key
        number = tx.of_prompts.next_number(key)  # who repeats a request waits here for the first
        live = pointers.live_version(tx, key)
        parent = live if asked.parent_id is None else _parent(tx, key, asked.parent_id)
        now = parts.clock.now()
        made = replace(
            parent,
            id=asked.id or new_id(),
            number=number,
            name=None,
            status="candidate",
            created_at=now.replace(microsecond=0),
            created_by=BY_HAND,
            parents=(parent.id,) if parent.name else parent.parents,
            changelog=asked.changelog.strip(),
            sha256="",
            revision=0,
            **asked.written,  # type: ignore[arg-type]
        )
        known = tx.versions.find(id=made.id)
        if known is not None:
            return _same(known, made)
        _check(tx, parts, parent, made)
        kept = tx.versions.add(made)
        record(tx, now, actor, "version.drafted", ("version", kept.id), after=kept, details={"prompt": key})
        return kept


def _parent(tx: PromptRows, key: str, parent_id: str) -> PromptVersion:
    found = tx.versions.find(id=parent_id, prompt_key=key)
    if found is None or found.status == "withdrawn":
        raise InvalidRequest(f"There is no version {parent_id} of {key} to build on.")
    return found


def _check(tx: PromptRows, parts: Parts, parent: PromptVersion, made: PromptVersion) -> None:
    made.check()
    before = tuple(one for one in tx.versions.all(prompt_key=made.prompt_key) if one.id != parent.id)
    found = first_rejection(made, Gauge(parent, parts.scanner, before, limits(parts, parent)))
    if found is not None:
        raise InvalidRequest(f"{found.reason} ({found.gate})")


def _same(known: PromptVersion, made: PromptVersion) -> PromptVersion:
    fields = ("prompt_key", "components", "variables", "parameter_defaults", "slots_locked", "changelog")
    if any(getattr(known, name) != getattr(made, name) for name in fields):
        raise Conflict("This id is taken by another version; send a fresh one.")
    return known
