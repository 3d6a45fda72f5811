"""Tokens of machines: signed, good for a quarter of an hour, and worth nothing without the key they were made from."""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, get_args

import jwt

from web.domain.access import Scope
from web.domain.ids import new_id

ALGORITHM = "HS256"
PARTY = "palate"  # who issues a token and who it is for: this product, by the key of this server
TOKEN_TIME = timedelta(minutes=15)
CLAIMS = ["iss", "aud", "sub", "iat", "exp", "jti", "scope"]


@dataclass(frozen=True)
class Claim:
    """What a token says: whose key it was made from, and for what."""

    key_id: str
    scopes: tuple[Scope, ...]


def issue(key: bytes, claim: Claim, now: datetime) -> str:
    """Return a token under the server's key."""
    body = {
        "iss": PARTY,
        "aud": PARTY,
        "sub": claim.key_id,
        "iat": int(now.timestamp()),
        "exp": int((now + TOKEN_TIME).timestamp()),
        "jti": new_id(),
        "scope": " ".join(claim.scopes),
    }
    return jwt.encode(body, _signing(key), algorithm=ALGORITHM)


def read(key: bytes, token: str, now: datetime) -> Claim | None:
    """Return what a token says, or None where it is not ours, was changed, or has run out."""
    try:
        # Times are compared below: the library asks its own clock, and the product has one.
        found: dict[str, Any] = jwt.decode(
            token,
            _signing(key),
            algorithms=[ALGORITHM],
            audience=PARTY,
            issuer=PARTY,
            options={"require": CLAIMS, "verify_exp": False, "verify_iat": False},
        )
    except jwt.InvalidTokenError:
        return None
    if not found["iat"] <= now.timestamp() < found["exp"]:
        return None
    return Claim(found["sub"], tuple(scope for scope in get_args(Scope) if scope in found["scope"].split()))


def _signing(key: bytes) -> bytes:
    return hmac.digest(key, b"tokens of machines", "sha256")
