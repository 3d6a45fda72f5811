"""What stands in front: proxies that say where a request came from, and the path of a site that Palate is below."""

import re
from typing import Any, cast

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from web.http.answers.problems import UnknownHost
from web.http.edge.csrf import MOST_TOLD
from web.http.edge.session import context
from web.settings import Settings
from web.settings.address import ANY, without_port

FORWARDED_HOST = "x-forwarded-host"
LEADING = ("location", "hx-redirect")  # the headers that lead a browser on
_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?")


class Front:
    """Wraps the app: what believed proxies say becomes what the request says, and the path of PUBLIC_URL is taken off.

    Behind it, paths are those of the routes, whether the proxy passes the whole path on or takes the first part off
    itself; what leads a browser on gets the path again.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app, self.base = app, settings.base
        # The server's own types and the framework's name the same protocol.
        self.proxies = ProxyHeadersMiddleware(cast(Any, self._below), list(settings.forwarded_allow_ips))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http" and (scope.get("client") or [None])[0] in self.proxies.trusted_hosts:
            _take_host(scope)
        await self.proxies(cast(Any, scope), cast(Any, receive), cast(Any, send))

    async def _below(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def lead(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                for name in LEADING:
                    if headers.get(name, "").startswith("/"):
                        headers[name] = self.base + headers[name]
            await send(message)

        if scope["type"] == "http" and self.base:
            if scope["path"] == self.base or scope["path"].startswith(f"{self.base}/"):
                scope["path"] = scope["path"].removeprefix(self.base) or "/"
            await self.app(scope, receive, lead)
        else:
            await self.app(scope, receive, send)


async def refuse_foreign_host(request: Request) -> None:
    """Refuse a request to a host that is not ours: any name can be made to lead here, and links would name it."""
    host = request.headers.get("host", "")
    settings = context(request).settings
    if not any(_fits(without_port(host.lower()), name) for name in settings.hosts):
        place = f"Palate is at {settings.public_url}" if settings.public_url else "Palate knows its hosts by name"
        raise UnknownHost(
            f"{place}, and this request is to {host[:MOST_TOLD]!r}. If that is right too, name it in ALLOWED_HOSTS."
        )


def _fits(host: str, name: str) -> bool:
    return name in (ANY, host) or (name.startswith("*.") and host.endswith(name[1:]))


def _take_host(scope: Scope) -> None:
    """Have a request be to the host that the nearest proxy was asked for, if it says so."""
    headers = MutableHeaders(scope=scope)
    told = ",".join(headers.getlist(FORWARDED_HOST)).rpartition(",")[2].strip()
    if _HOST.fullmatch(told):
        headers["host"] = told
