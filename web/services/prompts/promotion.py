"""The only road to what is live: a version is published, promoted or rolled back to by moving production's pointer.

A promotion is one transaction; its files are written before it is acknowledged. Whoever repeats one, because the
answer was lost or the disk was full, finishes it and gets the answer of the first time.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from ml_service.errors import Conflict, InvalidRequest, NotFound
from web.domain.access import Actor
from web.domain.audit.audit import Event
from web.domain.ids import is_id, new_id
from web.domain.prompts.prompt import Pointer, PromptVersion
from web.domain.studies.study import Study
from web.ports.parts import Parts
from web.rows.audit import AuditRows
from web.rows.prompts import PromptHistoryRows, PromptRows
from web.services.accounts import rights
from web.services.audit.record import record
from web.services.prompts import pointers
from web.services.prompts.candidates import best_child, released
from web.services.prompts.publication import publish
from web.services.prompts.releases import named

PUBLISHED, PROMOTED, ROLLED_BACK = "prompt.published", "prompt.promoted", "prompt.rolled_back"
MOVES = ("prompt.adopted", PUBLISHED, PROMOTED, ROLLED_BACK)


@dataclass(frozen=True)
class Promotion:
    """What a promotion made live: the version, and the pointer of production as it was moved."""

    version: PromptVersion
    pointer: Pointer


@dataclass(frozen=True)
class Move:
    """One entry of a prompt's history; adopting comes from no version.

    `actor` is an address, `the terminal`, `Palate` where it moved by itself, or nothing for somebody who was erased.
    """

    at: datetime
    actor: str
    action: str
    from_version: str
    to_version: str
    revision: int
    note: str


def publish_best(
    parts: Parts,
    actor: Actor,
    study_id: str,
    *,
    revision: int | None = None,
    version_id: str | None = None,
    learnt_id: str | None = None,
    note: str = "",
) -> Promotion:
    """Release the best settings that a study has learnt as a child of the live version, and make it live.

    `learnt_id` names the diagnosis that somebody has seen, where newer ones may have come since.
    """
    with parts.store.begin() as tx:
        study = rights.found(tx.studies, actor, "publish", "study", study_id)
        pointer = _locked(tx, actor, study.prompt_key)
        promotion = _published_as(tx, pointer, study, version_id)
        if promotion is None:
            _check_revision(pointer, revision)
            live = tx.versions.get(pointer.version_id)
            child = best_child(tx, study, live, learnt_id, version_id or new_id(), parts.clock.now())
            numbered = replace(child, number=tx.of_prompts.next_number(study.prompt_key))
            version = tx.versions.add(released(tx, numbered))
            promotion = _moved(tx, parts, actor, pointer, version, PUBLISHED, {"study": study.id}, note)
    publish(parts, study.prompt_key)
    return promotion


def promote(
    parts: Parts, actor: Actor, prompt_key: str, version_id: str, revision: int, *, note: str = ""
) -> Promotion:
    """Make a version live; one that was a candidate is released and gets its name."""
    with parts.store.begin() as tx:
        pointer = _locked(tx, actor, prompt_key)
        version = _version(tx, prompt_key, version_id)
        promotion = _repeated(tx, pointer, revision, PROMOTED, version)
        if promotion is None:
            _check_revision(pointer, revision)
            made = tx.versions.replace(released(tx, version)) if version.status == "candidate" else version
            promotion = Promotion(made, pointer)
            if made.id != pointer.version_id:
                promotion = _moved(tx, parts, actor, pointer, made, PROMOTED, {}, note)
            if made != version:
                details = {"prompt": prompt_key, "version": str(made.name)}
                subject, now = ("version", made.id), parts.clock.now()
                record(tx, now, actor, "version.released", subject, before=version, after=made, details=details)
    publish(parts, prompt_key)
    return promotion


def roll_back(
    parts: Parts, actor: Actor, prompt_key: str, revision: int, *, version_id: str | None = None, note: str = ""
) -> Promotion:
    """Make the version live that was live before, or a named one; what was rolled back stays at its pinned address."""
    with parts.store.begin() as tx:
        pointer = _locked(tx, actor, prompt_key)
        wanted = None if version_id is None else _version(tx, prompt_key, version_id)
        promotion = _repeated(tx, pointer, revision, ROLLED_BACK, wanted)
        if promotion is None:
            _check_revision(pointer, revision)
            version = wanted or _before(tx, pointer)
            if version.id == pointer.version_id:
                raise Conflict(f"{version.name} is live already.")
            promotion = _moved(tx, parts, actor, pointer, version, ROLLED_BACK, {}, note)
    publish(parts, prompt_key)
    return promotion


def go_live(parts: Parts, actor: Actor, prompt_key: str, name: str, revision: int, *, note: str = "") -> Promotion:
    """Make a released version live; one older than what was live at the revision given is rolled back to."""
    with parts.store.read() as tx:
        wanted = named(tx, rights.found(tx.prompts, actor, "publish", "prompt", prompt_key).key, name)
        numbers = {line.name: line.number for line in tx.of_prompts.lines(prompt_key)}
    moves = history(parts, actor, prompt_key)
    then = next((move.to_version for move in moves if move.revision == revision), name)
    if wanted.number < numbers.get(then, 0):
        return roll_back(parts, actor, prompt_key, revision, version_id=wanted.id, note=note)
    return promote(parts, actor, prompt_key, wanted.id, revision, note=note)


def withdraw(parts: Parts, actor: Actor, version_id: str, note: str = "") -> PromptVersion:
    """Take a released version down for good: its pinned address is gone, and it never becomes live again."""
    with parts.store.begin() as tx:
        found = tx.versions.find(id=version_id)
        if found is None:
            raise NotFound(f"There is no version {version_id}.")
        pointer = _locked(tx, actor, found.prompt_key)
        version = tx.versions.get(version_id)
        if version.status != "withdrawn":
            version = _withdrawn(tx, parts, actor, pointer, version, note)
    publish(parts, version.prompt_key)
    return version


def history(parts: Parts, actor: Actor, prompt_key: str) -> tuple[Move, ...]:
    """Return what was live when and who made it so, newest first."""
    with parts.store.read() as tx:
        rights.found(tx.prompts, actor, "see_all", "prompt", prompt_key)
        pointer = pointers.find(tx, prompt_key)
        events = moves_of(tx, pointer) if pointer else []
        ids = tuple(event.actor_id for event in events if event.actor_id)
        people = {user.id: user.email for user in tx.users.all(id=ids)}
    return tuple(_move(event, people) for event in events)


def _move(event: Event, people: dict[str, str]) -> Move:
    details = event.details
    actor = people.get(event.actor_id, "") if event.actor_id else event.nobody
    return Move(event.at, actor, event.action, details["from"], details["to"], int(details["revision"]), event.note)


def moves_of(tx: AuditRows, pointer: Pointer) -> list[Event]:
    """Return the moves of a pointer, newest first."""
    found = tx.events.all(object_type="pointer", object_id=pointer.id, action=MOVES)
    return sorted(found, key=lambda event: -int(event.details["revision"]))


def _locked(tx: PromptRows, actor: Actor, prompt_key: str) -> Pointer:
    """Return the pointer of production, which nobody else moves now; its revision is what all go by."""
    return pointers.locked(tx, rights.found(tx.prompts, actor, "publish", "prompt", prompt_key).key)


def _version(tx: PromptRows, prompt_key: str, version_id: str) -> PromptVersion:
    version = tx.versions.find(id=version_id)
    if version is None or version.prompt_key != prompt_key:
        raise NotFound(f"There is no version {version_id} of {prompt_key}.")
    return version


def _check_revision(pointer: Pointer, revision: int | None) -> None:
    if revision is not None and revision != pointer.revision:
        told = f"{pointer.prompt_key} was changed meanwhile: it is at revision {pointer.revision}, not {revision}"
        raise Conflict(f"{told}. Look at what is live now, and repeat what you meant.")


def _published_as(tx: PromptHistoryRows, pointer: Pointer, study: Study, version_id: str | None) -> Promotion | None:
    """Return what the first request under this id was answered, or None where it is the first."""
    if version_id is None:
        return None
    if not is_id(version_id):
        raise InvalidRequest("The id of a new version must be a UUID.")
    version = tx.versions.find(id=version_id)
    if version is None:
        return None
    for event in moves_of(tx, pointer):
        if event.details["to"] == version.name and event.details.get("study") == study.id:
            return _then(pointer, version, event)
    raise Conflict("This id is taken by another version; send a fresh one.")


def _repeated(
    tx: PromptHistoryRows, pointer: Pointer, revision: int, action: str, wanted: PromptVersion | None
) -> Promotion | None:
    """Return what a request was answered that made this very move, or None where nobody has moved since."""
    if revision == pointer.revision:
        return None
    for event in moves_of(tx, pointer):
        version = tx.versions.find(prompt_key=pointer.prompt_key, name=event.details["to"])
        if event.action == action and int(event.details["revision"]) == revision + 1 and version is not None:
            return _then(pointer, version, event) if wanted in (None, version) else None
    return None


def _then(pointer: Pointer, version: PromptVersion, event: Event) -> Promotion:
    moved = replace(pointer, version_id=version.id, moved_at=event.at, revision=int(event.details["revision"]))
    return Promotion(version, moved)


def _moved(
    tx: PromptHistoryRows,
    parts: Parts,
    actor: Actor,
    pointer: Pointer,
    version: PromptVersion,
    action: str,
    more: dict[str, str],
    note: str,
) -> Promotion:
    """Point production at a released version, and write down who did."""
    if version.status != "released":
        told = "was withdrawn" if version.status == "withdrawn" else "was never released; promote it instead"
        raise Conflict(f"{version.name or 'This version'} {told}.")
    now, live = parts.clock.now(), tx.versions.get(pointer.version_id)
    moved = pointers.move(tx, pointer, version.id, now)
    details = {"prompt": pointer.prompt_key, "from": str(live.name), "to": str(version.name), **more}
    details["revision"] = str(moved.revision)
    record(tx, now, actor, action, ("pointer", pointer.id), before=pointer, after=moved, details=details, note=note)
    return Promotion(version, moved)


def _before(tx: PromptHistoryRows, pointer: Pointer) -> PromptVersion:
    """Return the version that was live last before this one, withdrawn ones passed over."""
    for event in moves_of(tx, pointer):
        version = tx.versions.find(prompt_key=pointer.prompt_key, name=event.details["from"])
        if version is not None and version.status == "released" and version.id != pointer.version_id:
            return version
    raise Conflict("There is no earlier version to go back to.")


def _withdrawn(
    tx: PromptHistoryRows, parts: Parts, actor: Actor, pointer: Pointer, version: PromptVersion, note: str
) -> PromptVersion:
    if version.status == "candidate":
        raise Conflict("This version was never released, so there is nothing to withdraw.")
    if pointer.version_id == version.id:
        raise Conflict(f"{version.name} is live; make another version live before you withdraw it.")
    gone = tx.versions.replace(replace(version, status="withdrawn"))
    details = {"prompt": version.prompt_key, "version": str(version.name)}
    subject, now = ("version", version.id), parts.clock.now()
    record(tx, now, actor, "prompt.withdrawn", subject, before=version, after=gone, details=details, note=note)
    return gone
