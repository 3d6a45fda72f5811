"""The one fetcher of addresses that others name: it asks public hosts only, by the very address that it has checked.

A name is resolved once, all that it resolves to must be public, and the connection goes there, with the name for TLS
and Host: so no second answer of a name server leads it elsewhere. A redirect is not followed: it is another address.
"""

import socket
import ssl
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from threading import Thread
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpcore

from ml_service.errors import InvalidRequest, TooLarge, Unavailable

MOST_BYTES = 30_000_000
SECONDS = 30.0  # for all of it, from the name to the last byte
MOST_ADDRESSES = 4  # of a host that are tried
AWAY = (408, 425, 429)  # what a host answers that may answer otherwise later, beside its own faults
_GLOBAL = ip_network("2000::/3")  # all of IPv6 that is given out to be reached by everybody
T = TypeVar("T")
Resolve = Callable[[str, int], Iterable[str]]


def resolved(host: str, port: int) -> tuple[str, ...]:
    """Return the addresses of a host, as this machine knows them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


class GuardedFetcher:
    """Fetches over HTTPS from public hosts, within limits of size and time.

    `local` lets it ask this machine too, at any port and without TLS: that is for tests alone.
    """

    def __init__(
        self,
        resolve: Resolve = resolved,
        *,
        local: bool = False,
        tls: ssl.SSLContext | None = None,
        seconds: float = SECONDS,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._resolve, self._local, self._tls = resolve, local, tls or ssl.create_default_context()
        self._seconds, self._most_bytes = seconds, most_bytes

    def fetch(self, url: str) -> bytes:
        """Return the bytes at an address, or raise a ServiceError that says why not."""
        self._check(url)
        backend = _Pinned(self._resolve, time.monotonic() + self._seconds, local=self._local)
        try:
            with httpcore.ConnectionPool(ssl_context=self._tls, network_backend=backend) as pool:
                return self._read(pool, url)
        except httpcore.TimeoutException as error:
            raise Unavailable(f"Its host did not send it within {self._seconds:g} s.") from error
        except (httpcore.NetworkError, httpcore.ProtocolError, ssl.SSLError, OSError) as error:
            raise Unavailable("Its host cannot be reached, or cannot be understood.") from error

    def _check(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise InvalidRequest("This is no address.") from error
        if parts.scheme != "https" and not (self._local and parts.scheme == "http"):
            raise InvalidRequest("Only addresses that begin with https:// are fetched.")
        if not host or parts.username is not None or parts.password is not None or not url.isascii():
            raise InvalidRequest("The address needs a host, has no user in it, and is written in ASCII.")
        if port not in (None, 443) and not self._local:
            raise InvalidRequest("Only the usual port of https, 443, is asked.")

    def _read(self, pool: httpcore.ConnectionPool, url: str) -> bytes:
        headers = [("Accept", "image/*"), ("Accept-Encoding", "identity"), ("User-Agent", "Palate")]
        limits = dict.fromkeys(("connect", "read", "write", "pool"), self._seconds)
        with pool.stream("GET", url, headers=headers, extensions={"timeout": limits}) as answer:
            _refuse(answer.status)
            body = bytearray()
            for piece in answer.iter_stream():
                body += piece
                if len(body) > self._most_bytes:
                    raise TooLarge(f"There are more than {self._most_bytes // 1_000_000} MB at this address.")
            return bytes(body)


def _refuse(status: int) -> None:
    if status in AWAY or status >= 500:
        raise Unavailable(f"Its host answered {status}.")
    if 300 <= status < 400:
        raise InvalidRequest(f"Its host answered {status}, which leads elsewhere; give the address that it leads to.")
    if status != 200:
        raise InvalidRequest(f"Its host answered {status}.")


class _Pinned(httpcore.NetworkBackend):
    """Connects to the address that was checked, and gives up once the time is over, however slowly bytes come."""

    def __init__(self, resolve: Resolve, deadline: float, *, local: bool) -> None:
        self._resolve, self._deadline, self._local = resolve, deadline, local
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to a host by the first of its addresses that answers; all of them must be ones that may be asked."""
        addresses = self._addresses(host, port)
        trouble: Exception = Unavailable("Its host is not known.")
        for to_try, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
            share = _left(self._deadline) / to_try
            try:
                return _Timed(self._plain.connect_tcp(address, port, share), self._deadline)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                trouble = error
        raise trouble

    def _addresses(self, host: str, port: int) -> list[str]:
        try:
            answers = _within(_left(self._deadline), lambda: tuple(self._resolve(host, port)))
            found = [ip_address(one.partition("%")[0]) for one in answers]
        except (OSError, UnicodeError) as error:
            raise Unavailable("Its host is not known.") from error
        if not all(is_public(one) or (self._local and one.is_loopback) for one in found):
            raise InvalidRequest("Its host is in a network that is not public; such addresses are not fetched.")
        return [str(one) for one in found[:MOST_ADDRESSES]]


class _Timed(httpcore.NetworkStream):
    """A stream whose every step has what is left of the time of all."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: float) -> None:
        self._inner, self._deadline = inner, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return the next bytes."""
        return self._inner.read(max_bytes, _left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send bytes."""
        self._inner.write(buffer, _left(self._deadline))

    def close(self) -> None:
        """Close the connection."""
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Go on under TLS."""
        return _Timed(self._inner.start_tls(ssl_context, server_hostname, _left(self._deadline)), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        """Return what is known of the connection."""
        return self._inner.get_extra_info(info)


def _within(seconds: float, ask: Callable[[], T]) -> T:
    """Return the answer of a name server, or raise TimeoutError; one that comes later is heard by nobody."""
    answer = Future[T]()

    def answered() -> None:
        try:
            answer.set_result(ask())
        except (OSError, UnicodeError) as error:
            answer.set_exception(error)

    Thread(target=answered, name="resolve", daemon=True).start()  # no pool: its threads would hold up the end
    return answer.result(seconds)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the time is over")
    return left


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Tell whether an address is everybody's; one that carries another, to bridge IPv4 and IPv6, never is."""
    if isinstance(address, IPv6Address) and (address not in _GLOBAL or address.sixtofour or address.teredo):
        return False
    return address.is_global and not address.is_multicast
