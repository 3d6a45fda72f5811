"""What tests of publishing share: prompts without any study, versions to promote, and a look at what lies there."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from ml_service.objects import ObjectStore
from ml_service.objects.local import Folder
from web.adapters.database.clock import DatabaseClock
from web.adapters.database.store import SqlStore
from web.domain.access import Actor
from web.domain.ids import new_id
from web.domain.prompts.prompt import DEFAULT_KEY, Pointer, PromptVersion, content_hash, from_bytes, to_bytes
from web.domain.studies.study import Project
from web.ports.parts import Parts
from web.ports.time import Clock
from web.services.prompts import pointers
from web.services.prompts.adoption import adopt

SHIPPED = Path(__file__).resolve().parents[2] / "prompts"


def make_parts(store: SqlStore, files: ObjectStore, clock: Clock | None = None) -> Parts:
    """Return what publishing needs; it uses no other part."""
    none = cast(Any, None)
    return Parts(store, none, files, {}, none, none, clock or DatabaseClock(), none, none, none)


def operator(store: SqlStore) -> Actor:
    """Return who works at the terminal of the first project."""
    with store.read() as tx:
        return Actor("", "the terminal", str(tx.of_people.default_project()), "admin")


def make_project(store: SqlStore) -> Actor:
    """Make a project without any prompt."""
    with store.begin() as tx:
        tx.projects.add(Project(new_id(), "Palate", DatabaseClock().now()))
    return operator(store)


def make_press(store: SqlStore, folder: Path, clock: Clock | None = None) -> Parts:
    """Make a project that has adopted the shipped prompt from a folder of its own."""
    shutil.copytree(SHIPPED, folder)
    parts = make_parts(store, Folder(folder), clock)
    adopt(parts, make_project(store).project_id)
    return parts


def live(parts: Parts, key: str = DEFAULT_KEY) -> tuple[Pointer, PromptVersion]:
    """Return the pointer of production and the version it points at."""
    with parts.store.read() as tx:
        pointer = pointers.find(tx, key)
        assert pointer is not None
        return pointer, tx.versions.get(pointer.version_id)


def candidate(parts: Parts, key: str = DEFAULT_KEY, **changes: Any) -> PromptVersion:
    """Add a child of the live version as evolution would, by default with a text of its own."""
    parent = live(parts, key)[1]
    version_id = new_id()
    texts = {"local": {**parent.components["local"], "prompt": f"Enhance this photo of {{{{subject}}}} {version_id}."}}
    fresh = {"components": texts, "name": None, "sha256": "", "status": "candidate", "parents": (parent.id,), **changes}
    with parts.store.begin() as tx:
        number = tx.of_prompts.lines(key)[-1].number + 1
        return tx.versions.add(replace(parent, id=version_id, number=number, created_by="evolution", **fresh))


def add_prompt(folder: Path, key: str) -> Path:
    """Write another prompt with one version that is live, and return its folder."""
    document = json.loads((SHIPPED / "versions" / "v1.0.0.json").read_bytes())
    other = {**document, "prompt_key": key}
    body = to_bytes(from_bytes(json.dumps({**other, "sha256": content_hash(other)}).encode()))
    at = folder / "versions" / key
    at.mkdir(parents=True)
    for name in ("v1.0.0", "current"):
        (at / f"{name}.json").write_bytes(body)
    return at


def check_files(parts: Parts, folder: Path) -> None:
    """Say where a folder is not what the rows say, reading it as a stranger would."""
    with parts.store.read() as tx:
        for prompt in tx.prompts.all():
            here = folder / "versions" / ("" if prompt.key == DEFAULT_KEY else prompt.key)
            pointer, version = live(parts, prompt.key)
            names = {line.name for line in tx.of_prompts.lines(prompt.key) if line.status == "released"}
            assert {path.stem for path in here.glob("v*.json")} == names
            for name in names:
                document = json.loads((here / f"{name}.json").read_bytes())
                assert content_hash(document) == document["sha256"]
                assert (document["version"], document["prompt_key"]) == (name, prompt.key)
            assert (here / "current.json").read_bytes() == (here / f"{version.name}.json").read_bytes()
            if pointer.revision:
                meta = json.loads((here / "current.meta.json").read_bytes())
                expected = {"version": version.name, "sha256": version.sha256, "revision": pointer.revision}
                assert {name: meta[name] for name in expected} == expected
