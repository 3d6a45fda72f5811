"""A version while somebody writes it by hand: what it changes, and which gates it would not pass; nothing is kept."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ml_service.errors import InvalidRequest
from web.domain.access import Actor
from web.domain.prompts.diff import Comparison, compare
from web.domain.prompts.gates import Gauge, Rejection, rejections
from web.domain.prompts.prompt import PromptVersion
from web.ports.parts import Parts
from web.rows.prompts import PromptRows
from web.services.accounts import rights
from web.services.prompts import pointers
from web.services.prompts.drafts import Draft
from web.services.prompts.gauging import limits
from web.services.prompts.releases import either


@dataclass(frozen=True)
class Look:
    """A draft beside what it is written from; `rejections` are by place, as gates name them."""

    parent: PromptVersion
    made: PromptVersion
    rejections: Mapping[str, Rejection]

    @property
    def comparison(self) -> Comparison:
        """What the draft changes."""
        return compare(self.parent, self.made)


def parent_of(tx: PromptRows, actor: Actor, prompt_key: str, word: str = "") -> PromptVersion:
    """Return the version to write from, by its name or id: the live one where none is named."""
    key = rights.found(tx.prompts, actor, "publish", "prompt", prompt_key).key
    found = either(tx, key, word) if word else pointers.live_version(tx, key)
    if found.status == "withdrawn":
        raise InvalidRequest(f"{found.name} was withdrawn; write from another version.")
    return found


def look(parts: Parts, actor: Actor, prompt_key: str, asked: Draft) -> Look:
    """Return what a draft changes, and each gate that it would not pass as it is."""
    with parts.store.read() as tx:
        parent = parent_of(tx, actor, prompt_key, asked.parent_id or "")
        before = tuple(one for one in tx.versions.all(prompt_key=parent.prompt_key) if one.id != parent.id)
    own = {"id": "", "name": None, "status": "candidate", "changelog": asked.changelog}
    made = replace(parent, **own, **asked.written)  # type: ignore[arg-type]
    return Look(parent, made, rejections(made, Gauge(parent, parts.scanner, before, limits(parts, parent))))
