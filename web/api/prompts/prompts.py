"""Routes of prompts: what production pulls, byte for byte, and REST of versions for admins."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, TypeAdapter

from ml_service.wire.contract import Point
from web.api.fields import Note, Strict
from web.domain.prompts.diff import Comparison, compare
from web.domain.prompts.feedback import FeedbackSummary
from web.domain.prompts.prompt import DEFAULT_KEY, PromptVersion, Variable, VersionFile, VersionStatus
from web.http.answers.images import UNCHANGED
from web.http.edge.session import Admin, PromptReader, context
from web.http.wire.etags import is_known
from web.services.prompts import promotion, releases
from web.services.prompts.views import prompt_view, versions

router = APIRouter(tags=["prompts"])

Key = Annotated[str, Query(max_length=64, description="The key of the prompt.")]
ASK_AGAIN = "private, no-cache"
FOR_AN_HOUR = "private, max-age=3600"  # a version never changes, but it may be withdrawn
PULLED: dict[int | str, dict[str, Any]] = {200: {"model": VersionFile}, 304: UNCHANGED}
_COMPARISON = TypeAdapter(Comparison)


class NoteIn(Strict):
    """Why something is done; it may be left out."""

    note: Note = ""


class PromptOut(BaseModel):
    """A prompt, and which of its versions is live; `revision` counts how often that was moved."""

    key: str
    live: str
    revision: int
    moved_at: datetime


class VersionEntry(BaseModel):
    """A version in a list, with what production said of it."""

    name: str | None
    status: VersionStatus
    created_at: datetime
    created_by: str
    changelog: str
    parents: tuple[str, ...]
    sha256: str
    feedback: FeedbackSummary

    @classmethod
    def of(cls, version: PromptVersion, names: Mapping[str, str], feedback: FeedbackSummary) -> "VersionEntry":
        """Show a version, its parents by name."""
        return cls(**_fields(cls, version, names), feedback=feedback)


class PromptWhole(PromptOut):
    """A prompt with all its versions, newest first."""

    versions: list[VersionEntry]


class VersionOut(BaseModel):
    """A version whole."""

    prompt_key: str
    name: str | None
    status: VersionStatus
    created_at: datetime
    created_by: str
    changelog: str
    parents: tuple[str, ...]
    sha256: str
    components: dict[str, dict[str, str]]
    variables: dict[str, Variable]
    parameter_defaults: dict[str, Point]
    slots_locked: tuple[str, ...]

    @classmethod
    def of(cls, version: PromptVersion, names: Mapping[str, str]) -> "VersionOut":
        """Show a version, its parents by name."""
        return cls(**_fields(cls, version, names))


@router.get("/prompts/current.json", response_class=Response, responses=PULLED)
@router.head("/prompts/current.json", response_class=Response, responses={304: UNCHANGED})
def current(request: Request, reader: PromptReader, key: Key = DEFAULT_KEY) -> Response:
    """Answer with the file of the live version; ask with If-None-Match, and 304 says that nothing has changed."""
    return _pulled(request, releases.pull(context(request).parts, reader, key), ASK_AGAIN)


@router.get("/prompts/versions/{name}.json", response_class=Response, responses=PULLED)
@router.head("/prompts/versions/{name}.json", response_class=Response, responses={304: UNCHANGED})
def pinned(request: Request, reader: PromptReader, name: str, key: Key = DEFAULT_KEY) -> Response:
    """Answer with the file of one version, which never changes; 410 once it was withdrawn."""
    return _pulled(request, releases.pull(context(request).parts, reader, key, name), FOR_AN_HOUR)


@router.get("/api/v1/prompts")
def prompts(request: Request, admin: Admin) -> list[PromptOut]:
    """List the prompts of the project."""
    return [_shown(line) for line in releases.prompts(context(request).parts, admin)]


@router.get("/api/v1/prompts/{key}")
def prompt(request: Request, admin: Admin, key: str) -> PromptWhole:
    """Return a prompt: which version is live, and all versions, newest first, with what production said of them."""
    seen = prompt_view(context(request).parts, admin, key)
    found, names = seen.detail, seen.names
    said = {version.id: found.feedback.get(version.id, FeedbackSummary()) for version in found.versions}
    entries = [VersionEntry.of(version, names, said[version.id]) for version in found.versions]
    return PromptWhole(**_shown(found).model_dump(), versions=entries)


@router.get("/api/v1/prompts/{key}/versions/{name}")
def version(request: Request, admin: Admin, key: str, name: str) -> VersionOut:
    """Return a version of a prompt."""
    seen = versions(context(request).parts, admin, key, name)
    return VersionOut.of(seen.found[0], seen.names)


@router.get("/api/v1/prompts/{key}/diff", responses={200: {"model": Comparison}})
def diff(
    request: Request,
    admin: Admin,
    key: str,
    old: Annotated[str, Query(alias="from", max_length=40)],
    new: Annotated[str, Query(alias="to", max_length=40)],
) -> Response:
    """Return what differs between two versions: texts word by word, variables, parameters."""
    before, after = versions(context(request).parts, admin, key, old, new).found
    found = compare(before, after)
    return Response(_COMPARISON.dump_json(found), media_type="application/json")


@router.post("/api/v1/prompts/{key}/versions/{name}/withdraw")
def withdraw(request: Request, admin: Admin, key: str, name: str, given: NoteIn | None = None) -> VersionOut:
    """Withdraw a version: it is 410 for production from now on; 409 for the live one. Done twice, no error."""
    parts = context(request).parts
    found = releases.version(parts, admin, key, name)
    gone = promotion.withdraw(parts, admin, found.id, given.note if given else "")
    return VersionOut.of(gone, releases.names(parts, admin, key))


def _fields(kind: type[BaseModel], version: PromptVersion, names: Mapping[str, str]) -> dict[str, Any]:
    fields = {name: getattr(version, name) for name in kind.model_fields if hasattr(version, name)}
    return {**fields, "parents": tuple(names[parent] for parent in version.parents)}


def _shown(line: releases.PromptLine | releases.PromptDetail) -> PromptOut:
    pointer = line.pointer
    return PromptOut(
        key=line.prompt.key, live=str(line.live.name), revision=pointer.revision, moved_at=pointer.moved_at
    )


def _pulled(request: Request, found: releases.Pulled, cache: str) -> Response:
    etag = f'"{hashlib.sha256(found.body).hexdigest()}"'
    headers = {"ETag": etag, "Cache-Control": cache, "X-Palate-Version": found.version}
    if is_known(request, etag):
        return Response(status_code=304, headers=headers)
    if request.method == "HEAD":
        headers["Content-Length"] = str(len(found.body))
    body = b"" if request.method == "HEAD" else found.body
    return Response(body, media_type="application/json", headers=headers)
