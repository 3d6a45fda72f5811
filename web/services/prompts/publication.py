"""Keep PROMPTS_DIR saying what the database says: the database is the truth, and the files are its publication.

Only an empty database believes the files. A file is written after the row that it is made of was committed, and while
the pointer is locked; what a crash leaves undone in between is done at the start and by the tick.
"""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC

from ml_service.errors import Conflict, InvalidRequest, NotFound, ServiceError, StorageFull, Unavailable
from ml_service.objects import ObjectStore
from web.domain.prompts.prompt import Pointer, PromptVersion, VersionFile, VersionLine, as_file, to_bytes
from web.ports.parts import Parts
from web.rows.transaction import Transaction
from web.services.prompts import pointers
from web.services.prompts.versions import current_path, meta_path, published, save_version, version_path

TRIES = 5
log = logging.getLogger("palate.publication")


def file_of(tx: Transaction, version: PromptVersion) -> VersionFile:
    """Return a released version as it is published, or say in InvalidRequest why its row cannot be."""
    file = as_file(version, parent_names(tx, version))
    if file.sha256 != version.sha256:
        told = "is not what was released: its row does not match its sha256; restore the database from a backup."
        raise InvalidRequest(f"{version.prompt_key} {version.name} {told}")
    return file


def parent_names(tx: Transaction, version: PromptVersion) -> tuple[str, ...]:
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
    with folder_errors():
        there = published(parts.published)
    with parts.store.read() as tx:
        keys = [prompt.key for prompt in tx.prompts.all()]
    looks = [_settle(parts, key, thorough=True) for key in keys]
    faults = [stray(path) for path in there.strays]
    faults += [_unknown(current_path(key)) for key in there.names if key not in keys]
    faults += [fault for look in looks for fault in look.faults.values()]
    if faults:
        raise Conflict(" ".join(faults))
    return tuple(what for look in looks for what in look.repaired)


def repair(parts: Parts) -> None:
    """Put right whatever files no longer say what the database says; what only an admin can do is logged."""
    try:
        if _differs(parts):
            for what in reconcile(parts):
                log.warning("a published file was repaired", extra={"file": what})
    except ServiceError as error:
        log.error("the published prompts need an admin", extra={"error": str(error)})


class _Look:
    """One look at a prompt's files while its pointer is locked: what was put right, and by path what is wrong.

    Wrong is what no crash of ours explains; it stays as it is.
    """

    def __init__(self, tx: Transaction, files: ObjectStore, key: str) -> None:
        self.tx, self.files, self.key = tx, files, key
        self.repaired: list[str] = []
        self.faults: dict[str, str] = {}
        self.live = ""

    def settle(self, thorough: bool) -> None:
        """Make the files say what the rows say; a thorough look goes through all that is in them."""
        path = current_path(self.key)
        pointer = pointers.locked(self.tx, self.key)
        tag = self.files.tag(path)
        # Again, since a lock lost while the tag was read makes this fail; whoever writes later changes the tag.
        pointer = self.tx.pointers.get(pointer.id)
        live = self.tx.versions.get(pointer.version_id)
        self.live = version_path(self.key, str(live.name))
        self._settle_versions(pointer, thorough)
        try:
            file = file_of(self.tx, live)
        except InvalidRequest as error:
            self.faults[self.live] = str(error)
            return
        if _read(self.files, path) != to_bytes(file):
            self.files.replace(path, to_bytes(file), tag)
            self.repaired.append(f"{path} is {file.version} again")
        self._settle_meta(pointer, file)

    def _settle_versions(self, pointer: Pointer, thorough: bool) -> None:
        lines = {line.name: line for line in self.tx.of_prompts.lines(self.key) if line.name is not None}
        present = published(self.files).names.get(self.key, set())
        for name, line in lines.items():
            path = version_path(self.key, name)
            if line.status == "withdrawn" and name in present:
                self.files.delete(path)
                self.repaired.append(f"{path} was withdrawn and is gone again")
            elif line.status == "released" and (thorough or name not in present or line.id == pointer.version_id):
                self._settle_version(line, path, name in present)
        for name in sorted(present - lines.keys()):
            self.faults[version_path(self.key, name)] = _unknown(version_path(self.key, name))

    def _settle_version(self, line: VersionLine, path: str, present: bool) -> None:
        try:
            save_version(self.files, file_of(self.tx, self.tx.versions.get(line.id)))
        except (Conflict, InvalidRequest) as error:
            self.faults[path] = str(error)
            return
        if not present:
            self.repaired.append(f"{path} is there again")

    def _settle_meta(self, pointer: Pointer, file: VersionFile) -> None:
        path, body = meta_path(self.key), _meta(pointer, file)
        tag = self.files.tag(path)
        if _read(self.files, path) != body and (tag or pointer.revision):
            self.files.replace(path, body, tag)
            self.repaired.append(f"{path} is {file.version} again")


def _settle(parts: Parts, key: str, *, thorough: bool = False) -> _Look:
    """Settle the files of a prompt, from the start again where something else changed one meanwhile."""
    for _ in range(TRIES):
        with folder_errors():
            try:
                with parts.store.begin() as tx:
                    look = _Look(tx, parts.published, key)
                    look.settle(thorough)
            except Conflict:
                continue
        return look
    raise Unavailable(f"Something keeps changing {current_path(key)} in PROMPTS_DIR; find out what, and stop it.")


def _differs(parts: Parts) -> bool:
    """Tell, without any lock, whether names of files, a live version or what is said of it differ from the rows."""
    with folder_errors():
        there = published(parts.published)
        with parts.store.read() as tx:
            keys = {prompt.key for prompt in tx.prompts.all()}
            if there.strays or there.names.keys() != keys:
                return True
            return any(_is_off(tx, parts.published, key, there.names[key]) for key in keys)


def _is_off(tx: Transaction, files: ObjectStore, key: str, names: set[str]) -> bool:
    pointer = pointers.find(tx, key)
    if pointer is None or {line.name for line in tx.of_prompts.lines(key) if line.status == "released"} != names:
        return True
    file = file_of(tx, tx.versions.get(pointer.version_id))
    meta = _read(files, meta_path(key))
    live = {_read(files, path) for path in (current_path(key), version_path(key, file.version))}
    return live != {to_bytes(file)} or (meta != _meta(pointer, file) and (meta is not None or pointer.revision > 0))


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
