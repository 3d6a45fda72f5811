"""The token endpoint of machines: OAuth 2.0, client credentials (RFC 6749 §4.4), with that standard's errors."""

import base64
from typing import Annotated, Literal
from urllib.parse import unquote_plus

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, SecretStr

from ml_service.errors import InvalidRequest, Unauthorized
from web.http.edge.door import throttle
from web.http.edge.session import context
from web.services.accounts import keys
from web.services.accounts.tokens import TOKEN_TIME

router = APIRouter(tags=["keys"])
MOST = 200
NONE = SecretStr("")
Word = Annotated[str, Form(max_length=MOST)]
Code = Literal["invalid_request", "invalid_client", "invalid_scope", "unsupported_grant_type"]


class TokenOut(BaseModel):
    """A token, how it is sent, for how many seconds it is good, and for what."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105
    expires_in: int
    scope: str


class TokenRefused(BaseModel):
    """Why there is no token, in the words of RFC 6749, and what to do."""

    error: Code
    error_description: str


@router.post("/token", response_model=TokenOut, responses={400: {"model": TokenRefused}, 401: {"model": TokenRefused}})
def token(
    request: Request,
    grant_type: Word = "",
    client_id: Word = "",
    client_secret: Annotated[SecretStr, Form(max_length=MOST)] = NONE,
    scope: Word = "",
) -> TokenOut | Response:
    """Give a machine a token for 15 minutes: its key's id and the key come in the form, or by HTTP Basic."""
    if grant_type != "client_credentials":
        code: Code = "unsupported_grant_type" if grant_type else "invalid_request"
        return _refused(code, "Send grant_type=client_credentials in a form.")
    here = context(request)
    key_id, secret = _basic(request) or (client_id, client_secret.get_secret_value())
    try:
        made, scopes = keys.exchange(here.parts, throttle(request), key_id, secret, scope.split())
    except Unauthorized as error:
        return _refused("invalid_client", str(error))
    except InvalidRequest as error:
        return _refused("invalid_scope", str(error))
    return TokenOut(access_token=made, expires_in=int(TOKEN_TIME.total_seconds()), scope=" ".join(scopes))


def _basic(request: Request) -> tuple[str, str] | None:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, secret = base64.b64decode(given, validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return unquote_plus(name), unquote_plus(secret)


def _refused(code: Code, why: str) -> Response:
    body = TokenRefused(error=code, error_description=why).model_dump()
    if code == "invalid_client":
        return JSONResponse(body, 401, {"WWW-Authenticate": 'Basic realm="palate"'})
    return JSONResponse(body, 400)
