"""Routes of the keys that machines come in with."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import AwareDatetime, BaseModel, Field

from web.api.fields import Strict
from web.domain.access import Scope
from web.domain.accounts import ApiKey
from web.http.edge.session import Admin, context
from web.services.accounts import keys
from web.services.accounts.keys import KeyDraft

router = APIRouter(prefix="/api/v1/keys", tags=["keys"])


class KeyIn(Strict):
    """What a new key is called and may do, where it is used, and until when; without a time it does not run out."""

    name: Annotated[str, Field(max_length=keys.NAME_LENGTH)]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=len(keys.SCOPES))]
    environment: Annotated[str, Field(max_length=64)] = "production"
    expires_at: Annotated[AwareDatetime, Field(strict=False)] | None = None


class KeyOut(BaseModel):
    """A key as it is listed; its id is the client id at `POST /token`."""

    id: str
    name: str
    environment: str
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    @classmethod
    def of(cls, key: ApiKey) -> "KeyOut":
        """Show a key without anything that opens a door."""
        return cls(**{name: getattr(key, name) for name in KeyOut.model_fields})


class KeyLineOut(KeyOut):
    """A key in the list: who made it, whether they left, and when it was last used, to the hour."""

    used_at: datetime | None
    owner: str
    owner_left: bool


class NewKeyOut(KeyOut):
    """A new key with its secret, which is shown this once."""

    key: str


@router.get("")
def list_keys(request: Request, admin: Admin) -> list[KeyLineOut]:
    """List the keys of the project, the newest first, revoked ones too."""
    found = keys.list_keys(context(request).parts, admin)
    return [
        KeyLineOut(
            **KeyOut.of(line.key).model_dump(),
            used_at=line.key.used_at,
            owner=line.owner,
            owner_left=line.owner_left,
        )
        for line in found
    ]


@router.post("", status_code=201)
def make_key(request: Request, admin: Admin, given: KeyIn) -> NewKeyOut:
    """Make a key and show it once; sent twice, two keys are made, as the first cannot be shown again."""
    here = context(request).parts
    draft = KeyDraft(given.name, tuple(given.scopes), given.environment, given.expires_at)
    key, secret = keys.make_key(here, admin, draft)
    return NewKeyOut(**KeyOut.of(key).model_dump(), key=secret)


@router.delete("/{key_id}", status_code=204)
def revoke_key(request: Request, admin: Admin, key_id: str) -> None:
    """End a key and every token made from it, at once and for ever."""
    here = context(request).parts
    keys.revoke_key(here, admin, key_id)
