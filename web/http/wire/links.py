"""Addresses that people are given."""

from fastapi import Request


def link_address(request: Request, secret: str) -> str:
    """Return the full address of a sign-in link, on the host that the one who made it uses."""
    return f"{request.base_url}link/{secret}"
