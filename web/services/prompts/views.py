"""What the pages of prompts and the terminal show of prompts, each of one moment."""

from dataclasses import dataclass

from ml_service.errors import NotFound
from web.domain.access import Actor
from web.domain.prompts.prompt import Pointer, PromptVersion
from web.ports.parts import Parts
from web.rows.prompts import PromptRows
from web.services.prompts import editing, pointers, promotion, releases
from web.services.prompts.promotion import Move
from web.services.prompts.releases import PromptDetail


@dataclass(frozen=True)
class PromptView:
    """One prompt whole, the moves of its pointer newest first, and the names of its versions by id."""

    detail: PromptDetail
    history: tuple[Move, ...]
    names: dict[str, str]


@dataclass(frozen=True)
class Versions:
    """Some versions of a prompt, and the names of all by id."""

    found: tuple[PromptVersion, ...]
    names: dict[str, str]


@dataclass(frozen=True)
class Standing:
    """What is live of a prompt, and another version of it if one was asked for."""

    pointer: Pointer
    live: PromptVersion
    wanted: PromptVersion | None


def versions(parts: Parts, admin: Actor, key: str, *words: str) -> Versions:
    """Return versions of a prompt by their names or ids."""
    with parts.store.snapshot() as tx:
        seen = parts.at(tx)
        found = tuple(releases.version(seen, admin, key, word) for word in words)
        return Versions(found, releases.names(seen, admin, key))


def prompt_view(parts: Parts, admin: Actor, key: str) -> PromptView:
    """Return a prompt with its versions and how it came to what is live."""
    with parts.store.snapshot() as tx:
        seen = parts.at(tx)
        detail, history = releases.prompt(seen, admin, key), promotion.history(seen, admin, key)
        return PromptView(detail, history, releases.names(seen, admin, key))


def parent(parts: Parts, admin: Actor, key: str, word: str) -> PromptVersion:
    """Return the version to write from, by its name or id: the live one where none is named."""
    with parts.store.snapshot() as tx:
        return editing.parent_of(tx, admin, key, word)


def standing(parts: Parts, key: str, name: str | None = None) -> Standing:
    """Return what is live of a prompt beside the version of a name or id; whoever asks is the operator."""
    with parts.store.snapshot() as tx:
        pointer = pointers.find(tx, key)
        if pointer is None:
            keys = ", ".join(prompt.key for prompt in tx.prompts.all()) or "none; start Palate once"
            raise NotFound(f"There is no prompt {key} that is live. There are: {keys}.")
        return Standing(pointer, tx.versions.get(pointer.version_id), None if name is None else _named(tx, key, name))


def _named(tx: PromptRows, key: str, wanted: str) -> PromptVersion:
    version = tx.versions.find(prompt_key=key, name=wanted) or tx.versions.find(prompt_key=key, id=wanted)
    if version is None:
        names = ", ".join(line.name for line in tx.of_prompts.lines(key) if line.name and line.status == "released")
        raise NotFound(f"There is no version {wanted} of {key}. There are: {names}.")
    return version
