"""Adopt the released versions and the live one that the product ships with."""

import json

from pydantic import TypeAdapter

from ml_service.errors import Conflict, NotFound
from ml_service.objects import ObjectStore
from web.domain.ids import new_id
from web.domain.prompt import DEFAULT_KEY, Pointer, Prompt, PromptVersion, VersionFile, content_hash
from web.ports import Parts

CURRENT = "versions/current.json"


def read_current(files: ObjectStore) -> VersionFile:
    """Read the live version's file and check its hash, or say what is wrong with it."""
    try:
        document = json.loads(files.read(CURRENT))
    except NotFound as error:
        raise Conflict(f"{CURRENT} is missing from PROMPTS_DIR; restore it from version control.") from error
    except ValueError as error:
        raise Conflict(f"{CURRENT} in PROMPTS_DIR is not JSON ({error}); restore it from version control.") from error
    if content_hash(document) != document.get("sha256"):
        raise Conflict(f"{CURRENT} in PROMPTS_DIR does not match its sha256; restore it from version control.")
    return TypeAdapter(VersionFile).validate_python(document)


def adopt(parts: Parts, project_id: str) -> None:
    """Make the shipped live version the first one of a database that has no prompt yet."""
    current = read_current(parts.published)
    with parts.store.begin() as tx:
        if tx.prompts.find(key=DEFAULT_KEY) is not None:
            return
        now = parts.clock.now()
        tx.prompts.add(Prompt(DEFAULT_KEY, project_id, now))
        version = PromptVersion(
            id=new_id(),
            prompt_key=current.prompt_key,
            number=1,
            name=current.version,
            components=current.components,
            created_at=current.created_at,
            created_by=current.created_by,
            variables=current.variables,
            parameter_defaults=current.parameter_defaults,
            slots_locked=current.slots_locked,
            changelog=current.changelog,
            sha256=current.sha256,
            status="released",
        )
        tx.versions.add(version)
        tx.pointers.add(Pointer(new_id(), DEFAULT_KEY, "branch", "main", version.id, now))
        tx.pointers.add(Pointer(new_id(), DEFAULT_KEY, "environment", "production", version.id, now))
