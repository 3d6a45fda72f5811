"""The door: what every way in has in common, so that guessing is slow and never slows down those who rate."""

from collections.abc import Callable
from functools import partial
from ipaddress import IPv6Address, ip_address
from typing import ParamSpec, TypeVar

from anyio import CapacityLimiter
from anyio.lowlevel import RunVar
from anyio.to_thread import run_sync
from fastapi import Request

from web.http.edge.session import context
from web.services.accounts.throttle import Throttle

P = ParamSpec("P")
T = TypeVar("T")

HOUSEHOLD_BITS = 64  # one customer of a provider has all the IPv6 addresses below such a prefix
AT_ONCE = 2
_LIMITER: RunVar[CapacityLimiter] = RunVar("door")


def throttle(request: Request) -> Throttle:
    """Return what counts the wrong tries of the network that a request comes from."""
    here = context(request)
    return Throttle(here.parts, here.key, _network(request))


async def through_the_door(call: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
    """Run what hashes a password, a few at a time and in threads of their own: who waits here keeps nobody waiting."""
    try:
        limiter = _LIMITER.get()
    except LookupError:
        limiter = CapacityLimiter(AT_ONCE)
        _LIMITER.set(limiter)
    return await run_sync(partial(call, *given, **named), limiter=limiter)


def _network(request: Request) -> str:
    host = request.client.host if request.client else ""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if not isinstance(address, IPv6Address):
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(int(address) >> (128 - HOUSEHOLD_BITS))
