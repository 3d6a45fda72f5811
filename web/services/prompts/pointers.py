"""What is live: the one place that makes, finds, reads, locks and moves the pointers of a prompt.

What is live is where the pointer of production points. The branch `main` is made beside it and stays where it is.
"""

from dataclasses import replace
from datetime import datetime

from ml_service.errors import NotFound
from web.domain.ids import new_id
from web.domain.prompts.prompt import Pointer, PointerKind, PromptVersion
from web.rows.prompts import PromptRows

PRODUCTION: tuple[PointerKind, str] = ("environment", "production")
MAIN: tuple[PointerKind, str] = ("branch", "main")


def make(tx: PromptRows, key: str, version_id: str, now: datetime) -> Pointer:
    """Make the pointers of a prompt that is new; return that of production."""
    tx.pointers.add(Pointer(new_id(), key, *MAIN, version_id, now))
    return tx.pointers.add(Pointer(new_id(), key, *PRODUCTION, version_id, now))


def move(tx: PromptRows, pointer: Pointer, version_id: str, now: datetime) -> Pointer:
    """Let a pointer point at another version, or raise Conflict where somebody else has moved it."""
    return tx.pointers.replace(replace(pointer, version_id=version_id, moved_at=now))


def find(tx: PromptRows, key: str) -> Pointer | None:
    """Return the pointer of production, or None where a prompt has none yet."""
    kind, name = PRODUCTION
    return tx.pointers.find(prompt_key=key, kind=kind, name=name)


def live(tx: PromptRows, key: str) -> tuple[Pointer, PromptVersion]:
    """Return the pointer of production and the version it points at."""
    found = find(tx, key)
    if found is None:
        raise NotFound(f"The prompt {key} has no live version; run `python -m web doctor`.")
    return found, tx.versions.get(found.version_id)


def live_version(tx: PromptRows, key: str) -> PromptVersion:
    """Return the version that is in production."""
    return live(tx, key)[1]


def locked(tx: PromptRows, key: str) -> Pointer:
    """Return the pointer of production, which nobody else moves until this transaction ends."""
    return tx.of_prompts.lock(key, *PRODUCTION)
