"""Keep PROMPTS_DIR saying what the database says: the database is the truth, and the files are its publication.

Only an empty database believes the files. Files are written after the rows that they are made of were committed, while
no transaction is open; what a crash leaves undone in between is done at the start and by the tick.

Tags are taken before rows are read, each move of the pointer writes the live file, and a tag is another with each
write: so whoever knows less than what lies there cannot write over it, and looks again.
"""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC

from ml_service.errors import Conflict, InvalidRequest, NotFound, ServiceError, StorageFull, Unavailable
from ml_service.objects import ObjectStore
from web.domain.prompts.prompt import Pointer, PromptVersion, VersionFile, VersionLine, as_file, to_bytes
from web.ports.parts import Parts
from web.rows.prompts import PromptRows
from web.services.prompts import pointers
from web.services.prompts.versions import (
    Lying,
    current_path,
    lying,
    meta_path,
    published,
    save_version,
    version_path,
)

TRIES = 5
log = logging.getLogger("palate.publication")


@dataclass
class _Look:
    """What one look at a prompt's files put right, and by path what is wrong: what no crash of ours explains stays."""

    live: str = ""
    repaired: list[str] = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Said:
    """What the rows say at one moment: the live version's name, all lines by name, and files that are to be looked at.

    A version whose row is damaged has a fault by its path instead of a file.
    """

    pointer: Pointer
    live: str
    lines: Mapping[str, VersionLine]
    files: Mapping[str, VersionFile]
    faults: Mapping[str, str]


def file_of(tx: PromptRows, version: PromptVersion) -> VersionFile:
    """Return a released version as it is published, or say in InvalidRequest why its row cannot be."""
    file = as_file(version, parent_names(tx, version))
    if file.sha256 != version.sha256:
        told = "is not what was released: its row does not match its sha256; restore the database from a backup."
        raise InvalidRequest(f"{version.prompt_key} {version.name} {told}")
    return file


def parent_names(tx: PromptRows, version: PromptVersion) -> tuple[str, ...]:
    """Return the names of a version's parents, or say in InvalidRequest that one was not released."""
    names = {row.id: row.name for row in tx.versions.all(id=version.parents)}
    parents = tuple(name for name in map(names.get, version.parents) if name is not None)
    if len(parents) != len(version.parents):
        raise InvalidRequest("A parent of this version is not released; promote that one first.")
    return parents


def publish(parts: Parts, prompt_key: str) -> None:
    """Make the files of a prompt say what its rows say; once this returns, every reader finds the live version."""
    try:
        look = _settle(parts, prompt_key)
    except StorageFull as error:
        raise StorageFull(f"{error} The change is kept, and is published as soon as there is room.") from error
    if look.live in look.faults:
        raise Conflict(look.faults[look.live])


def reconcile(parts: Parts) -> tuple[str, ...]:
    """Repair in PROMPTS_DIR what a crash explains and return what that was; Conflict says what nothing explains."""
    keys, faults = _all_there(parts)
    looks = [_settle(parts, key, thorough=True) for key in keys]
    for look in looks:
        faults |= look.faults
    if faults:
        raise Conflict(" ".join(faults.values()))
    return tuple(what for look in looks for what in look.repaired)


def repair(parts: Parts, keys: Iterable[str] = (), *, whole: bool = False) -> frozenset[str]:
    """Put right the files of prompts that no longer say what the rows say; return the prompts that were right.

    `whole` looks for what belongs to no prompt, too. What only an admin can do is logged.
    """
    faults = _strangers(parts) if whole else {}
    right = set()
    for key in keys:
        look = _repaired(parts, key)
        faults |= look.faults
        if not look.repaired and not look.faults:
            right.add(key)
        for what in look.repaired:
            log.warning("a published file was repaired", extra={"file": what})
    if faults:
        log.error("the published prompts need an admin", extra={"error": " ".join(dict.fromkeys(faults.values()))})
    return frozenset(right)


def _repaired(parts: Parts, key: str) -> _Look:
    try:
        return _Look() if _is_right(parts, key) else _settle(parts, key, thorough=True)
    except ServiceError as error:
        return _Look(faults={current_path(key): str(error)})


def _strangers(parts: Parts) -> dict[str, str]:
    try:
        return _all_there(parts)[1]
    except ServiceError as error:
        return {current_path(): str(error)}


def _all_there(parts: Parts) -> tuple[list[str], dict[str, str]]:
    """Return the keys of all prompts, and by path what lies there and belongs to none of them."""
    with folder_errors():
        there = published(parts.published)
    with parts.store.read() as tx:
        keys = [prompt.key for prompt in tx.prompts.all()]
    faults = {path: stray(path) for path in there.strays}
    return keys, faults | {path: _unknown(path) for path in map(current_path, there.names.keys() - {*keys})}


def _settle(parts: Parts, key: str, *, thorough: bool = False) -> _Look:
    """Make the files of a prompt say what the rows say, from the start again where one was changed meanwhile.

    A thorough look goes through all that is in them. Tries count while nobody moves the pointer.
    """
    look, revision, tries = _Look(), -1, 0
    with folder_errors():
        while tries < TRIES:
            tags = {path: parts.published.tag(path) for path in (current_path(key), meta_path(key))}
            there, said = _seen(parts, key, thorough)
            tries = tries + 1 if said.pointer.revision == revision else 1
            revision, look.live = said.pointer.revision, version_path(key, said.live)
            look.faults |= _faults(key, there, said)
            with suppress(Conflict, NotFound):
                _settle_versions(parts, key, there, said, look)
                thorough = False
                if said.live in said.files:
                    _settle_live(parts.published, said, tags, look)
                return look
    raise Unavailable(f"Something keeps changing {current_path(key)} in PROMPTS_DIR; find out what, and stop it.")


def _seen(parts: Parts, key: str, thorough: bool) -> tuple[Lying, _Said]:
    """Return what lies there, and then what the rows say of it: files are written after their rows."""
    there = lying(parts.published, key)
    files, faults = {}, {}
    with parts.store.snapshot() as tx:
        pointer, live = pointers.live(tx, key)
        lines = {line.name: line for line in tx.of_prompts.lines(key) if line.name is not None}
        for name, line in lines.items():
            if line.status == "released" and (thorough or name not in there.names or line.id == live.id):
                try:
                    files[name] = file_of(tx, live if line.id == live.id else tx.versions.get(line.id))
                except InvalidRequest as error:
                    faults[version_path(key, name)] = str(error)
    return there, _Said(pointer, str(live.name), lines, files, faults)


def _faults(key: str, there: Lying, said: _Said) -> dict[str, str]:
    """Return by path what is wrong and stays as it is."""
    unknown = [version_path(key, name) for name in sorted(there.names - said.lines.keys())]
    strays = {path: stray(path) for path in there.strays}
    return {**strays, **said.faults, **{path: _unknown(path) for path in unknown}}


def _settle_versions(parts: Parts, key: str, there: Lying, said: _Said, look: _Look) -> None:
    for name, file in said.files.items():
        path = version_path(key, name)
        try:
            save_version(parts.published, file)
        except Conflict as error:
            look.faults[path] = str(error)
        else:
            look.repaired += [] if name in there.names else [f"{path} is there again"]
    for name in sorted(there.names & _withdrawn(said.lines.values())):
        parts.published.delete(version_path(key, name))
        look.repaired.append(f"{version_path(key, name)} was withdrawn and is gone again")
    if made := said.files.keys() - there.names:
        with parts.store.read() as tx:
            meanwhile = made & _withdrawn(tx.of_prompts.lines(key))
        for name in meanwhile:
            parts.published.delete(version_path(key, name))


def _withdrawn(lines: Iterable[VersionLine]) -> set[str]:
    return {line.name for line in lines if line.name is not None and line.status == "withdrawn"}


def _settle_live(files: ObjectStore, said: _Said, tags: Mapping[str, str], look: _Look) -> None:
    """Write the live file where it differs or another move was the last to write it, and then which move this was."""
    key, file = said.pointer.prompt_key, said.files[said.live]
    current, meta = current_path(key), meta_path(key)
    body, told = to_bytes(file), _meta(said.pointer, file)
    differs = _read(files, current) != body
    is_new = _read(files, meta) != told and bool(tags[meta] or said.pointer.revision)
    if differs or is_new:
        files.replace(current, body, tags[current])
    if is_new:
        files.replace(meta, told, tags[meta])
    look.repaired += [f"{path} is {file.version} again" for path, off in ((current, differs), (meta, is_new)) if off]


def _is_right(parts: Parts, key: str) -> bool:
    """Tell whether names of files, the live version and what is said of it are as the rows have them."""
    with folder_errors():
        there, said = _seen(parts, key, thorough=False)
        released = {name for name, line in said.lines.items() if line.status == "released"}
        if there.strays or said.faults or there.names != released:
            return False
        file, meta = said.files[said.live], _read(parts.published, meta_path(key))
        live = {_read(parts.published, path) for path in (current_path(key), version_path(key, said.live))}
        is_told = meta == _meta(said.pointer, file) or (meta is None and said.pointer.revision == 0)
        return live == {to_bytes(file)} and is_told


def _read(files: ObjectStore, path: str) -> bytes | None:
    try:
        return files.read(path)
    except NotFound:
        return None


def _meta(pointer: Pointer, file: VersionFile) -> bytes:
    said = {
        "version": file.version,
        "sha256": file.sha256,
        "revision": pointer.revision,
        "promoted_at": pointer.moved_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    return (json.dumps(said, indent=2) + "\n").encode()


def _unknown(path: str) -> str:
    advice = (
        "if the database was restored from a backup, restore PROMPTS_DIR from the same one, else move the file away."
    )
    return f"{path} in PROMPTS_DIR is not known to the database; {advice}"


def stray(path: str) -> str:
    """Say what to do about a file that is none of ours."""
    return f"{path} in PROMPTS_DIR is no file of Palate's; move it to another folder."


@contextmanager
def folder_errors() -> Iterator[None]:
    """Raise what the operating system says of PROMPTS_DIR as ours."""
    try:
        yield
    except OSError as error:
        told = f"PROMPTS_DIR cannot be read and written ({error.strerror}: {error.filename})"
        raise Unavailable(f"{told}; the database has it all, and the files follow as soon as they can.") from error
