"""Check all that can be checked: audit chains, rows, published files, objects; and find objects nothing needs."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from ml_service.errors import InvalidRequest, NotFound
from ml_service.objects import ObjectStore
from web.domain.prompts.prompt import VersionLine, to_bytes
from web.domain.reports.report import Needed
from web.ports.parts import Parts
from web.rows.prompts import PromptRows
from web.services.audit.chain import RESTORE, Chain, Last, check_chain, check_head, check_rows
from web.services.prompts import pointers
from web.services.prompts.publication import file_of, folder_errors, stray
from web.services.prompts.versions import current_path, published, version_path
from web.services.studies.objects import VIEW, discard

OLD = timedelta(days=1)
BATCH = 2000  # objects looked up at a time
FOLDERS = ("inputs/", "outputs/")
FOLLOWS = "a worker puts that right by itself; start one with `python -m web work` if none runs."

Kind = Literal["event", "row", "file", "object", "orphan"]
Watch = Callable[[Iterable[Needed], int], Iterable[Needed]]


@dataclass(frozen=True)
class Finding:
    """What is wrong with what, and what to do; an orphan, an object that nothing needs, is no fault."""

    kind: Kind
    says: str


class Verification:
    """One look at everything; `checked` counts what was looked at, and `chains` says how each chain ends."""

    def __init__(self, parts: Parts, key: bytes, *, quick: bool = False, watch: Watch = lambda items, _: items) -> None:
        self.parts, self.key, self.quick, self.watch = parts, key, quick, watch
        self.checked: Counter[Kind] = Counter()
        self.chains: list[Chain] = []
        self.orphans: tuple[str, ...] = ()
        self.unfinished = 0

    def findings(self, heads: Iterable[str] = ()) -> Iterator[Finding]:
        """Go through all that is wrong, as it is found; `heads` are such as were kept elsewhere."""
        wrong = self._files()
        with self.parts.store.read() as tx:
            projects = [project.id for project in tx.projects.all()]
        for project_id in projects:
            yield from self._chain(project_id)
        told = (check_head(self.parts, self.key, self.chains, text) for text in heads)
        yield from (Finding("event", fault) for fault in told if fault)
        yield from self._objects()
        yield from self._unfinished()
        still = self._files()  # files are written after their rows: only what lasts is wrong
        yield from (Finding("file", fault) for fault in wrong if fault in still)

    def _chain(self, project_id: str) -> Iterator[Finding]:
        last: Last = {}
        chain = check_chain(self.parts, project_id, last=last)
        self.chains.append(chain)
        self.checked["event"] += chain.events
        yield from (Finding("event", f"{chain.project}: {fault}; {RESTORE}") for fault in chain.faults)
        rows, changed = check_rows(self.parts, project_id, last)
        self.checked["row"] += rows
        yield from (Finding("row", f"{chain.project}: {fault}") for fault in changed)

    def _files(self) -> list[str]:
        with folder_errors():
            there = published(self.parts.published)
            faults = [*map(stray, there.strays)]
            self.checked["file"] = sum(map(len, there.names.values()))
            with self.parts.store.read() as tx:
                keys = [prompt.key for prompt in tx.prompts.all()]
            for key in keys:
                faults += self._of_prompt(key, there.names.get(key, set()))
        return faults

    def _of_prompt(self, key: str, names: set[str]) -> Iterator[str]:
        with self.parts.store.read() as tx:
            live = pointers.find(tx, key)
            released = [line for line in tx.of_prompts.lines(key) if line.status == "released"]
            said = [(line, _body_or_fault(tx, line)) for line in released]
        for line, body in said:
            if isinstance(body, str):
                yield body
                continue
            is_live = live is not None and live.version_id == line.id
            for path in (version_path(key, str(line.name)), *([current_path(key)] if is_live else [])):
                yield from self._of_file(path, body, str(line.name))
        for name in sorted(names - {str(line.name) for line in released}):
            yield f"{version_path(key, name)} in PROMPTS_DIR is no released version of the database; {FOLLOWS}"

    def _of_file(self, path: str, body: bytes, name: str) -> Iterator[str]:
        try:
            found = self.parts.published.read(path)
        except NotFound:
            yield f"{path} is missing from PROMPTS_DIR; {FOLLOWS}"
            return
        if found != body:
            yield f"{path} in PROMPTS_DIR is not {name} as the database has it; move it away, and {FOLLOWS}"

    def _objects(self) -> Iterator[Finding]:
        names = {name for folder in FOLDERS for name in self.parts.objects.list(folder)}
        orphans = set(names)
        for needed in self.watch(self.needed(), len(names)):
            keys = [needed.object_key, *([f"{needed.object_key}{VIEW}"] if needed.kind == "input" else [])]
            orphans.difference_update(keys)
            self.checked["object"] += len(keys)
            faults = [fault for key in keys if (fault := self._of_object(key, needed, key in names)) is not None]
            if faults and self._is_needed(needed):
                yield from (Finding("object", fault) for fault in faults)
        self.orphans = tuple(sorted(orphans))
        yield from (Finding("orphan", f"nothing needs {key}") for key in self.orphans)

    def _unfinished(self) -> Iterator[Finding]:
        for place, store in _stores(self.parts).items():
            for name in _unfinished(self.parts, store):
                self.unfinished += 1
                yield Finding("orphan", f"whoever wrote {name} in {place} was killed; `verify --repair` deletes it")

    def needed(self) -> Iterator[Needed]:
        """Go through the objects that present inputs and what was made of them need, a batch at a time."""
        kinds: tuple[Literal["input", "output"], ...] = ("input", "output")
        for kind in kinds:
            after = ""
            while some := self._some(kind, after):
                yield from some
                after = some[-1].id

    def _some(self, kind: Literal["input", "output"], after: str) -> tuple[Needed, ...]:
        with self.parts.store.read() as tx:
            return tx.of_reports.needed(kind, after, BATCH)

    def _of_object(self, key: str, needed: Needed, listed: bool) -> str | None:
        derived = key != needed.object_key
        if listed and (derived or self.quick):
            return None
        told = f"the object {key} of the {needed.kind} {needed.id}"
        advice = "restore DATA_DIR from a backup" + (", or take the input down." if needed.kind == "input" else ".")
        try:
            body = self.parts.objects.read(key)
        except NotFound:
            return f"{told} is missing; {advice}"
        if derived or self.quick or hashlib.sha256(body).hexdigest() == needed.content_hash:
            return None
        return f"{told} does not have the SHA-256 {needed.content_hash}; {advice}"

    def _is_needed(self, needed: Needed) -> bool:
        """Look again: what it belongs to may have been taken down meanwhile."""
        with self.parts.store.read() as tx:
            return bool(tx.of_objects.needed([needed.object_key]))


def _body_or_fault(tx: PromptRows, line: VersionLine) -> bytes | str:
    try:
        return to_bytes(file_of(tx, tx.versions.get(line.id)))
    except InvalidRequest as error:
        return str(error)


def _stores(parts: Parts) -> dict[str, ObjectStore]:
    return {"DATA_DIR/objects": parts.objects, "PROMPTS_DIR": parts.published}


def _unfinished(parts: Parts, store: ObjectStore) -> list[str]:
    """Return what has been written for longer than any writer takes: its writer was killed."""
    before = parts.clock.now() - OLD
    stored = ((name, store.stored_at(name)) for name in store.unfinished())
    return [name for name, at in stored if at is not None and at < before]


def discard_unfinished(parts: Parts) -> int:
    """Delete what writers left half written more than a day ago, and return how many files that were."""
    left = [(store, name) for store in _stores(parts).values() for name in _unfinished(parts, store)]
    for store, name in left:
        store.delete(name)
    return len(left)


def discard_orphans(parts: Parts, keys: Iterable[str]) -> tuple[str, ...]:
    """Delete objects that nothing needs and that are older than a day, and return them."""
    before = parts.clock.now() - OLD
    stored = ((key, parts.objects.stored_at(key)) for key in keys)
    return discard(parts, [key for key, at in stored if at is not None and at < before])
