"""Protection against forged requests: where a request comes from, and a token that only our own pages know."""

import hmac
from urllib.parse import urlsplit

from fastapi import Request

from ml_service.errors import Forbidden
from web.http.answers.problems import StalePage
from web.http.edge.session import context, session_hash

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")


def csrf_token(request: Request) -> str:
    """Return the token of this session's pages; empty without a session."""
    secret_hash = session_hash(request)
    if secret_hash is None:
        return ""
    return hmac.digest(context(request).key, b"csrf " + secret_hash.encode(), "sha256").hex()


async def refuse_forgery(request: Request) -> None:
    """Refuse a request that changes something and comes from another site, or without its session's token."""
    if request.method in SAFE:
        return
    if not _same_origin(request):
        raise Forbidden("This request comes from another site; open the page here and try again.")
    wanted = csrf_token(request)
    if wanted and not hmac.compare_digest((await _given(request)).encode(), wanted.encode()):
        raise StalePage("You signed in or out since this page was opened; reload it and try again.")


def _same_origin(request: Request) -> bool:
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


async def _given(request: Request) -> str:
    header = request.headers.get("x-csrf-token")
    if header is not None:
        return header
    if not request.headers.get("content-type", "").startswith(FORM_TYPES):
        return ""
    field = (await request.form()).get("csrf_token")
    return field if isinstance(field, str) else ""
