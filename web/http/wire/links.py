"""Addresses that people are given."""

from fastapi import Request

from web.http.edge.session import context


def public_address(request: Request) -> str:
    """Return where people reach Palate: PUBLIC_URL, or else the host that the one who asks uses."""
    return context(request).settings.public_url or str(request.base_url).rstrip("/")


def link_address(request: Request, secret: str) -> str:
    """Return the full address of a sign-in link."""
    return f"{public_address(request)}/link/{secret}"
