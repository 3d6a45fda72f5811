"""Protection against forged requests: where a request comes from, and a token that only our own pages know."""

import hmac
from urllib.parse import urlsplit

from fastapi import Request

from web.http.answers.problems import ForeignOrigin, StalePage
from web.http.edge.session import context, session_hash

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
MOST_TOLD = 200  # characters of a header
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
    _refuse_other_site(request)
    wanted = csrf_token(request)
    if wanted and not hmac.compare_digest((await _given(request)).encode(), wanted.encode()):
        raise StalePage("You signed in or out since this page was opened; reload it and try again.")


def _refuse_other_site(request: Request) -> None:
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None and site not in ("same-origin", "none"):
        raise ForeignOrigin("The browser says that another site sent it; open the page here and try again.")
    if site is None and origin is not None and not _is_ours(request, origin):
        raise ForeignOrigin(_seen(request, origin[:MOST_TOLD]))


def _is_ours(request: Request, origin: str) -> bool:
    """Tell whether an origin is PUBLIC_URL's, or the host of the request, whose scheme a proxy may not have told."""
    public, parts = context(request).settings.origin, urlsplit(origin)
    usual = {"http": ":80", "https": ":443"}.get(parts.scheme, "")
    host = request.headers.get("host", "").lower().removesuffix(usual)
    return origin == public or (bool(usual) and parts.netloc == host)


def _seen(request: Request, origin: str) -> str:
    """Say what was seen and, as that may be a proxy's doing, what to set."""
    host, told = (request.headers.get(name, "")[:MOST_TOLD] for name in ("host", "x-forwarded-host"))
    seen = f"The page is of {origin}, and Palate was reached as {host}"
    if told and told != host and request.client:
        return (
            f"{seen}. The proxy at {request.client.host} says {told}, and is not believed; if it is yours, "
            f"set FORWARDED_ALLOW_IPS={request.client.host}."
        )
    return (
        f"{seen}. If both are right, the proxy in front of Palate does not tell its name: set PUBLIC_URL={origin}, or "
        "have the proxy send X-Forwarded-Host. Otherwise open the page here and try again."
    )


async def _given(request: Request) -> str:
    header = request.headers.get("x-csrf-token")
    if header is not None:
        return header
    if not request.headers.get("content-type", "").startswith(FORM_TYPES):
        return ""
    field = (await request.form()).get("csrf_token")
    return field if isinstance(field, str) else ""
