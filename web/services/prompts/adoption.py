"""Take in the released versions that an empty database finds, or say what is wrong with them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from ml_service.errors import Conflict, NotFound
from ml_service.objects import ObjectStore
from web.domain.access import Actor
from web.domain.ids import new_id
from web.domain.prompts.prompt import (
    DEFAULT_KEY,
    Pointer,
    Prompt,
    PromptVersion,
    VersionFile,
    as_row,
    number_of,
    to_bytes,
)
from web.ports.parts import Parts
from web.rows.prompts import PromptRows
from web.services.audit.record import record
from web.services.prompts import pointers
from web.services.prompts.publication import folder_errors, stray
from web.services.prompts.versions import current_path, load_current, load_version, published, version_path


@dataclass(frozen=True)
class _Found:
    """The verified versions of one prompt by name, and the one that is live."""

    key: str
    files: Mapping[str, VersionFile]
    live: VersionFile


def adopt(parts: Parts, project_id: str) -> None:
    """Take all released versions and what is live from PROMPTS_DIR into a database that has no prompt yet."""
    with parts.store.read() as tx:
        if tx.prompts.find() is not None:
            return
    with folder_errors():
        found = _verified(parts.published)
    now = parts.clock.now()
    with parts.store.begin() as tx:
        if tx.prompts.find() is not None:  # another process has just done it
            return
        taken = [(prompt, _take_in(tx, prompt, project_id, now)) for prompt in found]
        for prompt, pointer in taken:
            details = {"prompt": prompt.key, "from": "", "to": prompt.live.version, "revision": str(pointer.revision)}
            subject = ("pointer", pointer.id)
            record(tx, now, Actor.itself(project_id), "prompt.adopted", subject, after=pointer, details=details)


def _verified(files: ObjectStore) -> list[_Found]:
    there = published(files)
    if there.strays:
        raise Conflict(stray(there.strays[0]))
    return [_found(files, key, there.names.get(key, set())) for key in sorted({DEFAULT_KEY, *there.names})]


def _found(files: ObjectStore, key: str, names: set[str]) -> _Found:
    versions = {name: load_version(files, name, key) for name in sorted(names, key=number_of)}
    for name, file in versions.items():
        if files.read(version_path(key, name)) != to_bytes(file):
            told = "is not in the form that Palate writes; restore it from a backup or from version control."
            raise Conflict(f"{version_path(key, name)} in PROMPTS_DIR {told}")
        if any(number_of(parent) >= number_of(name) for parent in file.parents):
            raise Conflict(f"{version_path(key, name)} in PROMPTS_DIR names a parent that is not older than itself.")
    try:
        live = load_current(files, key)
    except NotFound as error:
        advice = "copy the version that is to be live onto it, or restore it from version control."
        raise Conflict(f"{current_path(key)} is missing from PROMPTS_DIR; {advice}") from error
    if versions.get(live.version) != live or files.read(current_path(key)) != to_bytes(live):
        advice = "copy the version that is to be live onto it, or restore both from version control."
        raise Conflict(f"{current_path(key)} in PROMPTS_DIR is not a copy of a released version; {advice}")
    return _Found(key, versions, live)


def _take_in(tx: PromptRows, found: _Found, project_id: str, now: datetime) -> Pointer:
    tx.prompts.add(Prompt(found.key, project_id, now))
    rows = {row.name: row for row in _rows(found, now)}
    tx.versions.add_all(rows.values())
    return pointers.make(tx, found.key, rows[found.live.version].id, now)


def _rows(found: _Found, now: datetime) -> Iterator[PromptVersion]:
    """Make a row of each file; a parent without one was withdrawn, and its name stays taken."""
    names = {*found.files, *(parent for file in found.files.values() for parent in file.parents)}
    ids = {name: new_id() for name in sorted(names, key=number_of)}
    for number, (name, version_id) in enumerate(ids.items(), start=1):
        file = found.files.get(name)
        if file is None:
            yield PromptVersion(version_id, found.key, number, name, {}, now, "", status="withdrawn")
        else:
            yield as_row(file, version_id, number, [ids[parent] for parent in file.parents])
