"""Prompts and their versions as admins see them and as production reads them."""

from dataclasses import dataclass, field, replace

from ml_service.errors import Gone, InvalidRequest, NotFound
from ml_service.objects import ObjectStore
from web.domain.access import Actor
from web.domain.prompts.feedback import Feedback, FeedbackSummary
from web.domain.prompts.prompt import Pointer, Prompt, PromptVersion, as_file, from_bytes, to_bytes
from web.ports.parts import Parts
from web.rows.prompts import PromptRows
from web.services.accounts import rights
from web.services.prompts import pointers
from web.services.prompts.publication import file_of
from web.services.prompts.versions import current_path, version_path

COMMENTS = 5


@dataclass(frozen=True)
class PromptLine:
    """One prompt in a list: what is live since when, and how many versions there are."""

    prompt: Prompt
    live: PromptVersion
    pointer: Pointer
    versions: int


@dataclass(frozen=True)
class PromptDetail:
    """One prompt whole: what is live, its versions newest first, and what production said of them by version id."""

    prompt: Prompt
    live: PromptVersion
    pointer: Pointer
    versions: tuple[PromptVersion, ...]
    feedback: dict[str, FeedbackSummary] = field(default_factory=dict)
    comments: tuple[Feedback, ...] = ()


@dataclass(frozen=True)
class Pulled:
    """What production reads: the bytes of a version's file, and the version's name."""

    body: bytes
    version: str


def prompts(parts: Parts, actor: Actor) -> tuple[PromptLine, ...]:
    """Return the prompts of the actor's project by key."""
    rights.demand(actor, "see_all")
    with parts.store.snapshot() as tx:
        found = tx.prompts.all(project_id=actor.project_id)
        return tuple(_line(tx, prompt) for prompt in found)


def prompt(parts: Parts, actor: Actor, key: str) -> PromptDetail:
    """Return a prompt with its versions; `comments` are the newest ones on the live version."""
    with parts.store.read() as tx:
        found = rights.found(tx.prompts, actor, "see_all", "prompt", key)
        pointer, live = pointers.live(tx, found.key)
        versions = sorted(tx.versions.all(prompt_key=key), key=lambda version: -version.number)
        comments = tx.of_prompts.comments(live.id, COMMENTS)
        return PromptDetail(found, live, pointer, tuple(versions), tx.of_prompts.feedback(key), comments)


def version(parts: Parts, actor: Actor, key: str, word: str) -> PromptVersion:
    """Return a version of a prompt by its name or its id: withdrawn ones too, and candidates, which have no name."""
    with parts.store.read() as tx:
        return either(tx, rights.found(tx.prompts, actor, "see_all", "prompt", key).key, word)


def names(parts: Parts, actor: Actor, key: str) -> dict[str, str]:
    """Return the names of a prompt's versions by their ids; a candidate has none, and stands under its id."""
    with parts.store.read() as tx:
        lines = tx.of_prompts.lines(rights.found(tx.prompts, actor, "see_all", "prompt", key).key)
    return {line.id: line.name or line.id for line in lines}


def pull(parts: Parts, actor: Actor, key: str, name: str | None = None) -> Pulled:
    """Return the file of the live version, or of the one named; Gone where that was withdrawn.

    The published bytes go out once they are shown to be what the database says; where they are missing, broken or
    older, the same file is written from the row instead.
    """
    with parts.store.read() as tx:
        prompt_key = rights.found(tx.prompts, actor, "pull_prompts", "prompt", key).key
        wanted = pointers.live_version(tx, prompt_key) if name is None else named(tx, prompt_key, name)
        if wanted.status == "withdrawn":
            raise Gone(f"{key} {wanted.name} was withdrawn; forget it, and pull the live version instead.")
    path = current_path(key) if name is None else version_path(key, name)
    body = _published(parts.published, path, wanted)
    if body is None:
        with parts.store.read() as tx:
            body = to_bytes(file_of(tx, wanted))
    return Pulled(body, str(wanted.name))


def exported(parts: Parts, actor: Actor, key: str, word: str) -> Pulled:
    """Return the file of any version, to be taken elsewhere; one without a name is v0.0.0 there, of named parents."""
    with parts.store.read() as tx:
        found = either(tx, rights.found(tx.prompts, actor, "see_all", "prompt", key).key, word)
        if found.name is not None:
            return Pulled(to_bytes(file_of(tx, found)), found.name)
        names = [parent.name for parent in tx.versions.all(id=found.parents) if parent.name is not None]
        return Pulled(to_bytes(as_file(replace(found, name="v0.0.0"), names)), f"candidate-{found.number}")


def named(tx: PromptRows, key: str, name: str) -> PromptVersion:
    """Return a prompt's version by its name."""
    found = tx.versions.find(prompt_key=key, name=name)
    if found is None:
        raise NotFound(f"The prompt {key} has no version {name}.")
    return found


def either(tx: PromptRows, key: str, word: str) -> PromptVersion:
    """Return a prompt's version by its name or its id."""
    return tx.versions.find(prompt_key=key, id=word) or named(tx, key, word)


def _line(tx: PromptRows, found: Prompt) -> PromptLine:
    pointer, live = pointers.live(tx, found.key)
    return PromptLine(found, live, pointer, len(tx.of_prompts.lines(found.key)))


def _published(files: ObjectStore, path: str, wanted: PromptVersion) -> bytes | None:
    """Return a file's bytes where they are whole and hold this version, else None."""
    try:
        body = files.read(path)
        found = from_bytes(body)
    except (NotFound, InvalidRequest, OSError):
        return None
    is_wanted = (found.prompt_key, found.version, found.sha256) == (wanted.prompt_key, wanted.name, wanted.sha256)
    return body if is_wanted else None
