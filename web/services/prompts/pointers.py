"""What is live: the one place that finds, reads and locks the pointer of production."""

from ml_service.errors import NotFound
from web.domain.prompts.prompt import Pointer, PromptVersion
from web.rows.transaction import Transaction


def find(tx: Transaction, key: str) -> Pointer | None:
    """Return the pointer of production, or None where a prompt has none yet."""
    return tx.pointers.find(prompt_key=key, kind="environment", name="production")


def live(tx: Transaction, key: str) -> tuple[Pointer, PromptVersion]:
    """Return the pointer of production and the version it points at."""
    found = find(tx, key)
    if found is None:
        raise NotFound(f"The prompt {key} has no live version; run `python -m web doctor`.")
    return found, tx.versions.get(found.version_id)


def live_version(tx: Transaction, key: str) -> PromptVersion:
    """Return the version that is in production."""
    return live(tx, key)[1]


def locked(tx: Transaction, key: str) -> Pointer:
    """Return the pointer of production, which nobody else moves until this transaction ends."""
    return tx.of_prompts.lock(key, "environment", "production")
